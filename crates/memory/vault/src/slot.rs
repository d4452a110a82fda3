//! The bytes of one slot of a key store. Pure: reads and writes no file.
//!
//! ```text
//! head    0..64    state u8 (0 free, 1 live, 2 destroyed) ‖ version u8 = 1 ‖ 0 [6] ‖ id [16] ‖ 0 [8] ‖ check [32]
//! parent  64..176  state u8 (1 key, 2 destroyed) ‖ 0 [7] ‖ nonce [24] ‖ wrapped key [32] ‖ tag [16] ‖ check [32]
//! audio   176..288     the same, wrapped by the parent
//! text    288..400     the same
//! voice   400..512     the same
//! ```
//!
//! `check` is SHA-256 over (store, slot, section, id, the section's bytes before it), so that a section that was half
//! written, or belongs to another slot, store or utterance, is seen as destroyed and never as a key. Each section has
//! its own, so that destroying one kind cannot harm another if the machine stops half-way.

use std::fmt;
use std::ops::Range;

use base::UtteranceId;
use sha2::{Digest, Sha256};

use crate::seal::{KEY_LEN, NONCE_LEN, TAG_LEN};

/// Bytes of a slot: a sector of every disk, so that a slot is mostly written whole.
pub const SLOT_LEN: usize = 512;
/// Bytes of a wrapped key: nonce, key, tag.
pub(crate) const WRAPPED_LEN: usize = NONCE_LEN + KEY_LEN + TAG_LEN;
/// Sections with a key: the parent, then one per kind.
pub(crate) const SECTIONS: usize = 4;
/// The parent's section.
pub(crate) const PARENT: u8 = 0;

const SLOT_VERSION: u8 = 1;
const HEAD_LEN: usize = 64;
const SECTION_LEN: usize = (SLOT_LEN - HEAD_LEN) / SECTIONS;
const CHECK_LEN: usize = 32;
const KEY_AT: usize = 8;
const ID: Range<usize> = 8..8 + UtteranceId::LEN;
/// What the head's check is told instead of a section's number.
const HEAD_CODE: u8 = 0xff;

const STATE_FREE: u8 = 0;
const STATE_LIVE: u8 = 1;
const STATE_DESTROYED: u8 = 2;

/// A slot of a key store, counted from 1 (block 0 is the store's own).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotNumber(pub u32);

impl fmt::Display for SlotNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a slot says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotState {
    /// Nothing hangs on it; the store may use it.
    Free,
    /// It holds the keys of this utterance (some of which may have been destroyed on their own).
    Live(UtteranceId),
    /// It held the keys of this utterance, which are gone.
    Destroyed(UtteranceId),
    /// It was being written when the machine stopped, or is damaged: whatever it held is gone.
    Torn,
}

/// One slot's bytes, with the store and number they are valid for.
pub(crate) struct Block<'a> {
    pub(crate) store: &'a [u8; 16],
    pub(crate) slot: SlotNumber,
    pub(crate) bytes: [u8; SLOT_LEN],
}

impl<'a> Block<'a> {
    pub(crate) fn free(store: &'a [u8; 16], slot: SlotNumber) -> Self {
        Self::with_head(store, slot, STATE_FREE, UtteranceId::from_bytes([0; UtteranceId::LEN]))
    }

    pub(crate) fn tombstone(store: &'a [u8; 16], slot: SlotNumber, id: UtteranceId) -> Self {
        let mut block = Self::with_head(store, slot, STATE_DESTROYED, id);
        for section in 0..SECTIONS as u8 {
            block.bury_section(id, section);
        }
        block
    }

    pub(crate) fn live(store: &'a [u8; 16], slot: SlotNumber, id: UtteranceId) -> Self {
        Self::with_head(store, slot, STATE_LIVE, id)
    }

    fn with_head(store: &'a [u8; 16], slot: SlotNumber, state: u8, id: UtteranceId) -> Self {
        let mut block = Self { store, slot, bytes: [0; SLOT_LEN] };
        block.bytes[0] = state;
        block.bytes[1] = SLOT_VERSION;
        block.bytes[ID].copy_from_slice(id.as_bytes());
        let check = block.check(HEAD_CODE, id, 0..HEAD_LEN);
        block.bytes[HEAD_LEN - CHECK_LEN..HEAD_LEN].copy_from_slice(&check);
        block
    }

    pub(crate) fn put_key(&mut self, id: UtteranceId, section: u8, wrapped: &[u8; WRAPPED_LEN]) {
        let range = section_range(section);
        let bytes = &mut self.bytes[range];
        bytes.fill(0);
        bytes[0] = STATE_LIVE;
        bytes[KEY_AT..KEY_AT + WRAPPED_LEN].copy_from_slice(wrapped);
        self.sign_section(id, section);
    }

    pub(crate) fn bury_section(&mut self, id: UtteranceId, section: u8) {
        let range = section_range(section);
        self.bytes[range.clone()].fill(0);
        self.bytes[range.start] = STATE_DESTROYED;
        self.sign_section(id, section);
    }

    pub(crate) fn state(&self) -> SlotState {
        let id = self.id();
        let check = self.check(HEAD_CODE, id, 0..HEAD_LEN);
        if self.bytes[1] != SLOT_VERSION || self.bytes[HEAD_LEN - CHECK_LEN..HEAD_LEN] != check {
            return SlotState::Torn;
        }
        match self.bytes[0] {
            STATE_FREE => SlotState::Free,
            STATE_LIVE => SlotState::Live(id),
            STATE_DESTROYED => SlotState::Destroyed(id),
            _ => SlotState::Torn,
        }
    }

    /// The wrapped key in `section`, where the slot is live for `id` and that key was not destroyed.
    pub(crate) fn key(&self, id: UtteranceId, section: u8) -> Option<&[u8]> {
        if self.state() != SlotState::Live(id) {
            return None;
        }
        let range = section_range(section);
        let check = self.check(section, id, range.clone());
        let bytes = &self.bytes[range];
        let whole = bytes[SECTION_LEN - CHECK_LEN..] == check;
        (whole && bytes[0] == STATE_LIVE).then(|| &bytes[KEY_AT..KEY_AT + WRAPPED_LEN])
    }

    fn id(&self) -> UtteranceId {
        let mut id = [0; UtteranceId::LEN];
        id.copy_from_slice(&self.bytes[ID]);
        UtteranceId::from_bytes(id)
    }

    fn sign_section(&mut self, id: UtteranceId, section: u8) {
        let range = section_range(section);
        let check = self.check(section, id, range.clone());
        self.bytes[range.end - CHECK_LEN..range.end].copy_from_slice(&check);
    }

    /// The check over `range` without its last [`CHECK_LEN`] bytes, which hold it.
    fn check(&self, section: u8, id: UtteranceId, range: Range<usize>) -> [u8; CHECK_LEN] {
        Sha256::new()
            .chain_update(b"sotto/slot/1")
            .chain_update(self.store)
            .chain_update(self.slot.0.to_le_bytes())
            .chain_update([section])
            .chain_update(id.as_bytes())
            .chain_update(&self.bytes[range.start..range.end - CHECK_LEN])
            .finalize()
            .into()
    }
}

/// Where a section lies in its slot.
pub(crate) fn section_range(section: u8) -> Range<usize> {
    let start = HEAD_LEN + usize::from(section) * SECTION_LEN;
    start..start + SECTION_LEN
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STORE: [u8; 16] = *b"one key store...";
    const ID: UtteranceId = UtteranceId::from_bytes([9; 16]);
    const OTHER: UtteranceId = UtteranceId::from_bytes([8; 16]);

    fn live(id: UtteranceId, fill: u8) -> Block<'static> {
        let mut block = Block::live(&STORE, SlotNumber(3), id);
        for section in 0..SECTIONS as u8 {
            block.put_key(id, section, &[fill + section; WRAPPED_LEN]);
        }
        block
    }

    fn keys_of(block: &Block<'_>, id: UtteranceId) -> Vec<Option<u8>> {
        (0..SECTIONS as u8)
            .map(|section| {
                block.key(id, section).map(|key| {
                    assert!(key.iter().all(|&byte| byte == key[0]), "half a key was read");
                    key[0]
                })
            })
            .collect()
    }

    #[test]
    fn a_slot_gives_its_keys_to_its_utterance_in_its_place_alone() {
        let block = live(ID, 50);
        assert_eq!(block.state(), SlotState::Live(ID));
        assert_eq!(keys_of(&block, ID), [Some(50), Some(51), Some(52), Some(53)]);
        assert_eq!(keys_of(&block, OTHER), [None; 4]);
        let moved = Block { slot: SlotNumber(4), ..block };
        assert_eq!(moved.state(), SlotState::Torn);
    }

    #[test]
    fn i7_a_slot_torn_at_any_byte_reads_as_before_as_after_or_as_destroyed() {
        let before = live(ID, 50);
        for after in [Block::tombstone(&STORE, SlotNumber(3), ID).bytes, [0xa5; SLOT_LEN], live(OTHER, 70).bytes] {
            for cut in 0..=SLOT_LEN {
                for first_half_new in [true, false] {
                    let mut bytes = before.bytes;
                    let new = if first_half_new { 0..cut } else { cut..SLOT_LEN };
                    bytes[new.clone()].copy_from_slice(&after[new]);
                    let torn = Block { bytes, ..live(ID, 50) };
                    for (section, key) in keys_of(&torn, ID).into_iter().enumerate() {
                        assert!(key.is_none() || key == Some(50 + section as u8));
                    }
                    for (section, key) in keys_of(&torn, OTHER).into_iter().enumerate() {
                        assert!(key.is_none() || key == Some(70 + section as u8));
                    }
                }
            }
        }
    }

    #[test]
    fn i7_one_kind_torn_at_any_byte_leaves_the_others_whole() {
        let before = live(ID, 50);
        let range = section_range(2);
        for cut in range.clone() {
            let mut torn = live(ID, 50);
            torn.bytes[range.start..cut].fill(0xa5);
            let keys = keys_of(&torn, ID);
            assert_eq!([keys[0], keys[1], keys[3]], [Some(50), Some(51), Some(53)]);
            assert!(keys[2].is_none() || torn.bytes == before.bytes);
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_torn_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), SLOT_LEN)) {
            let mut block = Block::free(&STORE, SlotNumber(1));
            block.bytes.copy_from_slice(&bytes);
            prop_assert_eq!(block.state(), SlotState::Torn);
            for section in 0..SECTIONS as u8 {
                prop_assert!(block.key(ID, section).is_none());
            }
        }

        #[test]
        fn any_changed_byte_is_noticed(at in 0..SLOT_LEN, flip in 1u8..) {
            let mut block = live(ID, 50);
            block.bytes[at] ^= flip;
            let keys = keys_of_or_none(&block);
            prop_assert!(block.state() == SlotState::Torn || keys.contains(&None));
        }
    }

    fn keys_of_or_none(block: &Block<'_>) -> Vec<Option<usize>> {
        (0..SECTIONS as u8).map(|section| block.key(ID, section).map(<[u8]>::len)).collect()
    }
}
