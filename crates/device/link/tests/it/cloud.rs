//! A small cloud: the real session, TLS and WebSocket, and instead of a recogniser a fixed answer.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::{Clock as _, DeviceId, SampleCount, SystemClock, TurnId};
use futures_util::{SinkExt as _, StreamExt as _};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};
use wire::cloud::{Action, Peer, Session};
use wire::pairing::{Binding, CountedTry, EXPORTER_LABEL, PairingCode, fingerprint};
use wire::{Caption, FromCloud, Outcome, RefusedReason, SessionError, Settings, Slot, StopReason, Timing};

/// What the cloud does with a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Manner {
    /// Wants ten chunks, and answers.
    Answers,
    /// Wants ten chunks, and says that it failed.
    Fails,
    /// Wants ten chunks, and then says nothing any more.
    FallsSilent,
    /// Breaks the connection after five chunks.
    Breaks,
    /// Wants ten chunks, and answers with these samples at this rate.
    Recites { samples: Arc<Vec<i16>>, rate_hz: u32 },
    /// Wants whatever comes, and says nothing.
    Listens,
    /// Sends these bytes instead of what is due when a stream opens.
    Sends(Message),
}

/// What the test and the cloud both look at.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) manner: Manner,
    pub(crate) code: Option<PairingCode>,
    pub(crate) tries_left: u8,
    pub(crate) known: HashMap<[u8; 32], DeviceId>,
    pub(crate) samples: usize,
    /// Streams that were opened.
    pub(crate) n_streams: u32,
    /// What it is told of a request in its caption.
    pub(crate) transcript: String,
    pub(crate) frames: Vec<Vec<u8>>,
    pub(crate) played: Vec<TurnId>,
}

pub(crate) struct Cloud {
    pub(crate) address: SocketAddr,
    pub(crate) state: Arc<Mutex<State>>,
    identity: Arc<Identity>,
    runtime: Option<tokio::runtime::Runtime>,
}

pub(crate) struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    fingerprint: [u8; 32],
}

impl Identity {
    pub(crate) fn draw() -> Self {
        let pair = KeyPair::generate().expect("a key");
        let certificate =
            CertificateParams::new(Vec::new()).and_then(|params| params.self_signed(&pair)).expect("signed");
        let certificate = certificate.der().clone();
        let key = fingerprint_of(&certificate);
        Self { certificate, key: PrivatePkcs8KeyDer::from(pair.serialize_der()).into(), fingerprint: key }
    }
}

impl Cloud {
    pub(crate) fn start() -> Self {
        let state = State {
            manner: Manner::Answers,
            code: None,
            tries_left: 5,
            known: HashMap::new(),
            samples: 0,
            n_streams: 0,
            transcript: "what time is it".to_owned(),
            frames: Vec::new(),
            played: Vec::new(),
        };
        Self::start_at(
            "127.0.0.1:0".parse().expect("an address"),
            Arc::new(Identity::draw()),
            Arc::new(Mutex::new(state)),
        )
    }

    fn start_at(address: SocketAddr, identity: Arc<Identity>, state: Arc<Mutex<State>>) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind(address)).expect("a port");
        let address = listener.local_addr().expect("bound");
        let acceptor = acceptor(&identity);
        let (shared, key) = (Arc::clone(&state), identity.fingerprint);
        runtime.spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                tokio::spawn(serve(tcp, acceptor.clone(), Arc::clone(&shared), key));
            }
        });
        Self { address, state, identity, runtime: Some(runtime) }
    }

    /// Ends it, with all its connections.
    pub(crate) fn stop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
    }

    /// Starts it again where it was, as itself or as somebody else.
    pub(crate) fn restart(mut self, identity: Option<Identity>) -> Self {
        self.stop();
        let identity = identity.map_or_else(|| Arc::clone(&self.identity), Arc::new);
        Self::start_at(self.address, identity, Arc::clone(&self.state))
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Shows a code, good for five tries.
    pub(crate) fn show(&self, code: &str) {
        let mut state = self.state();
        (state.code, state.tries_left) = (Some(code.parse().expect("digits")), 5);
    }
}

pub(crate) fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn acceptor(identity: &Identity) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("versions")
        .with_client_cert_verifier(Arc::new(AnyKey))
        .with_single_cert(vec![identity.certificate.clone()], identity.key.clone_key())
        .expect("a certificate");
    TlsAcceptor::from(Arc::new(config))
}

type Socket = WebSocketStream<TlsStream<TcpStream>>;

async fn serve(tcp: TcpStream, acceptor: TlsAcceptor, state: Arc<Mutex<State>>, cloud_key: [u8; 32]) {
    let Ok(tls) = acceptor.accept(tcp).await else { return };
    let session = tls.get_ref().1;
    let binding = Binding {
        exporter: session.export_keying_material([0; 32], EXPORTER_LABEL, None).expect("TLS 1.3"),
        device_key: fingerprint_of(&session.peer_certificates().expect("a certificate")[0]),
        cloud_key,
    };
    let Ok(mut socket) = accept_async(tls).await else { return };
    let peer = match lock(&state).known.get(&binding.device_key) {
        Some(device) => Peer::Known { device: *device, settings: Settings::default() },
        None => Peer::Unknown,
    };
    let (clock, start) = (SystemClock::new(), Instant::now());
    let mut session = Session::new(peer, binding, clock.elapsed());
    loop {
        let actions = match timeout_at(start + session.deadline(), socket.next()).await {
            Err(_) => session.on_deadline(clock.elapsed()),
            Ok(Some(Ok(Message::Binary(frame)))) => {
                lock(&state).frames.push(frame.to_vec());
                session.on_frame(&frame, clock.elapsed())
            }
            Ok(_) => return,
        };
        if let Err(refused) = act(&mut session, actions, &state, &mut socket, clock.elapsed()).await {
            if let Some(reason) = refused {
                send(&mut socket, &FromCloud::Refused { reason }).await;
            }
            // The device's bytes are read to the end, so that it reads ours.
            let _ = socket.close(None).await;
            return;
        }
    }
}

async fn act(
    session: &mut Session,
    actions: Result<Vec<Action>, SessionError>,
    state: &Mutex<State>,
    socket: &mut Socket,
    now: Duration,
) -> Result<(), Option<RefusedReason>> {
    let refused = |error: SessionError| error.refusal();
    let mut actions = std::collections::VecDeque::from(actions.map_err(refused)?);
    while let Some(action) = actions.pop_front() {
        let more = match action {
            Action::Send(message) => {
                send(socket, &message).await;
                Vec::new()
            }
            Action::CodeWanted => {
                let code = lock(state).code.clone();
                session.offer_code(code.as_ref(), &[9; 32].into(), now).map_err(refused)?
            }
            Action::CountTry => {
                let tries_left = lock(state).tries_left.checked_sub(1);
                lock(state).tries_left = tries_left.unwrap_or(0);
                session.try_counted(tries_left.map(|tries_left| CountedTry { tries_left }), now).map_err(refused)?
            }
            Action::Register { key, .. } => {
                let device = DeviceId::from_bytes([0xd0; 16]);
                lock(state).known.insert(key, device);
                session.registered(Some((device, Settings::default())), now).map_err(refused)?
            }
            Action::StreamOpened(_) => {
                let manner = lock(state).manner.clone();
                lock(state).n_streams += 1;
                if let Manner::Sends(message) = manner {
                    let _ = socket.send(message).await;
                }
                Vec::new()
            }
            Action::Audio { turn, samples } => on_audio(session, turn, samples.expose().len(), state)?,
            Action::StreamClosed { close, .. } => {
                let state = lock(state);
                answer(session, close.turn, &state.manner, &state.transcript, now)
            }
            Action::Played { turn } => {
                lock(state).played.push(turn);
                Vec::new()
            }
            Action::Online { .. } | Action::Abandoned { .. } | Action::TimedOut { .. } => Vec::new(),
        };
        actions.extend(more);
    }
    Ok(())
}

fn on_audio(
    session: &mut Session,
    turn: TurnId,
    n_samples: usize,
    state: &Mutex<State>,
) -> Result<Vec<Action>, Option<RefusedReason>> {
    let mut state = lock(state);
    state.samples += n_samples;
    if state.manner == Manner::Breaks && state.samples >= 5 * 1_280 {
        return Err(None);
    }
    let through = SampleCount(state.samples as u64);
    let mut out = vec![Action::Send(session.heard(turn, through).expect("heard"))];
    if state.samples == 10 * 1_280 && state.manner != Manner::Listens {
        state.samples = 0;
        out.push(Action::Send(session.stop_capture(turn, through, StopReason::EndOfSpeech).expect("listening")));
    }
    Ok(out)
}

fn answer(session: &mut Session, turn: TurnId, manner: &Manner, transcript: &str, now: Duration) -> Vec<Action> {
    if *manner == Manner::Fails {
        return vec![Action::Send(session.turn_end(turn, Outcome::Failed).expect("answering"))];
    }
    if matches!(manner, Manner::FallsSilent | Manner::Listens) {
        return Vec::new();
    }
    let caption = Caption {
        turn,
        transcript: transcript.to_owned().into(),
        intent: "HassGetCurrentTime".to_owned(),
        slots: vec![Slot { name: "place".to_owned(), value: "here".to_owned().into() }],
        reply: "It is noon.".to_owned().into(),
        timings: vec![Timing { stage: "recognise".to_owned(), ms: 12.5 }],
    };
    let mut messages = vec![session.caption(caption).expect("answering")];
    let (samples, rate_hz) = match manner {
        Manner::Recites { samples, rate_hz } => (Arc::clone(samples), *rate_hz),
        _ => (Arc::new(vec![500; 22_050]), 22_050),
    };
    messages.push(session.reply_start(turn, rate_hz, now).expect("answering"));
    messages.extend(session.reply_audio(turn, &samples).expect("replying"));
    messages.push(session.reply_end(turn, now).expect("replying"));
    messages.push(session.turn_end(turn, Outcome::Answered).expect("replied"));
    messages.into_iter().map(Action::Send).collect()
}

async fn send(socket: &mut Socket, message: &FromCloud) {
    // The device may be gone; reading tells.
    let _ = socket.send(Message::binary(message.encode().expect("fits"))).await;
}

pub(crate) fn fingerprint_of(certificate: &CertificateDer<'_>) -> [u8; 32] {
    fingerprint(&ParsedCertificate::try_from(certificate).expect("a certificate").subject_public_key_info())
}

/// Whoever can sign with the key they show is taken for that key's owner.
#[derive(Debug)]
struct AnyKey;

impl ClientCertVerifier for AnyKey {
    fn root_hint_subjects(&self) -> &[rustls::DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.2 is not spoken".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
