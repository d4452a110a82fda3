//! A database that is looked at and not touched: what refuses a start must leave every byte as it was.
//!
//! SQLite changes files even for a reader: it makes a journal and a shared index beside a database, and finishes a journal
//! that a crash left when the last connection closes. So a database without a journal is opened as one that nothing can
//! change (`immutable`), and one with a journal to be read alone, with the index put back as it was afterwards.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{ConnectOptions, Row as _};

use crate::error::{HistoryError, sql};
use crate::store::database::Database;

const MIGRATED: &str = "-- migrated
    SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'";
const MIGRATIONS: &str = "-- migrations
    SELECT version, checksum FROM _sqlx_migrations";

/// The files beside a database as they were before it was looked at.
#[must_use = "they are to be put back"]
pub(crate) struct Beside {
    journal: PathBuf,
    had_journal: bool,
    index: PathBuf,
    index_was: Option<Vec<u8>>,
}

impl Beside {
    fn of(path: &Path) -> Self {
        let beside = |ending: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        let (journal, index) = (beside("-wal"), beside("-shm"));
        Self { had_journal: journal.exists(), index_was: std::fs::read(&index).ok(), journal, index }
    }

    /// Whether the journal holds anything.
    fn is_in_use(&self) -> bool {
        std::fs::metadata(&self.journal).is_ok_and(|about| about.len() > 0)
    }

    /// Puts them back, once the database is closed. What fails here is of no consequence: the index is made anew from
    /// the journal by whoever opens the database next.
    pub(crate) fn put_back(self) {
        match self.index_was {
            Some(bytes) if std::fs::read(&self.index).is_ok_and(|found| found == bytes) => {}
            Some(bytes) => drop(std::fs::write(&self.index, bytes)),
            None => drop(std::fs::remove_file(&self.index)),
        }
        if !self.had_journal {
            let _ = std::fs::remove_file(&self.journal);
        }
    }
}

impl Database {
    /// Opens `path` to look at it; nothing where it has no tables yet, or was being made when the machine stopped.
    ///
    /// # Errors
    /// [`HistoryError::Newer`], [`HistoryError::Database`] (it is no database).
    pub(crate) async fn look(path: &Path, migrations: &Migrator) -> Result<Option<(Self, Beside)>, HistoryError> {
        let mut rollback = path.as_os_str().to_owned();
        rollback.push("-journal");
        // Beside a database that was emptied, SQLite throws the journal away before it is asked anything.
        let is_empty = std::fs::metadata(path).is_ok_and(|about| about.len() == 0);
        if is_empty || Path::new(&rollback).exists() {
            return Ok(None);
        }
        let beside = Beside::of(path);
        let options = SqliteConnectOptions::new()
            .filename(path)
            .read_only(true)
            .immutable(!beside.is_in_use())
            .pragma("trusted_schema", "OFF")
            .pragma("cell_size_check", "ON")
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
        let pool = match pool {
            Ok(pool) => pool,
            Err(error) => {
                beside.put_back();
                return Err(sql("open")(error));
            }
        };
        let database = Self { writer: pool.clone(), readers: pool, steps: Arc::new(vault::NoSteps) };
        match database.is_ready(path, migrations).await {
            Ok(true) => Ok(Some((database, beside))),
            other => {
                database.close().await;
                beside.put_back();
                other.map(|_| None)
            }
        }
    }

    /// Whether it has tables, all of them known here.
    async fn is_ready(&self, path: &Path, migrations: &Migrator) -> Result<bool, HistoryError> {
        let row = sqlx::query(MIGRATED).fetch_one(&self.readers).await.map_err(sql("read"))?;
        if row.try_get::<i64, _>(0).map_err(sql("read"))? == 0 {
            return Ok(false);
        }
        let applied = sqlx::query(MIGRATIONS).fetch_all(&self.readers).await.map_err(sql("read"))?;
        for row in &applied {
            let version: i64 = row.try_get(0).map_err(sql("read"))?;
            let checksum: Vec<u8> = row.try_get(1).map_err(sql("read"))?;
            let is_known = |known: &sqlx::migrate::Migration| {
                known.version == version && known.checksum.as_ref() == checksum.as_slice()
            };
            if !migrations.iter().any(is_known) {
                return Err(HistoryError::Newer(path.to_path_buf()));
            }
        }
        Ok(!applied.is_empty())
    }
}
