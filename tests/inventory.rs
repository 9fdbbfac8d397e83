//! The inventory, held against labels that a person made by reading the sources (`fixtures/inventory/labels.tsv`, which
//! says what was taken for an item and how its rows are read; `blind.tsv`, which the rules were not made by).
//!
//! Precision is the share of what is told that is right, of the kinds that are labelled without gaps in a source; recall
//! the share of the labels that are told. Both are printed for each kind, with what was missed and what was wrong, and
//! have to stay above the floor of the kind.
//!
//! The packages are those of `fixtures/packages.tsv`, got by `fixtures/fetch.py`; without them this says so and passes,
//! unless STRANDLINE_REQUIRE_PACKAGES=1.

mod common;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Read as _;

use common::{fixtures, packages_folder, scan, scratch, skipped, text, write_all};
use strandline::exposure::ItemFact;
use strandline::exposure::inventory::items_of;

/// What precision and recall of each kind may not fall below, in percent.
const FLOORS: &[(&str, f64, f64)] = &[
    ("command", 85.0, 85.0),
    ("email", 95.0, 95.0),
    ("env", 95.0, 95.0),
    ("flag", 85.0, 85.0),
    ("host", 95.0, 95.0),
    ("import", 95.0, 95.0),
    ("model", 85.0, 85.0),
    ("option", 85.0, 85.0),
    ("prompt", 85.0, 85.0),
    ("route", 95.0, 90.0),
    ("telemetry", 85.0, 85.0),
    ("todo", 95.0, 95.0),
    ("tool", 85.0, 85.0),
];

/// Labels without which the figures mean little.
const LABELS_MIN: usize = 600;

/// The tarball that holds a package.
const PACKAGES: [(&str, &str); 9] = [
    ("@posthog/wizard", "posthog-wizard-2.37.0.tgz"),
    ("miniflare", "miniflare-4.20260426.0.tgz"),
    ("highlight.js", "highlight.js-11.12.0.tgz"),
    ("langchain", "langchain-0.2.20.tgz"),
    ("@atlaskit/renderer", "atlaskit-renderer-136.1.2.tgz"),
    (
        "@google/gemini-cli-core",
        "google-gemini-cli-core-0.61.0.tgz",
    ),
    ("unleash-server", "unleash-server-7.5.1.tgz"),
    (
        "@browserbasehq/stagehand",
        "browserbasehq-stagehand-2.5.9.tgz",
    ),
    ("autoevals", "autoevals-0.0.132.tgz"),
];

/// The same of the labels that were kept blind: nothing was mended after they were held against what is told.
const BLIND_FLOORS: &[(&str, f64, f64)] = &[("flag", 85.0, 85.0), ("prompt", 85.0, 85.0)];

/// Blind labels without which their figures mean little.
const BLIND_LABELS_MIN: usize = 70;

/// Labels by package and source.
type Labelled = BTreeMap<(String, String), Labels>;

/// What is labelled in one source.
#[derive(Default)]
struct Labels {
    complete: BTreeSet<String>,
    /// Kind, value, line.
    required: Vec<(String, String, u64)>,
    /// Kind, value or `*`.
    optional: Vec<(String, String)>,
}

#[test]
fn the_inventory_agrees_with_who_read_the_sources() {
    let labels = read_labels("labels.tsv");
    let blind = read_labels("blind.tsv");
    for (count, least) in [
        (required(&labels), LABELS_MIN),
        (required(&blind), BLIND_LABELS_MIN),
    ] {
        assert!(count >= least, "{count} labels");
    }
    let mut sources: HashMap<&str, HashMap<String, Vec<u8>>> = HashMap::new();
    for (package, file) in PACKAGES {
        let Some(read) = sources_of(file) else {
            return skipped(
                "the labelled inventory",
                &format!("{file} is not there; run `python3 fixtures/fetch.py`"),
                "STRANDLINE_REQUIRE_PACKAGES",
            );
        };
        sources.insert(package, read);
    }
    hold("read while the rules were made", &labels, &sources, FLOORS);
    hold("kept blind", &blind, &sources, BLIND_FLOORS);
}

fn required(labels: &Labelled) -> usize {
    labels.values().map(|labels| labels.required.len()).sum()
}

/// Holds what is told against labels, prints the figures and checks the floors.
fn hold(
    what: &str,
    labels: &Labelled,
    sources: &HashMap<&str, HashMap<String, Vec<u8>>>,
    floors: &[(&str, f64, f64)],
) {
    let mut tally: BTreeMap<String, Tally> = BTreeMap::new();
    for ((package, source), labels) in labels {
        let bytes = sources[package.as_str()]
            .get(source)
            .unwrap_or_else(|| panic!("{package} has no source {source}"));
        judge(source, labels, &items_of(bytes), &mut tally);
    }
    eprintln!("labels {what}:");
    print(&tally);
    for (kind, precision, recall) in floors {
        let tally = &tally[*kind];
        assert!(
            tally.precision() >= *precision && tally.recall() >= *recall,
            "{kind}: precision {:.1} (floor {precision}), recall {:.1} (floor {recall})\n{}",
            tally.precision(),
            tally.recall(),
            tally.faults.join("\n")
        );
    }
}

#[test]
fn a_word_that_many_names_share_may_be_a_code_name() {
    let folder = scratch();
    let switches = ["session", "voice", "offline", "prompt"];
    let mut code: String = switches
        .iter()
        .map(|name| format!("if (statsig.checkGate('heron_{name}')) start();\n"))
        .collect();
    code += "const level = process.env.HERON_LOG_LEVEL;\n";
    // A word of the trade, and the name of the package: neither is a code name, however many share it.
    for name in switches {
        code += &format!(
            "if (process.env.SESSION_{0} || process.env.QUOKKA_{0}) start();\n",
            name.to_uppercase()
        );
        code += &format!(
            "if (statsig.checkGate('session_{name}') || statsig.checkGate('quokka_{name}')) start();\n"
        );
    }
    write_all(
        folder.path(),
        &[
            (
                "in/package.json",
                br#"{"name": "quokka", "version": "1.0.0"}"#.as_slice(),
            ),
            ("in/src/a.ts", code.as_bytes()),
        ],
    );
    let records = scan(0, [folder.path().join("in")]);
    let found: BTreeSet<(&str, &str)> = records
        .all("item")
        .filter(|item| text(item, "kind") == "code-name-like")
        .map(|item| (text(item, "value"), text(item, "detail")))
        .collect();
    let expected = [
        ("heron", "env HERON_LOG_LEVEL"),
        ("heron", "flag heron_offline"),
        ("heron", "flag heron_prompt"),
        ("heron", "flag heron_session"),
        ("heron", "flag heron_voice"),
    ];
    assert_eq!(found, expected.into());
}

#[test]
fn words_of_the_users_own_are_found_in_everybodys_code() {
    let folder = scratch();
    let wide: Vec<u8> = "\u{feff}for Globex"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    write_all(
        folder.path(),
        &[
            (
                "in/src/a.ts",
                b"const a = 1;\nconst b = 'GLOBEX-eu';\n".as_slice(),
            ),
            ("in/node_modules/left/index.js", b"// made for globex\n"),
            ("in/wide.txt", &wide),
            ("in/none.txt", b"glo bex\n"),
            ("words.txt", b"# customers\nGlobex\n"),
        ],
    );
    let at = |name: &str| folder.path().join(name).into_os_string();
    let found = |arguments: Vec<std::ffi::OsString>| -> Vec<String> {
        let records = scan(0, arguments);
        let terms = records.all("item").filter(|item| item["kind"] == "term");
        let mut told: Vec<String> = terms
            .map(|item| {
                format!(
                    "{}:{} {}",
                    text(item, "locator"),
                    item["line"],
                    text(item, "value")
                )
            })
            .collect();
        told.sort();
        told
    };
    assert_eq!(
        found(vec![at("in"), "--terms".into(), at("words.txt")]),
        [
            "in/node_modules/left/index.js:1 Globex",
            "in/src/a.ts:2 Globex",
            "in/wide.txt:1 Globex",
        ]
    );
    assert!(found(vec![at("in")]).is_empty());
}

/// The labels of a file by package and source.
fn read_labels(file: &str) -> Labelled {
    let text = std::fs::read_to_string(fixtures().join("inventory").join(file)).unwrap();
    let mut all = Labelled::new();
    let rows = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    for row in rows {
        let [package, source, kind, value, line] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("not five columns: {row}");
        };
        let value = &value.replace("\\n", "\n");
        let labels = all
            .entry((package.to_owned(), source.to_owned()))
            .or_default();
        match kind.strip_prefix('~') {
            _ if kind == "complete" => {
                labels.complete = value.split(',').map(str::to_owned).collect()
            }
            Some(kind) => labels.optional.push((kind.to_owned(), value.to_owned())),
            None => {
                labels
                    .required
                    .push((kind.to_owned(), value.to_owned(), line.parse().unwrap()))
            }
        }
    }
    all
}

/// Every text of a package: sources of its maps by their names without leading `../`, and scripts by their paths.
/// `None` where the tarball is not there.
fn sources_of(file: &str) -> Option<HashMap<String, Vec<u8>>> {
    let packed = std::fs::File::open(packages_folder().join(file)).ok()?;
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed));
    let mut sources = HashMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        if path.ends_with(".js") {
            sources.entry(path).or_insert(bytes);
        } else if path.ends_with(".map") {
            add_sources(&bytes, &mut sources);
        }
    }
    Some(sources)
}

fn add_sources(map: &[u8], sources: &mut HashMap<String, Vec<u8>>) {
    if memchr::memmem::find(map, b"sourcesContent").is_none() {
        return;
    }
    let Ok(map) = serde_json::from_slice::<serde_json::Value>(map) else {
        return;
    };
    let list = |key: &str| map[key].as_array().cloned().unwrap_or_default();
    for (name, content) in list("sources").iter().zip(list("sourcesContent")) {
        let (Some(name), Some(content)) = (name.as_str(), content.as_str()) else {
            continue;
        };
        if !name.contains("node_modules") {
            let name = name.trim_start_matches("../").to_owned();
            sources
                .entry(name)
                .or_insert_with(|| content.as_bytes().to_vec());
        }
    }
}

/// What came out for one kind.
#[derive(Default)]
struct Tally {
    labels: usize,
    found: usize,
    right: usize,
    wrong: usize,
    faults: Vec<String>,
}

impl Tally {
    fn precision(&self) -> f64 {
        100.0 * self.right as f64 / (self.right + self.wrong).max(1) as f64
    }

    fn recall(&self) -> f64 {
        100.0 * self.found as f64 / self.labels.max(1) as f64
    }
}

/// Holds what is told of one source against its labels.
fn judge(source: &str, labels: &Labels, items: &[ItemFact], tally: &mut BTreeMap<String, Tally>) {
    for (kind, value, line) in &labels.required {
        let tally = tally.entry(kind.clone()).or_default();
        tally.labels += 1;
        let mut of_kind = items.iter().filter(|item| item.kind == *kind);
        if of_kind.any(|item| is_meant(kind, value, *line, item)) {
            tally.found += 1;
        } else {
            tally
                .faults
                .push(format!("  missed {kind} {value:?} {source}:{line}"));
        }
    }
    for item in items
        .iter()
        .filter(|item| labels.complete.contains(&item.kind))
    {
        let mut required = labels
            .required
            .iter()
            .filter(|(kind, ..)| *kind == item.kind);
        let is_right = required.any(|(kind, value, line)| is_meant(kind, value, *line, item));
        let value = plain(&item.kind, &item.value);
        let mut optional = labels
            .optional
            .iter()
            .filter(|(kind, _)| *kind == item.kind);
        let is_optional = optional.any(|(kind, allowed)| {
            allowed == "*"
                || *allowed == value
                || (kind == "prompt" && begins_with(&value, allowed))
        });
        let tally = tally.entry(item.kind.clone()).or_default();
        if is_right {
            tally.right += 1;
        } else if !is_optional {
            tally.wrong += 1;
            let fault = format!(
                "  wrong {} {:?} {source}:{}",
                item.kind, item.value, item.line
            );
            tally.faults.push(fault);
        }
    }
}

/// Whether an item is what a label means: remarks by their line, prompts by how they begin, all else by value.
fn is_meant(kind: &str, value: &str, line: u64, item: &ItemFact) -> bool {
    match kind {
        "todo" => item.line == line,
        "prompt" => begins_with(&item.value, value),
        _ => plain(kind, &item.value) == value,
    }
}

/// Whether a prompt begins so, white space apart.
fn begins_with(text: &str, beginning: &str) -> bool {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    words(text).starts_with(&words(beginning))
}

/// A value without what labels leave out.
fn plain(kind: &str, value: &str) -> String {
    match kind {
        "command" => value
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned(),
        "option" => value.trim_start_matches('-').to_owned(),
        "host" => value.to_ascii_lowercase(),
        _ => value.to_owned(),
    }
}

fn print(tally: &BTreeMap<String, Tally>) {
    eprintln!("kind        labels  found  right  wrong  precision  recall");
    for (kind, tally) in tally {
        eprintln!(
            "{kind:<10} {:>7} {:>6} {:>6} {:>6} {:>9.1} {:>8.1}",
            tally.labels,
            tally.found,
            tally.right,
            tally.wrong,
            tally.precision(),
            tally.recall()
        );
    }
    for fault in tally.values().flat_map(|tally| &tally.faults) {
        eprintln!("{fault}");
    }
}
