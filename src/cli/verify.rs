//! `strandline verify`

use std::path::PathBuf;

use clap::Args;

use super::output::{check_free, read_at_most, write_new};
use super::seal::head_in;
use super::wall::Wall;
use super::{CliError, Common, Exit, warn_of};
use crate::blob::locator::shown;
use crate::report::evidence::sshsig::{AllowedSigners, MAX_SIGNERS_BYTES};
use crate::report::evidence::timestamp::{MAX_REPLY_BYTES, REPLY_FILE, read_trusted};
use crate::report::evidence::verify::{Asked, Check, Outcome, verify, worst};

/// Check an evidence folder, and say of each check what it proves and what not.
///
/// Exit status 1 where a check failed, 3 where one could not be made here. A folder without a signature or a time stamp
/// is whole, and that is said.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The folder
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Whose keys are whose: an OpenSSH file of allowed signers. The folder must then be signed by one of them
    #[arg(long, value_name = "FILE")]
    allowed_signers: Option<PathBuf>,
    /// Certificates (PEM) of time-stamping authorities that you trust. The folder must then have a stamp by one of them
    #[arg(long, value_name = "FILE")]
    tsa_ca: Option<PathBuf>,
    /// An earlier folder of the same case: its custody log must be the beginning of this one's
    #[arg(long, value_name = "DIR")]
    previous: Option<PathBuf>,
    /// Take in the reply of a time-stamping authority: it is checked, and put beside the query if it holds
    #[arg(long, value_name = "FILE.tsr")]
    import_tsr: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// Runs the command.
pub fn run(args: &VerifyArgs) -> Result<Exit, CliError> {
    let mut asked = Asked::default();
    if let Some(path) = &args.allowed_signers {
        let bytes = read_at_most(path, MAX_SIGNERS_BYTES)?;
        asked.signers = Some(AllowedSigners::parse(&String::from_utf8_lossy(&bytes)));
    }
    if let Some(path) = &args.tsa_ca {
        let bytes = read_at_most(path, MAX_SIGNERS_BYTES)?;
        asked.trusted = read_trusted(&bytes).map_err(|error| {
            CliError::new(format!(
                "{} holds no certificates in PEM: {error}",
                path.display()
            ))
        })?;
    }
    if let Some(path) = &args.previous {
        asked.previous = Some(head_in(path)?.1);
    }
    let target = args.folder.join(REPLY_FILE);
    if let Some(path) = &args.import_tsr {
        check_free(&target)?;
        asked.reply = Some(read_at_most(path, MAX_REPLY_BYTES)?);
    }
    let target_folder = args.import_tsr.is_some().then_some(args.folder.as_path());
    let wall = Wall::around([&args.folder]).with_output(target_folder);
    warn_of(&args.common.raise(&wall), &args.common);
    let checks = verify(&args.folder, &asked).map_err(|error| CliError::new(error.to_string()))?;
    for check in &checks {
        print(check, args.common.quiet);
    }
    let outcome = worst(&checks);
    if !args.common.quiet {
        println!("{}", sentence(outcome, &checks));
    }
    if let Some(reply) = &asked.reply {
        // A stamp that cannot be trusted, or of a folder that is not whole, is not put in.
        if outcome != Outcome::Passed && outcome != Outcome::Absent {
            eprintln!("strandline: the reply was not taken in");
        } else {
            write_new(&target, |out| Ok(out.write_all(reply)?))?;
            println!("taken in as {}", shown(&target.display().to_string()));
        }
    }
    Ok(match outcome {
        Outcome::Passed | Outcome::Absent => Exit::Clean,
        Outcome::Unchecked => Exit::Incomplete,
        Outcome::Failed => Exit::Findings,
    })
}

fn print(check: &Check, quiet: bool) {
    let word = check.outcome.as_str();
    if quiet && matches!(check.outcome, Outcome::Passed | Outcome::Absent) {
        return;
    }
    println!("{word:<12} {:<17} {}", check.name, shown(&check.says));
    if check.outcome == Outcome::Passed {
        println!("{:<30} proves: {}", "", check.proves);
        println!("{:<30} not: {}", "", check.not);
    }
}

fn sentence(outcome: Outcome, checks: &[Check]) -> String {
    let of = |outcome: Outcome| {
        let names = checks.iter().filter(|check| check.outcome == outcome);
        names.map(|check| check.name).collect::<Vec<_>>().join(", ")
    };
    match outcome {
        Outcome::Failed => format!("does not hold: {}", of(Outcome::Failed)),
        Outcome::Unchecked => format!(
            "not everything could be checked: {}",
            of(Outcome::Unchecked)
        ),
        Outcome::Absent => format!("holds; without: {}", of(Outcome::Absent)),
        Outcome::Passed => "holds".to_owned(),
    }
}
