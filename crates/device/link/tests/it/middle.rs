//! Somebody between the device and its cloud: keys of their own towards both sides, everything else passed on.

use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _};
use rustls::ClientConfig;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{accept_async, client_async};

use crate::cloud::{Identity, acceptor};

pub(crate) struct Middle {
    pub(crate) address: String,
    _runtime: tokio::runtime::Runtime,
}

impl Middle {
    pub(crate) fn between(cloud: String) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        runtime.spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                tokio::spawn(relay(tcp, cloud.clone()));
            }
        });
        Self { address, _runtime: runtime }
    }
}

async fn relay(tcp: TcpStream, cloud: String) -> Option<()> {
    let tls = acceptor(&Identity::draw()).accept(tcp).await.ok()?;
    let device = accept_async(tls).await.ok()?;
    let own = Identity::draw().into_client();
    let tcp = TcpStream::connect(cloud).await.ok()?;
    let name = ServerName::try_from("sotto-cloud").ok()?;
    let tls = TlsConnector::from(Arc::new(own)).connect(name, tcp).await.ok()?;
    let (cloud, _) = client_async("wss://sotto-cloud/device", tls).await.ok()?;
    let ((mut to_device, mut from_device), (mut to_cloud, mut from_cloud)) = (device.split(), cloud.split());
    loop {
        tokio::select! {
            message = from_device.next() => to_cloud.send(message?.ok()?).await.ok()?,
            message = from_cloud.next() => to_device.send(message?.ok()?).await.ok()?,
        }
    }
}

impl Identity {
    fn into_client(self) -> ClientConfig {
        let (certificate, key) = self.parts();
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCloud))
            .with_client_auth_cert(vec![certificate], key)
            .expect("a certificate")
    }
}

#[derive(Debug)]
struct AnyCloud;

impl ServerCertVerifier for AnyCloud {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
