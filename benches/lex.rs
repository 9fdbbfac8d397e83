//! How fast the lexers are: `cargo bench --bench lex -- [FAMILY] FILE...`, with files that are texts, or packages
//! (`.tgz`, `.tar.gz`, `.crate`) whose texts of the family are all read. Without files, scripts of some packages in `fixtures/packages`.
//!
//! Each text is lexed into a sink that counts, best of some rounds, on one thread. What is measured is the time that the
//! thread ran (see `clock`, counted by the tick), so that each round reads
//! enough bytes to take many ticks.

use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::io::Read as _;

use flate2::read::GzDecoder;
use strandline::lex::{Family, Sink, Token, lex};

mod clock;

use clock::ran;

type Outcome<T> = Result<T, Box<dyn Error>>;

const ROUNDS: u32 = 5;
/// Bytes of a round, so that it takes many ticks.
const ROUND_BYTES: usize = 64 << 20;
/// Read where nothing is named: pretty, bundled and minified.
const BY_DEFAULT: [(&str, &str); 8] = [
    ("typescript-5.9.3.tgz", "lib/typescript.js"),
    ("three-0.187.0.tgz", "build/three.module.js"),
    ("sanity-5.31.2.tgz", ".js"),
    ("antd-6.6.8.tgz", ".js"),
    (
        "ag-grid-enterprise-36.2.0.tgz",
        "dist/ag-grid-enterprise.min.js",
    ),
    ("monaco-editor-0.52.2.tgz", "editor/editor.main.js"),
    ("echarts-6.1.0.tgz", "dist/echarts.min.js"),
    ("plotly.js-3.7.0.tgz", "dist/plotly.min.js"),
];

/// The families, with the endings of their files.
const FAMILIES: [(&str, Family, &[&str]); 10] = [
    (
        "script",
        Family::Script,
        &[".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".jsx", ".tsx"],
    ),
    ("python", Family::Python, &[".py", ".pyi"]),
    ("rust", Family::Rust, &[".rs"]),
    (
        "clike",
        Family::Clike,
        &[
            ".c", ".h", ".cc", ".cpp", ".hpp", ".m", ".mm", ".java", ".go", ".cs", ".kt", ".swift",
            ".php",
        ],
    ),
    (
        "generic",
        Family::Generic,
        &[".json", ".md", ".svg", ".yml", ".toml"],
    ),
    ("ruby", Family::Ruby, &[".rb", ".rake", ".gemspec"]),
    ("shell", Family::Shell, &[".sh", ".bash", ".zsh"]),
    ("css", Family::Css, &[".css", ".scss", ".less"]),
    ("html", Family::Html, &[".html", ".htm", ".vue", ".svelte"]),
    ("sql", Family::Sql, &[".sql"]),
];

struct Count(u64);

impl Sink for Count {
    fn token(&mut self, _: Token) {
        self.0 += 1;
    }
}

/// Texts of a file, or of the members of a package that end so.
fn texts(path: &str, endings: &[&str]) -> Outcome<Vec<Vec<u8>>> {
    let packed = [".tgz", ".tar.gz", ".crate"];
    if !packed.iter().any(|ending| path.ends_with(ending)) {
        return Ok(vec![std::fs::read(path)?]);
    }
    let mut archive = tar::Archive::new(GzDecoder::new(File::open(path)?));
    let mut texts = Vec::new();
    for member in archive.entries()? {
        let mut member = member?;
        let name = String::from_utf8_lossy(&member.path_bytes()).into_owned();
        if endings.iter().any(|ending| name.ends_with(ending)) {
            let mut text = Vec::new();
            member.read_to_end(&mut text)?;
            texts.push(text);
        }
    }
    Ok(texts)
}

fn measure(name: &str, family: Family, texts: &[Vec<u8>]) -> Outcome<()> {
    let bytes: usize = texts.iter().map(Vec::len).sum();
    let repeats = (ROUND_BYTES / bytes.max(1)).max(1);
    let (mut best, mut tokens) = (u64::MAX, 0);
    for _ in 0..ROUNDS {
        let start = ran()?;
        let mut count = Count(0);
        for _ in 0..repeats {
            texts
                .iter()
                .for_each(|text| lex(family, black_box(text), &mut count));
        }
        best = best.min(ran()? - start);
        tokens = black_box(count.0) / repeats as u64;
    }
    let seconds = best as f64 / repeats as f64 / 1e9;
    println!(
        "| {name} | {} | {bytes} | {tokens} | {:.0} | {:.1} |",
        texts.len(),
        bytes as f64 / seconds / 1e6,
        seconds * 1e9 / tokens as f64
    );
    Ok(())
}

fn main() -> Outcome<()> {
    let mut arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let named = arguments
        .first()
        .and_then(|word| FAMILIES.iter().find(|family| family.0 == word));
    if named.is_some() {
        arguments.remove(0);
    }
    let (_, family, endings) = named.unwrap_or(&FAMILIES[0]);
    println!(
        "| {} | files | bytes | tokens | MB/s | ns a token |\n| --- | ---: | ---: | ---: | ---: | ---: |",
        family.id()
    );
    for path in &arguments {
        measure(path, *family, &texts(path, endings)?)?;
    }
    if arguments.is_empty() {
        let folder =
            std::env::var("STRANDLINE_PACKAGES").unwrap_or_else(|_| "fixtures/packages".to_owned());
        for (package, ending) in BY_DEFAULT {
            match texts(&format!("{folder}/{package}"), &[ending]) {
                Ok(texts) => measure(&format!("{package} {ending}"), *family, &texts)?,
                Err(error) => eprintln!("{package}: {error}"),
            }
        }
    }
    Ok(())
}
