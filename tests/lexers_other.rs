//! The lexers other than that for scripts, and the family of a text, held against lexers that others wrote and against
//! real packages.
//!
//! * Python: its own `tokenize`, on the files of its own library and of what is installed beside it.
//! * Rust: the compiler's lexer, on the crates that this build uses.
//! * C, Go: Pygments' string literals, on the sources that crates carry and on Go's own (`golang-1.19-src` of Debian, in
//!   STRANDLINE_DEBS).
//! * Ruby, shell, style sheets, HTML, SQL: Pygments' string literals, where they are quoted and plain, on what is installed
//!   on this machine, on the packages of Debian in STRANDLINE_DEBS (`git-doc`, `postgresql-15`), and on those of `fixtures/packages.tsv`.
//! * Families: the extensions of files in all of these and in the packages of `fixtures/packages.tsv`.
//!
//! Which files there are hangs on the machine; what is asked of them are shares, and these are printed.

mod common;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use common::{fixtures, skipped};
use ra_ap_rustc_lexer::{FrontmatterAllowed, LiteralKind, TokenKind, tokenize};
use strandline::lex::{Family, Kind, Sink, Token, family_of, lex};

/// What a row of an oracle is: a word, a number, a text or an operator, with its first byte and the one behind its last.
type Row = (char, usize, usize);

#[derive(Default)]
struct Collected(Vec<Token>);

impl Sink for Collected {
    fn token(&mut self, token: Token) {
        self.0.push(token);
    }
}

/// The tokens of a text as rows.
fn ours(family: Family, text: &[u8]) -> Vec<Row> {
    let mut all = Collected::default();
    lex(family, text, &mut all);
    let row = |token: &Token| {
        let letter = match token.kind {
            Kind::Name | Kind::Keyword | Kind::Property => 'n',
            Kind::Number => 'd',
            Kind::Text | Kind::Regex => 't',
            Kind::Punct => 'o',
        };
        (letter, token.start as usize, token.end as usize)
    };
    all.0.iter().map(row).collect()
}

/// Files below a folder with one of these extensions, sorted.
fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let found = walkdir::WalkDir::new(folder).into_iter().flatten();
    let is_one = |path: &Path| {
        let extension = path.extension().and_then(OsStr::to_str);
        extension.is_some_and(|extension| extensions.contains(&extension))
    };
    let mut paths: Vec<PathBuf> = found
        .filter(|entry| entry.file_type().is_file() && is_one(entry.path()))
        .map(walkdir::DirEntry::into_path)
        .collect();
    paths.sort();
    paths
}

/// Where cargo keeps the sources of the crates of this build.
fn crates() -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))?;
    Some(home.join("registry/src")).filter(|folder| folder.is_dir())
}

/// How far two lexers agree.
#[derive(Default)]
struct Agreement {
    files: usize,
    differ: usize,
    tokens: usize,
    missed: usize,
}

impl Agreement {
    /// Counts what one file's rows have that the other's have not.
    fn count(&mut self, path: &Path, text: &[u8], ours: &[Row], theirs: &[Row]) {
        let set: HashSet<&Row> = ours.iter().collect();
        let other: HashSet<&Row> = theirs.iter().collect();
        let missed = theirs.iter().filter(|row| !set.contains(row)).count();
        let extra = ours.iter().filter(|row| !other.contains(row)).count();
        self.files += 1;
        self.tokens += theirs.len();
        self.missed += missed.max(extra);
        if missed + extra == 0 {
            return;
        }
        self.differ += 1;
        let first = theirs.iter().find(|row| !set.contains(row));
        let first = first.or_else(|| ours.iter().find(|row| !other.contains(row)));
        if let Some(&(kind, start, end)) = first {
            let around = &text[start.saturating_sub(30)..(end + 10).min(text.len())];
            let around = String::from_utf8_lossy(around);
            println!(
                "{}: {missed} missed, {extra} more, at {start} {kind} {around:?}",
                path.display()
            );
        }
    }

    #[track_caller]
    fn expect(&self, what: &str, share: f64) {
        let agreed = 1.0 - self.missed as f64 / self.tokens.max(1) as f64;
        println!(
            "{what}: {} files, {} differ; {} of {} tokens differ ({:.5} %)",
            self.files,
            self.differ,
            self.missed,
            self.tokens,
            agreed * 100.0
        );
        assert!(self.tokens > 3_000, "{what}: too little to say anything");
        assert!(agreed >= share, "{what}: {agreed} < {share}");
    }
}

/// What `fixtures/lexers.py` says of these files: rows and holes of each, and how many it could not read; `None` where it
/// does not run.
fn oracle(arguments: &[&str], paths: &[PathBuf]) -> Option<(HashMap<PathBuf, Vec<Row>>, usize)> {
    let mut child = Command::new("python3")
        .arg("-B")
        .args(["-W", "ignore"])
        .arg(fixtures().join("lexers.py"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("python3 is installed: it is the oracle of these tests");
    let list: Vec<&str> = paths.iter().filter_map(|path| path.to_str()).collect();
    let mut stdin = child.stdin.take().expect("a pipe");
    let list = list.join("\n");
    let feeder = std::thread::spawn(move || stdin.write_all(list.as_bytes()));
    let output = child.wait_with_output().expect("python ends");
    let _ = feeder.join();
    if !output.status.success() {
        return None;
    }
    let (mut files, mut lost, mut current) = (HashMap::new(), 0, PathBuf::new());
    for line in String::from_utf8(output.stdout)
        .expect("rows are text")
        .lines()
    {
        let (kind, rest) = line.split_once(' ').expect("a row has fields");
        match kind {
            "file" => {
                current = PathBuf::from(rest);
                files.insert(current.clone(), Vec::new());
            }
            "lost" => lost += 1,
            _ => {
                let kind = if kind == "hole" {
                    'h'
                } else {
                    kind.chars().next().unwrap()
                };
                let (start, end) = rest.split_once(' ').expect("two offsets");
                let row = (kind, start.parse().unwrap(), end.parse().unwrap());
                files
                    .get_mut(&current)
                    .expect("a file comes first")
                    .push(row);
            }
        }
    }
    Some((files, lost))
}

#[test]
fn python_is_read_as_python_reads_it() {
    /// Every so many files are asked about; Python's own lexer is slow.
    const EVERY: usize = 16;
    let library = common::python([
        "-c",
        "import sysconfig; print(sysconfig.get_path('stdlib'))",
    ]);
    let library = PathBuf::from(String::from_utf8(library).unwrap().trim());
    let paths: Vec<PathBuf> = files(&library, &["py"])
        .into_iter()
        .step_by(EVERY)
        .collect();
    let (theirs, lost) = oracle(&["python"], &paths).expect("tokenize is a part of Python");
    let mut agreement = Agreement::default();
    for (path, rows) in &theirs {
        let text = std::fs::read(path).unwrap();
        let holes: Vec<_> = rows
            .iter()
            .filter(|row| row.0 == 'h')
            .map(|row| row.1..row.2)
            .collect();
        let in_hole = |row: &Row| {
            holes
                .iter()
                .any(|hole| row.1 >= hole.start && row.2 <= hole.end)
        };
        let all = ours(Family::Python, &text);
        // What the oracle tells of a formatted string must be there; what is there beside it cannot be checked.
        let told: HashSet<Row> = rows.iter().copied().filter(in_hole).collect();
        let keep = |row: &&Row| row.0 != 'h' && (!in_hole(row) || told.contains(row));
        let mine: Vec<Row> = all.iter().filter(keep).copied().collect();
        let other: Vec<Row> = rows.iter().filter(keep).copied().collect();
        agreement.count(path, &text, &mine, &other);
    }
    println!("{lost} files were lost on the oracle");
    agreement.expect("Python's tokenize", 0.999);
}

/// The rows of the compiler's lexer. Operators come byte by byte.
fn rows_of_rust(text: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut at = ra_ap_rustc_lexer::strip_shebang(text).unwrap_or(0);
    for token in tokenize(&text[at..], FrontmatterAllowed::No) {
        let end = at + token.len as usize;
        let quoted =
            |open: usize, suffix: u32, close: usize| ('t', at + open, at + suffix as usize - close);
        match token.kind {
            TokenKind::Whitespace
            | TokenKind::LineComment { .. }
            | TokenKind::BlockComment { .. } => {}
            TokenKind::Ident | TokenKind::Lifetime { .. } | TokenKind::InvalidIdent => {
                rows.push(('n', at, end))
            }
            TokenKind::RawIdent => rows.push(('n', at + 2, end)),
            TokenKind::Literal { kind, suffix_start } => {
                rows.push(match kind {
                    LiteralKind::Int { .. } | LiteralKind::Float { .. } => ('d', at, end),
                    LiteralKind::Char { .. } | LiteralKind::Str { .. } => {
                        quoted(1, suffix_start, 1)
                    }
                    LiteralKind::Byte { .. }
                    | LiteralKind::ByteStr { .. }
                    | LiteralKind::CStr { .. } => quoted(2, suffix_start, 1),
                    LiteralKind::RawStr { n_hashes } => {
                        let hashes = usize::from(n_hashes.unwrap_or(0));
                        quoted(2 + hashes, suffix_start, 1 + hashes)
                    }
                    LiteralKind::RawByteStr { n_hashes } | LiteralKind::RawCStr { n_hashes } => {
                        let hashes = usize::from(n_hashes.unwrap_or(0));
                        quoted(3 + hashes, suffix_start, 1 + hashes)
                    }
                });
                let is_number = matches!(kind, LiteralKind::Int { .. } | LiteralKind::Float { .. });
                if !is_number && (suffix_start as usize) < token.len as usize {
                    rows.push(('n', at + suffix_start as usize, end));
                }
            }
            _ => rows.extend((at..end).map(|at| ('o', at, at + 1))),
        }
        at = end;
    }
    rows
}

#[test]
fn rust_is_read_as_the_compiler_reads_it() {
    let Some(folder) = crates() else {
        skipped(
            "Rust's lexer",
            "cargo keeps no sources here",
            "STRANDLINE_REQUIRE_PACKAGES",
        );
        return;
    };
    let mut agreement = Agreement::default();
    for path in files(&folder, &["rs"]).iter().step_by(5) {
        let Ok(text) = std::fs::read_to_string(path) else {
            continue;
        };
        let mut mine = Vec::new();
        for row in ours(Family::Rust, text.as_bytes()) {
            match row {
                ('o', start, end) => mine.extend((start..end).map(|at| ('o', at, at + 1))),
                row => mine.push(row),
            }
        }
        agreement.count(path, text.as_bytes(), &mine, &rows_of_rust(&text));
    }
    agreement.expect("the compiler's lexer", 0.999);
}

/// Pygments' text literals of these files, looked for among ours. Not the other way round: it takes what `#if 0` leaves out
/// for a comment, and sees no strings behind `#`.
fn strings_agree(what: &str, language: &str, paths: &[PathBuf], share: f64) {
    let Some((theirs, lost)) = oracle(&["strings", language], paths) else {
        skipped(
            what,
            "Pygments is not installed",
            "STRANDLINE_REQUIRE_LEXERS",
        );
        return;
    };
    let mut agreement = Agreement::default();
    for (path, rows) in &theirs {
        let text = std::fs::read(path).unwrap();
        // Pygments says where a literal stands, with its prefix and quotes: ours are within.
        let mine: Vec<Row> = ours(Family::Clike, &text)
            .into_iter()
            .filter(|row| row.0 == 't')
            .collect();
        let mut within = Vec::new();
        let mut rest = mine.iter().peekable();
        let told: Vec<Row> = rows.iter().filter(|row| row.0 == 't').copied().collect();
        for &(kind, start, end) in &told {
            while rest.next_if(|row| row.2 < start).is_some() {}
            let covers = |row: &Row| {
                row.1 >= start && row.2 <= end && end - row.2 <= 3 && row.1 - start <= 4
            };
            if rest.next_if(|row| covers(row)).is_some() {
                within.push((kind, start, end));
            }
        }
        agreement.count(path, &text, &within, &told);
    }
    println!("{lost} files were lost on the oracle");
    agreement.expect(what, share);
}

#[test]
fn strings_of_c_are_those_of_pygments() {
    let Some(folder) = crates() else {
        skipped(
            "C of crates",
            "cargo keeps no sources here",
            "STRANDLINE_REQUIRE_PACKAGES",
        );
        return;
    };
    // SQLite's one file of nine megabytes is too much for Pygments.
    let mut paths = files(&folder, &["c", "h"]);
    paths.retain(|path| path.metadata().is_ok_and(|data| data.len() < 500_000));
    strings_agree("Pygments' C", "c", &paths, 0.999);
}

/// What is in the package of Debian in STRANDLINE_DEBS whose name has this, unpacked; `None` where there is none.
fn unpacked(name: &str) -> Option<tempfile::TempDir> {
    let debs = std::env::var_os("STRANDLINE_DEBS").map(PathBuf::from);
    let mut deb = debs.iter().flat_map(|folder| files(folder, &["deb"]));
    let deb = deb.find(|path| path.to_string_lossy().contains(name))?;
    let folder = common::scratch();
    let unpacked = Command::new("dpkg-deb")
        .arg("-x")
        .arg(deb)
        .arg(folder.path())
        .status();
    assert!(
        unpacked
            .expect("dpkg-deb runs where Debian's packages are")
            .success()
    );
    Some(folder)
}

#[test]
fn strings_of_go_are_those_of_pygments() {
    let Some(folder) = unpacked("golang") else {
        skipped(
            "Go's sources",
            "STRANDLINE_DEBS has no golang-1.19-src",
            "STRANDLINE_REQUIRE_TOOLS",
        );
        return;
    };
    let paths: Vec<PathBuf> = files(folder.path(), &["go"])
        .into_iter()
        .step_by(8)
        .collect();
    strings_agree("Pygments' Go", "go", &paths, 0.999);
}

/// Pygments' string literals of these files that stand in quotes on one line, with no substitution in them: each must be a
/// text of ours from quote to quote. What is longer is told in other pieces there.
fn quoted_agree(family: Family, language: &str, paths: &[PathBuf], share: f64) {
    let what = format!("Pygments' {language}");
    let Some((theirs, lost)) = oracle(&["strings", language], paths) else {
        skipped(
            &what,
            "Pygments is not installed",
            "STRANDLINE_REQUIRE_LEXERS",
        );
        return;
    };
    let mut agreement = Agreement::default();
    for (path, rows) in &theirs {
        let text = std::fs::read(path).unwrap();
        // In SQL what stands in double quotes is a name.
        let is_plain = |row: &&Row| match &text[row.1..row.2] {
            [open @ (b'"' | b'\''), inside @ .., close] => {
                let is_escaped = row.1 > 0 && text[row.1 - 1] == b'\\';
                open == close
                    && !is_escaped
                    && !inside.ends_with(b"\\")
                    && (*open == b'\'' || family != Family::Sql)
                    && !inside
                        .iter()
                        .any(|b| b == open || matches!(b, b'\n' | b'$' | b'`' | b'{'))
            }
            _ => false,
        };
        let literals = rows.iter().filter(|row| row.0 == 't').filter(is_plain);
        let told: Vec<Row> = literals.map(|row| ('t', row.1 + 1, row.2 - 1)).collect();
        let set: HashSet<Row> = told.iter().copied().collect();
        let mine = ours(family, &text);
        let mine: Vec<Row> = mine.into_iter().filter(|row| set.contains(row)).collect();
        agreement.count(path, &text, &mine, &told);
    }
    println!("{lost} files were lost on the oracle");
    agreement.expect(&what, share);
}

/// Files of a folder of this machine whose text is told to be of this family, at most so many.
fn of_family(folders: &[&str], family: Family, extensions: &[&str], most: usize) -> Vec<PathBuf> {
    let folders = folders.iter().map(Path::new);
    let found = folders.flat_map(|folder| walkdir::WalkDir::new(folder).sort_by_file_name());
    let is_one = |path: &Path| {
        let extension = path.extension().and_then(OsStr::to_str).unwrap_or("");
        let text = || std::fs::read(path).unwrap_or_default();
        extensions.contains(&extension) && family_of(&text()) == family
    };
    found
        .flatten()
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .filter(|path| is_one(path))
        .take(most)
        .collect()
}

#[test]
fn strings_of_ruby_are_those_of_pygments() {
    let paths = of_family(&["/usr/lib/ruby"], Family::Ruby, &["rb"], 300);
    if paths.is_empty() {
        skipped(
            "Ruby's library",
            "ruby is not installed",
            "STRANDLINE_REQUIRE_LEXERS",
        );
        return;
    }
    quoted_agree(Family::Ruby, "ruby", &paths, 0.99);
}

#[test]
fn strings_of_shells_are_those_of_pygments() {
    let folders = [
        "/usr/share/bash-completion",
        "/usr/lib/git-core",
        "/usr/bin",
    ];
    let paths = of_family(&folders, Family::Shell, &["", "sh", "bash"], 300);
    if paths.len() < 100 {
        skipped(
            "Shell",
            "bash-completion is not installed",
            "STRANDLINE_REQUIRE_LEXERS",
        );
        return;
    }
    // Pygments takes the quotes within backticks within quotes for the ends of these.
    quoted_agree(Family::Shell, "bash", &paths, 0.98);
}

/// Members of the packages that are told to be of this family, written to a folder: at most so many of each package.
fn members_of(folder: &Path, family: Family, extensions: &[&str], most: usize) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for package in common::packages().unwrap_or_default() {
        let file = std::fs::File::open(package).unwrap();
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
        let before = paths.len();
        for member in archive.entries().unwrap() {
            let mut member = member.unwrap();
            let path = member.path().unwrap().into_owned();
            let extension = path.extension().and_then(OsStr::to_str).unwrap_or("");
            if paths.len() - before == most {
                break;
            }
            if !extensions.contains(&extension) {
                continue;
            }
            let mut text = Vec::new();
            std::io::Read::read_to_end(&mut member, &mut text).unwrap();
            // Pygments is slow, and knows UTF-8 only.
            if text.len() < 200_000
                && std::str::from_utf8(&text).is_ok()
                && family_of(&text) == family
            {
                let path = folder.join(format!("{}.{extension}", paths.len()));
                std::fs::write(&path, text).unwrap();
                paths.push(path);
            }
        }
    }
    paths
}

#[test]
fn strings_of_sheets_are_those_of_pygments() {
    for extension in ["css", "scss"] {
        let folder = common::scratch();
        let paths = members_of(folder.path(), Family::Css, &[extension], 30);
        if paths.is_empty() {
            skipped(
                "Style sheets",
                "there are no packages",
                "STRANDLINE_REQUIRE_PACKAGES",
            );
            return;
        }
        quoted_agree(Family::Css, extension, &paths, 0.99);
    }
}

#[test]
fn strings_of_pages_are_those_of_pygments() {
    let Some(folder) = unpacked("git-doc") else {
        skipped(
            "HTML",
            "STRANDLINE_DEBS has no git-doc",
            "STRANDLINE_REQUIRE_TOOLS",
        );
        return;
    };
    let paths: Vec<PathBuf> = files(folder.path(), &["html"])
        .into_iter()
        .step_by(8)
        .collect();
    // Values that hold code are read as such.
    quoted_agree(Family::Html, "html", &paths, 0.99);
}

#[test]
fn strings_of_sql_are_those_of_pygments() {
    let Some(folder) = unpacked("postgresql") else {
        skipped(
            "SQL",
            "STRANDLINE_DEBS has no postgresql-15",
            "STRANDLINE_REQUIRE_TOOLS",
        );
        return;
    };
    let paths = files(folder.path(), &["sql"]);
    quoted_agree(Family::Sql, "sql", &paths, 0.99);
}

/// The family that the name of a file says, with the language.
fn by_name(path: &Path) -> Option<(Family, &str)> {
    let extension = path.extension()?.to_str()?;
    let family = match extension {
        "js" | "mjs" | "cjs" | "jsx" | "ts" | "tsx" | "mts" | "cts" => Family::Script,
        "py" | "pyi" => Family::Python,
        "rs" => Family::Rust,
        "c" | "h" | "cc" | "cpp" | "hpp" | "m" | "mm" | "java" | "go" | "cs" | "kt" | "swift"
        | "php" => Family::Clike,
        "rb" => Family::Ruby,
        "sh" | "bash" => Family::Shell,
        "css" | "scss" | "less" => Family::Css,
        "html" | "vue" | "svelte" => Family::Html,
        "sql" => Family::Sql,
        "json" | "map" | "md" | "xml" | "svg" | "yml" | "yaml" | "toml" => Family::Generic,
        _ => return None,
    };
    Some((family, extension))
}

#[test]
fn families_are_those_of_the_extensions() {
    /// Texts that are shorter say too little for a share to be asked.
    const TEXT_MIN_BYTES: usize = 400;
    /// Files of one extension in one package.
    const FILES_MAX: usize = 60;
    let mut matrix: BTreeMap<(Family, Family), usize> = BTreeMap::new();
    let (mut bytes, mut seconds) = (0, 0.0);
    let mut look = |path: &Path, text: &[u8]| {
        let Some((family, _)) = by_name(path).filter(|_| text.len() >= TEXT_MIN_BYTES) else {
            return;
        };
        let begun = Instant::now();
        let told = family_of(text);
        seconds += begun.elapsed().as_secs_f64();
        bytes += 1;
        *matrix.entry((family, told)).or_default() += 1;
        // The line ends are no part of what a text is.
        if bytes % 50 == 0 && !text.contains(&b'\r') {
            let other = String::from_utf8_lossy(text).replace('\n', "\r\n");
            if family_of(other.as_bytes()) != told {
                println!("{} is another with CRLF", path.display());
            }
        }
    };
    let library = common::python([
        "-c",
        "import sysconfig; print(sysconfig.get_path('stdlib'))",
    ]);
    let library = PathBuf::from(String::from_utf8(library).unwrap().trim());
    let installed = [
        "/usr/lib/ruby",
        "/usr/share/postgresql",
        "/usr/share/bash-completion",
    ];
    let mut folders = vec![Some(library), crates()];
    folders.extend(installed.map(|folder| Some(PathBuf::from(folder))));
    for path in folders.iter().flatten().flat_map(|folder| {
        files(
            folder,
            &[
                "py", "rs", "c", "h", "md", "toml", "json", "rb", "sh", "css", "html", "sql",
            ],
        )
    }) {
        if let Ok(text) = std::fs::read(&path) {
            look(&path, &text);
        }
    }
    for package in common::packages().unwrap_or_default() {
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(
            std::fs::File::open(package).unwrap(),
        ));
        let mut seen: HashMap<String, usize> = HashMap::new();
        for member in archive.entries().unwrap() {
            let mut member = member.unwrap();
            let path = member.path().unwrap().into_owned();
            let Some((_, extension)) = by_name(&path) else {
                continue;
            };
            let count = seen.entry(extension.to_owned()).or_default();
            *count += 1;
            if *count <= FILES_MAX {
                let mut text = Vec::new();
                std::io::Read::read_to_end(&mut member, &mut text).unwrap();
                look(&path, &text);
            }
        }
    }
    println!("{bytes} files, {:.1} µs each", seconds / bytes as f64 * 1e6);
    let asked = [
        (Family::Script, 0.99),
        // What pip brings has many tables of words, and files that are all documentation.
        (Family::Python, 0.97),
        (Family::Rust, 0.99),
        (Family::Clike, 0.97),
        (Family::Generic, 0.95),
        (Family::Ruby, 0.95),
        (Family::Shell, 0.95),
        // Sheets that only hold functions, or one long address.
        (Family::Css, 0.95),
        (Family::Html, 0.97),
        (Family::Sql, 0.90),
    ];
    for (family, share) in asked {
        let row: BTreeMap<_, _> = matrix
            .iter()
            .filter(|(key, _)| key.0 == family)
            .map(|(key, n)| (key.1, *n))
            .collect();
        let all: usize = row.values().sum();
        let right = row.get(&family).copied().unwrap_or(0) as f64 / all.max(1) as f64;
        println!("{family:?}: {:.2} % of {all}: {row:?}", right * 100.0);
        assert!(all < 200 || right >= share, "{family:?}: {right} < {share}");
    }
}
