//! Sealing: XChaCha20-Poly1305, a random nonce of 24 bytes for each use, everything about the place authenticated.

use std::fmt;
use std::marker::PhantomData;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::error::VaultError;
use crate::place::Kind;

/// The only version there is so far.
const SEAL_VERSION: u8 = 1;
/// Bytes of a nonce: long enough to be drawn at random without counting (draft-irtf-cfrg-xchacha, section 2).
pub(crate) const NONCE_LEN: usize = 24;
/// Bytes of a key.
pub(crate) const KEY_LEN: usize = 32;
/// Bytes of the authentication tag.
pub(crate) const TAG_LEN: usize = 16;
/// How much longer sealed bytes are than what they hold: version, nonce, tag.
pub const SEAL_OVERHEAD: usize = 1 + NONCE_LEN + TAG_LEN;

/// Bytes that open only with their key and only in their place.
///
/// Layout: `version u8 = 1 ‖ nonce [24] ‖ ciphertext ‖ tag [16]`. What is not promised: that these are the newest
/// bytes sealed for the place (an older copy, put back while its key lives, opens).
pub struct Sealed<K: Kind> {
    bytes: Vec<u8>,
    kind: PhantomData<K>,
}

impl<K: Kind> Sealed<K> {
    /// Takes sealed bytes as they were stored. They are checked when they are opened.
    #[must_use]
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self { bytes, kind: PhantomData }
    }

    /// The bytes to store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes to store.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl<K: Kind> Clone for Sealed<K> {
    fn clone(&self) -> Self {
        Self::from_bytes(self.bytes.clone())
    }
}

impl<K: Kind> fmt::Debug for Sealed<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed<{}>({} bytes)", K::NAME, self.bytes.len())
    }
}

/// A key in memory; wiped when it goes, and shown nowhere.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Key(pub(crate) [u8; KEY_LEN]);

impl Key {
    pub(crate) fn random() -> Result<Self, VaultError> {
        let mut key = Self([0; KEY_LEN]);
        fill_random(&mut key.0)?;
        Ok(key)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([redacted])")
    }
}

pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<(), VaultError> {
    getrandom::fill(bytes).map_err(|_| VaultError::Random)
}

/// `nonce ‖ ciphertext ‖ tag`.
pub(crate) fn encrypt(key: &Key, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, VaultError> {
    let mut nonce = [0; NONCE_LEN];
    fill_random(&mut nonce)?;
    let sealed = XChaCha20Poly1305::new((&key.0).into())
        .encrypt(&XNonce::from(nonce), Payload { msg: plaintext, aad })
        .map_err(|_| VaultError::TooLarge { bytes: plaintext.len(), max: usize::MAX })?;
    Ok([&nonce, sealed.as_slice()].concat())
}

pub(crate) fn decrypt(key: &Key, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(VaultError::Tampered)?;
    XChaCha20Poly1305::new((&key.0).into())
        .decrypt(&XNonce::from(*nonce), Payload { msg: ciphertext, aad })
        .map(Zeroizing::new)
        .map_err(|_| VaultError::Tampered)
}

pub(crate) fn seal<K: Kind>(key: &Key, aad: &[u8], plaintext: &[u8]) -> Result<Sealed<K>, VaultError> {
    let mut bytes = encrypt(key, aad, plaintext)?;
    bytes.insert(0, SEAL_VERSION);
    Ok(Sealed::from_bytes(bytes))
}

pub(crate) fn open<K: Kind>(key: &Key, aad: &[u8], sealed: &Sealed<K>) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    match sealed.bytes.split_first() {
        Some((&SEAL_VERSION, rest)) => decrypt(key, aad, rest),
        Some((&version, _)) => Err(VaultError::Version(version)),
        None => Err(VaultError::Tampered),
    }
}
