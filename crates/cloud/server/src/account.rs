//! The first account, and a password for whoever may read the data directory.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use base::{AccountId, Clock, Redacted};
use history::{History, HistoryError, generate_password};

use crate::{ServerError, identity};

/// The account that is made at the first start.
const OWNER: &str = "owner";
/// Its presence says that nobody has been told the owner's password yet: `sotto ask` may start a cloud before `sotto up`
/// ever does. It is empty.
const UNSEEN: &str = "password.unseen";

/// A password that is about to be shown, this once.
#[derive(Debug)]
pub struct FirstPassword {
    /// Whose.
    pub account: String,
    /// The password.
    pub password: Redacted<String>,
}

/// The owner's account, made where there is none yet.
pub(crate) async fn owner(history: &History, data: &Path) -> Result<AccountId, ServerError> {
    if let Some(account) = history.accounts().await?.first() {
        return Ok(account.id);
    }
    let marker = data.join(UNSEEN);
    fs::write(&marker, b"").map_err(|why| ServerError::File { path: marker, why })?;
    Ok(history.create_account(OWNER, generate_password()?).await?)
}

/// A fresh password for the owner where nobody has been told one yet. Until [`seen`], the next start draws another: one
/// that could not be shown is not lost.
pub(crate) async fn first_password(history: &History, data: &Path) -> Result<Option<FirstPassword>, ServerError> {
    if !data.join(UNSEEN).exists() {
        return Ok(None);
    }
    let password = history.reset_password(OWNER).await?;
    Ok(Some(FirstPassword { account: OWNER.into(), password }))
}

/// Somebody was told the owner's password.
pub(crate) fn seen(data: &Path) {
    let _ = fs::remove_file(data.join(UNSEEN));
}

/// A password for the owner to be told, before [`set_now`] or [`reset_password`] makes it hold.
///
/// # Errors
/// Where the machine gives no random bytes.
pub fn draw_password() -> Result<FirstPassword, ServerError> {
    Ok(FirstPassword { account: OWNER.into(), password: generate_password()? })
}

/// Makes a password that was shown the owner's, and ends all sessions.
pub(crate) async fn set_now(history: &History, data: &Path, password: Redacted<String>) -> Result<(), ServerError> {
    history.set_password(OWNER, password).await?;
    seen(data);
    Ok(())
}

/// A fresh password for the owner of a data directory that no cloud is running on. It is shown before it holds: where
/// `show` fails, the old one and its sessions stay as they are, and its error is handed back inside.
///
/// # Errors
/// When the store does not open, or holds no account.
pub async fn reset_password<E>(
    data: &Path,
    clock: Arc<dyn Clock>,
    show: impl FnOnce(&FirstPassword) -> Result<(), E>,
) -> Result<Result<(), E>, ServerError> {
    // Where nothing was ever started, nothing is made either.
    if !["root.key", "directory.db", identity::FILE].into_iter().any(|name| data.join(name).exists()) {
        return Err(HistoryError::NoSuchAccount.into());
    }
    let history = History::open_beside(data, clock, &[identity::FILE]).await?.history;
    let outcome = show_and_set(&history, data, show).await;
    history.close().await;
    outcome
}

async fn show_and_set<E>(
    history: &History,
    data: &Path,
    show: impl FnOnce(&FirstPassword) -> Result<(), E>,
) -> Result<Result<(), E>, ServerError> {
    if history.accounts().await?.is_empty() {
        return Err(HistoryError::NoSuchAccount.into());
    }
    let first = draw_password()?;
    if let Err(why) = show(&first) {
        return Ok(Err(why));
    }
    set_now(history, data, first.password).await.map(Ok)
}
