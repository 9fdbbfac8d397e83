//! `strandline case scope` and `strandline case sample`: what may be said of all places, and which to examine next.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::{CliError, Exit, custody};
use crate::blob::digest::hex;
use crate::blob::locator::{shown, shown_json};
use crate::case::{Case, Draw, Handled};
use crate::copies::scope::{Place, Places, Scope, per_cent};
use crate::copies::{draw, odds};
use crate::exposure::Location;
use crate::record::Record;
use crate::report::export::csv::cell;
use crate::report::scope_rows;
use crate::report::text::grouped;

/// Share of the work from which on a place holds it.
pub(super) const THRESHOLD: f64 = 0.98;
/// Confidence of bounds, and of what is said of a draw before it was examined.
const CONFIDENCE: f64 = 0.95;

/// Say how many of the listed places were examined, what they hold, and what that supports for the rest
#[derive(Debug, Args)]
pub struct ScopeArgs {
    /// The case
    case: PathBuf,
    /// Share of the work, by bytes of its first-party files, from which on a place holds it
    #[arg(long, value_name = "SHARE", default_value_t = THRESHOLD, value_parser = parse_share)]
    threshold: f64,
    /// Only places of this fork network
    #[arg(long, value_name = "URL")]
    network: Option<String>,
    /// Confidence of bounds
    #[arg(long, value_name = "SHARE", default_value_t = CONFIDENCE, value_parser = parse_confidence)]
    confidence: f64,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

/// Draw at random which of the listed places to examine next, and write the draw down in the case
#[derive(Debug, Args)]
pub struct SampleArgs {
    /// The case
    case: PathBuf,
    /// How many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    n: u64,
    /// What chance is begun with; the same seed draws the same places
    #[arg(long, value_name = "S")]
    seed: u64,
    /// Only from this fork network
    #[arg(long, value_name = "URL")]
    network: Option<String>,
}

/// A share of a work.
pub(super) fn parse_share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok();
    share
        .filter(|share| *share > 0.0 && *share <= 1.0)
        .ok_or_else(|| "give a share above 0 and up to 1, such as 0.98".to_owned())
}

fn parse_confidence(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok();
    share
        .filter(|share| *share >= 0.5 && *share < 1.0)
        .ok_or_else(|| "give a share from 0.5 to below 1, such as 0.95".to_owned())
}

/// The network as it is compared and written down.
fn network_of(asked: Option<&str>) -> Option<String> {
    asked.and_then(Location::read).map(|network| network.shown)
}

fn places_of(case: &Case) -> Result<Places, CliError> {
    let mut places = Places::default();
    case.records_of(
        &["origin", "examined", "copy", "suspect"],
        |record: Record| {
            places.add(record);
            Ok::<_, CliError>(())
        },
    )?;
    Ok(places)
}

/// The account of all places, as `case scope` gives it with this share from which on a place holds the work.
pub fn account(case: &Case, threshold: f64) -> Result<Scope, CliError> {
    let places = places_of(case)?;
    Ok(places.scope(None, threshold, CONFIDENCE, &case.draws()?))
}

/// Runs `case scope`.
pub fn scope(args: &ScopeArgs) -> Result<Exit, CliError> {
    let case = Case::open(&args.case)?;
    let places = places_of(&case)?;
    let network = network_of(args.network.as_deref());
    if let Some(network) = network
        .as_deref()
        .filter(|network| places.count(Some(network)) == 0)
    {
        return Err(CliError::new(format!(
            "no listed place belongs to the network {network}; `case scope` without --network names them"
        )));
    }
    let draws = case.draws()?;
    let scope = places.scope(network.as_deref(), args.threshold, args.confidence, &draws);
    let info = case.info()?;
    if args.json {
        let text = serde_json::to_string_pretty(&scope)
            .map_err(|error| CliError::new(error.to_string()))?;
        let lines: String = text
            .lines()
            .map(|line| shown_json(line).into_owned() + "\n")
            .collect();
        std::io::stdout().write_all(lines.as_bytes())?;
    } else {
        std::io::stdout().write_all(text_of(&scope).as_bytes())?;
    }
    let is_complete = info.ledger.as_ref().is_some_and(|ledger| ledger.complete);
    if is_complete && !info.unfinished {
        return Ok(Exit::Clean);
    }
    eprintln!(
        "strandline: not everything was read, so a place may hold more of the work than is said here; `case info` says what"
    );
    Ok(Exit::Incomplete)
}

fn text_of(scope: &Scope) -> String {
    let mut text = String::new();
    for row in scope_rows(scope) {
        let _ = writeln!(text, "{:<13}{}", row.head, shown(&row.said));
    }
    let _ = writeln!(
        text,
        "\n{}\n{}",
        shown(&scope.sentence),
        shown(&scope.verdict)
    );
    text
}

/// Runs `case sample`.
pub fn sample(args: &SampleArgs) -> Result<Exit, CliError> {
    let case = Case::open(&args.case)?;
    let places = places_of(&case)?;
    let network = network_of(args.network.as_deref());
    let listed = places.count(network.as_deref());
    if listed == 0 {
        return Err(CliError::new(match &network {
            Some(network) => format!("no listed place belongs to the network {network}"),
            None => "this case holds no list of places; scan again with --origins".to_owned(),
        }));
    }
    let rest = places.not_examined(network.as_deref());
    let drawn = draw::draw(&rest, args.n, args.seed);
    let list = places.digest(network.as_deref());
    if !drawn.is_empty() {
        let keys: BTreeSet<String> = drawn.iter().map(|key| (*key).to_owned()).collect();
        write_down(
            &case,
            args,
            network.as_ref(),
            &list,
            rest.len() as u64,
            keys,
        )?;
    }
    let mut out = String::from("url,parent,host,path\r\n");
    for place in drawn.iter().filter_map(|key| rest.get(key)) {
        out.push_str(&row_of(place));
    }
    std::io::stdout().write_all(out.as_bytes())?;
    eprintln!(
        "strandline: {}",
        enough_line(listed, rest.len() as u64, drawn.len() as u64)
    );
    Ok(Exit::Clean)
}

fn row_of(place: &Place) -> String {
    let has_address = place.path.is_none();
    let cells = [
        has_address.then_some(place.url.as_str()),
        place.parent.as_deref(),
        place.host.as_deref(),
        place.path.as_deref(),
    ];
    let cells = cells.map(|text| text.map_or(String::new(), cell));
    format!("{}\r\n", cells.join(","))
}

/// Writes the draw into the case before anybody sees it, and who made it into the custody log.
fn write_down(
    case: &Case,
    args: &SampleArgs,
    network: Option<&String>,
    list: &str,
    from: u64,
    drawn: BTreeSet<String>,
) -> Result<(), CliError> {
    let of_network = network.map_or(String::new(), |network| format!(" --network {network}"));
    let command = format!(
        "case sample --n {} --seed {}{of_network}",
        args.n, args.seed
    );
    let mut deed = custody::deed(&command);
    deed.inputs.push(Handled {
        what: format!("{from} places not examined, of a list with BLAKE3 {list}"),
        sha256: None,
    });
    let mut digest = blake3::Hasher::new();
    for key in &drawn {
        digest.update(key.as_bytes());
        digest.update(b"\n");
    }
    deed.outputs.push(Handled {
        what: format!(
            "{} places drawn, sorted, one a line, with BLAKE3 {}",
            drawn.len(),
            hex(digest.finalize().as_bytes())
        ),
        sha256: None,
    });
    case.add_custody(deed)?;
    case.add_draw(Draw {
        seed: args.seed,
        n: args.n,
        network: network.cloned(),
        list: list.to_owned(),
        from,
        drawn,
    })?;
    Ok(())
}

fn enough_line(listed: u64, rest: u64, drawn: u64) -> String {
    if rest == 0 {
        return format!(
            "all {} listed places were examined; there is nothing to draw",
            grouped(listed)
        );
    }
    let at_most = odds::misses_at_most(0, drawn, rest, CONFIDENCE);
    let need = |rate| {
        (
            odds::enough_of(rest, rate, CONFIDENCE),
            odds::enough(rate, CONFIDENCE),
        )
    };
    let ((five, five_of_any), (one, one_of_any)) = (need(0.05), need(0.01));
    format!(
        "{} drawn of {} not examined; if all of them hold the work, at most {} of the other {} do not ({} confidence). For less than 5 % that do not, {} of these {} suffice ({} of any number); for less than 1 %, {} ({}). The draw is written down in the case",
        grouped(drawn),
        grouped(rest),
        grouped(at_most),
        grouped(rest - drawn),
        per_cent(CONFIDENCE),
        grouped(five),
        grouped(rest),
        five_of_any,
        grouped(one),
        one_of_any
    )
}
