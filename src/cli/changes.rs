//! What differs in zones, as text: record by record.

use crate::api::{ChangeWord, DiffBody, RrsetBody, ZoneChange};

use super::paint::{Colour, Paint};

/// Columns that an owner name is given at most; a longer one pushes what follows.
const OWNER_WIDTH_MAX: usize = 40;
/// Zones told on a terminal.
const ZONES_SHOWN: usize = 40;
/// RRsets of one zone told on a terminal.
const RRSETS_SHOWN: usize = 40;

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Everything.
    All,
    /// As much as a terminal is for.
    Terminal,
    /// One line for each thing that differs.
    Summary,
}

impl Extent {
    /// At most `count` on a terminal.
    pub fn limit(self, count: usize) -> usize {
        if self == Extent::Terminal { count } else { usize::MAX }
    }
}

/// The zones of a difference.
pub fn text(diff: &DiffBody, extent: Extent, paint: Paint, out: &mut String) {
    let shown = extent.limit(ZONES_SHOWN);
    for zone in diff.zones.iter().take(shown) {
        if extent != Extent::Summary {
            out.push('\n');
        }
        zone_text(zone, extent, paint, out);
    }
    let left = diff.zones.len().saturating_sub(shown);
    if left > 0 {
        let line = format!("… and {left} more zones; --all shows them, --stat counts them");
        out.push_str(&format!("\n{}\n", paint.text(Colour::Dim, &line)));
    }
}

fn zone_text(zone: &ZoneChange, extent: Extent, paint: Paint, out: &mut String) {
    let (sign, colour) = sign(zone.change);
    let name = match zone.change {
        ChangeWord::Changed => zone.zone.clone(),
        ChangeWord::Added | ChangeWord::Removed => format!("{sign} zone {}", zone.zone),
    };
    let colour = if zone.change == ChangeWord::Changed { Colour::Bold } else { colour };
    out.push_str(&paint.text(colour, &name));
    out.push_str(&paint.text(Colour::Dim, &format!("  {}", records(zone))));
    out.push_str(&serial(zone, paint));
    out.push('\n');
    if extent == Extent::Summary {
        return;
    }
    let shown = zone.rrsets.iter().take(extent.limit(RRSETS_SHOWN));
    let widths = Widths::of(shown.clone());
    for rrset in shown {
        rrset_text(rrset, &widths, paint, out);
    }
    let left = zone.rrsets.len().saturating_sub(extent.limit(RRSETS_SHOWN)) + zone.rrsets_left_out;
    if left > 0 {
        let hint = if zone.rrsets_left_out == 0 { "; --all shows them" } else { "" };
        let line = format!("  … and {left} more RRsets{hint}");
        out.push_str(&format!("{}\n", paint.text(Colour::Dim, &line)));
    }
}

/// How many records come and go.
fn records(zone: &ZoneChange) -> String {
    let word = |count: usize| if count == 1 { "record" } else { "records" };
    match (zone.records_added, zone.records_removed) {
        (0, 0) if zone.rrsets.is_empty() => "the serial alone".to_owned(),
        (0, 0) => "the same records".to_owned(),
        (added, 0) => format!("+{added} {}", word(added)),
        (0, removed) => format!("−{removed} {}", word(removed)),
        (added, removed) => format!("+{added} −{removed} records"),
    }
}

fn serial(zone: &ZoneChange, paint: Paint) -> String {
    let dim = |text: String| paint.text(Colour::Dim, &text);
    match (zone.serial_old, zone.serial_new) {
        (Some(old), Some(new)) if zone.serial_not_raised => {
            let what = if old == new {
                format!("serial {old} is not raised")
            } else {
                format!("serial {old} → {new} is a step back")
            };
            format!("  {}", paint.text(Colour::Yellow, &what))
        }
        (Some(old), Some(new)) => dim(format!("  serial {old} → {new}")),
        (Some(serial), None) | (None, Some(serial)) => dim(format!("  serial {serial}")),
        (None, None) => String::new(),
    }
}

/// What stands before a thing, and its colour.
pub fn sign(change: ChangeWord) -> (char, Colour) {
    match change {
        ChangeWord::Added => ('+', Colour::Green),
        ChangeWord::Removed => ('-', Colour::Red),
        ChangeWord::Changed => ('~', Colour::Yellow),
    }
}

/// Widths of the columns of one zone.
struct Widths {
    owner: usize,
    ttl: usize,
    rtype: usize,
}

impl Widths {
    fn of<'b>(rrsets: impl Iterator<Item = &'b RrsetBody> + Clone) -> Widths {
        let widest = |width: fn(&RrsetBody) -> usize| rrsets.clone().map(width).max().unwrap_or(0);
        Widths {
            owner: widest(|rrset| rrset.owner.chars().count().min(OWNER_WIDTH_MAX)),
            ttl: widest(|rrset| ttl(rrset).len()),
            rtype: widest(|rrset| rrset.rtype.len()),
        }
    }
}

/// The TTL that a reader wants first: the one that holds from now on, or held.
fn ttl(rrset: &RrsetBody) -> String {
    rrset.ttl_new.or(rrset.ttl_old).map(|ttl| ttl.to_string()).unwrap_or_default()
}

fn rrset_text(rrset: &RrsetBody, widths: &Widths, paint: Paint, out: &mut String) {
    let (sign, colour) = sign(rrset.change);
    let Widths { owner, ttl: ttl_width, rtype } = *widths;
    let head = format!(
        "  {sign} {:owner$}  {:>ttl_width$} {:rtype$}",
        rrset.owner,
        ttl(rrset),
        rrset.rtype
    );
    let width = head.chars().count();
    let mut lines: Vec<(Colour, String)> = Vec::new();
    if let (Some(old), Some(new), true) =
        (rrset.ttl_old, rrset.ttl_new, rrset.ttl_old != rrset.ttl_new)
    {
        lines.push((Colour::Yellow, format!("ttl {old} → {new}")));
    }
    let is_changed = rrset.change == ChangeWord::Changed;
    for (mark, colour, texts) in
        [("- ", Colour::Red, &rrset.removed), ("+ ", Colour::Green, &rrset.added)]
    {
        let mark = if is_changed { mark } else { "" };
        lines.extend(texts.iter().map(|text| (colour, format!("{mark}{text}"))));
    }
    if is_changed && rrset.kept > 0 && !(rrset.added.is_empty() && rrset.removed.is_empty()) {
        let word = if rrset.kept == 1 { "record stays" } else { "records stay" };
        lines.push((Colour::Dim, format!("  {} {word}", rrset.kept)));
    }
    for (index, (line_colour, line)) in lines.iter().enumerate() {
        let lead = if index == 0 { head.clone() } else { " ".repeat(width) };
        out.push_str(&paint.text(colour, &lead));
        out.push_str(&format!(" {}\n", paint.text(*line_colour, line)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(zone: ZoneChange, extent: Extent) -> String {
        let diff = DiffBody { zones: vec![zone], ..DiffBody::default() };
        let mut out = String::new();
        text(&diff, extent, Paint::plain(), &mut out);
        out
    }

    #[test]
    fn rrsets_line_up_and_values_stand_below_each_other() {
        let rrset = |owner: &str, change: ChangeWord, ttls: [Option<u32>; 2], values: [&str; 2]| {
            let texts = |text: &str| text.split_whitespace().map(str::to_owned).collect();
            RrsetBody {
                owner: owner.into(),
                rtype: "A".into(),
                change,
                ttl_old: ttls[0],
                ttl_new: ttls[1],
                removed: texts(values[0]),
                added: texts(values[1]),
                kept: 1,
            }
        };
        let zone = ZoneChange {
            zone: "a.test.".into(),
            serial_old: Some(7),
            serial_new: Some(7),
            serial_not_raised: true,
            records_added: 2,
            records_removed: 1,
            rrsets: vec![
                rrset("n.a.test.", ChangeWord::Added, [None, Some(60)], ["", "192.0.2.1"]),
                rrset(
                    "www.a.test.",
                    ChangeWord::Changed,
                    [Some(300), Some(5)],
                    ["192.0.2.1", "192.0.2.2"],
                ),
            ],
            ..ZoneChange::default()
        };
        let value = " ".repeat(22);
        let expected = format!(
            "\na.test.  +2 −1 records  serial 7 is not raised\n  + n.a.test.    60 A 192.0.2.1\n  \
             ~ www.a.test.   5 A ttl 300 → 5\n{value}- 192.0.2.1\n{value}+ 192.0.2.2\n\
             {value}  1 record stays\n"
        );
        assert_eq!(told(zone, Extent::All), expected);
    }

    #[test]
    fn a_terminal_is_not_flooded() {
        let rrset = RrsetBody { added: vec!["x".into()], ..RrsetBody::default() };
        let zone = ZoneChange { rrsets: vec![rrset; 100], ..ZoneChange::default() };
        let shown = told(zone.clone(), Extent::Terminal);
        assert_eq!(shown.lines().count(), 2 + RRSETS_SHOWN + 1);
        assert!(shown.ends_with("  … and 60 more RRsets; --all shows them\n"), "{shown}");
        assert_eq!(told(zone.clone(), Extent::All).lines().count(), 102);
        assert_eq!(told(zone, Extent::Summary).lines().count(), 1);
    }
}
