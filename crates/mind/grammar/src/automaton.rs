//! The compiled grammar: nodes, edges, and the sub-automata that call each other.

use std::collections::BTreeSet;

use crate::letters::SPACE;

/// A node of the automaton.
pub(crate) type NodeId = u32;

/// A sub-automaton: a rule, a list, an item of a permutation, or the root. What is called has a smaller number than
/// its caller, so that going through the numbers downwards meets every caller first.
pub(crate) type SubId = u32;

/// A sentence template of the grammar, numbered from 0 in the order they were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SentenceId(pub u32);

/// What must be so to go along an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    /// Nothing.
    Empty,
    /// The next letter is this one.
    Letter(char),
    /// The next letter is not a space: part of a wildcard.
    Wild,
    /// The next letter is a space within a wildcard.
    WildSpace,
    /// The sub-automaton is walked from its start to its end.
    Call(SubId),
    /// Nothing, and this is noted down.
    Mark(Mark),
    /// Nothing: back to after the call.
    Return,
}

/// What a walk notes down on its way, from which a reading is put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Mark {
    /// This sentence begins.
    Sentence(u32),
    /// The slot of this number begins.
    Open(u32),
    /// The slot's value is this one.
    Value(u32),
    /// The innermost open slot ends.
    Close,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) label: Label,
    pub(crate) to: NodeId,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Sub {
    pub(crate) start: NodeId,
    /// Whether it can be walked without a letter: at any time; where spaces are free, since one was just read.
    pub(crate) nullable: [bool; 2],
}

/// A value of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) list: u32,
    pub(crate) index: u32,
    pub(crate) out: String,
}

/// A compiled grammar. Never changes, and may be shared by any number of threads.
#[derive(Debug)]
pub struct Grammar {
    pub(crate) edges: Vec<Edge>,
    /// `edges[first_edge[n]..first_edge[n + 1]]` leave node `n`.
    pub(crate) first_edge: Vec<u32>,
    pub(crate) subs: Vec<Sub>,
    pub(crate) root: SubId,
    pub(crate) values: Vec<Value>,
    pub(crate) slots: Vec<String>,
    pub(crate) lists: Vec<String>,
}

impl Grammar {
    /// How many nodes the automaton has.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.first_edge.len().saturating_sub(1)
    }

    /// How many edges the automaton has.
    #[must_use]
    pub fn edges(&self) -> usize {
        self.edges.len()
    }

    pub(crate) fn edges_from(&self, node: NodeId) -> &[Edge] {
        let node = node as usize;
        &self.edges[self.first_edge[node] as usize..self.first_edge[node + 1] as usize]
    }

    pub(crate) fn sub(&self, sub: SubId) -> Sub {
        self.subs[sub as usize]
    }
}

// Said in the order of the numbers: what is called was compiled before its caller.
impl Grammar {
    /// Finds out which sub-automata can be walked without a letter.
    pub(crate) fn note_nullable(&mut self) {
        for sub in 0..self.subs.len() {
            let nullable = [false, true].map(|free| self.passes_without_letter(self.subs[sub].start, free));
            self.subs[sub].nullable = nullable;
        }
    }

    fn passes_without_letter(&self, start: NodeId, spaces_free: bool) -> bool {
        let (mut work, mut seen) = (vec![start], BTreeSet::new());
        while let Some(node) = work.pop() {
            if !seen.insert(node) {
                continue;
            }
            for edge in self.edges_from(node) {
                let passes = match edge.label {
                    Label::Return => return true,
                    Label::Empty | Label::Mark(_) => true,
                    Label::Letter(letter) => letter == SPACE && spaces_free,
                    Label::Wild | Label::WildSpace => false,
                    Label::Call(sub) => self.sub(sub).nullable[usize::from(spaces_free)],
                };
                if passes {
                    work.push(edge.to);
                }
            }
        }
        false
    }
}
