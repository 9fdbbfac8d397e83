//! Since when: the releases of a package side by side, and the history of each finding.
//!
//! Two tables. Releases stand in the order of versions, with what changed from one to the next; a size that jumped is
//! marked by a word. Findings stand worst first, those that the newest release still has before those that went. Dates are
//! publish dates, or unknown.
//!
//! Left out: contents of single sources, which are counted by release here and told apart by the records.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use super::bounded::{Table, Top};
use super::model::ROWS;
use super::text::{KEPT_CHARS, clip};
use super::views::{View, WITHHELD};
use crate::record::{Grown, Release, Severity, Since, SinceSubject, Window};

/// Releases of packages of which the input holds several, and the history of what is in them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Releases {
    /// Packages with more than one release in the input.
    pub packages: u64,
    /// Findings that are in the newest release of the input.
    pub still_there: u64,
    /// Findings that are in an earlier one and not in the newest.
    pub gone: u64,
    /// Findings of which that cannot be told, since the newest was not read in full.
    pub unknown: u64,
    /// By package, then in the order of versions.
    pub releases: Table<ReleaseRow>,
    /// Worst first.
    pub findings: Table<SinceRow>,
    /// The worst of what is there, and the earliest of these; null without findings.
    pub worst: Option<Worst>,
}

/// The findings of the worst severity: of those that the newest release has; where it has none, of those of which that cannot
/// be told; else of those that went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Worst {
    /// The newest release has them; null where that cannot be told.
    pub still_there: Option<bool>,
    /// Their severity; null where none of them has one of its own.
    pub severity: Option<Severity>,
    /// How many they are.
    pub findings: u64,
    /// Of those, findings that came with a release whose publish date is known.
    pub dated: u64,
    /// The earliest of these.
    pub earliest: Option<Earliest>,
}

/// The release with which a finding came.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Earliest {
    /// When it was published.
    pub published: String,
    /// Name of the package.
    pub name: String,
    /// The release.
    pub version: String,
}

/// One release.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReleaseRow {
    /// Name of the package.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where.
    pub locator: String,
    /// When it was published; null where nothing says so.
    pub published: Option<String>,
    /// What says so.
    pub published_by: Option<String>,
    /// How often it was fetched, as the user's list says.
    pub downloads: Option<u64>,
    /// Versions published before it and not in the input, back to the release before; null where that is not known.
    pub unseen_before: Option<u64>,
    /// Of the newest: versions behind it that were published and are not in the input.
    pub unseen_after: Option<u64>,
    /// Bytes of the archive.
    pub archive_bytes: Option<Grown>,
    /// Files in it.
    pub files: Grown,
    /// Maps in it.
    pub maps: Grown,
    /// Bytes of own recovered sources.
    pub own_bytes: Grown,
    /// Sizes that moved out of proportion.
    pub jumps: Vec<String>,
    /// Findings that came with it.
    pub introduced: u64,
    /// Findings that it is without and the release before had.
    pub removed: u64,
    /// Own contents that came with it.
    pub contents_new: u64,
    /// Own contents that went.
    pub contents_gone: u64,
    /// All of it was read.
    pub complete: bool,
    /// Several places hold it with different bytes.
    pub differs: bool,
}

/// The history of one finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SinceRow {
    /// Name of the package.
    pub name: String,
    /// What kind of finding.
    pub subject: SinceSubject,
    /// Class, rule, or path of a map.
    pub what: String,
    /// What tells one secret from another.
    pub identity: Option<String>,
    /// The worst severity that it had.
    pub severity: Option<Severity>,
    /// How many contents the row stands for, where it is about sources; else 1.
    pub count: u64,
    /// One place in the first release with it.
    pub locator: String,
    /// The first release with it.
    pub introduced: String,
    /// The release before that is known to be without it.
    pub not_before: Option<String>,
    /// Versions between those two that are not in the input; null where that is not known.
    pub unseen: Option<u64>,
    /// The last release with it.
    pub last: String,
    /// The first release after that is known to be without it.
    pub removed: Option<String>,
    /// The newest release has it; null where that cannot be told.
    pub still_there: Option<bool>,
    /// Publish dates of the first and of the removing release.
    pub window: Window,
}

/// By package, then by order.
type ReleaseKey = (String, u64);
/// Worst first, then those that stay, then by kind, package and what it is.
type SinceKey = (
    Reverse<Option<Severity>>,
    bool,
    SinceSubject,
    String,
    String,
    String,
);

/// What is kept while records stream by.
#[derive(Debug)]
pub(super) struct ReleasesGathered {
    packages: u64,
    still_there: u64,
    gone: u64,
    unknown: u64,
    releases: Top<ReleaseKey, ReleaseRow>,
    findings: Top<SinceKey, SinceRow>,
    /// The worst so far of what is there, what may be, and what went.
    worst: BTreeMap<Presence, Worst>,
}

/// What is there comes before what may be, and that before what went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Presence {
    There,
    NotKnown,
    Gone,
}

impl Default for ReleasesGathered {
    fn default() -> Self {
        Self {
            packages: 0,
            still_there: 0,
            gone: 0,
            unknown: 0,
            releases: Top::new(ROWS),
            findings: Top::new(ROWS),
            worst: BTreeMap::new(),
        }
    }
}

fn kept(text: &str) -> String {
    clip(text, KEPT_CHARS)
}

impl ReleasesGathered {
    pub(super) fn add_release(&mut self, release: Release) {
        self.packages += u64::from(release.position == 1);
        let row = ReleaseRow {
            name: kept(&release.name),
            version: kept(&release.version),
            locator: kept(&release.locator),
            published: release.published,
            published_by: release.published_by.as_deref().map(kept),
            downloads: release.downloads,
            unseen_before: release.unseen_before,
            unseen_after: release.unseen_after,
            archive_bytes: release.archive_bytes,
            files: release.files,
            maps: release.maps,
            own_bytes: release.own_bytes,
            jumps: release.jumps,
            introduced: release.introduced,
            removed: release.removed,
            contents_new: release.contents_new,
            contents_gone: release.contents_gone,
            complete: release.complete,
            differs: release.differs,
        };
        self.releases
            .push((row.name.clone(), release.position), row);
    }

    pub(super) fn add_since(&mut self, since: Since) {
        match since.still_there {
            Some(true) => self.still_there += 1,
            Some(false) => self.gone += 1,
            None => self.unknown += 1,
        }
        self.note_worst(&since);
        let row = SinceRow {
            name: kept(&since.name),
            subject: since.subject,
            what: kept(&since.what),
            identity: since.identity.as_deref().map(kept),
            severity: since.severity,
            count: since.count,
            locator: kept(&since.locator),
            introduced: kept(&since.introduced),
            not_before: since.not_before.as_deref().map(kept),
            unseen: since.unseen,
            last: kept(&since.last),
            removed: since.removed.as_deref().map(kept),
            still_there: since.still_there,
            window: since.window,
        };
        let key = (
            Reverse(row.severity),
            row.still_there == Some(false),
            row.subject,
            row.name.clone(),
            row.what.clone(),
            row.introduced.clone(),
        );
        self.findings.push(key, row);
    }

    /// The table is bounded, and an earliest among what it kept would not be the earliest.
    fn note_worst(&mut self, since: &Since) {
        let presence = match since.still_there {
            Some(true) => Presence::There,
            None => Presence::NotKnown,
            Some(false) => Presence::Gone,
        };
        let none = || Worst {
            still_there: since.still_there,
            severity: since.severity,
            findings: 0,
            dated: 0,
            earliest: None,
        };
        let worst = self.worst.entry(presence).or_insert_with(none);
        if since.severity < worst.severity {
            return;
        }
        if since.severity > worst.severity {
            *worst = none();
        }
        worst.findings += 1;
        let Some(from) = &since.window.from else {
            return;
        };
        worst.dated += 1;
        let one = Earliest {
            published: kept(from),
            name: kept(&since.name),
            version: kept(&since.introduced),
        };
        if worst.earliest.as_ref().is_none_or(|known| one < *known) {
            worst.earliest = Some(one);
        }
    }

    pub(super) fn finish(mut self) -> Releases {
        Releases {
            worst: self.worst.pop_first().map(|(_, worst)| worst),
            packages: self.packages,
            still_there: self.still_there,
            gone: self.gone,
            unknown: self.unknown,
            releases: self.releases.finish(),
            findings: self.findings.finish(),
        }
    }
}

impl ReleaseRow {
    /// What is out of the ordinary, in words.
    pub fn remarks(&self) -> String {
        let mut said: Vec<String> = self
            .jumps
            .iter()
            .map(|name| format!("jump: {}", name.replace('_', " ")))
            .collect();
        if let Some(count) = self.unseen_before.filter(|count| *count > 0) {
            said.push(format!("{count} published before it and not in the input"));
        }
        if let Some(count) = self.unseen_after.filter(|count| *count > 0) {
            said.push(format!("{count} published after it and not in the input"));
        }
        if self.differs {
            said.push("places with different bytes".to_owned());
        }
        if !self.complete {
            said.push("not read in full".to_owned());
        }
        said.join("; ")
    }
}

impl SinceRow {
    /// The kind in words.
    pub fn subject_word(&self) -> &'static str {
        match self.subject {
            SinceSubject::Exposure => "exposure",
            SinceSubject::Map => "map",
            SinceSubject::Secret => "secret",
            SinceSubject::Source => "contents of own sources",
        }
    }

    /// How long, in words.
    pub fn window_words(&self, view: &View) -> String {
        const DAY: u64 = 86_400;
        if *view == View::Public {
            return WITHHELD.to_owned();
        }
        let Some(from) = &self.window.from else {
            return "unknown: no publish dates".to_owned();
        };
        match (&self.window.until, self.window.seconds, self.still_there) {
            (Some(until), Some(seconds), _) if seconds < 2 * DAY => {
                format!("{from} to {until}: {} hours", seconds / 3_600)
            }
            (Some(until), Some(seconds), _) => format!("{from} to {until}: {} days", seconds / DAY),
            (Some(until), None, _) => {
                format!("{from} to {until}, which is earlier: the dates contradict the versions")
            }
            (None, _, Some(true)) => format!("since {from}; the newest release has it"),
            (None, ..) => format!("since {from}; its end is unknown"),
        }
    }

    /// The newest release has it, in a word.
    pub fn still_word(&self) -> &'static str {
        match self.still_there {
            Some(true) => "yes",
            Some(false) => "no",
            None => "cannot be told",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::Model;
    use super::super::sample::{HOSTILE, full_ledger, release, run};
    use super::super::{Builder, Settings, render_html};
    use super::*;
    use crate::record::{Hops, Record};

    fn since(what: &str, severity: Option<Severity>, still_there: Option<bool>) -> Since {
        Since {
            locator: "m/acme-cli-1.0.0.tgz!/package/x.map".to_owned(),
            hops: Hops::default(),
            ecosystem: "npm".to_owned(),
            name: "@acme/cli".to_owned(),
            subject: SinceSubject::Exposure,
            what: what.to_owned(),
            identity: None,
            severity,
            count: 1,
            bytes: None,
            introduced: "1.0.0".to_owned(),
            not_before: None,
            unseen: None,
            last: "1.0.0".to_owned(),
            removed: None,
            still_there,
            releases: 1,
            absent_between: Vec::new(),
            window: Window::default(),
        }
    }

    fn model(rows: Vec<Record>) -> Model {
        let mut records = vec![Record::from(run())];
        records.extend(rows);
        records.push(Record::from(full_ledger()));
        Model::build(records)
    }

    #[test]
    fn the_worst_stands_first_and_what_stays_before_what_went() {
        let found = model(vec![
            Record::from(since("low", Some(Severity::Low), Some(true))),
            Record::from(since("gone", Some(Severity::High), Some(false))),
            Record::from(since("stays", Some(Severity::High), Some(true))),
            Record::from(release("1.10.0", 2, 1)),
            Record::from(release("1.9.0", 1, 0)),
        ])
        .releases;
        let order: Vec<&str> = found
            .findings
            .rows
            .iter()
            .map(|row| row.what.as_str())
            .collect();
        assert_eq!(order, ["stays", "gone", "low"]);
        let versions: Vec<&str> = found
            .releases
            .rows
            .iter()
            .map(|row| row.version.as_str())
            .collect();
        assert_eq!(versions, ["1.9.0", "1.10.0"]);
        assert_eq!((found.packages, found.still_there, found.gone), (1, 2, 1));
        assert_eq!(
            found.releases.rows[0].remarks(),
            "jump: own bytes; 1 published before it and not in the input"
        );
    }

    #[test]
    fn what_the_input_says_is_inert_on_the_page() {
        let mut hostile = since(HOSTILE, None, None);
        hostile.introduced = HOSTILE.to_owned();
        hostile.name = HOSTILE.to_owned();
        let mut version = release(HOSTILE, 1, 0);
        version.published_by = Some(HOSTILE.to_owned());
        let page = render_html(&model(vec![Record::from(hostile), Record::from(version)])).unwrap();
        assert!(page.contains("id=\"releases\"") && !page.contains("<script>"));
        assert!(
            !render_html(&model(Vec::new()))
                .unwrap()
                .contains("id=\"releases\"")
        );
    }

    #[test]
    fn windows_are_said_in_words() {
        let mut row = SinceRow {
            window: Window {
                from: Some("2026-03-01T00:00:00Z".to_owned()),
                until: Some("2026-03-01T05:30:00Z".to_owned()),
                seconds: Some(19_800),
            },
            ..finished(since("x", None, Some(false)))
        };
        let words = |row: &SinceRow| row.window_words(&View::Counsel);
        assert!(words(&row).ends_with(": 5 hours"));
        row.window.seconds = None;
        assert!(words(&row).contains("contradict"));
        row.window = Window::default();
        assert_eq!(words(&row), "unknown: no publish dates");
        assert_eq!(row.window_words(&View::Public), WITHHELD);
    }

    fn dated(what: &str, severity: Option<Severity>, still: Option<bool>, from: &str) -> Record {
        let mut row = since(what, severity, still);
        row.window.from = (!from.is_empty()).then(|| from.to_owned());
        Record::from(row)
    }

    fn first_page(records: Vec<Record>, view: View) -> String {
        let mut builder = Builder::new(Settings {
            view,
            key: b"0123456789abcdef".to_vec(),
            ..Settings::default()
        });
        let rest = [Record::from(run()), Record::from(full_ledger())];
        for record in records.into_iter().chain(rest) {
            builder.add(record).unwrap();
        }
        let mut answers = builder.finish().model.verdict.answers;
        answers.remove(1).answer
    }

    #[test]
    fn the_first_page_dates_the_worst_that_is_there() {
        use Severity::{Critical, High, Low};
        let mut records = vec![
            dated("old", Some(Low), Some(false), "2020-01-01T00:00:00Z"),
            dated("older", Some(Critical), Some(false), "2021-01-01T00:00:00Z"),
            dated("b", Some(High), Some(true), "2026-03-02T00:00:00Z"),
            dated("a", Some(High), Some(true), "2026-03-01T00:00:00Z"),
            dated("c", Some(Low), Some(true), "2025-01-01T00:00:00Z"),
        ];
        let said = first_page(records.clone(), View::Internal);
        assert!(
            said.contains(
                "of the 2 worst of these (high), the earliest has been out since 2026-03-01"
            ),
            "{said}"
        );
        assert!(
            said.contains("(2 more are in earlier releases only)"),
            "{said}"
        );
        records.push(dated("d", Some(High), Some(true), ""));
        let said = first_page(records.clone(), View::Internal);
        assert!(
            said.contains(
                "of the 3 worst of these (high), 2 have a publish date, and the earliest of those"
            ),
            "{said}"
        );
        // Nothing is there any more: the worst that was.
        records.truncate(2);
        let said = first_page(records.clone(), View::Internal);
        assert!(
            said.contains("the worst of those that went (critical) has been out since 2021-01-01"),
            "{said}"
        );
        let said = first_page(records, View::Public);
        assert!(
            said.contains("withheld in this view") && !said.contains("not known"),
            "{said}"
        );
        let said = first_page(Vec::new(), View::Public);
        assert!(
            said.contains("withheld in this view") && !said.contains("Not known"),
            "{said}"
        );
    }

    #[test]
    fn the_public_view_says_what_it_withholds() {
        let mut version = release("1.0.0", 1, 0);
        version.published = Some("2026-03-01T00:00:00Z".to_owned());
        version.downloads = Some(123_457);
        let mut builder = Builder::new(Settings {
            view: View::Public,
            key: b"0123456789abcdef".to_vec(),
            ..Settings::default()
        });
        for record in [
            Record::from(run()),
            Record::from(version),
            dated(
                "a",
                Some(Severity::High),
                Some(true),
                "2026-03-01T00:00:00Z",
            ),
            Record::from(full_ledger()),
        ] {
            builder.add(record).unwrap();
        }
        let model = builder.finish().model;
        assert_eq!(model.releases.releases.rows[0].downloads, None);
        let page = render_html(&model).unwrap();
        assert!(!page.contains("123,457") && !page.contains("2026-03-01"));
        let section = page.split("id=\"releases\"").nth(1).unwrap();
        let section = section.split("</section>\n</section>").next().unwrap();
        assert!(!section.contains("unknown"), "{section}");
        assert!(section.matches(WITHHELD).count() >= 3, "{section}");
        // An archive whose digest is withheld is no folder.
        let inputs = page.split("id=\"c-inputs\"").nth(1).unwrap();
        let inputs = inputs.split("</table>").next().unwrap();
        assert_eq!(inputs.matches(WITHHELD).count(), 1, "{inputs}");
        assert_eq!(inputs.matches("a folder").count(), 1, "{inputs}");
    }

    fn finished(row: Since) -> SinceRow {
        let mut gathered = ReleasesGathered::default();
        gathered.add_since(row);
        gathered.finish().findings.rows.remove(0)
    }
}
