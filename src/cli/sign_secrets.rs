//! `strandline sign --secrets`: a set of live secrets, from a list of them.
//!
//! The list is the one thing here that must never be seen again: nothing of it is written but what the set holds, nothing
//! is said of a line but its number, and a list that others may read is warned of.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::output::NewFile;
use super::sign::SignArgs;
use super::{CliError, Exit, pipeline, wall, warn_of};
use crate::exposure::known::{self, Keying, List, SetKey};
use crate::report::text::{plural, size};
use crate::signature::Key;

/// A longer list is no list of secrets; bytes.
const LIST_MAX_BYTES: u64 = 256 << 20;

/// Lines of a list that are told of a kind; the rest is counted.
const LINES: usize = 50;

/// Runs the command. `list` is the path of the list, `-` is standard input.
pub fn run(args: &SignArgs, list: &Path) -> Result<Exit, CliError> {
    pipeline::warn_if_in_work_tree(&args.output, &args.common);
    let key = args.key.as_deref().map(Key::read).transpose()?;
    let keying = match key {
        Some(key) => Keying::Given(SetKey(key.derive(SetKey::CONTEXT))),
        None => Keying::drawn()
            .map_err(|error| CliError::new(format!("the system gives no random bytes: {error}")))?,
    };
    let source = open(list)?;
    let set = NewFile::create(&args.output)?;
    let wall = args.common.raise(&wall::Wall::around::<&Path>([]));
    warn_of(&wall, &args.common);
    let mut bytes = Vec::new();
    let fail = |error| CliError::new(format!("cannot read the list {}: {error}", list.display()));
    let mut source = source.take(LIST_MAX_BYTES + 1);
    source.read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 > LIST_MAX_BYTES {
        let most = size(LIST_MAX_BYTES);
        return Err(CliError::new(format!(
            "the list {} is larger than {most}; is this the right file?",
            list.display()
        )));
    }
    let list = List::parse(&bytes, keying.is_given());
    say(&list);
    let file = known::build(&list, &keying)
        .map_err(|error| CliError::new(format!("no set was made: {error}")))?;
    set.fill(|out| Ok(out.write_all(&file)?))?;
    if !args.common.quiet {
        print_summary(args, &list, file.len() as u64, keying.is_given());
    }
    if list.refused == 0 {
        return Ok(Exit::Clean);
    }
    eprintln!(
        "strandline: not every line is in the set, so a scan cannot say of all of them that they are absent"
    );
    Ok(Exit::Incomplete)
}

fn open(path: &Path) -> Result<Box<dyn Read>, CliError> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(std::io::stdin()));
    }
    let fail = |error| CliError::new(format!("cannot open the list {}: {error}", path.display()));
    let file = File::open(path).map_err(fail)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let mode = file.metadata().map_err(fail)?.mode();
        if mode & 0o077 != 0 {
            eprintln!(
                "strandline: warning: {} can be read by others on this machine; chmod 600 it",
                path.display()
            );
        }
    }
    Ok(Box::new(file))
}

/// Says what is to be said of lines, by their numbers.
fn say(list: &List) {
    for (line, remark) in list.remarks.iter().take(LINES) {
        eprintln!("strandline: line {line}: {remark}");
    }
    let more = list.remarks.len().saturating_sub(LINES) as u64;
    if more > 0 {
        let more = plural(more, "more remark", "more remarks");
        eprintln!("strandline: and {more} on other lines");
    }
}

fn print_summary(args: &SignArgs, list: &List, bytes: u64, is_keyed: bool) {
    let form = match list.form {
        known::list::Form::Dotenv => "assignments",
        known::list::Form::Lines => "lines",
    };
    println!(
        "taken       {}, from a list of {form}; {} refused",
        plural(list.secrets.len() as u64, "live secret", "live secrets"),
        plural(list.refused, "line", "lines")
    );
    if is_keyed {
        println!(
            "key         needed to look for them; without it the set tells names and lengths and nothing else"
        );
    } else {
        println!(
            "key         in the set: who has it can test whether a value is in it, and reads names and lengths; keep it private, or make it with --key"
        );
    }
    println!("size        {}", size(bytes));
    println!("set         {}", args.output.display());
}
