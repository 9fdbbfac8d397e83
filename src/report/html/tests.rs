//! The page: complete without script, inert whatever the input says.

use super::super::sample;
use super::super::text::is_invisible;
use super::*;
use crate::record::{Certainty, Party, Record, Severity};

fn page(records: Vec<Record>) -> String {
    render_html(&Model::build(records)).unwrap()
}

fn assert_inert(page: &str) {
    for tag in page
        .split('<')
        .skip(1)
        .filter_map(|rest| rest.split('>').next())
    {
        let name = tag
            .trim_start_matches('/')
            .split_whitespace()
            .next()
            .unwrap_or("");
        let active = [
            "script", "img", "iframe", "link", "object", "embed", "base", "form", "use", "image",
        ];
        assert!(!active.contains(&name.to_lowercase().as_str()), "<{tag}>");
        // Outside of quotes stand the names of attributes, and nothing from an input.
        for names in tag.split('"').step_by(2) {
            for name in names.split_whitespace().skip_while(|word| *word == name) {
                let event =
                    name.starts_with("on") || name.starts_with("src") || name.starts_with("style=");
                assert!(!event, "<{tag}>");
            }
        }
        if let Some((_, link)) = tag.split_once("href=\"") {
            assert!(link.starts_with('#'), "<{tag}>");
        }
    }
    // Only line breaks, and those only from templates.
    let hidden: Vec<char> = page
        .chars()
        .filter(|&c| c != '\n' && is_invisible(c))
        .collect();
    assert!(hidden.is_empty(), "{hidden:?}");
}

/// Opening and closing tags of the page match: nothing hostile broke out, no template forgot an end.
fn assert_balanced(page: &str) {
    const VOID: [&str; 3] = ["meta", "!doctype", "br"];
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        let tag = &rest[at + 1..];
        let end = tag.find('>').expect("a tag that ends");
        let body = &tag[..end];
        rest = &tag[end + 1..];
        if let Some(name) = body.strip_prefix('/') {
            assert_eq!(
                open.pop(),
                Some(name),
                "before {}",
                rest.chars().take(80).collect::<String>()
            );
        } else if !body.ends_with('/') {
            let name = body.split_whitespace().next().unwrap_or("");
            if !VOID.contains(&name.to_lowercase().as_str()) {
                open.push(name);
            }
        }
        if body == "style" {
            rest = &rest[rest.find("</style>").expect("the style ends")..];
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn hostile_strings_are_inert_and_visible() {
    let page = page(sample::hostile());
    assert_inert(&page);
    assert_balanced(&page);
    assert!(page.contains("[U+202E]gpj.exe[U+0000][U+001B][31m[U+200B]"));
    assert!(page.contains("&#60;script&#62;alert(1)"));
}

#[test]
fn the_page_has_its_parts_in_order() {
    let page = page(sample::incident());
    assert_inert(&page);
    assert_balanced(&page);
    assert!(page.starts_with("<!DOCTYPE html>"));
    assert!(page.contains("<html lang=\"en\">"));
    assert!(page.contains("default-src 'none'; style-src 'unsafe-inline'; img-src data:"));
    let order = [
        "<h1",
        "id=\"h-verdict\"",
        "id=\"h-packages\"",
        "id=\"h-severity\"",
        "id=\"h-actions\"",
        "id=\"h-timeline\"",
        "id=\"h-sources\"",
        "id=\"h-treemap\"",
        "id=\"h-exposures\"",
        "id=\"exposures-critical\"",
        "id=\"exposures-info\"",
        "id=\"h-rotation\"",
        "id=\"h-inventory\"",
        "id=\"h-copies\"",
        "id=\"h-references\"",
        "id=\"h-coverage\"",
        "id=\"h-problems\"",
        "id=\"h-method\"",
        "id=\"h-words\"",
    ];
    let mut from = 0;
    for part in order {
        let at = page[from..]
            .find(part)
            .unwrap_or_else(|| panic!("{part} is missing or out of order"));
        from += at;
    }
    assert_eq!(page.matches("<h1").count(), 1);
    // Each link leads somewhere in the page.
    for link in page.split("href=\"#").skip(1) {
        let id = &link[..link.find('"').unwrap()];
        assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
    }
}

#[test]
fn tables_are_accessible() {
    let page = page(sample::incident());
    assert_eq!(
        page.matches("<table").count(),
        page.matches("<caption").count()
    );
    assert!(
        page.split("<th")
            .skip(1)
            .all(|th| th.starts_with("ead") || th.starts_with(" scope="))
    );
    for label in page.split("aria-labelledby=\"").skip(1) {
        for id in label[..label.find('"').unwrap()].split(' ') {
            assert_eq!(page.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
        }
    }
    // Severity is a word wherever it is a colour.
    for tag in page.split("<span class=\"sev ").skip(1) {
        let (class, text) = tag.split_once("\">").unwrap();
        assert!(text.starts_with(class), "{tag:.40}");
    }
}

#[test]
fn the_treemap_and_its_table_show_the_same() {
    let model = Model::build(sample::incident());
    let cells = cells(&model.sources.treemap);
    assert!(cells.len() > 15, "{}", cells.len());
    let mut sum = Counts::default();
    for cell in &cells {
        sum.add(&cell.counts);
    }
    assert_eq!(sum, model.sources.places);
    let area: f64 = cells.iter().map(|cell| cell.at.area()).sum();
    assert!((area - FIELD.area()).abs() < 1.0);
    for cell in &cells {
        let expected = FIELD.area() * cell.counts.bytes as f64 / sum.bytes as f64;
        assert!((cell.at.area() - expected).abs() < 1e-3, "{}", cell.name);
    }
    let page = render_html(&model).unwrap();
    let drawn = cells.iter().filter(|cell| cell.at.area() > 0.0).count();
    assert_eq!(page.matches("<svg x=").count(), drawn);
}

#[test]
fn labels_keep_to_their_cells() {
    let at = |w, h| Rect {
        x: 0.0,
        y: 0.0,
        w,
        h,
    };
    assert_eq!(label(7, "src/utils", at(20.0, 100.0)), "");
    assert_eq!(label(7, "src/utils", at(100.0, 12.0)), "");
    assert_eq!(label(7, "src/utils", at(30.0, 40.0)), "7");
    assert_eq!(label(7, "src/utils", at(300.0, 40.0)), "7 src/utils");
    assert_eq!(
        label(7, "src/services/analytics", at(130.0, 40.0)),
        "7 …/analytics"
    );
    assert_eq!(
        label(7, "src/services/analytics", at(220.0, 40.0)),
        "7 …/services/analytics"
    );
    assert_eq!(label(7, "abcdefghijklmnopqrst", at(80.0, 40.0)), "7 …qrst");
}

#[test]
fn an_incomplete_run_says_so_wherever_something_is_absent() {
    let records = vec![
        Record::from(sample::run()),
        Record::from(sample::partial_ledger()),
    ];
    let page = page(records);
    assert!(page.contains("Not complete"));
    assert!(page.matches("Not yet supportable").count() >= 4);
    assert!(!page.contains("was found. Scope"));
}

#[test]
fn nothing_at_all_still_makes_a_page() {
    let page = page(Vec::new());
    assert_balanced(&page);
    assert!(page.contains("without a ledger"));
}

#[test]
fn a_hundred_thousand_sources_fit() {
    let many = (0..100_000_u64).map(|i| {
        let map = format!("{:02}.tgz!/package/cli.js.map", i % 70);
        let url = format!(
            "src/area{}/part{}/{}/file{i}.ts",
            i % 90,
            i % 17,
            "long-name".repeat(8)
        );
        Record::from(sample::source(&map, &url, i % 30_000, Party::First, i / 2))
    });
    let model = Model::build(many);
    assert_eq!(model.sources.distinct.files, 50_000);
    assert_eq!(model.sources.carriers.total, 70);
    let page = render_html(&model).unwrap();
    assert!(page.len() < MAX_HTML_BYTES, "{}", page.len());
    assert!(page.contains("Showing 50 of 70"));
}

#[test]
fn hostile_lengths_cut_rows_and_not_the_page() {
    let long = "<\u{202E}".repeat(3_000);
    let many = (0..2_000_u64).flat_map(|i| {
        let at = format!("m/{i}/{long}");
        [
            Severity::Critical,
            Severity::High,
            Severity::Medium,
            Severity::Low,
            Severity::Info,
        ]
        .map(|severity| {
            Record::Exposure(sample::exposure(
                &long,
                severity,
                Certainty::Proven,
                &at,
                &long,
            ))
        })
    });
    let page = page(many.collect());
    assert!(page.len() <= MAX_HTML_BYTES, "{}", page.len());
    assert!(page.contains("of 2,000; the rest is in the records"));
    let model = Model::build(sample::incident());
    assert!(matches!(
        render_within(&model, 1_000),
        Err(ReportError::TooLarge { limit: 1_000, .. })
    ));
}

#[test]
fn the_page_is_the_same_each_time() {
    assert_eq!(page(sample::hostile()), page(sample::hostile()));
}

/// A hundred copies have folds for a hundred sheets: on paper the long ones stay closed, and say where their rows are.
#[test]
fn long_folds_are_not_printed_and_say_so() {
    use super::super::sample::copies::change;
    use crate::record::ChangeKind;
    let with = |changes: usize| {
        let changes = (0..changes).map(|number| {
            let path = format!("{number}.js");
            change("a", ChangeKind::Added, &path, 9).into()
        });
        let mut records = vec![Record::from(super::super::sample::run())];
        records.push(super::super::sample::copies::comparison("a", 3, 1).into());
        records.extend(changes);
        records.push(Record::from(super::super::sample::full_ledger()));
        let page = page(records);
        let at = page.find("Files added, changed or moved</span>").unwrap();
        let (before, after) = page.split_at(at);
        let fold = before.rfind("<details").unwrap();
        let is_long = before[fold..].starts_with("<details class=\"long\"");
        let end = after.find("</summary>").unwrap();
        (
            is_long,
            after[..end].contains("report.json beside this page"),
        )
    };
    assert_eq!(with(PRINTED_ROWS), (false, false));
    assert_eq!(with(PRINTED_ROWS + 1), (true, true));
    let style = include_str!("../templates/style.css");
    assert!(style.contains("details:not(.long)::details-content"));
}
