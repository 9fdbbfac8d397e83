//! `scan --rules`: rule files of the user's own, and what of them is not honoured.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::CliError;
use crate::blob::locator::shown;
use crate::exposure::user::UserRules;
use crate::exposure::user::read::{self, FILE_MAX_BYTES, FileRule, RuleFile};
use crate::report::text::{grouped, plural};

/// Rules that are named of those that ask for something; the rest is counted.
const NAMED: usize = 3;

/// Loads files, and those of folders by the ends of their names; `None` where none were named.
pub fn load(paths: &[PathBuf], quiet: bool) -> Result<Option<UserRules>, CliError> {
    if paths.is_empty() {
        return Ok(None);
    }
    let mut rules: Vec<FileRule> = Vec::new();
    let mut all = RuleFile::default();
    for path in files_of(paths)? {
        let fail = |error: &dyn std::fmt::Display| {
            CliError::new(format!("the rule file {}: {error}", path.display()))
        };
        let mut bytes = Vec::new();
        let file = File::open(&path).map_err(|error| fail(&error))?;
        file.take(FILE_MAX_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| fail(&error))?;
        if bytes.len() as u64 > FILE_MAX_BYTES {
            return Err(fail(&"larger than any rule file"));
        }
        let file = read::read(&bytes).map_err(|error| fail(&error))?;
        for (what, ids) in file.notes {
            all.notes.entry(what).or_default().extend(ids);
        }
        rules.extend(file.rules);
    }
    refuse_repeats(&rules)?;
    let ready = UserRules::new(&rules)
        .map_err(|error| CliError::new(format!("a rule cannot be run: {error}")))?;
    if ready.is_empty() {
        return Err(CliError::new("the rule files hold no rule that can be run"));
    }
    if !quiet {
        say(&ready, &all);
    }
    Ok(Some(ready))
}

/// The files that were named, and those in folders that were, by name.
fn files_of(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let fail = |error| {
            CliError::new(format!(
                "cannot read the folder {}: {error}",
                path.display()
            ))
        };
        let mut found = Vec::new();
        for entry in std::fs::read_dir(path).map_err(fail)? {
            let file = entry.map_err(fail)?.path();
            if file.is_file() && has_ending(&file) {
                found.push(file);
            }
        }
        if found.is_empty() {
            return Err(CliError::new(format!(
                "no .toml, .yml or .yaml lies in {}",
                path.display()
            )));
        }
        found.sort();
        files.extend(found);
    }
    Ok(files)
}

fn has_ending(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ["toml", "yml", "yaml"].contains(&ending))
}

/// Two rules of one id could not be told apart in what they find.
fn refuse_repeats(rules: &[FileRule]) -> Result<(), CliError> {
    let mut ids = std::collections::BTreeSet::new();
    match rules.iter().find(|rule| !ids.insert(rule.id.as_str())) {
        None => Ok(()),
        Some(rule) => Err(CliError::new(format!(
            "the rule files hold two rules of the id {}; rename one of them",
            shown(&rule.id)
        ))),
    }
}

/// Says how many rules there are, and what they ask for in vain.
fn say(ready: &UserRules, all: &RuleFile) {
    let rules = plural(ready.len() as u64, "rule", "rules");
    eprintln!("strandline: {rules} of your own");
    for (what, ids) in &all.notes {
        let named: Vec<String> = ids.iter().take(NAMED).map(|id| shown(id)).collect();
        let more = match ids.len().saturating_sub(named.len()) as u64 {
            0 => String::new(),
            more => format!(" and {} more", grouped(more)),
        };
        eprintln!(
            "strandline: not honoured: {what}, in {}{more}",
            named.join(", ")
        );
    }
}
