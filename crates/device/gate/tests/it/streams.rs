//! Single streams, told out.

use std::time::Duration;

use base::{SampleCount, SampleIndex, TurnId};
use gate::{AFTER_TURN, Cause, CloseReason, Gate, LIT_MAX, Late, Phase, STALL_MAX, TURN_MAX};

use crate::witness::{Seen, Witness, samples};

const NOW: Duration = Duration::from_secs(1);
const ONE: TurnId = TurnId(1);

fn hear(gate: &mut Gate, witness: &mut Witness, count: u64) {
    let from = witness.heard;
    witness.heard += count;
    gate.samples(&samples(from..from + count), NOW, witness);
}

/// A gate with a stream open for a word at this position, after this much was heard.
fn open(heard: u64, cause: Cause) -> (Gate, Witness) {
    let (mut gate, mut witness) = (Gate::new(), Witness::default());
    hear(&mut gate, &mut witness, heard);
    assert!(gate.cause(cause, NOW, &mut witness));
    witness.lit = Some(ONE);
    gate.lit(ONE, NOW, &mut witness);
    (gate, witness)
}

fn closed(witness: &Witness) -> (u64, u64, CloseReason) {
    let Some(Seen { opening, closing: Some(closing), .. }) = witness.stream else { panic!("{witness:?}") };
    (opening.start.0, closing.end.0, closing.reason)
}

#[test]
fn i5_a_stream_starts_500_ms_before_the_onset_and_ends_at_the_hard_limit() {
    let (mut gate, mut witness) = open(50_000, Cause::Wake { onset: SampleIndex(30_000) });
    hear(&mut gate, &mut witness, 300_000);
    assert_eq!(closed(&witness), (22_000, 22_000 + 240_000, CloseReason::Limit));
}

#[test]
fn i5_a_button_has_no_preroll() {
    let (mut gate, mut witness) = open(50_000, Cause::Button { pressed: SampleIndex(50_000) });
    hear(&mut gate, &mut witness, 5_000);
    gate.stop(ONE, SampleCount(0), NOW, &mut witness);
    assert_eq!(closed(&witness), (50_000, 50_000 + 3 * 1_280, CloseReason::StopCapture));
}

#[test]
fn i5_a_stop_ahead_is_kept_to_the_sample() {
    let (mut gate, mut witness) = open(50_000, Cause::Wake { onset: SampleIndex(48_000) });
    gate.stop(ONE, SampleCount(12_345), NOW, &mut witness);
    gate.stop(ONE, SampleCount(90_000), NOW, &mut witness);
    hear(&mut gate, &mut witness, 30_000);
    assert_eq!(closed(&witness), (40_000, 52_345, CloseReason::StopCapture));
}

#[test]
fn i5_a_recording_that_ends_loses_nothing() {
    let (mut gate, mut witness) = open(50_000, Cause::Wake { onset: SampleIndex(48_000) });
    hear(&mut gate, &mut witness, 777);
    gate.mic_gone(NOW, &mut witness);
    assert_eq!(closed(&witness), (40_000, 50_777, CloseReason::MicGone));
}

#[test]
fn i3_microphones_off_ends_a_stream_at_once() {
    let (mut gate, mut witness) = open(50_000, Cause::Wake { onset: SampleIndex(48_000) });
    hear(&mut gate, &mut witness, 777);
    let passed = witness.samples_total;
    gate.shut(NOW, &mut witness);
    assert_eq!(closed(&witness), (40_000, 40_000 + passed, CloseReason::MicOff));
    assert!(!gate.cause(Cause::Button { pressed: gate.position() }, NOW, &mut witness));
}

#[test]
fn i3_microphones_off_before_the_light_means_no_permit() {
    let (mut gate, mut witness) = (Gate::new(), Witness::default());
    hear(&mut gate, &mut witness, 50_000);
    assert!(gate.cause(Cause::Wake { onset: SampleIndex(48_000) }, NOW, &mut witness));
    gate.shut(NOW, &mut witness);
    gate.lit(ONE, NOW, &mut witness);
    assert_eq!((gate.phase(), witness.stream, witness.turns_over), (Phase::Idle, None, vec![ONE]));
}

#[test]
fn a_turn_that_is_over_early_closes_and_is_drained_like_any() {
    let (mut gate, mut witness) = open(50_000, Cause::Wake { onset: SampleIndex(48_000) });
    gate.turn_over(ONE, NOW, &mut witness);
    assert_eq!(gate.phase(), Phase::Draining);
    assert_eq!(closed(&witness).2, CloseReason::StopCapture);
    witness.is_drained = true;
    gate.drained(ONE, NOW, &mut witness);
    assert_eq!((gate.phase(), witness.turns_over), (Phase::Idle, vec![ONE]));
}

#[test]
fn a_turn_that_is_over_before_it_is_drained_ends_with_the_draining() {
    let (mut gate, mut witness) = open(50_000, Cause::Wake { onset: SampleIndex(48_000) });
    gate.stop(ONE, SampleCount(0), NOW, &mut witness);
    gate.turn_over(ONE, NOW, &mut witness);
    assert_eq!((gate.phase(), witness.turns_over.len()), (Phase::Draining, 0));
    witness.is_drained = true;
    gate.drained(ONE, NOW, &mut witness);
    assert_eq!((gate.phase(), witness.turns_over), (Phase::Idle, vec![ONE]));
}

#[test]
fn i2_whoever_keeps_the_light_waiting_is_named() {
    let after = |span: Duration| NOW + span;
    let (mut gate, mut witness) = (Gate::new(), Witness::default());
    gate.cause(Cause::Button { pressed: SampleIndex(0) }, NOW, &mut witness);
    assert_eq!(gate.deadline(), Some(after(LIT_MAX)));
    assert_eq!(gate.check(after(LIT_MAX), &mut witness), Err(Late::Panel));
    witness.lit = Some(ONE);
    gate.lit(ONE, NOW, &mut witness);
    // A microphone that stalls ends the stream, and nobody is to blame.
    assert_eq!(gate.check(after(STALL_MAX), &mut witness), Ok(()));
    assert_eq!(closed(&witness).2, CloseReason::MicGone);
    let drain = gate.deadline().expect("a deadline");
    assert_eq!(drain, after(STALL_MAX) + base::limits::DRAIN_MAX);
    assert_eq!(gate.check(drain, &mut witness), Err(Late::Drain));
    witness.is_drained = true;
    gate.drained(ONE, NOW, &mut witness);
    assert_eq!(gate.check(after(TURN_MAX), &mut witness), Err(Late::Turn));
    gate.turn_over(ONE, NOW, &mut witness);
    assert_eq!((gate.check(Duration::MAX, &mut witness), gate.deadline()), (Ok(()), None));
}

#[test]
fn i1_a_word_from_before_the_end_of_a_turn_is_no_cause() {
    let (mut gate, mut witness) = open(50_000, Cause::Wake { onset: SampleIndex(48_000) });
    gate.stop(ONE, SampleCount(0), NOW, &mut witness);
    witness.is_drained = true;
    gate.drained(ONE, NOW, &mut witness);
    // The reply sounds into the microphone, and ends with the word.
    hear(&mut gate, &mut witness, 160_000);
    assert!(!gate.cause(Cause::Wake { onset: SampleIndex(190_000) }, NOW, &mut witness), "i1: the turn goes on");
    gate.turn_over(ONE, NOW, &mut witness);
    let over = gate.position();
    hear(&mut gate, &mut witness, 8_000);
    for onset in [over.back(SampleCount(16_000)), over, over + (AFTER_TURN - SampleCount(1))] {
        assert!(
            !gate.takes_word_from(onset) && !gate.cause(Cause::Wake { onset }, NOW, &mut witness),
            "i1: {onset:?}"
        );
    }
    // A button is nobody's word, and a person's word comes later.
    let onset = over + AFTER_TURN;
    assert!(gate.takes_word_from(onset) && gate.cause(Cause::Wake { onset }, NOW, &mut witness));
}
