//! Any bytes as a key store's header and slots: it opens or is refused, never with a panic, and no slot that was not
//! written by the store gives up a key.
#![no_main]

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use base::Marketplace;
use libfuzzer_sys::fuzz_target;
use vault::{KeyStore, NoSteps, RootKey, SLOT_LEN, SlotNumber, SlotState};

/// Slots of one store that are looked at.
const SLOTS_MAX: usize = 16;

struct Store {
    folder: PathBuf,
    root: RootKey,
    header: Vec<u8>,
}

static STORE: LazyLock<Store> = LazyLock::new(|| {
    let folder = PathBuf::from(format!("/dev/shm/sotto-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("memory for a folder");
    let root = RootKey::create(&folder.join("root.key")).expect("a key");
    let path = folder.join("made.store");
    drop(KeyStore::make(&path, &root, Marketplace::US, Arc::new(NoSteps)).expect("a store"));
    let header = fs::read(&path).expect("readable");
    Store { folder, root, header }
});

fuzz_target!(|parts: (Option<&[u8]>, &[u8])| {
    let (header, slots) = parts;
    let store = &*STORE;
    let mut bytes = store.header.clone();
    // Either the store's own header, or one with these bytes over its beginning.
    if let Some(header) = header {
        bytes.iter_mut().zip(header).for_each(|(byte, other)| *byte = *other);
    }
    bytes.extend(slots.iter().take(SLOTS_MAX * SLOT_LEN));
    let path = store.folder.join("fuzz.store");
    fs::write(&path, &bytes).expect("memory for a file");
    let Ok(keys) = KeyStore::open(&path, &store.root, Marketplace::US, Arc::new(NoSteps)) else { return };
    let found = keys.scan(SlotNumber(0), u32::MAX).expect("a file that can be read");
    assert!(found.iter().all(|(_, state)| !matches!(state, SlotState::Live(_))));
});
