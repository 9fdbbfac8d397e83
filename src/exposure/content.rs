//! What bytes are: content facts behind one literal pass.
//!
//! Every blob is read once by this pass, so it may cost next to nothing: a handful of literals, looked for with packed
//! SIMD comparisons at memory speed. The literals are chosen for their rare first bytes rather than for being whole
//! words (`gURL` instead of `sourceMappingURL`), because it is the false starts that cost; each start is then held
//! against the whole word. The same pass serves the search for links to source maps, whose word is the most frequent
//! one. Only what the pass points at is parsed, by [`traits_of`], and what parsing does not confirm is no trait.
//!
//! Three traits need no literal, because a look at the first bytes rules nearly everything out: manifests begin with
//! `{`, dotenv files with an assignment, a `HEAD` of git with `ref:` or a digest.
//!
//! Left out: running text in UTF-16 larger than a settings file, and compressed or encoded text, which is the
//! containers' business.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aho_corasick::packed;
use memchr::memmem;

use super::classes::{self, Artifact};
use super::dotenv;
use super::key::{self, KeyAlgorithm, KeyFormat, ParsedKey};
use super::manifest::Manifest;
use super::packument::Packument;
use super::registry::{self, RegistryFile, TokenCheck};
use super::rules::Rules;
use crate::container::carve::Mark;
use crate::record::YaraMatch;

/// The word that links a file to its source map (ECMA-426, section 11).
const LINK_WORD: &[u8] = b"sourceMappingURL";

/// What a literal stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    /// A module in an `eval` call names itself.
    Module,
    /// A script says which build it is of.
    DebugId,
    /// The contents of a map, in whatever text that stands.
    MapContents,
    Link,
    Pem,
    Pgp,
    Putty,
    /// A key of an npm settings file; followed by white space or `=`, begun by a line or a colon.
    NpmKey,
    Registry,
    /// A folder of somebody's, on the machine of a build.
    Home,
    /// An archive may begin here.
    Archive(Mark),
}

/// A word that is looked for by a part of it.
struct Literal {
    /// The part with the rarest first bytes.
    part: &'static [u8],
    /// The whole word, which must stand there.
    word: &'static [u8],
    /// Where the part begins in the word.
    offset: usize,
    subject: Subject,
}

const fn literal(
    word: &'static [u8],
    offset: usize,
    part: &'static [u8],
    subject: Subject,
) -> Literal {
    Literal {
        part,
        word,
        offset,
        subject,
    }
}

const fn archive(magic: &'static [u8], mark: Mark) -> Literal {
    literal(magic, 0, magic, Subject::Archive(mark))
}

const LITERALS: [Literal; 33] = [
    literal(LINK_WORD, 12, b"gURL", Subject::Link),
    literal(key::PEM_LABEL_END, 8, b"KEY-----", Subject::Pem),
    literal(classes::PGP_LABEL, 12, b"BLOCK-----", Subject::Pgp),
    literal(key::PUTTY_START, 0, b"PuTTY-User-Key", Subject::Putty),
    literal(b"_auth", 0, b"_auth", Subject::NpmKey),
    literal(b"_password", 0, b"_password", Subject::NpmKey),
    literal(b"npmAuth", 0, b"npmAuth", Subject::Registry),
    literal(b"pypi]", 0, b"pypi]", Subject::Registry),
    literal(b"[distutils]", 0, b"[distutils]", Subject::Registry),
    literal(b"sourceURL=", 4, b"ceURL=", Subject::Module),
    literal(b"# debugId=", 5, b"ugId=", Subject::DebugId),
    literal(b"sourcesContent", 4, b"cesCo", Subject::MapContents),
    literal(b"/home/", 0, b"/home/", Subject::Home),
    literal(b"/Users/", 0, b"/Users/", Subject::Home),
    literal(b":\\Users\\", 0, b":\\Users\\", Subject::Home),
    literal(b":\\\\Users\\\\", 0, b":\\\\Users", Subject::Home),
    // Archives that stand within something else; gzip without flags or with a name, which is what tools write.
    archive(b"\x1f\x8b\x08\0", Mark::Gzip),
    archive(b"\x1f\x8b\x08\x08", Mark::Gzip),
    archive(b"PK\x03\x04", Mark::Zip),
    archive(b"\xfd7zXZ\0", Mark::Xz),
    archive(b"\x28\xb5\x2f\xfd", Mark::Zstd),
    archive(b"7z\xbc\xaf\x27\x1c", Mark::SevenZ),
    archive(b"1AY&SY", Mark::Bzip2),
    archive(b"ustar", Mark::Tar),
    archive(b"070701", Mark::Cpio),
    archive(b"{\"files\":{", Mark::Asar),
    // The same in base64: gzip, zip, xz, zstd, 7z, and a map.
    archive(b"H4sI", Mark::Base64),
    archive(b"UEsDB", Mark::Base64),
    archive(b"/Td6WFo", Mark::Base64),
    archive(b"KLUv/", Mark::Base64),
    archive(b"N3q8ryc", Mark::Base64),
    archive(b"eyJ2ZXJzaW9uIjoz", Mark::Base64),
    // bzip2, whose fifth digit tells the size of its blocks.
    archive(b"TFBWSZTW", Mark::Base64),
];
/// Places of archives that are kept; more of them are no content that anybody made.
const ARCHIVES_MAX: usize = 1 << 16;
/// Places of folders that are kept: more of them say nothing more.
const HOMES_MAX: usize = 1 << 12;

/// The literal pass, built once and shared by all workers.
#[derive(Debug)]
pub struct Prefilter {
    /// Packed SIMD search; `None` on machines that have none.
    packed: Option<packed::Searcher>,
}

impl Default for Prefilter {
    fn default() -> Prefilter {
        Prefilter::new()
    }
}

impl Prefilter {
    /// Builds the search.
    pub fn new() -> Prefilter {
        let mut builder = packed::Config::new()
            .match_kind(packed::MatchKind::LeftmostFirst)
            .builder();
        builder.extend(LITERALS.iter().map(|literal| literal.part));
        Prefilter {
            packed: builder.build(),
        }
    }

    /// Looks once through a blob.
    pub fn scan(&self, bytes: &[u8]) -> Hits {
        let mut hits = Hits::default();
        match &self.packed {
            Some(searcher) => {
                for found in searcher.find_iter(bytes) {
                    if let Some(literal) = LITERALS.get(found.pattern().as_usize()) {
                        hits.add(bytes, literal, found.start());
                    }
                }
            }
            None => {
                for literal in &LITERALS {
                    memmem::find_iter(bytes, literal.part)
                        .for_each(|at| hits.add(bytes, literal, at));
                }
            }
        }
        hits.archives.sort_unstable();
        hits.homes.sort_unstable();
        hits
    }
}

/// Where in a blob the literals stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hits {
    links: Vec<usize>,
    pems: Vec<usize>,
    pgp_keys: Vec<usize>,
    putty: Vec<usize>,
    registry: bool,
    module: bool,
    debug_id: bool,
    map_contents: bool,
    homes: Vec<usize>,
    archives: Vec<(usize, Mark)>,
}

impl Hits {
    /// Nothing was found.
    pub fn is_empty(&self) -> bool {
        self.links.is_empty()
            && self.pems.is_empty()
            && self.pgp_keys.is_empty()
            && self.putty.is_empty()
            && !self.registry
            && !self.module
            && !self.debug_id
            && !self.map_contents
            && self.homes.is_empty()
            && self.archives.is_empty()
    }

    /// The word `sourceMappingURL` stands in it, whether as a link or not.
    pub fn has_link(&self) -> bool {
        !self.links.is_empty()
    }

    /// The word by which modules in `eval` calls name themselves stands in it.
    pub fn has_module(&self) -> bool {
        self.module
    }

    /// A comment that may hold a debug id stands in it.
    pub fn has_debug_id(&self) -> bool {
        self.debug_id
    }

    /// The key that holds the contents of a map stands in it.
    pub fn has_map_contents(&self) -> bool {
        self.map_contents
    }

    /// Where folders of users are named, ascending; some thousand at most.
    pub fn homes(&self) -> &[usize] {
        &self.homes
    }

    /// Places where an archive may begin, ascending.
    pub fn archives(&self) -> &[(usize, Mark)] {
        &self.archives
    }

    /// Whether there may be more of them than are kept.
    pub fn has_more_archives(&self) -> bool {
        self.archives.len() >= ARCHIVES_MAX
    }

    /// Byte offsets of the word `sourceMappingURL`, ascending.
    pub fn links(&self) -> &[usize] {
        &self.links
    }

    /// Byte offsets of labels of secret OpenPGP keys, ascending.
    pub fn pgp_keys(&self) -> &[usize] {
        &self.pgp_keys
    }

    /// Takes a start in, where the whole word stands there.
    fn add(&mut self, bytes: &[u8], literal: &Literal, part_at: usize) {
        let Some(at) = part_at.checked_sub(literal.offset) else {
            return;
        };
        if !bytes
            .get(at..)
            .is_some_and(|rest| rest.starts_with(literal.word))
        {
            return;
        }
        match literal.subject {
            Subject::Link => self.links.push(at),
            Subject::Module => self.module = true,
            Subject::DebugId => self.debug_id = true,
            // Only as a key: code that reads and writes maps is full of the word.
            Subject::MapContents => {
                let behind = bytes.get(at + literal.word.len()..).unwrap_or_default();
                let quoted = at > 0 && bytes.get(at - 1) == Some(&b'"');
                let mut behind = behind.iter().skip_while(|&&byte| byte == b'\\');
                self.map_contents |= quoted && behind.next() == Some(&b'"');
            }
            Subject::Archive(mark) if self.archives.len() < ARCHIVES_MAX => {
                self.archives
                    .extend(archive_start(bytes, at, mark).map(|at| (at, mark)));
            }
            Subject::Archive(_) => {}
            Subject::Home if self.homes.len() < HOMES_MAX => self.homes.push(at),
            Subject::Home => {}
            Subject::Pem => self.pems.push(at),
            Subject::Pgp => self.pgp_keys.push(at),
            Subject::Putty => self.putty.push(at),
            Subject::Registry => self.registry = true,
            // `this._auth` in a script is none; looking at the byte before is cheaper than parsing the file.
            Subject::NpmKey => {
                let before = at.checked_sub(1).and_then(|before| bytes.get(before));
                self.registry |= matches!(
                    before,
                    None | Some(b':' | b'\n' | b'\r' | b' ' | b'\t' | 0xbf)
                );
            }
        }
    }
}

/// Where the archive would begin whose magic stands at `at`, if what stands round that fits.
fn archive_start(bytes: &[u8], at: usize, mark: Mark) -> Option<usize> {
    let back = |len: usize| at.checked_sub(len);
    match mark {
        Mark::Bzip2 => {
            let start = back(4)?;
            let level = *bytes.get(start + 3)?;
            (bytes[start..].starts_with(b"BZh") && matches!(level, b'1'..=b'9')).then_some(start)
        }
        // POSIX closes the magic with NUL, GNU with blanks.
        Mark::Tar => matches!(bytes.get(at + 5), Some(0 | b' '))
            .then(|| back(257))
            .flatten()
            .filter(|start| crate::container::tar::looks_like_tar(&bytes[*start..])),
        Mark::Asar => back(16).filter(|start| bytes[*start..].starts_with(b"\x04\0\0\0")),
        Mark::Cpio => crate::container::cpio::looks_like_cpio(&bytes[at..]).then_some(at),
        Mark::Base64 if bytes[at..].starts_with(b"TFBWSZTW") => {
            back(5).filter(|start| bytes[*start..].starts_with(b"Qlpo"))
        }
        _ => Some(at),
    }
}

/// A fact about bytes, wherever they lie.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Trait {
    /// Nothing but assignments.
    Dotenv {
        /// `KEY=…` lines.
        assignments: u32,
        /// Those with a value that is no placeholder.
        set: u32,
        /// Those whose value looks like a live credential.
        live: u32,
    },
    /// What git writes into `HEAD`.
    GitHead,
    /// Private keys of one sort, parsed.
    PrivateKey {
        /// How they are written down.
        format: KeyFormat,
        /// What they are for.
        algorithm: KeyAlgorithm,
        /// A passphrase protects them.
        encrypted: bool,
        /// How many.
        count: u32,
    },
    /// A settings file with credentials for a registry.
    RegistryToken {
        /// Which client reads it.
        registry_file: RegistryFile,
        /// A credential is written out, and is no placeholder.
        live: bool,
        /// What could be checked of it.
        check: TokenCheck,
    },
    /// A package's manifest.
    Manifest(Manifest),
    /// An artifact of one of the classes that a look at the bytes tells.
    Artifact(Artifact),
    /// A registry's document about a package: when its versions were published.
    Packument(Packument),
    /// A YARA rule of the user's own matches.
    Yara(Box<YaraMatch>),
}

/// What bytes are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// What the rules recognised.
    pub traits: Vec<Trait>,
    /// What they are by their form and too large to be read as: phrases that say by what it shows.
    pub unread: Vec<&'static str>,
}

/// What the bytes are. `hits` must come from a [`Prefilter::scan`] of the same bytes.
pub fn traits_of(bytes: &[u8], hits: &Hits) -> Vec<Trait> {
    told_of(bytes, hits).traits
}

/// The same, and what could not be read for its size.
pub fn told_of(bytes: &[u8], hits: &Hits) -> Told {
    if let Some(text) = utf16_text(bytes) {
        // Its own bytes hold zeros between the letters, so the pass saw nothing. A text does not begin with the mark
        // again, so this goes one level deep.
        static PREFILTER: LazyLock<Prefilter> = LazyLock::new(Prefilter::new);
        return told_of_text(text.as_bytes(), &PREFILTER.scan(text.as_bytes()));
    }
    told_of_text(bytes, hits)
}

fn told_of_text(bytes: &[u8], hits: &Hits) -> Told {
    let words = Rules::builtin().words();
    let mut unread = Vec::new();
    let mut traits = private_keys(bytes, hits);
    if hits.registry
        && let Some(found) = registry::parse(bytes, words)
    {
        traits.push(Trait::RegistryToken {
            registry_file: found.file,
            live: found.live,
            check: found.check,
        });
    }
    if is_git_head(bytes) {
        traits.push(Trait::GitHead);
    }
    match Manifest::read_npm(bytes) {
        Read::Is(manifest) => traits.push(Trait::Manifest(manifest)),
        Read::TooLarge => unread.push("its first keys are those of a package's manifest"),
        Read::IsNot => {}
    }
    match Packument::read_json(bytes) {
        Read::Is(packument) => traits.push(Trait::Packument(packument)),
        Read::TooLarge => unread.push("it has the keys of a registry's document"),
        Read::IsNot => {}
    }
    if let Some(settings) = dotenv::parse(bytes, words) {
        traits.push(Trait::Dotenv {
            assignments: settings.assignments,
            set: settings.set,
            live: settings.live,
        });
    }
    let artifacts = classes::artifacts_of(bytes, hits, &mut unread);
    traits.extend(artifacts.into_iter().map(Trait::Artifact));
    Told { traits, unread }
}

/// What a reader that has a bound says of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Read<T> {
    /// This is what they are.
    Is(T),
    /// They are something else.
    IsNot,
    /// They look like it, and are more than is read.
    TooLarge,
}

impl<T> From<Option<T>> for Read<T> {
    fn from(read: Option<T>) -> Self {
        read.map_or(Read::IsNot, Read::Is)
    }
}

/// Keys by sort, in armour where the pass saw some, or the whole blob as DER.
fn private_keys(bytes: &[u8], hits: &Hits) -> Vec<Trait> {
    let armoured = hits
        .pems
        .iter()
        .filter_map(|&at| key::pem_key_at(bytes, at));
    let putty = hits
        .putty
        .iter()
        .filter_map(|&at| key::putty_key_at(bytes, at));
    let binary = if bytes.first() == Some(&0x30) {
        key::der_key(bytes)
    } else {
        None
    };
    let mut counts: BTreeMap<ParsedKey, u32> = BTreeMap::new();
    for key in armoured.chain(putty).chain(binary) {
        let count = counts.entry(key).or_default();
        *count = count.saturating_add(1);
    }
    let one_sort = |(key, count): (ParsedKey, u32)| Trait::PrivateKey {
        format: key.format,
        algorithm: key.algorithm,
        encrypted: key.encrypted,
        count,
    };
    counts.into_iter().map(one_sort).collect()
}

/// `ref: refs/…`, or a commit's digest in 40 or 64 hex digits, on one line (gitrepository-layout, "HEAD").
fn is_git_head(bytes: &[u8]) -> bool {
    /// Longest name of a reference that file systems allow, and the word before it; bytes.
    const MAX_HEAD: usize = 4096 + 16;
    if bytes.len() > MAX_HEAD {
        return false;
    }
    let line = bytes.trim_ascii_end();
    if line.contains(&b'\n') {
        return false;
    }
    match line.strip_prefix(b"ref:") {
        Some(name) => name.trim_ascii_start().starts_with(b"refs/"),
        None => matches!(line.len(), 40 | 64) && line.iter().all(u8::is_ascii_hexdigit),
    }
}

/// Text in UTF-16 with a byte-order mark: what PowerShell makes of `echo X=y > .env`.
fn utf16_text(bytes: &[u8]) -> Option<String> {
    let read: fn([u8; 2]) -> u16 = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return None,
    };
    let (pairs, _) = bytes.get(2..)?.as_chunks::<2>();
    let units = pairs.iter().map(|&pair| read(pair));
    Some(
        char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposure::samples::make;

    fn scan(text: &[u8]) -> Hits {
        Prefilter::new().scan(text)
    }

    fn traits(bytes: &[u8]) -> Vec<Trait> {
        traits_of(bytes, &scan(bytes))
    }

    #[test]
    fn each_literal_is_part_of_its_word() {
        for literal in &LITERALS {
            assert!(literal.word[literal.offset..].starts_with(literal.part));
        }
    }

    #[test]
    fn links_are_found_where_they_stand() {
        let text = b"gURL a;\n//# sourceMappingURL=a.js.map\n/*# sourceMappingURL=b */ mappingURL xsourceMappingURL";
        let hits = scan(text);
        let expected: Vec<usize> = memmem::find_iter(text, LINK_WORD).collect();
        assert_eq!(hits.links(), expected);
        assert!(hits.has_link() && !hits.is_empty() && expected.len() == 3);
        assert!(scan(b"gURL mappingURL=x this._auth.npm KEY----").is_empty());
        assert!(scan(b"").is_empty());
    }

    #[test]
    fn the_search_without_simd_gives_the_same() {
        let plain = Prefilter { packed: None };
        for name in [
            "pkcs8-rsa",
            "putty-ed25519",
            "npm-token-file",
            "pypi-token-file",
            "yarn-token-file",
            "inline-map a.ts",
        ] {
            let bytes = make(name).unwrap();
            assert_eq!(plain.scan(&bytes), scan(&bytes), "{name}");
            assert!(!scan(&bytes).is_empty(), "{name}");
        }
    }

    #[test]
    fn keys_are_counted_by_sort() {
        let bytes = [
            make("pkcs8-ed25519"),
            make("certificate"),
            make("pkcs8-ed25519"),
            make("openssh-ed25519-encrypted"),
        ]
        .map(Result::unwrap)
        .concat();
        assert_eq!(
            traits(&bytes),
            [
                Trait::PrivateKey {
                    format: KeyFormat::Pkcs8,
                    algorithm: KeyAlgorithm::Edwards,
                    encrypted: false,
                    count: 2
                },
                Trait::PrivateKey {
                    format: KeyFormat::OpenSsh,
                    algorithm: KeyAlgorithm::Edwards,
                    encrypted: true,
                    count: 1
                },
            ]
        );
        assert!(matches!(
            traits(&make("pkcs8-ed25519-der").unwrap())[..],
            [Trait::PrivateKey { .. }]
        ));
        assert!(matches!(
            traits(&make("key-in-javascript").unwrap())[..],
            [Trait::PrivateKey { .. }]
        ));
        assert_eq!(traits(&make("certificate").unwrap()), []);
    }

    #[test]
    fn small_files_are_told_by_their_first_bytes() {
        assert_eq!(traits(b"ref: refs/heads/main\n"), [Trait::GitHead]);
        assert_eq!(
            traits(b"0123456789abcdef0123456789abcdef01234567\n"),
            [Trait::GitHead]
        );
        assert!(matches!(
            traits(b"{\"name\":\"x\",\"version\":\"1.0.0\"}")[..],
            [Trait::Manifest(_)]
        ));
        assert_eq!(
            traits(b"PORT=3000\n"),
            [Trait::Dotenv {
                assignments: 1,
                set: 1,
                live: 0
            }]
        );
        for text in [
            &b"ref: x"[..],
            b"ref: refs/a\nref: refs/b",
            b"0123456789abcdef",
            b"console.log(1)",
            b"",
            b"0",
        ] {
            assert_eq!(traits(text), [], "{text:?}");
        }
    }

    #[test]
    fn utf16_settings_are_read() {
        let text = String::from_utf8(make("npm-token-file").unwrap()).unwrap();
        for (mark, bytes) in [
            (
                [0xff, 0xfe],
                text.encode_utf16()
                    .flat_map(u16::to_le_bytes)
                    .collect::<Vec<u8>>(),
            ),
            (
                [0xfe, 0xff],
                text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            ),
        ] {
            let bytes = [&mark[..], &bytes, b"\n"].concat();
            assert!(
                traits(&bytes)
                    .iter()
                    .any(|found| matches!(found, Trait::RegistryToken { live: true, .. }))
            );
        }
        assert_eq!(traits(b"\xff\xfe\x00\xd8"), []);
    }

    proptest::proptest! {
        #[test]
        fn both_searches_agree_on_any_text(
            text in "(sourceMappingURL|gURL|KEY-----|PRIVATE |-----BEGIN |PuTTY-User-Key-File-|_auth|_password|:|\n|npmAuth|pypi\\]|\\[distutils\\]|é|x)*"
        ) {
            let plain = Prefilter { packed: None };
            proptest::prop_assert_eq!(plain.scan(text.as_bytes()), scan(text.as_bytes()));
            traits(text.as_bytes());
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            traits(&bytes);
            traits(&[b"\xff\xfe", &bytes[..]].concat());
            traits(&[b"A=", &bytes[..]].concat());
            traits(&[b"0\x82", &bytes[..]].concat());
        }
    }
}
