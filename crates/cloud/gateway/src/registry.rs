//! Which devices are connected. A device has one connection: the newest.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base::DeviceId;
use tokio::sync::Notify;

#[derive(Clone, Debug, Default)]
pub(crate) struct Registry {
    online: Arc<Mutex<HashMap<DeviceId, Arc<Notify>>>>,
}

/// A device's entry; leaves with it.
#[derive(Debug)]
pub(crate) struct Online {
    registry: Registry,
    device: DeviceId,
    replaced: Arc<Notify>,
}

impl Registry {
    /// Enters a connection and tells the one it replaces, if any.
    pub(crate) fn enter(&self, device: DeviceId, replaced: Arc<Notify>) -> Online {
        if let Some(before) = self.lock().insert(device, Arc::clone(&replaced)) {
            before.notify_one();
        }
        Online { registry: self.clone(), device, replaced }
    }

    pub(crate) fn devices(&self) -> Vec<DeviceId> {
        self.lock().keys().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<DeviceId, Arc<Notify>>> {
        self.online.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Online {
    fn drop(&mut self) {
        let mut online = self.registry.lock();
        if online.get(&self.device).is_some_and(|entered| Arc::ptr_eq(entered, &self.replaced)) {
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
        let old = registry.enter(device, Arc::default());
        let new = registry.enter(device, Arc::default());
        drop(old);
        assert_eq!(registry.devices(), [device], "the older one's end is not the newer one's");
        drop(new);
        assert!(registry.devices().is_empty());
    }
}
