//! Notebooks that were saved with what their cells gave: tables of data, pictures, the paths of whoever ran them.
//!
//! Source: the notebook format, version 4 (nbformat).

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::read::{counted, has, head, short, tail};
use super::{Artifact, Class};
use crate::exposure::content::Hits;

/// The key that tells a notebook stands at its beginning or at its end; bytes.
const LOOKED_AT: usize = 8 << 10;

/// Notebooks with outputs.
pub(super) struct Notebook;

impl Class for Notebook {
    fn recognise(&self, bytes: &[u8], _: &Hits) -> Option<Artifact> {
        if bytes.first() != Some(&b'{') {
            return None;
        }
        let key = b"\"nbformat\"";
        if !has(tail(bytes, LOOKED_AT), key) && !has(head(bytes, LOOKED_AT), key) {
            return None;
        }
        let document: Document = serde_json::from_slice(bytes).ok()?;
        outputs_of(&document, bytes)
    }
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(rename = "nbformat")]
    _format: u32,
    #[serde(borrow)]
    cells: Vec<Cell<'a>>,
}

#[derive(Deserialize)]
struct Cell<'a> {
    #[serde(borrow, default)]
    outputs: Vec<Output<'a>>,
}

#[derive(Deserialize)]
struct Output<'a> {
    #[serde(borrow)]
    output_type: Cow<'a, str>,
    /// By media type.
    #[serde(borrow, default)]
    data: BTreeMap<Cow<'a, str>, IgnoredAny>,
    #[serde(borrow, default)]
    ename: Option<Cow<'a, str>>,
}

fn outputs_of(document: &Document, bytes: &[u8]) -> Option<Artifact> {
    let outputs: Vec<&Output> = document
        .cells
        .iter()
        .flat_map(|cell| &cell.outputs)
        .collect();
    if outputs.is_empty() {
        return None;
    }
    let with = |begin: &str| {
        let has_it = |output: &&&Output| output.data.keys().any(|kind| kind.starts_with(begin));
        outputs.iter().filter(has_it).count() as u64
    };
    let errors: Vec<&Output> = outputs
        .iter()
        .copied()
        .filter(|output| output.output_type == "error")
        .collect();
    let cells = document
        .cells
        .iter()
        .filter(|cell| !cell.outputs.is_empty());
    let mut said = format!(
        "{} with outputs, {} of them pictures, {} with markup",
        counted(cells.count() as u64, "cell"),
        with("image/"),
        with("text/html")
    );
    if let Some(first) = errors.first() {
        let name = first.ename.as_deref().unwrap_or("an error");
        said.push_str(&format!(
            ", {} such as {}",
            counted(errors.len() as u64, "traceback"),
            short(name)
        ));
    }
    if let Some(path) = super::build_path::first_in(bytes) {
        said.push_str(&format!("; paths such as {path}"));
        return Some(Artifact::proven("notebook-outputs", "absolute-paths", said));
    }
    Some(Artifact::proven("notebook-outputs", "", said))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Option<(String, String)> {
        Notebook
            .recognise(text.as_bytes(), &Hits::default())
            .map(|found| (found.circumstance, found.detail))
    }

    #[test]
    fn only_outputs_are_an_exposure() {
        let notebook = |outputs: &str| {
            format!(
                r#"{{"cells":[{{"cell_type":"code","source":["x"],"outputs":[{outputs}]}}],"metadata":{{}},"nbformat":4,"nbformat_minor":5}}"#
            )
        };
        assert_eq!(told(&notebook("")), None);
        let picture = r#"{"output_type":"display_data","data":{"image/png":"aaaa","text/plain":["x"]},"metadata":{}}"#;
        assert_eq!(
            told(&notebook(picture)).unwrap().1,
            "1 cell with outputs, 1 of them pictures, 0 with markup"
        );
        let error = r#"{"output_type":"error","ename":"KeyError","evalue":"x","traceback":["File /home/jdoe/work/a.py"]}"#;
        let (circumstance, said) = told(&notebook(error)).unwrap();
        assert_eq!(circumstance, "absolute-paths");
        assert!(
            said.contains("1 traceback such as KeyError; paths such as /home/jdoe/"),
            "{said}"
        );
        assert_eq!(told("{\"nbformat\":4}"), None);
        assert_eq!(told("{\"cells\":[]}"), None);
    }
}
