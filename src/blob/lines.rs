//! Lines of a text, counted as editors do: line feeds, and a last line that has none.

/// Lines of a text.
pub fn count_lines(bytes: &[u8]) -> u64 {
    let mut counter = LineCounter::default();
    counter.update(bytes);
    counter.count()
}

/// Counts lines as [`count_lines`] does, piece by piece.
#[derive(Debug, Default)]
pub struct LineCounter {
    feeds: u64,
    is_open: bool,
}

impl LineCounter {
    /// Takes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.feeds += memchr::memchr_iter(b'\n', bytes).count() as u64;
        self.is_open = bytes.last().map_or(self.is_open, |&byte| byte != b'\n');
    }

    /// Line feeds in what was taken so far.
    pub fn feeds(&self) -> u64 {
        self.feeds
    }

    /// Lines of what was taken so far.
    pub fn count(&self) -> u64 {
        self.feeds + u64::from(self.is_open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_as_editors_do() {
        assert_eq!(count_lines(b""), 0);
        assert_eq!(count_lines(b"a"), 1);
        assert_eq!(count_lines(b"a\n"), 1);
        assert_eq!(count_lines(b"a\n\nb"), 3);
    }

    #[test]
    fn pieces_count_as_the_whole() {
        let mut counter = LineCounter::default();
        for piece in [&b"a\nb"[..], b"", b"c\n", b"d"] {
            counter.update(piece);
        }
        assert_eq!(counter.count(), count_lines(b"a\nbc\nd"));
    }
}
