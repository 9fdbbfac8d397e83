//! Walking a container to its end, as the engine would, and holding two walks against each other.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;

use bytes::Bytes;
use strandline::blob::{Decoders, Limits, MemberName};
use strandline::container::{Body, Effect, Event, Format, Input, InputFile, Trouble, Walker};

/// Bytes that a walk takes before it ends, as the engine's limits end one.
const BYTES_MAX: u64 = 24 << 20;
/// Events.
const EVENTS_MAX: u64 = 20_000;

/// Limits under which mutants are read.
pub fn limits() -> Limits {
    Limits {
        depth: 6,
        entries: 5_000,
        bytes: 16 << 20,
        memory: 16 << 20,
        ..Limits::default()
    }
}

/// One member as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    pub name: MemberName,
    /// What there is of its bytes, by digest and length; none where it has none.
    pub content: Option<(blake3::Hash, u64)>,
    pub code: Option<String>,
    /// It was not read in full.
    pub is_damaged: bool,
}

/// What a walk gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    pub kind: String,
    pub members: Vec<Given>,
    pub troubles: Vec<String>,
    pub others: Vec<&'static str>,
    /// Something was damaged or skipped, in it or in a member.
    pub is_damaged: bool,
    /// It was ended by the limits above.
    pub is_cut: bool,
}

impl Seen {
    /// What it is beside its members.
    fn rest(&self) -> String {
        let others = self.others.len();
        format!(
            "{} {:?}, {others} others, cut: {}",
            self.kind, self.troubles, self.is_cut
        )
    }

    /// Whether one of its troubles has this code.
    fn says(&self, code: &str) -> bool {
        let mut codes = self.members.iter().filter_map(|given| given.code.as_ref());
        codes.any(|said| said == code) || self.troubles.iter().any(|said| said == code)
    }

    /// Whether nothing speaks against its bytes. What a decoder makes of a stream that nobody may write is its own where the
    /// checksum says that it is wrong.
    fn is_sound(&self) -> bool {
        !self.is_damaged && !self.says("checksum-mismatch")
    }

    /// The same without what stands at offsets, if it is so wanted.
    fn without_regions(mut self, wanted: bool) -> Self {
        let is_named = |given: &Given| matches!(given.name, MemberName::Named(_));
        self.members.retain(|given| !wanted || is_named(given));
        self
    }

    /// What is said of something damaged: what a decoder gives of a damaged block depends on how much it is asked for at a
    /// time, and so does what is told first, and how much of it is nobody's.
    fn vague(self) -> Self {
        let mut seen = self.without_regions(true);
        for given in &mut seen.members {
            (given.content, given.code, given.is_damaged) = (None, None, true);
        }
        seen.troubles.clear();
        seen
    }
}

/// Puts content into a file.
pub fn as_file(bytes: &[u8]) -> Input {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut file = tempfile::tempfile_in(path).expect("the build folder is writable");
    file.write_all(bytes).expect("the disk has room");
    of_file(file, bytes.len())
}

fn of_file(file: File, len: usize) -> Input {
    Input::File(InputFile::new(file, len as u64))
}

/// Opens content and walks it.
pub fn walk(format: &dyn Format, input: Input, limits: &Limits) -> Result<Seen, String> {
    let mut walker = match format.open(input, limits) {
        Ok(walker) => walker,
        Err(trouble) => return Err(trouble.code.into_owned()),
    };
    Ok(walked(walker.as_mut()))
}

/// Walks to the end.
pub fn walked(walker: &mut dyn Walker) -> Seen {
    let mut seen = Seen::default();
    let (mut bytes, mut events) = (0_u64, 0_u64);
    let mut buffer = vec![0; 64 << 10];
    let keep = |is_damaged: &mut bool, trouble: Trouble| {
        *is_damaged |= trouble.effect != Effect::Odd;
        trouble.code.into_owned()
    };
    while let Some(event) = walker.next() {
        events += 1;
        match event {
            Event::Member(member) => {
                let mut is_damaged = false;
                let mut code = (member.trouble).map(|trouble| keep(&mut is_damaged, trouble));
                let content = match member.body {
                    Body::Held(content) => {
                        bytes += content.len() as u64;
                        Some((blake3::hash(&content), content.len() as u64))
                    }
                    Body::Streamed(_) => {
                        let mut hasher = blake3::Hasher::new();
                        while bytes <= BYTES_MAX {
                            let got = walker.read_streamed(&mut buffer);
                            if got == 0 {
                                break;
                            }
                            bytes += got as u64;
                            hasher.update(&buffer[..got]);
                        }
                        if let Some(trouble) = walker.streamed_trouble() {
                            code = code.or(Some(keep(&mut is_damaged, trouble)));
                        }
                        Some((hasher.finalize(), hasher.count()))
                    }
                    Body::Files(files) => {
                        for number in 0..files.list().len() {
                            if let Ok(input) = files.open(number) {
                                bytes += input.len();
                            }
                        }
                        None
                    }
                    Body::At(_) | Body::Absent => None,
                };
                seen.is_damaged |= is_damaged;
                seen.members.push(Given {
                    name: member.name,
                    content,
                    code,
                    is_damaged,
                });
            }
            Event::Trouble(trouble) => {
                let code = keep(&mut seen.is_damaged, trouble);
                seen.troubles.push(code);
            }
            Event::Other(kind) | Event::NamedOther(kind, ..) => seen.others.push(kind),
            Event::Map(_) => seen.others.push("map"),
        }
        if bytes > BYTES_MAX || events > EVENTS_MAX {
            seen.is_cut = true;
            break;
        }
    }
    if !seen.is_cut {
        let names: Vec<_> = seen.members.iter().map(|given| &given.name).collect();
        // Lengths that contradict what was given, as a store may that is damaged.
        walker.tell(
            &names,
            Some(&|name| name.first().map(|first| u64::from(*first) << 56)),
        );
        // The engine asks no more then: what a walker gave behind its end would be lost.
        assert!(walker.next().is_none(), "a walker goes on behind its end");
    }
    seen.kind = walker.kind().to_owned();
    seen
}

/// Holds two walks of the same bytes against each other; what differs.
pub fn differ(
    what: &str,
    one: &Result<Seen, String>,
    other: &Result<Seen, String>,
) -> Result<(), String> {
    if one == other {
        return Ok(());
    }
    let (Ok(one), Ok(other)) = (one, other) else {
        return Err(format!(
            "{what} differ: {:?} and {:?}",
            one.as_ref().err(),
            other.as_ref().err()
        ));
    };
    let pairs = one.members.len().max(other.members.len());
    let mut text = format!("{what} differ:");
    for number in 0..pairs {
        let (a, b) = (one.members.get(number), other.members.get(number));
        if a != b {
            let _ = write!(
                text,
                "\n  member {number} of {} and {}\n  - {}\n  + {}",
                one.members.len(),
                other.members.len(),
                said(a),
                said(b)
            );
            break;
        }
    }
    let (a, b) = (one.rest(), other.rest());
    if a != b {
        let _ = write!(text, "\n  - {a}\n  + {b}");
    }
    Err(text)
}

/// A member in a line.
fn said(given: Option<&Given>) -> String {
    let Some(given) = given else {
        return "none".to_owned();
    };
    let name = match &given.name {
        MemberName::Named(name) => name.escape_ascii().take(80).map(char::from).collect(),
        MemberName::Offset(at) => format!("@{at}"),
    };
    let content =
        (given.content.as_ref()).map(|(hash, len)| format!("{len} bytes {}", &hash.to_hex()[..8]));
    format!("{name}: {content:?} {:?}", given.code)
}

/// Formats that say in their essays that what may not be held is read in another way: a message as it stands, a head as
/// what it is not.
const OTHERWISE: [&str; 3] = ["mbox", "warc", "warc.gz"];

/// Formats with a fast way to undo DEFLATE: it takes the length codes 286 and 287, which no stream may hold (RFC 1951,
/// 3.2.6), for 258, and is believed where the checksum fits. The careful way calls such a stream damaged.
const LENIENT: [&str; 3] = ["gzip", "zip", "warc.gz"];

/// Formats in which a stream of LZMA may state its length: whether the byte behind it is still the stream's, decoders do not
/// agree on.
const VAGUE_ENDS: [&str; 2] = ["lzma", "rpm"];

/// Whether two walks differ only since the careful way is stricter.
fn is_stricter(
    format: &dyn Format,
    fast: &Result<Seen, String>,
    careful: &Result<Seen, String>,
) -> bool {
    let (Ok(fast), Ok(careful)) = (fast, careful) else {
        return false;
    };
    let mut codes = (careful
        .members
        .iter()
        .filter_map(|given| given.code.as_ref()))
    .chain(&careful.troubles);
    LENIENT.contains(&format.name()) && !fast.is_damaged && codes.any(|code| code == "corrupt-data")
}

/// Reads a mutant of a format: in memory always, and in one other way, by turns.
pub fn format(format: &dyn Format, bytes: &[u8], turn: u64) -> Result<(), String> {
    if !format.recognise(bytes) {
        return Ok(());
    }
    let limits = limits();
    let memory = Input::Memory(Bytes::copy_from_slice(bytes));
    let whole = walk(format, memory.clone(), &limits);
    match turn % 4 {
        0 => {
            let streamed = walk(format, as_file(bytes), &limits);
            if matches!(&streamed, Err(code) if code == "memory-limit") {
                // It is read in memory only, and says so.
                return Ok(());
            }
            if is_stricter(format, &whole, &streamed) {
                return Ok(());
            }
            differ("memory and file", &whole, &streamed)
        }
        1 => {
            let safe = Limits {
                decoders: Decoders::Safe,
                ..limits
            };
            let safe = walk(format, memory, &safe);
            match (&whole, &safe) {
                (Ok(a), Ok(b)) if a.is_sound() && b.is_sound() => {
                    let is_vague = VAGUE_ENDS.contains(&format.name());
                    let [a, b] = [a, b].map(|seen| Ok(seen.clone().without_regions(is_vague)));
                    differ("fast and safe decoders", &a, &b)
                }
                _ => Ok(()),
            }
        }
        2 if !OTHERWISE.contains(&format.name()) => {
            // Hardly anything may be held: what is not refused for it is the same.
            let small = Limits {
                memory: 32 << 10,
                ..limits
            };
            let streamed = walk(format, as_file(bytes), &small);
            if is_stricter(format, &whole, &streamed) {
                return Ok(());
            }
            match (whole, streamed) {
                (Ok(a), Ok(b)) if !b.says("memory-limit") && !a.is_cut && !b.is_cut => {
                    if a.is_damaged && b.is_damaged {
                        return differ("held and streamed", &Ok(a.vague()), &Ok(b.vague()));
                    }
                    differ("held and streamed", &Ok(a), &Ok(b))
                }
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}
