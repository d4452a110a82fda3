//! Link's words on the cloud, on their way to the face: rarely enough that no word on the light ever waits behind them,
//! however often link changes its mind.

use std::time::Duration;

use pipe::Standing;

/// The least time between two words. A person reads no faster.
const EVERY: Duration = Duration::from_millis(100);

/// What the panel has yet to be told: the latest end of a pairing, and then the latest of all else.
#[derive(Debug, Default)]
pub(crate) struct Bulletin {
    news: Option<Standing>,
    standing: Option<Standing>,
    told: Option<Standing>,
    next_at: Duration,
}

impl Bulletin {
    /// Link says this.
    pub(crate) fn take(&mut self, standing: Standing) {
        if standing.is_pairing_failure() {
            self.news = Some(standing);
            return;
        }
        if standing == Standing::Pairing {
            // Whatever came of the try before, another is under way.
            self.news = None;
        }
        self.standing = Some(standing).filter(|_| self.told != Some(standing));
    }

    /// What the panel is to be told now.
    pub(crate) fn next(&mut self, now: Duration) -> Option<Standing> {
        if now < self.next_at {
            return None;
        }
        let next = self.news.take().or_else(|| self.standing.take())?;
        self.next_at = now.saturating_add(EVERY);
        self.told = Some(next);
        Some(next)
    }

    /// When [`Self::next`] has something, if nothing comes before.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        (self.news.is_some() || self.standing.is_some()).then_some(self.next_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_pairing_is_told_before_what_follows_it_and_a_flood_is_a_trickle() {
        let mut bulletin = Bulletin::default();
        let all = [Standing::Pairing, Standing::WrongCode, Standing::Unpaired];
        all.into_iter().for_each(|standing| bulletin.take(standing));
        assert_eq!(bulletin.next(Duration::ZERO), Some(Standing::WrongCode));
        assert_eq!(bulletin.next(Duration::ZERO), None);
        assert_eq!(bulletin.deadline(), Some(EVERY));
        assert_eq!(bulletin.next(EVERY), Some(Standing::Unpaired));
        let mut told = 0;
        for turn in 0..10_000_u32 {
            bulletin.take(if turn % 2 == 0 { Standing::Online } else { Standing::Offline });
            told += u32::from(bulletin.next(EVERY * 2 + Duration::from_micros(turn.into())).is_some());
        }
        assert_eq!(told, 1);
    }

    #[test]
    fn what_was_told_is_not_told_again() {
        let mut bulletin = Bulletin::default();
        bulletin.take(Standing::Online);
        assert_eq!(bulletin.next(Duration::ZERO), Some(Standing::Online));
        bulletin.take(Standing::Offline);
        bulletin.take(Standing::Online);
        assert_eq!((bulletin.next(EVERY), bulletin.deadline()), (None, None));
    }
}
