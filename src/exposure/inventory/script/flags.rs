//! Feature flags that no kit gives: home-made gates and compile-time switches.
//!
//! A gate at home is a function with one literal whose answer decides something, called with several names: one call
//! alone says nothing, since `accept('x')` does the same in every parser. What a build sets is told by how it is written
//! (`__NAME__`), and environment variables by words such as `FEATURE` where they decide something.

use std::collections::HashSet;

use oxc_ast::ast::*;

use super::super::{Confidence, gates};
use super::controls::words_of;
use super::env::is_env;
use super::names::{Callee, argument, callee_of};
use super::reader::Reader;
use super::rules::shown_callee;
use super::signatures::Signatures;

const KIND: &str = "flag";

/// Names that a gate must be asked for, to be one.
const KEYS_MIN: usize = 3;

/// Arguments that one that is asked for a gate takes, at most.
const ARGUMENTS_MAX: usize = 5;

/// Conditions within one another that are looked at.
pub(super) const OPERANDS_MAX: usize = 64;

/// Looks at what decides: calls with one literal, and environment variables.
pub(super) fn condition(reader: &mut Reader, test: &Expression) {
    let mut work = vec![test];
    for _ in 0..OPERANDS_MAX {
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
    if gates::is_name(key.as_bytes()) {
        let keys = reader.gates.entry(shown_callee(callee)).or_default();
        keys.entry(key).or_insert(literal.span.start);
    }
}

/// Looks at any call: one of a function that is called as those are that are asked for gates, or comes from where gates are
/// kept, and whose first argument is a name.
pub(super) fn called(reader: &mut Reader, call: &CallExpression, callee: Callee) {
    if call.arguments.len() > ARGUMENTS_MAX {
        return;
    }
    let Some(why) = asks(reader, callee) else {
        return;
    };
    let Some(given) = argument(call, 0) else {
        return;
    };
    let key = reader.known(given);
    if let Some(key) = key.filter(|key| gates::is_name(key.as_bytes())) {
        let detail = format!("home-made gate by {why}: {}", shown_callee(callee));
        reader.add(call.span.start, KIND, key, Confidence::Medium, Some(detail));
    }
}

/// What says that a callee is asked for gates.
fn asks(reader: &Reader, callee: Callee) -> Option<&'static str> {
    let words = &Signatures::builtin().words;
    if words.not_gates.contains(callee.tail) && callee.owner.is_some() {
        return None;
    }
    if words.gate_verbs.contains(callee.tail) {
        let owner = words_of(callee.owner?);
        let keeps = owner.iter().any(|word| words.gate_owners.contains(word));
        return keeps.then_some("what it is asked of");
    }
    let name = words_of(callee.tail);
    let asks = name
        .first()
        .is_some_and(|word| words.gate_asking.contains(word));
    if asks && name.len() > 1 && name.iter().any(|word| words.gate_name_words.contains(word)) {
        // `getFlagName('a-b')` gives something of one.
        let last = name.last().map(String::as_str).unwrap_or_default();
        let is_of_one = matches!(
            last,
            "name"
                | "names"
                | "id"
                | "key"
                | "config"
                | "path"
                | "label"
                | "icon"
                | "url"
                | "emoji"
        );
        return (!is_of_one).then_some("its name");
    }
    let module = reader.names.module_of(callee.root?)?.to_ascii_lowercase();
    let is_reading = callee.owner.is_none() || asks;
    let is_kept = |part: &String| module.contains(part.as_str());
    (is_reading && words.gate_modules.iter().any(is_kept)).then_some("where it comes from")
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
        if gates::is_name(key.as_bytes()) {
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
    if is_define(text) {
        let detail = Some(format!("{} define", gates::OF_BUILD));
        reader.add(name.span.start, KIND, text, Confidence::High, detail);
    }
}

/// Whether a name is written as those are that a build sets.
pub(super) fn is_define(name: &str) -> bool {
    let inner = name
        .strip_prefix("__")
        .and_then(|rest| rest.strip_suffix("__"));
    inner.is_some_and(|inner| {
        let is_builders = inner.starts_with("WEBPACK_") || inner == "PROTO";
        !is_builders
            && inner.len() >= 3
            && inner
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
            && inner.bytes().any(|byte| byte.is_ascii_uppercase())
    })
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
            Some(format!("{} that decides something", gates::OF_ENVIRONMENT)),
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
