//! What becomes of an attempt: when the next is due, and what of it a person is shown.

use std::time::Duration;

use pipe::Standing;
use wire::{FrameError, PairFailure, RefusedReason, SessionError};

use crate::error::LinkError;
use crate::tls;

/// The wait before the second attempt; it doubles with each further one.
const BACK_OFF_FIRST: Duration = Duration::from_millis(500);

/// The longest wait between two attempts. A wake word is answered by an attempt at once.
const BACK_OFF_MAX: Duration = Duration::from_secs(20);

/// How a connection that failed stands to a person.
pub(super) const fn of_failure(error: &LinkError) -> Standing {
    match error {
        LinkError::AnotherKey => Standing::OtherCloud,
        LinkError::Session(SessionError::Refused(RefusedReason::UnknownDevice)) => Standing::Removed,
        _ if is_other_version(error) => Standing::OtherVersion,
        LinkError::Session(SessionError::Refused(_)) => Standing::Refused,
        _ => Standing::Offline,
    }
}

/// How a pairing that the cloud did not grant stands to a person.
pub(super) const fn of_failed_pairing(reason: PairFailure) -> Standing {
    match reason {
        PairFailure::NoCode => Standing::NoCode,
        PairFailure::WrongCode => Standing::WrongCode,
        PairFailure::Void => Standing::CodeVoid,
        PairFailure::Failed => Standing::NotStored,
        PairFailure::Name => Standing::BadName,
    }
}

/// How a pairing that broke off stands to a person.
pub(super) const fn of_broken_pairing(error: &LinkError) -> Standing {
    match error {
        LinkError::Session(SessionError::Unproven) => Standing::Unproven,
        _ if is_other_version(error) => Standing::PairingOtherVersion,
        _ => Standing::PairingCutOff,
    }
}

const fn is_other_version(error: &LinkError) -> bool {
    matches!(
        error,
        LinkError::Session(
            SessionError::Refused(RefusedReason::Version) | SessionError::Frame(FrameError::Version { .. })
        )
    )
}

/// Why the cloud did not grant a pairing, in words.
pub(super) fn why_not(reason: PairFailure, tries_left: u8) -> String {
    match reason {
        PairFailure::WrongCode => format!("{reason}; tries left: {tries_left}"),
        _ => reason.to_string(),
    }
}

/// Half to all of the wait that is due, so that a thousand devices do not come back in one instant.
pub(super) fn back_off(n_failures: u32) -> Duration {
    let doublings = n_failures.saturating_sub(1).min(16);
    let wait = BACK_OFF_FIRST.saturating_mul(1 << doublings).min(BACK_OFF_MAX);
    // Without randomness, all of it.
    let [jitter] = tls::random().unwrap_or([u8::MAX]);
    wait / 2 + wait / 2 * u32::from(jitter) / 255
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_are_never_in_step() {
        for n_failures in 1..100 {
            let wait = back_off(n_failures);
            assert!(wait >= BACK_OFF_FIRST / 2 && wait <= BACK_OFF_MAX, "{n_failures}: {wait:?}");
        }
        assert!(back_off(u32::MAX) >= BACK_OFF_MAX / 2);
    }
}
