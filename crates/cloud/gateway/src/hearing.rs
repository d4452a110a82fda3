//! One stream being heard: its sound so far, and where its request ends.

use std::time::Duration;

use base::{Redacted, SampleCount, Timestamp};
use ear::endpoint::{EndReason, Endpoint, EndpointConfig, Endpointer, Opening};
use ear::vad::{Vad, VadModel};
use wire::limits::STREAM_SAMPLES_MAX;
use wire::{Cause, StopReason, StreamOpen};
use zeroize::Zeroizing;

use crate::limits::{RECOGNISE_LEAD, RECOGNISE_TAIL};

/// A stream that is open.
pub(crate) struct Hearing {
    pub(crate) open: StreamOpen,
    /// When it was opened, as the clock stood.
    pub(crate) at: Timestamp,
    vad: Vad,
    endpointer: Endpointer,
    pcm: Zeroizing<Vec<i16>>,
    end: Option<Endpoint>,
}

/// What the recogniser shall hear, and what is known of it.
#[derive(Debug)]
pub(crate) struct Request {
    /// The request: from shortly before the wake word to shortly after the last speech.
    pub(crate) pcm: Redacted<Vec<i16>>,
    /// Something was heard beyond the wake word.
    pub(crate) spoken: bool,
    /// How long it took to be sure of the end, on the sample clock.
    pub(crate) endpoint_wait: Duration,
}

impl Hearing {
    pub(crate) fn new(model: &VadModel, config: EndpointConfig, open: StreamOpen, at: Timestamp) -> Self {
        let onset = open.preroll();
        let opening = match open.cause {
            Cause::Wake { .. } => Opening::WakeWord { onset },
            Cause::Button => Opening::Request { onset },
        };
        // Whole from the start: what was said is not left behind in memory that a growing vector gives up.
        let pcm = Zeroizing::new(Vec::with_capacity(STREAM_SAMPLES_MAX.0 as usize));
        let endpointer = Endpointer::new(config, opening);
        Self { open, at, vad: Vad::new(model), endpointer, pcm, end: None }
    }

    /// Takes the stream's next samples. Says once where the request ends; what comes after is only kept.
    pub(crate) fn push(&mut self, samples: &[i16]) -> Option<Endpoint> {
        self.pcm.extend_from_slice(samples);
        if self.end.is_some() {
            return None;
        }
        let Self { vad, endpointer, end, .. } = self;
        vad.push(samples, |frame, probability| {
            if end.is_none() {
                *end = endpointer.push(frame, probability);
            }
        });
        self.end
    }

    /// All samples that arrived.
    pub(crate) fn received(&self) -> SampleCount {
        SampleCount(self.pcm.len() as u64)
    }

    /// The request as far as it was heard.
    pub(crate) fn request(&self) -> Request {
        let pcm = &self.pcm;
        let preroll = self.open.preroll().0;
        let (end, spoken, endpoint_wait) = match self.end {
            Some(end) if end.reason == EndReason::EndOfSpeech => {
                let wait = (end.decided_at - end.speech_end).duration();
                ((end.speech_end + RECOGNISE_TAIL).0, true, wait)
            }
            // The limit falls into speech.
            Some(end) => (pcm.len() as u64, end.reason == EndReason::Limit, Duration::ZERO),
            // The stream was closed at the device, its end not found: everything may matter.
            None => (pcm.len() as u64, true, Duration::ZERO),
        };
        let from = usize::try_from(preroll.saturating_sub(RECOGNISE_LEAD.0)).unwrap_or(0).min(pcm.len());
        let to = usize::try_from(end).unwrap_or(usize::MAX).clamp(from, pcm.len());
        Request { pcm: Redacted::new(pcm[from..to].to_vec()), spoken, endpoint_wait }
    }

    /// All of the sound, to be sealed.
    pub(crate) fn into_pcm(mut self) -> Redacted<Vec<i16>> {
        Redacted::new(std::mem::take(&mut *self.pcm))
    }
}

/// What the device is told of an end.
pub(crate) const fn stop_reason(reason: EndReason) -> StopReason {
    match reason {
        EndReason::EndOfSpeech => StopReason::EndOfSpeech,
        EndReason::NothingHeard => StopReason::NothingSaid,
        EndReason::Limit => StopReason::Limit,
    }
}
