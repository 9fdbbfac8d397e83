//! The timeline as a drawing, and the nesting of lists, for the templates.

use super::model::{Spread, SpreadRow, TreeOf, TreeRow};

/// Width of the drawing in user units; it scales.
const WIDTH: f64 = 1200.0;
/// Where bars begin: names of the sources stand before.
const LEFT: f64 = 150.0;
/// Height of a source's band.
const BAND: f64 = 92.0;
/// Height of the tallest bar.
const TALLEST: f64 = 62.0;
/// Width of a digit.
const DIGIT: f64 = 8.0;
/// Width of the longest date.
const DATE: f64 = 76.0;
/// Dates that fit below.
const DATES: usize = 12;

/// The drawing.
pub(in crate::report) struct Drawing {
    /// Height in user units.
    pub height: f64,
    /// A band for each source of dates.
    pub bands: Vec<Band>,
    /// Where dates stand.
    pub foot: f64,
    /// Dates below.
    pub dates: Vec<Label>,
}

/// One source of dates.
pub(in crate::report) struct Band {
    /// What it is called.
    pub name: &'static str,
    /// Its base line.
    pub base: f64,
    /// Each bar has room for its number.
    pub is_numbered: bool,
    /// Its bars.
    pub bars: Vec<Bar>,
}

/// Copies of a day, month or year.
pub(in crate::report) struct Bar {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
    /// Its middle.
    pub middle: f64,
    /// Where its number stands.
    pub label: f64,
    /// Copies.
    pub count: u64,
    /// The day, month or year.
    pub when: String,
}

/// A date below the drawing.
pub(in crate::report) struct Label {
    /// Its middle.
    pub x: f64,
    /// The text.
    pub text: String,
}

type Figure = fn(&SpreadRow) -> u64;

/// The bands, with what each is called.
const BANDS: [(&str, &str, Figure); 3] = [
    ("seen-at", "seen there", |row| row.seen_at),
    ("git-author", "commit dates", |row| row.git_author),
    ("file", "file times", |row| row.file),
];

/// What a source of dates is called.
pub(in crate::report) fn basis_words(basis: &str) -> &'static str {
    match basis {
        "seen-at" => "seen there, as recorded",
        "git-author" => "by the authors of commits",
        "file" => "by times of files",
        "archive-member" => "by times that packers wrote into archives",
        _ => "by another source",
    }
}

/// Lays out the bars; each band has a scale of its own number of copies, and all have one.
pub(in crate::report) fn drawing(spread: &Spread) -> Drawing {
    let counts = spread
        .rows
        .iter()
        .flat_map(|row| [row.seen_at, row.git_author, row.file]);
    let most = counts.max().unwrap_or(0).max(1) as f64;
    let step = (WIDTH - LEFT) / spread.rows.len().max(1) as f64;
    let w = (step * 0.8).min(60.0);
    let middle = |at: usize| LEFT + step * (at as f64 + 0.5);
    let shown = BANDS.iter().filter(|(basis, _, _)| {
        let mut sources = spread.sources.iter();
        sources.any(|source| source.basis == *basis)
    });
    let bands: Vec<Band> = shown
        .enumerate()
        .map(|(number, (_, name, figure))| {
            let base = BAND * (number as f64 + 1.0) - 6.0;
            let bar = |(at, row): (usize, &SpreadRow)| {
                let count = figure(row);
                let h = (count as f64 / most * TALLEST).max(2.0);
                (count > 0).then(|| Bar {
                    x: middle(at) - w / 2.0,
                    y: base - h,
                    w,
                    h,
                    middle: middle(at),
                    label: base - h - 5.0,
                    count,
                    when: row.when.clone(),
                })
            };
            let widest = spread.rows.iter().map(figure).max().unwrap_or(0);
            let digits = widest.to_string().len() as f64;
            Band {
                name,
                base,
                is_numbered: digits * DIGIT < step,
                bars: spread.rows.iter().enumerate().filter_map(bar).collect(),
            }
        })
        .collect();
    let every = spread.rows.len().div_ceil(DATES).max(1);
    let dates = spread.rows.iter().enumerate().step_by(every);
    // One that would be cut at the edge is left out; the table has it.
    let dates = dates.filter(|(at, _)| middle(*at) + DATE / 2.0 <= WIDTH + step);
    let height = BAND * bands.len() as f64 + 26.0;
    Drawing {
        height,
        foot: height - 8.0,
        dates: dates
            .map(|(at, row)| Label {
                x: middle(at).min(WIDTH - DATE / 2.0),
                text: row.when.clone(),
            })
            .collect(),
        bands,
    }
}

/// A row of a nested list, with the tags round it.
pub(in crate::report) struct Branch<'a> {
    /// The row.
    pub row: &'a TreeRow,
    /// A list begins before it.
    pub opens: bool,
    /// Nothing stands below it.
    pub is_leaf: bool,
    /// Lists that end after it.
    pub closes: usize,
}

/// The first `most` rows of a tree, nested.
pub(in crate::report) fn branches(tree: &TreeOf, most: usize) -> Vec<Branch<'_>> {
    let rows = tree.rows.get(..most).unwrap_or(&tree.rows);
    let mut before = 0;
    let nested = rows.iter().enumerate().map(|(at, row)| {
        let next = rows.get(at + 1).map_or(0, |next| next.depth);
        let opens = row.depth > before;
        before = row.depth;
        Branch {
            row,
            opens,
            is_leaf: next <= row.depth,
            closes: row.depth.saturating_sub(next),
        }
    });
    nested.collect()
}
