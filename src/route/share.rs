//! Shares of the hash space: which member serves a bucket, and who takes over when it cannot.
//!
//! The buckets are walked in a fixed order and cut into runs by largest remainder, one run for each
//! member. Within a member's run the others are apportioned by the same method, and so on: when a
//! member leaves, its buckets go to the others by weight and no other bucket moves; when it
//! returns, exactly its buckets come back.

use super::bucket::BUCKET_COUNT;

/// How many members deep the preference of a bucket is written down; behind them the ordinary order
/// holds.
const DEPTH_MAX: usize = 16;

/// For each bucket, members by preference. Fixed by the weights alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Preference {
    depth: usize,
    /// Bucket by bucket, `depth` members each.
    members: Box<[u16]>,
}

/// The fixed orders in which buckets are walked. They are decorrelated from each other and from the
/// plain order, by which a drain keeps buckets: a run in one is spread evenly over the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// For regions: the bits of the position, reversed.
    Reversed,
    /// For endpoints: steps of 157, the odd number next to 256/φ (a Weyl sequence).
    Golden,
}

impl Walk {
    /// The bucket at `position`.
    fn bucket(self, position: u8) -> u8 {
        match self {
            Walk::Reversed => position.reverse_bits(),
            Walk::Golden => position.wrapping_mul(157),
        }
    }
}

impl Preference {
    /// Preferences among `weights.len()` members. Members of weight 0 come last.
    pub fn new(weights: &[u32], walk: Walk) -> Preference {
        let depth = weights.len().min(DEPTH_MAX);
        let mut preference =
            Preference { depth, members: vec![0; depth * BUCKET_COUNT].into_boxed_slice() };
        let buckets: Vec<u8> = (0..=u8::MAX).map(|position| walk.bucket(position)).collect();
        let members: Vec<u16> = (0..weights.len()).map(|i| i as u16).collect();
        preference.split(weights, &buckets, &members, 0);
        preference
    }

    /// The members of `bucket`, most preferred first.
    pub fn of(&self, bucket: u8) -> &[u16] {
        let start = usize::from(bucket) * self.depth;
        self.members.get(start..start + self.depth).unwrap_or(&[])
    }

    fn split(&mut self, weights: &[u32], buckets: &[u8], members: &[u16], depth: usize) {
        if depth >= self.depth || buckets.is_empty() {
            return;
        }
        let of_members: Vec<u32> = members
            .iter()
            .map(|&member| weights.get(usize::from(member)).copied().unwrap_or(0))
            .collect();
        let turn = usize::from(buckets.first().copied().unwrap_or(0));
        let counts = apportion(buckets.len(), &of_members, turn);
        let mut rest = buckets;
        for (&member, count) in members.iter().zip(counts) {
            let Some((run, after)) = rest.split_at_checked(count) else { return };
            rest = after;
            for &bucket in run {
                let cell = usize::from(bucket) * self.depth + depth;
                if let Some(cell) = self.members.get_mut(cell) {
                    *cell = member;
                }
            }
            if !run.is_empty() {
                let others: Vec<u16> = members.iter().copied().filter(|&m| m != member).collect();
                self.split(weights, run, &others, depth + 1);
            }
        }
    }
}

/// `seats` by weight, by the largest remainder; equal remainders go round from `turn`. When all
/// weights are 0, equally.
fn apportion(seats: usize, weights: &[u32], turn: usize) -> Vec<usize> {
    let len = weights.len();
    let total: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
    let weight_of = |weight: u32| if total == 0 { 1 } else { u64::from(weight) };
    let total = if total == 0 { len as u64 } else { total };
    let quotas: Vec<u64> = weights.iter().map(|&w| weight_of(w) * seats as u64).collect();
    let mut counts: Vec<usize> = quotas.iter().map(|quota| (quota / total) as usize).collect();
    let left = seats - counts.iter().sum::<usize>();
    let mut by_remainder: Vec<usize> = (0..len).collect();
    by_remainder.sort_by_key(|&i| {
        let remainder = quotas.get(i).map_or(0, |quota| quota % total);
        (std::cmp::Reverse(remainder), (i + len - turn % len) % len)
    });
    for i in by_remainder.into_iter().take(left) {
        if let Some(count) = counts.get_mut(i) {
            *count += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn owners(preference: &Preference, gone: &[u16]) -> Vec<u16> {
        let first = |b| preference.of(b).iter().copied().find(|m| !gone.contains(m)).unwrap();
        (0..=255u8).map(first).collect()
    }

    fn share(owners: &[u16], member: u16) -> usize {
        owners.iter().filter(|&&owner| owner == member).count()
    }

    #[test]
    fn weights_become_shares_of_256() {
        for (weights, shares) in [
            (&[95, 5][..], &[243, 13][..]),
            (&[1, 1], &[128, 128]),
            (&[1, 1, 1], &[86, 85, 85]),
            (&[3, 1, 0], &[192, 64, 0]),
            (&[0, 0], &[128, 128]),
            (&[7], &[256]),
        ] {
            for walk in [Walk::Reversed, Walk::Golden] {
                let owners = owners(&Preference::new(weights, walk), &[]);
                let found: Vec<usize> =
                    (0..weights.len()).map(|m| share(&owners, m as u16)).collect();
                assert_eq!(found, shares, "{weights:?}");
            }
        }
    }

    #[test]
    fn a_drain_takes_from_all_members_alike() {
        let owners = owners(&Preference::new(&[1, 1, 2], Walk::Reversed), &[]);
        assert_eq!(share(&owners[..128], 2), 64);
        let endpoints = Preference::new(&[1, 1], Walk::Golden);
        let iad: Vec<u8> = (0..=255).filter(|&b| owners[usize::from(b)] == 1).collect();
        let first = iad.iter().filter(|&&b| endpoints.of(b)[0] == 0).count();
        assert!((28..=36).contains(&first), "{first} of {}", iad.len());
    }

    proptest! {
        #[test]
        fn shares_are_exact_and_leaving_moves_only_the_leaver(
            weights in prop::collection::vec(0u32..=1000, 2..9),
            gone in 0u16..8,
        ) {
            prop_assume!(weights.iter().any(|&w| w > 0));
            let gone = gone % weights.len() as u16;
            let preference = Preference::new(&weights, Walk::Reversed);
            let before = owners(&preference, &[]);
            let total: u32 = weights.iter().sum();
            for (member, &weight) in weights.iter().enumerate() {
                let exact = f64::from(weight) * 256.0 / f64::from(total);
                let found = share(&before, member as u16) as f64;
                prop_assert!((found - exact).abs() < 1.0, "{found} for {exact}");
            }
            let after = owners(&preference, &[gone]);
            for (bucket, (&was, &is)) in before.iter().zip(&after).enumerate() {
                prop_assert!(was == gone || was == is, "bucket {bucket} moved");
                prop_assert!(is != gone);
            }
        }
    }
}
