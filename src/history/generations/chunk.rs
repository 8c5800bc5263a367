//! Large contents cut where the content says so: a change moves only the cuts around it.

/// A content of up to so many octets stays whole: cutting it would save little.
pub(super) const WHOLE_LEN_MAX: usize = 128 << 10;

/// The shortest chunk, but for the last of a content.
const LEN_MIN: usize = 32 << 10;
/// The longest.
const LEN_MAX: usize = 256 << 10;
/// A cut is due where the top bits of the rolling hash are zero: 32 KiB after the shortest, in the mean.
const HASH_BITS: u32 = 15;
/// Octets that the rolling hash has in view: each moves it by one bit.
const VIEW_LEN: usize = 64;

/// The chunks of `bytes`, in order.
pub(super) fn cut(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (chunk, rest) = bytes.split_at_checked(first_len(bytes))?;
        bytes = rest;
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// How long the first chunk of `bytes` is.
fn first_len(bytes: &[u8]) -> usize {
    let end = bytes.len().min(LEN_MAX);
    let mut hash = 0u64;
    for (at, &byte) in bytes.iter().enumerate().take(end).skip(LEN_MIN - VIEW_LEN) {
        hash = (hash << 1).wrapping_add(GEAR[usize::from(byte)]);
        if at + 1 >= LEN_MIN && hash >> (u64::BITS - HASH_BITS) == 0 {
            return at + 1;
        }
    }
    end
}

/// One number for each octet, without a pattern: SplitMix64 from a fixed seed. Part of the format only in so far as
/// other numbers would cut the next content elsewhere, once.
const GEAR: [u64; 256] = {
    let mut gear = [0; 256];
    let (mut state, mut at) = (0u64, 0);
    while at < gear.len() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        gear[at] = word ^ (word >> 31);
        at += 1;
    }
    gear
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn zone(changed: usize) -> Vec<u8> {
        let line = |n: usize| match n == changed {
            true => format!("h{n} IN A 192.0.2.1\nnew IN A 192.0.2.2\n"),
            false => format!("h{n} IN A 10.{}.{}.{}\n", n % 251, n % 241, n % 239),
        };
        (0..100_000).map(line).collect::<String>().into_bytes()
    }

    #[test]
    fn chunks_are_the_content_within_bounds() {
        let bytes = zone(usize::MAX);
        let chunks: Vec<&[u8]> = cut(&bytes).collect();
        assert_eq!(chunks.concat(), bytes);
        let (last, others) = chunks.split_last().unwrap();
        assert!(others.iter().all(|c| (LEN_MIN..=LEN_MAX).contains(&c.len())));
        assert!(last.len() <= LEN_MAX && others.len() > 10);
        assert_eq!(cut(b"").count(), 0);
        assert_eq!(cut(&[0; 3 * LEN_MAX]).count(), 3);
    }

    #[test]
    fn one_change_costs_one_or_two_chunks() {
        let (old, new) = (zone(usize::MAX), zone(50_000));
        let known: BTreeSet<&[u8]> = cut(&old).collect();
        assert!((1..=2).contains(&cut(&new).filter(|chunk| !known.contains(chunk)).count()));
    }
}
