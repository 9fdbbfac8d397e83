//! Addresses in a draft: where they stand, what they mean, and what they are pinned to.
//!
//! Letters hold addresses in every shape: plain, in angle brackets, as links of Markdown, without a scheme, in the form of `git`,
//! or broken on purpose so that nothing follows them. Each is read to one form ([`Location`]), and taken apart as forges build
//! their addresses: `OWNER/NAME`, then a word for what is shown, a branch or commit, and a path. Nothing is resolved.

use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

use super::draft::{DraftFile, Form};
use super::rules::{Part, Rules};
use crate::exposure::Location;

/// A longer address is cut for comparing; bytes.
const ADDRESS_MAX: usize = 4_096;
/// Names of hosts that are looked for without a scheme.
const HOSTS_MAX: usize = 500;
/// Hex digits of a whole commit id: SHA-1, SHA-256.
const COMMIT_DIGITS: [usize; 2] = [40, 64];
/// Words that stand before a branch or commit in addresses of forges.
const SHOWS: [&str; 9] = [
    "blob", "tree", "raw", "blame", "src", "commit", "resolve", "archive", "edit",
];

/// What an address names of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Names {
    /// Something else than a repository, as far as its structure tells.
    Other,
    /// A repository, without a commit.
    Repository,
    /// Something in it.
    Inside {
        /// Branch, tag or commit.
        reference: String,
        /// Path, percent-decoded; empty for the whole.
        path: String,
        /// It is a file, and no folder.
        is_file: bool,
    },
}

/// An address in a draft.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub at: usize,
    pub end: usize,
    /// As it stands there, bounded.
    pub text: String,
    pub location: Location,
    pub names: Names,
    pub part: Part,
    pub is_defanged: bool,
    /// Why it cannot be opened.
    pub fault: Option<String>,
    /// Of a link with a text that is another address: that one.
    pub shown_as: Option<String>,
}

impl Link {
    /// The commit that it is pinned to.
    pub fn commit(&self) -> Option<&str> {
        match &self.names {
            Names::Inside { reference, .. } if is_commit(reference) => Some(reference),
            _ => None,
        }
    }
}

/// Whether a text is a whole commit id.
pub(super) fn is_commit(text: &str) -> bool {
    COMMIT_DIGITS.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = r#"(?i)\b(?:https?|hxxps?|git|ssh|ftp)(?::|\[:\])//(?:\[[.:]\]|[^\s\p{Cc}\p{Cf}<>"'`|\\\[\]])+|\bgit@[a-z0-9.-]+:[^\s\p{Cc}\p{Cf}<>"'`|\\\[\]]+"#;
    Regex::new(pattern).ok()
});

/// The search for names of hosts that the case or the rules know, without a scheme before them.
pub(super) fn bare_hosts<'h>(hosts: impl IntoIterator<Item = &'h str>) -> Option<Regex> {
    let names: Vec<String> = hosts
        .into_iter()
        .take(HOSTS_MAX)
        .map(regex::escape)
        .collect();
    if names.is_empty() {
        return None;
    }
    let pattern = format!(
        r#"(?im)(?:^|[\s(<\["'|,;])((?:www\.)?(?:{})/[^\s\p{{Cc}}\p{{Cf}}<>"'`|\\\[\]]+)"#,
        names.join("|")
    );
    RegexBuilder::new(&pattern).size_limit(8 << 20).build().ok()
}

/// The addresses of a file, in order.
pub(super) fn links_of(file: &DraftFile, bare: Option<&Regex>) -> Vec<Link> {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    if let Some(search) = ADDRESS.as_ref() {
        spans.extend(search.find_iter(&file.text).map(|m| (m.start(), m.end())));
    }
    if let Some(search) = bare {
        let found = search
            .captures_iter(&file.text)
            .filter_map(|found| found.get(1));
        spans.extend(found.map(|m| (m.start(), m.end())));
    }
    spans.sort_unstable();
    let mut links: Vec<Link> = Vec::new();
    for (start, end) in spans {
        if links.last().is_some_and(|last| start < last.end) {
            continue;
        }
        let Some(text) = file.text.get(start..end) else {
            continue;
        };
        let text = if file.form == Form::Table {
            text.split(',').next().unwrap_or(text)
        } else {
            text
        };
        let text = trimmed(text);
        if let Some(link) = read(text, start, file) {
            links.push(link);
        }
    }
    pair(&mut links, &file.text);
    links
}

/// An address without what belongs to the sentence round it: brackets that it did not open, and marks at its end.
fn trimmed(text: &str) -> &str {
    let mut depth = (0_usize, 0_usize);
    let mut end = text.len();
    let defanged = |at: usize| {
        let before = text.get(..at).unwrap_or_default();
        before.ends_with("[.") || before.ends_with("[:") || before.ends_with("(.")
    };
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth.0 += 1,
            '[' => depth.1 += 1,
            ')' if depth.0 > 0 => depth.0 -= 1,
            ']' if depth.1 > 0 => depth.1 -= 1,
            ')' | ']' if !defanged(at) => {
                end = at;
                break;
            }
            _ => {}
        }
    }
    let text = text.get(..end).unwrap_or(text);
    text.trim_end_matches([
        '.', ',', ';', ':', '!', '?', '*', '_', '…', '"', '\'', '(', '[',
    ])
}

fn read(text: &str, at: usize, file: &DraftFile) -> Option<Link> {
    let end = at + text.len();
    let mut cut = ADDRESS_MAX.min(text.len());
    while !text.is_char_boundary(cut) {
        cut -= 1;
    }
    let written = text.get(..cut).unwrap_or_default();
    let plain = written
        .replace("[.]", ".")
        .replace("(.)", ".")
        .replace("[:]", ":");
    let lower = plain.get(..4).map(str::to_ascii_lowercase);
    let is_hxxp = lower.as_deref() == Some("hxxp");
    let plain = if is_hxxp {
        format!("http{}", plain.get(4..).unwrap_or_default())
    } else {
        plain
    };
    let is_defanged = is_hxxp || plain.len() != written.len();
    let is_bare = !plain.contains("://");
    let mut fault = (cut < text.len()).then(|| "it is longer than any address".to_owned());
    if fault.is_none() && !is_bare {
        fault = url::Url::parse(&plain).err().map(|error| error.to_string());
    }
    let location = Location::read(&same_host(&plain))?;
    Some(Link {
        at,
        end,
        text: Location::read(written).map_or_else(|| written.to_owned(), |one| one.shown),
        names: names_of(&plain),
        location,
        part: file.part(at),
        is_defanged,
        fault,
        shown_as: None,
    })
}

/// The address with the host under which the repository is known, where it is served under another.
fn same_host(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host_of = Rules::builtin()
        .hosts
        .iter()
        .find(|one| one.same.iter().any(|name| name.eq_ignore_ascii_case(host)));
    match host_of.and_then(|one| one.names.first()) {
        Some(name) => format!("{scheme}://{name}/{path}"),
        None => text.to_owned(),
    }
}

/// What an address names, by how forges build theirs.
fn names_of(text: &str) -> Names {
    let Ok(url) = url::Url::parse(text) else {
        return Names::Repository;
    };
    let segments: Vec<String> = url
        .path_segments()
        .into_iter()
        .flatten()
        .map(decoded)
        .collect();
    let segments: Vec<&str> = segments
        .iter()
        .map(String::as_str)
        .filter(|s| !s.is_empty())
        .collect();
    // Some keep what is the forge's own apart by a dash.
    let shows = segments
        .iter()
        .skip(1)
        .position(|segment| SHOWS.contains(segment));
    if let Some(shows) = shows {
        let mut rest = segments.get(shows + 2..).unwrap_or_default();
        let shown = segments.get(shows + 1).copied().unwrap_or_default();
        if let (Some(&("branch" | "commit" | "tag")), true) = (rest.first(), rest.len() > 1) {
            rest = rest.get(1..).unwrap_or_default();
        }
        if let Some((reference, path)) = rest.split_first() {
            return Names::Inside {
                reference: (*reference).to_owned(),
                path: path.join("/"),
                is_file: !path.is_empty() && shown != "tree" && shown != "commit",
            };
        }
    }
    let raw = Rules::builtin().hosts.iter().any(|host| {
        let name = url.host_str().unwrap_or_default();
        host.same.iter().any(|one| one == name)
    });
    match segments.as_slice() {
        [_, _, reference, path @ ..] if raw && !path.is_empty() => Names::Inside {
            reference: (*reference).to_owned(),
            path: path.join("/"),
            is_file: true,
        },
        [_, _] => Names::Repository,
        _ => Names::Other,
    }
}

/// A part of a path with `%XX` undone, where that gives text.
fn decoded(segment: &str) -> String {
    if !segment.contains('%') {
        return segment.to_owned();
    }
    let bytes = crate::blob::locator::unescape(segment);
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.unwrap_or_else(|| segment.to_owned())
}

/// Links of Markdown whose text is an address: the text and the target are one link, and may differ.
fn pair(links: &mut Vec<Link>, text: &str) {
    let mut kept: Vec<Link> = Vec::with_capacity(links.len());
    for mut link in links.drain(..) {
        let between = kept.last().and_then(|last| text.get(last.end..link.at));
        if between == Some("](") {
            let shown = kept.pop();
            let differs = shown.filter(|shown| !shown.location.agrees(&link.location));
            link.shown_as = differs.map(|shown| shown.text);
        }
        kept.push(link);
    }
    *links = kept;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(text: &str) -> Vec<Link> {
        let file = DraftFile::new("x.md", text.to_owned());
        links_of(&file, bare_hosts(["code.example"]).as_ref())
    }

    fn keys(text: &str) -> Vec<String> {
        links(text)
            .into_iter()
            .map(|link| link.location.key)
            .collect()
    }

    #[test]
    fn addresses_are_found_in_every_shape() {
        let text = "See <https://code.example/a/b>, (https://code.example/c/d_(e)), code.example/e/f. \
                    git@code.example:g/h.git hxxps://code[.]example/i/j; [x](https://code.example/k/l)";
        assert_eq!(
            keys(text),
            [
                "code.example/a/b",
                "code.example/c/d_(e)",
                "code.example/e/f",
                "code.example/g/h",
                "code.example/i/j",
                "code.example/k/l"
            ]
        );
        assert!(links(text)[4].is_defanged && !links(text)[0].is_defanged);
        assert!(keys("mail code.example or x@code.example/no").is_empty());
        // What cannot be seen is no part of an address.
        for hidden in ["\u{7}", "\u{200b}", "\u{202e}"] {
            let text = format!("https://code.example/a/b{hidden} code.example/c/d{hidden}x");
            assert_eq!(keys(&text), ["code.example/a/b", "code.example/c/d"]);
        }
    }

    #[test]
    fn what_an_address_is_pinned_to_is_read_by_its_structure() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let inside = |text: &str| match names_of(text) {
            Names::Inside {
                reference,
                path,
                is_file,
            } => (reference, path, is_file),
            other => panic!("{text}: {other:?}"),
        };
        for form in ["blob", "-/blob", "raw", "src/commit", "resolve"] {
            let text = format!("https://code.example/a/b/{form}/{commit}/src/x%20y.ts#L1-L3");
            assert_eq!(
                inside(&text),
                (commit.to_owned(), "src/x y.ts".to_owned(), true),
                "{form}"
            );
        }
        let raw = format!("https://raw.githubusercontent.com/a/b/{commit}/x.ts");
        assert_eq!(inside(&raw), (commit.to_owned(), "x.ts".to_owned(), true));
        assert_eq!(keys(&raw), [format!("github.com/a/b/{commit}/x.ts")]);
        assert_eq!(
            inside("https://h.example/a/b/tree/main"),
            ("main".to_owned(), String::new(), false)
        );
        assert_eq!(names_of("https://h.example/a/b"), Names::Repository);
        assert_eq!(names_of("https://h.example/files/x/y.zip"), Names::Other);
    }

    #[test]
    fn a_link_that_leads_elsewhere_than_its_text_is_told() {
        let found = links(
            "[https://code.example/a/b](https://code.example/c/d) [https://h.example/x](https://h.example/x/)",
        );
        assert_eq!(found.len(), 2);
        assert_eq!(
            found[0].shown_as.as_deref(),
            Some("https://code.example/a/b")
        );
        assert_eq!(found[1].shown_as, None);
    }

    #[test]
    fn many_addresses_and_a_long_one_take_no_long_time() {
        let mut text: String = (0..100_000)
            .map(|n| format!("https://code.example/u{n}/r\n"))
            .collect();
        text.push_str("https://code.example/");
        text.push_str(&"é(".repeat(500_000));
        let found = links(&text);
        assert_eq!(found.len(), 100_001);
        assert!(found[100_000].fault.is_some());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "(https?://|hxxp|git@|\\[|\\]\\(|[\\PC ]){0,40}") {
            for link in links(&text) {
                proptest::prop_assert!(text.get(link.at..link.end).is_some());
            }
        }
    }
}
