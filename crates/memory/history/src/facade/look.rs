//! Before anything is made or changed: whether all that belongs together is there. Where it is not, the start is refused, and
//! every byte in the data directory is as it was.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{AccountId, Marketplace};
use vault::{Folder, KeyStore, NoSteps, RootKey, SlotNumber};

use crate::audit::Audit;
use crate::directory::Directory;
use crate::error::HistoryError;
use crate::store::Store;
use crate::store::sqlite::SqliteStore;

/// The directory's database.
pub(super) const DIRECTORY: &str = "directory.db";
/// A marketplace's database.
pub(super) const DATABASE: &str = "history.db";
/// A marketplace's keys.
pub(super) const KEYS: &str = "keys.store";
/// A marketplace's blobs.
pub(super) const BLOBS: &str = "blobs";
/// Made by the owner: says that requests whose keys or rows are missing are given up. Removed by the start that did so.
pub(super) const ACCEPT: &str = "accept-loss";

/// What is there.
pub(super) struct Look {
    /// Nothing where this is the first start.
    pub(super) root: Option<RootKey>,
    /// What is to be put right in each marketplace that there is.
    pub(super) audits: BTreeMap<Marketplace, Audit>,
}

/// Looks at `folder`, in which `companions` lie as well.
///
/// Made in this order: root key, directory, marketplaces, companions, accounts. Where a later one is there without an
/// earlier one, the earlier is to be put back, and nothing is made anew.
pub(super) async fn look(folder: &Folder, companions: &[&str]) -> Result<Look, HistoryError> {
    let (root_path, directory_path) = (folder.root_key(), folder.path().join(DIRECTORY));
    let companions: Vec<PathBuf> = companions.iter().map(|name| folder.path().join(name)).collect();
    let later = folder.marketplace(Marketplace::US).exists() || companions.iter().any(|path| path.exists());
    if !root_path.exists() && !directory_path.exists() && !later {
        return Ok(Look { root: None, audits: BTreeMap::new() });
    }
    let root = RootKey::load(&root_path)?;
    if !directory_path.exists() && later {
        return Err(HistoryError::DatabaseLost(directory_path));
    }
    let (accounts, mut used) = directory(&directory_path).await?;
    if let Some(missing) = companions.iter().find(|path| !accounts.is_empty() && !path.exists()) {
        return Err(HistoryError::CompanionLost(missing.clone()));
    }
    used.insert(Marketplace::US);
    let mut audits = BTreeMap::new();
    for marketplace in used {
        let place =
            MarketPlace { marketplace, path: folder.marketplace(marketplace), root: &root, accounts: &accounts };
        if let Some(audit) = place.look(&directory_path).await? {
            audits.insert(marketplace, audit);
        }
    }
    Ok(Look { root: Some(root), audits })
}

/// The accounts there are, and the marketplaces they use.
async fn directory(path: &Path) -> Result<(BTreeSet<AccountId>, BTreeSet<Marketplace>), HistoryError> {
    if !path.exists() {
        return Ok(Default::default());
    }
    let Some((directory, beside)) = Directory::look(path).await? else { return Ok(Default::default()) };
    let accounts = directory.accounts().await;
    let used = directory.marketplaces().await;
    directory.database.close().await;
    beside.put_back();
    Ok((accounts?.into_iter().map(|account| account.id).collect(), used?.into_iter().collect()))
}

struct MarketPlace<'a> {
    marketplace: Marketplace,
    path: PathBuf,
    root: &'a RootKey,
    accounts: &'a BTreeSet<AccountId>,
}

impl MarketPlace<'_> {
    /// What is to be put right; nothing where the marketplace is to be made.
    async fn look(&self, directory: &Path) -> Result<Option<Audit>, HistoryError> {
        let (database, keys, blobs) = (self.path.join(DATABASE), self.path.join(KEYS), self.path.join(BLOBS));
        if !database.exists() {
            // Made before the two others; and there is no account before there is a marketplace.
            let made = keys.exists() || blobs.exists() || !self.accounts.is_empty();
            return if made { Err(HistoryError::DatabaseLost(database)) } else { Ok(None) };
        }
        let Some((store, beside)) = SqliteStore::look(&database).await? else {
            return self.without_tables(database, &keys);
        };
        let found = self.compare(&store, &database, &keys, directory).await;
        store.database.close().await;
        beside.put_back();
        found
    }

    /// A database without tables is one of a first start that was cut off, or was emptied.
    fn without_tables(&self, database: PathBuf, keys: &Path) -> Result<Option<Audit>, HistoryError> {
        if !self.accounts.is_empty() || (keys.exists() && self.open(keys)?.slots() > 0) {
            return Err(HistoryError::DatabaseLost(database));
        }
        Ok(None)
    }

    async fn compare(
        &self,
        store: &SqliteStore,
        database: &Path,
        keys_path: &Path,
        directory: &Path,
    ) -> Result<Option<Audit>, HistoryError> {
        let named = store.key_store().await?;
        let keys = match (named, keys_path.exists()) {
            (Some(_), false) => return Err(HistoryError::KeyStoreLost(keys_path.to_path_buf())),
            (None, false) => return self.without_tables(database.to_path_buf(), keys_path),
            (_, true) => Arc::new(self.open(keys_path)?),
        };
        // The key store is made first and then named in the database: keys that were used and have no name are those of
        // a database that is gone.
        let Some(id) = named else { return self.without_tables(database.to_path_buf(), keys_path) };
        if id != *keys.store_id() {
            return Err(HistoryError::KeyStoreLost(keys_path.to_path_buf()));
        }
        // The key store only grows: one that is shorter than the rows say is an older copy.
        let last = store.last_slot().await?;
        if last.is_some_and(|SlotNumber(last)| last > keys.slots()) {
            return Err(HistoryError::KeyStoreLost(keys_path.to_path_buf()));
        }
        if store.accounts().await?.iter().any(|account| !self.accounts.contains(account)) {
            return Err(HistoryError::DatabaseLost(directory.to_path_buf()));
        }
        let blobs = self.path.join(BLOBS);
        if last.is_some() && !blobs.exists() {
            return Err(HistoryError::BlobsLost(blobs));
        }
        let checked = Arc::clone(&keys);
        tokio::task::spawn_blocking(move || checked.refuse_moved_slots()).await??;
        let audit = Audit::of(store, &keys).await?;
        self.refuse(audit, database, keys_path)
    }

    fn refuse(&self, audit: Audit, database: &Path, keys: &Path) -> Result<Option<Audit>, HistoryError> {
        if let Some(id) = audit.moved() {
            return Err(HistoryError::RowMoved { path: database.to_path_buf(), id });
        }
        let accept = self.path.join(ACCEPT);
        if (audit.keyless.is_empty() && audit.rowless.is_empty()) || accept.exists() {
            return Ok(Some(audit));
        }
        Err(HistoryError::NotOfOneTime {
            database: database.to_path_buf(),
            keys: keys.to_path_buf(),
            keys_without_row: audit.rowless.len(),
            rows_without_key: audit.keyless.len(),
            accept,
        })
    }

    fn open(&self, keys: &Path) -> Result<KeyStore, HistoryError> {
        Ok(KeyStore::open(keys, self.root, self.marketplace, Arc::new(NoSteps))?)
    }
}
