//! What a file is by its content: programs, archives, those that nobody can look into, and what is called something else.
//!
//! Names decide nothing here but what a file claims to be. Encryption is read from the flags that formats have for it: of
//! zip in each record (APPNOTE 4.4.4), of rar in its headers (both generations), of 7z in the list of coders, which the
//! program's own reader unpacks.

use bytes::Bytes;

use super::rules::{TamperRules, parameter};
use super::text::{ending, is_below};
use crate::copies::tree::TreeFile;

/// Bytes at the end of a file in which a zip's closing record stands.
const TAIL: usize = 66 << 10;

/// Entries of an archive that are looked at.
const ENTRIES: usize = 100_000;

/// What a content is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Program(&'static str),
    Archive(&'static str),
    /// A document that is a zip by its form.
    Document,
    Script,
    Picture,
    Text,
    Other,
}

/// A sign that a file as a whole is.
pub(super) struct Whole {
    pub rule: &'static str,
    pub when: &'static str,
    pub said: String,
}

/// What a file is.
pub(super) fn kind(file: &TreeFile) -> Kind {
    match &file.bytes {
        Some(bytes) => kind_of(bytes),
        None => by_word(&file.content),
    }
}

/// What the word in records says of a file that is not held.
fn by_word(word: &str) -> Kind {
    match word {
        "elf" => Kind::Program("ELF"),
        "pe" => Kind::Program("PE"),
        "mach-o" => Kind::Program("Mach-O"),
        "wasm" => Kind::Program("WebAssembly"),
        "zip" | "prefixed-zip" => Kind::Archive("zip"),
        "7z" | "sevenz" => Kind::Archive("7z"),
        "rar" => Kind::Archive("rar"),
        "tar" => Kind::Archive("tar"),
        "gzip" | "xz" | "bzip2" | "zstd" | "lz4" | "lzma" => Kind::Archive("compressed"),
        "cab" | "iso" | "rpm" | "ar" | "cpio" => Kind::Archive("archive"),
        "text" | "html" => Kind::Text,
        "png" | "jpeg" | "gif" | "webp" => Kind::Picture,
        _ => Kind::Other,
    }
}

fn kind_of(bytes: &[u8]) -> Kind {
    const MAGICS: [(&[u8], Kind); 22] = [
        (b"\x7fELF", Kind::Program("ELF")),
        (b"\xcf\xfa\xed\xfe", Kind::Program("Mach-O")),
        (b"\xce\xfa\xed\xfe", Kind::Program("Mach-O")),
        (b"\xfe\xed\xfa\xcf", Kind::Program("Mach-O")),
        (b"\xfe\xed\xfa\xce", Kind::Program("Mach-O")),
        (b"\0asm", Kind::Program("WebAssembly")),
        (b"dex\n0", Kind::Program("Android bytecode")),
        (
            b"\x4c\0\0\0\x01\x14\x02\0",
            Kind::Program("Windows shortcut"),
        ),
        (b"\x1bLua", Kind::Program("Lua bytecode")),
        (b"\x1bLJ", Kind::Program("Lua bytecode")),
        (b"7z\xbc\xaf\x27\x1c", Kind::Archive("7z")),
        (b"Rar!\x1a\x07", Kind::Archive("rar")),
        (b"\x1f\x8b\x08", Kind::Archive("gzip")),
        (b"\xfd7zXZ\0", Kind::Archive("xz")),
        (b"BZh", Kind::Archive("bzip2")),
        (b"\x28\xb5\x2f\xfd", Kind::Archive("zstd")),
        (b"MSCF\0\0\0\0", Kind::Archive("cab")),
        (b"\xed\xab\xee\xdb", Kind::Archive("rpm")),
        (b"\x89PNG\r\n", Kind::Picture),
        (b"\xff\xd8\xff", Kind::Picture),
        (b"GIF8", Kind::Picture),
        (b"#!", Kind::Script),
    ];
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return zip_kind(bytes);
    }
    if let Some((_, kind)) = MAGICS.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return if *kind == Kind::Archive("bzip2") && !bytes.get(3).is_some_and(u8::is_ascii_digit) {
            Kind::Text
        } else {
            *kind
        };
    }
    if bytes.starts_with(b"MZ") && is_pe(bytes) {
        return Kind::Program("PE");
    }
    if bytes.starts_with(b"\xca\xfe\xba\xbe") {
        // A fat binary has few architectures, a class of Java a version from 45 on, at the same place.
        let fat = bytes
            .get(4..8)
            .is_some_and(|count| count[..3] == [0; 3] && count[3] < 40);
        return Kind::Program(if fat { "Mach-O" } else { "Java class" });
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Kind::Picture;
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return Kind::Archive("tar");
    }
    if bytes.get(0x8001..0x8006) == Some(b"CD001") {
        return Kind::Archive("iso");
    }
    if bytes.len() > 512
        && bytes
            .get(bytes.len() - 512..)
            .is_some_and(|end| end.starts_with(b"koly"))
    {
        return Kind::Archive("dmg");
    }
    if bytes.get(2..4) == Some(b"\r\n")
        && bytes
            .get(1)
            .is_some_and(|b| *b == 0x0d || *b == 0x0e || *b == 0x0f)
    {
        return Kind::Program("Python bytecode");
    }
    let head = bytes.get(..4096).unwrap_or(bytes);
    match memchr::memchr(0, head) {
        None if std::str::from_utf8(head).map_or_else(|e| e.error_len().is_none(), |_| true) => {
            Kind::Text
        }
        _ => Kind::Other,
    }
}

/// `MZ` and, where the header points, `PE`.
fn is_pe(bytes: &[u8]) -> bool {
    let at = bytes
        .get(0x3c..0x40)
        .and_then(|at| at.try_into().ok())
        .map(u32::from_le_bytes);
    let at = at.and_then(|at| usize::try_from(at).ok());
    at.is_some_and(|at| bytes.get(at..).is_some_and(|rest| rest.starts_with(b"PE\0\0")))
        // A stub of DOS alone is a program, too; text that begins so is not.
        || memchr::memchr(0, bytes.get(..64).unwrap_or(bytes)).is_some()
}

/// A zip by what is in it.
fn zip_kind(bytes: &[u8]) -> Kind {
    let mut kind = Kind::Archive("zip");
    for entry in zip_entries(bytes).take(64) {
        match entry.name {
            b"[Content_Types].xml" | b"mimetype" => return Kind::Document,
            b"META-INF/MANIFEST.MF" => kind = Kind::Program("Java archive"),
            b"AndroidManifest.xml" => return Kind::Program("Android package"),
            _ => {}
        }
    }
    kind
}

/// An entry of a zip.
struct ZipEntry<'b> {
    name: &'b [u8],
    is_encrypted: bool,
}

fn short(bytes: &[u8], at: usize) -> Option<usize> {
    let pair = bytes.get(at..at.checked_add(2)?)?;
    Some(usize::from(u16::from_le_bytes(pair.try_into().ok()?)))
}

/// Entries by the central directory, found by its records' magic from where the closing record says.
fn zip_entries(bytes: &[u8]) -> impl Iterator<Item = ZipEntry<'_>> {
    let tail = bytes.len().saturating_sub(TAIL);
    let end = memchr::memmem::rfind(bytes.get(tail..).unwrap_or_default(), b"PK\x05\x06")
        .map(|at| tail + at);
    let size = end.and_then(|end| {
        Some((
            end,
            bytes
                .get(end + 12..end + 16)?
                .try_into()
                .ok()
                .map(u32::from_le_bytes)?,
        ))
    });
    let first = size.and_then(|(end, size)| end.checked_sub(usize::try_from(size).ok()?));
    let mut at = first.unwrap_or(bytes.len());
    std::iter::from_fn(move || {
        let record = bytes.get(at..)?;
        if !record.starts_with(b"PK\x01\x02") {
            return None;
        }
        let lengths = [short(record, 28)?, short(record, 30)?, short(record, 32)?];
        let name = record.get(46..46 + lengths[0])?;
        at += 46 + lengths.iter().sum::<usize>();
        Some(ZipEntry {
            name,
            is_encrypted: short(record, 8)? & 1 == 1,
        })
    })
    .take(ENTRIES)
}

/// Whether something in an archive cannot be read without a password.
fn is_encrypted(archive: &str, bytes: &Bytes) -> bool {
    match archive {
        "zip" | "Java archive" => {
            let in_first = bytes.starts_with(b"PK\x03\x04")
                && short(bytes, 6).is_some_and(|flags| flags & 1 == 1);
            in_first || zip_entries(bytes).any(|entry| entry.is_encrypted)
        }
        "rar" => is_rar_encrypted(bytes),
        "7z" => crate::container::sevenz::is_encrypted(bytes),
        _ => false,
    }
}

fn is_rar_encrypted(bytes: &[u8]) -> bool {
    match bytes.get(6) {
        Some(0) => is_rar4_encrypted(bytes),
        Some(1) => is_rar5_encrypted(bytes),
        _ => false,
    }
}

/// Headers of rar 1.5 to 4: CRC, type, flags, size; of files also the size of what follows.
fn is_rar4_encrypted(bytes: &[u8]) -> bool {
    let mut at = 7;
    for _ in 0..ENTRIES {
        let (Some(kind), Some(flags), Some(size)) = (
            bytes.get(at + 2),
            short(bytes, at + 3),
            short(bytes, at + 5),
        ) else {
            return false;
        };
        if (*kind == 0x73 && flags & 0x80 != 0) || (*kind == 0x74 && flags & 0x04 != 0) {
            return true;
        }
        let data = (flags & 0x8000 != 0 || *kind == 0x74)
            .then(|| bytes.get(at + 7..at + 11))
            .flatten();
        let data = data
            .and_then(|data| data.try_into().ok())
            .map_or(0, u32::from_le_bytes);
        if size < 7 {
            return false;
        }
        at = at.saturating_add(size).saturating_add(data as usize);
    }
    false
}

/// A number in seven bits a byte, the lowest first, and how many bytes it takes.
fn varied(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0;
    for (count, byte) in bytes.iter().take(9).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * count);
        if byte & 0x80 == 0 {
            return Some((value, count + 1));
        }
    }
    None
}

/// Headers of rar 5: CRC, size, type, flags, size of extra and of data; type 4 says that all that follows is encrypted, and
/// the extra record 1 of a file that the file is.
fn is_rar5_encrypted(bytes: &[u8]) -> bool {
    let mut at = 8;
    for _ in 0..ENTRIES {
        let Some((next, is_so)) = rar5_header(bytes, at) else {
            return false;
        };
        if is_so {
            return true;
        }
        at = next;
    }
    false
}

fn rar5_header(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
    let mut from = at.checked_add(4)?;
    let mut next = || {
        let (value, count) = varied(bytes.get(from..)?)?;
        from += count;
        Some((usize::try_from(value).ok()?, from))
    };
    let (size, begin) = next()?;
    let (kind, _) = next()?;
    let (flags, _) = next()?;
    let extra = if flags & 1 != 0 { next()?.0 } else { 0 };
    let data = if flags & 2 != 0 { next()?.0 } else { 0 };
    let end = begin.checked_add(size)?;
    let extra = bytes.get(end.checked_sub(extra)?..end)?;
    let is_so = kind == 4 || kind == 2 && has_crypt_record(extra);
    (size > 0).then_some((end.checked_add(data)?, is_so))
}

fn has_crypt_record(mut extra: &[u8]) -> bool {
    while let Some((size, count)) = varied(extra) {
        let Some(record) = extra.get(count..) else {
            return false;
        };
        if varied(record).is_some_and(|(kind, _)| kind == 1) {
            return true;
        }
        let Some(rest) = usize::try_from(size)
            .ok()
            .and_then(|size| record.get(size..))
        else {
            return false;
        };
        if size == 0 {
            return false;
        }
        extra = rest;
    }
    false
}

/// What a file of the copy is as a whole. `original` is the file that it was made of.
pub(super) fn of(path: &str, file: &TreeFile, original: Option<&TreeFile>) -> Vec<Whole> {
    let (kind, was) = (kind(file), original.map(kind));
    let mut signs = Vec::new();
    let mut tell = |rule, when, said| signs.push(Whole { rule, when, said });
    let bytes = file.len;
    let is_test = is_below(path, "test_folders");
    match kind {
        Kind::Program(what) => {
            let when = match (what, was == Some(kind)) {
                ("Python bytecode", _) => "cached",
                ("WebAssembly" | "Java class", _) => "portable",
                (_, true) => "changed",
                _ => "",
            };
            tell("executable-added", when, format!("{what}, {bytes} bytes"));
        }
        Kind::Archive(what) if was != Some(kind) || holds_program(file) => {
            let when = match is_test {
                _ if holds_program(file) => "with-programs",
                true => "in-tests",
                false => "",
            };
            tell("archive-added", when, format!("{what}, {bytes} bytes"));
        }
        Kind::Script if was.is_none() => {
            tell(
                "executable-added",
                "script",
                format!("a script, {bytes} bytes"),
            );
        }
        Kind::Text if was.is_none() => {
            let ending = ending(path);
            let is = |list| {
                parameter("executable-added", list)
                    .iter()
                    .any(|one| one == ending)
            };
            if is("loud_scripts") {
                tell(
                    "executable-added",
                    "loud-script",
                    format!(".{ending}, {bytes} bytes"),
                );
            } else if is("scripts") {
                tell(
                    "executable-added",
                    "script",
                    format!(".{ending}, {bytes} bytes"),
                );
            }
        }
        _ => {}
    }
    if let (Kind::Archive(what) | Kind::Program(what), Some(bytes)) = (kind, &file.bytes)
        && is_encrypted(what, bytes)
    {
        tell(
            "archive-encrypted",
            "",
            format!("{what}, encrypted, {} bytes", bytes.len()),
        );
    }
    if let Some((when, said)) = at_odds(path, kind, file.bytes.as_deref()) {
        tell("content-mismatch", when, said);
    }
    signs
}

/// Whether a zip lists programs by their names.
fn holds_program(file: &TreeFile) -> bool {
    let endings = parameter("archive-added", "programs");
    let is_program = |entry: ZipEntry| {
        let name = String::from_utf8_lossy(entry.name).to_ascii_lowercase();
        endings.iter().any(|one| one == ending(&name))
    };
    let bytes = file
        .bytes
        .as_deref()
        .filter(|bytes| bytes.starts_with(b"PK"));
    bytes.is_some_and(|bytes| zip_entries(bytes).any(is_program))
}

/// What a name claims that the content is not.
fn at_odds(path: &str, kind: Kind, bytes: Option<&[u8]>) -> Option<(&'static str, String)> {
    let words = TamperRules::builtin();
    let ending = ending(path);
    let is = |list: &str| words.words(list).iter().any(|one| one == ending);
    let is_picture = is("picture_endings") || is("font_endings");
    let is_text = is("prose_endings") || is("data_endings") || is("code_endings");
    let say = |what: &str| format!("called .{ending}, and is {what}");
    match kind {
        Kind::Program(what) | Kind::Archive(what) if is_picture || is_text => Some(("", say(what))),
        Kind::Script if is_picture => Some(("", say("a script"))),
        Kind::Text if is_picture => {
            let head = bytes
                .and_then(|bytes| bytes.get(..bytes.len().min(2048)))
                .unwrap_or_default();
            let has = |word: &String| memchr::memmem::find(head, word.as_bytes()).is_some();
            if parameter("content-mismatch", "stand_ins").iter().any(has) {
                return None;
            }
            let is_code = parameter("content-mismatch", "code_words").iter().any(has);
            Some((if is_code { "" } else { "text" }, say("text")))
        }
        Kind::Picture => {
            let bytes = bytes?;
            let tail = bytes.get(bytes.len().saturating_sub(TAIL)..)?;
            let has_zip = memchr::memmem::rfind(tail, b"PK\x05\x06").is_some()
                && zip_entries(bytes).next().is_some();
            if has_zip {
                return Some(("", "a picture with a zip behind it".to_owned()));
            }
            is_text.then(|| ("text", say("a picture")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_told_by_their_first_bytes() {
        assert_eq!(kind_of(b"\x7fELF\x02\x01"), Kind::Program("ELF"));
        assert_eq!(kind_of(b"MZ is a name"), Kind::Text);
        assert_eq!(
            kind_of(b"\xca\xfe\xba\xbe\0\0\0\x02"),
            Kind::Program("Mach-O")
        );
        assert_eq!(
            kind_of(b"\xca\xfe\xba\xbe\0\0\0\x41"),
            Kind::Program("Java class")
        );
        assert_eq!(kind_of(b"BZhang was here"), Kind::Text);
        assert_eq!(kind_of("naïve".as_bytes()), Kind::Text);
        assert_eq!(kind_of(b"a\0b"), Kind::Other);
    }

    #[test]
    fn headers_of_rar_say_whether_they_are_encrypted() {
        // Written by hand from the two descriptions of the format: signature, one header.
        let five = |rest: &[u8]| [b"Rar!\x1a\x07\x01\0", rest].concat();
        assert!(is_rar_encrypted(&five(b"\0\0\0\0\x05\x04\0\0\0\0")));
        assert!(is_rar_encrypted(&five(
            b"\0\0\0\0\x06\x02\x01\x03\x02\x01\0"
        )));
        assert!(!is_rar_encrypted(&five(
            b"\0\0\0\0\x06\x02\x01\x03\x02\x03\0"
        )));
        let four =
            |flags: u8| [&b"Rar!\x1a\x07\0\0\0\x73"[..], &[flags, 0, 13, 0], &[0; 6]].concat();
        assert!(is_rar_encrypted(&four(0x80)));
        assert!(!is_rar_encrypted(&four(0)));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(start in 0..5_usize, rest in proptest::collection::vec(0..255_u8, 0..300)) {
            let starts: [&[u8]; 5] = [b"PK\x03\x04", b"Rar!\x1a\x07\0", b"Rar!\x1a\x07\x01\0", b"7z\xbc\xaf\x27\x1c\0\x04", b"MZ"];
            let bytes = Bytes::from([starts[start], &rest].concat());
            let _ = kind_of(&bytes);
            for archive in ["zip", "rar", "7z"] {
                let _ = is_encrypted(archive, &bytes);
            }
        }
    }
}
