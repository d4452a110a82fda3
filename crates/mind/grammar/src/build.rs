//! Gathering what a grammar is made of.

use std::collections::BTreeMap;

use crate::automaton::{Grammar, SentenceId};
use crate::compile;
use crate::error::GrammarError;
use crate::limits::{RANGE_NUMBERS_MAX, RANGE_REACH_MAX};
use crate::template::Template;

/// A list of numbers, understood as digits and as words.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    /// The smallest number.
    pub from: i64,
    /// The largest number, itself included.
    pub to: i64,
    /// From one number to the next; at least 1.
    pub step: u32,
    /// Tenths that are allowed after each number besides none: `[5]` for halves.
    pub tenths: Vec<u8>,
    /// What a number is multiplied by before it becomes the slot's value.
    pub multiplier: f64,
}

impl Range {
    /// The whole numbers from `from` to `to`.
    #[must_use]
    pub const fn new(from: i64, to: i64) -> Self {
        Self { from, to, step: 1, tenths: Vec::new(), multiplier: 1.0 }
    }

    /// A range as it is written in place: `0..100` or `0..100,5`.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (from, rest) = name.split_once("..")?;
        let (to, step) = rest.split_once(',').unwrap_or((rest, "1"));
        Some(Self { step: step.parse().ok()?, ..Self::new(from.parse().ok()?, to.parse().ok()?) })
    }

    /// Whether a number, given in tenths, lies within the bounds.
    pub(crate) fn holds(&self, tenths: i64) -> bool {
        (self.from * 10..=self.to * 10).contains(&tenths)
    }

    pub(crate) fn check(&self, name: &str) -> Result<(), GrammarError> {
        let reach = -RANGE_REACH_MAX..=RANGE_REACH_MAX;
        let fits = reach.contains(&self.from)
            && reach.contains(&self.to)
            && self.from <= self.to
            && self.step > 0
            && (self.to - self.from).unsigned_abs() / u64::from(self.step) < RANGE_NUMBERS_MAX
            && self.tenths.len() < 10
            && self.multiplier.is_finite();
        if fits { Ok(()) } else { Err(GrammarError::BadRange { name: name.to_owned() }) }
    }
}

/// What a list's slot may hold.
#[derive(Debug)]
pub(crate) enum List {
    Values(Vec<(Template, String)>),
    Range(Range),
    Wildcard,
}

/// Gathers sentences, rules and lists, in any order, and compiles them.
#[derive(Debug, Default)]
pub struct GrammarBuilder {
    pub(crate) sentences: Vec<Template>,
    pub(crate) rules: BTreeMap<String, Template>,
    pub(crate) lists: BTreeMap<String, List>,
}

impl GrammarBuilder {
    /// An empty grammar, which understands nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a sentence.
    pub fn sentence(&mut self, template: Template) -> SentenceId {
        self.sentences.push(template);
        SentenceId(u32::try_from(self.sentences.len() - 1).unwrap_or(u32::MAX))
    }

    /// Defines `<name>`; a later definition replaces an earlier one.
    pub fn rule(&mut self, name: &str, template: Template) {
        self.rules.insert(name.to_owned(), template);
    }

    /// Defines `{name}` as one of these values: how it is said, and what the slot then holds.
    pub fn values(&mut self, name: &str, values: Vec<(Template, String)>) {
        self.lists.insert(name.to_owned(), List::Values(values));
    }

    /// Defines `{name}` as a number.
    pub fn range(&mut self, name: &str, range: Range) {
        self.lists.insert(name.to_owned(), List::Range(range));
    }

    /// Defines `{name}` as any words, one at least.
    pub fn wildcard(&mut self, name: &str) {
        self.lists.insert(name.to_owned(), List::Wildcard);
    }

    /// Compiles all of it.
    ///
    /// # Errors
    /// Names the rule, list or limit that stands in the way.
    pub fn build(self) -> Result<Grammar, GrammarError> {
        compile::compile(&self)
    }
}
