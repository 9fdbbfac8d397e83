//! Strings that say what they are by themselves: statements to a database, ids of models, slash commands, buckets, routes in markup.

use oxc_ast::ast::{Expression, TaggedTemplateExpression};

use super::super::Confidence;
use super::reader::Reader;
use super::{models, storage};

/// Looks at a string, as the text means it.
pub(super) fn look(reader: &mut Reader, at: u32, text: &str) {
    let bytes = text.as_bytes();
    match bytes.len() {
        0..=1 => return,
        2..=80 => models::id(reader, at, text),
        _ => {}
    }
    storage::statement(reader, at, text);
    bucket(reader, at, text);
}

/// Documents of GraphQL in templates that are tagged as such.
pub(super) fn tagged(reader: &mut Reader, tagged: &TaggedTemplateExpression, text: &str) {
    let name = match tagged.tag.get_inner_expression() {
        Expression::Identifier(name) => name.name.as_str(),
        Expression::StaticMemberExpression(member) => member.property.name.as_str(),
        _ => return,
    };
    if !matches!(name, "gql" | "graphql") {
        return;
    }
    let mut words = text
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        if !matches!(word, "query" | "mutation" | "subscription") {
            continue;
        }
        if let Some(operation) = words.next() {
            reader.add(
                tagged.span.start,
                "route",
                format!("{word} {operation}"),
                Confidence::High,
                Some("GraphQL operation".to_owned()),
            );
        }
        return;
    }
}

/// A bucket by how object stores write it: `s3://name`, `gs://name`, and hosts with a label that begins with `s3`.
fn bucket(reader: &mut Reader, at: u32, text: &str) {
    let Some((scheme, rest)) = text.split_once("://") else {
        return;
    };
    let host = rest
        .split(['/', '?', '#', ' ', '"', '\''])
        .next()
        .unwrap_or_default();
    let path = rest
        .get(host.len()..)
        .unwrap_or_default()
        .trim_start_matches('/');
    let named = match scheme.rsplit(|c: char| !c.is_ascii_alphanumeric()).next() {
        Some("s3" | "s3a" | "gs" | "oss" | "cos") => Some(host),
        Some("http" | "https") => {
            let labels: Vec<&str> = host.split('.').collect();
            let at = labels.iter().position(|label| {
                *label == "s3"
                    || label.starts_with("s3-")
                    || *label == "storage"
                    || *label == "blob"
            });
            match at {
                Some(0) if labels.len() >= 3 && !labels[0].contains("blob") => {
                    path.split('/').next()
                }
                Some(at) if at > 0 && labels.len() >= at + 3 => labels.first().copied(),
                _ => None,
            }
        }
        _ => None,
    };
    let Some(named) = named.filter(|named| {
        named.len() >= 3
            && named
                .as_bytes()
                .first()
                .is_some_and(u8::is_ascii_alphanumeric)
            && !named.contains(['$', '{', '<', '*'])
    }) else {
        return;
    };
    if named
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    {
        reader.add(
            at,
            "bucket",
            named,
            Confidence::Medium,
            Some("address of an object store".to_owned()),
        );
    }
}
