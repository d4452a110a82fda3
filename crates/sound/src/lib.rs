//! Audio files and sample formats to and from the one shape that everything else hears: 16 kHz, mono, signed 16 bit.
//!
//! WAV and its kin (8 to 32 bits, floats, A-law, µ-law; RF64, RIFX, Wave64), AIFF, AU, FLAC and Ogg Opus are read; WAV is
//! written. What is not read is called by its name. Up to 32 channels are mixed to one, any sample rate between 4 and
//! 192 kHz is resampled. A 16 kHz mono file of 16 bits comes out as it went in, bit for bit.
//!
//! Architecture Invariant: this crate knows no microphone and no loudspeaker, and no bytes make it panic.

mod aiff;
mod convert;
mod error;
mod file;
mod flac;
mod kind;
mod mix;
mod ogg;
mod opus;
mod pcm;
mod source;
mod wav;
mod wav_file;

pub use convert::Converter;
pub use error::SoundError;
pub use file::{DECODE_SECONDS_MAX, STREAM_BYTES_MAX, SoundReader, decode_bytes, decode_file};
pub use wav::{WAV_HEADER_BYTES, wav_header, write_wav};
