//! What may be asked of the kernel: seccomp (Linux 3.17 and later; seccomp(2)).
//!
//! A list of what is denied, not of what is allowed. A list of what is allowed must know every call that any allocator,
//! C library or later version of them makes on any machine, and where it does not, a scan fails halfway on somebody's
//! computer; what this program must not do is known and does not change. Two holes that such a list usually has are shut:
//! calls that are newer than the list ([`FIRST_UNKNOWN`]), among them the second set of numbers that x86-64 has for all
//! calls (x32), and calls by the numbers of another architecture (32-bit programs), are answered as a kernel answers that
//! does not have them.
//!
//! What is denied gives an error (`EPERM`, or `ENOSYS` where a caller then does something else), and does not
//! end the process: a decoder that was taken over fails, and what was read before is kept.
//!
//! Paths are [`super::files`]' matter; here stand the changes of files that Landlock does not know of: owners,
//! modes, times, attributes.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Len, SeccompCmpOp as Op, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, sock_filter,
};

use super::Missing;

/// The first number that this list does not know: `cachestat` of Linux 6.5. Numbers of new calls are the same on all
/// architectures since Linux 5.1, and only go up; nothing that this program is made of needs one of these.
const FIRST_UNKNOWN: u32 = 451;

/// Denied, whatever is asked.
const DENIED: &[libc::c_long] = &[
    // The network, and other processes that listen.
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_recvmmsg,
    libc::SYS_setsockopt,
    libc::SYS_shutdown,
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_semctl,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_msgctl,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    libc::SYS_mq_timedsend,
    libc::SYS_mq_timedreceive,
    libc::SYS_mq_notify,
    libc::SYS_mq_getsetattr,
    // Other programs.
    libc::SYS_execve,
    libc::SYS_execveat,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_kcmp,
    libc::SYS_tkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    libc::SYS_setpriority,
    libc::SYS_ioprio_set,
    // Being somebody else, and somewhere else.
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setfsuid,
    libc::SYS_setfsgid,
    libc::SYS_setgroups,
    libc::SYS_capset,
    libc::SYS_personality,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_chroot,
    libc::SYS_pivot_root,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_mount_setattr,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    // The kernel itself, and the doors to it that had the most faults.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    // Files, in ways that Landlock does not know of.
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
];

/// The same by older names, which new architectures do not have.
#[cfg(target_arch = "x86_64")]
const DENIED_OLD: &[libc::c_long] = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
];
#[cfg(not(target_arch = "x86_64"))]
const DENIED_OLD: &[libc::c_long] = &[];

/// Requests to a terminal (ioctl_tty(2), ioctl_console(2)), by the numbers that all architectures here share.
const TIOCSTI: u64 = 0x5412;
const TIOCLINUX: u64 = 0x541C;

/// Denies this thread, and all that it starts, what stands above.
pub fn restrict() -> Result<(), Missing> {
    let failed = |error: seccompiler::Error| Missing {
        is_partial: false,
        why: format!("seccomp: {error}"),
    };
    for program in programs().map_err(|error| failed(error.into()))? {
        seccompiler::apply_filter(&program).map_err(failed)?;
    }
    Ok(())
}

/// The filters. Of several that apply, the strictest answer holds.
fn programs() -> Result<[BpfProgram; 2], seccompiler::BackendError> {
    let arch: TargetArch = std::env::consts::ARCH.try_into()?;
    let mut denied: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for &call in DENIED.iter().chain(DENIED_OLD) {
        denied.insert(call, Vec::new());
    }
    for (call, rule) in denied_by_argument()? {
        denied.entry(call).or_default().push(rule);
    }
    let denied = compile(denied, libc::EPERM, arch)?;
    // Its arguments lie in memory, where they cannot be looked at; the C library then starts threads with `clone`.
    let absent = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let mut absent = compile(absent, libc::ENOSYS, arch)?;
    absent.splice(0..0, unknown(arch));
    // The last one that is set is asked first, and the one that answers other numbers must come before any that ends
    // the process on them: so there is none of these left.
    Ok([[unknown(arch).to_vec(), denied].concat(), absent])
}

/// Calls that are denied by what is asked of them: number, and the rule.
fn denied_by_argument() -> Result<Vec<(i64, SeccompRule)>, seccompiler::BackendError> {
    let own = u64::from(std::process::id());
    let executable = libc::PROT_EXEC as u64;
    let is = |argument, op, value| -> Result<SeccompRule, seccompiler::BackendError> {
        SeccompRule::new(vec![SeccompCondition::new(
            argument,
            Len::Dword,
            op,
            value,
        )?])
    };
    let thread = libc::CLONE_THREAD as u64;
    Ok(vec![
        // A process of its own, which would outlive this one; threads are needed.
        (libc::SYS_clone, is(0, Op::MaskedEq(thread), 0)?),
        // Signals to others, and their limits.
        (libc::SYS_kill, is(0, Op::Ne, own)?),
        (libc::SYS_tgkill, is(0, Op::Ne, own)?),
        (libc::SYS_prlimit64, is(0, Op::Ne, 0)?),
        // Keys that are pressed in the terminal as if by its user, who then runs what they say.
        (libc::SYS_ioctl, is(1, Op::Eq, TIOCSTI)?),
        (libc::SYS_ioctl, is(1, Op::Eq, TIOCLINUX)?),
        // New code. All that this program has is loaded when it starts.
        (libc::SYS_mmap, is(2, Op::MaskedEq(executable), executable)?),
        (
            libc::SYS_mprotect,
            is(2, Op::MaskedEq(executable), executable)?,
        ),
        (
            libc::SYS_pkey_mprotect,
            is(2, Op::MaskedEq(executable), executable)?,
        ),
    ])
}

fn compile(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    error: i32,
    arch: TargetArch,
) -> Result<BpfProgram, seccompiler::BackendError> {
    let answer = SeccompAction::Errno(error.unsigned_abs());
    SeccompFilter::new(rules, SeccompAction::Allow, answer, arch)?.try_into()
}

/// Where the architecture and the number of a call stand in what a filter sees (`struct seccomp_data`).
const ARCH_AT: u32 = 4;
const NUMBER_AT: u32 = 0;

/// The beginning of a filter that answers calls of other architectures, and those that are not known here, as a kernel
/// does that lacks them.
fn unknown(arch: TargetArch) -> [sock_filter; 5] {
    let step = |code: u32, jt: u8, jf: u8, k: u32| sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    };
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let jump = libc::BPF_JMP | libc::BPF_K;
    [
        step(load, 0, 0, ARCH_AT),
        step(jump | libc::BPF_JEQ, 0, 2, audit_number(arch)),
        step(load, 0, 0, NUMBER_AT),
        step(jump | libc::BPF_JGE, 0, 1, FIRST_UNKNOWN),
        step(
            libc::BPF_RET | libc::BPF_K,
            0,
            0,
            libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs(),
        ),
    ]
}

/// The number by which the kernel tells architectures (`AUDIT_ARCH_*` of audit.h): `e_machine` of ELF, with bits for
/// 64-bit and little-endian.
fn audit_number(arch: TargetArch) -> u32 {
    const LITTLE_64: u32 = 0xC000_0000;
    let machine = match arch {
        TargetArch::x86_64 => 62,
        TargetArch::aarch64 => 183,
        TargetArch::riscv64 => 243,
    };
    LITTLE_64 | machine
}
