//! Tools that a model may call: a name, what it is for, and the shape of what it takes.

use oxc_ast::ast::*;
use oxc_span::GetSpan;

use super::super::Confidence;
use super::names::{Callee, argument};
use super::objects::{Sides, described, text};
use super::reader::Reader;

const KIND: &str = "tool";

/// Longest name of a tool (the interfaces of the large providers allow 64 to 128).
const NAME_MAX_BYTES: usize = 128;

fn is_name(name: &str) -> bool {
    (2..=NAME_MAX_BYTES).contains(&name.len())
        && name.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':' | b'/')
        })
        && name
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}

/// `{ name, description, inputSchema }`; whether it is one.
pub(super) fn object(reader: &mut Reader, object: &ObjectExpression, sides: &Sides) -> bool {
    let Some(schema) = sides.schema else {
        return false;
    };
    let Some(name) = text(reader, sides.name).filter(|name| is_name(name)) else {
        return false;
    };
    // Parameters have names everywhere; a tool says what it is for.
    if sides.description.is_none() && matches!(schema, "schema" | "parameters") {
        return false;
    }
    let described = described(reader, sides.description);
    let at = sides
        .name
        .map_or(object.span.start, |name| name.span().start);
    let confidence = if described.is_some() || sides.description.is_some() {
        Confidence::High
    } else {
        Confidence::Medium
    };
    reader.add(
        at,
        KIND,
        name,
        confidence,
        described.or_else(|| Some(format!("with {schema}"))),
    );
    true
}

/// `weather: tool({ description, parameters })`, and `tool({ … })` where the name is the variable's.
pub(super) fn keyed(reader: &mut Reader, property: &ObjectProperty) {
    let (Some(name), Expression::CallExpression(call)) = (
        reader.strings.key(&property.key),
        property.value.get_inner_expression(),
    ) else {
        return;
    };
    let is_tool = matches!(&call.callee, Expression::Identifier(callee) if matches!(callee.name.as_str(), "tool" | "createTool" | "dynamicTool"));
    if !is_tool || !is_name(&name) {
        return;
    }
    if let Some(Expression::ObjectExpression(given)) =
        argument(call, 0).map(Expression::get_inner_expression)
    {
        let detail = description_of(reader, given);
        reader.add(property.span.start, KIND, name, Confidence::High, detail);
    }
}

fn description_of(reader: &Reader, object: &ObjectExpression) -> Option<String> {
    let value = value_of(object, "description")?;
    described(reader, Some(value))
}

/// The value of a property.
pub(super) fn value_of<'b, 'a>(
    object: &'b ObjectExpression<'a>,
    key: &str,
) -> Option<&'b Expression<'a>> {
    object
        .properties
        .iter()
        .take(100)
        .find_map(|property| match property {
            ObjectPropertyKind::ObjectProperty(property) if is_key(&property.key, key) => {
                Some(&property.value)
            }
            _ => None,
        })
}

/// Whether a property has this name, which must not be quoted.
fn is_key(property: &PropertyKey, key: &str) -> bool {
    matches!(property, PropertyKey::StaticIdentifier(name) if name.name.as_str() == key)
}

/// `server.tool('name', 'what', { … })`, `server.registerTool('name', { … })`, `tool({ id: 'name', … })`
pub(super) fn call(reader: &mut Reader, call: &CallExpression, callee: Callee) {
    if !matches!(
        callee.tail,
        "tool" | "registerTool" | "addTool" | "defineTool" | "createTool" | "buildTool"
    ) || call.arguments.len() > 6
    {
        return;
    }
    let Some(first) = argument(call, 0) else {
        return;
    };
    if let Expression::ObjectExpression(given) = first.get_inner_expression() {
        // One that has a schema is told as the object that it is.
        if let Some(id) = value_of(given, "id")
            .and_then(|id| reader.strings.fold(id))
            .filter(|id| is_name(id))
        {
            let detail = description_of(reader, given);
            reader.add(call.span.start, KIND, id, Confidence::High, detail);
        }
        return;
    }
    let Some(name) = reader.strings.fold(first).filter(|name| is_name(name)) else {
        return;
    };
    let second = argument(call, 1).map(Expression::get_inner_expression);
    let detail = match second {
        Some(Expression::ObjectExpression(given)) => description_of(reader, given),
        Some(other) => described(reader, Some(other)),
        None => return,
    };
    reader.add(first.span().start, KIND, name, Confidence::High, detail);
}

/// `class X { name = 'x'; description = '…'; schema = … }`
pub(super) fn class(reader: &mut Reader, class: &Class) {
    let (mut name, mut what, mut has_schema) = (None, None, false);
    for element in &class.body.body {
        let ClassElement::PropertyDefinition(property) = element else {
            continue;
        };
        let Some(key) = reader.strings.key(&property.key) else {
            continue;
        };
        match key.as_str() {
            "name" => name = property.value.as_ref(),
            "description" => what = property.value.as_ref(),
            "schema" | "inputSchema" | "parameters" | "input_schema" => has_schema = true,
            _ => {}
        }
    }
    if let (Some(value), true, true) = (name, what.is_some(), has_schema)
        && let Some(name) = reader.strings.fold(value).filter(|name| is_name(name))
    {
        let detail = described(reader, what);
        reader.add(value.span().start, KIND, name, Confidence::High, detail);
    }
}
