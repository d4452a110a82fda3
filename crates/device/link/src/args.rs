//! The command line, which the launcher fills in.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use pipe::Options;
use wire::limits::NAME_BYTES_MAX;
use wire::name::device_name;

/// `--help`.
pub(crate) const USAGE: &str = "\
sotto-link: the device's network and loudspeaker. Started by sotto-device, which hands down the pipes.

  --data DIR           where the device's key and the pinned cloud are kept
  --cloud HOST:PORT    the cloud
  --speaker WHERE      card, card:NAME, file:PATH or none; with file:, the first reply goes to PATH and the
                       next ones to PATH with -2, -3, … before its extension
  --gate-fd N          the gate's pipe, read
  --ear-fd N           the pipe to the ear, written
  --events-fd N        where events go (default: nowhere; errors then go to standard error)
  --control PATH       a FIFO or a file with lines such as: pair 123456
  --name NAME          what the app shall call this device when it is paired (default: the host's name)
  --lockstep           the microphone is a file played as fast as possible: replies take no time
";

/// What the launcher asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Args {
    pub(crate) data: PathBuf,
    pub(crate) cloud: String,
    pub(crate) speaker: Speaker,
    pub(crate) gate_fd: i32,
    pub(crate) ear_fd: i32,
    pub(crate) events_fd: Option<i32>,
    pub(crate) control: Option<PathBuf>,
    pub(crate) name: String,
    pub(crate) lockstep: bool,
}

/// Where replies are heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Speaker {
    /// A sound card: the default one, or one by name.
    Card(Option<String>),
    /// A WAV file for each reply.
    File(PathBuf),
    /// Nowhere.
    Nowhere,
}

const NAMES: [&str; 8] = ["data", "cloud", "speaker", "gate-fd", "ear-fd", "events-fd", "control", "name"];

impl Args {
    /// Reads the command line, program name excluded.
    ///
    /// # Errors
    /// One line that says what is wrong.
    pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let options = Options::read(arguments, &NAMES, &["lockstep"])?;
        let text = |name: &str| options.text(name).ok_or_else(|| format!("--{name} is needed"));
        Ok(Self {
            data: options.path("data").ok_or("--data is needed")?,
            cloud: host_and_port(text("cloud")?)?,
            speaker: text("speaker")?.parse()?,
            gate_fd: options.required("gate-fd")?,
            ear_fd: options.required("ear-fd")?,
            events_fd: options.parsed("events-fd")?,
            control: options.path("control"),
            name: match options.text("name") {
                Some(name) => device_name(name).map_err(|error| format!("--name: {error}"))?.to_owned(),
                None => host_name(),
            },
            lockstep: options.has("lockstep"),
        })
    }
}

impl Args {
    /// Whether the cloud's name is one of the home network's, which a program of this machine resolves by multicast.
    pub(crate) fn has_local_cloud(&self) -> bool {
        let host = self.cloud.rsplit_once(':').map_or("", |(host, _)| host);
        host.trim_end_matches('.').to_ascii_lowercase().ends_with(".local")
    }
}

impl Speaker {
    /// The folder that replies are written to, if any is.
    pub(crate) fn folder(&self) -> Option<&Path> {
        match self {
            Self::File(path) => {
                path.parent().map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
            }
            Self::Card(_) | Self::Nowhere => None,
        }
    }
}

impl std::str::FromStr for Speaker {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "card" => Ok(Self::Card(None)),
            None if text == "none" => Ok(Self::Nowhere),
            Some(("card", name)) if !name.is_empty() => Ok(Self::Card(Some(name.to_owned()))),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(PathBuf::from(path))),
            _ => Err(format!("--speaker {text}: card, card:NAME, file:PATH or none")),
        }
    }
}

fn host_and_port(text: &str) -> Result<String, String> {
    let is_right = text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if is_right { Ok(text.to_owned()) } else { Err(format!("--cloud {text}: not HOST:PORT")) }
}

/// The host's name as far as it goes into a pairing message.
fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let name = &name[..name.floor_char_boundary(NAME_BYTES_MAX)];
    device_name(name).unwrap_or("Sotto").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, String> {
        Args::read(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn a_full_line_is_read() {
        let args = parse(
            "--data /d --cloud [::1]:8443 --speaker file:/r.wav --gate-fd 3 --ear-fd 4 --events-fd 5 --control /c \
             --name kitchen --lockstep",
        );
        let want = Args {
            data: "/d".into(),
            cloud: "[::1]:8443".into(),
            speaker: Speaker::File("/r.wav".into()),
            gate_fd: 3,
            ear_fd: 4,
            events_fd: Some(5),
            control: Some("/c".into()),
            name: "kitchen".into(),
            lockstep: true,
        };
        assert_eq!(args, Ok(want));
        for (cloud, is_local) in
            [("shelf.local:1", true), ("Shelf.LOCAL.:1", true), ("local:1", false), ("a.local.b:1", false)]
        {
            let args =
                parse(&format!("--data /d --cloud {cloud} --speaker none --gate-fd 3 --ear-fd 4")).expect("read");
            assert_eq!(args.has_local_cloud(), is_local, "{cloud}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (line, complaint) in [
            ("--data", "--data needs a value"),
            ("--what 1", "unknown option --what"),
            ("--data /d --cloud host", "--cloud host: not HOST:PORT"),
            ("--data /d --cloud host:99999", "--cloud host:99999: not HOST:PORT"),
            ("--data /d --cloud h:1 --speaker loud", "--speaker loud: card, card:NAME, file:PATH or none"),
            ("--data /d --cloud h:1 --speaker none --gate-fd x", "--gate-fd x: not a value it can have"),
            ("--data /d", "--cloud is needed"),
        ] {
            assert_eq!(parse(line), Err(complaint.to_owned()));
        }
        for (name, complaint) in
            [(" ", "blank"), ("a\nb", "cannot be shown"), (&"x".repeat(65), "more than 64 bytes")]
        {
            let line = [
                "--data",
                "/d",
                "--cloud",
                "h:1",
                "--speaker",
                "none",
                "--gate-fd",
                "3",
                "--ear-fd",
                "4",
                "--name",
                name,
            ];
            let refused = Args::read(line.map(OsString::from)).expect_err("no name");
            assert!(refused.starts_with("--name: a device's name") && refused.contains(complaint), "{refused}");
        }
    }
}
