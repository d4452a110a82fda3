//! One marketplace: its keys, its blobs and its rows, and the life of an utterance among them.
//!
//! ```text
//! seal      keys written ─► blob written ─► row inserted ─► keys acknowledged
//! delete    deletion noted ─► keys destroyed ─► blob removed ─► row cleared ─► journal cut ─► slot free
//! ```
//!
//! The keys come first and go first. What a crash leaves half-way is finished or taken back by [`crate::recover`].

use std::sync::Arc;

use base::units::BYTES_PER_SAMPLE;
use base::{AccountId, Clock, Marketplace, Redacted, SampleCount, UtteranceId};
use tokio::sync::Mutex;
use vault::{Audio, Blobs, Erased, KeyStore, Place, Sealed, SlotNumber, SlotState, Text, VaultError};
use zeroize::Zeroizing;

use crate::details;
use crate::error::HistoryError;
use crate::playback::{End, Playback, Players};
use crate::room::Room;
use crate::standing::Attendance;
use crate::store::sqlite::SqliteStore;
use crate::store::{NewRow, Pending, Store, StoredRow, StoredState};
use crate::types::{Cursor, Details, NewUtterance, Page, Receipt, ReceiptNumber, Row, RowState};

/// The longest sound that is kept: a stream at its hard limit, with as much room again as its pre-roll.
pub const SAMPLES_MAX: usize = (base::limits::STREAM_MAX.0 + 2 * base::limits::PREROLL.0) as usize;
/// Lines of a page.
pub const PAGE_ROWS_MAX: u32 = 200;

/// Where details lie, as their seal knows it.
const DETAILS: &str = "utterances.details";
/// Where sound lies, as its seal knows it.
const BLOBS: &str = "blobs";
/// First byte of sealed sound: what follows is 16 kHz, one channel, signed 16 bit, little-endian.
pub(crate) const PCM_16K: u8 = 1;

/// What belongs to one marketplace (invariant I12).
pub(crate) struct Market {
    pub(crate) marketplace: Marketplace,
    pub(crate) store: SqliteStore,
    pub(crate) keys: Arc<KeyStore>,
    pub(crate) blobs: Blobs,
    pub(crate) room: Room,
    pub(crate) clock: Arc<dyn Clock>,
    /// Deletions go one after another: two of the same utterance would share a slot.
    pub(crate) deleting: Mutex<()>,
    /// Who plays what: a playback ends with its key.
    pub(crate) players: Arc<Players>,
}

impl Market {
    /// Seals `new`, which `device` heard. When this returns it is on the disk; on an error nothing of it is kept.
    pub(crate) async fn seal(&self, new: NewUtterance, mut device: Attendance) -> Result<UtteranceId, HistoryError> {
        if new.pcm.expose().len() > SAMPLES_MAX {
            return Err(HistoryError::TooMany { what: "samples of a request", max: SAMPLES_MAX });
        }
        let id = UtteranceId::from_bytes(random()?);
        let keys = Arc::clone(&self.keys);
        let slot = tokio::task::spawn_blocking(move || keys.create(id)).await??;
        let sealed = match self.seal_in(slot, id, new).await {
            // Its row came before the device's revocation, which was asked for while it was sealed: it goes again.
            Ok(()) if device.ends().await => Err(HistoryError::NoSuchDevice),
            sealed => sealed,
        };
        match sealed {
            Ok(()) => Ok(id),
            Err(error) => {
                // Should this fail as well (a dead disk), the next start finds a key without a row.
                let _ = self.take_back(slot, id).await;
                Err(error)
            }
        }
    }

    async fn seal_in(&self, slot: SlotNumber, id: UtteranceId, new: NewUtterance) -> Result<(), HistoryError> {
        let keys = Arc::clone(&self.keys);
        let sealing = move || {
            let details = Details { length: SampleCount(new.pcm.expose().len() as u64), ..new.details };
            let text: Sealed<Text> = keys.seal(&place(slot, id, DETAILS), &details::encode(&details)?)?;
            let sound: Sealed<Audio> = keys.seal(&place(slot, id, BLOBS), &encode_sound(new.pcm.expose()))?;
            Ok::<_, HistoryError>((text, sound))
        };
        let (account, device, at) = (new.account, new.device, new.at);
        let (details, sound) = tokio::task::spawn_blocking(sealing).await??;
        self.blobs.put(id, sound).await?;
        self.store.insert(NewRow { id, account, device, at, slot, details }).await?;
        // What tells keys that a crash left from those of a request that a newer database knows.
        self.acknowledge(slot, id).await
    }

    async fn take_back(&self, slot: SlotNumber, id: UtteranceId) -> Result<(), HistoryError> {
        // The row first, where the commit failed and yet was made: a row whose keys are destroyed is a deletion that
        // somebody asked for. Asked before it is taken, for a full disk lets nothing be written.
        let taken = match self.store.is_kept(id).await {
            Ok(true) => self.store.take_back(id).await,
            asked => asked.map(|_| ()),
        };
        let erased = self.destroy(slot, id).await?;
        self.remove_blob(id).await?;
        taken?;
        self.release(erased).await
    }

    /// Deletes `id`. When this returns, its keys are gone and so is everything that hung on them.
    pub(crate) async fn delete(&self, account: AccountId, id: UtteranceId) -> Result<Receipt, HistoryError> {
        let _one_at_a_time = self.deleting.lock().await;
        match self.store.row(account, id).await?.ok_or(HistoryError::NotFound)?.state {
            StoredState::Deleted(receipt) => Ok(receipt),
            StoredState::Sealed { slot, .. } => {
                if self.store.pending(id).await?.is_none() && self.is_lost(slot, id).await? {
                    return Err(HistoryError::Lost);
                }
                self.delete_kept(slot, id).await
            }
        }
    }

    /// Takes away the line of a request that is lost, and whatever is left of it. There is no receipt: a receipt says that
    /// keys were destroyed because somebody asked for it.
    pub(crate) async fn clear_lost(&self, account: AccountId, id: UtteranceId) -> Result<(), HistoryError> {
        let _one_at_a_time = self.deleting.lock().await;
        let slot = match self.store.row(account, id).await?.ok_or(HistoryError::NotFound)?.state {
            StoredState::Deleted(receipt) => return Err(HistoryError::Deleted(receipt)),
            StoredState::Sealed { slot, .. } => slot,
        };
        if !self.is_lost(slot, id).await? {
            return Err(HistoryError::NotFound);
        }
        // The row first: with the slot gone first, a crash in between would look like a deletion.
        self.store.take_back(id).await?;
        let erased = self.destroy(slot, id).await?;
        self.remove_blob(id).await?;
        self.store.scrub().await?;
        self.release(erased).await
    }

    async fn is_lost(&self, slot: SlotNumber, id: UtteranceId) -> Result<bool, HistoryError> {
        let keys = Arc::clone(&self.keys);
        tokio::task::spawn_blocking(move || is_lost(&keys, slot, id)).await?
    }

    pub(crate) async fn acknowledge(&self, slot: SlotNumber, id: UtteranceId) -> Result<(), HistoryError> {
        let keys = Arc::clone(&self.keys);
        Ok(tokio::task::spawn_blocking(move || keys.acknowledge(slot, id)).await??)
    }

    /// Deletes `id`, which is kept in `slot`. Repeated after an error, it goes on where it stopped, under the first
    /// receipt.
    pub(crate) async fn delete_kept(&self, slot: SlotNumber, id: UtteranceId) -> Result<Receipt, HistoryError> {
        let (at, number) = (self.clock.now(), ReceiptNumber(random()?));
        match self.store.begin_deletion(id, at, number).await {
            Err(HistoryError::DiskFull) => {
                // Forgetting must work on a full disk. The key is overwritten in place, and the blob makes room; a
                // crash before the note is written is found by the key that is missing.
                let _unreleased = self.destroy(slot, id).await?;
                self.remove_blob(id).await?;
                self.room.give_up().await;
                self.store.begin_deletion(id, at, number).await?;
            }
            begun => begun?,
        }
        let pending = self.store.pending(id).await?.ok_or(HistoryError::NotFound)?;
        self.finish(pending).await?;
        Ok(pending.receipt)
    }

    /// Finishes a deletion from wherever it stands: every step is harmless where it was done already.
    pub(crate) async fn finish(&self, pending: Pending) -> Result<(), HistoryError> {
        if let Err(error) = self.finish_once(pending).await {
            if !matches!(error, HistoryError::DiskFull) {
                return Err(error);
            }
            self.room.give_up().await;
            self.finish_once(pending).await?;
        }
        self.room.keep().await;
        Ok(())
    }

    async fn finish_once(&self, pending: Pending) -> Result<(), HistoryError> {
        let id = pending.receipt.id;
        let erased = self.destroy(pending.slot, id).await?;
        self.remove_blob(id).await?;
        self.store.finish_deletion(id).await?;
        self.store.scrub().await?;
        self.release(erased).await
    }

    pub(crate) async fn page(
        &self,
        account: AccountId,
        before: Option<Cursor>,
        limit: u32,
    ) -> Result<Page, HistoryError> {
        let limit = limit.clamp(1, PAGE_ROWS_MAX);
        let mut stored = self.store.page(account, before, limit + 1).await?;
        let more = stored.len() > limit as usize;
        stored.truncate(limit as usize);
        let next = stored.last().filter(|_| more).map(|row| Cursor { at: row.at, id: row.id });
        let keys = Arc::clone(&self.keys);
        let opening = move || stored.into_iter().map(|row| open_row(&keys, row)).collect::<Result<_, _>>();
        Ok(Page { rows: tokio::task::spawn_blocking(opening).await??, next })
    }

    pub(crate) async fn utterance(&self, account: AccountId, id: UtteranceId) -> Result<Row, HistoryError> {
        let row = self.store.row(account, id).await?.ok_or(HistoryError::NotFound)?;
        let keys = Arc::clone(&self.keys);
        tokio::task::spawn_blocking(move || open_row(&keys, row)).await?
    }

    pub(crate) async fn audio(
        &self,
        account: AccountId,
        id: UtteranceId,
    ) -> Result<Redacted<Vec<i16>>, HistoryError> {
        let (slot, sound) = self.sealed_sound(account, id).await?;
        let keys = Arc::clone(&self.keys);
        let opening = move || decode_sound(&keys.open_sealed(&place(slot, id, BLOBS), &sound)?);
        tokio::task::spawn_blocking(opening).await?
    }

    pub(crate) async fn destroy(&self, slot: SlotNumber, id: UtteranceId) -> Result<Erased, HistoryError> {
        let keys = Arc::clone(&self.keys);
        let erased = tokio::task::spawn_blocking(move || keys.destroy(slot, id)).await??;
        self.players.end(id);
        Ok(erased)
    }

    /// Plays the sound of `id`; `end` is called when its keys are destroyed.
    pub(crate) async fn play(&self, account: AccountId, id: UtteranceId, end: End) -> Result<Playback, HistoryError> {
        let listed = self.players.list(id, end)?;
        let (slot, sound) = self.sealed_sound(account, id).await?;
        Playback::begin(Arc::clone(&self.keys), slot, id, sound, listed).await
    }

    async fn sealed_sound(
        &self,
        account: AccountId,
        id: UtteranceId,
    ) -> Result<(SlotNumber, Sealed<Audio>), HistoryError> {
        let slot = match self.store.row(account, id).await?.ok_or(HistoryError::NotFound)?.state {
            StoredState::Deleted(receipt) => return Err(HistoryError::Deleted(receipt)),
            StoredState::Sealed { slot, .. } => slot,
        };
        Ok((slot, self.blobs.get::<Audio>(id).await?.ok_or(HistoryError::NotFound)?))
    }

    pub(crate) async fn release(&self, erased: Erased) -> Result<(), HistoryError> {
        let keys = Arc::clone(&self.keys);
        Ok(tokio::task::spawn_blocking(move || keys.release(erased)).await??)
    }

    async fn remove_blob(&self, id: UtteranceId) -> Result<(), HistoryError> {
        Ok(self.blobs.remove::<Audio>(id).await?)
    }
}

/// Where the sound of a request lies, as its seal knows it.
pub(crate) fn sound_place(slot: SlotNumber, id: UtteranceId) -> Place {
    place(slot, id, BLOBS)
}

fn place(slot: SlotNumber, id: UtteranceId, column: &'static str) -> Place {
    Place { slot, id, column }
}

/// Whether a key of `id`, which is kept, is gone or damaged as nobody asked for.
fn is_lost(keys: &KeyStore, slot: SlotNumber, id: UtteranceId) -> Result<bool, HistoryError> {
    use SlotState::{Destroyed, Freed, Live, New};
    let (Some(New(found)) | Some(Live(found)) | Some(Destroyed(found)) | Some(Freed(found))) = keys.state(slot)?
    else {
        return Ok(true);
    };
    Ok(found != id)
}

/// A line that does not open must not take the others with it; only a disk that cannot be read does.
fn open_row(keys: &KeyStore, row: StoredRow) -> Result<Row, HistoryError> {
    let StoredRow { id, at, state } = row;
    let state = match state {
        StoredState::Deleted(receipt) => RowState::Deleted(receipt),
        StoredState::Sealed { slot, .. } if is_lost(keys, slot, id)? => RowState::Lost,
        StoredState::Sealed { slot, device, details } => {
            match keys.open_sealed(&place(slot, id, DETAILS), &details) {
                Ok(text) => match details::decode(&text) {
                    Ok(details) => RowState::Sealed { device, details: Box::new(details) },
                    Err(_) => RowState::Unreadable,
                },
                Err(error @ VaultError::Io { .. }) => return Err(error.into()),
                Err(_) => RowState::Unreadable,
            }
        }
    };
    Ok(Row { id, at, state })
}

fn encode_sound(pcm: &[i16]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(1 + pcm.len() * BYTES_PER_SAMPLE));
    bytes.push(PCM_16K);
    bytes.extend(pcm.iter().flat_map(|sample| sample.to_le_bytes()));
    bytes
}

fn decode_sound(bytes: &[u8]) -> Result<Redacted<Vec<i16>>, HistoryError> {
    match bytes.split_first() {
        Some((&PCM_16K, samples)) if samples.len() % BYTES_PER_SAMPLE == 0 => {
            let samples = samples.chunks_exact(BYTES_PER_SAMPLE).map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
            Ok(Redacted::new(samples.collect()))
        }
        _ => Err(HistoryError::Corrupt("the sound of a request")),
    }
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], HistoryError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| HistoryError::Random)?;
    Ok(bytes)
}
