//! Two trees, file by file and line by line.
//!
//! Who keeps a copy keeps it where it suits: a work in `src/` of something larger, or the `src/` of a work by itself. So first the
//! folder of the one is looked for that stands for the root of the other ([`shift`](super::shift)), and paths count from there.
//! Each file of the copy is held against one of the original: that of the same path, else one of the same bytes, else one
//! that is the same but for layout, else the one of which most lines are in it. A content that the original has once may stand
//! in the copy several times; nothing of it is outside of the original, so each is `moved`. What is left is added or removed.
//!
//! **Bounds.** A file is likened to those only that share a line with it which stands in few files, have its name or its
//! extension, and are among the nearest few ([`alike`](super::alike)); each file is the original of one other at most. Contents are compared
//! once for each pair of them, however many copies hold it ([`Verdicts`]). The order of files never shows.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::prelude::*;

use super::alike::{LineIndex, base_name, numbers_of};
use super::form::{self, Form};
use super::lines::{self, Lines};
use super::shift::Shift;
use super::tree::{Tree, TreeFile};
use crate::blob::Sha256Digest;
use crate::lex::{family_of, header_end};
use crate::record::{ChangeKind, FileCounts};
use crate::signature::{lines_of, norm_text};

/// Shorter contents are found at another path by their name only, in bytes: many files are as short and as equal.
const TELLING_MIN_BYTES: u64 = 24;
/// Verdicts that are kept before all are forgotten.
const VERDICTS_MAX: usize = 100_000;

/// One file of either tree beside what it is in the other.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'t> {
    /// What became of it.
    pub kind: ChangeKind,
    /// Path and file in the original; `None` where it was added.
    pub original: Option<(&'t [u8], &'t TreeFile)>,
    /// Path and file in the copy; `None` where it was removed.
    pub copy: Option<(&'t [u8], &'t TreeFile)>,
}

/// What is known of a pair beside its kind.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Detail {
    /// Line by line, where both are text.
    pub lines: Option<Arc<Lines>>,
    /// Lines of an added file, where it is text.
    pub all_lines: Option<u64>,
    /// The original's licence or copyright header is not in the copy's file.
    pub header_removed: bool,
}

/// What a copy has otherwise than the original.
#[derive(Debug, Clone, Default)]
pub struct Delta<'t> {
    /// Files that are not equal, by path in the copy, removed ones behind them by path in the original.
    pub pairs: Vec<Pair<'t>>,
    /// More of each pair.
    pub details: Vec<Detail>,
    /// Which folder of one stands for the root of the other.
    pub shift: Shift,
    /// Files, by what became of them.
    pub counts: FileCounts,
    /// Bytes of the original.
    pub bytes_original: u64,
    /// Of those, bytes that are in the copy.
    pub bytes_held: u64,
    /// Bytes of the copy that are not in the original.
    pub bytes_outside: u64,
    /// Lines of the copy that are not in the original.
    pub lines_outside: u64,
    /// Files whose header was taken away.
    pub headers_removed: u64,
}

impl<'t> Delta<'t> {
    /// Holds a copy against an original.
    #[must_use]
    pub fn between(original: &'t Tree, copy: &'t Tree) -> Self {
        Base::of(original).against(copy, &Verdicts::default())
    }
}

/// What two contents are to each other.
#[derive(Debug, Clone)]
enum Verdict {
    Reformatted,
    Changed(Detail),
}

/// Verdicts on pairs of contents, for all copies of one original.
#[derive(Debug, Default)]
pub struct Verdicts(Mutex<HashMap<(Sha256Digest, Sha256Digest), Verdict>>);

impl Verdicts {
    /// The verdict on two files with different bytes.
    fn of(&self, original: &TreeFile, copy: &TreeFile) -> Verdict {
        let key = original.sha256.zip(copy.sha256);
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = key.and_then(|key| lock().get(&key).cloned()) {
            return held;
        }
        let verdict = judge(original, copy);
        if let Some(key) = key {
            let mut held = lock();
            if held.len() >= VERDICTS_MAX {
                held.clear();
            }
            held.insert(key, verdict.clone());
        }
        verdict
    }
}

fn judge(original: &TreeFile, copy: &TreeFile) -> Verdict {
    let (Some(first), Some(second)) = (&original.bytes, &copy.bytes) else {
        return Verdict::Changed(Detail::default());
    };
    if form::is_same(first, second) {
        return Verdict::Reformatted;
    }
    let texts = text_of(original).zip(text_of(copy));
    let Some((first, second)) = texts else {
        return Verdict::Changed(Detail::default());
    };
    Verdict::Changed(Detail {
        lines: Some(Arc::new(lines::compare(&first, &second))),
        all_lines: None,
        header_removed: is_header_removed(&first, &second),
    })
}

/// The text of a file that people read; `None` where it is none or is not held.
#[must_use]
pub fn text_of(file: &TreeFile) -> Option<std::borrow::Cow<'_, [u8]>> {
    let is_text = !matches!(
        file.content.as_str(),
        "binary" | "elf" | "pe" | "mach-o" | "pdf"
    );
    let bytes = file.bytes.as_deref().filter(|_| is_text)?;
    norm_text::text_of(bytes)
}

/// Whether a line that speaks of rights, in the header of the first text, is nowhere in the second.
fn is_header_removed(original: &[u8], copy: &[u8]) -> bool {
    const WORDS: [&[u8]; 5] = [b"copyright", b"licen", b"spdx", b"(c) ", b"rights reserved"];
    let header = &original[..header_end(original, family_of(original))];
    let mut lines = lines_of(header).into_iter();
    lines.any(|line| {
        let small = line.to_ascii_lowercase();
        let mut words = WORDS.iter();
        let speaks = words.any(|word| memchr::memmem::find(&small, word).is_some());
        let said = line
            .iter()
            .position(u8::is_ascii_alphanumeric)
            .zip(line.iter().rposition(u8::is_ascii_alphanumeric));
        speaks
            && said.is_some_and(|(start, end)| {
                memchr::memmem::find(copy, &line[start..=end]).is_none()
            })
    })
}

/// An original with what is asked of it for each copy, made once.
pub struct Base<'t> {
    tree: &'t Tree,
    by_sha256: HashMap<Sha256Digest, Vec<&'t [u8]>>,
    by_form: OnceLock<HashMap<Form, Vec<&'t [u8]>>>,
    index: OnceLock<LineIndex<'t>>,
    bytes: u64,
}

impl<'t> Base<'t> {
    /// Makes one.
    #[must_use]
    pub fn of(tree: &'t Tree) -> Self {
        let mut by_sha256: HashMap<Sha256Digest, Vec<&[u8]>> = HashMap::new();
        let mut bytes = 0;
        for (path, file) in &tree.files {
            if let Some(sha256) = file.sha256 {
                by_sha256.entry(sha256).or_default().push(path);
            }
            bytes += counted(tree, path, file);
        }
        Self {
            tree,
            by_sha256,
            by_form: OnceLock::new(),
            index: OnceLock::new(),
            bytes,
        }
    }

    /// The original itself.
    #[must_use]
    pub fn tree(&self) -> &'t Tree {
        self.tree
    }

    fn by_form(&self) -> &HashMap<Form, Vec<&'t [u8]>> {
        self.by_form.get_or_init(|| {
            let files: Vec<_> = self.tree.files.iter().collect();
            let forms: Vec<_> = files
                .par_iter()
                .map(|(path, file)| (path.as_slice(), forms_of(file)))
                .collect();
            let mut by_form: HashMap<Form, Vec<&[u8]>> = HashMap::new();
            for (path, forms) in forms {
                for form in forms {
                    by_form.entry(form).or_default().push(path);
                }
            }
            by_form
        })
    }

    fn index(&self) -> &LineIndex<'t> {
        self.index.get_or_init(|| LineIndex::of(self.tree))
    }

    /// Holds a copy against it.
    #[must_use]
    pub fn against<'c>(&self, copy: &'c Tree, verdicts: &Verdicts) -> Delta<'c>
    where
        't: 'c,
    {
        let mut pairing: Pairing<'c> = Pairing::of(self.tree, copy);
        pairing.by_path();
        pairing.by_content(&self.by_sha256);
        if !pairing.left.is_empty() {
            pairing.by_form(self.by_form());
        }
        if pairing.left.iter().any(|(_, file)| text_of(file).is_some()) {
            pairing.by_likeness(self.index());
        }
        pairing.finish(self.bytes, verdicts)
    }
}

/// What layout leaves alone of a file.
fn forms_of(file: &TreeFile) -> Vec<Form> {
    let Some(bytes) = file.bytes.as_deref() else {
        return Vec::new();
    };
    let forms = form::normal(bytes).into_iter();
    forms.chain(form::words(bytes)).collect()
}

/// Bytes of a file that count: those of an archive are its members'.
fn counted(tree: &Tree, path: &[u8], file: &TreeFile) -> u64 {
    if tree.counts_by_members(path, file) {
        return 0;
    }
    file.len
}

/// Of files with one content that which most looks like the one that was moved: not taken, the same name, the longest
/// common end of the path, the first.
fn best<'t>(path: &[u8], among: &[&'t [u8]], is_taken: impl Fn(&[u8]) -> bool) -> Option<&'t [u8]> {
    let common_end = |other: &[u8]| {
        let pairs = path.iter().rev().zip(other.iter().rev());
        pairs.take_while(|(a, b)| a == b).count()
    };
    let key = |other: &&[u8]| {
        (
            is_taken(other),
            base_name(other) != base_name(path),
            std::cmp::Reverse(common_end(other)),
            other.to_vec(),
        )
    };
    among.iter().copied().min_by_key(key)
}

/// How a file of the copy belongs to one of the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tie {
    Equal,
    /// One of both could not be read.
    Unread,
    /// To be looked at.
    Other,
    Moved,
}

/// Files of two trees that are being put side by side.
struct Pairing<'t> {
    original: &'t Tree,
    copy: &'t Tree,
    shift: Shift,
    /// Files of the copy that belong to one of the original.
    found: BTreeMap<&'t [u8], (&'t [u8], Tie)>,
    /// Files of the original that were found.
    taken: BTreeSet<&'t [u8]>,
    /// Files of the copy that were not.
    left: Vec<(&'t [u8], &'t TreeFile)>,
}

impl<'t> Pairing<'t> {
    fn of(original: &'t Tree, copy: &'t Tree) -> Self {
        Self {
            original,
            copy,
            shift: Shift::between(original, copy),
            found: BTreeMap::new(),
            taken: BTreeSet::new(),
            left: Vec::new(),
        }
    }

    fn tie(&mut self, path: &'t [u8], original: &'t [u8], tie: Tie) {
        self.found.insert(path, (original, tie));
        self.taken.insert(original);
    }

    /// Files of the same path; and two files that are all there is, whatever they are called.
    fn by_path(&mut self) {
        let (first, second) = (self.original, self.copy);
        let alone = (first.files.len() == 1 && second.files.len() == 1)
            .then(|| first.files.iter().next())
            .flatten();
        for (path, file) in &second.files {
            let home = self.shift.original_of(path);
            let same = home.and_then(|home| first.files.get_key_value(home.as_ref()));
            let Some((other_path, other)) = same.or(alone) else {
                self.left.push((path, file));
                continue;
            };
            let tie = match (file.sha256, other.sha256) {
                (Some(a), Some(b)) if a == b && same.is_some() => Tie::Equal,
                (Some(a), Some(b)) if a == b => Tie::Moved,
                (Some(_), Some(_)) => Tie::Other,
                _ => Tie::Unread,
            };
            self.tie(path, other_path, tie);
        }
    }

    /// Files of the same bytes at another path.
    fn by_content(&mut self, by_sha256: &HashMap<Sha256Digest, Vec<&'t [u8]>>) {
        self.by(|file| file.sha256.and_then(|sha256| by_sha256.get(&sha256)));
    }

    /// Files that are the same but for layout at another path.
    fn by_form(&mut self, by_form: &HashMap<Form, Vec<&'t [u8]>>) {
        let forms: Vec<Vec<Form>> = self
            .left
            .par_iter()
            .map(|(_, file)| forms_of(file))
            .collect();
        let forms: HashMap<&str, Vec<Form>> = self
            .left
            .iter()
            .map(|(_, file)| file.locator.as_str())
            .zip(forms)
            .collect();
        self.by(|file| {
            let mut forms = forms.get(file.locator.as_str())?.iter();
            forms.find_map(|form| by_form.get(form))
        });
    }

    fn by<'a>(&mut self, among: impl Fn(&TreeFile) -> Option<&'a Vec<&'t [u8]>>)
    where
        't: 'a,
    {
        for (path, file) in std::mem::take(&mut self.left) {
            let found = among(file).and_then(|among| {
                let is_taken = |other: &[u8]| self.taken.contains(other);
                best(path, among, is_taken)
            });
            let says_something = |other: &&[u8]| {
                file.len >= TELLING_MIN_BYTES
                    || (base_name(path) == base_name(other) && !self.taken.contains(*other))
            };
            match found.filter(says_something) {
                Some(other) => self.tie(path, other, Tie::Moved),
                None => self.left.push((path, file)),
            }
        }
    }

    /// Files of which most lines are the same.
    fn by_likeness(&mut self, index: &LineIndex<'t>) {
        let is_free = |other: &[u8]| !self.taken.contains(other);
        let mut likened: Vec<(u64, &[u8], &[u8])> = self
            .left
            .par_iter()
            .flat_map_iter(|(path, file)| {
                let numbers = numbers_of(file).unwrap_or_default();
                let nearest = index.nearest(path, &numbers, is_free).into_iter();
                nearest.map(|(like, other)| (like, *path, other))
            })
            .collect();
        let order = |a: &(u64, &[u8], &[u8]), b: &(u64, &[u8], &[u8])| {
            let other_name =
                |(_, path, other): &(u64, &[u8], &[u8])| base_name(path) != base_name(other);
            let by_like = b.0.cmp(&a.0).then(other_name(a).cmp(&other_name(b)));
            by_like.then(a.1.cmp(b.1)).then(a.2.cmp(b.2))
        };
        likened.sort_by(order);
        for (_, path, other) in likened {
            if !self.found.contains_key(path) && !self.taken.contains(other) {
                self.tie(path, other, Tie::Other);
            }
        }
        let found = &self.found;
        self.left.retain(|(path, _)| !found.contains_key(path));
    }

    fn finish(self, bytes_original: u64, verdicts: &Verdicts) -> Delta<'t> {
        let (original, copy) = (self.original, self.copy);
        let mut delta = Delta {
            bytes_original,
            shift: self.shift.clone(),
            ..Delta::default()
        };
        delta.counts.original = original.files.len() as u64;
        delta.counts.copy = copy.files.len() as u64;
        let rows: Vec<_> = copy.files.iter().collect();
        let judged: Vec<_> = rows
            .par_iter()
            .map(|(path, file)| self.judged(path, file, verdicts))
            .collect();
        let mut held: BTreeMap<&[u8], u64> = BTreeMap::new();
        for ((path, file), judged) in rows.into_iter().zip(judged) {
            delta.put_copy(copy, (path, file), judged, &mut held);
        }
        let in_copy: BTreeSet<Sha256Digest> =
            copy.files.values().filter_map(|file| file.sha256).collect();
        for (path, file) in &original.files {
            let is_there = file.sha256.is_some_and(|sha256| in_copy.contains(&sha256));
            let most = counted(original, path, file);
            let held = held.get(path.as_slice()).copied().unwrap_or(0);
            delta.bytes_held += if is_there { most } else { held.min(most) };
            if !self.taken.contains(path.as_slice()) {
                delta.counts.removed += 1;
                delta.pairs.push(Pair {
                    kind: ChangeKind::Removed,
                    original: Some((path, file)),
                    copy: None,
                });
                delta.details.push(Detail::default());
            }
        }
        delta
    }

    /// What became of a file of the copy; `None` where it is equal.
    fn judged(&self, path: &'t [u8], file: &'t TreeFile, verdicts: &Verdicts) -> Judged<'t> {
        let Some((other, tie)) = self.found.get(path) else {
            let all_lines = text_of(file).map(|text| lines_of(&text).len() as u64);
            let detail = Detail {
                all_lines,
                ..Detail::default()
            };
            return Judged::Is(ChangeKind::Added, None, detail);
        };
        let Some((other, original)) = self.original.files.get_key_value(*other) else {
            return Judged::Unread;
        };
        let at = Some((other.as_slice(), original));
        match tie {
            Tie::Equal => Judged::Equal(other),
            Tie::Unread => Judged::Unread,
            Tie::Moved => Judged::Is(ChangeKind::Moved, at, Detail::default()),
            Tie::Other => match verdicts.of(original, file) {
                Verdict::Reformatted if self.shift.is_home(path, other) => {
                    Judged::Is(ChangeKind::Reformatted, at, Detail::default())
                }
                Verdict::Reformatted => Judged::Is(ChangeKind::Moved, at, Detail::default()),
                Verdict::Changed(detail) => Judged::Is(ChangeKind::Changed, at, detail),
            },
        }
    }
}

/// What became of a file of the copy.
enum Judged<'t> {
    Equal(&'t [u8]),
    Unread,
    Is(ChangeKind, Option<(&'t [u8], &'t TreeFile)>, Detail),
}

impl<'t> Delta<'t> {
    /// Counts a file of the copy; `held` are bytes of the original by path.
    fn put_copy(
        &mut self,
        tree: &Tree,
        (path, file): (&'t [u8], &'t TreeFile),
        judged: Judged<'t>,
        held: &mut BTreeMap<&'t [u8], u64>,
    ) {
        let (kind, original, detail) = match judged {
            Judged::Equal(path) => {
                self.counts.equal += 1;
                held.insert(path, u64::MAX);
                return;
            }
            Judged::Unread => return,
            Judged::Is(kind, original, detail) => (kind, original, detail),
        };
        let len = counted(tree, path, file);
        match kind {
            ChangeKind::Added => {
                self.counts.added += 1;
                self.bytes_outside += len;
                self.lines_outside += detail.all_lines.unwrap_or(0);
            }
            ChangeKind::Changed => {
                self.counts.changed += 1;
                self.headers_removed += u64::from(detail.header_removed);
                let lines = detail.lines.as_deref();
                self.lines_outside += lines.map_or(0, |lines| lines.added);
                self.bytes_outside += lines.map_or(len, |lines| lines.outside_bytes.min(len));
                if let (Some((path, _)), Some(lines)) = (original, lines) {
                    let bytes = held.entry(path).or_insert(0);
                    *bytes = (*bytes).max(lines.held_bytes);
                }
            }
            ChangeKind::Reformatted | ChangeKind::Moved => {
                let is_moved = kind == ChangeKind::Moved;
                self.counts.moved += u64::from(is_moved);
                self.counts.reformatted += u64::from(!is_moved);
                if let Some((path, _)) = original {
                    held.insert(path, u64::MAX);
                }
            }
            ChangeKind::Removed => {}
        }
        self.pairs.push(Pair {
            kind,
            original,
            copy: Some((path, file)),
        });
        self.details.push(detail);
    }
}

#[cfg(test)]
mod tests;
