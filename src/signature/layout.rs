//! Tier `layout/2`: the digest of a text without its layout. Tier `layout/1`: the one of before.
//!
//! A tool that lays code out anew leaves its tokens and its comments and moves the blanks between them. It takes
//! other quotes, puts a comma behind the last of a list, and brackets round what it broke over lines. Fingerprints agree
//! with such a text nearly as a whole, but they also agree with one whose licence header was cut out, or that has a line
//! of five signs more: they have no opinion on what they do not stand for. This digest has: two texts that have it in common
//! hold the same tokens and the same comments, so that nothing was added, changed or taken away. The rules are fixed for
//! good under these ids:
//!
//! 1. **Which texts.** The text as `norm-text/1` decodes it, without a zero byte. A text that reads as JSON, and one that is
//!    neither that nor a program, have forms of their own (`plain.rs`). A program is a text of at most
//!    [`TEXT_MAX_BYTES`], of one of the families script, python, rust, clike, css and sql, with a token in it; in the others
//!    line ends are part of what is said, or nobody can tell.
//! 2. **Tokens** are those of the family's lexer. What stands between two of them (comments, quotes, escapes of names)
//!    counts without its blanks, line ends, tabs and form feeds; every other byte of it does, also one that nobody sees.
//!    Of a text between quotes that runs over lines, blanks and tabs on both sides of a line end do not count, and any line end is
//!    LF.
//! 3. **Quotes** (script, python, css): `'` between tokens is written as `"`. In a text between such quotes a backslash
//!    before either of them goes, unless letters stand before the quote (prefixes of Python).
//! 4. **Commas** before a closing bracket go: before `}` in all families; before `]` but where it closes an index in
//!    python, and not behind `[` or another comma; before `)` in script, and elsewhere where a name stands before the opening
//!    one. A tuple of one keeps its comma. `;` before `}` goes in script and css.
//! 5. **Round brackets** (script) go where they hold a whole expression: behind one of `= => ( [ , : ?` or `return` and
//!    `throw`, before one of `; ) ] } , :`, with something in them, no comma of their own, and no `{` right behind them where `=>`
//!    stands before. `|` and `&` (script) go behind one of `= : < ( , [ => ?` or the names `as extends is satisfies`, where they
//!    only lead a list of types: such a name counts where an operand stands before it on its line, so that it is none itself.
//! 6. **Where layout has a meaning** it counts. Python: of each line of the program how deep it stands. Script: a line end
//!    behind `return`, `break`, `continue`, `throw` or `yield`, but not before `}` and `;`, and before `++` and `--` but behind a
//!    sign that is no closing bracket. Clike: the same, also before one of `( [ + - * & <` where what stands before may be a
//!    whole statement, and the end of a line that begins with `#`. Css: whether anything
//!    stands between two tokens, but beside `{ } ; , > ( )` and behind `:`.
//!
//! The digest of a program is BLAKE3-256, without a key, of the id of the family, then of each token its kind and its bytes, of
//! what stands between and of the marks of rule 6 the same, each with its length; sets store it keyed.
//!
//! **What it does not see.** Blanks within comments, how a comment is broken over lines, which quotes a string has, how the
//! lines of a text are indented. **What it takes for a change** though it is layout: semicolons that a tool puts where a line end would do, imports in another
//! order, quotes of keys, numbers written otherwise, comments and texts of more lines where the tool breaks them anew. In
//! doubt two texts are not the same.
//!
//! **`layout/1`** is asked of sets that were signed with it, and of no others. It has programs only, and of these: blanks in
//! texts count; in rule 4 the bracket that ends a part of a template closes the nearest `{`; in rule 5 `|` and `&` stay behind `?`
//! and names; in rule 6 a line end before `++` and `--` always counts.

mod plain;

use crate::lex::{Family, Kind, Sink, Token, family_of, lex};

use super::norm_text;

/// The algorithm id of this tier.
pub const ALGORITHM: &str = "layout/2";

/// The algorithm id of the tier of before.
pub const FIRST_ALGORITHM: &str = "layout/1";

/// A longer text is no program (rule 1): all its tokens are held at a time, in up to 17 bytes for each byte of text.
pub const TEXT_MAX_BYTES: usize = 4 << 20;

/// Which of the two tiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rules {
    /// Those of [`FIRST_ALGORITHM`].
    First,
    /// Those of [`ALGORITHM`].
    Second,
}

impl Rules {
    /// The id that they were published under.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Rules::First => FIRST_ALGORITHM,
            Rules::Second => ALGORITHM,
        }
    }
}

/// Columns of a tab in an indentation.
const TAB: usize = 8;

/// The digest of `content` without its layout; `None` where it has none: it is no text, or an empty one.
#[must_use]
pub fn digest(content: &[u8]) -> Option<[u8; 32]> {
    let text = norm_text::text_of(content)?;
    digest_of_text(Rules::Second, family_of(&text), &text)
}

/// The same, by either rules, of a text that was decoded, and whose family is known.
#[must_use]
pub fn digest_of_text(rules: Rules, family: Family, text: &[u8]) -> Option<[u8; 32]> {
    if memchr::memchr(0, text).is_some() {
        return None;
    }
    match rules {
        Rules::First => digest_of_program(rules, family, text),
        Rules::Second => plain::of_json(text)
            .or_else(|| digest_of_program(rules, family, text))
            .or_else(|| plain::of_lines(text)),
    }
}

fn digest_of_program(rules: Rules, family: Family, text: &[u8]) -> Option<[u8; 32]> {
    let is_one = matches!(
        family,
        Family::Script | Family::Python | Family::Rust | Family::Clike | Family::Css | Family::Sql
    );
    if !is_one || text.len() > TEXT_MAX_BYTES {
        return None;
    }
    let mut tokens = Tokens(Vec::new());
    lex(family, text, &mut tokens);
    let tokens = tokens.0;
    if tokens.is_empty() {
        return None;
    }
    let form = Form {
        rules,
        family,
        text,
        left_out: left_out(rules, family, text, &tokens),
        tokens: &tokens,
    };
    Some(form.digest())
}

struct Tokens(Vec<Token>);

impl Sink for Tokens {
    fn token(&mut self, token: Token) {
        self.0.push(token);
    }
}

/// The bytes of a sign; nothing where the token is none.
fn sign<'t>(text: &'t [u8], token: Option<&Token>) -> &'t [u8] {
    match token {
        Some(token) if token.kind == Kind::Punct => token.of(text),
        _ => b"",
    }
}

/// A bracket that is open, and what is known of what it holds.
struct Open {
    at: usize,
    sign: u8,
    has_comma: bool,
}

/// Which tokens do not count (rules 4 and 5).
fn left_out(rules: Rules, family: Family, text: &[u8], tokens: &[Token]) -> Vec<bool> {
    let mut out = vec![false; tokens.len()];
    let mut open: Vec<Open> = Vec::new();
    let mut drop = |at: usize| {
        if let Some(slot) = out.get_mut(at) {
            *slot = true;
        }
    };
    for (at, token) in tokens.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| tokens.get(at));
        let behind = tokens.get(at + 1);
        match sign(text, Some(token)) {
            &[bracket @ (b'(' | b'[' | b'{')] => open.push(Open {
                at,
                sign: bracket,
                has_comma: false,
            }),
            b"${" if rules == Rules::Second => open.push(Open {
                at,
                sign: b'{',
                has_comma: false,
            }),
            b"," => {
                if let Some(open) = open.last_mut() {
                    open.has_comma = true;
                }
            }
            b";" if matches!(family, Family::Script | Family::Css)
                && sign(text, behind) == b"}" =>
            {
                drop(at);
            }
            b"|" | b"&" if family == Family::Script && leads_types(rules, text, tokens, at) => {
                drop(at);
            }
            &[bracket @ (b')' | b']' | b'}')] => {
                let pair = match bracket {
                    b')' => b'(',
                    b']' => b'[',
                    _ => b'{',
                };
                let Some(opened) = open.pop_if(|open| open.sign == pair) else {
                    continue;
                };
                let front = opened.at.checked_sub(1).and_then(|at| tokens.get(at));
                let is_last = sign(text, before) == b",";
                if is_last && comma_may_go(family, text, tokens, &opened, at) {
                    drop(at - 1);
                }
                let sides = (front, behind);
                let within = (opened.at + 1 < at).then(|| tokens.get(opened.at + 1));
                if bracket == b')'
                    && family == Family::Script
                    && !opened.has_comma
                    && holds_expression(text, sides, within.flatten())
                {
                    drop(opened.at);
                    drop(at);
                }
            }
            _ => {}
        }
    }
    out
}

/// Whether a list of types may begin with the token at `at` (rule 5).
fn leads_types(rules: Rules, text: &[u8], tokens: &[Token], at: usize) -> bool {
    let nth_before = |back: usize| at.checked_sub(back).and_then(|at| tokens.get(at));
    let before = nth_before(1);
    let is_begun = matches!(
        sign(text, before),
        b"=" | b":" | b"<" | b"(" | b"," | b"[" | b"=>"
    );
    let is_named = before.is_some_and(|before| match before.kind {
        Kind::Punct => before.of(text) == b"?",
        Kind::Name | Kind::Keyword => {
            matches!(before.of(text), b"as" | b"extends" | b"is" | b"satisfies")
                && nth_before(2).is_some_and(|operand| is_operand_of(text, operand, before))
        }
        _ => false,
    });
    is_begun || (is_named && rules == Rules::Second)
}

/// Whether a token ends something that the word behind it, which may be a variable too, is said of. In the grammar these words
/// stand on the line of their operand.
fn is_operand_of(text: &[u8], operand: &Token, word: &Token) -> bool {
    let ends = match operand.kind {
        Kind::Name => !matches!(operand.of(text), b"await" | b"of" | b"yield"),
        Kind::Keyword => operand.of(text) == b"this",
        Kind::Punct => matches!(operand.of(text), b")" | b"]" | b"}" | b">"),
        Kind::Property | Kind::Number | Kind::Text | Kind::Regex => true,
    };
    let between = text.get(operand.end as usize..word.start as usize);
    ends && between.is_some_and(|text| memchr::memchr2(b'\n', b'\r', text).is_none())
}

/// Whether the comma before the closing bracket at `at` says nothing (rule 4).
fn comma_may_go(family: Family, text: &[u8], tokens: &[Token], open: &Open, at: usize) -> bool {
    let front = open.at.checked_sub(1).and_then(|at| tokens.get(at));
    let is_named = front.is_some_and(|front| matches!(front.kind, Kind::Name | Kind::Property));
    match open.sign {
        b'{' => true,
        b'(' => family == Family::Script || is_named,
        _ => {
            let before = at.checked_sub(2).and_then(|at| tokens.get(at));
            let is_hole = matches!(sign(text, before), b"[" | b",");
            let is_index = is_named
                || front.is_some_and(|front| front.kind == Kind::Text)
                || matches!(sign(text, front), b")" | b"]");
            !is_hole && (family != Family::Python || !is_index)
        }
    }
}

/// Whether round brackets between these tokens hold a whole expression, which begins with `within` (rule 5).
fn holds_expression(
    text: &[u8],
    (front, behind): (Option<&Token>, Option<&Token>),
    within: Option<&Token>,
) -> bool {
    let Some(within) = within else { return false };
    let is_body = sign(text, front) == b"=>" && sign(text, Some(within)) == b"{";
    let is_begun = front.is_some_and(|front| match front.kind {
        Kind::Punct => matches!(
            front.of(text),
            b"=" | b"=>" | b"(" | b"[" | b"," | b":" | b"?"
        ),
        Kind::Keyword => matches!(front.of(text), b"return" | b"throw"),
        _ => false,
    });
    let ends = matches!(sign(text, behind), b";" | b")" | b"]" | b"}" | b"," | b":");
    is_begun && ends && !is_body
}

struct Form<'t> {
    rules: Rules,
    family: Family,
    text: &'t [u8],
    tokens: &'t [Token],
    left_out: Vec<bool>,
}

/// What is hashed beside kinds of tokens.
const GAP: u8 = 0xff;
const MARK: u8 = 0xfe;
const LINE: u8 = 0xfd;

impl Form<'_> {
    fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.family.id().as_bytes());
        let mut gap = Vec::new();
        let mut marks = Marks::default();
        let mut end = 0;
        let mut before: Option<&Token> = None;
        for (token, left_out) in self.tokens.iter().zip(&self.left_out) {
            let between = self.text.get(end..token.start as usize).unwrap_or_default();
            end = token.end as usize;
            self.add_gap(between, &mut gap);
            if let Some(mark) = marks.of(self, before, between, token) {
                put(&mut hasher, MARK, &mark.to_le_bytes());
            }
            before = Some(token);
            if *left_out {
                continue;
            }
            if !gap.is_empty() {
                put(&mut hasher, GAP, &gap);
                gap.clear();
            }
            let bytes = token.of(self.text);
            let unquoted = self.unquoted(token, bytes);
            let bytes = unquoted.as_deref().unwrap_or(bytes);
            match self.unindented(token, bytes) {
                Some(plain) => put(&mut hasher, token.kind as u8, &plain),
                None => put(&mut hasher, token.kind as u8, bytes),
            }
        }
        self.add_gap(self.text.get(end..).unwrap_or_default(), &mut gap);
        put(&mut hasher, GAP, &gap);
        *hasher.finalize().as_bytes()
    }

    fn has_two_quotes(&self) -> bool {
        matches!(self.family, Family::Script | Family::Python | Family::Css)
    }

    /// What stands between two tokens, without its blanks, with one kind of quotes.
    fn add_gap(&self, between: &[u8], gap: &mut Vec<u8>) {
        let has_two_quotes = self.has_two_quotes();
        let seen = between.iter().filter(|byte| !byte.is_ascii_whitespace());
        gap.extend(seen.map(|&byte| {
            if has_two_quotes && byte == b'\'' {
                b'"'
            } else {
                byte
            }
        }));
    }

    /// A text between quotes without the backslashes that only its own kind of quotes needs; `None` where it has none.
    fn unquoted(&self, token: &Token, bytes: &[u8]) -> Option<Vec<u8>> {
        if token.kind != Kind::Text || !self.has_two_quotes() || !bytes.contains(&b'\\') {
            return None;
        }
        let front = self.text.get(..token.start as usize)?;
        let (quote, front) = front.split_last()?;
        if !matches!(quote, b'"' | b'\'') || front.last().is_some_and(u8::is_ascii_alphanumeric) {
            return None;
        }
        let mut plain = Vec::with_capacity(bytes.len());
        let mut rest = bytes.iter().copied();
        while let Some(byte) = rest.next() {
            if byte != b'\\' {
                plain.push(byte);
                continue;
            }
            match rest.next() {
                Some(quote @ (b'"' | b'\'')) => plain.push(quote),
                Some(other) => plain.extend([byte, other]),
                None => plain.push(byte),
            }
        }
        Some(plain)
    }

    /// A text between quotes without the blanks round its line ends; `None` where it has none of these.
    fn unindented(&self, token: &Token, bytes: &[u8]) -> Option<Vec<u8>> {
        let runs_on = memchr::memchr2(b'\n', b'\r', bytes).is_some();
        if token.kind != Kind::Text || self.rules == Rules::First || !runs_on {
            return None;
        }
        let mut plain = Vec::with_capacity(bytes.len());
        let mut before = b' ';
        for &byte in bytes {
            let is_end = matches!(byte, b'\n' | b'\r');
            if is_end {
                while plain.pop_if(|last| matches!(*last, b' ' | b'\t')).is_some() {}
            }
            let is_second = byte == b'\n' && before == b'\r';
            let is_indent = matches!(byte, b' ' | b'\t') && plain.last() == Some(&b'\n');
            if !is_second && !is_indent {
                plain.push(if is_end { b'\n' } else { byte });
            }
            before = byte;
        }
        Some(plain)
    }
}

fn put(hasher: &mut blake3::Hasher, what: u8, bytes: &[u8]) {
    let mut head = [what; 5];
    head[1..].copy_from_slice(&(bytes.len() as u32).to_le_bytes());
    hasher.update(&head);
    hasher.update(bytes);
}

/// Where layout has a meaning (rule 6).
#[derive(Default)]
struct Marks {
    /// Of the blocks of Python.
    columns: Columns,
    brackets: usize,
    /// The line began with `#`.
    is_directive: bool,
}

impl Marks {
    /// The mark before a token, if there is one. Every token is to be shown.
    fn of(
        &mut self,
        form: &Form,
        before: Option<&Token>,
        between: &[u8],
        token: &Token,
    ) -> Option<u32> {
        let has_end = between.contains(&b'\n') || between.contains(&b'\r');
        let text = form.text;
        let (left, right) = (sign(text, before), sign(text, Some(token)));
        match form.family {
            Family::Python => self.depth(text, before.is_none() || has_end, right, token),
            Family::Script => (has_end && is_ended(form, before, right)).then_some(0),
            Family::Clike => {
                let begins = before.is_none() || has_end;
                let was_directive = begins && std::mem::take(&mut self.is_directive);
                self.is_directive |= begins && right.first() == Some(&b'#');
                let is_open = matches!(right, b"(" | b"[" | b"+" | b"-" | b"*" | b"&" | b"<");
                let is_done = before.is_some_and(|before| before.kind != Kind::Punct)
                    || matches!(left, b")" | b"]" | b"}");
                let counts = was_directive || (is_open && is_done) || is_ended(form, before, right);
                (has_end && counts).then_some(0)
            }
            Family::Css => {
                let is_apart = before.is_some() && between.iter().any(u8::is_ascii_whitespace);
                let is_free =
                    |sign: &[u8]| matches!(sign, b"{" | b"}" | b";" | b"," | b">" | b"(" | b")");
                (is_apart && !is_free(left) && !is_free(right) && left != b":").then_some(0)
            }
            _ => None,
        }
    }

    /// How deep the line of Python stands that begins with a token.
    fn depth(&mut self, text: &[u8], begins: bool, right: &[u8], token: &Token) -> Option<u32> {
        let depth = (begins && self.brackets == 0).then(|| {
            let front = text.get(..token.start as usize).unwrap_or_default();
            let line = front
                .iter()
                .rposition(|byte| matches!(byte, b'\n' | b'\r'))
                .map_or(front, |at| front.get(at + 1..).unwrap_or_default());
            self.columns.depth(line)
        });
        match right {
            b"(" | b"[" | b"{" => self.brackets += 1,
            b")" | b"]" | b"}" => self.brackets = self.brackets.saturating_sub(1),
            _ => {}
        }
        depth
    }
}

/// Columns of the blocks that are open.
#[derive(Default)]
struct Columns(Vec<usize>);

impl Columns {
    /// How deep a line stands, by the blanks that it begins with.
    fn depth(&mut self, line: &[u8]) -> u32 {
        let blanks = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t'));
        let column = blanks.fold(0, |column, byte| match byte {
            b'\t' => (column / TAB + 1) * TAB,
            _ => column + 1,
        });
        while self.0.pop_if(|open| *open > column).is_some() {}
        if self.0.last().is_none_or(|open| *open < column) {
            self.0.push(column);
        }
        self.0.len() as u32
    }
}

/// Whether a line end behind `before` ends a statement there, or one before the sign `right` does.
fn is_ended(form: &Form, before: Option<&Token>, right: &[u8]) -> bool {
    let text = form.text;
    let is_restricted = before.is_some_and(|before| {
        before.kind == Kind::Keyword
            && matches!(
                before.of(text),
                b"return" | b"break" | b"continue" | b"throw" | b"yield"
            )
    });
    // Behind a sign that ends nothing, what follows can only begin something.
    let left = sign(text, before);
    let may_end = matches!(left, b"" | b")" | b"]" | b"}") || form.rules == Rules::First;
    (is_restricted && !matches!(right, b"}" | b";")) || (may_end && matches!(right, b"++" | b"--"))
}

#[cfg(test)]
mod tests;
