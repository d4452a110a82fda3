//! What the device says by itself, rendered beforehand: when its cloud cannot speak for it, there is nobody to ask.

use crate::error::LinkError;

/// A prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prompt {
    /// The cloud cannot be reached.
    Offline,
    /// This device is not paired.
    NotPaired,
    /// The cloud knows this device no longer.
    Revoked,
    /// The cloud and the device speak different versions.
    WrongVersion,
    /// The cloud could not answer.
    Failed,
    /// Pairing came about.
    Paired,
    /// Pairing did not.
    PairingFailed,
}

impl Prompt {
    /// Its sample rate.
    pub(crate) const RATE_HZ: u32 = base::SAMPLE_RATE_HZ;

    /// Its samples.
    ///
    /// # Errors
    /// [`LinkError::Start`], which the test beside this rules out.
    pub(crate) fn samples(self) -> Result<Vec<i16>, LinkError> {
        let (name, bytes): (_, &[u8]) = match self {
            Self::Offline => ("offline.wav", include_bytes!("../prompts/offline.wav")),
            Self::NotPaired => ("not_paired.wav", include_bytes!("../prompts/not_paired.wav")),
            Self::Revoked => ("revoked.wav", include_bytes!("../prompts/revoked.wav")),
            Self::WrongVersion => ("wrong_version.wav", include_bytes!("../prompts/wrong_version.wav")),
            Self::Failed => ("failed.wav", include_bytes!("../prompts/failed.wav")),
            Self::Paired => ("paired.wav", include_bytes!("../prompts/paired.wav")),
            Self::PairingFailed => ("pairing_failed.wav", include_bytes!("../prompts/pairing_failed.wav")),
        };
        sound::decode_bytes(name, bytes.to_vec()).map_err(|error| LinkError::Start(std::io::Error::other(error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prompt_can_be_spoken() {
        use Prompt::{Failed, NotPaired, Offline, Paired, PairingFailed, Revoked, WrongVersion};
        for prompt in [Offline, NotPaired, Revoked, WrongVersion, Failed, Paired, PairingFailed] {
            let samples = prompt.samples().expect("decodes");
            assert!((16_000..80_000).contains(&samples.len()), "{prompt:?} has {} samples", samples.len());
        }
    }
}
