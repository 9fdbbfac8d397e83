//! Objects that say what they are by what stands side by side in them.
//!
//! `{ name, description, inputSchema }` is a tool, `{ name: 'compact', description, call }` a command, wherever it stands
//! and whatever takes it.

use oxc_ast::ast::*;

use super::super::Confidence;
use super::reader::Reader;
use super::{commands, rules, tools};

/// Properties of one object that are looked at, at most.
const PROPERTIES_MAX: usize = 200;

/// What stands in an object, as far as somebody asks.
#[derive(Default)]
pub(super) struct Sides<'b, 'a> {
    pub name: Option<&'b Expression<'a>>,
    pub description: Option<&'b Expression<'a>>,
    pub schema: Option<&'static str>,
    pub handler: Option<&'static str>,
    pub aliases: Option<&'b Expression<'a>>,
    pub kind: Option<&'b Expression<'a>>,
    pub meta: Option<&'b Expression<'a>>,
    pub args: Option<&'b Expression<'a>>,
    pub has_flags: bool,
}

/// Looks at an object.
pub(super) fn look(reader: &mut Reader, object: &ObjectExpression) {
    let mut sides = Sides::default();
    for property in object.properties.iter().take(PROPERTIES_MAX) {
        let ObjectPropertyKind::ObjectProperty(property) = property else {
            continue;
        };
        let Some(key) = reader.strings.key(&property.key) else {
            continue;
        };
        let value = &property.value;
        match key.as_str() {
            "name" => sides.name = Some(value),
            "description" | "describe" | "desc" | "summary" => sides.description = Some(value),
            "input_schema" => sides.schema = Some("input_schema"),
            "inputSchema" => sides.schema = Some("inputSchema"),
            "parameters" => sides.schema = Some("parameters"),
            "schema" if sides.schema.is_none() => sides.schema = Some("schema"),
            "inputJSONSchema" => sides.schema = Some("inputJSONSchema"),
            "handler" => sides.handler = Some("handler"),
            "execute" => sides.handler = Some("execute"),
            "call" => sides.handler = Some("call"),
            "run" => sides.handler = Some("run"),
            "action" => sides.handler = Some("action"),
            "children" | "subcommands" | "subCommands" => sides.handler = Some("subcommands"),
            "load" => sides.handler = Some("load"),
            "aliases" | "alias" => sides.aliases = Some(value),
            "type" => sides.kind = Some(value),
            "meta" => sides.meta = Some(value),
            "args" => sides.args = Some(value),
            "options" | "flags" => {
                sides.args = Some(value);
                sides.has_flags = true;
            }
            _ => {}
        }
        rules::property(reader, property, &key);
    }
    let is_tool = tools::object(reader, object, &sides);
    if !is_tool {
        commands::object(reader, object, &sides);
    }
}

/// The string that a side is.
pub(super) fn text(reader: &Reader, side: Option<&Expression>) -> Option<String> {
    side.and_then(|side| reader.strings.fold(side))
}

/// A description in one line, where there is one.
pub(super) fn described(reader: &Reader, side: Option<&Expression>) -> Option<String> {
    let text = text(reader, side)?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|text| !text.is_empty())
}

/// More certain where the text loads a module that is made for it.
pub(super) fn sure(is_loaded: bool) -> Confidence {
    if is_loaded {
        Confidence::High
    } else {
        Confidence::Medium
    }
}
