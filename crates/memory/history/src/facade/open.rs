//! Opening: every file is found, made or missed, in an order that a crash between any two cannot confuse.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use base::{Clock, Marketplace};
use tokio::sync::{Mutex, RwLock};
use vault::{Blobs, Folder, KeyStore, RootKey, Steps};

use crate::directory::Directory;
use crate::error::{HistoryError, step};
use crate::facade::look::{ACCEPT, BLOBS, DATABASE, DIRECTORY, KEYS, look};
use crate::facade::{History, Opened, Parts};
use crate::market::Market;
use crate::password::Passwords;
use crate::recover::Recovery;
use crate::room::Room;
use crate::store::Store;
use crate::store::sqlite::SqliteStore;

pub(super) async fn open(
    data: &Path,
    clock: Arc<dyn Clock>,
    steps: Arc<dyn Steps>,
    companions: &[&str],
) -> Result<Opened, HistoryError> {
    let folder = Folder::open(data)?;
    let looked = match look(&folder, companions).await {
        Ok(looked) => looked,
        Err(refused) => {
            folder.give_back();
            return Err(refused);
        }
    };
    let root_key_path = folder.root_key();
    let directory_path = folder.path().join(DIRECTORY);
    let root = match looked.root {
        Some(root) => root,
        None => {
            steps.before("root key: make").map_err(step)?;
            RootKey::create(&root_key_path)?
        }
    };
    let mut audits = looked.audits;
    let directory = Directory::open(&directory_path, Arc::clone(&steps)).await?;
    let first_start = directory.accounts().await?.is_empty();
    let mut used: BTreeSet<Marketplace> = directory.marketplaces().await?.into_iter().collect();
    used.insert(Marketplace::US);
    let mut markets = std::collections::BTreeMap::new();
    let mut recovered = Recovery::default();
    for marketplace in used {
        let market = open_market(&folder, marketplace, &root, &clock, &steps).await?;
        recovered.add(market.recover(audits.remove(&marketplace).unwrap_or_default()).await?);
        let _ = std::fs::remove_file(folder.marketplace(marketplace).join(ACCEPT));
        markets.insert(marketplace, Arc::new(market));
    }
    let passwords = Passwords::new().await?;
    let (data, folder) = (data.to_path_buf(), RwLock::new(Some(folder)));
    let standings = Arc::default();
    let parts = Parts { directory, markets, passwords, standings, clock, data, folder };
    Ok(Opened { history: History { parts: Arc::new(parts) }, first_start, root_key_path, recovered })
}

/// What is missing here is to be made: [`look`] has seen that nothing is lost.
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
    let keys = if keys_path.exists() {
        KeyStore::open(&keys_path, root, marketplace, Arc::clone(steps))?
    } else {
        KeyStore::make(&keys_path, root, marketplace, Arc::clone(steps))?
    };
    if named.is_none() {
        store.set_key_store(*keys.store_id()).await?;
    }
    let blobs = Blobs::open(&path.join(BLOBS), Arc::clone(steps))?;
    let room = Room::beside(&path);
    room.keep().await;
    let (keys, clock) = (Arc::new(keys), Arc::clone(clock));
    Ok(Market { marketplace, store, keys, blobs, room, clock, deleting: Mutex::new(()), players: Arc::default() })
}
