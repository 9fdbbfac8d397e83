//! Values that do nothing.
//!
//! What stands in a notice was mostly chosen by those whom it is about: names of files, of repositories, of packages. In a
//! plain text a line feed is all it takes to forge a paragraph, in Markdown a `#`. So each value becomes one line in which every
//! character can be seen, before any template gets it; templates put words before it, never at the beginning of a line.

use serde_json::Value;

use crate::report::text::{clip, visible};

/// Characters of one value that are kept; an address may be long, a megabyte of name helps nobody.
const VALUE_CHARS: usize = 2_000;

/// A value as one visible line.
pub(super) fn inert(text: &str) -> String {
    visible(&clip(text.trim(), VALUE_CHARS))
}

/// All texts in a value, in place.
pub(in crate::report) fn inert_all(value: &mut Value) {
    match value {
        Value::String(text) => *text = inert(text),
        Value::Array(values) => values.iter_mut().for_each(inert_all),
        Value::Object(fields) => fields.values_mut().for_each(inert_all),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_one_visible_line() {
        let text = inert("a\n\n# Heading\r\u{2028}b\u{202e}\u{0}");
        assert_eq!(
            text,
            "a[U+000A][U+000A]# Heading[U+000D][U+2028]b[U+202E][U+0000]"
        );
        assert!(inert(&"x".repeat(1 << 20)).len() < 3_000);
        let mut value = serde_json::json!({"a": ["b\nc", {"d": "\u{200b}"}], "n": 1});
        inert_all(&mut value);
        assert_eq!(
            value.to_string(),
            r#"{"a":["b[U+000A]c",{"d":"[U+200B]"}],"n":1}"#
        );
    }
}
