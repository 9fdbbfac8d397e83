//! Tests of sets as a whole: builder, file and lookups together. The parts test themselves.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::digest::hex;
use super::format::{self, EXACT_ID, FILES_ID};
use super::layout::Rules;
use super::prints::FilePrints;
use super::*;
use crate::lex::Family;

const SUM_BYTES: usize = 32;

fn sha256(content: &[u8]) -> [u8; 32] {
    Sha256::digest(content).into()
}

fn key(byte: u8) -> Key {
    Key::from_file_bytes(&[byte; 32]).expect("long enough")
}

fn small_work() -> Vec<FileEntry> {
    let mut files = vec![
        FileEntry::of(
            "src/main.ts",
            PartyFlag::First,
            b"export const a = 1;\nrun(a);\n",
        ),
        FileEntry::of(
            "src/copy.ts",
            PartyFlag::First,
            b"export const a = 1;\nrun(a);\n",
        ),
        FileEntry::of(
            "src/crlf.ts",
            PartyFlag::Unknown,
            b"export const a = 1;\r\nrun(a);\r\n",
        ),
        FileEntry::of(
            "node_modules/x/x.js",
            PartyFlag::Third,
            b"module.exports = 1",
        ),
        FileEntry::of(b"logo\xFF.png".as_slice(), PartyFlag::First, b"\x89PNG\0\0"),
    ];
    // These tests hold the layout that sets had before there were fingerprints.
    for file in &mut files {
        file.prints = FilePrints::default();
    }
    files
}

fn build(entries: Vec<FileEntry>, options: Options) -> Built {
    let mut builder = SetBuilder::new("acme-cli", "1.4.0", options);
    for entry in entries {
        builder.add(entry);
    }
    builder.finish().expect("a good work")
}

fn opened(built: &Built) -> Set {
    Set::from_bytes(built.set_bytes.clone(), None).expect("own set")
}

fn refused(bytes: Vec<u8>) -> Fault {
    Set::from_bytes(bytes, None)
        .map(|_| ())
        .expect_err("must be refused")
}

/// Makes the header's checksum agree again after a change, as a forger or a later program would.
fn with_good_header_sum(mut bytes: Vec<u8>) -> Vec<u8> {
    let header_bytes = u32::from_le_bytes(bytes[12..16].try_into().expect("4 bytes")) as usize;
    let sum = blake3::hash(&bytes[..header_bytes - SUM_BYTES]);
    bytes[header_bytes - SUM_BYTES..header_bytes].copy_from_slice(sum.as_bytes());
    bytes
}

/// The set's sections, to be laid out again with a change.
fn taken_apart(bytes: &[u8]) -> (format::Preface, Vec<(String, Vec<u8>)>) {
    let (preface, sections) = format::parse(bytes).expect("own set");
    let bodies = sections
        .into_iter()
        .map(|s| (s.id, bytes[s.range].to_vec()));
    (preface, bodies.collect())
}

fn put_together(preface: &format::Preface, sections: &[(String, Vec<u8>)]) -> Vec<u8> {
    let sections: Vec<(&str, Vec<u8>)> = sections
        .iter()
        .map(|(id, body)| (id.as_str(), body.clone()))
        .collect();
    format::assemble(preface, &sections)
}

#[test]
fn a_set_says_what_was_signed() {
    let options = Options {
        public: true,
        ..Options::default()
    };
    let built = build(small_work(), options);
    let set = opened(&built);
    assert_eq!((set.work(), set.release()), ("acme-cli", "1.4.0"));
    assert_eq!(
        (set.is_public(), set.is_baseline(), set.has_given_key()),
        (true, false, false)
    );
    assert_eq!(
        (set.files_total(), set.bytes_total()),
        (5, 28 + 28 + 30 + 18 + 6)
    );
    assert_eq!(
        (set.first_party_files(), set.first_party_bytes()),
        (3, 28 + 28 + 6)
    );
    assert_eq!(
        set.tiers(),
        ["crc-size/1", "exact/1", "layout/2", "norm-text/1"]
    );
    assert!(set.unknown_tiers().is_empty());
    assert_eq!(set.digest(), sha256(&built.set_bytes));
    assert_eq!(set.digest(), built.summary.set_sha256);
    assert_eq!(set.key_id(), built.summary.key_id);
    let summary = &built.summary;
    assert_eq!(
        (
            summary.files,
            summary.texts,
            summary.contents,
            summary.repeats
        ),
        (5, 4, 4, 0)
    );
    // Ids follow the order of paths: logo, node_modules, src/copy, src/crlf, src/main.
    let logo = FileInfo {
        bytes: 6,
        lines: 0,
        party: PartyFlag::First,
        licence: LicenceFlag::Unknown,
        has_norm: false,
        family: None,
        is_length_known: true,
    };
    assert_eq!(set.file(0), Some(logo));
    assert_eq!(
        set.file(1).map(|f| (f.party, f.lines)),
        Some((PartyFlag::Third, 1))
    );
    assert_eq!(
        set.file(3).map(|f| (f.party, f.lines)),
        Some((PartyFlag::Unknown, 2))
    );
    assert_eq!(set.file(5), None);
}

/// The bytes of a set without a tier that came later.
fn without(bytes: &[u8], id: &str) -> Vec<u8> {
    let (preface, mut sections) = taken_apart(bytes);
    sections.retain(|(other, _)| other != id);
    put_together(&preface, &sections)
}

/// The bytes of a set as they were when `layout/1` was the tier of texts without their layout.
fn with_first_layout(built: &Built, texts: &[(u32, &str)]) -> Vec<u8> {
    let set = opened(built);
    let row = |&(id, text): &(u32, &str)| {
        let digest = layout::digest_of_text(Rules::First, Family::Script, text.as_bytes());
        (
            set.layout_value(Rules::First, &digest.expect("a program")),
            id,
        )
    };
    let table = table::build(texts.iter().map(row).collect());
    let (preface, mut sections) = taken_apart(&built.set_bytes);
    for (id, body) in &mut sections {
        if id == format::LAYOUT_ID {
            (*id, *body) = (format::FIRST_LAYOUT_ID.to_owned(), table.clone());
        }
    }
    put_together(&preface, &sections)
}

/// Published for good: a set of format version 1 that every later release must build and read the same. Later tiers are
/// further sections and change nothing of it.
#[test]
fn golden_set() {
    let built = build(small_work(), Options::default());
    let before = without(&built.set_bytes, format::LAYOUT_ID);
    let first = without(&before, format::CRC_SIZE_ID);
    assert_eq!(
        hex(&sha256(&first)),
        "abc91d40c63d3b6338117a78882eb061182bfa6734d700957597dec8b0b031c4"
    );
    assert!(!Set::from_bytes(first, None).expect("an old set").has_crc());
    assert_eq!(
        hex(&sha256(&before)),
        "919698d7c80497d3d6d291aeec3b1b7d7fb19390717ec5131803e6211cd94ed5"
    );
    assert_eq!(
        (hex(&sha256(&built.set_bytes)), hex(&sha256(&built.names))),
        (
            "3a8c336df04bedbee0dcca87797df93e7e82c87960bbc96cedd8a7a49ca66f5c".to_owned(),
            "1abc63cd2fcc88008f9bbb4ce9cd75aaed7b8541089746cbbacf4d4aa94a7491".to_owned()
        )
    );
    let program = "export const a = 1;\nrun(a);\n";
    let texts = [
        (1, "module.exports = 1"),
        (2, program),
        (3, &program.replace('\n', "\r\n")),
        (4, program),
    ];
    assert_eq!(
        hex(&sha256(&with_first_layout(&built, &texts))),
        "c7c271eac08b463ab84bcc0f89b3967bdd9b873cf6760d6e47f1ec84eb55e5eb"
    );
    let options = Options {
        baseline: true,
        key: Some(key(7)),
        ..Options::default()
    };
    let with_key = build(small_work(), options);
    assert_eq!(
        hex(&sha256(&without(
            &without(&with_key.set_bytes, format::LAYOUT_ID),
            format::CRC_SIZE_ID
        ))),
        "0d2f82359ef6619ea561fbf468ff4e3f09af0d939327000ad5f0f85991ff8781"
    );
}

/// A set is asked by the rules that it was signed with.
#[test]
fn sets_of_either_layout_are_asked() {
    let program = "export const a = {\n  b: 1,\n};\nrun(a);\n";
    let json = "{\n  \"a\": [1, 2]\n}\n";
    let mut files = small_work();
    for (path, text) in [("src/z.ts", program), ("z.json", json)] {
        let mut file = FileEntry::of(path, PartyFlag::First, text.as_bytes());
        file.prints = FilePrints::default();
        files.push(file);
    }
    let built = build(files, Options::default());
    let group =
        |bytes: Vec<u8>| SetGroup::new(vec![Set::from_bytes(bytes, None).expect("own set")]);
    let found = |group: &SetGroup, text: &str| {
        let hits = group.lookup(&sha256(text.as_bytes()), text.as_bytes());
        hits.iter()
            .map(|hit| (hit.file, hit.grade))
            .collect::<Vec<_>>()
    };
    let dense = "export const a = { b: 1 };\nrun(a);\n";
    let now = group(built.set_bytes.clone());
    assert_eq!(found(&now, dense), [(5, Grade::Normalized)]);
    assert_eq!(found(&now, "{\"a\":[1,2]}"), [(6, Grade::Normalized)]);
    assert_eq!(found(&now, "{\"a\":[2,1]}"), []);
    let before = group(with_first_layout(&built, &[(5, program)]));
    assert_eq!(found(&before, dense), [(5, Grade::Normalized)]);
    assert_eq!(found(&before, "{\"a\":[1,2]}"), []);
    assert_eq!(before.sets()[0].layout_rules(), Some(Rules::First));
    assert!(before.sets()[0].unknown_tiers().is_empty());
    // Beside each other each is asked by its own.
    let both = vec![
        Set::from_bytes(built.set_bytes.clone(), None).expect("own set"),
        Set::from_bytes(with_first_layout(&built, &[(5, program)]), None).expect("own set"),
    ];
    let hits = SetGroup::new(both).lookup(&sha256(dense.as_bytes()), dense.as_bytes());
    let hits: Vec<_> = hits.iter().map(|hit| (hit.set, hit.file)).collect();
    assert_eq!(hits, [(0, 5), (1, 5)]);
}

/// `crc-size/1`, by the check value of CRC-32/ISO-HDLC (`123456789` has CBF43926).
#[test]
fn lengths_and_checksums_are_found() {
    let file = FileEntry::of("a", PartyFlag::First, b"123456789");
    assert_eq!(file.crc32, 0xCBF4_3926);
    let set = opened(&build(vec![file], Options::default()));
    let find = |bytes, crc32| set.find_crc(bytes, crc32).collect::<Vec<_>>();
    assert_eq!(find(9, 0xCBF4_3926), [0]);
    assert_eq!(find(9, 0xCBF4_3927), [] as [u32; 0]);
    assert_eq!(find(8, 0xCBF4_3926), [] as [u32; 0]);
    assert_eq!(
        hex(&key(7).crc_value(9, 0xCBF4_3926)),
        hex(blake3::keyed_hash(
            key(7).stored(),
            b"crc-size/1\0\x09\0\0\0\0\0\0\0\x26\x39\xf4\xcb"
        )
        .as_bytes())
    );
    assert_eq!(set.lengths().collect::<Vec<_>>(), [9]);
}

#[test]
fn lookups_name_every_file_with_the_strongest_grade() {
    let group = SetGroup::new(vec![opened(&build(small_work(), Options::default()))]);
    let ask = |content: &[u8]| -> Vec<(u32, Grade)> {
        let hits = group.lookup(&sha256(content), content);
        hits.iter().map(|hit| (hit.file, hit.grade)).collect()
    };
    use Grade::{Exact, Normalized};
    assert_eq!(
        ask(b"export const a = 1;\nrun(a);\n"),
        [(2, Exact), (4, Exact)]
    );
    assert_eq!(ask(b"export const a = 1;\r\nrun(a);\r\n"), [(3, Exact)]);
    let respaced = b"\xEF\xBB\xBFexport const a = 1; \nrun(a);";
    assert_eq!(
        ask(respaced),
        [(2, Normalized), (3, Normalized), (4, Normalized)]
    );
    assert_eq!(ask(b"\x89PNG\0\0"), [(0, Exact)]);
    assert_eq!(ask(b"something else"), []);
    assert_eq!(ask(b""), []);
}

#[test]
fn each_set_of_a_group_answers_as_if_alone() {
    let lf = FileEntry::of("a", PartyFlag::First, b"text\n");
    let crlf = FileEntry::of("a", PartyFlag::First, b"text\r\n");
    let sets = [lf, crlf].map(|entry| opened(&build(vec![entry], Options::default())));
    let group = SetGroup::new(sets.into());
    let hit = |set, grade| Hit {
        found: None,
        set,
        file: 0,
        grade,
    };
    let expected = [hit(0, Grade::Exact), hit(1, Grade::Normalized)];
    assert_eq!(group.lookup(&sha256(b"text\n"), b"text\n"), expected);
    let norm = norm_text::digest(b"text");
    assert_eq!(
        group.lookup_digests(&sha256(b"text\n"), norm.as_ref()),
        expected
    );
    assert_eq!(
        group.lookup_digests(&sha256(b"text\n"), None),
        expected[..1]
    );
    assert_eq!(
        group.lookup_git(&git_blob_sha1(b"text\r\n")),
        [hit(1, Grade::Exact)]
    );
    assert!(group.wants_git() && !group.is_empty());
    assert!(SetGroup::default().is_empty() && !SetGroup::default().wants_git());
}

#[test]
fn order_of_adding_and_repeats_do_not_matter() {
    let expected = build(small_work(), Options::default());
    for rotation in 0..small_work().len() {
        let mut entries = small_work();
        entries.rotate_left(rotation);
        entries.extend(small_work());
        entries.reverse();
        let built = build(entries, Options::default());
        assert_eq!(built.set_bytes, expected.set_bytes);
        assert_eq!(built.names, expected.names);
        assert_eq!(built.summary.repeats, 5);
    }
}

#[test]
fn a_repeat_is_first_party_if_it_was_that_once() {
    let entry = |party| FileEntry::of("a.js", party, b"x");
    for parties in [
        [PartyFlag::Third, PartyFlag::First, PartyFlag::Unknown],
        [PartyFlag::First, PartyFlag::Unknown, PartyFlag::Third],
    ] {
        let built = build(parties.map(entry).into(), Options::default());
        assert_eq!(opened(&built).first_party_files(), 1);
    }
}

#[test]
fn licence_flags_come_back() {
    for licence in [
        LicenceFlag::Unknown,
        LicenceFlag::Open,
        LicenceFlag::NotOpen,
    ] {
        let mut entry = FileEntry::of("a", PartyFlag::Third, b"x");
        entry.licence = licence;
        let set = opened(&build(vec![entry], Options::default()));
        assert_eq!(set.file(0).map(|f| f.licence), Some(licence));
    }
}

#[test]
fn builder_refuses_what_cannot_be_a_set() {
    let finish = |work: &str, entries: Vec<FileEntry>| {
        let mut builder = SetBuilder::new(work, "1", Options::default());
        entries.into_iter().for_each(|entry| {
            builder.add(entry);
        });
        builder.finish().map(|_| ())
    };
    assert_eq!(finish("acme", Vec::new()), Err(BuildError::NoFiles));
    let empty = Err(BuildError::Name {
        field: "work",
        bytes: 0,
    });
    assert_eq!(finish("", small_work()), empty);
    let long = Err(BuildError::Name {
        field: "work",
        bytes: 1001,
    });
    assert_eq!(finish(&"x".repeat(1001), small_work()), long);
    assert_eq!(finish(&"x".repeat(1000), small_work()), Ok(()));
    let mut lying = small_work();
    lying[0].bytes += 1;
    assert!(matches!(
        finish("acme", lying),
        Err(BuildError::Contradiction { .. })
    ));
    let mut huge = small_work();
    huge[3].bytes = u64::MAX;
    assert_eq!(finish("acme", huge), Err(BuildError::TooMany));
}

#[test]
fn a_set_holds_no_text_and_no_path() {
    let built = build(small_work(), Options::default());
    for secret in [&b"main.ts"[..], b"src", b"const", b"node_modules", b"PNG"] {
        let is_there = built
            .set_bytes
            .windows(secret.len())
            .any(|window| window == secret);
        assert!(
            !is_there,
            "{:?} stands in the set",
            String::from_utf8_lossy(secret)
        );
    }
    // Digests that anybody can compute must not stand in it either: they are keyed.
    let digests = digests_of(b"export const a = 1;\nrun(a);\n");
    let norm = digests.norm.expect("text");
    for digest in [&digests.sha256[..16], &digests.git_sha1[..16], &norm[..16]] {
        assert!(!built.set_bytes.windows(16).any(|window| window == digest));
    }
}

#[test]
fn every_flipped_bit_is_noticed_and_its_section_named() {
    let bytes = build(small_work(), Options::default()).set_bytes;
    let (_, sections) = format::parse(&bytes).expect("own set");
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            let fault = refused(flipped);
            if let Some(hit) = sections.iter().find(|section| section.range.contains(&at)) {
                assert!(
                    matches!(&fault, Fault::Section { id, .. } if *id == hit.id),
                    "byte {at} of {}: {fault}",
                    hit.id
                );
            }
        }
    }
}

#[test]
fn truncated_and_extended_files_are_refused() {
    let bytes = build(small_work(), Options::default()).set_bytes;
    for length in 0..bytes.len() {
        let fault = refused(bytes[..length].to_vec());
        let expected = if length < 8 {
            Fault::NotASet
        } else {
            Fault::Truncated
        };
        assert_eq!(fault, expected, "{length} bytes");
    }
    let longer = [bytes, vec![0]].concat();
    assert_eq!(refused(longer), Fault::Trailing);
}

#[test]
fn newer_layouts_are_refused_and_newer_additions_are_not() {
    let bytes = build(small_work(), Options::default()).set_bytes;
    let changed = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        with_good_header_sum(bytes)
    };
    assert_eq!(
        refused(changed(8, 2)),
        Fault::OtherVersion { major: 2, minor: 0 }
    );
    assert!(refused(changed(8, 2)).to_string().contains("newer program"));
    assert!(
        Set::from_bytes(changed(10, 9), None).is_ok(),
        "minor version"
    );
    assert!(
        Set::from_bytes(changed(25, 0x80), None).is_ok(),
        "optional flag"
    );
    assert_eq!(
        refused(changed(27, 0x80)),
        Fault::UnknownFeature { flags: 0x8000_0000 }
    );
    let handed_on = Set::from_bytes(changed(24, 4), None).expect("a set for third parties");
    assert!(handed_on.is_for_third_parties());
}

#[test]
fn unknown_sections_are_said_and_passed_over() {
    let (preface, mut sections) = taken_apart(&build(small_work(), Options::default()).set_bytes);
    sections.push(("tokens-js/1".to_owned(), b"of a later release".to_vec()));
    sections.push(("z/1".to_owned(), Vec::new()));
    let bytes = put_together(&preface, &sections);
    let set = Set::from_bytes(bytes.clone(), None).expect("unknown tiers are no error");
    assert_eq!(set.unknown_tiers(), ["tokens-js/1", "z/1"]);
    assert_eq!(
        set.find_exact(&sha256(b"module.exports = 1"))
            .collect::<Vec<_>>(),
        [1]
    );
    let (_, ranges) = format::parse(&bytes).expect("own set");
    let mut flipped = bytes;
    flipped[ranges[5].range.start] ^= 1;
    assert!(matches!(refused(flipped), Fault::Section { id, .. } if id == "tokens-js/1"));
}

#[test]
fn tiers_may_be_missing_but_files_may_not() {
    let (preface, sections) = taken_apart(&build(small_work(), Options::default()).set_bytes);
    let only = |ids: &[&str]| {
        let kept: Vec<_> = sections
            .iter()
            .filter(|(id, _)| ids.contains(&id.as_str()))
            .cloned()
            .collect();
        put_together(&preface, &kept)
    };
    let bare = Set::from_bytes(only(&[FILES_ID]), None).expect("a set without tiers");
    assert!(bare.tiers().is_empty());
    assert_eq!(bare.find_exact(&sha256(b"module.exports = 1")).len(), 0);
    assert!(!SetGroup::new(vec![bare]).wants_git());
    assert_eq!(refused(only(&[EXACT_ID])), Fault::NoFiles);
}

/// A forger can make all checksums agree. What is then left is that structure is checked, and that nothing panics.
#[test]
fn forged_structures_are_refused() {
    let built = build(small_work(), Options::default());
    let (preface, sections) = taken_apart(&built.set_bytes);
    let forged = |section: usize, at: usize, byte: u8| {
        let mut sections = sections.clone();
        sections[section].1[at] = byte;
        Set::from_bytes(put_together(&preface, &sections), None)
    };
    let exact = sections
        .iter()
        .position(|(id, _)| id == EXACT_ID)
        .expect("a tier");
    // rows, directory bits, a directory entry, a value, an id; 5 rows make 1 directory bit and 3 entries.
    let values_at = 8 + 3 * 4 + 4;
    for (at, byte) in [
        (0, 4),
        (0, 6),
        (3, 0xFF),
        (4, 0),
        (4, 31),
        (7, 0xFF),
        (12, 0xFF),
        (values_at, 0xFF),
        (values_at + 160, 9),
    ] {
        let fault = forged(exact, at, byte)
            .map(|_| ())
            .expect_err("must be refused");
        assert!(
            matches!(fault, Fault::Section { id, .. } if id == EXACT_ID),
            "byte {at} = {byte}"
        );
    }
    let mut miscounted = preface.clone();
    miscounted.counts.files = u32::MAX;
    let fault = refused(put_together(&miscounted, &sections));
    assert!(matches!(fault, Fault::Section { id, .. } if id == FILES_ID));
    let mut rekeyed = preface.clone();
    rekeyed.key_id = [0; 16];
    assert_eq!(refused(put_together(&rekeyed, &sections)), Fault::Header);
    let mut reversed = sections.clone();
    reversed.reverse();
    assert_eq!(refused(put_together(&preface, &reversed)), Fault::Header);
}

#[test]
fn given_key_is_needed_and_must_be_the_right_one() {
    let options = Options {
        key: Some(key(1)),
        ..Options::default()
    };
    let bytes = build(small_work(), options).set_bytes;
    let open = |key: Option<&Key>| Set::from_bytes(bytes.clone(), key);
    let set = open(Some(&key(1))).expect("right key");
    assert!(set.has_given_key());
    assert_eq!(
        set.find_exact(&sha256(b"module.exports = 1"))
            .collect::<Vec<_>>(),
        [1]
    );
    let key_id = hex(&key(1).id());
    let needed = open(None).map(|_| ()).expect_err("no key");
    assert_eq!(
        needed,
        Fault::KeyNeeded {
            key_id: key_id.clone()
        }
    );
    assert!(needed.to_string().contains("--key"));
    let wrong = open(Some(&key(2))).map(|_| ()).expect_err("wrong key");
    let given_id = hex(&key(2).id());
    assert_eq!(wrong, Fault::WrongKey { key_id, given_id });
    let stored = key(1);
    let is_there = bytes.windows(32).any(|window| window == stored.stored());
    assert!(!is_there, "the key stands in the set");
}

#[test]
fn a_key_that_is_not_needed_is_not_looked_at() {
    let built = build(small_work(), Options::default());
    assert!(Set::from_bytes(built.set_bytes, Some(&key(3))).is_ok());
}

#[test]
fn derived_keys_differ_by_work_release_and_content() {
    let key_of = |work: &str, release: &str, content: &[u8]| {
        let mut builder = SetBuilder::new(work, release, Options::default());
        builder.add(FileEntry::of("a", PartyFlag::First, content));
        builder.finish().expect("a good work").summary.key_id
    };
    let keys = [
        key_of("ab", "c", b"x"),
        key_of("a", "bc", b"x"),
        key_of("ab", "d", b"x"),
        key_of("ab", "c", b"y"),
    ];
    for (at, key) in keys.iter().enumerate() {
        assert!(!keys[..at].contains(key));
    }
}

#[test]
fn key_files_are_bounded_and_never_shown() {
    assert!(matches!(
        Key::from_file_bytes(b"short"),
        Err(KeyError::TooShort { bytes: 5 })
    ));
    assert!(matches!(
        Key::from_file_bytes(&vec![0; (1 << 20) + 1]),
        Err(KeyError::TooLong)
    ));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("key");
    fs::write(&path, [9; 32]).expect("written");
    assert_eq!(Key::read(&path).expect("a key"), key(9));
    assert!(matches!(
        Key::read(&folder.path().join("none")),
        Err(KeyError::Io { .. })
    ));
    let shown = format!("{:?}", key(9));
    assert_eq!(shown, format!("Key(id {})", hex(&key(9).id())));
    assert!(!shown.contains(&hex(key(9).stored())));
}

#[test]
fn mapped_and_read_sets_give_the_same_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("acme.sigset");
    let entries: Vec<FileEntry> = (0..500)
        .map(|n| {
            FileEntry::of(
                format!("f{n}"),
                PartyFlag::First,
                format!("file {}\n", n / 2).as_bytes(),
            )
        })
        .collect();
    let built = build(entries, Options::default());
    fs::write(&path, &built.set_bytes).expect("written");
    fs::write(names_path(&path), &built.names).expect("written");
    let mut mapped = Set::open(&path, None).expect("mapped");
    let mut read = Set::open_in_memory(&path, None).expect("read");
    for set in [&mut mapped, &mut read] {
        set.load_names(&names_path(&path)).expect("its names");
    }
    assert_eq!(mapped.digest(), read.digest());
    for n in 0..600 {
        let digests = digests_of(format!("file {n}\n").as_bytes());
        let norm = digests.norm.expect("text");
        let ask = |set: &Set| -> [Vec<u32>; 3] {
            [
                set.find_exact(&digests.sha256),
                set.find_git(&digests.git_sha1),
                set.find_norm(&norm),
            ]
            .map(Iterator::collect)
        };
        assert_eq!(ask(&mapped), ask(&read));
        assert_eq!(ask(&mapped)[0].len(), if n < 250 { 2 } else { 0 });
        assert_eq!(
            (mapped.file(n), mapped.name(n)),
            (read.file(n), read.name(n))
        );
    }
    // Every damage that the twin refuses, the map refuses with the same words.
    for cut in [0, 1, 7, 8, 100, built.set_bytes.len() - 1] {
        fs::write(&path, &built.set_bytes[..cut]).expect("written");
        let message = |set: Result<Set, SetError>| set.map(|_| ()).expect_err("cut").to_string();
        assert_eq!(
            message(Set::open(&path, None)),
            message(Set::open_in_memory(&path, None))
        );
    }
}

#[test]
fn names_lead_from_ids_to_paths_and_only_of_their_own_set() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("acme.names");
    let built = build(small_work(), Options::default());
    fs::write(&path, &built.names).expect("written");
    let mut set = opened(&built);
    assert_eq!(set.name(0), None);
    set.load_names(&path).expect("its names");
    assert_eq!(set.name(0), Some(&b"logo\xFF.png"[..]));
    assert_eq!(set.name(4), Some(&b"src/main.ts"[..]));
    assert_eq!(set.name(5), None);
    let options = Options {
        public: true,
        ..Options::default()
    };
    let mut other = opened(&build(small_work(), options));
    let error = other.load_names(&path).expect_err("names of another set");
    assert!(matches!(
        &error,
        NamesError::Refused {
            fault: NamesFault::OtherSet { .. },
            ..
        }
    ));
    assert!(error.to_string().contains("acme.names"));
    assert_eq!(other.name(0), None);
}

#[test]
fn what_is_no_file_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("none.sigset");
    assert!(matches!(
        Set::open(&missing, None),
        Err(SetError::Io { .. })
    ));
    assert!(matches!(
        Set::open(folder.path(), None),
        Err(SetError::NotAFile { .. })
    ));
    assert!(matches!(
        Set::open_in_memory(folder.path(), None),
        Err(SetError::NotAFile { .. })
    ));
    let mut set = opened(&build(small_work(), Options::default()));
    assert!(matches!(
        set.load_names(folder.path()),
        Err(NamesError::NotAFile { .. })
    ));
    assert!(matches!(
        set.load_names(&missing),
        Err(NamesError::Io { .. })
    ));
    let text = folder.path().join("text");
    fs::write(&text, "not a set at all, but long enough to be looked at").expect("written");
    let error = Set::open(&text, None).map(|_| ()).expect_err("not a set");
    assert!(matches!(
        &error,
        SetError::Refused {
            fault: Fault::NotASet,
            ..
        }
    ));
}

#[test]
fn sets_can_be_asked_from_many_threads() {
    fn assert_shared<T: Send + Sync>() {}
    assert_shared::<Set>();
    assert_shared::<SetGroup>();
}

#[test]
fn git_ids_are_those_of_git() {
    // Known ids, for where git is not installed.
    assert_eq!(
        hex(&git_blob_sha1(b"")),
        "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
    );
    assert_eq!(
        hex(&git_blob_sha1(b"test content\n")),
        "d670460b4b4aece5915caf5c68d12f560a9fe3e4"
    );
    let folder = tempfile::tempdir().expect("a folder");
    for (at, content) in [&b"\r\n\0\xFF"[..], b"x", &[b'y'; 70_000]]
        .iter()
        .enumerate()
    {
        let path = folder.path().join(at.to_string());
        fs::write(&path, content).expect("written");
        if let Some(id) = git_hash_object(&path) {
            assert_eq!(hex(&git_blob_sha1(content)), id);
        }
    }
}

/// `None` where git is not installed.
fn git_hash_object(path: &Path) -> Option<String> {
    let output = Command::new("git")
        .args(["hash-object", "--no-filters"])
        .arg(path)
        .output()
        .ok()?;
    assert!(output.status.success(), "git hash-object failed");
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// What layout leaves of a text without quotes and tabs: how deep each line stands, and its words.
fn lines_without_layout(text: &[u8]) -> Vec<(usize, Vec<String>)> {
    let text = String::from_utf8_lossy(text);
    let mut open: Vec<usize> = Vec::new();
    let lines = text
        .split(['\r', '\n'])
        .filter(|line| !line.trim().is_empty());
    let line = |line: &str| {
        let indent = line.len() - line.trim_start().len();
        open.retain(|column| *column <= indent);
        if !open.contains(&indent) {
            open.push(indent);
        }
        (
            open.len(),
            line.split_whitespace().map(str::to_owned).collect(),
        )
    };
    lines.map(line).collect()
}

proptest! {
    #[test]
    fn lookups_agree_with_a_hash_map(
        signed in prop::collection::vec("[ab \r\n]{0,5}", 1..60),
        asked in prop::collection::vec("[ab \r\n]{0,5}", 0..60),
        is_keyed in any::<bool>(),
    ) {
        let mut exact: HashMap<Vec<u8>, Vec<u32>> = HashMap::new();
        let mut normal: HashMap<Vec<u8>, Vec<u32>> = HashMap::new();
        let mut laid_out: HashMap<Vec<(usize, Vec<String>)>, Vec<u32>> = HashMap::new();
        let key = is_keyed.then(|| key(5));
        let mut builder = SetBuilder::new("w", "r", Options { key: key.clone(), ..Options::default() });
        for (id, content) in (0..).zip(&signed) {
            builder.add(FileEntry::of(format!("{id:08}"), PartyFlag::First, content.as_bytes()));
            exact.entry(content.clone().into_bytes()).or_default().push(id);
            if let Some(form) = norm_text::normal_form(content.as_bytes()) {
                normal.entry(form).or_default().push(id);
                laid_out.entry(lines_without_layout(content.as_bytes())).or_default().push(id);
            }
        }
        let built = builder.finish().expect("a good work");
        let group = SetGroup::new(vec![Set::from_bytes(built.set_bytes, key.as_ref()).expect("own set")]);
        for content in asked.iter().chain(&signed).map(String::as_bytes) {
            let by_form = || normal.get(&norm_text::normal_form(content)?).map(|ids| (ids.clone(), Grade::Normalized));
            let by_lines = || laid_out.get(&lines_without_layout(content)).map(|ids| (ids.clone(), Grade::Normalized));
            let expected = exact.get(content).map(|ids| (ids.clone(), Grade::Exact)).or_else(by_form).or_else(by_lines);
            let (ids, grade) = expected.unwrap_or((Vec::new(), Grade::Exact));
            let hits: Vec<Hit> = ids.into_iter().map(|file| Hit { set: 0, file, grade, found: None }).collect();
            prop_assert_eq!(group.lookup(&sha256(content), content), hits);
            let git: Vec<u32> = group.lookup_git(&git_blob_sha1(content)).iter().map(|hit| hit.file).collect();
            prop_assert_eq!(git, exact.get(content).cloned().unwrap_or_default());
        }
    }

    #[test]
    fn damaged_sets_are_refused_and_forged_ones_do_not_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let bytes = build(small_work(), Options::default()).set_bytes;
        let mut damaged = bytes.clone();
        for (at, byte) in changes {
            damaged[at.index(bytes.len())] = byte;
        }
        prop_assert_eq!(Set::from_bytes(damaged.clone(), None).is_ok(), damaged == bytes);
        // With checksums made to agree the set may open; whatever it then says, it says without a panic.
        let header_bytes = u32::from_le_bytes([damaged[12], damaged[13], damaged[14], damaged[15]]) as usize;
        if (SUM_BYTES..=damaged.len()).contains(&header_bytes)
            && let Ok(set) = Set::from_bytes(with_good_header_sum(damaged), None)
        {
            let group = SetGroup::new(vec![set]);
            let _ = group.lookup(&sha256(b"module.exports = 1"), b"module.exports = 1");
            let _ = (0..6).map(|id| group.sets()[0].file(id)).collect::<Vec<_>>();
        }
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Set::from_bytes([&format::MAGIC[..], &[1, 0, 0, 0], &bytes].concat(), None).is_err());
    }
}

/// Files with fingerprints of all tiers, some of which stand in several.
fn printed_work() -> Vec<FileEntry> {
    let text = |seed: u64| -> String {
        let line = |n: u64| {
            let word = (n % 700).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
            format!(
                "function f{word:x}(item) {{\n  if (item.field{word:x} > {n}) report(\"text {word:x}\", {word});\n}}\n"
            )
        };
        (seed * 40..seed * 40 + 60).map(line).collect()
    };
    let files = (0..30).map(|seed| {
        let path = format!("src/{}.js", (seed * 7) % 30);
        FileEntry::of(path, PartyFlag::First, text(seed).as_bytes())
    });
    files.chain(small_work()).collect()
}

#[test]
fn what_is_put_aside_makes_the_same_set() {
    let third = Options {
        for_third_parties: true,
        ..Options::default()
    };
    let baseline = Options {
        baseline: true,
        ..Options::default()
    };
    let compact = Options {
        compact: true,
        ..Options::default()
    };
    for options in [Options::default(), third, baseline, compact] {
        let whole = build(printed_work(), options.clone());
        assert_eq!(whole.summary.set_bytes, whole.set_bytes.len() as u64);
        opened(&whole);
        for memory in [0, 3_000, 200_000] {
            let files = [0, 1].map(|_| tempfile::tempfile().expect("a file"));
            let lengths = files
                .each_ref()
                .map(|file| file.try_clone().expect("a handle"));
            let builder = SetBuilder::new("acme-cli", "1.4.0", options.clone());
            let mut builder = builder.spilling(Spill::new(files, memory));
            // In another order, too.
            for entry in printed_work().into_iter().rev() {
                builder.add(entry);
            }
            builder.check().expect("written");
            let (mut set, mut names) = (Vec::new(), Vec::new());
            let summary = builder
                .finish_into(&mut set, &mut names)
                .expect("a good work");
            assert!(set == whole.set_bytes, "{options:?} in {memory}");
            assert!(names == whole.names, "{options:?} in {memory}");
            assert_eq!(summary, whole.summary);
            let written = lengths.map(|file| file.metadata().expect("its length").len() > 0);
            assert_eq!(written[0], memory < 1_000_000);
        }
    }
}

#[test]
fn a_full_disk_is_told_at_once() {
    let file = || tempfile::tempfile().expect("a file");
    // A handle that may only read stands for a disk without room.
    let path = std::env::temp_dir().join(format!("strandline-full-{}", std::process::id()));
    fs::write(&path, b"").expect("written");
    let full = fs::File::open(&path).expect("opened");
    fs::remove_file(&path).expect("removed");
    let builder = SetBuilder::new("acme-cli", "1.4.0", Options::default());
    let mut builder = builder.spilling(Spill::new([full, file()], 0));
    for entry in printed_work() {
        builder.add(entry);
    }
    assert!(matches!(builder.check(), Err(BuildError::Io { .. })));
    assert!(matches!(builder.finish(), Err(BuildError::Io { .. })));
}

#[test]
fn a_compact_set_counts_what_it_keeps() {
    let text: String = (0..900_u64)
        .map(|n| {
            let word = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 24;
            format!("call{word:x}(item.field{word:x}, \"text {word:x}\") + {word};\n")
        })
        .collect();
    let set = |compact| {
        let options = Options {
            compact,
            ..Options::default()
        };
        let file = FileEntry::of("src/a.js", PartyFlag::First, text.as_bytes());
        build(vec![file], options)
    };
    let (whole, thin) = (set(false), set(true));
    assert!(thin.set_bytes.len() * 100 < whole.set_bytes.len() * 70);
    assert!(thin.summary.thinned_out > 0 && whole.summary.thinned_out == 0);
    let (whole, thin) = (opened(&whole), opened(&thin));
    assert!(thin.is_compact() && !whole.is_compact());

    // A fifth of it, before as much of something else.
    let cut: String = text
        .lines()
        .skip(300)
        .take(180)
        .map(|line| format!("{line}\n"))
        .collect();
    let other: String = (0..180_u64)
        .map(|n| format!("put_{n}(\"what else {n}\", {})\n", n * 977))
        .collect();
    let target = format!("{cut}{other}");
    let found = |set| {
        let group = SetGroup::new(vec![set]);
        let hits = group.lookup(&sha256(target.as_bytes()), target.as_bytes());
        let [hit] = hits.as_slice() else {
            panic!("{hits:?}")
        };
        assert_eq!(hit.grade, Grade::Excerpt);
        let found = hit.found.as_deref().expect("measured").clone();
        (found.of_original, found.of_target, found.log10_p)
    };
    let (whole, thin) = (found(whole), found(thin));
    assert!((whole.0 - 0.2).abs() < 0.05, "{whole:?}");
    assert!((thin.0 - whole.0).abs() < 0.08, "{thin:?} {whole:?}");
    assert!((thin.1 - whole.1).abs() < 0.2, "{thin:?} {whole:?}");
    // What rests on fewer observations is less certain, and never more.
    assert!(thin.2 < -6.0 && thin.2 > whole.2, "{thin:?} {whole:?}");
}

#[test]
fn releases_keep_the_same_of_what_they_share() {
    let options = Options {
        compact: true,
        ..Options::default()
    };
    let rows = |name: &str| {
        let text: String = (0..400)
            .map(|n| format!("call_{n}(\"text {n}\", item.field_{n})\n"))
            .collect();
        let file = FileEntry::of(name, PartyFlag::First, format!("{name}\n{text}").as_bytes());
        let set = opened(&build(vec![file], options.clone()));
        let index = set.index(prints::Tier::Grams).expect("kept").rows();
        (index, set)
    };
    let ((one, _), (two, _)) = (rows("a.js"), rows("b.js"));
    assert!(one.abs_diff(two) <= 4 && one > 50, "{one} {two}");
}
