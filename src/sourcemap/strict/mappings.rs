//! The `mappings` of one map, held against the grammar and the ranges of the standard (ECMA-426, "Mappings
//! structure").
//!
//! The standard parses first and decodes second: where the text does not fit the grammar, nothing is decoded, and no
//! range is looked at. One pass does both here, and forgets what it said of ranges once the grammar turns out to be
//! broken; from then on it looks at the grammar only, since each number counts from the one before it.
//!
//! Numbers are added up without a bound, as the standard does: only each single VLQ has to fit 32 bits. A text of
//! less than 2³² bytes cannot overflow the 64 bits that they are kept in.

use std::fmt;

use super::super::spread::Spread;
use super::super::vlq::{self, Bad};

/// What is wrong with a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A byte that is neither a base64 digit nor a separator.
    BadCharacter(u8),
    /// A VLQ that says it goes on, and does not.
    Unterminated,
    /// No field at all: a comma with nothing before or behind it.
    Empty,
    /// Two, three, or more than five fields.
    Fields(u64),
    /// A VLQ of more than 32 bits.
    TooLarge,
    /// The generated column falls below 0.
    GeneratedColumn(i64),
    /// The index into `sources` falls below 0, or names none.
    Source(i64),
    /// The original line falls below 0.
    OriginalLine(i64),
    /// The original column falls below 0.
    OriginalColumn(i64),
    /// The index into `names` falls below 0, or names none.
    Name(i64),
}

impl Fault {
    /// Whether it breaks the grammar, so that the standard decodes nothing at all.
    pub fn is_grammar(self) -> bool {
        matches!(
            self,
            Fault::BadCharacter(_) | Fault::Unterminated | Fault::Empty | Fault::Fields(_)
        )
    }
}

/// A place in generated code, both from 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: i64,
}

/// A fault and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub fault: Fault,
    /// Offset into the text of the segment, or of the byte that is at fault.
    pub at: usize,
    /// The generated line, from 0.
    pub line: u64,
    /// Offset of the segment.
    pub segment: usize,
}

impl Found {
    /// The number of the segment in its line, from 1. Looked up only for faults that are told.
    pub fn ordinal(&self, text: &[u8]) -> usize {
        let before = text.get(..self.segment).unwrap_or_default();
        let line = memchr::memrchr(b';', before).map_or(0, |semicolon| semicolon + 1);
        let line = before.get(line..).unwrap_or_default();
        1 + memchr::memchr_iter(b',', line).count()
    }
}

/// A byte as it may be shown.
pub(super) struct Shown(pub u8);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            byte @ 0x21..=0x7E => write!(f, "'{}'", char::from(byte)),
            byte => write!(f, "0x{byte:02x}"),
        }
    }
}

/// What holds of a text of mappings as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The text is no `MappingsField`: the standard takes it for one without any mapping.
    pub broken: bool,
    /// The greatest generated position that has a mapping.
    pub last: Option<Position>,
    /// How much of the generated code comes from a source.
    pub spread: Spread,
}

#[derive(Default)]
struct State {
    line: u64,
    column: i64,
    source: i64,
    original_line: i64,
    original_column: i64,
    name: i64,
    /// The greatest column of this line that has a mapping; below 0 where none has.
    greatest: i64,
    /// Whether the last segment points into a source.
    is_mapped: bool,
    /// The column of the one before it in this line, and whether that points into a source.
    begun: i64,
    is_open: bool,
}

impl State {
    /// Adds what lies between the last two segments to the spread.
    #[inline(always)]
    fn span(&mut self, spread: &mut Spread) {
        if self.column < self.begun {
            spread.give_up();
        }
        if self.is_open {
            spread.add_inside(self.column.abs_diff(self.begun));
        }
        self.begun = self.column;
        self.is_open = self.is_mapped;
    }
}

/// A place in a source that a segment without fault points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapped {
    /// Index into the sources.
    pub source: i64,
    /// The line, from 0.
    pub line: i64,
    /// The column, from 0.
    pub column: i64,
    /// Index into the names, where the segment has one.
    pub name: Option<i64>,
}

/// Checks a text, for a map with so many sources and names, and tells each fault in the order of the text. Shows
/// each segment without fault that points into a source.
///
/// Where [`Outcome::broken`] comes back, what was told about ranges is void.
pub fn check(
    text: &[u8],
    sources: usize,
    names: usize,
    mut show: impl FnMut(Mapped),
    mut tell: impl FnMut(Found),
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut state = State {
        greatest: -1,
        ..State::default()
    };
    let (sources, names) = (sources as u64, names as u64);
    let mut at = 0;
    loop {
        // At the beginning of a line.
        if text.get(at) == Some(&b';') {
            state.line += 1;
            at += 1;
            continue;
        }
        if at >= text.len() {
            return outcome;
        }
        state.column = 0;
        state.greatest = -1;
        (state.begun, state.is_open) = (0, false);
        loop {
            // At the beginning of a segment.
            let segment = at;
            let end = match fields(text, at, &mut state, sources, names, &mut show) {
                Some(end) if !outcome.broken => {
                    state.span(&mut outcome.spread);
                    end
                }
                _ => {
                    outcome.spread.give_up();
                    slow(
                        text,
                        segment,
                        &mut state,
                        sources,
                        names,
                        &mut outcome,
                        &mut tell,
                    )
                }
            };
            at = end + 1;
            match text.get(end) {
                Some(b',') => {}
                Some(b';') => break,
                _ => {
                    outcome.close_line(&state);
                    return outcome;
                }
            }
        }
        outcome.close_line(&state);
        state.line += 1;
    }
}

impl Outcome {
    fn close_line(&mut self, state: &State) {
        if state.is_open {
            self.spread.add_tail(state.line, state.begun.unsigned_abs());
        }
        if self.broken {
            self.last = None;
        } else if state.greatest >= 0 {
            self.last = Some(Position {
                line: state.line,
                column: state.greatest,
            });
        }
    }
}

#[inline(always)]
fn ends(text: &[u8], at: usize) -> bool {
    matches!(text.get(at), None | Some(b',' | b';'))
}

/// Decodes one segment that is as it should be, and gives the offset behind it. Else gives `None` and leaves the
/// state as it was.
#[inline(always)]
fn fields(
    text: &[u8],
    at: usize,
    state: &mut State,
    sources: u64,
    names: u64,
    show: &mut impl FnMut(Mapped),
) -> Option<usize> {
    let (delta, at) = vlq::decode(text, at)?;
    let column = state.column + delta;
    if column < 0 {
        return None;
    }
    if ends(text, at) {
        state.column = column;
        state.is_mapped = false;
        state.greatest = state.greatest.max(column);
        return Some(at);
    }
    let (delta, at) = vlq::decode(text, at)?;
    let source = state.source + delta;
    let (delta, at) = vlq::decode(text, at)?;
    let original_line = state.original_line + delta;
    let (delta, at) = vlq::decode(text, at)?;
    let original_column = state.original_column + delta;
    // A negative number is a very large one without its sign.
    if source as u64 >= sources || (original_line | original_column) < 0 {
        return None;
    }
    let mut end = at;
    let mut named = None;
    if !ends(text, at) {
        let (delta, at) = vlq::decode(text, at)?;
        let name = state.name + delta;
        if name as u64 >= names || !ends(text, at) {
            return None;
        }
        state.name = name;
        named = Some(name);
        end = at;
    }
    show(Mapped {
        source,
        line: original_line,
        column: original_column,
        name: named,
    });
    state.column = column;
    state.is_mapped = true;
    state.greatest = state.greatest.max(column);
    state.source = source;
    state.original_line = original_line;
    state.original_column = original_column;
    Some(end)
}

/// Finds out what is wrong with a segment, tells it, does to the state what the standard does, and gives the offset of
/// the separator behind the segment.
#[cold]
fn slow(
    text: &[u8],
    segment: usize,
    state: &mut State,
    sources: u64,
    names: u64,
    outcome: &mut Outcome,
    tell: &mut impl FnMut(Found),
) -> usize {
    let rest = text.get(segment..).unwrap_or_default();
    let end = segment + memchr::memchr2(b',', b';', rest).unwrap_or(rest.len());
    let body = text.get(..end).unwrap_or_default();
    let mut tell = |fault, at| {
        tell(Found {
            fault,
            at,
            line: state.line,
            segment,
        });
    };
    if let Some((fault, at)) = grammar(body, segment) {
        outcome.broken = true;
        tell(fault, at);
        return end;
    }
    if outcome.broken {
        return end;
    }
    let mut at = segment;
    let mut next = |sum: &mut i64| match vlq::decode(body, at) {
        Some((delta, behind)) => {
            *sum += delta;
            at = behind;
            true
        }
        None => false,
    };
    // The standard throws at the first number that is too large: nothing behind it is decoded any more, and the
    // numbers that follow would count from one that nobody knows. Going on from the old ones tells what else is wrong.
    macro_rules! add {
        ($field:ident) => {
            if !next(&mut state.$field) {
                tell(Fault::TooLarge, segment);
                return end;
            }
        };
    }
    add!(column);
    if state.column < 0 {
        // The standard leaves the segment here, without looking at its other fields.
        tell(Fault::GeneratedColumn(state.column), segment);
        return end;
    }
    state.greatest = state.greatest.max(state.column);
    let count = body.get(segment..).map_or(0, field_count);
    if count == 1 {
        return end;
    }
    add!(source);
    add!(original_line);
    add!(original_column);
    if state.source as u64 >= sources {
        tell(Fault::Source(state.source), segment);
    }
    if state.original_line < 0 {
        tell(Fault::OriginalLine(state.original_line), segment);
    }
    if state.original_column < 0 {
        tell(Fault::OriginalColumn(state.original_column), segment);
    }
    if count == 5 {
        add!(name);
        if state.name as u64 >= names {
            tell(Fault::Name(state.name), segment);
        }
    }
    end
}

/// How many VLQs there are, where nothing but whole ones is.
fn field_count(segment: &[u8]) -> u64 {
    segment.iter().filter(|byte| vlq::is_last(**byte)).count() as u64
}

/// What breaks the grammar in the segment from `start` to the end of the text, and where.
fn grammar(text: &[u8], start: usize) -> Option<(Fault, usize)> {
    let mut at = start;
    loop {
        match vlq::diagnose(text, at) {
            None => at = vlq::decode(text, at).map_or(text.len(), |(_, end)| end),
            Some(Bad::TooLarge(end)) => at = end,
            Some(Bad::Unterminated) => {
                let rest = text.get(at..).unwrap_or_default();
                let stray = rest.iter().position(|byte| !vlq::is_digit(*byte));
                return Some(match stray {
                    Some(stray) => (Fault::BadCharacter(rest[stray]), at + stray),
                    None => (Fault::Unterminated, at),
                });
            }
            Some(Bad::NoDigit) => match text.get(at) {
                Some(byte) => return Some((Fault::BadCharacter(*byte), at)),
                None if at == start => return Some((Fault::Empty, start)),
                None => break,
            },
        }
    }
    let count = field_count(text.get(start..).unwrap_or_default());
    (!matches!(count, 1 | 4 | 5)).then_some((Fault::Fields(count), start))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn faults(text: &str) -> Vec<(Fault, usize)> {
        let mut found = Vec::new();
        check(
            text.as_bytes(),
            2,
            1,
            |_| {},
            |one| found.push((one.fault, one.at)),
        );
        found
    }

    #[test]
    fn each_fault_is_told_with_its_place() {
        assert_eq!(faults(""), []);
        assert_eq!(faults(";;;"), []);
        assert_eq!(faults("A,AACA;;AADEA"), []);
        assert_eq!(faults("AA"), [(Fault::Fields(2), 0)]);
        assert_eq!(faults("A;A,AAA"), [(Fault::Fields(3), 4)]);
        assert_eq!(faults("AAAAAA"), [(Fault::Fields(6), 0)]);
        assert_eq!(faults(",A,;"), [(Fault::Empty, 0), (Fault::Empty, 3)]);
        assert_eq!(faults("A!A"), [(Fault::BadCharacter(b'!'), 1)]);
        assert_eq!(
            faults("Ag,g!"),
            [(Fault::Unterminated, 1), (Fault::BadCharacter(b'!'), 4)]
        );
        assert_eq!(faults("ggggggE"), [(Fault::TooLarge, 0)]);
        assert_eq!(faults("D"), [(Fault::GeneratedColumn(-1), 0)]);
        assert_eq!(
            faults("B"),
            [(Fault::GeneratedColumn(i64::from(i32::MIN)), 0)]
        );
        assert_eq!(faults("ADAA"), [(Fault::Source(-1), 0)]);
        assert_eq!(faults("AADA"), [(Fault::OriginalLine(-1), 0)]);
        assert_eq!(faults("AAAD"), [(Fault::OriginalColumn(-1), 0)]);
        assert_eq!(faults("AAAAD"), [(Fault::Name(-1), 0)]);
        assert_eq!(faults("AAAAC"), [(Fault::Name(1), 0)]);
        assert_eq!(faults("AEDDC").len(), 4);
    }

    #[test]
    fn numbers_are_relative_and_the_column_starts_anew_on_each_line() {
        assert_eq!(faults("KAAA,DAAA;KAAA"), []);
        assert_eq!(faults("KAAA;DAAA"), [(Fault::GeneratedColumn(-1), 5)]);
        assert_eq!(faults("AACA,AACA"), []);
        assert_eq!(faults("ACAA,ADAA"), []);
        assert_eq!(faults("ACAA;ACAA"), [(Fault::Source(2), 5)]);
    }

    #[test]
    fn the_last_position_is_the_greatest_not_the_last_written() {
        let last = |text: &str| check(text.as_bytes(), 1, 0, |_| {}, |_| {}).last;
        assert_eq!(last(""), None);
        assert_eq!(last("A"), Some(Position { line: 0, column: 0 }));
        assert_eq!(last(";K,D;"), Some(Position { line: 1, column: 5 }));
        assert_eq!(last(";K;;,"), None, "a broken text has no mappings");
        // A segment before column 0 is none; one with a source that does not exist is.
        assert_eq!(last("K;D"), Some(Position { line: 0, column: 5 }));
        assert_eq!(last("K;CCAA"), Some(Position { line: 1, column: 1 }));
    }

    #[test]
    fn segments_are_numbered_within_their_line() {
        let text = b"A,A;A,A,ACAA";
        let mut found = Vec::new();
        check(text, 1, 0, |_| {}, |one| found.push(one));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].line, found[0].ordinal(text)), (1, 3));
    }

    /// The standard's algorithm, step by step and slow.
    fn by_the_book(text: &str, sources: i64, names: i64) -> (bool, bool) {
        let mut lines = Vec::new();
        for line in text.split(';') {
            let mut segments = Vec::new();
            for segment in line.split(',').filter(|_| !line.is_empty()) {
                let (mut fields, mut digits) = (Vec::new(), Vec::new());
                for byte in segment.bytes() {
                    let Some(value) = (0..64).find(|value| base64_digit(*value) == byte) else {
                        return (false, false);
                    };
                    digits.push(value % 32);
                    if value < 32 {
                        fields.push(std::mem::take(&mut digits));
                    }
                }
                if !digits.is_empty() || ![1, 4, 5].contains(&fields.len()) {
                    return (false, false);
                }
                segments.push(fields);
            }
            lines.push(segments);
        }
        let mut good = true;
        let mut state = [0_i64; 5];
        for line in lines {
            state[0] = 0;
            for fields in line {
                for (index, digits) in fields.iter().enumerate() {
                    let unsigned = digits.iter().rev().fold(0_u128, |sum, digit| {
                        sum.saturating_mul(32) + u128::from(*digit)
                    });
                    let (magnitude, minus) = (unsigned / 2, unsigned % 2 == 1);
                    if magnitude >= 1 << 31 {
                        return (true, false);
                    }
                    state[index] += match (magnitude as i64, minus) {
                        (0, true) => i64::from(i32::MIN),
                        (value, true) => -value,
                        (value, false) => value,
                    };
                    if index == 0 && state[0] < 0 {
                        good = false;
                        break;
                    }
                    good &= state[index] >= 0;
                    good &= index != 1 || state[1] < sources;
                    good &= index != 4 || state[4] < names;
                }
            }
        }
        (true, good)
    }

    fn base64_digit(value: u8) -> u8 {
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[usize::from(value)]
    }

    proptest! {
        #[test]
        fn the_verdict_is_the_books(text in "[ACDEFgi/B,;]{0,40}|(([ACE]|[ACE]A[ACD][ACD]|[ACE]A[ACD][ACD]A)[,;]){0,8}A|[AC-Za,; é-]{0,12}") {
            let (parses, decodes) = by_the_book(&text, 2, 1);
            let mut found = Vec::new();
            let outcome = check(text.as_bytes(), 2, 1, |_| {}, |one| found.push(one.fault));
            prop_assert_eq!(outcome.broken, !parses, "{:?}", found);
            prop_assert_eq!(found.is_empty(), decodes, "{:?}", found);
            prop_assert_eq!(found.iter().any(|fault| fault.is_grammar()), !parses);
        }

        #[test]
        fn any_bytes_get_a_verdict(text in prop::collection::vec(any::<u8>(), 0..60), sources in 0_usize..3) {
            let mut count = 0;
            let outcome = check(&text, sources, 1, |_| {}, |found| {
                count += 1;
                assert!(found.at <= text.len());
                assert!(found.ordinal(&text) >= 1);
            });
            prop_assert!(!outcome.broken || count > 0);
        }
    }
}
