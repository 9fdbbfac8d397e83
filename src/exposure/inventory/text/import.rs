//! Packages that scripts load.
//!
//! A specifier is a literal behind `from`, in `import(…)` or in `require(…)`. Scripts that are not parsed otherwise load
//! packages too, so this reads the statement as bytes: between its `import` or `export` and its `from` nothing may stand
//! but names, commas and brackets of the clause (ECMA-262, 16.2.2), and comments and strings on its line do not count. What is told is the
//! package, without the path behind it: `@acme/core` for `@acme/core/a/b`.
//!
//! Left out: files of the program (`./a`, `#a`, `~/a`, `@/a`), modules of the runtime, other schemes (`virtual:a`), and
//! code within templates, which looks the same. A build's aliases (`@app/a`) look like packages, and are told.

use std::sync::LazyLock;

use super::marks::Marks;
use super::{Finds, Page};
use crate::exposure::inventory::Confidence;
use crate::lex::Family;

/// Longest clause between `import` and `from`, and longest specifier, in bytes.
const CLAUSE_MAX_BYTES: usize = 4_000;
const SPECIFIER_MAX_BYTES: usize = 214;

/// What stands before a specifier.
const WORDS: [&str; 3] = ["from", "import", "require"];

/// Modules of Node.js (`require('node:module').builtinModules`), with or without their scheme.
const BUILTIN: [&str; 42] = [
    "assert",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "console",
    "constants",
    "crypto",
    "dgram",
    "diagnostics_channel",
    "dns",
    "domain",
    "events",
    "fs",
    "http",
    "http2",
    "https",
    "inspector",
    "module",
    "net",
    "os",
    "path",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "readline",
    "repl",
    "stream",
    "string_decoder",
    "sys",
    "timers",
    "tls",
    "trace_events",
    "tty",
    "url",
    "util",
    "v8",
    "vm",
    "wasi",
    "worker_threads",
    "zlib",
];

/// Ends of files that builds load as modules.
const FILE_ENDS: [&str; 10] = [
    ".css", ".scss", ".less", ".json", ".svg", ".png", ".html", ".md", ".ts", ".wasm",
];

static MARKS: LazyLock<Marks> = LazyLock::new(|| Marks::new(WORDS));

/// Finds packages that a script loads.
pub(super) fn find(page: &Page, found: &mut Finds) {
    if page.family != Family::Script {
        return;
    }
    MARKS.each(page.bytes, |start, end, word| {
        let Some((at, specifier)) = specifier_behind(page, start, end, word == 0) else {
            return;
        };
        let Some(package) = package_of(specifier) else {
            return;
        };
        if !is_in_string(page, start) && !page.is_in_comment(start) {
            found.add(at, "import", package, Confidence::High);
        }
    });
}

/// The literal that a word loads, and where it begins.
fn specifier_behind<'t>(
    page: &Page<'t>,
    start: usize,
    end: usize,
    is_from: bool,
) -> Option<(usize, &'t str)> {
    let joins =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$' | b'.' | b'-' | b'"' | b'\'');
    if page.before(start).is_some_and(joins) {
        return None;
    }
    let rest = &page.bytes[end..page.bytes.len().min(end + SPECIFIER_MAX_BYTES + 80)];
    let inside = rest.trim_ascii_start();
    let (inside, is_call) = match inside.strip_prefix(b"(") {
        Some(inside) if !is_from => (inside.trim_ascii_start(), true),
        _ => (inside, false),
    };
    let (&quote, inside) = inside.split_first()?;
    let is_quote = matches!(quote, b'"' | b'\'') || (is_call && quote == b'`');
    if !is_quote {
        return None;
    }
    let len = inside.iter().position(|&b| b == quote)?;
    let specifier = std::str::from_utf8(&inside[..len]).ok()?;
    let behind = inside[len + 1..].trim_ascii_start().first();
    let stands = match (is_from, is_call) {
        (true, _) => follows_clause(page, start),
        // What is loaded for its effects alone is a statement.
        (false, false) => page.bytes[start..end] == *b"import" && begins_statement(page, start),
        (false, true) => matches!(behind, Some(b')' | b',')),
    };
    let at = end + (rest.len() - inside.len());
    stands.then_some((at.min(page.bytes.len()), specifier))
}

/// Whether the clause of an `import` or `export` stands before `at`.
fn follows_clause(page: &Page, at: usize) -> bool {
    let head = &page.bytes[at.saturating_sub(CLAUSE_MAX_BYTES)..at];
    let is_of_clause = |b: &u8| {
        b.is_ascii_alphanumeric()
            || b.is_ascii_whitespace()
            || matches!(
                b,
                b'{' | b'}' | b',' | b'*' | b'_' | b'$' | b'/' | b'"' | b'\'' | b'-'
            )
            || *b >= 0x80
    };
    let len = head.iter().rev().take_while(|b| is_of_clause(b)).count();
    let clause = &head[head.len() - len..];
    let keyword = [&b"import"[..], b"export"]
        .iter()
        .filter_map(|word| memchr::memmem::rfind(clause, word))
        .max();
    let Some(keyword) = keyword else { return false };
    let behind = clause.get(keyword + 6).copied();
    let start = at - (clause.len() - keyword);
    let opens = behind.is_some_and(|b| b.is_ascii_whitespace() || matches!(b, b'{' | b'*'));
    let inside = clause[keyword + 6..].trim_ascii();
    opens && !inside.is_empty() && begins_statement(page, start)
}

/// Whether a statement may begin at `at`.
fn begins_statement(page: &Page, at: usize) -> bool {
    let before = page.line_before(at).trim_ascii_end();
    before
        .last()
        .is_none_or(|b| matches!(b, b';' | b'}' | b'/' | b'{'))
}

/// Whether `at` lies in a string that begins on its line.
fn is_in_string(page: &Page, at: usize) -> bool {
    let mut open: Option<u8> = None;
    let mut is_escaped = false;
    for &byte in page.line_before(at) {
        match (open, byte) {
            _ if is_escaped => is_escaped = false,
            (Some(_), b'\\') => is_escaped = true,
            (Some(quote), _) if quote == byte => open = None,
            (None, b'"' | b'\'' | b'`') => open = Some(byte),
            _ => {}
        }
    }
    open.is_some()
}

/// The package of a specifier; `None` for files, modules of the runtime and other schemes.
fn package_of(specifier: &str) -> Option<&str> {
    let name = specifier.split(['?', '#']).next().unwrap_or(specifier);
    let mut slashes = name.match_indices('/').map(|(at, _)| at);
    let is_scoped = name.starts_with('@');
    let end = if is_scoped {
        slashes.nth(1)
    } else {
        slashes.next()
    };
    let package = &name[..end.unwrap_or(name.len())];
    let bare = package.strip_prefix('@').unwrap_or(package);
    let parts = bare.split('/');
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'~'))
    };
    let is_name = parts.clone().all(is_part) && parts.count() == if is_scoped { 2 } else { 1 };
    let is_file = !is_scoped && FILE_ENDS.iter().any(|end| package.ends_with(end));
    (is_name && !is_file && package.len() <= SPECIFIER_MAX_BYTES && !BUILTIN.contains(&package))
        .then_some(package)
}

#[cfg(test)]
mod tests {
    use super::super::super::items_of;

    fn imports(text: &str) -> Vec<String> {
        let text = format!("export function a(b: string) {{ return b === undefined; }}\n{text}");
        let items = items_of(text.as_bytes()).into_iter();
        items
            .filter(|item| item.kind == "import")
            .map(|item| item.value)
            .collect()
    }

    #[test]
    fn statements_and_calls_load_packages() {
        for (text, expected) in [
            ("import a from 'pkg';", "pkg"),
            ("import{a as b,c}from\"pkg/deep\";", "pkg"),
            ("import * as a from '@acme/core/x';", "@acme/core"),
            ("import type { A } from 'pkg';", "pkg"),
            ("import {\n  a, // what\n  type B,\n} from 'pkg';", "pkg"),
            ("import 'pkg';", "pkg"),
            ("export * from 'pkg';", "pkg"),
            ("const a = require('pkg');", "pkg"),
            ("const a = await import(\n  'pkg'\n);", "pkg"),
            ("let x; import a from 'pkg?raw';", "pkg"),
        ] {
            assert_eq!(imports(text), [expected], "{text}");
        }
    }

    #[test]
    fn files_and_other_texts_do_not() {
        for text in [
            "import a from './a';",
            "import a from '@/a';",
            "import a from '@ui';",
            "import a from 'node:fs';",
            "import a from 'fs/promises';",
            "import a from 'virtual:a';",
            "import a from 'a b';",
            "import './a.css';",
            "// import a from 'pkg';",
            "/**\n * import a from 'pkg';\n */",
            "const a = \"require('pkg')\";",
            "const a = `import b from 'pkg'`;",
            "a.from('pkg'); Array.from('pkg'); x = 'made from' + 'pkg';",
            "const a = { from: 'pkg' }; a.require('pkg');",
            "text('comes from', 'pkg');",
            "require(name);",
        ] {
            assert_eq!(imports(text), [""; 0], "{text}");
        }
    }
}
