//! The command line as people and scripts use it: real processes, real recordings, a data directory of its own each.

mod asking;
mod bad_input;
mod deletion;
mod home;
mod onset;
mod service;
