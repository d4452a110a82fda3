//! The directory: accounts, their passwords, the marketplaces they use, and who is signed in.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base::{AccountId, Marketplace, Redacted, Timestamp};
use sha2::{Digest, Sha256};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use vault::Steps;

use crate::error::{HistoryError, sql};
use crate::store::database::{Beside, Database};
use crate::store::sqlite::array;

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/directory");

/// How long somebody stays signed in.
pub const SESSION_LIFE: Duration = Duration::from_secs(30 * 24 * 3_600);
/// Sessions of an account; a further one ends the oldest.
pub const SESSIONS_MAX: u32 = 32;
/// Characters of a name, of an account or a device.
pub const NAME_CHARS_MAX: usize = 64;
/// Accounts of one installation.
pub const ACCOUNTS_MAX: usize = 1_000;

/// An account as the directory knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id, the same in every marketplace.
    pub id: AccountId,
    /// What its owner signs in with.
    pub name: Redacted<String>,
    /// Where its utterances are kept.
    pub home: Marketplace,
}

const ACCOUNT_INSERT: &str = "-- create_account
    INSERT INTO accounts (id, name, password, made_ms) VALUES (?1, ?2, ?3, ?4)";
const ACCOUNT_COUNT: &str = "-- create_account (limit)
    SELECT count(*) FROM accounts";
const HOME_INSERT: &str = "-- create_account (home)
    INSERT INTO account_marketplaces (account, marketplace, home) VALUES (?1, ?2, 1)";
const ACCOUNTS: &str = "-- accounts
    SELECT a.id, a.name, m.marketplace FROM accounts a JOIN account_marketplaces m ON m.account = a.id AND m.home = 1
    ORDER BY a.made_ms, a.id LIMIT ?1";
const HOME: &str = "-- home
    SELECT marketplace FROM account_marketplaces WHERE account = ?1 AND home = 1";
const USES: &str = "-- uses
    SELECT count(*) FROM account_marketplaces WHERE account = ?1 AND marketplace = ?2";
const MARKETPLACES: &str = "-- marketplaces
    SELECT DISTINCT marketplace FROM account_marketplaces ORDER BY marketplace";
const PASSWORD: &str = "-- password
    SELECT id, password FROM accounts WHERE name = ?1";
const PASSWORD_UPDATE: &str = "-- set_password
    UPDATE accounts SET password = ?2 WHERE name = ?1";
const SESSIONS_END: &str = "-- set_password (end sessions)
    DELETE FROM sessions WHERE account = (SELECT id FROM accounts WHERE name = ?1)";
const SESSIONS_TRIM: &str = "-- open_session (trim)
    DELETE FROM sessions WHERE expires_ms <= ?2 OR token_hash IN (
        SELECT token_hash FROM sessions WHERE account = ?1 ORDER BY opened_ms DESC, token_hash LIMIT -1 OFFSET ?3)";
const SESSION_INSERT: &str = "-- open_session
    INSERT INTO sessions (token_hash, account, opened_ms, expires_ms) VALUES (?1, ?2, ?3, ?4)";
const SESSION: &str = "-- session
    SELECT account FROM sessions WHERE token_hash = ?1 AND expires_ms > ?2";
const SESSION_CLOSE: &str = "-- close_session
    DELETE FROM sessions WHERE token_hash = ?1";

/// The directory's database.
pub(crate) struct Directory {
    pub(crate) database: Database,
}

impl Directory {
    pub(crate) async fn open(path: &Path, steps: Arc<dyn Steps>) -> Result<Self, HistoryError> {
        Ok(Self { database: Database::open(path, &MIGRATIONS, steps).await? })
    }

    /// Opens the file `path` to look at alone (see [`Database::look`]).
    pub(crate) async fn look(path: &Path) -> Result<Option<(Self, Beside)>, HistoryError> {
        let looked = Database::look(path, &MIGRATIONS).await?;
        Ok(looked.map(|(database, beside)| (Self { database }, beside)))
    }

    /// Adds an account, which keeps its utterances in `home`.
    pub(crate) async fn create(
        &self,
        account: &Account,
        password_hash: &str,
        at: Timestamp,
    ) -> Result<(), HistoryError> {
        let mut change = self.database.change("directory: create account").await?;
        let row = sqlx::query(ACCOUNT_COUNT).fetch_one(&mut *change).await.map_err(sql("read"))?;
        let accounts: i64 = row.try_get(0).map_err(sql("read"))?;
        if accounts >= ACCOUNTS_MAX as i64 {
            return Err(HistoryError::TooMany { what: "accounts", max: ACCOUNTS_MAX });
        }
        sqlx::query(ACCOUNT_INSERT)
            .bind(account.id.as_bytes().as_slice())
            .bind(account.name.expose())
            .bind(password_hash)
            .bind(at.unix_ms())
            .execute(&mut *change)
            .await
            .map_err(|error| match error.as_database_error() {
                Some(database) if database.is_unique_violation() => HistoryError::NameTaken,
                _ => sql("write")(error),
            })?;
        let home = sqlx::query(HOME_INSERT).bind(account.id.as_bytes().as_slice()).bind(account.home.as_str());
        home.execute(&mut *change).await.map_err(sql("write"))?;
        change.commit().await.map_err(sql("write"))
    }

    /// All accounts, oldest first.
    pub(crate) async fn accounts(&self) -> Result<Vec<Account>, HistoryError> {
        let query = sqlx::query(ACCOUNTS).bind(ACCOUNTS_MAX as i64);
        let rows = query.fetch_all(&self.database.readers).await.map_err(sql("read"))?;
        rows.iter()
            .map(|row| {
                let name: String = row.try_get(1).map_err(sql("read"))?;
                Ok(Account {
                    id: AccountId::from_bytes(array(row, 0)?),
                    name: name.into(),
                    home: marketplace(row, 2)?,
                })
            })
            .collect()
    }

    /// Where `account` keeps its utterances.
    pub(crate) async fn home(&self, account: AccountId) -> Result<Marketplace, HistoryError> {
        let query = sqlx::query(HOME).bind(account.as_bytes().as_slice());
        let row = query.fetch_optional(&self.database.readers).await.map_err(sql("read"))?;
        marketplace(&row.ok_or(HistoryError::NoSuchAccount)?, 0)
    }

    /// Whether `account` uses `marketplace`.
    pub(crate) async fn uses(&self, account: AccountId, marketplace: Marketplace) -> Result<bool, HistoryError> {
        let query = sqlx::query(USES).bind(account.as_bytes().as_slice()).bind(marketplace.as_str().to_owned());
        let row = query.fetch_one(&self.database.readers).await.map_err(sql("read"))?;
        let count: i64 = row.try_get(0).map_err(sql("read"))?;
        Ok(count > 0)
    }

    /// Every marketplace that any account uses.
    pub(crate) async fn marketplaces(&self) -> Result<Vec<Marketplace>, HistoryError> {
        let query = sqlx::query(MARKETPLACES);
        let rows = query.fetch_all(&self.database.readers).await.map_err(sql("read"))?;
        rows.iter().map(|row| marketplace(row, 0)).collect()
    }

    /// The account of that name, and its password's hash.
    pub(crate) async fn password(&self, name: &str) -> Result<Option<(AccountId, String)>, HistoryError> {
        let query = sqlx::query(PASSWORD).bind(name);
        let row = query.fetch_optional(&self.database.readers).await.map_err(sql("read"))?;
        let read =
            |row: SqliteRow| Ok((AccountId::from_bytes(array(&row, 0)?), row.try_get(1).map_err(sql("read"))?));
        row.map(read).transpose()
    }

    /// Sets the password and ends every session of the account.
    pub(crate) async fn set_password(&self, name: &str, password_hash: &str) -> Result<(), HistoryError> {
        let mut change = self.database.change("directory: set password").await?;
        let update = sqlx::query(PASSWORD_UPDATE).bind(name).bind(password_hash);
        let done = update.execute(&mut *change).await.map_err(sql("write"))?;
        if done.rows_affected() == 0 {
            return Err(HistoryError::NoSuchAccount);
        }
        sqlx::query(SESSIONS_END).bind(name).execute(&mut *change).await.map_err(sql("write"))?;
        change.commit().await.map_err(sql("write"))
    }

    /// Writes down a session, and ends those that are over or too many.
    pub(crate) async fn open_session(
        &self,
        account: AccountId,
        token_hash: [u8; 32],
        now: Timestamp,
    ) -> Result<(), HistoryError> {
        let mut change = self.database.change("directory: open session").await?;
        let account = account.as_bytes().as_slice();
        let trim = sqlx::query(SESSIONS_TRIM).bind(account).bind(now.unix_ms()).bind(SESSIONS_MAX - 1);
        trim.execute(&mut *change).await.map_err(sql("write"))?;
        sqlx::query(SESSION_INSERT)
            .bind(token_hash.as_slice())
            .bind(account)
            .bind(now.unix_ms())
            .bind(now.after(SESSION_LIFE).unix_ms())
            .execute(&mut *change)
            .await
            .map_err(|error| match error.as_database_error() {
                Some(database) if database.is_foreign_key_violation() => HistoryError::NoSuchAccount,
                _ => sql("write")(error),
            })?;
        change.commit().await.map_err(sql("write"))
    }

    /// Whose session it is, unless it is over.
    pub(crate) async fn session(
        &self,
        token_hash: [u8; 32],
        now: Timestamp,
    ) -> Result<Option<AccountId>, HistoryError> {
        let query = sqlx::query(SESSION).bind(token_hash.as_slice()).bind(now.unix_ms());
        let row = query.fetch_optional(&self.database.readers).await.map_err(sql("read"))?;
        row.map(|row| array(&row, 0).map(AccountId::from_bytes)).transpose()
    }

    /// Ends a session; there being none is as good.
    pub(crate) async fn close_session(&self, token_hash: [u8; 32]) -> Result<(), HistoryError> {
        let mut change = self.database.change("directory: close session").await?;
        let query = sqlx::query(SESSION_CLOSE).bind(token_hash.as_slice());
        query.execute(&mut *change).await.map_err(sql("write"))?;
        change.commit().await.map_err(sql("write"))
    }
}

/// What of a token is kept: it has 256 random bits, so that a plain hash is enough.
pub(crate) fn token_hash(token: &Redacted<String>) -> [u8; 32] {
    Sha256::digest(token.expose().as_bytes()).into()
}

fn marketplace(row: &SqliteRow, column: usize) -> Result<Marketplace, HistoryError> {
    let text: String = row.try_get(column).map_err(sql("read"))?;
    text.parse().map_err(|_| HistoryError::Corrupt("the name of a marketplace"))
}
