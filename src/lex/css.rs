//! The lexer for style sheets: CSS, SCSS and Less.
//!
//! A statement that ends in `{` before it ends in `;` or `}` is a rule, and any other a declaration; that is looked up
//! once where the statement begins.
//!
//! * What the author of a sheet chose is a [`Kind::Property`]: a class, an id, a placeholder, an element or attribute with
//!   a hyphen, a custom property (`--a`), a key of a map. Variables (`$a`, `@a`) and what is defined or called behind a
//!   word such as `@mixin` are names.
//! * Everything else is a [`Kind::Keyword`]: the name of a property before its `:`, elements, what stands in values. Of
//!   these there are some hundreds that all sheets share. What an author chose among the values (a font) cannot be
//!   told from what the language has.
//! * A number has its unit with it. Of a colour the `#` is a mark and the rest a number.
//! * A text is what stands in quotes, or bare in `url(…)`.
//! * A piece begins with a statement outside of all braces.
//!
//! Left out: the indented syntax of Sass.

use super::reader::{DIGIT, LETTER, Reader, SPACE, WORD, is};
use super::words::Words;
use super::{Kind, Sink};

/// What follows `@`, behind which a name is defined or called.
static NAMING: Words = Words::new(&[
    "mixin",
    "include",
    "function",
    "keyframes",
    "-webkit-keyframes",
    "-moz-keyframes",
    "-o-keyframes",
    "extend",
    "counter-style",
    "layer",
    "container",
    "namespace",
]);

/// What follows `@` where it is a rule; anything else is a variable.
static RULES: Words = Words::new(&[
    "-moz-document",
    "-ms-viewport",
    "apply",
    "at-root",
    "charset",
    "content",
    "custom-media",
    "custom-selector",
    "debug",
    "document",
    "each",
    "else",
    "error",
    "font-face",
    "font-feature-values",
    "for",
    "forward",
    "if",
    "import",
    "media",
    "page",
    "plugin",
    "position-try",
    "property",
    "responsive",
    "return",
    "scope",
    "screen",
    "starting-style",
    "supports",
    "tailwind",
    "use",
    "variants",
    "view-transition",
    "viewport",
    "warn",
    "while",
]);

/// Bytes of a substitution among selectors; what is longer is a rule.
const SUBSTITUTION_MAX_BYTES: usize = 256;

/// Pushes the tokens of `text` into `sink`.
pub(super) fn lex(text: &[u8], sink: &mut impl Sink) {
    let mut lexer = Lexer {
        reader: Reader::new(text, sink),
        statement: Statement::Begins,
        braces: 0,
        brackets: 0,
        substitutions: 0,
        is_named: false,
        no_comment: false,
        url_from: 0,
    };
    lexer.run();
}

/// What the statement at hand is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Statement {
    /// The next token begins one.
    Begins,
    /// A rule: selectors.
    Rule,
    /// A declaration, before its `:`.
    Declaration,
    /// A declaration behind its `:`.
    Value,
    /// What follows a word with `@`.
    AtRule,
}

struct Lexer<'t, 's, S> {
    reader: Reader<'t, 's, S>,
    statement: Statement,
    /// Braces that are open; brackets, in this statement; substitutions (`#{`, `@{`), in this statement.
    braces: u64,
    brackets: u64,
    substitutions: u64,
    /// The next word is a name.
    is_named: bool,
    /// From here on no comment closes.
    no_comment: bool,
    /// From here on an address without quotes may be looked for.
    url_from: usize,
}

impl<S: Sink> Lexer<'_, '_, S> {
    fn run(&mut self) {
        while let Some(&byte) = self.reader.text.get(self.reader.at) {
            match byte {
                _ if is(byte, SPACE) => self.reader.at += 1,
                b'/' if self.reader.byte(1) == b'*' && self.skips_comment() => {}
                b'/' if self.reader.byte(1) == b'/' => self.reader.at = self.reader.line_end(),
                // What hides sheets from very old browsers.
                b'<' if self.reader.is_at(b"<!--") => self.reader.at += 4,
                b'-' if self.reader.is_at(b"-->") => self.reader.at += 3,
                _ => self.token(byte),
            }
        }
    }

    /// Skips the comment here; one that closes nowhere is none.
    fn skips_comment(&mut self) -> bool {
        if self.no_comment {
            return false;
        }
        let end = self.reader.find(b"*/", self.reader.at + 2);
        self.no_comment = end.is_none();
        if let Some(end) = end {
            self.reader.at = end + 2;
        }
        end.is_some()
    }

    #[inline]
    fn token(&mut self, byte: u8) {
        if self.statement == Statement::Begins && !matches!(byte, b'{' | b'}' | b';') {
            self.begin();
        }
        match byte {
            b'"' | b'\'' => self.reader.line_string(byte),
            _ if is(byte, DIGIT) => self.number(),
            b'.' if is(self.reader.byte(1), DIGIT) => self.number(),
            _ if is(byte, LETTER) => self.word(),
            b'-' | b'\\' if self.begins_word() => self.word(),
            b'.' | b'%' | b'&' if self.is_chosen(byte) => {
                self.reader.punct(1);
                let end = self.word_end();
                self.reader.take(Kind::Property, end);
            }
            b'#' => self.hash(),
            b'@' => self.at_sign(),
            b'$' if is(self.reader.byte(1), LETTER) || self.reader.byte(1) == b'-' => {
                let start = self.reader.at;
                self.reader.at += 1;
                let end = self.word_end();
                self.reader.at = start;
                self.reader.take(Kind::Name, end);
            }
            _ => self.mark(byte),
        }
    }

    /// Tells what the statement is that begins here.
    fn begin(&mut self) {
        (self.brackets, self.substitutions) = (0, 0);
        self.is_named = false;
        if self.braces == 0 {
            self.reader.piece();
        }
        let mut at = self.reader.at;
        let text = self.reader.text;
        let mut is_rule = false;
        while let Some(len) = memchr::memchr3(b'{', b';', b'}', text.get(at..).unwrap_or_default())
        {
            at += len;
            if text[at] != b'{' {
                break;
            }
            let is_substitution = at > 0 && matches!(text[at - 1], b'#' | b'@');
            if !is_substitution {
                is_rule = true;
                break;
            }
            // Over a substitution.
            let rest = &text[at..text.len().min(at + SUBSTITUTION_MAX_BYTES)];
            match memchr::memchr2(b'}', b'\n', rest) {
                Some(len) => at += len + 1,
                None => break,
            }
        }
        self.statement = match is_rule {
            true => Statement::Rule,
            false => Statement::Declaration,
        };
    }

    /// Whether a word begins with the `-` or `\` here.
    fn begins_word(&self) -> bool {
        let next = self.reader.byte(1);
        match self.reader.byte(0) {
            b'-' => is(next, LETTER) || next == b'-' && !is(self.reader.byte(2), SPACE),
            _ => !is(next, SPACE),
        }
    }

    /// Whether a word that the author chose stands behind the `.`, `%` or `&` here.
    fn is_chosen(&self, byte: u8) -> bool {
        let next = self.reader.byte(1);
        // `&-small` and `&__part` go on with the class outside.
        let goes_on = byte == b'&' && next == b'-' && is(self.reader.byte(2), WORD);
        let is_escape = next == b'\\' && !is(self.reader.byte(2), SPACE);
        is(next, LETTER) || is_escape || goes_on || (byte == b'.' && next == b'-')
    }

    /// The end of the word that begins here: hyphens and escapes belong to it.
    fn word_end(&self) -> usize {
        let text = self.reader.text;
        let mut end = self.reader.at;
        while let Some(&byte) = text.get(end) {
            match byte {
                b'\\' if text.get(end + 1).is_some_and(|&b| !is(b, SPACE)) => end += 2,
                b'-' => end += 1,
                _ if is(byte, WORD) => end += 1,
                _ => break,
            }
        }
        end.min(text.len())
    }

    fn word(&mut self) {
        let end = self.word_end().max(self.reader.at + 1);
        let word = &self.reader.text[self.reader.at..end];
        let is_named = std::mem::take(&mut self.is_named);
        let next = self.reader.text.get(end);
        if next == Some(&b'(') && word.eq_ignore_ascii_case(b"url") {
            self.reader.take(Kind::Keyword, end);
            self.reader.punct(1);
            self.address();
            return;
        }
        let has_hyphen = || word.contains(&b'-') && word[0] != b'-';
        let kind = match self.statement {
            _ if word.starts_with(b"--") => Kind::Property,
            _ if is_named => Kind::Name,
            Statement::Rule if self.reader.byte_before() != b':' && has_hyphen() => Kind::Property,
            // A key of a map.
            Statement::Value
                if self.brackets > 0
                    && matches!(
                        self.reader.byte_before(),
                        b' ' | b'\n' | b'(' | b',' | b'\t'
                    )
                    && self.reader.behind_blanks(end).0 == b':' =>
            {
                Kind::Property
            }
            _ => Kind::Keyword,
        };
        self.reader.take(kind, end);
    }

    /// What stands bare in `url(` here, if it does.
    fn address(&mut self) {
        let text = self.reader.text;
        let rest = &text[self.reader.at..];
        let blanks = rest.iter().take_while(|&&b| is(b, SPACE)).count();
        let start = self.reader.at + blanks;
        self.brackets += 1;
        if matches!(text.get(start), Some(b'"' | b'\'')) || start < self.url_from {
            return;
        }
        match memchr::memchr2(b')', b'\n', &text[start..]) {
            Some(len) if text[start + len] == b')' => {
                let end = start + text[start..start + len].trim_ascii_end().len();
                if end > start {
                    self.reader.emit(Kind::Text, start, end);
                }
                self.reader.at = start + len;
            }
            // Up to here no address ends.
            Some(len) => self.url_from = start + len,
            None => self.url_from = text.len(),
        }
    }

    fn number(&mut self) {
        let mut end = self.reader.number_end();
        if self.reader.byte(0) == b'.' {
            self.reader.at += 1;
            end = self.reader.number_end();
            self.reader.at -= 1;
        }
        if self.reader.text.get(end) == Some(&b'%') {
            end += 1;
        }
        self.reader.take(Kind::Number, end);
    }

    /// A colour, an id, or a substitution.
    fn hash(&mut self) {
        let next = self.reader.byte(1);
        if next == b'{' {
            self.substitutions += 1;
            return self.reader.punct(2);
        }
        self.reader.punct(1);
        if !is(next, WORD) && next != b'-' && next != b'\\' {
            return;
        }
        let end = self.word_end().max(self.reader.at + 1);
        let word = &self.reader.text[self.reader.at..end];
        let is_colour = matches!(word.len(), 3 | 4 | 6 | 8)
            && word.iter().all(u8::is_ascii_hexdigit)
            && self.statement != Statement::Rule;
        let kind = match is_colour {
            true => Kind::Number,
            false => Kind::Property,
        };
        self.reader.take(kind, end);
    }

    fn at_sign(&mut self) {
        if self.reader.byte(1) == b'{' {
            self.substitutions += 1;
            self.is_named = true;
            return self.reader.punct(2);
        }
        let start = self.reader.at;
        self.reader.at += 1;
        let end = self.word_end();
        self.reader.at = start;
        let word = &self.reader.text[start + 1..end];
        if NAMING.contain(word) {
            self.is_named = true;
        } else if !RULES.contain(word) {
            return match word {
                b"" => self.reader.punct(1),
                _ => self.reader.take(Kind::Name, end),
            };
        }
        self.statement = Statement::AtRule;
        self.reader.take(Kind::Keyword, end);
    }

    fn mark(&mut self, byte: u8) {
        match byte {
            b'{' => {
                self.braces += 1;
                self.statement = Statement::Begins;
            }
            b'}' if self.substitutions > 0 => self.substitutions -= 1,
            b'}' => {
                self.braces = self.braces.saturating_sub(1);
                self.statement = Statement::Begins;
            }
            // Less has them between arguments, too.
            b';' if self.brackets == 0 => self.statement = Statement::Begins,
            b'(' | b'[' => self.brackets += 1,
            b')' | b']' => self.brackets = self.brackets.saturating_sub(1),
            b':' if self.statement == Statement::Declaration && self.brackets == 0 => {
                self.statement = Statement::Value;
            }
            _ => {}
        }
        let len = match self.reader.four() {
            [b'.', b'.', b'.', _] => 3,
            [b':', b':', ..] => 2,
            [
                b'=' | b'!' | b'<' | b'>' | b'~' | b'|' | b'^' | b'$' | b'*',
                b'=',
                ..,
            ] => 2,
            _ => 1,
        };
        self.reader.punct(len);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Family;
    use super::super::shown::gives;

    #[test]
    fn rules_and_declarations() {
        gives(
            Family::Css,
            ".a-b > #c, d:hover::before { color: #fff00a; margin: -1.5em 0 10% !important }",
            "¶ . p:a-b > # p:c , k:d : k:hover :: k:before { k:color : # d:fff00a ; k:margin : - d:1.5em d:0 d:10% ! k:important }",
        );
        gives(
            Family::Css,
            "@media (min-width: 10px) { my-tag[data-x=\"y\"] { --z: 1; e: var(--z) } }\n@import \"f\";",
            "¶ k:@media ( k:min-width : d:10px ) { p:my-tag [ p:data-x = t:y ] { p:--z : d:1 ; k:e : k:var ( p:--z ) } } ¶ k:@import t:f ;",
        );
        gives(
            Family::Css,
            "a{background:url(//b/c;d.png)}/* e */b{f:url( \"g\" ) .5s}",
            "¶ k:a { k:background : k:url ( t://b/c;d.png ) } ¶ k:b { k:f : k:url ( t:g ) d:.5s }",
        );
    }

    #[test]
    fn scss() {
        gives(
            Family::Css,
            "$a-b: (c: 1, 'd': 2); // e\n@mixin f($g) { &__h { @include i; } #{$j}-k: l { m: n } }",
            "¶ n:$a-b : ( p:c : d:1 , t:d : d:2 ) ; ¶ k:@mixin n:f ( n:$g ) { & p:__h { k:@include n:i ; } #{ n:$j } k:-k : k:l { k:m : k:n } }",
        );
    }

    #[test]
    fn less() {
        gives(
            Family::Css,
            "@a: 10px; .b(@c; 1) { .d-@{e} { width: (@a / 2); .f(); } }",
            "¶ n:@a : d:10px ; ¶ . p:b ( n:@c ; d:1 ) { . p:d- @{ n:e } { k:width : ( n:@a / d:2 ) ; . p:f ( ) ; } }",
        );
    }

    #[test]
    fn what_is_broken_is_left_behind_soon() {
        gives(Family::Css, "/* a", "¶ / * k:a");
        gives(
            Family::Css,
            "a { b: url(c\n; d: 'e } f {",
            "¶ k:a { k:b : k:url ( k:c ; p:d : ' k:e } ¶ k:f {",
        );
        gives(Family::Css, "} } ; \\", "} } ; ¶ \\");
    }
}
