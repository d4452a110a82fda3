//! Each failure listened to again, so that a person sees why: what either stage made of it, how loud and how long the word
//! is, and what the recogniser writes of it when nobody tells it what to look for.
//!
//! What is printed of a recording is what its owner asked to see; it goes to standard output and nowhere else.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use base::{SAMPLE_RATE_HZ, SystemClock};
use learn::random::Chance;
use learn::scene::rms;
use learn::wake::parts::fold_of;
use learn::wake::scores::{Scores, Tier};
use learn::wake::{Condition, Look, Material, counts_for, heard_in, judging_chance};
use serde_json::{Value, json};
use speech::{Deadline, Recognizer, WhisperRecognizer};

use super::EvalArgs;
use crate::failure::Failure;
use crate::places::Places;
use crate::wake::thousandths;

const RATE: usize = SAMPLE_RATE_HZ as usize;
/// What the recogniser reads of a missed clip: so much before the word, as the second stage does, and behind it.
const BEFORE: usize = RATE * 2 / 5;
const BEHIND: usize = RATE / 2;
/// And of a false accept: the second and a half that the first stage sees, and a little behind where it triggered.
const SEEN: usize = RATE * 9 / 5;
const SEEN_BEHIND: usize = RATE / 4;
const RECOGNISER: &str = "whisper-tiny-en";

/// One of them.
struct Told {
    /// "missed" or "false accept".
    kind: &'static str,
    condition: Option<&'static str>,
    /// The clip, or the recording and the second.
    name: String,
    /// The first stage's highest, as a logit; the second stage's, as a log-probability.
    first: f32,
    second: Option<f32>,
    /// Of the clip as it was recorded, over the word: dB below full scale, and seconds.
    loudness_dbfs: f32,
    length_s: f64,
    text: String,
}

/// Prints a line for each miss and each false accept of both stages.
pub(super) fn run(args: &EvalArgs, scores: &Scores, places: &Places) -> Result<(), Failure> {
    let recordings = args.making.read(&args.word)?;
    let folder = places.models().join(RECOGNISER);
    let recogniser = WhisperRecognizer::load(&folder).map_err(|why| Failure::no(why.to_string()))?;
    let mut listener = Listener { recogniser, material: &recordings.material, silent: Vec::new() };
    let mut groups: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for condition in Condition::ALL {
        for word in scores.missed(Tier::Both, condition, 0.0) {
            let Some(told) = listener.missed(&word.clip, condition, word.peak, word.look)? else { continue };
            let is_read = told.text.to_lowercase().contains(&args.word);
            let why = match (word.look.is_some(), is_read) {
                (false, true) => "the first stage did not trigger, though the recogniser would have read it",
                (false, false) => "the first stage did not trigger, and the recogniser cannot read it either",
                (true, _) => "the recogniser gives it too little",
            };
            *groups.entry((condition.name(), why)).or_default() += 1;
            print(args.json, &told)?;
        }
    }
    for other in scores.accepted(Tier::Both, 0.0) {
        listener
            .accepted(&other.recording, other.at_s, other.fold, other.look)?
            .iter()
            .try_for_each(|told| print(args.json, told))?;
    }
    if !args.json {
        let lines = groups.iter().map(|((condition, why), count)| format!("{condition}: {why}: {count}"));
        crate::print_line(&format!("\n{}", lines.collect::<Vec<_>>().join("\n")))?;
    }
    match listener.silent.as_slice() {
        [] => Ok(()),
        [first, ..] => Err(Failure::usage(format!(
            "{first} and {} others are not among the recordings (clips by synthetic voices come with --voices DIR)",
            listener.silent.len() - 1
        ))),
    }
}

struct Listener<'m> {
    recogniser: WhisperRecognizer,
    material: &'m Material,
    /// What could not be listened to.
    silent: Vec<String>,
}

impl Listener<'_> {
    /// Makes what the clip was heard in anew, sample by sample, and reads it.
    fn missed(
        &mut self,
        clip: &str,
        condition: Condition,
        first: f32,
        look: Option<Look>,
    ) -> Result<Option<Told>, Failure> {
        let found = self.material.clips.iter().enumerate().find(|(_, known)| known.word.name == clip);
        let Some((index, known)) = found else {
            self.silent.push(clip.to_owned());
            return Ok(None);
        };
        let props = &self.material.judging[usize::from(known.part)];
        let mut chance: Chance = judging_chance(index);
        // One chance for all conditions, in their order: those before it are made too.
        let mut heard = Condition::ALL.into_iter().map(|one| (one, heard_in(&known.word, one, props, &mut chance)));
        let Some((_, pcm)) = heard.find(|(one, _)| *one == condition) else { return Ok(None) };
        let start = counts_for(&known.word).start;
        let bounds = known.word.bounds.clone();
        let window = start.saturating_sub(BEFORE)..start + bounds.len() + BEHIND;
        Ok(Some(Told {
            kind: "missed",
            condition: Some(condition.name()),
            name: clip.to_owned(),
            first,
            second: look.map(|look| look.words.into_iter().fold(f32::MIN, f32::max)),
            loudness_dbfs: loudness(&known.word.pcm[bounds.clone()]),
            length_s: bounds.len() as f64 / RATE as f64,
            text: self.read(&pcm, window)?,
        }))
    }

    /// Reads what woke. A recording of short clips has a stretch in each part: then all that it may be.
    fn accepted(&mut self, recording: &str, at_s: f64, fold: usize, look: Look) -> Result<Vec<Told>, Failure> {
        let at = (at_s * RATE as f64) as usize;
        let is_it = |stretch: &&learn::wake::Stretch| {
            stretch.name == recording
                && usize::from(fold_of(stretch.part)) == fold
                && (stretch.start..stretch.start + stretch.pcm.len()).contains(&at)
        };
        let mut found = Vec::new();
        for stretch in self.material.stretches.iter().filter(is_it) {
            let at = at - stretch.start;
            let window = at.saturating_sub(SEEN)..(at + SEEN_BEHIND).min(stretch.pcm.len());
            found.push(Told {
                kind: "false accept",
                condition: None,
                name: format!("{recording} at {at_s:.1} s"),
                first: look.peaks.into_iter().fold(f32::MIN, f32::max),
                second: Some(look.words.into_iter().fold(f32::MIN, f32::max)),
                loudness_dbfs: loudness(&stretch.pcm[window.clone()]),
                length_s: window.len() as f64 / RATE as f64,
                text: self.read(&stretch.pcm, window)?,
            });
        }
        if found.is_empty() {
            self.silent.push(format!("{recording} at {at_s:.1} s"));
        }
        Ok(found)
    }

    /// What the recogniser writes of a part of a sound.
    fn read(&self, pcm: &[i16], window: Range<usize>) -> Result<String, Failure> {
        let whenever = Deadline::within(Arc::new(SystemClock::new()), Duration::MAX);
        let pcm = &pcm[window.start.min(pcm.len())..window.end.min(pcm.len())];
        let heard = self.recogniser.recognize(pcm, &whenever).map_err(|why| Failure::no(why.to_string()))?;
        Ok(heard.text.expose().trim().to_owned())
    }
}

fn loudness(pcm: &[i16]) -> f32 {
    let sound: Vec<f32> = pcm.iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
    20.0 * rms(&sound).max(1e-5).log10()
}

fn print(is_json: bool, told: &Told) -> Result<(), Failure> {
    let Told { kind, condition, name, first, second, loudness_dbfs, length_s, text } = told;
    if is_json {
        let line: Value = json!({
            "kind": kind, "condition": condition, "name": name, "first_logit": thousandths(f64::from(*first)),
            "second_log_probability": second.map(|value| thousandths(f64::from(value))),
            "loudness_dbfs": thousandths(f64::from(*loudness_dbfs)), "length_s": thousandths(*length_s), "text": text,
        });
        return crate::print_line(&line.to_string());
    }
    let second = second.map_or("did not look".to_owned(), |value| format!("{value:.1}"));
    let condition = condition.map_or(String::new(), |condition| format!(", {condition}"));
    crate::print_line(&format!(
        "{kind}{condition}: {name}: first stage {first:.1} (logit), recogniser {second}; {loudness_dbfs:.0} dBFS, {length_s:.2} s; it writes “{text}”"
    ))
}
