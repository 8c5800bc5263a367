//! The queries of a load, made beforehand.

/// Subnets that queries tell of, one after the other.
const SUBNET_COUNT: usize = 4_096;

/// Queries, in an order that has nothing to do with that of the file.
pub struct Packets {
    packets: Vec<Vec<u8>>,
    subnets: Option<Vec<[u8; 3]>>,
    next: usize,
    step: usize,
}

impl Packets {
    /// A query for each line of `text`; with a client subnet each, or with DO set, where that is wanted.
    pub fn of(text: &str, has_subnets: bool, is_dnssec: bool) -> Packets {
        let packets: Vec<Vec<u8>> =
            text.lines().filter_map(|line| query(line, has_subnets, is_dnssec)).collect();
        assert!(!packets.is_empty(), "no name in the file");
        let subnets = has_subnets.then(|| {
            // Any spread will do, as long as each run has the same.
            let word = |n: usize| (n as u32 + 1).wrapping_mul(0x9e37_79b1);
            let octets =
                |n| [1 + (word(n) >> 24) as u8 % 222, (word(n) >> 16) as u8, (word(n) >> 8) as u8];
            (0..SUBNET_COUNT).map(octets).collect()
        });
        // Prime to most lengths, so that all are asked for.
        Packets { packets, subnets, next: 0, step: 7_919 }
    }

    /// The next query, with this ID; and its number.
    pub fn next(&mut self, id: u16) -> (usize, &[u8]) {
        self.next = (self.next + self.step) % self.packets.len();
        let number = self.next;
        let packet = &mut self.packets[number];
        packet[..2].copy_from_slice(&id.to_be_bytes());
        if let Some(subnets) = &self.subnets {
            let at = packet.len() - 3;
            packet[at..].copy_from_slice(&subnets[usize::from(id) % SUBNET_COUNT]);
        }
        (number, packet)
    }

    /// Whether these octets answer that query: its question, no error, and a record.
    pub fn is_answer(&self, number: usize, answer: &[u8]) -> bool {
        let packet = &self.packets[number];
        let end = question_end(packet);
        let is_well =
            |head: &[u8]| head[2] & 0x80 != 0 && head[3] & 0x0f == 0 && head[6..8] != [0, 0];
        answer.len() >= end && answer[12..end] == packet[12..end] && is_well(answer)
    }
}

fn question_end(packet: &[u8]) -> usize {
    let mut at = 12;
    while packet[at] != 0 {
        at += 1 + usize::from(packet[at]);
    }
    at + 5
}

fn query(line: &str, has_subnet: bool, is_dnssec: bool) -> Option<Vec<u8>> {
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
    for label in name.trim_end_matches('.').split('.') {
        wire.push(label.len() as u8);
        wire.extend(label.as_bytes());
    }
    wire.push(0);
    wire.extend(rtype.to_be_bytes());
    wire.extend([0, 1]);
    // EDNS of 1,232 octets (RFC 6891), and RFC 7871's option for an IPv4 /24.
    wire.extend([0, 0, 41, 0x04, 0xd0, 0, 0, if is_dnssec { 0x80 } else { 0 }, 0]);
    if has_subnet {
        wire.extend([0, 11, 0, 8, 0, 7, 0, 1, 24, 0, 0, 0, 0]);
    } else {
        wire.extend([0, 0]);
    }
    Some(wire)
}
