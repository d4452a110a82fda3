//! A recording that is being played: opened piece by piece, and ended with its key.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use base::UtteranceId;
use vault::{Audio, KeyStore, Sealed, SlotNumber};
use zeroize::Zeroizing;

use crate::error::HistoryError;
use crate::market::{PCM_16K, sound_place};

/// Recordings of one marketplace that are played at once.
pub const PLAYBACKS_MAX: usize = 256;

/// What ends a playback at whoever plays: nothing more of the sound may reach them once it returns.
pub(crate) type End = Box<dyn Fn() + Send + Sync>;

/// A recording that is being played. Between two pieces nothing of it is in memory in the clear.
pub struct Playback {
    keys: Arc<KeyStore>,
    slot: SlotNumber,
    id: UtteranceId,
    sound: Arc<Sealed<Audio>>,
    bytes: usize,
    _listed: Listed,
}

impl std::fmt::Debug for Playback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Playback").field("id", &self.id).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl Playback {
    pub(crate) async fn begin(
        keys: Arc<KeyStore>,
        slot: SlotNumber,
        id: UtteranceId,
        sound: Sealed<Audio>,
        listed: Listed,
    ) -> Result<Self, HistoryError> {
        let mut playback = Self { keys, slot, id, sound: Arc::new(sound), bytes: 0, _listed: listed };
        playback.bytes = playback.open(|sound| sound.len()).await?;
        Ok(playback)
    }

    /// How long it is: bytes of 16 kHz, one channel, signed 16 bit, little-endian.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The sound's bytes `range`; fewer where it ends before. Opens all of it for this moment, for it is sealed as one.
    ///
    /// # Errors
    /// [`vault::VaultError::Destroyed`] once it is deleted.
    pub async fn piece(&self, range: Range<usize>) -> Result<Zeroizing<Vec<u8>>, HistoryError> {
        let copy = move |sound: &[u8]| {
            let range = range.start.min(sound.len())..range.end.min(sound.len());
            Zeroizing::new(sound.get(range).unwrap_or_default().to_vec())
        };
        self.open(copy).await
    }

    async fn open<T: Send + 'static>(
        &self,
        look: impl FnOnce(&[u8]) -> T + Send + 'static,
    ) -> Result<T, HistoryError> {
        let (keys, sound, place) = (Arc::clone(&self.keys), Arc::clone(&self.sound), sound_place(self.slot, self.id));
        let opening = move || match keys.open_sealed(&place, &sound)?.split_first() {
            Some((&PCM_16K, samples)) => Ok(look(samples)),
            _ => Err(HistoryError::Corrupt("the sound of a request")),
        };
        tokio::task::spawn_blocking(opening).await?
    }
}

/// Who plays what.
#[derive(Default)]
pub(crate) struct Players(Mutex<Vec<(Arc<()>, UtteranceId, End)>>);

/// A place in the list, given up when it goes.
pub(crate) struct Listed {
    players: Arc<Players>,
    token: Arc<()>,
}

impl Players {
    /// Lists a player of `id`, before anything of it is opened.
    pub(crate) fn list(self: &Arc<Self>, id: UtteranceId, end: End) -> Result<Listed, HistoryError> {
        let mut players = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if players.len() >= PLAYBACKS_MAX {
            return Err(HistoryError::TooMany { what: "recordings that are played at once", max: PLAYBACKS_MAX });
        }
        let token = Arc::new(());
        players.push((Arc::clone(&token), id, end));
        Ok(Listed { players: Arc::clone(self), token })
    }

    /// Ends all that play `id`, whose key is destroyed.
    pub(crate) fn end(&self, id: UtteranceId) {
        let players = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        players.iter().filter(|(_, played, _)| *played == id).for_each(|(_, _, end)| end());
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        let mut players = self.players.0.lock().unwrap_or_else(PoisonError::into_inner);
        players.retain(|(token, _, _)| !Arc::ptr_eq(token, &self.token));
    }
}
