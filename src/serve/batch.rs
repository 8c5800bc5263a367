//! Batches of packets: one system call receives up to 64, one sends their answers.
//!
//! Owns:  the memory of a batch, all of it taken once for each thread; whom an answer goes to, and
//!        from where.
//! Never: looks into a message.
#![expect(unsafe_code, reason = "recvmmsg and sendmmsg take pointers into memory that we keep")]

use std::io;
use std::mem::size_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;

use libc::{c_int, c_uint, cmsghdr, iovec, mmsghdr, msghdr, sockaddr_storage, socklen_t};

use crate::answer::UDP_PAYLOAD_MAX;

/// Packets in one batch. Beyond some dozens the system call's share no longer falls; a guess, to be
/// measured.
pub const BATCH_COUNT: usize = 64;

/// The longest packet that is read. A query is one question and an OPT record: nobody needs a tenth
/// of this over UDP. Longer packets are met with silence, for what was cut off could change their
/// meaning.
const REQUEST_LEN_MAX: usize = 4096;

/// Room for one control message: a header of 16 octets and an `in6_pktinfo` of 20, in words that
/// align it.
const CONTROL_WORDS: usize = 8;

const CONTROL_LEN: usize = CONTROL_WORDS * size_of::<u64>();

const _: () = assert!(UDP_PAYLOAD_MAX <= u16::MAX as usize);
const _: () = assert!(size_of::<cmsghdr>() + size_of::<libc::in6_pktinfo>() <= CONTROL_LEN);

/// One packet and its answer. Kept together, and of a size that is no power of two, so that the
/// packets of a batch do not crowd the same lines of the cache.
#[repr(C)]
struct Slot {
    request: [u8; REQUEST_LEN_MAX],
    response: [u8; UDP_PAYLOAD_MAX],
    peer: sockaddr_storage,
    control: [u64; CONTROL_WORDS],
    incoming: iovec,
    outgoing: iovec,
}

/// What the kernel reads and writes. All zeroes is a valid value of it.
#[repr(C)]
struct Memory {
    received: [mmsghdr; BATCH_COUNT],
    replies: [mmsghdr; BATCH_COUNT],
    slots: [Slot; BATCH_COUNT],
}

/// The packets of one receive and their answers.
///
/// Invariant memory-is-raw: the memory is reached by its pointer only, and a reference into it
/// covers one buffer of one slot and lasts no longer than the borrow that it was given for, so the
/// pointers that the kernel was given stay valid.
pub struct Batch {
    memory: NonNull<Memory>,
    /// Packets received.
    count: usize,
    /// Slots whose headers the kernel has written to since they were armed.
    worn: usize,
    /// Octets of each answer; 0 is silence.
    response_lens: [u16; BATCH_COUNT],
}

/// One packet and the room for its answer.
pub struct Packet<'b> {
    /// The packet as it came.
    pub request: &'b [u8],
    /// Where it came from.
    pub client: IpAddr,
    /// Room for the answer, [`UDP_PAYLOAD_MAX`] octets.
    pub response: &'b mut [u8],
}

/// Why a packet is dropped unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It is longer than what is read.
    Oversized,
    /// It names no port, or no address, to answer to.
    Unanswerable,
}

/// Whether a receive waits for the first packet, as long as the socket's own time-out says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Until one packet is there; then takes what else is there.
    ForOne,
    /// Takes what is there.
    Never,
}

/// What came of sending a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Answers that the kernel took.
    pub sent: usize,
    /// Answers that it did not take.
    pub dropped: usize,
}

impl Batch {
    /// Memory for one thread: about 350 KiB.
    pub fn new() -> Batch {
        // SAFETY: `Memory` is integers, byte arrays and raw pointers; all zeroes is a value of
        // each.
        let memory = unsafe { Box::<Memory>::new_zeroed().assume_init() };
        let memory = NonNull::from(Box::leak(memory));
        Batch { memory, count: 0, worn: BATCH_COUNT, response_lens: [0; BATCH_COUNT] }
    }

    /// Receives up to [`BATCH_COUNT`] packets and forgets those before.
    ///
    /// # Errors
    ///
    /// As `recvmmsg`; `WouldBlock` when none came in time.
    pub fn receive(&mut self, socket: BorrowedFd<'_>, wait: Wait) -> io::Result<usize> {
        self.arm();
        let flags = match wait {
            Wait::ForOne => libc::MSG_WAITFORONE,
            Wait::Never => libc::MSG_DONTWAIT,
        };
        // SAFETY: `arm` made every header point to buffers in `memory` with their true lengths.
        // They live as long as `self`, which is borrowed mutably, so nothing else touches them
        // during the call.
        let count = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                (&raw mut (*self.memory.as_ptr()).received).cast(),
                BATCH_COUNT as c_uint,
                flags,
                std::ptr::null_mut(),
            )
        };
        // The first header may be written to even when the call fails.
        self.worn = 1;
        self.count = 0;
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        self.count = count.min(BATCH_COUNT);
        self.worn = self.count.max(1);
        self.response_lens = [0; BATCH_COUNT];
        Ok(self.count)
    }

    /// One packet of the batch.
    ///
    /// # Errors
    ///
    /// [`Unusable`]; the packet is to be dropped.
    pub fn packet(&mut self, index: usize) -> Result<Packet<'_>, Unusable> {
        if index >= self.count {
            return Err(Unusable::Unanswerable);
        }
        let memory = self.memory.as_ptr();
        // SAFETY: `index` is below `count`, so below BATCH_COUNT; by memory-is-raw these are the
        // only references into the slot, and the borrow of `self` keeps it so while they live.
        let (header, peer, request, response) = unsafe {
            let slot = &raw mut (*memory).slots[index];
            let header = (&raw const (*memory).received[index]).read();
            (header, &(*slot).peer, &(*slot).request, &mut (*slot).response)
        };
        if header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0 {
            return Err(Unusable::Oversized);
        }
        let client = client_of(peer).ok_or(Unusable::Unanswerable)?;
        let request = request.get(..header.msg_len as usize).ok_or(Unusable::Oversized)?;
        Ok(Packet { request, client, response })
    }

    /// The packets of the batch as they came, those too long to be read whole left out.
    pub fn requests(&self) -> impl Iterator<Item = &[u8]> {
        let memory = self.memory.as_ptr();
        (0..self.count).filter_map(move |index| {
            // SAFETY: `index` is below `count`, so below BATCH_COUNT; the references are shared, and the borrow of `self`
            // keeps everything from writing to the slot while they live.
            let (len, request) = unsafe {
                let len = (&raw const (*memory).received[index].msg_len).read();
                (len, &(*memory).slots[index].request)
            };
            request.get(..len as usize)
        })
    }

    /// Sets the length of the answer to a packet; 0 is silence. More than there is room for is
    /// silence too.
    pub fn reply(&mut self, index: usize, len: usize) {
        if let Some(slot) = self.response_lens.get_mut(index) {
            *slot = if len <= UDP_PAYLOAD_MAX { len as u16 } else { 0 };
        }
    }

    /// Sends the answers, each from the address that was asked. Waits no longer than the socket's
    /// own time-out: when the kernel has no room by then, the rest is dropped, as the network
    /// would.
    pub fn send(&mut self, socket: BorrowedFd<'_>) -> Sent {
        let total = self.address_replies();
        let (mut next, mut outcome) = (0, Sent::default());
        while next < total {
            // SAFETY: the headers from `next` to `total` were just made to point to buffers in
            // `memory`, which lives as long as `self`.
            let sent = unsafe {
                let first = (&raw mut (*self.memory.as_ptr()).replies).cast::<mmsghdr>().add(next);
                libc::sendmmsg(socket.as_raw_fd(), first, (total - next) as c_uint, 0)
            };
            if let Some(sent) = usize::try_from(sent).ok().filter(|&sent| sent > 0) {
                next += sent;
                outcome.sent += sent;
                continue;
            }
            match io::Error::last_os_error().kind() {
                io::ErrorKind::WouldBlock => break,
                // Bounded: only a signal makes it, and our threads have no handlers.
                io::ErrorKind::Interrupted => {}
                // One answer that cannot leave (no route, a forged source) does not hold up the
                // others.
                _ => next += 1,
            }
        }
        outcome.dropped = total - outcome.sent;
        outcome
    }

    /// Makes the headers of the slots in use point to their buffers again, at full length.
    fn arm(&mut self) {
        let memory = self.memory.as_ptr();
        for index in 0..self.worn {
            // SAFETY: `worn` is at most BATCH_COUNT; only raw pointers are made, and by
            // memory-is-raw no reference into the slot is alive.
            unsafe {
                let slot = &raw mut (*memory).slots[index];
                (*slot).incoming =
                    iovec { iov_base: (&raw mut (*slot).request).cast(), iov_len: REQUEST_LEN_MAX };
                let header = &raw mut (*memory).received[index].msg_hdr;
                address(header, slot, &raw mut (*slot).incoming);
                (*header).msg_namelen = size_of::<sockaddr_storage>() as socklen_t;
                (*header).msg_controllen = CONTROL_LEN;
                (*header).msg_flags = 0;
            }
        }
    }

    /// Writes the headers of the answers that are not silence, and returns how many there are.
    fn address_replies(&mut self) -> usize {
        let memory = self.memory.as_ptr();
        let mut total = 0;
        for (index, &len) in self.response_lens.iter().enumerate().take(self.count) {
            if len == 0 {
                continue;
            }
            // SAFETY: `index` and `total` are below BATCH_COUNT; only raw pointers into `memory`
            // are made, and by memory-is-raw no reference into the slot is alive. The kernel wrote
            // the name's length, at most the size of its storage.
            unsafe {
                let slot = &raw mut (*memory).slots[index];
                let received = (&raw const (*memory).received[index].msg_hdr).read();
                (*slot).outgoing =
                    iovec { iov_base: (&raw mut (*slot).response).cast(), iov_len: len as usize };
                let header = &raw mut (*memory).replies[total].msg_hdr;
                address(header, slot, &raw mut (*slot).outgoing);
                (*header).msg_namelen = received.msg_namelen;
                (*header).msg_controllen = keep_source(&mut (*slot).control, &received);
                (*header).msg_flags = 0;
            }
            total += 1;
        }
        total
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // SAFETY: the pointer came from a leaked box in `new` and is given back once.
        drop(unsafe { Box::from_raw(self.memory.as_ptr()) });
    }
}

/// Makes `header` use the name and control buffers of `slot` and the octets that `part` names.
///
/// # Safety
///
/// All three pointers are valid for writes.
unsafe fn address(header: *mut msghdr, slot: *mut Slot, part: *mut iovec) {
    // SAFETY: by the contract of this function.
    unsafe {
        (*header).msg_name = (&raw mut (*slot).peer).cast();
        (*header).msg_control = (&raw mut (*slot).control).cast();
        (*header).msg_iov = part;
        (*header).msg_iovlen = 1;
    }
}

/// Turns the control message that told which address was asked into one that sends from it, and
/// returns its length; 0 where there is none. The interface is left to routing: an answer may leave
/// by another one than the query came.
fn keep_source(control: &mut [u64; CONTROL_WORDS], received: &msghdr) -> usize {
    let written = received.msg_controllen;
    if written < size_of::<cmsghdr>() || received.msg_flags & libc::MSG_CTRUNC != 0 {
        return 0;
    }
    // SAFETY: `control` is aligned for a `cmsghdr` and longer, and any octets are a value of it.
    let header = unsafe { control.as_ptr().cast::<cmsghdr>().read() };
    let (interface_at, info_len) = match (header.cmsg_level, header.cmsg_type) {
        (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
            (std::mem::offset_of!(libc::in_pktinfo, ipi_ifindex), size_of::<libc::in_pktinfo>())
        }
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
            (std::mem::offset_of!(libc::in6_pktinfo, ipi6_ifindex), size_of::<libc::in6_pktinfo>())
        }
        _ => return 0,
    };
    if header.cmsg_len < size_of::<cmsghdr>() + info_len || written < header.cmsg_len {
        return 0;
    }
    // SAFETY: the offset lies within the control message, which the assertion on CONTROL_LEN keeps
    // within `control`.
    unsafe {
        let at = control.as_mut_ptr().cast::<u8>().add(size_of::<cmsghdr>() + interface_at);
        at.cast::<c_int>().write_unaligned(0);
    }
    written.min(CONTROL_LEN)
}

/// The address of a client that can be answered.
fn client_of(peer: &sockaddr_storage) -> Option<IpAddr> {
    let storage: *const sockaddr_storage = peer;
    match c_int::from(peer.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says what the storage holds; the storage is aligned and large
            // enough for all.
            let peer = unsafe { &*storage.cast::<libc::sockaddr_in>() };
            let address = Ipv4Addr::from(u32::from_be(peer.sin_addr.s_addr));
            (peer.sin_port != 0).then_some(IpAddr::V4(address))
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let peer = unsafe { &*storage.cast::<libc::sockaddr_in6>() };
            let address = Ipv6Addr::from(peer.sin6_addr.s6_addr);
            (peer.sin6_port != 0).then_some(IpAddr::V6(address))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, UdpSocket};
    use std::os::fd::AsFd;
    use std::time::Duration;

    use super::super::socket::{Sharing, udp};
    use super::*;

    fn pair() -> (UdpSocket, UdpSocket) {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = udp(loopback, Sharing::AmongCores).expect("bound");
        let client = UdpSocket::bind(loopback).expect("bound");
        client.connect(server.local_addr().expect("address")).expect("connected");
        client.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
        (server, client)
    }

    /// Receives `count` packets that the client sends, and answers each with its own octets.
    fn answered(batch: &mut Batch, server: &UdpSocket, client: &UdpSocket, count: u8) {
        for octet in 0..count {
            client.send(&[octet; 20]).expect("sent");
        }
        assert_eq!(
            batch.receive(server.as_fd(), Wait::ForOne).expect("received"),
            usize::from(count)
        );
        for index in 0..count.into() {
            let Ok(Packet { request, client, response }) = batch.packet(index) else {
                panic!("unusable")
            };
            assert!(client.is_loopback());
            response[..request.len()].copy_from_slice(request);
            let len = request.len();
            batch.reply(index, len);
        }
    }

    /// Overwrites the address that packet `index` came from, as a forger could.
    fn forge(batch: &mut Batch, index: usize, address: [u8; 4], port: u16) {
        // SAFETY: `index` is in bounds or the indexing panics; the storage holds an IPv4 address.
        unsafe {
            let slot = &raw mut (*batch.memory.as_ptr()).slots[index];
            let peer = (&raw mut (*slot).peer).cast::<libc::sockaddr_in>();
            (*peer).sin_addr.s_addr = u32::from_ne_bytes(address);
            (*peer).sin_port = port.to_be();
        }
    }

    #[test]
    fn an_answer_that_cannot_leave_does_not_hold_up_the_others() {
        let (server, client) = pair();
        let mut batch = Batch::new();
        for _ in 0..3 {
            answered(&mut batch, &server, &client, 5);
            // The kernel refuses broadcasts of a socket that did not ask for them.
            forge(&mut batch, 0, [255; 4], 53);
            forge(&mut batch, 3, [255; 4], 53);
            assert_eq!(batch.send(server.as_fd()), Sent { sent: 3, dropped: 2 });
            for octet in [1, 2, 4] {
                let mut buffer = [0; 64];
                assert_eq!(client.recv(&mut buffer).expect("an answer"), 20);
                assert_eq!(buffer[..20], [octet; 20]);
            }
        }
    }

    #[test]
    fn port_0_and_other_families_are_unusable() {
        let (server, client) = pair();
        let mut batch = Batch::new();
        answered(&mut batch, &server, &client, 2);
        forge(&mut batch, 0, [192, 0, 2, 1], 0);
        assert_eq!(batch.packet(0).err(), Some(Unusable::Unanswerable));
        assert!(batch.packet(1).is_ok());
        assert_eq!(batch.packet(2).err(), Some(Unusable::Unanswerable));
        assert_eq!(batch.packet(BATCH_COUNT).err(), Some(Unusable::Unanswerable));
    }

    #[test]
    fn silence_is_not_sent_and_an_empty_socket_would_block() {
        let (server, client) = pair();
        let mut batch = Batch::new();
        answered(&mut batch, &server, &client, 3);
        batch.reply(0, 0);
        batch.reply(2, UDP_PAYLOAD_MAX + 1);
        batch.reply(BATCH_COUNT, 1);
        assert_eq!(batch.send(server.as_fd()), Sent { sent: 1, dropped: 0 });
        let error = batch.receive(server.as_fd(), Wait::Never).expect_err("nothing there");
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        assert_eq!(batch.send(server.as_fd()), Sent::default());
    }
}
