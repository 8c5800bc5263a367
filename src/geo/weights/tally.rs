//! Queries counted by area, the older the less: what a server has seen of the world.
//!
//! No more is kept of a client than its country and subdivision, and of these only sums.

use std::collections::BTreeMap;

use super::area::{Announced, Area};

/// Decayed sums of queries. Time is handed in, in seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    counts: BTreeMap<Area, f64>,
    /// When counting began; 0 where nothing is counted.
    since_secs: u64,
    /// The time of which the sums are.
    at_secs: u64,
}

/// Why a text is no tally.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TallyError {
    /// A newer binary wrote it, in this format.
    Newer(u32),
    /// This line, from 1, is not as it is written.
    Malformed(usize),
}

impl Tally {
    /// How long it takes until a query counts half. A week: a day and its night are in it several times over, and what was
    /// moved a month ago counts a sixteenth.
    pub const HALF_LIFE_SECS: u64 = 7 * 24 * 3600;

    /// Fewer queries than this say nothing of the world. A guess: a country with one percent of them is then known to a
    /// tenth of itself.
    pub const QUERIES_MIN: f64 = 10_000.0;

    /// Areas that are counted one by one; beyond, a subdivision counts with its country. Twice what ISO 3166-2 lists.
    pub const AREA_COUNT_MAX: usize = 10_000;

    /// Octets of a text that is read: [`Tally::AREA_COUNT_MAX`] lines, the longest ones.
    pub const TEXT_LEN_MAX: usize = 64 * Tally::AREA_COUNT_MAX;

    /// Brings the sums to `now_secs`: what was counted before counts less. A time before the last one changes nothing.
    pub fn decay(&mut self, now_secs: u64) {
        let elapsed = now_secs.saturating_sub(self.at_secs);
        self.at_secs = self.at_secs.max(now_secs);
        if self.counts.is_empty() || elapsed == 0 {
            return;
        }
        let left = (-(elapsed as f64) / Tally::HALF_LIFE_SECS as f64).exp2();
        self.counts.values_mut().for_each(|count| *count *= left);
        self.counts.retain(|_, count| *count >= FORGOTTEN_BELOW);
        if self.counts.is_empty() {
            self.since_secs = 0;
        }
    }

    /// Goes on at `now_secs` with what was kept. A clock that was ahead when it was kept, and is no longer, takes nothing
    /// away, and does not keep the sums from decaying.
    pub fn resume(&mut self, now_secs: u64) {
        self.at_secs = self.at_secs.min(now_secs);
        self.since_secs = self.since_secs.min(now_secs);
        self.decay(now_secs);
    }

    /// Adds `count` queries, now, spread over areas by shares that sum to 1.
    pub fn add(&mut self, shares: impl Iterator<Item = (Area, f64)>, count: f64) {
        if self.since_secs == 0 {
            self.since_secs = self.at_secs;
        }
        for (area, share) in shares {
            let is_full = self.counts.len() >= Tally::AREA_COUNT_MAX;
            let area = match is_full && !self.counts.contains_key(&area) {
                true => area.whole(),
                false => area,
            };
            *self.counts.entry(area).or_default() += count * share;
        }
    }

    /// How many queries it stands for.
    pub fn queries(&self) -> f64 {
        // A sum of nothing is −0 in floats.
        self.counts.values().sum::<f64>() + 0.0
    }

    /// Whether there are enough to say something of the world.
    pub fn is_enough(&self) -> bool {
        self.queries() >= Tally::QUERIES_MIN
    }

    /// When counting began, in seconds since 1970; none where nothing is counted.
    pub fn since_secs(&self) -> Option<u64> {
        Some(self.since_secs).filter(|since| *since > 0)
    }

    /// The areas with their queries, in order.
    pub fn areas(&self) -> impl Iterator<Item = (Area, f64)> {
        self.counts.iter().map(|(area, count)| (*area, *count))
    }

    /// The countries with their queries, most first; none stands for all of which no country is known.
    pub fn countries(&self) -> Vec<(Option<[u8; 2]>, f64)> {
        let mut sums: BTreeMap<Option<[u8; 2]>, f64> = BTreeMap::new();
        for (area, count) in self.areas() {
            *sums.entry(area.country).or_default() += count;
        }
        let mut countries: Vec<_> = sums.into_iter().collect();
        // Stable: equal ones stay in the order of their codes.
        countries.sort_by(|a, b| b.1.total_cmp(&a.1));
        countries
    }

    /// The same in the areas that announce addresses now: what is counted of a country as a whole, or of a subdivision that
    /// announces nothing, is spread over the areas of the country. A country that announces nothing stays as it is.
    pub fn spread(&self, announced: &Announced) -> Tally {
        let mut whole: BTreeMap<Option<[u8; 2]>, f64> = BTreeMap::new();
        for (area, count) in announced.areas() {
            *whole.entry(area.country).or_default() += count;
        }
        let areas: BTreeMap<Area, f64> = announced.areas().collect();
        let mut spread = Tally { counts: BTreeMap::new(), ..*self };
        for (area, count) in self.areas() {
            let is_exact = area.subdivision.is_some() && areas.contains_key(&area);
            match whole.get(&area.country).filter(|_| !is_exact) {
                Some(whole) => {
                    let own = areas
                        .range(area.whole()..)
                        .take_while(|(of, _)| of.country == area.country);
                    let shares = own.map(|(area, addresses)| (*area, addresses / whole));
                    shares.for_each(|(area, share)| {
                        *spread.counts.entry(area).or_default() += count * share;
                    });
                }
                None => *spread.counts.entry(area).or_default() += count,
            }
        }
        spread
    }

    /// As a text that [`Tally::parse`] reads: format, half-life, times, then an area with its sum on each line.
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "{MAGIC}{FORMAT}\nhalf-life {}\nsince {}\nat {}\n",
            Tally::HALF_LIFE_SECS,
            self.since_secs,
            self.at_secs
        );
        for (area, count) in self.areas() {
            text.push_str(&format!("{area} {count}\n"));
        }
        text.push_str(END);
        text
    }

    /// Reads a text back.
    ///
    /// # Errors
    /// See [`TallyError`]. Nothing is taken from a text that is not whole.
    pub fn parse(text: &str) -> Result<Tally, TallyError> {
        let mut lines = text.split_inclusive('\n').zip(1..);
        let mut field = |name: &str| -> Result<u64, TallyError> {
            let (line, number) = lines.next().unwrap_or(("", 1));
            let value = line.strip_prefix(name).and_then(|rest| rest.trim().parse().ok());
            value.ok_or(TallyError::Malformed(number))
        };
        let format = field(MAGIC)?;
        if format != u64::from(FORMAT) {
            return Err(TallyError::Newer(u32::try_from(format).unwrap_or(u32::MAX)));
        }
        field("half-life ")?;
        let (since_secs, at_secs) = (field("since ")?, field("at ")?);
        let mut tally = Tally { counts: BTreeMap::new(), since_secs, at_secs };
        let mut is_whole = false;
        for (line, number) in lines {
            if is_whole || tally.counts.len() > LINE_COUNT_MAX {
                return Err(TallyError::Malformed(number));
            }
            is_whole = line == END;
            if !is_whole {
                let (area, count) = counted(line).ok_or(TallyError::Malformed(number))?;
                tally.counts.insert(area, count);
            }
        }
        let line_count = text.lines().count();
        if is_whole { Ok(tally) } else { Err(TallyError::Malformed(line_count)) }
    }
}

/// Areas that a text may hold: those counted one by one, and every country.
const LINE_COUNT_MAX: usize = Tally::AREA_COUNT_MAX + 300;

/// A sum below this is as good as none.
const FORGOTTEN_BELOW: f64 = 1e-3;

/// How the text begins.
const MAGIC: &str = "homing weights ";

/// Version of the text.
const FORMAT: u32 = 1;

/// How it ends, so that half of one is known as such.
const END: &str = "end\n";

fn counted(line: &str) -> Option<(Area, f64)> {
    let (area, count) = line.strip_suffix('\n')?.split_once(' ')?;
    let count: f64 = count.parse().ok()?;
    (count.is_finite() && count >= 0.0).then_some((Area::parse(area)?, count))
}

impl std::fmt::Display for TallyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TallyError::Newer(format) => write!(f, "another homing wrote it, in format {format}"),
            TallyError::Malformed(line) => write!(f, "line {line} is not as it is written"),
        }
    }
}

impl std::error::Error for TallyError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geo::{Place, PlaceId, World};

    const WEEK: u64 = Tally::HALF_LIFE_SECS;

    fn area(text: &str) -> Area {
        Area::parse(text).unwrap()
    }

    fn tally(at: u64, counts: &[(&str, f64)]) -> Tally {
        let mut tally = Tally::default();
        tally.decay(at);
        for (text, count) in counts {
            tally.add([(area(text), 1.0)].into_iter(), *count);
        }
        tally
    }

    fn told(tally: &Tally) -> Vec<String> {
        tally.areas().map(|(area, count)| format!("{area} {count}")).collect()
    }

    #[test]
    fn a_week_halves_what_was_counted() {
        let mut tally = tally(1000, &[("DE", 800.0), ("US-CA", 200.0)]);
        tally.decay(1000 + WEEK);
        assert_eq!(told(&tally), ["DE 400", "US-CA 100"]);
        // A clock that was set back takes nothing away, and nothing twice.
        tally.decay(500);
        tally.decay(1000 + WEEK);
        assert_eq!(told(&tally), ["DE 400", "US-CA 100"]);
        assert_eq!(tally.since_secs(), Some(1000));
        tally.decay(1000 + 40 * WEEK);
        assert_eq!((told(&tally), tally.since_secs()), (vec![], None));
    }

    #[test]
    fn a_clock_that_was_ahead_does_not_keep_sums_from_decaying() {
        let mut tally = tally(1000 * WEEK, &[("DE", 800.0)]);
        tally.resume(WEEK);
        assert_eq!((told(&tally), tally.since_secs()), (vec!["DE 800".to_owned()], Some(WEEK)));
        tally.resume(2 * WEEK);
        assert_eq!((told(&tally), tally.since_secs()), (vec!["DE 400".to_owned()], Some(WEEK)));
    }

    #[test]
    fn many_small_steps_decay_as_one_large_one() {
        let mut steps = tally(0, &[("DE", 1000.0)]);
        let mut leap = steps.clone();
        (1..=10_000).for_each(|n| steps.decay(n * 10));
        leap.decay(100_000);
        assert!((steps.queries() - leap.queries()).abs() < 1e-6);
    }

    #[test]
    fn a_tally_reads_back_to_the_last_bit() {
        let mut kept = tally(1_700_000_000, &[("DE", 1.0 / 3.0), ("US-CA", 1e12), ("-", 7.25)]);
        kept.decay(1_700_000_123);
        let text = kept.to_text();
        assert_eq!(Tally::parse(&text), Ok(kept));
        assert!(
            text.starts_with("homing weights 1\nhalf-life 604800\nsince 1700000000\n"),
            "{text}"
        );
        assert_eq!(Tally::parse(&Tally::default().to_text()), Ok(Tally::default()));
    }

    #[test]
    fn half_a_text_is_no_tally() {
        let text = tally(1, &[("DE", 5.0), ("FR", 6.5)]).to_text();
        for len in 0..text.len() {
            assert!(Tally::parse(&text[..len]).is_err(), "{:?}", &text[..len]);
        }
        for (from, to, error) in [
            ("weights 1", "weights 2", TallyError::Newer(2)),
            ("DE 5", "DE x", TallyError::Malformed(5)),
            ("DE 5", "ZZ 5", TallyError::Malformed(5)),
            ("DE 5", "DE -5", TallyError::Malformed(5)),
            ("DE 5", "DE NaN", TallyError::Malformed(5)),
            ("DE 5", "DE inf", TallyError::Malformed(5)),
            ("since 1", "since -1", TallyError::Malformed(3)),
            ("end\n", "end\nDE 5\n", TallyError::Malformed(8)),
        ] {
            assert_eq!(Tally::parse(&text.replace(from, to)), Err(error), "{to}");
        }
    }

    #[test]
    fn too_many_areas_count_with_their_countries() {
        let mut tally = Tally::default();
        let code = |n: usize| {
            let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
            Some([digits[n / 1296], digits[n / 36 % 36], digits[n % 36]])
        };
        for n in 0..Tally::AREA_COUNT_MAX + 100 {
            tally.add([(Area::new(Some(*b"DE"), code(n)), 1.0)].into_iter(), 1.0);
        }
        assert_eq!(tally.areas().count(), Tally::AREA_COUNT_MAX + 1);
        assert_eq!(tally.areas().next(), Some((area("DE"), 100.0)));
        assert!(tally.to_text().len() < Tally::TEXT_LEN_MAX);
        assert_eq!(Tally::parse(&tally.to_text()), Ok(tally));
    }

    #[test]
    fn another_database_spreads_what_it_divides() {
        let place = |country: &[u8; 2], subdivision: Option<[u8; 3]>| Place {
            country: Some(*country),
            subdivision,
            ..Place::default()
        };
        let places = vec![
            Place::default(),
            place(b"US", Some(*b"CA\0")),
            place(b"US", None),
            place(b"FR", None),
        ];
        let v4 = [(0, 0), (1 << 24, 1), (4 << 24, 2), (5 << 24, 3), (6 << 24, 0)];
        let world = World::of_runs(v4.map(|(at, place)| (at, PlaceId(place))), [], places);
        let announced = Announced::of(&world);
        // Of a country without subdivisions, of one that is exact, of one that is no longer there, of nobody's.
        for (counted, spread) in [
            ("US", vec!["US 1", "US-CA 3"]),
            ("US-CA", vec!["US-CA 4"]),
            ("US-NV", vec!["US 1", "US-CA 3"]),
            ("FR-75", vec!["FR 4"]),
            ("FR", vec!["FR 4"]),
            ("DE", vec!["DE 4"]),
            ("-", vec!["- 4"]),
        ] {
            assert_eq!(told(&tally(9, &[(counted, 4.0)]).spread(&announced)), spread, "{counted}");
        }
    }
}
