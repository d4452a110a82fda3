//! Which system calls a process has left.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, sock_filter,
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

/// What leaving a terminal as it was takes: reading and setting its modes, and nothing that types into it.
pub const TERMINAL_MODES: &[u32] = &[request(libc::TCGETS), request(libc::TCSETS), TCGETS2, TCSETS2];

/// Newer forms of the same, as every machine has them that a filter can be built for.
const TCGETS2: u32 = 0x802c_542a;
const TCSETS2: u32 = 0x402c_542b;

/// What none of our processes has any business with: looking into others, signalling them, starting programs, changing
/// the machine, and the ways around a filter.
pub const NEVER: &[i64] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_adjtimex,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    libc::SYS_kcmp,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_migrate_pages,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mknod,
    libc::SYS_mknodat,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_move_pages,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_personality,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_send_signal,
    libc::SYS_pivot_root,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_tkill,
    // Older kernels' Landlock does not see it.
    libc::SYS_truncate,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
    libc::SYS_vhangup,
];

/// Calls that signal or limit the process that their first argument names: their own is the one they may.
const TO_A_PROCESS: &[i64] =
    &[libc::SYS_kill, libc::SYS_rt_sigqueueinfo, libc::SYS_rt_tgsigqueueinfo, libc::SYS_tgkill];

/// Requests of terminals' range that have nothing to do with terminals, or only ask.
const HARMLESS: [u32; 8] = [
    request(libc::TCGETS),
    request(libc::TIOCGWINSZ),
    request(libc::TIOCOUTQ),
    request(libc::FIONREAD),
    request(libc::FIONBIO),
    request(libc::FIONCLEX),
    request(libc::FIOCLEX),
    request(libc::FIOASYNC),
];

/// Commands of fcntl(2) that our own code and its libraries take.
const FILE_COMMANDS: [i32; 5] = [libc::F_DUPFD_CLOEXEC, libc::F_GETFD, libc::F_GETFL, libc::F_SETFD, libc::F_SETFL];

/// Commands of fcntl(2) that let the kernel signal another process.
const SIGNAL_COMMANDS: [i32; 3] = [libc::F_SETOWN, F_SETOWN_EX, F_SETSIG];
const F_SETSIG: i32 = 10;
const F_SETOWN_EX: i32 = 15;

/// The same as requests of sockets and terminals (`FIOSETOWN`, `SIOCSPGRP`).
const SIGNAL_REQUESTS: [u32; 2] = [0x8901, 0x8902];

/// Whether a process may still start threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Threads {
    /// It may.
    Allowed,
    /// It has none and needs none.
    None,
}

/// These calls and no others, of ioctl(2) these requests; memory that can be written can never be run.
pub(super) fn only(calls: &[i64], threads: Threads, requests: &[u32]) -> Result<Vec<Program>, String> {
    let mut rules: Rules = calls.iter().map(|call| (*call, Vec::new())).collect();
    let not_executable = || one(bits(2, libc::PROT_EXEC.cast_unsigned(), 0)?);
    rules.insert(libc::SYS_mmap, not_executable()?);
    rules.insert(libc::SYS_mprotect, not_executable()?);
    rules.insert(libc::SYS_prctl, one(is(0, libc::PR_SET_NAME.cast_unsigned())?)?);
    let commands = FILE_COMMANDS.iter().map(|command| all_of(vec![is(1, command.cast_unsigned())?]));
    rules.insert(libc::SYS_fcntl, commands.collect::<Result<_, _>>()?);
    if !requests.is_empty() {
        let requests = requests.iter().map(|request| all_of(vec![is(1, *request)?]));
        rules.insert(libc::SYS_ioctl, requests.collect::<Result<_, _>>()?);
    }
    if threads == Threads::Allowed {
        // A new thread, never a new process.
        let thread = libc::CLONE_THREAD.cast_unsigned();
        rules.insert(libc::SYS_clone, one(bits(0, thread, thread)?)?);
        rules.insert(libc::SYS_clone3, Vec::new());
    }
    let mut programs = around()?;
    programs.push(compile(rules, errno(libc::EPERM), SeccompAction::Allow)?);
    Ok(programs)
}

/// Everything but [`NEVER`]; sockets of these families alone, no request that types into a terminal, no new process, no
/// signal to another.
pub(super) fn all_but_never(families: &[i32]) -> Result<Vec<Program>, String> {
    let mut rules: Rules = NEVER.iter().map(|call| (*call, Vec::new())).collect();
    let own = std::process::id();
    for call in TO_A_PROCESS {
        rules.insert(*call, one(is_not(0, own)?)?);
    }
    rules.insert(libc::SYS_prlimit64, vec![all_of(vec![is_not(0, 0)?, is_not(0, own)?])?]);
    // A new thread, never a new process, and no name space with it.
    rules.insert(libc::SYS_clone, one(bits(0, libc::CLONE_THREAD.cast_unsigned(), 0)?)?);
    let commands = SIGNAL_COMMANDS.iter().map(|command| all_of(vec![is(1, command.cast_unsigned())?]));
    rules.insert(libc::SYS_fcntl, commands.collect::<Result<_, _>>()?);
    // Emptying a file that may be read alone: older kernels' Landlock does not see it.
    let emptied =
        |argument| bits(argument, (libc::O_TRUNC | libc::O_ACCMODE).cast_unsigned(), libc::O_TRUNC.cast_unsigned());
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_open, one(emptied(1)?)?);
    rules.insert(libc::SYS_openat, one(emptied(2)?)?);
    rules.insert(libc::SYS_ioctl, terminal_requests()?);
    rules.insert(libc::SYS_socket, sockets_but(families)?);
    let mut programs = around()?;
    programs.push(compile(rules, SeccompAction::Allow, errno(libc::EPERM))?);
    Ok(programs)
}

/// Sockets of other families, and of netlink's all but the one that tells addresses.
fn sockets_but(families: &[i32]) -> Result<Vec<SeccompRule>, String> {
    let others = families.iter().map(|family| is_not(0, family.cast_unsigned())).collect::<Result<_, _>>()?;
    let netlink = vec![is(0, libc::AF_NETLINK.cast_unsigned())?, is_not(2, libc::NETLINK_ROUTE.cast_unsigned())?];
    Ok(vec![all_of(others)?, all_of(netlink)?])
}

/// The requests that type into a terminal, paste into it, take it over or change it: the whole of terminals' and consoles'
/// ranges. Sound cards' timers share the letter, but not these numbers.
fn terminal_requests() -> Result<Vec<SeccompRule>, String> {
    let but_harmless = |range: SeccompCondition| {
        let harmless = HARMLESS.iter().map(|request| is_not(1, *request));
        all_of(std::iter::once(Ok(range)).chain(harmless).collect::<Result<_, String>>()?)
    };
    let mut rules = vec![
        // Those without an argument's size: TIOCSTI, TIOCLINUX, TIOCSCTTY, TIOCSETD, TIOCCONS, TCSETS and all others.
        but_harmless(bits(1, 0xffff_ff80, 0x5400)?)?,
        // Those with one: TCSETS2, TIOCSIG, TIOCSPTLCK.
        but_harmless(bits(1, 0x0000_ffe0, 0x5420)?)?,
        // The console's keyboard and its screens.
        all_of(vec![bits(1, 0xffff_ff00, 0x4b00)?])?,
        all_of(vec![bits(1, 0xffff_ff00, 0x5600)?])?,
    ];
    for request in SIGNAL_REQUESTS {
        rules.push(all_of(vec![is(1, request)?])?);
    }
    Ok(rules)
}

/// What stands around every filter: newer forms of calls that cannot be looked into "do not exist", nor does the second set
/// of numbers that some kernels have for the same calls.
fn around() -> Result<Vec<Program>, String> {
    let newer = [libc::SYS_clone3, libc::SYS_openat2].map(|call| (call, Vec::new()));
    let mut programs = vec![compile(Rules::from(newer), SeccompAction::Allow, errno(libc::ENOSYS))?];
    if cfg!(target_arch = "x86_64") {
        programs.push(no_second_numbers());
    }
    Ok(programs)
}

/// x32's calls, whose numbers have this bit set, are those of x86-64 to the kernel and others to a filter.
fn no_second_numbers() -> Program {
    const BIT: u32 = 0x4000_0000;
    let code = |parts: u32| u16::try_from(parts).unwrap_or(0);
    let step = |parts, jt, k| sock_filter { code: code(parts), jt, jf: 0, k };
    vec![
        // The call's number is the first word of what a filter looks at.
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K, 1, BIT),
        step(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
        step(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned()),
    ]
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

/// A request as the kernel looks at it.
#[expect(clippy::cast_possible_truncation, reason = "requests have 32 bits; some systems' headers give them more")]
const fn request(number: libc::Ioctl) -> u32 {
    number as u32
}

fn is(argument: u8, value: u32) -> Result<SeccompCondition, String> {
    condition(argument, SeccompCmpOp::Eq, value)
}

fn is_not(argument: u8, value: u32) -> Result<SeccompCondition, String> {
    condition(argument, SeccompCmpOp::Ne, value)
}

fn bits(argument: u8, mask: u32, value: u32) -> Result<SeccompCondition, String> {
    condition(argument, SeccompCmpOp::MaskedEq(u64::from(mask)), value)
}

fn condition(argument: u8, operator: SeccompCmpOp, value: u32) -> Result<SeccompCondition, String> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, u64::from(value)).map_err(wrong)
}

fn all_of(conditions: Vec<SeccompCondition>) -> Result<SeccompRule, String> {
    SeccompRule::new(conditions).map_err(wrong)
}

fn one(condition: SeccompCondition) -> Result<Vec<SeccompRule>, String> {
    Ok(vec![all_of(vec![condition])?])
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn wrong(error: seccompiler::BackendError) -> String {
    format!("a rule of the system call filter is wrong ({error}); system calls are not walled off")
}

#[cfg(test)]
mod tests;
