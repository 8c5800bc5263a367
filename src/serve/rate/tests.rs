//! Time is handed in: a flood of minutes is a loop.

use std::net::Ipv4Addr;

use super::*;
use crate::answer::{Account, Networks, PerClass};
use crate::wire::Rcode;

const SECOND: u32 = 1_000_000;

fn limits() -> RateLimits {
    RateLimits { per_second: PerClass::all(100), all_per_second: 0, ..RateLimits::default() }
}

fn limiter(limits: &RateLimits) -> RateLimiter {
    RateLimiter::new(limits, 1, 7).expect("something is limited")
}

fn answer(key: u64) -> Outcome {
    let account = Account::of(ResponseClass::Answer, key << 32);
    Outcome { account, ..Outcome::bare(100, Rcode::NOERROR, 0) }
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// How many of `count` responses are within the limit, `per_second` of them evenly spread from `from` on.
fn within(
    limiter: &mut RateLimiter,
    client: &str,
    outcome: Outcome,
    from: u32,
    per_second: u32,
    count: u32,
) -> u32 {
    let client = ip(client);
    let at = |n: u32| from.wrapping_add((u64::from(n) * 1_000_000 / u64::from(per_second)) as u32);
    let is_within = |n: &u32| limiter.judge(client, &outcome, at(*n)) == Verdict::Within;
    (0..count).filter(is_within).count() as u32
}

#[test]
fn a_network_gets_its_rate_and_the_worth_of_a_second_at_once() {
    // Across the end of what 32 bits count as well.
    for from in [0, u32::MAX - SECOND] {
        let mut limiter = limiter(&limits());
        assert_eq!(within(&mut limiter, "192.0.2.1", answer(1), from, 1_000_000, 150), 100);
        let mut limiter = RateLimiter::new(&limits(), 1, 7).expect("limited");
        assert_eq!(within(&mut limiter, "192.0.2.1", answer(1), from, 100, 3_000), 3_000, "even");
    }
}

#[test]
fn what_is_refused_is_charged_so_that_a_flood_gets_nothing_while_it_lasts() {
    let mut limiter = limiter(&limits());
    let at_first = within(&mut limiter, "192.0.2.1", answer(1), 0, 10_000, 10_000);
    assert!((100..=102).contains(&at_first), "{at_first}");
    assert_eq!(within(&mut limiter, "192.0.2.1", answer(1), SECOND, 10_000, 100_000), 0);
    // And for the window after it, no longer.
    let end = 11 * SECOND;
    let soon = end + 14 * SECOND;
    assert_eq!(within(&mut limiter, "192.0.2.1", answer(1), soon, 1, 1), 0);
    assert_eq!(within(&mut limiter, "192.0.2.1", answer(1), end + 16 * SECOND, 100, 500), 500);
}

#[test]
fn networks_kinds_and_contents_are_counted_apart() {
    let mut limiter = limiter(&limits());
    let flood = |limiter: &mut RateLimiter, client: &str, outcome: Outcome| {
        within(limiter, client, outcome, 0, 1_000_000, 200)
    };
    assert_eq!(flood(&mut limiter, "192.0.2.1", answer(1)), 100);
    assert_eq!(flood(&mut limiter, "192.0.2.200", answer(1)), 0, "the same /24");
    assert_eq!(flood(&mut limiter, "::ffff:192.0.2.7", answer(1)), 0, "as IPv6 writes it");
    assert_eq!(flood(&mut limiter, "192.0.3.1", answer(1)), 100);
    assert_eq!(flood(&mut limiter, "192.0.2.1", answer(2)), 100, "another name");
    for class in ResponseClass::ALL {
        let account = Account::of(class, 3 << 32);
        assert_eq!(flood(&mut limiter, "192.0.2.1", Outcome { account, ..answer(0) }), 100);
    }
    assert_eq!(flood(&mut limiter, "2001:db8::1", answer(1)), 100);
    assert_eq!(flood(&mut limiter, "2001:db8:0:ff::1", answer(1)), 0, "the same /56");
    assert_eq!(flood(&mut limiter, "2001:db8:0:100::1", answer(1)), 100);
}

#[test]
fn all_that_a_network_gets_is_counted_together_too() {
    let mut limiter = limiter(&RateLimits { all_per_second: 300, ..limits() });
    let told: u32 =
        (1..=10).map(|key| within(&mut limiter, "192.0.2.1", answer(key), 0, 1_000_000, 90)).sum();
    assert_eq!(told, 300);
    assert_eq!(limiter.limits.named(limiter.last_over()), (ip("192.0.2.0"), 24));
}

#[test]
fn a_kind_without_a_limit_is_not_counted() {
    let per_second = PerClass { errors: 1, ..PerClass::all(0) };
    let mut limiter = limiter(&RateLimits { per_second, ..limits() });
    assert_eq!(within(&mut limiter, "192.0.2.1", answer(1), 0, 1_000_000, 999), 999);
    let error = Outcome::bare(40, Rcode::REFUSED, 0);
    let expected = BURST_COUNT_MIN;
    assert_eq!(within(&mut limiter, "192.0.2.1", error, 0, 1_000_000, 999), expected);
    let off = RateLimits { per_second: PerClass::all(0), ..limits() };
    assert!(RateLimiter::new(&off, 1, 7).is_none());
}

#[test]
fn a_cookie_and_an_exemption_lift_the_limit() {
    let mut limiter = limiter(&limits());
    let proven = Outcome { proven: true, ..answer(1) };
    assert_eq!(within(&mut limiter, "192.0.2.1", proven, 0, 1_000_000, 999), 999);
    assert_eq!(within(&mut limiter, "192.0.2.1", answer(1), 0, 1_000_000, 999), 100);
    for local in ["127.0.9.1", "::ffff:127.0.0.1", "::1"] {
        assert_eq!(within(&mut limiter, local, answer(1), 0, 1_000_000, 999), 999);
    }
    let nobody = RateLimits { exempt: Networks::default(), ..limits() };
    let mut limiter = RateLimiter::new(&nobody, 1, 7).expect("limited");
    assert_eq!(within(&mut limiter, "127.0.9.1", answer(1), 0, 1_000_000, 999), 100);
}

#[test]
fn what_is_over_the_limit_slips_leaks_or_is_dropped() {
    let over = |limits: RateLimits| -> Vec<Verdict> {
        let mut limiter = limiter(&limits);
        within(&mut limiter, "192.0.2.1", answer(1), 0, 1_000_000, 100);
        (0..6).map(|_| limiter.judge(ip("192.0.2.1"), &answer(1), 100)).collect()
    };
    use Verdict::{Dropped as D, Leaked as L, Truncated as T, Watched as W};
    assert_eq!(over(limits()), [T; 6]);
    assert_eq!(over(RateLimits { slip: 0, ..limits() }), [D; 6]);
    assert_eq!(over(RateLimits { slip: 2, ..limits() }), [D, T, D, T, D, T]);
    assert_eq!(over(RateLimits { slip: 2, leak: 3, ..limits() }), [D, T, L, T, D, L]);
    assert_eq!(over(RateLimits { log_only: true, ..limits() }), [W; 6]);
}

#[test]
fn cores_share_the_rate() {
    for (core_count, expected) in [(1, 100), (4, 25), (64, BURST_COUNT_MIN)] {
        let mut limiter = RateLimiter::new(&limits(), core_count, 7).expect("limited");
        let at_once = within(&mut limiter, "192.0.2.1", answer(1), 0, 1_000_000, 200);
        assert_eq!(at_once, expected, "{core_count}");
        // A long time of what the core has as its part, and of half as much again.
        let mut limiter = RateLimiter::new(&limits(), core_count, 7).expect("limited");
        let spread = |limiter: &mut RateLimiter, from: u32, millis: u32, count: u32| -> u32 {
            let at = |n: u32| from + n * millis * 1000;
            let told =
                |n: &u32| limiter.judge(ip("192.0.2.1"), &answer(1), at(*n)) == Verdict::Within;
            (0..count).filter(told).count() as u32
        };
        let millis = 10 * core_count as u32;
        assert_eq!(spread(&mut limiter, 0, millis, 500), 500, "{core_count}");
    }
}

#[test]
fn a_flood_of_forged_sources_forgives_no_flood_from_one() {
    let mut limiter = limiter(&RateLimits { accounts: 1 << 10, ..limits() });
    let mut told = 0;
    for n in 0..100_000u32 {
        told += within(&mut limiter, "192.0.2.1", answer(1), n * 100, 1, 1);
        let forged = IpAddr::from(Ipv4Addr::from_bits(0x0a00_0000 + (n << 8)));
        assert_eq!(limiter.judge(forged, &answer(1), n * 100), Verdict::Within);
    }
    assert!((100..=102).contains(&told), "{told}");
}

#[test]
fn a_clock_that_is_set_back_forgives() {
    let mut limiter = limiter(&limits());
    let hour = 3_600_000_000;
    within(&mut limiter, "192.0.2.1", answer(1), hour, 1_000_000, 5_000);
    assert_eq!(limiter.judge(ip("192.0.2.1"), &answer(1), 0), Verdict::Within);
}
