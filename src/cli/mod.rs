//! The command line: one file per command, and what they share.
//!
//! Results go to standard output, everything else to standard error. The flags below are the one place where
//! names, defaults and help stand; the man page and the completions are made from them.

/// A reader that had enough is no failure; what cannot be written otherwise is status 2.
macro_rules! println {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        if let Err(error) = writeln!(std::io::stdout().lock(), $($text)*)
            && error.kind() != std::io::ErrorKind::BrokenPipe
        {
            eprintln!("strandline: cannot write: {error}");
            std::process::exit(2);
        }
    }};
}

mod again;
mod authorship;
mod beside;
mod brief;
mod case;
mod case_diff;
mod compare;
mod custody;
mod explain;
mod export;
mod generate;
mod heap;
mod kept;
mod located;
mod notice;
mod notice_state;
mod origins;
mod output;
mod pipeline;
mod progress;
mod recover;
mod report;
mod reveal;
mod review;
mod rules;
mod scan;
mod scope;
mod seal;
mod sign;
mod sign_lists;
mod sign_secrets;
mod signer;
mod summary;
mod user_rules;
mod verify;
pub mod wall;
mod yara;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::blob::{Decoders, Limits};
use crate::container::codes;
use crate::record::{RunWall, Severity, WallState};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Finished, everything read, nothing at or above `--fail-on`.
    Clean = 0,
    /// Findings at or above `--fail-on`.
    Findings = 1,
    /// Could not run or could not write.
    Failed = 2,
    /// Something was not read in full.
    Incomplete = 3,
}

/// An error that ends a command, as it is shown.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct CliError {
    text: String,
    /// Standard output was closed by its reader.
    is_closed_pipe: bool,
}

impl CliError {
    fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_closed_pipe: false,
        }
    }

    /// Whether the reader of standard output had enough.
    fn is_closed_pipe(&self) -> bool {
        self.is_closed_pipe
    }

    fn write(path: &std::path::Path, error: &std::io::Error) -> Self {
        let advice = if error.kind() == std::io::ErrorKind::StorageFull {
            "; make room and run the same command again"
        } else {
            ""
        };
        Self::new(format!("cannot write {}: {error}{advice}", path.display()))
    }
}

macro_rules! shown_as_they_are {
    ($($error:ty),*) => {$(
        impl From<$error> for CliError {
            fn from(error: $error) -> Self {
                Self::new(error.to_string())
            }
        }
    )*};
}
shown_as_they_are!(
    crate::case::CaseError,
    crate::scan::input::InputError,
    crate::exposure::ProfileError,
    crate::case::ListError,
    crate::case::OriginsError,
    crate::signature::SetError,
    crate::signature::NamesError,
    crate::signature::KeyError,
    crate::signature::BuildError,
    crate::report::ReportError,
    crate::report::OverrideError,
    crate::report::ContainmentError,
    crate::report::claims::ClaimError,
    crate::report::notice::HostsError,
    crate::report::notice::ContactsError,
    crate::report::notice::TemplatesError,
    crate::report::since_previous::PreviousError
);

/// Of writing to standard output, or into a file that says itself which it is.
impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        Self {
            is_closed_pipe: error.kind() == std::io::ErrorKind::BrokenPipe,
            text: error.to_string(),
        }
    }
}

impl From<crate::report::export::ExportError> for CliError {
    fn from(error: crate::report::export::ExportError) -> Self {
        match error {
            crate::report::export::ExportError::Write(error) => error.into(),
            other => Self::new(other.to_string()),
        }
    }
}

/// Offline leak forensics: what is out, where it is, how bad it is, and the proof.
#[derive(Debug, Parser)]
#[command(name = "strandline", version, max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Scan(Box<scan::ScanArgs>),
    Recover(recover::RecoverArgs),
    Sign(sign::SignArgs),
    Compare(compare::CompareArgs),
    Explain(explain::ExplainArgs),
    Report(report::ReportArgs),
    Notice(Box<notice::NoticeArgs>),
    Seal(Box<seal::SealArgs>),
    Verify(Box<verify::VerifyArgs>),
    Case(case::CaseArgs),
    Rules(rules::RulesArgs),
    /// Print the JSON Schema of the records.
    Schema,
    Completions(generate::CompletionsArgs),
    /// Print the man page.
    Man,
}

/// Flags that every command which reads inputs has.
#[derive(Debug, Clone, Args)]
struct Common {
    /// Threads [default: one for each core]
    #[arg(long, value_name = "N", global = true, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Memory that content may take, such as 512M or 4G; larger content is streamed
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = parse_size)]
    memory: u64,
    /// Folder for containers that are packed within others and larger than may be held: they are unpacked to nameless
    /// files there, which are gone when they were read
    #[arg(long, value_name = "DIR", value_parser = parse_folder)]
    spill: Option<PathBuf>,
    /// Levels of containers within containers
    #[arg(long, value_name = "N", default_value_t = Limits::default().depth, value_parser = clap::value_parser!(u32).range(1..=i64::from(Limits::MAX_DEPTH)))]
    limit_depth: u32,
    /// Members of one container
    #[arg(long, value_name = "N", default_value_t = Limits::default().entries)]
    limit_entries: u64,
    /// Bytes that one container or input file may unfold to
    #[arg(long, value_name = "SIZE", default_value = "64G", value_parser = parse_size)]
    limit_bytes: u64,
    /// Bytes out for each byte in, beyond the first 256 MiB; each member counts as 512 bytes more
    #[arg(long, value_name = "N", default_value_t = Limits::default().ratio)]
    limit_ratio: u64,
    /// Undo deflate, zstd, xz and LZMA with memory-safe decoders instead of C libraries: slower, and the same
    /// records of what is whole
    #[arg(long)]
    safe_decoders: bool,
    /// Leave out what is mounted below the inputs; each is counted
    #[arg(long)]
    one_file_system: bool,
    /// Do without the wall that keeps the program to its inputs and outputs (Landlock and seccomp, on Linux)
    #[arg(long)]
    no_sandbox: bool,
    /// Print nothing but results and errors
    #[arg(long, short)]
    quiet: bool,
    /// Draw no progress bar
    #[arg(long)]
    no_progress: bool,
    /// Colours in the summary
    #[arg(long, value_enum, default_value_t = Colour::Auto)]
    color: Colour,
}

impl Common {
    fn limits(&self) -> Limits {
        Limits {
            depth: self.limit_depth,
            entries: self.limit_entries,
            bytes: self.limit_bytes,
            ratio: self.limit_ratio,
            memory: self.memory,
            above: 0,
            decoders: if self.safe_decoders {
                Decoders::Safe
            } else {
                Decoders::Fast
            },
        }
    }

    /// Raises the wall, where it is wanted.
    fn raise(&self, wall: &wall::Wall) -> RunWall {
        if self.no_sandbox {
            return wall::off("--no-sandbox");
        }
        // Who builds the first expression asks the system for its cores; behind the wall that would be denied.
        drop(regex::bytes::Regex::new("first"));
        wall.raise()
    }

    fn jobs(&self) -> usize {
        self.jobs.map_or_else(
            || std::thread::available_parallelism().map_or(1, usize::from),
            usize::from,
        )
    }
}

/// Says that the wall is not up, where no summary does.
fn warn_of(wall: &RunWall, common: &Common) {
    let is_missing = matches!(wall.state, WallState::Partly | WallState::Down);
    if is_missing && !common.quiet {
        eprintln!("strandline: the wall is {}", wall::line(wall));
    }
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Colour {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Colour {
    fn is_on(self) -> bool {
        match self {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => {
                std::io::IsTerminal::is_terminal(&std::io::stdout())
                    && std::env::var_os("NO_COLOR").is_none()
            }
        }
    }
}

/// Parses the path of a folder that is there.
fn parse_folder(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_dir() {
        Ok(path)
    } else {
        Err("it is no folder; name one that is there".to_owned())
    }
}

/// Parses `512M`, `4G`, `1000`: binary multiples.
fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit: u64 = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "" | "B" => 1,
        "K" | "KB" | "KIB" => 1 << 10,
        "M" | "MB" | "MIB" => 1 << 20,
        "G" | "GB" | "GIB" => 1 << 30,
        "T" | "TB" | "TIB" => 1 << 40,
        other => return Err(format!("unknown unit {other:?}; use K, M, G or T")),
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(|| format!("{text:?} is no size; give a number such as 512M"))
}

fn parse_severity(text: &str) -> Result<Severity, String> {
    serde_json::from_value(serde_json::Value::String(text.to_owned()))
        .map_err(|_| "use one of critical, high, medium, low, info".to_owned())
}

fn parse_code(text: &str) -> Result<String, String> {
    if codes::is_known(text) {
        return Ok(text.to_owned());
    }
    let nearest = codes::nearest(text);
    Err(format!(
        "no problem has this code; did you mean `{nearest}`?"
    ))
}

/// Runs the program and gives its exit status.
pub fn main() -> Exit {
    heap::give_back();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let failed = error.use_stderr();
            let _ = error.print();
            return if failed { Exit::Failed } else { Exit::Clean };
        }
    };
    match run(cli.command) {
        Ok(exit) => exit,
        // A reader that had enough is no failure of ours.
        Err(error) if error.is_closed_pipe() => Exit::Clean,
        Err(error) => {
            eprintln!("strandline: {}", crate::blob::locator::shown(&error.text));
            Exit::Failed
        }
    }
}

fn run(command: Command) -> Result<Exit, CliError> {
    match command {
        Command::Scan(args) => scan::run(&args),
        Command::Recover(args) => recover::run(&args),
        Command::Sign(args) => sign::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Notice(args) => notice::run(&args),
        Command::Seal(args) => seal::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Case(args) => case::run(args),
        Command::Rules(args) => rules::run(&args),
        Command::Schema => generate::schema(),
        Command::Completions(args) => generate::completions(&args),
        Command::Man => generate::man(),
    }
}

/// Reads the paths of inputs: those named, and those listed in a file (NUL- or line-separated).
fn input_paths(named: &[PathBuf], list: Option<&PathBuf>) -> Result<Vec<PathBuf>, CliError> {
    let mut paths = named.to_vec();
    if let Some(list) = list {
        let bytes = if list.as_os_str() == "-" {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut std::io::stdin(), &mut bytes)?;
            bytes
        } else {
            std::fs::read(list).map_err(|error| {
                CliError::new(format!("cannot read {}: {error}", list.display()))
            })?
        };
        let separator = if bytes.contains(&0) { 0 } else { b'\n' };
        paths.extend(
            bytes
                .split(|&byte| byte == separator)
                .filter(|path| !path.is_empty())
                .map(path_from_bytes),
        );
    }
    if paths.is_empty() {
        return Err(CliError::new(
            "no input: name a file or a folder, or give a list with --files-from",
        ));
    }
    Ok(paths)
}

#[cfg(unix)]
fn path_from_bytes(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
fn path_from_bytes(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn sizes_are_read() {
        assert_eq!(parse_size("512M"), Ok(512 << 20));
        assert_eq!(parse_size("7"), Ok(7));
        assert!(parse_size("1Q").is_err());
        assert!(parse_size("G").is_err());
        assert!(parse_size("99999999999T").is_err());
    }

    #[test]
    fn a_list_may_be_separated_by_nul_or_by_lines() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("list");
        std::fs::write(&list, b"a\nb\0c\0").unwrap();
        let paths = input_paths(&[], Some(&list)).unwrap();
        assert_eq!(paths, [PathBuf::from("a\nb"), PathBuf::from("c")]);
        std::fs::write(&list, b"a\nb\n").unwrap();
        let paths = input_paths(&["x".into()], Some(&list)).unwrap();
        assert_eq!(paths.len(), 3);
    }
}
