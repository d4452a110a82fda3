//! From a connection that has just been accepted to a session: who is there is found out before anything is spent.
//!
//! Whoever comes waits among others that nobody knows, in a small room with a short deadline; the oldest of the most
//! crowded address makes room for the next (see [`crate::room`]). Once TLS has shown whose key it is, a known device takes
//! one of the places that are for known devices alone, and a stranger one of the few where pairing is spoken.

use std::sync::Arc;

use base::DeviceId;
use history::{Attendance, Device};
use rustls::ServerConfig;
use rustls::server::Acceptor;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::LazyConfigAcceptor;
use wire::pairing::Binding;

use crate::connection::{Connection, Socket};
use crate::error::GatewayError;
use crate::gateway::{Gateway, Order};
use crate::limits::{
    GOODBYES_MAX, HANDSHAKE_LEAST, HANDSHAKE_WITHIN, HANDSHAKES_MAX, HANDSHAKES_PER_ADDRESS_MAX, KNOWN_MAX,
    KNOWN_PER_DEVICE_MAX, STRANGERS_MAX, STRANGERS_PER_ADDRESS_MAX, WEBSOCKET_WITHIN,
};
use crate::room::{Origin, Place, Room};
use crate::tls;

/// A handshake whose greeting is whole: whoever sends it drop by drop has said nothing.
const GREETED: u8 = 1;
/// A stranger with whom a code is being exchanged.
const PAIRING: u8 = 1;

pub(crate) type TlsStream = tokio_rustls::server::TlsStream<TcpStream>;

/// The rooms behind the door.
pub(crate) struct Door {
    handshakes: Room<Origin>,
    strangers: Room<Origin>,
    known: Room<DeviceId>,
    pub(crate) goodbyes: Semaphore,
}

/// A place behind the door.
pub(crate) enum Seat {
    Known(Place<DeviceId>),
    Stranger(Place<Origin>),
}

/// A paired device that is being served, until the attendance says that it is revoked.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) device: Device,
    pub(crate) attendance: Attendance,
}

/// Who has come in.
pub(crate) struct Guest {
    pub(crate) binding: Binding,
    pub(crate) from: Origin,
    pub(crate) known: Option<Known>,
    pub(crate) seat: Seat,
}

impl Default for Door {
    fn default() -> Self {
        Self {
            handshakes: Room::new(HANDSHAKES_MAX, HANDSHAKES_PER_ADDRESS_MAX),
            strangers: Room::new(STRANGERS_MAX, STRANGERS_PER_ADDRESS_MAX),
            known: Room::new(KNOWN_MAX, KNOWN_PER_DEVICE_MAX),
            goodbyes: Semaphore::new(GOODBYES_MAX),
        }
    }
}

impl Door {
    /// A place among the handshakes; to be taken as soon as the connection is accepted.
    pub(crate) async fn enter(&self, from: Origin) -> Place<Origin> {
        self.handshakes.enter_after(from, HANDSHAKE_LEAST).await
    }

    pub(crate) fn seat_of(&self, device: DeviceId) -> Seat {
        Seat::Known(self.known.enter(device))
    }
}

impl Seat {
    /// Waits until the seat is given to another. Cancel-safe.
    pub(crate) async fn lost(&self) {
        match self {
            Self::Known(place) => place.lost().await,
            Self::Stranger(place) => place.lost().await,
        }
    }

    /// Whether a code is being exchanged.
    pub(crate) fn pairs(&self, pairs: bool) {
        if let Self::Stranger(place) = self {
            place.at_stage(if pairs { PAIRING } else { 0 });
        }
    }
}

/// Waits until the device is revoked; for ever where there is none.
pub(crate) async fn revoked(known: &mut Option<Known>) {
    match known {
        Some(known) => known.attendance.revoked().await,
        None => std::future::pending().await,
    }
}

/// Takes a connection from its first byte to its end, and says why it ended.
pub(crate) async fn receive(
    gateway: Arc<Gateway>,
    stream: TcpStream,
    (from, place): (Origin, Place<Origin>),
    tls: (Arc<ServerConfig>, [u8; 32]),
    mut orders: watch::Receiver<Order>,
) -> GatewayError {
    let ending = orders.clone();
    let come_in = async {
        let (stream, mut guest) = tokio::select! {
            known = recognise(&gateway, stream, from, &place, tls) => known?,
            () = place.lost() => return Err(GatewayError::Crowded),
        };
        // Nobody who is known waits among those who are not.
        drop(place);
        let accepted = tokio::select! {
            accepted = tokio::time::timeout(WEBSOCKET_WITHIN, Socket::accept(stream)) => accepted,
            () = guest.seat.lost() => return Err(GatewayError::Crowded),
            () = revoked(&mut guest.known) => return Err(GatewayError::Revoked),
        };
        Ok((accepted.map_err(|_| GatewayError::WebSocketLate)??, guest))
    };
    let came_in = tokio::select! {
        came_in = come_in => came_in,
        _ = orders.wait_for(|order| *order == Order::End) => Err(GatewayError::Ending),
    };
    match came_in {
        Ok((socket, guest)) => Connection::run(Arc::clone(&gateway), socket, guest, ending).await,
        Err(error) => error,
    }
}

/// TLS, and then whose key it was.
async fn recognise(
    gateway: &Gateway,
    stream: TcpStream,
    from: Origin,
    place: &Place<Origin>,
    tls: (Arc<ServerConfig>, [u8; 32]),
) -> Result<(TlsStream, Guest), GatewayError> {
    let shaking = tokio::time::timeout(HANDSHAKE_WITHIN, shake_hands(stream, place, tls));
    let (stream, binding) = shaking.await.map_err(|_| GatewayError::HandshakeLate)??;
    let known = gateway.history.attend(binding.device_key).await?;
    let known = known.map(|(device, attendance)| Known { device, attendance });
    let seat = match &known {
        Some(known) => gateway.door.seat_of(known.device.id),
        None => Seat::Stranger(gateway.door.strangers.enter(from)),
    };
    Ok((stream, Guest { binding, from, known, seat }))
}

async fn shake_hands(
    stream: TcpStream,
    place: &Place<Origin>,
    (tls, cloud_key): (Arc<ServerConfig>, [u8; 32]),
) -> Result<(TlsStream, Binding), GatewayError> {
    // Sound comes in small pieces, and each matters now.
    stream.set_nodelay(true)?;
    let greeted = LazyConfigAcceptor::new(Acceptor::default(), stream).await.map_err(GatewayError::Handshake)?;
    place.at_stage(GREETED);
    let stream = greeted.into_stream(tls).await.map_err(GatewayError::Handshake)?;
    let binding = tls::binding(stream.get_ref().1, cloud_key)?;
    Ok((stream, binding))
}
