//! Figures: misses, false accepts and onset errors of a word's weights.

use std::sync::Arc;

use base::SampleIndex;
use ear::features::STEP;
use ear::{EarError, Listener, Models, Trigger, WakeDetector, WordModel};

use super::examples::embed;
use crate::random::Chance;
use crate::scene::{Props, WordClip, add_at_ratio, babble, rms, to_pcm};

/// Samples of room before and behind a clip.
const BEFORE: usize = 32_000;
const BEHIND: usize = 20_000;
/// A quiet room under every clip, root mean square.
const ROOM: f32 = 8.0;
/// The noise ratio of the two loud conditions, as the field reports it.
const RATIO_DB: f32 = 10.0;
/// Voices in a babble.
const VOICES: usize = 6;
/// A wake counts for the word if it comes behind its onset and no later than this behind its end.
const LATE: usize = 16_000;

/// What a clip is heard in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// A quiet room.
    Clean,
    /// A kitchen at work, 10 dB below the word.
    Kitchen,
    /// Six other voices, together 10 dB below the word.
    Babble,
}

impl Condition {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Clean, Self::Kitchen, Self::Babble];

    /// What it is called in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Kitchen => "kitchen 10 dB",
            Self::Babble => "babble 10 dB",
        }
    }
}

/// How many clips did not wake.
#[derive(Clone, Debug, Default)]
pub struct Misses {
    /// Clips tried.
    pub clips: usize,
    /// For each threshold asked for, how many were missed.
    pub missed: Vec<usize>,
}

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

/// The smoothed scores of a recording, one per 80 ms.
fn scores(models: &Models, model: &Arc<WordModel>, pcm: &[i16]) -> Result<Vec<f32>, EarError> {
    let mut listener = Listener::new(models, Arc::clone(model))?;
    Ok(embed(models, pcm)?.1.iter().map(|embedding| listener.push(embedding)).collect())
}

/// The ends of the steps at which a threshold fires.
fn wakes(scores: &[f32], threshold: f32) -> Vec<usize> {
    let mut trigger = Trigger::new(threshold);
    let ends = scores.iter().enumerate().map(|(index, score)| ((index + 1) * STEP, *score));
    ends.filter(|(end, score)| trigger.push(*score, SampleIndex(*end as u64))).map(|(end, _)| end).collect()
}

/// Plays each clip in `condition` and counts those that do not wake.
///
/// # Errors
/// Where the models are not those `ear` knows.
pub fn misses(
    models: &Models,
    model: &Arc<WordModel>,
    clips: &[&WordClip],
    condition: Condition,
    props: &Props,
    thresholds: &[f32],
) -> Result<Misses, EarError> {
    let mut chance = Chance::new(77);
    let mut found = Misses { clips: clips.len(), missed: vec![0; thresholds.len()] };
    for clip in clips {
        let pcm = heard_in(clip, condition, props, &mut chance);
        let scores = scores(models, model, &pcm)?;
        let (onset, end) = (BEFORE + clip.bounds.start, BEFORE + clip.bounds.end);
        let good = onset..end + LATE;
        for (missed, threshold) in found.missed.iter_mut().zip(thresholds) {
            *missed += usize::from(!wakes(&scores, *threshold).iter().any(|at| good.contains(at)));
        }
    }
    Ok(found)
}

/// Counts, for each threshold, how often a recording without the word wakes.
///
/// # Errors
/// Where the models are not those `ear` knows.
pub fn false_accepts(
    models: &Models,
    model: &Arc<WordModel>,
    pcm: &[i16],
    thresholds: &[f32],
) -> Result<Vec<Vec<usize>>, EarError> {
    let scores = scores(models, model, pcm)?;
    Ok(thresholds.iter().map(|threshold| wakes(&scores, *threshold)).collect())
}

/// Lays each clip's word, cut at its onset, into room noise (or, with `after_speech`, right behind other speech), lets
/// the detector wake on it as a device would, and holds the onset it names against the truth.
///
/// # Errors
/// Where the models are not those `ear` knows.
pub fn onset_errors(
    models: &Models,
    model: &Arc<WordModel>,
    clips: &[&WordClip],
    after_speech: bool,
    props: &Props,
    chance: &mut Chance,
) -> Result<OnsetErrors, EarError> {
    let mut found = OnsetErrors::default();
    for clip in clips {
        let (pcm, onset) = splice(clip, after_speech, props, chance);
        let mut detector = WakeDetector::with_model(models, Arc::clone(model), None)?;
        let steps = pcm.chunks(STEP).map(|step| detector.push(step));
        let late = (onset + clip.bounds.len() + LATE) as u64;
        match steps.flatten().find(|wake| wake.at.0 > onset as u64 && wake.at.0 < late) {
            Some(wake) => found.errors.push(i64::try_from(wake.onset.0).unwrap_or(i64::MAX) - onset as i64),
            None => found.missed += 1,
        }
    }
    Ok(found)
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

fn heard_in(clip: &WordClip, condition: Condition, props: &Props, chance: &mut Chance) -> Vec<i16> {
    let mut sound: Vec<f32> = vec![0.0; BEFORE];
    sound.extend(clip.pcm.iter().map(|sample| f32::from(*sample)));
    sound.resize(sound.len() + BEHIND, 0.0);
    let loudness = rms(&sound[BEFORE + clip.bounds.start..BEFORE + clip.bounds.end]);
    sound.iter_mut().for_each(|value| *value += ROOM * chance.normal());
    match condition {
        Condition::Clean => {}
        Condition::Kitchen => {
            let noise = props.recorded_noise(sound.len(), chance);
            add_at_ratio(&mut sound, &noise, loudness, RATIO_DB);
        }
        Condition::Babble => {
            let noise = babble(&props.speech, sound.len(), VOICES, chance);
            add_at_ratio(&mut sound, &noise, loudness, RATIO_DB);
        }
    }
    to_pcm(&sound, 1.0)
}
