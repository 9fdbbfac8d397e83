//! rpm packages (Linux Standard Base 5.0, "RPM Package Format"): a lead, two headers, and a compressed cpio.
//!
//! The payload is what people mean by the package, so its files are the members, in one hop, as with a tar in a
//! compressed stream. What it is compressed with is told by its first bytes and not by the tag that names it. The
//! headers hold texts too (scripts that run at installation, the change log, every path): they are given as one region
//! where they stand.

use super::cpio::Cpio;
use super::feed::Input;
use super::spans::Spans;
use super::{Event, Format, Trouble, Walker, bzip2, gzip, lzma, xz, zstd};
use crate::blob::{Limits, MemberName};

const LEAD_MAGIC: &[u8] = b"\xed\xab\xee\xdb";
const LEAD_LEN: u64 = 96;
const HEADER_MAGIC: &[u8] = b"\x8e\xad\xe8\x01";
/// Length of what stands before the index of a header, and of an entry of that.
const HEADER_LEN: u64 = 16;
const INDEX_LEN: u64 = 16;

/// The rpm format.
pub struct Rpm;

impl Format for Rpm {
    fn name(&self) -> &'static str {
        "rpm"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        head.starts_with(LEAD_MAGIC)
    }

    fn open(&self, input: Input, limits: &Limits) -> Result<Box<dyn Walker>, Trouble> {
        let spans = Spans::new(input.clone(), limits.hold());
        let payload_at = match payload_at(&spans) {
            Ok(payload_at) => payload_at,
            // The payload is found by its own magic then, where it has one.
            Err(what) => {
                return Ok(Box::new(RpmWalker {
                    spans,
                    payload_at: LEAD_LEN.min(input.len()),
                    payload: None,
                    trouble: Some(Trouble::damaged(
                        "rpm-damaged",
                        format!("{what}; all behind the lead was scanned as it stands"),
                        None,
                    )),
                    is_begun: false,
                    is_streaming_own: false,
                }));
            }
        };
        let payload = input.behind(payload_at);
        let head = payload.slice(0, 4 << 10).unwrap_or_default();
        let formats: [&dyn Format; 6] = [
            &Cpio,
            &gzip::Gzip { runs_on: never },
            &zstd::Zstd { runs_on: never },
            &xz::Xz { runs_on: never },
            &bzip2::Bzip2 { runs_on: never },
            &lzma::Lzma {
                is_candidate: |_| true,
                runs_on: never,
            },
        ];
        let format = formats.into_iter().find(|format| format.recognise(&head));
        let walker = match format {
            Some(format) => Some(format.open(payload, limits)?),
            None => None,
        };
        Ok(Box::new(RpmWalker {
            spans,
            payload_at,
            trouble: walker.is_none().then(unknown_payload),
            payload: walker,
            is_begun: false,
            is_streaming_own: false,
        }))
    }
}

/// Where the payload begins.
///
/// # Errors
/// What is not where it should be.
fn payload_at(spans: &Spans) -> Result<u64, &'static str> {
    let signature =
        header_len(spans, LEAD_LEN).ok_or("no signature header stands behind the lead")?;
    let header_at = (LEAD_LEN + signature).next_multiple_of(8);
    let header = header_len(spans, header_at).ok_or("no header stands behind the signatures")?;
    Some(header_at + header)
        .filter(|at| *at < spans.len())
        .ok_or("the file ends before its payload")
}

fn unknown_payload() -> Trouble {
    Trouble::damaged(
        "unsupported",
        "the payload of the package is neither a cpio nor compressed in a known way; it was scanned as it stands",
        None,
    )
}

fn never(_head: &[u8]) -> bool {
    false
}

/// Length of the header at `at`.
fn header_len(spans: &Spans, at: u64) -> Option<u64> {
    let start = spans.slice(at, HEADER_LEN as usize);
    if !start.starts_with(HEADER_MAGIC) {
        return None;
    }
    let number = |at: usize| {
        Some(u64::from(u32::from_be_bytes(
            *start.get(at..)?.first_chunk()?,
        )))
    };
    Some(HEADER_LEN + number(8)? * INDEX_LEN + number(12)?)
}

/// Gives the headers, and then what the payload gives.
struct RpmWalker {
    spans: Spans,
    payload_at: u64,
    /// `None` where its compressor is not known: it is given as it stands.
    payload: Option<Box<dyn Walker>>,
    /// Why that is so.
    trouble: Option<Trouble>,
    is_begun: bool,
    /// A region of the package itself is streamed, and not a file of the payload.
    is_streaming_own: bool,
}

impl RpmWalker {
    fn own(&mut self, from: u64, to: u64) -> Option<Event> {
        self.is_streaming_own = true;
        self.spans.region(from, to).map(Event::Member)
    }
}

impl Walker for RpmWalker {
    fn kind(&self) -> &'static str {
        "rpm"
    }

    fn next(&mut self) -> Option<Event> {
        if !std::mem::replace(&mut self.is_begun, true) && self.payload_at > LEAD_LEN {
            // The lead says what the headers say better, and is the magic of the format.
            return self.own(LEAD_LEN, self.payload_at);
        }
        self.is_streaming_own = false;
        if let Some(payload) = &mut self.payload {
            let mut event = payload.next();
            // Regions of the payload are named by their places in the package.
            if let Some(Event::Member(member)) = &mut event
                && let MemberName::Offset(at) = &mut member.name
            {
                *at += self.payload_at;
            }
            return event;
        }
        let (from, to) = (self.payload_at, self.spans.len());
        self.payload_at = to;
        let event = (from < to).then(|| self.own(from, to)).flatten();
        let trouble = self.trouble.take();
        match (event, trouble) {
            (Some(Event::Member(mut member)), Some(trouble)) => {
                member.trouble = Some(trouble);
                Some(Event::Member(member))
            }
            (None, trouble) => trouble.map(Event::Trouble),
            (event, _) => event,
        }
    }

    fn read_streamed(&mut self, buffer: &mut [u8]) -> usize {
        match &mut self.payload {
            Some(payload) if !self.is_streaming_own => payload.read_streamed(buffer),
            _ => self.spans.read(buffer),
        }
    }

    fn streamed_trouble(&mut self) -> Option<Trouble> {
        match &mut self.payload {
            Some(payload) if !self.is_streaming_own => payload.streamed_trouble(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::super::testing::{Seen, walk};
    use super::*;

    fn header(store: &[u8]) -> Vec<u8> {
        let mut bytes = HEADER_MAGIC.to_vec();
        bytes.extend([0; 4]);
        bytes.extend(1_u32.to_be_bytes());
        bytes.extend((store.len() as u32).to_be_bytes());
        bytes.extend([0; 16]);
        bytes.extend(store);
        bytes
    }

    fn cpio_of(name: &str, data: &[u8]) -> Vec<u8> {
        let entry = |name: &str, data: &[u8]| {
            let fields = [
                1,
                0o100_644,
                0,
                0,
                1,
                0,
                data.len(),
                0,
                0,
                0,
                0,
                name.len() + 1,
                0,
            ];
            let mut bytes = b"070701".to_vec();
            bytes.extend(
                fields
                    .iter()
                    .flat_map(|field| format!("{field:08x}").into_bytes()),
            );
            bytes.extend(name.as_bytes());
            bytes.push(0);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes.extend(data);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes
        };
        [entry(name, data), entry("TRAILER!!!", b"")].concat()
    }

    fn package(payload: &[u8]) -> Vec<u8> {
        let mut bytes = LEAD_MAGIC.to_vec();
        bytes.resize(LEAD_LEN as usize, 0);
        bytes.extend(header(b"sig"));
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes.extend(header(b"echo a script"));
        bytes.extend(payload);
        bytes
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> Seen {
        assert!(Rpm.recognise(bytes));
        walk(&Rpm, bytes, &Limits::default()).unwrap()
    }

    #[test]
    fn files_come_in_one_hop_and_headers_as_a_region() {
        let cpio = cpio_of("./usr/lib/a.js", b"content");
        for payload in [cpio.clone(), gzip(&cpio)] {
            let bytes = package(&payload);
            let seen = read(&bytes);
            assert_eq!(seen.kind, "rpm");
            assert_eq!(
                seen.members[0],
                (
                    "@96".to_owned(),
                    bytes[96..bytes.len() - payload.len()].to_vec()
                )
            );
            assert_eq!(
                seen.members[1],
                ("./usr/lib/a.js".to_owned(), b"content".to_vec())
            );
            assert_eq!(seen.codes, [""; 0]);
        }
    }

    #[test]
    fn an_unknown_payload_is_said_and_scanned() {
        let seen = read(&package(b"something else"));
        assert_eq!(seen.members[1].1, b"something else");
        assert_eq!(seen.codes, ["unsupported"]);
        let cut = &package(b"x")[..110];
        let seen = read(cut);
        assert_eq!(seen.codes, ["rpm-damaged"]);
        assert_eq!(seen.members, [("@96".to_owned(), cut[96..].to_vec())]);
        assert_eq!(read(LEAD_MAGIC).codes, ["rpm-damaged"]);
    }

    proptest! {
        #[test]
        fn damage_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in 0..300_usize) {
            let mut bytes = package(&gzip(&cpio_of("a", b"content")));
            let at = at.index(bytes.len());
            bytes[at] = byte;
            bytes.truncate(bytes.len() - cut.min(bytes.len()));
            let _ = walk(&Rpm, &bytes, &Limits::default());
        }
    }
}
