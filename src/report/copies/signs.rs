//! Signs of tampering: by rule, one by one, and by copy.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};

use super::super::bounded::Top;
use super::super::model::ROWS;
use super::super::text::count_of;
use super::gather::COPIES_MAX;
use super::model::*;
use super::rows::kept;
use crate::copies::tamper::TamperRules;
use crate::exposure::Rules as ExposureRules;
use crate::exposure::yara::CLASS_PREFIX;
use crate::record::{Certainty, Severity, Sign};

/// A sign that is less bad is a note: something to look at, which many honest changes have.
pub(super) const COUNTS_FROM: Severity = Severity::Medium;

struct RuleState {
    highest: Severity,
    proven: u64,
    hint: u64,
    roots: HashSet<String>,
}

type SignKey = (Reverse<Severity>, Reverse<Certainty>, String, String, u64);

/// Gathers signs.
pub(super) struct Signs {
    figures_only: bool,
    rules: BTreeMap<String, RuleState>,
    total: u64,
    signs: Top<SignKey, SignRow>,
}

impl Signs {
    pub(super) fn new(figures_only: bool) -> Self {
        Self {
            figures_only,
            rules: BTreeMap::new(),
            total: 0,
            signs: Top::new(ROWS),
        }
    }

    pub(super) fn add(&mut self, sign: Sign) {
        const RULES: usize = 500;
        self.total += 1;
        // As in `Tally`: rules are few, and forged records must not grow this without end.
        let known = self.rules.len() < RULES || self.rules.contains_key(&sign.rule);
        let rule = if known { &sign.rule } else { "(further rules)" };
        let state = self.rules.entry(kept(rule)).or_insert_with(|| RuleState {
            highest: sign.severity,
            proven: 0,
            hint: 0,
            roots: HashSet::new(),
        });
        state.highest = state.highest.max(sign.severity);
        match sign.certainty {
            Certainty::Proven => state.proven += 1,
            Certainty::Hint => state.hint += 1,
        }
        if state.roots.len() < COPIES_MAX {
            state.roots.insert(kept(&sign.root));
        }
        let row = SignRow {
            severity: sign.severity,
            certainty: sign.certainty,
            rule: kept(&sign.rule),
            root: kept(&sign.root),
            path: kept(&sign.path),
            line: sign.line,
            found: kept(&sign.found),
            original: sign.original.as_deref().map(kept),
            sha256: sign.sha256.filter(|_| !self.figures_only),
        };
        let key = (
            Reverse(row.severity),
            Reverse(row.certainty),
            row.rule.clone(),
            kept(&sign.locator),
            row.line.unwrap_or(0),
        );
        self.signs.push(key, row);
    }

    /// What looks like tampering, with the rows of all places joined.
    pub(super) fn finish(self, copies: &[CopyRow], suspects: &[CopyRow]) -> Tampering {
        let places = || copies.iter().chain(suspects);
        let with = |least| {
            count_of(
                places()
                    .filter(|row| row.signs_worst >= Some(least))
                    .count(),
            )
        };
        let mut rules: Vec<SignRule> = self
            .rules
            .into_iter()
            .map(|(rule, state)| {
                let words = words_of(&rule);
                let [title, why, action] =
                    words.map_or([const { None }; 3], |words| words.map(Some));
                SignRule {
                    title,
                    why,
                    action,
                    highest: state.highest,
                    copies: count_of(state.roots.len()),
                    proven: state.proven,
                    hint: state.hint,
                    rule,
                }
            })
            .collect();
        rules.sort_by_key(|rule| (Reverse(rule.highest), Reverse(rule.copies)));
        Tampering {
            total: self.total,
            copies: with(COUNTS_FROM),
            copies_high: with(Severity::High),
            rules,
            table: self.signs.finish(),
        }
    }
}

/// Title, reason and advice of a rule: one of ours, or one of the user's own for YARA.
fn words_of(rule: &str) -> Option<[String; 3]> {
    if rule.starts_with(CLASS_PREFIX) {
        let words = ExposureRules::builtin().get(rule)?;
        return Some([&words.title, &words.why, &words.action].map(String::clone));
    }
    let words = TamperRules::builtin().get(rule)?;
    Some([&words.title, &words.why, &words.action].map(String::clone))
}
