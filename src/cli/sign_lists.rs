//! `strandline sign --from`: a set of what lists by other programs name.
//!
//! Nothing is known of the files but what the lists say, and what was made of them says so. Left out is what a tree's own
//! signing leaves out, as far as a list can tell: what lies among dependencies by its path, and what is too short to be
//! anybody's by its length. Licence texts, generated files and containers cannot be told, and are in the set.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::output::NewFile;
use super::sign::SignArgs;
use super::signer::TEXT_MIN;
use super::{CliError, Exit, pipeline, wall, warn_of};
use crate::blob::locator::shown;
use crate::exposure::{Organisation, party_of};
use crate::record::Party;
use crate::report::text::{grouped, plural, size};
use crate::signature::lists::{self, List, Listed};
use crate::signature::{Built, Key, Options, PartyFlag, names_path};

/// What is left out, and how often.
type LeftOut = BTreeMap<&'static str, u64>;

/// Runs the command.
pub fn run(args: &SignArgs) -> Result<Exit, CliError> {
    let organisation = pipeline::load_organisation(args.org.as_ref())?;
    let key = args.key.as_deref().map(Key::read).transpose()?;
    pipeline::warn_if_in_work_tree(&args.output, &args.common);
    let options = Options {
        public: args.public,
        baseline: args.baseline,
        for_third_parties: false,
        compact: false,
        key,
    };
    let sources: Vec<Box<dyn Read>> = args
        .from
        .iter()
        .map(|path| open(path))
        .collect::<Result<_, _>>()?;
    let names_path = names_path(&args.output);
    let (set, names) = (
        NewFile::create(&args.output)?,
        NewFile::create(&names_path)?,
    );
    // The lists are open already: nothing needs to be opened behind the wall.
    let wall = args.common.raise(&wall::Wall::around::<&Path>([]));
    warn_of(&wall, &args.common);
    let mut files = Vec::new();
    let mut left_out = LeftOut::new();
    let mut lost = 0;
    for (path, source) in args.from.iter().zip(sources) {
        let list = lists::read(source)
            .map_err(|error| CliError::new(format!("{}: {error}", path.display())))?;
        say(path, &list, args);
        lost += list.not_understood.0;
        if list.not_contents > 0 {
            *left_out.entry(NOT_CONTENTS).or_insert(0) += list.not_contents;
        }
        for file in list.files {
            match taken(&file, args, organisation.as_ref()) {
                Ok(party) => files.push((file, party)),
                Err(reason) => *left_out.entry(reason).or_insert(0) += 1,
            }
        }
    }
    let kind = files.first().map_or("", |(file, _)| file.digest.kind());
    let lengths = files
        .iter()
        .filter(|(file, _)| file.bytes.is_some())
        .count();
    if files.is_empty() {
        return Err(CliError::new(
            "nothing in the lists can be signed, so no set was written: what they name is empty, too short, or third party",
        ));
    }
    let built = lists::build(&args.work, &args.release, options, files)?;
    set.fill(|file| Ok(file.write_all(&built.set_bytes)?))?;
    names.fill(|file| Ok(file.write_all(&built.names)?))?;
    if !args.common.quiet {
        print_summary(args, &built, kind, lengths, &left_out);
        println!("set         {}", args.output.display());
        println!("names       {} (keep it private)", names_path.display());
    }
    if lost == 0 {
        return Ok(Exit::Clean);
    }
    eprintln!("strandline: not every line was understood, so the set may lack files");
    Ok(Exit::Incomplete)
}

const NOT_CONTENTS: &str = "SWHID of a folder, revision, release or snapshot, which names no file";

fn open(path: &Path) -> Result<Box<dyn Read>, CliError> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(std::io::stdin()));
    }
    let file = File::open(path).map_err(|error| {
        CliError::new(format!("cannot open the list {}: {error}", path.display()))
    })?;
    Ok(Box::new(file))
}

/// Says what a list is, and which lines of it are lost.
fn say(path: &Path, list: &List, args: &SignArgs) {
    if !args.common.quiet {
        println!(
            "list        {}: {}, {}",
            shown(&path.to_string_lossy()),
            list.kind.name(),
            plural(list.files.len() as u64, "file", "files")
        );
    }
    let (count, first) = &list.not_understood;
    if *count > 0 {
        let first: Vec<String> = first.iter().map(u64::to_string).collect();
        eprintln!(
            "strandline: {}: {} not understood, such as line {}",
            shown(&path.to_string_lossy()),
            plural(*count, "line", "lines"),
            first.join(", ")
        );
    }
}

/// Whose a listed file is as far as its path tells, or why it is left out.
fn taken(
    file: &Listed,
    args: &SignArgs,
    organisation: Option<&Organisation>,
) -> Result<PartyFlag, &'static str> {
    let is_short = file.bytes.is_some_and(|bytes| bytes < TEXT_MIN as u64);
    if is_short || file.digest.is_of_nothing() {
        return Err("too short to be anybody's");
    }
    match party_of(&file.path, None, organisation, false).party {
        Party::Third if !args.public && !args.baseline => Err("third party, by its path"),
        Party::Third => Ok(PartyFlag::Third),
        Party::First => Ok(PartyFlag::First),
        Party::Unknown => Ok(PartyFlag::Unknown),
    }
}

/// Says what was signed and what is not known of it.
fn print_summary(args: &SignArgs, built: &Built, kind: &str, lengths: usize, left_out: &LeftOut) {
    let summary = &built.summary;
    println!(
        "signed      {} of {} {} by {kind}, from lists: the set finds equal bytes and nothing else",
        plural(u64::from(summary.files), "file", "files"),
        shown(&args.work),
        shown(&args.release),
    );
    println!(
        "not known   lines and licences; lengths of {}; whose a file is, beyond what its path says",
        match (summary.files as usize).saturating_sub(lengths) {
            0 => "none".to_owned(),
            unknown => plural(unknown as u64, "file", "files"),
        }
    );
    for (reason, count) in left_out {
        println!("left out    {} {reason}", grouped(*count));
    }
    println!("size        {}", size(built.set_bytes.len() as u64));
}
