//! `strandline recover`

mod pairs;
mod writer;

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::output::OutputFolder;
use super::pipeline::{self, Pipeline, Request};
use super::{CliError, Common, Exit, warn_of};
use crate::blob::Locator;
use crate::case::Case;
use crate::record::{ManifestRow, Record, RunWall};
use crate::report::text::{grouped, size};
use crate::scan::UnitDone;
use crate::scan::analyse::Keep;
use crate::scan::facts::{Child, Standing, each_entry};
use crate::scan::input::{InputRoot, Unit};
use crate::signature::SetGroup;
use pairs::{Loose, Plan};
use writer::Writer;

/// Get the original sources back out of maps and bundles.
#[derive(Debug, Args)]
pub struct RecoverArgs {
    /// Files and folders: packages, archives, maps
    #[arg(value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// New folder: sources below `sources/`, one row for each in `manifest.jsonl`
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Lay the generated code out for sources without content, as `NAME.skeleton`: never a source, but its shape
    #[arg(long)]
    skeletons: bool,
    /// Organisation profile: what is yours
    #[arg(long, value_name = "FILE")]
    org: Option<PathBuf>,
    /// Read further inputs from a list, separated by NUL or by lines; `-` is standard input
    #[arg(long, value_name = "FILE")]
    files_from: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// Runs the command.
pub fn run(args: &RecoverArgs) -> Result<Exit, CliError> {
    let paths = super::input_paths(&args.inputs, args.files_from.as_ref())?;
    let organisation = pipeline::load_organisation(args.org.as_ref())?;
    pipeline::warn_if_in_work_tree(&args.output, &args.common);
    let folder = OutputFolder::create(&args.output)?;
    let mut writer = Writer::new(&folder);
    let (mut loose, mut plan) = (Loose::default(), Plan::default());
    let pipeline = Pipeline::new(Request {
        organisation,
        ..request(args, &paths, Keep::Sources)
    })?;
    let mut case = Case::in_memory()?;
    let wall = pipeline.raise_wall(Some(&args.output), None);
    warn_of(&wall, &args.common);
    let outcome = pipeline.run(&mut case, &wall, |roots, units, done| {
        each_of(roots, units, done, |child, standing, unit| {
            writer.take(child, standing)?;
            if args.skeletons {
                plan.take(child, unit);
            }
            Ok(())
        })?;
        for unit in done.iter().filter(|_| args.skeletons) {
            let row = &units[unit.index];
            if let Some(child) = &unit.kept {
                loose.take(child, &roots[row.input], row, units);
            }
        }
        done.iter_mut().for_each(|unit| unit.kept = None);
        Ok(())
    })?;
    if !plan.units.is_empty() && !outcome.interrupted {
        draw_planned(&paths, args, &plan, &outcome.wall, &mut writer)?;
    }
    loose.pair(&args.common.limits(), &mut writer)?;
    let counts = write_manifest(&case, &writer)?;
    if !args.common.quiet {
        println!(
            "{} sources named: {} recovered into {} files ({}), {} without content",
            grouped(counts.total),
            grouped(counts.recovered),
            grouped(writer.files),
            size(writer.bytes),
            grouped(counts.total - counts.recovered)
        );
        if args.skeletons {
            println!(
                "{} skeletons of those without content: generated code laid out, no sources",
                grouped(counts.skeletons)
            );
        }
        println!("{}", args.output.join("manifest.jsonl").display());
    }
    Ok(if outcome.ledger.complete && !outcome.interrupted {
        Exit::Clean
    } else {
        eprintln!(
            "strandline: not everything was read in full; `strandline scan` on the same input says what"
        );
        Exit::Incomplete
    })
}

/// What both passes ask for.
fn request<'a>(args: &'a RecoverArgs, paths: &'a [PathBuf], keep: Keep) -> Request<'a> {
    Request {
        inspector: crate::exposure::Inspector::off(),
        case: None,
        paths,
        label: None,
        common: &args.common,
        organisation: None,
        sets: SetGroup::default(),
        record_all: false,
        keep,
        collector: None,
        only: None,
        fail_on: None,
        accepted: &[],
        triage: false,
        releases: None,
    }
}

/// Shows every entry of units that kept their facts.
fn each_of(
    roots: &[InputRoot],
    units: &[Unit],
    done: &[UnitDone],
    mut look: impl FnMut(&Child, &Standing, &Unit) -> Result<(), CliError>,
) -> Result<(), CliError> {
    for unit in done {
        let Some(child) = &unit.kept else { continue };
        let row = &units[unit.index];
        let label = &roots[row.input].label;
        let is_input = row.path.is_empty();
        let above = if is_input {
            vec![]
        } else {
            vec![label.clone().into_bytes()]
        };
        let standing = Standing {
            at: &Locator::file(label, &row.path),
            path: if is_input {
                label.as_bytes()
            } else {
                &row.path
            },
            above: &above,
        };
        each_entry(child, &standing, &mut |child, standing| {
            look(child, standing, row)
        })?;
    }
    Ok(())
}

/// Behind the same wall, reads the planned units again, keeps what skeletons are made of, and makes them.
fn draw_planned(
    paths: &[PathBuf],
    args: &RecoverArgs,
    plan: &Plan,
    wall: &RunWall,
    writer: &mut Writer,
) -> Result<(), CliError> {
    let keep = Keep::Named(Arc::new(plan.names.clone()));
    let pipeline = Pipeline::new(Request {
        only: Some(&plan.units),
        ..request(args, paths, keep)
    })?;
    let mut case = Case::in_memory()?;
    pipeline.run(&mut case, wall, |roots, units, done| {
        each_of(roots, units, done, |child, standing, _| {
            pairs::within(child, standing, writer)
        })?;
        done.iter_mut().for_each(|unit| unit.kept = None);
        Ok(())
    })?;
    Ok(())
}

#[derive(Default)]
struct Counts {
    total: u64,
    recovered: u64,
    skeletons: u64,
}

/// One row for each entry of the `sources` of each map, with the path that was written.
fn write_manifest(case: &Case, writer: &Writer) -> Result<Counts, CliError> {
    let mut counts = Counts::default();
    let mut out = BufWriter::new(writer.folder.create_file("manifest.jsonl")?);
    case.records(|record| -> Result<(), CliError> {
        let Record::Source(mut source) = record else {
            return Ok(());
        };
        let path = writer.written.get(&source.locator);
        let skeleton = writer.skeletons.get(&source.locator);
        counts.total += 1;
        counts.recovered += u64::from(path.is_some());
        counts.skeletons += u64::from(skeleton.is_some());
        source.skeleton = skeleton.is_some();
        let row = serde_json::to_string(&ManifestRow {
            record: &Record::Source(source),
            path: path.map(String::as_str),
            skeleton,
        })
        .map_err(|error| CliError::new(error.to_string()))?;
        Ok(writeln!(out, "{row}")?)
    })?;
    out.flush()?;
    let (sources, skeletons) = (writer.written.len() as u64, writer.skeletons.len() as u64);
    if (counts.recovered, counts.skeletons) != (sources, skeletons) {
        return Err(CliError::new(format!(
            "{sources} sources and {skeletons} skeletons were written, {} and {} stand in the manifest, which is a fault of this program; please report it",
            counts.recovered, counts.skeletons
        )));
    }
    Ok(counts)
}
