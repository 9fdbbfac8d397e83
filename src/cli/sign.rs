//! `strandline sign`: of a work that is at hand. Which of its files are signed, `signer.rs` says. Of lists, see
//! `sign_lists.rs`; of live secrets, `sign_secrets.rs`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::output::NewFile;
use super::pipeline::{self, Pipeline, Request};
use super::signer::{Signed, Signer, Told};
use super::{CliError, Common, Exit, sign_lists, sign_secrets, warn_of};
use crate::blob::Locator;
use crate::blob::digest::hex;
use crate::blob::locator::shown;
use crate::case::Case;
use crate::record::{Problem, Record};
use crate::report::text::{grouped, plural, size};
use crate::scan::analyse::Keep;
use crate::scan::facts::{Standing, each_entry};
use crate::scan::tree_id::{TreeId, tree_id};
use crate::signature::lists::{self, Kind};
use crate::signature::{
    Key, LicenceFlag, Options, SetBuilder, SetGroup, Spill, Summary, names_path,
};

/// Make a signature set of a work: hashes only, never text.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// The work: a source tree, a package, an archive, a map
    #[arg(value_name = "INPUT", required_unless_present_any = ["from", "secrets"])]
    inputs: Vec<PathBuf>,
    /// A list of the work by another program, in the place of the work: sha256sum, hashdeep, SWHIDs of contents, SCANOSS
    /// (.wfp); `-` is standard input. The set finds equal bytes and nothing else
    #[arg(long, value_name = "LIST", conflicts_with_all = ["inputs", "for_third_parties", "compact"])]
    pub from: Vec<PathBuf>,
    /// A list of live secrets, in the place of a work: `NAME=value`, `name<TAB>value` or one a line; `-` is standard input.
    /// The set, for `scan --known-secrets`, holds keyed digests of them and never a value
    #[arg(long, value_name = "LIST", conflicts_with_all = ["inputs", "from", "work", "release", "public", "baseline", "for_third_parties", "compact", "org", "export"])]
    pub secrets: Option<PathBuf>,
    /// Also write a list of what was signed, for other programs: `sha256sum=FILE`, `hashdeep=FILE`, `swhid=FILE` or
    /// `wfp=FILE`. It holds paths, and digests without a key: keep it private
    #[arg(long, value_name = "KIND=FILE", value_parser = parse_export, conflicts_with = "from")]
    export: Vec<(Kind, PathBuf)>,
    /// Name of the work
    #[arg(
        long,
        value_name = "NAME",
        required_unless_present = "secrets",
        default_value = "",
        hide_default_value = true
    )]
    pub work: String,
    /// Release of the work
    #[arg(
        long,
        value_name = "VERSION",
        required_unless_present = "secrets",
        default_value = "",
        hide_default_value = true
    )]
    pub release: String,
    /// File to write; the names of the files go into a file beside it that stays private
    #[arg(long, value_name = "FILE")]
    pub output: PathBuf,
    /// The work is public: what is in it is never reported as leaked
    #[arg(long)]
    pub public: bool,
    /// The set is a baseline of public code, to be given with --baseline
    #[arg(long)]
    pub baseline: bool,
    /// The set is to be handed on: leave out what can be guessed, single words and texts under 200 bytes
    #[arg(long)]
    for_third_parties: bool,
    /// Keep one in three of most fingerprints: half the size, and excerpts of a few lines are found less often
    #[arg(long, conflicts_with = "baseline")]
    compact: bool,
    /// Key the stored values with this file; without it the key is in the set. Of secrets: those that can be guessed are
    /// taken only with one
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Organisation profile: what is yours
    #[arg(long, value_name = "FILE")]
    pub org: Option<PathBuf>,
    #[command(flatten)]
    pub common: Common,
}

/// Parses `sha256sum=FILE` and its like.
fn parse_export(text: &str) -> Result<(Kind, PathBuf), String> {
    let parts = text.split_once('=').filter(|(_, path)| !path.is_empty());
    parts
        .and_then(|(word, path)| Some((Kind::of_word(word)?, PathBuf::from(path))))
        .ok_or_else(|| "write sha256sum=FILE, hashdeep=FILE, swhid=FILE or wfp=FILE".to_owned())
}

/// Runs the command.
pub fn run(args: &SignArgs) -> Result<Exit, CliError> {
    if let Some(list) = &args.secrets {
        return sign_secrets::run(args, list);
    }
    if !args.from.is_empty() {
        return sign_lists::run(args);
    }
    let paths = super::input_paths(&args.inputs, None)?;
    let organisation = pipeline::load_organisation(args.org.as_ref())?;
    let key = args.key.as_deref().map(Key::read).transpose()?;
    pipeline::warn_if_in_work_tree(&args.output, &args.common);
    for (_, path) in &args.export {
        pipeline::warn_if_in_work_tree(path, &args.common);
    }
    let options = Options {
        public: args.public,
        baseline: args.baseline,
        for_third_parties: args.for_third_parties,
        compact: args.compact,
        key,
    };
    let mut signer = Signer::new(
        organisation.as_ref(),
        args.public || args.baseline,
        args.for_third_parties,
        &args.export,
        builder(args, options),
    );
    let pipeline = Pipeline::new(Request {
        inspector: crate::exposure::Inspector::off(),
        case: None,
        paths: &paths,
        label: None,
        common: &args.common,
        organisation: organisation.clone(),
        sets: SetGroup::default(),
        record_all: false,
        keep: Keep::Leaves,
        collector: None,
        only: None,
        fail_on: None,
        accepted: &[],
        triage: false,
        releases: None,
    })?;
    let mut case = Case::in_memory()?;
    let names_path = names_path(&args.output);
    let (set, names) = (
        NewFile::create(&args.output)?,
        NewFile::create(&names_path)?,
    );
    let exports: Vec<(&(Kind, PathBuf), NewFile)> = args
        .export
        .iter()
        .map(|export| Ok((export, NewFile::create(&export.1)?)))
        .collect::<Result<_, CliError>>()?;
    let wall = pipeline.raise_wall(None, None);
    warn_of(&wall, &args.common);
    // Begun behind the wall, which threads inherit; without threads of its own the work is done on this one.
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(args.common.jobs())
        .build()
        .ok();
    let outcome = pipeline.run(&mut case, &wall, |roots, units, done| {
        for unit in done {
            let Some(child) = unit.kept.take() else {
                continue;
            };
            let row = &units[unit.index];
            let label = &roots[row.input].label;
            let path = if row.path.is_empty() {
                label.as_bytes()
            } else {
                &row.path
            };
            let standing = Standing {
                at: &Locator::file(label, &row.path),
                path,
                above: &[],
            };
            each_entry(&child, &standing, &mut |child, standing| {
                signer.take(child, standing, row.input);
                Ok::<_, CliError>(())
            })?;
        }
        signer.print(pool.as_ref())
    })?;
    if outcome.interrupted {
        return Err(CliError::new("stopped before the end; no set was written"));
    }
    let trees = trees_of(&paths, &args.common);
    let Signed {
        builder,
        left_out,
        alike,
        licences,
        rows,
    } = signer.finish();
    let mut summary = None;
    set.fill(|set| {
        names.fill(|names| {
            summary = Some(builder.finish_into(set, names)?);
            Ok(())
        })
    })?;
    for ((kind, path), list) in exports {
        let mut respelt = 0;
        list.fill(|file| {
            respelt = lists::write(*kind, &rows, file)?;
            Ok(())
        })?;
        if respelt > 0 {
            eprintln!(
                "strandline: {}: {} with line ends, which such a list cannot hold; they are written as %0A and %0D",
                path.display(),
                plural(respelt, "path", "paths")
            );
        }
    }
    if !args.common.quiet {
        if let Some(summary) = &summary {
            print_summary(args, summary, &licences, &alike, &left_out);
        }
        print_trees(&trees);
        println!("set         {}", args.output.display());
        println!("names       {} (keep it private)", names_path.display());
        for (kind, path) in &args.export {
            println!(
                "list        {}: {} (keep it private)",
                path.display(),
                kind.name()
            );
        }
    }
    if outcome.ledger.complete {
        return Ok(Exit::Clean);
    }
    let problems = unread(&case)?;
    eprintln!("strandline: not everything was read in full, so the set may lack files:");
    for problem in problems.iter().take(PROBLEMS_SHOWN) {
        let said = format!("{}: {}: {}", problem.code, problem.locator, problem.detail);
        eprintln!("  {}", shown(&said));
    }
    if let Some(more @ 1..) = problems.len().checked_sub(PROBLEMS_SHOWN) {
        eprintln!("  and {more} more: `strandline scan` on the same input names them all");
    }
    Ok(Exit::Incomplete)
}

/// Problems that are printed.
const PROBLEMS_SHOWN: usize = 10;

/// What kept bytes from being read.
fn unread(case: &Case) -> Result<Vec<Problem>, CliError> {
    let mut problems = Vec::new();
    case.records(|record| {
        match record {
            Record::Problem(problem) if problem.bytes_unread != Some(0) => problems.push(problem),
            _ => {}
        }
        Ok::<_, CliError>(())
    })?;
    Ok(problems)
}

/// A builder that puts aside what does not fit in memory, where there is a folder for it: that of `--spill`, else the one
/// that the set is written to. Begun before the wall, behind which no file can be made.
fn builder(args: &SignArgs, options: Options) -> SetBuilder {
    let builder = SetBuilder::new(&args.work, &args.release, options);
    let beside = args.output.parent().map(|folder| {
        if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        }
    });
    let folder = args.common.spill.as_deref().or(beside);
    let file = || tempfile::tempfile_in(folder?).ok();
    // Where none can be made, as beside a pipe, there is memory.
    match (file(), file()) {
        (Some(kept), Some(runs)) => builder.spilling(Spill::new([kept, runs], args.common.memory)),
        _ => builder,
    }
}

/// The git tree ids of the inputs that are folders. What is mounted in them was not to be read.
fn trees_of(paths: &[PathBuf], common: &Common) -> Vec<(PathBuf, TreeId)> {
    let folders = paths
        .iter()
        .filter(|path| !common.one_file_system && !common.quiet && path.is_dir());
    folders.map(|path| (path.clone(), tree_id(path))).collect()
}

/// Says what one digest stands for each whole tree.
fn print_trees(trees: &[(PathBuf, TreeId)]) {
    for (path, id) in trees {
        match id {
            Ok(id) => println!(
                "tree        swh:1:dir:{} is {} with all that is in it",
                hex(id),
                shown(&path.to_string_lossy())
            ),
            Err(why) => println!(
                "tree        no id of {}: {}",
                shown(&path.to_string_lossy()),
                shown(why)
            ),
        }
    }
}

/// Says what was signed, what was left out and why, and how large the set is.
fn print_summary(
    args: &SignArgs,
    summary: &Summary,
    licences: &BTreeMap<LicenceFlag, u64>,
    alike: &Told,
    left_out: &Told,
) {
    println!(
        "signed      {} files ({}) of {} {}, {} of them first party, {} with fingerprints",
        grouped(u64::from(summary.files)),
        size(summary.bytes),
        shown(&args.work),
        shown(&args.release),
        grouped(u64::from(summary.first_party_files)),
        grouped(u64::from(summary.printed)),
    );
    let licence = |flag| grouped(licences.get(&flag).copied().unwrap_or(0));
    println!(
        "licences    {} under an open licence, {} under another, {} not known, as files and manifests state it",
        licence(LicenceFlag::Open),
        licence(LicenceFlag::NotOpen),
        licence(LicenceFlag::Unknown)
    );
    for (what, (count, examples)) in alike {
        println!(
            "signed too  {} that {what}, such as {}: others may have the like, and have copied nothing",
            grouped(*count),
            examples.join(", ")
        );
    }
    for (reason, (count, examples)) in left_out {
        println!(
            "left out    {} {reason}, such as {}",
            grouped(*count),
            examples.join(", ")
        );
    }
    if args.for_third_parties {
        println!(
            "left out    {} of single words, which who has the set could guess",
            plural(summary.atoms_left_out, "fingerprint", "fingerprints")
        );
    }
    let sections: Vec<String> = summary
        .sections
        .iter()
        .map(|(id, bytes)| format!("{id} {}", size(*bytes)))
        .collect();
    println!("sections    {}", sections.join(", "));
    if args.compact {
        println!(
            "compact     {} left out; of what has few, such as an excerpt of ten lines, less is found",
            plural(summary.thinned_out, "fingerprint", "fingerprints")
        );
    }
    let bytes = summary.set_bytes;
    println!(
        "size        {}, {:.1} % of what was signed",
        size(bytes),
        100.0 * bytes as f64 / summary.bytes.max(1) as f64
    );
}
