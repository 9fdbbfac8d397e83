//! The matching benchmark: how much of what was copied is found, and how much is found that was not.
//!
//! ```text
//! cargo bench --bench leakbench -- DIR [--half dev|test] [--compact] [--features FILE]
//! cargo bench --bench leakbench -- DIR [--half dev|test] --ports [--foreign FOLDER]...
//! ```
//!
//! `DIR` is what `make.py` beside this file made. Every signature package of the half is signed as a work of its own, all
//! baseline packages as one baseline, and every target is held against all works, as a scan would. What is counted are
//! pairs of a file of a work and a target. A pair is true if the manifest says so; it is false if the target comes from
//! no file of the work; pairs of a target with other files of the work that it comes from are neither.

mod ports;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::error::Error;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use rayon::prelude::*;
use serde::Deserialize;
use strandline::signature::layout::{self, Rules};
use strandline::signature::prints::{self, FilePrints, Tier};
use strandline::signature::verdict;
use strandline::signature::{
    Common, FileEntry, Grade, Least, Likeness, Options, PartyFlag, Set, SetBuilder, SetGroup,
    digests_of,
};

/// One line of `manifest.jsonl`.
#[derive(Debug, Deserialize)]
struct Row {
    target: String,
    half: String,
    class: String,
    kind: String,
    bytes: u64,
    truth: Vec<Truth>,
    level: String,
}

#[derive(Debug, Deserialize)]
struct Truth {
    package: String,
    file: Option<String>,
    #[serde(default)]
    target_lines: Option<[u32; 2]>,
}

/// A content of a target: the number of its row, its length in bytes, and what it has in common with the works.
type Content = (usize, usize, Vec<Likeness>);

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
    let mut has_baseline = true;
    let mut is_rates = false;
    let mut is_compact = false;
    let mut is_about_ports = false;
    let mut foreign = Vec::new();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--half" => half = args.next().ok_or("--half needs dev or test")?,
            "--features" => features = args.next(),
            "--rates" => is_rates = true,
            "--compact" => is_compact = true,
            "--no-baseline" => has_baseline = false,
            "--ports" => is_about_ports = true,
            "--foreign" => foreign.push(PathBuf::from(
                args.next().ok_or("--foreign needs a folder")?,
            )),
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
    let works = sign(&dir, &rows, has_baseline, is_compact)?;
    eprintln!(
        "{} works, {} files, {:.1} MB signed, sets {:.1} MB ({:.1} % of the source)",
        works.packages.len(),
        works.files.iter().map(Vec::len).sum::<usize>(),
        works.source_bytes as f64 / 1e6,
        works.set_bytes as f64 / 1e6,
        100.0 * works.set_bytes as f64 / works.source_bytes.max(1) as f64
    );
    if is_rates {
        tell_rates(&dir, &rows, &works, has_baseline);
        return Ok(());
    }
    if is_about_ports {
        ports::tell(&dir, &rows, &works, &foreign);
        return Ok(());
    }
    // Pairs that are a fifth of a match are of interest to those who look at rates of false ones.
    let least = Least {
        strength: 0.2,
        ..verdict::least(has_baseline)
    };
    let begun = Instant::now();
    let bytes = std::sync::atomic::AtomicU64::new(0);
    let found: Vec<Content> = rows
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
    tell(&dir, &rows, &works, &found, has_baseline);
    if let Some(path) = features {
        write_features(Path::new(&path), &rows, &works, &found)?;
    }
    Ok(())
}

/// Prints how often a fingerprint of a file is observed in a foreign text, for each hundred fingerprints of that: the rates
/// that `verdict` rests likelihoods on.
fn tell_rates(dir: &Path, rows: &[Row], works: &Works, has_baseline: bool) {
    let least = Least {
        strength: 0.0,
        ..verdict::least(has_baseline)
    };
    let foreign: Vec<Vec<u8>> = rows
        .iter()
        .filter(|row| row.kind != "positive" && row.class != "vendored")
        .flat_map(|row| contents(&dir.join(&row.target)))
        .collect();
    let mut originals = [0_u64; Tier::ALL.len()];
    for package in &works.packages {
        for path in files_below(&dir.join("sources").join(package)) {
            let prints = FilePrints::of(&fs::read(path).unwrap_or_default());
            for tier in Tier::ALL {
                originals[tier as usize] += prints.of_tier(tier).len() as u64;
            }
        }
    }
    let sums = foreign.par_iter().map(|content| {
        let mut observed = [0_u64; Tier::ALL.len()];
        for likeness in works.group.likenesses(content, &least, |_| true) {
            for tier in Tier::ALL {
                observed[tier as usize] += u64::from(verdict::observations(likeness.tier(tier)));
            }
        }
        let mut targets = [0_u64; Tier::ALL.len()];
        prints::prints(content, prints::Side::Target, |tier, _| {
            targets[tier as usize] += 1
        });
        (observed, targets)
    });
    let add = |a: [u64; 5], b: [u64; 5]| std::array::from_fn(|at| a[at] + b[at]);
    let zero = || ([0; Tier::ALL.len()], [0; Tier::ALL.len()]);
    let (observed, targets) = sums.reduce(zero, |a, b| (add(a.0, b.0), add(a.1, b.1)));
    for tier in Tier::ALL {
        let at = tier as usize;
        let trials = originals[at] as f64 * targets[at] as f64 / 100.0;
        println!("{:<10} {:.2e}", tier.id(), observed[at] as f64 / trials);
    }
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
fn sign(
    dir: &Path,
    rows: &[Row],
    has_baseline: bool,
    is_compact: bool,
) -> Result<Works, Box<dyn Error>> {
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
        let options = Options {
            compact: is_compact,
            ..Options::default()
        };
        let mut builder = SetBuilder::new(&package, "1", options);
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
    if count > 0 && has_baseline {
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

/// What became of one pair.
struct Pair {
    row: usize,
    set: usize,
    file: u32,
    strength: f32,
}

/// Prints how much was found, at what price.
fn tell(dir: &Path, rows: &[Row], works: &Works, found: &[Content], has_baseline: bool) {
    let mut best: HashMap<(usize, usize, u32), f32> = HashMap::new();
    for (at, _, likenesses) in found {
        for likeness in likenesses {
            let strength = verdict::strength(likeness, has_baseline);
            let known = best
                .entry((*at, likeness.set, likeness.file))
                .or_insert(0.0);
            *known = known.max(strength);
        }
    }
    let mut pairs: Vec<Pair> = best
        .into_iter()
        .map(|((row, set, file), strength)| Pair {
            row,
            set,
            file,
            strength,
        })
        .collect();
    pairs.sort_by_key(|pair| (pair.row, pair.set, pair.file));
    let files: usize = works.files.iter().map(Vec::len).sum();
    let mut false_ones: Vec<f32> = pairs
        .iter()
        .filter(|pair| truth_of(&rows[pair.row], works, pair) == Some(false))
        .map(|pair| pair.strength)
        .collect();
    false_ones.sort_by(|a, b| b.total_cmp(a));
    // Of pairs that share nothing there is no row; nearly all of them are false.
    let all = rows.iter().filter(|row| row.class != "vendored").count() * files;
    let matches = false_ones
        .iter()
        .filter(|&&strength| strength >= 1.0)
        .count();
    println!(
        "false pairs: {matches} of {all} ({:.2e})",
        matches as f64 / all as f64
    );
    let levels: Vec<f32> = [1e-4, 1e-5, 1e-6]
        .iter()
        .map(|rate| {
            let allowed = (all as f64 * rate) as usize;
            false_ones.get(allowed).copied().unwrap_or(0.0).max(0.2)
        })
        .collect();
    println!(
        "strength at 1e-4 {:.2}, 1e-5 {:.2}, 1e-6 {:.2}; a match is 1",
        levels[0], levels[1], levels[2]
    );
    let mut classes: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, row) in rows
        .iter()
        .enumerate()
        .filter(|(_, row)| row.kind == "positive")
    {
        classes.entry(&row.class).or_default().push(at);
    }
    let mut of_row: Vec<Vec<&Pair>> = rows.iter().map(|_| Vec::new()).collect();
    for pair in &pairs {
        of_row[pair.row].push(pair);
    }
    println!(
        "class                    n  1e-4   1e-5   1e-6  match | all sizes: n  match | wrong work  first right"
    );
    for (class, targets) in &classes {
        let large: Vec<usize> = targets
            .iter()
            .copied()
            .filter(|&at| rows[at].bytes >= TARGET_MIN)
            .collect();
        let recall = |targets: &[usize], level: f32| {
            let is_found = |at: &&usize| {
                of_row[**at].iter().any(|pair| {
                    pair.strength >= level && truth_of(&rows[**at], works, pair) == Some(true)
                })
            };
            targets.iter().filter(is_found).count() as f64 / targets.len().max(1) as f64
        };
        let firsts: Vec<&Pair> = targets
            .iter()
            .filter_map(|&at| {
                of_row[at]
                    .iter()
                    .copied()
                    .max_by(|a, b| a.strength.total_cmp(&b.strength))
            })
            .filter(|pair| pair.strength >= 1.0)
            .collect();
        let wrong = firsts
            .iter()
            .filter(|pair| truth_of(&rows[pair.row], works, pair) == Some(false))
            .count();
        let right = firsts
            .iter()
            .filter(|pair| truth_of(&rows[pair.row], works, pair) == Some(true))
            .count();
        let share = |count: usize| count as f64 / firsts.len().max(1) as f64;
        println!(
            "{class:<20} {:>5}  {:.3}  {:.3}  {:.3}  {:.3} | {:>12}  {:.3} | {:>9.4}  {:>9.3}",
            large.len(),
            recall(&large, levels[0]),
            recall(&large, levels[1]),
            recall(&large, levels[2]),
            recall(&large, 1.0),
            targets.len(),
            recall(targets, 1.0),
            share(wrong),
            share(right),
        );
    }
    tell_grades(dir, rows, works, all);
    tell_layout(dir, rows, works, all);
    tell_ranges(dir, rows, works);
}

/// Targets of fewer bytes are told apart.
const TARGET_MIN: u64 = 400;

/// Whether a pair is true; nothing where it is neither, since the target comes from another file of the work.
fn truth_of(row: &Row, works: &Works, pair: &Pair) -> Option<bool> {
    let package = works.packages[pair.set].as_str();
    let file = works.files[pair.set][pair.file as usize].as_str();
    let mut is_of_work = false;
    for truth in row.truth.iter().filter(|truth| truth.package == package) {
        is_of_work = true;
        if truth.file.as_deref().is_none_or(|truth| truth == file) {
            return Some(true);
        }
    }
    // Vendored code is the same text: a match with it is no mistake of the text's, but of what was signed.
    (!is_of_work && row.class != "vendored").then_some(false)
}

/// How often the digest without layout is the same: of pairs that are false, and of those that are true by what was done to
/// the file. Every content is asked, also where a scan would not, so that of false pairs this is the most there can be.
fn tell_layout(dir: &Path, rows: &[Row], works: &Works, all: usize) {
    let same = rows.par_iter().enumerate().flat_map_iter(|(row, at)| {
        let mut same: BTreeSet<(usize, usize, u32)> = BTreeSet::new();
        for content in contents(&dir.join(&at.target)) {
            let Some(digest) = digests_of(&content).layout else {
                continue;
            };
            for set in 0..works.packages.len() {
                let files = works.group.sets()[set].find_layout(Rules::Second, &digest);
                same.extend(files.map(|file| (row, set, file)));
            }
        }
        same
    });
    let same: Vec<(usize, usize, u32)> = same.collect();
    let mut wrong = Vec::new();
    let mut right: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (row, set, file) in same {
        let at = &rows[row];
        let pair = Pair {
            row,
            set,
            file,
            strength: 1.0,
        };
        match truth_of(at, works, &pair) {
            Some(true) => drop(right.entry(&at.class).or_default().insert(row)),
            Some(false) => wrong.push(format!(
                "{} {}/{}",
                at.target, works.packages[set], works.files[set][file as usize]
            )),
            None => {}
        }
    }
    println!(
        "{} false pairs: {} of {all}",
        layout::ALGORITHM,
        wrong.len()
    );
    wrong.iter().take(20).for_each(|pair| println!("  {pair}"));
    for (class, found) in right {
        let of_class = rows.iter().filter(|row| row.class == class).count();
        println!("  {class:<22} {} of {of_class}", found.len());
    }
}

/// How often each grade was given to a pair that is false, as a scan would give it.
fn tell_grades(dir: &Path, rows: &[Row], works: &Works, all: usize) {
    let given = rows.par_iter().enumerate().flat_map_iter(|(row, at)| {
        let mut given: BTreeMap<(usize, u32), Grade> = BTreeMap::new();
        for content in contents(&dir.join(&at.target)) {
            let sha256 = digests_of(&content).sha256;
            for hit in works.group.lookup(&sha256, &content) {
                if works.packages.len() <= hit.set {
                    continue;
                }
                let best = given.entry((hit.set, hit.file)).or_insert(hit.grade);
                *best = hit.grade.min(*best);
            }
        }
        given.into_iter().filter_map(move |((set, file), grade)| {
            let pair = Pair {
                row,
                set,
                file,
                strength: 1.0,
            };
            (truth_of(at, works, &pair) == Some(false)).then_some(grade)
        })
    });
    let given: Vec<Grade> = given.collect();
    println!("false pairs by grade, of {all}:");
    for grade in [
        Grade::Exact,
        Grade::Normalized,
        Grade::Excerpt,
        Grade::Derived,
    ] {
        let count = given.iter().filter(|&&one| one == grade).count();
        println!("{:<10} {count}", grade.as_str());
    }
}

/// How well the lines that are named are those that were copied: the share that both have of those that either has.
fn tell_ranges(dir: &Path, rows: &[Row], works: &Works) {
    let mut of_class: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for row in rows {
        let Some(Truth {
            package,
            file: Some(file),
            target_lines: Some([first, last]),
        }) = row.truth.first()
        else {
            continue;
        };
        for content in contents(&dir.join(&row.target)) {
            let hits = works.group.lookup(&[0; 32], &content);
            let hit = hits.iter().find(|hit| {
                works.packages[hit.set] == *package
                    && works.files[hit.set][hit.file as usize] == *file
            });
            let Some(found) = hit.and_then(|hit| hit.found.as_ref()) else {
                continue;
            };
            let named: BTreeSet<u32> = found
                .stretches
                .iter()
                .flat_map(|stretch| stretch.target_lines[0]..=stretch.target_lines[1])
                .collect();
            let copied: BTreeSet<u32> = (*first..=*last).collect();
            let both = named.intersection(&copied).count() as f64;
            of_class
                .entry(&row.class)
                .or_default()
                .push(both / named.union(&copied).count() as f64);
        }
    }
    println!("lines, of those found: class, n, mean overlap");
    for (class, overlaps) in of_class {
        println!(
            "{class:<20} {:>5}  {:.3}",
            overlaps.len(),
            overlaps.iter().sum::<f64>() / overlaps.len() as f64
        );
    }
}

/// One row for each pair that has anything in common, for those who look for better thresholds.
fn write_features(
    path: &Path,
    rows: &[Row],
    works: &Works,
    found: &[Content],
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
            let verdict = if likeness.common != Common::Tokens && verdict == "no" {
                "port"
            } else {
                verdict
            };
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
