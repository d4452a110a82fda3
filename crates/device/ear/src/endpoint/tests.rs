//! The rules one by one, on frames whose level and probability are written down. What they cost on real recordings is
//! in `tests/it/request_end.rs`.

use super::*;

const VOICE: f32 = 0.1;
const ROOM: f32 = 0.000_5;

/// So many milliseconds of sound at this amplitude, with this probability of speech.
type Stretch = (u64, f32, f32);

fn run(opening: Opening, stretches: &[Stretch]) -> Option<Endpoint> {
    let mut endpointer = Endpointer::new(EndpointConfig::default(), opening);
    for &(ms, amplitude, probability) in stretches {
        for _ in 0..SampleCount::from_ms(ms).0 / FRAME.0 {
            if let Some(end) = endpointer.push(&[amplitude; VAD_FRAME], probability) {
                assert_eq!(endpointer.push(&[0.0; VAD_FRAME], 0.0), Some(end), "an end that is found stays");
                return Some(end);
            }
        }
    }
    None
}

fn after_word(rest: &[Stretch]) -> Option<Endpoint> {
    let opening = Opening::WakeWord { onset: SampleCount::from_ms(500) };
    run(opening, &[&[(512, ROOM, 0.0), (704, VOICE, 1.0)], rest].concat())
}

fn ms(count: SampleCount) -> u64 {
    count.0 / 16
}

fn delay_ms(end: Endpoint) -> u64 {
    ms(end.decided_at) - ms(end.speech_end)
}

#[test]
fn a_request_ends_seven_tenths_of_a_second_after_its_last_sound() {
    let end = after_word(&[(96, ROOM, 0.0), (992, VOICE, 1.0), (3_000, ROOM, 0.0)]).expect("an end");
    assert_eq!(end.reason, EndReason::EndOfSpeech);
    assert_eq!(ms(end.speech_end), 512 + 704 + 96 + 992);
    assert!((672..=736).contains(&delay_ms(end)), "{end:?}");
}

#[test]
fn the_word_alone_waits_for_a_request() {
    let thinking = 2_496;
    let end = after_word(&[(thinking, ROOM, 0.0), (992, VOICE, 1.0), (3_000, ROOM, 0.0)]).expect("an end");
    assert_eq!(ms(end.speech_end), 512 + 704 + thinking + 992);
    let end = after_word(&[(9_000, ROOM, 0.0)]).expect("an end");
    assert_eq!(end.reason, EndReason::NothingHeard);
    assert!((4_800..=5_300).contains(&delay_ms(end)), "{end:?}");
}

#[test]
fn one_breath_without_a_pause_is_a_request() {
    let end = after_word(&[(1_504, VOICE, 1.0), (3_000, ROOM, 0.0)]).expect("an end");
    assert!(delay_ms(end) <= 736, "{end:?}");
}

#[test]
fn a_word_too_short_to_be_sure_of_gets_more_patience() {
    let end = after_word(&[(352, VOICE, 1.0), (9_000, ROOM, 0.0)]).expect("an end");
    assert_eq!(end.reason, EndReason::EndOfSpeech);
    assert!((1_900..=2_100).contains(&delay_ms(end)), "{end:?}");
}

#[test]
fn a_soft_start_after_a_long_pause_is_not_the_end() {
    let soft = (192, VOICE / 5.0, 0.9);
    let end = after_word(&[(2_496, ROOM, 0.0), soft, (992, VOICE, 1.0), (3_000, ROOM, 0.0)]).expect("an end");
    assert_eq!(ms(end.speech_end), 512 + 704 + 2_496 + 192 + 992);
}

#[test]
fn a_murmur_in_the_next_room_counts_half() {
    let murmur = (9_000, VOICE / 8.0, 0.9);
    let opening = Opening::WakeWord { onset: SampleCount::from_ms(500) };
    let speech = [(512, VOICE / 8.0, 0.9), (704, VOICE, 1.0), (96, ROOM, 0.0), (992, VOICE, 1.0), murmur];
    let end = run(opening, &speech).expect("an end");
    assert!((1_300..=1_500).contains(&delay_ms(end)), "{end:?}");
}

#[test]
fn a_button_has_no_word_to_wait_for() {
    let opening = Opening::Request { onset: SampleCount(0) };
    let end = run(opening, &[(320, ROOM, 0.0), (800, VOICE, 1.0), (3_000, ROOM, 0.0)]).expect("an end");
    assert_eq!((ms(end.speech_end), end.reason), (1_120, EndReason::EndOfSpeech));
}

#[test]
fn speech_without_end_meets_the_limit_to_the_frame() {
    let end = after_word(&[(30_000, VOICE, 1.0)]).expect("an end");
    assert_eq!(end.reason, EndReason::Limit);
    assert!(end.decided_at >= STREAM_MAX && end.decided_at < SampleCount(STREAM_MAX.0 + FRAME.0), "{end:?}");
}

#[test]
fn digital_silence_and_full_scale_are_just_levels() {
    for amplitude in [0.0, 1.0, f32::MAX, f32::NAN] {
        let end = after_word(&[(20_000, amplitude, 0.0)]).expect("an end");
        assert!(end.decided_at <= SampleCount(STREAM_MAX.0 + FRAME.0));
    }
}

#[test]
fn whatever_is_heard_an_end_is_found_by_the_limit() {
    let mut state = 0x9e37_79b9_u32;
    let mut draw = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    };
    for onset in [0, 8_000, 8_000, 100_000, u64::MAX].map(SampleCount) {
        let opening = if draw() < 0.5 { Opening::WakeWord { onset } } else { Opening::Request { onset } };
        let stretches: Vec<Stretch> = (0..200).map(|_| ((draw() * 900.0) as u64, draw() * draw(), draw())).collect();
        let end = run(opening, &stretches).expect("the limit is an end");
        assert!(end.decided_at < SampleCount(STREAM_MAX.0 + FRAME.0), "{end:?}");
    }
}
