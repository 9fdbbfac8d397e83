//! The lexer for HTML, and for what is built on it: the components of Vue and Svelte, templates of Angular.
//!
//! * The scripts of a page are read by the lexer for scripts, its style sheets by that for style sheets, and data among
//!   scripts (`application/json`) by the generic one. So are, as scripts, the values of attributes that hold code (`@click`,
//!   `:a`, `v-if`, `onclick`, `(a)`, `[a]`, `*a`), and what stands in `{{ … }}` and, among attributes, in `{ … }`.
//! * An element of HTML is a [`Kind::Keyword`], any other a [`Kind::Property`], and so it is with attributes. A closing tag
//!   gives nothing, as it need not be there. The value of an attribute is a text, in quotes or not.
//! * Text between tags is a [`Kind::Text`], trimmed; references stay as they are written. Comments give nothing.
//! * A piece begins with an element that divides a page (`main`, `section`, `form`, …), with a script and a sheet, behind
//!   these, and where the lexer for scripts says so.
//!
//! Back in step: `<` that no letter follows is text, and so is a tag whose quote closes nowhere from that quote on.

use super::reader::{LETTER, Reader, SPACE, is};
use super::words::Words;
use super::{Kind, Sink, Token, css, generic, script};

/// Elements of HTML that are often written.
static ELEMENTS: Words = Words::new(&[
    "a",
    "abbr",
    "address",
    "area",
    "article",
    "aside",
    "audio",
    "b",
    "base",
    "blockquote",
    "body",
    "br",
    "button",
    "canvas",
    "caption",
    "center",
    "circle",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "defs",
    "del",
    "details",
    "dialog",
    "div",
    "dl",
    "dt",
    "em",
    "embed",
    "fieldset",
    "figcaption",
    "figure",
    "font",
    "footer",
    "form",
    "frame",
    "frameset",
    "g",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "i",
    "iframe",
    "img",
    "input",
    "ins",
    "kbd",
    "label",
    "legend",
    "li",
    "line",
    "link",
    "main",
    "map",
    "mark",
    "meta",
    "nav",
    "noscript",
    "object",
    "ol",
    "optgroup",
    "option",
    "p",
    "param",
    "path",
    "picture",
    "polygon",
    "pre",
    "progress",
    "rect",
    "s",
    "samp",
    "script",
    "section",
    "select",
    "slot",
    "small",
    "source",
    "span",
    "strong",
    "style",
    "sub",
    "summary",
    "sup",
    "svg",
    "table",
    "tbody",
    "td",
    "template",
    "text",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "time",
    "title",
    "tr",
    "tt",
    "u",
    "ul",
    "use",
    "var",
    "video",
]);

/// Elements that divide a page.
static SECTIONS: Words = Words::new(&[
    "article", "aside", "body", "footer", "form", "head", "header", "html", "main", "nav",
    "script", "section", "style", "table", "template",
]);

/// Attributes of HTML that are often written, and words of the templates built on it.
static ATTRIBUTES: Words = Words::new(&[
    "action",
    "align",
    "alt",
    "async",
    "bgcolor",
    "border",
    "charset",
    "checked",
    "class",
    "color",
    "cols",
    "colspan",
    "content",
    "crossorigin",
    "d",
    "defer",
    "dir",
    "disabled",
    "fill",
    "for",
    "height",
    "href",
    "hreflang",
    "html",
    "http-equiv",
    "id",
    "integrity",
    "is",
    "key",
    "lang",
    "language",
    "maxlength",
    "media",
    "method",
    "min",
    "max",
    "multiple",
    "name",
    "novalidate",
    "placeholder",
    "public",
    "readonly",
    "ref",
    "rel",
    "required",
    "role",
    "rows",
    "rowspan",
    "scoped",
    "selected",
    "size",
    "slot",
    "src",
    "srcset",
    "stroke",
    "style",
    "tabindex",
    "target",
    "title",
    "type",
    "v-bind",
    "v-else",
    "v-else-if",
    "v-for",
    "v-html",
    "v-if",
    "v-model",
    "v-on",
    "v-show",
    "v-slot",
    "valign",
    "value",
    "viewbox",
    "width",
    "xmlns",
]);

/// Bytes of the longest word of these sets, and more.
const WORD_MAX_BYTES: usize = 16;

/// Pushes the tokens of `text` into `sink`.
pub(super) fn lex(text: &[u8], sink: &mut impl Sink) {
    let mut lexer = Lexer {
        reader: Reader::new(text, sink),
        begins_piece: true,
        no_comment: false,
        no_quote: [false; 2],
        no_mustache: false,
        failures: 0,
    };
    lexer.run();
}

/// Searches for the end of a `{` that may fail before no more are made.
const FAILURES_MAX: u8 = 4;

/// Tokens of a part of a text, told as those of the whole.
struct Part<'s, S> {
    sink: &'s mut S,
    start: u32,
    /// The part is long enough to have pieces of its own.
    has_pieces: bool,
}

impl<S: Sink> Sink for Part<'_, S> {
    fn token(&mut self, token: Token) {
        self.sink.token(Token {
            kind: token.kind,
            start: token.start + self.start,
            end: token.end + self.start,
        });
    }

    fn piece(&mut self) {
        if self.has_pieces {
            self.sink.piece();
        }
    }
}

/// What a part of a page is read as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    Script,
    Css,
    Data,
}

struct Lexer<'t, 's, S> {
    reader: Reader<'t, 's, S>,
    /// The next token does.
    begins_piece: bool,
    /// From here on no comment closes; no quote, `"` and `'`; no `}}`.
    no_comment: bool,
    no_quote: [bool; 2],
    no_mustache: bool,
    failures: u8,
}

impl<S: Sink> Lexer<'_, '_, S> {
    fn run(&mut self) {
        while self.reader.at < self.reader.text.len() {
            match self.reader.byte(0) {
                b'<' if self.reader.is_at(b"<!--") && self.skips_comment() => {}
                b'<' if self.reader.byte(1) == b'/' && is(self.reader.byte(2), LETTER) => {
                    let rest = &self.reader.text[self.reader.at..];
                    let len = memchr::memchr2(b'>', b'\n', rest);
                    self.reader.at =
                        len.map_or(self.reader.text.len(), |len| self.reader.at + len + 1);
                }
                b'<' if self.is_tag() => self.tag(),
                _ => self.text(),
            }
        }
    }

    fn is_tag(&self) -> bool {
        let next = self.reader.byte(1);
        is(next, LETTER) || matches!(next, b'!' | b'?') && is(self.reader.byte(2), LETTER)
    }

    /// Skips the comment here; one that closes nowhere is none.
    fn skips_comment(&mut self) -> bool {
        if self.no_comment {
            return false;
        }
        let end = self.reader.find(b"-->", self.reader.at + 4);
        self.no_comment = end.is_none();
        if let Some(end) = end {
            self.reader.at = end + 3;
        }
        end.is_some()
    }

    /// The text up to the next tag, and what is substituted in it.
    fn text(&mut self) {
        let start = self.reader.at;
        let rest = &self.reader.text[start..];
        // A `<` here begins no tag.
        let len = memchr::memchr(b'<', &rest[1..]).map_or(rest.len(), |len| len + 1);
        let end = start + len;
        let mut from = start;
        while !self.no_mustache
            && let Some(open) = memchr::memmem::find(&self.reader.text[from..end], b"{{")
        {
            let open = from + open;
            let Some(close) = self.reader.find(b"}}", open + 2) else {
                self.no_mustache = true;
                break;
            };
            self.trimmed(from, open);
            self.mark(open, open + 2);
            self.part(open + 2, close, Language::Script, false);
            self.mark(close, close + 2);
            from = close + 2;
            if from >= end {
                self.reader.at = from;
                return;
            }
        }
        self.trimmed(from, end);
        self.reader.at = end;
    }

    /// The text from `start` to `end` without the white space around it, if anything is left.
    fn trimmed(&mut self, start: usize, end: usize) {
        let run = &self.reader.text[start..end];
        let trimmed = run.trim_ascii();
        if !trimmed.is_empty() {
            let start = start + (run.len() - run.trim_ascii_start().len());
            self.emit(Kind::Text, start, start + trimmed.len());
        }
    }

    #[inline]
    fn emit(&mut self, kind: Kind, start: usize, end: usize) {
        if std::mem::take(&mut self.begins_piece) {
            self.reader.piece();
        }
        self.reader.emit(kind, start, end);
    }

    fn mark(&mut self, start: usize, end: usize) {
        self.emit(Kind::Punct, start, end);
    }

    /// Reads a part of the page as of another language.
    fn part(&mut self, start: usize, end: usize, language: Language, has_pieces: bool) {
        let text = &self.reader.text[start..end];
        let mut part = Part {
            sink: self.reader.sink(),
            start: start as u32,
            has_pieces,
        };
        match language {
            Language::Script => script::lex(text, &mut part),
            Language::Css => css::lex(text, &mut part),
            Language::Data => generic::lex(text, &mut part),
        }
    }

    /// The tag here, and, behind that of a script or a sheet, what stands in it.
    fn tag(&mut self) {
        let open = self.reader.at;
        let is_declaration = !is(self.reader.byte(1), LETTER);
        let start = open + if is_declaration { 2 } else { 1 };
        let end = self.name_end(start);
        let name = &self.reader.text[start..end];
        let is_in = |words: &Words| lower(name, |name| words.contain(name));
        self.begins_piece |= is_in(&SECTIONS);
        self.mark(open, start);
        // `<BUTTON>`, but not `<Button>`, which is a component.
        let is_capital = name.first().is_some_and(u8::is_ascii_uppercase);
        let is_component = is_capital && name.iter().any(u8::is_ascii_lowercase);
        let is_known = is_declaration || !is_component && is_in(&ELEMENTS);
        let kind = if is_known {
            Kind::Keyword
        } else {
            Kind::Property
        };
        self.emit(kind, start, end);
        self.reader.at = end;
        let attributes = self.attributes();
        let is_raw = |raw: &[u8]| !is_declaration && name.eq_ignore_ascii_case(raw);
        if attributes.is_closed || !attributes.is_whole {
            return;
        }
        if is_raw(b"script") {
            let language = match attributes.is_data {
                true => Language::Data,
                false => Language::Script,
            };
            self.raw(b"script", language);
        } else if is_raw(b"style") {
            self.raw(b"style", Language::Css);
        }
    }

    /// The content of the element, up to its closing tag or the end.
    fn raw(&mut self, name: &[u8], language: Language) {
        let start = self.reader.at;
        let mut end = start;
        loop {
            let Some(at) = self.reader.find(b"</", end) else {
                end = self.reader.text.len();
                break;
            };
            let rest = &self.reader.text[at + 2..];
            end = at;
            if rest
                .get(..name.len())
                .is_some_and(|word| word.eq_ignore_ascii_case(name))
            {
                break;
            }
            end += 2;
        }
        self.begins_piece = false;
        self.reader.piece();
        self.part(start, end, language, true);
        self.begins_piece = true;
        self.reader.at = end;
    }

    /// The end of the name of a tag or an attribute.
    fn name_end(&self, start: usize) -> usize {
        let rest = self.reader.text.get(start..).unwrap_or_default();
        let ends = |b: &u8| is(*b, SPACE) || matches!(b, b'"' | b'\'' | b'<' | b'>' | b'/' | b'=');
        start + rest.iter().position(ends).unwrap_or(rest.len())
    }

    /// The attributes of a tag and what ends it.
    fn attributes(&mut self) -> Attributes {
        let mut told = Attributes::default();
        while let Some(&byte) = self.reader.text.get(self.reader.at) {
            let at = self.reader.at;
            match byte {
                _ if is(byte, SPACE) => self.reader.at += 1,
                b'>' => {
                    self.mark(at, at + 1);
                    self.reader.at += 1;
                    told.is_whole = true;
                    return told;
                }
                b'/' | b'?' if self.reader.byte(1) == b'>' => {
                    self.mark(at, at + 2);
                    self.reader.at += 2;
                    (told.is_whole, told.is_closed) = (true, true);
                    return told;
                }
                // Another tag begins where this one has not ended.
                b'<' => return told,
                b'"' | b'\'' => {
                    if !self.value(false, &mut false) {
                        return told;
                    }
                }
                b'{' => {
                    if !self.braces() {
                        self.mark(at, at + 1);
                        self.reader.at += 1;
                    }
                }
                b'/' | b'=' => {
                    self.mark(at, at + 1);
                    self.reader.at += 1;
                }
                _ => {
                    if !self.attribute(&mut told) {
                        return told;
                    }
                }
            }
        }
        told
    }

    /// An attribute with its value; false where its value is not whole.
    fn attribute(&mut self, told: &mut Attributes) -> bool {
        let start = self.reader.at;
        let end = self.name_end(start).max(start + 1);
        let name = &self.reader.text[start..end];
        let is_known = lower(name, |name| ATTRIBUTES.contain(name));
        let kind = if is_known {
            Kind::Keyword
        } else {
            Kind::Property
        };
        self.emit(kind, start, end);
        self.reader.at = end;
        if self.reader.byte(0) != b'=' {
            return true;
        }
        self.mark(end, end + 1);
        self.reader.at += 1;
        while is(self.reader.byte(0), SPACE) && self.reader.at < self.reader.text.len() {
            self.reader.at += 1;
        }
        let mut is_data = false;
        let is_whole = self.value(holds_code(name), &mut is_data);
        told.is_data |= is_data && name.eq_ignore_ascii_case(b"type");
        is_whole
    }

    /// The value here; false where its quote closes nowhere. Says whether a script of this type is data.
    fn value(&mut self, is_code: bool, is_data: &mut bool) -> bool {
        let open = self.reader.at;
        let byte = self.reader.byte(0);
        let (start, end, behind) = match byte {
            b'"' | b'\'' => {
                let slot = usize::from(byte == b'\'');
                let rest = &self.reader.text[open + 1..];
                let len = match self.no_quote[slot] {
                    true => None,
                    false => memchr::memchr(byte, rest),
                };
                let Some(len) = len else {
                    self.no_quote[slot] = true;
                    self.mark(open, open + 1);
                    self.reader.at = open + 1;
                    return false;
                };
                (open + 1, open + 1 + len, open + len + 2)
            }
            b'{' if self.braces() => return true,
            _ => {
                let rest = &self.reader.text[open..];
                let ends = |b: &u8| is(*b, SPACE) || *b == b'>';
                let end = open + rest.iter().position(ends).unwrap_or(rest.len());
                (open, end, end)
            }
        };
        let value = &self.reader.text[start..end];
        let kinds: [&[u8]; 4] = [b"json", b"importmap", b"template", b"html"];
        *is_data = kinds
            .iter()
            .any(|kind| memchr::memmem::find(value, kind).is_some());
        if is_code {
            self.part(start, end, Language::Script, false);
        } else if end > start || behind > end {
            self.emit(Kind::Text, start, end);
        }
        self.reader.at = behind;
        true
    }

    /// The code between the braces here, with them; false where they do not close.
    fn braces(&mut self) -> bool {
        let open = self.reader.at;
        if self.failures == FAILURES_MAX {
            return false;
        }
        let mut depth = 0_usize;
        let rest = &self.reader.text[open..];
        for at in memchr::memchr2_iter(b'{', b'}', rest) {
            match rest[at] {
                b'{' => depth += 1,
                _ => depth -= 1,
            }
            if depth == 0 {
                self.mark(open, open + 1);
                self.part(open + 1, open + at, Language::Script, false);
                self.mark(open + at, open + at + 1);
                self.reader.at = open + at + 1;
                return true;
            }
        }
        self.failures += 1;
        false
    }
}

/// What a tag says of its element.
#[derive(Default)]
struct Attributes {
    /// The tag ended.
    is_whole: bool,
    /// The element ended with it.
    is_closed: bool,
    /// A script that is none.
    is_data: bool,
}

/// Whether the value of an attribute with this name is code.
fn holds_code(name: &[u8]) -> bool {
    match name {
        [b'@' | b':' | b'(' | b'[' | b'*', ..] => true,
        _ if name.starts_with(b"v-") => name != b"v-for" && name != b"v-slot",
        [b'o' | b'O', b'n' | b'N', rest @ ..] => rest.first().is_some_and(u8::is_ascii_alphabetic),
        _ => false,
    }
}

/// What `ask` says of a word in lower case; no where it is too long.
fn lower(word: &[u8], ask: impl Fn(&[u8]) -> bool) -> bool {
    let mut lower = [0; WORD_MAX_BYTES];
    match lower.get_mut(..word.len()) {
        Some(lower) => {
            lower.copy_from_slice(word);
            lower.make_ascii_lowercase();
            ask(lower)
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Family;
    use super::super::shown::gives;

    #[test]
    fn tags_and_texts() {
        gives(
            Family::Html,
            "<!DOCTYPE html>\n<p class=\"a b\" data-c=d>Some\n text<br/> &amp; 'more' <!-- e --></P>\n<my-tag f>1 < 2",
            "¶ <! k:DOCTYPE k:html > < k:p k:class = t:a b p:data-c = t:d > t:Some\n text < k:br /> t:&amp; 'more' < p:my-tag p:f > t:1 t:< 2",
        );
    }

    #[test]
    fn scripts_and_sheets_are_read_as_such() {
        gives(
            Family::Html,
            "<script>if (a</b/.c) { '</p>' }</script><style>.a{b:c}</style><script type=\"application/ld+json\">{\"d\": 1}</script>",
            "¶ < k:script > ¶ k:if ( n:a < r:b . p:c ) { t:</p> } ¶ < k:style > ¶ . p:a { k:b : k:c } ¶ < k:script k:type = t:application/ld+json > ¶ { t:d : d:1 }",
        );
    }

    #[test]
    fn components_hold_code_in_attributes_and_texts() {
        gives(
            Family::Html,
            "<template>\n<A-b v-if=\"c > 1\" @click=\"d('e')\" :f=\"g\">{{ h.i }} j</A-b>\n</template>",
            "¶ < k:template > < p:A-b k:v-if = n:c > d:1 p:@click = n:d ( t:e ) p::f = n:g > {{ n:h . p:i }} t:j",
        );
        gives(
            Family::Html,
            "<Button on:click={() => c > {d: 1}} {...e} />",
            "¶ < p:Button p:on:click = { ( ) => n:c > { n:d : d:1 } } { ... n:e } />",
        );
    }

    #[test]
    fn what_is_broken_is_left_behind_soon() {
        gives(Family::Html, "<!-- a", "¶ t:<!-- a");
        gives(
            Family::Html,
            "<a b=\"c <d>e",
            "¶ < k:a p:b = \" t:c < p:d > t:e",
        );
        gives(Family::Html, "<a <b>{{ c", "¶ < k:a < k:b > t:{{ c");
        gives(Family::Html, "<script>a", "¶ < k:script > ¶ n:a");
    }
}
