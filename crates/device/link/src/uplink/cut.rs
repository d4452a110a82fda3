//! Connections that are ended in the middle of what they carry, so that nothing more of it leaves (invariants I2 and I3).

use std::mem;
use std::time::Duration;

use super::{Purpose, Report, State, Uplink};
use crate::error::LinkError;

impl Uplink {
    /// Whether nothing of what was written waits in the kernel to be sent.
    pub(crate) fn is_sent(&self) -> bool {
        !matches!(&self.state, State::Up { connection, .. } if !connection.is_sent())
    }

    /// Gives the connection up, since the network does not take the stream: what waits to be sent is thrown away, and
    /// nothing of it leaves once this returns.
    ///
    /// # Errors
    /// [`LinkError::Reset`].
    pub(crate) fn abandon(&mut self, now: Duration, out: &mut Vec<Report>) -> Result<(), LinkError> {
        if !matches!(self.state, State::Up { .. }) {
            return Ok(());
        }
        let before = mem::replace(&mut self.state, State::Unpaired);
        if let State::Up { connection, purpose, .. } = before {
            connection.reset()?;
            self.fail_as(purpose, LinkError::Stalled, now, out);
        }
        Ok(())
    }

    /// The microphones were turned off: whatever of the sound is here or in the kernel is thrown away with its connection,
    /// and nothing of it leaves once this returns. Another connection is made at once. Where all has arrived there is
    /// nothing to throw away, and the connection stays unless `is_streaming`.
    ///
    /// # Errors
    /// [`LinkError::Reset`].
    pub(crate) fn silence(
        &mut self,
        is_streaming: bool,
        now: Duration,
        out: &mut Vec<Report>,
    ) -> Result<(), LinkError> {
        let State::Up { connection, .. } = &self.state else { return Ok(()) };
        if !is_streaming && connection.has_arrived() {
            return Ok(());
        }
        let before = mem::replace(&mut self.state, State::Unpaired);
        let State::Up { connection, purpose, .. } = before else { return Ok(()) };
        connection.reset()?;
        match purpose {
            Purpose::Turns => {
                out.push(Report::Lost);
                self.connect(Purpose::Turns, now, out);
            }
            pairing @ Purpose::Pairing(_) => self.fail_as(pairing, LinkError::Stalled, now, out),
        }
        Ok(())
    }
}
