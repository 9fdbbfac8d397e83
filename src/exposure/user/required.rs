//! What every match of an expression must hold, and how far from it the match can reach.
//!
//! A search with hundreds of expressions is quick only when each of them is tried where it can match at all. The keywords of a
//! rule file say where its author thought so; they may stand outside of the match, or be missing. What an expression itself
//! demands is certain: every match of it holds one of these literals, and lies within so many bytes before and behind it.
//! Where the literals of an expression are too short to tell anything, there are none, and it is tried on the whole text.
//!
//! Literals are given in lower case, and looked for without regard to it: more places, and never fewer.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Most literals of one expression.
const LITERALS_MAX: usize = 96;

/// Longer ones tell no more; bytes.
const LENGTH_MAX: usize = 24;

/// Shorter ones stand everywhere; bytes.
const LENGTH_MIN: usize = 3;

/// Members of a class that is spelled out.
const CLASS_MAX: usize = 4;

/// Literals of which every match holds one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Required {
    /// In lower case, sorted, each once.
    pub literals: Vec<Vec<u8>>,
    /// Bytes of the match before the literal, at most; `None` where there is no bound.
    pub before: Option<usize>,
    /// Bytes of the match from the beginning of the literal on, at most.
    pub behind: Option<usize>,
}

/// What is known of a part of an expression.
struct Part {
    /// All that it can match, in lower case, where that is little.
    exact: Option<Vec<Vec<u8>>>,
    /// What each match of it holds.
    required: Option<Required>,
}

/// What every match of the expression holds; `None` where that tells nothing.
pub fn required(hir: &Hir) -> Option<Required> {
    let part = part_of(hir);
    let whole = part.exact.and_then(|exact| as_required(exact, 0));
    let best = better(part.required, whole)?;
    (shortest(&best) >= LENGTH_MIN).then_some(best)
}

/// Whether an expression holds an unbounded repetition of nearly anything, line feeds included.
pub fn runs_over_lines(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Repetition(repetition) => {
            (repetition.max.is_none() && is_nearly_anything(&repetition.sub))
                || runs_over_lines(&repetition.sub)
        }
        HirKind::Capture(capture) => runs_over_lines(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(runs_over_lines),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}

fn is_nearly_anything(hir: &Hir) -> bool {
    let HirKind::Class(class) = hir.kind() else {
        return matches!(hir.kind(), HirKind::Capture(capture) if is_nearly_anything(&capture.sub))
            || matches!(hir.kind(), HirKind::Alternation(parts) if parts.iter().any(is_nearly_anything));
    };
    match class {
        Class::Bytes(class) => {
            let has = |byte: u8| {
                class
                    .iter()
                    .any(|range| (range.start()..=range.end()).contains(&byte))
            };
            has(b'\n') && has(b'a') && has(b' ')
        }
        Class::Unicode(class) => {
            let has = |c: char| {
                class
                    .iter()
                    .any(|range| (range.start()..=range.end()).contains(&c))
            };
            has('\n') && has('a') && has(' ')
        }
    }
}

/// Recursion is bounded: the parser of expressions refuses nesting beyond 250 levels.
fn part_of(hir: &Hir) -> Part {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => exact(vec![Vec::new()]),
        HirKind::Literal(literal) => exact(vec![literal.0.to_ascii_lowercase()]),
        HirKind::Class(class) => match members(class) {
            Some(members) => exact(members),
            None => nothing(),
        },
        HirKind::Capture(capture) => part_of(&capture.sub),
        HirKind::Repetition(repetition) => {
            if repetition.min == 0 {
                return nothing();
            }
            let part = part_of(&repetition.sub);
            if repetition.min == 1 && repetition.max == Some(1) {
                return part;
            }
            // The first of the repeated ones, or as many as there must be: behind come all others.
            let spelled = part.exact.map(|all| repeated(all, repetition.min));
            let required = better(part.required, spelled.and_then(|all| as_required(all, 0)));
            let rest = hir.properties().maximum_len();
            Part {
                exact: None,
                required: required.map(|required| Required {
                    behind: rest,
                    ..required
                }),
            }
        }
        HirKind::Concat(parts) => concat(parts),
        HirKind::Alternation(branches) => alternation(branches),
    }
}

fn exact(all: Vec<Vec<u8>>) -> Part {
    Part {
        exact: Some(all),
        required: None,
    }
}

fn nothing() -> Part {
    Part {
        exact: None,
        required: None,
    }
}

/// The members of a small class, in lower case.
fn members(class: &Class) -> Option<Vec<Vec<u8>>> {
    let mut members: Vec<Vec<u8>> = Vec::new();
    match class {
        Class::Bytes(class) => {
            for range in class.iter() {
                if range.len() > 2 * CLASS_MAX {
                    return None;
                }
                members.extend(
                    (range.start()..=range.end()).map(|byte| vec![byte.to_ascii_lowercase()]),
                );
            }
        }
        Class::Unicode(class) => {
            for range in class.iter() {
                if range.len() > 2 * CLASS_MAX {
                    return None;
                }
                for c in range.start()..=range.end() {
                    members.push(c.to_ascii_lowercase().to_string().into_bytes());
                }
            }
        }
    }
    members.sort_unstable();
    members.dedup();
    (members.len() <= CLASS_MAX && !members.is_empty()).then_some(members)
}

fn alternation(branches: &[Hir]) -> Part {
    let parts: Vec<Part> = branches.iter().map(part_of).collect();
    let all_exact: Option<Vec<Vec<u8>>> = parts
        .iter()
        .map(|part| part.exact.clone())
        .collect::<Option<Vec<_>>>()
        .map(|all| distinct(all.concat()))
        .filter(|all| all.len() <= LITERALS_MAX);
    if all_exact.is_some() {
        return Part {
            exact: all_exact,
            required: None,
        };
    }
    // Each branch must hold something, and the match is as long as the longest of them allows.
    let mut union: Option<Required> = None;
    for part in parts {
        let whole = part.exact.and_then(|exact| as_required(exact, 0));
        let Some(one) = better(part.required, whole) else {
            return nothing();
        };
        union = Some(match union {
            None => one,
            Some(other) => Required {
                literals: distinct([other.literals, one.literals].concat()),
                before: most(other.before, one.before),
                behind: most(other.behind, one.behind),
            },
        });
    }
    Part {
        exact: None,
        required: union.filter(|union| union.literals.len() <= LITERALS_MAX),
    }
}

fn concat(parts: &[Hir]) -> Part {
    let length = |hir: &Hir| hir.properties().maximum_len();
    let total: Option<usize> = sum(parts.iter().map(length));
    let (mut best, mut run, mut run_before) = (None, vec![Vec::new()], Some(0));
    let mut before: Option<usize> = Some(0);
    let mut is_exact = true;
    for hir in parts {
        let part = part_of(hir);
        let joined = part.exact.as_ref().and_then(|exact| product(&run, exact));
        match joined {
            Some(joined) => run = joined,
            None => {
                is_exact = false;
                best = better(best, run_of(std::mem::take(&mut run), run_before, total));
                let inner = part.required.map(|one| Required {
                    before: add(one.before, before),
                    // What is behind the part is not longer than all that is behind its beginning.
                    behind: total,
                    ..one
                });
                best = better(best, inner);
                let own = part.exact.and_then(|exact| as_required(exact, 0));
                let own = own.map(|one| Required {
                    before,
                    behind: total,
                    ..one
                });
                best = better(best, own);
                run = vec![Vec::new()];
                run_before = add(before, length(hir));
            }
        }
        before = add(before, length(hir));
    }
    if is_exact {
        return exact(run);
    }
    Part {
        exact: None,
        required: better(best, run_of(run, run_before, total)),
    }
}

/// A run of what is spelled out as something required.
fn run_of(run: Vec<Vec<u8>>, before: Option<usize>, total: Option<usize>) -> Option<Required> {
    as_required(run, 0).map(|required| Required {
        before,
        behind: total,
        ..required
    })
}

/// What so many in a row can match, as far as that is little and short.
fn repeated(all: Vec<Vec<u8>>, least: u32) -> Vec<Vec<u8>> {
    let mut row = all.clone();
    for _ in 1..least {
        let is_long = row.iter().any(|one| one.len() >= LENGTH_MAX);
        match product(&row, &all).filter(|_| !is_long) {
            Some(longer) => row = longer,
            None => break,
        }
    }
    row
}

fn as_required(all: Vec<Vec<u8>>, before: usize) -> Option<Required> {
    let longest = all.iter().map(Vec::len).max().unwrap_or(0);
    let cut = |literal: Vec<u8>| match literal.get(..LENGTH_MAX) {
        Some(beginning) => beginning.to_vec(),
        None => literal,
    };
    let literals = distinct(all.into_iter().map(cut).collect());
    let is_some = !literals.is_empty() && literals.iter().all(|literal| !literal.is_empty());
    is_some.then_some(Required {
        literals,
        before: Some(before),
        behind: Some(longest),
    })
}

/// All that one can match behind what the other can.
fn product(left: &[Vec<u8>], right: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    if left.len().saturating_mul(right.len()) > LITERALS_MAX {
        return None;
    }
    let all = left
        .iter()
        .flat_map(|a| right.iter().map(move |b| [a.as_slice(), b].concat()));
    Some(distinct(all.collect()))
}

/// The one that tells more: the longer, and of equally long ones the fewer.
fn better(a: Option<Required>, b: Option<Required>) -> Option<Required> {
    let (Some(a), Some(b)) = (a.as_ref(), b.as_ref()) else {
        return a.or(b);
    };
    let rank = |one: &Required| {
        let is_bounded = one.before.is_some();
        (
            shortest(one).min(6),
            is_bounded,
            usize::MAX - one.literals.len(),
            shortest(one),
        )
    };
    Some(if rank(b) > rank(a) {
        b.clone()
    } else {
        a.clone()
    })
}

fn shortest(one: &Required) -> usize {
    one.literals.iter().map(Vec::len).min().unwrap_or(0)
}

fn distinct(mut all: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    all.sort_unstable();
    all.dedup();
    all
}

fn add(a: Option<usize>, b: Option<usize>) -> Option<usize> {
    a?.checked_add(b?)
}

fn sum(mut all: impl Iterator<Item = Option<usize>>) -> Option<usize> {
    all.try_fold(0_usize, |sum, one| sum.checked_add(one?))
}

fn most(a: Option<usize>, b: Option<usize>) -> Option<usize> {
    Some(a?.max(b?))
}

#[cfg(test)]
mod tests {
    use super::super::dialect::parsed;
    use super::*;

    fn of(pattern: &str) -> Option<Required> {
        required(&parsed(pattern, false).unwrap())
    }

    fn literals(pattern: &str) -> Vec<String> {
        let literals = of(pattern).map_or(Vec::new(), |one| one.literals);
        let text = literals
            .iter()
            .map(|one| String::from_utf8_lossy(one).into_owned());
        text.collect()
    }

    #[test]
    fn what_a_match_must_hold_is_found() {
        assert_eq!(literals(r"\b(ghp_[A-Za-z0-9]{36})\b"), ["ghp_"]);
        assert_eq!(
            literals(r"(?i)[\w.-]{0,50}?(?:adafruit)[ \t]{0,20}"),
            ["adafruit"]
        );
        assert_eq!(literals(r"(?:AKIA|ASIA)[A-Z2-7]{16}"), ["akia", "asia"]);
        assert_eq!(literals(r"xox[bp]-\d+"), ["xoxb-", "xoxp-"]);
        assert_eq!(literals(r"(?i)a\.?b[0-9]{3}"), Vec::<String>::new());
        assert_eq!(literals(r"[0-9a-f]{32}"), Vec::<String>::new());
        assert_eq!(literals(r"(?:foo|[0-9]+)bar"), ["bar"]);
        assert_eq!(literals(r"(?:foo)*x"), Vec::<String>::new());
        assert_eq!(literals(r"[a-z]A{5,}[a-z]"), ["aaaaa"]);
    }

    #[test]
    fn how_far_a_match_reaches_is_known() {
        let one = of(r"[a-z]{0,9}=(?:secret|token)[0-9]{4}").unwrap();
        assert_eq!((one.before, one.behind), (Some(9), Some(20)));
        let one = of(r".*token[0-9]+").unwrap();
        assert_eq!((one.before, one.behind), (None, None));
    }

    #[test]
    fn what_runs_over_lines_is_told() {
        let runs = |pattern: &str| runs_over_lines(&regex_syntax::parse(pattern).unwrap());
        assert!(runs(r"-----BEGIN[\s\S]+?END"));
        assert!(runs(r"(?s)a.*b"));
        assert!(
            !runs(r"a.*b") && !runs(r"a[\s\S]{0,9}b") && !runs(r"a\s*b") && !runs(r"[a-z]{11,}")
        );
    }
}
