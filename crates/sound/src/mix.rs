//! Several channels to one, so that nothing that was said is lost on the way.
//!
//! The plain mean loses speech in two ways: where one channel is another one upside down (an inverted lead, some phones and
//! mixers) it is silence, and beside a dead channel it is half as loud. So a channel that runs against the loudest one is
//! turned over before the mean is taken, and one that is as good as silent is left out of it.

/// For how long a channel's level and likeness are remembered. A channel that falls silent leaves the mean some seconds
/// later, one that is heard again is in it at once.
const MEMORY_S: f64 = 1.0;

/// A channel below this part of the loudest one's power (−30 dB) adds nothing that could be heard.
const DEAD_BELOW: f64 = 1e-3;

/// Power of a frame below which there is no sound: a tenth of the last of 16 bits.
const SILENT_BELOW: f64 = 1e-11;

/// A channel that is this much against the loudest one (a coefficient of correlation) is the same sound upside down. Of
/// two microphones in a room none is: their sounds differ by the way to each.
const UPSIDE_DOWN_BELOW: f64 = -0.3;

/// Another channel becomes the one that the others are held against when it is so many times as loud.
const REFERENCE_CHANGES_ABOVE: f64 = 2.0;

/// Far above full scale lies no sound, and its square must stay a number.
const SAMPLE_MAX: f32 = 1e6;

/// What is below is no speech (hum, or an offset of the converter) and does not count as a level.
const LEVEL_FROM_HZ: f64 = 80.0;

/// What is judged at a time. A voice that sets in on another channel is heard from this much before on.
const BLOCK_S: f64 = 0.02;

/// From one set of weights to the next, so that nothing clicks.
const FADE_S: f64 = 0.01;

/// Mixes interleaved frames to one channel, piece by piece.
#[derive(Debug)]
pub(crate) struct Mixer {
    rate_hz: f64,
    channels: Vec<Channel>,
    /// Index of the channel that the others are held against.
    reference: usize,
    /// Nothing was mixed yet.
    is_first: bool,
    /// The next frame without what is below [`LEVEL_FROM_HZ`]; kept for its memory alone.
    frame: Vec<f64>,
}

#[derive(Clone, Debug)]
struct Channel {
    weight: f32,
    /// What the sound swings around.
    offset: f64,
    power: Recent,
    /// The sum of products with the reference.
    likeness: Recent,
}

/// A sum over what came lately, and over the last piece alone.
#[derive(Clone, Copy, Debug, Default)]
struct Recent {
    all: f64,
    piece: f64,
}

impl Mixer {
    /// For frames of `channels` (at least one) at `rate_hz`.
    #[expect(clippy::cast_precision_loss, reason = "at most 32 channels")]
    pub(crate) fn new(channels: usize, rate_hz: u32) -> Self {
        let weight = 1.0 / channels.max(1) as f32;
        let channel = Channel { weight, offset: 0.0, power: Recent::default(), likeness: Recent::default() };
        Self {
            rate_hz: f64::from(rate_hz.max(1)),
            channels: vec![channel; channels.max(1)],
            reference: 0,
            is_first: true,
            frame: vec![0.0; channels.max(1)],
        }
    }

    /// How many samples make a frame.
    pub(crate) const fn channels(&self) -> usize {
        self.channels.len()
    }

    /// Appends the mix of whole frames to `mono`. What is not a number is silence, and so is what is infinite.
    pub(crate) fn push(&mut self, interleaved: &[f32], mono: &mut Vec<f32>) {
        let n = self.channels.len();
        if n == 1 {
            return mono.extend(interleaved.iter().copied().map(finite));
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some thousand frames")]
        let frames = (self.rate_hz * BLOCK_S) as usize;
        for block in interleaved.chunks(frames.max(1) * n) {
            self.mix(block, mono);
        }
    }

    fn mix(&mut self, interleaved: &[f32], mono: &mut Vec<f32>) {
        if self.is_first {
            self.channels.iter_mut().zip(interleaved).for_each(|(channel, sample)| {
                channel.offset = f64::from(finite(*sample).clamp(-SAMPLE_MAX, SAMPLE_MAX));
            });
        }
        self.measure(interleaved);
        let before: Vec<f32> = self.channels.iter().map(|channel| channel.weight).collect();
        self.weigh();
        let fade = if self.is_first { 0.0 } else { self.rate_hz * FADE_S };
        self.is_first = false;
        for (at, frame) in interleaved.chunks_exact(self.channels.len()).enumerate() {
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a part of one")]
            let part = ((at as f64 + 1.0) / fade.max(1.0)).min(1.0) as f32;
            let weighted = frame.iter().zip(&self.channels).zip(&before).map(|((sample, channel), before)| {
                let weight = if part < 1.0 { before + (channel.weight - before) * part } else { channel.weight };
                finite(*sample) * weight
            });
            mono.push(weighted.sum());
        }
    }

    /// Takes in how loud each channel is, and how like the reference.
    fn measure(&mut self, interleaved: &[f32]) {
        let n = self.channels.len();
        #[expect(clippy::cast_precision_loss, reason = "a piece is short")]
        let seconds = (interleaved.len() / n) as f64 / self.rate_hz;
        let kept = (-seconds / MEMORY_S).exp();
        let offsets: Vec<f64> = self.channels.iter().map(|channel| channel.offset).collect();
        self.channels.iter_mut().for_each(|channel| channel.power.piece = 0.0);
        self.sum(interleaved, |channel, sample, _| channel.power.piece += sample * sample);
        self.channels.iter_mut().for_each(|channel| channel.power.keep(kept));
        let kept = if self.choose_reference() { 0.0 } else { kept };
        for (channel, offset) in self.channels.iter_mut().zip(offsets) {
            (channel.likeness.piece, channel.offset) = (0.0, offset);
        }
        self.sum(interleaved, |channel, sample, reference| channel.likeness.piece += sample * reference);
        self.channels.iter_mut().for_each(|channel| channel.likeness.keep(kept));
    }

    /// Calls `add` with each channel, its sample without what is below speech, and the reference's.
    fn sum(&mut self, interleaved: &[f32], add: impl Fn(&mut Channel, f64, f64)) {
        let follow = (std::f64::consts::TAU * LEVEL_FROM_HZ / self.rate_hz).min(1.0);
        for frame in interleaved.chunks_exact(self.channels.len()) {
            for ((channel, sample), level) in self.channels.iter_mut().zip(frame).zip(&mut self.frame) {
                let sample = f64::from(finite(*sample).clamp(-SAMPLE_MAX, SAMPLE_MAX));
                *level = sample - channel.offset;
                channel.offset += *level * follow;
            }
            let reference = self.frame[self.reference];
            self.channels.iter_mut().zip(&self.frame).for_each(|(channel, level)| add(channel, *level, reference));
        }
    }

    /// The loudest channel, unless the one so far is nearly as loud. `true` where it is another than before.
    fn choose_reference(&mut self) -> bool {
        let power = |channel: usize| self.channels[channel].power.all;
        let loudest = (0..self.channels.len()).fold(0, |best, at| if power(at) > power(best) { at } else { best });
        let is_other = power(loudest) > REFERENCE_CHANGES_ABOVE * power(self.reference);
        if is_other {
            self.reference = loudest;
        }
        is_other
    }

    /// Gives each channel its part of the mean.
    #[expect(clippy::cast_precision_loss, reason = "at most 32 channels")]
    fn weigh(&mut self) {
        let loudest = |of: fn(&Recent) -> f64| {
            self.channels.iter().map(|channel| of(&channel.power)).fold(SILENT_BELOW, f64::max) * DEAD_BELOW
        };
        let (lately, now) = (loudest(|power| power.all), loudest(|power| power.piece));
        let is_live = |channel: &Channel| {
            channel.power.piece.max(channel.power.all) > SILENT_BELOW
                && (channel.power.all > lately || channel.power.piece > now)
        };
        let live = self.channels.iter().filter(|channel| is_live(channel)).count();
        if live == 0 {
            return;
        }
        let reference = self.channels[self.reference].power.all;
        let weights: Vec<f32> = self
            .channels
            .iter()
            .map(|channel| {
                let against = channel.likeness.all < UPSIDE_DOWN_BELOW * (channel.power.all * reference).sqrt();
                let part = if is_live(channel) { 1.0 / live as f32 } else { 0.0 };
                if against { -part } else { part }
            })
            .collect();
        self.channels.iter_mut().zip(weights).for_each(|(channel, weight)| channel.weight = weight);
    }
}

impl Recent {
    fn keep(&mut self, part: f64) {
        self.all = self.all * part + self.piece;
    }
}

fn finite(sample: f32) -> f32 {
    if sample.is_finite() { sample } else { 0.0 }
}
