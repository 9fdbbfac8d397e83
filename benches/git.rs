//! Every object of a git store, beside git itself.
//!
//! `cargo bench --bench git -- STORE [--rounds N] [--program STRANDLINE]`, where STORE is a git directory, such as
//! `fixtures/big_repository.py` makes. Each contestant is a process of its own; what is compared is CPU time, user and
//! system, as the system counts it for children (Linux, `/proc/self/stat`).
//!
//! `by id` decodes every object, computes its name and looks that up in a table of 10,000; `with digests` makes BLAKE3 and
//! SHA-256 of each entry beside it; the last one is a whole scan with all default rules, and with paths and commits of
//! what it found. git decodes every object and writes it to `/dev/null`; it computes no names.

use std::collections::HashSet;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use strandline::blob::{ContentKey, Limits, Sha256Digest};
use strandline::container::git::store::{StoreFile, StoreFiles, StoreWalker};
use strandline::container::{Body, Event, Input, InputFile, Trouble, Walker};

type Outcome<T> = Result<T, Box<dyn Error>>;

const GIT: &str = "git cat-file --batch --unordered";
const BY_ID: &str = "by id";
const DIGESTS: &str = "with digests";
const SCAN: &str = "strandline scan --jobs 1";
const ALL: [&str; 4] = [GIT, BY_ID, DIGESTS, SCAN];

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|one| one != "--bench")
        .collect();
    if let [mode, store] = &arguments[..]
        && ALL.contains(&mode.as_str())
    {
        return walk(Path::new(store), mode == DIGESTS);
    }
    let usage = "usage: git STORE [--rounds N] [--program STRANDLINE]";
    let store = PathBuf::from(arguments.first().ok_or(usage)?);
    let option = |name: &str| {
        let at = arguments.iter().position(|one| one == name)?;
        arguments.get(at + 1).cloned()
    };
    let rounds: usize = option("--rounds").map_or(Ok(3), |rounds| rounds.parse())?;
    let program = option("--program").unwrap_or_else(|| "target/release/strandline".to_owned());
    compete(&store, rounds.max(1), &program)
}

/// The files of a git directory.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    files: Vec<StoreFile>,
}

impl StoreFiles for Folder {
    fn list(&self) -> &[StoreFile] {
        &self.files
    }

    fn open(&self, number: usize) -> Result<Input, Trouble> {
        let file = &self.files[number];
        let path = self.path.join(String::from_utf8_lossy(&file.path).as_ref());
        let failed =
            |error: std::io::Error| Trouble::skipped("unreadable", error.to_string(), None);
        let opened = InputFile::new(std::fs::File::open(path).map_err(failed)?, file.len);
        // As a scan does: what is small is read whole.
        if file.len > 64 << 20 {
            return Ok(Input::File(opened));
        }
        opened
            .read_at(0, file.len as usize)
            .map(Input::Memory)
            .map_err(failed)
    }
}

fn walk(store: &Path, with_digests: bool) -> Outcome<()> {
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(store) {
        let entry = entry?;
        if entry.file_type().is_file() {
            let path = entry.path().strip_prefix(store)?.to_string_lossy();
            files.push(StoreFile {
                path: path.into_owned().into_bytes(),
                len: entry.metadata()?.len(),
            });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let table: HashSet<Vec<u8>> = (0..10_000_u32)
        .map(|number| {
            blake3::hash(&number.to_le_bytes()).to_hex()[..40]
                .as_bytes()
                .to_vec()
        })
        .collect();
    let path = store.to_path_buf();
    let mut walker = StoreWalker::new(Box::new(Folder { path, files }), &Limits::default());
    let (mut found, mut entries, mut bytes) = (0, 0_u64, 0);
    while let Some(event) = walker.next() {
        let Event::Member(member) = event else {
            continue;
        };
        let Body::Held(content) = &member.body else {
            continue;
        };
        found += usize::from(table.contains(member.name.bytes()));
        entries += 1;
        bytes += content.len();
        if with_digests {
            std::hint::black_box((ContentKey::of(content), Sha256Digest::of(content)));
        }
    }
    eprintln!("{entries} entries of {bytes} bytes, {found} in the table");
    Ok(())
}

fn compete(store: &Path, rounds: usize, program: &str) -> Outcome<()> {
    let own = std::env::current_exe()?;
    let mut ticks = [u64::MAX; 4];
    for round in 0..rounds {
        for turn in 0..ALL.len() {
            let index = (round + turn) % ALL.len();
            let mut command = match ALL[index] {
                GIT => {
                    let mut command = Command::new("git");
                    command.arg("-C").arg(store).args([
                        "cat-file",
                        "--batch-all-objects",
                        "--batch",
                        "--unordered",
                    ]);
                    command
                }
                SCAN => {
                    let mut command = Command::new(program);
                    command.args(["scan", "--quiet", "--jobs", "1"]).arg(store);
                    command
                }
                mode => {
                    let mut command = Command::new(&own);
                    command.arg(mode).arg(store);
                    command
                }
            };
            let before = ticks_of_children()?;
            let status = command.stdout(Stdio::null()).status()?;
            ticks[index] = ticks[index].min(ticks_of_children()? - before);
            if !status.success() && ALL[index] != SCAN {
                return Err(format!("{} ended with {status}", ALL[index]).into());
            }
        }
    }
    println!("| program | CPU-s, best of {rounds} | CPU ÷ git |\n| --- | ---: | ---: |");
    for (index, name) in ALL.iter().enumerate() {
        println!(
            "| {name} | {:.2} | {:.2} |",
            ticks[index] as f64 / 100.0,
            ticks[index] as f64 / ticks[0].max(1) as f64
        );
    }
    Ok(())
}

/// CPU time of all children that have ended, in ticks of 10 ms (proc(5), `cutime` and `cstime`).
fn ticks_of_children() -> Outcome<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit_once(')').ok_or("no stat")?.1;
    let mut numbers = fields.split_whitespace().skip(13).map(str::parse::<u64>);
    let mut next = || numbers.next().ok_or("no times in stat");
    Ok(next()?? + next()??)
}
