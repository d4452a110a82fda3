//! The formats between the processes, and their walls.

mod formats;
mod typing;
mod walls;
