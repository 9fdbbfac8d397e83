//! What coding agents leave behind: instructions, settings of their servers, transcripts of sessions.
//!
//! Instructions are prose and told by name only. Settings of tool servers (`mcpServers`) start programs with tokens in
//! their environment; a transcript is a log of JSON objects, one a line, and holds whatever was read and typed.

use serde_json::Value;

use super::circumstance::CREDENTIALS;
use super::json::{Document, each_text};
use super::text::{Credentials, Text, counted};
use super::{Artifact, bounded_json};

/// Settings of tool servers, with their environment and the headers that are sent.
pub fn servers(document: &Document<'_>) -> Option<Artifact> {
    let value = document.value()?;
    let servers = value
        .get("mcpServers")
        .or(value.get("servers"))?
        .as_object()?;
    let is_server = |server: &Value| {
        ["command", "url", "serverUrl"]
            .iter()
            .any(|key| server.get(key).is_some())
    };
    if servers.is_empty() || !servers.values().all(is_server) {
        return None;
    }
    let mut found = Credentials::default();
    for server in servers.values() {
        for part in ["env", "headers"] {
            if let Some(part) = server.get(part) {
                each_text(part, &mut |key, text| {
                    found.add_setting(key, text.trim_start_matches("Bearer "))
                });
            }
        }
    }
    let circumstance = if found.is_live() { CREDENTIALS } else { "" };
    let count = u32::try_from(servers.len()).unwrap_or(u32::MAX);
    let detail = format!(
        "settings of {} for an agent: {found}",
        counted(count, "tool server")
    );
    Some(Artifact::proven("agent-files", circumstance, detail))
}

/// Lines of a transcript that are read.
const LINES_MAX: usize = 50_000;

/// A session: one JSON object a line, most of them messages with a role, of one session.
pub fn transcript(document: &Document<'_>) -> Option<Artifact> {
    let (mut lines, mut messages) = (0_u32, 0_u32);
    for line in document
        .text
        .lines()
        .take(LINES_MAX)
        .filter(|line| !line.trim().is_empty())
    {
        let value: Value = bounded_json::read(line.as_bytes())?;
        lines += 1;
        let kind = value.get("type").and_then(Value::as_str);
        let is_turn = matches!(kind, Some("user" | "assistant" | "system" | "tool_result"));
        messages += u32::from(
            is_turn && (value.get("message").is_some() || value.get("content").is_some()),
        );
    }
    let is_one = lines >= 2 && messages * 2 >= lines;
    let detail = format!(
        "the transcript of an agent's session, {}",
        counted(messages, "message")
    );
    is_one.then(|| Artifact::proven("agent-transcript", "", detail))
}

/// Rules of an editor's agent begin with settings between dashes: what they are for, and which files they apply to.
pub fn read_front_matter(text: &Text<'_>) -> Option<Artifact> {
    let rest = text.text.trim_start().strip_prefix("---")?;
    let (head, _) = rest.split_once("\n---")?;
    let has = |key: &str| head.lines().any(|line| line.starts_with(key));
    let is_rule = has("alwaysApply:") && (has("globs:") || has("description:"));
    let is_agent = has("name:") && has("description:") && (has("tools:") || has("allowed-tools:"));
    (is_rule || is_agent).then(|| Artifact::proven("agent-files", "", "instructions for an agent"))
}
