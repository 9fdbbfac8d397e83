//! What objects are: their kinds, their names, and what stands in trees, commits and tags.
//!
//! Parsers here take what they understand and stop at what they do not. None of them fails: a commit without an author
//! is a commit without an author.

use std::fmt;

use sha1::Digest as _;

use crate::blob::digest::hex;

/// The digest that names the objects of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hash {
    /// 20 bytes: nearly every store.
    Sha1,
    /// 32 bytes: `extensions.objectFormat = sha256`.
    Sha256,
}

impl Hash {
    /// Length of a name in bytes.
    pub fn width(self) -> usize {
        match self {
            Hash::Sha1 => 20,
            Hash::Sha256 => 32,
        }
    }

    /// The word for it in messages.
    pub fn word(self) -> &'static str {
        match self {
            Hash::Sha1 => "sha1",
            Hash::Sha256 => "sha256",
        }
    }
}

/// The name of an object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid {
    bytes: [u8; 32],
    len: u8,
}

impl Oid {
    /// The name that begins `bytes`.
    pub fn read(bytes: &[u8], hash: Hash) -> Option<Self> {
        let raw = bytes.get(..hash.width())?;
        let mut oid = [0; 32];
        oid[..raw.len()].copy_from_slice(raw);
        Some(Self {
            bytes: oid,
            len: raw.len() as u8,
        })
    }

    /// The name that is written in hexadecimal at the beginning of `text`: as many digits as there are, 40 or 64.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let digits = text.iter().take_while(|byte| byte.is_ascii_hexdigit());
        let mut oid = [0; 32];
        let len = match digits.count() {
            40 => 20,
            64 => 32,
            _ => return None,
        };
        for (slot, pair) in oid[..len].iter_mut().zip(text.chunks(2)) {
            let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0) as u8;
            *slot = digit(pair[0]) << 4 | digit(pair[1]);
        }
        Some(Self {
            bytes: oid,
            len: len as u8,
        })
    }

    /// The raw name.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// The digest that it is made with.
    pub fn hash(&self) -> Hash {
        if self.len == 20 {
            Hash::Sha1
        } else {
            Hash::Sha256
        }
    }

    /// Lower-case hexadecimal.
    pub fn hex(&self) -> String {
        hex(self.as_bytes())
    }

    /// A short key for tables: the first 20 bytes, which is all of it for SHA-1.
    pub fn key(&self) -> [u8; 20] {
        let mut key = [0; 20];
        key.copy_from_slice(&self.bytes[..20]);
        key
    }

    /// Nothing but zeros: how git writes "no object".
    pub fn is_null(&self) -> bool {
        self.bytes == [0; 32]
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A state of the whole, with who made it and what came before.
    Commit,
    /// A folder.
    Tree,
    /// A file.
    Blob,
    /// A name with a message.
    Tag,
}

impl Kind {
    /// The word for it in object headers.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Commit => "commit",
            Kind::Tree => "tree",
            Kind::Blob => "blob",
            Kind::Tag => "tag",
        }
    }

    /// The kind that a header names.
    pub fn of_word(word: &[u8]) -> Option<Self> {
        [Kind::Commit, Kind::Tree, Kind::Blob, Kind::Tag]
            .into_iter()
            .find(|kind| kind.word().as_bytes() == word)
    }
}

/// The name of an object: the digest of its header and its bytes (gitformat-loose(5)).
pub fn id_of(hash: Hash, kind: Kind, bytes: &[u8]) -> Oid {
    let header = format!("{} {}\0", kind.word(), bytes.len());
    let mut oid = [0; 32];
    match hash {
        Hash::Sha1 => {
            let mut digest = sha1::Sha1::new();
            digest.update(header);
            digest.update(bytes);
            oid[..20].copy_from_slice(&digest.finalize());
        }
        Hash::Sha256 => {
            let mut digest = sha2::Sha256::new();
            digest.update(header);
            digest.update(bytes);
            oid.copy_from_slice(&digest.finalize());
        }
    }
    Oid {
        bytes: oid,
        len: hash.width() as u8,
    }
}

/// The header of a loose object: kind, stated length in bytes, and how many bytes the header takes.
pub fn loose_header(head: &[u8]) -> Option<(Kind, u64, usize)> {
    /// `commit `, twenty digits and a NUL.
    const LONGEST: usize = 28;
    let end = memchr::memchr(0, &head[..head.len().min(LONGEST)])?;
    let space = memchr::memchr(b' ', &head[..end])?;
    let kind = Kind::of_word(&head[..space])?;
    let digits = &head[space + 1..end];
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let stated = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((kind, stated, end + 1))
}

/// One line of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeEntry<'a> {
    /// File mode, as git writes it in octal.
    pub mode: u32,
    /// Name in the folder, raw.
    pub name: &'a [u8],
    /// What stands there.
    pub id: Oid,
}

impl TreeEntry<'_> {
    /// Whether it is a folder.
    pub fn is_tree(&self) -> bool {
        self.mode & 0o170_000 == 0o040_000
    }

    /// Whether it is a regular file: neither a link nor anything odd, which git takes for a submodule.
    pub fn is_file(&self) -> bool {
        self.mode & 0o170_000 == 0o100_000
    }

    /// Whether it is a commit of another repository: a submodule.
    pub fn is_submodule(&self) -> bool {
        self.mode & 0o170_000 == 0o160_000
    }
}

/// The lines of a tree, up to the first that is damaged.
pub fn tree_entries(bytes: &[u8], hash: Hash) -> TreeEntries<'_> {
    TreeEntries { rest: bytes, hash }
}

/// Goes through the lines of a tree; see [`tree_entries`].
#[derive(Debug, Clone)]
pub struct TreeEntries<'a> {
    rest: &'a [u8],
    hash: Hash,
}

impl TreeEntries<'_> {
    /// Whether nothing is left: at the end, whether all of it was lines.
    pub fn is_over(&self) -> bool {
        self.rest.is_empty()
    }
}

impl<'a> Iterator for TreeEntries<'a> {
    type Item = TreeEntry<'a>;

    fn next(&mut self) -> Option<TreeEntry<'a>> {
        let rest = self.rest;
        let space = memchr::memchr(b' ', &rest[..rest.len().min(8)])?;
        let mut mode = 0;
        for digit in &rest[..space] {
            if !(b'0'..=b'7').contains(digit) {
                return None;
            }
            mode = mode << 3 | u32::from(digit - b'0');
        }
        let named = &rest[space + 1..];
        let end = memchr::memchr(0, named)?;
        let id = Oid::read(&named[end + 1..], self.hash)?;
        self.rest = &named[end + 1 + self.hash.width()..];
        Some(TreeEntry {
            mode,
            name: &named[..end],
            id,
        })
    }
}

/// What a commit says in its head.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commit {
    /// The state of the whole.
    pub tree: Option<Oid>,
    /// What came before.
    pub parents: Vec<Oid>,
    /// When its author wrote it: seconds since 1970.
    pub author_date: Option<i64>,
}

impl Commit {
    /// Reads the head of a commit, up to the empty line.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut commit = Self::default();
        for line in head_lines(bytes) {
            if let Some(id) = line.strip_prefix(b"tree ") {
                commit.tree = commit.tree.or_else(|| Oid::parse(id));
            } else if let Some(id) = line.strip_prefix(b"parent ") {
                commit.parents.extend(Oid::parse(id));
            } else if let Some(person) = line.strip_prefix(b"author ") {
                commit.author_date = commit.author_date.or_else(|| date_of(person));
            }
        }
        commit
    }
}

/// What a tag points to.
pub fn tag_target(bytes: &[u8]) -> Option<Oid> {
    head_lines(bytes).find_map(|line| Oid::parse(line.strip_prefix(b"object ")?))
}

/// The lines of a head, which ends at an empty one.
fn head_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes
        .split(|&byte| byte == b'\n')
        .take_while(|line| !line.is_empty())
}

/// The date behind `NAME <MAIL> SECONDS ZONE`. Names may hold anything, so it is looked for from the end.
fn date_of(person: &[u8]) -> Option<i64> {
    let behind = &person[memchr::memrchr(b'>', person)? + 1..];
    let text = std::str::from_utf8(behind).ok()?;
    text.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_those_that_git_gives() {
        let id = |hash, bytes: &[u8]| id_of(hash, Kind::Blob, bytes).hex();
        // `printf '' | git hash-object --stdin`, and with 'hello\n'.
        assert_eq!(
            id(Hash::Sha1, b""),
            "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
        );
        assert_eq!(
            id(Hash::Sha1, b"hello\n"),
            "ce013625030ba8dba906f756967f9e9ca394464a"
        );
        // The same in a store of `git init --object-format=sha256`.
        assert_eq!(
            id(Hash::Sha256, b""),
            "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"
        );
        let tree = id_of(Hash::Sha1, Kind::Tree, b"").hex();
        assert_eq!(tree, "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
    }

    #[test]
    fn heads_of_loose_objects() {
        assert_eq!(loose_header(b"blob 6\0hello\n"), Some((Kind::Blob, 6, 7)));
        assert_eq!(loose_header(b"tree 0\0"), Some((Kind::Tree, 0, 7)));
        assert_eq!(loose_header(b"blob x\0"), None);
        assert_eq!(loose_header(b"blob \0"), None);
        assert_eq!(loose_header(b"blob 6"), None);
        assert_eq!(loose_header(b"blog 6\0hello\n"), None);
        assert_eq!(loose_header(b"blob 99999999999999999999\0"), None);
    }

    #[test]
    fn a_commit_is_read_as_far_as_it_goes() {
        let id = "ce013625030ba8dba906f756967f9e9ca394464a";
        let text = format!(
            "tree {id}\nparent {id}\nparent {id}\nauthor A > B <a@x> 1700000000 +0100\ncommitter C <c@x> 1 +0000\n\nauthor X <x> 5 +0000\n"
        );
        let commit = Commit::parse(text.as_bytes());
        assert_eq!(commit.tree.unwrap().hex(), id);
        assert_eq!(commit.parents.len(), 2);
        assert_eq!(commit.author_date, Some(1_700_000_000));
        assert_eq!(Commit::parse(b"tree zz\nauthor"), Commit::default());
        assert_eq!(
            tag_target(format!("object {id}\ntype blob\n").as_bytes())
                .unwrap()
                .hex(),
            id
        );
    }

    #[test]
    fn a_tree_is_read_up_to_its_damage() {
        let mut tree = b"100644 a\xff\0".to_vec();
        tree.extend([7; 20]);
        tree.extend(b"40000 sub\0");
        tree.extend([8; 20]);
        tree.extend(b"160000 cut\0");
        tree.extend([9; 3]);
        let entries: Vec<_> = tree_entries(&tree, Hash::Sha1).collect();
        assert_eq!(entries.len(), 2);
        assert_eq!(
            (entries[0].name, entries[0].mode),
            (&b"a\xff"[..], 0o100_644)
        );
        assert!(entries[1].is_tree() && !entries[1].is_submodule());
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = loose_header(&bytes);
            let _ = Commit::parse(&bytes);
            let _ = tag_target(&bytes);
            let _ = Oid::parse(&bytes);
            prop_assert!(tree_entries(&bytes, Hash::Sha1).count() <= bytes.len() / 22);
        }
    }
}
