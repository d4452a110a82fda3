//! `sotto wake train`: a word's weights, their scores out of fold and their model card, from the development recordings
//! and synthetic voices.

mod card;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use ear::{Models, WordModel, WordVerifier};
use learn::random::Chance;
use learn::wake::parts::{FOLDS, Parts};
use learn::wake::scores::{Scores, Tier};
use learn::wake::{
    Bench, Condition, Examples, Fit, Look, Material, OnsetErrors, Recipe, TrainError, near_in_sound, neighbours,
    onset_errors, prepare, train,
};

use super::material::{Recordings, Sources};
use super::memory::Folder;
use super::spotter::spotter;
use crate::failure::Failure;
use crate::places::Places;

/// The threshold of weights whose scores nobody has looked at yet.
const UNTUNED: f32 = 0.5;

/// What a word counts as that the recogniser could not listen for.
const NEVER: f32 = -20.0;

/// Trains a wake word.
#[derive(Args, Debug)]
pub(crate) struct TrainArgs {
    /// The word: one to sixteen letters
    #[arg(value_parser = parse_name)]
    word: String,
    /// The recordings to learn from: `speech/`, `background/` and `noise/` with their tables
    /// [default: SOTTO_DEV_DATA, or ../shared/data]
    #[arg(long, value_name = "DIR")]
    recordings: Option<PathBuf>,
    /// Clips of the word by good synthetic voices, `VOICE_….wav`
    #[arg(long, value_name = "DIR")]
    voices: Option<PathBuf>,
    /// A dozen or more recordings of the word in your own voice, one word a file
    #[arg(long, value_name = "DIR")]
    recordings_of_me: Option<PathBuf>,
    /// Where the weights go
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Where the model card goes
    #[arg(long, value_name = "FILE")]
    card: PathBuf,
    /// Where the scores out of fold go
    #[arg(long, value_name = "FILE")]
    scores: PathBuf,
    /// Where all chance begins: the same seed and recordings give the same weights
    #[arg(long, default_value_t = Recipe::default().seed)]
    seed: u64,
    /// A folder to keep the embeddings of long recordings in, for the next training
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Judge this many of the five folds
    #[arg(long, default_value_t = FOLDS, value_parser = clap::value_parser!(u8).range(1..=i64::from(FOLDS)))]
    folds: u8,
    /// Only look whether it runs: a few scenes, a few steps, useless weights
    #[arg(long)]
    trial: bool,
}

/// What came of a training.
struct Outcome {
    model: WordModel,
    scores: Scores,
    /// In room noise; behind other speech.
    onsets: [OnsetErrors; 2],
}

/// Trains, measures, writes weights, scores and card.
pub(super) fn run(args: &TrainArgs, models: &Models, places: &Places) -> Result<(), Failure> {
    let start = Instant::now();
    #[expect(clippy::print_stderr, reason = "progress belongs on standard error")]
    let mut tell = |line: String| eprintln!("[{:5.0} s] {line}", start.elapsed().as_secs_f64());
    let given = args.recordings.clone().or_else(|| std::env::var_os("SOTTO_DEV_DATA").map(PathBuf::from));
    let data = given.unwrap_or_else(|| PathBuf::from("../shared/data"));
    let spellings = vec![capitalised(&args.word)];
    let untuned = untuned().verify(spellings.clone(), UNTUNED);
    let mut verifier = spotter(places.models(), &untuned)?;
    let sources = Sources { data: &data, voices: args.voices.as_deref(), own: args.recordings_of_me.as_deref() };
    let recordings = Recordings::read(sources, &args.word)?;
    tell(format!("{} clips of the word read", recordings.material.clips.len()));
    let recipe = recipe(args);
    let near = near(&args.word, places)?;
    let mut memory = Folder(args.cache.clone());
    let no = |why: TrainError| Failure::no(why.to_string());
    let examples =
        prepare(models, &args.word, &recordings.material, &near, &recipe, &mut memory, &mut tell).map_err(no)?;
    let work = Work { args, models, recipe: &recipe, material: &recordings.material, examples: &examples, spellings };
    let outcome = work.run(&mut verifier, &mut tell).map_err(no)?;
    write(&args.out, &outcome.model.to_bytes())?;
    write(&args.scores, outcome.scores.to_text().as_bytes())?;
    let card = card::card(args, &recipe, &recordings, &outcome);
    write(&args.card, card.as_bytes())?;
    crate::print_line(&card);
    Ok(())
}

/// All that a training works with.
struct Work<'w> {
    args: &'w TrainArgs,
    models: &'w Models,
    recipe: &'w Recipe,
    material: &'w Material,
    examples: &'w Examples,
    spellings: Vec<String>,
}

impl Work<'_> {
    fn run(&self, verifier: &mut dyn WordVerifier, tell: &mut dyn FnMut(String)) -> Result<Outcome, TrainError> {
        let bench = Bench { models: self.models, material: self.material, examples: self.examples };
        let mut scores = Scores::default();
        let mut onsets = [OnsetErrors::default(), OnsetErrors::default()];
        for fold in 0..self.args.folds {
            let model = Arc::new(self.train(Parts::held_out(fold))?);
            tell(format!("fold {fold}: trained without it"));
            let judged = bench.judge(fold, &model, &mut |sound| verifier.log_probability(sound).unwrap_or(NEVER));
            scores.add(&judged, self.material);
            self.onsets(fold, &model, judged.trigger, &mut onsets)?;
            tell(format!("fold {fold}: {}", brief(&scores)));
        }
        let mut model = self.train(Parts::NONE)?;
        tell("trained on everything".into());
        let (trigger, light) = bench.thresholds(&Arc::new(model.clone()));
        model.threshold = light;
        model.verify = pooled(&scores).verify(self.spellings.clone(), trigger);
        Ok(Outcome { model, scores, onsets })
    }

    fn train(&self, held_out: Parts) -> Result<WordModel, TrainError> {
        let (heads, onset) = train(self.examples, held_out, self.recipe)?;
        let verify = untuned().verify(self.spellings.clone(), UNTUNED);
        Ok(WordModel { name: self.args.word.clone(), threshold: UNTUNED, verify, heads, onset })
    }

    fn onsets(
        &self,
        fold: u8,
        model: &Arc<WordModel>,
        trigger: f32,
        onsets: &mut [OnsetErrors; 2],
    ) -> Result<(), TrainError> {
        let mut model = (**model).clone();
        model.threshold = trigger;
        let model = Arc::new(model);
        let mut chance = Chance::new(5 + u64::from(fold));
        for (_, clip) in self.material.clips_of(Parts::judging(fold)) {
            let props = &self.material.judging[usize::from(clip.part)];
            for (after_speech, sum) in [false, true].into_iter().zip(&mut *onsets) {
                let found = onset_errors(self.models, &model, &[&clip.word], after_speech, props, &mut chance);
                sum.errors.extend(found.errors);
                sum.missed += found.missed;
            }
        }
        Ok(())
    }
}

/// The second stage's values before anything is known.
const fn untuned() -> Fit {
    Fit { logit_weight: 0.3, threshold: 0.0 }
}

/// The second stage's values from all folds' scores together: what ships with weights that met all of it.
fn pooled(scores: &Scores) -> Fit {
    let words: Vec<Vec<Look>> = scores.words.iter().map(|word| word.look.into_iter().collect()).collect();
    let others: Vec<Look> = scores.others.iter().map(|other| other.look).collect();
    Fit::new(&words, &others, scores.hours())
}

/// Misses and false accepts so far, on one line.
fn brief(scores: &Scores) -> String {
    let tier = |tier: Tier| {
        let missed: Vec<String> = Condition::ALL
            .into_iter()
            .map(|condition| format!("{} {}", condition.name(), scores.missed(tier, condition, 0.0).count()))
            .collect();
        format!("{}; {} false accepts", missed.join(", "), scores.accepted(tier, 0.0).count())
    };
    let (clips, hours, triggers) = (scores.clips(), scores.hours(), scores.others.len());
    let both = tier(Tier::Both);
    format!("of {clips} missed: {both} in {hours:.2} h ({triggers} triggers); light: {}", tier(Tier::Light))
}

/// What is said that must not wake: a list for the words that ship, for any other the words that the recogniser knows
/// and that sound like it.
fn near(word: &str, places: &Places) -> Result<Vec<String>, Failure> {
    let known = neighbours(word);
    if !known.is_empty() {
        return Ok(known.iter().map(|text| (*text).to_owned()).collect());
    }
    let path = places.models().join("whisper-tiny-en/vocabulary.txt");
    let text = std::fs::read_to_string(&path).map_err(|why| Failure::no(format!("{}: {why}", path.display())))?;
    let words = text.lines().filter_map(|token| token.strip_prefix('Ġ'));
    let is_word = |text: &&str| text.len() > 2 && text.bytes().all(|letter| letter.is_ascii_alphabetic());
    let lexicon: Vec<String> = words.filter(is_word).map(str::to_owned).collect();
    near_in_sound(word, &lexicon).map_err(|why| Failure::no(why.to_string()))
}

fn recipe(args: &TrainArgs) -> Recipe {
    let mut recipe = Recipe { seed: args.seed, ..Recipe::default() };
    if args.trial {
        (recipe.scenes_per_clip, recipe.scenes_per_company) = (1, 1);
        (recipe.voices, recipe.other_voices, recipe.elsewhere) = (4, 2, 0);
        (recipe.heads, recipe.head.steps, recipe.onset.steps) = (1, 20, 20);
    }
    recipe
}

fn parse_name(text: &str) -> Result<String, String> {
    let name = text.to_lowercase();
    if ear::is_name(&name) { Ok(name) } else { Err("not 1 to 16 letters from a to z".into()) }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

fn write(path: &std::path::Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).map_err(|why| Failure::no(format!("{}: {why}", path.display())))
}
