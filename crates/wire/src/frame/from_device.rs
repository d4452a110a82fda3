//! [`FromDevice`] in bytes.

use base::limits::PREROLL;
use base::{SampleCount, SampleIndex, TurnId};

use super::{Cause, CloseReason, FromDevice, StreamClose, StreamOpen};
use crate::bytes::{Reader, Writer};
use crate::error::FrameError;
use crate::limits::NAME_BYTES_MAX;

impl FromDevice {
    /// The frame.
    ///
    /// # Errors
    /// [`FrameError::Range`] where a field is longer than, or outside of, what the other side would accept.
    pub fn encode(&self) -> Result<Vec<u8>, FrameError> {
        let mut writer = Writer::new(self.kind());
        match self {
            Self::Hello { paired } => writer.u8(u8::from(*paired)),
            Self::PairStart { name, message } => {
                writer.text("name", name.expose(), NAME_BYTES_MAX);
                writer.raw(message);
            }
            Self::PairConfirm { mac } => writer.raw(mac),
            Self::Open(open) => {
                writer.u32(open.turn.0);
                open.cause.write(&mut writer);
                if !has_preroll(open) {
                    writer.refuse("onset");
                }
                writer.u64(open.start.0);
                writer.u64(open.onset.0);
            }
            Self::Audio { turn, sequence, samples } => {
                writer.u32(turn.0);
                writer.u32(*sequence);
                writer.samples(samples.expose());
            }
            Self::Close(close) => {
                writer.u32(close.turn.0);
                writer.u64(close.samples_total.0);
                writer.u8(close.reason.number());
            }
            Self::Played { turn } => writer.u32(turn.0),
            Self::Ping => {}
        }
        writer.finish()
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// Any [`FrameError`]; on no bytes does it panic or take more memory than [`crate::limits::FRAME_BYTES_MAX`].
    pub fn decode(frame: &[u8]) -> Result<Self, FrameError> {
        let (kind, mut reader) = Reader::open(frame)?;
        let message = match kind {
            0x01 => Self::Hello { paired: read_bool(&mut reader)? },
            0x02 => Self::PairStart {
                name: reader.text("name", NAME_BYTES_MAX)?.into(),
                message: reader.array("pairing message")?,
            },
            0x03 => Self::PairConfirm { mac: reader.array("mac")? },
            0x04 => Self::Open(read_open(&mut reader)?),
            0x05 => Self::Audio {
                turn: TurnId(reader.u32("turn")?),
                sequence: reader.u32("sequence")?,
                samples: reader.samples()?,
            },
            0x06 => Self::Close(StreamClose {
                turn: TurnId(reader.u32("turn")?),
                samples_total: SampleCount(reader.u64("total")?),
                reason: CloseReason::read(&mut reader)?,
            }),
            0x07 => Self::Played { turn: TurnId(reader.u32("turn")?) },
            0x08 => Self::Ping,
            _ => return Err(FrameError::Kind(kind)),
        };
        reader.finish()?;
        Ok(message)
    }

    const fn kind(&self) -> u8 {
        match self {
            Self::Hello { .. } => 0x01,
            Self::PairStart { .. } => 0x02,
            Self::PairConfirm { .. } => 0x03,
            Self::Open(_) => 0x04,
            Self::Audio { .. } => 0x05,
            Self::Close(_) => 0x06,
            Self::Played { .. } => 0x07,
            Self::Ping => 0x08,
        }
    }
}

fn read_bool(reader: &mut Reader<'_>) -> Result<bool, FrameError> {
    match reader.u8("paired")? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(FrameError::Range { field: "paired" }),
    }
}

fn read_open(reader: &mut Reader<'_>) -> Result<StreamOpen, FrameError> {
    let open = StreamOpen {
        turn: TurnId(reader.u32("turn")?),
        cause: Cause::read(reader)?,
        start: SampleIndex(reader.u64("start")?),
        onset: SampleIndex(reader.u64("onset")?),
    };
    if has_preroll(&open) { Ok(open) } else { Err(FrameError::Range { field: "onset" }) }
}

/// Whether the onset stands within the stream, and no later than a pre-roll allows (invariant I5).
fn has_preroll(open: &StreamOpen) -> bool {
    open.onset >= open.start && open.preroll() <= PREROLL
}
