//! What was said: kept, shown, played, deleted.

use base::units::BYTES_PER_SAMPLE;
use base::{AccountId, Redacted, UtteranceId};

use crate::error::HistoryError;
use crate::facade::History;
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

    /// The sound of an utterance as a WAV file, for a browser to play.
    ///
    /// # Errors
    /// As [`History::audio`].
    pub async fn audio_wav(&self, account: AccountId, id: UtteranceId) -> Result<Redacted<Vec<u8>>, HistoryError> {
        let pcm = self.audio(account, id).await?;
        let mut file = Vec::with_capacity(sound::WAV_HEADER_BYTES + pcm.expose().len() * BYTES_PER_SAMPLE);
        let written = sound::write_wav(&mut file, base::SAMPLE_RATE_HZ, pcm.expose());
        let file = Redacted::new(file);
        written.map_err(|_| HistoryError::Corrupt("the sound of a request"))?;
        Ok(file)
    }

    /// Deletes an utterance: its keys are destroyed first, then the rest is removed. What remains is the receipt.
    /// Deleted already, the same receipt comes back. After an error the deletion may have begun; repeat it, or the
    /// next start finishes it.
    ///
    /// # Errors
    /// [`HistoryError::NotFound`], [`HistoryError::Database`], [`HistoryError::Vault`].
    pub async fn delete(&self, account: AccountId, id: UtteranceId) -> Result<Receipt, HistoryError> {
        let market = self.home(account).await?;
        self.to_the_end(async move { market.delete(account, id).await }).await
    }
}
