//! Tolerant lexers: what a text is made of, whatever it is and however broken.
//!
//! To find a file again that was renamed, minified or bundled, one has to look at its tokens and not at its bytes; to
//! do that for everything in a mirror, the lexers must be fast, and must never fail: what they are given is cut, mixed,
//! or no program at all. So there is one small lexer for each family of languages, hand-written, each one pass over the
//! bytes that pushes tokens into a [`Sink`] and allocates nothing. None of them parses. Where a language cannot be told
//! apart without a parser (a regular expression from a division, a type from a value), they decide as most code is
//! written, and are back in step soon after a mistake.
//!
//! Which family a text belongs to is told from its bytes ([`family_of`]), since names lie and equal bytes must give
//! equal facts. A text of no family is lexed by the generic one.
//!
//! # What every lexer promises
//!
//! * Any bytes are accepted; tokens come in order, do not overlap, lie within the text, and none is empty but a
//!   [`Kind::Text`]. No input makes it slower than linear.
//! * White space and comments give no tokens.
//! * What a lexer yields for given bytes is fixed for good under the id of its family ([`Family::id`]): fingerprints
//!   that were stored rest on it. A change that alters tokens of real code is a new id.

mod clike;
mod css;
pub(crate) mod eight;
mod escape;
mod family;
mod generic;
mod header;
mod heredoc;
mod html;
mod nature;
mod number;
#[cfg(test)]
mod promises;
mod python;
mod reader;
mod ruby;
mod rust;
mod script;
mod shell;
#[cfg(test)]
mod shown;
mod sql;
mod words;

pub use escape::unescape;
pub use family::family_of;
pub use header::{header_end, licence_texts};
pub use nature::{Nature, is_licence, nature_of};
pub use number::number;

/// A family of languages that one lexer reads.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Family {
    /// JavaScript, TypeScript, JSX and TSX.
    Script,
    /// Python.
    Python,
    /// Rust.
    Rust,
    /// C, C++, Java, Go, C#, Kotlin, Swift, PHP.
    Clike,
    /// Everything else that is text.
    Generic,
    /// Ruby.
    Ruby,
    /// sh, bash, zsh, ksh.
    Shell,
    /// CSS, SCSS, Less.
    Css,
    /// HTML, and the components of Vue and Svelte.
    Html,
    /// SQL.
    Sql,
}

impl Family {
    /// All families, in the order in which they came.
    pub const ALL: [Family; 10] = [
        Family::Script,
        Family::Python,
        Family::Rust,
        Family::Clike,
        Family::Generic,
        Family::Ruby,
        Family::Shell,
        Family::Css,
        Family::Html,
        Family::Sql,
    ];

    /// Whether programs are written in it, so that a port to another language is one of a program. Pages, sheets and
    /// queries share words with the programs that they belong to.
    #[must_use]
    pub fn is_of_programs(self) -> bool {
        !matches!(
            self,
            Family::Generic | Family::Css | Family::Html | Family::Sql
        )
    }

    /// Whether a text of it may hold texts of other families, or be one that nobody recognised.
    #[must_use]
    pub fn is_mixed(self) -> bool {
        matches!(self, Family::Generic | Family::Html)
    }

    /// The id of the lexer, for good.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Family::Script => "script/1",
            Family::Python => "python/1",
            Family::Rust => "rust/1",
            Family::Clike => "clike/1",
            Family::Generic => "generic/1",
            Family::Ruby => "ruby/1",
            Family::Shell => "shell/1",
            Family::Css => "css/1",
            Family::Html => "html/1",
            Family::Sql => "sql/1",
        }
    }
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An identifier that somebody may rename: a variable, a function, a type, a parameter.
    Name,
    /// A word of the language.
    Keyword,
    /// A name that renaming usually leaves alone: after `.`, the key of an object, an attribute.
    Property,
    /// A numeric literal, as it is written, its suffix included.
    Number,
    /// The text of a string literal between its delimiters, escapes not undone; a stretch of a template between two
    /// substitutions; text of markup. May be empty.
    Text,
    /// The body of a regular expression, without its slashes and flags.
    Regex,
    /// An operator or a bracket, as long as the language has it.
    Punct,
}

/// One token: a stretch of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its first byte.
    pub start: u32,
    /// Behind its last byte.
    pub end: u32,
}

impl Token {
    /// The bytes of the token; nothing where `text` is not the text that it came from.
    #[must_use]
    pub fn of<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }
}

/// What takes tokens as they are found.
pub trait Sink {
    /// The next token.
    fn token(&mut self, token: Token);

    /// A top-level piece (a function, a class, a statement that stands in no other) begins with the next token. Lexers
    /// that cannot tell never say it.
    fn piece(&mut self) {}
}

/// Bytes of a text that are lexed; tokens count in 32 bits. What lies behind is left out, and callers say so.
pub const TEXT_MAX_BYTES: usize = u32::MAX as usize - 1;

/// Pushes the tokens of `text`, read as of `family`, into `sink`. Of a text longer than [`TEXT_MAX_BYTES`] the beginning
/// is read.
pub fn lex(family: Family, text: &[u8], sink: &mut impl Sink) {
    let text = text.get(..TEXT_MAX_BYTES).unwrap_or(text);
    match family {
        Family::Script => script::lex(text, sink),
        Family::Python => python::lex(text, sink),
        Family::Rust => rust::lex(text, sink),
        Family::Clike => clike::lex(text, sink),
        Family::Generic => generic::lex(text, sink),
        Family::Ruby => ruby::lex(text, sink),
        Family::Shell => shell::lex(text, sink),
        Family::Css => css::lex(text, sink),
        Family::Html => html::lex(text, sink),
        Family::Sql => sql::lex(text, sink),
    }
}
