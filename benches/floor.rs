//! The speed floor: the least work that a full scan of packed packages cannot avoid.
//!
//! A figure in seconds says as much about the machine as about the program, so every speed that
//! Strandline states is a ratio to this program, measured in the same run. It inflates each
//! gzip file in one call with libdeflate (the fastest decoder known), walks the tar in place,
//! takes the SHA-256 of every regular file, and holds 20 prefix-anchored token rules against it.
//! With `--streaming` it decodes with zlib-rs through a window instead: that is the floor for one
//! stream that is too large to hold in memory. A gzip file that libdeflate refuses, or that
//! has more members than one, goes that way too, so that no byte is lost for speed.
//!
//! It stands alone and uses nothing of the library, for a floor built from the measured parts
//! would fall with them. It leaves out what a scan owes beyond that: names, PAX records,
//! locators, duplicates, limits, a ledger, any other container. It is for known inputs, and it
//! stops at the first thing that it does not understand.
//!
//! Each worker takes the largest file left, holds its own decoder, buffers and copy of the rules,
//! and shares nothing but a cursor. The checksum is an order-free sum over all digests: it is
//! the same for every number of threads and for both ways of decoding, or one of them is wrong.

use std::error::Error;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use flate2::bufread::MultiGzDecoder;
use libdeflater::{DecompressionError, Decompressor};
use regex::bytes::RegexSet;
use sha2::{Digest, Sha256};

/// Token shapes with a literal prefix: formats that the issuers publish, no secrets.
///
/// No small class (10 or fewer characters, such as `[0-9]`) follows a prefix directly: the regex
/// crate would multiply it into the literals it looks for, get more of them than its vectorised
/// search takes, and run at a tenth of the speed. That would be no floor.
const RULES: [&str; 20] = [
    r"(?-u)AKIA[A-Z2-7]{16}",
    r"(?-u)ASIA[A-Z2-7]{16}",
    r"(?-u)ghp_[0-9A-Za-z]{36}",
    r"(?-u)gho_[0-9A-Za-z]{36}",
    r"(?-u)ghs_[0-9A-Za-z]{36}",
    r"(?-u)github_pat_[0-9A-Za-z_]{22,82}",
    r"(?-u)glpat-[0-9A-Za-z_-]{20}",
    r"(?-u)npm_[0-9A-Za-z]{36}",
    r"(?-u)pypi-AgE[0-9A-Za-z_-]{50,}",
    r"(?-u)xoxb-[0-9A-Za-z-]{24,}",
    r"(?-u)xoxp-[0-9A-Za-z-]{24,}",
    r"(?-u)sk_live_[0-9A-Za-z]{24,}",
    r"(?-u)rk_live_[0-9A-Za-z]{24,}",
    r"(?-u)AIza[0-9A-Za-z_-]{35}",
    r"(?-u)ya29\.[0-9A-Za-z_-]{30,}",
    r"(?-u)SG\.[0-9A-Za-z_-]{22}\.[0-9A-Za-z_-]{43}",
    r"(?-u)shpat_[0-9a-f]{32}",
    r"(?-u)dop_v1_[0-9a-f]{64}",
    r"(?-u)sk-ant-[0-9A-Za-z_-]{24,}",
    r"(?-u)-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----",
];

/// Bytes of a tar header, and the grain in which member content is padded.
const BLOCK: usize = 512;
/// First size of the window of a stream, in bytes.
const WINDOW: usize = 1 << 20;
/// Deflate cannot expand by more than this factor: the bound on the first guess at an output.
const DEFLATE_MAX_RATIO: usize = 1032;
/// No single gzip file of the floor may inflate beyond this many bytes.
const INFLATED_MAX: usize = 8 << 30;
/// First bytes of a gzip member: magic and the only method, deflate (RFC 1952, section 2.3.1).
const GZIP_MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    match Options::parse(std::env::args().skip(1)).and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("floor: {error}");
            ExitCode::from(2)
        }
    }
}

/// What the command line asked for.
#[derive(Default)]
struct Options {
    paths: Vec<PathBuf>,
    jobs: usize,
    streaming: bool,
    nested: bool,
    print_rules: bool,
    /// Cargo gives `--bench` to each benchmark: `cargo bench` alone shall not fail here.
    under_cargo: bool,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self {
            jobs: 1,
            ..Self::default()
        };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--jobs" => {
                    let count = arguments.next().ok_or("--jobs needs a number")?;
                    options.jobs = count.parse().map_err(|_| "--jobs needs a number")?;
                }
                "--streaming" => options.streaming = true,
                "--nested" => options.nested = true,
                "--print-rules" => options.print_rules = true,
                "--bench" => options.under_cargo = true,
                flag if flag.starts_with("--") => {
                    return Err(format!("{USAGE}\nunknown: {flag}").into());
                }
                path => options.paths.push(path.into()),
            }
        }
        Ok(options)
    }
}

const USAGE: &str = "usage: floor [--jobs N] [--streaming] [--nested] FILE.tgz... | --print-rules
  --jobs N       threads, over files (default 1)
  --streaming    zlib-rs through a window instead of libdeflate over whole files
  --nested       also open gzip tarballs that are members of a tarball, one level deep
  --print-rules  print the 20 rules, one a line, and stop";

fn run(options: &Options) -> Result<()> {
    if options.print_rules {
        println!("{}", RULES.join("\n"));
        return Ok(());
    }
    if options.paths.is_empty() {
        if options.under_cargo {
            println!("floor: nothing to do without files; benches/run.py gives it some\n{USAGE}");
            return Ok(());
        }
        return Err(USAGE.into());
    }
    let started = Instant::now();
    let tally = scan_all(options)?;
    println!(
        "files={} bytes={} inflated={} matches={} checksum={:016x} cpu_s={} wall_s={:.3}",
        tally.files,
        tally.bytes,
        tally.inflated,
        tally.matches,
        tally.checksum,
        cpu_seconds().map_or_else(|| "unknown".into(), |seconds| format!("{seconds:.2}")),
        started.elapsed().as_secs_f64(),
    );
    Ok(())
}

/// Scans all files with `options.jobs` workers, the largest first so that none is left for last.
fn scan_all(options: &Options) -> Result<Tally> {
    let mut files = Vec::with_capacity(options.paths.len());
    for path in &options.paths {
        let bytes = std::fs::metadata(path)
            .map_err(|error| format!("{}: {error}", path.display()))?
            .len();
        files.push((bytes, path.as_path()));
    }
    files.sort_by(|left, right| right.cmp(left));

    let rules = RegexSet::new(RULES)?;
    let cursor = AtomicUsize::new(0);
    let work = || -> Result<Tally> {
        let mut worker = Worker::new(options, rules.clone());
        while let Some((_, path)) = files.get(cursor.fetch_add(1, Ordering::Relaxed)) {
            worker
                .scan_file(path)
                .map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(worker.tally)
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (1..options.jobs).map(|_| scope.spawn(work)).collect();
        let mut total = work()?;
        for thread in threads {
            total.add(&thread.join().map_err(|_| "a worker panicked")??);
        }
        Ok(total)
    })
}

/// What was seen: counts, and a sum that proves that every byte was hashed.
#[derive(Default)]
struct Tally {
    /// Regular files.
    files: u64,
    /// Bytes of regular files.
    bytes: u64,
    /// Bytes of tar streams, headers and padding included.
    inflated: u64,
    /// Pairs of a file and a rule that matches in it.
    matches: u64,
    /// Wrapping sum of the first eight bytes of each SHA-256, big-endian.
    checksum: u64,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.inflated += other.inflated;
        self.matches += other.matches;
        self.checksum = self.checksum.wrapping_add(other.checksum);
    }

    /// The work itself: one file's digest, and the rules that match in it.
    fn scan_content(&mut self, content: &[u8], rules: &RegexSet) {
        let digest = Sha256::digest(content);
        let head = digest.iter().take(8);
        let head = head.fold(0_u64, |sum, &byte| sum << 8 | u64::from(byte));
        self.checksum = self.checksum.wrapping_add(head);
        self.matches += rules.matches(content).iter().count() as u64;
        self.files += 1;
        self.bytes += content.len() as u64;
    }
}

/// One thread's tools. Buffers only grow, so a page is faulted in once, not once per file.
struct Worker {
    rules: RegexSet,
    streaming: bool,
    nested: bool,
    packed: Vec<u8>,
    inflater: Inflater,
    /// For gzip members of a tarball: the outer one still stands in `inflater`.
    inner: Inflater,
    tally: Tally,
}

impl Worker {
    fn new(options: &Options, rules: RegexSet) -> Self {
        Self {
            rules,
            streaming: options.streaming,
            nested: options.nested,
            packed: Vec::new(),
            inflater: Inflater::new(),
            inner: Inflater::new(),
            tally: Tally::default(),
        }
    }

    fn scan_file(&mut self, path: &Path) -> Result<()> {
        let mut file = File::open(path)?;
        if self.streaming {
            return self.scan_stream(file);
        }
        self.packed.clear();
        file.read_to_end(&mut self.packed)?;
        let (rules, tally) = (&self.rules, &mut self.tally);
        let inner = self.nested.then_some(&mut self.inner);
        let tar = if self.packed.starts_with(&GZIP_MAGIC) {
            self.inflater.inflate(&self.packed)?
        } else {
            &self.packed
        };
        scan_tar(tar, rules, tally, inner)
    }

    /// The same over a stream, gzip or plain tar: only a window of it is in memory.
    fn scan_stream(&mut self, mut file: File) -> Result<()> {
        let mut magic = [0; GZIP_MAGIC.len()];
        let packed = file.read_exact(&mut magic).is_ok() && magic == GZIP_MAGIC;
        file.seek(SeekFrom::Start(0))?;
        let reader: Box<dyn Read> = if packed {
            Box::new(MultiGzDecoder::new(BufReader::with_capacity(WINDOW, file)))
        } else {
            Box::new(file)
        };
        let mut window = Window::new(reader);
        while window.hold(BLOCK)? {
            let header = Header::read(window.bytes())?;
            window.drop_front(BLOCK);
            let Some(header) = header else { continue };
            if !window.hold(header.padded)? {
                return Err("the tar ends within a member".into());
            }
            if header.regular {
                let content = &window.bytes()[..header.size];
                let inner = self.nested.then_some(&mut self.inner);
                scan_member(content, &self.rules, &mut self.tally, inner)?;
            }
            window.drop_front(header.padded);
        }
        self.tally.inflated += window.read;
        Ok(())
    }
}

/// Scans every regular file of a tar that stands in memory.
fn scan_tar(
    tar: &[u8],
    rules: &RegexSet,
    tally: &mut Tally,
    mut inner: Option<&mut Inflater>,
) -> Result<()> {
    tally.inflated += tar.len() as u64;
    let mut rest = tar;
    while rest.len() >= BLOCK {
        let header = Header::read(rest)?;
        rest = &rest[BLOCK..];
        let Some(header) = header else { continue };
        if header.padded > rest.len() {
            return Err("the tar ends within a member".into());
        }
        let (content, after) = rest.split_at(header.padded);
        if header.regular {
            scan_member(&content[..header.size], rules, tally, inner.as_deref_mut())?;
        }
        rest = after;
    }
    Ok(())
}

/// Scans one file, and what is packed in it when there is an inflater to open it with.
fn scan_member(
    content: &[u8],
    rules: &RegexSet,
    tally: &mut Tally,
    inner: Option<&mut Inflater>,
) -> Result<()> {
    tally.scan_content(content, rules);
    match inner {
        Some(inner) if content.starts_with(&GZIP_MAGIC) => {
            scan_tar(inner.inflate(content)?, rules, tally, None)
        }
        _ => Ok(()),
    }
}

/// What the walk needs of a tar header (POSIX.1-1988 ustar, "Interchange format").
struct Header {
    /// Bytes of content.
    size: usize,
    /// The same with padding to whole blocks.
    padded: usize,
    /// A regular file: `0`, NUL (old tar; a name that ends in `/` is then a folder) or `7`.
    regular: bool,
}

impl Header {
    /// Reads the header at the front of `block`; `None` for a block of zeros.
    fn read(block: &[u8]) -> Result<Option<Self>> {
        let block = &block[..BLOCK];
        if block[0] == 0 && block.iter().all(|&byte| byte == 0) {
            return Ok(None);
        }
        if &block[257..262] != b"ustar" && block[156] != 0 {
            return Err("no tar header where one should be".into());
        }
        let size = octal(&block[124..136])?;
        let name = &block[..100];
        let name_end = name.iter().position(|&byte| byte == 0).unwrap_or(100);
        let regular = match block[156] {
            b'0' | b'7' => true,
            0 => !name[..name_end].ends_with(b"/"),
            _ => false,
        };
        Ok(Some(Self {
            size,
            padded: size.next_multiple_of(BLOCK),
            regular,
        }))
    }
}

/// A number field of a tar header: octal digits, blanks or NUL around them.
fn octal(field: &[u8]) -> Result<usize> {
    let text = std::str::from_utf8(field)?.trim_matches([' ', '\0']);
    usize::from_str_radix(text, 8).map_err(|_| "a tar size that is not octal".into())
}

/// Inflates whole gzip files into one buffer that is used again and again.
struct Inflater {
    decompressor: Decompressor,
    out: Vec<u8>,
}

impl Inflater {
    fn new() -> Self {
        Self {
            decompressor: Decompressor::new(),
            out: Vec::new(),
        }
    }

    /// All bytes that `packed` inflates to.
    ///
    /// libdeflate reads one member and does not say what follows it, so its result stands only
    /// when its length is the one that the file's last four bytes state (RFC 1952, ISIZE).
    fn inflate(&mut self, packed: &[u8]) -> Result<&[u8]> {
        let stated = packed
            .last_chunk()
            .map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let guess = (stated as usize).min(packed.len().saturating_mul(DEFLATE_MAX_RATIO));
        self.grow_to(guess.max(BLOCK));
        loop {
            match self.decompressor.gzip_decompress(packed, &mut self.out) {
                Ok(length) if length as u32 == stated => return Ok(&self.out[..length]),
                Err(DecompressionError::InsufficientSpace) if self.out.len() < INFLATED_MAX => {
                    self.grow_to(self.out.len() * 2);
                }
                Ok(_) | Err(_) => return self.inflate_streaming(packed),
            }
        }
    }

    fn inflate_streaming(&mut self, packed: &[u8]) -> Result<&[u8]> {
        self.out.clear();
        MultiGzDecoder::new(packed).read_to_end(&mut self.out)?;
        Ok(&self.out)
    }

    fn grow_to(&mut self, length: usize) {
        if length > self.out.len() {
            self.out.resize(length, 0);
        }
    }
}

/// A sliding view of a stream, so that members are hashed where they were decoded.
struct Window {
    reader: Box<dyn Read>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes read so far.
    read: u64,
}

impl Window {
    fn new(reader: Box<dyn Read>) -> Self {
        Self {
            reader,
            buffer: vec![0; WINDOW],
            start: 0,
            end: 0,
            read: 0,
        }
    }

    /// Reads until `count` bytes are in view; `false` when the stream ends before.
    fn hold(&mut self, count: usize) -> io::Result<bool> {
        while self.end - self.start < count {
            if self.end == self.buffer.len() {
                self.make_room();
            }
            let got = match self.reader.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            };
            if got == 0 {
                return Ok(false);
            }
            self.end += got;
            self.read += got as u64;
        }
        Ok(true)
    }

    /// Moves what is in view to the front, or doubles the buffer when it is full of it.
    fn make_room(&mut self) {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        } else {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
    }

    fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    fn drop_front(&mut self, count: usize) {
        self.start += count;
    }
}

/// User and system time of this process so far; `None` where `/proc` does not tell.
fn cpu_seconds() -> Option<f64> {
    /// What `/proc` counts in on every Linux of today (`USER_HZ`).
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The command name stands in brackets and may hold anything; fields are counted after it.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_ascii_whitespace().skip(11);
    let user: f64 = times.next()?.parse().ok()?;
    let system: f64 = times.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}
