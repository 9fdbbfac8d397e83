//! How much it is: files, lines and bytes of recovered sources, by language and by module.
//!
//! Three ways to count are kept apart. *Places* counts equal content at each place; *distinct* counts it once, by its
//! SHA-256; *own* is what is of the first or an unknown party. A line is a line feed, or a last line without one, and is counted of
//! contents that came whole; what has no count of lines is said. By folder and package the same sources are counted
//! in `folders`.
//!
//! A language is told by the ending of a source's name, since a map names its sources; what has none of the endings
//! below counts as `other`. How much of the bundle the mappings explain is added up over the maps that say so.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use super::bounded::{Table, Top};
use super::folders::Counts;
use super::text::{KEPT_CHARS, clip};
use crate::record::{Map, Source};

/// Largest modules that are kept.
const MODULES: usize = 40;

/// Endings of names and the language they stand for.
const LANGUAGES: [(&str, &str); 46] = [
    (".ts", "TypeScript"),
    (".tsx", "TypeScript"),
    (".mts", "TypeScript"),
    (".cts", "TypeScript"),
    (".js", "JavaScript"),
    (".jsx", "JavaScript"),
    (".mjs", "JavaScript"),
    (".cjs", "JavaScript"),
    (".vue", "Vue"),
    (".svelte", "Svelte"),
    (".css", "CSS"),
    (".scss", "CSS"),
    (".sass", "CSS"),
    (".less", "CSS"),
    (".styl", "CSS"),
    (".html", "HTML"),
    (".htm", "HTML"),
    (".json", "JSON"),
    (".json5", "JSON"),
    (".py", "Python"),
    (".go", "Go"),
    (".rs", "Rust"),
    (".java", "Java"),
    (".kt", "Kotlin"),
    (".scala", "Scala"),
    (".rb", "Ruby"),
    (".php", "PHP"),
    (".cs", "C#"),
    (".c", "C"),
    (".h", "C"),
    (".cc", "C++"),
    (".cpp", "C++"),
    (".hpp", "C++"),
    (".m", "Objective-C"),
    (".swift", "Swift"),
    (".dart", "Dart"),
    (".coffee", "CoffeeScript"),
    (".elm", "Elm"),
    (".sql", "SQL"),
    (".graphql", "GraphQL"),
    (".sh", "Shell"),
    (".md", "Markdown"),
    (".mdx", "Markdown"),
    (".yaml", "YAML"),
    (".yml", "YAML"),
    (".wasm", "WebAssembly"),
];

/// The language of what has none of the endings.
const OTHER: &str = "other";

/// The ending of a name that tells its language.
pub(super) fn language_ending(name: &str) -> Option<&'static str> {
    let bare = name.split(['?', '#']).next().unwrap_or_default();
    let dot = bare.rfind('.')?;
    let ending = bare.get(dot..)?;
    let known = LANGUAGES.iter().find(|(known, _)| *known == ending);
    known.map(|(known, _)| *known)
}

/// The language of a source, by the ending of its name.
fn language(source: &Source) -> &'static str {
    let name = source.url.as_deref().or(source.name.as_deref());
    let ending = name.and_then(language_ending);
    let row = LANGUAGES.iter().find(|(known, _)| Some(*known) == ending);
    row.map_or(OTHER, |(_, language)| language)
}

/// How much it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Size {
    /// Recovered sources by language, most own bytes first.
    pub languages: Vec<LanguageRow>,
    /// All of them.
    pub all: Amount,
    /// Share of bytes at places that are of the first party, 0 to 1; null where nothing was recovered.
    pub first_share: Option<f64>,
    /// The same of the first or an unknown party.
    pub own_share: Option<f64>,
    /// Share of the sources that maps name whose content is there, 0 to 1; null where none is named.
    pub content_share: Option<f64>,
    /// How much of the scripts their maps explain.
    pub bundle: Bundle,
    /// The largest own sources, by bytes, each content once.
    pub modules: Table<ModuleRow>,
}

/// How much of the scripts their maps explain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Bundle {
    /// Maps.
    pub maps: u64,
    /// Those of which it is known.
    pub known: u64,
    /// Characters of the scripts of those that mappings say to come from a source.
    pub characters: u64,
    /// All characters of those scripts.
    pub of: u64,
    /// The share, 0 to 1; null where none is known.
    pub share: Option<f64>,
}

/// Recovered sources of a language.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LanguageRow {
    /// Its name.
    pub language: String,
    /// How much.
    #[serde(flatten)]
    pub amount: Amount,
}

/// An amount of recovered sources.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Amount {
    /// Files, each place counted.
    pub files: u64,
    /// Their lines, where known.
    pub lines: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files whose lines are not known.
    pub without_lines: u64,
    /// Distinct contents.
    pub distinct: u64,
    /// Their lines.
    pub distinct_lines: u64,
    /// Their bytes.
    pub distinct_bytes: u64,
    /// Files of the first or an unknown party, each place counted.
    pub own: u64,
    /// Their lines.
    pub own_lines: u64,
    /// Their bytes.
    pub own_bytes: u64,
}

impl Amount {
    fn add(&mut self, counts: &Counts, lines: Option<u64>, is_first_sight: bool) {
        let more = lines.unwrap_or(0);
        add(&mut self.files, counts.recovered);
        add(&mut self.lines, more);
        add(&mut self.bytes, counts.bytes);
        add(&mut self.without_lines, u64::from(lines.is_none()));
        if is_first_sight {
            add(&mut self.distinct, 1);
            add(&mut self.distinct_lines, more);
            add(&mut self.distinct_bytes, counts.bytes);
        }
        if counts.own() > 0 {
            add(&mut self.own, 1);
            add(&mut self.own_lines, more);
            add(&mut self.own_bytes, counts.own_bytes());
        }
    }
}

fn add(sum: &mut u64, part: u64) {
    *sum = sum.saturating_add(part);
}

/// One large source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModuleRow {
    /// Its locator.
    pub locator: String,
    /// Bytes.
    pub bytes: u64,
    /// Lines, where known.
    pub lines: Option<u64>,
    /// Language, by the ending of its name.
    pub language: String,
}

/// Counts sources while they stream by.
pub(super) struct Measure {
    languages: BTreeMap<&'static str, Amount>,
    all: Amount,
    bundle: Bundle,
    modules: Top<(Reverse<u64>, String), ModuleRow>,
}

impl Measure {
    pub(super) fn new() -> Self {
        Self {
            languages: BTreeMap::new(),
            all: Amount::default(),
            bundle: Bundle::default(),
            modules: Top::new(MODULES),
        }
    }

    /// Counts a recovered source. `is_first_sight` says that no source before had its content.
    pub(super) fn add(&mut self, source: &Source, counts: &Counts, is_first_sight: bool) {
        let language = language(source);
        let amount = self.languages.entry(language).or_default();
        amount.add(counts, source.lines, is_first_sight);
        self.all.add(counts, source.lines, is_first_sight);
        if counts.own() == 0 || !is_first_sight {
            return;
        }
        let row = ModuleRow {
            locator: clip(&source.locator, KEPT_CHARS),
            bytes: counts.bytes,
            lines: source.lines,
            language: language.to_owned(),
        };
        self.modules
            .push((Reverse(row.bytes), row.locator.clone()), row);
    }

    /// Counts a map.
    pub(super) fn add_map(&mut self, map: &Map) {
        add(&mut self.bundle.maps, 1);
        if let Some(explained) = &map.explained {
            add(&mut self.bundle.known, 1);
            add(&mut self.bundle.characters, explained.characters);
            add(&mut self.bundle.of, explained.of);
        }
    }

    pub(super) fn finish(self, places: &Counts) -> Size {
        let mut languages: Vec<LanguageRow> = self
            .languages
            .into_iter()
            .map(|(language, amount)| LanguageRow {
                language: language.to_owned(),
                amount,
            })
            .collect();
        languages.sort_by_key(|row| Reverse((row.amount.own_bytes, row.amount.bytes)));
        Size {
            languages,
            all: self.all,
            first_share: share(places.first_bytes, places.bytes),
            own_share: share(places.own_bytes(), places.bytes),
            content_share: share(places.recovered, places.named),
            bundle: Bundle {
                share: share(self.bundle.characters, self.bundle.of),
                ..self.bundle
            },
            modules: self.modules.finish(),
        }
    }
}

fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
