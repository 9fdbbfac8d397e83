//! `strandline compare`
//!
//! A scan says which places hold a work and how much of it, from fingerprints alone. Who has the original learns here what
//! else is in a copy: which lines were put in, which files came along, and what of that looks like tampering. It is told as a
//! difference only: what the original has itself is never held against a copy.
//!
//! With `--case` this is done for every copy that the case knows, and becomes part of the case. The copies are read where the
//! case says that they lie. One that is not what was scanned any more is not compared: what would be told of it would be true
//! of something else.

mod account;
pub(super) mod again;
mod patch;
mod print;
pub(super) mod read;

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::Args;

use self::account::Account;
use self::patch::Patch;
use self::read::{Place, ReadPlace, Reader};
use super::output::NewFile;
use super::pipeline;
use super::wall::Wall;
use super::{CliError, Common, Exit, custody, parse_severity, warn_of};
use crate::blob::Sha256Digest;
use crate::blob::digest::hex;
use crate::blob::locator::{shown, shown_json};
use crate::case::{Case, CopyPlace, Handled};
use crate::copies::delta::{Base, Delta, Verdicts};
use crate::copies::records;
use crate::copies::tamper::yara::YaraSigns;
use crate::copies::tamper::{self, Context};
use crate::copies::tree::{Held, Reading};
use crate::exposure::mask::MaskCache;
use crate::exposure::packument::seconds_of;
use crate::exposure::{Organisation, YaraRules};
use crate::record::{
    CopyDates, Problem, Record, Run, RunInput, RunWall, SCHEMA_VERSION, Severity, Sign,
};
use crate::report::{BesidePage, LINES_OF_FILE};
use crate::scan::input;

/// Show what a copy added, changed and dropped, and what of that looks like tampering.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// The original: a folder, a package, an archive, a clone, a map
    #[arg(value_name = "ORIGINAL")]
    original: PathBuf,
    /// The copy
    #[arg(value_name = "COPY", required_unless_present = "case")]
    copy: Option<PathBuf>,
    /// Compare every copy of this case, and write into it what comes of that
    #[arg(long, value_name = "FILE", conflicts_with = "copy")]
    case: Option<PathBuf>,
    /// Also compare suspects, which have weaker matches only
    #[arg(long, requires = "case")]
    suspects: bool,
    /// Organisation profile: a new dependency called like one of your internal packages is a sign
    #[arg(long, value_name = "FILE")]
    org: Option<PathBuf>,
    #[command(flatten)]
    yara: crate::cli::yara::YaraArgs,
    /// When the original became public, as 2026-03-31 or 2026-03-31T08:00:00Z: a copy that says it is older is odd
    #[arg(long, value_name = "DATE", value_parser = parse_date)]
    leaked: Option<String>,
    /// Write the records to this file, or to standard output with `-`
    #[arg(long, value_name = "FILE")]
    jsonl: Option<PathBuf>,
    /// Write changed and added text as a unified diff, with control characters escaped; `-` is standard output
    #[arg(long, value_name = "FILE")]
    diff: Option<PathBuf>,
    /// Write one page with both sides' lines beside each other; it stands by itself and has no script
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Lines of one file that the page shows, and ten times as many in all
    #[arg(long, value_name = "N", default_value_t = LINES_OF_FILE, requires = "html")]
    snippet_lines: usize,
    /// Exit with 1 where a sign of tampering is as bad as this or worse
    #[arg(long, value_name = "SEVERITY", value_parser = parse_severity)]
    fail_on: Option<Severity>,
    #[command(flatten)]
    common: Common,
}

/// Parses a day or a time.
fn parse_date(text: &str) -> Result<String, String> {
    let seconds = seconds_of(text).or_else(|| seconds_of(&format!("{text}T00:00:00Z")));
    let time = seconds.and_then(crate::scan::place::rfc3339);
    time.ok_or_else(|| "write a day as 2026-03-31, or a time as 2026-03-31T08:00:00Z".to_owned())
}

/// A copy to be compared.
struct Target {
    place: Place,
    /// What the case says of it.
    of_case: Option<CopyPlace>,
}

/// Runs the command.
pub fn run(args: &CompareArgs) -> Result<Exit, CliError> {
    let started = SystemTime::now();
    let organisation = pipeline::load_organisation(args.org.as_ref())?;
    let yara = args.yara.load(args.common.quiet)?;
    if args.jsonl == args.diff && args.jsonl.as_deref() == Some(Path::new("-")) {
        return Err(CliError::new(
            "records and diff cannot both go to standard output; name a file for one of them",
        ));
    }
    let mut case = args.case.as_deref().map(Case::open).transpose()?;
    let (original, targets) = inputs(args, case.as_ref())?;
    let deed = case.is_some().then(|| custody::deed("compare --case"));
    for path in [&args.jsonl, &args.diff, &args.html].into_iter().flatten() {
        if path != Path::new("-") {
            pipeline::warn_if_in_work_tree(path, &args.common);
        }
    }
    let jsonl = Sink::open(args.jsonl.as_deref())?;
    let diff = Sink::open(args.diff.as_deref())?;
    let html = args.html.as_deref().map(NewFile::create).transpose()?;
    let (program, jobs) = (pipeline::program_digest(), args.common.jobs());
    let reads = targets.iter().map(|target| &target.place.file);
    let wall = Wall::around(reads.chain([&original.file])).with_spill(args.common.spill.as_deref());
    let wall = args.common.raise(&wall);
    warn_of(&wall, &args.common);
    let reader = Reader::new(&args.common, jobs);
    let of_original = reader.read(&original, None)?;
    let held = again::held_of(&of_original.reading);
    // One copy is an input like the original, and `run`, which comes first, says of which bytes the records are.
    let ahead = match targets.as_slice() {
        [only] if only.of_case.is_none() => Some(reader.read(&only.place, Some(&held))?),
        _ => None,
    };
    if let (Some(case), Some(mut deed)) = (&mut case, deed) {
        deed.inputs.push(Handled {
            what: format!("original {}", args.original.display()),
            sha256: digest_of(&of_original).map(|digest| digest.hex()),
        });
        case.add_custody(deed)?;
        let places: Vec<CopyPlace> = targets
            .iter()
            .filter_map(|target| target.of_case.clone())
            .collect();
        case.forget_comparisons(&places)?;
    }
    let run = Run {
        inputs: run_inputs(
            (&original, &of_original),
            &targets,
            ahead.as_ref(),
            case.as_ref(),
        )?,
        yara: yara.as_ref().map(|rules| Box::new(rules.of_run())),
        ..run_record(args, organisation.as_ref(), program, &wall, started)
    };
    let mut comparer = Comparer {
        args,
        reader: &reader,
        label: &original.label,
        original: &of_original.reading,
        held,
        ahead,
        account: Account::new(&of_original),
        organisation: organisation.as_ref(),
        yara: yara.as_ref(),
        case: case.as_mut(),
        page: html
            .as_ref()
            .map(|_| BesidePage::new(&original.label, args.snippet_lines)),
        masks: MaskCache::default(),
        summary: print::Summary::new(args.common.color.is_on(), args.case.is_none()),
    };
    let is_printed = !args.common.quiet && !jsonl.is_stdout() && !diff.is_stdout();
    let mut outcome = Outcome::default();
    let result = jsonl.fill(|jsonl| {
        diff.fill(|diff| {
            write_record(jsonl, &Record::from(run))?;
            outcome = comparer.compare_all(&targets, jsonl, diff)?;
            let ledger = comparer.account.ledger(&outcome)?;
            write_record(jsonl, &Record::from(ledger))
        })
    });
    super::scan::unless_closed(result)?;
    if let (Some(html), Some(page)) = (html, &comparer.page) {
        let page = page.render(pipeline::version())?;
        html.fill(|file| Ok(file.write_all(page.as_bytes())?))?;
    }
    if is_printed {
        super::scan::unless_closed(comparer.summary.print(&of_original.reading, targets.len()))?;
    }
    drop(comparer);
    Ok(outcome.exit())
}

/// What the command ends with.
#[derive(Default)]
struct Outcome {
    /// Something was not read, or not compared.
    is_incomplete: bool,
    /// Signs at or above `--fail-on`.
    failing: u64,
}

impl Outcome {
    fn exit(&self) -> Exit {
        if self.is_incomplete {
            Exit::Incomplete
        } else if self.failing > 0 {
            Exit::Findings
        } else {
            Exit::Clean
        }
    }
}

/// The original and the copies, by where they lie.
fn inputs(args: &CompareArgs, case: Option<&Case>) -> Result<(Place, Vec<Target>), CliError> {
    let one_file_system = args.common.one_file_system;
    let paths: Vec<PathBuf> = [Some(&args.original), args.copy.as_ref()]
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    let roots = input::look_at(&paths, None, false)?;
    let mut places = roots.into_iter().map(|root| Place {
        file: root.path,
        label: root.label,
        one_file_system,
        ..Place::default()
    });
    let Some(original) = places.next() else {
        return Err(CliError::new("name the original"));
    };
    let (Some(case), Some(file)) = (case, &args.case) else {
        let target = |place| Target {
            place,
            of_case: None,
        };
        return Ok((original, places.map(target).collect()));
    };
    let found = case.copy_places(args.suspects)?;
    if found.is_empty() {
        return Err(CliError::new(
            "the case knows no copy to compare; scan with --signatures of the work into it first, or look at suspects with --suspects",
        ));
    }
    let target = |of_case: CopyPlace| Target {
        place: again::place_of(&of_case, file, one_file_system),
        of_case: Some(of_case),
    };
    Ok((original, found.into_iter().map(target).collect()))
}

/// The digest of a root that is one file.
pub(super) fn digest_of(read: &ReadPlace) -> Option<Sha256Digest> {
    match read.units.as_slice() {
        [only] if only.path.is_empty() => only.sha256,
        _ => None,
    }
}

/// What the records begin with.
fn run_record(
    args: &CompareArgs,
    organisation: Option<&Organisation>,
    program: Option<String>,
    wall: &RunWall,
    started: SystemTime,
) -> Run {
    let limits = args.common.limits();
    Run {
        schema: SCHEMA_VERSION,
        version: pipeline::version().to_owned(),
        program,
        rules: hex(&tamper::rules_digest()),
        sets: Vec::new(),
        organisation: organisation.map(|org| hex(&org.digest())),
        inputs: Vec::new(),
        releases: None,
        origins: None,
        known_secrets: None,
        user_rules: None,
        yara: None,
        terms: None,
        inventory: None,
        case_key: None,
        limits: limits.by_name(),
        triage: false,
        decoders: Some(limits.decoders.name().to_owned()),
        started: Some(humantime::format_rfc3339_seconds(started).to_string()),
        seconds: None,
        wall: Some(wall.clone()),
    }
}

/// The inputs: the original, and the copy or what the case has the copies from.
fn run_inputs(
    original: (&Place, &ReadPlace),
    targets: &[Target],
    ahead: Option<&ReadPlace>,
    case: Option<&Case>,
) -> Result<Vec<RunInput>, CliError> {
    let input = |(place, read): (&Place, &ReadPlace)| RunInput {
        label: place.label.clone(),
        sha256: digest_of(read).map(|digest| digest.hex()),
    };
    let mut inputs = vec![input(original)];
    let copy = targets.first().zip(ahead);
    inputs.extend(copy.map(|(target, read)| input((&target.place, read))));
    if let Some(case) = case {
        let labels: HashSet<&str> = targets.iter().map(|one| one.place.label.as_str()).collect();
        let of_case = case.run_inputs()?.into_iter();
        inputs.extend(of_case.filter(|input| labels.contains(input.label.as_str())));
    }
    Ok(inputs)
}

/// Compares copies, one after the other.
struct Comparer<'a> {
    args: &'a CompareArgs,
    reader: &'a Reader,
    label: &'a str,
    original: &'a Reading,
    held: Held,
    /// The one copy, where it was read already.
    ahead: Option<ReadPlace>,
    /// What became of everything that was read.
    account: Account,
    organisation: Option<&'a Organisation>,
    yara: Option<&'a YaraRules>,
    case: Option<&'a mut Case>,
    page: Option<BesidePage>,
    /// Where secrets stand in what the diff shows.
    masks: MaskCache,
    summary: print::Summary,
}

impl Comparer<'_> {
    fn compare_all(
        &mut self,
        targets: &[Target],
        jsonl: &mut dyn Write,
        diff: &mut dyn Write,
    ) -> Result<Outcome, CliError> {
        let base = Base::of(&self.original.tree);
        let of_original = tamper::Original::of(&self.original.tree);
        let verdicts = Verdicts::default();
        let mut outcome = Outcome::default();
        let searched = self.yara.map(|rules| {
            let tree = &self.original.tree;
            self.reader.install(|| YaraSigns::of(rules, tree))
        });
        let (yara, unsearched) = searched.unzip();
        let unsearched = unsearched.unwrap_or_default();
        for problem in self.original.problems.iter().chain(&unsearched) {
            say(problem);
            write_record(jsonl, &Record::Problem(problem.clone()))?;
        }
        outcome.is_incomplete = !self.original.tree.complete || !unsearched.is_empty();
        let of_original = OfOriginal {
            signs: of_original,
            yara,
        };
        if self.args.diff.is_some() {
            let masks = &mut self.masks;
            Patch { out: diff, masks }.begin()?;
        }
        for target in targets {
            let read = match self.ahead.take() {
                Some(read) => Ok(read),
                None => self.read(target)?,
            };
            let done = match read {
                Ok(read) => {
                    self.account.add(&read);
                    self.compare(target, read, &base, &of_original, &verdicts, diff)?
                }
                Err(problem) => {
                    self.summary.missed(&problem);
                    vec![Record::Problem(problem)]
                }
            };
            for record in &done {
                match record {
                    Record::Problem(problem) => {
                        say(problem);
                        outcome.is_incomplete = true;
                    }
                    Record::Sign(sign) => {
                        let fails = self
                            .args
                            .fail_on
                            .is_some_and(|least| sign.severity >= least);
                        outcome.failing += u64::from(fails);
                    }
                    Record::Comparison(whole) => outcome.is_incomplete |= !whole.complete,
                    _ => {}
                }
                write_record(jsonl, record)?;
            }
            if let Some(case) = &mut self.case {
                case.put_comparison(&done)?;
            }
        }
        self.renew_lineage(jsonl)?;
        Ok(outcome)
    }

    /// What was made of what is told from all copies of the case, those too that were compared before.
    fn renew_lineage(&mut self, jsonl: &mut dyn Write) -> Result<(), CliError> {
        let Some(case) = &mut self.case else {
            return Ok(());
        };
        for row in case.renew_lineage()? {
            write_record(jsonl, &row.into())?;
        }
        Ok(())
    }

    /// Reads a copy; of one that is gone, or is another than was scanned, the problem.
    fn read(&self, target: &Target) -> Result<Result<ReadPlace, Problem>, CliError> {
        match (&target.of_case, self.case.as_deref()) {
            (Some(of_case), Some(case)) => {
                again::read(self.reader, case, of_case, &target.place, &self.held)
            }
            _ => Ok(Ok(self.reader.read(&target.place, Some(&self.held))?)),
        }
    }

    fn compare(
        &mut self,
        target: &Target,
        read: ReadPlace,
        base: &Base,
        of_original: &OfOriginal,
        verdicts: &Verdicts,
        diff: &mut dyn Write,
    ) -> Result<Vec<Record>, CliError> {
        let dates = target
            .of_case
            .as_ref()
            .and_then(|of_case| of_case.dates.as_ref());
        let context = Context {
            organisation: self.organisation,
            first: dates.map(|CopyDates { first, basis, .. }| (first.as_str(), basis.as_str())),
            leaked: self.args.leaked.as_deref(),
        };
        let copy = &read.reading;
        let (records, delta, unsearched) = self.reader.install(|| {
            let delta = base.against(&copy.tree, verdicts);
            let mut signs = tamper::signs(&of_original.signs, &delta.pairs, &context);
            let mut unsearched = Vec::new();
            if let Some(yara) = &of_original.yara {
                let (found, problems) = yara.signs(&delta.pairs);
                signs = tamper::bounded(signs.into_iter().chain(found).collect());
                unsearched = problems;
            }
            let records = records::of((self.label, self.original), copy, &delta, &signs);
            (records, delta, unsearched)
        });
        if self.args.diff.is_some() {
            let masks = &mut self.masks;
            Patch { out: diff, masks }.write(&copy.tree.root, &delta)?;
        }
        if let Some(page) = &mut self.page {
            put_on_page(page, &records, &delta);
        }
        self.summary.add(&records);
        let problems = copy.problems.iter().cloned().chain(unsearched);
        let problems = problems.map(Record::Problem);
        Ok(records.into_iter().chain(problems).collect())
    }
}

/// What is known of the original, for all copies.
struct OfOriginal<'r> {
    signs: tamper::Original,
    yara: Option<YaraSigns<'r>>,
}

fn put_on_page(page: &mut BesidePage, records: &[Record], delta: &Delta) {
    let signs = records.iter().filter_map(|record| match record {
        Record::Sign(sign) => Some((**sign).clone()),
        _ => None,
    });
    let signs: Vec<Sign> = signs.collect();
    for record in records {
        if let Record::Comparison(whole) = record {
            page.add(whole, signs.clone(), delta);
        }
    }
}

fn say(problem: &Problem) {
    let said = format!("{}: {}: {}", problem.code, problem.locator, problem.detail);
    eprintln!("strandline: {}", shown(&said));
}

fn write_record(out: &mut dyn Write, record: &Record) -> Result<(), CliError> {
    let line = serde_json::to_string(record).map_err(|error| CliError::new(error.to_string()))?;
    Ok(writeln!(out, "{}", shown_json(&line))?)
}

/// Where something is written, if it is wanted.
enum Sink {
    Nowhere,
    Stdout,
    File(NewFile),
}

impl Sink {
    fn open(path: Option<&Path>) -> Result<Self, CliError> {
        Ok(match path {
            None => Sink::Nowhere,
            Some(path) if path == Path::new("-") => Sink::Stdout,
            Some(path) => Sink::File(NewFile::create(path)?),
        })
    }

    fn is_stdout(&self) -> bool {
        matches!(self, Sink::Stdout)
    }

    fn fill(
        self,
        fill: impl FnOnce(&mut dyn Write) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        match self {
            Sink::Nowhere => fill(&mut std::io::sink()),
            Sink::Stdout => {
                let mut out = std::io::BufWriter::new(std::io::stdout().lock());
                fill(&mut out)?;
                Ok(out.flush()?)
            }
            Sink::File(file) => file.fill(fill),
        }
    }
}

/// The worst signs first.
fn by_severity(a: &Sign, b: &Sign) -> std::cmp::Ordering {
    let place = |sign: &Sign| (sign.locator.clone(), sign.line, sign.rule.clone());
    b.severity
        .cmp(&a.severity)
        .then_with(|| place(a).cmp(&place(b)))
}
