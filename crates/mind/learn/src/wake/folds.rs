//! One fold: which thresholds belong to its weights, and what they hear of what they never met.

use std::sync::Arc;

use ear::{Models, WordModel, logit};

use super::calibrate::{Fit, TRIGGERS_PER_HOUR};
use super::examples::{Examples, embed};
use super::judge::{Condition, counts_for, heard_in};
use super::looks::{Look, Spotter, asked, looks, scores};
use super::material::{Material, Stretch};
use super::parts::Parts;
use crate::random::Chance;

/// False accepts an hour that the light tier's threshold is set for.
pub const LIGHT_ACCEPTS_PER_HOUR: f64 = 0.5;
/// First-stage thresholds that are tried.
const THRESHOLDS: [f32; 23] = [
    0.02, 0.03, 0.04, 0.06, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.94,
    0.97, 0.98, 0.99,
];
/// What the words are heard in that the second stage's values are fitted on.
const INNER: [Condition; 3] = [Condition::Clean, Condition::Kitchen(10), Condition::Babble(10)];
/// Samples of an hour.
const HOUR: f64 = 3_600.0 * 16_000.0;

/// What a clip of the word made of the two stages.
#[derive(Clone, Debug, PartialEq)]
pub struct WordRow {
    /// The clip's place among the material's.
    pub clip: usize,
    /// What it was heard in.
    pub condition: Condition,
    /// The logit of the first stage's highest score within the word's time.
    pub peak: f32,
    /// The looks at triggers within the word's time.
    pub looks: Vec<Look>,
}

/// A trigger on speech without the word.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherRow {
    /// The stretch's place among the material's.
    pub stretch: usize,
    /// What the stages made of it.
    pub look: Look,
}

/// What a fold's weights made of the fold.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The fold.
    pub fold: u8,
    /// The first stage's threshold where the second follows.
    pub trigger: f32,
    /// The first stage's threshold where it stands alone.
    pub light: f32,
    /// How the second stage decides.
    pub fit: Fit,
    /// Hours of speech without the word.
    pub hours: f64,
    /// For each clip and condition.
    pub words: Vec<WordRow>,
    /// Each trigger in those hours.
    pub others: Vec<OtherRow>,
}

/// What a fold is judged with.
pub struct Bench<'b> {
    /// The front end.
    pub models: &'b Models,
    /// All recordings.
    pub material: &'b Material,
    /// Their embeddings.
    pub examples: &'b Examples,
}

impl Bench<'_> {
    /// Sets the thresholds of `model` on what is inner to `fold`, the second stage's with the `caution` of [`Fit::new`], then
    /// judges it by the fold.
    pub fn judge(&self, fold: u8, model: &Arc<WordModel>, caution: f64, spotter: &mut Spotter<'_>) -> Judged {
        let inner = Parts::inner(fold);
        let judging = Parts::judging(fold);
        // What only judges was met by no weights: outside of the fold it may set thresholds.
        let is_inner = |stretch: &Stretch| {
            let part = Parts::of(stretch.part);
            if stretch.trains { part.meets(inner) } else { !part.meets(judging) }
        };
        let heard = self.hear(model, &is_inner);
        let hours = self.hours(&heard);
        let trigger = lowest_threshold(model, &heard, TRIGGERS_PER_HOUR * hours);
        let light = lowest_threshold(model, &heard, LIGHT_ACCEPTS_PER_HOUR * hours);
        let others = self.look_at_others(model, &heard, trigger, spotter);
        let words = self.look_at_words(model, (inner, &INNER), trigger, spotter);
        let fit = Fit::new(
            &words.into_iter().map(|row| row.looks).collect::<Vec<_>>(),
            &others.iter().map(|row| row.look).collect::<Vec<_>>(),
            hours,
            caution,
        );
        drop(heard);
        let heard = self.hear(model, &|stretch| Parts::of(stretch.part).meets(judging));
        Judged {
            fold,
            trigger,
            light,
            fit,
            hours: self.hours(&heard),
            words: self.look_at_words(model, (judging, &Condition::ALL), trigger, spotter),
            others: self.look_at_others(model, &heard, trigger, spotter),
        }
    }

    /// The first stage's two thresholds for weights that were trained on everything, from what only judges.
    #[must_use]
    pub fn thresholds(&self, model: &Arc<WordModel>) -> (f32, f32) {
        let heard = self.hear(model, &|stretch| !stretch.trains);
        let hours = self.hours(&heard);
        let lowest = |per_hour: f64| lowest_threshold(model, &heard, per_hour * hours);
        (lowest(TRIGGERS_PER_HOUR), lowest(LIGHT_ACCEPTS_PER_HOUR))
    }

    /// The first stage's scores of the stretches that are wanted.
    fn hear(&self, model: &Arc<WordModel>, is_wanted: &dyn Fn(&Stretch) -> bool) -> Vec<(usize, Vec<f32>)> {
        let wanted = self.material.stretches.iter().enumerate().filter(|(_, stretch)| is_wanted(stretch));
        wanted
            .map(|(index, _)| {
                let embeddings = &self.examples.embeddings[self.examples.stretches[index].clone()];
                (index, scores(self.models, model, embeddings))
            })
            .collect()
    }

    #[expect(clippy::cast_precision_loss, reason = "hours of samples")]
    fn hours(&self, heard: &[(usize, Vec<f32>)]) -> f64 {
        heard.iter().map(|(index, _)| self.material.stretches[*index].pcm.len() as f64).sum::<f64>() / HOUR
    }

    fn look_at_others(
        &self,
        model: &Arc<WordModel>,
        heard: &[(usize, Vec<f32>)],
        trigger: f32,
        spotter: &mut Spotter<'_>,
    ) -> Vec<OtherRow> {
        let mut rows = Vec::new();
        for (index, scores) in heard {
            let pcm = &self.material.stretches[*index].pcm;
            let found = looks(self.models, model, (pcm, scores), trigger, spotter);
            rows.extend(found.into_iter().map(|look| OtherRow { stretch: *index, look }));
        }
        rows
    }

    fn look_at_words(
        &self,
        model: &Arc<WordModel>,
        (parts, conditions): (Parts, &[Condition]),
        trigger: f32,
        spotter: &mut Spotter<'_>,
    ) -> Vec<WordRow> {
        let mut rows = Vec::new();
        for (index, clip) in self.material.clips_of(parts) {
            let props = &self.material.judging[usize::from(clip.part)];
            // Of its own seed, so that every clip is heard in the same noise whatever else is judged.
            let mut chance = judging_chance(index);
            for condition in conditions.iter().copied() {
                let pcm = heard_in(&clip.word, condition, props, &mut chance);
                let scores = scores(self.models, model, &embed(self.models, &pcm).1);
                let counts = counts_for(&clip.word);
                let ends = (1..).map(|step| step * ear::features::STEP);
                let own = scores.iter().zip(ends).filter(|(_, end)| counts.contains(end));
                let peak = own.map(|(score, _)| *score).fold(0.0, f32::max);
                let mut looks = looks(self.models, model, (&pcm, &scores), trigger, spotter);
                looks.retain(|look| counts.contains(&look.at));
                rows.push(WordRow { clip: index, condition, peak: logit(peak), looks });
            }
        }
        rows
    }
}

/// The chance by which a clip's place among the material's is heard in its conditions, one after the other.
#[must_use]
pub fn judging_chance(clip: usize) -> Chance {
    Chance::new(77_000 + clip as u64)
}

/// The lowest threshold that triggers at most so often.
#[expect(clippy::cast_precision_loss, reason = "a few hundred")]
fn lowest_threshold(model: &WordModel, heard: &[(usize, Vec<f32>)], allowed: f64) -> f32 {
    let rises =
        |scores: &[f32], threshold| asked(model, scores, threshold).iter().filter(|(_, is_first)| *is_first).count();
    let count = |threshold: f32| heard.iter().map(|(_, scores)| rises(scores, threshold)).sum::<usize>();
    let found = THRESHOLDS.into_iter().find(|threshold| count(*threshold) as f64 <= allowed);
    found.unwrap_or(THRESHOLDS[THRESHOLDS.len() - 1])
}
