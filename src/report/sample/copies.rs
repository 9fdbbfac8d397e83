//! The copies of the made-up incident: where each was got from, what was changed in it, and what was made of what.

use std::collections::BTreeMap;

use crate::record::*;

/// The address of a copy of the sample.
pub fn url(name: &str) -> String {
    format!("https://code.forge.example/{name}/acme-cli")
}

/// Where a copy comes from.
pub fn origin(locator: &str, name: &str, parent: Option<&str>, certainty: Certainty) -> Origin {
    let is_proven = certainty == Certainty::Proven;
    Origin {
        locator: locator.to_owned(),
        hops: Hops::default(),
        path: Some(locator.to_owned()),
        url: Some(url(name)),
        host: Some("code.forge.example".to_owned()),
        parent: parent.map(url),
        network: is_proven.then(|| url("first")),
        seen_at: is_proven.then(|| "2026-04-02T09:30:00Z".to_owned()),
        present: !locator.is_empty(),
        listed: is_proven,
        by: if is_proven {
            OriginBy::Origins
        } else {
            OriginBy::GitRemote
        },
        certainty,
        acquired: is_proven.then(|| Acquired {
            person: Some("Dana Lee".to_owned()),
            headers: BTreeMap::from([("x-acme-inner".to_owned(), "1".to_owned())]),
            ..Acquired::default()
        }),
        contradicted_by: Vec::new(),
    }
}

/// A copy held against the original.
pub fn comparison(locator: &str, changed: u64, added: u64) -> Comparison {
    Comparison {
        locator: locator.to_owned(),
        hops: Hops::default(),
        original: "acme-cli".to_owned(),
        files: FileCounts {
            original: 1_003,
            copy: 1_003 + added,
            equal: 1_003 - changed,
            changed,
            added,
            ..FileCounts::default()
        },
        bytes_original: 5_610_020,
        bytes_held: 5_600_101,
        bytes_outside: 4_211,
        lines_outside: 137,
        headers_removed: 2,
        signs: BTreeMap::from([("install-script".to_owned(), 1)]),
        complete: true,
        copy_folder: None,
        original_folder: None,
    }
}

/// A file that a copy has otherwise.
pub fn change(root: &str, kind: ChangeKind, path: &str, lines: u64) -> Change {
    Change {
        locator: format!("{root}/{path}"),
        hops: Hops::default(),
        root: root.to_owned(),
        kind,
        path: (kind != ChangeKind::Removed).then(|| path.to_owned()),
        original: (kind != ChangeKind::Added).then(|| path.to_owned()),
        sha256: Some(super::digest(lines)),
        original_sha256: None,
        content: Some("javascript".to_owned()),
        bytes: Some(lines * 31),
        lines_added: Some(lines),
        lines_removed: Some(3),
        outside: vec![[12, 40], [77, 77]],
        header_removed: false,
        lines_ordered: true,
    }
}

/// A sign of tampering.
pub fn sign(root: &str, rule: &str, severity: Severity, path: &str, found: &str) -> Sign {
    Sign {
        rule: rule.to_owned(),
        severity,
        certainty: Certainty::Proven,
        locator: format!("{root}/{path}"),
        hops: Hops::default(),
        root: root.to_owned(),
        path: path.to_owned(),
        line: Some(7),
        found: found.to_owned(),
        original: None,
        sha256: Some(super::digest(4_242)),
    }
}

/// What a copy was made of.
pub fn lineage(locator: &str, parent: Option<&str>, basis: ParentBasis) -> Lineage {
    Lineage {
        locator: locator.to_owned(),
        hops: Hops::default(),
        network: Some(url("first")),
        family: locator.to_owned(),
        family_size: 1,
        parent: parent.map(str::to_owned),
        parent_basis: parent.map(|_| basis),
        parent_ties: Vec::new(),
        parent_url: None,
        contradicted: false,
        changes_shared: 14,
        changes_own: 3,
        first: Some("2026-04-01T08:00:00Z".to_owned()),
        first_basis: Some("git-author".to_owned()),
        bounded: false,
    }
}

/// What the records of copies in [`incident`](super::incident) are beside.
pub fn beside() -> Vec<Record> {
    let (verbatim, formatted, partial) = (
        "mirror/clone-verbatim",
        "mirror/clone-formatted.zip",
        "mirror/clone-partial",
    );
    vec![
        origin(verbatim, "first", None, Certainty::Proven).into(),
        origin(formatted, "second", Some("first"), Certainty::Proven).into(),
        origin(partial, "third", None, Certainty::Hint).into(),
        origin("", "fourth", Some("first"), Certainty::Proven).into(),
        comparison(verbatim, 0, 0).into(),
        comparison(formatted, 14, 3).into(),
        change(formatted, ChangeKind::Changed, "package.json", 2).into(),
        change(formatted, ChangeKind::Added, "scripts/setup.js", 131).into(),
        change(formatted, ChangeKind::Removed, "LICENSE.md", 0).into(),
        sign(
            formatted,
            "install-script",
            Severity::High,
            "package.json",
            "postinstall: node scripts/setup.js",
        )
        .into(),
        sign(
            formatted,
            "new-host",
            Severity::High,
            "scripts/setup.js",
            "https://drop.forge.example/in",
        )
        .into(),
        sign(
            formatted,
            "ci-workflow",
            Severity::Low,
            ".ci/build.yml",
            "a workflow",
        )
        .into(),
        lineage(verbatim, None, ParentBasis::Recorded).into(),
        lineage(formatted, Some(verbatim), ParentBasis::Recorded).into(),
        lineage(partial, Some(formatted), ParentBasis::SharedChanges).into(),
    ]
}
