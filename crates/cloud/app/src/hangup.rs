//! The end of a browser's connection, at once.

use std::sync::Arc;

/// Cuts the connection that a request came by: nothing more of what was written to it leaves this machine. Whoever accepts
/// connections puts one into each request (as an extension).
#[derive(Clone)]
pub struct Hangup(Arc<dyn Fn() + Send + Sync>);

impl Hangup {
    /// By what `cut` does. It must not block.
    pub fn new(cut: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(cut))
    }

    /// Cuts it. Once more is harmless.
    pub fn cut(&self) {
        (self.0)();
    }
}

impl std::fmt::Debug for Hangup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hangup")
    }
}
