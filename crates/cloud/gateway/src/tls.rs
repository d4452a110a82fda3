//! TLS 1.3 with keys of our own: every device shows a certificate it signed itself, and is known by its key alone.
//!
//! TLS proves here that the other side holds the key; whether that key is a paired device's is asked afterwards, of the
//! history. Names, dates and issuers in certificates mean nothing.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ParsedCertificate};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use wire::pairing::{Binding, EXPORTER_LABEL, fingerprint};

use crate::error::GatewayError;
use crate::limits::CERTIFICATE_BYTES_MAX;

/// Who the cloud is: a self-signed certificate and its key. Devices pin the key.
pub struct CloudIdentity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    fingerprint: [u8; 32],
}

impl std::fmt::Debug for CloudIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CloudIdentity").finish_non_exhaustive()
    }
}

impl CloudIdentity {
    /// An identity from a certificate and its key, both DER.
    ///
    /// # Errors
    /// [`GatewayError::Identity`] where the certificate cannot be read.
    pub fn new(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> Result<Self, GatewayError> {
        let fingerprint = key_of(&certificate).map_err(GatewayError::Identity)?;
        Ok(Self { certificate, key, fingerprint })
    }

    /// SHA-256 of the public key, as devices pin it.
    #[must_use]
    pub const fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    pub(crate) fn server_config(self) -> Result<ServerConfig, GatewayError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(GatewayError::Identity)?
            .with_client_cert_verifier(Arc::new(AnyKey { provider }))
            .with_single_cert(vec![self.certificate], self.key)
            .map_err(GatewayError::Identity)?;
        // Every connection shows its key anew; nothing is remembered from one to the next.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(config)
    }
}

/// What the finished handshake says of the other side.
pub(crate) fn binding(connection: &rustls::ServerConnection, cloud_key: [u8; 32]) -> Result<Binding, GatewayError> {
    let certificate = connection.peer_certificates().and_then(<[_]>::first).ok_or(GatewayError::NoCertificate)?;
    let device_key = key_of(certificate).map_err(|_| GatewayError::NoCertificate)?;
    let exporter = connection
        .export_keying_material([0; 32], EXPORTER_LABEL, None)
        .map_err(|error| GatewayError::Connection(std::io::Error::other(error)))?;
    Ok(Binding { exporter, device_key, cloud_key })
}

fn key_of(certificate: &CertificateDer<'_>) -> Result<[u8; 32], rustls::Error> {
    let parsed = ParsedCertificate::try_from(certificate)?;
    Ok(fingerprint(&parsed.subject_public_key_info()))
}

/// Accepts any certificate that can be read and whose key signs the handshake.
#[derive(Debug)]
struct AnyKey {
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for AnyKey {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        if !intermediates.is_empty() || end_entity.len() > CERTIFICATE_BYTES_MAX {
            return Err(CertificateError::BadEncoding.into());
        }
        key_of(end_entity).map(|_| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        // Only TLS 1.3 is spoken.
        Err(CertificateError::BadSignature.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
