//! What is to be blocked, and where each value comes from.
//!
//! A value may have many sources. The most urgent is named, of those the first by name, so that the order of records decides
//! nothing; the others are counted.

use super::super::bounded::{Groups, Table, Urgent, group_key};
use super::super::text::{KEPT_CHARS, clip};
use super::{Line, urgency};

/// Where a value to be blocked comes from.
pub(super) struct Source<'s> {
    /// What it is, in the program's words.
    pub(super) because: &'static str,
    /// The rule, class or release that says so.
    pub(super) by: &'s str,
    /// The copy that it is in, where it was put into one.
    pub(super) root: &'s str,
    pub(super) place: &'s str,
    pub(super) line: Option<u64>,
}

/// Adds a value to be blocked. Of several sources the most urgent is named, of those the first by name, whichever comes first.
pub(super) fn block(
    groups: &mut Groups<Line>,
    kind: &str,
    value: &str,
    rank: u8,
    source: &Source<'_>,
) {
    let cells = [
        value,
        kind,
        source.because,
        source.by,
        source.root,
        source.place,
    ];
    let mut cells: Vec<String> = cells.iter().map(|cell| clip(cell, KEPT_CHARS)).collect();
    cells.push(source.line.map_or(String::new(), |line| line.to_string()));
    let line = Line {
        rank,
        cells,
        further: 0,
    };
    let other = line.clone();
    groups.add(
        group_key(&[value]),
        || line,
        |line| {
            let further = line.further + 1;
            if other.rank() < line.rank() {
                *line = other;
            }
            line.further = further;
        },
    );
}

/// Lines on those of both block lists, in their order.
pub(super) fn sources(digests: &Table<Line>, hosts: &Table<Line>) -> Vec<Vec<String>> {
    let lines = digests.rows.iter().chain(&hosts.rows);
    let row = |line: &Line| {
        let mut cells = vec![urgency(line.rank).to_owned()];
        cells.extend(line.cells.iter().cloned());
        cells.push(line.further.to_string());
        cells
    };
    lines.map(row).collect()
}

/// Rules for tampering whose find is an address, or a host.
const OF_HOSTS: [&str; 4] = ["new-host", "webhook", "download-and-run", "download-link"];

/// The host that a sign names: that of its first address, or all that was found where that is a name of a host.
pub(in crate::report) fn host_in(rule: &str, found: &str) -> Option<String> {
    if !OF_HOSTS.contains(&rule) {
        return None;
    }
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>' | ')');
    let address = found.find("://").and_then(|at| {
        let from = found.get(..at)?.rfind(|c: char| !c.is_ascii_alphabetic());
        found
            .get(from.map_or(0, |from| from + 1)..)?
            .split(ends)
            .next()
    });
    if let Some(address) = address {
        let url = url::Url::parse(address).ok()?;
        return url.host_str().map(str::to_owned);
    }
    let is_name = found.contains('.')
        && found.split('.').all(|label| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        });
    is_name.then(|| found.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_signs_are_read_where_a_rule_is_about_hosts() {
        let host = |rule, found| host_in(rule, found);
        assert_eq!(
            host("webhook", "fetch('https://Hooks.evil.example/api/1')").as_deref(),
            Some("hooks.evil.example")
        );
        assert_eq!(
            host("new-host", "C2.evil.example").as_deref(),
            Some("c2.evil.example")
        );
        assert_eq!(host("new-host", "two words.example"), None);
        assert_eq!(host("install-script", "https://evil.example"), None);
    }

    #[test]
    fn the_most_urgent_source_is_named_in_any_order_and_the_others_are_counted() {
        let source = |because, by, place| Source {
            because,
            by,
            root: "",
            place,
            line: None,
        };
        let all = [
            (3, source("file of the work", "acme-cli", "b")),
            (1, source("put into a copy", "install-script", "d")),
            (1, source("put into a copy", "install-script", "c")),
        ];
        let rows = |order: [usize; 3]| {
            let mut groups = Groups::new(10);
            for (rank, source) in order.iter().map(|&at| &all[at]) {
                block(&mut groups, "sha256", "ab", *rank, source);
            }
            sources(&groups.finish(), &Table::default())
        };
        let first = rows([0, 1, 2]);
        assert_eq!(
            first,
            [[
                "today",
                "ab",
                "sha256",
                "put into a copy",
                "install-script",
                "",
                "c",
                "",
                "2"
            ]]
        );
        for order in [[2, 1, 0], [1, 0, 2], [2, 0, 1]] {
            assert_eq!(rows(order), first);
        }
    }
}
