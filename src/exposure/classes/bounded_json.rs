//! JSON that is read as a tree, without taking more memory than its text is worth.
//!
//! A tree is larger than its text: two bytes of a list (`0,`) make a value of some thirty, seven bytes of an object
//! (`{"":0},`) a table of hundreds, so that eight megabytes that somebody made for it take most of a gigabyte. Settings,
//! states and recordings are far from that. So the reader keeps an account of what the tree takes, and gives up where
//! that is more than so many times the text.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// What a tree may take for each byte of its text, and what any tree may take; bytes.
const WORTH: usize = 20;
const LEAST_BYTES: usize = 1 << 20;

/// What a value takes where it stands; an object beside its fields; and a field beside its key and value. Bytes, roughly.
const VALUE_BYTES: usize = size_of::<Value>();
const OBJECT_BYTES: usize = 640;
const FIELD_BYTES: usize = 40;

/// Why there is no tree of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoTree {
    /// It is no JSON, or nests more than 128 levels.
    NotJson,
    /// It would take more memory than its text is worth.
    TooLarge,
}

/// Reads one document.
pub fn read(text: &[u8]) -> Result<Value, NoTree> {
    let account = Account {
        left: Cell::new(text.len().saturating_mul(WORTH).max(LEAST_BYTES)),
        is_spent: Cell::new(false),
    };
    let mut document = serde_json::Deserializer::from_slice(text);
    let value = Tree(&account).deserialize(&mut document);
    value
        .and_then(|value| document.end().map(|()| value))
        .map_err(|_| match account.is_spent.get() {
            true => NoTree::TooLarge,
            false => NoTree::NotJson,
        })
}

/// What a tree may still take, in bytes, and whether that was not enough.
struct Account {
    left: Cell<usize>,
    is_spent: Cell<bool>,
}

/// Makes a value out of what is left.
#[derive(Clone, Copy)]
struct Tree<'r>(&'r Account);

impl Tree<'_> {
    fn take<E: Error>(self, bytes: usize) -> Result<(), E> {
        let Some(left) = self.0.left.get().checked_sub(bytes) else {
            self.0.is_spent.set(true);
            return Err(E::custom("more than the text is worth"));
        };
        self.0.left.set(left);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, text: &mut fmt::Formatter) -> fmt::Result {
        text.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, is_so: bool) -> Result<Value, E> {
        Ok(Value::Bool(is_so))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.visit_string(text.to_owned())
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        self.take(text.len())?;
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(self)? {
            // A list that grows stands in memory twice while it does.
            self.take(2 * VALUE_BYTES)?;
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        self.take(OBJECT_BYTES)?;
        let mut fields = Map::new();
        while let Some(key) = object.next_key::<String>()? {
            self.take(key.len() + FIELD_BYTES + VALUE_BYTES)?;
            fields.insert(key, object.next_value_seed(self)?);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_read_as_any_other_reader_reads_it() {
        for text in [
            r#"{"a":[1,-2,3.5,1e400,"b\u00e9\n",null,true,{"a":{},"a":[]}],"c":""}"#,
            "[]",
            "1",
            "  {\"x\" : 18446744073709551615}  ",
            "{} {}",
            "[1,]",
            "{",
            "\"\\ud800\"",
            "",
        ] {
            let other = serde_json::from_str::<Value>(text).ok();
            assert_eq!(read(text.as_bytes()).ok(), other, "{text}");
        }
        let state = format!(
            "[{}{{}}]",
            r#"{ "type": "bucket", "name": "logs-of-eu-1", "acl": false }, "#.repeat(40_000)
        );
        assert!(read(state.as_bytes()).is_ok());
    }

    #[test]
    fn what_is_made_for_its_memory_is_not_read() {
        for (part, count) in [("0,", 1 << 20), (r#"{"":0},"#, 1 << 18), ("[],", 1 << 20)] {
            let text = format!("[{}0]", part.repeat(count));
            assert_eq!(read(text.as_bytes()), Err(NoTree::TooLarge), "{part}");
            let few = format!("[{}0]", part.repeat(1_000));
            assert!(read(few.as_bytes()).is_ok(), "{part}");
        }
        assert_eq!(read("[".repeat(1 << 20).as_bytes()), Err(NoTree::NotJson));
    }
}
