//! A bench by hand: what is heard in recordings, and the CPU time it took: file, seconds, CPU seconds, tokens, mean
//! log-probability, probability of no speech, text.
//!
//! `cargo run --release -p asr --example listen -- MODEL_DIR cut|full FILE…`
#![expect(clippy::print_stdout, reason = "it prints")]

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Duration;

use asr::{ModelBytes, Options, Whisper, Window};
use rustix::time::{ClockId, clock_gettime};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, window, files @ ..] = arguments.as_slice() else {
        return Err("usage: listen MODEL_DIR cut|full FILE…".into());
    };
    let folder = Path::new(folder);
    let (model, config) = (fs::read(folder.join("model.bin"))?, fs::read(folder.join("config.json"))?);
    let vocabulary = fs::read(folder.join("vocabulary.txt"))?;
    let start = cpu();
    let whisper = Whisper::from_bytes(ModelBytes { model: &model, config: &config, vocabulary: &vocabulary })?;
    println!("loaded in {:.3} CPU-s", (cpu() - start).as_secs_f64());
    let window = if window == "full" { Window::Full } else { Window::Cut };
    let mut total = Duration::ZERO;
    for file in files {
        let pcm = sound::decode_file(Path::new(file))?;
        let sound: Vec<f32> = pcm.into_iter().map(|sample| f32::from(sample) / 32_768.0).collect();
        let start = cpu();
        let heard = whisper.transcribe(&sound, &Options { window, ..Options::to_the_end() })?;
        let spent = cpu() - start;
        total += spent;
        let name = Path::new(file).file_stem().unwrap_or_default().to_string_lossy();
        let seconds = sound.len() as f32 / 16_000.0;
        println!(
            "{name}\t{seconds:.2}\t{:.3}\t{}\t{:.2}\t{:.2}\t{}",
            spent.as_secs_f64(),
            heard.tokens.expose().len(),
            heard.avg_logprob,
            heard.no_speech,
            heard.text.expose()
        );
    }
    println!("{:.3} CPU-s a file", total.as_secs_f64() / files.len().max(1) as f64);
    Ok(())
}

fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or_default())
}
