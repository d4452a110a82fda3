//! The gateway itself: its parts, its listener, and what it tells of itself.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use base::{Clock, LineLimit};
use ear::endpoint::EndpointConfig;
use ear::vad::VadModel;
use history::History;
use rustls::ServerConfig;
use sense::Sense;
use skills::Skills;
use speech::{RecognizerPool, SpeakerPool};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::connection::is_ordinary;
use crate::counters::{Counters, Counts};
use crate::desk::PairingDesk;
use crate::door::{self, Door};
use crate::error::GatewayError;
use crate::limits::{ACCEPT_PAUSE, CONNECTIONS_MAX, LINES_A_MINUTE, SHUTDOWN_WITHIN, TURNS_MAX};
use crate::lines::log_line;
use crate::places::TurnPlaces;
use crate::registry::Registry;
use crate::room::Origin;
use crate::stages::Stages;
use crate::tls::CloudIdentity;
use crate::turn::TurnParts;

/// Everything that a gateway stands on.
pub struct GatewayParts {
    /// Where devices are known from and utterances are kept.
    pub history: Arc<History>,
    /// Where codes for new devices come from.
    pub desk: Arc<PairingDesk>,
    /// Sound to text.
    pub recognizers: Arc<RecognizerPool>,
    /// Text to intent.
    pub sense: Arc<Sense>,
    /// Intent to reply.
    pub skills: Arc<Skills>,
    /// Reply to sound.
    pub voices: Arc<SpeakerPool>,
    /// Sound to "somebody speaks".
    pub vad: VadModel,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What can be set.
    pub config: GatewayConfig,
}

/// What can be set in a gateway.
#[derive(Clone, Copy, Debug)]
pub struct GatewayConfig {
    /// When a request counts as over.
    pub endpoint: EndpointConfig,
    /// Turns at once, from the opened stream to the sealed utterance; more are refused. At least 1, at most and by
    /// default [`TURNS_MAX`].
    pub turns_max: usize,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self { endpoint: EndpointConfig::default(), turns_max: TURNS_MAX }
    }
}

/// How often it is told how many log lines were left out.
const LEFT_OUT_EVERY: Duration = Duration::from_secs(60);

/// Serves devices: pairs them, hears their streams, answers and keeps what was said.
pub struct Gateway {
    pub(crate) history: Arc<History>,
    pub(crate) desk: Arc<PairingDesk>,
    pub(crate) vad: VadModel,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) config: GatewayConfig,
    pub(crate) counters: Arc<Counters>,
    pub(crate) registry: Registry,
    pub(crate) turns: TurnPlaces,
    pub(crate) door: Door,
    pub(crate) lines: Arc<LineLimit>,
    stages: Arc<Stages>,
    connections: Arc<Semaphore>,
    orders: watch::Sender<Order>,
}

/// What all connections are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Go on.
    Run,
    /// Look at your deadline again.
    Look,
    /// End.
    End,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").finish_non_exhaustive()
    }
}

impl Gateway {
    /// A gateway that serves nobody yet.
    #[must_use]
    pub fn new(parts: GatewayParts) -> Self {
        let GatewayParts { history, desk, recognizers, sense, skills, voices, vad, clock, config } = parts;
        let stages = Stages { recognizers, sense, skills, voices, clock: Arc::clone(&clock) };
        Self {
            history,
            desk,
            vad,
            lines: Arc::new(LineLimit::new(Arc::clone(&clock), LINES_A_MINUTE)),
            clock,
            config,
            counters: Arc::default(),
            registry: Registry::default(),
            turns: TurnPlaces::new(config.turns_max.clamp(1, TURNS_MAX)),
            door: Door::default(),
            stages: Arc::new(stages),
            connections: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            orders: watch::Sender::new(Order::Run),
        }
    }

    /// Serves whoever connects until `shutdown` is there; then says so to every device and waits, for a few seconds at
    /// most, until the turns under way are sealed.
    ///
    /// # Errors
    /// [`GatewayError::Identity`] where TLS cannot be spoken with it.
    pub async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        identity: CloudIdentity,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), GatewayError> {
        let cloud_key = identity.fingerprint();
        let tls = Arc::new(identity.server_config()?);
        let mut shutdown = std::pin::pin!(shutdown);
        let mut minutes = tokio::time::interval(LEFT_OUT_EVERY);
        loop {
            let accepted = tokio::select! {
                () = &mut shutdown => break,
                _ = minutes.tick() => {
                    self.tell_what_was_left_out();
                    continue;
                }
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, address)) => {
                    self.welcome(stream, Origin::of(address), (Arc::clone(&tls), cloud_key)).await
                }
                Err(error) => {
                    log_line!(self.lines, warn, "connection.not_accepted", %error);
                    // Most likely no file descriptor is left, and none will be at once.
                    if tokio::time::timeout(ACCEPT_PAUSE, &mut shutdown).await.is_ok() {
                        break;
                    }
                }
            }
        }
        drop(listener);
        self.orders.send_replace(Order::End);
        if tokio::time::timeout(SHUTDOWN_WITHIN, self.until_idle()).await.is_err() {
            tracing::warn!("turns.cut_off: some were not sealed in time");
        }
        self.tell_what_was_left_out();
        Ok(())
    }

    /// Waits until every connection has ended, and then every turn.
    async fn until_idle(&self) {
        // Who has all places knows that nobody has one; a closed door would do as well.
        let _ = self.connections.acquire_many(u32::try_from(CONNECTIONS_MAX).unwrap_or(u32::MAX)).await;
        self.turns.until_free().await;
    }

    fn tell_what_was_left_out(&self) {
        for (kind, lines) in self.lines.left_out() {
            tracing::warn!(kind, lines, "log.left_out");
        }
    }

    /// What was done since the start.
    #[must_use]
    pub fn counters(&self) -> Counts {
        self.counters.read()
    }

    /// How many devices are connected and known.
    #[must_use]
    pub fn devices_online(&self) -> usize {
        self.registry.devices().len()
    }

    /// Whether this device is connected.
    #[must_use]
    pub fn is_online(&self, device: base::DeviceId) -> bool {
        self.registry.devices().contains(&device)
    }

    /// Makes every connection look at its deadline now, as after a clock was moved by hand.
    pub fn look_again(&self) {
        self.orders.send_if_modified(|order| {
            let ends = *order == Order::End;
            if !ends {
                *order = Order::Look;
            }
            !ends
        });
    }

    pub(crate) fn turn_parts(&self) -> TurnParts {
        TurnParts {
            stages: Arc::clone(&self.stages),
            history: Arc::clone(&self.history),
            counters: Arc::clone(&self.counters),
            lines: Arc::clone(&self.lines),
        }
    }

    async fn welcome(self: &Arc<Self>, stream: TcpStream, from: Origin, tls: (Arc<ServerConfig>, [u8; 32])) {
        let Ok(connection) = Arc::clone(&self.connections).try_acquire_owned() else {
            self.counters.connections_refused(1);
            log_line!(self.lines, warn, "connection.refused", reason = "too many connections");
            return;
        };
        self.counters.connections_accepted(1);
        let gateway = Arc::clone(self);
        let place = self.door.enter(from).await;
        // From here on, so that none is missed between the handshake and the session.
        let orders = self.orders.subscribe();
        tokio::spawn(async move {
            let ended = door::receive(Arc::clone(&gateway), stream, (from, place), tls, orders).await;
            if is_ordinary(&ended) {
                tracing::debug!(reason = %ended, "connection.ended");
            } else {
                gateway.counters.connections_refused(1);
                log_line!(gateway.lines, warn, "connection.refused", reason = %ended);
            }
            drop(connection);
        });
    }
}
