//! What is known of a word: the heads that hear it, the network that finds where it began, the thresholds, and what the
//! second stage makes of it. And its file: format and version, the values, and the SHA-256 of all that comes before it.

use sha2::{Digest, Sha256};

use crate::error::EarError;
use crate::head::Head;
use crate::net::{Net, Reader, write_count, write_floats};
use crate::onset::ONSET_INPUTS;
use crate::verify::{Verify, read_text, write_text};

/// The first bytes of a word's weights: format and version.
const MAGIC: &[u8; 8] = b"SOTTOWW2";
/// What every version begins with.
const FORMAT: &[u8; 7] = b"SOTTOWW";
/// The last bytes: SHA-256.
const HASH_BYTES: usize = 32;
/// Heads of one word at most.
const HEADS_MAX: usize = 16;
/// Letters of a word's name at most: what an event, a permit and the wire hold.
const NAME_LETTERS_MAX: usize = 16;

/// A trained word.
#[derive(Clone, Debug, PartialEq)]
pub struct WordModel {
    /// The word: 1 to 16 letters from `a` to `z`.
    pub name: String,
    /// The smoothed score at which the word counts as said where no second stage follows, 0 to 1.
    pub threshold: f32,
    /// What the second stage needs to know of it.
    pub verify: Verify,
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
        write_text(&mut bytes, &self.name);
        write_floats(&mut bytes, &[self.threshold]);
        self.verify.write(&mut bytes);
        write_count(&mut bytes, self.heads.len());
        for head in &self.heads {
            head.frame.write(&mut bytes);
            head.word.write(&mut bytes);
        }
        self.onset.write(&mut bytes);
        let hash = Sha256::digest(&bytes);
        bytes.extend_from_slice(&hash);
        bytes
    }

    /// Reads what [`WordModel::to_bytes`] made.
    ///
    /// # Errors
    /// Where the bytes are of another version, damaged in any place, or hold values that do not fit each other.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EarError> {
        if !bytes.starts_with(FORMAT) {
            return Err(EarError::Weights("they are not a wake word's"));
        }
        if !bytes.starts_with(MAGIC) {
            return Err(EarError::Weights("they are of another version"));
        }
        let (values, hash) = bytes.split_at(bytes.len().saturating_sub(HASH_BYTES).max(MAGIC.len()));
        if Sha256::digest(values).as_slice() != hash {
            return Err(EarError::Weights("their hash is another"));
        }
        let mut reader = Reader::new(&values[MAGIC.len()..]);
        let name = read_text(&mut reader, NAME_LETTERS_MAX)?;
        if !is_name(&name) {
            return Err(EarError::Weights("the word's name is not 1 to 16 letters from a to z"));
        }
        let threshold = reader.floats(1)?[0];
        if !(threshold > 0.0 && threshold < 1.0) {
            return Err(EarError::Weights("the threshold is not between 0 and 1"));
        }
        let verify = Verify::read(&mut reader)?;
        let (heads, onset) = networks(&mut reader)?;
        Ok(Self { name, threshold, verify, heads, onset })
    }
}

/// Whether this can be a word's name.
#[must_use]
pub fn is_name(name: &str) -> bool {
    (1..=NAME_LETTERS_MAX).contains(&name.len()) && name.bytes().all(|letter| letter.is_ascii_lowercase())
}

fn networks(reader: &mut Reader<'_>) -> Result<(Vec<Head>, Net), EarError> {
    let count = reader.count(HEADS_MAX)?;
    let heads =
        (0..count).map(|_| Head::new(Net::read(reader)?, Net::read(reader)?)).collect::<Result<Vec<_>, _>>()?;
    let onset = Net::read(reader)?;
    let frames = heads.first().map_or(0, Head::frames);
    if frames == 0 || heads.iter().any(|head| head.frames() != frames) {
        return Err(EarError::Weights("the heads do not look at the same time"));
    }
    if onset.inputs() != ONSET_INPUTS || onset.outputs() != 1 || !reader.is_at_end() {
        return Err(EarError::Weights("the onset locator has another shape"));
    }
    Ok((heads, onset))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Word;

    #[test]
    fn damaged_weights_are_refused_wherever_the_damage_is() {
        let whole = Word::Alexa.weights();
        for len in [0, 7, 8, 12, 39, 40, 100, whole.len() - 1] {
            assert!(WordModel::from_bytes(&whole[..len]).is_err(), "cut at {len}");
        }
        let longer: Vec<u8> = whole.iter().copied().chain([0]).collect();
        assert!(WordModel::from_bytes(&longer).is_err());
        for at in [0, 7, 12, 30, 100, whole.len() / 2, whole.len() - 1] {
            let mut flipped = whole.to_vec();
            flipped[at] ^= 1;
            assert!(WordModel::from_bytes(&flipped).is_err(), "one bit at {at}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let told = |bytes: &[u8]| WordModel::from_bytes(bytes).expect_err("refused").to_string();
        assert!(told(b"RIFF").ends_with("they are not a wake word's"));
        assert!(told(b"SOTTOWW1 and so on").ends_with("they are of another version"));
        assert!(told(b"SOTTOWW2 and so on").ends_with("their hash is another"));
    }

    #[test]
    fn a_true_hash_does_not_make_nonsense_of_the_values_good() {
        let model = Word::Alexa.model().expect("whole");
        let wrong = [
            WordModel { name: "Alexa!".to_owned(), ..model.clone() },
            WordModel { name: String::new(), ..model.clone() },
            WordModel { threshold: 1.0, ..model.clone() },
            WordModel { heads: Vec::new(), ..model.clone() },
        ];
        for model in wrong {
            assert!(WordModel::from_bytes(&model.to_bytes()).is_err(), "{} {}", model.name, model.threshold);
        }
    }
}
