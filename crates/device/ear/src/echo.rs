//! What the device itself plays: taken out of what the microphone hears, and never the cause of a wake.
//!
//! [`EchoCanceller`] (WebRTC's AEC3, in Rust) subtracts the playback as the room returns it. It gives two sounds. The
//! *subtracted* one has a person's voice whole and some of the playback: in it the wake word is looked for, and
//! [`Playback`] tells how much of what woke is in the reference as well, so that the device's own words are refused. The
//! *suppressed* one has also lost what could not be subtracted, and with it parts of a voice that speaks at the same time:
//! it is what leaves the device. (Looked for in the suppressed sound, a word over music was often missed.)
//!
//! Knows samples only: where the reference comes from, and how late, is its caller's concern up to half a second.

mod playback;

pub use playback::{DELAY_MAX, Playback, REFUSE_FROM};

use base::SAMPLE_RATE_HZ;
use sonora_aec3::block::Block;
use sonora_aec3::block_processor::BlockProcessor;
use sonora_aec3::config::EchoCanceller3Config;

/// Samples that go through the canceller at once: 4 ms.
pub const ECHO_FRAME: usize = 64;
/// Samples that wait for a frame to fill, at most: what one side may be ahead of the other.
const WAITING_MAX: usize = 40 * ECHO_FRAME;

/// [`ECHO_FRAME`] samples of the microphone without the playback. See the module's words.
#[derive(Clone, Copy, Debug)]
pub struct Cleaned<'c> {
    /// For the wake word.
    pub subtracted: &'c [i16; ECHO_FRAME],
    /// For what is sent.
    pub suppressed: &'c [i16; ECHO_FRAME],
}

/// Takes the device's own playback out of the microphone's sound.
#[derive(Debug)]
pub struct EchoCanceller {
    processor: BlockProcessor,
    /// What is played, what is heard, and what is left of it after the subtraction.
    blocks: [Block; 3],
    microphone: Vec<i16>,
    reference: Vec<i16>,
}

impl Default for EchoCanceller {
    fn default() -> Self {
        Self::new()
    }
}

impl EchoCanceller {
    /// A canceller that knows nothing of the room yet.
    #[must_use]
    pub fn new() -> Self {
        let mut config = EchoCanceller3Config::default();
        config.filter.export_linear_aec_output = true;
        let processor = BlockProcessor::new(&config, SAMPLE_RATE_HZ as usize, 1, 1);
        let waiting = || Vec::with_capacity(WAITING_MAX);
        let blocks = std::array::from_fn(|_| Block::new(1, 1));
        Self { processor, blocks, microphone: waiting(), reference: waiting() }
    }

    /// Takes what the microphone heard and what was played meanwhile, as many samples of both; hands `each` the
    /// microphone's sound without the playback, in order and none left out. Where one is shorter the other waits, 160 ms
    /// at most: what is older goes through as if nothing was played, or is dropped where nothing was heard.
    pub fn push(&mut self, microphone: &[i16], reference: &[i16], mut each: impl FnMut(Cleaned<'_>)) {
        let (mut heard, mut played) = (microphone, reference);
        while !heard.is_empty() || !played.is_empty() {
            heard = fill(&mut self.microphone, heard);
            played = fill(&mut self.reference, played);
            if self.microphone.len() == WAITING_MAX && self.reference.len() < ECHO_FRAME {
                self.reference.resize(ECHO_FRAME, 0);
            }
            if self.reference.len() == WAITING_MAX && self.microphone.len() < ECHO_FRAME {
                self.reference.drain(..ECHO_FRAME);
            }
            while self.microphone.len() >= ECHO_FRAME && self.reference.len() >= ECHO_FRAME {
                self.frame(&mut each);
            }
        }
    }

    fn frame(&mut self, each: &mut impl FnMut(Cleaned<'_>)) {
        let [played, heard, left] = &mut self.blocks;
        set(played, &self.reference);
        set(heard, &self.microphone);
        set(left, &self.microphone);
        self.processor.buffer_render(played);
        self.processor.process_capture(false, false, Some(left), heard);
        each(Cleaned { subtracted: &samples(left), suppressed: &samples(heard) });
        self.microphone.drain(..ECHO_FRAME);
        self.reference.drain(..ECHO_FRAME);
    }
}

/// Appends as much as fits; returns the rest.
fn fill<'s>(waiting: &mut Vec<i16>, samples: &'s [i16]) -> &'s [i16] {
    let (taken, rest) = samples.split_at(samples.len().min(WAITING_MAX - waiting.len()));
    waiting.extend_from_slice(taken);
    rest
}

fn set(block: &mut Block, samples: &[i16]) {
    for (value, sample) in block.view_mut(0, 0).iter_mut().zip(samples) {
        *value = f32::from(*sample);
    }
}

/// Back to 16 bits; what is no number would be 0.
#[expect(clippy::cast_possible_truncation, reason = "a cast from a float stays within bounds")]
fn samples(block: &Block) -> [i16; ECHO_FRAME] {
    let values = block.view(0, 0);
    std::array::from_fn(|index| values.get(index).map_or(0, |value| value.round() as i16))
}
