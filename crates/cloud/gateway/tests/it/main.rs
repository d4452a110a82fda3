//! The gateway from outside: real TLS, real frames, real history; real models where they have been fetched.

#![expect(clippy::print_stderr, reason = "a skipped test says so")]

mod bad_input;
mod cloud;
mod device;
mod door;
mod flood;
mod limits;
mod pairing;
mod removal;
mod sounds;
mod turns;
mod whole;
