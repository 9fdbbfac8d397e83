//! Many sets asked at once: what a scan holds every content against.
//!
//! Each set answers for itself, as if it were the only one, so that adding a set never changes what another says and a
//! part of a scan agrees with the whole. Within a set the strongest grade speaks: where bytes are equal, files that are
//! equal in normal form only are not named. The normal form of a content is computed once for all sets, and not at
//! all when every set knows its bytes.
//!
//! What is equal but for its layout is equal in a normal form, too. That one asks for a lexer, and nearly everything that is
//! met is no copy of anything. So it is computed where a content may be one: where fingerprints found nearly all of a file
//! and nearly nothing else, and where a text is so short that they may have nothing to say.

use std::collections::BTreeMap;
use std::fmt;

use super::digest::{ListDigests, git_blob_sha1, md5_of};
use super::liken::{self, Least, Likeness};
use super::paths::PathIndex;
use super::ported::Echo;
use super::prints::LineNumbers;
use super::ranges::{self, Stretch};
use super::set::Set;
use super::{layout, norm_text, verdict};
use crate::lex::family_of;

/// Shares of both sides from which on a text may be equal but for its layout: of some fingerprints a bracket more changes
/// those round it.
const NEAR_MIN_SHARE: f32 = 0.9;
/// Texts up to this length are looked for without their layout whatever fingerprints say.
const SHORT_MAX_BYTES: usize = 1024;

/// How a content and a file of a work agree, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// The same bytes.
    Exact,
    /// The same text in normal form, or the same but for its layout.
    Normalized,
    /// Stretches of the same text.
    Excerpt,
    /// Renamed, minified, bundled or otherwise made of it by a tool.
    Derived,
}

impl Grade {
    /// The word that records use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Grade::Exact => "exact",
            Grade::Normalized => "normalized",
            Grade::Excerpt => "excerpt",
            Grade::Derived => "derived",
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A content agrees with a file of a work.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Index of the set in the group.
    pub set: usize,
    /// Id of the file in that set.
    pub file: u32,
    /// How they agree.
    pub grade: Grade,
    /// What that rests on, where neither bytes nor normal forms are equal.
    pub found: Option<Box<Found>>,
}

impl Hit {
    fn of_digest(set: usize, file: u32, grade: Grade) -> Hit {
        Hit {
            set,
            file,
            grade,
            found: None,
        }
    }
}

/// What fingerprints say of a pair.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Found {
    /// 0 to 1: how far beyond the threshold; 0.5 is at it.
    pub score: f32,
    /// log10 of the likelihood of this pair by chance, uncorrected.
    pub log10_p: f32,
    /// Share of the original that is there, 0 to 1.
    pub of_original: f32,
    /// Share of the target that it makes up, 0 to 1.
    pub of_target: f32,
    /// Which stretches correspond, in the order of the target.
    pub stretches: Vec<Stretch>,
}

/// Sets that are asked together.
#[derive(Debug, Default)]
pub struct SetGroup {
    sets: Vec<Set>,
    paths: PathIndex,
    has_works: bool,
}

impl SetGroup {
    /// A group of these sets, in this order.
    #[must_use]
    pub fn new(sets: Vec<Set>) -> SetGroup {
        let is_work = |set: &Set| !set.is_public() && !set.is_baseline();
        SetGroup {
            paths: PathIndex::of(&sets),
            has_works: sets.iter().any(is_work),
            sets,
        }
    }

    /// Whether copies are looked for: a set is of a work that is not public.
    #[must_use]
    pub fn has_works(&self) -> bool {
        self.has_works
    }

    /// What the works' files are called, where their names are at hand.
    #[must_use]
    pub fn paths(&self) -> &PathIndex {
        &self.paths
    }

    /// The sets, in the order that [`Hit::set`] counts.
    #[must_use]
    pub fn sets(&self) -> &[Set] {
        &self.sets
    }

    /// Whether there is nothing to ask.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// Whether any set can be asked for git blob ids.
    #[must_use]
    pub fn wants_git(&self) -> bool {
        self.sets.iter().any(Set::has_git)
    }

    /// Whether any set, made of lists, knows files by other digests than SHA-256 only.
    #[must_use]
    pub fn asks_more_than_sha256(&self) -> bool {
        self.sets.iter().any(Set::asks_more_than_sha256)
    }

    /// Whether any set has fingerprints to be asked for.
    #[must_use]
    pub fn has_prints(&self) -> bool {
        self.sets
            .iter()
            .any(|set| set.has_prints() && !set.is_baseline())
    }

    /// As [`SetGroup::lookup`], for equal contents and equal texts only, and no fingerprints.
    #[must_use]
    pub fn lookup_whole(&self, sha256: &[u8; 32], content: &[u8]) -> Vec<Hit> {
        let mut norm = None;
        let mut hits = self.collect(sha256, || {
            *norm.get_or_insert_with(|| norm_text::digest(content))
        });
        if self.asks_more_than_sha256() {
            let bytes = content.len() as u64;
            let (mut git, mut md5) = (None, None);
            self.collect_listed(
                bytes,
                || *git.get_or_insert_with(|| git_blob_sha1(content)),
                || *md5.get_or_insert_with(|| md5_of(content)),
                &mut hits,
            );
        }
        hits
    }

    /// Holds one content against all sets. `content` are its bytes, whatever they are, and `sha256` their digest. Hits come
    /// in order of set, then of file; the empty list allocates nothing. Sets that know the bytes or their normal form are
    /// not asked for more.
    #[must_use]
    pub fn lookup(&self, sha256: &[u8; 32], content: &[u8]) -> Vec<Hit> {
        self.lookup_with_echoes(sha256, content).0
    }

    /// As [`SetGroup::lookup`], and what the content echoes of works in other languages (see [`ported`](super::ported)).
    #[must_use]
    pub fn lookup_with_echoes(&self, sha256: &[u8; 32], content: &[u8]) -> (Vec<Hit>, Vec<Echo>) {
        let mut hits = self.lookup_whole(sha256, content);
        let known: Vec<usize> = hits.iter().map(|hit| hit.set).collect();
        let is_asked = |set: usize| !known.contains(&set);
        let is_any_asked = (0..self.sets.len()).any(is_asked);
        let Some(text) = is_any_asked.then(|| norm_text::text_of(content)).flatten() else {
            return (hits, Vec::new());
        };
        let (mut found, mut echoes) = if self.has_prints() {
            self.lookup_prints(&text, is_asked)
        } else {
            (Vec::new(), Vec::new())
        };
        let laid_out = self.lookup_layout(&text, is_asked, &found);
        if !laid_out.is_empty() {
            let is_known = |set: usize| laid_out.iter().any(|hit| hit.set == set);
            found.retain(|hit| !is_known(hit.set));
            echoes.retain(|echo| !is_known(echo.set()));
        }
        if !found.is_empty() || !laid_out.is_empty() {
            place_in_content(content, &mut found);
            hits.extend(found);
            hits.extend(laid_out);
            hits.sort_by_key(|hit| (hit.set, hit.file));
        }
        (hits, echoes)
    }

    /// Holds a decoded text without its layout against those of the sets that `is_asked` names in which it may be found:
    /// `found` is what fingerprints say of it.
    fn lookup_layout(
        &self,
        text: &[u8],
        is_asked: impl Fn(usize) -> bool,
        found: &[Hit],
    ) -> Vec<Hit> {
        let is_near = |set: usize| {
            let shares = found.iter().filter(|hit| hit.set == set);
            let mut shares = shares.filter_map(|hit| hit.found.as_deref());
            shares.any(|found| found.of_original.min(found.of_target) >= NEAR_MIN_SHARE)
        };
        let mut digests = BTreeMap::new();
        let mut hits = Vec::new();
        for (set, asked) in self.sets.iter().enumerate() {
            let Some(rules) = asked.layout_rules() else {
                continue;
            };
            if !is_asked(set) || (text.len() > SHORT_MAX_BYTES && !is_near(set)) {
                continue;
            }
            let of_text = || layout::digest_of_text(rules, family_of(text), text);
            let Some(digest) = *digests.entry(rules).or_insert_with(of_text) else {
                continue;
            };
            let files = asked.find_layout(rules, &digest);
            hits.extend(files.map(|file| Hit::of_digest(set, file, Grade::Normalized)));
        }
        hits
    }

    /// Holds the fingerprints of a decoded text against the sets that `is_asked` names.
    fn lookup_prints(
        &self,
        text: &[u8],
        is_asked: impl Fn(usize) -> bool,
    ) -> (Vec<Hit>, Vec<Echo>) {
        let has_baseline = self.sets.iter().any(Set::is_baseline);
        let mut lines = None;
        let least = verdict::least(has_baseline);
        let (likenesses, echoes) = liken::likenesses(&self.sets, text, &least, is_asked);
        let judged = likenesses.into_iter().filter_map(|likeness| {
            let verdict = verdict::judge(&likeness, has_baseline)?;
            let set = self.sets.get(likeness.set)?;
            let lines = lines.get_or_insert_with(|| LineNumbers::of(text));
            let tiers = verdict::tiers_of(verdict.grade);
            let stretches = ranges::stretches(set, likeness.file, &likeness.traces, tiers, lines);
            let found = Found {
                score: verdict.score,
                log10_p: verdict.log10_p,
                of_original: verdict.of_original,
                of_target: verdict.of_target,
                stretches,
            };
            Some(Hit {
                set: likeness.set,
                file: likeness.file,
                grade: verdict.grade,
                found: Some(Box::new(found)),
            })
        });
        (judged.collect(), echoes)
    }

    /// As [`SetGroup::lookup`] for a content whose bytes are gone and whose digests were kept. Without `norm` only the
    /// exact tier is asked.
    #[must_use]
    pub fn lookup_digests(&self, sha256: &[u8; 32], norm: Option<&[u8; 32]>) -> Vec<Hit> {
        self.collect(sha256, || norm.copied())
    }

    /// As [`SetGroup::lookup_digests`], with the digests by which sets made of lists know contents.
    #[must_use]
    pub fn lookup_listed(&self, sha256: &[u8; 32], digests: &ListDigests) -> Vec<Hit> {
        let mut hits = self.lookup_digests(sha256, None);
        let (git, md5) = (|| digests.git_sha1, || digests.md5);
        self.collect_listed(digests.bytes, git, md5, &mut hits);
        hits
    }

    /// Holds a git blob id against all sets: what a pack index or a tree tells without the bytes.
    #[must_use]
    pub fn lookup_git(&self, git_sha1: &[u8; 20]) -> Vec<Hit> {
        let mut hits = Vec::new();
        for (set, asked) in self.sets.iter().enumerate() {
            let grade = Grade::Exact;
            let files = asked.find_git(git_sha1);
            hits.extend(files.map(|file| Hit::of_digest(set, file, grade)));
        }
        hits
    }

    /// What a content and the files of those sets have in common that `is_asked` names, by their fingerprints; nothing where
    /// it is not text. See [`Likeness`].
    #[must_use]
    pub fn likenesses(
        &self,
        content: &[u8],
        least: &Least,
        is_asked: impl Fn(usize) -> bool,
    ) -> Vec<Likeness> {
        match norm_text::text_of(content) {
            Some(text) => liken::likenesses(&self.sets, &text, least, is_asked).0,
            None => Vec::new(),
        }
    }

    /// Adds what sets know by git blob id or MD5 only. A digest is asked for where a set may know it, and not before.
    fn collect_listed(
        &self,
        bytes: u64,
        mut git: impl FnMut() -> [u8; 20],
        mut md5: impl FnMut() -> [u8; 16],
        hits: &mut Vec<Hit>,
    ) {
        let before = hits.len();
        for (set, asked) in self.sets.iter().enumerate() {
            let of = |file| Hit::of_digest(set, file, Grade::Exact);
            if asked.asks_git() {
                hits.extend(asked.find_git(&git()).map(of));
            }
            if asked.asks_md5_of(bytes) {
                hits.extend(asked.find_md5(bytes, &md5()).map(of));
            }
        }
        if hits.len() > before {
            hits.sort_by_key(|hit| (hit.set, hit.file));
            hits.dedup_by_key(|hit| (hit.set, hit.file));
        }
    }

    fn collect(&self, sha256: &[u8; 32], mut norm: impl FnMut() -> Option<[u8; 32]>) -> Vec<Hit> {
        let mut hits = Vec::new();
        for (set, asked) in self.sets.iter().enumerate() {
            let mut ids = asked.find_exact(sha256);
            let mut grade = Grade::Exact;
            if ids.len() == 0 && asked.has_norm_text() {
                let Some(norm) = norm() else { continue };
                ids = asked.find_norm(&norm);
                grade = Grade::Normalized;
            }
            hits.extend(ids.map(|file| Hit::of_digest(set, file, grade)));
        }
        hits
    }
}

/// Stretches are found in a text; turns their bytes into those of the content that the text was decoded from.
fn place_in_content(content: &[u8], hits: &mut [Hit]) {
    fn places(hits: &mut [Hit]) -> impl Iterator<Item = &mut [u64; 2]> {
        let found = hits.iter_mut().filter_map(|hit| hit.found.as_mut());
        let stretches = found.flat_map(|found| &mut found.stretches);
        stretches.map(|stretch| &mut stretch.target_bytes)
    }
    // Of each stretch its first and its last byte: the end lies behind the character that the last one is of.
    let mut wanted: Vec<u64> = places(hits)
        .flat_map(|&mut [start, end]| [start, end.saturating_sub(1).max(start)])
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    let Some(placed) = norm_text::places_in_content(content, &wanted) else {
        return;
    };
    let at = |byte: u64| {
        wanted
            .binary_search(&byte)
            .ok()
            .and_then(|at| placed.get(at))
    };
    for [start, end] in places(hits) {
        if let (Some(first), Some(last)) = (at(*start), at(end.saturating_sub(1).max(*start))) {
            (*start, *end) = (first.start, last.end);
        }
    }
}
