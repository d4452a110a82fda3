//! Synthetic voices for training: espeak-ng and flite as child processes, their sound on standard output.
//!
//! Both give what they say free of terms: espeak-ng's licence covers the program, not its speech, and flite's four
//! built-in voices are under Carnegie Mellon's permissive licence. Neither speaks like a person, so they are company
//! for human recordings and no substitute.

use std::io::Read;
use std::process::{Command, Stdio};

use crate::random::Chance;

/// Bytes of speech that are read from one call: half a minute.
const SPEECH_BYTES_MAX: u64 = 2_000_000;

/// espeak-ng's English accents and the variants of its voice that still sound like somebody.
const ACCENTS: [&str; 8] =
    ["en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029", "en-us-nyc"];
const VARIANTS: [&str; 40] = [
    "f1", "f2", "f3", "f4", "f5", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "Alex", "Alicia", "Andrea", "Andy",
    "Annie", "Denis", "Gene", "Henrique", "Hugo", "Jacky", "Lee", "Marco", "Mario", "Michael", "Mike", "adam",
    "anika", "antonio", "aunty", "belinda", "benjamin", "david", "ed", "edward", "grandma", "john", "linda",
];
const FLITE_VOICES: [&str; 4] = ["slt", "rms", "awb", "kal16"];

/// Why a voice said nothing.
#[derive(Debug, thiserror::Error)]
pub enum VoiceError {
    /// The program is not installed or cannot be started.
    #[error("cannot start {program}: {source}")]
    Start {
        /// The program.
        program: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// What it wrote is no sound.
    #[error("{program} gave no sound: {reason}")]
    Sound {
        /// The program.
        program: &'static str,
        /// What is wrong.
        reason: String,
    },
}

/// One way of speaking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voice {
    program: &'static str,
    options: Vec<String>,
}

impl Voice {
    /// A chance voice: mostly espeak-ng's, each fifth flite's.
    pub fn draw(chance: &mut Chance) -> Self {
        if chance.happens(0.2) {
            let stretch = chance.between(0.75, 1.35);
            let pitch = chance.between(90.0, 230.0);
            let voice = FLITE_VOICES[chance.index(FLITE_VOICES.len())];
            let options = ["-voice", voice, "--setf", &format!("duration_stretch={stretch:.2}"), "--setf"]
                .map(str::to_owned)
                .into_iter()
                .chain([format!("int_f0_target_mean={pitch:.0}"), "-o".into(), "/dev/stdout".into(), "-t".into()]);
            return Self { program: "flite", options: options.collect() };
        }
        let voice = format!("{}+{}", ACCENTS[chance.index(ACCENTS.len())], VARIANTS[chance.index(VARIANTS.len())]);
        let speed = chance.between(120.0, 215.0);
        let pitch = chance.between(15.0, 90.0);
        let options = ["--stdout", "-v", &voice, "-s", &format!("{speed:.0}"), "-p", &format!("{pitch:.0}"), "--"];
        Self { program: "espeak-ng", options: options.map(str::to_owned).to_vec() }
    }

    /// Says `text`: 16 kHz mono.
    ///
    /// # Errors
    /// Where the program is missing or its output is no sound.
    pub fn say(&self, text: &str) -> Result<Vec<i16>, VoiceError> {
        let program = self.program;
        let start = |source| VoiceError::Start { program, source };
        let mut child = Command::new(program)
            .args(&self.options)
            .arg(text)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(start)?;
        let mut bytes = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            stdout.take(SPEECH_BYTES_MAX).read_to_end(&mut bytes).map_err(start)?;
        }
        child.wait().map_err(start)?;
        let wrong = |error: sound::SoundError| VoiceError::Sound { program, reason: error.to_string() };
        sound::decode_bytes(program, bytes).map_err(wrong)
    }
}
