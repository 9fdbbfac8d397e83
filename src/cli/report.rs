//! `strandline report`

use std::path::PathBuf;

use clap::Args;

use super::output::OutputFolder;
use super::wall::Wall;
use super::{CliError, Common, Exit, pipeline, warn_of};
use crate::case::Case;
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
    #[command(flatten)]
    common: Common,
}

/// Runs the command.
pub fn run(args: &ReportArgs) -> Result<Exit, CliError> {
    let case = Case::open(&args.case)?;
    pipeline::warn_if_in_work_tree(&args.output, &args.common);
    let folder = OutputFolder::create(&args.output)?;
    // A case may come from others too; it is open.
    let wall = Wall::default().with_output(Some(&args.output));
    warn_of(&args.common.raise(&wall), &args.common);
    write_into(&case, &folder)?;
    if !args.common.quiet {
        println!("{}", args.output.join("index.html").display());
    }
    Ok(Exit::Clean)
}

/// Writes `index.html`, and `report.json` with the same figures.
pub fn write_into(case: &Case, folder: &OutputFolder) -> Result<(), CliError> {
    let mut records = Vec::new();
    case.records(|record| {
        records.push(record);
        Ok::<_, CliError>(())
    })?;
    let model = Model::build(records);
    folder.write("index.html", render_html(&model)?.as_bytes())?;
    let twin =
        serde_json::to_vec_pretty(&model).map_err(|error| CliError::new(error.to_string()))?;
    folder.write("report.json", &twin)
}
