//! The lexer for SQL, of whatever maker.
//!
//! * A word is a [`Kind::Keyword`] in whatever case, or else a [`Kind::Property`]: the names of tables, columns and
//!   functions are what programs outside rest on, so that renaming leaves them alone; and with those forgotten one table
//!   looks like any other. Variables and parameters (`@a`, `$1`) are names; of `:a` the colon is a mark.
//! * `'a'` is a text, over lines too, in which two quotes are one. A backslash escapes only behind `E`, and where the text
//!   has backticks, as MySQL's has, in which `"a"` is a text, too. Else that is a name, as are `` `a` `` and `[a]`.
//! * The body of a function (`$$ … $$`, `$a$ … $a$`) is read on as SQL, and its delimiters are marks.
//! * Comments are `--`, `/* */`, and `#` where it begins a line.
//! * A piece begins behind `;`, outside of brackets and of bodies.
//!
//! Left out: where `DELIMITER` changes what ends a statement, and conditional comments of MySQL, which are comments here.

use super::reader::{DIGIT, LETTER, Reader, SPACE, WORD, is};
use super::words::Words;
use super::{Kind, Sink};

/// Bytes in which a backtick tells MySQL.
const DIALECT_BYTES: usize = 64 * 1_024;

/// The longest of [`KEYWORDS`], in bytes.
const KEYWORD_MAX_BYTES: usize = 18;

/// What SQL:2016 reserves and what the makers have beside it, as far as it is common; in lower case.
static KEYWORDS: Words = Words::new(&[
    "add",
    "after",
    "all",
    "alter",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "authorization",
    "auto_increment",
    "autoincrement",
    "before",
    "begin",
    "between",
    "bigint",
    "binary",
    "blob",
    "bool",
    "boolean",
    "both",
    "by",
    "bytea",
    "call",
    "cascade",
    "case",
    "cast",
    "char",
    "character",
    "charset",
    "check",
    "cluster",
    "coalesce",
    "collate",
    "column",
    "columns",
    "comment",
    "commit",
    "concurrently",
    "constraint",
    "copy",
    "count",
    "create",
    "cross",
    "current_date",
    "current_time",
    "current_timestamp",
    "current_user",
    "cursor",
    "data",
    "database",
    "date",
    "datetime",
    "decimal",
    "declare",
    "default",
    "deferrable",
    "deferred",
    "delete",
    "delimiter",
    "desc",
    "describe",
    "distinct",
    "do",
    "domain",
    "double",
    "drop",
    "each",
    "else",
    "elsif",
    "end",
    "engine",
    "enum",
    "escape",
    "except",
    "exception",
    "exec",
    "execute",
    "exists",
    "explain",
    "extension",
    "false",
    "fetch",
    "first",
    "float",
    "following",
    "for",
    "foreign",
    "from",
    "full",
    "function",
    "go",
    "grant",
    "group",
    "having",
    "if",
    "ignore",
    "ilike",
    "immutable",
    "in",
    "index",
    "inherits",
    "initially",
    "inner",
    "insert",
    "instead",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "join",
    "key",
    "language",
    "last",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "lock",
    "loop",
    "materialized",
    "max",
    "min",
    "natural",
    "next",
    "no",
    "not",
    "notnull",
    "now",
    "null",
    "nulls",
    "nullif",
    "numeric",
    "nvarchar",
    "of",
    "off",
    "offset",
    "on",
    "only",
    "open",
    "option",
    "or",
    "order",
    "out",
    "outer",
    "over",
    "owner",
    "partition",
    "perform",
    "plpgsql",
    "policy",
    "pragma",
    "preceding",
    "precision",
    "primary",
    "privileges",
    "procedure",
    "public",
    "raise",
    "range",
    "real",
    "recursive",
    "references",
    "rename",
    "replace",
    "restrict",
    "return",
    "returning",
    "returns",
    "revoke",
    "right",
    "role",
    "rollback",
    "row",
    "rows",
    "schema",
    "select",
    "sequence",
    "serial",
    "set",
    "setof",
    "show",
    "smallint",
    "stable",
    "strict",
    "sum",
    "table",
    "tables",
    "temp",
    "temporary",
    "text",
    "then",
    "time",
    "timestamp",
    "timestamptz",
    "tinyint",
    "to",
    "trailing",
    "transaction",
    "trigger",
    "true",
    "truncate",
    "type",
    "unbounded",
    "union",
    "unique",
    "unlock",
    "unsigned",
    "update",
    "use",
    "user",
    "using",
    "uuid",
    "values",
    "varchar",
    "varying",
    "view",
    "volatile",
    "when",
    "where",
    "while",
    "window",
    "with",
    "without",
    "zone",
]);

/// Pushes the tokens of `text` into `sink`.
pub(super) fn lex(text: &[u8], sink: &mut impl Sink) {
    let head = &text[..text.len().min(DIALECT_BYTES)];
    let mut lexer = Lexer {
        reader: Reader::new(text, sink),
        is_mysql: memchr::memchr(b'`', head).is_some(),
        depth: 0,
        in_body: false,
        begins_piece: true,
        no_comment: false,
        no_quote: [false; 2],
    };
    lexer.run();
}

struct Lexer<'t, 's, S> {
    reader: Reader<'t, 's, S>,
    is_mysql: bool,
    /// Brackets that are open.
    depth: u64,
    /// Between the delimiters of the body of a function.
    in_body: bool,
    /// The next token does, if it stands in no bracket.
    begins_piece: bool,
    /// From here on no comment closes; no quote, `'` and `"`.
    no_comment: bool,
    no_quote: [bool; 2],
}

impl<S: Sink> Lexer<'_, '_, S> {
    fn run(&mut self) {
        while let Some(&byte) = self.reader.text.get(self.reader.at) {
            match byte {
                _ if is(byte, SPACE) => self.reader.at += 1,
                b'-' if self.reader.byte(1) == b'-' => self.reader.at = self.reader.line_end(),
                b'#' if self.reader.at_line_start() => self.reader.at = self.reader.line_end(),
                b'/' if self.reader.byte(1) == b'*' && self.skips_comment() => {}
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
        if std::mem::take(&mut self.begins_piece) {
            self.reader.piece();
        }
        match byte {
            _ if is(byte, LETTER) => self.word(),
            _ if is(byte, DIGIT) => self.number(),
            b'.' if self.reader.byte(1).is_ascii_digit()
                && !is(self.reader.byte_before(), WORD) =>
            {
                self.number();
            }
            b'\'' => self.quoted(byte, Kind::Text, self.is_mysql),
            b'"' if self.is_mysql => self.quoted(byte, Kind::Text, true),
            b'"' => self.quoted(byte, Kind::Property, false),
            b'`' => self.name_up_to(b'`'),
            b'[' if !matches!(self.reader.byte_before(), b']' | b')')
                && !is(self.reader.byte_before(), WORD)
                && is(self.reader.byte(1), LETTER) =>
            {
                self.name_up_to(b']');
            }
            b'$' => self.dollar(),
            b'@' => {
                let marks = if self.reader.byte(1) == b'@' { 2 } else { 1 };
                let end = self.reader.run_from(self.reader.at + marks, WORD);
                match is(self.reader.byte(marks), LETTER) {
                    true => self.reader.take(Kind::Name, end),
                    false => self.operator(byte),
                }
            }
            _ => self.operator(byte),
        }
    }

    fn word(&mut self) {
        let end = self.reader.run(WORD);
        let word = &self.reader.text[self.reader.at..end];
        // `E'a\n'`, `N'a'`, `x'ff'`
        if word.len() == 1 && self.reader.text.get(end) == Some(&b'\'') {
            let has_escapes = self.is_mysql || word[0] | 0x20 == b'e';
            self.reader.at = end;
            self.quoted(b'\'', Kind::Text, has_escapes);
            return;
        }
        let is_member = self.reader.byte_before() == b'.';
        let kind = match !is_member && is_keyword(word) {
            true => Kind::Keyword,
            false => Kind::Property,
        };
        self.reader.take(kind, end);
    }

    fn number(&mut self) {
        let end = self.reader.number_end();
        self.reader.take(Kind::Number, end.max(self.reader.at + 1));
    }

    /// What stands between quotes here, over lines too; two quotes within it are one. One that closes nowhere is a mark.
    fn quoted(&mut self, quote: u8, kind: Kind, has_escapes: bool) {
        let unclosed = usize::from(quote == b'"');
        let start = self.reader.at + 1;
        let mut at = start;
        while !self.no_quote[unclosed]
            && let Some(rest) = self.reader.text.get(at..)
        {
            let found = match has_escapes {
                true => memchr::memchr2(quote, b'\\', rest),
                false => memchr::memchr(quote, rest),
            };
            let Some(len) = found else { break };
            let is_pair = rest.get(len + 1) == Some(&quote);
            if rest[len] == b'\\' || is_pair {
                at += len + 2;
                continue;
            }
            // Only a text may be empty.
            let end = at + len;
            if end > start || kind == Kind::Text {
                self.reader.emit(kind, start, end);
            }
            self.reader.at = end + 1;
            return;
        }
        self.no_quote[unclosed] = true;
        self.reader.punct(1);
    }

    /// A name between delimiters on one line; without the second one the first is a mark.
    fn name_up_to(&mut self, close: u8) {
        /// Bytes that a name has at most.
        const NAME_MAX_BYTES: usize = 256;
        let start = self.reader.at + 1;
        let rest = &self.reader.text[start..];
        let rest = &rest[..rest.len().min(NAME_MAX_BYTES)];
        match memchr::memchr2(close, b'\n', rest) {
            Some(len) if len > 0 && rest[len] == close => {
                self.reader.emit(Kind::Property, start, start + len);
                self.reader.at = start + len + 1;
            }
            _ => self.reader.punct(1),
        }
    }

    /// `$1`, or what delimits a body: `$$`, `$a$`.
    fn dollar(&mut self) {
        let end = self.reader.run_from(self.reader.at + 1, WORD);
        let is_number = is(self.reader.byte(1), DIGIT);
        if self.reader.text.get(end) == Some(&b'$') && !is_number {
            self.in_body = !self.in_body;
            self.depth = 0;
            self.reader.take(Kind::Punct, end + 1);
        } else if end > self.reader.at + 1 {
            self.reader.take(Kind::Name, end);
        } else {
            self.reader.punct(1);
        }
    }

    fn operator(&mut self, byte: u8) {
        match byte {
            b'(' => self.depth += 1,
            b')' => self.depth = self.depth.saturating_sub(1),
            b';' => {
                // Brackets stay within a statement.
                self.depth = 0;
                self.begins_piece = !self.in_body;
            }
            _ => {}
        }
        let len = match self.reader.four() {
            [b'-', b'>', b'>', _] | [b'#', b'>', b'>', _] | [b'<', b'=', b'>', _] => 3,
            [b':', b':' | b'=', ..]
            | [b'<', b'>' | b'=' | b'<' | b'@', ..]
            | [b'>', b'=' | b'>', ..]
            | [b'!', b'=' | b'~', ..]
            | [b'|', b'|', ..]
            | [b'-' | b'=' | b'#' | b'@', b'>', ..]
            | [b'+' | b'*' | b'/' | b'%', b'=', ..]
            | [b'@', b'@', ..]
            | [b'&', b'&', ..] => 2,
            _ => 1,
        };
        self.reader.punct(len);
    }
}

/// Whether a word is one of the language, in whatever case.
fn is_keyword(word: &[u8]) -> bool {
    let mut lower = [0; KEYWORD_MAX_BYTES];
    match lower.get_mut(..word.len()) {
        Some(lower) => {
            lower.copy_from_slice(word);
            lower.make_ascii_lowercase();
            KEYWORDS.contain(lower)
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Family;
    use super::super::shown::gives;
    use super::KEYWORD_MAX_BYTES;

    #[test]
    fn statements_are_pieces() {
        gives(
            Family::Sql,
            "-- a\nSELECT a.id, Count(*) FROM b /* c */ WHERE d >= 0x1F;\nselect 'it''s';",
            "¶ k:SELECT p:a . p:id , k:Count ( * ) k:FROM p:b k:WHERE p:d >= d:0x1F ; ¶ k:select t:it''s ;",
        );
        gives(
            Family::Sql,
            "CREATE TABLE a (b numeric(10, 2) DEFAULT 1.5);\n# c\nDROP TABLE a",
            "¶ k:CREATE k:TABLE p:a ( p:b k:numeric ( d:10 , d:2 ) k:DEFAULT d:1.5 ) ; ¶ k:DROP k:TABLE p:a",
        );
    }

    #[test]
    fn makers_quote_as_they_like() {
        gives(
            Family::Sql,
            "'\\' \"a b\" E'\\'' N'c' [d e].[f] g[1]",
            "¶ t:\\ p:a b t:\\' t:c p:d e . p:f p:g [ d:1 ]",
        );
        gives(
            Family::Sql,
            "`a` = 'it\\'s' AND \"b\" = @c + $1 + :d",
            "¶ p:a = t:it\\'s k:AND t:b = n:@c + n:$1 + : p:d",
        );
    }

    #[test]
    fn a_body_is_read_on() {
        gives(
            Family::Sql,
            "CREATE FUNCTION a() AS $x$ BEGIN b := 'c'; END; $x$ LANGUAGE plpgsql; SELECT d::int",
            "¶ k:CREATE k:FUNCTION p:a ( ) k:AS $x$ k:BEGIN p:b := t:c ; k:END ; $x$ k:LANGUAGE k:plpgsql ; ¶ k:SELECT p:d :: k:int",
        );
    }

    #[test]
    fn what_is_broken_is_left_behind_soon() {
        gives(Family::Sql, "/* a", "¶ / * p:a");
        gives(Family::Sql, "'a; b", "¶ ' p:a ; ¶ p:b");
        gives(Family::Sql, "`a\n[b\n''", "¶ ` p:a [ p:b t:");
    }

    #[test]
    fn no_keyword_is_longer_than_what_is_looked_at() {
        gives(
            Family::Sql,
            "current_timestamp authorizations_of_many_words",
            "¶ k:current_timestamp p:authorizations_of_many_words",
        );
        assert!(KEYWORD_MAX_BYTES > "current_timestamp".len());
    }
}
