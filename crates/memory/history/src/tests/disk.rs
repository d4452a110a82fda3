//! A disk that is full: one clear error, nothing half-written, and forgetting still works.

use std::path::Path;
use std::process::Command;

use super::common::*;
use super::watch::nothing_in_the_clear;
use crate::*;

#[tokio::test]
async fn a_full_disk_at_any_step_of_sealing_is_one_clear_error_and_leaves_nothing() {
    for pass in 0.. {
        let dir = folder();
        let (opened, watch) = open_watched(dir.path()).await;
        let history = opened.history;
        let (account, device) = owner(&history).await;
        let first = history.seal(utterance(account, device, 0)).await.expect("sealed");
        watch.fail_after(pass, 1);
        let sealed = history.seal(utterance(account, device, 1)).await;
        if sealed.is_ok() {
            assert_eq!(watch.seen().len(), pass);
            break;
        }
        let error = sealed.expect_err("full");
        assert_eq!(error.to_string(), "the disk is full");
        assert!(is_whole(&history, account, first, 0).await);
        assert_eq!(consistent(&history, dir.path()).await, 1, "step {pass}");
        history.seal(utterance(account, device, 2)).await.expect("once there is room again");
        assert_eq!(consistent(&history, dir.path()).await, 2);
    }
}

#[tokio::test]
async fn a_disk_that_fails_from_any_step_of_sealing_on_is_made_good_by_the_next_start() {
    for pass in 0..5 {
        let dir = folder();
        let (opened, watch) = open_watched(dir.path()).await;
        let history = opened.history;
        let (account, device) = owner(&history).await;
        watch.fail_after(pass, usize::MAX);
        let sealed = history.seal(utterance(account, device, 1)).await;
        assert_eq!(sealed.is_ok(), pass >= 4);
        history.close().await;
        drop(history);
        let history = open(dir.path()).await.history;
        // Where only the last word was missing, the row is there, and the next start says it.
        assert_eq!(consistent(&history, dir.path()).await, usize::from(pass >= 3));
    }
}

#[tokio::test]
async fn a_deletion_that_fails_at_any_step_is_finished_by_repeating_it() {
    for pass in 0.. {
        let dir = folder();
        let (opened, watch) = open_watched(dir.path()).await;
        let history = opened.history;
        let (account, device) = owner(&history).await;
        let id = history.seal(utterance(account, device, 0)).await.expect("sealed");
        let keys = super::deletion::wrapped_keys(dir.path(), id);
        watch.fail_after(pass, 2);
        let first = history.delete(account, id).await;
        if watch.seen().len() == 7 && pass == 7 {
            first.expect("nothing failed");
            break;
        }
        watch.fail_after(usize::MAX, 0);
        let receipt = history.delete(account, id).await.expect("repeated");
        if let Ok(first) = first {
            assert_eq!(first, receipt);
        }
        super::deletion::nowhere(dir.path(), &keys);
        history.close().await;
        drop(history);
        let history = open(dir.path()).await.history;
        assert!(!is_whole(&history, account, id, 0).await);
        assert_eq!(consistent(&history, dir.path()).await, 0);
    }
}

/// A disk of its own of one size, for as long as it lives.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn of(size: &str) -> Option<Self> {
        let dir = folder();
        let options = format!("size={size},mode=0700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(dir.path()).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the databases may still be closing.
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "says why it was skipped")]
async fn on_a_disk_that_is_really_full_nothing_is_half_written_and_forgetting_works() {
    let Some(disk) = SmallDisk::of("1500k") else {
        eprintln!("SKIPPED: a small disk can be mounted by root alone");
        return;
    };
    let data = disk.path().join("data");
    let opened = History::open(&data, clock()).await.expect("room for this much");
    let history = opened.history;
    let (account, device) = owner(&history).await;
    let mut ids = Vec::new();
    let error = loop {
        match history.seal(utterance(account, device, ids.len() as u16)).await {
            Ok(id) => ids.push(id),
            Err(error) => break error,
        }
        assert!(ids.len() < 1_000, "the disk never gets full");
    };
    assert_eq!(error.to_string(), "the disk is full");
    assert!(ids.len() > 5);
    assert_eq!(consistent(&history, &data).await, ids.len());
    // To the last byte.
    let mut filler = std::fs::File::create(disk.path().join("filler")).expect("made");
    while std::io::Write::write(&mut filler, &[0; 4_096]).is_ok_and(|written| written > 0) {}
    assert!(history.seal(utterance(account, device, 0)).await.is_err());
    for (n, id) in ids.iter().enumerate() {
        assert!(is_whole(&history, account, *id, n as u16).await);
    }
    let receipt = history.delete(account, ids[3]).await.expect("forgetting works on a full disk");
    assert_eq!(history.utterance(account, ids[3]).await.expect("a row").state, RowState::Deleted(receipt));
    assert_eq!(consistent(&history, &data).await, ids.len() - 1);
    nothing_in_the_clear(&data);
    history.close().await;
    drop(history);
    let history = History::open(&data, clock()).await.expect("opens again").history;
    assert_eq!(consistent(&history, &data).await, ids.len() - 1);
    std::fs::remove_file(disk.path().join("filler")).expect("removed");
    history.seal(utterance(account, device, 0)).await.expect("room again");
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "says why it was skipped")]
async fn a_first_start_on_a_full_disk_is_one_clear_error_and_the_next_one_works() {
    for size in ["4k", "16k", "64k", "128k", "200k"] {
        let Some(disk) = SmallDisk::of(size) else {
            eprintln!("SKIPPED: a small disk can be mounted by root alone");
            return;
        };
        let data = disk.path().join("data");
        let error = match History::open(&data, clock()).await {
            Ok(_) => continue,
            Err(error) => error,
        };
        assert!(matches!(error, HistoryError::DiskFull), "{size}: {error}");
        let grow = Command::new("mount").args(["-o", "remount,size=8m"]).arg(disk.path()).status().expect("runs");
        assert!(grow.success());
        let opened = History::open(&data, clock()).await.expect("with room");
        assert!(opened.first_start);
        let (account, device) = owner(&opened.history).await;
        opened.history.seal(utterance(account, device, 0)).await.expect("sealed");
    }
}
