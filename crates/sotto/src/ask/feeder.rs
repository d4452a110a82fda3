//! The microphone of a device under `sotto ask`: faint room noise for as long as it runs, with recordings laid in.
//!
//! Real microphones never fall silent, so neither does this one: between recordings it goes on with noise. Samples are
//! paced by a schedule on the monotonic clock, so the moment at which any one of them was "spoken" is known.

use std::io::Write;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use base::units::{SAMPLE_RATE_HZ, SampleCount};

use crate::ask::monotonic_ms;

/// Noise before and after each recording.
pub(crate) const PAD: SampleCount = SampleCount::from_ms(2_000);
/// What is written at a time: 20 ms.
const PIECE: usize = 320;
/// The ear looks for its word each 80 ms: recordings begin on such a step.
const EAR_STEP: u64 = base::limits::CHUNK.0;
/// Peak of the faint noise, about −66 dBFS: a quiet room, and never exact zeros.
const NOISE_PEAK: i32 = 16;
/// A recording waits for its turn at most this deep.
const QUEUE_MAX: usize = 4;

/// A recording to be played into the room.
struct Play {
    samples: Vec<i16>,
    fast: bool,
    started: SyncSender<Started>,
}

/// Where a recording lies on the device's sample clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Started {
    /// Position of the recording's first sample.
    pub(crate) first_sample: u64,
    /// Monotonic time at which that sample is due, in milliseconds. Meaningless where the recording is played fast.
    pub(crate) due_ms: f64,
}

/// A handle on the thread that writes samples; dropping it ends the room.
pub(crate) struct Feeder {
    queue: Option<SyncSender<Play>>,
    thread: Option<JoinHandle<()>>,
}

impl Feeder {
    /// Starts writing into `microphone` until dropped or until nobody reads any more.
    pub(crate) fn start(microphone: impl Write + Send + 'static) -> Self {
        let (queue, plays) = mpsc::sync_channel(QUEUE_MAX);
        let thread = std::thread::spawn(move || Room::new(microphone).run(&plays));
        Self { queue: Some(queue), thread: Some(thread) }
    }

    /// Plays a recording after [`PAD`] of noise; answers when its place on the sample clock is known.
    pub(crate) fn play(&self, samples: Vec<i16>, fast: bool) -> Option<Started> {
        let (started, answer) = mpsc::sync_channel(1);
        self.queue.as_ref()?.send(Play { samples, fast, started }).ok()?;
        answer.recv_timeout(Duration::from_secs(60)).ok()
    }

    /// Ends the room: the device sees the end of its microphone.
    pub(crate) fn stop(&mut self) {
        self.queue = None;
        // Not joined: the thread may be held in a write until the device has gone.
        self.thread = None;
    }
}

struct Room<W> {
    microphone: W,
    noise: Noise,
    written: u64,
    /// The schedule: sample number `at.1` is due at `at.0`.
    at: (Instant, u64),
}

impl<W: Write> Room<W> {
    fn new(microphone: W) -> Self {
        Self { microphone, noise: Noise::new(), written: 0, at: (Instant::now(), 0) }
    }

    fn run(&mut self, plays: &Receiver<Play>) {
        loop {
            let play = match plays.recv_timeout(self.until_due()) {
                Ok(play) => play,
                Err(RecvTimeoutError::Timeout) => {
                    if self.write_noise().is_none() {
                        return;
                    }
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            if self.play(play).is_none() {
                return;
            }
        }
    }

    fn play(&mut self, play: Play) -> Option<()> {
        // The same recording then meets the same noise at the same place of the ear's steps: a run can be repeated.
        let rest: Vec<i16> =
            (self.written..self.written.next_multiple_of(EAR_STEP)).map(|_| self.noise.sample()).collect();
        self.write(&rest)?;
        self.noise = Noise::new();
        let first_sample = self.written + PAD.0;
        let wait_s = PAD.seconds() + self.until_due().as_secs_f64();
        let _ = play.started.send(Started { first_sample, due_ms: monotonic_ms() + wait_s * 1_000.0 });
        self.paced_noise(play.fast)?;
        for piece in play.samples.chunks(PIECE) {
            self.pace(play.fast);
            self.write(piece)?;
        }
        self.paced_noise(play.fast)
    }

    fn paced_noise(&mut self, fast: bool) -> Option<()> {
        for _ in 0..PAD.0 / PIECE as u64 {
            self.pace(fast);
            self.write_noise()?;
        }
        Some(())
    }

    fn write_noise(&mut self) -> Option<()> {
        let piece: [i16; PIECE] = std::array::from_fn(|_| self.noise.sample());
        self.write(&piece)
    }

    fn write(&mut self, piece: &[i16]) -> Option<()> {
        let bytes: Vec<u8> = piece.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        self.microphone.write_all(&bytes).ok()?;
        self.written += piece.len() as u64;
        Some(())
    }

    /// Waits until the next sample is due, or moves the schedule up to now where time does not matter.
    fn pace(&mut self, fast: bool) {
        if fast {
            self.at = (Instant::now(), self.written);
        } else {
            while !self.until_due().is_zero() {
                std::thread::park_timeout(self.until_due());
            }
        }
    }

    fn until_due(&self) -> Duration {
        let ahead = SampleCount(self.written - self.at.1).duration();
        (self.at.0 + ahead).saturating_duration_since(Instant::now())
    }
}

/// Faint noise from a fixed seed, so that a run can be repeated.
struct Noise {
    state: u32,
}

impl Noise {
    const fn new() -> Self {
        Self { state: SAMPLE_RATE_HZ }
    }

    fn sample(&mut self) -> i16 {
        let mut sum = 0;
        // Two uniform draws make a triangle: near enough to the noise of a quiet room.
        for _ in 0..2 {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 17;
            self.state ^= self.state << 5;
            sum += (self.state >> 16) as i32 % (NOISE_PEAK + 1) - NOISE_PEAK / 2;
        }
        i16::try_from(sum).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_is_faint_and_never_exactly_silent() {
        let mut noise = Noise::new();
        let samples: Vec<i16> = (0..16_000).map(|_| noise.sample()).collect();
        assert!(samples.iter().all(|sample| sample.abs() <= 2 * NOISE_PEAK as i16));
        assert!(samples.windows(64).all(|window| window.iter().any(|sample| *sample != 0)));
    }

    #[test]
    fn a_recording_lies_where_the_feeder_says() {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let mut feeder = Feeder::start(writer);
        let collected = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let mut reader = reader;
            std::io::Read::read_to_end(&mut reader, &mut bytes).expect("reads to the end");
            bytes
        });
        let started = feeder.play(vec![12_345; 1_000], true).expect("plays");
        // A second recording is only begun after the first has been written.
        let second = feeder.play(vec![-12_345; 10], true).expect("plays");
        feeder.stop();
        let bytes = collected.join().expect("joins");
        let sample = |at: u64| i16::from_le_bytes([bytes[2 * at as usize], bytes[2 * at as usize + 1]]);
        assert_eq!((sample(started.first_sample), sample(started.first_sample + 999)), (12_345, 12_345));
        assert!(sample(started.first_sample - 1).abs() < 100 && sample(started.first_sample + 1_000).abs() < 100);
        assert!(second.first_sample >= started.first_sample + 1_000 + PAD.0);
    }
}
