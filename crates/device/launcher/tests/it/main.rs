//! The whole device: the real launcher, panel, microphone, ear and link.

mod bad_input;
mod deaths;
mod device;
mod terminal;
mod turns;
mod walls;
