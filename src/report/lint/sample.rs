//! The case that the examples of the rules are held against.

use std::collections::BTreeSet;

use super::facts::{CopyFact, Facts, Place, Private, Reviewed, Root, ScopeSaid, path_digest};
use crate::exposure::Organisation;

const PROFILE: &str = r#"
name = "Acme"
packages = ["acme-cli", "acme-sdk"]
domains = ["acme.example"]
mail_domains = ["acme.example"]
repositories = ["code.example/acme"]
code_names = ["heron"]
"#;

fn root(class: &str) -> Root {
    Root {
        class: class.to_owned(),
        has_paths: true,
        ..Root::default()
    }
}

fn copy(class: &str, matched: u64, unmatched: u64, reviewed: Reviewed) -> Root {
    Root {
        copy: Some(CopyFact {
            share: matched as f64 / 40.0,
            matched,
            total: 40,
            unmatched: Some(unmatched),
            unmatched_bytes: Some(unmatched * 100),
        }),
        reviewed,
        ..root(class)
    }
}

/// A small case: one address for each thing that may be true of one.
pub(super) fn facts() -> Facts {
    let mut facts = Facts {
        organisation: Organisation::parse(PROFILE, "acme.toml").ok(),
        ..Facts::default()
    };
    let confirmed = Reviewed::Confirmed;
    let rows = [
        ("u1/leak", Some(copy("verbatim", 40, 0, confirmed))),
        (
            "u2/part",
            Some(Root {
                licences: vec!["LICENSE (MIT)".to_owned()],
                ..copy("partial", 12, 388, confirmed)
            }),
        ),
        (
            "u3/rejected",
            Some(copy("partial", 1, 0, Reviewed::Rejected)),
        ),
        ("u4/open", Some(copy("verbatim", 40, 0, Reviewed::Open))),
        ("u5/changed", Some(copy("verbatim", 40, 0, Reviewed::Stale))),
        ("u6/other", Some(root("unrelated"))),
        (
            "u7/derived",
            Some(Root {
                is_suspect: true,
                reviewed: confirmed,
                ..root("derived")
            }),
        ),
        ("u8/hint", Some(copy("verbatim", 40, 0, confirmed))),
        ("u9/gone", Some(copy("verbatim", 40, 0, confirmed))),
        ("u10/unread", None),
        (
            "u11/past",
            Some(Root {
                is_history_only: true,
                ..copy("verbatim", 40, 0, confirmed)
            }),
        ),
        (
            "u12/claims",
            Some(Root {
                claims_own: Some("package acme-cli".to_owned()),
                ..copy("verbatim", 40, 0, confirmed)
            }),
        ),
        ("u13/fork", Some(root("own-public"))),
        ("u14/disputed", Some(copy("verbatim", 40, 0, confirmed))),
        ("acme/public", Some(root("own-public"))),
    ];
    for (path, root) in rows {
        let url = format!("https://code.example/{path}");
        let key = format!("code.example/{path}");
        let locator = format!("copies/{path}");
        let roots = root.iter().map(|_| locator.clone()).collect();
        let place = Place {
            shown: url,
            roots,
            is_proven: path != "u8/hint",
            contradicted: (path == "u14/disputed")
                .then(|| "row 7 says https://code.example/z/z".to_owned())
                .into_iter()
                .collect(),
            gone: (path == "u9/gone").then(|| "status 404".to_owned()),
        };
        facts.places.insert(key, place);
        if let Some(root) = root {
            facts
                .matched_paths
                .insert(path_digest(&locator, "src/query.ts"));
            facts.roots.insert(locator, root);
        }
    }
    for digit in ["1", "2"] {
        facts.commits.insert(digit.repeat(40));
    }
    let private = [
        ("heron", Private::CodeName),
        ("marlowe", Private::MaybeCodeName),
        ("quiet_reef_rollout", Private::Flag),
        ("ci.acme.internal", Private::Host),
        ("10.1.2.3", Private::Host),
        ("Ada Example", Private::Person),
        ("ACME-4711", Private::Ticket),
    ];
    facts.private = private
        .into_iter()
        .map(|(value, kind)| (value.to_owned(), kind))
        .collect();
    let held = BTreeSet::from(["copies/u1/leak".to_owned()]);
    facts.work_paths.insert("src/query.ts".to_owned(), held);
    facts
        .work_paths
        .insert("src/plan/unreleased.ts".to_owned(), BTreeSet::new());
    facts.open_packages.insert("acme-sdk".to_owned());
    facts.scope = ScopeSaid {
        supports_all: false,
        supports_sample: false,
        sentence: "9 of the 15 listed places were examined.".to_owned(),
        verdict: "A statement about all listed places is not supported.".to_owned(),
    };
    facts
}
