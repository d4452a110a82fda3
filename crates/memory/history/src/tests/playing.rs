//! A recording that is played ends with its key.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::common::*;
use crate::*;

#[tokio::test]
async fn i7_a_playback_ends_before_the_receipt_is_given() {
    let dir = folder();
    let history = open(dir.path()).await.history;
    let (account, device) = owner(&history).await;
    let id = history.seal(utterance(account, device, 1)).await.expect("sealed");
    let other = history.seal(utterance(account, device, 2)).await.expect("sealed");
    let ended = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&ended);
    let count = move || {
        counting.fetch_add(1, Ordering::SeqCst);
    };
    let playback = history.play(account, id, count.clone()).await.expect("plays");
    let bytes: Vec<u8> = sound(1).iter().flat_map(|sample| sample.to_le_bytes()).collect();
    assert_eq!(playback.bytes(), bytes.len());
    assert_eq!(*playback.piece(3..1_001).await.expect("a piece"), bytes[3..1_001]);
    assert_eq!(*playback.piece(bytes.len() - 5..usize::MAX).await.expect("the end"), bytes[bytes.len() - 5..]);
    assert!(playback.piece(usize::MAX..usize::MAX).await.expect("nothing").is_empty());
    drop(history.play(account, id, count).await.expect("plays, and is given up"));
    history.delete(account, other).await.expect("deleted");
    assert_eq!(ended.load(Ordering::SeqCst), 0, "another's key");
    history.delete(account, id).await.expect("deleted");
    assert_eq!(ended.load(Ordering::SeqCst), 1, "told once, by the time the receipt is there");
    let error = playback.piece(0..1).await.expect_err("its key is gone");
    assert!(matches!(error, HistoryError::Vault(vault::VaultError::Destroyed)), "{error}");
    let error = history.play(account, id, || {}).await.expect_err("deleted");
    assert!(matches!(error, HistoryError::Deleted(_)), "{error}");
}
