//! One device's connection: frames in, session, turns, frames out.

mod pairing;
mod socket;
mod streams;

use std::sync::Arc;
use std::time::Duration;

use base::TurnId;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, mpsc, watch};
use wire::cloud::{Action, Peer, Session};
use wire::{FromCloud, RefusedReason, SessionError, Settings};

use crate::desk::Ticket;
use crate::door::{Guest, Known, Seat, revoked};
use crate::error::GatewayError;
use crate::gateway::{Gateway, Order};
use crate::limits::TURN_EVENTS_MAX;
use crate::registry::{Come, Online};
use crate::room::Origin;
use crate::turn::TurnEvent;
use socket::Came;
pub(crate) use socket::Socket;
use streams::Streams;

/// What a connection waits for.
enum Woken {
    Came(Came),
    Turn(TurnId, TurnEvent),
    Deadline,
    Order,
    Replaced,
    Revoked,
    Crowded,
}

pub(crate) struct Connection<S> {
    gateway: Arc<Gateway>,
    socket: Socket<S>,
    session: Session,
    key: [u8; 32],
    from: Origin,
    seat: Seat,
    /// Which device is there, if its key is one's.
    known: Option<Known>,
    online: Option<Online>,
    /// The code that a pairing under way runs against.
    ticket: Option<Ticket>,
    streams: Streams,
    events: mpsc::Receiver<(TurnId, TurnEvent)>,
    come: Come,
    replaced: Arc<Notify>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Speaks with the device until either side ends it.
    pub(crate) async fn run(
        gateway: Arc<Gateway>,
        socket: Socket<S>,
        guest: Guest,
        orders: watch::Receiver<Order>,
    ) -> GatewayError {
        let Guest { binding, from, known, seat } = guest;
        let (events_in, events) = mpsc::channel(TURN_EVENTS_MAX);
        let peer = match &known {
            Some(known) => Peer::Known { device: known.device.id, settings: Settings::default() },
            None => Peer::Unknown,
        };
        let mut connection = Self {
            session: Session::new(peer, binding, gateway.clock.elapsed()),
            key: binding.device_key,
            from,
            seat,
            streams: Streams::new(Arc::clone(&gateway), events_in),
            come: gateway.registry.come(),
            gateway,
            socket,
            known,
            online: None,
            ticket: None,
            events,
            replaced: Arc::default(),
        };
        let ended = connection.speak(orders).await;
        connection.farewell(&ended).await;
        ended
    }

    async fn speak(&mut self, mut orders: watch::Receiver<Order>) -> GatewayError {
        loop {
            let woken = self.wait(&mut orders).await;
            let done = match woken {
                Woken::Came(Came::Frame(frame)) => self.on_frame(&frame).await,
                Woken::Came(Came::Ended(error)) => Err(error),
                Woken::Turn(turn, event) => self.on_turn(turn, event).await,
                Woken::Deadline => self.on_deadline().await,
                Woken::Order if *orders.borrow() == Order::End => Err(GatewayError::Ending),
                Woken::Order => self.on_deadline().await,
                Woken::Replaced => Err(GatewayError::Replaced),
                Woken::Revoked => Err(GatewayError::Revoked),
                Woken::Crowded => Err(GatewayError::Crowded),
            };
            if let Err(error) = done {
                return error;
            }
        }
    }

    async fn wait(&mut self, orders: &mut watch::Receiver<Order>) -> Woken {
        let left = self.session.deadline().saturating_sub(self.gateway.clock.elapsed());
        let woken = async {
            tokio::select! {
                // Whether there is a device at all goes before everything; what a turn has to say goes before more frames:
                // a device that talks on cannot starve its answer.
                biased;
                () = revoked(&mut self.known) => Woken::Revoked,
                changed = orders.changed() => {
                    // A gateway that is gone is one that ends.
                    if changed.is_err() { Woken::Replaced } else { Woken::Order }
                }
                () = self.replaced.notified() => Woken::Replaced,
                () = self.seat.lost() => Woken::Crowded,
                Some((turn, event)) = self.events.recv() => Woken::Turn(turn, event),
                came = self.socket.receive() => Woken::Came(came),
            }
        };
        // A millisecond more, so that the deadline has passed when it is looked at.
        tokio::time::timeout(left + Duration::from_millis(1), woken).await.unwrap_or(Woken::Deadline)
    }

    async fn on_frame(&mut self, frame: &[u8]) -> Result<(), GatewayError> {
        let now = self.gateway.clock.elapsed();
        let actions = self.session.on_frame(frame, now)?;
        self.act(actions).await
    }

    async fn on_deadline(&mut self) -> Result<(), GatewayError> {
        let actions = self.session.on_deadline(self.gateway.clock.elapsed())?;
        self.act(actions).await
    }

    /// Does what the session says. What it says in answer to that is done as well, in the order of its saying.
    async fn act(&mut self, actions: Vec<Action>) -> Result<(), GatewayError> {
        let mut queue = std::collections::VecDeque::from(actions);
        while let Some(action) = queue.pop_front() {
            match action {
                Action::Send(message) => self.send(&message).await?,
                Action::CodeWanted => queue.extend(self.offer_code()?),
                Action::CountTry => queue.extend(self.count_try()?),
                Action::Register { name, key } => queue.extend(self.register(name, key).await?),
                Action::Online { device } => self.come_online(device).await?,
                Action::StreamOpened(open) => {
                    let Some(known) = self.known.clone() else { return Err(GatewayError::Revoked) };
                    let said = self.streams.open(&mut self.session, known, open);
                    self.send_all(said).await?;
                }
                Action::Audio { turn, samples } => {
                    let said = self.streams.audio(&mut self.session, turn, samples.expose());
                    self.send_all(said).await?;
                }
                Action::StreamClosed { close, received } => {
                    let said = self.streams.close(&mut self.session, close, received);
                    self.send_all(said).await?;
                }
                // An answer that nobody waits for any more is still sealed; the session takes no more words of it.
                Action::Abandoned { .. } | Action::TimedOut { .. } | Action::Played { .. } => {}
            }
        }
        Ok(())
    }

    /// What a turn says, as far as the session still has a place for it.
    async fn on_turn(&mut self, turn: TurnId, event: TurnEvent) -> Result<(), GatewayError> {
        let now = self.gateway.clock.elapsed();
        let mut said = Vec::new();
        match event {
            TurnEvent::Reply(pcm) => {
                if let Ok(start) = self.session.reply_start(turn, pcm.rate_hz, now) {
                    said.push(start);
                    said.extend(self.session.reply_audio(turn, pcm.samples.expose()).into_iter().flatten());
                    said.extend(self.session.reply_end(turn, now));
                }
            }
            TurnEvent::Caption(caption) => said.extend(self.session.caption(caption)),
            TurnEvent::Over(outcome) => said.extend(self.session.turn_end(turn, outcome)),
        }
        self.send_all(said).await
    }

    async fn send_all(&mut self, messages: Vec<FromCloud>) -> Result<(), GatewayError> {
        for message in &messages {
            self.send(message).await?;
        }
        Ok(())
    }

    /// Sends, unless the device is revoked, also while it does not read.
    async fn send(&mut self, message: &FromCloud) -> Result<(), GatewayError> {
        tokio::select! {
            biased;
            () = revoked(&mut self.known) => Err(GatewayError::Revoked),
            sent = self.socket.send(message) => sent,
        }
    }

    /// The last word, where one helps; then the turn that was being heard.
    async fn farewell(mut self, ended: &GatewayError) {
        let reason = match ended {
            GatewayError::Session(error) => error.refusal(),
            GatewayError::Oversized => Some(RefusedReason::Protocol),
            GatewayError::Revoked => Some(RefusedReason::UnknownDevice),
            GatewayError::Crowded => Some(RefusedReason::Busy),
            GatewayError::Ending => Some(RefusedReason::Ending),
            _ => None,
        };
        self.online = None;
        match ended {
            GatewayError::Revoked => self.streams.forget(),
            _ => self.streams.cut_off(),
        }
        // Who keeps a seat meanwhile is one of few; of all others, only some are told why.
        let seated = self.known.is_some() && !matches!(ended, GatewayError::Crowded | GatewayError::Replaced);
        // Whoever revokes waits for this, and not for the goodbye.
        self.known = None;
        let Self { gateway, seat, socket, streams, events, .. } = self;
        drop((streams, events));
        if seated {
            socket.close(reason).await;
            return;
        }
        drop(seat);
        if let Ok(_goodbye) = gateway.door.goodbyes.try_acquire() {
            socket.close(reason).await;
        }
    }
}

/// A session that ended because the other side has gone is the ordinary end.
pub(crate) const fn is_ordinary(ended: &GatewayError) -> bool {
    matches!(
        ended,
        GatewayError::Session(SessionError::Silent { .. })
            | GatewayError::Connection(_)
            | GatewayError::Replaced
            | GatewayError::Ending
    )
}
