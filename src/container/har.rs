//! HAR: what a browser saw of a page, as its developer tools save it.
//!
//! One JSON document: `log.entries[]`, each with a request and a response, and the body of the response as text or in
//! base64 (HTTP Archive 1.2). People attach it to bug reports, so that it lies in ticket systems with all that was
//! loaded: scripts of sites behind a login, their source maps where the tools were open, and headers that say where
//! the maps are. Bodies are the members, named by the URL of the request as it was written.
//!
//! The document is walked once, token by token, and an entry is given when its bracket closes. So memory is the document
//! and one body, and a document that was cut gives everything before the cut, the cut body included.
//!
//! A body that was not kept is an entry without content, as a source that a map only names: the browser drops bodies of
//! pages that were left, and large ones. A body that is empty by the numbers beside it is an empty member. What was sent
//! is given too, as a region by its offset: it belongs to the page, not to the URL. A text is the document's UTF-8, also
//! where the server sent something else; the browser has recoded it.
//!
//! Left out: cookies, headers other than those that lead to maps, messages of web sockets, timings. Some tools write a
//! body into a file of its own beside the HAR; then that file is scanned as what it is. Where damage hides quotes, entries
//! up to the end may be lost, and that is said.

use std::collections::VecDeque;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

use super::json::{self, Shape, Token, Tokens};
use super::strings::Strings;
use super::{Event, Format, Input, Member, Trouble, Walker, http};
use crate::blob::{Limits, MemberName};

/// How much of a document is looked at to tell it: some tools write pages and notes first.
const LOOK: usize = 64 << 10;
/// What some editors put in front of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The HAR format.
pub struct Har;

impl Format for Har {
    fn name(&self) -> &'static str {
        "har"
    }

    /// An object with a `log` that has entries or names who made it (HTTP Archive 1.2, "log"), keys in any order.
    /// Where `log` is not the first key, other documents may have one too, and more must be there.
    fn recognise(&self, head: &[u8]) -> bool {
        let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
        let head = &head[..head.len().min(LOOK)];
        let inner = head
            .trim_ascii_start()
            .strip_prefix(b"{")
            .map(<[u8]>::trim_ascii_start);
        // Other documents cost one search.
        inner.is_some_and(|inner| inner.starts_with(b"\""))
            && memchr::memmem::find(head, b"\"log\"").is_some()
            && has_log(Bytes::copy_from_slice(head))
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let hold = limits.hold();
        let document = match input {
            Input::Memory(document) => document,
            Input::File(file) if file.len <= hold => file
                .read_at(0, usize::try_from(file.len).unwrap_or(usize::MAX))
                .map_err(|error| {
                    Trouble::damaged(
                        "unreadable",
                        format!("the file could not be read: {error}"),
                        Some(file.len),
                    )
                })?,
            Input::File(file) => {
                return Err(Trouble::skipped(
                    "memory-limit",
                    "the capture is larger than content may be held; raise --memory to twice its size",
                    Some(file.len),
                ));
            }
        };
        let skipped = if document.starts_with(BYTE_ORDER_MARK) {
            BYTE_ORDER_MARK.len()
        } else {
            0
        };
        let strings = Strings::beside_bodies(document.clone(), &[b"content", b"postData"]);
        let document = document.slice(skipped..);
        Ok(Box::new(HarWalker {
            strings: Some(strings),
            skipped,
            tokens: Some(Tokens::new(document.clone())),
            document,
            open: Vec::new(),
            elsewhere: 0,
            key: None,
            entry: Entry::default(),
            pending: VecDeque::new(),
        }))
    }
}

/// Whether a document that begins so has the log of a capture.
fn has_log(head: Bytes) -> bool {
    let (mut depth, mut is_first, mut in_log) = (0_u64, true, false);
    let (mut has_version, mut has_creator) = (false, false);
    // The list in the log, and the key behind which something may open.
    let mut list = Bytes::new();
    let mut last = Bytes::new();
    for token in Tokens::new(head) {
        match token {
            Token::Key(key) => {
                match (depth, key.as_ref()) {
                    (1, b"log") => {}
                    (1, _) => is_first = false,
                    (2, b"entries" | b"creator") if in_log && is_first => return true,
                    (4, b"request" | b"response") if in_log && list == "entries" => return true,
                    (4, b"startedDateTime") if in_log && (list == "entries" || list == "pages") => {
                        return true;
                    }
                    _ => {}
                }
                last = key;
            }
            Token::Open(shape) => {
                in_log |= depth == 1 && last == "log" && shape == Shape::Object;
                if depth == 2 {
                    has_creator |= last == "creator" && shape == Shape::Object;
                    list = if shape == Shape::Array {
                        std::mem::take(&mut last)
                    } else {
                        Bytes::new()
                    };
                }
                depth += 1;
                last = Bytes::new();
            }
            Token::Close(_) => {
                depth = depth.saturating_sub(1);
                if depth == 1 && in_log {
                    return false;
                }
            }
            Token::Text(text) => {
                has_version |= in_log && depth == 2 && last == "version" && text.starts_with(b"1.");
                last = Bytes::new();
            }
            Token::Word(_) => last = Bytes::new(),
        }
        if in_log && has_version && has_creator {
            return true;
        }
    }
    false
}

/// What an open bracket belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Root,
    Log,
    Entries,
    Entry,
    Request,
    PostData,
    Response,
    Headers,
    Header,
    Content,
}

impl Open {
    /// What a bracket is that opens here behind `key`; `None` for what is of no interest.
    fn inner(self, key: Option<&[u8]>, shape: Shape) -> Option<Self> {
        use Shape::{Array, Object};
        Some(match (self, key, shape) {
            (Open::Root, Some(b"log"), Object) => Open::Log,
            (Open::Log, Some(b"entries"), Array) => Open::Entries,
            (Open::Entries, _, Object) => Open::Entry,
            (Open::Entry, Some(b"request"), Object) => Open::Request,
            (Open::Entry, Some(b"response"), Object) => Open::Response,
            (Open::Request, Some(b"postData"), Object) => Open::PostData,
            (Open::Response, Some(b"headers"), Array) => Open::Headers,
            (Open::Response, Some(b"content"), Object) => Open::Content,
            (Open::Headers, _, Object) => Open::Header,
            _ => return None,
        })
    }
}

/// A text as it stands in the document.
#[derive(Debug, Clone)]
struct Text {
    raw: Bytes,
    /// The document ends within it.
    is_cut: bool,
}

/// One entry, as far as it was read.
#[derive(Debug, Default)]
struct Entry {
    url: Option<Bytes>,
    /// What is sent with the request.
    sent: Option<Text>,
    body: Option<Text>,
    encoding: Option<Bytes>,
    /// Bytes of the body, as the browser says.
    size: Option<Bytes>,
    links: Vec<Vec<u8>>,
    /// The header that is being read.
    header: (Option<Bytes>, Option<Bytes>),
}

struct HarWalker {
    /// What stands beside the bodies.
    strings: Option<Strings>,
    /// Bytes in front of the document.
    skipped: usize,
    document: Bytes,
    /// `None` once they have ended.
    tokens: Option<Tokens>,
    open: Vec<Open>,
    /// Brackets that are open within what is of no interest.
    elsewhere: u64,
    key: Option<Bytes>,
    entry: Entry,
    pending: VecDeque<Event>,
}

impl HarWalker {
    fn token(&mut self, token: Token) {
        match token {
            Token::Key(key) => self.key = Some(key),
            Token::Open(shape) => {
                let key = self.key.take();
                let inner = match self.open.last() {
                    _ if self.elsewhere > 0 => None,
                    None => (shape == Shape::Object).then_some(Open::Root),
                    Some(open) => open.inner(key.as_deref(), shape),
                };
                match inner {
                    Some(Open::Entry) => self.entry = Entry::default(),
                    Some(Open::Header) => self.entry.header = (None, None),
                    _ => {}
                }
                match inner {
                    Some(inner) => self.open.push(inner),
                    None => self.elsewhere += 1,
                }
            }
            Token::Close(_) if self.elsewhere > 0 => self.elsewhere -= 1,
            Token::Close(_) => match self.open.pop() {
                Some(Open::Entry) => self.close_entry(false),
                Some(Open::Header) => self.close_header(),
                _ => {}
            },
            Token::Text(raw) => self.text(Text { raw, is_cut: false }),
            Token::Word(word) => {
                let is_size = self.key.take().is_some_and(|key| key == "size");
                if is_size && self.elsewhere == 0 && self.open.last() == Some(&Open::Content) {
                    self.entry.size = Some(word);
                }
            }
        }
    }

    fn text(&mut self, text: Text) {
        let Some(key) = self.key.take() else { return };
        if self.elsewhere > 0 {
            return;
        }
        let entry = &mut self.entry;
        match (self.open.last(), key.as_ref()) {
            (Some(Open::PostData), b"text") => entry.sent = Some(text),
            (Some(Open::Content), b"text") => entry.body = Some(text),
            // Half of a URL is another one.
            _ if text.is_cut => {}
            (Some(Open::Request), b"url") => entry.url = Some(text.raw),
            (Some(Open::Content), b"encoding") => entry.encoding = Some(text.raw),
            (Some(Open::Header), b"name") => entry.header.0 = Some(text.raw),
            (Some(Open::Header), b"value") => entry.header.1 = Some(text.raw),
            _ => {}
        }
    }

    fn close_header(&mut self) {
        if let (Some(name), Some(value)) = std::mem::take(&mut self.entry.header) {
            let value = json::unescape(&value);
            http::note_link(&json::unescape(&name), &value, &mut self.entry.links);
        }
    }

    /// Gives the entry that was read, in part where the document ends in it.
    fn close_entry(&mut self, is_cut: bool) {
        let entry = std::mem::take(&mut self.entry);
        if entry.url.is_none() && entry.body.is_none() && entry.sent.is_none() {
            return;
        }
        if let Some(sent) = entry.sent.as_ref().filter(|sent| !sent.raw.is_empty()) {
            let bytes = self.plain(sent);
            let mut member = Member::whole(self.region(&sent.raw), bytes);
            member.trouble = sent.is_cut.then(truncated);
            self.pending.push_back(Event::Member(member));
        }
        let name = match (&entry.url, &entry.body) {
            (Some(url), _) => MemberName::of_address(json::unescape(url).into_owned()),
            (None, Some(body)) => self.region(&body.raw),
            // Something was sent to nobody knows where: that was given.
            (None, None) => return,
        };
        let mut member = self.body(name, &entry, is_cut);
        member.links = http::distinct(entry.links);
        self.pending.push_back(Event::Member(member));
    }

    fn body(&self, name: MemberName, entry: &Entry, is_cut: bool) -> Member {
        let Some(text) = &entry.body else {
            if is_cut {
                return Member::absent(name, truncated());
            }
            return if entry.size.as_ref().is_some_and(|size| size == "0") {
                Member::whole(name, Bytes::new())
            } else {
                Member::absent(
                    name,
                    Trouble::skipped(
                        "no-content",
                        "the capture names this response and does not hold its body",
                        None,
                    ),
                )
            };
        };
        let plain = self.plain(text);
        let mut member = match entry.encoding.as_deref() {
            Some(b"base64") => {
                let (bytes, read) = from_base64(&plain);
                let mut member = Member::whole(name, bytes.into());
                member.trouble = (read < plain.len()).then(|| {
                    Trouble::damaged(
                        "base64-damaged",
                        format!("the body is no base64 from its character {read} on; what came before was read"),
                        Some((plain.len() - read) as u64),
                    )
                });
                member
            }
            None | Some(b"") => Member::whole(name, plain),
            Some(unknown) => {
                let mut member = Member::whole(name, plain);
                let unknown = String::from_utf8_lossy(&unknown[..unknown.len().min(40)]);
                member.trouble = Some(Trouble::skipped(
                    "unsupported",
                    format!(
                        "the body is written in {}, which is not known; it was read as it stands",
                        crate::blob::locator::shown(&unknown)
                    ),
                    Some(text.raw.len() as u64),
                ));
                member
            }
        };
        if text.is_cut {
            member.trouble = Some(truncated());
        }
        member
    }

    /// The bytes that a text stands for, without copying where nothing is escaped.
    fn plain(&self, text: &Text) -> Bytes {
        let raw = if text.is_cut {
            without_cut_escape(&text.raw)
        } else {
            &text.raw
        };
        match json::unescape(raw) {
            std::borrow::Cow::Borrowed(bytes) => text.raw.slice_ref(bytes),
            std::borrow::Cow::Owned(bytes) => bytes.into(),
        }
    }

    /// What has no name is called by the place where it stands.
    fn region(&self, raw: &Bytes) -> MemberName {
        let at = (raw.as_ptr() as usize).saturating_sub(self.document.as_ptr() as usize);
        MemberName::Offset((at + self.skipped) as u64)
    }

    /// Gives what was open when the document ended, and says what is wrong with it.
    fn finish(&mut self, tokens: &Tokens) {
        if let Some(rest) = tokens.cut_string() {
            self.text(Text {
                raw: rest,
                is_cut: true,
            });
        }
        if self.open.contains(&Open::Entry) {
            self.close_entry(true);
        }
        let unclosed = self.open.len() as u64 + self.elsewhere;
        if tokens.is_cut || unclosed > 0 {
            self.pending.push_back(Event::Trouble(Trouble::damaged(
                "truncated",
                format!("the capture ends at offset {} before its end; the entries before that were read, get the file again for the rest", self.skipped + tokens.position()),
                None,
            )));
        } else if tokens.stray > 0 {
            self.pending.push_back(Event::Trouble(Trouble::damaged(
                "har-damaged",
                format!("{} bytes of the capture are no JSON and were stepped over; get the file again, since entries may be missing", tokens.stray),
                None,
            )));
        }
    }
}

fn truncated() -> Trouble {
    Trouble::damaged(
        "truncated",
        "the capture ends within this entry; what is there was read",
        None,
    )
}

/// A raw string without an escape that it ends in.
fn without_cut_escape(raw: &[u8]) -> &[u8] {
    /// Length of `\uXXXX`; of a pair of them the first may stay, as a lone surrogate.
    const LONGEST: usize = 6;
    let from = raw.len().saturating_sub(LONGEST);
    // Backslashes come in pairs, unless the last of them begins an escape.
    let mut at = from
        + raw[from..]
            .iter()
            .take_while(|byte| **byte != b'\\')
            .count();
    while at < raw.len() {
        let slashes = raw[..at + 1]
            .iter()
            .rev()
            .take_while(|byte| **byte == b'\\')
            .count();
        let begins = raw[at] == b'\\' && slashes % 2 == 1;
        let needs = match raw.get(at + 1) {
            Some(b'u') => LONGEST,
            Some(_) => 2,
            None => 2,
        };
        if begins && raw.len() - at < needs {
            return &raw[..at];
        }
        at += 1;
    }
    raw
}

/// What base64 stands for, and how many of its characters were read. White space and padding may be there or not.
fn from_base64(text: &[u8]) -> (Vec<u8>, usize) {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let has_blanks = text.iter().any(u8::is_ascii_whitespace);
    let is_read = |byte: &u8| is_digit(byte) || (has_blanks && byte.is_ascii_whitespace());
    let read = text
        .iter()
        .position(|byte| !is_read(byte))
        .unwrap_or(text.len());
    let mut digits = std::borrow::Cow::Borrowed(&text[..read]);
    if has_blanks {
        digits.to_mut().retain(is_digit);
    }
    // One digit by itself is no byte.
    let whole = digits.len() - usize::from(digits.len() % 4 == 1);
    let bytes = LENIENT.decode(&digits[..whole]).unwrap_or_default();
    let is_padding = |byte: &u8| *byte == b'=' || byte.is_ascii_whitespace();
    let padded = text[read..].len() <= 4 + 2 && text[read..].iter().all(is_padding);
    (bytes, if padded { text.len() } else { read })
}

impl Walker for HarWalker {
    fn kind(&self) -> &'static str {
        "har"
    }

    fn strings(&mut self) -> Option<Strings> {
        self.strings.take()
    }

    fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.pending.pop_front() {
                return Some(event);
            }
            let mut tokens = self.tokens.take()?;
            match tokens.next() {
                Some(token) => {
                    self.tokens = Some(tokens);
                    self.token(token);
                }
                None => self.finish(&tokens),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{Seen, walk};
    use super::*;

    fn seen(text: &str) -> Seen {
        assert!(Har.recognise(text.as_bytes()), "{text}");
        walk(&Har, text.as_bytes(), &Limits::default()).expect("it opens")
    }

    fn log(entries: &str) -> String {
        format!(
            r#"{{"log":{{"version":"1.2","creator":{{"name":"a","version":"1"}},"pages":[{{"id":"p"}}],"entries":[{entries}]}}}}"#
        )
    }

    fn entry(url: &str, content: &str) -> String {
        format!(
            r#"{{"request":{{"method":"GET","url":"{url}","headers":[{{"name":"SourceMap","value":"no.map"}}]}},"response":{{"status":200,"headers":[],"content":{{{content}}}}},"cache":{{}}}}"#
        )
    }

    fn links(text: &str) -> Vec<Vec<u8>> {
        let input = Input::Memory(Bytes::copy_from_slice(text.as_bytes()));
        let mut walker = Har.open(input, &Limits::default()).unwrap();
        let mut links = Vec::new();
        while let Some(event) = walker.next() {
            if let Event::Member(member) = event {
                links.extend(member.links);
            }
        }
        links
    }

    #[test]
    fn bodies_come_by_their_urls() {
        let entries = [
            entry("https://h/a.js", r#""size":3,"text":"\"\u00fc\n""#),
            entry(
                "https://h/\\u00fc",
                r#""mimeType":"image/png","text":"AAEC\nAw==","encoding":"base64""#,
            ),
            entry("https://h/a.js", r#""size":0,"mimeType":"x""#),
            entry("https://h/gone.js", r#""size":9"#),
            entry("https://h/gone.js", r#""text":"x","encoding":"rot13""#),
        ];
        let found = seen(&log(&entries.join(",")));
        let members: Vec<_> = found
            .members
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
            .collect();
        assert_eq!(
            members,
            [
                ("https://h/a.js", "\"ü\n".as_bytes()),
                ("https://h/ü", &[0, 1, 2, 3]),
                ("https://h/a.js", b""),
                ("https://h/gone.js", b"x"),
            ]
        );
        assert_eq!(found.codes, ["no-content", "unsupported"]);
    }

    #[test]
    fn headers_of_the_response_lead_to_maps() {
        let text = r#"{"log":{"entries":[{"request":{"url":"u","headers":[{"name":"SourceMap","value":"no"}]},
            "response":{"headers":[{"name":"sourcemap","value":" /a.map "},{"value":"b.map","name":"X-SourceMap"},{"name":"SOURCEMAP","value":""},
            {"name":"Other","value":"no"}],"content":{"text":""}}}]}}"#;
        assert_eq!(links(text), [b"/a.map".to_vec(), b"b.map".to_vec()]);
    }

    #[test]
    fn what_was_sent_is_a_region() {
        let text = r#"{"log":{"creator":{},"entries":[{"request":{"url":"u","postData":{"text":"sent\ttoo"}},"response":{"content":{"text":"back"}}}]}}"#;
        let found = seen(text);
        let at = text.find("sent").unwrap();
        assert_eq!(
            found.members,
            [
                (format!("@{at}"), b"sent\ttoo".to_vec()),
                ("u".to_owned(), b"back".to_vec())
            ]
        );
        let marked = format!("\u{feff}{text}");
        assert_eq!(seen(&marked).members[0].0, format!("@{}", at + 3));
    }

    #[test]
    fn a_cut_gives_everything_before_it() {
        let whole = log(&format!(
            "{},{}",
            entry("u", r#""text":"first""#),
            entry("v", r#""text":"ab\u00fccd""#)
        ));
        let first = ("u".to_owned(), b"first".to_vec());
        for (until, rest, codes) in [
            ("ab\\u00fcc", Some("abüc"), vec!["truncated", "truncated"]),
            ("ab\\u00f", Some("ab"), vec!["truncated", "truncated"]),
            ("ab\\", Some("ab"), vec!["truncated", "truncated"]),
            ("\"url\":\"v\"", None, vec!["truncated", "truncated"]),
            ("\"response\":{", None, vec!["truncated"]),
        ] {
            let end = whole.rfind(until).expect("it is there") + until.len();
            let end = if until.starts_with("\"resp") {
                whole.find("},{\"request\"").unwrap() + 1
            } else {
                end
            };
            let found = seen(&whole[..end]);
            assert_eq!(found.members[0], first, "{until}");
            let second = found.members.get(1).map(|(_, bytes)| bytes.as_slice());
            assert_eq!(second, rest.map(str::as_bytes), "{until}");
            assert_eq!(found.codes, codes, "{until}");
        }
    }

    #[test]
    fn what_is_no_base64_ends_the_body() {
        for (text, bytes, read) in [
            ("YWJj", &b"abc"[..], 4),
            ("YWI=", b"ab", 4),
            ("YWI", b"ab", 3),
            ("YW Jj\n", b"abc", 6),
            ("YWJj!YWJj", b"abc", 4),
            ("YWJjY", b"abc", 5),
            ("YWI=YWJj", b"ab", 3),
            ("", b"", 0),
        ] {
            assert_eq!(
                from_base64(text.as_bytes()),
                (bytes.to_vec(), read),
                "{text}"
            );
        }
    }

    #[test]
    fn keys_may_come_in_any_order_and_late() {
        let entries = r#""entries":[{"request":{"url":"u"},"response":{"content":{"text":"x"}}}]"#;
        let note = "n".repeat(20_000);
        let page = r#"{"startedDateTime":"2020-01-01","id":"p","title":"t"},"#.repeat(2_000);
        for text in [
            format!(r#"{{"log":{{"comment":"{note}",{entries}}}}}"#),
            format!(r#"{{"log":{{"version":"1.2","pages":[{page}],"creator":{{}},{entries}}}}}"#),
            format!(r#"{{"_tool":{{"a":[1]}},"log":{{{entries}}}}}"#),
            format!(r#"{{"a":"b","log":{{"version":"1.2","creator":{{"name":"c"}},{entries}}}}}"#),
        ] {
            assert_eq!(seen(&text).members, [("u".to_owned(), b"x".to_vec())]);
        }
    }

    #[test]
    fn many_headers_of_one_response_take_linear_time() {
        let headers: Vec<_> = (0..40_000)
            .map(|n| format!(r#"{{"name":"SourceMap","value":"{n}.map"}}"#))
            .collect();
        let list = headers.join(",");
        let text = format!(
            r#"{{"log":{{"entries":[{{"request":{{"url":"u"}},"response":{{"headers":[{list},{list}],"content":{{"text":""}}}}}}]}}}}"#
        );
        assert_eq!(links(&text).len(), 40_000);
    }

    #[test]
    fn what_is_none_is_not_taken_for_one() {
        for text in [
            r#"{"a":1,"log":{"entries":[]}}"#,
            r#"{"a":1,"log":{"entries":[{"level":"info"}]}}"#,
            r#"{"a":1,"log":{"creator":{"name":"me"}}}"#,
            r#"{"a":{"log":{"version":"1.2","creator":{},"entries":[{"request":{}}]}}}"#,
            r#"{"log":{"level":1},"entries":[{"request":{}}],"creator":{}}"#,
            r#"{"log":{"version":"1.0","pages":["a","b"]}}"#,
            r#"{"log":"entries"}"#,
            r#"{"log":{"level":"info"}}"#,
            r#"{"logs":{"entries":[]}}"#,
            r#"[{"log":{"entries":[]}}]"#,
            r#"{"name":"log","creator":{}}"#,
            "",
        ] {
            assert!(!Har.recognise(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn brackets_without_end_take_no_memory_without_end() {
        let text = log(&format!(
            "{}{}",
            entry("u", r#""text":"x""#),
            ",[".repeat(300_000)
        ));
        let found = seen(&text);
        assert_eq!(found.members.len(), 1);
        assert_eq!(found.codes, ["truncated"]);
    }

    proptest! {
        #[test]
        fn what_is_written_comes_back(entries in proptest::collection::vec(("[a-zü\"\\\\/:]{1,9}", proptest::collection::vec(any::<u8>(), 0..60), any::<bool>()), 0..9)) {
            let mut expected = Vec::new();
            let mut list = Vec::new();
            for (url, bytes, is_text) in entries {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let content = if is_text {
                    serde_json::json!({ "text": text })
                } else {
                    serde_json::json!({ "text": base64::engine::general_purpose::STANDARD.encode(&bytes), "encoding": "base64" })
                };
                expected.push((url.clone(), if is_text { text.into_bytes() } else { bytes }));
                list.push(serde_json::json!({ "request": { "url": url }, "response": { "content": content } }));
            }
            let text = serde_json::json!({ "log": { "creator": {}, "entries": list } }).to_string();
            let found = seen(&text);
            prop_assert_eq!(found.members, expected);
            prop_assert!(found.codes.is_empty());
        }

        #[test]
        fn a_cut_invents_nothing(cut in any::<prop::sample::Index>()) {
            let whole = log(&format!("{},{}", entry("u", r#""text":"one\n\u00fc""#), entry("v", r#""text":"two\\\"""#)));
            let all = seen(&whole).members;
            let found = walk(&Har, &whole.as_bytes()[..cut.index(whole.len())], &Limits::default()).expect("it opens");
            for (name, bytes) in found.members {
                let is_part = all.iter().any(|(other, whole)| other.starts_with(&name) && whole.starts_with(&bytes));
                prop_assert!(is_part || name.starts_with('@'), "{name}");
            }
        }

        #[test]
        fn damage_never_panics(flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
            let mut bytes = log(&entry("u", r#""text":"YWJj","encoding":"base64","size":3"#)).into_bytes();
            for (at, byte) in flips {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let _ = walk(&Har, &bytes, &Limits::default());
        }

        #[test]
        fn any_bytes_do(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = walk(&Har, &bytes, &Limits::default());
        }
    }
}
