//! What may be said when: the wrong message at the wrong time is one clear error, and the session is over.

use std::time::Duration;

use base::{SampleCount, TurnId};
use wire::cloud::{Action, Peer, Session};
use wire::limits::{ANSWER_WITHIN, IDLE_MAX, STREAM_SAMPLES_MAX, STREAM_STALL_MAX, TURN_WITHIN};
use wire::{FrameError, FromCloud, FromDevice, NotNow, Outcome, RefusedReason, SessionError, StopReason};

use crate::support::{DEVICE, binding, close, from_cloud, from_device, known, online, open};

const NOW: Duration = Duration::ZERO;

fn audio(turn: u32, sequence: u32, n_samples: usize) -> FromDevice {
    FromDevice::Audio { turn: TurnId(turn), sequence, samples: vec![1; n_samples].into() }
}

/// Gives these messages to a cloud that is online; returns what the last of them led to.
fn told_to_cloud(messages: &[FromDevice]) -> Result<Vec<Action>, SessionError> {
    let (_, mut cloud) = online();
    let (last, before) = messages.split_last().expect("a message");
    for message in before {
        cloud.on_frame(&from_device(message), NOW).expect("in order");
    }
    let result = cloud.on_frame(&from_device(last), NOW);
    if result.is_err() {
        assert_eq!(cloud.on_frame(&from_device(&FromDevice::Ping), NOW), Err(SessionError::Over));
    }
    result
}

#[test]
fn a_device_that_speaks_out_of_order_is_told_so_and_no_more() {
    let cases: &[(&[FromDevice], &str)] = &[
        (&[audio(1, 0, 10)], "Audio out of order while online"),
        (&[FromDevice::Open(open(1)), audio(2, 0, 10)], "Audio out of order while listening"),
        (&[FromDevice::Open(open(1)), audio(1, 1, 10)], "turn 1: sound frame 1 where 0 was due"),
        (&[FromDevice::Open(open(1)), audio(1, 0, 10), audio(1, 0, 10)], "turn 1: sound frame 0 where 1 was due"),
        (&[FromDevice::Open(open(1)), FromDevice::Open(open(2))], "Open out of order while listening"),
        (
            &[FromDevice::Open(open(2)), FromDevice::Close(close(2, 0)), FromDevice::Open(open(2))],
            "Open out of order while answering",
        ),
        (&[FromDevice::Close(close(1, 0))], "Close out of order while online"),
        (
            &[FromDevice::Open(open(1)), FromDevice::Close(close(1, 0)), audio(1, 0, 1)],
            "Audio out of order while answering",
        ),
        (
            &[FromDevice::Open(open(1)), FromDevice::Close(close(1, 0)), FromDevice::Close(close(1, 0))],
            "Close out of order while answering",
        ),
        (&[FromDevice::Played { turn: TurnId(1) }], "Played out of order while online"),
        (&[FromDevice::Hello { paired: true }], "Hello out of order while online"),
        (&[FromDevice::PairConfirm { mac: [0; 32] }], "PairConfirm out of order while online"),
    ];
    for (messages, complaint) in cases {
        let error = told_to_cloud(messages).expect_err(complaint);
        assert_eq!(error.to_string(), *complaint);
        assert_eq!(error.refusal(), Some(RefusedReason::Protocol));
    }
}

#[test]
fn a_stream_has_an_end_whatever_the_device_says() {
    let (_, mut cloud) = online();
    cloud.on_frame(&from_device(&FromDevice::Open(open(1))), NOW).expect("opened");
    let mut result = Ok(Vec::new());
    for sequence in 0.. {
        result = cloud.on_frame(&from_device(&audio(1, sequence, 1_280)), NOW);
        if result.is_err() {
            assert!(u64::from(sequence) * 1_280 <= STREAM_SAMPLES_MAX.0);
            break;
        }
    }
    assert_eq!(result, Err(SessionError::StreamTooLong { turn: TurnId(1) }));
}

#[test]
fn before_hello_nothing_else_is_said_and_a_stranger_opens_nothing() {
    for message in [FromDevice::Ping, FromDevice::Open(open(1)), audio(1, 0, 1)] {
        for peer in [known(), Peer::Unknown] {
            let error =
                Session::new(peer, binding(), NOW).on_frame(&from_device(&message), NOW).expect_err("too early");
            assert_eq!(error, SessionError::OutOfOrder { message: message.name(), state: "waiting for Hello" });
        }
    }
    let mut cloud = Session::new(Peer::Unknown, binding(), NOW);
    let error = cloud.on_frame(&from_device(&FromDevice::Hello { paired: true }), NOW).expect_err("unknown");
    assert_eq!(error, SessionError::Refused(RefusedReason::UnknownDevice));
    // A key that is known but says that it has no cloud is paired anew, and opens nothing before.
    let mut cloud = Session::new(known(), binding(), NOW);
    let actions = cloud.on_frame(&from_device(&FromDevice::Hello { paired: false }), NOW);
    assert_eq!(actions, Ok(vec![Action::Send(FromCloud::Unpaired)]));
    assert!(cloud.on_frame(&from_device(&FromDevice::Open(open(1))), NOW).is_err());
}

#[test]
fn what_is_no_frame_ends_the_session_and_another_version_is_named() {
    for (frame, refusal) in [
        (vec![2, 1, 1], RefusedReason::Version),
        (vec![1, 4, 0], RefusedReason::Protocol),
        (vec![1; 70_000], RefusedReason::Protocol),
    ] {
        let (_, mut cloud) = online();
        let error = cloud.on_frame(&frame, NOW).expect_err("no frame");
        assert!(matches!(error, SessionError::Frame(_)), "{error}");
        assert_eq!(error.refusal(), Some(refusal));
        let (mut device, _) = online();
        assert!(matches!(device.on_frame(&frame, NOW), Err(SessionError::Frame(_))));
        assert_eq!(device.on_frame(&frame, NOW), Err(SessionError::Over));
    }
    assert_eq!(FrameError::Version { got: 2 }.to_string(), "version 2 of the protocol instead of 1");
}

#[test]
fn the_cloud_has_no_say_before_its_turn() {
    let (_, mut cloud) = online();
    let turn = TurnId(1);
    assert_eq!(cloud.heard(turn, SampleCount(0)), Err(NotNow { what: "heard" }));
    cloud.on_frame(&from_device(&FromDevice::Open(open(1))), NOW).expect("opened");
    cloud.on_frame(&from_device(&audio(1, 0, 100)), NOW).expect("heard");
    assert_eq!(cloud.heard(turn, SampleCount(101)), Err(NotNow { what: "heard" }));
    assert_eq!(cloud.reply_start(turn, 16_000, NOW), Err(NotNow { what: "reply_start" }), "into an open microphone");
    assert_eq!(cloud.turn_end(turn, Outcome::Answered), Err(NotNow { what: "turn_end" }), "while listening");
    assert!(cloud.stop_capture(turn, SampleCount(100), StopReason::EndOfSpeech).is_ok());
    let again = cloud.stop_capture(turn, SampleCount(100), StopReason::EndOfSpeech);
    assert_eq!(again, Err(NotNow { what: "stop_capture" }));
    assert!(cloud.reply_start(turn, 16_000, NOW).is_ok());
    assert_eq!(cloud.turn_end(turn, Outcome::Answered), Err(NotNow { what: "turn_end" }), "in mid-reply");
    assert_eq!(cloud.reply_audio(turn, &[0; 40_000]).map(|pieces| pieces.len()), Ok(3));
    assert!(cloud.reply_end(turn, NOW).is_ok() && cloud.turn_end(turn, Outcome::Answered).is_ok());
    let caption = cloud.reply_audio(turn, &[0; 10]);
    assert_eq!(caption, Err(NotNow { what: "reply_audio" }), "after the last word");
}

#[test]
fn a_cloud_that_speaks_out_of_order_is_left() {
    let turn = TurnId(1);
    let cases = [
        (FromCloud::Heard { turn, through: SampleCount(101) }, "turn 1: Heard names a sample that was never sent"),
        (FromCloud::Heard { turn: TurnId(2), through: SampleCount(0) }, "Heard out of order while listening"),
        (FromCloud::Books { turn, samples: SampleCount(100) }, "Books out of order while listening"),
        (FromCloud::ReplyStart { turn, rate_hz: 16_000 }, "ReplyStart out of order while listening"),
        (FromCloud::ReplyAudio { turn, samples: vec![1].into() }, "ReplyAudio out of order while listening"),
        (FromCloud::TurnEnd { turn, outcome: Outcome::Answered }, "TurnEnd out of order while listening"),
        (FromCloud::Welcome { device: DEVICE, settings: Default::default() }, "Welcome out of order while listening"),
        (FromCloud::Pong, "Pong out of order while listening"),
        (FromCloud::Refused { reason: RefusedReason::Busy }, "the cloud refuses: it is busy"),
    ];
    for (message, complaint) in cases {
        let (mut device, _) = online();
        device.open(open(1)).expect("online");
        device.audio(turn, vec![1; 100].into()).expect("open");
        let error = device.on_frame(&from_cloud(&message), NOW).expect_err(complaint);
        assert_eq!(error.to_string(), complaint);
    }
}

#[test]
fn what_crosses_on_the_way_is_no_error() {
    let (mut device, _) = online();
    let turn = TurnId(1);
    device.open(open(1)).expect("online");
    device.close(close(1, 0), NOW).expect("open");
    let late = FromCloud::StopCapture { turn, at: SampleCount(0), reason: StopReason::Limit };
    assert_eq!(device.on_frame(&from_cloud(&late), NOW), Ok(vec![]), "it crossed our Close");
    device.open(open(2)).expect("the first is given up");
    let stale = FromCloud::ReplyStart { turn, rate_hz: 16_000 };
    assert_eq!(device.on_frame(&from_cloud(&stale), NOW), Ok(vec![]), "of a turn that was given up");
    let books = FromCloud::Books { turn, samples: SampleCount(0) };
    assert_eq!(
        device.on_frame(&from_cloud(&books), NOW).map(|actions| actions.len()),
        Ok(1),
        "books are always kept"
    );
}

#[test]
fn every_wait_has_an_end() {
    let (mut device, mut cloud) = online();
    device.open(open(1)).expect("online");
    cloud.on_frame(&from_device(&FromDevice::Open(open(1))), NOW).expect("opened");
    let error = cloud.on_deadline(STREAM_STALL_MAX).expect_err("no sound");
    assert_eq!(error, SessionError::Silent { awaited: "sound of an open stream" });

    let (mut device, mut cloud) = online();
    device.open(open(1)).expect("online");
    device.close(close(1, 0), NOW).expect("open");
    cloud.on_frame(&from_device(&FromDevice::Open(open(1))), NOW).expect("opened");
    cloud.on_frame(&from_device(&FromDevice::Close(close(1, 0))), NOW).expect("closed");
    let turn = TurnId(1);
    let late = Action::Send(FromCloud::TurnEnd { turn, outcome: Outcome::Failed });
    assert_eq!(cloud.on_deadline(ANSWER_WITHIN), Ok(vec![late, Action::TimedOut { turn }]));
    assert_eq!(cloud.turn_end(turn, Outcome::Answered), Err(NotNow { what: "turn_end" }));
    assert!(ANSWER_WITHIN < TURN_WITHIN);
    device.on_deadline(Duration::from_secs(15)).expect("a Ping is due");
    assert_eq!(device.on_frame(&from_cloud(&FromCloud::Pong), Duration::from_secs(15)), Ok(vec![]));
    assert_eq!(device.on_deadline(TURN_WITHIN), Err(SessionError::Silent { awaited: "answer" }));

    let (_, mut cloud) = online();
    assert_eq!(cloud.on_deadline(IDLE_MAX), Err(SessionError::Silent { awaited: "Ping" }));
    let mut cloud = Session::new(known(), binding(), NOW);
    let deadline = cloud.deadline();
    assert_eq!(cloud.on_deadline(deadline), Err(SessionError::Silent { awaited: "Hello" }));
}
