//! The matching benchmark: how much of what was copied is found, and how much is found that was not.
//!
//! ```text
//! cargo bench --bench leakbench -- DIR [--half dev|test] [--features FILE]
//! ```
//!
//! `DIR` is what `make.py` beside this file made. Every signature package of the half is signed as a work of its own, all
//! baseline packages as one baseline, and every target is held against all works, as a scan would. What is counted are
//! pairs of a file of a work and a target. A pair is true if the manifest says so; it is false if the target comes from
//! no file of the work; pairs of a target with other files of the work that it comes from are neither.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use rayon::prelude::*;
use serde::Deserialize;
use strandline::signature::verdict;
use strandline::signature::{
    FileEntry, Least, Likeness, Options, PartyFlag, Set, SetBuilder, SetGroup,
};

/// One line of `manifest.jsonl`.
#[derive(Debug, Deserialize)]
struct Row {
    target: String,
    half: String,
    class: String,
    kind: String,
    truth: Vec<Truth>,
    level: String,
}

#[derive(Debug, Deserialize)]
struct Truth {
    package: String,
    file: Option<String>,
}

struct Works {
    group: SetGroup,
    /// Package of each set.
    packages: Vec<String>,
    /// Paths of the files of each set, by id.
    files: Vec<Vec<String>>,
    source_bytes: u64,
    set_bytes: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut dir = None;
    let mut half = "dev".to_owned();
    let mut features = None;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--half" => half = args.next().ok_or("--half needs dev or test")?,
            "--features" => features = args.next(),
            "--bench" => {}
            _ => dir = Some(PathBuf::from(arg)),
        }
    }
    let Some(dir) = dir else {
        return Err("give the folder that make.py made".into());
    };
    let manifest = fs::read_to_string(dir.join("manifest.jsonl"))?;
    let rows: Vec<Row> = manifest
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let rows: Vec<Row> = rows.into_iter().filter(|row| row.half == half).collect();
    let works = sign(&dir, &rows)?;
    eprintln!(
        "{} works, {} files, {:.1} MB signed, sets {:.1} MB ({:.1} % of the source)",
        works.packages.len(),
        works.files.iter().map(Vec::len).sum::<usize>(),
        works.source_bytes as f64 / 1e6,
        works.set_bytes as f64 / 1e6,
        100.0 * works.set_bytes as f64 / works.source_bytes.max(1) as f64
    );
    // Pairs that are a fifth of a match are of interest to those who set thresholds.
    let strength = if features.is_some() { 0.2 } else { 1.0 };
    let least = Least {
        strength,
        ..verdict::least(true)
    };
    let begun = Instant::now();
    let bytes = std::sync::atomic::AtomicU64::new(0);
    let found: Vec<(usize, usize, Vec<Likeness>)> = rows
        .par_iter()
        .enumerate()
        .flat_map_iter(|(at, row)| {
            let path = dir.join(&row.target);
            contents(&path)
                .into_iter()
                .map(|content| {
                    bytes.fetch_add(content.len() as u64, std::sync::atomic::Ordering::Relaxed);
                    (
                        at,
                        content.len(),
                        works.group.likenesses(&content, &least, |_| true),
                    )
                })
                .collect::<Vec<_>>()
        })
        .collect();
    let seconds = begun.elapsed().as_secs_f64();
    let megabytes = bytes.into_inner() as f64 / 1e6;
    eprintln!(
        "{} targets, {megabytes:.1} MB in {seconds:.2} s on all cores: {:.0} MB/s",
        rows.len(),
        megabytes / seconds
    );
    if let Some(path) = features {
        write_features(Path::new(&path), &rows, &works, &found)?;
    }
    Ok(())
}

/// The contents of a target: a file, or all files of a folder.
fn contents(path: &Path) -> Vec<Vec<u8>> {
    if path.is_dir() {
        return files_below(path)
            .iter()
            .filter_map(|file| fs::read(file).ok())
            .collect();
    }
    let Ok(bytes) = fs::read(path) else {
        return Vec::new();
    };
    let within = match path.extension().and_then(|extension| extension.to_str()) {
        Some("zip") => of_zip(&bytes),
        Some("tar") => of_tar(&bytes),
        Some("map") => of_map(&bytes),
        _ => None,
    };
    within.unwrap_or_else(|| vec![bytes])
}

/// What containers hold. The program has readers of its own, tested elsewhere; here the matching is measured.
fn of_zip(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).ok()?;
    let mut contents = Vec::new();
    for at in 0..archive.len() {
        let mut member = archive.by_index(at).ok()?;
        let mut content = Vec::new();
        member.read_to_end(&mut content).ok()?;
        let is_tar = member.name().is_ok_and(|name| name.ends_with(".tar"));
        contents.extend(if is_tar {
            of_tar(&content)?
        } else {
            vec![content]
        });
    }
    Some(contents)
}

fn of_tar(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut contents = Vec::new();
    for member in tar::Archive::new(bytes).entries().ok()? {
        let mut content = Vec::new();
        member.ok()?.read_to_end(&mut content).ok()?;
        contents.push(content);
    }
    Some(contents)
}

fn of_map(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let map: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let contents = map.get("sourcesContent")?.as_array()?;
    Some(
        contents
            .iter()
            .filter_map(|content| Some(content.as_str()?.as_bytes().to_vec()))
            .collect(),
    )
}

/// All files below a folder, in order.
fn files_below(dir: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(dir).sort_by_file_name();
    entries
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect()
}

/// Signs the works that targets of this half come from, and the others of the half that are there.
fn sign(dir: &Path, rows: &[Row]) -> Result<Works, Box<dyn Error>> {
    let mut packages: Vec<String> = rows
        .iter()
        .flat_map(|row| row.truth.iter().map(|truth| truth.package.clone()))
        .collect();
    packages.sort();
    packages.dedup();
    let mut works = Works {
        group: SetGroup::default(),
        packages: Vec::new(),
        files: Vec::new(),
        source_bytes: 0,
        set_bytes: 0,
    };
    let mut sets = Vec::new();
    for package in packages {
        let root = dir.join("sources").join(&package);
        if !root.is_dir() {
            continue;
        }
        let mut builder = SetBuilder::new(&package, "1", Options::default());
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        for path in files_below(&root) {
            let name = path.strip_prefix(&root)?.to_string_lossy().into_owned();
            files.push((name, fs::read(&path)?));
        }
        files.sort();
        for (name, content) in &files {
            works.source_bytes += content.len() as u64;
            builder.add(FileEntry::of(name.as_bytes(), PartyFlag::First, content));
        }
        let built = builder.finish()?;
        works.set_bytes += built.set_bytes.len() as u64;
        sets.push(Set::from_bytes(built.set_bytes, None)?);
        works.packages.push(package);
        works
            .files
            .push(files.into_iter().map(|(name, _)| name).collect());
    }
    let mut baseline = SetBuilder::new(
        "baseline",
        "1",
        Options {
            baseline: true,
            ..Options::default()
        },
    );
    let mut count = 0;
    for path in files_below(&dir.join("baseline")) {
        baseline.add(FileEntry::of(
            path.to_string_lossy().as_bytes(),
            PartyFlag::Third,
            &fs::read(&path)?,
        ));
        count += 1;
    }
    if count > 0 {
        let built = baseline.finish()?;
        eprintln!(
            "baseline: {count} files, {:.1} MB",
            built.set_bytes.len() as f64 / 1e6
        );
        sets.push(Set::from_bytes(built.set_bytes, None)?);
    }
    works.group = SetGroup::new(sets);
    Ok(works)
}

/// One row for each pair that has anything in common, for those who look for better thresholds.
fn write_features(
    path: &Path,
    rows: &[Row],
    works: &Works,
    found: &[(usize, usize, Vec<Likeness>)],
) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::BufWriter::new(fs::File::create(path)?);
    writeln!(
        out,
        "target\tclass\tkind\tlevel\tbytes\tpackage\tfile\ttrue\tlength\ttiers"
    )?;
    let mut seen: BTreeMap<usize, usize> = BTreeMap::new();
    for (at, bytes, likenesses) in found {
        *seen.entry(*at).or_default() += bytes;
        let row = &rows[*at];
        let truth: HashMap<&str, Vec<Option<&str>>> =
            row.truth.iter().fold(HashMap::new(), |mut map, truth| {
                map.entry(truth.package.as_str())
                    .or_insert_with(Vec::new)
                    .push(truth.file.as_deref());
                map
            });
        let mut told = 0;
        for likeness in likenesses {
            let package = works.packages[likeness.set].as_str();
            let file = works.files[likeness.set][likeness.file as usize].as_str();
            let verdict = match truth.get(package) {
                None => "no",
                Some(files) if files.contains(&Some(file)) || files.contains(&None) => "yes",
                Some(_) => "other",
            };
            let length = works.group.sets()[likeness.set]
                .file(likeness.file)
                .map_or(0, |info| info.bytes);
            write!(
                out,
                "{at}\t{}\t{}\t{}\t{bytes}\t{package}\t{file}\t{verdict}\t{length}",
                row.class, row.kind, row.level
            )?;
            for tier in &likeness.tiers {
                write!(
                    out,
                    "\t{} {} {} {:.4} {} {}",
                    tier.original, tier.found, tier.in_window, tier.weight, tier.runs, tier.target
                )?;
            }
            writeln!(out)?;
            told += usize::from(verdict == "yes");
        }
        if told == 0 {
            let truth = row.truth.first();
            let package = truth.map_or("", |truth| truth.package.as_str());
            let file = truth.and_then(|truth| truth.file.as_deref()).unwrap_or("");
            writeln!(
                out,
                "{at}\t{}\t{}\t{}\t{bytes}\t{package}\t{file}\tmissed\t0",
                row.class, row.kind, row.level
            )?;
        }
    }
    Ok(())
}
