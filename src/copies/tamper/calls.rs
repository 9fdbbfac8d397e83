//! What code does: undoes an encoding and runs the result, starts programs, fetches and runs, reads where credentials lie,
//! sends its environment.
//!
//! Languages are not parsed: a pattern is a hint and says so. Patterns of calls are code, since they belong to languages;
//! places of credentials are words, and data.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::bytes::Regex;

use super::text::{Role, Take, Text, Thing, stripped};
use super::{pattern, rules};

/// Bytes of a call in which its argument is looked for.
const ARGUMENT: usize = 160;

/// Bytes and lines within which decoding and running belong together.
const NEAR: usize = 400;

/// A file of at most so many lines is read as one thing.
const SMALL_LINES: usize = 120;

/// What runs text as code.
static RUNS: LazyLock<Regex> = pattern!(
    r"(?:^|[^.\w$])(?P<call>eval|exec|compile|__import__|Function|execScript)\s*\(|\bnew\s+(?P<new>Function)\s*\(|\bvm\s*\.\s*(?P<vm>runIn(?:This|New)?Context|Script|compileFunction)\s*\(|\b(?P<module>_compile)\s*\(|\b(?P<loads>marshal\.loads|pickle\.loads)\s*\(|(?i:\b(?P<iex>iex|invoke-expression)\b)|\|\s*(?P<shell>(?:ba|z|da)?sh|python3?|node|perl|php)\b|\b(?P<child>child_process|execSync|spawnSync|os\.system|subprocess\.\w+)\b|\.\s*(?P<exec>exec)\s*\("
);

/// What undoes an encoding.
static DECODES: LazyLock<Regex> = pattern!(
    r#"\b(?P<d>atob|fromCharCode|fromCodePoint|b64decode|b32decode|a85decode|b85decode|unhexlify|fromhex|decompress|inflateSync|inflateRawSync|gunzipSync|brotliDecompressSync|unescape|FromBase64String|base64_decode|gzinflate|str_rot13|Marshal\.load|decode64)\s*\(|\bBuffer\s*\.\s*from\s*\([^;\n]{0,120}?["'`](?P<b>base64|hex|base64url)["'`]|\bcodecs\s*\.\s*(?P<c>decode)\s*\(|\bbase64\s+(?P<s>-d|-D|--decode)\b|(?i:\b(?P<e>-enc(?:odedcommand)?)\s+[A-Za-z0-9+/=]{40})"#
);

/// Which of its names a pattern found, and where that begins.
fn named<'t>(captures: &regex::bytes::Captures<'t>) -> (&'t [u8], usize) {
    let mut names = captures.iter().skip(1).flatten();
    let name = names.next().or_else(|| captures.get(0));
    name.map_or((b"", 0), |name| (name.as_bytes(), name.start()))
}

/// Decoding whose result is run.
pub(super) fn decode_then_run(text: &Text, take: Take<'_>) {
    if text.role == Role::Prose || !DECODES.is_match(text.bytes) {
        return;
    }
    let decodes: Vec<(Range<usize>, &[u8])> = (DECODES.captures_iter(text.bytes))
        .filter_map(|found| Some((found.get(0)?.range(), named(&found).0)))
        .collect();
    for found in RUNS.captures_iter(text.bytes) {
        let Some(whole) = found.get(0) else { continue };
        let (run, begin) = named(&found);
        let place = begin..whole.end();
        let is_evaluated = ![
            "child_process",
            "execSync",
            "spawnSync",
            "os.system",
            "exec",
            "compile",
        ]
        .iter()
        .any(|name| run == name.as_bytes())
            && !run.starts_with(b"subprocess")
            || run == b"exec" && !whole.as_bytes().starts_with(b".") && text.path.ends_with(".py");
        let first = decodes.partition_point(|(span, _)| span.end + NEAR < whole.start());
        let end = decodes.partition_point(|(span, _)| span.start <= whole.end() + NEAR);
        let near = decodes.get(first..end).unwrap_or_default();
        let nearest = near
            .iter()
            .min_by_key(|(span, _)| distance(span, &whole.range()));
        let Some((span, decode)) = nearest else {
            if is_evaluated && text.lines() <= SMALL_LINES && !text.is_packed {
                small_file(text, &place, run, &decodes, take);
            }
            continue;
        };
        let is_inside = span.start >= whole.start()
            && span.start <= whole.end() + ARGUMENT
            && !text.get(whole.end()..span.start).contains(&b';')
            && memchr::memmem::find(text.get(whole.end()..span.start), b"\n\n").is_none();
        // `base64 -d | sh` stands the other way round.
        let is_piped = span.end <= whole.start()
            && whole.as_bytes().starts_with(b"|")
            && whole.start() - span.end < ARGUMENT
            && !text.get(span.end..whole.start()).contains(&b'\n');
        let is_regex = run == b"exec" && whole.as_bytes().starts_with(b".") && !is_inside;
        let when = if (is_inside && (is_evaluated || !text.is_packed)) || is_piped {
            ""
        } else if distance(span, &whole.range()) <= NEAR
            && is_evaluated
            && !text.is_packed
            && !is_regex
        {
            "near"
        } else {
            if is_evaluated && text.lines() <= SMALL_LINES && !text.is_packed {
                small_file(text, &place, run, &decodes, take);
            }
            continue;
        };
        let both = begin.min(span.start)..whole.end().max(span.end);
        push(text, both, run, decode, when, take);
    }
}

fn push(
    text: &Text,
    span: Range<usize>,
    run: &[u8],
    decode: &[u8],
    when: &'static str,
    take: Take<'_>,
) {
    let sort = [run, b" ", decode].concat();
    let key = stripped(text.get(span.start..(span.end + ARGUMENT).min(text.bytes.len())));
    take(
        Thing::new("decode-then-run", span, &key)
            .sort(&sort)
            .when(when),
    );
}

/// A short file that does both, wherever: what is decoded at its top is run at its end.
fn small_file(
    text: &Text,
    run: &Range<usize>,
    name: &[u8],
    decodes: &[(Range<usize>, &[u8])],
    take: Take<'_>,
) {
    if let Some((_, decode)) = decodes.first() {
        push(text, run.clone(), name, decode, "same-file", take);
    }
}

fn distance(a: &Range<usize>, b: &Range<usize>) -> usize {
    a.start
        .saturating_sub(b.end)
        .max(b.start.saturating_sub(a.end))
}

/// Starts of programs.
pub(super) fn children(text: &Text, take: Take<'_>) {
    static STARTS: LazyLock<Regex> = pattern!(
        r#"["'`](?:node:)?(?P<js>child_process)["'`]|\b(?P<py>subprocess\s*\.\s*(?:run|Popen|call|check_output|check_call|getoutput)|os\s*\.\s*(?:system|popen|exec[lv]p?e?|spawn[lv]p?e?|startfile)|asyncio\s*\.\s*create_subprocess_\w+|pty\s*\.\s*spawn)\s*\(|\b(?P<rust>Command\s*::\s*new)\s*\(|\b(?P<go>exec\s*\.\s*Command(?:Context)?)\s*\(|\b(?P<java>Runtime\s*\.\s*getRuntime\s*\(\s*\)\s*\.\s*exec|new\s+ProcessBuilder)\s*\(|\b(?P<net>Process\s*\.\s*Start)\s*\(|\b(?P<js2>(?:spawn|exec|execFile|fork)Sync|Bun\s*\.\s*spawn(?:Sync)?|Deno\s*\.\s*Command)\s*\(|\b(?P<php>shell_exec|proc_open|passthru)\s*\(|\b(?P<ps>Start-Process)\b"#
    );
    if text.role != Role::Code {
        return;
    }
    for found in STARTS.captures_iter(text.bytes) {
        let Some(whole) = found.get(0) else { continue };
        let end = (whole.end() + ARGUMENT)
            .min(text.line(whole.start()).end)
            .max(whole.end());
        let key = stripped(text.get(whole.start()..end));
        let when = if text.is_packed { "packed" } else { "" };
        take(
            Thing::new("child-process", whole.range(), &key)
                .sort(b"starts programs")
                .when(when),
        );
    }
}

/// Fetching a program and running it, as attackers write it.
pub(super) fn download_and_run(text: &Text, take: Take<'_>) {
    static FETCHES: LazyLock<Regex> = pattern!(
        r#"(?i)\b(?:curl|wget)\b[^\n|;]{0,300}\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b|\b(?:ba)?sh\s+(?:-c\s+)?["']?(?:<\(|\$\()\s*(?:curl|wget)\b|\b(?:iex|invoke-expression)\b[^\n]{0,120}(?:downloadstring|invoke-webrequest|\biwr\b|\birm\b|net\.webclient)|(?:\biwr\b|\birm\b|invoke-webrequest|invoke-restmethod|downloadstring)[^\n]{0,200}\|\s*(?:iex|invoke-expression)\b|\bpowershell(?:\.exe)?\b[^\n]{0,80}\s-(?:e|en|enc|encodedcommand|w(?:indowstyle)?\s+hidden)\b|\bcertutil(?:\.exe)?\b[^\n]{0,80}-(?:urlcache|decode)\b|\bmshta(?:\.exe)?\s+["']?(?:https?|javascript|vbscript):|\bregsvr32\b[^\n]{0,60}/i:https?:|\bbitsadmin\b[^\n]{0,80}/transfer|\b(?:curl|wget)\b[^\n]{0,200}(?:&&|;)\s*chmod\s+\+?[0-7x]+|\bcurl\b[^\n|]{0,200}\|\s*(?:node|python3?|perl|php)\b"#
    );
    for found in FETCHES.find_iter(text.bytes) {
        let when = match text.role {
            Role::Prose => "in-prose",
            _ => "",
        };
        let key = stripped(found.as_bytes());
        take(Thing::new("download-and-run", found.range(), &key).when(when));
    }
}

/// Places of credentials: how many of them a text names, which the original does not.
pub(super) fn credential_stores(text: &Text, take: Take<'_>) {
    static WORDS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
        let words = rules::parameter("credential-store", "places");
        AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(words)
            .ok()
    });
    let Some(search) = WORDS.as_ref().filter(|_| text.role != Role::Prose) else {
        return;
    };
    let words = rules::parameter("credential-store", "places");
    let mut seen = BTreeSet::new();
    for found in search.find_iter(text.bytes) {
        let number = found.pattern().as_usize();
        if !seen.insert(number) {
            continue;
        }
        let word = words.get(number).map_or("", String::as_str);
        let when = if text.is_packed { "packed" } else { "" };
        take(Thing::new("credential-store", found.range(), word.as_bytes()).when(when));
    }
}

/// The whole environment, written out or sent.
pub(super) fn environment(text: &Text, take: Take<'_>) {
    static WHOLE: LazyLock<Regex> = pattern!(
        r"\bJSON\s*\.\s*stringify\s*\(\s*(?:\{\s*)?(?:\.\.\.\s*)?process\s*\.\s*env\s*[,)}]|\bObject\s*\.\s*(?:entries|assign|keys|values)\s*\(\s*(?:\{\s*\}\s*,\s*)?process\s*\.\s*env\s*\)|\benv\w*\s*:\s*process\s*\.\s*env\s*[,}]|\bjson\s*\.\s*dumps\s*\(\s*(?:dict\s*\(\s*)?os\s*\.\s*environ\b|\b(?:dict|str|repr)\s*\(\s*os\s*\.\s*environ\s*\)|\b(?:printenv|env|set)\s*\|\s*(?:curl|base64|nc|wget)\b|Deno\s*\.\s*env\s*\.\s*toObject\s*\("
    );
    static SENDS: LazyLock<Regex> = sends();
    if text.role == Role::Prose {
        return;
    }
    for found in WHOLE.find_iter(text.bytes) {
        // A child is given the environment by everybody: it has to be near something that sends.
        let round = text.round(&found.range(), NEAR);
        let is_sent = SENDS.is_match(round) || found.as_bytes().contains(&b'|');
        let when = match (is_sent, text.is_packed) {
            (true, false) => "",
            (true, true) => "packed",
            (false, _) => "not-sent",
        };
        let key = stripped(text.get(text.line(found.start())));
        take(
            Thing::new("environment-sent", found.range(), &key)
                .sort(b"env")
                .when(when),
        );
    }
}

/// What sends something somewhere.
pub(super) const fn sends() -> LazyLock<Regex> {
    pattern!(
        r#"(?i)\bmethod\s*["']?\s*:\s*["'`](?:post|put|patch)|\b(?:axios|requests|got|http|https|needle|superagent|session|client|httpx)\s*\.\s*(?:post|put|patch)\s*\(|\bsendBeacon\s*\(|\bnew\s+WebSocket\s*\(|\bXMLHttpRequest\b|\burlopen\s*\(|\bhttps?\s*\.\s*request\s*\(|\bnet\s*\.\s*(?:connect|createConnection)\s*\(|\bsocket\s*\.\s*(?:connect|create_connection|socket)\s*\(|\bcurl\b[^\n]{0,80}\s(?:-d|--data\S*|-F|-T|-X\s*(?:POST|PUT))\b|\bfetch\s*\([^)\n]{0,200},\s*\{|\bdns\s*\.\s*(?:resolve|lookup)\s*\("#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(&'static str, &'static str)> {
        let text = Text::of(path.as_bytes(), text.as_bytes()).unwrap();
        let mut found = Vec::new();
        for reader in [
            decode_then_run,
            children,
            download_and_run,
            credential_stores,
            environment,
        ] {
            reader(&text, &mut |thing| found.push((thing.rule, thing.when)));
        }
        found
    }

    #[test]
    fn the_ways_of_running_what_was_decoded() {
        for (path, text) in [
            ("a.js", "eval(atob('YWJj'))"),
            (
                "a.js",
                "new Function(Buffer.from(x, 'base64').toString())()",
            ),
            ("a.js", "vm.runInThisContext(zlib.gunzipSync(b))"),
            ("a.py", "exec(base64.b64decode(x))"),
            ("a.py", "exec(marshal.loads(zlib.decompress(x)))"),
            ("a.sh", "echo aGk= | base64 -d | bash"),
            (
                "a.js",
                "const c = require('child_process'); c.exec(Buffer.from(k, 'hex').toString())",
            ),
        ] {
            let rules = found(path, text);
            assert!(
                rules.contains(&("decode-then-run", "")),
                "{text}: {rules:?}"
            );
        }
        let far = format!("const s = atob('YWJj');\n{}eval(s);\n", "x();\n".repeat(99));
        assert_eq!(found("a.js", &far), [("decode-then-run", "same-file")]);
    }

    #[test]
    fn ordinary_code_does_none_of_it() {
        for text in [
            "const m = /a/.exec(atob(x)); y = 1;\nconst z = re.exec(name);",
            "const token = Buffer.from(pair).toString('base64');",
            "const child = { env: process.env };\nrun(child);",
            "retrieval(atob(x)); medieval(x)",
            "git log --format=%H | head",
        ] {
            let rules = found("a.js", text);
            assert!(
                rules.iter().all(
                    |(rule, when)| *rule == "environment-sent" && *when == "not-sent"
                        || *rule == "decode-then-run" && text.starts_with("const m")
                ),
                "{text}: {rules:?}"
            );
        }
    }

    #[test]
    fn programs_are_started_in_many_languages() {
        for (path, text) in [
            ("a.ts", "import { spawn } from 'node:child_process'"),
            ("a.py", "subprocess.Popen(['sh'])"),
            ("a.rs", "Command::new(\"sh\")"),
            ("a.go", "exec.Command(\"sh\")"),
        ] {
            assert!(found(path, text).contains(&("child-process", "")), "{text}");
        }
        assert!(found("a.md", "subprocess.run(x)").is_empty());
    }
}
