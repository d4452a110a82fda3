//! SQLite as we use it: one connection that writes, a few that read, nothing spilled elsewhere.

mod look;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Sqlite, SqlitePool, Transaction};
use vault::Steps;

use crate::error::{HistoryError, sql, step};

pub(crate) use self::look::Beside;

/// How long a connection waits for another one's lock.
const BUSY_MAX: Duration = Duration::from_secs(5);
/// How long a caller waits for a free connection.
const CONNECTION_WAIT_MAX: Duration = Duration::from_secs(20);
/// Takes the write lock at once: a change that reads first cannot find it taken half-way.
const BEGIN: &str = "BEGIN IMMEDIATE";
/// Connections that read at once.
const READERS_MAX: u32 = 4;

/// An open database file.
pub(crate) struct Database {
    /// One connection: changes wait for each other here and not for SQLite's lock.
    writer: SqlitePool,
    pub(crate) readers: SqlitePool,
    steps: Arc<dyn Steps>,
}

impl Database {
    /// Opens `path` (mode 0600), makes it where it is missing and brings its tables up to date.
    ///
    /// # Errors
    /// [`HistoryError::Newer`] where its tables are newer than `migrations` knows; [`HistoryError::DiskFull`],
    /// [`HistoryError::Database`].
    pub(crate) async fn open(
        path: &Path,
        migrations: &Migrator,
        steps: Arc<dyn Steps>,
    ) -> Result<Self, HistoryError> {
        steps.before("database: open").map_err(step)?;
        // The journal and the shared index get the database's own mode from SQLite.
        drop(vault::private_file(path)?);
        let writer = pool(path, 1).await?;
        migrations.run(&writer).await.map_err(|error| migration_error(path.to_path_buf(), error))?;
        let readers = pool(path, READERS_MAX).await?;
        Ok(Self { writer, readers, steps })
    }

    /// Begins a change named `step`; it is written when the transaction is committed, or not at all.
    pub(crate) async fn change(&self, name: &'static str) -> Result<Transaction<'static, Sqlite>, HistoryError> {
        self.steps.before(name).map_err(step)?;
        match self.writer.begin_with(BEGIN).await {
            Err(sqlx::Error::InvalidSavePointStatement) => {
                // A full disk makes SQLite end a transaction by itself, and the library still counts it as open.
                // That connection is of no use any more.
                let broken = self.writer.acquire().await.map_err(sql("change"))?;
                let _ = broken.close().await;
                self.writer.begin_with(BEGIN).await.map_err(sql("change"))
            }
            begun => begun.map_err(sql("change")),
        }
    }

    /// Moves the journal into the database and cuts it to nothing. Where readers are in the way beyond
    /// [`BUSY_MAX`], the next scrub does it.
    pub(crate) async fn scrub(&self) -> Result<(), HistoryError> {
        self.steps.before("database: scrub").map_err(step)?;
        let statement = "-- scrub\nPRAGMA wal_checkpoint(TRUNCATE)";
        sqlx::query(statement).execute(&self.writer).await.map_err(sql("scrub"))?;
        Ok(())
    }

    /// Waits for what is under way, and closes the file.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// `synchronous=FULL`: a commit is on the disk when it returns. `secure_delete`: what is deleted is overwritten with
/// zeros. `temp_store=MEMORY`: no sorting spills into a temporary file. The rest keeps a damaged file from doing harm.
async fn pool(path: &Path, connections: u32) -> Result<SqlitePool, HistoryError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_MAX)
        .pragma("secure_delete", "ON")
        .pragma("temp_store", "MEMORY")
        .pragma("trusted_schema", "OFF")
        .pragma("cell_size_check", "ON")
        .disable_statement_logging();
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(CONNECTION_WAIT_MAX)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options)
        .await
        .map_err(sql("open"))
}

fn migration_error(path: PathBuf, error: MigrateError) -> HistoryError {
    match error {
        MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _) => sql("bring up to date")(source),
        MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_) => HistoryError::Newer(path),
        other => HistoryError::Database { what: "bring up to date", source: other.into() },
    }
}
