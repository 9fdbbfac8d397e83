//! The wall: what the system itself keeps this program from doing while it reads what somebody else made.
//!
//! Every decoder here may have a fault, and some of them are C. Should an input ever take one over, it must find itself
//! in a process that can do nothing: read no file but the inputs, write none but the outputs, reach no network, start no
//! program, touch no other process. On Linux a process can take these rights from itself, for good: Landlock
//! (`files`) for paths, seccomp (`calls`) for everything that is no path. No rights are needed for it.
//!
//! The wall goes up once everything that the user named is open and before the first byte of an input is read, also
//! before the first thread is started: threads inherit it. Hence the order in every command that reads inputs: load
//! sets and profiles, walk the inputs, open the case and the output files, raise the wall, read. Lists,
//! sets, the profile and the case need no right behind the wall, since they are open or were read in front of it; of
//! the folder round a case or an output file nothing is granted at all, so that no other file beside it can be
//! written, made or removed.
//! The price is that behind the wall nothing can be removed either: an empty `-wal` may stay beside a case (SQLite
//! takes it away the next time), and an empty file where an output could not be written. Such a file is taken, not
//! refused, by the next run.
//!
//! The stages know nothing of this. What lies outside of the inputs is not opened by them anyway (links are not
//! followed, a git store that borrows from one elsewhere is told as `git-borrowed`); were it tried, it would be an
//! `unreadable` problem like any other.
//!
//! Where the wall cannot be up, on another system or an old kernel or in a container that forbids it, the program runs
//! without, and says so: in its summary and in the `run` record. `--no-sandbox` keeps it down.
//!
//! What it does not keep out: reading everything below the inputs, using up time and memory, and lying in the results.

#[cfg(all(
    target_os = "linux",
    any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    )
))]
mod calls;
#[cfg(all(
    target_os = "linux",
    not(any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        target_arch = "riscv64"
    ))
))]
mod calls {
    /// The list is not made for these.
    pub fn restrict() -> Result<(), super::Missing> {
        Err(super::Missing {
            is_partial: false,
            why: format!("seccomp: no list for {}", std::env::consts::ARCH),
        })
    }
}
#[cfg(target_os = "linux")]
mod files;

use std::path::{Path, PathBuf};

use crate::record::{RunWall, WallState};

/// What the program still may do behind the wall.
#[derive(Debug, Default)]
pub struct Wall {
    /// Files, and folders with everything below them, that may be read.
    reads: Vec<PathBuf>,
    /// Folders below which files and folders may be made and written.
    folders: Vec<PathBuf>,
}

impl Wall {
    /// A wall that lets these files and folders be read. A link stands for what it leads to.
    pub fn around<P: AsRef<Path>>(reads: impl IntoIterator<Item = P>) -> Self {
        let reads = reads.into_iter().map(|path| path.as_ref().to_path_buf());
        Self {
            reads: reads.collect(),
            folders: Vec::new(),
        }
    }

    /// Also lets new files be made below a folder.
    pub fn with_output(mut self, folder: Option<&Path>) -> Self {
        self.folders.extend(folder.map(Path::to_path_buf));
        self
    }

    /// Also lets content be put below a folder and read again.
    pub fn with_spill(mut self, folder: Option<&Path>) -> Self {
        self.reads.extend(folder.map(Path::to_path_buf));
        self.with_output(folder)
    }

    /// Raises it round this thread and all that it will start, for as long as they live. Says how far it is up.
    #[cfg(target_os = "linux")]
    pub fn raise(&self) -> RunWall {
        // Seccomp last: it forbids what the other needs.
        let (files, calls) = (files::restrict(self), calls::restrict());
        let state = match (&files, &calls) {
            (Ok(()), Ok(())) => WallState::Up,
            (Err(files), Err(_)) if !files.is_partial => WallState::Down,
            _ => WallState::Partly,
        };
        let why: Vec<String> = [
            files.err().map(|missing| missing.why),
            calls.err().map(|missing| missing.why),
        ]
        .into_iter()
        .flatten()
        .collect();
        RunWall {
            state,
            why: (!why.is_empty()).then(|| why.join("; ")),
        }
    }

    /// Only Linux lets a process shut itself in like this.
    #[cfg(not(target_os = "linux"))]
    pub fn raise(&self) -> RunWall {
        RunWall {
            state: WallState::Down,
            why: Some("it stands on Linux only".to_owned()),
        }
    }
}

/// The wall that the user does not want.
pub fn off(why: &str) -> RunWall {
    RunWall {
        state: WallState::Off,
        why: Some(why.to_owned()),
    }
}

/// What of the wall is not there.
#[cfg(target_os = "linux")]
#[derive(Debug)]
struct Missing {
    /// The rest of this part is up.
    is_partial: bool,
    why: String,
}

/// The state of the wall in a line for people.
pub fn line(wall: &RunWall) -> String {
    let why = wall.why.as_deref().unwrap_or_default();
    match wall.state {
        WallState::Up => {
            "up: it could read the inputs and write the outputs only, without network or other programs"
                .to_owned()
        }
        WallState::Partly => format!("partly up: {why}"),
        WallState::Down => format!("down, so nothing but the program itself held it back: {why}"),
        WallState::Off => format!("off: {why}"),
    }
}
