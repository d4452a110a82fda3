//! `sotto ask`: a recording is played to a real device as its microphone, and what comes of it is printed.
//!
//! Nothing is shortened: the cloud is the one that runs (or one started for this), the device has its five processes
//! and was paired by the same exchange as any other.

pub(crate) mod device;
pub(crate) mod feeder;
pub(crate) mod outcome;
pub(crate) mod rig;

use std::path::PathBuf;

use clap::Args;

use crate::ask::rig::{Recording, Rig, RigSpec};
use crate::device_run::HearingArgs;
use crate::failure::Failure;
use crate::places::Places;

/// Characters that `--say` speaks at most.
const SAY_CHARS_MAX: usize = 300;
/// Where the synthetic voice's name stands for a file's.
const SAID: &str = "(said)";

/// Plays recordings to a device and prints what came of them.
#[derive(Args, Debug)]
pub(crate) struct AskArgs {
    /// Recordings of a request, wake word and all (WAV, FLAC or Ogg Opus), as turns one after another.
    #[arg(required_unless_present = "say")]
    files: Vec<PathBuf>,
    /// Speak this request with a synthetic voice instead.
    #[arg(long, value_name = "TEXT", conflicts_with = "files")]
    say: Option<String>,
    /// One JSON object a line and nothing else on standard output.
    #[arg(long)]
    json: bool,
    /// As fast as the machine can, with the same results as in real time.
    #[arg(long)]
    fast: bool,
    /// The device to use, by the name of its folder under the data directory.
    #[arg(long, value_name = "NAME", default_value = "ask")]
    device: String,
    #[command(flatten)]
    hearing: HearingArgs,
    /// Also write the spoken reply to this WAV file.
    #[arg(long, value_name = "FILE")]
    reply_wav: Option<PathBuf>,
}

/// Runs the command. The answer is no (exit code 1) where nothing woke.
pub(crate) fn run(args: AskArgs, places: &Places, clock: crate::cloud::ClockSource) -> Result<(), Failure> {
    let recordings = recordings(&args)?;
    let name_is_plain = args.device.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !name_is_plain || args.device.is_empty() {
        return Err(Failure::usage("--device takes letters, digits, - and _"));
    }
    let speaker = match &args.reply_wav {
        Some(path) => format!("file:{}", path.display()),
        None if has_loudspeaker() => "card".into(),
        None => {
            crate::say("no sound card here: the reply is not played aloud (--reply-wav FILE keeps it)");
            "none".into()
        }
    };
    let spec =
        RigSpec { device: args.device, name: "Terminal".into(), speaker, fast: args.fast, hearing: args.hearing };
    let mut rig = Rig::start(places, clock, spec)?;
    let mut woke = false;
    for recording in recordings {
        let name = recording.name.clone();
        let (place, turns) = rig.ask(recording)?;
        woke |= !turns.is_empty();
        if turns.is_empty() {
            crate::print_line(&if args.json {
                outcome::not_woken_json(&name)
            } else {
                format!("{name}: did not wake")
            });
        }
        for turn in turns {
            crate::print_line(&if args.json {
                turn.to_json(&name, place)
            } else {
                format!("{name}: {}", turn.to_text(place))
            });
        }
    }
    rig.stop();
    if woke { Ok(()) } else { Err(Failure::no("nothing woke the device")) }
}

fn recordings(args: &AskArgs) -> Result<Vec<Recording>, Failure> {
    if let Some(text) = &args.say {
        if text.trim().is_empty() || text.chars().count() > SAY_CHARS_MAX {
            return Err(Failure::usage(format!("--say takes 1 to {SAY_CHARS_MAX} characters")));
        }
        let samples = crate::voice::say(text)?;
        return Ok(vec![Recording { name: SAID.into(), samples }]);
    }
    let decode = |path: &PathBuf| {
        let samples = sound::decode_file(path).map_err(|why| Failure::usage(why.to_string()))?;
        Ok(Recording { name: path.display().to_string(), samples })
    };
    args.files.iter().map(decode).collect()
}

/// Whether this machine can play sound: a card with a playback side, or a sound server.
pub(crate) fn has_loudspeaker() -> bool {
    let card = std::fs::read_dir("/dev/snd").is_ok_and(|mut nodes| {
        nodes.any(|node| {
            node.is_ok_and(|node| {
                let name = node.file_name();
                let name = name.to_string_lossy();
                name.starts_with("pcm") && name.ends_with('p')
            })
        })
    });
    let server = std::env::var_os("PULSE_SERVER").is_some()
        || std::env::var_os("XDG_RUNTIME_DIR").is_some_and(|dir| PathBuf::from(dir).join("pulse/native").exists());
    card || server
}

/// The monotonic clock in milliseconds, as in the device's events.
#[expect(clippy::cast_precision_loss, reason = "milliseconds since boot are far below 2^53")]
pub(crate) fn monotonic_ms() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as f64 * 1e3 + now.tv_nsec as f64 / 1e6
}
