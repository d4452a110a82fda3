use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::FrameError;
use crate::limits::{FRAME_BYTES_MAX, FRAME_SAMPLES_MAX};

/// Every message a device may send, with telling values.
fn from_device() -> Vec<FromDevice> {
    let turn = TurnId(7);
    let wake = Cause::Wake { word: "alexa".into(), score: 0.75 };
    vec![
        FromDevice::Hello { paired: true },
        FromDevice::PairStart { name: "kitchen".to_owned().into(), message: [0x41; 33] },
        FromDevice::PairConfirm { mac: [0xab; 32] },
        FromDevice::Open(StreamOpen {
            turn,
            cause: wake,
            start: SampleIndex(0x0102_0304),
            onset: SampleIndex(0x0102_2244),
        }),
        FromDevice::Open(StreamOpen { turn, cause: Cause::Button, start: SampleIndex(9), onset: SampleIndex(9) }),
        FromDevice::Audio { turn, sequence: 0x1_0203, samples: vec![0, 1, -1, i16::MIN, i16::MAX].into() },
        FromDevice::Close(StreamClose { turn, samples_total: SampleCount(5), reason: CloseReason::StopCapture }),
        FromDevice::Played { turn },
        FromDevice::Ping,
    ]
}

/// Every message a cloud may send, with telling values.
fn from_cloud() -> Vec<FromCloud> {
    let turn = TurnId(7);
    let device = DeviceId::from_bytes(*b"0123456789abcdef");
    vec![
        FromCloud::Welcome { device, settings: Settings { sensitivity: Sensitivity::High } },
        FromCloud::Unpaired,
        FromCloud::PairReply { message: [0x42; 33] },
        FromCloud::PairDone { device, mac: [0xcd; 32] },
        FromCloud::PairFailed { reason: PairFailure::WrongCode, tries_left: 4 },
        FromCloud::Refused { reason: RefusedReason::UnknownDevice },
        FromCloud::Settings(Settings::default()),
        FromCloud::Heard { turn, through: SampleCount(1_280) },
        FromCloud::StopCapture { turn, at: SampleCount(32_000), reason: StopReason::EndOfSpeech },
        FromCloud::Books { turn, samples: SampleCount(33_280) },
        FromCloud::Caption(Caption {
            turn,
            transcript: "what time is it".to_owned().into(),
            intent: "HassGetCurrentTime".into(),
            slots: vec![Slot { name: "place".into(), value: "Zürich".to_owned().into() }],
            reply: "It is noon.".to_owned().into(),
            timings: vec![Timing { stage: "recognise".into(), ms: 412.5 }],
        }),
        FromCloud::ReplyStart { turn, rate_hz: 22_050 },
        FromCloud::ReplyAudio { turn, samples: vec![256, -2].into() },
        FromCloud::ReplyEnd { turn },
        FromCloud::TurnEnd { turn, outcome: Outcome::Answered },
        FromCloud::Pong,
    ]
}

fn hex(frame: &[u8]) -> String {
    frame.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[test]
fn the_bytes_of_every_message_are_settled() {
    let mut table = String::new();
    for message in from_device() {
        let _ = writeln!(table, "{:<12} {}", message.name(), hex(&message.encode().expect("fits")));
    }
    for message in from_cloud() {
        let _ = writeln!(table, "{:<12} {}", message.name(), hex(&message.encode().expect("fits")));
    }
    insta::assert_snapshot!(table);
}

#[test]
fn every_message_reads_back_and_every_cut_or_longer_one_is_refused() {
    for message in from_device() {
        let frame = message.encode().expect("fits");
        assert_eq!(FromDevice::decode(&frame), Ok(message.clone()));
        check_damage(&frame, &message.to_string(), FromDevice::decode);
    }
    for message in from_cloud() {
        let frame = message.encode().expect("fits");
        assert_eq!(FromCloud::decode(&frame), Ok(message.clone()));
        check_damage(&frame, &message.to_string(), FromCloud::decode);
    }
}

fn check_damage<M: fmt::Debug>(frame: &[u8], name: &str, decode: fn(&[u8]) -> Result<M, FrameError>) {
    let fixed = if name == "Audio" { 10 } else { 6 };
    for length in 0..frame.len() {
        // Sound that is cut between two samples is shorter sound; Close and Books notice.
        let is_shorter_sound = name.ends_with("Audio") && length > fixed && (frame.len() - length).is_multiple_of(2);
        assert!(is_shorter_sound || decode(&frame[..length]).is_err(), "{name} cut at {length}");
    }
    let mut longer = frame.to_vec();
    longer.push(0);
    assert!(decode(&longer).is_err(), "{name} with a byte too many");
    let mut other = frame.to_vec();
    other[0] = 2;
    assert_eq!(decode(&other).expect_err("another version"), FrameError::Version { got: 2 });
}

#[test]
fn what_is_oversized_unknown_or_out_of_range_is_named() {
    let oversized = vec![crate::VERSION; FRAME_BYTES_MAX + 1];
    assert_eq!(FromDevice::decode(&oversized), Err(FrameError::Oversized(FRAME_BYTES_MAX + 1)));
    assert_eq!(FromDevice::decode(&[1, 0x80]), Err(FrameError::Kind(0x80)));
    assert_eq!(FromCloud::decode(&[1, 0x01]), Err(FrameError::Kind(0x01)));
    assert_eq!(FromDevice::decode(&[1, 0x01, 2]), Err(FrameError::Range { field: "paired" }));
    let none = FromDevice::Audio { turn: TurnId(1), sequence: 0, samples: vec![].into() };
    assert_eq!(none.encode(), Err(FrameError::Range { field: "samples" }));
    let much = FromCloud::ReplyAudio { turn: TurnId(1), samples: vec![0; FRAME_SAMPLES_MAX + 1].into() };
    assert_eq!(much.encode(), Err(FrameError::Range { field: "samples" }));
    let late = StreamOpen { turn: TurnId(1), cause: Cause::Button, start: SampleIndex(2), onset: SampleIndex(1) };
    assert_eq!(FromDevice::Open(late).encode(), Err(FrameError::Range { field: "onset" }));
}

#[test]
fn i9_no_message_prints_what_was_said() {
    let spoken = from_cloud().into_iter().map(|message| format!("{message:?}")).collect::<String>();
    for words in ["what time", "Zürich", "noon", "256"] {
        assert!(!spoken.contains(words), "{words}");
    }
    let named = format!("{:?}", from_device());
    assert!(!named.contains("kitchen") && !named.contains("-32768"));
}

fn any_text() -> impl Strategy<Value = String> {
    proptest::string::string_regex(".{0,40}").expect("a pattern")
}

proptest! {
    #[test]
    fn no_bytes_make_a_decoder_panic(mut frame in proptest::collection::vec(any::<u8>(), 0..300), kind: u8) {
        let _ = (FromDevice::decode(&frame), FromCloud::decode(&frame));
        if let [version, second, ..] = &mut frame[..] {
            (*version, *second) = (crate::VERSION, kind);
        }
        // What can be read is written as it was.
        if let Ok(message) = FromDevice::decode(&frame) {
            prop_assert_eq!(message.encode(), Ok(frame.clone()));
        }
        if let Ok(message) = FromCloud::decode(&frame) {
            prop_assert_eq!(message.encode(), Ok(frame));
        }
    }

    #[test]
    fn streams_and_captions_read_back(
        turn: u32, start in 0..u64::MAX / 2, preroll in 0..=8_000_u64, word in any_text(), score in 0.0..=1.0_f32,
        samples in proptest::collection::vec(any::<i16>(), 1..2_000),
        texts in proptest::collection::vec(any_text(), 4), ms in -1e9..1e9_f32,
    ) {
        prop_assume!(word.len() <= crate::limits::NAME_BYTES_MAX && texts[2].len() <= crate::limits::NAME_BYTES_MAX);
        let turn = TurnId(turn);
        let open = FromDevice::Open(StreamOpen {
            turn, cause: Cause::Wake { word, score }, start: SampleIndex(start), onset: SampleIndex(start + preroll),
        });
        prop_assert_eq!(FromDevice::decode(&open.encode()?), Ok(open));
        let audio = FromDevice::Audio { turn, sequence: 3, samples: samples.into() };
        prop_assert_eq!(FromDevice::decode(&audio.encode()?), Ok(audio));
        let caption = FromCloud::Caption(Caption {
            turn,
            transcript: texts[0].clone().into(),
            intent: "I".into(),
            slots: vec![Slot { name: texts[2].clone(), value: texts[1].clone().into() }; 3],
            reply: texts[3].clone().into(),
            timings: vec![Timing { stage: "s".into(), ms }],
        });
        prop_assert_eq!(FromCloud::decode(&caption.encode()?), Ok(caption));
    }
}
