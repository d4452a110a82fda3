//! The whole of it, on a real disk.

mod common;
mod life;
