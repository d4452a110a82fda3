//! What leaves the ear, to the sample.

use std::path::Path;
use std::time::Duration;

use base::{SampleCount, TurnId};
use pipe::{Cause, CloseReason, EarToLink, EarToPanel, LinkToEar, PanelToEar, Standing, exit};

use crate::rig::{Rig, Stream, models};

/// The ear says how much it heard each time that it is a second more, in whole chunks.
const REPORTED: usize = 13 * 1_280;

/// Faint noise, the same every time: a room is never digitally silent.
pub(crate) fn room(samples: usize) -> Vec<i16> {
    let mut state = 1_u64;
    let noise = std::iter::from_fn(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Some((state >> 59) as i16 - 16)
    });
    noise.take(samples).collect()
}

/// Has it checked for each request that there is (a synthetic voice's, and a person's where the recordings are), with two
/// seconds of room before and behind.
pub(crate) fn for_each_request(check: fn(&Path, Vec<i16>)) {
    let Some(models) = models() else { return };
    for clip in test_speech::requests() {
        check(&models, [room(32_000), clip.pcm, room(32_000)].concat());
    }
}

/// Says where two sounds differ, not all that is in them.
fn check_same(passed: &[i16], played: &[i16]) {
    assert_eq!(passed.len(), played.len(), "i5: other samples passed than were played");
    let differs = passed.iter().zip(played).position(|(passed, played)| passed != played);
    assert_eq!(differs, None, "i5: the first sample that is not as it was played");
}

fn check_is_exact(stream: &Stream, played: &[i16]) {
    let (start, onset, end) = (stream.open.start.0, stream.open.onset.0, stream.close.end.0);
    assert_eq!(start, onset.saturating_sub(8_000), "i5: {:?}", stream.open);
    let range = usize::try_from(start).expect("small")..usize::try_from(end).expect("small");
    check_same(&stream.pcm, &played[range]);
    assert_eq!(stream.close.samples_total.0, stream.pcm.len() as u64, "i10: the books differ");
}

#[test]
fn i5_what_leaves_is_what_was_heard_bit_for_bit_from_500_ms_before_the_onset() {
    for_each_request(check_what_leaves);
}

fn check_what_leaves(models: &Path, played: Vec<i16>) {
    let mut rig = Rig::start(models, &["--lockstep"]);
    rig.play(played.clone(), 1_280, false);
    let turn = rig.light_up();
    let stream = rig.take_stream(Some(30_000));
    assert_eq!((turn, stream.open.turn, stream.close.reason), (TurnId(1), TurnId(1), CloseReason::StopCapture));
    assert!(matches!(stream.open.cause, Cause::Wake { word, .. } if word.as_str() == "alexa"), "{:?}", stream.open);
    assert_eq!(stream.pcm.len(), 30_000);
    check_is_exact(&stream, &played);
    assert_eq!(rig.panel_hears(), Some(EarToPanel::ListeningOver { turn }));
    assert_eq!(rig.panel_hears(), Some(EarToPanel::TurnOver { turn }));
    assert_eq!(rig.panel_hears(), Some(EarToPanel::MicGone));
    assert!(rig.end().success(), "{}", rig.events());
}

#[test]
fn fast_playback_gives_the_same_whatever_the_pieces() {
    for_each_request(check_pieces);
}

fn check_pieces(models: &Path, played: Vec<i16>) {
    let mut seen = Vec::new();
    for (piece, options) in
        [(1_280, &["--lockstep"][..]), (77, &["--lockstep"]), (32_768, &["--lockstep"]), (320, &[])]
    {
        let mut rig = Rig::start(models, options);
        rig.play(played.clone(), piece, false);
        rig.light_up();
        let stream = rig.take_stream(None);
        check_is_exact(&stream, &played);
        assert_eq!(stream.close.reason, CloseReason::MicGone);
        assert!(rig.end().success(), "{}", rig.events());
        seen.push((stream.open, stream.close));
    }
    assert!(seen.iter().all(|run| *run == seen[0]), "{seen:?}");
}

#[test]
fn i5_a_stream_ends_at_fifteen_seconds() {
    for_each_request(check_limit);
}

fn check_limit(models: &Path, played: Vec<i16>) {
    let played = [played, room(16 * 16_000)].concat();
    let mut rig = Rig::start(models, &["--lockstep"]);
    rig.play(played.clone(), 1_280, false);
    rig.light_up();
    let stream = rig.take_stream(None);
    assert_eq!((stream.pcm.len(), stream.close.reason), (240_000, CloseReason::Limit));
    check_is_exact(&stream, &played);
}

#[test]
fn i1_no_sample_leaves_before_the_light_is_on() {
    for_each_request(check_the_dark);
}

fn check_the_dark(models: &Path, played: Vec<i16>) {
    let mut rig = Rig::start(models, &[]);
    rig.play(played, 1_280, false);
    let Some(EarToPanel::Ask { turn, .. }) = rig.panel_hears() else { panic!("{}", rig.events()) };
    // A light for another turn is none for this one.
    rig.tell_as_panel(PanelToEar::Lit { turn: TurnId(turn.0 + 1) });
    assert!(rig.link_hears(Duration::from_millis(300)).is_none(), "i1: something left in the dark");
    // And without a light there is no way on.
    assert_eq!(rig.end().code(), Some(i32::from(exit::PANEL_LATE)), "{}", rig.events());
}

#[test]
fn i2_a_link_that_does_not_drain_ends_the_ear_and_with_it_the_light() {
    for_each_request(check_no_draining);
}

fn check_no_draining(models: &Path, played: Vec<i16>) {
    let mut rig = Rig::start(models, &[]);
    rig.play(played, 1_280, true);
    let turn = rig.light_up();
    rig.tell_as_link(LinkToEar::StopCapture { turn, at: SampleCount(0) });
    assert_eq!(rig.end().code(), Some(i32::from(exit::DRAIN_LATE)), "{}", rig.events());
}

#[test]
fn i3_with_the_microphones_off_nothing_is_heard_and_nothing_of_before_is_left() {
    for_each_request(check_mic_off);
}

fn check_mic_off(models: &Path, played: Vec<i16>) {
    let mut rig = Rig::start(models, &["--lockstep"]);
    rig.tell_as_panel(PanelToEar::MicOff);
    assert_eq!(rig.panel_hears(), Some(EarToPanel::Wiped));
    let played = [&played[..], &room(REPORTED)].concat();
    let played = &played[..played.len() - played.len() % REPORTED];
    rig.play(played.to_vec(), 1_280, true);
    rig.tell_as_panel(PanelToEar::Press);
    rig.wait_for_event(&format!("\"samples\":{}", played.len()));
    rig.tell_as_panel(PanelToEar::MicOn);
    assert_eq!(rig.panel_hears(), Some(EarToPanel::Ready), "i3: {}", rig.events());
    // What is said from now on is heard, and the stream reaches back to now at the most.
    let from = played.len() as u64;
    let word = test_speech::request();
    rig.play([word.clone(), room(16_000)].concat(), 1_280, true);
    rig.light_up();
    let stream = rig.take_stream(Some(16_000));
    assert!(stream.open.start.0 >= from, "i3: {:?} reaches back before {from}", stream.open);
    let at = usize::try_from(stream.open.start.0 - from).expect("small");
    check_same(&stream.pcm, &[word, room(16_000)].concat()[at..at + 16_000]);
}

#[test]
fn i2_after_a_stream_the_light_is_not_red_before_link_has_said_that_nothing_can_leave() {
    let Some(models) = models() else { return };
    let mut rig = Rig::start(&models, &["--lockstep"]);
    rig.play(room(16_000), 1_280, true);
    rig.tell_as_panel(PanelToEar::Press);
    let turn = rig.light_up();
    rig.play(room(16_000), 1_280, true);
    rig.take_stream(Some(1_280));
    assert_eq!(rig.panel_hears(), Some(EarToPanel::ListeningOver { turn }));
    assert_eq!(rig.panel_hears(), Some(EarToPanel::TurnOver { turn }));
    rig.tell_as_panel(PanelToEar::MicOff);
    assert_eq!(rig.link_hears(Duration::from_secs(30)), Some(EarToLink::MicOff));
    rig.tell_as_link(LinkToEar::Standing(Standing::Offline));
    rig.tell_as_link(LinkToEar::Standing(Standing::Online));
    rig.tell_as_link(LinkToEar::Silenced);
    let mut heard = rig.panel_hears();
    while matches!(heard, Some(EarToPanel::Standing(_))) {
        heard = rig.panel_hears();
    }
    assert_eq!(heard, Some(EarToPanel::Wiped));
    // One that does not say so is ended, and with it whatever it still holds.
    rig.tell_as_panel(PanelToEar::MicOn);
    rig.tell_as_panel(PanelToEar::MicOff);
    assert_eq!(rig.end().code(), Some(i32::from(exit::DRAIN_LATE)), "{}", rig.events());
}

#[test]
fn a_button_opens_a_stream_from_the_press_on() {
    let Some(models) = models() else { return };
    let mut rig = Rig::start(&models, &[]);
    rig.play(room(2 * REPORTED), 1_280, true);
    rig.wait_for_event(&format!("\"samples\":{}", 2 * REPORTED));
    rig.tell_as_panel(PanelToEar::Press);
    rig.light_up();
    rig.play(room(16_000), 1_280, false);
    let stream = rig.take_stream(None);
    assert_eq!((stream.open.cause, stream.open.start.0), (Cause::Button, 2 * REPORTED as u64));
    check_same(&stream.pcm, &room(16_000));
    assert_eq!(stream.close.reason, CloseReason::MicGone);
    assert!(rig.end().success());
}

#[test]
fn a_panel_or_link_that_goes_takes_the_ear_along() {
    let Some(models) = models() else { return };
    let rig = Rig::start(&models, &[]);
    rig.wait_for_event("\"started\"");
    let mut rig = rig.without_panel();
    assert_eq!(rig.end().code(), Some(i32::from(exit::PEER_GONE)));
}
