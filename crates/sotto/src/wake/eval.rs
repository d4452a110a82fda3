//! `sotto wake eval`: a word's misses and false accepts on a table of labelled recordings.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{SAMPLE_RATE_HZ, limits::CHUNK};
use clap::Args;
use ear::{Models, WakeDetector, Word, WordModel};
use serde_json::json;

use super::material::{Table, decode};
use super::{cpu_time, parse_threshold, parse_word, thousandths, weights};
use crate::failure::Failure;

/// Silence before and behind each recording, in samples: a word at its very end must have time to be heard.
const AROUND: usize = 16_000;

/// Scores a wake word on labelled recordings.
#[derive(Args, Debug)]
pub(crate) struct EvalArgs {
    /// The word
    #[arg(long, default_value = "alexa", value_parser = parse_word)]
    word: Word,
    /// The score that wakes, between 0 and 1 [default: the word's own]
    #[arg(long, value_parser = parse_threshold)]
    threshold: Option<f32>,
    /// Weights from a training instead of those that ship
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// Only rows of this source; may be given more than once
    #[arg(long, value_name = "NAME")]
    source: Vec<String>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    /// A table with tabs, names on top: `path` or `file`, `label`, `source`; recordings lie beside it. A recording
    /// whose label begins with the word must wake, one whose label does not hold it must not
    #[arg(value_name = "TABLE")]
    table: PathBuf,
}

/// What is counted.
#[derive(Debug, Default)]
struct Score {
    clips: usize,
    missed: Vec<String>,
    other_samples: usize,
    false_accepts: Vec<String>,
    samples: usize,
    cpu_s: f64,
}

/// Prints each miss and false accept, then the figures.
pub(super) fn run(args: &EvalArgs, models: &Models) -> Result<(), Failure> {
    let model = weights(args.word, args.weights.as_deref())?;
    let folder = args.table.parent().unwrap_or(Path::new("."));
    let mut score = Score::default();
    for (name, holds_word) in recordings(args)? {
        play(args, models, &model, (&name, &decode(&folder.join(&name))?, holds_word), &mut score)?;
    }
    print(args, &model, &score);
    Ok(())
}

/// The table's recordings by name, and whether each begins with the word. What holds the word elsewhere is left out.
fn recordings(args: &EvalArgs) -> Result<BTreeMap<String, bool>, Failure> {
    let table = Table::read(&args.table)?;
    let word = args.word.name();
    let mut recordings: BTreeMap<String, Option<bool>> = BTreeMap::new();
    for row in table.rows() {
        if !args.source.is_empty() && !args.source.iter().any(|source| source == row.get("source")) {
            continue;
        }
        let name = if row.get("path").is_empty() { row.get("file") } else { row.get("path") };
        let label = row.get("label").to_lowercase();
        let holds_word = match (label.starts_with(word), label.contains(word)) {
            (true, _) => Some(true),
            (false, true) => None,
            (false, false) => Some(false),
        };
        let known = recordings.entry(name.to_owned()).or_insert(holds_word);
        *known = if *known == holds_word { holds_word } else { None };
    }
    if recordings.is_empty() {
        return Err(Failure::usage(format!("{}: no recordings in it", args.table.display())));
    }
    Ok(recordings.into_iter().filter_map(|(name, holds_word)| Some((name, holds_word?))).collect())
}

fn play(
    args: &EvalArgs,
    models: &Models,
    model: &Arc<WordModel>,
    (name, pcm, holds_word): (&str, &[i16], bool),
    score: &mut Score,
) -> Result<(), Failure> {
    let mut padded = vec![0; AROUND];
    padded.extend_from_slice(pcm);
    padded.resize(padded.len() + AROUND, 0);
    let start = cpu_time();
    let mut detector = WakeDetector::with_model(models, Arc::clone(model), args.threshold)
        .map_err(|why| Failure::no(why.to_string()))?;
    let chunks = padded.chunks(usize::try_from(CHUNK.0).unwrap_or(1));
    let wakes: Vec<_> = chunks.filter_map(|chunk| detector.push(chunk)).collect();
    score.cpu_s += (cpu_time() - start).as_secs_f64();
    score.samples += padded.len();
    if holds_word {
        score.clips += 1;
        if wakes.is_empty() {
            score.missed.push(name.to_owned());
        }
    } else {
        score.other_samples += pcm.len();
        let at = |wake: &ear::Wake| format!("{name} at {:.2} s", wake.at.seconds() - AROUND as f64 / 16_000.0);
        score.false_accepts.extend(wakes.iter().map(at));
    }
    Ok(())
}

fn print(args: &EvalArgs, model: &WordModel, score: &Score) {
    let rate = f64::from(SAMPLE_RATE_HZ);
    let hours = score.other_samples as f64 / rate / 3_600.0;
    let per_hour = if hours > 0.0 { score.false_accepts.len() as f64 / hours } else { 0.0 };
    let threshold = f64::from(args.threshold.unwrap_or(model.threshold));
    let cpu_part = score.cpu_s / (score.samples as f64 / rate).max(1e-9);
    if args.json {
        crate::print_line(
            &json!({
                "word": args.word.name(), "threshold": thousandths(threshold),
                "clips": score.clips, "missed": score.missed,
                "hours": thousandths(hours), "false_accepts": score.false_accepts,
                "false_accepts_per_hour": thousandths(per_hour), "cpu_per_stream": thousandths(cpu_part),
            })
            .to_string(),
        );
        return;
    }
    score.missed.iter().for_each(|name| crate::print_line(&format!("missed: {name}")));
    score.false_accepts.iter().for_each(|name| crate::print_line(&format!("false accept: {name}")));
    let (missed, accepts) = (score.missed.len(), score.false_accepts.len());
    crate::print_line(&format!("{missed} of {} missed at a threshold of {threshold:.2}", score.clips));
    crate::print_line(&format!("{accepts} false accepts in {hours:.2} h: {per_hour:.2} an hour"));
    crate::print_line(&format!("{:.2} % of a core per stream", 100.0 * cpu_part));
}
