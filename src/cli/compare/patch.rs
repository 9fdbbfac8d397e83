//! Changed and added text as a unified diff.
//!
//! It is for people: every control and bidi character is escaped, so what a copy holds cannot move the terminal or hide
//! itself. Credentials are overwritten ([`mask`](crate::exposure::mask)); which lines differ is told from the texts as they
//! are. Line ends are left out, as they are in the comparison. Whoever wants to apply the changes takes the files.

use std::borrow::Cow;
use std::io::Write;

use super::super::CliError;
use crate::blob::locator::shown;
use crate::copies::delta::{Delta, Detail, Pair, text_of};
use crate::copies::lines::{Group, grouped, hunks};
use crate::copies::tree::{TreeFile, shown_path};
use crate::exposure::mask::MaskCache;
use crate::record::ChangeKind;
use crate::signature::lines_of;

/// Writes diffs.
pub struct Patch<'o> {
    /// Where to.
    pub out: &'o mut dyn Write,
    /// Where secrets stand in what was shown before.
    pub masks: &'o mut MaskCache,
}

impl Patch<'_> {
    /// Says before everything else what a reader has to know; programs that read diffs pass over it.
    pub fn begin(&mut self) -> Result<(), CliError> {
        Ok(writeln!(
            self.out,
            "Made to be read, not to be applied. Control characters are escaped. What the rules for secrets know is overwritten\nwith `*`, so two lines that differ in a secret only look the same; a secret that no rule knows is shown.\n"
        )?)
    }

    /// Writes what a copy has otherwise; removed files are named.
    pub fn write(&mut self, root: &str, delta: &Delta) -> Result<(), CliError> {
        for (pair, detail) in delta.pairs.iter().zip(&delta.details) {
            match pair.kind {
                ChangeKind::Changed => self.changed(root, pair, detail)?,
                ChangeKind::Added => self.added(root, pair)?,
                ChangeKind::Removed => {
                    let path = pair.original.map(|(path, _)| shown_path(path));
                    writeln!(
                        self.out,
                        "Only in the original: {}",
                        path.unwrap_or_default()
                    )?;
                }
                ChangeKind::Moved | ChangeKind::Reformatted => {}
            }
        }
        Ok(())
    }

    fn head(&mut self, root: &str, pair: &Pair) -> Result<(), CliError> {
        let original = pair.original.map_or("/dev/null".to_owned(), |(path, _)| {
            format!("original/{}", shown_path(path))
        });
        let copy = pair
            .copy
            .map(|(path, _)| shown_path(path))
            .unwrap_or_default();
        writeln!(self.out, "--- {}", shown(&original))?;
        Ok(writeln!(self.out, "+++ {}/{}", shown(root), shown(&copy))?)
    }

    fn added(&mut self, root: &str, pair: &Pair) -> Result<(), CliError> {
        self.head(root, pair)?;
        let Some((_, file)) = pair.copy else {
            return Ok(());
        };
        let Some(text) = text_of(file) else {
            return Ok(writeln!(
                self.out,
                "Not text: {}, {} bytes",
                file.content, file.len
            )?);
        };
        let text = self.masked(file, &text);
        let lines = lines_of(&text);
        writeln!(self.out, "@@ -0,0 +1,{} @@", lines.len())?;
        lines.iter().try_for_each(|line| self.line('+', line))
    }

    fn changed(&mut self, root: &str, pair: &Pair, detail: &Detail) -> Result<(), CliError> {
        let (Some((_, original)), Some((_, copy))) = (pair.original, pair.copy) else {
            return Ok(());
        };
        self.head(root, pair)?;
        let (of_original, of_copy) = (original, copy);
        let Some((original, copy)) = text_of(original).zip(text_of(copy)) else {
            let len = copy.len;
            return Ok(writeln!(
                self.out,
                "Not text, or not held: {}, {len} bytes",
                copy.content
            )?);
        };
        let (first, second) = (lines_of(&original), lines_of(&copy));
        let Some(found) = hunks(&first, &second) else {
            let (added, removed) = detail
                .lines
                .as_deref()
                .map_or((0, 0), |lines| (lines.added, lines.removed));
            return Ok(writeln!(
                self.out,
                "Too long to be shown: {added} lines are in the copy only, {removed} in the original only"
            )?);
        };
        let original = self.masked(of_original, &original);
        let copy = self.masked(of_copy, &copy);
        let (shown_first, shown_second) = (lines_of(&original), lines_of(&copy));
        for group in grouped(&found, first.len()) {
            self.group(&group, &shown_first, &shown_second)?;
        }
        Ok(())
    }

    /// The text of a file without its secrets, with the same lines.
    fn masked<'t>(&mut self, file: &TreeFile, text: &'t [u8]) -> Cow<'t, [u8]> {
        self.masks.of(file.sha256, text).over(text)
    }

    fn group(&mut self, group: &Group, first: &[&[u8]], second: &[&[u8]]) -> Result<(), CliError> {
        // A range without lines is named by the line before it.
        let named = |range: &std::ops::Range<usize>| {
            let start = range.start + usize::from(!range.is_empty());
            format!("{start},{}", range.len())
        };
        writeln!(
            self.out,
            "@@ -{} +{} @@",
            named(&group.original),
            named(&group.copy)
        )?;
        let of = |lines: &[&[u8]], range: std::ops::Range<usize>| -> Vec<Vec<u8>> {
            let lines = lines.get(range).unwrap_or_default().iter();
            lines.map(|line| line.to_vec()).collect()
        };
        let mut at = group.original.start;
        for hunk in &group.hunks {
            for line in of(first, at..hunk.original.start) {
                self.line(' ', &line)?;
            }
            for line in of(first, hunk.original.clone()) {
                self.line('-', &line)?;
            }
            for line in of(second, hunk.copy.clone()) {
                self.line('+', &line)?;
            }
            at = hunk.original.end;
        }
        for line in of(first, at..group.original.end) {
            self.line(' ', &line)?;
        }
        Ok(())
    }

    fn line(&mut self, sign: char, line: &[u8]) -> Result<(), CliError> {
        let text = String::from_utf8_lossy(line);
        // Tabs move nothing but what comes behind them.
        let parts: Vec<String> = text.split('\t').map(shown).collect();
        Ok(writeln!(self.out, "{sign}{}", parts.join("\t"))?)
    }
}
