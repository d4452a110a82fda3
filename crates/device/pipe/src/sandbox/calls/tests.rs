//! What a filter refuses by itself, as on a kernel whose Landlock knows less than ours, or that has none.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::io::Errno;
use rustix::process::{Pid, Resource, getrlimit, prlimit, test_kill_process};

use super::*;

fn filtered(programs: Result<Vec<Program>, String>, attempt: impl FnOnce() + Send) {
    let programs = programs.expect("a filter");
    std::thread::scope(|scope| {
        let attempted = scope.spawn(|| match install(&programs) {
            Ok(()) => attempt(),
            #[expect(clippy::print_stderr, reason = "how a test says that it was skipped")]
            Err(missing) => eprintln!("SKIPPED: {missing}"),
        });
        attempted.join().expect("the attempt");
    });
}

#[test]
fn i4_where_landlock_does_not_know_signals_or_truncation_the_filter_refuses_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("file");
    fs::write(&path, "kept").expect("written");
    // Somebody else of the same user: who started the test.
    let pid = rustix::process::getppid().expect("a process");
    filtered(all_but_never(&[libc::AF_INET]), || {
        assert_eq!(test_kill_process(pid), Err(Errno::PERM));
        let own = Pid::from_raw(std::process::id().cast_signed()).expect("a process");
        assert_eq!(test_kill_process(own), Ok(()), "its own life is its own");
        let limit = getrlimit(Resource::Nofile);
        assert!(prlimit(Some(pid), Resource::Nofile, limit).is_err_and(|error| error == Errno::PERM));
        let truncating = OpenOptions::new().read(true).custom_flags(libc::O_TRUNC).open(&path);
        assert_eq!(truncating.expect_err("refused").kind(), ErrorKind::PermissionDenied);
        assert_eq!(fs::read_to_string(&path).expect("readable"), "kept");
        File::create(&path).expect("what may be written may be emptied");
        for kind in [FileType::CharacterDevice, FileType::BlockDevice, FileType::Fifo] {
            let made = mknodat(CWD, folder.path().join("node"), kind, Mode::RUSR, rustix::fs::makedev(1, 11));
            assert_eq!(made, Err(Errno::PERM));
        }
        assert_eq!(std::thread::spawn(|| 7).join().expect("a thread"), 7);
    });
}

#[test]
fn i4_the_second_numbers_of_calls_do_not_exist() {
    // The program as it is read by the kernel: load the number, look for the bit, allow, refuse.
    let program = no_second_numbers();
    let jumps: Vec<u8> = program.iter().map(|step| step.jt).collect();
    assert_eq!((jumps, program[1].k), (vec![0, 1, 0, 0], 0x4000_0000));
    assert_eq!(program[2].k, libc::SECCOMP_RET_ALLOW);
    assert_eq!(program[3].k & libc::SECCOMP_RET_DATA, libc::ENOSYS.cast_unsigned());
    filtered(Ok(vec![program]), || assert!(rustix::process::getpid().as_raw_nonzero().get() > 0));
}
