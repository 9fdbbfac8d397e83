//! Tests of the zip walk: archives of the reference crate, and what was done to them.

use std::io::{Cursor, Write};

use proptest::prelude::*;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use super::records::*;
use super::*;

/// Names and contents of members, and codes of troubles.
type Seen = (Vec<(Vec<u8>, Vec<u8>)>, Vec<String>);

fn walk(bytes: &[u8]) -> Result<Seen, String> {
    let input = Input::Memory(Bytes::copy_from_slice(bytes));
    let mut walker = Zip
        .open(input, &Limits::default())
        .map_err(|trouble| trouble.code.into_owned())?;
    let (mut members, mut codes) = (Vec::new(), Vec::new());
    while let Some(event) = walker.next() {
        match event {
            Event::Member(member) => {
                codes.extend(member.trouble.map(|trouble| trouble.code.into_owned()));
                if let Body::Held(content) = member.body {
                    members.push((member.name.bytes().to_vec(), content.to_vec()));
                }
            }
            Event::Trouble(trouble) => codes.push(trouble.code.into_owned()),
            Event::Other(_) | Event::NamedOther(..) | Event::Map(_) => {}
        }
    }
    Ok((members, codes))
}

/// A zip made by the reference crate.
fn made(files: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, content) in files {
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn times_are_those_of_the_entries() {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, date) in [
        ("a", (2026, 3, 31, 7, 0, 0)),
        ("b", (2024, 2, 29, 23, 59, 58)),
    ] {
        let (year, month, day, hour, minute, second) = date;
        let time = zip::DateTime::from_date_and_time(year, month, day, hour, minute, second);
        let options = SimpleFileOptions::default().last_modified_time(time.unwrap());
        writer.start_file(name, options).unwrap();
    }
    let bytes = writer.finish().unwrap().into_inner();
    let input = Input::Memory(Bytes::from(bytes));
    let mut walker = Zip.open(input, &Limits::default()).unwrap();
    let mut times = Vec::new();
    while let Some(event) = walker.next() {
        if let Event::Member(member) = event {
            times.push(member.time);
        }
    }
    assert_eq!(times, [Some(1_774_940_400), Some(1_709_251_198)]);
}

#[test]
fn every_method_of_the_reference_crate_is_read() {
    let text = b"some text that repeats, some text that repeats".repeat(50);
    for method in [
        CompressionMethod::Stored,
        CompressionMethod::Deflated,
        CompressionMethod::Bzip2,
        CompressionMethod::Zstd,
    ] {
        let bytes = made(&[("../a", &text), ("b/c", b"")], method);
        let (members, codes) = walk(&bytes).unwrap();
        assert_eq!(
            members,
            [(b"../a".to_vec(), text.clone()), (b"b/c".to_vec(), vec![])]
        );
        assert!(codes.is_empty(), "{method:?}: {codes:?}");
    }
}

#[test]
fn a_prefix_does_not_hide_the_archive() {
    let mut bytes = b"#!/bin/sh\nexit\n".to_vec();
    bytes.extend(made(&[("a", b"content")], CompressionMethod::Deflated));
    assert_eq!(
        walk(&bytes).unwrap().0[0],
        (b"a".to_vec(), b"content".to_vec())
    );
}

#[test]
fn what_stands_before_the_archive_is_a_region() {
    let zip = made(&[("manifest.json", b"{}")], CompressionMethod::Deflated);
    let crx3 = [&b"Cr24\x03\0\0\0\x04\0\0\0HEAD"[..], &zip].concat();
    let exe = [b"MZ", &[7; 500][..], &zip].concat();
    let script = [b"#!/usr/bin/env python3\n", &zip[..]].concat();
    for bytes in [crx3, exe, script] {
        assert!(PrefixedZip.recognise(&bytes) && !Zip.recognise(&bytes));
        let seen =
            crate::container::testing::walk(&PrefixedZip, &bytes, &Limits::default()).unwrap();
        let front = bytes[..bytes.len() - zip.len()].to_vec();
        assert_eq!(
            seen.members,
            [
                ("manifest.json".to_owned(), b"{}".to_vec()),
                ("@0".to_owned(), front)
            ]
        );
        assert!(seen.codes.is_empty());
    }
    assert!(!PrefixedZip.recognise(b"MZ with PK\x05\x06 in it, and nothing that fits behind"));
    assert!(!PrefixedZip.recognise(b"Cr24\x09\0\0\0"));
}

/// jar, war, VSIX and XPI are plain zips; an APK has its signatures between the entries and the directory.
#[test]
fn a_block_of_signatures_before_the_directory_does_no_harm() {
    let mut bytes = made(&[("classes.dex", b"dex")], CompressionMethod::Deflated);
    let directory = memchr::memmem::find(&bytes, ENTRY_MAGIC).unwrap();
    let block = b"\x18\0\0\0\0\0\0\0\x18\0\0\0\0\0\0\0APK Sig Block 42";
    bytes.splice(directory..directory, block.iter().copied());
    let at = bytes.len() - END_LEN + 16;
    let moved = (directory + block.len()) as u32;
    bytes[at..at + 4].copy_from_slice(&moved.to_le_bytes());
    let (members, codes) = walk(&bytes).unwrap();
    assert_eq!(members[0], (b"classes.dex".to_vec(), b"dex".to_vec()));
    assert_eq!(members[1], (Vec::new(), block.to_vec()));
    assert!(members.len() == 2 && codes.is_empty());
}

#[test]
fn no_directory_is_said() {
    let bytes = made(&[("a", b"content")], CompressionMethod::Stored);
    let (members, codes) = walk(&bytes[..bytes.len() - 30]).unwrap();
    assert_eq!(members[0], (b"a".to_vec(), b"content".to_vec()));
    assert_eq!(codes[0], "zip-no-directory");
    assert_eq!(walk(&bytes[..20]), Err("zip-no-directory".to_owned()));
}

/// Where the directory and the end record begin.
fn parts(bytes: &[u8]) -> (usize, usize) {
    let find = |magic| memchr::memmem::find(bytes, magic).unwrap();
    (find(ENTRY_MAGIC), find(END_MAGIC))
}

fn offset(at: usize) -> Vec<u8> {
    MemberName::Offset(at as u64).bytes().to_vec()
}

#[test]
fn what_no_entry_covers_is_given_and_said() {
    let front = made(&[("hidden", b"secret")], CompressionMethod::Deflated);
    let back = made(&[("a", b"content")], CompressionMethod::Deflated);
    let content = (b"a".to_vec(), b"content".to_vec());
    let (members, codes) = walk(&[front.clone(), back.clone()].concat()).unwrap();
    assert_eq!(members, [content.clone(), (offset(0), front)]);
    assert_eq!(codes, ["leading-data"]);

    let rest = vec![b'x'; 40];
    let (members, codes) = walk(&[back.clone(), rest.clone()].concat()).unwrap();
    assert_eq!(
        members,
        [content.clone(), (offset(back.len()), rest.clone())]
    );
    assert_eq!(codes, ["trailing-data"]);

    let (directory, _) = parts(&back);
    let between = [&back[..directory], &rest, &back[directory..]].concat();
    let (members, codes) = walk(&between).unwrap();
    assert_eq!(
        members,
        [content.clone(), (offset(directory), rest.clone())]
    );
    assert_eq!(codes, ["gap-data"]);

    let stub = [b"#!/bin/sh\n".as_slice(), &rest, &back].concat();
    let (members, codes) = walk(&stub).unwrap();
    assert_eq!((members.len(), codes.len()), (2, 0));
    let padded = [
        &back[..directory],
        &[0; 4_000],
        &back[directory..],
        &[0; 99],
    ]
    .concat();
    assert_eq!(walk(&padded).unwrap(), (vec![content], vec![]));
}

#[test]
fn the_comment_is_given_and_what_follows_it_is_told_apart() {
    let mut bytes = made(&[("a", b"content")], CompressionMethod::Stored);
    let at = bytes.len();
    bytes[at - 2..].copy_from_slice(&40_u16.to_le_bytes());
    bytes.extend([b'c'; 40]);
    let (members, codes) = walk(&bytes).unwrap();
    assert_eq!(members[1], (offset(at), vec![b'c'; 40]));
    assert!(codes.is_empty());
    bytes.extend([b't'; 40]);
    let (members, codes) = walk(&bytes).unwrap();
    assert_eq!(members[2], (offset(at + 40), vec![b't'; 40]));
    assert_eq!(codes, ["trailing-data"]);
}

#[test]
fn an_entry_that_the_directory_does_not_name_is_found() {
    let bytes = made(
        &[("hidden", b"secret"), ("a", b"content")],
        CompressionMethod::Deflated,
    );
    let (directory, end) = parts(&bytes);
    let second = directory + ENTRY_LEN + b"hidden".len();
    for promised in [1_u16, 2] {
        let mut file = [&bytes[..directory], &bytes[second..]].concat();
        let end = end - (second - directory);
        file[end + 8..end + 10].copy_from_slice(&promised.to_le_bytes());
        file[end + 10..end + 12].copy_from_slice(&promised.to_le_bytes());
        let size = (end - directory) as u32;
        file[end + 12..end + 16].copy_from_slice(&size.to_le_bytes());
        let (members, codes) = walk(&file).unwrap();
        assert_eq!(members[0], (b"a".to_vec(), b"content".to_vec()));
        let (name, region) = &members[1];
        assert_eq!(name, &offset(0));
        // The region goes round again.
        let (inner, inner_codes) = walk(region).unwrap();
        assert_eq!(inner, [(b"hidden".to_vec(), b"secret".to_vec())]);
        assert_eq!(inner_codes, ["zip-no-directory"]);
        let expected: &[&str] = if promised == 2 {
            &["zip-directory-damaged", "leading-data"]
        } else {
            &["leading-data"]
        };
        // Members' troubles and the container's, in the order in which they are met.
        assert_eq!(codes, expected);
    }
}

#[test]
fn local_headers_are_walked_with_descriptors_of_every_form() {
    let text = b"some text that repeats, some text that repeats".repeat(20);
    let mut encoder =
        flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&text).unwrap();
    let packed = encoder.finish().unwrap();
    for (method, data) in [(8_u16, &packed), (0, &text)] {
        for (magic, width) in [(true, 4), (true, 8), (false, 4), (false, 8)] {
            if method == 0 && !magic {
                continue;
            }
            let mut file = Vec::new();
            for name in [b"a", b"b"] {
                file.extend(LOCAL_MAGIC);
                file.extend([20, 0]);
                file.extend(DESCRIBED.to_le_bytes());
                file.extend(method.to_le_bytes());
                file.extend([0; 16]);
                file.extend([1, 0, 0, 0]);
                file.extend(name);
                file.extend(data);
                if magic {
                    file.extend(DESCRIPTOR_MAGIC);
                }
                file.extend(crc32fast::hash(&text).to_le_bytes());
                for size in [data.len() as u64, text.len() as u64] {
                    file.extend(&size.to_le_bytes()[..width]);
                }
            }
            let expected = [(b"a".to_vec(), text.clone()), (b"b".to_vec(), text.clone())];
            let (members, codes) = walk(&file).unwrap();
            assert_eq!(members, expected, "{method} {magic} {width}");
            assert_eq!(codes, ["zip-no-directory"]);
        }
    }
}

#[test]
fn names_that_disagree_are_both_said() {
    let mut bytes = made(&[("public", b"content")], CompressionMethod::Stored);
    bytes[LOCAL_LEN..LOCAL_LEN + 6].copy_from_slice(b"secret");
    let (members, codes) = walk(&bytes).unwrap();
    assert_eq!(members, [(b"public".to_vec(), b"content".to_vec())]);
    assert_eq!(codes, ["header-mismatch"]);
}

#[test]
fn data_of_a_folder_or_a_link_is_read() {
    let map = b"{\"version\":3}".as_slice();
    for (mode, content, given) in [
        (0o040_755_u32, map, true),
        (0o120_777, map, true),
        (0o120_777, b"../some where/x", false),
        (0o040_755, b"", false),
    ] {
        let mut bytes = made(&[("a", content)], CompressionMethod::Deflated);
        let (directory, _) = parts(&bytes);
        bytes[directory + 5] = 3;
        bytes[directory + 38..directory + 42].copy_from_slice(&(mode << 16).to_le_bytes());
        let (members, codes) = walk(&bytes).unwrap();
        assert_eq!(members.len(), usize::from(given));
        assert_eq!(codes.len(), usize::from(given));
        if given {
            assert_eq!(members[0].1, content);
            assert_eq!(codes, ["unexpected-data"]);
        }
    }
}

#[test]
fn a_streamed_member_is_checked_as_a_held_one_is() {
    let text: Vec<u8> = (0..100_000_u32)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    let whole = made(&[("a", &text)], CompressionMethod::Deflated);
    let limits = Limits {
        memory: 100_000,
        ..Limits::default()
    };
    let (directory, _) = parts(&whole);
    let trouble = |at: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[at] ^= byte;
        let mut walker = Zip.open(Input::Memory(bytes.into()), &limits).unwrap();
        let Some(Event::Member(member)) = walker.next() else {
            panic!("a member");
        };
        assert!(matches!(member.body, Body::Streamed(_)));
        let mut buffer = [0; 9_999];
        let mut made = 0;
        loop {
            let got = walker.read_streamed(&mut buffer);
            if got == 0 {
                break;
            }
            made += got;
        }
        let code = walker.streamed_trouble().map(|trouble| trouble.code);
        (made == text.len(), code)
    };
    assert_eq!(trouble(0, 0), (true, None));
    // The checksum, the size, and the packed size that the directory states.
    assert_eq!(
        trouble(directory + 16, 1),
        (true, Some("checksum-mismatch".into()))
    );
    assert_eq!(trouble(directory + 27, 1), (true, Some("truncated".into())));
    let (is_whole, code) = trouble(directory + 22, 4);
    assert!(is_whole || code.is_some());
    let (is_whole, code) = trouble(directory + 22, 1);
    assert!(is_whole || code.is_some());
    let (is_whole, code) = trouble(directory / 2, 0xff);
    assert!(code.is_some(), "{is_whole}");
}

#[test]
fn a_wrong_checksum_is_odd_and_loses_nothing() {
    let mut bytes = made(&[("a", b"content")], CompressionMethod::Stored);
    let at = memchr::memmem::find(&bytes, b"content").unwrap();
    bytes[at] = b'X';
    let (members, codes) = walk(&bytes).unwrap();
    assert_eq!(members, [(b"a".to_vec(), b"Xontent".to_vec())]);
    assert_eq!(codes, ["checksum-mismatch"]);
}

/// An archive of `count` entries in the directory, each with the local header and data of `one`.
fn aliased(one: &[u8], count: u16) -> Vec<u8> {
    let (directory, end) = parts(one);
    let mut bytes = one[..directory].to_vec();
    for _ in 0..count {
        bytes.extend(&one[directory..end]);
    }
    let mut record = one[end..].to_vec();
    record[8..10].copy_from_slice(&count.to_le_bytes());
    record[10..12].copy_from_slice(&count.to_le_bytes());
    let size = (end - directory) as u32 * u32::from(count);
    record[12..16].copy_from_slice(&size.to_le_bytes());
    bytes.extend(record);
    bytes
}

#[test]
fn entries_on_the_same_bytes_are_unpacked_once_and_said() {
    let text = b"some text that repeats, ".repeat(400);
    let bytes = aliased(&made(&[("a", &text)], CompressionMethod::Deflated), 500);
    let (members, codes) = walk(&bytes).unwrap();
    assert_eq!(members.len(), 500);
    assert!(
        members
            .iter()
            .all(|(name, content)| name == b"a" && *content == text)
    );
    assert_eq!(codes, ["zip-overlap"]);
}

/// Entries of which each holds the local headers of those behind it, as in "A better zip bomb": not the same ranges,
/// and not ones that follow each other.
#[test]
fn entries_that_overlap_are_read_up_to_a_multiple_of_the_file() {
    let count = 200_usize;
    let header = |name: &[u8], packed: u32| {
        let mut bytes = LOCAL_MAGIC.to_vec();
        bytes.extend([20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(packed.to_le_bytes());
        bytes.extend(packed.to_le_bytes());
        bytes.extend([name.len() as u8, 0, 0, 0]);
        bytes.extend(name);
        bytes
    };
    let len = LOCAL_LEN + 4;
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for index in 0..count {
        let packed = ((count - 1 - index) * len + 1_000) as u32;
        let name = format!("{index:04}").into_bytes();
        let local = header(&name, packed);
        directory.extend(ENTRY_MAGIC);
        directory.extend([20, 0]);
        directory.extend(&local[4..30]);
        directory.extend([0; 10]);
        directory.extend([0; 4]);
        let at = directory.len() - 4;
        directory[at..].copy_from_slice(&(bytes.len() as u32).to_le_bytes());
        directory.extend(&name);
        bytes.extend(local);
    }
    bytes.extend([b'k'; 1_000]);
    let at = bytes.len() as u32;
    bytes.extend(&directory);
    bytes.extend(END_MAGIC);
    bytes.extend([0; 4]);
    bytes.extend((count as u16).to_le_bytes());
    bytes.extend((count as u16).to_le_bytes());
    bytes.extend((directory.len() as u32).to_le_bytes());
    bytes.extend(at.to_le_bytes());
    bytes.extend([0; 2]);
    let (members, codes) = walk(&bytes).unwrap();
    let given: usize = members.iter().map(|(_, content)| content.len()).sum();
    assert!(given <= bytes.len() * 18, "{given} of {}", bytes.len());
    assert!(members.len() > 10 && members.len() < count);
    assert!(codes.iter().filter(|code| *code == "zip-overlap").count() > 1);
}

#[test]
fn a_comment_with_an_end_record_and_a_64_bit_one_that_lies_hide_nothing() {
    let archive = made(&[("a", b"content")], CompressionMethod::Stored);
    let content = (b"a".to_vec(), b"content".to_vec());
    // An empty archive as the comment of another.
    let mut bytes = archive.clone();
    let at = bytes.len();
    bytes[at - 2..].copy_from_slice(&22_u16.to_le_bytes());
    bytes.extend(END_MAGIC);
    bytes.extend([0; 8]);
    bytes.extend([9, 0, 0, 0]);
    bytes.extend([0; 6]);
    assert_eq!(walk(&bytes).unwrap().0[0], content);

    let (_, end) = parts(&archive);
    let mut wide = END64_MAGIC.to_vec();
    wide.resize(56, 0xfe);
    let mut locator = LOCATOR64_MAGIC.to_vec();
    locator.extend([0; 4]);
    locator.extend((end as u64).to_le_bytes());
    locator.extend([0; 4]);
    let bytes = [&archive[..end], &wide, &locator, &archive[end..]].concat();
    let seen = walk(&bytes).unwrap();
    assert!(seen.0.contains(&content), "{seen:?}");
}

proptest! {
    #[test]
    fn a_walk_without_directory_never_panics(
        bytes in proptest::collection::vec(
            prop_oneof![
                Just(LOCAL_MAGIC.to_vec()),
                Just(ENTRY_MAGIC.to_vec()),
                Just(END_MAGIC.to_vec()),
                Just(DESCRIPTOR_MAGIC.to_vec()),
                Just(vec![0; 26]),
                proptest::collection::vec(any::<u8>(), 0..60),
            ],
            0..12,
        ),
    ) {
        let bytes = [LOCAL_MAGIC.to_vec(), bytes.concat()].concat();
        let _ = walk(&bytes);
    }

    #[test]
    fn agrees_with_the_reference_crate(
        contents in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..2_000), 0..6),
    ) {
        let names: Vec<_> = (0..contents.len()).map(|n| format!("f{n}")).collect();
        let files: Vec<_> = names.iter().zip(&contents).map(|(name, content)| (name.as_str(), content.as_slice())).collect();
        let (members, codes) = walk(&made(&files, CompressionMethod::Deflated)).unwrap();
        let expected: Vec<_> = files.iter().map(|(name, content)| (name.as_bytes().to_vec(), content.to_vec())).collect();
        prop_assert_eq!(members, expected);
        prop_assert!(codes.is_empty());
    }

    #[test]
    fn damage_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in 0..400_usize) {
        let mut bytes = made(&[("one", &[b'a'; 300]), ("two", b"2")], CompressionMethod::Deflated);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(bytes.len() - cut.min(bytes.len()));
        let _ = walk(&bytes);
        let exe = [b"MZ", &bytes[..]].concat();
        let _ = PrefixedZip.recognise(&exe);
        let _ = crate::container::testing::walk(&PrefixedZip, &exe, &Limits::default());
    }
}
