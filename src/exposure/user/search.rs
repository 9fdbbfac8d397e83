//! The search of the user's rules through a text, whole or view by view.
//!
//! What is found in a part that hides something is told where the part begins it, once, and not where the same stands
//! plainly. A keyword may stand anywhere in a text, also in a window that comes later; so in windows every rule is tried, and
//! what those found that no keyword ever opened is let go at the end. A keyword in a part opens its rule for that part.

use std::collections::BTreeSet;

use super::{FINDS_MAX, Find, Hidden, UserRules, redacted};
use crate::exposure::CaseKey;
use crate::exposure::secrets::{Check, SecretFact, Tier, written};
use crate::exposure::windows::View;

/// A search that is under way.
#[derive(Debug, Default)]
pub struct Search {
    /// By rule: it may be tried.
    has_keyword: Vec<bool>,
    /// By rule: how many finds were told, and where the last of them is.
    told: Vec<(usize, usize)>,
    facts: Vec<Told>,
}

/// A find that was told, unless its rule stays shut.
#[derive(Debug)]
struct Told {
    rule: usize,
    is_open: bool,
    fact: SecretFact,
}

impl Search {
    /// Takes what begins in the view's own part.
    pub fn look(&mut self, rules: &UserRules, view: &View, case_key: Option<&CaseKey>) {
        if self.has_keyword.is_empty() {
            self.has_keyword = rules.gates();
            self.told = vec![(0, 0); rules.len()];
        }
        let bytes = view.bytes;
        let mut finds = rules.finds(bytes, &mut self.has_keyword, !view.is_whole);
        let plain = finds.iter().map(|find| (find.at, find.rule)).collect();
        let hidden = self.hidden(rules, view, plain, case_key);
        finds.retain(|find| view.owns(find.at));
        let plain = finds.into_iter().map(|find| (find, None));
        let mut all: Vec<(Find, Option<Hidden>)> = plain.collect();
        for one in hidden {
            let place = Find { ..one.find };
            all.push((place, Some(one)));
        }
        all.sort_by_key(|(find, hidden)| (find.at, find.bytes, find.rule, hidden.is_some()));
        all.dedup_by_key(|(find, _)| (find.at, find.bytes, find.rule));
        let mut lines = view.lines();
        for (find, hidden) in all {
            let Some(value) = bytes.get(find.at..find.at + find.bytes) else {
                continue;
            };
            let place = lines.at(find.at);
            self.tell(rules, &find, hidden, value, place, case_key);
        }
    }

    /// What stands in parts that are written otherwise, and was not `seen` by the same rule as it stands.
    fn hidden(
        &self,
        rules: &UserRules,
        view: &View,
        mut seen: BTreeSet<(usize, usize)>,
        case_key: Option<&CaseKey>,
    ) -> Vec<Hidden> {
        let mut hidden = Vec::new();
        written::parts_in(view, |part| {
            if !rules.may_find_in(&part.text) {
                return;
            }
            let mut has_keyword = self.has_keyword.clone();
            for find in rules.finds(&part.text, &mut has_keyword, !view.is_whole) {
                let Some(value) = part.text.get(find.at..find.at + find.bytes) else {
                    continue;
                };
                let at = part.place_of(find.at);
                let end = part.place_of(find.at + find.bytes - 1) + 1;
                let is_told = hidden.len() >= FINDS_MAX || !view.owns(at);
                if is_told || !seen.insert((at, find.rule)) {
                    continue;
                }
                hidden.push(Hidden {
                    is_open: has_keyword.get(find.rule).copied().unwrap_or(false),
                    how: part.how,
                    redacted: redacted(value),
                    fingerprint: case_key.map(|key| key.fingerprint(value)),
                    find: Find {
                        at,
                        bytes: end.saturating_sub(at),
                        ..find
                    },
                });
            }
        });
        hidden
    }

    fn tell(
        &mut self,
        rules: &UserRules,
        find: &Find,
        hidden: Option<Hidden>,
        value: &[u8],
        (line, column): (u64, u64),
        case_key: Option<&CaseKey>,
    ) {
        let (Some(rule), Some((told, last))) =
            (rules.rules.get(find.rule), self.told.get_mut(find.rule))
        else {
            return;
        };
        let has_more = find.more || *told >= FINDS_MAX;
        if *told < FINDS_MAX {
            *told += 1;
            *last = self.facts.len();
            let is_open = hidden.as_ref().is_some_and(|hidden| hidden.is_open);
            let (written, shown, fingerprint) = match hidden {
                Some(hidden) => (Some(hidden.how), hidden.redacted, hidden.fingerprint),
                None => (
                    None,
                    redacted(value),
                    case_key.map(|key| key.fingerprint(value)),
                ),
            };
            self.facts.push(Told {
                rule: find.rule,
                is_open,
                fact: SecretFact {
                    rule: rule.id.clone(),
                    tier: Tier::User,
                    line,
                    column,
                    length: find.bytes as u64,
                    redacted: shown,
                    check: Check::Unchecked,
                    severity: rule.severity,
                    written,
                    detail: Some(rule.title.clone()).filter(|title| !title.is_empty()),
                    fingerprint,
                    of_settings: false,
                    in_any_settings: false,
                },
            });
        }
        if let Some(last) = self.facts.get_mut(*last).filter(|_| has_more) {
            let more = format!("more than {FINDS_MAX} in this content; the rest is not told");
            last.fact.detail = Some(more);
        }
    }

    /// What was found by rules that may be tried, in order.
    pub fn finish(self, rules: &UserRules) -> Vec<SecretFact> {
        let gates = if self.has_keyword.is_empty() {
            rules.gates()
        } else {
            self.has_keyword
        };
        let may = |told: &Told| told.is_open || gates.get(told.rule).copied().unwrap_or(false);
        let told = self.facts.into_iter().filter(may);
        told.map(|told| told.fact).collect()
    }
}
