//! The loop: wait, listen to panel and link, then to the room.

use std::os::fd::AsFd;
use std::time::Duration;

use base::{Clock, SampleCount, SampleIndex, SystemClock, TurnId};
use ear::{Heard, NearMiss, Scores, Wake};
use gate::{Gate, Late, Phase};
use pipe::{
    Cause, EarToLink, EarToPanel, Events, Inbox, Line, LinkToEar, Message, PanelToEar, Received, Sensitivity,
};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::Timespec;

use crate::bulletin::Bulletin;
use crate::doors::Doors;
use crate::error::EarStop;
use crate::journal::Journal;
use crate::senses::{PIECE_SAMPLES, PIECES_MAX, Senses, Voices};
use crate::word::Listener;

/// How often it is said how much was heard.
const REPORT_EVERY: SampleCount = SampleCount::from_ms(1_000);

/// Words of link's that are listened to in one go: the panel, the microphone and every deadline have their turn between,
/// however much link says.
const WORDS_MAX: usize = 64;

/// How long link may take, after the microphones were turned off, to make sure that nothing of what passed before can
/// leave any more. Until it has said so the light is not red. It is a matter of one call; a busy machine may need more.
const SILENCED_WITHIN: Duration = Duration::from_secs(1);

/// The ear at work.
pub(crate) struct Hearing<'a> {
    // Goes before the pipes do: giving the models' memory back takes its time, and the others see a closed pipe at once.
    mind: Mind,
    senses: Senses,
    doors: Doors<'a>,
    gate: Gate,
    clock: SystemClock,
    /// Whether the detector is to start afresh with another sensitivity once no turn goes on.
    is_setting_due: bool,
    are_mics_off: bool,
    /// How often link has yet to say that nothing of what passed can leave, and when it is late.
    silence: Silence,
    /// What link says of the cloud, for the panel.
    bulletin: Bulletin,
    /// Whether link has said more than was listened to.
    is_behind: bool,
    /// Since a turn was over, until the microphone's pipe has been empty once: what it holds was captured in the turn.
    is_catching_up: bool,
    /// Whether the panel was told that the microphone gives samples.
    is_hearing_told: bool,
    /// How far link says the cloud has worked through the open stream, where playback waits for it.
    lockstep: Option<Progress>,
    reported: SampleIndex,
    samples: Vec<i16>,
}

/// What the ear knows of its word.
pub(crate) struct Mind {
    pub(crate) listener: Listener,
    pub(crate) journal: Journal,
    pub(crate) sensitivity: Sensitivity,
    /// Whether it was chosen at the device: then no setting from the network changes it.
    pub(crate) is_sensitivity_fixed: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Silence {
    n_due: u32,
    until: Duration,
}

/// The latest word from link on how far it is.
#[derive(Clone, Copy, Debug)]
struct Progress {
    turn: TurnId,
    through: SampleCount,
}

impl<'a> Hearing<'a> {
    pub(crate) fn new(senses: Senses, voices: Voices, mind: Mind, is_lockstep: bool, events: &'a mut Events) -> Self {
        Self {
            mind,
            senses,
            doors: Doors::new(voices.to_panel, voices.to_link, events),
            gate: Gate::new(),
            clock: SystemClock::new(),
            is_setting_due: false,
            are_mics_off: false,
            silence: Silence::default(),
            bulletin: Bulletin::default(),
            is_behind: false,
            is_catching_up: false,
            is_hearing_told: false,
            lockstep: is_lockstep.then_some(Progress { turn: TurnId(0), through: SampleCount(0) }),
            reported: SampleIndex(0),
            samples: Vec::with_capacity(PIECE_SAMPLES),
        }
    }

    /// Hears until the microphone is gone and its last turn over.
    pub(crate) fn run(mut self) -> Result<(), EarStop> {
        let stages = if self.mind.listener.has_second_stage { 2 } else { 1 };
        let line = Line::new("started").text("process", "ear").text("word", self.mind.listener.name.as_str());
        self.doors.events.send(line.whole("stages", stages));
        loop {
            self.wait()?;
            self.doors.flush();
            while let Some(message) = next(&mut self.senses.from_panel, "panel")? {
                self.on_panel(message)?;
            }
            self.is_behind = true;
            for _ in 0..WORDS_MAX {
                let Some(message) = next(&mut self.senses.from_link, "link")? else {
                    self.is_behind = false;
                    break;
                };
                self.on_link(message);
            }
            if self.wants_samples() {
                self.listen()?;
            }
            if !self.doors.to_panel.is_waiting()
                && let Some(standing) = self.bulletin.next(self.clock.elapsed())
            {
                self.doors.tell_panel(&EarToPanel::Standing(standing));
            }
            self.gate.check(self.clock.elapsed(), &mut self.doors).map_err(EarStop::Late)?;
            if self.silence.n_due > 0 && self.silence.until <= self.clock.elapsed() {
                return Err(EarStop::Late(Late::Drain));
            }
            self.doors.outcome()?;
            if self.senses.microphone.is_gone && self.gate.phase() == Phase::Idle && !self.doors.is_waiting() {
                return Ok(());
            }
        }
    }

    fn on_panel(&mut self, message: PanelToEar) -> Result<(), EarStop> {
        let now = self.clock.elapsed();
        match message {
            PanelToEar::Lit { turn } => self.gate.lit(turn, now, &mut self.doors),
            PanelToEar::Press => {
                let pressed = self.gate.position();
                self.gate.cause(gate::Cause::Button { pressed }, now, self.doors.because(Cause::Button));
            }
            PanelToEar::MicOff => {
                self.are_mics_off = true;
                self.gate.shut(now, &mut self.doors);
                self.mind.listener.forget(self.gate.position(), self.mind.sensitivity);
                if self.gate.books().streams == 0 {
                    self.doors.tell_panel(&EarToPanel::Wiped);
                } else {
                    // What has passed may still be on its way: the light is red once it cannot leave any more.
                    self.silence =
                        Silence { n_due: self.silence.n_due.saturating_add(1), until: now + SILENCED_WITHIN };
                    self.doors.tell_link(&EarToLink::MicOff);
                }
            }
            PanelToEar::MicOn => {
                self.discard()?;
                self.are_mics_off = false;
                self.is_hearing_told = false;
                self.gate.reopen();
                self.mind.listener.forget(self.gate.position(), self.mind.sensitivity);
                self.doors.tell_panel(&EarToPanel::Ready);
            }
        }
        Ok(())
    }

    fn on_link(&mut self, message: LinkToEar) {
        let now = self.clock.elapsed();
        match message {
            LinkToEar::StopCapture { turn, at } => self.gate.stop(turn, at, now, &mut self.doors),
            LinkToEar::Heard { turn, through } => {
                if let Some(heard) = &mut self.lockstep {
                    *heard = Progress { turn, through };
                }
            }
            LinkToEar::Drained { turn } => self.gate.drained(turn, now, &mut self.doors),
            LinkToEar::TurnOver { turn } => {
                self.gate.turn_over(turn, now, &mut self.doors);
                // In lockstep nothing is heard while a turn goes on, and the pipe is never empty.
                self.is_catching_up = self.lockstep.is_none();
            }
            LinkToEar::Silenced => {
                self.silence.n_due = self.silence.n_due.saturating_sub(1);
                if self.silence.n_due == 0 && self.are_mics_off {
                    self.doors.tell_panel(&EarToPanel::Wiped);
                }
            }
            LinkToEar::Standing(standing) => self.bulletin.take(standing),
            LinkToEar::Settings { sensitivity } => {
                if sensitivity != self.mind.sensitivity && !self.mind.is_sensitivity_fixed {
                    self.mind.sensitivity = sensitivity;
                    self.is_setting_due = true;
                    self.doors.events.send(Line::new("sensitivity").text("is", sensitivity.name()));
                }
            }
        }
    }

    /// Takes the next piece from the microphone.
    fn listen(&mut self) -> Result<(), EarStop> {
        self.senses.microphone.read(&mut self.samples)?;
        let now = self.clock.elapsed();
        if self.samples.is_empty() {
            self.is_catching_up = false;
        } else {
            if !self.is_hearing_told {
                self.is_hearing_told = true;
                self.doors.tell_panel(&EarToPanel::Hears);
            }
            self.gate.samples(&self.samples, now, &mut self.doors);
            if self.is_catching_up {
                self.gate.is_behind();
            }
            if !self.are_mics_off {
                self.wake()?;
            }
            if self.gate.position() - self.reported >= REPORT_EVERY {
                self.report(false);
            }
        }
        if self.senses.microphone.is_gone {
            self.gate.mic_gone(now, &mut self.doors);
            self.report(true);
            self.doors.tell_panel(&EarToPanel::MicGone);
        }
        Ok(())
    }

    fn wake(&mut self) -> Result<(), EarStop> {
        if self.is_setting_due && self.gate.phase() == Phase::Idle {
            self.is_setting_due = false;
            self.mind.listener.forget(self.gate.position(), self.mind.sensitivity);
            return Ok(());
        }
        // A piece is no longer than a step, so that at most one thing is heard in it.
        let mut heard = None;
        self.mind.listener.push(&self.samples, &mut |new| heard = Some(new));
        match heard {
            // Not while a turn goes on, nor for a word that was said before the last one was over.
            Some(Heard::Wake(wake)) if self.gate.takes_word_from(wake.onset) => self.on_wake(wake),
            Some(Heard::NearMiss(miss)) => self.on_near_miss(miss),
            _ => {}
        }
        Ok(())
    }

    fn on_wake(&mut self, wake: Wake) {
        // The second stage takes its time, which is not the panel's.
        let now = self.clock.elapsed();
        let word = self.mind.listener.name;
        let line = Line::new("wake").text("word", word.as_str()).real("score", f64::from(wake.score));
        let line = with_stages(line, wake.scores).whole("onset", wake.onset.0);
        self.doors.events.send(line.whole("at", wake.at.0));
        self.mind.journal.wake(word.as_str(), wake.score, self.doors.events);
        let cause = Cause::Wake { word, score: wake.score };
        self.gate.cause(gate::Cause::Wake { onset: wake.onset }, now, self.doors.because(cause));
    }

    fn on_near_miss(&mut self, miss: NearMiss) {
        let word = self.mind.listener.name;
        let score = miss.scores.score;
        let line = Line::new("near_miss").text("word", word.as_str()).real("score", f64::from(score));
        self.doors.events.send(with_stages(line, miss.scores).whole("at", miss.at.0));
        self.mind.journal.near_miss(word.as_str(), score, self.doors.events);
    }

    /// Throws away what the microphone's process left in the pipe before it was ended.
    fn discard(&mut self) -> Result<(), EarStop> {
        for _ in 0..PIECES_MAX {
            self.senses.microphone.read(&mut self.samples)?;
            if self.samples.is_empty() {
                break;
            }
            self.gate.samples(&self.samples, self.clock.elapsed(), &mut self.doors);
        }
        Ok(())
    }

    fn report(&mut self, is_end: bool) {
        self.reported = self.gate.position();
        let line = Line::new("heard").whole("samples", self.reported.0);
        self.doors.events.send(if is_end { line.flag("eof", true) } else { line });
    }

    /// Whether the next samples are wanted: not while the light comes on, not while link's pipe is full, and in lockstep
    /// not before the cloud has heard what was sent, nor before the turn is over.
    fn wants_samples(&self) -> bool {
        if self.senses.microphone.is_gone || !self.gate.wants_samples() || self.doors.to_link.is_waiting() {
            return false;
        }
        match (self.lockstep, self.gate.phase()) {
            (None, _) | (_, Phase::Idle) => true,
            (Some(heard), Phase::Open(passed)) => {
                passed.0 == 0 || self.gate.turn() == Some(heard.turn) && heard.through >= passed
            }
            (Some(_), Phase::Asking | Phase::Draining | Phase::Waiting) => false,
        }
    }

    fn wait(&self) -> Result<(), EarStop> {
        let mut ends = Vec::with_capacity(5);
        ends.push(PollFd::from_borrowed_fd(self.senses.from_panel.as_fd(), PollFlags::IN));
        ends.push(PollFd::from_borrowed_fd(self.senses.from_link.as_fd(), PollFlags::IN));
        if self.wants_samples() {
            ends.push(PollFd::from_borrowed_fd(self.senses.microphone.as_fd(), PollFlags::IN));
        }
        if self.doors.to_panel.is_waiting() {
            ends.push(PollFd::from_borrowed_fd(self.doors.to_panel.as_fd(), PollFlags::OUT));
        }
        if self.doors.to_link.is_waiting() {
            ends.push(PollFd::from_borrowed_fd(self.doors.to_link.as_fd(), PollFlags::OUT));
        }
        let silence = (self.silence.n_due > 0).then_some(self.silence.until);
        let bulletin = self.bulletin.deadline().filter(|_| !self.doors.to_panel.is_waiting());
        let behind = self.is_behind.then_some(Duration::ZERO);
        let deadline = self.gate.deadline().into_iter().chain(silence).chain(bulletin).chain(behind).min();
        let patience = deadline.map(|deadline| deadline.saturating_sub(self.clock.elapsed()));
        // A millisecond on top, so that the deadline is over when it is looked at.
        let patience = patience.and_then(|patience| Timespec::try_from(patience + Duration::from_millis(1)).ok());
        match poll(&mut ends, patience.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(EarStop::Wait(error.into())),
        }
    }
}

/// Each stage's own score: never what was heard.
fn with_stages(line: Line, scores: Scores) -> Line {
    let line = line.real("first", f64::from(scores.peak));
    match scores.log_probability {
        Some(second) => line.real("second", f64::from(second)),
        None => line,
    }
}

/// The next message from `peer`, if there is one.
fn next<M: Message>(inbox: &mut Inbox<M>, peer: &'static str) -> Result<Option<M>, EarStop> {
    match inbox.receive() {
        Ok(Received::Message(message)) => Ok(Some(message)),
        Ok(Received::Nothing) => Ok(None),
        Ok(Received::Gone) => Err(EarStop::PeerGone(peer)),
        Err(source) => Err(EarStop::Pipe { peer, source }),
    }
}
