//! Damage to the key store: what nobody asked to forget is lost and says so, and is never given a receipt.

use std::os::unix::fs::FileExt;
use std::path::Path;

use base::{AccountId, UtteranceId};
use vault::SLOT_LEN;

use super::common::*;
use super::watch::snapshot;
use crate::store::Store;
use crate::*;

/// Three requests in slots 1 to 3, of a cloud that was stopped.
pub(super) async fn three(data: &Path) -> (AccountId, [UtteranceId; 3]) {
    let history = open(data).await.history;
    let (account, device) = owner(&history).await;
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(history.seal(utterance(account, device, n)).await.expect("sealed"));
    }
    history.close().await;
    (account, ids.try_into().expect("three"))
}

/// Writes over the bytes of slot `number` from `at` on.
fn spoil(data: &Path, number: usize, at: usize, bytes: &[u8]) {
    let file = std::fs::OpenOptions::new().write(true).open(data.join("us/keys.store")).expect("opened");
    file.write_all_at(bytes, (number * SLOT_LEN + at) as u64).expect("spoilt");
}

/// The second of the three is lost and says so at each start, the others are whole, and nothing was written.
async fn second_is_lost(data: &Path, account: AccountId, ids: [UtteranceId; 3], why: &str) {
    let keys = std::fs::read(data.join("us/keys.store")).expect("read");
    for start in 0..3 {
        let opened = open(data).await;
        assert_eq!(opened.recovered, Recovery { lost: vec![ids[1]], ..Recovery::default() }, "{why}, start {start}");
        let history = opened.history;
        assert!(is_whole(&history, account, ids[0], 0).await && is_whole(&history, account, ids[2], 2).await);
        assert_eq!(history.utterance(account, ids[1]).await.expect("a row").state, RowState::Lost, "{why}");
        let page = history.page(account, None, 9).await.expect("a page");
        assert_eq!(page.rows[1].state, RowState::Lost, "{why}");
        let refused = history.delete(account, ids[1]).await;
        assert!(matches!(refused, Err(HistoryError::Lost)), "no receipt: {why}: {refused:?}");
        history.close().await;
    }
    assert!(std::fs::read(data.join("us/keys.store")).expect("read") == keys, "{why}: a slot was overwritten");
}

#[tokio::test]
async fn i7_a_zeroed_slot_is_lost() {
    let dir = folder();
    let (account, ids) = three(dir.path()).await;
    let whole = std::fs::read(dir.path().join("us/keys.store")).expect("read");
    spoil(dir.path(), 2, 0, &[0; SLOT_LEN]);
    second_is_lost(dir.path(), account, ids, "zeroed").await;
    // With the right file put back it is as if nothing had been.
    std::fs::write(dir.path().join("us/keys.store"), whole).expect("put back");
    let opened = open(dir.path()).await;
    assert_eq!(opened.recovered, Recovery::default());
    assert!(is_whole(&opened.history, account, ids[1], 1).await);
    assert_eq!(consistent(&opened.history, dir.path()).await, 3);
}

#[tokio::test]
async fn any_damage_to_a_slot_is_a_loss_and_no_deletion() {
    let noise: Vec<u8> = (0..SLOT_LEN).map(|at| (at.wrapping_mul(7_919) >> 3) as u8 | 4).collect();
    let kinds: [(&str, usize, &[u8]); 7] = [
        ("random bytes", 0, &noise),
        ("its first half", 0, &noise[..SLOT_LEN / 2]),
        ("its second half", SLOT_LEN / 2, &[0; SLOT_LEN / 2]),
        ("its head", 0, &[0; 64]),
        ("a byte of its id", 8, &[0xff]),
        ("its parent's key", 72, &[0; 16]),
        ("its text's key", 300, &[0; 16]),
    ];
    for (why, at, bytes) in kinds {
        let dir = folder();
        let (account, ids) = three(dir.path()).await;
        spoil(dir.path(), 2, at, bytes);
        second_is_lost(dir.path(), account, ids, why).await;
    }
}

#[tokio::test]
async fn what_is_lost_can_be_cleared_away_without_a_receipt_and_its_slot_is_not_used_before() {
    let dir = folder();
    let (account, ids) = three(dir.path()).await;
    spoil(dir.path(), 2, 0, &[0; SLOT_LEN]);
    let history = open(dir.path()).await.history;
    let device = history.devices(account).await.expect("listed")[0].id;
    let fourth = history.seal(utterance(account, device, 3)).await.expect("sealed");
    assert_eq!(history.us().keys.slots(), 4, "the lost one's slot is its own");
    assert!(matches!(history.clear_lost(account, ids[0]).await, Err(HistoryError::NotFound)), "it is not lost");
    history.clear_lost(account, ids[1]).await.expect("cleared");
    assert!(matches!(history.utterance(account, ids[1]).await, Err(HistoryError::NotFound)));
    assert!(matches!(history.clear_lost(account, ids[1]).await, Err(HistoryError::NotFound)));
    assert_eq!(consistent(&history, dir.path()).await, 3);
    history.close().await;
    let opened = open(dir.path()).await;
    assert_eq!(opened.recovered, Recovery::default(), "and nothing is left to be said");
    assert!(is_whole(&opened.history, account, fourth, 3).await);
}

#[tokio::test]
async fn a_deletion_that_was_noted_is_finished_even_where_its_slot_is_damaged() {
    let dir = folder();
    let (account, ids) = three(dir.path()).await;
    let history = open(dir.path()).await.history;
    let (at, number) = (base::Timestamp::from_unix_ms(5), ReceiptNumber([9; 16]));
    let store = &history.us().store;
    Store::begin_deletion(store, ids[1], at, number).await.expect("noted");
    history.close().await;
    spoil(dir.path(), 2, 0, &[0; SLOT_LEN]);
    let opened = open(dir.path()).await;
    assert_eq!(opened.recovered, Recovery { deletions_finished: 1, ..Recovery::default() });
    let expected = Receipt { id: ids[1], at, number };
    let state = opened.history.utterance(account, ids[1]).await.expect("a row").state;
    assert_eq!(state, RowState::Deleted(expected), "it was asked for");
    assert_eq!(consistent(&opened.history, dir.path()).await, 2);
}

#[tokio::test]
async fn damage_while_it_runs_is_a_loss_as_well() {
    let dir = folder();
    let history = open(dir.path()).await.history;
    let (account, device) = owner(&history).await;
    let id = history.seal(utterance(account, device, 0)).await.expect("sealed");
    spoil(dir.path(), 1, 0, &[0; SLOT_LEN]);
    assert_eq!(history.utterance(account, id).await.expect("a row").state, RowState::Lost);
    assert!(matches!(history.delete(account, id).await, Err(HistoryError::Lost)));
    assert!(history.audio(account, id).await.is_err());
    assert!(snapshot(dir.path()).keys().any(|path| path.ends_with(format!("{id}.audio"))), "nothing was removed");
}
