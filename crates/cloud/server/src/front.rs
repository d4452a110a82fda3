//! The app's door: it accepts browsers' connections, few enough that devices always find room, and gives none of them for
//! ever. The pages themselves are the `app` crate's.
//!
//! Each wait has a deadline ([`places::Doing`]), each connection a place, and where all places are taken the oldest that
//! waits for its browser is closed for the next: whoever opens a thousand connections keeps nobody out.

mod connection;
mod descriptors;
mod places;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::front::connection::serve_one;
use crate::front::places::{Place, Places};
use crate::told_to_stop;

pub(crate) use crate::front::descriptors::raise as raise_descriptors;

/// After a failed accept (no file descriptor is left, say), before the next.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How often it is looked again whether a connection may be closed for the next, where all are being answered.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How many connections there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrontLimits {
    connections: usize,
    connections_per_address: usize,
}

impl FrontLimits {
    /// Connections at once, where descriptors are plenty. A browser opens six.
    const CONNECTIONS_MAX: usize = 256;
    /// ... and where they are scarce.
    const CONNECTIONS_MIN: usize = 16;

    /// A quarter of the process's file descriptors at the most: the rest is for devices, and for the store's own files.
    pub(crate) fn of_descriptors(descriptors: usize) -> Self {
        let connections = (descriptors / 4).clamp(Self::CONNECTIONS_MIN, Self::CONNECTIONS_MAX);
        Self { connections, connections_per_address: connections / 2 }
    }
}

/// Serves the app's pages until told to stop; then lets the answers under way finish.
pub(crate) async fn serve(
    listener: TcpListener,
    routes: axum::Router,
    limits: FrontLimits,
    stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Places::new(limits.connections, limits.connections_per_address));
    let mut stop = std::pin::pin!(told_to_stop(stopped.clone()));
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => match place(&places, peer.ip(), &mut stop).await {
                Some(place) => {
                    tokio::spawn(serve_one(stream, peer, Arc::new(place), routes.clone(), stopped.clone()));
                }
                None => break,
            },
            Err(why) => {
                // Most likely no descriptor is left: one of ours is given up for it.
                places.make_room();
                places.complain(&why);
                if tokio::time::timeout(ACCEPT_PAUSE, &mut stop).await.is_ok() {
                    break;
                }
            }
        }
    }
    drop(listener);
    places.until_empty().await;
}

/// A place for a connection, as soon as there is one; `None` where the stop comes first.
async fn place(
    places: &Arc<Places>,
    address: std::net::IpAddr,
    mut stop: impl Future<Output = ()> + Unpin,
) -> Option<Place> {
    loop {
        let freed = places.freed();
        if let Some(place) = places.take(address) {
            return Some(place);
        }
        tokio::select! {
            () = &mut stop => return None,
            _ = tokio::time::timeout(LOOK_EVERY, freed) => {}
        }
    }
}
