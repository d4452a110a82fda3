//! A maintainer's tool: renders what a device says and sounds when its cloud cannot speak for it.
//!
//! `cargo run --release -p speech --example render_prompts -- crates/device/link/prompts`

use std::error::Error;
use std::f64::consts::{PI, TAU};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use base::{Redacted, SAMPLE_RATE_HZ};
use sound::{Converter, write_wav};
use speech::{Espeak, EspeakConfig, Pcm, Synthesizer};

const PROMPTS: [(&str, &str); 7] = [
    ("offline", "I can't reach my cloud right now. Nothing was kept."),
    ("not_paired", "I'm not paired yet. Open the app to pair me."),
    ("revoked", "I was removed from this account. Pair me again to use me."),
    ("failed", "Sorry, that didn't work. Please try again."),
    ("wrong_version", "My cloud and I have different versions. Please update us."),
    ("paired", "I'm paired. You can talk to me now."),
    ("pairing_failed", "That code didn't work. Please get a new one in the app."),
];

/// All tones are of A major, as the timer's melody will be.
const A3_HZ: f64 = 220.0;
const CIS4_HZ: f64 = A3_HZ * 5.0 / 4.0;
const A4_HZ: f64 = A3_HZ * 2.0;
const E5_HZ: f64 = A4_HZ * 3.0 / 2.0;

/// Two notes each: the start rises, the end falls, the error is low.
const TONES: [(&str, [f64; 2]); 3] =
    [("tone_start", [A4_HZ, E5_HZ]), ("tone_end", [E5_HZ, A4_HZ]), ("tone_error", [CIS4_HZ, A3_HZ])];

const TONE_DBFS: f64 = -18.0;
const NOTE_MS: usize = 85;
const ATTACK_MS: f64 = 12.0;
const RELEASE_MS: f64 = 30.0;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("usage: render_prompts FOLDER")?);
    let espeak = Espeak::new(EspeakConfig::english());
    for (name, text) in PROMPTS {
        let pcm = espeak.speak(&Redacted::new(String::from(text)))?;
        write(&folder, name, &at_16k(&pcm)?)?;
    }
    for (name, notes_hz) in TONES {
        write(&folder, name, &tone(notes_hz))?;
    }
    Ok(())
}

fn tone(notes_hz: [f64; 2]) -> Vec<i16> {
    let rate = f64::from(SAMPLE_RATE_HZ);
    let n_samples = NOTE_MS * SAMPLE_RATE_HZ as usize / 1_000;
    let peak = f64::from(i16::MAX) * 10_f64.powf(TONE_DBFS / 20.0) * 2_f64.sqrt();
    let ramp = |ms: f64, span_ms: f64| (PI * (1.0 - (ms / span_ms).min(1.0))).cos().mul_add(0.5, 0.5);
    let sample = |hz: f64, i: usize| {
        let ms = i as f64 * 1_000.0 / rate;
        let phase = TAU * hz * i as f64 / rate;
        // A breath of the octave takes the whistle out of it.
        let wave = (phase.sin() + 0.15 * (2.0 * phase).sin()) / 1.011;
        (peak * wave * ramp(ms, ATTACK_MS) * ramp(NOTE_MS as f64 - ms, RELEASE_MS)).round() as i16
    };
    notes_hz.iter().flat_map(|hz| (0..n_samples).map(move |i| sample(*hz, i))).collect()
}

fn at_16k(pcm: &Pcm) -> Result<Vec<i16>, String> {
    let samples: Vec<f32> = pcm.samples.expose().iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
    let mut converter = Converter::new(pcm.rate_hz, 1)?;
    let mut out = Vec::new();
    converter.push(&samples, &mut out);
    converter.finish(&mut out);
    Ok(out)
}

fn write(folder: &Path, name: &str, samples: &[i16]) -> io::Result<()> {
    write_wav(File::create(folder.join(name).with_extension("wav"))?, SAMPLE_RATE_HZ, samples)
}
