//! Running text that is too large to be held: what it gives away, looked for in windows that overlap.
//!
//! A text is searched as a [`View`] of it: the whole, or a window with a part of its own. What begins in that part is told
//! with the window; the margins before and behind show the search what stands round it, and belong to the neighbours. So each
//! place is told once, and told as in the whole text as long as nothing that decides about it lies further away than
//! [`MARGIN`]: the longest armour of a key that is followed, the longest run of Base64 and the longest chain of literals
//! take 64 KiB, an attempt of a rule 16. What goes together over any distance (halves of a credential within ten lines,
//! words without which a rule of the user's is not asked) is put together at the end.
//!
//! UTF-16 is turned into text as it comes. Left out: the inventory, whose readers want a text whole.

use std::ops::Range;

use super::inspect::Inspector;
use super::known;
use super::secrets::written::{self, Unit};
use super::secrets::{self, SecretFact, Written};
use super::{Role, user};

/// Bytes of a window, its margins included.
const WINDOW: usize = 1 << 20;

/// Bytes before and behind a window's own part that are seen with it.
pub const MARGIN: usize = 96 << 10;

/// A stretch of a text, and where it stands in the whole.
#[derive(Debug, Clone)]
pub struct View<'a> {
    /// What is seen.
    pub bytes: &'a [u8],
    /// What begins here is told with this view.
    pub own: Range<usize>,
    /// Where `bytes` begins in the text.
    pub begins: usize,
    /// Line feeds before it.
    pub feeds: u64,
    /// Bytes of its first line that lie before it.
    pub before: u64,
    /// How closely the text is read.
    pub role: Role,
    /// The text may be data, in which Base64 is looked for.
    pub may_be_settings: bool,
    /// It is all of the text.
    pub is_whole: bool,
}

impl<'a> View<'a> {
    /// All of a text.
    pub fn whole(bytes: &'a [u8], role: Role) -> Self {
        Self {
            bytes,
            own: 0..bytes.len(),
            begins: 0,
            feeds: 0,
            before: 0,
            role,
            may_be_settings: role == Role::Own || written::may_be_settings(bytes),
            is_whole: true,
        }
    }

    /// Whether what begins at `at` is told with this view.
    pub fn owns(&self, at: usize) -> bool {
        self.is_whole || self.own.contains(&at)
    }

    /// Lines and columns of its places, which are asked for in order.
    pub fn lines(&self) -> known::Lines<'a> {
        known::Lines::new(self.bytes, self.feeds, self.before)
    }
}

/// What a text is made of.
#[derive(Debug, Clone, Copy)]
enum Form {
    /// Bytes as they stand.
    Plain,
    /// UTF-16, and the byte or the first half of a character that waits for the rest.
    Wide(Unit),
}

/// A search through a text that comes piece by piece.
#[derive(Debug)]
pub struct TextSearch {
    role: Role,
    window_bytes: usize,
    margin: usize,
    form: Option<Form>,
    /// Bytes of UTF-16 that are no whole character yet.
    waiting: Vec<u8>,
    window: Vec<u8>,
    /// Where the part begins that was not told yet.
    untold: usize,
    /// Bytes that were looked at with the last window.
    seen: usize,
    /// Of the window.
    begins: usize,
    feeds: u64,
    before: u64,
    is_data: bool,
    secrets: secrets::Search,
    user: user::Search,
    known_wide: known::Search,
    known_parts: Vec<SecretFact>,
}

impl TextSearch {
    /// A search through a text that is read in this role.
    pub fn new(role: Role) -> Self {
        Self::with_sizes(role, WINDOW, MARGIN)
    }

    fn with_sizes(role: Role, window_bytes: usize, margin: usize) -> Self {
        Self {
            role,
            window_bytes,
            margin,
            form: None,
            waiting: Vec::new(),
            window: Vec::new(),
            untold: 0,
            seen: 0,
            begins: 0,
            feeds: 0,
            before: 0,
            is_data: false,
            secrets: secrets::Search::default(),
            user: user::Search::default(),
            known_wide: known::Search::default(),
            known_parts: Vec::new(),
        }
    }

    /// Takes the next piece of the text. The first must hold its first bytes, some hundred if there are as many.
    pub fn feed(&mut self, inspector: &Inspector, piece: &[u8]) {
        if inspector.is_off || piece.is_empty() {
            return;
        }
        let form = *self
            .form
            .get_or_insert_with(|| match written::utf16_unit(piece) {
                Some(unit) => Form::Wide(unit),
                None => Form::Plain,
            });
        match form {
            Form::Plain => self.window.extend_from_slice(piece),
            Form::Wide(unit) => self.widen(unit, piece),
        }
        if self.window.len() >= self.window_bytes {
            self.look(inspector, false);
        }
    }

    /// Adds the text of UTF-16, up to the last whole character.
    fn widen(&mut self, unit: Unit, piece: &[u8]) {
        self.waiting.extend_from_slice(piece);
        let (units, _) = self.waiting.as_chunks::<2>();
        // The first half of a character waits for the second.
        let is_half = |last: &[u8; 2]| (0xD800..0xDC00).contains(&unit(*last));
        let whole = units.len() - usize::from(units.last().is_some_and(is_half));
        let is_first = self.begins == 0 && self.window.is_empty();
        let units = units[..whole].iter().map(|&two| unit(two));
        let text = match is_first {
            true => written::utf16_text(units),
            false => written::utf16_text_on(units),
        };
        self.window.extend_from_slice(text.as_bytes());
        self.waiting.drain(..whole * 2);
    }

    /// Looks through the window, and leaves behind what no later one needs.
    fn look(&mut self, inspector: &Inspector, is_last: bool) {
        let len = self.window.len();
        let is_whole = is_last && self.begins == 0 && self.untold == 0;
        if self.begins == 0 {
            self.is_data = written::begins_as_data(&self.window);
        }
        let until = match is_last {
            true => len,
            false => len.saturating_sub(self.margin).max(self.untold),
        };
        let view = View {
            bytes: &self.window,
            own: self.untold..until,
            begins: self.begins,
            feeds: self.feeds,
            before: self.before,
            role: self.role,
            may_be_settings: match is_whole {
                true => written::may_be_settings(&self.window),
                false => self.is_data,
            },
            is_whole,
        };
        let case_key = inspector.case_key.as_ref();
        self.secrets.look(&view);
        if let Some(rules) = &inspector.user {
            self.user.look(rules, &view, case_key);
        }
        if let Some(set) = &inspector.known {
            let facts = set.facts_in_parts(&view, case_key);
            self.known_parts.extend(facts);
            if let Some(Form::Wide(_)) = self.form {
                self.known_wide.look(set, &self.window, self.seen, case_key);
            }
        }
        let done = until.saturating_sub(self.margin);
        let (left, kept) = self.window.split_at(done);
        self.known_wide.leave(left);
        self.feeds += memchr::memchr_iter(b'\n', left).count() as u64;
        self.before = match memchr::memrchr(b'\n', left) {
            Some(feed) => (left.len() - feed - 1) as u64,
            None => self.before + left.len() as u64,
        };
        self.untold = until - done;
        self.seen = kept.len();
        self.begins += done;
        self.window.drain(..done);
    }

    /// What was found, in order.
    pub fn finish(mut self, inspector: &Inspector) -> Vec<SecretFact> {
        if inspector.is_off {
            return Vec::new();
        }
        if let Some(Form::Wide(unit)) = self.form {
            // What waited for a second half waits no longer.
            let (units, _) = self.waiting.as_chunks::<2>();
            let rest = written::utf16_text_on(units.iter().map(|&two| unit(two)));
            self.window.extend_from_slice(rest.as_bytes());
        }
        self.look(inspector, true);
        let found = self.secrets.finish().into_iter();
        let mut facts: Vec<SecretFact> = found.map(|one| inspector.sealed(one)).collect();
        if let Some(rules) = &inspector.user {
            facts.extend(self.user.finish(rules));
        }
        let mut known = self.known_wide.finish();
        known.extend(self.known_parts);
        if let Some(Form::Wide(_)) = self.form {
            for fact in &mut facts {
                fact.written.get_or_insert(Written::Utf16);
            }
            for fact in &mut known {
                fact.written = Some(Written::Utf16);
            }
        }
        facts.extend(known);
        facts.sort_by_key(|fact| (fact.line, fact.column));
        facts
    }
}

#[cfg(test)]
mod tests;
