//! What a bad microphone, a bad line or a bad file makes of a sound: the word is still heard where a person would hear
//! it, and nothing that is no speech wakes. All through the whole first stage.

use std::sync::OnceLock;

use ear::features::STEP;
use ear::{Models, WakeDetector, Word};
use proptest::prelude::*;

const RATE: usize = 16_000;
/// Every so-manieth human recording of the word is tried.
const EVERY: usize = 6;

fn shared_models() -> Option<&'static Models> {
    static MODELS: OnceLock<Option<Models>> = OnceLock::new();
    MODELS.get_or_init(crate::models).as_ref()
}

/// Whether the first stage wakes, and its highest score; every score on the way is a number from 0 to 1.
fn listen(models: &Models, pcm: &[i16]) -> (bool, f32) {
    let mut detector = WakeDetector::new(models, Word::Alexa, None).expect("the shipped weights are whole");
    let (mut woke, mut highest) = (false, 0.0_f32);
    for piece in pcm.chunks(STEP) {
        woke |= detector.push(piece).is_some();
        assert!((0.0..=1.0).contains(&detector.score()), "a score of {}", detector.score());
        highest = highest.max(detector.score());
    }
    (woke, highest)
}

fn clip(value: f32) -> i16 {
    value.clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16
}

/// Of the ten words by synthetic voices, so many more may be missed than of people's: the first stage alone hears them, and
/// none of them with much to spare.
const MISSED_OF_MACHINES: usize = 6;

/// Each clip in a quiet room, one and a half seconds of it before and behind.
fn in_a_room(clips: impl Iterator<Item = test_speech::Clip>) -> Vec<Vec<i16>> {
    let room = crate::stream::noise(3 * RATE / 2, 20.0);
    clips.map(|clip| [&room[..], &clip.pcm, &room].concat()).collect()
}

/// How many of the words, by synthetic voices and, where the recordings are, by people, are heard after `spoil`;
/// `missed_max` more of people's than without it may be missed.
fn still_heard(what: &str, missed_max: usize, spoil: impl Fn(&[i16]) -> Vec<i16>) {
    let synthetic = in_a_room(test_speech::clear_words("Alexa").into_iter());
    still_heard_of("synthetic voices", &synthetic, what, missed_max + MISSED_OF_MACHINES, &spoil);
    let people = in_a_room(test_speech::people::clips("picovoice-wwb", "alexa").into_iter().step_by(EVERY));
    still_heard_of("people", &people, what, missed_max, &spoil);
}

fn still_heard_of(who: &str, words: &[Vec<i16>], what: &str, missed_max: usize, spoil: &dyn Fn(&[i16]) -> Vec<i16>) {
    let Some(models) = shared_models() else { return };
    let count =
        |spoil: &dyn Fn(&[i16]) -> Vec<i16>| words.iter().filter(|word| listen(models, &spoil(word)).0).count();
    let (clean, spoilt) = (count(&<[i16]>::to_vec), count(spoil));
    eprintln!("{what}, {who}: {spoilt} of {} words heard, {clean} without", words.len());
    assert!(clean * 10 >= words.len() * 9, "{who}: {clean} of {} heard as they are", words.len());
    assert!(spoilt + missed_max >= clean, "{what}, {who}: {spoilt} heard, {clean} without it");
}

fn each(pcm: &[i16], change: impl Fn(usize, f32) -> f32) -> Vec<i16> {
    pcm.iter().enumerate().map(|(index, sample)| clip(change(index, f32::from(*sample)))).collect()
}

fn tone(hertz: f32, amplitude: f32, index: usize) -> f32 {
    (index as f32 * std::f32::consts::TAU * hertz / RATE as f32).sin() * amplitude
}

#[test]
fn a_clipping_microphone_hears_the_word() {
    still_heard("ten times too loud", 2, |pcm| each(pcm, |_, sample| sample * 10.0));
}

#[test]
fn a_soft_microphone_hears_the_word() {
    still_heard("thirty times too soft", 2, |pcm| each(pcm, |_, sample| sample / 30.0));
}

#[test]
fn an_offset_does_not_hide_the_word() {
    still_heard("an offset of 6,000", 1, |pcm| each(pcm, |_, sample| sample * 0.5 + 6_000.0));
}

#[test]
fn hum_does_not_hide_the_word() {
    still_heard("hum at 50 Hz", 1, |pcm| each(pcm, |index, sample| sample * 0.5 + tone(50.0, 8_000.0, index)));
}

#[test]
fn dropouts_do_not_hide_the_word() {
    // 10 ms lost of every 150, as exact zeros.
    still_heard("dropouts", 2, |pcm| each(pcm, |index, sample| if index % 2_400 < 160 { 0.0 } else { sample }));
}

#[test]
fn a_telephones_bandwidth_is_enough() {
    // Every second sample between means, as 8 kHz brought up to 16 kHz looks without much of a filter.
    let halved = |pcm: &[i16]| {
        let pairs: Vec<f32> =
            pcm.chunks_exact(2).map(|pair| (f32::from(pair[0]) + f32::from(pair[1])) / 2.0).collect();
        let doubled = pairs.windows(2).flat_map(|two| [two[0], (two[0] + two[1]) / 2.0]);
        doubled.map(clip).collect::<Vec<_>>()
    };
    still_heard("8 kHz", 2, halved);
}

#[test]
fn high_tones_alone_never_wake() {
    let Some(models) = shared_models() else { return };
    for hertz in [7_000.0, 7_400.0, 7_900.0, 7_999.0] {
        // Beaten and swept as well, as what an ultrasonic sender leaves below half the sample rate.
        let beaten = |index: usize| tone(hertz, 15_000.0, index) * (1.0 + tone(5.0, 1.0, index)) * 0.5;
        let (woke, highest) = listen(models, &(0..6 * RATE).map(|index| clip(beaten(index))).collect::<Vec<_>>());
        assert!(!woke && highest < 0.5, "{hertz} Hz came to {highest}");
    }
}

#[test]
fn a_microphone_that_dies_and_comes_back_wakes_nobody() {
    let Some(models) = shared_models() else { return };
    let room = crate::stream::noise(12 * RATE, 300.0);
    // Dead as zeros, as the lowest value, and as a value that is stuck.
    let dying = room.iter().enumerate().map(|(index, sample)| match index / (2 * RATE) {
        1 => 0,
        3 => i16::MIN,
        5 => 1_234,
        _ => *sample,
    });
    let (woke, highest) = listen(models, &dying.collect::<Vec<_>>());
    assert!(!woke && highest < 0.5, "came to {highest}");
}

/// Any samples, and what is worse than any: runs of the extremes.
fn samples() -> impl Strategy<Value = Vec<i16>> {
    let value = prop_oneof![any::<i16>(), Just(i16::MIN), Just(i16::MAX), Just(0)];
    let run = (value, prop_oneof![Just(1_usize), 1..40_usize, Just(2_000)]);
    prop::collection::vec(run, 1..200).prop_map(|runs| {
        let all = runs.into_iter().flat_map(|(value, len)| std::iter::repeat_n(value, len));
        all.take(RATE).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn whatever_is_heard_every_score_is_a_number(pcm in samples()) {
        if let Some(models) = shared_models() {
            listen(models, &pcm);
        }
    }
}
