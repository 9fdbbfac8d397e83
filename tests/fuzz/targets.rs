//! The targets: a parser each, called as the library calls it.
//!
//! A target takes any bytes. It fails by a panic, or by saying what two ways of reading do not agree on; memory and time
//! are watched from outside.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use strandline::blob::locator::{escape, shown, unescape};
use strandline::blob::{ContentKey, MemberName};
use strandline::container::git::index::{Index, MultiIndex};
use strandline::container::git::object::{self, Commit, Hash};
use strandline::container::git::store::Settings;
use strandline::container::git::{delta, refs::RefFiles};
use strandline::container::image::Doc;
use strandline::container::zip::headers::Headers;
use strandline::container::{self, Format, Input, Member, carve, exe, http, json, tar};
use strandline::exposure::{Manifest, Organisation, Prefilter, Rules, packages_in, traits_of};
use strandline::scan::analyse::{Analyser, Wishes};
use strandline::scan::building::Visited;
use strandline::scan::facts::Child;
use strandline::scan::tally::Tally;
use strandline::scan::{formats, seen::Seen};
use strandline::signature::{Key, Set, SetGroup, norm_text};
use strandline::sourcemap::{self, inlined::Inlined, inlined::Wanted, skeleton, strict, vlq};

use super::walk;

/// What a target found wrong.
pub type Outcome = Result<(), String>;

/// Reads a mutant; the number says which of several ways it is read in.
pub type Run = dyn Fn(&[u8], u64) -> Outcome + Send;

/// One parser and what belongs to it.
pub struct Target {
    pub name: String,
    /// Seeds of these targets are mutated.
    pub seeds: Vec<String>,
    /// What the format is written with.
    pub words: &'static [&'static [u8]],
    /// Makes sums right again that would have the rest refused unread.
    pub mend: fn(&mut [u8]),
    /// Calls it.
    pub run: Box<Run>,
    /// The most that it may hold at a time, in bytes.
    pub memory_max: u64,
}

/// What reading under [`walk::limits`] may hold: the decoders' windows, content that is held, and what is made of it.
const HELD_MAX: u64 = 128 << 20;

const JSON: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b"\\u",
    b"\\ud83d",
    b"null",
    b"true",
    b"1e999",
    b"-0",
    b",",
    b":",
    b"\xef\xbb\xbf",
];
const MAP: &[&[u8]] = &[
    b"\"sections\":[",
    b"\"sourcesContent\":[",
    b"\"sources\":[",
    b"\"mappings\":\"",
    b"\"version\":3",
    b"\"names\":[",
    b"\"sourceRoot\":\"",
    b"{\"offset\":{\"line\":0,\"column\":0},\"map\":{",
    b"\"ignoreList\":[0]",
    b"\"url\":\"x\"",
    b")]}'\n",
    b";",
    b",",
    b"AAAA",
    b"gggggggD",
    b"+/////D",
    b"\\u0000",
    b"\\ud800",
    b"null",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
];
pub const TEXT: &[&[u8]] = &[
    b"//# sourceMappingURL=",
    b"/*# sourceMappingURL=",
    b"*/",
    b"data:application/json;base64,",
    b"eval(\"",
    b"\\n",
    b"\\\"",
    b"`",
    b"sourcesContent",
    b"{\"version\":3,",
    b"debugId=",
    b"\n",
    b"\r",
    b"\xe2\x80\xa8",
    b"-----BEGIN ",
    b"PRIVATE KEY-----",
    b"H4sI",
    b"UEsDB",
    b"\x1f\x8b\x08",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"ustar",
    b"070701",
    b"\xfd7zXZ\0",
    b"BZh9",
];
const MAIL: &[&[u8]] = &[
    b"\r\n",
    b"\n\n",
    b"From ",
    b"Content-Type: multipart/mixed; boundary=x\r\n",
    b"--x\r\n",
    b"--x--",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: quoted-printable\r\n",
    b"=\r\n",
    b"=3D",
    b"=?utf-8?B?",
    b"?=",
    b"filename*0*=utf-8''",
    b"Content-Length: ",
    b"message/rfc822",
    b"begin 644 a\n",
    b"\nend\n",
    b"Subject: x\r\n",
    b"MIME-Version: 1.0\r\n",
];
const HTTP: &[&[u8]] = &[
    b"HTTP/1.1 200 OK\r\n",
    b"\r\n",
    b"\r\n\r\n",
    b"Content-Length: ",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Encoding: gzip\r\n",
    b"WARC/1.0\r\n",
    b"WARC-Type: response\r\n",
    b"WARC-Target-URI: https://h/x\r\n",
    b"WARC-Type: continuation\r\n",
    b"SourceMap: x\r\n",
    b"0\r\n\r\n",
];
const LOCK: &[&[u8]] = &[
    b"@acme/",
    b"lockfileVersion: '9.0'\n",
    b"\"lockfileVersion\":3",
    b"packages:\n",
    b"  '",
    b"':\n",
    b"@npm:",
    b"# yarn lockfile v1",
    b"\n__metadata:",
    b"\"checkedAt\":1",
    b"integrity",
    b"sha512-",
    b"node_modules/",
    b"\t{",
    b"\"",
    b":",
    b"@",
    b"/",
];
const TOML: &[&[u8]] = &[
    b"[", b"]", b"[[", b"=", b"\"", b"\"\"\"", b"'", b"\n", b"#", b"\\u0000", b"1e9", b"*", b"@",
    b"{", b"}",
];
const ZIP: &[&[u8]] = &[
    b"PK\x01\x02",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"PK\x06\x06",
    b"PK\x06\x07",
    b"PK\x07\x08",
    b"\x01\0\x08\0",
    b"\x75\x70",
];
const TAR: &[&[u8]] = &[
    b"ustar\x0000",
    b"ustar  \0",
    b"././@LongLink",
    b"x",
    b"L",
    b"K",
    b"g",
    b"S",
    b"5",
    b"99 path=a\n",
    b"30 GNU.sparse.major=1\n",
    b"\x80\0\0\0\0\0\0\0",
];
const GIT: &[&[u8]] = &[
    b"PACK",
    b"\0\0\0\x02",
    b"\xfftOc",
    b"MIDX",
    b"PNAM",
    b"OIDF",
    b"OIDL",
    b"OOFF",
    b"LOFF",
    b"# v2 git bundle\n",
    b"# v3 git bundle\n@object-format=sha256\n",
    b"ref: ",
    b"blob 5\0",
];

/// Every target, in a fixed order.
pub fn all() -> Vec<Target> {
    let mut targets = Vec::new();
    for (number, format) in formats::all().iter().enumerate() {
        let same = formats::all()[..number]
            .iter()
            .filter(|other| other.name() == format.name());
        let name = match same.count() {
            0 => format.name().to_owned(),
            earlier => format!("{}-{}", format.name(), earlier + 1),
        };
        targets.push(of_format(name, *format));
    }
    let mut add = |name: &str, seeds: &[&str], words, run: fn(&[u8], u64) -> Outcome| {
        targets.push(Target {
            name: name.to_owned(),
            seeds: seeds.iter().map(|&name| name.to_owned()).collect(),
            words,
            mend: |_| {},
            run: Box::new(run),
            memory_max: HELD_MAX,
        });
    };
    add("map-scan", &["source-map"], MAP, map_scan);
    add("map-strict", &["source-map"], MAP, map_strict);
    add("map-skeleton", &["source-map", "text"], MAP, map_skeleton);
    add("inlined", &["text", "source-map"], TEXT, inlined);
    add("data-url", &["data-url"], TEXT, data_url);
    add("vlq", &["source-map"], MAP, mappings);
    add("resolve", &["text", "secrets", "data-url"], TEXT, resolve);
    add(
        "carve",
        &[
            "text", "zip", "tar", "gzip", "xz", "bzip2", "7z", "cpio", "asar", "zstd", "mail",
        ],
        TEXT,
        carved,
    );
    add(
        "lengths",
        &["tar", "cpio", "zstd", "zip", "tar", "gzip"],
        TAR,
        lengths,
    );
    add("headers", &["zip", "tar"], ZIP, headers);
    add(
        "executable",
        &["node-sea", "bun", "deno", "nexe", "pkg"],
        &[],
        executable,
    );
    add("http", &["http", "warc"], HTTP, http_message);
    add(
        "json",
        &["har", "source-map", "image-doc"],
        JSON,
        json_tokens,
    );
    add("image-doc", &["image-doc"], JSON, image_doc);
    add("git-index", &["git-index", "git-midx"], GIT, git_index);
    add("git-delta", &["git-delta"], GIT, git_delta);
    add("git-text", &["git-text"], GIT, git_text);
    add(
        "rules-of-content",
        &["text", "secrets", "lockfile"],
        TEXT,
        rules_of_content,
    );
    add("lockfile", &["lockfile"], LOCK, lockfile);
    add("profile", &["profile"], TOML, profile);
    add("rules-file", &["profile", "rules-file"], TOML, rules_file);
    add("norm-text", &["norm-text", "text"], TEXT, normal_text);
    add("locator", &["text", "norm-text"], TEXT, locator);
    add("key-file", &["secrets"], TEXT, key_file);
    add("names", &["names"], JSON, names);
    let last = targets.last_mut();
    if let Some(names) = last {
        names.mend = mend_names;
    }
    targets.push(Target {
        mend: mend_set,
        ..plain("set", &["set"], set)
    });
    targets.extend(super::matching::all());
    targets.extend(super::exposure::all());
    targets.push(analyser());
    targets
}

pub fn plain(name: &str, seeds: &[&str], run: fn(&[u8], u64) -> Outcome) -> Target {
    Target {
        name: name.to_owned(),
        seeds: seeds.iter().map(|&name| name.to_owned()).collect(),
        words: &[],
        mend: |_| {},
        run: Box::new(run),
        memory_max: HELD_MAX,
    }
}

fn of_format(name: String, format: &'static dyn Format) -> Target {
    let words: &[&[u8]] = match format.name() {
        "zip" => ZIP,
        "tar" => TAR,
        "har" | "asar" | "bun-map" => JSON,
        "warc" | "warc.gz" => HTTP,
        "mail" | "mbox" => MAIL,
        "source-map" => MAP,
        kind if kind.starts_with("git") => GIT,
        _ => &[],
    };
    let mend = match format.name() {
        "tar" => mend_tar,
        "7z" => mend_sevenz,
        _ => |_: &mut [u8]| {},
    };
    Target {
        // A format that is another in a wrapping lives on the other's seeds.
        seeds: vec![format.name().to_owned(), name.clone()],
        name,
        words,
        mend,
        run: Box::new(move |bytes, turn| walk::format(format, bytes, turn)),
        memory_max: HELD_MAX,
    }
}

// ---------------------------------------------------------------------------------------------------------------
// Sums

/// Sums of tar headers (POSIX.1-2017, pax, "ustar Interchange Format").
fn mend_tar(bytes: &mut [u8]) {
    for block in bytes.chunks_exact_mut(512) {
        if &block[257..262] == b"ustar" {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
}

/// The sums of 7z: of its first header, and of the one that stands behind the data.
fn mend_sevenz(bytes: &mut [u8]) {
    let word = |bytes: &[u8], at: usize| {
        let field = bytes.get(at..at + 8)?.first_chunk::<8>()?;
        usize::try_from(u64::from_le_bytes(*field)).ok()
    };
    let (Some(at), Some(len)) = (word(bytes, 12), word(bytes, 20)) else {
        return;
    };
    let end = at.saturating_add(len).saturating_add(32);
    if let Some(header) = bytes.get(at.saturating_add(32)..end) {
        let sum = crc32fast::hash(header);
        bytes[28..32].copy_from_slice(&sum.to_le_bytes());
    }
    if bytes.len() >= 32 {
        let sum = crc32fast::hash(&bytes[12..32]);
        bytes[8..12].copy_from_slice(&sum.to_le_bytes());
    }
}

/// The sums of a set: of its sections, and of its header.
pub fn mend_set(bytes: &mut [u8]) {
    let number = |bytes: &[u8], at: usize, len: usize| -> Option<usize> {
        let mut field = [0; 8];
        field[..len].copy_from_slice(bytes.get(at..at.checked_add(len)?)?);
        usize::try_from(u64::from_le_bytes(field)).ok()
    };
    let len = bytes.len() as u64;
    if let Some(field) = bytes.get_mut(16..24) {
        field.copy_from_slice(&len.to_le_bytes());
    }
    let (Some(header), Some(sections)) = (number(bytes, 12, 4), number(bytes, 28, 4)) else {
        return;
    };
    let Some(rows) = sections
        .checked_mul(80)
        .and_then(|rows| header.checked_sub(rows + 32))
    else {
        return;
    };
    for section in 0..sections.min(16) {
        let row = rows + section * 80;
        let (Some(at), Some(len)) = (number(bytes, row + 32, 8), number(bytes, row + 40, 8)) else {
            return;
        };
        let Some(body) = bytes.get(at..at.saturating_add(len)) else {
            continue;
        };
        let sum = blake3::hash(body);
        if let Some(place) = bytes.get_mut(row + 48..row + 80) {
            place.copy_from_slice(sum.as_bytes());
        }
    }
    if let Some(head) = header.checked_sub(32).and_then(|end| bytes.get(..end)) {
        let sum = blake3::hash(head);
        if let Some(place) = bytes.get_mut(header - 32..header) {
            place.copy_from_slice(sum.as_bytes());
        }
    }
}

/// The sum of the rows of names, in their first line.
fn mend_names(bytes: &mut [u8]) {
    use sha2::Digest as _;
    let word = b"\"rows_sha256\":\"";
    let Some(end) = memchr::memchr(b'\n', bytes) else {
        return;
    };
    let Some(at) = memchr::memmem::find(&bytes[..end], word) else {
        return;
    };
    let sum: String = sha2::Sha256::digest(&bytes[end + 1..])
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let at = at + word.len();
    if at + 64 < end {
        bytes[at..at + 64].copy_from_slice(sum.as_bytes());
    }
}

// ---------------------------------------------------------------------------------------------------------------
// Source maps

fn map_scan(bytes: &[u8], turn: u64) -> Outcome {
    sourcemap::looks_like_map(bytes);
    let limits = match turn % 2 {
        0 => sourcemap::Limits::default(),
        _ => sourcemap::Limits {
            entries: 5,
            depth: 2,
        },
    };
    let Ok(scan) = sourcemap::scan_with(bytes, &limits) else {
        return Ok(());
    };
    for slot in &scan.sources {
        // Each byte makes three at most: U+FFFD, where it is none of UTF-8.
        if let (sourcemap::Content::Raw(raw), Some(text)) = (&slot.content, slot.content.decode())
            && text.bytes.len() > raw.raw.len() * 3
        {
            return Err(format!("{} bytes of {}", text.bytes.len(), raw.raw.len()));
        }
        slot.name.map(|name| name.decode());
    }
    if scan
        .ignore_list
        .iter()
        .any(|&slot| slot as usize >= scan.sources.len())
    {
        return Err("a source that is none is ignored".to_owned());
    }
    sourcemap::mapped::missing_profiles(&scan);
    Ok(())
}

fn map_strict(bytes: &[u8], _turn: u64) -> Outcome {
    let verdict = strict::judge(bytes);
    let said = verdict.lines();
    if !verdict.is_valid() && said.is_empty() {
        return Err("no map, and nothing is said of it".to_owned());
    }
    // What is valid is read by the tolerant scanner; but it takes an object in the line in front for the map.
    let line = bytes
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    let is_in_front = line.starts_with(b")]}'") && line.contains(&b'{');
    if verdict.is_valid() && !is_in_front && sourcemap::scan(bytes).is_err() {
        return Err("valid, and no map to the scanner".to_owned());
    }
    Ok(())
}

fn map_skeleton(bytes: &[u8], turn: u64) -> Outcome {
    // A map, and the code behind it.
    let (map, code) = bytes.split_at(bytes.len() - bytes.len() / 4);
    let room = [1 << 10, 1 << 20][turn as usize % 2];
    let code = if turn.is_multiple_of(4) { bytes } else { code };
    let made = skeleton::of_missing(map, code, room);
    let taken: usize = made.iter().map(|skeleton| skeleton.text.len()).sum();
    if taken > room {
        return Err(format!("{taken} bytes of skeletons in room for {room}"));
    }
    skeleton::of_missing(bytes, bytes, room);
    Ok(())
}

fn is_in_order(mut ranges: impl Iterator<Item = Range<usize>>, len: usize) -> bool {
    let mut last = 0;
    ranges.all(|range| {
        let fits = range.start >= last && range.end >= range.start && range.end <= len;
        last = range.end;
        fits
    })
}

fn inlined(bytes: &[u8], _turn: u64) -> Outcome {
    let text = Bytes::copy_from_slice(bytes);
    let found = sourcemap::carve::maps(bytes);
    let ranges = found
        .maps
        .iter()
        .map(|map| map.offset..map.offset + map.len);
    if !is_in_order(ranges, bytes.len()) {
        return Err("maps in a text that overlap or are not in it".to_owned());
    }
    for module in sourcemap::eval::modules(bytes) {
        let inner = module.text();
        sourcemap::eval::path(&inner);
    }
    let inlined = Inlined::of(
        &text,
        Wanted {
            modules: true,
            maps: true,
        },
    );
    if inlined.ranges().iter().any(|range| range.end > bytes.len()) {
        return Err("something inlined that is not in the text".to_owned());
    }
    if let Some(mut walker) = inlined.walker() {
        walk::walked(&mut walker);
    }
    Ok(())
}

fn data_url(bytes: &[u8], _turn: u64) -> Outcome {
    match sourcemap::data_url::decode(bytes) {
        Ok(url) if url.bytes.len() > bytes.len() => {
            Err("a data URL that holds more than it is".to_owned())
        }
        _ => Ok(()),
    }
}

fn mappings(bytes: &[u8], _turn: u64) -> Outcome {
    let mut segments = 0;
    sourcemap::mapped::segments(bytes, |_| segments += 1);
    if segments > bytes.len() + 1 {
        return Err(format!("{segments} segments in {} bytes", bytes.len()));
    }
    let mut at = 0;
    while at < bytes.len() {
        match vlq::decode(bytes, at) {
            Some((value, end)) => {
                if let Ok(value) = i32::try_from(value) {
                    let mut text = Vec::new();
                    vlq::encode(value, &mut text);
                    if vlq::decode(&text, 0).map(|found| found.0) != Some(i64::from(value)) {
                        return Err(format!("{value} is not read as it was written"));
                    }
                }
                at = end.max(at + 1);
            }
            None => {
                vlq::diagnose(bytes, at);
                // A number without end is read once, not from each of its digits.
                let digits = bytes[at..].iter().take_while(|&&byte| vlq::is_digit(byte));
                at += digits.count().max(1);
            }
        }
    }
    Ok(())
}

fn resolve(bytes: &[u8], _turn: u64) -> Outcome {
    for link in sourcemap::links(bytes) {
        sourcemap::classify(link.url);
        sourcemap::resolve_link(b"a/b.js", link.url);
        sourcemap::resolve_captured(b"https://h.example/a/b.js", link.url);
    }
    sourcemap::debug_ids(bytes);
    sourcemap::wasm_links(bytes);
    let (root, name) = bytes.split_at(bytes.len() / 2);
    sourcemap::join_source(Some(root), name);
    sourcemap::resolve_source(b"a/b.js.map", Some(root), name);
    sourcemap::resolve_link(root, name);
    sourcemap::captured_url(bytes);
    sourcemap::resolve_captured(root, name);
    let part = sourcemap::layout::component(bytes);
    if bytes.is_empty() {
        return Ok(());
    }
    if part.contains('/') || part.contains('\0') || matches!(part.as_str(), "" | "." | "..") {
        return Err(format!("a component that is none: {part:?}"));
    }
    sourcemap::utf16::to_utf8(bytes);
    Ok(())
}

// ---------------------------------------------------------------------------------------------------------------
// Containers beside their walks

fn carved(bytes: &[u8], _turn: u64) -> Outcome {
    let content = Bytes::copy_from_slice(bytes);
    let hits = Prefilter::new().scan(bytes);
    let found = carve::archives(
        &content,
        hits.archives().iter().copied(),
        &walk::limits(),
        formats::is_map,
    );
    let ranges = found
        .found
        .iter()
        .map(|found| found.offset..found.offset + found.len);
    if !is_in_order(ranges, bytes.len()) {
        return Err("archives in a content that overlap or are not in it".to_owned());
    }
    Ok(())
}

fn lengths(bytes: &[u8], _turn: u64) -> Outcome {
    let content = Bytes::copy_from_slice(bytes);
    let ends = [
        tar::archive_len(bytes),
        container::cpio::archive_len(bytes),
        container::zstd::frame_len(bytes),
    ];
    if ends.into_iter().flatten().any(|len| len > bytes.len()) {
        return Err("an archive that ends behind its content".to_owned());
    }
    let zips = container::zip::archives(&content);
    if zips
        .iter()
        .any(|&(start, end)| start > end || end > bytes.len())
    {
        return Err("a zip that is not in its content".to_owned());
    }
    Ok(())
}

fn headers(bytes: &[u8], turn: u64) -> Outcome {
    let input = match turn % 2 {
        0 => Input::Memory(Bytes::copy_from_slice(bytes)),
        _ => walk::as_file(bytes),
    };
    if let Ok(mut headers) = Headers::open(input.clone()) {
        let count = headers.by_ref().take(1 << 20).count();
        if count > bytes.len() {
            return Err(format!("{count} headers in {} bytes", bytes.len()));
        }
        headers.finish();
    }
    if tar::looks_like_tar(bytes) {
        let mut walker = tar::by_headers(input);
        let mut count = 0;
        while container::Walker::next(&mut walker).is_some() {
            count += 1;
            if count > bytes.len() + 8 {
                return Err("a tar without end".to_owned());
            }
        }
    }
    Ok(())
}

fn executable(bytes: &[u8], _turn: u64) -> Outcome {
    let wanted = exe::Wanted {
        section: b".bun",
        note: b"NODE_SEA_BLOB",
        resource: "NODE_SEA_BLOB",
        macho_section: b"__NODE_SEA_BLOB",
    };
    match exe::find(bytes, &wanted) {
        Some(range) if range.end > bytes.len() => {
            Err("a section that is not in its file".to_owned())
        }
        _ => Ok(()),
    }
}

fn http_message(bytes: &[u8], turn: u64) -> Outcome {
    let Some(head) = http::Head::read(bytes) else {
        return Ok(());
    };
    head.links();
    let decoders = match turn % 2 {
        0 => strandline::blob::Decoders::Fast,
        _ => strandline::blob::Decoders::Safe,
    };
    let body = Bytes::copy_from_slice(&bytes[head.len..]);
    let most = 1 << 20;
    let plain = http::plain(&head, body.clone(), most, decoders);
    if plain.bytes.len() as u64 > most.max(body.len() as u64) {
        return Err(format!(
            "{} bytes of a body, where {most} were asked for",
            plain.bytes.len()
        ));
    }
    Ok(())
}

fn json_tokens(bytes: &[u8], _turn: u64) -> Outcome {
    let mut tokens = json::Tokens::new(Bytes::copy_from_slice(bytes));
    let mut count = 0;
    for _ in tokens.by_ref() {
        count += 1;
        if count > bytes.len() {
            return Err("more tokens than bytes".to_owned());
        }
    }
    tokens.cut_string();
    json::unescape(bytes);
    json::number(bytes);
    Ok(())
}

fn image_doc(bytes: &[u8], _turn: u64) -> Outcome {
    Doc::of(bytes);
    Ok(())
}

// ---------------------------------------------------------------------------------------------------------------
// Git

fn git_index(bytes: &[u8], _turn: u64) -> Outcome {
    let content = Bytes::copy_from_slice(bytes);
    for hash in [Hash::Sha1, Hash::Sha256] {
        let Ok(index) = Index::parse(content.clone(), hash) else {
            continue;
        };
        if index.count() as usize > bytes.len() {
            return Err("more names than bytes".to_owned());
        }
        index.table();
        for number in (0..index.count()).chain([u32::MAX]) {
            index.offset(number);
            if let Some(id) = index.id(number) {
                index.find(&id);
            }
        }
        for first in [0, 1, 0x7f, 0xff] {
            index.sum(first);
        }
    }
    if let Ok(index) = MultiIndex::parse(content) {
        if index.count() as usize > bytes.len() {
            return Err("more names than bytes".to_owned());
        }
        index.packs();
        for number in (0..index.count()).chain([u32::MAX]) {
            index.id(number);
            index.place(number);
        }
    }
    Ok(())
}

fn git_delta(bytes: &[u8], _turn: u64) -> Outcome {
    // The base, as long as its first byte says, and what is to be done with it.
    let Some((&len, rest)) = bytes.split_first() else {
        return Ok(());
    };
    let (base, change) = rest.split_at(usize::from(len).min(rest.len()));
    delta::lengths(change);
    let max = 1 << 20;
    match delta::apply(base, change, max) {
        Ok(made) if made.len() as u64 > max => Err("longer than may be".to_owned()),
        _ => Ok(()),
    }
}

fn git_text(bytes: &[u8], _turn: u64) -> Outcome {
    Commit::parse(bytes);
    object::tag_target(bytes);
    object::loose_header(bytes);
    Settings::parse(bytes);
    for hash in [Hash::Sha1, Hash::Sha256] {
        if object::tree_entries(bytes, hash).count() > bytes.len() {
            return Err("more entries than bytes".to_owned());
        }
    }
    let mut refs = RefFiles::default();
    refs.add(b"packed-refs", bytes);
    for (number, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
        refs.add(format!("refs/heads/{}", number % 5).as_bytes(), line);
    }
    refs.add(b"HEAD", bytes);
    refs.resolve();
    Ok(())
}

// ---------------------------------------------------------------------------------------------------------------
// Rules, sets, profiles

fn organisation() -> Organisation {
    let text = std::fs::read_to_string(super::common::incident().join("acme.toml"))
        .expect("the profile is there");
    Organisation::parse(&text, "acme.toml").expect("it is one")
}

fn rules_of_content(bytes: &[u8], _turn: u64) -> Outcome {
    let hits = Prefilter::new().scan(bytes);
    traits_of(bytes, &hits);
    Manifest::from_npm(bytes);
    Ok(())
}

fn lockfile(bytes: &[u8], _turn: u64) -> Outcome {
    thread_local! {
        static ORGANISATION: Organisation = organisation();
    }
    ORGANISATION.with(|org| packages_in(&Bytes::copy_from_slice(bytes), org));
    Ok(())
}

fn profile(bytes: &[u8], _turn: u64) -> Outcome {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(org) = Organisation::parse(&text, "p.toml") {
        for name in [
            "@acme/x",
            "",
            "acme.example",
            "https://git.acme.example/x/y",
        ] {
            org.owns_package(name);
            org.owns_host(name);
            org.owns_repository(name);
        }
    }
    Ok(())
}

fn rules_file(bytes: &[u8], _turn: u64) -> Outcome {
    let _ = Rules::parse(&String::from_utf8_lossy(bytes), "r.toml");
    Ok(())
}

fn normal_text(bytes: &[u8], _turn: u64) -> Outcome {
    let form = norm_text::normal_form(bytes);
    let digest = form.as_ref().map(|form| *blake3::hash(form).as_bytes());
    if norm_text::digest(bytes) != digest {
        return Err("the digest is not that of the normal form".to_owned());
    }
    if form.is_some() && norm_text::lines(bytes).is_none() {
        return Err("a normal form of what has no lines".to_owned());
    }
    Ok(())
}

fn locator(bytes: &[u8], _turn: u64) -> Outcome {
    let text = escape(bytes);
    if unescape(&text).as_deref() != Some(bytes) {
        return Err(format!("{text:?} is not undone to what it was made of"));
    }
    let plain = String::from_utf8_lossy(bytes);
    unescape(&plain);
    shown(&plain);
    Ok(())
}

fn key_file(bytes: &[u8], _turn: u64) -> Outcome {
    let _ = Key::from_file_bytes(bytes);
    Ok(())
}

pub fn incident_set() -> Set {
    let set = std::fs::read(super::common::incident().join("acme-cli-2.1.0.sigset"))
        .expect("the set is there");
    Set::from_bytes(set, None).expect("it is one")
}

fn names(bytes: &[u8], _turn: u64) -> Outcome {
    let mut file = tempfile::NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR"))
        .expect("the build folder is writable");
    std::io::Write::write_all(&mut file, bytes).expect("the disk has room");
    let mut set = incident_set();
    let _ = set.load_names(file.path());
    for id in (0..set.files_total()).chain([u32::MAX]) {
        let _ = set.name(id);
    }
    Ok(())
}

fn set(bytes: &[u8], _turn: u64) -> Outcome {
    let Ok(set) = Set::from_bytes(bytes.to_vec(), None) else {
        return Ok(());
    };
    if set.files_total() as usize > bytes.len() {
        return Err("more files than bytes".to_owned());
    }
    for id in (0..set.files_total()).chain([u32::MAX]) {
        let _ = (set.file(id), set.name(id));
    }
    set.lengths().count();
    let _ = (set.work(), set.release(), set.tiers(), set.unknown_tiers());
    for first in 0..=255 {
        set.find_exact(&[first; 32]).count();
        set.find_norm(&[first; 32]).count();
        set.find_git(&[first; 20]).count();
        set.find_crc(u64::from(first), 0).count();
    }
    let group = SetGroup::new(vec![set]);
    let _ = group.lookup(&[0; 32], b"export const a = 1;\n");
    Ok(())
}

// ---------------------------------------------------------------------------------------------------------------
// Everything together

/// The engine on a file of any kind: nested containers, rules, and the account of it.
fn analyser() -> Target {
    let analyser = Analyser {
        limits: walk::limits(),
        sets: SetGroup::new(vec![incident_set()]),
        wishes: Wishes::default(),
        seen: Seen::default(),
        prefilter: Prefilter::new(),
        organisation: Some(organisation()),
        inspector: strandline::exposure::Inspector::default(),
        spill: None,
        collector: None,
        progress: Arc::default(),
    };
    let run = move |bytes: &[u8], _turn: u64| {
        analyser.seen.clear();
        let member = Member::whole(
            MemberName::Named(b"m".to_vec()),
            Bytes::copy_from_slice(bytes),
        );
        let Visited::Child(child) = analyser.visit(member, 1, 0, &[] as &[ContentKey]) else {
            return Ok(());
        };
        if !Tally::of(&child).adds_up() {
            return Err("the account does not add up".to_owned());
        }
        match internal_error(&child) {
            true => Err("an internal error".to_owned()),
            false => Ok(()),
        }
    };
    Target {
        name: "analyser".to_owned(),
        seeds: Vec::new(),
        words: TEXT,
        mend: |_| {},
        run: Box::new(run),
        memory_max: HELD_MAX,
    }
}

fn internal_error(root: &Child) -> bool {
    let mut open = vec![root];
    while let Some(child) = open.pop() {
        let mut troubles = child.trouble.iter().chain(&child.facts.troubles);
        if troubles.any(|trouble| trouble.code == "internal-error") {
            return true;
        }
        open.extend(child.facts.tree.iter().flat_map(|tree| &tree.children));
    }
    false
}
