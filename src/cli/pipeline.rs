//! What `scan`, `recover`, `sign` and `rules test` share: from inputs to a finished case.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Instant, SystemTime};

use super::origins::OriginsArgs;
use super::wall::Wall;
use super::{CliError, Common, progress};
use crate::blob::Decoders;
use crate::blob::digest::hex;
use crate::case::{Case, JoinInput, OriginsAsked, Plan, ReleaseList};
use crate::exposure::{Inspector, KnownSecrets, Organisation, Prefilter, Terms, rules_digest};
use crate::record::{Ledger, Run, RunKnown, RunSet, RunWall, SCHEMA_VERSION, Severity};
use crate::scan::analyse::{Analyser, Collector, Keep, Progress, Wishes};
use crate::scan::input::{self, InputRoot, Unit, Walked};
use crate::scan::large::Spill;
use crate::scan::place::Placer;
use crate::scan::seen::Seen;
use crate::scan::triage::Triage;
use crate::scan::twin::{self, Twins};
use crate::scan::{Scan, UnitDone};
use crate::signature::{Key, Set, SetGroup};

/// Everything that a run is asked to do.
pub struct Request<'a> {
    /// Paths of the inputs.
    pub paths: &'a [PathBuf],
    /// Label for the only input.
    pub label: Option<&'a str>,
    /// The file of the case, which is no part of what is scanned.
    pub case: Option<&'a Path>,
    /// Flags that all commands share.
    pub common: &'a Common,
    /// The organisation profile.
    pub organisation: Option<Organisation>,
    /// What is looked for in running text.
    pub inspector: Inspector,
    /// Sets and baselines.
    pub sets: SetGroup,
    /// Keep digests of every blob.
    pub record_all: bool,
    /// Which bytes to keep.
    pub keep: Keep,
    /// Where the bytes of matches go.
    pub collector: Option<Arc<dyn Collector>>,
    /// Read these units only, by input and path.
    pub only: Option<&'a HashSet<(usize, Vec<u8>)>>,
    /// Findings at or above this fail.
    pub fail_on: Option<Severity>,
    /// Problems that are accepted.
    pub accepted: &'a [String],
    /// Look at indexes and headers only.
    pub triage: bool,
    /// When releases were published, as the user says.
    pub releases: Option<ReleaseList>,
}

/// What a run gave.
pub struct Outcome {
    /// The ledger.
    pub ledger: Ledger,
    /// The user stopped it.
    pub interrupted: bool,
    /// How long it took.
    pub seconds: f64,
    /// How compressed content was undone.
    pub decoders: Decoders,
    /// What held the program back meanwhile.
    pub wall: RunWall,
}

/// Loads signature sets, their names where those are at hand, and baselines.
pub fn load_sets(
    signatures: &[PathBuf],
    baselines: &[PathBuf],
    key: Option<&PathBuf>,
) -> Result<SetGroup, CliError> {
    let key = key.map(|path| Key::read(path)).transpose()?;
    let mut sets: Vec<Set> = Vec::new();
    for (path, is_baseline) in signatures
        .iter()
        .map(|path| (path, false))
        .chain(baselines.iter().map(|path| (path, true)))
    {
        let mut set = Set::open(path, key.as_ref())?;
        if is_baseline != set.is_baseline() {
            let (is, other) = if is_baseline {
                ("a signature set", "--signatures")
            } else {
                ("a baseline", "--baseline")
            };
            return Err(CliError::new(format!(
                "{} is {is}; give it with {other}",
                path.display()
            )));
        }
        let is_held = |held: &Set| {
            let of_same = held.work() == set.work() && held.release() == set.release();
            of_same && held.digest() == set.digest()
        };
        if sets.iter().any(is_held) {
            eprintln!(
                "strandline: warning: {} is the same set as one that was given before, and is asked once",
                path.display()
            );
            continue;
        }
        let names = crate::signature::names_path(path);
        if let Err(error) = std::fs::File::open(&names) {
            // Who has the set need not have the names: files are called by their ids then.
            if error.kind() != std::io::ErrorKind::NotFound {
                eprintln!(
                    "strandline: warning: the names of the set cannot be read, so its files are told by number: {}: {error}",
                    names.display()
                );
            }
        } else {
            set.load_names(&names)?;
        }
        sets.push(set);
    }
    Ok(SetGroup::new(sets))
}

/// Reads an organisation profile.
pub fn load_organisation(path: Option<&PathBuf>) -> Result<Option<Organisation>, CliError> {
    let Some(path) = path else { return Ok(None) };
    let text = std::fs::read_to_string(path)
        .map_err(|error| CliError::new(format!("cannot read {}: {error}", path.display())))?;
    Ok(Some(Organisation::parse(
        &text,
        &path.display().to_string(),
    )?))
}

/// Reads a list of releases.
pub fn load_releases(path: Option<&PathBuf>) -> Result<Option<ReleaseList>, CliError> {
    let Some(path) = path else { return Ok(None) };
    let bytes = std::fs::read(path)
        .map_err(|error| CliError::new(format!("cannot read {}: {error}", path.display())))?;
    Ok(Some(ReleaseList::parse(
        &bytes,
        &path.display().to_string(),
    )?))
}

/// Reads a list of words of the user's own.
pub fn load_terms(path: Option<&PathBuf>) -> Result<Option<Arc<Terms>>, CliError> {
    let Some(path) = path else { return Ok(None) };
    let text = std::fs::read_to_string(path)
        .map_err(|error| CliError::new(format!("cannot read {}: {error}", path.display())))?;
    let terms = Terms::parse(&text, &path.display().to_string())
        .map_err(|error| CliError::new(error.to_string()))?;
    Ok(Some(Arc::new(terms)))
}

/// A run that is set up: inputs walked, rules and sets loaded.
pub struct Pipeline<'a> {
    request: Request<'a>,
    roots: Vec<InputRoot>,
    units: Vec<Unit>,
    walked: Vec<Walked>,
    /// BLAKE3 of the program, and its threads: what is asked of the system, and cannot be behind the wall.
    program: Option<String>,
    jobs: usize,
    /// What the user says of where copies come from.
    origins: OriginsAsked,
}

impl<'a> Pipeline<'a> {
    /// Looks at the inputs and walks them. No byte of a file is read, and no thread started.
    pub fn new(request: Request<'a>) -> Result<Self, CliError> {
        let roots = input::look_at(request.paths, request.label, request.common.one_file_system)?;
        let (mut units, mut walked) = (Vec::new(), Vec::new());
        let mut twins = Twins::default();
        for (index, root) in roots.iter().enumerate() {
            let (mut found, mut beside) = input::walk(index, root, &mut twins);
            let own = own_files(request.case, root, &mut found);
            if own > 0 {
                beside.other.insert("own-case".to_owned(), own);
            }
            let is_wanted = |unit: &Unit| {
                let of_unit = |only: &HashSet<_>| only.contains(&(unit.input, unit.path.clone()));
                request.only.is_none_or(of_unit)
            };
            units.extend(found.into_iter().filter(is_wanted));
            walked.push(beside);
        }
        Ok(Self {
            program: program_digest(),
            jobs: request.common.jobs(),
            request,
            roots,
            units,
            walked,
            origins: OriginsAsked::default(),
        })
    }

    /// Takes what is said of where copies come from.
    pub fn with_origins(self, args: &OriginsArgs) -> Result<Self, CliError> {
        let origins = args.load(&self.roots)?;
        Ok(Self { origins, ..self })
    }

    /// Raises the wall round the inputs, a folder that is to be written below, and one in which contents are kept and may
    /// be already. Nothing else is opened from here on.
    pub fn raise_wall(&self, output: Option<&Path>, kept: Option<&Path>) -> RunWall {
        let inputs = self.roots.iter().map(|root| &root.path);
        let wall = Wall::around(inputs)
            .with_output(output)
            .with_spill(kept)
            .with_spill(self.request.common.spill.as_deref());
        self.request.common.raise(&wall)
    }

    /// Reads everything that the case does not hold yet, joins, and writes the ledger. `look` sees each batch of
    /// units before it is committed. `wall` is what was raised.
    pub fn run(
        self,
        case: &mut Case,
        wall: &RunWall,
        mut look: impl FnMut(&[InputRoot], &[Unit], &mut [UnitDone]) -> Result<(), CliError> + Send,
    ) -> Result<Outcome, CliError> {
        let (started, clock) = (SystemTime::now(), Instant::now());
        let progress = Arc::new(Progress::default());
        stop_on_interrupt(&progress);
        let todo = case.begin(&Plan {
            roots: &self.roots,
            walked: &self.walked,
            units: &self.units,
            config: self.config(),
        })?;
        if let forgotten @ 1.. = case.comparisons_forgotten() {
            eprintln!(
                "strandline: {} of copies with their original left the case, since files are read again or are new; run `compare --case` again",
                crate::report::text::plural(forgotten, "comparison", "comparisons")
            );
        }
        let run = self.run_record();
        let common = self.request.common;
        let (analyser, organisation) = (
            Analyser {
                limits: common.limits(),
                sets: self.request.sets,
                wishes: Wishes {
                    record_all: self.request.record_all,
                    keep: self.request.keep.clone(),
                },
                seen: Seen::default(),
                spill: common.spill.clone().map(Spill::into_folder),
                prefilter: Prefilter::new(),
                organisation: self.request.organisation.clone(),
                inspector: Inspector {
                    organisation: self.request.organisation.clone(),
                    terms: Terms::with_code_names(
                        self.request.inspector.terms.as_deref(),
                        self.request.organisation.as_ref(),
                    ),
                    ..self.request.inspector
                },
                collector: self.request.collector,
                progress: Arc::clone(&progress),
            },
            self.request.organisation,
        );
        let scan = Scan {
            analyser: &analyser,
            placer: Placer {
                organisation: organisation.as_ref(),
                sets: &analyser.sets,
                record_all: self.request.record_all,
            },
            roots: &self.roots,
            units: &self.units,
            jobs: self.jobs,
            triage: (self.request.triage).then(|| Triage::new(&analyser.sets)),
        };
        let total = todo.iter().map(|&index| self.units[index].stamp.size).sum();
        let bar = progress::Bar::start(common, &progress, total);
        let result = scan.run(&todo, |mut done| -> Result<(), CliError> {
            look(&self.roots, &self.units, &mut done)?;
            case.commit(done).map_err(CliError::from)
        });
        bar.finish();
        result?;
        let interrupted = progress.stop.load(Ordering::Relaxed);
        analyser.seen.clear();
        let ledger = case.join(&JoinInput {
            placer: &scan.placer,
            fail_on: self.request.fail_on,
            accepted: self.request.accepted,
            all_units: !interrupted,
            bytes_in: twin::bytes_of(&self.units),
            triage: self.request.triage,
            releases: self.request.releases.as_ref(),
            origins: &self.origins,
        })?;
        assert_adds_up(&ledger)?;
        let seconds = clock.elapsed().as_secs_f64();
        let run = Run {
            inputs: case.run_inputs()?,
            started: Some(humantime::format_rfc3339_seconds(started).to_string()),
            seconds: Some((seconds * 1_000.0).round() / 1_000.0),
            wall: Some(wall.clone()),
            ..run
        };
        case.end(&run, &ledger, !interrupted)?;
        Ok(Outcome {
            ledger,
            interrupted,
            seconds,
            decoders: common.limits().decoders,
            wall: wall.clone(),
        })
    }

    fn run_record(&self) -> Run {
        let sets = self.request.sets.sets().iter().map(|set| RunSet {
            work: set.work().to_owned(),
            release: set.release().to_owned(),
            digest: hex(&set.digest()),
            role: if set.is_baseline() {
                "baseline"
            } else if set.is_public() {
                "public"
            } else {
                "signature"
            }
            .to_owned(),
        });
        Run {
            schema: SCHEMA_VERSION,
            version: version().to_owned(),
            program: self.program.clone(),
            rules: hex(&rules_digest()),
            sets: sets.collect(),
            organisation: self
                .request
                .organisation
                .as_ref()
                .map(|org| hex(&org.digest())),
            releases: (self.request.releases.as_ref()).map(|list| list.digest().to_owned()),
            inputs: Vec::new(),
            origins: self.origins.of_run(),
            known_secrets: self.request.inspector.known.as_deref().map(run_known),
            user_rules: (self.request.inspector.user.as_ref()).map(|rules| hex(&rules.digest())),
            yara: (self.request.inspector.yara.as_ref()).map(|rules| Box::new(rules.of_run())),
            terms: (self.request.inspector.terms.as_ref()).map(|terms| hex(&terms.digest())),
            inventory: Some(self.request.inspector.inventory.as_str().to_owned()),
            case_key: (self.request.inspector.case_key.as_ref()).map(|key| hex(&key.digest())),
            limits: self.request.common.limits().by_name(),
            triage: self.request.triage,
            decoders: Some(self.request.common.limits().decoders.name().to_owned()),
            started: None,
            seconds: None,
            wall: None,
        }
    }

    /// Digest of everything that the result of a unit depends on beside the file itself.
    fn config(&self) -> [u8; 32] {
        let run = self.run_record();
        let text = serde_json::json!({
            "schema": run.schema,
            "version": run.version,
            "rules": run.rules,
            "sets": run.sets,
            "names": self.request.sets.paths().digest().map(|digest| hex(&digest)),
            "organisation": run.organisation,
            "known_secrets": run.known_secrets,
            "case_key": run.case_key,
            "terms": run.terms,
            "user_rules": run.user_rules,
            "yara": run.yara,
            "limits": run.limits,
            "decoders": run.decoders,
            "spill": self.request.common.spill.is_some(),
            "record_all": self.request.record_all,
            "keep_matched": self.request.collector.is_some(),
            "triage": run.triage,
            "inventory": run.inventory,
            "inventory_signatures": hex(&crate::exposure::inventory::Signatures::digest()),
        });
        *blake3::hash(text.to_string().as_bytes()).as_bytes()
    }
}

/// What the `run` record says of a set of live secrets.
pub fn run_known(known: &KnownSecrets) -> RunKnown {
    RunKnown {
        digest: hex(&known.digest()),
        secrets: known.len() as u64,
        left_out: known.left_out(),
        is_keyed: known.is_keyed(),
    }
}

/// Takes the file of the case and its logs out of the units, where the case lies in an input: a second run would scan what
/// the first one wrote. Gives how many they were.
pub fn own_files(case: Option<&Path>, root: &InputRoot, units: &mut Vec<Unit>) -> u64 {
    let Some((case, name)) =
        case.and_then(|case| Some((case.canonicalize().ok()?, case.file_name()?)))
    else {
        return 0;
    };
    let name = name.as_encoded_bytes();
    let is_own = |unit: &Unit| {
        let file = unit
            .path
            .rsplit(|&byte| byte == b'/')
            .next()
            .unwrap_or_default();
        let Some(suffix) = file.strip_prefix(name) else {
            return false;
        };
        let is_log = [&b""[..], b"-wal", b"-shm", b"-journal"].contains(&suffix);
        let path = input::path_of(root, unit);
        let (folder, of_case) = (path.parent(), case.parent());
        let same =
            |(folder, case): (&Path, &Path)| folder.canonicalize().is_ok_and(|it| it == case);
        is_log && root.is_folder && folder.zip(of_case).is_some_and(same)
    };
    let before = units.len();
    units.retain(|unit| !is_own(unit));
    (before - units.len()) as u64
}

/// Program name and version.
pub fn version() -> &'static str {
    concat!("strandline ", env!("CARGO_PKG_VERSION"))
}

/// BLAKE3 of the program file, so that a report says which build made it.
pub fn program_digest() -> Option<String> {
    let path = std::env::current_exe().ok()?;
    let mut hasher = blake3::Hasher::new();
    std::io::copy(&mut std::fs::File::open(path).ok()?, &mut hasher).ok()?;
    Some(hasher.finalize().to_hex().to_string())
}

/// The ledger must add up; if it does not, nothing that this run says may be trusted.
pub fn assert_adds_up(ledger: &Ledger) -> Result<(), CliError> {
    if ledger.adds_up() {
        return Ok(());
    }
    Err(CliError::new(format!(
        "the account of this run does not add up, which is a fault of this program; please report it: {}",
        serde_json::to_string(ledger).unwrap_or_default()
    )))
}

/// The first interrupt ends the run with what is known saved; a second one ends the program.
pub fn stop_on_interrupt(progress: &Arc<Progress>) {
    let progress = Arc::clone(progress);
    // Fails where a handler is set already, which is then ours.
    let _ = ctrlc::set_handler(move || {
        if progress.stop.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        eprintln!(
            "strandline: stopping; what is known so far is kept (interrupt again to quit at once)"
        );
    });
}

/// Warns when something that may hold confidential material lies in a git work tree.
pub fn warn_if_in_work_tree(path: &Path, common: &Common) {
    if !common.quiet {
        warn_of_work_tree(path);
    }
}

/// The same for commands that cannot be told to be quiet.
pub fn warn_of_work_tree(path: &Path) {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let in_tree = absolute
        .ancestors()
        .skip(1)
        .any(|folder| folder.join(".git").exists());
    if in_tree {
        eprintln!(
            "strandline: warning: {} lies in a git work tree; take care not to commit it",
            path.display()
        );
    }
}
