//! The real `sotto-mic`, heard at the other end of its pipe.

mod card;
mod sources;
