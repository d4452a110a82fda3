//! A cloud and a paired device, ready to be spoken to.

use std::time::{Duration, Instant};

use crate::ask::device::{Device, DeviceSpec, Event};
use crate::ask::feeder::{Feeder, PAD, Started};
use crate::ask::outcome::{Collector, Turn};
use crate::cloud::{ClockSource, Cloud};
use crate::device_run::HearingArgs;
use crate::failure::Failure;
use crate::places::Places;

/// How long a device may take from its start to its session, pairing included.
const READY_MAX: Duration = Duration::from_secs(30);
/// How much longer than its own length a recording may take: the last turn resolves within this.
const SETTLE_MAX: Duration = Duration::from_secs(60);
/// How often an unpaired device is given a fresh code before it is given up.
const PAIRING_ATTEMPTS: u32 = 2;

/// A recording to be asked.
#[derive(Clone, Debug)]
pub(crate) struct Recording {
    /// What to call it in the answer.
    pub(crate) name: String,
    /// 16 kHz mono.
    pub(crate) samples: Vec<i16>,
}

/// How to set up.
#[derive(Clone, Debug)]
pub(crate) struct RigSpec {
    /// The folder of the device under the data directory.
    pub(crate) device: String,
    /// What the app calls it.
    pub(crate) name: String,
    /// `card`, `none` or `file:PATH`.
    pub(crate) speaker: String,
    /// Recordings are played as fast as they are taken.
    pub(crate) fast: bool,
    /// What it listens for.
    pub(crate) hearing: HearingArgs,
}

/// The parts, in the order in which they are ended.
pub(crate) struct Rig {
    feeder: Feeder,
    device: Device,
    collector: Collector,
    fast: bool,
    cloud: Cloud,
}

impl Rig {
    /// Finds the running cloud or starts one, starts the device, pairs it where it is not, and waits until it is online.
    pub(crate) fn start(places: &Places, clock: ClockSource, spec: RigSpec) -> Result<Self, Failure> {
        let cloud = Cloud::find_or_start(places, clock)?;
        let (device, microphone) = Device::start(&DeviceSpec {
            home: places.device(&spec.device),
            name: spec.name,
            models: places.models(),
            cloud: cloud.devices(),
            speaker: spec.speaker,
            fast: spec.fast,
            hearing: spec.hearing,
        })?;
        let feeder = Feeder::start(microphone);
        let mut rig = Self { feeder, device, collector: Collector::default(), fast: spec.fast, cloud };
        rig.wait_until_online()?;
        Ok(rig)
    }

    /// Plays one recording; answers where it lay on the sample clock and what came of it.
    pub(crate) fn ask(&mut self, recording: Recording) -> Result<(Started, Vec<Turn>), Failure> {
        let length = base::SampleCount(recording.samples.len() as u64);
        let place = self
            .feeder
            .play(recording.samples, self.fast)
            .ok_or_else(|| Failure::no("the device no longer listens to its microphone"))?;
        let end = place.first_sample + length.0 + PAD.0;
        let deadline = Instant::now() + length.duration() + PAD.duration() * 2 + SETTLE_MAX;
        while !self.collector.settled(end) {
            match self.device.next_event(deadline)? {
                // Its samples are counted anew from here: what was asked is not heard any more.
                Some(Event { event, because, .. }) if event == "restart" => {
                    let because = because.unwrap_or_else(|| "one of its processes ended".into());
                    return Err(Failure::no(format!("{}: the device began afresh: {because}", recording.name)));
                }
                Some(event) => {
                    report_error(&event);
                    self.collector.absorb(event);
                }
                None => return Err(Failure::no(format!("{}: no outcome within its time", recording.name))),
            }
        }
        Ok((place, self.collector.take()))
    }

    /// Ends what was started, in order: the room, the device, and the cloud where it was started for this.
    pub(crate) fn stop(mut self) {
        self.feeder.stop();
        self.device.stop();
        self.cloud.stop();
    }

    fn wait_until_online(&mut self) -> Result<(), Failure> {
        let deadline = Instant::now() + READY_MAX;
        let mut codes = 0;
        while let Some(event) = self.device.next_event(deadline)? {
            report_error(&event);
            match (event.event.as_str(), event.state.as_deref()) {
                ("link", Some("online")) => return Ok(()),
                ("link", Some("unpaired")) | ("pairing_failed", _) if codes < PAIRING_ATTEMPTS => {
                    codes += 1;
                    let code = self.cloud.pairing_code()?;
                    self.device.say(&format!("pair {}", code.replace(' ', "")))?;
                }
                ("pairing_failed", _) => {
                    return Err(Failure::no(format!("pairing failed: {}", event.reason.unwrap_or_default())));
                }
                ("link", Some("refused")) => {
                    let reason = event.reason.unwrap_or_else(|| "no reason given".into());
                    return Err(Failure::no(format!("the cloud refuses this device: {reason}")));
                }
                _ => self.collector.absorb(event),
            }
        }
        Err(Failure::no(format!("the device was not online within {} s", READY_MAX.as_secs())))
    }
}

fn report_error(event: &Event) {
    if event.event == "error" {
        let process = event.process.as_deref().unwrap_or("device");
        crate::say(&format!("{process}: {}", event.message.as_deref().unwrap_or("failed")));
    }
}
