//! kubeconfig: how a person or a program reaches clusters, and with which key or token.
//!
//! Clusters, users and contexts stand in one document (Kubernetes reference, "kubeconfig (v1)"). A user who logs in by
//! a program (`exec`) has no credential in it; addresses of clusters remain.

use serde_json::Value;

use super::Artifact;
use super::circumstance::NO_CREDENTIALS;
use super::json::text_of;
use super::text::{Credentials, Text, counted};
use super::yaml;

const CLASS: &str = "kubeconfig";

/// A kubeconfig, parsed.
pub fn read(text: &Text<'_>) -> Option<Artifact> {
    if !["clusters", "users", "contexts"]
        .into_iter()
        .all(|key| text.has_key(key))
    {
        return None;
    }
    let documents = yaml::documents(text)?;
    let config = documents
        .iter()
        .find(|document| document.get("users").is_some())?;
    let clusters = config.get("clusters")?.as_array()?;
    let users = config.get("users")?.as_array()?;
    config.get("contexts")?.as_array()?;
    if !clusters
        .iter()
        .all(|cluster| cluster.get("cluster").is_some())
    {
        return None;
    }
    let mut found = Credentials::default();
    for user in users.iter().filter_map(|user| user.get("user")) {
        add(user, &mut found);
    }
    let count = u32::try_from(clusters.len()).unwrap_or(u32::MAX);
    let what = format!("kubeconfig for {}", counted(count, "cluster"));
    if found.is_empty() {
        return Some(Artifact::proven(
            CLASS,
            NO_CREDENTIALS,
            format!("{what}, no credentials"),
        ));
    }
    found.artifact(CLASS, &what)
}

fn add(user: &Value, found: &mut Credentials) {
    for key in ["client-key-data", "token", "password"] {
        if let Some(text) = text_of(user, key).filter(|text| !text.is_empty()) {
            found.add(text);
        }
    }
    let provider = user
        .get("auth-provider")
        .and_then(|provider| provider.get("config"));
    for key in ["access-token", "refresh-token", "id-token", "client-secret"] {
        if let Some(text) = provider.and_then(|config| text_of(config, key)) {
            found.add(text);
        }
    }
}
