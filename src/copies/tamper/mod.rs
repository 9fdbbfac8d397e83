//! Signs of tampering: rules over what a copy has otherwise than the original, never over the original itself.
//!
//! Copies of a leak are a way to spread malware: who looks for the leak finds the copy, and runs it. So each file that a
//! copy adds or changes is read for what runs by itself, what is hidden, and what reaches out. What stands anywhere in the
//! original is no sign, wherever it stands in the copy: a host, a dependency, a call, a line. To that end the original is
//! read once by the same readers ([`Original`]), and each thing that a reader finds in a copy is looked up there.
//!
//! **What counts as a sign of tampering is of severity `medium` or more.** `info` and `low` are notes: an ordinary change, such
//! as a new dependency, an address in a document, a script in a folder of tools, is said so that nothing is lost, and means
//! nothing by itself. A sign says what was seen and never that somebody meant harm.
//!
//! - `rules`: what each rule means, as data, with examples; `examples` runs them
//! - `text`: a file as readers see it, and what they find
//! - `places`: files that are run or obeyed for where they lie; `install`: scripts of manifests
//! - `depends`, `lock`: dependencies and where they come from
//! - `calls`, `hosts`, `hidden`: what code does, where it connects to, what is not seen of it
//! - `readme`, `content`: what documents say, and what a file is
//! - [`yara`]: rules of the user's own
//!
//! Left out: telling what code means. A payload that is written like ordinary code, starts nothing and reaches out to hosts
//! that the original has gives no sign. Files that were only moved or laid out anew are not read.

mod calls;
mod content;
mod depends;
pub mod examples;
mod hidden;
mod hosts;
mod install;
mod lock;
mod places;
mod readme;
pub mod rules;
mod shown;
mod text;
mod wallets;
pub mod yara;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

pub use rules::{TamperRule, TamperRules};

use super::delta::Pair;
use super::tree::{Tree, TreeFile};
use crate::blob::Sha256Digest;
use crate::exposure::Organisation;
use crate::exposure::secrets::utf16_text;
use crate::record::{Certainty, ChangeKind, Severity};
use text::{Text, Thing};

/// Signs of one rule in one file, and in one copy, that are told one by one; the last of them says how many more there are.
const PER_FILE: usize = 16;
const PER_COPY: usize = 256;

/// Different things of one file that are told apart; what comes behind is counted.
const THINGS: usize = 1 << 16;

/// BLAKE3 over the digests of the rules for signs and of all others: comparisons are comparable while it is the same.
pub fn rules_digest() -> [u8; 32] {
    let others = crate::exposure::rules_digest();
    *blake3::hash(&[others, TamperRules::digest()].concat()).as_bytes()
}

/// A pattern that is compiled once. Letters and the ends of words are those of ASCII: what tells them in all of Unicode is
/// thirty times as slow on text that has other letters, and whoever made a copy chooses its letters.
macro_rules! pattern {
    ($text:expr) => {
        std::sync::LazyLock::new(|| {
            let regex = regex::bytes::RegexBuilder::new($text)
                .unicode(false)
                .build();
            match regex {
                Ok(regex) => regex,
                Err(error) => panic!("a built-in pattern is broken: {error}"),
            }
        })
    };
}
use pattern;

/// What reads a text for things of some rules.
type Reader = fn(&Text, &mut dyn FnMut(Thing));

/// All readers.
const READERS: [Reader; 16] = [
    hidden::characters,
    hidden::off_screen,
    hidden::encoded,
    hidden::obfuscated,
    calls::decode_then_run,
    calls::children,
    calls::download_and_run,
    calls::credential_stores,
    calls::environment,
    hosts::hosts,
    hosts::webhooks,
    hosts::wallets,
    install::scripts,
    depends::dependencies,
    readme::links,
    readme::lures,
];

/// What of the original is known beside the files that a copy changed: a host that stands anywhere in it is no new host.
/// Made once, and used for each copy.
#[derive(Debug, Default)]
pub struct Original {
    /// What readers found, and of what sort it is.
    known: HashSet<u128>,
    /// Contents of its files.
    contents: HashSet<[u8; 32]>,
    /// Names of its dependencies and of its own packages.
    names: depends::Names,
}

impl Original {
    /// Reads the whole original.
    pub fn of(tree: &Tree) -> Self {
        let mut original = Self::default();
        for (path, file) in &tree.files {
            if let Some(sha256) = digest(file) {
                original.contents.insert(sha256);
            }
            let Some(bytes) = file.bytes.as_deref().map(readable) else {
                continue;
            };
            if let Some(text) = Text::of(path, &bytes) {
                original.read(&text);
            }
        }
        original
    }

    fn read(&mut self, text: &Text) {
        for reader in READERS {
            reader(text, &mut |thing| {
                if let (true, Some(name)) = (thing.rule == "new-dependency", &thing.name) {
                    self.names.add(name);
                }
                self.known.insert(thing.key);
                self.known.extend(thing.sort);
            });
        }
        depends::imports(text, |key, name| {
            self.known.insert(text::hash("new-dependency", &key));
            self.names.add(name);
        });
        if text.name() == "package.json"
            && let Some(name) = install::tree(text.bytes)
                .as_ref()
                .and_then(|tree| tree.get("name")?.as_str())
        {
            self.names.own.insert(name.to_ascii_lowercase());
        }
    }
}

/// What rules may ask beside the files.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// Whose the original is: its internal scopes.
    pub organisation: Option<&'a Organisation>,
    /// First date of the copy, RFC 3339, UTC, and what says so.
    pub first: Option<(&'a str, &'a str)>,
    /// When the original became public, RFC 3339, UTC.
    pub leaked: Option<&'a str>,
}

/// One sign. It becomes a `sign` record.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Id of the rule.
    pub rule: Cow<'static, str>,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub certainty: Certainty,
    /// Path of the file in the copy.
    pub path: Vec<u8>,
    /// Line in the copy, 1-based; `None` where the file as a whole is meant.
    pub line: Option<u64>,
    /// What is there now, shortened.
    pub found: String,
    /// What the original has in its place.
    pub original: Option<String>,
}

/// The signs of a copy, by path, line and rule.
pub fn signs(original: &Original, pairs: &[Pair], context: &Context) -> Vec<Found> {
    let mut signs: Vec<Found> = early(context).into_iter().collect();
    for pair in pairs {
        signs.extend(of_pair(original, pair, context));
    }
    bounded(signs)
}

/// The worst of each rule, by path, line and rule.
pub fn bounded(signs: Vec<Found>) -> Vec<Found> {
    let mut signs = capped(signs, PER_COPY, |sign| sign.rule.clone(), "in this copy");
    signs.sort_by(|a, b| {
        (&a.path, a.line, &a.rule, &a.found).cmp(&(&b.path, b.line, &b.rule, &b.found))
    });
    signs
}

/// The worst of each group, and in the last of them how many more there are. Somebody who buries a sign under a thousand
/// notes buries nothing.
fn capped<K: Ord>(
    signs: Vec<Found>,
    most: usize,
    group: impl Fn(&Found) -> K,
    of: &str,
) -> Vec<Found> {
    let mut groups: BTreeMap<K, Vec<Found>> = BTreeMap::new();
    for sign in signs {
        groups.entry(group(&sign)).or_default().push(sign);
    }
    let cut = |mut group: Vec<Found>| {
        let more = group.len().saturating_sub(most);
        group.sort_by(|a, b| (b.severity, &a.path, a.line).cmp(&(a.severity, &b.path, b.line)));
        group.truncate(most);
        if let (Some(last), true) = (group.last_mut(), more > 0) {
            last.found = format!("{} (and {more} more of this rule {of})", last.found);
        }
        group
    };
    groups.into_values().flat_map(cut).collect()
}

fn digest(file: &TreeFile) -> Option<[u8; 32]> {
    let of_bytes = |bytes: &bytes::Bytes| Sha256Digest::of(bytes).0;
    file.sha256
        .map(|sha256| sha256.0)
        .or_else(|| file.bytes.as_ref().map(of_bytes))
}

/// Text of two bytes a letter as UTF-8: scripts of Windows are written so.
fn readable(bytes: &[u8]) -> Cow<'_, [u8]> {
    let has_mark = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    has_mark
        .then(|| utf16_text(bytes))
        .flatten()
        .map_or(Cow::Borrowed(bytes), Cow::Owned)
}

/// The signs of one file.
fn of_pair(original: &Original, pair: &Pair, context: &Context) -> Vec<Found> {
    let (Some((path, file)), ChangeKind::Added | ChangeKind::Changed) = (pair.copy, pair.kind)
    else {
        return Vec::new();
    };
    if digest(file).is_some_and(|sha256| original.contents.contains(&sha256)) {
        return Vec::new();
    }
    let before = pair.original.map(|(_, file)| file);
    let lower = String::from_utf8_lossy(path).to_ascii_lowercase();
    let mut signs: Vec<Found> = content::of(&lower, file, before)
        .into_iter()
        .filter_map(|whole| whole_sign(path, &lower, whole, before))
        .collect();
    let bytes = file.bytes.as_deref().map(readable).unwrap_or_default();
    let bytes_before = before.and_then(|file| file.bytes.as_deref()).map(readable);
    if let Some(text) = Text::of(path, &bytes) {
        let place = pair
            .original
            .and_then(|(path, _)| Text::of(path, bytes_before.as_deref()?));
        let mut judge = Judge {
            original,
            context,
            path,
            text: &text,
            before: place.as_ref(),
            seen: HashSet::new(),
            signs: BTreeMap::new(),
        };
        judge.read();
        signs.extend(judge.told());
    }
    signs
}

fn whole_sign(
    path: &[u8],
    lower: &str,
    whole: content::Whole,
    before: Option<&TreeFile>,
) -> Option<Found> {
    let rule = TamperRules::builtin().get(whole.rule)?;
    let is_dependency = text::is_below(lower, "dependency_folders");
    let severity = rule.severity_when(whole.when);
    Some(Found {
        rule: Cow::Borrowed(&rule.id),
        severity: if is_dependency {
            severity.min(Severity::Low)
        } else {
            severity
        },
        certainty: rule.certainty,
        path: path.to_vec(),
        line: None,
        found: whole.said,
        original: before.map(|file| format!("{} bytes", file.len)),
    })
}

/// A rule and how bad its sign is, the worst first.
type Weight = (&'static str, std::cmp::Reverse<Severity>);

/// Reads one text and weighs what is found.
struct Judge<'a> {
    original: &'a Original,
    context: &'a Context<'a>,
    path: &'a [u8],
    text: &'a Text<'a>,
    /// The same file of the original.
    before: Option<&'a Text<'a>>,
    seen: HashSet<u128>,
    /// By rule and severity, worst first: the first few, and how many there are.
    signs: BTreeMap<Weight, (Vec<Thing>, usize)>,
}

impl Judge<'_> {
    fn read(&mut self) {
        for thing in places::of(self.text, self.before) {
            self.take(thing);
        }
        for thing in lock::of(self.text, self.before) {
            self.take(thing);
        }
        for reader in READERS {
            reader(self.text, &mut |thing| self.take(thing));
        }
    }

    fn take(&mut self, mut thing: Thing) {
        if self.original.known.contains(&thing.key) {
            return;
        }
        if self.seen.len() < THINGS && !self.seen.insert(thing.key) {
            return;
        }
        if thing
            .sort
            .is_some_and(|sort| self.original.known.contains(&sort))
        {
            thing.when = "original-does";
        }
        self.weigh_names(&mut thing);
        let Some(rule) = TamperRules::builtin().get(thing.rule) else {
            return;
        };
        let mut severity = rule.severity_when(thing.when);
        if self.text.is_dependency {
            severity = severity.min(Severity::Low);
        }
        let (told, count) = self
            .signs
            .entry((&rule.id, std::cmp::Reverse(severity)))
            .or_default();
        *count += 1;
        if told.len() < PER_FILE {
            told.push(thing);
        }
    }

    /// What the names of dependencies and hosts say, given what else is known.
    fn weigh_names(&self, thing: &mut Thing) {
        let Some(name) = thing.name.as_deref() else {
            return;
        };
        let names = &self.original.names;
        let organisation = self.context.organisation;
        match thing.rule {
            "new-host" if organisation.is_some_and(|org| org.owns_host(name)) => thing.when = "own",
            "new-dependency" => {
                let lower = name.to_ascii_lowercase();
                let is_paid = |word: &String| {
                    lower
                        .split(['/', '-', '_', '@', '.'])
                        .any(|part| part == word)
                };
                let shown = || shown::safe(name.as_bytes());
                if organisation.is_some_and(|org| org.owns_package(name)) {
                    thing.rule = "internal-dependency";
                    thing.when = "";
                } else if names.own.contains(&lower) {
                    thing.when = "own-name";
                } else if let Some(near) = names.near(name) {
                    thing.said = Some(format!(
                        "{}: one edit from {}",
                        shown(),
                        shown::safe(near.as_bytes())
                    ));
                    thing.when = "near-name";
                } else if rules::parameter("new-dependency", "payments")
                    .iter()
                    .any(is_paid)
                {
                    thing.when = "payment";
                }
            }
            _ => {}
        }
    }

    /// What is told of the file, the worst first, and how many more there are.
    fn told(self) -> Vec<Found> {
        let mut left: BTreeMap<&'static str, (usize, usize)> = BTreeMap::new();
        let mut signs: Vec<Found> = Vec::new();
        for ((rule, severity), (things, count)) in &self.signs {
            let (told, more) = left.entry(rule).or_default();
            let room = PER_FILE.saturating_sub(*told).min(things.len());
            *told += room;
            *more += count - room;
            signs.extend(
                things
                    .iter()
                    .take(room)
                    .filter_map(|thing| self.sign(thing, rule, severity.0)),
            );
        }
        for (rule, (_, more)) in left.into_iter().filter(|(_, (_, more))| *more > 0) {
            if let Some(last) = signs.iter_mut().rfind(|sign| sign.rule == rule) {
                last.found = format!("{} (and {more} more of this rule in this file)", last.found);
            }
        }
        signs
    }

    fn sign(&self, thing: &Thing, rule: &'static str, severity: Severity) -> Option<Found> {
        let of_rule = TamperRules::builtin().get(rule)?;
        let is_by_name = matches!(rule, "new-dependency" | "internal-dependency");
        let at = match (&thing.name, thing.span.start >= self.text.bytes.len()) {
            (Some(name), true) if is_by_name => depends::place(self.text, name),
            _ => thing.span.start,
        };
        let was = thing.name.as_ref().filter(|_| rule == "install-script");
        let was = was.and_then(|name| install::was(self.before?.bytes, name));
        let found = match &thing.said {
            Some(said) => shown::shortened(said),
            None => shown::excerpt(self.text, &thing.span),
        };
        Some(Found {
            rule: Cow::Borrowed(rule),
            severity,
            certainty: thing.certainty.unwrap_or(of_rule.certainty),
            path: self.path.to_vec(),
            line: (thing.when != "added").then(|| self.text.line_number(at)),
            found,
            original: was,
        })
    }
}

/// Dates before the leak: a copy cannot be older than what it was made of.
fn early(context: &Context) -> Option<Found> {
    let ((first, basis), leaked) = (context.first?, context.leaked?);
    let time = |text: &str| humantime::parse_rfc3339_weak(text).ok();
    let (date, leak) = (time(first)?, time(leaked)?);
    // Packers write fixed dates: zip begins in 1980, npm writes 1985, and no clock at all gives 1970.
    let fixed = time("1990-01-01 00:00:00")?;
    if date >= leak || date < fixed {
        return None;
    }
    let rule = TamperRules::builtin().get("dated-before-leak")?;
    Some(Found {
        rule: Cow::Borrowed(&rule.id),
        severity: rule.severity_when(basis),
        certainty: rule.certainty,
        path: Vec::new(),
        line: None,
        found: format!(
            "first dated {} by {}",
            shown::safe(first.as_bytes()),
            shown::safe(basis.as_bytes())
        ),
        original: Some(format!("public since {}", shown::safe(leaked.as_bytes()))),
    })
}

#[cfg(test)]
mod tests;
