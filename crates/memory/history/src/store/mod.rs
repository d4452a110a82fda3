//! What a marketplace's database must do; [`sqlite`] does it in one file, another database may come beside it.
//!
//! The trait is a contract between the deletion state machine above it and the database below. A store knows rows and
//! sealed bytes; it has no key, and opens nothing.

pub(crate) mod database;
pub(crate) mod devices;
pub(crate) mod sqlite;

use std::future::Future;

use base::{AccountId, DeviceId, Timestamp, UtteranceId};
use vault::{Sealed, SlotNumber, Text};

use crate::error::HistoryError;
use crate::types::{Cursor, Receipt, ReceiptNumber};

/// An utterance to be kept. Its keys and its blob are on the disk already.
pub(crate) struct NewRow {
    pub(crate) id: UtteranceId,
    pub(crate) account: AccountId,
    pub(crate) device: DeviceId,
    pub(crate) at: Timestamp,
    pub(crate) slot: SlotNumber,
    pub(crate) details: Sealed<Text>,
}

/// An utterance as it lies in the database.
#[derive(Debug)]
pub(crate) struct StoredRow {
    pub(crate) id: UtteranceId,
    pub(crate) at: Timestamp,
    pub(crate) state: StoredState,
}

/// `sealed → deleted`; there is no way back.
#[derive(Debug)]
pub(crate) enum StoredState {
    Sealed { slot: SlotNumber, device: DeviceId, details: Sealed<Text> },
    Deleted(Receipt),
}

/// A deletion that was asked for and is not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pending {
    pub(crate) receipt: Receipt,
    /// Where the keys are, or were.
    pub(crate) slot: SlotNumber,
}

/// The rows of one marketplace.
///
/// Concurrency: all methods may be called at once; changes happen one after another. Durability: a change is on the
/// disk when its future is ready, whole or (after an error, or a crash) not at all. Errors: a full disk is
/// [`HistoryError::DiskFull`]; whatever else the database says is [`HistoryError::Database`]. No method retries: a
/// caller may repeat any of them, each says what a repetition does.
pub(crate) trait Store: Send + Sync {
    /// The id of the key store these rows belong with; nothing in a new database.
    fn key_store(&self) -> impl Future<Output = Result<Option<[u8; 16]>, HistoryError>> + Send;

    /// Ties the rows to a key store, once.
    fn set_key_store(&self, id: [u8; 16]) -> impl Future<Output = Result<(), HistoryError>> + Send;

    /// Keeps a new utterance. A repetition is an error, and [`HistoryError::NoSuchDevice`] one whose device is unknown
    /// or was revoked before this change.
    fn insert(&self, row: NewRow) -> impl Future<Output = Result<(), HistoryError>> + Send;

    /// Takes back what [`Store::insert`] kept, or did not; its keys were never handed out.
    fn take_back(&self, id: UtteranceId) -> impl Future<Output = Result<(), HistoryError>> + Send;

    /// One utterance of `account`.
    fn row(
        &self,
        account: AccountId,
        id: UtteranceId,
    ) -> impl Future<Output = Result<Option<StoredRow>, HistoryError>> + Send;

    /// At most `limit` utterances of `account` that come before `before` by (time, id), the latest first.
    fn page(
        &self,
        account: AccountId,
        before: Option<Cursor>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<StoredRow>, HistoryError>> + Send;

    /// Writes down that `id` is to be deleted. A repetition changes nothing, the first receipt stands. Nothing is
    /// written where `id` is not kept (never was, or is deleted already).
    fn begin_deletion(
        &self,
        id: UtteranceId,
        at: Timestamp,
        number: ReceiptNumber,
    ) -> impl Future<Output = Result<(), HistoryError>> + Send;

    /// The deletion of `id` that is not finished.
    fn pending(&self, id: UtteranceId) -> impl Future<Output = Result<Option<Pending>, HistoryError>> + Send;

    /// At most `limit` deletions that are not finished.
    fn all_pending(&self, limit: u32) -> impl Future<Output = Result<Vec<Pending>, HistoryError>> + Send;

    /// Leaves id, account, time and receipt of `id`, and nothing to be finished. A repetition changes nothing.
    fn finish_deletion(&self, id: UtteranceId) -> impl Future<Output = Result<(), HistoryError>> + Send;

    /// Sees to it that nothing of rows changed before is left in journals. May be put off while others read: what is
    /// left then is sealed, and its key is gone.
    fn scrub(&self) -> impl Future<Output = Result<(), HistoryError>> + Send;

    /// Which utterances are kept in slots `first` to `last`, both included.
    fn kept_in(
        &self,
        first: SlotNumber,
        last: SlotNumber,
    ) -> impl Future<Output = Result<Vec<(SlotNumber, UtteranceId)>, HistoryError>> + Send;

    /// The highest slot in which one is kept.
    fn last_slot(&self) -> impl Future<Output = Result<Option<SlotNumber>, HistoryError>> + Send;

    /// Whether `id` is kept.
    fn is_kept(&self, id: UtteranceId) -> impl Future<Output = Result<bool, HistoryError>> + Send;

    /// Whether there is a receipt of `id`.
    fn is_deleted(&self, id: UtteranceId) -> impl Future<Output = Result<bool, HistoryError>> + Send;

    /// Every account that a row or a device belongs to.
    fn accounts(&self) -> impl Future<Output = Result<Vec<AccountId>, HistoryError>> + Send;
}

#[cfg(test)]
mod conformance;
