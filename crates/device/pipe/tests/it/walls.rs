//! What the sandboxes refuse. A sandbox holds for the thread that asks, so each test builds one around a thread.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;

use pipe::sandbox::{self, LinkAccess, Sandboxed};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Resource, Rlimit, geteuid, kill_process};

use crate::typing;

/// Runs `attempt` behind a sandbox, unless this kernel cannot build it.
fn behind(build: impl FnOnce() -> Sandboxed + Send, attempt: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let attempted = scope.spawn(|| {
            let sandboxed = build();
            if sandboxed.missing().is_empty() {
                attempt();
                return;
            }
            #[expect(clippy::print_stderr, reason = "how a test says that it was skipped")]
            {
                eprintln!("SKIPPED: {:?}", sandboxed.missing());
            }
        });
        attempted.join().expect("the attempt");
    });
}

fn refused<T: std::fmt::Debug>(outcome: std::io::Result<T>) {
    assert_eq!(outcome.expect_err("refused").kind(), ErrorKind::PermissionDenied);
}

fn no_network() {
    refused(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    refused(TcpStream::connect((Ipv4Addr::LOCALHOST, 9)));
    refused(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)));
}

fn no_local_socket() {
    refused(UnixStream::pair());
    refused(UnixStream::connect("/run/none"));
    refused(UnixListener::bind("/tmp/none"));
}

fn no_file() {
    refused(File::open("/proc/self/status"));
    refused(File::open("/etc/passwd"));
    refused(File::create("/tmp/sotto-wall"));
    refused(fs::read_dir("/"));
    refused(fs::remove_file("/tmp/none"));
    refused(fs::rename("/tmp/none", "/tmp/none2"));
}

fn no_process() {
    refused(Command::new("/bin/true").spawn());
}

/// Neither its memory nor its life is this process's business.
fn nothing_to_do_with(pid: u32) {
    refused(File::open(format!("/proc/{pid}/mem")));
    refused(File::open(format!("/proc/{pid}/fd/0")));
    let pid = Pid::from_raw(pid.cast_signed()).expect("a process");
    for signal in [rustix::process::Signal::KILL, rustix::process::Signal::STOP] {
        refused(kill_process(pid, signal).map_err(Into::into));
    }
    refused(rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).map_err(Into::into));
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    refused(rustix::process::prlimit(Some(pid), Resource::Cpu, none).map(|_| ()).map_err(Into::into));
}

/// No node is made, whether of a device, a pipe or a socket, not even in the folder that is its own.
fn no_node(folder: &std::path::Path) {
    let mode = Mode::RUSR | Mode::WUSR;
    for (kind, device) in [
        // The kernel's log, a sound card's first microphone, a disk, and what needs no capability.
        (FileType::CharacterDevice, rustix::fs::makedev(1, 11)),
        (FileType::CharacterDevice, rustix::fs::makedev(116, 24)),
        (FileType::BlockDevice, rustix::fs::makedev(8, 0)),
        (FileType::Fifo, 0),
        (FileType::Socket, 0),
    ] {
        refused(mknodat(CWD, folder.join("node"), kind, mode, device).map_err(Into::into));
    }
    refused(std::os::unix::fs::symlink("/etc/passwd", folder.join("node")));
}

fn rights() -> String {
    fs::read_to_string("/proc/thread-self/status").expect("its own")
}

#[test]
fn i4_ear_can_open_neither_a_socket_nor_a_file() {
    let (read_end, write_end) = rustix::pipe::pipe().expect("a pipe");
    behind(sandbox::ear, || {
        no_network();
        no_local_socket();
        no_file();
        no_process();
        refused(rustix::pipe::pipe().map_err(Into::into));
        // What is open stays of use, and threads can be started.
        rustix::io::write(&write_end, b"x").expect("written");
        assert_eq!(rustix::io::read(&read_end, &mut [0; 8]).expect("read"), 1);
        assert_eq!(std::thread::spawn(|| 7).join().expect("a thread"), 7);
        std::thread::spawn(no_local_socket).join().expect("behind the same wall");
    });
}

#[test]
fn i4_panel_has_neither_network_nor_sound_nor_files_but_those_it_has_open() {
    let mut state = tempfile::tempfile().expect("a file");
    behind(sandbox::panel, || {
        no_network();
        no_local_socket();
        no_file();
        refused(File::open("/dev/snd/controlC0"));
        state.write_all(b"off\n").expect("written");
        state.sync_data().expect("kept");
        state.rewind().expect("back");
        let mut text = String::new();
        state.read_to_string(&mut text).expect("read");
        assert_eq!(text, "off\n");
    });
}

#[test]
fn i4_mic_on_a_file_reads_that_file_alone() {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(b"RIFF").expect("written");
    behind(sandbox::mic_file, || {
        no_network();
        no_local_socket();
        no_file();
        file.rewind().expect("back");
        let mut text = String::new();
        file.read_to_string(&mut text).expect("read");
        assert_eq!(text, "RIFF");
    });
}

#[test]
fn i4_mic_on_a_card_reaches_no_network_and_writes_no_file() {
    behind(sandbox::mic_card, || {
        no_network();
        no_process();
        UnixStream::pair().expect("sound servers are spoken to by local sockets");
        File::open("/etc/passwd").expect("libraries and configuration are read");
        refused(File::create("/tmp/sotto-wall"));
        refused(OpenOptions::new().append(true).open("/etc/passwd"));
    });
}

#[test]
fn i4_link_writes_its_data_alone_and_looks_into_no_process() {
    let data = tempfile::tempdir().expect("a folder");
    let elsewhere = tempfile::tempdir().expect("a folder");
    fs::write(elsewhere.path().join("panel.state"), "off\n").expect("written");
    let mut other = Command::new("/bin/sleep").arg("60").spawn().expect("a process");
    let pid = other.id();
    behind(
        || link(data.path()),
        || {
            fs::write(data.path().join("device.key"), "key").expect("its own data");
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the network");
            TcpStream::connect(listener.local_addr().expect("an address")).expect("the network");
            refused(File::open(elsewhere.path().join("panel.state")));
            refused(File::create(elsewhere.path().join("x")));
            refused(OpenOptions::new().append(true).open("/etc/passwd"));
            nothing_to_do_with(pid);
            no_node(data.path());
            refused(UnixStream::connect("/run/none"));
            no_process();
        },
    );
    other.kill().expect("still there");
    other.wait().expect("ended");
}

/// Links of this kind have neither a card nor a name of the home network to look up.
fn link(data: &std::path::Path) -> Sandboxed {
    sandbox::link(&access(data))
}

#[test]
fn i4_link_has_sockets_of_the_internet_alone() {
    let data = tempfile::tempdir().expect("a folder");
    behind(
        || link(data.path()),
        || {
            use rustix::net::{AddressFamily, SocketType, netlink, socket};
            for (family, kind) in [
                (AddressFamily::UNIX, SocketType::STREAM),
                // A headset's microphone is spoken to by these.
                (AddressFamily::BLUETOOTH, SocketType::SEQPACKET),
                (AddressFamily::VSOCK, SocketType::STREAM),
                (AddressFamily::PACKET, SocketType::RAW),
            ] {
                refused(socket(family, kind, None).map_err(Into::into));
            }
            let all_but_addresses = Some(netlink::KOBJECT_UEVENT);
            refused(socket(AddressFamily::NETLINK, SocketType::RAW, all_but_addresses).map_err(Into::into));
            socket(AddressFamily::NETLINK, SocketType::RAW, None).expect("names are resolved by it");
        },
    );
    let with_card = || sandbox::link(&LinkAccess { has_card: true, ..access(data.path()) });
    behind(with_card, || drop(UnixStream::pair().expect("sound servers are spoken to by local sockets")));
}

fn access(data: &std::path::Path) -> LinkAccess<'_> {
    LinkAccess { data, replies: None, has_card: false, needs_local_names: false }
}

#[test]
fn i4_nobody_types_into_a_terminal_or_changes_it() {
    let data = tempfile::tempdir().expect("a folder");
    let (keyboard, screen) = typing::terminal();
    let modes = rustix::termios::tcgetattr(&screen).expect("a terminal");
    let set = || rustix::termios::tcsetattr(&screen, rustix::termios::OptionalActions::Now, &modes);
    set().expect("it can be changed from here");
    let nothing = || {
        for (name, outcome) in typing::attempts(&screen) {
            assert_eq!(outcome, Err(rustix::io::Errno::PERM), "i4: {name}");
        }
    };
    behind(
        || link(data.path()),
        || {
            nothing();
            assert_eq!(set(), Err(rustix::io::Errno::PERM));
            assert_eq!(rustix::io::ioctl_fionread(&screen), Ok(0), "what has nothing to do with it stays");
        },
    );
    behind(sandbox::mic_card, nothing);
    behind(sandbox::mic_file, nothing);
    behind(sandbox::ear, nothing);
    behind(sandbox::panel, || {
        nothing();
        set().expect("the panel leaves the terminal as it was");
    });
    rustix::io::ioctl_fionbio(&keyboard, true).expect("ours");
    assert_eq!(rustix::io::ioctl_fionread(&screen), Ok(0), "i4: something was typed");
}

#[test]
fn i4_as_root_no_capability_is_left() {
    let data = tempfile::tempdir().expect("a folder");
    fs::write(data.path().join("device.key"), "key").expect("written");
    let is_root = geteuid().is_root();
    behind(
        || link(data.path()),
        || {
            let status = rights();
            let value =
                |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
            for set in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
                assert_eq!(value(set), "0000000000000000", "i4: {set}");
            }
            assert_eq!(value("NoNewPrivs:"), "1");
            if is_root {
                assert_eq!(value("CapBnd:"), "0000000000000000");
                assert!(!geteuid().is_root() && !value("Groups:").split(' ').any(|group| group == "0"), "{status}");
            }
            // What root left for it is its own.
            fs::write(data.path().join("device.key"), "another").expect("its own");
            no_node(data.path());
            refused(rustix::thread::set_thread_uid(rustix::fs::Uid::ROOT).map_err(Into::into));
        },
    );
}
