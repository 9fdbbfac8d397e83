//! Markup in scripts (JSX).
//!
//! Between tags everything is text, quotes and slashes too: whoever takes a type argument for a tag loses the file, and
//! whoever takes a tag for a comparison loses the line. So a tag is believed where it has an attribute with a value, or
//! ends in `/>`, or where its closing tag stands somewhere behind it.

use memchr::{memchr, memchr2, memmem};

use super::scan::{CLASS, Class, is_part, is_start, wide_space};
use super::{After, Before, Bracket, Kind, Lexer, Sink};

/// Bytes behind a tag in which its closing tag is looked for.
const CLOSING_WITHIN_BYTES: usize = 1 << 20;

/// Whether a byte goes on with the name of a tag or an attribute; dots are told apart by the caller.
fn is_name_part(byte: u8) -> bool {
    is_part(byte) || byte == b'-' || byte == b':' || byte >= 0x80
}

impl<S: Sink> Lexer<'_, S> {
    /// Whether the `<` here, where an operand is expected, begins a tag and no type.
    pub(super) fn begins_markup(&mut self) -> bool {
        let name = self.at + 1;
        match self.text.get(name) {
            Some(b'>') => return self.is_closed(b""),
            Some(&byte) if is_start(byte) && byte != b'\\' => {}
            _ => return false,
        }
        let name_end = self.name_end(name, b'.');
        let spelling = &self.text[name..name_end];
        if matches!(spelling, b"const" | b"keyof" | b"typeof" | b"readonly") {
            return false;
        }
        if self.text.get(name_end) == Some(&b'<') {
            return self.is_closed(spelling);
        }
        let mut end = name_end;
        loop {
            let at = self.gap_end(end);
            match self.text.get(at) {
                Some(b'/') => return self.text.get(self.blank_end(at + 1)) == Some(&b'>'),
                Some(b'{') => return at > end,
                Some(b'>') => return self.is_closed(spelling),
                Some(&byte) if at > end && is_start(byte) && byte != b'\\' => {
                    end = self.name_end(at, b'-');
                    if &self.text[at..end] == b"extends" {
                        return false;
                    }
                }
                Some(b'=') if end > name_end => {
                    let value = self.text.get(self.gap_end(at + 1));
                    return matches!(value, Some(b'"' | b'\'' | b'{' | b'<'));
                }
                _ => return false,
            }
        }
    }

    /// Where white space and comments end that begin at `at`.
    fn gap_end(&self, at: usize) -> usize {
        let mut at = self.blank_end(at);
        while self.text.get(at) == Some(&b'/')
            && let Some(end) = self.comment_end(at)
        {
            at = self.blank_end(end);
        }
        at
    }

    /// Whether `</name` stands behind, near enough.
    fn is_closed(&mut self, name: &[u8]) -> bool {
        let limit = self
            .text
            .len()
            .min(self.at.saturating_add(CLOSING_WITHIN_BYTES));
        // The next `</` of all is remembered, so that a text that has none is searched once.
        if self.closing < self.at {
            self.closing = self.next_closing(self.at, self.text.len());
        }
        let mut at = self.closing;
        while at < limit && !self.is_spent() {
            let start = self.blank_end(at + 2);
            let end = self.name_end(start, b'.');
            self.wasted += end - at;
            if self.text.get(start..end) == Some(name) {
                return true;
            }
            at = self.next_closing(end, limit);
            self.wasted += at.min(limit).saturating_sub(end);
        }
        false
    }

    /// Where the next `</` stands from `from` on and before `limit`; behind any text where none does.
    fn next_closing(&self, from: usize, limit: usize) -> usize {
        let rest = self.text.get(from..limit).unwrap_or_default();
        memmem::find(rest, b"</").map_or(usize::MAX, |len| from + len)
    }

    /// Where the name of a tag or an attribute ends; `extra` may stand in it too.
    fn name_end(&self, at: usize, extra: u8) -> usize {
        let mut end = at;
        while let Some(&byte) = self.text.get(end) {
            let is_in = is_name_part(byte) || byte == extra;
            if !is_in || (byte >= 0x80 && wide_space(&self.text[end..]).is_some()) {
                break;
            }
            end += 1;
        }
        end
    }

    /// Where white space ends that begins at `at`.
    fn blank_end(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        let is_blank = |byte: &u8| matches!(CLASS[*byte as usize], Class::Space | Class::Line);
        at + rest
            .iter()
            .position(|byte| !is_blank(byte))
            .unwrap_or(rest.len())
    }

    /// `<` and the name of the tag; the rest of it is [`Self::tag`]'s.
    pub(super) fn open_tag(&mut self) {
        self.push(Kind::Punct, self.at, self.at + 1);
        self.brackets.open(Bracket::Tag);
        let start = self.at + 1;
        let end = self.name_end(start, b'.');
        let name = &self.text[start..end];
        let is_element = name.first().is_some_and(u8::is_ascii_lowercase) && !name.contains(&b'.');
        self.at = end;
        if is_element || name.contains(&b'-') || name.contains(&b':') {
            self.push(Kind::Text, start, end);
        } else {
            self.tag_path(start, end);
        }
        self.type_arguments();
    }

    /// `name.member.member`
    fn tag_path(&mut self, start: usize, end: usize) {
        let (mut at, mut kind) = (start, Kind::Name);
        loop {
            let len = memchr(b'.', &self.text[at..end]).unwrap_or(end - at);
            if len > 0 {
                self.push(kind, at, at + len);
            }
            at += len;
            if at >= end {
                return;
            }
            self.push(Kind::Punct, at, at + 1);
            at += 1;
            kind = Kind::Property;
        }
    }

    /// Passes over `<Type>` behind the name of a tag: compilers drop it.
    fn type_arguments(&mut self) {
        const TYPES_MAX_BYTES: usize = 1_024;
        if self.text.get(self.at) != Some(&b'<') || self.is_spent() {
            return;
        }
        let mut depth = 0_usize;
        for (index, &byte) in self.text[self.at..]
            .iter()
            .take(TYPES_MAX_BYTES)
            .enumerate()
        {
            match byte {
                b'<' => depth += 1,
                b'>' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                self.at += index + 1;
                return;
            }
        }
        self.wasted += TYPES_MAX_BYTES;
    }

    /// Goes on with the tags and texts that are open, until code begins or none is.
    pub(super) fn markup(&mut self) {
        loop {
            let is_code = match self.brackets.top.kind {
                Bracket::Tag => self.tag(),
                Bracket::Children => self.children(),
                _ => {
                    self.before = Before::Other;
                    self.after = After::Operand;
                    true
                }
            };
            if is_code {
                return;
            }
        }
    }

    /// The next piece of a tag; whether code begins behind it.
    fn tag(&mut self) -> bool {
        self.at = self.blank_end(self.at);
        let start = self.at;
        let Some(&byte) = self.text.get(start) else {
            return true;
        };
        match byte {
            b'/' => {
                if let Some(end) = self.comment_end(start) {
                    self.at = end;
                    return false;
                }
                let end = self.blank_end(start + 1);
                if self.text.get(end) == Some(&b'>') {
                    self.push(Kind::Punct, start, end + 1);
                    self.at = end + 1;
                    self.brackets.close_markup();
                } else {
                    self.push(Kind::Punct, start, start + 1);
                    self.at = start + 1;
                }
            }
            b'>' => {
                self.push(Kind::Punct, start, start + 1);
                self.at = start + 1;
                self.brackets.top.kind = Bracket::Children;
            }
            b'{' => return self.container(),
            b'"' | b'\'' => match memchr(byte, &self.text[start + 1..]) {
                Some(len) => {
                    self.push(Kind::Text, start + 1, start + 1 + len);
                    self.at = start + len + 2;
                }
                None => {
                    self.push(Kind::Punct, start, start + 1);
                    self.at = start + 1;
                }
            },
            b'<' => self.open_tag(),
            b'=' => {
                self.push(Kind::Punct, start, start + 1);
                self.at = start + 1;
            }
            byte if is_name_part(byte) => {
                // White space of several bytes is no name.
                if let Some((len, _)) = wide_space(&self.text[start..]) {
                    self.at += len;
                    return false;
                }
                let end = self.name_end(start, b'-');
                self.push(Kind::Property, start, end);
                self.at = end;
            }
            // No tag at all.
            _ => {
                self.brackets.close_markup();
                self.before = Before::Other;
                self.after = After::Expression;
                return true;
            }
        }
        false
    }

    /// `{`, behind which code stands.
    fn container(&mut self) -> bool {
        self.push(Kind::Punct, self.at, self.at + 1);
        self.at += 1;
        self.brackets.open(Bracket::Container);
        self.before = Before::Other;
        self.after = After::Expression;
        true
    }

    /// The next text between tags and what ends it; whether code begins behind it.
    fn children(&mut self) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let Some(len) = memchr2(b'<', b'{', rest).filter(|_| !self.no_markup) else {
            // Nothing closes what is open: it was no markup.
            self.no_markup = true;
            while self.brackets.close_markup() {}
            self.before = Before::Other;
            self.after = After::Expression;
            return true;
        };
        let run = &rest[..len];
        let trimmed = run.trim_ascii();
        if !trimmed.is_empty() {
            let start = self.at + (run.len() - run.trim_ascii_start().len());
            self.push(Kind::Text, start, start + trimmed.len());
        }
        self.at += len;
        match self.text.get(self.at + 1) {
            _ if self.text[self.at] == b'{' => return self.container(),
            Some(b'/') => {
                let name = self.blank_end(self.at + 2);
                let end = self.blank_end(self.name_end(name, b'.'));
                let is_whole = self.text.get(end) == Some(&b'>');
                self.at = end + usize::from(is_whole);
                self.brackets.close_markup();
            }
            Some(&byte) if byte == b'>' || is_start(byte) => self.open_tag(),
            _ => {
                self.push(Kind::Punct, self.at, self.at + 1);
                self.at += 1;
            }
        }
        false
    }
}
