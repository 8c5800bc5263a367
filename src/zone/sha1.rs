//! SHA-1 (RFC 3174), for the hashed owner names of NSEC3 alone: it keeps nothing secret there.

/// The digest of the parts, one after the other.
pub(super) fn sha1(parts: &[&[u8]]) -> [u8; 20] {
    let mut message = parts.concat();
    let bits = message.len() as u64 * 8;
    message.push(0x80);
    message.resize(message.len().next_multiple_of(64), 0);
    if message.len() as u64 - bits / 8 < 9 {
        message.resize(message.len() + 64, 0);
    }
    let length_at = message.len() - 8;
    message[length_at..].copy_from_slice(&bits.to_be_bytes());
    let mut state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    for block in message.as_chunks::<64>().0 {
        absorb(&mut state, block);
    }
    let mut digest = [0; 20];
    for (octets, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *octets = word.to_be_bytes();
    }
    digest
}

fn absorb(state: &mut [u32; 5], block: &[u8; 64]) {
    let mut words = [0u32; 80];
    for (word, octets) in words.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*octets);
    }
    for t in 16..80 {
        words[t] = (words[t - 3] ^ words[t - 8] ^ words[t - 14] ^ words[t - 16]).rotate_left(1);
    }
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    for (t, &word) in words.iter().enumerate() {
        let (mixed, constant) = match t / 20 {
            0 => ((b & c) | (!b & d), 0x5a82_7999),
            1 => (b ^ c ^ d, 0x6ed9_eba1),
            2 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6u32),
        };
        let sum = a.rotate_left(5).wrapping_add(mixed).wrapping_add(e);
        let next = sum.wrapping_add(word).wrapping_add(constant);
        (a, b, c, d, e) = (next, a, b.rotate_left(30), c, d);
    }
    for (word, added) in state.iter_mut().zip([a, b, c, d, e]) {
        *word = word.wrapping_add(added);
    }
}

#[cfg(test)]
mod tests {
    use super::sha1;

    // RFC 3174 §7.3, and lengths around the padding.
    #[test]
    fn digests() {
        for (text, digest) in [
            ("".to_owned(), "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
            ("abc".to_owned(), "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".to_owned(),
                "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
            ),
            ("a".repeat(55), "c1c8bbdc22796e28c0e15163d20899b65621d65a"),
            ("a".repeat(64), "0098ba824b5c16427bd7a1122a5a442a25ec644d"),
        ] {
            assert_eq!(data_encoding::HEXLOWER.encode(&sha1(&[text.as_bytes()])), digest);
        }
    }
}
