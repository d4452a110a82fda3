//! What clips are heard in to be judged.

use crate::random::Chance;
use crate::scene::{Props, WordClip, add_at_ratio, babble, rms, to_pcm};

/// Samples of room before and behind a clip.
const BEFORE: usize = 32_000;
const BEHIND: usize = 24_000;
/// A quiet room under every clip, root mean square.
const ROOM: f32 = 8.0;
/// Voices in a babble.
const VOICES: usize = 8;
/// A wake counts for the word if it comes behind its onset and no later than this behind its end.
pub(super) const LATE: usize = 16_000;

/// What a clip is heard in. Ratios are between the word, over its length, and the noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// A quiet room.
    Clean,
    /// A kitchen at work, so many decibels below the word.
    Kitchen(u8),
    /// Eight other voices, together so many decibels below the word.
    Babble(u8),
    /// A microphone across the room.
    Far,
}

impl Condition {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Clean, Self::Kitchen(10), Self::Kitchen(5), Self::Babble(10), Self::Babble(5), Self::Far];

    /// What it is called in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Kitchen(10) => "kitchen 10 dB",
            Self::Kitchen(_) => "kitchen 5 dB",
            Self::Babble(10) => "babble 10 dB",
            Self::Babble(_) => "babble 5 dB",
            Self::Far => "far",
        }
    }

    /// The condition of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|condition| condition.name() == name)
    }
}

/// The clip in `condition`: two seconds of room, the clip, a second and a half of room.
#[must_use]
pub fn heard_in(clip: &WordClip, condition: Condition, props: &Props, chance: &mut Chance) -> Vec<i16> {
    let mut sound: Vec<f32> = vec![0.0; BEFORE];
    sound.extend(clip.pcm.iter().map(|sample| f32::from(*sample)));
    sound.resize(sound.len() + BEHIND, 0.0);
    let loudness = rms(&sound[BEFORE + clip.bounds.start..BEFORE + clip.bounds.end]);
    if condition == Condition::Far {
        props.rooms.apply_far(&mut sound, chance);
    }
    sound.iter_mut().for_each(|value| *value += ROOM * chance.normal());
    match condition {
        Condition::Clean | Condition::Far => {}
        Condition::Kitchen(ratio_db) => {
            let noise = props.recorded_noise(sound.len(), chance);
            add_at_ratio(&mut sound, &noise, loudness, f32::from(ratio_db));
        }
        Condition::Babble(ratio_db) => {
            let noise = babble(&props.speech, sound.len(), VOICES, chance);
            add_at_ratio(&mut sound, &noise, loudness, f32::from(ratio_db));
        }
    }
    to_pcm(&sound, 1.0)
}

/// The samples within which a wake counts for the clip.
#[must_use]
pub fn counts_for(clip: &WordClip) -> std::ops::Range<usize> {
    BEFORE + clip.bounds.start..BEFORE + clip.bounds.end + LATE
}
