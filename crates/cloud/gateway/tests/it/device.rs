//! A device for tests: a key, a TLS connection, and the wire's frames by hand, so that it can also say what it must not.

use std::net::Ipv4Addr;

use base::{Redacted, SampleCount, SampleIndex, TurnId};
use futures_util::SinkExt;
use tokio_tungstenite::tungstenite::Message;
use wire::pairing::{Binding, DeviceStart, EXPORTER_LABEL, PairingCode, fingerprint};
use wire::{Caption, Cause, CloseReason, FromCloud, FromDevice, Outcome, StopReason, StreamClose, StreamOpen};
use zeroize::Zeroizing;

use crate::cloud::{Cloud, PATIENCE};

/// 80 ms.
pub(crate) const CHUNK: usize = 1_280;

/// A device's key, from which it can connect again and again.
pub(crate) struct Key(stranger::Key);

pub(crate) struct Device {
    socket: stranger::Socket,
    binding: Binding,
}

/// What came of one streamed turn.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) sent: Vec<i16>,
    pub(crate) stop: Option<(SampleCount, StopReason)>,
    pub(crate) books: Option<SampleCount>,
    pub(crate) caption: Option<Caption>,
    pub(crate) reply_rate_hz: Option<u32>,
    pub(crate) reply: Vec<i16>,
    pub(crate) reply_ended: bool,
    pub(crate) outcome: Option<Outcome>,
}

impl Key {
    pub(crate) fn new() -> Self {
        Self(stranger::Key::draw())
    }

    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        fingerprint(&self.0.public)
    }

    pub(crate) async fn connect(&self, cloud: &Cloud) -> Device {
        self.connect_from(Ipv4Addr::LOCALHOST, cloud).await
    }

    /// Connects from another address of this machine, as if from elsewhere.
    pub(crate) async fn connect_from(&self, from: Ipv4Addr, cloud: &Cloud) -> Device {
        let stream = stranger::tcp_from(from.into(), cloud.address).await.expect("the port is open");
        let socket = self.0.connect_over(stream).await.expect("a WebSocket");
        let (_, tls) = socket.get_ref().get_ref();
        let exporter = tls.export_keying_material([0; 32], EXPORTER_LABEL, None).expect("an exporter");
        let binding = Binding { exporter, device_key: self.fingerprint(), cloud_key: cloud.key };
        Device { socket, binding }
    }

    /// Connects and is paired with a code of the cloud's.
    pub(crate) async fn pair(&self, cloud: &Cloud) -> Device {
        let mut device = self.connect(cloud).await;
        assert_eq!(device.ask(FromDevice::Hello { paired: false }).await, Some(FromCloud::Unpaired));
        let code = cloud.desk.issue(cloud.owner).expect("a code");
        let outcome = device.try_code(&code).await;
        assert!(matches!(outcome, Some(FromCloud::PairDone { .. })), "{outcome:?}");
        let welcome = device.receive().await;
        assert!(matches!(welcome, Some(FromCloud::Welcome { .. })), "{welcome:?}");
        device
    }

    /// Connects as a device that was paired before.
    pub(crate) async fn return_to(&self, cloud: &Cloud) -> Device {
        let mut device = self.connect(cloud).await;
        let welcome = device.ask(FromDevice::Hello { paired: true }).await;
        assert!(matches!(welcome, Some(FromCloud::Welcome { .. })), "{welcome:?}");
        device
    }
}

impl Device {
    pub(crate) async fn send(&mut self, message: FromDevice) {
        self.send_bytes(message.encode().expect("it fits a frame")).await;
    }

    pub(crate) async fn send_bytes(&mut self, bytes: Vec<u8>) {
        self.send_raw(Message::Binary(bytes.into())).await;
    }

    pub(crate) async fn send_raw(&mut self, message: Message) {
        // A cloud that has hung up says why in what it sent before.
        let _ = self.socket.send(message).await;
    }

    /// The cloud's next message; nothing once it has hung up.
    pub(crate) async fn receive(&mut self) -> Option<FromCloud> {
        let frame = tokio::time::timeout(PATIENCE, stranger::next_frame(&mut self.socket)).await;
        let frame = frame.expect("the cloud says something");
        frame.map(|frame| FromCloud::decode(&frame).expect("the cloud speaks the protocol"))
    }

    pub(crate) async fn ask(&mut self, message: FromDevice) -> Option<FromCloud> {
        self.send(message).await;
        self.receive().await
    }

    /// Tries a code; the cloud's last word on it.
    pub(crate) async fn try_code(&mut self, code: &PairingCode) -> Option<FromCloud> {
        let mut entropy = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *entropy).expect("random numbers");
        let (start, message) = DeviceStart::new(code, self.binding, &entropy);
        let name = Redacted::new(String::from("Kitchen"));
        match self.ask(FromDevice::PairStart { name, message }).await {
            Some(FromCloud::PairReply { message }) => {
                let (confirm, mac) = start.confirm(&message).expect("a point");
                let last = self.ask(FromDevice::PairConfirm { mac }).await;
                if let Some(FromCloud::PairDone { mac, .. }) = &last {
                    confirm.verify(mac).expect("the cloud knew the code");
                }
                last
            }
            other => other,
        }
    }

    /// Opens a stream whose wake word begins `onset` samples after its start.
    pub(crate) async fn open(&mut self, turn: u32, onset: u64) {
        let cause = Cause::Wake { word: "alexa".to_owned(), score: 0.9 };
        let start = SampleIndex(32_000);
        let onset = start + SampleCount(onset);
        self.send(FromDevice::Open(StreamOpen { turn: TurnId(turn), cause, start, onset })).await;
    }

    pub(crate) async fn audio(&mut self, turn: u32, sequence: u32, samples: &[i16]) {
        let samples = Redacted::new(samples.to_vec());
        self.send(FromDevice::Audio { turn: TurnId(turn), sequence, samples }).await;
    }

    pub(crate) async fn close(&mut self, turn: u32, total: usize, reason: CloseReason) {
        let samples_total = SampleCount(total as u64);
        self.send(FromDevice::Close(StreamClose { turn: TurnId(turn), samples_total, reason })).await;
    }

    /// Streams `pcm` as fast as the cloud hears it, until it has enough, and collects all it says of the turn.
    pub(crate) async fn turn(&mut self, turn: u32, onset: u64, pcm: &[i16]) -> Heard {
        self.open(turn, onset).await;
        let mut heard = Heard::default();
        for (sequence, chunk) in (0..).zip(pcm.chunks(CHUNK)) {
            self.audio(turn, sequence, chunk).await;
            heard.sent.extend_from_slice(chunk);
            if self.follow(&mut heard).await {
                break;
            }
        }
        let reason = if heard.stop.is_some() { CloseReason::StopCapture } else { CloseReason::MicGone };
        self.close(turn, heard.sent.len(), reason).await;
        self.finish(&mut heard).await;
        heard
    }

    /// Collects what the cloud says until its last word on the turn and its books.
    pub(crate) async fn finish(&mut self, heard: &mut Heard) {
        while heard.outcome.is_none() || heard.books.is_none() {
            let message = self.receive().await.expect("the turn has a last word");
            heard.note(message);
        }
    }

    /// Collects what the cloud says of one piece of sound; whether it has enough.
    pub(crate) async fn follow(&mut self, heard: &mut Heard) -> bool {
        loop {
            match self.receive().await.expect("the cloud goes on listening") {
                FromCloud::Heard { .. } => return heard.stop.is_some(),
                message => heard.note(message),
            }
        }
    }
}

impl Heard {
    fn note(&mut self, message: FromCloud) {
        match message {
            FromCloud::StopCapture { at, reason, .. } => self.stop = Some((at, reason)),
            FromCloud::Books { samples, .. } => self.books = Some(samples),
            FromCloud::Caption(caption) => self.caption = Some(caption),
            FromCloud::ReplyStart { rate_hz, .. } => self.reply_rate_hz = Some(rate_hz),
            FromCloud::ReplyAudio { samples, .. } => self.reply.extend_from_slice(samples.expose()),
            FromCloud::ReplyEnd { .. } => self.reply_ended = true,
            FromCloud::TurnEnd { outcome, .. } => self.outcome = Some(outcome),
            FromCloud::Heard { .. } | FromCloud::Pong => {}
            other => panic!("{} in a turn", other.name()),
        }
    }

    pub(crate) fn transcript(&self) -> String {
        self.caption.as_ref().map(|caption| caption.transcript.expose().to_lowercase()).unwrap_or_default()
    }

    pub(crate) fn timing(&self, stage: &str) -> Option<f32> {
        self.caption.as_ref()?.timings.iter().find(|timing| timing.stage == stage).map(|timing| timing.ms)
    }
}
