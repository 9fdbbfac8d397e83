//! What names stand for: modules that a text loads, and what it makes of them.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use oxc_ast::ast::{
    Argument, BindingPattern, CallExpression, Expression, ImportDeclaration,
    ImportDeclarationSpecifier,
};

use super::fold::Strings;

/// Callees that are followed down a chain of members and calls, at most.
const CHAIN_MAX: usize = 64;

/// Names of a text that stand for modules.
#[derive(Default)]
pub(super) struct Names {
    /// Local names, with the module that each comes from and what it is called there.
    locals: HashMap<String, (String, String)>,
    /// Modules that are loaded, and in the order in which they became known.
    modules: HashSet<String>,
    in_order: Vec<String>,
    /// What was asked of them, by the list of patterns: whether one of them is named by it, and how many were looked at.
    asked: RefCell<HashMap<*const String, (bool, usize)>>,
    /// Names that stand for an object of environment variables.
    pub envs: HashSet<String>,
    /// Names like `__X__` that the text declares.
    pub declared: HashSet<String>,
}

/// What is called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Callee<'b> {
    /// The name that the chain begins with: `app` of `app.use(x).get`; `this` where it does.
    pub root: Option<&'b str>,
    /// What the method is taken from: `fs` of `a.fs.read`.
    pub owner: Option<&'b str>,
    /// The name of the function or method.
    pub tail: &'b str,
}

impl Names {
    /// Whether a module is loaded that one of these patterns names. Every call of a text may ask, so that each module is
    /// held against each list once.
    pub(super) fn loads(&self, patterns: &'static [String]) -> bool {
        let mut asked = self.asked.borrow_mut();
        let (loads, looked_at) = asked.entry(patterns.as_ptr()).or_default();
        if !*loads {
            let new = self.in_order.get(*looked_at..).unwrap_or_default();
            *loads = new.iter().any(|module| is_one_of(module, patterns));
            *looked_at = self.in_order.len();
        }
        *loads
    }

    /// Modules that are loaded.
    pub(super) fn modules(&self) -> impl Iterator<Item = &str> {
        self.modules.iter().map(String::as_str)
    }

    /// The module that a name comes from.
    pub(super) fn module_of(&self, local: &str) -> Option<&str> {
        self.locals.get(local).map(|(module, _)| module.as_str())
    }

    /// What a name is called in the module that it comes from.
    pub(super) fn outer_of<'n>(&'n self, local: &'n str) -> &'n str {
        self.locals
            .get(local)
            .map_or(local, |(_, outer)| outer.as_str())
    }

    pub(super) fn add_module(&mut self, module: &str) {
        if self.modules.insert(module.to_owned()) {
            self.in_order.push(module.to_owned());
        }
    }

    pub(super) fn import(&mut self, strings: Strings, import: &ImportDeclaration, module: &str) {
        self.add_module(module);
        for specifier in import.specifiers.iter().flatten() {
            self.declare(specifier.name().as_str());
            let (local, outer) = match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(one) => {
                    (one.local.name.as_str(), strings.outer(&one.imported))
                }
                ImportDeclarationSpecifier::ImportDefaultSpecifier(one) => {
                    (one.local.name.as_str(), "default".to_owned())
                }
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(one) => {
                    (one.local.name.as_str(), "*".to_owned())
                }
            };
            self.locals
                .insert(local.to_owned(), (module.to_owned(), outer));
        }
    }

    /// Remembers names that look like those that a build sets.
    pub(super) fn declare(&mut self, name: &str) {
        if name.starts_with("__") {
            self.declared.insert(name.to_owned());
        }
    }

    /// Binds the names of a pattern to a module.
    pub(super) fn bind(&mut self, strings: Strings, pattern: &BindingPattern, module: &str) {
        match pattern {
            BindingPattern::BindingIdentifier(one) => {
                self.locals
                    .insert(one.name.to_string(), (module.to_owned(), "*".to_owned()));
            }
            BindingPattern::ObjectPattern(pattern) => {
                for property in &pattern.properties {
                    let outer = strings.key(&property.key);
                    if let (Some(outer), BindingPattern::BindingIdentifier(local)) =
                        (outer, &property.value)
                    {
                        self.locals
                            .insert(local.name.to_string(), (module.to_owned(), outer));
                    }
                }
            }
            _ => {}
        }
    }
}

/// Whether a module is one that a pattern names: the name itself, or what begins as the pattern does before its `*`.
pub(super) fn is_one_of(module: &str, patterns: &[String]) -> bool {
    let module = module.strip_prefix("node:").unwrap_or(module);
    patterns
        .iter()
        .any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => module.starts_with(start),
            None => module == pattern,
        })
}

/// What an expression calls, where names say it.
pub(super) fn callee_of<'b>(expression: &'b Expression<'_>) -> Option<Callee<'b>> {
    let mut tail = None;
    let mut owner = None;
    let mut at = expression.get_inner_expression();
    for _ in 0..CHAIN_MAX {
        at = match at {
            Expression::Identifier(name) => {
                let name = name.name.as_str();
                return Some(match tail {
                    Some(tail) => Callee {
                        root: Some(name),
                        owner: owner.or(Some(name)),
                        tail,
                    },
                    None => Callee {
                        root: Some(name),
                        owner: None,
                        tail: name,
                    },
                });
            }
            Expression::StaticMemberExpression(member) => {
                let name = member.property.name.as_str();
                match (tail, owner) {
                    (None, _) => tail = Some(name),
                    (Some(_), None) => owner = Some(name),
                    _ => {}
                }
                &member.object
            }
            Expression::PrivateFieldExpression(member) => &member.object,
            Expression::CallExpression(call) if tail.is_some() => &call.callee,
            Expression::NewExpression(new) if tail.is_some() => &new.callee,
            Expression::AwaitExpression(wait) => &wait.argument,
            Expression::ComputedMemberExpression(member) if tail.is_some() => &member.object,
            Expression::ChainExpression(chain) => match &chain.expression {
                oxc_ast::ast::ChainElement::CallExpression(call) if tail.is_some() => &call.callee,
                oxc_ast::ast::ChainElement::StaticMemberExpression(member) => {
                    let name = member.property.name.as_str();
                    match (tail, owner) {
                        (None, _) => tail = Some(name),
                        (Some(_), None) => owner = Some(name),
                        _ => {}
                    }
                    &member.object
                }
                _ => break,
            },
            Expression::ThisExpression(_) => {
                return tail.map(|tail| Callee {
                    root: Some("this"),
                    owner: owner.or(Some("this")),
                    tail,
                });
            }
            _ => break,
        }
        .get_inner_expression();
    }
    tail.map(|tail| Callee {
        root: None,
        owner,
        tail,
    })
}

/// An argument of a call, where it is an expression.
pub(super) fn argument<'b, 'a>(
    call: &'b CallExpression<'a>,
    index: usize,
) -> Option<&'b Expression<'a>> {
    call.arguments.get(index).and_then(Argument::as_expression)
}
