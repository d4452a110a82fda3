//! Panel, microphone, ear and link with their pipes, from the start to the end of one of them.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::time::Duration;

use pipe::{Inbox, LauncherToPanel, Outbox, PanelToLauncher, Received, exit};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::pipe::{PipeFlags, pipe_with};

use crate::args::Args;
use crate::process::{Plan, Process};
use crate::said::{Lines, Said};
use crate::signals::Signals;

/// What link gets to say goodbye to the cloud, and the panel to put out the light.
const GOODBYE_MAX: Duration = Duration::from_millis(800);

/// How soon those end who see that another has: at once, but on a busy machine not before they are given the processor.
const FOLLOW_MAX: Duration = Duration::from_millis(300);

const LINK: &str = "sotto-link";

/// How a generation ended.
#[derive(Debug)]
pub(crate) enum End {
    /// The recording is over and its last turn too, or somebody asked us to end.
    Done,
    /// One of them found its input bad, and has said so: trying again is of no use.
    BadInput,
    /// The sound card failed; it may come back.
    CardGone,
    /// One of them died.
    Failed(String),
}

/// The four and their pipes.
pub(crate) struct Generation {
    // In the order in which they end when this goes: whoever can send first, whoever shows the light last.
    link: Process,
    mic: Option<Process>,
    ear: Process,
    panel: Process,
    from_panel: Inbox<PanelToLauncher>,
    to_panel: Outbox<LauncherToPanel>,
    /// The writing end of the ear's microphone pipe, which outlives a microphone that is turned off.
    samples: Option<OwnedFd>,
}

impl Generation {
    /// Makes fresh pipes and starts panel, ear and link; the microphone waits for the panel's word.
    pub(crate) fn start(args: &Args) -> io::Result<Self> {
        // Link may write in its own folder alone: whether the microphones are on is none of its business.
        let link_data = args.data.join("link");
        DirBuilder::new().recursive(true).mode(0o700).create(&link_data)?;
        let pipe = || pipe_with(PipeFlags::CLOEXEC).map_err(io::Error::from);
        let (hears_launcher, to_panel) = pipe()?;
        let (from_panel, tells_launcher) = pipe()?;
        let ((panel_hears_ear, ear_tells_panel), (ear_hears_panel, panel_tells_ear)) = (pipe()?, pipe()?);
        let ((link_hears_ear, ear_tells_link), (ear_hears_link, link_tells_ear)) = (pipe()?, pipe()?);
        let (ear_hears_mic, samples) = pipe()?;
        let plan = || Plan::default().maybe_hand_down("--events-fd", args.events.as_ref());
        let panel = plan()
            .with_terminal()
            .hand_down("--from-ear-fd", &panel_hears_ear)
            .hand_down("--to-ear-fd", &panel_tells_ear)
            .hand_down("--from-launcher-fd", &hears_launcher)
            .hand_down("--to-launcher-fd", &tells_launcher)
            .option("--state", args.data.join("panel.state"))
            .maybe("--control", args.control.as_ref())
            .start(&args.binaries, "sotto-panel")?;
        let ear = plan()
            .hand_down("--pcm-fd", &ear_hears_mic)
            .hand_down("--from-panel-fd", &ear_hears_panel)
            .hand_down("--to-panel-fd", &ear_tells_panel)
            .hand_down("--from-link-fd", &ear_hears_link)
            .hand_down("--to-link-fd", &ear_tells_link)
            .option("--models", &args.models)
            .maybe("--word", args.word.as_ref())
            .maybe("--threshold", args.threshold.as_ref())
            .maybe("--sensitivity", args.sensitivity.as_ref())
            .option("--journal", args.data.join("ear.journal"))
            .flag("--light", args.is_light)
            .flag("--lockstep", args.is_fast())
            .start(&args.binaries, "sotto-ear")?;
        let link = plan()
            .hand_down("--gate-fd", &link_hears_ear)
            .hand_down("--ear-fd", &link_tells_ear)
            .option("--data", link_data)
            .option("--cloud", &args.cloud)
            .option("--speaker", &args.speaker)
            .maybe("--name", args.name.as_ref())
            .maybe("--control", args.link_control.as_ref())
            .flag("--lockstep", args.is_fast())
            .start(&args.binaries, LINK)?;
        for end in [from_panel.as_fd(), to_panel.as_fd()] {
            rustix::io::ioctl_fionbio(end, true)?;
        }
        let (from_panel, to_panel) = (Inbox::new(File::from(from_panel)), Outbox::new(File::from(to_panel)));
        Ok(Self { link, mic: None, ear, panel, from_panel, to_panel, samples: Some(samples) })
    }

    /// Serves until one of them ends or somebody asks us to; then ends them all.
    pub(crate) fn serve(mut self, args: &Args, signals: &Signals, lines: &mut Lines) -> End {
        let end = self.watch(args, signals, lines).unwrap_or_else(|error| self.behind(&error));
        self.finish(matches!(end, End::Done), lines);
        end
    }

    /// What a failure here means: a pipe fails because a process has ended, and its end, or that of the one it followed,
    /// says more.
    fn behind(&mut self, error: &io::Error) -> End {
        self.panel.wait(FOLLOW_MAX);
        self.look_after_three().unwrap_or_else(|| End::Failed(error.to_string()))
    }

    fn watch(&mut self, args: &Args, signals: &Signals, lines: &mut Lines) -> io::Result<End> {
        loop {
            self.wait(signals)?;
            self.relay(lines);
            if signals.wait(Duration::ZERO) {
                return Ok(End::Done);
            }
            if let Some(end) = self.look_after_three().or_else(|| self.look_after_mic(args, lines)) {
                return Ok(end);
            }
            // Gone: the panel's end is about to be seen above.
            while let Received::Message(word) = self.from_panel.receive().map_err(io::Error::other)? {
                self.on_word(word, args)?;
            }
        }
    }

    /// If one of the three that must live has ended: what that means. One end makes others, so all are looked at.
    fn look_after_three(&mut self) -> Option<End> {
        let mut three = [&mut self.panel, &mut self.ear, &mut self.link];
        three.iter_mut().find_map(|process| process.outcome())?;
        let mut blamed: Option<End> = None;
        for process in &mut three {
            process.wait(FOLLOW_MAX);
            let Some(status) = process.outcome() else { continue };
            // The panel ends well when somebody pressed quit, the ear when its microphone's file is over.
            if status.success() && process.name != LINK {
                return Some(End::Done);
            }
            // One that ended because another did is blamed only if there is no other.
            let is_follower = status.success() || status.code() == Some(i32::from(exit::PEER_GONE));
            match ended_badly(process.name, status) {
                End::BadInput => return Some(End::BadInput),
                end if blamed.is_none() || !is_follower => blamed = Some(end),
                _ => {}
            }
        }
        blamed
    }

    /// Shows what the others have to say; the panel then draws its light anew.
    fn relay(&mut self, lines: &mut Lines) {
        let others = [&mut self.ear, &mut self.link].into_iter().chain(&mut self.mic);
        let shown =
            others.filter_map(|process| process.said.as_mut()).filter_map(|said| said.relay(lines).then_some(()));
        if shown.count() > 0 {
            // One that is stuck or gone is dealt with where it matters.
            let _ = self.to_panel.send(&LauncherToPanel::Redraw);
        }
    }

    fn wait(&self, signals: &Signals) -> io::Result<()> {
        let mut ends: Vec<PollFd<'_>> = [&self.panel, &self.ear, &self.link]
            .into_iter()
            .chain(&self.mic)
            .flat_map(|process| [Some(process.as_fd()), process.said.as_ref().and_then(Said::end)])
            .flatten()
            .map(|end| PollFd::from_borrowed_fd(end, PollFlags::IN))
            .collect();
        ends.push(PollFd::from_borrowed_fd(signals.as_fd(), PollFlags::IN));
        ends.push(PollFd::from_borrowed_fd(self.from_panel.as_fd(), PollFlags::IN));
        match poll(&mut ends, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn on_word(&mut self, word: PanelToLauncher, args: &Args) -> io::Result<()> {
        let answer = match word {
            PanelToLauncher::MicrophonesOn => {
                self.start_mic(args)?;
                LauncherToPanel::MicrophonesOn
            }
            PanelToLauncher::MicrophonesOff => {
                if let Some(mut mic) = self.mic.take() {
                    mic.end();
                }
                LauncherToPanel::MicrophonesOff
            }
        };
        self.to_panel.send(&answer).map_err(io::Error::other)
    }

    fn start_mic(&mut self, args: &Args) -> io::Result<()> {
        // A recording that is over is not played again.
        let (None, Some(samples)) = (&self.mic, &self.samples) else { return Ok(()) };
        let plan = Plan::default()
            .maybe_hand_down("--events-fd", args.events.as_ref())
            .hand_down("--pcm-fd", samples)
            .option("--source", &args.mic)
            .with_stdin(args.mic.starts_with("stdin"));
        self.mic = Some(plan.start(&args.binaries, "sotto-mic")?);
        Ok(())
    }

    /// A microphone that ended well was a recording: with our end of its pipe closed, the ear comes to its end too.
    fn look_after_mic(&mut self, args: &Args, lines: &mut Lines) -> Option<End> {
        let status = self.mic.as_mut()?.outcome()?;
        if let Some(said) = self.mic.take().as_mut().and_then(|mic| mic.said.as_mut()) {
            said.relay_rest(lines);
        }
        if status.success() {
            self.samples = None;
            return None;
        }
        if status.code() == Some(i32::from(exit::FAILED)) && args.is_card() {
            return Some(End::CardGone);
        }
        Some(ended_badly("sotto-mic", status))
    }

    /// Ends all: link first, so that nothing more is sent; the panel, and with it the light, last.
    fn finish(mut self, is_peaceful: bool, lines: &mut Lines) {
        if is_peaceful {
            self.link.ask_to_end();
            self.link.wait(GOODBYE_MAX);
        }
        self.link.end();
        if let Some(mic) = &mut self.mic {
            mic.end();
        }
        self.ear.end();
        let others = [&mut self.ear, &mut self.link].into_iter().chain(&mut self.mic);
        others.filter_map(|process| process.said.as_mut()).for_each(|said| said.relay_rest(lines));
        let Self { mut panel, from_panel, to_panel, .. } = self;
        drop((from_panel, to_panel));
        panel.wait(GOODBYE_MAX);
        panel.end();
    }
}

fn ended_badly(name: &str, status: std::process::ExitStatus) -> End {
    if status.code() == Some(i32::from(exit::BAD_INPUT)) {
        return End::BadInput;
    }
    End::Failed(format!("{name} ended ({status})"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::sync::{Mutex, PoisonError};

    use super::*;

    /// A launcher has one thread: two at a time would hand their pipes down to each other's processes.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

    /// Stands in for one of the four: `$from` and `$to` are the panel's pipes from and to the launcher, `$ear` the panel's
    /// from the ear, `$panel` the ear's from the panel, `$light` the ear's to it.
    fn script(folder: &Path, name: &str, body: &str) {
        let path = folder.join(name);
        let text = format!(
            "#!/bin/bash\nwhile [ $# -gt 0 ]; do case $1 in \
             --from-launcher-fd) from=$2 ;; --to-launcher-fd) to=$2 ;; --from-ear-fd) ear=$2 ;; \
             --from-panel-fd) panel=$2 ;; --to-panel-fd) light=$2 ;; esac; shift; done\n{body}\n"
        );
        std::fs::write(&path, text).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    }

    /// Serves such a generation until it ends.
    fn end_of(folder: &Path) -> End {
        let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        script(folder, "sotto-mic", "exec sleep 60");
        script(folder, "sotto-link", "exec sleep 60");
        let path = |name: &str| folder.join(name).into_os_string();
        let options = ["--data", "--models", "--mic", "--speaker", "--cloud"].map(std::ffi::OsString::from);
        let values = [path("data"), path("models"), "card".into(), "none".into(), "localhost:1".into()];
        let arguments = options.into_iter().zip(values).flat_map(|(option, value)| [option, value]);
        let args = Args { binaries: folder.to_path_buf(), ..Args::read(arguments).expect("whole") };
        let signals = Signals::catch().expect("caught");
        Generation::start(&args).expect("started").serve(&args, &signals, &mut Lines::new())
    }

    #[test]
    fn bad_input_is_seen_behind_a_pipe_that_fails_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let word = folder.path().join("word");
        let mut file = Outbox::new(File::create(&word).expect("made"));
        file.send(&PanelToLauncher::MicrophonesOn).expect("written");
        // The panel asks, takes no answer and is gone a moment later; only then the ear says what was wrong.
        let panel =
            format!("eval \"exec $from<&-\"; cat {} >&$to; sleep 0.02; exit {}", word.display(), exit::PEER_GONE);
        script(folder.path(), "sotto-panel", &panel);
        script(folder.path(), "sotto-ear", &format!("cat <&$panel; exit {}", exit::BAD_INPUT));
        let end = end_of(folder.path());
        assert!(matches!(end, End::BadInput), "{end:?}");
    }

    #[test]
    fn an_ear_that_takes_its_time_to_end_well_is_not_outrun_by_the_panel_it_leaves() {
        let folder = tempfile::tempdir().expect("a folder");
        script(folder.path(), "sotto-panel", &format!("cat <&$ear; exit {}", exit::PEER_GONE));
        script(folder.path(), "sotto-ear", "eval \"exec $light>&-\"; sleep 0.1; exit 0");
        let end = end_of(folder.path());
        assert!(matches!(end, End::Done), "{end:?}");
    }
}
