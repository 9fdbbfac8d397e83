//! What the facts of a copy speak for, and why.
//!
//! A person who has eight thousand rows before them needs to know which of them are plain. So each row gets one of three
//! words: `confirm`, where nothing that was seen speaks against it; `reject`, where no content of the work is there; `look`,
//! where something was seen that a machine cannot weigh. The reasons stand beside it, and the word decides nothing: a row that
//! nobody confirmed stays open.
//!
//! Doubt goes to `look`. That a copy's package is called like the work's own is no doubt where its address is recorded, since
//! whoever copies a work copies its manifest too; a git remote or a list that names the organisation's repository is.

use crate::record::{Basis, Certainty, Copy, Severity};

/// Below this share of the work's bytes a person looks at what it is that matches.
pub const SMALL_SHARE: f64 = 0.10;

/// What is proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Propose {
    /// Nothing seen speaks against it.
    Confirm,
    /// Something was seen that a person has to weigh.
    Look,
    /// No content of the work is there.
    Reject,
}

impl Propose {
    /// The word in files and output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Propose::Confirm => "confirm",
            Propose::Look => "look",
            Propose::Reject => "reject",
        }
    }
}

/// What is proposed, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The word.
    pub word: Propose,
    /// Why, the weightiest first; never empty.
    pub reasons: Vec<String>,
}

/// What a comparison with the original found of tampering.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tampering {
    /// Signs of medium severity and up.
    pub signs: u64,
    /// The worst of them.
    pub worst: Option<Severity>,
}

impl Tampering {
    /// Adds a sign; those of less than medium severity are what many honest changes look like.
    pub fn add(&mut self, severity: Severity) {
        if severity >= Severity::Medium {
            self.signs += 1;
            self.worst = self.worst.max(Some(severity));
        }
    }
}

/// What the facts of a copy speak for. `contradicted` is what speaks against where it was got from, as its origin has it.
#[must_use]
pub fn proposal(copy: &Copy, tampering: Tampering, contradicted: &[String]) -> Proposal {
    if let Some(reason) = nothing_there(copy) {
        return Proposal {
            word: Propose::Reject,
            reasons: vec![reason],
        };
    }
    let mut doubts = of_content(copy);
    doubts.extend(of_place(copy, contradicted));
    if tampering.signs > 0 {
        let worst = tampering.worst.unwrap_or(Severity::Medium).as_str();
        doubts.push(format!(
            "it was changed as tampering looks like ({} signs, the worst {worst}): malware goes to the abuse channel",
            tampering.signs
        ));
    }
    let word = if doubts.is_empty() {
        Propose::Confirm
    } else {
        Propose::Look
    };
    let mut reasons = doubts;
    if word == Propose::Confirm {
        reasons.push(plain(copy));
    }
    reasons.extend(remarks(copy, contradicted));
    Proposal { word, reasons }
}

/// Why there is nothing to claim.
fn nothing_there(copy: &Copy) -> Option<String> {
    match copy.class.as_str() {
        "names-only" => Some("paths agree, and no content does".to_owned()),
        _ if copy.files_matched == 0 && copy.grades.values().all(|count| *count == 0) => {
            Some("no file matches".to_owned())
        }
        _ => None,
    }
}

fn plain(copy: &Copy) -> String {
    match copy.class.as_str() {
        "verbatim" => "every file is there byte for byte".to_owned(),
        "reformatted" => "every file is there, with other layout".to_owned(),
        "modified" => "every file is there, some changed or cut".to_owned(),
        "partial" => format!("a part of it is there, {} of the work", share(copy)),
        class => format!("class {class}"),
    }
}

fn share(copy: &Copy) -> String {
    crate::report::text::percent(copy.of_original)
}

/// Doubts about what is there.
fn of_content(copy: &Copy) -> Vec<String> {
    let mut doubts = Vec::new();
    match copy.class.as_str() {
        "verbatim" | "reformatted" | "modified" => {}
        "partial" if copy.of_original >= SMALL_SHARE => {}
        "partial" => doubts.push(format!(
            "only {} of the work is there: look at what it is",
            share(copy)
        )),
        "derived" => {
            doubts.push(
                "the code is there under other names or cut beyond equal stretches: for an expert"
                    .to_owned(),
            );
        }
        "ported" => doubts.push("ported: an expert has to say so".to_owned()),
        "hinted" => doubts.push("seen by a triage only: scan it in full".to_owned()),
        class => doubts.push(format!("class {class}")),
    }
    match copy.basis {
        Basis::Content => {}
        Basis::Id => {
            doubts.push("a match rests on the name of a git object that was not read".to_owned())
        }
        Basis::Header => {
            doubts.push("a match rests on length and checksum, and was not read".to_owned())
        }
    }
    let public = copy.public_files.unwrap_or(0);
    if public > copy.files_matched {
        doubts.push(format!(
            "more of its files match what is public of the work ({public}) than what is not ({})",
            copy.files_matched
        ));
    }
    let is_reachable = copy.standing.iter().any(|(standing, count)| {
        *count > 0 && !matches!(standing.as_str(), "history-only" | "unreachable")
    });
    if !copy.standing.is_empty() && !is_reachable {
        let words: Vec<&str> = copy.standing.keys().map(String::as_str).collect();
        doubts.push(format!(
            "it is in no branch any more ({})",
            words.join(", ")
        ));
    }
    let open =
        |licence: &str| spdx::license_id(licence).is_some_and(spdx::LicenseId::is_osi_approved);
    let mut licences: Vec<&str> = copy
        .licences
        .iter()
        .filter_map(|file| file.licence.as_deref())
        .filter(|licence| open(licence))
        .collect();
    licences.sort_unstable();
    licences.dedup();
    if !licences.is_empty() {
        doubts.push(format!(
            "it carries an open licence ({}): whose, and of what",
            licences.join(", ")
        ));
    }
    doubts
}

/// Doubts about whose it is and where it lies.
fn of_place(copy: &Copy, contradicted: &[String]) -> Vec<String> {
    let mut doubts = Vec::new();
    if let Some(claim) = &copy.claims_own {
        let is_copied_along = claim
            .split("; ")
            .all(|part| part.starts_with("its package "));
        if copy.location != Some(Certainty::Proven) || !is_copied_along {
            doubts.push(format!("it may be the organisation's own: {claim}"));
        }
    }
    if copy.location == Some(Certainty::Hint) {
        doubts.push("where it lies is only what it says of itself".to_owned());
    }
    if let Some(first) = contradicted.first() {
        doubts.push(format!("where it was got from is contradicted: {first}"));
    }
    doubts
}

/// What is to be known of a row, and puts nothing in doubt.
fn remarks(copy: &Copy, contradicted: &[String]) -> Vec<String> {
    let mut remarks = Vec::new();
    if copy.url.is_none() || copy.location.is_none() {
        // What is contradicted was recorded: to look for it again is no use, to settle it is.
        let what = if contradicted.is_empty() {
            "no address is recorded, and a notice needs one"
        } else {
            "which address it has is contradicted, and a notice needs one that is settled"
        };
        remarks.push(what.to_owned());
    }
    if let Some(unread) = copy.unread_files.filter(|count| *count > 0) {
        remarks.push(format!("{unread} of its files were not read"));
    }
    remarks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::LicenceFile;

    fn whole() -> Copy {
        Copy {
            class: "verbatim".to_owned(),
            files_matched: 3,
            of_original: 1.0,
            url: Some("https://code.example/a".to_owned()),
            location: Some(Certainty::Proven),
            ..Copy::default()
        }
    }

    fn word(copy: &Copy) -> Propose {
        proposal(copy, Tampering::default(), &[]).word
    }

    #[test]
    fn a_plain_copy_is_proposed_and_everything_odd_is_looked_at() {
        assert_eq!(word(&whole()), Propose::Confirm);
        let odd: [fn(&mut Copy); 8] = [
            |copy| copy.location = Some(Certainty::Hint),
            |copy| {
                copy.claims_own = Some("its git remote is https://git.example/acme/a".to_owned())
            },
            |copy| copy.basis = Basis::Id,
            |copy| copy.public_files = Some(4),
            |copy| copy.class = "ported".to_owned(),
            |copy| {
                copy.class = "partial".to_owned();
                copy.of_original = 0.099;
            },
            |copy| {
                copy.standing.insert("history-only".to_owned(), 3);
            },
            |copy| {
                copy.licences.push(LicenceFile {
                    path: "LICENSE".to_owned(),
                    licence: Some("MIT".to_owned()),
                });
            },
        ];
        for (number, change) in odd.iter().enumerate() {
            let mut copy = whole();
            change(&mut copy);
            assert_eq!(word(&copy), Propose::Look, "{number}");
        }
        let mut signs = Tampering::default();
        signs.add(Severity::Low);
        assert_eq!(proposal(&whole(), signs, &[]).word, Propose::Confirm);
        signs.add(Severity::High);
        assert_eq!(proposal(&whole(), signs, &[]).word, Propose::Look);
        let against = ["a remote says otherwise".to_owned()];
        let told = proposal(&whole(), Tampering::default(), &against);
        assert_eq!(told.word, Propose::Look);
        assert!(told.reasons[0].contains("a remote"), "{told:?}");
    }

    /// An address that is contradicted was recorded.
    #[test]
    fn what_is_contradicted_is_not_called_missing() {
        let mut copy = whole();
        copy.url = None;
        let last = |against: &[String]| {
            let told = proposal(&copy, Tampering::default(), against);
            told.reasons.last().cloned().unwrap_or_default()
        };
        assert!(last(&[]).starts_with("no address is recorded"));
        let against = ["another row says otherwise".to_owned()];
        assert!(last(&against).starts_with("which address it has is contradicted"));
    }

    #[test]
    fn a_manifest_that_was_copied_along_is_no_doubt_where_the_address_is_recorded() {
        let mut copy = whole();
        copy.claims_own = Some("its package is called @acme/cli; its package names the repository https://git.example/acme/cli".to_owned());
        assert_eq!(word(&copy), Propose::Confirm);
        copy.location = None;
        assert_eq!(word(&copy), Propose::Look);
    }

    #[test]
    fn where_no_content_is_nothing_is_claimed() {
        let mut copy = whole();
        copy.class = "names-only".to_owned();
        assert_eq!(word(&copy), Propose::Reject);
        copy.class = "partial".to_owned();
        copy.files_matched = 0;
        assert_eq!(word(&copy), Propose::Reject);
    }
}
