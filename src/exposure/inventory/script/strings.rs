//! Strings that say what they are by themselves: statements to a database, ids of models, documents of GraphQL.

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
