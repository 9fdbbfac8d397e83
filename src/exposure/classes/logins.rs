//! Files in which tools keep logins: netrc, git's stored credentials, database clients, command lines of code hosts.
//!
//! Each form is read line by line and must hold together as a whole; one line of it stands in every manual.

use super::Artifact;
use super::circumstance::HASHES;
use super::text::{Credentials, Text, settings, url_password};

const CLASS: &str = "login-file";

/// netrc: words `machine NAME login NAME password WORD`, over as many lines as one likes (inetutils manual, ".netrc").
pub fn read_netrc(text: &Text<'_>) -> Option<Artifact> {
    if !text.first.starts_with("machine ") && !text.first.starts_with("default login") {
        return None;
    }
    let mut found = Credentials::default();
    let mut words = text.text.split_whitespace();
    let mut machines = 0_u32;
    while let Some(word) = words.next() {
        match word {
            "machine" => {
                machines += 1;
                words.next()?;
            }
            "default" => {}
            "login" | "account" => {
                words.next()?;
            }
            "password" => found.add(words.next()?),
            // A macro's text may be anything, up to an empty line.
            "macdef" => break,
            // A comment may stand behind; prose is no netrc.
            _ if word.starts_with('#') || !found.is_empty() => {}
            _ => return None,
        }
    }
    found.artifact(CLASS, &format!("netrc with {machines} machines"))
}

/// What git's `store` helper writes: a URL with user and password a line (git-credential-store, "STORAGE FORMAT").
pub fn read_git_credentials(text: &Text<'_>) -> Option<Artifact> {
    if !text.first.starts_with("http") {
        return None;
    }
    let mut found = Credentials::default();
    for line in text.lines() {
        let is_url = line.starts_with("https://") || line.starts_with("http://");
        if !is_url || line.contains(char::is_whitespace) {
            return None;
        }
        let rest = line.split_once('@').map_or("", |(_, host)| host);
        // Addresses of pages may have a user in them; these have nothing behind the host.
        if rest.trim_end_matches('/').contains('?') || url_password(line).is_none() {
            return None;
        }
        found.add_url(line);
    }
    found.artifact(CLASS, "credentials that git stored")
}

/// `host:port:database:user:password` (PostgreSQL manual, "The Password File").
pub fn read_pgpass(text: &Text<'_>) -> Option<Artifact> {
    let mut found = Credentials::default();
    for line in text.lines() {
        let fields: Vec<&str> = line.splitn(5, ':').collect();
        let [host, port, database, user, password] = fields[..] else {
            return None;
        };
        let is_port = port == "*" || port.parse::<u16>().is_ok();
        let is_name = |name: &str| {
            !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '"')
        };
        if !is_port || ![host, database, user, password].into_iter().all(is_name) {
            return None;
        }
        found.add(password);
    }
    found.artifact(CLASS, "passwords of database clients (pgpass)")
}

/// `user:$apr1$salt$hash` and its kin (htpasswd manual, "password formats").
pub fn read_htpasswd(text: &Text<'_>) -> Option<Artifact> {
    const FORMS: [&str; 9] = [
        "$apr1$", "$2y$", "$2a$", "$2b$", "{SHA}", "$5$", "$6$", "$y$", "$1$",
    ];
    let mut count = 0_u32;
    for line in text.lines() {
        let (user, rest) = line.split_once(':')?;
        let hash = rest.split(':').next().unwrap_or(rest);
        let is_hash = FORMS.iter().any(|form| hash.starts_with(form)) && hash.len() >= 28;
        // In `shadow` most accounts have no password.
        let is_shadow = rest.split(':').count() >= 6;
        if user.is_empty() || user.contains(char::is_whitespace) || !(is_hash || is_shadow) {
            return None;
        }
        count += u32::from(is_hash);
    }
    let detail = format!("{count} hashes of passwords");
    (count > 0).then(|| Artifact::proven(CLASS, HASHES, detail))
}

/// Settings with logins in sections: clients of MySQL, of error trackers, of data platforms.
pub fn read_ini(text: &Text<'_>) -> Option<Artifact> {
    let (mut found, mut what) = (Credentials::default(), "");
    let mut take = |value: &str, name: &'static str| {
        found.add(value);
        what = name;
    };
    let (mut has_host, mut token) = (false, None);
    for (section, key, value) in settings(text) {
        if value.is_empty() {
            continue;
        }
        match (section, key) {
            ("client" | "mysql" | "mysqldump" | "mysqladmin", "password" | "pass") => {
                take(value, "a database client")
            }
            ("auth", "token") => take(value, "a command line"),
            ("auth" | "credentials", "api_key" | "apikey") => take(value, "a command line"),
            (_, "host") => has_host |= value.starts_with("https://"),
            (_, "token") => token = Some(value),
            _ => {}
        }
    }
    if let (true, Some(token)) = (has_host, token) {
        take(token, "a data platform");
    }
    found.artifact(CLASS, &format!("settings of {what}"))
}

/// `hosts.yml` of the command lines of code hosts: a host, and below it `oauth_token` or `token`.
pub fn read_hosts_yaml(text: &Text<'_>) -> Option<Artifact> {
    let is_host = |line: &str| {
        line.strip_suffix(':')
            .is_some_and(|host| host.contains('.') && !host.contains(' '))
    };
    if !is_host(text.first) && text.first != "hosts:" {
        return None;
    }
    let mut found = Credentials::default();
    let mut names_user = false;
    for line in text.lines() {
        let (key, value) = line.trim().split_once(':').unwrap_or((line, ""));
        match key {
            "oauth_token" | "token" => found.add(value),
            "user" | "git_protocol" | "api_host" => names_user = true,
            _ => {}
        }
    }
    if !names_user {
        return None;
    }
    found.artifact(CLASS, "login of the command line of a code host")
}
