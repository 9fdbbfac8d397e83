//! `strandline sign`

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use super::output::NewFile;
use super::pipeline::{self, Pipeline, Request};
use super::{CliError, Common, Exit, warn_of};
use crate::blob::Locator;
use crate::case::Case;
use crate::exposure::{Organisation, party_of};
use crate::record::Party;
use crate::report::text::{grouped, size};
use crate::scan::analyse::Keep;
use crate::scan::facts::{Child, Standing, each_entry};
use crate::signature::{
    FileEntry, Key, Options, PartyFlag, SetBuilder, SetGroup, digests_with_sha256, names_path,
};

/// A file with less text than this says nothing about whose it is; bytes without white space.
const TEXT_MIN: usize = 24;

const CONTAINER: &str = "container: its members were taken instead";

/// Make a signature set of a work: hashes only, never text.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// The work: a source tree, a package, an archive, a map
    #[arg(value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Name of the work
    #[arg(long, value_name = "NAME")]
    work: String,
    /// Release of the work
    #[arg(long, value_name = "VERSION")]
    release: String,
    /// File to write; the names of the files go into a file beside it that stays private
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// The work is public: what is in it is never reported as leaked
    #[arg(long)]
    public: bool,
    /// The set is a baseline of public code, to be given with --baseline
    #[arg(long)]
    baseline: bool,
    /// Key the stored values with this file; without it the key is in the set
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Organisation profile: what is yours
    #[arg(long, value_name = "FILE")]
    org: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// Takes files into a set, and counts what is left out.
struct Signer<'a> {
    builder: SetBuilder,
    organisation: Option<&'a Organisation>,
    /// Public material is taken whole, whosever it is.
    everything: bool,
    left_out: BTreeMap<&'static str, (u64, Vec<String>)>,
}

impl Signer<'_> {
    fn take(&mut self, child: &Child, standing: &Standing) {
        let hops = standing.at.hops().list();
        if hops
            .iter()
            .any(|hop| hop.kind == "git" || hop.kind.starts_with("git-"))
        {
            let reason =
                "in a git store: what is checked out, or an archive of the release, is the work";
            self.leave_out(reason, standing);
            return;
        }
        let Some(kept) = &child.kept else {
            let reason = if child.facts.tree.is_some() {
                CONTAINER
            } else if child.key.is_some() {
                "larger than content may be held: raise --memory"
            } else {
                "not read: a scan says why"
            };
            self.leave_out(reason, standing);
            return;
        };
        let bytes = &kept.bytes();
        let path = path_of(child, standing);
        let verdict = party_of(&path, None, self.organisation, is_ignored(child));
        let reason = self.reason_against(child, bytes, verdict.party);
        if let Some(reason) = reason {
            self.leave_out(reason, standing);
            return;
        }
        let party = match verdict.party {
            Party::Third => PartyFlag::Third,
            // The user says that this is the work; what nobody else claims is theirs.
            Party::First | Party::Unknown => PartyFlag::First,
        };
        let sha256 = child.sha256.map_or([0; 32], |digest| digest.0);
        let digests = digests_with_sha256(bytes, sha256);
        self.builder.add(FileEntry::new(path, party, digests));
    }

    fn leave_out(&mut self, reason: &'static str, standing: &Standing) {
        let (count, examples) = self.left_out.entry(reason).or_default();
        *count += 1;
        if examples.len() < 3 {
            examples.push(standing.at.as_str().to_owned());
        }
    }

    /// Why a file is left out, if it is.
    fn reason_against(&self, child: &Child, bytes: &[u8], party: Party) -> Option<&'static str> {
        let facts = &child.facts;
        if facts.is_archive() || facts.as_map().is_some() {
            return Some(CONTAINER);
        }
        let text = bytes
            .iter()
            .filter(|byte| !byte.is_ascii_whitespace())
            .count();
        if text < TEXT_MIN {
            return Some("too short to be anybody's");
        }
        if self.everything {
            return None;
        }
        if party == Party::Third {
            return Some("third party");
        }
        let is_generated = child.source.is_none()
            && (!facts.links.is_empty()
                || !child.links.is_empty()
                || (facts.tree.as_ref())
                    .is_some_and(|tree| tree.is_inside() && tree.kind != "embedded"));
        is_generated.then_some("generated: it names a source map, whose sources were taken instead")
    }
}

/// The path under which a file stands in the set: as in its archive, or as its map resolves it.
fn path_of(child: &Child, standing: &Standing) -> Vec<u8> {
    match &child.source {
        Some(meta) => crate::sourcemap::resolve_source(
            standing.path,
            meta.source_root.as_deref(),
            meta.name.as_deref().unwrap_or_default(),
        ),
        None => standing.path.to_vec(),
    }
}

fn is_ignored(child: &Child) -> bool {
    child.source.as_ref().is_some_and(|meta| meta.ignored)
}

/// Runs the command.
pub fn run(args: &SignArgs) -> Result<Exit, CliError> {
    let paths = super::input_paths(&args.inputs, None)?;
    let organisation = pipeline::load_organisation(args.org.as_ref())?;
    let key = args.key.as_deref().map(Key::read).transpose()?;
    pipeline::warn_if_in_work_tree(&args.output, &args.common);
    let options = Options {
        public: args.public,
        baseline: args.baseline,
        key,
    };
    let mut signer = Signer {
        builder: SetBuilder::new(&args.work, &args.release, options),
        organisation: organisation.as_ref(),
        everything: args.public || args.baseline,
        left_out: BTreeMap::new(),
    };
    let pipeline = Pipeline::new(Request {
        case: None,
        paths: &paths,
        label: None,
        common: &args.common,
        organisation: organisation.clone(),
        sets: SetGroup::default(),
        record_all: false,
        keep: Keep::Leaves,
        only: None,
        fail_on: None,
        accepted: &[],
        triage: false,
    })?;
    let mut case = Case::in_memory()?;
    let names_path = names_path(&args.output);
    let (set, names) = (
        NewFile::create(&args.output)?,
        NewFile::create(&names_path)?,
    );
    let wall = pipeline.raise_wall(None);
    warn_of(&wall, &args.common);
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
                signer.take(child, standing);
                Ok::<_, CliError>(())
            })?;
        }
        Ok(())
    })?;
    if outcome.interrupted {
        return Err(CliError::new("stopped before the end; no set was written"));
    }
    let left_out = std::mem::take(&mut signer.left_out);
    let built = signer.builder.finish()?;
    if built.summary.files == 0 {
        return Err(CliError::new(
            "nothing in the input can be signed, so no set was written; see what was left out with a scan of the same input",
        ));
    }
    set.fill(|file| Ok(file.write_all(&built.set_bytes)?))?;
    names.fill(|file| Ok(file.write_all(&built.names)?))?;
    if !args.common.quiet {
        println!(
            "signed      {} files ({}) of {} {}, {} of them first party",
            grouped(u64::from(built.summary.files)),
            size(built.summary.bytes),
            args.work,
            args.release,
            grouped(u64::from(built.summary.first_party_files))
        );
        for (reason, (count, examples)) in &left_out {
            println!(
                "left out    {} {reason}, such as {}",
                grouped(*count),
                examples.join(", ")
            );
        }
        println!("set         {}", args.output.display());
        println!("names       {} (keep it private)", names_path.display());
    }
    if outcome.ledger.complete {
        return Ok(Exit::Clean);
    }
    eprintln!(
        "strandline: not everything was read in full, so the set may lack files; `strandline scan` on the same input says what"
    );
    Ok(Exit::Incomplete)
}
