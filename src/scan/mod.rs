//! The engine: the one pass that ties the stages together.
//!
//! Workers take units in order and finish them in any order; one writer takes the results back in order through a
//! bounded window and hands them on. So memory stays bounded, what is committed is always a beginning of the
//! whole, and the result is the same for any number of threads.
//!
//! Each unit gives three things: an account ([`tally`]), records of everything whose place is inside the unit
//! ([`place`]), and the facts of a loose file that wait for its neighbours ([`OpenFacts`]).

pub mod analyse;
mod beside;
pub mod building;
pub mod facts;
pub mod files;
pub mod formats;
pub mod gates;
pub mod heads;
mod hollow;
pub mod images;
pub mod input;
pub mod large;
mod links;
pub mod packages;
pub mod parts;
pub mod place;
pub mod public;
pub mod scope;
pub mod seen;
pub mod several;
mod streamed;
pub mod tally;
pub mod tree_id;
pub mod triage;
pub mod twin;
pub mod unit;
mod yara;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::blob::room::{self, Room};
use crate::blob::{Locator, Sha256Digest};
use crate::container::image::Part;
use crate::exposure::Manifest;
use analyse::Analyser;
use facts::Child;
use input::{InputRoot, Unit};
use place::{Placed, Placer};
use scope::Scope;
use tally::Tally;
use triage::Triage;

/// Units that may be finished or under way before the first of them is committed.
const WINDOW: usize = 4_096;
/// Units that are handed to the writer at once, at most.
const COMMIT_MAX: usize = 512;

/// Facts that cannot be placed before the folder round the file is known.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum OpenFacts {
    /// A file that is no archive.
    Loose(Box<Child>),
    /// An archive that is called as a layer of a container image is: what it holds stands in the image's other files.
    Layer(Box<Child>),
    /// An archive, placed already; what its neighbourhood may still say of it.
    Archive {
        /// Its format.
        kind: String,
        /// SHA-256 of its bytes.
        sha256: Option<Sha256Digest>,
        /// The manifest of the package that it holds.
        inner: Option<Manifest>,
    },
}

/// A unit that was read.
#[derive(Debug)]
pub struct UnitDone {
    /// Index in the list of units.
    pub index: usize,
    /// Its account.
    pub tally: Tally,
    /// What could be placed already.
    pub placed: Placed,
    /// What could not.
    pub open: Option<OpenFacts>,
    /// SHA-256 of the file.
    pub sha256: Option<Sha256Digest>,
    /// Another run over the same file would give the same; not so where it could not be read or changed meanwhile.
    pub is_final: bool,
    /// The facts, where the run keeps bytes.
    pub kept: Option<Box<Child>>,
}

/// No neighbours: the scope of an archive that is an input or a loose file.
pub struct Alone;

impl Scope for Alone {
    fn package_of(&self, _path: &[u8]) -> Option<(&[u8], &Manifest)> {
        None
    }

    fn find(&self, _path: &[u8]) -> Option<String> {
        None
    }

    fn script_of(&self, _path: &[u8], _map: &str) -> Option<gates::Script> {
        None
    }

    fn has_name(&self, _number: u32) -> bool {
        false
    }
}

/// Everything that a scan works with.
pub struct Scan<'a> {
    /// From bytes to facts.
    pub analyser: &'a Analyser,
    /// From facts to records.
    pub placer: Placer<'a>,
    /// The inputs.
    pub roots: &'a [InputRoot],
    /// All units, sorted.
    pub units: &'a [Unit],
    /// Threads.
    pub jobs: usize,
    /// Look at indexes and headers only.
    pub triage: Option<Triage>,
}

/// Where the writer has come to, for those who wait for the window.
#[derive(Default)]
struct Window {
    committed: Mutex<usize>,
    moved: Condvar,
}

impl Window {
    fn advance(&self, by: usize) {
        *self
            .committed
            .lock()
            .unwrap_or_else(PoisonError::into_inner) += by;
        self.moved.notify_all();
    }

    /// Waits until the `turn`th unit may be begun; helps with batches of others meanwhile.
    fn wait(&self, turn: usize, stop: impl Fn() -> bool) {
        loop {
            let committed = self
                .committed
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if turn < *committed + WINDOW || stop() {
                return;
            }
            drop(committed);
            if rayon::yield_now() == Some(rayon::Yield::Executed) {
                continue;
            }
            let committed = self
                .committed
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let _ = self
                .moved
                .wait_timeout(committed, Duration::from_millis(20));
        }
    }
}

impl Scan<'_> {
    /// Reads the units whose indices are in `todo` (ascending) and hands them to `commit`, in order, some at a
    /// time. Ends early, without an error, when the run is to stop.
    ///
    /// # Errors
    /// The first error of `commit`; no further unit is begun then.
    ///
    /// # Panics
    /// When the system gives no threads.
    pub fn run<E: Send>(
        &self,
        todo: &[usize],
        mut commit: impl FnMut(Vec<UnitDone>) -> Result<(), E>,
    ) -> Result<(), E> {
        let window = Window::default();
        let (sender, receiver) = std::sync::mpsc::sync_channel(WINDOW);
        std::thread::scope(|threads| {
            let work = threads.spawn(|| self.work(todo, &window, sender));
            let result = self.write(todo, &window, &receiver, &mut commit);
            if result.is_err() {
                self.analyser.progress.stop.store(true, Ordering::Relaxed);
                window.moved.notify_all();
            }
            // Workers that still send must not wait for a writer that has gone.
            drop(receiver);
            if let Err(panic) = work.join() {
                std::panic::resume_unwind(panic);
            }
            result
        })
    }

    fn work(&self, todo: &[usize], window: &Window, sender: SyncSender<(usize, UnitDone)>) {
        let next = AtomicUsize::new(0);
        let room = Room::new(self.analyser.limits.memory, self.jobs);
        let runner = || {
            room.enter();
            loop {
                let turn = next.fetch_add(1, Ordering::Relaxed);
                let Some(&index) = todo.get(turn) else { return };
                let stop = || self.analyser.progress.stop.load(Ordering::Relaxed);
                window.wait(turn, stop);
                if stop() {
                    return;
                }
                let share = room.unit(unit::held(&self.units[index], &self.analyser.limits));
                let done = self.read(index);
                room::settle();
                drop(share);
                let Some(done) = done else { return };
                if sender.send((turn, done)).is_err() {
                    return;
                }
            }
        };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.jobs)
            .thread_name(|index| format!("scan-{index}"))
            .stack_size(crate::exposure::inventory::WORKER_STACK_BYTES)
            .start_handler(|_| crate::exposure::inventory::on_worker_stack())
            .build();
        match pool {
            // One runner on each thread, where no other thread can take it: a thread that waits for its batches helps
            // with those of others, and would never come back from a runner that waits for the unit it left.
            Ok(pool) => drop(pool.broadcast(|_| runner())),
            // Without threads of its own the work is done on this one.
            Err(_) => runner(),
        }
    }

    /// Takes results back in order and hands on what is next.
    fn write<E>(
        &self,
        todo: &[usize],
        window: &Window,
        receiver: &Receiver<(usize, UnitDone)>,
        commit: &mut impl FnMut(Vec<UnitDone>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut waiting = BTreeMap::new();
        let mut next = 0;
        while next < todo.len() {
            let Ok((turn, done)) = receiver.recv() else {
                return Ok(());
            };
            waiting.insert(turn, done);
            while let Ok((turn, done)) = receiver.try_recv() {
                waiting.insert(turn, done);
            }
            loop {
                let mut ready = Vec::new();
                while ready.len() < COMMIT_MAX
                    && let Some(done) = waiting.remove(&next)
                {
                    ready.push(done);
                    next += 1;
                }
                if ready.is_empty() {
                    break;
                }
                let count = ready.len();
                commit(ready)?;
                window.advance(count);
            }
        }
        Ok(())
    }

    /// Where other units are found.
    fn around(&self) -> unit::Around<'_> {
        unit::Around {
            roots: self.roots,
            units: self.units,
            whole_max: unit::whole_max(&self.analyser.limits),
        }
    }

    /// Reads one unit and places what can be placed.
    fn read(&self, index: usize) -> Option<UnitDone> {
        let unit = &self.units[index];
        let root = &self.roots[unit.input];
        if let Some(triage) = &self.triage {
            let mut done = triage::read(self, triage, index)?;
            done.placed.remotes = unit::remotes(root, unit);
            done.placed.hold_git_folder(&root.label, &unit.path);
            let progress = &self.analyser.progress;
            progress
                .bytes_in
                .fetch_add(unit.stamp.size, Ordering::Relaxed);
            return Some(done);
        }
        let child = unit::read(self.analyser, root, unit, &self.around())?;
        let progress = &self.analyser.progress;
        progress
            .bytes_in
            .fetch_add(unit.stamp.size, Ordering::Relaxed);
        let at = Locator::file(&root.label, &unit.path);
        let mut placed = Placed {
            remotes: unit::remotes(root, unit),
            ..Placed::default()
        };
        let is_layer = matches!(child.facts.image.as_deref(), Some(Part::Layer(_)));
        let open = if is_layer && child.facts.is_archive() {
            Some(OpenFacts::Layer(Box::new(child.clone())))
        } else if child.facts.is_archive() {
            self.placer
                .place(&child, &at, &unit.path, &Alone, &mut placed);
            // Nothing is owed to a package round it yet.
            placed.stats.clear();
            placed.hold_git_folder(&root.label, &unit.path);
            Some(OpenFacts::Archive {
                kind: child.facts.kind.clone(),
                sha256: child.sha256,
                inner: child
                    .facts
                    .tree
                    .as_ref()
                    .and_then(packages::head_manifest)
                    .cloned(),
            })
        } else if waits(&child, &unit.path, self.placer.record_all)
            || (self.placer.sets.has_works() && crate::exposure::is_licence_name(&unit.path))
        {
            Some(OpenFacts::Loose(Box::new(child.clone())))
        } else {
            None
        };
        Some(UnitDone {
            index,
            tally: Tally::of(&child),
            placed,
            open,
            sha256: child.sha256,
            is_final: !child.trouble.as_ref().is_some_and(unit::may_pass),
            kept: (self.analyser.wishes.keep != analyse::Keep::Nothing).then(|| Box::new(child)),
        })
    }
}

/// Whether a loose file has something to tell that its folder decides.
fn waits(child: &Child, path: &[u8], record_all: bool) -> bool {
    record_all
        || !child.facts.is_plain()
        || child.trouble.is_some()
        || crate::exposure::name_is_of_interest(path)
}
