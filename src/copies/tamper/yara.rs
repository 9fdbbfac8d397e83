//! YARA rules of the user's own as signs: what a copy has that such a rule knows, and the original has not.
//!
//! The original is searched first, as a whole. A rule that matches anything in it says something of the original and
//! nothing of a copy, so it is no sign wherever it matches; and a content that the original has too is not searched. The rule of
//! a sign is called as the class of an exposure is, `yara:FILE/RULE`.
//!
//! Left out: what is packed in a file of a copy is searched as files of its own, and the file round it is not.

use std::collections::HashSet;

use rayon::prelude::*;

use super::{Found, digest};
use crate::copies::delta::Pair;
use crate::copies::tree::{Tree, TreeFile};
use crate::exposure::YaraRules;
use crate::exposure::yara::{finding_of, matches_in_content};
use crate::record::{Problem, YaraMatch};

/// Rules, and what of the original is known.
pub struct YaraSigns<'r> {
    rules: &'r YaraRules,
    /// Classes of rules that match something in the original.
    known: HashSet<String>,
    /// Contents of its files.
    contents: HashSet<[u8; 32]>,
}

impl<'r> YaraSigns<'r> {
    /// Searches the original. What of it was not searched is told beside.
    pub fn of(rules: &'r YaraRules, original: &Tree) -> (Self, Vec<Problem>) {
        let files: Vec<&TreeFile> = original.files.values().collect();
        let searched: Vec<Result<Vec<YaraMatch>, Problem>> =
            files.par_iter().map(|file| search(rules, file)).collect();
        let (mut known, mut problems) = (HashSet::new(), Vec::new());
        for result in searched {
            match result {
                Ok(found) => known.extend(found.iter().map(|one| finding_of(one).class)),
                Err(problem) => problems.push(problem),
            }
        }
        let contents = files.iter().filter_map(|file| digest(file)).collect();
        let signs = Self {
            rules,
            known,
            contents,
        };
        (signs, problems)
    }

    /// The signs of a copy, and what of it was not searched.
    pub fn signs(&self, pairs: &[Pair]) -> (Vec<Found>, Vec<Problem>) {
        let is_new = |file: &TreeFile| {
            let digest = digest(file);
            digest.is_some_and(|sha256| !self.contents.contains(&sha256))
        };
        let others: Vec<(&Pair, &[u8], &TreeFile)> = pairs
            .iter()
            .filter_map(|pair| {
                let (path, file) = pair.copy.filter(|(_, file)| is_new(file))?;
                Some((pair, path, file))
            })
            .collect();
        let searched: Vec<_> = others
            .par_iter()
            .map(|(_, _, file)| search(self.rules, file))
            .collect();
        let (mut signs, mut problems) = (Vec::new(), Vec::new());
        for ((pair, path, _), result) in others.into_iter().zip(searched) {
            let found = match result {
                Ok(found) => found,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            for finding in found.iter().map(finding_of) {
                if self.known.contains(&finding.class) {
                    continue;
                }
                signs.push(Found {
                    rule: finding.class.into(),
                    severity: finding.severity,
                    certainty: finding.certainty,
                    path: path.to_vec(),
                    line: None,
                    found: finding.detail,
                    original: pair.original.map(|(_, file)| format!("{} bytes", file.len)),
                });
            }
        }
        (signs, problems)
    }
}

fn search(rules: &YaraRules, file: &TreeFile) -> Result<Vec<YaraMatch>, Problem> {
    let problem = |code: &str, detail: String| Problem {
        code: code.to_owned(),
        locator: file.locator.clone(),
        hops: file.hops.clone(),
        detail,
        bytes_unread: None,
    };
    match &file.bytes {
        Some(bytes) => matches_in_content(rules, bytes)
            .map_err(|fault| problem(fault.code(), fault.to_string())),
        // Of what was not read at all it is said already.
        None if !file.was_read() => Ok(Vec::new()),
        None => Err(problem(
            "memory-limit",
            "larger than content may be held here, so no YARA rule was run over it; raise --memory"
                .to_owned(),
        )),
    }
}
