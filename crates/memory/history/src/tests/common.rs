//! What the tests stand on: an account with a device, and utterances whose words are looked for afterwards.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use base::{AccountId, DeviceId, Marketplace, SampleCount, SampleIndex, SetClock, Timestamp, UtteranceId};
use vault::{SlotNumber, SlotState};

use super::watch::{Watch, files};
use crate::store::Store;
use crate::*;

/// No fork takes this long.
const IN_USE_MAX: std::time::Duration = std::time::Duration::from_secs(10);

/// A word that no file may hold in the clear.
pub(super) const WORD: &str = "marmalade-canary";
/// Another, in the reply.
pub(super) const ANSWER: &str = "nightingale-canary";

pub(super) fn clock() -> Arc<SetClock> {
    Arc::new(SetClock::new(Timestamp::from_unix_ms(1_700_000_000_000)))
}

pub(super) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Another test of this process may be starting a program just now: between its fork and its exec that child holds
/// every lock of ours. So a folder in use is tried again, for a while.
pub(super) async fn open(data: &Path) -> Opened {
    let started = std::time::Instant::now();
    loop {
        match History::open(data, clock()).await {
            Err(HistoryError::Vault(vault::VaultError::InUse(_))) if started.elapsed() < IN_USE_MAX => {
                tokio::task::yield_now().await;
            }
            opened => return opened.expect("opens"),
        }
    }
}

pub(super) async fn open_watched(data: &Path) -> (Opened, Arc<Watch>) {
    let watch = Arc::new(Watch::new(data));
    let steps: Arc<dyn vault::Steps> = Arc::clone(&watch) as _;
    (History::open_with(data, clock(), steps).await.expect("opens"), watch)
}

/// An account with one device.
pub(super) async fn owner(history: &History) -> (AccountId, DeviceId) {
    let account = history.create_account("Ada", String::from("correct horse").into()).await.expect("made");
    let device = history.add_device(account, "Kitchen", [7; 32]).await.expect("added");
    (account, device)
}

/// Sound that is found again byte for byte wherever it lies in the clear.
pub(super) fn sound(seed: u16) -> Vec<i16> {
    (0..8_000u32).map(|n| (n.wrapping_mul(2_654_435_761).wrapping_add(u32::from(seed) << 7) >> 13) as i16).collect()
}

pub(super) fn utterance(account: AccountId, device: DeviceId, n: u16) -> NewUtterance {
    NewUtterance {
        account,
        device,
        marketplace: Marketplace::US,
        at: Timestamp::from_unix_ms(1_700_000_000_000 + i64::from(n)),
        pcm: sound(n).into(),
        details: Details {
            cause: Cause::Wake { word: "alexa".into(), score: 0.93, onset: SampleIndex(90_000) },
            start: SampleIndex(82_000),
            preroll: SampleCount::from_ms(500),
            length: SampleCount(0),
            transcript: format!("what is the {WORD} number {n}").into(),
            intent: Some(Intent {
                name: String::from("HassCanary").into(),
                slots: BTreeMap::from([("what".to_owned(), String::from(WORD).into())]),
            }),
            reply: format!("it is a {ANSWER}").into(),
            timings_ms: BTreeMap::from([("asr".to_owned(), 12.5)]),
        },
    }
}

/// Whether utterance `n` is there with all it had, or as good as gone; nothing else is allowed.
pub(super) async fn is_whole(history: &History, account: AccountId, id: UtteranceId, n: u16) -> bool {
    match history.utterance(account, id).await.expect("a row").state {
        RowState::Sealed { details, .. } => {
            assert_eq!(details.transcript, utterance(account, DeviceId::from_bytes([0; 16]), n).details.transcript);
            assert_eq!(*history.audio(account, id).await.expect("sound").expose(), sound(n));
            true
        }
        RowState::Deleted(receipt) => {
            assert!(
                matches!(history.audio(account, id).await, Err(HistoryError::Deleted(found)) if found == receipt)
            );
            assert_eq!(history.delete(account, id).await.expect("the same receipt"), receipt);
            false
        }
        RowState::Unreadable | RowState::Lost => panic!("a row that does not open"),
    }
}

/// Rows, keys and blobs are of the same utterances, nothing is left to be finished; returns how many are kept.
pub(super) async fn consistent(history: &History, data: &Path) -> usize {
    let market = history.us();
    let slots = market.keys.scan(SlotNumber(1), u32::MAX).expect("scanned");
    let kept = market.store.kept_in(SlotNumber(1), SlotNumber(u32::MAX)).await.expect("listed");
    for &(slot, state) in &slots {
        let row = kept.iter().find(|(kept, _)| *kept == slot).map(|(_, id)| *id);
        match state {
            SlotState::Live(id) => assert_eq!(row, Some(id)),
            SlotState::Free | SlotState::Freed(_) => assert_eq!(row, None),
            _ => panic!("slot {slot} was left {state:?}"),
        }
    }
    let live = slots.iter().filter(|(_, state)| matches!(state, SlotState::Live(_))).count();
    assert_eq!(live, kept.len());
    let blobs: Vec<String> = files(&data.join("us/blobs")).iter().map(|path| path.display().to_string()).collect();
    assert_eq!(blobs.len(), kept.len(), "{blobs:?}");
    for (_, id) in &kept {
        assert!(blobs.iter().any(|path| path.ends_with(&format!("{id}.audio"))));
    }
    assert_eq!(market.store.all_pending(100).await.expect("listed"), []);
    kept.len()
}
