//! Messages of protocol buffers, field after field, without a schema.
//!
//! Source: the encoding guide of protocol buffers. Groups, which nothing has written for many years, end a message.

use super::read::Reader;

/// One field of a message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    Number(u64),
    Four([u8; 4]),
    Eight,
    /// A string, bytes, a message or packed numbers, as far as they are there, and how long they are said to be.
    Bytes(&'a [u8], u64),
}

/// The fields of a message, in their order; ends at what is none.
pub(super) struct Fields<'a> {
    reader: Reader<'a>,
    /// The message ended in a field whose rest is not there.
    pub(super) is_cut: bool,
}

impl<'a> Fields<'a> {
    pub(super) fn of(message: &'a [u8]) -> Self {
        Self {
            reader: Reader::new(message),
            is_cut: false,
        }
    }

    /// All of the message was fields.
    pub(super) fn is_at_end(&self) -> bool {
        self.reader.rest().is_empty()
    }

    fn read(&mut self) -> Option<(u64, Value<'a>)> {
        let tag = self.reader.leb128()?;
        let value = match tag & 7 {
            0 => Value::Number(self.reader.leb128()?),
            1 => self.reader.take(8).map(|_| Value::Eight)?,
            2 => {
                let len = self.reader.leb128()?;
                let there = self.reader.rest().len() as u64;
                self.is_cut |= len > there;
                let taken = self.reader.take(len.min(there) as usize)?;
                Value::Bytes(taken, len)
            }
            5 => Value::Four(self.reader.take(4)?.try_into().ok()?),
            _ => return None,
        };
        (tag >> 3 != 0).then_some((tag >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let before = self.reader;
        let read = self.read();
        if read.is_none() {
            self.reader = before;
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_to_where_they_end() {
        // The guide's own examples: field 1 is 150, field 2 is "testing".
        let mut fields = Fields::of(b"\x08\x96\x01\x12\x07testing");
        assert_eq!(fields.next(), Some((1, Value::Number(150))));
        assert_eq!(fields.next(), Some((2, Value::Bytes(b"testing", 7))));
        assert_eq!(fields.next(), None);
        assert!(fields.is_at_end() && !fields.is_cut);

        let mut fields = Fields::of(b"\x12\x7ftest");
        assert_eq!(fields.next(), Some((2, Value::Bytes(b"test", 127))));
        assert!(fields.is_cut);
        let mut fields = Fields::of(b"\x0bxx");
        assert!(fields.next().is_none() && !fields.is_at_end());
    }
}
