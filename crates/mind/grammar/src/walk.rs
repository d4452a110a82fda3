//! The automaton walked letter by letter, for a decoder that asks which letters may follow.
//!
//! A state is a set of places, and a place is a node with the frame it was called from. All calls of one sub-automaton at
//! one letter share a single frame, which holds the set of places to return to; so the set stays about as small as the
//! number of nodes that are alive, however many sentences call the same rule. Frames and states are hash-consed: equal
//! ones are one number, a fork is a copy of that number, and each step is computed once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use crate::automaton::{Grammar, Label, NodeId, SubId};
use crate::letters::{SPACE, fold_text};
use crate::limits::{PLACES_PER_STATE_MAX, WALKER_STATES_MAX};

/// Where a walk stands: a number that is good for the walker it came from. Copying it forks the walk.
/// Two walks in one state can go on in the same ways; which sentences they have walked may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State(u32);

/// The frame of the root: a return there is the end of a sentence.
const ROOT_FRAME: u32 = 0;

type Place = (NodeId, u32);

#[derive(Clone, PartialEq, Eq, Hash)]
struct Places {
    places: Arc<[Place]>,
    after_space: bool,
}

/// Walks a grammar and remembers every state it has met.
pub struct Walker {
    grammar: Arc<Grammar>,
    frames: Store<Arc<[Place]>>,
    states: Store<Places>,
    steps: HashMap<(State, char), Option<State>>,
    ends: HashMap<State, bool>,
}

impl Walker {
    /// A walker that has met nothing yet.
    #[must_use]
    pub fn new(grammar: Arc<Grammar>) -> Self {
        let mut frames = Store::default();
        frames.number(Arc::from([]));
        Self { grammar, frames, states: Store::default(), steps: HashMap::new(), ends: HashMap::new() }
    }

    /// Where every walk begins.
    pub fn start(&mut self) -> State {
        let start = (self.grammar.sub(self.grammar.root).start, ROOT_FRAME);
        let places = self.close(vec![start], true).unwrap_or_default();
        State(self.states.number(Places { places: places.into(), after_space: true }))
    }

    /// Goes on by one folded letter (see [`crate::letters`]); nothing where no sentence goes on so, or where a limit of
    /// [`crate::limits`] is reached. A second space is no step, and spaces may follow a whole sentence.
    pub fn advance(&mut self, state: State, letter: char) -> Option<State> {
        let Places { places, after_space } = self.states.get(state.0)?.clone();
        if letter == SPACE && after_space {
            return Some(state);
        }
        if let Some(known) = self.steps.get(&(state, letter)) {
            return *known;
        }
        let next = self.step(&places, letter);
        self.steps.insert((state, letter), next);
        next
    }

    /// Goes on by all letters of a piece of text, such as one token of a recogniser.
    pub fn advance_text(&mut self, state: State, text: &str) -> Option<State> {
        let mut at = Some(state);
        fold_text(text, |letter, _| at = at.and_then(|state| self.advance(state, letter)));
        at
    }

    /// Whether what was walked so far is a whole sentence.
    pub fn is_end(&mut self, state: State) -> bool {
        if let Some(known) = self.ends.get(&state) {
            return *known;
        }
        let Some(Places { places, .. }) = self.states.get(state.0).cloned() else {
            return false;
        };
        // What a template still has in spaces is not missed at the end of a text.
        let closed = self.close(places.to_vec(), true).unwrap_or_default();
        let end = closed.iter().any(|place| self.is_root_end(*place));
        self.ends.insert(state, end);
        end
    }

    /// The letters that lead on from here, sorted; the flag says whether, within a wildcard, every other letter does too.
    #[must_use]
    pub fn letters(&self, state: State) -> (Vec<char>, bool) {
        let (mut letters, mut any) = (Vec::new(), false);
        let places = self.states.get(state.0).map_or(&[][..], |state| &state.places);
        for edge in places.iter().flat_map(|(node, _)| self.grammar.edges_from(*node)) {
            match edge.label {
                Label::Letter(letter) => letters.push(letter),
                Label::WildSpace => letters.push(SPACE),
                Label::Wild => any = true,
                Label::Empty | Label::Call(_) | Label::Mark(_) | Label::Return => {}
            }
        }
        letters.sort_unstable();
        letters.dedup();
        (letters, any)
    }

    /// How many states are remembered; see [`WALKER_STATES_MAX`].
    #[must_use]
    pub fn states(&self) -> usize {
        self.states.items.len()
    }

    fn step(&mut self, places: &[Place], letter: char) -> Option<State> {
        let mut reached = Vec::new();
        for (node, frame) in places {
            for edge in self.grammar.edges_from(*node) {
                let goes_on = match edge.label {
                    Label::Letter(wanted) => wanted == letter,
                    Label::Wild => letter != SPACE,
                    Label::WildSpace => letter == SPACE,
                    Label::Return => letter == SPACE && *frame == ROOT_FRAME,
                    Label::Empty | Label::Call(_) | Label::Mark(_) => false,
                };
                if goes_on {
                    reached.push((edge.to, *frame));
                }
            }
        }
        let after_space = letter == SPACE;
        let places = self.close(reached, after_space)?;
        if places.is_empty() || self.states.items.len() >= WALKER_STATES_MAX {
            return None;
        }
        Some(State(self.states.number(Places { places: places.into(), after_space })))
    }

    /// Everything that can be reached from `seeds` without a letter, reduced to the places that wait for a letter or
    /// end a sentence. Nothing where there are more than the limit.
    fn close(&mut self, seeds: Vec<Place>, spaces_free: bool) -> Option<Vec<Place>> {
        let mut closing = Closing { spaces_free, ..Closing::default() };
        closing.follow(self, seeds, true)?;
        // A caller has the larger number, so each sub-automaton's callers are all known when its turn comes. What is
        // entered here returns at once only if it needs no letter, and the call itself has seen to that.
        while let Some((sub, mut returns)) = closing.calls.pop_last() {
            returns.sort_unstable();
            returns.dedup();
            let frame = self.frames.number(returns.into());
            closing.follow(self, vec![(self.grammar.sub(sub).start, frame)], false)?;
        }
        closing.waiting.sort_unstable();
        Some(closing.waiting)
    }

    fn is_root_end(&self, (node, frame): Place) -> bool {
        let returns = |label| matches!(label, Label::Return);
        frame == ROOT_FRAME && self.grammar.edges_from(node).iter().any(|edge| returns(edge.label))
    }
}

/// One computation of a closure.
#[derive(Default)]
struct Closing {
    spaces_free: bool,
    seen: HashSet<Place>,
    waiting: Vec<Place>,
    calls: BTreeMap<SubId, Vec<Place>>,
}

impl Closing {
    fn follow(&mut self, walker: &Walker, mut work: Vec<Place>, frames_are_whole: bool) -> Option<()> {
        while let Some((node, frame)) = work.pop() {
            if !self.seen.insert((node, frame)) {
                continue;
            }
            if self.seen.len() > PLACES_PER_STATE_MAX {
                return None;
            }
            let mut waits = false;
            for edge in walker.grammar.edges_from(node) {
                match edge.label {
                    Label::Empty | Label::Mark(_) => work.push((edge.to, frame)),
                    Label::Letter(SPACE) if self.spaces_free => work.push((edge.to, frame)),
                    Label::Letter(_) | Label::Wild | Label::WildSpace => waits = true,
                    Label::Call(sub) => {
                        self.calls.entry(sub).or_default().push((edge.to, frame));
                        if walker.grammar.sub(sub).nullable[usize::from(self.spaces_free)] {
                            work.push((edge.to, frame));
                        }
                    }
                    Label::Return if frame == ROOT_FRAME => waits = true,
                    Label::Return if frames_are_whole => {
                        work.extend(walker.frames.get(frame).into_iter().flat_map(|places| places.iter()));
                    }
                    Label::Return => {}
                }
            }
            if waits {
                self.waiting.push((node, frame));
            }
        }
        Some(())
    }
}

/// Equal items are one number.
struct Store<T> {
    items: Vec<T>,
    numbers: HashMap<T, u32>,
}

impl<T> Default for Store<T> {
    fn default() -> Self {
        Self { items: Vec::new(), numbers: HashMap::new() }
    }
}

impl<T: Clone + Eq + Hash> Store<T> {
    fn number(&mut self, item: T) -> u32 {
        if let Some(number) = self.numbers.get(&item) {
            return *number;
        }
        let number = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        self.items.push(item.clone());
        self.numbers.insert(item, number);
        number
    }

    fn get(&self, number: u32) -> Option<&T> {
        self.items.get(number as usize)
    }
}
