//! A text walked through the automaton: every reading of it, the best first.

use std::collections::HashMap;
use std::fmt;

use crate::automaton::{Grammar, Label, Mark, NodeId, SentenceId};
use crate::letters::{Letters, SPACE};
use crate::limits::{EDGES_PER_TEXT_MAX, PARSES_MAX, TEXT_LETTERS_MAX, WAYS_PER_PLACE_MAX};

/// The readings of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parses {
    /// Fewest letters in wildcards first, then the earlier sentence.
    pub found: Vec<Parse>,
    /// Whether a limit of [`crate::limits`] ended the search, so that readings may be missing.
    pub cut: bool,
}

/// One reading of a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Parse {
    /// How many letters of the text, spaces included, are in wildcards.
    pub wildcard_letters: u32,
    /// The sentence it is.
    pub sentence: SentenceId,
    /// Its slots, in the order they were said.
    pub slots: Vec<Slot>,
}

/// A slot that was filled. What was said is private, so `Debug` shows the name alone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slot {
    /// The slot's name.
    pub name: String,
    /// The words that filled it, as they stand in the text.
    pub said: String,
    /// Where in the text they begin, in bytes.
    pub start: usize,
    /// The list's value for them; nothing for a wildcard.
    pub value: Option<SlotValue>,
}

/// A value of a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SlotValue {
    /// The list's name.
    pub list: String,
    /// Which of its values, from 0.
    pub index: u32,
    /// What the slot holds then.
    pub out: String,
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Grammar {
    /// Finds the readings of a whole text. The work is bounded by [`crate::limits`], whatever the text and the grammar.
    #[must_use]
    pub fn parses(&self, text: &str) -> Parses {
        let letters = Letters::of(text);
        if letters.as_slice().len() > TEXT_LETTERS_MAX {
            return Parses { found: Vec::new(), cut: true };
        }
        let mut search = Search::new(self);
        search.begin();
        for (position, letter) in (1..).zip(letters.as_slice()) {
            search.advance(*letter, position);
        }
        search.end(u32::try_from(letters.as_slice().len()).unwrap_or(u32::MAX));
        let mut found: Vec<Parse> = search.ended.iter().filter_map(|way| search.read(*way, text, &letters)).collect();
        found.sort();
        found.dedup();
        let cut = search.cut || found.len() > PARSES_MAX;
        found.truncate(PARSES_MAX);
        Parses { found, cut }
    }
}

/// A node and the stack of places to return to; a stack is a number, 0 the empty one.
type Place = (NodeId, u32);

/// One way to a place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    wildcard_letters: u32,
    /// What was noted down, a number into `Search::notes`; 0 for nothing.
    history: u32,
}

struct Search<'g> {
    grammar: &'g Grammar,
    /// Places in the order they were reached, so that the outcome never depends on the order of a hash table.
    places: Vec<(Place, Vec<Way>)>,
    numbers: HashMap<Place, usize>,
    stacks: Chain<NodeId>,
    notes: Chain<(Mark, u32)>,
    ended: Vec<Way>,
    edges_left: u64,
    cut: bool,
}

impl<'g> Search<'g> {
    fn new(grammar: &'g Grammar) -> Self {
        Self {
            grammar,
            places: Vec::new(),
            numbers: HashMap::new(),
            stacks: Chain::default(),
            notes: Chain::default(),
            ended: Vec::new(),
            edges_left: EDGES_PER_TEXT_MAX,
            cut: false,
        }
    }

    fn begin(&mut self) {
        let start = self.grammar.sub(self.grammar.root).start;
        self.close(vec![((start, 0), Way { wildcard_letters: 0, history: 0 })], true, 0);
    }

    fn advance(&mut self, letter: char, position: u32) {
        self.numbers.clear();
        let mut reached = Vec::new();
        for ((node, stack), ways) in std::mem::take(&mut self.places) {
            for edge in self.grammar.edges_from(node) {
                let wildcard_letters = match edge.label {
                    Label::Letter(wanted) if wanted == letter => 0,
                    Label::Wild if letter != SPACE => 1,
                    Label::WildSpace if letter == SPACE => 1,
                    _ => continue,
                };
                reached.extend(ways.iter().map(|way| {
                    ((edge.to, stack), Way { wildcard_letters: way.wildcard_letters + wildcard_letters, ..*way })
                }));
            }
        }
        self.close(reached, letter == SPACE, position);
    }

    /// What a template still has in spaces is not missed at the end of a text.
    fn end(&mut self, position: u32) {
        self.numbers.clear();
        let last = std::mem::take(&mut self.places);
        let seeds =
            last.into_iter().flat_map(|(place, ways)| ways.into_iter().map(move |way| (place, way))).collect();
        self.ended.clear();
        self.close(seeds, true, position);
    }

    /// Follows what needs no letter. `self.ended` is then what has reached the end of a sentence just here.
    fn close(&mut self, seeds: Vec<(Place, Way)>, spaces_free: bool, position: u32) {
        self.ended.clear();
        let mut work = seeds;
        work.reverse();
        while let Some((place, way)) = work.pop() {
            if !self.arrive(place, way) {
                continue;
            }
            let (node, stack) = place;
            for edge in self.grammar.edges_from(node) {
                if self.edges_left == 0 {
                    self.cut = true;
                    return;
                }
                self.edges_left -= 1;
                match edge.label {
                    Label::Empty => work.push(((edge.to, stack), way)),
                    Label::Letter(SPACE) if spaces_free => work.push(((edge.to, stack), way)),
                    Label::Mark(mark) => {
                        let history = self.notes.number(way.history, (mark, position));
                        work.push(((edge.to, stack), Way { history, ..way }));
                    }
                    Label::Call(sub) => {
                        let called = self.stacks.number(stack, edge.to);
                        work.push(((self.grammar.sub(sub).start, called), way));
                    }
                    Label::Return => match self.stacks.get(stack) {
                        Some((below, back)) => work.push(((back, below), way)),
                        None => self.ended.push(way),
                    },
                    Label::Letter(_) | Label::Wild | Label::WildSpace => {}
                }
            }
        }
    }

    /// Whether this way to that place is new and among the best.
    fn arrive(&mut self, place: Place, way: Way) -> bool {
        let number = *self.numbers.entry(place).or_insert_with(|| {
            self.places.push((place, Vec::new()));
            self.places.len() - 1
        });
        let ways = &mut self.places[number].1;
        if ways.contains(&way) {
            return false;
        }
        if ways.len() < WAYS_PER_PLACE_MAX {
            ways.push(way);
            return true;
        }
        self.cut = true;
        match ways.iter_mut().max_by_key(|kept| kept.wildcard_letters) {
            Some(worst) if way.wildcard_letters < worst.wildcard_letters => {
                *worst = way;
                true
            }
            _ => false,
        }
    }

    /// Puts a reading together from what was noted down on the way.
    fn read(&self, way: Way, text: &str, letters: &Letters) -> Option<Parse> {
        let mut notes = Vec::new();
        let mut at = way.history;
        while let Some((before, note)) = self.notes.get(at) {
            notes.push(note);
            at = before;
        }
        let (mut sentence, mut slots, mut open) = (None, Vec::new(), Vec::new());
        for (mark, position) in notes.into_iter().rev() {
            let position = (position as usize).min(letters.as_slice().len());
            match mark {
                Mark::Sentence(id) => sentence = Some(SentenceId(id)),
                Mark::Open(slot) => {
                    open.push((slots.len(), position));
                    let name = self.grammar.slots.get(slot as usize)?.clone();
                    slots.push(Slot { name, said: String::new(), start: 0, value: None });
                }
                Mark::Value(value) => {
                    let (slot, _) = open.last()?;
                    slots.get_mut(*slot)?.value = Some(self.value(value)?);
                }
                Mark::Close => {
                    let (slot, start) = open.pop()?;
                    let place = letters.place(start..position);
                    let said = text.get(place.clone())?;
                    let spaces = said.len() - said.trim_start().len();
                    let slot = slots.get_mut(slot)?;
                    slot.said = said.trim().to_owned();
                    slot.start = place.start + spaces;
                }
            }
        }
        Some(Parse { wildcard_letters: way.wildcard_letters, sentence: sentence?, slots })
    }

    fn value(&self, value: u32) -> Option<SlotValue> {
        let value = self.grammar.values.get(value as usize)?;
        let list = self.grammar.lists.get(value.list as usize)?.clone();
        Some(SlotValue { list, index: value.index, out: value.out.clone() })
    }
}

/// Linked lists that share their tails: equal ones are one number, 0 is the empty one.
struct Chain<T> {
    links: Vec<(u32, T)>,
    numbers: HashMap<(u32, T), u32>,
}

impl<T> Default for Chain<T> {
    fn default() -> Self {
        Self { links: Vec::new(), numbers: HashMap::new() }
    }
}

impl<T: Copy + Eq + std::hash::Hash> Chain<T> {
    fn number(&mut self, before: u32, item: T) -> u32 {
        *self.numbers.entry((before, item)).or_insert_with(|| {
            self.links.push((before, item));
            u32::try_from(self.links.len()).unwrap_or(u32::MAX)
        })
    }

    fn get(&self, number: u32) -> Option<(u32, T)> {
        self.links.get((number as usize).checked_sub(1)?).copied()
    }
}
