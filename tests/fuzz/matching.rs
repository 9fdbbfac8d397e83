//! Targets of what matching is built on: lexers, fingerprints, sets that hold them, verdicts, and lists of digests.
//!
//! A copy is hostile, and so is a set that somebody sends: here either is a mutant, and the other is the incident's. Beside
//! panics and memory it is watched that nothing is said of places that are not there, and no figure beyond its bounds.

use std::collections::BTreeSet;

use strandline::blob::Hops;
use strandline::lex::{self, Family, Kind, Sink, Token, family_of, header_end, nature_of};
use strandline::record::{Basis, Grade, Match, MatchRange};
use strandline::report;
use strandline::report::render_exhibit;
use strandline::signature::lists;
use strandline::signature::norm_text;
use strandline::signature::ported::{Echoes, Originals};
use strandline::signature::prints::{FilePrints, Side, Tier, prints_of};
use strandline::signature::{
    FileEntry, Hit, Options, PartyFlag, Set, SetBuilder, SetGroup, lines_of, shared,
};

use crate::seeds;
use crate::targets::{Outcome, TEXT, Target, incident_set, mend_set, plain};

const FAMILIES: [Family; Family::ALL.len()] = Family::ALL;

/// What begins, ends or turns something in one of the languages.
const CODE: &[&[u8]] = &[
    b"\"",
    b"'",
    b"`",
    b"\"\"\"",
    b"'''",
    b"\\",
    b"\n",
    b"\r\n",
    b"\r",
    b"(",
    b")",
    b"[",
    b"]",
    b"{",
    b"}",
    b"<",
    b">",
    b"</",
    b"/>",
    b"/",
    b"//",
    b"/*",
    b"*/",
    b"#",
    b"##",
    b"r#\"",
    b"\"#",
    b"br##\"",
    b"b'",
    b"'a",
    b"R\"x(",
    b")x\"",
    b"f\"",
    b"rf'",
    b"f'''",
    b"{{",
    b"}}",
    b"${",
    b"\\(",
    b"$\"",
    b"@\"",
    b"$@\"",
    b"#\"",
    b"<?php ",
    b"?>",
    b"<<<A\n",
    b"\nA;\n",
    b"<!--",
    b"-->",
    b",",
    b";",
    b"=>",
    b"!0",
    b"void 0",
    b"0x",
    b"1e",
    b"1_",
    b"\\u{",
    b"\\x",
    b"def ",
    b"fn ",
    b"import Foundation\n",
    b"package a\n",
    b"using A;\n",
    b"Copyright",
    b"licence",
    b"\xE2\x80\xA8",
    b"\xEF\xBB\xBF",
    b"\xFF\xFE",
    b"\0",
    b"\xC3",
    b"&lt;",
    b"H4sIA",
    b"<<~A\n",
    b"%w(",
    b"$(",
    b"$'",
    b"$$",
    b"--",
    b"@media ",
    b"<script>",
    b"</script>",
    b"SELECT ",
    b"end\n",
];

const LISTS: &[&[u8]] = &[
    b"\n",
    b"\r\n",
    b"\0",
    b"  ",
    b" *",
    b"\\",
    b"SHA256 (",
    b") = ",
    b"#",
    b"%%%% HASHDEEP-1.0\n",
    b"%%%% size,md5,sha256,filename\n",
    b"%%%% ",
    b"md5",
    b"sha256",
    b"size",
    b"filename",
    b",",
    b"swh:1:cnt:",
    b"swh:1:dir:",
    b";path=/",
    b"%2",
    b"%00",
    b"file=",
    b"fh2=",
    b"18446744073709551616",
    b"18446744073709551615",
    b"./",
    b"../",
    b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    b"d41d8cd98f00b204e9800998ecf8427e",
    b"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
];

/// All of them.
pub fn all() -> Vec<Target> {
    vec![
        Target {
            words: CODE,
            ..plain("lex", &["code", "text"], lexers)
        },
        Target {
            words: CODE,
            ..plain("prints", &["code", "text"], prints)
        },
        Target {
            words: CODE,
            ..searches()
        },
        Target {
            mend: mend_set,
            ..set_search()
        },
        Target {
            words: LISTS,
            ..plain("lists", &["lists"], read_lists)
        },
        Target {
            words: TEXT,
            ..plain("exhibit", &["code", "text"], exhibit)
        },
    ]
}

/// Whether `start..end` lies in `len` bytes.
fn lies_in(start: u64, end: u64, len: usize) -> bool {
    start <= end && end <= len as u64
}

// ---------------------------------------------------------------------------------------------------------------
// Lexers

#[derive(Default)]
struct Tokens {
    all: Vec<Token>,
    pieces: usize,
}

impl Sink for Tokens {
    fn token(&mut self, token: Token) {
        self.all.push(token);
    }

    fn piece(&mut self) {
        self.pieces += 1;
    }
}

fn lexers(bytes: &[u8], turn: u64) -> Outcome {
    // Each family in its turn, and the one that is guessed.
    let turn = turn as usize % (FAMILIES.len() + 1);
    let family = FAMILIES.get(turn).copied();
    let family = family.unwrap_or_else(|| family_of(bytes));
    let mut tokens = Tokens::default();
    lex::lex(family, bytes, &mut tokens);
    let mut behind = 0;
    for token in &tokens.all {
        let raw = token.of(bytes);
        let is_empty = token.start == token.end;
        if token.start < behind || !lies_in(token.start.into(), token.end.into(), bytes.len()) {
            return Err(format!("{family:?}: {token:?} behind {behind}"));
        }
        if is_empty && token.kind != Kind::Text {
            return Err(format!("{family:?}: {token:?} is empty"));
        }
        if matches!(token.kind, Kind::Keyword | Kind::Punct | Kind::Number)
            && raw.trim_ascii().is_empty()
        {
            return Err(format!("{family:?}: {token:?} is white space"));
        }
        let mut value = Vec::new();
        lex::unescape(family, raw, &mut value);
        // Each byte makes three at most: half of a pair as an escape is longer than its value.
        if value.len() > 3 * raw.len() {
            return Err(format!(
                "{family:?}: {token:?} is {} bytes undone",
                value.len()
            ));
        }
        let _ = lex::number(raw);
        behind = token.end;
    }
    if tokens.pieces > tokens.all.len() + 1 {
        return Err(format!("{family:?}: {} pieces", tokens.pieces));
    }
    // What no language has a meaning for is still there: no word gets lost where nothing is skipped.
    let is_word = |b: &u8| b.is_ascii_alphanumeric();
    if family == Family::Generic && bytes.iter().all(|b| is_word(b) || *b == b' ') {
        let words = bytes.iter().filter(|b| is_word(b)).count();
        let held: usize = tokens.all.iter().map(|token| token.of(bytes).len()).sum();
        if words != held {
            return Err(format!(
                "{words} letters and digits, {held} of them in tokens"
            ));
        }
    }
    if header_end(bytes, family) > bytes.len() {
        return Err("a header that ends behind its text".to_owned());
    }
    let _ = nature_of(bytes, family);
    Ok(())
}

/// Lines of what is fingerprinted of a content.
fn lines_in(content: &[u8]) -> u32 {
    let text = norm_text::text_of(content);
    text.map_or(1, |text| lines_of(&text).len().max(1) as u32)
}

// ---------------------------------------------------------------------------------------------------------------
// Fingerprints

fn prints(bytes: &[u8], turn: u64) -> Outcome {
    let family = FAMILIES[turn as usize % FAMILIES.len()];
    let mut starts = [0; Tier::ALL.len()];
    let mut fault = None;
    let mut count = 0;
    // Where a text lies within the text, its fingerprints come in between.
    let has_longer = bytes.len() >= 200;
    let side = [Side::Original, Side::Target][(turn / FAMILIES.len() as u64 % 2) as usize];
    prints_of(family, bytes, side, |tier, print| {
        count += 1;
        let before = std::mem::replace(&mut starts[tier as usize], print.start);
        let is_whole = tier == Tier::Pieces || has_longer;
        let is_placed = lies_in(print.start.into(), print.end.into(), bytes.len());
        if !is_placed || (before > print.start && !is_whole) {
            fault = Some(format!("{family:?}: {tier:?} {print:?} behind {before}"));
        }
    });
    if let Some(fault) = fault {
        return Err(fault);
    }
    let file = FilePrints::of(bytes);
    let lines = lines_in(bytes);
    for tier in Tier::ALL {
        let mut values = BTreeSet::new();
        for print in file.of_tier(tier) {
            if print.line == 0 || print.line.saturating_add(print.spans) > lines {
                return Err(format!("{tier:?}: {print:?} of {lines} lines"));
            }
            if !values.insert(print.value) {
                return Err(format!("{tier:?}: {print:?} twice"));
            }
        }
    }
    // A text that is made of nothing else is not made of more fingerprints than tokens and characters.
    (count <= 8 * bytes.len() + 64 || has_longer)
        .then_some(())
        .ok_or_else(|| format!("{count} fingerprints of {} bytes", bytes.len()))
}

// ---------------------------------------------------------------------------------------------------------------
// Verdicts

/// A set of baseline over foreign code, so that weights are asked for.
fn baseline() -> Set {
    let mut builder = SetBuilder::new(
        "public",
        "1",
        Options {
            baseline: true,
            ..Options::default()
        },
    );
    for (number, text) in (seeds::code().iter()).enumerate() {
        builder.add(FileEntry::of(format!("{number}"), PartyFlag::First, text));
    }
    let built = builder.finish().expect("a set");
    Set::from_bytes(built.set_bytes, None).expect("it is one")
}

/// What a hit says of a content lies within it, and within bounds.
fn check_hits(hits: &[Hit], group: &SetGroup, content: &[u8]) -> Outcome {
    let lines = lines_in(content);
    for hit in hits {
        let Some(set) = group.sets().get(hit.set) else {
            return Err(format!("no set {}", hit.set));
        };
        // Equal bytes of a baseline are hits, too, which the caller knows what to do with.
        let is_common = set.is_baseline() && hit.found.is_some();
        if is_common || hit.file >= set.files_total() {
            return Err(format!("a hit of file {} of set {}", hit.file, hit.set));
        }
        let Some(found) = &hit.found else { continue };
        let is_share = |share: f32| (0.0..=1.0).contains(&share);
        if !is_share(found.score)
            || !is_share(found.of_original)
            || !is_share(found.of_target)
            || !found.log10_p.is_finite()
            || found.log10_p > 0.0
        {
            return Err(format!("{found:?}"));
        }
        for stretch in &found.stretches {
            let ([first, last], [start, end]) = (stretch.target_lines, stretch.target_bytes);
            let [from, to] = stretch.original_lines;
            let is_there = lies_in(start, end, content.len()) && start < end;
            if !is_there || first == 0 || first > last || last > lines || from == 0 || from > to {
                return Err(format!(
                    "{stretch:?} of {} bytes, {lines} lines",
                    content.len()
                ));
            }
        }
    }
    Ok(())
}

fn searches() -> Target {
    let alone = SetGroup::new(vec![incident_set()]);
    let beside = SetGroup::new(vec![baseline(), incident_set()]);
    let run = move |bytes: &[u8], turn: u64| {
        let group = if turn.is_multiple_of(2) {
            &alone
        } else {
            &beside
        };
        let (hits, echoes) = group.lookup_with_echoes(&[0; 32], bytes);
        check_hits(&hits, group, bytes)?;
        if group.lookup_with_echoes(&[0; 32], bytes) != (hits, echoes.clone()) {
            return Err("asked twice, answered in two ways".to_owned());
        }
        let mut united = Echoes::default();
        echoes.iter().for_each(|echo| united.add(echo));
        for ported in united.judge(group.sets(), &mut Originals::default()) {
            if !ported.score.is_finite() || !(0.0..=1.0).contains(&ported.of_original) {
                return Err(format!("{ported:?}"));
            }
        }
        Ok(())
    };
    Target {
        run: Box::new(run),
        ..plain("search", &["incident", "code"], |_, _| Ok(()))
    }
}

/// Sets are the mutants: their tables are forged, and their sums are right.
fn set_search() -> Target {
    let texts: Vec<Vec<u8>> = seeds::incident_texts();
    let run = move |bytes: &[u8], turn: u64| {
        let Ok(set) = Set::from_bytes(bytes.to_vec(), None) else {
            return Ok(());
        };
        let content = &texts[turn as usize % texts.len()];
        let group = match turn % 3 {
            0 => SetGroup::new(vec![set]),
            // As what it is, beside another; and as a baseline, if it has come to be one.
            1 => SetGroup::new(vec![set, baseline()]),
            _ => SetGroup::new(vec![incident_set(), set]),
        };
        let (hits, echoes) = group.lookup_with_echoes(&[0; 32], content);
        check_hits(&hits, &group, content)?;
        let mut united = Echoes::default();
        echoes.iter().for_each(|echo| united.add(echo));
        let _ = united.judge(group.sets(), &mut Originals::default());
        Ok(())
    };
    Target {
        run: Box::new(run),
        ..plain("set-search", &["set", "set-small"], |_, _| Ok(()))
    }
}

// ---------------------------------------------------------------------------------------------------------------
// Lists

fn read_lists(bytes: &[u8], turn: u64) -> Outcome {
    let winnowed = lists::winnowed(bytes);
    if winnowed.len() > 64 + 24 * bytes.len() {
        return Err(format!("{} bytes of fingerprints", winnowed.len()));
    }
    let Ok(list) = lists::read(bytes) else {
        return Ok(());
    };
    let files = list.files.len() as u64;
    let (not_understood, named) = &list.not_understood;
    let ends = bytes.iter().filter(|&&b| b == b'\n' || b == 0).count() as u64;
    if files + list.not_contents + not_understood > ends + 1 || named.len() as u64 > *not_understood
    {
        return Err(format!(
            "{files} files, {not_understood} lines more, of {ends} lines"
        ));
    }
    let entries = list.files.into_iter().map(|file| (file, PartyFlag::First));
    let options = Options {
        public: turn % 2 == 1,
        ..Options::default()
    };
    let Ok(built) = lists::build("w", "1", options, entries.collect()) else {
        return Ok(());
    };
    let set = Set::from_bytes(built.set_bytes, None).map_err(|error| error.to_string())?;
    if u64::from(set.files_total()) > files {
        return Err("more files than the list has".to_owned());
    }
    let group = SetGroup::new(vec![set]);
    check_hits(&group.lookup(&[0; 32], b""), &group, b"")
}

// ---------------------------------------------------------------------------------------------------------------
// Exhibits

/// Two sides that are cut from the mutant, and ranges that any case may hold.
fn exhibit(bytes: &[u8], turn: u64) -> Outcome {
    let (original, target) = bytes.split_at(bytes.len() / 2);
    let (counts, found) = shared(original, target);
    let lines =
        |content: &[u8]| norm_text::text_of(content).map_or(0, |text| lines_of(&text).len());
    let (left, right) = (lines(original) as u32, lines(target) as u32);
    for one in &found {
        let [start, end] = one.target_bytes;
        let is_there = lies_in(start, end, target.len());
        if !is_there || one.target_lines[1] > right.max(1) || one.original_lines[1] > left.max(1) {
            return Err(format!("{one:?} of {left} and {right} lines"));
        }
    }
    let word = |at: usize| u64::from(bytes.get(at).copied().unwrap_or(0));
    let far = if turn.is_multiple_of(4) { u64::MAX } else { 0 };
    let ranges = found.iter().take(3).map(|one| MatchRange {
        original_lines: one.original_lines.map(u64::from),
        target_lines: one.target_lines.map(u64::from),
        target_bytes: one.target_bytes,
    });
    // A case may say anything.
    let forged = MatchRange {
        original_lines: [word(0), word(1) | far],
        target_lines: [word(2), word(2) | far],
        target_bytes: [word(3), word(4) | far],
    };
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
    let found = a_match(&shown, ranges.chain([forged]).collect());
    let side = |bytes| report::Side {
        name: shown.clone(),
        sha256: String::new(),
        bytes,
        read_from: "a mutant",
    };
    let page = render_exhibit(&found, &side(original), &side(target), &counts, "1", "1")
        .map_err(|error| error.to_string())?;
    // What the page itself has of these is what an empty one has.
    let none = || report::Side {
        name: String::new(),
        ..side(b"")
    };
    let empty = render_exhibit(
        &a_match("", Vec::new()),
        &none(),
        &none(),
        &counts,
        "1",
        "1",
    )
    .map_err(|error| error.to_string())?;
    for word in [
        "<script", "<img", "<!--", "</title", "\0", "\u{1b}", "\u{202e}",
    ] {
        if page.matches(word).count() > empty.matches(word).count() {
            return Err(format!("{word:?} of the mutant stands in the page"));
        }
    }
    Ok(())
}

fn a_match(name: &str, ranges: Vec<MatchRange>) -> Match {
    Match {
        locator: name.to_owned(),
        hops: Hops::default(),
        sha256: None,
        work: name.to_owned(),
        release: name.to_owned(),
        file: name.to_owned(),
        grade: Grade::Excerpt,
        basis: Basis::default(),
        score: 0.5,
        log10_p: Some(-9.0),
        of_original: 0.5,
        of_target: 0.5,
        ranges,
        written: None,
        git: None,
        image: None,
    }
}
