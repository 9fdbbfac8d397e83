//! Models written as protocol buffers: ONNX and Core ML.
//!
//! Neither has a magic. A message counts as ONNX if its fields are those of a `ModelProto`, each with its own wire type,
//! and a graph with a node or a tensor is among them; as Core ML, if a version and a description are followed by one
//! of the model types. Read: who made it, its nodes, tensors and their bytes. Sources: `onnx.proto` in the repository of ONNX,
//! `Model.proto` in that of coremltools.

use super::super::proto::{Fields, Value};
use super::super::read::{counted, grouped, short};
use super::Weights;

/// Versions of the format that there are, with room for some more.
const IR_VERSION_MAX: u64 = 30;
/// Versions of Core ML's format, with room for some more.
const SPECIFICATION_MAX: u64 = 20;

/// The model in content that begins so. `is_whole`: nothing more stands behind it.
pub(super) fn recognise(bytes: &[u8], is_whole: bool) -> Option<Weights> {
    // Both write their version first.
    let [0x08, version, ..] = *bytes else {
        return None;
    };
    if version == 0 || u64::from(version) > IR_VERSION_MAX {
        return None;
    }
    onnx(bytes, is_whole).or_else(|| core_ml(bytes, is_whole))
}

#[derive(Default)]
struct Graph<'a> {
    name: &'a [u8],
    nodes: u64,
    tensors: u64,
    bytes: u64,
    is_external: bool,
}

fn onnx(bytes: &[u8], is_whole: bool) -> Option<Weights> {
    let mut fields = Fields::of(bytes);
    let mut graph = None;
    let mut producer: &[u8] = b"";
    for (number, value) in fields.by_ref() {
        match (number, value) {
            (1 | 5, Value::Number(_)) | (3 | 4 | 6 | 8 | 14 | 20 | 25 | 26, Value::Bytes(..)) => {}
            (2, Value::Bytes(name, _)) => producer = name,
            (7, Value::Bytes(inner, _)) => graph = Some(graph_of(inner)?),
            _ => return None,
        }
    }
    let is_end = fields.is_at_end() && (!fields.is_cut || !is_whole);
    let graph = graph.filter(|graph| graph.nodes + graph.tensors > 0)?;
    if !is_end || std::str::from_utf8(producer).is_err() {
        return None;
    }
    let so_far = if fields.is_cut { " or more" } else { "" };
    let mut said = format!(
        "ONNX: {}, {}{so_far}, {} bytes of them",
        counted(graph.nodes, "node"),
        counted(graph.tensors, "tensor"),
        grouped(graph.bytes)
    );
    if graph.is_external {
        said.push_str(", others kept in files beside it");
    }
    for (what, name) in [("graph", graph.name), ("made by", producer)] {
        if !name.is_empty() {
            said.push_str(&format!("; {what} {}", short(name)));
        }
    }
    Some(Weights {
        said,
        bytes: graph.bytes,
    })
}

/// Counts what is in a `GraphProto`.
fn graph_of(message: &[u8]) -> Option<Graph<'_>> {
    let mut graph = Graph::default();
    let mut fields = Fields::of(message);
    for (number, value) in fields.by_ref() {
        match (number, value) {
            (1, Value::Bytes(node, _)) => graph.nodes += u64::from(is_node(node)),
            (2, Value::Bytes(name, _)) => graph.name = name,
            (5, Value::Bytes(tensor, len)) => {
                graph.tensors += 1;
                graph.bytes = graph.bytes.saturating_add(len);
                graph.is_external |= is_external(tensor);
            }
            (10..=16, Value::Bytes(..)) => {}
            _ => return None,
        }
    }
    fields.is_at_end().then_some(graph)
}

/// A `NodeProto` names its operator in its fourth field.
fn is_node(message: &[u8]) -> bool {
    Fields::of(message).any(|field| {
        matches!(field, (4, Value::Bytes(name, _)) if !name.is_empty() && name.iter().all(u8::is_ascii_graphic))
    })
}

/// A `TensorProto` whose `data_location` is elsewhere.
fn is_external(message: &[u8]) -> bool {
    Fields::of(message).any(|field| field == (14, Value::Number(1)))
}

fn core_ml(bytes: &[u8], is_whole: bool) -> Option<Weights> {
    let mut fields = Fields::of(bytes);
    let mut kind = None;
    let mut has_description = false;
    for (number, value) in fields.by_ref() {
        match (number, value) {
            (1, Value::Number(version)) if version <= SPECIFICATION_MAX => {}
            (2, Value::Bytes(description, _)) => {
                // Its inputs and outputs: a name first, as everywhere.
                has_description = matches!(
                    Fields::of(description).next(),
                    Some((1 | 10, Value::Bytes(..)))
                );
            }
            (10, Value::Number(_)) => {}
            (200..=3_000, Value::Bytes(_, len)) => kind = Some((number, len)),
            _ => return None,
        }
    }
    let (kind, len) = kind?;
    if !has_description || !fields.is_at_end() || (fields.is_cut && is_whole) {
        return None;
    }
    let kind = match kind {
        200..=202 => "a pipeline",
        303 | 403 | 500 => "a neural network",
        502 => "a program",
        301 | 401 => "a support vector machine",
        302 | 402 => "an ensemble of trees",
        _ => "a model",
    };
    Some(Weights {
        said: format!("Core ML: {kind} of {} bytes", grouped(len)),
        bytes: len,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, content.len() as u8][..], content].concat()
    }

    fn model() -> Vec<u8> {
        let node = [field(1, b"x"), field(2, b"y"), field(4, b"Relu")].concat();
        let tensor = [b"\x08\x02\x10\x01".to_vec(), field(9, b"12345678")].concat();
        let graph = [field(1, &node), field(2, b"net"), field(5, &tensor)].concat();
        [
            b"\x08\x07".to_vec(),
            field(2, b"maker"),
            field(7, &graph),
            field(8, b"\x10\x0d"),
        ]
        .concat()
    }

    #[test]
    fn a_model_says_what_it_is() {
        let bytes = model();
        assert_eq!(
            recognise(&bytes, true).unwrap().said,
            "ONNX: 1 node, 1 tensor, 14 bytes of them; graph net; made by maker"
        );
        let cut = &bytes[..bytes.len() - 8];
        assert!(recognise(cut, true).is_none());
        assert!(recognise(cut, false).is_some());
    }

    #[test]
    fn other_messages_are_none() {
        for bytes in [
            &b"\x08\x07\x12\x05maker"[..],
            b"\x08\x07\x3a\0",
            b"\x08\x07\x09",
            b"\x08\x07\x3a\x03\x0a\x01x",
            b"\x08",
            b"",
        ] {
            assert!(recognise(bytes, true).is_none(), "{bytes:?}");
        }
    }
}
