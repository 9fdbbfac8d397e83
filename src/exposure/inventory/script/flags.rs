//! Feature flags that no kit gives: home-made gates and compile-time switches.
//!
//! A gate at home is a function with one literal whose answer decides something, called with several names: one call
//! alone says nothing, since `accept('x')` does the same in every parser. What a build sets is told by how it is written
//! (`__NAME__`), and environment variables by words such as `FEATURE` where they decide something.

use std::collections::HashSet;

use oxc_ast::ast::*;

use super::super::Confidence;
use super::env::is_env;
use super::names::{argument, callee_of};
use super::reader::Reader;
use super::rules::shown_callee;
use super::signatures::Signatures;

const KIND: &str = "flag";

/// Names that a gate must be asked for, to be one.
const KEYS_MIN: usize = 3;

/// Conditions within one another that are looked at.
const WORK_MAX: usize = 64;

/// Looks at what decides: calls with one literal, and environment variables.
pub(super) fn condition(reader: &mut Reader, test: &Expression) {
    let mut work = vec![test];
    for _ in 0..WORK_MAX {
        let Some(at) = work.pop() else { return };
        match at.get_inner_expression() {
            Expression::UnaryExpression(not) if not.operator == UnaryOperator::LogicalNot => {
                work.push(&not.argument)
            }
            Expression::AwaitExpression(wait) => work.push(&wait.argument),
            Expression::LogicalExpression(both) => work.extend([&both.left, &both.right]),
            Expression::CallExpression(call) => gate(reader, call),
            Expression::StaticMemberExpression(member) => switch(reader, member),
            _ => {}
        }
    }
}

fn gate(reader: &mut Reader, call: &CallExpression) {
    let (Some(callee), 1) = (callee_of(&call.callee), call.arguments.len()) else {
        return;
    };
    let Some(Expression::StringLiteral(literal)) = argument(call, 0) else {
        return;
    };
    let words = &Signatures::builtin().words;
    if words.not_gates.contains(callee.tail) {
        return;
    }
    let key = reader.strings.literal(literal);
    if is_gate_key(&key) {
        let keys = reader.gates.entry(shown_callee(callee)).or_default();
        keys.entry(key).or_insert(literal.span.start);
    }
}

/// A name of several words, as switches have: `new-nav`, `new_nav`, `newNav`.
fn is_gate_key(key: &str) -> bool {
    let bytes = key.as_bytes();
    let has_break = bytes.windows(2).any(|pair| {
        matches!(pair, [a, b] if (matches!(a, b'-' | b'_' | b'.' | b':') && b.is_ascii_alphanumeric()) || (a.is_ascii_lowercase() && b.is_ascii_uppercase()))
    });
    (5..=80).contains(&bytes.len())
        && has_break
        && bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':'))
}

/// Leaves out what the text declares itself: a build sets only what nobody declares.
pub(super) fn undeclared(reader: &mut Reader) {
    let names = std::mem::take(&mut reader.names.declared);
    reader
        .found
        .retain(|found| found.kind != KIND || !names.contains(&found.value));
}

/// Tells the gates that were asked for enough names, or are called as gates are.
pub(super) fn homemade(reader: &mut Reader) {
    let words = &Signatures::builtin().words;
    let found = reader.found.iter().filter(|found| found.kind == KIND);
    let mut told: HashSet<String> = found.map(|found| found.value.clone()).collect();
    for (callee, keys) in std::mem::take(&mut reader.gates) {
        let lower = callee.to_ascii_lowercase();
        let tail = lower.rsplit('.').next().unwrap_or(&lower);
        let is_called_so = words
            .gate_words
            .iter()
            .any(|word| tail.contains(word.as_str()));
        let confidence = match (keys.len() >= KEYS_MIN, is_called_so) {
            (_, true) => Confidence::Medium,
            (true, false) => Confidence::Low,
            (false, false) => continue,
        };
        let detail = format!(
            "home-made gate: {callee}, asked for {} names here",
            keys.len()
        );
        for (key, at) in keys {
            if told.insert(key.clone()) {
                reader.add(at, KIND, key, confidence, Some(detail.clone()));
            }
        }
    }
}

/// `const NEW_NAV_FLAG_KEY = 'new-nav'`: a switch by what it is called.
pub(super) fn named(reader: &mut Reader, name: &str, value: &Expression) {
    let is_called = [
        "_FLAG",
        "_FLAG_KEY",
        "_FEATURE_FLAG",
        "_FLAG_NAME",
        "_GATE",
        "_GATE_KEY",
        "FlagKey",
        "FeatureFlag",
        "_KILLSWITCH",
        "_EXPERIMENT",
    ]
    .iter()
    .any(|end| name.ends_with(end));
    if !is_called {
        return;
    }
    if let Expression::StringLiteral(literal) = value.get_inner_expression() {
        let key = reader.strings.literal(literal);
        if is_gate_key(&key) {
            reader.add(
                literal.span.start,
                KIND,
                key,
                Confidence::Medium,
                Some(format!("named by `{name}`")),
            );
        }
    }
}

/// `__DEV__`: set when the program is built.
pub(super) fn define(reader: &mut Reader, name: &IdentifierReference) {
    let text = name.name.as_str();
    let Some(inner) = text
        .strip_prefix("__")
        .and_then(|rest| rest.strip_suffix("__"))
    else {
        return;
    };
    let is_define = inner.len() >= 3
        && inner
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        && inner.bytes().any(|byte| byte.is_ascii_uppercase());
    let is_builders = inner.starts_with("WEBPACK_") || inner == "PROTO";
    if is_define && !is_builders {
        reader.add(
            name.span.start,
            KIND,
            text,
            Confidence::High,
            Some("compile-time define".to_owned()),
        );
    }
}

/// `process.env.ENABLE_X` where it decides something.
fn switch(reader: &mut Reader, member: &StaticMemberExpression) {
    let name = member.property.name.as_str();
    if is_switch(name) && is_env(reader, &member.object) {
        reader.add(
            member.span.start,
            KIND,
            name,
            Confidence::Medium,
            Some("environment variable that decides something".to_owned()),
        );
    }
}

/// `process.env.ENABLE_X === '1'`
pub(super) fn compared(reader: &mut Reader, binary: &BinaryExpression) {
    if !binary.operator.is_equality() {
        return;
    }
    for side in [&binary.left, &binary.right] {
        if let Expression::StaticMemberExpression(member) = side.get_inner_expression() {
            switch(reader, member);
        }
    }
}

fn is_switch(name: &str) -> bool {
    let words = &Signatures::builtin().words.switch_words;
    let is_setting = [
        "_URL", "_KEY", "_PATH", "_DIR", "_TOKEN", "_ID", "_HOST", "_PORT", "_NAME", "_FILE",
    ]
    .iter()
    .any(|end| name.ends_with(end));
    !is_setting
        && name
            .split('_')
            .any(|part| words.iter().any(|word| word == part))
}
