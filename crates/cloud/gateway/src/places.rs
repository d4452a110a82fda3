//! Turns at once: so many in all, and so many of one device.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::DeviceId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::TURNS_PER_DEVICE_MAX;

type Counts = Mutex<HashMap<DeviceId, usize>>;

/// The gateway's places for turns.
#[derive(Debug)]
pub(crate) struct TurnPlaces {
    all: Arc<Semaphore>,
    each: Arc<Counts>,
    places: usize,
}

/// One of them; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct TurnPlace {
    _one_of_all: OwnedSemaphorePermit,
    each: Arc<Counts>,
    device: DeviceId,
}

impl TurnPlaces {
    pub(crate) fn new(places: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(places)), each: Arc::default(), places }
    }

    /// A place for a turn of `device`, if there is one.
    pub(crate) fn take(&self, device: DeviceId) -> Option<TurnPlace> {
        let mut each = lock(&self.each);
        let count = each.get(&device).copied().unwrap_or_default();
        if TURNS_PER_DEVICE_MAX <= count {
            return None;
        }
        let permit = Arc::clone(&self.all).try_acquire_owned().ok()?;
        each.insert(device, count + 1);
        Some(TurnPlace { _one_of_all: permit, each: Arc::clone(&self.each), device })
    }

    /// Waits until none is taken.
    pub(crate) async fn until_free(&self) {
        // Who has all places knows that nobody has one; a closed door would do as well.
        let _ = self.all.acquire_many(u32::try_from(self.places).unwrap_or(u32::MAX)).await;
    }
}

impl Drop for TurnPlace {
    fn drop(&mut self) {
        let mut each = lock(&self.each);
        if let Some(count) = each.get_mut(&self.device) {
            *count -= 1;
            if *count == 0 {
                each.remove(&self.device);
            }
        }
    }
}

fn lock(each: &Counts) -> MutexGuard<'_, HashMap<DeviceId, usize>> {
    each.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_device_cannot_take_all_places() {
        let places = TurnPlaces::new(2 * TURNS_PER_DEVICE_MAX);
        let (greedy, other) = (DeviceId::from_bytes([1; 16]), DeviceId::from_bytes([2; 16]));
        let taken: Vec<_> = std::iter::from_fn(|| places.take(greedy)).collect();
        assert_eq!(taken.len(), TURNS_PER_DEVICE_MAX);
        assert!(places.take(other).is_some());
        drop(taken);
        assert!(places.take(greedy).is_some() && lock(&places.each).is_empty());
    }
}
