//! References from generated code to its map: `//# sourceMappingURL=…` and its kin.
//!
//! A browser looks at the end of a script and takes one URL. Someone who asks what was exposed needs the opposite:
//! every reference, wherever it stands, in code, in a string literal of a bundler's `eval`, in a comment that no
//! browser would honour. So [`links`] reports them all and marks the one that a conforming consumer would follow.
//!
//! Where the reference stands inside a string literal, its URL ends at the quote or at the escape that ends the line.
//! A comment without URL (code that puts one together: `"//# sourceMappingURL=" + url`) is no reference and is left
//! out. So are HTTP headers. A script's debug id is found by [`debug_ids`]. A WebAssembly module links by a custom section: [`wasm_links`].

use memchr::{memchr2, memchr3, memmem, memrchr};

/// A `sourceMappingURL` comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link<'a> {
    /// Offset of the `//` or `/*` that opens the comment.
    pub offset: usize,
    /// The URL as written; never empty.
    pub url: &'a [u8],
    /// Which kind of comment it is.
    pub kind: LinkKind,
    /// Written with `@`, as before 2013, in place of `#`.
    pub legacy_at: bool,
    /// Whether every way of reading that ECMA-426 allows ("Linking through inline annotations") arrives at this URL:
    /// the comment holds nothing else, and only white space and comments without quotes stand behind it. At most one
    /// link of a text has this. Both `#` and `@` can.
    pub conforming: bool,
}

impl Link<'_> {
    /// Offset of the first byte of the URL.
    fn url_start(&self, text: &[u8]) -> usize {
        // The URL is the first thing behind the `=`, and that is the first one in the comment.
        let comment = text.get(self.offset..).unwrap_or_default();
        self.offset + memchr::memchr(b'=', comment).map_or(0, |at| at + 1)
    }
}

/// The two kinds of comments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LinkKind {
    /// `//# …`, as in JavaScript.
    LineComment,
    /// `/*# … */`, as in CSS.
    BlockComment,
    /// The custom section of a WebAssembly module.
    CustomSection,
}

/// Whether the bytes begin as a WebAssembly module does (its core specification, "Modules").
pub fn is_wasm(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\0asm")
}

/// Finds the links of a WebAssembly module: custom sections called `sourceMappingURL`, each with one URL (ECMA-426,
/// "Extracting a source map URL from a WebAssembly source"). Ends at the first section that does not fit.
pub fn wasm_links(module: &[u8]) -> Vec<Link<'_>> {
    const HEADER: usize = 8;
    let mut found = Vec::new();
    let mut at = HEADER;
    while let Some((&id, rest)) = module.get(at..).and_then(<[u8]>::split_first) {
        let Some((len, body)) = leb128(rest) else {
            break;
        };
        let offset = at;
        at = module.len() - body.len() + len.min(body.len());
        let section = &body[..len.min(body.len())];
        if id != 0 {
            continue;
        }
        let url = prefixed(section)
            .filter(|(name, _)| *name == b"sourceMappingURL")
            .and_then(|(_, rest)| prefixed(rest))
            .filter(|(url, _)| !url.is_empty());
        if let Some((url, _)) = url {
            found.push(Link {
                offset,
                url,
                kind: LinkKind::CustomSection,
                legacy_at: false,
                conforming: true,
            });
        }
    }
    found
}

/// A string with its length in front, and what follows.
fn prefixed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = leb128(bytes)?;
    rest.split_at_checked(len)
}

/// An unsigned LEB128 number of at most 32 bits, and what follows.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut number = 0_u64;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        number |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(number).ok()?, &bytes[index + 1..]));
        }
    }
    None
}

/// Finds the debug ids that a script gives itself, `//# debugId=` and a UUID on a line of its own (debug id proposal,
/// "Debug IDs in JavaScript Artifacts"), each once, in order. They are looked for everywhere, where the proposal looks
/// at the last five lines: tools that join scripts leave them where they were.
pub fn debug_ids(text: &[u8]) -> Vec<&[u8]> {
    const COMMENT: &[u8] = b"//# debugId=";
    const UUID_LEN: usize = 36;
    let mut found: Vec<&[u8]> = Vec::new();
    for at in memmem::find_iter(text, COMMENT) {
        let rest = text.get(at + COMMENT.len()..).unwrap_or_default();
        let Some((id, behind)) = rest.split_at_checked(UUID_LEN) else {
            break;
        };
        let ends = behind.first().is_none_or(|byte| byte.is_ascii_whitespace());
        if ends && is_uuid(id) && found.len() < DEBUG_IDS_MAX && !found.contains(&id) {
            found.push(id);
        }
    }
    found
}

/// Debug ids that are taken of one text.
const DEBUG_IDS_MAX: usize = 64;

/// Whether a text is a UUID in its usual form (RFC 9562, section 4).
pub(super) fn is_uuid(text: &[u8]) -> bool {
    const LEN: usize = 36;
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    text.len() == LEN
        && text.iter().enumerate().all(|(index, byte)| {
            if HYPHENS.contains(&index) {
                *byte == b'-'
            } else {
                byte.is_ascii_hexdigit()
            }
        })
}

/// Finds every link in a text, in order. Takes linear time, whatever the text holds.
pub fn links(text: &[u8]) -> Vec<Link<'_>> {
    const NEEDLE: &[u8] = b"sourceMappingURL=";
    let mut found: Vec<Link<'_>> = Vec::new();
    let mut taken = 0;
    for at in memmem::find_iter(text, NEEDLE) {
        // A URL that holds the needle again is one link; reading on from each would take quadratic time.
        if at < taken {
            continue;
        }
        let Some(link) = link_at(text, at, at + NEEDLE.len()) else {
            continue;
        };
        taken = at + NEEDLE.len() + link.url.len();
        found.push(link);
    }
    if let Some(last) = found.last_mut() {
        last.conforming = ends_text(text, last);
    }
    found
}

/// The link whose needle stands at `needle` and whose URL begins at `url`, if a comment opens right before it.
fn link_at(text: &[u8], needle: usize, url: usize) -> Option<Link<'_>> {
    let before = text.get(..needle)?;
    let gap = before
        .iter()
        .rev()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    let opener = before.get(..needle - gap)?;
    let offset = opener.len().checked_sub(3)?;
    let (kind, legacy_at) = match opener.get(offset..)? {
        b"//#" => (LinkKind::LineComment, false),
        b"//@" => (LinkKind::LineComment, true),
        b"/*#" => (LinkKind::BlockComment, false),
        b"/*@" => (LinkKind::BlockComment, true),
        _ => return None,
    };
    let rest = text.get(url..)?;
    let url = rest.get(..url_length(rest, kind))?;
    (!url.is_empty()).then_some(Link {
        offset,
        url,
        kind,
        legacy_at,
        conforming: false,
    })
}

// ---------------------------------------------------------------------------------------------------- the URL's end

fn url_length(rest: &[u8], kind: LinkKind) -> usize {
    let is_data = strip_scheme(rest, b"data:").is_some();
    let mut at = 0;
    loop {
        at += next_candidate(rest.get(at..).unwrap_or_default());
        let Some(byte) = rest.get(at) else {
            return rest.len();
        };
        let after = rest.get(at + 1..).unwrap_or_default();
        let ends = match byte {
            b'\'' => closes_literal(after, is_data),
            b'\\' => is_data || is_literal_escape(after),
            b'*' => kind == LinkKind::BlockComment && after.first() == Some(&b'/'),
            // The line terminators U+2028 and U+2029.
            0xE2 => matches!(after, [0x80, 0xA8 | 0xA9, ..]),
            _ => true,
        };
        if ends {
            return at;
        }
        at += 1;
    }
}

/// Bytes at which a URL may end: white space and control characters, what no URL holds, and what needs a closer look.
/// Written without branches, so that [`next_candidate`] becomes vector code.
fn is_candidate(byte: u8) -> bool {
    (byte <= b' ')
        | (byte == b'"')
        | (byte == b'`')
        | (byte == b'<')
        | (byte == b'\'')
        | (byte == b'\\')
        | (byte == b'*')
        | (byte == 0xE2)
}

/// How many bytes come before the next candidate. Inline maps are long, so whole blocks are tested at a time, in a
/// form that the compiler turns into vector code.
fn next_candidate(rest: &[u8]) -> usize {
    const BLOCK: usize = 32;
    let (blocks, _) = rest.as_chunks::<BLOCK>();
    let is_clear = |block: &[u8; BLOCK]| !block.iter().fold(false, |any, b| any | is_candidate(*b));
    let clear = blocks.iter().take_while(|block| is_clear(block)).count() * BLOCK;
    let tail = rest.get(clear..).unwrap_or_default();
    clear
        + tail
            .iter()
            .position(|b| is_candidate(*b))
            .unwrap_or(tail.len())
}

/// Whether a `'` in front of `after` closes a string literal. Percent-encoded data may hold `'` (and brackets) itself.
fn closes_literal(after: &[u8], is_data: bool) -> bool {
    match after.first() {
        None => true,
        Some(b')') => !is_data,
        Some(byte) => byte.is_ascii_whitespace() || matches!(byte, b';' | b',' | b'+' | b'\\'),
    }
}

/// Whether a `\` in front of `after` belongs to a string literal rather than to a path with backslashes.
fn is_literal_escape(after: &[u8]) -> bool {
    match after {
        [b'"' | b'\'' | b'`' | b'\\', ..] => true,
        [b'n' | b'r'] => true,
        [b'n' | b'r', next, ..] => {
            next.is_ascii_whitespace() || matches!(next, b'"' | b'\'' | b'`' | b'\\' | b'/')
        }
        _ => false,
    }
}

// ---------------------------------------------------------------------------------------------------- the text's end

/// Whether the link is the whole of its comment and nothing but harmless comments follow.
fn ends_text(text: &[u8], link: &Link<'_>) -> bool {
    if !is_harmless(link.url) || is_inside_comment(text, link.offset) {
        return false;
    }
    let url_end = link.url_start(text) + link.url.len();
    let rest = text.get(url_end..).unwrap_or_default();
    let rest = match link.kind {
        LinkKind::LineComment => skip_line(rest).filter(|(line, _)| line.trim_ascii().is_empty()),
        LinkKind::BlockComment => {
            skip_block(rest).filter(|(inside, _)| inside.trim_ascii().is_empty())
        }
        LinkKind::CustomSection => None,
    };
    rest.is_some_and(|(_, rest)| only_comments(rest))
}

/// Whether a line comment was open already where the link's comment begins.
fn is_inside_comment(text: &[u8], offset: usize) -> bool {
    let before = text.get(..offset).unwrap_or_default();
    let line = memrchr(b'\n', before).map_or(0, |at| at + 1);
    let line = before.get(line..).unwrap_or_default();
    line.trim_ascii_start().starts_with(b"//") || line.ends_with(b"/")
}

fn only_comments(mut rest: &[u8]) -> bool {
    loop {
        rest = rest.trim_ascii_start();
        let comment = match rest {
            [] => return true,
            [b'/', b'/', after @ ..] => skip_line(after),
            [b'/', b'*', after @ ..] => skip_block(after),
            _ => None,
        };
        match comment {
            Some((inside, after)) if is_harmless(inside) => rest = after,
            _ => return false,
        }
    }
}

/// A comment with a quote or `*/` in it may be the inside of a string or of another comment, to a reader that parses.
fn is_harmless(comment: &[u8]) -> bool {
    memchr3(b'"', b'\'', b'`', comment).is_none() && memmem::find(comment, b"*/").is_none()
}

/// Splits at the end of the line.
fn skip_line(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    Some(rest.split_at(memchr2(b'\n', b'\r', rest).unwrap_or(rest.len())))
}

/// Splits at the end of a block comment; `None` where it is not closed.
fn skip_block(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memmem::find(rest, b"*/")?;
    Some((rest.get(..end)?, rest.get(end + 2..)?))
}

// ---------------------------------------------------------------------------------------------------- the target

/// What kind of place a URL points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// The map itself, as a `data:` URL.
    Data,
    /// A place on the network, or a scheme that no file answers.
    Url,
    /// A storage bucket, or an archive on the network.
    Bucket,
    /// A path: relative, absolute, or with `file:`. Only relative ones are ever resolved.
    File,
}

/// Says what a URL points to, by its structure alone.
pub fn classify(url: &[u8]) -> Target {
    if strip_scheme(url, b"data:").is_some() {
        return Target::Data;
    }
    if is_bucket_scheme(url) {
        return Target::Bucket;
    }
    let Some(after_slashes) = network_part(url) else {
        return Target::File;
    };
    let host_end = end_at(after_slashes, b"/?#\\");
    let (authority, path) = after_slashes.split_at(host_end);
    let path = path.get(..end_at(path, b"?#")).unwrap_or_default();
    if is_bucket_host(authority) || is_archive(path) {
        Target::Bucket
    } else {
        Target::Url
    }
}

/// What stands behind `//`, where the URL names a host. `file:` never does; a single letter is a drive, not a scheme.
fn network_part(url: &[u8]) -> Option<&[u8]> {
    if let Some(rest) = url.strip_prefix(b"//") {
        return Some(rest);
    }
    if strip_scheme(url, b"file:").is_some() {
        return None;
    }
    let scheme = super::resolve::scheme_length(url).filter(|length| *length > 2)?;
    let rest = url.get(scheme..)?;
    Some(rest.strip_prefix(b"//").unwrap_or(rest))
}

/// Schemes of command-line tools for object storage.
fn is_bucket_scheme(url: &[u8]) -> bool {
    const SCHEMES: [&[u8]; 8] = [
        b"s3://",
        b"s3a://",
        b"s3n://",
        b"gs://",
        b"az://",
        b"wasb://",
        b"wasbs://",
        b"abfss://",
    ];
    SCHEMES
        .iter()
        .any(|scheme| strip_scheme(url, scheme).is_some())
}

/// Whether a host is that of object storage, told by its labels. The bucket may be a label before these, or stand in
/// the path.
fn is_bucket_host(authority: &[u8]) -> bool {
    let host = authority
        .rsplit(|b| *b == b'@')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let host = host.get(..end_at(&host, b":")).unwrap_or_default();
    let labels: Vec<&[u8]> = host.split(|b| *b == b'.').collect();
    let has = |label: &[u8]| labels.contains(&label);
    let has_pair =
        |first: &[u8], second: &[u8]| labels.windows(2).any(|pair| *pair == [first, second]);
    let has_prefix = |prefix: &[u8]| labels.iter().any(|label| label.starts_with(prefix));
    has(b"s3")
        || has_prefix(b"s3-")
        || has(b"r2")
        || has_pair(b"blob", b"core")
        || has_pair(b"dfs", b"core")
        || has_pair(b"storage", b"googleapis")
        || has_pair(b"storage", b"cloud")
        || has(b"digitaloceanspaces")
        || has(b"backblazeb2")
        || has_prefix(b"oss-")
        || (has(b"cos") && has(b"myqcloud"))
}

fn is_archive(path: &[u8]) -> bool {
    const ENDINGS: [&[u8]; 11] = [
        b".zip",
        b".tar",
        b".tgz",
        b".tar.gz",
        b".7z",
        b".tar.xz",
        b".txz",
        b".tar.bz2",
        b".tbz2",
        b".tar.zst",
        b".rar",
    ];
    ENDINGS.iter().any(|ending| {
        path.len()
            .checked_sub(ending.len())
            .and_then(|from| path.get(from..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(ending))
    })
}

/// What stands behind `prefix`, whose letters may be of either case.
pub(super) fn strip_scheme<'u>(url: &'u [u8], prefix: &[u8]) -> Option<&'u [u8]> {
    let (front, rest) = url.split_at_checked(prefix.len())?;
    front.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Offset of the first of `stops`, or the length.
fn end_at(text: &[u8], stops: &[u8]) -> usize {
    text.iter()
        .position(|b| stops.contains(b))
        .unwrap_or(text.len())
}

#[cfg(test)]
mod wasm_tests {
    use proptest::prelude::*;

    use super::*;

    /// A module with a type section and these custom sections.
    fn module(customs: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = b"\0asm\x01\0\0\0\x01\x01\0".to_vec();
        for (name, body) in customs {
            let section = [&[name.len() as u8], name.as_bytes(), body].concat();
            // In two bytes, as linkers pad it.
            bytes.extend([0, section.len() as u8 | 0x80, (section.len() >> 7) as u8]);
            bytes.extend(section);
        }
        bytes
    }

    #[test]
    fn the_url_is_in_a_custom_section() {
        let bytes = module(&[
            ("name", b"\x03abc"),
            ("sourceMappingURL", b"\x08app.wasm.map"),
        ]);
        let found = wasm_links(&bytes);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].url, b"app.wasm");
        assert!(found[0].conforming);
        assert!(wasm_links(&module(&[("sourceMappingURL", b"\x09short")])).is_empty());
        assert!(wasm_links(b"\0asm").is_empty());
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = wasm_links(&[b"\0asm\x01\0\0\0", &bytes[..]].concat());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// URLs and whether they conform.
    fn found(text: &str) -> Vec<(&str, bool)> {
        links(text.as_bytes())
            .iter()
            .map(|link| (std::str::from_utf8(link.url).unwrap(), link.conforming))
            .collect()
    }

    #[test]
    fn a_comment_at_the_end_of_a_script_conforms() {
        for text in [
            "let a;\n//# sourceMappingURL=foo.js.map",
            "let a;\n//# sourceMappingURL=foo.js.map\n\n  \n",
            "let a;\n//@ sourceMappingURL=foo.js.map\r\n",
            "let a; //# sourceMappingURL=foo.js.map\n// the end\n",
            "let a;\n//#\tsourceMappingURL=foo.js.map \n/* licence */\n",
            "let a;\n//#sourceMappingURL=foo.js.map",
            ".a{}\n/*# sourceMappingURL=foo.js.map */\n",
            ".a{}\n/*# sourceMappingURL=foo.js.map*/",
        ] {
            assert_eq!(found(text), [("foo.js.map", true)], "{text}");
        }
    }

    #[test]
    fn a_link_that_a_browser_would_not_follow_is_reported_all_the_same() {
        for text in [
            "//# sourceMappingURL=foo.js.map\nlet a;",
            "//# sourceMappingURL=foo.js.map more",
            "////# sourceMappingURL=foo.js.map",
            "// see //# sourceMappingURL=foo.js.map",
            "/*# sourceMappingURL=foo.js.map",
            "/*# sourceMappingURL=foo.js.map and */",
            "eval(\"a\\n//# sourceMappingURL=foo.js.map\\n//# sourceURL=x\")",
            "eval(\"a\\n//# sourceMappingURL=foo.js.map\");",
            "x = '//# sourceMappingURL=foo.js.map';",
            "x = `//# sourceMappingURL=foo.js.map`",
            "<script>//# sourceMappingURL=foo.js.map</script>",
            // The standard's own example of an ambiguous link.
            "let a = `\n//# sourceMappingURL=foo.js.map\n//`",
            "//# sourceMappingURL=foo.js.map\n/* open",
        ] {
            assert_eq!(found(text), [("foo.js.map", false)], "{text}");
        }
        assert_eq!(
            found("//# sourceMappingURL=a*/b.map"),
            [("a*/b.map", false)]
        );
    }

    #[test]
    fn only_the_last_of_several_conforms() {
        let text = "//# sourceMappingURL=a.map\ncode()\n//# sourceMappingURL=b.map\n//# sourceMappingURL=c.map\n";
        assert_eq!(
            found(text),
            [("a.map", false), ("b.map", false), ("c.map", true)]
        );
        let css = "/*# sourceMappingURL=a.map */.b{}/*@ sourceMappingURL=b.map */";
        assert_eq!(found(css), [("a.map", false), ("b.map", true)]);
        let links = links(css.as_bytes());
        assert_eq!((links[1].offset, links[1].legacy_at), (33, true));
        assert_eq!(links[1].kind, LinkKind::BlockComment);
    }

    #[test]
    fn the_word_without_a_comment_or_a_url_is_no_link() {
        for text in [
            "sourceMappingURL=a.map",
            "// sourceMappingURL=a.map",
            "/# sourceMappingURL=a.map",
            "#  sourceMappingURL=a.map",
            "x += \"//# sourceMappingURL=\" + url",
            "//# sourceMappingURL=\n",
            "//# sourceMappingURL =a.map",
            "//# sourceURL=a.js",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn a_data_url_in_a_string_literal_ends_where_the_literal_says() {
        let text = r#"eval("x();\n//# sourceMappingURL=data:application/json;charset=utf-8;base64,eyJ2ZXJzaW9uIjozfQ==\n//# sourceURL=webpack-internal:///1\n");"#;
        assert_eq!(
            found(text),
            [(
                "data:application/json;charset=utf-8;base64,eyJ2ZXJzaW9uIjozfQ==",
                false
            )]
        );
    }

    #[test]
    fn percent_encoded_data_may_hold_quotes_and_stars() {
        let text = "//# sourceMappingURL=data:application/json,%7B%22a%22:('x')*%2F%7D\n";
        assert_eq!(
            found(text),
            [("data:application/json,%7B%22a%22:('x')*%2F%7D", false)]
        );
    }

    #[test]
    fn paths_with_backslashes_are_kept_whole() {
        assert_eq!(
            found("//# sourceMappingURL=..\\nested\\x.map"),
            [("..\\nested\\x.map", true)]
        );
    }

    #[test]
    fn line_separators_end_a_url() {
        assert_eq!(
            found("//# sourceMappingURL=é.map\u{2028}//x"),
            [("é.map", false)]
        );
    }

    #[test]
    fn a_long_text_of_links_takes_linear_time() {
        let text = "//#sourceMappingURL=".repeat(200_000);
        assert_eq!(links(text.as_bytes()).len(), 1);
        let text = "//#sourceMappingURL=a ".repeat(200_000);
        assert_eq!(links(text.as_bytes()).len(), 200_000);
        let text = format!("sourceMappingURL={}", " ".repeat(1_000)).repeat(1_000);
        assert_eq!(links(text.as_bytes()).len(), 0);
    }

    #[test]
    fn targets_are_told_by_structure() {
        for (url, target) in [
            ("data:application/json;base64,e30=", Target::Data),
            ("DATA:,", Target::Data),
            ("foo.js.map", Target::File),
            ("../maps/foo.js.map?v=1", Target::File),
            ("/abs/foo.js.map", Target::File),
            ("file:///home/u/foo.js.map", Target::File),
            ("C:\\build\\foo.js.map", Target::File),
            ("src.zip", Target::File),
            ("", Target::File),
            ("https://cdn.example/foo.js.map", Target::Url),
            ("//cdn.example/foo.js.map", Target::Url),
            ("http://localhost:8080/foo.js.map", Target::Url),
            ("webpack:///foo.js.map", Target::Url),
            ("https://maps3.example/s3/r2/foo.map", Target::Url),
            ("https://s3.example/bucket/foo.js.map", Target::Bucket),
            (
                "https://bucket.S3.eu-west-1.example/foo.map",
                Target::Bucket,
            ),
            (
                "https://bucket.s3-eu-west-1.example/foo.map",
                Target::Bucket,
            ),
            ("//u:p@pub-0.r2.example:443/foo.map?zip", Target::Bucket),
            (
                "https://acct.blob.core.windows.example/c/foo.map",
                Target::Bucket,
            ),
            ("https://storage.googleapis.com/b/foo.map", Target::Bucket),
            (
                "https://cdn.example/release/src.ZIP?sig=1#x",
                Target::Bucket,
            ),
            ("https://cdn.example/src.tar.gz", Target::Bucket),
            ("https://cdn.example/foo.map?file=a.zip", Target::Url),
            ("s3://bucket/key", Target::Bucket),
            ("gs://bucket/key", Target::Bucket),
        ] {
            assert_eq!(classify(url.as_bytes()), target, "{url}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_every_link_points_back_at_itself(pieces in prop::collection::vec(prop_oneof![
            Just("//# "), Just("/*@"), Just("sourceMappingURL="), Just("*/"), Just("'"), Just("\""), Just("\\n"),
            Just("\n"), Just(" "), Just("data:"), Just("a.map"), Just("//"), Just("é"), Just("\u{2028}"),
            Just("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")], 0..40)) {
            let text = pieces.concat();
            let found = links(text.as_bytes());
            for link in &found {
                prop_assert!(text.as_bytes()[link.url_start(text.as_bytes())..].starts_with(link.url));
                prop_assert!(!link.url.is_empty() && !link.url.contains(&b' ') && !link.url.contains(&b'\n'));
                classify(link.url);
            }
            let conforming = found.iter().filter(|link| link.conforming).count();
            prop_assert!(conforming <= 1);
        }
    }
}
