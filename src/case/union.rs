//! Lines of a file that are there, whichever content they stand in.
//!
//! A file that was cut in two is found twice, in part. Each match says which lines of the original it covers; what of the
//! file is in a copy is what all of them cover together. Ranges are kept joined, so that a union takes no more than
//! the file has lines, however many contents hold parts of it.

use std::collections::BTreeMap;

/// A set of lines.
#[derive(Debug, Default)]
pub struct Lines {
    /// First and last line of each range, none beside or within another.
    ranges: BTreeMap<u64, u64>,
}

impl Lines {
    /// Adds lines from the first to the last, both included.
    pub fn add(&mut self, [first, last]: [u64; 2]) {
        let (mut first, mut last) = (first, last.max(first));
        // Those that begin before its end or right behind, from the last on, up to one that ends before it begins.
        while let Some((&from, &to)) = self.ranges.range(..=last.saturating_add(1)).next_back() {
            if to.saturating_add(1) < first {
                break;
            }
            self.ranges.remove(&from);
            (first, last) = (first.min(from), last.max(to));
        }
        self.ranges.insert(first, last);
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        let lengths = self
            .ranges
            .iter()
            .map(|(first, last)| (last - first).saturating_add(1));
        lengths.fold(0, u64::saturating_add)
    }

    /// The lines of these ranges.
    pub fn of(ranges: impl IntoIterator<Item = [u64; 2]>) -> Self {
        let mut lines = Self::default();
        ranges.into_iter().for_each(|range| lines.add(range));
        lines
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_that_touch_are_one() {
        let lines = Lines::of([[5, 9], [1, 2], [10, 12], [3, 3]]);
        assert_eq!(lines.ranges, BTreeMap::from([(1, 3), (5, 12)]));
        assert_eq!(Lines::of([[0, u64::MAX], [7, 3]]).count(), u64::MAX);
    }

    proptest! {
        #[test]
        fn as_many_as_a_set_of_them(ranges in prop::collection::vec((0_u64..60, 0_u64..9), 0..30)) {
            let all: BTreeSet<u64> = ranges.iter().flat_map(|&(first, more)| first..=first + more).collect();
            let lines = Lines::of(ranges.iter().map(|&(first, more)| [first, first + more]));
            prop_assert_eq!(lines.count(), all.len() as u64);
        }
    }
}
