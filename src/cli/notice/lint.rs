//! `strandline notice lint`: a draft of a notice held against the case, before a person sends it.
//!
//! The draft is read whole, and nothing is written. A folder is read by name, files in the order of their names; what is no text is
//! named and left. The profile is asked for again, since a case keeps its digest only: without it nothing is known to be the
//! vendor's own, and that is said.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::draft::small_text;
use crate::blob::locator::{escape, shown, shown_json};
use crate::case::Case;
use crate::cli::pipeline::load_organisation;
use crate::cli::wall::Wall;
use crate::cli::{CliError, Common, Exit, warn_of};
use crate::exposure::{CaseKey, Organisation};
use crate::report::lint::{
    Asked, Draft, DraftFile, Facts, Gather, Report, Rules, Weight, lint, work_paths,
};
use crate::report::notice::Hosts;
use crate::report::text::{grouped, plural};
use crate::signature::Key;

/// Bytes of a draft, all files together: more is no notice.
const DRAFT_MAX: u64 = 256 << 20;
/// Files of a draft, and folders in folders.
const FILES_MAX: usize = 10_000;
const DEPTH_MAX: usize = 8;
/// Endings of files that are read of a folder.
const ENDINGS: [&str; 5] = ["txt", "text", "md", "markdown", "csv"];
/// Files beside a draft of ours that are for its reader and are not sent.
const NOT_SENT: [&str; 6] = [
    "before-sending.txt",
    "left-out.csv",
    "for-expert.csv",
    "secrets.txt",
    "abuse.txt",
    "own-unpublish.txt",
];
/// Findings of one rule that are printed; with `--json` all that are kept are.
const PRINTED_MAX: usize = 20;
/// Bytes of a file of names.
const NAMES_MAX: u64 = 1 << 30;

/// Hold a draft of a notice against the case: what a host would send it back for, and what must not be published
#[derive(Debug, Args)]
pub struct LintArgs {
    /// The draft: a text or Markdown file, or a folder of them
    #[arg(value_name = "FILE|DIR")]
    draft: PathBuf,
    /// The case
    #[arg(long, value_name = "FILE")]
    case: PathBuf,
    /// The organisation's profile: what is its own, its mail domains and code names
    #[arg(long, value_name = "FILE")]
    org: Option<PathBuf>,
    /// The host that it goes to (github, gitlab, dsa and others) [default: as its addresses say]
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Further hosts, or others in place of those of the program, as `notice --hosts` takes them
    #[arg(long, value_name = "FILE")]
    hosts: Option<PathBuf>,
    /// Places that the host takes in one notice [default: as `notice` counts them for that host]
    #[arg(long, value_name = "N")]
    rows: Option<u64>,
    /// Names of a signed work (`.names`): paths of files that no listed place has must not be published
    #[arg(long, value_name = "FILE")]
    names: Vec<PathBuf>,
    /// The key that the case was made with (`scan --case-key`): says whether a credential of the draft is one of the case
    #[arg(long, value_name = "FILE")]
    case_key: Option<PathBuf>,
    /// Status 1 from this weight on: error, warning or note
    #[arg(long, value_name = "WEIGHT", default_value = "error", value_parser = parse_weight)]
    fail_on: Weight,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    common: Common,
}

fn parse_weight(text: &str) -> Result<Weight, String> {
    let words = [Weight::Error, Weight::Warning, Weight::Note];
    let found = words.into_iter().find(|weight| weight.as_str() == text);
    found.ok_or_else(|| "use one of error, warning, note".to_owned())
}

/// Runs the command.
pub fn run(args: &LintArgs) -> Result<Exit, CliError> {
    let mut forms = Hosts::builtin()?;
    if let Some(path) = &args.hosts {
        forms.add(&small_text(path)?)?;
    }
    let hosts = Rules::builtin().hosts_of(&forms);
    if let Some(host) = &args.host
        && !hosts.ids().any(|id| id == host)
    {
        let known: Vec<&str> = hosts.ids().collect();
        let known = known.join(", ");
        return Err(CliError::new(format!(
            "nothing is known of the host {host}; use one of {known}, or add it with --hosts"
        )));
    }
    let organisation = load_organisation(args.org.as_ref())?;
    let key = match &args.case_key {
        None => None,
        Some(path) => Some(CaseKey(Key::read(path)?.derive(CaseKey::CONTEXT))),
    };
    let mut paths = Vec::new();
    for file in &args.names {
        let named = work_paths(&read_text(file, NAMES_MAX)?);
        paths.extend(named.map_err(|line| {
            CliError::new(format!(
                "{}:{line}: this is no line of a file of names; give the .names that `sign` wrote",
                file.display()
            ))
        })?);
    }
    let case = Case::open(&args.case)?;
    let wall = Wall::around([args.draft.as_path()]);
    warn_of(&args.common.raise(&wall), &args.common);
    let draft = read_draft(&args.draft)?;
    let facts = facts_of(&case, organisation, key, paths)?;
    let asked = Asked {
        host: args.host.clone(),
        rows: args.rows,
        hosts: Some(hosts),
    };
    let report = lint(&draft, &facts, &asked);
    let notes = notes_of(&draft, &facts, &report);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if args.json {
        write_json(&draft, &notes, &report, &mut out)?;
    } else {
        write_text(&draft, &notes, &report, args.common.quiet, &mut out)?;
    }
    out.flush()?;
    Ok(match report.worst() {
        Some(worst) if worst >= args.fail_on => Exit::Findings,
        _ => Exit::Clean,
    })
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> CliError {
    CliError::new(format!("cannot read {}: {error}", path.display()))
}

/// A file as text; bytes that are none are replaced.
fn read_text(path: &Path, most: u64) -> Result<String, CliError> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| unreadable(path, &error))?;
    let is_file = file.metadata().is_ok_and(|about| about.is_file());
    if !is_file {
        return Err(unreadable(path, &"it is no regular file"));
    }
    file.take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > most {
        return Err(unreadable(
            path,
            &format!(
                "it is larger than the {} bytes that are read of one",
                grouped(most)
            ),
        ));
    }
    Ok(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

/// The draft, a file or what a folder holds.
fn read_draft(path: &Path) -> Result<Draft, CliError> {
    let about = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    let mut draft = Draft::default();
    if !about.is_dir() {
        let name = path
            .file_name()
            .map_or_else(|| path.as_os_str().to_owned(), ToOwned::to_owned);
        draft.files.push(DraftFile::new(
            &escape(name.as_encoded_bytes()),
            read_text(path, DRAFT_MAX)?,
        ));
        return Ok(draft);
    }
    let mut left = DRAFT_MAX;
    let walk = walkdir::WalkDir::new(path)
        .max_depth(DEPTH_MAX)
        .sort_by_file_name();
    for entry in walk {
        let entry = entry.map_err(|error| unreadable(path, &error))?;
        let below = entry.path().strip_prefix(path).unwrap_or(entry.path());
        let name = escape(below.as_os_str().as_encoded_bytes());
        if entry.file_type().is_dir() {
            if entry.depth() == DEPTH_MAX {
                draft
                    .left_out
                    .push(format!("{name}: deeper than a draft is"));
            }
            continue;
        }
        let ending = below
            .extension()
            .map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        let is_text = ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()));
        let last = below.file_name().unwrap_or_default();
        if NOT_SENT.iter().any(|one| last == *one) {
            draft.left_out.push(format!("{name}: it is not sent"));
            continue;
        }
        if !entry.file_type().is_file() || !is_text {
            draft.left_out.push(format!("{name}: no text file"));
            continue;
        }
        if draft.files.len() == FILES_MAX {
            return Err(CliError::new(format!(
                "{} has more than {FILES_MAX} files; name the folder of one notice",
                path.display()
            )));
        }
        let text = read_text(entry.path(), left)?;
        left -= text.len().min(left as usize) as u64;
        draft.files.push(DraftFile::new(&name, text));
    }
    if draft.files.is_empty() {
        return Err(CliError::new(format!(
            "{} holds no text file ({}); nothing was looked at",
            path.display(),
            ENDINGS.join(", ")
        )));
    }
    Ok(draft)
}

fn facts_of(
    case: &Case,
    organisation: Option<Organisation>,
    key: Option<CaseKey>,
    paths: Vec<String>,
) -> Result<Facts, CliError> {
    let mut gather = Gather::new(organisation, key, case.reviews()?);
    for kinds in [Gather::FIRST.as_slice(), &Gather::SECOND] {
        case.records_of(kinds, |record| {
            gather.add(record);
            Ok::<_, CliError>(())
        })?;
    }
    gather.add_work_paths(paths);
    let info = case.info()?;
    let incomplete = if info.unfinished {
        Some("the last scan did not finish".to_owned())
    } else {
        let complete = info.ledger.is_some_and(|ledger| ledger.read_all());
        (!complete).then(|| "not everything was read".to_owned())
    };
    Ok(gather.finish(&case.draws()?, incomplete))
}

/// What bounds the findings, in words.
fn notes_of(draft: &Draft, facts: &Facts, report: &Report) -> Vec<String> {
    let mut notes = Vec::new();
    if facts.organisation.is_none() {
        notes.push("no profile was given (--org), so nothing is known to be the vendor's own, and code names and mail domains were not looked at".to_owned());
    }
    if facts.places.is_empty() {
        notes.push("the case has no addresses: scan with --origins, so that what is listed can be held against what was found".to_owned());
    }
    if let Some(why) = &facts.incomplete {
        notes.push(format!(
            "{why}, so the case may know less than there is (`case info`)"
        ));
    }
    notes.extend(facts.bounded.iter().cloned());
    notes.extend(report.bounded.iter().cloned());
    notes.extend(
        draft
            .left_out
            .iter()
            .map(|what| format!("not looked at: {what}")),
    );
    notes
}

fn counted(report: &Report) -> String {
    let count = |weight: Weight| report.counts.get(&weight).copied().unwrap_or(0);
    format!(
        "{}, {}, {}",
        plural(count(Weight::Error), "error", "errors"),
        plural(count(Weight::Warning), "warning", "warnings"),
        plural(count(Weight::Note), "note", "notes")
    )
}

/// Findings by rule, those of the heaviest rules first.
fn write_text(
    draft: &Draft,
    notes: &[String],
    report: &Report,
    is_quiet: bool,
    out: &mut impl Write,
) -> Result<(), CliError> {
    for weight in [Weight::Error, Weight::Warning, Weight::Note] {
        for rule in Rules::builtin().iter() {
            let Some(of_rule) = report.by_rule.get(rule.id.as_str()) else {
                continue;
            };
            if of_rule.findings.iter().map(|one| one.severity).max() != Some(weight) {
                continue;
            }
            writeln!(out, "{} {}: {}", weight.as_str(), rule.id, rule.title)?;
            for one in of_rule.findings.iter().take(PRINTED_MAX) {
                let place = match one.line {
                    0 => String::new(),
                    _ => format!("{}:{}:{}  ", one.file, one.line, one.column),
                };
                let weight = if one.severity == weight {
                    String::new()
                } else {
                    format!("{}: ", one.severity.as_str())
                };
                let detail = one
                    .detail
                    .as_ref()
                    .map_or(String::new(), |detail| format!(" ({detail})"));
                writeln!(
                    out,
                    "  {}",
                    shown(&format!("{place}{weight}{}{detail}", one.found))
                )?;
            }
            let more = of_rule.total.saturating_sub(PRINTED_MAX as u64);
            if more > 0 {
                writeln!(
                    out,
                    "  and {} more; --json has the first of them",
                    grouped(more)
                )?;
            }
            writeln!(out, "  why   {}", rule.why)?;
            writeln!(out, "  mend  {}", rule.mend)?;
        }
    }
    if is_quiet {
        return Ok(());
    }
    let files = plural(draft.files.len() as u64, "file", "files");
    let claimed = plural(report.claimed, "address", "addresses");
    let host = report
        .host
        .as_ref()
        .map_or(String::new(), |host| format!(" of {}", shown(host)));
    writeln!(
        out,
        "draft       {files}, {claimed} claimed{host}: {}",
        counted(report)
    )?;
    for note in notes {
        writeln!(out, "note        {}", shown(note))?;
    }
    if report.by_rule.is_empty() {
        writeln!(
            out,
            "none of the {} failures that are looked for was seen; a person still has to check each row and swear to it",
            Rules::builtin().iter().count()
        )?;
    }
    Ok(())
}

fn write_json(
    draft: &Draft,
    notes: &[String],
    report: &Report,
    out: &mut impl Write,
) -> Result<(), CliError> {
    let count = |weight: Weight| report.counts.get(&weight).copied().unwrap_or(0);
    let files: Vec<&str> = draft.files.iter().map(|file| file.name.as_str()).collect();
    let rules: Vec<serde_json::Value> = Rules::builtin()
        .iter()
        .filter_map(|rule| {
            let of_rule = report.by_rule.get(rule.id.as_str())?;
            Some(serde_json::json!({
                "rule": rule.id, "title": rule.title, "why": rule.why, "mend": rule.mend,
                "total": of_rule.total, "findings": of_rule.findings,
            }))
        })
        .collect();
    let all = serde_json::json!({
        "files": files,
        "claimed": report.claimed,
        "host": report.host,
        "errors": count(Weight::Error),
        "warnings": count(Weight::Warning),
        "notes": count(Weight::Note),
        "remarks": notes,
        "rules": rules,
    });
    let text =
        serde_json::to_string_pretty(&all).map_err(|error| CliError::new(error.to_string()))?;
    for line in text.lines() {
        writeln!(out, "{}", shown_json(line))?;
    }
    Ok(())
}
