//! Absolute paths of the machine on which something was built, with the name of the person whose folder that was.
//!
//! `/home/NAME/`, `/Users/NAME/` and `C:\Users\NAME\`, wherever they stand: in a bundle, in the messages of a program, in
//! symbols, in bytecode of Python. The literal pass finds the places. A folder of a build service is no person's, and names that
//! documentation uses for anybody are nobody's: both lists are data (`parameters` of the rule).
//!
//! It is a hint: a path in a comment may be somebody else's.

use std::collections::BTreeMap;

use super::read::{counted, short};
use super::{Artifact, Class};
use crate::exposure::content::Hits;
use crate::exposure::rules::Rules;

/// Longest name of a user, as systems allow them; bytes.
const NAME_MAX: usize = 32;
/// More of a path is not told; bytes.
const PATH_MAX: usize = 160;
/// Places that are looked at: a file has its paths from one machine.
const PLACES_MAX: usize = 4_096;
/// Names that are kept.
const USERS_MAX: usize = 64;

/// How folders of users are called.
const FOLDERS: [&[u8]; 4] = [b"/home/", b"/Users/", b":\\Users\\", b":\\\\Users\\\\"];

/// Paths of a build with the name of a user.
pub(super) struct BuildPath;

impl Class for BuildPath {
    fn recognise(&self, bytes: &[u8], hits: &Hits) -> Option<Artifact> {
        let mut people: BTreeMap<&[u8], (u64, usize)> = BTreeMap::new();
        let mut machine: Option<Home<'_>> = None;
        for &at in hits.homes().iter().take(PLACES_MAX) {
            let Some(home) = home_at(bytes, at) else {
                continue;
            };
            if home.kind == Kind::Machine {
                machine.get_or_insert(home);
            } else if people.len() < USERS_MAX || people.contains_key(home.name) {
                people.entry(home.name).or_insert((0, at)).0 += 1;
            }
        }
        // The one that is there most often, the first by name among equals.
        let most = people
            .iter()
            .max_by_key(|(name, (count, _))| (*count, std::cmp::Reverse(*name)));
        if let Some((name, (count, at))) = most {
            let others = match people.len() {
                1 => String::new(),
                more => format!(", and of {}", counted(more as u64 - 1, "other user")),
            };
            let said = format!(
                "folder of user {}, {}{others}, such as {}",
                short(name),
                counted(*count, "time"),
                path_at(bytes, *at)
            );
            return Some(Artifact::hinted("build-path", "", said));
        }
        machine.map(|home| {
            let said = format!(
                "folder of a build machine, such as {}",
                path_at(bytes, home.at)
            );
            Artifact::hinted("build-path", "build-machine", said)
        })
    }
}

/// The first path with the name of a person, as it may be shown.
pub(super) fn first_in(bytes: &[u8]) -> Option<String> {
    let places = FOLDERS
        .iter()
        .flat_map(|folder| memchr::memmem::find_iter(bytes, folder).take(PLACES_MAX));
    let people =
        places.filter(|at| home_at(bytes, *at).is_some_and(|home| home.kind == Kind::Person));
    people.min().map(|at| path_at(bytes, at))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Person,
    Machine,
}

struct Home<'a> {
    at: usize,
    name: &'a [u8],
    kind: Kind,
}

/// The folder of a user at a place where the literal pass saw one.
fn home_at(bytes: &[u8], at: usize) -> Option<Home<'_>> {
    let rest = bytes.get(at..)?;
    let folder = FOLDERS.iter().find(|folder| rest.starts_with(folder))?;
    let is_windows = folder.starts_with(b":");
    let before = at.checked_sub(1).and_then(|before| bytes.get(before));
    let is_root = match before {
        None => !is_windows,
        Some(drive) if is_windows => drive.is_ascii_alphabetic(),
        // Part of a longer path, or of an address.
        Some(b'/') => bytes[..at].ends_with(b"file://"),
        Some(b) => {
            !(b.is_ascii_alphanumeric()
                || matches!(
                    b,
                    b'.' | b'_'
                        | b'-'
                        | b'~'
                        | b'}'
                        | b')'
                        | b']'
                        | b'*'
                        | b'%'
                        | b'$'
                        | b'@'
                        | b'>'
                        | 0x80..
                ))
        }
    };
    if !is_root {
        return None;
    }
    let rest = &rest[folder.len()..];
    let is_part = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let len = rest.iter().take(NAME_MAX + 1).take_while(is_part).count();
    let name = rest
        .get(..len)
        .filter(|name| (2..=NAME_MAX).contains(&name.len()))?;
    let mark = if is_windows { b'\\' } else { b'/' };
    let inner = rest[len..].strip_prefix(&[mark])?;
    let inner = inner.strip_prefix(b"\\").unwrap_or(inner);
    // Something lies in it.
    if !inner
        .first()
        .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'@'))
    {
        return None;
    }
    let lower = String::from_utf8_lossy(name).to_ascii_lowercase();
    let rule = Rules::builtin().get("build-path")?;
    if rule.parameter("anybody").contains(&lower) {
        return None;
    }
    let is_machine = rule.parameter("machines").contains(&lower);
    Some(Home {
        at,
        name,
        kind: if is_machine {
            Kind::Machine
        } else {
            Kind::Person
        },
    })
}

/// The path at a place, to where it plainly ends.
fn path_at(bytes: &[u8], at: usize) -> String {
    let is_windows = bytes.get(at) == Some(&b':');
    let start = if is_windows { at.saturating_sub(1) } else { at };
    let rest = bytes.get(start..).unwrap_or_default();
    let is_part = |b: &&u8| {
        b.is_ascii_alphanumeric()
            || matches!(b, b'/' | b'\\' | b'.' | b'_' | b'-' | b'@' | b'+' | b':')
    };
    let len = rest.iter().take(PATH_MAX).take_while(is_part).count();
    short(&rest[..len])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposure::content::Prefilter;

    fn told(text: &str) -> Option<(String, String)> {
        let hits = Prefilter::new().scan(text.as_bytes());
        BuildPath
            .recognise(text.as_bytes(), &hits)
            .map(|found| (found.circumstance, found.detail))
    }

    #[test]
    fn the_folder_of_a_person_is_told_once() {
        let text = "at f (/home/jdoe/work/a.js:1:2)\nat g (/home/jdoe/work/b.js)\n\"/Users/mm/x\"";
        let said =
            "folder of user jdoe, 2 times, and of 1 other user, such as /home/jdoe/work/a.js:1:2";
        assert_eq!(told(text), Some((String::new(), said.into())));
        for text in [
            "C:\\Users\\j.doe\\src\\a.c",
            "\"C:\\\\Users\\\\j.doe\\\\src\\\\a.c\"",
            "file:///Users/jdoe/a.js",
        ] {
            assert!(
                told(text).is_some_and(|(kind, _)| kind.is_empty()),
                "{text}"
            );
        }
    }

    #[test]
    fn machines_are_said_and_nobody_is_not() {
        assert_eq!(
            told("/home/runner/work/acme/acme/src/a.ts").unwrap().0,
            "build-machine"
        );
        for text in [
            "/home/user/project/a.js",
            "/Users/username/Library",
            "https://acme.example/home/jdoe/a",
            "/home/",
            "/home/jdoe",
            "'/home/$USER/x'",
            "cd /home/jdoe/ && ls",
            "C:\\Users\\",
            "",
        ] {
            assert_eq!(told(text), None, "{text}");
        }
    }
}
