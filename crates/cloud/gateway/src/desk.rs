//! The pairing desk: one code at a time, ten minutes, five tries.
//!
//! A code is shown by the app to one account's owner and typed at the device. Only one is open at a time, whoever asked
//! for it: the device's half of the exchange does not say whose code was typed. A new one voids the one before.
//!
//! The tries are the code's, not a device's: whoever reaches the cloud can use them up, but from one address only some of
//! them, so that the owner's device has a try left. Who has more addresses can void a code; that is seen
//! ([`DeskState::Void`] until the next one) and costs the owner a new code, of a million.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::limits::{PAIRING_CODE_LIFE, PAIRING_TRIES_MAX};
use base::{AccountId, Clock, DeviceId};
use wire::pairing::{CountedTry, PairingCode};

use crate::error::GatewayError;
use crate::limits::PAIRING_TRIES_PER_ADDRESS_MAX;
use crate::room::Origin;

/// Where the open code stands, for the page that shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeskState {
    /// No code was asked for, or it is too old.
    Closed,
    /// The code can be typed.
    Open {
        /// For how long.
        left: Duration,
        /// Wrong codes that may still be tried.
        tries_left: u8,
    },
    /// Too many wrong codes were tried.
    Void,
    /// A device was paired by it.
    Used(DeviceId),
}

/// Names one code among those that were issued, so that a try at one never counts against the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

/// Issues pairing codes and counts the tries at them. Shared by the app and the gateway.
pub struct PairingDesk {
    clock: Arc<dyn Clock>,
    desk: Mutex<Desk>,
}

#[derive(Default)]
struct Desk {
    n_issued: u64,
    slip: Option<Slip>,
}

struct Slip {
    ticket: Ticket,
    account: AccountId,
    until: Duration,
    state: SlipState,
}

enum SlipState {
    /// With no try left it is void for newcomers, while the last try may still be the right one.
    Open {
        code: PairingCode,
        tries_left: u8,
        /// Where each try came from.
        tried: Vec<Origin>,
    },
    /// The code was proved; the device is being stored.
    Redeemed,
    Used(DeviceId),
}

impl std::fmt::Debug for PairingDesk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PairingDesk").finish_non_exhaustive()
    }
}

impl PairingDesk {
    /// A desk with no open code.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, desk: Mutex::default() }
    }

    /// A new code for a device of this account; the one before it is void.
    ///
    /// # Errors
    /// [`GatewayError::Random`] where the system gives no random numbers.
    pub fn issue(&self, account: AccountId) -> Result<PairingCode, GatewayError> {
        let code = draw()?;
        let until = self.clock.elapsed().saturating_add(PAIRING_CODE_LIFE);
        let mut desk = self.lock();
        desk.n_issued += 1;
        let ticket = Ticket(desk.n_issued);
        let state = SlipState::Open { code: code.clone(), tries_left: PAIRING_TRIES_MAX, tried: Vec::new() };
        desk.slip = Some(Slip { ticket, account, until, state });
        Ok(code)
    }

    /// Where this account's code stands.
    #[must_use]
    pub fn state(&self, account: AccountId) -> DeskState {
        let now = self.clock.elapsed();
        match &self.lock().slip {
            Some(slip) if slip.account == account => match &slip.state {
                SlipState::Used(device) => DeskState::Used(*device),
                // Until there is a new one: somebody may have guessed while nobody looked.
                SlipState::Open { tries_left: 0, .. } => DeskState::Void,
                _ if slip.until <= now => DeskState::Closed,
                SlipState::Open { tries_left, .. } => {
                    DeskState::Open { left: slip.until.saturating_sub(now), tries_left: *tries_left }
                }
                SlipState::Redeemed => DeskState::Open { left: slip.until.saturating_sub(now), tries_left: 0 },
            },
            _ => DeskState::Closed,
        }
    }

    /// Voids this account's code, as when the owner leaves the page.
    pub fn withdraw(&self, account: AccountId) {
        self.lock().slip.take_if(|slip| slip.account == account);
    }

    /// The open code, for one exchange.
    pub(crate) fn offered(&self) -> Option<(Ticket, PairingCode)> {
        let now = self.clock.elapsed();
        match &self.lock().slip {
            Some(Slip { ticket, until, state: SlipState::Open { code, tries_left: 1.., .. }, .. })
                if now < *until =>
            {
                Some((*ticket, code.clone()))
            }
            _ => None,
        }
    }

    /// Counts a try at the code; nothing where that code is void, used, replaced or too old, or where that address has
    /// had its tries at it.
    pub(crate) fn count_try(&self, ticket: Ticket, from: Origin) -> Option<CountedTry> {
        let now = self.clock.elapsed();
        match &mut self.lock().slip {
            Some(Slip { ticket: open, until, state: SlipState::Open { tries_left, tried, .. }, .. })
                if *open == ticket && now < *until =>
            {
                let had = tried.iter().filter(|tried| **tried == from).count();
                if usize::from(PAIRING_TRIES_PER_ADDRESS_MAX) <= had {
                    return None;
                }
                *tries_left = tries_left.checked_sub(1)?;
                tried.push(from);
                Some(CountedTry { tries_left: *tries_left })
            }
            _ => None,
        }
    }

    /// A device has proved the code, which is used up by it: whose device it will be.
    pub(crate) fn redeem(&self, ticket: Ticket) -> Option<AccountId> {
        let mut desk = self.lock();
        let slip = desk.slip.as_mut().filter(|slip| slip.ticket == ticket)?;
        match slip.state {
            SlipState::Open { .. } => {
                slip.state = SlipState::Redeemed;
                Some(slip.account)
            }
            _ => None,
        }
    }

    /// The device is stored.
    pub(crate) fn paired(&self, ticket: Ticket, device: DeviceId) {
        if let Some(slip) = self.lock().slip.as_mut().filter(|slip| slip.ticket == ticket) {
            slip.state = SlipState::Used(device);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An even draw from all codes.
fn draw() -> Result<PairingCode, GatewayError> {
    /// Numbers from here on would make the first codes likelier.
    const EVEN: u32 = u32::MAX - u32::MAX % PairingCode::COUNT;
    loop {
        let mut bytes = [0; 4];
        getrandom::fill(&mut bytes).map_err(|_| GatewayError::Random)?;
        let number = u32::from_le_bytes(bytes);
        if number < EVEN {
            return Ok(PairingCode::from_number(number % PairingCode::COUNT));
        }
    }
}

#[cfg(test)]
mod tests {
    use base::{SetClock, Timestamp};

    use super::*;

    const OWNER: AccountId = AccountId::from_bytes([1; 16]);

    /// A different one for each number.
    fn from(n: u8) -> Origin {
        Origin::of(([10, 0, 0, n], 7).into())
    }

    fn desk() -> (Arc<SetClock>, PairingDesk) {
        let clock = Arc::new(SetClock::new(Timestamp::from_unix_ms(0)));
        (Arc::clone(&clock), PairingDesk::new(clock))
    }

    #[test]
    fn five_tries_and_the_code_is_void() {
        let (clock, desk) = desk();
        desk.issue(OWNER).expect("a code");
        let (ticket, _) = desk.offered().expect("an open code");
        for left in (0..5).rev() {
            assert_eq!(desk.count_try(ticket, from(left)).map(|counted| counted.tries_left), Some(left));
        }
        assert!(desk.count_try(ticket, from(9)).is_none() && desk.offered().is_none());
        assert_eq!(desk.state(OWNER), DeskState::Void);
        clock.advance(2 * PAIRING_CODE_LIFE);
        assert_eq!(desk.state(OWNER), DeskState::Void, "whoever looks later sees it too");
    }

    #[test]
    fn one_address_cannot_use_up_all_tries() {
        let (_, desk) = desk();
        desk.issue(OWNER).expect("a code");
        let (ticket, _) = desk.offered().expect("an open code");
        let counted = (0..100).filter(|_| desk.count_try(ticket, from(1)).is_some()).count();
        assert_eq!(counted, usize::from(PAIRING_TRIES_PER_ADDRESS_MAX));
        assert_eq!(desk.count_try(ticket, from(2)).map(|counted| counted.tries_left), Some(1));
        assert_eq!(desk.redeem(ticket), Some(OWNER), "the owner's device is paired all the same");
    }

    #[test]
    fn the_fifth_try_may_be_the_right_one() {
        let (_, desk) = desk();
        desk.issue(OWNER).expect("a code");
        let (ticket, _) = desk.offered().expect("an open code");
        for n in 0..5 {
            assert!(desk.count_try(ticket, from(n)).is_some());
        }
        assert_eq!(desk.redeem(ticket), Some(OWNER));
        assert_eq!(desk.redeem(ticket), None, "a code pairs one device");
        let device = DeviceId::from_bytes([7; 16]);
        desk.paired(ticket, device);
        assert_eq!(desk.state(OWNER), DeskState::Used(device));
    }

    #[test]
    fn ten_minutes_by_the_clock_that_nobody_sets() {
        let (clock, desk) = desk();
        desk.issue(OWNER).expect("a code");
        let (ticket, _) = desk.offered().expect("an open code");
        clock.jump_to(Timestamp::from_unix_ms(i64::MAX));
        clock.advance(PAIRING_CODE_LIFE - Duration::from_millis(1));
        assert!(desk.offered().is_some());
        clock.advance(Duration::from_millis(1));
        assert!(desk.offered().is_none() && desk.count_try(ticket, from(1)).is_none());
        assert_eq!(desk.state(OWNER), DeskState::Closed);
    }

    #[test]
    fn a_new_code_voids_the_one_before_and_its_tries() {
        let (_, desk) = desk();
        desk.issue(OWNER).expect("a code");
        let (old, _) = desk.offered().expect("an open code");
        desk.issue(AccountId::from_bytes([2; 16])).expect("a code");
        assert!(desk.count_try(old, from(1)).is_none() && desk.redeem(old).is_none());
        assert_eq!(desk.state(OWNER), DeskState::Closed);
        let (new, _) = desk.offered().expect("an open code");
        assert_eq!(desk.count_try(new, from(1)).map(|counted| counted.tries_left), Some(4));
    }

    #[test]
    fn codes_are_six_digits_and_not_the_same() {
        let codes: std::collections::HashSet<_> =
            (0..50).map(|_| draw().expect("random numbers").expose().to_owned()).collect();
        assert!(codes.len() > 45 && codes.iter().all(|code| code.len() == 6));
    }
}
