//! How a device and a cloud that share six digits come to trust each other's key.
//!
//! The code is the password of a SPAKE2 exchange (device: A, cloud: B), so that neither side, nor anyone between them,
//! learns more from a run than whether one guess was right. The key it yields is not used as it is: HKDF-SHA256 turns it,
//! with the TLS exporter and the fingerprints of both certificates, into one confirmation key for each direction. Someone
//! in the middle has two TLS sessions with two exporters, and other certificates; their confirmations never match.
//!
//! Who confirms first decides who can guess. The device does: a cloud shows its own confirmation only to one that has
//! proved the code, and looks at the proof only against a [`CountedTry`], that is, after the try was counted. So five
//! tries are five guesses in a million, even for someone who breaks the connection as soon as the answer is known.
//!
//! Architecture Invariant: nothing here draws a random number or knows how many tries there are.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac as _};
use sha2::Sha256;
use spake2::rand_core::{TryCryptoRng, TryRng};
use spake2::{Ed25519Group, Identity, Password, Spake2};
use zeroize::Zeroizing;

/// The TLS exporter's label (RFC 5705), used without a context.
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-sotto-pairing";

/// The exporter's length, and that of a fingerprint and of [`Entropy`].
pub const BINDING_BYTES: usize = 32;

/// One side's half of the exchange: the side's letter and a point.
pub type PairingMessage = [u8; 33];

/// A confirmation.
pub type Mac = [u8; 32];

/// Random bytes from the operating system, fresh for each exchange, drawn by the caller.
pub type Entropy = Zeroizing<[u8; BINDING_BYTES]>;

/// What identifies a certificate's key: SHA-256 of its subject public key info, in DER.
#[must_use]
pub fn fingerprint(subject_public_key_info: &[u8]) -> [u8; BINDING_BYTES] {
    use sha2::Digest as _;
    Sha256::digest(subject_public_key_info).into()
}

/// What ties an exchange to the connection that carries it. Both sides must see the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The TLS session's exporter under [`EXPORTER_LABEL`].
    pub exporter: [u8; BINDING_BYTES],
    /// SHA-256 of the device certificate's subject public key info.
    pub device_key: [u8; BINDING_BYTES],
    /// SHA-256 of the cloud certificate's subject public key info.
    pub cloud_key: [u8; BINDING_BYTES],
}

/// Six digits that the app shows and a person types at the device.
#[derive(Clone, PartialEq, Eq)]
pub struct PairingCode(Zeroizing<[u8; Self::DIGITS]>);

impl PairingCode {
    /// How many digits.
    pub const DIGITS: usize = 6;

    /// How many codes there are.
    pub const COUNT: u32 = 1_000_000;

    /// The code for a number below [`Self::COUNT`], which the caller drew evenly; greater ones wrap.
    #[must_use]
    pub fn from_number(number: u32) -> Self {
        let mut digits = [b'0'; Self::DIGITS];
        let mut rest = number % Self::COUNT;
        for digit in digits.iter_mut().rev() {
            // The remainder of a division by ten is a digit.
            *digit += (rest % 10) as u8;
            rest /= 10;
        }
        Self(Zeroizing::new(digits))
    }

    /// The digits, to be shown to the owner and to nobody else.
    #[must_use]
    pub fn expose(&self) -> &str {
        std::str::from_utf8(&self.0[..]).unwrap_or_default()
    }
}

impl fmt::Debug for PairingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairingCode([redacted])")
    }
}

/// What was typed is not six digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a pairing code is six digits")]
pub struct NotACode;

impl FromStr for PairingCode {
    type Err = NotACode;

    /// Spaces and hyphens are passed over, as people group digits.
    fn from_str(text: &str) -> Result<Self, NotACode> {
        let mut digits = text.bytes().filter(|byte| !matches!(byte, b' ' | b'-'));
        let mut code = [0; Self::DIGITS];
        for slot in &mut code {
            *slot = digits.next().filter(u8::is_ascii_digit).ok_or(NotACode)?;
        }
        if digits.next().is_some() { Err(NotACode) } else { Ok(Self(Zeroizing::new(code))) }
    }
}

/// Why an exchange came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PairingError {
    /// The other side's half is not a point, or of the wrong side.
    #[error("the other side's pairing message is malformed")]
    Malformed,
    /// The other side used another code, or there is somebody in the middle.
    #[error("the codes differ, or somebody is between the device and the cloud")]
    Mismatch,
}

/// The proof that a try was taken from the code's five, and was durable or shared before this value came to be.
///
/// Only what keeps the count should make one.
#[derive(Debug)]
#[must_use]
pub struct CountedTry {
    /// How many are left.
    pub tries_left: u8,
}

/// The device, having sent its half.
pub struct DeviceStart {
    exchange: Spake2<Ed25519Group>,
    binding: Binding,
}

/// The device, having proved the code and waiting for the cloud's proof.
pub struct DeviceConfirm {
    cloud_mac: Mac,
}

/// The cloud, having sent its half and waiting for the device's proof.
pub struct CloudStart {
    device_mac: Mac,
    cloud_mac: Mac,
}

impl DeviceStart {
    /// Begins; returns the half to send.
    #[must_use]
    pub fn new(code: &PairingCode, binding: Binding, entropy: &Entropy) -> (Self, PairingMessage) {
        let (exchange, message) = Spake2::start_a_with_rng(
            &Password::new(&code.0[..]),
            &device_identity(),
            &cloud_identity(),
            Injected::new(entropy),
        );
        (Self { exchange, binding }, fixed(&message))
    }

    /// Takes the cloud's half; returns the proof to send.
    ///
    /// # Errors
    /// [`PairingError::Malformed`].
    pub fn confirm(self, cloud: &PairingMessage) -> Result<(DeviceConfirm, Mac), PairingError> {
        let key = self.exchange.finish(cloud).map(Zeroizing::new).map_err(|_| PairingError::Malformed)?;
        let (device_mac, cloud_mac) = confirmations(&key, &self.binding);
        Ok((DeviceConfirm { cloud_mac }, device_mac))
    }
}

impl DeviceConfirm {
    /// Checks the cloud's proof: only now may the cloud's key be pinned.
    ///
    /// # Errors
    /// [`PairingError::Mismatch`].
    pub fn verify(self, mac: &Mac) -> Result<(), PairingError> {
        equal(&self.cloud_mac, mac)
    }
}

impl CloudStart {
    /// Takes the device's half; returns the half to send.
    ///
    /// # Errors
    /// [`PairingError::Malformed`].
    pub fn new(
        code: &PairingCode,
        binding: Binding,
        entropy: &Entropy,
        device: &PairingMessage,
    ) -> Result<(Self, PairingMessage), PairingError> {
        let (exchange, message) = Spake2::<Ed25519Group>::start_b_with_rng(
            &Password::new(&code.0[..]),
            &device_identity(),
            &cloud_identity(),
            Injected::new(entropy),
        );
        let key = exchange.finish(device).map(Zeroizing::new).map_err(|_| PairingError::Malformed)?;
        let (device_mac, cloud_mac) = confirmations(&key, &binding);
        Ok((Self { device_mac, cloud_mac }, fixed(&message)))
    }

    /// Checks the device's proof against a try that was counted, and only then returns the cloud's own.
    ///
    /// # Errors
    /// [`PairingError::Mismatch`].
    pub fn verify(self, mac: &Mac, _counted: CountedTry) -> Result<Mac, PairingError> {
        equal(&self.device_mac, mac).map(|()| self.cloud_mac)
    }
}

impl fmt::Debug for DeviceStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceStart")
    }
}

impl fmt::Debug for DeviceConfirm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceConfirm")
    }
}

impl fmt::Debug for CloudStart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CloudStart")
    }
}

fn device_identity() -> Identity {
    Identity::new(b"sotto device")
}

fn cloud_identity() -> Identity {
    Identity::new(b"sotto cloud")
}

fn fixed(message: &[u8]) -> PairingMessage {
    message.try_into().expect("SPAKE2 over Ed25519 sends a letter and 32 bytes")
}

/// The device's confirmation and the cloud's.
fn confirmations(key: &[u8], binding: &Binding) -> (Mac, Mac) {
    let kdf = Hkdf::<Sha256>::new(Some(b"sotto pairing v1"), key);
    let context = [binding.exporter, binding.device_key, binding.cloud_key].concat();
    let mac = |direction: &[u8]| {
        let mut confirmation_key = Zeroizing::new([0; 32]);
        kdf.expand_multi_info(&[direction, &context], &mut confirmation_key[..])
            .expect("32 bytes are less than 255 hashes");
        let mut mac = Hmac::<Sha256>::new_from_slice(&confirmation_key[..]).expect("HMAC takes a key of any length");
        mac.update(direction);
        mac.update(&context);
        mac.finalize().into_bytes().into()
    };
    (mac(b"device confirms"), mac(b"cloud confirms"))
}

fn equal(want: &Mac, got: &Mac) -> Result<(), PairingError> {
    use subtle::ConstantTimeEq as _;
    if want.ct_eq(got).into() { Ok(()) } else { Err(PairingError::Mismatch) }
}

/// The caller's entropy, stretched to what the exchange draws from it (64 bytes, for one scalar).
struct Injected {
    stretched: Zeroizing<[u8; 64]>,
    used: usize,
}

impl Injected {
    fn new(entropy: &Entropy) -> Self {
        let mut stretched = Zeroizing::new([0; 64]);
        Hkdf::<Sha256>::new(None, &entropy[..])
            .expand(b"sotto pairing scalar", &mut stretched[..])
            .expect("64 bytes are less than 255 hashes");
        Self { stretched, used: 0 }
    }
}

impl TryRng for Injected {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), Infallible> {
        let end = self.used + destination.len();
        let fresh = self.stretched.get(self.used..end).expect("one scalar is all that is drawn");
        destination.copy_from_slice(fresh);
        self.used = end;
        Ok(())
    }
}

impl TryCryptoRng for Injected {}

#[cfg(test)]
mod tests;
