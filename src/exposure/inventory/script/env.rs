//! Environment variables: read as a member, by destructuring, by a computed name, through a runtime's own call.
//!
//! The default that stands beside a read is told with it, for it says how the program behaves where nobody set anything;
//! one that may be a secret is not.

use oxc_ast::ast::*;
use oxc_span::GetSpan;

use super::super::text::inert;
use super::super::{Confidence, cut};
use super::names::{Callee, argument};
use super::reader::Reader;

const KIND: &str = "env";

/// Longest default that is told, in characters.
const DEFAULT_CHARS: usize = 80;

/// Modules whose names are environment variables.
const ENV_MODULES: [&str; 6] = [
    "$env/static/private",
    "$env/static/public",
    "$env/dynamic/private",
    "$env/dynamic/public",
    "astro:env/server",
    "astro:env/client",
];

/// Whether an expression is the object of environment variables.
pub(super) fn is_env(reader: &Reader, expression: &Expression) -> bool {
    match expression.get_inner_expression() {
        Expression::StaticMemberExpression(member) => is_env_member(member),
        Expression::Identifier(name) => reader.names.envs.contains(name.name.as_str()),
        Expression::ChainExpression(chain) => match &chain.expression {
            ChainElement::StaticMemberExpression(member) => is_env_member(member),
            _ => false,
        },
        Expression::LogicalExpression(either) => is_env(reader, &either.left),
        Expression::ConditionalExpression(either) => {
            // `typeof process !== 'undefined' ? process.env : {}`
            matches!(either.consequent.get_inner_expression(), Expression::StaticMemberExpression(member) if is_env_member(member))
        }
        _ => false,
    }
}

fn is_env_member(member: &StaticMemberExpression) -> bool {
    if member.property.name.as_str() != "env" {
        return false;
    }
    match member.object.get_inner_expression() {
        Expression::Identifier(name) => matches!(name.name.as_str(), "process" | "Bun"),
        Expression::ImportMeta(_) => true,
        Expression::StaticMemberExpression(outer) => {
            outer.property.name.as_str() == "process"
                && matches!(outer.object.get_inner_expression(), Expression::Identifier(name) if matches!(name.name.as_str(), "globalThis" | "global" | "window" | "self"))
        }
        Expression::ComputedMemberExpression(outer) => {
            matches!(outer.object.get_inner_expression(), Expression::Identifier(name) if matches!(name.name.as_str(), "globalThis" | "global"))
        }
        _ => false,
    }
}

/// A name that environment variables have.
fn is_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    (2..=100).contains(&bytes.len())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        && bytes
            .first()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
}

/// Methods of objects, which no variable is called.
fn is_method(name: &str) -> bool {
    matches!(
        name,
        "hasOwnProperty"
            | "toString"
            | "valueOf"
            | "constructor"
            | "get"
            | "set"
            | "has"
            | "toObject"
            | "delete"
    )
}

/// Whether a name is told as a variable's.
pub(super) fn is_told(name: &str) -> bool {
    is_name(name) && !is_method(name)
}

fn add(reader: &mut Reader, at: u32, name: &str, detail: Option<String>) {
    if is_told(name) {
        reader.add(at, KIND, name, Confidence::High, detail);
    }
}

/// `process.env.NAME`
pub(super) fn member(reader: &mut Reader, member: &StaticMemberExpression) {
    if is_env(reader, &member.object) {
        let default = reader.defaults.remove(&member.span.start);
        add(
            reader,
            member.property.span.start,
            member.property.name.as_str(),
            default,
        );
    }
}

/// `process.env['NAME']`
pub(super) fn computed(reader: &mut Reader, member: &ComputedMemberExpression) {
    if is_env(reader, &member.object)
        && let Some(name) = reader.known(&member.expression)
    {
        let default = reader.defaults.remove(&member.span.start);
        add(reader, member.span.start, &name, default);
    }
}

/// `NAME` of `import { NAME } from '$env/static/private'`
pub(super) fn imported(reader: &mut Reader, import: &ImportDeclaration, module: &str) {
    if !ENV_MODULES.contains(&module) {
        return;
    }
    for specifier in import.specifiers.iter().flatten() {
        if let ImportDeclarationSpecifier::ImportSpecifier(one) = specifier {
            let name = reader.strings.outer(&one.imported);
            if name.as_str() == "env" {
                reader.names.envs.insert(one.local.name.to_string());
            } else {
                add(
                    reader,
                    one.span.start,
                    name.as_str(),
                    Some(format!("imported from {module}")),
                );
            }
        }
    }
}

/// `const { NAME, OTHER = 'x' } = process.env`
pub(super) fn destructured(reader: &mut Reader, declarator: &VariableDeclarator) {
    let (BindingPattern::ObjectPattern(pattern), Some(init)) = (&declarator.id, &declarator.init)
    else {
        return;
    };
    if !is_env(reader, init) {
        return;
    }
    for property in &pattern.properties {
        let Some(name) = reader.strings.key(&property.key) else {
            continue;
        };
        let default = match &property.value {
            BindingPattern::AssignmentPattern(assigned) => {
                default_of(reader, &name, &assigned.right)
            }
            _ => None,
        };
        add(reader, property.span.start, &name, default);
    }
}

/// `process.env.NAME = 'x'`
pub(super) fn assigned(reader: &mut Reader, assignment: &AssignmentExpression) {
    let at = match &assignment.left {
        AssignmentTarget::StaticMemberExpression(member) if is_env(reader, &member.object) => {
            if member.property.name.as_str() == "NODE_TLS_REJECT_UNAUTHORIZED"
                && reader.strings.fold(&assignment.right).as_deref() == Some("0")
            {
                let detail =
                    "certificates are not checked: NODE_TLS_REJECT_UNAUTHORIZED".to_owned();
                reader.add(
                    assignment.span.start,
                    "weak-point",
                    "TLS verification switched off",
                    Confidence::High,
                    Some(detail),
                );
            }
            member.span.start
        }
        AssignmentTarget::ComputedMemberExpression(member) if is_env(reader, &member.object) => {
            member.span.start
        }
        _ => return,
    };
    reader.defaults.insert(at, "set by the program".to_owned());
}

/// `process.env.NAME ?? 'x'`, where the left side is a read in brackets, a cast or a chain of more.
pub(super) fn default_beside(reader: &mut Reader, left: &Expression, right: &Expression) {
    let left = match left.get_inner_expression() {
        // `a || b || 'x'`: the default is that of the last.
        Expression::LogicalExpression(chain) => chain.right.get_inner_expression(),
        left => left,
    };
    let (at, name) = match left {
        Expression::StaticMemberExpression(member) if is_env(reader, &member.object) => {
            (member.span.start, member.property.name.to_string())
        }
        Expression::ComputedMemberExpression(member) if is_env(reader, &member.object) => (
            member.span.start,
            reader.strings.fold(&member.expression).unwrap_or_default(),
        ),
        Expression::CallExpression(call) => (
            call.span.start,
            argument(call, 0)
                .and_then(|given| reader.strings.fold(given))
                .unwrap_or_default(),
        ),
        Expression::ChainExpression(chain) => (chain.span.start, String::new()),
        _ => return,
    };
    if let Some(default) = default_of(reader, &name, right) {
        reader.defaults.insert(at, default);
    }
}

/// A default in few words; of a variable that may hold a secret, only that there is one.
fn default_of(reader: &Reader, name: &str, value: &Expression) -> Option<String> {
    let text = match value.get_inner_expression() {
        Expression::NumericLiteral(_) | Expression::BooleanLiteral(_) => {
            let span = value.span();
            let raw = reader
                .strings
                .0
                .get(span.start as usize..span.end as usize)
                .unwrap_or_default();
            String::from_utf8_lossy(raw).into_owned()
        }
        other => reader.strings.fold(other)?,
    };
    Some(shown_default(name, &text))
}

/// The words for a default.
pub(in crate::exposure::inventory) fn shown_default(name: &str, text: &str) -> String {
    if text.is_empty() {
        "default: empty".to_owned()
    } else if may_be_secret(name, text) {
        "default: not shown, it may be a secret".to_owned()
    } else {
        format!("default: {}", cut(&inert(text), DEFAULT_CHARS))
    }
}

fn may_be_secret(name: &str, text: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let named = [
        "SECRET",
        "TOKEN",
        "PASS",
        "PWD",
        "KEY",
        "CREDENTIAL",
        "AUTH",
        "DSN",
        "SALT",
        "PRIVATE",
        "CERT",
    ];
    let has_login = text.find("://").is_some_and(|at| text[at..].contains('@'));
    let is_dense = text.len() >= 20
        && !text.contains([' ', '/', '.'])
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().any(|byte| byte.is_ascii_alphabetic());
    named.iter().any(|word| name.contains(word)) || has_login || is_dense
}

/// Whether a function is called as one that reads a variable: `env`, `getEnv`, `runtimeEnv`, `env_var`.
fn is_helper(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let says_set = ["set", "del", "stub", "with", "mock"]
        .iter()
        .any(|word| lower.starts_with(word));
    !says_set
        && (lower == "env"
            || name.contains("Env")
            || lower.starts_with("env")
            || lower.ends_with("_env")
            || lower.contains("env_"))
}

/// `const NAME_ENV_VAR = 'NAME'`: the name of a variable, by what it is called.
pub(super) fn named(reader: &mut Reader, name: &str, value: &Expression) {
    let is_called = [
        "_ENV",
        "_ENV_VAR",
        "_ENV_KEY",
        "_ENV_NAME",
        "EnvVar",
        "EnvKey",
        "EnvName",
    ]
    .iter()
    .any(|end| name.ends_with(end))
        || name.starts_with("ENV_");
    if !is_called {
        return;
    }
    if let Expression::StringLiteral(literal) = value.get_inner_expression() {
        let text = reader.strings.literal(literal);
        let is_upper = text.len() >= 3
            && text
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        if is_upper && is_told(&text) {
            reader.add(
                literal.span.start,
                KIND,
                text,
                Confidence::Medium,
                Some(format!("named by `{name}`")),
            );
        }
    }
}

/// `Deno.env.get('NAME')`, and helpers called as such.
pub(super) fn call(reader: &mut Reader, call: &CallExpression, callee: Callee) {
    let is_runtime = callee.root == Some("Deno")
        && callee.owner == Some("env")
        && matches!(callee.tail, "get" | "has");
    let is_read = is_runtime || (is_helper(callee.tail) && call.arguments.len() <= 3);
    if !is_read {
        return;
    }
    let Some(Expression::StringLiteral(name)) =
        argument(call, 0).map(Expression::get_inner_expression)
    else {
        return;
    };
    let name = reader.strings.literal(name);
    // Helpers are told by what they are asked for.
    let is_upper = name
        .bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    if !is_name(&name) || !(is_runtime || (is_upper && name.len() >= 3)) {
        return;
    }
    let default = reader.defaults.remove(&call.span.start);
    let confidence = if is_runtime {
        Confidence::High
    } else {
        Confidence::Medium
    };
    reader.add(call.span.start, KIND, name, confidence, default);
}
