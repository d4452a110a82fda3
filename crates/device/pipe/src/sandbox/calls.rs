//! Which system calls a process has left.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};

/// A filter ready to be installed.
pub(super) type Program = BpfProgram;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// What any of our processes takes to compute, to wait, and to read and write what is already open.
pub const CORE: &[i64] = &[
    libc::SYS_brk,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_fcntl,
    libc::SYS_futex,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_madvise,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    libc::SYS_ppoll,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_sigaltstack,
    libc::SYS_write,
    libc::SYS_writev,
];

/// What the ear's journal takes, which is open already.
pub const JOURNAL: &[i64] = &[libc::SYS_pwrite64];

/// What work inside a file takes that is already open.
pub const OPEN_FILE: &[i64] = &[
    libc::SYS_fdatasync,
    libc::SYS_fstat,
    libc::SYS_fsync,
    libc::SYS_ftruncate,
    libc::SYS_lseek,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
];

/// What a terminal takes.
pub const TERMINAL: &[i64] = &[libc::SYS_ioctl];

/// What none of our processes has any business with: looking into others, starting programs, changing the machine, and
/// the ways around a filter.
pub const NEVER: &[i64] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_delete_module,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_personality,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_madvise,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setns,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
];

/// Whether a process may still start threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Threads {
    /// It may.
    Allowed,
    /// It has none and needs none.
    None,
}

/// Which sockets a process may open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sockets {
    /// Any.
    Any,
    /// Those that do not leave the machine.
    Local,
}

/// These calls and no others; memory that can be written can never be run.
pub(super) fn only(calls: &[i64], threads: Threads) -> Result<Vec<Program>, String> {
    let mut rules: Rules = calls.iter().map(|call| (*call, Vec::new())).collect();
    let not_executable = || bits(2, libc::PROT_EXEC.cast_unsigned(), 0);
    rules.insert(libc::SYS_mmap, not_executable()?);
    rules.insert(libc::SYS_mprotect, not_executable()?);
    rules.insert(libc::SYS_prctl, equals(0, libc::PR_SET_NAME.cast_unsigned())?);
    if threads == Threads::Allowed {
        // A new thread, never a new process. Its newer form cannot be looked into: it "does not exist", see below.
        let thread = libc::CLONE_THREAD.cast_unsigned();
        rules.insert(libc::SYS_clone, bits(0, thread, thread)?);
        rules.insert(libc::SYS_clone3, Vec::new());
    }
    let missing = errno(libc::ENOSYS);
    let no_clone3 = Rules::from([(libc::SYS_clone3, Vec::new())]);
    Ok(vec![
        compile(no_clone3, SeccompAction::Allow, missing)?,
        compile(rules, errno(libc::EPERM), SeccompAction::Allow)?,
    ])
}

/// Everything but [`NEVER`], and sockets as told.
pub(super) fn all_but_never(sockets: Sockets) -> Result<Vec<Program>, String> {
    let mut rules: Rules = NEVER.iter().map(|call| (*call, Vec::new())).collect();
    if sockets == Sockets::Local {
        rules.insert(libc::SYS_socket, rule(0, SeccompCmpOp::Ne, libc::AF_UNIX.cast_unsigned())?);
    }
    Ok(vec![compile(rules, SeccompAction::Allow, errno(libc::EPERM))?])
}

/// Installs filters one after another; the last may take away the right to install more.
pub(super) fn install(programs: &[Program]) -> Result<(), String> {
    programs.iter().try_for_each(|program| {
        seccompiler::apply_filter(program)
            .map_err(|error| format!("seccomp failed ({error}); system calls are not walled off"))
    })
}

fn compile(rules: Rules, otherwise: SeccompAction, matching: SeccompAction) -> Result<Program, String> {
    let build = || {
        let architecture = TargetArch::try_from(std::env::consts::ARCH)?;
        SeccompFilter::new(rules, otherwise, matching, architecture)?.try_into()
    };
    build().map_err(|error: seccompiler::BackendError| {
        format!("there is no system call filter for this machine ({error}); system calls are not walled off")
    })
}

fn errno(number: i32) -> SeccompAction {
    SeccompAction::Errno(number.cast_unsigned())
}

fn equals(argument: u8, value: u32) -> Result<Vec<SeccompRule>, String> {
    rule(argument, SeccompCmpOp::Eq, value)
}

fn bits(argument: u8, mask: u32, value: u32) -> Result<Vec<SeccompRule>, String> {
    rule(argument, SeccompCmpOp::MaskedEq(u64::from(mask)), value)
}

fn rule(argument: u8, operator: SeccompCmpOp, value: u32) -> Result<Vec<SeccompRule>, String> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, u64::from(value))
        .and_then(|condition| SeccompRule::new(vec![condition]))
        .map(|rule| vec![rule])
        .map_err(|error| format!("a rule of the system call filter is wrong ({error})"))
}
