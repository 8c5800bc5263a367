//! What somebody wants explained, as people write it.

use std::fmt;
use std::net::IpAddr;

use crate::geo::Prefix;
use crate::number::PrefixLen;
use crate::zone::{Name, Rtype};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inquiry {
    /// The name.
    pub name: Name,
    /// The type.
    pub rtype: Rtype,
    /// The client, as a client subnet would tell it; its address stands in for the resolver's too.
    pub client: Prefix,
}

/// Why an inquiry cannot be read, with the mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InquiryError(String);

impl Inquiry {
    /// Reads an inquiry as people write it: a name (the final dot may be missing), a type, an address or a subnet.
    pub fn read(name: &str, rtype: &str, client: &str) -> Result<Inquiry, InquiryError> {
        let absolute = if name.ends_with('.') { name.to_owned() } else { format!("{name}.") };
        let read = Name::parse(&absolute, &Name::root());
        let name = read.map_err(|e| InquiryError(format!("{name} is not a name: {e}")))?;
        let Some(rtype) = Rtype::parse(rtype) else {
            let text = format!("{rtype} is not a type; write A, AAAA, MX, … or TYPE and a number");
            return Err(InquiryError(text));
        };
        let client = read_client(client).ok_or_else(|| {
            let text = format!("{client} is neither an address nor a subnet such as 192.0.2.0/24");
            InquiryError(text)
        })?;
        Ok(Inquiry { name, rtype, client })
    }
}

fn read_client(text: &str) -> Option<Prefix> {
    let (address, len) = match text.split_once('/') {
        Some((address, len)) => (address.parse().ok()?, Some(len.parse().ok()?)),
        None => (text.parse::<IpAddr>().ok()?, None),
    };
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let len = len.unwrap_or(bits);
    // Bits beyond the subnet are cut, as a resolver would cut them.
    (len <= bits).then(|| Prefix::around(address, PrefixLen(len)))
}

impl fmt::Display for InquiryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inquiries_read_as_people_write_them() {
        let inquiry = Inquiry::read("www.example.com", "aaaa", "192.0.2.77/24").unwrap();
        assert_eq!(inquiry.name.to_string(), "www.example.com.");
        assert_eq!(inquiry.rtype, Rtype::AAAA);
        assert_eq!(inquiry.client.to_string(), "192.0.2.0/24");
        for bad in
            [("a..b", "A", "::1"), ("a", "nosuch", "::1"), ("a", "A", "here"), ("a", "A", "::/129")]
        {
            assert!(Inquiry::read(bad.0, bad.1, bad.2).is_err(), "{bad:?}");
        }
    }
}
