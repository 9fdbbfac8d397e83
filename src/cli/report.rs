//! `strandline report`

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::output::OutputFolder;
use super::wall::Wall;
use super::{CliError, Common, Exit, pipeline, warn_of};
use crate::case::Case;
use crate::report::claims::{Claims, Examiner};
use crate::report::since_previous::{
    CHANGES_FILE, Changes, Comparer, FINDINGS_FILE, FindingsList, Previous, Units,
};
use crate::report::{Model, render_html};

/// Write the report of a case: one page that can be read and printed without anything else.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The case
    #[arg(value_name = "CASE")]
    case: PathBuf,
    /// New folder to write into
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Say what changed since an earlier report: its report.json, with findings.jsonl beside it
    #[arg(long, value_name = "PREVIOUS.json")]
    since: Option<PathBuf>,
    /// Hold claims against the records: TOML or CSV with id, text, kind (files, lines, bytes, version, vector), value,
    /// tolerance (about, at least, 5% and such) and package
    #[arg(long, value_name = "FILE")]
    claims: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// What a report is held against.
#[derive(Default)]
pub struct Against {
    previous: Option<Previous>,
    claims: Claims,
}

impl Against {
    fn read(args: &ReportArgs) -> Result<Self, CliError> {
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
        })
    }
}

/// Runs the command.
pub fn run(args: &ReportArgs) -> Result<Exit, CliError> {
    let case = Case::open(&args.case)?;
    let against = Against::read(args)?;
    pipeline::warn_if_in_work_tree(&args.output, &args.common);
    let folder = OutputFolder::create(&args.output)?;
    // A case may come from others too; it is open.
    let wall = Wall::default().with_output(Some(&args.output));
    warn_of(&args.common.raise(&wall), &args.common);
    write_into(&case, &folder, &against)?;
    if !args.common.quiet {
        println!("{}", args.output.join("index.html").display());
    }
    Ok(Exit::Clean)
}

/// Writes `index.html`, `report.json` with the same figures, and `findings.jsonl` for reports to come; `changes.csv` where
/// an earlier report was given.
pub fn write_into(case: &Case, folder: &OutputFolder, against: &Against) -> Result<(), CliError> {
    let mut records = Vec::new();
    case.records(|record| {
        records.push(record);
        Ok::<_, CliError>(())
    })?;
    let mut examiner = Examiner::new(&against.claims);
    records.iter().for_each(|record| examiner.note(record));
    records.iter().for_each(|record| examiner.add(record));
    let mut model = Model::build(records);
    model.claims = examiner.finish();
    let (list, changes) = write_findings(case, folder, against.previous.as_ref())?;
    model.findings_list = Some(list);
    model.changes = changes;
    folder.write("index.html", render_html(&model)?.as_bytes())?;
    let twin =
        serde_json::to_vec_pretty(&model).map_err(|error| CliError::new(error.to_string()))?;
    folder.write("report.json", &twin)
}

/// Writes the list of findings, and what changed since an earlier one.
fn write_findings(
    case: &Case,
    folder: &OutputFolder,
    previous: Option<&Previous>,
) -> Result<(FindingsList, Option<Changes>), CliError> {
    let info = case.info()?;
    let complete = info.ledger.is_some_and(|ledger| ledger.complete);
    let mut units = Units::default();
    case.each_unit(|unit| units.add(&unit))?;
    let mut comparer = Comparer::new(info.run.as_ref(), complete, units, previous);
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
