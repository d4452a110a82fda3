//! The whole device: the real launcher, panel, microphone, ear and link.

mod bad_input;
/// The cloud that link's own tests speak to: it does what a test wants, also what no cloud of ours would.
#[path = "../../../link/tests/it/cloud.rs"]
#[expect(dead_code, reason = "what only link's own tests want of it")]
mod cloud;
mod deaths;
mod device;
mod replies;
mod room;
mod stalls;
mod standing;
mod terminal;
mod turns;
mod walls;
