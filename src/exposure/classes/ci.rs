//! Settings of build services: workflows, pipelines, jobs.
//!
//! They say how a release is made and where, which machines of one's own take part, and now and then hold a token that
//! should have been in the service's store.

use serde_json::Value;

use super::Artifact;
use super::circumstance::{CREDENTIALS, INTERNAL};
use super::hosts::Hosts;
use super::json::each_text;
use super::text::{Credentials, Text};
use super::yaml;

const CLASS: &str = "ci-settings";

/// Keys that tell a service's settings: all of the first list, one of the second; then the service.
const FORMS: &[(&[&str], &[&str], &str)] = &[
    (&["on", "jobs"], &["on"], "a workflow"),
    (
        &["jobs", "version"],
        &["workflows", "orbs", "executors", "jobs"],
        "pipelines of a build service (jobs)",
    ),
    (
        &["pool"],
        &["steps", "stages", "jobs"],
        "pipelines of a build service (pool)",
    ),
    (
        &["trigger"],
        &["steps", "stages", "jobs", "pool"],
        "pipelines of a build service (trigger)",
    ),
    (
        &["pipelines"],
        &["image", "pipelines", "definitions"],
        "pipelines of a build service",
    ),
    (
        &["language"],
        &[
            "script",
            "node_js",
            "install",
            "before_install",
            "jobs",
            "matrix",
            "python",
            "os",
        ],
        "a build of a build service",
    ),
    (
        &["stages"],
        &[
            "variables",
            "image",
            "default",
            "include",
            "before_script",
            "workflow",
            "stages",
        ],
        "pipelines of a build service (stages)",
    ),
    (
        &["kind", "steps"],
        &["steps"],
        "a pipeline of a build service (steps)",
    ),
];

/// Workflows and pipelines in YAML.
pub fn read_yaml(text: &Text<'_>) -> Option<Artifact> {
    let keys = text.keys();
    let has = |key: &&str| keys.contains(key);
    let (.., what) = FORMS
        .iter()
        .find(|(all, one, _)| all.iter().all(&has) && one.iter().any(&has))?;
    let Some(documents) = yaml::documents(text) else {
        return Some(Artifact::hinted(CLASS, "", format!("{what}, not parsed")));
    };
    let (mut found, mut hosts, mut own_machines) =
        (Credentials::default(), Hosts::default(), false);
    for document in &documents {
        if !steps_are_there(document) {
            continue;
        }
        each_text(document, &mut |key, value| {
            own_machines |= value == "self-hosted";
            found.add_variable(key, value);
            if value.contains("://") {
                hosts.add_all(value);
            }
        });
    }
    if !documents.iter().any(steps_are_there) {
        return None;
    }
    Some(told(what, &found, hosts, own_machines))
}

/// A pipeline is made of lists and mappings below its keys, not of texts.
fn steps_are_there(document: &Value) -> bool {
    let parts = [
        "jobs",
        "steps",
        "stages",
        "pipelines",
        "script",
        "pool",
        "install",
        "before_script",
        "node_js",
        "matrix",
        "language",
    ];
    parts.iter().any(|key| document.get(key).is_some())
}

fn told(what: &str, found: &Credentials, hosts: Hosts, own_machines: bool) -> Artifact {
    let circumstance = if found.is_live() {
        CREDENTIALS
    } else if own_machines || !hosts.internal().is_empty() {
        INTERNAL
    } else {
        ""
    };
    let machines = if own_machines {
        ", on machines of one's own"
    } else {
        ""
    };
    let logins = if found.is_empty() {
        String::new()
    } else {
        format!(", {found}")
    };
    let detail = format!("{what}{machines}{logins}{}", hosts.said());
    Artifact::proven(CLASS, circumstance, detail).pointing_to(hosts)
}

/// A declarative Jenkinsfile: `pipeline {` with an agent and stages.
pub fn read_jenkinsfile(text: &Text<'_>) -> Option<Artifact> {
    let is_one = text.first.starts_with("pipeline {")
        && text.text.contains("agent")
        && text.text.contains("stage");
    if !is_one {
        return None;
    }
    let mut hosts = Hosts::default();
    hosts.add_all(text.text);
    Some(told("a Jenkinsfile", &Credentials::default(), hosts, false))
}
