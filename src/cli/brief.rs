//! Briefs beside a report, and in a sealed folder where work product is wanted.
//!
//! They are made of the figures that were just written, so that page and report cannot differ. Files of the user's are read
//! before the wall is up.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::CliError;
use super::notice::{small_text, templates_of};
use super::notice_state::{no_clock, now, parse_day, read_deadlines};
use super::output::OutputFolder;
use super::seal::source_date;
use crate::case::Case;
use crate::report::Model;
use crate::report::brief::{Brief, BriefKind, Facts, Ground};
use crate::report::notice::Contacts;
use crate::report::review::calendar::Day;
use crate::report::review::deadlines::Deadlines;

/// Which briefs, and what they are made with.
#[derive(Debug, Default, Args)]
pub struct BriefArgs {
    /// Also write a brief of one printed page: `brief-counsel` or `brief-executive`, each as .html and .docx. It holds what people
    /// decided and sent too. Not in the public view
    #[arg(long = "brief", value_enum, value_delimiter = ',', value_name = "WHO")]
    briefs: Vec<BriefWord>,
    /// Who complains, for a brief: the file that `notice` takes. What it does not say stays a blank in brackets
    #[arg(long, value_name = "FILE", requires = "briefs")]
    contacts: Option<PathBuf>,
    /// Templates of briefs that stand in place of the program's: counsel.txt, executive.txt
    #[arg(long, value_name = "DIR", requires = "briefs")]
    templates: Option<PathBuf>,
    /// Deadlines to count by, instead of the program's own
    #[arg(long, value_name = "FILE", requires = "briefs")]
    deadlines: Option<PathBuf>,
    /// The day that dates in a brief are counted from, YYYY-MM-DD [default: today by the clock, UTC]
    #[arg(long, value_name = "DATE", value_parser = parse_day, requires = "briefs")]
    today: Option<Day>,
}

/// Who a brief is for, as it is written on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum BriefWord {
    /// Legal counsel
    Counsel,
    /// Those who decide
    Executive,
}

/// What was read for them.
pub struct Briefs {
    kinds: Vec<BriefKind>,
    contacts: Contacts,
    templates: BTreeMap<String, String>,
    deadlines: Deadlines,
    today: Day,
}

impl Briefs {
    /// Reads what the user gave; `None` where no brief is wanted.
    pub fn read(args: &BriefArgs) -> Result<Option<Self>, CliError> {
        let mut kinds: Vec<BriefKind> = args.briefs.iter().map(|word| word.kind()).collect();
        kinds.sort();
        kinds.dedup();
        if kinds.is_empty() {
            return Ok(None);
        }
        let contacts = match &args.contacts {
            None => Contacts::default(),
            Some(path) => Contacts::parse(&small_text(path)?)?,
        };
        let templates = match &args.templates {
            None => BTreeMap::new(),
            Some(folder) => known(templates_of(folder)?)?,
        };
        let today = match args.today {
            Some(today) => today,
            None => clock()?,
        };
        Ok(Some(Self {
            kinds,
            contacts,
            templates,
            deadlines: read_deadlines(args.deadlines.as_ref())?,
            today,
        }))
    }

    /// Both, as the program has them. Only the custody log of a sealed folder has clocks, so dates are counted from the last
    /// day that stands in it, or from that of SOURCE_DATE_EPOCH.
    pub fn of_case(case: &Case) -> Result<Self, CliError> {
        let custody = case.custody()?;
        let last = custody.entries.last().map(|(entry, _)| &entry.deed.time);
        let today = match (source_date()?, last) {
            (Some(time), _) => Day::parse(&time),
            (None, Some(time)) => Day::parse(time),
            (None, None) => case.info()?.run.and_then(|run| Day::parse(&run.started?)),
        };
        Ok(Self {
            kinds: BriefKind::ALL.to_vec(),
            contacts: Contacts::default(),
            templates: BTreeMap::new(),
            deadlines: read_deadlines(None)?,
            today: today.or_else(now).ok_or_else(no_clock)?,
        })
    }

    /// Writes them beside a report, or into a folder of their own.
    pub fn write(&self, case: &Case, folder: &OutputFolder, model: &Model) -> Result<(), CliError> {
        let facts = Facts::read(case, &self.deadlines, self.today)?;
        let ground = Ground {
            model,
            facts: &facts,
            contacts: &self.contacts,
            today: self.today,
        };
        for kind in &self.kinds {
            let template = self.templates.get(&kind.template()).map(String::as_str);
            let brief = Brief::make(*kind, template, &ground)?;
            let name = format!("brief-{}", kind.as_str());
            folder.write(&format!("{name}.html"), brief.html()?.as_bytes())?;
            folder.write(&format!("{name}.docx"), &brief.docx())?;
        }
        Ok(())
    }
}

impl BriefWord {
    fn kind(self) -> BriefKind {
        match self {
            BriefWord::Counsel => BriefKind::Counsel,
            BriefWord::Executive => BriefKind::Executive,
        }
    }
}

/// The day by SOURCE_DATE_EPOCH or by the clock.
fn clock() -> Result<Day, CliError> {
    let fixed = source_date()?.and_then(|time| Day::parse(&time));
    fixed.or_else(now).ok_or_else(no_clock)
}

/// Templates of briefs; a file of another name would do nothing.
fn known(templates: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, CliError> {
    let names = BriefKind::ALL.map(BriefKind::template);
    match templates.keys().find(|name| !names.contains(name)) {
        None => Ok(templates),
        Some(name) => Err(CliError::new(format!(
            "there is no brief with the template {name}; there are {}",
            names.join(" and ")
        ))),
    }
}
