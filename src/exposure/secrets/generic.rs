//! Values beside names that say what they are.
//!
//! No form tells these; only the name does, and that the value looks like one ([`super::super::values`]). In the code of
//! others that would be noise, so it is asked of texts that may be the vendor's own. The rules stand beside the others
//! (`tier = "generic"`); what differs is that their literals may be anywhere in a name, in whatever case.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};

use super::Tier;
use super::find::{Raw, attempt};
use super::rule::RuleSet;

/// The literals of some rules, and which rule each belongs to.
struct Names {
    search: Option<AhoCorasick>,
    rules: Vec<usize>,
}

impl Names {
    fn new(ignore_case: bool) -> Self {
        let (mut literals, mut rules) = (Vec::new(), Vec::new());
        for (number, one) in RuleSet::builtin().iter().enumerate() {
            if one.rule.tier == Tier::Generic && one.rule.ignore_case == ignore_case {
                literals.extend(one.rule.literals.iter());
                rules.extend(one.rule.literals.iter().map(|_| number));
            }
        }
        let mut builder = AhoCorasickBuilder::new();
        let builder = builder
            .ascii_case_insensitive(ignore_case)
            .match_kind(MatchKind::LeftmostLongest);
        // Without a search, which only too many literals would cause, nothing is found; a test sees that.
        Self {
            search: builder.build(&literals).ok(),
            rules,
        }
    }
}

/// What is found in a text by the generic rules.
pub(super) fn find(text: &[u8], mut take: impl FnMut(Raw)) {
    static NAMES: LazyLock<[Names; 2]> = LazyLock::new(|| [Names::new(true), Names::new(false)]);
    for names in NAMES.iter() {
        let Some(search) = &names.search else {
            continue;
        };
        for hit in search.find_iter(text) {
            let number = names.rules[hit.pattern().as_usize()];
            let raw = RuleSet::builtin()
                .at(number)
                .and_then(|one| attempt(text, hit.start(), one));
            raw.into_iter().for_each(&mut take);
        }
    }
}
