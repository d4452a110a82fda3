//! Browsers from which somebody has signed in before: they do not stand in the line of strangers, as long as they do not
//! guess (the "device cookies" of OWASP, "Slow Down Online Guessing Attacks").

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base::Redacted;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The cookie by which a browser is known. It signs nobody in.
pub(crate) const COOKIE: &str = "sotto_browser";
/// How long a browser keeps it: as long as browsers keep any.
pub(crate) const COOKIE_LIFE: Duration = Duration::from_secs(400 * 86_400);

/// Wrong tries of one browser, within [`COUNTED_FOR`], before it is a stranger again.
const WRONG_MAX: u32 = 10;
/// How long they count, from the first on.
const COUNTED_FOR: Duration = Duration::from_secs(3_600);
/// Browsers whose wrong tries are counted; there are no more cookies than sign-ins that succeeded.
const COUNTED_MAX: usize = 1_024;
const ID_LEN: usize = 16;

/// What a cookie names.
pub(crate) type BrowserId = [u8; ID_LEN];

/// Knows its own cookies again; those of another start of the cloud it does not.
pub(crate) struct KnownBrowsers {
    key: Redacted<[u8; 32]>,
    wrong: Mutex<BTreeMap<BrowserId, Wrong>>,
}

#[derive(Clone, Copy)]
struct Wrong {
    tries: u32,
    first: Duration,
}

impl KnownBrowsers {
    /// `None` where the machine gives no random bytes.
    pub(crate) fn new() -> Option<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).ok()?;
        Some(Self { key: Redacted::new(key), wrong: Mutex::default() })
    }

    /// A cookie for a browser from which somebody has signed in to this account.
    pub(crate) fn cookie(&self, account: &str) -> Option<String> {
        let mut id = [0; ID_LEN];
        getrandom::fill(&mut id).ok()?;
        let tag = self.tag(&id, account).finalize().into_bytes();
        Some(hex(&id) + &hex(&tag))
    }

    /// The browser with this cookie, where it is one of ours, of this account, and has not guessed too often.
    pub(crate) fn known(&self, cookie: &str, account: &str, now: Duration) -> Option<BrowserId> {
        let bytes = from_hex(cookie)?;
        let (id, tag) = bytes.split_first_chunk::<ID_LEN>()?;
        self.tag(id, account).verify_slice(tag).ok()?;
        let wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let is_stranger = wrong.get(id).is_some_and(|wrong| wrong.tries >= WRONG_MAX && wrong.counts(now));
        (!is_stranger).then_some(*id)
    }

    /// Takes one of its tries. Taken before the password is looked at: many at once cannot slip through.
    pub(crate) fn try_taken(&self, id: BrowserId, now: Duration) {
        let mut all = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= COUNTED_MAX && !all.contains_key(&id) {
            all.retain(|_, wrong| wrong.counts(now));
            let oldest = all.iter().min_by_key(|(_, wrong)| wrong.first).map(|(id, _)| *id);
            if let Some(oldest) = oldest.filter(|_| all.len() >= COUNTED_MAX) {
                all.remove(&oldest);
            }
        }
        let wrong = all.entry(id).or_insert(Wrong { tries: 0, first: now });
        if !wrong.counts(now) {
            *wrong = Wrong { tries: 0, first: now };
        }
        wrong.tries = wrong.tries.saturating_add(1);
    }

    /// The password was right: its count begins anew.
    pub(crate) fn was_right(&self, id: BrowserId) {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    fn tag(&self, id: &BrowserId, account: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.expose()).expect("HMAC takes a key of any length");
        mac.update(id);
        mac.update(account.trim().to_lowercase().as_bytes());
        mac
    }
}

impl Wrong {
    fn counts(self, now: Duration) -> bool {
        now.saturating_sub(self.first) < COUNTED_FOR
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks_exact(2);
    if text.len() > 2 * (ID_LEN + 32) || !pairs.remainder().is_empty() {
        return None;
    }
    pairs.map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(5);

    #[test]
    fn only_its_own_cookies_are_known_and_only_for_their_account() {
        let browsers = KnownBrowsers::new().expect("random bytes");
        let cookie = browsers.cookie("Owner").expect("a cookie");
        assert!(browsers.known(&cookie, " owner", NOW).is_some());
        assert!(browsers.known(&cookie, "eve", NOW).is_none());
        assert!(KnownBrowsers::new().expect("random bytes").known(&cookie, "owner", NOW).is_none());
        for bad in ["", "0", "zz", &cookie[..64], &cookie.replace(&cookie[..2], "zz"), &(cookie.clone() + "00")] {
            assert!(browsers.known(bad, "owner", NOW).is_none(), "{bad}");
        }
    }

    #[test]
    fn one_that_guesses_is_a_stranger_for_an_hour() {
        let browsers = KnownBrowsers::new().expect("random bytes");
        let cookie = browsers.cookie("owner").expect("a cookie");
        let id = browsers.known(&cookie, "owner", NOW).expect("known");
        for _ in 0..WRONG_MAX - 1 {
            browsers.try_taken(id, NOW);
        }
        assert!(browsers.known(&cookie, "owner", NOW).is_some());
        browsers.was_right(id);
        for _ in 0..WRONG_MAX {
            browsers.try_taken(id, NOW);
        }
        assert!(browsers.known(&cookie, "owner", NOW).is_none());
        let later = NOW + COUNTED_FOR;
        assert!(browsers.known(&cookie, "owner", later).is_some());
        browsers.try_taken(id, later);
        assert!(browsers.known(&cookie, "owner", later).is_some(), "the count began anew");
    }
}
