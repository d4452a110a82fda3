//! Which devices are connected. A device has one connection: the newest.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::DeviceId;
use tokio::sync::Notify;

#[derive(Clone, Debug, Default)]
pub(crate) struct Registry {
    online: Arc<Mutex<Devices>>,
    n_come: Arc<AtomicU64>,
}

type Devices = HashMap<DeviceId, (Come, Arc<Notify>)>;

/// Which connection came when. One may come online later than one that came after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Come(u64);

/// A device's entry; leaves with it.
#[derive(Debug)]
pub(crate) struct Online {
    registry: Registry,
    device: DeviceId,
    replaced: Arc<Notify>,
}

impl Registry {
    /// The next connection.
    pub(crate) fn come(&self) -> Come {
        Come(self.n_come.fetch_add(1, Ordering::Relaxed))
    }

    /// Enters a connection and tells the one it replaces, if any; that is itself where a newer one was quicker.
    pub(crate) fn enter(&self, device: DeviceId, come: Come, replaced: Arc<Notify>) -> Online {
        let mut online = self.lock();
        match online.get(&device) {
            Some((newer, _)) if come < *newer => replaced.notify_one(),
            _ => {
                if let Some((_, before)) = online.insert(device, (come, Arc::clone(&replaced))) {
                    before.notify_one();
                }
            }
        }
        drop(online);
        Online { registry: self.clone(), device, replaced }
    }

    pub(crate) fn devices(&self) -> Vec<DeviceId> {
        self.lock().keys().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Devices> {
        self.online.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Online {
    fn drop(&mut self) {
        let mut online = self.registry.lock();
        if online.get(&self.device).is_some_and(|(_, entered)| Arc::ptr_eq(entered, &self.replaced)) {
            online.remove(&self.device);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_connection_is_the_device() {
        let (registry, device) = (Registry::default(), DeviceId::from_bytes([1; 16]));
        let (first, second, third) = (registry.come(), registry.come(), registry.come());
        let old = registry.enter(device, first, Arc::default());
        let new = registry.enter(device, third, Arc::default());
        drop(registry.enter(device, second, Arc::default()));
        drop(old);
        assert_eq!(registry.devices(), [device], "the older one's end is not the newer one's");
        drop(new);
        assert!(registry.devices().is_empty());
    }
}
