//! `strandline case custody`, and who is at work here: what every entry of the custody log begins with.
//!
//! What commands write into the log is theirs; this says who, when and with what, and shows the whole of it. It is asked of the
//! system, so it has to be asked before the wall is up.

use std::time::SystemTime;

use super::pipeline;
use super::{CliError, Exit};
use crate::blob::locator::shown;
use crate::case::{Case, Deed};

/// Lists the custody log, and says whether it holds together.
pub fn list(case: &Case) -> Result<Exit, CliError> {
    let custody = case.custody()?;
    for (entry, digest) in &custody.entries {
        let deed = &entry.deed;
        println!(
            "{}  {}  {}  {}",
            entry.seq,
            shown(&deed.time),
            shown(&deed.actor),
            shown(&deed.command)
        );
        for (word, things) in [("read", &deed.inputs), ("gave out", &deed.outputs)] {
            for thing in things {
                let digest = thing.sha256.as_ref();
                let digest = digest.map_or(String::new(), |digest| format!("  SHA-256 {digest}"));
                println!("   {word} {}{}", shown(&thing.what), shown(&digest));
            }
        }
        println!("   by {}; entry {}", shown(&deed.program), shown(digest));
    }
    match custody.broken {
        None if custody.entries.is_empty() => {
            println!("nothing was shown, handed on or set by hand by this program")
        }
        None => println!("the log holds together"),
        Some(seq) => {
            println!("the log does not hold together from entry {seq} on: it was changed");
            return Ok(Exit::Findings);
        }
    }
    Ok(Exit::Clean)
}

/// What this process is about to do, and who it is.
pub fn deed(command: &str) -> Deed {
    Deed {
        time: humantime::format_rfc3339_millis(SystemTime::now()).to_string(),
        uptime_ms: uptime_ms(),
        actor: actor(),
        program: pipeline::version().to_owned(),
        program_blake3: pipeline::program_digest(),
        command: command.to_owned(),
        inputs: Vec::new(),
        outputs: Vec::new(),
    }
}

/// Milliseconds since the system was started, as Linux says.
fn uptime_ms() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/uptime").ok()?;
    let seconds: f64 = text.split(' ').next()?.parse().ok()?;
    Some((seconds * 1_000.0) as u64)
}

/// Name and number of the user whose process this is. The number is the system's word; the environment's name stands in
/// only where there is no number.
#[cfg(unix)]
fn actor() -> String {
    use std::os::unix::fs::MetadataExt;
    let Ok(process) = std::fs::metadata("/proc/self") else {
        return named_user();
    };
    let uid = process.uid().to_string();
    let users = std::fs::read("/etc/passwd").unwrap_or_default();
    let users = String::from_utf8_lossy(&users).into_owned();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1) == Some(uid.as_str())).then(|| name.to_owned())
    });
    match name {
        Some(name) => format!("{name} ({uid})"),
        None => format!("user {uid}"),
    }
}

#[cfg(not(unix))]
fn actor() -> String {
    named_user()
}

/// The user by what the environment says.
fn named_user() -> String {
    let name = ["USER", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok());
    name.map_or("unknown".to_owned(), |name| {
        format!("{name} (by the environment)")
    })
}
