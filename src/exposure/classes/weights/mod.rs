//! Weights of trained models, and the pickles that many of them are kept in.
//!
//! A model is told by its format's own header, which is parsed: how many tensors, how many bytes, what it calls itself.
//! Archives of models (PyTorch's zips, `.keras`, `.npz`) are opened as archives, and it is their parts that are told here.
//! Models are often larger than may be held; all of these headers stand in front, so that a beginning tells as much.
//!
//! Left out: formats without a magic that give themselves away by their names alone (TensorFlow's checkpoints, weights of
//! Darknet); and what a model was trained on.

pub(super) mod hdf5;

mod gguf;
mod onnx;
mod other;
mod pickle;
mod safetensors;

use super::read::listed;
use super::{Artifact, Class};
use crate::exposure::content::Hits;
use crate::exposure::rules::Rules;

/// A model, as its header says.
pub(super) struct Weights {
    /// In a phrase.
    said: String,
    /// Bytes of its tensors.
    bytes: u64,
}

/// Fewer bytes of tensors are a model for tests.
const SMALL_MAX_BYTES: u64 = 64 << 10;

/// Models.
pub(super) struct ModelWeights;

impl Class for ModelWeights {
    fn recognise(&self, bytes: &[u8], _: &Hits) -> Option<Artifact> {
        model(bytes, true)
    }

    fn recognise_beginning(&self, head: &[u8]) -> Option<Artifact> {
        model(head, false)
    }
}

fn model(bytes: &[u8], is_whole: bool) -> Option<Artifact> {
    let weights = match *bytes.first()? {
        0x80 => return from_pickle(bytes, is_whole),
        0x89 => {
            let file = hdf5::recognise(bytes).filter(|file| file.is_keras)?;
            Weights {
                said: file.said,
                bytes: bytes.len() as u64,
            }
        }
        b'G' | b'l' | b'f' | b't' | b'a' if gguf::recognise(bytes, is_whole).is_some() => {
            gguf::recognise(bytes, is_whole)?
        }
        0x08 if bytes.get(8) != Some(&b'{') => {
            onnx::recognise(bytes, is_whole).or_else(|| other::recognise(bytes))?
        }
        _ if bytes.get(8) == Some(&b'{') => {
            safetensors::recognise(bytes, is_whole).or_else(|| other::recognise(bytes))?
        }
        _ => other::recognise(bytes)?,
    };
    let circumstance = if is_whole && weights.bytes < SMALL_MAX_BYTES {
        "small"
    } else {
        ""
    };
    Some(Artifact::proven(
        "model-weights",
        circumstance,
        weights.said,
    ))
}

/// PyTorch's own file begins with a pickle of this number (`torch/serialization.py`).
const TORCH_MAGIC: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.";

fn from_pickle(bytes: &[u8], is_whole: bool) -> Option<Artifact> {
    if bytes.starts_with(TORCH_MAGIC) {
        return Some(Artifact::proven(
            "model-weights",
            "",
            "PyTorch, as it saved before its version 1.6",
        ));
    }
    let pickle = pickle::read(bytes, is_whole)?;
    let globals: Vec<&String> = pickle.globals.iter().collect();
    let calls = if globals.is_empty() {
        "plain objects".to_owned()
    } else {
        format!("calls {}", listed(&globals))
    };
    let is_of = |list: &str| {
        let words = Rules::builtin()
            .get("pickle")
            .map_or(&[][..], |rule| rule.parameter(list));
        globals
            .iter()
            .any(|global| words.iter().any(|word| is_in_module(global, word)))
    };
    if is_of("model_modules") {
        return Some(Artifact::proven(
            "model-weights",
            "",
            format!("a pickle that {calls}"),
        ));
    }
    if is_of("dangerous") {
        let said = format!("{calls}; loading it runs commands");
        return Some(Artifact::proven("pickle", "runs-commands", said));
    }
    Some(Artifact::proven("pickle", "", calls))
}

/// Whether `MODULE NAME` is of this module, of one below it, or is this very name.
fn is_in_module(global: &str, word: &str) -> bool {
    global
        .strip_prefix(word)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '.']))
}
