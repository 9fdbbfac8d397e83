//! Where code connects to: hosts, webhooks, wallets.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::Regex;

use super::calls::sends;
use super::text::{Role, Take, Text, Thing, ending};
use super::wallets;
use super::{pattern, rules};

/// Bytes of a host and its port.
const HOST_MAX: usize = 260;
/// Bytes round an address in which a call that sends is looked for.
const NEAR: usize = 240;

/// Hosts in addresses, and addresses in digits.
pub(super) fn hosts(text: &Text, take: Take<'_>) {
    static URL: LazyLock<Regex> = pattern!(
        r#"(?i)\b(?:https?|wss?|ftps?|tcp|socks5)(?::|\\x3a)(?:\\?/){2}(?:[^\s"'<>@/\\]{1,64}@)?(?P<host>\[[0-9a-f:.]{2,45}\]|[a-z0-9_](?:[a-z0-9._-]{0,252}[a-z0-9])?)(?::\d{1,5})?"#
    );
    static DIGITS: LazyLock<Regex> =
        pattern!(r#"["'`](?P<host>\d{1,3}(?:\.\d{1,3}){3})(?P<port>:\d{2,5})?["'`]"#);
    for found in URL.captures_iter(text.bytes) {
        let (Some(whole), Some(host)) = (found.get(0), found.name("host")) else {
            continue;
        };
        host_of(text, whole.range(), host.as_bytes(), true, take);
    }
    if text.role == Role::Code {
        for found in DIGITS.captures_iter(text.bytes) {
            let (Some(whole), Some(host)) = (found.get(0), found.name("host")) else {
                continue;
            };
            host_of(
                text,
                whole.range(),
                host.as_bytes(),
                found.name("port").is_some(),
                take,
            );
        }
    }
}

fn host_of(text: &Text, span: Range<usize>, host: &[u8], is_address: bool, take: Take<'_>) {
    static SENDS: LazyLock<Regex> = sends();
    let host = String::from_utf8_lossy(host).to_ascii_lowercase();
    let bare = host
        .trim_matches(['[', ']', '.'])
        .trim_start_matches("www.");
    let is_prose = text.role == Role::Prose;
    let is_hidden_by_lock = text.role == Role::Data;
    let when = if let Ok(ip) = bare.parse::<IpAddr>() {
        match (is_public(ip), is_address, is_prose) {
            (false, ..) => "inside",
            (true, true, false) => "address-in-digits",
            _ => "prose",
        }
    } else if !bare.contains('.') || is_reserved(bare) {
        "inside"
    } else if is_listed(bare, rules::parameter("new-host", "drops")) {
        if is_prose { "drop-in-prose" } else { "drop" }
    } else if is_prose {
        "prose"
    } else if is_hidden_by_lock {
        "data"
    } else if !text.is_packed && SENDS.is_match(text.round(&span, NEAR)) {
        "sent-to"
    } else {
        "code"
    };
    let mut thing = Thing::new("new-host", span, bare.as_bytes()).when(when);
    thing.name = Some(bare.to_owned());
    take(thing);
}

/// Whether a host is one of a list, or below one.
fn is_listed(host: &str, list: &[String]) -> bool {
    list.iter().any(|one| {
        host.strip_suffix(one.as_str())
            .is_some_and(|before| before.is_empty() || before.ends_with('.'))
    })
}

/// Names that nobody can register (RFC 2606, RFC 6762), but for the top-level name `example`: rules are shown with it.
fn is_reserved(host: &str) -> bool {
    let tops = [
        "test",
        "invalid",
        "localhost",
        "local",
        "internal",
        "lan",
        "home",
    ];
    let names = ["example.com", "example.org", "example.net"];
    let top = host.rsplit('.').next().unwrap_or(host);
    tops.contains(&top)
        || names
            .iter()
            .any(|name| is_listed(host, &[(*name).to_owned()]))
}

fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let shared = ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64;
            !(ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified())
                && !(ip.is_broadcast() || ip.is_multicast() || shared || ip.octets()[0] == 0)
                && !is_well_known(ip)
        }
        IpAddr::V6(ip) => {
            !(ip.is_loopback()
                || ip.is_unspecified()
                || ip.segments()[0] & 0xfe00 == 0xfc00
                || ip.segments()[0] & 0xffc0 == 0xfe80)
        }
    }
}

/// Numbers of versions, masks and resolvers that everybody knows.
fn is_well_known(ip: Ipv4Addr) -> bool {
    let text = ip.to_string();
    ip.octets()[0] >= 240 || rules::parameter("new-host", "known").contains(&text)
}

/// Addresses by which a chat takes messages from programs.
pub(super) fn webhooks(text: &Text, take: Take<'_>) {
    static HOOKS: LazyLock<Regex> = pattern!(
        r"(?i)\bdiscord(?:app)?\.com/api/(?:v\d+/)?webhooks/(?P<d>\d{10,25})|\bapi\.telegram\.org/(?:file/)?bot(?P<t>[^\s/]{1,60})|\bhooks\.slack\.com/(?:services|workflows|triggers)/(?P<s>[A-Z0-9]{4,20})|\b[a-z0-9-]{1,60}\.webhook\.office\.com/webhookb2/(?P<o>[0-9a-f-]{8,40})|\b\d{8,10}:AA[A-Za-z0-9_-]{33}\b|\bopen\.(?:feishu|larksuite)\.(?:cn|com)/open-apis/bot/v2/hook/(?P<f>[0-9a-f-]{8,40})"
    );
    // Relays, servers of one's own and names bought for a week take the same addresses: their path gives them away.
    static PATHS: LazyLock<Regex> = pattern!(
        r"/api/(?:v\d{1,2}/)?webhooks/\d{15,25}/[A-Za-z0-9_-]{40,120}|/(?:services|workflows|triggers)/T[A-Z0-9]{6,14}/[AB]?[A-Z0-9]{6,20}/[A-Za-z0-9]{16,64}|/(?:file/)?bot\d{6,12}:[A-Za-z0-9_-]{30,50}|/webhookb2/[0-9a-f-]{36}@[0-9a-f-]{36}/|/open-apis/bot/v2/hook/[0-9a-f-]{36}|/hooks/(?:[a-z0-9]{26}\b|[A-Za-z0-9]{17,24}/[A-Za-z0-9]{40,64}\b)|/v1/spaces/[A-Za-z0-9_-]{8,20}/messages\?key=[A-Za-z0-9_-]{20,60}"
    );
    let mut spans: Vec<Range<usize>> = HOOKS
        .find_iter(text.bytes)
        .map(|hook| hook.range())
        .collect();
    let known = spans.len();
    for path in PATHS.find_iter(text.bytes) {
        let Some(start) = host_before(text.bytes, path.start()) else {
            continue;
        };
        let named = spans.get(..known).unwrap_or_default();
        if !named
            .iter()
            .any(|hook| hook.start < path.end() && start < hook.end)
        {
            spans.push(start..path.end());
        }
    }
    for span in spans {
        let whole = text.bytes.get(span.clone()).unwrap_or_default();
        let short: String = super::shown::part(text, &span).chars().take(36).collect();
        let when = if text.role == Role::Prose {
            "prose"
        } else {
            ""
        };
        let key = whole.to_ascii_lowercase();
        take(
            Thing::new("webhook", span, &key)
                .when(when)
                .said(format!("{short}…")),
        );
    }
}

/// Where the host begins that stands before a path; `None` where none does, as in the routes of a server.
fn host_before(bytes: &[u8], path: usize) -> Option<usize> {
    let front = bytes.get(..path)?;
    let is_of_host =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':');
    let length = front
        .iter()
        .rev()
        .take(HOST_MAX)
        .take_while(|byte| is_of_host(byte))
        .count();
    let start = path - length;
    (length > 0 && bytes.get(..start)?.ends_with(b"//")).then_some(start)
}

/// Addresses of wallets, those with a checksum proven by it.
pub(super) fn wallets(text: &Text, take: Take<'_>) {
    static WORD: LazyLock<Regex> = pattern!(
        r"\b(?:0x[0-9a-fA-F]{40}|(?i:bc1|ltc1)[02-9ac-hj-np-zAC-HJ-NP-Z]{11,87}|[1-9A-HJ-NP-Za-km-z]{25,95})\b"
    );
    for found in WORD.find_iter(text.bytes) {
        let Some(wallet) = wallets::of(found.as_bytes(), text.round(&found.range(), 100)) else {
            continue;
        };
        let when = match (wallet.is_sure, text.role) {
            (_, Role::Prose) => "prose",
            (true, _) => "",
            (false, _) if text.is_packed || ending(&text.path) == "lock" => "packed",
            (false, _) => "by-form",
        };
        let mut thing = Thing::new("wallet", found.range(), found.as_bytes()).when(when);
        thing.certainty = wallet.is_sure.then_some(crate::record::Certainty::Proven);
        // An address is letters and digits, is no secret, and is what one looks for elsewhere.
        let address = String::from_utf8_lossy(found.as_bytes());
        take(thing.said(format!("{}: {address}", wallet.network)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(Option<String>, &'static str)> {
        let text = Text::of(path.as_bytes(), text.as_bytes()).unwrap();
        let mut found = Vec::new();
        hosts(&text, &mut |thing| found.push((thing.name, thing.when)));
        found
    }

    #[test]
    fn hosts_are_judged_by_what_they_are_and_what_is_done() {
        let one = |path: &str, text: &str, when: &str| {
            let found = found(path, text);
            assert!(
                found.iter().any(|(_, found)| *found == when),
                "{text}: {found:?}"
            );
        };
        one("a.js", "x('https://cdn.acme.example/a')", "code");
        one(
            "a.js",
            "fetch('https://c.acme.example/a', { method: 'POST' })",
            "sent-to",
        );
        one(
            "a.js",
            "get('http://203.0.113.7:8080/a')",
            "address-in-digits",
        );
        one("a.js", "connect('203.0.113.7:4444')", "address-in-digits");
        one("a.js", "http://127.0.0.1:3000", "inside");
        one("a.md", "see https://acme.example/x", "prose");
        one("a.json", "\"https://acme.example/x\"", "data");
        assert!(found("a.js", "version('1.2.3.4.5')").is_empty());
        assert_eq!(
            found("a.js", "https://www.ACME.example.")[0].0.as_deref(),
            Some("acme.example")
        );
    }
}
