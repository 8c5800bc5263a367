//! A response that is not to be given over UDP, cut back to what sends its client to TCP.

use crate::wire::Flags;

use super::exchange::Outcome;
use super::suffix::QNAME_AT;

/// Octets of type and class, behind the name of the question.
const QUESTION_FIXED_LEN: usize = 4;

/// Cuts a response that [`respond`](super::respond) has just made, and `outcome` tells of, back to its question and its
/// OPT record, sets TC, and gives its new length. The client asks again over TCP (RFC 7766 §5), and has the cookie that it
/// asked for.
///
/// A response of another make, or none, stays as it is.
pub fn truncate(response: &mut [u8], outcome: &Outcome) -> usize {
    let (len, opt_len) = (outcome.len(), usize::from(outcome.opt_len));
    cut(response, len, opt_len).unwrap_or(len)
}

fn cut(response: &mut [u8], len: usize, opt_len: usize) -> Option<usize> {
    let message = response.get_mut(..len)?;
    let end = question_end(message)?;
    let opt_at = len.checked_sub(opt_len).filter(|at| *at >= end)?;
    let [_, _, high, _, _, _, counts @ ..] = message.first_chunk_mut::<12>()?;
    *high |= (Flags::TC >> 8) as u8;
    // The question stays. An OPT record is the only one that may.
    *counts = [0, 0, 0, 0, 0, u8::from(opt_len > 0)];
    message.copy_within(opt_at.., end);
    Some(end + opt_len)
}

/// Where the one question ends, or the header where there is none. A name of a question is never compressed.
fn question_end(message: &[u8]) -> Option<usize> {
    let mut at = usize::from(QNAME_AT);
    if message.get(4..6)? == [0, 0] {
        return Some(at);
    }
    loop {
        let len = usize::from(*message.get(at)?);
        at += 1 + len;
        if len == 0 {
            return Some(at + QUESTION_FIXED_LEN).filter(|end| *end <= message.len());
        }
    }
}
