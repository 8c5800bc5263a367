//! Who answers, and the fence around it.
//!
//! Never: lets a panic out. A bug in answering costs one packet, not the process (DESIGN.md rule
//!        4.7).

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::answer::{Core, Exchange, Outcome, Snapshot};

/// What turns one request into one response: in the server [`crate::answer::respond_quietly`], in
/// tests what suits. Every thread has its own copy, and calls it directly.
pub trait Responder:
    Fn(&Snapshot, Exchange<'_>, &mut Core) -> Outcome + Copy + Send + 'static
{
}

impl<F> Responder for F where
    F: Fn(&Snapshot, Exchange<'_>, &mut Core) -> Outcome + Copy + Send + 'static
{
}

/// Answering panicked. The panic hook has told what there is to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panicked;

/// Runs `work` and stops a panic in it. What `work` wrote to is scratch memory by the contract of
/// [`Core`] and is overwritten by the next query, so nothing half-written is ever read.
pub fn fenced<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| Panicked)
}
