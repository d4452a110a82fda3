//! For tests alone: somebody who comes to a cloud's door for devices with a key that nobody knows, takes any cloud for
//! theirs, and may then say whatever they like, also what no device of ours would.
//!
//! It panics where a test's own tools fail, as a test does. Nothing that runs may use it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use futures_util::StreamExt as _;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::net::{TcpSocket, TcpStream, ToSocketAddrs};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// What the cloud is called in TLS; its key counts, not its name.
const SERVER_NAME: &str = "sotto-cloud";

/// A connection as the wire's frames go over it.
pub type Socket = WebSocketStream<TlsStream<TcpStream>>;

/// A device's key, from which it can connect again and again.
#[derive(Debug)]
pub struct Key {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    /// Its public half, as a certificate holds it (DER).
    pub public: Vec<u8>,
}

impl Key {
    /// Draws a key.
    ///
    /// # Panics
    /// Without randomness.
    #[must_use]
    pub fn draw() -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["sotto-device".to_owned()]).expect("a certificate");
        let certificate = made.cert.der().clone();
        let parsed = ParsedCertificate::try_from(&certificate).expect("a certificate just made parses");
        let public = parsed.subject_public_key_info().to_vec();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key just made parses");
        Self { certificate, key, public }
    }

    /// Connects as far as the WebSocket.
    ///
    /// # Errors
    /// Where the cloud cannot be reached, or does not let a connection come about.
    ///
    /// # Panics
    /// Where TLS is misconfigured.
    pub async fn connect(&self, cloud: impl ToSocketAddrs) -> Result<Socket, tungstenite::Error> {
        self.connect_over(TcpStream::connect(cloud).await?).await
    }

    /// As [`Key::connect`], over a connection that is there already.
    ///
    /// # Errors
    /// As [`Key::connect`].
    ///
    /// # Panics
    /// As [`Key::connect`].
    pub async fn connect_over(&self, stream: TcpStream) -> Result<Socket, tungstenite::Error> {
        let tls = client(Some((self.certificate.clone(), self.key.clone_key())));
        let (socket, _) = client_async(format!("wss://{SERVER_NAME}/device"), handshake(tls, stream).await?).await?;
        Ok(socket)
    }
}

/// Connects from an address of one's own, as 127.0.0.7, as if from elsewhere; says nothing yet.
///
/// # Errors
/// Where the cloud cannot be reached from there.
pub async fn tcp_from(from: IpAddr, cloud: SocketAddr) -> Result<TcpStream, std::io::Error> {
    let socket = if from.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.bind((from, 0).into())?;
    socket.connect(cloud).await
}

/// TLS with a cloud, whoever it is, without a key of one's own.
///
/// # Errors
/// Where the cloud cannot be reached, or breaks it off at once.
///
/// # Panics
/// Where TLS is misconfigured.
pub async fn connect_without_key(cloud: impl ToSocketAddrs) -> Result<TlsStream<TcpStream>, std::io::Error> {
    handshake(client(None), TcpStream::connect(cloud).await?).await
}

/// The cloud's next frame; nothing once it has hung up. Waits as long as it takes.
pub async fn next_frame(socket: &mut Socket) -> Option<Vec<u8>> {
    loop {
        match socket.next().await? {
            Ok(Message::Binary(frame)) => return Some(frame.to_vec()),
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

async fn handshake(tls: ClientConfig, stream: TcpStream) -> Result<TlsStream<TcpStream>, std::io::Error> {
    let name = ServerName::try_from(SERVER_NAME).expect("a name");
    TlsConnector::from(Arc::new(tls)).connect(name, stream).await
}

fn client(shown: Option<(CertificateDer<'static>, PrivateKeyDer<'static>)>) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = AnyCloud { algorithms: provider.signature_verification_algorithms };
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    match shown {
        Some((certificate, key)) => config.with_client_auth_cert(vec![certificate], key).expect("a key for it"),
        None => config.with_no_client_auth(),
    }
}

/// Takes any cloud for its own: a stranger does not care.
#[derive(Debug)]
struct AnyCloud {
    algorithms: WebPkiSupportedAlgorithms,
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
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
