//! Expressions as other programs write them, for the engine that runs them here.
//!
//! gitleaks runs on Go's expressions, Kingfisher and Nosey Parker on two engines at once. Both are near to ours; what differs
//! is little and always the same: a `{` that counts nothing is a brace there and an error here; `[` in a class is a
//! bracket there and begins a class within it here, as `&&`, `--` and `~~` are operators here only; and a comment
//! `(?#…)` is unknown here. Escapes of ASCII marks are the same.
//!
//! Everything is run on bytes, in ASCII: what `\w`, `\d` and `\s` mean in Go, and what makes an expression small enough to
//! be compiled. One that asks for a class of Unicode is compiled with it.

use regex_automata::meta;
use regex_automata::util::syntax;
use regex_syntax::hir::Hir;

/// Compiled, an expression takes no more; bytes. gitleaks' largest takes some 12 MB.
const SIZE_MAX: usize = 64 << 20;

/// Nesting of an expression; deeper ones are nobody's.
const NEST_MAX: u32 = 100;

/// Whose expressions they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Go's RE2.
    Go,
    /// As here, but for comments.
    Rust,
}

/// An expression that can be run, and what it consists of.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// To search with.
    pub regex: meta::Regex,
    /// To ask what it demands.
    pub hir: Hir,
}

/// Compiles an expression.
///
/// # Errors
/// What the compiler says, in one line.
pub fn compile(pattern: &str, dialect: Dialect) -> Result<Compiled, String> {
    let plain = without_comments(pattern);
    let fixed = fixed(&plain);
    let tries: &[(&str, bool)] = match dialect {
        Dialect::Go => &[(&fixed, false), (&fixed, true)],
        Dialect::Rust => &[
            (&plain, false),
            (&plain, true),
            (&fixed, false),
            (&fixed, true),
        ],
    };
    let mut first = None;
    for (pattern, unicode) in tries {
        match compile_as(pattern, *unicode) {
            Ok(compiled) => return Ok(compiled),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.unwrap_or_default())
}

/// The syntax of an expression over bytes.
pub(super) fn parsed(pattern: &str, unicode: bool) -> Result<Hir, Box<regex_syntax::Error>> {
    regex_syntax::ParserBuilder::new()
        .unicode(unicode)
        .utf8(false)
        .nest_limit(NEST_MAX)
        .build()
        .parse(pattern)
        .map_err(Box::new)
}

fn compile_as(pattern: &str, unicode: bool) -> Result<Compiled, String> {
    let hir = parsed(pattern, unicode).map_err(|error| last_line(&error.to_string()))?;
    let config = meta::Config::new()
        .utf8_empty(false)
        .nfa_size_limit(Some(SIZE_MAX))
        // Most rules never run: what is built ahead costs more than it gives.
        .dfa(false)
        .onepass(false);
    let syntax = syntax::Config::new()
        .unicode(unicode)
        .utf8(false)
        .nest_limit(NEST_MAX);
    let regex = meta::Builder::new()
        .configure(config)
        .syntax(syntax)
        .build(pattern)
        .map_err(|error| last_line(&error.to_string()))?;
    Ok(Compiled { regex, hir })
}

/// Messages draw the expression over several lines; what is wrong stands in the last.
fn last_line(message: &str) -> String {
    message
        .lines()
        .next_back()
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// The expression without `(?#…)`.
fn without_comments(pattern: &str) -> String {
    let mut plain = String::with_capacity(pattern.len());
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        if !in_class && rest.starts_with("(?#") {
            let end = rest.find(')').map_or(rest.len(), |end| end + 1);
            rest = &rest[end..];
            continue;
        }
        let len = unit_len(rest, c);
        let unit = &rest[..len];
        match unit {
            "[" => in_class = true,
            "]" => in_class = false,
            _ => {}
        }
        plain.push_str(unit);
        rest = &rest[len..];
        // The first `]` of a class is a member.
        if unit == "[" {
            let members = ["^]", "]", "^"]
                .into_iter()
                .find(|start| rest.starts_with(start));
            let members = members.unwrap_or_default();
            plain.push_str(members);
            rest = &rest[members.len()..];
        }
    }
    plain
}

/// Length of what stands for one character: itself, or an escape.
fn unit_len(rest: &str, c: char) -> usize {
    if c != '\\' {
        return c.len_utf8();
    }
    match rest[1..].chars().next() {
        Some(escaped @ ('p' | 'P' | 'x' | 'u' | 'U')) if rest[2..].starts_with('{') => {
            rest.find('}').map_or(1 + escaped.len_utf8(), |end| end + 1)
        }
        Some(escaped) => 1 + escaped.len_utf8(),
        None => 1,
    }
}

/// The expression with those characters escaped that mean something here only.
fn fixed(pattern: &str) -> String {
    let mut fixed = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(c) = rest.chars().next() {
        let len = unit_len(rest, c);
        let unit = &rest[..len];
        let behind = &rest[len..];
        if !in_class {
            match unit {
                "[" => {
                    in_class = true;
                    fixed.push('[');
                    rest = behind;
                    if let Some(after) = rest.strip_prefix('^') {
                        fixed.push('^');
                        rest = after;
                    }
                    // A bracket that comes first is a member.
                    if let Some(after) = rest.strip_prefix(']') {
                        fixed.push_str("\\]");
                        rest = after;
                    }
                    continue;
                }
                "{" if !is_count(rest) => fixed.push_str("\\{"),
                _ => fixed.push_str(unit),
            }
        } else {
            match unit {
                "]" => {
                    in_class = false;
                    fixed.push(']');
                }
                "[" if behind.starts_with(':') && rest.contains(":]") => {
                    let end = rest.find(":]").map_or(len, |end| end + 2);
                    fixed.push_str(&rest[..end]);
                    rest = &rest[end..];
                    continue;
                }
                "[" => fixed.push_str("\\["),
                "&" | "~" if behind.starts_with(unit) => {
                    fixed.push('\\');
                    fixed.push_str(unit);
                }
                "-" if behind.starts_with("--") || behind.starts_with("-]") => {
                    fixed.push_str("\\-")
                }
                _ => fixed.push_str(unit),
            }
        }
        rest = behind;
    }
    fixed
}

/// Whether a `{` begins a count: `{n}`, `{n,}` or `{n,m}`.
fn is_count(rest: &str) -> bool {
    let Some((inner, _)) = rest[1..].split_once('}') else {
        return false;
    };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match inner.split_once(',') {
        None => is_number(inner),
        Some((least, most)) => is_number(least) && (most.is_empty() || is_number(most)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, dialect: Dialect, text: &str) -> bool {
        compile(pattern, dialect).unwrap().regex.is_match(text)
    }

    #[test]
    fn braces_that_count_nothing_are_braces() {
        assert!(matches(r"^\${[A-Z]{2}}$", Dialect::Go, "${AB}"));
        assert!(matches(r"{{ x{2,}", Dialect::Go, "{{ xxx"));
        assert!(matches(r"\x{41}{2}", Dialect::Go, "AA"));
        assert!(matches(r"[{]a{1}", Dialect::Go, "{a"));
    }

    #[test]
    fn brackets_and_operators_in_a_class_are_members() {
        assert!(matches(r"^[a[]+$", Dialect::Go, "[a["));
        assert!(matches(r"^[]a]+$", Dialect::Go, "]a"));
        assert!(matches(r"^[^]a]+$", Dialect::Go, "xyz"));
        assert!(matches(r"^[&&a]+$", Dialect::Go, "&a"));
        assert!(matches(r"^[[:alpha:][]+$", Dialect::Go, "ab["));
        assert!(matches(r"^[\w.--]+$", Dialect::Go, "a.-"));
    }

    #[test]
    fn comments_are_left_out() {
        let pattern = "(?x)\n a (?# the (first ) b";
        assert!(matches(pattern, Dialect::Rust, "ab"));
        assert!(matches(r"a[(?#]b(?#x)", Dialect::Rust, "a#b"));
        assert!(matches(r"a\(?#b", Dialect::Rust, "a(#b"));
    }

    #[test]
    fn bytes_are_ascii_unless_more_is_asked_for() {
        assert!(!matches(r"^\w$", Dialect::Go, "é"));
        assert!(matches(r"^\p{L}$", Dialect::Go, "é"));
    }

    #[test]
    fn what_cannot_be_run_is_told_in_a_line() {
        let error = compile(r"(?=a)b", Dialect::Go).unwrap_err();
        assert!(
            error.contains("look-around") && !error.contains('\n'),
            "{error}"
        );
        assert!(compile("a{1000}{1000}{1000}", Dialect::Go).is_err());
        assert!(compile(&"(".repeat(100_000), Dialect::Rust).is_err());
    }
}
