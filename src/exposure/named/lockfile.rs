//! Lockfiles: npm's in all three versions (and the one that it keeps in `node_modules`), Bun's text, Yarn's of both kinds,
//! pnpm's from the fifth on.
//!
//! JSON is read token by token (Bun's has commas that JSON has not). Of YAML nothing is needed but the keys of one section,
//! which tools write in one form: two blanks before the key, a colon behind it.

use bytes::Bytes;

use super::Named;
use crate::container::json::{Shape, Token, Tokens, unescape};

/// Levels of which the keys are kept; what lies deeper names nothing.
const DEPTH_MAX: usize = 512;

/// An object or array that is open.
#[derive(Default)]
struct Level {
    /// The key in the level above that it is the value of.
    key: Bytes,
    /// The key that was met last in it.
    last: Bytes,
    name: Option<Bytes>,
    version: Option<Bytes>,
    /// Values met so far, where it is an array.
    values: usize,
}

/// Reads a lockfile of npm or of Bun.
pub(super) fn json(document: &Bytes, named: &mut Named) {
    let mut levels: Vec<Level> = Vec::new();
    let mut deeper = 0_usize;
    for token in Tokens::new(document.clone()) {
        match token {
            Token::Open(_) if levels.len() >= DEPTH_MAX => deeper += 1,
            Token::Close(_) if deeper > 0 => deeper -= 1,
            _ if deeper > 0 => {}
            Token::Open(_) => {
                let key = levels.last_mut().map(|level| {
                    level.values += 1;
                    level.last.clone()
                });
                levels.push(Level {
                    key: key.unwrap_or_default(),
                    ..Level::default()
                });
            }
            Token::Close(shape) => {
                let Some(level) = levels.pop() else { continue };
                if shape == Shape::Object {
                    close_entry(&level, &levels, named);
                }
            }
            Token::Key(key) => {
                if let Some(level) = levels.last_mut() {
                    level.last = key;
                }
            }
            Token::Text(text) => take_text(text, &mut levels, named),
            Token::Word(_) => {
                if let Some(level) = levels.last_mut() {
                    level.values += 1;
                }
            }
        }
    }
}

fn take_text(text: Bytes, levels: &mut [Level], named: &mut Named) {
    let depth = levels.len();
    let Some((level, above)) = levels.split_last_mut() else {
        return;
    };
    // Bun: "packages": { KEY: ["NAME@VERSION", …] }
    if depth == 3 && level.values == 0 && above[1].key == "packages" && level.last.is_empty() {
        named.add_joined(&unescape(&text), None);
    }
    level.values += 1;
    match level.last.as_ref() {
        b"name" => level.name = Some(text),
        b"version" => level.version = Some(text),
        _ => {}
    }
}

/// The end of an object that may be a package: below `packages`, by its path; below `dependencies`, by its key.
fn close_entry(level: &Level, above: &[Level], named: &mut Named) {
    let (Some(version), Some(parent)) = (&level.version, above.last()) else {
        return;
    };
    let path = unescape(&level.key);
    let name = match parent.key.as_ref() {
        b"packages" if above.len() == 2 => match &level.name {
            Some(name) => unescape(name),
            // The root and workspaces are named by folders; what is installed lies in `node_modules`.
            None => match memchr::memmem::rfind(&path, b"node_modules/") {
                Some(at) => path[at + b"node_modules/".len()..].to_vec().into(),
                None => return,
            },
        },
        b"dependencies" => path.as_ref().into(),
        _ => return,
    };
    // The entry of the project itself is what is locked, not what is named.
    if !path.is_empty() {
        // An alias of the first version: `npm:NAME@VERSION`.
        let version = unescape(version);
        match version.strip_prefix(b"npm:") {
            Some(joined) => named.add_joined(joined, None),
            None => named.add(&name, &version, None),
        }
    }
}

/// Reads a lockfile of Yarn: its first kind, and the one that is YAML.
pub(super) fn yarn(text: &[u8], named: &mut Named) {
    let mut name = Vec::new();
    let mut version = Vec::new();
    for line in text.split(|&byte| byte == b'\n') {
        let line = line.trim_ascii_end();
        let indent = line.iter().take_while(|byte| **byte == b' ').count();
        if indent == 0 {
            if let Some(key) = line.strip_suffix(b":") {
                name = name_of_range(key);
                version.clear();
            }
            continue;
        }
        if indent != 2 || name.is_empty() {
            continue;
        }
        let field = &line[indent..];
        if let Some(value) = field.strip_prefix(b"version ") {
            named.add(&name, unquoted(value), None);
        } else if let Some(value) = field.strip_prefix(b"version: ") {
            version = unquoted(value).to_vec();
        } else if let Some(value) = field.strip_prefix(b"resolution: ")
            && let value = unquoted(value)
            && let Some(name) = resolved_name(value)
        {
            named.add(name, &version, None);
        }
    }
}

/// The name of what came from a registry, changed by a patch or not: `@a/b@npm:1.0.0`, `x@patch:x@npm%3A1.0.0#…`.
fn resolved_name(resolution: &[u8]) -> Option<&[u8]> {
    let ways: [&[u8]; 2] = [b"@npm:", b"@patch:"];
    let mut ends = ways
        .iter()
        .filter_map(|way| memchr::memmem::find(resolution, way));
    let first = ends.next();
    let end = ends.chain(first).min()?;
    Some(&resolution[..end])
}

/// Whether a text is a lockfile of Yarn's first kind that lost its comment: an entry headed by ranges, and its version.
pub(super) fn begins_as_yarn(text: &[u8]) -> bool {
    let mut lines = text
        .split(|&byte| byte == b'\n')
        .map(<[u8]>::trim_ascii_end)
        .filter(|line| !line.is_empty() && !line.starts_with(b"#"));
    let is_head = |line: &[u8]| {
        let key = line.strip_suffix(b":").map(|key| (key, name_of_range(key)));
        key.is_some_and(|(key, name)| !name.is_empty() && !key.contains(&b'{'))
    };
    lines.next().is_some_and(is_head)
        && (lines.next()).is_some_and(|line| line.starts_with(b"  version \""))
}

/// Whether a text is a lockfile of pnpm, also one with the mark of a document before it.
pub(super) fn begins_as_pnpm(text: &[u8]) -> bool {
    let first = text.strip_prefix(b"---").unwrap_or(text);
    first.trim_ascii_start().starts_with(b"lockfileVersion:")
}

/// The name in the first of the ranges that head an entry: `"@a/b@^1", "@a/b@2"`, `x@npm:name@1`.
fn name_of_range(key: &[u8]) -> Vec<u8> {
    let first = key.split(|&byte| byte == b',').next().unwrap_or(key);
    let first = unquoted(first);
    let from = usize::from(!first.is_empty());
    let Some(at) = memchr::memchr(b'@', &first[from..]) else {
        return Vec::new();
    };
    let (name, range) = first.split_at(from + at);
    let alias = range.strip_prefix(b"@npm:").filter(|alias| {
        let from = usize::from(!alias.is_empty());
        memchr::memchr(b'@', &alias[from..]).is_some()
    });
    alias.map_or_else(
        || name.to_vec(),
        |alias| {
            let at = memchr::memrchr(b'@', alias).unwrap_or(alias.len());
            alias[..at].to_vec()
        },
    )
}

/// Reads a lockfile of pnpm: the keys of `packages` and `snapshots`.
pub(super) fn pnpm(text: &[u8], named: &mut Named) {
    let mut is_inside = false;
    for line in text.split(|&byte| byte == b'\n') {
        let line = line.trim_ascii_end();
        if !line.is_empty() && !line.starts_with(b" ") {
            is_inside = matches!(line, b"packages:" | b"snapshots:");
            continue;
        }
        let key = line
            .strip_prefix(b"  ")
            .filter(|key| !key.starts_with(b" "));
        let (true, Some(key)) = (is_inside, key) else {
            continue;
        };
        // What has nothing to say has `{}` behind the colon.
        let key = key.strip_suffix(b" {}").unwrap_or(key);
        if let Some(key) = key.strip_suffix(b":") {
            add_dep_path(unquoted(key), named);
        }
    }
}

/// A package by pnpm's path of it: `/@a/b/1.0.0_peer`, `HOST/@a/b/1.0.0`, `/@a/b@1.0.0(peer)`, `@a/b@1.0.0`.
fn add_dep_path(path: &[u8], named: &mut Named) {
    let path = path.split(|&byte| byte == b'(').next().unwrap_or(path);
    let bare = match memchr::memchr(b'/', path) {
        // A host may have a port, and stands before the path of the others.
        Some(at) if is_host(&path[..at]) => &path[at + 1..],
        _ => path.strip_prefix(b"/").unwrap_or(path),
    };
    let slashes = bare.iter().filter(|&&byte| byte == b'/').count();
    let is_old = bare.len() < path.len() && slashes == 1 + usize::from(bare.starts_with(b"@"));
    if !is_old {
        named.add_joined(bare, None);
    } else if let Some(at) = memchr::memrchr(b'/', bare) {
        let version = bare[at + 1..].split(|&byte| byte == b'_').next();
        named.add(&bare[..at], version.unwrap_or_default(), None);
    }
}

/// Whether the beginning of a path is the host of a registry: no name of a package has a folder that is no scope.
fn is_host(text: &[u8]) -> bool {
    !text.is_empty() && !text.starts_with(b"@") && !text.contains(&b'@')
}

/// A scalar without its quotes.
fn unquoted(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii();
    match text {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
        [b'"', rest @ ..] | [b'\'', rest @ ..] => rest,
        _ => text,
    }
}
