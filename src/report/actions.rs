//! What to do now, by whom, by when.
//!
//! Actions follow from figures by fixed rules, in the order in which time matters: what stops the bleeding first, what
//! would be deleted by others next, then what takes thought. An action is there only where its figure is not zero, and
//! says which, so that nobody has to guess why. Whoever does it is a role; the report knows no people. What a class of
//! exposure asks for beyond that stands in the table of classes, in the words of its rule.

use serde::Serialize;

use super::lists::{ListRow, lines_of};
use super::model::Model;
use super::text::{grouped, plural};

/// What to do, and the lists that say on what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Actions {
    /// In order of urgency.
    pub rows: Vec<Action>,
    /// Files beside the page; none in the public view.
    pub lists: Vec<ListRow>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Action {
    /// What.
    pub what: String,
    /// A role.
    pub who: String,
    /// By when.
    pub when: String,
    /// The figure that asks for it.
    pub because: String,
    /// Id of the section with the evidence.
    pub section: String,
    /// The list with one line for each thing to do; null where there is none.
    pub list: Option<String>,
}

const AT_ONCE: &str = "at once";
const TODAY: &str = "within 24 hours";
const SOON: &str = "within 72 hours";
const THIS_WEEK: &str = "this week";

struct Draft {
    count: u64,
    what: &'static str,
    who: &'static str,
    when: &'static str,
    because: String,
    section: &'static str,
    list: Option<&'static str>,
}

/// The actions that follow from a model's figures.
pub(super) fn actions(
    model: &Model,
    lists: &[ListRow],
    closed_packages: u64,
    credential_files: u64,
) -> Vec<Action> {
    let lines = lines_of(lists);
    let of = |file: &str| lines.get(file).copied().unwrap_or(0);
    let personal = model.inventory.own_people();
    let rotate = model.rotation.table.total;
    let drafts = [
        Draft {
            count: closed_packages,
            what: "Withdraw the packages, publish clean ones under new versions, and stop the build that made them",
            who: "release engineering",
            when: AT_ONCE,
            because: format!(
                "{} with findings, not declared open",
                plural(closed_packages, "package", "packages")
            ),
            section: "packages",
            list: None,
        },
        Draft {
            count: rotate,
            what: "Revoke and replace the credentials, the worst first; fill in who owns each",
            who: "the owner of each, led by security",
            when: AT_ONCE,
            because: plural(rotate, "distinct credential", "distinct credentials"),
            section: "rotation",
            list: Some("rotate.csv"),
        },
        Draft {
            count: credential_files,
            what: "Open the files that are keys or usually hold credentials, and replace what is in them",
            who: "the owner of each, led by security",
            when: AT_ONCE,
            because: plural(
                credential_files,
                "such file, by its class",
                "such files, by their classes",
            ),
            section: "exposures",
            list: None,
        },
        Draft {
            count: of("close.csv"),
            what: "Look at what the input points to, and shut it",
            who: "whoever runs the storage or the site",
            when: AT_ONCE,
            because: plural(
                of("close.csv"),
                "bucket or address not in the input",
                "buckets and addresses not in the input",
            ),
            section: "references",
            list: Some("close.csv"),
        },
        Draft {
            count: of("preserve-logs.csv"),
            what: "Have logs kept before they are deleted: who fetched it, and who used what was in it",
            who: "security operations",
            when: AT_ONCE,
            because: plural(
                of("preserve-logs.csv"),
                "subject with logs",
                "subjects with logs",
            ),
            section: "actions",
            list: Some("preserve-logs.csv"),
        },
        Draft {
            count: of("containment.csv"),
            what: "Look by hand where machines copied the packages to, and have it purged; write down what was found",
            who: "security operations",
            when: TODAY,
            because: plural(
                of("containment.csv"),
                "place and package to check",
                "places and packages to check",
            ),
            section: "packages",
            list: Some("containment.csv"),
        },
        Draft {
            count: of("reserve-names.txt"),
            what: "Reserve inner package names and scopes on public registries, and pin where they are fetched from",
            who: "release engineering",
            when: TODAY,
            because: plural(of("reserve-names.txt"), "name", "names"),
            section: "inventory",
            list: Some("reserve-names.txt"),
        },
        Draft {
            count: of("block-sha256.txt") + of("block-hosts.txt"),
            what: "Refuse the archives and files at proxies, mirrors and scanners of your own; watch the hosts",
            who: "security operations",
            when: TODAY,
            because: format!(
                "{} and {}",
                plural(of("block-sha256.txt"), "digest", "digests"),
                plural(of("block-hosts.txt"), "host", "hosts")
            ),
            section: "exposures",
            list: Some("block-sha256.txt"),
        },
        Draft {
            count: model.copies.tampering.copies_high,
            what: "Read what was put into the copies with signs of tampering, warn those who may have run them, and report them to their hosts as malware where it is some: that is another form than for copied work",
            who: "security operations",
            when: TODAY,
            because: format!(
                "{} with a sign of high severity or more",
                plural(model.copies.tampering.copies_high, "copy", "copies")
            ),
            section: "tampering",
            list: Some("block-sha256.txt"),
        },
        Draft {
            count: model.copies.copies.total,
            what: "Judge the copies one by one, keep evidence of each, and ask hosts to take them down",
            who: "counsel",
            when: TODAY,
            because: plural(
                model.copies.copies.total,
                "place that holds the work",
                "places that hold the work",
            ),
            section: "copies",
            list: None,
        },
        Draft {
            count: personal,
            what: "Judge whether people or partners have to be told; some duties count from the hour of knowing",
            who: "data protection and counsel",
            when: SOON,
            because: format!(
                "{} of people, by {}",
                plural(personal, "name or address", "names and addresses"),
                "e-mail, name or ownership"
            ),
            section: "inventory",
            list: None,
        },
        Draft {
            count: model
                .problems
                .table
                .rows
                .iter()
                .filter(|row| row.bytes_unread != Some(0))
                .count() as u64,
            what: "Get what could not be read again or in another form, and scan it: until then nothing can be said to be absent",
            who: "whoever runs the scan",
            when: TODAY,
            because: format!(
                "{} of which not all bytes were read, or it is not known",
                plural(unread(model), "problem", "problems")
            ),
            section: "problems",
            list: None,
        },
        Draft {
            count: model.sources.places.own(),
            what: "Find the build step that shipped it, and gate the packed archive on it",
            who: "engineering",
            when: THIS_WEEK,
            because: format!(
                "{} own or unknown sources recovered",
                grouped(model.sources.places.own())
            ),
            section: "exposures",
            list: None,
        },
    ];
    let kept = drafts.into_iter().filter(|draft| draft.count > 0);
    let has_list = |file: &&str| lists.iter().any(|row| row.file == **file);
    kept.map(|draft| Action {
        what: draft.what.to_owned(),
        who: draft.who.to_owned(),
        when: draft.when.to_owned(),
        because: draft.because,
        section: draft.section.to_owned(),
        list: draft.list.filter(has_list).map(str::to_owned),
    })
    .collect()
}

fn unread(model: &Model) -> u64 {
    let codes = model.problems.codes.iter();
    codes
        .filter(|code| code.bytes_unread > 0 || code.unknown > 0)
        .map(|code| code.count)
        .sum()
}
