//! Class CH: what this server says of itself (RFC 4892), so that anyone with `dig` can compare sites.

use crate::wire::{Rtype, Section, Writer};

use super::exchange::Site;
use super::snapshot::Snapshot;

/// Answers a TXT question of class CH. None if the name is not one of ours.
pub fn answer(
    snapshot: &Snapshot,
    site: &Site,
    name: &[u8],
    writer: &mut Writer<'_>,
) -> Option<()> {
    let mut digits = [0; 64];
    let text = match name {
        b"\x02id\x06server\0" | b"\x08hostname\x04bind\0" => site.name.as_bytes(),
        b"\x07version\x04bind\0" => concat!("homing ", env!("CARGO_PKG_VERSION")).as_bytes(),
        b"\x0ageneration\x06homing\0" => decimal(snapshot.generation.0, &mut digits),
        b"\x08revision\x06homing\0" => decimal(snapshot.revision.0, &mut digits),
        b"\x06digest\x06homing\0" => hexadecimal(&snapshot.digest.0, &mut digits),
        _ => return None,
    };
    let text = &text[..text.len().min(255)];
    let [type_high, type_low] = Rtype::TXT.0.to_be_bytes();
    // Owner, type, class CH, TTL 0, one character string.
    let len = text.len() as u8;
    let head = [0xc0, 12, type_high, type_low, 0, 3, 0, 0, 0, 0];
    let written = writer.put(&head)
        && writer.put(&(u16::from(len) + 1).to_be_bytes())
        && writer.put(&[len])
        && writer.put(text);
    if written {
        writer.count(Section::Answer, 1);
    }
    Some(())
}

fn decimal(mut number: u64, digits: &mut [u8; 64]) -> &[u8] {
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &digits[at..];
        }
    }
}

fn hexadecimal<'d>(octets: &[u8; 32], digits: &'d mut [u8; 64]) -> &'d [u8] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, octet) in digits.chunks_exact_mut(2).zip(octets) {
        pair[0] = DIGITS[usize::from(octet >> 4)];
        pair[1] = DIGITS[usize::from(octet & 15)];
    }
    digits
}
