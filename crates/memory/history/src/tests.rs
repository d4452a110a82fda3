//! The whole of it, on a real disk.

mod accounts;
mod common;
mod crash;
mod deletion;
mod disk;
mod files;
mod kill;
mod life;
mod lost;
mod playing;
mod refused;
mod revoked;
mod watch;
