//! What the inventory costs: one thread, each distinct script below a folder once.
//!
//!     strandline recover fixtures/packages/*.tgz --output /tmp/recovered
//!     cargo bench --bench inventory -- /tmp/recovered/sources
//!
//! Prints MB/s over the bytes of all scripts, the best of three rounds by the time that the thread ran, and how many items
//! of each kind there are.

use std::collections::{BTreeMap, HashSet};
use std::error::Error;
use std::path::PathBuf;

use strandline::exposure::inventory::{WORKER_STACK_BYTES, items_of, on_worker_stack};
use strandline::lex::{Family, family_of};

mod clock;

use clock::ran;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const ROUNDS: usize = 3;

fn main() -> Outcome<()> {
    let folder = std::env::args()
        .skip(1)
        .find(|given| !given.starts_with("--"));
    let Some(folder) = folder else {
        println!("name a folder of recovered sources");
        return Ok(());
    };
    // As the workers of a scan have it.
    let work = std::thread::Builder::new().stack_size(WORKER_STACK_BYTES);
    let done = work.spawn(move || measure(PathBuf::from(folder)))?.join();
    done.unwrap_or_else(|_| Err("a panic".into()))
}

fn measure(folder: PathBuf) -> Outcome<()> {
    on_worker_stack();
    let texts = scripts(folder)?;
    let bytes: usize = texts.iter().map(Vec::len).sum();
    let mut best = f64::INFINITY;
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    for _ in 0..ROUNDS {
        kinds.clear();
        let start = ran()?;
        for text in &texts {
            for item in items_of(text) {
                *kinds.entry(item.kind).or_default() += 1;
            }
        }
        best = best.min((ran()? - start) as f64 / 1e9);
    }
    let mb = bytes as f64 / 1e6;
    println!("{} scripts, {mb:.1} MB: {:.1} MB/s", texts.len(), mb / best);
    println!("{kinds:?}");
    Ok(())
}

/// Each distinct script below a folder.
fn scripts(folder: PathBuf) -> Outcome<Vec<Vec<u8>>> {
    let (mut seen, mut texts, mut work) = (HashSet::new(), Vec::new(), vec![folder]);
    while let Some(path) = work.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path)?;
            let mut entries: Vec<_> = entries
                .filter_map(|entry| Some(entry.ok()?.path()))
                .collect();
            entries.sort();
            work.append(&mut entries);
        } else if let Ok(text) = std::fs::read(&path)
            && seen.insert(blake3::hash(&text))
            && family_of(&text) == Family::Script
        {
            texts.push(text);
        }
    }
    Ok(texts)
}
