//! The history of one data directory.

mod accounts;
mod look;
mod open;
mod utterances;

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{AccountId, Clock, Marketplace};
use tokio::sync::RwLock;
use vault::{Folder, Steps};

use crate::directory::Directory;
use crate::error::HistoryError;
use crate::market::Market;
use crate::password::Passwords;
use crate::recover::Recovery;
use crate::standing::Standings;

/// Everything that is kept, in one data directory, which it alone uses while it lives.
///
/// Concurrency: all methods take `&self`; share it in an `Arc`. A seal or a deletion, once begun, goes on to its end
/// even where the caller stops waiting. Durability: what a method changed is on the disk when it returns.
pub struct History {
    parts: Arc<Parts>,
}

/// A history that was opened.
pub struct Opened {
    /// The history.
    pub history: History,
    /// Whether nobody has an account yet: its owner is to be told of the root key, and given an account.
    pub first_start: bool,
    /// Where the root key lies. Lost, everything that was kept is lost with it.
    pub root_key_path: PathBuf,
    /// What a crash had left, and was put right.
    pub recovered: Recovery,
}

/// What the tasks that finish a change share with the history.
struct Parts {
    directory: Directory,
    markets: BTreeMap<Marketplace, Arc<Market>>,
    passwords: Passwords,
    standings: Arc<Standings>,
    clock: Arc<dyn Clock>,
    data: PathBuf,
    /// Held to read by each change under way, and to write by closing. Nothing in it: closed.
    folder: RwLock<Option<Folder>>,
}

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("History").field("data", &self.parts.data).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("first_start", &self.first_start).finish_non_exhaustive()
    }
}

impl History {
    /// Makes the data directory `data` where it is missing and closes it to others, before anything is written there.
    ///
    /// # Errors
    /// [`vault::VaultError::NotOurs`] where it is somebody else's, which is left as it is; [`HistoryError::DiskFull`].
    pub fn claim(data: &Path) -> Result<(), HistoryError> {
        Ok(Folder::claim(data)?)
    }

    /// Opens the data directory `data` (0700), makes it where it is missing, and finishes what a crash left half-done.
    ///
    /// # Errors
    /// [`vault::VaultError::InUse`] where another process has it; [`vault::VaultError::RootKeyLost`],
    /// [`HistoryError::KeyStoreLost`], [`HistoryError::DatabaseLost`], [`HistoryError::BlobsLost`] where a file is
    /// missing that others depend on; [`HistoryError::NotOfOneTime`], [`HistoryError::RowMoved`],
    /// [`vault::VaultError::SlotMoved`] where they do not belong together; [`HistoryError::Newer`];
    /// [`HistoryError::DiskFull`]. But for a full disk and what it stopped, a start that is refused has changed nothing.
    pub async fn open(data: &Path, clock: Arc<dyn Clock>) -> Result<Opened, HistoryError> {
        Self::open_beside(data, clock, &[]).await
    }

    /// As [`History::open`], where the data directory holds `companions` as well: files that the caller makes once it is
    /// open and before there is an account, and that are as little to be missed as the history's own.
    ///
    /// # Errors
    /// As [`History::open`]; [`HistoryError::CompanionLost`].
    pub async fn open_beside(
        data: &Path,
        clock: Arc<dyn Clock>,
        companions: &[&str],
    ) -> Result<Opened, HistoryError> {
        open::open(data, clock, Arc::new(vault::NoSteps), companions).await
    }

    /// As [`History::open`], telling `steps` before each change of the disk.
    ///
    /// # Errors
    /// As [`History::open`].
    pub async fn open_with(
        data: &Path,
        clock: Arc<dyn Clock>,
        steps: Arc<dyn Steps>,
    ) -> Result<Opened, HistoryError> {
        open::open(data, clock, steps, &[]).await
    }

    /// Waits for what is under way, closes the databases, so that their journals are gone from the disk, and lets go
    /// of the data directory. Whatever is asked afterwards is an error.
    pub async fn close(&self) {
        let mut folder = self.parts.folder.write().await;
        for market in self.parts.markets.values() {
            market.store.database.close().await;
        }
        self.parts.directory.database.close().await;
        *folder = None;
    }

    fn market(&self, marketplace: Marketplace) -> Result<Arc<Market>, HistoryError> {
        self.parts.markets.get(&marketplace).cloned().ok_or(HistoryError::NoSuchAccount)
    }

    #[cfg(test)]
    pub(crate) fn us(&self) -> Arc<Market> {
        self.market(Marketplace::US).expect("every history has it")
    }

    async fn home(&self, account: AccountId) -> Result<Arc<Market>, HistoryError> {
        self.market(self.parts.directory.home(account).await?)
    }

    /// Runs `work` to its end, whether or not the caller waits for it.
    async fn to_the_end<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, HistoryError>> + Send + 'static,
    ) -> Result<T, HistoryError> {
        let parts = Arc::clone(&self.parts);
        let task = tokio::spawn(async move {
            let folder = parts.folder.read().await;
            if folder.is_none() {
                return Err(HistoryError::Stopped);
            }
            work.await
        });
        task.await?
    }
}
