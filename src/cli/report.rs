//! `strandline report`

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::beside::Beside;
use super::brief::{BriefArgs, Briefs};
use super::compare::read::Reader;
use super::output::OutputFolder;
use super::wall::Wall;
use super::{CliError, Common, Exit, custody, pipeline, scope, warn_of};
use crate::case::{Case, Handled};
use crate::report::claims::{ClaimRow, Claims, Examiner};
use crate::report::since_previous::{
    CHANGES_FILE, Changes, Comparer, FINDINGS_FILE, FindingsList, Previous, Scanned,
};
use crate::report::{
    Builder, Containment, LINES_OF_FILE, Model, Override, PSEUDONYM_CONTEXT, Settings, SideBySide,
    View, render_html,
};
use crate::signature::Key;

/// Random bytes that key the pseudonyms of a public view where the user gave no key.
const RANDOM_KEY_BYTES: usize = 32;

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
    /// File of random bytes that keys the pseudonyms of the public and the counsel view: equal for equal things in reports of one key.
    /// Without it those of the public view are keyed at random, so that no two reports can be joined, and counsel has numbers
    #[arg(long, value_name = "FILE")]
    case_key: Option<PathBuf>,
    /// Set an axis by hand (secrets, controls, ip, personal or spread; 0 to 4). Printed beside what the rules say, with who
    /// set it, when and why (the public view leaves out who), and written into the custody log of the case
    #[arg(long, value_name = "AXIS=N", requires = "reason")]
    severity: Vec<String>,
    /// Why, once for each `--severity`, in the same order
    #[arg(long, value_name = "TEXT", requires = "severity")]
    reason: Vec<String>,
    /// Say what changed since an earlier report: its report.json, with findings.jsonl beside it. In the internal view
    #[arg(long, value_name = "PREVIOUS.json")]
    since: Option<PathBuf>,
    /// Hold claims against the records: TOML or CSV with id, text, kind (files, lines, bytes, version, vector), value,
    /// tolerance (about, at least, 5% and such; of a version or vector: only) and package. Not in the public view
    #[arg(long, value_name = "FILE")]
    claims: Option<PathBuf>,
    /// Show what `compare` wrote into the case line beside line: the original, as it was given to it. It and the copies are read
    /// again, and each of the forty copies with the worst signs gets a page beside the report. Not in the public view
    #[arg(long, value_name = "TREE")]
    original: Option<PathBuf>,
    /// Lines of one file that such a page shows, and ten times as many in all
    #[arg(long, value_name = "N", default_value_t = LINES_OF_FILE, requires = "original")]
    snippet_lines: usize,
    /// Share of the work, by bytes of its first-party files, from which on a place holds it, where the report says how many
    /// places do: as for `case scope`
    #[arg(long, value_name = "SHARE", default_value_t = scope::THRESHOLD, value_parser = scope::parse_share)]
    threshold: f64,
    /// List of mirrors, caches and archives for `containment.csv`, in place of the one that the program carries
    #[arg(long, value_name = "FILE")]
    containment: Option<PathBuf>,
    #[command(flatten)]
    brief: BriefArgs,
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

/// What a report is held against.
struct Against {
    previous: Option<Previous>,
    claims: Claims,
    side_by_side: Option<SideBySide>,
    /// Share of the work from which on a place holds it.
    threshold: f64,
}

impl Default for Against {
    fn default() -> Self {
        Self {
            previous: None,
            claims: Claims::default(),
            side_by_side: None,
            threshold: scope::THRESHOLD,
        }
    }
}

impl Against {
    fn read(args: &ReportArgs) -> Result<Self, CliError> {
        if args.original.is_some() && args.view == ViewWord::Public {
            return Err(CliError::new(
                "`--original` shows lines of copies; it does not go with `--view public`",
            ));
        }
        if args.since.is_some() && args.view != ViewWord::Internal {
            return Err(CliError::new(
                "`--since` names findings by their places; it goes with `--view internal` only",
            ));
        }
        if args.claims.is_some() && args.view == ViewWord::Public {
            return Err(CliError::new(
                "`--claims` is judged by what the input says; it does not go with `--view public`",
            ));
        }
        let claims = match &args.claims {
            None => Claims::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| {
                    CliError::new(format!("cannot read {}: {error}", path.display()))
                })?;
                Claims::parse(&text, path)?
            }
        };
        Ok(Self {
            previous: args.since.as_deref().map(Previous::read).transpose()?,
            claims,
            side_by_side: None,
            threshold: args.threshold,
        })
    }
}

/// Runs the command.
pub fn run(args: &ReportArgs) -> Result<Exit, CliError> {
    let case = Case::open(&args.case)?;
    let mut deed = custody::deed("report --severity");
    let overrides = Override::pair(&args.severity, &args.reason)?.into_iter();
    let overrides: Vec<Override> = overrides
        .map(|one| one.set_by(&deed.actor, &deed.time))
        .collect();
    let settings = Settings {
        view: args.view.view(),
        key: pseudonym_key(args)?,
        overrides,
        scope: None,
        containment: containment(args.containment.as_deref())?,
    };
    let briefs = Briefs::read(&args.brief)?;
    if briefs.is_some() && args.view == ViewWord::Public {
        return Err(CliError::new(
            "`--brief` holds what people decided; it does not go with `--view public`",
        ));
    }
    let mut against = Against::read(args)?;
    let beside = args.original.as_deref().map(|original| {
        let one_file_system = args.common.one_file_system;
        Beside::choose(
            &case,
            &args.case,
            original,
            args.snippet_lines,
            one_file_system,
        )
    });
    let beside = beside.transpose()?;
    pipeline::warn_if_in_work_tree(&args.output, &args.common);
    let folder = OutputFolder::create(&args.output)?;
    if !settings.overrides.is_empty() {
        let set = settings.overrides.iter().map(|one| Handled {
            what: format!(
                "severity of a report ({}): {}",
                settings.view.as_str(),
                one.words()
            ),
            sha256: None,
        });
        deed.outputs = set.collect();
        case.add_custody(deed).map_err(|error| {
            CliError::new(format!(
                "no severity is set, since that could not be written into the custody log: {error}"
            ))
        })?;
    }
    if let Some(original) = &args.original {
        let mut deed = custody::deed("report --original");
        deed.inputs.push(Handled {
            what: format!("original {}", original.display()),
            sha256: None,
        });
        case.add_custody(deed)?;
    }
    // A case may come from others too; it is open.
    let reads: Vec<PathBuf> = beside.iter().flat_map(Beside::reads).cloned().collect();
    let jobs = args.common.jobs();
    let wall = Wall::around(reads)
        .with_output(Some(&args.output))
        .with_spill(args.common.spill.as_deref());
    warn_of(&args.common.raise(&wall), &args.common);
    for by_hand in &settings.overrides {
        eprintln!("strandline: severity: {}", by_hand.words());
    }
    let mut exit = Exit::Clean;
    if let Some(beside) = beside {
        let side_by_side = beside.write(&case, &Reader::new(&args.common, jobs), &folder)?;
        if !side_by_side.missed.is_empty() {
            exit = Exit::Incomplete;
        }
        against.side_by_side = Some(side_by_side);
    }
    let model = write_with(&case, &folder, settings, &against)?;
    if let Some(briefs) = briefs {
        briefs.write(&case, &folder, &model)?;
    }
    if !args.common.quiet {
        println!("{}", args.output.join("index.html").display());
    }
    super::case::end_of(&case, exit)
}

/// The key of pseudonyms; read before the wall is up.
fn pseudonym_key(args: &ReportArgs) -> Result<Vec<u8>, CliError> {
    match &args.case_key {
        Some(path) => Ok(Key::read(path)?.derive(PSEUDONYM_CONTEXT).to_vec()),
        None if args.view == ViewWord::Public => random_key(),
        None => Ok(Vec::new()),
    }
}

/// The places to contain, as the user has them or as the program does.
fn containment(path: Option<&Path>) -> Result<Containment, CliError> {
    let Some(path) = path else {
        return Ok(Containment::default());
    };
    let text = std::fs::read_to_string(path)
        .map_err(|error| CliError::new(format!("cannot read {}: {error}", path.display())))?;
    Ok(Containment::parse(&text, &path.display().to_string())?)
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
    write_with(case, folder, Settings::default(), &Against::default()).map(drop)
}

/// Writes the report of a view, without anything that is held against it, and gives its figures.
pub fn write_view(case: &Case, folder: &OutputFolder, view: View) -> Result<Model, CliError> {
    let settings = Settings {
        view,
        ..Settings::default()
    };
    write_with(case, folder, settings, &Against::default())
}

/// Writes `index.html`, `report.json` with the same figures, which it gives back, and the lists; `findings.jsonl` for reports to
/// come, and `changes.csv` where an earlier report was given. Records stream by: nothing grows with their number but what
/// [`Builder::add`] says.
fn write_with(
    case: &Case,
    folder: &OutputFolder,
    settings: Settings,
    against: &Against,
) -> Result<Model, CliError> {
    let view = settings.view;
    let settings = Settings {
        scope: Some(scope::account(case, against.threshold)?),
        ..settings
    };
    let mut builder = Builder::new(settings);
    let mut scanned = Scanned::default();
    case.records(|record| {
        scanned.note(&record);
        builder.add(record).map_err(CliError::from)
    })?;
    let mut report = builder.finish();
    report
        .model
        .copies
        .side_by_side
        .clone_from(&against.side_by_side);
    report.model.claims = examine(case, &against.claims)?;
    // Ids of findings can be tested by whoever guesses places, so they are for those who may know them.
    if view == View::Internal {
        let (list, changes) = write_findings(case, folder, scanned, against.previous.as_ref())?;
        report.model.findings_list = Some(list);
        report.model.changes = changes;
    }
    folder.write("index.html", render_html(&report.model)?.as_bytes())?;
    let twin = serde_json::to_vec_pretty(&report.model)
        .map_err(|error| CliError::new(error.to_string()))?;
    folder.write("report.json", &twin)?;
    for list in &report.lists {
        folder.write(list.name, list.text.as_bytes())?;
    }
    Ok(report.model)
}

/// Holds claims against the records, which are read twice: once for what they are about.
fn examine(case: &Case, claims: &Claims) -> Result<Vec<ClaimRow>, CliError> {
    let mut examiner = Examiner::new(claims);
    if claims.is_empty() {
        return Ok(examiner.finish());
    }
    case.records(|record| {
        examiner.note(&record);
        Ok::<_, CliError>(())
    })?;
    case.records(|record| {
        examiner.add(&record);
        Ok::<_, CliError>(())
    })?;
    Ok(examiner.finish())
}

/// Writes the list of findings, and what changed since an earlier one.
fn write_findings(
    case: &Case,
    folder: &OutputFolder,
    mut scanned: Scanned,
    previous: Option<&Previous>,
) -> Result<(FindingsList, Option<Changes>), CliError> {
    let info = case.info()?;
    let complete = info.ledger.is_some_and(|ledger| ledger.read_all());
    case.each_unit(|unit| scanned.units.add(&unit))?;
    let mut comparer = Comparer::new(info.run.as_ref(), complete, scanned, previous);
    let file = folder.create_file(FINDINGS_FILE)?;
    let mut out = Hashed {
        out: std::io::BufWriter::new(file),
        hasher: blake3::Hasher::new(),
    };
    comparer.begin(&mut out)?;
    case.findings(|record, unit| {
        comparer.add(&record, unit, &mut out)?;
        Ok::<_, CliError>(())
    })?;
    out.flush()?;
    let list = FindingsList {
        file: FINDINGS_FILE.to_owned(),
        blake3: out.hasher.finalize().to_hex().to_string(),
        findings: comparer.count(),
    };
    if previous.is_none() {
        return Ok((list, None));
    }
    let units = case.units_named(&comparer.units_asked())?;
    let mut table = std::io::BufWriter::new(folder.create_file(CHANGES_FILE)?);
    let changes = comparer.finish(&units, &mut table)?;
    table.flush()?;
    Ok((list, changes))
}

/// Digests what is written.
struct Hashed<W: Write> {
    out: W,
    hasher: blake3::Hasher,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
