//! A kill between any two steps: each copy of the disk taken before a step is opened as a later start would find it.

use super::common::*;
use crate::*;

#[tokio::test]
async fn i7_a_kill_between_any_two_steps_of_a_deletion_leaves_it_undone_or_done_and_never_half() {
    let dir = folder();
    let (opened, watch) = open_watched(dir.path()).await;
    let history = opened.history;
    let (account, device) = owner(&history).await;
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(history.seal(utterance(account, device, n)).await.expect("sealed"));
    }
    let keys = super::deletion::wrapped_keys(dir.path(), ids[1]);
    watch.copy();
    let receipt = history.delete(account, ids[1]).await.expect("deleted");
    let (copies, _kept) = watch.copies();
    let steps: Vec<_> = copies.iter().map(|(step, _)| *step).collect();
    assert_eq!(
        steps,
        [
            "row: begin deletion",
            "key: erase",
            "key: bury",
            "blob: remove",
            "row: finish deletion",
            "database: scrub",
            "key: release",
            "the end"
        ]
    );
    for (at, (step, copy)) in copies.iter().enumerate() {
        if at >= 2 {
            super::deletion::nowhere(copy, &keys);
        }
        let (opened, watch) = reopen_watching(copy).await;
        let history = opened.history;
        assert!(is_whole(&history, account, ids[0], 0).await && is_whole(&history, account, ids[2], 2).await);
        let still_there = is_whole(&history, account, ids[1], 1).await;
        assert_eq!(still_there, at == 0, "killed before {step}: once noted, a deletion is finished");
        assert_eq!(consistent(&history, copy).await, if still_there { 3 } else { 2 });
        if !still_there {
            assert_eq!(history.delete(account, ids[1]).await.expect("deleted"), receipt, "the first receipt stands");
            super::deletion::nowhere(copy, &keys);
        }
        drop(history);
        // And a kill between any two steps of the recovery.
        let (copies, _kept) = watch.copies();
        for (_, copy) in &copies {
            let again = open(copy).await;
            assert_eq!(is_whole(&again.history, account, ids[1], 1).await, still_there);
            assert_eq!(consistent(&again.history, copy).await, if still_there { 3 } else { 2 });
            again.history.close().await;
            drop(again);
            assert_eq!(open(copy).await.recovered, Recovery::default(), "a second start finds nothing to do");
        }
    }
}

#[tokio::test]
async fn i7_a_kill_between_any_two_steps_of_sealing_leaves_nothing_or_all_of_it() {
    let dir = folder();
    let (opened, watch) = open_watched(dir.path()).await;
    let history = opened.history;
    let (account, device) = owner(&history).await;
    let first = history.seal(utterance(account, device, 0)).await.expect("sealed");
    watch.copy();
    let second = history.seal(utterance(account, device, 1)).await.expect("sealed");
    let (copies, _kept) = watch.copies();
    let steps: Vec<_> = copies.iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, ["key: write", "blob: write", "row: insert", "key: acknowledge", "the end"]);
    for (step, copy) in &copies {
        let opened = open(copy).await;
        assert!(is_whole(&opened.history, account, first, 0).await);
        if ["key: acknowledge", "the end"].contains(step) {
            assert!(is_whole(&opened.history, account, second, 1).await);
            assert_eq!(consistent(&opened.history, copy).await, 2);
        } else {
            assert!(matches!(opened.history.utterance(account, second).await, Err(HistoryError::NotFound)));
            assert_eq!(consistent(&opened.history, copy).await, 1);
            let key_written = u64::from(*step != "key: write");
            assert_eq!(opened.recovered.keys_without_row, key_written);
            assert_eq!(opened.recovered.blobs_without_row, u64::from(*step == "row: insert"));
        }
    }
}

#[tokio::test]
async fn a_kill_between_any_two_steps_of_the_first_start_is_made_good_by_the_next() {
    let dir = folder();
    let data = dir.path().join("data");
    let watch = std::sync::Arc::new(super::watch::Watch::new(&data));
    watch.copy();
    let opened = History::open_with(&data, clock(), watch.clone()).await.expect("opens");
    assert!(opened.first_start);
    let (copies, _kept) = watch.copies();
    assert!(copies.len() >= 5);
    for (_, copy) in &copies {
        let opened = open(copy).await;
        assert!(opened.first_start, "nobody was told of the root key yet");
        let (account, device) = owner(&opened.history).await;
        let id = opened.history.seal(utterance(account, device, 0)).await.expect("sealed");
        assert!(is_whole(&opened.history, account, id, 0).await);
    }
}

#[tokio::test]
async fn a_blob_that_was_half_written_is_removed() {
    let dir = folder();
    let history = open(dir.path()).await.history;
    let (account, device) = owner(&history).await;
    let id = history.seal(utterance(account, device, 0)).await.expect("sealed");
    history.close().await;
    drop(history);
    let blobs = dir.path().join("us/blobs");
    let folder = blobs.join(&id.to_string()[..2]);
    for name in [format!("{id}.audio#1"), "0123.audio".to_owned(), format!("{}.audio", "0".repeat(32))] {
        std::fs::write(folder.join(name), b"a part").expect("written");
    }
    let opened = open(dir.path()).await;
    assert_eq!(opened.recovered.blobs_without_row, 3);
    assert_eq!(consistent(&opened.history, dir.path()).await, 1);
}

async fn reopen_watching(copy: &std::path::Path) -> (Opened, std::sync::Arc<super::watch::Watch>) {
    let watch = std::sync::Arc::new(super::watch::Watch::new(copy));
    watch.copy();
    let opened = History::open_with(copy, clock(), watch.clone()).await.expect("opens");
    (opened, watch)
}
