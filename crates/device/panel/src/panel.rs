//! The loop: wait, then do what ear, launcher and buttons ask.

use std::os::fd::AsFd;
use std::time::Duration;

use base::{Clock, SystemClock, TurnId};
use gate::{Lamp, Light, MicChange};
use pipe::{
    EarToPanel, Events, Inbox, LauncherToPanel, Line, Message, Outbox, PanelToEar, PanelToLauncher, PipeError,
    Received,
};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::Timespec;

use crate::buttons::{Buttons, Press};
use crate::error::PanelStop;
use crate::face::Face;
use crate::idle::{Idle, Word};
use crate::state::StateFile;

/// The longest a listening light may be on: a stream's 15 s and every wait that the ear allows within it, several times.
const LISTENING_MAX: Duration = Duration::from_secs(120);

/// How long the light is kept on once the ear has died in the middle of a stream: until the launcher has ended link, which
/// may be sending what it has. Longer than the launcher takes.
const HELD_MAX: Duration = Duration::from_secs(3);

/// The panel's four pipe ends.
pub(crate) struct Ends {
    pub(crate) from_ear: Inbox<EarToPanel>,
    pub(crate) to_ear: Outbox<PanelToEar>,
    pub(crate) from_launcher: Inbox<LauncherToPanel>,
    pub(crate) to_launcher: Outbox<PanelToLauncher>,
}

/// The panel at work.
pub(crate) struct Panel<'a> {
    ends: Ends,
    state: StateFile,
    buttons: &'a mut Buttons,
    line: Vec<u8>,
    face: Face,
    events: &'a mut Events,
    lamp: Lamp,
    idle: Idle,
    shown: Option<(Light, Word)>,
    clock: SystemClock,
    lit_since: Option<Duration>,
    /// What was last said of the microphones.
    mics_told: Option<bool>,
}

/// Whether to go on.
#[derive(PartialEq, Eq)]
enum Next {
    On,
    End,
}

impl<'a> Panel<'a> {
    pub(crate) fn new(
        ends: Ends,
        state: StateFile,
        buttons: &'a mut Buttons,
        face: Face,
        events: &'a mut Events,
    ) -> Self {
        let lamp = Lamp::new(state.are_mics_on());
        let (line, clock) = (Vec::new(), SystemClock::new());
        let idle = Idle::default();
        Self {
            ends,
            state,
            buttons,
            line,
            face,
            events,
            lamp,
            idle,
            shown: None,
            clock,
            lit_since: None,
            mics_told: None,
        }
    }

    /// Serves until the launcher or a person ends it. The light is out when this returns.
    pub(crate) fn run(mut self) -> Result<(), PanelStop> {
        let outcome = self.serve();
        self.face.end();
        outcome
    }

    fn serve(&mut self) -> Result<(), PanelStop> {
        self.events.send(Line::new("started").text("process", "panel"));
        if self.state.are_mics_on() {
            self.tell_launcher(PanelToLauncher::MicrophonesOn)?;
        } else {
            self.tell_ear(PanelToEar::MicOff)?;
            self.tell_launcher(PanelToLauncher::MicrophonesOff)?;
        }
        self.show();
        loop {
            self.wait()?;
            if self.step()? == Next::End {
                return Ok(());
            }
            if self.idle.until().is_some_and(|until| until <= self.clock.elapsed()) {
                self.show();
            }
            if self.lit_since.is_some_and(|since| self.clock.elapsed().saturating_sub(since) > LISTENING_MAX) {
                return Err(PanelStop::LightKept);
            }
        }
    }

    fn step(&mut self) -> Result<Next, PanelStop> {
        self.ends.to_ear.flush().map_err(|source| PanelStop::Pipe { peer: "ear", source })?;
        self.ends.to_launcher.flush().map_err(|source| PanelStop::Pipe { peer: "launcher", source })?;
        loop {
            match take(&mut self.ends.from_launcher, "launcher")? {
                Received::Message(message) => self.on_launcher(message),
                Received::Nothing => break,
                Received::Gone => return Ok(Next::End),
            }
        }
        loop {
            match take(&mut self.ends.from_ear, "ear")? {
                Received::Message(message) => self.on_ear(message)?,
                Received::Nothing => break,
                Received::Gone => {
                    self.hold_light();
                    return Err(PanelStop::EarGone);
                }
            }
        }
        for press in self.buttons.presses(&mut self.line) {
            if self.on_press(press)? == Next::End {
                return Ok(Next::End);
            }
        }
        Ok(Next::On)
    }

    /// The ear died in the middle of a stream: what passed may still be on its way, so the light stays until the launcher,
    /// who ends link first, lets go of us.
    fn hold_light(&mut self) {
        let until = self.clock.elapsed().saturating_add(HELD_MAX);
        while self.lamp.is_listening() && self.clock.elapsed() < until {
            let patience = Timespec::try_from(until.saturating_sub(self.clock.elapsed())).ok();
            let mut ends = [PollFd::from_borrowed_fd(self.ends.from_launcher.as_fd(), PollFlags::IN)];
            // Interrupted or late: both are seen above.
            let _ = poll(&mut ends, patience.as_ref());
            if !matches!(self.ends.from_launcher.receive(), Ok(Received::Message(_) | Received::Nothing)) {
                return;
            }
        }
    }

    fn on_ear(&mut self, message: EarToPanel) -> Result<(), PanelStop> {
        match message {
            EarToPanel::Ask { turn, .. } => self.light_up(turn)?,
            EarToPanel::ListeningOver { turn } => self.lamp.listening_over(turn),
            EarToPanel::TurnOver { turn } => self.lamp.turn_over(turn),
            EarToPanel::Wiped => {
                self.lamp.ring_wiped();
                self.report_mics_off();
            }
            // Off again in the meantime: then it stays off.
            EarToPanel::Ready if self.lamp.are_mics_on() => self.tell_launcher(PanelToLauncher::MicrophonesOn)?,
            EarToPanel::Ready => {}
            EarToPanel::MicGone => self.idle.hear(false),
            EarToPanel::Hears => self.idle.hear(true),
            EarToPanel::Standing(standing) => self.idle.stand(standing, self.clock.elapsed()),
        }
        self.show();
        Ok(())
    }

    /// The light first, then the word.
    fn light_up(&mut self, turn: TurnId) -> Result<(), PanelStop> {
        if self.lamp.ask(turn) {
            self.show();
            self.tell_ear(PanelToEar::Lit { turn })?;
        }
        Ok(())
    }

    fn on_launcher(&mut self, message: LauncherToPanel) {
        match message {
            LauncherToPanel::MicrophonesOn => {
                if self.lamp.are_mics_on() {
                    self.tell_mics(true);
                }
            }
            LauncherToPanel::MicrophonesOff => {
                self.lamp.mic_ended();
                self.report_mics_off();
            }
            LauncherToPanel::Redraw => {
                self.shown.into_iter().for_each(|(light, word)| self.face.show(light, word.text))
            }
        }
        self.show();
    }

    fn on_press(&mut self, press: Press) -> Result<Next, PanelStop> {
        match press {
            Press::Action => self.tell_ear(PanelToEar::Press)?,
            Press::Microphones => self.set_mics(!self.lamp.are_mics_on())?,
            Press::Set(wants_on) => self.set_mics(wants_on)?,
            Press::Quit => return Ok(Next::End),
            Press::Unknown => self.events.warning("a control line that is none of: press, mic off, mic on, quit"),
        }
        self.show();
        Ok(Next::On)
    }

    /// Off whatever the disk says; on only once that is kept.
    fn set_mics(&mut self, wants_on: bool) -> Result<(), PanelStop> {
        if wants_on
            && !self.lamp.are_mics_on()
            && let Err(complaint) = self.state.set(true)
        {
            self.events.loud_warning(&complaint);
            return Ok(());
        }
        match self.lamp.press_mic(Some(wants_on)) {
            // The microphone's end is not kept waiting for the disk.
            Some(MicChange::Off) => {
                self.idle.hear(false);
                self.tell_launcher(PanelToLauncher::MicrophonesOff)?;
                self.tell_ear(PanelToEar::MicOff)?;
                if let Err(complaint) = self.state.set(false) {
                    self.events.loud_warning(&complaint);
                }
            }
            // The launcher hears of it once the ear is ready.
            Some(MicChange::On) => self.tell_ear(PanelToEar::MicOn)?,
            None => {}
        }
        Ok(())
    }

    fn report_mics_off(&mut self) {
        if self.lamp.are_mics_gone() {
            self.tell_mics(false);
        }
    }

    fn tell_mics(&mut self, are_on: bool) {
        if self.mics_told != Some(are_on) {
            self.mics_told = Some(are_on);
            self.events.send(Line::new("microphones").flag("on", are_on));
        }
    }

    fn show(&mut self) {
        let (light, word) = (self.lamp.light(), self.idle.word(self.clock.elapsed()));
        if self.shown == Some((light, word)) {
            return;
        }
        let before = self.shown.replace((light, word));
        let is_light_new = before.is_none_or(|(before, _)| before != light);
        // What an idle device says is of no interest to one that is not.
        if is_light_new || light == Light::Idle {
            self.face.show(light, word.text);
        }
        if is_light_new {
            self.lit_since = (light == Light::Listening).then(|| self.clock.elapsed());
            self.events.send(Line::new("light").text("state", light.name()));
        }
        if before.is_none_or(|(_, before)| before != word) {
            self.events.send(Line::new("standing").text("state", word.name));
        }
    }

    fn tell_ear(&mut self, message: PanelToEar) -> Result<(), PanelStop> {
        self.ends.to_ear.send(&message).map_err(|source| PanelStop::Pipe { peer: "ear", source })
    }

    fn tell_launcher(&mut self, message: PanelToLauncher) -> Result<(), PanelStop> {
        self.ends.to_launcher.send(&message).map_err(|source| PanelStop::Pipe { peer: "launcher", source })
    }

    fn wait(&self) -> Result<(), PanelStop> {
        let mut ends = Vec::with_capacity(5);
        ends.push(PollFd::from_borrowed_fd(self.ends.from_ear.as_fd(), PollFlags::IN));
        ends.push(PollFd::from_borrowed_fd(self.ends.from_launcher.as_fd(), PollFlags::IN));
        ends.extend(self.buttons.end().map(|end| PollFd::from_borrowed_fd(end, PollFlags::IN)));
        if self.ends.to_ear.is_waiting() {
            ends.push(PollFd::from_borrowed_fd(self.ends.to_ear.as_fd(), PollFlags::OUT));
        }
        if self.ends.to_launcher.is_waiting() {
            ends.push(PollFd::from_borrowed_fd(self.ends.to_launcher.as_fd(), PollFlags::OUT));
        }
        let lit = self.lit_since.map(|_| LISTENING_MAX);
        let news = self.idle.until().map(|until| until.saturating_sub(self.clock.elapsed()));
        let patience = lit.into_iter().chain(news).min().and_then(|patience| Timespec::try_from(patience).ok());
        match poll(&mut ends, patience.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(PanelStop::Wait(error.into())),
        }
    }
}

fn take<M: Message>(inbox: &mut Inbox<M>, peer: &'static str) -> Result<Received<M>, PanelStop> {
    inbox.receive().map_err(|source: PipeError| PanelStop::Pipe { peer, source })
}
