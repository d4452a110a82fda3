//! What every start does before anything is asked: finish what a crash left half-done.
//!
//! The key store decides. What it cannot open is gone and is cleared away; what it can open and no row knows was never
//! acknowledged, and is destroyed. Takes no input, repeats harmlessly, needs memory for one batch.

use std::collections::BTreeMap;

use base::UtteranceId;
use vault::{SlotNumber, SlotState};

use crate::error::HistoryError;
use crate::market::Market;
use crate::store::Store;

/// Slots, and deletions, looked at in one go.
const BATCH: u32 = 4_096;
/// The id that a slot is destroyed under whose own cannot be read any more.
const NOBODY: UtteranceId = UtteranceId::from_bytes([0; UtteranceId::LEN]);

/// What was found and put right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Deletions that had been asked for and were finished.
    pub deletions_finished: u64,
    /// Rows whose key was gone, and which were cleared.
    pub rows_without_key: u64,
    /// Keys that no row knew, and which were destroyed.
    pub keys_without_row: u64,
    /// Files among the blobs that no row knew, and which were removed.
    pub blobs_without_row: u64,
}

impl Recovery {
    /// Adds what was put right elsewhere.
    pub(crate) fn add(&mut self, other: Self) {
        self.deletions_finished += other.deletions_finished;
        self.rows_without_key += other.rows_without_key;
        self.keys_without_row += other.keys_without_row;
        self.blobs_without_row += other.blobs_without_row;
    }
}

impl Market {
    /// Puts right what a crash, or a copy put back, left. Nothing else may use this marketplace meanwhile.
    pub(crate) async fn recover(&self) -> Result<Recovery, HistoryError> {
        let mut done = Recovery::default();
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
        self.match_keys_and_rows(&mut done).await?;
        self.remove_stray_blobs(&mut done).await?;
        self.store.scrub().await?;
        Ok(done)
    }

    async fn match_keys_and_rows(&self, done: &mut Recovery) -> Result<(), HistoryError> {
        let last = self.keys.slots();
        let mut first = 1;
        while first <= last {
            let end = first.saturating_add(BATCH - 1).min(last);
            let kept = self.store.kept_in(SlotNumber(first), SlotNumber(end)).await?;
            let kept: BTreeMap<SlotNumber, UtteranceId> = kept.into_iter().collect();
            let keys = std::sync::Arc::clone(&self.keys);
            let scan = tokio::task::spawn_blocking(move || keys.scan(SlotNumber(first), BATCH));
            for (slot, state) in scan.await?? {
                self.match_slot(slot, state, kept.get(&slot).copied(), done).await?;
            }
            first = end.saturating_add(1);
        }
        Ok(())
    }

    async fn match_slot(
        &self,
        slot: SlotNumber,
        state: SlotState,
        row: Option<UtteranceId>,
        done: &mut Recovery,
    ) -> Result<(), HistoryError> {
        let rightful = row.is_some_and(|id| state == SlotState::Live(id));
        if let Some(id) = row.filter(|_| !rightful) {
            self.delete_kept(slot, id).await?;
            done.rows_without_key += 1;
        }
        let unclaimed = match state {
            SlotState::Free => None,
            SlotState::Live(_) if rightful => None,
            SlotState::Live(id) | SlotState::Destroyed(id) => Some(id),
            SlotState::Torn => Some(NOBODY),
        };
        if let Some(id) = unclaimed {
            let erased = self.destroy(slot, id).await?;
            self.release(erased).await?;
            done.keys_without_row += u64::from(matches!(state, SlotState::Live(_)));
        }
        Ok(())
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
