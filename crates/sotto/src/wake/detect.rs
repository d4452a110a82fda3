//! `sotto wake detect`: where a wake word is heard in recordings.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{SAMPLE_RATE_HZ, limits::CHUNK};
use clap::Args;
use ear::verifier::Recogniser;
use ear::{Heard, Models, NearMiss, Scores, Tuning, Wake, WakeDetector, Word, WordModel, WordVerifier};
use serde_json::{Value, json};

use super::{cpu_time, parse_threshold, shipped_names, thousandths};
use crate::failure::Failure;
use crate::places::Places;
use crate::recordings;

/// Silence behind each recording, in samples: a word at its very end has time to be heard.
const BEHIND: usize = 16_000;

/// Says where a wake word is heard in recordings.
#[derive(Args, Debug)]
pub(crate) struct DetectArgs {
    /// The word [default: alexa, or the one that the weights are for]
    #[arg(long)]
    word: Option<String>,
    /// The score that wakes, between 0 and 1 [default: the word's own]
    #[arg(long, value_parser = parse_threshold)]
    threshold: Option<f32>,
    /// 1: the first stage alone, as on a small board; 2: the recogniser must agree
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=2))]
    stage: u8,
    /// Weights from a training instead of those that ship
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    /// Recordings: WAV, AIFF, AU, FLAC or Ogg Opus; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// What a recording came to.
struct Outcome {
    seconds: f64,
    cpu_s: f64,
    /// The highest of what is held against the threshold: of both stages, or of the first alone.
    highest: f32,
    wakes: Vec<Wake>,
    near_misses: Vec<NearMiss>,
}

/// Prints what is heard in each file in turn; one that cannot be heard is told, and the next is tried.
pub(super) fn run(args: &DetectArgs, models: &Models, places: &Places) -> Result<(), Failure> {
    let model = Arc::new(model(args)?);
    let recogniser = if args.stage == 1 { None } else { Some(recogniser(places)?) };
    recordings::print_each(&args.files, |file| {
        let verifier = recogniser.as_ref().map(|recogniser| recogniser.verifier(&model.verify)).transpose();
        let verifier = verifier.map_err(|why| Failure::no(why.to_string()))?;
        let verifier = verifier.map(|verifier| Box::new(verifier) as Box<dyn WordVerifier>);
        let tuning = Tuning { threshold: args.threshold, shift: 0.0 };
        let detector = WakeDetector::tuned(models, Arc::clone(&model), tuning, verifier);
        let outcome = play(detector, file, args.stage)?;
        let name = file.display().to_string();
        Ok(if args.json { as_json(&name, &outcome) } else { as_text(&name, &outcome) })
    })
}

/// The word's weights: those in the file, or those that ship.
fn model(args: &DetectArgs) -> Result<WordModel, Failure> {
    let Some(path) = &args.weights else {
        let name = args.word.as_deref().unwrap_or(Word::Alexa.name());
        let word = Word::from_name(name).ok_or_else(|| {
            Failure::usage(format!(
                "--word {name}: no weights of it ship (--weights FILE takes one's own); there are: {}",
                shipped_names()
            ))
        })?;
        return word.model().map_err(|why| Failure::no(format!("{name}: {why}")));
    };
    let wrong = |why: &dyn std::fmt::Display| Failure::usage(format!("{}: {why}", path.display()));
    let bytes = std::fs::read(path).map_err(|why| wrong(&why))?;
    let model = WordModel::from_bytes(&bytes).map_err(|why| wrong(&why))?;
    match &args.word {
        Some(word) if !word.eq_ignore_ascii_case(&model.name) => {
            Err(wrong(&format!("these are the weights of \"{}\", not of \"{word}\"", model.name)))
        }
        _ => Ok(model),
    }
}

fn recogniser(places: &Places) -> Result<Recogniser, Failure> {
    let recogniser = Recogniser::open(places.models()).map_err(|why| Failure::no(why.to_string()))?;
    crate::models::is_here(&places.models().join("whisper-tiny-en"), "whisper-tiny-en")?;
    recogniser.ok_or_else(|| {
        Failure::no("the second stage's recogniser is not here: sotto models fetch gets it, --stage 1 goes without")
    })
}

fn play(mut detector: WakeDetector, file: &Path, stage: u8) -> Result<Outcome, Failure> {
    let mut pcm = recordings::decode(file)?;
    let seconds = pcm.len() as f64 / f64::from(SAMPLE_RATE_HZ);
    pcm.resize(pcm.len() + BEHIND, 0);
    let start = cpu_time();
    let mut outcome = Outcome { seconds, cpu_s: 0.0, highest: 0.0, wakes: Vec::new(), near_misses: Vec::new() };
    for chunk in pcm.chunks(usize::try_from(CHUNK.0).unwrap_or(1)) {
        detector.hear(chunk, &mut |heard| {
            let score = match heard {
                Heard::Wake(wake) => {
                    outcome.wakes.push(wake);
                    wake.score
                }
                Heard::NearMiss(miss) => {
                    outcome.near_misses.push(miss);
                    miss.scores.score
                }
            };
            outcome.highest = outcome.highest.max(score);
        });
        if stage == 1 {
            outcome.highest = outcome.highest.max(detector.score());
        }
    }
    outcome.cpu_s = (cpu_time() - start).as_secs_f64();
    Ok(outcome)
}

fn as_text(name: &str, outcome: &Outcome) -> String {
    let places: Vec<String> = outcome.wakes.iter().map(|wake| format!("{:.2} s", wake.onset.seconds())).collect();
    let heard = if places.is_empty() { "not heard".to_owned() } else { format!("heard at {}", places.join(", ")) };
    format!("{name}: {heard} (highest score {:.2})", outcome.highest)
}

fn as_json(name: &str, outcome: &Outcome) -> String {
    let detections: Vec<Value> = outcome
        .wakes
        .iter()
        .map(|wake| {
            let mut line = scored(wake.at.seconds(), wake.scores);
            line["onset_s"] = thousandths(wake.onset.seconds()).into();
            line
        })
        .collect();
    let near_misses: Vec<Value> =
        outcome.near_misses.iter().map(|miss| scored(miss.at.seconds(), miss.scores)).collect();
    json!({
        "file": name,
        "seconds": thousandths(outcome.seconds),
        "cpu_s": thousandths(outcome.cpu_s),
        "max_score": thousandths(f64::from(outcome.highest)),
        "detections": detections,
        "near_misses": near_misses,
    })
    .to_string()
}

fn scored(at_s: f64, scores: Scores) -> Value {
    json!({
        "at_s": thousandths(at_s),
        "score": thousandths(f64::from(scores.score)),
        "first": thousandths(f64::from(scores.peak)),
        "second": scores.log_probability.map(|value| thousandths(f64::from(value))),
    })
}
