//! Limits: what keeps a hostile input from being read for ever.
//!
//! A limit that changes what is read must be deterministic, so it counts bytes, entries and levels, never
//! seconds, and it never depends on how many threads run. Memory is different: it decides whether content is
//! held or streamed, and never what is read.

use std::collections::BTreeMap;

/// Which decoders undo deflate, zstd and LZMA.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Decoders {
    /// The fastest there are, which are C.
    #[default]
    Fast,
    /// Memory-safe ones.
    Safe,
}

impl Decoders {
    /// The word for them in `run` records.
    pub fn name(self) -> &'static str {
        match self {
            Decoders::Fast => "fast",
            Decoders::Safe => "safe",
        }
    }
}

/// Limits of one scan. The defaults are generous; hitting one is loud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Levels of containers within containers.
    pub depth: u32,
    /// Members of one container, and of one unit.
    pub entries: u64,
    /// Bytes that one container, and one unit, may unfold to.
    pub bytes: u64,
    /// Bytes out for each byte in, judged once a container has given [`Limits::RATIO_GRACE`] bytes.
    pub ratio: u64,
    /// Bytes of memory that content may take.
    pub memory: u64,
    /// Bytes that the containers round a place take of [`Limits::hold`].
    pub above: u64,
    /// How compressed content is undone. Changes nothing of what is read where that is whole.
    pub decoders: Decoders,
}

impl Limits {
    /// Bytes that a container may give before its ratio is looked at: small files compress absurdly well.
    pub const RATIO_GRACE: u64 = 256 << 20;
    /// What a member counts in a ratio beside its bytes: an account of it, and rows at each of its places.
    pub const MEMBER_COST: u64 = 512;
    /// What a decoder may always look back on: what the default settings of compressors need, and RFC 8878 (3.1.1.1.2)
    /// and RFC 7932 (9.1) ask of every decoder.
    pub const WINDOW_MIN: u64 = 16 << 20;
    /// The deepest nesting that may be asked for: walking the facts of a container uses one stack frame a level.
    pub const MAX_DEPTH: u32 = 200;

    /// Largest content that is held in memory as a whole; what is larger is streamed.
    pub fn hold(&self) -> u64 {
        (self.memory / 2).saturating_sub(self.above)
    }

    /// The limits of a place in containers that take `above` bytes: each is held while what is in it is read, so they
    /// share what one may take.
    #[must_use]
    pub fn within(&self, above: u64) -> Self {
        Self {
            above,
            ..self.clone()
        }
    }

    /// Bytes that the decoder of one stream may take for what it looks back on.
    pub fn window(&self) -> u64 {
        self.hold().max(Self::WINDOW_MIN)
    }

    /// Whether a container of `input` bytes gives too much for its size: containers within containers can hold more
    /// members than anybody has memory for, in a few kilobytes.
    pub fn is_bomb(&self, members: u64, bytes: u64, input: u64) -> bool {
        let out = bytes.saturating_add(members.saturating_mul(Self::MEMBER_COST));
        out > Self::RATIO_GRACE && out / input.max(1) > self.ratio
    }

    /// The limits that change what is read, by name, as the `run` record carries them.
    pub fn by_name(&self) -> BTreeMap<String, u64> {
        BTreeMap::from([
            ("depth".to_owned(), u64::from(self.depth)),
            ("entries".to_owned(), self.entries),
            ("bytes".to_owned(), self.bytes),
            ("ratio".to_owned(), self.ratio),
            ("hold".to_owned(), self.hold()),
        ])
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 16,
            entries: 50_000_000,
            bytes: 64 << 30,
            ratio: 2_000,
            memory: 1 << 30,
            above: 0,
            decoders: Decoders::default(),
        }
    }
}

/// Counts what one container has given, and says when a limit is hit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Meter {
    /// Members so far.
    pub entries: u64,
    /// Bytes of members so far.
    pub bytes: u64,
}

impl Meter {
    /// Charges one member of `bytes` bytes from a container of `input` bytes.
    ///
    /// Returns the code of the limit that is now exceeded, if any.
    pub fn charge(&mut self, bytes: u64, input: u64, limits: &Limits) -> Option<&'static str> {
        self.entries += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.entries > limits.entries {
            Some("entries-limit")
        } else if self.bytes > limits.bytes {
            Some("bytes-limit")
        } else if limits.is_bomb(self.entries, self.bytes, input) {
            Some("ratio-limit")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_is_hit_by_its_own_excess() {
        let limits = Limits {
            entries: 2,
            bytes: 1_000,
            ..Limits::default()
        };
        let mut meter = Meter::default();
        assert_eq!(meter.charge(1, 10, &limits), None);
        assert_eq!(meter.charge(1, 10, &limits), None);
        assert_eq!(meter.charge(1, 10, &limits), Some("entries-limit"));
        assert_eq!(
            Meter::default().charge(1_001, 10, &limits),
            Some("bytes-limit")
        );
        assert_eq!(
            Meter::default().charge(300 << 20, 1, &Limits::default()),
            Some("ratio-limit")
        );
        assert_eq!(
            Meter::default().charge(200 << 20, 1, &Limits::default()),
            None
        );
    }
}
