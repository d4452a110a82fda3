//! What the gateway has done since it was started, in numbers that say nothing of anyone.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// Counts that only grow.
        #[derive(Debug, Default)]
        pub(crate) struct Counters {
            $($name: AtomicU64,)+
        }

        /// The counts at one moment.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counts {
            $($(#[$doc])* pub $name: u64,)+
        }

        impl Counters {
            pub(crate) fn read(&self) -> Counts {
                Counts { $($name: self.$name.load(Ordering::Relaxed),)+ }
            }

            $(pub(crate) fn $name(&self, more: u64) {
                self.$name.fetch_add(more, Ordering::Relaxed);
            })+
        }

        impl Counts {
            /// Each count with its name, in a fixed order.
            pub fn named(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name),)+].into_iter()
            }
        }
    };
}

counters!(
    /// Connections accepted.
    connections_accepted,
    /// Connections turned away: too many, no handshake, an unknown or revoked key, a frame that is none.
    connections_refused,
    /// Devices that were paired.
    devices_paired,
    /// Tries at a pairing code.
    pairing_tries,
    /// Streams opened.
    streams_opened,
    /// Bytes of sound received in streams, as signed 16-bit samples.
    audio_bytes_received,
    /// Bytes of sound that devices say passed their gate and that did not arrive (invariant I10).
    audio_bytes_lost,
    /// Turns that were answered, "stop" included.
    turns_answered,
    /// Turns whose request no sentence fits.
    turns_not_understood,
    /// Turns in which nothing was said.
    turns_nothing_heard,
    /// Turns that failed.
    turns_failed,
    /// Utterances sealed.
    utterances_sealed,
    /// Utterances that could not be kept.
    utterances_not_kept,
);
