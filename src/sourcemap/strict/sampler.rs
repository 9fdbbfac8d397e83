//! A few of the places that mappings point to, so that they can be held against the contents.
//!
//! A large map has millions. Every n-th is taken, and n doubles whenever there are too many: the places are then
//! spread evenly over all of them, and are the same each time.

use super::super::spread::Spread;
use super::mappings::Mapped;

/// Places that are taken of one document.
pub const SAMPLES_MAX: usize = 256;

/// A place in a source that mappings point to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Which mappings: the offset of their text in the document.
    pub mappings_at: usize,
    /// Index into the sources of that map or section.
    pub source: u32,
    /// The line, from 0.
    pub line: u32,
    /// The column, from 0, in UTF-16 code units.
    pub column: u32,
    /// Index into the names of that map or section.
    pub name: Option<u32>,
}

/// Takes places.
#[derive(Default)]
pub(super) struct Sampler {
    kept: Vec<Sample>,
    seen: u64,
    /// One less than every how many are taken: a power of two less one.
    mask: u64,
    /// How much of the generated code comes from a source, where one text of mappings says so.
    spread: Option<Spread>,
}

impl Sampler {
    /// Is shown one place.
    #[inline(always)]
    pub fn take(&mut self, mappings_at: usize, mapped: Mapped) {
        let turn = self.seen;
        self.seen += 1;
        if turn & self.mask == 0 {
            self.keep(mappings_at, mapped);
        }
    }

    #[cold]
    fn keep(&mut self, mappings_at: usize, mapped: Mapped) {
        if self.kept.len() == 2 * SAMPLES_MAX {
            self.halve();
        }
        let number = |value: i64| u32::try_from(value).ok();
        let sample = (|| {
            Some(Sample {
                mappings_at,
                source: number(mapped.source)?,
                line: number(mapped.line)?,
                column: number(mapped.column)?,
                name: mapped.name.and_then(number),
            })
        })();
        self.kept.extend(sample);
    }

    fn halve(&mut self) {
        let mut index = 0;
        self.kept.retain(|_| {
            index += 1;
            index % 2 == 1
        });
        self.mask = self.mask * 2 + 1;
    }

    /// Is told what one text of mappings says of the generated code. Those of sections are not put together.
    pub fn spread(&mut self, spread: Spread) {
        self.spread = match self.spread {
            None => Some(spread),
            Some(_) => Some(Spread::void()),
        };
    }

    /// What the mappings say of the generated code.
    pub fn take_spread(&mut self) -> Spread {
        self.spread.take().unwrap_or_else(Spread::void)
    }

    /// The places that were taken.
    pub fn finish(mut self) -> Vec<Sample> {
        if self.kept.len() > SAMPLES_MAX {
            self.halve();
        }
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_spread_evenly_over_all() {
        for total in [0, 1, 256, 257, 5000, 100_000] {
            let mut sampler = Sampler::default();
            for line in 0..total {
                let mapped = Mapped {
                    source: 0,
                    line,
                    column: 0,
                    name: None,
                };
                sampler.take(7, mapped);
            }
            let samples = sampler.finish();
            assert!(samples.len() <= SAMPLES_MAX);
            assert!(total == 0 || samples.len() as i64 >= (SAMPLES_MAX as i64 / 2).min(total));
            let lines: Vec<u32> = samples.iter().map(|sample| sample.line).collect();
            let step = lines.get(1).map_or(1, |second| second - lines[0]);
            assert!(
                lines.windows(2).all(|pair| pair[1] - pair[0] == step),
                "{total}"
            );
        }
    }
}
