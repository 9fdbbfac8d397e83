//! `strandline case`

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::export::{self, Format};
use super::{
    CliError, Exit, authorship, case_diff, custody, notice_state, pipeline, reveal, review, scope,
};
use crate::case::Case;
use crate::record::{Blob, Grade, Match, MatchRange, Record};
use crate::report::text::{grouped, plural};
use crate::scan::analyse::match_facts;
use crate::scan::public::told;
use crate::signature::SetGroup;

/// Look into a case.
#[derive(Debug, Args)]
pub struct CaseArgs {
    #[command(subcommand)]
    command: CaseCommand,
}

#[derive(Debug, Subcommand)]
enum CaseCommand {
    /// Print what a case holds
    Info {
        /// The case
        case: PathBuf,
    },
    /// Write the records of a case
    Export {
        /// The case
        case: PathBuf,
        /// The form to write them in
        #[arg(long, value_name = "FORMAT", value_enum, default_value = "jsonl")]
        format: Format,
        /// File to write, `-` is standard output; with `--format csv` a new folder, which gets a file for each type
        #[arg(
            long,
            value_name = "PATH",
            default_value = "-",
            required_if_eq("format", "csv")
        )]
        output: PathBuf,
        /// The same as `--format jsonl --output FILE`
        #[arg(long, value_name = "FILE", conflicts_with_all = ["format", "output"])]
        jsonl: Option<PathBuf>,
    },
    Scope(scope::ScopeArgs),
    Sample(scope::SampleArgs),
    Reveal(Box<reveal::RevealArgs>),
    Review(Box<review::ReviewArgs>),
    Diff(case_diff::DiffArgs),
    Notice(notice_state::NoticeStateArgs),
    Authorship(Box<authorship::AuthorshipArgs>),
    /// List who was shown what of a case
    Custody {
        /// The case
        case: PathBuf,
    },
    /// Hold a set that was signed later against a case made with `scan --record all`
    Match {
        /// The case
        case: PathBuf,
        /// The set
        #[arg(long, value_name = "SET", required = true)]
        signatures: Vec<PathBuf>,
        /// Key of sets that were made with one
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
}

/// Runs the command.
pub fn run(args: CaseArgs) -> Result<Exit, CliError> {
    match args.command {
        CaseCommand::Info { case } => info(&Case::open(&case)?),
        CaseCommand::Export {
            case,
            format,
            output,
            jsonl,
        } => {
            let case = Case::open(&case)?;
            export::write(&case, format, &jsonl.unwrap_or(output))?;
            end_of(&case, Exit::Clean)
        }
        CaseCommand::Scope(args) => scope::scope(&args),
        CaseCommand::Sample(args) => scope::sample(&args),
        CaseCommand::Reveal(args) => reveal::run(&args),
        CaseCommand::Review(args) => review::run(&args),
        CaseCommand::Diff(args) => case_diff::run(&args),
        CaseCommand::Authorship(args) => authorship::run(&args),
        CaseCommand::Notice(args) => notice_state::run(&args),
        CaseCommand::Custody { case } => custody::list(&Case::open(&case)?),
        CaseCommand::Match {
            case,
            signatures,
            key,
        } => {
            let sets = pipeline::load_sets(&signatures, &[], key.as_ref())?;
            match_sets(&Case::open(&case)?, &sets)
        }
    }
}

/// A case whose run has not finished does not hold everything, whatever was asked of it.
pub(super) fn end_of(case: &Case, exit: Exit) -> Result<Exit, CliError> {
    if !case.info()?.unfinished {
        return Ok(exit);
    }
    eprintln!(
        "strandline: the scan of this case has not finished, so this is not all; run the same scan again to go on"
    );
    Ok(Exit::Incomplete)
}

fn info(case: &Case) -> Result<Exit, CliError> {
    let info = case.info()?;
    for (label, path) in &info.inputs {
        println!("input     {label}  {}", crate::blob::locator::shown(path));
    }
    println!("files     {}", grouped(info.units));
    for (kind, count) in &info.records {
        println!("records   {kind} {}", grouped(*count));
    }
    if let Some(run) = &info.run {
        println!(
            "run       {} by {}",
            run.started.as_deref().unwrap_or("unknown"),
            run.version
        );
    }
    if info.unfinished {
        println!("state     not finished: run the same scan again to go on");
        return Ok(Exit::Incomplete);
    }
    if let Some(ledger) = &info.ledger {
        println!(
            "account   {} entries = {} scanned + {} duplicate + {} skipped + {} damaged",
            grouped(ledger.entries),
            grouped(ledger.scanned),
            grouped(ledger.duplicate),
            grouped(ledger.skipped.values().sum()),
            grouped(ledger.damaged.values().sum())
        );
        let state = if ledger.read_all() {
            "everything was read in full"
        } else if ledger.complete {
            "everything was read in full but for what was accepted"
        } else {
            "not everything was read"
        };
        println!("state     {state}");
    }
    Ok(Exit::Clean)
}

/// Prints a `match` record for each blob of the case that is a file of a set, byte for byte or in normal form, and not
/// public to the same degree. Of other tiers a case keeps nothing, and that is said.
fn match_sets(case: &Case, sets: &SetGroup) -> Result<Exit, CliError> {
    if let Some(set) = sets.sets().iter().find(|set| set.asks_more_than_sha256()) {
        return Err(CliError::new(format!(
            "the set of {} {} knows files by git id or by MD5 only, and a case keeps neither; scan the inputs again with it",
            set.work(),
            set.release()
        )));
    }
    let (mut blobs, mut bare) = (0_u64, 0_u64);
    let mut complete = true;
    let mut lines = Vec::new();
    case.records(|record| -> Result<(), CliError> {
        match record {
            Record::Blob(blob) => {
                blobs += 1;
                bare += u64::from(blob.kind == "text" && blob.norm_text.is_none());
                for (set, file, grade) in matches_of(&blob, sets) {
                    lines.push(matched(&blob, sets, set, file, grade)?);
                }
            }
            Record::Ledger(ledger) => complete = ledger.complete,
            _ => {}
        }
        Ok(())
    })?;
    if blobs == 0 {
        return Err(CliError::new(
            "this case holds no digests of blobs; it can be matched only when it was made with `scan --record all`",
        ));
    }
    for line in &lines {
        println!("{}", crate::blob::locator::shown_json(line));
    }
    eprintln!(
        "strandline: {} blobs held against {} sets by SHA-256 and by normal form, {} matches",
        grouped(blobs),
        sets.sets().len(),
        grouped(lines.len() as u64)
    );
    if bare > 0 {
        eprintln!(
            "strandline: {} kept without a normal form, since nothing but blanks is in it or it was larger than content was held; it was held against the sets as it stands",
            plural(bare, "text was", "texts were")
        );
    }
    eprintln!(
        "strandline: a case keeps no fingerprints, so what was laid out anew, cut, edited, renamed, minified or bundled was not looked for; scan the inputs again with the set"
    );
    let exit = if complete {
        Exit::Clean
    } else {
        Exit::Incomplete
    };
    end_of(case, exit)
}

/// Set, file and grade of each match of a blob that a scan would have told.
fn matches_of(blob: &Blob, sets: &SetGroup) -> Vec<(usize, u32, Grade)> {
    let Some(sha256) = from_hex(&blob.sha256) else {
        return Vec::new();
    };
    let norm = blob.norm_text.as_deref().and_then(from_hex);
    let facts = match_facts(sets.lookup_digests(&sha256, norm.as_ref()));
    let told = told(sets, &facts).matches.into_iter();
    told.map(|fact| (fact.set as usize, fact.file, fact.grade))
        .collect()
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    for (index, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    Some(digest)
}

fn matched(
    blob: &Blob,
    sets: &SetGroup,
    set: usize,
    file: u32,
    grade: Grade,
) -> Result<String, CliError> {
    let set = &sets.sets()[set];
    let lines = set.file(file).map_or(0, |info| u64::from(info.lines));
    // A set that is made of lists does not know lines, nor does a case.
    let ranges = if set.is_of_lists() {
        Vec::new()
    } else {
        vec![MatchRange {
            original_lines: [1, lines.max(1)],
            target_lines: [1, blob.lines.unwrap_or(lines).max(1)],
            target_bytes: [0, blob.bytes],
        }]
    };
    let record = Record::from(Match {
        locator: blob.locator.clone(),
        hops: blob.hops.clone(),
        sha256: Some(blob.sha256.clone()),
        work: set.work().to_owned(),
        release: set.release().to_owned(),
        file: set
            .name(file)
            .map_or_else(|| file.to_string(), crate::blob::locator::escape),
        grade,
        basis: crate::record::Basis::Content,
        score: 1.0,
        log10_p: None,
        of_original: 1.0,
        of_target: 1.0,
        ranges,
        written: None,
        git: blob.git.clone(),
        image: blob.image.clone(),
    });
    serde_json::to_string(&record).map_err(|error| CliError::new(error.to_string()))
}
