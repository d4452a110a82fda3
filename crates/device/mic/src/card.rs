//! A sound card, or a sound server that stands for one.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{Device, ErrorKind, FromSample, SampleFormat, SizedSample, Stream, SupportedStreamConfig};
use pipe::{Events, Line, sandbox};
use sound::Converter;

use crate::error::MicStop;
use crate::tap::Tap;

/// Buffers between the card's thread and the pipe: some seconds, more than the ear ever lets us wait while it lives.
const BUFFERS_MAX: usize = 256;

/// A card that gives nothing for so long is gone, whatever it says.
const SILENCE_MAX: Duration = Duration::from_secs(5);

/// What the card's thread has to say.
enum Heard {
    Frames(Vec<f32>),
    Failed(String),
}

/// Captures until the card fails or the ear is gone.
pub(crate) fn capture(
    name: Option<&str>,
    mut tap: Tap,
    events: &mut Events,
    started: impl Fn() -> Line,
) -> Result<(), MicStop> {
    // The card's library starts threads of its own: the sandbox comes first.
    sandbox::mic_card().announce(events);
    // The library prints some lines of its own for each attempt; what came of it is told once, by us.
    let _quiet = alsa::Output::local_error_handler();
    let device = find(name)?;
    let config = device.default_input_config().map_err(failed)?;
    let mut converter = Converter::new(config.sample_rate(), usize::from(config.channels()))
        .map_err(|reason| MicStop::Card(format!("it offers {reason}")))?;
    let (sender, receiver) = sync_channel(BUFFERS_MAX);
    let stream = open(&device, &config, &sender)?;
    stream.play().map_err(failed)?;
    events.send(started());
    let mut samples = Vec::new();
    loop {
        let frames = next(&receiver)?;
        converter.push(&frames, &mut samples);
        tap.write(&samples)?;
        samples.clear();
    }
}

fn next(receiver: &Receiver<Heard>) -> Result<Vec<f32>, MicStop> {
    match receiver.recv_timeout(SILENCE_MAX) {
        Ok(Heard::Frames(frames)) => Ok(frames),
        Ok(Heard::Failed(reason)) => Err(MicStop::Card(reason)),
        Err(RecvTimeoutError::Timeout) => Err(MicStop::Card("it has fallen silent".to_owned())),
        Err(RecvTimeoutError::Disconnected) => Err(MicStop::Card("it was closed".to_owned())),
    }
}

/// The default card, or the one of that name: its id with or without `alsa:`, or what it calls itself.
fn find(name: Option<&str>) -> Result<Device, MicStop> {
    let host = cpal::default_host();
    let Some(name) = name else {
        return host.default_input_device().ok_or_else(|| MicStop::Card("there is none to record from".to_owned()));
    };
    let is_named = |device: &Device| {
        let id = device.id().map(|id| id.to_string()).unwrap_or_default();
        let short = id.split_once(':').map_or("", |(_, short)| short);
        let own = device.description().map(|description| description.name().to_owned()).unwrap_or_default();
        [id.as_str(), short, &own].contains(&name)
    };
    let found = host.devices().map_err(failed)?.find(is_named);
    found.ok_or_else(|| MicStop::Card(format!("there is none called {name}")))
}

fn open(device: &Device, config: &SupportedStreamConfig, sender: &SyncSender<Heard>) -> Result<Stream, MicStop> {
    match config.sample_format() {
        SampleFormat::I8 => open_as::<i8>(device, config, sender),
        SampleFormat::I16 => open_as::<i16>(device, config, sender),
        SampleFormat::I24 => open_as::<cpal::I24>(device, config, sender),
        SampleFormat::I32 => open_as::<i32>(device, config, sender),
        SampleFormat::U8 => open_as::<u8>(device, config, sender),
        SampleFormat::U16 => open_as::<u16>(device, config, sender),
        SampleFormat::F32 => open_as::<f32>(device, config, sender),
        SampleFormat::F64 => open_as::<f64>(device, config, sender),
        other => Err(MicStop::Card(format!("it offers samples as {other}, which are not understood"))),
    }
}

fn open_as<T: SizedSample>(
    device: &Device,
    config: &SupportedStreamConfig,
    sender: &SyncSender<Heard>,
) -> Result<Stream, MicStop>
where
    f32: FromSample<T>,
{
    let (frames, failures) = (sender.clone(), sender.clone());
    let on_frames = move |data: &[T], _: &cpal::InputCallbackInfo| {
        let heard = data.iter().map(|&sample| cpal::Sample::to_sample::<f32>(sample)).collect();
        // A full queue means that nobody listens any more; then the ear is about to be ended, and we with it.
        let _ = frames.try_send(Heard::Frames(heard));
    };
    let on_failure = move |error: cpal::Error| {
        // These pass by themselves.
        if !matches!(error.kind(), ErrorKind::DeviceChanged | ErrorKind::Xrun | ErrorKind::RealtimeDenied) {
            let _ = failures.try_send(Heard::Failed(error.to_string()));
        }
    };
    device.build_input_stream(config.config(), on_frames, on_failure, Some(SILENCE_MAX)).map_err(failed)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn failed(error: cpal::Error) -> MicStop {
    MicStop::Card(error.to_string())
}
