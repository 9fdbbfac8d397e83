//! `strandline scan`

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::kept::KeptFolder;
use super::pipeline::{self, Pipeline, Request};
use super::{
    CliError, Common, Exit, output, parse_code, parse_severity, report, summary, user_rules,
};
use crate::case::Case;
use crate::exposure::known::SetKey;
use crate::exposure::{CaseKey, Inspector, KnownSecrets};
use crate::record::{Record, Severity};
use crate::report::text::plural;
use crate::scan::analyse::{Collector, Keep};
use crate::signature::Key;

/// Find what the inputs expose, and which of them hold a signed work.
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// Files and folders: packages, archives, maps, mirrors, git stores
    #[arg(value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Keep everything in this case file; the same command goes on where it was stopped
    #[arg(long, value_name = "FILE")]
    case: Option<PathBuf>,
    /// Signature set of a work to look for (made by `sign`)
    #[arg(long, value_name = "SET")]
    signatures: Vec<PathBuf>,
    /// Fingerprints of public code, never called a match
    #[arg(long, value_name = "SET")]
    baseline: Vec<PathBuf>,
    /// Live secrets to look for in everything that is read (a set made by `sign --secrets`): which of them are there, and
    /// that the others are not
    #[arg(long, value_name = "SET", conflicts_with = "triage")]
    known_secrets: Option<PathBuf>,
    /// Rules of your own for credentials: files of gitleaks (TOML), Kingfisher or Nosey Parker (YAML), or folders of them
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "triage")]
    rules: Vec<PathBuf>,
    #[command(flatten)]
    yara: super::yara::YaraArgs,
    /// Give each credential a fingerprint keyed with this file: the same secret has the same one in all reports made with it
    #[arg(long, value_name = "FILE", conflicts_with = "triage")]
    case_key: Option<PathBuf>,
    /// Key of sets that were made with one
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Organisation profile: what is yours
    #[arg(long, value_name = "FILE")]
    org: Option<PathBuf>,
    /// When releases were published and how often they were fetched: columns name, version, published, downloads, divided
    /// by tabs; or a registry's document about one package
    #[arg(long, value_name = "FILE")]
    packages: Option<PathBuf>,
    #[command(flatten)]
    origins: super::origins::OriginsArgs,
    /// Words of your own, one a line, to be looked for in everything: customers, projects, machines
    #[arg(long, value_name = "FILE", conflicts_with = "triage")]
    terms: Option<PathBuf>,
    /// Write the report into this new folder
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// Write the records to this file, or to standard output with `-`
    #[arg(long, value_name = "FILE")]
    jsonl: Option<PathBuf>,
    /// Read further inputs from a list, separated by NUL or by lines; `-` is standard input
    #[arg(long, value_name = "FILE")]
    files_from: Option<PathBuf>,
    /// What locators begin with, for a single input
    #[arg(long, value_name = "NAME")]
    label: Option<String>,
    /// Which texts the inventory is made of: recovered sources and original files that may be the vendor's own, every
    /// text, or none
    #[arg(long, value_name = "SCOPE", value_enum, default_value_t = InventoryOf::Sources)]
    inventory: InventoryOf,
    /// Keep digests of every blob, so that `case match` can hold later sets against the case
    #[arg(long, value_name = "WHAT", value_enum)]
    record: Option<RecordWhat>,
    /// Keep the bytes of each content with a match in this folder, named by SHA-256, so that `explain` can show them when
    /// the input is gone. One that an earlier run kept into is taken
    #[arg(
        long,
        value_name = "DIR",
        requires = "signatures",
        conflicts_with = "triage"
    )]
    keep_matched: Option<PathBuf>,
    /// A first answer: hold names in git indexes, and lengths and checksums in headers of tars and zips, against the
    /// sets, and unpack nothing. Says what it did not look at, and ends with status 3
    #[arg(long, requires = "signatures", conflicts_with_all = ["record", "fail_on"])]
    triage: bool,
    /// End with status 1 when something at least this bad was found
    #[arg(long, value_name = "SEVERITY", value_parser = parse_severity)]
    fail_on: Option<Severity>,
    /// A problem with this code does not make the scan end with status 3; reports say all the same what was not read
    #[arg(long, value_name = "CODE", value_parser = parse_code)]
    accept_problem: Vec<String>,
    #[command(flatten)]
    common: Common,
}

/// [`InventoryScope`](crate::exposure::InventoryScope), as a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum InventoryOf {
    /// Recovered sources, and original files that may be the vendor's own.
    Sources,
    /// Every text.
    All,
    /// No text.
    None,
}

impl From<InventoryOf> for crate::exposure::InventoryScope {
    fn from(of: InventoryOf) -> Self {
        match of {
            InventoryOf::Sources => Self::Sources,
            InventoryOf::All => Self::All,
            InventoryOf::None => Self::None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum RecordWhat {
    /// Every blob.
    All,
}

/// Runs the command.
pub fn run(args: &ScanArgs) -> Result<Exit, CliError> {
    let paths = super::input_paths(&args.inputs, args.files_from.as_ref())?;
    if args.label.is_some() && paths.len() > 1 {
        return Err(CliError::new(
            "--label names one input; give one input with it",
        ));
    }
    if args.triage && args.yara.is_wanted() {
        return Err(CliError::new(
            "--yara needs contents, and --triage reads none; give one of them",
        ));
    }
    let sets = pipeline::load_sets(&args.signatures, &args.baseline, args.key.as_ref())?;
    let organisation = pipeline::load_organisation(args.org.as_ref())?;
    let releases = pipeline::load_releases(args.packages.as_ref())?;
    let inspector = Inspector {
        known: load_known(args)?.map(Arc::new),
        user: user_rules::load(&args.rules, args.common.quiet)?.map(Arc::new),
        yara: args.yara.load(args.common.quiet)?.map(Arc::new),
        case_key: load_case_key(args.case_key.as_deref())?,
        inventory: args.inventory.into(),
        terms: pipeline::load_terms(args.terms.as_ref())?,
        ..Inspector::default()
    };
    let known = inspector.known.clone();
    let outputs = args.case.iter().chain(&args.report);
    for path in outputs.chain(&args.keep_matched) {
        pipeline::warn_if_in_work_tree(path, &args.common);
    }
    let to_stdout = args.jsonl.as_deref() == Some(Path::new("-"));
    let jsonl = args.jsonl.as_deref().filter(|_| !to_stdout);
    jsonl.map(output::check_free).transpose()?;
    let report_folder = args
        .report
        .as_deref()
        .map(output::OutputFolder::create)
        .transpose()?;
    let kept = args.keep_matched.as_deref();
    let kept = kept
        .map(|folder| KeptFolder::create(folder, &paths).map(Arc::new))
        .transpose()?;
    let has_baseline = !args.baseline.is_empty();
    let careful = sets.has_prints() && !has_baseline;
    let of_lists = sets.sets().iter().filter(|set| set.is_of_lists()).count();
    let pipeline = Pipeline::new(Request {
        inspector,
        case: args.case.as_deref(),
        paths: &paths,
        label: args.label.as_deref(),
        common: &args.common,
        organisation,
        sets,
        record_all: args.record == Some(RecordWhat::All),
        keep: Keep::Nothing,
        collector: kept.clone().map(|kept| kept as Arc<dyn Collector>),
        only: None,
        fail_on: args.fail_on,
        accepted: &args.accept_problem,
        triage: args.triage,
        releases,
    })?;
    let pipeline = pipeline.with_origins(&args.origins)?;
    let mut case = match &args.case {
        Some(path) => Case::open_or_create(path)?,
        None => Case::in_memory()?,
    };
    let jsonl = jsonl.map(output::NewFile::create).transpose()?;
    let wall = pipeline.raise_wall(args.report.as_deref(), args.keep_matched.as_deref());
    let searched = !args.signatures.is_empty();
    let mut summary =
        summary::Summary::new(args.fail_on, searched, careful, args.triage).with_lists(of_lists);
    summary.known = known.as_deref().map(pipeline::run_known);
    let is_printed = !args.common.quiet && !to_stdout;
    // A case holds what earlier runs found too; without one everything comes by here.
    let comes_by = is_printed && args.case.is_none();
    let outcome = pipeline.run(&mut case, &wall, |_, _, done| {
        // Nothing is done whose bytes could not be kept.
        kept.as_ref().map_or(Ok(()), |kept| kept.fault())?;
        let units = done.iter().filter(|_| comes_by);
        units
            .flat_map(|unit| &unit.placed.records)
            .for_each(|record| summary.add(record));
        Ok(())
    })?;
    if let Some(kept) = &kept {
        summary.kept = tell_of_kept(kept, &case)?;
    }
    // Most severities are told with the unit; where a join found another one, all are told from the case.
    if comes_by && case.has_other_severities()? {
        summary = summary.afresh();
        case.records(|record| {
            summary.add(&record);
            Ok::<_, CliError>(())
        })?;
    } else if comes_by {
        let mut add = |record| {
            summary.add(&record);
            Ok::<_, CliError>(())
        };
        case.joined_records(&mut add)?;
        summary.add_links(case.link_counts()?);
    } else if is_printed {
        case.records(|record| {
            summary.add(&record);
            Ok::<_, CliError>(())
        })?;
    }
    // What a stopped run wrote would be in the way of the same command, which goes on where this one was stopped.
    let waits = outcome.interrupted && args.case.is_some();
    if waits && (report_folder.is_some() || jsonl.is_some()) {
        eprintln!(
            "strandline: nothing but the case was written; the same command goes on, and `report` and `case export` give what is known so far"
        );
    }
    if let Some(folder) = report_folder.as_ref().filter(|_| !waits) {
        report::write_into(&case, folder)?;
    }
    if to_stdout {
        print_records(&case)?;
    }
    if let Some(file) = jsonl.filter(|_| !waits) {
        file.fill(|file| stream_records(&case, file))?;
    }
    if is_printed {
        unless_closed(summary.print(
            &outcome,
            args.common.color.is_on(),
            args.report.as_deref().filter(|_| !waits),
            args.case.as_deref(),
        ))?;
    }
    let ledger = &outcome.ledger;
    Ok(if outcome.interrupted || !ledger.complete {
        Exit::Incomplete
    } else if ledger.findings_failing > 0 {
        Exit::Findings
    } else {
        Exit::Clean
    })
}

/// The set of live secrets, where one was named.
fn load_known(args: &ScanArgs) -> Result<Option<KnownSecrets>, CliError> {
    let Some(path) = &args.known_secrets else {
        return Ok(None);
    };
    let key = args.key.as_deref().map(Key::read).transpose()?;
    let key = key.map(|key| SetKey(key.derive(SetKey::CONTEXT)));
    let set = KnownSecrets::open(path, key.as_ref()).map_err(|error| {
        CliError::new(format!(
            "the set of live secrets {}: {error}",
            path.display()
        ))
    })?;
    Ok(Some(set))
}

/// The key of fingerprints, where one was named.
fn load_case_key(path: Option<&Path>) -> Result<Option<CaseKey>, CliError> {
    let key = path.map(Key::read).transpose()?;
    Ok(key.map(|key| CaseKey(key.derive(CaseKey::CONTEXT))))
}

/// Counts the contents with a match that are in the folder, and says where some are not.
fn tell_of_kept(kept: &KeptFolder, case: &Case) -> Result<Option<u64>, CliError> {
    let matched = case.matched_contents()?;
    let there = matched.iter().filter(|sha256| kept.holds(sha256)).count() as u64;
    let missing = matched.len() as u64 - there;
    if missing > 0 {
        eprintln!(
            "strandline: {} with a match not kept, since they were too large to be held; raise --memory. If they were kept in another folder by an earlier run of this case, name that one",
            plural(missing, "content", "contents")
        );
    }
    Ok(Some(there))
}

/// Writes all records, one a line.
pub fn write_records(case: &Case, path: &Path) -> Result<(), CliError> {
    if path == Path::new("-") {
        return print_records(case);
    }
    output::write_new(path, |file| stream_records(case, file))
}

fn print_records(case: &Case) -> Result<(), CliError> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    unless_closed(stream_records(case, &mut out).and_then(|()| Ok(out.flush()?)))
}

/// A reader that had enough is no failure, and changes nothing of what was found.
pub fn unless_closed(result: Result<(), CliError>) -> Result<(), CliError> {
    match result {
        Err(error) if error.is_closed_pipe() => Ok(()),
        result => result,
    }
}

fn stream_records(case: &Case, out: &mut dyn Write) -> Result<(), CliError> {
    case.records(|record: Record| -> Result<(), CliError> {
        let line =
            serde_json::to_string(&record).map_err(|error| CliError::new(error.to_string()))?;
        Ok(writeln!(
            out,
            "{}",
            crate::blob::locator::shown_json(&line)
        )?)
    })
}
