//! Why a template or a grammar was refused.

use thiserror::Error;

use crate::automaton::SentenceId;
use crate::limits;

/// A template that cannot be read, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {fault}")]
pub struct TemplateError {
    /// Line within the template, from 1.
    pub line: usize,
    /// Column within that line in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub fault: TemplateFault,
}

/// What can be wrong with a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TemplateFault {
    /// An opening bracket has no partner.
    #[error("this `{open}` is never closed")]
    NeverClosed {
        /// The bracket.
        open: char,
    },
    /// A closing bracket has no partner, or another one's.
    #[error("`{close}` closes nothing here")]
    ClosesNothing {
        /// The bracket.
        close: char,
    },
    /// Brackets with nothing in them.
    #[error("these brackets are empty")]
    Empty,
    /// `(a|b;c)`: which of the two is meant cannot be known.
    #[error("`|` and `;` stand in the same brackets: put one of them into brackets of its own")]
    MixedSeparators,
    /// A name of a rule, list or slot that is not made of letters, digits, `_`, `-`, `.` and `,`.
    #[error("a name is made of letters, digits, `_`, `-`, `.`, and is at most {} long", limits::NAME_CHARS_MAX)]
    BadName,
    /// A backslash at the very end.
    #[error("a `\\` must stand before a character")]
    DanglingEscape,
    /// See [`limits::NESTING_MAX`].
    #[error("brackets are nested more than {} deep", limits::NESTING_MAX)]
    TooDeep,
    /// See [`limits::TEMPLATE_CHARS_MAX`].
    #[error("a template has at most {} characters", limits::TEMPLATE_CHARS_MAX)]
    TooLong,
    /// See [`limits::PERMUTATION_ITEMS_MAX`].
    #[error("a permutation has at most {} items", limits::PERMUTATION_ITEMS_MAX)]
    TooManyItems,
}

/// Where a name was called that nobody defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// In this sentence.
    Sentence(SentenceId),
    /// In this rule.
    Rule(String),
    /// In a value of this list.
    List(String),
}

/// Why a grammar could not be compiled.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GrammarError {
    /// A template calls a rule that nobody defined.
    #[error("the rule <{name}> is not defined")]
    UnknownRule {
        /// The rule.
        name: String,
        /// Who calls it.
        caller: Caller,
    },
    /// A template calls a list that nobody defined.
    #[error("the list {{{name}}} is not defined")]
    UnknownList {
        /// The list.
        name: String,
        /// Who calls it.
        caller: Caller,
    },
    /// A rule that calls itself, directly or through others.
    #[error("<{name}> calls itself")]
    Cycle {
        /// A rule or list on the cycle.
        name: String,
    },
    /// See [`limits::CALL_DEPTH_MAX`].
    #[error("rules call rules more than {} deep, at <{name}>", limits::CALL_DEPTH_MAX)]
    CallsTooDeep {
        /// The rule at the limit.
        name: String,
    },
    /// A range whose end is before its start, whose step is not positive, which has too many numbers or too large ones.
    #[error(
        "the range {{{name}}} must go upwards in steps of at least 1, have at most {} numbers and stay within ±{}",
        limits::RANGE_NUMBERS_MAX,
        limits::RANGE_REACH_MAX
    )]
    BadRange {
        /// The list.
        name: String,
    },
    /// See [`limits::NODES_MAX`].
    #[error("the sentences make more than {} nodes", limits::NODES_MAX)]
    TooLarge,
}
