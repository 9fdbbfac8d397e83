//! Maps that were saved as UTF-16, which some editors and shells do without asking.
//!
//! JSON is UTF-8 (RFC 8259, section 8.1), so such a map is not valid; its sources are whole all the same. The document
//! is written anew in UTF-8 and read like any other. A surrogate without its other half is kept in three bytes.

/// The document in UTF-8, where it is in UTF-16: by its mark, or by the zeros round its first brace.
pub fn to_utf8(document: &[u8]) -> Option<Vec<u8>> {
    let (unit, text): (fn([u8; 2]) -> u16, _) = match document {
        [0xFF, 0xFE, rest @ ..] => (u16::from_le_bytes, rest),
        [0xFE, 0xFF, rest @ ..] => (u16::from_be_bytes, rest),
        [b'{', 0, ..] => (u16::from_le_bytes, document),
        [0, b'{', ..] => (u16::from_be_bytes, document),
        _ => return None,
    };
    let (pairs, _) = text.as_chunks::<2>();
    let mut utf8 = Vec::with_capacity(pairs.len());
    for character in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        match character {
            Ok(character) => {
                utf8.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            Err(lone) => utf8.extend_from_slice(&super::unescape::wtf8(lone.unpaired_surrogate())),
        }
    }
    Some(utf8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(unit).collect()
    }

    proptest! {
        #[test]
        fn what_was_utf16_comes_back(text in any::<String>()) {
            let map = format!("{{{text}");
            let with_mark = format!("\u{feff}{map}");
            for unit in [u16::to_le_bytes, u16::to_be_bytes] {
                prop_assert_eq!(to_utf8(&encoded(&map, unit)), Some(map.clone().into_bytes()));
                prop_assert_eq!(to_utf8(&encoded(&with_mark, unit)), Some(map.clone().into_bytes()));
            }
        }

        #[test]
        fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let marked = [b"\xFF\xFE".as_slice(), &bytes].concat();
            prop_assert!(to_utf8(&marked).is_some());
        }
    }

    #[test]
    fn what_is_utf8_is_left_alone() {
        assert_eq!(to_utf8(b"{\"version\":3}"), None);
        assert_eq!(to_utf8(b"\xEF\xBB\xBF{"), None);
        assert_eq!(to_utf8(b""), None);
        assert_eq!(to_utf8(b"\xFF\xFE\x00\xD8"), Some(b"\xED\xA0\x80".to_vec()));
    }
}
