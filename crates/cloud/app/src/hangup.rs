//! The end of a browser's connection, at once.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

/// The means to cut one connection: nothing more of what was written to it leaves this machine. Whoever accepts connections
/// makes one for each, and puts it into each of its requests (as an extension).
#[derive(Clone)]
pub struct Hangup {
    cut: Arc<dyn Fn() + Send + Sync>,
    held: Arc<Mutex<Option<Box<dyn Any + Send>>>>,
}

impl Hangup {
    /// By what `cut` does. It must not block, and may be called more than once.
    pub fn new(cut: impl Fn() + Send + Sync + 'static) -> Self {
        Self { cut: Arc::new(cut), held: Arc::default() }
    }

    /// To be called when a further request comes by this connection: whoever asks it has had the answer before.
    pub fn next_request(&self) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(held);
    }

    /// What cuts it. Holds nothing else, so that what is held may have it.
    pub(crate) fn cutter(&self) -> Arc<dyn Fn() + Send + Sync> {
        Arc::clone(&self.cut)
    }

    /// Keeps `what` until the connection's next request, or its end: the last of an answer is with the kernel for a while after
    /// it has been given away here.
    pub(crate) fn hold(&self, what: impl Any + Send) {
        let before = self.held.lock().unwrap_or_else(PoisonError::into_inner).replace(Box::new(what));
        drop(before);
    }
}

impl std::fmt::Debug for Hangup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hangup")
    }
}
