//! Folders of the machine that a build ran on, and whose they are.
//!
//! An absolute path below a home folder names who built it; one below the folder of a build system names that. Both say how
//! the vendor works, and neither belongs in what is shipped.

use std::sync::LazyLock;

use super::marks::Marks;
use super::{Finds, Page};
use crate::exposure::inventory::Confidence;

/// Where home folders lie, and where systems build.
const ROOTS: [(&str, bool); 12] = [
    ("/Users/", true),
    ("/home/", true),
    (":\\Users\\", true),
    (":\\\\Users\\\\", true),
    (":/Users/", true),
    ("/var/lib/jenkins/", false),
    ("/home/runner/work/", false),
    ("/builds/", false),
    ("/__w/", false),
    ("/workspace/source/", false),
    ("/buildkite/builds/", false),
    ("/opt/atlassian/pipelines/", false),
];

/// Names that stand for anybody's, or that every machine of a kind has.
const NOBODYS: [&str; 44] = [
    "alice",
    "app",
    "bar",
    "bob",
    "circleci",
    "coder",
    "codespace",
    "default",
    "demo",
    "deploy",
    "dev",
    "docker",
    "example",
    "foo",
    "foobar",
    "git",
    "gitpod",
    "jane",
    "jdoe",
    "joe",
    "john",
    "johndoe",
    "me",
    "myuser",
    "name",
    "node",
    "nonexistent",
    "public",
    "root",
    "runner",
    "shared",
    "someone",
    "someuser",
    "test",
    "ubuntu",
    "user",
    "user1",
    "username",
    "vagrant",
    "vscode",
    "web_user",
    "you",
    "yourname",
    "youruser",
];

/// Longest path that is told, in bytes.
const PATH_MAX_BYTES: usize = 300;

static MARKS: LazyLock<Marks> = LazyLock::new(|| Marks::new(ROOTS.map(|(root, _)| root)));

/// Finds paths of builds, and the users that they name.
pub(super) fn find(page: &Page, found: &mut Finds) {
    MARKS.each(page.bytes, |at, _, number| {
        if let Some((root, is_home)) = ROOTS.get(number) {
            read(page, at, root, *is_home, found);
        }
    });
}

fn read(page: &Page, at: usize, root: &str, is_home: bool, found: &mut Finds) {
    // A drive's letter stands before its colon.
    let drive = usize::from(root.starts_with(':'));
    let start = at.saturating_sub(drive);
    if !begins_path(page, start, root) {
        return;
    }
    let head = root.len() + drive;
    let path = path_from(page, start).filter(|path| path.len() > head);
    let Some(behind) = path.and_then(|path| path.get(head..)) else {
        return;
    };
    let owner = behind.split(['/', '\\']).next().unwrap_or_default();
    let is_somebodys = is_home && is_name(owner);
    if is_home && !is_somebodys && owner != "runner" {
        return;
    }
    let path = path.unwrap_or_default().replace("\\\\", "\\");
    if path.matches(['/', '\\']).count() >= 3 {
        found.add(start, "build-path", path, Confidence::High);
    }
    if is_somebodys {
        let detail = Some("the home folder of a user".to_owned());
        found.add_with(start, "person", owner, Confidence::High, detail);
    }
}

/// Whether a path may begin at `start`: a URL or a longer path has such folders too.
fn begins_path(page: &Page, start: usize, root: &str) -> bool {
    if root.starts_with(':') {
        return page.byte(start).is_some_and(|b| b.is_ascii_alphabetic())
            && !page
                .before(start)
                .is_some_and(|b| b.is_ascii_alphanumeric());
    }
    match page.before(start) {
        None => true,
        Some(b'/') => page.line_before(start).ends_with(b"file://"),
        Some(byte) => {
            byte.is_ascii_whitespace()
                || matches!(
                    byte,
                    b'"' | b'\'' | b'`' | b'(' | b'=' | b':' | b'[' | b'<' | b',' | b'>'
                )
        }
    }
}

fn path_from<'t>(page: &Page<'t>, start: usize) -> Option<&'t str> {
    let rest = &page.bytes[start..page.bytes.len().min(start + PATH_MAX_BYTES)];
    let len = rest
        .iter()
        .take_while(|b| {
            b.is_ascii_alphanumeric()
                || matches!(
                    b,
                    b'/' | b'\\' | b'.' | b'_' | b'-' | b'@' | b'+' | b':' | b'~'
                )
        })
        .count();
    let path = std::str::from_utf8(&rest[..len]).ok()?;
    Some(path.trim_end_matches(['.', ':', '/', '\\']))
}

/// Whether it can be the name of one user.
fn is_name(owner: &str) -> bool {
    let first = owner.bytes().next();
    owner.len() > 1
        && owner.len() <= 32
        && first.is_some_and(|b| b.is_ascii_alphabetic())
        && owner
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        && !NOBODYS.contains(&owner.to_ascii_lowercase().as_str())
}
