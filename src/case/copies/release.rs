//! Which release of a work a root has, and how much of that one: what all matches of a root with a work come to.

use std::collections::{BTreeMap, BTreeSet};

use super::held::{Held, Signed};
use super::matched::{OfWork, Span};
use super::{MODIFIED_MIN_SHARE, TELLING_MAX, TIE_SHARE};
use crate::record::{Copy, CopyDates, Grade, ReleaseBasis, ReleaseMatch};

/// How contents of a root speak for a release.
#[derive(Debug, Default, Clone)]
struct Evidence {
    /// Contents that are equal to a file of it, and those that are so in normal form.
    exact: u64,
    equal: u64,
    /// Contents that agree better with it than with any other, and the files that they agree with.
    telling: u64,
    files: BTreeSet<String>,
}

/// What a row of a root is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Made {
    /// Text of the work is there.
    pub(super) is_copy: bool,
    /// That is traces of it, and no file as a whole.
    pub(super) is_thin: bool,
}

/// Rolls the matches of one root with one work up; `None` where no first-party file of it is among them. `releases` of the
/// work were signed.
pub(super) fn copy_of(
    found: &OfWork,
    signed: &BTreeMap<&str, Signed>,
    releases: usize,
) -> Option<(Copy, Made)> {
    let counted: Vec<_> = found
        .releases
        .iter()
        .filter_map(|(release, files)| Some((release, files, signed.get(release.as_str())?)))
        .collect();
    let is_copy = counted.iter().any(|(_, files, signed)| {
        let own = files
            .iter()
            .filter(|(name, _)| signed.files.contains_key(*name));
        own.into_iter().any(|(_, best)| best.grade.makes_copy())
    });
    let evidence = evidence_of(found, signed);
    let none = Evidence::default();
    let mut held: Vec<_> = counted
        .iter()
        .map(|(release, files, signed)| {
            let evidence = evidence.get(release.as_str()).unwrap_or(&none);
            (
                *release,
                *signed,
                Held::of(signed, files, is_copy),
                evidence,
            )
        })
        .filter(|(_, _, held, _)| held.files > 0)
        .collect();
    // The nearest first; of equals the first by name.
    held.sort_by(|a, b| {
        let equal = |(_, _, _, evidence): &(_, _, _, &Evidence)| (evidence.exact, evidence.equal);
        let by_bytes = b.2.bytes.total_cmp(&a.2.bytes);
        equal(b).cmp(&equal(a)).then(by_bytes).then(a.0.cmp(b.0))
    });
    let mut ties: Vec<&String> = {
        let (_, _, best, told) = held.first()?;
        let as_near = held.iter().filter(|(_, _, held, evidence)| {
            (evidence.exact, evidence.equal) == (told.exact, told.equal)
                && held.bytes >= best.bytes * (1.0 - TIE_SHARE)
        });
        as_near.map(|(release, ..)| *release).collect()
    };
    ties.sort_unstable();
    let named = *ties.first()?;
    let (_, signed, of_named, _) = held.iter().find(|(release, ..)| *release == named)?;
    let set = signed.set;
    let basis = (releases > 1).then(|| {
        let mut rows: Vec<ReleaseMatch> = held.iter().map(release_row).collect();
        rows.sort_by(|a, b| a.release.cmp(&b.release));
        ReleaseBasis {
            ties: ties.iter().skip(1).map(|name| (*name).clone()).collect(),
            releases: rows,
        }
    });
    let total = signed.counted.files;
    let share = of_named.of_original(signed.counted);
    let is_thin = is_copy && of_named.is_thin(signed.counted);
    let class = if !is_copy {
        suspect_class(&of_named.grades)
    } else if is_thin && of_named.is_made_over(signed.counted) {
        "derived"
    } else if !of_named.is_all(signed.counted)
        || (of_named.changed > 0 && share < MODIFIED_MIN_SHARE)
    {
        "partial"
    } else if of_named.changed > 0 || of_named.files < total {
        "modified"
    } else if of_named.exact == total {
        "verbatim"
    } else {
        "reformatted"
    };
    let copy = Copy {
        work: set.work().to_owned(),
        release: set.release().to_owned(),
        files_matched: of_named.files,
        files_total: total,
        of_original: share,
        grades: of_named.grades.clone(),
        basis: of_named.weakest,
        class: class.to_owned(),
        release_basis: basis,
        standing: of_named.standing.clone(),
        dates: dates_of(of_named),
        ..Copy::default()
    };
    Some((copy, Made { is_copy, is_thin }))
}

/// The class of a root without a match that makes a copy. What a header alone says is less than a likeness of texts.
fn suspect_class(grades: &BTreeMap<String, u64>) -> &'static str {
    if grades.contains_key(Grade::Derived.as_str()) {
        "derived"
    } else {
        "hinted"
    }
}

/// From when to when what is there is dated: by commits where any of it stands in some, else by the files, else by what
/// archives say of theirs.
fn dates_of(held: &Held) -> Option<CopyDates> {
    let of = |span: &Span, basis: &str| CopyDates {
        first: span.first.clone(),
        last: span.last.clone(),
        basis: basis.to_owned(),
    };
    let commits = held.commits.as_ref().map(|span| of(span, "git-author"));
    let written = || held.written.as_ref().map(|span| of(span, "file"));
    let packed = || held.packed.as_ref().map(|span| of(span, "archive-member"));
    commits.or_else(written).or_else(packed)
}

fn release_row(
    (release, signed, held, evidence): &(&String, &Signed, Held, &Evidence),
) -> ReleaseMatch {
    ReleaseMatch {
        release: (*release).clone(),
        files_matched: held.files,
        of_original: held.of_original(signed.counted),
        equal: evidence.equal,
        telling: evidence.telling,
        telling_files: evidence.files.iter().take(TELLING_MAX).cloned().collect(),
    }
}

/// How the contents of a root speak for each release.
fn evidence_of(found: &OfWork, signed: &BTreeMap<&str, Signed>) -> BTreeMap<String, Evidence> {
    let mut evidence: BTreeMap<String, Evidence> = BTreeMap::new();
    for matches in found.targets.values() {
        let own = matches.iter().filter(|(release, grade, file)| {
            grade.makes_copy()
                && signed
                    .get(release.as_str())
                    .is_some_and(|signed| signed.files.contains_key(file))
        });
        let mut of_release: BTreeMap<&str, Grade> = BTreeMap::new();
        for (release, grade, _) in own.clone() {
            let best = of_release.entry(release).or_insert(*grade);
            *best = (*best).min(*grade);
        }
        let Some(&best) = of_release.values().min() else {
            continue;
        };
        let mut nearest = of_release.iter().filter(|(_, grade)| **grade == best);
        let alone = match (nearest.next(), nearest.next()) {
            (Some((release, _)), None) => Some(*release),
            _ => None,
        };
        for (release, grade) in &of_release {
            let of_release = evidence.entry((*release).to_owned()).or_default();
            of_release.exact += u64::from(*grade == Grade::Exact);
            of_release.equal += u64::from(*grade <= Grade::Normalized);
            of_release.telling += u64::from(alone == Some(release));
        }
        let telling = own.filter(|(release, grade, _)| alone == Some(release) && *grade == best);
        for (release, _, file) in telling {
            let of_release = evidence.entry(release.clone()).or_default();
            of_release.files.insert(file.clone());
        }
    }
    evidence
}
