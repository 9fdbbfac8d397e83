//! Items of JavaScript and TypeScript, by their syntax.
//!
//! Tokens guess where a name stands for a module, which default belongs to which variable, and which sentences are one
//! prompt. A syntax tree knows, and recovered sources are few and small enough to afford one. So a text is parsed once,
//! and one visitor ([`reader`]) walks it and shows each node to small extractors, one for each matter. What they look for
//! (kits, modules, callees, words) is data: `signatures/inventory.toml`, read by [`signatures`].
//!
//! A text that holds no word of interest is not parsed at all ([`gate`]). One that does not parse, or that [`plain`] holds for
//! unfit, is read by its tokens ([`fallback`]): what reads as an environment variable, a flag or a command there is told as
//! well, with less confidence.
//!
//! # What it does not know
//!
//! Scopes: a name that is imported stands for that module in the whole text. Values that are put together at run time:
//! of a template with holes the parts are told, `${}` for each hole. Types: they are passed over. What a text loads is told by
//! [`text`](super::text), which reads it in every family.

mod branches;
mod commands;
mod controls;
mod env;
mod fallback;
mod flags;
mod fold;
mod gate;
mod models;
mod names;
mod objects;
mod plain;
mod prompts;
mod reader;
mod rules;
pub mod signatures;
mod storage;
mod strings;
mod tools;

use std::cell::Cell;
use std::collections::BTreeMap;

use oxc_allocator::Allocator;
use oxc_ast_visit::Visit;
use oxc_parser::{Parser, ParserReturn};
use oxc_span::SourceType;

use super::{Confidence, DETAIL_CHARS, ItemFact, VALUE_CHARS, cut};
pub(super) use env::shown_default;
use plain::Plain;
use reader::Reader;

/// Stack that threads should have whose work is to read contents: most texts are parsed on it, the others on a thread of
/// their own. It is reserved and not taken.
pub const WORKER_STACK_BYTES: usize = 64 << 20;

/// What is kept free of a worker's stack for what called us.
const CALLERS_STACK_BYTES: usize = 4 << 20;

thread_local! {
    /// The stack of this thread, as far as somebody said so.
    static STACK: Cell<usize> = const { Cell::new(0) };
}

/// Says that this thread was started with [`WORKER_STACK_BYTES`] of stack.
pub fn on_worker_stack() {
    STACK.set(WORKER_STACK_BYTES);
}

/// One thing found, at a place of the text.
#[derive(Debug, Clone)]
struct Found {
    at: u32,
    kind: &'static str,
    value: String,
    confidence: Confidence,
    detail: Option<String>,
}

/// Numbers of the names behind switches of the build, by switch; see [`branches`].
type Behind = BTreeMap<String, Vec<u32>>;

/// The items of a script.
pub(super) fn items(text: &[u8]) -> Vec<ItemFact> {
    if !gate::is_of_interest(text) {
        return Vec::new();
    }
    let found = match Plain::of(text) {
        Some(plain) => on_stack(plain.stack, || parsed(text, &plain)).flatten(),
        None => None,
    };
    let (found, behind) = found.unwrap_or_else(|| (fallback::found(text), Behind::new()));
    placed(text, found, &behind)
}

/// Longest first statement that is looked at, in bytes.
const FIRST_STATEMENT_BYTES: usize = 400;

/// Whether a text begins with an import as only scripts have it, comments apart: `import … from '…'`.
pub(super) fn begins_as_module(text: &[u8]) -> bool {
    let start = behind_comments(text);
    let head = start.get(..FIRST_STATEMENT_BYTES).unwrap_or(start);
    let has = |mark: &[u8]| memchr::memmem::find(head, mark).is_some();
    head.starts_with(b"import ") && (has(b" from '") || has(b" from \""))
}

/// A text from behind the comments that it begins with.
fn behind_comments(text: &[u8]) -> &[u8] {
    let mut rest = text.trim_ascii_start();
    loop {
        let len = if rest.starts_with(b"//") {
            memchr::memchr(b'\n', rest)
        } else if rest.starts_with(b"/*") {
            memchr::memmem::find(rest, b"*/").map(|at| at + 2)
        } else {
            return rest;
        };
        let Some(behind) = len.and_then(|len| rest.get(len..)) else {
            return b"";
        };
        rest = behind.trim_ascii_start();
    }
}

/// Runs `work` where there is so much stack; nothing where the system gives none.
///
/// # Panics
/// Where `work` does: whoever reads contents catches that and says so.
fn on_stack<T: Send>(bytes: usize, work: impl FnOnce() -> T + Send) -> Option<T> {
    if bytes + CALLERS_STACK_BYTES <= STACK.get() {
        return Some(work());
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("inventory".to_owned())
            .stack_size(bytes)
            .spawn_scoped(scope, work);
        match thread.ok()?.join() {
            Ok(done) => Some(done),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// What the syntax tree says; nothing where the text does not parse in any way.
fn parsed(text: &[u8], plain: &Plain) -> Option<(Vec<Found>, Behind)> {
    let allocator = Allocator::default();
    let ways = if plain.has_markup {
        [SourceType::tsx(), SourceType::ts(), SourceType::cjs()]
    } else {
        [SourceType::ts(), SourceType::tsx(), SourceType::cjs()]
    };
    let tree = ways
        .into_iter()
        .map(|way| parse(&allocator, &plain.code, way))
        .find(|tree| !tree.panicked)?;
    let mut reader = Reader::new(text, plain.has_prose);
    reader.prepare(&tree.program);
    reader.visit_program(&tree.program);
    Some(reader.finish())
}

fn parse<'a>(allocator: &'a Allocator, code: &'a str, way: SourceType) -> ParserReturn<'a> {
    Parser::new(allocator, code, way).parse()
}

/// The items with their lines, and with what stands behind switches of the build.
fn placed(text: &[u8], mut found: Vec<Found>, behind: &Behind) -> Vec<ItemFact> {
    found.sort_by_key(|found| found.at);
    let (mut at, mut line) = (0, 1);
    let mut items = Vec::with_capacity(found.len());
    for one in found {
        let place = (one.at as usize).clamp(at, text.len());
        line += memchr::memchr_iter(b'\n', &text[at..place]).count() as u64;
        at = place;
        let is_flag = one.kind == "flag";
        let behind = behind.get(&one.value).filter(|_| is_flag);
        items.push(ItemFact {
            behind: behind.cloned().unwrap_or_default(),
            kind: one.kind.to_owned(),
            value: cut(&one.value, VALUE_CHARS),
            line,
            confidence: one.confidence,
            detail: one.detail.map(|detail| cut(&detail, DETAIL_CHARS)),
        });
    }
    items
}

#[cfg(test)]
mod tests;
