//! A device for tests: a key, a TLS connection, and the wire's frames by hand, so that it can also say what it must not.

use std::sync::Arc;

use base::{Redacted, SampleCount, SampleIndex, TurnId};
use futures_util::{SinkExt, StreamExt};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::verify_tls13_signature;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use wire::pairing::{Binding, DeviceStart, EXPORTER_LABEL, PairingCode, fingerprint};
use wire::{Caption, Cause, CloseReason, FromCloud, FromDevice, Outcome, StopReason, StreamClose, StreamOpen};
use zeroize::Zeroizing;

use crate::cloud::{Cloud, PATIENCE};

/// 80 ms.
pub(crate) const CHUNK: usize = 1_280;

/// A device's key, from which it can connect again and again.
pub(crate) struct Key {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    pub(crate) fingerprint: [u8; 32],
}

pub(crate) struct Device {
    socket: WebSocketStream<TlsStream<TcpStream>>,
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
        let made = rcgen::generate_simple_self_signed(vec!["sotto-device".to_owned()]).expect("a certificate");
        let certificate = made.cert.der().clone();
        let parsed = rustls::server::ParsedCertificate::try_from(&certificate).expect("it parses");
        let fingerprint = fingerprint(&parsed.subject_public_key_info());
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
        Self { certificate, key, fingerprint }
    }

    pub(crate) async fn connect(&self, cloud: &Cloud) -> Device {
        let stream = TcpStream::connect(cloud.address).await.expect("the port is open");
        let name = ServerName::try_from("sotto").expect("a name");
        let shown = Some((self.certificate.clone(), self.key.clone_key()));
        let tls = TlsConnector::from(Arc::new(client_config(shown)));
        let stream = tls.connect(name, stream).await.expect("TLS comes about");
        let exporter = stream.get_ref().1.export_keying_material([0; 32], EXPORTER_LABEL, None).expect("an exporter");
        let binding = Binding { exporter, device_key: self.fingerprint, cloud_key: cloud.key };
        let (socket, _) = tokio_tungstenite::client_async("wss://sotto/", stream).await.expect("a WebSocket");
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

/// A client that takes any certificate and shows this one.
pub(crate) fn client_config(shown: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>) -> ClientConfig {
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCloud));
    match shown {
        Some((certificate, key)) => config.with_client_auth_cert(vec![certificate], key).expect("a key for it"),
        None => config.with_no_client_auth(),
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
        loop {
            match tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("the cloud says something") {
                Some(Ok(Message::Binary(frame))) => {
                    return Some(FromCloud::decode(&frame).expect("the cloud speaks the protocol"));
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
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

/// Tests pin nothing; the pairing's own binding sees the cloud's key.
#[derive(Debug)]
struct AnyCloud;

impl ServerCertVerifier for AnyCloud {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::CertificateError::BadSignature.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
