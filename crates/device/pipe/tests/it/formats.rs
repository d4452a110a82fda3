use std::fmt::Write as _;

use base::{Redacted, SampleCount, SampleIndex, TurnId};
use pipe::frame::FRAME_BYTES_MAX;
use pipe::{
    Cause, CloseReason, EarToLink, EarToPanel, LauncherToPanel, LinkToEar, Message, PanelToEar, PanelToLauncher,
    PipeError, Reader, Sensitivity, Standing, StreamClose, StreamOpen, WordName, encode,
};
use proptest::prelude::*;

const TURN: TurnId = TurnId(0x0102_0304);

fn wake() -> Cause {
    Cause::Wake { word: WordName::new("alexa").expect("a name"), score: 0.75 }
}

fn ear_to_link() -> Vec<EarToLink> {
    let open = |cause| {
        EarToLink::Open(StreamOpen { turn: TURN, cause, start: SampleIndex(8_000), onset: SampleIndex(16_000) })
    };
    let close = |reason| {
        let (end, samples_total) = (SampleIndex(1 << 40), SampleCount(240_000));
        EarToLink::Close(StreamClose { turn: TURN, end, samples_total, reason })
    };
    let pcm = EarToLink::Pcm { turn: TURN, pcm: Redacted::new(vec![0, 1, -1, i16::MIN, i16::MAX]) };
    let reasons = [CloseReason::StopCapture, CloseReason::Limit, CloseReason::MicOff, CloseReason::MicGone];
    [open(wake()), open(Cause::Button), pcm]
        .into_iter()
        .chain(reasons.map(close))
        .chain([EarToLink::MicOff])
        .collect()
}

fn link_to_ear() -> Vec<LinkToEar> {
    let settings = [Sensitivity::Low, Sensitivity::Normal, Sensitivity::High];
    let settings = settings.map(|sensitivity| LinkToEar::Settings { sensitivity });
    let rest = [
        LinkToEar::StopCapture { turn: TURN, at: SampleCount(48_000) },
        LinkToEar::Heard { turn: TURN, through: SampleCount(1_280) },
        LinkToEar::Drained { turn: TURN },
        LinkToEar::TurnOver { turn: TURN },
    ];
    let standings = Standing::ALL.map(LinkToEar::Standing);
    rest.into_iter().chain(settings).chain([LinkToEar::Silenced]).chain(standings).collect()
}

fn ear_to_panel() -> Vec<EarToPanel> {
    vec![
        EarToPanel::Ask { turn: TURN, cause: wake() },
        EarToPanel::Ask { turn: TURN, cause: Cause::Button },
        EarToPanel::ListeningOver { turn: TURN },
        EarToPanel::TurnOver { turn: TURN },
        EarToPanel::MicGone,
        EarToPanel::Wiped,
        EarToPanel::Ready,
        EarToPanel::Standing(Standing::Connecting),
        EarToPanel::Standing(Standing::Unproven),
        EarToPanel::Hears,
    ]
}

fn panel_to_ear() -> Vec<PanelToEar> {
    vec![PanelToEar::Lit { turn: TURN }, PanelToEar::Press, PanelToEar::MicOff, PanelToEar::MicOn]
}

fn bytes<M: Message>(message: &M) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(message, &mut bytes).expect("short");
    bytes
}

fn golden<M: Message + std::fmt::Debug>(messages: &[M], lines: &mut String) {
    for message in messages {
        let hex: String = bytes(message).iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(lines, "{message:?}\n  {hex}").expect("a string");
    }
}

#[test]
fn every_message_has_these_bytes() {
    let mut lines = String::new();
    golden(&ear_to_link(), &mut lines);
    golden(&link_to_ear(), &mut lines);
    golden(&ear_to_panel(), &mut lines);
    golden(&panel_to_ear(), &mut lines);
    golden(&[PanelToLauncher::MicrophonesOn, PanelToLauncher::MicrophonesOff], &mut lines);
    golden(&[LauncherToPanel::MicrophonesOn, LauncherToPanel::MicrophonesOff, LauncherToPanel::Redraw], &mut lines);
    insta::assert_snapshot!(lines);
}

fn reads_back<M: Message + PartialEq + std::fmt::Debug>(messages: &[M]) {
    let all: Vec<u8> = messages.iter().flat_map(bytes).collect();
    for piece in [1, 3, 7, all.len()] {
        let mut reader = Reader::<M>::new();
        let mut read = Vec::new();
        for piece in all.chunks(piece) {
            reader.push(piece).expect("room");
            while let Some(message) = reader.next().expect("well-formed") {
                read.push(message);
            }
        }
        assert_eq!(read, messages, "in pieces of {piece}");
        assert!(!reader.is_cut());
    }
}

#[test]
fn every_message_reads_back_however_it_arrives() {
    reads_back(&ear_to_link());
    reads_back(&link_to_ear());
    reads_back(&ear_to_panel());
    reads_back(&panel_to_ear());
}

fn complaint<M: Message + std::fmt::Debug>(bytes: &[u8]) -> String {
    let mut reader = Reader::<M>::new();
    reader.push(bytes).expect("room");
    reader.next().expect_err("nonsense").to_string()
}

#[test]
fn nonsense_is_refused_in_words() {
    assert_eq!(
        complaint::<PanelToEar>(&[9, 2, 0, 0]),
        "the other process speaks version 9 of the pipe format, this one 1"
    );
    assert_eq!(complaint::<PanelToEar>(&[1, 99, 0, 0]), "message kind 99 does not belong on this pipe");
    assert_eq!(complaint::<PanelToEar>(&[1, 2, 0xff, 0xff]), "a message of 65539 bytes is longer than any may be");
    assert_eq!(complaint::<PanelToEar>(&[1, 2, 1, 0, 0]), "a malformed message of kind 2", "a byte too many");
    assert_eq!(complaint::<PanelToEar>(&[1, 1, 2, 0, 0, 0]), "a malformed message of kind 1", "a turn cut short");
    // Values out of range: an empty and an oversized chunk, half a sample, a score that is no number, an onset too early.
    let pcm = |samples| bytes(&EarToLink::Pcm { turn: TURN, pcm: Redacted::new(vec![0; samples]) });
    assert_eq!(complaint::<EarToLink>(&pcm(0)), "a malformed message of kind 2");
    assert_eq!(complaint::<EarToLink>(&pcm(1_281)), "a malformed message of kind 2");
    assert_eq!(complaint::<EarToLink>(&[1, 2, 5, 0, 1, 0, 0, 0, 7]), "a malformed message of kind 2");
    let cause = Cause::Wake { word: WordName::new("alexa").expect("a name"), score: f32::NAN };
    assert_eq!(
        complaint::<EarToPanel>(&bytes(&EarToPanel::Ask { turn: TURN, cause })),
        "a malformed message of kind 1"
    );
    let early = StreamOpen { turn: TURN, cause: Cause::Button, start: SampleIndex(2), onset: SampleIndex(1) };
    assert_eq!(complaint::<EarToLink>(&bytes(&EarToLink::Open(early))), "a malformed message of kind 1");
}

#[test]
fn i1_link_has_no_word_that_opens_a_microphone() {
    // All kinds there are, from link to ear: stop, how far, drained, over, settings, silenced, standing. An eighth would be
    // a new line here.
    for kind in 0..=u8::MAX {
        let mut reader = Reader::<LinkToEar>::new();
        reader.push(&[1, kind, 0, 0]).expect("room");
        let is_known = !matches!(reader.next(), Err(PipeError::Kind(_)));
        assert_eq!(is_known, (1..=7).contains(&kind), "kind {kind}");
    }
}

#[test]
fn i9_a_message_with_sound_prints_none_of_it() {
    let shown = format!("{:?}", EarToLink::Pcm { turn: TURN, pcm: Redacted::new(vec![12_345; 10]) });
    assert!(!shown.contains("12345") && shown.contains("redacted"), "{shown}");
}

#[test]
fn names_of_words_are_small_letters() {
    for name in ["", "Alexa", "hey computer", "é", "abcdefghijklmnopq"] {
        assert_eq!(WordName::new(name), None, "{name}");
    }
    assert_eq!(WordName::new("abcdefghijklmnop").map(|name| name.as_str().len()), Some(16));
}

fn survives<M: Message + std::fmt::Debug>(hostile: &[u8]) {
    let mut reader = Reader::<M>::new();
    for piece in hostile.chunks(1_000) {
        reader.push(piece).expect("room");
        while let Ok(Some(message)) = reader.next() {
            // What was understood can be said again, and is as long as it was.
            assert!(bytes(&message).len() <= FRAME_BYTES_MAX);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_a_reader_panic(
        frames in prop::collection::vec((0_u8..9, prop::collection::vec(any::<u8>(), 0..64)), 0..20),
        tail in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut hostile = Vec::new();
        for (kind, body) in frames {
            hostile.extend([1, kind, u8::try_from(body.len()).expect("short"), 0]);
            hostile.extend(body);
        }
        hostile.extend(tail);
        survives::<EarToLink>(&hostile);
        survives::<LinkToEar>(&hostile);
        survives::<EarToPanel>(&hostile);
        survives::<PanelToEar>(&hostile);
        survives::<PanelToLauncher>(&hostile);
        survives::<LauncherToPanel>(&hostile);
    }
}
