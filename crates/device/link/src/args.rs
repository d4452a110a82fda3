//! The command line, which the launcher fills in.

use std::path::PathBuf;

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

impl Args {
    /// Reads the command line, program name excluded.
    ///
    /// # Errors
    /// One line that says what is wrong.
    pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut words = words.into_iter();
        let (mut data, mut cloud, mut speaker, mut gate_fd, mut ear_fd) = (None, None, None, None, None);
        let (mut events_fd, mut control, mut name, mut lockstep) = (None, None, None, false);
        while let Some(word) = words.next() {
            if word == "--lockstep" {
                lockstep = true;
                continue;
            }
            let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
            match word.as_str() {
                "--data" => data = Some(PathBuf::from(value)),
                "--cloud" => cloud = Some(host_and_port(value)?),
                "--speaker" => speaker = Some(value.parse()?),
                "--gate-fd" => gate_fd = Some(descriptor(&word, &value)?),
                "--ear-fd" => ear_fd = Some(descriptor(&word, &value)?),
                "--events-fd" => events_fd = Some(descriptor(&word, &value)?),
                "--control" => control = Some(PathBuf::from(value)),
                "--name" => name = Some(value),
                _ => return Err(format!("{word} is not an option")),
            }
        }
        Ok(Self {
            data: data.ok_or("--data is missing")?,
            cloud: cloud.ok_or("--cloud is missing")?,
            speaker: speaker.ok_or("--speaker is missing")?,
            gate_fd: gate_fd.ok_or("--gate-fd is missing")?,
            ear_fd: ear_fd.ok_or("--ear-fd is missing")?,
            events_fd,
            control,
            name: name.unwrap_or_else(host_name),
            lockstep,
        })
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

fn host_and_port(text: String) -> Result<String, String> {
    let is_right = text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if is_right { Ok(text) } else { Err(format!("--cloud {text}: not HOST:PORT")) }
}

fn descriptor(option: &str, text: &str) -> Result<i32, String> {
    text.parse().ok().filter(|fd| *fd >= 0).ok_or_else(|| format!("{option} {text}: not a descriptor's number"))
}

/// The host's name as far as it goes into a pairing message.
fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() { "Sotto".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, String> {
        Args::parse(line.split_whitespace().map(str::to_owned))
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
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (line, complaint) in [
            ("--data", "--data needs a value"),
            ("--what 1", "--what is not an option"),
            ("--gate-fd x", "--gate-fd x: not a descriptor's number"),
            ("--ear-fd -1", "--ear-fd -1: not a descriptor's number"),
            ("--cloud host", "--cloud host: not HOST:PORT"),
            ("--speaker loud", "--speaker loud: card, card:NAME, file:PATH or none"),
            ("--data /d", "--cloud is missing"),
        ] {
            assert_eq!(parse(line), Err(complaint.to_owned()));
        }
    }
}
