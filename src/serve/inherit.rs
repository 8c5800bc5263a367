//! Sockets that a service manager opened and handed over (sd_listen_fds(3)): the process never needs the right to open them.
//!
//! Each serves at the address that it is bound to, which must be one of those configured.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

use listenfd::ListenFd;

/// Sockets that were handed over. Dropped, those that nobody took are closed.
#[derive(Debug, Default)]
pub struct Inherited {
    udp: Vec<(SocketAddr, UdpSocket)>,
    tcp: Vec<(SocketAddr, TcpListener)>,
}

impl Inherited {
    /// Those that `LISTEN_FDS` and `LISTEN_PID` tell of, which are then taken out of the environment. None is the usual
    /// case. Call it once, before any thread starts.
    ///
    /// # Errors
    ///
    /// One of them is neither a UDP socket nor listens for TCP.
    pub fn take() -> io::Result<Inherited> {
        let mut handed = ListenFd::from_env();
        let mut inherited = Inherited::default();
        for index in 0..handed.len() {
            if let Ok(Some(listener)) = handed.take_tcp_listener(index) {
                inherited.tcp.push((listener.local_addr()?, listener));
            } else if let Some(socket) = handed.take_udp_socket(index)? {
                inherited.udp.push((socket.local_addr()?, socket));
            }
        }
        Ok(inherited)
    }

    /// One more handle on the listener at `address`.
    pub fn tcp(&self, address: SocketAddr) -> io::Result<Option<TcpListener>> {
        let found = self.tcp.iter().find(|(bound, _)| *bound == address);
        found.map(|(_, listener)| listener.try_clone()).transpose()
    }

    /// One more handle on a socket at `address`: the core of number `core` gets one of its own, where there are as many.
    pub(super) fn udp(&self, address: SocketAddr, core: usize) -> io::Result<Option<UdpSocket>> {
        let all: Vec<&UdpSocket> =
            self.udp.iter().filter(|(bound, _)| *bound == address).map(|(_, it)| it).collect();
        let found = core.checked_rem(all.len()).and_then(|index| all.get(index));
        found.map(|socket| socket.try_clone()).transpose()
    }

    /// The first address of a socket that is none of `used`.
    pub fn unused(&self, used: &[SocketAddr]) -> Option<SocketAddr> {
        let all = self.udp.iter().map(|it| it.0).chain(self.tcp.iter().map(|it| it.0));
        all.into_iter().find(|address| !used.contains(address))
    }
}
