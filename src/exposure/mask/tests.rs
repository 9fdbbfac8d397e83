use proptest::prelude::*;

use super::*;
use crate::exposure::Role;
use crate::exposure::secrets::examples::expand;
use crate::exposure::secrets::rule::{Redact, RuleSet};

fn made(template: &str) -> String {
    String::from_utf8(expand(template, "mask").unwrap()).unwrap()
}

/// The text with what is in it overwritten.
fn over(text: &str) -> String {
    let out = Masks::of(text.as_bytes())
        .over(text.as_bytes())
        .into_owned();
    assert_eq!(out.len(), text.len());
    String::from_utf8(out).unwrap()
}

#[test]
fn no_rule_finds_in_a_masked_text_what_its_examples_hold() {
    let mut seen = 0;
    for one in RuleSet::builtin().iter() {
        for (number, example) in one.rule.matches.iter().enumerate() {
            let text = expand(example, &format!("mask {number}")).unwrap();
            let masked = Masks::of(&text).over(&text).into_owned();
            assert_eq!(masked.len(), text.len());
            let ends = |text: &[u8]| {
                let ends = memchr::memchr2_iter(b'\n', b'\r', text);
                ends.collect::<Vec<_>>()
            };
            assert_eq!(ends(&masked), ends(&text), "{}", one.rule.id);
            for found in secrets::find(&text, Role::Own) {
                let rule = &RuleSet::builtin().get(&found.fact.rule).unwrap().rule;
                let value = found.value.bytes();
                let body = value.get(rule.prefix..).unwrap_or(value);
                if rule.redact == Redact::Whole || body.len() < 8 {
                    continue;
                }
                seen += 1;
                assert!(
                    memchr::memmem::find(&masked, body).is_none(),
                    "{}: {}",
                    rule.id,
                    example
                );
            }
            for found in secrets::find(&masked, Role::Own) {
                let rule = &RuleSet::builtin().get(&found.fact.rule).unwrap().rule;
                assert!(
                    rule.redact == Redact::Whole,
                    "{} is found in what was masked of an example of {}: {}",
                    rule.id,
                    one.rule.id,
                    String::from_utf8_lossy(&masked)
                );
            }
        }
    }
    assert!(seen > 200, "{seen}");
}

#[test]
fn lines_stay_and_what_names_the_kind_too() {
    let token = made("<<crc62 ghp_>>");
    let text = format!("a = 1\nconst t = '{token}';\nb = 2\n");
    let stars = "*".repeat(token.len() - 4);
    assert_eq!(
        over(&text),
        format!("a = 1\nconst t = 'ghp_{stars}';\nb = 2\n")
    );
    let key = made("x\n<<make pkcs8-ed25519>>y\n");
    let masked = over(&key);
    assert!(
        masked.starts_with("x\n") && masked.ends_with("y\n"),
        "{masked}"
    );
    assert_eq!(masked.lines().count(), key.lines().count());
    for line in key
        .lines()
        .filter(|line| line.len() > 20 && !line.starts_with("-----"))
    {
        let (body, _) = line.split_at(20);
        assert!(!masked.contains(body), "{masked}");
    }
}

#[test]
fn what_is_written_in_another_way_is_masked_where_it_stands() {
    let token = made("<<crc62 ghp_>>");
    let (front, back) = token.split_at(20);
    let folded = over(&format!("t = '{front}' +\n  '{back}';\n"));
    let stars = |len: usize| "*".repeat(len);
    assert_eq!(
        folded,
        format!("t = '{}' +\n  '{}';\n", stars(20), stars(back.len()))
    );
    let escaped = over(&format!("t = '\\x67{}';\n", &token[1..]));
    assert_eq!(escaped, format!("t = '{}';\n", stars(token.len() + 3)));
    use base64::Engine as _;
    for before in ["", "a", "ab"] {
        let inner = format!("{before} login: deploy, token: {token} and so on");
        let text = base64::engine::general_purpose::STANDARD.encode(&inner);
        let masked = over(&format!("data = '{text}'\n"));
        let kept: String = masked.chars().filter(|c| *c != '*').collect();
        assert!(
            kept.starts_with("data = '") && kept.ends_with("'\n"),
            "{masked}"
        );
        assert!(masked.contains(&stars(token.len() * 4 / 3)), "{masked}");
    }
}

#[test]
fn a_list_of_more_than_is_told_is_masked_to_its_end() {
    let lines: Vec<String> = (0..1_100)
        .map(|n| String::from_utf8(expand("<<crc62 ghp_>>\n", &n.to_string()).unwrap()).unwrap())
        .collect();
    let masked = over(&lines.concat());
    let is_hidden = |line: &str| {
        line.strip_prefix("ghp_")
            .is_some_and(|rest| rest.bytes().all(|b| b == MASK))
    };
    assert!(masked.lines().all(is_hidden));
    assert_eq!(masked.lines().count(), 1_100);
}

#[test]
fn a_quotation_shows_no_part_of_what_it_cuts_through() {
    let token = made("<<crc62 ghp_>>");
    let text = format!("one {token} two");
    let masks = Masks::of(text.as_bytes());
    let quote = |part| String::from_utf8(masks.quote(text.as_bytes(), part)).unwrap();
    assert_eq!(quote(0..text.len()), "one ghp_… two");
    assert_eq!(quote(0..20), "one ghp_…");
    assert_eq!(quote(20..text.len()), "… two");
    assert_eq!(quote(20..25), "…");
    assert_eq!(quote(text.len() - 2..text.len() + 9), "wo");
}

#[test]
fn a_content_is_searched_once() {
    let mut cache = MaskCache::default();
    let (text, sha256) = (b"nothing here", Sha256Digest::of(b"nothing here"));
    let first = cache.of(Some(sha256), text);
    assert!(Arc::ptr_eq(&first, &cache.of(Some(sha256), text)));
    assert!(!Arc::ptr_eq(&first, &cache.of(None, text)));
}

proptest! {
    #[test]
    fn any_text_keeps_its_length_and_lines(
        parts in prop::collection::vec(prop_oneof![
            "\\PC{0,12}",
            Just(made("<<crc62 ghp_>>")),
            Just(made("password = \"<<base62 20>>\"")),
            Just("\\x67\\u0068".to_owned()),
            Just("' + '".to_owned()),
            Just("\r\n".to_owned()),
            Just("é\n".to_owned()),
        ], 0..12),
        cut in any::<prop::sample::Index>(),
    ) {
        let text = parts.concat();
        let masks = Masks::of(text.as_bytes());
        let masked = masks.over(text.as_bytes());
        prop_assert_eq!(masked.len(), text.len());
        prop_assert!(std::str::from_utf8(&masked).is_ok());
        let feeds = |bytes: &[u8]| memchr::memchr2_iter(b'\n', b'\r', bytes).collect::<Vec<_>>();
        prop_assert_eq!(feeds(&masked), feeds(text.as_bytes()));
        let at = cut.index(text.len() + 1);
        let quoted = masks.quote(text.as_bytes(), at..text.len() + 3);
        prop_assert!(quoted.len() <= (text.len() - at) + masks.spans.len() * CUT.len());
    }
}
