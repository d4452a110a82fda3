//! A browser's connection, so that it can be cut from outside while the HTTP library writes to it.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use app::Hangup;
use axum::extract::Request;
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::middleware::Next;
use axum::response::Response;
use axum::serve::IncomingStream;
use tokio::net::TcpListener;

/// A second descriptor of a connection; nothing where there was none to be had.
#[derive(Clone, Debug)]
pub(crate) struct Line(Option<Arc<OwnedFd>>);

impl Line {
    pub(crate) fn of(connection: &impl AsFd) -> Self {
        Self(connection.as_fd().try_clone_to_owned().ok().map(Arc::new))
    }

    /// Resets the connection, at once: what the kernel has not sent yet, it never sends, whoever holds other descriptors.
    fn cut(&self) {
        if let Some(connection) = &self.0 {
            // Dissolving a connection's association resets it (connect(2)). It fails where it has ended already.
            let _ = rustix::net::connect_unspec(connection);
        }
    }
}

impl Connected<IncomingStream<'_, TcpListener>> for Line {
    fn connect_info(connection: IncomingStream<'_, TcpListener>) -> Self {
        Self::of(connection.io())
    }
}

/// Gives each request the means to cut its connection.
pub(crate) async fn put_hangup(ConnectInfo(line): ConnectInfo<Line>, mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(Hangup::new(move || line.cut()));
    next.run(request).await
}
