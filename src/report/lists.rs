//! The lists beside the page: one item a line, the most urgent first, for those who act and for their tools.
//!
//! They are made from the same rows as the page, so their lines are the numbers that the page prints. A cell that a
//! spreadsheet would take for a formula gets an apostrophe before it, and what is invisible is spelled out: whoever
//! made the input must not reach the machine of whoever opens the list.
//!
//! What is to be blocked stands in two lists of bare values, since most tools take nothing else. Who blocks something wants to
//! know why, though, and most of all where it is a file or host that somebody put into a copy: `block-sources.csv` has a line
//! for each of theirs, in their order, with the copy and the rule.
//!
//! The public view has none: a list of pseudonyms helps nobody.

mod block;

use std::collections::BTreeMap;

use serde::Serialize;

use self::block::{Source, block, sources};
use super::bounded::{Groups, Table, Urgent, group_key};
use super::containment::Containment;
use super::inventory::Inventory;
use super::rotation::Rotation;
use super::text::{KEPT_CHARS, clip, count_of, visible};
use crate::record::{
    Certainty, Exposure, Grade, Match, Package, Reference, ReferenceKind, Severity, Sign,
};

pub(super) use self::block::host_in;

/// Lines of one list.
const LINES: usize = 50_000;

/// A file beside the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListFile {
    /// Its name.
    pub name: &'static str,
    /// Its text.
    pub text: String,
}

/// What the page says of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListRow {
    /// Name of the file.
    pub file: String,
    /// What a line is.
    pub holds: String,
    /// Lines, without the heading.
    pub lines: u64,
    /// How many there would be without the bound of the list.
    pub total: u64,
}

/// A line of `close.csv`, `block-sha256.txt` or `block-hosts.txt`, or a subject whose logs are to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    /// The smaller the more urgent.
    rank: u8,
    cells: Vec<String>,
    /// Finds of the same beside the one that is named.
    further: u64,
}

impl Urgent for Line {
    type Rank = (u8, Vec<String>);

    fn rank(&self) -> Self::Rank {
        (self.rank, self.cells.clone())
    }
}

/// Gathers lines while records stream by.
pub(super) struct Gather {
    close: Groups<Line>,
    logs: Groups<Line>,
    digests: Groups<Line>,
    hosts: Groups<Line>,
    names: Groups<Line>,
    contain: Groups<Line>,
    containment: Containment,
}

impl Gather {
    pub(super) fn new(containment: Containment) -> Self {
        Self {
            close: Groups::new(LINES),
            logs: Groups::new(LINES),
            digests: Groups::new(LINES),
            hosts: Groups::new(LINES),
            names: Groups::new(LINES),
            contain: Groups::new(LINES),
            containment,
        }
    }

    /// A package with findings that is not declared open: its downloads are to be asked for, its archive is to be shut out.
    pub(super) fn package(&mut self, package: &Package, is_found: bool) {
        if !is_found || package.declared_open {
            return;
        }
        let version = package.version.clone().unwrap_or_default();
        let subject = format!("{} {}@{version}", package.ecosystem, package.name);
        self.log(
            0,
            "downloads and publishing",
            &subject,
            "the registry, its mirrors and proxies, and the build that published it",
            &package.locator,
        );
        for (rank, cells) in self.containment.rows(package) {
            let cells: Vec<String> = cells.iter().map(|cell| clip(cell, KEPT_CHARS)).collect();
            let key: Vec<&str> = cells.iter().map(String::as_str).collect();
            add(&mut self.contain, &key, rank, cells.clone());
        }
        if let Some(sha256) = &package.sha256 {
            let source = Source {
                because: "archive of a package with findings",
                by: &package.name,
                root: "",
                place: &package.locator,
                line: None,
            };
            self.digest(0, sha256, &source);
        }
    }

    pub(super) fn reference(&mut self, reference: &Reference) {
        let rank = match reference.kind {
            ReferenceKind::Bucket => 0,
            ReferenceKind::Url => 1,
            ReferenceKind::Package => {
                self.name(1, package_name(&reference.target));
                return;
            }
            ReferenceKind::File | ReferenceKind::DebugId => return,
        };
        let kind = if rank == 0 { "bucket" } else { "url" };
        let target = clip(&reference.target, KEPT_CHARS);
        add(
            &mut self.close,
            &[&target],
            rank,
            vec![
                kind.to_owned(),
                target.clone(),
                clip(&reference.locator, KEPT_CHARS),
            ],
        );
        self.log(
            rank,
            "access",
            &target,
            "whoever runs the storage or the site",
            &reference.locator,
        );
        let host = url::Url::parse(&reference.target).ok();
        if let Some(host) = host.as_ref().and_then(url::Url::host_str) {
            let source = Source {
                because: "the input points there for more",
                by: kind,
                root: "",
                place: &reference.locator,
                line: None,
            };
            block(&mut self.hosts, "host", host, rank, &source);
        }
    }

    pub(super) fn exposure(&mut self, exposure: &Exposure) {
        let is_sure = exposure.certainty == Certainty::Proven;
        // Half of all clones have the same small file that tells one; refusing it would refuse them.
        if exposure.class == "git-folder" {
            return;
        }
        if let Some(sha256) = &exposure.sha256
            && exposure.severity >= Severity::High
            && is_sure
        {
            let rank = if exposure.severity == Severity::Critical {
                1
            } else {
                2
            };
            let source = Source {
                because: "exposed file",
                by: &exposure.class,
                root: "",
                place: &exposure.locator,
                line: None,
            };
            self.digest(rank, sha256, &source);
        }
    }

    /// A content that is a file of a signed work, byte for byte or in normal form.
    pub(super) fn matched(&mut self, found: &Match) {
        let rank = match found.grade {
            Grade::Exact => 3,
            Grade::Normalized => 4,
            _ => return,
        };
        if let Some(sha256) = &found.sha256 {
            let source = Source {
                because: "file of the work",
                by: &found.work,
                root: "",
                place: &found.locator,
                line: None,
            };
            self.digest(rank, sha256, &source);
        }
    }

    /// What was put into a copy, where it is bad: the file that it stands in, and the host that it names.
    pub(super) fn sign(&mut self, sign: &Sign) {
        if sign.severity < Severity::High {
            return;
        }
        let source = Source {
            because: "put into a copy",
            by: &sign.rule,
            root: &sign.root,
            place: &sign.locator,
            line: sign.line,
        };
        if let Some(sha256) = &sign.sha256 {
            self.digest(1, sha256, &source);
        }
        if let Some(host) = host_in(&sign.rule, &sign.found) {
            block(&mut self.hosts, "host", &host, 0, &source);
        }
    }

    fn digest(&mut self, rank: u8, sha256: &str, source: &Source<'_>) {
        // What is no digest would only be dropped by whoever reads the list, or worse.
        let is_digest = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_digest {
            let sha256 = sha256.to_ascii_lowercase();
            block(&mut self.digests, "sha256", &sha256, rank, source);
        }
    }

    fn name(&mut self, rank: u8, name: &str) {
        // One name a line: what could be two is not for a list.
        let name = name.trim();
        if !name.is_empty() && !name.contains(char::is_whitespace) {
            add(&mut self.names, &[name], rank, vec![clip(name, KEPT_CHARS)]);
        }
    }

    fn log(&mut self, rank: u8, logs: &str, subject: &str, by: &str, place: &str) {
        let cells = [logs, subject, by, place];
        add(
            &mut self.logs,
            &[logs, subject],
            rank,
            cells.iter().map(|cell| clip(cell, KEPT_CHARS)).collect(),
        );
    }

    pub(super) fn finish(mut self, rotation: &Rotation, inventory: &Inventory) -> Lists {
        for row in &rotation.table.rows {
            let place = row.spots.first().map_or("", |spot| spot.locator.as_str());
            let subject = match &row.fingerprint {
                Some(fingerprint) => format!("{} {} ({fingerprint})", row.rule, row.redacted),
                None => format!("{} {}", row.rule, row.redacted),
            };
            let rank = if row.severity >= Severity::High { 0 } else { 2 };
            self.log(
                rank,
                "use of the credential",
                &subject,
                "whoever issued it",
                place,
            );
        }
        for kind in &inventory.kinds {
            for row in kind.table.rows.iter().filter(|row| row.party != "third") {
                match kind.kind.as_str() {
                    "internal-scope" => {
                        self.name(u8::from(row.confidence == "low") * 2, &row.value);
                    }
                    "bucket" => self.log(
                        2,
                        "access",
                        &row.value,
                        "whoever runs the storage",
                        &row.locator,
                    ),
                    _ => {}
                }
            }
        }
        Lists {
            rotate: rotate_lines(rotation),
            names: self.names.finish(),
            close: self.close.finish(),
            logs: self.logs.finish(),
            contain: self.contain.finish(),
            digests: self.digests.finish(),
            hosts: self.hosts.finish(),
            inventory: inventory_lines(inventory),
        }
    }
}

fn add(groups: &mut Groups<Line>, key: &[&str], rank: u8, cells: Vec<String>) {
    groups.add(
        group_key(key),
        || Line {
            rank,
            cells,
            further: 0,
        },
        |line| line.rank = line.rank.min(rank),
    );
}

/// `npm:NAME@VERSION` without what is not the name.
fn package_name(target: &str) -> &str {
    let bare = target.split_once(':').map_or(target, |(_, rest)| rest);
    match bare.rfind('@') {
        Some(at) if at > 0 => bare.get(..at).unwrap_or(bare),
        _ => bare,
    }
}

/// The lists, before they are written.
pub(super) struct Lists {
    rotate: Table<Line>,
    names: Table<Line>,
    close: Table<Line>,
    logs: Table<Line>,
    contain: Table<Line>,
    digests: Table<Line>,
    hosts: Table<Line>,
    inventory: Table<Line>,
}

/// The page's word for urgency.
fn urgency(rank: u8) -> &'static str {
    match rank {
        0 => "now",
        1 => "today",
        _ => "this week",
    }
}

fn rotate_lines(rotation: &Rotation) -> Table<Line> {
    let rows = rotation.table.rows.iter().map(|row| {
        let spots: Vec<String> = row
            .spots
            .iter()
            .map(|spot| match spot.line {
                Some(line) => format!("{}:{line}", spot.locator),
                None => spot.locator.clone(),
            })
            .collect();
        Line {
            rank: 0,
            further: 0,
            cells: vec![
                row.severity.as_str().to_owned(),
                row.rule.clone(),
                row.redacted.clone(),
                row.fingerprint.clone().unwrap_or_default(),
                row.check.clone(),
                row.tier.clone(),
                row.places.to_string(),
                spots.join(" | "),
                row.how.clone(),
                row.owner.clone(),
            ],
        }
    });
    Table {
        total: rotation.table.total,
        rows: rows.collect(),
    }
}

fn inventory_lines(inventory: &Inventory) -> Table<Line> {
    let mut rows = Vec::new();
    for kind in &inventory.kinds {
        rows.extend(kind.table.rows.iter().map(|row| Line {
            rank: 0,
            further: 0,
            cells: vec![
                kind.kind.clone(),
                row.value.clone(),
                row.confidence.clone(),
                row.party.clone(),
                row.places.to_string(),
                row.locator.clone(),
                row.line.map(|line| line.to_string()).unwrap_or_default(),
                row.detail.clone().unwrap_or_default(),
            ],
        }));
    }
    Table {
        total: inventory.distinct,
        rows,
    }
}

impl Lists {
    /// The files, and what the page says of each.
    pub(super) fn files(&self) -> Vec<(ListRow, ListFile)> {
        let with_urgency = |table: &Table<Line>| {
            let rows = table.rows.iter().map(|line| {
                let mut cells = vec![urgency(line.rank).to_owned()];
                cells.extend(line.cells.iter().cloned());
                cells
            });
            rows.collect::<Vec<_>>()
        };
        let bare = |table: &Table<Line>| -> Vec<Vec<String>> {
            table.rows.iter().map(|line| line.cells.clone()).collect()
        };
        vec![
            csv(
                "rotate.csv",
                "credentials to rotate, the worst first; the owner is for you to fill in",
                &[
                    "severity",
                    "rule",
                    "shown",
                    "fingerprint",
                    "check",
                    "tier",
                    "places",
                    "first places",
                    "how",
                    "owner",
                ],
                &bare(&self.rotate),
                self.rotate.total,
            ),
            csv(
                "close.csv",
                "buckets and addresses that the input points to and does not hold: look, and shut",
                &["urgency", "kind", "target", "found in"],
                &with_urgency(&self.close),
                self.close.total,
            ),
            csv(
                "preserve-logs.csv",
                "logs to have kept before they are deleted",
                &["urgency", "logs of", "subject", "ask", "why: found in"],
                &with_urgency(&self.logs),
                self.logs.total,
            ),
            csv(
                "containment.csv",
                "mirrors, caches and archives to check by hand for each package with findings; the status is for you to fill in",
                &Containment::HEAD,
                &with_urgency(&self.contain),
                self.contain.total,
            ),
            text(
                "reserve-names.txt",
                "package names and scopes that somebody else could take",
                &self.names,
            ),
            text(
                "block-sha256.txt",
                "SHA-256 of archives, exposed files, copied files, and files of copies with signs of tampering, for proxies and scanners",
                &self.digests,
            ),
            text(
                "block-hosts.txt",
                "hosts that the input points to for more of it, and those that were put into copies",
                &self.hosts,
            ),
            csv(
                "block-sources.csv",
                "what each line of the two lists above comes from; where it was put into a copy, which copy and by which rule",
                &[
                    "urgency",
                    "value",
                    "kind",
                    "because",
                    "by",
                    "copy",
                    "first place",
                    "line",
                    "further finds",
                ],
                &sources(&self.digests, &self.hosts),
                self.digests.total.saturating_add(self.hosts.total),
            ),
            csv(
                "inventory.csv",
                "each value of the inventory once, with its first place",
                &[
                    "kind",
                    "value",
                    "confidence",
                    "party",
                    "places",
                    "first place",
                    "line",
                    "detail",
                ],
                &bare(&self.inventory),
                self.inventory.total,
            ),
        ]
    }
}

fn csv(
    name: &'static str,
    holds: &str,
    head: &[&str],
    rows: &[Vec<String>],
    total: u64,
) -> (ListRow, ListFile) {
    let mut text = head.join(",");
    text.push_str("\r\n");
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| csv_cell(cell)).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    listed(name, holds, count_of(rows.len()), total, text)
}

fn text(name: &'static str, holds: &str, table: &Table<Line>) -> (ListRow, ListFile) {
    let mut text = String::new();
    for cell in table.rows.iter().filter_map(|line| line.cells.first()) {
        text.push_str(&visible(cell));
        text.push('\n');
    }
    listed(name, holds, count_of(table.rows.len()), table.total, text)
}

fn listed(
    name: &'static str,
    holds: &str,
    lines: u64,
    total: u64,
    text: String,
) -> (ListRow, ListFile) {
    let row = ListRow {
        file: name.to_owned(),
        holds: holds.to_owned(),
        lines,
        total,
    };
    (row, ListFile { name, text })
}

/// A cell as RFC 4180 has it, with nothing invisible in it, and nothing that a spreadsheet would run.
pub(super) fn csv_cell(cell: &str) -> String {
    let mut out = String::with_capacity(cell.len() + 2);
    // What comes in front of a formula may be blank.
    if cell.trim_start().starts_with(['=', '+', '-', '@']) || cell.starts_with(['\t', '\r']) {
        out.push('\'');
    }
    out.push_str(&visible(cell));
    if out.contains([',', '"']) {
        out = format!("\"{}\"", out.replace('"', "\"\""));
    }
    out
}

/// How many lines each list has, by its name.
pub(super) fn lines_of(rows: &[ListRow]) -> BTreeMap<&str, u64> {
    rows.iter()
        .map(|row| (row.file.as_str(), row.lines))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_cannot_become_formulas_or_more_cells() {
        assert_eq!(csv_cell("plain"), "plain");
        for hostile in ["=1+1", "+1", "-1", "@x", "\t=1", " =1"] {
            assert!(csv_cell(hostile).starts_with('\''), "{hostile:?}");
        }
        assert_eq!(csv_cell("a,\"b\"\r\nc"), "\"a,\"\"b\"\"[U+000D][U+000A]c\"");
        assert_eq!(csv_cell("gnp\u{202E}"), "gnp[U+202E]");
    }

    #[test]
    fn names_of_packages_in_references() {
        assert_eq!(package_name("npm:@acme/inner@1.2.3"), "@acme/inner");
        assert_eq!(package_name("npm:@acme/inner"), "@acme/inner");
        assert_eq!(package_name("npm:left@2"), "left");
    }
}
