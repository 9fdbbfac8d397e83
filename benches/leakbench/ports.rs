//! Ports: which work a whole package is suspected to be a port of.
//!
//! Positives are the packages of class `port`. Foreign are those of `foreign-folder` and `foreign-dist`, the sources of every
//! signed work held against the other works, and the folders that stand in those given with `--foreign`.

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use strandline::signature::ported::{BAR, Echoes, Originals, Ported};

use super::{Row, Works, contents};

/// A package that is held against all works.
struct Place {
    name: String,
    class: String,
    /// The work that it is a port of.
    of: Option<String>,
    /// The work that it is, which it is not held against.
    itself: Option<String>,
    path: PathBuf,
}

/// The best work for a place, and what it makes of it.
struct Best {
    work: String,
    ported: Ported,
}

/// Prints the best work of each place, and the figures.
pub fn tell(dir: &Path, rows: &[Row], works: &Works, foreign: &[PathBuf]) {
    let places = places(dir, rows, works, foreign);
    let mut found: Vec<(&Place, Option<Best>)> = places
        .par_iter()
        .map(|place| (place, best_of(place, works)))
        .collect();
    let score = |(_, best): &(_, Option<Best>)| best.as_ref().map_or(0.0, |best| best.ported.score);
    found.sort_by(|a, b| score(b).total_cmp(&score(a)));
    println!("class           score  original  target  place -> work");
    for (place, best) in &found {
        let Some(Best { work, ported }) = best else {
            continue;
        };
        if place.of.is_some() || ported.score >= 0.5 * BAR {
            println!(
                "{:<14} {:>6.3}    {:.3}    {:.3}  {} -> {work}{}",
                place.class,
                ported.score,
                ported.of_original,
                ported.of_target,
                place.name,
                if place.of.as_ref().is_some_and(|of| of != work) {
                    "  WRONG"
                } else {
                    ""
                }
            );
        }
    }
    let (ports, others): (Vec<_>, Vec<_>) = found.iter().partition(|(place, _)| place.of.is_some());
    let is_first = |(place, best): &&&(&Place, Option<Best>)| {
        best.as_ref().map(|best| &best.work) == place.of.as_ref()
    };
    let is_suspected = |(_, best): &&&(&Place, Option<Best>)| {
        best.as_ref().is_some_and(|best| best.ported.is_suspected())
    };
    let first = ports.iter().filter(is_first);
    println!(
        "ports: {} of {} first, {} of them suspected",
        first.clone().count(),
        ports.len(),
        first.filter(is_suspected).count()
    );
    let mut classes: Vec<&str> = others
        .iter()
        .map(|(place, _)| place.class.as_str())
        .collect();
    classes.sort_unstable();
    classes.dedup();
    for class in classes {
        let of_class = others.iter().filter(|(place, _)| place.class == class);
        println!(
            "{class}: {} of {} suspected",
            of_class.clone().filter(is_suspected).count(),
            of_class.count()
        );
    }
    let suspected = others.iter().filter(is_suspected).count();
    println!(
        "foreign: {suspected} of {} suspected, {:.2} %",
        others.len(),
        100.0 * suspected as f64 / others.len().max(1) as f64
    );
}

fn places(dir: &Path, rows: &[Row], works: &Works, foreign: &[PathBuf]) -> Vec<Place> {
    let of_rows = rows
        .iter()
        .filter(|row| {
            matches!(
                row.class.as_str(),
                "port" | "foreign-folder" | "foreign-dist"
            )
        })
        .map(|row| Place {
            name: row.target.clone(),
            class: row.class.clone(),
            of: row.truth.first().map(|truth| truth.package.clone()),
            itself: None,
            path: dir.join(&row.target),
        });
    let of_works = works.packages.iter().map(|package| Place {
        name: package.clone(),
        class: "work".to_owned(),
        of: None,
        itself: Some(package.clone()),
        path: dir.join("sources").join(package),
    });
    let below = foreign
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok());
    let mut of_folders: Vec<PathBuf> = below
        .flat_map(|entries| entries.filter_map(Result::ok))
        .filter_map(|entry| fs::canonicalize(entry.path()).ok())
        .filter(|path| path.is_dir())
        .collect();
    of_folders.sort();
    let of_folders = of_folders.into_iter().map(|path| Place {
        name: path.display().to_string(),
        class: "foreign".to_owned(),
        of: None,
        itself: None,
        path,
    });
    of_rows.chain(of_works).chain(of_folders).collect()
}

/// Content by content, as a scan would; digests are not asked, since no content of these is a file of a work.
fn best_of(place: &Place, works: &Works) -> Option<Best> {
    let mut echoes = Echoes::default();
    for content in contents(&place.path) {
        for echo in works.group.lookup_with_echoes(&[0; 32], &content).1 {
            echoes.add(&echo);
        }
    }
    let judged = echoes.judge(works.group.sets(), &mut Originals::default());
    let best = judged
        .into_iter()
        .filter_map(|ported| {
            let work = works.packages.get(ported.set)?.clone();
            (place.itself.as_ref() != Some(&work)).then_some(Best { work, ported })
        })
        .max_by(|a, b| a.ported.score.total_cmp(&b.ported.score));
    best.filter(|best| best.ported.score > 0.0)
}
