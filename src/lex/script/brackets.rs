//! The brackets that are open, each with what it is for.
//!
//! A ring of fixed size: what is nested deeper than it holds makes it forget the outermost brackets, whose closing ones
//! are then taken for those of blocks. The memory is the same for any input.

/// Brackets that are remembered. Real code seldom has more than a hundred open.
const REMEMBERED: usize = 2_048;

/// What a bracket, or a part of markup, was opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// `{`: statements; what follows `}` begins a statement.
    Block,
    /// `{` behind `do`: `while` follows.
    DoBlock,
    /// `{`: the body of a function that is an operand.
    FunctionValue,
    /// `{`: the members of a class.
    Class,
    /// `{`: the members of a class that is an operand.
    ClassValue,
    /// `{`: an object, a pattern, or a type of members.
    Object,
    /// `{`: the members of an interface or an enumeration.
    Shape,
    /// `{`: names that are imported.
    Import,
    /// `{`: names that are exported.
    Export,
    /// `${` of a template.
    Substitution,
    /// `{` of markup.
    Container,
    /// `(`.
    Paren,
    /// `(` behind `if`, `while`, `with`: no operand ends at its `)`.
    Condition,
    /// `(` behind `for`.
    For,
    /// `[`.
    Square,
    /// `<name` of markup, until its `>`.
    Tag,
    /// What stands between the tags of an element.
    Children,
}

impl Kind {
    /// Whether `}` ends it.
    pub(super) fn is_brace(self) -> bool {
        (self as u8) <= Kind::Container as u8
    }

    /// Whether statements stand in it.
    pub(super) fn is_block(self) -> bool {
        (self as u8) <= Kind::FunctionValue as u8
    }

    /// Whether members with names stand in it.
    pub(super) fn has_members(self) -> bool {
        (self as u8).wrapping_sub(Kind::Class as u8) <= Kind::Export as u8 - Kind::Class as u8
    }

    /// Whether the members of a class stand in it.
    pub(super) fn is_class(self) -> bool {
        matches!(self, Kind::Class | Kind::ClassValue)
    }

    /// Whether an operand ends with its closing bracket.
    pub(super) fn is_operand(self) -> bool {
        matches!(
            self,
            Kind::FunctionValue
                | Kind::ClassValue
                | Kind::Object
                | Kind::Import
                | Kind::Export
                | Kind::Paren
                | Kind::Square
        )
    }
}

/// What was announced by a word, and whose `{` is yet to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Pending {
    Nothing,
    Function,
    FunctionValue,
    Class,
    ClassValue,
    Shape,
}

/// One open bracket, and where the text within it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    pub(super) kind: Kind,
    pub(super) pending: Pending,
    /// `?` whose `:` is yet to come.
    pub(super) choices: u8,
    /// `<` that seem to begin type arguments, whose `>` is yet to come.
    pub(super) angles: u8,
    /// Behind `case`, until its `:`.
    pub(super) in_case: bool,
}

impl Level {
    pub(super) const fn of(kind: Kind) -> Level {
        Level {
            kind,
            pending: Pending::Nothing,
            choices: 0,
            angles: 0,
            in_case: false,
        }
    }
}

pub(super) struct Brackets {
    ring: [Level; REMEMBERED],
    /// Brackets that are open.
    depth: usize,
    /// How deep the outermost one is that is remembered.
    floor: usize,
    /// The innermost.
    pub(super) top: Level,
}

impl Brackets {
    pub(super) fn new() -> Brackets {
        Brackets {
            ring: [Level::of(Kind::Block); REMEMBERED],
            depth: 0,
            floor: 0,
            top: Level::of(Kind::Block),
        }
    }

    /// Whether no bracket is open.
    #[inline]
    pub(super) fn is_outside(&self) -> bool {
        self.depth == 0
    }

    #[inline]
    pub(super) fn open(&mut self, kind: Kind) {
        self.ring[self.depth % REMEMBERED] = self.top;
        self.depth += 1;
        self.floor = self.floor.max(self.depth.saturating_sub(REMEMBERED));
        self.top = Level::of(kind);
    }

    /// Closes the innermost; `None` where none is open.
    #[inline]
    fn pop(&mut self) -> Option<Kind> {
        self.depth = self.depth.checked_sub(1)?;
        let kind = self.top.kind;
        self.top = if self.depth < self.floor {
            self.floor = self.depth;
            Level::of(Kind::Block)
        } else {
            self.ring[self.depth % REMEMBERED]
        };
        Some(kind)
    }

    /// Closes with `)` or `]`. Where a brace is innermost, the bracket has no partner and closes nothing.
    #[inline]
    pub(super) fn close_small(&mut self) -> Kind {
        if self.top.kind.is_brace() {
            return Kind::Paren;
        }
        self.pop().unwrap_or(Kind::Paren)
    }

    /// Closes with `}`, and what was left open within.
    #[inline]
    pub(super) fn close_brace(&mut self) -> Kind {
        loop {
            match self.pop() {
                Some(kind) if kind.is_brace() => return kind,
                Some(_) => {}
                None => return Kind::Block,
            }
        }
    }

    /// Closes the innermost where it is a part of markup.
    pub(super) fn close_markup(&mut self) -> bool {
        let is_markup = matches!(self.top.kind, Kind::Tag | Kind::Children);
        is_markup && self.pop().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nested_too_deep_is_forgotten_from_outside() {
        let mut brackets = Brackets::new();
        for _ in 0..10 {
            brackets.open(Kind::Object);
        }
        for _ in 0..REMEMBERED {
            brackets.open(Kind::Square);
        }
        for _ in 0..REMEMBERED {
            assert_eq!(brackets.close_small(), Kind::Square);
        }
        // The level under each that was remembered is remembered; of those further out only their number.
        assert_eq!(brackets.close_brace(), Kind::Object);
        for _ in 1..10 {
            assert!(!brackets.is_outside());
            assert_eq!(brackets.close_brace(), Kind::Block);
        }
        assert!(brackets.is_outside());
        assert_eq!(brackets.close_brace(), Kind::Block);
        assert_eq!(brackets.close_small(), Kind::Paren);
        assert!(brackets.is_outside());
    }

    #[test]
    fn a_brace_closes_what_was_left_open_in_it() {
        let mut brackets = Brackets::new();
        brackets.open(Kind::Class);
        brackets.open(Kind::Paren);
        brackets.open(Kind::Square);
        assert_eq!(brackets.close_brace(), Kind::Class);
        brackets.open(Kind::Block);
        assert_eq!(brackets.close_small(), Kind::Paren);
        assert_eq!(brackets.close_brace(), Kind::Block);
        assert!(brackets.is_outside());
    }
}
