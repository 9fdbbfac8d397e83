//! `strandline case authorship`: who wrote the matched files, by the vendor's own repository.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::custody::deed;
use super::output::NewFile;
use super::{CliError, Common, Exit, case, pipeline, wall, warn_of};
use crate::blob::Sha256Digest;
use crate::blob::locator::{shown, unescape};
use crate::case::{Case, Handled};
use crate::container::git::history::{History, Told};
use crate::container::git::store::StoreWalker;
use crate::lex::{Nature, family_of, nature_of};
use crate::record::Record;
use crate::report::review::authorship::{Generated, WorkFile, people_count, written};
use crate::report::text::{grouped, plural};
use crate::scan::twin::Twins;
use crate::scan::{input, unit};

/// Bytes of a file in which a generator's mark is looked for.
const FILE_MAX: usize = 4 << 20;

/// List who wrote the matched files and when, as the vendor's own repository states it
#[derive(Debug, Args)]
pub struct AuthorshipArgs {
    /// The case
    case: PathBuf,
    /// The vendor's repository: a folder with `.git` in it, or a bare one
    #[arg(long, value_name = "REPO")]
    history: PathBuf,
    /// CSV to write, `-` is standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    output: PathBuf,
    /// Only files of this work
    #[arg(long, value_name = "NAME")]
    work: Option<String>,
    /// Folder of the repository that stands for the root of the work
    #[arg(long, value_name = "FOLDER", default_value = "")]
    below: String,
    #[command(flatten)]
    common: Common,
}

/// Runs the command.
pub fn run(args: &AuthorshipArgs) -> Result<Exit, CliError> {
    let case = Case::open(&args.case)?;
    let (files, by_number) = matched_files(&case, args)?;
    if files.is_empty() {
        return Err(CliError::new(match by_number {
            0 => "no file of a work was matched in this case, so there is nobody to name".to_owned(),
            _ => "the case knows the matched files by number only; scan again with the `.names` beside the set".to_owned(),
        }));
    }
    let is_stdout = args.output == Path::new("-");
    let output = if is_stdout {
        None
    } else {
        Some(NewFile::create(&args.output)?)
    };
    // Who and with what is asked of the system before the wall is up.
    let mut entry = deed("case authorship");
    let limits = args.common.limits();
    let roots = input::look_at(std::slice::from_ref(&args.history), None, false)?;
    let root = roots.first().ok_or_else(|| no_repository(args))?;
    let (units, _) = input::walk(0, root, &mut Twins::default());
    warn_of(
        &args.common.raise(&wall::Wall::around([&args.history])),
        &args.common,
    );
    let mut walker =
        unit::store_walker(root, &units, &limits).ok_or_else(|| no_repository(args))?;
    let told = read(&mut walker, &files, limits.memory / 2)?;
    let generated: Vec<Generated> = told
        .paths
        .iter()
        .map(|path| {
            path.at_head
                .map_or(Generated::Unknown, |id| mark_of(&walker, &id))
        })
        .collect();
    let text = written(&files, &told, &generated);
    entry.inputs = vec![Handled {
        what: format!("the history in {}", args.history.display()),
        sha256: None,
    }];
    entry.outputs = vec![Handled {
        what: format!(
            "authors of {}, {}",
            plural(files.len() as u64, "file", "files"),
            if is_stdout {
                "to standard output".to_owned()
            } else {
                args.output.display().to_string()
            }
        ),
        sha256: Some(Sha256Digest::of(text.as_bytes()).hex()),
    }];
    case.add_custody(entry)?;
    match output {
        None => std::io::stdout().write_all(text.as_bytes())?,
        Some(file) => {
            file.fill(|out| Ok(out.write_all(text.as_bytes())?))?;
            pipeline::warn_of_work_tree(&args.output);
        }
    }
    tell(&files, &told, by_number);
    let is_whole = told.missing_commits == 0 && told.missing_trees == 0;
    case::end_of(
        &case,
        if is_whole {
            Exit::Clean
        } else {
            Exit::Incomplete
        },
    )
}

fn no_repository(args: &AuthorshipArgs) -> CliError {
    CliError::new(format!(
        "{} is no git repository; name the folder that has `.git` in it, as a folder, or a bare repository",
        args.history.display()
    ))
}

/// The files of works that were matched, and how many are known by number only.
fn matched_files(case: &Case, args: &AuthorshipArgs) -> Result<(Vec<WorkFile>, u64), CliError> {
    let below = args.below.trim_matches('/');
    let (mut files, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    case.records_of(&["match"], |record| -> Result<(), CliError> {
        let Record::Match(found) = record else {
            return Ok(());
        };
        if args.work.as_ref().is_some_and(|work| *work != found.work) {
            return Ok(());
        }
        if found.file.bytes().all(|byte| byte.is_ascii_digit()) {
            numbers.insert((found.work, found.file));
            return Ok(());
        }
        let Some(path) = unescape(&found.file) else {
            return Ok(());
        };
        let path = match below {
            "" => path,
            below => [below.as_bytes(), b"/", &path].concat(),
        };
        files.insert(WorkFile {
            work: found.work,
            file: found.file,
            path,
        });
        Ok(())
    })?;
    Ok((files.into_iter().collect(), numbers.len() as u64))
}

/// Reads the history of the files.
fn read(walker: &mut StoreWalker, files: &[WorkFile], most: u64) -> Result<Told, CliError> {
    // Files of two works may be one path.
    let mut paths: Vec<&[u8]> = files.iter().map(|file| file.path.as_slice()).collect();
    paths.sort_unstable();
    paths.dedup();
    let mut history = History::new(paths.iter().copied());
    let refs = walker.show_history(&mut |object| {
        history.add(object.kind, &object.id, &object.bytes);
        history.weight() <= most
    });
    if history.weight() > most {
        return Err(CliError::new(
            "the history takes more memory than may be used; raise --memory",
        ));
    }
    let refs = refs.ok_or_else(|| {
        CliError::new("the names of this repository are kept as a reftable, which is not read; clone it with `--ref-format=files`")
    })?;
    let told = history.tell(&refs);
    let of_file = |file: &WorkFile| {
        let at = paths.binary_search(&file.path.as_slice()).ok();
        at.and_then(|at| told.paths.get(at))
            .cloned()
            .unwrap_or_default()
    };
    Ok(Told {
        paths: files.iter().map(of_file).collect(),
        ..told.clone()
    })
}

fn mark_of(walker: &StoreWalker, id: &crate::container::git::Oid) -> Generated {
    let Some(bytes) = walker.blob(id) else {
        return Generated::Unknown;
    };
    let text = bytes.get(..FILE_MAX).unwrap_or(&bytes);
    match nature_of(text, family_of(text)) {
        Nature::Generated(mark) => Generated::Marked(mark),
        _ => Generated::No,
    }
}

/// What the table is made of, beside it.
fn tell(files: &[WorkFile], told: &Told, by_number: u64) {
    let found = told
        .paths
        .iter()
        .filter(|path| !path.changes.is_empty())
        .count();
    let (authors, others) = people_count(told);
    eprintln!(
        "strandline: {} of {} in the history of {}: {}, {}; renames are not followed",
        grouped(found as u64),
        plural(files.len() as u64, "matched file", "matched files"),
        plural(told.commits, "commit", "commits"),
        plural(authors as u64, "author", "authors"),
        plural(others as u64, "co-author", "co-authors")
    );
    if let Some(file) = files.first().filter(|_| found == 0) {
        eprintln!(
            "strandline: none of the paths is there, such as {}; name with --below the folder of the repository that stands for the root of the work",
            shown(&file.file)
        );
    }
    if by_number > 0 {
        eprintln!(
            "strandline: {} known by number only and left out; scan with the `.names` beside the set",
            plural(by_number, "file is", "files are")
        );
    }
    if told.missing_commits > 0 || told.missing_trees > 0 {
        eprintln!(
            "strandline: the repository lacks {} and {} of its history (a clone in part?), so the first dates may be later than the true ones",
            plural(told.missing_commits, "commit", "commits"),
            plural(told.missing_trees, "folder", "folders")
        );
    }
}
