//! [`FromCloud`] in bytes.

use base::{DeviceId, SampleCount, TurnId};

use super::{Caption, FromCloud, Outcome, PairFailure, RefusedReason, Settings, Slot, StopReason, Timing};
use crate::bytes::{Reader, Writer};
use crate::error::FrameError;
use crate::limits::{NAME_BYTES_MAX, REPLY_RATE_HZ, SLOTS_MAX, TEXT_BYTES_MAX, TIMINGS_MAX};

impl FromCloud {
    /// The frame.
    ///
    /// # Errors
    /// [`FrameError::Range`] where a field is longer than, or outside of, what the other side would accept.
    pub fn encode(&self) -> Result<Vec<u8>, FrameError> {
        let mut writer = Writer::new(self.kind());
        match self {
            Self::Welcome { device, settings } => {
                writer.raw(device.as_bytes());
                settings.write(&mut writer);
            }
            Self::Unpaired | Self::Pong => {}
            Self::PairReply { message } => writer.raw(message),
            Self::PairDone { device, mac } => {
                writer.raw(device.as_bytes());
                writer.raw(mac);
            }
            Self::PairFailed { reason, tries_left } => {
                writer.u8(reason.number());
                writer.u8(*tries_left);
            }
            Self::Refused { reason } => writer.u8(reason.number()),
            Self::Settings(settings) => settings.write(&mut writer),
            Self::Heard { turn, through } => {
                writer.u32(turn.0);
                writer.u64(through.0);
            }
            Self::StopCapture { turn, at, reason } => {
                writer.u32(turn.0);
                writer.u64(at.0);
                writer.u8(reason.number());
            }
            Self::Books { turn, samples } => {
                writer.u32(turn.0);
                writer.u64(samples.0);
            }
            Self::Caption(caption) => caption.write(&mut writer),
            Self::ReplyStart { turn, rate_hz } => {
                writer.u32(turn.0);
                if !REPLY_RATE_HZ.contains(rate_hz) {
                    writer.refuse("rate");
                }
                writer.u32(*rate_hz);
            }
            Self::ReplyAudio { turn, samples } => {
                writer.u32(turn.0);
                writer.samples(samples.expose());
            }
            Self::ReplyEnd { turn } => writer.u32(turn.0),
            Self::TurnEnd { turn, outcome } => {
                writer.u32(turn.0);
                writer.u8(outcome.number());
            }
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
            0x80 => Self::Welcome { device: read_device(&mut reader)?, settings: Settings::read(&mut reader)? },
            0x81 => Self::Unpaired,
            0x82 => Self::PairReply { message: reader.array("pairing message")? },
            0x83 => Self::PairDone { device: read_device(&mut reader)?, mac: reader.array("mac")? },
            0x84 => Self::PairFailed { reason: PairFailure::read(&mut reader)?, tries_left: reader.u8("tries")? },
            0x85 => Self::Refused { reason: RefusedReason::read(&mut reader)? },
            0x86 => Self::Settings(Settings::read(&mut reader)?),
            0x87 => Self::Heard { turn: read_turn(&mut reader)?, through: SampleCount(reader.u64("through")?) },
            0x88 => Self::StopCapture {
                turn: read_turn(&mut reader)?,
                at: SampleCount(reader.u64("at")?),
                reason: StopReason::read(&mut reader)?,
            },
            0x89 => Self::Books { turn: read_turn(&mut reader)?, samples: SampleCount(reader.u64("samples")?) },
            0x8a => Self::Caption(Caption::read(&mut reader)?),
            0x8b => {
                let turn = read_turn(&mut reader)?;
                let rate_hz = reader.u32("rate")?;
                if !REPLY_RATE_HZ.contains(&rate_hz) {
                    return Err(FrameError::Range { field: "rate" });
                }
                Self::ReplyStart { turn, rate_hz }
            }
            0x8c => Self::ReplyAudio { turn: read_turn(&mut reader)?, samples: reader.samples()? },
            0x8d => Self::ReplyEnd { turn: read_turn(&mut reader)? },
            0x8e => Self::TurnEnd { turn: read_turn(&mut reader)?, outcome: Outcome::read(&mut reader)? },
            0x8f => Self::Pong,
            _ => return Err(FrameError::Kind(kind)),
        };
        reader.finish()?;
        Ok(message)
    }

    const fn kind(&self) -> u8 {
        match self {
            Self::Welcome { .. } => 0x80,
            Self::Unpaired => 0x81,
            Self::PairReply { .. } => 0x82,
            Self::PairDone { .. } => 0x83,
            Self::PairFailed { .. } => 0x84,
            Self::Refused { .. } => 0x85,
            Self::Settings(_) => 0x86,
            Self::Heard { .. } => 0x87,
            Self::StopCapture { .. } => 0x88,
            Self::Books { .. } => 0x89,
            Self::Caption(_) => 0x8a,
            Self::ReplyStart { .. } => 0x8b,
            Self::ReplyAudio { .. } => 0x8c,
            Self::ReplyEnd { .. } => 0x8d,
            Self::TurnEnd { .. } => 0x8e,
            Self::Pong => 0x8f,
        }
    }
}

impl Caption {
    fn write(&self, writer: &mut Writer) {
        writer.u32(self.turn.0);
        writer.text("transcript", self.transcript.expose(), TEXT_BYTES_MAX);
        writer.text("intent", &self.intent, NAME_BYTES_MAX);
        writer.count("slots", self.slots.len(), SLOTS_MAX);
        self.slots.iter().for_each(|slot| slot.write(writer));
        writer.text("reply", self.reply.expose(), TEXT_BYTES_MAX);
        writer.count("timings", self.timings.len(), TIMINGS_MAX);
        self.timings.iter().for_each(|timing| timing.write(writer));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, FrameError> {
        let turn = read_turn(reader)?;
        let transcript = reader.text("transcript", TEXT_BYTES_MAX)?.into();
        let intent = reader.text("intent", NAME_BYTES_MAX)?;
        let n_slots = reader.count("slots", SLOTS_MAX)?;
        let slots = (0..n_slots).map(|_| Slot::read(reader)).collect::<Result<_, _>>()?;
        let reply = reader.text("reply", TEXT_BYTES_MAX)?.into();
        let n_timings = reader.count("timings", TIMINGS_MAX)?;
        let timings = (0..n_timings).map(|_| Timing::read(reader)).collect::<Result<_, _>>()?;
        Ok(Self { turn, transcript, intent, slots, reply, timings })
    }
}

fn read_turn(reader: &mut Reader<'_>) -> Result<TurnId, FrameError> {
    Ok(TurnId(reader.u32("turn")?))
}

fn read_device(reader: &mut Reader<'_>) -> Result<DeviceId, FrameError> {
    Ok(DeviceId::from_bytes(reader.array("device")?))
}
