//! Names of git objects held against signature sets, as a triage does it: on one core, in millions a CPU-second.
//!
//! `cargo bench --bench triage -- [--ids N] [--rounds N] [STORE]`. The index is made here, of N names (5,000,000 unless
//! said otherwise) in one pack and in two that share half of them; a STORE is a git directory, whose indexes are read
//! as they are. What is measured is CPU time of this one thread, user and system, as the system counts it (Linux,
//! `/proc/self/stat`, in ticks of 10 ms), from the bytes of an index in memory to the last answer: reading, checking its order and its sums, and asking each set for each name.

use std::error::Error;
use std::hint::black_box;

use bytes::Bytes;
use strandline::blob::Limits;
use strandline::container::git::names::StoreNames;
use strandline::container::git::store::{StoreFile, StoreFiles};
use strandline::container::{Input, Trouble};
use strandline::signature::{FileEntry, Options, PartyFlag, Set, SetBuilder};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Files of each signed work.
const FILES: u32 = 10_000;

#[derive(Debug)]
struct Made(Vec<StoreFile>, Vec<Bytes>);

impl StoreFiles for Made {
    fn list(&self) -> &[StoreFile] {
        &self.0
    }

    fn open(&self, number: usize) -> Result<Input, Trouble> {
        Ok(Input::Memory(self.1[number].clone()))
    }
}

/// A store of these indexes, each beside a pack that is nothing but its head.
fn store(indexes: Vec<Vec<u8>>) -> Made {
    let mut files = Vec::new();
    for (number, index) in indexes.into_iter().enumerate() {
        let count = index[8 + 1_020..8 + 1_024].to_vec();
        let pack = [&b"PACK\0\0\0\x02"[..], &count].concat();
        files.push((format!("objects/pack/{number}.idx"), index));
        files.push((format!("objects/pack/{number}.pack"), pack));
    }
    files.sort();
    let list = files.iter().map(|(path, bytes)| StoreFile {
        path: path.clone().into_bytes(),
        len: bytes.len() as u64,
    });
    let list = list.collect();
    Made(
        list,
        files.into_iter().map(|(_, bytes)| bytes.into()).collect(),
    )
}

fn name(number: u32) -> [u8; 20] {
    let mut name = [0; 20];
    name.copy_from_slice(&blake3::hash(&number.to_le_bytes()).as_bytes()[..20]);
    name
}

/// An index of version 2.
fn index(mut names: Vec<[u8; 20]>) -> Vec<u8> {
    names.sort_unstable();
    let mut bytes = b"\xfftOc\0\0\0\x02".to_vec();
    for first in 0..=u8::MAX {
        let sum = names.partition_point(|name| name[0] <= first) as u32;
        bytes.extend(sum.to_be_bytes());
    }
    bytes.extend(names.as_flattened());
    bytes.resize(bytes.len() + names.len() * 8 + 40, 0);
    bytes
}

fn set(number: u32) -> Outcome<Set> {
    let mut builder = SetBuilder::new(format!("work {number}"), "1", Options::default());
    for file in 0..FILES {
        let text = format!("file {file} of work {number}\n");
        builder.add(FileEntry::of(
            format!("{file}.ts"),
            PartyFlag::First,
            text.as_bytes(),
        ));
    }
    Ok(Set::from_bytes(builder.finish()?.set_bytes, None)?)
}

/// Millions of names a CPU-second, best of so many rounds.
fn rate(store: &Made, sets: &[Set], rounds: u32) -> Outcome<(f64, u64)> {
    let (mut best, mut asked) = (0.0_f64, 0);
    for _ in 0..rounds {
        let before = ticks()?;
        let names = StoreNames::of(store, &Limits::default());
        let mut found = 0_usize;
        asked = names.each::<20>(|id| {
            for set in sets {
                found += set.find_git(id).len();
            }
        });
        black_box(found);
        let seconds = (ticks()? - before).max(1) as f64 / 100.0;
        best = best.max(asked as f64 / seconds / 1e6);
    }
    Ok((best, asked))
}

/// CPU time of this process so far, in ticks of 10 ms (proc(5), `utime` and `stime`).
fn ticks() -> Outcome<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit_once(')').ok_or("no stat")?.1;
    let mut numbers = fields.split_whitespace().skip(11).map(str::parse::<u64>);
    let mut next = || numbers.next().ok_or("no times in stat");
    Ok(next()?? + next()??)
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|one| one != "--bench")
        .collect();
    let option = |name: &str| {
        let at = arguments.iter().position(|one| one == name)?;
        arguments.get(at + 1)?.parse::<u32>().ok()
    };
    let (ids, rounds) = (
        option("--ids").unwrap_or(5_000_000),
        option("--rounds").unwrap_or(5),
    );
    let sets = [set(0)?, set(1)?, set(2)?];
    let one = store(vec![index((0..ids).map(name).collect())]);
    let two = store(vec![
        index((0..ids / 4 * 3).map(name).collect()),
        index((ids / 4..ids).map(name).collect()),
    ]);
    let mut rows = vec![("one index", one), ("two, half of each in both", two)];
    if let Some(path) = arguments
        .last()
        .filter(|last| std::path::Path::new(last).is_dir())
    {
        let packs = std::path::Path::new(path).join("objects/pack");
        let mut real = Vec::new();
        for entry in std::fs::read_dir(packs)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "idx") {
                real.push(std::fs::read(path)?);
            }
        }
        rows.push(("a real store", store(real)));
    }
    println!(
        "| names | sets of {FILES} files | distinct names | million a CPU-second, best of {rounds} |\n| --- | ---: | ---: | ---: |"
    );
    for (what, store) in &rows {
        for count in [1, 3] {
            let (rate, asked) = rate(store, &sets[..count], rounds)?;
            println!("| {what} | {count} | {asked} | {rate:.1} |");
        }
    }
    Ok(())
}
