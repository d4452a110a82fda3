//! Files that a person might hand to the device, good and bad.

mod bad;
mod good;
mod made;
