//! The key store: one file per marketplace, slots of 512 bytes, overwritten in place.
//!
//! A file of fixed slots and not a database, because a database keeps old versions of what it stores (journals, free
//! pages) and a key must have exactly one copy that can be overwritten.
//!
//! Concurrency: every method may be called from any thread; changes happen one after another. All of them block on
//! the disk: call them where blocking is allowed. Durability: what a method changed is on the disk when it returns.

mod slots;

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::{Marketplace, UtteranceId};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::{VaultError, io_at};
use crate::files::{private_file, write_durably};
use crate::place::{Audio, Kind, Place, Text, Voice, key_aad, sealed_aad};
use crate::root::RootKey;
use crate::seal::{KEY_LEN, Key, Sealed, decrypt, encrypt, fill_random, open, seal};
use crate::slot::{Block, HEAD_LEN, NEW_AT, PARENT, SLOT_LEN, SlotNumber, SlotState, WRAPPED_LEN, section_range};
use crate::steps::Steps;

/// Slots a store may have: 2^24 utterances kept at once, 8 GiB of keys, two centuries of two hundred requests a day.
pub const SLOTS_MAX: u32 = 1 << 24;

/// First bytes of the file.
const MAGIC: &[u8; 8] = b"SOTTOKEY";
/// The only format there is so far.
const FORMAT: u16 = 1;
/// Bytes of the header that the check of the root key covers: magic, format, marketplace, 0 [4], store id.
const HEADER_BODY: usize = 32;
/// Bytes of the header's own check, at its end.
const HEADER_CHECK: usize = 32;
/// Sealed proof that the root key fits: nonce and tag around nothing.
const PROOF_LEN: usize = 40;

/// The keys of one marketplace's utterances.
pub struct KeyStore {
    path: PathBuf,
    file: File,
    marketplace: Marketplace,
    store: [u8; 16],
    wrapping: Key,
    allocation: Mutex<Allocation>,
    steps: Arc<dyn Steps>,
}

/// Which slots there are and which are free; rebuilt from the file at each start.
struct Allocation {
    slots: u32,
    free: Vec<SlotNumber>,
}

/// Proof that the keys of a slot are destroyed, on the disk. What gives the slot free takes it.
#[derive(Debug)]
#[must_use = "the slot stays taken until it is released"]
pub struct Erased {
    slot: SlotNumber,
    id: UtteranceId,
}

impl std::fmt::Debug for KeyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyStore").field("path", &self.path).finish_non_exhaustive()
    }
}

impl KeyStore {
    /// Makes an empty store at `path`, durably; either all of it is there afterwards or nothing.
    ///
    /// # Errors
    /// [`VaultError::Io`], [`VaultError::Random`].
    pub fn make(
        path: &Path,
        root: &RootKey,
        marketplace: Marketplace,
        steps: Arc<dyn Steps>,
    ) -> Result<Self, VaultError> {
        let mut store = [0; 16];
        fill_random(&mut store)?;
        let mut header = [0; SLOT_LEN];
        header[..8].copy_from_slice(MAGIC);
        header[8..10].copy_from_slice(&FORMAT.to_le_bytes());
        header[10..12].copy_from_slice(marketplace.as_str().as_bytes());
        header[16..HEADER_BODY].copy_from_slice(&store);
        let proof = encrypt(&root.wrapping(marketplace, &store)?, &header[..HEADER_BODY], &[])?;
        header[HEADER_BODY..HEADER_BODY + PROOF_LEN].copy_from_slice(&proof);
        let check = Sha256::digest(&header[..SLOT_LEN - HEADER_CHECK]);
        header[SLOT_LEN - HEADER_CHECK..].copy_from_slice(&check);
        steps.before("key store: make").map_err(io_at("make", path))?;
        write_durably(path, &header)?;
        Self::open(path, root, marketplace, steps)
    }

    /// Opens the store at `path` and finds out which of its slots are free.
    ///
    /// # Errors
    /// [`VaultError::NotAKeyStore`], [`VaultError::Newer`], [`VaultError::WrongMarketplace`],
    /// [`VaultError::WrongRootKey`], [`VaultError::Io`] (also where the file is missing).
    pub fn open(
        path: &Path,
        root: &RootKey,
        marketplace: Marketplace,
        steps: Arc<dyn Steps>,
    ) -> Result<Self, VaultError> {
        std::fs::metadata(path).map_err(io_at("open", path))?;
        let file = private_file(path)?;
        let mut header = [0; SLOT_LEN];
        let not_one = |_| VaultError::NotAKeyStore(path.to_path_buf());
        file.read_exact_at(&mut header, 0).map_err(not_one)?;
        let check: [u8; HEADER_CHECK] = Sha256::digest(&header[..SLOT_LEN - HEADER_CHECK]).into();
        if !header.starts_with(MAGIC) || header[SLOT_LEN - HEADER_CHECK..] != check {
            return Err(VaultError::NotAKeyStore(path.to_path_buf()));
        }
        let found = u16::from_le_bytes([header[8], header[9]]);
        if found != FORMAT {
            return Err(VaultError::Newer { path: path.to_path_buf(), found, known: FORMAT });
        }
        if &header[10..12] != marketplace.as_str().as_bytes() {
            return Err(VaultError::WrongMarketplace { path: path.to_path_buf(), expected: marketplace });
        }
        let mut store = [0; 16];
        store.copy_from_slice(&header[16..HEADER_BODY]);
        let wrapping = root.wrapping(marketplace, &store)?;
        decrypt(&wrapping, &header[..HEADER_BODY], &header[HEADER_BODY..HEADER_BODY + PROOF_LEN])
            .map_err(|_| VaultError::WrongRootKey(path.to_path_buf()))?;
        let blocks = file.metadata().map_err(io_at("look at", path))?.len() / SLOT_LEN as u64;
        // A last piece shorter than a slot was being added when the machine stopped; the next slot overwrites it.
        let slots = u32::try_from(blocks.saturating_sub(1)).unwrap_or(u32::MAX).min(SLOTS_MAX);
        let allocation = Mutex::new(Allocation { slots, free: Vec::new() });
        let keys = Self { path: path.to_path_buf(), file, marketplace, store, wrapping, allocation, steps };
        keys.find_free_slots()?;
        Ok(keys)
    }

    /// What tells this store from every other; not secret.
    #[must_use]
    pub const fn store_id(&self) -> &[u8; 16] {
        &self.store
    }

    /// How many slots the file has, free ones included.
    #[must_use]
    pub fn slots(&self) -> u32 {
        self.lock().slots
    }

    /// Draws a parent key and one key per kind for `id`, and stores them wrapped. They are new until
    /// [`KeyStore::acknowledge`] is called: a start that finds new keys and nothing that hangs on them may destroy them.
    ///
    /// # Errors
    /// [`VaultError::Full`], [`VaultError::Random`], [`VaultError::Io`] (a full disk: nothing has changed).
    pub fn create(&self, id: UtteranceId) -> Result<SlotNumber, VaultError> {
        let mut allocation = self.lock();
        let slot = match allocation.free.last() {
            Some(&slot) => slot,
            None if allocation.slots < SLOTS_MAX => SlotNumber(allocation.slots + 1),
            None => return Err(VaultError::Full(SLOTS_MAX)),
        };
        let mut block = Block::live(&self.store, slot, id);
        let parent = Key::random()?;
        block.put_key(id, PARENT, &self.wrap(&self.wrapping, slot, id, PARENT, &parent)?);
        for section in [Audio::CODE, Text::CODE, Voice::CODE] {
            block.put_key(id, section, &self.wrap(&parent, slot, id, section, &Key::random()?)?);
        }
        block.bytes[NEW_AT] = 1;
        self.write("key: write", &block)?;
        if slot.0 > allocation.slots {
            allocation.slots = slot.0;
        } else {
            allocation.free.pop();
        }
        Ok(slot)
    }

    /// Says that what hangs on the keys of `id` is kept: from now on somebody relies on them. Once more is harmless.
    ///
    /// # Errors
    /// [`VaultError::Destroyed`], [`VaultError::Io`].
    pub fn acknowledge(&self, slot: SlotNumber, id: UtteranceId) -> Result<(), VaultError> {
        let _changing = self.lock();
        let mut block = self.block(slot)?.ok_or(VaultError::Destroyed)?;
        match block.state() {
            SlotState::Live(found) if found == id => Ok(()),
            SlotState::New(found) if found == id => {
                block.bytes[NEW_AT] = 0;
                self.write_part("key: acknowledge", &block, NEW_AT..NEW_AT + 1)
            }
            _ => Err(VaultError::Destroyed),
        }
    }

    /// Seals `plaintext` for `place` under the key of kind `K`.
    ///
    /// # Errors
    /// [`VaultError::Destroyed`], [`VaultError::Io`], [`VaultError::Random`].
    pub fn seal<K: Kind>(&self, place: &Place, plaintext: &[u8]) -> Result<Sealed<K>, VaultError> {
        let key = self.key(place.slot, place.id, K::CODE)?;
        seal(&key, &sealed_aad(self.marketplace, place, K::CODE), plaintext)
    }

    /// Opens what was sealed for `place`.
    ///
    /// # Errors
    /// [`VaultError::Destroyed`] where its key is gone, [`VaultError::Tampered`] where it was changed or belongs
    /// elsewhere, [`VaultError::Version`], [`VaultError::Io`].
    pub fn open_sealed<K: Kind>(&self, place: &Place, sealed: &Sealed<K>) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let key = self.key(place.slot, place.id, K::CODE)?;
        open(&key, &sealed_aad(self.marketplace, place, K::CODE), sealed)
    }

    /// Destroys all keys of `id`: they are overwritten with random bytes, then the slot with a tombstone, each synced.
    /// From the first on the slot says that they were destroyed, so that this is never taken for damage.
    /// Where they are gone already, that is what it says: calling it again is harmless.
    ///
    /// # Errors
    /// [`VaultError::Io`]; the keys may or may not be gone then, and the call is to be repeated.
    pub fn destroy(&self, slot: SlotNumber, id: UtteranceId) -> Result<Erased, VaultError> {
        let _changing = self.lock();
        match self.block(slot)?.map(|block| block.state()) {
            Some(SlotState::Live(found) | SlotState::New(found) | SlotState::Damaged(found)) if found == id => {
                self.erase(slot, id)?;
            }
            Some(SlotState::Torn) => self.erase(slot, id)?,
            // A tombstone whose noise may still be under it.
            Some(SlotState::Destroyed(found)) if found == id => self.bury(slot, id)?,
            // Free, or another utterance's by now, which takes its keys to have been destroyed.
            Some(_) | None => {}
        }
        Ok(Erased { slot, id })
    }

    /// Destroys the key of one kind of `id`, and leaves the others.
    ///
    /// # Errors
    /// As [`KeyStore::destroy`].
    pub fn destroy_kind<K: Kind>(&self, slot: SlotNumber, id: UtteranceId) -> Result<(), VaultError> {
        let _changing = self.lock();
        let Some(mut block) = self.block(slot)?.filter(|block| {
            [SlotState::Live(id), SlotState::New(id), SlotState::Damaged(id)].contains(&block.state())
        }) else {
            return Ok(());
        };
        let range = section_range(K::CODE);
        fill_random(&mut block.bytes[range.clone()])?;
        self.write_part("key: erase a kind", &block, range.clone())?;
        block.bury_section(id, K::CODE);
        self.write_part("key: bury a kind", &block, range)
    }

    /// Gives the slot of destroyed keys free for another utterance. To be called once nothing refers to it any more.
    ///
    /// # Errors
    /// [`VaultError::Io`]; the slot then stays taken until the next start.
    pub fn release(&self, erased: Erased) -> Result<(), VaultError> {
        let mut allocation = self.lock();
        let state = self.block(erased.slot)?.map(|block| block.state());
        if state != Some(SlotState::Destroyed(erased.id)) {
            return Ok(());
        }
        self.write("key: release", &Block::free(&self.store, erased.slot, erased.id))?;
        allocation.free.push(erased.slot);
        Ok(())
    }

    fn erase(&self, slot: SlotNumber, id: UtteranceId) -> Result<(), VaultError> {
        let mut noise = [0; SLOT_LEN - HEAD_LEN];
        fill_random(&mut noise)?;
        self.write("key: erase", &Block::erased(&self.store, slot, id, &noise))?;
        self.bury(slot, id)
    }

    fn bury(&self, slot: SlotNumber, id: UtteranceId) -> Result<(), VaultError> {
        let tombstone = Block::tombstone(&self.store, slot, id);
        if self.block(slot)?.is_some_and(|block| block.bytes == tombstone.bytes) {
            return Ok(());
        }
        self.write("key: bury", &tombstone)
    }

    fn wrap(
        &self,
        by: &Key,
        slot: SlotNumber,
        id: UtteranceId,
        section: u8,
        key: &Key,
    ) -> Result<[u8; WRAPPED_LEN], VaultError> {
        let wrapped = encrypt(by, &key_aad(self.marketplace, &self.store, slot, id, section), &key.0)?;
        wrapped.try_into().map_err(|_| VaultError::Tampered)
    }

    /// The key of one kind, unwrapped; lives for one call.
    fn key(&self, slot: SlotNumber, id: UtteranceId, section: u8) -> Result<Key, VaultError> {
        let block = self.block(slot)?.ok_or(VaultError::Destroyed)?;
        let unwrap = |by: &Key, section: u8| {
            let wrapped = block.key(id, section).ok_or(VaultError::Destroyed)?;
            let plain = decrypt(by, &key_aad(self.marketplace, &self.store, slot, id, section), wrapped)?;
            let mut key = Key([0; KEY_LEN]);
            key.0.copy_from_slice(plain.get(..KEY_LEN).ok_or(VaultError::Tampered)?);
            Ok::<_, VaultError>(key)
        };
        unwrap(&unwrap(&self.wrapping, PARENT)?, section)
    }

    /// The slot's bytes as they are on the disk now; nothing where the file has no such slot.
    fn block(&self, slot: SlotNumber) -> Result<Option<Block<'_>>, VaultError> {
        if slot.0 == 0 {
            return Ok(None);
        }
        let mut block = Block { store: &self.store, slot, bytes: [0; SLOT_LEN] };
        match self.file.read_exact_at(&mut block.bytes, offset(slot)) {
            Ok(()) => Ok(Some(block)),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(io_at("read", &self.path)(error)),
        }
    }

    fn write(&self, step: &'static str, block: &Block<'_>) -> Result<(), VaultError> {
        self.write_part(step, block, 0..SLOT_LEN)
    }

    /// Overwrites in place and waits for the disk.
    fn write_part(
        &self,
        step: &'static str,
        block: &Block<'_>,
        range: std::ops::Range<usize>,
    ) -> Result<(), VaultError> {
        let at = offset(block.slot) + range.start as u64;
        self.steps
            .before(step)
            .and_then(|()| self.file.write_all_at(&block.bytes[range], at))
            .and_then(|()| self.file.sync_data())
            .map_err(io_at("write", &self.path))
    }

    /// Nothing here can leave the allocation half-changed, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, Allocation> {
        self.allocation.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn offset(slot: SlotNumber) -> u64 {
    u64::from(slot.0) * SLOT_LEN as u64
}

#[cfg(test)]
mod tests;
