//! `strandline notice CASE --host HOST --output DIR`
//!
//! Everything is read before the wall is up; behind it the rows are chosen and the texts made. That a notice was drafted, of
//! which rows and in spite of what, is in the case before the first file is written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::{Args, ValueEnum};

use super::write::{Written, write};
use crate::blob::Sha256Digest;
use crate::case::{Case, Handled, Notice, NoticeState};
use crate::cli::custody::deed;
use crate::cli::output::OutputFolder;
use crate::cli::wall::Wall;
use crate::cli::{CliError, Common, Exit, pipeline, warn_of};
use crate::record::Grade;
use crate::report::notice::{
    Asked, Contacts, Draft, Follows, Gather, Host, Hosts, LeftOut, Selection, Templates, Text,
    What, WorkFacts, drafts,
};
use crate::signature::{Set, names_path};

/// Bytes that a file of the user's is read of: templates, hosts and contacts are small.
const SMALL_FILE_BYTES: u64 = 4 << 20;
/// Own packages that are named where there is nothing else.
const OWN_NAMED: usize = 4;
/// Stamped where rows are in that nobody reviewed.
const UNREVIEWED: &str = "ROWS THAT NOBODY REVIEWED ARE IN THIS DRAFT";

/// What a draft is made of.
// clap leaves the group of what flattens others empty, and asks it whether any of this was given.
#[derive(Debug, Args)]
#[group(args = ["case", "host", "output"])]
pub struct DraftArgs {
    /// The case
    #[arg(value_name = "CASE")]
    case: PathBuf,
    /// The host: an id of the data file (github, npm, gitlab, pypi, huggingface, dockerhub, cloudflare, internet-archive,
    /// generic, dsa), or the host name of addresses
    #[arg(long, value_name = "HOST")]
    host: String,
    /// New folder to write into
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// Host names of addresses that the host stands for, instead of its own: for `generic`, `dsa` and `cloudflare`, and for a
    /// forge of the same kind elsewhere
    #[arg(long, value_name = "NAME")]
    at: Vec<String>,
    /// Who complains: TOML with holder, name, email, address, authority, description and such. What it does not say stays a
    /// blank in brackets
    #[arg(long, value_name = "FILE")]
    contacts: Option<PathBuf>,
    /// Further hosts, or others in place of those of the program
    #[arg(long, value_name = "FILE")]
    hosts: Option<PathBuf>,
    /// Templates that stand in place of those of the same file name
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
    /// Signature set of a work, with its names beside it: the work is described by all of its files then, and not only by
    /// those that match
    #[arg(long, value_name = "SET")]
    signatures: Vec<PathBuf>,
    /// Rows that nobody confirmed are in as well; stamped on every page
    #[arg(long)]
    include_unreviewed: bool,
    /// Grades that are left for an expert otherwise
    #[arg(long, value_enum, value_delimiter = ',', value_name = "GRADE")]
    include: Vec<GradeWord>,
    /// Draft although the case does not know what is the vendor's own, and why; stamped on every page, and kept in the case
    #[arg(long = "override", value_name = "REASON")]
    overridden: Option<String>,
    /// What technological measures controlled access to the work, and how the copies circumvent them. Without it the notice
    /// says No, since such claims mostly fail
    #[arg(long, value_name = "TEXT")]
    circumvention: Option<String>,
    /// Write each notice as .docx too
    #[arg(long)]
    docx: bool,
    /// Draft again from the rows of an earlier notice (`n1`), naming those that were rejected since
    #[arg(long, value_name = "ID")]
    revise: Option<String>,
    /// Draft what takes an earlier notice back, as far as its rows were rejected since
    #[arg(long, value_name = "ID", conflicts_with = "revise")]
    retract: Option<String>,
    #[command(flatten)]
    common: Common,
}

/// A grade that is claimed only where it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum GradeWord {
    /// The same code under other names
    Derived,
    /// In another language
    Ported,
}

impl GradeWord {
    fn grade(self) -> Grade {
        match self {
            GradeWord::Derived => Grade::Derived,
            GradeWord::Ported => Grade::Ported,
        }
    }
}

/// What was read of the user's files.
struct Given {
    host: Host,
    hosts: Hosts,
    contacts: Contacts,
    templates: Templates,
    works: Vec<WorkFacts>,
}

impl Given {
    fn read(args: &DraftArgs) -> Result<Self, CliError> {
        let mut hosts = Hosts::builtin()?;
        if let Some(path) = &args.hosts {
            hosts.add(&small_text(path)?)?;
        }
        let host = hosts.find(&args.host).ok_or_else(|| {
            let ids: Vec<&str> = hosts.ids().collect();
            CliError::new(format!(
                "there is no host {:?} in the data; known are {}; a host name, such as code.example, gets the general text, and `--hosts FILE` adds hosts",
                args.host,
                ids.join(", ")
            ))
        })?;
        let contacts = match &args.contacts {
            None => Contacts::default(),
            Some(path) => Contacts::parse(&small_text(path)?)?,
        };
        let mut templates = Templates::builtin();
        if let Some(folder) = &args.templates {
            for (name, text) in templates_of(folder)? {
                templates.add(name, text);
            }
        }
        let works = args.signatures.iter().map(|path| work_facts(path));
        Ok(Self {
            works: works.collect::<Result<_, _>>()?,
            host,
            hosts,
            contacts,
            templates,
        })
    }
}

pub(in crate::cli) fn small_text(path: &Path) -> Result<String, CliError> {
    let fail = |why: String| CliError::new(format!("cannot read {}: {why}", path.display()));
    let is_small = std::fs::metadata(path)
        .map_err(|error| fail(error.to_string()))
        .map(|found| found.is_file() && found.len() <= SMALL_FILE_BYTES)?;
    if !is_small {
        return Err(fail(
            "it is no regular file of at most 4 MiB, as this would be".to_owned(),
        ));
    }
    std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))
}

/// Templates of a folder: the files in it whose names end in `.txt`.
pub(in crate::cli) fn templates_of(folder: &Path) -> Result<BTreeMap<String, String>, CliError> {
    let fail =
        |error: std::io::Error| CliError::new(format!("cannot read {}: {error}", folder.display()));
    let mut out = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".txt") {
            out.insert(name, small_text(&entry.path())?);
        }
    }
    if out.is_empty() {
        return Err(CliError::new(format!(
            "{} has no templates: files that end in .txt, named as those they replace",
            folder.display()
        )));
    }
    Ok(out)
}

/// What a set says of its work as a whole.
fn work_facts(path: &Path) -> Result<WorkFacts, CliError> {
    let mut set = Set::open_in_memory(path, None)?;
    let names = names_path(path);
    if names.exists() {
        set.load_names(&names)?;
    }
    let counted = set.counted();
    let files = (0..set.files_total()).filter_map(|id| Some((id, set.file(id)?)));
    let own: Vec<_> = files.filter(|(_, file)| set.counts(file)).collect();
    let path = |id: u32| Some(crate::blob::locator::escape(set.name(id)?));
    Ok(WorkFacts {
        work: set.work().to_owned(),
        release: set.release().to_owned(),
        files: counted.files,
        bytes: counted.bytes,
        lines: (!set.is_of_lists())
            .then(|| own.iter().map(|(_, file)| u64::from(file.lines)).sum()),
        paths: own.iter().filter_map(|(id, _)| path(*id)).collect(),
    })
}

/// Runs the command.
pub fn run(args: &DraftArgs) -> Result<Exit, CliError> {
    let case = Case::open(&args.case)?;
    let given = Given::read(args)?;
    let mut deed = deed(&format!("notice --host {}", given.host.id));
    let drafted = drafted_at()?;
    let earlier = earlier(&case, args)?;
    pipeline::warn_if_in_work_tree(&args.output, &args.common);
    let folder = OutputFolder::create(&args.output)?;
    let wall = Wall::default().with_output(Some(&args.output));
    warn_of(&args.common.raise(&wall), &args.common);

    let made = make(&case, args, &given, earlier.as_ref())?;
    let count = case.notices()?.len();
    let mut notices = Vec::new();
    for (number, (draft, text)) in (1..).zip(&made.drafts) {
        let id = format!("n{}", count + number);
        let sha256 = Sha256Digest::of(text.whole().as_bytes()).hex();
        deed.outputs.push(Handled {
            what: format!(
                "{} {id}, {} places: {}",
                made.kind,
                draft.items.len(),
                draft.title()
            ),
            sha256: Some(sha256.clone()),
        });
        notices.push(Notice {
            id,
            host: given.host.id.clone(),
            network: draft.network.clone(),
            drafted: drafted.clone(),
            actor: deed.actor.clone(),
            folder: args
                .output
                .join(Written::folder(number))
                .display()
                .to_string(),
            sha256,
            rows: draft.items.iter().map(|item| item.id.clone()).collect(),
            overrides: draft.stamps.clone(),
            follows: earlier.as_ref().map(|earlier| earlier.id.clone()),
        });
    }
    case.add_custody(deed).map_err(|error| {
        CliError::new(format!(
            "no notice is written, since that could not be put into the custody log: {error}"
        ))
    })?;
    for notice in &notices {
        case.add_notice(notice)?;
    }
    write(&folder, &made, &given.host, args.docx)?;
    if !args.common.quiet {
        made.tell(&notices, &args.output);
    }
    Ok(Exit::Clean)
}

/// The time that stands in the case: now, or what SOURCE_DATE_EPOCH says.
fn drafted_at() -> Result<String, CliError> {
    let time = match std::env::var("SOURCE_DATE_EPOCH") {
        Err(_) => SystemTime::now(),
        Ok(text) => text
            .parse()
            .ok()
            .and_then(|seconds| {
                SystemTime::UNIX_EPOCH.checked_add(std::time::Duration::from_secs(seconds))
            })
            .ok_or_else(|| {
                CliError::new(
                    "SOURCE_DATE_EPOCH is no number of seconds since 1970; unset it or mend it",
                )
            })?,
    };
    Ok(humantime::format_rfc3339_seconds(time).to_string())
}

/// The notice that this one follows.
fn earlier(case: &Case, args: &DraftArgs) -> Result<Option<Notice>, CliError> {
    let Some(id) = args.revise.as_ref().or(args.retract.as_ref()) else {
        return Ok(None);
    };
    let notices = case.notices()?;
    let found = notices.iter().rev().find(|notice| notice.id == *id);
    found.cloned().map(Some).ok_or_else(|| {
        let ids: Vec<&str> = notices.iter().map(|notice| notice.id.as_str()).collect();
        let known = match ids.is_empty() {
            true => "none was drafted from it".to_owned(),
            false => format!("it has {}", ids.join(", ")),
        };
        CliError::new(format!("there is no notice {id} in this case; {known}"))
    })
}

/// What was made.
pub(super) struct Made {
    pub(super) drafts: Vec<(Draft, Text)>,
    pub(super) selection: Selection,
    /// What one is called.
    kind: &'static str,
}

/// Reads the case, chooses and renders.
fn make(
    case: &Case,
    args: &DraftArgs,
    given: &Given,
    earlier: Option<&Notice>,
) -> Result<Made, CliError> {
    let at: Vec<String> = args
        .at
        .iter()
        .map(|name| name.to_ascii_lowercase())
        .collect();
    let include: Vec<Grade> = args.include.iter().map(|word| word.grade()).collect();
    let only: Option<BTreeSet<String>> =
        earlier.map(|notice| notice.rows.iter().cloned().collect());
    let what = What {
        host: &given.host,
        hosts: &given.hosts,
        at: &at,
        unreviewed: args.include_unreviewed,
        include: &include,
        only: only.as_ref(),
    };
    let mut gather = Gather::default();
    case.records(|record| {
        gather.add(record);
        Ok::<_, CliError>(())
    })?;
    let stamps = stamps(args, &gather)?;
    gather.want(&what);
    case.records(|record| {
        gather.add_within(record);
        Ok::<_, CliError>(())
    })?;
    let reviews = case.reviews()?;
    let archive = |locator: &str| {
        let unit = case.unit_of_match(locator).ok()??;
        unit.sha256.map(|digest| Sha256Digest(digest).hex())
    };
    let mut selection = Selection::of(&gather, &reviews, &what, &archive);
    let is_retraction = args.retract.is_some();
    let follows = match earlier {
        None => None,
        Some(notice) => Some(Follows {
            id: notice.id.clone(),
            ticket: ticket_of(case, &notice.id)?,
            dropped: selection.dropped_of(&notice.rows, is_retraction),
        }),
    };
    if is_retraction {
        selection.keep_none();
    } else if selection.items.is_empty() {
        return Err(nothing_claimed(&given.host, &selection));
    }
    let asked = Asked {
        host: &given.host,
        hosts: &given.hosts,
        contacts: &given.contacts,
        circumvention: args.circumvention.as_deref(),
        works: &given.works,
        stamps: &stamps,
        follows: follows.as_ref(),
    };
    let drafts = if is_retraction {
        let dropped = follows.as_ref().map_or(0, |follows| follows.dropped.len());
        if dropped == 0 {
            return Err(CliError::new(
                "none of the rows of that notice was rejected since, so there is nothing to take back; reject them with `case review` first",
            ));
        }
        vec![Draft::retraction(&gather, &asked)]
    } else {
        drafts(&selection, &gather, &asked)
    };
    let texts = drafts.into_iter().map(|draft| {
        let text = if is_retraction {
            given.templates.retraction(&draft)?
        } else {
            given.templates.render(&given.host, &draft)?
        };
        Ok((draft, text))
    });
    Ok(Made {
        drafts: texts.collect::<Result<_, CliError>>()?,
        selection,
        kind: if is_retraction {
            "retraction"
        } else {
            "notice"
        },
    })
}

/// The last number that the host is said to have given a notice.
fn ticket_of(case: &Case, id: &str) -> Result<Option<String>, CliError> {
    let events = case.notice_events()?.into_iter().rev();
    let mut of_notice = events.filter(|event| event.notice == id);
    let ticket = of_notice.find(|event| event.state == NoticeState::Ticket);
    Ok(ticket.and_then(|event| event.reference))
}

/// What is stamped on each page; refuses a case that does not know what is the vendor's own.
fn stamps(args: &DraftArgs, gather: &Gather) -> Result<Vec<String>, CliError> {
    let mut stamps = Vec::new();
    if let Err(unowned) = Selection::check_owner(gather) {
        let missing = unowned.missing.join(", and ");
        let Some(reason) = &args.overridden else {
            return Err(CliError::new(format!(
                "no notice is drafted, since the case does not know what is the vendor's own: {missing}. Scan again with both, so that own public repositories and files are not claimed; or give `--override REASON`, which is stamped on every page"
            )));
        };
        stamps.push(format!(
            "DRAFTED ALTHOUGH THE CASE DOES NOT KNOW WHAT IS THE VENDOR'S OWN ({missing}): {reason}"
        ));
    }
    if args.include_unreviewed {
        stamps.push(UNREVIEWED.to_owned());
    }
    Ok(stamps)
}

/// Why there is no notice.
fn nothing_claimed(host: &Host, selection: &Selection) -> CliError {
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for LeftOut { reason, .. } in selection.left_out.iter().chain(&selection.expert) {
        *reasons.entry(reason).or_default() += 1;
    }
    let reasons = reasons
        .iter()
        .map(|(reason, count)| format!("{count}: {reason}"));
    let mut words: Vec<String> = reasons.take(8).collect();
    // What needs no notice is told all the same, since nothing is written that would say it.
    words.extend(selection.own.iter().take(OWN_NAMED).map(|own| {
        let way = host.own.as_deref().unwrap_or("its owner takes it down");
        format!(
            "{} is the vendor's own ({}). Own: unpublish; {way}",
            own.what, own.url
        )
    }));
    let known = selection.hosts_seen.iter().take(12);
    let known: Vec<String> = known
        .map(|(host, count)| format!("{host} ({count})"))
        .collect();
    if words.is_empty() {
        words.push("no copy has an address there".to_owned());
    }
    let known = match known.is_empty() {
        true => "no copy has a recorded address; `scan --origins FILE` records some".to_owned(),
        false => format!("copies have recorded addresses at {}", known.join(", ")),
    };
    CliError::new(format!(
        "there is nothing to claim at {}: {}. Confirm rows with `case review`, or see `--include-unreviewed`; {known}",
        host.name,
        words.join("; ")
    ))
}
