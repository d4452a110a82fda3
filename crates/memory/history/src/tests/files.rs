//! What lies where, who may read it, and what is said when some of it is missing.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base::{Marketplace, Timestamp};
use vault::VaultError;

use super::common::*;
use super::watch::{copy_all, files, snapshot};
use crate::*;

#[tokio::test]
async fn nobody_but_the_owner_may_open_any_folder_or_file() {
    let dir = folder();
    let data = dir.path().join("made").join("data");
    let history = open(&data).await.history;
    let (account, device) = owner(&history).await;
    history.seal(utterance(account, device, 0)).await.expect("sealed");
    fn check(folder: &Path) {
        let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(folder), 0o700, "{}", folder.display());
        for entry in std::fs::read_dir(folder).expect("listed") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { check(&path) } else { assert_eq!(mode(&path), 0o600, "{}", path.display()) }
        }
    }
    check(&data);
}

#[tokio::test]
async fn i12_a_marketplace_has_its_own_database_blobs_and_keys_and_nothing_of_them_lies_elsewhere() {
    let dir = folder();
    let history = open(dir.path()).await.history;
    let (account, device) = owner(&history).await;
    let id = history.seal(utterance(account, device, 0)).await.expect("sealed");
    history.close().await;
    drop(history);
    let mut found: Vec<String> = files(dir.path())
        .iter()
        .map(|path| path.strip_prefix(dir.path()).expect("below").display().to_string())
        .collect();
    found.sort();
    let blob = format!("us/blobs/{}/{id}.audio", &id.to_string()[..2]);
    let mut expected =
        ["directory.db", "lock", "root.key", "us/history.db", "us/keys.store", "us/room", blob.as_str()];
    expected.sort_unstable();
    assert_eq!(found, expected);

    // Another marketplace's keys do not open this one's, though the root key is the same.
    let root = vault::RootKey::load(&dir.path().join("root.key")).expect("the root key");
    let keys = dir.path().join("us/keys.store");
    let de: Marketplace = "de".parse().expect("a marketplace");
    let wrong =
        vault::KeyStore::open(&keys, &root, de, std::sync::Arc::new(vault::NoSteps)).expect_err("not its own");
    assert!(matches!(wrong, VaultError::WrongMarketplace { .. }), "{wrong}");
    // Nor is anything kept in one that the account does not use.
    let history = open(dir.path()).await.history;
    let mut elsewhere = utterance(account, device, 1);
    elsewhere.marketplace = de;
    assert!(matches!(history.seal(elsewhere).await, Err(HistoryError::NoSuchAccount)));
    assert!(!dir.path().join("de").exists());
}

#[tokio::test]
async fn a_second_process_is_told_that_the_data_is_in_use() {
    let dir = folder();
    let first = open(dir.path()).await.history;
    let (account, device) = owner(&first).await;
    let error = History::open(dir.path(), clock()).await.expect_err("taken");
    assert!(matches!(error, HistoryError::Vault(VaultError::InUse(_))), "{error}");
    drop(first);
    let second = open(dir.path()).await.history;
    second.close().await;
    open(dir.path()).await;
    assert!(second.seal(utterance(account, device, 0)).await.is_err(), "it was closed");
}

/// A start that was refused changed nothing: no byte, no file, no mode.
pub(super) fn unchanged(
    data: &Path,
    before: &std::collections::BTreeMap<std::path::PathBuf, (u32, Option<Vec<u8>>)>,
    error: &HistoryError,
) {
    let after = snapshot(data);
    let names = |of: &std::collections::BTreeMap<std::path::PathBuf, _>| of.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&after), names(before), "after: {error}");
    for (path, was) in before {
        assert!(after[path] == *was, "{} was changed by a start that was refused: {error}", path.display());
    }
}

/// Opens a copy of a data directory in which `spoil` was done; what it says, and that it changed nothing else.
pub(super) async fn spoilt(data: &Path, spoil: impl FnOnce(&Path)) -> HistoryError {
    let copies = folder();
    let copy = copies.path().join("data");
    copy_all(data, &copy);
    spoil(&copy);
    let before = snapshot(&copy);
    let error = History::open(&copy, clock()).await.expect_err("spoilt");
    unchanged(&copy, &before, &error);
    error
}

#[tokio::test]
async fn a_missing_or_wrong_file_is_named_and_no_key_is_destroyed_for_it() {
    let dir = folder();
    let data = dir.path().join("data");
    let history = open(&data).await.history;
    let (account, device) = owner(&history).await;
    for n in 0..3 {
        history.seal(utterance(account, device, n)).await.expect("sealed");
    }
    history.close().await;
    drop(history);
    let other = dir.path().join("other");
    open(&other).await.history.close().await;

    let error = spoilt(&data, |data| std::fs::remove_file(data.join("root.key")).expect("removed")).await;
    assert!(matches!(error, HistoryError::Vault(VaultError::RootKeyLost(_))), "{error}");
    let from_other = |name: &'static str| {
        let other = other.join(name);
        move |data: &Path| assert!(std::fs::copy(&other, data.join(name)).is_ok(), "not replaced")
    };
    let error = spoilt(&data, from_other("root.key")).await;
    assert!(matches!(error, HistoryError::Vault(VaultError::WrongRootKey(_))), "{error}");
    let error = spoilt(&data, |data| {
        std::fs::set_permissions(data.join("root.key"), std::fs::Permissions::from_mode(0o644)).expect("mode");
    })
    .await;
    assert!(matches!(error, HistoryError::Vault(VaultError::RootKeyMode { .. })), "{error}");
    let error = spoilt(&data, |data| std::fs::write(data.join("root.key"), b"short").expect("written")).await;
    assert!(matches!(error, HistoryError::Vault(VaultError::RootKeyLength { .. })), "{error}");
    let error = spoilt(&data, |data| std::fs::remove_file(data.join("us/keys.store")).expect("removed")).await;
    assert!(matches!(error, HistoryError::KeyStoreLost(_)), "{error}");
    let error = spoilt(&data, |data| {
        let keys = std::fs::OpenOptions::new().write(true).open(data.join("us/keys.store")).expect("opened");
        keys.set_len(512 * 3).expect("cut");
    })
    .await;
    assert!(matches!(error, HistoryError::KeyStoreLost(_)), "an older, shorter copy: {error}");
    let error = spoilt(&data, |data| std::fs::write(data.join("us/keys.store"), [0; 2_048]).expect("written")).await;
    assert!(matches!(error, HistoryError::Vault(VaultError::NotAKeyStore(_))), "{error}");
    let error = spoilt(&data, |data| std::fs::remove_file(data.join("us/history.db")).expect("removed")).await;
    assert!(matches!(error, HistoryError::DatabaseLost(_)), "{error}");
    let error = spoilt(&data, |data| std::fs::remove_file(data.join("directory.db")).expect("removed")).await;
    assert!(matches!(error, HistoryError::DatabaseLost(_)), "{error}");
    let error = spoilt(&data, |data| std::fs::write(data.join("us/history.db"), [7; 8_192]).expect("written")).await;
    assert!(matches!(error, HistoryError::Database { .. }), "{error}");
}

#[tokio::test]
async fn a_key_store_of_another_installation_under_the_same_root_key_is_refused() {
    let dir = folder();
    let data = dir.path().join("data");
    open(&data).await.history.close().await;
    let error = spoilt(&data, |data| {
        let root = vault::RootKey::load(&data.join("root.key")).expect("the root key");
        let steps = std::sync::Arc::new(vault::NoSteps);
        vault::KeyStore::make(&data.join("us/keys.store"), &root, Marketplace::US, steps).expect("another");
    })
    .await;
    assert!(matches!(error, HistoryError::KeyStoreLost(_)), "{error}");
}

#[tokio::test]
async fn tables_of_a_newer_version_are_left_alone() {
    let dir = folder();
    let history = open(dir.path()).await.history;
    history.close().await;
    drop(history);
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(dir.path().join("us/history.db"));
    let pool = sqlx::SqlitePool::connect_with(options).await.expect("opens");
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (9999, 'of tomorrow', 1, x'00', 0)";
    sqlx::query(newer).execute(&pool).await.expect("written");
    pool.close().await;
    let before = snapshot(dir.path());
    let error = History::open(dir.path(), clock()).await.expect_err("newer");
    unchanged(dir.path(), &before, &error);
    assert!(matches!(error, HistoryError::Newer(_)), "{error}");
}

#[tokio::test]
async fn a_clock_that_jumps_changes_the_order_shown_and_nothing_else() {
    let dir = folder();
    let history = open(dir.path()).await.history;
    let (account, device) = owner(&history).await;
    let mut ids = Vec::new();
    for (n, at) in [1_700_000_000_000, -5, i64::MAX, 0, i64::MIN, 0].into_iter().enumerate() {
        let mut new = utterance(account, device, n as u16);
        new.at = Timestamp::from_unix_ms(at);
        ids.push((at, history.seal(new).await.expect("sealed"), n as u16));
    }
    let mut shown = Vec::new();
    let mut before = None;
    loop {
        let page = history.page(account, before, 1).await.expect("a page");
        shown.extend(page.rows.iter().map(|row| (row.at.unix_ms(), row.id)));
        match page.next {
            Some(next) => {
                let text = next.to_string();
                assert_eq!(text.parse(), Ok(next), "{text}");
                before = Some(next);
            }
            None => break,
        }
    }
    let mut expected: Vec<_> = ids.iter().map(|(at, id, _)| (*at, *id)).collect();
    expected.sort();
    expected.reverse();
    assert_eq!(shown, expected);
    for (_, id, n) in &ids {
        assert!(is_whole(&history, account, *id, *n).await);
    }
    for text in ["", "-", "x-00", "12-zz", "9223372036854775808-00000000000000000000000000000000"] {
        assert_eq!(text.parse::<Cursor>(), Err(BadCursor), "{text}");
    }
}
