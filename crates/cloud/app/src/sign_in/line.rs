//! The line of strangers who try a password.
//!
//! Nobody is locked out by what others try. A password is looked at when it is its turn: the first at once, and from then
//! on ten a second, whoever asks, with a turn for each address in its order. A right one gives its turn back. So somebody who
//! floods the form makes the owner wait for seconds, and not for as long as the flood lasts; and guesses stay below
//! 36,020 in the first hour and 36,000 in each further one, from all addresses and for all names together. The passwords
//! that Sotto draws have 100 bits, of which that is nothing: 4 × 10²¹ years for all. (Eight lower-case letters, the least that
//! is taken, would stand for some 660 years.)

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::Clock;
use tokio::sync::oneshot::{self, Receiver, Sender};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// Between two wrong tries. One costs some 25 ms of one core and 19 MiB: a flood takes a quarter of a core.
const TRY_EVERY: Duration = Duration::from_millis(100);
/// Tries that need not wait where there were none for some seconds.
const FREE_TRIES: u32 = 20;
/// Tries of one address that wait: as many as it may have connections, and thirteen seconds' worth.
const WAITING_PER_ADDRESS_MAX: usize = 128;
/// Tries that wait in all.
const WAITING_MAX: usize = 256;
/// The longest wait for a turn.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// The line.
pub(crate) struct Line {
    clock: Arc<dyn Clock>,
    queue: Mutex<Queue>,
    /// One at a time: a right password of somebody who is known never waits behind these.
    looking: Semaphore,
}

/// A turn: for as long as it lives, no other stranger's password is looked at.
pub(crate) struct Turn<'a> {
    line: &'a Line,
    _looking: SemaphorePermit<'a>,
}

/// Why there is no turn: too many wait already.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Crowded;

impl Line {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, queue: Mutex::default(), looking: Semaphore::new(1) }
    }

    /// Waits for this address's turn.
    pub(crate) async fn turn(&self, address: IpAddr) -> Result<Turn<'_>, Crowded> {
        let deadline = Instant::now() + WAIT_MAX;
        let mut turn = {
            let mut queue = self.queue();
            let turn = queue.join(address)?;
            queue.call(self.clock.elapsed());
            turn
        };
        loop {
            let pause = self.queue().until_next(self.clock.elapsed()).max(Duration::from_millis(1));
            let wake = deadline.min(Instant::now() + pause);
            match tokio::time::timeout_at(wake, &mut turn).await {
                Ok(Ok(())) => break,
                Ok(Err(_)) => return Err(Crowded),
                Err(_) if Instant::now() >= deadline => return Err(Crowded),
                // Whoever waits calls the next, be it himself or another.
                Err(_) => self.queue().call(self.clock.elapsed()),
            }
        }
        let looking = self.looking.acquire().await.map_err(|_| Crowded)?;
        Ok(Turn { line: self, _looking: looking })
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// The password was right: it costs nobody a try.
    pub(crate) fn was_right(self) {
        self.line.queue().give_back();
    }
}

/// Who waits, by address, and when the next may go.
#[derive(Default)]
struct Queue {
    /// The address whose turn is next comes first.
    lines: VecDeque<(IpAddr, VecDeque<Sender<()>>)>,
    /// When the tries so far would have ended, one after another (the "generic cell rate algorithm").
    paid_until: Duration,
}

impl Queue {
    fn join(&mut self, address: IpAddr) -> Result<Receiver<()>, Crowded> {
        // Those who went away while they waited.
        for (_, line) in &mut self.lines {
            line.retain(|waiting| !waiting.is_closed());
        }
        self.lines.retain(|(_, line)| !line.is_empty());
        let waiting: usize = self.lines.iter().map(|(_, line)| line.len()).sum();
        if waiting >= WAITING_MAX {
            return Err(Crowded);
        }
        let (call, called) = oneshot::channel();
        match self.lines.iter_mut().find(|(whose, _)| *whose == address) {
            Some((_, line)) if line.len() >= WAITING_PER_ADDRESS_MAX => return Err(Crowded),
            Some((_, line)) => line.push_back(call),
            None => self.lines.push_back((address, VecDeque::from([call]))),
        }
        Ok(called)
    }

    /// Calls as many as may go now.
    fn call(&mut self, now: Duration) {
        while self.until_next(now).is_zero() {
            let Some((address, mut line)) = self.lines.pop_front() else { return };
            let called = line.pop_front().is_some_and(|waiting| waiting.send(()).is_ok());
            if !line.is_empty() {
                self.lines.push_back((address, line));
            }
            if called {
                self.paid_until = self.paid_until.max(now) + TRY_EVERY;
            }
        }
    }

    fn until_next(&self, now: Duration) -> Duration {
        self.paid_until.saturating_sub(TRY_EVERY * (FREE_TRIES - 1)).saturating_sub(now)
    }

    fn give_back(&mut self) {
        self.paid_until = self.paid_until.saturating_sub(TRY_EVERY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 2));
    const START: Duration = Duration::from_secs(1_000);

    fn is_called(turn: &mut Receiver<()>) -> bool {
        turn.try_recv().is_ok()
    }

    #[test]
    fn a_flood_of_an_hour_gets_so_many_guesses_and_no_more() {
        let mut queue = Queue::default();
        let (mut waiting, mut guesses) = (Vec::new(), 0);
        for tick in 0..36_000 {
            while let Ok(turn) = queue.join(HERE) {
                waiting.push(turn);
            }
            queue.call(START + TRY_EVERY * tick);
            let before = waiting.len();
            waiting.retain_mut(|turn| !is_called(turn));
            guesses += before - waiting.len();
        }
        assert_eq!(guesses, 36_000 + FREE_TRIES as usize - 1);
    }

    #[test]
    fn somebody_in_a_flood_waits_for_seconds_and_elsewhere_for_none() {
        let mut queue = Queue::default();
        let mut flood: Vec<_> = (0..WAITING_PER_ADDRESS_MAX - 1).map(|_| queue.join(HERE).expect("room")).collect();
        queue.call(START);
        flood.extend((0..FREE_TRIES).map(|_| queue.join(HERE).expect("room")));
        let mut owner = queue.join(HERE).expect("room");
        assert_eq!(queue.join(HERE).map(drop), Err(Crowded));
        let mut elsewhere = queue.join(THERE).expect("room");
        queue.call(START + TRY_EVERY * 2);
        assert!(is_called(&mut elsewhere), "each address has its turn");
        let latest = START + Duration::from_secs(13);
        let mut now = START;
        while !is_called(&mut owner) {
            now += TRY_EVERY;
            assert!(now <= latest);
            queue.call(now);
        }
        assert_eq!(flood.len(), WAITING_PER_ADDRESS_MAX - 1 + FREE_TRIES as usize);
    }

    #[test]
    fn who_goes_away_takes_no_turn_and_a_right_password_costs_none() {
        let mut queue = Queue::default();
        for _ in 0..FREE_TRIES {
            let mut turn = queue.join(HERE).expect("room");
            drop(queue.join(HERE).expect("room"));
            queue.call(START);
            assert!(is_called(&mut turn));
        }
        assert_eq!(queue.until_next(START), TRY_EVERY);
        for _ in 0..3 {
            queue.give_back();
            let mut turn = queue.join(THERE).expect("room");
            queue.call(START);
            assert!(is_called(&mut turn));
        }
    }
}
