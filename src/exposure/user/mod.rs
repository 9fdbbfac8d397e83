//! The user's own rules: those of gitleaks, Kingfisher and Nosey Parker, run as they are.
//!
//! Teams have rule files, with their own tokens in them, that other programs run over their sources. Given with `--rules` they
//! run over everything that is read here: what stood in an archive in an archive, or in the source that a map gives back.
//! [`read`] says which parts of them are not honoured, [`dialect`] how their expressions become ours.
//!
//! **One pass for all, windows for each.** Each expression is asked once what all its matches must hold (`required`). These
//! literals are looked for together, and an expression is tried where one of its own stands, in the stretch that a
//! match round it can take, and nowhere else; stretches that overlap are one. What stands before and behind a stretch is
//! seen by `\b` and `$`. An expression without such literals is tried where the text has a run of bytes as all its matches
//! hold one (`runs`), and one that demands nothing of that sort on the whole text, if one of its keywords is in it.
//! So the windows lose nothing, with one exception: where an expression has no bound, a stretch ends [`FAR`] bytes behind
//! the literal, or [`FAR_OVER_LINES`] where it runs on over lines as those for keys do, and begins [`FAR`] before it.
//!
//! What may be shown of a find is little, since nobody here knows what the rule is about: the last four characters of a
//! long one, and the length of a short one.
//!
//! As own rules, they run on the text as it is and on what hides in it: escapes undone, literals put together, Base64, UTF-16.
//!
//! Left out: rules that know of paths, and anything that needs more than the text.

pub mod dialect;
pub mod read;
mod required;
mod runs;
mod search;

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex_automata::{Anchored, Input, meta};

use super::secrets::{SecretFact, Written, written};
use super::windows::View;
use super::{CaseKey, Role};
use crate::record::Severity;
use read::{Allow, FileRule, Needs, Target};
pub use search::Search;

/// How far a match without a bound is followed from its literal; bytes.
pub const FAR: usize = 4 << 10;

/// How far one that runs over lines is; bytes.
pub const FAR_OVER_LINES: usize = 64 << 10;

/// Finds of one rule in one content that are told; the last of them says that there are more.
const FINDS_MAX: usize = 1000;

/// Secrets of this many bytes show their last four.
const SHOWN_FROM: usize = 20;

/// Bytes that are shown of them.
const SHOWN: usize = 4;

/// Least keywords and literals for which a table is built that takes one step a byte.
const DFA_MAX: usize = 20_000;

/// Why rules could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserRuleError {
    /// An expression that cannot be run.
    #[error("rule `{id}`: {message}")]
    Regex {
        /// The rule.
        id: String,
        /// What the compiler says.
        message: String,
    },
    /// The expression has no such group.
    #[error("rule `{id}`: its expression has no group {group}")]
    NoGroup {
        /// The rule.
        id: String,
        /// The group.
        group: usize,
    },
    /// The literals of all rules together.
    #[error("the rules hold too many words to be looked for together: {0}")]
    Words(String),
}

/// Rules that are ready to be run.
#[derive(Debug, Clone)]
pub struct UserRules {
    rules: Vec<Rule>,
    /// All words, without regard to case.
    words: AhoCorasick,
    /// Of each word, whose it is.
    uses: Vec<Vec<Use>>,
    /// A rule has no words round which it is tried.
    has_free: bool,
    digest: [u8; 32],
}

/// What a word is to a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// A match may stand round it.
    Anchor(u32),
    /// It may be tried.
    Keyword(u32),
}

#[derive(Debug, Clone)]
struct Rule {
    id: String,
    title: String,
    regex: meta::Regex,
    group: Option<usize>,
    entropy: f64,
    /// It is tried only where one of its keywords was found.
    is_gated: bool,
    /// It is tried in stretches only.
    reach: Option<Reach>,
    /// Round these, where no literal says so.
    run: Option<runs::Run>,
    allow: Vec<CompiledAllow>,
    needs: Needs,
    severity: Severity,
}

/// How far a match reaches from its literal.
#[derive(Debug, Clone, Copy)]
struct Reach {
    before: usize,
    behind: usize,
}

#[derive(Debug, Clone)]
struct CompiledAllow {
    all: bool,
    target: Target,
    patterns: Vec<meta::Regex>,
    words: Option<AhoCorasick>,
}

/// A find, before it is told.
struct Find {
    rule: usize,
    at: usize,
    bytes: usize,
    more: bool,
}

/// One in a part that is written otherwise, and how.
struct Hidden {
    find: Find,
    /// A keyword of the rule stands in the part.
    is_open: bool,
    how: Written,
    redacted: String,
    fingerprint: Option<[u8; 16]>,
}

impl UserRules {
    /// Makes rules of files ready.
    ///
    /// # Errors
    /// When an expression cannot be run.
    pub fn new(files: &[FileRule]) -> Result<Self, UserRuleError> {
        let mut words: BTreeMap<Vec<u8>, Vec<Use>> = BTreeMap::new();
        let (mut rules, mut has_free) = (Vec::with_capacity(files.len()), false);
        for (file, number) in files.iter().zip(0_u32..) {
            let (rule, anchors) = compiled(file)?;
            has_free |= anchors.is_empty();
            if rule.is_gated {
                for word in &file.keywords {
                    let uses = words.entry(word.as_bytes().to_vec()).or_default();
                    uses.push(Use::Keyword(number));
                }
            }
            for word in anchors {
                words.entry(word).or_default().push(Use::Anchor(number));
            }
            rules.push(rule);
        }
        let (words, uses): (Vec<Vec<u8>>, Vec<Vec<Use>>) = words.into_iter().unzip();
        let kind = (words.len() <= DFA_MAX).then_some(AhoCorasickKind::DFA);
        let words = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(kind)
            .build(&words)
            .map_err(|error| UserRuleError::Words(error.to_string()))?;
        Ok(Self {
            has_free,
            rules,
            words,
            uses,
            digest: *blake3::hash(format!("{files:?}").as_bytes()).as_bytes(),
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// BLAKE3 of all that they say.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// Ids of the rules, in order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.id.as_str())
    }

    /// What the rules find in a text, in the order in which it stands: in the text as it is, and in the parts of it that hide
    /// something as they are written.
    pub fn facts(&self, bytes: &[u8], role: Role, case_key: Option<&CaseKey>) -> Vec<SecretFact> {
        let mut search = Search::default();
        let Some(wide) = written::utf16(bytes) else {
            search.look(self, &View::whole(bytes, role), case_key);
            return search.finish(self);
        };
        // Lines and columns are those of the text, as an editor shows it.
        search.look(self, &View::whole(&wide, role), case_key);
        let mut facts = search.finish(self);
        for fact in &mut facts {
            fact.written.get_or_insert(Written::Utf16);
        }
        facts
    }

    /// Whether anything may be found in so little text.
    fn may_find_in(&self, part: &[u8]) -> bool {
        self.has_free || self.words.is_match(part)
    }

    /// The rules that may be tried although no keyword of theirs was found yet.
    fn gates(&self) -> Vec<bool> {
        self.rules.iter().map(|rule| !rule.is_gated).collect()
    }

    /// Adds what stands in bytes as they are. Keywords that are found open their rules in `has_keyword`; where `is_open`, the
    /// others are tried too.
    fn finds(&self, bytes: &[u8], has_keyword: &mut [bool], is_open: bool) -> Vec<Find> {
        let mut windows: Vec<Vec<(usize, usize)>> = vec![Vec::new(); self.rules.len()];
        for found in self.words.find_overlapping_iter(bytes) {
            for one in self
                .uses
                .get(found.pattern().as_usize())
                .into_iter()
                .flatten()
            {
                match one {
                    Use::Keyword(rule) => {
                        if let Some(has) = has_keyword.get_mut(*rule as usize) {
                            *has = true;
                        }
                    }
                    Use::Anchor(rule) => {
                        let (Some(windows), Some(reach)) = (
                            windows.get_mut(*rule as usize),
                            self.rules.get(*rule as usize).and_then(|rule| rule.reach),
                        ) else {
                            continue;
                        };
                        reach.add_to(windows, found.start(), found.start(), bytes.len());
                    }
                }
            }
        }
        let mut finds = Vec::new();
        for (number, rule) in self.rules.iter().enumerate() {
            if !is_open && !has_keyword.get(number).copied().unwrap_or(false) {
                continue;
            }
            if let (Some(run), Some(reach), Some(windows)) =
                (&rule.run, rule.reach, windows.get_mut(number))
            {
                run.find(bytes, |first, last| {
                    reach.add_to(windows, first, last, bytes.len());
                });
            }
            let before = finds.len();
            match rule.reach {
                None => rule.search(number, bytes, (0, bytes.len()), &mut finds, before),
                Some(_) => {
                    for &window in windows.get(number).into_iter().flatten() {
                        rule.search(number, bytes, window, &mut finds, before);
                    }
                }
            }
        }
        finds
    }
}

impl Reach {
    /// Adds the stretch of a text of `len` bytes in which matches lie whose literals or runs begin from `first` to `last`.
    fn add_to(self, windows: &mut Vec<(usize, usize)>, first: usize, last: usize, len: usize) {
        let from = first.saturating_sub(self.before);
        let to = last.saturating_add(self.behind).min(len);
        match windows.last_mut() {
            Some((before, until)) if from <= *until => {
                *before = from.min(*before);
                *until = to.max(*until);
            }
            _ => windows.push((from, to)),
        }
    }
}

impl Rule {
    /// Adds what is found in a window.
    fn search(
        &self,
        number: usize,
        bytes: &[u8],
        (from, to): (usize, usize),
        finds: &mut Vec<Find>,
        before: usize,
    ) {
        let mut captures = self.regex.create_captures();
        let mut at = from;
        while at <= to {
            let Some(found) = self.regex.find(Input::new(bytes).range(at..to)) else {
                return;
            };
            // One that takes nothing is none, and must not be found for ever.
            at = found.end().max(found.start() + 1);
            if found.is_empty() {
                continue;
            }
            let input = Input::new(bytes)
                .range(found.range())
                .anchored(Anchored::Yes);
            self.regex.search_captures(&input, &mut captures);
            let secret = self.secret_of(&captures).unwrap_or(found.range());
            let Some(value) = bytes.get(secret.clone()) else {
                continue;
            };
            if value.is_empty() || !self.is_meant(bytes, found.range(), value) {
                continue;
            }
            if finds.len() - before >= FINDS_MAX {
                if let Some(last) = finds.last_mut() {
                    last.more = true;
                }
                return;
            }
            finds.push(Find {
                rule: number,
                at: secret.start,
                bytes: secret.len(),
                more: false,
            });
        }
    }

    /// Which part of a match is the secret: the group that the rule names, one that is called so, or the first that took
    /// part.
    fn secret_of(
        &self,
        captures: &regex_automata::util::captures::Captures,
    ) -> Option<std::ops::Range<usize>> {
        if let Some(group) = self.group {
            return captures.get_group(group).map(|span| span.range());
        }
        if let Some(named) = captures.get_group_by_name("TOKEN") {
            return Some(named.range());
        }
        let mut groups = (1..captures.group_len()).filter_map(|group| captures.get_group(group));
        groups
            .find(|span| !span.is_empty())
            .map(|span| span.range())
    }

    fn is_meant(&self, bytes: &[u8], found: std::ops::Range<usize>, value: &[u8]) -> bool {
        if self.entropy > 0.0 && entropy(value) <= self.entropy {
            return false;
        }
        if !meets(&self.needs, value) {
            return false;
        }
        let is_allowed = |allow: &CompiledAllow| {
            let target = match allow.target {
                Target::Secret => value,
                Target::Match => bytes.get(found.clone()).unwrap_or_default(),
                Target::Line => lines_round(bytes, found.clone()),
            };
            let by_pattern = || {
                allow
                    .patterns
                    .iter()
                    .any(|pattern| pattern.is_match(target))
            };
            let by_word = || {
                allow
                    .words
                    .as_ref()
                    .is_some_and(|words| words.is_match(value))
            };
            match (allow.all, allow.patterns.is_empty(), &allow.words) {
                (true, false, Some(_)) => by_pattern() && by_word(),
                _ => by_pattern() || by_word(),
            }
        };
        !self.allow.iter().any(is_allowed)
    }
}

/// A rule, and the words round which it is tried.
fn compiled(file: &FileRule) -> Result<(Rule, Vec<Vec<u8>>), UserRuleError> {
    let failed = |message: String| UserRuleError::Regex {
        id: file.id.clone(),
        message,
    };
    let expression = dialect::compile(&file.pattern, file.dialect).map_err(failed)?;
    if let Some(group) = file.group.filter(|group| {
        *group
            >= expression
                .regex
                .group_info()
                .group_len(regex_automata::PatternID::ZERO)
    }) {
        return Err(UserRuleError::NoGroup {
            id: file.id.clone(),
            group,
        });
    }
    let required = required::required(&expression.hir);
    let far = match required::runs_over_lines(&expression.hir) {
        true => FAR_OVER_LINES,
        false => FAR,
    };
    let reach_of = |before: Option<usize>, behind: Option<usize>| Reach {
        before: before.unwrap_or(FAR).min(FAR_OVER_LINES),
        behind: behind.unwrap_or(far).min(FAR_OVER_LINES),
    };
    let run = match required {
        Some(_) => None,
        None => runs::run_of(&expression.hir),
    };
    let reach = match (&required, &run) {
        (Some(required), _) => Some(reach_of(required.before, required.behind)),
        (None, Some(run)) => Some(reach_of(run.before, run.behind)),
        (None, None) => None,
    };
    let anchors = required.map_or(Vec::new(), |required| required.literals);
    // Where each anchor holds a keyword, finding the one is finding the other.
    let holds_one = |anchor: &Vec<u8>| {
        let holds = |word: &String| memchr::memmem::find(anchor, word.as_bytes()).is_some();
        file.keywords.iter().any(holds)
    };
    let is_implied = !anchors.is_empty() && anchors.iter().all(holds_one);
    let allow = file.allow.iter().map(|allow| compiled_allow(allow, file));
    let rule = Rule {
        id: crate::blob::locator::shown(&file.id),
        title: crate::blob::locator::shown(&file.title),
        regex: expression.regex,
        group: file.group,
        entropy: file.entropy,
        is_gated: !file.keywords.is_empty() && !is_implied,
        reach,
        run,
        allow: allow.collect::<Result<_, _>>()?,
        needs: file.needs.clone(),
        severity: file.severity,
    };
    Ok((rule, anchors))
}

fn compiled_allow(allow: &Allow, file: &FileRule) -> Result<CompiledAllow, UserRuleError> {
    let failed = |message: String| UserRuleError::Regex {
        id: file.id.clone(),
        message: format!("its allow-list: {message}"),
    };
    let compile = |pattern: &String| {
        let compiled = dialect::compile(pattern, file.dialect);
        compiled.map(|compiled| compiled.regex).map_err(failed)
    };
    let words = (!allow.words.is_empty()).then(|| {
        AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(&allow.words)
            .map_err(|error| failed(error.to_string()))
    });
    Ok(CompiledAllow {
        all: allow.all,
        target: allow.target,
        patterns: allow
            .patterns
            .iter()
            .map(compile)
            .collect::<Result<_, _>>()?,
        words: words.transpose()?,
    })
}

/// Whether a value holds what it must.
fn meets(needs: &Needs, value: &[u8]) -> bool {
    let count = |is: &dyn Fn(&u8) -> bool| value.iter().filter(|byte| is(byte)).count();
    let is_mark = |byte: &u8| match needs.which_marks.is_empty() {
        true => byte.is_ascii_punctuation(),
        false => needs.which_marks.as_bytes().contains(byte),
    };
    if count(&u8::is_ascii_digit) < needs.digits
        || count(&u8::is_ascii_uppercase) < needs.upper
        || count(&u8::is_ascii_lowercase) < needs.lower
        || count(&is_mark) < needs.marks
    {
        return false;
    }
    let lower = value.to_ascii_lowercase();
    let holds = |word: &String| memchr::memmem::find(&lower, word.as_bytes()).is_some();
    !needs.without.iter().any(holds)
}

/// The lines that a range stands on; of very long ones what is near.
fn lines_round(bytes: &[u8], range: std::ops::Range<usize>) -> &[u8] {
    let from = range.start.saturating_sub(FAR);
    let to = range.end.saturating_add(FAR).min(bytes.len());
    let before = bytes.get(from..range.start).unwrap_or_default();
    let behind = bytes.get(range.end..to).unwrap_or_default();
    let from = from + memchr::memrchr(b'\n', before).map_or(0, |feed| feed + 1);
    let to = range.end + memchr::memchr(b'\n', behind).unwrap_or(behind.len());
    bytes.get(from..to).unwrap_or_default()
}

/// Shannon entropy, in bits a byte.
fn entropy(value: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for &byte in value {
        counts[usize::from(byte)] += 1;
    }
    let total = value.len() as f64;
    let each = counts.iter().filter(|count| **count > 0);
    each.map(|&count| {
        let share = f64::from(count) / total;
        -share * share.log2()
    })
    .sum()
}

/// What may be shown of a value of which nothing is known.
fn redacted(value: &[u8]) -> String {
    let end = value
        .len()
        .checked_sub(SHOWN)
        .filter(|_| value.len() >= SHOWN_FROM);
    let end = end.and_then(|from| value.get(from..));
    match end.filter(|end| end.iter().all(u8::is_ascii_graphic)) {
        Some(end) => format!("…{}", String::from_utf8_lossy(end)),
        None => format!("{} bytes", value.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposure::known::testing::made;

    fn rules(toml: &str) -> UserRules {
        UserRules::new(&read::read(toml.as_bytes()).unwrap().rules).unwrap()
    }

    fn told(rules: &UserRules, text: &str) -> Vec<(String, u64, u64, u64)> {
        let facts = rules.facts(text.as_bytes(), Role::Bulk, None).into_iter();
        facts
            .map(|fact| (fact.rule, fact.line, fact.column, fact.length))
            .collect()
    }

    #[test]
    fn a_find_is_told_with_its_place_and_little_else() {
        let rules = rules(
            "[[rules]]\nid='acme'\nregex='''acme_([A-Za-z0-9]{32})\\b'''\nkeywords=['acme']\n",
        );
        let value = made("user");
        let text = format!("x\n  k = 'ACME_{value} acme_{value}'\n");
        assert_eq!(told(&rules, &text), [("acme".to_owned(), 2, 51, 32)]);
        let facts = rules.facts(text.as_bytes(), Role::Bulk, None);
        assert_eq!(facts[0].redacted, format!("…{}", &value[28..]));
        assert!(!format!("{facts:?}").contains(&value));
    }

    #[test]
    fn windows_find_what_the_whole_text_gives() {
        // Unlike the whole text, a window begins in the middle of a word and ends in one.
        let rules = rules(
            "[[rules]]\nid='a'\nregex='''(?i)\\b[a-z0-9]{0,8}token['\"= ]{1,4}([a-f0-9]{8})\\b'''\n\
             [[rules]]\nid='b'\nregex='''^key=([0-9]{3,})$'''\n\
             [[rules]]\nid='c'\nregex='''(?m)^key=([0-9]{3,})$'''\n",
        );
        let text =
            "myTOKEN = 'abcdef01' xxxxxxxxxtoken=abcdef01 token=abcdef01f\nkey=123456\nxkey=1";
        let want = [("a".to_owned(), 1, 12, 8), ("c".to_owned(), 2, 5, 6)];
        assert_eq!(told(&rules, text), want);
    }

    #[test]
    fn entropy_groups_and_allow_lists_are_honoured() {
        let rules = rules(
            "[[rules]]\nid='a'\nregex='''(user|app)_token:(\\w+)'''\nsecretGroup=2\nentropy=2.0\nkeywords=['token']\n\
             [[rules.allowlists]]\nstopwords=['example']\n\
             [[rules.allowlists]]\nregexTarget='line'\nregexes=['''# fine''']\n\
             [[rules.allowlists]]\ncondition='AND'\nregexes=['''^q''']\nstopwords=['zz']\n",
        );
        let text = "user_token:abcdefgh\nuser_token:aaaaaaaa\napp_token:anExampleOne\nuser_token:abcdefgi # fine\n\
                    user_token:qwertyui\nuser_token:qwertyzz\n";
        let want = [("a".to_owned(), 1, 12, 8), ("a".to_owned(), 5, 12, 8)];
        assert_eq!(told(&rules, text), want);
    }

    #[test]
    fn a_keyword_that_is_not_there_shuts_a_rule() {
        let rules = rules("[[rules]]\nid='a'\nregex='''[0-9a-f]{12}'''\nkeywords=['acme']\n");
        assert_eq!(told(&rules, "0123456789ab"), []);
        assert_eq!(told(&rules, "0123456789ab of Acme").len(), 1);
    }

    #[test]
    fn finds_without_end_are_bounded() {
        let rules =
            rules("[[rules]]\nid='a'\nregex='''tok[0-9]'''\n[[rules]]\nid='b'\nregex='''x*'''\n");
        let facts = rules.facts("tok1 ".repeat(5000).as_bytes(), Role::Bulk, None);
        assert_eq!(facts.len(), FINDS_MAX);
        let last = facts.last().unwrap().detail.as_deref();
        assert!(last.is_some_and(|said| said.contains("more than")));
    }
}
