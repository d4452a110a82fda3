//! Values that share their first letters share their first nodes: a house of a thousand names stays small.

use std::collections::HashMap;

use crate::automaton::{Label, NodeId};
use crate::compile::Compiler;
use crate::letters::Letters;

/// A list's values as a tree of letters between two nodes.
pub(crate) struct Trie {
    pub(crate) start: NodeId,
    pub(crate) end: NodeId,
    children: HashMap<(NodeId, char), NodeId>,
}

impl Trie {
    pub(crate) fn new(compiler: &mut Compiler<'_>) -> Self {
        let end = compiler.node();
        Self::to(compiler, end)
    }

    /// An empty trie that ends where another ends.
    pub(crate) fn to(compiler: &mut Compiler<'_>, end: NodeId) -> Self {
        Self { start: compiler.node(), end, children: HashMap::new() }
    }

    /// Adds one way to say a value; `mark` is the edge that notes the value down.
    pub(crate) fn add(&mut self, compiler: &mut Compiler<'_>, said: &Letters, mark: Label) {
        let at = self.last_letter(compiler, said);
        compiler.edge(at, mark, self.end);
    }

    /// Adds words after which the walk goes on at the node `to`.
    pub(crate) fn lead(&mut self, compiler: &mut Compiler<'_>, said: &Letters, to: NodeId) {
        let at = self.last_letter(compiler, said);
        compiler.edge(at, Label::Empty, to);
    }

    fn last_letter(&mut self, compiler: &mut Compiler<'_>, said: &Letters) -> NodeId {
        let mut at = self.start;
        for letter in said.as_slice() {
            at = *self.children.entry((at, *letter)).or_insert_with(|| {
                let next = compiler.node();
                compiler.edge(at, Label::Letter(*letter), next);
                next
            });
        }
        at
    }
}
