//! Packages of the organisation that a file only names: lockfiles, and the indexes of package stores.
//!
//! After a leak the question is which machines hold the leaked release, and which were to install it. What a package
//! brings along says the first, wherever its manifest lies; what only names it says the second, and in the stores that
//! keep files without names it says what they are. So each package of the profile that such a file names is a link of the
//! kind `package`, `npm:NAME@VERSION`, and where it stands in the same store its content is found beside it.
//!
//! Only packages of the profile are told: a lockfile names thousands, and all of them would bury the few. Without a
//! profile nothing is. Files are known by what stands in them, never by their name; they are read token by token and line
//! by line, so that a fault or a size costs nothing. `lockfile` reads what people commit, `store` what tools keep.
//!
//! Left out: Bun's old binary lockfile, which is said to be unread; wheels, crates and other ecosystems.

mod lockfile;
mod store;

use std::collections::BTreeMap;

use bytes::Bytes;

use super::Organisation;
use crate::container::Trouble;

/// Packages of one file that are told; more are no file that a tool made.
const NAMED_MAX: usize = 10_000;
/// A longer name or version is none (npm allows 214 and 256); bytes.
const NAME_MAX: usize = 512;
/// How far from the beginning a text says what it is; bytes.
const HEAD: usize = 1024;
/// How Bun's old binary lockfile begins.
const BUN_LOCKB: &[u8] = b"#!/usr/bin/env bun\nbun-lockfile-format-";

/// What editors put before UTF-8.
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
/// The key that the lockfiles of npm and of Bun have.
const LOCKFILE_KEY: &[u8] = b"\"lockfileVersion\"";
/// The key that pnpm's file about one package has.
const PNPM_FILE_KEY: &[u8] = b"\"checkedAt\"";

/// A package that a file names: `npm:NAME@VERSION`, and the path of its content below the root of the same store.
pub type Package = (Vec<u8>, Option<Vec<u8>>);

/// What a file names.
#[derive(Debug)]
struct Named<'a> {
    org: &'a Organisation,
    /// By `npm:NAME@VERSION`: where the content is in the same store.
    found: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    is_full: bool,
    is_too_large: bool,
}

impl Named<'_> {
    /// Takes a package, if it is the organisation's.
    fn add(&mut self, name: &[u8], version: &[u8], beside: Option<Vec<u8>>) {
        let is_text = |text: &[u8]| {
            !text.is_empty() && text.len() <= NAME_MAX && text.iter().all(u8::is_ascii_graphic)
        };
        if !is_text(name) || !is_text(version) {
            return;
        }
        if !std::str::from_utf8(name).is_ok_and(|name| self.org.owns_package(name)) {
            return;
        }
        let target = [b"npm:", name, b"@", version].concat();
        if self.found.len() >= NAMED_MAX && !self.found.contains_key(&target) {
            self.is_full = true;
            return;
        }
        let known = self.found.entry(target).or_default();
        if known.is_none() {
            *known = beside;
        }
    }

    /// Takes `NAME@VERSION`.
    fn add_joined(&mut self, joined: &[u8], beside: Option<Vec<u8>>) {
        // The first `@` is that of a scope.
        let from = usize::from(!joined.is_empty());
        if let Some(at) = memchr::memrchr(b'@', &joined[from..]) {
            let (name, version) = joined.split_at(from + at);
            self.add(name, &version[1..], beside);
        }
    }
}

/// How content begins that may name packages; what it is, further bytes may have to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// JSON: a lockfile, or pnpm's file about one package, if it has their keys.
    Json,
    /// pnpm's lockfile.
    Pnpm,
    /// Yarn's lockfile, of either kind.
    Yarn,
    /// A bucket of npm's index.
    NpmIndex,
    /// A database, which may be that of pnpm's store.
    Database,
}

impl Beginning {
    /// What content that begins with `head` may be.
    pub fn of(head: &[u8]) -> Option<Self> {
        let head = without_mark(&head[..head.len().min(HEAD)]);
        let has = |word: &[u8]| memchr::memmem::find(head, word).is_some();
        let start = head.trim_ascii_start();
        if start.starts_with(b"{") {
            Some(Self::Json)
        } else if lockfile::begins_as_pnpm(start) {
            Some(Self::Pnpm)
        } else if has(b"# yarn lockfile v1")
            || has(b"\n__metadata:")
            || start.starts_with(b"__metadata:")
            || lockfile::begins_as_yarn(start)
        {
            Some(Self::Yarn)
        } else if store::is_npm_index(head) {
            Some(Self::NpmIndex)
        } else {
            store::is_database(head).then_some(Self::Database)
        }
    }

    /// Whether a window of content that begins so says that it names packages. Of content that is too large to be held
    /// this is all that can be told.
    pub fn is_told_by(self, window: &[u8]) -> bool {
        let has = |word: &[u8]| memchr::memmem::find(window, word).is_some();
        match self {
            Self::Json => has(LOCKFILE_KEY) || has(PNPM_FILE_KEY),
            Self::Pnpm | Self::Yarn | Self::NpmIndex => true,
            Self::Database => store::has_keys(window),
        }
    }
}

/// A text without the mark of its encoding, which editors put before UTF-8.
fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(UTF8_MARK).unwrap_or(text)
}

/// The packages of `org` that a file names, each with the path of its content in the same store, and what was not read.
pub fn packages_in(bytes: &Bytes, org: &Organisation) -> (Vec<Package>, Option<Trouble>) {
    let mut named = Named {
        org,
        found: BTreeMap::new(),
        is_full: false,
        is_too_large: false,
    };
    let text = bytes.slice(bytes.len() - without_mark(bytes).len()..);
    match Beginning::of(bytes) {
        Some(Beginning::Json) if memchr::memmem::find(&text, LOCKFILE_KEY).is_some() => {
            lockfile::json(&text, &mut named);
        }
        Some(Beginning::Json) if memchr::memmem::find(&text, PNPM_FILE_KEY).is_some() => {
            store::pnpm_index(&text, &mut named);
        }
        Some(Beginning::Pnpm) => lockfile::pnpm(&text, &mut named),
        Some(Beginning::Yarn) => lockfile::yarn(&text, &mut named),
        Some(Beginning::NpmIndex) => store::npm_index(&text, &mut named),
        Some(Beginning::Database) => store::pnpm_database(bytes, &mut named),
        Some(Beginning::Json) | None => {}
    }
    let trouble = if bytes.starts_with(BUN_LOCKB) {
        Some(Trouble::odd(
            "lockfile-unread",
            "Bun's binary lockfile: the packages that it names were not read; `bun install --save-text-lockfile` makes one that is",
        ))
    } else if named.is_too_large {
        Some(Trouble::damaged(
            "lockfile-unread",
            "it has the keys of a store's file about one package and is larger than is parsed; the package that it names was not read",
            None,
        ))
    } else {
        named.is_full.then(|| {
            Trouble::odd(
                "lockfile-unread",
                format!("more than {NAMED_MAX} packages of the profile are named here; the rest is not told"),
            )
        })
    };
    (named.found.into_iter().collect(), trouble)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn org() -> Organisation {
        Organisation::parse(
            "name = \"Acme\"\nscopes = [\"@acme\"]\npackages = [\"heron\"]",
            "x",
        )
        .expect("a profile")
    }

    fn named(text: &str) -> Vec<String> {
        let (found, _) = packages_in(&Bytes::copy_from_slice(text.as_bytes()), &org());
        let targets = found.into_iter().map(|(target, _)| target);
        targets
            .map(|target| String::from_utf8(target).expect("text"))
            .collect()
    }

    const BOTH: [&str; 2] = ["npm:@acme/cli@2.1.0", "npm:heron@1.0.0"];

    #[test]
    fn npm_lockfiles_of_all_versions() {
        let first = r#"{"name":"app","version":"1.0.0","lockfileVersion":1,"dependencies":{
            "heron":{"version":"1.0.0","dependencies":{"@acme/cli":{"version":"2.1.0","requires":{"left":"^1"}}}},
            "left":{"version":"3.0.0"}}}"#;
        assert_eq!(named(first), BOTH);
        let third = r#"{"lockfileVersion":3,"packages":{"":{"name":"heron","version":"9.9.9"},
            "node_modules/x/node_modules/@acme/cli":{"version":"2.1.0","dependencies":{"left":"1"}},
            "node_modules/bird":{"name":"heron","version":"1.0.0"},
            "node_modules/left":{"version":"3.0.0"}}}"#;
        assert_eq!(named(third), BOTH);
    }

    #[test]
    fn yarn_lockfiles_of_both_kinds() {
        let classic = "# yarn lockfile v1\n\n\n\"@acme/cli@^2.0.0\", \"@acme/cli@~2.1\":\n  version \"2.1.0\"\n  dependencies:\n    left \"1\"\n\nbird@npm:heron@1:\n  version \"1.0.0\"\n\nleft@1:\n  version \"3.0.0\"\n";
        assert_eq!(named(classic), BOTH);
        let berry = "__metadata:\n  version: 8\n\n\"@acme/cli@npm:^2.0.0, @acme/cli@npm:2\":\n  version: 2.1.0\n  resolution: \"@acme/cli@npm:2.1.0\"\n\n\"heron@npm:^1\":\n  version: 1.0.0\n  resolution: \"heron@npm:1.0.0\"\n\n\"heron@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"heron@workspace:.\"\n";
        assert_eq!(named(berry), BOTH);
    }

    #[test]
    fn pnpm_lockfiles_of_all_versions() {
        for keys in [
            "  /@acme/cli/2.1.0_react@18.0.0:\n    dev: true\n\n  /heron/1.0.0:\n",
            "  /@acme/cli@2.1.0(react@18.0.0):\n    dev: true\n\n  /heron@1.0.0:\n",
            "  '@acme/cli@2.1.0':\n    resolution: {}\n\n  heron@1.0.0:\n",
        ] {
            let text = format!("lockfileVersion: 5.4\n\npackages:\n\n{keys}\n  left@3.0.0:\n");
            assert_eq!(named(&text), BOTH, "{keys}");
        }
    }

    #[test]
    fn what_editors_and_tools_put_before_a_lockfile() {
        let json = r#"{"lockfileVersion":3,"packages":{"node_modules/@acme/cli":{"version":"2.1.0"},
            "node_modules/heron":{"version":"1.0.0"}}}"#;
        let pnpm = "lockfileVersion: '9.0'\n\npackages:\n\n  '@acme/cli@2.1.0':\n    resolution: {}\n\n  heron@1.0.0:\n";
        let yarn = "\"@acme/cli@^2.0.0\":\n  version \"2.1.0\"\n\nheron@1:\n  version \"1.0.0\"\n";
        for text in [json, pnpm, yarn] {
            assert_eq!(named(&format!("\u{feff}{text}")), BOTH, "{text}");
        }
        assert_eq!(named(&format!("---\n{pnpm}")), BOTH);
        assert_eq!(named(&format!("\u{feff}---\r\n{pnpm}")), BOTH);
        let second = format!("---\nlockfileVersion: '9.0'\n\nimporters:\n  .: {{}}\n---\n{pnpm}");
        assert_eq!(named(&second), BOTH);
        // Comments that people put before it, and what tells it without one.
        assert_eq!(named(&format!("# ours\n\n{yarn}")), BOTH);
        assert_eq!(named("name: x\nversion: 1\n"), [] as [&str; 0]);
    }

    #[test]
    fn names_behind_hosts_and_patches() {
        let pnpm = "lockfileVersion: 5.4\n\npackages:\n\n  host.example/@acme/cli/2.1.0_react@18.0.0:\n\n  localhost+4873/heron/1.0.0:\n\n  host.example/left/1.0.0:\n";
        assert_eq!(named(pnpm), BOTH);
        let berry = "__metadata:\n  version: 8\n\n\"@acme/cli@patch:@acme/cli@npm%3A2.1.0#~/.yarn/x.patch\":\n  version: 2.1.0\n  resolution: \"@acme/cli@patch:@acme/cli@npm%3A2.1.0#~/.yarn/x.patch::version=2.1.0&hash=aa\"\n\n\"heron@patch:heron@^1#./x.patch\":\n  version: 1.0.0\n  resolution: \"heron@patch:heron@npm%3A1.0.0#./x.patch::version=1.0.0&hash=aa\"\n";
        assert_eq!(named(berry), BOTH);
    }

    #[test]
    fn buns_text_lockfile() {
        let text = r#"{ "lockfileVersion": 1, "workspaces": { "": { "dependencies": { "heron": "^1", }, }, },
            "packages": { "@acme/cli": ["@acme/cli@2.1.0", "", { "dependencies": { "left": "1" } }, "sha512-x"],
            "x/heron": ["heron@1.0.0", "", {}, "sha512-y"], "left": ["left@3.0.0", "", {}, ""], } }"#;
        assert_eq!(named(text), BOTH);
    }

    #[test]
    fn other_texts_name_nothing() {
        for text in [
            "",
            "{}",
            "@acme/cli@2.1.0",
            r#"{"name":"app","version":"1.0.0","dependencies":{"@acme/cli":"2.1.0"}}"#,
            "packages:\n  '@acme/cli@2.1.0':\n",
        ] {
            assert_eq!(named(text), [] as [&str; 0], "{text}");
        }
        let deep = format!("{}\"lockfileVersion\"", "{\"packages\":".repeat(200_000));
        assert_eq!(named(&deep), [] as [&str; 0]);
        let cut = r#"{"lockfileVersion":3,"packages":{"node_modules/heron":{"version":"1.0.0"},"node_mod"#;
        assert_eq!(named(cut), ["npm:heron@1.0.0"]);
    }

    proptest! {
        #[test]
        fn any_text_behind_a_beginning_is_survived(start in 0..6_usize, rest in "[ -~\n]{0,200}") {
            let starts = ["{\"lockfileVersion\":3,", "lockfileVersion: 9\npackages:\n", "# yarn lockfile v1\n",
                "__metadata:\n", "{\"checkedAt\":", "SQLite format 3\0"];
            named(&format!("{}{rest}", starts[start]));
        }
    }
}
