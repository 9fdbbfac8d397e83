//! How a program is deployed: Dockerfiles, Compose, Kubernetes manifests, Helm values.
//!
//! Much of it is made to be published. What is not are secrets in clear (a `Secret` of a cluster is only base64), and
//! the names of machines inside.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Artifact;
use super::circumstance::{CREDENTIALS, INTERNAL, PLACEHOLDERS};
use super::hosts::Hosts;
use super::json::{each_text, text_of};
use super::text::{Credentials, Text, counted, is_live, names_secret};
use super::yaml;

const CLASS: &str = "deployment-files";

/// The artifact that credentials and hosts of such a file make.
fn artifact(what: &str, found: &Credentials, hosts: Hosts) -> Artifact {
    let circumstance = match (
        found.is_live(),
        found.is_empty(),
        hosts.internal().is_empty(),
    ) {
        (true, ..) => CREDENTIALS,
        (_, _, false) => INTERNAL,
        (_, false, _) => PLACEHOLDERS,
        _ => "",
    };
    let logins = if found.is_empty() {
        String::new()
    } else {
        format!(", {found}")
    };
    let detail = format!("{what}{logins}{}", hosts.said());
    Artifact::proven(CLASS, circumstance, detail).pointing_to(hosts)
}

/// `FROM image` before other instructions, which are known words in capitals (Dockerfile reference).
pub fn read_dockerfile(text: &Text<'_>) -> Option<Artifact> {
    const INSTRUCTIONS: [&str; 17] = [
        "FROM",
        "ARG",
        "RUN",
        "CMD",
        "LABEL",
        "EXPOSE",
        "ENV",
        "ADD",
        "COPY",
        "ENTRYPOINT",
        "VOLUME",
        "USER",
        "WORKDIR",
        "ONBUILD",
        "STOPSIGNAL",
        "HEALTHCHECK",
        "SHELL",
    ];
    if !text.first.starts_with("FROM ") && !text.first.starts_with("ARG ") {
        return None;
    }
    let (mut found, mut hosts, mut instructions, mut images) =
        (Credentials::default(), Hosts::default(), 0_u32, 0_u32);
    let mut runs_on = false;
    for line in text.lines() {
        let was_run_on = std::mem::replace(&mut runs_on, line.ends_with('\\'));
        if was_run_on {
            continue;
        }
        let (word, rest) = line
            .trim_start()
            .split_once(char::is_whitespace)
            .unwrap_or((line, ""));
        if !INSTRUCTIONS.contains(&word.to_ascii_uppercase().as_str()) {
            // A heredoc's lines are anything; prose is not.
            if instructions < 2 {
                return None;
            }
            continue;
        }
        instructions += 1;
        let rest = rest.trim();
        match word.to_ascii_uppercase().as_str() {
            "FROM" => {
                images += 1;
                add_image(
                    rest.split_whitespace()
                        .find(|word| !word.starts_with("--"))
                        .unwrap_or(rest),
                    &mut hosts,
                );
            }
            "ENV" | "ARG" => {
                let (key, value) = rest.split_once(['=', ' ']).unwrap_or((rest, ""));
                found.add_variable(key, value);
            }
            _ => hosts.add_all(rest),
        }
    }
    if images == 0 || instructions < 2 {
        return None;
    }
    Some(artifact("a Dockerfile", &found, hosts))
}

/// An image's registry, where its name has one: what stands before the first slash and looks like a host.
fn add_image(image: &str, hosts: &mut Hosts) {
    if let Some((host, _)) = image.split_once('/')
        && host.contains(['.', ':'])
    {
        hosts.add(&format!("https://{host}/"));
    }
}

/// Compose files, manifests of a cluster, charts of Helm.
pub fn read_yaml(text: &Text<'_>) -> Option<Artifact> {
    let keys = text.keys();
    let has = |key: &str| keys.contains(&key);
    if has("apiVersion") && has("kind") {
        return manifests(text);
    }
    if has("services") {
        return compose(text);
    }
    if has("apiVersion") && has("name") && has("version") {
        return Some(Artifact::proven(CLASS, "", "a Helm chart"));
    }
    None
}

/// `services` with an image or a build each.
fn compose(text: &Text<'_>) -> Option<Artifact> {
    let documents = yaml::documents(text)?;
    let services = documents.first()?.get("services")?.as_object()?;
    let is_service = |service: &Value| {
        ["image", "build", "extends"]
            .iter()
            .any(|key| service.get(key).is_some())
    };
    if services.is_empty() || !services.values().any(is_service) {
        return None;
    }
    let (mut found, mut hosts) = (Credentials::default(), Hosts::default());
    for service in services.values() {
        if let Some(image) = text_of(service, "image") {
            add_image(image, &mut hosts);
        }
        add_environment(service.get("environment"), &mut found);
    }
    // Bare names of other services are hosts of the file's own network.
    let count = u32::try_from(services.len()).unwrap_or(u32::MAX);
    Some(artifact(
        &format!("a Compose file with {}", counted(count, "service")),
        &found,
        hosts,
    ))
}

/// `NAME: value` or `- NAME=value`.
fn add_environment(environment: Option<&Value>, found: &mut Credentials) {
    match environment {
        Some(Value::Object(fields)) => {
            for (key, value) in fields {
                found.add_variable(key, value.as_str().unwrap_or_default());
            }
        }
        Some(Value::Array(lines)) => {
            for line in lines.iter().filter_map(Value::as_str) {
                let (key, value) = line.split_once('=').unwrap_or((line, ""));
                found.add_variable(key, value);
            }
        }
        _ => {}
    }
}

/// Manifests of a cluster, one a document. Those with templates in them are read by their lines only.
fn manifests(text: &Text<'_>) -> Option<Artifact> {
    let mut hosts = Hosts::default();
    let mut found = Credentials::default();
    let kind_line = text
        .text
        .lines()
        .find_map(|line| line.strip_prefix("kind:"))?
        .trim();
    let Some(documents) = yaml::documents(text) else {
        let what = format!(
            "a manifest of a cluster ({}), not parsed",
            crate::exposure::shown(kind_line.as_bytes())
        );
        return Some(Artifact::hinted(CLASS, "", what));
    };
    let (mut count, mut secrets) = (0_u32, 0_u32);
    for document in &documents {
        let (Some(kind), Some(_)) = (text_of(document, "kind"), text_of(document, "apiVersion"))
        else {
            continue;
        };
        count += 1;
        if kind == "Secret" {
            secrets += 1;
            add_secret(document, &mut found);
            continue;
        }
        each_text(document, &mut |key, value| match key {
            "image" => add_image(value, &mut hosts),
            _ => found.add_variable(key, value),
        });
        add_pairs(document, &mut found);
    }
    let kinds = if secrets > 0 {
        format!(", {} among them", counted(secrets, "secret"))
    } else {
        String::new()
    };
    (count > 0).then(|| {
        artifact(
            &format!("{} of a cluster{kinds}", counted(count, "manifest")),
            &found,
            hosts,
        )
    })
}

/// `data` in base64, `stringData` in clear.
fn add_secret(document: &Value, found: &mut Credentials) {
    for (key, value) in document
        .get("data")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let decoded = value
            .as_str()
            .and_then(|text| STANDARD.decode(text.trim()).ok())
            .unwrap_or_default();
        let text = String::from_utf8_lossy(&decoded);
        // A certificate and a name lie in such secrets too.
        if key != "ca.crt" && key != "tls.crt" && key != "username" {
            found.add(&text);
        }
    }
    for (key, value) in document
        .get("stringData")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        if key != "username" {
            found.add(value.as_str().unwrap_or_default());
        }
    }
}

/// `env: [{name, value}]`, wherever it stands.
fn add_pairs(document: &Value, found: &mut Credentials) {
    let mut open = vec![document];
    while let Some(value) = open.pop() {
        if let (Some(name), Some(text)) = (text_of(value, "name"), text_of(value, "value"))
            && names_secret(name)
            && is_live(name, text)
        {
            found.add(text);
        }
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(fields) => open.extend(fields.values()),
            _ => {}
        }
    }
}
