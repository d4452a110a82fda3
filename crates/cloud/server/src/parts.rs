//! The parts of a cloud, opened in the order in which they stand on each other.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use app::{AppParts, PairingCodes};
use base::limits::PAIRING_TRIES_MAX;
use base::{AccountId, Clock};
use ear::vad::VadModel;
use gateway::{CloudIdentity, DeskState, Gateway, GatewayConfig, GatewayParts, PairingDesk};
use history::{History, Recovery};
use sense::Sense;
use skills::{Skills, ZoneSource};
use speech::{Espeak, EspeakConfig, PoolConfig, RecognizerPool, SpeakerPool, WhisperRecognizer};

use crate::zone::LocalZone;
use crate::{Config, ServerError, account, identity};

/// Lost requests that the log names; of the others it says how many there are.
const LOST_NAMED_MAX: usize = 32;

/// Recognitions at once: the rest of a small machine belongs to its owner. A request that would wait longer is told that
/// the cloud is busy, while it can still be answered in time; 32 MB hold 64 of the longest requests.
const RECOGNISERS: PoolConfig =
    PoolConfig { name: "recogniser", threads: 1, wait_max: Duration::from_secs(8), bytes_max: 32 << 20 };

/// Replies that are spoken at once. One takes some milliseconds.
const VOICES: PoolConfig =
    PoolConfig { name: "voice", threads: 2, wait_max: Duration::from_secs(4), bytes_max: 1 << 20 };

/// Handles on everything that serves.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) data: PathBuf,
    pub(crate) history: Arc<History>,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) desk: Arc<PairingDesk>,
    pub(crate) owner: AccountId,
    clock: Arc<dyn Clock>,
    zone: Arc<LocalZone>,
}

impl Parts {
    /// Loads the models and opens the store. What can refuse the start comes first: a refusal leaves the data as it was.
    pub(crate) async fn open(config: &Config) -> Result<(Self, CloudIdentity), ServerError> {
        let zone = Arc::new(LocalZone::of_machine()?);
        let recogniser = WhisperRecognizer::load(&config.models.join("whisper-tiny-en"))?;
        let vad = VadModel::load(&config.models)?;
        let identity = identity::read(&config.data)?;
        let opened = History::open_beside(&config.data, Arc::clone(&config.clock), &[identity::FILE]).await?;
        tell(&opened.recovered);
        let identity = identity.map_or_else(|| identity::make(&config.data), Ok)?;
        let history = Arc::new(opened.history);
        let owner = account::owner(&history, &config.data).await?;
        let recognizers = RecognizerPool::start(Arc::new(recogniser), RECOGNISERS, Arc::clone(&config.clock))?;
        let voice = Arc::new(Espeak::new(EspeakConfig::english()));
        let voices = SpeakerPool::start(voice, VOICES, Arc::clone(&config.clock))?;
        let desk = Arc::new(PairingDesk::new(Arc::clone(&config.clock)));
        let gateway = Arc::new(Gateway::new(GatewayParts {
            history: Arc::clone(&history),
            desk: Arc::clone(&desk),
            recognizers: Arc::new(recognizers),
            sense: Arc::new(Sense::builtin()),
            skills: Arc::new(Skills::following(Arc::clone(&config.clock), source(&zone))),
            voices: Arc::new(voices),
            vad,
            clock: Arc::clone(&config.clock),
            config: GatewayConfig::default(),
        }));
        let clock = Arc::clone(&config.clock);
        Ok((Self { data: config.data.clone(), history, gateway, desk, owner, clock, zone }, identity))
    }

    /// The owner's pages, under this host name.
    pub(crate) fn app(&self, host: String) -> axum::Router {
        app::router(AppParts {
            history: Arc::clone(&self.history),
            codes: Arc::new(Codes(Arc::clone(&self.desk))),
            clock: Arc::clone(&self.clock),
            zone: source(&self.zone),
            host,
        })
    }

    /// Closes the store; whoever still holds it finishes what it does first.
    pub(crate) async fn close(self) {
        let Self { history, gateway, .. } = self;
        drop(gateway);
        if let Some(history) = Arc::into_inner(history) {
            history.close().await;
        }
    }
}

fn source(zone: &Arc<LocalZone>) -> ZoneSource {
    let zone = Arc::clone(zone);
    Arc::new(move || zone.now())
}

/// Says what the start found and put right, and, loudly, what is lost: ids and counts alone (invariant I9).
fn tell(found: &Recovery) {
    let Recovery { deletions_finished, rows_without_key, keys_without_row, blobs_without_row, lost } = found;
    if !lost.is_empty() {
        let ids: Vec<String> = lost.iter().take(LOST_NAMED_MAX).map(ToString::to_string).collect();
        tracing::error!(
            requests = lost.len(),
            ids = ids.join(" "),
            "history.lost: their keys in keys.store are damaged or gone, and nobody asked for that"
        );
    }
    if [deletions_finished, rows_without_key, keys_without_row, blobs_without_row].into_iter().any(|count| *count > 0)
    {
        tracing::warn!(
            deletions_finished,
            rows_without_key,
            keys_without_row,
            blobs_without_row,
            "history.recovered"
        );
    }
}

/// The gateway's desk, as the app knows it.
struct Codes(Arc<PairingDesk>);

impl PairingCodes for Codes {
    fn notice(&self, account: AccountId) -> Option<String> {
        let tried = match self.0.state(account) {
            DeskState::Void => PAIRING_TRIES_MAX,
            DeskState::Open { tries_left: tries_left @ 1.., .. } => PAIRING_TRIES_MAX.saturating_sub(tries_left),
            DeskState::Open { .. } | DeskState::Closed | DeskState::Used(_) => 0,
        };
        (tried > 0).then(|| {
            format!(
                "{tried} of {PAIRING_TRIES_MAX} tries at the last pairing code were wrong, and no device was added by it. \
                 If that was not you, somebody who can reach this cloud is guessing; a new code is as good as the first."
            )
        })
    }

    fn issue(&self, account: AccountId) -> Option<String> {
        let code = self.0.issue(account).ok()?;
        // Shown as "428 519"; spaces do not count where it is typed.
        let (first, last) = code.expose().split_at_checked(3)?;
        Some(format!("{first} {last}"))
    }
}
