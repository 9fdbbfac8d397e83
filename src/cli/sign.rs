//! `strandline sign`: of a work that is at hand. Of lists, see `sign_lists.rs`.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use clap::Args;
use rayon::prelude::*;

use super::output::NewFile;
use super::pipeline::{self, Pipeline, Request};
use super::{CliError, Common, Exit, sign_lists, warn_of};
use crate::blob::Locator;
use crate::blob::digest::hex;
use crate::blob::locator::shown;
use crate::case::Case;
use crate::exposure::{Manifest, Organisation, party_of, stated_licence, states_open};
use crate::lex::{Nature, family_of, is_licence, nature_of};
use crate::record::Party;
use crate::report::text::{grouped, plural, size};
use crate::scan::analyse::Keep;
use crate::scan::facts::{Child, Kept, Standing, each_entry};
use crate::scan::place::{PackageIndex, manifest_folder, manifest_of};
use crate::scan::tree_id::{TreeId, tree_id};
use crate::signature::lists::{self, Kind, Row};
use crate::signature::prints::FilePrints;
use crate::signature::{
    FileEntry, Key, LicenceFlag, Options, PartyFlag, SetBuilder, SetGroup, Spill, Summary,
    digests_with_sha256, md5_of, names_path, norm_text,
};

/// A file with less text than this says nothing about whose it is; bytes without white space.
pub const TEXT_MIN: usize = 24;
/// A shorter text is left out of a set that is handed on: who has the set could guess it. Bytes of its normal form.
const HANDED_ON_MIN: usize = 200;

const CONTAINER: &str = "container: its members were taken instead";

/// Make a signature set of a work: hashes only, never text.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// The work: a source tree, a package, an archive, a map
    #[arg(value_name = "INPUT", required_unless_present = "from")]
    inputs: Vec<PathBuf>,
    /// A list of the work by another program, in the place of the work: sha256sum, hashdeep, SWHIDs of contents, SCANOSS
    /// (.wfp); `-` is standard input. The set finds equal bytes and nothing else
    #[arg(long, value_name = "LIST", conflicts_with_all = ["inputs", "for_third_parties", "compact"])]
    pub from: Vec<PathBuf>,
    /// Also write a list of what was signed, for other programs: `sha256sum=FILE`, `hashdeep=FILE`, `swhid=FILE` or
    /// `wfp=FILE`. It holds paths, and digests without a key: keep it private
    #[arg(long, value_name = "KIND=FILE", value_parser = parse_export, conflicts_with = "from")]
    export: Vec<(Kind, PathBuf)>,
    /// Name of the work
    #[arg(long, value_name = "NAME")]
    pub work: String,
    /// Release of the work
    #[arg(long, value_name = "VERSION")]
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
    /// Key the stored values with this file; without it the key is in the set
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Organisation profile: what is yours
    #[arg(long, value_name = "FILE")]
    pub org: Option<PathBuf>,
    #[command(flatten)]
    pub common: Common,
}

/// A folder or archive that packages lie in: the input, and the containers on the way.
type ScopeAt = (usize, Vec<Vec<u8>>);

/// A file that is to be signed.
struct Taken {
    path: Vec<u8>,
    party: PartyFlag,
    sha256: [u8; 32],
    kept: Kept,
    /// Where it lies, for those who ask which package that is in: a scope by number, and the path in it.
    scope: usize,
    place: Vec<u8>,
}

/// Files of which somebody else may have the like, without having copied them.
#[derive(Default)]
struct Alike {
    generated: Vec<String>,
    tables: Vec<String>,
}

impl Alike {
    fn count(&mut self, file: &Printed) {
        let list = match file.nature {
            Nature::Generated(_) => &mut self.generated,
            Nature::Table => &mut self.tables,
            Nature::Code | Nature::Licence => return,
        };
        list.push(shown(&String::from_utf8_lossy(&file.entry.path)));
    }
}

/// All that is to be signed.
struct Signed {
    builder: SetBuilder,
    alike: Alike,
    licences: BTreeMap<LicenceFlag, u64>,
    /// What is written in lists, in order.
    rows: Vec<Row>,
}

/// A file that was fingerprinted.
struct Printed {
    entry: FileEntry,
    /// Its row in lists that are written, where any is.
    row: Option<Row>,
    nature: Nature,
    asked: Asked,
}

/// What is held of a file until its licence is known.
struct Asked {
    party: PartyFlag,
    /// What the file says of its licence itself.
    stated_open: Option<bool>,
    scope: usize,
    place: Box<[u8]>,
}

/// Which lists are written beside the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lists {
    None,
    /// Lists of digests.
    Digests,
    /// Also one of fingerprints.
    Fingerprints,
}

/// Takes files into a set, and counts what is left out.
struct Signer<'a> {
    organisation: Option<&'a Organisation>,
    /// Public material is taken whole, whosever it is.
    everything: bool,
    for_third_parties: bool,
    lists: Lists,
    left_out: BTreeMap<&'static str, (u64, Vec<String>)>,
    taken: Vec<Taken>,
    builder: SetBuilder,
    /// Of each file in the builder, by its number there.
    asked: Vec<Asked>,
    alike: Alike,
    rows: Vec<Row>,
    scopes: HashMap<ScopeAt, usize>,
    manifests: Vec<Vec<(Vec<u8>, Manifest)>>,
}

impl Signer<'_> {
    fn take(&mut self, child: &Child, standing: &Standing, input: usize) {
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
        let scope = self.scope_of(input, standing);
        let manifest = manifest_of(&child.facts).filter(|_| child.source.is_none());
        if let (Some(manifest), Some(folder)) = (manifest, manifest_folder(standing.path)) {
            self.manifests[scope].push((folder.to_vec(), manifest.clone()));
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
        let path = path_of(child, standing);
        let verdict = party_of(&path, None, self.organisation, is_ignored(child));
        let reason = self.reason_against(child, &kept.bytes(), verdict.party);
        if let Some(reason) = reason {
            self.leave_out(reason, standing);
            return;
        }
        let party = match verdict.party {
            Party::Third => PartyFlag::Third,
            // The user says that this is the work; what nobody else claims is theirs.
            Party::First | Party::Unknown => PartyFlag::First,
        };
        self.taken.push(Taken {
            path,
            party,
            sha256: child.sha256.map_or([0; 32], |digest| digest.0),
            kept: kept.clone(),
            scope,
            place: standing.path.to_vec(),
        });
    }

    fn scope_of(&mut self, input: usize, standing: &Standing) -> usize {
        let next = self.manifests.len();
        let at = (input, standing.above.to_vec());
        let scope = *self.scopes.entry(at).or_insert(next);
        if scope == next {
            self.manifests.push(Vec::new());
        }
        scope
    }

    /// Fingerprints what was taken, on all threads, and lets go of its bytes.
    fn print(&mut self, pool: Option<&rayon::ThreadPool>) -> Result<(), CliError> {
        let taken = std::mem::take(&mut self.taken);
        let lists = self.lists;
        let printed = |taken| printed(taken, lists);
        let all: Vec<Printed> = match pool {
            Some(pool) => pool.install(|| taken.into_par_iter().map(printed).collect()),
            None => taken.into_iter().map(printed).collect(),
        };
        for file in all {
            self.alike.count(&file);
            self.builder.add(file.entry);
            self.asked.push(file.asked);
            self.rows.extend(file.row);
        }
        Ok(self.builder.check()?)
    }

    /// Everything that was taken, and its files by licence. Whose a licence is that no file states itself, the
    /// nearest manifest says; all of them are known only now.
    fn finish(mut self) -> Signed {
        let scopes: Vec<PackageIndex> = self.manifests.into_iter().map(PackageIndex::new).collect();
        let mut licences = BTreeMap::new();
        for (number, file) in self.asked.iter().enumerate() {
            let manifest = scopes
                .get(file.scope)
                .and_then(|scope| scope.package_of(&file.place));
            let by_manifest = || manifest.and_then(|(_, manifest)| manifest.states_open());
            // Of somebody else's file the manifest of the work says nothing.
            let is_own = file.party == PartyFlag::First;
            let is_open = match file.stated_open {
                None if is_own || self.everything => by_manifest(),
                stated => stated,
            };
            let licence = match is_open {
                None => LicenceFlag::Unknown,
                Some(true) => LicenceFlag::Open,
                Some(false) => LicenceFlag::NotOpen,
            };
            *licences.entry(licence).or_insert(0) += 1;
            self.builder.set_licence(number, licence);
        }
        self.rows.sort_unstable();
        self.rows.dedup();
        Signed {
            builder: self.builder,
            alike: self.alike,
            licences,
            rows: self.rows,
        }
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
        let is_short = |text: Vec<u8>| text.len() < HANDED_ON_MIN;
        if self.for_third_parties && norm_text::normal_form(bytes).is_some_and(is_short) {
            return Some("a text under 200 bytes, which who has the set could guess");
        }
        if self.everything {
            return None;
        }
        if party == Party::Third {
            return Some("third party");
        }
        let text = norm_text::text_of(bytes);
        if text.is_some_and(|text| is_licence(&text, family_of(&text))) {
            return Some("the text of a public licence");
        }
        let is_generated = child.source.is_none()
            && (!facts.links.is_empty()
                || !child.links.is_empty()
                || (facts.tree.as_ref())
                    .is_some_and(|tree| tree.is_inside() && tree.kind != "embedded"));
        is_generated.then_some("generated: it names a source map, whose sources were taken instead")
    }
}

/// Fingerprints one file.
fn printed(taken: Taken, lists: Lists) -> Printed {
    let bytes = taken.kept.bytes();
    let digests = digests_with_sha256(&bytes, taken.sha256);
    let row = (lists != Lists::None).then(|| Row {
        path: taken.path.clone(),
        sha256: digests.sha256,
        git_sha1: digests.git_sha1,
        bytes: digests.bytes,
        wfp: (lists == Lists::Fingerprints).then(|| (md5_of(&bytes), lists::winnowed(&bytes))),
    });
    let mut entry = FileEntry::new(taken.path, taken.party, digests);
    entry.prints = FilePrints::of(&bytes);
    let text = norm_text::text_of(&bytes);
    let nature = text.map_or(Nature::Code, |text| nature_of(&text, family_of(&text)));
    let asked = Asked {
        party: taken.party,
        stated_open: stated_licence(&bytes).and_then(states_open),
        scope: taken.scope,
        place: taken.place.into_boxed_slice(),
    };
    Printed {
        entry,
        row,
        nature,
        asked,
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

/// Parses `sha256sum=FILE` and its like.
fn parse_export(text: &str) -> Result<(Kind, PathBuf), String> {
    let parts = text.split_once('=').filter(|(_, path)| !path.is_empty());
    parts
        .and_then(|(word, path)| Some((Kind::of_word(word)?, PathBuf::from(path))))
        .ok_or_else(|| "write sha256sum=FILE, hashdeep=FILE, swhid=FILE or wfp=FILE".to_owned())
}

/// Runs the command.
pub fn run(args: &SignArgs) -> Result<Exit, CliError> {
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
    let mut signer = Signer {
        organisation: organisation.as_ref(),
        everything: args.public || args.baseline,
        for_third_parties: args.for_third_parties,
        lists: if args.export.iter().any(|(kind, _)| *kind == Kind::Wfp) {
            Lists::Fingerprints
        } else if args.export.is_empty() {
            Lists::None
        } else {
            Lists::Digests
        },
        left_out: BTreeMap::new(),
        taken: Vec::new(),
        builder: builder(args, options),
        asked: Vec::new(),
        alike: Alike::default(),
        rows: Vec::new(),
        scopes: HashMap::new(),
        manifests: Vec::new(),
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
        collector: None,
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
    let left_out = std::mem::take(&mut signer.left_out);
    let Signed {
        builder,
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
    eprintln!(
        "strandline: not everything was read in full, so the set may lack files; `strandline scan` on the same input says what"
    );
    Ok(Exit::Incomplete)
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
    alike: &Alike,
    left_out: &BTreeMap<&'static str, (u64, Vec<String>)>,
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
    let alike = [
        ("say that a program wrote them", &alike.generated),
        ("are tables of data", &alike.tables),
    ];
    for (what, files) in alike.into_iter().filter(|(_, files)| !files.is_empty()) {
        println!(
            "signed too  {} that {what}, such as {}: others may have the like, and have copied nothing",
            grouped(files.len() as u64),
            files[..files.len().min(3)].join(", ")
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
