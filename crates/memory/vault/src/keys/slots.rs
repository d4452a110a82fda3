//! Looking at a store's slots, and which of them may be used.

use crate::error::VaultError;
use crate::keys::KeyStore;
use crate::slot::{SlotNumber, SlotState};

impl KeyStore {
    /// What up to `count` slots from `first` on say of themselves; none beyond the last.
    ///
    /// # Errors
    /// [`VaultError::Io`].
    pub fn scan(&self, first: SlotNumber, count: u32) -> Result<Vec<(SlotNumber, SlotState)>, VaultError> {
        let last = first.0.saturating_add(count).min(self.slots().saturating_add(1));
        let mut found = Vec::new();
        for number in first.0.max(1)..last {
            if let Some(block) = self.block(SlotNumber(number))? {
                found.push((SlotNumber(number), block.state()));
            }
        }
        Ok(found)
    }

    /// What `slot` says of itself; nothing where there is no such slot.
    ///
    /// # Errors
    /// [`VaultError::Io`].
    pub fn state(&self, slot: SlotNumber) -> Result<Option<SlotState>, VaultError> {
        Ok(self.block(slot)?.map(|block| block.state()))
    }

    /// Refuses a store in which a slot holds what belongs in another: its file was damaged or put together, and no
    /// slot of it is to be overwritten before somebody has looked.
    ///
    /// # Errors
    /// [`VaultError::SlotMoved`], [`VaultError::Io`].
    pub fn refuse_moved_slots(&self) -> Result<(), VaultError> {
        let slots = self.slots();
        for number in 1..=slots {
            let slot = SlotNumber(number);
            if let Some(of) = self.block(slot)?.and_then(|block| block.home(slots)) {
                return Err(VaultError::SlotMoved { path: self.path.clone(), slot, of });
            }
        }
        Ok(())
    }

    /// Keeps these slots from being used until the next start, free or not: something refers to them still.
    pub fn withhold(&self, slots: &[SlotNumber]) {
        self.lock().free.retain(|slot| !slots.contains(slot));
    }

    pub(super) fn find_free_slots(&self) -> Result<(), VaultError> {
        let slots = self.slots();
        for number in (1..=slots).rev() {
            let state = self.block(SlotNumber(number))?.map(|block| block.state());
            if matches!(state, Some(SlotState::Free | SlotState::Freed(_))) {
                self.lock().free.push(SlotNumber(number));
            }
        }
        Ok(())
    }
}
