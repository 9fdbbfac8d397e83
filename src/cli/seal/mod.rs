//! `strandline seal`
//!
//! Writes a case into a folder that somebody else can check ([`crate::report::evidence`]). The order is fixed by what depends
//! on what: records, report and exhibits first; then an entry of the custody log that says what is handed on; then the
//! log with that entry, its head, the drafts and statements that name digests; then the lists, and last what is made of the
//! list of the lists. A folder that was not finished has no lists, and `verify` refuses it.
//!
//! Digests are those of what lies on the disk: each file is read back once it is written.
//!
//! The key is the user's. A key file is read, and its passphrase asked for on the terminal, and an agent is called, before the
//! wall is up; the agent's connection stays open for the two signatures.

mod agent;
mod exhibits;
mod exports;
mod key;
mod previous;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::brief::Briefs;
use super::custody::deed;
use super::output::OutputFolder;
use super::wall::Wall;
use super::{CliError, Common, Exit, pipeline, warn_of};
use crate::blob::Sha256Digest;
use crate::blob::locator::{shown, shown_json};
use crate::case::{Case, Deed, Handled};
use crate::record::{Ledger, Record, Run};
use crate::report::evidence::bag::{self, Manifest};
use crate::report::evidence::certificate;
use crate::report::evidence::custody;
use crate::report::evidence::dsse::{self, Envelope, PAYLOAD_TYPE};
use crate::report::evidence::sshsig::{self, Signs};
use crate::report::evidence::statement::{self, LogHead, Predicate, Statement, Subject};
use crate::report::evidence::tree_head::{self, Checkpoint};
use crate::report::evidence::verify::Folder;
use crate::report::evidence::{self, timestamp};
use crate::report::text::{grouped, plural, size};
use crate::report::{Model, View};
use crate::signature::validation::Card;
use exhibits::Exhibits;
use exports::SealedExport;
pub use previous::head_in;
use previous::{Previous, check_goes_on, consistency, read_previous};

/// Seconds until the year 10,000, in which times have no form any more.
const MAX_SECONDS: u64 = 253_402_300_799;
const DAY_CHARS: usize = "2026-01-01".len();

/// Seal a case: a folder of evidence that others can check with programs that are not ours.
///
/// Its files and their digests form a bag (BagIt), the custody log has a tree head (RFC 9162), the statement is in-toto in
/// DSSE, the signature is made with your key as `ssh-keygen -Y sign` makes it. Contents of inputs stay out, and so does what
/// people decided. Clocks stand in the custody log only; with SOURCE_DATE_EPOCH a case gives the same bytes each time.
#[derive(Debug, Args)]
pub struct SealArgs {
    /// The case
    #[arg(value_name = "CASE")]
    case: PathBuf,
    /// New folder to write into
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Who the report in it is for
    #[arg(long, value_enum, default_value_t = SealView::Counsel)]
    view: SealView,
    /// Sign with this key: an OpenSSH private key of yours. An encrypted one asks for its passphrase on the terminal
    #[arg(long, value_name = "FILE", conflicts_with = "sign_agent")]
    sign_key: Option<PathBuf>,
    /// Sign with a key in the agent (SSH_AUTH_SOCK): its fingerprint (`SHA256:` and what follows), or its comment
    #[arg(long, value_name = "KEY")]
    sign_agent: Option<String>,
    /// Also copy the files with a match: from the folder that the scan kept them in (`scan --keep-matched`)
    #[arg(long, value_name = "KEPT")]
    copy_matched: Option<PathBuf>,
    /// Also put in the records in a form of other programs, as `case export` writes it
    #[arg(
        long = "export",
        value_enum,
        value_delimiter = ',',
        value_name = "FORM"
    )]
    exports: Vec<SealedExport>,
    /// Also put in what people decided and drafted: reviews with their notes, notices and what became of them, and both briefs
    #[arg(long)]
    include_work_product: bool,
    /// An earlier folder of this case: adds the proof that the custody log goes on from the one in it
    #[arg(long, value_name = "DIR")]
    previous: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// Views that a folder may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SealView {
    /// Those who handle the incident
    Internal,
    /// Legal counsel
    Counsel,
}

impl SealView {
    fn view(self) -> View {
        match self {
            SealView::Internal => View::Internal,
            SealView::Counsel => View::Counsel,
        }
    }
}

/// Runs the command.
pub fn run(args: &SealArgs) -> Result<Exit, CliError> {
    let case = Case::open(&args.case)?;
    check_whole(&case)?;
    let clock = source_date()?;
    let signer = key::signer(args.sign_key.as_deref(), args.sign_agent.as_deref())?;
    let previous = args.previous.as_deref().map(read_previous).transpose()?;
    if let Some(previous) = &previous {
        check_goes_on(&case, &previous.head)?;
    }
    let deed = begun(args, clock.as_deref(), previous.as_ref());
    pipeline::warn_if_in_work_tree(&args.output, &args.common);
    if let Some(kept) = &args.copy_matched
        && !kept.is_dir()
    {
        return Err(CliError::new(format!(
            "{} is no folder; name the one that was given with --keep-matched",
            kept.display()
        )));
    }
    let folder = OutputFolder::create(&args.output)?;
    let wall = Wall::around(args.copy_matched.as_deref()).with_spill(Some(&args.output));
    warn_of(&args.common.raise(&wall), &args.common);
    let sealing = Sealing {
        case: &case,
        folder: &folder,
        args,
        signer: signer.as_deref(),
        date: clock.as_deref().and_then(|time| time.get(..DAY_CHARS)),
    };
    let sealed = sealing.seal(deed, previous.as_ref())?;
    if !args.common.quiet {
        sealed.print(args, signer.as_deref());
    }
    Ok(Exit::Clean)
}

/// A case that does not hold everything, or whose log was changed, is not sealed.
fn check_whole(case: &Case) -> Result<(), CliError> {
    let info = case.info()?;
    if info.unfinished || info.ledger.is_none() {
        return Err(CliError::new(
            "the scan of this case has not finished, so it is not sealed; run the same scan again, then seal",
        ));
    }
    match case.custody()?.broken {
        Some(seq) => Err(crate::case::CaseError::Custody { seq }.into()),
        None => Ok(()),
    }
}

/// The time that stands for all clocks, where the environment gives one (reproducible-builds.org, SOURCE_DATE_EPOCH).
pub(super) fn source_date() -> Result<Option<String>, CliError> {
    let Some(text) = std::env::var_os("SOURCE_DATE_EPOCH") else {
        return Ok(None);
    };
    let seconds = text.to_str().and_then(|text| text.parse::<u64>().ok());
    let seconds = seconds.filter(|seconds| *seconds <= MAX_SECONDS);
    let seconds = seconds.ok_or_else(|| {
        CliError::new("SOURCE_DATE_EPOCH is no number of seconds since 1970; unset it, or mend it")
    })?;
    let time = UNIX_EPOCH + Duration::from_secs(seconds);
    Ok(Some(humantime::format_rfc3339_millis(time).to_string()))
}

/// The entry of the custody log, as far as it is known before the work.
fn begun(args: &SealArgs, clock: Option<&str>, previous: Option<&Previous>) -> Deed {
    let mut command = format!("seal --view {}", args.view.view().as_str());
    if args.copy_matched.is_some() {
        command.push_str(" --copy-matched");
    }
    for export in &args.exports {
        command.push_str(" --export ");
        command.push_str(export.parts().0);
    }
    if args.include_work_product {
        command.push_str(" --include-work-product");
    }
    if previous.is_some() {
        command.push_str(" --previous");
    }
    if clock.is_some() {
        command.push_str(" (time by SOURCE_DATE_EPOCH)");
    }
    let mut deed = deed(&command);
    if let Some(clock) = clock {
        clock.clone_into(&mut deed.time);
        deed.uptime_ms = None;
    }
    deed.inputs.extend(previous.map(|previous| Handled {
        what: format!("{} of an earlier folder", bag::TAG_MANIFEST_FILE),
        sha256: Some(previous.tag_manifest.hex()),
    }));
    deed
}

/// What stays the same while a folder is written.
struct Sealing<'a> {
    case: &'a Case,
    folder: &'a OutputFolder,
    args: &'a SealArgs,
    signer: Option<&'a dyn Signs>,
    date: Option<&'a str>,
}

/// What the records say in sum.
struct Sum {
    run: Run,
    ledger: Ledger,
    counts: BTreeMap<String, u64>,
}

/// What was sealed.
struct Sealed {
    files: u64,
    bytes: u64,
    exhibits: statement::ExhibitCounts,
    entries: u64,
    withheld: u64,
    tag_manifest: Sha256Digest,
    statement_signed: bool,
}

impl Sealing<'_> {
    fn seal(&self, deed: Deed, previous: Option<&Previous>) -> Result<Sealed, CliError> {
        let mut exhibits = Exhibits::default();
        let sum = self.write_records(&mut exhibits)?;
        let model = self.write_report()?;
        exhibits.write(self.case, self.folder, self.args.copy_matched.as_deref())?;
        exports::write(self.case, self.folder, &self.args.exports)?;
        if self.args.include_work_product {
            self.write_work_product(&model)?;
        }
        let on_disk =
            Folder::open(&self.args.output).map_err(|error| CliError::new(error.to_string()))?;
        let (mut files, mut bytes) = self.digests(&on_disk)?;
        let log = self.write_log(deed, &files, &exhibits.counts)?;
        let mut put = |path: &str, content: &[u8], files: &mut Manifest| -> Result<(), CliError> {
            self.folder.write(path, content)?;
            bytes += content.len() as u64;
            files.add(path, Sha256Digest::of(content));
            Ok(())
        };
        put(evidence::CUSTODY_FILE, log.text.as_bytes(), &mut files)?;
        let head = log.head.text();
        put(evidence::CHECKPOINT_FILE, head.as_bytes(), &mut files)?;
        if let Some(previous) = previous {
            let proof = consistency(previous, &log.head, &log.leaves)?;
            put(evidence::CONSISTENCY_FILE, &pretty(&proof)?, &mut files)?;
        }
        let certificate = self.certificate(&sum, &files, &log, &exhibits.counts);
        let (text, page) = (certificate.text(), certificate.html()?);
        put(evidence::CERTIFICATE_FILE, text.as_bytes(), &mut files)?;
        put(evidence::CERTIFICATE_PAGE, page.as_bytes(), &mut files)?;
        let subjects = exhibits.subjects.split_off(0);
        let counts = exhibits.counts.clone();
        let (envelope, statement_signed) = self.statement(&sum, &files, subjects, counts, &log)?;
        put(evidence::STATEMENT_FILE, &envelope, &mut files)?;
        let tag_manifest = self.close(&files, bytes)?;
        Ok(Sealed {
            files: files.files.len() as u64,
            bytes,
            exhibits: exhibits.counts,
            entries: log.head.size,
            withheld: log.withheld,
            tag_manifest,
            statement_signed,
        })
    }

    /// Writes the records, as `case export` does, and counts them.
    fn write_records(&self, exhibits: &mut Exhibits) -> Result<Sum, CliError> {
        self.folder.make_folder("data")?;
        let file = self.folder.create_file(evidence::RECORDS_FILE)?;
        let mut out = std::io::BufWriter::new(file);
        let (mut run, mut ledger, mut counts) = (None, None, BTreeMap::new());
        self.case
            .records(|record: Record| -> Result<(), CliError> {
                let line = serde_json::to_string(&record)
                    .map_err(|error| CliError::new(error.to_string()))?;
                writeln!(out, "{}", shown_json(&line))?;
                *counts.entry(record.kind().to_owned()).or_default() += 1;
                exhibits.note(&record);
                match record {
                    Record::Run(found) => run = Some(*found),
                    Record::Ledger(found) => ledger = Some(*found),
                    _ => {}
                }
                Ok(())
            })?;
        out.flush()?;
        let (Some(run), Some(ledger)) = (run, ledger) else {
            return Err(CliError::new(
                "the case has no run or no ledger, so it is not sealed; run the same scan again, then seal",
            ));
        };
        Ok(Sum {
            run,
            ledger,
            counts,
        })
    }

    fn write_report(&self) -> Result<Model, CliError> {
        let folder = self.folder.below(evidence::REPORT_FOLDER)?;
        super::report::write_view(self.case, &folder, self.args.view.view())
    }

    fn write_work_product(&self, model: &Model) -> Result<(), CliError> {
        let folder = self.folder.below(evidence::WORK_PRODUCT_FOLDER)?;
        folder.write("reviews.jsonl", &lines(&self.case.reviews()?.all)?)?;
        folder.write("notices.jsonl", &lines(&self.case.notices()?)?)?;
        folder.write("notice-events.jsonl", &lines(&self.case.notice_events()?)?)?;
        Briefs::of_case(self.case)?.write(self.case, &folder, model)
    }

    /// What lies in the payload so far: digests, and bytes in sum.
    fn digests(&self, on_disk: &Folder) -> Result<(Manifest, u64), CliError> {
        let (found, walked) = on_disk.walk();
        walked.map_err(|error| CliError::new(format!("what was written is not there: {error}")))?;
        let (mut files, mut bytes) = (Manifest::default(), 0);
        for path in found.keys() {
            let (digest, length) = on_disk.digest(path).map_err(CliError::new)?;
            files.add(path, digest);
            bytes += length;
        }
        Ok((files, bytes))
    }

    /// Says in the custody log what is handed on, and gives the log back.
    fn write_log(
        &self,
        mut deed: Deed,
        files: &Manifest,
        exhibits: &statement::ExhibitCounts,
    ) -> Result<Log, CliError> {
        let copies = format!("{}/", evidence::EXHIBITS_FOLDER);
        let single = files.files.iter();
        let single = single.filter(|(path, _)| !path.starts_with(&copies));
        deed.outputs = single
            .map(|(path, digest)| Handled {
                what: path.clone(),
                sha256: Some(digest.hex()),
            })
            .collect();
        if exhibits.copied > 0 {
            deed.outputs.push(Handled {
                what: format!(
                    "{} contents with a match, each by its SHA-256",
                    exhibits.copied
                ),
                sha256: None,
            });
        }
        let entry = self.case.add_custody(deed).map_err(|error| {
            CliError::new(format!(
                "the folder is not finished, since that it is handed on could not be written into the custody log: {error}"
            ))
        })?;
        let entries = self.case.custody_texts()?;
        let bytes: Vec<&[u8]> = entries.iter().map(String::as_bytes).collect();
        let head = Checkpoint::of(&bytes);
        let head = head.ok_or_else(|| CliError::new("the custody log is empty"))?;
        let (text, withheld) = custody::text(&entries, self.args.include_work_product);
        Ok(Log {
            text,
            withheld,
            head,
            leaves: bytes.iter().map(|entry| tree_head::leaf(entry)).collect(),
            program: entry.deed.program_blake3,
        })
    }

    fn certificate(
        &self,
        sum: &Sum,
        files: &Manifest,
        log: &Log,
        exhibits: &statement::ExhibitCounts,
    ) -> certificate::Draft {
        certificate::draft(&certificate::Facts {
            run: &sum.run,
            ledger: &sum.ledger,
            files,
            entries: log.head.size,
            exhibits: exhibits.listed,
            program: pipeline::version(),
            program_blake3: log.program.as_deref(),
        })
    }

    /// The statement in its envelope, and whether it is signed.
    fn statement(
        &self,
        sum: &Sum,
        files: &Manifest,
        exhibits: Vec<Subject>,
        counts: statement::ExhibitCounts,
        log: &Log,
    ) -> Result<(Vec<u8>, bool), CliError> {
        let failed = |error: serde_json::Error| CliError::new(error.to_string());
        let mut subjects: Vec<Subject> = files
            .files
            .iter()
            .map(|(path, digest)| Subject::file(path, digest))
            .collect();
        subjects.extend(exhibits);
        let predicate = Predicate {
            program: pipeline::version().to_owned(),
            program_blake3: log.program.clone(),
            method: statement::method(),
            view: self.args.view.view().as_str().to_owned(),
            run: as_shown(&Record::Run(Box::new(sum.run.clone()))).map_err(failed)?,
            ledger: as_shown(&Record::Ledger(Box::new(sum.ledger.clone()))).map_err(failed)?,
            counts: sum.counts.clone(),
            validation: serde_json::to_value(Card::builtin()).map_err(failed)?,
            custody: LogHead {
                origin: log.head.origin.clone(),
                size: log.head.size,
                root: tree_head::base64(&log.head.root),
            },
            exhibits: counts,
            work_product: self.args.include_work_product,
        };
        let payload = serde_json::to_vec(&Statement::new(subjects, predicate)).map_err(failed)?;
        let signature = match self.signer {
            Some(signer) if sshsig::signs_plain(signer.public_key().key_data()) => {
                let signature = signer
                    .sign(&dsse::pae(PAYLOAD_TYPE, &payload))
                    .map_err(|error| CliError::new(error.to_string()))?;
                let print = sshsig::fingerprint(signer.public_key().key_data());
                sshsig::plain(&signature).map(|plain| (print, plain))
            }
            _ => None,
        };
        let signed = signature
            .as_ref()
            .map(|(print, plain)| (print.as_str(), plain.as_slice()));
        let mut envelope = serde_json::to_vec(&Envelope::new(&payload, signed)).map_err(failed)?;
        envelope.push(b'\n');
        Ok((envelope, signed.is_some()))
    }

    /// Writes the lists, and what is made of the list of the lists. Gives the digest of that.
    fn close(&self, files: &Manifest, bytes: u64) -> Result<Sha256Digest, CliError> {
        let info = bag::Info {
            program: pipeline::version().to_owned(),
            bytes,
            files: files.files.len() as u64,
            date: self.date.map(ToOwned::to_owned),
        };
        let mut tags = Manifest::default();
        for (path, text) in [
            (evidence::HOW_TO_FILE, evidence::HOW_TO.to_owned()),
            (bag::INFO_FILE, info.text()),
            (bag::MANIFEST_FILE, files.text()),
            (bag::DECLARATION_FILE, bag::DECLARATION.to_owned()),
        ] {
            self.folder.write(path, text.as_bytes())?;
            tags.add(path, Sha256Digest::of(text.as_bytes()));
        }
        let text = tags.text();
        self.folder.write(bag::TAG_MANIFEST_FILE, text.as_bytes())?;
        let digest = Sha256Digest::of(text.as_bytes());
        let query = timestamp::query(&digest).map_err(|error| CliError::new(error.to_string()))?;
        self.folder.write(timestamp::QUERY_FILE, &query)?;
        if let Some(signer) = self.signer {
            let signature = sshsig::seal(signer, text.as_bytes())
                .map_err(|error| CliError::new(error.to_string()))?;
            self.folder
                .write(sshsig::SIGNATURE_FILE, signature.as_bytes())?;
        }
        Ok(digest)
    }
}

/// The custody log as it is sealed.
struct Log {
    text: String,
    withheld: u64,
    head: Checkpoint,
    leaves: Vec<tree_head::Node>,
    program: Option<String>,
}

/// A record as it stands in the file of records.
fn as_shown(record: &Record) -> serde_json::Result<Value> {
    serde_json::from_str(&shown_json(&serde_json::to_string(record)?))
}

fn pretty(value: &impl serde::Serialize) -> Result<Vec<u8>, CliError> {
    let mut bytes =
        serde_json::to_vec_pretty(value).map_err(|error| CliError::new(error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn lines<T: serde::Serialize>(rows: &[T]) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    for row in rows {
        let line = serde_json::to_string(row).map_err(|error| CliError::new(error.to_string()))?;
        bytes.extend_from_slice(shown_json(&line).as_bytes());
        bytes.push(b'\n');
    }
    Ok(bytes)
}

impl Sealed {
    fn print(&self, args: &SealArgs, signer: Option<&dyn Signs>) {
        println!("{}", shown(&args.output.display().to_string()));
        println!(
            "payload    {} files, {}",
            grouped(self.files),
            size(self.bytes)
        );
        let exhibits = &self.exhibits;
        let copied = if args.copy_matched.is_some() {
            format!(
                "{} distinct contents copied, {} not in the folder that was named",
                grouped(exhibits.copied),
                grouped(exhibits.not_kept)
            )
        } else {
            "none of their contents copied".to_owned()
        };
        println!(
            "exhibits   {} listed by SHA-256, {copied}",
            grouped(exhibits.listed)
        );
        let held = match self.withheld {
            0 => String::new(),
            some => format!(
                "; {} withheld as work product, by digest (--include-work-product shows them)",
                grouped(some)
            ),
        };
        println!(
            "custody    {}, the last of this sealing{held}",
            plural(self.entries, "entry", "entries")
        );
        match signer {
            None => println!(
                "signature  none: unsigned. `ssh-keygen -Y sign -n {} -f KEY {}` adds one",
                sshsig::NAMESPACE,
                bag::TAG_MANIFEST_FILE
            ),
            Some(signer) => {
                let print = sshsig::fingerprint(signer.public_key().key_data());
                let statement = if self.statement_signed {
                    "folder and statement"
                } else {
                    "folder; the statement is unsigned, since such a key signs no bytes as they are"
                };
                println!("signature  by key {print}, of {statement}");
            }
        }
        println!(
            "time       send {} to a time-stamping authority; `verify --import-tsr` takes its reply in",
            timestamp::QUERY_FILE
        );
        println!(
            "SHA-256    {} of {}, which binds all of it; note it elsewhere",
            self.tag_manifest.hex(),
            bag::TAG_MANIFEST_FILE
        );
    }
}
