//! The stream starts 500 ms before the word, through the whole path, on splices whose onset is known to the sample.

use base::SampleCount;
use learn::bounds::word_bounds;

use test_speech::{Clip, people};

use crate::home::Home;

/// Words that are laid into noise: spread over the voices.
const WORDS: usize = 16;
/// How far the stream's start may be off for 95 of 100 words.
const P95_MS: f64 = 50.0;
/// Faint enough, below the loudest 10 ms, to be no speech any more; samples in 10 ms.
const FAINT_DB: f64 = 20.0;
const HOP: usize = 160;

#[test]
fn i5_the_stream_begins_500_ms_before_the_onset() {
    let words = word_alone(test_speech::words("Alexa"));
    check_starts("synthetic voices", &words, &test_speech::commands(5), &test_speech::kitchen(60 * 16_000));
    if let Some(kitchen) = people::recording("noise/kitchen.flac") {
        let words = word_alone(people::clips("picovoice-wwb", "alexa"));
        check_starts("people", &words, &people::clips("speech-to-phrase", ""), &kitchen);
    }
}

/// The words of clips, cut where they begin and end.
fn word_alone(clips: Vec<Clip>) -> Vec<Vec<i16>> {
    clips.iter().filter_map(|clip| word_bounds(&clip.pcm).map(|bounds| clip.pcm[bounds].to_vec())).collect()
}

fn check_starts(who: &str, words: &[Vec<i16>], speech: &[Clip], kitchen: &[i16]) {
    let home = Home::new();
    let mut errors_ms = [Vec::new(), Vec::new()];
    let mut paths = Vec::new();
    for (index, word) in words.iter().step_by(words.len() / WORDS).take(WORDS).enumerate() {
        let before = &speech[index % speech.len()].pcm;
        for running in [false, true] {
            let before = running.then_some(without_quiet_end(before));
            let (samples, onset) = splice(word, before, &kitchen[index * 8_000..]);
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
        assert!(errors.len() * 10 >= WORDS * 7, "{who} {name}: only {} of {WORDS} woke", errors.len());
        let (median, p95) = (errors[errors.len() / 2], errors[(errors.len() * 95 / 100).min(errors.len() - 1)]);
        println!("onset of {who} {name}: median {median:.0} ms, 95th percentile {p95:.0} ms, of {}", errors.len());
        assert!(p95 <= P95_MS, "{who} {name}: 95th percentile {p95} ms");
    }
}

/// Speech up to the last 10 ms that are no longer than [`FAINT_DB`] below the loudest: what follows runs right behind it.
fn without_quiet_end(samples: &[i16]) -> &[i16] {
    let power = |hop: &[i16]| hop.iter().map(|sample| f64::from(*sample).powi(2)).sum::<f64>();
    let powers: Vec<f64> = samples.chunks(HOP).map(power).collect();
    let faint = powers.iter().copied().fold(0.0, f64::max) / 10_f64.powf(FAINT_DB / 10.0);
    let last = powers.iter().rposition(|power| *power > faint).unwrap_or(0);
    &samples[..((last + 1) * HOP).min(samples.len())]
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
