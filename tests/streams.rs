//! Compressed streams of every format, packed by other hands: what went in comes out at the right place, whether the
//! file is whole, in several members, padded, followed by something else, or cut.
//!
//! `fixtures/streams.py` packs them with Python's own modules, with those from PyPI and with the programs that are
//! there. A compressor that is missing is named on standard error; with STRANDLINE_REQUIRE_COMPRESSORS=1 it fails.

mod common;

use std::ffi::OsStr;
use std::path::Path;

use common::{
    Records, lines, number, python, run, scan, scratch, sha256, skipped, text, write_all,
};
use serde_json::Value;

const INCOMPLETE: i32 = 3;

/// Packs everything into a folder, in some variants or in all, and says what is in the files.
fn pack(folder: &Path, variants: &[&str]) -> Vec<Value> {
    std::fs::create_dir(folder).unwrap();
    let script = common::fixtures().join("streams.py");
    let mut arguments = vec![script.as_os_str(), folder.as_os_str()];
    arguments.extend(variants.iter().map(OsStr::new));
    let printed = python(arguments);
    let rows: Vec<Value> = lines(&printed)
        .map(|line| serde_json::from_slice(line).expect("the script prints JSON"))
        .collect();
    let (missing, rows): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| row["missing"].is_string());
    for row in missing {
        let why = format!("{} is not installed", text(&row, "missing"));
        skipped("a compressor", &why, "STRANDLINE_REQUIRE_COMPRESSORS");
    }
    rows
}

/// The SHA-256 of a source, where the records have one.
fn digest<'a>(records: &'a Records, locator: &str) -> Option<&'a str> {
    records
        .all("source")
        .find(|source| source["locator"] == locator)
        .and_then(|source| source["sha256"].as_str())
}

/// What is wrong with the records of one file; nothing, it should be.
fn complaint(row: &Value, records: &Records) -> Option<String> {
    let file = format!("in/{}", text(row, "file"));
    let variant = text(row, "variant");
    let is_tar = row["tar"].is_string();
    let map = if is_tar {
        format!("{file}!/lib/app.js.map")
    } else {
        format!("{file}!/")
    };
    let sources = row["sources"].as_array().unwrap();
    for (index, source) in sources.iter().enumerate() {
        let locator = format!("{map}!/{}", source[0].as_str().unwrap());
        let found = digest(records, &locator);
        // Of what is cut, the first source is there in any case.
        if found != source[1].as_str() && (variant != "cut" || index == 0) {
            return Some(format!("{locator}: {found:?}"));
        }
    }
    let kind = row[if is_tar { "tar" } else { "format" }].as_str().unwrap();
    let hops = records.at("map", &map)["hops"].clone();
    if !hops.to_string().contains(&format!("\"{kind}\"")) {
        return Some(format!("{map}: no hop of kind {kind} in {hops}"));
    }
    let problems: Vec<_> = records
        .problems()
        .into_iter()
        .filter(|(_, locator)| locator.starts_with(&format!("{file}!")) || *locator == file)
        .collect();
    let expected = match (variant, row["at"].as_u64()) {
        ("cut", _) => {
            let at = if is_tar { file.clone() } else { map };
            return (!problems.contains(&("truncated", &at))).then(|| format!("{problems:?}"));
        }
        // Nothing but the next length ends such a frame, and a text is no length.
        ("trailing", _) if file.contains("lz4-legacy") => {
            let at = if is_tar { file.clone() } else { map };
            vec![("corrupt-data", at)]
        }
        ("trailing", Some(at)) => vec![("trailing-data", format!("{file}!/@{at}"))],
        _ => vec![],
    };
    let expected: Vec<_> = expected
        .iter()
        .map(|(code, at)| (*code, at.as_str()))
        .collect();
    (problems != expected).then(|| format!("{file}: {problems:?}, not {expected:?}"))
}

#[test]
fn every_format_gives_back_what_other_hands_packed() {
    let folder = scratch();
    let rows = pack(&folder.path().join("in"), &[]);
    assert!(rows.len() > 60, "{} files", rows.len());
    let input = folder.path().join("in");
    let arguments = [input.as_os_str(), OsStr::new("--record"), OsStr::new("all")];
    let records = scan(INCOMPLETE, arguments);
    let complaints: Vec<_> = rows
        .iter()
        .filter_map(|row| complaint(row, &records))
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    // What is whole or cut is read by the second decoders as by the first ones.
    let safe = scan(
        INCOMPLETE,
        arguments.into_iter().chain([OsStr::new("--safe-decoders")]),
    );
    let decoders = |records: &Records| records.all("run").next().unwrap()["decoders"].clone();
    assert_eq!(decoders(&safe), "safe");
    assert_eq!(decoders(&records), "fast");
    let complaints: Vec<_> = rows
        .iter()
        .filter_map(|row| complaint(row, &safe))
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    // Where less may be held, it is said of each map, or of a frame that looks back further than that.
    let small = [
        input.as_os_str(),
        OsStr::new("--memory"),
        OsStr::new("200K"),
    ];
    let streamed = scan(INCOMPLETE, small);
    for row in rows.iter().filter(|row| row["tar"].is_string()) {
        let file = format!("in/{}", text(row, "file"));
        let places = [format!("{file}!/lib/app.js.map"), format!("{file}!/"), file];
        let problems = streamed.problems();
        let is_said = |place: &String| problems.contains(&("memory-limit", place.as_str()));
        assert!(places.iter().any(is_said), "{places:?} do not fit in 100K");
    }
}

/// One run over everything, by one thread and by several, from files and from an archive of them.
#[test]
fn streams_within_an_archive_are_read_as_those_outside() {
    let folder = scratch();
    let whole = pack(&folder.path().join("in"), &["whole"]);
    let members: Vec<_> = whole
        .iter()
        .map(|row| {
            let name = text(row, "file");
            (
                name,
                std::fs::read(folder.path().join("in").join(name)).unwrap(),
            )
        })
        .collect();
    write_all(folder.path(), &[("all.tar", common::tar(&members))]);
    let archive = folder.path().join("all.tar");
    let one = scan(0, [archive.as_os_str(), "--jobs".as_ref(), "1".as_ref()]);
    let two = scan(0, [archive.as_os_str(), "--jobs".as_ref(), "2".as_ref()]);
    common::assert_same(&one.clone().normalised(), &two.normalised(), "threads");
    for row in &whole {
        let inner = if row["tar"].is_string() {
            "lib/app.js.map"
        } else {
            ""
        };
        for source in row["sources"].as_array().unwrap() {
            let name = source[0].as_str().unwrap();
            let locator = format!("all.tar!/{}!/{inner}!/{name}", text(row, "file"));
            assert_eq!(digest(&one, &locator), source[1].as_str(), "{locator}");
        }
    }
    assert_eq!(one.ledger()["complete"], true);
}

/// A small file that becomes a large one: the limits say where they cut, and how to go on.
#[test]
fn bombs_are_cut_and_say_so() {
    const SCRIPT: &str = "
import bz2, lzma, sys, zlib
zeros = bytes(8 << 20)
for name, pack in (('bz2', bz2.compress), ('xz', lzma.compress), ('zlib', zlib.compress)):
    open(f'{sys.argv[1]}/{name}', 'wb').write(pack(zeros))
";
    let folder = scratch();
    let input = folder.path().join("in");
    std::fs::create_dir(&input).unwrap();
    python([OsStr::new("-c"), OsStr::new(SCRIPT), input.as_os_str()]);
    let limited = [input.as_os_str(), "--limit-bytes".as_ref(), "1M".as_ref()];
    let records = scan(INCOMPLETE, limited);
    for name in ["bz2", "xz", "zlib"] {
        let file = format!("in/{name}");
        assert!(
            records.problems().contains(&("bytes-limit", file.as_str())),
            "{name}: {:?}",
            records.problems()
        );
    }
    run([OsStr::new("scan"), input.as_os_str()]).expect(0);
}

/// Content that only looks like a stream stays what it is.
#[test]
fn what_is_no_stream_is_left_alone() {
    let mut random = common::Random::new(99);
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for index in 0..400_usize {
        let bytes: Vec<u8> = (0..200)
            .flat_map(|_| random.number().to_le_bytes())
            .collect();
        files.push((format!("noise-{index}"), bytes[..100 + index * 3].to_vec()));
    }
    for (name, start) in [
        ("zlib", &b"\x78\x9c"[..]),
        ("lzma", b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\0"),
        ("brotli", b"\x1b\x48\0\xf8"),
        ("brotli-empty", b"\x06"),
        ("bzip2", b"BZh9"),
        ("lz4", b"\x04\x22\x4d\x18\xff\xff"),
        ("skippable", b"\x50\x2a\x4d\x18\x04\0\0\0"),
    ] {
        files.push((
            name.to_owned(),
            [start, b"\0and then something else\xff"].concat(),
        ));
    }
    let folder = scratch();
    let input = folder.path().join("in");
    write_all(&input, &files);
    let records = scan(0, [input.as_os_str(), "--record".as_ref(), "all".as_ref()]);
    assert_eq!(records.problems(), []);
    assert_eq!(number(records.ledger(), "containers"), 0);
    for (name, bytes) in &files {
        let blob = records.at("blob", &format!("in/{name}"));
        assert_eq!(text(blob, "sha256"), sha256(bytes));
    }
}
