//! A browser's connection, so that it can be cut from outside while the HTTP library writes to it.

use std::os::fd::AsFd;

use app::Hangup;

/// Bytes that the kernel takes of an answer before it has sent them (it counts its own needs in, and doubles this): what
/// it has is beyond the reach of anything but a reset.
const SEND_BUFFER_BYTES: usize = 16 * 1_024;

/// What cuts one connection.
#[derive(Clone, Debug)]
pub(crate) struct Line(Hangup);

impl Line {
    /// Of `connection`, of which this keeps a second descriptor.
    pub(crate) fn of(connection: &impl AsFd) -> Self {
        // Where it fails, the kernel takes more of an answer than it should; it is cut all the same.
        let _ = rustix::net::sockopt::set_socket_send_buffer_size(connection, SEND_BUFFER_BYTES);
        let second = connection.as_fd().try_clone_to_owned();
        Self(Hangup::new(move || {
            if let Ok(connection) = &second {
                // Dissolving a connection's association resets it at once (connect(2)): what the kernel has not sent yet, it
                // never sends. It fails where the connection has ended already.
                let _ = rustix::net::connect_unspec(connection);
            }
        }))
    }

    /// What a request is given to cut its connection with.
    pub(crate) fn hangup(&self) -> Hangup {
        self.0.next_request();
        self.0.clone()
    }
}
