//! A text looked up among the sentences.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use grammar::letters::Letters;
use grammar::{Parse, Walker};

use crate::Sense;
use crate::compile::{Meaning, Needed};
use crate::near;
use crate::request::{Reading, Request};

/// The confidence of a sentence that was heard with one wrong letter.
const NEAR_CONFIDENCE: f32 = 0.8;

/// How much confidence goes with the share of a text that stands in wildcards: they take anything.
const WILDCARD_DOUBT: f32 = 0.4;

/// What a request means.
#[derive(Clone, PartialEq)]
pub struct Understanding {
    /// The intent's name, such as `HassGetCurrentTime`.
    pub intent: String,
    /// The slots and what they hold. Private: it may be what was said.
    pub slots: BTreeMap<String, String>,
    /// From 0 to 1: 1 for a sentence word for word; less where one letter was wrong, or where wildcards took
    /// much of the text.
    pub confidence: f32,
}

impl fmt::Debug for Understanding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slots: Vec<&String> = self.slots.keys().collect();
        f.debug_struct("Understanding").field("intent", &self.intent).field("slots", &slots).finish_non_exhaustive()
    }
}

impl Sense {
    /// What a request means; nothing where no sentence says so. The text may be of any length and content.
    #[must_use]
    pub fn understand(&self, text: &str) -> Option<Understanding> {
        let request = Request::of(text);
        let readings = request.readings(&self.skip_words);
        let mut best: Option<(usize, Understanding)> = None;
        // Whether a text is a sentence at all is known much sooner than what it says.
        let mut walker = Walker::new(Arc::clone(self.grammar()));
        let start = walker.start();
        for reading in &readings {
            let letters = Letters::of(reading.text());
            let walked = letters.as_slice().iter().try_fold(start, |state, letter| walker.advance(state, *letter));
            if !walked.is_some_and(|state| walker.is_end(state)) {
                continue;
            }
            let Some((wildcard_letters, understood)) = self.look_up(&request, reading) else {
                continue;
            };
            if best.as_ref().is_none_or(|(fewest, _)| wildcard_letters < *fewest) {
                best = Some((wildcard_letters, understood));
            }
        }
        best.map(|(_, understood)| understood).or_else(|| self.nearly(&readings))
    }

    /// The best meaning of a reading whose context fits: the one with the fewest letters in wildcards. A reading that left
    /// words out gains nothing by it, since what a wildcard holds is what was said.
    fn look_up(&self, request: &Request<'_>, reading: &Reading) -> Option<(usize, Understanding)> {
        let parses = self.grammar().parses(reading.text());
        let meant = parses.found.iter().filter_map(|parse| {
            let meaning = self.meaning(parse)?;
            let mut slots = meaning.slots.clone();
            let mut wildcard_letters = 0;
            for slot in &parse.slots {
                let held = match &slot.value {
                    Some(value) => value.out.clone(),
                    None => {
                        let said = request.content(reading, slot.start..slot.start + slot.said.len());
                        wildcard_letters += Letters::of(&said).as_slice().len();
                        said
                    }
                };
                slots.insert(slot.name.clone(), held);
            }
            let letters = Letters::of(reading.text()).as_slice().len().max(1);
            #[expect(clippy::cast_precision_loss, reason = "a text that was parsed has 2,000 letters at most")]
            let share = wildcard_letters as f32 / letters as f32;
            let confidence = 1.0 - WILDCARD_DOUBT * share.min(1.0);
            Some((wildcard_letters, Understanding { intent: meaning.intent.clone(), slots, confidence }))
        });
        meant.min_by_key(|(wildcard_letters, _)| *wildcard_letters)
    }

    /// The meaning of a parse, where what its values bring with them is what its sentence asks for.
    fn meaning(&self, parse: &Parse) -> Option<&Meaning> {
        let meaning = self.meanings.get(parse.sentence.0 as usize)?;
        let brought: Vec<_> = parse
            .slots
            .iter()
            .filter_map(|slot| slot.value.as_ref())
            .filter_map(|value| self.contexts.get(&(value.list.clone(), value.index)))
            .collect();
        let holds = |(key, needed): &(String, Needed)| {
            brought.iter().filter_map(|context| context.get(key)).any(|values| match needed {
                Needed::OneOf(wanted) => values.iter().any(|value| wanted.contains(value)),
                Needed::Anything => true,
                Needed::FromDevice => false,
            })
        };
        (meaning.requires.iter().all(holds) && !meaning.excludes.iter().any(holds)).then_some(meaning)
    }

    /// What a request that no sentence says must have been, where only one thing can be meant.
    fn nearly(&self, readings: &[Reading]) -> Option<Understanding> {
        readings.iter().find_map(|reading| match self.meant_within(reading.text(), 1)?.as_slice() {
            [only] if self.meant_within(reading.text(), 2)?.as_slice() == [only.clone()] => Some(only.clone()),
            _ => None,
        })
    }

    /// All that the sentences within so many letters of a text mean. A sentence with slots or wildcards means more than
    /// its letters, and makes any guess unsafe: then there is no answer.
    fn meant_within(&self, text: &str, slips: u8) -> Option<Vec<Understanding>> {
        let mut meant: Vec<Understanding> = Vec::new();
        for sentence in near::misses(self.grammar(), text, slips)? {
            for parse in self.grammar().parses(&sentence).found {
                let Some(meaning) = self.meaning(&parse) else {
                    continue;
                };
                if !parse.slots.is_empty() {
                    return None;
                }
                let (intent, slots) = (meaning.intent.clone(), meaning.slots.clone());
                let found = Understanding { intent, slots, confidence: NEAR_CONFIDENCE };
                if !meant.contains(&found) {
                    meant.push(found);
                }
            }
        }
        Some(meant)
    }
}
