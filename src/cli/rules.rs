//! `strandline rules`

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::pipeline::{Pipeline, Request};
use super::{CliError, Colour, Common, Exit};
use crate::blob::Limits;
use crate::case::Case;
use crate::copies::tamper::{TamperRules, examples as tampering};
use crate::exposure::inventory::{Signatures, shown_places, signatures};
use crate::exposure::secrets::examples;
use crate::exposure::secrets::rule::RuleSet;
use crate::exposure::{Example, Organisation, Rule, Rules, example_files};
use crate::record::{Certainty, Record, Severity};
use crate::scan::analyse::Keep;
use crate::signature::SetGroup;

/// The rules that come with the program.
#[derive(Debug, Args)]
pub struct RulesArgs {
    #[command(subcommand)]
    command: RulesCommand,
}

#[derive(Debug, Subcommand)]
enum RulesCommand {
    /// Print every rule: id, severity, title, why it matters, what to do, when it is better or worse
    List,
    /// Run the examples of every rule through the program
    Test,
}

/// Runs the command.
pub fn run(args: &RulesArgs) -> Result<Exit, CliError> {
    match args.command {
        RulesCommand::List => list(),
        RulesCommand::Test => test(),
    }
}

fn list() -> Result<Exit, CliError> {
    let mut out = std::io::stdout().lock();
    let rules = Rules::builtin();
    for rule in rules.iter().chain(rules.of_user()) {
        writeln!(out, "{} ({})", rule.id, rule.severity.as_str())?;
        writeln!(out, "  {}", rule.title)?;
        writeln!(out, "  why  {}", rule.why)?;
        writeln!(out, "  do   {}", rule.action)?;
        write_when(&mut out, &rule.severities)?;
        for (name, values) in &rule.parameters {
            writeln!(out, "  {name}: {}", values.join(" "))?;
        }
    }
    for rule in TamperRules::builtin().iter() {
        let (severity, certainty) = (rule.severity.as_str(), certainty_word(rule.certainty));
        writeln!(
            out,
            "{} ({severity}; a sign in a copy, {certainty})",
            rule.id
        )?;
        writeln!(out, "  {}", rule.title)?;
        writeln!(out, "  why  {}", rule.why)?;
        writeln!(out, "  do   {}", rule.action)?;
        write_when(&mut out, &rule.severities)?;
        for (name, values) in &rule.parameters {
            writeln!(out, "  {name}: {}", values.join(" "))?;
        }
    }
    for rule in Signatures::builtin().shown() {
        writeln!(out, "{} (inventory: {})", rule.id, rule.kind)?;
        writeln!(out, "  {}", rule.about)?;
    }
    for rule in shown_places() {
        writeln!(out, "{} (inventory: {})", rule.id, rule.kind)?;
        writeln!(out, "  {}", rule.about)?;
    }
    for one in RuleSet::builtin().iter() {
        let rule = &one.rule;
        let (tier, severity) = (rule.tier.as_str(), rule.severity.as_str());
        writeln!(out, "{} ({severity}; a credential, {tier})", rule.id)?;
        writeln!(out, "  {}", rule.title)?;
        writeln!(out, "  why  {}", rule.why)?;
        writeln!(out, "  do   {}", rule.action)?;
    }
    Ok(Exit::Clean)
}

/// When a rule is better or worse than it says of itself.
fn write_when(
    out: &mut impl Write,
    severities: &BTreeMap<String, Severity>,
) -> Result<(), CliError> {
    if severities.is_empty() {
        return Ok(());
    }
    let when: Vec<String> = (severities.iter())
        .map(|(circumstance, severity)| format!("{circumstance} {}", severity.as_str()))
        .collect();
    writeln!(out, "  when {}", when.join(", "))?;
    Ok(())
}

fn certainty_word(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Proven => "proven",
        Certainty::Hint => "hint",
    }
}

fn test() -> Result<Exit, CliError> {
    let (mut passed, mut failed) = (0_u64, 0_u64);
    for rule in Rules::builtin().iter() {
        let examples = rule
            .matches
            .iter()
            .map(|example| (example, true))
            .chain(rule.rejects.iter().map(|example| (example, false)));
        for (example, must_match) in examples {
            match check(rule, example, must_match)? {
                None => passed += 1,
                Some(why) => {
                    failed += 1;
                    println!("{}: {}: {why}", rule.id, example.note);
                }
            }
        }
    }
    for rule in TamperRules::builtin().iter() {
        let wrong = tampering::failures(rule);
        let examples = rule.matches.len() + rule.rejects.len();
        failed += wrong.len() as u64;
        passed += examples.saturating_sub(wrong.len()) as u64;
        wrong.iter().for_each(|why| println!("{why}"));
    }
    for rule in Signatures::builtin().shown() {
        let failures = signatures::failures(&rule);
        let examples = (rule.matches.len() + rule.rejects.len()) as u64;
        failed += failures.len() as u64;
        passed += examples.saturating_sub(failures.len() as u64);
        for failure in failures {
            println!("{failure}");
        }
    }
    for rule in shown_places() {
        failed += rule.failures.len() as u64;
        passed += rule.examples.saturating_sub(rule.failures.len() as u64);
        for failure in rule.failures {
            println!("{failure}");
        }
    }
    for one in RuleSet::builtin().iter() {
        let wrong =
            examples::failures(&one.rule).map_err(|error| CliError::new(error.to_string()))?;
        wrong.iter().for_each(|why| println!("{why}"));
        let examples = one.rule.matches.len() + one.rule.rejects.len();
        failed += wrong.len() as u64;
        passed += (examples - wrong.len()) as u64;
    }
    println!("{passed} examples passed, {failed} failed");
    Ok(if failed == 0 {
        Exit::Clean
    } else {
        Exit::Findings
    })
}

/// Runs one example through the whole program; says what is wrong, if anything.
fn check(rule: &Rule, example: &Example, must_match: bool) -> Result<Option<String>, CliError> {
    let folder = Scratch::new()?;
    for (path, bytes) in example_files(example).map_err(|error| CliError::new(error.to_string()))? {
        folder.write(&path, &bytes)?;
    }
    let organisation = example
        .organisation
        .as_deref()
        .map(|text| Organisation::parse(text, &rule.id))
        .transpose()?;
    let worst = worst_of_class(&folder.0, &rule.id, organisation)?;
    Ok(match (worst, must_match) {
        (None, true) => Some("must match, and does not".to_owned()),
        (Some(_), false) => Some("must not match, and does".to_owned()),
        (Some(worst), true) if example.severity.is_some_and(|severity| severity != worst) => {
            Some(format!("matches as {} instead", worst.as_str()))
        }
        _ => None,
    })
}

fn worst_of_class(
    folder: &std::path::Path,
    class: &str,
    organisation: Option<Organisation>,
) -> Result<Option<Severity>, CliError> {
    let limits = Limits::default();
    let common = Common {
        safe_decoders: false,
        jobs: Some(1),
        memory: limits.memory,
        spill: None,
        limit_depth: limits.depth,
        limit_entries: limits.entries,
        limit_bytes: limits.bytes,
        limit_ratio: limits.ratio,
        one_file_system: false,
        no_sandbox: true,
        quiet: true,
        no_progress: true,
        color: Colour::Never,
    };
    let mut case = Case::in_memory()?;
    Pipeline::new(Request {
        inspector: crate::exposure::Inspector::default(),
        case: None,
        paths: &[folder.join("package")],
        label: None,
        common: &common,
        organisation,
        sets: SetGroup::default(),
        record_all: false,
        keep: Keep::Nothing,
        collector: None,
        only: None,
        fail_on: None,
        accepted: &[],
        triage: false,
        releases: None,
    })?
    .run(
        &mut case,
        &super::wall::off("examples of ours"),
        |_, _, _| Ok(()),
    )?;
    let mut worst = None;
    case.records(|record| {
        if let Record::Exposure(exposure) = record
            && exposure.class == class
        {
            worst = worst.max(Some(exposure.severity));
        }
        Ok::<_, CliError>(())
    })?;
    Ok(worst)
}

/// A private folder in the system's place for such, removed at the end. Holds examples of ours, never an input.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, CliError> {
        static COUNTER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("strandline-rules-{}-{number}", std::process::id()));
        std::fs::create_dir(&path).map_err(|error| CliError::write(&path, &error))?;
        Ok(Self(path))
    }

    fn write(&self, path: &[u8], bytes: &[u8]) -> Result<(), CliError> {
        let path = self.0.join("package").join(super::path_from_bytes(path));
        let write = || -> std::io::Result<()> {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(&path, bytes)
        };
        write().map_err(|error| CliError::write(&path, &error))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A folder that stays behind in the system's scratch space does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
