//! Packages that a text loads, as it is written.
//!
//! `lodash` of `lodash/fp`, `@scope/name` of `@scope/name/x`. Left out are modules of the text's own (`./x`, `#x`), those of a
//! runtime, and addresses. What looks like a package and is an alias of a build is told as well: nothing here knows.

use super::super::Confidence;
use super::reader::Reader;

const KIND: &str = "import";

/// Modules that come with Node.js (its documentation, "Built-in modules"), without `node:`.
const BUILTIN: [&str; 50] = [
    "assert",
    "async_hooks",
    "buffer",
    "child_process",
    "cluster",
    "console",
    "constants",
    "crypto",
    "dgram",
    "diagnostics_channel",
    "dns",
    "domain",
    "events",
    "fs",
    "http",
    "http2",
    "https",
    "inspector",
    "module",
    "net",
    "os",
    "path",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "readline",
    "repl",
    "stream",
    "string_decoder",
    "sys",
    "timers",
    "tls",
    "trace_events",
    "tty",
    "url",
    "util",
    "v8",
    "vm",
    "wasi",
    "worker_threads",
    "zlib",
    "sea",
    "sqlite",
    "test",
    "bun",
    "ffi",
    "_http_agent",
    "_tls_common",
    "_stream_wrap",
];

/// Longest name of a package that the npm registry's rules allow, in bytes.
const NAME_MAX_BYTES: usize = 214;

/// Takes down what is loaded.
pub(super) fn loaded(reader: &mut Reader, at: u32, module: &str) {
    if let Some(package) = package_of(module) {
        let detail = (package != module).then(|| format!("as {module}"));
        reader.add(at, KIND, package, Confidence::High, detail);
    }
}

/// The package of a specifier; nothing where it is none.
pub(super) fn package_of(module: &str) -> Option<&str> {
    let module = module.split(['?', '!']).next()?;
    let is_other = module.starts_with(['.', '/', '#', '~', '$', '\\', '\0'])
        || module.starts_with("@/")
        || module.contains(':')
        || module.contains([' ', '{', '\\', '*']);
    if is_other {
        return None;
    }
    let slashes = if module.starts_with('@') { 2 } else { 1 };
    let end = module
        .match_indices('/')
        .nth(slashes - 1)
        .map_or(module.len(), |(at, _)| at);
    let package = module.get(..end)?;
    let is_name = (1..=NAME_MAX_BYTES).contains(&package.len())
        && package.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'@' | b'/' | b'-' | b'_' | b'.')
        })
        && (slashes == 1 || package.contains('/'));
    (is_name && !BUILTIN.contains(&package)).then_some(package)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_of_a_specifier() {
        assert_eq!(package_of("lodash/fp"), Some("lodash"));
        assert_eq!(package_of("@scope/name/deep/x.js"), Some("@scope/name"));
        for other in [
            "./x",
            "../x",
            "node:fs",
            "fs/promises",
            "https://cdn.example/x.js",
            "@/lib",
            "#internal",
            "bun:test",
            "",
            "@scope",
        ] {
            assert_eq!(package_of(other), None, "{other}");
        }
    }
}
