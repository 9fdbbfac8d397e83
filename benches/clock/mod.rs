//! The time that a bench ran, which other programs on the machine do not lengthen.

/// Nanoseconds that this thread ran so far (Linux, Documentation/scheduler/sched-stats; counted by the tick).
///
/// # Errors
/// Where the system does not tell.
pub fn ran() -> std::io::Result<u64> {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let ran = stat.split(' ').next().unwrap_or_default().parse();
    ran.map_err(std::io::Error::other)
}
