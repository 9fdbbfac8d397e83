//! `strandline explain`
//!
//! A match is a claim; this shows what it rests on. From the case alone come figures and ranges. With the original at hand the
//! content is read from the input once more, both sides are fingerprinted anew, and what they share is listed; an exhibit
//! shows the stretches side by side. Nothing is shown of an input that changed since the scan: it would be something else
//! than what was found. Bytes that the scan kept (`--keep-matched`) are those that it saw, whatever became of the input.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;

use super::again::Again;
use super::kept::open_kept;
use super::output::NewFile;
use super::pipeline;
use super::wall::Wall;
use super::{CliError, Common, Exit, warn_of};
use crate::blob::Sha256Digest;
use crate::blob::locator::{shown, unescape};
use crate::case::Case;
use crate::copies::form;
use crate::record::{Grade, Match, Record};
use crate::report::text::{grouped, percent};
use crate::report::{Side, definition, render_exhibit};
use crate::signature::prints::Tier;
use crate::signature::validation::Card;
use crate::signature::{SharedCount, shared, verdict};

/// Fingerprints that are listed for each tier; the rest is counted.
const LISTED: usize = 12;

/// Show why something is a match: ranges of both sides, and with the original the fingerprints that carry it.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The case
    #[arg(value_name = "CASE")]
    case: PathBuf,
    /// The match: its locator, or its number among the matches of `case export`, from 1
    #[arg(value_name = "MATCH")]
    found: String,
    /// The work, or the one file of it, as it was signed
    #[arg(long, value_name = "TREE")]
    original: Option<PathBuf>,
    /// The folder that the scan kept contents in (`scan --keep-matched`): what is there is shown from there, also when the
    /// input changed or is gone
    #[arg(long, value_name = "DIR", requires = "original")]
    kept: Option<PathBuf>,
    /// Write an exhibit: one page that can be printed, with both sides' lines beside each other
    #[arg(long, value_name = "FILE", requires = "original")]
    html: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

/// Runs the command.
pub fn run(args: &ExplainArgs) -> Result<Exit, CliError> {
    let case = Case::open(&args.case)?;
    let (number, found) = chosen(&case, &args.found)?;
    if found.grade == Grade::Ported && args.original.is_some() {
        return Err(CliError::new(
            "a suspected port speaks of a place and a work as wholes: no file of the one was held against a file of the other, so there is nothing to show beside each other; without --original its figures are shown",
        ));
    }
    let Some(tree) = &args.original else {
        print_match(number, &found);
        if found.grade != Grade::Ported {
            println!(
                "fingerprints  give the work with --original to see which ones both sides share"
            );
        }
        print_card(Card::builtin());
        return Ok(Exit::Clean);
    };
    let original = Original::open(&found, tree)?;
    let info = case.info()?;
    let run_version = info.run.map_or_else(String::new, |run| run.version);
    let at = case.unit_of_match(&found.locator)?;
    drop(case);
    let kept = match (&args.kept, &found.sha256) {
        (Some(folder), Some(sha256)) => open_kept(folder, sha256)?,
        _ => None,
    };
    let html = args.html.as_deref().map(NewFile::create).transpose()?;
    let is_kept = kept.is_some();
    let target = match (kept, at) {
        (Some(file), _) => read_kept(&found, file, &args.common)?,
        (None, Some(at)) => Again {
            locator: &found.locator,
            sha256: found.sha256.as_deref(),
            at: &at,
            input: None,
            advice: "scan again, or name with --kept the folder that the scan kept matches in",
        }
        .read(&args.common)?,
        (None, None) => {
            return Err(CliError::new(
                "the case does not say which input this match stands in",
            ));
        }
    };
    // Behind the wall, like all that comes from elsewhere.
    let original = original.read()?;
    check_original(&found, &original, &target)?;
    print_match(number, &found);
    println!("bytes         read from {}", place_of(is_kept));
    let (counts, list) = shared(&original, &target);
    for count in &counts {
        print_tier(&found, count, &list);
    }
    print_card(Card::builtin());
    if let (Some(html), Some(path)) = (html, &args.html) {
        let side = |name: &str, bytes, read_from| Side {
            name: name.to_owned(),
            sha256: Sha256Digest::of(bytes).hex(),
            bytes,
            read_from,
        };
        let left = side(&found.file, &original, "the file that was given");
        let right = side(&found.locator, &target, place_of(is_kept));
        let version = pipeline::version();
        let page = render_exhibit(&found, &left, &right, &counts, version, &run_version)?;
        html.fill(|file| Ok(file.write_all(page.as_bytes())?))?;
        println!("exhibit       {}", path.display());
    }
    Ok(Exit::Clean)
}

/// The match that is meant, and its number.
fn chosen(case: &Case, wanted: &str) -> Result<(u64, Match), CliError> {
    let number: Option<u64> = wanted.parse().ok();
    let (mut count, mut found) = (0_u64, Vec::new());
    case.records(|record| -> Result<(), CliError> {
        if let Record::Match(one) = record {
            count += 1;
            if number == Some(count) || one.locator == wanted {
                found.push((count, *one));
            }
        }
        Ok(())
    })?;
    if found.len() > 1 {
        for (number, one) in &found {
            let (file, grade) = (shown(&one.file), one.grade.as_str());
            eprintln!("{number}  {grade}  {} {file}", work_of(one));
        }
        return Err(CliError::new(
            "several matches stand there; give the number of the one that is meant",
        ));
    }
    found.pop().ok_or_else(|| {
        CliError::new(format!(
            "there is no match {wanted} in this case, which has {}; `case export` lists them",
            grouped(count)
        ))
    })
}

/// Work and release, whose names came with a set.
fn work_of(found: &Match) -> String {
    format!("{} {}", shown(&found.work), shown(&found.release))
}

/// A suspicion: what was put together of all contents of a place.
fn print_port(found: &Match) {
    println!("place         {}", shown(&found.locator));
    println!("work          {}", work_of(found));
    println!("grade         ported: {}", definition(found.grade));
    println!(
        "score         {:.4} (0.5 just suffices); a suspected port, no likelihood is given",
        found.score
    );
    println!(
        "shares        {} of the work's atoms, {} of those of the contents that echo it",
        percent(found.of_original),
        percent(found.of_target)
    );
}

fn print_match(number: u64, found: &Match) {
    println!("match         {} of the case", grouped(number));
    if found.grade == Grade::Ported {
        print_port(found);
        return;
    }
    println!("content       {}", shown(&found.locator));
    println!(
        "              SHA-256 {}",
        found
            .sha256
            .as_deref()
            .unwrap_or("unknown: its bytes were not read")
    );
    println!("original      {} of {}", shown(&found.file), work_of(found));
    println!(
        "grade         {}: {}",
        found.grade.as_str(),
        definition(found.grade)
    );
    if let Some(log10_p) = found.log10_p {
        println!(
            "score         {:.4} (0.5 just suffices), log10 p {log10_p:.1} of this pair alone, by {}",
            found.score,
            verdict::VERSION
        );
    }
    println!(
        "shares        {} of the original, {} of the content",
        percent(found.of_original),
        percent(found.of_target)
    );
    for range in &found.ranges {
        let [from, to] = range.original_lines;
        let [first, last] = range.target_lines;
        let [start, end] = range.target_bytes;
        println!(
            "range         lines {from} to {to} of the original: lines {first} to {last}, bytes {start} to {end} of the content"
        );
    }
    if found.ranges.is_empty() {
        println!("range         none: what agrees carries no places in the set");
    }
}

fn print_tier(found: &Match, count: &SharedCount, list: &[crate::signature::Shared]) {
    let carries = verdict::tiers_of(match found.grade {
        Grade::Excerpt => crate::signature::Grade::Excerpt,
        Grade::Derived | Grade::Ported => crate::signature::Grade::Derived,
        Grade::Exact | Grade::Normalized | Grade::Hinted => crate::signature::Grade::Exact,
    });
    let carries = if carries.contains(&count.tier) {
        ", carries the grade"
    } else {
        ""
    };
    println!(
        "fingerprints  {}: {} of {} of the original{carries}",
        count.tier.id(),
        grouped(count.shared as u64),
        grouped(count.original as u64)
    );
    let of_tier = || list.iter().filter(|one| one.tier == count.tier);
    // Single words stand wherever they stand; what says something of them is how many there are.
    let listed = if count.tier == Tier::Atoms { 0 } else { LISTED };
    for one in of_tier().take(listed) {
        let ([from, to], [first, last]) = (one.original_lines, one.target_lines);
        let [start, end] = one.target_bytes;
        println!(
            "              lines {from} to {to} of the original: lines {first} to {last}, bytes {start} to {end}"
        );
    }
    match of_tier().count().saturating_sub(listed) {
        0 => {}
        more => println!("              and {} more", grouped(more as u64)),
    }
}

/// Prints the validation card: how often the program gave each grade to what is no match.
fn print_card(card: &Card) {
    let state = if card.provisional {
        " PROVISIONAL: the counts are stand-ins, nothing was measured with this version yet"
    } else {
        ""
    };
    println!("validation    {}{state}", card.verdict);
    println!("              tiers {}", card.tiers.join(", "));
    println!(
        "              test set, by the SHA-256 of its list: {}",
        card.test_set
    );
    for (has_baseline, given) in [(true, "with a baseline"), (false, "without one")] {
        println!(
            "              {given}, of pairs that are none, and the 95 % interval of the rate:"
        );
        for row in &card.grades {
            let wrong = row.wrong(has_baseline);
            println!(
                "                {}: {} of {}; {}",
                row.grade.as_str(),
                grouped(wrong.false_pairs),
                grouped(row.pairs),
                wrong.interval_words()
            );
        }
    }
    for row in &card.apart {
        println!(
            "              {} by itself, on {}: {} of {}; {}",
            row.tier,
            row.of,
            grouped(row.wrong.false_pairs),
            grouped(row.pairs),
            row.wrong.interval_words()
        );
    }
    let others: Vec<&str> = card.not_measured().map(Grade::as_str).collect();
    if !others.is_empty() {
        println!("              not measured: {}", others.join(", "));
    }
}

/// The original: a file that was named, or the file of the match below a folder. Opened in front of the wall, read behind
/// it.
struct Original {
    file: File,
    path: PathBuf,
}

impl Original {
    fn open(found: &Match, tree: &Path) -> Result<Self, CliError> {
        let path = if tree.is_dir() {
            tree.join(path_below(found)?)
        } else {
            tree.to_path_buf()
        };
        let file = File::open(&path).map_err(|error| unreadable(&path, &error))?;
        Ok(Self { file, path })
    }

    fn read(mut self) -> Result<Vec<u8>, CliError> {
        let mut bytes = Vec::new();
        let read = self.file.read_to_end(&mut bytes);
        read.map_err(|error| unreadable(&self.path, &error))?;
        Ok(bytes)
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> CliError {
    CliError::new(format!("cannot read {}: {error}", path.display()))
}

/// Where the file of the match lies below the folder of its work.
fn path_below(found: &Match) -> Result<PathBuf, CliError> {
    let is_number = found.file.parse::<u32>().is_ok();
    let raw = unescape(&found.file).filter(|_| !is_number).ok_or_else(|| {
        CliError::new(format!(
            "the scan had no names of the set, so the original is known as file {} only; name the file itself with --original",
            found.file
        ))
    })?;
    let below = super::path_from_bytes(&raw);
    let is_plain = below
        .components()
        .all(|part| matches!(part, std::path::Component::Normal(_)));
    if is_plain {
        return Ok(below);
    }
    Err(CliError::new(format!(
        "{} is no path below a folder; name the file itself with --original",
        shown(&found.file)
    )))
}

/// Where the content was read for what is shown.
fn place_of(is_kept: bool) -> &'static str {
    if is_kept {
        "the folder in which the scan kept it"
    } else {
        "the input, once more"
    }
}

/// Reads the content of the match from where the scan kept it. An error where it is not what the scan found.
fn read_kept(found: &Match, mut file: File, common: &Common) -> Result<Vec<u8>, CliError> {
    warn_of(&common.raise(&Wall::around::<&Path>([])), common);
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    if found.sha256 == Some(Sha256Digest::of(&bytes).hex()) {
        return Ok(bytes);
    }
    Err(CliError::new(format!(
        "what was kept as {} is not the content of that name, so nothing is shown of it; without --kept the input is read again",
        found.sha256.as_deref().unwrap_or_default()
    )))
}

/// Whether the original that was given can be the one that was signed.
fn check_original(found: &Match, original: &[u8], target: &[u8]) -> Result<(), CliError> {
    let fits = match found.grade {
        Grade::Exact | Grade::Hinted => original == target,
        Grade::Normalized => form::is_same(original, target),
        Grade::Excerpt | Grade::Derived | Grade::Ported => {
            let (counts, _) = shared(original, target);
            counts.iter().any(|count| count.shared > 0)
        }
    };
    if fits {
        return Ok(());
    }
    Err(CliError::new(format!(
        "the original given is not the file {} that was signed: it does not agree as the case says",
        shown(&found.file)
    )))
}
