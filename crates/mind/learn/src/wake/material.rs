//! What a word is learned from and judged by, each piece with the part it belongs to.

use std::sync::Arc;

use super::parts::{PARTS, Parts};
use crate::scene::{Props, WordClip};

/// A clip of the word that is learned from where its part allows, and judged by the weights that never met it.
#[derive(Clone, Debug)]
pub struct Clip {
    /// The clip.
    pub word: WordClip,
    /// Its part: one voice lies in one part, as far as it is known.
    pub part: u8,
}

/// Speech without the word, from one recording.
#[derive(Clone, Debug)]
pub struct Stretch {
    /// The recording's name.
    pub name: String,
    /// The stretch's first sample in the recording.
    pub start: usize,
    /// 16 kHz mono.
    pub pcm: Arc<[i16]>,
    /// Its part.
    pub part: u8,
    /// Whether weights that ship may learn from it. Else it only judges.
    pub trains: bool,
}

/// Everything.
#[derive(Debug)]
pub struct Material {
    /// The word, to learn from and to be judged by.
    pub clips: Vec<Clip>,
    /// The word by synthetic voices, only to learn from.
    pub company: Vec<WordClip>,
    /// The user's own recordings of the word, only to learn from.
    pub own: Vec<WordClip>,
    /// Speech without it.
    pub stretches: Vec<Stretch>,
    /// More speech without it, only to learn from.
    pub other_speech: Vec<Vec<i16>>,
    /// What scenes are furnished with to learn from, one set a part.
    pub props: Vec<Props>,
    /// What clips are heard in to be judged, one set a part: other noise, all speech, other rooms.
    pub judging: Vec<Props>,
}

impl Material {
    /// Clips of a part of `parts`.
    pub fn clips_of(&self, parts: Parts) -> impl Iterator<Item = (usize, &Clip)> {
        self.clips.iter().enumerate().filter(move |(_, clip)| Parts::of(clip.part).meets(parts))
    }

    /// Whether there is a set of props for each part.
    #[must_use]
    pub fn is_furnished(&self) -> bool {
        self.props.len() == usize::from(PARTS) && self.judging.len() == usize::from(PARTS)
    }
}
