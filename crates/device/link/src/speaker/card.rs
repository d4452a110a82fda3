//! A sound card, through ALSA (and so through PulseAudio or PipeWire where they run). It is open while a turn lasts.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cpal::traits::{DeviceTrait as _, HostTrait as _, StreamTrait as _};
use cpal::{FromSample, SampleFormat, SizedSample, Stream, StreamConfig};

use super::Sink;
use super::resampler::Resampler;

/// What a card holds beyond what it has taken, at least: heard before a voice counts as over. One that says it holds more is
/// believed, up to the longest.
const CARD_LATENCY: Duration = Duration::from_millis(150);
const CARD_LATENCY_MAX: Duration = Duration::from_secs(2);

/// A card that answers no sooner is none.
const OPEN_WITHIN: Duration = Duration::from_secs(5);

type Queue = Arc<Mutex<VecDeque<i16>>>;

pub(super) struct Card {
    name: Option<String>,
    open: Option<Open>,
    resampler: Option<Resampler>,
}

struct Open {
    /// Played from by the card's own thread, mono, at its rate.
    queue: Queue,
    /// The longest that the card said a sample takes from here to the air, in microseconds.
    latency_us: Arc<AtomicU64>,
    rate_hz: u32,
    /// Held for as long as it shall play.
    _stream: Stream,
}

impl Card {
    pub(super) const fn new(name: Option<String>) -> Self {
        Self { name, open: None, resampler: None }
    }

    fn open(&mut self) -> Result<&Open, String> {
        match &mut self.open {
            Some(open) => Ok(open),
            none => Ok(none.insert(open_card(self.name.as_deref())?)),
        }
    }
}

impl Sink for Card {
    fn prepare(&mut self) {
        // Where it fails, `start` says why.
        let _ = self.open();
    }

    fn start(&mut self, rate_hz: u32) -> Result<(), String> {
        self.resampler = None;
        let card_hz = self.open()?.rate_hz;
        self.resampler = Some(Resampler::new(rate_hz, card_hz));
        Ok(())
    }

    fn push(&mut self, samples: &[i16]) {
        if let (Some(resampler), Some(open)) = (&mut self.resampler, &self.open) {
            let mut resampled = Vec::with_capacity(samples.len() * 4);
            resampler.push(samples, &mut resampled);
            lock(&open.queue).extend(resampled);
        }
    }

    fn finish(&mut self) -> Result<(), String> {
        if let (Some(mut resampler), Some(open)) = (self.resampler.take(), &self.open) {
            let mut rest = Vec::new();
            resampler.finish(&mut rest);
            // Silence as long as the card's own buffer: once it is taken, all before it was heard.
            let said = Duration::from_micros(open.latency_us.load(Ordering::Relaxed));
            let silence_ms = said.clamp(CARD_LATENCY, CARD_LATENCY_MAX).as_millis() as u64;
            let silence = u64::from(open.rate_hz).saturating_mul(silence_ms) / 1_000;
            rest.extend((0..silence).map(|_| 0));
            lock(&open.queue).extend(rest);
        }
        Ok(())
    }

    fn left(&self) -> Duration {
        self.open.as_ref().map_or(Duration::ZERO, |open| {
            Duration::from_micros(lock(&open.queue).len() as u64 * 1_000_000 / u64::from(open.rate_hz))
        })
    }

    fn stop(&mut self) {
        self.resampler = None;
        self.open = None;
    }
}

fn lock(queue: &Queue) -> std::sync::MutexGuard<'_, VecDeque<i16>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open_card(name: Option<&str>) -> Result<Open, String> {
    // The library prints some lines of its own for each attempt; what came of it is told once, by us.
    let _quiet = alsa::Output::local_error_handler();
    let host = cpal::default_host();
    let device = match name {
        None => host.default_output_device().ok_or("there is no sound card to play on")?,
        Some(name) => host
            .output_devices()
            .map_err(|error| format!("sound cards cannot be listed: {error}"))?
            .find(|device| {
                device.description().is_ok_and(|known| known.name() == name)
                    || device.id().is_ok_and(|id| id.id() == name)
            })
            .ok_or_else(|| format!("there is no sound card called {name}"))?,
    };
    let supported =
        device.default_output_config().map_err(|error| format!("the sound card cannot be opened: {error}"))?;
    let config = supported.config();
    let queue = Queue::default();
    let latency_us = Arc::new(AtomicU64::new(0));
    let ends = (&queue, &latency_us);
    let stream = match supported.sample_format() {
        SampleFormat::I16 => build::<i16>(&device, config, ends),
        SampleFormat::I32 => build::<i32>(&device, config, ends),
        SampleFormat::U8 => build::<u8>(&device, config, ends),
        SampleFormat::F32 => build::<f32>(&device, config, ends),
        other => return Err(format!("the sound card wants samples as {other}, which are not spoken here")),
    }?;
    stream.play().map_err(|error| format!("the sound card cannot be started: {error}"))?;
    Ok(Open { queue, latency_us, rate_hz: config.sample_rate, _stream: stream })
}

fn build<T: SizedSample + FromSample<i16> + Send + 'static>(
    device: &cpal::Device,
    config: StreamConfig,
    (queue, latency_us): (&Queue, &Arc<AtomicU64>),
) -> Result<Stream, String> {
    let (queue, latency_us) = (Arc::clone(queue), Arc::clone(latency_us));
    let channels = usize::from(config.channels).max(1);
    let play = move |out: &mut [T], info: &cpal::OutputCallbackInfo| {
        let times = info.timestamp();
        let latency = times.playback.duration_since(times.callback).as_micros();
        latency_us.fetch_max(u64::try_from(latency).unwrap_or(u64::MAX), Ordering::Relaxed);
        let mut queue = lock(&queue);
        for frame in out.chunks_mut(channels) {
            frame.fill(T::from_sample(queue.pop_front().unwrap_or(0)));
        }
    };
    // What goes wrong later shows as samples that are not taken.
    device
        .build_output_stream(config, play, |_| {}, Some(OPEN_WITHIN))
        .map_err(|error| format!("the sound card cannot be opened: {error}"))
}
