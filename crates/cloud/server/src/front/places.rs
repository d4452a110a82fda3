//! The places that connections have: how many, for how long, and whose goes where none is free.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// From connecting, or from the last answer, to the next request's head; and from there to its last byte. Counted from its
/// beginning, so that a byte now and then gains nothing. Also how long a browser's connection may stand idle.
pub(super) const REQUEST_WITHIN: Duration = Duration::from_secs(15);
/// From a whole request to the last byte of its answer, the wait in the line of sign-ins and a slow reader included: at
/// 8 kB/s the longest recording is through.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// An answer that takes so long is given up where its place is wanted and nobody waits idle. The whole line of one address's
/// sign-ins takes 13 s.
const ANSWER_SPARED: Duration = Duration::from_secs(15);
/// Connections told to close whose descriptors may still be open.
const CLOSING_MAX: usize = 32;
/// Refusals are counted, and told at most once in so long.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// What a connection is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    /// It waits for its browser: for a request, or for the rest of one.
    Waiting,
    /// A whole request is here; it is being answered.
    Answering,
}

/// All places of a door.
#[derive(Debug)]
pub(super) struct Places {
    max: usize,
    max_per_address: usize,
    inner: Mutex<Inner>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    taken: BTreeMap<u64, Taken>,
    /// Places given up whose connections are not closed yet.
    closing: usize,
    refusals: Refusals,
}

#[derive(Debug)]
struct Taken {
    address: IpAddr,
    doing: Doing,
    since: Instant,
    look: Arc<Notify>,
}

/// Connections closed before their time, since it was last told.
#[derive(Debug, Default)]
struct Refusals {
    displaced: u64,
    late: u64,
    not_accepted: u64,
    told: Option<Instant>,
}

/// A connection's place; given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    id: u64,
    places: Arc<Places>,
    look: Arc<Notify>,
}

impl Places {
    pub(super) fn new(max: usize, max_per_address: usize) -> Self {
        Self { max, max_per_address, inner: Mutex::default(), freed: Notify::new() }
    }

    /// A place for a connection from this address, another's if need be; `None` where all are being answered.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let now = Instant::now();
        let mut inner = self.inner();
        let of_address = inner.taken.values().filter(|taken| taken.address == address).count();
        let is_full = inner.taken.len() >= self.max;
        if is_full || of_address >= self.max_per_address {
            let whose = (of_address >= self.max_per_address).then_some(address);
            if inner.closing >= CLOSING_MAX || !inner.displace(whose, now) {
                return None;
            }
        }
        let (id, look) = (inner.next, Arc::new(Notify::new()));
        inner.next += 1;
        let taken = Taken { address, doing: Doing::Waiting, since: now, look: Arc::clone(&look) };
        inner.taken.insert(id, taken);
        Some(Place { id, places: Arc::clone(self), look })
    }

    /// Closes the connection that has waited longest, if one waits.
    pub(super) fn make_room(&self) {
        self.inner().displace(None, Instant::now());
    }

    /// Counts a connection that could not be accepted.
    pub(super) fn complain(&self, why: &io::Error) {
        let mut inner = self.inner();
        inner.refusals.not_accepted += 1;
        inner.refusals.tell(Some(why), Instant::now());
    }

    /// Is there when a place has been given back after this call.
    pub(super) fn freed(&self) -> impl Future<Output = ()> {
        // tokio wakes it for what happens from now on, also before it is first polled.
        self.freed.notified()
    }

    /// Waits until every connection has closed.
    pub(super) async fn until_empty(&self) {
        loop {
            let freed = self.freed();
            if self.is_empty() {
                return;
            }
            freed.await;
        }
    }

    fn is_empty(&self) -> bool {
        let inner = self.inner();
        inner.taken.is_empty() && inner.closing == 0
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Takes the place of the connection that has waited longest for its browser, or else of the one that is longest
    /// answered; only of `whose`, where that is said.
    fn displace(&mut self, whose: Option<IpAddr>, now: Instant) -> bool {
        let may_go = |taken: &&Taken| {
            whose.is_none_or(|address| taken.address == address)
                && (taken.doing == Doing::Waiting || now.saturating_duration_since(taken.since) >= ANSWER_SPARED)
        };
        let order = |taken: &Taken| (taken.doing == Doing::Answering, taken.since);
        let oldest = self.taken.iter().filter(|(_, taken)| may_go(taken)).min_by_key(|(_, taken)| order(taken));
        let Some(id) = oldest.map(|(id, _)| *id) else { return false };
        if let Some(gone) = self.taken.remove(&id) {
            gone.look.notify_one();
            self.closing += 1;
        }
        self.refusals.displaced += 1;
        self.refusals.tell(None, now);
        true
    }
}

impl Place {
    /// Notes what the connection is about from now on; its deadline begins anew.
    pub(super) fn is(&self, doing: Doing) {
        if let Some(taken) = self.places.inner().taken.get_mut(&self.id) {
            (taken.doing, taken.since) = (doing, Instant::now());
        }
        self.look.notify_one();
    }

    /// Whether it waits for its browser.
    pub(super) fn is_waiting(&self) -> bool {
        self.places.inner().taken.get(&self.id).is_none_or(|taken| taken.doing == Doing::Waiting)
    }

    /// Is there when the connection's time is over, or its place somebody else's.
    pub(super) async fn over(&self) {
        while let Some(deadline) = self.deadline() {
            if Instant::now() >= deadline {
                let mut inner = self.places.inner();
                inner.refusals.late += 1;
                return inner.refusals.tell(None, Instant::now());
            }
            let _ = tokio::time::timeout_at(deadline, self.look.notified()).await;
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.places.inner().taken.get(&self.id).map(|taken| {
            taken.since
                + match taken.doing {
                    Doing::Waiting => REQUEST_WITHIN,
                    Doing::Answering => ANSWER_WITHIN,
                }
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut inner = self.places.inner();
        if inner.taken.remove(&self.id).is_none() {
            inner.closing = inner.closing.saturating_sub(1);
        }
        drop(inner);
        self.places.freed.notify_waiters();
    }
}

impl Refusals {
    /// One line for many: a flood of connections must not be a flood of lines.
    fn tell(&mut self, why: Option<&io::Error>, now: Instant) {
        if self.told.is_some_and(|told| now.saturating_duration_since(told) < TELL_EVERY) {
            return;
        }
        let Self { displaced, late, not_accepted, .. } = std::mem::take(self);
        self.told = Some(now);
        let why = why.map(tracing::field::display);
        tracing::warn!(displaced, late, not_accepted, why, "app.connections_refused");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 2));

    fn is_over(place: &Place) -> bool {
        place.deadline().is_none()
    }

    #[tokio::test]
    async fn the_one_that_has_waited_longest_makes_room() {
        let places = Arc::new(Places::new(4, 3));
        let held: Vec<Place> = (0..3).map(|_| places.take(HERE).expect("free")).collect();
        held[0].is(Doing::Answering);
        let fourth = places.take(HERE).expect("the second's");
        assert_eq!(held.iter().map(is_over).collect::<Vec<_>>(), [false, true, false], "of its own address");
        let other = places.take(THERE).expect("free");
        let another = places.take(THERE).expect("the third's");
        assert_eq!([&held[2], &fourth, &other, &another].map(is_over), [true, false, false, false], "of any");
        // What is displaced ends at once, however long it might have waited.
        held[1].over().await;
        held[2].over().await;
    }

    #[tokio::test]
    async fn where_all_are_being_answered_the_next_waits_for_a_place() {
        let places = Arc::new(Places::new(2, 2));
        let held: Vec<Place> = (0..2).map(|_| places.take(HERE).expect("free")).collect();
        held.iter().for_each(|place| place.is(Doing::Answering));
        assert!(places.take(HERE).is_none());
        let freed = places.freed();
        drop(held);
        freed.await;
        let _place = places.take(HERE).expect("free again");
    }

    #[tokio::test]
    async fn descriptors_of_closing_connections_are_bounded_too() {
        let places = Arc::new(Places::new(1, 1));
        let displaced: Vec<Place> = (0..=CLOSING_MAX).map(|_| places.take(HERE).expect("displaces")).collect();
        assert!(places.take(HERE).is_none(), "too many have not closed yet");
        drop(displaced);
        places.until_empty().await;
        assert!(places.take(HERE).is_some());
    }

    #[tokio::test]
    async fn a_flood_of_refusals_is_one_line() {
        let mut refusals = Refusals::default();
        let start = Instant::now();
        for n in 0..100 {
            refusals.displaced += 1;
            refusals.tell(None, start);
            assert_eq!(refusals.displaced, n, "the first is told, the others are counted");
        }
        refusals.tell(None, start + TELL_EVERY);
        assert_eq!(refusals.displaced, 0);
    }
}
