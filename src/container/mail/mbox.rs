//! mbox: messages one after the other, in its four dialects (RFC 4155 and the manual pages of `mbox`).
//!
//! A line `From SENDER DATE` stands before each message. mboxo and mboxrd put `>` before such lines within a message,
//! mboxcl also states the message's length, mboxcl2 states it and quotes nothing. Nothing says which one a file is, and
//! the lengths lie often, since programs change messages and leave them. So members are messages, named by their number
//! from 1, and they end so:
//!
//! - where the length says, if a message or nothing follows there, and no whole beginning of a message stands before;
//! - else before the next line of that form with a field behind it.
//!
//! A length that hides messages is so believed by nobody. One `>` is taken from quoted lines (mboxrd), unless the length
//! proves that the message quotes nothing (mboxcl2): else a source with such a line would not be what was sent. mboxo
//! does not quote what is quoted already, so that there the line `>From` loses its sign.
//!
//! A file on disk is read message by message, whatever its size; a message that is larger than may be held is streamed
//! as it stands. Left out: MMDF and Babyl, which have other separators.

use std::borrow::Cow;

use bytes::Bytes;

use super::super::feed::Input;
use super::super::spans::Spans;
use super::super::{Body, Event, Format, Trouble, Walker};
use super::head::{self, Head};
use crate::blob::{Limits, MemberName};

/// What a message begins with.
const FROM: &[u8] = b"From ";
/// So much of a line is looked at, and of what is behind it.
const LINE_MAX: usize = 512;
/// How much of a head is read for the length that it states.
const HEAD_FIRST: usize = 4 << 10;
const HEAD_MAX: usize = 256 << 10;

/// The mbox format.
pub struct Mbox;

impl Format for Mbox {
    fn name(&self) -> &'static str {
        "mbox"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        behind_separator(head).is_some_and(head::has_mail_field)
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        Ok(Box::new(MboxWalker {
            spans: Spans::new(input, limits.hold()),
            at: 0,
            number: 0,
            pending: None,
            has_said: false,
        }))
    }
}

/// What stands behind the line that separates messages, where there is one with a time and a year.
fn behind_separator(bytes: &[u8]) -> Option<&[u8]> {
    let rest = bytes.strip_prefix(FROM)?;
    let end = memchr::memchr(b'\n', &rest[..rest.len().min(LINE_MAX)])?;
    let has_year = rest[..end]
        .split(|byte| byte.is_ascii_whitespace())
        .any(|word| word.len() == 4 && word.iter().all(u8::is_ascii_digit));
    (has_year && head::has_time(&rest[..end])).then(|| &rest[end + 1..])
}

/// Whether a message begins here: a separator and a field behind it.
fn begins_message(bytes: &[u8]) -> bool {
    let Some(behind) = behind_separator(bytes) else {
        return false;
    };
    let end = memchr::memchr(b'\n', behind).unwrap_or(behind.len());
    head::field(&behind[..end]).is_some() || behind.starts_with(b">From ")
}

/// Gives the messages in their order.
struct MboxWalker {
    spans: Spans,
    /// Where the next message begins.
    at: u64,
    number: u64,
    pending: Option<Event>,
    /// It was said that the container has a damaged beginning.
    has_said: bool,
}

/// Where a message ends.
struct Bounds {
    /// Its own last byte, the blank line before the next one apart.
    end: u64,
    /// Where the next one begins.
    next: u64,
    /// The length proves that nothing in it is quoted.
    is_unquoted: bool,
    trouble: Option<Trouble>,
}

impl MboxWalker {
    fn message(&mut self) -> Event {
        let line = self.spans.slice(self.at, LINE_MAX);
        // The line is whole, or it would not be one.
        let len = memchr::memchr(b'\n', &line).map_or(line.len(), |end| end + 1);
        let start = self.at + len as u64;
        let bounds = self.bounds(start);
        self.at = bounds.next;
        self.number += 1;
        let name = MemberName::Named(self.number.to_string().into_bytes());
        let mut member = self.spans.member(name, start, bounds.end - start);
        if let (Body::Held(bytes), false) = (&member.body, bounds.is_unquoted)
            && let Cow::Owned(plain) = unquoted(bytes)
        {
            member.body = Body::Held(Bytes::from(plain));
        }
        member.trouble = member.trouble.or(bounds.trouble);
        self.pending = Some(Event::Member(member));
        Event::Other("header")
    }

    fn bounds(&mut self, start: u64) -> Bounds {
        let (len, stated) = self.head(start);
        let body = start + len;
        let mut trouble = None;
        if let Some(stated) = stated {
            let end = body.saturating_add(stated);
            if let Some(next) = self.follows(end) {
                let hidden =
                    self.spans
                        .find_before(body.saturating_sub(1), end, b"\nFrom ", |at| {
                            self.begins_wholly(at)
                        });
                if hidden.is_none() {
                    let is_unquoted = self
                        .spans
                        .find_before(body.saturating_sub(1), end, b"\nFrom ", |_| true)
                        .is_some();
                    return Bounds {
                        end,
                        next,
                        is_unquoted,
                        trouble,
                    };
                }
            }
            trouble = Some(Trouble::odd(
                "length-mismatch",
                format!(
                    "the message at offset {start} states {stated} bytes, and what follows them is no message, or others begin within them; it was read up to the next one"
                ),
            ));
        }
        let next = self
            .spans
            .find(start.saturating_sub(1), b"\nFrom ", |at| {
                begins_message(&self.spans.slice(at + 1, 2 * LINE_MAX))
            })
            .map_or(self.spans.len(), |at| at + 1);
        Bounds {
            end: self.without_blank_line(start, next),
            next,
            is_unquoted: false,
            trouble,
        }
    }

    /// Length of the head of the message at `start`, and the length that it states.
    fn head(&self, start: u64) -> (u64, Option<u64>) {
        let read = |len| {
            let bytes = self.spans.slice(start, len);
            let head = Head::read(&bytes, |line| line.starts_with(FROM));
            let is_over = head.len < bytes.len() || bytes.len() < len;
            (head.len as u64, head.length(), is_over)
        };
        let (len, length, is_over) = read(HEAD_FIRST);
        if is_over {
            return (len, length);
        }
        let (len, length, _) = read(HEAD_MAX);
        (len, length)
    }

    /// Where the message begins that stands at `end` or behind a blank line there; the end where nothing does.
    fn follows(&self, end: u64) -> Option<u64> {
        let len = self.spans.len();
        if end > len {
            return None;
        }
        let behind = self.spans.slice(end, 2 * LINE_MAX);
        let blanks = behind
            .iter()
            .take(4)
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        let next = end + blanks as u64;
        let is_there = next == len || begins_message(&behind[blanks..]);
        is_there.then_some(next)
    }

    /// Whether behind the line end at `at` a message begins that nobody could take for text: behind a blank line, with
    /// a field that only messages have.
    fn begins_wholly(&self, at: u64) -> bool {
        let before = self.spans.slice(at.saturating_sub(2), at.min(2) as usize);
        let is_behind_blank = before.ends_with(b"\n") || before.ends_with(b"\n\r");
        let bytes = self.spans.slice(at + 1, HEAD_FIRST);
        is_behind_blank && behind_separator(&bytes).is_some_and(head::has_mail_field)
    }

    /// The end of a message before the blank line that is set before the next one.
    fn without_blank_line(&self, start: u64, next: u64) -> u64 {
        let len = (next - start).min(4);
        let last = self.spans.slice(next - len, len as usize);
        let blank = if last.ends_with(b"\n\r\n") {
            2
        } else {
            u64::from(last.ends_with(b"\n\n"))
        };
        next - blank
    }
}

/// A message without the signs that its lines were quoted with.
fn unquoted(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut plain = Vec::new();
    let mut copied = 0;
    for at in memchr::memmem::find_iter(bytes, b"\n>") {
        let signs = bytes[at + 1..]
            .iter()
            .take_while(|&&byte| byte == b'>')
            .count();
        if bytes[at + 1 + signs..].starts_with(FROM) {
            plain.extend(&bytes[copied..=at]);
            copied = at + 2;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(bytes);
    }
    plain.extend(&bytes[copied..]);
    Cow::Owned(plain)
}

impl Walker for MboxWalker {
    fn kind(&self) -> &'static str {
        "mbox"
    }

    fn next(&mut self) -> Option<Event> {
        if let Some(event) = self.pending.take() {
            return Some(event);
        }
        if self.at >= self.spans.len() || self.has_said {
            return None;
        }
        let is_first = self.at == 0 && self.spans.slice(0, FROM.len()) != FROM;
        if is_first {
            self.has_said = true;
            return Some(Event::Trouble(Trouble::damaged(
                "unreadable",
                "the mailbox could not be read",
                Some(self.spans.len()),
            )));
        }
        Some(self.message())
    }

    fn read_streamed(&mut self, buffer: &mut [u8]) -> usize {
        self.spans.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::InputFile;
    use super::super::super::testing::{Seen, walk, walk_input};
    use super::*;

    const LINE: &str = "From a@example.org Mon Jan  1 10:00:00 2024\n";

    fn boxed(messages: &[&str]) -> Vec<u8> {
        let messages = messages.iter().map(|message| format!("{LINE}{message}\n"));
        messages.collect::<String>().into_bytes()
    }

    fn seen(bytes: &[u8]) -> Seen {
        assert!(Mbox.recognise(bytes));
        let found = walk(&Mbox, bytes, &Limits::default()).expect("it opens");
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, bytes).unwrap();
        let input = Input::File(InputFile::new(file, bytes.len() as u64));
        let read = walk_input(&Mbox, input, &Limits::default()).unwrap();
        assert_eq!(read, found);
        found
    }

    fn texts(bytes: &[u8]) -> Vec<String> {
        let members = seen(bytes).members.into_iter();
        members
            .map(|(_, bytes)| String::from_utf8(bytes).unwrap())
            .collect()
    }

    #[test]
    fn quoted_lines_are_as_they_were() {
        let bytes = boxed(&[
            "Subject: 1\n\n>From a\n>>From b\n> From c\n",
            "Subject: 2\n\nx\n",
        ]);
        assert_eq!(
            texts(&bytes),
            [
                "Subject: 1\n\nFrom a\n>From b\n> From c\n",
                "Subject: 2\n\nx\n"
            ]
        );
        assert_eq!(seen(&bytes).members[1].0, "2");
        assert_eq!(seen(&bytes).others.len(), 2);
    }

    #[test]
    fn lengths_are_believed_where_they_can_be_true() {
        let body = "text\nFrom here 10:00 2024\nX: more\n>From\n";
        let first = format!("Subject: 1\nContent-Length: {}\n\n{body}", body.len());
        let bytes = boxed(&[&first, "Subject: 2\n\nx\n"]);
        assert_eq!(texts(&bytes), [first.as_str(), "Subject: 2\n\nx\n"]);
        assert_eq!(seen(&bytes).codes, [""; 0]);
        for lie in ["3", "99999", "99999999999999999999", "18446744073709551615"] {
            let first = format!("Subject: 1\nContent-Length: {lie}\n\ntext\n");
            let bytes = boxed(&[&first, "Subject: 2\n\nx\n"]);
            assert_eq!(texts(&bytes), [first.as_str(), "Subject: 2\n\nx\n"]);
            let is_number = lie.parse::<u64>().is_ok();
            assert_eq!(seen(&bytes).codes.len(), usize::from(is_number));
        }
    }

    #[test]
    fn a_length_hides_no_message() {
        let rest = boxed(&["Subject: 2\n\nx\n", "Subject: 3\n\ny\n"]);
        let len = 5 + rest.len() - 1;
        let first = format!("{LINE}Subject: 1\nContent-Length: {len}\n\ntext\n\n");
        let bytes = [first.as_bytes(), &rest].concat();
        let found = seen(&bytes);
        assert_eq!(found.members.len(), 3);
        assert_eq!(found.codes, ["length-mismatch"]);
    }

    #[test]
    fn text_that_only_begins_so_is_none() {
        for text in [
            "From here on\nSubject: x\n\n",
            "From a@b Mon Jan  1 10:00:00 2024\nsome text\n",
            "From a@b Mon Jan  1 10:00:00 2024\nname: value\n\n",
            "From a@b Mon Jan  1 10:00:00 2024",
            "from a@b Mon Jan  1 10:00:00 2024\nSubject: x\n\n",
            "",
        ] {
            assert!(!Mbox.recognise(text.as_bytes()), "{text}");
        }
    }

    /// Each would be looked at up to its end, or up to the end of the file.
    #[test]
    fn heads_without_end_and_lengths_that_lie_take_linear_time() {
        let message = format!("{LINE}Subject: x\nContent-Length: 3\n");
        let found = walk(&Mbox, message.repeat(20_000).as_bytes(), &Limits::default()).unwrap();
        assert_eq!(found.members.len(), 20_000);
        let message = format!("{LINE}Subject: x\nContent-Length: 99999999\n\ny\n");
        let found = walk(&Mbox, message.repeat(20_000).as_bytes(), &Limits::default()).unwrap();
        assert_eq!(found.members.len(), 20_000);
        // Lengths that are right, with separators that only some readers see.
        let message = format!("{LINE}X-A: x\nContent-Length: 2\n\ny\n");
        let bytes = format!("{LINE}Subject: x\n\n{}", message.repeat(20_000));
        let found = walk(&Mbox, bytes.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(found.members.len(), 20_001);
    }

    proptest! {
        #[test]
        fn what_is_written_comes_back(bodies in proptest::collection::vec(proptest::collection::vec("[ -~]{0,20}|From [a-z ]{0,9}|>From x", 0..6), 1..9)) {
            let mut bytes = Vec::new();
            let mut expected = Vec::new();
            for lines in bodies {
                let plain: String = lines.iter().map(|line| format!("{line}\n")).collect();
                let quoted: String = lines
                    .iter()
                    .map(|line| {
                        let is_from = line.trim_start_matches('>').starts_with("From ");
                        format!("{}{line}\n", if is_from { ">" } else { "" })
                    })
                    .collect();
                bytes.extend(format!("{LINE}Subject: x\n\n{quoted}\n").bytes());
                expected.push(format!("Subject: x\n\n{plain}"));
            }
            prop_assert_eq!(texts(&bytes), expected);
        }

        #[test]
        fn damage_loses_no_byte(flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6), cut in any::<prop::sample::Index>()) {
            let mut bytes = boxed(&["Subject: 1\nContent-Length: 5\n\ntext\n", "Subject: 2\n\nx\n", "Subject: 3\n\ny"]);
            for (at, byte) in flips {
                let at = 70 + at.index(bytes.len() - 70);
                bytes[at] = byte;
            }
            bytes.truncate(70 + cut.index(bytes.len() - 70));
            let found = walk(&Mbox, &bytes, &Limits::default()).unwrap();
            let given: usize = found.members.iter().map(|(_, bytes)| bytes.len()).sum();
            // Separators, and line ends and signs at their borders, are no part of a message.
            let around = found.members.len() * (LINE_MAX + 4);
            prop_assert!(given + around >= bytes.len() && given <= bytes.len());
        }
    }
}
