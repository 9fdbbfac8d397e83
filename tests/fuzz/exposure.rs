//! Targets of what names the contents of a leak: artifacts, credentials, items, and the files that a user gives for it.
//!
//! Beside panics and memory it is watched that a redacted credential does not give itself away, that every place is in the
//! text, and that what was found once is found again.

use std::sync::Arc;

use strandline::case::ReleaseList;
use strandline::exposure::user::UserRules;
use strandline::exposure::user::read as rule_file;
use strandline::exposure::{
    CaseKey, Inspector, InventoryScope, KnownSecrets, Packument, Prefilter, Role, Rules,
    SecretFact, Terms, artifacts_beginning, example_files, traits_of,
};
use strandline::report::claims::Claims;

use crate::seeds;
use crate::targets::{Outcome, TEXT, Target, plain};

/// What credentials are written with, and where.
const CREDENTIALS: &[&[u8]] = &[
    b"AKIA",
    b"ghp_",
    b"xoxb-",
    b"npm_",
    b"eyJ",
    b"sk-",
    b"password = \"",
    b"api_key: '",
    b"SECRET=",
    b"://user:pass@",
    b"Basic ",
    b"-----BEGIN PRIVATE KEY-----\n",
    b"-----END PRIVATE KEY-----\n",
    b"\\u0067",
    b"\\x67",
    b"\" + \"",
    b"\"\n\"",
    b"\"].join(\"\")",
    b"\\/",
    b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGk=",
    b"4012888888881881",
    b"GB82WEST12345698765432",
    b"\xff\xfe",
    b"\0",
    b"\r",
    b"\xe2\x80\xa8",
];

/// What items are read from.
const ITEMS: &[&[u8]] = &[
    b"process.env.",
    b" ?? 'x'",
    b"import x from 'commander';\n",
    b".command('a')",
    b".option('--a')",
    b"useFlag('new-nav')",
    b"https://",
    b"${",
    b"`",
    b"TODO(a): ",
    b"// ",
    b"/*",
    b"*/",
    b"@a.example",
    b"10.0.0.1",
    b"/home/ada/",
    b"class A{",
    b"@b()",
    b"=>",
    b"async ",
    b"<T,>(",
    b"<A b={",
    b"</A>",
    b"?.[",
    b"?:",
    b"...",
    b"#a in ",
    b"(",
    b"[",
    b"{",
    b"}",
    b"/[/]/u",
];

/// What settings, states and recordings are written with.
const ARTIFACTS: &[&[u8]] = &[
    b"{\"auths\":{\"h\":{\"auth\":\"",
    b"\"lockfileVersion\":1,",
    b"://",
    b"[section]\n",
    b"key = value\n",
    b"apiVersion: v1\nkind: Secret\n",
    b"&a [*a]",
    b"\"nbformat\":4,",
    b"PAR1",
    b"GGUF",
    b"SQLite format 3\0",
    b"Bud1",
    b"\x80\x02",
    b"Obj\x01",
    b"\x93NUMPY",
    b"\x7fELF",
    b"\xff\xff\xff\xff",
    b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
    b"\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\0\0\0\0",
];

const RULE_FILE: &[&[u8]] = &[
    b"[[rules]]\n",
    b"id = 'a'\n",
    b"regex = '''a[0-9]{3}'''\n",
    b"[rules.allowlist]\n",
    b"rules:\n- name: a\n  id: a\n  pattern: '",
    b"(?i)",
    b"(?x)",
    b"(?=a)",
    b"{1000}",
    b"[[:alpha:]]",
    b"\\b",
    b"(?P<a>",
    b"*",
    b"&a ",
    b"*a",
    b": |\n",
    b"'''",
    b"\"",
    b"a.a.a.a = 1\n",
    b"[a.b.c]\n",
];

const LISTS: &[&[u8]] = &[
    b"\t",
    b"\n",
    b"\r\n",
    b",",
    b"\"",
    b"2024-01-01T00:00:00Z",
    b"[[claim]]\n",
    b"kind = 'files'\n",
    b"value = 'about 1,900'\n",
    b"tolerance = ",
    b"9e999",
    b"99999999999999999999",
    b"{\"name\":\"a\",\"dist-tags\":{},\"time\":{\"1.0.0\":\"",
    b"\xef\xbb\xbf",
    b"#",
];

/// All of them.
pub fn all() -> Vec<Target> {
    let target = |name, seeds: &[&str], words, run: fn(&[u8], u64) -> Outcome| Target {
        words,
        ..plain(name, seeds, run)
    };
    vec![
        Target {
            run: inspecting(),
            ..target(
                "inspect-secrets",
                &["secret-examples", "secrets", "text"],
                CREDENTIALS,
                |_, _| Ok(()),
            )
        },
        Target {
            run: inspecting(),
            ..target(
                "inspect-items",
                &["code", "incident", "text"],
                ITEMS,
                |_, _| Ok(()),
            )
        },
        target("artifacts", &["artifact-examples"], ARTIFACTS, artifacts),
        target("rule-file", &["rule-file-user"], RULE_FILE, user_rules),
        target("known-set", &["known-set"], &[], known_set),
        target("terms", &["text"], TEXT, terms),
        target(
            "lists-of-users",
            &["lists-of-users", "text"],
            LISTS,
            lists_of_users,
        ),
    ]
}

/// Inputs for them: the examples of all rules.
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let mut made = Vec::new();
    for rule in Rules::builtin().iter() {
        for example in rule.matches.iter().chain(&rule.rejects) {
            let files = example_files(example).unwrap_or_default();
            made.extend(
                files
                    .into_iter()
                    .map(|(_, bytes)| ("artifact-examples", bytes)),
            );
        }
    }
    for one in strandline::exposure::secrets::rule::RuleSet::builtin().iter() {
        for example in one.rule.matches.iter().take(2) {
            let bytes = strandline::exposure::secrets::examples::expand(example, "fuzz");
            made.extend(bytes.ok().map(|bytes| ("secret-examples", bytes)));
        }
    }
    let texts: [(&'static str, &[u8]); 5] = [
        ("rule-file-user", GITLEAKS),
        ("rule-file-user", KINGFISHER),
        ("known-set", KNOWN),
        (
            "lists-of-users",
            b"package\tversion\tpublished\tdownloads\n@acme/cli\t1.0.0\t2024-01-01T00:00:00Z\t7\n",
        ),
        (
            "lists-of-users",
            b"[[claim]]\nid = 'a'\nkind = 'files'\nvalue = 'about 1,900'\n",
        ),
    ];
    made.extend(texts.map(|(name, bytes)| (name, bytes.to_vec())));
    made
}

const GITLEAKS: &[u8] = b"title = 'x'\n[[rules]]\nid = 'acme'\ndescription = 'A key'\nregex = '''(?i)acme_([a-z0-9]{20})\\b'''\nsecretGroup = 1\nentropy = 3.1\nkeywords = ['acme_']\n[[rules.allowlists]]\nregexes = ['''example''']\nstopwords = ['test']\n";
const KINGFISHER: &[u8] = b"rules:\n  - name: Acme\n    id: acme.1\n    pattern: |\n      (?x)(?i)\n      acme_ (?P<TOKEN> [a-z0-9]{20} ) \\b\n    min_entropy: 3.0\n    confidence: medium\n    examples:\n      - acme_aaaaaaaaaaaaaaaaaaaa\n";
const KNOWN: &[u8] = b"{\"format\":\"strandline known secrets 1\",\"salt\":\"0707070707070707070707070707070707070707070707070707070707070707\",\"key_id\":null,\"left_out\":0,\"secrets\":[{\"name\":\"A\",\"bytes\":32,\"window\":3,\"filter\":7,\"digest\":\"00000000000000000000000000000000\"}]}";

/// Texts, read as closely as anything is.
fn inspecting() -> Box<crate::targets::Run> {
    let known = KnownSecrets::read(KNOWN, None).ok().map(Arc::new);
    let file = rule_file::read(GITLEAKS).expect("the rules are rules");
    let user = UserRules::new(&file.rules).expect("they compile");
    let terms = Terms::parse("codename\ninternal\n", "t").ok();
    let inspector = Inspector {
        inventory: InventoryScope::All,
        known,
        user: Some(Arc::new(user)),
        case_key: Some(CaseKey([7; 32])),
        terms: Terms::with_code_names(terms.as_ref(), None),
        ..Inspector::default()
    };
    Box::new(move |bytes: &[u8], turn: u64| {
        let role = [Role::Own, Role::Bulk][turn as usize % 2];
        let found = inspector.inspect(bytes, role);
        if found != inspector.inspect(bytes, role) {
            return Err("two readings of the same bytes differ".to_owned());
        }
        let lines = 1 + memchr::memchr_iter(b'\n', bytes).count() as u64;
        for secret in &found.secrets {
            if secret.line > lines || secret.line == 0 || secret.column == 0 {
                return Err(format!("line {} of {lines}", secret.line));
            }
            if secret.redacted.contains('\n') {
                return Err(format!("told as {:?}", secret.redacted));
            }
            let Some(value) = value_of(secret, bytes) else {
                continue;
            };
            let told = found.items.iter().find(|item| {
                let detail = item.detail.as_deref().unwrap_or_default();
                [item.value.as_str(), detail]
                    .iter()
                    .any(|text| text.contains(value))
            });
            if let Some(item) =
                told.filter(|item| !matches!(item.kind.as_str(), "term" | "code-name"))
            {
                return Err(format!("{} tells a secret: {item:?}", secret.rule));
            }
        }
        if let Some(item) = found.items.iter().find(|item| item.line > lines) {
            return Err(format!("line {} of {lines}", item.line));
        }
        Ok(())
    })
}

/// A secret as it stands in the text, where it stands there plainly.
fn value_of<'t>(secret: &SecretFact, bytes: &'t [u8]) -> Option<&'t str> {
    let feeds = usize::try_from(secret.line).ok()?.checked_sub(2);
    let start = match feeds {
        Some(feeds) => memchr::memchr_iter(b'\n', bytes).nth(feeds)? + 1,
        None => 0,
    };
    let begin = start + usize::try_from(secret.column).ok()? - 1;
    let value = bytes.get(begin..begin + usize::try_from(secret.length).ok()?)?;
    let is_plain = secret.written.is_none() && value.len() >= 5;
    std::str::from_utf8(value).ok().filter(|_| is_plain)
}

fn artifacts(bytes: &[u8], _turn: u64) -> Outcome {
    let hits = Prefilter::new().scan(bytes);
    traits_of(bytes, &hits);
    artifacts_beginning(bytes, &mut Vec::new());
    Ok(())
}

fn user_rules(bytes: &[u8], _turn: u64) -> Outcome {
    let Ok(file) = rule_file::read(bytes) else {
        return Ok(());
    };
    let Ok(rules) = UserRules::new(&file.rules) else {
        return Ok(());
    };
    for text in seeds::incident_texts().iter().take(2) {
        rules.facts(text, Role::Own, None);
    }
    Ok(())
}

fn known_set(bytes: &[u8], _turn: u64) -> Outcome {
    if let Ok(set) = KnownSecrets::read(bytes, None) {
        set.facts(bytes, None);
    }
    Ok(())
}

fn terms(bytes: &[u8], _turn: u64) -> Outcome {
    let (list, text) = bytes.split_at(bytes.len() / 4);
    if let Ok(terms) = Terms::parse(&String::from_utf8_lossy(list), "t") {
        let lines = 1 + memchr::memchr_iter(b'\n', text).count() as u64;
        if terms.items_of(text, 0).iter().any(|item| item.line > lines) {
            return Err("a word that is not in the text".to_owned());
        }
    }
    Ok(())
}

fn lists_of_users(bytes: &[u8], _turn: u64) -> Outcome {
    let _ = ReleaseList::parse(bytes, "l.tsv");
    Packument::from_json(bytes);
    let text = String::from_utf8_lossy(bytes);
    for name in ["c.csv", "c.toml"] {
        let _ = Claims::parse(&text, std::path::Path::new(name));
    }
    Ok(())
}
