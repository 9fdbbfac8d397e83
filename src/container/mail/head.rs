//! Heads of messages and of their parts: fields, parameters, names (RFC 5322, RFC 2045, RFC 2047, RFC 2231).
//!
//! A head ends with an empty line, or where a line is no field: what stands there is the body then, as other readers
//! take it too. Of its fields only those are kept that say how the body is to be read, so that a head without end costs
//! no memory. Names are bytes in whatever charset their writer had: percent signs, base64 and quoted-printable are
//! undone, and nothing is converted.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::coding;

/// Longest value of a field that is kept.
const VALUE_MAX: usize = 64 << 10;
/// Parameters of one field that are read.
const PARAMETERS_MAX: usize = 256;
/// A head of which so much was seen may end behind that: of large files no more is shown.
const SHOWN: usize = 60 << 10;

/// Fields of messages that people and servers write, in lower case.
const KNOWN: [&[u8]; 14] = [
    b"from",
    b"to",
    b"cc",
    b"date",
    b"subject",
    b"message-id",
    b"received",
    b"return-path",
    b"reply-to",
    b"sender",
    b"delivered-to",
    b"mime-version",
    b"status",
    b"in-reply-to",
];

/// What the head of a message or part says of its body.
#[derive(Debug, Default)]
pub struct Head {
    /// Bytes up to the body.
    pub len: usize,
    content_type: Option<Vec<u8>>,
    coding: Option<Vec<u8>>,
    disposition: Option<Vec<u8>>,
    location: Option<Vec<u8>>,
    length: Option<Vec<u8>>,
    /// A field that says how to read the body stands there twice and says two things.
    pub disagrees: bool,
}

impl Head {
    /// Reads the head at the front of `bytes`, which ends at the latest with the line that `is_end` knows.
    pub fn read(bytes: &[u8], is_end: impl Fn(&[u8]) -> bool) -> Self {
        let mut head = Self::default();
        let mut last: Option<(Vec<u8>, Vec<u8>)> = None;
        for (at, line) in lines(bytes) {
            head.len = at;
            let bare = without_end(line);
            if bare.is_empty() {
                head.len = at + line.len();
                break;
            }
            if is_end(bare) {
                break;
            }
            if is_continued(bare) && at > 0 {
                if let Some((_, value)) = &mut last {
                    value.extend(&bare[..bare.len().min(VALUE_MAX - value.len().min(VALUE_MAX))]);
                }
            } else if let Some((name, value)) = field(bare) {
                head.keep(last.take());
                let value = value[..value.len().min(VALUE_MAX)].to_vec();
                last = slot_of(&mut head, name).map(|_| (name.to_vec(), value));
            } else if !(at == 0 && is_envelope(bare)) {
                break;
            }
            head.len = at + line.len();
        }
        head.keep(last);
        head
    }

    fn keep(&mut self, field: Option<(Vec<u8>, Vec<u8>)>) {
        let Some((name, value)) = field else {
            return;
        };
        let mut disagrees = false;
        if let Some(slot) = slot_of(self, &name) {
            let value = value.trim_ascii();
            match slot {
                Some(before) => disagrees = before.as_slice() != value,
                None => *slot = Some(value.to_vec()),
            }
        }
        self.disagrees |= disagrees;
    }

    /// The media type in lower case, without parameters; what RFC 2045 (5.2) says where there is none.
    pub fn media_type(&self) -> Vec<u8> {
        let value = self.content_type.as_deref().unwrap_or(b"text/plain");
        value
            .split(|&byte| byte == b';')
            .next()
            .unwrap_or_default()
            .trim_ascii()
            .to_ascii_lowercase()
    }

    /// A parameter of the media type.
    pub fn parameter(&self, name: &str) -> Option<Vec<u8>> {
        parameter(self.content_type.as_deref()?, name)
    }

    /// The transfer coding in lower case; empty where there is none.
    pub fn coding(&self) -> Vec<u8> {
        let coding = self.coding.as_deref().unwrap_or_default();
        // Comments and parameters do not belong here, and are met.
        let word = coding
            .split(|byte| matches!(byte, b';' | b' ' | b'\t' | b'('))
            .next();
        word.unwrap_or_default().to_ascii_lowercase()
    }

    /// What the part is to be called: its file's name, or where it was on the web (RFC 2183, 2.3; RFC 2557, 4.2).
    pub fn name(&self) -> Option<Vec<u8>> {
        let stated = |value: &Option<Vec<u8>>, name| parameter(value.as_deref()?, name);
        stated(&self.disposition, "filename")
            .or_else(|| stated(&self.content_type, "name"))
            .or_else(|| self.location.clone())
            .filter(|name| !name.is_empty())
    }

    /// Bytes of the body, as mailboxes state it.
    pub fn length(&self) -> Option<u64> {
        std::str::from_utf8(self.length.as_deref()?)
            .ok()?
            .parse()
            .ok()
    }
}

/// Where a head keeps a field of this name.
fn slot_of<'head>(head: &'head mut Head, name: &[u8]) -> Option<&'head mut Option<Vec<u8>>> {
    let slots: [(&[u8], &mut Option<Vec<u8>>); 5] = [
        (b"content-type", &mut head.content_type),
        (b"content-transfer-encoding", &mut head.coding),
        (b"content-disposition", &mut head.disposition),
        (b"content-location", &mut head.location),
        (b"content-length", &mut head.length),
    ];
    slots
        .into_iter()
        .find(|(other, _)| name.eq_ignore_ascii_case(other))
        .map(|(_, slot)| slot)
}

/// Lines with their ends, and where they begin.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        let len = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let start = at;
        at += len;
        Some((start, &rest[..len]))
    })
}

/// A line without what ends it.
pub fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn is_continued(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t'))
}

/// The line that mailboxes put before a message, also where somebody quoted it.
fn is_envelope(line: &[u8]) -> bool {
    line.starts_with(b"From ") || line.starts_with(b">From ")
}

/// Name and value of a field (RFC 5322, 2.2; blanks before the colon as in 4.5).
pub fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = line
        .iter()
        .take_while(|byte| matches!(byte, b'!'..=b'9' | b';'..=b'~'))
        .count();
    let (name, rest) = line.split_at(len);
    let value = rest.trim_ascii_start().strip_prefix(b":")?;
    (!name.is_empty()).then_some((name, value))
}

/// Whether the front of `head` holds a field that is only in messages' heads, and nothing but fields.
pub fn has_mail_field(head: &[u8]) -> bool {
    Evidence::of(head).is_some_and(|evidence| evidence.known > 0)
}

/// Whether content that begins so is a message.
///
/// Many things begin with `Name: value`. So there is nothing but fields up to the empty line, and among them are those
/// of MIME, those that RFC 5322 (3.6) asks of every message and as it asks for them, or what a server writes. A head
/// alone is none: there is nothing in it to be opened.
pub fn is_message(head: &[u8]) -> bool {
    let Some(evidence) = Evidence::of(head) else {
        return false;
    };
    let is_mime = evidence.has_version && evidence.has_type;
    let is_multipart = evidence.is_multipart && evidence.known > 0;
    let is_written = evidence.has_sender && evidence.has_date;
    let is_sent = evidence.has_id && evidence.known > 1;
    evidence.has_body && (is_mime || is_multipart || is_written || is_sent)
}

/// What speaks for a head being that of a message.
#[derive(Default)]
struct Evidence {
    known: usize,
    has_version: bool,
    has_type: bool,
    is_multipart: bool,
    has_sender: bool,
    has_date: bool,
    has_id: bool,
    has_body: bool,
}

impl Evidence {
    /// `None` where a line stands among the fields that is none.
    fn of(bytes: &[u8]) -> Option<Self> {
        // Nearly everything is out with its first byte or line.
        let first = *bytes.first()?;
        if !first.is_ascii_alphabetic() && first != b'>' {
            return None;
        }
        let mut evidence = Self {
            has_body: bytes.len() >= SHOWN,
            ..Self::default()
        };
        for (at, line) in lines(bytes) {
            let bare = without_end(line);
            let end = at + line.len();
            if bare.is_empty() {
                evidence.has_body = end < bytes.len();
                break;
            }
            if end == bytes.len() && !line.ends_with(b"\n") {
                break;
            }
            if (at == 0 && is_envelope(bare)) || (at > 0 && is_continued(bare)) {
                continue;
            }
            let (name, value) = field(bare)?;
            evidence.note(&name.to_ascii_lowercase(), value.trim_ascii());
        }
        Some(evidence)
    }

    fn note(&mut self, name: &[u8], value: &[u8]) {
        self.known += usize::from(KNOWN.contains(&name));
        match name {
            b"mime-version" => self.has_version |= value.starts_with(b"1."),
            b"content-type" => {
                self.has_type |= value.contains(&b'/');
                self.is_multipart |= value.to_ascii_lowercase().starts_with(b"multipart/");
            }
            b"from" => self.has_sender |= value.contains(&b'@') || value.contains(&b'<'),
            b"date" => self.has_date |= has_time(value),
            b"message-id" => self.has_id |= value.starts_with(b"<") && value.contains(&b'@'),
            b"received" => self.has_id |= value.contains(&b';') || value.starts_with(b"from "),
            b"return-path" => self.has_id |= value.starts_with(b"<"),
            _ => {}
        }
    }
}

/// Whether a time of day stands in `text`, as `12:34`.
pub fn has_time(text: &[u8]) -> bool {
    text.windows(4).any(|four| {
        let [a, b, c, d] = four else { return false };
        a.is_ascii_digit() && *b == b':' && c.is_ascii_digit() && d.is_ascii_digit()
    })
}

// ---------------------------------------------------------------------------------------------------------------
// Parameters and names

/// A parameter by its name, put together and with its codings undone.
fn parameter(value: &[u8], wanted: &str) -> Option<Vec<u8>> {
    let mut plain = None;
    // By section (RFC 2231, 3): number, whether it has percent signs, bytes.
    let mut sections: Vec<(u32, bool, Vec<u8>)> = Vec::new();
    for (name, value) in parameters(value) {
        let Some(rest) = strip_prefix_of_any_case(&name, wanted.as_bytes()) else {
            continue;
        };
        let (rest, is_coded) = match rest.strip_suffix(b"*") {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        match rest {
            b"" if !is_coded => plain = plain.or(Some(value)),
            b"" => sections.push((0, true, value)),
            [b'*', digits @ ..] => {
                let number = std::str::from_utf8(digits)
                    .ok()
                    .and_then(|n| n.parse().ok());
                sections.extend(number.map(|number| (number, is_coded, value)));
            }
            _ => {}
        }
    }
    if sections.is_empty() {
        return plain.map(|value| words(&value));
    }
    sections.sort_by_key(|(number, ..)| *number);
    sections.dedup_by_key(|(number, ..)| *number);
    let mut whole = Vec::new();
    for (index, (_, is_coded, value)) in sections.iter().enumerate() {
        if !is_coded {
            whole.extend(value);
            continue;
        }
        // The first says charset and language before the text.
        let text = match value.iter().position(|&byte| byte == b'\'') {
            Some(first) if index == 0 => {
                let behind = &value[first + 1..];
                let second = behind.iter().position(|&byte| byte == b'\'');
                second.map_or(value.as_slice(), |second| &behind[second + 1..])
            }
            _ => value,
        };
        whole.extend(coding::without_percent(text));
    }
    Some(whole)
}

fn strip_prefix_of_any_case<'name>(name: &'name [u8], prefix: &[u8]) -> Option<&'name [u8]> {
    let (front, rest) = name.split_at_checked(prefix.len())?;
    front.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Names and values of the parameters behind the first semicolon.
fn parameters(value: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found = Vec::new();
    let mut at = memchr::memchr(b';', value).unwrap_or(value.len());
    while at < value.len() && found.len() < PARAMETERS_MAX {
        at += 1;
        let rest = &value[at..];
        let Some(len) = rest.iter().position(|byte| matches!(byte, b'=' | b';')) else {
            break;
        };
        let name = rest[..len].trim_ascii().to_vec();
        at += len;
        if value[at] == b';' {
            continue;
        }
        at += 1;
        at += value[at..].len() - value[at..].trim_ascii_start().len();
        let mut text = Vec::new();
        if value.get(at) == Some(&b'"') {
            at += 1;
            while let Some(&byte) = value.get(at) {
                at += 1;
                match byte {
                    b'"' => break,
                    // Programs of Windows write paths without doubling what stands before their parts.
                    b'\\' if matches!(value.get(at), Some(b'"' | b'\\')) => {
                        text.push(value[at]);
                        at += 1;
                    }
                    _ => text.push(byte),
                }
            }
            at += memchr::memchr(b';', &value[at..]).unwrap_or(value.len() - at);
        } else {
            let len = memchr::memchr(b';', &value[at..]).unwrap_or(value.len() - at);
            text.extend(value[at..at + len].trim_ascii());
            at += len;
        }
        found.push((name, text));
    }
    found
}

/// Text with its encoded words undone (RFC 2047, 2 and 6.2): blanks between two of them are none.
fn words(text: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    let mut rest = text;
    let mut is_behind_word = false;
    while let Some(at) = memchr::memmem::find(rest, b"=?") {
        let before = &rest[..at];
        let Some((word, len)) = word(&rest[at..]) else {
            whole.extend(&rest[..at + 2]);
            rest = &rest[at + 2..];
            is_behind_word = false;
            continue;
        };
        if !(is_behind_word && before.trim_ascii().is_empty()) {
            whole.extend(before);
        }
        whole.extend(word);
        rest = &rest[at + len..];
        is_behind_word = true;
    }
    whole.extend(rest);
    whole
}

/// The encoded word at the front: its bytes, and its length as written.
fn word(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut parts = text.get(2..)?.splitn(3, |&byte| byte == b'?');
    let (charset, kind, rest) = (parts.next()?, parts.next()?, parts.next()?);
    // A charset is short; without this, text of nothing but beginnings would cost its square.
    if charset.len() > 64 || kind.len() != 1 {
        return None;
    }
    let end = memchr::memmem::find(&rest[..rest.len().min(VALUE_MAX)], b"?=")?;
    let coded = &rest[..end];
    let bytes = match kind {
        b"B" | b"b" => LENIENT.decode(coded).ok()?,
        b"Q" | b"q" => {
            let spaced: Vec<u8> = coded
                .iter()
                .map(|&byte| if byte == b'_' { b' ' } else { byte })
                .collect();
            coding::quoted_printable(&spaced).0
        }
        _ => return None,
    };
    Some((bytes, 2 + charset.len() + 1 + kind.len() + 1 + end + 2))
}

/// Base64 with or without its padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(value: &str) -> String {
        let text = format!("Content-Disposition: attachment; {value}\r\n\r\n");
        let name = Head::read(text.as_bytes(), |_| false).name();
        String::from_utf8_lossy(&name.unwrap_or_default()).into_owned()
    }

    /// The examples of RFC 2231 (3, 4, 4.1) and RFC 2047 (8), under another parameter's name.
    #[test]
    fn names_are_put_together() {
        assert_eq!(name("filename=plain.ts"), "plain.ts");
        assert_eq!(name("filename=\"a \\\"b\\\"; c.ts\"; x=y"), "a \"b\"; c.ts");
        assert_eq!(name("filename=\"C:\\dir\\a.ts\""), "C:\\dir\\a.ts");
        assert_eq!(
            name(
                "filename*0=\"ftp://\";\r\n filename*1=\"cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar\""
            ),
            "ftp://cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar"
        );
        assert_eq!(
            name("filename*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A"),
            "This is ***fun***"
        );
        assert_eq!(
            name(
                "filename*1*=%2A%2A%2Afun%2A%2A%2A%20;\r\n filename*0*=us-ascii'en'This%20is%20even%20more%20;\r\n filename*2=\"isn't it!\""
            ),
            "This is even more ***fun*** isn't it!"
        );
        assert_eq!(
            name("filename=\"=?ISO-8859-1?Q?a?= =?UTF-8?B?YsO8?=_=?x\""),
            "abü_=?x"
        );
        assert_eq!(name("filename=old; filename*=UTF-8''n%C3%A9w"), "néw");
        assert_eq!(name("filename=\"never closed"), "never closed");
        assert_eq!(name("filename"), "");
    }

    #[test]
    fn a_head_ends_where_no_field_stands() {
        let read = |text: &str| Head::read(text.as_bytes(), |line| line == b"--b").len;
        assert_eq!(read("A: b\n c\n\nbody"), 9);
        assert_eq!(read("A: b\nbody begins\n\n"), 5);
        assert_eq!(read("\nbody"), 1);
        assert_eq!(read("A: b\n--b\n"), 5);
        assert_eq!(read("From a@b\nA: b\n\n"), 15);
        assert_eq!(read("A: b"), 4);
        let twice = b"Content-Type: a/b\nContent-Type: c/d\n\n";
        let head = Head::read(twice, |_| false);
        assert!(head.disagrees);
        assert_eq!(head.media_type(), b"a/b");
    }

    #[test]
    fn what_only_has_fields_is_no_message() {
        for text in [
            "Package: made-up\nVersion: 1.0\nMaintainer: Nobody <nobody@example.org>\n\n",
            "Metadata-Version: 2.1\nName: x\nAuthor-email: a@example.org\n\nText",
            "Manifest-Version: 1.0\n\n",
            "from: a@example.org\nto: b\nsubject: c\n",
            "From here on: all is well\nDate: soon\n\n",
            "Date: Mon, 1 Jan 2024 10:00:00 +0000\nServer: x\nContent-Type: text/html\n\n",
            "HTTP/1.1 200 OK\nFrom: a@b\nDate: Mon, 1 Jan 2024 10:00:00 +0000\n\n",
            "From: a@b\nDate: Mon, 1 Jan 2024 10:00:00 +0000\n\n",
            "From: a@b\nsome text\nDate: Mon, 1 Jan 2024 10:00:00 +0000\n\n",
            "",
        ] {
            assert!(!is_message(text.as_bytes()), "{text}");
        }
        for text in [
            "From: A <a@example.org>\nDate: Mon, 1 Jan 2024 10:00:00 +0000\n\nText",
            "MIME-Version: 1.0\nContent-Type: text/plain\n\nText",
            "Content-Type: multipart/mixed; boundary=b\nSubject: x\n\n--b",
            "Return-Path: <a@example.org>\nX-Long:\n more\nReceived: from h by i; Mon\n\nText",
        ] {
            assert!(is_message(text.as_bytes()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_head_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let text = [b"Content-Type: multipart/mixed; boundary=".as_slice(), &bytes].concat();
            let head = Head::read(&text, |_| false);
            prop_assert!(head.len <= text.len());
            let _ = (head.name(), head.parameter("boundary"), is_message(&bytes));
        }

        #[test]
        fn quoted_names_come_back(written in "[ -~]{1,40}") {
            prop_assume!(!written.contains("=?"));
            let quoted = written.replace('\\', "\\\\").replace('"', "\\\"");
            prop_assert_eq!(name(&format!("filename=\"{quoted}\"")), written);
        }
    }
}
