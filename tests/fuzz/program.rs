//! Mutants read by the program as a user runs it: many in one folder, by one thread and by four, in a scan and in a triage.
//!
//! What one process sees of another is its records: they are the same for any number of threads, the account adds up, the
//! exit status is one of those that are promised, and no problem is a fault of the program's own.

use std::path::Path;

use crate::common::{self, Records};
use crate::{Job, folder, mutate};

/// Mutants in one folder.
const BATCH: u64 = 60;

/// Writes the `turn`th batch of mutants into `folder`.
fn batch(jobs: &[Job], seed: u64, turn: u64, into: &Path) {
    let mut random = mutate::random(seed, "program", turn);
    for number in 0..BATCH {
        let job = mutate::pick(&mut random, jobs);
        let bytes = job.mutant(seed, turn * BATCH + number);
        let name = format!("{number}-{}", job.target.name);
        let path = match number % 3 {
            0 => into.join("image").join(name),
            _ => into.join(name),
        };
        common::write_all(into, &[(path.to_string_lossy().as_bytes(), bytes)]);
    }
}

fn scanned(input: &Path, jobs: &str, flags: &[&str]) -> Result<Vec<u8>, String> {
    let set = common::incident().join("acme-cli-2.1.0.sigset");
    let profile = common::incident().join("acme.toml");
    let mut command = common::strandline([
        "scan",
        "--jsonl",
        "-",
        "--limit-entries",
        "5000",
        "--limit-bytes",
        "16777216",
    ]);
    command
        .args(["--memory", "32M", "--label", "m", "--jobs", jobs])
        .args(flags);
    command
        .arg("--signatures")
        .arg(set)
        .arg("--org")
        .arg(profile)
        .arg(input);
    let output = command.output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let status = output.status.code();
    if !matches!(status, Some(0 | 3)) || said.contains("panicked") {
        return Err(format!("ended with {status:?}: {said}"));
    }
    Ok(output.stdout)
}

fn check(input: &Path, flags: &[&str]) -> Result<(), String> {
    let alone = scanned(input, "1", flags)?;
    let together = scanned(input, "4", flags)?;
    let (one, four) = (Records::parse(&alone), Records::parse(&together));
    one.check_frame();
    if let Some((code, at)) = one
        .problems()
        .iter()
        .find(|(code, _)| *code == "internal-error")
    {
        return Err(format!("{code} at {at}"));
    }
    common::assert_same(&one.normalised(), &four.normalised(), "one thread and four");
    Ok(())
}

/// Reads a batch in every way; what is wrong with it. A batch that fails is kept.
pub fn read(jobs: &[Job], seed: u64, turn: u64) -> Option<String> {
    let input = common::scratch();
    batch(jobs, seed, turn, input.path());
    let flags: [&[&str]; 3] = [&[], &["--triage"], &["--safe-decoders", "--record", "all"]];
    let flags = flags[(turn % 3) as usize];
    let result = std::panic::catch_unwind(|| check(input.path(), flags));
    let fault = match result {
        Ok(Ok(())) => return None,
        Ok(Err(fault)) => fault,
        Err(panic) => match panic.downcast::<String>() {
            Ok(said) => *said,
            Err(_) => "an assertion failed".to_owned(),
        },
    };
    let kept = folder().join(format!("program-{seed}-{turn}"));
    let _ = std::fs::remove_dir_all(&kept);
    batch(jobs, seed, turn, &kept);
    Some(format!(
        "the program with {flags:?} on {}: {fault}",
        kept.display()
    ))
}
