//! Deletion is real: what it says is gone is nowhere under the data directory, and no copy brings it back.

use std::path::Path;

use base::UtteranceId;

use super::common::*;
use super::watch::{copy_all, files, holders, nothing_in_the_clear};
use crate::*;

/// The four wrapped keys of `id` as they lie in the key store, nonces and tags included.
pub(super) fn wrapped_keys(data: &Path, id: UtteranceId) -> Vec<Vec<u8>> {
    let store = std::fs::read(data.join("us/keys.store")).expect("a key store");
    let slot = store.chunks(vault::SLOT_LEN).find(|slot| slot[8..24] == *id.as_bytes()).expect("a slot of it");
    (0..4).map(|section| slot[64 + section * 112 + 8..64 + section * 112 + 80].to_vec()).collect()
}

/// None of the keys, nor the half of one, is in any file.
pub(super) fn nowhere(data: &Path, keys: &[Vec<u8>]) {
    for key in keys {
        for half in key.chunks(36) {
            assert_eq!(holders(data, half), Vec::<std::path::PathBuf>::new(), "a destroyed key lies here");
        }
    }
}

#[tokio::test]
async fn i7_a_deleted_utterances_key_is_found_nowhere_and_copies_taken_before_do_not_open() {
    let dir = folder();
    let data = dir.path().join("data");
    let (opened, watch) = open_watched(&data).await;
    let history = opened.history;
    let (account, device) = owner(&history).await;
    watch.copy();
    let id = history.seal(utterance(account, device, 1)).await.expect("sealed");
    let other = history.seal(utterance(account, device, 2)).await.expect("sealed");
    let keys = wrapped_keys(&data, id);
    for key in &keys {
        assert_eq!(holders(&data, key), [data.join("us/keys.store")], "before, it is in the key store alone");
    }
    let sealed_blob = files(&data.join("us/blobs")).into_iter().find(|path| path.ends_with(format!("{id}.audio")));
    let sealed_blob = std::fs::read(sealed_blob.expect("a blob")).expect("read");
    assert!(is_whole(&history, account, id, 1).await);
    let before = dir.path().join("before");
    copy_all(&data, &before);

    let receipt = history.delete(account, id).await.expect("deleted");
    let gone = |data: &Path| {
        nowhere(data, &keys);
        nothing_in_the_clear(data);
        assert_eq!(holders(data, &sealed_blob[..64]), Vec::<std::path::PathBuf>::new(), "the blob lies here");
    };
    gone(&data);
    drop(watch.copies());
    history.close().await;
    drop(history);
    gone(&data);
    let history = open(&data).await.history;
    gone(&data);
    assert_eq!(history.utterance(account, id).await.expect("a row").state, RowState::Deleted(receipt));
    assert!(is_whole(&history, account, other, 2).await);
    history.close().await;
    drop(history);

    // The blobs and the database of before, beside today's key store.
    for name in ["history.db", "history.db-wal", "history.db-shm"] {
        let _ = std::fs::remove_file(data.join("us").join(name));
        if before.join("us").join(name).exists() {
            std::fs::copy(before.join("us").join(name), data.join("us").join(name)).expect("put back");
        }
    }
    copy_all(&before.join("us/blobs"), &data.join("us/blobs"));
    does_not_open(&data, id).await;
    let opened = open(&data).await;
    assert_eq!(opened.recovered.rows_without_key, 1);
    assert!(!is_whole(&opened.history, account, id, 1).await, "cleared away again");
    assert!(is_whole(&opened.history, account, other, 2).await, "the one that was kept opens as before");
    assert_eq!(consistent(&opened.history, &data).await, 1);
    gone(&data);
}

/// With nothing cleared away: root key, key store, row and blob, by hand.
async fn does_not_open(data: &Path, id: UtteranceId) {
    use std::sync::Arc;

    use vault::{Audio, Blobs, KeyStore, NoSteps, Place, RootKey, Sealed, Text, VaultError};

    let root = RootKey::load(&data.join("root.key")).expect("the root key");
    let us = data.join("us");
    let keys = KeyStore::open(&us.join("keys.store"), &root, base::Marketplace::US, Arc::new(NoSteps)).expect("keys");
    let blobs = Blobs::open(&us.join("blobs"), Arc::new(NoSteps)).expect("blobs");
    let blob = blobs.get::<Audio>(id).await.expect("read").expect("put back");
    let row: (u32, Vec<u8>) = {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(us.join("history.db"));
        let pool = sqlx::SqlitePool::connect_with(options).await.expect("the database of before");
        let query =
            sqlx::query_as("SELECT slot, details FROM utterances WHERE id = ?1").bind(id.as_bytes().as_slice());
        let row = query.fetch_one(&pool).await.expect("its row");
        pool.close().await;
        row
    };
    let place = |column| Place { slot: vault::SlotNumber(row.0), id, column };
    let sound = keys.open_sealed::<Audio>(&place("blobs"), &blob);
    assert!(matches!(sound, Err(VaultError::Destroyed)), "{sound:?}");
    let text = keys.open_sealed::<Text>(&place("utterances.details"), &Sealed::from_bytes(row.1.clone()));
    assert!(matches!(text, Err(VaultError::Destroyed)), "{text:?}");
}

#[tokio::test]
async fn a_row_of_a_copy_put_back_shows_as_unreadable_while_the_history_runs() {
    let dir = folder();
    let history = open(dir.path()).await.history;
    let (account, device) = owner(&history).await;
    let id = history.seal(utterance(account, device, 0)).await.expect("sealed");
    let market = history.us();
    let _erased = market.keys.destroy(vault::SlotNumber(1), id).expect("destroyed behind its back");
    assert_eq!(history.utterance(account, id).await.expect("a row").state, RowState::Unreadable);
    let error = history.audio(account, id).await.expect_err("gone");
    assert!(matches!(error, HistoryError::Vault(vault::VaultError::Destroyed)), "{error}");
    history.delete(account, id).await.expect("and can be deleted");
    assert_eq!(consistent(&history, dir.path()).await, 0);
}

#[tokio::test]
async fn nobody_deletes_or_sees_what_is_anothers() {
    let dir = folder();
    let history = open(dir.path()).await.history;
    let (account, device) = owner(&history).await;
    let other = history.create_account("Eve", String::from("battery staple").into()).await.expect("made");
    let id = history.seal(utterance(account, device, 0)).await.expect("sealed");
    assert!(matches!(history.delete(other, id).await, Err(HistoryError::NotFound)));
    assert!(matches!(history.utterance(other, id).await, Err(HistoryError::NotFound)));
    assert!(matches!(history.audio(other, id).await, Err(HistoryError::NotFound)));
    assert_eq!(history.page(other, None, 10).await.expect("a page").rows, []);
    assert!(is_whole(&history, account, id, 0).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_seals_and_deletions_at_once_keep_rows_keys_and_blobs_together() {
    let dir = folder();
    let history = std::sync::Arc::new(open(dir.path()).await.history);
    let (account, device) = owner(&history).await;
    let mut tasks = Vec::new();
    for n in 0..24u16 {
        let history = std::sync::Arc::clone(&history);
        tasks.push(tokio::spawn(async move {
            let id = history.seal(utterance(account, device, n)).await.expect("sealed");
            if n % 2 == 0 {
                let (one, two) = tokio::join!(history.delete(account, id), history.delete(account, id));
                assert_eq!(one.expect("deleted"), two.expect("deleted"));
            } else {
                assert!(is_whole(&history, account, id, n).await);
            }
        }));
    }
    for task in tasks {
        task.await.expect("no panic");
    }
    assert_eq!(consistent(&history, dir.path()).await, 12);
    let market = history.us();
    assert!(market.keys.slots() <= 24, "slots are used again");
}
