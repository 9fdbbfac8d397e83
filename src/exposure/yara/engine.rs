//! The rules as YARA-X runs them.
//!
//! Rules are compiled once and shared; each thread keeps one scanner for them, since making one costs more than
//! searching a small file. A scanner borrows its rules for as long as it lives, and threads end when they like: so rules that
//! were compiled stay until the program ends. It loads them once.
//!
//! Errors are YARA-X's own, in one line each. They are the user's files, but may come from anywhere: what is quoted of them
//! is escaped and cut.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use yara_x::{Compiler, MetaValue, Rule, Rules, ScanError, Scanner, SourceCode};

use super::{LeftOut, MATCHES_MAX, RULES_MAX, RuleText, YaraError, YaraFault};
use crate::exposure::shown;
use crate::record::{YaraMatch, YaraPattern};

/// Modules that rules ask for and that this build leaves out; those that ask are not run, and named.
const LEFT_OUT: [&str; 12] = [
    "androguard",
    "crx",
    "cuckoo",
    "dex",
    "hypervisor",
    "magic",
    "msi",
    "olecf",
    "time",
    "vba",
    "vt",
    "zip",
];

/// Of one match: patterns, places of each, tags, and lines of what its author says.
const PATTERNS_MAX: usize = 32;
const PLACES_MAX: usize = 8;
const TAGS_MAX: usize = 16;
const META_MAX: usize = 32;

/// Errors that are told of rule files.
const ERRORS_MAX: usize = 5;

/// The engine, as records name it; the manifest pins it.
const ENGINE: &str = "yara-x 1.22.1";

/// Stack of the thread that compiles; bytes. Expressions nest as deep as somebody likes.
const STACK_BYTES: usize = 64 << 20;

/// Rules that are ready to be run.
pub struct YaraRules {
    rules: &'static Rules,
    /// Tells scanners for these rules from those for others.
    number: u64,
    files: u64,
    count: u64,
    left_out: LeftOut,
    seconds: u64,
    digest: [u8; 32],
}

impl std::fmt::Debug for YaraRules {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "YaraRules({})", self.count)
    }
}

thread_local! {
    /// The scanner of this thread, and the number of its rules.
    static SCANNER: RefCell<Option<(u64, Scanner<'static>)>> = const { RefCell::new(None) };
}

impl YaraRules {
    /// Compiles rules. `seconds` is how long they may take over one content, at least.
    ///
    /// # Errors
    /// When a file holds an error, or none holds a rule.
    pub fn compile(files: &[RuleText], seconds: u64) -> Result<Self, YaraError> {
        let work = || compile(files);
        let compiled = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
            let started = thread.spawn_scoped(scope, work);
            let gave_up = |why: &str| YaraError::Rules {
                errors: vec![format!("the engine gave up: {why}")],
                more: 0,
            };
            started
                .map_err(|error| gave_up(&error.to_string()))?
                .join()
                .map_err(|_| gave_up("a fault in it; find the file by halves, and leave it out"))?
        });
        let (rules, left_out) = compiled?;
        let count = rules.iter().len() as u64;
        if count == 0 {
            return Err(YaraError::Empty);
        }
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        Ok(Self {
            rules: Box::leak(Box::new(rules)),
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            files: files.len() as u64,
            count,
            left_out,
            seconds,
            digest: digest_of(files, seconds),
        })
    }

    /// What runs them.
    pub fn engine(&self) -> &str {
        ENGINE
    }

    /// Files that they were read from.
    pub fn files(&self) -> u64 {
        self.files
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Those that are not run.
    pub fn left_out(&self) -> &LeftOut {
        &self.left_out
    }

    /// How long they may take over one content, at least.
    pub fn timeout_seconds(&self) -> u64 {
        self.seconds
    }

    /// BLAKE3 of the files and of what bounds them.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// The rules that match a content, by file and name.
    ///
    /// # Errors
    /// When they could not be run to their end.
    pub fn matches(&self, bytes: &[u8]) -> Result<Vec<YaraMatch>, YaraFault> {
        // It is put back only when it did its work: one that stopped halfway is made anew.
        let kept = SCANNER.take().filter(|(number, _)| *number == self.number);
        let mut scanner = kept.map_or_else(|| self.scanner(), |(_, scanner)| scanner);
        let found = match scanner.scan(bytes) {
            Ok(found) => {
                let mut told: Vec<YaraMatch> = Vec::new();
                let mut rules: Vec<Rule> = found.matching_rules().collect();
                rules.sort_by_key(|rule| (rule.namespace(), rule.identifier()));
                let more = rules.len().saturating_sub(RULES_MAX);
                told.extend(rules.iter().take(RULES_MAX).map(match_of));
                if let Some(last) = told.last_mut() {
                    last.more_rules = more as u64;
                }
                Ok(told)
            }
            Err(ScanError::Timeout) => Err(YaraFault::Timeout(self.seconds)),
            Err(error) => Err(YaraFault::Engine(shown(error.to_string().as_bytes()))),
        };
        if found.is_ok() {
            SCANNER.set(Some((self.number, scanner)));
        }
        found
    }

    fn scanner(&self) -> Scanner<'static> {
        let mut scanner = Scanner::new(self.rules);
        // The engine counts beats of a second: the first of them may come at once.
        scanner.set_timeout(Duration::from_secs(self.seconds + 1));
        scanner.max_matches_per_pattern(MATCHES_MAX);
        scanner
    }
}

/// Compiles the files, each in its own namespace.
fn compile(files: &[RuleText]) -> Result<(Rules, LeftOut), YaraError> {
    let mut compiler = Compiler::new();
    compiler.enable_includes(false);
    // As YARA reads them, for which most rules were written.
    compiler.relaxed_re_syntax(true);
    compiler.switch_all_warnings(false);
    for module in LEFT_OUT {
        compiler.ignore_module(module);
    }
    for file in files {
        compiler.new_namespace(&file.namespace);
        let source = SourceCode::from(file.bytes.as_slice()).with_origin(&file.path);
        // All errors are told together, at the end.
        let _ = compiler.add_source(source);
    }
    let all = compiler.errors();
    if !all.is_empty() {
        return Err(YaraError::Rules {
            errors: all.iter().take(ERRORS_MAX).map(line_of).collect(),
            more: all.len().saturating_sub(ERRORS_MAX),
        });
    }
    let left_out = left_out(&compiler);
    Ok((compiler.build(), left_out))
}

/// The rules that are not run, by the module that they, or a rule that they name, ask for.
fn left_out(compiler: &Compiler) -> LeftOut {
    let mut left_out: LeftOut = BTreeMap::new();
    for (rule, reason) in compiler.ignored_rules() {
        let why = match reason {
            yara_x::IgnoredRuleReason::IgnoredModule(module) => format!("the module {module}"),
            yara_x::IgnoredRuleReason::IgnoredRule(other) => {
                format!("the rule {}, which is not run", shown(other.as_bytes()))
            }
            yara_x::IgnoredRuleReason::CompileError(error) => line_of(error),
        };
        left_out
            .entry(why)
            .or_default()
            .push(shown(rule.as_bytes()));
    }
    left_out
}

/// An error in one line: file, line, column, what is wrong.
fn line_of(error: &yara_x::errors::CompileError) -> String {
    let report = serde_json::to_value(error).unwrap_or_default();
    let label = report["labels"]
        .as_array()
        .and_then(|labels| labels.iter().find(|label| label["level"] == "error"));
    let text = |value: &serde_json::Value| shown(value.as_str().unwrap_or_default().as_bytes());
    let number = |value: &serde_json::Value| value.as_u64().unwrap_or_default();
    let file = label.map(|label| text(&label["code_origin"]));
    let said = label.map(|label| text(&label["text"]));
    let said = said.filter(|said| !said.is_empty());
    format!(
        "{}:{}:{}: {}{}",
        file.unwrap_or_default(),
        number(&report["line"]),
        number(&report["column"]),
        text(&report["title"]),
        said.map(|said| format!(": {said}")).unwrap_or_default(),
    )
}

fn digest_of(files: &[RuleText], seconds: u64) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(ENGINE.as_bytes());
    for number in [seconds, MATCHES_MAX as u64, RULES_MAX as u64] {
        hasher.update(&number.to_le_bytes());
    }
    for file in files {
        for part in [file.namespace.as_bytes(), &file.bytes] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    *hasher.finalize().as_bytes()
}

fn match_of(rule: &Rule) -> YaraMatch {
    let found: Vec<YaraPattern> = rule
        .patterns()
        .map(|pattern| {
            let places = pattern.matches();
            YaraPattern {
                id: shown(pattern.identifier().as_bytes()),
                places: places.len() as u64,
                at: pattern
                    .matches()
                    .take(PLACES_MAX)
                    .map(|one| [one.range().start as u64, one.range().len() as u64])
                    .collect(),
            }
        })
        .filter(|pattern| pattern.places > 0)
        .collect();
    let more_patterns = found.len().saturating_sub(PATTERNS_MAX) as u64;
    let mut meta = BTreeMap::new();
    for (key, value) in rule.metadata().take(META_MAX) {
        let value = match value {
            MetaValue::Integer(value) => value.to_string(),
            MetaValue::Float(value) => value.to_string(),
            MetaValue::Bool(value) => value.to_string(),
            MetaValue::String(value) => shown(value.as_bytes()),
            MetaValue::Bytes(value) => shown(value),
        };
        meta.entry(shown(key.as_bytes())).or_insert(value);
    }
    YaraMatch {
        rule: shown(rule.identifier().as_bytes()),
        namespace: rule.namespace().to_owned(),
        tags: rule
            .tags()
            .take(TAGS_MAX)
            .map(|tag| shown(tag.identifier().as_bytes()))
            .collect(),
        meta,
        patterns: found.into_iter().take(PATTERNS_MAX).collect(),
        more_patterns,
        more_rules: 0,
    }
}
