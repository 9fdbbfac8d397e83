//! Calls and properties that the signatures name.

use oxc_ast::ast::{Argument, Expression, ObjectProperty};
use oxc_span::GetSpan;

use super::super::Confidence;
use super::fold::HOLE;
use super::names::{Callee, is_one_of};
use super::reader::Reader;
use super::signatures::{CallRule, Is, Needs, Shape, Signatures, kind};

/// Looks a call up.
pub(super) fn call(
    reader: &mut Reader,
    at: u32,
    callee: Callee,
    arguments: &[Argument],
    is_new: bool,
) {
    let signatures = Signatures::builtin();
    let outer = match (callee.root, callee.owner) {
        (Some(root), None) => reader.names.outer_of(root).to_owned(),
        _ => callee.tail.to_owned(),
    };
    // What was imported under another name is called as it is called there.
    let tail = if matches!(outer.as_str(), "default" | "*") {
        callee.tail
    } else {
        outer.as_str()
    };
    for (rule, call) in signatures.calls(tail) {
        if !is_called(call, callee, is_new) {
            continue;
        }
        let Some(confidence) = confidence(reader, rule, callee) else {
            continue;
        };
        let Some(given) = arguments
            .get(rule.argument)
            .and_then(Argument::as_expression)
        else {
            continue;
        };
        let text = reader.known(given);
        let is_made = match rule.needs {
            Needs::Any => true,
            Needs::Literal => text
                .as_deref()
                .is_some_and(|text| !text.is_empty() && !text.contains(HOLE)),
            Needs::Dynamic => arguments
                .iter()
                .filter_map(Argument::as_expression)
                .any(|given| is_dynamic(reader, given)),
        };
        if !is_made {
            continue;
        }
        let value = match (&rule.says, text) {
            (Some(says), _) => says.clone(),
            (None, Some(text)) if has_shape(rule.shape, &text) => text,
            _ => continue,
        };
        let detail = match (rule.needs, rule.says.is_some()) {
            (Needs::Dynamic, _) => format!(
                "{}: {}{}",
                rule.about,
                shown_callee(callee),
                carries(reader, given)
            ),
            _ => format!("{}: {}", rule.about, shown_callee(callee)),
        };
        let kind = kind(&rule.kind);
        // Two rules may know the same call.
        let is_told = reader
            .found
            .last()
            .is_some_and(|last| last.at == at && last.kind == kind && last.value == value);
        if !is_told {
            reader.add(at, kind, value, confidence, Some(detail));
        }
    }
}

/// Events by who is told of them: `analytics.shopCapture('cart opened')`.
pub(super) fn event(reader: &mut Reader, at: u32, callee: Callee, arguments: &[Argument]) {
    let words = &Signatures::builtin().words;
    let owner = callee
        .owner
        .unwrap_or_default()
        .trim_start_matches('_')
        .to_ascii_lowercase();
    let tail = callee.tail.to_ascii_lowercase();
    let is_told = words.telemetry_owners.contains(&owner)
        && words
            .telemetry_verbs
            .iter()
            .any(|verb| tail.contains(verb.as_str()));
    let Some(given) = arguments
        .first()
        .and_then(Argument::as_expression)
        .filter(|_| is_told)
    else {
        return;
    };
    let known = reader
        .found
        .last()
        .is_some_and(|last| last.at == at && last.kind == "telemetry");
    if let Some(event) = reader
        .known(given)
        .filter(|event| !known && has_shape(Shape::Event, event))
    {
        let detail = format!("event by who is told: {}", shown_callee(callee));
        reader.add(at, "telemetry", event, Confidence::Medium, Some(detail));
    }
}

/// Whether a callee is the one that a rule says.
fn is_called(call: &str, callee: Callee, is_new: bool) -> bool {
    if let Some(name) = call.strip_prefix("new ") {
        return is_new && callee.owner.is_none() && name == callee.tail;
    }
    if is_new {
        return false;
    }
    match call.split_once('.') {
        Some((owner, _)) => callee.owner == Some(owner),
        // A function of the language is no method.
        None if matches!(call, "fetch" | "eval" | "$fetch" | "ofetch") => {
            callee.owner.is_none() || matches!(callee.owner, Some("globalThis" | "window" | "self"))
        }
        None => true,
    }
}

fn confidence(reader: &Reader, rule: &'static CallRule, callee: Callee) -> Option<Confidence> {
    let bound = || {
        let module = callee.root.and_then(|root| reader.names.module_of(root));
        module.is_some_and(|module| is_one_of(module, &rule.modules))
    };
    // A table's method on something else is none of the kit's, where names say what it is called on.
    let is_from = if rule.bound {
        bound()
    } else {
        bound() || (is_open(reader, callee) && reader.names.loads(&rule.modules))
    };
    match (rule.with, rule.without) {
        (Some(with), _) if is_from => Some(with.into()),
        (_, without) => without.map(Into::into),
    }
}

/// Whether nothing is known of what a call is made on: it may be what a kit gave.
fn is_open(reader: &Reader, callee: Callee) -> bool {
    callee.root.is_none_or(|root| {
        reader
            .names
            .module_of(root)
            .is_none_or(|module| module.starts_with(['.', '@', '#', '~']))
            && !matches!(
                root,
                "Object"
                    | "Array"
                    | "Math"
                    | "JSON"
                    | "Promise"
                    | "Buffer"
                    | "String"
                    | "Number"
                    | "Reflect"
                    | "Map"
                    | "Set"
                    | "console"
                    | "document"
                    | "window"
                    | "headers"
                    | "params"
                    | "searchParams"
                    | "cache"
                    | "Date"
            )
    })
}

/// Whether an argument is put together at run time.
fn is_dynamic(reader: &Reader, given: &Expression) -> bool {
    match given.get_inner_expression() {
        Expression::NumericLiteral(_)
        | Expression::BooleanLiteral(_)
        | Expression::NullLiteral(_)
        | Expression::FunctionExpression(_)
        | Expression::ArrowFunctionExpression(_)
        | Expression::ObjectExpression(_) => false,
        _ => reader
            .strings
            .fold(given)
            .is_none_or(|text| text.contains(HOLE)),
    }
}

/// What a command or a code is made of, as far as the text says it.
fn carries(reader: &Reader, given: &Expression) -> &'static str {
    let span = given.span();
    let text = reader
        .strings
        .0
        .get(span.start as usize..span.end as usize)
        .unwrap_or_default();
    let has = |word: &[u8]| memchr::memmem::find(text, word).is_some();
    if has(b"process.env") || has(b"import.meta.env") {
        ", with an environment value"
    } else if has(b"argv") {
        ", with an argument of the command line"
    } else if has(b"req.") || has(b"request.") {
        ", with a value of a request"
    } else if has(b"ath") || has(b"ile") || has(b"dir") || has(b"Dir") {
        ", with a path"
    } else {
        ""
    }
}

/// A callee in few words.
pub(super) fn shown_callee(callee: Callee) -> String {
    match callee.owner {
        Some(owner) if owner != "this" => format!("{owner}.{}", callee.tail),
        _ => callee.tail.to_owned(),
    }
}

/// Whether a value looks as a rule asks.
pub(super) fn has_shape(shape: Shape, text: &str) -> bool {
    let bytes = text.as_bytes();
    match shape {
        Shape::Any => true,
        Shape::Key => is_key(bytes),
        Shape::Event => {
            bytes.len() >= 3
                && bytes.len() <= 100
                && bytes
                    .first()
                    .is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'$' | b'['))
                && !text.contains('\n')
                && text.split_ascii_whitespace().count() <= 8
        }
        Shape::Path => is_path(text),
        Shape::Table => {
            bytes.len() >= 2
                && bytes.len() <= 80
                && bytes
                    .first()
                    .is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
                && bytes
                    .iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        }
    }
}

/// A name without blanks.
pub(super) fn is_key(bytes: &[u8]) -> bool {
    (2..=100).contains(&bytes.len())
        && bytes
            .first()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'))
        && bytes.iter().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':' | b'/' | b'$')
        })
}

fn is_path(text: &str) -> bool {
    let path = text.strip_prefix(HOLE).unwrap_or(text);
    path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= 300
        && !path.contains(['\n', '<', '>'])
        && !path.contains(' ')
        && (path == "/" && path == text
            || path
                .replace(HOLE, "")
                .bytes()
                .any(|byte| byte.is_ascii_alphanumeric() || byte == b'*'))
}

/// Looks a property up.
pub(super) fn property(reader: &mut Reader, property: &ObjectProperty, key: &str) {
    for rule in Signatures::builtin().properties(key) {
        let value = property.value.get_inner_expression();
        let text = match (rule.is, value) {
            (Is::True, Expression::BooleanLiteral(literal)) if literal.value => None,
            (Is::False, Expression::BooleanLiteral(literal)) if !literal.value => None,
            (Is::String, Expression::StringLiteral(literal)) => {
                Some(reader.strings.literal(literal))
            }
            _ => continue,
        };
        let Some(value) = rule.says.clone().or(text).filter(|value| value.len() > 2) else {
            continue;
        };
        reader.add(
            property.span.start,
            kind(&rule.kind),
            value,
            rule.confidence.into(),
            Some(format!("{}: {key}", rule.about)),
        );
    }
}
