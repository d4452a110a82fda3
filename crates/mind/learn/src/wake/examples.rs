//! Scenes turned into what networks learn from: embeddings with labels, and mel frames with onsets.

use std::ops::Range;

use ear::features::{FRAMES_KEPT, STEP, frame_of_sample, sample_of_frame};
use ear::{EMBEDDING_HOP, EMBEDDING_WINDOW, Embedding, MEL_HOP, MEL_WINDOW, MelFrame, Models, SILENT_FRAME};

use super::evaluate::splice;
use super::parts::Parts;
use crate::random::Chance;
use crate::scene::{Props, Scene, WordClip};

/// Embeddings that a head looks at: 0.72 s and the first one's own 0.76 s.
pub(super) const HEAD_FRAMES: usize = 10;
/// A step that ends this far behind the word's end, in samples, must say "now" ...
const NOW: Range<i64> = -480..5_400;
/// ... and none does that ends this far behind it, or before this part of the word was said.
const PAST: i64 = 17_600;
const HALFWAY: f64 = 0.4;
/// From where a word was cut off, nothing may wake: in samples before the cut.
const BROKEN: i64 = 1_600;
/// When the locator is asked, in samples behind the word's end: a first stage with a low threshold fires before it.
const ASKED: Range<f32> = -2_400.0..7_000.0;
/// How often a splice has other speech right up to the word: the harder half.
const AFTER_SPEECH: f32 = 0.7;
/// Samples that go through the models at once: half a minute.
const PIECE: usize = 30 * 16_000;

/// What one head or locator is trained on.
#[derive(Clone, Debug, Default)]
pub struct Examples {
    /// All sequences one after another.
    pub embeddings: Vec<Embedding>,
    /// Where each stretch of the material lies among them.
    pub stretches: Vec<Range<usize>>,
    /// The last of [`HEAD_FRAMES`] embeddings that end with the word, and the parts they are made of.
    pub positives: Vec<(u32, Parts)>,
    /// The same where the word was not said.
    pub negatives: Vec<(u32, Parts)>,
    /// What the locator sees when it is asked, the true age of the onset in frames, and the parts.
    pub onsets: Vec<(Vec<MelFrame>, f32, Parts)>,
}

/// All mel frames and embeddings of a recording, as the streaming front end would give them.
#[must_use]
pub fn embed(models: &Models, pcm: &[i16]) -> (Vec<MelFrame>, Vec<Embedding>) {
    let whole = pcm.len() / STEP * STEP;
    let mut samples = vec![0.0; MEL_WINDOW - MEL_HOP];
    samples.extend(pcm[..whole].iter().map(|sample| f32::from(*sample)));
    let mut frames = vec![SILENT_FRAME; EMBEDDING_WINDOW - EMBEDDING_HOP];
    let mut start = 0;
    while start + MEL_WINDOW <= samples.len() {
        let end = (start + PIECE + MEL_WINDOW - MEL_HOP).min(samples.len());
        frames.extend(models.mel_frames(&samples[start..end]));
        start += PIECE;
    }
    let mut embeddings = Vec::with_capacity(whole / STEP);
    let mut start = 0;
    while start + EMBEDDING_WINDOW <= frames.len() {
        let end = (start + PIECE / MEL_HOP + EMBEDDING_WINDOW - EMBEDDING_HOP).min(frames.len());
        embeddings.extend(models.embeddings(&frames[start..end]));
        start += PIECE / MEL_HOP;
    }
    (frames.split_off(EMBEDDING_WINDOW - EMBEDDING_HOP), embeddings)
}

impl Examples {
    /// Adds a scene with the word, made of `parts`.
    pub fn add_scene(&mut self, models: &Models, scene: &Scene, parts: Parts, chance: &mut Chance) {
        let (frames, embeddings) = embed(models, &scene.pcm);
        let (onset, end) = (signed(scene.word.start), signed(scene.word.end));
        for (index, place) in self.places(embeddings.len()) {
            let at = signed((index + 1) * STEP);
            let halfway = onset + ((end - onset) as f64 * HALFWAY) as i64;
            if scene.is_broken {
                if at > end - BROKEN && at < end + PAST {
                    self.negatives.push((place, parts));
                }
            } else if NOW.contains(&(at - end)) {
                self.positives.push((place, parts));
            } else if at < halfway || at > end + PAST {
                self.negatives.push((place, parts));
            }
        }
        self.embeddings.extend(embeddings);
        if !scene.is_broken {
            self.add_onset(&frames, &scene.word, parts, chance);
        }
    }

    /// Adds, for the locator alone, a clip's word that begins all at once, in noise or right behind other speech: what
    /// comes before it is the locator's hardest question, and rooms blur it away in most scenes.
    pub fn add_splice(&mut self, models: &Models, props: &Props, clip: &WordClip, parts: Parts, chance: &mut Chance) {
        let after_speech = chance.happens(AFTER_SPEECH);
        let (pcm, onset) = splice(clip, after_speech, props, chance);
        let mut samples = vec![0.0; MEL_WINDOW - MEL_HOP];
        samples.extend(pcm.iter().map(|sample| f32::from(*sample)));
        let frames = models.mel_frames(&samples);
        self.add_onset(&frames, &(onset..onset + clip.bounds.len()), parts, chance);
    }

    /// Adds the embeddings of a recording without the word, made of `parts`.
    pub fn add_negative(&mut self, embeddings: &[Embedding], parts: Parts) {
        let places: Vec<_> = self.places(embeddings.len()).map(|(_, place)| (place, parts)).collect();
        self.negatives.extend(places);
        self.embeddings.extend(embeddings);
    }

    /// Of a sequence of `len` embeddings about to be added: the index in it, and the place among all, of each that has
    /// enough before it.
    fn places(&self, len: usize) -> impl Iterator<Item = (usize, u32)> + use<> {
        let start = self.embeddings.len();
        (HEAD_FRAMES - 1..len).map(move |index| (index, u32::try_from(start + index).unwrap_or(u32::MAX)))
    }

    /// The two seconds before a chance moment behind the word's end.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a scene has 100,000 samples")]
    fn add_onset(&mut self, frames: &[MelFrame], word: &Range<usize>, parts: Parts, chance: &mut Chance) {
        let asked = signed(word.end) + chance.between(ASKED.start, ASKED.end) as i64;
        let steps = usize::try_from(asked).unwrap_or(0) / STEP;
        let end = (steps * EMBEDDING_HOP).min(frames.len());
        let Some(start) = end.checked_sub(FRAMES_KEPT) else { return };
        let newest = frame_of_sample(sample_of_frame(end as u64 - 1));
        let age = (sample_of_frame(newest).0 as f32 - word.start as f32) / MEL_HOP as f32;
        self.onsets.push((frames[start..end].to_vec(), age, parts));
    }
}

fn signed(samples: usize) -> i64 {
    i64::try_from(samples).unwrap_or(i64::MAX)
}
