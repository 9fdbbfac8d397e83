//! How fast texts are searched for credentials: `cargo bench --bench secrets -- [--rules FILE]... [PACKAGES...]`, each a
//! `.tgz`. Without arguments, packages of `fixtures/packages`. With files of the user's own rules, or folders of such
//! files, these alone are run over the texts, and nothing else.
//!
//! In MB a second of one thread: the literal pass that every content goes through anyway, then the search for credentials
//! as everything is searched, and as texts that may be the vendor's own are. What is measured is the time that the thread
//! ran, the best of some rounds. What was found is printed behind, rule by rule, without any value.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::io::Read as _;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use strandline::exposure::secrets::find;
use strandline::exposure::user::UserRules;
use strandline::exposure::user::read::read;
use strandline::exposure::{Prefilter, Role};

mod clock;

use clock::ran;

type Outcome<T> = Result<T, Box<dyn Error>>;

const ROUNDS: usize = 3;
/// Bytes of a round, so that it takes many ticks of the clock.
const ROUND_BYTES: usize = 256 << 20;
/// Texts of a package that are read, in bytes.
const PACKAGE_BYTES: usize = 48 << 20;
/// Bytes at the beginning of a file in which a text holds no zero.
const SNIFF_BYTES: usize = 1024;
/// Measured where nothing is named: many small files, some large, bundles in one line.
const BY_DEFAULT: [&str; 6] = [
    "three-0.187.0.tgz",
    "drizzle-orm-0.45.4.tgz",
    "typescript-5.9.3.tgz",
    "plotly.js-3.7.0.tgz",
    "aws-sdk-2.1693.0.tgz",
    "effect-4.1.0.tgz",
];

/// The texts of a package.
fn texts(path: &str) -> Outcome<Vec<Vec<u8>>> {
    let mut archive = tar::Archive::new(GzDecoder::new(File::open(path)?));
    let (mut texts, mut total) = (Vec::new(), 0);
    for member in archive.entries()? {
        let mut member = member?;
        // Maps are opened, and what is in them is searched.
        if member.path_bytes().ends_with(b".map") {
            continue;
        }
        let mut text = Vec::new();
        member.read_to_end(&mut text)?;
        let is_text = !text.iter().take(SNIFF_BYTES).any(|&byte| byte == 0);
        if is_text && total < PACKAGE_BYTES {
            total += text.len();
            texts.push(text);
        }
    }
    Ok(texts)
}

/// MB a second of the best round.
fn rate(texts: &[Vec<u8>], mut work: impl FnMut(&[u8])) -> Outcome<f64> {
    let bytes: usize = texts.iter().map(Vec::len).sum();
    let repeats = (ROUND_BYTES / bytes.max(1)).max(1);
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let start = ran()?;
        for _ in 0..repeats {
            texts.iter().for_each(|text| work(black_box(text)));
        }
        best = best.min((ran()? - start) as f64 / repeats as f64 / 1e9);
    }
    Ok(bytes as f64 / best / 1e6)
}

/// Takes `--rules FILE` out of the arguments; the rules of all these files.
fn rules_of(named: &mut Vec<String>) -> Outcome<Option<UserRules>> {
    let mut all = Vec::new();
    let mut is_given = false;
    while let Some(at) = named.iter().position(|word| word == "--rules") {
        let path = PathBuf::from(named.get(at + 1).ok_or("--rules needs a file")?);
        named.drain(at..=at + 1);
        let mut files = match path.is_dir() {
            true => std::fs::read_dir(&path)?
                .map(|entry| Ok(entry?.path()))
                .collect::<Outcome<Vec<_>>>()?,
            false => vec![path],
        };
        files.sort();
        for file in files {
            all.extend(read(&std::fs::read(file)?)?.rules);
        }
        is_given = true;
    }
    Ok(is_given.then(|| UserRules::new(&all)).transpose()?)
}

fn with_rules(rules: &UserRules, named: &[String]) -> Outcome<()> {
    println!(
        "{} rules\n\n| texts | files | bytes | MB/s | finds |\n| --- | ---: | ---: | ---: | ---: |",
        rules.len()
    );
    for path in named {
        let name = path.rsplit('/').next().unwrap_or(path);
        let texts = texts(path)?;
        let bytes: usize = texts.iter().map(Vec::len).sum();
        let speed = rate(&texts, |text| {
            black_box(rules.facts(text, Role::Bulk, None));
        })?;
        let finds: usize = texts
            .iter()
            .map(|text| rules.facts(text, Role::Bulk, None).len())
            .sum();
        println!(
            "| {name} | {} | {bytes} | {speed:.0} | {finds} |",
            texts.len()
        );
    }
    Ok(())
}

fn main() -> Outcome<()> {
    let folder =
        std::env::var("STRANDLINE_PACKAGES").unwrap_or_else(|_| "fixtures/packages".to_owned());
    let mut named: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    if !named.iter().any(|word| word.ends_with(".tgz")) {
        named.extend(BY_DEFAULT.map(|package| format!("{folder}/{package}")));
    }
    if let Some(rules) = rules_of(&mut named)? {
        return with_rules(&rules, &named);
    }
    let prefilter = Prefilter::new();
    let mut found: BTreeMap<(String, String), u64> = BTreeMap::new();
    println!(
        "| texts | files | bytes | literal pass, MB/s | credentials | as the vendor's own |\n| --- | ---: | ---: | ---: | ---: | ---: |"
    );
    for path in &named {
        let name = path.rsplit('/').next().unwrap_or(path);
        let texts = texts(path)?;
        let bytes: usize = texts.iter().map(Vec::len).sum();
        let pass = rate(&texts, |text| {
            black_box(prefilter.scan(text));
        })?;
        let bulk = rate(&texts, |text| {
            black_box(find(text, Role::Bulk));
        })?;
        let own = rate(&texts, |text| {
            black_box(find(text, Role::Own));
        })?;
        println!(
            "| {name} | {} | {bytes} | {pass:.0} | {bulk:.0} | {own:.0} |",
            texts.len()
        );
        for one in texts.iter().flat_map(|text| find(text, Role::Own)) {
            let severity = one.fact.severity.as_str().to_owned();
            *found.entry((one.fact.rule, severity)).or_default() += 1;
        }
    }
    println!();
    for ((rule, severity), count) in &found {
        println!("{count} {rule} ({severity})");
    }
    Ok(())
}
