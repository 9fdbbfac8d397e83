//! What may be opened: Landlock (Linux 5.13 and later; landlock(7)).
//!
//! A rule belongs to a file or to a folder with everything below it, however it is reached: a link to something
//! outside of an input opens nothing. Everything that has no rule cannot be opened, made, moved, linked, cut or
//! removed. Where the kernel knows of it, TCP ports, abstract sockets and signals to others are forbidden too.
//!
//! Looking at names, sizes and times is no opening, and stays possible everywhere.

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, LandlockStatus, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, Scope, make_bitflags,
};

use super::{Missing, Wall};

/// The newest set of rights that is asked for. An older kernel gives what it has.
const WANTED: ABI = ABI::V6;
/// The oldest set with all that is needed: in those before it, any file can be cut short (`truncate`).
const ENOUGH: ABI = ABI::V3;

/// Takes all rights on files but those of the wall.
pub fn restrict(wall: &Wall) -> Result<(), Missing> {
    let failed = |error: &dyn std::fmt::Display| Missing {
        is_partial: false,
        why: format!("Landlock: {error}"),
    };
    let status = rules(wall)
        .and_then(RulesetCreated::restrict_self)
        .map_err(|error| failed(&error))?;
    match status.landlock {
        LandlockStatus::NotImplemented => Err(failed(&"this kernel was built without it")),
        LandlockStatus::NotEnabled => Err(failed(&"it is not enabled in this kernel (`lsm=`)")),
        LandlockStatus::Available { effective_abi, .. } if effective_abi < ENOUGH => Err(Missing {
            is_partial: true,
            why: "Landlock: this kernel is older than 6.2, and lets files be cut short".to_owned(),
        }),
        LandlockStatus::Available { .. } => Ok(()),
    }
}

/// What the C library reads before it gives the memory of a thread back: a number, whatever the input.
const ASKED_BY_ALLOCATOR: &str = "/proc/sys/vm/overcommit_memory";

fn rules(wall: &Wall) -> Result<RulesetCreated, RulesetError> {
    let mut rules = Ruleset::default()
        .handle_access(AccessFs::from_all(WANTED))?
        .handle_access(AccessNet::from_all(WANTED))?
        .scope(Scope::from_all(WANTED))?
        .create()?;
    for path in &wall.reads {
        rules = grant(rules, path, make_bitflags!(AccessFs::{ReadFile | ReadDir}))?;
    }
    let allocator = Path::new(ASKED_BY_ALLOCATOR);
    rules = grant(rules, allocator, AccessFs::ReadFile.into())?;
    for path in &wall.folders {
        let make = make_bitflags!(AccessFs::{WriteFile | MakeReg | MakeDir | ReadDir});
        rules = grant(rules, path, make)?;
    }
    Ok(rules)
}

/// Adds a rule. What vanished meanwhile needs none: it will be told of when it is opened.
fn grant(
    rules: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    let Ok(handle) = PathFd::new(path) else {
        return Ok(rules);
    };
    // Rights that only folders have would be refused for a file.
    let access = if path.is_dir() {
        access
    } else {
        access & AccessFs::from_file(WANTED)
    };
    rules.add_rule(PathBeneath::new(handle, access))
}
