//! [`Details`] as bytes, to be sealed. Little-endian; a string is its length (u32) and its UTF-8.
//!
//! ```text
//! version u8 = 1 ‖ cause u8 (0 wake: word, score f32, onset u64; 1 button; 2 answer; 3 follow-up; 4 enrolment)
//! ‖ start u64 ‖ preroll u64 ‖ length u64 ‖ transcript ‖ reply
//! ‖ understood u8 (1: intent, slots u16 × (name, value)) ‖ timings u16 × (name, ms f64)
//! ‖ zeros to a multiple of 256, so that the sealed length says little about what was said
//! ```

use std::collections::BTreeMap;

use base::limits::TRANSCRIPT_CHARS_MAX;
use base::{Redacted, SampleCount, SampleIndex};
use zeroize::Zeroizing;

use crate::error::HistoryError;
use crate::types::{Cause, Details, Intent};

/// Characters of a reply that are kept: more than a minute's speech.
pub const REPLY_CHARS_MAX: usize = 4_000;
/// Slots of an intent, and timings of a turn.
const ENTRIES_MAX: usize = 64;
/// Bytes of a name: of a word, an intent, a slot, a stage.
const NAME_BYTES_MAX: usize = 256;
/// Bytes of a slot's value.
const VALUE_BYTES_MAX: usize = 4 * TRANSCRIPT_CHARS_MAX;
/// Bytes of any string here.
const STRING_BYTES_MAX: usize = 4 * REPLY_CHARS_MAX;

const VERSION: u8 = 1;
const PADDED_TO: usize = 256;
/// Room for all but the longest, so that the buffer seldom moves and leaves a copy behind.
const CAPACITY: usize = 8 * 1_024;

const BAD: HistoryError = HistoryError::Corrupt("the details of a request");

/// `details` as bytes. Transcript and reply are cut at their limits.
///
/// # Errors
/// [`HistoryError::TooMany`] where a name, a value or their number is beyond its limit.
pub(crate) fn encode(details: &Details) -> Result<Zeroizing<Vec<u8>>, HistoryError> {
    let mut out = Writer(Zeroizing::new(Vec::with_capacity(CAPACITY)));
    out.u8(VERSION);
    match &details.cause {
        Cause::Wake { word, score, onset } => {
            out.u8(0);
            out.name(word)?;
            out.bytes(&score.to_le_bytes());
            out.u64(onset.0);
        }
        Cause::Button => out.u8(1),
        Cause::Answer => out.u8(2),
        Cause::FollowUp => out.u8(3),
        Cause::Enrolment => out.u8(4),
    }
    out.u64(details.start.0);
    out.u64(details.preroll.0);
    out.u64(details.length.0);
    out.string(cut(details.transcript.expose(), TRANSCRIPT_CHARS_MAX));
    out.string(cut(details.reply.expose(), REPLY_CHARS_MAX));
    match &details.intent {
        None => out.u8(0),
        Some(intent) => {
            out.u8(1);
            out.name(intent.name.expose())?;
            out.count("slots of a request", intent.slots.len())?;
            for (name, value) in &intent.slots {
                out.name(name)?;
                at_most("bytes of a slot's value", value.expose().len(), VALUE_BYTES_MAX)?;
                out.string(value.expose());
            }
        }
    }
    out.count("timings of a request", details.timings_ms.len())?;
    for (name, ms) in &details.timings_ms {
        out.name(name)?;
        out.bytes(&ms.to_le_bytes());
    }
    let padded = out.0.len().next_multiple_of(PADDED_TO);
    out.0.resize(padded, 0);
    Ok(out.0)
}

/// What [`encode`] wrote.
///
/// # Errors
/// [`HistoryError::Corrupt`].
pub(crate) fn decode(bytes: &[u8]) -> Result<Details, HistoryError> {
    let mut from = Reader(bytes);
    if from.u8()? != VERSION {
        return Err(BAD);
    }
    let cause = match from.u8()? {
        0 => Cause::Wake {
            word: from.string()?.to_owned(),
            score: f32::from_le_bytes(from.array()?),
            onset: SampleIndex(from.u64()?),
        },
        1 => Cause::Button,
        2 => Cause::Answer,
        3 => Cause::FollowUp,
        4 => Cause::Enrolment,
        _ => return Err(BAD),
    };
    let start = SampleIndex(from.u64()?);
    let preroll = SampleCount(from.u64()?);
    let length = SampleCount(from.u64()?);
    let transcript = Redacted::new(from.string()?.to_owned());
    let reply = Redacted::new(from.string()?.to_owned());
    let intent = match from.u8()? {
        0 => None,
        1 => {
            let name = Redacted::new(from.string()?.to_owned());
            let mut slots = BTreeMap::new();
            for _ in 0..from.count()? {
                slots.insert(from.string()?.to_owned(), Redacted::new(from.string()?.to_owned()));
            }
            Some(Intent { name, slots })
        }
        _ => return Err(BAD),
    };
    let mut timings_ms = BTreeMap::new();
    for _ in 0..from.count()? {
        timings_ms.insert(from.string()?.to_owned(), f64::from_le_bytes(from.array()?));
    }
    if from.0.len() >= PADDED_TO || from.0.iter().any(|&byte| byte != 0) {
        return Err(BAD);
    }
    Ok(Details { cause, start, preroll, length, transcript, intent, reply, timings_ms })
}

/// The first `chars` characters of `text`.
fn cut(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(at, _)| &text[..at])
}

fn at_most(what: &'static str, found: usize, max: usize) -> Result<(), HistoryError> {
    if found <= max { Ok(()) } else { Err(HistoryError::TooMany { what, max }) }
}

struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    fn count(&mut self, what: &'static str, count: usize) -> Result<(), HistoryError> {
        at_most(what, count, ENTRIES_MAX)?;
        self.bytes(&u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes());
        Ok(())
    }

    fn name(&mut self, name: &str) -> Result<(), HistoryError> {
        at_most("bytes of a name", name.len(), NAME_BYTES_MAX)?;
        self.string(name);
        Ok(())
    }

    fn string(&mut self, text: &str) {
        self.bytes(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
        self.bytes(text.as_bytes());
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], HistoryError> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(BAD)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn u8(&mut self) -> Result<u8, HistoryError> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u64(&mut self) -> Result<u64, HistoryError> {
        self.array().map(u64::from_le_bytes)
    }

    fn count(&mut self) -> Result<usize, HistoryError> {
        let count = usize::from(self.array().map(u16::from_le_bytes)?);
        if count <= ENTRIES_MAX { Ok(count) } else { Err(BAD) }
    }

    fn string(&mut self) -> Result<&'a str, HistoryError> {
        let length = usize::try_from(self.array().map(u32::from_le_bytes)?).map_err(|_| BAD)?;
        if length > STRING_BYTES_MAX {
            return Err(BAD);
        }
        let (text, rest) = self.0.split_at_checked(length).ok_or(BAD)?;
        self.0 = rest;
        std::str::from_utf8(text).map_err(|_| BAD)
    }
}

#[cfg(test)]
mod tests;
