//! The records of one copy: a `comparison`, a `change` for each file that is not equal, a `sign` for each sign of tampering.

use std::collections::BTreeMap;

use super::delta::{Delta, Detail, Pair};
use super::tamper::Found;
use super::tree::{Reading, Tree, shown_path};
use crate::blob::url::without_passwords;
use crate::record::{Change, ChangeKind, Comparison, FileCounts, Record, Sign};

/// The records of a copy, sorted by locator.
#[must_use]
pub fn of(
    original: (&str, &Reading),
    copy: &Reading,
    delta: &Delta,
    signs: &[Found],
) -> Vec<Record> {
    let (label, of_original) = original;
    let mut by_rule: BTreeMap<String, u64> = BTreeMap::new();
    for found in signs {
        *by_rule.entry(found.rule.clone().into_owned()).or_insert(0) += 1;
    }
    let tree = &copy.tree;
    let whole = Comparison {
        locator: tree.root.clone(),
        hops: tree.hops.clone(),
        original: label.to_owned(),
        files: FileCounts {
            unread: of_original.unread + copy.unread,
            ..delta.counts.clone()
        },
        bytes_original: delta.bytes_original,
        bytes_held: delta.bytes_held,
        bytes_outside: delta.bytes_outside,
        lines_outside: delta.lines_outside,
        headers_removed: delta.headers_removed,
        signs: by_rule,
        complete: of_original.tree.complete && tree.complete,
        copy_folder: folder(&delta.shift.copy),
        original_folder: folder(&delta.shift.original),
    };
    let pairs = delta.pairs.iter().zip(&delta.details);
    let changes = pairs.map(|(pair, detail)| change(tree, pair, detail));
    let mut changes: Vec<Change> = changes.collect();
    changes.sort_by(|a, b| (&a.path, &a.original).cmp(&(&b.path, &b.original)));
    let mut signs: Vec<Sign> = signs.iter().map(|found| sign(tree, found)).collect();
    signs.sort_by(|a, b| (a.line, &a.rule).cmp(&(b.line, &b.rule)));
    let whole = (whole.locator.clone(), Record::from(whole));
    let changes = changes.into_iter();
    let changes = changes.map(|row| (row.locator.clone(), Record::from(row)));
    let signs = signs.into_iter();
    let signs = signs.map(|row| (row.locator.clone(), Record::from(row)));
    let mut records: Vec<(String, Record)> =
        [whole].into_iter().chain(changes).chain(signs).collect();
    records.sort_by(|a, b| a.0.cmp(&b.0));
    records.into_iter().map(|(_, record)| record).collect()
}

/// A folder as it is shown, without its slash; `None` for the root.
fn folder(path: &[u8]) -> Option<String> {
    path.strip_suffix(b"/").map(shown_path)
}

fn change(tree: &Tree, pair: &Pair, detail: &Detail) -> Change {
    let (locator, hops) = match pair.copy {
        Some((_, file)) => (file.locator.clone(), file.hops.clone()),
        None => (tree.root.clone(), tree.hops.clone()),
    };
    let copy = pair.copy.map(|(_, file)| file);
    let is_same_text = matches!(pair.kind, ChangeKind::Reformatted | ChangeKind::Moved);
    let lines = detail.lines.as_deref();
    let none = is_same_text.then_some(0);
    let outside = match (lines, detail.all_lines) {
        (Some(lines), _) => lines.outside.clone(),
        (None, Some(all @ 1..)) => vec![[1, all]],
        _ => Vec::new(),
    };
    Change {
        locator,
        hops,
        root: tree.root.clone(),
        kind: pair.kind,
        path: pair.copy.map(|(path, _)| shown_path(path)),
        original: pair.original.map(|(path, _)| shown_path(path)),
        sha256: copy.and_then(|file| file.sha256).map(|digest| digest.hex()),
        original_sha256: pair
            .original
            .and_then(|(_, file)| file.sha256)
            .map(|digest| digest.hex()),
        content: copy.map(|file| file.content.clone()),
        bytes: copy.map(|file| file.len),
        lines_added: lines.map(|lines| lines.added).or(detail.all_lines).or(none),
        lines_removed: lines.map(|lines| lines.removed).or(none),
        outside,
        header_removed: detail.header_removed,
        lines_ordered: lines.is_none_or(|lines| lines.is_ordered),
    }
}

fn sign(tree: &Tree, found: &Found) -> Sign {
    let file = tree.files.get(&found.path);
    let (locator, hops) = match file {
        Some(file) => (file.locator.clone(), file.hops.clone()),
        None => (tree.root.clone(), tree.hops.clone()),
    };
    Sign {
        rule: found.rule.clone().into_owned(),
        severity: found.severity,
        certainty: found.certainty,
        locator,
        hops,
        root: tree.root.clone(),
        path: shown_path(&found.path),
        line: found.line,
        found: without_passwords(&found.found).into_owned(),
        original: (found.original.as_deref()).map(|text| without_passwords(text).into_owned()),
        sha256: file.and_then(|file| file.sha256).map(|digest| digest.hex()),
    }
}
