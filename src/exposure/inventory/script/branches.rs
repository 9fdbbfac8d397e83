//! What stands behind switches of the build.
//!
//! `feature('VOICE_MODE')` and `__DEV__` are gone from every bundle, whichever way they were set; what tells is whether
//! the branch behind them is there. So its names are kept, as numbers: strings that stay as they are when code is made
//! small. Left out are keys and members, which lose their quotation marks, sums, which are put together, what is loaded,
//! and branches of other switches within.

use oxc_ast::ast::*;
use oxc_ast_visit::{Visit, walk};
use oxc_span::{GetSpan, Span};

use super::super::gates;
use super::flags::{OPERANDS_MAX, is_define};
use super::fold::Strings;
use super::names::{argument, callee_of};
use super::reader::Reader;

/// Names that are kept of the branches of one switch.
const NAMES_MAX: usize = 32;

/// Takes down the names in what runs where a switch of the build is on.
pub(super) fn of_if(reader: &mut Reader, it: &IfStatement) {
    of(reader, &it.test, |names| {
        names.visit_statement(&it.consequent)
    });
}

/// The same for `switch ? … : …`.
pub(super) fn of_choice(reader: &mut Reader, it: &ConditionalExpression) {
    of(reader, &it.test, |names| {
        names.visit_expression(&it.consequent)
    });
}

/// The same for `switch && …`.
pub(super) fn of_and(reader: &mut Reader, it: &LogicalExpression) {
    of(reader, &it.left, |names| names.visit_expression(&it.right));
}

fn of(reader: &mut Reader, test: &Expression, walk: impl FnOnce(&mut Names)) {
    let switches = switches(reader, test);
    if switches.is_empty() {
        return;
    }
    let mut names = Names {
        strings: reader.strings,
        numbers: Vec::new(),
    };
    walk(&mut names);
    let mut numbers = names.numbers;
    numbers.truncate(NAMES_MAX);
    for switch in switches {
        let kept = reader.behind.entry(switch).or_default();
        kept.extend(&numbers);
        kept.sort_unstable();
        kept.dedup();
        kept.truncate(NAMES_MAX);
    }
}

/// The switches of the build that must all be on.
fn switches(reader: &Reader, test: &Expression) -> Vec<String> {
    let (mut work, mut found) = (vec![test], Vec::new());
    for _ in 0..OPERANDS_MAX {
        let Some(at) = work.pop() else { break };
        match at.get_inner_expression() {
            Expression::LogicalExpression(both) if both.operator == LogicalOperator::And => {
                work.extend([&both.left, &both.right]);
            }
            Expression::Identifier(name) if is_define(name.name.as_str()) => {
                found.push(name.name.to_string());
            }
            Expression::CallExpression(call) => {
                let root = callee_of(&call.callee).and_then(|callee| callee.root);
                let module = root.and_then(|root| reader.names.module_of(root));
                if module == Some("bun:bundle")
                    && let Some(key) = argument(call, 0).and_then(|key| reader.strings.fold(key))
                {
                    found.push(key);
                }
            }
            _ => {}
        }
    }
    found
}

/// Collects names.
struct Names<'t> {
    strings: Strings<'t>,
    numbers: Vec<u32>,
}

impl Names<'_> {
    /// Whether a condition may be decided by the build.
    fn is_of_build(&self, test: Span) -> bool {
        let words: [&[u8]; 5] = [
            b"process.env",
            b"import.meta",
            b"__",
            b"feature(",
            b"NODE_ENV",
        ];
        let text = self.strings.0;
        let test = text.get(test.start as usize..test.end as usize);
        test.is_none_or(|test| {
            words
                .iter()
                .any(|word| memchr::memmem::find(test, word).is_some())
        })
    }
}

impl<'a> Visit<'a> for Names<'_> {
    fn visit_ts_type(&mut self, _: &TSType<'a>) {}
    fn visit_ts_type_annotation(&mut self, _: &TSTypeAnnotation<'a>) {}
    fn visit_ts_type_parameter_instantiation(&mut self, _: &TSTypeParameterInstantiation<'a>) {}
    fn visit_ts_interface_declaration(&mut self, _: &TSInterfaceDeclaration<'a>) {}
    fn visit_ts_type_alias_declaration(&mut self, _: &TSTypeAliasDeclaration<'a>) {}
    fn visit_ts_enum_declaration(&mut self, _: &TSEnumDeclaration<'a>) {}
    fn visit_import_expression(&mut self, _: &ImportExpression<'a>) {}
    fn visit_property_key(&mut self, _: &PropertyKey<'a>) {}
    fn visit_template_literal(&mut self, _: &TemplateLiteral<'a>) {}

    fn visit_computed_member_expression(&mut self, it: &ComputedMemberExpression<'a>) {
        self.visit_expression(&it.object);
    }

    fn visit_binary_expression(&mut self, it: &BinaryExpression<'a>) {
        if it.operator != BinaryOperator::Addition {
            walk::walk_binary_expression(self, it);
        }
    }

    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        if callee_of(&it.callee).is_none_or(|callee| callee.tail != "require") {
            walk::walk_call_expression(self, it);
        }
    }

    fn visit_if_statement(&mut self, it: &IfStatement<'a>) {
        if !self.is_of_build(it.test.span()) {
            walk::walk_if_statement(self, it);
        }
    }

    fn visit_conditional_expression(&mut self, it: &ConditionalExpression<'a>) {
        if !self.is_of_build(it.test.span()) {
            walk::walk_conditional_expression(self, it);
        }
    }

    fn visit_logical_expression(&mut self, it: &LogicalExpression<'a>) {
        if !self.is_of_build(it.left.span()) {
            walk::walk_logical_expression(self, it);
        }
    }

    fn visit_string_literal(&mut self, it: &StringLiteral<'a>) {
        if self.numbers.len() == NAMES_MAX {
            return;
        }
        let text = self.strings.literal(it);
        self.numbers.extend(gates::number_of(text.as_bytes()));
    }
}
