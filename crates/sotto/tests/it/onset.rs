//! The stream starts 500 ms before the word, through the whole path, on splices whose onset is known to the sample.

use std::path::PathBuf;

use base::SampleCount;

use crate::home::{Home, clips, recordings};

/// Words that are laid into noise: spread over the voices.
const WORDS: usize = 16;

#[test]
fn i5_the_stream_begins_500_ms_before_the_onset() {
    let Some(data) = recordings() else { return };
    let home = Home::new();
    let words: Vec<PathBuf> = clips(&data, "picovoice-wwb")
        .into_iter()
        .filter(|(_, label)| label == "alexa")
        .map(|(path, _)| path)
        .collect();
    let speech = sound::decode_file(&clips(&data, "speech-to-phrase")[0].0).expect("decodes");
    let kitchen = sound::decode_file(&data.join("noise/kitchen.flac")).expect("decodes");
    let mut errors_ms = [Vec::new(), Vec::new()];
    let mut paths = Vec::new();
    for (index, path) in words.iter().step_by(words.len() / WORDS).take(WORDS).enumerate() {
        let word = sound::decode_file(path).expect("decodes");
        let word = trimmed(&word);
        for running in [false, true] {
            let (samples, onset) = splice(word, running.then_some(trimmed(&speech)), &kitchen[index * 8_000..]);
            let file = home.dir.path().join(format!("{index}-{running}.wav"));
            sound::write_wav(std::fs::File::create(&file).expect("creates"), 16_000, &samples).expect("writes");
            paths.push((file, onset, running));
        }
    }
    let files: Vec<&str> = paths.iter().map(|(file, _, _)| file.to_str().expect("UTF-8")).collect();
    let said = home.sotto(&[&["ask", "--fast", "--json"], files.as_slice()].concat());
    for (file, onset, running) in &paths {
        let line = said.lines.iter().find(|line| line["file"] == file.to_str().expect("UTF-8"));
        let Some(start_s) = line.and_then(|line| line["stream"]["start_s"].as_f64()) else { continue };
        let wanted_s = SampleCount(*onset as u64).seconds() - 0.5;
        errors_ms[usize::from(*running)].push((start_s - wanted_s).abs() * 1e3);
    }
    for (name, errors) in ["in room noise", "after running speech"].iter().zip(&mut errors_ms) {
        errors.sort_by(f64::total_cmp);
        assert!(errors.len() * 10 >= WORDS * 7, "{name}: only {} of {WORDS} woke", errors.len());
        let (median, p95) = (errors[errors.len() / 2], errors[(errors.len() * 95 / 100).min(errors.len() - 1)]);
        println!("onset {name}: median {median:.0} ms, 95th percentile {p95:.0} ms, of {}", errors.len());
        assert!(median <= 50.0, "{name}: median {median} ms");
    }
}

/// Speech to the sample: from the first that stands out to the last.
fn trimmed(samples: &[i16]) -> &[i16] {
    let loudest = samples.iter().map(|sample| sample.unsigned_abs()).max().unwrap_or(0);
    let stands_out = |sample: &i16| sample.unsigned_abs() > loudest / 25;
    let first = samples.iter().position(stands_out).unwrap_or(0);
    let last = samples.iter().rposition(stands_out).unwrap_or(0);
    &samples[first..=last]
}

/// The word in a kitchen's noise, 30 dB below, with or without other speech right up to it; and where it begins.
fn splice(word: &[i16], before: Option<&[i16]>, noise: &[i16]) -> (Vec<i16>, usize) {
    let mut speech = vec![0_i16; 16_000];
    speech.extend(before.unwrap_or_default());
    // A breath between words of one sentence.
    speech.extend([0; 800]);
    let onset = speech.len();
    speech.extend(word);
    speech.extend([0; 24_000]);
    let level = |samples: &[i16]| {
        (samples.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>() / samples.len() as f64).sqrt()
    };
    let gain = level(word) / level(&noise[..16_000]) / 10_f64.powf(30.0 / 20.0);
    let mixed = speech
        .iter()
        .zip(noise.iter().cycle())
        .map(|(speech, noise)| (f64::from(*speech) + gain * f64::from(*noise)).clamp(-32_768.0, 32_767.0) as i16);
    (mixed.collect(), onset)
}
