//! Commands and options of command lines, and commands that are typed with a slash.
//!
//! Builders chain calls (`.command('serve <dir>').option('-p, --port <n>')`), take objects (`{ name, description, run }`)
//! or are classes with static members; each says names and what they are for. Whether a text loads a module that is made for it decides how
//! sure that is, and for words that everything is called by, whether it is told at all.

use oxc_ast::ast::*;
use oxc_span::GetSpan;

use super::super::Confidence;
use super::names::{Callee, argument};
use super::objects::{Sides, described, sure, text};
use super::reader::Reader;
use super::signatures::Signatures;
use super::tools::value_of;

/// Longest name of a command.
const NAME_MAX_BYTES: usize = 60;

fn loads_kit(reader: &Reader) -> bool {
    reader
        .names
        .loads(&Signatures::builtin().words.command_modules)
}

/// The word that a command is called by: `serve` of `serve <dir>`. Nothing where it is no word.
fn command_name(text: &str) -> Option<&str> {
    let name = text.split([' ', '[', '<']).next()?;
    let is_word = (1..=NAME_MAX_BYTES).contains(&name.len())
        && name
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'$' | b'*'))
        && name.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'.' | b'$' | b'*')
        });
    is_word
        .then_some(name)
        .filter(|name| !matches!(*name, "$0" | "*"))
}

/// The long name in `-p, --port <number>`, or the short one where there is no long one.
fn option_name(text: &str) -> Option<&str> {
    let words = text.split([' ', ',', '|', '=', '<', '[']);
    let dashed = words.filter(|word| word.len() > 1 && word.starts_with('-'));
    let name = dashed.max_by_key(|word| word.starts_with("--"))?;
    let is_option = name
        .trim_start_matches('-')
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'.'));
    (is_option
        && name.len() <= NAME_MAX_BYTES
        && name
            .trim_start_matches('-')
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric()))
    .then_some(name)
}

/// Looks at the calls of builders.
pub(super) fn call(reader: &mut Reader, call: &CallExpression, callee: Callee) {
    match callee.tail {
        "command" | "addCommand" | "registerCommand" => command(reader, call, callee),
        "option" | "requiredOption" | "addOption" | "flag" => option(reader, call, callee),
        "Option" | "options" | "positional" | "parseArgs" | "meow" => options(reader, call, callee),
        "String" | "Boolean" | "Array" | "Counter" if callee.owner == Some("Option") => {
            option(reader, call, callee)
        }
        _ => {}
    }
}

fn command(reader: &mut Reader, call: &CallExpression, callee: Callee) {
    let Some(first) = argument(call, 0) else {
        return;
    };
    let first = match first.get_inner_expression() {
        Expression::ArrayExpression(names) => match names
            .elements
            .first()
            .and_then(ArrayExpressionElement::as_expression)
        {
            Some(name) => name,
            None => return,
        },
        Expression::ObjectExpression(given) => match value_of(given, "command") {
            Some(name) => name,
            None => return,
        },
        _ => first,
    };
    let Some(text) = reader.strings.fold(first) else {
        return;
    };
    let Some(name) = command_name(&text) else {
        return;
    };
    let is_loaded = loads_kit(reader);
    let what = argument(call, 1).and_then(|what| described(reader, Some(what)));
    let is_editor = callee.tail == "registerCommand" && name.contains('.');
    let is_like = text.contains(['<', '['])
        || (callee.owner.is_some() && what.as_ref().is_some_and(|what| what.contains(' ')));
    if !is_loaded && !is_editor && !is_like && !is_chained(callee) {
        return;
    }
    let detail = what.or_else(|| text.contains(' ').then(|| text.clone()));
    reader.add(
        first.span().start,
        "command",
        name,
        sure(is_loaded || is_editor),
        detail,
    );
}

/// Whether the call stands on what builders are called.
fn is_chained(callee: Callee) -> bool {
    callee.root.is_some_and(|root| {
        let root = root.to_ascii_lowercase();
        matches!(
            root.as_str(),
            "program" | "yargs" | "cli" | "prog" | "cac" | "argv" | "commander"
        )
    })
}

fn option(reader: &mut Reader, call: &CallExpression, callee: Callee) {
    let Some(first) = argument(call, 0) else {
        return;
    };
    let Some(text) = reader.strings.fold(first) else {
        return;
    };
    let is_loaded = loads_kit(reader);
    let dashed = option_name(&text)
        .filter(|_| text.starts_with('-'))
        .map(str::to_owned);
    let name = match dashed {
        Some(name) => name,
        // yargs names options without dashes.
        None if (is_loaded && is_plain(reader)) || is_chained(callee) => {
            match command_name(&text) {
                Some(name) if !text.contains(' ') => format!("--{name}"),
                _ => return,
            }
        }
        None => return,
    };
    let second = argument(call, 1).map(Expression::get_inner_expression);
    let what = match second {
        Some(Expression::ObjectExpression(given)) => {
            let what = ["description", "describe", "desc"]
                .into_iter()
                .find_map(|key| value_of(given, key));
            described(reader, what)
        }
        Some(other) => described(reader, Some(other)),
        None => None,
    };
    reader.add(first.span().start, "option", name, sure(is_loaded), what);
}

/// Whether the kit is one whose options have no dashes.
fn is_plain(reader: &Reader) -> bool {
    reader.names.modules().any(|module| {
        matches!(module, "yargs" | "optimist")
            || module.starts_with("yargs/")
            || module.starts_with('.')
    })
}

/// `.options({ port: { … } })`, `parseArgs({ options: { … } })`, `meow(help, { flags: { … } })`, `new Option('--x')`
fn options(reader: &mut Reader, call: &CallExpression, callee: Callee) {
    let object = |index: usize| match argument(call, index).map(Expression::get_inner_expression) {
        Some(Expression::ObjectExpression(given)) => Some(given),
        _ => None,
    };
    match callee.tail {
        "options" if loads_kit(reader) || is_chained(callee) => {
            if let Some(given) = object(0) {
                each_option(reader, given, true);
            }
        }
        "parseArgs" => {
            if let Some(Expression::ObjectExpression(given)) = object(0)
                .and_then(|given| value_of(given, "options"))
                .map(Expression::get_inner_expression)
            {
                each_option(reader, given, true);
            }
        }
        "meow" => {
            if let Some(Expression::ObjectExpression(given)) = object(1)
                .and_then(|given| value_of(given, "flags"))
                .map(Expression::get_inner_expression)
            {
                each_option(reader, given, true);
            }
        }
        "positional" => {}
        _ => option(reader, call, callee),
    }
}

/// `{ port: { type, description } }`: each property is an option.
fn each_option(reader: &mut Reader, options: &ObjectExpression, is_sure: bool) {
    for property in &options.properties {
        let ObjectPropertyKind::ObjectProperty(property) = property else {
            continue;
        };
        let Some(name) = reader.strings.key(&property.key) else {
            continue;
        };
        let Some(name) = command_name(&name).map(|name| format!("--{name}")) else {
            continue;
        };
        let what = match property.value.get_inner_expression() {
            Expression::ObjectExpression(given) => ["description", "describe", "desc", "summary"]
                .into_iter()
                .find_map(|key| value_of(given, key)),
            // `Flags.boolean({ description })`
            Expression::CallExpression(call) => {
                match argument(call, 0).map(Expression::get_inner_expression) {
                    Some(Expression::ObjectExpression(given)) => value_of(given, "description"),
                    _ => None,
                }
            }
            _ => continue,
        };
        let what = described(reader, what);
        reader.add(property.span.start, "option", name, sure(is_sure), what);
    }
}

/// `{ name, description, run }`, and what is typed with a slash.
pub(super) fn object(reader: &mut Reader, object: &ObjectExpression, sides: &Sides) {
    citty(reader, sides);
    let Some(name) = text(reader, sides.name) else {
        return;
    };
    let what = described(reader, sides.description);
    if let Some(slash) = name.strip_prefix('/')
        && command_name(slash) == Some(slash)
        && (what.is_some() || sides.handler.is_some())
    {
        reader.add(
            object.span.start,
            "slash-command",
            name.clone(),
            Confidence::High,
            what,
        );
        return;
    }
    let has_arguments = name.contains(" <") || name.contains(" [");
    let Some(word) = command_name(&name).filter(|word| *word == name || has_arguments) else {
        return;
    };
    // What has a capital is a label.
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) && !name.contains('.')
        || sides.description.is_none()
    {
        return;
    }
    if sides.kind.is_some_and(is_constructor) {
        reader.add(
            object.span.start,
            "option",
            format!("--{word}"),
            Confidence::Medium,
            what,
        );
        return;
    }
    let kind = text(reader, sides.kind);
    let at = sides
        .name
        .map_or(object.span.start, |name| name.span().start);
    if matches!(kind.as_deref(), Some("local" | "local-jsx" | "prompt")) {
        reader.add(
            at,
            "slash-command",
            format!("/{word}"),
            Confidence::High,
            what,
        );
    } else if let Some(handler) = sides.handler {
        let detail = what.or_else(|| Some(format!("with {handler}")));
        reader.add(at, "command", word, Confidence::Medium, detail);
    } else if sides.has_flags {
        reader.add(at, "command", word, Confidence::Medium, what);
    }
}

/// `String`, `[Boolean]`: how an option says what it takes.
fn is_constructor(kind: &Expression) -> bool {
    match kind.get_inner_expression() {
        Expression::Identifier(name) => {
            matches!(name.name.as_str(), "String" | "Boolean" | "Number")
        }
        Expression::ArrayExpression(array) => matches!(
            array.elements.first(),
            Some(ArrayExpressionElement::Identifier(name)) if matches!(name.name.as_str(), "String" | "Boolean" | "Number")
        ),
        _ => false,
    }
}

/// `options: { port: { describe, type } }`: a table of options, by what it is called and what stands in it.
pub(super) fn table(reader: &mut Reader, name: &str, value: &Expression) {
    let Expression::ObjectExpression(object) = value.get_inner_expression() else {
        return;
    };
    let lower = name.to_ascii_lowercase();
    let is_called = ["options", "flags", "args", "opts"]
        .iter()
        .any(|end| lower.ends_with(end));
    let is_option = |property: &ObjectPropertyKind| {
        let ObjectPropertyKind::ObjectProperty(property) = property else {
            return false;
        };
        match property.value.get_inner_expression() {
            Expression::ObjectExpression(given) => {
                value_of(given, "describe").is_some()
                    || value_of(given, "description").is_some() && value_of(given, "type").is_some()
            }
            _ => false,
        }
    };
    if is_called && object.properties.iter().any(is_option) {
        each_option(reader, object, false);
    }
}

/// citty: `defineCommand({ meta: { name, description }, args: { … } })`
fn citty(reader: &mut Reader, sides: &Sides) {
    let (Some(Expression::ObjectExpression(meta)), Some(_)) = (
        sides.meta.map(Expression::get_inner_expression),
        sides.args.or(sides.description),
    ) else {
        return;
    };
    let name = value_of(meta, "name").and_then(|name| reader.strings.fold(name));
    if let Some(name) = name.as_deref().and_then(command_name) {
        let what = described(reader, value_of(meta, "description"));
        reader.add(meta.span.start, "command", name, Confidence::High, what);
    }
    if let Some(Expression::ObjectExpression(args)) =
        sides.args.map(Expression::get_inner_expression)
    {
        each_option(reader, args, true);
    }
}

/// oclif and clipanion: `static flags = { … }`, `static paths = [['a', 'b']]`
pub(super) fn class(reader: &mut Reader, class: &Class) {
    if !loads_kit(reader) {
        return;
    }
    for element in &class.body.body {
        let ClassElement::PropertyDefinition(property) = element else {
            continue;
        };
        let (Some(key), Some(value)) = (reader.strings.key(&property.key), &property.value) else {
            continue;
        };
        match (key.as_str(), value.get_inner_expression()) {
            ("flags", Expression::ObjectExpression(flags)) => each_option(reader, flags, true),
            ("paths", Expression::ArrayExpression(paths)) => each_path(reader, paths),
            _ => {}
        }
    }
}

fn each_path(reader: &mut Reader, paths: &ArrayExpression) {
    for path in &paths.elements {
        let Some(Expression::ArrayExpression(words)) = path.as_expression() else {
            continue;
        };
        let words: Vec<String> = words
            .elements
            .iter()
            .filter_map(|word| reader.strings.fold(word.as_expression()?))
            .collect();
        if !words.is_empty() {
            reader.add(
                path.span().start,
                "command",
                words.join(" "),
                Confidence::High,
                None,
            );
        }
    }
}
