//! Strings as a text means them: escapes undone, concatenations and templates put together.

use oxc_ast::ast::{
    BinaryExpression, BinaryOperator, CallExpression, Expression, ModuleExportName, PropertyKey,
    StringLiteral, TemplateLiteral,
};

use super::names::argument;
use crate::lex::{Family, unescape};

pub(super) use super::super::HOLE;

/// Operands in brackets within one another that are put together.
const NESTED_MAX: usize = 4;

/// Longest text that is put together, in bytes.
const FOLDED_MAX_BYTES: usize = 1 << 20;

/// Reads strings of one text.
#[derive(Clone, Copy)]
pub(super) struct Strings<'t>(pub &'t [u8]);

impl Strings<'_> {
    fn value(self, start: usize, end: usize) -> String {
        let raw = self.0.get(start..end).unwrap_or_default();
        if memchr::memchr2(b'\\', b'\r', raw).is_none() {
            return String::from_utf8_lossy(raw).into_owned();
        }
        let mut value = Vec::with_capacity(raw.len());
        unescape(Family::Script, raw, &mut value);
        String::from_utf8_lossy(&value).into_owned()
    }

    /// The value of a string literal.
    pub(super) fn literal(self, literal: &StringLiteral) -> String {
        self.value(
            literal.span.start as usize + 1,
            (literal.span.end as usize).saturating_sub(1),
        )
    }

    /// The name of a property, where it is written down.
    pub(super) fn key(self, key: &PropertyKey) -> Option<String> {
        match key {
            PropertyKey::StaticIdentifier(name) => Some(name.name.to_string()),
            PropertyKey::StringLiteral(literal) => Some(self.literal(literal)),
            _ => None,
        }
    }

    /// The outer name of an import.
    pub(super) fn outer(self, name: &ModuleExportName) -> String {
        match name {
            ModuleExportName::StringLiteral(literal) => self.literal(literal),
            name => name.name().to_string(),
        }
    }

    /// The value of a template, a hole for each expression.
    pub(super) fn template(self, template: &TemplateLiteral) -> String {
        let mut value = String::new();
        for (index, quasi) in template.quasis.iter().enumerate() {
            if index > 0 {
                value.push_str(HOLE);
            }
            value.push_str(&self.value(quasi.span.start as usize, quasi.span.end as usize));
        }
        value
    }

    /// The string that an expression is without running anything, holes for what is not known. Nothing where no part of
    /// it is a string.
    pub(super) fn fold(self, expression: &Expression) -> Option<String> {
        self.fold_within(expression, NESTED_MAX)
    }

    fn fold_within(self, expression: &Expression, depth: usize) -> Option<String> {
        match expression.get_inner_expression() {
            Expression::StringLiteral(literal) => Some(self.literal(literal)),
            Expression::TemplateLiteral(template) => Some(self.template(template)),
            Expression::TaggedTemplateExpression(tagged) => Some(self.template(&tagged.quasi)),
            Expression::BinaryExpression(binary) => self.sum(binary, depth.checked_sub(1)?),
            Expression::CallExpression(call) => self.joined_within(call, depth.checked_sub(1)?),
            _ => None,
        }
    }

    /// A list of strings that is joined.
    pub(super) fn joined(self, call: &CallExpression) -> Option<String> {
        self.joined_within(call, NESTED_MAX)
    }

    fn joined_within(self, call: &CallExpression, depth: usize) -> Option<String> {
        let Expression::StaticMemberExpression(member) = call.callee.get_inner_expression() else {
            return None;
        };
        let Expression::ArrayExpression(array) = member.object.get_inner_expression() else {
            return None;
        };
        if member.property.name.as_str() != "join" {
            return None;
        }
        let between = argument(call, 0)
            .map_or(Some(",".to_owned()), |given| self.fold_within(given, depth))?;
        let parts = array.elements.iter().map(|element| {
            let part = element
                .as_expression()
                .and_then(|part| self.fold_within(part, depth));
            part.unwrap_or_else(|| HOLE.to_owned())
        });
        let parts: Vec<String> = parts.collect();
        parts
            .iter()
            .any(|part| part != HOLE)
            .then(|| parts.join(&between))
    }

    /// A sum, where a part of it is a string.
    pub(super) fn fold_sum(self, binary: &BinaryExpression) -> Option<String> {
        self.sum(binary, NESTED_MAX)
    }

    /// A sum of strings. It leans to the left, so its spine is followed without descending.
    fn sum(self, binary: &BinaryExpression, depth: usize) -> Option<String> {
        let mut parts = Vec::new();
        each_operand(binary, |operand| {
            parts.push(self.fold_within(operand, depth))
        });
        if parts.iter().all(Option::is_none) {
            return None;
        }
        let mut value = String::new();
        for part in parts.iter().rev() {
            let part = part.as_deref().unwrap_or(HOLE);
            if value.len() + part.len() <= FOLDED_MAX_BYTES {
                value.push_str(part);
            }
        }
        Some(value)
    }
}

/// The operands of a sum, the last first. Of another operation, none.
pub(super) fn each_operand<'b, 'a>(
    binary: &'b BinaryExpression<'a>,
    mut look: impl FnMut(&'b Expression<'a>),
) {
    if binary.operator != BinaryOperator::Addition {
        return;
    }
    let mut at = binary;
    loop {
        look(&at.right);
        match &at.left {
            Expression::BinaryExpression(left) if left.operator == BinaryOperator::Addition => {
                at = left
            }
            first => {
                look(first);
                return;
            }
        }
    }
}
