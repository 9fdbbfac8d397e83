//! A set of words that is built by the compiler and asked in a few nanoseconds.
//!
//! Every second token of a program is a word, and each has to be held against the words of its language. So the sets are
//! open hash tables of fixed size, filled at compile time: a word that is not in the set mostly meets an empty slot and
//! is not compared at all.

/// Slots of a table: a power of two, more than twice as many as the largest list has words.
const SLOTS: usize = 1_024;

/// A set of words, each with a number.
pub(super) struct Words {
    list: &'static [&'static str],
    /// Place in the list plus one; 0 is an empty slot.
    slots: [u16; SLOTS],
    longest: usize,
}

impl Words {
    /// The set of these words; the number of each is its place in the list.
    pub(super) const fn new(list: &'static [&'static str]) -> Self {
        assert!(list.len() * 2 < SLOTS, "the table would be too full");
        let mut words = Words {
            list,
            slots: [0; SLOTS],
            longest: 0,
        };
        let mut index = 0;
        while index < list.len() {
            let word = list[index].as_bytes();
            assert!(!word.is_empty(), "a word has letters");
            let mut slot = slot_of(word);
            while words.slots[slot] != 0 {
                slot = (slot + 1) % SLOTS;
            }
            words.slots[slot] = index as u16 + 1;
            if word.len() > words.longest {
                words.longest = word.len();
            }
            index += 1;
        }
        words
    }

    /// The number of a word; `None` where it is not in the set.
    #[inline]
    pub(super) fn number(&self, word: &[u8]) -> Option<usize> {
        if word.is_empty() || word.len() > self.longest {
            return None;
        }
        let mut slot = slot_of(word);
        loop {
            let number = usize::from(self.slots[slot]).checked_sub(1)?;
            if self.list[number].as_bytes() == word {
                return Some(number);
            }
            slot = (slot + 1) % SLOTS;
        }
    }

    /// Whether a word is in the set.
    #[inline]
    pub(super) fn contain(&self, word: &[u8]) -> bool {
        self.number(word).is_some()
    }
}

/// Where a word is looked for first: by its length and three of its bytes, which is enough to keep languages' words apart.
#[inline]
const fn slot_of(word: &[u8]) -> usize {
    let len = word.len();
    let (first, middle, last) = (
        word[0] as usize,
        word[len / 2] as usize,
        word[len - 1] as usize,
    );
    (first.wrapping_mul(37)
        ^ middle.wrapping_mul(5)
        ^ last.wrapping_mul(263)
        ^ len.wrapping_mul(59))
        % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    static SET: Words = Words::new(&["if", "else", "elif", "fi", "é"]);

    #[test]
    fn words_have_their_place_in_the_list() {
        for (place, word) in ["if", "else", "elif", "fi", "é"].iter().enumerate() {
            assert_eq!(SET.number(word.as_bytes()), Some(place));
        }
        for other in ["", "i", "iff", "esle", "If", "elseelseelse"] {
            assert!(!SET.contain(other.as_bytes()), "{other}");
        }
    }
}
