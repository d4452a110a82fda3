//! `sotto bench recogniser`: what a spoken command costs, ours and faster-whisper's, on the same recordings in one run.
//!
//! The peer is as its users have it: weights in 8 bits, one thread, Whisper's whole window of 30 s, the best token each
//! time. Both times are CPU time from decoded sound to text, without loading.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use asr::{Session, Whisper};
use base::{Redacted, SystemClock};
use clap::Args;
use rustix::time::{ClockId, clock_gettime};
use speech::{Deadline, Recognizer, WhisperRecognizer};

use crate::bench::splice;
use crate::failure::Failure;
use crate::places::Places;
use crate::transcribe::Model;

/// The recordings: spoken commands by many voices.
const SOURCES: [&str; 2] = ["speech-to-phrase", "picovoice-s2i"];
/// Recordings of words, for the verifier, which looks at this much at most.
const WORD_SOURCE: &str = "picovoice-wwb";
const VERIFIER_WINDOW_SAMPLES: usize = 32_000;
/// Every so manieth of them.
const WORDS_EVERY: usize = 6;

/// Runs faster-whisper over the files whose names come in, a line each, and prints the CPU seconds of each.
const PEER: &str = "import sys, time
from faster_whisper import WhisperModel, decode_audio
model = WhisperModel(sys.argv[1], device='cpu', compute_type='int8', cpu_threads=1)
for line in sys.stdin:
    sound = decode_audio(line.rstrip('\\n'))
    start = time.process_time()
    segments, _ = model.transcribe(sound, language='en', beam_size=1, temperature=0.0, without_timestamps=True,
        condition_on_previous_text=False, compression_ratio_threshold=None, log_prob_threshold=None,
        no_speech_threshold=None)
    ''.join(segment.text for segment in segments)
    print(time.process_time() - start, flush=True)
";

/// Measures what recognition costs.
#[derive(Args, Debug)]
pub(crate) struct RecogniserArgs {
    /// The recogniser.
    #[arg(long, value_enum, default_value_t = Model::TinyEn)]
    model: Model,
    /// A Python that has faster-whisper (pip install faster-whisper), to be measured beside it.
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
    /// Measure every so manieth recording only.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    every: u64,
    /// Instead: how often sounds without speech (a folder of recordings) become words, in pieces of 1 to 6 s.
    #[arg(long, value_name = "DIR")]
    noise: Option<PathBuf>,
    /// One JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs the benchmark and prints its figures.
pub(crate) fn run(args: &RecogniserArgs, places: &Places) -> Result<(), Failure> {
    if let Some(noise) = &args.noise {
        return words_of_noise(noise, args, &places.models().join(args.model.folder()));
    }
    let data = splice::development_data()?;
    let every = usize::try_from(args.every).unwrap_or(1);
    let commands: Vec<PathBuf> = files(&data, &SOURCES)?.into_iter().step_by(every).collect();
    let words: Vec<PathBuf> = files(&data, &[WORD_SOURCE])?.into_iter().step_by(WORDS_EVERY * every).collect();
    let folder = places.models().join(args.model.folder());
    let ours = transcribe(&folder, &commands)?;
    let verifier = verify(&folder, &words)?;
    let peers = args.python.as_deref().map(|python| peer(python, &folder, &commands)).transpose()?;
    let line = serde_json::json!({
        "bench": "recogniser", "model": args.model.name(), "files": commands.len(), "speech": "human",
        "cpu_s": mean(&ours), "peer": "faster-whisper int8, full window",
        "peer_cpu_s": peers.as_deref().map(mean),
        "ratio": peers.as_deref().map(|peers| mean(&ours) / mean(peers)),
        "verifier": { "files": words.len(), "window_s": 2.0, "p50_ms": median(&verifier) * 1e3, "mean_ms": mean(&verifier) * 1e3 },
    });
    if args.json {
        crate::print_line(&line.to_string())?;
        return Ok(());
    }
    crate::print_line(&format!("Whisper {}, {} spoken commands, CPU time", args.model.name(), commands.len()))?;
    crate::print_line(&format!("  ours            {:>7.1} ms a command", mean(&ours) * 1e3))?;
    if let Some(peers) = peers {
        crate::print_line(&format!("  faster-whisper  {:>7.1} ms a command", mean(&peers) * 1e3))?;
        crate::print_line(&format!("  ratio           {:>7.3}", mean(&ours) / mean(&peers)))?;
    }
    crate::print_line(&format!(
        "  a word looked for in 2 s  {:.1} ms (median of {})",
        median(&verifier) * 1e3,
        words.len()
    ))?;
    Ok(())
}

/// Pieces of noise are this many seconds long, in turn.
const NOISE_SECONDS: [usize; 6] = [1, 2, 3, 4, 5, 6];

/// Prints how many pieces of the folder's recordings become words, in our window and in the full one.
fn words_of_noise(folder: &Path, args: &RecogniserArgs, model: &Path) -> Result<(), Failure> {
    let failure = |why: std::io::Error| Failure::usage(format!("{}: {why}", folder.display()));
    let mut recordings: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(failure)?
        .map(|entry| entry.map(|entry| entry.path()).map_err(failure))
        .collect::<Result<_, _>>()?;
    recordings.retain(|path| path.extension().is_some_and(|end| end == "flac" || end == "wav" || end == "opus"));
    recordings.sort();
    let mut pieces: Vec<Vec<i16>> = Vec::new();
    for path in &recordings {
        let pcm = sound::decode_file(path).map_err(|why| Failure::usage(why.to_string()))?;
        let mut rest = pcm.as_slice();
        while !rest.is_empty() {
            let seconds = NOISE_SECONDS[pieces.len() % NOISE_SECONDS.len()];
            let (piece, later) = rest.split_at(rest.len().min(seconds * base::SAMPLE_RATE_HZ as usize));
            pieces.push(piece.to_vec());
            rest = later;
        }
    }
    let pieces: Vec<Vec<i16>> = pieces.into_iter().step_by(usize::try_from(args.every).unwrap_or(1)).collect();
    let load = || WhisperRecognizer::load(model).map_err(|why| Failure::no(why.to_string()));
    let whenever = Deadline::within(Arc::new(SystemClock::new()), Duration::MAX);
    let count = |recognizer: &WhisperRecognizer| -> Result<usize, Failure> {
        let mut n_words = 0;
        for piece in &pieces {
            let heard = recognizer.recognize(piece, &whenever).map_err(|why| Failure::no(why.to_string()))?;
            n_words += usize::from(heard.text.expose().contains(char::is_alphanumeric));
        }
        Ok(n_words)
    };
    let (ours, full) = (count(&load()?)?, count(&load()?.with_full_window())?);
    let line = serde_json::json!({
        "bench": "recogniser noise", "model": args.model.name(), "pieces": pieces.len(), "words": ours,
        "words_full_window": full,
    });
    let n = pieces.len();
    crate::print_line(&if args.json {
        line.to_string()
    } else {
        format!("{n} pieces of noise: {ours} became words, {full} with the full window")
    })?;
    Ok(())
}

fn files(data: &Path, sources: &[&str]) -> Result<Vec<PathBuf>, Failure> {
    let clips = splice::clips(data)?;
    let files: Vec<PathBuf> =
        clips.iter().filter(|clip| sources.contains(&clip.source())).map(|clip| clip.path().to_owned()).collect();
    if files.is_empty() { Err(Failure::usage("the recordings hold no commands")) } else { Ok(files) }
}

fn transcribe(folder: &Path, files: &[PathBuf]) -> Result<Vec<f64>, Failure> {
    let recognizer = WhisperRecognizer::load(folder).map_err(|why| Failure::no(why.to_string()))?;
    let whenever = Deadline::within(Arc::new(SystemClock::new()), Duration::MAX);
    let cpu_s = |file: &PathBuf| {
        let pcm = sound::decode_file(file).map_err(|why| Failure::usage(why.to_string()))?;
        let heard = recognizer.recognize(&pcm, &whenever).map_err(|why| Failure::no(why.to_string()))?;
        Ok(heard.cpu.as_secs_f64())
    };
    files.iter().map(cpu_s).collect()
}

/// CPU seconds of looking for "Alexa" in the end of each file.
fn verify(folder: &Path, files: &[PathBuf]) -> Result<Vec<f64>, Failure> {
    let failure = |why: asr::AsrError| Failure::no(why.to_string());
    let path = folder.join("model.i8");
    let file = std::fs::File::open(&path).map_err(|why| Failure::no(format!("{}: {why}", path.display())))?;
    let whisper = Whisper::read(&mut std::io::BufReader::new(file)).map_err(failure)?;
    let phrase = whisper.phrase(&["Alexa"]).map_err(failure)?;
    let mut session: Session = whisper.session();
    let mut seconds = Vec::new();
    for file in files {
        let pcm = sound::decode_file(file).map_err(|why| Failure::usage(why.to_string()))?;
        let window = &pcm[pcm.len().saturating_sub(VERIFIER_WINDOW_SAMPLES)..];
        let sound = Redacted::new(window.iter().map(|sample| f32::from(*sample) / 32_768.0).collect::<Vec<_>>());
        let start = cpu_time();
        whisper.spot_in(&mut session, sound.expose(), &phrase, &|| false).map_err(failure)?;
        seconds.push((cpu_time() - start).as_secs_f64());
    }
    Ok(seconds)
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

fn peer(python: &Path, folder: &Path, files: &[PathBuf]) -> Result<Vec<f64>, Failure> {
    use std::io::Write as _;
    let failed = |why: std::io::Error| Failure::no(format!("{}: {why}", python.display()));
    let mut child = Command::new(python)
        .args(["-c", PEER])
        .arg(folder)
        .env("OMP_NUM_THREADS", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let names: String = files.iter().map(|file| format!("{}\n", file.display())).collect();
    // A hundred names fit into a pipe.
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(names.as_bytes()).map_err(failed)?;
    }
    let output = child.wait_with_output().map_err(failed)?;
    let seconds: Vec<f64> =
        String::from_utf8_lossy(&output.stdout).lines().filter_map(|line| line.parse().ok()).collect();
    if output.status.success() && seconds.len() == files.len() {
        Ok(seconds)
    } else {
        Err(Failure::no(format!("{} did not run faster-whisper to the end", python.display())))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred numbers")]
fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len().max(1) as f64
}

fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}
