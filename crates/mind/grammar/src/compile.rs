//! Templates to nodes and edges.

use std::collections::{BTreeMap, HashMap};

use crate::automaton::{Edge, Grammar, Label, Mark, NodeId, SentenceId, Sub, SubId, Value};
use crate::build::{GrammarBuilder, List, Range};
use crate::error::{Caller, GrammarError};
use crate::letters::{self, Letters, POINT, SPACE};
use crate::limits::{CALL_DEPTH_MAX, NODES_MAX};
use crate::numbers;
use crate::template::{Part, Template};
use crate::trie::Trie;

/// Compiles everything that the builder's sentences call, and nothing else.
pub(crate) fn compile(parts: &GrammarBuilder) -> Result<Grammar, GrammarError> {
    let mut compiler = Compiler::new(parts);
    let (start, end) = (compiler.node(), compiler.node());
    for (id, sentence) in (0..).zip(&parts.sentences) {
        let from = compiler.node();
        compiler.edge(start, Label::Mark(Mark::Sentence(id)), from);
        let caller = Caller::Sentence(SentenceId(id));
        let to = compiler.part(&sentence.root, from, &caller)?;
        compiler.edge(to, Label::Empty, end);
        compiler.check_size()?;
    }
    let root = compiler.finish_sub(start, end);
    compiler.check_size()?;
    Ok(compiler.finish(root))
}

/// A rule or list by its name: what the maps below are keyed with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Rule(String),
    List(String),
}

/// What has been compiled so far.
pub(crate) struct Compiler<'a> {
    parts: &'a GrammarBuilder,
    nodes: usize,
    edges: Vec<(NodeId, Edge)>,
    subs: Vec<Sub>,
    /// `None` while it is being compiled: a call that meets it is a cycle.
    named: BTreeMap<Name, Option<SubId>>,
    calls: usize,
    values: Vec<Value>,
    slots: Vec<String>,
    slot_numbers: HashMap<String, u32>,
    lists: Vec<String>,
}

impl<'a> Compiler<'a> {
    fn new(parts: &'a GrammarBuilder) -> Self {
        Self {
            parts,
            nodes: 0,
            edges: Vec::new(),
            subs: Vec::new(),
            named: BTreeMap::new(),
            calls: 0,
            values: Vec::new(),
            slots: Vec::new(),
            slot_numbers: HashMap::new(),
            lists: Vec::new(),
        }
    }

    /// A new node; past the limit always the last one, until somebody calls `check_size`.
    pub(crate) fn node(&mut self) -> NodeId {
        self.nodes += 1;
        u32::try_from(self.nodes.min(NODES_MAX) - 1).unwrap_or(0)
    }

    pub(crate) fn edge(&mut self, from: NodeId, label: Label, to: NodeId) {
        if self.nodes <= NODES_MAX {
            self.edges.push((from, Edge { label, to }));
        }
    }

    const fn check_size(&self) -> Result<(), GrammarError> {
        if self.nodes > NODES_MAX { Err(GrammarError::TooLarge) } else { Ok(()) }
    }

    fn finish_sub(&mut self, start: NodeId, end: NodeId) -> SubId {
        self.edge(end, Label::Return, end);
        self.subs.push(Sub { start, nullable: [false; 2] });
        u32::try_from(self.subs.len() - 1).unwrap_or(0)
    }

    /// Adds `part` after the node `from` and returns the node after it. Calls itself once a level of brackets.
    fn part(&mut self, part: &Part, from: NodeId, caller: &Caller) -> Result<NodeId, GrammarError> {
        match part {
            Part::Text(text) => Ok(self.text(text, from)),
            Part::Sequence(parts) => parts.iter().try_fold(from, |from, part| self.part(part, from, caller)),
            Part::Alternative(parts) => {
                let to = self.node();
                for part in parts {
                    let end = self.part(part, from, caller)?;
                    self.edge(end, Label::Empty, to);
                }
                Ok(to)
            }
            Part::Optional(part) => {
                let (start, to) = (self.node(), self.node());
                self.edge(from, Label::Empty, start);
                self.edge(from, Label::Empty, to);
                let end = self.part(part, start, caller)?;
                self.edge(end, Label::Empty, to);
                Ok(to)
            }
            Part::Permutation(items) => self.permutation(items, from, caller),
            Part::Rule(name) => {
                let sub = self.rule(name, caller)?;
                let to = self.node();
                self.edge(from, Label::Call(sub), to);
                Ok(to)
            }
            Part::List { list, slot } => self.slot(list, slot, from, caller),
        }
    }

    fn text(&mut self, text: &str, from: NodeId) -> NodeId {
        let mut at = from;
        letters::fold_text(text, |letter, place| {
            let to = self.node();
            self.edge(at, Label::Letter(letter), to);
            // Between the numbers of two lists: "7:30" is also written "7.30".
            if matches!(text.get(place), Some(":" | ".")) && letter == SPACE {
                self.edge(at, Label::Letter(POINT), to);
            }
            at = to;
        });
        at
    }

    /// Node `m` of `2^n` stands for the items of the set `m` having been said; each item is a sub-automaton, with a
    /// space on either side.
    fn permutation(&mut self, items: &[Part], from: NodeId, caller: &Caller) -> Result<NodeId, GrammarError> {
        let mut subs = Vec::with_capacity(items.len());
        for item in items {
            let (start, spaced) = (self.node(), self.node());
            self.edge(start, Label::Letter(SPACE), spaced);
            let said = self.part(item, spaced, caller)?;
            let end = self.node();
            self.edge(said, Label::Letter(SPACE), end);
            subs.push(self.finish_sub(start, end));
        }
        let sets: Vec<NodeId> = (0..1_usize << items.len()).map(|_| self.node()).collect();
        self.edge(from, Label::Empty, sets[0]);
        for (set, node) in sets.iter().enumerate() {
            for (item, sub) in subs.iter().enumerate().filter(|(item, _)| set & (1 << item) == 0) {
                self.edge(*node, Label::Call(*sub), sets[set | (1 << item)]);
            }
        }
        Ok(sets[sets.len() - 1])
    }

    fn slot(&mut self, list: &str, slot: &str, from: NodeId, caller: &Caller) -> Result<NodeId, GrammarError> {
        let sub = self.list(list, caller)?;
        let number = if let Some(number) = self.slot_numbers.get(slot) {
            *number
        } else {
            let number = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
            self.slots.push(slot.to_owned());
            self.slot_numbers.insert(slot.to_owned(), number);
            number
        };
        let (open, close, to) = (self.node(), self.node(), self.node());
        self.edge(from, Label::Mark(Mark::Open(number)), open);
        self.edge(open, Label::Call(sub), close);
        self.edge(close, Label::Mark(Mark::Close), to);
        Ok(to)
    }

    fn rule(&mut self, name: &str, caller: &Caller) -> Result<SubId, GrammarError> {
        let parts = self.parts;
        self.once(Name::Rule(name.to_owned()), name, |compiler| {
            let rule = parts.rules.get(name);
            let unknown = || GrammarError::UnknownRule { name: name.to_owned(), caller: caller.clone() };
            let template = rule.ok_or_else(unknown)?;
            let start = compiler.node();
            let end = compiler.part(&template.root, start, &Caller::Rule(name.to_owned()))?;
            Ok(compiler.finish_sub(start, end))
        })
    }

    fn list(&mut self, name: &str, caller: &Caller) -> Result<SubId, GrammarError> {
        let parts = self.parts;
        self.once(Name::List(name.to_owned()), name, |compiler| {
            let number = u32::try_from(compiler.lists.len()).unwrap_or(u32::MAX);
            compiler.lists.push(name.to_owned());
            let unknown = || GrammarError::UnknownList { name: name.to_owned(), caller: caller.clone() };
            match (parts.lists.get(name), Range::parse(name)) {
                (Some(List::Values(values)), _) => compiler.values(name, number, values),
                (Some(List::Range(range)), _) => compiler.range(name, number, range),
                (Some(List::Wildcard), _) => Ok(compiler.wildcard()),
                (None, Some(range)) => compiler.range(name, number, &range),
                (None, None) => Err(unknown()),
            }
        })
    }

    /// Compiles what `name` stands for at its first call, and refuses cycles and chains that are too long.
    fn once(
        &mut self,
        key: Name,
        name: &str,
        compile: impl FnOnce(&mut Self) -> Result<SubId, GrammarError>,
    ) -> Result<SubId, GrammarError> {
        match self.named.get(&key) {
            Some(Some(sub)) => return Ok(*sub),
            Some(None) => return Err(GrammarError::Cycle { name: name.to_owned() }),
            None => {}
        }
        if self.calls == CALL_DEPTH_MAX {
            return Err(GrammarError::CallsTooDeep { name: name.to_owned() });
        }
        self.calls += 1;
        self.named.insert(key.clone(), None);
        let sub = compile(self)?;
        self.check_size()?;
        self.named.insert(key, Some(sub));
        self.calls -= 1;
        Ok(sub)
    }

    fn values(&mut self, name: &str, list: u32, values: &[(Template, String)]) -> Result<SubId, GrammarError> {
        let mut trie = Trie::new(self);
        for (index, (template, out)) in (0..).zip(values) {
            let mark = self.value(list, index, out.clone());
            if let Part::Text(text) = &template.root {
                trie.add(self, &Letters::of(text), mark);
            } else {
                let end = self.part(&template.root, trie.start, &Caller::List(name.to_owned()))?;
                self.edge(end, mark, trie.end);
            }
            self.check_size()?;
        }
        Ok(self.finish_sub(trie.start, trie.end))
    }

    /// A sign, and then one of the numbers: those of either sign are a trie of their own.
    fn range(&mut self, name: &str, list: u32, range: &Range) -> Result<SubId, GrammarError> {
        range.check(name)?;
        let start = self.node();
        let mut positive = Trie::new(self);
        let mut negative = Trie::to(self, positive.end);
        for sign in ["", "+", "+ ", "plus "] {
            let signed = self.text(sign, start);
            self.edge(signed, Label::Empty, positive.start);
        }
        for sign in ["minus ", "negative "] {
            let signed = self.text(sign, start);
            self.edge(signed, Label::Empty, negative.start);
        }
        let wholes = (range.from..=range.to).step_by(usize::try_from(range.step).unwrap_or(1));
        for (index, whole) in (0..).zip(wholes) {
            if whole >= 0 {
                self.number(&mut positive, range, list, index, (whole, 1));
            }
            // "Minus zero point five" is a negative number whose whole part is zero.
            if whole <= 0 {
                self.number(&mut negative, range, list, index, (whole, -1));
            }
            self.check_size()?;
        }
        Ok(self.finish_sub(start, positive.end))
    }

    /// Adds one whole number of a range, and those with tenths after it. All ways to say the whole lead to one node, which
    /// the tenths follow.
    fn number(&mut self, trie: &mut Trie, range: &Range, list: u32, index: u32, (whole, sign): (i64, i64)) {
        let after = self.node();
        for said in numbers::whole(whole.unsigned_abs()) {
            trie.lead(self, &Letters::of(&said), after);
        }
        for tenths in [0].into_iter().chain(range.tenths.iter().copied().filter(|tenths| (1..10).contains(tenths))) {
            let number = whole * 10 + sign * i64::from(tenths);
            if !range.holds(number) {
                continue;
            }
            let mark = self.value(list, index, multiplied(number, range.multiplier));
            for said in numbers::tenths_after_whole(tenths) {
                let end = self.text(&said, after);
                self.edge(end, mark, trie.end);
            }
            if tenths == 0 {
                self.edge(after, mark, trie.end);
            } else if whole == 0 {
                numbers::tenths_alone(tenths).iter().for_each(|said| trie.add(self, &Letters::of(said), mark));
            }
        }
    }

    /// Words: it begins and ends with a letter that is no space.
    fn wildcard(&mut self) -> SubId {
        let (start, word, gap, end) = (self.node(), self.node(), self.node(), self.node());
        self.edge(start, Label::Wild, word);
        self.edge(word, Label::Wild, word);
        self.edge(word, Label::WildSpace, gap);
        self.edge(gap, Label::Wild, word);
        self.edge(word, Label::Empty, end);
        self.finish_sub(start, end)
    }

    fn value(&mut self, list: u32, index: u32, out: String) -> Label {
        self.values.push(Value { list, index, out });
        Label::Mark(Mark::Value(u32::try_from(self.values.len() - 1).unwrap_or(u32::MAX)))
    }

    fn finish(self, root: SubId) -> Grammar {
        let mut first_edge = vec![0_u32; self.nodes + 1];
        for (from, _) in &self.edges {
            first_edge[*from as usize + 1] += 1;
        }
        for node in 0..self.nodes {
            first_edge[node + 1] += first_edge[node];
        }
        let mut sorted = self.edges;
        sorted.sort_by_key(|(from, _)| *from);
        let edges = sorted.into_iter().map(|(_, edge)| edge).collect();
        let Self { subs, values, slots, lists, .. } = self;
        let mut grammar = Grammar { edges, first_edge, subs, root, values, slots, lists };
        grammar.note_nullable();
        grammar
    }
}

/// The value of a number slot, written as short as it can be: `20`, `20.5`.
fn multiplied(tenths: i64, multiplier: f64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a range reaches a million at most")]
    let number = tenths as f64 / 10.0;
    // Adding zero makes a negative zero positive.
    format!("{}", number * multiplier + 0.0)
}
