//! The tables of [`crate::messages`] in bytes: which kind is which line, and what its body holds.

use base::limits::CHUNK;
use base::{Redacted, SampleCount, SampleIndex, TurnId};

use crate::PipeError;
use crate::frame::{BodyReader, BodyWriter, Message};
use crate::messages::{
    Cause, CloseReason, EarToLink, EarToPanel, LauncherToPanel, LinkToEar, PanelToEar, PanelToLauncher, Sensitivity,
    StreamClose, StreamOpen, WordName,
};
use crate::standing::Standing;

impl Cause {
    fn write(&self, body: &mut BodyWriter<'_>) {
        match self {
            Self::Wake { word, score } => {
                body.u8(1);
                body.short_text(word.as_str());
                body.f32(*score);
            }
            Self::Button => body.u8(2),
        }
    }

    fn read(body: &mut BodyReader<'_>) -> Result<Self, PipeError> {
        match body.u8()? {
            1 => {
                let word = WordName::new(body.short_text()?).ok_or_else(|| body.malformed())?;
                Ok(Self::Wake { word, score: body.f32()? })
            }
            2 => Ok(Self::Button),
            _ => Err(body.malformed()),
        }
    }
}

impl Message for EarToLink {
    fn kind(&self) -> u8 {
        match self {
            Self::Open(_) => 1,
            Self::Pcm { .. } => 2,
            Self::Close(_) => 3,
            Self::MicOff => 4,
        }
    }

    fn write_body(&self, body: &mut BodyWriter<'_>) {
        match self {
            Self::Open(open) => {
                body.u32(open.turn.0);
                body.u64(open.start.0);
                body.u64(open.onset.0);
                open.cause.write(body);
            }
            Self::Pcm { turn, pcm } => {
                body.u32(turn.0);
                body.samples(pcm.expose());
            }
            Self::Close(close) => {
                body.u32(close.turn.0);
                body.u64(close.end.0);
                body.u64(close.samples_total.0);
                body.u8(match close.reason {
                    CloseReason::StopCapture => 1,
                    CloseReason::Limit => 2,
                    CloseReason::MicOff => 3,
                    CloseReason::MicGone => 4,
                });
            }
            Self::MicOff => {}
        }
    }

    fn read_body(kind: u8, body: &mut BodyReader<'_>) -> Result<Self, PipeError> {
        match kind {
            1 => {
                let turn = TurnId(body.u32()?);
                let (start, onset) = (SampleIndex(body.u64()?), SampleIndex(body.u64()?));
                if onset < start {
                    return Err(body.malformed());
                }
                Ok(Self::Open(StreamOpen { turn, cause: Cause::read(body)?, start, onset }))
            }
            2 => {
                let turn = TurnId(body.u32()?);
                let pcm = Redacted::new(body.samples()?);
                let samples = pcm.expose().len() as u64;
                if samples == 0 || samples > CHUNK.0 { Err(body.malformed()) } else { Ok(Self::Pcm { turn, pcm }) }
            }
            3 => Ok(Self::Close(StreamClose {
                turn: TurnId(body.u32()?),
                end: SampleIndex(body.u64()?),
                samples_total: SampleCount(body.u64()?),
                reason: match body.u8()? {
                    1 => CloseReason::StopCapture,
                    2 => CloseReason::Limit,
                    3 => CloseReason::MicOff,
                    4 => CloseReason::MicGone,
                    _ => return Err(body.malformed()),
                },
            })),
            4 => Ok(Self::MicOff),
            _ => Err(PipeError::Kind(kind)),
        }
    }
}

impl Message for LinkToEar {
    fn kind(&self) -> u8 {
        match self {
            Self::StopCapture { .. } => 1,
            Self::Heard { .. } => 2,
            Self::Drained { .. } => 3,
            Self::TurnOver { .. } => 4,
            Self::Settings { .. } => 5,
            Self::Silenced => 6,
            Self::Standing(_) => 7,
        }
    }

    fn write_body(&self, body: &mut BodyWriter<'_>) {
        match *self {
            Self::StopCapture { turn, at: samples } | Self::Heard { turn, through: samples } => {
                body.u32(turn.0);
                body.u64(samples.0);
            }
            Self::Drained { turn } | Self::TurnOver { turn } => body.u32(turn.0),
            Self::Settings { sensitivity } => body.u8(match sensitivity {
                Sensitivity::Low => 1,
                Sensitivity::Normal => 2,
                Sensitivity::High => 3,
            }),
            Self::Silenced => {}
            Self::Standing(standing) => body.u8(standing.number()),
        }
    }

    fn read_body(kind: u8, body: &mut BodyReader<'_>) -> Result<Self, PipeError> {
        match kind {
            1 => Ok(Self::StopCapture { turn: TurnId(body.u32()?), at: SampleCount(body.u64()?) }),
            2 => Ok(Self::Heard { turn: TurnId(body.u32()?), through: SampleCount(body.u64()?) }),
            3 => Ok(Self::Drained { turn: TurnId(body.u32()?) }),
            4 => Ok(Self::TurnOver { turn: TurnId(body.u32()?) }),
            5 => Ok(Self::Settings {
                sensitivity: match body.u8()? {
                    1 => Sensitivity::Low,
                    2 => Sensitivity::Normal,
                    3 => Sensitivity::High,
                    _ => return Err(body.malformed()),
                },
            }),
            6 => Ok(Self::Silenced),
            7 => Ok(Self::Standing(read_standing(body)?)),
            _ => Err(PipeError::Kind(kind)),
        }
    }
}

impl Message for EarToPanel {
    fn kind(&self) -> u8 {
        match self {
            Self::Ask { .. } => 1,
            Self::ListeningOver { .. } => 2,
            Self::TurnOver { .. } => 3,
            Self::MicGone => 4,
            Self::Wiped => 5,
            Self::Ready => 6,
            Self::Standing(_) => 7,
            Self::Hears => 8,
        }
    }

    fn write_body(&self, body: &mut BodyWriter<'_>) {
        match self {
            Self::Ask { turn, cause } => {
                body.u32(turn.0);
                cause.write(body);
            }
            Self::ListeningOver { turn } | Self::TurnOver { turn } => body.u32(turn.0),
            Self::Standing(standing) => body.u8(standing.number()),
            Self::MicGone | Self::Wiped | Self::Ready | Self::Hears => {}
        }
    }

    fn read_body(kind: u8, body: &mut BodyReader<'_>) -> Result<Self, PipeError> {
        match kind {
            1 => Ok(Self::Ask { turn: TurnId(body.u32()?), cause: Cause::read(body)? }),
            2 => Ok(Self::ListeningOver { turn: TurnId(body.u32()?) }),
            3 => Ok(Self::TurnOver { turn: TurnId(body.u32()?) }),
            4 => Ok(Self::MicGone),
            5 => Ok(Self::Wiped),
            6 => Ok(Self::Ready),
            7 => Ok(Self::Standing(read_standing(body)?)),
            8 => Ok(Self::Hears),
            _ => Err(PipeError::Kind(kind)),
        }
    }
}

fn read_standing(body: &mut BodyReader<'_>) -> Result<Standing, PipeError> {
    Standing::from_number(body.u8()?).ok_or_else(|| body.malformed())
}

impl Message for PanelToEar {
    fn kind(&self) -> u8 {
        match self {
            Self::Lit { .. } => 1,
            Self::Press => 2,
            Self::MicOff => 3,
            Self::MicOn => 4,
        }
    }

    fn write_body(&self, body: &mut BodyWriter<'_>) {
        if let Self::Lit { turn } = self {
            body.u32(turn.0);
        }
    }

    fn read_body(kind: u8, body: &mut BodyReader<'_>) -> Result<Self, PipeError> {
        match kind {
            1 => Ok(Self::Lit { turn: TurnId(body.u32()?) }),
            2 => Ok(Self::Press),
            3 => Ok(Self::MicOff),
            4 => Ok(Self::MicOn),
            _ => Err(PipeError::Kind(kind)),
        }
    }
}

impl Message for PanelToLauncher {
    fn kind(&self) -> u8 {
        match self {
            Self::MicrophonesOn => 1,
            Self::MicrophonesOff => 2,
        }
    }

    fn write_body(&self, _: &mut BodyWriter<'_>) {}

    fn read_body(kind: u8, _: &mut BodyReader<'_>) -> Result<Self, PipeError> {
        match kind {
            1 => Ok(Self::MicrophonesOn),
            2 => Ok(Self::MicrophonesOff),
            _ => Err(PipeError::Kind(kind)),
        }
    }
}

impl Message for LauncherToPanel {
    fn kind(&self) -> u8 {
        match self {
            Self::MicrophonesOn => 1,
            Self::MicrophonesOff => 2,
            Self::Redraw => 3,
        }
    }

    fn write_body(&self, _: &mut BodyWriter<'_>) {}

    fn read_body(kind: u8, _: &mut BodyReader<'_>) -> Result<Self, PipeError> {
        match kind {
            1 => Ok(Self::MicrophonesOn),
            2 => Ok(Self::MicrophonesOff),
            3 => Ok(Self::Redraw),
            _ => Err(PipeError::Kind(kind)),
        }
    }
}
