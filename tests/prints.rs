//! The fingerprints that matching is built on, held against a second implementation ([`slowly`]) that was written from
//! their documentation: on texts that nobody would write, and on real files. What stored sets rest on is the values; so they
//! are compared one by one, with their places, and whoever makes the first implementation faster hears of it here.
//!
//! The packages are those of `fixtures/packages.tsv`; without them the test that needs them says so and passes, unless
//! STRANDLINE_REQUIRE_PACKAGES=1.

mod common;
#[path = "prints/slowly.rs"]
mod slowly;

use std::collections::{BTreeMap, HashSet};
use std::io::Read as _;

use base64::Engine as _;
use proptest::prelude::*;
use strandline::lex::{Family, family_of};
use strandline::signature::prints::{FilePrints, Print, Side, Tier, prints_of};

const FAMILIES: [Family; Family::ALL.len()] = Family::ALL;

/// All fingerprints of a text, in the order in which they are given.
fn given(family: Family, text: &[u8], side: Side) -> Vec<slowly::Row> {
    let mut rows = Vec::new();
    prints_of(family, text, side, |tier, print| {
        let Print { value, start, end } = print;
        rows.push((tier, value, start, end));
    });
    rows
}

/// Both ways come to the same on either side of a comparison.
fn compare(family: Family, text: &[u8]) -> Result<(), String> {
    compare_side(family, text, Side::Original)?;
    compare_side(family, text, Side::Target)
}

/// What a fault says is the first row that only one of both ways has.
fn compare_side(family: Family, text: &[u8], side: Side) -> Result<(), String> {
    let (mut ours, mut slow) = (
        given(family, text, side),
        slowly::prints(family, text, side),
    );
    for rows in [&mut ours, &mut slow] {
        rows.sort_unstable();
    }
    if ours == slow {
        return Ok(());
    }
    let only = |one: &[slowly::Row], other: &[slowly::Row]| {
        let other: HashSet<_> = other.iter().collect();
        one.iter().find(|row| !other.contains(row)).copied()
    };
    Err(format!(
        "{family:?}, {side:?}, {} and {} fingerprints: {:?} is given only, {:?} is of the page only",
        ours.len(),
        slow.len(),
        only(&ours, &slow),
        only(&slow, &ours),
    ))
}

/// What a set keeps of a text, made of all its fingerprints: each value once, at its first place, by lines.
fn compare_file(text: &[u8]) -> Result<(), String> {
    let family = family_of(text);
    let file = FilePrints::of(text);
    let line = |at: u32| {
        let before = &text[..at as usize];
        let ends = (0..before.len()).filter(|&at| match text[at] {
            b'\n' => true,
            b'\r' => text.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        1 + ends.count() as u32
    };
    for tier in Tier::ALL {
        let mut rows: Vec<_> = slowly::prints(family, text, Side::Original);
        rows.retain(|row| row.0 == tier);
        rows.sort_unstable_by_key(|&(_, value, start, end)| (start, end, value));
        let mut seen = HashSet::new();
        rows.retain(|row| seen.insert(row.1));
        let mut expected: Vec<_> = rows
            .iter()
            .map(|&(_, value, start, end)| {
                let first = line(start);
                (value, first, line(end.saturating_sub(1).max(start)) - first)
            })
            .collect();
        let kept = file.of_tier(tier).iter();
        let mut kept: Vec<_> = kept.map(|one| (one.value, one.line, one.spans)).collect();
        let lines: Vec<u32> = kept.iter().map(|one| one.1).collect();
        if !lines.is_sorted() {
            return Err(format!("{tier:?}: not in the order of their places"));
        }
        // Values that begin and end together have no order of their own.
        kept.sort_unstable();
        expected.sort_unstable();
        if kept != expected {
            return Err(format!("{tier:?}: {kept:?} is kept, and not {expected:?}"));
        }
    }
    Ok(())
}

/// What means something to the lexers, or to a tier.
const SHARDS: &[&str] = &[
    "harbour",
    "vesselName",
    "tide_table",
    "$x",
    "Ab",
    "q",
    "_",
    "undefined",
    "élan",
    "main",
    "this",
    "void 0",
    "void ",
    "!0",
    "!1",
    "!",
    "!!",
    "true",
    "false",
    "null",
    "None",
    "True",
    "function ",
    "=>",
    "for ",
    "while ",
    "do ",
    "if ",
    "else ",
    "return ",
    "var ",
    "let ",
    "const ",
    "import ",
    "export ",
    "default ",
    "class ",
    "def ",
    "fn ",
    "struct ",
    "pub ",
    "async ",
    "==",
    "===",
    "!=",
    "!==",
    "&&",
    "||",
    "??",
    "?.",
    "?",
    ":",
    "=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "<",
    ">",
    "&",
    "|",
    ".",
    ",",
    ";",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",,",
    ",)",
    ",;)",
    "\n",
    "\r\n",
    "\r",
    "\t",
    " ",
    "0",
    "1",
    "255",
    "256",
    "0x1F4",
    "1.125",
    "1.5",
    "3e9",
    "0.0001",
    "1_000n",
    "\"berth-number\"",
    "'no pilot: \\x27\\n'",
    "`tide ${level} of`",
    "/^cargo-\\d+$/",
    "// (c) them\n",
    "/* a */",
    "<<~A\n",
    "%w(",
    "$(",
    "$'",
    "--",
    "@media ",
    "<script>",
    "</script>",
    "SELECT ",
    "&quot;",
    "&nbsp;",
    "&#x27;",
    "\\&lt;",
];

/// Longer ones.
fn shard() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => prop::sample::select(SHARDS.to_vec()).prop_map(str::to_owned),
        1 => "[a-zA-Z_$-]{1,12}".prop_map(|word| format!(" {word} ")),
        1 => "[a-z]{120,140}".prop_map(|word| format!("\"{word}\"")),
        1 => "[ a-z\\\\\r\n]{0,40}".prop_map(|text| format!("\"{text}\"")),
        1 => "[ a-z\\\\\r\n]{0,40}".prop_map(|text| format!("`{text}`")),
        1 => "[0-9]{1,5}(\\.[0-9_]{0,5})?".prop_map(|number| format!(" {number} ")),
        1 => (0..14_usize).prop_map(|count| "[3, 'ab', 4096,".repeat(count)),
        1 => (0..14_usize).prop_map(|count| (0..count).map(|n| format!("{}, ", n + 300)).collect()),
        1 => prop::collection::vec("[ -~]{0,20}|[A-Za-z0-9+/]{3,9}", 0..14).prop_map(obfuscated),
        1 => (any::<bool>(), "[a-z =;'().0-9\n]{150,300}").prop_map(|(is_packed, text)| {
            let text = if is_packed { common::gzip(text.as_bytes()) } else { text.into_bytes() };
            let digits = base64::engine::general_purpose::STANDARD.encode(text);
            format!("\"{digits}\"")
        }),
    ]
}

/// Strings as an obfuscator has them, and some that only look so.
fn obfuscated(texts: Vec<String>) -> String {
    let engine = base64::engine::general_purpose::STANDARD_NO_PAD;
    let swap = |c: char| match c {
        'a'..='z' => c.to_ascii_uppercase(),
        c => c.to_ascii_lowercase(),
    };
    let rows = texts.iter().map(|text| {
        let digits: String = engine.encode(text).chars().map(swap).collect();
        format!("'{digits}', '{}', ", text.replace(['\\', '\''], ""))
    });
    rows.collect()
}

fn text() -> impl Strategy<Value = String> {
    // Short ones, which shrink to something, and those that fill windows.
    let shards = prop_oneof![
        prop::collection::vec(shard(), 0..40),
        prop::collection::vec(shard(), 100..400),
    ];
    let gaps = prop::sample::select(vec!["", " "]);
    (shards, gaps).prop_map(|(shards, gap)| shards.join(gap))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn any_text_has_the_fingerprints_of_the_page(text in text()) {
        for family in FAMILIES {
            prop_assert_eq!(compare(family, text.as_bytes()), Ok(()), "{:?}", text);
        }
        prop_assert_eq!(compare_file(text.as_bytes()), Ok(()), "{:?}", text);
    }

    #[test]
    fn any_bytes_have_the_fingerprints_of_the_page(text in prop::collection::vec(any::<u8>(), 0..600)) {
        for family in FAMILIES {
            prop_assert_eq!(compare(family, &text), Ok(()), "{:?}", text);
        }
    }
}

/// A real file is not longer, in bytes: the plain way takes its time.
const FILE_MAX: usize = 20 << 10;
/// Members of a package that are looked at.
const MEMBERS_MAX: usize = 1_000;
/// Real files that are read of each package and kind.
const FILES_OF_EACH: usize = 1;

/// Programs of a package, some of each kind, by name.
fn files_of(package: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(package));
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for member in archive.entries().expect("a tar").take(MEMBERS_MAX) {
        let mut member = member.expect("a member");
        let name = String::from_utf8_lossy(&member.path_bytes()).into_owned();
        let Some((_, kind)) = name.rsplit_once('.') else {
            continue;
        };
        let is_asked = matches!(
            kind,
            "js" | "mjs"
                | "cjs"
                | "ts"
                | "tsx"
                | "json"
                | "css"
                | "md"
                | "py"
                | "rs"
                | "c"
                | "java"
        );
        let count = counts.entry(kind.to_owned()).or_default();
        let len = member.size() as usize;
        if is_asked && (1_000..FILE_MAX).contains(&len) && *count < FILES_OF_EACH {
            *count += 1;
            let mut content = Vec::new();
            member.read_to_end(&mut content).expect("a content");
            // Marks and zero bytes are the business of `norm-text/1`.
            if !content.starts_with(b"\xEF\xBB\xBF") && !content.contains(&0) {
                files.insert(name, content);
            }
        }
    }
    files
}

#[test]
fn real_files_have_the_fingerprints_of_the_page() {
    let Some(packages) = common::packages() else {
        return;
    };
    let mut counts = [0; Tier::ALL.len()];
    for path in packages {
        let package = std::fs::read(&path).expect("a package that was fetched");
        for (name, content) in files_of(&package) {
            let family = family_of(&content);
            if let Err(fault) = compare(family, &content).and_then(|()| compare_file(&content)) {
                panic!("{name} of {}: {fault}", path.display());
            }
            for (tier, ..) in given(family, &content, Side::Original) {
                counts[tier as usize] += 1;
            }
        }
    }
    println!("{counts:?} fingerprints of {:?}", Tier::ALL);
    assert!(counts.iter().all(|&count| count > 300), "{counts:?}");
}

/// Strings that inflate to much more than they are, and many of them: what is taken out is bounded, for each and for all.
#[test]
fn what_inflates_without_end_does_not() {
    let encoded = |text: &str| {
        let packed = common::gzip(text.as_bytes());
        base64::engine::general_purpose::STANDARD.encode(packed)
    };
    let mut random = common::Random::new(5);
    let head: String = (0..40)
        .map(|_| format!("call({}, '{}');\n", random.number(), random.text(9)))
        .collect();
    let bomb = encoded(&format!("{head}{}", "x = y + 1;\n".repeat(50_000)));
    let alone = format!("let a = \"{bomb}\";");
    assert_eq!(compare(Family::Script, alone.as_bytes()), Ok(()));
    let texts = given(Family::Script, alone.as_bytes(), Side::Target).into_iter();
    let held = texts.filter(|row| row.0 == Tier::Grams).count();
    assert!(held >= 30, "{held}: what stands in front is read");

    // 300 of them hold several times what is taken out of all together.
    let count = |text: &str| {
        let mut count = 0;
        prints_of(Family::Script, text.as_bytes(), Side::Target, |_, _| {
            count += 1
        });
        count
    };
    let (one, many) = (count(&alone), count(&alone.repeat(300)));
    assert!(many > 20 * one && many < 100 * one, "{many}, {one} of one");
}
