//! What may be said of live secrets that were looked for.
//!
//! "None of them is there" is a claim about everything in the input, like any other absence: it may be made when all was
//! read, and of no more secrets than were tested. It says nothing of forms that nobody undoes.

use crate::blob::locator::shown;
use crate::record::RunKnown;

use super::text::{grouped, plural};

/// Names that are given; the rest is counted.
const NAMED: usize = 12;

/// "12 live secrets tested, 0 present", what that means, and what was not tested. `present` are their names, sorted;
/// `complete` says that everything was read in full.
pub fn live_secrets<'a>(
    set: &RunKnown,
    present: impl ExactSizeIterator<Item = &'a str>,
    complete: bool,
) -> String {
    let found = present.len() as u64;
    let mut text = format!(
        "{} tested, {} present",
        plural(set.secrets, "live secret", "live secrets"),
        grouped(found)
    );
    let names: Vec<String> = present.take(NAMED).map(shown).collect();
    if !names.is_empty() {
        text.push_str(": ");
        text.push_str(&names.join(", "));
        let more = found.saturating_sub(names.len() as u64);
        if more > 0 {
            text.push_str(&format!(" and {} more", grouped(more)));
        }
    }
    let others = match found {
        0 => "that none of them is there",
        _ => "that the others are not there",
    };
    if set.secrets > found && !complete {
        text.push_str(&format!(
            "; not yet supportable: {others}, since not everything was read"
        ));
    }
    if set.left_out > 0 {
        text.push_str(&format!(
            "; {} not in the set and not tested",
            plural(set.left_out, "line of the list is", "lines of the list are")
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(secrets: u64, left_out: u64, present: &[&str], complete: bool) -> String {
        let set = RunKnown {
            digest: String::new(),
            secrets,
            left_out,
            is_keyed: true,
        };
        live_secrets(&set, present.iter().copied(), complete)
    }

    #[test]
    fn an_absence_is_claimed_only_where_all_was_read() {
        assert_eq!(said(3, 0, &[], true), "3 live secrets tested, 0 present");
        assert_eq!(
            said(3, 0, &[], false),
            "3 live secrets tested, 0 present; not yet supportable: that none of them is there, since not everything was read"
        );
        assert_eq!(
            said(3, 1, &["A", "B"], false),
            "3 live secrets tested, 2 present: A, B; not yet supportable: that the others are not there, since not everything was read; 1 line of the list is not in the set and not tested"
        );
        // All of them are there, whatever was not read.
        assert_eq!(
            said(1, 0, &["A"], false),
            "1 live secret tested, 1 present: A"
        );
    }
}
