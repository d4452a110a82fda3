//! What every start does before anything is asked: finish what a crash left half-done.
//!
//! The key store decides: what it can open and nobody was told of is destroyed, what it says was destroyed is cleared away.
//! What is damaged, and what does not belong together, is left as it is (see [`crate::audit`]). Repeats harmlessly.

use base::UtteranceId;
use vault::SlotNumber;

use crate::audit::{Audit, Found};
use crate::error::HistoryError;
use crate::market::Market;
use crate::store::Store;

/// Deletions finished in one go.
const BATCH: u32 = 4_096;

/// What was found and put right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Deletions that had been asked for and were finished.
    pub deletions_finished: u64,
    /// Rows whose keys had been destroyed, and which were cleared.
    pub rows_without_key: u64,
    /// Keys that nobody had been told of, and which were destroyed.
    pub keys_without_row: u64,
    /// Files among the blobs that no row knew, and which were removed.
    pub blobs_without_row: u64,
    /// Requests that cannot be opened any more, though nobody asked for that. Found at every start, until they are
    /// cleared by hand or the right files are put back.
    pub lost: Vec<UtteranceId>,
}

impl Recovery {
    /// Adds what was put right elsewhere.
    pub(crate) fn add(&mut self, other: Self) {
        self.deletions_finished += other.deletions_finished;
        self.rows_without_key += other.rows_without_key;
        self.keys_without_row += other.keys_without_row;
        self.blobs_without_row += other.blobs_without_row;
        self.lost.extend(other.lost);
    }
}

impl Market {
    /// Puts right what a crash left. `audit` is of this moment and was accepted; nothing else may use this marketplace
    /// meanwhile.
    pub(crate) async fn recover(&self, audit: Audit) -> Result<Recovery, HistoryError> {
        let mut done = Recovery::default();
        // Before anything is given free: these are still referred to.
        let lost: Vec<Found> = audit.lost.into_iter().chain(audit.keyless).collect();
        loop {
            let pending = self.store.all_pending(BATCH).await?;
            if pending.is_empty() {
                break;
            }
            for deletion in pending {
                self.finish(deletion).await?;
                done.deletions_finished += 1;
            }
        }
        for (slot, id) in audit.deleted {
            self.delete_kept(slot, id).await?;
            done.rows_without_key += 1;
        }
        for (slot, id) in audit.unacknowledged {
            self.acknowledge(slot, id).await?;
        }
        for (slot, id) in audit.unclaimed.into_iter().chain(audit.rowless) {
            self.give_free(slot, id).await?;
            done.keys_without_row += 1;
        }
        for (slot, id) in audit.clutter {
            self.give_free(slot, id).await?;
        }
        let slots: Vec<SlotNumber> = lost.iter().map(|(slot, _)| *slot).collect();
        self.keys.withhold(&slots);
        done.lost = lost.into_iter().map(|(_, id)| id).collect();
        self.remove_stray_blobs(&mut done).await?;
        self.store.scrub().await?;
        Ok(done)
    }

    async fn give_free(&self, slot: SlotNumber, id: UtteranceId) -> Result<(), HistoryError> {
        let erased = self.destroy(slot, id).await?;
        self.release(erased).await
    }

    async fn remove_stray_blobs(&self, done: &mut Recovery) -> Result<(), HistoryError> {
        for first_byte in 0..=u8::MAX {
            for found in self.blobs.walk(first_byte).await? {
                let kept = match found.id {
                    Some(id) => self.store.is_kept(id).await?,
                    None => false,
                };
                if !kept {
                    self.blobs.remove_found(found).await?;
                    done.blobs_without_row += 1;
                }
            }
        }
        Ok(())
    }
}
