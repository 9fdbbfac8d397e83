//! Numbers and names at places of hostile bytes. Each reader gives `None` where the bytes are not there, and nothing is
//! taken as long as it says it is.

use super::super::shown;

/// Bytes that are read from front to end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn at(bytes: &'a [u8], at: usize) -> Option<Self> {
        (at <= bytes.len()).then_some(Self { bytes, at })
    }

    /// Bytes read so far.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(len)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    pub(super) fn skip(&mut self, len: u64) -> Option<()> {
        self.take(usize::try_from(len).ok()?).map(|_| ())
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(super) fn u16_le(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.array()?))
    }

    pub(super) fn u32_le(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn u64_le(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.array()?))
    }

    pub(super) fn u16_be(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.array()?))
    }

    pub(super) fn u32_be(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.array()?))
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    /// An unsigned number of groups of seven bits, the lowest first: LEB128, and a varint of protocol buffers.
    pub(super) fn leb128(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// Bytes up to a NUL, which is read too.
    pub(super) fn c_string(&mut self) -> Option<&'a [u8]> {
        let len = memchr::memchr(0, self.rest())?;
        let text = self.take(len)?;
        self.at += 1;
        Some(text)
    }
}

/// `1,024 rows`, `1 row`, `2 entries`, `2 classes`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    let number = grouped(count);
    if count == 1 {
        return format!("1 {noun}");
    }
    match noun.strip_suffix('y') {
        Some(stem) => format!("{number} {stem}ies"),
        None if noun.ends_with('s') => format!("{number} {noun}es"),
        None => format!("{number} {noun}s"),
    }
}

/// Digits in groups of three.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Names that are listed before the rest is only counted.
const LISTED_MAX: usize = 8;
/// A longer name is cut, in characters.
const NAME_CHARS: usize = 60;

/// `a, b, c and 12 more`, each quoted safely.
pub(super) fn listed<N: AsRef<[u8]>>(names: &[N]) -> String {
    let some: Vec<String> = names.iter().take(LISTED_MAX).map(short).collect();
    let mut text = some.join(", ");
    if names.len() > LISTED_MAX {
        text.push_str(&format!(
            " and {} more",
            grouped((names.len() - LISTED_MAX) as u64)
        ));
    }
    text
}

/// A name, quoted safely and cut.
pub(super) fn short<N: AsRef<[u8]>>(name: N) -> String {
    let safe = shown(name.as_ref());
    match safe.char_indices().nth(NAME_CHARS) {
        Some((end, _)) => format!("{}…", &safe[..end]),
        None => safe,
    }
}

/// The first bytes, at most so many.
pub(super) fn head(bytes: &[u8], len: usize) -> &[u8] {
    &bytes[..bytes.len().min(len)]
}

/// The last bytes, at most so many.
pub(super) fn tail(bytes: &[u8], len: usize) -> &[u8] {
    &bytes[bytes.len().saturating_sub(len)..]
}

/// Whether a word stands in the bytes.
pub(super) fn has(bytes: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find(bytes, word).is_some()
}

/// Bytes behind a byte-order mark and white space.
pub(super) fn text_start(bytes: &[u8]) -> &[u8] {
    bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(bytes)
        .trim_ascii_start()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_only_where_they_are() {
        let mut reader = Reader::new(b"\x01\x02\x03\x04\xe5\x8e\x26name\0x");
        assert_eq!(reader.u32_le(), Some(0x0403_0201));
        // LEB128's own example (DWARF 5, figure 22).
        assert_eq!(reader.leb128(), Some(624_485));
        assert_eq!(reader.c_string(), Some(&b"name"[..]));
        assert_eq!((reader.u16_le(), reader.position()), (None, 12));
        assert_eq!((reader.skip(u64::MAX), reader.rest()), (None, &b"x"[..]));
        assert_eq!(Reader::new(&[0xff; 20]).leb128(), None);
        assert_eq!(Reader::new(b"\x80").leb128(), None);
        assert!(Reader::at(b"ab", 3).is_none());
    }

    #[test]
    fn lists_are_short_and_inert() {
        assert_eq!(listed(&["a", "b\x1b"]), "a, b\\u{1b}");
        assert_eq!(
            listed(&["x"; 1_010]),
            format!("{}x and 1,002 more", "x, ".repeat(7))
        );
        assert_eq!(counted(1, "row"), "1 row");
        assert_eq!(counted(0, "entry"), "0 entries");
        assert_eq!(counted(2, "class"), "2 classes");
        assert_eq!(counted(1_234_567, "row"), "1,234,567 rows");
        assert_eq!(short("é".repeat(100)).chars().count(), NAME_CHARS + 1);
    }
}
