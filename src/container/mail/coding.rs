//! Transfer codings of mail: base64 and quoted-printable (RFC 2045, 6), uuencode (POSIX, `uuencode`).
//!
//! All are read as far as they can be: what does not belong is passed over as the standard asks, and counted, so that the
//! caller can say it. What is made is never longer than what was read.

/// What came of undoing a coding.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Characters that do not belong and were passed over.
    pub junk: usize,
    /// The last group is not whole.
    pub is_cut: bool,
    /// Where what is no more of it begins; the length where nothing is.
    pub end: usize,
}

const SKIP: u8 = 0xfe;
const JUNK: u8 = 0xff;
const PAD: u8 = 0xfd;

/// What each character stands for in base64.
const DIGITS: [u8; 256] = {
    let mut table = [JUNK; 256];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut at = 0;
    while at < 64 {
        table[alphabet[at] as usize] = at as u8;
        at += 1;
    }
    table[b' ' as usize] = SKIP;
    table[b'\t' as usize] = SKIP;
    table[b'\r' as usize] = SKIP;
    table[b'\n' as usize] = SKIP;
    table[b'=' as usize] = PAD;
    table
};

/// Undoes base64. Padding ends a group, and another may follow, as some programs write a group for each line; a line
/// that is no base64 ends the whole behind padding, since mailing lists put their own text there.
pub fn base64(text: &[u8]) -> Decoded {
    let mut decoded = Decoded {
        bytes: Vec::with_capacity(text.len() / 4 * 3),
        end: text.len(),
        ..Decoded::default()
    };
    let (mut held, mut digits, mut was_padded) = (0_u32, 0, false);
    let mut line_at = 0;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let is_behind = was_padded && digits == 0;
        if is_behind && line.iter().any(|&byte| DIGITS[usize::from(byte)] == JUNK) {
            decoded.end = line_at;
            return decoded;
        }
        line_at += line.len();
        for &byte in line {
            match DIGITS[usize::from(byte)] {
                SKIP => {}
                JUNK => decoded.junk += 1,
                PAD => {
                    was_padded = true;
                    decoded.flush(held, digits);
                    (held, digits) = (0, 0);
                }
                digit => {
                    held = held << 6 | u32::from(digit);
                    digits += 1;
                    if digits == 4 {
                        let [_, a, b, c] = held.to_be_bytes();
                        decoded.bytes.extend([a, b, c]);
                        (held, digits) = (0, 0);
                    }
                }
            }
        }
    }
    // Encoders that leave padding out are common; one digit alone is no byte.
    decoded.flush(held, digits);
    decoded
}

impl Decoded {
    /// The bytes of a group of fewer than four digits.
    fn flush(&mut self, held: u32, digits: u32) {
        match digits {
            1 => self.is_cut = true,
            2 => self.bytes.push((held >> 4) as u8),
            3 => self.bytes.extend([(held >> 10) as u8, (held >> 2) as u8]),
            _ => {}
        }
    }
}

/// Undoes quoted-printable; also says how many `=` stand where they mean nothing, and were left.
pub fn quoted_printable(text: &[u8]) -> (Vec<u8>, usize) {
    let mut bytes = Vec::with_capacity(text.len());
    let mut odd = 0;
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'=', rest) {
        bytes.extend(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(byte) = hex(rest) {
            bytes.push(byte);
            rest = &rest[2..];
            continue;
        }
        // A soft line break, with blanks that some transport put before it.
        let blanks = rest
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        match &rest[blanks..] {
            [b'\r', b'\n', behind @ ..] | [b'\n', behind @ ..] => rest = behind,
            [] => rest = &[],
            _ => {
                bytes.push(b'=');
                odd += 1;
            }
        }
    }
    bytes.extend(rest);
    (bytes, odd)
}

/// The byte of two hexadecimal digits at the front.
fn hex(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    Some((digit(0)? << 4 | digit(1)?) as u8)
}

/// Text with its percent signs undone; those that mean nothing are left.
pub fn without_percent(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, behind @ ..] = rest {
        match hex(behind) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    bytes
}

// ---------------------------------------------------------------------------------------------------------------
// uuencode

/// A file that stands uuencoded in a text.
#[derive(Debug, PartialEq, Eq)]
pub struct Encoded {
    /// Where its first line begins.
    pub at: usize,
    /// Behind its last line.
    pub end: usize,
    /// As its first line says.
    pub name: Vec<u8>,
    /// The file.
    pub bytes: Vec<u8>,
    /// Its last line is not there.
    pub is_cut: bool,
}

/// The next file from `from` on, which is the beginning of a line.
pub fn next_encoded(text: &[u8], from: usize) -> Option<Encoded> {
    let mut at = from;
    loop {
        let rest = text.get(at..)?;
        if let Some(encoded) = encoded_at(text, at) {
            return Some(encoded);
        }
        at += memchr::memmem::find(rest, b"\nbegin")? + 1;
    }
}

fn encoded_at(text: &[u8], at: usize) -> Option<Encoded> {
    let first = line_at(text, at);
    let (is_base64, head) = match first.strip_prefix(b"begin-base64 ") {
        Some(head) => (true, head),
        None => (false, first.strip_prefix(b"begin ")?),
    };
    let digits = head.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let name = head[digits..].strip_prefix(b" ")?.trim_ascii();
    if !(3..=4).contains(&digits) || name.is_empty() {
        return None;
    }
    let mut encoded = Encoded {
        at,
        end: at + first.len(),
        name: name.to_vec(),
        bytes: Vec::new(),
        is_cut: true,
    };
    let body_at = encoded.end;
    while encoded.end < text.len() {
        let line = line_at(text, encoded.end);
        let bare = super::head::without_end(line);
        let is_last = bare
            == if is_base64 {
                b"====".as_slice()
            } else {
                b"end"
            };
        if is_last {
            encoded.end += line.len();
            encoded.is_cut = false;
            break;
        }
        if is_base64 {
            if bare.is_empty() || bare.iter().any(|&byte| DIGITS[usize::from(byte)] == JUNK) {
                break;
            }
        } else if !uu_line(bare, &mut encoded.bytes) {
            break;
        }
        encoded.end += line.len();
    }
    if is_base64 {
        let end = text[body_at..encoded.end].strip_suffix(b"====\n");
        encoded.bytes = base64(end.unwrap_or(&text[body_at..encoded.end])).bytes;
    }
    // A line of prose may begin with the word.
    (encoded.end > body_at).then_some(encoded)
}

fn line_at(text: &[u8], at: usize) -> &[u8] {
    let rest = &text[at..];
    &rest[..memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1)]
}

/// Undoes one line. `false` where it is none.
fn uu_line(line: &[u8], bytes: &mut Vec<u8>) -> bool {
    let value = |byte: u8| u32::from(byte.wrapping_sub(b' ') & 63);
    let Some((&first, digits)) = line.split_first() else {
        return false;
    };
    let len = value(first) as usize;
    let wanted = len.div_ceil(3) * 4;
    let is_text = line.iter().all(|byte| (b' '..=b'`').contains(byte));
    // Blanks at the end may be lost on the way, and some programs put a checksum there.
    if !is_text || digits.len() > wanted + 2 || digits.len() + 8 < wanted {
        return false;
    }
    let start = bytes.len();
    for at in (0..wanted).step_by(4) {
        let digit = |index: usize| value(digits.get(at + index).copied().unwrap_or(b' '));
        let group = digit(0) << 18 | digit(1) << 12 | digit(2) << 6 | digit(3);
        let [_, a, b, c] = group.to_be_bytes();
        bytes.extend([a, b, c]);
    }
    bytes.truncate(start + len);
    true
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use proptest::prelude::*;

    use super::*;

    /// The vectors of RFC 4648 (10), with and without their padding.
    #[test]
    fn base64_of_the_standard() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            for coded in [coded, coded.trim_end_matches('=')] {
                let decoded = base64(coded.as_bytes());
                assert_eq!(decoded.bytes, plain.as_bytes());
                assert_eq!((decoded.junk, decoded.is_cut), (0, false));
            }
        }
        let odd = base64(b"Zm\r\n9*v!Y");
        assert_eq!(
            (odd.bytes.as_slice(), odd.junk, odd.is_cut),
            (&b"foo"[..], 2, true)
        );
        assert_eq!(base64(b"Zg==\nZg==\n").bytes, b"ff");
        let footer = base64(b"Zg==\n____\nlist\n");
        assert_eq!((footer.bytes.as_slice(), footer.end), (&b"f"[..], 5));
    }

    #[test]
    fn quoted_printable_of_the_standard() {
        let (bytes, odd) = quoted_printable(
            b"Now's the time =\r\nfor all folk to come=\n to the aid =3d=C3=a9 = =x=",
        );
        assert_eq!(odd, 2);
        assert_eq!(
            String::from_utf8_lossy(&bytes),
            "Now's the time for all folk to come to the aid =é = =x"
        );
    }

    #[test]
    fn uuencoded_files_are_found_in_text() {
        let text = b"hello\nbegin to think\nbegin 644 cat.txt\n#0V%T\n`\nend\nbegin-base64 600 f\nZm9v\n====\nbye\n";
        let first = next_encoded(text, 0).unwrap();
        assert_eq!(
            (first.name.as_slice(), first.bytes.as_slice()),
            (&b"cat.txt"[..], &b"Cat"[..])
        );
        let second = next_encoded(text, first.end).unwrap();
        assert_eq!(
            (second.name.as_slice(), second.bytes.as_slice()),
            (&b"f"[..], &b"foo"[..])
        );
        assert!(!first.is_cut && !second.is_cut);
        assert_eq!(next_encoded(text, second.end), None);
        assert!(next_encoded(b"begin 644 x\n#0V%T\n", 0).unwrap().is_cut);
    }

    proptest! {
        #[test]
        fn base64_comes_back_whatever_its_lines(bytes in proptest::collection::vec(any::<u8>(), 0..400), width in 1..90_usize) {
            let coded = base64::engine::general_purpose::STANDARD.encode(&bytes);
            let text = coded.as_bytes().chunks(width).collect::<Vec<_>>().join(&b"\r\n"[..]);
            let decoded = base64(&text);
            prop_assert_eq!(decoded.bytes, bytes);
            prop_assert_eq!((decoded.junk, decoded.end), (0, text.len()));
        }

        #[test]
        fn nothing_grows(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(base64(&bytes).bytes.len() <= bytes.len());
            prop_assert!(quoted_printable(&bytes).0.len() <= bytes.len());
            prop_assert!(without_percent(&bytes).len() <= bytes.len());
            let text = [b"begin 644 x\n".as_slice(), &bytes].concat();
            if let Some(encoded) = next_encoded(&text, 0) {
                prop_assert!(encoded.end <= text.len());
                // A line that lost its blanks grows by what it lost.
                prop_assert!(encoded.bytes.len() <= text.len() * 8);
            }
        }
    }
}
