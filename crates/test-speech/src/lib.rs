//! Speech for tests. Synthetic voices say it on the spot, so that every test runs on every machine; recordings of people
//! are added where they are (`people`).
//!
//! What is said once is kept as a WAV file beside the test programs, in the target folder. Every sound is 16 kHz mono,
//! and the same each time.

pub mod people;
mod synthetic;

use std::path::PathBuf;

pub use synthetic::Voice;

/// The request that most tests make.
pub const REQUEST: &str = "Alexa, what time is it?";

/// What is said without a wake word, and sounds like none.
const COMMANDS: [&str; 12] = [
    "Turn on the light in the kitchen.",
    "What is the weather like in Paris tomorrow?",
    "Please set a timer for eleven minutes.",
    "Play some music by the river.",
    "How many people live in the city of London?",
    "Close the blinds in the bedroom, and lock the door.",
    "I would like to know when the next train leaves.",
    "The quick brown fox jumps over the lazy dog.",
    "Add milk, bread and butter to my shopping list.",
    "Tell me a story about a small dog and a big house.",
    "Is the front window still open?",
    "Make it two degrees warmer in here.",
];
/// How long the voices take over a word, in percent of what they take by themselves.
const PACES: [u32; 5] = [90, 100, 108, 115, 122];

/// A sound and what it is.
#[derive(Clone, Debug)]
pub struct Clip {
    /// What a failed test calls it.
    pub name: String,
    /// What is said, or what the recordings' table calls it.
    pub label: String,
    /// 16 kHz mono.
    pub pcm: Vec<i16>,
}

/// [`REQUEST`] by a voice that each stage alone hears clearly.
#[must_use]
pub fn request() -> Vec<i16> {
    Voice::Rms.say(REQUEST)
}

/// The same as a WAV file.
#[must_use]
pub fn request_file() -> PathBuf {
    Voice::Rms.file(REQUEST, 100)
}

/// The same request again, by a synthetic voice and, where the recordings are, by a person.
#[must_use]
pub fn requests() -> Vec<Clip> {
    let clip = |name: &str, pcm| Clip { name: name.to_owned(), label: REQUEST.to_owned(), pcm };
    let person = people::request().map(|pcm| clip("a person", pcm));
    std::iter::once(clip("a synthetic voice", request())).chain(person).collect()
}

/// A wake word alone, by each voice at each of five paces. Both stages together hear nearly all of them.
#[must_use]
pub fn words(word: &str) -> Vec<Clip> {
    words_by(&Voice::ALL, word)
}

/// A wake word alone, by the two voices whose "Alexa" the first stage alone hears, at each of five paces.
#[must_use]
pub fn clear_words(word: &str) -> Vec<Clip> {
    words_by(&[Voice::Slt, Voice::British], word)
}

fn words_by(voices: &[Voice], word: &str) -> Vec<Clip> {
    let all = PACES.iter().flat_map(|pace| voices.iter().map(move |voice| (voice, pace)));
    let clip = |(voice, pace): (&Voice, &u32)| Clip {
        name: format!("{word} by {voice:?} at {pace} %"),
        label: word.to_owned(),
        pcm: voice.say_at(word, *pace),
    };
    all.map(clip).collect()
}

/// So many commands without a wake word, each by another voice; 60 at the most.
#[must_use]
pub fn commands(count: usize) -> Vec<Clip> {
    let said = |(command, voice): (&str, Voice)| Clip {
        name: format!("{command} by {voice:?}"),
        label: command.to_owned(),
        pcm: voice.say(command),
    };
    spoken(count).map(said).collect()
}

/// The same as WAV files.
#[must_use]
pub fn command_files(count: usize) -> Vec<PathBuf> {
    spoken(count).map(|(command, voice)| voice.file(command, 100)).collect()
}

fn spoken(count: usize) -> impl Iterator<Item = (&'static str, Voice)> {
    // In the second round each command meets the next voice, and so on.
    let turn = |index: usize| (COMMANDS[index % COMMANDS.len()], Voice::ALL[(index + index / COMMANDS.len()) % 5]);
    (0..count.min(COMMANDS.len() * Voice::ALL.len())).map(turn)
}

/// Noise of a kitchen, made: the hum of a hood, a hiss, and dishes that are put down. It never repeats.
#[must_use]
pub fn kitchen(samples: usize) -> Vec<i16> {
    let (mut state, mut hiss, mut ring, mut pitch) = (0x2545_f491_u32, 0.0_f32, 0.0_f32, 1_500.0_f32);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 16) as f32 / 32_768.0 - 1.0
    };
    let sample = |at: usize| {
        let seconds = at as f32 / 16_000.0;
        let noise = next();
        // A leaky sum is louder where it is lower, as rooms are.
        hiss = hiss * 0.96 + noise * 0.28;
        if next() > 0.999_9 {
            ring = 1.0;
            pitch = 1_200.0 + noise.abs() * 2_400.0;
        }
        ring *= 0.999_3;
        let hum =
            (seconds * 100.0 * std::f32::consts::TAU).sin() + 0.5 * (seconds * 150.0 * std::f32::consts::TAU).sin();
        let dish = ring * (seconds * pitch * std::f32::consts::TAU).sin();
        (hiss * 700.0 + hum * 120.0 + dish * 900.0) as i16
    };
    (0..samples).map(sample).collect()
}

/// Says why a test does not run; `./sotto test` counts it.
#[expect(clippy::print_stderr, reason = "how a test says that it was skipped")]
pub fn skip(why: &str) {
    eprintln!("SKIPPED: {why}");
}
