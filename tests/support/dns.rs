//! A DNS client small enough to trust: it writes queries octet by octet, reads responses itself, and has hickory read them too.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

/// How long an answer may take before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(5);

const TYPES: [(&str, u16); 25] = [
    ("A", 1),
    ("NS", 2),
    ("CNAME", 5),
    ("SOA", 6),
    ("PTR", 12),
    ("MX", 15),
    ("TXT", 16),
    ("AAAA", 28),
    ("LOC", 29),
    ("SRV", 33),
    ("NAPTR", 35),
    ("DNAME", 39),
    ("OPT", 41),
    ("DS", 43),
    ("SSHFP", 44),
    ("RRSIG", 46),
    ("NSEC", 47),
    ("DNSKEY", 48),
    ("NSEC3", 50),
    ("TLSA", 52),
    ("SVCB", 64),
    ("HTTPS", 65),
    ("AXFR", 252),
    ("ANY", 255),
    ("CAA", 257),
];

const RCODES: [&str; 6] = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];

/// A query under construction.
#[derive(Clone)]
pub struct Query {
    pub id: u16,
    pub flags: u16,
    pub name: Vec<u8>,
    pub rtype: u16,
    pub class: u16,
    /// Payload size, version, flags, options.
    pub edns: Option<(u16, u8, u16, Vec<u8>)>,
}

impl Query {
    /// `www.example.test A`, or with a type as `TYPE65280`.
    pub fn new(question: &str) -> Query {
        let (name, rtype) = question.split_once(' ').expect("a name and a type");
        let rtype = TYPES.iter().find(|t| t.0 == rtype).map(|t| t.1);
        let rtype = rtype.or_else(|| question.rsplit_once("TYPE")?.1.parse().ok());
        let rtype = rtype.expect("a known type");
        Query { id: 4711, flags: 0, name: name_wire(name), rtype, class: 1, edns: None }
    }

    pub fn edns(mut self, size: u16) -> Query {
        self.edns = Some((size, 0, 0, Vec::new()));
        self
    }

    pub fn dnssec_ok(self) -> Query {
        let mut query = if self.edns.is_some() { self } else { self.edns(1232) };
        query.edns.as_mut().unwrap().2 |= 0x8000;
        query
    }

    pub fn option(self, code: u16, data: &[u8]) -> Query {
        let mut query = if self.edns.is_some() { self } else { self.edns(1232) };
        let options = &mut query.edns.as_mut().unwrap().3;
        options.extend(code.to_be_bytes());
        options.extend((data.len() as u16).to_be_bytes());
        options.extend(data);
        query
    }

    /// With the client's network, such as `193.0.0.0/21` or `2001:db8::/48`.
    pub fn subnet(self, prefix: &str) -> Query {
        let (address, len) = prefix.split_once('/').unwrap();
        let len: u8 = len.parse().unwrap();
        let (family, octets) = match address.parse().unwrap() {
            std::net::IpAddr::V4(a) => (1, a.octets().to_vec()),
            std::net::IpAddr::V6(a) => (2, a.octets().to_vec()),
        };
        let mut data = vec![0, family, len, 0];
        data.extend(&octets[..usize::from(len).div_ceil(8)]);
        self.option(8, &data)
    }

    pub fn to_wire(&self) -> Vec<u8> {
        let mut wire = Vec::new();
        let count = u16::from(self.edns.is_some());
        for word in [self.id, self.flags, 1, 0, 0, count] {
            wire.extend(word.to_be_bytes());
        }
        wire.extend(&self.name);
        wire.extend(self.rtype.to_be_bytes());
        wire.extend(self.class.to_be_bytes());
        if let Some((size, version, flags, options)) = &self.edns {
            wire.extend([0, 0, 41]);
            wire.extend(size.to_be_bytes());
            wire.extend([0, *version]);
            wire.extend(flags.to_be_bytes());
            wire.extend((options.len() as u16).to_be_bytes());
            wire.extend(options);
        }
        wire
    }
}

/// A name in wire format; `\046` is a dot within a label.
pub fn name_wire(name: &str) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in name.trim_end_matches('.').split('.').filter(|l| !l.is_empty()) {
        let (mut octets, mut rest) = (Vec::new(), label);
        while let Some((before, after)) = rest.split_once('\\') {
            octets.extend(before.as_bytes());
            octets.push(after[..3].parse::<u8>().unwrap());
            rest = &after[3..];
        }
        octets.extend(rest.as_bytes());
        wire.push(octets.len() as u8);
        wire.extend(octets);
    }
    wire.push(0);
    wire
}

/// A response, read.
#[derive(Clone, Debug)]
pub struct Response {
    pub bytes: Vec<u8>,
    pub id: u16,
    pub flags: u16,
    /// With the upper bits of the OPT record.
    pub rcode: u16,
    /// Records as text: `owner ttl type rdata`.
    pub answer: Vec<String>,
    pub authority: Vec<String>,
    pub additional: Vec<String>,
    /// Payload size, version, flags of the OPT record.
    pub edns: Option<(u16, u8, u16)>,
    pub options: Vec<(u16, Vec<u8>)>,
}

impl Response {
    /// Reads a message and has hickory read it too: both must find the same sections.
    pub fn read(bytes: &[u8]) -> Response {
        let mut reader = Reader { bytes, at: 0 };
        let header: Vec<u16> = (0..6).map(|_| reader.u16()).collect();
        assert!(header[1] & 0x8000 != 0, "QR is clear: {bytes:02x?}");
        for _ in 0..header[2] {
            reader.name();
            reader.at += 4;
        }
        let second = hickory_proto::op::Message::from_vec(bytes).expect("hickory reads it");
        let (mut edns, mut options, mut rcode) = (None, Vec::new(), header[1] & 15);
        let mut sections = [Vec::new(), Vec::new(), Vec::new()];
        for (section, count) in sections.iter_mut().zip(&header[3..]) {
            for _ in 0..*count {
                let owner = reader.name();
                let (rtype, class, high, low) =
                    (reader.u16(), reader.u16(), reader.u16(), reader.u16());
                let end = usize::from(reader.u16()) + reader.at;
                if rtype == 41 {
                    assert!(edns.is_none() && owner == ".", "one OPT, owned by the root");
                    rcode |= (high >> 8) << 4;
                    edns = Some((class, high as u8, low));
                    options = reader.options(end);
                } else {
                    section.push(owner.to_ascii_lowercase());
                }
                reader.at = end;
            }
        }
        assert_eq!(reader.at, bytes.len(), "octets after the last record");
        let both = [&second.answers, &second.authorities, &second.additionals];
        for (ours, theirs) in sections.iter().zip(both) {
            let theirs: Vec<String> =
                theirs.iter().map(|r| plain(&r.name.to_ascii().to_ascii_lowercase())).collect();
            assert_eq!(ours, &theirs, "the two readers differ");
        }
        let [answer, authority, additional] = both.map(|records| {
            records.iter().map(|r| readable(&r.to_string().replacen(" IN ", " ", 1))).collect()
        });
        let (id, flags) = (header[0], header[1]);
        Response {
            bytes: bytes.into(),
            id,
            flags,
            rcode,
            answer,
            authority,
            additional,
            edns,
            options,
        }
    }

    /// `NOERROR aa` and so on: code, then the flags that are set besides QR.
    pub fn head(&self) -> String {
        let code = RCODES.get(usize::from(self.rcode));
        let mut head = code.map_or_else(|| format!("RCODE{}", self.rcode), |c| c.to_string());
        let flags = [("aa", 0x400), ("tc", 0x200), ("rd", 0x100), ("ra", 0x80), ("z", 0x40)];
        for (flag, _) in flags.iter().filter(|f| self.flags & f.1 != 0) {
            write!(head, " {flag}").unwrap();
        }
        head
    }

    /// Everything but the OPT record, one line each, sorted within sections.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![self.head()];
        let sections = [
            ("", &self.answer),
            ("authority ", &self.authority),
            ("additional ", &self.additional),
        ];
        for (prefix, section) in sections {
            let mut section: Vec<String> = section.iter().map(|r| format!("{prefix}{r}")).collect();
            section.sort();
            lines.extend(section);
        }
        lines
    }

    /// The data of the option `code`.
    pub fn option(&self, code: u16) -> Option<&[u8]> {
        self.options.iter().find(|o| o.0 == code).map(|o| o.1.as_slice())
    }

    /// Last words of the answer's records of `rtype`, such as the addresses.
    pub fn rdata(&self, rtype: &str) -> Vec<String> {
        let wanted = format!(" {rtype} ");
        let records = self.answer.iter().filter(|r| r.contains(&wanted));
        records.filter_map(|r| Some(r.split_once(&wanted)?.1.to_string())).collect()
    }
}

/// Hickory escapes the slash of RFC 2317, and needs not.
fn plain(name: &str) -> String {
    name.replace("\\/", "/")
}

/// Hickory shows a DNAME's rdata in base64: as a name, then.
fn readable(record: &str) -> String {
    let Some((head, rdata)) = record.split_once(" DNAME ") else { return record.into() };
    let octets = data_encoding::BASE64.decode(rdata.as_bytes()).expect("base64");
    format!("{head} DNAME {}", Reader { bytes: &octets, at: 0 }.name())
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> &'a [u8] {
        let taken = self.bytes.get(self.at..self.at + len).expect("a record ends early");
        self.at += len;
        taken
    }

    /// The options of an OPT record, up to `end`.
    fn options(&mut self, end: usize) -> Vec<(u16, Vec<u8>)> {
        let mut options = Vec::new();
        while self.at < end {
            let (code, len) = (self.u16(), usize::from(self.u16()));
            options.push((code, self.take(len).to_vec()));
        }
        options
    }

    fn u16(&mut self) -> u16 {
        u16::from_be_bytes(self.take(2).try_into().unwrap())
    }

    /// Reads a name; a pointer must point before itself, so that no name is endless (RFC 1035 §4.1.4).
    fn name(&mut self) -> String {
        let (mut text, mut at, mut end) = (String::new(), self.at, None);
        loop {
            let len = usize::from(self.bytes[at]);
            match len {
                0 => break,
                1..64 => {
                    text.push_str(&String::from_utf8_lossy(&self.bytes[at + 1..at + 1 + len]));
                    text.push('.');
                    at += 1 + len;
                }
                _ => {
                    let to = (len & 0x3f) << 8 | usize::from(self.bytes[at + 1]);
                    assert!(len >= 0xc0 && to < at, "a pointer that does not point back");
                    end = end.or(Some(at + 2));
                    at = to;
                }
            }
        }
        self.at = end.unwrap_or(at + 1);
        if text.is_empty() { ".".into() } else { text }
    }
}

/// Asks over UDP; none if nothing came in time.
pub fn ask(server: SocketAddr, request: &[u8], patience: Duration) -> Option<Vec<u8>> {
    let local: SocketAddr =
        if server.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" }.parse().unwrap();
    let socket = UdpSocket::bind(local).unwrap();
    socket.connect(server).unwrap();
    socket.set_read_timeout(Some(patience)).unwrap();
    socket.send(request).unwrap();
    let mut buffer = [0; 65_535];
    let len = socket.recv(&mut buffer).ok()?;
    Some(buffer[..len].to_vec())
}

/// Sends the requests over one TCP connection in one write; gives the responses in the order they came.
pub fn tcp_exchange(server: SocketAddr, requests: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut out = Vec::new();
    for request in requests {
        out.extend((request.len() as u16).to_be_bytes());
        out.extend(request);
    }
    stream.write_all(&out).unwrap();
    let mut responses = Vec::new();
    for _ in requests {
        let mut len = [0; 2];
        if stream.read_exact(&mut len).is_err() {
            break;
        }
        let mut response = vec![0; usize::from(u16::from_be_bytes(len))];
        stream.read_exact(&mut response).expect("a whole message");
        responses.push(response);
    }
    responses
}
