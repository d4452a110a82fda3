//! The whole way from recordings to a word's weights, with nothing left to choice outside of [`Recipe`].

use ear::head::Head;
use ear::net::Net;
use ear::{EarError, Embedding, Models};

use super::examples::{Examples, embed};
use super::heads::{HeadSettings, train_head};
use super::material::Material;
use super::onsets::{OnsetSettings, train_onset};
use super::parts::{PARTS, Parts};
use super::sentences::SENTENCES;
use crate::bounds::word_bounds;
use crate::random::Chance;
use crate::scene::{Props, Surroundings, WordClip};
use crate::voices::{Voice, VoiceError};

/// A long recording is moved elsewhere piece by piece: 20 s.
const PIECE: usize = 20 * 16_000;
/// Between two recordings that only train: a quarter of a second.
const PAUSE: usize = 4_000;
/// Scenes of all clips that judge, at most.
const SCENES_MAX: usize = 6_000;
/// Seconds of each kind of no speech.
const STILL_SECONDS: usize = 20;

/// Every number that decides the outcome.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    /// Where all chance begins.
    pub seed: u64,
    /// Scenes around each clip that judges, where there are not too many; see [`Recipe::scenes_each`].
    pub scenes_per_clip: usize,
    /// Splices of each clip that judges, for the locator alone.
    pub splices_per_clip: usize,
    /// Scenes around each clip of the company.
    pub scenes_per_company: usize,
    /// Scenes around each of the user's own recordings.
    pub scenes_per_own: usize,
    /// Synthetic voices that say the word, and scenes around each.
    pub voices: usize,
    /// See `voices`.
    pub scenes_per_voice: usize,
    /// Synthetic voices that say all else.
    pub other_voices: usize,
    /// What is under scenes and under long recordings that are heard elsewhere.
    pub surroundings: Surroundings,
    /// How often each long recording is heard elsewhere, besides once as it is.
    pub elsewhere: usize,
    /// How often a scene's word is cut off, so that nothing may wake.
    pub broken: f32,
    /// Heads whose scores are averaged.
    pub heads: usize,
    /// How each is trained.
    pub head: HeadSettings,
    /// How the locator is trained.
    pub onset: OnsetSettings,
    /// How many standard errors of what other speech reaches the second stage's threshold is set higher: see
    /// [`super::threshold_at`].
    pub caution: f64,
    /// Steps of the locators that are only judged: fewer, so that their figures are a little too bad.
    pub judged_onset_steps: usize,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            seed: 10,
            scenes_per_clip: 20,
            splices_per_clip: 12,
            scenes_per_company: 5,
            scenes_per_own: 60,
            voices: 200,
            scenes_per_voice: 2,
            other_voices: 100,
            surroundings: Surroundings::HOME,
            elsewhere: 2,
            broken: 0.06,
            heads: 3,
            head: HeadSettings::default(),
            onset: OnsetSettings::default(),
            caution: 0.0,
            judged_onset_steps: 1_200,
        }
    }
}

impl Recipe {
    /// For a word that is missed where many talk: more scenes, more of them under other voices, and more heads that learn
    /// for longer. What it gains there, the first stage alone may lose elsewhere, and more of what is no word comes close
    /// to it: hence the caution (docs/WAKE_WORDS.md).
    #[must_use]
    pub fn crowd() -> Self {
        let plain = Self::default();
        Self {
            scenes_per_clip: 48,
            scenes_per_company: 8,
            surroundings: Surroundings::CROWD,
            heads: 4,
            caution: 1.0,
            head: HeadSettings { steps: 3_000, ..plain.head },
            ..plain
        }
    }

    /// Scenes around each of so many clips that judge: no more than are learned from in all.
    #[must_use]
    pub fn scenes_each(&self, clips: usize) -> usize {
        self.scenes_per_clip.min(SCENES_MAX / clips.max(1)).max(1)
    }
}

/// What stops a training.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// The models in front of the heads.
    #[error(transparent)]
    Ear(#[from] EarError),
    /// A synthetic voice.
    #[error(transparent)]
    Voice(#[from] VoiceError),
    /// There is too little to learn from.
    #[error("nothing to train on: {0}")]
    Empty(&'static str),
}

/// Makes the examples: the long part, done once.
///
/// # Errors
/// Any [`TrainError`].
pub fn prepare(
    models: &Models,
    word: &str,
    material: &Material,
    neighbours: &[String],
    recipe: &Recipe,
    memory: &mut dyn Memory,
    tell: &mut dyn FnMut(String),
) -> Result<Examples, TrainError> {
    if material.clips.is_empty() || material.stretches.is_empty() || !material.is_furnished() {
        return Err(TrainError::Empty("no clips of the word, or no speech without it"));
    }
    let mut chance = Chance::new(recipe.seed);
    let mut examples = Examples::default();
    let voices = synthetic_clips(word, recipe.voices, &mut chance)?;
    let others = other_speech(neighbours, recipe, &mut chance)?;
    let mut add = |clip: &WordClip, own: Parts, (scenes, splices): (usize, usize)| {
        for _ in 0..scenes {
            let (props, part) = furniture(material, &mut chance);
            let scene = props.scene(clip, recipe.broken, recipe.surroundings, &mut chance);
            examples.add_scene(models, &scene, own.and(part), &mut chance);
        }
        for _ in 0..splices {
            let (props, part) = furniture(material, &mut chance);
            examples.add_splice(models, props, clip, own.and(part), &mut chance);
        }
    };
    let scenes = recipe.scenes_each(material.clips.len());
    for clip in &material.clips {
        add(&clip.word, Parts::of(clip.part), (scenes, recipe.splices_per_clip.min(scenes)));
    }
    tell(format!("{} clips that judge, {scenes} scenes each", material.clips.len()));
    let rest = [
        (&material.company, recipe.scenes_per_company),
        (&voices, recipe.scenes_per_voice),
        (&material.own, recipe.scenes_per_own),
    ];
    for (clips, scenes) in rest {
        clips.iter().for_each(|clip| add(clip, Parts::NONE, (scenes, scenes)));
    }
    let (company, own) = (material.company.len() + voices.len(), material.own.len());
    tell(format!("{company} synthetic clips and {own} of your own that only train"));
    add_negatives(models, material, &others, recipe, memory, (&mut examples, &mut chance));
    tell(format!("{} steps with the word, {} without", examples.positives.len(), examples.negatives.len()));
    Ok(examples)
}

/// Embeddings of long sounds, mostly the same for every word: kept from one training to the next, if at all.
pub trait Memory {
    /// What was kept under `key`.
    fn recall(&mut self, key: &str) -> Option<Vec<Embedding>>;
    /// Keeps it.
    fn keep(&mut self, key: &str, embeddings: &[Embedding]);
}

/// All speech without the word, as it is and moved elsewhere; noise; and what is no sound at all.
fn add_negatives(
    models: &Models,
    material: &Material,
    others: &[i16],
    recipe: &Recipe,
    memory: &mut dyn Memory,
    (examples, chance): (&mut Examples, &mut Chance),
) {
    for stretch in &material.stretches {
        let (parts, props) = (Parts::of(stretch.part), &material.props[usize::from(stretch.part)]);
        let start = examples.embeddings.len();
        let embeddings = listen(models, memory, &stretch.pcm);
        if stretch.trains {
            examples.add_negative(&embeddings, parts);
        } else {
            examples.embeddings.extend(embeddings);
        }
        examples.stretches.push(start..examples.embeddings.len());
        for piece in stretch.pcm.chunks(PIECE).filter(|_| stretch.trains) {
            add_elsewhere(models, piece, recipe, memory, examples, &|_| (props, parts));
        }
    }
    for piece in joined(&material.other_speech) {
        examples.add_negative(&listen(models, memory, &piece), Parts::NONE);
        add_elsewhere(models, &piece, recipe, memory, examples, &|chance| furniture(material, chance));
    }
    for piece in others.chunks(PIECE) {
        examples.add_negative(&embed(models, piece).1, Parts::NONE);
        for _ in 0..recipe.elsewhere {
            let (props, part) = furniture(material, chance);
            examples.add_negative(&embed(models, &props.elsewhere(piece, recipe.surroundings, chance)).1, part);
        }
    }
    for (part, props) in (0..PARTS).zip(&material.props) {
        for noise in &props.noises {
            examples.add_negative(&embed(models, noise).1, Parts::of(part));
        }
    }
    for still in stillness(chance) {
        examples.add_negative(&embed(models, &still).1, Parts::NONE);
    }
}

/// Speech moved elsewhere, as often as the recipe says, by the chance of a seed of its own.
fn add_elsewhere<'m>(
    models: &Models,
    speech: &[i16],
    recipe: &Recipe,
    memory: &mut dyn Memory,
    examples: &mut Examples,
    furniture: &dyn Fn(&mut Chance) -> (&'m Props, Parts),
) {
    let sum = checksum(speech);
    for copy in 0..recipe.elsewhere as u64 {
        let mut chance = Chance::new(recipe.seed.wrapping_mul(1_000).wrapping_add(copy) ^ sum);
        let (props, parts) = furniture(&mut chance);
        let moved = props.elsewhere(speech, recipe.surroundings, &mut chance);
        examples.add_negative(&listen(models, memory, &moved), parts);
    }
}

/// Recordings one behind the other, with pauses between, in pieces of [`PIECE`] or a little more.
fn joined(recordings: &[Vec<i16>]) -> Vec<Vec<i16>> {
    let (mut pieces, mut piece) = (Vec::new(), Vec::new());
    for part in recordings.iter().flat_map(|recording| recording.chunks(PIECE)) {
        piece.extend_from_slice(part);
        piece.resize(piece.len() + PAUSE, 0);
        if piece.len() >= PIECE {
            pieces.push(std::mem::take(&mut piece));
        }
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

/// The embeddings of a sound, from memory where they are there.
fn listen(models: &Models, memory: &mut dyn Memory, sound: &[i16]) -> Vec<Embedding> {
    // By the sound itself: what is under a recording that is heard elsewhere is not the same for every word.
    let key = format!("{} samples, {:016x}", sound.len(), checksum(sound));
    if let Some(kept) = memory.recall(&key) {
        return kept;
    }
    let embeddings = embed(models, sound).1;
    memory.keep(&key, &embeddings);
    embeddings
}

/// Tells sounds apart: FNV-1a.
fn checksum(pcm: &[i16]) -> u64 {
    pcm.iter().fold(0xcbf2_9ce4_8422_2325, |sum, sample| {
        (sum ^ u64::from(sample.cast_unsigned())).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Props of a chance part, and which it is.
fn furniture<'m>(material: &'m Material, chance: &mut Chance) -> (&'m Props, Parts) {
    let part = chance.index(material.props.len());
    (&material.props[part], Parts::of(u8::try_from(part).unwrap_or(0)))
}

/// Trains one set of weights on all examples that have nothing of the parts `held_out`.
///
/// # Errors
/// Any [`TrainError`].
pub fn train(examples: &Examples, held_out: Parts, recipe: &Recipe) -> Result<(Vec<Head>, Net), TrainError> {
    if examples.positives.is_empty() || examples.negatives.is_empty() || examples.onsets.is_empty() {
        return Err(TrainError::Empty("no step with the word, or none without"));
    }
    let seeds = (0..recipe.heads).map(|head| recipe.seed * 1_000 + head as u64);
    let heads = seeds.map(|seed| train_head(examples, held_out, recipe.head, seed)).collect::<Result<_, _>>()?;
    let steps = if held_out == Parts::NONE { recipe.onset.steps } else { recipe.judged_onset_steps };
    let onset = OnsetSettings { steps: steps.min(recipe.onset.steps), ..recipe.onset };
    Ok((heads, train_onset(examples, held_out, onset, recipe.seed)))
}

/// The word by synthetic voices; a voice whose word is unclear is left out.
fn synthetic_clips(word: &str, count: usize, chance: &mut Chance) -> Result<Vec<WordClip>, VoiceError> {
    let mut clips = Vec::with_capacity(count);
    for index in 0..count {
        let voice = Voice::draw(chance);
        let text = format!("{word}{}", ["", ".", "!", "?", ","][chance.index(5)]);
        let pcm = voice.say(&text)?;
        if let Some(bounds) = word_bounds(&pcm) {
            clips.push(WordClip { name: format!("voice {index}"), pcm, bounds });
        }
    }
    Ok(clips)
}

/// Synthetic voices saying anything but the word, much of it near in sound.
fn other_speech(neighbours: &[String], recipe: &Recipe, chance: &mut Chance) -> Result<Vec<i16>, VoiceError> {
    let mut speech = Vec::new();
    for _ in 0..recipe.other_voices {
        let voice = Voice::draw(chance);
        for _ in 0..4 {
            let near = chance.pick(neighbours).filter(|_| chance.happens(0.6));
            let text = near.map_or(SENTENCES[chance.index(SENTENCES.len())], String::as_str);
            speech.extend(voice.say(text)?);
            speech.resize(speech.len() + chance.index(6_000), 0);
        }
    }
    Ok(speech)
}

/// What no microphone should wake on: exact silence, constants, hum, whistles, hiss, clicks.
fn stillness(chance: &mut Chance) -> Vec<Vec<i16>> {
    let len = STILL_SECONDS * 16_000;
    let mut sounds = vec![vec![0; len], vec![9_000; len]];
    for level in [1.0, 4.0, 20.0, 100.0, 1_000.0, 9_000.0] {
        sounds.push((0..len).map(|_| (chance.normal() * level) as i16).collect());
    }
    for (hertz, level) in [(50.0, 500.0), (60.0, 9_000.0), (100.0, 3_000.0), (440.0, 6_000.0), (2_500.0, 6_000.0)] {
        let turn = std::f32::consts::TAU * hertz / 16_000.0;
        sounds.push((0..len).map(|index| ((index as f32 * turn).sin() * level) as i16).collect());
    }
    // Muted and not, clicks, and a square wave at full scale.
    sounds.push(
        (0..len).map(|index| if index / 9_000 % 2 == 0 { (chance.normal() * 900.0) as i16 } else { 0 }).collect(),
    );
    sounds.push((0..len).map(|index| if index % 7_001 < 2 { 30_000 } else { 0 }).collect());
    sounds.push((0..len).map(|index| if index / 70 % 2 == 0 { i16::MAX } else { i16::MIN }).collect());
    sounds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_are_joined_into_pieces_and_none_is_lost() {
        let recordings: Vec<Vec<i16>> = [50_000, 0, 3 * PIECE + 7, 16_000].map(|len| vec![1; len]).to_vec();
        let pieces = joined(&recordings);
        assert!(pieces.iter().all(|piece| !piece.is_empty() && piece.len() <= 2 * PIECE + PAUSE));
        let kept: usize = pieces.iter().flatten().map(|sample| usize::try_from(*sample).expect("1 or 0")).sum();
        assert_eq!(kept, recordings.iter().map(Vec::len).sum::<usize>());
        assert_eq!(joined(&[]), Vec::<Vec<i16>>::new());
    }
}
