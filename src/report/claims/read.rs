//! Reading claims: TOML or CSV, and what the words round a figure allow.

use serde::Deserialize;

use super::{Claim, ClaimError, ClaimKind, Range};
use crate::exposure::Rules;

/// Words by which a figure is less than exact: how far below and above it a count may lie, in shares of it.
const TOLERANCES: [(&str, f64, f64); 14] = [
    ("exactly", 0.0, 0.0),
    ("about", 0.1, 0.1),
    ("around", 0.1, 0.1),
    ("roughly", 0.1, 0.1),
    ("approximately", 0.1, 0.1),
    ("some", 0.1, 0.1),
    ("nearly", 0.1, 0.0),
    ("almost", 0.1, 0.0),
    ("over", 0.0, f64::INFINITY),
    ("more than", 0.0, f64::INFINITY),
    ("at least", 0.0, f64::INFINITY),
    ("up to", 1.0, 0.0),
    ("at most", 1.0, 0.0),
    ("less than", 1.0, 0.0),
];
/// Those of them that leave the figure itself out.
const STRICT: [&str; 3] = ["over", "more than", "less than"];
/// The word of a version or class that is said to be the only one.
const ONLY: &str = "only";

/// A claim as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    pub(super) id: String,
    #[serde(default)]
    pub(super) text: String,
    pub(super) kind: String,
    pub(super) value: String,
    #[serde(default)]
    pub(super) tolerance: String,
    #[serde(default)]
    pub(super) package: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    claim: Vec<Written>,
}

pub(super) fn from_toml(text: &str, file: &str) -> Result<Vec<(usize, Written)>, ClaimError> {
    let parsed: File = toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.as_bytes().get(..start).unwrap_or_default();
        ClaimError {
            file: file.to_owned(),
            line: 1 + memchr::memchr_iter(b'\n', before).count(),
            what: error.message().to_owned(),
        }
    })?;
    Ok(parsed
        .claim
        .into_iter()
        .enumerate()
        .map(|(index, claim)| (index + 1, claim))
        .collect())
}

pub(super) fn from_csv(text: &str, file: &str) -> Result<Vec<(usize, Written)>, ClaimError> {
    const COLUMNS: [&str; 6] = ["id", "text", "kind", "value", "tolerance", "package"];
    let fail = |line, what: String| ClaimError {
        file: file.to_owned(),
        line,
        what,
    };
    let rows = csv_rows(text.strip_prefix('\u{feff}').unwrap_or(text));
    let mut rows = rows
        .into_iter()
        .filter(|(_, row)| row.iter().any(|cell| !cell.is_empty()));
    let (_, columns) = rows
        .next()
        .ok_or_else(|| fail(1, "nothing is in it".to_owned()))?;
    for column in &columns {
        if !COLUMNS.contains(&column.as_str()) {
            let nearest = nearest(column, COLUMNS.into_iter());
            let column = column.escape_debug();
            return Err(fail(
                1,
                format!("unknown column `{column}`; did you mean `{nearest}`?"),
            ));
        }
    }
    for column in ["id", "kind", "value"] {
        if !columns.iter().any(|held| held == column) {
            return Err(fail(1, format!("the column `{column}` is missing")));
        }
    }
    rows.map(|(line, row)| {
        if row.len() != columns.len() {
            return Err(fail(
                line,
                format!("{} cells for {} columns", row.len(), columns.len()),
            ));
        }
        let cell = |name: &str| {
            let at = columns.iter().position(|column| column == name);
            at.and_then(|at| row.get(at)).cloned().unwrap_or_default()
        };
        let written = Written {
            id: cell("id"),
            text: cell("text"),
            kind: cell("kind"),
            value: cell("value"),
            tolerance: cell("tolerance"),
            package: cell("package"),
        };
        Ok((line, written))
    })
    .collect()
}

/// Rows of CSV with the lines at which they begin (RFC 4180).
fn csv_rows(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut rows = Vec::new();
    let (mut row, mut cell) = (Vec::new(), String::new());
    let (mut line, mut first, mut is_quoted) = (1, 1, false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        line += usize::from(letter == '\n');
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' if is_quoted => is_quoted = false,
            '"' if cell.is_empty() => is_quoted = true,
            ',' if !is_quoted => row.push(std::mem::take(&mut cell).trim().to_owned()),
            '\n' if !is_quoted => {
                row.push(std::mem::take(&mut cell).trim().to_owned());
                rows.push((first, std::mem::take(&mut row)));
                first = line;
            }
            _ => cell.push(letter),
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell.trim().to_owned());
        rows.push((first, row));
    }
    rows
}

fn nearest<'w>(written: &str, words: impl Iterator<Item = &'w str>) -> &'w str {
    words
        .max_by_key(|word| (strsim::jaro_winkler(written, word) * 1e6) as u64)
        .unwrap_or_default()
}

/// What a claim means.
pub(super) fn understood(written: Written) -> Result<Claim, String> {
    if written.id.is_empty() {
        return Err("a claim has no id".to_owned());
    }
    let kind = ClaimKind::ALL
        .iter()
        .find(|(word, _)| *word == written.kind);
    let Some((_, kind)) = kind else {
        let nearest = nearest(&written.kind, ClaimKind::ALL.iter().map(|(word, _)| *word));
        return Err(format!(
            "unknown kind `{}`; did you mean `{nearest}`?",
            written.kind.escape_debug()
        ));
    };
    let (range, is_only) = match kind {
        ClaimKind::Version => {
            is_version(&written.value)?;
            (None, only(&written.tolerance, "version")?)
        }
        ClaimKind::Vector => {
            is_class(&written.value)?;
            (None, only(&written.tolerance, "vector")?)
        }
        kind => (
            Some(range_of(*kind, &written.value, &written.tolerance)?),
            false,
        ),
    };
    Ok(Claim {
        kind: *kind,
        written,
        range,
        is_only,
    })
}

/// Refuses what is no version: a word before it would be taken for part of it.
fn is_version(value: &str) -> Result<(), String> {
    if value.is_empty() {
        return Err("a claim of a version needs one".to_owned());
    }
    if value.contains(char::is_whitespace) {
        return Err(format!(
            "`{}` is no version; a word such as `{ONLY}` stands in `tolerance`",
            value.escape_debug()
        ));
    }
    Ok(())
}

/// Refuses what is no class of exposures.
fn is_class(value: &str) -> Result<(), String> {
    if Rules::builtin().get(value).is_some() {
        return Ok(());
    }
    let classes = Rules::builtin().iter().map(|rule| rule.id.as_str());
    let nearest = nearest(value, classes);
    let value = value.escape_debug();
    Err(format!(
        "unknown class `{value}`; did you mean `{nearest}`? `rules list` names all"
    ))
}

/// Whether a version or class is said to be the only one. Any other word is about how many there are, and they have no number.
fn only(word: &str, kind: &str) -> Result<bool, String> {
    match word.trim().to_ascii_lowercase().as_str() {
        "" => Ok(false),
        ONLY => Ok(true),
        _ => Err(format!(
            "`{}` does not go with a {kind}; leave `tolerance` out, or write `{ONLY}`",
            word.trim().escape_debug()
        )),
    }
}

/// The counts that a figure and its word allow.
fn range_of(kind: ClaimKind, value: &str, word: &str) -> Result<Range, String> {
    let (figure, half) = figure_of(kind, value).ok_or_else(|| {
        format!(
            "`{}` is no figure such as {}",
            value.escape_debug(),
            if kind == ClaimKind::Bytes {
                "1900, 1,900, 512K or 59.8 MB"
            } else {
                "1900, 1,900, 512K or 1.9 million"
            }
        )
    })?;
    let word = word.trim().to_ascii_lowercase();
    if let Some(percent) = word.strip_suffix('%') {
        let share: f64 = percent
            .trim()
            .parse()
            .map_err(|_| format!("`{word}` is no share"))?;
        if !(0.0..=100.0).contains(&share) {
            return Err(format!("`{word}` is no share from 0% to 100%"));
        }
        let off = (figure * share / 100.0).max(half);
        return Ok(Range {
            from: figure - off,
            to: figure + off,
            without: None,
        });
    }
    let word = if word.is_empty() {
        "exactly"
    } else {
        word.as_str()
    };
    let Some((_, below, above)) = TOLERANCES.iter().find(|(known, ..)| *known == word) else {
        let nearest = nearest(word, TOLERANCES.iter().map(|(known, ..)| *known));
        return Err(format!(
            "unknown word `{}`; did you mean `{nearest}`? Or a share such as 5%",
            word.escape_debug()
        ));
    };
    // What is written in thousands is as exact as that, also at the open end of a word.
    let below = if *below == 0.0 && *above > 1.0 {
        0.0
    } else {
        (figure * below).max(half)
    };
    let above = if *above == 0.0 && word != "exactly" {
        0.0
    } else {
        (figure * above).max(half)
    };
    Ok(Range {
        from: figure - below,
        to: figure + above,
        without: STRICT.contains(&word).then_some(figure),
    })
}

/// A figure as people write it, and half of its last digit where it was rounded: `1,900`, `512K`, `1.9 million`, `59.8 MB`.
///
/// A unit of something else than what the claim counts is refused, and so is a comma that parts no thousands: in half the world
/// it begins the decimals.
pub(super) fn figure_of(kind: ClaimKind, text: &str) -> Option<(f64, f64)> {
    let text = text.trim();
    let end = text.find(|letter: char| {
        !(letter.is_ascii_digit() || matches!(letter, '.' | ',' | '_' | '\''))
    });
    let (digits, unit) = text.split_at(end.unwrap_or(text.len()));
    let digits = without_separators(digits)?;
    let number: f64 = digits
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())?;
    let unit = unit_of(kind, &unit.trim().to_ascii_lowercase())?;
    let decimals = digits
        .split_once('.')
        .map_or(0, |(_, decimals)| decimals.len());
    if decimals > 0 && unit == 1.0 {
        return None;
    }
    let step = unit / 10_f64.powi(i32::try_from(decimals).ok()?);
    Some((number * unit, if step > 1.0 { step / 2.0 } else { 0.0 }))
}

/// The digits without what parts thousands; `None` where that parts something else.
fn without_separators(digits: &str) -> Option<String> {
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let mut groups = whole.split([',', '_', '\'']);
    let first = groups.next()?;
    let mut out = first.to_owned();
    for group in groups {
        if group.len() != 3 || first.is_empty() || first.len() > 3 {
            return None;
        }
        out.push_str(group);
    }
    if !decimals.bytes().all(|byte| byte.is_ascii_digit()) || out.is_empty() {
        return None;
    }
    if digits.contains('.') {
        out.push('.');
        out.push_str(decimals);
    }
    Some(out)
}

/// How many a unit stands for, where it goes with what is counted.
fn unit_of(kind: ClaimKind, unit: &str) -> Option<f64> {
    let of_any = match unit {
        "" => Some(1.0),
        "k" | "thousand" => Some(1e3),
        "m" | "million" => Some(1e6),
        "g" | "billion" => Some(1e9),
        _ => None,
    };
    of_any.or(match (kind, unit) {
        (ClaimKind::Files, "files") | (ClaimKind::Lines, "lines") => Some(1.0),
        (ClaimKind::Bytes, "b" | "bytes") => Some(1.0),
        (ClaimKind::Bytes, "kb") => Some(1e3),
        (ClaimKind::Bytes, "mb") => Some(1e6),
        (ClaimKind::Bytes, "gb") => Some(1e9),
        (ClaimKind::Bytes, "kib") => Some(1_024.0),
        (ClaimKind::Bytes, "mib") => Some(1_048_576.0),
        (ClaimKind::Bytes, "gib") => Some(1_073_741_824.0),
        _ => None,
    })
}
