//! `strandline report --original`: pages that show copies beside their original, line by line.
//!
//! A case holds no text, so a report of it has none either. Who has the original, and still has what was scanned, gets the
//! lines from there: both are read again, as `compare --case` reads them, and nothing is shown of a copy that changed since.
//! The report's figures stay those of the case. So a page is made only where comparing again comes to what the case says, and
//! the signs on it are those of the case.
//!
//! There may be thousands of copies, and nobody reads thousands of pages. Those with the worst signs come first, then those
//! with most lines of their own; how many have no page is said.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::compare::again;
use super::compare::read::{Place, Reader};
use super::output::OutputFolder;
use super::{CliError, pipeline};
use crate::blob::locator::shown;
use crate::case::{Case, CopyPlace};
use crate::copies::delta::{Base, Delta, Verdicts};
use crate::copies::records;
use crate::record::{Comparison, Record, Severity, Sign};
use crate::report::{BesidePage, MAX_HTML_BYTES, SideBySide, SideMissed, SidePage};
use crate::scan::input;

/// Copies that have a page.
const PAGES_MAX: usize = 40;

/// A copy that is to have a page.
struct Target {
    of_case: CopyPlace,
    place: Place,
    /// What the case says of it.
    whole: Comparison,
    signs: Vec<Sign>,
}

/// What is to be shown, chosen before the wall is up.
pub struct Beside {
    original: Place,
    lines: usize,
    targets: Vec<Target>,
    same: u64,
    more: u64,
}

impl Beside {
    /// Chooses the copies of `case` that are shown beside `original`, with at most so many lines of each file.
    pub fn choose(
        case: &Case,
        file: &Path,
        original: &Path,
        lines: usize,
        one_file_system: bool,
    ) -> Result<Self, CliError> {
        let root = input::look_at(&[original.to_path_buf()], None, false)?.remove(0);
        let original = Place {
            file: root.path,
            label: root.label,
            one_file_system,
            ..Place::default()
        };
        let mut compared = comparisons(case)?;
        if compared.is_empty() {
            return Err(CliError::new(
                "the case holds no comparison to show; run `strandline compare ORIGINAL --case CASE` first, and again after each scan that reads anything",
            ));
        }
        let worst = signs_by_root(case)?;
        let (mut same, mut ranked) = (0, Vec::new());
        for of_case in case.copy_places(true)? {
            let Some(whole) = compared.remove(&of_case.locator) else {
                continue;
            };
            let (severity, signs) = worst.get(&of_case.locator).copied().unwrap_or_default();
            if signs == 0 && whole.bytes_outside == 0 && whole.files.reformatted == 0 {
                same += 1;
                continue;
            }
            let rank = (
                Reverse(severity),
                Reverse(signs),
                Reverse(whole.lines_outside),
                of_case.locator.clone(),
            );
            ranked.push((rank, of_case, whole));
        }
        ranked.sort_by(|(a, ..), (b, ..)| a.cmp(b));
        let more = ranked.len().saturating_sub(PAGES_MAX) as u64;
        ranked.truncate(PAGES_MAX);
        let target = |(_, of_case, whole)| Target {
            place: again::place_of(&of_case, file, one_file_system),
            of_case,
            whole,
            signs: Vec::new(),
        };
        let mut targets: Vec<Target> = ranked.into_iter().map(target).collect();
        take_signs(case, &mut targets)?;
        Ok(Self {
            original,
            lines,
            targets,
            same,
            more,
        })
    }

    /// What has to be read.
    pub fn reads(&self) -> impl Iterator<Item = &PathBuf> {
        let copies = self.targets.iter().map(|target| &target.place.file);
        copies.chain([&self.original.file])
    }

    /// Reads original and copies, and writes a page for each copy into the folder.
    pub fn write(
        self,
        case: &Case,
        reader: &Reader,
        folder: &OutputFolder,
    ) -> Result<SideBySide, CliError> {
        let original = reader.read(&self.original, None)?.reading;
        let held = again::held_of(&original);
        let (base, verdicts) = (Base::of(&original.tree), Verdicts::default());
        let mut out = SideBySide {
            original: self.original.label.clone(),
            lines: self.lines,
            same: self.same,
            more: self.more,
            ..SideBySide::default()
        };
        for (number, target) in (1..).zip(&self.targets) {
            let root = target.of_case.locator.clone();
            let mut missed = |why: String| {
                eprintln!("strandline: {}", shown(&format!("{root}: {why}")));
                let root = root.clone();
                out.missed.push(SideMissed { root, why });
            };
            let read = match again::read(reader, case, &target.of_case, &target.place, &held)? {
                Ok(read) => read.reading,
                Err(problem) => {
                    missed(format!("{}: {}", problem.code, problem.detail));
                    continue;
                }
            };
            let delta = reader.install(|| base.against(&read.tree, &verdicts));
            let label = self.original.label.as_str();
            let now = records::of((label, &original), &read, &delta, &[]);
            if !now.iter().any(|record| is_as_before(record, &target.whole)) {
                missed("comparing it again comes to something else than the case says, so that its lines are not shown; is this the original that it was compared with?".to_owned());
                continue;
            }
            let Some(page) = self.page(target, &delta)? else {
                missed(format!(
                    "its page would be larger than {MAX_HTML_BYTES} bytes; use `compare --diff`"
                ));
                continue;
            };
            let name = format!("beside-{number:03}.html");
            folder.write(&name, page.as_bytes())?;
            out.pages.push(SidePage {
                file: name,
                signs: target.signs.len() as u64,
                worst: target.signs.iter().map(|sign| sign.severity).max(),
                lines_outside: target.whole.lines_outside,
                bytes_outside: target.whole.bytes_outside,
                root: target.of_case.locator.clone(),
            });
        }
        Ok(out)
    }

    /// The page of one copy, with fewer lines where it would be too large; `None` where it is too large all the same.
    fn page(&self, target: &Target, delta: &Delta) -> Result<Option<String>, CliError> {
        for lines in [self.lines, self.lines / 4, 1] {
            let mut page = BesidePage::new(&self.original.label, lines);
            page.add(&target.whole, target.signs.clone(), delta);
            let page = page.render(pipeline::version())?;
            if page.len() <= MAX_HTML_BYTES {
                return Ok(Some(page));
            }
        }
        Ok(None)
    }
}

/// Whether a comparison comes to what the case says: under whatever name the original is given now, and apart from signs,
/// which hang on the profile and the date that were given then.
fn is_as_before(now: &Record, before: &Comparison) -> bool {
    let Record::Comparison(now) = now else {
        return false;
    };
    let now = Comparison {
        original: before.original.clone(),
        signs: before.signs.clone(),
        ..(**now).clone()
    };
    now == *before
}

/// What the case says of each copy that was compared.
fn comparisons(case: &Case) -> Result<HashMap<String, Comparison>, CliError> {
    let mut compared = HashMap::new();
    case.records_of(&["comparison"], |record| {
        if let Record::Comparison(whole) = record {
            compared.insert(whole.locator.clone(), *whole);
        }
        Ok::<_, CliError>(())
    })?;
    Ok(compared)
}

/// The worst sign of each copy, and how many it has.
fn signs_by_root(case: &Case) -> Result<HashMap<String, (Option<Severity>, u64)>, CliError> {
    let mut worst: HashMap<String, (Option<Severity>, u64)> = HashMap::new();
    case.records_of(&["sign"], |record| {
        if let Record::Sign(sign) = record {
            let (severity, signs) = worst.entry(sign.root).or_default();
            *severity = (*severity).max(Some(sign.severity));
            *signs += 1;
        }
        Ok::<_, CliError>(())
    })?;
    Ok(worst)
}

/// Gives each chosen copy its signs.
fn take_signs(case: &Case, targets: &mut [Target]) -> Result<(), CliError> {
    let mut by_root: BTreeMap<String, &mut Vec<Sign>> = targets
        .iter_mut()
        .map(|target| (target.of_case.locator.clone(), &mut target.signs))
        .collect();
    case.records_of(&["sign"], |record| {
        if let Record::Sign(sign) = record
            && let Some(signs) = by_root.get_mut(&sign.root)
        {
            signs.push(*sign);
        }
        Ok::<_, CliError>(())
    })
}
