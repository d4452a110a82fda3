//! The loudspeaker: a thread of its own, since a sound card waits for nobody.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base::Redacted;
use tokio::sync::mpsc;

use crate::args;
use crate::error::LinkError;

mod card;
mod file;
mod queue;
mod resampler;

use queue::{Command, Nothing, Queue, VoiceLeft};

/// What a card may take longer than the sound lasts, before it counts as gone.
const OVERTIME_MAX: Duration = Duration::from_secs(2);

/// The number of one voice: a reply or a prompt. Reports of an earlier one are told by it.
pub(crate) type VoiceId = u32;

/// What the thread reports.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Report {
    /// The voice's first sample was handed to the loudspeaker.
    Started(VoiceId),
    /// The voice was heard to its end, or as far as it could be.
    Done(VoiceId),
    /// Something of the voice could not be heard; `Done` still follows.
    Failed(String),
}

/// The engine's end of it.
#[derive(Debug)]
pub(crate) struct Speaker {
    queue: Arc<Queue>,
    is_card: bool,
    last: VoiceId,
    left: VoiceLeft,
}

/// Where samples go. All calls come from one thread.
trait Sink {
    /// A voice may come soon.
    fn prepare(&mut self) {}
    /// A voice begins.
    fn start(&mut self, rate_hz: u32) -> Result<(), String>;
    /// Its next samples.
    fn push(&mut self, samples: &[i16]);
    /// It is whole.
    fn finish(&mut self) -> Result<(), String>;
    /// How long what was pushed will still be heard.
    fn left(&self) -> Duration;
    /// Silence, at once.
    fn stop(&mut self);
}

impl Speaker {
    /// Starts the thread. With `is_paced`, a voice that goes to a file or nowhere takes as long as it lasts.
    ///
    /// # Errors
    /// [`LinkError::Start`].
    pub(crate) fn start(
        choice: args::Speaker,
        is_paced: bool,
        reports: mpsc::Sender<Report>,
    ) -> Result<Self, LinkError> {
        let queue = Arc::new(Queue::default());
        let commands = Arc::clone(&queue);
        let is_card = matches!(choice, args::Speaker::Card(_));
        let run = move || {
            let sink: Box<dyn Sink> = match choice {
                args::Speaker::Card(name) => Box::new(card::Card::new(name)),
                args::Speaker::File(path) => Box::new(file::Replies::new(Some(path), is_paced)),
                args::Speaker::Nowhere => Box::new(file::Replies::new(None, is_paced)),
            };
            Player { sink, reports, voice: None }.run(&commands);
        };
        std::thread::Builder::new().name("speaker".to_owned()).spawn(run).map_err(LinkError::Start)?;
        Ok(Self { queue, is_card, last: 0, left: VoiceLeft::default() })
    }

    /// Whether there are ears to hear what is no reply to anything.
    pub(crate) const fn is_card(&self) -> bool {
        self.is_card
    }

    /// A voice may come soon: a card is opened now, so as not to be waited for then.
    pub(crate) fn prepare(&self) {
        self.queue.prepare();
    }

    /// Begins a voice; one that was still heard falls silent.
    pub(crate) fn begin(&mut self, rate_hz: u32) -> VoiceId {
        self.last = self.last.wrapping_add(1);
        self.left = VoiceLeft::at(rate_hz);
        self.queue.start(self.last, rate_hz);
        self.last
    }

    /// The next samples of the voice; `false` where it is longer than any may be, and what is too much was left out.
    pub(crate) fn push(&mut self, mut samples: Redacted<Vec<i16>>) -> bool {
        let n_samples = samples.expose().len();
        let taken = self.left.take(n_samples);
        if taken == 0 {
            return n_samples == 0;
        }
        if taken < n_samples {
            samples = Redacted::new(samples.expose()[..taken].to_vec());
        }
        self.queue.samples(samples);
        taken == n_samples
    }

    /// The voice is whole.
    pub(crate) fn end(&self) {
        self.queue.end();
    }

    /// Silence; [`Report::Done`] says of the latest voice when it is so.
    pub(crate) fn stop(&self) {
        self.queue.stop(self.last);
    }
}

impl Drop for Speaker {
    fn drop(&mut self) {
        self.queue.close();
    }
}

struct Player {
    sink: Box<dyn Sink>,
    reports: mpsc::Sender<Report>,
    voice: Option<Voice>,
}

struct Voice {
    id: VoiceId,
    has_started: bool,
    /// Once it is whole: when it counts as hung.
    hung_at: Option<Instant>,
}

impl Player {
    fn run(mut self, commands: &Queue) {
        loop {
            match commands.next(self.wait()) {
                Ok(command) => self.on_command(command),
                Err(Nothing::Yet) => {}
                Err(Nothing::Ever) => return self.sink.stop(),
            }
            self.end_voice_when_over();
        }
    }

    /// How long to wait for a command before looking at the sink again.
    fn wait(&self) -> Option<Duration> {
        self.voice.as_ref()?.hung_at?;
        Some(self.sink.left().max(Duration::from_millis(1)))
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Prepare if self.voice.is_none() => self.sink.prepare(),
            Command::Prepare => {}
            Command::Start { voice, rate_hz } => {
                self.silence();
                self.voice = Some(Voice { id: voice, has_started: false, hung_at: None });
                if let Err(error) = self.sink.start(rate_hz) {
                    self.report(Report::Failed(error));
                }
            }
            Command::Samples(samples) => {
                let Some(voice) = self.voice.as_mut().filter(|voice| voice.hung_at.is_none()) else { return };
                self.sink.push(samples.expose());
                let (is_first, id) = (!voice.has_started, voice.id);
                voice.has_started = true;
                if is_first {
                    self.report(Report::Started(id));
                }
            }
            Command::End => {
                let Some(voice) = self.voice.as_mut().filter(|voice| voice.hung_at.is_none()) else { return };
                let finished = self.sink.finish();
                voice.hung_at = Some(Instant::now() + self.sink.left() + OVERTIME_MAX);
                if let Err(error) = finished {
                    self.report(Report::Failed(error));
                }
            }
            Command::Stop { last } => {
                self.silence();
                // Also of a voice that never came this far.
                self.report(Report::Done(last));
            }
        }
    }

    fn end_voice_when_over(&mut self) {
        let Some(Voice { hung_at: Some(hung_at), .. }) = self.voice else { return };
        let is_hung = hung_at <= Instant::now();
        if is_hung {
            self.report(Report::Failed("the loudspeaker does not take its samples".to_owned()));
        }
        if is_hung || self.sink.left().is_zero() {
            self.silence();
        }
    }

    fn silence(&mut self) {
        if let Some(voice) = self.voice.take() {
            self.sink.stop();
            self.report(Report::Done(voice.id));
        }
    }

    fn report(&self, report: Report) {
        // Where nobody listens the process is ending.
        let _ = self.reports.blocking_send(report);
    }
}

#[cfg(test)]
mod tests;
