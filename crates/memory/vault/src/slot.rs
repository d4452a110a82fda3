//! The bytes of one slot of a key store. Pure: reads and writes no file.
//!
//! ```text
//! head    0..64    state u8 (0 free, 1 live, 2 destroyed) ‖ version u8 = 1 ‖ 0 [6] ‖ id [16] ‖ new u8 ‖ 0 [7]
//!                  ‖ check [32]
//! parent  64..176  state u8 (1 key, 2 destroyed) ‖ 0 [7] ‖ nonce [24] ‖ wrapped key [32] ‖ tag [16] ‖ check [32]
//! audio   176..288     the same, wrapped by the parent
//! text    288..400     the same
//! voice   400..512     the same
//! ```
//!
//! `check` is SHA-256 over (store, slot, section, id, the section's bytes before it), so that a section that was half
//! written, or belongs to another slot, store or utterance, is seen as destroyed and never as a key. Each section has
//! its own, so that destroying one kind cannot harm another if the machine stops half-way.
//!
//! `new` is 1 until what hangs on the keys is kept as well. No check covers it, so that one byte, which no disk writes
//! by halves, turns keys that nobody was told of into keys that somebody relies on. A free slot's id is that of the
//! utterance whose keys were destroyed there last.

use std::fmt;
use std::ops::Range;

use base::UtteranceId;
use sha2::{Digest, Sha256};

use crate::place::{Audio, Kind, Text};
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
pub(crate) const HEAD_LEN: usize = 64;
/// The id of no utterance.
pub(crate) const NOBODY: UtteranceId = UtteranceId::from_bytes([0; UtteranceId::LEN]);
const SECTION_LEN: usize = (SLOT_LEN - HEAD_LEN) / SECTIONS;
const CHECK_LEN: usize = 32;
const KEY_AT: usize = 8;
const ID: Range<usize> = 8..8 + UtteranceId::LEN;
/// Where the head says that the keys are new.
pub(crate) const NEW_AT: usize = ID.end;
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
    /// Nothing hangs on it, and nothing ever did; the store may use it.
    Free,
    /// Nothing hangs on it since the keys of this utterance were destroyed; the store may use it.
    Freed(UtteranceId),
    /// It holds the keys of this utterance, which may not be kept yet.
    New(UtteranceId),
    /// It holds the keys of this utterance (some of which may have been destroyed on their own).
    Live(UtteranceId),
    /// It holds keys of this utterance, and not all that it held: nobody destroyed them, they are damaged.
    Damaged(UtteranceId),
    /// It held the keys of this utterance, which were destroyed.
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
    /// Free, after the keys of `last` were destroyed there; all zeros where it never held any.
    pub(crate) fn free(store: &'a [u8; 16], slot: SlotNumber, last: UtteranceId) -> Self {
        Self::with_head(store, slot, STATE_FREE, last)
    }

    /// What says that the keys of `id` are destroyed, over whatever `noise` there is where they were.
    pub(crate) fn erased(
        store: &'a [u8; 16],
        slot: SlotNumber,
        id: UtteranceId,
        noise: &[u8; SLOT_LEN - HEAD_LEN],
    ) -> Self {
        let mut block = Self::with_head(store, slot, STATE_DESTROYED, id);
        block.bytes[HEAD_LEN..].copy_from_slice(noise);
        block
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
        let new = self.bytes[NEW_AT] != 0;
        match self.head() {
            Some((STATE_FREE, NOBODY)) => SlotState::Free,
            Some((STATE_FREE, id)) => SlotState::Freed(id),
            Some((STATE_LIVE, id)) => match (self.is_whole(id), new) {
                (true, true) => SlotState::New(id),
                (true, false) => SlotState::Live(id),
                // It was being filled when the machine stopped; nobody was told of it.
                (false, true) => SlotState::Torn,
                (false, false) => SlotState::Damaged(id),
            },
            Some((STATE_DESTROYED, id)) => SlotState::Destroyed(id),
            _ => SlotState::Torn,
        }
    }

    /// The slot, of the store's `slots`, in which these bytes would be whole: somebody moved or copied them here.
    pub(crate) fn home(&self, slots: u32) -> Option<SlotNumber> {
        if self.bytes[1] != SLOT_VERSION || self.bytes[0] > STATE_DESTROYED || self.head().is_some() {
            return None;
        }
        let mut probe = Block { store: self.store, slot: self.slot, bytes: self.bytes };
        (1..=slots).map(SlotNumber).find(|&slot| {
            probe.slot = slot;
            probe.head().is_some()
        })
    }

    /// State and id, where the head is whole and this slot's.
    fn head(&self) -> Option<(u8, UtteranceId)> {
        let id = self.id();
        let check = self.check(HEAD_CODE, id, 0..HEAD_LEN);
        let whole = self.bytes[1] == SLOT_VERSION
            && self.bytes[NEW_AT] <= 1
            && self.bytes[HEAD_LEN - CHECK_LEN..HEAD_LEN] == check;
        whole.then_some((self.bytes[0], id))
    }

    /// Whether each key that something hangs on is there, or was destroyed on its own.
    fn is_whole(&self, id: UtteranceId) -> bool {
        [PARENT, Audio::CODE, Text::CODE].into_iter().all(|section| {
            let range = section_range(section);
            let check = self.check(section, id, range.clone());
            self.bytes[range.end - CHECK_LEN..range.end] == check
        })
    }

    /// The wrapped key in `section`, where the slot is live for `id` and that key was not destroyed.
    pub(crate) fn key(&self, id: UtteranceId, section: u8) -> Option<&[u8]> {
        if self.head() != Some((STATE_LIVE, id)) {
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
        let mut covered = [0; SLOT_LEN];
        covered[range.clone()].copy_from_slice(&self.bytes[range.clone()]);
        covered[NEW_AT] = 0;
        Sha256::new()
            .chain_update(b"sotto/slot/1")
            .chain_update(self.store)
            .chain_update(self.slot.0.to_le_bytes())
            .chain_update([section])
            .chain_update(id.as_bytes())
            .chain_update(&covered[range.start..range.end - CHECK_LEN])
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
        assert_eq!((moved.state(), moved.home(9)), (SlotState::Torn, Some(SlotNumber(3))));
        assert_eq!(moved.home(2), None, "there is no such slot");
        assert_eq!(live(ID, 50).home(9), None, "it is at home");
    }

    #[test]
    fn a_slot_says_whether_its_keys_are_new_damaged_or_destroyed() {
        let mut new = live(ID, 50);
        new.bytes[NEW_AT] = 1;
        assert_eq!(new.state(), SlotState::New(ID));
        assert_eq!(keys_of(&new, ID)[0], Some(50), "its keys are used while it is being kept");
        new.bytes[section_range(1).start + 9] ^= 1;
        assert_eq!(new.state(), SlotState::Torn, "cut off while it was filled");
        for section in 0..3 {
            let mut damaged = live(ID, 50);
            damaged.bytes[section_range(section)].fill(0);
            assert_eq!(damaged.state(), SlotState::Damaged(ID), "section {section}");
            let mut destroyed = live(ID, 50);
            destroyed.bury_section(ID, section);
            assert_eq!(destroyed.state(), SlotState::Live(ID), "one kind was destroyed, and says so");
        }
        let erased = Block::erased(&STORE, SlotNumber(3), ID, &[7; SLOT_LEN - HEAD_LEN]);
        assert_eq!(erased.state(), SlotState::Destroyed(ID));
        assert_eq!(keys_of(&erased, ID), [None; 4]);
        assert_eq!(Block::free(&STORE, SlotNumber(3), ID).state(), SlotState::Freed(ID));
        assert_eq!(Block::free(&STORE, SlotNumber(3), NOBODY).state(), SlotState::Free);
    }

    #[test]
    fn i7_a_slot_torn_at_any_byte_reads_as_before_as_after_or_as_destroyed() {
        let before = live(ID, 50);
        let noise = [0xa5; SLOT_LEN - HEAD_LEN];
        let erased = Block::erased(&STORE, SlotNumber(3), ID, &noise).bytes;
        for after in [Block::tombstone(&STORE, SlotNumber(3), ID).bytes, erased, live(OTHER, 70).bytes] {
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
            let mut block = Block::free(&STORE, SlotNumber(1), NOBODY);
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
            // The last section is that of a kind on which nothing hangs yet.
            let unused = section_range(3).contains(&at);
            let keys = keys_of_or_none(&block);
            prop_assert!(block.state() != SlotState::Live(ID) || (unused && keys.contains(&None)));
        }
    }

    fn keys_of_or_none(block: &Block<'_>) -> Vec<Option<usize>> {
        (0..SECTIONS as u8).map(|section| block.key(ID, section).map(<[u8]>::len)).collect()
    }
}
