//! The loudspeaker: a thread of its own, since a sound card waits for nobody.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use base::Redacted;
use base::limits::REPLY_SECONDS_MAX;
use tokio::sync::mpsc;

use crate::args;
use crate::error::LinkError;

mod card;
mod file;
mod resampler;

/// Commands that wait for the thread: more than the frames of the longest reply (60 s at 48 kHz are 188).
const COMMANDS_MAX: usize = 256;

/// What a card may take longer than the sound lasts, before it counts as gone.
const OVERTIME_MAX: Duration = Duration::from_secs(2);

/// The number of one voice: a reply or a prompt. Reports of an earlier one are told by it.
pub(crate) type VoiceId = u32;

/// What the thread is told.
#[derive(Debug)]
enum Command {
    Prepare,
    Start { voice: VoiceId, rate_hz: u32 },
    Samples(Redacted<Vec<i16>>),
    End,
    Stop,
}

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
    commands: SyncSender<Command>,
    is_card: bool,
    last: VoiceId,
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
        let (commands, received) = sync_channel(COMMANDS_MAX);
        let is_card = matches!(choice, args::Speaker::Card(_));
        let run = move || {
            let sink: Box<dyn Sink> = match choice {
                args::Speaker::Card(name) => Box::new(card::Card::new(name)),
                args::Speaker::File(path) => Box::new(file::Replies::new(Some(path), is_paced)),
                args::Speaker::Nowhere => Box::new(file::Replies::new(None, is_paced)),
            };
            Player { sink, reports, voice: None }.run(&received);
        };
        std::thread::Builder::new().name("speaker".to_owned()).spawn(run).map_err(LinkError::Start)?;
        Ok(Self { commands, is_card, last: 0 })
    }

    /// Whether there are ears to hear what is no reply to anything.
    pub(crate) const fn is_card(&self) -> bool {
        self.is_card
    }

    /// A voice may come soon: a card is opened now, so as not to be waited for then.
    pub(crate) fn prepare(&self) {
        self.tell(Command::Prepare);
    }

    /// Begins a voice; one that was still heard falls silent.
    pub(crate) fn begin(&mut self, rate_hz: u32) -> VoiceId {
        self.last = self.last.wrapping_add(1);
        self.tell(Command::Start { voice: self.last, rate_hz });
        self.last
    }

    /// The next samples of the voice.
    pub(crate) fn push(&self, samples: Redacted<Vec<i16>>) {
        self.tell(Command::Samples(samples));
    }

    /// The voice is whole.
    pub(crate) fn end(&self) {
        self.tell(Command::End);
    }

    /// Silence.
    pub(crate) fn stop(&self) {
        self.tell(Command::Stop);
    }

    fn tell(&self, command: Command) {
        // Full only where the sound card hangs; the turn's deadline then ends the turn.
        let _ = self.commands.try_send(command);
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
    samples_left: usize,
    /// Once it is whole: when it counts as hung.
    hung_at: Option<Instant>,
}

impl Player {
    fn run(mut self, commands: &Receiver<Command>) {
        loop {
            let command = match self.wait() {
                Some(wait) => commands.recv_timeout(wait),
                None => commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match command {
                Ok(command) => self.on_command(command),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.sink.stop(),
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
                let samples_left = (rate_hz as usize).saturating_mul(REPLY_SECONDS_MAX as usize);
                self.voice = Some(Voice { id: voice, has_started: false, samples_left, hung_at: None });
                if let Err(error) = self.sink.start(rate_hz) {
                    self.report(Report::Failed(error));
                }
            }
            Command::Samples(samples) => {
                let Some(voice) = self.voice.as_mut().filter(|voice| voice.hung_at.is_none()) else { return };
                let samples = samples.expose();
                let heard = &samples[..samples.len().min(voice.samples_left)];
                voice.samples_left -= heard.len();
                self.sink.push(heard);
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
            Command::Stop => self.silence(),
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
        // Where nobody listens the process is ending; where the queue is full the turn's deadline helps.
        let _ = self.reports.try_send(report);
    }
}

#[cfg(test)]
mod tests;
