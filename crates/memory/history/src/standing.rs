//! Which devices are being served, so that revoking one ends all that is done for it, whoever revokes it and however.
//!
//! Whoever serves a device holds an [`Attendance`]. A revocation is in three steps: those who attend are made to wait
//! (a request that is just being sealed is not handed out), the database is changed, and all are told. It is over when
//! the last of them has let go.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::DeviceId;
use tokio::sync::watch;

use crate::error::HistoryError;

/// How long a revocation waits for those who still serve the device. They let go at once; one that hangs is not waited
/// for, because the database takes nothing of that device any more.
const LET_GO_WITHIN: Duration = Duration::from_secs(3);

/// Where a device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Good,
    /// A revocation is being written.
    Judged,
    Revoked,
}

/// All devices that are being served.
#[derive(Debug, Default)]
pub(crate) struct Standings {
    devices: Mutex<HashMap<DeviceId, Attended>>,
}

#[derive(Debug)]
struct Attended {
    standing: watch::Sender<Standing>,
    attendances: usize,
}

/// Somebody serves a device. As long as this is held, a revocation of the device waits (for some seconds at most), so
/// it is to be let go as soon as [`Attendance::revoked`] says so.
pub struct Attendance {
    standings: Arc<Standings>,
    device: DeviceId,
    standing: watch::Receiver<Standing>,
}

impl Attendance {
    /// Waits until the device is revoked. Cancel-safe.
    pub async fn revoked(&mut self) {
        // An error would mean that nobody can tell any more: that ends it as well.
        let _ = self.standing.wait_for(|standing| *standing == Standing::Revoked).await;
    }

    /// Whether the device was revoked.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        *self.standing.borrow() == Standing::Revoked
    }

    /// Whether the device is revoked, once what is being written about that is written.
    pub(crate) async fn ends(&mut self) -> bool {
        let decided = self.standing.wait_for(|standing| *standing != Standing::Judged).await;
        decided.map_or(true, |standing| *standing == Standing::Revoked)
    }
}

impl Clone for Attendance {
    fn clone(&self) -> Self {
        self.standings.enter(self.device)
    }
}

impl Drop for Attendance {
    fn drop(&mut self) {
        let mut devices = self.standings.lock();
        if let Some(attended) = devices.get_mut(&self.device) {
            attended.attendances -= 1;
            if attended.attendances == 0 {
                devices.remove(&self.device);
            }
        }
    }
}

impl fmt::Debug for Attendance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attendance").field("device", &self.device).finish_non_exhaustive()
    }
}

impl Standings {
    /// Attends to a device. Whether it is known, and not revoked, is to be looked up afterwards: a revocation that comes
    /// later than that look is told, and an earlier one is seen by it.
    pub(crate) fn enter(self: &Arc<Self>, device: DeviceId) -> Attendance {
        let mut devices = self.lock();
        let attended = devices
            .entry(device)
            .or_insert_with(|| Attended { standing: watch::Sender::new(Standing::Good), attendances: 0 });
        attended.attendances += 1;
        let standing = attended.standing.subscribe();
        Attendance { standings: Arc::clone(self), device, standing }
    }

    /// Revokes `device` by `writing`, which says whether it is revoked now. Returns when everybody has let go of it.
    pub(crate) async fn revoke(
        self: &Arc<Self>,
        device: DeviceId,
        writing: impl Future<Output = Result<bool, HistoryError>>,
    ) -> Result<bool, HistoryError> {
        let judge = self.enter(device);
        let verdict = Verdict(self.tell(device, Standing::Judged));
        let revoked = writing.await?;
        if revoked {
            verdict.0.send_replace(Standing::Revoked);
            drop(judge);
            let _ = tokio::time::timeout(LET_GO_WITHIN, verdict.0.closed()).await;
        }
        Ok(revoked)
    }

    fn tell(&self, device: DeviceId, now: Standing) -> watch::Sender<Standing> {
        let devices = self.lock();
        let standing = devices.get(&device).map(|attended| attended.standing.clone());
        let standing = standing.unwrap_or_else(|| watch::Sender::new(Standing::Good));
        // There is no way back from a revocation.
        standing.send_if_modified(|standing| {
            let changes = *standing != Standing::Revoked;
            if changes {
                *standing = now;
            }
            changes
        });
        standing
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<DeviceId, Attended>> {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A revocation that is being written. One that was not written, or was cut off, leaves the device as it was.
struct Verdict(watch::Sender<Standing>);

impl Drop for Verdict {
    fn drop(&mut self) {
        self.0.send_if_modified(|standing| {
            let undecided = *standing == Standing::Judged;
            if undecided {
                *standing = Standing::Good;
            }
            undecided
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: DeviceId = DeviceId::from_bytes([1; 16]);

    #[tokio::test]
    async fn who_attends_is_told_and_waited_for() {
        let standings = Arc::new(Standings::default());
        let (mut serving, other) = (standings.enter(DEVICE), standings.enter(DeviceId::from_bytes([2; 16])));
        let revoking = tokio::spawn({
            let standings = Arc::clone(&standings);
            async move { standings.revoke(DEVICE, async { Ok(true) }).await }
        });
        serving.revoked().await;
        assert!(!revoking.is_finished() && serving.clone().is_revoked() && !other.is_revoked());
        drop(serving);
        assert!(revoking.await.expect("no panic").expect("written"));
        drop(other);
        assert!(standings.lock().is_empty(), "nobody is served any more");
    }

    #[tokio::test]
    async fn a_revocation_that_was_not_written_changes_nothing() {
        let standings = Arc::new(Standings::default());
        let mut serving = standings.enter(DEVICE);
        for written in [Ok(false), Err(HistoryError::DiskFull)] {
            let _ = standings.revoke(DEVICE, async { written }).await;
            assert!(!serving.ends().await);
        }
        drop(standings.revoke(DEVICE, std::future::pending()));
        assert!(!serving.ends().await, "cut off before it began");
    }
}
