//! Where the samples come from.

use std::path::PathBuf;
use std::str::FromStr;

/// What stands for the microphone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A sound card: the default one, or the one of this name.
    Card(Option<String>),
    /// A WAV, FLAC or Ogg Opus file, at its own pace or as fast as it is taken.
    File {
        /// The file.
        path: PathBuf,
        /// Whether not to wait between samples.
        is_fast: bool,
    },
    /// Samples from standard input: 16 kHz, mono, 16 bit, little-endian, at the pace of who writes them.
    Stdin,
}

impl FromStr for Source {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.split_once(':') {
            None => match text {
                "card" => Ok(Self::Card(None)),
                "stdin" | "stdin,fast" => Ok(Self::Stdin),
                _ => Err(()),
            },
            Some(("card", name)) if !name.is_empty() => Ok(Self::Card(Some(name.to_owned()))),
            Some(("file", path)) => {
                let (path, is_fast) = path.strip_suffix(",fast").map_or((path, false), |path| (path, true));
                if path.is_empty() { Err(()) } else { Ok(Self::File { path: path.into(), is_fast }) }
            }
            Some(_) => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_one_of_three() {
        let file = |path: &str, is_fast| Ok(Source::File { path: path.into(), is_fast });
        for (text, want) in [
            ("card", Ok(Source::Card(None))),
            ("card:hw:0,0", Ok(Source::Card(Some("hw:0,0".to_owned())))),
            ("file:/a/b,c.wav", file("/a/b,c.wav", false)),
            ("file:/a:b.wav,fast", file("/a:b.wav", true)),
            ("stdin", Ok(Source::Stdin)),
            ("stdin,fast", Ok(Source::Stdin)),
            ("", Err(())),
            ("card:", Err(())),
            ("file:", Err(())),
            ("file:,fast", Err(())),
            ("http://x", Err(())),
        ] {
            assert_eq!(text.parse(), want, "{text}");
        }
    }
}
