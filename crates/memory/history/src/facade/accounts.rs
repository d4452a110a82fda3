//! Who somebody is, and which devices are theirs.

use std::sync::Arc;

use base::{AccountId, DeviceId, Marketplace, Redacted};

use crate::directory::{Account, NAME_CHARS_MAX, token_hash};
use crate::error::HistoryError;
use crate::facade::History;
use crate::market::random;
use crate::password::generate_password;
use crate::standing::Attendance;
use crate::store::devices::{DEVICES_MAX, NewDevice};
use crate::types::{Device, SignIn};

/// Bytes drawn for a session's token.
const TOKEN_LEN: usize = 32;

impl History {
    /// Adds an account, which keeps its utterances in marketplace `us`. Names are compared without regard to case.
    ///
    /// # Errors
    /// [`HistoryError::NameTaken`], [`HistoryError::BadLength`] (of name or password), [`HistoryError::TooMany`].
    pub async fn create_account(&self, name: &str, password: Redacted<String>) -> Result<AccountId, HistoryError> {
        let name = account_name(name)?;
        let hash = self.parts.passwords.hash(password).await?;
        let account = Account { id: AccountId::from_bytes(random()?), name, home: Marketplace::US };
        self.parts.directory.create(&account, &hash, self.parts.clock.now()).await?;
        Ok(account.id)
    }

    /// All accounts, oldest first.
    ///
    /// # Errors
    /// [`HistoryError::Database`].
    pub async fn accounts(&self) -> Result<Vec<Account>, HistoryError> {
        self.parts.directory.accounts().await
    }

    /// Whether name and password belong together. It takes as long whether there is such a name or not. How often somebody
    /// may ask is for the caller to decide, who knows where the question comes from.
    ///
    /// # Errors
    /// [`HistoryError::Database`].
    pub async fn check_password(&self, name: &str, password: Redacted<String>) -> Result<SignIn, HistoryError> {
        let Ok(name) = account_name(name) else { return Ok(SignIn::Refused) };
        let known = self.parts.directory.password(name.expose()).await?;
        let (account, stored) = known.unzip();
        let right = self.parts.passwords.verify_pasted(password, stored).await?;
        Ok(match account {
            Some(account) if right => SignIn::Accepted(account),
            _ => SignIn::Refused,
        })
    }

    /// Draws a new password for the account of that name and ends all its sessions. For the terminal.
    ///
    /// # Errors
    /// [`HistoryError::NoSuchAccount`].
    pub async fn reset_password(&self, name: &str) -> Result<Redacted<String>, HistoryError> {
        let password = generate_password()?;
        self.set_password(name, password.clone()).await?;
        Ok(password)
    }

    /// Gives the account of that name this password and ends all its sessions. For the terminal.
    ///
    /// # Errors
    /// [`HistoryError::NoSuchAccount`], [`HistoryError::BadLength`].
    pub async fn set_password(&self, name: &str, password: Redacted<String>) -> Result<(), HistoryError> {
        let name = account_name(name)?;
        let hash = self.parts.passwords.hash(password).await?;
        self.parts.directory.set_password(name.expose(), &hash).await?;
        Ok(())
    }

    /// Signs `account` in: the token is handed out this once, and kept only as its hash. Good for
    /// [`crate::SESSION_LIFE`].
    ///
    /// # Errors
    /// [`HistoryError::NoSuchAccount`].
    pub async fn open_session(&self, account: AccountId) -> Result<Redacted<String>, HistoryError> {
        let bytes = Redacted::new(random::<TOKEN_LEN>()?);
        let mut token = String::with_capacity(2 * TOKEN_LEN);
        for byte in bytes.expose() {
            for digit in [byte >> 4, byte & 15] {
                token.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
            }
        }
        let token = Redacted::new(token);
        self.parts.directory.open_session(account, token_hash(&token), self.parts.clock.now()).await?;
        Ok(token)
    }

    /// Whose session that token is; nothing where it is over, or none.
    ///
    /// # Errors
    /// [`HistoryError::Database`].
    pub async fn session(&self, token: &Redacted<String>) -> Result<Option<AccountId>, HistoryError> {
        self.parts.directory.session(token_hash(token), self.parts.clock.now()).await
    }

    /// Signs out.
    ///
    /// # Errors
    /// [`HistoryError::Database`].
    pub async fn close_session(&self, token: &Redacted<String>) -> Result<(), HistoryError> {
        self.parts.directory.close_session(token_hash(token)).await
    }

    /// Adds a device that was paired for `account`. The same key again is the same device, renamed; where it belongs
    /// to another account, it is revoked there.
    ///
    /// # Errors
    /// [`HistoryError::NoSuchAccount`], [`HistoryError::BadLength`], [`HistoryError::TooMany`].
    pub async fn add_device(
        &self,
        account: AccountId,
        name: &str,
        key_sha256: [u8; 32],
    ) -> Result<DeviceId, HistoryError> {
        let market = self.home(account).await?;
        let name = trimmed("a device's name", name)?;
        if self.devices(account).await?.len() >= DEVICES_MAX {
            return Err(HistoryError::TooMany { what: "devices of an account", max: DEVICES_MAX });
        }
        let elsewhere = |before: &Device| before.revoked.is_none() && before.account != account;
        if let Some(before) = self.device_by_key(key_sha256).await?.filter(elsewhere) {
            self.revoke_device(before.account, before.id).await?;
        }
        let id = DeviceId::from_bytes(random()?);
        let new = NewDevice { id, account, name: name.to_owned().into(), key_sha256, at: self.parts.clock.now() };
        market.store.add_device(new, market.marketplace).await
    }

    /// The device that has this key (SHA-256 of its SPKI), or had it: look at [`Device::revoked`].
    ///
    /// # Errors
    /// [`HistoryError::Database`].
    pub async fn device_by_key(&self, key_sha256: [u8; 32]) -> Result<Option<Device>, HistoryError> {
        let mut last = None;
        for market in self.parts.markets.values() {
            match market.store.device_by_key(key_sha256, market.marketplace).await? {
                Some(device) if device.revoked.is_none() => return Ok(Some(device)),
                found => last = last.or(found),
            }
        }
        Ok(last)
    }

    /// The devices of `account`, oldest first, revoked ones included.
    ///
    /// # Errors
    /// [`HistoryError::NoSuchAccount`].
    pub async fn devices(&self, account: AccountId) -> Result<Vec<Device>, HistoryError> {
        let market = self.home(account).await?;
        market.store.devices(account, market.marketplace).await
    }

    /// Attends to the device that has this key (SHA-256 of its SPKI); nothing where it is unknown or revoked. Whoever
    /// serves a device does so under an [`Attendance`], which says when that is over.
    ///
    /// # Errors
    /// [`HistoryError::Database`].
    pub async fn attend(&self, key_sha256: [u8; 32]) -> Result<Option<(Device, Attendance)>, HistoryError> {
        let stands = |device: &Device| device.revoked.is_none();
        let Some(found) = self.device_by_key(key_sha256).await?.filter(stands) else { return Ok(None) };
        let attendance = self.parts.standings.enter(found.id);
        // Looked up once more: of a revocation in between, the attendance was not told.
        let device = self.device_by_key(key_sha256).await?.filter(stands).filter(|device| device.id == found.id);
        Ok(device.map(|device| (device, attendance)))
    }

    /// Revokes a device of `account`: its key is refused from now on, and whoever attends to it is told so. When this
    /// returns, nothing of a request that was not kept before can be kept any more. Once more is harmless.
    ///
    /// # Errors
    /// [`HistoryError::NoSuchDevice`].
    pub async fn revoke_device(&self, account: AccountId, id: DeviceId) -> Result<(), HistoryError> {
        let market = self.home(account).await?;
        let known = market.store.devices(account, market.marketplace).await?.iter().any(|device| device.id == id);
        if !known {
            return Err(HistoryError::NoSuchDevice);
        }
        let (standings, at) = (Arc::clone(&self.parts.standings), self.parts.clock.now());
        let revoking = async move {
            let writing = async {
                market.store.revoke_device(account, id, at).await?;
                Ok(true)
            };
            standings.revoke(id, writing).await
        };
        self.to_the_end(revoking).await.map(|_| ())
    }

    /// Notes that `device` is connected.
    ///
    /// # Errors
    /// [`HistoryError::Database`].
    pub async fn device_seen(&self, device: &Device) -> Result<(), HistoryError> {
        self.market(device.marketplace)?.store.device_seen(device.id, self.parts.clock.now()).await
    }
}

/// What an account is found by: trimmed, in lower case.
fn account_name(name: &str) -> Result<Redacted<String>, HistoryError> {
    Ok(trimmed("an account's name", name)?.to_lowercase().into())
}

fn trimmed<'a>(what: &'static str, name: &'a str) -> Result<&'a str, HistoryError> {
    let name = name.trim();
    let chars = name.chars().count();
    if (1..=NAME_CHARS_MAX).contains(&chars) && !name.chars().any(char::is_control) {
        Ok(name)
    } else {
        Err(HistoryError::BadLength { what, min: 1, max: NAME_CHARS_MAX })
    }
}
