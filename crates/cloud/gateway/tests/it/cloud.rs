//! A cloud for one test: a data directory, an account, a gateway on a port of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base::{AccountId, Clock, Redacted, SystemClock};
use ear::vad::VadModel;
use gateway::{CloudIdentity, Counts, Gateway, GatewayConfig, GatewayParts, PairingDesk};
use history::{History, Row};
use rustls::pki_types::PrivateKeyDer;
use sense::Sense;
use skills::Skills;
use speech::{Espeak, EspeakConfig, PoolConfig, Recognizer, RecognizerPool, SpeakerPool, Synthesizer};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Longer than anything a test waits for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Cloud {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) history: Arc<History>,
    pub(crate) desk: Arc<PairingDesk>,
    pub(crate) owner: AccountId,
    pub(crate) address: SocketAddr,
    pub(crate) key: [u8; 32],
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
    _data: tempfile::TempDir,
}

/// What a test may choose.
pub(crate) struct Choice {
    pub(crate) recognizer: Arc<dyn Recognizer>,
    pub(crate) voice: Arc<dyn Synthesizer>,
    pub(crate) threads: usize,
    /// How long a request may wait for its recogniser.
    pub(crate) wait_max: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) steps: Arc<dyn vault::Steps>,
    pub(crate) config: GatewayConfig,
}

impl Choice {
    pub(crate) fn hearing(recognizer: impl Recognizer + 'static) -> Self {
        Self {
            recognizer: Arc::new(recognizer),
            voice: Arc::new(Espeak::new(EspeakConfig::english())),
            threads: 1,
            wait_max: Duration::from_secs(8),
            clock: Arc::new(SystemClock::new()),
            steps: Arc::new(vault::NoSteps),
            config: GatewayConfig::default(),
        }
    }
}

/// The models' directory where it holds `what`, or a word about why not.
pub(crate) fn model_dir(what: &str) -> Option<PathBuf> {
    let dir = std::env::var_os("SOTTO_MODELS").map(PathBuf::from).unwrap_or_else(|| {
        let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
        let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache");
        cache.unwrap_or_else(home).join("sotto/models")
    });
    if !dir.join(what).is_dir() {
        eprintln!("SKIPPED: no {what} in {}; run `sotto models fetch`", dir.display());
        return None;
    }
    Some(dir)
}

impl Cloud {
    /// Starts one; nothing where the voice activity model was not fetched.
    pub(crate) async fn start(choice: Choice) -> Option<Self> {
        let vad = VadModel::load(&model_dir("silero-vad")?).expect("the model is whole");
        let data = tempfile::tempdir().expect("a folder");
        let clock = choice.clock;
        let opened = History::open_with(data.path(), Arc::clone(&clock), choice.steps).await.expect("a new history");
        let history = Arc::new(opened.history);
        let password = Redacted::new(String::from("correct horse battery"));
        let owner = history.create_account("owner", password).await.expect("an account");
        let desk = Arc::new(PairingDesk::new(Arc::clone(&clock)));
        let pool = |name, threads, wait_max| PoolConfig { name, threads, wait_max, bytes_max: 32 << 20 };
        let hearing = pool("hear", choice.threads, choice.wait_max);
        let recognizers = RecognizerPool::start(choice.recognizer, hearing, Arc::clone(&clock)).expect("threads");
        let voices = SpeakerPool::start(choice.voice, pool("speak", 2, Duration::from_secs(3)), Arc::clone(&clock))
            .expect("threads");
        let gateway = Arc::new(Gateway::new(GatewayParts {
            history: Arc::clone(&history),
            desk: Arc::clone(&desk),
            recognizers: Arc::new(recognizers),
            sense: Arc::new(Sense::builtin()),
            skills: Arc::new(Skills::new(Arc::clone(&clock), jiff::tz::TimeZone::UTC)),
            voices: Arc::new(voices),
            vad,
            clock,
            config: choice.config,
        }));
        let identity = identity();
        let key = identity.fingerprint();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = Arc::clone(&gateway).serve(listener, identity, async {
            let _ = stopped.await;
        });
        let served = tokio::spawn(async { serving.await.expect("TLS can be spoken") });
        Some(Self { gateway, history, desk, owner, address, key, stop: Some(stop), served, _data: data })
    }

    /// Ends the gateway as a signal would, and waits for it.
    pub(crate) async fn stop(&mut self) {
        self.stop.take().map(|stop| stop.send(()));
        tokio::time::timeout(PATIENCE, &mut self.served).await.expect("it ends").expect("it does not panic");
    }

    pub(crate) fn counts(&self) -> Counts {
        self.gateway.counters()
    }

    /// All of the owner's history, newest first.
    pub(crate) async fn rows(&self) -> Vec<Row> {
        self.history.page(self.owner, None, 50).await.expect("a page").rows
    }

    /// Waits until the counts are as wanted.
    pub(crate) async fn until(&self, wanted: impl Fn(&Counts) -> bool) {
        let waiting = async {
            let mut looks = tokio::time::interval(Duration::from_millis(10));
            while !wanted(&self.counts()) {
                looks.tick().await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("the counts come about");
    }
}

fn identity() -> CloudIdentity {
    let made = rcgen::generate_simple_self_signed(vec!["sotto".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    CloudIdentity::new(made.cert.der().clone(), key).expect("an identity")
}
