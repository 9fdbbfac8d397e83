//! The examples of the rules, run through the engine.

use std::collections::BTreeSet;

use super::rules::{TamperExample, TamperRule};
use super::{Context, Found, Original, signs};
use crate::copies::delta::Pair;
use crate::copies::tree::Tree;
use crate::exposure::rules::ExampleFile;
use crate::exposure::{Example, Organisation, example_files};
use crate::record::{ChangeKind, Severity};

/// What of a rule's examples does not come out as it should.
pub fn failures(rule: &TamperRule) -> Vec<String> {
    let matches = rule.matches.iter().map(|example| (example, true));
    let all = matches.chain(rule.rejects.iter().map(|example| (example, false)));
    all.filter_map(|(example, must_match)| {
        failure(rule, example, must_match)
            .map(|why| format!("{}: {}: {why}", rule.id, example.note))
    })
    .collect()
}

fn failure(rule: &TamperRule, example: &TamperExample, must_match: bool) -> Option<String> {
    let found = match run(example) {
        Ok(found) => found,
        Err(why) => return Some(why),
    };
    let of_rule: Vec<&Found> = found.iter().filter(|one| one.rule == rule.id).collect();
    let worst = of_rule.iter().map(|one| one.severity).max();
    if !must_match {
        return match worst {
            Some(worst) if example.severity.is_none_or(|most| worst > most) => {
                Some(format!("must not match, and does: {:?}", of_rule.first()))
            }
            _ => None,
        };
    }
    let Some(worst) = worst else {
        return Some("must match, and does not".to_owned());
    };
    if example.severity.is_some_and(|severity| severity != worst) {
        return Some(format!("matches as {} instead", worst.as_str()));
    }
    let is_there = |one: &&Found| {
        let path = example.path.as_deref();
        path.is_none_or(|path| one.path == path.as_bytes())
            && example.line.is_none_or(|line| one.line == Some(line))
    };
    let is_anywhere = of_rule.iter().any(is_there);
    (!is_anywhere).then(|| format!("matches elsewhere: {:?}", of_rule.first()))
}

/// The signs of an example's copy.
fn run(example: &TamperExample) -> Result<Vec<Found>, String> {
    let (original, copy) = (tree(&example.original)?, tree(&example.copy)?);
    let organisation = example.organisation.as_deref();
    let organisation = organisation
        .map(|text| Organisation::parse(text, "example"))
        .transpose()
        .map_err(|error| error.to_string())?;
    let basis = example.basis.as_deref().unwrap_or("git-author");
    let context = Context {
        organisation: organisation.as_ref(),
        first: example.first.as_deref().map(|first| (first, basis)),
        leaked: example.leaked.as_deref(),
    };
    Ok(signs(
        &Original::of(&original),
        &pairs(&original, &copy),
        &context,
    ))
}

/// The files of both trees by path, without those that are equal. Nothing is recognised as moved.
pub(super) fn pairs<'t>(original: &'t Tree, copy: &'t Tree) -> Vec<Pair<'t>> {
    let paths: BTreeSet<&Vec<u8>> = original.files.keys().chain(copy.files.keys()).collect();
    let of = |tree: &'t Tree, path: &Vec<u8>| {
        let held = tree.files.get_key_value(path);
        held.map(|(path, file)| (path.as_slice(), file))
    };
    let pair = |path| {
        let (original, copy) = (of(original, path), of(copy, path));
        let kind = match (original, copy) {
            (Some((_, before)), Some((_, after))) if before.bytes == after.bytes => return None,
            (Some(_), Some(_)) => ChangeKind::Changed,
            (None, _) => ChangeKind::Added,
            (_, None) => ChangeKind::Removed,
        };
        Some(Pair {
            kind,
            original,
            copy,
        })
    };
    paths.into_iter().filter_map(pair).collect()
}

/// A tree of an example's files.
fn tree(files: &[ExampleFile]) -> Result<Tree, String> {
    let mut files = files.to_vec();
    for file in &mut files {
        if let Some(text) = &mut file.text {
            *text = filled(text);
        }
    }
    let example = Example {
        note: String::new(),
        severity: None::<Severity>,
        organisation: None,
        files,
    };
    let files = example_files(&example).map_err(|error| error.to_string())?;
    Ok(Tree::of_files(files, |_| String::new()))
}

/// A text with what its marks stand for, so that nothing in the rule file looks like a live secret or hides something.
fn filled(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, mark, after)) = next_mark(rest) {
        out.push_str(before);
        out.push_str(&mark);
        rest = after;
    }
    out + rest
}

/// What stands before the next mark, what it stands for, and what stands behind it.
fn next_mark(text: &str) -> Option<(&str, String, &str)> {
    let mut from = 0;
    loop {
        let begin = from + text.get(from..)?.find("{{")?;
        let end = begin + text.get(begin..)?.find("}}")?;
        let inside = text.get(begin + 2..end)?;
        if let Some(filling) = filling(inside) {
            return Some((text.get(..begin)?, filling, text.get(end + 2..)?));
        }
        from = begin + 2;
    }
}

fn filling(mark: &str) -> Option<String> {
    let (what, count) = mark.split_once(' ')?;
    let count: usize = count.parse().ok()?;
    let letters = match what {
        "base64" => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        "word" => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        "hex" => "0123456789abcdef",
        "blank" => " ",
        _ => return None,
    };
    let mut random = vec![0; count];
    let mut hasher = blake3::Hasher::new();
    hasher
        .update(mark.as_bytes())
        .finalize_xof()
        .fill(&mut random);
    let letters: Vec<char> = letters.chars().collect();
    let pick = |byte: u8| letters.get(usize::from(byte) % letters.len()).copied();
    random.into_iter().map(pick).collect()
}

#[cfg(test)]
mod tests {
    use super::super::TamperRules;
    use super::*;

    #[test]
    fn every_example_comes_out_as_it_should() {
        let rules = TamperRules::builtin().iter();
        let wrong: Vec<String> = rules.flat_map(failures).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn marks_are_filled_and_braces_are_left() {
        assert_eq!(filled("a{{blank 3}}b{{ x }}c"), "a   b{{ x }}c");
        assert_eq!(filled("{{word 40}}").len(), 40);
        assert_eq!(filled("{{word 4"), "{{word 4");
    }
}
