//! The first account, and a password for whoever may read the data directory.

use std::fs;
use std::path::{Path, PathBuf};
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

/// A fresh password for the owner where nobody has been told one yet.
pub(crate) async fn first_password(history: &History, data: &Path) -> Result<Option<FirstPassword>, ServerError> {
    let marker = data.join(UNSEEN);
    if !marker.exists() {
        return Ok(None);
    }
    reset(history, marker).await.map(Some)
}

/// A fresh password for the owner, at the terminal.
pub(crate) async fn reset_now(history: &History, data: &Path) -> Result<FirstPassword, ServerError> {
    reset(history, data.join(UNSEEN)).await
}

/// A fresh password for the owner of a data directory that no cloud is running on.
///
/// # Errors
/// When the store does not open, or holds no account.
pub async fn reset_password(data: &Path, clock: Arc<dyn Clock>) -> Result<FirstPassword, ServerError> {
    // Where nothing was ever started, nothing is made either.
    if !["root.key", "directory.db", identity::FILE].into_iter().any(|name| data.join(name).exists()) {
        return Err(HistoryError::NoSuchAccount.into());
    }
    let history = History::open_beside(data, clock, &[identity::FILE]).await?.history;
    let first = reset_now(&history, data).await;
    history.close().await;
    first
}

async fn reset(history: &History, marker: PathBuf) -> Result<FirstPassword, ServerError> {
    let password = history.reset_password(OWNER).await?;
    let _ = fs::remove_file(marker);
    Ok(FirstPassword { account: OWNER.into(), password })
}
