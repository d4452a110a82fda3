//! Weights at the ends of what a float holds: what decides must stay a decision.

use base::SampleIndex;
use ear::{Decision, Judge, Scores, Tuning, Verify, Word, WordModel, logit};
use proptest::prelude::*;

/// Huge, and finite.
const HUGE: f32 = 1e30;
/// The second stage's own limit.
const WEIGHT_MAX: f32 = 1_000.0;
const STEP: u64 = 1_280;

fn weight() -> impl Strategy<Value = f32> {
    prop_oneof![Just(HUGE), Just(-HUGE), Just(0.0), -HUGE..HUGE, -20.0_f32..20.0]
}

/// A score of the first stage, now and then one that is no number.
fn score() -> impl Strategy<Value = f32> {
    prop_oneof![8 => 0.0_f32..=1.0, 2 => Just(1.0), 1 => Just(0.0), 1 => Just(f32::NAN)]
}

/// What the second stage says, or that it cannot.
fn answer() -> impl Strategy<Value = Option<f32>> {
    prop_oneof![
        6 => (-40.0_f32..=0.0).prop_map(Some),
        1 => prop_oneof![Just(f32::NEG_INFINITY), Just(f32::NAN), Just(-HUGE), Just(0.0)].prop_map(Some),
        1 => Just(None),
    ]
}

fn threshold() -> impl Strategy<Value = f32> {
    0.001_f32..0.999
}

fn verify() -> impl Strategy<Value = Verify> {
    let weights = (weight(), weight(), weight());
    let thresholds = (threshold(), threshold(), threshold(), threshold());
    (weights, thresholds).prop_map(|((logit_weight, word_weight, bias), (trigger, at_once, refuse, accept))| Verify {
        spellings: vec!["Alexa".to_owned()],
        trigger,
        logit_weight,
        word_weight,
        bias,
        accept_at_once: at_once,
        refuse_at_once: refuse,
        accept,
    })
}

fn tuning() -> impl Strategy<Value = Tuning> {
    let shift = prop_oneof![Just(0.0), Just(1.0), Just(-1.0), Just(HUGE), Just(-HUGE)];
    (proptest::option::of(threshold()), shift).prop_map(|(threshold, shift)| Tuning { threshold, shift })
}

/// A word with nothing but thresholds: the judge asks no network.
fn model(verify: Verify, threshold: f32) -> WordModel {
    WordModel { threshold, verify, ..Word::Alexa.model().expect("whole") }
}

/// Every wake and near miss of a run.
fn outcomes(judge: &mut Judge, scores: &[f32], answers: &[Option<f32>]) -> Vec<(bool, Scores)> {
    let mut answers = answers.iter().cycle();
    let mut told = Vec::new();
    for (step, score) in scores.iter().enumerate() {
        let mut decision = judge.step(*score, SampleIndex((step as u64 + 1) * STEP));
        if let Decision::Look { .. } = decision {
            decision = judge.answer(*answers.next().expect("endless"));
        }
        match decision {
            Decision::Wake(scores) => told.push((true, scores)),
            Decision::NearMiss(scores) => told.push((false, scores)),
            Decision::Nothing | Decision::Look { .. } => {}
        }
    }
    told
}

proptest! {
    #[test]
    fn a_fused_score_is_a_number_from_0_to_1(verify in verify(), peak in 0.0_f32..=1.0, answer in answer()) {
        let fused = verify.fuse(peak, answer.unwrap_or(0.0));
        prop_assert!((0.0..=1.0).contains(&fused), "{fused}");
    }

    #[test]
    fn nothing_wakes_below_its_threshold(
        verify in verify(),
        alone in threshold(),
        tuning in tuning(),
        has_second_stage: bool,
        scores in prop::collection::vec(score(), 1..120),
        answers in prop::collection::vec(answer(), 1..20),
    ) {
        let model = model(verify, alone);
        let Verify { accept, accept_at_once, .. } = model.verify;
        let mut judge = Judge::new(&model, tuning, has_second_stage);
        for (woke, scores) in outcomes(&mut judge, &scores, &answers) {
            prop_assert!((0.0..=1.0).contains(&scores.score) && (0.0..=1.0).contains(&scores.peak), "{scores:?}");
            if !woke {
                continue;
            }
            let threshold = match scores.log_probability {
                // The second look's threshold, or the first's, which may lie on either side of it.
                Some(_) => accept.min(accept_at_once),
                None => alone,
            };
            // The sensitivity moves thresholds, and no score.
            let least = logit(tuning.threshold.unwrap_or(threshold)) - tuning.shift;
            prop_assert!(logit(scores.score) >= least.clamp(-11.6, 11.5) - 1e-3, "{scores:?} below {least}");
        }
    }

    #[test]
    fn weights_out_of_bounds_are_refused_when_they_are_read(
        place in 0..7_usize,
        wrong in prop_oneof![
            Just(f32::INFINITY), Just(f32::NEG_INFINITY), Just(f32::NAN), Just(HUGE), Just(-HUGE), Just(WEIGHT_MAX * 1.01)
        ],
    ) {
        let mut model = Word::Alexa.model().expect("whole");
        let verify = &mut model.verify;
        let Verify { trigger, logit_weight, word_weight, bias, accept_at_once, refuse_at_once, accept, .. } = verify;
        *[trigger, logit_weight, word_weight, bias, accept_at_once, refuse_at_once, accept][place] = wrong;
        // The hash is that of the wrong values: it is they that are refused.
        prop_assert!(WordModel::from_bytes(&model.to_bytes()).is_err());
    }

    #[test]
    fn no_infinity_gets_into_a_network(head in 0..3_usize, at: prop::sample::Index, wrong in prop_oneof![
        Just(f32::INFINITY), Just(f32::NEG_INFINITY), Just(f32::NAN)
    ]) {
        let mut model = Word::Alexa.model().expect("whole");
        let head = head % model.heads.len();
        let layer = &mut model.heads[head].frame.layers[0];
        let place = at.index(layer.weights.len());
        layer.weights[place] = wrong;
        prop_assert!(WordModel::from_bytes(&model.to_bytes()).is_err());
    }
}
