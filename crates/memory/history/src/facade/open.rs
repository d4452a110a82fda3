//! Opening: every file is found, made or missed, in an order that a crash between any two cannot confuse.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use base::{Clock, Marketplace};
use tokio::sync::{Mutex, RwLock};
use vault::{Blobs, Folder, KeyStore, RootKey, SlotNumber, SlotState, Steps};

use crate::directory::Directory;
use crate::error::{HistoryError, step};
use crate::facade::{History, Opened, Parts};
use crate::market::Market;
use crate::password::{Passwords, Tries};
use crate::recover::Recovery;
use crate::room::Room;
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
    let directory_path = folder.path().join(DIRECTORY);
    // Made in this order: root key, directory, marketplaces. Where a later one is there without an earlier one, the
    // earlier is to be put back, and nothing is made anew.
    let root = match (root_key_path.exists(), directory_path.exists(), folder.marketplace(Marketplace::US).exists()) {
        (true, false, true) => return Err(HistoryError::DatabaseLost(directory_path)),
        (false, false, false) => {
            steps.before("root key: make").map_err(step)?;
            RootKey::create(&root_key_path)?
        }
        _ => RootKey::load(&root_key_path)?,
    };
    let directory = Directory::open(&directory_path, Arc::clone(&steps)).await?;
    let first_start = directory.accounts().await?.is_empty();
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
    let (data, folder) = (data.to_path_buf(), RwLock::new(Some(folder)));
    let (tries, standings) = (Tries::new(), Arc::default());
    let parts = Parts { directory, markets, passwords, tries, standings, clock, data, folder };
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
    let room = Room::beside(&path);
    room.keep().await;
    let (keys, clock) = (Arc::new(keys), Arc::clone(clock));
    Ok(Market { marketplace, store, keys, blobs, room, clock, deleting: Mutex::new(()) })
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
