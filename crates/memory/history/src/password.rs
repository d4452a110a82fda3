//! Passwords: hashed with argon2id, a few at a time.

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

/// Passwords hashed at once: each takes 19 MiB. The app's line of strangers uses one of the two.
const HASHING_MAX: usize = 2;
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

    /// The same for a password that may have been pasted with the space or the end of a line around it: it is tried as it
    /// is, and then without. How long that takes depends on what was given and not on what is stored.
    pub(crate) async fn verify_pasted(
        &self,
        password: Redacted<String>,
        stored: Option<String>,
    ) -> Result<bool, HistoryError> {
        let trimmed = Redacted::new(password.expose().trim().to_owned());
        let is_padded = trimmed.expose().len() < password.expose().len();
        let as_it_is = self.verify(password, stored.clone()).await?;
        let without = if is_padded { self.verify(trimmed, stored).await? } else { false };
        Ok(as_it_is || without)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_password_is_long_and_never_the_same() {
        let (one, two) = (generate_password().expect("drawn"), generate_password().expect("drawn"));
        assert_eq!(one.expose().len(), GROUPS * GROUP_LEN + GROUPS - 1);
        assert!(one != two);
    }
}
