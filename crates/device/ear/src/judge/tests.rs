//! Scores and answers by hand, decisions step by step.

use std::cell::RefCell;

use super::*;
use crate::Word;

const STEP: u64 = 1_280;

/// "Alexa" with round numbers: a fused logit of 0.25 · logit(peak) + log p + 3.
fn model() -> WordModel {
    let verify = Verify {
        spellings: vec![" Alexa".to_owned()],
        trigger: 0.3,
        logit_weight: 0.25,
        word_weight: 1.0,
        bias: 3.0,
        accept_at_once: 0.8,
        refuse_at_once: 0.1,
        accept: 0.5,
    };
    WordModel { threshold: 0.9, verify, ..Word::Alexa.model().expect("whole") }
}

/// What a run of scores comes to: looks, wakes and near misses with the step they came at.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    looks: Vec<usize>,
    wakes: Vec<usize>,
    near_misses: Vec<usize>,
}

/// Runs the scores; `answers` gives the log-probability at a step.
fn run(judge: &mut Judge, scores: &[f32], answers: &dyn Fn(usize) -> Option<f32>) -> Outcome {
    let mut outcome = Outcome::default();
    for (step, score) in scores.iter().enumerate() {
        let mut decision = judge.step(*score, SampleIndex((step as u64 + 1) * STEP));
        if let Decision::Look { .. } = decision {
            outcome.looks.push(step);
            decision = judge.answer(answers(step));
        }
        match decision {
            Decision::Wake(_) => outcome.wakes.push(step),
            Decision::NearMiss(_) => outcome.near_misses.push(step),
            Decision::Nothing => {}
            Decision::Look { .. } => panic!("a look is answered by no other"),
        }
    }
    outcome
}

fn both(scores: &[f32], answers: &dyn Fn(usize) -> Option<f32>) -> Outcome {
    run(&mut Judge::new(&model(), Tuning::default(), true), scores, answers)
}

fn alone(scores: &[f32]) -> Outcome {
    run(&mut Judge::new(&model(), Tuning::default(), false), scores, &|_| panic!("nobody is asked"))
}

/// Scores that rise to `peak` at step 3 and fall at once.
fn bump(peak: f32) -> Vec<f32> {
    let mut scores = vec![0.01; 40];
    (scores[2], scores[3]) = (0.4, peak);
    scores
}

#[test]
fn a_clear_word_wakes_at_the_first_look_once_the_score_rises_no_more() {
    let outcome = both(&bump(0.95), &|_| Some(-0.2));
    assert_eq!(outcome, Outcome { looks: vec![4], wakes: vec![4], ..Outcome::default() });
}

#[test]
fn the_first_look_does_not_wait_for_a_long_rise() {
    let mut scores = vec![0.01; 40];
    for (step, slot) in scores[2..12].iter_mut().enumerate() {
        *slot = sigmoid(step as f32 - 0.5);
    }
    assert_eq!(both(&scores, &|_| Some(0.0)).looks, [4]);
}

#[test]
fn in_doubt_it_looks_again_240_ms_later_and_then_decides() {
    // Fused by hand: 0.25 · logit(0.95) + 3 - 3 = 0.74 as a logit, 0.68 as a score.
    let doubtful = |_| Some(-3.0);
    let outcome = both(&bump(0.95), &doubtful);
    assert_eq!(outcome, Outcome { looks: vec![4, 7], wakes: vec![7], ..Outcome::default() });
    let then_worse = |step| Some(if step == 4 { -3.0 } else { -5.0 });
    let outcome = both(&bump(0.95), &then_worse);
    assert_eq!(outcome, Outcome { looks: vec![4, 7], near_misses: vec![8], ..Outcome::default() });
}

#[test]
fn a_clear_no_ends_it_at_the_first_look() {
    let outcome = both(&bump(0.95), &|_| Some(-9.0));
    assert_eq!(outcome, Outcome { looks: vec![4], near_misses: vec![5], ..Outcome::default() });
}

#[test]
fn after_a_refusal_it_is_not_deaf() {
    let mut scores = bump(0.95);
    // No fall below the re-arming score in between.
    (scores[4], scores[5], scores[6], scores[7]) = (0.9, 0.6, 0.5, 0.9);
    let second_is_the_word = |step| Some(if step < 6 { -9.0 } else { -0.1 });
    let outcome = both(&scores, &second_is_the_word);
    assert_eq!(outcome, Outcome { looks: vec![4, 8], wakes: vec![8], ..Outcome::default() });
    let level = |step| Some(if step < 10 { -9.0 } else { -0.1 });
    assert_eq!(both(&[0.9; 30], &level).wakes, [14], "a score that stays up is looked at once a second");
}

#[test]
fn looks_are_bounded() {
    // The wildest of all: up and down at each step.
    let scores: Vec<f32> = (0..1_000).map(|step| if step % 2 == 0 { 0.99 } else { 0.31 }).collect();
    let looks = RefCell::new(Vec::new());
    let outcome = both(&scores, &|step| {
        looks.borrow_mut().push(step);
        Some(-4.5)
    });
    assert!(outcome.wakes.is_empty());
    let looks = looks.into_inner();
    assert!(looks.len() > 20);
    for window in looks.windows(LOOKS_A_SECOND + 1) {
        let (first, last) = (window[0], window[LOOKS_A_SECOND]);
        assert!((last - first) as u64 * STEP >= SECOND.0, "{window:?}");
    }
}

#[test]
fn a_near_miss_is_told_once() {
    assert_eq!(both(&[0.9; 200], &|_| Some(-9.0)).near_misses, [25], "after two seconds, and once");
    let mut scores = bump(0.95);
    scores.extend(bump(0.9));
    assert_eq!(both(&scores, &|_| Some(-9.0)).near_misses.len(), 2);
}

#[test]
fn one_word_wakes_once() {
    assert_eq!(both(&[0.9; 30], &|_| Some(0.0)).wakes.len(), 1);
    assert_eq!(alone(&[0.0, 0.7, 0.95, 0.99, 0.95]).wakes, [2]);
    assert_eq!(alone(&[0.95; 200]).wakes, [0]);
    let mut flicker = vec![0.95, 0.1, 0.95, 0.1, 0.95];
    flicker.resize(40, 0.1);
    assert_eq!(alone(&flicker).wakes, [0]);
}

#[test]
fn after_a_rest_the_word_wakes_again() {
    let mut scores = bump(0.95);
    scores.extend(bump(0.95));
    assert_eq!(both(&scores, &|_| Some(-0.2)).wakes, [4, 44]);
    assert_eq!(alone(&scores).wakes, [3, 43]);
}

#[test]
fn alone_the_first_stage_decides_at_its_own_threshold() {
    assert_eq!(alone(&bump(0.95)), Outcome { wakes: vec![3], ..Outcome::default() });
    assert_eq!(alone(&bump(0.8)), Outcome { near_misses: vec![4], ..Outcome::default() });
    assert_eq!(alone(&[0.29; 20]), Outcome::default());
    // So too where the second stage fails.
    assert_eq!(both(&bump(0.95), &|_| None).wakes, [4]);
    assert_eq!(both(&bump(0.8), &|_| None), Outcome { looks: vec![4], near_misses: vec![5], ..Outcome::default() });
}

#[test]
fn tuning_moves_what_wakes() {
    let wakes = |tuning: Tuning, word: f32| {
        let mut judge = Judge::new(&model(), tuning, true);
        !run(&mut judge, &bump(0.95), &|_| Some(word)).wakes.is_empty()
    };
    let shifted = |shift| Tuning { threshold: None, shift };
    assert!(wakes(shifted(0.0), -3.5) && !wakes(shifted(-1.0), -3.5));
    assert!(!wakes(shifted(0.0), -4.5) && wakes(shifted(1.0), -4.5));
    let own = |threshold| Tuning { threshold: Some(threshold), shift: 0.0 };
    assert!(wakes(own(0.05), -6.0) && !wakes(own(0.99), -0.2));
    // And alone.
    let wakes = |tuning: Tuning, peak: f32| {
        let mut judge = Judge::new(&model(), tuning, false);
        !run(&mut judge, &bump(peak), &|_| None).wakes.is_empty()
    };
    assert!(wakes(shifted(0.0), 0.92) && !wakes(shifted(-1.0), 0.92) && wakes(shifted(1.0), 0.85));
    assert!(wakes(own(0.2), 0.25) && !wakes(own(0.99), 0.95));
}

#[test]
fn a_score_is_the_same_whatever_the_sensitivity() {
    let told = |shift, has_second_stage, word: f32| {
        let mut judge = Judge::new(&model(), Tuning { threshold: None, shift }, has_second_stage);
        let mut told = Vec::new();
        for (step, score) in bump(0.91).into_iter().enumerate() {
            let mut decision = judge.step(score, SampleIndex((step as u64 + 1) * STEP));
            if let Decision::Look { .. } = decision {
                decision = judge.answer(Some(word));
            }
            if let Decision::Wake(scores) | Decision::NearMiss(scores) = decision {
                told.push((matches!(decision, Decision::Wake(_)), scores.score));
            }
        }
        told
    };
    let fused = model().verify.fuse(0.91, -3.5);
    assert_eq!(told(0.0, true, -3.5), [(true, fused)]);
    assert_eq!(told(-1.0, true, -3.5), [(false, fused)]);
    assert_eq!(told(0.0, false, 0.0), [(true, 0.91)]);
    assert_eq!(told(-1.0, false, 0.0), [(false, 0.91)]);
}

#[test]
fn a_score_that_is_no_number_never_wakes_and_is_nothing() {
    assert_eq!(both(&[f32::NAN; 50], &|_| Some(0.0)), Outcome::default());
    assert_eq!(alone(&[f32::NAN; 50]), Outcome::default());
    let outcome = both(&bump(0.95), &|_| Some(f32::NAN));
    assert!(outcome.wakes.is_empty(), "{outcome:?}");
}
