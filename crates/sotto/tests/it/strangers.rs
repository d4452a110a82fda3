//! What a running cloud is sent by somebody who does not keep to the protocol, over real TLS: each is refused with one
//! reason, and the cloud goes on serving.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::Message;
use wire::limits::FRAME_BYTES_MAX;
use wire::{FromCloud, FromDevice, RefusedReason};

use crate::home::Home;

/// No answer of the cloud's takes longer.
const PATIENCE: Duration = Duration::from_secs(15);

#[tokio::test]
async fn frames_of_a_wrong_version_oversized_or_cut_are_refused_and_the_cloud_goes_on() {
    let home = Home::new();
    let up = home.up();
    let devices = up.told["devices"].as_str().expect("an address").to_owned();
    let hello = FromDevice::Hello { paired: false }.encode().expect("a frame");
    let other_version = [vec![hello[0] + 1], hello[1..].to_vec()].concat();
    let cases = [
        ("wrong version", other_version, RefusedReason::Version),
        ("cut", hello[..hello.len() - 1].to_vec(), RefusedReason::Protocol),
        ("empty", Vec::new(), RefusedReason::Protocol),
        ("oversized", vec![hello[0]; FRAME_BYTES_MAX + 1], RefusedReason::Protocol),
    ];
    for (what, frame, reason) in cases {
        let answers = tokio::time::timeout(PATIENCE, send(&devices, Message::Binary(frame.into()))).await;
        let refused = FromCloud::Refused { reason }.encode().expect("a frame");
        assert_eq!(answers.unwrap_or_else(|_| panic!("{what}: no answer")), [refused], "{what}");
    }
    // What is no TLS, and what hangs up in the middle of a greeting.
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0x16, 3, 1, 2, 0, 1]] {
        let mut stream = TcpStream::connect(&devices).await.expect("connects");
        stream.write_all(bytes).await.expect("writes");
        stream.shutdown().await.expect("hangs up");
        let mut rest = Vec::new();
        // An end or a reset are both a refusal.
        let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("the cloud hangs up");
    }
    let status = home.sotto(&["status", "--json"]);
    assert_eq!((status.code, &status.line()["audio_bytes_received"]), (Some(0), &0.into()), "{status:?}");
    let said = home.sotto(&["ask", "--fast", "--json", "--say", "Alexa, what time is it"]);
    assert_eq!(said.line()["intent"], "HassGetCurrentTime", "it goes on serving: {said:?}");
    assert_eq!(home.files_holding(b"panic"), Vec::<std::path::PathBuf>::new(), "nothing about a panic in any log");
}

/// Connects with a key that nobody knows, says one thing, and answers with all the frames that come back.
async fn send(devices: &str, message: Message) -> Vec<Vec<u8>> {
    let tcp = TcpStream::connect(devices).await.expect("connects");
    let name = ServerName::try_from("sotto-cloud").expect("a name");
    let tls = TlsConnector::from(Arc::new(stranger())).connect(name, tcp).await.expect("TLS comes about");
    let (mut socket, _) =
        tokio_tungstenite::client_async("wss://sotto-cloud/device", tls).await.expect("a WebSocket");
    // The cloud may hang up while an oversized frame is still being written.
    let _ = socket.send(message).await;
    let mut answers = Vec::new();
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Binary(frame) = message {
            answers.push(frame.to_vec());
        }
    }
    answers
}

fn stranger() -> ClientConfig {
    let made = rcgen::generate_simple_self_signed(vec!["sotto-device".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCloud { provider }))
        .with_client_auth_cert(vec![made.cert.der().clone()], key)
        .expect("a key for it")
}

/// Takes any cloud for its own: a stranger does not care.
#[derive(Debug)]
struct AnyCloud {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for AnyCloud {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not spoken".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
