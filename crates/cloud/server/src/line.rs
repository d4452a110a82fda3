//! A browser's connection, so that it can be cut from outside while the HTTP library writes to it.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use app::Hangup;

/// A second descriptor of a connection; nothing where there was none to be had.
#[derive(Clone, Debug)]
pub(crate) struct Line(Option<Arc<OwnedFd>>);

impl Line {
    pub(crate) fn of(connection: &impl AsFd) -> Self {
        Self(connection.as_fd().try_clone_to_owned().ok().map(Arc::new))
    }

    /// What a request is given to cut its connection with.
    pub(crate) fn hangup(&self) -> Hangup {
        let line = self.clone();
        Hangup::new(move || line.cut())
    }

    /// Resets the connection, at once: what the kernel has not sent yet, it never sends, whoever holds other descriptors.
    fn cut(&self) {
        if let Some(connection) = &self.0 {
            // Dissolving a connection's association resets it (connect(2)). It fails where it has ended already.
            let _ = rustix::net::connect_unspec(connection);
        }
    }
}
