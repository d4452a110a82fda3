//! The devices of one marketplace.

use base::{AccountId, DeviceId, Marketplace, Redacted, Timestamp};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::error::{HistoryError, sql};
use crate::store::sqlite::{SqliteStore, array, timestamp};
use crate::types::Device;

/// Devices an account may have, revoked ones included.
pub const DEVICES_MAX: usize = 256;

const DEVICE_INSERT: &str = "-- add_device
    INSERT INTO devices (id, account, name, key_sha256, added_ms) VALUES (?1, ?2, ?3, ?4, ?5)";
const DEVICE_RENAME: &str = "-- add_device (the same key again)
    UPDATE devices SET name = ?2 WHERE id = ?1";
const DEVICE_REVOKE: &str = "-- revoke_device
    UPDATE devices SET revoked_ms = ?3 WHERE id = ?1 AND account = ?2 AND revoked_ms IS NULL";
const DEVICE_SEEN: &str = "-- device_seen
    UPDATE devices SET seen_ms = ?2 WHERE id = ?1";
const DEVICE_BY_KEY: &str = "-- device_by_key
    SELECT id, account, name, key_sha256, added_ms, seen_ms, revoked_ms FROM devices
    WHERE key_sha256 = ?1 ORDER BY revoked_ms IS NOT NULL, revoked_ms DESC LIMIT 1";
const DEVICES_OF: &str = "-- devices
    SELECT id, account, name, key_sha256, added_ms, seen_ms, revoked_ms FROM devices
    WHERE account = ?1 ORDER BY added_ms, id LIMIT ?2";

/// A device to be added.
pub(crate) struct NewDevice {
    pub(crate) id: DeviceId,
    pub(crate) account: AccountId,
    pub(crate) name: Redacted<String>,
    pub(crate) key_sha256: [u8; 32],
    pub(crate) at: Timestamp,
}

impl SqliteStore {
    /// Adds a device. One whose key this is already is renamed instead, and its id returned; where it is another
    /// account's, it is to be revoked first.
    pub(crate) async fn add_device(
        &self,
        new: NewDevice,
        marketplace: Marketplace,
    ) -> Result<DeviceId, HistoryError> {
        let known = self.device_by_key(new.key_sha256, marketplace).await?;
        let known = known.filter(|device| device.revoked.is_none() && device.account == new.account);
        let mut change = self.database.change("device: add").await?;
        if let Some(known) = known {
            let rename = sqlx::query(DEVICE_RENAME).bind(known.id.as_bytes().as_slice()).bind(new.name.expose());
            rename.execute(&mut *change).await.map_err(sql("write"))?;
            change.commit().await.map_err(sql("write"))?;
            return Ok(known.id);
        }
        sqlx::query(DEVICE_INSERT)
            .bind(new.id.as_bytes().as_slice())
            .bind(new.account.as_bytes().as_slice())
            .bind(new.name.expose())
            .bind(new.key_sha256.as_slice())
            .bind(new.at.unix_ms())
            .execute(&mut *change)
            .await
            .map_err(sql("write"))?;
        change.commit().await.map_err(sql("write"))?;
        Ok(new.id)
    }

    /// The device that has this key; where none has it any more, the one that had it last, which is revoked.
    pub(crate) async fn device_by_key(
        &self,
        key_sha256: [u8; 32],
        marketplace: Marketplace,
    ) -> Result<Option<Device>, HistoryError> {
        let query = sqlx::query(DEVICE_BY_KEY).bind(key_sha256.as_slice());
        let row = query.fetch_optional(&self.database.readers).await.map_err(sql("read"))?;
        row.map(|row| device(&row, marketplace)).transpose()
    }

    /// The devices of `account`, oldest first.
    pub(crate) async fn devices(
        &self,
        account: AccountId,
        marketplace: Marketplace,
    ) -> Result<Vec<Device>, HistoryError> {
        let query = sqlx::query(DEVICES_OF).bind(account.as_bytes().as_slice()).bind(DEVICES_MAX as i64);
        let rows = query.fetch_all(&self.database.readers).await.map_err(sql("read"))?;
        rows.iter().map(|row| device(row, marketplace)).collect()
    }

    /// Revokes a device of `account`. Only by way of [`crate::standing`], so that whoever serves it is told.
    pub(crate) async fn revoke_device(
        &self,
        account: AccountId,
        id: DeviceId,
        at: Timestamp,
    ) -> Result<(), HistoryError> {
        let mut change = self.database.change("device: revoke").await?;
        let query = sqlx::query(DEVICE_REVOKE).bind(id.as_bytes().as_slice()).bind(account.as_bytes().as_slice());
        query.bind(at.unix_ms()).execute(&mut *change).await.map_err(sql("write"))?;
        change.commit().await.map_err(sql("write"))
    }

    /// Notes that a device is connected.
    pub(crate) async fn device_seen(&self, id: DeviceId, at: Timestamp) -> Result<(), HistoryError> {
        let mut change = self.database.change("device: seen").await?;
        let query = sqlx::query(DEVICE_SEEN).bind(id.as_bytes().as_slice()).bind(at.unix_ms());
        query.execute(&mut *change).await.map_err(sql("write"))?;
        change.commit().await.map_err(sql("write"))
    }
}

fn device(row: &SqliteRow, marketplace: Marketplace) -> Result<Device, HistoryError> {
    let optional = |column: usize| {
        let ms: Option<i64> = row.try_get(column).map_err(sql("read"))?;
        Ok::<_, HistoryError>(ms.map(Timestamp::from_unix_ms))
    };
    Ok(Device {
        id: DeviceId::from_bytes(array(row, 0)?),
        account: AccountId::from_bytes(array(row, 1)?),
        marketplace,
        name: Redacted::new(row.try_get(2).map_err(sql("read"))?),
        key_sha256: array(row, 3)?,
        added: timestamp(row, 4)?,
        seen: optional(5)?,
        revoked: optional(6)?,
    })
}
