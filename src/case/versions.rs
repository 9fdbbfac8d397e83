//! The order of a package's versions.
//!
//! Semantic Versioning 2.0.0, section 11, where all versions of a package can be read so, and a little of what is not
//! quite so: a leading `v`, missing parts (`1.2`), zeros in front (`2024.01.05`). Where one of them cannot be read at all
//! the package is put in natural order as a whole, runs of digits as numbers and all else by bytes: two orders in one
//! list would contradict each other.
//!
//! Left out: when a version was published. `1.0.9` may be younger than `2.0.0`; dates are told beside the order and do
//! not change it.

use std::cmp::Ordering;

use semver::Version;

/// Sorts versions, oldest first. Equal ones by the order of the rules stand by their text.
pub(super) fn sort(versions: &mut [String]) {
    let keys: Option<Vec<Version>> = versions.iter().map(|version| parsed(version)).collect();
    match keys {
        Some(keys) => {
            let mut keyed: Vec<(Version, String)> = keys
                .into_iter()
                .zip(versions.iter_mut().map(std::mem::take))
                .collect();
            keyed.sort();
            for (slot, (_, version)) in versions.iter_mut().zip(keyed) {
                *slot = version;
            }
        }
        None => versions.sort_by(|one, other| natural(one, other)),
    }
}

/// Reads a version as people write them.
fn parsed(text: &str) -> Option<Version> {
    let text = text.trim();
    let text = text.strip_prefix(['v', 'V', '=']).unwrap_or(text);
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (core, rest) = text.split_at(end);
    let mut parts: Vec<&str> = core.split('.').map(without_zeros).collect();
    if parts.len() > 3 {
        return None;
    }
    parts.resize(3, "0");
    Version::parse(&format!("{}{rest}", parts.join("."))).ok()
}

fn without_zeros(part: &str) -> &str {
    let rest = part.trim_start_matches('0');
    match (part.is_empty(), rest.is_empty()) {
        (false, true) => "0",
        _ => rest,
    }
}

/// Runs of digits as numbers of any length, the rest by bytes; the texts themselves at last.
fn natural(one: &str, other: &str) -> Ordering {
    let (mut left, mut right) = (one.as_bytes(), other.as_bytes());
    while let (Some(a), Some(b)) = (left.first(), right.first()) {
        let order = if a.is_ascii_digit() && b.is_ascii_digit() {
            let (x, y) = (take_digits(&mut left), take_digits(&mut right));
            x.len().cmp(&y.len()).then_with(|| x.cmp(y))
        } else {
            let order = a.cmp(b);
            (left, right) = (&left[1..], &right[1..]);
            order
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    left.len().cmp(&right.len()).then_with(|| one.cmp(other))
}

/// The digits at the beginning, without zeros in front.
fn take_digits<'t>(text: &mut &'t [u8]) -> &'t [u8] {
    let end = text.iter().position(|byte| !byte.is_ascii_digit());
    let (digits, rest) = text.split_at(end.unwrap_or(text.len()));
    *text = rest;
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    &digits[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(versions: &[&str]) -> Vec<String> {
        let mut all: Vec<String> = versions.iter().map(|&version| version.to_owned()).collect();
        sort(&mut all);
        all
    }

    #[test]
    fn the_order_is_that_of_the_standard() {
        // Semantic Versioning 2.0.0, section 11, its own example.
        let expected = [
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.10.0",
        ];
        let mut shuffled = expected;
        shuffled.reverse();
        shuffled.swap(1, 5);
        assert_eq!(sorted(&shuffled), expected);
    }

    #[test]
    fn versions_that_are_not_quite_so_are_read_leniently() {
        assert_eq!(
            sorted(&["v1.10", "1.9.0", "2024.01.05", "1", "2024.1.4"]),
            ["1", "1.9.0", "v1.10", "2024.1.4", "2024.01.05"]
        );
    }

    #[test]
    fn what_is_no_version_puts_all_in_natural_order() {
        assert_eq!(
            sorted(&["1.2.3.10", "1.2.3.9", "1.2.3.9b", "nightly"]),
            ["1.2.3.9", "1.2.3.9b", "1.2.3.10", "nightly"]
        );
        let huge = "9".repeat(40);
        assert_eq!(sorted(&[&huge, "10"]), ["10", huge.as_str()]);
    }

    proptest::proptest! {
        #[test]
        fn the_order_does_not_depend_on_where_it_starts(
            mut versions in proptest::collection::vec("v?[0-9a.+-]{0,8}", 0..8), turn in 0_usize..8,
        ) {
            let mut turned = versions.clone();
            if !turned.is_empty() {
                let at = turn % turned.len();
                turned.rotate_left(at);
            }
            sort(&mut versions);
            sort(&mut turned);
            proptest::prop_assert_eq!(versions, turned);
        }

        #[test]
        fn natural_order_is_an_order(a in "[0-9ab.]{0,6}", b in "[0-9ab.]{0,6}", c in "[0-9ab.]{0,6}") {
            proptest::prop_assert_eq!(natural(&a, &b), natural(&b, &a).reverse());
            if natural(&a, &b).is_le() && natural(&b, &c).is_le() {
                proptest::prop_assert!(natural(&a, &c).is_le());
            }
        }
    }
}
