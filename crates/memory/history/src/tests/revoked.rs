//! A device that is revoked while something of it is being sealed.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use vault::SlotNumber;

use super::common::{clock, consistent, folder, owner, utterance};
use crate::store::Store;
use crate::*;

/// Longer than any machine takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Holds whoever comes to a step that is shut.
#[derive(Default)]
struct Gates {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    shut: HashSet<&'static str>,
    reached: Vec<&'static str>,
}

impl Gates {
    fn shut(&self, step: &'static str) {
        let mut state = self.state.lock().expect("whole");
        state.shut.insert(step);
        state.reached.clear();
    }

    fn open(&self, step: &'static str) {
        self.state.lock().expect("whole").shut.remove(step);
        self.changed.notify_all();
    }

    /// Waits until somebody has come to `step`.
    async fn reached(&self, step: &'static str) {
        let waiting = async {
            while !self.state.lock().expect("whole").reached.contains(&step) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("somebody comes");
    }
}

impl vault::Steps for Gates {
    fn before(&self, step: &'static str) -> io::Result<()> {
        let mut state = self.state.lock().expect("whole");
        state.reached.push(step);
        self.changed.notify_all();
        drop(self.changed.wait_while(state, |state| state.shut.contains(step)).expect("whole"));
        Ok(())
    }
}

async fn history(data: &std::path::Path) -> (Arc<History>, Arc<Gates>) {
    let gates = Arc::new(Gates::default());
    let opened = History::open_with(data, clock(), Arc::clone(&gates) as _).await.expect("opens");
    (Arc::new(opened.history), gates)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_kept_of_what_was_being_sealed_when_its_device_was_revoked() {
    for step in ["key: write", "blob: write", "row: insert"] {
        let dir = folder();
        let (history, gates) = history(dir.path()).await;
        let (account, device) = owner(&history).await;
        gates.shut(step);
        let sealing = tokio::spawn({
            let history = Arc::clone(&history);
            async move { history.seal(utterance(account, device, 1)).await }
        });
        gates.reached(step).await;
        let revoking = tokio::spawn({
            let history = Arc::clone(&history);
            async move { history.revoke_device(account, device).await }
        });
        gates.reached("device: revoke").await;
        gates.open(step);
        revoking.await.expect("no panic").expect("revoked");
        let page = history.page(account, None, 9).await.expect("a page");
        assert_eq!(page.rows, [], "{step}: when the revocation has returned");
        let sealed = sealing.await.expect("no panic");
        assert!(matches!(sealed, Err(HistoryError::NoSuchDevice)), "{step}: {sealed:?}");
        assert_eq!(consistent(&history, dir.path()).await, 0, "{step}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_row_that_comes_between_a_revocation_and_its_writing_goes_again() {
    let dir = folder();
    let (history, gates) = history(dir.path()).await;
    let (account, device) = owner(&history).await;
    gates.shut("device: revoke");
    let revoking = tokio::spawn({
        let history = Arc::clone(&history);
        async move { history.revoke_device(account, device).await }
    });
    gates.reached("device: revoke").await;
    let sealing = tokio::spawn({
        let history = Arc::clone(&history);
        async move { history.seal(utterance(account, device, 1)).await }
    });
    let inserted = async {
        while history.us().store.kept_in(SlotNumber(1), SlotNumber(9)).await.expect("read").is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, inserted).await.expect("it is sealed meanwhile");
    assert!(!sealing.is_finished(), "what becomes of it is not known yet");
    gates.open("device: revoke");
    revoking.await.expect("no panic").expect("revoked");
    assert_eq!(history.page(account, None, 9).await.expect("a page").rows, []);
    assert!(matches!(sealing.await.expect("no panic"), Err(HistoryError::NoSuchDevice)));
    assert_eq!(consistent(&history, dir.path()).await, 0, "no row, no key, no blob, and no receipt");
}

#[tokio::test]
async fn whoever_serves_a_device_is_told_however_it_is_revoked() {
    let dir = folder();
    let (history, _) = history(dir.path()).await;
    let (account, kitchen) = owner(&history).await;
    let (device, mut serving) = history.attend([7; 32]).await.expect("read").expect("it stands");
    assert_eq!(device.id, kitchen);
    history.revoke_device(account, kitchen).await.expect("revoked");
    serving.revoked().await;
    drop(serving);
    assert!(
        history.attend([7; 32]).await.expect("read").is_none()
            && history.attend([8; 32]).await.expect("read").is_none()
    );
    // Also where the key goes over to somebody else's device.
    history.add_device(account, "Study", [7; 32]).await.expect("paired anew");
    let (_, mut serving) = history.attend([7; 32]).await.expect("read").expect("it stands");
    let eve = history.create_account("Eve", String::from("battery staple").into()).await.expect("made");
    let (added, ()) = tokio::join!(history.add_device(eve, "Hers", [7; 32]), async {
        serving.revoked().await;
        drop(serving);
    });
    added.expect("added");
    let kept = history.seal(utterance(account, kitchen, 1)).await;
    assert!(matches!(kept, Err(HistoryError::NoSuchDevice)), "{kept:?}");
    history.seal(utterance(account, kitchen, 2)).await.expect_err("for good");
}
