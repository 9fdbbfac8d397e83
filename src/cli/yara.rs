//! `--yara`: rule files of the user's own for YARA, and what of them is not run.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;

use super::CliError;
use crate::blob::locator::shown;
use crate::exposure::YaraRules;
use crate::exposure::yara::{RuleText, namespace_of};
use crate::report::text::{grouped, plural};

/// More than this hold no rules, all files together; bytes.
const ALL_MAX_BYTES: u64 = 64 << 20;
/// Folders within each other that are looked into.
const DEPTH_MAX: usize = 32;
/// Rules that are named of those that are not run; the rest is counted.
const NAMED: usize = 3;

/// Which rules, and how long they may take.
#[derive(Debug, Clone, Args)]
pub struct YaraArgs {
    /// YARA rules of your own, run over everything that is read: files, or folders of .yar and .yara. A program that was
    /// built with the feature `yara` has this
    #[arg(long, value_name = "FILE", num_args = 1..)]
    yara: Vec<PathBuf>,
    /// Seconds after which the YARA rules are given up on one content, which is then a problem
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    yara_timeout: u64,
}

impl YaraArgs {
    /// Reads and compiles what was named; `None` where nothing was. To be done in front of the wall, which forbids new code.
    pub fn load(&self, quiet: bool) -> Result<Option<YaraRules>, CliError> {
        if self.yara.is_empty() {
            return Ok(None);
        }
        if !cfg!(feature = "yara") {
            // Nothing is read where nothing can be run.
            return YaraRules::compile(&[], self.yara_timeout)
                .map(Some)
                .map_err(fault);
        }
        let mut reader = Reader::default();
        for path in &self.yara {
            if path.is_dir() {
                reader.folder(path)?;
            } else {
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                reader.file(path, &name)?;
            }
        }
        let rules = YaraRules::compile(&reader.files, self.yara_timeout).map_err(fault)?;
        if !quiet {
            reader.say(&rules);
        }
        Ok(Some(rules))
    }

    /// Whether any rule was named.
    pub fn is_wanted(&self) -> bool {
        !self.yara.is_empty()
    }
}

fn fault(error: crate::exposure::yara::YaraError) -> CliError {
    CliError::new(error.to_string())
}

/// Reads rule files.
#[derive(Debug, Default)]
struct Reader {
    files: Vec<RuleText>,
    namespaces: BTreeSet<String>,
    bytes: u64,
    /// Links in folders, which are not followed.
    links: u64,
}

impl Reader {
    /// Takes the rule files of a folder, by name.
    fn folder(&mut self, folder: &Path) -> Result<(), CliError> {
        let before = self.files.len();
        let walk = walkdir::WalkDir::new(folder)
            .max_depth(DEPTH_MAX)
            .sort_by_file_name();
        for entry in walk {
            let entry = entry.map_err(|error| {
                CliError::new(format!(
                    "cannot read the folder {}: {error}",
                    folder.display()
                ))
            })?;
            if !has_ending(entry.path()) {
                continue;
            }
            if entry.file_type().is_file() {
                let below = entry.path().strip_prefix(folder).unwrap_or(entry.path());
                let name = below.with_extension("").to_string_lossy().into_owned();
                self.file(entry.path(), &name)?;
            }
            self.links += u64::from(entry.file_type().is_symlink());
        }
        if self.files.len() == before {
            return Err(CliError::new(format!(
                "no .yar or .yara lies in {}",
                folder.display()
            )));
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, name: &str) -> Result<(), CliError> {
        let fail = |error: &dyn std::fmt::Display| {
            CliError::new(format!("the rule file {}: {error}", path.display()))
        };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(|error| fail(&error))?;
        file.take(ALL_MAX_BYTES - self.bytes + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| fail(&error))?;
        self.bytes += bytes.len() as u64;
        if self.bytes > ALL_MAX_BYTES {
            return Err(fail(
                &"with it, the rule files are larger than 64 MiB together; give fewer of them",
            ));
        }
        let namespace = self.namespace(name);
        self.files.push(RuleText {
            path: path.display().to_string(),
            namespace,
            bytes,
        });
        Ok(())
    }

    /// A name of its own for each file: two rules of one name in two files are two rules.
    fn namespace(&mut self, name: &str) -> String {
        let name = namespace_of(name);
        let mut free = name.clone();
        let mut number = 1_u64;
        while !self.namespaces.insert(free.clone()) {
            number += 1;
            free = format!("{name}-{number}");
        }
        free
    }

    /// Says how many rules there are, and which are not run.
    fn say(&self, rules: &YaraRules) {
        let count = plural(rules.count(), "YARA rule", "YARA rules");
        let files = plural(rules.files(), "file", "files");
        eprintln!("strandline: {count} of your own, in {files}");
        for (why, names) in rules.left_out() {
            let named: Vec<String> = names.iter().take(NAMED).map(|name| shown(name)).collect();
            let more = match names.len().saturating_sub(named.len()) as u64 {
                0 => String::new(),
                more => format!(" and {} more", grouped(more)),
            };
            eprintln!(
                "strandline: not run, since this program lacks {}: {}{more}",
                shown(why),
                named.join(", ")
            );
        }
        if self.links > 0 {
            let links = plural(self.links, "link to a rule file", "links to rule files");
            eprintln!("strandline: {links} not followed; name what they lead to");
        }
    }
}

fn has_ending(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| ["yar", "yara"].contains(&ending.to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_a_namespace_of_its_own() {
        let mut reader = Reader::default();
        let names = ["a", "a", "a-2", "a", "b c", "b_c"];
        let given: Vec<String> = names.iter().map(|name| reader.namespace(name)).collect();
        assert_eq!(given, ["a", "a-2", "a-2-2", "a-3", "b_c", "b_c-2"]);
    }
}
