//! Work spaces of development environments, as far as they are XML: JetBrains' `.idea`, Eclipse.
//!
//! They name run configurations with their environment, data sources with users and addresses, and recent files.

use super::Artifact;
use super::circumstance::{CREDENTIALS, PROJECT};
use super::hosts::Hosts;
use super::package_logins::attribute;
use super::text::{Credentials, Text};

const CLASS: &str = "ide-settings";

/// Components whose settings are of a person or of machines.
const TELLING: [&str; 14] = [
    "RunManager",
    "PropertiesComponent",
    "TaskManager",
    "ChangeListManager",
    "DataSourceManagerImpl",
    "dataSourceStorageLocal",
    "WebServers",
    "SshConfigs",
    "RecentsManager",
    "ProjectView",
    "SvnConfiguration",
    "Git.Settings",
    "DatabaseView",
    "ServerConfigs",
];

/// `<project version="4">` with components, `<module type=…>`, `.classpath`, `.project`.
pub fn read_xml(text: &Text<'_>) -> Option<Artifact> {
    let head = text
        .text
        .get(..text.text.len().min(1024))
        .unwrap_or(text.text);
    if head.contains("<projectDescription>")
        || head.contains("<classpath>")
        || head.contains("<module ") && head.contains("version=\"4\"")
    {
        return Some(Artifact::proven(
            CLASS,
            PROJECT,
            "a project of a development environment",
        ));
    }
    let is_project = head.contains("<project version=") && text.text.contains("<component name=")
        || head.contains("<application>") && text.text.contains("<component name=");
    if !is_project {
        return None;
    }
    let components = text.text.split("<component ").skip(1);
    let names: Vec<&str> = components
        .filter_map(|part| attribute(part.split('>').next()?, "name"))
        .collect();
    let told: Vec<&str> = TELLING
        .iter()
        .copied()
        .filter(|name| names.contains(name))
        .collect();
    let (mut found, mut hosts) = (Credentials::default(), Hosts::default());
    for tag in text
        .text
        .split('<')
        .map(|tag| tag.split('>').next().unwrap_or(tag))
    {
        match tag.split_whitespace().next() {
            Some("env") => found.add_setting(
                attribute(tag, "name").unwrap_or_default(),
                attribute(tag, "value").unwrap_or_default(),
            ),
            Some("jdbc-url" | "url") => {}
            _ => {
                if let Some(password) =
                    attribute(tag, "password").filter(|password| !password.is_empty())
                {
                    found.add(password);
                }
            }
        }
    }
    for url in text.text.split("<jdbc-url>").skip(1) {
        let url = url.split('<').next().unwrap_or_default();
        let url = url.strip_prefix("jdbc:").unwrap_or(url);
        found.add_url(url);
        hosts.add(url);
    }
    let circumstance = match (found.is_live(), told.is_empty()) {
        (true, _) => CREDENTIALS,
        (false, true) => PROJECT,
        (false, false) => "",
    };
    let parts = if told.is_empty() {
        String::new()
    } else {
        format!(" with {}", told.join(", "))
    };
    let logins = if found.is_empty() {
        String::new()
    } else {
        format!(", {found}")
    };
    let detail = format!(
        "settings of a development environment{parts}{logins}{}",
        hosts.said()
    );
    Some(Artifact::proven(CLASS, circumstance, detail))
}
