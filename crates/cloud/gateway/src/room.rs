//! Places for those who come. Nobody who comes is turned away: where the room is full, the oldest of the most crowded
//! makes room, so that whoever brings many pays with his own.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::{Duration, Instant};

/// The network that an IPv6 address is given to as a whole, so that one house counts as one.
const NETWORK_SEGMENTS: usize = 4;

/// Where a connection comes from. It is compared and never shown (I9).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Origin(IpAddr);

impl Origin {
    pub(crate) fn of(address: SocketAddr) -> Self {
        match address.ip().to_canonical() {
            IpAddr::V6(address) => {
                let mut segments = address.segments();
                segments[NETWORK_SEGMENTS..].fill(0);
                Self(Ipv6Addr::from(segments).into())
            }
            v4 => Self(v4),
        }
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Origin")
    }
}

/// A room with so many places, of which so many may be taken from one side `K`.
pub(crate) struct Room<K> {
    seats: Arc<Mutex<Seats<K>>>,
    places: usize,
    each_max: usize,
}

struct Seats<K> {
    n_come: u64,
    /// By arrival.
    taken: BTreeMap<u64, Seat<K>>,
}

struct Seat<K> {
    from: K,
    since: Instant,
    stage: u8,
    lost: Arc<Notify>,
}

/// A place in a room, until it is dropped or lost.
pub(crate) struct Place<K: Copy + Eq + Hash> {
    seats: Arc<Mutex<Seats<K>>>,
    number: u64,
    lost: Arc<Notify>,
}

impl<K: Copy + Eq + Hash> Room<K> {
    pub(crate) fn new(places: usize, each_max: usize) -> Self {
        let seats = Seats { n_come: 0, taken: BTreeMap::new() };
        Self { seats: Arc::new(Mutex::new(seats)), places, each_max }
    }

    /// A place for one who comes from `from`, at once.
    pub(crate) fn enter(&self, from: K) -> Place<K> {
        let mut seats = lock(&self.seats);
        if let Some(oldest) = self.who_makes_room(&seats, from) {
            seats.end(oldest);
        }
        self.seat(&mut seats, from)
    }

    /// The same, but nobody makes room before he has been there for `least`. Cancel-safe.
    pub(crate) async fn enter_after(&self, from: K, least: Duration) -> Place<K> {
        loop {
            let until = {
                let mut seats = lock(&self.seats);
                let oldest = self.who_makes_room(&seats, from);
                let since = oldest.and_then(|oldest| seats.taken.get(&oldest)).map(|seat| seat.since);
                match since.map(|since| since + least).filter(|until| Instant::now() < *until) {
                    Some(until) => until,
                    None => {
                        if let Some(oldest) = oldest {
                            seats.end(oldest);
                        }
                        return self.seat(&mut seats, from);
                    }
                }
            };
            tokio::time::sleep_until(until).await;
        }
    }

    fn seat(&self, seats: &mut Seats<K>, from: K) -> Place<K> {
        let (number, lost) = (seats.n_come, Arc::new(Notify::new()));
        seats.n_come += 1;
        seats.taken.insert(number, Seat { from, since: Instant::now(), stage: 0, lost: Arc::clone(&lost) });
        Place { seats: Arc::clone(&self.seats), number, lost }
    }

    /// Who has to go where one comes from `from`; nobody where there is room.
    fn who_makes_room(&self, seats: &Seats<K>, from: K) -> Option<u64> {
        if self.each_max <= seats.taken.values().filter(|seat| seat.from == from).count() {
            return seats.oldest(|seat| seat.from == from);
        }
        if seats.taken.len() < self.places {
            return None;
        }
        let mut crowds = HashMap::<K, usize>::new();
        for seat in seats.taken.values() {
            *crowds.entry(seat.from).or_default() += 1;
        }
        let largest = crowds.values().copied().max();
        seats.oldest(|seat| crowds.get(&seat.from).copied() == largest)
    }
}

impl<K> Seats<K> {
    /// Of those concerned, the oldest at the stage at which most of them are: a silent crowd does not push out the one
    /// who speaks, nor does a crowd that has begun push out the one who has just come.
    fn oldest(&self, concerns: impl Fn(&Seat<K>) -> bool) -> Option<u64> {
        let mut stages = BTreeMap::<u8, (usize, u64)>::new();
        for (number, seat) in self.taken.iter().filter(|(_, seat)| concerns(seat)) {
            stages.entry(seat.stage).or_insert((0, *number)).0 += 1;
        }
        let crowded = stages.values().max_by_key(|(crowd, oldest)| (*crowd, std::cmp::Reverse(*oldest)));
        crowded.map(|(_, oldest)| *oldest)
    }

    fn end(&mut self, number: u64) {
        if let Some(seat) = self.taken.remove(&number) {
            seat.lost.notify_one();
        }
    }
}

impl<K: Copy + Eq + Hash> Place<K> {
    /// How far the one who has it has come.
    pub(crate) fn at_stage(&self, stage: u8) {
        if let Some(seat) = lock(&self.seats).taken.get_mut(&self.number) {
            seat.stage = stage;
        }
    }

    /// Waits until the place is given to another. Cancel-safe.
    pub(crate) async fn lost(&self) {
        self.lost.notified().await;
    }
}

impl<K: Copy + Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        lock(&self.seats).taken.remove(&self.number);
    }
}

fn lock<K>(seats: &Mutex<Seats<K>>) -> MutexGuard<'_, Seats<K>> {
    seats.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_lost(place: &Place<u8>) -> bool {
        !lock(&place.seats).taken.contains_key(&place.number)
    }

    #[test]
    fn the_most_crowded_side_makes_room_its_oldest_first() {
        let room = Room::new(4, 4);
        let one = room.enter(1);
        let crowd = [(); 3].map(|()| room.enter(2));
        let more = [(); 3].map(|()| room.enter(2));
        assert!(!is_lost(&one) && crowd.iter().all(is_lost) && !more.iter().any(is_lost));
        let third = room.enter(3);
        assert!(is_lost(&more[0]) && !is_lost(&third), "a newcomer from elsewhere finds a place");
    }

    #[test]
    fn one_side_has_its_share() {
        let room = Room::new(100, 2);
        let crowd = [(); 3].map(|()| room.enter(1));
        assert_eq!(crowd.each_ref().map(is_lost), [true, false, false]);
    }

    #[test]
    fn a_silent_crowd_from_the_same_side_does_not_push_out_who_speaks() {
        let room = Room::new(8, 8);
        let speaking = room.enter(1);
        speaking.at_stage(1);
        let silent: Vec<_> = (0..100).map(|_| room.enter(1)).collect();
        assert!(!is_lost(&speaking) && silent.iter().filter(|place| !is_lost(place)).count() == 7);
        // Nor does a crowd that has begun push out who has just come.
        silent.iter().for_each(|place| place.at_stage(1));
        let new = room.enter(1);
        let begun: Vec<_> =
            std::iter::repeat_with(|| room.enter(1)).take(6).inspect(|place| place.at_stage(1)).collect();
        assert!(!is_lost(&new) && begun.len() == 6);
    }

    #[tokio::test]
    async fn nobody_is_pushed_out_before_his_time() {
        let (room, least) = (Room::new(2, 2), Duration::from_millis(200));
        let began = Instant::now();
        let places = [room.enter_after(1, least).await, room.enter_after(1, least).await];
        let third = room.enter_after(1, least).await;
        assert!(is_lost(&places[0]) && !is_lost(&places[1]) && !is_lost(&third) && least <= began.elapsed());
    }

    #[test]
    fn a_house_with_ipv6_is_one_side() {
        let origin = |text: &str| Origin::of(text.parse().expect("an address"));
        assert_eq!(origin("[2001:db8::1]:9"), origin("[2001:db8::ffff:2]:7"));
        assert_ne!(origin("[2001:db8::1]:9"), origin("[2001:db8:0:1::1]:9"));
        assert_eq!(origin("[::ffff:10.0.0.1]:9"), origin("10.0.0.1:7"));
        assert_ne!(origin("10.0.0.1:9"), origin("10.0.0.2:9"));
    }
}
