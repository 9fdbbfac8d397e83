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
    let range = match kind {
        ClaimKind::Version if written.value.is_empty() => {
            return Err("a claim of a version needs one".to_owned());
        }
        ClaimKind::Version => None,
        ClaimKind::Vector => {
            let classes = Rules::builtin().iter().map(|rule| rule.id.as_str());
            if Rules::builtin().get(&written.value).is_none() {
                let nearest = nearest(&written.value, classes);
                let value = written.value.escape_debug();
                return Err(format!(
                    "unknown class `{value}`; did you mean `{nearest}`? `rules list` names all"
                ));
            }
            None
        }
        _ => Some(range_of(&written.value, &written.tolerance)?),
    };
    Ok(Claim {
        kind: *kind,
        written,
        range,
    })
}

/// The counts that a figure and its word allow.
fn range_of(value: &str, word: &str) -> Result<Range, String> {
    let (figure, half) = figure_of(value).ok_or_else(|| {
        format!(
            "`{}` is no figure such as 1900, 1,900, 512K or 59.8 MB",
            value.escape_debug()
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
pub(super) fn figure_of(text: &str) -> Option<(f64, f64)> {
    let text = text.trim();
    let end = text.find(|letter: char| {
        !(letter.is_ascii_digit() || matches!(letter, '.' | ',' | '_' | '\''))
    });
    let (digits, unit) = text.split_at(end.unwrap_or(text.len()));
    let digits: String = digits
        .chars()
        .filter(|letter| !matches!(letter, ',' | '_' | '\''))
        .collect();
    if !digits.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: f64 = digits
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())?;
    let unit: f64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" | "bytes" | "files" | "lines" => 1.0,
        "k" | "kb" | "thousand" => 1e3,
        "m" | "mb" | "million" => 1e6,
        "g" | "gb" | "billion" => 1e9,
        "kib" => 1_024.0,
        "mib" => 1_048_576.0,
        "gib" => 1_073_741_824.0,
        _ => return None,
    };
    let decimals = digits
        .split_once('.')
        .map_or(0, |(_, decimals)| decimals.len());
    let step = unit / 10_f64.powi(i32::try_from(decimals).ok()?);
    Some((number * unit, if step > 1.0 { step / 2.0 } else { 0.0 }))
}
