//! `respond` allocates nothing: an allocator that counts what each thread asks for, and which thread gives back large pieces.
#![expect(unsafe_code, reason = "an allocator cannot be written without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering};

use homing::answer::{Transport, warm};

use crate::world::{answer, core, everything, large, opt, query};

/// Octets of a large piece.
pub const LARGE_LEN: usize = 32 * 1024;

/// Threads that give back large pieces, told apart; those beyond are not.
const THREAD_COUNT_MAX: usize = 1024;

/// Each thread by its number in the kernel, with the octets that it gave back.
static LARGE_RELEASED: [(AtomicI32, AtomicU64); THREAD_COUNT_MAX] =
    [const { (AtomicI32::new(0), AtomicU64::new(0)) }; THREAD_COUNT_MAX];
static THREAD_COUNT: AtomicUsize = AtomicUsize::new(0);

struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
    /// The place of this thread among those that gave back large pieces.
    static PLACE: Cell<Option<usize>> = const { Cell::new(None) };
}

fn count() {
    // A thread that is ending has no counter any more, and nobody asks it.
    let _ = COUNT.try_with(|c| c.set(c.get() + 1));
}

/// Notes who gives back a large piece.
fn released(len: usize) {
    if len < LARGE_LEN {
        return;
    }
    let _ = PLACE.try_with(|place| {
        let at = place.get().unwrap_or_else(|| THREAD_COUNT.fetch_add(1, Ordering::Relaxed));
        let Some((thread, octets)) = LARGE_RELEASED.get(at) else { return };
        if place.replace(Some(at)).is_none() {
            // SAFETY: it asks the kernel for a number.
            thread.store(unsafe { libc::gettid() }, Ordering::Relaxed);
        }
        octets.fetch_add(len as u64, Ordering::Relaxed);
    });
}

/// The threads that gave back large pieces, each with how many octets of them.
pub fn large_released() -> impl Iterator<Item = (i32, u64)> {
    let told = LARGE_RELEASED.iter().take(THREAD_COUNT.load(Ordering::Relaxed));
    told.map(|(thread, octets)| (thread.load(Ordering::Relaxed), octets.load(Ordering::Relaxed)))
}

// SAFETY: every call goes to the system's allocator as it came; counting touches no memory that is allocated.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count();
        released(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations and releases of this thread while `work` runs.
fn counted(work: impl FnOnce()) -> u64 {
    let before = COUNT.get();
    work();
    COUNT.get() - before
}

#[test]
fn the_counter_counts() {
    assert_eq!(counted(|| drop(std::hint::black_box(vec![1_u8; 100]))), 2);
}

#[test]
fn no_answer_allocates() {
    let names = [
        "www",
        "alias",
        "chain1",
        "loop1",
        "out",
        "dangling",
        "intodeleg",
        "b.ent",
        "x.wild",
        "host.wild",
        "x.cwild",
        "x.deleg",
        "x.dn",
        "odd",
        "svc",
        "big",
        "geo",
        "x.geo",
        "togeo",
        "missing",
        "x.y.z.missing",
        "WwW",
    ];
    let cookie = [&[0, 10, 0, 24, 1, 2, 3, 4, 5, 6, 7, 8, 1][..], &[0; 15]].concat();
    let subnet = [0, 8, 0, 7, 0, 1, 24, 0, 193, 0, 0];
    let snapshot = everything();
    let (mut core, mut response) = (core(), vec![0; 65_535]);
    for name in names {
        let mut wire = Vec::new();
        for label in name.split('.').chain(["example", "test"]) {
            wire.push(label.len() as u8);
            wire.extend(label.as_bytes());
        }
        wire.push(0);
        for rtype in [1, 2, 5, 6, 15, 16, 28, 43, 252, 255, 65_280] {
            for request in [
                query(0, &wire, rtype, 0, &[]),
                query(0, &wire, rtype, 1, &opt(0x8000, &subnet)),
                query(0, &wire, rtype, 1, &opt(0, &[0, 3, 0, 0, 0, 9, 0, 0])),
                query(0, &wire, rtype, 1, &opt(0, &[0, 8, 0])),
                query(0, &wire, rtype, 1, &opt(0, &cookie[..12])),
                query(0, &wire, rtype, 1, &opt(0, &cookie)),
            ] {
                let (mut udp, mut tcp) = (0, 0);
                let mut ask = |transport| {
                    answer(snapshot, &request, transport, &mut core, &mut response).len()
                };
                let allocations = counted(|| {
                    udp = ask(Transport::Udp);
                    tcp = ask(Transport::Tcp);
                });
                assert_eq!(allocations, 0, "{name} type {rtype}");
                assert!(udp > 0 && tcp > 0, "{name} type {rtype} is answered");
            }
        }
    }
    // RFC 7873 §5.4: a cookie is asked for without a question.
    let no_question = [&[0x12, 0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], &opt(0, &cookie)[..]].concat();
    let mut len = 0;
    let allocations = counted(|| {
        len = answer(snapshot, &no_question, Transport::Udp, &mut core, &mut response).len();
    });
    assert_eq!((allocations, len), (0, 12 + 11 + 28));
    let silence = counted(|| {
        answer(snapshot, &[0; 11], Transport::Udp, &mut core, &mut response);
    });
    assert_eq!(silence, 0);
}

#[test]
fn warming_allocates_nothing() {
    let requests = [query(0, b"\x02n7\x05large\x04test\0", 1, 0, &[]), vec![0; 11]];
    let (snapshot, mut core) = (large(), core());
    assert_eq!(counted(|| warm(snapshot, requests.iter().map(Vec::as_slice), &mut core)), 0);
}
