//! The gateway itself: its parts, its listener, and what it tells of itself.

use std::future::Future;
use std::sync::Arc;

use base::Clock;
use ear::endpoint::EndpointConfig;
use ear::vad::VadModel;
use history::{Device, History};
use sense::Sense;
use skills::Skills;
use speech::{RecognizerPool, SpeakerPool};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::connection::{Connection, Socket, is_ordinary};
use crate::counters::{Counters, Counts};
use crate::desk::PairingDesk;
use crate::error::GatewayError;
use crate::limits::{
    ACCEPT_PAUSE, CONNECTIONS_MAX, HANDSHAKE_WITHIN, HANDSHAKES_MAX, SHUTDOWN_WITHIN, STRANGERS_MAX, TURNS_MAX,
};
use crate::registry::Registry;
use crate::stages::Stages;
use crate::tls::{self, CloudIdentity};
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

/// Serves devices: pairs them, hears their streams, answers and keeps what was said.
pub struct Gateway {
    pub(crate) history: Arc<History>,
    pub(crate) desk: Arc<PairingDesk>,
    pub(crate) vad: VadModel,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) config: GatewayConfig,
    pub(crate) counters: Arc<Counters>,
    pub(crate) registry: Registry,
    pub(crate) turns: Arc<Semaphore>,
    stages: Arc<Stages>,
    connections: Arc<Semaphore>,
    handshakes: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
    orders: watch::Sender<Order>,
}

/// What all connections are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Go on.
    Run,
    /// Look at your deadline and at your device's standing again.
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
            clock,
            config,
            counters: Arc::default(),
            registry: Registry::default(),
            turns: Arc::new(Semaphore::new(config.turns_max.clamp(1, TURNS_MAX))),
            stages: Arc::new(stages),
            connections: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
            handshakes: Arc::new(Semaphore::new(HANDSHAKES_MAX)),
            strangers: Arc::new(Semaphore::new(STRANGERS_MAX)),
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
        let tls = TlsAcceptor::from(Arc::new(identity.server_config()?));
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                () = &mut shutdown => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, _)) => self.welcome(stream, &tls, cloud_key),
                Err(error) => {
                    tracing::warn!(%error, "connection.not_accepted");
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
        Ok(())
    }

    /// Waits until every connection has ended, and then every turn.
    async fn until_idle(&self) {
        for (places, n_places) in
            [(&self.connections, CONNECTIONS_MAX), (&self.turns, self.config.turns_max.clamp(1, TURNS_MAX))]
        {
            // Who has all places knows that nobody has one; a closed door would do as well.
            let _ = places.acquire_many(u32::try_from(n_places).unwrap_or(u32::MAX)).await;
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

    /// Makes every connection look at its device's standing and at its deadline now. A revoked device is refused within
    /// 15 seconds in any case, and before it can open a stream; after this, at once.
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
        }
    }

    /// The device with this key, unless there is none or it was revoked.
    pub(crate) async fn standing(&self, key: [u8; 32]) -> Result<Option<Device>, GatewayError> {
        Ok(self.history.device_by_key(key).await?.filter(|device| device.revoked.is_none()))
    }

    pub(crate) fn stranger(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.strangers).try_acquire_owned().ok()
    }

    fn welcome(self: &Arc<Self>, stream: TcpStream, tls: &TlsAcceptor, cloud_key: [u8; 32]) {
        let handshake = Arc::clone(&self.handshakes).try_acquire_owned();
        let connection = Arc::clone(&self.connections).try_acquire_owned();
        let (Ok(handshake), Ok(connection)) = (handshake, connection) else {
            self.counters.connections_refused(1);
            return;
        };
        self.counters.connections_accepted(1);
        let (gateway, tls) = (Arc::clone(self), tls.clone());
        // From here on, so that none is missed between the handshake and the session.
        let mut orders = self.orders.subscribe();
        tokio::spawn(async move {
            let shaken = tokio::select! {
                shaken = tokio::time::timeout(HANDSHAKE_WITHIN, shake_hands(stream, tls, cloud_key)) => {
                    shaken.unwrap_or(Err(GatewayError::HandshakeLate))
                }
                _ = orders.wait_for(|order| *order == Order::End) => Err(GatewayError::Ending),
            };
            drop(handshake);
            let ended = match shaken {
                Ok((socket, binding)) => Connection::run(Arc::clone(&gateway), socket, binding, orders).await,
                Err(error) => error,
            };
            if is_ordinary(&ended) {
                tracing::debug!(reason = %ended, "connection.ended");
            } else {
                gateway.counters.connections_refused(1);
                tracing::warn!(reason = %ended, "connection.refused");
            }
            drop(connection);
        });
    }
}

type TlsStream = tokio_rustls::server::TlsStream<TcpStream>;

async fn shake_hands(
    stream: TcpStream,
    tls: TlsAcceptor,
    cloud_key: [u8; 32],
) -> Result<(Socket<TlsStream>, wire::pairing::Binding), GatewayError> {
    // Sound comes in small pieces, and each matters now.
    stream.set_nodelay(true)?;
    let stream = tls.accept(stream).await.map_err(GatewayError::Handshake)?;
    let binding = tls::binding(stream.get_ref().1, cloud_key)?;
    Ok((Socket::accept(stream).await?, binding))
}
