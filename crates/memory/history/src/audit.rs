//! Whether keys and rows belong together. Looks, and changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::UtteranceId;
use vault::{KeyStore, SlotNumber, SlotState};

use crate::error::HistoryError;
use crate::store::Store;

/// Slots looked at in one go.
const BATCH: u32 = 4_096;
/// The id that a slot is destroyed under whose own cannot be read any more.
const NOBODY: UtteranceId = UtteranceId::from_bytes([0; UtteranceId::LEN]);

/// An utterance and the slot it is found in, by its row or by its keys.
pub(crate) type Found = (SlotNumber, UtteranceId);

/// What was found, apart from what is as it should be. Deletions that are noted and not finished are not in it.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    /// Rows whose keys were destroyed: a deletion of which the note was lost.
    pub(crate) deleted: Vec<Found>,
    /// Rows whose keys are damaged or gone, as nobody asked for.
    pub(crate) lost: Vec<Found>,
    /// Rows in whose slot there never were keys of theirs: database and key store are of different times.
    pub(crate) keyless: Vec<Found>,
    /// Keys that somebody relies on and no row knows: likewise.
    pub(crate) rowless: Vec<Found>,
    /// Keys that nobody was told of, or that a receipt says are destroyed.
    pub(crate) unclaimed: Vec<Found>,
    /// Slots that hold nothing any more and are not free yet.
    pub(crate) clutter: Vec<Found>,
    /// Rows that were inserted just before the machine stopped: their keys are new still.
    pub(crate) unacknowledged: Vec<Found>,
}

impl Audit {
    /// Compares all of `keys` with all of `store`.
    pub(crate) async fn of(store: &impl Store, keys: &Arc<KeyStore>) -> Result<Self, HistoryError> {
        let mut audit = Self::default();
        let noted: BTreeSet<UtteranceId> =
            store.all_pending(u32::MAX).await?.iter().map(|pending| pending.receipt.id).collect();
        let last = keys.slots();
        let mut first = 1;
        while first <= last {
            let end = first.saturating_add(BATCH - 1).min(last);
            let kept = store.kept_in(SlotNumber(first), SlotNumber(end)).await?;
            let kept: BTreeMap<SlotNumber, UtteranceId> = kept.into_iter().collect();
            let scanned = Arc::clone(keys);
            let scan = tokio::task::spawn_blocking(move || scanned.scan(SlotNumber(first), BATCH));
            for (slot, state) in scan.await?? {
                audit.slot(store, slot, state, kept.get(&slot).copied(), &noted).await?;
            }
            first = end.saturating_add(1);
        }
        Ok(audit)
    }

    /// A row that names another slot than the one with its keys.
    pub(crate) fn moved(&self) -> Option<UtteranceId> {
        let live: BTreeSet<UtteranceId> = self.rowless.iter().chain(&self.unclaimed).map(|(_, id)| *id).collect();
        self.keyless.iter().chain(&self.lost).map(|(_, id)| *id).find(|id| live.contains(id))
    }

    async fn slot(
        &mut self,
        store: &impl Store,
        slot: SlotNumber,
        state: SlotState,
        row: Option<UtteranceId>,
        noted: &BTreeSet<UtteranceId>,
    ) -> Result<(), HistoryError> {
        use SlotState::{Damaged, Destroyed, Free, Freed, Live, New, Torn};
        if let Some(id) = row.filter(|id| !noted.contains(id)) {
            match state {
                Live(found) if found == id => {}
                New(found) if found == id => self.unacknowledged.push((slot, id)),
                Damaged(found) if found == id => self.lost.push((slot, id)),
                Torn => self.lost.push((slot, id)),
                Destroyed(found) | Freed(found) if found == id => self.deleted.push((slot, id)),
                _ => self.keyless.push((slot, id)),
            }
        }
        match state {
            Live(id) | New(id) | Damaged(id) | Destroyed(id) if row == Some(id) => {}
            Live(id) if !store.is_deleted(id).await? => self.rowless.push((slot, id)),
            Live(id) | New(id) | Damaged(id) => self.unclaimed.push((slot, id)),
            Destroyed(id) => self.clutter.push((slot, id)),
            Torn if row.is_none() => self.clutter.push((slot, NOBODY)),
            Torn | Free | Freed(_) => {}
        }
        Ok(())
    }
}
