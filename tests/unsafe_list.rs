//! `unsafe` stays where it is looked after: a short list of leaf modules, and nowhere else.

use std::path::{Path, PathBuf};

/// The only files that may hold `unsafe`: a setting of the allocator, the calls of libdeflate, the memory map of signature
/// sets, SIMD; and of the tests the allocator that counts what a parser holds.
const ALLOWED: [&str; 6] = [
    "src/cli/heap.rs",
    "src/container/inflate.rs",
    "src/signature/mmap.rs",
    "src/sourcemap/block.rs",
    "tests/fuzz/watch.rs",
    "tests/wall.rs",
];

/// Rust with comments, strings and character literals blanked out.
fn code_only(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(len) = raw_string(rest, &code) {
            len
        } else if rest.starts_with('"') {
            quoted(rest, '"')
        } else if let Some(len) = character(rest) {
            len
        } else {
            let next = rest.chars().next().map_or(1, char::len_utf8);
            code.push_str(&rest[..next]);
            at += next;
            continue;
        };
        code.push(' ');
        at += skipped;
    }
    code
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    loop {
        let rest = &text[at..];
        if rest.is_empty() {
            return at;
        }
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
}

/// Length of a raw string that begins here, which no name may run into.
fn raw_string(text: &str, before: &str) -> Option<usize> {
    let in_name = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    let hashed = text.strip_prefix("br").or(text.strip_prefix('r'))?;
    let hashes = hashed.len() - hashed.trim_start_matches('#').len();
    if in_name || !hashed[hashes..].starts_with('"') {
        return None;
    }
    let opening = text.len() - hashed.len() + hashes + 1;
    let end = format!("\"{}", "#".repeat(hashes));
    let len = text[opening..]
        .find(&end)
        .map(|at| opening + at + end.len());
    Some(len.unwrap_or(text.len()))
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, found) in text.char_indices().skip(1) {
        match found {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            found if found == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Length of a character literal that begins here; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('\'')?;
    let first = inner.chars().next()?;
    let is_literal = first == '\\' || inner[first.len_utf8()..].starts_with('\'');
    is_literal.then(|| quoted(text, '\''))
}

/// The words of some code.
fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !(c.is_alphanumeric() || c == '_'))
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn unsafe_stands_in_the_listed_files_and_nowhere_else() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches"] {
        rust_files(&root.join(folder), &mut files);
    }
    assert!(files.len() > 20, "the sources were found");
    let (mut allowing, mut holding) = (Vec::new(), Vec::new());
    for path in &files {
        let code = code_only(&std::fs::read_to_string(path).unwrap());
        let name = path
            .strip_prefix(root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let plain: String = code.split_whitespace().collect();
        if ["allow(unsafe_code", "expect(unsafe_code"]
            .iter()
            .any(|attribute| plain.contains(attribute))
        {
            allowing.push(name.clone());
        }
        if words(&code).any(|word| word == "unsafe") {
            holding.push(name);
        }
    }
    allowing.sort();
    holding.sort();
    assert_eq!(allowing, ALLOWED, "files that allow unsafe code");
    assert_eq!(holding, ALLOWED, "files that hold unsafe code");
}

#[test]
fn the_root_denies_unsafe_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    let code = code_only(&std::fs::read_to_string(root).unwrap());
    assert!(code.contains("#![deny(unsafe_code)]") || code.contains("#![forbid(unsafe_code)]"));
}

#[test]
fn the_search_is_not_fooled() {
    let code = |text| words(&code_only(text)).any(|word| word == "unsafe");
    assert!(code("fn f() { unsafe { g() } }"));
    assert!(code("/* a /* b */ c */ unsafe fn f() {}"));
    assert!(code("let q = '\"'; unsafe { g() }"));
    assert!(code("let q = '\\''; unsafe { g() }"));
    assert!(code("fn f<'a>(x: &'a str) { unsafe { g(x) } }"));
    assert!(!code("// unsafe\n/* unsafe */ let unsafe_code = 1;"));
    assert!(!code("let a = \"unsafe \\\" unsafe\";"));
    assert!(!code(
        "let a = r#\"unsafe \" unsafe\"#; let b = br\"unsafe\";"
    ));
}
