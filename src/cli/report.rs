//! `strandline report`

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::output::OutputFolder;
use super::wall::Wall;
use super::{CliError, Common, Exit, pipeline, warn_of};
use crate::case::Case;
use crate::report::{Builder, Override, Settings, View, render_html};

/// Random bytes that key the pseudonyms of a public view where the user gave no key.
const RANDOM_KEY_BYTES: usize = 32;

/// A case key of fewer bytes could be guessed, and with it every pseudonym.
const CASE_KEY_MIN_BYTES: usize = 16;

/// A case key larger than this is a mistake, or a device that never ends.
const CASE_KEY_MAX_BYTES: u64 = 1 << 20;

/// Write the impact report of a case: one page that can be read and printed without anything else, its figures as
/// JSON, and lists for those who act.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The case
    #[arg(value_name = "CASE")]
    case: PathBuf,
    /// New folder to write into
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Who reads it: `internal` shows all but secrets, `counsel` leaves out what mainly helps an attacker, `public` holds
    /// figures and pseudonyms only
    #[arg(long, value_enum, default_value_t = ViewWord::Internal)]
    view: ViewWord,
    /// File of random bytes that keys the pseudonyms of the public view: equal for equal things in reports of one key.
    /// Without it they are keyed at random, and no two reports can be joined
    #[arg(long, value_name = "FILE")]
    case_key: Option<PathBuf>,
    /// Set an axis by hand (secrets, controls, ip, personal or spread; 0 to 4); printed beside what the rules say
    #[arg(long, value_name = "AXIS=N", requires = "reason")]
    severity: Vec<String>,
    /// Why, once for each `--severity`, in the same order
    #[arg(long, value_name = "TEXT", requires = "severity")]
    reason: Vec<String>,
    #[command(flatten)]
    common: Common,
}

/// A view, as it is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ViewWord {
    /// Those who handle the incident
    Internal,
    /// Legal counsel
    Counsel,
    /// Everybody
    Public,
}

impl ViewWord {
    fn view(self) -> View {
        match self {
            ViewWord::Internal => View::Internal,
            ViewWord::Counsel => View::Counsel,
            ViewWord::Public => View::Public,
        }
    }
}

/// Runs the command.
pub fn run(args: &ReportArgs) -> Result<Exit, CliError> {
    let overrides = Override::pair(&args.severity, &args.reason)?;
    let settings = Settings {
        view: args.view.view(),
        key: pseudonym_key(args)?,
        overrides,
    };
    let case = Case::open(&args.case)?;
    pipeline::warn_if_in_work_tree(&args.output, &args.common);
    let folder = OutputFolder::create(&args.output)?;
    // A case may come from others too; it is open.
    let wall = Wall::default().with_output(Some(&args.output));
    warn_of(&args.common.raise(&wall), &args.common);
    for by_hand in &settings.overrides {
        eprintln!("strandline: severity: {}", by_hand.words());
    }
    write_with(&case, &folder, settings)?;
    if !args.common.quiet {
        println!("{}", args.output.join("index.html").display());
    }
    Ok(Exit::Clean)
}

/// The key of pseudonyms; read before the wall is up.
fn pseudonym_key(args: &ReportArgs) -> Result<Vec<u8>, CliError> {
    match &args.case_key {
        Some(path) => read_case_key(path),
        None if args.view == ViewWord::Public => random_key(),
        None => Ok(Vec::new()),
    }
}

fn read_case_key(path: &Path) -> Result<Vec<u8>, CliError> {
    let fail = |reason: String| {
        CliError::new(format!(
            "cannot use the case key {}: {reason}",
            path.display()
        ))
    };
    let file = std::fs::File::open(path).map_err(|error| fail(error.to_string()))?;
    let mut bytes = Vec::new();
    file.take(CASE_KEY_MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| fail(error.to_string()))?;
    if bytes.len() < CASE_KEY_MIN_BYTES {
        return Err(fail(format!(
            "it holds {} bytes; a key needs at least {CASE_KEY_MIN_BYTES} random bytes (32 bytes of /dev/urandom do)",
            bytes.len()
        )));
    }
    if bytes.len() as u64 > CASE_KEY_MAX_BYTES {
        return Err(fail(
            "it holds more than 1 MiB; is this the right file?".to_owned(),
        ));
    }
    Ok(bytes)
}

fn random_key() -> Result<Vec<u8>, CliError> {
    let mut bytes = vec![0; RANDOM_KEY_BYTES];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .map_err(|error| {
            CliError::new(format!(
                "no random bytes for the pseudonyms of a public report: {error}; give `--case-key FILE`"
            ))
        })?;
    Ok(bytes)
}

/// Writes the report of the internal view, as a scan does.
pub fn write_into(case: &Case, folder: &OutputFolder) -> Result<(), CliError> {
    write_with(case, folder, Settings::default())
}

/// Writes `index.html`, `report.json` with the same figures, and the lists. Records stream by: nothing grows with their
/// number but what [`Builder::add`] says.
fn write_with(case: &Case, folder: &OutputFolder, settings: Settings) -> Result<(), CliError> {
    let mut builder = Builder::new(settings);
    case.records(|record| builder.add(record).map_err(CliError::from))?;
    let report = builder.finish();
    folder.write("index.html", render_html(&report.model)?.as_bytes())?;
    let twin = serde_json::to_vec_pretty(&report.model)
        .map_err(|error| CliError::new(error.to_string()))?;
    folder.write("report.json", &twin)?;
    for list in &report.lists {
        folder.write(list.name, list.text.as_bytes())?;
    }
    Ok(())
}
