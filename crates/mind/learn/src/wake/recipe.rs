//! The whole way from recordings to a word's weights, with nothing left to choice outside of [`Recipe`].

use std::sync::Arc;

use ear::{EarError, Models, Verify, WordModel};

use super::examples::Examples;
use super::heads::{HeadSettings, train_head};
use super::onsets::{OnsetSettings, train_onset};
use super::sentences::{NEIGHBOURS, SENTENCES};
use crate::bounds::word_bounds;
use crate::random::Chance;
use crate::scene::{Props, WordClip};
use crate::voices::{Voice, VoiceError};

/// Parts that the human clips are cut into by their order: each part is heard only by weights that never met it.
pub const FOLDS: u8 = 5;
/// A long recording is moved elsewhere piece by piece: 20 s.
const PIECE: usize = 20 * 16_000;
/// The threshold of weights whose scores nobody has looked at yet.
const UNTUNED: f32 = 0.5;
/// Seconds of each kind of no speech.
const STILL_SECONDS: usize = 20;

/// What a word is trained from.
#[derive(Debug)]
pub struct Material {
    /// The word, said by people, in the order of their recording: neighbours share a voice.
    pub clips: Vec<WordClip>,
    /// Long recordings without it, which may ship; also the scenes' other voices.
    pub props: Props,
}

/// Every number that decides the outcome.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    /// Where all chance begins.
    pub seed: u64,
    /// Scenes around each human clip.
    pub scenes_per_clip: usize,
    /// Splices of each human clip, for the locator alone.
    pub splices_per_clip: usize,
    /// Synthetic voices that say the word, and scenes around each.
    pub voices: usize,
    /// See `voices`.
    pub scenes_per_voice: usize,
    /// Splices of each synthetic voice, for the locator alone.
    pub splices_per_voice: usize,
    /// Synthetic voices that say all else.
    pub other_voices: usize,
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
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            seed: 10,
            scenes_per_clip: 30,
            splices_per_clip: 25,
            voices: 200,
            scenes_per_voice: 2,
            splices_per_voice: 2,
            other_voices: 100,
            elsewhere: 2,
            broken: 0.06,
            heads: 4,
            head: HeadSettings::default(),
            onset: OnsetSettings::default(),
        }
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Trained {
    /// Trained on everything: what ships.
    pub model: WordModel,
    /// For each fold, the same without that fold's clips: what is measured.
    pub folds: Vec<Arc<WordModel>>,
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

/// The fold of the clip at `index` of `len`: blocks of neighbours.
#[must_use]
pub fn fold_of(index: usize, len: usize) -> u8 {
    u8::try_from(index * usize::from(FOLDS) / len.max(1)).unwrap_or(0)
}

/// Makes the examples: the long part, done once.
///
/// # Errors
/// Any [`TrainError`].
pub fn prepare(
    models: &Models,
    word: &str,
    material: &mut Material,
    recipe: &Recipe,
    tell: &mut dyn FnMut(String),
) -> Result<Examples, TrainError> {
    let mut chance = Chance::new(recipe.seed);
    let mut examples = Examples::default();
    if material.clips.is_empty() || material.props.speech.is_empty() {
        return Err(TrainError::Empty("no clips of the word, or no speech without it"));
    }
    material.props.speech.push(other_speech(recipe, &mut chance)?);
    let props = &material.props;
    for (index, clip) in material.clips.iter().enumerate() {
        let fold = Some(fold_of(index, material.clips.len()));
        for _ in 0..recipe.scenes_per_clip {
            examples.add_scene(models, &props.scene(clip, recipe.broken, &mut chance), fold, &mut chance)?;
        }
        for _ in 0..recipe.splices_per_clip {
            examples.add_splice(models, props, clip, fold, &mut chance)?;
        }
    }
    tell(format!("{} human clips in {} scenes", material.clips.len(), examples.onsets.len()));
    let synthetic = synthetic_clips(word, recipe.voices, &mut chance)?;
    for clip in &synthetic {
        for _ in 0..recipe.scenes_per_voice {
            examples.add_scene(models, &props.scene(clip, recipe.broken, &mut chance), None, &mut chance)?;
        }
        for _ in 0..recipe.splices_per_voice {
            examples.add_splice(models, props, clip, None, &mut chance)?;
        }
    }
    tell(format!("{} synthetic voices, {} scenes in all", synthetic.len(), examples.onsets.len()));
    for recording in &props.speech {
        examples.add_negative(models, recording)?;
        for _ in 0..recipe.elsewhere {
            for piece in recording.chunks(PIECE) {
                examples.add_negative(models, &props.elsewhere(piece, &mut chance))?;
            }
        }
    }
    for noise in &props.noises {
        examples.add_negative(models, noise)?;
    }
    for still in stillness(&mut chance) {
        examples.add_negative(models, &still)?;
    }
    tell(format!("{} steps with the word, {} without", examples.positives.len(), examples.negatives.len()));
    Ok(examples)
}

/// Trains the weights that ship and those of each fold.
///
/// # Errors
/// Any [`TrainError`].
pub fn train(
    word: &str,
    examples: &Examples,
    recipe: &Recipe,
    tell: &mut dyn FnMut(String),
) -> Result<Trained, TrainError> {
    if examples.positives.is_empty() || examples.negatives.is_empty() || examples.onsets.is_empty() {
        return Err(TrainError::Empty("no step with the word, or none without"));
    }
    let mut model = |held_out: Option<u8>| -> Result<WordModel, EarError> {
        let seeds = (0..recipe.heads).map(|head| recipe.seed * 1_000 + head as u64);
        let heads = seeds.map(|seed| train_head(examples, held_out, recipe.head, seed)).collect::<Result<_, _>>()?;
        let onset = train_onset(examples, held_out, recipe.onset, recipe.seed);
        tell(held_out.map_or("trained on everything".into(), |fold| format!("trained without fold {fold}")));
        Ok(WordModel { name: word.to_owned(), threshold: UNTUNED, verify: unfitted(word), heads, onset })
    };
    let folds = (0..FOLDS).map(|fold| model(Some(fold)).map(Arc::new)).collect::<Result<_, _>>()?;
    Ok(Trained { model: model(None)?, folds })
}

/// The second stage's values before they are fitted. The weights come from the first experiment with Whisper tiny.en
/// behind another first stage, where a fused score of 0 (as a logit) lay between words and other speech.
fn unfitted(word: &str) -> Verify {
    let mut letters = word.chars();
    let large: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    Verify {
        spellings: vec![format!(" {large}"), large, format!(" {word}")],
        trigger: 0.3,
        logit_weight: 0.25,
        word_weight: 1.0,
        bias: 3.0,
        accept_at_once: 0.7,
        refuse_at_once: 0.02,
        accept: 0.5,
    }
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
fn other_speech(recipe: &Recipe, chance: &mut Chance) -> Result<Vec<i16>, VoiceError> {
    let mut speech = Vec::new();
    for _ in 0..recipe.other_voices {
        let voice = Voice::draw(chance);
        for _ in 0..4 {
            let texts: &[&str] = if chance.happens(0.5) { &NEIGHBOURS } else { &SENTENCES };
            speech.extend(voice.say(texts[chance.index(texts.len())])?);
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
