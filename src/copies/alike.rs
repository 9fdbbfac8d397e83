//! Files that are recognisably the same though neither path nor content is.
//!
//! Who moves a file and edits it leaves most of its lines. A line that stands in few files of the original points to them; of
//! those the nearest are held against the file as wholes, by how often each line stands in either. Neither the order of lines
//! nor their indentation counts, and blank lines are nothing.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;

use super::delta::text_of;
use super::tree::{Tree, TreeFile};
use crate::signature::lines_of;

/// Files of the original that one of the copy is likened to.
const CANDIDATES: usize = 4;
/// A line that stands in more files of the original than this tells none of them.
const FILES_OF_LINE: usize = 8;
/// Longer files are likened to none, in bytes.
const LIKENED_MAX_BYTES: usize = 8 << 20;
/// Of two files that are the same one this share of their lines must be equal, in hundredths.
const LIKE_MIN: u64 = 50;

/// Path of a file, and the numbers of its lines.
type Numbered<'t> = (&'t [u8], Vec<u64>);

/// Which files of the original a line stands in.
pub(super) struct LineIndex<'t> {
    files: Vec<Numbered<'t>>,
    /// Files by line; none where there are too many.
    of_line: HashMap<u64, Vec<u32>>,
}

impl<'t> LineIndex<'t> {
    /// Reads all texts of a tree.
    pub(super) fn of(tree: &'t Tree) -> Self {
        let files: Vec<_> = tree.files.iter().collect();
        let files: Vec<Numbered> = files
            .par_iter()
            .filter_map(|(path, file)| Some((path.as_slice(), numbers_of(file)?)))
            .collect();
        let mut of_line: HashMap<u64, Vec<u32>> = HashMap::new();
        for (file, (_, numbers)) in (0..).zip(&files) {
            let mut last = None;
            for number in numbers {
                if last.replace(number) == Some(number) {
                    continue;
                }
                let files = of_line.entry(*number).or_default();
                // One more than can be says that there are too many.
                if files.len() <= FILES_OF_LINE {
                    files.push(file);
                }
            }
        }
        of_line.retain(|_, files| files.len() <= FILES_OF_LINE);
        Self { files, of_line }
    }

    /// The files that share most telling lines with one, and how many hundredths of the lines of both are equal.
    pub(super) fn nearest(
        &self,
        path: &[u8],
        numbers: &[u64],
        is_free: impl Fn(&[u8]) -> bool,
    ) -> Vec<(u64, &'t [u8])> {
        let mut votes: BTreeMap<u32, u64> = BTreeMap::new();
        for number in numbers {
            for file in self.of_line.get(number).into_iter().flatten() {
                *votes.entry(*file).or_insert(0) += 1;
            }
        }
        let mut votes: Vec<(u64, &Numbered)> = votes
            .into_iter()
            .filter_map(|(file, votes)| Some((votes, self.files.get(file as usize)?)))
            .filter(|(_, (other, _))| is_free(other) && may_be_same(path, other))
            .collect();
        votes.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.0.cmp(b.1.0)));
        votes.truncate(CANDIDATES);
        let likeness = votes
            .into_iter()
            .map(|(_, (other, of_other))| (likeness(numbers, of_other), *other));
        likeness.filter(|(like, _)| *like >= LIKE_MIN).collect()
    }
}

/// Numbers of the lines of a text that are not blank, sorted; without indentation, which changes with the layout.
pub(super) fn numbers_of(file: &TreeFile) -> Option<Vec<u64>> {
    let text = text_of(file).filter(|text| text.len() <= LIKENED_MAX_BYTES)?;
    let lines = lines_of(&text).into_iter().map(<[u8]>::trim_ascii);
    let mut numbers: Vec<u64> = lines
        .filter(|line| !line.is_empty())
        .map(|line| {
            let digest = blake3::hash(line);
            let (first, _) = digest.as_bytes().as_chunks::<8>();
            first.first().map_or(0, |bytes| u64::from_le_bytes(*bytes))
        })
        .collect();
    numbers.sort_unstable();
    (!numbers.is_empty()).then_some(numbers)
}

/// How many hundredths of the lines of two texts stand in both.
fn likeness(a: &[u64], b: &[u64]) -> u64 {
    let (mut i, mut j, mut both) = (0, 0, 0_u64);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        match x.cmp(y) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => {
                (i, j, both) = (i + 1, j + 1, both + 1);
            }
        }
    }
    200 * both / ((a.len() + b.len()) as u64).max(1)
}

/// The last part of a path.
pub(super) fn base_name(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).map_or(path, |at| &path[at + 1..])
}

fn extension(path: &[u8]) -> &[u8] {
    let name = base_name(path);
    memchr::memrchr(b'.', name).map_or(b"", |at| &name[at..])
}

fn may_be_same(a: &[u8], b: &[u8]) -> bool {
    base_name(a) == base_name(b) || extension(a) == extension(b)
}
