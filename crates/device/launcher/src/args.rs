//! The command line.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use pipe::{Options, inherit};

/// What `--help` says.
pub(crate) const HELP: &str = "\
sotto-device --data DIR --models DIR --mic SOURCE --speaker SINK --cloud HOST:PORT [options]

  --data DIR          the device's own data, made if missing: panel.state, ear.journal, link/
  --models DIR        the models, as `sotto models fetch` leaves them
  --mic SOURCE        card, card:NAME, file:PATH[,fast] or stdin[,fast] (16 kHz mono s16le)
  --speaker SINK      card, card:NAME, file:PATH or none
  --cloud HOST:PORT   the cloud
  --name NAME         what the device calls itself when it is paired
  --word WORD         the wake word (alexa)
  --threshold T       the score from which on it counts, 0 to 1
  --sensitivity S     how readily it is heard, whatever the cloud says: low, normal or high
  --light             hear it with the first stage alone, without the recogniser
  --control FIFO      buttons from a named pipe: press, mic off, mic on, quit
  --link-control FIFO commands for the connection: pair CODE
  --events-fd N       one line of JSON for each event (what was said among them), into this inherited descriptor
  --settings-fd N     more of these from this inherited descriptor, each ended by a zero byte: all users of a machine
                      can read its command lines";

/// What the launcher is told at start.
#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) data: PathBuf,
    pub(crate) models: PathBuf,
    pub(crate) mic: String,
    pub(crate) speaker: OsString,
    pub(crate) cloud: OsString,
    pub(crate) name: Option<OsString>,
    pub(crate) word: Option<OsString>,
    pub(crate) threshold: Option<OsString>,
    pub(crate) sensitivity: Option<OsString>,
    pub(crate) is_light: bool,
    pub(crate) control: Option<PathBuf>,
    pub(crate) link_control: Option<PathBuf>,
    pub(crate) events: Option<OwnedFd>,
    /// Where the four binaries lie: beside this one.
    pub(crate) binaries: PathBuf,
}

const NAMES: [&str; 12] = [
    "data",
    "models",
    "mic",
    "speaker",
    "cloud",
    "name",
    "word",
    "threshold",
    "sensitivity",
    "control",
    "link-control",
    "events-fd",
];

impl Args {
    pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let options = Options::read(arguments, &NAMES, &["light"])?;
        let own =
            std::env::current_exe().map_err(|error| format!("where this program lies is not known: {error}"))?;
        let text = |name: &str| options.path(name).map(PathBuf::into_os_string);
        let events = options.parsed("events-fd")?.map(inherit::writer);
        let needed = |name: &str| text(name).ok_or_else(|| format!("--{name} is needed (--help says more)"));
        Ok(Self {
            data: needed("data")?.into(),
            models: needed("models")?.into(),
            mic: needed("mic")?.into_string().map_err(|_| "--mic: not UTF-8")?,
            speaker: needed("speaker")?,
            cloud: needed("cloud")?,
            name: text("name"),
            word: text("word"),
            threshold: text("threshold"),
            sensitivity: text("sensitivity"),
            is_light: options.has("light"),
            control: options.path("control"),
            link_control: options.path("link-control"),
            events: events.transpose().map_err(|error| error.to_string())?.map(OwnedFd::from),
            binaries: own.parent().map(PathBuf::from).unwrap_or_default(),
        })
    }

    /// Whether samples come faster than time, so that the ear must keep step with the cloud.
    pub(crate) fn is_fast(&self) -> bool {
        self.mic.ends_with(",fast")
    }

    /// Whether the microphone is one that may come back.
    pub(crate) fn is_card(&self) -> bool {
        self.mic.starts_with("card")
    }
}
