//! The map scanner beside a source-map library and a JSON reader, on one large map in memory.
//!
//! `cargo bench --bench map -- MAP [--rounds N]`, where `fixtures/big_map.py` makes MAP. The contestants take turns;
//! the ratio is the median of the rounds' own ratios, as seconds measure the machine. `--only NAME` runs one of them
//! once and prints the largest resident set, so that each has a process of its own for that.

use std::error::Error;
use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use serde::Deserialize;
use strandline::sourcemap;

/// A name, and the work: bytes of text that came out of the map.
type Contestant = (&'static str, fn(&[u8]) -> Result<usize, Box<dyn Error>>);

const CONTESTANTS: [Contestant; 3] = [
    ("strandline", ours),
    ("sourcemap::decode_slice", library),
    ("serde_json", reader),
];

/// Scan and unescape: every content as bytes, one after the other.
fn ours(document: &[u8]) -> Result<usize, Box<dyn Error>> {
    let scan = sourcemap::scan(document)?;
    let texts = scan.sources.iter().filter_map(|slot| slot.content.decode());
    Ok(texts.map(|text| black_box(text).bytes.len()).sum())
}

/// The library that most tools use: decodes the mappings too.
fn library(document: &[u8]) -> Result<usize, Box<dyn Error>> {
    let map = ::sourcemap::decode_slice(document)?;
    let ::sourcemap::DecodedMap::Regular(map) = map else {
        return Err("no plain map".into());
    };
    Ok((0..map.get_source_count())
        .filter_map(|index| map.get_source_contents(index))
        .map(|text| black_box(text).len())
        .sum())
}

/// What a plain reader does: the two lists, through a JSON parser.
fn reader(document: &[u8]) -> Result<usize, Box<dyn Error>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Map {
        sources: Vec<Option<String>>,
        sources_content: Vec<Option<String>>,
    }
    let map: Map = serde_json::from_slice(document)?;
    black_box(&map.sources);
    Ok(map.sources_content.iter().flatten().map(String::len).sum())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).filter(|one| one != "--bench");
    let path = arguments
        .next()
        .ok_or("usage: map MAP [--rounds N | --only NAME]")?;
    let document = std::fs::read(&path)?;
    match (arguments.next().as_deref(), arguments.next()) {
        (Some("--only"), Some(name)) => only(&document, &name),
        (Some("--rounds"), Some(rounds)) => compete(&path, &document, rounds.parse()?),
        (None, _) => compete(&path, &document, 15),
        _ => Err("usage: map MAP [--rounds N | --only NAME]".into()),
    }
}

fn only(document: &[u8], name: &str) -> Result<(), Box<dyn Error>> {
    let (_, work) = CONTESTANTS
        .iter()
        .find(|(own, _)| *own == name)
        .ok_or("no such contestant")?;
    work(document)?;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    println!(
        "{}",
        peak.ok_or("no peak in /proc/self/status")?
            .trim()
            .trim_end_matches(" kB")
    );
    Ok(())
}

fn compete(path: &str, document: &[u8], rounds: usize) -> Result<(), Box<dyn Error>> {
    let mut seconds = vec![Vec::new(); CONTESTANTS.len()];
    let mut texts = [0; CONTESTANTS.len()];
    for round in 0..rounds.max(1) {
        for turn in 0..CONTESTANTS.len() {
            let index = (round + turn) % CONTESTANTS.len();
            let clock = Instant::now();
            texts[index] = CONTESTANTS[index].1(document)?;
            seconds[index].push(clock.elapsed().as_secs_f64());
        }
    }
    let bytes = document.len() as f64;
    println!(
        "{path}: {} bytes, {} bytes of text, {rounds} rounds\n",
        document.len(),
        texts[0]
    );
    println!("| program | ms | GB/s | peak ÷ file | time ÷ ours |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for (index, (name, _)) in CONTESTANTS.iter().enumerate() {
        if texts[index] != texts[0] {
            return Err(format!("{name} found {} bytes of text", texts[index]).into());
        }
        let ratios = seconds[index]
            .iter()
            .zip(&seconds[0])
            .map(|(one, ours)| one / ours);
        let middle = median(seconds[index].clone());
        println!(
            "| {name} | {:.1} | {:.2} | {:.2} | {:.2} |",
            middle * 1e3,
            bytes / middle / 1e9,
            peak(path, name)? / bytes,
            median(ratios.collect()),
        );
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Largest resident set of a process of its own, in bytes, the file in memory included.
fn peak(path: &str, name: &str) -> Result<f64, Box<dyn Error>> {
    let output = Command::new(std::env::current_exe()?)
        .args([path, "--only", name])
        .output()?;
    let kib: f64 = String::from_utf8(output.stdout)?.trim().parse()?;
    Ok(kib * 1024.0)
}
