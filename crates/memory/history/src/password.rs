//! Passwords: hashed with argon2id, tried a few at a time, and not as often as somebody likes.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::Mutex;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use base::Redacted;
use tokio::sync::Semaphore;

use crate::error::HistoryError;
use crate::market::random;

/// Characters of a password, at least (NIST SP 800-63B-4, 3.1.1.2, where it is one of two factors).
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Characters of a password, at most: hashing must not be made expensive by its length.
pub const PASSWORD_CHARS_MAX: usize = 256;

/// Passwords hashed at once: each takes 19 MiB.
const HASHING_MAX: usize = 2;
/// Wrong tries of a name that cost no waiting.
const FREE_TRIES: u32 = 5;
/// The first wait; each further wrong try doubles it.
const WAIT_FIRST: Duration = Duration::from_secs(15);
/// The longest wait.
const WAIT_MAX: Duration = Duration::from_secs(900);
/// After this long without a try the count begins anew.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3_600);
/// Names share this many counters, whether they exist or not: bounded, and telling nothing about which exist.
const COUNTERS: usize = 1_024;

/// Letters of a password that we draw: none that reads like another. 32 of them, five bits each.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Groups of letters in a password that we draw, and letters in a group: 100 bits.
const GROUPS: usize = 4;
const GROUP_LEN: usize = 5;

/// A password nobody has to guess at, for the terminal: `xxxxx-xxxxx-xxxxx-xxxxx`.
///
/// # Errors
/// [`HistoryError::Random`].
pub fn generate_password() -> Result<Redacted<String>, HistoryError> {
    let drawn = Redacted::new(random::<{ GROUPS * GROUP_LEN }>()?);
    let mut password = String::with_capacity(GROUPS * (GROUP_LEN + 1));
    for (at, byte) in drawn.expose().iter().enumerate() {
        if at > 0 && at % GROUP_LEN == 0 {
            password.push('-');
        }
        password.push(char::from(LETTERS[usize::from(byte % 32)]));
    }
    Ok(Redacted::new(password))
}

/// Hashes and compares passwords, a few at once.
pub(crate) struct Passwords {
    running: Semaphore,
    /// The hash of nobody's password, so that an unknown name takes as long as a known one.
    nobody: String,
}

impl Passwords {
    pub(crate) async fn new() -> Result<Self, HistoryError> {
        let password = generate_password()?;
        let nobody = tokio::task::spawn_blocking(move || hash(&password)).await??;
        Ok(Self { running: Semaphore::new(HASHING_MAX), nobody })
    }

    /// The PHC string of `password` with a fresh salt.
    pub(crate) async fn hash(&self, password: Redacted<String>) -> Result<String, HistoryError> {
        let chars = password.expose().chars().count();
        if !(PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&chars) {
            let (min, max) = (PASSWORD_CHARS_MIN, PASSWORD_CHARS_MAX);
            return Err(HistoryError::BadLength { what: "a password", min, max });
        }
        let _turn = self.running.acquire().await.map_err(|_| HistoryError::Stopped)?;
        tokio::task::spawn_blocking(move || hash(&password)).await?
    }

    /// Whether `password` is the one of `stored`; never where nothing is stored, after as long.
    pub(crate) async fn verify(
        &self,
        password: Redacted<String>,
        stored: Option<String>,
    ) -> Result<bool, HistoryError> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.clone());
        if password.expose().chars().count() > PASSWORD_CHARS_MAX {
            return Ok(false);
        }
        let _turn = self.running.acquire().await.map_err(|_| HistoryError::Stopped)?;
        let same = tokio::task::spawn_blocking(move || {
            let stored = PasswordHash::new(&stored).map_err(|_| HistoryError::Corrupt("a password's hash"))?;
            Ok::<_, HistoryError>(Argon2::default().verify_password(password.expose().as_bytes(), &stored).is_ok())
        });
        Ok(same.await?? && known)
    }
}

/// argon2id, 19 MiB, two passes (OWASP's first choice, and the library's default).
fn hash(password: &Redacted<String>) -> Result<String, HistoryError> {
    let hash: PasswordHash =
        Argon2::default().hash_password(password.expose().as_bytes()).map_err(|_| HistoryError::Random)?;
    Ok(hash.to_string())
}

/// Counts wrong tries by name and says how long to wait.
pub(crate) struct Tries {
    counters: Mutex<Box<[Counter]>>,
    hasher: RandomState,
}

#[derive(Clone, Copy, Default)]
struct Counter {
    wrong: u32,
    /// When the last wrong try was, as [`base::Clock::elapsed`] says.
    last: Duration,
}

impl Tries {
    pub(crate) fn new() -> Self {
        let counters = vec![Counter::default(); COUNTERS].into_boxed_slice();
        Self { counters: Mutex::new(counters), hasher: RandomState::new() }
    }

    /// Takes a try for `name`, or says how long to wait for the next. A try counts as wrong until
    /// [`Tries::succeeded`]: many at once cannot slip through.
    pub(crate) fn take(&self, name: &str, now: Duration) -> Result<(), Duration> {
        self.with(name, |counter| {
            let since = now.saturating_sub(counter.last);
            if since >= FORGOTTEN_AFTER {
                counter.wrong = 0;
            }
            if let Some(beyond) = counter.wrong.checked_sub(FREE_TRIES) {
                let wait = WAIT_FIRST.saturating_mul(2u32.saturating_pow(beyond)).min(WAIT_MAX);
                if since < wait {
                    return Err(wait - since);
                }
            }
            *counter = Counter { wrong: counter.wrong.saturating_add(1), last: now };
            Ok(())
        })
    }

    /// The try was right: the count begins anew.
    pub(crate) fn succeeded(&self, name: &str) {
        self.with(name, |counter| *counter = Counter::default());
    }

    fn with<T>(&self, name: &str, work: impl FnOnce(&mut Counter) -> T) -> T {
        let at = usize::try_from(self.hasher.hash_one(name) % COUNTERS as u64).unwrap_or_default();
        let mut counters = self.counters.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        work(&mut counters[at])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_tries_are_free_and_then_each_waits_longer() {
        let tries = Tries::new();
        let mut now = Duration::from_secs(10);
        for _ in 0..FREE_TRIES {
            assert_eq!(tries.take("ada", now), Ok(()));
        }
        assert_eq!(tries.take("ada", now), Err(WAIT_FIRST));
        now += WAIT_FIRST;
        assert_eq!(tries.take("ada", now), Ok(()));
        assert_eq!(tries.take("ada", now), Err(2 * WAIT_FIRST));
        for _ in 0..40 {
            now += WAIT_MAX;
            assert_eq!(tries.take("ada", now), Ok(()));
        }
        assert_eq!(tries.take("ada", now), Err(WAIT_MAX));
        now += FORGOTTEN_AFTER;
        assert_eq!(tries.take("ada", now), Ok(()));
        assert_eq!(tries.take("ada", now), Ok(()), "the count began anew");
        tries.succeeded("ada");
        assert_eq!(tries.take("ada", now), Ok(()));
    }

    #[test]
    fn a_drawn_password_is_long_and_never_the_same() {
        let (one, two) = (generate_password().expect("drawn"), generate_password().expect("drawn"));
        assert_eq!(one.expose().len(), GROUPS * GROUP_LEN + GROUPS - 1);
        assert!(one != two);
    }
}
