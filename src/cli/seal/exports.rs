//! Records in the forms of other programs, as part of what is sealed.

use std::io::Write as _;

use clap::ValueEnum;

use crate::case::Case;
use crate::cli::CliError;
use crate::cli::export::{Format, write_one};
use crate::cli::output::OutputFolder;

/// A form that is one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum SealedExport {
    /// SARIF 2.1.0: exposures and secrets
    Sarif,
    /// CycloneDX 1.6: third-party packages
    Cyclonedx,
    /// STIX 2.1: indicators of what was put into copies
    Stix,
    /// CASE 1.5 on UCO, JSON-LD: inputs, places, files with what was found
    CaseUco,
}

impl SealedExport {
    /// The word on the command line, the form, and the file below the folder of exports.
    pub(super) fn parts(self) -> (&'static str, Format, &'static str) {
        match self {
            SealedExport::Sarif => ("sarif", Format::Sarif, "findings.sarif"),
            SealedExport::Cyclonedx => ("cyclonedx", Format::Cyclonedx, "third-party.cdx.json"),
            SealedExport::Stix => ("stix", Format::Stix, "indicators.stix.json"),
            SealedExport::CaseUco => ("case-uco", Format::CaseUco, "case-uco.jsonld"),
        }
    }
}

/// Writes those asked for, each once.
pub(super) fn write(
    case: &Case,
    folder: &OutputFolder,
    wanted: &[SealedExport],
) -> Result<(), CliError> {
    let mut wanted = wanted.to_vec();
    wanted.sort();
    wanted.dedup();
    if wanted.is_empty() {
        return Ok(());
    }
    let folder = folder.below(crate::report::evidence::EXPORTS_FOLDER)?;
    for one in wanted {
        let (_, format, name) = one.parts();
        let mut out = std::io::BufWriter::new(folder.create_file(name)?);
        write_one(case, format, &mut out)?;
        out.flush()?;
    }
    Ok(())
}
