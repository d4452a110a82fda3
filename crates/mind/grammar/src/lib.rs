//! Sentence templates in the hassil format become one automaton over letters.
//!
//! A [`Template`] is one line such as `turn (on|off) [the] {name}`. A [`GrammarBuilder`] gathers templates, the rules
//! and lists they call, and compiles all of it to a [`Grammar`]: nodes and edges over letters, where a rule or a list is
//! a sub-automaton that is *called*, so that a rule used in five hundred sentences stands there once.
//!
//! The same automaton is walked in two ways: by a text ([`Grammar::parses`] finds every reading of it), and letter by
//! letter ([`Walker`]), which is what a recogniser's beam search needs to know which tokens may come next.
//!
//! Architecture Invariant: this crate knows no audio, no tokens of any model, no intent and no meaning; it does no I/O.
//! Templates and texts may come from anybody: each has its limits in [`limits`], and nothing here panics.

mod automaton;
mod build;
mod compile;
mod error;
pub mod letters;
pub mod limits;
pub mod numbers;
mod parses;
mod template;
mod template_parse;
mod trie;
mod walk;

pub use automaton::{Grammar, SentenceId};
pub use build::{GrammarBuilder, Range};
pub use error::{Caller, GrammarError, TemplateError, TemplateFault};
pub use parses::{Parse, Parses, Slot, SlotValue};
pub use template::{Part, Template};
pub use walk::{State, Walker};
