//! The panel's half.

use base::TurnId;
use gate::{Lamp, Light, MicChange};
use proptest::prelude::*;

const ONE: TurnId = TurnId(1);

#[test]
fn i2_a_turn_goes_from_blue_to_white_to_dark() {
    let mut lamp = Lamp::new(true);
    assert_eq!(lamp.light(), Light::Idle);
    assert!(lamp.ask(ONE));
    lamp.turn_over(ONE);
    lamp.listening_over(TurnId(7));
    assert_eq!(lamp.light(), Light::Listening, "only its own permit's end puts it out");
    lamp.listening_over(ONE);
    assert_eq!(lamp.light(), Light::Thinking);
    lamp.turn_over(ONE);
    assert_eq!(lamp.light(), Light::Idle);
}

#[test]
fn i3_red_waits_until_nothing_can_hear() {
    let mut lamp = Lamp::new(true);
    assert!(lamp.ask(ONE));
    assert_eq!(lamp.press_mic(None), Some(MicChange::Off));
    lamp.mic_ended();
    lamp.ring_wiped();
    assert_eq!(lamp.light(), Light::Listening, "i2: a permit still lives");
    lamp.listening_over(ONE);
    assert_eq!(lamp.light(), Light::MicOff);
    assert!(!lamp.ask(TurnId(2)), "no permit with the microphones off");
    assert_eq!(lamp.press_mic(Some(false)), None);
    assert_eq!(lamp.press_mic(Some(true)), Some(MicChange::On));
    assert_eq!(lamp.press_mic(None), Some(MicChange::Off));
    lamp.mic_ended();
    assert_ne!(lamp.light(), Light::MicOff, "the ring is not wiped yet");
    assert_eq!(Lamp::new(false).light(), Light::MicOff);
}

#[derive(Clone, Debug)]
enum Op {
    Ask(u32),
    ListeningOver(u32),
    TurnOver(u32),
    Press(Option<bool>),
    Ended,
    Wiped,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        (1_u32..4).prop_map(Op::Ask),
        (1_u32..4).prop_map(Op::ListeningOver),
        (1_u32..4).prop_map(Op::TurnOver),
        any::<Option<bool>>().prop_map(Op::Press),
        Just(Op::Ended),
        Just(Op::Wiped),
    ]
}

proptest! {
    #[test]
    fn i2_i3_blue_is_a_permit_and_red_is_no_microphone(ops in prop::collection::vec(op(), 0..60)) {
        let mut lamp = Lamp::new(true);
        let (mut permit, mut is_on, mut is_ended, mut is_wiped) = (None, true, false, false);
        for op in ops {
            match op {
                Op::Ask(turn) => {
                    // The ear asks only with no permit living.
                    if permit.is_none() && lamp.ask(TurnId(turn)) {
                        prop_assert!(is_on);
                        permit = Some(turn);
                    }
                }
                Op::ListeningOver(turn) => {
                    lamp.listening_over(TurnId(turn));
                    permit = permit.filter(|permit| *permit != turn);
                }
                Op::TurnOver(turn) => lamp.turn_over(TurnId(turn)),
                Op::Press(wants_on) => {
                    if let Some(change) = lamp.press_mic(wants_on) {
                        is_on = change == MicChange::On;
                        (is_ended, is_wiped) = (false, false);
                    }
                }
                Op::Ended => {
                    lamp.mic_ended();
                    is_ended = !is_on;
                }
                Op::Wiped => {
                    lamp.ring_wiped();
                    is_wiped = !is_on;
                }
            }
            prop_assert_eq!(lamp.light() == Light::Listening, permit.is_some());
            let is_red = permit.is_none() && !is_on && is_ended && is_wiped;
            prop_assert_eq!(lamp.light() == Light::MicOff, is_red);
        }
    }
}
