//! One socket, with the options that a name server wants of it. Linux.
//!
//! Owns:  the options, and why each is set.
//! Never: decides which addresses; that is `bind`.
#![expect(unsafe_code, reason = "options that socket2 has no method for go through setsockopt")]

use std::io;
use std::mem::size_of;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::Duration;

use libc::c_int;
use socket2::{Domain, Protocol, Socket, Type};

/// How long a receive waits: the bound on how late a thread sees a stop or lets go of an old
/// snapshot. Invariant cores-wake: below one second (ARCHITECTURE.md, hub-drops-last).
pub const RECEIVE_WAIT: Duration = Duration::from_millis(250);

/// How long a send waits for room in the socket's buffer before the batch's rest is dropped. A
/// guess, to be measured.
const SEND_WAIT: Duration = Duration::from_millis(20);

/// Room for packets that arrive while a core is busy: some thousand queries. The kernel may give
/// less.
const BUFFER_LEN: c_int = 4 << 20;

/// Connections that the kernel completes before we accept them.
const BACKLOG_COUNT: c_int = 1024;

const _: () = assert!(RECEIVE_WAIT.as_millis() < 1000);

/// Whether other sockets of ours may bind the same address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Fails if anybody has the address.
    Alone,
    /// One socket a core; the kernel spreads clients over them by hash (SO_REUSEPORT).
    AmongCores,
}

/// A bound UDP socket whose receives wait [`RECEIVE_WAIT`] and whose sends never fragment by stale
/// path MTUs.
pub fn udp(address: SocketAddr, sharing: Sharing) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if sharing == Sharing::AmongCores {
        socket.set_reuse_port(true)?;
    }
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    equip(&socket, address)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// A bound UDP socket for QUIC, which sets the rest of its options itself.
pub fn quic(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    widen(&socket, libc::SO_RCVBUFFORCE, libc::SO_RCVBUF);
    widen(&socket, libc::SO_SNDBUFFORCE, libc::SO_SNDBUF);
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// One that somebody else bound to `address`, equipped as those of ours are.
pub fn inherited_udp(socket: UdpSocket, address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::from(socket);
    socket.set_nonblocking(false)?;
    equip(&socket, address)?;
    Ok(socket.into())
}

/// Waits, path MTUs, buffers, and which of our addresses was asked.
fn equip(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    match address {
        SocketAddr::V4(_) => {
            // OMIT ignores what forged ICMP says of the path's MTU and leaves DF clear, so a
            // poisoned MTU can neither fragment nor swallow answers; ours fit any path (1,232
            // octets).
            set(socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_OMIT)?;
        }
        SocketAddr::V6(_) => {
            set(socket, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_OMIT)?;
        }
    }
    if address.ip().is_unspecified() {
        // Each packet then tells which of our addresses was asked, and the answer leaves from it.
        match address {
            SocketAddr::V4(_) => set(socket, libc::IPPROTO_IP, libc::IP_PKTINFO, 1)?,
            SocketAddr::V6(_) => set(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)?,
        }
    }
    widen(socket, libc::SO_RCVBUFFORCE, libc::SO_RCVBUF);
    widen(socket, libc::SO_SNDBUFFORCE, libc::SO_SNDBUF);
    socket.set_read_timeout(Some(RECEIVE_WAIT))?;
    socket.set_write_timeout(Some(SEND_WAIT))
}

/// A listening TCP socket, not blocking. It does not share its port (no SO_REUSEPORT), so that a
/// second server on the same address fails here instead of silently taking half of the queries.
pub fn tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Connections of the process before us that are still closing do not keep us from binding.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG_COUNT)?;
    Ok(socket.into())
}

/// Raises the soft limit of open descriptors to `wanted`, or as far as the hard limit lets. Best
/// effort: without them connections are turned away earlier.
pub fn allow_descriptors(wanted: usize) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the kernel writes one `rlimit` to a live one, and then reads it.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) == 0 {
            let reachable = limit.rlim_max.min(wanted as libc::rlim_t);
            if reachable > limit.rlim_cur {
                limit.rlim_cur = reachable;
                libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
            }
        }
    }
}

/// Asks for [`BUFFER_LEN`], beyond the system's limit where we may. Getting less is no error.
fn widen(socket: &Socket, forced: c_int, polite: c_int) {
    if set(socket, libc::SOL_SOCKET, forced, BUFFER_LEN).is_err() {
        let _ = set(socket, libc::SOL_SOCKET, polite, BUFFER_LEN);
    }
}

fn set(socket: &Socket, level: c_int, option: c_int, value: c_int) -> io::Result<()> {
    // SAFETY: the descriptor is open as long as `socket` lives, and the kernel reads
    // `size_of::<c_int>()` octets from a live `c_int`.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            (&raw const value).cast(),
            size_of::<c_int>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
