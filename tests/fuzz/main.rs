//! Every parser, on inputs that nobody would write: a target each ([`targets`]), seeds for it ([`seeds`]), mutants of
//! those ([`mutate`]), and what must hold of each ([`watch`]): no panic, not even one that the library turns into a problem;
//! no more memory than limits allow; two ways of reading the same bytes that agree; an account that adds up.
//!
//! It takes seconds in the test command and a minute in `.ci/run`; by hand it may run for as long as one likes:
//!
//! ```text
//! STRANDLINE_FUZZ_SECONDS=1800 STRANDLINE_FUZZ_SEED=7 cargo test --release --test fuzz -- --nocapture
//! ```
//!
//! | variable | what |
//! | --- | --- |
//! | STRANDLINE_FUZZ_SECONDS | the time for all targets together; 10 |
//! | STRANDLINE_FUZZ_SEED | what mutants are made from; 1 |
//! | STRANDLINE_FUZZ_TARGET | only this target |
//! | STRANDLINE_FUZZ_NUMBER | only this mutant of it |
//! | STRANDLINE_FUZZ_FILE | read this file instead of mutants |
//!
//! A mutant that fails is made smaller as far as it still fails, and written below the build folder; the command that reads
//! it again is printed. It belongs into `fixtures/fuzz/found/TARGET` then, with the mend. What a death leaves behind (no
//! stack, no memory, a hang) is the file `fuzz/now` in the same folder: target and number of the mutant that was being read.
//!
//! By hand it can be guided by what the inputs reach: `fixtures/fuzz/guided` builds the library so that it counts the
//! branches that it takes, and an input that takes a new one becomes a seed. STRANDLINE_FUZZ_KEEP names a folder for these;
//! STRANDLINE_FUZZ_SEEDS one with more seeds, in folders by target. Numbers are of no use then; bytes are written as ever.

#[path = "../common/mod.rs"]
mod common;
mod exposure;
mod matching;
mod mutate;
mod program;
mod seeds;
mod targets;
mod walk;
mod watch;

use std::fmt::Write as _;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use seeds::Seeds;
use targets::Target;
use watch::{Dog, Watched, coverage};

#[global_allocator]
static ALLOCATOR: watch::Counting = watch::Counting;

static DOG: Dog = Dog::new();
static READING: Mutex<String> = Mutex::new(String::new());

/// Says what is read now.
fn reading(what: String) {
    *READING.lock().unwrap_or_else(PoisonError::into_inner) = what;
    DOG.beat();
}

/// Rounds in which the time is dealt out, so that each target has some of the early time.
const ROUNDS: u32 = 4;
/// Ways in which targets read, by the number of the mutant.
const WAYS: u64 = 4;
/// Attempts at making a failing mutant smaller.
const SHRINKS: usize = 4_000;

fn number(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}")),
        Err(_) => otherwise,
    }
}

/// The folder that this run may write to.
fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    std::fs::create_dir_all(&folder).expect("the build folder is writable");
    folder
}

/// What is read just now, for who finds this program dead.
struct Now(File);

impl Now {
    fn new() -> Self {
        Self(File::create(folder().join("now")).expect("the build folder is writable"))
    }

    fn is(&self, seed: u64, target: &str, number: u64) {
        let line = format!(
            "{:<100}\n",
            format!("{} ({target})", replay(seed, target, number))
        );
        let _ = self.0.write_all_at(line.as_bytes(), 0);
    }
}

fn replay(seed: u64, target: &str, number: u64) -> String {
    format!(
        "STRANDLINE_FUZZ_SEED={seed} STRANDLINE_FUZZ_TARGET={target} STRANDLINE_FUZZ_NUMBER={number} cargo test --test fuzz -- --nocapture"
    )
}

/// What came of a target.
#[derive(Default)]
struct Account {
    runs: u64,
    time: Duration,
    slowest: (Duration, u64),
    peak: (u64, u64),
    guarded: usize,
    kept: usize,
}

/// One target with its seeds and account.
struct Job {
    target: Target,
    seeds: Vec<Vec<u8>>,
    /// How many of them were there at first.
    given: usize,
    seen: coverage::Map,
    account: Account,
}

impl Job {
    fn new(target: Target, seeds: &Seeds) -> Self {
        let mut own: Vec<Vec<u8>> = match target.seeds.as_slice() {
            // What takes everything is tried on everything.
            [] => seeds.values().flatten().cloned().collect(),
            names => names
                .iter()
                .filter_map(|name| seeds.get(name))
                .flatten()
                .cloned()
                .collect(),
        };
        own.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
        own.dedup();
        if own.is_empty() {
            own.push(b"\0".to_vec());
        }
        Self {
            target,
            given: own.len(),
            seen: coverage::Map::default(),
            seeds: own,
            account: Account::default(),
        }
    }

    fn mutant(&self, seed: u64, number: u64) -> Vec<u8> {
        // The first ones are the seeds as they are, in each of the ways.
        let given = &self.seeds[..self.given];
        if let Some(bytes) = given.get((number / WAYS) as usize) {
            return bytes.clone();
        }
        let mut random = mutate::random(seed, &self.target.name, number);
        let mut bytes = mutate::mutant(&mut random, &self.seeds, self.target.words);
        // Wrong sums have readers of their own.
        if mutate::below(&mut random, 8) > 0 {
            (self.target.mend)(&mut bytes);
        }
        bytes
    }

    fn read(&self, bytes: &[u8], turn: u64) -> Watched {
        watch::watch(self.target.memory_max, || (self.target.run)(bytes, turn))
    }

    /// Reads one mutant; what is wrong with it, and how to get it back.
    fn one(&mut self, seed: u64, number: u64) -> Option<String> {
        let bytes = self.mutant(seed, number);
        coverage::begin();
        let watched = self.read(&bytes, number);
        if self.seen.take() {
            self.keep(&bytes, number);
        }
        let account = &mut self.account;
        account.runs += 1;
        account.guarded += watched.guarded;
        account.slowest = account.slowest.max((watched.time, number));
        account.peak = account.peak.max((watched.peak, number));
        let fault = watched.fault?;
        let small = self.shrunk(bytes, number);
        let path = folder().join(format!("{}-{seed}-{number}", self.target.name));
        std::fs::write(&path, &small).expect("the build folder is writable");
        Some(format!(
            "{}: {fault}\n  {} bytes in {}\n  {}",
            self.target.name,
            small.len(),
            path.display(),
            replay(seed, &self.target.name, number),
        ))
    }

    /// Keeps an input that went where none was before.
    fn keep(&mut self, bytes: &[u8], number: u64) {
        self.account.kept += 1;
        if number >= self.given as u64 * WAYS {
            self.seeds.push(bytes.to_vec());
        }
        if let Some(folder) = std::env::var_os("STRANDLINE_FUZZ_KEEP") {
            let folder = PathBuf::from(folder).join(&self.target.name);
            std::fs::create_dir_all(&folder).expect("a folder that can be written to");
            let name = blake3::hash(bytes).to_hex();
            std::fs::write(folder.join(&name[..16]), bytes)
                .expect("a folder that can be written to");
        }
    }

    /// A smaller input that fails too: without pieces, ever shorter ones, as long as that works.
    fn shrunk(&self, mut bytes: Vec<u8>, turn: u64) -> Vec<u8> {
        let mut piece = bytes.len() / 2;
        let mut left = SHRINKS;
        while piece > 0 {
            let mut at = 0;
            while at < bytes.len() && left > 0 {
                left -= 1;
                let mut less = bytes.clone();
                less.drain(at..(at + piece).min(bytes.len()));
                (self.target.mend)(&mut less);
                if self.read(&less, turn).fault.is_some() {
                    bytes = less;
                } else {
                    at += piece;
                }
            }
            piece /= 2;
        }
        bytes
    }
}

#[test]
fn no_input_breaks_a_parser() {
    let seed = number("STRANDLINE_FUZZ_SEED", 1);
    let seconds = number("STRANDLINE_FUZZ_SECONDS", 10);
    let only = std::env::var("STRANDLINE_FUZZ_TARGET").ok();
    let seeds = seeds::all();
    let mut jobs: Vec<Job> = (targets::all().into_iter())
        .filter(|target| only.as_ref().is_none_or(|only| *only == target.name))
        .map(|target| Job::new(target, &seeds))
        .collect();
    assert!(!jobs.is_empty(), "there is no such target: {only:?}");
    watch::note_panics();
    DOG.watch(|| {
        let what = READING.lock().unwrap_or_else(PoisonError::into_inner);
        what.clone()
    });
    if let Some(faults) = asked(&jobs, seed) {
        assert!(faults.is_empty(), "{faults}");
        return;
    }
    let now = Now::new();
    let mut faults: Vec<String> = Vec::new();
    // The program has a tenth of it.
    let share = Duration::from_secs(seconds) * 9 / 10 / (ROUNDS * jobs.len() as u32);
    for round in 0..ROUNDS {
        for job in &mut jobs {
            let clock = Instant::now();
            // A target that fails is not tried on and on; its seeds are all read, however little time there is.
            let mut failed = 0;
            while failed < 3
                && (clock.elapsed() < share
                    || (round == 0 && job.account.runs < job.given as u64 * WAYS))
            {
                let number = job.account.runs;
                now.is(seed, &job.target.name, number);
                reading(replay(seed, &job.target.name, number));
                if let Some(fault) = job.one(seed, number) {
                    failed += 1;
                    eprintln!("{fault}");
                    faults.push(fault);
                }
            }
            job.account.time += clock.elapsed();
        }
    }
    let batches = if only.is_none() {
        programs(&jobs, seed, seconds, &mut faults)
    } else {
        0
    };
    println!("{}; {batches} batches read by the program", table(&jobs));
    assert!(
        faults.is_empty(),
        "{} failing inputs:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

/// Has the program read batches of mutants, for a while; how many there were.
fn programs(jobs: &[Job], seed: u64, seconds: u64, faults: &mut Vec<String>) -> u64 {
    let clock = Instant::now();
    let mut batches = 0;
    // A tenth of the time, and one batch in any case.
    while batches == 0 || clock.elapsed() < Duration::from_secs(seconds) / 10 {
        reading(format!("batch {batches} of seed {seed}, by the program"));
        let fault = program::read(jobs, seed, batches);
        faults.extend(fault.inspect(|fault| eprintln!("{fault}")));
        batches += 1;
        if faults.len() > 20 {
            break;
        }
    }
    batches
}

/// What a run was asked to read in place of mutants by their turn, and what is wrong with it.
fn asked(jobs: &[Job], seed: u64) -> Option<String> {
    let mut faults = String::new();
    let mut look = |name: &str, watched: Watched| {
        println!("{name}: {watched:?}");
        if let Some(fault) = watched.fault {
            let _ = writeln!(faults, "{name}: {fault}");
        }
    };
    if let Some(path) = std::env::var_os("STRANDLINE_FUZZ_FILE") {
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        for job in jobs {
            for turn in 0..WAYS {
                look(&job.target.name, job.read(&bytes, turn));
            }
        }
        return Some(faults);
    }
    let number: u64 = std::env::var("STRANDLINE_FUZZ_NUMBER")
        .ok()?
        .parse()
        .expect("a number");
    for job in jobs {
        let bytes = job.mutant(seed, number);
        std::fs::write(folder().join("asked"), &bytes).expect("the build folder is writable");
        look(&job.target.name, job.read(&bytes, number));
    }
    Some(faults)
}

fn table(jobs: &[Job]) -> String {
    let mut text = format!(
        "{:<18} {:>6} {:>10} {:>8} {:>10} {:>9} {:>9} {:>9} {:>8}\n",
        "target", "seeds", "runs", "s", "slowest ms", "its no.", "peak MB", "its no.", "guarded"
    );
    let is_guided = jobs.iter().any(|job| job.seen.edges().1 > 0);
    for Job {
        target,
        seeds,
        seen,
        account,
        ..
    } in jobs
    {
        let _ = writeln!(
            text,
            "{:<18} {:>6} {:>10} {:>8.1} {:>10.1} {:>9} {:>9.1} {:>9} {:>8}",
            target.name,
            seeds.len(),
            account.runs,
            account.time.as_secs_f64(),
            account.slowest.0.as_secs_f64() * 1e3,
            account.slowest.1,
            account.peak.0 as f64 / 1e6,
            account.peak.1,
            account.guarded,
        );
        if is_guided {
            let _ = writeln!(
                text,
                "{:>18} {} new ways, {:?} edges",
                "",
                account.kept,
                seen.edges()
            );
        }
    }
    let runs: u64 = jobs.iter().map(|job| job.account.runs).sum();
    let _ = write!(text, "{runs} runs of {} targets", jobs.len());
    text
}

#[test]
fn the_watch_sees_what_it_is_for() {
    watch::note_panics();
    let watched = |work: fn() -> targets::Outcome| watch::watch(1 << 20, work).fault;
    assert_eq!(watched(|| Ok(())), None);
    assert_eq!(watched(|| Err("odd".to_owned())), Some("odd".to_owned()));
    let panic = watched(|| {
        let _ = std::panic::catch_unwind(|| panic!("caught"));
        Ok(())
    });
    // Not one of ours, and caught; ours is seen by where it begins.
    assert_eq!(panic, None);
    assert!(watched(|| panic!("not caught")).is_some_and(|fault| fault.contains("not caught")));
    let held = watched(|| {
        let held = std::hint::black_box(vec![1_u8; 2 << 20]);
        if held.len() > 1 {
            Ok(())
        } else {
            Err(String::new())
        }
    });
    assert!(held.is_some_and(|fault| fault.contains("held")));
}

#[test]
fn a_number_is_all_that_a_mutant_takes() {
    let seeds = vec![b"some bytes".to_vec(), b"others".to_vec()];
    let made = |number| mutate::mutant(&mut mutate::random(1, "x", number), &seeds, &[b"word"]);
    assert_eq!(made(5), made(5));
    let mut all: Vec<_> = (0..200).map(made).collect();
    all.sort();
    all.dedup();
    assert!(all.len() > 150, "{} different ones", all.len());
}
