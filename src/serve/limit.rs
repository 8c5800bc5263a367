//! ConnectionLimits of connections: who gets a seat, who has to leave for another, how long a silent client
//! may stay.
//!
//! Owns:  the book of seats. When all are taken, the client that has kept us waiting longest
//!        leaves, as gdnsd does it; refusing newcomers instead would let anyone who opens
//!        connections and says nothing lock everyone out.
//! Never: reads a clock or touches a socket.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use crate::answer::ConnectionLimits;

/// A taken seat. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeatId(u64);

/// Whether a connection may stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It has a seat.
    Seated(SeatId),
    /// It has the seat of another, which is to be closed and is already off the book.
    SeatedFor {
        /// Its seat.
        seat: SeatId,
        /// Who leaves.
        leaver: SeatId,
    },
    /// Its client has as many as it may have.
    ClientFull,
    /// Every seat is taken, and nobody is waiting.
    Full,
}

/// Who sits, and who has been waiting since when.
#[derive(Debug)]
pub struct Seats {
    limits: ConnectionLimits,
    seats: HashMap<SeatId, Seat>,
    per_client: HashMap<IpAddr, usize>,
    /// Waiting seats, by when they began to wait.
    waiting: BTreeMap<u64, SeatId>,
    /// Numbers seats and waits in order.
    next: u64,
}

#[derive(Debug)]
struct Seat {
    /// Whose share it counts to.
    client: Option<IpAddr>,
    /// Key in `waiting`.
    waits_since: Option<u64>,
}

impl Seats {
    /// An empty room.
    pub fn new(limits: ConnectionLimits) -> Seats {
        Seats {
            limits,
            seats: HashMap::new(),
            per_client: HashMap::new(),
            waiting: BTreeMap::new(),
            next: 0,
        }
    }

    /// Seats a new connection, if it may have a seat. Without an address it counts to nobody's share.
    pub fn admit(&mut self, address: Option<IpAddr>) -> Admission {
        let client = address.map(client_prefix);
        let share = client.and_then(|client| self.per_client.get(&client));
        if share.is_some_and(|&n| n >= self.limits.connections_per_client) {
            return Admission::ClientFull;
        }
        let leaver = if self.seats.len() >= self.limits.connections {
            match self.evict() {
                Some(leaver) => Some(leaver),
                None => return Admission::Full,
            }
        } else {
            None
        };
        let seat = SeatId(self.number());
        self.seats.insert(seat, Seat { client, waits_since: None });
        if let Some(client) = client {
            *self.per_client.entry(client).or_default() += 1;
        }
        match leaver {
            None => Admission::Seated(seat),
            Some(leaver) => Admission::SeatedFor { seat, leaver },
        }
    }

    /// Takes the longest waiting seat off the book.
    pub fn evict(&mut self) -> Option<SeatId> {
        let (_, &leaver) = self.waiting.first_key_value()?;
        self.leave(leaver);
        Some(leaver)
    }

    /// Notes that a connection waits for its client. Waiting already, it keeps its place, so that
    /// single octets of a slow client do not make it young again.
    pub fn wait(&mut self, seat: SeatId) {
        let number = self.number();
        if let Some(entry) = self.seats.get_mut(&seat)
            && entry.waits_since.is_none()
        {
            entry.waits_since = Some(number);
            self.waiting.insert(number, seat);
        }
    }

    /// Notes that a whole query has come.
    pub fn work(&mut self, seat: SeatId) {
        if let Some(since) = self.seats.get_mut(&seat).and_then(|entry| entry.waits_since.take()) {
            self.waiting.remove(&since);
        }
    }

    /// Frees a seat. A seat that is off the book already stays off.
    pub fn leave(&mut self, seat: SeatId) {
        let Some(entry) = self.seats.remove(&seat) else { return };
        if let Some(since) = entry.waits_since {
            self.waiting.remove(&since);
        }
        let Some(client) = entry.client else { return };
        if let Some(count) = self.per_client.get_mut(&client) {
            *count -= 1;
            if *count == 0 {
                self.per_client.remove(&client);
            }
        }
    }

    /// Seats taken.
    pub fn len(&self) -> usize {
        self.seats.len()
    }

    /// How long a client may keep us waiting now: the whole time while half of the seats are free,
    /// then less in proportion, down to a tenth.
    pub fn idle_time(&self) -> Duration {
        let total = self.limits.connections.max(1);
        let free = total.saturating_sub(self.seats.len());
        if free * 2 >= total {
            return self.limits.idle;
        }
        let share = free as f64 * 2.0 / total as f64;
        self.limits.idle.mul_f64(share.max(0.1))
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

/// What counts as one client: who has one IPv6 address has its /64.
fn client_prefix(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seats(connections: usize, connections_per_client: usize) -> Seats {
        Seats::new(ConnectionLimits {
            connections,
            connections_per_client,
            ..ConnectionLimits::default()
        })
    }

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    fn seated(admission: Admission) -> SeatId {
        match admission {
            Admission::Seated(seat) | Admission::SeatedFor { seat, .. } => seat,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_client_has_its_share_and_no_more() {
        let mut seats = seats(10, 2);
        let first = seated(seats.admit(ip("192.0.2.1")));
        seated(seats.admit(ip("192.0.2.1")));
        assert_eq!(seats.admit(ip("192.0.2.1")), Admission::ClientFull);
        seated(seats.admit(ip("192.0.2.2")));
        seats.leave(first);
        seats.leave(first);
        seated(seats.admit(ip("192.0.2.1")));
        assert_eq!(seats.admit(ip("::ffff:192.0.2.1")), Admission::ClientFull);
    }

    #[test]
    fn a_balancer_has_as_many_as_there_are() {
        let mut seats = seats(3, 1);
        let first = seated(seats.admit(None));
        seated(seats.admit(None));
        seated(seats.admit(ip("192.0.2.1")));
        assert_eq!(seats.admit(None), Admission::Full);
        seats.leave(first);
        seated(seats.admit(None));
    }

    #[test]
    fn one_ipv6_64_is_one_client() {
        let mut seats = seats(10, 1);
        seated(seats.admit(ip("2001:db8::1")));
        assert_eq!(seats.admit(ip("2001:db8::2")), Admission::ClientFull);
        seated(seats.admit(ip("2001:db8:0:1::1")));
    }

    #[test]
    fn the_longest_waiting_leaves_when_the_room_is_full() {
        let mut seats = seats(3, 9);
        let [a, b, c] = [1, 2, 3].map(|_| seated(seats.admit(ip("192.0.2.1"))));
        assert_eq!(seats.admit(ip("192.0.2.2")), Admission::Full);
        seats.wait(b);
        seats.wait(a);
        // A slow octet does not make `b` young again; a whole query would.
        seats.wait(b);
        let Admission::SeatedFor { leaver, .. } = seats.admit(ip("192.0.2.2")) else {
            panic!("no seat")
        };
        assert_eq!(leaver, b);
        seats.work(a);
        seats.wait(c);
        seats.wait(a);
        assert_eq!(seats.evict(), Some(c));
        assert_eq!(seats.evict(), Some(a));
        assert_eq!(seats.evict(), None);
        assert_eq!(seats.len(), 1);
    }

    #[test]
    fn patience_shrinks_as_the_room_fills() {
        let mut seats = seats(100, 100);
        let idle = ConnectionLimits::default().idle;
        for taken in 0..=100 {
            let expected = match taken {
                0..=50 => idle,
                75 => idle / 2,
                95..=100 => idle / 10,
                _ => seats.idle_time(),
            };
            assert_eq!(seats.idle_time(), expected, "{taken}");
            seats.admit(ip("192.0.2.1"));
        }
    }
}
