//! Logins at clouds and storage services in ini files: AWS, Google's `.boto`, s3cmd, rclone.

use super::Artifact;
use super::text::{Credentials, Text, settings};

const CLASS: &str = "cloud-login";

/// Settings with the keys of an account. What is there of them says whose they are.
pub fn read_ini(text: &Text<'_>) -> Option<Artifact> {
    let mut found = Credentials::default();
    let (mut what, mut key_id) = ("", String::new());
    let (mut has_access_key, mut has_type) = (false, false);
    let mut rclone = Credentials::default();
    for (_, key, value) in settings(text) {
        let name = key.to_ascii_lowercase();
        match name.as_str() {
            "aws_access_key_id" => {
                what = "keys of an AWS account";
                key_id = end_of(value);
            }
            "aws_secret_access_key" | "aws_session_token" => {
                what = "keys of an AWS account";
                found.add(value);
            }
            "gs_oauth2_refresh_token" | "gs_secret_access_key" => {
                what = "keys of a storage client (boto)";
                found.add(value);
            }
            "access_key" => has_access_key = true,
            "secret_key" if has_access_key => {
                what = "keys of a storage client (s3cmd)";
                found.add(value);
            }
            "type" => has_type = true,
            "token"
            | "pass"
            | "secret_access_key"
            | "client_secret"
            | "service_account_credentials"
            | "account_key"
            | "key"
                if has_type =>
            {
                rclone.add(value);
            }
            _ => {}
        }
    }
    if found.is_empty() && !rclone.is_empty() {
        return rclone.artifact(CLASS, "remotes of a storage client (rclone)");
    }
    let shown = if key_id.is_empty() {
        what.to_owned()
    } else {
        format!("{what}, the id ends with {key_id}")
    };
    found.artifact(CLASS, &shown)
}

/// The last four letters and digits of an id, which tell people which it is.
fn end_of(id: &str) -> String {
    let end: Vec<char> = id
        .chars()
        .rev()
        .filter(char::is_ascii_alphanumeric)
        .take(4)
        .collect();
    end.into_iter().rev().collect()
}
