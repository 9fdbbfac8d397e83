//! Path arithmetic for sources and links: names in, names out, no file system and no network.
//!
//! ECMA-426 ("Resolving sources") puts `sourceRoot` before each name by plain concatenation and then resolves the
//! result as a URL against the URL of the map. Here the map has no URL, only a path inside its container, so that a
//! relative name becomes another path in that container. All names are bytes. Nothing is percent-encoded on the way,
//! so that two names that differ keep differing.
//!
//! What leaves the container stays visible in a source's name (`../` is kept at the front) and is refused for a link:
//! a link is looked up, and must never be looked up outside.
//!
//! In a capture of traffic the members are named by their URLs. There the map has one after all, and links are resolved
//! by the URL standard itself ([`resolve_captured`]), to be looked up among the URLs of the same capture.

use url::Url;

use super::data_url::percent_decode;

/// Puts `source_root` before `name`, with a `/` between them where the root does not end in one.
///
/// An empty root counts as none: by the letter of the standard it would make every name absolute, and no consumer
/// reads it so.
pub fn join_source(source_root: Option<&[u8]>, name: &[u8]) -> Vec<u8> {
    match source_root {
        None | Some([]) => name.to_vec(),
        Some(root) if root.ends_with(b"/") => [root, name].concat(),
        Some(root) => [root, b"/", name].concat(),
    }
}

/// The resolved URL of a source, as the `url` of its record.
///
/// `map_path` is the path of the map inside its container, such as `package/dist/cli.js.map`. A relative name is
/// resolved against the folder of that; `..` beyond its top are kept at the front. An absolute URL or path keeps
/// everything before its path and has `.` and `..` taken out (URL standard, "path state"). A URL whose path does not
/// begin with `/`, such as `node:fs`, is given back as it is.
///
/// Where the map was captured from the network, `map_path` is its URL: then names stay below its host, and `..` beyond
/// the top vanish.
pub fn resolve_source(map_path: &[u8], source_root: Option<&[u8]>, name: &[u8]) -> Vec<u8> {
    let joined = join_source(source_root, name);
    if joined.is_empty() {
        return map_path.to_vec();
    }
    let (scheme, host, map_path) = split_host(map_path);
    if let Some(path_at) = absolute_path_start(&joined) {
        let (front, rest) = joined.split_at(path_at);
        let (path, suffix) = split_suffix(rest);
        let before = match front {
            [] => [scheme, host].concat(),
            [b'/', ..] => scheme.to_vec(),
            _ => Vec::new(),
        };
        return match path.first() {
            Some(b'/') => [&before, front, &normalise(path), suffix].concat(),
            _ => joined,
        };
    }
    let (path, suffix) = split_suffix(&joined);
    let full = match path {
        [] => map_path.to_vec(),
        _ => normalise(&[folder(map_path), path].concat()),
    };
    [scheme, host, &full, suffix].concat()
}

/// Splits the URL of a map into scheme, host with its `//`, and path without query and fragment. What is no URL with a
/// host is all path, and a `?` in it means nothing.
fn split_host(map_path: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let scheme = scheme_length(map_path).unwrap_or(0);
    let (front, rest) = map_path.split_at(scheme);
    if scheme == 0 || !rest.starts_with(b"//") {
        return (b"", b"", map_path);
    }
    let (host, path) = map_path.split_at(absolute_path_start(map_path).unwrap_or(scheme));
    let (path, _) = split_suffix(path);
    let host = host.get(scheme..).unwrap_or_default();
    (front, host, if path.is_empty() { b"/" } else { path })
}

/// The URL by which something that was captured from the network is looked up: as the URL standard writes it, without
/// its fragment. `None` for what is no URL of the web.
pub fn captured_url(name: &[u8]) -> Option<String> {
    web_url(Url::parse(std::str::from_utf8(name).ok()?).ok()?)
}

/// The URL that a link leads to, seen from the URL `from`, in the form of [`captured_url`]. The result is looked up
/// among captured URLs and nowhere else; `file:` and whatever else is not of the web leads nowhere.
pub fn resolve_captured(from: &[u8], link: &[u8]) -> Option<String> {
    let base = Url::parse(std::str::from_utf8(from).ok()?).ok()?;
    web_url(base.join(std::str::from_utf8(link).ok()?).ok()?)
}

fn web_url(mut url: Url) -> Option<String> {
    url.set_fragment(None);
    matches!(url.scheme(), "http" | "https").then(|| url.into())
}

/// The path inside the container that a relative link points to, seen from the file at `from_path`.
///
/// Query and fragment are dropped and percent-encoding is undone. `None` for a URL, an absolute path, a drive letter, a
/// folder, a name with NUL, and whatever leaves the container. A path with a literal `%20` in its name is not found
/// this way.
pub fn resolve_link(from_path: &[u8], url: &[u8]) -> Option<Vec<u8>> {
    let (path, _) = split_suffix(url);
    if path.is_empty() || absolute_path_start(path).is_some() {
        return None;
    }
    let (path, _) = percent_decode(path);
    if path.contains(&0) || path.starts_with(b"/") || path.ends_with(b"/") {
        return None;
    }
    let full = normalise(&[folder(from_path), &path].concat());
    let leaves = full == b".." || full.starts_with(b"../") || full.starts_with(b"/");
    (!leaves && !full.is_empty() && !full.ends_with(b"/")).then_some(full)
}

/// Length of the scheme with its colon, if the text begins with one (URL standard, "scheme state").
pub(super) fn scheme_length(text: &[u8]) -> Option<usize> {
    let colon = text
        .iter()
        .position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')))?;
    let is_scheme = text.first()?.is_ascii_alphabetic() && text.get(colon) == Some(&b':');
    is_scheme.then_some(colon + 1)
}

/// Where the path begins in an absolute URL, in `//host/path` and in `/path`; `None` for a relative reference.
fn absolute_path_start(text: &[u8]) -> Option<usize> {
    let scheme = scheme_length(text);
    let rest = text.get(scheme.unwrap_or(0)..)?;
    if let Some(authority) = rest.strip_prefix(b"//") {
        let length = authority
            .iter()
            .position(|b| matches!(b, b'/' | b'?' | b'#'))
            .unwrap_or(authority.len());
        return Some(scheme.unwrap_or(0) + 2 + length);
    }
    match scheme {
        Some(length) => Some(length),
        None => rest.starts_with(b"/").then_some(0),
    }
}

/// Splits off `?query` and `#fragment`.
fn split_suffix(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text
        .iter()
        .position(|b| matches!(b, b'?' | b'#'))
        .unwrap_or(text.len());
    text.split_at(end)
}

/// The folder of a path with its `/`; empty at the top.
fn folder(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|b| *b == b'/').map_or(0, |at| at + 1);
    path.get(..end).unwrap_or_default()
}

/// Takes `.` and `..` out of a path. At the top of an absolute path `..` vanishes; of a relative one it stays in front.
fn normalise(path: &[u8]) -> Vec<u8> {
    let (root, path): (&[u8], &[u8]) = match path {
        [b'/', rest @ ..] => (b"/", rest),
        _ => (b"", path),
    };
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut ends_in_folder = false;
    for segment in path.split(|b| *b == b'/') {
        ends_in_folder = true;
        if is_double_dot(segment) {
            match kept.last() {
                Some(last) if *last != b".." => drop(kept.pop()),
                _ if root.is_empty() => kept.push(b".."),
                _ => {}
            }
        } else if !is_dot(segment) {
            kept.push(segment);
            ends_in_folder = false;
        }
    }
    if ends_in_folder && !kept.is_empty() {
        kept.push(b"");
    }
    [root, &kept.join(&b'/')].concat()
}

/// `.`, also percent-encoded (URL standard, "single-dot path segment").
fn is_dot(segment: &[u8]) -> bool {
    segment == b"." || segment.eq_ignore_ascii_case(b"%2e")
}

/// `..`, also with one or both percent-encoded (URL standard, "double-dot path segment").
fn is_double_dot(segment: &[u8]) -> bool {
    const SPELLINGS: [&[u8]; 4] = [b"..", b".%2e", b"%2e.", b"%2e%2e"];
    SPELLINGS
        .iter()
        .any(|spelling| segment.eq_ignore_ascii_case(spelling))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(bytes: &[u8]) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_root_is_joined_with_one_slash() {
        for (root, joined) in [
            (None, "a.js"),
            (Some(""), "a.js"),
            (Some("src"), "src/a.js"),
            (Some("src/"), "src/a.js"),
            (Some("/"), "/a.js"),
            (Some("webpack:///"), "webpack:///a.js"),
            (Some("https://h/x"), "https://h/x/a.js"),
        ] {
            assert_eq!(text(&join_source(root.map(str::as_bytes), b"a.js")), joined);
        }
        // Plain concatenation, as the standard has it, even where the name is absolute.
        assert_eq!(join_source(Some(b"src"), b"/a.js"), b"src//a.js");
    }

    #[test]
    fn relative_names_resolve_against_the_folder_of_the_map() {
        for (root, name, url) in [
            (None, "a.ts", "package/dist/a.ts"),
            (None, "./a.ts", "package/dist/a.ts"),
            (None, "../src/a.ts", "package/src/a.ts"),
            (None, "../../a.ts", "a.ts"),
            (None, "../../../a.ts", "../a.ts"),
            (None, "../../../../x/../a.ts", "../../a.ts"),
            (Some("../src"), "./lib/../a.ts", "package/src/a.ts"),
            (
                None,
                "a.vue?vue&type=../x",
                "package/dist/a.vue?vue&type=../x",
            ),
            (None, "..", "package/"),
            (None, "external \"fs\"", "package/dist/external \"fs\""),
            (None, "%2E%2e/a.ts", "package/a.ts"),
            (None, "..\\a.ts", "package/dist/..\\a.ts"),
            (None, "", "package/dist/cli.js.map"),
            (None, "?x", "package/dist/cli.js.map?x"),
        ] {
            let resolved = resolve_source(
                b"package/dist/cli.js.map",
                root.map(str::as_bytes),
                name.as_bytes(),
            );
            assert_eq!(text(&resolved), url, "{name}");
        }
        assert_eq!(resolve_source(b"cli.js.map", None, b"../a.ts"), b"../a.ts");
    }

    #[test]
    fn absolute_names_only_lose_their_dots() {
        for (name, url) in [
            ("webpack:///./src/a.ts?1f2e", "webpack:///src/a.ts?1f2e"),
            ("webpack://app/./a/../b.ts", "webpack://app/b.ts"),
            ("webpack://app/../../b.ts", "webpack://app/b.ts"),
            ("webpack:///../b.ts", "webpack:///b.ts"),
            ("https://h/a/./b/../c.ts#x/../y", "https://h/a/c.ts#x/../y"),
            ("https://h", "https://h"),
            ("file:///a/../b.ts", "file:///b.ts"),
            ("/a/../b.ts", "/b.ts"),
            ("//h/../b.ts", "//h/b.ts"),
            ("node:fs", "node:fs"),
            ("C:\\a\\..\\b.ts", "C:\\a\\..\\b.ts"),
            ("C:/a/../b.ts", "C:/b.ts"),
        ] {
            let resolved = resolve_source(b"package/cli.js.map", None, name.as_bytes());
            assert_eq!(text(&resolved), url, "{name}");
        }
        assert_eq!(
            resolve_source(b"p/m.map", Some(b"webpack:///src"), b"../a.ts"),
            b"webpack:///a.ts"
        );
    }

    #[test]
    fn sources_of_a_captured_map_stay_below_its_host() {
        for (name, url) in [
            ("../src/a.ts", "https://h:8/src/a.ts"),
            ("../../../a.ts", "https://h:8/a.ts"),
            ("a%2Fb.ts?x", "https://h:8/js/a%2Fb.ts?x"),
            ("/a.ts", "https://h:8/a.ts"),
            ("//g/a.ts", "https://g/a.ts"),
            ("webpack:///./a.ts", "webpack:///a.ts"),
            ("?x", "https://h:8/js/app.js.map?x"),
            ("node:fs", "node:fs"),
        ] {
            let resolved =
                resolve_source(b"https://h:8/js/app.js.map?v=1/2", None, name.as_bytes());
            assert_eq!(text(&resolved), url, "{name}");
        }
        assert_eq!(
            resolve_source(b"https://h", None, b"a.ts"),
            b"https://h/a.ts"
        );
    }

    #[test]
    fn links_in_a_capture_follow_the_url_standard() {
        let from = b"https://H/js/app.js?v=1/2#x";
        for (link, url) in [
            ("app.js.map", Some("https://h/js/app.js.map")),
            ("app.js.map?v=2#y", Some("https://h/js/app.js.map?v=2")),
            ("../m/./a b.map", Some("https://h/m/a%20b.map")),
            ("/m/a.map", Some("https://h/m/a.map")),
            ("//g/a.map", Some("https://g/a.map")),
            ("http://g:80/a.map", Some("http://g/a.map")),
            ("?x", Some("https://h/js/app.js?x")),
            ("file:///etc/passwd", None),
            ("data:,x", None),
            ("https://[", None),
        ] {
            let resolved = resolve_captured(from, link.as_bytes());
            assert_eq!(resolved.as_deref(), url, "{link}");
        }
        assert_eq!(
            captured_url(b"HTTPS://h/js/x/../app.js.map#x").as_deref(),
            Some("https://h/js/app.js.map")
        );
        assert_eq!(captured_url(b"file:///etc/passwd"), None);
        assert_eq!(captured_url(b"js/app.js"), None);
        assert_eq!(resolve_captured(b"js/app.js", b"app.js.map"), None);
        assert_eq!(resolve_captured(b"file:///a/b", b"/etc/passwd"), None);
    }

    #[test]
    fn links_stay_in_their_container() {
        for (url, path) in [
            ("cli.js.map", Some("package/dist/cli.js.map")),
            ("./cli.js.map?v=1#x", Some("package/dist/cli.js.map")),
            ("../maps/my%20app.map", Some("package/maps/my app.map")),
            ("../../x.map", Some("x.map")),
            ("../../../x.map", None),
            ("%2e%2e/%2e%2e/%2e%2e/x.map", None),
            ("a/../../../../x.map", None),
            ("..%2f..%2f..%2fx.map", None),
            ("%2fetc/passwd", None),
            ("/etc/passwd", None),
            ("//h/x.map", None),
            ("https://h/x.map", None),
            ("file:///etc/passwd", None),
            ("C:\\x.map", None),
            ("x%00.map", None),
            ("maps/", None),
            ("..", None),
            (".", None),
            ("?x", None),
            ("", None),
        ] {
            let resolved = resolve_link(b"package/dist/cli.js", url.as_bytes());
            assert_eq!(resolved.as_deref().map(text), path, "{url}");
        }
        assert_eq!(
            resolve_link(b"cli.js", b"cli.js.map").unwrap(),
            b"cli.js.map"
        );
        assert_eq!(resolve_link(b"../cli.js", b"cli.js.map"), None);
    }

    #[test]
    fn names_that_are_not_utf8_stay_as_they_are() {
        assert_eq!(
            resolve_source(b"p/m.map", None, b"./\xFF/../\xED\xA0\xBD.ts"),
            b"p/\xED\xA0\xBD.ts"
        );
    }

    proptest! {
        #[test]
        fn no_link_leaves_the_container(from in "[a/.]{0,12}", url in "[a/.%2eEfF?#:\\\\]{0,24}") {
            if let Some(path) = resolve_link(from.as_bytes(), url.as_bytes()) {
                prop_assert!(!path.is_empty() && !path.starts_with(b"/"));
                prop_assert!(path.split(|b| *b == b'/').all(|segment| segment != b".." && segment != b"."));
            }
        }

        #[test]
        fn resolving_twice_changes_nothing(name in "[a/.:]{0,24}") {
            let once = normalise(name.as_bytes());
            prop_assert_eq!(normalise(&once), once);
        }
    }
}
