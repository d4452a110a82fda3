//! Where a word began, held against the truth.

use std::sync::Arc;

use ear::features::STEP;
use ear::{Models, WakeDetector, WordModel};

use super::judge::LATE;
use crate::random::Chance;
use crate::scene::{Props, WordClip, add_at_ratio, rms, to_pcm};

/// Samples of room behind a word.
const BEHIND: usize = 20_000;

/// How far the onset was off, in samples: one entry a word that woke; positive is late.
#[derive(Clone, Debug, Default)]
pub struct OnsetErrors {
    /// Signed errors.
    pub errors: Vec<i64>,
    /// Words that did not wake and have no onset.
    pub missed: usize,
}

impl OnsetErrors {
    /// The absolute error in milliseconds that `part` of the words stay within.
    #[must_use]
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
    pub fn quantile_ms(&self, part: f64) -> f64 {
        let mut sizes: Vec<u64> = self.errors.iter().map(|error| error.unsigned_abs()).collect();
        sizes.sort_unstable();
        let index = (sizes.len() as f64 * part).ceil() as usize;
        sizes.get(index.saturating_sub(1)).map_or(f64::NAN, |samples| *samples as f64 / 16.0)
    }
}

/// Lays each clip's word, cut at its onset, into room noise (or, with `after_speech`, right behind other speech), lets
/// the detector wake on it as a device would, and holds the onset it names against the truth.
#[must_use]
pub fn onset_errors(
    models: &Models,
    model: &Arc<WordModel>,
    clips: &[&WordClip],
    after_speech: bool,
    props: &Props,
    chance: &mut Chance,
) -> OnsetErrors {
    let mut found = OnsetErrors::default();
    for clip in clips {
        let (pcm, onset) = splice(clip, after_speech, props, chance);
        let mut detector = WakeDetector::with_model(models, Arc::clone(model), None);
        let steps = pcm.chunks(STEP).map(|step| detector.push(step));
        let late = (onset + clip.bounds.len() + LATE) as u64;
        match steps.flatten().find(|wake| wake.at.0 > onset as u64 && wake.at.0 < late) {
            Some(wake) => found.errors.push(i64::try_from(wake.onset.0).unwrap_or(i64::MAX) - onset as i64),
            None => found.missed += 1,
        }
    }
    found
}

/// A word in room noise, its first sample known: 2.5 s of room, or of speech that runs up to it.
#[must_use]
pub fn splice(clip: &WordClip, after_speech: bool, props: &Props, chance: &mut Chance) -> (Vec<i16>, usize) {
    let onset = 40_000 + chance.index(STEP);
    let word: Vec<f32> = clip.pcm[clip.bounds.clone()].iter().map(|sample| f32::from(*sample)).collect();
    let loudness = rms(&word);
    let mut sound = vec![0.0; onset + word.len() + BEHIND];
    if after_speech {
        props.lay_before(&mut sound, onset - chance.index(800), loudness, chance);
    }
    sound[onset..].iter_mut().zip(&word).for_each(|(sum, value)| *sum += value);
    let noise = props.recorded_noise(sound.len(), chance);
    add_at_ratio(&mut sound, &noise, loudness, chance.between(15.0, 30.0));
    (to_pcm(&sound, 1.0), onset)
}
