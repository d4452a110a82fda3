//! `sotto wake`: hears a word in recordings, trains one, scores one, and shows what devices counted.

mod curve;
mod detect;
pub(crate) mod ear_process;
mod eval;
mod figures;
mod material;
mod memory;
mod spotter;
mod stats;
mod train;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use ear::{Models, Word, WordModel};

pub(crate) use self::material::decode;
use crate::failure::Failure;
use crate::places::Places;

/// Wake words: hear one in recordings, train one, score one, see how often each woke.
#[derive(Args, Debug)]
pub(crate) struct WakeCommand {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Say where a wake word is heard in recordings
    Detect(detect::DetectArgs),
    /// Train a wake word from recordings and synthetic voices
    Train(train::TrainArgs),
    /// Score a wake word on a table of labelled recordings
    Eval(eval::EvalArgs),
    /// Show how often words woke this machine's devices, and how often something came near
    Stats(stats::StatsArgs),
}

/// Runs the verb.
pub(crate) fn run(command: &WakeCommand, places: &Places) -> Result<(), Failure> {
    let models = || Models::load(places.models()).map_err(|why| Failure::no(why.to_string()));
    match &command.verb {
        Verb::Detect(args) => detect::run(args, &models()?, places),
        Verb::Train(args) => train::run(args, &models()?, places),
        Verb::Eval(args) => eval::run(args, &models()?, places),
        Verb::Stats(args) => stats::run(args, places),
    }
}

/// A word by its name, for clap.
pub(crate) fn parse_word(name: &str) -> Result<Word, String> {
    Word::from_name(name).ok_or_else(|| format!("no such word; there are: {}", shipped_names()))
}

/// The words that ship, for a list.
fn shipped_names() -> String {
    Word::ALL.iter().map(|word| word.name()).collect::<Vec<_>>().join(", ")
}

/// A threshold, for clap.
fn parse_threshold(text: &str) -> Result<f32, String> {
    text.parse().ok().filter(|value| *value > 0.0 && *value < 1.0).ok_or_else(|| "not between 0 and 1".to_owned())
}

/// The weights in `file`, or those that ship.
fn weights(word: Word, file: Option<&Path>) -> Result<Arc<WordModel>, Failure> {
    let model = match file {
        None => word.model(),
        Some(path) => {
            let bytes = std::fs::read(path).map_err(|why| Failure::usage(format!("{}: {why}", path.display())))?;
            WordModel::from_bytes(&bytes)
        }
    };
    model.map(Arc::new).map_err(|why| {
        let name = file.map_or_else(|| word.name().to_owned(), |path| path.display().to_string());
        Failure::usage(format!("{name}: {why}"))
    })
}

/// The scores out of fold of the weights that ship.
pub(crate) fn shipped_scores(word: &str) -> Option<&'static str> {
    match word {
        "alexa" => Some(include_str!("../../device/ear/weights/alexa.scores.tsv")),
        "amazon" => Some(include_str!("../../device/ear/weights/amazon.scores.tsv")),
        "computer" => Some(include_str!("../../device/ear/weights/computer.scores.tsv")),
        "echo" => Some(include_str!("../../device/ear/weights/echo.scores.tsv")),
        _ => None,
    }
}

/// The CPU time of this process until now.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), nanos)
}

/// For printing: three digits behind the point.
fn thousandths(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}
