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
use crate::recordings::{Refused, decode};

/// Characters that `--say` speaks at most.
const SAY_CHARS_MAX: usize = 300;
/// Where the synthetic voice's name stands for a file's.
const SAID: &str = "(said)";

/// Plays recordings to a device and prints what came of them.
#[derive(Args, Debug)]
pub(crate) struct AskArgs {
    /// Recordings of a request, wake word and all (WAV, AIFF, AU, FLAC or Ogg Opus; - is standard input), as turns one
    /// after another.
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

/// Runs the command. The answer is no (exit code 1) where nothing woke, and where the cloud could not keep what was said.
/// A recording that cannot be heard is told; the others are asked.
pub(crate) fn run(args: AskArgs, places: &Places, clock: crate::cloud::ClockSource) -> Result<(), Failure> {
    let (recordings, refused) = recordings(&args)?;
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
    let asked = ask(&mut rig, recordings, args.json);
    rig.stop();
    let (woke, not_kept) = asked?;
    let lost =
        format!("nothing was kept of {not_kept} of the requests: the cloud could not store it (is its disk full?)");
    match (refused.end(args.files.len()), woke, not_kept) {
        (Ok(()), false, _) => Err(Failure::no("nothing woke the device")),
        (Ok(()), true, 0) => Ok(()),
        (Ok(()), true, _) => Err(Failure::no(lost)),
        (Err(bad), _, 0) => Err(bad),
        (Err(bad), _, _) => {
            crate::say(&lost);
            Err(bad)
        }
    }
}

/// Asks each recording and prints what came of it; answers whether any woke, and how many requests were not kept.
fn ask(rig: &mut Rig, recordings: Vec<Recording>, json: bool) -> Result<(bool, usize), Failure> {
    let (mut woke, mut not_kept) = (false, 0);
    for recording in recordings {
        let name = recording.name.clone();
        let (place, turns) = rig.ask(recording)?;
        woke |= !turns.is_empty();
        if turns.is_empty() {
            let line = if json { outcome::not_woken_json(&name) } else { format!("{name}: did not wake") };
            crate::print_line(&line)?;
        }
        for turn in turns {
            not_kept += usize::from(turn.outcome.as_deref() == Some("not_kept"));
            let text = |turn: &outcome::Turn| format!("{name}: {}", turn.to_text(place));
            crate::print_line(&if json { turn.to_json(&name, place) } else { text(&turn) })?;
        }
    }
    Ok((woke, not_kept))
}

fn recordings(args: &AskArgs) -> Result<(Vec<Recording>, Refused), Failure> {
    let mut refused = Refused::default();
    if let Some(text) = &args.say {
        if text.trim().is_empty() || text.chars().count() > SAY_CHARS_MAX {
            return Err(Failure::usage(format!("--say takes 1 to {SAY_CHARS_MAX} characters")));
        }
        let samples = crate::voice::say(text)?;
        return Ok((vec![Recording { name: SAID.into(), samples }], refused));
    }
    let mut recordings = Vec::new();
    for path in &args.files {
        match decode(path) {
            Ok(samples) => recordings.push(Recording { name: path.display().to_string(), samples }),
            Err(why) => refused.take(why, args.files.len())?,
        }
    }
    // With none left there is nothing to begin.
    if recordings.is_empty() {
        refused.end(args.files.len())?;
    }
    Ok((recordings, refused))
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
