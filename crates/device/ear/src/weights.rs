//! What is known of a word: the heads that hear it, the network that finds where it began, and the threshold.

use crate::error::EarError;
use crate::head::Head;
use crate::net::{Net, Reader, write_count, write_floats};
use crate::onset::ONSET_INPUTS;

/// The first bytes of a word's weights: format and version.
const MAGIC: &[u8; 8] = b"SOTTOWW1";
/// Heads of one word at most.
const HEADS_MAX: usize = 16;

/// A wake word that ships with its weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Word {
    /// "Alexa".
    Alexa,
}

impl Word {
    /// Every word, in the order they are listed.
    pub const ALL: [Self; 1] = [Self::Alexa];

    /// The word in small letters, as it is written in options, events and on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alexa => "alexa",
        }
    }

    /// The word of that name, in small or large letters.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|word| word.name().eq_ignore_ascii_case(name))
    }

    /// The shipped weights. Their sources are in the model card beside them.
    #[must_use]
    pub const fn weights(self) -> &'static [u8] {
        match self {
            Self::Alexa => include_bytes!("../weights/alexa.weights"),
        }
    }
}

/// A trained word.
#[derive(Clone, Debug, PartialEq)]
pub struct WordModel {
    /// The smoothed score at which the word counts as said, 0 to 1.
    pub threshold: f32,
    /// Their probabilities are averaged. All look at the same number of embeddings.
    pub heads: Vec<Head>,
    /// Scores one candidate frame for being the word's first: [`ONSET_INPUTS`] in, 1 out.
    pub onset: Net,
}

impl WordModel {
    /// The model as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        write_floats(&mut bytes, &[self.threshold]);
        write_count(&mut bytes, self.heads.len());
        for head in &self.heads {
            head.frame.write(&mut bytes);
            head.word.write(&mut bytes);
        }
        self.onset.write(&mut bytes);
        bytes
    }

    /// Reads what [`WordModel::to_bytes`] made.
    ///
    /// # Errors
    /// Where the bytes are of another version, cut short, too long, or hold networks that do not fit each other.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EarError> {
        let mut reader = Reader::new(bytes);
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(EarError::Weights("they are of another version"));
        }
        let threshold = reader.floats(1)?[0];
        let count = reader.count(HEADS_MAX)?;
        let heads = (0..count)
            .map(|_| Head::new(Net::read(&mut reader)?, Net::read(&mut reader)?))
            .collect::<Result<Vec<_>, _>>()?;
        let onset = Net::read(&mut reader)?;
        let frames = heads.first().map_or(0, Head::frames);
        if frames == 0 || heads.iter().any(|head| head.frames() != frames) {
            return Err(EarError::Weights("the heads do not look at the same time"));
        }
        if onset.inputs() != ONSET_INPUTS || onset.outputs() != 1 || !reader.is_at_end() {
            return Err(EarError::Weights("the onset locator has another shape"));
        }
        Ok(Self { threshold, heads, onset })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_weights_are_whole() {
        for word in Word::ALL {
            let model = WordModel::from_bytes(word.weights()).expect("whole");
            assert!(model.threshold > 0.0 && model.threshold < 1.0);
            assert_eq!(model.to_bytes(), word.weights());
        }
    }

    #[test]
    fn damaged_weights_are_refused() {
        let whole = Word::Alexa.weights();
        for len in [0, 7, 8, 12, 100, whole.len() - 1] {
            assert!(WordModel::from_bytes(&whole[..len]).is_err(), "cut at {len}");
        }
        let longer: Vec<u8> = whole.iter().copied().chain([0]).collect();
        assert!(WordModel::from_bytes(&longer).is_err());
    }
}
