//! The rows of one marketplace in SQLite.

use std::path::Path;
use std::sync::Arc;

use base::{AccountId, DeviceId, Timestamp, UtteranceId};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use vault::{Sealed, SlotNumber, Steps};

use crate::error::{HistoryError, sql};
use crate::store::database::{Beside, Database};
use crate::store::{NewRow, Pending, Store, StoredRow, StoredState};
use crate::types::{Cursor, Receipt, ReceiptNumber};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/marketplace");

/// The database of one marketplace.
pub(crate) struct SqliteStore {
    pub(crate) database: Database,
}

impl SqliteStore {
    /// Opens the file `path`, making it where it is missing.
    pub(crate) async fn open(path: &Path, steps: Arc<dyn Steps>) -> Result<Self, HistoryError> {
        Ok(Self { database: Database::open(path, &MIGRATIONS, steps).await? })
    }

    /// Opens the file `path` to look at alone (see [`Database::look`]).
    pub(crate) async fn look(path: &Path) -> Result<Option<(Self, Beside)>, HistoryError> {
        let looked = Database::look(path, &MIGRATIONS).await?;
        Ok(looked.map(|(database, beside)| (Self { database }, beside)))
    }
}

const KEY_STORE_SELECT: &str = "-- key_store
    SELECT value FROM facts WHERE name = 'key_store'";
const KEY_STORE_INSERT: &str = "-- set_key_store
    INSERT INTO facts (name, value) VALUES ('key_store', ?1)";
const UTTERANCE_INSERT: &str = "-- insert (of a device that stands)
    INSERT INTO utterances (id, account, device, at_ms, slot, details)
    SELECT ?1, ?2, id, ?4, ?5, ?6 FROM devices WHERE id = ?3 AND revoked_ms IS NULL";
const UTTERANCE_TAKE_BACK: &str = "-- take_back
    DELETE FROM utterances WHERE id = ?1 AND slot IS NOT NULL";
const UTTERANCE_SELECT: &str = "-- row
    SELECT id, at_ms, slot, device, details, deleted_ms, receipt FROM utterances WHERE account = ?1 AND id = ?2";
const UTTERANCES_PAGE: &str = "-- page
    SELECT id, at_ms, slot, device, details, deleted_ms, receipt FROM utterances
    WHERE account = ?1 AND (at_ms, id) < (?2, ?3)
    ORDER BY at_ms DESC, id DESC LIMIT ?4";
const UTTERANCES_FIRST_PAGE: &str = "-- first_page
    SELECT id, at_ms, slot, device, details, deleted_ms, receipt FROM utterances
    WHERE account = ?1
    ORDER BY at_ms DESC, id DESC LIMIT ?2";
const DELETION_BEGIN: &str = "-- begin_deletion
    INSERT INTO deletions (utterance, requested_ms, receipt)
    SELECT id, ?2, ?3 FROM utterances WHERE id = ?1 AND slot IS NOT NULL
    ON CONFLICT (utterance) DO NOTHING";
const DELETION_PENDING: &str = "-- pending
    SELECT d.utterance, d.requested_ms, d.receipt, u.slot
    FROM deletions d JOIN utterances u ON u.id = d.utterance
    WHERE d.utterance = ?1 AND u.slot IS NOT NULL";
const DELETIONS_PENDING: &str = "-- all_pending
    SELECT d.utterance, d.requested_ms, d.receipt, u.slot
    FROM deletions d JOIN utterances u ON u.id = d.utterance
    WHERE u.slot IS NOT NULL LIMIT ?1";
const DELETION_FINISH: &str = "-- finish_deletion
    UPDATE utterances
    SET slot = NULL, device = NULL, details = NULL, deleted_ms = d.requested_ms, receipt = d.receipt
    FROM deletions d WHERE utterances.id = ?1 AND d.utterance = utterances.id";
const DELETION_FORGET: &str = "-- finish_deletion
    DELETE FROM deletions WHERE utterance = ?1";
const UTTERANCES_IN_SLOTS: &str = "-- kept_in
    SELECT slot, id FROM utterances WHERE slot BETWEEN ?1 AND ?2 ORDER BY slot";
const LAST_SLOT: &str = "-- last_slot
    SELECT max(slot) FROM utterances";
const IS_KEPT: &str = "-- is_kept
    SELECT count(*) FROM utterances WHERE id = ?1 AND slot IS NOT NULL";
const IS_DELETED: &str = "-- is_deleted
    SELECT count(*) FROM utterances WHERE id = ?1 AND slot IS NULL";
const ACCOUNTS: &str = "-- accounts
    SELECT account FROM utterances UNION SELECT account FROM devices";

impl Store for SqliteStore {
    async fn key_store(&self) -> Result<Option<[u8; 16]>, HistoryError> {
        let row = sqlx::query(KEY_STORE_SELECT).fetch_optional(&self.database.readers).await.map_err(sql("read"))?;
        row.map(|row| array(&row, 0)).transpose()
    }

    async fn set_key_store(&self, id: [u8; 16]) -> Result<(), HistoryError> {
        let mut change = self.database.change("row: set key store").await?;
        let insert = sqlx::query(KEY_STORE_INSERT).bind(id.as_slice()).execute(&mut *change).await;
        insert.map_err(sql("write"))?;
        change.commit().await.map_err(sql("write"))
    }

    async fn insert(&self, row: NewRow) -> Result<(), HistoryError> {
        let mut change = self.database.change("row: insert").await?;
        let inserted = sqlx::query(UTTERANCE_INSERT)
            .bind(row.id.as_bytes().as_slice())
            .bind(row.account.as_bytes().as_slice())
            .bind(row.device.as_bytes().as_slice())
            .bind(row.at.unix_ms())
            .bind(row.slot.0)
            .bind(row.details.into_bytes())
            .execute(&mut *change)
            .await
            .map_err(sql("write"))?;
        if inserted.rows_affected() == 0 {
            return Err(HistoryError::NoSuchDevice);
        }
        change.commit().await.map_err(sql("write"))
    }

    async fn take_back(&self, id: UtteranceId) -> Result<(), HistoryError> {
        let mut change = self.database.change("row: take back").await?;
        let delete = sqlx::query(UTTERANCE_TAKE_BACK).bind(id.as_bytes().as_slice()).execute(&mut *change).await;
        delete.map_err(sql("write"))?;
        change.commit().await.map_err(sql("write"))
    }

    async fn row(&self, account: AccountId, id: UtteranceId) -> Result<Option<StoredRow>, HistoryError> {
        let row = sqlx::query(UTTERANCE_SELECT)
            .bind(account.as_bytes().as_slice())
            .bind(id.as_bytes().as_slice())
            .fetch_optional(&self.database.readers)
            .await
            .map_err(sql("read"))?;
        row.as_ref().map(stored_row).transpose()
    }

    async fn page(
        &self,
        account: AccountId,
        before: Option<Cursor>,
        limit: u32,
    ) -> Result<Vec<StoredRow>, HistoryError> {
        let query = match &before {
            Some(cursor) => sqlx::query(UTTERANCES_PAGE)
                .bind(account.as_bytes().as_slice())
                .bind(cursor.at.unix_ms())
                .bind(cursor.id.as_bytes().as_slice()),
            None => sqlx::query(UTTERANCES_FIRST_PAGE).bind(account.as_bytes().as_slice()),
        };
        let rows = query.bind(limit).fetch_all(&self.database.readers).await.map_err(sql("read"))?;
        rows.iter().map(stored_row).collect()
    }

    async fn begin_deletion(
        &self,
        id: UtteranceId,
        at: Timestamp,
        number: ReceiptNumber,
    ) -> Result<(), HistoryError> {
        let mut change = self.database.change("row: begin deletion").await?;
        let query = sqlx::query(DELETION_BEGIN).bind(id.as_bytes().as_slice()).bind(at.unix_ms());
        query.bind(number.0.as_slice()).execute(&mut *change).await.map_err(sql("write"))?;
        change.commit().await.map_err(sql("write"))
    }

    async fn pending(&self, id: UtteranceId) -> Result<Option<Pending>, HistoryError> {
        let query = sqlx::query(DELETION_PENDING).bind(id.as_bytes().as_slice());
        let row = query.fetch_optional(&self.database.readers).await.map_err(sql("read"))?;
        row.as_ref().map(pending_row).transpose()
    }

    async fn all_pending(&self, limit: u32) -> Result<Vec<Pending>, HistoryError> {
        let query = sqlx::query(DELETIONS_PENDING).bind(limit);
        let rows = query.fetch_all(&self.database.readers).await.map_err(sql("read"))?;
        rows.iter().map(pending_row).collect()
    }

    async fn finish_deletion(&self, id: UtteranceId) -> Result<(), HistoryError> {
        let mut change = self.database.change("row: finish deletion").await?;
        for statement in [DELETION_FINISH, DELETION_FORGET] {
            let query = sqlx::query(statement).bind(id.as_bytes().as_slice());
            query.execute(&mut *change).await.map_err(sql("write"))?;
        }
        change.commit().await.map_err(sql("write"))
    }

    async fn scrub(&self) -> Result<(), HistoryError> {
        self.database.scrub().await
    }

    async fn kept_in(
        &self,
        first: SlotNumber,
        last: SlotNumber,
    ) -> Result<Vec<(SlotNumber, UtteranceId)>, HistoryError> {
        let query = sqlx::query(UTTERANCES_IN_SLOTS).bind(first.0).bind(last.0);
        let rows = query.fetch_all(&self.database.readers).await.map_err(sql("read"))?;
        rows.iter().map(|row| Ok((slot(row, 0)?, UtteranceId::from_bytes(array(row, 1)?)))).collect()
    }

    async fn last_slot(&self) -> Result<Option<SlotNumber>, HistoryError> {
        let row = sqlx::query(LAST_SLOT).fetch_one(&self.database.readers).await.map_err(sql("read"))?;
        let found: Option<u32> = row.try_get(0).map_err(sql("read"))?;
        Ok(found.map(SlotNumber))
    }

    async fn is_kept(&self, id: UtteranceId) -> Result<bool, HistoryError> {
        self.any(IS_KEPT, id).await
    }

    async fn is_deleted(&self, id: UtteranceId) -> Result<bool, HistoryError> {
        self.any(IS_DELETED, id).await
    }

    async fn accounts(&self) -> Result<Vec<AccountId>, HistoryError> {
        let rows = sqlx::query(ACCOUNTS).fetch_all(&self.database.readers).await.map_err(sql("read"))?;
        rows.iter().map(|row| Ok(AccountId::from_bytes(array(row, 0)?))).collect()
    }
}

impl SqliteStore {
    /// Whether `statement`, which counts, counts any for `id`.
    async fn any(&self, statement: &'static str, id: UtteranceId) -> Result<bool, HistoryError> {
        let query = sqlx::query(statement).bind(id.as_bytes().as_slice());
        let row = query.fetch_one(&self.database.readers).await.map_err(sql("read"))?;
        let count: i64 = row.try_get(0).map_err(sql("read"))?;
        Ok(count > 0)
    }
}

fn stored_row(row: &SqliteRow) -> Result<StoredRow, HistoryError> {
    let id = UtteranceId::from_bytes(array(row, 0)?);
    let at = timestamp(row, 1)?;
    let deleted: Option<i64> = row.try_get(5).map_err(sql("read"))?;
    let state = match deleted {
        None => StoredState::Sealed {
            slot: slot(row, 2)?,
            device: DeviceId::from_bytes(array(row, 3)?),
            details: Sealed::from_bytes(row.try_get(4).map_err(sql("read"))?),
        },
        Some(at_ms) => {
            let at = Timestamp::from_unix_ms(at_ms);
            StoredState::Deleted(Receipt { id, at, number: ReceiptNumber(array(row, 6)?) })
        }
    };
    Ok(StoredRow { id, at, state })
}

fn pending_row(row: &SqliteRow) -> Result<Pending, HistoryError> {
    let id = UtteranceId::from_bytes(array(row, 0)?);
    let receipt = Receipt { id, at: timestamp(row, 1)?, number: ReceiptNumber(array(row, 2)?) };
    Ok(Pending { receipt, slot: slot(row, 3)? })
}

pub(crate) fn array<const N: usize>(row: &SqliteRow, column: usize) -> Result<[u8; N], HistoryError> {
    let bytes: Vec<u8> = row.try_get(column).map_err(sql("read"))?;
    bytes.try_into().map_err(|_| HistoryError::Corrupt("an id of another length"))
}

pub(crate) fn timestamp(row: &SqliteRow, column: usize) -> Result<Timestamp, HistoryError> {
    row.try_get(column).map(Timestamp::from_unix_ms).map_err(sql("read"))
}

fn slot(row: &SqliteRow, column: usize) -> Result<SlotNumber, HistoryError> {
    row.try_get(column).map(SlotNumber).map_err(sql("read"))
}
