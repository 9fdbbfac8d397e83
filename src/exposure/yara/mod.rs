//! YARA rules of the user's own: signs of malware, as those who hunt it write them down.
//!
//! Copies of a leak carry malware, and whoever has met it before has rules for it. Given with `--yara` they run over each
//! content that is read, once: files, members of archives, sources out of maps, and what is a container itself. A rule
//! that matches becomes an exposure of a class of its own, `yara:FILE/RULE`, so that what counts by class (reports, `since`,
//! SARIF) counts by rule.
//!
//! **What is told of a match** is which rule it was, what its author says of it, and where its patterns stand: offsets and
//! lengths, and never the bytes, which may be a secret. All of it is bounded and escaped, since rule files come from
//! anywhere. A pattern is a hint and no proof: somebody has to look.
//!
//! **How bad it is** the rule may say itself, as `severity` in its `meta` with one of our five words; else it is `medium`.
//!
//! **Bounds.** Finds of one pattern are counted up to [`MATCHES_MAX`], rules of one content told up to [`RULES_MAX`]. A content
//! over which the rules take longer than they may is given up and is a `yara-timeout`. That is the one bound in this
//! program that a clock sets, for the engine has no other: whether it is hit may differ from machine to machine.
//!
//! The engine is YARA-X, which not every build should carry: it compiles rules to machine code. `engine` holds it, behind the
//! feature `yara`; without that there is a [`YaraRules`] of which there is none. The machine code is made before the wall goes
//! up, which forbids new code.
//!
//! Left out: `include`, since a rule file must not open others; the modules `time` (the same input would give other
//! records tomorrow), `cuckoo` and `vt` (reports that nobody gives here), and those that unpack, since what is packed is opened
//! here anyway. Rules that ask for them are named and not run.

#[cfg(not(feature = "yara"))]
mod absent;
#[cfg(feature = "yara")]
mod engine;

#[cfg(not(feature = "yara"))]
pub use absent::YaraRules;
#[cfg(feature = "yara")]
pub use engine::YaraRules;

use std::collections::BTreeMap;

use super::place::Finding;
use super::{Trait, shown};
use crate::record::{Certainty, Severity, YaraMatch};

/// What classes of exposure begin with that are rules of this sort.
pub const CLASS_PREFIX: &str = "yara:";

/// Finds of one pattern in one content that are counted; what a rule says of more of them never holds.
pub const MATCHES_MAX: usize = 10_000;

/// Rules that match one content and are told.
pub const RULES_MAX: usize = 256;

/// How bad a match is of which the rule says nothing.
const SEVERITY: Severity = Severity::Medium;

/// A rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleText {
    /// How the user calls it: its path, for errors.
    pub path: String,
    /// How records call it.
    pub namespace: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// Why rules could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum YaraError {
    /// The program was built without them.
    #[error(
        "this program was built without YARA; build it with the feature (cargo install --path . --features yara), and give the same command again"
    )]
    NotBuilt,
    /// They cannot be compiled.
    #[error("the YARA rules cannot be run: {}{}", .errors.join("; "), more_of(*.more))]
    Rules {
        /// The first few, with file, line and column.
        errors: Vec<String>,
        /// How many there are beside those.
        more: usize,
    },
    /// There is none.
    #[error("the files of --yara hold no rule that can be run")]
    Empty,
}

fn more_of(more: usize) -> String {
    if more == 0 {
        String::new()
    } else {
        format!("; and {more} more")
    }
}

/// Why rules were not run to their end over a content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum YaraFault {
    /// They took too long.
    #[error(
        "the YARA rules took more than {0} s over this content and were given up, so what they would have found is not known; look at it by itself, with fewer rules or a longer --yara-timeout"
    )]
    Timeout(u64),
    /// The engine gives up.
    #[error(
        "the YARA rules could not be run over this content: {0}; look at it with the rules one by one"
    )]
    Engine(String),
}

impl YaraFault {
    /// The code of the problem.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            YaraFault::Timeout(_) => "yara-timeout",
            YaraFault::Engine(_) => "yara-failed",
        }
    }
}

impl YaraRules {
    /// What the `run` record says of the rules.
    #[must_use]
    pub fn of_run(&self) -> crate::record::RunYara {
        crate::record::RunYara {
            digest: crate::blob::digest::hex(&self.digest()),
            engine: self.engine().to_owned(),
            files: self.files(),
            rules: self.count(),
            left_out: self
                .left_out()
                .values()
                .map(|rules| rules.len() as u64)
                .sum(),
            timeout_seconds: self.timeout_seconds(),
        }
    }
}

/// Rules that are not run, by the module that they ask for.
pub type LeftOut = BTreeMap<String, Vec<String>>;

/// The class of a match.
#[must_use]
pub fn class_of(found: &YaraMatch) -> String {
    format!("{CLASS_PREFIX}{}/{}", found.namespace, found.rule)
}

/// What a match is as a finding.
#[must_use]
pub fn finding_of(found: &YaraMatch) -> Finding {
    let said = found.meta.get("severity");
    let severity = said.and_then(|said| severity_of(said));
    Finding {
        class: class_of(found),
        severity: severity.unwrap_or(SEVERITY),
        certainty: Certainty::Hint,
        detail: detail_of(found),
    }
}

fn severity_of(word: &str) -> Option<Severity> {
    let word = serde_json::Value::String(word.to_ascii_lowercase());
    serde_json::from_value(word).ok()
}

/// The matches among what is known of a content.
pub fn matches_in(traits: &[Trait]) -> impl Iterator<Item = &YaraMatch> {
    traits.iter().filter_map(|found| match found {
        Trait::Yara(found) => Some(found.as_ref()),
        _ => None,
    })
}

/// Runs rules over a content; a fault of the engine is one of this content.
///
/// # Errors
/// When they could not be run to their end.
pub fn matches_in_content(rules: &YaraRules, bytes: &[u8]) -> Result<Vec<YaraMatch>, YaraFault> {
    let work = std::panic::AssertUnwindSafe(|| rules.matches(bytes));
    let gave_up = |_| YaraFault::Engine("a fault in the engine".to_owned());
    std::panic::catch_unwind(work).unwrap_or_else(|fault| Err(gave_up(fault)))
}

/// Bytes that a match takes, roughly.
#[must_use]
pub fn weight(found: &YaraMatch) -> usize {
    let meta = found.meta.iter();
    let meta: usize = meta.map(|(key, value)| 96 + key.len() + value.len()).sum();
    let patterns = found.patterns.iter();
    let patterns: usize = patterns.map(|one| 96 + 16 * one.at.len()).sum();
    400 + meta + patterns + 48 * found.tags.len()
}

fn detail_of(found: &YaraMatch) -> String {
    let mut detail = format!(
        "the YARA rule {} of the file {} matches",
        found.rule, found.namespace
    );
    let first = found.patterns.iter().find_map(|pattern| {
        let [offset, _] = *pattern.at.first()?;
        Some((pattern, offset))
    });
    if let Some((pattern, offset)) = first {
        let patterns = found.patterns.len() as u64 + found.more_patterns;
        detail.push_str(&match patterns {
            1 => format!(": {} at byte {offset}", pattern.id),
            more => format!(
                ": {} at byte {offset}, and {} more of its patterns",
                pattern.id,
                more - 1
            ),
        });
    }
    if let Some(said) = found.meta.get("description") {
        detail.push_str(&format!("; its author says: {said}"));
    }
    if found.more_rules > 0 {
        detail.push_str(&format!(
            "; {} more rules match this content and are not told",
            found.more_rules
        ));
    }
    detail
}

/// A namespace as records show it: part of the name of a class.
#[must_use]
pub fn namespace_of(name: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-/".contains(letter);
    let plain = |letter: char| if is_plain(letter) { letter } else { '_' };
    shown(name.chars().map(plain).collect::<String>().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::YaraPattern;

    fn found(meta: &[(&str, &str)], patterns: usize) -> YaraMatch {
        let pattern = |number: usize| YaraPattern {
            id: format!("$p{number}"),
            places: 1,
            at: vec![[7 + number as u64, 3]],
        };
        YaraMatch {
            rule: "loader".to_owned(),
            namespace: "mal/stealers".to_owned(),
            tags: Vec::new(),
            meta: meta
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            patterns: (0..patterns).map(pattern).collect(),
            more_patterns: 0,
            more_rules: 0,
        }
    }

    #[test]
    fn a_rule_says_how_bad_it_is_in_our_words_or_not_at_all() {
        let severity = |word: &str| finding_of(&found(&[("severity", word)], 0)).severity;
        assert_eq!(severity("critical"), Severity::Critical);
        assert_eq!(severity("Info"), Severity::Info);
        for other in ["9", "extreme", "", "high "] {
            assert_eq!(severity(other), Severity::Medium, "{other}");
        }
        assert_eq!(finding_of(&found(&[], 0)).severity, Severity::Medium);
    }

    #[test]
    fn a_finding_is_of_the_class_of_its_rule_and_names_places() {
        let one = finding_of(&found(&[("description", "a loader")], 1));
        assert_eq!(one.class, "yara:mal/stealers/loader");
        assert_eq!(one.certainty, Certainty::Hint);
        assert_eq!(
            one.detail,
            "the YARA rule loader of the file mal/stealers matches: $p0 at byte 7; its author says: a loader"
        );
        let detail = finding_of(&found(&[], 3)).detail;
        assert!(
            detail.ends_with("$p0 at byte 7, and 2 more of its patterns"),
            "{detail}"
        );
    }

    #[test]
    fn namespaces_are_plain() {
        assert_eq!(namespace_of("a b/ü\u{202e}:c"), "a_b/___c");
        assert!(namespace_of(&"x".repeat(9000)).len() < 700);
    }
}
