//! Credentials of settings files: values that no quotes mark, beside names that call them secret.
//!
//! In code a value without quotes is a name, so that the generic rules ask for quotes. A settings file has few: what stands
//! behind `DB_PASSWORD=` is the password. Such a file is told by its bytes ([`super::super::content`]), and what is found in it
//! counts where it lies as one: assignments stand in much that is none.
//!
//! The form is that which the readers of those files have in common: a name, `=` or `:`, and a value up to the end
//! of the line; in a netrc the word behind `password`; where a `name` and a `value` stand on lines of their own, as those of
//! the environment of a container do, that name. The rules are the generic ones, and so is what a value has to be: no
//! placeholder, no reference to a variable, no word. In a file of no known form more is asked ([`super::unknown_form`]).
//!
//! Left out: values over several lines, and mappings on one line (`{user: a, password: b}`).

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::classes::text::{is_live, names_secret};
use super::super::inspect::Role;
use super::super::values::entropy;
use super::super::windows::View;
use super::find::{Raw, placed};
use super::rule::RuleSet;
use super::{Check, Found, Hidden, Tier, known, show, unknown_form, written};
use crate::exposure::shown;

/// A longer name is none, and a longer value is a document; bytes.
const NAME_MAX: usize = 200;
const VALUE_MAX: usize = 2_000;

/// A shorter value is told by the class of the file alone; bytes.
const VALUE_MIN: usize = 6;

/// Shannon entropy that a value has at least, in bits a byte: that of the generic rules.
const ENTROPY_MIN: f64 = 2.6;

/// Credentials that are told of one file.
const FOUND_MAX: usize = 1_000;

/// Words that stand before a name.
const BEFORE_NAMES: [&[u8]; 6] = [b"- ", b"export ", b"set ", b"ENV ", b"ARG ", b"env."];

/// The credentials of a settings file that are not among those found already.
pub fn find(bytes: &[u8], found: &[Found]) -> Vec<Found> {
    match written::utf16(bytes) {
        Some(text) => find_in(&text, found),
        None => find_in(bytes, found),
    }
}

/// How many credentials stand in a text that is settings of no known form, and how many of them have a name that says
/// password or secret; no more are counted than are told.
pub(in crate::exposure) fn credentials_of_unknown_form(text: &[u8]) -> (u32, u32) {
    let (mut all, mut outright) = (0_u32, 0_u32);
    pairs(text, &mut |one| {
        let may_be = text
            .get(one.name.clone())
            .is_some_and(unknown_form::may_tell);
        if may_be
            && all < FOUND_MAX as u32
            && is_of_unknown_form(text, &one)
            && judged(text, one.name.clone(), one.value).is_some()
        {
            let name = text.get(one.name).unwrap_or_default();
            let is_outright = std::str::from_utf8(name).is_ok_and(unknown_form::says_outright);
            all += 1;
            outright += u32::from(is_outright);
        }
    });
    (all, outright)
}

fn find_in(text: &[u8], found: &[Found]) -> Vec<Found> {
    let mut all = Vec::new();
    // Where those begin that are credentials in any settings.
    let mut anywhere = BTreeSet::new();
    let is_new = |range: &Range<usize>| {
        let is_other = |one: &Found| {
            let end = one.at + one.value.bytes().len();
            end <= range.start || range.end <= one.at
        };
        found.iter().all(is_other)
    };
    let mut take = |one: Pair| {
        if all.len() < FOUND_MAX
            && is_new(&one.value)
            && let Some(raw) = judged(text, one.name.clone(), one.value.clone())
        {
            let at = raw.span.start;
            if is_of_unknown_form(text, &one) {
                anywhere.insert(at);
            }
            all.push((raw, at, None));
        }
    };
    if is_netrc(text) {
        passwords_of_netrc(text, &mut take);
    } else {
        pairs(text, &mut take);
    }
    let mut found = placed(&View::whole(text, Role::Bulk), all);
    for one in &mut found {
        one.fact.of_settings = true;
        one.fact.in_any_settings = anywhere.contains(&one.at);
    }
    found
}

/// A name and its value.
#[derive(Debug, Clone)]
struct Pair {
    name: Range<usize>,
    value: Range<usize>,
    /// It stands in an item of a list that is a text (`- A=b`, `- "a: b"`, `- |`): a variable, an argument, or an example.
    is_in_text: bool,
}

/// Calls `take` with name and value of each line that has both, and with what a `name` says and the `value` behind it.
fn pairs(text: &[u8], take: &mut impl FnMut(Pair)) {
    let mut named: Option<Range<usize>> = None;
    // How far the item is indented of which the lines are a text.
    let mut block: Option<usize> = None;
    let mut start = 0;
    for end in memchr::memchr_iter(b'\n', text).chain([text.len()]) {
        let line = &text[start..end];
        let indent = line.len() - line.trim_ascii_start().len();
        if !line.trim_ascii().is_empty() && block.is_some_and(|block| indent <= block) {
            block = None;
        }
        if block.is_none() && begins_block(line.trim_ascii()) {
            block = Some(indent);
        }
        if let Some(mut one) = pair(text, start..end) {
            one.is_in_text |= block.is_some();
            let is = |word: &[u8]| text[one.name.clone()].eq_ignore_ascii_case(word);
            let name_before = named.take();
            if is(b"name") {
                named = Some(one.value.clone());
            }
            if let Some(name) = name_before.filter(|_| is(b"value")) {
                one.name = name;
            }
            take(one);
        }
        start = end + 1;
    }
}

/// `- |`, `- >-`: an item of a list whose lines below it are a text (YAML 1.2, section 8.1).
fn begins_block(line: &[u8]) -> bool {
    let rest = line.strip_prefix(b"- ").map(<[u8]>::trim_ascii_start);
    let rest = rest.and_then(|rest| rest.strip_prefix(b"|").or_else(|| rest.strip_prefix(b">")));
    rest.is_some_and(|rest| rest.iter().all(|byte| b"+-0123456789".contains(byte)))
}

/// Whether a name and its value are a credential in settings of any form.
fn is_of_unknown_form(text: &[u8], one: &Pair) -> bool {
    let word = |range: &Range<usize>| std::str::from_utf8(text.get(range.clone())?).ok();
    let both = word(&one.name).zip(word(&one.value));
    !one.is_in_text && both.is_some_and(|(name, value)| unknown_form::is_credential(name, value))
}

fn pair(text: &[u8], line: Range<usize>) -> Option<Pair> {
    let mut line = trimmed(text, line);
    if matches!(text.get(line.start), None | Some(b'#' | b';')) || line.is_empty() {
        return None;
    }
    let mut is_item = false;
    let mut is_in_text = false;
    for word in BEFORE_NAMES {
        if text[line.clone()].starts_with(word) {
            line = trimmed(text, line.start + word.len()..line.end);
            is_item |= word == b"- ";
        }
    }
    if is_item && is_quoted(&text[line.clone()]) {
        line = line.start + 1..line.end - 1;
        is_in_text = true;
    }
    let bytes = &text[line.clone()];
    let head = &bytes[..bytes.len().min(NAME_MAX)];
    // The first sign counts: a value may hold the others. In npm's settings an address with colons in it stands before it.
    let is_address = head.starts_with(b"//") || head.starts_with(b"\"//");
    let is_sign = |at: &usize| match head[*at] {
        b'=' => true,
        b':' => !is_address || head.get(at + 1) == Some(&b' '),
        b' ' | b'\t' => is_address && !head[*at..].trim_ascii_start().starts_with(b"="),
        _ => false,
    };
    let sign = (0..head.len())
        .find(is_sign)
        .or_else(|| memchr::memchr2(b' ', b'\t', head))?;
    let name = unquoted(text, trimmed(text, line.start..line.start + sign));
    let value = trimmed(text, line.start + sign + 1..line.end);
    // Of YAML's own forms an item is `- name: value` alone.
    is_in_text |= is_item && !head[sign..].starts_with(b": ") && head.len() > sign + 1;
    Some(Pair {
        name: of_address(text, name),
        value: value_of(text, value),
        is_in_text,
    })
}

/// Whether all of it stands in one pair of quotes.
fn is_quoted(bytes: &[u8]) -> bool {
    let quote = bytes.first().filter(|byte| b"\"'".contains(byte));
    quote.is_some_and(|quote| {
        memchr::memchr(*quote, &bytes[1..]) == Some(bytes.len().wrapping_sub(2))
    })
}

/// The setting itself, where it is for an address: `//host/path/:_authToken`.
fn of_address(text: &[u8], name: Range<usize>) -> Range<usize> {
    match memchr::memrchr(b':', &text[name.clone()]) {
        Some(colon) if text[name.clone()].starts_with(b"//") => name.start + colon + 1..name.end,
        _ => name,
    }
}

/// A value without its quotes, the comment behind it and a comma.
fn value_of(text: &[u8], value: Range<usize>) -> Range<usize> {
    let bytes = &text[value.clone()];
    if let Some(quote) = bytes.first().filter(|byte| b"\"'`".contains(byte)) {
        let inside = value.start + 1;
        return match memchr::memchr(*quote, &bytes[1..]) {
            Some(len) => inside..inside + len,
            // It goes on behind the line.
            None => inside..inside,
        };
    }
    let comment = [b" #", b" ;"].map(|mark| memchr::memmem::find(bytes, mark));
    let end = comment.into_iter().flatten().min().unwrap_or(bytes.len());
    let value = trimmed(text, value.start..value.start + end);
    let commas = text[value.clone()].ends_with(b",");
    value.start..value.end - usize::from(commas)
}

fn unquoted(text: &[u8], range: Range<usize>) -> Range<usize> {
    let bytes = &text[range.clone()];
    match bytes {
        [b'"', .., b'"'] | [b'\'', .., b'\''] => range.start + 1..range.end - 1,
        _ => range,
    }
}

fn trimmed(text: &[u8], range: Range<usize>) -> Range<usize> {
    let bytes = &text[range.clone()];
    let start = range.start + (bytes.len() - bytes.trim_ascii_start().len());
    start..start + bytes.trim_ascii().len()
}

fn is_netrc(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    text.starts_with(b"machine ") || text.starts_with(b"default login")
}

/// Words behind `password`, wherever lines end (inetutils manual, ".netrc").
fn passwords_of_netrc(text: &[u8], take: &mut impl FnMut(Pair)) {
    let mut name: Option<Range<usize>> = None;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let start = at + (rest.len() - rest.trim_ascii_start().len());
        let word = &text[start..];
        let len = word.iter().position(u8::is_ascii_whitespace);
        let word = start..start + len.unwrap_or(word.len());
        if word.is_empty() {
            return;
        }
        if let Some(name) = name.take() {
            take(Pair {
                name,
                value: word.clone(),
                is_in_text: false,
            });
        } else if text[word.clone()] == *b"password" {
            name = Some(word.clone());
        }
        at = word.end;
    }
}

/// What is told of a value, if it is a credential.
fn judged(text: &[u8], name: Range<usize>, value: Range<usize>) -> Option<Raw> {
    if name.is_empty() || value.len() < VALUE_MIN || value.len() > VALUE_MAX {
        return None;
    }
    // What has these in it is no name, but a name and the beginning of a value.
    let is_name_byte = |byte: &u8| !b" \t\"'=".contains(byte);
    if !text.get(name.clone())?.iter().all(is_name_byte) {
        return None;
    }
    let bytes = text.get(value.clone())?;
    let (name, word) = (
        std::str::from_utf8(text.get(name)?).ok()?,
        std::str::from_utf8(bytes).ok()?,
    );
    // A name of Yarn's that ends like none.
    let is_secret = names_secret(name) || name == "npmAuthIdent";
    let name_for_form = if name == "npmAuthIdent" {
        "token"
    } else {
        name
    };
    let is_one = is_secret && is_live(name_for_form, word) && is_no_word(bytes);
    if !is_one || entropy(bytes) < ENTROPY_MIN {
        return None;
    }
    let is_password = name.to_ascii_lowercase().contains("pass");
    let one = RuleSet::builtin().get(if is_password {
        "generic-password"
    } else {
        "generic-secret"
    })?;
    if one.allow.iter().any(|allow| allow.is_match(bytes)) {
        return None;
    }
    let known = known::development_key(bytes);
    let beside = format!("beside `{}` of a settings file", shown(name.as_bytes()));
    Some(Raw {
        span: value,
        id: &one.rule.id,
        tier: Tier::Generic,
        severity: match known {
            Some(_) => crate::record::Severity::Info,
            None => one.rule.severity,
        },
        check: Check::Unchecked,
        redacted: show::redacted(bytes, 0, one.rule.redact),
        detail: Some(known.map_or(beside, str::to_owned)),
        value: Hidden::new(bytes),
    })
}

/// Whether something is neither a word nor several, nor a path or an expression: it has digits or marks in it.
fn is_no_word(value: &[u8]) -> bool {
    let is_mark = |byte: &u8| byte.is_ascii_punctuation() && !b"-_./".contains(byte);
    let is_path = value.starts_with(b"/")
        || value.starts_with(b"./")
        || value.starts_with(b"~/")
        || memchr::memmem::find(value, b"://").is_some();
    let is_call = value.starts_with(b"$")
        || memchr::memmem::find(value, b"process.env").is_some()
        || memchr::memmem::find(value, b"$(").is_some()
        || memchr::memmem::find(value, b"!vault").is_some();
    value
        .iter()
        .any(|byte| byte.is_ascii_digit() || is_mark(byte))
        && value.iter().any(u8::is_ascii_alphabetic)
        && !value.iter().any(u8::is_ascii_whitespace)
        && !is_path
        && !is_call
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<(String, u64, String)> {
        let found = find(text.as_bytes(), &[]);
        found
            .into_iter()
            .map(|one| {
                let value = String::from_utf8_lossy(one.value.bytes()).into_owned();
                assert!(one.fact.of_settings && !format!("{:?}", one.fact).contains(&value));
                (one.fact.rule, one.fact.line, value)
            })
            .collect()
    }

    #[test]
    fn values_without_quotes_are_found_in_each_form() {
        for (text, line, rule) in [
            ("A=1\nDB_PASSWORD=q8Zt5vKx0W\n", 2, "generic-password"),
            (
                "export API_TOKEN = q8Zt5vKx0W # ours\n",
                1,
                "generic-secret",
            ),
            ("API_TOKEN='q8Zt5vKx0W'\r\n", 1, "generic-secret"),
            ("//r.example/:_authToken=q8Zt5vKx0W\n", 1, "generic-secret"),
            (
                "//r.example:8443/:_password=\"q8Zt5vKx0W\"\n",
                1,
                "generic-password",
            ),
            (
                "\"//r.example/:_authToken\" \"q8Zt5vKx0W\"\n",
                1,
                "generic-secret",
            ),
            ("npmAuthToken: q8Zt5vKx0W\n", 1, "generic-secret"),
            ("npmAuthIdent: q8Zt5vKx0W\n", 1, "generic-secret"),
            (
                "[pypi]\nusername = a\npassword: q8Zt5vKx0W\n",
                3,
                "generic-password",
            ),
            ("db.password=q8Zt5vKx0W\n", 1, "generic-password"),
            ("  clientSecret: q8Zt5vKx0W\n", 1, "generic-secret"),
            (
                "[db]\npwd_password = q8Zt5vKx0W ; # ours\n",
                2,
                "generic-password",
            ),
            ("FROM x\nENV API_TOKEN=q8Zt5vKx0W\n", 2, "generic-secret"),
            (
                "machine h login me\n  password q8Zt5vKx0W\n",
                2,
                "generic-password",
            ),
            (
                "  env:\n  - name: DB_PASSWORD\n    # ours\n    value: \"q8Zt5vKx0W\"\n",
                4,
                "generic-password",
            ),
        ] {
            let wanted = (rule.to_owned(), line, "q8Zt5vKx0W".to_owned());
            assert_eq!(names(text), [wanted], "{text}");
        }
    }

    #[test]
    fn a_value_may_hold_the_signs_that_end_a_name() {
        for (text, value) in [
            ("npmAuthToken: q8Zt5vKx0W=Yp3Rb7\n", "q8Zt5vKx0W=Yp3Rb7"),
            ("API_TOKEN=q8Zt5vKx0W:Yp3Rb7==\n", "q8Zt5vKx0W:Yp3Rb7=="),
            (
                "//r.example/:_authToken=\"q8Zt5vKx0W=Yp3Rb7\"\n",
                "q8Zt5vKx0W=Yp3Rb7",
            ),
            (
                "//r.example:8443/:_authToken = q8Zt5vKx0W:Yp3=\n",
                "q8Zt5vKx0W:Yp3=",
            ),
            (
                "[pypi]\npassword = q8Zt5vKx0W=Yp3Rb7\n",
                "q8Zt5vKx0W=Yp3Rb7",
            ),
        ] {
            let found = names(text);
            let values: Vec<&str> = found.iter().map(|(.., value)| value.as_str()).collect();
            assert_eq!(values, [value], "{text}");
        }
        // Half of a value is worse than none: what stands before the sign here is no name.
        assert_eq!(names("the password \"is\": q8Zt5vKx0W\n"), []);
    }

    #[test]
    fn what_is_no_credential_is_not_found() {
        for text in [
            "DB_PASSWORD=${DB_PASSWORD}\n",
            "DB_PASSWORD=$(pass show db1)\n",
            "API_TOKEN=process.env.TOKEN1\n",
            "API_TOKEN=your-token-1\n",
            "API_TOKEN=changeme1\n",
            "PORT=3000\nNODE_ENV=production2\n",
            "TOKEN_TTL=3600seconds\n",
            "PASSWORD_FILE=/run/secrets/db1\n",
            "KEY=aaaaaaaa1\n",
            "PASSWORD=administrator\n",
            "# PASSWORD=q8Zt5vKx0W\n",
            "API_TOKEN=\"q8Zt5vKx0W\nand more\"\n",
            "NEXT_PUBLIC_API_KEY=q8Zt5vKx0W\n",
            "- name: DB_PASSWORD\n  valueFrom: q8Zt5vKx0W\n",
            "- name: DB_PASSWORD\n- host: a\n  value: q8Zt5vKx0W\n",
            "",
            "=\n:\n",
        ] {
            assert_eq!(names(text), [], "{text}");
        }
    }

    #[test]
    fn what_was_found_is_not_told_twice() {
        let text = b"DB_PASSWORD=q8Zt5vKx0W\n";
        let found = find(text, &[]);
        assert_eq!(find(text, &found), []);
    }

    #[test]
    fn items_that_are_texts_count_in_settings_of_a_known_form_only() {
        for text in [
            "- DB_PASSWORD=q8Zt5vKx0W\n",
            "a:\n  - \"DB_PASSWORD=q8Zt5vKx0W\"\n",
            "- 'password: q8Zt5vKx0W'\n",
            "- password:q8Zt5vKx0W\n",
            "examples:\n  - |\n\n    [a]\n    password = q8Zt5vKx0W\n",
            "script:\n- >-\n  password: q8Zt5vKx0W\n",
        ] {
            let found = find(text.as_bytes(), &[]);
            let said: Vec<_> = found.iter().map(|one| one.value.bytes()).collect();
            assert_eq!(said, [b"q8Zt5vKx0W"], "{text}");
            assert!(!found[0].fact.in_any_settings, "{text}");
        }
        for text in [
            "- password: q8Zt5vKx0W\n",
            "- name: DB_PASSWORD\n  value: q8Zt5vKx0W\n",
            "- |\n  a\n- password: q8Zt5vKx0W\n",
            "- |\n  a\npassword: q8Zt5vKx0W\n",
        ] {
            let found = find(text.as_bytes(), &[]);
            assert!(found.len() == 1 && found[0].fact.in_any_settings, "{text}");
        }
    }

    #[test]
    fn what_is_one_in_any_settings_is_marked() {
        let marked = |text: &str| {
            let found = find(text.as_bytes(), &[]);
            assert_eq!(found.len(), 1, "{text}");
            found[0].fact.in_any_settings
        };
        assert!(marked("DB_PASSWORD=q8Zt5vKx0W\n"));
        assert!(!marked("shortcut_key: Ctrl+F1\n"));
        let count = credentials_of_unknown_form;
        let text = b"a: b\npassword: q8Zt5vKx0W\nkey: Ctrl+F1\ntoken: q8Zt5vKx0Wb3Yp\n";
        assert_eq!(count(text), (2, 1));
        assert_eq!(
            count(&b"password: q8Zt5vKx0W\n".repeat(2_000)),
            (1_000, 1_000)
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "(API_TOKEN|password|name|value|=|:|//h/|\"|'| |\n|#|machine |q8Zt5vKx0W|é|export |,){0,30}") {
            let _ = find(text.as_bytes(), &[]);
            let _ = credentials_of_unknown_form(text.as_bytes());
        }
    }
}
