//! A stranger becomes a device: what the session asks for while it is being paired.

use base::{DeviceId, Redacted};
use tokio::io::{AsyncRead, AsyncWrite};
use wire::Settings;
use wire::cloud::Action;
use zeroize::Zeroizing;

use super::Connection;
use crate::error::GatewayError;

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(super) fn offer_code(&mut self) -> Result<Vec<Action>, GatewayError> {
        let mut entropy = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *entropy).map_err(|_| GatewayError::Random)?;
        let (ticket, code) = self.gateway.desk.offered().unzip();
        self.ticket = ticket;
        Ok(self.session.offer_code(code.as_ref(), &entropy, self.gateway.clock.elapsed())?)
    }

    pub(super) fn count_try(&mut self) -> Result<Vec<Action>, GatewayError> {
        let counted = self.ticket.and_then(|ticket| self.gateway.desk.count_try(ticket));
        self.gateway.counters.pairing_tries(1);
        Ok(self.session.try_counted(counted, self.gateway.clock.elapsed())?)
    }

    pub(super) async fn register(
        &mut self,
        name: Redacted<String>,
        key: [u8; 32],
    ) -> Result<Vec<Action>, GatewayError> {
        let stored = match self.ticket.take() {
            Some(ticket) => match self.gateway.desk.redeem(ticket) {
                Some(account) => match self.gateway.history.add_device(account, name.expose(), key).await {
                    Ok(device) => {
                        self.gateway.desk.paired(ticket, device);
                        self.gateway.counters.devices_paired(1);
                        tracing::info!(%device, "device.paired");
                        Some((device, Settings::default()))
                    }
                    Err(error) => {
                        tracing::error!(%error, "device.not_stored");
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
        self.device = self.gateway.standing(self.key).await?;
        let Some(known) = &self.device else { return Err(GatewayError::Revoked) };
        self.online = Some(self.gateway.registry.enter(device, std::sync::Arc::clone(&self.replaced)));
        if let Err(error) = self.gateway.history.device_seen(known).await {
            tracing::warn!(%device, %error, "device.not_noted");
        }
        tracing::info!(%device, "device.online");
        Ok(())
    }
}
