//! `sotto wake eval`: what a word's weights hear of recordings that they never met, in six conditions.
//!
//! With a table of labelled recordings, those are played to the whole detector, as on a device. Without one, the
//! figures of the weights that ship are told from their scores out of fold, which lie beside them, or are made anew.

mod cost;
mod count;
mod failures;
mod player;
mod report;

use std::path::PathBuf;

use clap::Args;
use ear::Models;
use learn::wake::scores::Scores;

use super::train::{self, MakingArgs};
use super::{curve, parse_threshold};
use crate::failure::Failure;
use crate::places::Places;

/// Scores a wake word on labelled recordings, or tells of its scores out of fold.
#[derive(Args, Debug)]
pub(crate) struct EvalArgs {
    /// The word
    #[arg(long, default_value = "alexa")]
    word: String,
    /// The score that wakes, between 0 and 1 [default: the word's own]
    #[arg(long, value_parser = parse_threshold, requires = "table")]
    threshold: Option<f32>,
    /// How many stages decide: 1 is the light tier
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=2))]
    stage: u8,
    /// Weights from a training instead of those that ship
    #[arg(long, value_name = "FILE", requires = "table")]
    weights: Option<PathBuf>,
    /// Scores from a training instead of those that ship; needs no table
    #[arg(long, value_name = "FILE", conflicts_with = "table")]
    scores: Option<PathBuf>,
    /// Make the scores out of fold anew, as the training does, and say how the others differ
    #[arg(long, conflicts_with = "table")]
    retrain: bool,
    /// Where the scores that were made anew go
    #[arg(long, value_name = "FILE", requires = "retrain")]
    keep: Option<PathBuf>,
    #[command(flatten)]
    making: MakingArgs,
    /// Draw the detection-error curve
    #[arg(long, value_name = "FILE.svg", conflicts_with = "table")]
    curve: Option<PathBuf>,
    /// Listen to each failure again: what the recogniser writes of it, how loud and how long the word is
    #[arg(long, conflicts_with = "table")]
    failures: bool,
    /// Only rows of this source; may be given more than once
    #[arg(long, value_name = "NAME", requires = "table")]
    source: Vec<String>,
    /// What the word is heard under in the kitchen's conditions
    #[arg(long, value_name = "FILE", requires = "table")]
    noise: Option<PathBuf>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    /// A table with tabs, names on top: `path` or `file`, `label`, `source`; recordings lie beside it. A recording
    /// whose label is or begins with the word must wake, one whose label does not hold it must not
    #[arg(value_name = "TABLE")]
    table: Option<PathBuf>,
}

/// Prints the figures.
pub(super) fn run(args: &EvalArgs, models: &Models, places: &Places) -> Result<(), Failure> {
    if !args.retrain && args.making.is_for_training() {
        return Err(Failure::usage("--seed, --cache, --folds, --trial and --recordings-of-me need --retrain"));
    }
    if let Some(table) = &args.table {
        return player::run(args, table, models, places);
    }
    let committed = scores(args)?;
    let scores = if args.retrain {
        let made = train::scores(&args.word, &args.making, models, places)?;
        if let Some(path) = &args.keep {
            train::write(path, made.to_text().as_bytes())?;
        }
        made
    } else {
        committed.clone().ok_or_else(|| unknown(&args.word))?
    };
    if let Some(path) = &args.curve {
        train::write(path, curve::svg(&args.word, &scores).as_bytes())?;
    }
    if args.failures {
        return failures::run(args, &scores, places);
    }
    let cost = cost::measure(&args.word, args.making.data().as_deref(), places);
    let differences = committed.filter(|_| args.retrain).map(|committed| report::differences(&committed, &scores));
    report::print(args.json, &args.word, &scores, &cost, differences.as_ref())
}

/// The scores that were given or that ship; none where there are none of the word.
fn scores(args: &EvalArgs) -> Result<Option<Scores>, Failure> {
    let text = match &args.scores {
        Some(path) => {
            Some(std::fs::read_to_string(path).map_err(|why| Failure::usage(format!("{}: {why}", path.display())))?)
        }
        None => super::shipped_scores(&args.word).map(str::to_owned),
    };
    let damaged = || Failure::usage("the scores are damaged");
    text.map(|text| Scores::from_text(&text).ok_or_else(damaged)).transpose()
}

fn unknown(word: &str) -> Failure {
    Failure::usage(format!("{word}: no such word ships; give --scores, --retrain or a table"))
}
