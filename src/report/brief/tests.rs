use super::*;
use crate::case::{Case, Notice, NoticeEvent, NoticeState};
use crate::report::review::deadlines::Deadlines;
use crate::report::sample;

fn today() -> Day {
    Day::parse("2026-04-20").unwrap()
}

/// A case without records, and many notices.
fn facts(notices: usize, hosts: usize) -> Facts {
    let case = Case::in_memory().unwrap();
    for number in 0..notices {
        let id = format!("n{number}");
        let host = match hosts {
            1 => "github".to_owned(),
            hosts => format!("{}-{}.example", "long-name".repeat(8), number % hosts),
        };
        case.add_notice(&Notice {
            id: id.clone(),
            host,
            network: None,
            drafted: "2026-04-01T00:00:00Z".to_owned(),
            actor: "r".to_owned(),
            folder: "out".to_owned(),
            sha256: String::new(),
            rows: vec![format!("c{number}")],
            overrides: vec!["in spite of ".repeat(90)],
            follows: None,
        })
        .unwrap();
        for state in [NoticeState::Sent, NoticeState::Ticket, NoticeState::Counter] {
            case.add_notice_event(&NoticeEvent {
                notice: id.clone(),
                state,
                date: "2026-04-02".to_owned(),
                actor: "r".to_owned(),
                time: "2026-04-02T00:00:00Z".to_owned(),
                reference: Some("4711".repeat(50)),
                note: None,
            })
            .unwrap();
        }
    }
    Facts::read(&case, &Deadlines::builtin().unwrap(), today()).unwrap()
}

fn made(model: &Model, facts: &Facts, kind: BriefKind) -> Brief {
    let contacts = Contacts::default();
    let ground = Ground {
        model,
        facts,
        contacts: &contacts,
        today: today(),
    };
    Brief::make(kind, None, &ground).unwrap()
}

fn whole(brief: &Brief) -> String {
    let parts = brief.text.parts.iter();
    parts
        .map(|part| format!("## {}\n{}\n", part.title, part.text))
        .collect()
}

#[test]
fn each_template_is_rendered_of_nothing_of_an_incident_and_of_what_is_hostile() {
    for kind in BriefKind::ALL {
        for records in [Vec::new(), sample::incident(), sample::hostile()] {
            let model = Model::build(records);
            let brief = made(&model, &facts(3, 1), kind);
            let page = brief.html().unwrap();
            assert!(!page.contains("<script") && !page.contains('\u{202e}'));
            assert!(brief.text.parts.len() >= 6);
            assert_eq!(brief.docx(), made(&model, &facts(3, 1), kind).docx());
        }
    }
}

#[test]
fn figures_are_those_of_the_report() {
    let model = Model::build(sample::incident());
    let text = whole(&made(&model, &facts(2, 1), BriefKind::Executive));
    let own = model.sources.places.own();
    for words in [
        format!(
            "{} of our own code",
            crate::report::text::plural(own, "file", "files")
        ),
        format!("Highest: {} of 4", model.verdict.level),
        format!(
            "in {} places that were examined",
            model.copies.examined_total
        ),
        "GitHub: 2 notices for 2 places; 2 sent, 2 given a number, 2 countered.".to_owned(),
        "OVERDUE by 2026-04-16 (n0, us): tell the host that a suit was filed".to_owned(),
    ] {
        assert!(text.contains(&words), "{words}\n{text}");
    }
    let text = whole(&made(&model, &facts(2, 1), BriefKind::Counsel));
    for words in [
        "Owner: [copyright holder]. Registration: [registration number, or: none]",
        "[marking, to be filled in by counsel]",
        "n1, GitHub, 1 place: drafted 2026-04-01, sent 2026-04-02",
        "DRAFTED IN SPITE OF: in spite of",
        "Sealed as evidence before: not yet",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
}

#[test]
fn the_page_of_executives_names_no_place() {
    let model = Model::build(sample::incident());
    let text = whole(&made(&model, &facts(2, 1), BriefKind::Executive));
    for row in model.copies.copies.rows.iter() {
        for told in [Some(&row.locator), row.url.as_ref(), row.host.as_ref()] {
            assert!(
                told.is_none_or(|told| !text.contains(told)),
                "{told:?}\n{text}"
            );
        }
    }
    assert!(!text.contains("!/"), "{text}");
}

#[test]
fn lists_have_an_end_and_say_so() {
    let model = Model::build(sample::hostile());
    let facts = facts(400, 40);
    for kind in BriefKind::ALL {
        let text = whole(&made(&model, &facts, kind));
        assert!(text.len() < 9_000, "{}: {}", kind.as_str(), text.len());
        let more = match kind {
            BriefKind::Counsel => "and 397 further notices",
            BriefKind::Executive => "and 37 further hosts",
        };
        assert!(text.contains(more), "{text}");
    }
}

#[test]
fn a_slip_in_a_template_is_told_by_its_line() {
    let model = Model::build(Vec::new());
    let facts = Facts::default();
    let contacts = Contacts::default();
    let ground = Ground {
        model: &model,
        facts: &facts,
        contacts: &contacts,
        today: today(),
    };
    let fails = |template: &str| {
        let made = Brief::make(BriefKind::Counsel, Some(template), &ground);
        made.unwrap_err().to_string()
    };
    let error = fails("{# c #}\n## A\nx\n## B\n{{ leak.own_flies }}\n");
    assert!(error.contains("counsel.txt, line 5"), "{error}");
    assert!(error.contains("leak.own_files"), "{error}");
    assert!(fails("Text.\n## A\nx\n").contains("before its first section"));
    let brief = Brief::make(BriefKind::Counsel, Some("## A\n{{ today }}\n"), &ground).unwrap();
    assert_eq!(whole(&brief), "## A\n2026-04-20\n");
}
