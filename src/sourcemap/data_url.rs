//! `data:` URLs (RFC 2397; the Fetch standard's "data: URL processor"), the way maps sit inside the code they describe.
//!
//! Tools write them with and without padding, with `charset=UTF-8` in any case and any place, as `text/json`, or
//! percent-encoded rather than in base64; and a truncated file ends in the middle of one. Whatever can be decoded is
//! given back, and [`DataUrl::complete`] says whether that was all.
//!
//! Two departures from the standard, both so as not to lose text: a `#` in a payload that is not base64 is data rather
//! than the beginning of a fragment, and base64 that turns invalid keeps what came before.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::memchr;
use thiserror::Error;

/// A decoded `data:` URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataUrl {
    /// The media type in lower case, without parameters; `text/plain` where none is given.
    pub mime: String,
    /// The `charset` parameter as written.
    pub charset: Option<String>,
    /// Whether the payload is in base64 (else it is percent-encoded).
    pub base64: bool,
    /// The payload.
    pub bytes: Vec<u8>,
    /// Whether the whole payload could be decoded. If not, `bytes` is what came before the damage.
    pub complete: bool,
}

/// Why a URL could not be read as `data:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DataUrlError {
    /// Another scheme, or none.
    #[error("not a data URL: it does not begin with `data:`")]
    NotData,
    /// No comma: there is nothing that could be the payload.
    #[error(
        "data URL without payload: no comma in its {length} bytes; the text it stands in may be cut"
    )]
    NoComma {
        /// Length of the URL in bytes.
        length: usize,
    },
}

/// Decodes a `data:` URL.
///
/// # Errors
/// [`DataUrlError`] when there is no payload at all; damage inside the payload is no error.
pub fn decode(url: &[u8]) -> Result<DataUrl, DataUrlError> {
    let rest = super::link::strip_scheme(url, b"data:").ok_or(DataUrlError::NotData)?;
    let comma = memchr(b',', rest).ok_or(DataUrlError::NoComma { length: url.len() })?;
    let (header, payload) = rest.split_at(comma);
    let payload = payload.get(1..).unwrap_or_default();
    let header = Header::parse(header);
    let (bytes, complete) = if header.base64 {
        decode_base64(payload)
    } else {
        percent_decode(payload)
    };
    Ok(DataUrl {
        mime: header.mime,
        charset: header.charset,
        base64: header.base64,
        bytes,
        complete,
    })
}

struct Header {
    mime: String,
    charset: Option<String>,
    base64: bool,
}

impl Header {
    fn parse(header: &[u8]) -> Header {
        let header = String::from_utf8_lossy(header);
        let mut parts = header.split(';').map(str::trim);
        let mime = parts.next().unwrap_or_default().to_ascii_lowercase();
        let mut parsed = Header {
            mime: if mime.is_empty() {
                "text/plain".to_owned()
            } else {
                mime
            },
            charset: None,
            base64: false,
        };
        for part in parts {
            if part.eq_ignore_ascii_case("base64") {
                parsed.base64 = true;
            } else if let Some((name, value)) = part.split_once('=')
                && name.trim().eq_ignore_ascii_case("charset")
            {
                parsed.charset = Some(value.trim().trim_matches('"').to_owned());
            }
        }
        parsed
    }
}

// ---------------------------------------------------------------------------------------------------- base64

/// Takes any or no padding, and stray bits behind the last byte.
const FORGIVING: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

fn decode_base64(payload: &[u8]) -> (Vec<u8>, bool) {
    if let Ok(bytes) = FORGIVING.decode(payload) {
        return (bytes, true);
    }
    let (mut digits, mut complete) = base64_digits(payload);
    // One digit of a group of four holds six bits: less than a byte.
    if digits.len() % 4 == 1 {
        digits.pop();
        complete = false;
    }
    match FORGIVING.decode(&digits) {
        Ok(bytes) => (bytes, complete),
        Err(_) => (Vec::new(), false),
    }
}

/// The base64 digits of a payload in the standard alphabet, and whether the payload holds nothing else. White space is
/// dropped, percent-encoding undone, the alphabet for URLs translated; padding or a fragment ends it.
fn base64_digits(payload: &[u8]) -> (Vec<u8>, bool) {
    let (decoded, mut complete) = percent_decode(payload);
    let mut digits = Vec::with_capacity(decoded.len());
    let mut rest = decoded.iter();
    for byte in rest.by_ref() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => digits.push(*byte),
            b'-' => digits.push(b'+'),
            b'_' => digits.push(b'/'),
            b'#' => break,
            b'=' => {
                let after = rest.as_slice();
                let fragment = memchr(b'#', after).unwrap_or(after.len());
                let padding = after.get(..fragment).unwrap_or_default();
                complete &= padding
                    .iter()
                    .all(|b| *b == b'=' || b.is_ascii_whitespace());
                break;
            }
            b if b.is_ascii_whitespace() => {}
            _ => {
                complete = false;
                break;
            }
        }
    }
    (digits, complete)
}

// ---------------------------------------------------------------------------------------------------- percent

/// Undoes percent-encoding (URL standard, "percent-decode"). A `%` without two hexadecimal digits stays as it is; the
/// flag is false where the text ends inside an escape.
pub(super) fn percent_decode(text: &[u8]) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(percent) = memchr(b'%', rest) {
        let (plain, escape) = rest.split_at(percent);
        out.extend_from_slice(plain);
        match escape {
            [_, high, low, after @ ..] if let Some(byte) = hex_byte(*high, *low) => {
                out.push(byte);
                rest = after;
            }
            [_] => return (out, false),
            [_, digit] if digit.is_ascii_hexdigit() => return (out, false),
            _ => {
                out.push(b'%');
                rest = escape.get(1..).unwrap_or_default();
            }
        }
    }
    out.extend_from_slice(rest);
    (out, true)
}

fn hex_byte(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
    use proptest::prelude::*;

    use super::*;

    fn ok(url: &str) -> DataUrl {
        decode(url.as_bytes()).unwrap()
    }

    #[test]
    fn every_spelling_of_the_header_is_read() {
        for (url, mime, charset) in [
            (
                "data:application/json;base64,e30=",
                "application/json",
                None,
            ),
            (
                "data:application/json;charset=utf-8;base64,e30",
                "application/json",
                Some("utf-8"),
            ),
            (
                "DATA:Application/JSON; Charset=UTF-8 ;BASE64,e30=",
                "application/json",
                Some("UTF-8"),
            ),
            (
                "data:text/json;base64;charset=\"utf8\",e30",
                "text/json",
                Some("utf8"),
            ),
            ("data:;x=y;base64,e30", "text/plain", None),
        ] {
            let read = ok(url);
            assert_eq!(
                (read.mime.as_str(), read.charset.as_deref()),
                (mime, charset),
                "{url}"
            );
            assert!(read.base64 && read.complete);
            assert_eq!(read.bytes, b"{}");
        }
    }

    #[test]
    fn percent_encoded_payloads_are_decoded() {
        let read = ok("data:application/json,%7B%22a%22%3A%22%C3%A9#1%22}");
        assert_eq!(read.bytes, "{\"a\":\"é#1\"}".as_bytes());
        assert!(!read.base64 && read.complete);
        assert_eq!(ok("data:,100%zz%").bytes, b"100%zz");
        assert!(!ok("data:,a%4").complete);
        assert!(ok("data:,a%zz").complete);
    }

    #[test]
    fn damaged_base64_gives_what_came_before() {
        for (url, bytes, complete) in [
            ("data:;base64,e30=", &b"{}"[..], true),
            ("data:;base64,e3 0\n=", b"{}", true),
            ("data:;base64,e30%3D", b"{}", true),
            ("data:;base64,e30=#frag", b"{}", true),
            ("data:;base64,e31=", b"{}", true),
            ("data:;base64,e30=e30=", b"{}", false),
            ("data:;base64,e30!!!", b"{}", false),
            ("data:;base64,YWJjZ", b"abc", false),
            ("data:;base64,YWJjZA%3", b"abcd", false),
            ("data:;base64,-_-_", &[0xFB, 0xFF, 0xBF], true),
            ("data:;base64,", b"", true),
        ] {
            let read = ok(url);
            assert_eq!(
                (read.bytes.as_slice(), read.complete),
                (bytes, complete),
                "{url}"
            );
        }
    }

    #[test]
    fn what_is_no_data_url_says_so() {
        assert_eq!(decode(b"https://x/"), Err(DataUrlError::NotData));
        assert_eq!(
            decode(b"data:application/json;base64"),
            Err(DataUrlError::NoComma { length: 28 })
        );
    }

    proptest! {
        #[test]
        fn whatever_was_encoded_comes_back(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            for payload in [STANDARD.encode(&bytes), STANDARD_NO_PAD.encode(&bytes), URL_SAFE.encode(&bytes)] {
                let read = ok(&format!("data:application/json;base64,{payload}"));
                prop_assert_eq!(&read.bytes, &bytes);
                prop_assert!(read.complete);
            }
            let percent: String = bytes.iter().map(|b| format!("%{b:02X}")).collect();
            prop_assert_eq!(ok(&format!("data:,{percent}")).bytes, bytes);
        }

        #[test]
        fn a_cut_gives_a_prefix(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in any::<prop::sample::Index>()) {
            let payload = STANDARD.encode(&bytes);
            let read = ok(&format!("data:;base64,{}", &payload[..cut.index(payload.len() + 1)]));
            prop_assert!(bytes.starts_with(&read.bytes));
            prop_assert!(read.bytes.len() + 3 > cut.index(payload.len() + 1) / 4 * 3);
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(tail in prop::collection::vec(
            prop_oneof![Just(b'%'), Just(b','), Just(b';'), Just(b'='), any::<u8>()], 0..60), base64: bool) {
            let url = [if base64 { &b"data:;base64,"[..] } else { b"data:" }, &tail].concat();
            if let Ok(read) = decode(&url) {
                prop_assert!(read.bytes.len() <= url.len());
            }
        }
    }
}
