//! safetensors: the length of a header in eight bytes, the header as JSON, and the tensors behind it.
//!
//! Read: how many tensors of which type there are, the bytes that they take as their offsets say, and what the header
//! says of itself (`__metadata__`). A header that ends with what was read, as that of a large model which is only
//! seen by its beginning, is counted as far as it goes. Source: the format's own description in the repository of
//! `safetensors`.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, MapAccess, Visitor};

use super::super::read::{Reader, counted, grouped, listed};
use super::Weights;

/// The longest header that the format's reader takes; bytes.
const HEADER_MAX: u64 = 100_000_000;
/// Pairs of `__metadata__` that are told.
const METADATA_MAX: usize = 6;

/// What the header says.
#[derive(Default)]
struct Header {
    tensors: u64,
    /// Where the last one ends, from the end of the header on.
    end: u64,
    types: BTreeMap<String, u64>,
    metadata: Vec<String>,
}

#[derive(Deserialize)]
struct Tensor {
    dtype: String,
    #[serde(rename = "shape")]
    _shape: Vec<u64>,
    data_offsets: [u64; 2],
}

/// The model in content that begins so. `is_whole`: nothing more stands behind it.
pub(super) fn recognise(bytes: &[u8], is_whole: bool) -> Option<Weights> {
    let mut reader = Reader::new(bytes);
    let len = reader.u64_le()?;
    if !(2..=HEADER_MAX).contains(&len) || reader.rest().first() != Some(&b'{') {
        return None;
    }
    let text = reader.rest();
    let text = &text[..text.len().min(usize::try_from(len).ok()?)];
    let is_cut = (text.len() as u64) < len;
    let mut header = Header::default();
    let mut document = serde_json::Deserializer::from_slice(text);
    let outcome = Tensors(&mut header).deserialize(&mut document);
    let is_end = outcome.is_ok() || (is_cut && !is_whole);
    if !is_end || header.tensors == 0 {
        return None;
    }
    let types: Vec<String> = header.types.into_keys().collect();
    let so_far = if is_cut { " or more" } else { "" };
    let mut said = format!(
        "safetensors: {}{so_far} ({}), {}{so_far} bytes of them",
        counted(header.tensors, "tensor"),
        listed(&types),
        grouped(header.end)
    );
    if !header.metadata.is_empty() {
        said.push_str(&format!("; metadata {}", listed(&header.metadata)));
    }
    let is_short = is_whole && bytes.len() as u64 - 8 < len.saturating_add(header.end);
    if is_short {
        said.push_str("; the file ends before its tensors do");
    }
    Some(Weights {
        said,
        bytes: header.end,
    })
}

/// Counts while it reads, so that what was counted is there also where the text ends.
struct Tensors<'a>(&'a mut Header);

impl<'de> DeserializeSeed<'de> for Tensors<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Tensors<'_> {
    type Value = ();

    fn expecting(&self, text: &mut fmt::Formatter) -> fmt::Result {
        text.write_str("an object of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "__metadata__" {
                let pairs: BTreeMap<String, String> = map.next_value()?;
                let shown = pairs.iter().take(METADATA_MAX);
                self.0
                    .metadata
                    .extend(shown.map(|(key, value)| format!("{key}={value}")));
                continue;
            }
            let tensor: Tensor = map.next_value()?;
            self.0.tensors += 1;
            self.0.end = self.0.end.max(tensor.data_offsets[1]);
            // Types are a dozen; a file with more is made to be large.
            if self.0.types.len() < 64 || self.0.types.contains_key(&tensor.dtype) {
                *self.0.types.entry(tensor.dtype).or_insert(0) += 1;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, tensors: usize) -> Vec<u8> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.resize(bytes.len() + tensors, 7);
        bytes
    }

    const HEADER: &str = r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F16","shape":[2,4],"data_offsets":[0,16]},"b":{"dtype":"I8","shape":[4],"data_offsets":[16,20]}}"#;

    #[test]
    fn a_model_says_what_it_is() {
        let found = recognise(&file(HEADER, 20), true).unwrap();
        assert_eq!(
            found.said,
            "safetensors: 2 tensors (F16, I8), 20 bytes of them; metadata format=pt"
        );
        let short = recognise(&file(HEADER, 19), true).unwrap();
        assert!(short.said.ends_with("ends before its tensors do"));
    }

    #[test]
    fn a_header_that_is_cut_is_counted_as_far_as_it_goes() {
        let cut = &file(HEADER, 0)[..HEADER.len()];
        assert!(recognise(cut, true).is_none());
        let found = recognise(cut, false).unwrap();
        assert!(
            found.said.contains("1 tensor or more (F16)"),
            "{}",
            found.said
        );
    }

    #[test]
    fn what_only_begins_so_is_none() {
        for header in [
            "{}",
            r#"{"a":1}"#,
            r#"{"a":{"dtype":"F16"}}"#,
            "{\"__metadata__\":{}}",
        ] {
            assert!(recognise(&file(header, 9), true).is_none(), "{header}");
        }
        assert!(recognise(b"\xff\xff\xff\xff\xff\xff\xff\x7f{}", false).is_none());
        assert!(recognise(b"", true).is_none());
    }
}
