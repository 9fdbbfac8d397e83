//! Modules that a bundler put into `eval` calls, one string literal each.
//!
//! Development builds do so, and are published by mistake like all else: `eval("…\n//# sourceURL=PATH")`, in newer
//! ones wrapped once more for trusted types. The literal holds a whole module, and often a data URL with a map of it.
//! A call counts when its literal names a `sourceURL`, which nothing else has reason to. Such a module is what the
//! bundler made of a file, not the file: it is given as a member with its path, and never called a source.

use memchr::memmem;

/// One module in a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module<'a> {
    /// Offset of the first byte after the opening quote.
    pub offset: usize,
    /// The literal between its quotes, as written.
    pub raw: &'a [u8],
}

/// The word by which such a module names itself.
const SOURCE_URL: &[u8] = b"sourceURL=";

/// Finds every module in a script, in order.
pub fn modules(text: &[u8]) -> Vec<Module<'_>> {
    let mut modules = Vec::new();
    let mut from = 0;
    while let Some(found) = memmem::find(text.get(from..).unwrap_or_default(), b"eval(") {
        from += found + b"eval(".len();
        let Some(module) = literal_at(text, from) else {
            continue;
        };
        from = module.offset + module.raw.len();
        if memmem::find(module.raw, SOURCE_URL).is_some() {
            modules.push(module);
        }
    }
    modules
}

/// The literal that stands at `at`, perhaps as the argument of one function more.
fn literal_at(text: &[u8], at: usize) -> Option<Module<'_>> {
    /// Longer than the name of any function that wraps such a literal.
    const WRAPPER_MAX: usize = 64;
    let rest = text.get(at..)?;
    let wrapper = rest
        .iter()
        .take(WRAPPER_MAX)
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_$.(".contains(byte))
        .count();
    let quote = *rest.get(wrapper)?;
    if !matches!(quote, b'"' | b'\'' | b'`') {
        return None;
    }
    let offset = at + wrapper + 1;
    let literal = text.get(offset..)?;
    let raw = literal.get(..literal_len(literal, quote)?)?;
    Some(Module { offset, raw })
}

/// Length of the literal whose inside begins `literal`, up to the quote that closes it.
pub(super) fn literal_len(literal: &[u8], quote: u8) -> Option<usize> {
    let mut end = 0;
    loop {
        end += memchr::memchr2(quote, b'\\', literal.get(end..)?)?;
        if literal.get(end) == Some(&quote) {
            return Some(end);
        }
        end += 2;
    }
}

impl Module<'_> {
    /// The text of the module: the literal without its escapes (ECMA-262, "String Literals").
    ///
    /// Escapes that the standard does not know stand for the character behind the backslash, as it says. A surrogate
    /// without its other half is kept in three bytes.
    pub fn text(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(self.raw.len());
        let mut rest = self.raw;
        while let Some(at) = memchr::memchr(b'\\', rest) {
            let (before, escape) = rest.split_at(at);
            text.extend_from_slice(before);
            rest = unescape(escape.get(1..).unwrap_or_default(), &mut text);
        }
        text.extend_from_slice(rest);
        text
    }
}

/// What a module calls itself, verbatim; `None` where it does not.
pub fn path(module: &[u8]) -> Option<&[u8]> {
    let at = memmem::rfind(module, SOURCE_URL)? + SOURCE_URL.len();
    let rest = module.get(at..)?;
    let len = rest
        .iter()
        .position(|byte| byte.is_ascii_whitespace())
        .unwrap_or(rest.len());
    rest.get(..len).filter(|path| !path.is_empty())
}

/// Writes what stands behind a backslash, and gives what follows it.
fn unescape<'a>(escape: &'a [u8], text: &mut Vec<u8>) -> &'a [u8] {
    let Some((letter, rest)) = escape.split_first() else {
        return escape;
    };
    let plain = match letter {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 0x08,
        b'f' => 0x0c,
        b'v' => 0x0b,
        b'0' if !rest.first().is_some_and(u8::is_ascii_digit) => 0,
        // A line end behind a backslash is none of the text.
        b'\r' => return rest.strip_prefix(b"\n").unwrap_or(rest),
        b'\n' => return rest,
        b'x' => {
            let Some((value, rest)) = hex(rest, 2) else {
                text.push(b'x');
                return rest;
            };
            put(value, text);
            return rest;
        }
        b'u' => return unicode(rest, text),
        other => *other,
    };
    text.push(plain);
    rest
}

fn unicode<'a>(rest: &'a [u8], text: &mut Vec<u8>) -> &'a [u8] {
    if let Some(braced) = rest.strip_prefix(b"{") {
        let digits = braced
            .iter()
            .take(8)
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count();
        if let Some((value, after)) = hex(braced, digits)
            && let Some(after) = after.strip_prefix(b"}")
            && value <= u32::from(char::MAX)
        {
            put(value, text);
            return after;
        }
    } else if let Some((high, after)) = hex(rest, 4) {
        let low = after.strip_prefix(b"\\u").and_then(|low| hex(low, 4));
        if let (0xD800..=0xDBFF, Some((low @ 0xDC00..=0xDFFF, after))) = (high, low) {
            put(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00), text);
            return after;
        }
        put(high, text);
        return after;
    }
    text.push(b'u');
    rest
}

/// The value of so many hexadecimal digits, and what follows them.
fn hex(text: &[u8], digits: usize) -> Option<(u32, &[u8])> {
    let (digits, rest) = text
        .split_at_checked(digits)
        .filter(|(digits, _)| !digits.is_empty())?;
    let value = digits.iter().try_fold(0, |value, digit| {
        Some(value << 4 | char::from(*digit).to_digit(16)?)
    })?;
    Some((value, rest))
}

/// Writes a code point; a surrogate in three bytes (WTF-8).
fn put(value: u32, text: &mut Vec<u8>) {
    match char::from_u32(value) {
        Some(character) => text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        None => text.extend([
            0xE0 | (value >> 12) as u8,
            0x80 | (value >> 6 & 0x3F) as u8,
            0x80 | (value & 0x3F) as u8,
        ]),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(literal: &str) -> String {
        let module = Module {
            offset: 0,
            raw: literal.as_bytes(),
        };
        String::from_utf8(module.text()).unwrap()
    }

    #[test]
    fn modules_are_found_with_their_paths() {
        let script = r#"
"./src/a.js": (() => { eval("const a = \"x\";\n\n//# sourceURL=webpack://app/./src/a.js?"); }),
"./src/b.js": (() => { eval(__webpack_require__.ts('b\'s\n//# sourceURL=webpack-internal:///./src/b.js\n')); }),
eval("1 + 1"); eval(code); eval(`t\n//# sourceURL=c.js`);"#;
        let found = modules(script.as_bytes());
        let texts: Vec<_> = found.iter().map(Module::text).collect();
        let paths: Vec<_> = texts.iter().filter_map(|text| path(text)).collect();
        assert_eq!(
            paths,
            [
                b"webpack://app/./src/a.js?".as_slice(),
                b"webpack-internal:///./src/b.js",
                b"c.js"
            ]
        );
        assert!(texts[0].starts_with(b"const a = \"x\";\n\n//#"));
        assert!(texts[1].starts_with(b"b's\n"));
        for module in &found {
            assert!(script.as_bytes()[module.offset..].starts_with(module.raw));
        }
    }

    #[test]
    fn escapes_read_as_the_standard_says() {
        assert_eq!(
            text(r"a\n\t\r\b\f\v\0\\\'\q"),
            "a\n\t\r\u{8}\u{c}\u{b}\0\\'q"
        );
        assert_eq!(text(r"\x41\u0042\u{43}\u{1F600}\uD83D\uDE00"), "ABC😀😀");
        assert_eq!(text("one\\\ntwo\\\r\nthree"), "onetwothree");
        assert_eq!(text(r"\xZ\u12\u{}"), "xZu12u{}");
        let lone = Module {
            offset: 0,
            raw: br"\uD800!",
        };
        assert_eq!(lone.text(), b"\xED\xA0\x80!");
    }

    #[test]
    fn what_has_no_end_or_no_path_is_no_module() {
        assert_eq!(modules(br#"eval("x //# sourceURL=a.js"#), []);
        assert_eq!(modules(br#"eval("x")"#), []);
        assert_eq!(modules(br#"medieval(["sourceURL=a"])"#), []);
        assert_eq!(path(b"x //# sourceURL="), None);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(script in r#"(eval\(|["'`\\]|\\u\{?|[0-9a-fx]|sourceURL=|[ -~])*"#) {
            for module in modules(script.as_bytes()) {
                prop_assert!(module.text().len() <= module.raw.len());
            }
        }

        #[test]
        fn what_json_writes_is_read_back(body in any::<String>()) {
            let body = format!("{body}\n//# sourceURL=x.js");
            let script = format!("eval({});", serde_json::to_string(&body).unwrap());
            let found = modules(script.as_bytes());
            prop_assert_eq!(found.len(), 1);
            prop_assert_eq!(found[0].text(), body.into_bytes());
        }
    }
}
