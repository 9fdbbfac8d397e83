//! How memory goes back to the system.
//!
//! glibc maps large blocks one by one and gives them back when they are freed, at first. With the first one that is freed it
//! raises the size from which on it does so, up to 32 MiB, and from then on blocks below come from the heap of the
//! thread, which keeps what was freed. A scan holds blocks of such sizes on every thread in turn: eight threads with
//! one file of 30 MB at a time kept 230 MB. Setting the size once keeps it where it is set.
//!
//! This is one of the few modules that may use `unsafe`: two calls of the C library that take two numbers. Elsewhere it does
//! nothing, and nothing but the memory that is used depends on it.

#![allow(unsafe_code)]

/// Blocks of this many bytes and more are mapped one by one.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const MAPPED_MIN: libc::c_int = 4 << 20;

/// Bytes that a heap keeps at its end when they are freed. Said as well, since it follows the other size no longer: with the
/// default of 128 KiB threads give back what they ask for again a moment later.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_MAX: libc::c_int = 16 << 20;

/// Lets large blocks go back when they are freed. Called once, before there are threads.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: they take two numbers, and no other thread allocates yet.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_MIN);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT_MAX);
    }
}
