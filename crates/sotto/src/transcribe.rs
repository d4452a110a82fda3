//! `sotto transcribe`: what recordings say, without a device or a cloud.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base::{SAMPLE_RATE_HZ, SystemClock};
use clap::{Args, ValueEnum};
use speech::{Deadline, Recognizer, WhisperRecognizer};

use crate::failure::Failure;
use crate::places::Places;
use crate::recordings;

/// Writes down what recordings say.
#[derive(Args, Debug)]
pub(crate) struct TranscribeArgs {
    /// The recogniser: tiny.en is quick, base hears more
    #[arg(long, value_enum, default_value_t = Model::TinyEn)]
    model: Model,
    /// Compute Whisper's whole window of 30 s, however short the recording
    #[arg(long)]
    full_window: bool,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    /// Recordings: WAV, AIFF, AU, FLAC or Ogg Opus; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// A size of the recogniser.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Model {
    #[value(name = "tiny.en")]
    TinyEn,
    #[value(name = "base")]
    Base,
}

impl Model {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::TinyEn => "tiny.en",
            Self::Base => "base",
        }
    }

    /// The folder among the models.
    pub(crate) const fn folder(self) -> &'static str {
        match self {
            Self::TinyEn => "whisper-tiny-en",
            Self::Base => "whisper-base",
        }
    }
}

/// Prints the text of each file in turn; one that cannot be heard is told, and the next is tried.
pub(crate) fn run(args: &TranscribeArgs, places: &Places) -> Result<(), Failure> {
    let folder = places.models().join(args.model.folder());
    crate::models::is_here(&folder, args.model.folder())?;
    let recognizer = WhisperRecognizer::load(&folder).map_err(|why| Failure::no(why.to_string()))?;
    let recognizer = if args.full_window { recognizer.with_full_window() } else { recognizer };
    recordings::print_each(&args.files, |file| transcribe(&recognizer, file, args.json))
}

fn transcribe(recognizer: &impl Recognizer, file: &Path, json: bool) -> Result<String, Failure> {
    let name = file.display().to_string();
    let pcm = recordings::decode(file)?;
    let whenever = Deadline::within(Arc::new(SystemClock::new()), Duration::MAX);
    let heard = recognizer.recognize(&pcm, &whenever).map_err(|why| Failure::usage(format!("{name}: {why}")))?;
    let text = heard.text.expose();
    if !json {
        return Ok(format!("{name}: {text}"));
    }
    let seconds = thousandths(pcm.len() as f64 / f64::from(SAMPLE_RATE_HZ));
    let cpu_s = thousandths(heard.cpu.as_secs_f64());
    Ok(serde_json::json!({ "file": name, "text": text, "seconds": seconds, "cpu_s": cpu_s }).to_string())
}

fn thousandths(seconds: f64) -> f64 {
    (seconds * 1_000.0).round() / 1_000.0
}
