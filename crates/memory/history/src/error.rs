//! Everything that can go wrong with the history, as the one who asked is told it.

use std::io;
use std::path::PathBuf;

use vault::VaultError;

use crate::types::Receipt;

/// Why the history could not do as asked. No variant carries anything that was said, or a name.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// A name or a password that cannot be taken.
    #[error("{what} must have {min} to {max} characters")]
    BadLength {
        /// What was too short or too long.
        what: &'static str,
        /// At least.
        min: usize,
        /// At most.
        max: usize,
    },
    /// Sound that is kept is not there, not even its folder.
    #[error("{0} is missing, and requests are kept whose sound lies there: put it back")]
    BlobsLost(PathBuf),
    /// A file that was made with the first account, beside what is kept, is not there.
    #[error("{0} is missing, though there are files that belong with it: put it back")]
    CompanionLost(PathBuf),
    /// What was stored is not what this program stores.
    #[error("the history holds something unreadable: {0}")]
    Corrupt(&'static str),
    /// The database refused.
    #[error("cannot {what} the history: {source}")]
    Database {
        /// What was tried, as a verb.
        what: &'static str,
        /// The database's own words, which quote no values.
        source: sqlx::Error,
    },
    /// A database is not there, and files that belong with it are.
    #[error("{0} is missing or new, though there are files that belong with it: put it back")]
    DatabaseLost(PathBuf),
    /// It was deleted; this is its receipt.
    #[error("it was deleted")]
    Deleted(Receipt),
    /// No room is left on the disk, or within the quota. What was being kept was taken back.
    #[error("the disk is full")]
    DiskFull,
    /// The database belongs with a key store, which is not there, is another, or is older.
    #[error("{0} is missing, or is not the one the history was kept with: put the file back")]
    KeyStoreLost(PathBuf),
    /// Its key is gone or damaged, and nobody had asked for that: there is nothing to be destroyed, and no receipt.
    #[error("its key is lost: it cannot be opened any more, and there is nothing left to destroy")]
    Lost,
    /// An account of that name exists.
    #[error("an account of that name exists already")]
    NameTaken,
    /// The database was written by a newer version.
    #[error("{0} was written by a newer version: use a newer sotto")]
    Newer(PathBuf),
    /// There is no such account, in that marketplace.
    #[error("there is no such account")]
    NoSuchAccount,
    /// There is no such device, or not of this account.
    #[error("there is no such device")]
    NoSuchDevice,
    /// There is no such utterance, or not of this account.
    #[error("there is no such request")]
    NotFound,
    /// Key store and database are copies of different times.
    #[error(
        "{} and {} are not of the same time: {keys_without_row} requests have keys and no row, {rows_without_key} a row \
         and no key. Nothing was changed. Put the two back that belong together; or give these requests up by making the \
         empty file {}", database.display(), keys.display(), accept.display()
    )]
    NotOfOneTime {
        /// The database.
        database: PathBuf,
        /// The key store.
        keys: PathBuf,
        /// How many requests the database does not know.
        keys_without_row: usize,
        /// Of how many the key store never held a key.
        rows_without_key: usize,
        /// What says that the owner wants to go on without them.
        accept: PathBuf,
    },
    /// The system gave no random numbers, or the password could not be hashed.
    #[error("the system gives no random numbers")]
    Random,
    /// A row names another slot than the one in which its keys are.
    #[error(
        "{path} is damaged: request {id} has its keys in another slot than it says; nothing was changed, put a whole copy back"
    )]
    RowMoved {
        /// The database.
        path: PathBuf,
        /// Whose row.
        id: base::UtteranceId,
    },
    /// The work was cut off: the program is being stopped, or a thread of it failed.
    #[error("the work on the history was cut off")]
    Stopped,
    /// More than the history takes.
    #[error("{what}: at most {max}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// The vault refused.
    #[error(transparent)]
    Vault(VaultError),
}

impl From<VaultError> for HistoryError {
    fn from(error: VaultError) -> Self {
        if error.is_disk_full() { Self::DiskFull } else { Self::Vault(error) }
    }
}

impl From<tokio::task::JoinError> for HistoryError {
    fn from(_: tokio::task::JoinError) -> Self {
        Self::Stopped
    }
}

/// SQLite's words for a full disk: FULL; IOERR_WRITE (as a quota or a file size limit looks to it), IOERR_FSYNC and
/// IOERR_SHMSIZE (no room for the shared index).
const DISK_FULL_CODES: [&str; 4] = ["13", "778", "1034", "4874"];

/// Says what was tried, for `map_err`.
pub(crate) fn sql(what: &'static str) -> impl FnOnce(sqlx::Error) -> HistoryError {
    move |source| {
        let code = source.as_database_error().and_then(|error| error.code());
        if code.is_some_and(|code| DISK_FULL_CODES.contains(&code.as_ref())) {
            return HistoryError::DiskFull;
        }
        HistoryError::Database { what, source }
    }
}

/// A step that was told to fail (see [`vault::Steps`]).
pub(crate) fn step(error: io::Error) -> HistoryError {
    match error.kind() {
        io::ErrorKind::StorageFull => HistoryError::DiskFull,
        _ => HistoryError::Database { what: "change", source: sqlx::Error::Io(error) },
    }
}
