//! `sotto wake train`: a word's weights, their scores out of fold and their model card, from the development recordings
//! and synthetic voices.

mod card;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use ear::verifier::WhisperVerifier;
use ear::{Models, WordModel, WordVerifier};
use learn::random::Chance;
use learn::wake::parts::{FOLDS, Parts};
use learn::wake::scores::{Scores, Tier};
use learn::wake::{
    Bench, Condition, Examples, Fit, Look, OnsetErrors, Recipe, TrainError, near_in_sound, neighbours, onset_errors,
    prepare, train,
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
    #[command(flatten)]
    making: MakingArgs,
    /// Where the weights go
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Where the model card goes
    #[arg(long, value_name = "FILE")]
    card: PathBuf,
    /// Where the scores out of fold go
    #[arg(long, value_name = "FILE")]
    scores: PathBuf,
}

/// What a training is made of, here and where its scores are made anew.
#[derive(Args, Debug)]
pub(super) struct MakingArgs {
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
    /// Recordings in which nobody says the word, to learn what must not wake: of your television, or in your language
    #[arg(long, value_name = "DIR")]
    other_speech: Option<PathBuf>,
    /// Where all chance begins: the same seed and recordings give the same weights
    #[arg(long, default_value_t = Recipe::default().seed)]
    seed: u64,
    /// A folder to keep the embeddings of long recordings in, for the next training
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Judge this many of the five folds
    #[arg(long, default_value_t = FOLDS, value_parser = clap::value_parser!(u8).range(1..=i64::from(FOLDS)))]
    folds: u8,
    /// For a word that is missed where many talk: more scenes of it, more of them under other voices
    #[arg(long)]
    crowd: bool,
    /// Only look whether it runs: a few scenes, a few steps, useless weights
    #[arg(long)]
    trial: bool,
}

impl MakingArgs {
    /// The recordings' folder, where there is one.
    pub(super) fn data(&self) -> Option<PathBuf> {
        Some(self.folder()).filter(|folder| folder.join("speech/manifest.tsv").is_file())
    }

    /// Whether anything was asked for that only a training heeds.
    pub(super) fn is_for_training(&self) -> bool {
        let is_own = self.recordings_of_me.is_some() || self.other_speech.is_some() || self.cache.is_some();
        is_own || self.crowd || self.trial || self.folds != FOLDS || self.seed != Recipe::default().seed
    }

    fn folder(&self) -> PathBuf {
        let given = self.recordings.clone().or_else(|| std::env::var_os("SOTTO_DEV_DATA").map(PathBuf::from));
        given.unwrap_or_else(|| PathBuf::from("../shared/data"))
    }

    /// Reads all that there is for `word`.
    pub(super) fn read(&self, word: &str) -> Result<Recordings, Failure> {
        let data = self.folder();
        let sources = Sources {
            data: &data,
            voices: self.voices.as_deref(),
            own: self.recordings_of_me.as_deref(),
            other_speech: self.other_speech.as_deref(),
        };
        Recordings::read(sources, word)
    }

    fn recipe(&self) -> Recipe {
        let kind = if self.crowd { Recipe::crowd() } else { Recipe::default() };
        let mut recipe = Recipe { seed: self.seed, ..kind };
        if self.trial {
            (recipe.scenes_per_clip, recipe.scenes_per_company, recipe.scenes_per_own) = (1, 1, 1);
            (recipe.voices, recipe.other_voices, recipe.elsewhere) = (4, 2, 0);
            (recipe.heads, recipe.head.steps, recipe.onset.steps) = (1, 20, 20);
        }
        recipe
    }
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
    let mut tell = progress();
    let mut work = Work::prepare(&args.word, &args.making, models, places, &mut tell)?;
    let outcome = work.run(&mut tell).map_err(no)?;
    write(&args.out, &outcome.model.to_bytes())?;
    write(&args.scores, outcome.scores.to_text().as_bytes())?;
    let card = card::card(args, &work.recipe, &work.recordings, &outcome);
    write(&args.card, card.as_bytes())?;
    crate::print_line(&card)?;
    Ok(())
}

/// The scores out of fold alone, made anew.
pub(super) fn scores(word: &str, making: &MakingArgs, models: &Models, places: &Places) -> Result<Scores, Failure> {
    let mut tell = progress();
    Work::prepare(word, making, models, places, &mut tell)?.judge(None, &mut tell).map_err(no)
}

/// Lines with the seconds since now.
fn progress() -> impl FnMut(String) {
    let start = Instant::now();
    move |line: String| {
        use std::io::Write;
        // Progress belongs on standard error; a reader that has gone does not end a training of hours.
        let _ = writeln!(std::io::stderr(), "[{:5.0} s] {line}", start.elapsed().as_secs_f64());
    }
}

fn no(why: TrainError) -> Failure {
    Failure::no(why.to_string())
}

/// All that a training works with.
struct Work<'w> {
    word: &'w str,
    making: &'w MakingArgs,
    models: &'w Models,
    recipe: Recipe,
    recordings: Recordings,
    examples: Examples,
    spellings: Vec<String>,
    verifier: WhisperVerifier,
}

impl<'w> Work<'w> {
    /// Reads the recordings and makes the examples: the long part.
    fn prepare(
        word: &'w str,
        making: &'w MakingArgs,
        models: &'w Models,
        places: &Places,
        tell: &mut dyn FnMut(String),
    ) -> Result<Self, Failure> {
        let spellings = vec![capitalised(word)];
        let verifier = spotter(places.models(), &untuned().verify(spellings.clone(), UNTUNED))?;
        let recordings = making.read(word)?;
        tell(format!("{} clips of the word read", recordings.material.clips.len()));
        if recordings.material.clips.is_empty() {
            let few = recordings.few_human_clips;
            let found = format!("{few} recordings of \"{word}\" by people are too few to judge by");
            return Err(Failure::usage(format!("{found}: --voices DIR must bring clips by synthetic voices")));
        }
        let recipe = making.recipe();
        let near = near(word, places)?;
        let mut memory = Folder(making.cache.clone());
        let examples = prepare(models, word, &recordings.material, &near, &recipe, &mut memory, tell).map_err(no)?;
        Ok(Self { word, making, models, recipe, recordings, examples, spellings, verifier })
    }

    fn run(&mut self, tell: &mut dyn FnMut(String)) -> Result<Outcome, TrainError> {
        let mut onsets = [OnsetErrors::default(), OnsetErrors::default()];
        let scores = self.judge(Some(&mut onsets), tell)?;
        let mut model = self.train(Parts::NONE)?;
        tell("trained on everything".into());
        let (trigger, light) = self.bench().thresholds(&Arc::new(model.clone()));
        model.threshold = light;
        model.verify = pooled(&scores, self.recipe.caution).verify(self.spellings.clone(), trigger);
        Ok(Outcome { model, scores, onsets })
    }

    /// Trains without each fold in turn, and judges by it: words, other speech, and `onsets` where they are wanted.
    fn judge(
        &mut self,
        mut onsets: Option<&mut [OnsetErrors; 2]>,
        tell: &mut dyn FnMut(String),
    ) -> Result<Scores, TrainError> {
        let mut scores = Scores::default();
        for fold in 0..self.making.folds {
            let model = Arc::new(self.train(Parts::held_out(fold))?);
            tell(format!("fold {fold}: trained without it"));
            let material = &self.recordings.material;
            let bench = Bench { models: self.models, material, examples: &self.examples };
            let verifier = &mut self.verifier;
            let spotter = &mut |sound: &[i16]| verifier.log_probability(sound).unwrap_or(NEVER);
            let judged = bench.judge(fold, &model, self.recipe.caution, spotter);
            scores.add(&judged, material);
            if let Some(onsets) = onsets.as_deref_mut() {
                self.onsets(fold, &model, judged.trigger, onsets);
            }
            tell(format!("fold {fold}: {}", brief(&scores)));
        }
        // As they are kept: what is told of them here is then what anybody tells from the file.
        Ok(Scores::from_text(&scores.to_text()).unwrap_or(scores))
    }

    const fn bench(&self) -> Bench<'_> {
        Bench { models: self.models, material: &self.recordings.material, examples: &self.examples }
    }

    fn train(&self, held_out: Parts) -> Result<WordModel, TrainError> {
        let (heads, onset) = train(&self.examples, held_out, &self.recipe)?;
        let verify = untuned().verify(self.spellings.clone(), UNTUNED);
        Ok(WordModel { name: self.word.to_owned(), threshold: UNTUNED, verify, heads, onset })
    }

    fn onsets(&self, fold: u8, model: &Arc<WordModel>, trigger: f32, onsets: &mut [OnsetErrors; 2]) {
        let mut model = (**model).clone();
        model.threshold = trigger;
        let model = Arc::new(model);
        let mut chance = Chance::new(5 + u64::from(fold));
        let material = &self.recordings.material;
        for (_, clip) in material.clips_of(Parts::judging(fold)) {
            let props = &material.judging[usize::from(clip.part)];
            for (after_speech, sum) in [false, true].into_iter().zip(&mut *onsets) {
                let found = onset_errors(self.models, &model, &[&clip.word], after_speech, props, &mut chance);
                sum.errors.extend(found.errors);
                sum.missed += found.missed;
            }
        }
    }
}

/// The second stage's values before anything is known.
const fn untuned() -> Fit {
    Fit { logit_weight: 0.3, threshold: 0.0 }
}

/// The second stage's values from all folds' scores together: what ships with weights that met all of it.
fn pooled(scores: &Scores, caution: f64) -> Fit {
    let words: Vec<Vec<Look>> = scores.words.iter().map(|word| word.look.into_iter().collect()).collect();
    let others: Vec<Look> = scores.others.iter().map(|other| other.look).collect();
    Fit::new(&words, &others, scores.hours(), caution)
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

fn parse_name(text: &str) -> Result<String, String> {
    let name = text.to_lowercase();
    if ear::is_name(&name) { Ok(name) } else { Err("not 1 to 16 letters from a to z".into()) }
}

/// As the recogniser writes it.
pub(super) fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

pub(super) fn write(path: &std::path::Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).map_err(|why| Failure::no(format!("{}: {why}", path.display())))
}
