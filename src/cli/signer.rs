//! Which files of an input make the work that is signed, and what is signed of each.
//!
//! What is not the vendor's own says nothing of whose a copy is: third parties' files, the texts of licences, what is too
//! short. It is left out, and said to be. So is what stands for something else: a container for its members, a bundle with a
//! map for its sources. Of a public work or a baseline everything that is read is signed. What a program wrote, and
//! tables of data, are signed and named: others may have the like, but they may just as well be the vendor's.
//!
//! Files come one after the other, and are fingerprinted on all threads when a number of them were taken.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use rayon::prelude::*;

use super::CliError;
use crate::exposure::{Manifest, Organisation, party_of, stated_licence, states_open};
use crate::lex::{Nature, family_of, nature_of};
use crate::record::Party;
use crate::scan::facts::{Child, Kept, Standing};
use crate::scan::packages::{PackageIndex, manifest_folder, manifest_of};
use crate::signature::lists::{self, Kind, Row};
use crate::signature::prints::FilePrints;
use crate::signature::{
    FileEntry, LicenceFlag, PartyFlag, SetBuilder, digests_with_sha256, md5_of, norm_text,
};

/// A file with less text than this says nothing about whose it is; bytes without white space.
pub(super) const TEXT_MIN: usize = 24;
/// A shorter text is left out of a set that is handed on: who has the set could guess it. Bytes of its normal form.
const HANDED_ON_MIN: usize = 200;

const CONTAINER: &str = "container: its members were taken instead";

const GENERATED: &str = "say that a program wrote them";
const TABLES: &str = "are tables of data";

/// How many files something is true of, and a few of them, by what it is.
pub(super) type Told = BTreeMap<&'static str, (u64, Vec<String>)>;

/// Files that are named of those that something is true of.
const EXAMPLES: usize = 3;

fn tell(told: &mut Told, what: &'static str, at: &str) {
    let (count, examples) = told.entry(what).or_default();
    *count += 1;
    if examples.len() < EXAMPLES {
        examples.push(at.to_owned());
    }
}

/// All that is to be signed.
pub(super) struct Signed {
    pub(super) builder: SetBuilder,
    /// What was left out, by the reason.
    pub(super) left_out: Told,
    /// What others may have the like of, without having copied it.
    pub(super) alike: Told,
    pub(super) licences: BTreeMap<LicenceFlag, u64>,
    /// What is written in lists, in order.
    pub(super) rows: Vec<Row>,
}

/// A folder or archive that packages lie in: the input, and the containers on the way.
type ScopeAt = (usize, Vec<Vec<u8>>);

/// A file that is to be signed.
struct Taken {
    path: Vec<u8>,
    party: PartyFlag,
    sha256: [u8; 32],
    kept: Kept,
    /// Its locator.
    at: String,
    /// Where it lies, for those who ask which package that is in: a scope by number, and the path in it.
    scope: usize,
    place: Vec<u8>,
}

/// A file that was fingerprinted.
struct Printed {
    entry: FileEntry,
    /// Its row in lists that are written, where any is.
    row: Option<Row>,
    nature: Nature,
    /// Its locator.
    at: String,
    asked: Asked,
}

/// What is held of a file until its licence is known.
struct Asked {
    party: PartyFlag,
    /// What the file says of its licence itself.
    stated_open: Option<bool>,
    scope: usize,
    place: Box<[u8]>,
}

/// Which lists are written beside the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lists {
    None,
    /// Lists of digests.
    Digests,
    /// Also one of fingerprints.
    Fingerprints,
}

/// Takes files into a set, and counts what is left out.
pub(super) struct Signer<'a> {
    organisation: Option<&'a Organisation>,
    /// Public material is taken whole, whosever it is.
    everything: bool,
    for_third_parties: bool,
    lists: Lists,
    left_out: Told,
    alike: Told,
    taken: Vec<Taken>,
    builder: SetBuilder,
    /// Of each file in the builder, by its number there.
    asked: Vec<Asked>,
    rows: Vec<Row>,
    scopes: HashMap<ScopeAt, usize>,
    manifests: Vec<Vec<(Vec<u8>, Manifest)>>,
}

impl<'a> Signer<'a> {
    /// `everything` of public material is taken, whosever it is; lists of `exports` are made beside the set.
    pub(super) fn new(
        organisation: Option<&'a Organisation>,
        everything: bool,
        for_third_parties: bool,
        exports: &[(Kind, PathBuf)],
        builder: SetBuilder,
    ) -> Self {
        Self {
            organisation,
            everything,
            for_third_parties,
            lists: if exports.iter().any(|(kind, _)| *kind == Kind::Wfp) {
                Lists::Fingerprints
            } else if exports.is_empty() {
                Lists::None
            } else {
                Lists::Digests
            },
            left_out: Told::new(),
            alike: Told::new(),
            taken: Vec::new(),
            builder,
            asked: Vec::new(),
            rows: Vec::new(),
            scopes: HashMap::new(),
            manifests: Vec::new(),
        }
    }

    /// Takes a file, or says why not. Its place is in the input of this number.
    pub(super) fn take(&mut self, child: &Child, standing: &Standing, input: usize) {
        let hops = standing.at.hops().list();
        if hops
            .iter()
            .any(|hop| hop.kind == "git" || hop.kind.starts_with("git-"))
        {
            let reason =
                "in a git store: what is checked out, or an archive of the release, is the work";
            tell(&mut self.left_out, reason, standing.at.as_str());
            return;
        }
        let scope = self.scope_of(input, standing);
        let manifest = manifest_of(&child.facts).filter(|_| child.source.is_none());
        if let (Some(manifest), Some(folder)) = (manifest, manifest_folder(standing.path)) {
            self.manifests[scope].push((folder.to_vec(), manifest.clone()));
        }
        let Some(kept) = &child.kept else {
            let reason = if child.facts.tree.is_some() {
                CONTAINER
            } else if child.key.is_some() {
                "larger than content may be held: raise --memory"
            } else {
                "not read: a scan says why"
            };
            tell(&mut self.left_out, reason, standing.at.as_str());
            return;
        };
        let path = path_of(child, standing);
        let verdict = party_of(&path, None, self.organisation, is_ignored(child));
        let reason = self.reason_against(child, &kept.bytes(), verdict.party);
        if let Some(reason) = reason {
            tell(&mut self.left_out, reason, standing.at.as_str());
            return;
        }
        let party = match verdict.party {
            Party::Third => PartyFlag::Third,
            // The user says that this is the work; what nobody else claims is theirs.
            Party::First | Party::Unknown => PartyFlag::First,
        };
        self.taken.push(Taken {
            path,
            party,
            sha256: child.sha256.map_or([0; 32], |digest| digest.0),
            kept: kept.clone(),
            at: standing.at.as_str().to_owned(),
            scope,
            place: standing.path.to_vec(),
        });
    }

    fn scope_of(&mut self, input: usize, standing: &Standing) -> usize {
        let next = self.manifests.len();
        let at = (input, standing.above.to_vec());
        let scope = *self.scopes.entry(at).or_insert(next);
        if scope == next {
            self.manifests.push(Vec::new());
        }
        scope
    }

    /// Fingerprints what was taken, on all threads, and lets go of its bytes.
    pub(super) fn print(&mut self, pool: Option<&rayon::ThreadPool>) -> Result<(), CliError> {
        let taken = std::mem::take(&mut self.taken);
        let lists = self.lists;
        let printed = |taken| printed(taken, lists);
        let all: Vec<Printed> = match pool {
            Some(pool) => pool.install(|| taken.into_par_iter().map(printed).collect()),
            None => taken.into_iter().map(printed).collect(),
        };
        for file in all {
            match file.nature {
                Nature::Licence if !self.everything => {
                    tell(&mut self.left_out, "the text of a public licence", &file.at);
                    continue;
                }
                Nature::Generated(_) => tell(&mut self.alike, GENERATED, &file.at),
                Nature::Table => tell(&mut self.alike, TABLES, &file.at),
                Nature::Licence | Nature::Code => {}
            }
            self.builder.add(file.entry);
            self.asked.push(file.asked);
            self.rows.extend(file.row);
        }
        Ok(self.builder.check()?)
    }

    /// Everything that was taken, and its files by licence. Whose a licence is that no file states itself, the
    /// nearest manifest says; all of them are known only now.
    pub(super) fn finish(mut self) -> Signed {
        let scopes: Vec<PackageIndex> = self.manifests.into_iter().map(PackageIndex::new).collect();
        let mut licences = BTreeMap::new();
        for (number, file) in self.asked.iter().enumerate() {
            let manifest = scopes
                .get(file.scope)
                .and_then(|scope| scope.package_of(&file.place));
            let by_manifest = || manifest.and_then(|(_, manifest)| manifest.states_open());
            // Of somebody else's file the manifest of the work says nothing.
            let is_own = file.party == PartyFlag::First;
            let is_open = match file.stated_open {
                None if is_own || self.everything => by_manifest(),
                stated => stated,
            };
            let licence = match is_open {
                None => LicenceFlag::Unknown,
                Some(true) => LicenceFlag::Open,
                Some(false) => LicenceFlag::NotOpen,
            };
            *licences.entry(licence).or_insert(0) += 1;
            self.builder.set_licence(number, licence);
        }
        self.rows.sort_unstable();
        self.rows.dedup();
        Signed {
            builder: self.builder,
            left_out: self.left_out,
            alike: self.alike,
            licences,
            rows: self.rows,
        }
    }

    /// Why a file is left out, if that is known before its text is looked at.
    fn reason_against(&self, child: &Child, bytes: &[u8], party: Party) -> Option<&'static str> {
        let facts = &child.facts;
        if facts.is_archive() || facts.as_map().is_some() {
            return Some(CONTAINER);
        }
        let text = bytes
            .iter()
            .filter(|byte| !byte.is_ascii_whitespace())
            .count();
        if text < TEXT_MIN {
            return Some("too short to be anybody's");
        }
        let is_short = |text: Vec<u8>| text.len() < HANDED_ON_MIN;
        if self.for_third_parties && norm_text::normal_form(bytes).is_some_and(is_short) {
            return Some("a text under 200 bytes, which who has the set could guess");
        }
        if self.everything {
            return None;
        }
        if party == Party::Third {
            return Some("third party");
        }
        let is_generated = child.source.is_none()
            && (!facts.links.is_empty()
                || !child.links.is_empty()
                || (facts.tree.as_ref())
                    .is_some_and(|tree| tree.is_inside() && tree.kind != "embedded"));
        is_generated.then_some("generated: it names a source map, whose sources were taken instead")
    }
}

/// Fingerprints one file.
fn printed(taken: Taken, lists: Lists) -> Printed {
    let bytes = taken.kept.bytes();
    let digests = digests_with_sha256(&bytes, taken.sha256);
    let row = (lists != Lists::None).then(|| Row {
        path: taken.path.clone(),
        sha256: digests.sha256,
        git_sha1: digests.git_sha1,
        bytes: digests.bytes,
        wfp: (lists == Lists::Fingerprints).then(|| (md5_of(&bytes), lists::winnowed(&bytes))),
    });
    let mut entry = FileEntry::new(taken.path, taken.party, digests);
    let mut nature = Nature::Code;
    if let Some(text) = norm_text::text_of(&bytes) {
        let family = family_of(&text);
        nature = nature_of(&text, family);
        entry.prints = FilePrints::of_text(family, &text);
    }
    let asked = Asked {
        party: taken.party,
        stated_open: stated_licence(&bytes).and_then(states_open),
        scope: taken.scope,
        place: taken.place.into_boxed_slice(),
    };
    Printed {
        entry,
        row,
        at: taken.at,
        nature,
        asked,
    }
}

/// The path under which a file stands in the set: as in its archive, or as its map resolves it.
fn path_of(child: &Child, standing: &Standing) -> Vec<u8> {
    match &child.source {
        Some(meta) => crate::sourcemap::resolve_source(
            standing.path,
            meta.source_root.as_deref(),
            meta.name.as_deref().unwrap_or_default(),
        ),
        None => standing.path.to_vec(),
    }
}

fn is_ignored(child: &Child) -> bool {
    child.source.as_ref().is_some_and(|meta| meta.ignored)
}
