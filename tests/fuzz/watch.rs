//! What is watched while a mutant is read: panics, memory and time.
//!
//! The library turns a panic of a parser into a problem of the entry, which is right for a user and hides from a test
//! what it is looking for. So panics are seen where they begin, by the hook. Memory is counted by the allocator, for each
//! thread: what a parser holds at its peak is its own, whatever else runs. Time is only for what never ends; what is merely
//! slow is told at the end of a run, with the number of its mutant.

// The allocator and the compiler's counters, and nothing else of the tests.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A thread that asks for more than this is stopped at once, in bytes: the machine has other work.
const AT_ONCE_MAX: usize = 2 << 30;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static PANICS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// The system's allocator, counting.
pub struct Counting;

fn count(by: isize) {
    // Threads that end have no counters any more.
    let _ = LIVE.try_with(|live| {
        live.set(live.get() + by);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(live.get())));
    });
}

// SAFETY: everything is done by the system's allocator, with the arguments as they came; counting touches no memory of
// theirs. Null is what an allocator that has nothing gives.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() > AT_ONCE_MAX {
            return std::ptr::null_mut();
        }
        count(layout.size() as isize);
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.size() > AT_ONCE_MAX {
            return std::ptr::null_mut();
        }
        count(layout.size() as isize);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if size > AT_ONCE_MAX {
            return std::ptr::null_mut();
        }
        count(size as isize - layout.size() as isize);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Notes panics of this program's threads instead of printing them.
pub fn note_panics() {
    panic::set_hook(Box::new(|info| {
        let place = info
            .location()
            .map_or_else(String::new, |at| format!("{}:{}", at.file(), at.line()));
        let said = info.payload_as_str().unwrap_or("a panic without words");
        PANICS.with_borrow_mut(|panics| panics.push(format!("{place}: {said}")));
    }));
}

/// How reading a mutant went.
#[derive(Debug, Default)]
pub struct Watched {
    /// What is wrong, if anything is.
    pub fault: Option<String>,
    /// The most that was held at a time, in bytes, beyond what was held before.
    pub peak: u64,
    /// How long it took.
    pub time: Duration,
    /// Panics of a library's that were caught where they are looked for.
    pub guarded: usize,
}

/// Runs a target on a mutant.
pub fn watch(memory_max: u64, work: impl FnOnce() -> Result<(), String>) -> Watched {
    let before = LIVE.get();
    PEAK.set(before);
    let clock = Instant::now();
    let ended = panic::catch_unwind(AssertUnwindSafe(work));
    let time = clock.elapsed();
    let peak = (PEAK.get() - before).max(0) as u64;
    let panics = PANICS.take();
    // A panic in our own code is a fault wherever it ends. One in a library's is where nobody caught it.
    let own = panics.iter().find(|panic| panic.starts_with("src/"));
    let fault = match (ended, own) {
        (_, Some(panic)) => Some(format!("a panic at {panic}")),
        (Err(_), None) => Some(format!("a panic at {}", panics.join("; "))),
        (Ok(Err(fault)), None) => Some(fault),
        (Ok(Ok(())), None) if peak > memory_max => {
            Some(format!("held {peak} bytes, more than {memory_max}"))
        }
        (Ok(Ok(())), None) => None,
    };
    Watched {
        fault,
        peak,
        time,
        guarded: panics.len(),
    }
}

/// Ends the whole program when one mutant takes longer than this: it is a hang, on the slowest of machines.
const HANG: Duration = Duration::from_secs(120);

/// What is being read, for who waits for its end.
#[derive(Debug, Default)]
pub struct Dog {
    beat: AtomicU64,
}

impl Dog {
    /// One that has seen nothing.
    pub const fn new() -> Self {
        Self {
            beat: AtomicU64::new(0),
        }
    }

    /// One more mutant was read.
    pub fn beat(&self) {
        self.beat.fetch_add(1, Ordering::Relaxed);
    }

    /// Watches until the program ends.
    pub fn watch(&'static self, what: impl Fn() -> String + Send + 'static) {
        std::thread::spawn(move || {
            let (mut last, mut since) = (0, Instant::now());
            loop {
                std::thread::sleep(Duration::from_secs(1));
                let beat = self.beat.load(Ordering::Relaxed);
                if beat != last {
                    (last, since) = (beat, Instant::now());
                } else if since.elapsed() > HANG {
                    eprintln!("fuzz: no end after {HANG:?}: {}", what());
                    std::process::abort();
                }
            }
        });
    }
}

/// Which branches were taken, where the library was built to say so (`fixtures/fuzz/guided`); nothing otherwise.
///
/// The compiler writes a counter of 8 bits at each edge, and calls [`__sanitizer_cov_8bit_counters_init`] with the place of
/// all of them before `main` (LLVM, "SanitizerCoverage", "Inline 8bit-counters").
pub mod coverage {
    use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicUsize, Ordering};

    static START: AtomicPtr<AtomicU8> = AtomicPtr::new(std::ptr::null_mut());
    static LEN: AtomicUsize = AtomicUsize::new(0);

    // SAFETY: no other item of this program has the name, which is the compiler's.
    #[unsafe(no_mangle)]
    extern "C" fn __sanitizer_cov_8bit_counters_init(start: *mut AtomicU8, end: *mut AtomicU8) {
        START.store(start, Ordering::Relaxed);
        LEN.store(
            (end as usize).saturating_sub(start as usize),
            Ordering::Relaxed,
        );
    }

    fn counters() -> &'static [AtomicU8] {
        let start = START.load(Ordering::Relaxed);
        if start.is_null() {
            return &[];
        }
        // SAFETY: the compiler gave the range, which is there for as long as the program; what it writes there without
        // atomics it writes on the thread that reads it here.
        unsafe { std::slice::from_raw_parts(start, LEN.load(Ordering::Relaxed)) }
    }

    /// Begins to count anew.
    pub fn begin() {
        for counter in counters() {
            counter.store(0, Ordering::Relaxed);
        }
    }

    /// What was ever seen: for each edge, the orders of how often it was taken.
    #[derive(Debug, Default)]
    pub struct Map(Vec<u8>);

    impl Map {
        /// Takes what was counted; whether there is something in it that was not seen before.
        pub fn take(&mut self) -> bool {
            let counters = counters();
            self.0.resize(counters.len(), 0);
            let mut is_new = false;
            for (seen, counter) in self.0.iter_mut().zip(counters) {
                let count = counter.load(Ordering::Relaxed);
                if count > 0 {
                    let order = 1 << count.ilog2();
                    is_new |= *seen & order == 0;
                    *seen |= order;
                }
            }
            is_new
        }

        /// Edges that were taken, of all there are.
        pub fn edges(&self) -> (usize, usize) {
            (
                self.0.iter().filter(|&&seen| seen > 0).count(),
                self.0.len(),
            )
        }
    }
}
