//! Whether a source has a URL at all (ECMA-426, "DecodeSourceMapSources").
//!
//! The standard puts `sourceRoot` and a `/` in front of a source and parses the whole against the URL of the map.
//! Nobody knows that URL here, and nearly always it does not matter: a path resolves against anything. It matters
//! for names that bring an authority, such as `webpack://my app/./x.js`, where the blank is no part of a host. A
//! source is called wrong only when it fails against every kind of base that a map is served or read from.

use url::Url;

const BASES: [&str; 3] = ["file:///m.map", "http://h/m.map", "https://h/m.map"];

/// Whether the source, with the prefix that its root gives, is no URL whatever the map's own may be.
pub fn is_no_url(prefix: &str, source: &str) -> bool {
    if prefix.is_empty() && !may_fail(source) {
        return false;
    }
    let whole = format!("{prefix}{source}");
    may_fail(&whole)
        && BASES
            .iter()
            .all(|base| Url::parse(base).is_ok_and(|base| base.join(&whole).is_err()))
}

/// The prefix that a `sourceRoot` puts before every source.
pub fn prefix(root: Option<&str>) -> String {
    match root {
        None => String::new(),
        Some(root) if root.ends_with('/') => root.to_owned(),
        Some(root) => format!("{root}/"),
    }
}

/// A quick look: false for what parses without fail, which is nearly everything. That is a path, and what has a
/// scheme of its own with a host of plain letters or none.
fn may_fail(text: &str) -> bool {
    let bytes = text.as_bytes();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let run = bytes.iter().take_while(|byte| plain(byte)).count();
    match bytes.get(run..).unwrap_or_default() {
        [b':', b'/', b'/', rest @ ..] => {
            let host = rest.iter().take_while(|byte| plain(byte)).count();
            let is_special = matches!(
                &bytes[..run],
                b"http" | b"https" | b"ws" | b"wss" | b"ftp" | b"file"
            ) || !bytes.first().is_some_and(u8::is_ascii_lowercase);
            is_special || !matches!(rest.get(host), None | Some(b'/'))
        }
        // `./x`, `../x`, `a/b`, `/x` with one slash only; a colon further on is part of a path.
        [b'/', next, ..] if run == 0 => matches!(next, b'/' | b'\\' | b'\t' | b'\n' | b'\r'),
        [b'/', ..] | [] => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_no_base_can_mend_is_wrong() {
        for good in [
            "",
            "a.js",
            "../a b/é.ts",
            "/x",
            "//host/x",
            "webpack:///./src/a.js",
            "webpack://app/./src/a.js",
            "webpack://@scope/pkg/a.js",
            "https://example.com/a",
            "http:x",
            "file:///C:/x",
            "C:\\x\\y",
            "[synthetic:x]",
            "webpack/bootstrap",
            "a:b",
            "\u{0}x",
            "(disabled):crypto",
            "node_modules/x|y",
            "webpack://",
        ] {
            assert!(!is_no_url("", good), "{good}");
        }
        for bad in [
            "https://",
            "webpack://my app/./x.js",
            "http://a b/",
            "//a b/x",
            "https://[::/x",
            "x://h:port/",
        ] {
            assert!(is_no_url("", bad), "{bad}");
        }
        assert!(is_no_url(&prefix(Some("webpack://my app")), "x.js"));
        assert!(
            !is_no_url(&prefix(Some("")), "https://"),
            "the root's slash makes it a path"
        );
        assert_eq!(prefix(Some("r")), "r/");
        assert_eq!(prefix(Some("r/")), "r/");
        assert_eq!(prefix(None), "");
    }

    proptest! {
        #[test]
        fn the_quick_look_never_hides_a_failure(
            text in "(webpack|http|file|HTTP|a\\.b|1x|)(:|)(/|//|///|\\\\|)[a-z@ .:/\\[<#?é\t-]{0,10}") {
            let fails = |base: &str| Url::parse(base).unwrap().join(&text).is_err();
            let expected = BASES.iter().all(|base| fails(base));
            prop_assert_eq!(is_no_url("", &text), expected);
        }
    }
}
