//! `sotto wake train`: a word's weights and their model card, from the development recordings and synthetic voices.

mod card;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use base::SAMPLE_RATE_HZ;
use clap::Args;
use ear::{Models, Word, WordModel};
use learn::random::Chance;
use learn::scene::{Props, WordClip};
use learn::wake::{
    Condition, FOLDS, OnsetErrors, Recipe, Trained, false_accepts, fold_of, misses, onset_errors, prepare, train,
};

use super::material::Recordings;
use super::parse_word;
use crate::failure::Failure;

/// Thresholds that the figures are given for; the word's own is one of them.
const THRESHOLDS: [f32; 11] = [0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.94, 0.96, 0.98, 0.99];
/// How often each clip is laid into a splice to measure onsets.
const SPLICES: usize = 2;

/// Trains a wake word.
#[derive(Args, Debug)]
pub(crate) struct TrainArgs {
    /// The word
    #[arg(value_parser = parse_word)]
    word: Word,
    /// The recordings to learn from: `speech/`, `background/` and `noise/` with their tables
    /// [default: SOTTO_DEV_DATA, or ../shared/data]
    #[arg(long, value_name = "DIR")]
    recordings: Option<PathBuf>,
    /// Where the weights go
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Where the model card goes
    #[arg(long, value_name = "FILE")]
    card: PathBuf,
    /// Where all chance begins: the same seed and recordings give the same weights
    #[arg(long, default_value_t = Recipe::default().seed)]
    seed: u64,
    /// The threshold is the lowest with at most so many false accepts an hour on the judging recordings
    #[arg(long, value_name = "N", default_value_t = 0.5)]
    false_accepts: f64,
    /// Only look whether it runs: a few scenes, a few steps, useless weights
    #[arg(long)]
    trial: bool,
}

/// What was measured, all of it on recordings that the weights in question never met.
#[derive(Debug)]
struct Figures {
    clips: usize,
    /// The one of [`THRESHOLDS`] that was chosen.
    own: usize,
    /// Per condition, per threshold.
    missed: Vec<(Condition, Vec<usize>)>,
    hours: f64,
    /// Per recording, per threshold.
    false_accepts: Vec<(String, Vec<usize>)>,
    /// In room noise; behind other speech.
    onsets: [OnsetErrors; 2],
}

/// Trains, measures, writes weights and card.
pub(super) fn run(args: &TrainArgs, models: &Models) -> Result<(), Failure> {
    let start = Instant::now();
    #[expect(clippy::print_stderr, reason = "progress belongs on standard error")]
    let mut tell = |line: String| eprintln!("[{:5.0} s] {line}", start.elapsed().as_secs_f64());
    let no = |why: &dyn std::fmt::Display| Failure::no(why.to_string());
    let given = args.recordings.clone().or_else(|| std::env::var_os("SOTTO_DEV_DATA").map(PathBuf::from));
    let folder = given.unwrap_or_else(|| PathBuf::from("../shared/data"));
    let mut recordings = Recordings::read(&folder, args.word.name())?;
    tell(format!("{} clips of the word read", recordings.material.clips.len()));
    let recipe = recipe(args);
    let examples =
        prepare(models, args.word.name(), &mut recordings.material, &recipe, &mut tell).map_err(|why| no(&why))?;
    let mut trained = train(args.word.name(), &examples, &recipe, &mut tell).map_err(|why| no(&why))?;
    drop(examples);
    let figures = measure(models, &recordings, &mut trained, args.false_accepts).map_err(|why| no(&why))?;
    write(&args.out, &trained.model.to_bytes())?;
    let card = card::card(args, &recipe, &figures);
    write(&args.card, card.as_bytes())?;
    tell(format!("{} and {} are written", args.out.display(), args.card.display()));
    crate::print_line(&card);
    Ok(())
}

fn recipe(args: &TrainArgs) -> Recipe {
    let mut recipe = Recipe { seed: args.seed, ..Recipe::default() };
    if args.trial {
        (recipe.scenes_per_clip, recipe.splices_per_clip) = (1, 1);
        (recipe.voices, recipe.other_voices, recipe.elsewhere) = (4, 2, 0);
        (recipe.heads, recipe.head.steps, recipe.onset.steps) = (1, 20, 20);
    }
    recipe
}

/// Chooses the threshold, writes it into all weights, and measures.
fn measure(
    models: &Models,
    recordings: &Recordings,
    trained: &mut Trained,
    per_hour: f64,
) -> Result<Figures, ear::EarError> {
    let judging = &recordings.judging;
    let model = Arc::new(trained.model.clone());
    let mut false_accepts_by = Vec::new();
    for (name, pcm) in recordings.judging_names.iter().zip(&judging.speech) {
        let found = false_accepts(models, &model, pcm, &THRESHOLDS)?;
        false_accepts_by.push((name.clone(), found.iter().map(Vec::len).collect::<Vec<_>>()));
    }
    let samples: usize = judging.speech.iter().map(Vec::len).sum();
    let hours = samples as f64 / f64::from(SAMPLE_RATE_HZ) / 3_600.0;
    let accepts = |index: usize| false_accepts_by.iter().map(|(_, counts)| counts[index]).sum::<usize>() as f64;
    let own = (0..THRESHOLDS.len()).find(|index| accepts(*index) <= per_hour * hours).unwrap_or(THRESHOLDS.len() - 1);
    trained.model.threshold = THRESHOLDS[own];
    trained.folds.iter_mut().for_each(|fold| Arc::make_mut(fold).threshold = THRESHOLDS[own]);
    let clips = &recordings.material.clips;
    Ok(Figures {
        clips: clips.len(),
        own,
        missed: missed(models, clips, judging, &trained.folds)?,
        hours,
        false_accepts: false_accepts_by,
        onsets: onsets(models, clips, judging, &trained.folds)?,
    })
}

/// The clips of one fold.
fn fold(clips: &[WordClip], fold: u8) -> Vec<&WordClip> {
    let own = clips.iter().enumerate().filter(|(index, _)| fold_of(*index, clips.len()) == fold);
    own.map(|(_, clip)| clip).collect()
}

fn missed(
    models: &Models,
    clips: &[WordClip],
    judging: &Props,
    folds: &[Arc<WordModel>],
) -> Result<Vec<(Condition, Vec<usize>)>, ear::EarError> {
    let mut all = Vec::new();
    for condition in Condition::ALL {
        let mut sums = vec![0; THRESHOLDS.len()];
        for (number, model) in (0..FOLDS).zip(folds) {
            let found = misses(models, model, &fold(clips, number), condition, judging, &THRESHOLDS)?;
            sums.iter_mut().zip(found.missed).for_each(|(sum, missed)| *sum += missed);
        }
        all.push((condition, sums));
    }
    Ok(all)
}

fn onsets(
    models: &Models,
    clips: &[WordClip],
    judging: &Props,
    folds: &[Arc<WordModel>],
) -> Result<[OnsetErrors; 2], ear::EarError> {
    let mut chance = Chance::new(5);
    let mut onsets = [OnsetErrors::default(), OnsetErrors::default()];
    for (number, model) in (0..FOLDS).zip(folds) {
        for (after_speech, sum) in [false, true].into_iter().zip(&mut onsets) {
            for _ in 0..SPLICES {
                let own = fold(clips, number);
                let found = onset_errors(models, model, &own, after_speech, judging, &mut chance)?;
                sum.errors.extend(found.errors);
                sum.missed += found.missed;
            }
        }
    }
    Ok(onsets)
}

fn write(path: &std::path::Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).map_err(|why| Failure::no(format!("{}: {why}", path.display())))
}
