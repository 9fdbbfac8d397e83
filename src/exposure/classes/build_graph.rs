//! What bundlers and compilers write down about a build: every file that went in, what it imports, how large it is.
//!
//! JSON documents with keys of their own: `tsconfig.tsbuildinfo`, webpack's and Rspack's statistics, esbuild's metafile,
//! Rollup's visualizer, Vite's manifest. They are a plan of the source tree.

use super::read::{counted, has, head, tail, text_start};
use super::{Artifact, Class};
use crate::exposure::content::Hits;

/// Keys that tell the tool stand in the beginning or in the end; bytes.
const HEAD: usize = 8 << 10;
const TAIL: usize = 4 << 10;

/// Plans of a build.
pub(super) struct BuildGraph;

impl Class for BuildGraph {
    fn recognise(&self, bytes: &[u8], _: &Hits) -> Option<Artifact> {
        let text = text_start(head(bytes, HEAD));
        if text.first() != Some(&b'{') {
            return None;
        }
        let said = type_script(bytes, text)
            .or_else(|| webpack(bytes, text))
            .or_else(|| esbuild(bytes, text))
            .or_else(|| rollup(bytes, text))?;
        Some(Artifact::proven("build-graph", "", said))
    }
}

/// `{"program":{"fileNames":[…],"fileInfos":[…]…},"version":"5.4.5"}`, since version 5.6 without `program`.
fn type_script(bytes: &[u8], start: &[u8]) -> Option<String> {
    let is_build = has(start, b"\"fileNames\"") && has(bytes, b"\"fileInfos\"");
    // Without declarations to keep only the roots are written down.
    let is_list = start.starts_with(b"{\"root\":[\"")
        && has(start, b".ts")
        && has(tail(bytes, TAIL), b"\"version\":\"");
    if !is_build && !is_list {
        return None;
    }
    let endings = [&b".ts\""[..], b".tsx\"", b".mts\"", b".cts\""];
    let files = endings
        .iter()
        .map(|end| memchr::memmem::find_iter(bytes, end).count() as u64);
    Some(format!("TypeScript: {}", counted(files.sum(), "file name")))
}

/// `{"hash":…,"version":…,"assets":[…],"chunks":[…],"modules":[…]`.
fn webpack(bytes: &[u8], start: &[u8]) -> Option<String> {
    let is_stats = has(start, b"\"hash\"")
        && (has(start, b"\"assetsByChunkName\"")
            || has(start, b"\"outputPath\"")
            || has(start, b"\"publicPath\""))
        && has(bytes, b"\"modules\"")
        && has(bytes, b"\"chunks\"");
    is_stats.then(|| {
        let modules = memchr::memmem::find_iter(bytes, b"\"moduleType\"").count() as u64;
        format!("webpack's statistics: {}", counted(modules, "module"))
    })
}

/// `{"inputs":{"src/a.ts":{"bytes":1,"imports":[]…},"outputs":{…`.
fn esbuild(bytes: &[u8], start: &[u8]) -> Option<String> {
    let is_meta = has(start, b"\"inputs\"")
        && has(start, b"\"bytes\"")
        && has(start, b"\"imports\"")
        && has(bytes, b"\"bytesInOutput\"");
    is_meta.then(|| {
        let files = memchr::memmem::find_iter(bytes, b"\"imports\"").count() as u64;
        format!("esbuild's metafile: {}", counted(files, "file"))
    })
}

/// `{"version":2,"tree":{…},"nodeParts":{…},"nodeMetas":{…`.
fn rollup(bytes: &[u8], start: &[u8]) -> Option<String> {
    let is_tree =
        has(start, b"\"tree\"") && has(bytes, b"\"nodeParts\"") && has(bytes, b"\"nodeMetas\"");
    is_tree.then(|| {
        let modules = memchr::memmem::find_iter(bytes, b"\"renderedLength\"").count() as u64;
        format!("Rollup's visualizer: {}", counted(modules, "module"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Option<String> {
        BuildGraph
            .recognise(text.as_bytes(), &Hits::default())
            .map(|found| found.detail)
    }

    #[test]
    fn each_tool_is_told() {
        let built = r#"{"program":{"fileNames":["../lib.d.ts","./src/a.ts","./src/b.tsx"],"fileInfos":[1,2,3]},"version":"5.4.5"}"#;
        assert_eq!(told(built).as_deref(), Some("TypeScript: 3 file names"));
        let built = r#"{"root":["./src/a.ts"],"version":"5.6.2"}"#;
        assert_eq!(told(built).as_deref(), Some("TypeScript: 1 file name"));
        let meta = r#"{"inputs":{"src/a.ts":{"bytes":9,"imports":[]}},"outputs":{"o.js":{"inputs":{"src/a.ts":{"bytesInOutput":4}}}}}"#;
        assert_eq!(told(meta).as_deref(), Some("esbuild's metafile: 1 file"));
        let stats = r#"{"hash":"a","version":"5.9","publicPath":"auto","chunks":[],"modules":[{"moduleType":"javascript/auto"}]}"#;
        assert_eq!(
            told(stats).as_deref(),
            Some("webpack's statistics: 1 module")
        );
        for other in [
            "{}",
            "{\"inputs\":{},\"outputs\":{}}",
            "{\"root\":true,\"version\":\"1\"}",
            "[]",
            "",
        ] {
            assert_eq!(told(other), None, "{other}");
        }
    }
}
