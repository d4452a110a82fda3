//! What the sandboxes refuse. A sandbox holds for the thread that asks, so each test builds one around a thread.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Command;

use pipe::sandbox::{self, LinkAccess, Sandboxed};

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
        || sandbox::link(&LinkAccess { data: data.path(), replies: None }),
        || {
            fs::write(data.path().join("device.key"), "key").expect("its own data");
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the network");
            TcpStream::connect(listener.local_addr().expect("an address")).expect("the network");
            refused(File::open(elsewhere.path().join("panel.state")));
            refused(File::create(elsewhere.path().join("x")));
            refused(OpenOptions::new().append(true).open("/etc/passwd"));
            refused(File::open(format!("/proc/{pid}/mem")));
            refused(File::open(format!("/proc/{pid}/fd/0")));
            refused(
                rustix::process::kill_process(
                    rustix::process::Pid::from_raw(pid.cast_signed()).expect("a process"),
                    rustix::process::Signal::KILL,
                )
                .map_err(Into::into),
            );
            no_process();
        },
    );
    other.kill().expect("still there");
    other.wait().expect("ended");
}
