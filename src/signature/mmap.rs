//! The one place of the signature sets that needs `unsafe`: mapping a set file into memory.
//!
//! A map is what makes a large set load at once, share its pages between processes and cost no heap. The price is a
//! promise that the compiler cannot check: nobody may change or shorten the file while it is mapped. A changed byte
//! would be undefined behaviour in theory and a wrong or missing match in practice; a shortened file ends the
//! process with SIGBUS. We give the promise because a set is a file of the user's own, opened read-only, never an
//! input of a scan, and because this program writes sets under a new name and never in place. Who cannot give it (a
//! set on a share that others write to) uses the safe twin, [`Set::open_in_memory`](super::Set::open_in_memory), which
//! reads the file; a test holds the two to the same answers.
//!
//! Nothing is trusted because it is mapped: all that is read from a map goes through the same checked slices as bytes
//! in memory, so that a change under our feet can spoil an answer but not reach outside the map.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;

use memmap2::Mmap;

/// Maps the whole of `file` read-only. Errors are those of the operating system.
pub(super) fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the file is not modified or truncated while mapped; see the essay above for who promises that.
    unsafe { Mmap::map(file) }
}
