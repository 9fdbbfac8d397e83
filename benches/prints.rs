//! How fast texts are fingerprinted and held against sets:
//! `cargo bench --bench prints -- [--work PATH] [--baseline PATH] [TEXTS...]`, each a folder, a text or a package (`.tgz`, `.tar.gz`, `.crate`). Without
//! arguments, packages of `fixtures/packages`.
//!
//! For each of TEXTS, in MB a second of one thread: telling the family, lexing, fingerprints of all tiers, and holding
//! against the work and the baseline, which is all that a scan does with a new text once it has its bytes and their digest. No
//! text is known to the sets as a whole. What is measured is the time that the thread ran, as in `lex.rs`; the best of
//! some rounds, and the median.

use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::io::Read as _;
use std::time::Instant;

use flate2::read::GzDecoder;
use strandline::lex::{Sink, Token, family_of, lex};
use strandline::signature::prints::{Side, prints};
use strandline::signature::{FileEntry, Options, PartyFlag, Set, SetBuilder, SetGroup};

mod clock;

use clock::ran;

type Outcome<T> = Result<T, Box<dyn Error>>;

const ROUNDS: usize = 5;
/// Bytes of a round, so that it takes many ticks.
const ROUND_BYTES: usize = 32 << 20;
/// What is faster than this takes no tick of the clock, in MB a second.
const RATE_MAX: f64 = 10_000.0;
/// Endings of texts that tell something of speed: programs.
const ENDINGS: [&str; 15] = [
    ".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".jsx", ".tsx", ".py", ".rs", ".c", ".h",
    ".java", ".go", ".cs",
];
/// Signed where nothing is named, and subtracted.
const WORK: &str = "effect-4.1.0.tgz";
const BASELINE: &str = "webpack-5.112.2.tgz";
/// Measured where nothing is named: many small files, some large, bundles in one line.
const BY_DEFAULT: [(&str, &str); 4] = [
    ("three-0.187.0.tgz", "package/src/"),
    ("drizzle-orm-0.45.4.tgz", ""),
    ("typescript-5.9.3.tgz", "lib/typescript.js"),
    ("plotly.js-3.7.0.tgz", ".min.js"),
];

struct Count(u64);

impl Sink for Count {
    fn token(&mut self, _: Token) {
        self.0 += 1;
    }
}

/// The programs in a file, a folder or a package, of those whose names have `part` in them.
fn texts(path: &str, part: &str) -> Outcome<Vec<Vec<u8>>> {
    let is_wanted =
        |name: &str| name.contains(part) && ENDINGS.iter().any(|ending| name.ends_with(ending));
    let packed = [".tgz", ".tar.gz", ".crate"];
    let mut texts = Vec::new();
    if packed.iter().any(|ending| path.ends_with(ending)) {
        let mut archive = tar::Archive::new(GzDecoder::new(File::open(path)?));
        for member in archive.entries()? {
            let mut member = member?;
            if is_wanted(&String::from_utf8_lossy(&member.path_bytes())) {
                let mut text = Vec::new();
                member.read_to_end(&mut text)?;
                texts.push(text);
            }
        }
        return Ok(texts);
    }
    for entry in walkdir::WalkDir::new(path).sort_by_file_name() {
        let entry = entry?;
        if entry.file_type().is_file() && is_wanted(&entry.path().to_string_lossy()) {
            texts.push(std::fs::read(entry.path())?);
        }
    }
    Ok(texts)
}

/// MB a second of the best round and of the median.
fn rate(texts: &[Vec<u8>], mut work: impl FnMut(&[u8])) -> Outcome<(f64, f64)> {
    let bytes: usize = texts.iter().map(Vec::len).sum();
    let repeats = (ROUND_BYTES / bytes.max(1)).max(1);
    let mut seconds = Vec::new();
    for _ in 0..ROUNDS {
        let start = ran()?;
        for _ in 0..repeats {
            texts.iter().for_each(|text| work(black_box(text)));
        }
        seconds.push((ran()? - start) as f64 / repeats as f64 / 1e9);
    }
    seconds.sort_by(f64::total_cmp);
    let rate = |seconds: f64| bytes as f64 / seconds / 1e6;
    Ok((rate(seconds[0]), rate(seconds[ROUNDS / 2])))
}

/// A set of these texts, and what making and loading it took.
fn set(name: &str, baseline: bool, texts: &[Vec<u8>]) -> Outcome<Set> {
    let options = Options {
        baseline,
        ..Options::default()
    };
    let mut builder = SetBuilder::new(name, "1", options);
    let bytes: usize = texts.iter().map(Vec::len).sum();
    let start = ran()?;
    for (number, text) in texts.iter().enumerate() {
        builder.add(FileEntry::of(number.to_string(), PartyFlag::First, text));
    }
    let built = builder.finish()?;
    let signing = (ran()? - start) as f64 / 1e9;
    let set_bytes = built.set_bytes.len();
    let start = Instant::now();
    let set = Set::from_bytes(built.set_bytes, None)?;
    println!(
        "{name}: {} files, {bytes} bytes, signed in {signing:.2} s; set of {set_bytes} bytes, loaded in {:.1} ms",
        texts.len(),
        start.elapsed().as_secs_f64() * 1e3,
    );
    Ok(set)
}

fn measure(name: &str, texts: &[Vec<u8>], sets: &SetGroup) -> Outcome<()> {
    let bytes: usize = texts.iter().map(Vec::len).sum();
    let mut count = Count(0);
    let rates = [
        rate(texts, |text| {
            black_box(family_of(text));
        })?,
        rate(texts, |text| lex(family_of(text), text, &mut count))?,
        rate(texts, |text| {
            prints(text, Side::Target, |_, print| count.0 ^= print.value)
        })?,
        rate(texts, |text| {
            black_box(sets.lookup(&[0; 32], text));
        })?,
    ];
    black_box(count.0);
    let rates = rates.map(|(best, median)| {
        // Of one large text only a sample is looked at to tell its family.
        if best > RATE_MAX {
            "–".to_owned()
        } else {
            format!("{best:.0} ({median:.0})")
        }
    });
    println!(
        "| {name} | {} | {bytes} | {} |",
        texts.len(),
        rates.join(" | ")
    );
    Ok(())
}

fn main() -> Outcome<()> {
    let folder =
        std::env::var("STRANDLINE_PACKAGES").unwrap_or_else(|_| "fixtures/packages".to_owned());
    let (mut work, mut baseline) = (format!("{folder}/{WORK}"), format!("{folder}/{BASELINE}"));
    let mut named = Vec::new();
    let mut arguments = std::env::args().skip(1).filter(|word| word != "--bench");
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--work" => work = arguments.next().ok_or("--work needs a path")?,
            "--baseline" => baseline = arguments.next().ok_or("--baseline needs a path")?,
            _ => named.push((argument, "")),
        }
    }
    if named.is_empty() {
        named.extend(BY_DEFAULT.map(|(package, part)| (format!("{folder}/{package}"), part)));
    }
    let sets = SetGroup::new(vec![
        set("work", false, &texts(&work, "")?)?,
        set("baseline", true, &texts(&baseline, "")?)?,
    ]);
    println!(
        "\n| texts | files | bytes | family, MB/s | and tokens | all tiers | held against both |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    );
    for (path, part) in &named {
        let name = path.rsplit('/').next().unwrap_or(path);
        measure(&format!("{name} {part}"), &texts(path, part)?, &sets)?;
    }
    Ok(())
}
