//! The microphones' button while the disk takes nothing (invariant I3).

use std::process::Command;

use pipe::{EarToPanel, LauncherToPanel, PanelToEar, PanelToLauncher};

use crate::{Rig, skip};

/// Mounts a disk of two pages that nobody else sees, becomes the panel in it, and for as long as that lives does what the
/// test asks: fill the disk, and show the state file.
const ON_A_SMALL_DISK: &str = r#"
mkdir disk && mount -t tmpfs -o size=8k,mode=777 tmpfs disk && cd disk || exit 9
eval "$BEFORE"
setpriv --pdeathsig KILL /bin/sh -c '
    read -r _ <../fill && { cat /dev/zero >fill; echo >../filled; }
    read -r _ <../look && { cat state >../seen; echo >../looked; }
' 2>/dev/null &
exec "$@"
"#;

/// What makes a folder whose disk is private; nothing where that cannot be.
fn private_disk() -> Option<Vec<&'static str>> {
    let mut way = vec!["unshare", "--mount"];
    if !rustix::process::geteuid().is_root() {
        way.push("--map-root-user");
    }
    let works =
        Command::new("unshare").args(&way[1..]).arg("true").output().is_ok_and(|output| output.status.success());
    if !works {
        skip("no mount name space can be had");
        return None;
    }
    way.extend(["/bin/sh", "-c", ON_A_SMALL_DISK, "sh"]);
    Some(way)
}

impl Rig {
    /// Asks the small disk's keeper for something, and waits until it is done.
    fn ask_keeper(&self, what: &str, done: &str) {
        std::fs::write(self.path(what), "\n").expect("asked");
        std::fs::read(self.path(done)).expect("done");
    }

    fn turn_off(&mut self) {
        self.press("mic off");
        assert_eq!(self.launcher.next(), Some(PanelToLauncher::MicrophonesOff));
        assert_eq!(self.ear.next(), Some(PanelToEar::MicOff));
        self.as_ear(EarToPanel::Wiped);
        self.as_launcher(LauncherToPanel::MicrophonesOff);
        self.wait_for_light("mic_off");
    }

    /// Presses "on", and looks that nothing comes of it.
    fn stays_off(&mut self) {
        self.press("mic on\npress");
        assert_eq!(self.ear.next(), Some(PanelToEar::Press), "i3: on, though it cannot be kept");
        assert_eq!(self.light(), "mic_off");
        assert!(self.events().contains("the microphones stay off"), "{}", self.events());
    }
}

#[test]
fn i3_mic_off_on_a_full_disk_is_kept() {
    let Some(way) = private_disk() else { return };
    let mut rig = Rig::start_in(None, &way, &[]);
    assert_eq!(rig.launcher.next(), Some(PanelToLauncher::MicrophonesOn));
    rig.ask_keeper("fill", "filled");
    rig.turn_off();
    // On and off again: what overwrites in place takes no room.
    rig.press("mic on");
    assert_eq!(rig.ear.next(), Some(PanelToEar::MicOn));
    rig.as_ear(EarToPanel::Ready);
    assert_eq!(rig.launcher.next(), Some(PanelToLauncher::MicrophonesOn));
    rig.turn_off();
    rig.ask_keeper("look", "looked");
    let kept = std::fs::read_to_string(rig.path("seen")).expect("seen");
    assert_eq!(kept, "off\n", "i3: {}", rig.events());
    assert!(!rig.events().contains("\"error\""), "{}", rig.events());
    let mut next = Rig::start(&kept);
    assert_eq!(next.launcher.next(), Some(PanelToLauncher::MicrophonesOff));
}

#[test]
fn i3_an_emptied_state_file_on_a_full_disk_stays_red() {
    let Some(way) = private_disk() else { return };
    let mut rig = Rig::start_in(None, &way, &[("BEFORE", ": >state; cat /dev/zero >fill")]);
    assert_eq!(rig.launcher.next(), Some(PanelToLauncher::MicrophonesOff));
    assert_eq!(rig.ear.next(), Some(PanelToEar::MicOff));
    rig.wait_for_light("mic_off");
    assert!(rig.events().contains("state is empty: the microphones are off"), "{}", rig.events());
    rig.stays_off();
}

#[test]
fn i3_turning_on_takes_a_write_that_succeeds() {
    // A limit on the sizes of files refuses every write to one, whoever runs this.
    let way = ["/bin/sh", "-c", r#"trap "" XFSZ; ulimit -f 0; exec "$@""#, "sh"];
    for state in ["off\n", ""] {
        let mut rig = Rig::start_in(Some(state), &way, &[]);
        assert_eq!(rig.launcher.next(), Some(PanelToLauncher::MicrophonesOff));
        assert_eq!(rig.ear.next(), Some(PanelToEar::MicOff));
        rig.stays_off();
    }
    // A file that cannot be made is off too, and a button that cannot be kept is said to be.
    let mut rig = Rig::start_in(None, &way, &[]);
    assert_eq!(rig.launcher.next(), Some(PanelToLauncher::MicrophonesOff));
    let mut rig = Rig::start_in(Some("on \n"), &way, &[]);
    assert_eq!(rig.launcher.next(), Some(PanelToLauncher::MicrophonesOn));
    rig.turn_off();
    rig.stays_off();
}

#[test]
fn i3_a_damaged_state_file_is_off_and_says_so() {
    for (state, how) in [("", "empty"), ("on", "damaged"), ("\0\0\0\0", "damaged"), ("on \noff\n", "damaged")] {
        let mut rig = Rig::start(state);
        assert_eq!(rig.launcher.next(), Some(PanelToLauncher::MicrophonesOff), "i3: {state:?}");
        rig.wait_for_light("mic_off");
        let want = format!("state is {how}: the microphones are off until somebody turns them on here");
        assert!(rig.events().contains(&want), "{}", rig.events());
    }
}
