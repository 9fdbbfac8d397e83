//! Families that are told from their lines and marks: Ruby, shell, style sheets, HTML, SQL.
//!
//! They are asked for where the words of a text speak for none of the families that are told by words, and beyond that
//! only where something stands in the text that no other language has, so that what was told before stays told.
//!
//! * **HTML** by how it begins: a document type, or an element of HTML, behind comments. A page of Markdown may begin
//!   so, too; its other marks tell it. XML and pictures (`<svg`) are not HTML.
//! * **SQL** by how it begins: the two words of a statement (`CREATE TABLE`), behind comments.
//! * **Shell** and **Ruby** by the line for the system, or by lines: `fi`, `esac`, `if [ …`; `end`, `def a`, `do |b|`. Lines of
//!   what is like them (Lua, Makefiles, YAML with commands in it) speak against them.
//! * **Style sheets** by their declarations: names of properties behind `{` and `;`.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::super::reader::{LETTER, SPACE, WORD, is};
use super::super::words::Words;
use super::Family;

/// Points of lines that are enough, and lines for each of which there must be one.
const SCORE_MIN: i32 = 6;
const LINES_FOR_A_POINT: i32 = 4;

/// Points that no text of a family told by words has.
const SCORE_SURE: i32 = 8;

/// Declarations of properties that are enough for a style sheet.
const DECLARATIONS_MIN: usize = 2;

/// The family of a text that `told` was told of by its words, from the stretches of it that are looked at.
pub(super) fn family_of(told: Family, text: &[u8], stretches: &[&[u8]]) -> Family {
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    if let Some(family) = by_interpreter(text) {
        return family;
    }
    let head = stretches.first().copied().unwrap_or_default();
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let beginning = behind_comments(head);
    if is_html(beginning, told) && !is_markdown(head) {
        return Family::Html;
    }
    if is_sql(beginning, told) {
        return Family::Sql;
    }
    // Most texts are told by their words, and most of those have no line that only Ruby ends blocks with.
    if told != Family::Generic && !stretches.iter().any(|stretch| has_end(stretch)) {
        return told;
    }
    let mut lines = Lines::default();
    for stretch in stretches {
        lines.count(stretch);
    }
    let enough = |score: i32| score >= SCORE_MIN && score * LINES_FOR_A_POINT >= lines.all;
    if told != Family::Generic {
        let is_ruby = lines.ruby >= SCORE_SURE && lines.ends > 0 && lines.ruby_marks > 0;
        return match is_ruby && enough(lines.ruby) && lines.colons == 0 {
            true => Family::Ruby,
            false => told,
        };
    }
    // Blocks of code in a page of Markdown, and pages of marks, speak for themselves only.
    if memchr::memmem::find(head, b"\n```").is_some() || beginning.starts_with(b"<") {
        return told;
    }
    if lines.ruby > lines.shell && enough(lines.ruby) && (lines.ruby_marks > 0 || lines.ends > 1) {
        return Family::Ruby;
    }
    if enough(lines.shell) && lines.shell_marks > 1 {
        return Family::Shell;
    }
    let mut sheet = Sheet::default();
    for stretch in stretches {
        sheet.count(stretch);
    }
    if sheet.is_sheet() && !is_markdown(head) && !beginning.starts_with(b"{") {
        return Family::Css;
    }
    Family::Generic
}

/// The family of the interpreter that the first line names.
fn by_interpreter(text: &[u8]) -> Option<Family> {
    let line = &text[..text.len().min(120)];
    let line = line.split(|&b| b == b'\n').next().unwrap_or_default();
    if line.starts_with(b"#compdef ") || line.starts_with(b"#autoload") {
        return Some(Family::Shell);
    }
    let line = line.strip_prefix(b"#!")?;
    let mut words = line.split(|&b| !is(b, WORD) && b != b'-' && b != b'.');
    words.find_map(|word| match word {
        b"sh" | b"bash" | b"dash" | b"ksh" | b"zsh" | b"ash" | b"mksh" => Some(Family::Shell),
        _ if word.starts_with(b"ruby") || word == b"jruby" || word == b"rake" => Some(Family::Ruby),
        _ => None,
    })
}

/// What stands behind the comments, blanks and marks of templates that a text begins with.
fn behind_comments(text: &[u8]) -> &[u8] {
    let mut rest = text.trim_ascii_start();
    loop {
        let comments: [(&[u8], &[u8]); 6] = [
            (b"<!--", b"-->"),
            (b"/*", b"*/"),
            (b"--", b"\n"),
            (b"{%", b"%}"),
            (b"{{", b"}}"),
            (b"<%", b"%>"),
        ];
        let Some((_, end)) = comments.iter().find(|(mark, _)| rest.starts_with(mark)) else {
            return rest;
        };
        let Some(at) = memchr::memmem::find(rest, end) else {
            return rest;
        };
        rest = rest[at + end.len()..].trim_ascii_start();
    }
}

// ---------------------------------------------------------------------------------------------------------------
// HTML, SQL

/// Elements that a page or a part of one begins with.
static FIRST_ELEMENTS: Words = Words::new(&[
    "a", "article", "aside", "b", "base", "body", "br", "button", "center", "div", "dl", "em",
    "font", "footer", "form", "h1", "h2", "h3", "h4", "h5", "head", "header", "hr", "html", "img",
    "input", "label", "li", "link", "main", "meta", "nav", "ol", "p", "pre", "script", "section",
    "select", "span", "strong", "style", "table", "tbody", "td", "template", "textarea", "tr",
    "ul",
]);

/// Those that no expression of a script begins with.
static RAW_ELEMENTS: Words = Words::new(&["html", "script", "style", "template"]);

/// Whether a page begins here.
fn is_html(text: &[u8], told: Family) -> bool {
    /// Bytes in which a text that says it is XML says that it is HTML.
    const XML_HEAD_BYTES: usize = 512;
    let head = text[..text.len().min(XML_HEAD_BYTES)].to_ascii_lowercase();
    if head.starts_with(b"<!doctype") {
        return head[9..].trim_ascii_start().starts_with(b"html");
    }
    if head.starts_with(b"<?xml") {
        let has = |mark: &[u8]| memchr::memmem::find(&head, mark).is_some();
        return has(b"<html") || has(b"<!doctype html");
    }
    let Some(rest) = head.strip_prefix(b"<") else {
        return false;
    };
    let name = &rest[..rest.iter().take_while(|&&b| is(b, WORD)).count()];
    let is_whole = matches!(rest.get(name.len()), Some(b'>' | b'/'))
        || rest.get(name.len()).is_some_and(|&b| is(b, SPACE));
    let elements = match told {
        Family::Generic => &FIRST_ELEMENTS,
        _ => &RAW_ELEMENTS,
    };
    is_whole && elements.contain(name)
}

/// Whether a text has marks of Markdown.
fn is_markdown(text: &[u8]) -> bool {
    let marks: [&[u8]; 6] = [b"\n## ", b"\n# ", b"\n```", b"](http", b"](#", b"](."];
    marks
        .iter()
        .any(|mark| memchr::memmem::find(text, mark).is_some())
}

/// Two words that begin a statement.
const STATEMENTS: [&[u8]; 54] = [
    b"alter aggregate",
    b"alter database",
    b"alter domain",
    b"alter extension",
    b"alter function",
    b"alter index",
    b"alter operator",
    b"alter role",
    b"alter schema",
    b"alter sequence",
    b"alter table",
    b"alter type",
    b"alter user",
    b"alter view",
    b"comment on",
    b"create aggregate",
    b"create cast",
    b"create database",
    b"create domain",
    b"create extension",
    b"create function",
    b"create index",
    b"create materialized",
    b"create operator",
    b"create or",
    b"create policy",
    b"create procedure",
    b"create role",
    b"create rule",
    b"create schema",
    b"create sequence",
    b"create table",
    b"create temp",
    b"create temporary",
    b"create trigger",
    b"create type",
    b"create unique",
    b"create user",
    b"create view",
    b"delete from",
    b"drop database",
    b"drop function",
    b"drop index",
    b"drop table",
    b"drop view",
    b"grant all",
    b"grant execute",
    b"grant select",
    b"insert into",
    b"prepare stmt",
    b"replace into",
    b"revoke all",
    b"revoke execute",
    b"truncate table",
];

/// What a text may begin with before its first statement.
const PRELUDES: [&[u8]; 14] = [
    b"begin", b"set", b"use", b"start", b"pragma", b"declare", b"select", b"with", b"update",
    b"lock", b"grant", b"if", b"do", b"\\",
];

/// Whether statements of SQL begin here.
fn is_sql(text: &[u8], told: Family) -> bool {
    // In prose a line may end so, too, but none that begins as statements do.
    let ends_statement = |line: &[u8]| line.trim_ascii_end().ends_with(b";");
    if !text.split(|&b| b == b'\n').any(ends_statement) {
        return false;
    }
    if is_statement(text) {
        return true;
    }
    let head = text[..text.len().min(16)].to_ascii_lowercase();
    let begins = |word: &&&[u8]| {
        head.starts_with(word)
            && (word.ends_with(b"\\") || !head.get(word.len()).is_some_and(|&b| is(b, WORD)))
    };
    let Some(prelude) = PRELUDES.iter().find(begins) else {
        return false;
    };
    // Programs begin so, too, and hold statements in strings.
    if told != Family::Generic && matches!(*prelude, b"use" | b"if" | b"do" | b"with") {
        return false;
    }
    let mut lines = text.split(|&b| b == b'\n').map(<[u8]>::trim_ascii_start);
    let has_more = lines.clone().skip(1).any(is_statement);
    has_more
        || match *prelude {
            b"select" => lines.any(|line| has_word(line, b"from")),
            b"update" => lines.any(|line| has_word(line, b"set")) && has_word(text, b"where"),
            _ => false,
        }
}

fn is_statement(line: &[u8]) -> bool {
    let mut head = line[..line.len().min(24)].to_ascii_lowercase();
    for byte in &mut head {
        if is(*byte, SPACE) {
            *byte = b' ';
        }
    }
    STATEMENTS.iter().any(|statement| {
        head.starts_with(statement) && head.get(statement.len()).is_none_or(|&b| b == b' ')
    })
}

/// Whether a word, in lower or upper case, stands in a text.
fn has_word(text: &[u8], word: &[u8]) -> bool {
    let upper = word.to_ascii_uppercase();
    let has = |word: &[u8]| {
        memchr::memmem::find_iter(text, word).any(|at| {
            let before = at.checked_sub(1).map_or(b' ', |at| text[at]);
            !is(before, WORD) && !text.get(at + word.len()).is_some_and(|&b| is(b, WORD))
        })
    };
    has(word) || has(&upper)
}

// ---------------------------------------------------------------------------------------------------------------
// Ruby, shell

/// What lines say.
#[derive(Default)]
struct Lines {
    /// Lines that are neither blank nor comments.
    all: i32,
    ruby: i32,
    /// Lines that only Ruby has; `end` by itself.
    ruby_marks: i32,
    ends: i32,
    /// Lines of `def` and the like that end in a colon, as Python has them.
    colons: i32,
    shell: i32,
    /// Lines that only shells have.
    shell_marks: i32,
}

impl Lines {
    fn count(&mut self, text: &[u8]) {
        for line in text.split(|&b| b == b'\n') {
            let is_indented = line.first().is_some_and(|&b| is(b, SPACE));
            let comment = memchr::memmem::find(line, b" #").unwrap_or(line.len());
            let line = line[..comment].trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            self.all += 1;
            let (score, is_mark) = self.ruby(line);
            self.ruby += score;
            self.ruby_marks += i32::from(is_mark);
            let (score, is_mark) = shell(line, is_indented);
            self.shell += score;
            self.shell_marks += i32::from(is_mark);
        }
    }

    /// What a line says for Ruby, and whether only Ruby has it.
    fn ruby(&mut self, line: &[u8]) -> (i32, bool) {
        let first = first_word(line);
        let rest = line[first.len()..].trim_ascii_start();
        let ends = |end: &[u8]| line.ends_with(end);
        let opens_block =
            ends(b" do") || ends(b"|") && memchr::memmem::find(line, b" do |").is_some();
        match first {
            b"end" if rest.is_empty() || rest.starts_with(b".") || rest.starts_with(b")") => {
                self.ends += 1;
                (2, false)
            }
            b"def" | b"class" | b"if" | b"else" | b"for" | b"while" | b"try" if ends(b":") => {
                self.colons += 1;
                (-4, false)
            }
            b"def" if is_name(rest) && !ends(b"{") && !ends(b"=") => (3, true),
            b"class" | b"module"
                if rest.first().is_some_and(u8::is_ascii_uppercase)
                    && !ends(b"{")
                    && !ends(b";") =>
            {
                (3, false)
            }
            b"attr_accessor" | b"attr_reader" | b"attr_writer" if rest.starts_with(b":") => {
                (6, true)
            }
            b"require" | b"require_relative" | b"gem" | b"autoload"
                if matches!(rest.first(), Some(b'"' | b'\'' | b':')) =>
            {
                (4, !ends(b";"))
            }
            b"include" | b"extend"
                if rest.first().is_some_and(u8::is_ascii_uppercase) && !ends(b";") =>
            {
                (2, false)
            }
            b"elsif" | b"unless" | b"rescue" | b"ensure"
                if !ends(b"{") && !ends(b"then") && !ends(b";") =>
            {
                (3, true)
            }
            // Lua, Julia, Elixir, Vim's language.
            b"local" | b"function" => (-3, false),
            b"defmodule" | b"defp" | b"endif" | b"endfunction" | b"endwhile" | b"let" => {
                (-6, false)
            }
            b"if" | b"elseif" | b"for" | b"while"
                if ends(b" then") || !opens_block && ends(b" do") =>
            {
                (-3, false)
            }
            _ if opens_block => (3, true),
            _ if ends(b";") || ends(b"{") => (-1, false),
            _ if line.starts_with(b"@")
                && is_name(&line[1..])
                && memchr::memmem::find(line, b" = ").is_some() =>
            {
                (2, false)
            }
            _ => (0, false),
        }
    }
}

/// What a line says for a shell, and whether only shells have it.
fn shell(line: &[u8], is_indented: bool) -> (i32, bool) {
    let first = first_word(line);
    let rest = &line[first.len()..];
    let has = |mark: &[u8]| memchr::memmem::find(line, mark).is_some();
    let ends = |end: &[u8]| line.ends_with(end);
    let begins_test = [&b" ["[..], b" !", b" test ", b" \"$"]
        .iter()
        .any(|test| rest.starts_with(test));
    match first {
        b"fi" | b"esac" if rest.is_empty() || rest.starts_with(b";") || rest.starts_with(b" ") => {
            (3, true)
        }
        b"done" if rest.is_empty() || rest.starts_with(b" <") || rest.starts_with(b" |") => {
            (3, true)
        }
        b"then" | b"do" if rest.is_empty() => (2, false),
        b"if" | b"elif" | b"while" | b"until"
            if begins_test || ends(b"; then") || ends(b"; do") =>
        {
            (3, true)
        }
        b"case" if ends(b" in") && rest.contains(&b'$') => (4, true),
        b"for" if ends(b"; do") => (3, true),
        b"export" if rest.contains(&b'=') && !rest.contains(&b';') && !has(b" = ") => (2, true),
        b"local" if rest.contains(&b'=') && !has(b" = ") => (2, true),
        b"set" if rest.starts_with(b" -e") || rest.starts_with(b" -u") => (4, true),
        b"echo" | b"printf" | b"exit" | b"cd" | b"mkdir" | b"rm" | b"cp" | b"mv" | b"grep"
        | b"sed" | b"test"
            if rest.starts_with(b" ") && !ends(b";") =>
        {
            (1, false)
        }
        // Files for make, for images, and lists of settings.
        b"FROM" | b"RUN" | b"COPY" | b"ENV" | b"WORKDIR" | b"AC_INIT" | b"dnl" => (-6, false),
        _ if line.starts_with(b"%")
            || line.starts_with(b".") && line.len() > 2 && line[1].is_ascii_uppercase() =>
        {
            (-3, false)
        }
        _ if line.starts_with(b"[ ") || line.starts_with(b"[[ ") => (3, true),
        _ if ends(b";;") => (3, true),
        _ if has(b"2>&1") || has(b">/dev/null") || has(b"> /dev/null") || has(b" || exit") => {
            (2, true)
        }
        _ if !first.is_empty()
            && rest.starts_with(b"=")
            && !rest.starts_with(b"= ")
            && !rest.starts_with(b"==")
            && !ends(b";") =>
        {
            (1, rest.contains(&b'$'))
        }
        _ if !first.is_empty() && rest.starts_with(b"()") && (ends(b"{") || ends(b")")) => {
            (2, true)
        }
        _ if !is_indented && rest.starts_with(b":") => (-2, false),
        _ if has(b"$(") && !has(b"$(\"") && !has(b"$('") && !ends(b";") && !has(b"${") => {
            (1, false)
        }
        _ if ends(b";") || ends(b",") => (-1, false),
        _ => (0, false),
    }
}

/// Whether a line begins with `end`, as a block of Ruby does at its end.
fn has_end(text: &[u8]) -> bool {
    static END: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("end"));
    END.find_iter(text).any(|at| {
        let before = text[..at].iter().rev();
        let blanks = before.take_while(|&&b| b != b'\n' && b.is_ascii_whitespace());
        let start = at - blanks.count();
        start == 0 || text[start - 1] == b'\n'
    })
}

fn first_word(line: &[u8]) -> &[u8] {
    &line[..line.iter().take_while(|&&b| is(b, WORD)).count()]
}

fn is_name(text: &[u8]) -> bool {
    text.first().is_some_and(|&b| is(b, LETTER))
}

// ---------------------------------------------------------------------------------------------------------------
// Style sheets

/// Properties that most style sheets have some of.
static PROPERTIES: Words = Words::new(&[
    "align-content",
    "align-items",
    "align-self",
    "animation",
    "appearance",
    "background",
    "background-color",
    "background-image",
    "background-position",
    "background-repeat",
    "background-size",
    "border",
    "border-bottom",
    "border-color",
    "border-left",
    "border-radius",
    "border-right",
    "border-top",
    "border-width",
    "bottom",
    "box-shadow",
    "box-sizing",
    "clear",
    "clip",
    "color",
    "content",
    "cursor",
    "display",
    "fill",
    "filter",
    "flex",
    "flex-direction",
    "flex-grow",
    "flex-shrink",
    "flex-wrap",
    "float",
    "font",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "gap",
    "grid-area",
    "grid-template-columns",
    "height",
    "justify-content",
    "left",
    "letter-spacing",
    "line-height",
    "list-style",
    "margin",
    "margin-bottom",
    "margin-left",
    "margin-right",
    "margin-top",
    "max-height",
    "max-width",
    "min-height",
    "min-width",
    "opacity",
    "outline",
    "overflow",
    "overflow-x",
    "overflow-y",
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding-top",
    "pointer-events",
    "position",
    "resize",
    "right",
    "src",
    "stroke",
    "table-layout",
    "text-align",
    "text-decoration",
    "text-overflow",
    "text-transform",
    "top",
    "transform",
    "transform-origin",
    "transition",
    "unicode-range",
    "user-select",
    "vertical-align",
    "visibility",
    "white-space",
    "width",
    "word-break",
    "word-wrap",
    "z-index",
    "zoom",
]);

/// Words behind `@` of which one is worth a declaration.
static RULES: Words = Words::new(&[
    "charset",
    "extend",
    "font-face",
    "forward",
    "import",
    "include",
    "keyframes",
    "layer",
    "media",
    "mixin",
    "supports",
    "tailwind",
    "apply",
    "-webkit-keyframes",
    "use",
    "return",
    "function",
    "each",
]);

/// Statements of a style sheet.
#[derive(Default)]
struct Sheet {
    /// Declarations of known properties, and of variables.
    known: usize,
    /// Other statements that end in `;`.
    other: usize,
    /// Rules.
    rules: usize,
}

impl Sheet {
    fn count(&mut self, text: &[u8]) {
        let mut at = 0;
        let mut is_start = true;
        while let Some(&byte) = text.get(at) {
            let rest = &text[at..];
            let len = match byte {
                _ if is(byte, SPACE) => {
                    at += 1;
                    continue;
                }
                b'/' if rest.starts_with(b"/*") => {
                    at += memchr::memmem::find(rest, b"*/").map_or(2, |len| len + 2);
                    continue;
                }
                b'/' if rest.starts_with(b"//") => {
                    at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                    continue;
                }
                b'{' | b'}' | b';' => {
                    is_start = true;
                    at += 1;
                    continue;
                }
                _ if is_start => self.statement(rest),
                _ => 1,
            };
            is_start = false;
            // To what ends the statement, as far as that is no comment.
            at += len.max(1);
            let rest = &text[at.min(text.len())..];
            at += rest
                .iter()
                .position(|b| matches!(b, b'{' | b'}' | b';' | b'/'))
                .unwrap_or(rest.len());
        }
    }

    /// Counts the statement that begins here; gives the bytes of its first word.
    fn statement(&mut self, rest: &[u8]) -> usize {
        let is_of_word = |b: u8| is(b, WORD) || b == b'-';
        let mark = usize::from(matches!(rest[0], b'$' | b'@'));
        let len = mark + rest[mark..].iter().take_while(|&&b| is_of_word(b)).count();
        let word = &rest[mark..len];
        let behind = rest[len..].trim_ascii_start();
        let is_set = behind.first() == Some(&b':') && behind.get(1) != Some(&b':');
        let end = behind
            .iter()
            .position(|b| matches!(b, b'{' | b'}' | b';'))
            .map(|at| behind[at]);
        let is_declaration = is_set && matches!(end, Some(b';' | b'}'));
        let is_known = match rest[0] {
            b'@' if RULES.contain(word) => true,
            b'$' | b'@' => is_declaration && !word.is_empty(),
            _ => is_declaration && (PROPERTIES.contain(word) || word.starts_with(b"-")),
        };
        if is_known {
            self.known += 1;
        } else if end == Some(b'{') {
            self.rules += 1;
        } else if end == Some(b';') || !is_declaration && end.is_none() {
            self.other += 1;
        }
        len
    }

    fn is_sheet(&self) -> bool {
        let has_enough = self.known >= DECLARATIONS_MIN;
        let is_one_rule = self.known > 0 && self.rules > 0 && self.other == 0;
        (has_enough || is_one_rule) && self.known >= self.other
    }
}

#[cfg(test)]
mod tests {
    use super::super::family_of;
    use super::Family;

    #[track_caller]
    fn are_of(family: Family, texts: &[&str]) {
        for text in texts {
            assert_eq!(family_of(text.as_bytes()), family, "{text}");
            let other = text.replace('\n', "\r\n");
            assert_eq!(family_of(other.as_bytes()), family, "{other}");
            let marked = format!("\u{FEFF}{text}");
            assert_eq!(family_of(marked.as_bytes()), family, "{marked}");
        }
    }

    #[test]
    fn a_few_lines_are_enough() {
        are_of(
            Family::Ruby,
            &[
                "require 'a'\n\nmodule B\n  def c?\n    @d.each do |e|\n      puts e\n    end\n  end\nend\n",
                "class A < B\n  attr_reader :c # :nodoc:\n  def initialize(d, e)\n    @c = [d, e]\n    super()\n  end\nend\n",
                "#!/usr/bin/env ruby\nputs 1\n",
            ],
        );
        are_of(
            Family::Shell,
            &[
                "#!/bin/sh\nfor a in *; do if test -f \"$a\"; then echo \"$a\"; fi; done\n",
                "a() {\n  local b=$1\n  if [ -n \"$b\" ]; then\n    echo $b\n  fi\n}\n",
                "#!/usr/bin/env -S bash -e\na\n",
                "#compdef a\n_b c\n",
            ],
        );
        are_of(
            Family::Css,
            &[
                ".a::before, #b > p { color: #fff; margin: 0 auto !important; }\n@media print { .a { display: none } }\n",
                "$a: 1px;\n@mixin b($c) {\n  &:hover { width: $a; @include d; }\n}\n",
                ".a{cursor:move}",
            ],
        );
        are_of(
            Family::Html,
            &[
                "<!DOCTYPE html>\n<html><script>function a() { return typeof b === 'x'; }</script></html>\n",
                "<template>\n<p>a</p>\n</template>\n<script>\nexport default {}\n</script>\n",
                "<script lang=\"ts\">\nimport { a } from './a';\nexport let b: string = a();\n</script>\n{#if b}<p>{b}</p>{/if}\n",
                "<!-- a -->\n<div class=\"b\">c</div>\n",
                "<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC \"a\">\n<html></html>\n",
            ],
        );
        are_of(
            Family::Sql,
            &[
                "-- a\nCREATE TABLE b (c int);\n",
                "BEGIN;\ninsert into a values (1);\n",
                "/* a */\nselect b from c;\n",
            ],
        );
    }

    #[test]
    fn what_is_like_them_is_not() {
        are_of(
            Family::Generic,
            &[
                "a:\n\t@if [ -f b ]; then c; fi\nb: d\n\te\n",
                "# A\n\n```sh\nif [ -f a ]; then\n  echo b\nfi\n```\n",
                "<p align=\"center\">\n  <img src=\"a\">\n</p>\n\n# A title\n\nWhat it is, and [more](https://a.b).\n",
                "<svg xmlns=\"a\"><style>.a{color:red;fill:none}</style></svg>\n",
                "<?xml version=\"1.0\"?>\n<project><name>a</name></project>\n",
                "Select the table from the list; it is the one that you want.\n",
                "{\n  \"a\": \"color: red; margin: 0\"\n}\n",
            ],
        );
        let python = "class A:\n    def b(self):\n        self.c = '''\nif [ -f d ]; then\n  echo e\nfi\n'''\n";
        are_of(Family::Python, &[python]);
        let rust = "use a::b;\n\npub fn c(d: &b) -> u32 {\n    d.e(\n        \"\nCREATE TABLE f (g);\n\",\n    )\n}\n";
        are_of(Family::Rust, &[rust]);
    }
}
