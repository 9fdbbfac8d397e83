//! Made-up records for tests: one incident as a run would write it, and the same with hostile strings.

pub mod copies;

use std::collections::BTreeMap;

use crate::record::*;

/// What an input may put into a name.
pub const HOSTILE: &str = "\"><script>alert(1)</script><img src=x onerror=alert(2)>\u{202E}gpj.exe\u{0}\u{1b}[31m\u{200B}&lt;'";

/// A digest that looks like one and differs for each number.
pub fn digest(number: u64) -> String {
    (1..=4)
        .map(|i| format!("{:016x}", (number + i).wrapping_mul(0x9E37_79B9_7F4A_7C15)))
        .collect()
}

/// A recovered source of `bytes` bytes at `url` in the map.
pub fn source(map: &str, url: &str, bytes: u64, party: Party, content: u64) -> Source {
    Source {
        locator: format!("{map}!/{url}"),
        hops: Hops::default(),
        map: map.to_owned(),
        name: Some(format!("../{url}")),
        name_b64: None,
        url: Some(format!("package/{url}")),
        bytes: Some(bytes),
        sha256: Some(digest(content)),
        party,
        party_reason: "the package's own name".to_owned(),
        status: SourceStatus::Exact,
        skeleton: false,
        lines: Some(bytes / 31),
        hash: None,
        elsewhere: None,
        public: None,
        mapped: None,
        git: None,
        image: None,
    }
}

/// An exposure at a place.
pub fn exposure(
    class: &str,
    severity: Severity,
    certainty: Certainty,
    locator: &str,
    detail: &str,
) -> Exposure {
    Exposure {
        class: class.to_owned(),
        severity,
        certainty,
        locator: locator.to_owned(),
        hops: Hops::default(),
        sha256: Some(digest(locator.len() as u64)),
        detail: detail.to_owned(),
        yara: None,
        git: None,
        image: None,
    }
}

/// A package with nothing in it that matters.
pub fn package(locator: &str, name: &str, version: &str) -> Package {
    Package {
        locator: locator.to_owned(),
        hops: Hops::default(),
        ecosystem: "npm".to_owned(),
        name: name.to_owned(),
        version: Some(version.to_owned()),
        sha256: Some(digest(name.len() as u64 * 1000 + locator.len() as u64)),
        licence: Some("MIT".to_owned()),
        repository: None,
        declared_open: true,
        files: 37,
        maps: 0,
        sources: SourceCounts::default(),
        own_bytes: 0,
        exposures: BTreeMap::new(),
        secrets: 0,
        items: 0,
        complete: true,
        image: None,
    }
}

/// A problem at a place.
pub fn problem(code: &str, locator: &str, detail: &str, bytes_unread: Option<u64>) -> Problem {
    Problem {
        code: code.to_owned(),
        locator: locator.to_owned(),
        hops: Hops::default(),
        detail: detail.to_owned(),
        bytes_unread,
    }
}

/// A credential, redacted, at a place.
pub fn secret(
    rule: &str,
    severity: Severity,
    check: &str,
    locator: &str,
    redacted: &str,
) -> Secret {
    Secret {
        id: Secret::id_of(rule, locator, 12, 9),
        length: 40,
        rule: rule.to_owned(),
        locator: locator.to_owned(),
        hops: Hops::default(),
        line: 12,
        column: 9,
        redacted: redacted.to_owned(),
        check: check.to_owned(),
        severity,
        tier: "specific".to_owned(),
        party: Some(Party::First),
        sha256: Some(digest(redacted.len() as u64)),
        written: None,
        detail: None,
        fingerprint: None,
        git: None,
        image: None,
    }
}

/// An item of a kind at a place.
pub fn item(kind: &str, value: &str, locator: &str, party: Party, confidence: &str) -> Item {
    Item {
        kind: kind.to_owned(),
        value: value.to_owned(),
        locator: locator.to_owned(),
        hops: Hops::default(),
        line: 40 + value.len() as u64,
        party,
        confidence: confidence.to_owned(),
        detail: None,
    }
}

/// What the recovered sources of the incident give away: kind, value, folder, how sure.
const ITEMS: [(&str, &str, &str, &str); 30] = [
    ("code-name", "Driftwood", "src/hooks", "high"),
    ("flag", "driftwood_voice_mode", "src/hooks", "high"),
    ("flag", "tide-pool-beta", "src/commands", "medium"),
    ("flag", "enable_night_shift", "src/services/api", "medium"),
    (
        "gate-not-in-bundle",
        "tide-pool-beta",
        "src/commands",
        "medium",
    ),
    ("env", "ACME_API_URL", "src/services/api", "high"),
    ("env", "ACME_INTERNAL_DEBUG", "src/utils", "high"),
    ("env", "DISABLE_TELEMETRY", "src/services/analytics", "high"),
    ("host", "deploy.acme.internal", "src/services/api", "high"),
    ("host", "api.acme.example", "src/services/api", "high"),
    (
        "url",
        "https://api.acme.example/v1/messages",
        "src/services/api",
        "high",
    ),
    ("private-address", "10.4.0.17", "src/services/api", "high"),
    ("bucket", "acme-artifacts", "src/utils", "high"),
    ("route", "/v1/sessions/:id", "src/services/api", "high"),
    ("command", "login", "src/commands", "medium"),
    ("slash-command", "/compact", "src/commands", "medium"),
    ("tool", "Bash", "src/tools/BashTool", "high"),
    (
        "prompt",
        "You are a careful assistant for the command line. Ask before you delete. …",
        "src/tools/BashTool",
        "medium",
    ),
    (
        "telemetry",
        "acme_session_start",
        "src/services/analytics",
        "medium",
    ),
    ("model", "drift-2-large", "src/services/api", "high"),
    (
        "control",
        "isDangerousCommand",
        "src/utils/permissions",
        "medium",
    ),
    ("control", "rateLimitPerUser", "src/services/api", "low"),
    (
        "weak-point",
        "exec of a string with a path in it",
        "src/tools/BashTool",
        "medium",
    ),
    (
        "internal-scope",
        "@acme-internal/flags",
        "src/hooks",
        "high",
    ),
    (
        "internal-scope",
        "@acme-internal/telemetry",
        "src/services/analytics",
        "high",
    ),
    ("email", "dana.lee@acme.example", "src/utils", "high"),
    ("person", "dlee", "src/utils", "low"),
    ("ticket", "ACME-1412", "src/utils/settings", "medium"),
    (
        "todo",
        "TODO(dlee): remove before launch",
        "src/hooks",
        "high",
    ),
    ("third-party", "zod@3.22.4", "src/utils", "high"),
];

fn items(map: &str) -> Vec<Item> {
    let of = |(kind, value, folder, confidence): &(&str, &str, &str, &str), i: usize| {
        let at = format!("{map}!/{folder}/file{i:03}.ts");
        item(kind, value, &at, Party::First, confidence)
    };
    let mut out: Vec<Item> = ITEMS.iter().map(|row| of(row, 0)).collect();
    // Each again at another place, and some of others.
    out.extend(ITEMS.iter().step_by(3).map(|row| of(row, 1)));
    let theirs = format!("{map}!/node_modules/zod/dist/esm/000.js");
    out.push(item("env", "NODE_ENV", &theirs, Party::Third, "high"));
    for item in &mut out {
        if item.kind == "env" {
            item.detail = Some("default: \"https://api.acme.example\"".to_owned());
        }
    }
    out
}

fn secrets(map: &str) -> Vec<Secret> {
    let at = |file: &str| format!("{map}!/{file}");
    let same = at("src/services/oauth/file001.ts");
    vec![
        secret(
            "registry-token",
            Severity::Critical,
            "checksum-ok",
            &at("src/services/api/file003.ts"),
            "npm_…[36]…aB3x",
        ),
        secret(
            "registry-token",
            Severity::Critical,
            "checksum-ok",
            &same,
            "npm_…[36]…aB3x",
        ),
        secret(
            "generic-password",
            Severity::Medium,
            "unchecked",
            &same,
            "(14 bytes)",
        ),
    ]
}

fn counts(pairs: &[(&str, u64)]) -> BTreeMap<String, u64> {
    pairs
        .iter()
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect()
}

/// The run record.
pub fn run() -> Run {
    Run {
        schema: SCHEMA_VERSION,
        version: "strandline 0.1.0".to_owned(),
        program: Some(digest(1)),
        rules: digest(2),
        sets: vec![RunSet {
            work: "acme-cli".to_owned(),
            release: "2.1.88".to_owned(),
            digest: digest(3),
            role: "signature".to_owned(),
        }],
        known_secrets: None,
        user_rules: None,
        yara: None,
        terms: None,
        inventory: Some("sources".to_owned()),
        case_key: None,
        organisation: Some(digest(4)),
        inputs: vec![
            RunInput {
                label: "mirror".to_owned(),
                sha256: None,
            },
            RunInput {
                label: "acme-cli-2.1.88.tgz".to_owned(),
                sha256: Some(digest(5)),
            },
        ],
        releases: None,
        origins: None,
        limits: counts(&[
            ("bytes-per-container", 68_719_476_736),
            ("depth", 32),
            ("entries", 10_000_000),
            ("ratio", 2_000),
        ]),
        triage: false,
        decoders: Some("fast".to_owned()),
        started: Some("2026-04-02T03:12:44Z".to_owned()),
        seconds: Some(4.2),
        wall: None,
    }
}

/// A ledger that adds up and is complete.
pub fn full_ledger() -> Ledger {
    Ledger {
        containers: 19,
        entries: 3_210,
        scanned: 2_100,
        duplicate: 1_100,
        skipped: counts(&[("no-content", 10)]),
        other: counts(&[("directory", 312), ("symlink", 4)]),
        bytes_in: 48_812_441,
        bytes_scanned: 391_002_188,
        findings_failing: 6,
        complete: true,
        ..Ledger::default()
    }
}

/// A ledger that adds up and is not complete.
pub fn partial_ledger() -> Ledger {
    Ledger {
        entries: 3_217,
        skipped: counts(&[("encrypted", 3), ("no-content", 10)]),
        damaged: counts(&[("truncated", 4)]),
        complete: false,
        ..full_ledger()
    }
}

const FOLDERS: [(&str, u64, u64); 19] = [
    ("src", 18, 21_000),
    ("src/commands", 96, 9_400),
    ("src/components", 144, 7_800),
    ("src/components/design-system", 38, 4_100),
    ("src/components/permissions", 51, 11_900),
    ("src/hooks", 104, 6_200),
    ("src/services/api", 24, 17_500),
    ("src/services/analytics", 9, 8_800),
    ("src/services/mcp", 27, 15_800),
    ("src/services/oauth", 6, 9_000),
    ("src/tools/BashTool", 19, 24_000),
    ("src/tools/FileEditTool", 8, 10_200),
    ("src/utils", 330, 6_600),
    ("src/utils/permissions", 26, 14_100),
    ("src/utils/settings", 19, 7_900),
    ("vendor/ripgrep-js", 14, 12_000),
    ("packages/@acme-internal/flags/src", 22, 5_200),
    ("packages/@acme-internal/telemetry/src", 17, 6_900),
    ("generated/protos", 31, 3_000),
];

const DEPENDENCIES: [&str; 12] = [
    "lodash-es",
    "react",
    "react-reconciler",
    "zod",
    "@aws-sdk/client-sts",
    "@grpc/grpc-js",
    "ink",
    "yoga-layout",
    "highlight.js",
    "undici",
    "@opentelemetry/api",
    "semver",
];

fn sources(map: &str) -> Vec<Source> {
    let mut out = Vec::new();
    let mut content = 1_000;
    for (folder, files, mean) in FOLDERS {
        for i in 0..files {
            content += 1;
            let party = if folder.starts_with("vendor") {
                Party::Unknown
            } else {
                Party::First
            };
            let bytes = mean / 3 + (content * 7_919) % (mean * 4 / 3);
            out.push(source(
                map,
                &format!("{folder}/file{i:03}.ts"),
                bytes,
                party,
                content,
            ));
        }
    }
    for (n, dependency) in DEPENDENCIES.iter().enumerate() {
        for i in 0..(20 + n as u64 * 9) {
            content += 1;
            let url = format!("node_modules/{dependency}/dist/esm/{i:03}.js");
            out.push(source(
                map,
                &url,
                900 + (content * 104_729) % 9_000,
                Party::Third,
                content,
            ));
        }
    }
    for i in 0..10 {
        let mut missing = source(
            map,
            &format!("src/generated/missing{i}.ts"),
            0,
            Party::First,
            0,
        );
        missing.status = SourceStatus::Missing;
        (missing.sha256, missing.bytes) = (None, None);
        out.push(missing);
    }
    if let Some(last) = out.first_mut() {
        last.status = SourceStatus::Truncated;
    }
    out
}

fn copy(locator: &str, files: u64, share: f64, grades: &[(&str, u64)], class: &str) -> Copy {
    Copy {
        locator: locator.to_owned(),
        hops: Hops::default(),
        work: "acme-cli".to_owned(),
        release: "2.1.88".to_owned(),
        files_matched: files,
        files_total: 1_003,
        of_original: share,
        grades: counts(grades),
        basis: crate::record::Basis::Content,
        class: class.to_owned(),
        url: Some("https://code.forge.example/said/by-itself".to_owned()),
        location: Some(Certainty::Hint),
        unmatched_files: Some(4),
        unmatched_bytes: Some(20_480),
        counted: Some(Counted::LaidOut),
        licences: vec![LicenceFile {
            path: "LICENSE.md".to_owned(),
            licence: Some("MIT".to_owned()),
        }],
        dates: Some(CopyDates {
            first: "2026-04-01T08:00:00Z".to_owned(),
            last: "2026-04-03T08:00:00Z".to_owned(),
            basis: "git-author".to_owned(),
        }),
        standing: counts(&[("default-branch-head", files)]),
        ..Copy::default()
    }
}

/// One incident: a vendor's package with its map, clean packages beside it, copies in a mirror, some damage.
pub fn incident() -> Vec<Record> {
    let tgz = "acme-cli-2.1.88.tgz";
    let map = "acme-cli-2.1.88.tgz!/package/cli.js.map";
    let mut leaking = package(tgz, "@acme/cli", "2.1.88");
    leaking.licence = None;
    leaking.declared_open = false;
    leaking.maps = 1;
    leaking.exposures = counts(&[("map-with-sources", 1), ("private-key", 1), ("env-file", 1)]);
    leaking.secrets = 2;
    let all = sources(map);
    for source in &all {
        match source.party {
            Party::First => leaking.sources.first += 1,
            Party::Third => leaking.sources.third += 1,
            Party::Unknown => leaking.sources.unknown += 1,
        }
        leaking.sources.with_content += u64::from(source.bytes.is_some());
        if source.party != Party::Third {
            leaking.own_bytes += source.bytes.unwrap_or(0);
        }
    }
    let mut older = package("mirror/acme-cli-0.2.8.tgz", "@acme/cli", "0.2.8");
    older.exposures = counts(&[("inline-map", 1)]);
    older.own_bytes = 161_220;
    older.sources.first = 31;
    older.sources.with_content = 31;
    older.maps = 1;
    let mut out = vec![
        Record::from(run()),
        Record::from(leaking),
        Record::from(older),
    ];
    for i in 0..12 {
        let name = format!("tidy-lib-{i}");
        let mut clean = package(
            &format!("mirror/{name}-1.{i}.0.tgz"),
            &name,
            &format!("1.{i}.0"),
        );
        clean.complete = i != 7;
        out.push(Record::from(clean));
    }
    out.push(Record::Map(Map {
        locator: map.to_owned(),
        hops: Hops::default(),
        kind: MapKind::File,
        sources: all.len() as u64,
        with_content: all.len() as u64 - 10,
        valid: Some(true),
        errors: Vec::new(),
        debug_id: None,
        consistency: None,
        explained: Some(Explained {
            script: map.trim_end_matches(".map").to_owned(),
            characters: 1_204_411,
            of: 1_298_030,
        }),
    }));
    let inline = "mirror/acme-cli-0.2.8.tgz!/package/cli.mjs!/@5120";
    out.push(Record::Map(Map {
        locator: inline.to_owned(),
        hops: Hops::default(),
        kind: MapKind::Inline,
        sources: 31,
        with_content: 31,
        valid: Some(false),
        errors: vec!["mappings: field 5 of segment 3 is missing".to_owned()],
        debug_id: None,
        consistency: None,
        explained: None,
    }));
    out.extend(all.into_iter().map(Record::from));
    out.extend(secrets(map).into_iter().map(Record::Secret));
    out.extend(items(map).into_iter().map(Record::Item));
    for i in 0..31 {
        out.push(Record::from(source(
            inline,
            &format!("src/file{i:03}.ts"),
            5_200,
            Party::First,
            1_000 + i,
        )));
    }
    for (class, severity, certainty, locator, detail) in [
        (
            "map-with-sources",
            Severity::Critical,
            Certainty::Proven,
            map,
            "A source map holds the full text of 1,003 first-party sources; the package declares no licence.",
        ),
        (
            "private-key",
            Severity::Critical,
            Certainty::Proven,
            "acme-cli-2.1.88.tgz!/package/test/fixtures/server.pem",
            "A private key, PKCS #8, RSA 2048; parsed.",
        ),
        (
            "env-file",
            Severity::High,
            Certainty::Hint,
            "acme-cli-2.1.88.tgz!/package/.env.production",
            "A file of this name usually holds credentials; 6 assignments, 2 of them not placeholders.",
        ),
        (
            "inline-map",
            Severity::High,
            Certainty::Proven,
            inline,
            "A data URL in a script holds the full text of 31 first-party sources.",
        ),
        (
            "dangling-map-bucket",
            Severity::Medium,
            Certainty::Proven,
            "acme-cli-2.1.88.tgz!/package/vendor/worker.js",
            "A sourceMappingURL points to an archive in a storage bucket that is not in the input.",
        ),
        (
            "map-names-only",
            Severity::Low,
            Certainty::Proven,
            "mirror/tidy-lib-3-1.3.0.tgz!/package/dist/index.js.map",
            "A source map names 14 files and holds no content.",
        ),
        (
            "map-with-sources",
            Severity::Info,
            Certainty::Proven,
            "mirror/tidy-lib-5-1.5.0.tgz!/package/dist/index.js.map",
            "Sources of a package that is declared open.",
        ),
    ] {
        out.push(Record::Exposure(exposure(
            class, severity, certainty, locator, detail,
        )));
    }
    for (kind, target, locator) in [
        (
            ReferenceKind::File,
            "index.js.map",
            "mirror/tidy-lib-2-1.2.0.tgz!/package/dist/index.js",
        ),
        (
            ReferenceKind::Bucket,
            "https://acme-artifacts.storage.example/builds/2.1.88/src.zip",
            "acme-cli-2.1.88.tgz!/package/vendor/worker.js",
        ),
        (
            ReferenceKind::Url,
            "https://maps.acme.example/cli/worker.js.map",
            "acme-cli-2.1.88.tgz!/package/vendor/worker.js",
        ),
    ] {
        out.push(Record::Reference(Reference {
            locator: locator.to_owned(),
            hops: Hops::default(),
            target: target.to_owned(),
            kind,
            found: None,
        }));
    }
    for copy in [
        copy(
            "mirror/clone-verbatim",
            1_003,
            1.0,
            &[("exact", 1_003)],
            "verbatim",
        ),
        copy(
            "mirror/clone-formatted.zip",
            998,
            0.99412,
            &[("normalized", 961), ("excerpt", 37)],
            "reformatted",
        ),
        copy(
            "mirror/clone-partial",
            212,
            0.1834,
            &[("exact", 200), ("excerpt", 12)],
            "partial",
        ),
    ] {
        out.push(Record::from(copy));
    }
    out.push(Record::Suspect(Box::new(copy(
        "mirror/port-to-rust",
        41,
        0.031,
        &[("derived", 3), ("ported", 38)],
        "ported",
    ))));
    for (locator, class) in [
        ("mirror/clone-verbatim", "verbatim"),
        ("mirror/clone-formatted.zip", "reformatted"),
        ("mirror/clone-partial", "partial"),
        ("mirror/port-to-rust", "ported"),
        ("mirror/other-tool", "unrelated"),
        ("mirror/locked.zip", "unreadable"),
        ("mirror/acme-plugins", "own-public"),
    ] {
        out.push(Record::Examined(Examined {
            locator: locator.to_owned(),
            hops: Hops::default(),
            class: class.to_owned(),
            note: None,
        }));
    }
    out.extend(copies::beside());
    for (code, locator, detail, unread) in [
        (
            "encrypted",
            "mirror/locked.zip",
            "3 members are encrypted (ZipCrypto). Ask for the password, or accept the gap with --accept-problem encrypted.",
            None,
        ),
        (
            "truncated",
            "mirror/tidy-lib-7-1.7.0.tgz",
            "The gzip stream ends in the middle of a block; 41 entries were read before it. Get the file again and compare its SHA-256.",
            Some(18_220),
        ),
        (
            "header-disagrees",
            "mirror/clone-formatted.zip!/src/main.ts",
            "The central directory and the local header give different names; the former was used.",
            Some(0),
        ),
    ] {
        out.push(Record::Problem(problem(code, locator, detail, unread)));
    }
    out.push(Record::from(partial_ledger()));
    out
}

/// The incident again, with a hostile string in every field that an input can reach.
pub fn hostile() -> Vec<Record> {
    let mut out = incident();
    for record in &mut out {
        match record {
            Record::Run(run) => {
                run.inputs[0].label.push_str(HOSTILE);
                run.sets[0].work.push_str(HOSTILE);
            }
            Record::Package(package) => {
                package.name.push_str(HOSTILE);
                package.locator.push_str(HOSTILE);
                package.version = Some(HOSTILE.to_owned());
                package.licence = Some(HOSTILE.to_owned());
                package.sha256 = Some(HOSTILE.to_owned());
            }
            Record::Source(source) => {
                source.map.push_str(HOSTILE);
                source.url = Some(format!("{HOSTILE}/{HOSTILE}/x.ts"));
            }
            Record::Secret(secret) => {
                secret.rule.push_str(HOSTILE);
                secret.redacted.push_str(HOSTILE);
                secret.locator.push_str(HOSTILE);
                secret.tier.push_str(HOSTILE);
                secret.detail = Some(HOSTILE.to_owned());
                secret.fingerprint = Some(HOSTILE.to_owned());
            }
            Record::Item(item) => {
                item.kind.push_str(HOSTILE);
                item.value.push_str(HOSTILE);
                item.locator.push_str(HOSTILE);
                item.confidence.push_str(HOSTILE);
                item.detail = Some(HOSTILE.to_owned());
            }
            Record::Exposure(exposure) => {
                exposure.class.push_str(HOSTILE);
                exposure.locator.push_str(HOSTILE);
                exposure.detail.push_str(HOSTILE);
            }
            Record::Reference(reference) => {
                reference.target = format!("javascript:alert(1)//{HOSTILE}");
                reference.locator.push_str(HOSTILE);
            }
            Record::Copy(copy) | Record::Suspect(copy) => {
                copy.locator.push_str(HOSTILE);
                copy.work.push_str(HOSTILE);
                copy.class.push_str(HOSTILE);
                copy.grades.insert(HOSTILE.to_owned(), 1);
                copy.standing.insert(HOSTILE.to_owned(), 1);
                copy.licences[0].path.push_str(HOSTILE);
                copy.dates.as_mut().unwrap().basis.push_str(HOSTILE);
            }
            Record::Origin(origin) => {
                origin.locator.push_str(HOSTILE);
                origin.url = Some(format!("javascript:alert(1)//{HOSTILE}"));
                origin.host = Some(HOSTILE.to_owned());
                origin.network = Some(HOSTILE.to_owned());
                origin.seen_at = Some(HOSTILE.to_owned());
            }
            Record::Comparison(row) => row.locator.push_str(HOSTILE),
            Record::Change(row) => {
                row.root.push_str(HOSTILE);
                row.path = Some(HOSTILE.to_owned());
                row.original = Some(format!("{HOSTILE}2"));
                row.content = Some(HOSTILE.to_owned());
            }
            Record::Sign(row) => {
                row.root.push_str(HOSTILE);
                row.rule.push_str(HOSTILE);
                row.path.push_str(HOSTILE);
                row.found.push_str(HOSTILE);
                row.original = Some(HOSTILE.to_owned());
            }
            Record::Lineage(row) => {
                row.locator.push_str(HOSTILE);
                row.family.push_str(HOSTILE);
                row.parent = row.parent.take().map(|parent| parent + HOSTILE);
            }
            Record::Examined(examined) => {
                examined.class.push_str(HOSTILE);
                examined.locator.push_str(HOSTILE);
            }
            Record::Problem(problem) => {
                problem.code.push_str(HOSTILE);
                problem.locator.push_str(HOSTILE);
                problem.detail.push_str(HOSTILE);
            }
            Record::Ledger(ledger) => {
                ledger.skipped.insert(HOSTILE.to_owned(), 0);
                ledger.damaged.insert(HOSTILE.to_owned(), 0);
                ledger.other.insert(HOSTILE.to_owned(), 5);
            }
            _ => {}
        }
    }
    out
}

/// A release of the package of the incident, the `order`th of two, with so many maps.
pub fn release(version: &str, order: u64, maps: u64) -> Release {
    let size = Grown {
        now: 10,
        ..Grown::default()
    };
    Release {
        locator: format!("m/acme-cli-{version}.tgz"),
        hops: Hops::default(),
        ecosystem: "npm".to_owned(),
        name: "@acme/cli".to_owned(),
        version: version.to_owned(),
        position: order,
        of: 2,
        places: 1,
        differs: false,
        published: None,
        published_by: None,
        downloads: None,
        previous: None,
        unseen_before: Some(order),
        unseen_after: None,
        archive_bytes: Some(size),
        files: size,
        maps: Grown {
            now: maps,
            ..Grown::default()
        },
        own_bytes: size,
        jumps: vec!["own_bytes".to_owned()],
        contents_new: 1,
        contents_gone: 0,
        contents_kept: 0,
        introduced: 1,
        removed: 0,
        complete: true,
    }
}
