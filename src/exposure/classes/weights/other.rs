//! Models in smaller formats, each told by a few bytes: TensorFlow Lite, fastText, CatBoost, LightGBM, XGBoost.
//!
//! Sources: `schema.fbs` of TensorFlow Lite, `fasttext.cc`, and what the other three write.

use super::super::read::{Reader, counted, grouped, has, head, short};
use super::Weights;

/// The first bytes that are looked at for a word.
const LOOKED_AT: usize = 4 << 10;

/// The model in content that begins so.
pub(super) fn recognise(bytes: &[u8]) -> Option<Weights> {
    let said = tflite(bytes)
        .or_else(|| fast_text(bytes))
        .or_else(|| boosted(bytes))?;
    Some(Weights {
        said,
        bytes: bytes.len() as u64,
    })
}

/// A flat buffer whose identifier is `TFL3`: tables, each with a list of where its fields stand.
fn tflite(bytes: &[u8]) -> Option<String> {
    if bytes.get(4..8)? != b"TFL3" {
        return None;
    }
    let root = Reader::new(bytes).u32_le()? as usize;
    let part = |number| {
        let list = part_of(bytes, root, number)?;
        Reader::at(bytes, list)?.u32_le()
    };
    let [graphs_at, description_at, buffers_at] = [2, 3, 4];
    let graphs = part(graphs_at)?;
    let buffers = part(buffers_at).unwrap_or(0);
    let mut said = format!(
        "TensorFlow Lite: {}, {}",
        counted(graphs.into(), "graph"),
        counted(buffers.into(), "buffer")
    );
    let text = part_of(bytes, root, description_at).and_then(|at| {
        let mut reader = Reader::at(bytes, at)?;
        let len = reader.u32_le()? as usize;
        reader.take(len)
    });
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        said.push_str(&format!("; {}", short(text)));
    }
    Some(said)
}

/// Where a vector or a text stands that is a field of the table at `table`.
fn part_of(bytes: &[u8], table: usize, number: usize) -> Option<usize> {
    let back = Reader::at(bytes, table)?.u32_le()? as i32;
    let fields = usize::try_from(i64::try_from(table).ok()? - i64::from(back)).ok()?;
    let offset = Reader::at(bytes, fields.checked_add(4 + 2 * number)?)?.u16_le()?;
    if offset == 0 {
        return None;
    }
    let field = table.checked_add(offset.into())?;
    field.checked_add(Reader::at(bytes, field)?.u32_le()? as usize)
}

/// A magic, a version, and the numbers that it was trained with.
fn fast_text(bytes: &[u8]) -> Option<String> {
    const MAGIC: u32 = 793_712_314;
    const VERSIONS: [u32; 2] = [11, 12];
    let mut reader = Reader::new(bytes);
    if reader.u32_le()? != MAGIC || !VERSIONS.contains(&reader.u32_le()?) {
        return None;
    }
    let dimensions = reader.u32_le()?;
    Some(format!(
        "fastText: vectors of {} dimensions",
        grouped(dimensions.into())
    ))
}

fn boosted(bytes: &[u8]) -> Option<String> {
    if bytes.starts_with(b"CBM1") {
        return Some("CatBoost".into());
    }
    let start = head(bytes, LOOKED_AT);
    if start.starts_with(b"tree\nversion=v") && has(start, b"num_class=") {
        return Some("LightGBM".into());
    }
    let learner = [&b"{\"learner\":{"[..], b"{L\0\0\0\0\0\0\0\x07learner{"];
    let is_xgboost = learner.iter().any(|begin| start.starts_with(begin));
    (is_xgboost && (has(start, b"gradient_booster") || has(start, b"attributes")))
        .then(|| "XGBoost".into())
}
