//! Memory that all threads of a scan share.
//!
//! Content that is held is bounded for one thread by [`Limits::hold`](super::Limits::hold), half of `--memory`. What
//! bounds the threads together is here, and decides only who waits, never what is read:
//!
//! - **The turn.** Content that turns out to be large while it is unpacked is held by one thread at a time: that thread
//!   has the half, and the others wait when they come to such content of their own. A thread keeps its turn until
//!   it is done with the member of the unit that it works on ([`settle`]), so that nesting takes it once.
//! - **Units.** Before a unit is begun, it takes what its file will hold from a quarter, and waits while others have it.
//!   Where none has, it is let in, so that none is too large.
//! - The last quarter is for what is small, and for the buffers that decoders share.
//!
//! A thread waits for its turn only in the middle of work that nobody else can take over, and never while it has the
//! turn; a thread that waits for its unit holds nothing. So there is always one that goes on.
//!
//! It is asked from deep inside of walkers and decoders, like the allocator; so, like the allocator, it is found by the
//! thread and not passed to each of them. A thread that was not brought in ([`Room::enter`]) never waits.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The most that content may take, in bytes, and still be no matter for [`want`].
const SMALL_MAX: u64 = 8 << 20;
/// The least.
const SMALL_MIN: u64 = 256 << 10;
/// Parts of the memory that threads have for small content, all together one such part.
const SMALL_PART: u64 = 8;

thread_local! {
    static ROOM: RefCell<Option<Arc<Room>>> = const { RefCell::new(None) };
    static HAS_TURN: Cell<bool> = const { Cell::new(false) };
}

/// The memory of one scan.
#[derive(Debug)]
pub struct Room {
    /// Bytes that units may take.
    for_units: u64,
    /// Bytes that any thread may hold without asking.
    small: u64,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes that units under way have taken.
    taken: u64,
    /// Whether a thread holds large content.
    turn: bool,
}

impl Room {
    /// Shares `memory` bytes among `jobs` threads.
    pub fn new(memory: u64, jobs: usize) -> Arc<Self> {
        let threads = u64::try_from(jobs).unwrap_or(u64::MAX).max(1);
        Arc::new(Self {
            for_units: memory / 4,
            small: (memory / SMALL_PART / threads).clamp(SMALL_MIN, SMALL_MAX),
            state: Mutex::default(),
            freed: Condvar::new(),
        })
    }

    /// Brings the current thread in, for as long as it lives.
    pub fn enter(self: &Arc<Self>) {
        ROOM.with_borrow_mut(|room| *room = Some(Arc::clone(self)));
    }

    /// Takes `bytes` for a unit; waits while other units have too much.
    ///
    /// Only a thread that holds nothing may ask.
    pub fn unit(&self, bytes: u64) -> Share<'_> {
        let mut state = self.lock();
        while state.taken > 0 && state.taken.saturating_add(bytes) > self.for_units {
            state = self.wait(state);
        }
        state.taken = state.taken.saturating_add(bytes);
        Share { room: self, bytes }
    }

    fn turn(&self) {
        let mut state = self.lock();
        while state.turn {
            state = self.wait(state);
        }
        state.turn = true;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let waited = self.freed.wait(state);
        waited.unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a unit has taken, until it is dropped.
#[derive(Debug)]
pub struct Share<'a> {
    room: &'a Room,
    bytes: u64,
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        let mut state = self.room.lock();
        state.taken = state.taken.saturating_sub(self.bytes);
        self.room.freed.notify_all();
    }
}

/// Bytes that this thread may hold without asking.
pub fn small() -> u64 {
    ROOM.with_borrow(|room| room.as_ref().map_or(u64::MAX, |room| room.small))
}

/// Says that content of `bytes` bytes is about to be held; waits for the turn where that is much.
pub fn want(bytes: u64) {
    ROOM.with_borrow(|room| {
        if let Some(room) = room
            && bytes > room.small
            && !HAS_TURN.replace(true)
        {
            room.turn();
        }
    });
}

/// Gives the turn back, where this thread has it: everything large that it held is gone.
pub fn settle() {
    ROOM.with_borrow(|room| {
        if let Some(room) = room
            && HAS_TURN.replace(false)
        {
            room.lock().turn = false;
            room.freed.notify_all();
        }
    });
}

/// Reads up to `most` bytes behind what `content` holds already, and asks for the room when they turn out to be many.
///
/// What is asked of `reader` at a time depends on what was read and on nothing else: decoders lose what a call made when
/// they meet damage in it, and that must not depend on how many threads there are.
///
/// # Errors
/// Those of `reader`; what was read until then is in `content`.
pub fn read(reader: &mut dyn Read, most: u64, content: &mut Vec<u8>) -> io::Result<()> {
    /// Bytes that are asked for at a time: more, the more there were.
    const PIECE: (usize, usize) = (4 << 10, 128 << 10);
    let start = content.len() as u64;
    let first = most.min(small().saturating_sub(start));
    let (mut len, mut has_asked) = (content.len(), first == most);
    let result = loop {
        let got = len as u64 - start;
        let left = usize::try_from(most - got).unwrap_or(usize::MAX);
        let piece = len.clamp(PIECE.0, PIECE.1).min(left);
        if !has_asked && got + piece as u64 > first {
            // How many they are is not known, and a second question would find the turn taken by this thread anyway.
            want(u64::MAX);
            has_asked = true;
        }
        if content.len() < len + piece {
            content.resize(len + piece, 0);
        }
        match reader.read(&mut content[len..len + piece]) {
            Ok(0) => break Ok(()),
            Ok(read) => len += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Err(error),
        }
    };
    content.truncate(len);
    result
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    /// Runs `work` on `threads` threads that share `room`; the most that were in `work` at a time.
    fn at_a_time(room: &Arc<Room>, threads: usize, work: impl Fn(&AtomicUsize) + Sync) -> usize {
        let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    room.enter();
                    work(&inside);
                    most.fetch_max(inside.load(Ordering::SeqCst), Ordering::SeqCst);
                    std::thread::sleep(Duration::from_millis(20));
                    most.fetch_max(inside.load(Ordering::SeqCst), Ordering::SeqCst);
                    inside.fetch_sub(1, Ordering::SeqCst);
                    settle();
                });
            }
        });
        most.into_inner()
    }

    /// Gives zeros, and loses what a call would give that comes to the damage, as decoders do.
    struct Damaged(usize);

    impl Read for Damaged {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if buffer.len() > self.0 {
                return Err(io::Error::other("damage"));
            }
            self.0 -= buffer.len();
            Ok(buffer.len())
        }
    }

    #[test]
    fn what_is_read_does_not_depend_on_the_threads() {
        let lens = [1, 2, 4, 16].map(|jobs| {
            let reading = std::thread::spawn(move || {
                Room::new(8 << 20, jobs).enter();
                let mut content = Vec::new();
                let result = read(&mut Damaged(3_000_000), 4 << 20, &mut content);
                settle();
                assert!(result.is_err());
                content.len()
            });
            reading.join().unwrap()
        });
        assert!(lens[0] > 2_800_000);
        assert_eq!(lens, [lens[0]; 4]);
        let mut content = b"head".to_vec();
        read(&mut &b" and tail"[..], 5, &mut content).unwrap();
        assert_eq!(content, b"head and ");
    }

    #[test]
    fn large_content_is_held_by_one_thread_at_a_time() {
        let room = Room::new(64 << 20, 4);
        let hold = |inside: &AtomicUsize| {
            want(20 << 20);
            // Nested content asks again, and must not wait for itself.
            want(10 << 20);
            inside.fetch_add(1, Ordering::SeqCst);
        };
        assert_eq!(at_a_time(&room, 4, hold), 1);
        assert!(!room.lock().turn);
    }

    #[test]
    fn small_content_never_waits() {
        let room = Room::new(64 << 20, 4);
        room.lock().turn = true;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                room.enter();
                want(2 << 20);
                let mut content = Vec::new();
                read(&mut &[7_u8; 1_000][..], 5_000, &mut content).unwrap();
                assert_eq!(content, [7; 1_000]);
            });
        });
    }

    #[test]
    fn units_wait_for_one_another_and_none_is_too_large() {
        let room = Room::new(128 << 20, 4);
        let first = room.unit(20 << 20);
        let second = room.unit(12 << 20);
        std::thread::scope(|scope| {
            let third = scope.spawn(|| drop(room.unit(1)));
            std::thread::sleep(Duration::from_millis(20));
            assert!(!third.is_finished());
            drop(first);
            third.join().unwrap();
        });
        drop(second);
        drop(room.unit(u64::MAX));
        assert_eq!(room.lock().taken, 0);
    }

    #[test]
    fn what_is_read_is_the_same_whatever_the_room() {
        let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| n as u8).collect();
        for most in [
            0,
            1,
            256 << 10,
            (256 << 10) + 1,
            2_999_999,
            3_000_000,
            4_000_000,
        ] {
            for memory in [0, 64 << 20, u64::MAX] {
                let room = Room::new(memory, 2);
                let work = || {
                    room.enter();
                    let mut content = b"head".to_vec();
                    read(&mut bytes.as_slice(), most, &mut content).unwrap();
                    settle();
                    content
                };
                let got = std::thread::scope(|scope| scope.spawn(work).join().unwrap());
                let len = usize::try_from(most).unwrap().min(bytes.len());
                assert_eq!(got[4..], bytes[..len]);
            }
        }
    }
}
