//! How often each word woke and how often something only came near it, by score: what tells whether a word's thresholds
//! fit a home. Scores and counts, never sound, text or times.
//!
//! The sensitivity in force is not among them: it moves thresholds and no score (see [`crate::Tuning`]), so that counts from
//! before and after a change say the same of what was heard, and only what became of it differs. A lower sensitivity also
//! counts as many near misses as the normal one, a higher one some more at the lowest scores. The two tiers and other
//! weights of a word do score differently; a device's are not changed in daily use.
//!
//! The bytes are two slots of [`SLOT_BYTES`], written in turn, so that a slot which is cut short by a power failure leaves
//! the one before it. Each holds a version, a number that grows with each writing, the counts and a hash.

use sha2::{Digest, Sha256};

use crate::weights::is_name;

/// Parts that the scores from 0 to 1 are counted in: 0.05 each.
pub const BINS: usize = 20;
/// Words that are counted at most: four that ship, and some of one's own.
const WORDS_MAX: usize = 8;
/// No device writes so often. What is written behind a higher number might not be told for newer.
const WRITTEN_MAX: u64 = u64::MAX / 2;
/// Bytes of one slot: one page, which is written as a whole.
pub const SLOT_BYTES: usize = 4_096;
/// Bytes of both.
pub const FILE_BYTES: usize = 2 * SLOT_BYTES;

const MAGIC: &[u8; 8] = b"SOTTOEJ1";
const NAME_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
const COUNT_BYTES: usize = 8;
const WORD_BYTES: usize = NAME_BYTES + 2 * BINS * COUNT_BYTES;
const _: () = assert!(MAGIC.len() + COUNT_BYTES + WORDS_MAX * WORD_BYTES + HASH_BYTES <= SLOT_BYTES);

/// Why counts cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TallyError {
    /// Neither slot is whole.
    #[error("the counts of wakes and near misses are damaged")]
    Damaged,
}

/// The counts of one word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WordCounts {
    /// The word.
    pub name: String,
    /// Wakes by score.
    pub wakes: [u64; BINS],
    /// Near misses by score.
    pub near_misses: [u64; BINS],
}

/// The counts of all words that were listened for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// In the order in which they were first counted, [`WORDS_MAX`] at most.
    words: Vec<WordCounts>,
    /// How often it was written.
    written: u64,
}

impl Tally {
    /// Counts a wake with this score, 0 to 1.
    pub fn wake(&mut self, word: &str, score: f32) {
        if let Some(counts) = self.counts(word) {
            add(&mut counts.wakes, score);
        }
    }

    /// Counts a near miss with this score, 0 to 1.
    pub fn near_miss(&mut self, word: &str, score: f32) {
        if let Some(counts) = self.counts(word) {
            add(&mut counts.near_misses, score);
        }
    }

    /// What was counted.
    #[must_use]
    pub fn words(&self) -> &[WordCounts] {
        &self.words
    }

    /// The next slot and where among [`FILE_BYTES`] it goes.
    pub fn write(&mut self) -> ([u8; SLOT_BYTES], usize) {
        self.written = self.written.wrapping_add(1);
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.written.to_le_bytes());
        for word in &self.words {
            let mut name = [0; NAME_BYTES];
            name.iter_mut().zip(word.name.bytes()).for_each(|(slot, letter)| *slot = letter);
            bytes.extend(name);
            bytes.extend(word.wakes.iter().chain(&word.near_misses).flat_map(|count| count.to_le_bytes()));
        }
        bytes.resize(SLOT_BYTES - HASH_BYTES, 0);
        let hash = Sha256::digest(&bytes);
        let mut slot = [0; SLOT_BYTES];
        slot.iter_mut().zip(bytes.iter().chain(&hash)).for_each(|(to, from)| *to = *from);
        (slot, if self.written.is_multiple_of(2) { SLOT_BYTES } else { 0 })
    }

    /// Reads the newer slot that is whole. No bytes, or zeros alone, are a tally without a count.
    ///
    /// # Errors
    /// [`TallyError::Damaged`] where there is something and no slot is whole.
    pub fn read(bytes: &[u8]) -> Result<Self, TallyError> {
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(Self::default());
        }
        let slots = bytes.chunks_exact(SLOT_BYTES).take(2).filter_map(read_slot);
        slots.max_by_key(|tally| tally.written).ok_or(TallyError::Damaged)
    }

    /// The word's counts; none where there are too many words or the name is none.
    fn counts(&mut self, word: &str) -> Option<&mut WordCounts> {
        let known = self.words.iter().position(|counts| counts.name == word);
        if known.is_none() && self.words.len() < WORDS_MAX && is_name(word) {
            self.words.push(WordCounts { name: word.to_owned(), ..WordCounts::default() });
            return self.words.last_mut();
        }
        self.words.get_mut(known?)
    }
}

fn read_slot(slot: &[u8]) -> Option<Tally> {
    let (values, hash) = slot.split_at_checked(SLOT_BYTES - HASH_BYTES)?;
    if !values.starts_with(MAGIC) || Sha256::digest(values).as_slice() != hash {
        return None;
    }
    let (written, words) = values[MAGIC.len()..].split_first_chunk()?;
    let written = u64::from_le_bytes(*written);
    if written > WRITTEN_MAX {
        return None;
    }
    let words = words.chunks_exact(WORD_BYTES).take(WORDS_MAX).map_while(read_word).collect();
    Some(Tally { words, written })
}

/// None where no further word is.
fn read_word(bytes: &[u8]) -> Option<WordCounts> {
    let (name, counts) = bytes.split_at_checked(NAME_BYTES)?;
    let name = std::str::from_utf8(name).ok()?.trim_end_matches('\0');
    if !is_name(name) {
        return None;
    }
    let (counts, _) = counts.as_chunks::<COUNT_BYTES>();
    let count = |index: usize| counts.get(index).map_or(0, |bytes| u64::from_le_bytes(*bytes));
    Some(WordCounts {
        name: name.to_owned(),
        wakes: std::array::from_fn(count),
        near_misses: std::array::from_fn(|index| count(BINS + index)),
    })
}

/// A score that is no number counts as none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "20 bins; the cast of what is below 0 or no number gives 0"
)]
fn add(bins: &mut [u64; BINS], score: f32) {
    let bin = ((score * BINS as f32) as usize).min(BINS - 1);
    bins[bin] = bins[bin].saturating_add(1);
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn file_of(tally: &mut Tally, writings: usize) -> Vec<u8> {
        let mut file = vec![0; FILE_BYTES];
        for _ in 0..writings {
            let (slot, at) = tally.write();
            file[at..at + SLOT_BYTES].copy_from_slice(&slot);
        }
        file
    }

    fn counted() -> Tally {
        let mut tally = Tally::default();
        tally.wake("alexa", 0.97);
        tally.near_miss("alexa", 0.02);
        tally.near_miss("computer", 0.5);
        tally
    }

    #[test]
    fn scores_fall_into_their_bins() {
        let mut tally = counted();
        for score in [0.0, 1.0, 1.5, -1.0, f32::NAN] {
            tally.wake("echo", score);
        }
        let [alexa, computer, echo] = tally.words() else { panic!("{tally:?}") };
        assert_eq!((alexa.wakes[19], alexa.near_misses[0], computer.near_misses[10]), (1, 1, 1));
        assert_eq!((echo.wakes[0], echo.wakes[19]), (3, 2));
    }

    #[test]
    fn what_is_written_reads_back() {
        let mut tally = counted();
        for writings in 1..4 {
            let file = file_of(&mut tally, writings);
            assert_eq!(Tally::read(&file), Ok(tally.clone()));
        }
        assert_eq!(Tally::read(&[]), Ok(Tally::default()));
        assert_eq!(Tally::read(&[0; FILE_BYTES]), Ok(Tally::default()));
    }

    #[test]
    fn a_writing_that_was_cut_short_leaves_the_one_before() {
        let mut tally = counted();
        let mut file = file_of(&mut tally, 1);
        let before = tally.clone();
        tally.wake("alexa", 0.5);
        let (slot, at) = tally.write();
        for cut in [0, 1, 100, SLOT_BYTES - 1] {
            file[at..at + cut].copy_from_slice(&slot[..cut]);
            assert_eq!(Tally::read(&file), Ok(before.clone()), "cut at {cut}");
        }
        file[0] ^= 1;
        assert_eq!(Tally::read(&file), Err(TallyError::Damaged));
    }

    /// Any bytes as a file, and the same with both slots' beginnings and hashes set right, so that what lies between is
    /// read too.
    fn any_file() -> impl Strategy<Value = Vec<u8>> {
        let bytes = || vec(any::<u8>(), 0..=FILE_BYTES + 1);
        let letters = || vec(prop_oneof![Just(0_u8), b'a'..=b'z', any::<u8>()], FILE_BYTES);
        let written = prop_oneof![any::<u64>(), Just(0), Just(WRITTEN_MAX - 1), Just(u64::MAX)];
        let sealed = (prop_oneof![bytes(), letters()], [written.clone(), written]).prop_map(|(mut file, written)| {
            file.resize(FILE_BYTES, 0);
            for (slot, written) in file.chunks_exact_mut(SLOT_BYTES).zip(written) {
                let (values, hash) = slot.split_at_mut(SLOT_BYTES - HASH_BYTES);
                values[..MAGIC.len()].copy_from_slice(MAGIC);
                values[MAGIC.len()..][..COUNT_BYTES].copy_from_slice(&written.to_le_bytes());
                hash.copy_from_slice(&Sha256::digest(&*values));
            }
            file
        });
        prop_oneof![bytes(), sealed]
    }

    proptest! {
        #[test]
        fn any_bytes_are_counts_or_one_error_and_what_is_counted_then_reads_back(mut file in any_file()) {
            let read = Tally::read(&file);
            prop_assert!(read.as_ref().map_or(0, |tally| tally.words().len()) <= WORDS_MAX);
            // As a device does it: what is damaged begins anew.
            let mut tally = read.unwrap_or_default();
            tally.wake("alexa", 0.5);
            file.resize(FILE_BYTES, 0);
            let (slot, at) = tally.write();
            file[at..at + SLOT_BYTES].copy_from_slice(&slot);
            prop_assert_eq!(Tally::read(&file), Ok(tally));
        }

        #[test]
        fn a_byte_that_turns_over_costs_the_newest_counts_at_most(at in 0..FILE_BYTES, turned in 1..=u8::MAX) {
            let mut tally = counted();
            let mut file = file_of(&mut tally, 1);
            let before = tally.clone();
            tally.wake("alexa", 0.5);
            let (slot, place) = tally.write();
            file[place..place + SLOT_BYTES].copy_from_slice(&slot);
            file[at] ^= turned;
            prop_assert!([before, tally].map(Ok).contains(&Tally::read(&file)));
        }
    }

    #[test]
    fn there_are_never_more_words_than_there_is_room_for() {
        let mut tally = Tally::default();
        for letter in 'a'..='z' {
            tally.wake(&letter.to_string(), 0.9);
        }
        tally.wake("Not a name", 0.9);
        assert_eq!(tally.words().len(), WORDS_MAX);
        let file = file_of(&mut tally, 1);
        assert_eq!(Tally::read(&file), Ok(tally));
    }
}
