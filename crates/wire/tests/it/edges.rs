//! Whole sessions that are told the numbers at the edges, in any order, by the other side and by their callers: whatever
//! comes, a session goes on or ends with one error. Arithmetic is checked in this profile, so that a sum which runs over
//! panics here as it would in the field.

use std::time::Duration;

use base::{Redacted, SampleCount, SampleIndex, TurnId};
use proptest::prelude::*;
use wire::limits::{FRAME_SAMPLES_MAX, NAME_BYTES_MAX, STREAM_SAMPLES_MAX};
use wire::pairing::CountedTry;
use wire::{
    Caption, Cause, CloseReason, FromCloud, FromDevice, Outcome, PairFailure, RefusedReason, SessionError, Settings,
    StopReason, StreamClose, StreamOpen, Timing, cloud, device,
};

use crate::support::{DEVICE, binding, code, entropy, online};

/// One step of a run.
#[derive(Clone, Debug)]
enum Step {
    /// The cloud's session is told this.
    ToCloud(FromDevice),
    /// The device's session is told this.
    ToDevice(FromCloud),
    /// The device's caller wants this.
    Device(Call),
    /// The cloud's caller wants this.
    Cloud(Call),
    /// Time passes.
    Wait(Duration),
}

#[derive(Clone, Debug)]
enum Call {
    Open(u32, u64),
    Audio(u32, usize),
    Close(u32, u64),
    Heard(u32, u64),
    Stop(u32, u64),
    Reply(u32, u32, usize),
    End(u32),
    Pair(u8),
}

fn number() -> impl Strategy<Value = u64> {
    let edges = [0, 1, 1_279, 1_280, 8_000, 8_001, STREAM_SAMPLES_MAX.0, STREAM_SAMPLES_MAX.0 + 1];
    let far = [u64::from(u32::MAX), 1 << 53, 1 << 63, u64::MAX / 2 + 1, u64::MAX - 1, u64::MAX];
    prop_oneof![4 => proptest::sample::select(edges.to_vec()), 4 => proptest::sample::select(far.to_vec()), 1 => any::<u64>()]
}

fn turn() -> impl Strategy<Value = u32> {
    prop_oneof![6 => 1..4_u32, 1 => Just(0), 1 => Just(u32::MAX), 1 => Just(u32::MAX - 1)]
}

fn n_samples() -> impl Strategy<Value = usize> {
    proptest::sample::select(vec![1, 1_280, FRAME_SAMPLES_MAX])
}

fn open(turn: u32, start: u64, preroll: u64) -> StreamOpen {
    let cause = if turn.is_multiple_of(2) { Cause::Button } else { Cause::Wake { word: "a".into(), score: 1.0 } };
    StreamOpen {
        turn: TurnId(turn),
        cause,
        start: SampleIndex(start),
        onset: SampleIndex(start.saturating_add(preroll)),
    }
}

fn close(turn: u32, total: u64) -> StreamClose {
    StreamClose { turn: TurnId(turn), samples_total: SampleCount(total), reason: CloseReason::MicOff }
}

fn caption(turn: TurnId) -> Caption {
    Caption {
        turn,
        transcript: String::new().into(),
        intent: String::new(),
        slots: Vec::new(),
        reply: String::new().into(),
        timings: vec![Timing { stage: "s".into(), ms: f32::MAX }],
    }
}

fn from_device() -> impl Strategy<Value = FromDevice> {
    prop_oneof![
        any::<bool>().prop_map(|paired| FromDevice::Hello { paired }),
        (turn(), number(), number()).prop_map(|(turn, start, preroll)| FromDevice::Open(open(turn, start, preroll))),
        (turn(), prop_oneof![Just(0_u32), Just(1), Just(u32::MAX)], n_samples()).prop_map(|(turn, sequence, n)| {
            FromDevice::Audio { turn: TurnId(turn), sequence, samples: vec![i16::MIN; n].into() }
        }),
        (turn(), number()).prop_map(|(turn, total)| FromDevice::Close(close(turn, total))),
        turn().prop_map(|turn| FromDevice::Played { turn: TurnId(turn) }),
        Just(FromDevice::Ping),
        Just(FromDevice::PairStart { name: "n".repeat(NAME_BYTES_MAX).into(), message: [0x41; 33] }),
        Just(FromDevice::PairConfirm { mac: [0xab; 32] }),
    ]
}

fn from_cloud() -> impl Strategy<Value = FromCloud> {
    let settings = Settings::default();
    prop_oneof![
        Just(FromCloud::Welcome { device: DEVICE, settings }),
        Just(FromCloud::Unpaired),
        Just(FromCloud::PairReply { message: [0x42; 33] }),
        Just(FromCloud::PairDone { device: DEVICE, mac: [0xcd; 32] }),
        any::<u8>().prop_map(|tries_left| FromCloud::PairFailed { reason: PairFailure::Void, tries_left }),
        Just(FromCloud::Refused { reason: RefusedReason::Busy }),
        Just(FromCloud::Settings(settings)),
        (turn(), number()).prop_map(|(turn, n)| FromCloud::Heard { turn: TurnId(turn), through: SampleCount(n) }),
        (turn(), number()).prop_map(|(turn, n)| FromCloud::StopCapture {
            turn: TurnId(turn),
            at: SampleCount(n),
            reason: StopReason::Limit
        }),
        (turn(), number()).prop_map(|(turn, n)| FromCloud::Books { turn: TurnId(turn), samples: SampleCount(n) }),
        turn().prop_map(|turn| FromCloud::Caption(caption(TurnId(turn)))),
        (turn(), 0..=u32::MAX).prop_map(|(turn, rate_hz)| FromCloud::ReplyStart { turn: TurnId(turn), rate_hz }),
        (turn(), n_samples())
            .prop_map(|(turn, n)| FromCloud::ReplyAudio { turn: TurnId(turn), samples: vec![-1; n].into() }),
        turn().prop_map(|turn| FromCloud::ReplyEnd { turn: TurnId(turn) }),
        turn().prop_map(|turn| FromCloud::TurnEnd { turn: TurnId(turn), outcome: Outcome::Answered }),
        Just(FromCloud::Pong),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        (turn(), number()).prop_map(|(turn, n)| Call::Open(turn, n)),
        (turn(), n_samples()).prop_map(|(turn, n)| Call::Audio(turn, n)),
        (turn(), number()).prop_map(|(turn, n)| Call::Close(turn, n)),
        (turn(), number()).prop_map(|(turn, n)| Call::Heard(turn, n)),
        (turn(), number()).prop_map(|(turn, n)| Call::Stop(turn, n)),
        (turn(), any::<u32>(), n_samples()).prop_map(|(turn, rate_hz, n)| Call::Reply(turn, rate_hz, n)),
        turn().prop_map(Call::End),
        any::<u8>().prop_map(Call::Pair),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let waits = [0, 1, 80, 10_000, 15_000, 18_000, 20_000, 38_000, 900_000].map(Duration::from_millis);
    prop_oneof![
        4 => from_device().prop_map(Step::ToCloud),
        4 => from_cloud().prop_map(Step::ToDevice),
        3 => call().prop_map(Step::Device),
        3 => call().prop_map(Step::Cloud),
        1 => proptest::sample::select(waits.to_vec()).prop_map(Step::Wait),
    ]
}

struct Both {
    device: device::Session,
    cloud: cloud::Session,
    now: Duration,
}

impl Both {
    fn new(is_paired: bool, now: Duration) -> Self {
        if is_paired {
            let (device, cloud) = online();
            return Self { device, cloud, now };
        }
        let (device, _) = device::Session::new(false, binding(), now);
        Self { device, cloud: cloud::Session::new(cloud::Peer::Unknown, binding(), now), now }
    }

    /// What a step came to; an error ends the session it was said to.
    fn take(&mut self, step: Step) -> Result<(), SessionError> {
        let now = self.now;
        match step {
            // What cannot be said in a frame cannot come either.
            Step::ToCloud(message) => {
                let Ok(frame) = message.encode() else { return Ok(()) };
                self.cloud.on_frame(&frame, now).map(|actions| self.deliver_to_device(&actions))
            }
            Step::ToDevice(message) => {
                let Ok(frame) = message.encode() else { return Ok(()) };
                self.device.on_frame(&frame, now).map(drop)
            }
            Step::Device(call) => {
                self.device_call(call);
                Ok(())
            }
            Step::Cloud(call) => self.cloud_call(call),
            Step::Wait(span) => {
                self.now = now.saturating_add(span);
                self.device.on_deadline(self.now).map(drop)?;
                self.cloud.on_deadline(self.now).map(drop)
            }
        }
    }

    fn deliver_to_device(&mut self, actions: &[cloud::Action]) {
        for message in crate::support::sent(actions) {
            // It may be over; that is seen at its next step.
            let _ = self.device.on_frame(&crate::support::from_cloud(&message), self.now);
        }
    }

    fn device_call(&mut self, call: Call) {
        let (device, cloud, now) = (&mut self.device, &mut self.cloud, self.now);
        let said = match call {
            Call::Open(turn, start) => device.open(open(turn, start, 8_000)).ok(),
            Call::Audio(turn, n) => device.audio(TurnId(turn), vec![1; n].into()).ok(),
            Call::Close(turn, total) => {
                let actions = device.close(close(turn, total), now).unwrap_or_default();
                actions.into_iter().find_map(|action| match action {
                    device::Action::Send(message) => Some(message),
                    _ => None,
                })
            }
            Call::Pair(seed) => {
                let name = Redacted::new("kitchen".to_owned());
                device.pair(&code("042137"), name, &entropy(seed), now).ok()
            }
            Call::Heard(turn, _) | Call::Stop(turn, _) | Call::Reply(turn, ..) | Call::End(turn) => {
                device.played(TurnId(turn)).ok()
            }
        };
        if let Some(frame) = said.and_then(|message| message.encode().ok()) {
            let _ = cloud.on_frame(&frame, now);
        }
    }

    fn cloud_call(&mut self, call: Call) -> Result<(), SessionError> {
        let (cloud, now) = (&mut self.cloud, self.now);
        match call {
            Call::Heard(turn, n) | Call::Open(turn, n) => drop(cloud.heard(TurnId(turn), SampleCount(n))),
            Call::Stop(turn, n) | Call::Close(turn, n) => {
                drop(cloud.stop_capture(TurnId(turn), SampleCount(n), StopReason::Failed));
            }
            Call::Audio(turn, n) => drop(cloud.reply_audio(TurnId(turn), &vec![0; n])),
            Call::Reply(turn, rate_hz, n) => {
                drop(cloud.reply_start(TurnId(turn), rate_hz, now));
                drop(cloud.reply_audio(TurnId(turn), &vec![0; n]));
                drop(cloud.reply_end(TurnId(turn), now));
            }
            Call::End(turn) => drop(cloud.turn_end(TurnId(turn), Outcome::Failed)),
            Call::Pair(tries_left) => {
                cloud.offer_code(Some(&code("042137")), &entropy(tries_left), now)?;
                cloud.try_counted(Some(CountedTry { tries_left }), now)?;
                cloud.registered(Some((DEVICE, Settings::default())), now)?;
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn no_number_of_the_other_sides_makes_a_session_panic(
        is_paired: bool, steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut both = Both::new(is_paired, Duration::ZERO);
        for step in steps {
            if both.take(step).is_err() {
                // Another connection comes up, as it does after every end.
                both = Both::new(is_paired, both.now);
            }
        }
    }
}

#[test]
fn a_total_that_no_stream_can_have_ends_the_session_with_one_error() {
    let now = Duration::ZERO;
    for total in [STREAM_SAMPLES_MAX.0 + 1, u64::MAX / 2 + 1, u64::MAX] {
        let (_, mut cloud) = online();
        let open = FromDevice::Open(open(1, u64::MAX - 8_000, 8_000)).encode().expect("fits");
        cloud.on_frame(&open, now).expect("a stream");
        let close = FromDevice::Close(close(1, total)).encode().expect("fits");
        assert_eq!(cloud.on_frame(&close, now), Err(SessionError::StreamTooLong { turn: TurnId(1) }));
    }
}

#[test]
fn i5_an_onset_that_no_preroll_reaches_is_no_frame() {
    for preroll in [8_001, u64::MAX / 2, u64::MAX] {
        let far = FromDevice::Open(open(1, 0, preroll));
        assert!(far.encode().is_err(), "{preroll}");
        let mut frame = FromDevice::Open(open(1, 0, 8_000)).encode().expect("fits");
        let at = frame.len() - 8;
        frame[at..].copy_from_slice(&preroll.to_le_bytes());
        assert!(FromDevice::decode(&frame).is_err(), "{preroll}");
    }
}
