//! A sound card as a server of this machine offers it: a private PulseAudio with a sink that goes nowhere, recorded
//! through ALSA's plugin.

use std::fs;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::sources::{mic, samples};

/// A child that is ended when it goes.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn skip(why: &str) {
    #[expect(clippy::print_stderr, reason = "how a test says that it was skipped")]
    {
        eprintln!("SKIPPED: {why}");
    }
}

/// Where a program finds the server, and nothing of the person who runs the test.
fn at_home<'a>(command: &'a mut Command, home: &Path) -> &'a mut Command {
    command
        .env("HOME", home)
        .env("XDG_RUNTIME_DIR", home)
        .env("XDG_CONFIG_HOME", home.join(".config"))
        .env("PULSE_SERVER", format!("unix:{}", home.join("sound").display()))
        .env("ALSA_CONFIG_PATH", home.join("alsa.conf"))
}

/// Starts the server, once it takes calls.
fn server(home: &Path) -> Option<Ended> {
    let socket = home.join("sound");
    let mut command = Command::new("pulseaudio");
    command.args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm"]);
    command.args(["-L", "module-null-sink sink_name=room rate=44100"]);
    command.args(["-L", &format!("module-native-protocol-unix socket={} auth-anonymous=1", socket.display())]);
    at_home(&mut command, home).env_remove("PULSE_SERVER");
    let mut server = Ended(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()?);
    let deadline = Instant::now() + Duration::from_secs(30);
    while UnixStream::connect(&socket).is_err() {
        if Instant::now() > deadline || server.0.try_wait().ok()?.is_some() {
            return None;
        }
        std::thread::yield_now();
    }
    Some(server)
}

/// How much of a sound is one tone: the part of its power at `hz`, 0 to 1.
fn tone_part(samples: &[i16], hz: f64) -> f64 {
    let step = std::f64::consts::TAU * hz / 16_000.0;
    let (mut cosine, mut sine, mut power) = (0.0, 0.0, 0.0);
    for (n, sample) in samples.iter().map(|sample| f64::from(*sample)).enumerate() {
        let angle = step * n as f64;
        cosine += sample * angle.cos();
        sine += sample * angle.sin();
        power += sample * sample;
    }
    2.0 * (cosine * cosine + sine * sine) / (power.max(1.0) * samples.len() as f64)
}

#[test]
fn a_sound_card_is_recorded() {
    let folder: TempDir = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    let plugin = "</usr/share/alsa/alsa.conf>\npcm.!default { type pulse device \"room.monitor\" }\n";
    fs::write(home.join("alsa.conf"), plugin).expect("written");
    let Some(_server) = server(home) else { return skip("pulseaudio is not there or does not start") };
    let tone: Vec<i16> = (0..40 * 16_000).map(|n| (9_000.0 * (f64::from(n) * 0.25).sin()) as i16).collect();
    let path = home.join("tone.wav");
    sound::write_wav(fs::File::create(&path).expect("a file"), 16_000, &tone).expect("written");
    let mut play = Command::new("paplay");
    at_home(&mut play, home).arg("--device=room").arg(&path).stderr(Stdio::null());
    let Ok(_player) = play.spawn().map(Ended) else { return skip("paplay is not there") };

    let mut command = mic("card");
    let mut mic = Ended(at_home(&mut command, home).spawn().expect("started"));
    let mut heard = vec![0; 2 * 3 * 16_000];
    let mut output = mic.0.stdout.take().expect("a pipe");
    if output.read_exact(&mut heard).is_err() {
        let mut complaint = String::new();
        mic.0.stderr.take().expect("a pipe").read_to_string(&mut complaint).expect("readable");
        panic!("the card gave nothing: {complaint}");
    }
    // After a second of settling: the tone, and next to nothing else. A player on a busy machine may fall behind now and
    // then, a rate or a format that is wrong is wrong all the time.
    let hz = 16_000.0 * 0.25 / std::f64::consts::TAU;
    let heard = samples(&heard);
    let parts = heard[16_000..].chunks_exact(4_000).map(|quarter| tone_part(quarter, hz));
    let best = parts.fold(0.0, f64::max);
    assert!(best > 0.9, "{best}");
}

#[test]
fn a_card_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("alsa.conf"), "</usr/share/alsa/alsa.conf>\n").expect("written");
    let mut command = mic("card:gramophone");
    let output = at_home(&mut command, folder.path()).output().expect("started");
    assert_eq!(output.status.code(), Some(i32::from(pipe::exit::FAILED)));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(complaint.contains("sotto-mic: error: the sound card: there is none called gramophone"), "{complaint}");
}
