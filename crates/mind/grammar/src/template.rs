//! What a sentence template says, before it is compiled.

use crate::error::TemplateError;
use crate::template_parse;

/// One sentence template, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pub(crate) root: Part,
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Letters as they stand, with the spaces around them: `light[s]` joins within a word.
    Text(String),
    /// One after the other.
    Sequence(Vec<Part>),
    /// `(a|b)`: one of them.
    Alternative(Vec<Part>),
    /// `[a]`: it or nothing.
    Optional(Box<Part>),
    /// `(a;b)`: all of them, in any order.
    Permutation(Vec<Part>),
    /// `<name>`: what that rule says.
    Rule(String),
    /// `{list}`, `{list:slot}`, or a range in place, `{0..100:slot}`: one of the list's values, remembered as a slot.
    List {
        /// The list's name, or a range such as `0..100` or `0..100,5`.
        list: String,
        /// The slot's name; the list's where none is given.
        slot: String,
    },
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// Says where in `text` it stops making sense, or which limit it exceeds.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        template_parse::parse(text).map(|root| Self { root })
    }

    /// A template that is exactly this text: brackets in it mean nothing.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        Self { root: Part::Text(text.to_owned()) }
    }

    /// What the template is made of.
    #[must_use]
    pub const fn root(&self) -> &Part {
        &self.root
    }

    /// Gives rules and lists other names, for sentences that bring their own under a common one.
    /// `rename` is given each name and whether it is a rule's, and returns the new one where there is one.
    pub fn rename(&mut self, rename: &dyn Fn(&str, bool) -> Option<String>) {
        self.root.rename(rename);
    }
}

impl Part {
    // Nesting is bounded by the parser, so this calls itself at most `limits::NESTING_MAX` deep.
    fn rename(&mut self, rename: &dyn Fn(&str, bool) -> Option<String>) {
        match self {
            Self::Text(_) => {}
            Self::Sequence(parts) | Self::Alternative(parts) | Self::Permutation(parts) => {
                parts.iter_mut().for_each(|part| part.rename(rename));
            }
            Self::Optional(part) => part.rename(rename),
            Self::Rule(name) => {
                if let Some(new) = rename(name, true) {
                    *name = new;
                }
            }
            Self::List { list, .. } => {
                if let Some(new) = rename(list, false) {
                    *list = new;
                }
            }
        }
    }
}
