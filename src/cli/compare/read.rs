//! Reading originals and copies into trees.
//!
//! One reader reads all of them, one after the other, each on all threads: thousands of copies take no more memory than the
//! original and the largest of them. Nothing goes into a case here: what is wanted is bytes beside bytes, and a scan has told
//! the rest.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::super::{CliError, Common, pipeline};
use crate::blob::room::{self, Room};
use crate::blob::{Locator, MemberName, Sha256Digest};
use crate::copies::tree::{Gatherer, Held, Reading, is_active_hook};
use crate::exposure::{Inspector, Prefilter};
use crate::scan::analyse::{Analyser, Keep, Progress, Wishes};
use crate::scan::facts::Child;
use crate::scan::input::{self, InputRoot, Stamp, Unit};
use crate::scan::large::Spill;
use crate::scan::seen::Seen;
use crate::scan::tally::Tally;
use crate::scan::twin::{self, Twins};
use crate::scan::unit::{self, Around};
use crate::signature::SetGroup;

/// A root to be read.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// Where it lies.
    pub file: PathBuf,
    /// Label of the input that it is, or lies in.
    pub label: String,
    /// Its path below that input.
    pub path: Vec<u8>,
    /// Folders below it that are roots of their own, and stores; by their path below it.
    pub others: HashSet<Vec<u8>>,
    /// The file of the case, which is no part of a copy though it may lie in one.
    pub case: Option<PathBuf>,
    /// Leave out what is mounted below it.
    pub one_file_system: bool,
}

impl Place {
    /// The locator of the root.
    pub fn locator(&self) -> Locator {
        Locator::file(&self.label, &self.path)
    }

    /// The locator of a path below it.
    fn at(&self, path: &[u8]) -> Locator {
        let below = match (self.path.is_empty(), path.is_empty()) {
            (true, _) => path.to_vec(),
            (false, true) => self.path.clone(),
            (false, false) => [&self.path, &b"/"[..], path].concat(),
        };
        Locator::file(&self.label, &below)
    }

    /// Whether what stands at a path belongs to this root, and to none below it.
    pub fn holds(&self, path: &[u8], is_store: bool) -> bool {
        let mut folders = memchr::memchr_iter(b'/', path).map(|end| &path[..end]);
        let within = folders.any(|folder| self.others.contains(folder));
        let is_other = is_store && self.others.contains(path);
        !(within || is_other)
    }
}

/// A file of a root as it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its path below the root.
    pub path: Vec<u8>,
    /// SHA-256, where it is one file and was read.
    pub sha256: Option<Sha256Digest>,
    /// Its size and times.
    pub stamp: Stamp,
    /// It is a git store.
    pub is_store: bool,
}

/// What was read of a root.
pub struct ReadPlace {
    /// Its files.
    pub reading: Reading,
    /// Its units, sorted by path.
    pub units: Vec<Found>,
    /// The root is a git store.
    pub is_store: bool,
    /// What became of each entry.
    pub tally: Tally,
    /// Bytes of the files that were read.
    pub bytes: u64,
}

/// What the store of a work tree is counted as: of it only hooks are read, which are files of their own here.
const ASIDE: &str = "store-of-work-tree";

/// Reads roots.
pub struct Reader {
    analyser: Analyser,
    pool: Option<rayon::ThreadPool>,
    room: Arc<Room>,
    memory: u64,
}

/// What is done of a root so far.
struct Under<'h> {
    gatherer: Gatherer<'h>,
    /// Units that are done before it is their turn; nothing, where nothing was to be read.
    waiting: BTreeMap<usize, Option<Child>>,
    next: usize,
    seen: Vec<Found>,
    tally: Tally,
}

impl Reader {
    /// Makes one; behind the wall, which its threads inherit. `jobs` was asked of the system before.
    pub fn new(common: &Common, jobs: usize) -> Self {
        let progress = Arc::new(Progress::default());
        pipeline::stop_on_interrupt(&progress);
        let limits = common.limits();
        let room = Room::new(limits.memory, jobs);
        let enter = Arc::clone(&room);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(jobs)
            .stack_size(crate::exposure::inventory::WORKER_STACK_BYTES)
            .start_handler(move |_| enter.enter())
            .build();
        Self {
            memory: limits.memory,
            analyser: Analyser {
                limits,
                sets: SetGroup::default(),
                wishes: Wishes {
                    record_all: false,
                    keep: Keep::Leaves,
                },
                seen: Seen::default(),
                spill: common.spill.clone().map(Spill::into_folder),
                prefilter: Prefilter::new(),
                organisation: None,
                inspector: Inspector::off(),
                collector: None,
                progress,
            },
            // Without threads of its own the work is done on this one.
            pool: pool.ok(),
            room,
        }
    }

    /// Does work on the threads that read.
    pub fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match &self.pool {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// Reads a root. Contents that are `held` already are not held once more.
    ///
    /// # Errors
    /// When it is not there, or the user stops the program.
    pub fn read(&self, place: &Place, held: Option<&Held>) -> Result<ReadPlace, CliError> {
        let paths = [place.file.clone()];
        let mut roots = input::look_at(&paths, Some("root"), place.one_file_system)?;
        let root = roots.remove(0);
        let (mut units, walked) = input::walk(0, &root, &mut Twins::default());
        pipeline::own_files(place.case.as_deref(), &root, &mut units);
        units.retain(|unit| place.holds(&unit.path, unit.store.is_some()));
        let is_store = matches!(units.as_slice(), [only] if only.store.is_some());
        if !is_store {
            units = units.into_iter().flat_map(with_hooks).collect();
        }
        let mut gatherer = Gatherer::new(&place.locator(), self.memory, held);
        for (path, trouble) in &walked.troubles {
            gatherer.note_trouble(trouble, &place.at(path));
        }
        let under = Mutex::new(Under {
            gatherer,
            waiting: BTreeMap::new(),
            next: 0,
            seen: Vec::new(),
            tally: Tally {
                other: walked.other.clone(),
                ..Tally::default()
            },
        });
        self.read_units(place, &root, &units, &under);
        if self.analyser.progress.stop.load(Ordering::Relaxed) {
            return Err(CliError::new("stopped before the end"));
        }
        let under = under.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(ReadPlace {
            reading: under.gatherer.finish(),
            units: under.seen,
            is_store,
            tally: under.tally,
            bytes: twin::bytes_of(units.iter().filter(|unit| !is_aside(unit, &units))),
        })
    }

    /// Reads units on all threads, and takes them in order.
    fn read_units(&self, place: &Place, root: &InputRoot, units: &[Unit], under: &Mutex<Under>) {
        let around = Around {
            roots: std::slice::from_ref(root),
            units,
            whole_max: unit::whole_max(&self.analyser.limits),
        };
        let next = AtomicUsize::new(0);
        let runner = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(unit) = units.get(index) else { return };
                // Of the store beside a work tree nothing is read.
                let child = if is_aside(unit, units) {
                    None
                } else {
                    let share = self.room.unit(unit::held(unit, &self.analyser.limits));
                    let child = unit::read(&self.analyser, root, unit, &around);
                    room::settle();
                    drop(share);
                    match child {
                        Some(child) => Some(child),
                        None => return,
                    }
                };
                let mut under = under.lock().unwrap_or_else(PoisonError::into_inner);
                under.done(place, root, units, index, child);
            }
        };
        match &self.pool {
            // One runner on each thread, as in a scan: one that waits for its batches must not begin another unit.
            Some(pool) => drop(pool.broadcast(|_| runner())),
            None => runner(),
        }
    }
}

/// Whether a unit is the store of a work tree.
fn is_aside(unit: &Unit, units: &[Unit]) -> bool {
    unit.store.is_some()
        && units.len() > 1
        && unit.path.ends_with(b".git")
        && is_dot_git(&unit.path)
}

/// Whether a path is called `.git`.
fn is_dot_git(path: &[u8]) -> bool {
    let above = path.strip_suffix(b".git".as_slice());
    above.is_some_and(|above| above.is_empty() || above.ends_with(b"/"))
}

/// A unit, and the hooks of the store that it is.
fn with_hooks(unit: Unit) -> Vec<Unit> {
    let mut units = Vec::new();
    if is_dot_git(&unit.path)
        && let Some(files) = &unit.store
    {
        let hooks = files.iter().filter(|file| is_active_hook(&file.path));
        units.extend(hooks.map(|file| Unit {
            input: unit.input,
            path: [&unit.path, &b"/"[..], &file.path].concat(),
            stamp: Stamp {
                size: file.len,
                ..Stamp::default()
            },
            store: None,
            twin: None,
        }));
    }
    units.insert(0, unit);
    units
}

/// The path of a hook in its store, and that of the store; `None` of anything else.
fn as_hook(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memmem::rfind(path, b".git/hooks/")?;
    let (store, hook) = path.split_at(at + b".git".len());
    is_dot_git(store).then_some((store, &hook[1..]))
}

impl Under<'_> {
    fn done(
        &mut self,
        place: &Place,
        root: &InputRoot,
        units: &[Unit],
        index: usize,
        child: Option<Child>,
    ) {
        self.waiting.insert(index, child);
        while let Some(child) = self.waiting.remove(&self.next) {
            if let Some(unit) = units.get(self.next) {
                self.take(place, root, unit, units, child.as_ref());
            }
            self.next += 1;
        }
    }

    fn take(
        &mut self,
        place: &Place,
        root: &InputRoot,
        unit: &Unit,
        units: &[Unit],
        child: Option<&Child>,
    ) {
        let path = &unit.path;
        match child {
            Some(child) => self.tally.add(child),
            None => *self.tally.other.entry(ASIDE.to_owned()).or_insert(0) += 1,
        }
        if let (Some((store, hook)), None, Some(child)) = (as_hook(path), &unit.store, child) {
            let name = MemberName::Named(hook.to_vec());
            let at = place.at(store).member("git", &name, 1);
            self.gatherer.take(child, &at, path);
            return;
        }
        self.seen.push(Found {
            path: path.clone(),
            sha256: child.and_then(|child| child.sha256),
            stamp: unit.stamp,
            is_store: unit.store.is_some(),
        });
        let Some(child) = child else { return };
        let at = place.at(path);
        let is_all = units.len() == 1 && unit.store.is_some();
        if !root.is_folder || is_all {
            let name = place.file.file_name().unwrap_or_default();
            self.gatherer.take_root(child, &at, name.as_encoded_bytes());
        } else if unit.store.is_some() {
            self.gatherer.take_bare(child, &at, path);
        } else {
            self.gatherer.take(child, &at, path);
        }
    }
}
