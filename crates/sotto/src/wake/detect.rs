//! `sotto wake detect`: where a wake word is heard in recordings.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{SAMPLE_RATE_HZ, limits::CHUNK};
use clap::Args;
use ear::{Models, WakeDetector, Word, WordModel};
use serde_json::json;

use super::{cpu_time, parse_threshold, parse_word, thousandths, weights};
use crate::failure::Failure;

/// Says where a wake word is heard in recordings.
#[derive(Args, Debug)]
pub(crate) struct DetectArgs {
    /// The word
    #[arg(long, default_value = "alexa", value_parser = parse_word)]
    word: Word,
    /// The score that wakes, between 0 and 1 [default: the word's own]
    #[arg(long, value_parser = parse_threshold)]
    threshold: Option<f32>,
    /// The stages that must agree; there is one so far
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=1))]
    stage: u8,
    /// Weights from a training instead of those that ship
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    /// Recordings: WAV, FLAC or Ogg Opus
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Prints what is heard in each file in turn; the first that cannot be heard ends it.
pub(super) fn run(args: &DetectArgs, models: &Models) -> Result<(), Failure> {
    let model = weights(args.word, args.weights.as_deref())?;
    for file in &args.files {
        crate::print_line(&detect(args, models, &model, file)?);
    }
    Ok(())
}

fn detect(args: &DetectArgs, models: &Models, model: &Arc<WordModel>, file: &Path) -> Result<String, Failure> {
    let name = file.display().to_string();
    let pcm = super::material::decode(file)?;
    let start = cpu_time();
    let mut detector = WakeDetector::with_model(models, Arc::clone(model), args.threshold)
        .map_err(|why| Failure::no(why.to_string()))?;
    let mut highest = 0.0_f32;
    let mut wakes = Vec::new();
    for chunk in pcm.chunks(usize::try_from(CHUNK.0).unwrap_or(1)) {
        wakes.extend(detector.push(chunk));
        highest = highest.max(detector.score());
    }
    let cpu_s = (cpu_time() - start).as_secs_f64();
    if !args.json {
        let places: Vec<String> = wakes.iter().map(|wake| format!("{:.2} s", wake.onset.seconds())).collect();
        let heard =
            if places.is_empty() { "not heard".to_owned() } else { format!("heard at {}", places.join(", ")) };
        return Ok(format!("{name}: {heard} (highest score {highest:.2})"));
    }
    let detections: Vec<_> = wakes
        .iter()
        .map(|wake| {
            json!({
                "at_s": thousandths(wake.at.seconds()),
                "onset_s": thousandths(wake.onset.seconds()),
                "score": thousandths(f64::from(wake.score)),
            })
        })
        .collect();
    Ok(json!({
        "file": name,
        "seconds": thousandths(pcm.len() as f64 / f64::from(SAMPLE_RATE_HZ)),
        "cpu_s": thousandths(cpu_s),
        "max_score": thousandths(f64::from(highest)),
        "detections": detections,
    })
    .to_string())
}
