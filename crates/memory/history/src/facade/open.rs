//! Opening: every file is found, made or missed, in an order that a crash between any two cannot confuse.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use base::{Clock, Marketplace};
use tokio::sync::Mutex;
use vault::{Blobs, Folder, KeyStore, RootKey, SlotNumber, SlotState, Steps};

use crate::directory::Directory;
use crate::error::HistoryError;
use crate::facade::{History, Opened, Parts};
use crate::market::Market;
use crate::password::{Passwords, Tries};
use crate::recover::Recovery;
use crate::store::Store;
use crate::store::sqlite::SqliteStore;

/// The directory's database.
const DIRECTORY: &str = "directory.db";
/// A marketplace's database.
const DATABASE: &str = "history.db";
/// A marketplace's keys.
const KEYS: &str = "keys.store";
/// A marketplace's blobs.
const BLOBS: &str = "blobs";
/// Slots looked at in one go.
const BATCH: u32 = 4_096;

pub(super) async fn open(data: &Path, clock: Arc<dyn Clock>, steps: Arc<dyn Steps>) -> Result<Opened, HistoryError> {
    let folder = Folder::open(data)?;
    let root_key_path = folder.root_key();
    // Without a root key but with anything that hangs on one, nothing is made anew: the file is to be put back.
    let first_start = !root_key_path.exists() && !folder.path().join(DIRECTORY).exists();
    let root = if first_start { RootKey::create(&root_key_path)? } else { RootKey::load(&root_key_path)? };
    let directory = Directory::open(&folder.path().join(DIRECTORY), Arc::clone(&steps)).await?;
    let mut used: BTreeSet<Marketplace> = directory.marketplaces().await?.into_iter().collect();
    used.insert(Marketplace::US);
    let mut markets = std::collections::BTreeMap::new();
    let mut recovered = Recovery::default();
    for marketplace in used {
        let market = open_market(&folder, marketplace, &root, &clock, &steps).await?;
        recovered.add(market.recover().await?);
        markets.insert(marketplace, Arc::new(market));
    }
    let passwords = Passwords::new().await?;
    let parts = Parts { directory, markets, passwords, tries: Tries::new(), clock, folder };
    Ok(Opened { history: History { parts: Arc::new(parts) }, first_start, root_key_path, recovered })
}

/// The key store is made first and then named in the database. So, of a crash in between: keys and no name yet is a
/// first start cut off (there are no live keys then); a name and no keys, or another store's, is a file that is missing.
async fn open_market(
    folder: &Folder,
    marketplace: Marketplace,
    root: &RootKey,
    clock: &Arc<dyn Clock>,
    steps: &Arc<dyn Steps>,
) -> Result<Market, HistoryError> {
    let path = folder.marketplace(marketplace);
    vault::private_dir(&path)?;
    let keys_path = path.join(KEYS);
    let database_path = path.join(DATABASE);
    let store = SqliteStore::open(&database_path, Arc::clone(steps)).await?;
    let named = store.key_store().await?;
    let keys = match (named, keys_path.exists()) {
        (Some(_), false) => return Err(HistoryError::KeyStoreLost(keys_path)),
        (_, true) => KeyStore::open(&keys_path, root, marketplace, Arc::clone(steps))?,
        (None, false) => KeyStore::make(&keys_path, root, marketplace, Arc::clone(steps))?,
    };
    match named {
        Some(id) if id != *keys.store_id() => return Err(HistoryError::KeyStoreLost(keys_path)),
        Some(_) => {
            // The key store only grows: one that is shorter than the rows say is an older copy.
            let last = store.last_slot().await?.map_or(0, |slot| slot.0);
            if last > keys.slots() {
                return Err(HistoryError::KeyStoreLost(keys_path));
            }
        }
        None if has_live_keys(&keys)? => return Err(HistoryError::DatabaseLost(database_path)),
        None => store.set_key_store(*keys.store_id()).await?,
    }
    let blobs = Blobs::open(&path.join(BLOBS), Arc::clone(steps))?;
    let (keys, clock) = (Arc::new(keys), Arc::clone(clock));
    Ok(Market { marketplace, store, keys, blobs, clock, deleting: Mutex::new(()) })
}

fn has_live_keys(keys: &KeyStore) -> Result<bool, HistoryError> {
    for first in (1..=keys.slots()).step_by(BATCH as usize) {
        let slots = keys.scan(SlotNumber(first), BATCH)?;
        if slots.iter().any(|(_, state)| matches!(state, SlotState::Live(_))) {
            return Ok(true);
        }
    }
    Ok(false)
}
