//! Where a recovered source is written: a path that resembles the project and cannot leave the folder.
//!
//! Names in maps are hostile and odd: `../../node_modules/x`, `webpack://app/./src/a.ts?1f2e`, `C:\x`, names that
//! only differ in case, names of devices. Each component is escaped reversibly (`%XX`), in the same way on every
//! system, so that a tree written on Linux can be copied to any other. What cannot be told apart by its name gets
//! a piece of its digest.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::blob::locator::is_control_or_bidi;

/// Longest component, in bytes; file systems take 255, and room is left for what is added.
const COMPONENT_MAX: usize = 180;
/// Longest path below the output folder, in bytes.
const PATH_MAX: usize = 900;

/// Names that Windows keeps for devices, with any ending.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

/// One component of a path, safe everywhere.
pub fn component(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    match name {
        b"." => return "%2E".to_owned(),
        b".." => return "%2E%2E".to_owned(),
        _ => {}
    }
    for chunk in name.utf8_chunks() {
        for character in chunk.valid().chars() {
            if is_safe(character) {
                text.push(character);
            } else {
                let mut buffer = [0; 4];
                character
                    .encode_utf8(&mut buffer)
                    .bytes()
                    .for_each(|byte| percent(byte, &mut text));
            }
        }
        chunk
            .invalid()
            .iter()
            .for_each(|&byte| percent(byte, &mut text));
    }
    // Windows drops these at the end of a name.
    if let Some(last) = text.pop() {
        if last == '.' || last == ' ' {
            percent(last as u8, &mut text);
        } else {
            text.push(last);
        }
    }
    if is_device(&text) {
        let first = text.remove(0);
        let mut escaped = String::new();
        percent(first as u8, &mut escaped);
        text.insert_str(0, &escaped);
    }
    shorten(text, name)
}

fn is_safe(character: char) -> bool {
    !is_control_or_bidi(character)
        && !matches!(
            character,
            '%' | '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|'
        )
}

fn percent(byte: u8, text: &mut String) {
    let _ = write!(text, "%{byte:02X}");
}

fn is_device(text: &str) -> bool {
    let stem = text
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_end()
        .to_ascii_lowercase();
    DEVICES.iter().any(|device| {
        stem.strip_prefix(device).is_some_and(|rest| {
            if device.starts_with("com") || device.starts_with("lpt") {
                rest.len() == 1 && rest.bytes().all(|byte| byte.is_ascii_digit())
            } else {
                rest.is_empty()
            }
        })
    })
}

/// A name that is too long keeps its beginning and its ending, and gets a digest of all of it between.
fn shorten(text: String, name: &[u8]) -> String {
    if text.len() <= COMPONENT_MAX {
        return text;
    }
    let digest = blake3::hash(name).to_hex();
    let mut end = COMPONENT_MAX - 40;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let ending = extension(&text)
        .filter(|ending| ending.len() <= 12)
        .unwrap_or_default();
    format!("{}~{}{ending}", &text[..end], &digest[..16])
}

/// The ending of a name, with its dot.
fn extension(name: &str) -> Option<&str> {
    name.rfind('.').filter(|&at| at > 0).map(|at| &name[at..])
}

/// The components of a source's URL: the scheme of `webpack://` and its like becomes a folder.
fn components(url: &[u8]) -> Vec<String> {
    let (scheme, rest) = match memchr::memmem::find(url, b"://") {
        Some(at) if at > 0 && url[..at].iter().all(u8::is_ascii_alphanumeric) => {
            (Some(&url[..at]), &url[at + 3..])
        }
        _ => (None, url),
    };
    let mut parts: Vec<String> = scheme.into_iter().map(component).collect();
    parts.extend(
        rest.split(|&byte| byte == b'/')
            .filter(|part| !part.is_empty() && *part != b".")
            .map(component),
    );
    if parts.is_empty() {
        parts.push("%00unnamed".to_owned());
    }
    parts
}

/// Gives each source a path of its own.
#[derive(Debug, Default)]
pub struct Layout {
    /// Files by their path in lower case: the path as written, and the digest of what is there.
    files: BTreeMap<String, (String, [u8; 32])>,
    /// Folders by their path in lower case, as written.
    folders: BTreeMap<String, String>,
}

/// Where a source goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slot {
    /// To a new file at this path.
    New(String),
    /// The same content is there already, under the same name.
    There(String),
}

impl Layout {
    /// A path for a source: `root` are folders above it, `url` its resolved name, `sha256` its content.
    pub fn place(&mut self, root: &[String], url: &[u8], sha256: &[u8; 32]) -> Slot {
        let mut parts: Vec<String> = root.to_vec();
        parts.extend(components(url));
        if parts.iter().map(|part| part.len() + 1).sum::<usize>() > PATH_MAX {
            let digest = blake3::hash(url).to_hex();
            let last = parts.pop().unwrap_or_default();
            parts.truncate(root.len());
            parts.push(format!("%00long~{}", &digest[..16]));
            parts.push(last);
        }
        let Some(name) = parts.pop() else {
            return Slot::New("%00unnamed".to_owned());
        };
        let folder = self.enter(&parts);
        self.take(&folder, &name, sha256)
    }

    /// The folder for these components: a component that is a file there already, or a folder that differs only
    /// in case, gets a mark.
    fn enter(&mut self, parts: &[String]) -> String {
        let mut path = String::new();
        for part in parts {
            let parent = path.clone();
            let mut name = part.clone();
            let mut attempt = 0;
            loop {
                let candidate = join(&parent, &name);
                let folded = candidate.to_lowercase();
                let clash = self.files.contains_key(&folded)
                    || self
                        .folders
                        .get(&folded)
                        .is_some_and(|held| *held != candidate);
                if !clash {
                    self.folders.insert(folded, candidate.clone());
                    path = candidate;
                    break;
                }
                attempt += 1;
                name = format!("{part}~{attempt}");
            }
        }
        path
    }

    fn take(&mut self, folder: &str, name: &str, sha256: &[u8; 32]) -> Slot {
        let (stem, ending) = match extension(name) {
            Some(ending) => (&name[..name.len() - ending.len()], ending),
            None => (name, ""),
        };
        let digest: String = sha256[..4]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let mut attempt = 0;
        loop {
            let candidate = match attempt {
                0 => name.to_owned(),
                1 => format!("{stem}~{digest}{ending}"),
                n => format!("{stem}~{digest}~{n}{ending}"),
            };
            let path = join(folder, &candidate);
            let folded = path.to_lowercase();
            match self.files.get(&folded) {
                Some((held, content)) if *held == path && content == sha256 => {
                    return Slot::There(path);
                }
                None if !self.folders.contains_key(&folded) => {
                    self.files.insert(folded, (path.clone(), *sha256));
                    return Slot::New(path);
                }
                _ => attempt += 1,
            }
        }
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn new(layout: &mut Layout, url: &[u8], content: u8) -> String {
        match layout.place(&[], url, &[content; 32]) {
            Slot::New(path) => path,
            Slot::There(path) => panic!("{path} was there"),
        }
    }

    #[test]
    fn names_that_try_to_leave_stay_below() {
        let mut layout = Layout::default();
        assert_eq!(new(&mut layout, b"../../etc/x", 1), "%2E%2E/%2E%2E/etc/x");
        assert_eq!(new(&mut layout, b"/abs/x", 1), "abs/x");
        assert_eq!(new(&mut layout, b"C:\\x", 1), "C%3A%5Cx");
        assert_eq!(
            new(&mut layout, b"webpack://app/./src/a.ts", 1),
            "webpack/app/src/a.ts"
        );
        assert_eq!(new(&mut layout, b"nul.txt", 1), "%6Eul.txt");
        assert_eq!(new(&mut layout, b"a\0b", 1), "a%00b");
        assert_eq!(new(&mut layout, b"", 1), "%00unnamed");
    }

    #[test]
    fn both_of_two_with_one_name_are_kept() {
        let mut layout = Layout::default();
        assert_eq!(new(&mut layout, b"src/a.ts", 1), "src/a.ts");
        assert_eq!(new(&mut layout, b"src/a.ts", 2), "src/a~02020202.ts");
        assert_eq!(
            layout.place(&[], b"src/a.ts", &[2; 32]),
            Slot::There("src/a~02020202.ts".to_owned())
        );
        assert_eq!(new(&mut layout, b"SRC/b.ts", 1), "SRC~1/b.ts");
        assert_eq!(new(&mut layout, b"src/A.ts", 3), "src/A~03030303.ts");
    }

    #[test]
    fn a_file_and_a_folder_of_one_name_are_both_kept() {
        let mut layout = Layout::default();
        assert_eq!(new(&mut layout, b"x/lib", 1), "x/lib");
        assert_eq!(new(&mut layout, b"x/lib/a.js", 1), "x/lib~1/a.js");
        assert_eq!(new(&mut layout, b"y/lib/a.js", 1), "y/lib/a.js");
        assert_eq!(new(&mut layout, b"y/lib", 1), "y/lib~01010101");
    }

    proptest! {
        #[test]
        fn no_path_ever_leaves_or_repeats(urls in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..30)) {
            let mut layout = Layout::default();
            let mut seen = BTreeSet::new();
            for (index, url) in urls.iter().enumerate() {
                let Slot::New(path) = layout.place(&["in".to_owned()], url, &[index as u8; 32]) else { continue };
                prop_assert!(path.starts_with("in/"));
                prop_assert!(!path.split('/').any(|part| part.is_empty() || part == "." || part == ".."));
                prop_assert!(!path.contains(['\\', '\0', ':']));
                prop_assert!(seen.insert(path.to_lowercase()));
            }
        }
    }
}
