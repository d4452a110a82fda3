//! A stranger becomes a device: what the session asks for while it is being paired.

use std::sync::Arc;

use base::{DeviceId, Redacted, Timestamp};
use tokio::io::{AsyncRead, AsyncWrite};
use wire::Settings;
use wire::cloud::Action;
use zeroize::Zeroizing;

use super::Connection;
use crate::door::Known;
use crate::error::GatewayError;
use crate::limits::SEEN_EVERY;
use crate::lines::log_line;

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(super) fn offer_code(&mut self) -> Result<Vec<Action>, GatewayError> {
        let mut entropy = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *entropy).map_err(|_| GatewayError::Random)?;
        let (ticket, code) = self.gateway.desk.offered().unzip();
        self.seat.pairs(ticket.is_some());
        self.ticket = ticket;
        Ok(self.session.offer_code(code.as_ref(), &entropy, self.gateway.clock.elapsed())?)
    }

    pub(super) fn count_try(&mut self) -> Result<Vec<Action>, GatewayError> {
        let counted = self.ticket.and_then(|ticket| self.gateway.desk.count_try(ticket, self.from));
        self.seat.pairs(false);
        self.gateway.counters.pairing_tries(1);
        let tries_left = counted.as_ref().map(|counted| counted.tries_left);
        log_line!(self.gateway.lines, info, "pairing.tried", tries_left);
        Ok(self.session.try_counted(counted, self.gateway.clock.elapsed())?)
    }

    pub(super) async fn register(
        &mut self,
        name: Redacted<String>,
        key: [u8; 32],
    ) -> Result<Vec<Action>, GatewayError> {
        // What it was before is over: the same key at another account is another device.
        self.known = None;
        let stored = match self.ticket.take() {
            Some(ticket) => match self.gateway.desk.redeem(ticket) {
                Some(account) => match self.gateway.history.add_device(account, name.expose(), key).await {
                    Ok(device) => {
                        self.gateway.desk.paired(ticket, device);
                        self.gateway.counters.devices_paired(1);
                        log_line!(self.gateway.lines, info, "device.paired", %device);
                        Some((device, Settings::default()))
                    }
                    Err(error) => {
                        log_line!(self.gateway.lines, error, "device.not_stored", %error);
                        None
                    }
                },
                None => None,
            },
            None => None,
        };
        Ok(self.session.registered(stored, self.gateway.clock.elapsed())?)
    }

    /// The device may open streams: an older connection of the same device is ended.
    pub(super) async fn come_online(&mut self, device: DeviceId) -> Result<(), GatewayError> {
        if self.known.is_none() {
            let known = self.gateway.history.attend(self.key).await?;
            self.known = known.map(|(device, attendance)| Known { device, attendance });
            self.seat = self.gateway.door.seat_of(device);
        }
        let Some(Known { device: known, .. }) = self.known.as_ref().filter(|known| known.device.id == device) else {
            return Err(GatewayError::Revoked);
        };
        self.online = Some(self.gateway.registry.enter(device, self.come, Arc::clone(&self.replaced)));
        if is_long_ago(known.seen, self.gateway.clock.now())
            && let Err(error) = self.gateway.history.device_seen(known).await
        {
            log_line!(self.gateway.lines, warn, "device.not_noted", %device, %error);
        }
        log_line!(self.gateway.lines, info, "device.online", %device);
        Ok(())
    }
}

/// Also where the clock was set back meanwhile.
fn is_long_ago(seen: Option<Timestamp>, now: Timestamp) -> bool {
    seen.is_none_or(|seen| now < seen || seen.after(SEEN_EVERY) <= now)
}
