//! The one visitor: it walks the tree and shows each node to the extractors.
//!
//! Types are not walked: nothing in them runs. Sums of strings are followed along their spine, so that a text of ten
//! thousand `+` neither descends nor is put together more than once.

use std::collections::{BTreeMap, HashMap};

use oxc_ast::ast::*;
use oxc_ast_visit::{Visit, walk};
use oxc_span::GetSpan;
use oxc_syntax::scope::ScopeFlags;

use super::super::Confidence;
use super::fold::{Strings, each_operand};
use super::names::{Callee, Names, argument, callee_of};
use super::{
    Behind, Found, branches, commands, controls, env, flags, models, objects, prompts, rules,
    strings, tools,
};

/// A longer constant is not read where its name stands: each time would be another copy of it.
const CONSTANT_MAX_BYTES: usize = 4 << 10;

/// What is read, and what was found so far.
pub(super) struct Reader<'t> {
    pub strings: Strings<'t>,
    pub names: Names,
    pub found: Vec<Found>,
    /// Defaults of environment variables, by where the expression begins that reads the variable.
    pub defaults: HashMap<u32, String>,
    /// Calls with one literal that decide something: for each callee, the keys and where each stands first.
    pub gates: BTreeMap<String, BTreeMap<String, u32>>,
    /// Numbers of the names behind switches of the build; see [`branches`].
    pub behind: Behind,
    /// Strings that constants of the text are.
    pub constants: HashMap<String, String>,
    /// Where an expression begins that is given a name, and the name.
    pub named: Option<(u32, String)>,
    /// Prose that is told where prompts stand in the same text.
    pub beside: Vec<Found>,
    /// The name of the function that is being read, where that says that it gives prompts.
    pub giving: Option<String>,
    /// Where a list ends that was joined: strings before it were told.
    pub is_whole: u32,
    /// Whether the text has a string that is long enough to be prose.
    pub has_prose: bool,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t [u8], has_prose: bool) -> Self {
        Self {
            strings: Strings(text),
            names: Names::default(),
            found: Vec::new(),
            defaults: HashMap::new(),
            gates: BTreeMap::new(),
            behind: Behind::new(),
            constants: HashMap::new(),
            named: None,
            giving: None,
            beside: Vec::new(),
            is_whole: 0,
            has_prose,
        }
    }

    /// The string that an expression is, one that a constant of the text stands for too.
    pub(super) fn known(&self, expression: &Expression) -> Option<String> {
        match expression.get_inner_expression() {
            Expression::Identifier(name) => self.constants.get(name.name.as_str()).cloned(),
            other => self.strings.fold(other),
        }
    }

    /// Takes down one item.
    pub(super) fn add(
        &mut self,
        at: u32,
        kind: &'static str,
        value: impl Into<String>,
        confidence: Confidence,
        detail: Option<String>,
    ) {
        let value = value.into();
        if !value.trim().is_empty() {
            self.found.push(Found {
                at,
                kind,
                value,
                confidence,
                detail,
            });
        }
    }

    /// Learns what the text imports: imports stand for the whole text, wherever they stand.
    pub(super) fn prepare(&mut self, program: &Program) {
        for statement in &program.body {
            match statement {
                Statement::ImportDeclaration(import) => {
                    let module = self.strings.literal(&import.source);
                    if import.import_kind.is_value() {
                        self.names.import(self.strings, import, &module);
                    }
                    env::imported(self, import, &module);
                }
                Statement::VariableDeclaration(declaration) => self.learn(declaration),
                Statement::ExportDeclaration(export) => {
                    if let Declaration::VariableDeclaration(declaration) = &export.declaration {
                        self.learn(declaration);
                    }
                }
                _ => {}
            }
        }
    }

    fn learn(&mut self, declaration: &VariableDeclaration) {
        for declarator in &declaration.declarations {
            self.bind(declarator);
            let (Some(Expression::StringLiteral(literal)), Some(name)) = (
                declarator
                    .init
                    .as_ref()
                    .map(Expression::get_inner_expression),
                declarator.id.get_identifier_name(),
            ) else {
                continue;
            };
            let is_short = (literal.span.size() as usize) < CONSTANT_MAX_BYTES;
            if declaration.kind == VariableDeclarationKind::Const && is_short {
                self.constants
                    .insert(name.to_string(), self.strings.literal(literal));
            }
        }
    }

    /// Learns what a variable stands for: a module that is loaded, or what something of one gives.
    fn bind(&mut self, declarator: &VariableDeclarator) {
        let Some(init) = &declarator.init else { return };
        if env::is_env(self, init) {
            if let BindingPattern::BindingIdentifier(name) = &declarator.id {
                self.names.envs.insert(name.name.to_string());
            }
            return;
        }
        if let Some(module) = loaded(self, init) {
            self.names.add_module(&module);
            self.names.bind(self.strings, &declarator.id, &module);
            return;
        }
        let made = match init.get_inner_expression() {
            Expression::AwaitExpression(wait) => wait.argument.get_inner_expression(),
            init => init,
        };
        let callee = match made {
            Expression::CallExpression(call) => callee_of(&call.callee),
            Expression::NewExpression(new) => callee_of(&new.callee),
            Expression::StaticMemberExpression(_) => callee_of(made),
            _ => None,
        };
        let module = callee
            .and_then(|callee| self.names.module_of(callee.root?))
            .map(str::to_owned);
        if let Some(module) = module {
            self.names.bind(self.strings, &declarator.id, &module);
        }
    }

    /// What stands behind the last node is known now.
    pub(super) fn finish(mut self) -> (Vec<Found>, Behind) {
        flags::undeclared(&mut self);
        flags::homemade(&mut self);
        models::providers(&mut self);
        prompts::beside(&mut self);
        (self.found, self.behind)
    }

    /// Shows a string, as the text means it.
    fn string(&mut self, at: u32, text: &str) {
        strings::look(self, at, text);
        if self.has_prose && at >= self.is_whole {
            prompts::look(self, at, text);
        }
    }

    fn name_value(&mut self, name: Option<&str>, value: &Expression) {
        if let Some(name) = name.filter(|_| self.has_prose) {
            self.named = Some((named_part(value).span().start, name.to_owned()));
        }
    }

    /// Names what a call is given by the callee, where that says that it is a prompt and nothing else named it.
    fn given_to(&mut self, callee: Callee, given: Option<&Expression>) {
        if !self.has_prose {
            return;
        }
        let names = [callee.owner, Some(callee.tail)];
        let name = names
            .into_iter()
            .flatten()
            .find(|name| prompts::is_called_prompt(name));
        if let (Some(name), Some(given)) = (name, given) {
            let at = given.get_inner_expression().span().start;
            if self.named.as_ref().is_none_or(|(named, _)| *named != at) {
                self.named = Some((at, name.to_owned()));
            }
        }
    }

    /// Walks what a function called `name` holds: what it gives is called so.
    fn within(&mut self, name: Option<&str>, walk: impl FnOnce(&mut Self)) {
        let name = name.filter(|name| self.has_prose && prompts::is_called_prompt(name));
        let outer = self.giving.clone();
        if let Some(name) = name {
            self.giving = Some(name.to_owned());
        }
        walk(self);
        self.giving = outer;
    }
}

/// The text that a name stands for: what a call that makes something of it is given first, and what a short function gives.
fn named_part<'b, 'a>(value: &'b Expression<'a>) -> &'b Expression<'a> {
    let value = value.get_inner_expression();
    let given = match value {
        Expression::CallExpression(call)
            if callee_of(&call.callee).is_none_or(|callee| callee.tail != "join") =>
        {
            argument(call, 0)
        }
        Expression::NewExpression(new) => new.arguments.first().and_then(Argument::as_expression),
        Expression::ArrowFunctionExpression(short) => short.get_expression(),
        _ => None,
    };
    let is_text = |given: &&Expression| {
        matches!(
            given,
            Expression::StringLiteral(_)
                | Expression::TemplateLiteral(_)
                | Expression::BinaryExpression(_)
        )
    };
    let given = given.map(Expression::get_inner_expression);
    given.filter(is_text).unwrap_or(value)
}

/// The module that an expression loads: `require('x')`, `await import('x')`, and a member of it.
fn loaded(reader: &Reader, expression: &Expression) -> Option<String> {
    let mut at = expression.get_inner_expression();
    for _ in 0..4 {
        at = match at {
            Expression::AwaitExpression(wait) => wait.argument.get_inner_expression(),
            Expression::StaticMemberExpression(member) => member.object.get_inner_expression(),
            Expression::ImportExpression(import) => return reader.strings.fold(&import.source),
            Expression::CallExpression(call) => {
                let callee = callee_of(&call.callee)?;
                if callee.tail == "require" && callee.owner.is_none() {
                    return reader.strings.fold(argument(call, 0)?);
                }
                if callee.tail.starts_with("__importStar")
                    || callee.tail.starts_with("__importDefault")
                    || callee.tail.starts_with("__toESM")
                {
                    argument(call, 0)?.get_inner_expression()
                } else {
                    return None;
                }
            }
            _ => return None,
        };
    }
    None
}

impl<'a> Visit<'a> for Reader<'_> {
    fn visit_ts_type_annotation(&mut self, _: &TSTypeAnnotation<'a>) {}
    fn visit_ts_type(&mut self, _: &TSType<'a>) {}
    fn visit_ts_type_parameter_instantiation(&mut self, _: &TSTypeParameterInstantiation<'a>) {}
    fn visit_ts_type_parameter_declaration(&mut self, _: &TSTypeParameterDeclaration<'a>) {}
    fn visit_ts_interface_declaration(&mut self, _: &TSInterfaceDeclaration<'a>) {}
    fn visit_ts_type_alias_declaration(&mut self, _: &TSTypeAliasDeclaration<'a>) {}
    fn visit_import_declaration(&mut self, _: &ImportDeclaration<'a>) {}

    fn visit_export_all_declaration(&mut self, _: &ExportAllDeclaration<'a>) {}
    fn visit_export_named_declaration(&mut self, _: &ExportNamedDeclaration<'a>) {}

    fn visit_export_from_declaration(&mut self, _: &ExportFromDeclaration<'a>) {}

    fn visit_ts_import_equals_declaration(&mut self, it: &TSImportEqualsDeclaration<'a>) {
        if let TSModuleReference::ExternalModuleReference(outer) = &it.module_reference {
            let module = self.strings.literal(&outer.expression);
            self.names.add_module(&module);
        }
    }

    fn visit_span(&mut self, _: &oxc_span::Span) {}

    fn visit_string_literal(&mut self, it: &StringLiteral<'a>) {
        if it.span.size() > 3 {
            let text = self.strings.literal(it);
            self.string(it.span.start, &text);
        }
    }

    fn visit_template_literal(&mut self, it: &TemplateLiteral<'a>) {
        let text = self.strings.template(it);
        self.string(it.span.start, &text);
        for expression in &it.expressions {
            self.visit_expression(expression);
        }
    }

    fn visit_binding_identifier(&mut self, it: &BindingIdentifier<'a>) {
        self.names.declare(it.name.as_str());
    }

    fn visit_binary_expression(&mut self, it: &BinaryExpression<'a>) {
        if it.operator != BinaryOperator::Addition {
            flags::compared(self, it);
            walk::walk_binary_expression(self, it);
            return;
        }
        let mut operands = Vec::new();
        each_operand(it, |operand| operands.push(operand));
        let is_text = operands.iter().any(|operand| {
            matches!(
                operand.get_inner_expression(),
                Expression::StringLiteral(_) | Expression::TemplateLiteral(_)
            )
        });
        if is_text && let Some(text) = self.strings.fold_sum(it) {
            self.string(it.span.start, &text);
        }
        for operand in operands.into_iter().rev() {
            match operand {
                Expression::StringLiteral(_) => {}
                Expression::TemplateLiteral(template) if is_text => {
                    for expression in &template.expressions {
                        self.visit_expression(expression);
                    }
                }
                _ => self.visit_expression(operand),
            }
        }
    }

    fn visit_logical_expression(&mut self, it: &LogicalExpression<'a>) {
        match it.operator {
            LogicalOperator::And => {
                flags::condition(self, &it.left);
                branches::of_and(self, it);
            }
            LogicalOperator::Or | LogicalOperator::Coalesce => {
                env::default_beside(self, &it.left, &it.right);
                flags::condition(self, &it.left);
            }
        }
        walk::walk_logical_expression(self, it);
    }

    fn visit_if_statement(&mut self, it: &IfStatement<'a>) {
        flags::condition(self, &it.test);
        branches::of_if(self, it);
        walk::walk_if_statement(self, it);
    }

    fn visit_conditional_expression(&mut self, it: &ConditionalExpression<'a>) {
        flags::condition(self, &it.test);
        branches::of_choice(self, it);
        walk::walk_conditional_expression(self, it);
    }

    fn visit_unary_expression(&mut self, it: &UnaryExpression<'a>) {
        if it.operator == UnaryOperator::LogicalNot {
            flags::condition(self, &it.argument);
        }
        walk::walk_unary_expression(self, it);
    }

    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        flags::define(self, it);
    }

    fn visit_static_member_expression(&mut self, it: &StaticMemberExpression<'a>) {
        env::member(self, it);
        walk::walk_static_member_expression(self, it);
    }

    fn visit_computed_member_expression(&mut self, it: &ComputedMemberExpression<'a>) {
        env::computed(self, it);
        walk::walk_computed_member_expression(self, it);
    }

    fn visit_assignment_expression(&mut self, it: &AssignmentExpression<'a>) {
        env::assigned(self, it);
        walk::walk_assignment_expression(self, it);
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        self.bind(it);
        env::destructured(self, it);
        if let Some(init) = &it.init {
            let name = it.id.get_identifier_name();
            if let Some(name) = &name {
                env::named(self, name.as_str(), init);
                flags::named(self, name.as_str(), init);
                commands::table(self, name.as_str(), init);
            }
            self.name_value(name.as_ref().map(|name| name.as_str()), init);
            if let (Some(name), true) = (
                &name,
                matches!(
                    init,
                    Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_)
                ),
            ) {
                controls::declared(self, it.span.start, name.as_str());
            }
        }
        walk::walk_variable_declarator(self, it);
    }

    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        if let Some(id) = &it.id {
            controls::declared(self, id.span.start, id.name.as_str());
        }
        let name = it.id.as_ref().map(|id| id.name.as_str());
        self.within(name, |reader| walk::walk_function(reader, it, flags));
    }

    fn visit_return_statement(&mut self, it: &ReturnStatement<'a>) {
        if let (Some(given), Some(name)) = (&it.argument, self.giving.clone()) {
            self.name_value(Some(&name), given);
        }
        walk::walk_return_statement(self, it);
    }

    fn visit_class(&mut self, it: &Class<'a>) {
        if let Some(id) = &it.id {
            controls::declared(self, id.span.start, id.name.as_str());
        }
        commands::class(self, it);
        tools::class(self, it);
        walk::walk_class(self, it);
    }

    fn visit_method_definition(&mut self, it: &MethodDefinition<'a>) {
        if let Some(name) = self.strings.key(&it.key) {
            controls::declared(self, it.span.start, &name);
            self.within(Some(&name), |reader| {
                walk::walk_method_definition(reader, it);
            });
            return;
        }
        walk::walk_method_definition(self, it);
    }

    fn visit_property_definition(&mut self, it: &PropertyDefinition<'a>) {
        if let Some(value) = &it.value {
            self.name_value(self.strings.key(&it.key).as_deref(), value);
        }
        walk::walk_property_definition(self, it);
    }

    fn visit_object_expression(&mut self, it: &ObjectExpression<'a>) {
        objects::look(self, it);
        walk::walk_object_expression(self, it);
    }

    fn visit_object_property(&mut self, it: &ObjectProperty<'a>) {
        let key = self.strings.key(&it.key);
        self.name_value(key.as_deref(), &it.value);
        if let Some(key) = key {
            commands::table(self, &key, &it.value);
        }
        tools::keyed(self, it);
        walk::walk_object_property(self, it);
    }

    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        if let Some(callee) = callee_of(&it.callee) {
            if callee.tail == "require"
                && callee.owner.is_none()
                && let Some(module) = argument(it, 0).and_then(|given| self.strings.fold(given))
            {
                self.names.add_module(&module);
                return;
            }
            if callee.tail == "join"
                && let Some(text) = self.strings.joined(it)
            {
                self.string(it.span.start, &text);
                self.is_whole = it.span.end;
            }
            rules::call(self, it.span.start, callee, &it.arguments, false);
            rules::event(self, it.span.start, callee, &it.arguments);
            flags::called(self, it, callee);
            self.given_to(callee, argument(it, 0));
            env::call(self, it, callee);
            commands::call(self, it, callee);
            tools::call(self, it, callee);
        }
        walk::walk_call_expression(self, it);
    }

    fn visit_new_expression(&mut self, it: &NewExpression<'a>) {
        if let Some(callee) = callee_of(&it.callee) {
            rules::call(self, it.span.start, callee, &it.arguments, true);
            let given = it.arguments.first().and_then(Argument::as_expression);
            self.given_to(callee, given);
        }
        walk::walk_new_expression(self, it);
    }

    fn visit_import_expression(&mut self, it: &ImportExpression<'a>) {
        if let Some(module) = self.strings.fold(&it.source) {
            self.names.add_module(&module);
        }
    }

    fn visit_tagged_template_expression(&mut self, it: &TaggedTemplateExpression<'a>) {
        self.text_of_tag(it);
        self.visit_expression(&it.tag);
        for expression in &it.quasi.expressions {
            self.visit_expression(expression);
        }
    }
}

impl Reader<'_> {
    fn text_of_tag(&mut self, it: &TaggedTemplateExpression) {
        let text = self.strings.template(&it.quasi);
        if let Some((at, _)) = &mut self.named
            && *at == it.span.start
        {
            *at = it.quasi.span.start;
        }
        strings::tagged(self, it, &text);
        self.string(it.quasi.span.start, &text);
    }
}
