//! Files that a person might hand to the device, good and bad.

mod bad;
mod channels;
mod good;
mod kin;
mod made;
mod ogg;
