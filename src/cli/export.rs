//! `strandline case export`: the records of a case in the forms of other programs.

use std::io::Write;
use std::path::Path;

use super::output::{self, OutputFolder};
use super::{CliError, pipeline, scan};
use crate::case::Case;
use crate::record::Record;
use crate::report::export::{ExportError, Take, case_uco, csv, cyclonedx, sarif, stix};

/// A form of export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// The records, one object a line
    Jsonl,
    /// A table for each type of record
    Csv,
    /// SARIF 2.1.0: exposures and secrets
    Sarif,
    /// CycloneDX 1.6: third-party packages
    Cyclonedx,
    /// STIX 2.1: indicators of what was put into copies
    Stix,
    /// CASE 1.5 on UCO, JSON-LD: inputs, places, files with what was found
    CaseUco,
}

/// Writes the records of a case.
pub fn write(case: &Case, format: Format, path: &Path) -> Result<(), CliError> {
    let is_stdout = path == Path::new("-");
    if !is_stdout {
        pipeline::warn_of_work_tree(path);
    }
    match format {
        Format::Jsonl => scan::write_records(case, path),
        Format::Csv if is_stdout => Err(CliError::new(
            "csv is a file for each type of record; name a new folder with --output",
        )),
        Format::Csv => write_tables(case, path),
        Format::Sarif | Format::Cyclonedx | Format::Stix | Format::CaseUco if is_stdout => {
            let mut out = std::io::BufWriter::new(std::io::stdout().lock());
            scan::unless_closed(write_one(case, format, &mut out).and_then(|()| Ok(out.flush()?)))
        }
        Format::Sarif | Format::Cyclonedx | Format::Stix | Format::CaseUco => {
            output::write_new(path, |out| write_one(case, format, out))
        }
    }
}

/// Writes one of those that are one file.
pub(super) fn write_one(case: &Case, format: Format, out: &mut dyn Write) -> Result<(), CliError> {
    let records = |take: &mut Take<'_>| each_record(case, take);
    match format {
        Format::Sarif => sarif::write(&records, out)?,
        Format::Stix => stix::write(&records, out)?,
        Format::CaseUco => case_uco::write(&records, out)?,
        _ => cyclonedx::write(&records, out)?,
    }
    Ok(())
}

fn write_tables(case: &Case, path: &Path) -> Result<(), CliError> {
    let folder = OutputFolder::create(path)?;
    let records = |take: &mut Take<'_>| each_record(case, take);
    let mut open = |name: &str| -> Result<Box<dyn Write>, ExportError> {
        let file = folder.create_file(name);
        let file = file.map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(Box::new(std::io::BufWriter::new(file)))
    };
    csv::write(&records, &mut open)?;
    Ok(())
}

fn each_record(case: &Case, take: &mut Take<'_>) -> Result<(), ExportError> {
    case.records(|record: Record| take(record))
}
