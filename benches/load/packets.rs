//! The queries of a load, made beforehand.

/// Subnets that queries tell of, one after the other.
const SUBNET_COUNT: usize = 4_096;
/// Octets of a label that nobody asked for before.
const LABEL_LEN: usize = 10;

/// What is special about queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Plain,
    /// Each tells of a client subnet.
    Subnets,
    /// DO is set.
    Dnssec,
    /// Each asks for a name that nobody asked for before: below that of its line.
    Torture,
}

/// Queries, in an order that has nothing to do with that of the file.
pub struct Packets {
    packets: Vec<Vec<u8>>,
    kind: Kind,
    subnets: Vec<[u8; 3]>,
    next: usize,
    step: usize,
    /// What the next label is made of.
    random: u64,
}

impl Packets {
    /// A query for each line of `text`.
    pub fn of(text: &str, kind: Kind) -> Packets {
        let packets: Vec<Vec<u8>> = text.lines().filter_map(|line| query(line, kind)).collect();
        assert!(!packets.is_empty(), "no name in the file");
        // Any spread will do, as long as each run has the same.
        let word = |n: usize| (n as u32 + 1).wrapping_mul(0x9e37_79b1);
        let octets =
            |n| [1 + (word(n) >> 24) as u8 % 222, (word(n) >> 16) as u8, (word(n) >> 8) as u8];
        let subnets = (0..SUBNET_COUNT).map(octets).collect();
        // Prime to most lengths, so that all are asked for.
        Packets { packets, kind, subnets, next: 0, step: 7_919, random: 1 }
    }

    /// The next query, with this ID; and its number.
    pub fn next(&mut self, id: u16) -> (usize, &[u8]) {
        self.next = (self.next + self.step) % self.packets.len();
        let number = self.next;
        let packet = &mut self.packets[number];
        packet[..2].copy_from_slice(&id.to_be_bytes());
        match self.kind {
            Kind::Subnets => {
                let at = packet.len() - 3;
                packet[at..].copy_from_slice(&self.subnets[usize::from(id) % SUBNET_COUNT]);
            }
            Kind::Torture => {
                self.random = self.random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                let letters = |n: usize| b'a' + (self.random >> (8 + 5 * n)) as u8 % 26;
                packet[13..13 + LABEL_LEN]
                    .copy_from_slice(&std::array::from_fn::<u8, LABEL_LEN, _>(letters));
            }
            Kind::Plain | Kind::Dnssec => {}
        }
        (number, packet)
    }

    /// Whether these octets answer that query: its question, and a record; no error, or of a name that nobody asked for
    /// before that it does not exist, with the SOA.
    pub fn is_answer(&self, number: usize, answer: &[u8]) -> bool {
        let packet = &self.packets[number];
        let end = question_end(packet);
        // Of what nobody asked for before, the label has changed since.
        let (from, rcode, records) =
            if self.kind == Kind::Torture { (13 + LABEL_LEN, 3, 8) } else { (12, 0, 6) };
        let is_well = |head: &[u8]| {
            head[2] & 0x80 != 0 && head[3] & 0x0f == rcode && head[records..records + 2] != [0, 0]
        };
        answer.len() >= end && answer[from..end] == packet[from..end] && is_well(answer)
    }
}

fn question_end(packet: &[u8]) -> usize {
    let mut at = 12;
    while packet[at] != 0 {
        at += 1 + usize::from(packet[at]);
    }
    at + 5
}

fn query(line: &str, kind: Kind) -> Option<Vec<u8>> {
    let (name, rtype) = line.trim().split_once(' ')?;
    let rtype: u16 = match rtype {
        "A" => 1,
        "NS" => 2,
        "CNAME" => 5,
        "SOA" => 6,
        "MX" => 15,
        "TXT" => 16,
        "AAAA" => 28,
        other => other.parse().ok()?,
    };
    let mut wire = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    if kind == Kind::Torture {
        wire.push(LABEL_LEN as u8);
        wire.extend([b'a'; LABEL_LEN]);
    }
    for label in name.trim_end_matches('.').split('.') {
        wire.push(label.len() as u8);
        wire.extend(label.as_bytes());
    }
    wire.push(0);
    wire.extend(rtype.to_be_bytes());
    wire.extend([0, 1]);
    // EDNS of 1,232 octets (RFC 6891), and RFC 7871's option for an IPv4 /24.
    wire.extend([0, 0, 41, 0x04, 0xd0, 0, 0, if kind == Kind::Dnssec { 0x80 } else { 0 }, 0]);
    if kind == Kind::Subnets {
        wire.extend([0, 11, 0, 8, 0, 7, 0, 1, 24, 0, 0, 0, 0]);
    } else {
        wire.extend([0, 0]);
    }
    Some(wire)
}
