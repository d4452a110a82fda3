//! Both stages on the real first one, with a second stage that the test plays.

use std::sync::{Arc, Mutex};

use ear::features::STEP;
use ear::{Heard, Models, Tuning, WakeDetector, Word, WordModel, WordVerifier};

/// Answers the same each time, and remembers what it was given.
#[derive(Clone, Debug)]
struct Played {
    answer: Option<f32>,
    windows: Arc<Mutex<Vec<Vec<i16>>>>,
}

impl Played {
    fn new(answer: Option<f32>) -> Self {
        Self { answer, windows: Arc::default() }
    }

    fn windows(&self) -> Vec<Vec<i16>> {
        self.windows.lock().expect("nobody panicked").clone()
    }
}

impl WordVerifier for Played {
    fn log_probability(&mut self, sound: &[i16]) -> Option<f32> {
        self.windows.lock().expect("nobody panicked").push(sound.to_vec());
        self.answer
    }
}

fn model() -> Arc<WordModel> {
    Arc::new(Word::Alexa.model().expect("whole"))
}

fn detector(models: &Models, played: &Played) -> WakeDetector {
    let verifier = Box::new(played.clone());
    WakeDetector::tuned(models, model(), Tuning::default(), Some(verifier))
}

/// Has it checked for each request that there is (a synthetic voice's, and a person's where the recordings are), in two
/// seconds of near silence and as much again.
fn for_each_request(check: fn(&Models, &[i16])) {
    let Some(models) = crate::models() else { return };
    let room = |from: usize| (from..from + 32_000).map(|index| (index * 7_919 % 31) as i16 - 15);
    for clip in test_speech::requests() {
        check(&models, &room(0).chain(clip.pcm).chain(room(5)).collect::<Vec<_>>());
    }
}

fn heard(detector: &mut WakeDetector, pcm: &[i16], cut: usize) -> Vec<Heard> {
    let mut all = Vec::new();
    pcm.chunks(cut).for_each(|piece| detector.hear(piece, &mut |heard| all.push(heard)));
    all
}

#[test]
fn both_stages_must_agree() {
    for_each_request(check_both);
}

fn check_both(models: &Models, pcm: &[i16]) {
    let sure = Played::new(Some(-0.1));
    let all = heard(&mut detector(models, &sure), pcm, STEP);
    let [Heard::Wake(wake)] = all[..] else { panic!("{all:?}") };
    assert_eq!((wake.scores.log_probability, sure.windows().len()), (Some(-0.1), 1));
    let unsure = Played::new(Some(-15.0));
    let all = heard(&mut detector(models, &unsure), pcm, STEP);
    let [Heard::NearMiss(near_miss)] = all[..] else { panic!("{all:?}") };
    assert_eq!(near_miss.scores.log_probability, Some(-15.0));
    assert!(near_miss.scores.score < 0.1 && near_miss.at > wake.at);
}

#[test]
fn the_second_stage_hears_the_word_and_what_comes_before_to_the_sample() {
    for_each_request(check_window);
}

fn check_window(models: &Models, pcm: &[i16]) {
    let played = Played::new(Some(-0.1));
    let all = heard(&mut detector(models, &played), pcm, STEP);
    let [Heard::Wake(wake)] = all[..] else { panic!("{all:?}") };
    let windows = played.windows();
    let end = usize::try_from(wake.at.0).expect("small");
    assert_eq!(windows[0], pcm[end - windows[0].len()..end], "what was heard up to the decision");
    let before = usize::try_from(wake.onset.0).expect("small").saturating_sub(end - windows[0].len());
    assert!(before >= 6_400, "400 ms before the word, not {before} samples");
}

#[test]
fn how_the_stream_is_cut_changes_nothing_for_both_stages() {
    for_each_request(check_cuts);
}

fn check_cuts(models: &Models, pcm: &[i16]) {
    let played = Played::new(Some(-2.5));
    let whole = (heard(&mut detector(models, &played), pcm, pcm.len()), played.windows());
    assert!(!whole.1.is_empty());
    for cut in [7, 160, 1_279, 1_281, 5_000] {
        let played = Played::new(Some(-2.5));
        let pieces = heard(&mut detector(models, &played), pcm, cut);
        assert!((pieces, played.windows()) == whole, "in pieces of {cut}");
    }
}

#[test]
fn after_a_restart_nothing_of_before_is_heard() {
    for_each_request(check_restart);
}

fn check_restart(models: &Models, pcm: &[i16]) {
    let played = Played::new(Some(-15.0));
    let mut fresh = detector(models, &played);
    let first = heard(&mut fresh, pcm, STEP);
    // In the middle of the word.
    fresh.push(&pcm[..40_000]);
    fresh.restart(Tuning::default());
    assert_eq!(heard(&mut fresh, pcm, STEP), first);
    let windows = played.windows();
    assert_eq!(windows[0], windows[windows.len() / 2]);
}

#[test]
fn of_all_words_that_are_loaded_the_chosen_one_is_active() {
    for_each_request(check_choice);
}

fn check_choice(models: &Models, pcm: &[i16]) {
    // A word that nothing raises.
    let mut other = Word::Alexa.model().expect("whole");
    "other".clone_into(&mut other.name);
    other.heads.iter_mut().for_each(|head| head.word.layers.iter_mut().for_each(|layer| layer.bias.fill(-90.0)));
    let mut detector = WakeDetector::new(models, Word::Alexa, None).expect("whole");
    assert!(detector.push(pcm).is_some());
    detector.choose(Arc::new(other), Tuning::default(), None);
    assert_eq!(detector.model().name, "other");
    assert!(detector.push(pcm).is_none());
    detector.choose(model(), Tuning::default(), None);
    // As at the first time: what was said just before is no part of the word.
    detector.restart(Tuning::default());
    assert!(detector.push(pcm).is_some());
}
