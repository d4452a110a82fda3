//! What both stages make of a sound: the first stage's scores, and for each trigger what the recogniser gives the word,
//! at once and again a little later. Thresholds and weights are applied to these afterwards, so that each can be
//! tried without listening again.

use std::sync::Arc;

use base::SampleIndex;
use ear::features::{FRAMES_KEPT, STEP};
use ear::onset::Locator;
use ear::{
    Decision, Embedding, Judge, Listener, MEL_HOP, MEL_WINDOW, Models, Tuning, Verify, WordModel, logit, look_from,
};

/// Looks at one rise of the first stage's score.
pub const LOOKS: usize = 2;
/// Steps of 80 ms within a second.
const STEPS_PER_SECOND: usize = 13;
/// Steps that the judge waits for a score to rise no more, at most.
const RISE_STEPS: usize = 2;
/// What the recogniser gives a word that it did not hear at all.
const NEVER: f32 = -20.0;

/// The recogniser: the log-probability of the word in a window of sound.
pub type Spotter<'s> = dyn FnMut(&[i16]) -> f32 + 's;

/// One rise of the first stage's score above its trigger.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Look {
    /// The end of the step of the first look, in samples.
    pub at: usize,
    /// The logit of the highest score within a second.
    pub top: f32,
    /// For each look, the logit of the highest score until then ...
    pub peaks: [f32; LOOKS],
    /// ... and what the recogniser gives the word.
    pub words: [f32; LOOKS],
}

impl Look {
    /// The highest sum of `logit_weight` times the peak and the recogniser's value, over the looks.
    #[must_use]
    pub fn fused(&self, logit_weight: f32) -> f32 {
        let sums = self.peaks.iter().zip(&self.words).map(|(peak, word)| logit_weight * peak + word);
        sums.fold(f32::MIN, f32::max)
    }
}

/// The smoothed scores of the first stage, one per embedding.
pub(super) fn scores(models: &Models, model: &Arc<WordModel>, embeddings: &[Embedding]) -> Vec<f32> {
    let mut listener = Listener::new(models, Arc::clone(model));
    embeddings.iter().map(|embedding| listener.push(embedding)).collect()
}

/// Looks at all that `ear`'s judge would look at if no look ever satisfied it: with the triggers of its own code, but
/// without a word that ends a candidate.
pub fn looks(
    models: &Models,
    model: &Arc<WordModel>,
    (pcm, scores): (&[i16], &[f32]),
    trigger: f32,
    spotter: &mut Spotter<'_>,
) -> Vec<Look> {
    let mut found: Vec<Look> = Vec::new();
    let mut onset = SampleIndex(0);
    let mut peak = 0.0_f32;
    for (step, is_first) in asked(model, scores, trigger) {
        let end = ((step + 1) * STEP).min(pcm.len());
        let at = SampleIndex(end as u64);
        if is_first {
            onset = locate(models, model, &pcm[..end]);
            let second = &scores[step..(step + STEPS_PER_SECOND).min(scores.len())];
            let top = logit(second.iter().copied().fold(0.0, f32::max));
            found.push(Look { at: end, top, words: [NEVER; LOOKS], ..Look::default() });
            peak = 0.0;
        }
        // The judge's own peak: it looks no later than this after the rise began.
        peak = scores[step.saturating_sub(RISE_STEPS)..=step].iter().copied().fold(peak, f32::max);
        let start = usize::try_from(look_from(onset, at).0).unwrap_or(0);
        let Some(look) = found.last_mut() else { continue };
        let index = usize::from(!is_first);
        look.peaks[index] = logit(peak);
        look.words[index] = spotter(&pcm[start..end]);
        if is_first {
            (look.peaks[1], look.words[1]) = (look.peaks[0], look.words[0]);
        }
    }
    found
}

/// The steps after which the judge looks, and whether each is a rise's first look.
#[must_use]
pub(super) fn asked(model: &WordModel, scores: &[f32], trigger: f32) -> Vec<(usize, bool)> {
    // Nothing is enough, and nothing too little.
    let verify = Verify {
        trigger,
        bias: -100.0,
        accept_at_once: 1.0,
        refuse_at_once: 0.0,
        accept: 1.0,
        ..model.verify.clone()
    };
    let model = WordModel { verify, heads: Vec::new(), ..model.clone() };
    let mut judge = Judge::new(&model, Tuning::default(), true);
    let mut asked = Vec::new();
    for (step, score) in scores.iter().enumerate() {
        if let Decision::Look { is_first } = judge.step(*score, SampleIndex(((step + 1) * STEP) as u64)) {
            asked.push((step, is_first));
            judge.answer(Some(NEVER));
        }
    }
    asked
}

/// Where the word began, told at the end of `pcm`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an age has three digits")]
fn locate(models: &Models, model: &Arc<WordModel>, pcm: &[i16]) -> SampleIndex {
    let wanted = FRAMES_KEPT * MEL_HOP + MEL_WINDOW - MEL_HOP;
    let mut samples = vec![0.0; wanted.saturating_sub(pcm.len())];
    samples.extend(pcm[pcm.len().saturating_sub(wanted)..].iter().map(|sample| f32::from(*sample)));
    let frames = models.mel_frames(&samples);
    let age = Locator::new(&model.onset).locate(&model.onset, &frames);
    SampleIndex(pcm.len().saturating_sub((age * MEL_HOP as f32) as usize) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wake::Fit;

    fn model() -> WordModel {
        let verify = Fit { logit_weight: 0.3, threshold: -5.0 }.verify(vec!["Word".into()], 0.5);
        let onset = ear::net::Net { layers: Vec::new() };
        WordModel { name: "word".into(), threshold: 0.9, verify, heads: Vec::new(), onset }
    }

    #[test]
    fn a_rise_is_looked_at_twice_whatever_the_answer() {
        let mut scores = vec![0.01; 40];
        scores[10..14].copy_from_slice(&[0.3, 0.7, 0.7, 0.6]);
        let asked = asked(&model(), &scores, 0.2);
        assert_eq!(asked.iter().map(|(_, is_first)| *is_first).collect::<Vec<_>>(), [true, false]);
        assert!((10..=12).contains(&asked[0].0) && asked[1].0 == asked[0].0 + 3, "{asked:?}");
        assert_eq!(super::asked(&model(), &scores, 0.8), []);
        assert_eq!(super::asked(&model(), &[f32::NAN; 20], 0.2), []);
    }
}
