//! Whether a source has a URL at all (ECMA-426, "DecodeSourceMapSources").
//!
//! The standard puts `sourceRoot` and a `/` in front of a source and parses the whole against the URL of the map.
//! Nobody knows that URL here, and nearly always it does not matter: a path resolves against anything. It matters
//! for names that bring an authority, such as `webpack://my app/./x.js`, where the blank is no part of a host. A
//! source is called wrong only when it fails against every kind of base that a map is served or read from.

use url::Url;

const BASES: [&str; 3] = ["file:///m.map", "http://h/m.map", "https://h/m.map"];

/// The prefix that a `sourceRoot` puts before every source.
pub struct Prefix {
    text: String,
    /// Where the prefix is long: whether everything behind it is no URL.
    settled: Option<bool>,
}

/// A prefix that is longer is judged once and not with every source: a hostile map has a root of a megabyte and a
/// million sources, and the one would be copied as often as there are others.
const LONG_BYTES: usize = 256;

impl Prefix {
    /// That of a root, which may be absent.
    pub fn new(root: Option<&str>) -> Self {
        let mut text = root.unwrap_or_default().to_owned();
        if root.is_some() && !text.ends_with('/') {
            text.push('/');
        }
        // Three slashes at the end do what any number of more would do: either the authority is empty, or slashes
        // before it are passed over.
        while text.ends_with("////") {
            text.pop();
        }
        // A prefix ends in a slash. Once it is more than a scheme and slashes, its authority is complete, and no
        // source can mend it or spoil it.
        let settled = (text.len() > LONG_BYTES).then(|| is_no_url(&text));
        Prefix { text, settled }
    }

    /// Whether a source with this prefix is no URL, whatever that of the map may be.
    pub fn makes_no_url(&self, source: &str) -> bool {
        match self.settled {
            Some(settled) => settled,
            None if self.text.is_empty() => is_no_url(source),
            None => is_no_url(&format!("{}{source}", self.text)),
        }
    }
}

fn is_no_url(text: &str) -> bool {
    may_fail(text)
        && BASES
            .iter()
            .all(|base| Url::parse(base).is_ok_and(|base| base.join(text).is_err()))
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
            assert!(!is_no_url(good), "{good}");
        }
        for bad in [
            "https://",
            "webpack://my app/./x.js",
            "http://a b/",
            "//a b/x",
            "https://[::/x",
            "x://h:port/",
        ] {
            assert!(is_no_url(bad), "{bad}");
        }
    }

    #[test]
    fn a_root_stands_before_every_source() {
        let fails = |root: &str, source: &str| Prefix::new(Some(root)).makes_no_url(source);
        assert!(fails("webpack://my app", "x.js"));
        assert!(!fails("", "https://"), "the root's slash makes it a path");
        assert!(!fails("r", "x.js") && !fails("r/", "x.js"));
        assert!(fails("http://", "a b/x.js") && !fails("http://", "a/x.js"));
        assert!(Prefix::new(None).makes_no_url("https://"));
    }

    #[test]
    fn a_long_root_is_judged_once() {
        let long = "x".repeat(1000);
        let slashes = "/".repeat(1000);
        for (root, source, expected) in [
            (long.clone(), "a b", false),
            (format!("http://a b/{long}"), "x.js", true),
            (format!("http://{long}"), "a b/x.js", false),
            (format!("http:{slashes}"), "a b/x.js", true),
            (format!("http:{slashes}"), "a/x.js", false),
        ] {
            let prefix = Prefix::new(Some(&root));
            assert_eq!(prefix.makes_no_url(source), expected);
            let whole = format!("{}/{source}", root.trim_end_matches('/'));
            if !root.ends_with('/') {
                assert_eq!(is_no_url(&whole), expected);
            }
        }
    }

    proptest! {
        #[test]
        fn the_quick_look_never_hides_a_failure(
            text in "(webpack|http|file|HTTP|a\\.b|1x|)(:|)(/|//|///|\\\\|)[a-z@ .:/\\[<#?é\t-]{0,10}") {
            let fails = |base: &str| Url::parse(base).unwrap().join(&text).is_err();
            let expected = BASES.iter().all(|base| fails(base));
            prop_assert_eq!(is_no_url(&text), expected);
        }
    }
}
