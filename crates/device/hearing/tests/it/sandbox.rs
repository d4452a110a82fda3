//! What the ear cannot do.

use std::process::Command;

use crate::rig::{Rig, models};

/// Whatever opens, uses or names a socket, and whatever starts a program.
const FORBIDDEN: &[&str] = &[
    "accept",
    "accept4",
    "bind",
    "connect",
    "execv",
    "execve",
    "execvp",
    "fork",
    "getaddrinfo",
    "gethostbyname",
    "getnameinfo",
    "getpeername",
    "getsockname",
    "getsockopt",
    "listen",
    "popen",
    "posix_spawn",
    "posix_spawnp",
    "recv",
    "recvfrom",
    "recvmmsg",
    "recvmsg",
    "send",
    "sendmmsg",
    "sendmsg",
    "sendto",
    "setsockopt",
    "shutdown",
    "sockatmark",
    "socket",
    "socketpair",
    "system",
    "vfork",
];

fn imports(binary: &str) -> Option<Vec<String>> {
    let output = Command::new("nm").args(["-D", "--undefined-only", binary]).output();
    let Ok(output) = output else {
        #[expect(clippy::print_stderr, reason = "how a test says that it was skipped")]
        {
            eprintln!("SKIPPED: nm is not there");
        }
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let names = lines.lines().filter_map(|line| line.split_whitespace().last());
    Some(names.map(|name| name.split('@').next().unwrap_or(name).to_owned()).collect())
}

#[test]
fn i4_ear_imports_no_socket_call() {
    let Some(imports) = imports(env!("CARGO_BIN_EXE_sotto-ear")) else { return };
    assert!(imports.iter().any(|name| name == "read"), "the list is not one of imports: {imports:?}");
    let found: Vec<_> = imports.iter().filter(|name| FORBIDDEN.contains(&name.as_str())).collect();
    assert!(found.is_empty(), "sotto-ear imports {found:?}");
}

#[test]
fn i4_ear_cannot_open_a_socket() {
    let Some(models) = models() else { return };
    let rig = Rig::start(&models, &[]);
    rig.wait_for_event("\"started\"");
    // This kernel's lack excuses, and no other warning.
    if let Some(missing) = rig.events().lines().find(|line| line.contains("system calls are not walled off")) {
        #[expect(clippy::print_stderr, reason = "how a test says that it was skipped")]
        {
            eprintln!("SKIPPED: {missing}");
        }
        return;
    }
    // What these walls refuse is tested beside them, in `pipe`; here, that all of the ear's threads stand behind them.
    let tasks = std::fs::read_dir(format!("/proc/{}/task", rig.ear.id())).expect("a process");
    let mut threads = 0;
    for task in tasks {
        let status = std::fs::read_to_string(task.expect("a thread").path().join("status")).expect("readable");
        let value = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        assert_eq!((value("Seccomp:"), value("NoNewPrivs:")), (Some("2"), Some("1")), "{status}");
        threads += 1;
    }
    assert!(threads >= 1);
}

#[test]
fn a_missing_model_is_one_clear_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut rig = Rig::start(folder.path(), &[]);
    assert_eq!(rig.end().code(), Some(i32::from(pipe::exit::BAD_INPUT)));
    let events = rig.events();
    assert_eq!(events.lines().count(), 1, "{events}");
    assert!(events.contains("melspectrogram.onnx: No such file or directory"), "{events}");
    for damaged in ["speech-embedding/melspectrogram.onnx", "speech-embedding/embedding_model.onnx"] {
        let path = folder.path().join(damaged);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, "not a model").expect("written");
    }
    let mut rig = Rig::start(folder.path(), &[]);
    assert_eq!(rig.end().code(), Some(i32::from(pipe::exit::BAD_INPUT)), "{}", rig.events());
    assert!(rig.events().contains("\"error\""), "{}", rig.events());
}
