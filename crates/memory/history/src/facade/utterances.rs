//! What was said: kept, shown, played, deleted.

use base::{AccountId, Redacted, UtteranceId};

use crate::error::HistoryError;
use crate::facade::History;
use crate::playback::Playback;
use crate::types::{Cursor, NewUtterance, Page, Receipt, Row};

impl History {
    /// Seals an utterance under a key of its own. When this returns it is on the disk; after an error nothing of it
    /// is kept. A device that is revoked while this runs is one that does not exist: what was sealed is destroyed, and
    /// the revocation waits for that.
    ///
    /// # Errors
    /// [`HistoryError::NoSuchAccount`] where the account does not use that marketplace, [`HistoryError::NoSuchDevice`]
    /// (also of one that was revoked), [`HistoryError::TooMany`], [`HistoryError::DiskFull`].
    pub async fn seal(&self, new: NewUtterance) -> Result<UtteranceId, HistoryError> {
        let device = self.parts.standings.enter(new.device);
        if !self.parts.directory.uses(new.account, new.marketplace).await? {
            return Err(HistoryError::NoSuchAccount);
        }
        let market = self.market(new.marketplace)?;
        self.to_the_end(async move { market.seal(new, device).await }).await
    }

    /// Some lines of `account`'s history, newest first: at most `limit` (and [`crate::PAGE_ROWS_MAX`]), those before
    /// `before` where one is given.
    ///
    /// # Errors
    /// [`HistoryError::NoSuchAccount`]. A line that does not open is [`crate::RowState::Unreadable`], no error.
    pub async fn page(&self, account: AccountId, before: Option<Cursor>, limit: u32) -> Result<Page, HistoryError> {
        self.home(account).await?.page(account, before, limit).await
    }

    /// One line of the history.
    ///
    /// # Errors
    /// [`HistoryError::NotFound`].
    pub async fn utterance(&self, account: AccountId, id: UtteranceId) -> Result<Row, HistoryError> {
        self.home(account).await?.utterance(account, id).await
    }

    /// The sound of an utterance: 16 kHz, one channel.
    ///
    /// # Errors
    /// [`HistoryError::NotFound`], [`HistoryError::Deleted`], [`vault::VaultError::Destroyed`],
    /// [`vault::VaultError::Tampered`].
    pub async fn audio(&self, account: AccountId, id: UtteranceId) -> Result<Redacted<Vec<i16>>, HistoryError> {
        self.home(account).await?.audio(account, id).await
    }

    /// Plays the sound of an utterance, piece by piece. When it is deleted, `end` is called before the receipt is given, and
    /// is to see to it that nothing more of the sound reaches whoever listens. It must not block, nor ask the history.
    ///
    /// # Errors
    /// As [`History::audio`]; [`HistoryError::TooMany`].
    pub async fn play(
        &self,
        account: AccountId,
        id: UtteranceId,
        end: impl Fn() + Send + Sync + 'static,
    ) -> Result<Playback, HistoryError> {
        self.home(account).await?.play(account, id, Box::new(end)).await
    }

    /// Deletes an utterance: its keys are destroyed first, then the rest is removed. What remains is the receipt.
    /// Deleted already, the same receipt comes back. After an error the deletion may have begun; repeat it, or the
    /// next start finishes it.
    ///
    /// # Errors
    /// [`HistoryError::NotFound`], [`HistoryError::Lost`] (see [`History::clear_lost`]), [`HistoryError::Database`],
    /// [`HistoryError::Vault`].
    pub async fn delete(&self, account: AccountId, id: UtteranceId) -> Result<Receipt, HistoryError> {
        let market = self.home(account).await?;
        self.to_the_end(async move { market.delete(account, id).await }).await
    }

    /// Takes away the line of a request that is lost ([`crate::RowState::Lost`]), and whatever is left of it. Nothing
    /// remains, and no receipt either: its keys were gone before anybody asked.
    ///
    /// # Errors
    /// [`HistoryError::NotFound`] (also where it is not lost), [`HistoryError::Deleted`], [`HistoryError::Database`],
    /// [`HistoryError::Vault`].
    pub async fn clear_lost(&self, account: AccountId, id: UtteranceId) -> Result<(), HistoryError> {
        let market = self.home(account).await?;
        self.to_the_end(async move { market.clear_lost(account, id).await }).await
    }
}
