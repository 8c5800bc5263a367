//! How long the signatures of a zone hold. When it is now, is for the caller to say.

use crate::diagnostic::{Diagnostic, Place};
use crate::wire::{Name, Rtype};

use super::super::super::report::{Mark, Report};

/// How long before the end a signature is remarked on: time for somebody to notice and to mend the signer.
const SOON_SECS: i64 = 7 * 86_400;

/// When a signature ends and begins, in seconds since 1970, modulo 2^32 (RFC 4034 §3.1.5).
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub expiration: u32,
    pub inception: u32,
}

/// The signature of a zone that ends first, and the one that begins last.
#[derive(Clone, Debug)]
pub struct Validity {
    first_end: Moment,
    last_begin: Moment,
}

#[derive(Clone, Debug)]
struct Moment {
    secs: u32,
    owner: Name,
    covered: Rtype,
    mark: Mark,
    place: Place,
    excerpt: String,
}

impl Validity {
    pub(in crate::zone) fn new(span: Span, owner: &Name, covered: Rtype, mark: Mark) -> Validity {
        let moment = |secs| Moment {
            secs,
            owner: owner.clone(),
            covered,
            mark,
            place: Place::default(),
            excerpt: String::new(),
        };
        Validity { first_end: moment(span.expiration), last_begin: moment(span.inception) }
    }

    pub(in crate::zone) fn add(&mut self, span: Span, owner: &Name, covered: Rtype, mark: Mark) {
        if is_before(span.expiration, self.first_end.secs) {
            self.first_end = Validity::new(span, owner, covered, mark).first_end;
        }
        if is_before(self.last_begin.secs, span.inception) {
            self.last_begin = Validity::new(span, owner, covered, mark).last_begin;
        }
    }

    /// The same with its places, which outlive the report.
    pub(in crate::zone) fn located(mut self, report: &Report<'_>) -> Validity {
        for moment in [&mut self.first_end, &mut self.last_begin] {
            (moment.place, moment.excerpt) = report.locate(moment.mark);
        }
        self
    }

    /// What is to be said of it at `now_secs` since 1970: at most two warnings. The same files serve whatever the time.
    pub fn remarks(&self, now_secs: u64) -> Vec<Diagnostic> {
        let now = now_secs as u32; // RFC 4034 §3.1.5: times are compared modulo 2^32.
        let mut said = Vec::new();
        let Moment { owner, covered, .. } = &self.first_end;
        let left_secs = i64::from(self.first_end.secs.wrapping_sub(now) as i32);
        let until = text(now_secs, left_secs);
        if left_secs < 0 {
            let what = format!("the signature of {owner} {covered} expired on {until}");
            said.push(self.first_end.warning("signature-expired", what));
        } else if left_secs < SOON_SECS {
            let what = format!(
                "the signature of {owner} {covered} expires on {until}, in {}",
                span_text(left_secs)
            );
            said.push(self.first_end.warning("signature-expiring", what));
        }
        let Moment { owner, covered, .. } = &self.last_begin;
        let ahead_secs = i64::from(self.last_begin.secs.wrapping_sub(now) as i32);
        if ahead_secs > 0 {
            let from = text(now_secs, ahead_secs);
            let what = format!("the signature of {owner} {covered} begins only on {from}");
            said.push(self.last_begin.warning("signature-not-yet-valid", what));
        }
        said
    }
}

impl Moment {
    fn warning(&self, code: &'static str, what: String) -> Diagnostic {
        let mut said = Diagnostic::warning(code, self.place.clone(), what)
            .help("sign the zone again (RFC 4035 §5.3.1)");
        said.excerpt.clone_from(&self.excerpt);
        said
    }
}

fn is_before(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}

fn text(now_secs: u64, from_now_secs: i64) -> String {
    let secs = i64::try_from(now_secs).unwrap_or(i64::MAX).saturating_add(from_now_secs);
    let time = jiff::Timestamp::from_second(secs);
    time.map_or_else(|_| secs.to_string(), |t| t.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

fn span_text(secs: i64) -> String {
    match (secs / 86_400, secs / 3_600) {
        (0, 0) => "less than an hour".to_owned(),
        (0, 1) => "an hour".to_owned(),
        (0, hours) => format!("{hours} hours"),
        (1, _) => "a day".to_owned(),
        (days, _) => format!("{days} days"),
    }
}
