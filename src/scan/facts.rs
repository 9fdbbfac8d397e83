//! Content facts: what a blob is, as a pure function of its bytes, the rules and the sets.
//!
//! The facts of a container hold those of its members, so that the facts of one input file are a tree. Equal
//! content shares one node ([`Arc`]), whether it stands at two places of a file or in two files. Nothing in here
//! depends on a place: what a place makes of the facts is computed by [`super::place`], for every place anew.
//!
//! Most content has nothing to tell. Such members are not kept as nodes but as a key each, which is what the
//! account of coverage needs of them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::files::Count;
use crate::blob::{ContentKey, MemberName, Sha256Digest};
use crate::container::image::Part;
use crate::container::{Effect, GitMeta, HeadFiles, MapHead, SourceMeta, Trouble, Written};
use crate::exposure::{ItemFact, SecretFact, Trait};

/// What one content is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Facts {
    /// What it is, by content: the word in `blob` records.
    pub kind: String,
    /// What the rules recognised in it.
    pub traits: Vec<Trait>,
    /// Credentials in it.
    pub secrets: Vec<SecretFact>,
    /// What it reveals, where it was read as a text of the vendor's own may be.
    pub items: Vec<ItemFact>,
    /// Of a script that leads to a map, numbers of its strings that may be names of switches, sorted.
    pub names: Vec<u32>,
    /// Of a script that leads to a map, the lengths of its lines; see [`crate::sourcemap::spread`].
    pub lengths: Vec<u32>,
    /// What it points to, data URLs apart.
    pub links: Vec<LinkFact>,
    /// Files of signed works that it agrees with.
    pub matches: Vec<MatchFact>,
    /// What it has of works in other languages.
    pub echoes: Vec<crate::signature::ported::Echo>,
    /// It is the text of a licence; looked at where copies are looked for.
    pub licence: Option<LicenceText>,
    /// Lines, where it matches: `\n` counted, and a last line without one.
    pub lines: u64,
    /// What is in it, where it is a container.
    pub tree: Option<Tree>,
    /// What it is to a container image.
    pub image: Option<Box<Part>>,
    /// What kept it from being read, or is odd about it.
    pub troubles: Vec<Trouble>,
    /// Levels of containers that it takes to read it: 0 for a leaf, 1 for a container of leaves.
    pub levels: u32,
    /// Bytes that must be held beside it to read what is in it: the most that any way down holds at a time. A matter
    /// of one run.
    #[serde(skip)]
    pub room: u64,
    /// A limit of the place where it was met cut it, so that these facts do not hold elsewhere.
    #[serde(default)]
    pub cut_by_limit: bool,
}

impl Facts {
    /// Facts of content that has nothing to tell.
    pub fn plain(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            traits: Vec::new(),
            secrets: Vec::new(),
            items: Vec::new(),
            names: Vec::new(),
            lengths: Vec::new(),
            links: Vec::new(),
            matches: Vec::new(),
            echoes: Vec::new(),
            licence: None,
            lines: 0,
            tree: None,
            image: None,
            troubles: Vec::new(),
            levels: 0,
            room: 0,
            cut_by_limit: false,
        }
    }

    /// Whether there is nothing to tell.
    pub fn is_plain(&self) -> bool {
        self.traits.is_empty()
            && self.secrets.is_empty()
            && self.items.is_empty()
            && self.links.is_empty()
            && self.matches.is_empty()
            && self.echoes.is_empty()
            && self.tree.is_none()
            && self.image.is_none()
            && self.licence.is_none()
            && self.troubles.is_empty()
    }

    /// Whether it is a map: a container that said so of itself.
    pub fn as_map(&self) -> Option<(&Tree, &MapHead)> {
        let tree = self.tree.as_ref()?;
        Some((tree, tree.map.as_deref()?))
    }

    /// Whether it is a container that holds files, as archives and compressed streams do.
    pub fn is_archive(&self) -> bool {
        self.tree.as_ref().is_some_and(|tree| !tree.is_inside())
    }
}

/// The text of a licence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LicenceText {
    /// SPDX identifier, where it states one or is one that is known.
    pub id: Option<String>,
}

/// Something that content points to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkFact {
    /// What it points to, as written.
    pub target: Vec<u8>,
    /// What kind of place that is.
    pub kind: crate::record::ReferenceKind,
    /// Whether a reader that follows the standard would see the link.
    pub conforming: bool,
    /// Of a package that a store names, where that store keeps its content: a path below its root.
    pub beside: Option<Vec<u8>>,
}

/// One agreement with a signed work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MatchFact {
    /// Index of the set in the run.
    pub set: u32,
    /// Id of the file in the set.
    pub file: u32,
    /// How they agree.
    pub grade: crate::record::Grade,
    /// What that rests on, where neither bytes nor normal forms are equal.
    pub found: Option<Box<crate::signature::Found>>,
}

/// What is in a container.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Tree {
    /// The word for the format in hops.
    pub kind: String,
    /// Members with something to tell, in the order of the container.
    pub children: Vec<Child>,
    /// Keys of the members that have nothing to tell.
    pub plain: Vec<ContentKey>,
    /// Bytes of those.
    pub plain_bytes: u64,
    /// Folders, links and headers, by kind.
    pub other: BTreeMap<String, u64>,
    /// What a source map says of itself.
    pub map: Option<Box<MapHead>>,
    /// Regular members that stand directly in each folder, and their bytes, those of git stores among them left out.
    pub folders: BTreeMap<Vec<u8>, Count>,
    /// Compiled scripts among the members that have nothing to tell.
    pub compiled: u64,
    /// Bytes of all members, those of nested containers included.
    pub total_bytes: u64,
    /// All members, those of nested containers included, each at each of its places.
    pub total_entries: u64,
    /// Links that are called as layers of images are, and the paths that they lead to.
    pub links: BTreeMap<Vec<u8>, Vec<u8>>,
    /// A number for the name of each member, sorted, where a link may lead to one; see [`name_number`].
    pub names: Vec<u64>,
    /// Ends of paths of members that works have too; see [`crate::signature::paths`].
    pub paths: BTreeSet<u64>,
    /// Of a git store, the files at its head, where copies are looked for and it can be told.
    pub head: Option<HeadFiles>,
}

impl Tree {
    /// Whether what is in it is part of the file that holds it, as sources, data URLs and modules are; what an
    /// archive holds stands at a place of its own.
    pub fn is_inside(&self) -> bool {
        self.map.is_some() || is_part_of_text(&self.kind) || self.is_cut_script()
    }

    /// Whether it is one script that was cut into its modules: a link in any of them is the script's.
    pub fn is_cut_script(&self) -> bool {
        self.kind == "ram-bundle"
    }

    /// Whether it is a git directory as a whole.
    pub fn is_git_store(&self) -> bool {
        self.kind == crate::container::git::store::KIND
    }

    /// Whether its members are objects of git, called by their digests.
    pub fn holds_objects(&self) -> bool {
        self.is_git_store() || matches!(self.kind.as_str(), "git-pack" | "git-bundle")
    }

    /// Whether it is a capture of traffic: its members are named by the URLs that they came from.
    pub fn is_capture(&self) -> bool {
        matches!(self.kind.as_str(), "har" | "warc" | "warc.gz")
    }

    /// The path of a member in its container: its name, without what a URL has behind its path.
    pub fn path_of<'a>(&self, member: &'a Child) -> &'a [u8] {
        let name = member.name.bytes();
        if !self.is_capture() {
            return name;
        }
        &name[..memchr::memchr2(b'?', b'#', name).unwrap_or(name.len())]
    }

    /// Regular members, those of nested containers not counted.
    pub fn entries(&self) -> u64 {
        (self.children.len() + self.plain.len()) as u64
    }
}

/// Whether containers of this kind are texts that carry something inside.
pub fn is_part_of_text(kind: &str) -> bool {
    matches!(kind, "data-url" | "eval" | "embedded-map" | "embedded")
}

/// The number of a name: the beginning of its BLAKE3.
pub fn name_number(name: &[u8]) -> u64 {
    let digest = blake3::hash(name);
    let (first, _) = digest.as_bytes().as_chunks::<8>();
    first.first().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// One member with something to tell.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Child {
    /// How the container calls it.
    pub name: MemberName,
    /// 1 for the first member of that name, 2 for the second, …
    pub ordinal: u32,
    /// Length in bytes of what was read.
    pub len: u64,
    /// Dedupe key; none where nothing could be read.
    pub key: Option<ContentKey>,
    /// SHA-256; none where nothing could be read.
    pub sha256: Option<Sha256Digest>,
    /// What it is.
    pub facts: Arc<Facts>,
    /// What kept its bytes from coming whole out of the container, or is odd about that.
    pub trouble: Option<Trouble>,
    /// What the map says of it, where it is a source.
    pub source: Option<Box<SourceMeta>>,
    /// What its container says beside its bytes of where its source map is.
    pub links: Vec<LinkFact>,
    /// Where it stands in the git store that its container is.
    pub git: Option<Box<GitMeta>>,
    /// When it was written, as the archive that it is a member of says, where it matches: seconds since 1970.
    pub written: Option<i64>,
    /// What is kept of it where it is text and digests of all are kept.
    pub text: Option<Box<TextDigest>>,
    /// The bytes, where the run was asked to keep them. Never stored.
    #[serde(skip)]
    pub kept: Option<Kept>,
}

/// What a case keeps of a text, beside its SHA-256, for sets that are signed later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextDigest {
    /// Digest of the normal form, see [`crate::signature::norm_text`].
    pub norm: [u8; 32],
    /// Lines, counted as [`Facts::lines`] are.
    pub lines: u64,
}

/// The bytes of an entry, kept until its unit is done.
#[derive(Debug, Clone)]
pub enum Kept {
    /// As they are.
    Whole(bytes::Bytes),
    /// As the map writes them: what is shared with the map takes no memory of its own.
    Written(Written),
}

impl Kept {
    /// The bytes.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Kept::Whole(bytes) => Cow::Borrowed(bytes),
            Kept::Written(written) => written.bytes(),
        }
    }
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// All of it was read.
    Read,
    /// Not read, and why.
    Skipped(&'a str),
    /// Read in part, and why.
    Damaged(&'a str),
}

impl Child {
    /// The outcome: the worst that applies (damaged > skipped > read).
    pub fn outcome(&self) -> Outcome<'_> {
        let troubles = self.trouble.iter().chain(&self.facts.troubles);
        let mut worst = Outcome::Read;
        for trouble in troubles {
            match (trouble.effect, worst) {
                (Effect::Damaged, Outcome::Read | Outcome::Skipped(_)) => {
                    worst = Outcome::Damaged(&trouble.code);
                }
                (Effect::Skipped, Outcome::Read) => worst = Outcome::Skipped(&trouble.code),
                _ => {}
            }
        }
        worst
    }
}

/// Where a member of a tree stands, for those who walk one.
pub struct Standing<'a> {
    /// The locator of the member.
    pub at: &'a crate::blob::Locator,
    /// Path of the entry that holds it: the map's own path in its container, for a source.
    pub path: &'a [u8],
    /// The container hops above it, as names: what a tree of files is rooted at.
    pub above: &'a [Vec<u8>],
}

/// Shows every entry of a tree to `look`, containers before their members, with where it stands.
///
/// Uses one stack frame a level; levels are bounded by the limits of the scan.
pub fn each_entry<E>(
    child: &Child,
    standing: &Standing,
    look: &mut impl FnMut(&Child, &Standing) -> Result<(), E>,
) -> Result<(), E> {
    look(child, standing)?;
    let Some(tree) = &child.facts.tree else {
        return Ok(());
    };
    let inside = tree.is_inside();
    let mut above = standing.above.to_vec();
    if !inside {
        above.push(standing.path.to_vec());
    }
    for member in &tree.children {
        let at = standing.at.member(&tree.kind, &member.name, member.ordinal);
        let path = if inside {
            standing.path
        } else {
            member.name.bytes()
        };
        let standing = Standing {
            at: &at,
            path,
            above: &above,
        };
        each_entry(member, &standing, look)?;
    }
    Ok(())
}
