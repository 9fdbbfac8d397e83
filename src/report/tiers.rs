//! Which rules ran on which texts: what a reader has to know before "none was seen" means something.
//!
//! The sentences follow from the run record alone, and from how many contents were too large to be held, since these are
//! searched less closely than the rest. What was not read at all is in no text; problems name it.

use super::bounded::Count;
use super::model::TierRow;
use super::text::plural;
use crate::record::Run;

const ALL: &str = "every text and every recovered source that was read";
const OWN: &str = "texts that may be the vendor’s own: recovered sources that no name makes a third party’s, and original files";
const OTHERS: &str =
    "scripts, settings and other texts as they were published, and sources of third parties";

/// What is tried on what, and what it found. `items` are places of the inventory, `too_large` contents that were larger than
/// may be held.
pub(super) fn tried_on(
    run: Option<&Run>,
    found: &[Count],
    items: u64,
    too_large: u64,
) -> Vec<TierRow> {
    let rows = ["specific", "generic", "known", "user", "inventory"].into_iter();
    rows.map(|tier| {
        let (tried_on, not_on) = match run {
            None => ("unknown: the records have no run record", None),
            Some(run) => scope_of(tier, run),
        };
        let places = match tier {
            "inventory" => items,
            _ => found
                .iter()
                .find(|count| count.name == tier)
                .map_or(0, |count| count.count),
        };
        TierRow {
            tier: tier.to_owned(),
            tried_on: tried_on.to_owned(),
            not_on: not_on.map(|what| with_large(tier, what, too_large)),
            places,
        }
    })
    .collect()
}

/// What one is tried on, and what of the texts that were read it leaves out.
fn scope_of(tier: &str, run: &Run) -> (&'static str, Option<&'static str>) {
    let reads_all = run.inventory.as_deref() == Some("all");
    match tier {
        _ if run.triage => ("nothing: this was a triage", None),
        "known" if run.known_secrets.is_none() => {
            ("nothing: no set of live secrets was given", None)
        }
        "known" => ("every content that was read, at every byte", Some("")),
        "user" if run.user_rules.is_none() => {
            ("nothing: no rules of the user’s own were given", None)
        }
        "inventory" if run.inventory.as_deref() == Some("none") => {
            ("nothing: it was not wanted (--inventory none)", None)
        }
        "generic" | "inventory" if !reads_all => (OWN, Some(OTHERS)),
        _ => (ALL, Some("")),
    }
}

/// Live secrets are looked for in what streams by too.
fn with_large(tier: &str, left_out: &str, too_large: u64) -> String {
    let large = match too_large {
        0 => String::new(),
        _ if tier == "known" => String::new(),
        some => format!(
            "{} too large to be held, where their problem says so (memory-limit)",
            plural(some, "content that was", "contents that were")
        ),
    };
    let parts: Vec<&str> = [left_out, &large]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    match parts.is_empty() {
        true => "nothing that was read".to_owned(),
        false => parts.join("; "),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn row(run: &Run, tier: &str, too_large: u64) -> TierRow {
        let rows = tried_on(Some(run), &[], 7, too_large);
        rows.into_iter().find(|row| row.tier == tier).unwrap()
    }

    #[test]
    fn each_says_what_it_is_tried_on_and_what_not() {
        let mut run = sample::run();
        run.known_secrets = None;
        assert_eq!(
            row(&run, "specific", 0).not_on.as_deref(),
            Some("nothing that was read")
        );
        let specific = row(&run, "specific", 2).not_on.unwrap();
        assert!(
            specific.starts_with("2 contents that were too large"),
            "{specific}"
        );
        assert!(
            row(&run, "generic", 1)
                .not_on
                .unwrap()
                .contains("third parties; 1 content")
        );
        for idle in ["known", "user"] {
            assert!(row(&run, idle, 1).not_on.is_none());
            assert!(row(&run, idle, 1).tried_on.starts_with("nothing: no "));
        }
        run.inventory = Some("all".to_owned());
        assert_eq!(
            (
                row(&run, "generic", 0).tried_on.as_str(),
                row(&run, "inventory", 0).places
            ),
            (ALL, 7)
        );
        run.inventory = Some("none".to_owned());
        assert!(row(&run, "inventory", 0).not_on.is_none());
        assert_eq!(row(&run, "generic", 0).tried_on, OWN);
        run.triage = true;
        assert!(
            tried_on(Some(&run), &[], 0, 0)
                .iter()
                .all(|row| row.not_on.is_none())
        );
        assert!(tried_on(None, &[], 0, 0)[0].tried_on.starts_with("unknown"));
    }
}
