//! Files that do not belong together: the start is refused with their name, and changes nothing.

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use vault::{SLOT_LEN, VaultError};

use super::common::*;
use super::files::{spoilt, unchanged};
use super::lost::three;
use super::watch::{copy_all, snapshot};
use crate::*;

async fn sql(database: &Path, statements: &[&'static str]) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database);
    let pool = sqlx::SqlitePool::connect_with(options).await.expect("opens");
    for statement in statements {
        sqlx::query(*statement).execute(&pool).await.expect("done");
    }
    pool.close().await;
}

fn change_slots(data: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let path = data.join("us/keys.store");
    let mut bytes = std::fs::read(&path).expect("read");
    change(&mut bytes);
    std::fs::write(path, bytes).expect("written");
}

#[tokio::test]
async fn i7_slots_that_changed_places_destroy_nothing() {
    let dir = folder();
    let data = dir.path().join("data");
    let (account, ids) = three(&data).await;
    let slot = |number: usize| number * SLOT_LEN..(number + 1) * SLOT_LEN;
    let whole = std::fs::read(data.join("us/keys.store")).expect("read");
    for (to, from) in [(1, 2), (2, 1), (3, 1)] {
        let error =
            spoilt(&data, |data| change_slots(data, |bytes| bytes.copy_within(slot(from), to * SLOT_LEN))).await;
        assert!(matches!(error, HistoryError::Vault(VaultError::SlotMoved { .. })), "a copy: {error}");
        assert!(error.to_string().contains("keys.store"), "{error}");
    }
    change_slots(&data, |bytes| {
        let first = bytes[slot(1)].to_vec();
        bytes.copy_within(slot(2), SLOT_LEN);
        bytes[slot(2)].copy_from_slice(&first);
    });
    let before = snapshot(&data);
    let error = History::open(&data, clock()).await.expect_err("swapped");
    assert!(matches!(error, HistoryError::Vault(VaultError::SlotMoved { .. })), "{error}");
    unchanged(&data, &before, &error);
    std::fs::write(data.join("us/keys.store"), whole).expect("put back");
    let history = open(&data).await.history;
    for (n, id) in ids.iter().enumerate() {
        assert!(is_whole(&history, account, *id, n as u16).await);
    }
}

#[tokio::test]
async fn rows_that_name_anothers_slot_destroy_nothing() {
    let dir = folder();
    let data = dir.path().join("data");
    three(&data).await;
    sql(
        &data.join("us/history.db"),
        &[
            "UPDATE utterances SET slot = 9 WHERE slot = 1",
            "UPDATE utterances SET slot = 1 WHERE slot = 2",
            "UPDATE utterances SET slot = 2 WHERE slot = 9",
        ],
    )
    .await;
    let error = spoilt(&data, |_| {}).await;
    assert!(matches!(error, HistoryError::RowMoved { .. }) && error.to_string().contains("history.db"), "{error}");
}

#[tokio::test]
async fn an_older_copy_of_the_database_destroys_no_key_until_its_owner_says_so() {
    let dir = folder();
    let data = dir.path().join("data");
    let (account, ids) = three(&data).await;
    let older = std::fs::read(data.join("us/history.db")).expect("read");
    let history = open(&data).await.history;
    let device = history.devices(account).await.expect("listed")[0].id;
    let fourth = history.seal(utterance(account, device, 3)).await.expect("sealed");
    history.close().await;
    let newer = std::fs::read(data.join("us/history.db")).expect("read");
    std::fs::write(data.join("us/history.db"), &older).expect("put back");
    let error = spoilt(&data, |_| {}).await;
    assert!(matches!(error, HistoryError::NotOfOneTime { keys_without_row: 1, rows_without_key: 0, .. }), "{error}");
    assert!(error.to_string().contains("history.db") && error.to_string().contains("keys.store"), "{error}");
    // The newer one put back, nothing is missing; or the owner gives up what was newer.
    std::fs::write(data.join("us/history.db"), &newer).expect("put back");
    let history = open(&data).await.history;
    assert!(is_whole(&history, account, fourth, 3).await);
    history.close().await;
    std::fs::write(data.join("us/history.db"), &older).expect("put back");
    std::fs::write(data.join("us/accept-loss"), "").expect("said");
    let opened = open(&data).await;
    assert_eq!(opened.recovered.keys_without_row, 1);
    assert!(!data.join("us/accept-loss").exists(), "said once");
    assert!(is_whole(&opened.history, account, ids[2], 2).await);
    assert_eq!(consistent(&opened.history, &data).await, 3);
}

#[tokio::test]
async fn an_emptied_database_destroys_no_key() {
    let dir = folder();
    let data = dir.path().join("data");
    three(&data).await;
    let error = spoilt(&data, |data| std::fs::write(data.join("us/history.db"), "").expect("emptied")).await;
    assert!(matches!(error, HistoryError::DatabaseLost(_)), "{error}");
    let error = spoilt(&data, |data| std::fs::write(data.join("directory.db"), "").expect("emptied")).await;
    assert!(matches!(error, HistoryError::DatabaseLost(_)), "{error}");
    let whole = dir.path().join("whole");
    copy_all(&data, &whole);
    sql(&data.join("us/history.db"), &["DELETE FROM utterances"]).await;
    let error = spoilt(&data, |_| {}).await;
    assert!(matches!(error, HistoryError::NotOfOneTime { keys_without_row: 3, .. }), "{error}");
    sql(&whole.join("directory.db"), &["DELETE FROM account_marketplaces", "DELETE FROM accounts"]).await;
    let error = spoilt(&whole, |_| {}).await;
    assert!(matches!(error, HistoryError::DatabaseLost(_)), "{error}");
}

#[tokio::test]
async fn an_older_copy_of_the_key_store_makes_no_receipts() {
    let dir = folder();
    let data = dir.path().join("data");
    let (account, ids) = three(&data).await;
    let older = std::fs::read(data.join("us/keys.store")).expect("read");
    let history = open(&data).await.history;
    let device = history.devices(account).await.expect("listed")[0].id;
    history.delete(account, ids[0]).await.expect("deleted");
    let reused = history.seal(utterance(account, device, 3)).await.expect("sealed, in the first slot");
    history.close().await;
    std::fs::write(data.join("us/keys.store"), older).expect("put back");
    let error = spoilt(&data, |_| {}).await;
    assert!(matches!(error, HistoryError::NotOfOneTime { keys_without_row: 0, rows_without_key: 1, .. }), "{error}");
    std::fs::write(data.join("us/accept-loss"), "").expect("said");
    let opened = open(&data).await;
    assert_eq!(opened.recovered.lost, [reused]);
    assert_eq!(opened.recovered.keys_without_row, 1, "what was deleted stays deleted");
    assert_eq!(opened.history.utterance(account, reused).await.expect("a row").state, RowState::Lost);
    opened.history.clear_lost(account, reused).await.expect("cleared");
    opened.history.close().await;
    assert_eq!(consistent(&open(&data).await.history, &data).await, 2);
}

#[tokio::test]
async fn whatever_is_missing_is_named_and_nothing_is_made_in_its_place() {
    let dir = folder();
    let data = dir.path().join("data");
    three(&data).await;
    let gone = |name: &'static str| {
        move |data: &Path| {
            let path = data.join(name);
            if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.expect("removed");
        }
    };
    for name in ["root.key", "directory.db", "us/history.db", "us/keys.store", "us/blobs"] {
        let error = spoilt(&data, gone(name)).await;
        assert!(error.to_string().contains(name), "{name}: {error}");
    }
    let error = spoilt(&data, gone("us")).await;
    assert!(error.to_string().contains("us/history.db"), "{error}");
    let error = spoilt(&data, |data| {
        gone("root.key")(data);
        gone("lock")(data);
    })
    .await;
    assert!(error.to_string().contains("root.key"), "and no lock file is left: {error}");
    for name in ["root.key", "us/history.db", "us/keys.store"] {
        let error = spoilt(&data, |data| std::fs::write(data.join(name), "").expect("emptied")).await;
        assert!(error.to_string().contains(name), "{name} emptied: {error}");
    }
}

#[tokio::test]
async fn a_companion_is_missed_once_there_is_an_account() {
    let dir = folder();
    let data = dir.path().join("data");
    let opened = History::open_beside(&data, clock(), &["cloud.pem"]).await.expect("the first start");
    opened.history.close().await;
    drop(opened);
    let opened = History::open_beside(&data, clock(), &["cloud.pem"]).await.expect("cut off before it was made");
    owner(&opened.history).await;
    opened.history.close().await;
    drop(opened);
    let before = snapshot(&data);
    let error = History::open_beside(&data, clock(), &["cloud.pem"]).await.expect_err("missing");
    assert!(matches!(&error, HistoryError::CompanionLost(path) if path.ends_with("cloud.pem")), "{error}");
    unchanged(&data, &before, &error);
    // And it is what the others belong with, where they are gone.
    let alone = dir.path().join("alone");
    std::fs::DirBuilder::new().mode(0o700).create(&alone).expect("made");
    std::fs::write(alone.join("cloud.pem"), "a key").expect("written");
    let before = snapshot(&alone);
    let error = History::open_beside(&alone, clock(), &["cloud.pem"]).await.expect_err("no root key");
    assert!(matches!(&error, HistoryError::Vault(VaultError::RootKeyLost(_))), "{error}");
    unchanged(&alone, &before, &error);
}

#[tokio::test]
async fn a_refusal_changes_nothing_after_a_crash_either() {
    let dir = folder();
    let data = dir.path().join("data");
    let (opened, watch) = open_watched(&data).await;
    let (account, device) = owner(&opened.history).await;
    let id = opened.history.seal(utterance(account, device, 0)).await.expect("sealed");
    watch.copy();
    opened.history.delete(account, id).await.expect("deleted");
    let (copies, _kept) = watch.copies();
    for (step, copy) in &copies {
        assert!(copy.join("us/history.db-wal").exists(), "{step}: as a kill leaves it");
        let root = std::fs::read(copy.join("root.key")).expect("read");
        std::fs::write(copy.join("root.key"), [1; 32]).expect("another's");
        for index in [true, false] {
            if !index {
                std::fs::remove_file(copy.join("us/history.db-shm")).expect("removed");
            }
            let before = snapshot(copy);
            let error = History::open(copy, clock()).await.expect_err("another root key");
            assert!(matches!(error, HistoryError::Vault(VaultError::WrongRootKey(_))), "{error}");
            unchanged(copy, &before, &error);
        }
        std::fs::write(copy.join("root.key"), root).expect("put back");
        for name in ["directory.db", "us/history.db"] {
            let error = spoilt(copy, |data| std::fs::write(data.join(name), "").expect("emptied")).await;
            assert!(error.to_string().contains(name), "{step}: {error}");
        }
        let history = open(copy).await.history;
        assert_eq!(is_whole(&history, account, id, 0).await, *step == "row: begin deletion");
    }
}
