//! Where sealed bytes belong. A ciphertext opens in its own place and nowhere else.

use base::{Marketplace, UtteranceId};

use crate::slot::SlotNumber;

/// What an utterance's bytes are: each kind has a key of its own under the parent, and can be forgotten alone.
///
/// Implemented by [`Audio`], [`Text`] and [`Voice`]; as a type, so that text cannot be opened as audio.
pub trait Kind: sealed::Sealed + Send + Sync + 'static {
    /// Its number on disk, which is also its section of the slot. Never changes, never used again.
    const CODE: u8;
    /// Its name in file names.
    const NAME: &'static str;
}

/// The sound of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audio;
/// Transcript, intent, slots, reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text;
/// What a voice is recognised by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voice;

impl Kind for Audio {
    const CODE: u8 = 1;
    const NAME: &'static str = "audio";
}

impl Kind for Text {
    const CODE: u8 = 2;
    const NAME: &'static str = "text";
}

impl Kind for Voice {
    const CODE: u8 = 3;
    const NAME: &'static str = "voice";
}

/// The place of sealed bytes within a marketplace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The slot of the key store that holds the keys.
    pub slot: SlotNumber,
    /// The utterance they belong to.
    pub id: UtteranceId,
    /// Where the ciphertext lies: `table.column`, or `blobs`.
    pub column: &'static str,
}

/// What is authenticated beside a sealed value: `domain ‖ marketplace ‖ slot ‖ id ‖ kind ‖ column`.
///
/// The column comes last, so that no two places share an encoding.
pub(crate) fn sealed_aad(marketplace: Marketplace, place: &Place, kind: u8) -> Vec<u8> {
    let mut aad = Vec::with_capacity(64);
    aad.extend_from_slice(b"sotto/sealed/1");
    aad.extend_from_slice(marketplace.as_str().as_bytes());
    aad.extend_from_slice(&place.slot.0.to_le_bytes());
    aad.extend_from_slice(place.id.as_bytes());
    aad.push(kind);
    aad.extend_from_slice(place.column.as_bytes());
    aad
}

/// What is authenticated beside a wrapped key: `domain ‖ marketplace ‖ store ‖ slot ‖ id ‖ section`.
pub(crate) fn key_aad(
    marketplace: Marketplace,
    store: &[u8; 16],
    slot: SlotNumber,
    id: UtteranceId,
    section: u8,
) -> Vec<u8> {
    let mut aad = Vec::with_capacity(64);
    aad.extend_from_slice(b"sotto/key/1");
    aad.extend_from_slice(marketplace.as_str().as_bytes());
    aad.extend_from_slice(store);
    aad.extend_from_slice(&slot.0.to_le_bytes());
    aad.extend_from_slice(id.as_bytes());
    aad.push(section);
    aad
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Audio {}
    impl Sealed for super::Text {}
    impl Sealed for super::Voice {}
}
