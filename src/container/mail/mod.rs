//! Mail: messages and their parts (RFC 5322, RFC 2045 to 2049), also as browsers save pages (MHTML, RFC 2557).
//!
//! People send archives, patches and dumps by mail, and what they send stands there in base64. Members are the parts that
//! hold something, with their transfer coding undone, named by their file's name or by where they were on the web, else
//! by their number as IMAP counts (RFC 3501, 6.4.5: `2.1` is the first part of the second). A message within a message
//! is a member and goes round again. A file uuencoded within a text is a member beside that text. The head of the message,
//! and text before and behind parts, are regions; heads of parts are counted, since they say nothing that the parts do not.
//!
//! The reader is our own. Kept crates give parts without saying where they stood, build the whole tree of a message
//! first, and put text into Unicode, so that its digest is no longer that of what was sent. Reading the lines with a
//! stack of the boundaries that are open is little beside that. Python's `email` is the oracle.
//!
//! Every boundary is a claim. A part ends with the next line that is the boundary of any open multipart, the nearest
//! first, so that a missing end costs no other part; a multipart without its boundary is given as it stands. Nesting is
//! an explicit stack, bounded, and what is nested deeper is given as it stands.
//!
//! A message that is larger than may be held is not opened. Left out: `message/partial` is not put together, TNEF
//! (`winmail.dat`) is not opened, encrypted parts are given as they stand and said; yEnc.

mod coding;
mod head;
pub mod mbox;

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

use super::feed::Input;
use super::{Event, Format, Member, Trouble, Walker};
use crate::blob::{Limits, MemberName};
use head::{Head, without_end};

/// Multiparts within one another; real ones have four.
const NESTING_MAX: usize = 100;
/// Longest boundary that is known. RFC 2046 (5.1.1) allows 70 characters.
const BOUNDARY_MAX: usize = 1_000;
/// Heads of parts that are longer are given as regions: no program writes those.
const HEAD_COUNTED: usize = 4 << 10;

/// The format of one message.
pub struct Mail;

impl Format for Mail {
    fn name(&self) -> &'static str {
        "mail"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        head::is_message(head)
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let (len, hold) = (input.len(), limits.hold());
        let bytes = match &input {
            Input::Memory(bytes) => bytes.clone(),
            Input::File(file) if len <= hold => file
                .read_at(0, usize::try_from(len).unwrap_or(usize::MAX))
                .map_err(|error| {
                    let detail = format!("the file could not be read: {error}");
                    Trouble::skipped("unreadable", detail, Some(len))
                })?,
            Input::File(_) => {
                return Err(Trouble::skipped(
                    "memory-limit",
                    format!(
                        "the message has {len} bytes, more than may be held ({hold}); raise --memory"
                    ),
                    Some(len),
                ));
            }
        };
        let head = Head::read(&bytes, |_| false);
        if head.len == bytes.len() {
            // Its one region would be itself.
            return Err(Trouble::damaged(
                "mail-no-body",
                "the message has a head that does not end; it was scanned as it stands",
                None,
            ));
        }
        Ok(Box::new(MailWalker::new(bytes)))
    }
}

/// A multipart whose end was not met yet.
struct Open {
    boundary: Vec<u8>,
    /// The number of the multipart, with a dot behind it; empty for the message's own.
    prefix: String,
    /// Parts so far.
    parts: u64,
    /// Where it begins.
    at: usize,
    /// The level of an outer multipart with the same boundary.
    hidden: Option<usize>,
}

/// A line that is a boundary.
struct Border {
    /// Where the line begins and where the next one does.
    at: usize,
    behind: usize,
    /// Which multipart's.
    level: usize,
    is_close: bool,
}

/// Gives the parts in their order.
struct MailWalker {
    bytes: Bytes,
    open: Vec<Open>,
    /// The innermost level with each boundary.
    levels: HashMap<Vec<u8>, usize>,
    /// Where the next part begins, and its number; `None` at the end.
    next: Option<(usize, String)>,
    pending: VecDeque<Event>,
}

impl MailWalker {
    fn new(bytes: Bytes) -> Self {
        Self {
            bytes,
            open: Vec::new(),
            levels: HashMap::new(),
            next: Some((0, String::new())),
            pending: VecDeque::new(),
        }
    }

    /// Reads a part: its head, and its body up to the next boundary. Goes on to the part behind that.
    fn part(&mut self, at: usize, number: String) {
        let rest = self.bytes.slice(at..);
        let head = Head::read(&rest, |line| self.border_of(line).is_some());
        let body_at = at + head.len;
        self.tell_head(at, &head, &number);
        let media_type = head.media_type();
        let mut opened = None;
        if media_type.starts_with(b"multipart/") {
            opened = self.open_multipart(body_at, &head, &number);
        }
        let border = self.next_border(body_at);
        let end = self.end_of_text(body_at, border.as_ref());
        match opened {
            Some(()) => self.region(body_at, end),
            None => self.leaf(body_at..end, &head, &media_type, &number),
        }
        self.go_on(border);
    }

    fn tell_head(&mut self, at: usize, head: &Head, number: &str) {
        if number.is_empty() || head.len > HEAD_COUNTED {
            self.region(at, at + head.len);
        } else {
            self.pending.push_back(Event::Other("header"));
        }
        if head.disagrees {
            self.odd(
                "headers-disagree",
                format!("the head at offset {at} says twice how its body is to be read, and not the same; the first was taken"),
            );
        }
    }

    /// Notes a multipart. `None` where it cannot be one, which is said.
    fn open_multipart(&mut self, at: usize, head: &Head, number: &str) -> Option<()> {
        if self.open.len() >= NESTING_MAX {
            self.pending.push_back(Event::Trouble(Trouble::damaged(
                "depth-limit",
                format!("the multipart at offset {at} lies deeper than {NESTING_MAX} others; it was read as it stands"),
                None,
            )));
            return None;
        }
        let boundary = head.parameter("boundary").unwrap_or_default();
        let boundary = boundary.trim_ascii_end().to_vec();
        if boundary.is_empty() || boundary.len() > BOUNDARY_MAX {
            self.no_boundary(at, "states no boundary");
            return None;
        }
        let level = self.open.len();
        let hidden = self.levels.insert(boundary.clone(), level);
        let prefix = match number {
            "" => String::new(),
            number => format!("{number}."),
        };
        self.open.push(Open {
            boundary,
            prefix,
            parts: 0,
            at,
            hidden,
        });
        Some(())
    }

    fn no_boundary(&mut self, at: usize, what: &str) {
        self.pending.push_back(Event::Trouble(Trouble::damaged(
            "boundary-missing",
            format!("the multipart at offset {at} of the message {what}, so nobody knows where its parts begin; it was read as it stands"),
            None,
        )));
    }

    /// The multipart whose boundary this line is, and whether it closes it (RFC 2046, 5.1.1).
    fn border_of(&self, line: &[u8]) -> Option<(usize, bool)> {
        let word = line.strip_prefix(b"--")?;
        if self.levels.is_empty() || word.len() > 2 * BOUNDARY_MAX {
            return None;
        }
        let word = word.trim_ascii_end();
        if let Some(level) = self.levels.get(word) {
            return Some((*level, false));
        }
        let level = self.levels.get(word.strip_suffix(b"--")?)?;
        Some((*level, true))
    }

    /// The next boundary of any open multipart from `from` on, which is the beginning of a line.
    fn next_border(&self, from: usize) -> Option<Border> {
        if self.levels.is_empty() {
            return None;
        }
        let mut at = from;
        loop {
            let rest = self.bytes.get(at..)?;
            let len = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            if let Some((level, is_close)) = self.border_of(without_end(&rest[..len])) {
                return Some(Border {
                    at,
                    behind: at + len,
                    level,
                    is_close,
                });
            }
            at += memchr::memmem::find(rest, b"\n--")? + 1;
        }
    }

    /// Where the text before a boundary ends: the line end before that belongs to the boundary.
    fn end_of_text(&self, from: usize, border: Option<&Border>) -> usize {
        let Some(border) = border else {
            return self.bytes.len();
        };
        let text = &self.bytes[from.min(border.at)..border.at];
        from + without_end(text).len()
    }

    /// Behind a boundary: the next part, or what follows a multipart up to the boundary of one around it.
    fn go_on(&mut self, mut border: Option<Border>) {
        while let Some(found) = border {
            self.close(found.level + 1, found.at);
            if !found.is_close {
                // Cannot fail: the level is that of an open multipart.
                if let Some(open) = self.open.last_mut() {
                    open.parts += 1;
                    let number = format!("{}{}", open.prefix, open.parts);
                    self.next = Some((found.behind, number));
                }
                return;
            }
            if let Some(open) = self.open.last_mut() {
                // Whatever it held, it is over.
                open.parts += 1;
            }
            self.pop();
            border = self.next_border(found.behind);
            let end = self.end_of_text(found.behind, border.as_ref());
            self.region(found.behind, end);
        }
        self.end();
    }

    /// Closes the multiparts from `level` on, which have no end of their own before `at`.
    fn close(&mut self, level: usize, at: usize) {
        while self.open.len() > level {
            let Some(open) = self.pop() else { return };
            if open.parts == 0 {
                self.no_boundary(open.at, "has no line with its boundary");
            } else {
                self.odd(
                    "boundary-missing",
                    format!("the multipart at offset {} of the message has no end, and one around it goes on at offset {at}; its parts were read", open.at),
                );
            }
        }
    }

    fn pop(&mut self) -> Option<Open> {
        let open = self.open.pop()?;
        match open.hidden {
            Some(level) => self.levels.insert(open.boundary.clone(), level),
            None => self.levels.remove(&open.boundary),
        };
        Some(open)
    }

    /// The message ends, whatever is open.
    fn end(&mut self) {
        if self.open.iter().any(|open| open.parts > 0) {
            self.pending.push_back(Event::Trouble(Trouble::damaged(
                "truncated",
                "the message ends before the end of a multipart; what is there was read, get it again for the rest",
                None,
            )));
        }
        while let Some(open) = self.pop() {
            if open.parts == 0 {
                self.no_boundary(open.at, "has no line with its boundary");
            }
        }
    }

    fn odd(&mut self, code: &'static str, detail: String) {
        let trouble = Trouble::odd(code, detail);
        self.pending.push_back(Event::Trouble(trouble));
    }

    /// Gives text that belongs to no part, unless it is blank.
    fn region(&mut self, from: usize, to: usize) {
        let text = self.bytes.slice(from.min(to)..to);
        if !text.trim_ascii().is_empty() {
            let member = Member::whole(MemberName::Offset(from as u64), text);
            self.pending.push_back(Event::Member(member));
        }
    }

    /// Gives a part that holds something.
    fn leaf(&mut self, span: std::ops::Range<usize>, head: &Head, media_type: &[u8], number: &str) {
        let at = span.start;
        let body = self.bytes.slice(span);
        let number = if number.is_empty() { "1" } else { number };
        let name = head.name().unwrap_or_else(|| number.as_bytes().to_vec());
        let coding = head.coding();
        let mut rest = body.len();
        let (bytes, trouble) = match coding.as_slice() {
            b"base64" => {
                let decoded = coding::base64(&body);
                rest = decoded.end;
                let trouble = base64_trouble(&decoded, at);
                (Bytes::from(decoded.bytes), trouble)
            }
            b"quoted-printable" => {
                let (bytes, odd) = coding::quoted_printable(&body);
                (bytes.into(), (odd > 0).then(|| odd_quoted(odd, at)))
            }
            b"x-uuencode" | b"uuencode" | b"x-uue" | b"uue" => {
                return self.uuencoded(at, &body, Some(name));
            }
            b"" | b"7bit" | b"8bit" | b"binary" => (body.clone(), None),
            other => (body.clone(), Some(unknown_coding(other, body.len()))),
        };
        let is_text = media_type.starts_with(b"text/") && bytes.as_ptr() == body.as_ptr();
        let mut member = Member::whole(MemberName::Named(name), bytes);
        member.trouble = trouble.or_else(|| encrypted(media_type, head, &body));
        self.pending.push_back(Event::Member(member));
        if is_text {
            self.uuencoded(at, &body, None);
        }
        self.region(at + rest, at + body.len());
    }

    /// Gives the files that stand uuencoded in a body: beside the text, or as what the body is, where it has a `name`.
    fn uuencoded(&mut self, at: usize, body: &Bytes, mut name: Option<Vec<u8>>) {
        let is_whole = name.is_some();
        let mut reached = 0;
        while let Some(found) = coding::next_encoded(body, reached) {
            if is_whole {
                self.region(at + reached, at + found.at);
            }
            let name = name.take().unwrap_or(found.name);
            let mut member = Member::whole(MemberName::Named(name), found.bytes.into());
            member.trouble = found.is_cut.then(|| {
                coding_damaged(
                    at + found.at,
                    "the uuencoded file breaks off before its last line",
                )
            });
            self.pending.push_back(Event::Member(member));
            reached = found.end;
        }
        if let Some(name) = name {
            let mut member = Member::whole(MemberName::Named(name), body.clone());
            member.trouble = Some(coding_damaged(at, "nothing in it is uuencoded"));
            self.pending.push_back(Event::Member(member));
        } else if is_whole {
            self.region(at + reached, at + body.len());
        }
    }
}

fn coding_damaged(at: usize, what: &str) -> Trouble {
    Trouble::damaged(
        "transfer-coding-damaged",
        format!(
            "the transfer coding of the part at offset {at} of the message is damaged ({what}); what could be undone was read"
        ),
        None,
    )
}

fn base64_trouble(decoded: &coding::Decoded, at: usize) -> Option<Trouble> {
    let junk = decoded.junk;
    if junk > 0 {
        let what = format!("{junk} characters of its base64 do not belong there");
        return Some(coding_damaged(at, &what));
    }
    decoded
        .is_cut
        .then(|| coding_damaged(at, "its base64 breaks off within a byte"))
}

fn odd_quoted(odd: usize, at: usize) -> Trouble {
    Trouble::odd(
        "transfer-coding-odd",
        format!(
            "{odd} signs of quoted-printable in the part at offset {at} of the message mean nothing; they were left as they stand"
        ),
    )
}

fn unknown_coding(coding: &[u8], len: usize) -> Trouble {
    const SHOWN: usize = 40;
    let shown = String::from_utf8_lossy(&coding[..coding.len().min(SHOWN)]).into_owned();
    Trouble::skipped(
        "unsupported",
        format!(
            "the part has the transfer coding {shown:?}, which is not known; it was read as it stands"
        ),
        Some(len as u64),
    )
}

/// What is said of parts that only their receiver can read (RFC 8551, 3.3; RFC 3156, 4).
fn encrypted(media_type: &[u8], head: &Head, body: &[u8]) -> Option<Trouble> {
    let is_smime = matches!(
        media_type,
        b"application/pkcs7-mime" | b"application/x-pkcs7-mime"
    ) && head
        .parameter("smime-type")
        .is_some_and(|kind| kind.ends_with(b"nveloped-data") || kind.ends_with(b"nvelopedData"));
    let is_pgp = body
        .trim_ascii_start()
        .starts_with(b"-----BEGIN PGP MESSAGE-----");
    (is_smime || is_pgp).then(|| {
        Trouble::skipped(
            "encrypted",
            "the part is encrypted; decrypt the message with its key and scan the result",
            Some(body.len() as u64),
        )
    })
}

impl Walker for MailWalker {
    fn kind(&self) -> &'static str {
        "mail"
    }

    fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Some(event);
            }
            let (at, number) = self.next.take()?;
            self.part(at, number);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Effect;
    use super::super::testing::{Seen, walk};
    use super::*;

    const TOP: &str =
        "From: a@example.org\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\nMIME-Version: 1.0\r\n";

    fn message(rest: &str) -> Vec<u8> {
        format!("{TOP}{rest}").into_bytes()
    }

    fn seen(bytes: &[u8]) -> Seen {
        assert!(Mail.recognise(bytes));
        walk(&Mail, bytes, &Limits::default()).expect("it opens")
    }

    /// Names and contents behind the head of the message.
    fn parts(bytes: &[u8]) -> Vec<(String, String)> {
        let found = seen(bytes);
        assert_eq!(found.members[0].0, "@0");
        let parts = found.members.into_iter().skip(1);
        parts
            .map(|(name, bytes)| (name, String::from_utf8_lossy(&bytes).into_owned()))
            .collect()
    }

    fn named(parts: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        parts.iter().map(owned).collect()
    }

    /// The form of the example of RFC 2046 (5.1.1), with a second level and codings.
    fn nested() -> Vec<u8> {
        message(
            "Content-Type: multipart/mixed; boundary=\"simple boundary\"\r\n\r\n\
             This is the preamble.\r\n\r\n\
             --simple boundary\r\n\r\n\
             no head, no linebreak\r\n\
             --simple boundary\r\n\
             Content-type: multipart/alternative; boundary=in\r\n\r\n\
             --in\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=3Db\r\n\
             --in\r\nContent-Type: text/html\r\n\r\n<p>\r\n\r\n--in--\r\n\
             --simple boundary\r\n\
             Content-Disposition: attachment; filename=a.ts\r\nContent-Transfer-Encoding: BASE64\r\n\r\n\
             Zm9v\r\nYmFy\r\n\
             --simple boundary--\r\n\r\nThis is the epilogue.\r\n",
        )
    }

    #[test]
    fn parts_come_by_name_and_number() {
        let bytes = nested();
        let place = |text: &str| {
            let at = memchr::memmem::find(&bytes, text.as_bytes()).unwrap();
            format!("@{at}")
        };
        let (before, behind) = (place("This is the pre"), place("\r\nThis is the epi"));
        assert_eq!(
            parts(&bytes),
            named(&[
                (&before, "This is the preamble.\r\n"),
                ("1", "no head, no linebreak"),
                ("2.1", "a=b"),
                ("2.2", "<p>\r\n"),
                ("a.ts", "foobar"),
                (&behind, "\r\nThis is the epilogue.\r\n"),
            ])
        );
        assert_eq!(seen(&bytes).codes, [""; 0]);
        assert_eq!(seen(&bytes).others.len(), 5);
    }

    #[test]
    fn a_message_of_one_part_is_read() {
        let bytes = message("Content-Transfer-Encoding: base64\r\n\r\nZm9v\r\n");
        assert_eq!(parts(&bytes), named(&[("1", "foo")]));
        let uu = message("\r\nhello\r\nbegin 644 cat.txt\r\n#0V%T\r\n`\r\nend\r\n");
        assert_eq!(parts(&uu)[1], ("cat.txt".to_owned(), "Cat".to_owned()));
        let uu = message(
            "Content-Transfer-Encoding: x-uuencode\r\nContent-Type: text/plain; name=n\r\n\r\nbegin 644 x\r\n#0V%T\r\n`\r\nend\r\n",
        );
        assert_eq!(parts(&uu), named(&[("n", "Cat")]));
        let page = message("Content-Location: https://h/a.js\r\n\r\nrun()");
        assert_eq!(parts(&page), named(&[("https://h/a.js", "run()")]));
    }

    #[test]
    fn missing_boundaries_cost_no_other_part() {
        let bytes = nested();
        let text = String::from_utf8(bytes).unwrap();
        let inner = text.replace("--in--\r\n", "");
        let found = seen(inner.as_bytes());
        assert_eq!(found.codes, ["boundary-missing"]);
        assert_eq!(found.effects, [Effect::Odd]);
        assert!(
            found
                .members
                .contains(&("a.ts".to_owned(), b"foobar".to_vec()))
        );
        let outer = text.replace("--simple boundary--\r\n", "");
        let found = seen(outer.as_bytes());
        assert_eq!(found.codes[0], "transfer-coding-damaged");
        assert_eq!(found.codes[1], "truncated");
        let none = text.replace("--in", "--on");
        let found = seen(none.as_bytes());
        assert_eq!(found.codes, ["boundary-missing"]);
        assert_eq!(found.effects, [Effect::Damaged]);
        let unstated = message("Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\ntext");
        let found = seen(&unstated);
        assert_eq!(found.codes, ["boundary-missing"]);
        assert_eq!(found.members[1].1, b"--x\r\n\r\ntext");
    }

    #[test]
    fn damage_and_what_cannot_be_read_is_said() {
        let code = |rest: &str| {
            let found = seen(&message(rest));
            (found.codes.concat(), found.effects[0])
        };
        let coded = |coding: &str, body: &str| {
            code(&format!(
                "Content-Transfer-Encoding: {coding}\r\n\r\n{body}"
            ))
        };
        let damaged = ("transfer-coding-damaged".to_owned(), Effect::Damaged);
        assert_eq!(coded("base64", "Zm!9v"), damaged);
        assert_eq!(coded("base64", "Zm9vY"), damaged);
        assert_eq!(coded("uuencode", "nothing"), damaged);
        assert_eq!(coded("quoted-printable", "a=b-").1, Effect::Odd);
        assert_eq!(coded("x-own", "text").0, "unsupported");
        assert_eq!(
            code("Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nx").0,
            "encrypted"
        );
        assert_eq!(
            code("Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx").0,
            "headers-disagree"
        );
        let footer = seen(&message(
            "Content-Transfer-Encoding: base64\r\n\r\nZg==\r\n___\r\nlist\r\n",
        ));
        assert_eq!(footer.members[2].1, b"___\r\nlist\r\n");
        assert_eq!(footer.codes, [""; 0]);
    }

    /// As many multiparts within one another as stand in 2 MB, and as many parts: linear, and said.
    #[test]
    fn depth_and_breadth_are_bounded() {
        let mut bytes = message("Content-Type: multipart/mixed; boundary=b0\r\n\r\n");
        for level in 0..30_000 {
            let next = level + 1;
            bytes.extend(
                format!("--b{level}\r\nContent-Type: multipart/mixed; boundary=b{next}\r\n\r\n")
                    .bytes(),
            );
        }
        let found = seen(&bytes);
        assert_eq!(found.codes[0], "depth-limit");
        let mut bytes = message("Content-Type: multipart/mixed; boundary=b\r\n\r\n");
        bytes.extend(b"--b\r\n".repeat(200_000));
        let found = seen(&bytes);
        assert_eq!(found.members.len(), 200_001);
        assert_eq!(found.codes, ["truncated"]);
        // A head without end is read once, and is no message of its own.
        let mut bytes = message("");
        bytes.extend(b"X: y\r\n".repeat(200_000));
        let headless = walk(&Mail, &bytes, &Limits::default()).unwrap_err();
        assert_eq!(headless.code, "mail-no-body");
        let mut same = message("Content-Type: multipart/mixed; boundary=b\r\n\r\n");
        same.extend(b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n".repeat(20_000));
        assert_eq!(seen(&same).codes[0], "depth-limit");
    }

    proptest! {
        #[test]
        fn what_is_written_comes_back(files in proptest::collection::vec(("[a-z]{1,9}", proptest::collection::vec(any::<u8>(), 0..99)), 1..9)) {
            use base64::Engine as _;
            let mut text = "Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_owned();
            let mut expected = Vec::new();
            for (name, content) in files {
                let coded = base64::engine::general_purpose::STANDARD.encode(&content);
                text.push_str(&format!("--b\r\nContent-Disposition: attachment; filename={name}\r\nContent-Transfer-Encoding: base64\r\n\r\n{coded}\r\n"));
                expected.push((name, content));
            }
            text.push_str("--b--\r\n");
            let found = seen(&message(&text));
            prop_assert_eq!(&found.members[1..], expected.as_slice());
            prop_assert!(found.codes.is_empty());
        }

        /// Whatever is damaged, no byte of a text goes missing: it stands in a part, a region or a head.
        #[test]
        fn damage_loses_nothing_in_silence(flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6), cut in any::<prop::sample::Index>()) {
            let mut bytes = nested();
            let top = TOP.len();
            for (at, byte) in flips {
                let at = top + at.index(bytes.len() - top);
                bytes[at] = byte;
            }
            bytes.truncate(top + cut.index(bytes.len() - top));
            let Ok(found) = walk(&Mail, &bytes, &Limits::default()) else {
                // Nothing but a head is left.
                return Ok(());
            };
            let given: usize = found.members.iter().map(|(_, bytes)| bytes.len()).sum();
            prop_assert!(given <= bytes.len());
            let word = b"no linebreak";
            if memchr::memmem::find(&bytes, word).is_some() && !found.codes.iter().any(|code| code == "transfer-coding-damaged") {
                prop_assert!(found.members.iter().any(|(_, bytes)| memchr::memmem::find(bytes, word).is_some()));
            }
        }

        #[test]
        fn any_bytes_do(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let top = message("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n");
            let _ = walk(&Mail, &[top, bytes].concat(), &Limits::default());
        }
    }
}
