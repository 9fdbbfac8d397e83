//! What the tests of formats share: walking a container to its end.

use bytes::Bytes;

use super::{Body, Event, Format, Input, Trouble};
use crate::blob::{Limits, MemberName};

/// What a walk gave.
#[derive(Debug, Default)]
pub struct Seen {
    /// Names, `@OFFSET` for regions, and contents as far as they could be had.
    pub members: Vec<(String, Vec<u8>)>,
    /// Codes of the troubles of members and of the container.
    pub codes: Vec<String>,
    /// Folders, links and headers.
    pub others: Vec<&'static str>,
}

/// Walks content to its end.
pub fn walk(format: &dyn Format, bytes: &[u8], limits: &Limits) -> Result<Seen, Trouble> {
    let input = Input::Memory(Bytes::copy_from_slice(bytes));
    let mut walker = format.open(input, limits)?;
    let mut seen = Seen::default();
    while let Some(event) = walker.next() {
        match event {
            Event::Member(member) => {
                seen.codes
                    .extend(member.trouble.map(|trouble| trouble.code.into_owned()));
                let content = match member.body {
                    Body::Held(content) => content.to_vec(),
                    Body::Streamed(_) => {
                        let (mut content, mut buffer) = (Vec::new(), [0; 1 << 10]);
                        loop {
                            match walker.read_streamed(&mut buffer) {
                                0 => break content,
                                got => content.extend_from_slice(&buffer[..got]),
                            }
                        }
                    }
                    Body::Absent => continue,
                };
                let name = match member.name {
                    MemberName::Named(name) => String::from_utf8_lossy(&name).into_owned(),
                    MemberName::Offset(at) => format!("@{at}"),
                };
                seen.members.push((name, content));
            }
            Event::Trouble(trouble) => seen.codes.push(trouble.code.into_owned()),
            Event::Other(kind) => seen.others.push(kind),
            Event::Map(_) => seen.others.push("map"),
        }
    }
    Ok(seen)
}
