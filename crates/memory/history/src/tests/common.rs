//! What the tests stand on: an account with a device, and utterances whose words are looked for afterwards.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use base::{AccountId, DeviceId, Marketplace, SampleCount, SampleIndex, SetClock, Timestamp};

use crate::*;

/// A word that no file may hold in the clear.
pub(super) const WORD: &str = "marmalade-canary";
/// Another, in the reply.
pub(super) const ANSWER: &str = "nightingale-canary";

pub(super) fn clock() -> Arc<SetClock> {
    Arc::new(SetClock::new(Timestamp::from_unix_ms(1_700_000_000_000)))
}

pub(super) async fn open(data: &Path) -> Opened {
    History::open(data, clock()).await.expect("opens")
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
