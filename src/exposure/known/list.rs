//! Lists of live secrets, as people have them.
//!
//! Three forms are read: a dotenv file (`NAME=value`, quotes and `export` as usual), `name<TAB>value`, and one value a line.
//! The first line that says something decides between the first and the others, since a value may hold `=` and a list
//! that is taken for the wrong form would make a set of values that stand nowhere, and so prove an absence that is none.
//!
//! Whatever is said of a line is said by its number. No value is ever part of a message, and `Debug` shows none.

use std::collections::BTreeMap;
use std::fmt;

use super::strength;

/// Shorter values stand anywhere by chance; bytes. Also what the search for them looks at.
pub const LENGTH_MIN: usize = super::WINDOW;

/// Longer ones are files, not secrets; bytes. What is too large to be held is searched in windows that overlap by this.
pub const LENGTH_MAX: usize = 4096;

/// Values that take fewer guesses (log2) are words, which texts hold without knowing a secret.
pub const BITS_MIN: f64 = 28.0;

/// The least guesses (log2) where the key is in the set: what nobody can try, and what the search gives away besides.
pub const BITS_MIN_WITHOUT_KEY: f64 = 64.0 + super::FILTER_BITS as f64;

/// More are no list of secrets.
const SECRETS_MAX: usize = 100_000;

/// Longest name, in characters.
const NAME_CHARS: usize = 128;

/// A live secret of the list.
#[derive(Clone, PartialEq, Eq)]
pub struct Listed {
    /// What it is called; no other of the list is called so.
    pub name: String,
    /// The secret itself.
    pub value: Vec<u8>,
}

impl fmt::Debug for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listed({})", self.name)
    }
}

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `NAME=value`.
    Dotenv,
    /// `name<TAB>value` or a value by itself.
    Lines,
}

/// What is to be said of a line.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum Remark {
    /// Refused.
    #[error("shorter than {LENGTH_MIN} bytes, which stand anywhere by chance")]
    TooShort,
    /// Refused.
    #[error("longer than {LENGTH_MAX} bytes; name the part of it that is secret")]
    TooLong,
    /// Refused.
    #[error(
        "made of words, repeats or counting (some 2^{bits:.0} guesses), which texts hold without knowing it"
    )]
    Common {
        /// log2 of the guesses.
        bits: f64,
    },
    /// Refused.
    #[error(
        "who has the set could guess it (some 2^{bits:.0} guesses); give a file with --key and keep that apart from the set"
    )]
    Guessable {
        /// log2 of the guesses.
        bits: f64,
    },
    /// Refused.
    #[error("no assignment, in a list that begins with one")]
    NoAssignment,
    /// Refused.
    #[error(
        "a quote that is not closed on its line; write line ends within a value as \\n, in double quotes"
    )]
    OpenQuote,
    /// Refused.
    #[error("no value")]
    NoValue,
    /// Left out, since it is there.
    #[error("the same value as line {line}, and told by the name of that")]
    Repeat {
        /// The first.
        line: u64,
    },
    /// Taken.
    #[error(
        "taken as a value as a whole, `=` included; if it is an assignment, make all lines assignments"
    )]
    LooksLikeAssignment,
    /// Taken, under its number.
    #[error("its name gives the value away or cannot be printed, and was left out")]
    BadName,
}

impl Remark {
    /// Whether the line is not in the set and should perhaps be.
    pub fn is_refusal(self) -> bool {
        !matches!(
            self,
            Remark::Repeat { .. } | Remark::LooksLikeAssignment | Remark::BadName
        )
    }
}

/// A list that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct List {
    /// How it is written.
    pub form: Form,
    /// What is taken, in the order of the lines.
    pub secrets: Vec<Listed>,
    /// What is to be said, by line, 1-based.
    pub remarks: Vec<(u64, Remark)>,
    /// Lines that are not in the set and should perhaps be.
    pub refused: u64,
}

/// Why a list cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// Nothing in it can be taken.
    #[error("the list holds no secret that can be taken; no set was written")]
    Empty,
    /// More than anybody has.
    #[error("the list holds more than {SECRETS_MAX} secrets; is this the right file?")]
    TooMany,
}

impl List {
    /// Reads a list. `has_key` says that the set is made with a key of its own, so that who has the set alone can test
    /// nothing.
    pub fn parse(bytes: &[u8], has_key: bool) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let lines = || {
            let lines = bytes.split(|&byte| byte == b'\n').zip(1_u64..);
            lines.map(|(line, number)| (line.strip_suffix(b"\r").unwrap_or(line), number))
        };
        let says_something = |line: &[u8]| {
            let line = line.trim_ascii();
            !line.is_empty() && !line.starts_with(b"#")
        };
        let first = lines().find(|(line, _)| says_something(line));
        let is_dotenv = first.is_some_and(|(line, _)| assignment(line).is_some());
        let mut reader = Reader::new(if is_dotenv { Form::Dotenv } else { Form::Lines }, has_key);
        for (line, number) in lines().filter(|(line, _)| says_something(line)) {
            reader.take(line, number);
        }
        reader.list
    }

    /// Whether a set can be made of it.
    ///
    /// # Errors
    /// When nothing was taken, or more than a set holds.
    pub fn check(&self) -> Result<(), ListError> {
        match self.secrets.len() {
            0 => Err(ListError::Empty),
            many if many > SECRETS_MAX => Err(ListError::TooMany),
            _ => Ok(()),
        }
    }
}

/// Takes lines one by one.
struct Reader {
    list: List,
    bits_min: f64,
    has_key: bool,
    lines: BTreeMap<Vec<u8>, u64>,
    names: BTreeMap<String, u64>,
}

impl Reader {
    fn new(form: Form, has_key: bool) -> Self {
        Self {
            list: List {
                form,
                secrets: Vec::new(),
                remarks: Vec::new(),
                refused: 0,
            },
            bits_min: if has_key {
                BITS_MIN
            } else {
                BITS_MIN_WITHOUT_KEY
            },
            has_key,
            lines: BTreeMap::new(),
            names: BTreeMap::new(),
        }
    }

    fn take(&mut self, line: &[u8], number: u64) {
        match self.read(line, number) {
            Ok((name, value)) => {
                self.lines.insert(value.clone(), number);
                let name = self.name(name, &value, number);
                self.list.secrets.push(Listed { name, value });
            }
            Err(remark) => self.say(number, remark),
        }
    }

    fn say(&mut self, line: u64, remark: Remark) {
        self.list.refused += u64::from(remark.is_refusal());
        self.list.remarks.push((line, remark));
    }

    /// Name and value of a line, or why it is not taken.
    fn read(&mut self, line: &[u8], number: u64) -> Result<(Vec<u8>, Vec<u8>), Remark> {
        let (name, value) = match self.list.form {
            Form::Dotenv => {
                let (name, value) = assignment(line).ok_or(Remark::NoAssignment)?;
                (name.to_vec(), unquoted(value)?)
            }
            Form::Lines => match memchr::memchr(b'\t', line) {
                Some(tab) => (line[..tab].to_vec(), line[tab + 1..].trim_ascii().to_vec()),
                None => {
                    if assignment(line).is_some() {
                        self.say(number, Remark::LooksLikeAssignment);
                    }
                    (Vec::new(), line.trim_ascii().to_vec())
                }
            },
        };
        self.check(&value)?;
        Ok((name, value))
    }

    fn check(&self, value: &[u8]) -> Result<(), Remark> {
        match value.len() {
            0 => return Err(Remark::NoValue),
            len if len < LENGTH_MIN => return Err(Remark::TooShort),
            len if len > LENGTH_MAX => return Err(Remark::TooLong),
            _ => {}
        }
        if let Some(&line) = self.lines.get(value) {
            return Err(Remark::Repeat { line });
        }
        let bits = strength::bits(value);
        if bits < BITS_MIN {
            return Err(Remark::Common { bits });
        }
        if bits < self.bits_min && !self.has_key {
            return Err(Remark::Guessable { bits });
        }
        Ok(())
    }

    /// A name that can be shown, that no other secret has, and that says nothing of a value.
    fn name(&mut self, name: Vec<u8>, value: &[u8], line: u64) -> String {
        let by_line = format!("line {line}");
        let given = String::from_utf8(name).ok();
        let given = given.map(|name| name.trim().to_owned());
        let is_good = |name: &String| {
            name.chars().count() <= NAME_CHARS
                && !name.chars().any(char::is_control)
                && !gives_away(name.as_bytes(), value)
        };
        let name = match given {
            Some(name) if name.is_empty() => by_line,
            Some(name) if is_good(&name) => name,
            _ => {
                self.say(line, Remark::BadName);
                by_line
            }
        };
        let count = self.names.entry(name.clone()).or_insert(0);
        *count += 1;
        match *count {
            1 => name,
            // Names of the form are given to nobody else: a number behind `#` that was there would be counted too.
            count => format!("{name}#{count} (line {line})"),
        }
    }
}

/// Whether a name holds the value, or a part of it that is long enough to be looked for.
fn gives_away(name: &[u8], value: &[u8]) -> bool {
    name.windows(LENGTH_MIN)
        .any(|part| memchr::memmem::find(value, part).is_some())
}

/// Name and value of an assignment. A value of `=` alone is the end of something in Base64.
fn assignment(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.trim_ascii();
    let line = line.strip_prefix(b"export ").unwrap_or(line).trim_ascii();
    let equals = memchr::memchr(b'=', line)?;
    let name = line[..equals].trim_ascii_end();
    let is_name = name
        .first()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'));
    let value = line[equals + 1..].trim_ascii();
    let is_value = !value.iter().all(|&byte| byte == b'=');
    (is_name && is_value).then_some((name, value))
}

/// The value of a dotenv file's line without its quotes and what stands behind them.
fn unquoted(value: &[u8]) -> Result<Vec<u8>, Remark> {
    match value.first() {
        Some(b'"') => escaped(&value[1..]),
        Some(&quote @ (b'\'' | b'`')) => {
            let end = memchr::memchr(quote, &value[1..]).ok_or(Remark::OpenQuote)?;
            Ok(value[1..=end].to_vec())
        }
        _ => {
            let comment = memchr::memmem::find(value, b" #").unwrap_or(value.len());
            Ok(value[..comment].trim_ascii_end().to_vec())
        }
    }
}

/// What stands in double quotes.
fn escaped(text: &[u8]) -> Result<Vec<u8>, Remark> {
    let mut value = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'"' => return Ok(value),
            b'\\' => match bytes.next() {
                Some(b'n') => value.push(b'\n'),
                Some(b'r') => value.push(b'\r'),
                Some(b't') => value.push(b'\t'),
                Some(&other @ (b'"' | b'\\' | b'$')) => value.push(other),
                Some(&other) => value.extend([b'\\', other]),
                None => return Err(Remark::OpenQuote),
            },
            _ => value.push(byte),
        }
    }
    Err(Remark::OpenQuote)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposure::known::testing::made;

    fn values(list: &List) -> Vec<(&str, String)> {
        let each = list.secrets.iter();
        each.map(|one| {
            (
                one.name.as_str(),
                String::from_utf8_lossy(&one.value).into_owned(),
            )
        })
        .collect()
    }

    #[test]
    fn three_forms_are_told_apart_by_their_first_line() {
        let (a, b) = (made("a"), made("b"));
        let text = format!("# ours\n\nexport STRIPE={a}\nMAIL=\"{b}\" # second\n");
        let list = List::parse(text.as_bytes(), false);
        assert_eq!(list.form, Form::Dotenv);
        assert_eq!(values(&list), [("STRIPE", a.clone()), ("MAIL", b.clone())]);
        let text = format!("mail\t{a}\r\n{b}\n");
        let list = List::parse(text.as_bytes(), false);
        assert_eq!(list.form, Form::Lines);
        assert_eq!(values(&list), [("mail", a.clone()), ("line 2", b)]);
        // The padding of Base64 makes no assignment.
        let list = List::parse(format!("{a}==\n").as_bytes(), false);
        assert_eq!(values(&list), [("line 1", format!("{a}=="))]);
    }

    #[test]
    fn quotes_and_escapes_are_undone() {
        let a = made("a");
        let text = format!("A='{a} x'\nB=\"{a}\\n\\\"y\\\\\"\nC={a}z # why\nD=\"{a}\n");
        let list = List::parse(text.as_bytes(), false);
        let want = [format!("{a} x"), format!("{a}\n\"y\\"), format!("{a}z")];
        let got: Vec<String> = values(&list).into_iter().map(|(_, value)| value).collect();
        assert_eq!(got, want);
        assert_eq!(list.remarks, [(4, Remark::OpenQuote)]);
    }

    #[test]
    fn what_cannot_be_taken_is_told_by_line_and_never_by_value() {
        let a = made("a");
        let text = format!("{a}\nshort\npasswordpassword\n{}\n{a}\nx\t\n", &a[..14]);
        let list = List::parse(text.as_bytes(), false);
        let lines: Vec<u64> = list.remarks.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 3, 4, 5, 6]);
        assert!(matches!(list.remarks[2].1, Remark::Guessable { .. }));
        assert_eq!((list.secrets.len(), list.refused), (1, 4));
        let said = format!("{list:?}");
        assert!(!said.contains(&a) && !said.contains("passwordpassword"));
        // With a key kept apart, what could be guessed may stay.
        let list = List::parse(text.as_bytes(), true);
        assert_eq!((list.secrets.len(), list.refused), (2, 3));
    }

    #[test]
    fn an_assignment_in_a_list_of_values_is_remarked_upon() {
        let (a, b) = (made("a"), made("b"));
        let list = List::parse(format!("{a}\nNAME={b}\n").as_bytes(), false);
        assert_eq!(list.remarks, [(2, Remark::LooksLikeAssignment)]);
        assert_eq!(list.refused, 0);
        let list = List::parse(format!("A={a}\n{b}\n").as_bytes(), false);
        assert_eq!(list.remarks, [(2, Remark::NoAssignment)]);
    }

    #[test]
    fn a_name_never_gives_its_value_away() {
        let (a, b) = (made("a"), made("b"));
        let text = format!("{a}\t{a}\nx\t{b}\nx\t{a}{b}\n");
        let list = List::parse(text.as_bytes(), false);
        let names: Vec<&str> = list.secrets.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["line 1", "x", "x#2 (line 3)"]);
        assert_eq!(list.remarks, [(1, Remark::BadName)]);
    }
}
