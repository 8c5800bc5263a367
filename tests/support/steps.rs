//! A process killed between two steps: stopped before each change that it makes below a folder, and killed at one.
#![allow(unsafe_code, reason = "ptrace(2) is how another process is stopped at its system calls")]

use std::fs;
use std::mem::MaybeUninit;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use libc::{c_int, c_long, c_void, pid_t};

/// How long nothing may happen before a publication is taken as over.
const QUIET: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(30);

/// Threads that change files, by their names.
const THREADS: [&str; 3] = ["files", "writer", "past"];

const OPTIONS: c_int = libc::PTRACE_O_TRACECLONE | libc::PTRACE_O_TRACESYSGOOD;
/// The event of a thread that was interrupted, or is new.
const EVENT_STOP: c_int = 128;

/// A server under our eyes. All of this is done by one thread, for so wants ptrace(2).
pub struct Watched {
    process: pid_t,
    folder: PathBuf,
}

impl Watched {
    /// Watches the process; none where the system forbids it.
    pub fn begin(process: u32, folder: &Path) -> Option<Watched> {
        let process = process as pid_t;
        let folder = fs::canonicalize(folder).unwrap();
        let mut seized = 0;
        for task in fs::read_dir(format!("/proc/{process}/task")).unwrap().flatten() {
            let name = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
            let thread: pid_t = task.file_name().to_string_lossy().parse().unwrap();
            if THREADS.contains(&name.trim()) {
                if ptrace(libc::PTRACE_SEIZE, thread, OPTIONS as usize) != 0 {
                    return None;
                }
                assert_eq!(ptrace(libc::PTRACE_INTERRUPT, thread, 0), 0);
                seized += 1;
            }
        }
        assert_eq!(seized, THREADS.len(), "threads have other names");
        Some(Watched { process, folder })
    }

    /// Kills the process when it is about to make its `last`-th change below the folder, counted from 1, and tells which
    /// that is; or, with nothing to tell, when it `is_done` and makes no more.
    pub fn kill_at(self, last: usize, is_done: impl Fn() -> bool) -> Option<String> {
        let (begun, mut moved, mut count) = (Instant::now(), Instant::now(), 0);
        let killed_at = loop {
            let mut status = 0;
            let flags = libc::__WALL | libc::__WNOTHREAD | libc::WNOHANG;
            // SAFETY: `status` lives as long as the call. Only children and tracees of this thread are waited for.
            let thread = unsafe { libc::waitpid(-1, &raw mut status, flags) };
            if thread > 0 {
                let step = self.step_of(thread, status);
                count += usize::from(step.is_some());
                if count == last && step.is_some() {
                    break step;
                }
                if step.is_some() {
                    moved = Instant::now();
                }
                go_on(thread, status);
                continue;
            }
            if moved.elapsed() > QUIET && is_done() {
                break None;
            }
            assert!(begun.elapsed() < PATIENCE, "{count} steps, and no end");
            std::thread::sleep(Duration::from_micros(200));
        };
        self.kill();
        killed_at
    }

    /// What a stopped thread is about to change below the folder.
    fn step_of(&self, thread: pid_t, status: c_int) -> Option<String> {
        let is_call = libc::WIFSTOPPED(status) && libc::WSTOPSIG(status) == libc::SIGTRAP | 0x80;
        let (number, arguments) = is_call.then(|| entered(thread)).flatten()?;
        let (name, path) = self.change(number, arguments)?;
        let path = path.strip_prefix(&self.folder).ok()?.to_owned();
        Some(format!("{name} {}", path.display()))
    }

    /// The call's name and the path that it changes, if it changes any.
    fn change(&self, number: c_long, arguments: [u64; 6]) -> Option<(&'static str, PathBuf)> {
        let file = |name| Some((name, self.opened(arguments[0])?));
        let named = |name, at: usize| Some((name, self.text(arguments[at])?));
        match number {
            libc::SYS_write => file("write"),
            libc::SYS_writev => file("writev"),
            libc::SYS_pwrite64 => file("pwrite"),
            libc::SYS_fsync => file("fsync"),
            libc::SYS_fdatasync => file("fdatasync"),
            libc::SYS_ftruncate => file("ftruncate"),
            libc::SYS_openat if arguments[2] as c_int & libc::O_CREAT != 0 => named("create", 1),
            libc::SYS_mkdirat | libc::SYS_unlinkat | libc::SYS_renameat | libc::SYS_renameat2 => {
                named("…at", 1)
            }
            #[cfg(target_arch = "x86_64")]
            libc::SYS_rename => named("rename", 0),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_unlink => named("unlink", 0),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_mkdir => named("mkdir", 0),
            _ => None,
        }
    }

    fn opened(&self, descriptor: u64) -> Option<PathBuf> {
        fs::read_link(format!("/proc/{}/fd/{descriptor}", self.process)).ok()
    }

    fn text(&self, address: u64) -> Option<PathBuf> {
        let memory = fs::File::open(format!("/proc/{}/mem", self.process)).ok()?;
        let mut bytes = vec![0; 4096];
        let read = memory.read_at(&mut bytes, address).ok()?;
        let text = bytes[..read].split(|octet| *octet == 0).next()?;
        Some(PathBuf::from(String::from_utf8_lossy(text).into_owned()))
    }

    /// Kills it without a word, and takes note of the ends of its threads, for its parent sees its own only after theirs.
    /// One that was begun a moment ago is watched too, though it has never stopped for us.
    fn kill(self) {
        // SAFETY: no memory is passed.
        assert_eq!(unsafe { libc::kill(self.process, libc::SIGKILL) }, 0);
        let killed = Instant::now();
        while let Some(ended) = ended_or_stopped() {
            if ended == self.process {
                return;
            }
            let mut status = 0;
            let flags = libc::__WALL | libc::WNOHANG;
            // SAFETY: `status` lives as long as the call.
            if ended == 0 || unsafe { libc::waitpid(ended, &raw mut status, flags) } <= 0 {
                std::thread::sleep(Duration::from_micros(200));
            }
            assert!(killed.elapsed() < PATIENCE, "killed, and does not end");
        }
    }
}

/// Lets a stopped thread run to its next stop, with the signal that it stopped for.
fn go_on(thread: pid_t, status: c_int) {
    if libc::WIFSTOPPED(status) {
        let (signal, event) = (libc::WSTOPSIG(status), status >> 16);
        let is_ours = event == EVENT_STOP || signal & !0x80 == libc::SIGTRAP;
        ptrace(libc::PTRACE_SYSCALL, thread, if is_ours { 0 } else { signal as usize });
    }
}

/// A child or tracee of this thread that has ended or stopped, left to be waited for; 0 while there is none that has, and
/// nothing when there are none at all.
fn ended_or_stopped() -> Option<pid_t> {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let only_look = libc::WNOWAIT | libc::WNOHANG;
    let flags = libc::WEXITED | libc::WSTOPPED | libc::__WALL | libc::__WNOTHREAD | only_look;
    // SAFETY: the kernel writes `info`, which is valid when zeroed, and its process is 0 where nothing is told.
    unsafe {
        let found = libc::waitid(libc::P_ALL, 0, info.as_mut_ptr(), flags);
        (found == 0).then(|| info.assume_init().si_pid())
    }
}

/// The number and the arguments of the system call that a thread stopped at, on the way in.
fn entered(thread: pid_t) -> Option<(c_long, [u64; 6])> {
    let mut info = MaybeUninit::<libc::ptrace_syscall_info>::zeroed();
    let len = size_of::<libc::ptrace_syscall_info>();
    let at: *mut c_void = info.as_mut_ptr().cast();
    // SAFETY: the kernel writes at most `len` octets to `info`, which is valid when zeroed.
    let (read, info) = unsafe {
        let read = libc::ptrace(libc::PTRACE_GET_SYSCALL_INFO, thread, len, at);
        (read, info.assume_init())
    };
    if read <= 0 || info.op != libc::PTRACE_SYSCALL_INFO_ENTRY {
        return None;
    }
    // SAFETY: `op` says that this is the variant.
    let entry = unsafe { info.u.entry };
    Some((entry.nr as c_long, entry.args))
}

fn ptrace(request: libc::c_uint, thread: pid_t, argument: usize) -> c_long {
    // SAFETY: none of the requests made here reads or writes memory of ours.
    unsafe { libc::ptrace(request, thread, std::ptr::null_mut::<c_void>(), argument) }
}
