//! Credentials in a text: where the words of the rules stand, and whether a rule holds there.
//!
//! The text is read as it is, and then in those parts that hide something as they are written ([`super::written`]): with
//! escapes undone, put together from parts, out of Base64 or UTF-16. What is found in such a part is told where it begins
//! in the text itself, and once, however many ways lead to it. A value that two rules name is told by the one that could
//! check more, then by the longer.
//!
//! An id and its secret that stand within ten lines of each other are worth more than each alone: both say so, and are
//! raised.
//!
//! Each attempt of a rule is bounded by [`REACH_BYTES`], and a rule that fails again and again within one word is not tried
//! there further, so that the time is linear in the text whatever it holds.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::LazyLock;

use super::super::values::{entropy, is_placeholder};
use super::super::words::Words;
use super::checks::{Place, Verdict};
use super::known;
use super::rule::{Compiled, REACH_BYTES, Redact, RuleSet};
use super::show;
use super::written::{self, Part};
use super::{Check, Found, Hidden, SecretFact, Tier, Written, generic};
use crate::exposure::inspect::Role;
use crate::exposure::rules::Rules;
use crate::exposure::windows::View;
use crate::record::Severity;

/// Lines within which two halves of a credential belong together.
const PAIR_LINES: u64 = 10;

/// A rule that failed so often within one run of letters, digits, `_` and `-` is not tried there again.
const MISSES_MAX: usize = 16;

/// A value that is longer is not compared with words for people; bytes.
const PLACEHOLDER_MAX_BYTES: usize = 200;

/// Credentials of one rule in one text that are told; the last of them says that there are more. Of each rule by itself:
/// a list of ids that somebody made hides no key.
const RULE_FOUND_MAX: usize = 1_000;

/// The words of all rules, and which rule each belongs to.
pub(super) struct Anchors {
    words: Words,
    rules: Vec<usize>,
}

/// Those of our own rules.
pub(super) fn anchors() -> &'static Anchors {
    static ANCHORS: LazyLock<Anchors> = LazyLock::new(|| {
        let (mut words, mut rules) = (Vec::new(), Vec::new());
        for (number, one) in RuleSet::builtin().iter().enumerate() {
            if one.rule.tier == Tier::Generic {
                continue;
            }
            for literal in &one.rule.literals {
                words.push(literal.as_bytes());
                rules.push(number);
            }
        }
        Anchors {
            words: Words::new(&words),
            rules,
        }
    });
    &ANCHORS
}

/// A credential as it was found in some text.
#[derive(Debug)]
pub(super) struct Raw {
    /// Where it stands in that text.
    pub span: Range<usize>,
    pub id: &'static str,
    pub tier: Tier,
    pub severity: Severity,
    pub check: Check,
    pub redacted: String,
    pub detail: Option<String>,
    pub value: Hidden,
}

/// What is found in a text as it is, by the specific rules.
pub(super) fn plain(text: &[u8], mut take: impl FnMut(Raw)) {
    let rules = RuleSet::builtin();
    let anchors = anchors();
    let mut misses = Misses::default();
    // For each rule, where the last that it found stands. The words are looked for in several passes, so that what comes
    // behind it may lie before it.
    let mut found: BTreeMap<usize, Range<usize>> = BTreeMap::new();
    anchors.words.find(text, |word, at| {
        let Some((number, one)) = anchors
            .rules
            .get(word)
            .and_then(|&number| Some((number, rules.at(number)?)))
        else {
            return;
        };
        if misses.are_enough(number, at)
            || found.get(&number).is_some_and(|span| span.contains(&at))
        {
            return;
        }
        match attempt(text, at, one) {
            Some(raw) => {
                // Of one that nothing is checked of, what begins within it is a part of it.
                if one.rule.validators.is_empty() {
                    found.insert(number, at..raw.span.end);
                }
                take(raw);
            }
            None => misses.add(text, number, at),
        }
    });
}

/// Attempts of rules that failed within one run of letters, digits, `_` and `-`.
#[derive(Debug, Default)]
struct Misses(BTreeMap<usize, Missed>);

#[derive(Debug)]
struct Missed {
    run: Range<usize>,
    count: usize,
}

impl Misses {
    /// Whether a rule failed so often in the run that goes on at `at` that it is not tried there again.
    fn are_enough(&self, rule: usize, at: usize) -> bool {
        let missed = self.0.get(&rule);
        missed.is_some_and(|missed| missed.run.contains(&at) && missed.count >= MISSES_MAX)
    }

    fn add(&mut self, text: &[u8], rule: usize, at: usize) {
        let missed = self.0.entry(rule).or_insert(Missed {
            run: 0..0,
            count: 0,
        });
        if missed.run.contains(&at) {
            missed.count += 1;
            return;
        }
        let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let run = text[at..].iter().take_while(is_part).count();
        *missed = Missed {
            run: at..at + run,
            count: 1,
        };
    }
}

/// Tries a rule where one of its literals stands.
pub(super) fn attempt(text: &[u8], at: usize, one: &'static Compiled) -> Option<Raw> {
    let rule = &one.rule;
    if !rule.inside && !may_begin(text, at) {
        return None;
    }
    let reach = text.get(at..text.len().min(at + REACH_BYTES))?;
    let captures = one.regex.captures(reach)?;
    let whole = captures.get(0)?;
    // A rule may have its secret in one of several groups.
    let group = captures
        .get(rule.group)
        .or_else(|| (1..captures.len()).find_map(|group| captures.get(group)))?;
    let place = Place {
        text,
        whole: at + whole.start()..at + whole.end(),
        value: at + group.start()..at + group.end(),
    };
    if !rule.open && goes_on(text, place.value.end) {
        return None;
    }
    let mut verdict: Option<Verdict> = None;
    for validator in &rule.validators {
        verdict = Some(validator.run(&place)?);
    }
    let span = verdict
        .as_ref()
        .and_then(|verdict| verdict.span.clone())
        .unwrap_or(place.value.clone());
    let value = text.get(span.clone())?;
    if is_none_of(value, one) {
        return None;
    }
    let verdict = verdict.unwrap_or(Verdict::unchecked());
    let known = known::development_key(value);
    let redacted = verdict
        .shown
        .clone()
        .unwrap_or_else(|| show::redacted(value, rule.prefix, rule.redact));
    Some(Raw {
        span,
        id: &rule.id,
        tier: rule.tier,
        severity: match known {
            Some(_) => Severity::Info,
            None => verdict.severity.unwrap_or(rule.severity),
        },
        check: verdict.check,
        redacted,
        detail: known.map(str::to_owned).or(verdict.detail),
        value: Hidden::new(value),
    })
}

/// Whether a credential may begin here: no letter or digit stands before, but as the end of an escape (`\n`, `\x3d`,
/// `\u003d`, `%3D`).
fn may_begin(text: &[u8], at: usize) -> bool {
    let before = text.get(at.saturating_sub(6)..at).unwrap_or_default();
    let hex = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_hexdigit);
    match before {
        [] => true,
        [.., last] if !last.is_ascii_alphanumeric() => true,
        [.., b'\\', b'n' | b'r' | b't' | b'b' | b'f' | b'v' | b'0'] => true,
        [.., b'%', a, b] if hex(&[*a, *b]) => true,
        [.., b'\\', b'x', a, b] if hex(&[*a, *b]) => true,
        [b'\\', b'u', digits @ ..] if digits.len() == 4 && hex(digits) => true,
        _ => false,
    }
}

/// Whether the same word goes on behind a match.
fn goes_on(text: &[u8], end: usize) -> bool {
    text.get(end)
        .is_some_and(|&byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether a value is nobody's: too regular, a word for people, or one that the rule excepts.
fn is_none_of(value: &[u8], one: &Compiled) -> bool {
    let rule = &one.rule;
    let body = value.get(rule.prefix..).unwrap_or(value);
    if rule.entropy > 0.0 && entropy(body) < rule.entropy {
        return true;
    }
    let is_word = rule.placeholders
        && body.len() <= PLACEHOLDER_MAX_BYTES
        && std::str::from_utf8(body)
            .is_ok_and(|body| is_placeholder(body, Rules::builtin().words()));
    is_word || one.allow.iter().any(|allow| allow.is_match(value))
}

/// The credentials in a text with their bytes, in the order in which they stand.
pub fn find(bytes: &[u8], role: Role) -> Vec<Found> {
    let mut search = Search::default();
    if let Some(wide) = written::utf16(bytes) {
        // Lines and columns are those of the text, as an editor shows it.
        search.look(&View::whole(&wide, role));
        let mut found = search.finish();
        for one in &mut found {
            one.fact.written.get_or_insert(Written::Utf16);
        }
        return found;
    }
    search.look(&View::whole(bytes, role));
    search.finish()
}

/// Calls `take` with every stretch of a text that is secret, as it is written there; they come in no order and may overlap.
/// What of a credential says only whose kind it is stays out. Nothing is left out for being one too many: who masks a text
/// with this must not leave the thousand and first in it.
pub(in crate::exposure) fn stretches(text: &[u8], mut take: impl FnMut(Range<usize>)) {
    plain(text, |raw| take(secret_part(&raw)));
    generic::find(text, |raw| take(secret_part(&raw)));
    written::parts_in(&View::whole(text, Role::Own), |part| {
        plain(&part.text, |raw| part.stretches_of(raw.span, &mut take));
    });
}

/// What of a credential may not be shown, where it stands plainly.
fn secret_part(raw: &Raw) -> Range<usize> {
    let Some(one) = RuleSet::builtin().get(raw.id) else {
        return raw.span.clone();
    };
    let shown = match one.rule.redact {
        Redact::Whole => raw.span.len(),
        Redact::Ends => one.rule.prefix.min(raw.span.len()),
        Redact::Length | Redact::Url | Redact::Parsed => 0,
    };
    raw.span.start + shown..raw.span.end
}

/// A search through a text, whole or view by view.
#[derive(Debug, Default)]
pub struct Search {
    found: Vec<Found>,
    /// How many of each rule were taken.
    places: HashMap<String, usize>,
    /// Rules of which there are more than are told.
    cut: BTreeSet<String>,
}

impl Search {
    /// Takes what begins in the view's own part.
    pub fn look(&mut self, view: &View) {
        let (found, cut) = find_in(view);
        self.cut.extend(cut.into_iter().map(str::to_owned));
        for one in found {
            let places = self.places.entry(one.fact.rule.clone()).or_default();
            *places += 1;
            if *places > RULE_FOUND_MAX {
                self.cut.insert(one.fact.rule);
                continue;
            }
            self.found.push(one);
        }
    }

    /// What was found, in order, with what stands together.
    pub fn finish(mut self) -> Vec<Found> {
        pair(&mut self.found);
        (self.found).sort_by(|a, b| (a.at, &a.fact.rule).cmp(&(b.at, &b.fact.rule)));
        for rule in self.cut {
            if let Some(last) = self.found.iter_mut().rfind(|one| one.fact.rule == rule) {
                let more = format!(
                    "more than {RULE_FOUND_MAX} of this rule in this content; the rest is not told"
                );
                add_detail(&mut last.fact.detail, more);
            }
        }
        self.found
    }
}

/// What begins in a view's own part, and the rules that found more than is kept.
fn find_in(view: &View) -> (Vec<Found>, BTreeSet<&'static str>) {
    let (bytes, role) = (view.bytes, view.role);
    let mut all: Vec<(Raw, usize, Option<Written>)> = Vec::new();
    let mut places: HashMap<&'static str, BTreeSet<usize>> = HashMap::new();
    let mut cut: BTreeSet<&'static str> = BTreeSet::new();
    let mut take = |raw: Raw, at: usize, how: Option<Written>| {
        let places = places.entry(raw.id).or_default();
        let is_new = !places.contains(&at);
        if is_new && places.len() >= RULE_FOUND_MAX {
            cut.insert(raw.id);
            return;
        }
        places.insert(at);
        all.push((raw, at, how));
    };
    plain(bytes, |raw| {
        let at = raw.span.start;
        take(raw, at, None);
    });
    written::parts_in(view, |part: &Part| {
        plain(&part.text, |raw| {
            let at = part.place_of(raw.span.start);
            take(raw, at, Some(part.how));
        });
    });
    if role == Role::Own {
        generic::find(bytes, |raw| {
            let at = raw.span.start;
            take(raw, at, None);
        });
    }
    if all.is_empty() {
        return (Vec::new(), cut);
    }
    // What stands in the margins helps to choose, and is told with the view whose own it is.
    once_each(&mut all);
    all.retain(|(_, at, _)| view.owns(*at));
    (placed(view, all), cut)
}

fn add_detail(detail: &mut Option<String>, what: String) {
    *detail = Some(match detail.take() {
        Some(detail) => format!("{detail}, {what}"),
        None => what,
    });
}

/// Of several for one value at one place the best is kept; of those that overlap in the text as it is, too.
fn once_each(all: &mut Vec<(Raw, usize, Option<Written>)>) {
    let worth = |(raw, _, how): &(Raw, usize, Option<Written>)| {
        (
            raw.tier == Tier::Specific,
            raw.check,
            how.is_none(),
            raw.severity,
            raw.value.bytes().len(),
        )
    };
    // Stable: of equal ones the earlier rule stays.
    all.sort_by(|a, b| worth(b).cmp(&worth(a)).then(a.1.cmp(&b.1)));
    let mut kept: Vec<(Raw, usize, Option<Written>)> = Vec::new();
    // Where kept values lie, by their beginning; values do not nest deeply, so that a look at neighbours is enough.
    let mut places: BTreeMap<usize, usize> = BTreeMap::new();
    for one in all.drain(..) {
        let (start, end) = (one.1, one.1 + one.0.value.bytes().len());
        let before = places.range(..end).next_back();
        if before.is_some_and(|(_, &kept_end)| kept_end > start) {
            continue;
        }
        places.insert(start, end);
        kept.push(one);
    }
    *all = kept;
}

/// Gives each its line and column, and its place in the whole text.
pub(super) fn placed(view: &View, mut all: Vec<(Raw, usize, Option<Written>)>) -> Vec<Found> {
    all.sort_by_key(|(_, at, _)| *at);
    let mut lines = view.lines();
    let mut found = Vec::with_capacity(all.len());
    for (raw, at, how) in all {
        let at = at.min(view.bytes.len());
        let (line, column) = lines.at(at);
        found.push(Found {
            fact: SecretFact {
                rule: raw.id.to_owned(),
                tier: raw.tier,
                line,
                column,
                length: raw.value.bytes().len() as u64,
                redacted: raw.redacted,
                check: raw.check,
                severity: raw.severity,
                written: how,
                detail: raw.detail,
                fingerprint: None,
                of_settings: false,
                in_any_settings: false,
            },
            at: view.begins + at,
            value: raw.value,
        });
    }
    found
}

/// Raises ids and secrets that stand together.
fn pair(found: &mut [Found]) {
    let rules = RuleSet::builtin();
    // Lines of each rule, ascending.
    let mut lines: HashMap<String, Vec<u64>> = HashMap::new();
    for one in found.iter() {
        let fact = &one.fact;
        lines.entry(fact.rule.clone()).or_default().push(fact.line);
    }
    for one in found {
        let fact = &mut one.fact;
        let Some(other) = rules
            .get(&fact.rule)
            .and_then(|rule| rule.rule.pair.as_deref())
        else {
            continue;
        };
        let others = lines.get(other).map_or(&[][..], Vec::as_slice);
        let first = others.partition_point(|line| line + PAIR_LINES < fact.line);
        let first = others.get(first);
        let Some(line) = first.filter(|line| **line <= fact.line + PAIR_LINES) else {
            continue;
        };
        fact.severity = fact.severity.max(Severity::High);
        if fact.rule.contains("secret") {
            fact.severity = Severity::Critical;
        }
        let beside = format!("beside `{other}` of line {line}");
        add_detail(&mut fact.detail, beside);
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::expand;
    use super::*;

    fn text(template: &str, seed: usize) -> String {
        String::from_utf8(expand(template, &seed.to_string()).unwrap()).unwrap()
    }

    #[test]
    fn a_list_of_ids_hides_no_key() {
        let ids: Vec<String> = (0..RULE_FOUND_MAX + 200)
            .map(|seed| text("id = \"AKIA<<base32 16>>\"\n", seed))
            .collect();
        let key = text("aws_secret_access_key = <<base64 40>>\n", 7);
        let found = find((ids.concat() + &key).as_bytes(), Role::Own);
        let of = |rule: &str| {
            let found = found.iter().filter(|one| one.fact.rule == rule);
            found.collect::<Vec<_>>()
        };
        let ids = of("aws-access-key-id");
        assert_eq!(ids.len(), RULE_FOUND_MAX);
        let said = ids[RULE_FOUND_MAX - 1].fact.detail.as_deref().unwrap();
        assert!(said.contains("more than 1000 of this rule"), "{said}");
        assert!(
            !ids[0]
                .fact
                .detail
                .as_deref()
                .unwrap_or_default()
                .contains("more")
        );
        assert_eq!(of("aws-secret-access-key").len(), 1);
    }

    #[test]
    fn what_is_found_alone_is_found_among_others_of_its_rule() {
        let mut missed = Vec::new();
        let rules = RuleSet::builtin().iter().map(|one| &one.rule);
        // Of these nothing is checked, so that what lies within a find is not tried.
        let rules = rules.filter(|rule| rule.tier == Tier::Specific && rule.validators.is_empty());
        for rule in rules {
            let count = |text: &[u8]| {
                let found = find(text, Role::Bulk);
                found.iter().filter(|one| one.fact.rule == rule.id).count()
            };
            // Each literal in the place of the others, where the example is still one.
            let mut alone = Vec::new();
            for example in &rule.matches {
                let is_in = |literal: &&String| example.contains(literal.as_str());
                let Some(made) = rule.literals.iter().find(is_in) else {
                    continue;
                };
                for literal in &rule.literals {
                    let example = example.replacen(made.as_str(), literal, 1);
                    alone.extend(
                        expand(&example, literal)
                            .ok()
                            .filter(|text| count(text) == 1),
                    );
                }
            }
            let among = alone.join(&b"\n\n"[..]);
            if count(&among) < alone.len() {
                let told = format!("{}: {} of {}", rule.id, count(&among), alone.len());
                missed.push(told);
            }
        }
        assert_eq!(missed, Vec::<String>::new());
    }

    #[test]
    fn lines_without_an_end_take_linear_time() {
        for part in [
            "\n",
            " \n",
            "password:\"\",",
            "password:\"aB3dE5gH7jK9\",",
            "'\\\n",
        ] {
            // With a look back to the beginning of each line, minutes.
            let text = part.repeat((1 << 20) / part.len());
            find(text.as_bytes(), Role::Own);
        }
    }
}
