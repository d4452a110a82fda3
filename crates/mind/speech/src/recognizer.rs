//! Audio to text.

use std::time::Duration;

use base::Redacted;

use crate::{Deadline, SpeechError};

/// What was heard.
#[derive(Clone, Debug)]
pub struct Recognition {
    /// The words; empty where nobody spoke.
    pub text: Redacted<String>,
    /// The mean log-probability of a token: how sure the engine is, from 0 downwards.
    pub avg_logprob: f32,
    /// How likely nobody spoke, from 0 to 1.
    pub no_speech: f32,
    /// The CPU time that it took.
    pub cpu: Duration,
}

/// Something that can write down what was said.
///
/// A call works on its caller's thread alone and ends soon after `deadline` has passed; run it on a
/// [`RecognizerPool`](crate::RecognizerPool). An engine is shared by all threads.
pub trait Recognizer: Send + Sync {
    /// Hears `pcm`: 16 kHz, one channel.
    ///
    /// # Errors
    ///
    /// Where there is too much sound, the deadline passes, or the engine fails.
    fn recognize(&self, pcm: &[i16], deadline: &Deadline) -> Result<Recognition, SpeechError>;
}
