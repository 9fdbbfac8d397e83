//! Windows tell what the whole tells: whatever is in a text, wherever windows end, however it comes.

use std::sync::Arc;

use base64::Engine as _;
use proptest::prelude::*;

use super::super::inspect::InventoryScope;
use super::super::known::testing::made;
use super::super::known::{Keying, List, build};
use super::super::secrets::Tier;
use super::super::secrets::examples::expand;
use super::super::user::{UserRules, read};
use super::super::{CaseKey, KnownSecrets};
use super::*;

/// Margins in tests: more than anything takes that is planted.
const SMALL_MARGIN: usize = 6 << 10;

/// What is planted: how it is made, between what it stands.
const PLANTS: [&str; 9] = [
    "token: '<<crc62 ghp_>>'\n",
    "AWS_KEY_ID=AKIA<<base32 16>>\n",
    "aws_secret_access_key = '<<base62 40>>'\n",
    "url = 'postgres://me:<<base62 20>>@db.acme.example/x'\n",
    "<<jwt>>\n",
    "<<make pkcs8-rsa>>\n",
    "password = 'q<<base62 18>>'\n",
    "acme_<<hex 32>>\n",
    "free_<<hex 24>>\n",
];

fn inspector() -> Inspector {
    let secret = made("windows");
    let list = List::parse(format!("LIVE={secret}\n").as_bytes(), false);
    let set = KnownSecrets::read(&build(&list, &Keying::drawn().unwrap()).unwrap(), None).unwrap();
    let rules = "[[rules]]\nid='near'\nregex='''acme_[0-9a-f]{32}'''\n\
        [[rules]]\nid='far'\nregex='''free_[0-9a-f]{24}'''\nkeywords=['opening-word']\n\
        [[rules]]\nid='bare'\nregex='''[0-9a-f]{31}\\b'''\nkeywords=['other-word']\n";
    let rules = read::read(rules.as_bytes()).unwrap().rules;
    Inspector {
        inventory: InventoryScope::None,
        known: Some(Arc::new(set)),
        user: Some(Arc::new(UserRules::new(&rules).unwrap())),
        case_key: Some(CaseKey([7; 32])),
        ..Inspector::default()
    }
}

/// One planted text, written plainly or otherwise.
fn plant(number: usize, kind: usize, how: usize) -> String {
    let plain = match kind {
        0..9 => expand(PLANTS[kind], &number.to_string()).unwrap(),
        9 => format!("x = \"{}\"\n", made("windows")).into_bytes(),
        10 => b"opening-word\n".to_vec(),
        _ => b"other-word\n".to_vec(),
    };
    let plain = String::from_utf8(plain).unwrap();
    let line = plain.trim_end();
    let (start, end) = line.split_at(line.len() / 2);
    match how {
        1 => format!(
            "k: {}\n",
            base64::engine::general_purpose::STANDARD.encode(line)
        ),
        2 if !line.contains(['\n', '\'', '"']) => format!("k = \"{start}\" + '{end}';\n"),
        3 if !line.contains(['\n', '\'', '"']) => {
            format!("k = \"\\u{:04x}{}\";\n", line.as_bytes()[0], &line[1..])
        }
        _ => plain,
    }
}

fn filler(number: usize, len: usize) -> String {
    let line = format!("const value{number} = render(\"some words\", {{ a: 1 }}); // é\n");
    line.repeat(len / line.len() + 1)
}

/// What the whole text tells, but for live secrets as they stand where the windows leave them to another search.
fn whole(inspector: &Inspector, bytes: &[u8], role: Role) -> Vec<SecretFact> {
    let mut facts = inspector.inspect(bytes, role).secrets;
    facts.retain(|fact| fact.tier != Tier::Known || fact.written.is_some());
    in_order(facts)
}

/// Facts of one place have no order of their own.
fn in_order(mut facts: Vec<SecretFact>) -> Vec<SecretFact> {
    facts.sort_by(|a, b| {
        (a.line, a.column, &a.rule, a.written).cmp(&(b.line, b.column, &b.rule, b.written))
    });
    facts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn windows_tell_what_the_whole_tells(
        plants in proptest::collection::vec((0_usize..12, 0_usize..4, 0_usize..9_000), 1..12),
        window in 2 * SMALL_MARGIN + 1..40 << 10,
        piece in 1_000_usize..30_000,
        is_own in any::<bool>(),
        is_wide in 0..3,
    ) {
        let inspector = inspector();
        let role = if is_own { Role::Own } else { Role::Bulk };
        let planted = plants.iter().enumerate();
        // Long enough that it is no small file of settings, however the windows fall.
        let text: String = planted
            .map(|(number, &(kind, how, gap))| plant(number, kind, how) + &filler(number, gap))
            .chain([filler(0, 40 << 10)])
            .collect();
        let bytes = match is_wide {
            0 => [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect(),
            _ => text.into_bytes(),
        };
        let mut search = TextSearch::with_sizes(role, window, SMALL_MARGIN);
        for piece in bytes.chunks(piece) {
            search.feed(&inspector, piece);
        }
        let told = in_order(search.finish(&inspector));
        prop_assert_eq!(told, whole(&inspector, &bytes, role));
    }
}

#[test]
fn what_stands_on_a_seam_is_told_once() {
    let inspector = inspector();
    let token = expand(PLANTS[0], "seam").unwrap();
    let key = expand(PLANTS[5], "seam").unwrap();
    let window = 3 * SMALL_MARGIN;
    for at in (SMALL_MARGIN..window).step_by(97) {
        let text = [
            &filler(1, at).into_bytes()[..at],
            b"\n",
            &token,
            &key,
            filler(2, window).as_bytes(),
        ]
        .concat();
        let mut search = TextSearch::with_sizes(Role::Bulk, window, SMALL_MARGIN);
        for piece in text.chunks(997) {
            search.feed(&inspector, piece);
        }
        let told = search.finish(&inspector);
        assert_eq!(told, whole(&inspector, &text, Role::Bulk));
        assert_eq!(told.len(), 2, "at {at}: {told:?}");
    }
}

#[test]
fn windows_need_not_be_full_and_texts_need_not_be_long() {
    let inspector = inspector();
    let token = expand(PLANTS[0], "short").unwrap();
    let mut search = TextSearch::new(Role::Bulk);
    search.feed(&inspector, &token);
    assert_eq!(
        search.finish(&inspector),
        whole(&inspector, &token, Role::Bulk)
    );
    assert_eq!(TextSearch::new(Role::Own).finish(&inspector), []);
    let mut off = TextSearch::new(Role::Bulk);
    off.feed(&Inspector::off(), &token);
    assert_eq!(off.finish(&Inspector::off()), []);
}
