//! What the index of a container says of places in it, held against what there is.
//!
//! An index can lie: two files on the same bytes, or bytes that no file owns. The first is odd and said; the second
//! must not be lost, since what an index does not mention is where somebody hides things or forgets them. So every
//! extent that is given is noted here, and what was not claimed in the end is given too, as regions.

/// Half-open ranges of bytes.
#[derive(Debug, Default)]
pub struct Claims {
    extents: Vec<(u64, u64)>,
}

impl Claims {
    /// Notes that the bytes from `start` on, `len` of them, belong to somebody.
    pub fn note(&mut self, start: u64, len: u64) {
        if len > 0 {
            self.extents.push((start, start.saturating_add(len)));
        }
    }

    /// How many extents begin inside another without being equal to it, and the ranges within `start..end` that
    /// nobody claimed, in order.
    pub fn settle(mut self, start: u64, end: u64) -> (u64, Vec<(u64, u64)>) {
        self.extents.sort_unstable();
        // Packers store equal files once: the same extent twice is no lie.
        self.extents.dedup();
        let (mut overlaps, mut gaps, mut reached) = (0, Vec::new(), start);
        for (from, to) in self.extents {
            if from > reached {
                gaps.push((reached, from.min(end)));
            }
            overlaps += u64::from(from < reached);
            reached = reached.max(to);
        }
        if reached < end {
            gaps.push((reached, end));
        }
        gaps.retain(|(from, to)| from < to);
        (overlaps, gaps)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn settle(extents: &[(u64, u64)]) -> (u64, Vec<(u64, u64)>) {
        let mut claims = Claims::default();
        for (start, len) in extents {
            claims.note(*start, *len);
        }
        claims.settle(10, 100)
    }

    #[test]
    fn what_nobody_claims_is_found() {
        assert_eq!(settle(&[]), (0, vec![(10, 100)]));
        assert_eq!(settle(&[(10, 20), (30, 70)]), (0, vec![]));
        assert_eq!(
            settle(&[(50, 10), (20, 10)]),
            (0, vec![(10, 20), (30, 50), (60, 100)])
        );
    }

    #[test]
    fn overlaps_are_counted_and_equal_extents_are_none() {
        assert_eq!(settle(&[(10, 90), (10, 90)]), (0, vec![]));
        assert_eq!(settle(&[(10, 50), (20, 10), (50, 50)]), (2, vec![]));
        assert_eq!(settle(&[(10, u64::MAX), (200, 5)]).1, vec![]);
    }

    proptest! {
        #[test]
        fn agrees_with_marking_each_byte(extents in proptest::collection::vec((0..120_u64, 0..40_u64), 0..12)) {
            let mut marked = [false; 200];
            for (start, len) in &extents {
                marked[*start as usize..(start + len) as usize].fill(true);
            }
            let free: Vec<u64> = (10..100).filter(|at| !marked[*at as usize]).collect();
            let found: Vec<u64> = settle(&extents).1.into_iter().flat_map(|(from, to)| from..to).collect();
            prop_assert_eq!(found, free);
        }
    }
}
