//! Where does the request end? Decided from sound alone, frame by frame, in samples of the stream.
//!
//! Three things make it more than waiting for a pause. The wake word is speech, and not the request: somebody may say
//! "Alexa", think for two seconds and go on. Noise is never quiet: what is far below the speaker's own level counts as
//! quiet, but at half its length, since it may yet be the speaker's soft last words. And a request that is shorter than
//! the doubt ("stop") is given more patience than one that was clearly heard.
//!
//! The thresholds were chosen on 2,184 mixtures of human wake words, human commands (two sources, some twenty voices)
//! and noise; `endpoint::tests` prints what they cost today.

use base::SampleCount;
use base::limits::STREAM_MAX;

use crate::vad::VAD_FRAME;

/// How long each kind of quiet may last. All counted in the stream's own samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointConfig {
    /// Quiet after a request that was clearly heard. Shorter answers sooner and cuts off more people; default 700 ms.
    pub quiet: SampleCount,
    /// Quiet after something short that may have been a request, or the wake word's own end; default 2 s.
    pub quiet_unsure: SampleCount,
    /// Quiet after the wake word, where nothing else was heard; default 5 s.
    pub quiet_unasked: SampleCount,
    /// The wait for a request in noise that is never quiet, from the onset on; default 9 s.
    pub unasked_max: SampleCount,
    /// The stream's length at which it ends whatever is heard; default [`STREAM_MAX`].
    pub stream_max: SampleCount,
}

impl Default for EndpointConfig {
    fn default() -> Self {
        Self {
            quiet: SampleCount::from_ms(700),
            quiet_unsure: SampleCount::from_ms(2_000),
            quiet_unasked: SampleCount::from_ms(5_000),
            unasked_max: SampleCount::from_ms(9_000),
            stream_max: STREAM_MAX,
        }
    }
}

/// What a stream begins with, in samples from its first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// A wake word that starts at `onset`; a request may follow.
    WakeWord {
        /// Where the word starts.
        onset: SampleCount,
    },
    /// Nothing but the request, from `onset` on (a button).
    Request {
        /// Where the button was pressed.
        onset: SampleCount,
    },
}

/// Why a stream should end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// A request was heard and is over.
    EndOfSpeech,
    /// Nothing was heard beyond the wake word. Somebody very soft may still have spoken: the recogniser decides.
    NothingHeard,
    /// The stream is as long as one may be.
    Limit,
}

/// The end of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Where the last speech ended.
    pub speech_end: SampleCount,
    /// How much of the stream it took to be sure.
    pub decided_at: SampleCount,
    /// Why.
    pub reason: EndReason,
}

/// A frame is speech from this probability on, and stays so down to [`SPEECH_OFF`] (Silero's own hysteresis of 0.15).
const SPEECH_ON: f32 = 0.5;
/// See [`SPEECH_ON`].
const SPEECH_OFF: f32 = 0.35;
/// Speech that shall count as the beginning of a request is surer than that: kitchens clatter like consonants.
const SPEECH_SURE: f32 = 0.8;

/// Level below the speaker's loudest, in dB, at which sound is not the speaker in any room.
const SPEAKER_RANGE_DB: f32 = 30.0;
/// ... at which speech is not the speaker beginning a request, but someone or something farther off.
const REQUEST_RANGE_DB: f32 = 10.0;
/// ... at which it is not even perhaps so.
const PERHAPS_RANGE_DB: f32 = 20.0;
/// ... below the loudest of the request itself at which speech, once the request has begun, is a television or the
/// speaker's own soft last words: it counts as quiet, at a third of its length. At 12 dB a television 15 dB below the speaker
/// keeps requests open, at 10 dB no more of them end than at 11.
const SOFT_RANGE_DB: f32 = 11.0;
/// The request's own level falls by so much for each frame of loud speech (1.6 dB a second), as people walk away.
const REQUEST_FALL_DB: f32 = 0.05;
/// Sound this near the room's own level counts as quiet, at half its length,
const ABOVE_NOISE_DB: f32 = 8.0;
/// unless it is this near the speaker's level.
const BELOW_SPEAKER_DB: f32 = 8.0;

/// Nineteen of twenty human "Alexa"s (110 clips) last from 540 ms on: what is heard so soon after the onset is the word.
const WORD_MIN: SampleCount = SampleCount::from_ms(600);
/// Three of four last 740 ms at most, and nearly all of those spoken without a pause end by now.
const WORD_USUAL_MAX: SampleCount = SampleCount::from_ms(900);
/// Unbroken speech of this length is the word and more.
const WORD_MAX: SampleCount = SampleCount::from_ms(1_200);

/// Frames below the request's range that end the word's own run of speech.
const RUN_BREAK_FRAMES: u8 = 3;
/// Sure frames after that run which make a request; a pause of [`EVIDENCE_LIFE`] starts the count again.
const EVIDENCE_FRAMES: u8 = 5;
/// Unsure frames after the word's usual end which make "perhaps".
const PERHAPS_FRAMES: u8 = 4;
/// See [`EVIDENCE_FRAMES`].
const EVIDENCE_LIFE: SampleCount = SampleCount::from_ms(300);

/// One frame, in samples.
const FRAME: SampleCount = SampleCount(VAD_FRAME as u64);

/// What is known of the request so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Request {
    /// Nothing beyond the wake word.
    Unheard,
    /// Something that the word's own end may explain.
    Perhaps,
    /// It has begun.
    Begun,
}

/// Follows one stream and says once where its request ends.
#[derive(Debug)]
pub struct Endpointer {
    config: EndpointConfig,
    onset: SampleCount,
    /// The word's own speech has not ended yet, so that what is heard may be the word.
    in_word: bool,
    position: SampleCount,
    levels: Levels,
    speaking: bool,
    request: Request,
    /// The loudest 160 ms of the request, without the wake word before it: "Alexa!" may be called and the rest be said.
    request_db: f32,
    /// Length of the present quiet, in sixths of a sample, for sound that counts half or a third.
    quiet_sixths: u64,
    speech_end: SampleCount,
    break_frames: u8,
    evidence_frames: u8,
    perhaps_frames: u8,
    found: Option<Endpoint>,
}

/// What one frame is, at the present levels.
struct Heard {
    /// Speech that the speaker's level may explain.
    voice: bool,
    /// Of these, what stands out of the room's noise.
    loud: bool,
    /// What stands out of the room's noise, and yet is far below the request.
    behind: bool,
    /// Of these, what may begin a request.
    sure: bool,
    /// What may perhaps.
    perhaps: bool,
}

impl Endpointer {
    /// Starts at the first sample of a stream.
    #[must_use]
    pub fn new(config: EndpointConfig, opening: Opening) -> Self {
        let (onset, in_word) = match opening {
            Opening::WakeWord { onset } => (onset, true),
            Opening::Request { onset } => (onset, false),
        };
        Self {
            config,
            onset,
            in_word,
            position: SampleCount(0),
            levels: Levels::default(),
            speaking: false,
            request: Request::Unheard,
            request_db: Levels::SILENCE_DB,
            quiet_sixths: 0,
            speech_end: onset,
            break_frames: 0,
            evidence_frames: 0,
            perhaps_frames: 0,
            found: None,
        }
    }

    /// Takes the stream's next frame (its samples, -1 to 1, and the probability that it is speech). Once the end is
    /// found it stays found.
    pub fn push(&mut self, frame: &[f32], probability: f32) -> Option<Endpoint> {
        if self.found.is_none() {
            self.position.0 += FRAME.0;
            self.levels.push(frame, self.position > self.onset);
            if self.position > self.onset {
                self.follow(probability);
            }
            self.found = self.decide();
        }
        self.found
    }

    /// Where the last speech ended, as far as is known.
    #[must_use]
    pub const fn speech_end(&self) -> SampleCount {
        self.speech_end
    }

    fn since_onset(&self) -> SampleCount {
        SampleCount(self.position.0.saturating_sub(self.onset.0))
    }

    fn follow(&mut self, probability: f32) {
        let heard = self.hear(probability);
        let stays = match self.request {
            Request::Begun => heard.loud,
            Request::Perhaps => heard.sure || heard.perhaps,
            Request::Unheard => heard.sure,
        };
        if stays {
            if self.request == Request::Begun {
                self.request_db = (self.request_db - REQUEST_FALL_DB).max(self.levels.mean_db(5));
            }
            self.quiet_sixths = 0;
            self.speech_end = self.position;
        } else {
            let soft_speech = self.request == Request::Begun && heard.voice;
            self.quiet_sixths += FRAME.0
                * match soft_speech {
                    true if heard.behind => 2,
                    true => 3,
                    false => 6,
                };
        }
        if self.in_word && self.since_onset() <= WORD_MIN {
            self.quiet_sixths = 0;
            return;
        }
        self.weigh(&heard);
    }

    fn hear(&mut self, probability: f32) -> Heard {
        self.speaking = probability >= if self.speaking { SPEECH_OFF } else { SPEECH_ON };
        let Levels { speaker_db, noise_db, .. } = self.levels;
        let (steady_db, now_db) = (self.levels.mean_db(5), self.levels.mean_db(2));
        let gate_db = (noise_db + ABOVE_NOISE_DB).min(speaker_db - BELOW_SPEAKER_DB);
        let voice = self.speaking && steady_db >= speaker_db - SPEAKER_RANGE_DB;
        let within = |range_db: f32| voice && now_db >= gate_db.max(speaker_db - range_db);
        Heard {
            voice,
            loud: voice && steady_db >= gate_db.max(self.request_db - SOFT_RANGE_DB),
            behind: voice && steady_db >= gate_db,
            sure: probability >= SPEECH_SURE && within(REQUEST_RANGE_DB),
            perhaps: probability >= SPEECH_ON && within(PERHAPS_RANGE_DB),
        }
    }

    /// Does this frame make a request more likely?
    fn weigh(&mut self, heard: &Heard) {
        if heard.perhaps && self.since_onset() > WORD_USUAL_MAX {
            self.perhaps_frames = self.perhaps_frames.saturating_add(1);
            if self.perhaps_frames >= PERHAPS_FRAMES && self.request == Request::Unheard {
                self.request = Request::Perhaps;
                // The pause before it was not the quiet after it.
                self.quiet_sixths = 0;
                self.speech_end = self.position;
            }
        }
        if self.in_word {
            if heard.sure {
                self.break_frames = 0;
                if self.since_onset() > WORD_MAX {
                    self.request = Request::Begun;
                }
            } else {
                self.break_frames += 1;
                self.in_word = self.break_frames < RUN_BREAK_FRAMES;
            }
        } else if heard.sure {
            self.evidence_frames = self.evidence_frames.saturating_add(1);
            if self.evidence_frames >= EVIDENCE_FRAMES {
                self.request = Request::Begun;
            }
        } else if self.quiet_sixths > 6 * EVIDENCE_LIFE.0 {
            self.evidence_frames = 0;
        }
    }

    fn decide(&self) -> Option<Endpoint> {
        let quiet_max = match self.request {
            Request::Begun => self.config.quiet,
            Request::Perhaps => self.config.quiet_unsure,
            Request::Unheard => self.config.quiet_unasked,
        };
        let quiet = self.quiet_sixths / 6 + FRAME.0 / 2 > quiet_max.0;
        let reason = match self.request {
            Request::Begun | Request::Perhaps if quiet => EndReason::EndOfSpeech,
            Request::Unheard if quiet => EndReason::NothingHeard,
            Request::Unheard | Request::Perhaps if self.since_onset() > self.config.unasked_max => {
                EndReason::NothingHeard
            }
            _ if self.position >= self.config.stream_max => EndReason::Limit,
            _ => return None,
        };
        Some(Endpoint { speech_end: self.speech_end, decided_at: self.position, reason })
    }
}

/// The last frames' power, the speaker's level and the room's.
#[derive(Debug)]
struct Levels {
    power: [f32; Self::FRAMES],
    n_frames: usize,
    /// The loudest 160 ms since the onset.
    speaker_db: f32,
    /// The softest 256 ms since the stream's first sample.
    noise_db: f32,
}

impl Default for Levels {
    fn default() -> Self {
        Self { power: [0.0; Self::FRAMES], n_frames: 0, speaker_db: Self::SILENCE_DB, noise_db: 0.0 }
    }
}

impl Levels {
    /// Frames looked back on, and the frames that the room's level is taken over.
    const FRAMES: usize = 8;
    /// Below a 16-bit sample's own noise; digital silence must have some level.
    const SILENCE_DB: f32 = -100.0;

    fn push(&mut self, frame: &[f32], after_onset: bool) {
        let power = frame.iter().map(|sample| sample * sample).sum::<f32>() / VAD_FRAME as f32;
        self.power[self.n_frames % Self::FRAMES] = power;
        self.n_frames += 1;
        if self.n_frames >= Self::FRAMES {
            self.noise_db = self.noise_db.min(self.mean_db(Self::FRAMES));
        }
        if after_onset {
            self.speaker_db = self.speaker_db.max(self.mean_db(5));
        }
    }

    /// The level of the last `count` frames, at most [`Self::FRAMES`].
    fn mean_db(&self, count: usize) -> f32 {
        let count = count.min(self.n_frames).max(1);
        let last = |back: usize| self.power[(self.n_frames + Self::FRAMES - 1 - back) % Self::FRAMES];
        let mean = (0..count).map(last).sum::<f32>() / count as f32;
        (10.0 * mean.log10()).max(Self::SILENCE_DB)
    }
}

#[cfg(test)]
mod tests;
