//! Runs of bytes of one class, which every match of an expression without literals must hold.
//!
//! Some rules have nothing that could be looked for as a word: thirty-two digits of hexadecimal, whatever stands round them. But
//! such a token is a long run of few bytes without a blank, and programs and prose have few of those. So an expression is
//! asked for the stretch of it that tells most: so many bytes at least, all of them of one class. Where a text has such a
//! run the expression is tried, as round a literal, and nowhere else.
//!
//! The search looks at one byte in so many: where it is none of the class, no run of that length goes over it. Each byte
//! is looked at twice at most, whatever the text holds.
//!
//! Left out: classes with a blank or a line feed, since text is full of runs of those, and runs of less than
//! [`LENGTH_MIN`] bytes.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Shorter runs stand everywhere; bytes.
const LENGTH_MIN: usize = 8;

/// A run tells something from here on: its length times the bits that a byte of its class tells.
const BITS_MIN: f64 = 16.0;

/// Parts of a row that are tried from each of them on; a row of more is no token.
const ROW_MAX: usize = 64;

/// A run that every match holds.
#[derive(Debug, Clone)]
pub struct Run {
    /// Whether a byte is of the class.
    class: Box<[bool; 256]>,
    /// Bytes, at least.
    least: usize,
    /// Bytes of the match before the run, at most; `None` where there is no bound.
    pub before: Option<usize>,
    /// Bytes of the match from the beginning of the run on, at most.
    pub behind: Option<usize>,
}

/// The run of an expression that tells most; `None` where none tells anything.
pub fn run_of(hir: &Hir) -> Option<Run> {
    let mut best = None;
    look(hir, Some(0), hir.properties().maximum_len(), &mut best);
    best.map(|(_, run)| run)
}

impl Run {
    /// Calls `found` with the beginning of each place where a run begins that is long enough, and with the last byte at
    /// which one of the least length may begin in it; in order, and apart from each other.
    pub fn find(&self, text: &[u8], mut found: impl FnMut(usize, usize)) {
        let is_in = |at: usize| {
            text.get(at)
                .is_some_and(|&byte| self.class[usize::from(byte)])
        };
        // Nothing is known of what stands before `start`; from there to `known` all is of the class.
        let (mut start, mut known) = (0_usize, 0_usize);
        while let Some(probe) = start
            .checked_add(self.least - 1)
            .filter(|&at| at < text.len())
        {
            if let Some(gap) = (known..=probe).rev().find(|&at| !is_in(at)) {
                (start, known) = (gap + 1, probe + 1);
                continue;
            }
            let end = (probe + 1..text.len())
                .find(|&at| !is_in(at))
                .unwrap_or(text.len());
            found(start, end - self.least);
            (start, known) = (end + 1, end + 1);
        }
    }
}

/// The bytes that a part of an expression can match, and how many at least.
#[derive(Clone)]
struct Span {
    class: Box<[bool; 256]>,
    least: usize,
}

impl Span {
    fn of(hir: &Hir) -> Span {
        let mut class = Box::new([false; 256]);
        add_bytes(hir, &mut class);
        Span {
            class,
            least: hir.properties().minimum_len().unwrap_or(0),
        }
    }

    fn with(mut self, other: &Span) -> Span {
        for (mine, theirs) in self.class.iter_mut().zip(other.class.iter()) {
            *mine |= theirs;
        }
        self.least = self.least.saturating_add(other.least);
        self
    }

    /// What it tells, in bits; nothing where it is too short or too wide.
    fn bits(&self) -> Option<f64> {
        let has = |byte: u8| self.class[usize::from(byte)];
        if self.least < LENGTH_MIN || has(b' ') || has(b'\n') {
            return None;
        }
        let size = self.class.iter().filter(|is_in| **is_in).count();
        let bits = self.least as f64 * (256.0 / size.max(1) as f64).log2();
        (bits >= BITS_MIN).then_some(bits)
    }
}

/// Recursion is bounded: the parser of expressions refuses nesting beyond 250 levels. `before` are the bytes of the match
/// before this part, and `total` those of the match, at most.
fn look(hir: &Hir, before: Option<usize>, total: Option<usize>, best: &mut Option<(f64, Run)>) {
    let mut offer = |span: Span, before: Option<usize>| {
        let Some(bits) = span.bits() else { return };
        if best.as_ref().is_none_or(|(most, _)| bits > *most) {
            let run = Run {
                class: span.class,
                least: span.least,
                before,
                behind: total,
            };
            *best = Some((bits, run));
        }
    };
    offer(Span::of(hir), before);
    match hir.kind() {
        HirKind::Capture(capture) => look(&capture.sub, before, total, best),
        // The first of them; the others come behind.
        HirKind::Repetition(repetition) if repetition.min > 0 => {
            look(&repetition.sub, before, total, best);
        }
        HirKind::Concat(parts) => {
            let spans: Vec<Span> = parts.iter().map(Span::of).collect();
            let mut at = before;
            for (number, part) in parts.iter().enumerate() {
                let mut row: Option<Span> = None;
                for span in spans.iter().skip(number).take(ROW_MAX) {
                    row = Some(match row {
                        None => span.clone(),
                        Some(row) => row.with(span),
                    });
                    row.clone().into_iter().for_each(|row| offer(row, at));
                }
                at = at
                    .zip(part.properties().maximum_len())
                    .and_then(|(at, len)| at.checked_add(len));
            }
            let mut at = before;
            for part in parts {
                look(part, at, total, best);
                at = at
                    .zip(part.properties().maximum_len())
                    .and_then(|(at, len)| at.checked_add(len));
            }
        }
        _ => {}
    }
}

/// Adds all bytes that a part can match.
fn add_bytes(hir: &Hir, class: &mut [bool; 256]) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => literal
            .0
            .iter()
            .for_each(|&byte| class[usize::from(byte)] = true),
        HirKind::Class(Class::Bytes(bytes)) => {
            for range in bytes.iter() {
                class[usize::from(range.start())..=usize::from(range.end())].fill(true);
            }
        }
        HirKind::Class(Class::Unicode(chars)) => {
            for range in chars.iter() {
                // Of what is not ASCII any byte may be part.
                let last = u32::from(range.end());
                let ascii_end = last.min(0x7f) as usize;
                if let Some(ascii) = class.get_mut(range.start() as usize..=ascii_end) {
                    ascii.fill(true);
                }
                if last > 0x7f {
                    class[0x80..].fill(true);
                }
            }
        }
        HirKind::Repetition(repetition) => add_bytes(&repetition.sub, class),
        HirKind::Capture(capture) => add_bytes(&capture.sub, class),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().for_each(|part| add_bytes(part, class));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dialect::parsed;
    use super::*;

    fn of(pattern: &str) -> Option<Run> {
        run_of(&parsed(pattern, false).unwrap())
    }

    fn told(pattern: &str) -> Option<(usize, usize, Option<usize>, Option<usize>)> {
        let run = of(pattern)?;
        let size = run.class.iter().filter(|is_in| **is_in).count();
        Some((size, run.least, run.before, run.behind))
    }

    #[test]
    fn the_run_that_tells_most_is_taken() {
        assert_eq!(
            told(r"\b([0-9a-f]{32})\b"),
            Some((16, 32, Some(0), Some(32)))
        );
        assert_eq!(
            told(r"[a-z]{2}[0-9]{12}(?:x|yy)"),
            Some((12, 13, Some(2), Some(16)))
        );
        assert_eq!(told(r"\s+[A-Za-z0-9]{20,}"), Some((62, 20, None, None)));
        assert_eq!(
            told(r"(?:[0-9a-f]{4}-){3}[0-9a-f]{12}").map(|one| one.1),
            Some(27)
        );
        for nothing in [
            r"[a-z ]{40}",
            r"[0-9]{7}",
            r"(?:[0-9]{20})?",
            r".*",
            r"[^x]{90}",
        ] {
            assert_eq!(told(nothing), None, "{nothing}");
        }
    }

    fn found(run: &Run, text: &[u8]) -> Vec<(usize, usize)> {
        let mut all = Vec::new();
        run.find(text, |first, last| all.push((first, last)));
        all
    }

    fn plainly(run: &Run, text: &[u8]) -> Vec<(usize, usize)> {
        let mut all: Vec<(usize, usize)> = Vec::new();
        for at in 0..text.len() {
            let row = text.get(at..at + run.least);
            if !row.is_some_and(|row| row.iter().all(|&byte| run.class[usize::from(byte)])) {
                continue;
            }
            match all.last_mut().filter(|(_, last)| *last + 1 == at) {
                Some((_, last)) => *last = at,
                None => all.push((at, at)),
            }
        }
        all
    }

    proptest::proptest! {
        #[test]
        fn runs_are_found_as_a_plain_search_finds_them(text in "([0-9]{1,12}| |-|[a-f]{1,9}|x){0,30}") {
            for pattern in ["[0-9]{8}", "[0-9a-f]{8}", "[0-9a-f]{17,20}"] {
                let run = of(pattern).unwrap();
                proptest::prop_assert_eq!(found(&run, text.as_bytes()), plainly(&run, text.as_bytes()));
            }
        }
    }
}
