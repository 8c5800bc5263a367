//! Which system calls may be made (seccomp(2)): not those that run programs, change users, trace, mount, load into the
//! kernel, make namespaces, listen on more sockets or speak raw ones. A server never makes them; who got into it would
//! like to.
//!
//! It is a list of what is refused, not of what is allowed: a C library or a kernel to come may make calls that nobody here
//! has seen, and a name server that dies of its update is the worse fault.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter_all_threads,
};

const REFUSED: &[libc::c_long] = &[
    // Programs.
    libc::SYS_execve,
    libc::SYS_execveat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // Users and capabilities.
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
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    // Places.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mknodat,
    libc::SYS_open_by_handle_at,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_quotactl,
    libc::SYS_acct,
    // The kernel.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
    libc::SYS_syslog,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    // Doors: all that listen do so already.
    libc::SYS_listen,
];

/// The part of `socket(2)`'s type that is no flag.
const TYPE_MASK: u64 = 0xf;

/// Bounds them for all threads: a refused call fails with `EPERM`. None: this kernel cannot, or this kind of machine.
pub fn bound() -> Result<Option<&'static str>, String> {
    let Ok(arch) = TargetArch::try_from(std::env::consts::ARCH) else {
        return Ok(None);
    };
    let refused = |error: &dyn std::fmt::Display| {
        format!(
            "system calls cannot be bounded: {error}; `seccomp = false` in [sandbox] goes without"
        )
    };
    let program = program(arch).map_err(|error| refused(&error))?;
    match apply_filter_all_threads(&program) {
        Ok(()) => Ok(Some("on")),
        Err(seccompiler::Error::Seccomp(error) | seccompiler::Error::Prctl(error))
            if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::ENOSYS)) =>
        {
            Ok(None)
        }
        Err(error) => Err(refused(&error)),
    }
}

fn program(arch: TargetArch) -> Result<BpfProgram, seccompiler::BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    rules.insert(libc::SYS_socket, raw_sockets()?);
    let eperm = SeccompAction::Errno(libc::EPERM as u32);
    SeccompFilter::new(rules, SeccompAction::Allow, eperm, arch)?.try_into()
}

/// Sockets that see or forge what others send. Netlink is none of them: the C library asks it for addresses.
fn raw_sockets() -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    use SeccompCmpArgLen::Dword;
    use SeccompCmpOp::{Eq, MaskedEq};
    let family = |family: i32| SeccompCondition::new(0, Dword, Eq, family as u64);
    let is_raw = || SeccompCondition::new(1, Dword, MaskedEq(TYPE_MASK), libc::SOCK_RAW as u64);
    Ok(vec![
        SeccompRule::new(vec![family(libc::AF_PACKET)?])?,
        SeccompRule::new(vec![family(libc::AF_INET)?, is_raw()?])?,
        SeccompRule::new(vec![family(libc::AF_INET6)?, is_raw()?])?,
    ])
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind::PermissionDenied;
    use std::net::{TcpListener, TcpStream, UdpSocket};
    use std::process::Command;
    use std::thread;

    use socket2::{Domain, Protocol, Socket, Type};

    use super::*;

    #[test]
    fn programs_raw_sockets_and_new_doors_are_refused_and_what_a_server_does_is_not() {
        let door = TcpListener::bind("127.0.0.1:0").unwrap();
        // In a thread of its own, so that nothing else is bounded.
        let bounded = thread::spawn(move || {
            let arch = TargetArch::try_from(std::env::consts::ARCH).unwrap();
            seccompiler::apply_filter(&program(arch).unwrap()).unwrap();
            let run = Command::new("/bin/true").status();
            assert_eq!(run.unwrap_err().kind(), PermissionDenied);
            let listen = TcpListener::bind("127.0.0.1:0");
            assert_eq!(listen.unwrap_err().kind(), PermissionDenied);
            for family in [Domain::IPV4, Domain::IPV6, Domain::PACKET] {
                let raw = Socket::new(family, Type::RAW, Some(Protocol::from(1)));
                assert_eq!(raw.unwrap_err().kind(), PermissionDenied, "{family:?}");
            }
            UdpSocket::bind("127.0.0.1:0").unwrap();
            TcpStream::connect(door.local_addr().unwrap()).unwrap();
            door.accept().unwrap();
            thread::spawn(|| ()).join().unwrap();
        });
        bounded.join().unwrap();
    }
}
