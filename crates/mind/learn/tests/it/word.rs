//! The word is heard, where it began is known, and other speech wakes nobody.

use std::sync::Arc;

use ear::features::STEP;
use ear::{Models, Wake, WakeDetector, Word};
use learn::random::Chance;
use learn::scene::room::Rooms;
use learn::scene::{Props, WordClip};
use learn::wake::{OnsetErrors, onset_errors};
use test_speech::{Clip, Voice, people};

/// Splices of each clip: other noise, other speech before it.
const SPLICES: usize = 12;
/// How far the onset may be off, for 95 of 100 words.
const P95_MS: f64 = 50.0;

fn wakes(models: &Models, pcm: &[i16]) -> Vec<Wake> {
    let mut detector = WakeDetector::new(models, Word::Alexa, None).expect("the shipped weights are whole");
    pcm.chunks(STEP).filter_map(|chunk| detector.push(chunk)).collect()
}

/// A recording in a quiet room: two seconds before it, one behind it.
fn in_a_room(pcm: &[i16]) -> Vec<i16> {
    let mut chance = Chance::new(1);
    let mut room = |len: usize| -> Vec<i16> { (0..len).map(|_| (chance.normal() * 8.0) as i16).collect() };
    [room(32_000), pcm.to_vec(), room(16_000)].concat()
}

/// The one clip of those left out that the first stage alone misses at the word's own threshold: it reaches 0.94 (see
/// the weights' card for what each threshold misses and lets through). Should it wake one day, this name goes.
const MISSED: &str = "alexa_keep_going";

/// Synthetic voices that the first stage hears without the second.
const VOICES: [Voice; 3] = [Voice::Rms, Voice::Awb, Voice::British];

/// Requests that begin with the word: by voices and by people who were left out of the training.
fn requests() -> Vec<Clip> {
    let voices = VOICES.map(|voice| Clip {
        name: format!("{voice:?}"),
        label: test_speech::REQUEST.to_owned(),
        pcm: voice.say(test_speech::REQUEST),
    });
    voices.into_iter().chain(people::clips("richtier-alexa", "")).collect()
}

fn is_missed(clip: &Clip) -> bool {
    clip.name.contains(MISSED)
}

/// The requests that are heard, from the word's first sound on, with the command behind it.
fn heard() -> Vec<WordClip> {
    let mut clips = Vec::new();
    for Clip { name, pcm, .. } in requests().into_iter().filter(|clip| !is_missed(clip)) {
        let loudness = |hop: usize| -> f32 {
            pcm[hop * 80..hop * 80 + 160].iter().map(|sample| f32::from(*sample).powi(2)).sum::<f32>().sqrt()
        };
        let hops = pcm.len() / 80 - 2;
        let peak = (0..hops).map(loudness).fold(0.0, f32::max);
        // 28 dB below the loudest, for 20 ms.
        let is_word = |hop: &usize| (*hop..hop + 4).all(|hop| loudness(hop) > peak * 0.04);
        let start = (0..hops - 4).find(is_word).expect("the clip holds speech") * 80 + 40;
        clips.push(WordClip { name, bounds: start..pcm.len(), pcm });
    }
    clips
}

#[test]
fn voices_and_people_who_were_left_out_of_the_training_are_heard() {
    let Some(models) = crate::models() else { return };
    for clip in requests() {
        let expected = usize::from(!is_missed(&clip));
        assert_eq!(wakes(&models, &in_a_room(&clip.pcm)).len(), expected, "{}", clip.name);
    }
}

#[test]
fn speech_without_the_word_wakes_nobody() {
    let Some(models) = crate::models() else { return };
    let sources = ["speech-to-phrase", "rhasspy-old", "mycroft-core", "raven", "snowboy"];
    let of_people = sources.into_iter().flat_map(|source| people::clips(source, ""));
    for clip in test_speech::commands(60).into_iter().chain(of_people) {
        assert!(wakes(&models, &in_a_room(&clip.pcm)).is_empty(), "{}", clip.name);
    }
}

#[test]
fn the_onset_is_found_in_room_noise_and_behind_other_speech() {
    let Some(models) = crate::models() else { return };
    let clips = heard();
    let clips: Vec<&WordClip> = clips.iter().collect();
    let (mut kitchen, mut speech) = (test_speech::kitchen(30 * 16_000), test_speech::commands(20));
    if let Some(recorded) = people::recording("noise/kitchen.flac") {
        kitchen = recorded[40 * 16_000..].to_vec();
        speech = people::clips("resemblyzer-librispeech", "");
    }
    let speech = speech.into_iter().map(|clip| clip.pcm.into()).collect();
    let props = Props { speech, noises: vec![kitchen], rooms: Rooms::new(&[]) };
    let model = Arc::new(Word::Alexa.model().expect("whole"));
    let mut chance = Chance::new(2);
    let mut measure = |after_speech: bool| {
        let mut all = OnsetErrors::default();
        for _ in 0..SPLICES {
            let found = onset_errors(&models, &model, &clips, after_speech, &props, &mut chance);
            all.errors.extend(found.errors);
            all.missed += found.missed;
        }
        let (median, p95) = (all.quantile_ms(0.5), all.quantile_ms(0.95));
        let place = if after_speech { "behind other speech" } else { "in room noise" };
        println!("onset {place}: {} words, median {median:.1} ms, 95th percentile {p95:.1} ms", all.errors.len());
        // A synthetic voice's word, heard by the first stage alone, drowns sooner than a person's.
        let missed_max = clips.len() * SPLICES / 10 + VOICES.len() * SPLICES / 2;
        assert!(all.missed <= missed_max, "{place}: {} words did not wake", all.missed);
        assert!(median <= p95 && p95 <= P95_MS, "{place}");
    };
    measure(false);
    measure(true);
}
