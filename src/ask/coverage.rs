//! Who gets which region: every country with its first and second region, shares and distances, and what to look at.

use std::collections::BTreeMap;
use std::fmt;

use crate::api::{
    CoverageBody, CoverageMark, CoveragePoint, CoverageRegion, CoverageRow, CoverageShare, Share,
};
use crate::diagnostic::nearest_word;
use crate::geo::{Weights, country_codes, country_name, subdivision_name};
use crate::health::State;
use crate::number::RegionId;
use crate::route::{Answerer, Family, Plan};

use super::extent::Extent;
use super::lookup::database_body;
use super::overlap::{Country, Subdivision};
use super::scene::Scene;
use super::tally::{Lot, Mark, Point, Subject, Tallies, Tally, point_count};
use super::weigh::basis_words;

/// The least share of a row that a mark is worth a word for; a hole always is.
const MARK_SHARE_MIN: f64 = 0.01;
/// The least share of all addresses that is a point of a map.
const POINT_SHARE_MIN: f64 = 1e-6;

/// Of what the coverage is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The policy; none where there is but one.
    pub policy: Option<String>,
    /// The type, `A` or `AAAA`; none is A, or AAAA where the pool has no IPv4 address.
    pub rtype: Option<String>,
    /// Whether points of a map are wanted.
    pub points: bool,
}

/// How endpoints count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoints {
    /// As if every one were up, and no region drained.
    AllUp,
    /// With the verdicts, overrides and drains of the scene.
    AsTheyStand,
}

/// Why there is no coverage of that, with the mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CoverageError {
    /// There is no policy at all.
    NoPolicy,
    /// None is named, and there are several.
    Which(Vec<String>),
    /// No policy is called so; one that is spelt alike, and all there are.
    Unknown(String, Option<String>, Vec<String>),
    /// The type is neither A nor AAAA.
    Type(String),
}

impl Coverage {
    /// Covers the world of `scene` with a policy of it.
    pub fn of(
        &self,
        scene: &Scene,
        endpoints: Endpoints,
        weights: &Weights,
    ) -> Result<CoverageBody, CoverageError> {
        // A state that has seen no event: whatever a pool's `start` says, every endpoint counts as up.
        let all_up = State::default();
        let health = match endpoints {
            Endpoints::AllUp => &all_up,
            Endpoints::AsTheyStand => &scene.health,
        };
        let plan = self.plan(scene)?;
        let family = self.family(plan)?;
        let (regions, world) = (&*scene.regions, &*scene.world);
        let subject = Subject { plan, regions, world, health, family };
        let tallies = subject.tally(weights);
        let page = Page::of(plan, &tallies);
        let mut body = CoverageBody {
            policy: plan.name.to_string(),
            pool: plan.pool.to_string(),
            rtype: if plan.answers_names() { "any" } else { type_word(family) }.to_owned(),
            databases: scene.world.sources.iter().map(database_body).collect(),
            weights: basis_words(weights.basis()).to_owned(),
            km: page.km(),
            regions: page.regions(scene),
            countries: page.countries(&tallies),
            unknown: page.unknown(&tallies),
            absent: absent(&tallies),
            ..CoverageBody::default()
        };
        if self.points {
            body.points = page.points(&tallies);
        }
        Ok(body)
    }

    fn plan<'s>(&self, scene: &'s Scene) -> Result<&'s Plan, CoverageError> {
        let plans = &scene.snapshot.plans;
        let names: Vec<&str> = plans.iter().map(|plan| &*plan.name).collect();
        match (&self.policy, &names[..]) {
            (_, []) => Err(CoverageError::NoPolicy),
            (Some(wanted), names) => {
                let found = plans.iter().find(|plan| *plan.name == **wanted);
                found.map(|plan| &**plan).ok_or_else(|| {
                    let near = nearest_word(wanted, names).map(str::to_owned);
                    let names = names.iter().map(|&name| name.to_owned()).collect();
                    CoverageError::Unknown(wanted.clone(), near, names)
                })
            }
            (None, [_]) => plans.first().map(|plan| &**plan).ok_or(CoverageError::NoPolicy),
            (None, names) => {
                Err(CoverageError::Which(names.iter().map(|&name| name.to_owned()).collect()))
            }
        }
    }

    fn family(&self, plan: &Plan) -> Result<Family, CoverageError> {
        match self.rtype.as_deref() {
            None if !plan.has_family(Family::V4) && plan.has_family(Family::V6) => Ok(Family::V6),
            None => Ok(Family::V4),
            Some(word) if word.eq_ignore_ascii_case("A") => Ok(Family::V4),
            Some(word) if word.eq_ignore_ascii_case("AAAA") => Ok(Family::V6),
            Some(word) => Err(CoverageError::Type(word.to_owned())),
        }
    }
}

fn type_word(family: Family) -> &'static str {
    match family {
        Family::V4 => "A",
        Family::V6 => "AAAA",
    }
}

/// Countries of which nothing is known.
fn absent(tallies: &Tallies) -> Vec<String> {
    let known = |code: &[u8; 2]| tallies.rows.keys().any(|key| key.0 == Some(*code));
    country_codes().filter(|code| !known(code)).map(|code| text(&code)).collect()
}

/// A code without its padding.
fn text(code: &[u8]) -> String {
    String::from_utf8_lossy(code).trim_end_matches('\0').to_owned()
}

/// What the words of a body are made from.
struct Page<'p> {
    plan: &'p Plan,
    /// All whose country is known.
    whole: Tally,
}

impl<'p> Page<'p> {
    fn of(plan: &'p Plan, tallies: &Tallies) -> Page<'p> {
        let mut whole = Tally::default();
        let known = tallies.rows.iter().filter(|(key, _)| key.0.is_some());
        known.for_each(|(_, tally)| whole.merge(tally));
        Page { plan, whole }
    }

    fn regions(&self, scene: &Scene) -> Vec<CoverageRegion> {
        let of = |(id, name): (RegionId, &str)| {
            let region = scene.regions.list.get(usize::from(id.0));
            let first = self.whole.first.get(&Answerer::Region(id)).copied().unwrap_or_default();
            let second = self.whole.second.get(&id).copied().unwrap_or_default();
            CoverageRegion {
                region: name.to_owned(),
                name: region.map(|region| region.title.clone()).unwrap_or_default(),
                position: region
                    .map_or([0.0; 2], |it| [it.position.latitude, it.position.longitude]),
                first: first.extent.share_of(self.whole.all),
                km: first.km(),
                second: second.extent.share_of(self.whole.all),
            }
        };
        self.plan.regions().map(of).collect()
    }

    /// How far all of them are from their first region.
    fn km(&self) -> Option<u32> {
        let mut all = Lot::default();
        self.whole.first.values().for_each(|lot| all.merge(lot));
        all.km()
    }

    fn countries(&self, tallies: &Tallies) -> Vec<CoverageRow> {
        let mut countries: BTreeMap<[u8; 2], Vec<(Subdivision, &Tally)>> = BTreeMap::new();
        for ((country, subdivision), tally) in &tallies.rows {
            if let Some(country) = country {
                countries.entry(*country).or_default().push((*subdivision, tally));
            }
        }
        let row = |(country, parts): ([u8; 2], Vec<(Subdivision, &Tally)>)| {
            let mut all = Tally::default();
            parts.iter().for_each(|(_, tally)| all.merge(tally));
            let mut row = self.row(Some(country), None, &all);
            let main = |part: &(Subdivision, &Tally)| part.1.main();
            if parts.first().is_some_and(|first| parts.iter().any(|it| main(it) != main(first))) {
                let part = |(code, tally): &(Subdivision, &Tally)| {
                    let row = self.row(Some(country), *code, tally);
                    match code {
                        Some(_) => row,
                        None => CoverageRow { subdivision: "?".into(), name: String::new(), ..row },
                    }
                };
                row.subdivisions = parts.iter().map(part).collect();
                row.subdivisions.sort_by(by_size);
            }
            row
        };
        let mut rows: Vec<CoverageRow> = countries.into_iter().map(row).collect();
        // Stable: equal ones stay in the order of their codes.
        rows.sort_by(by_size);
        rows
    }

    fn unknown(&self, tallies: &Tallies) -> CoverageRow {
        let mut all = Tally::default();
        let unknown = tallies.rows.iter().filter(|(key, _)| key.0.is_none());
        unknown.for_each(|(_, tally)| all.merge(tally));
        // Nobody knows how much of the unlisted IPv6 space there is to count.
        let v4 = |extent: Extent| Extent { v6: 0.0, ..extent };
        all.all = v4(all.all);
        let mut with_known = v4(self.whole.all);
        with_known.add(all.all, 1.0);
        CoverageRow { share: all.all.share_of(with_known), ..self.row(None, None, &all) }
    }

    fn row(&self, country: Country, subdivision: Subdivision, tally: &Tally) -> CoverageRow {
        let name = match (country, subdivision) {
            (Some(country), Some(code)) => subdivision_name(country, code),
            (Some(country), None) => country_name(country),
            (None, _) => None,
        };
        let of = |region: String, lot: &Lot| CoverageShare {
            region,
            share: lot.extent.share_of(tally.all),
            km: lot.km(),
        };
        let first = tally.first.iter().map(|(answerer, lot)| of(self.words(*answerer), lot));
        let second = tally.second.iter().map(|(id, lot)| of(self.region(*id), lot));
        let marks = tally.marks.iter().filter_map(|((mark, why), extent)| {
            let share = extent.share_of(tally.all);
            let size = share.ipv4.or(share.ipv6).unwrap_or(0.0);
            let is_worth_it = *mark == Mark::Hole && size > 0.0 || size >= MARK_SHARE_MIN;
            let mark = mark.word().to_owned();
            is_worth_it.then(|| CoverageMark { mark, why: (*why).to_owned(), share })
        });
        CoverageRow {
            country: country.map(|code| text(&code)).unwrap_or_default(),
            subdivision: subdivision.map(|code| text(&code)).unwrap_or_default(),
            name: name.unwrap_or_default().to_owned(),
            share: tally.all.share_of(self.whole.all),
            first: by_share(first),
            second: by_share(second),
            marks: marks.collect(),
            subdivisions: Vec::new(),
        }
    }

    fn points(&self, tallies: &Tallies) -> Vec<CoveragePoint> {
        let point = |((_, _, answerer), point): (&(i16, i16, Answerer), &Point)| {
            let count = point_count(point.extent);
            let share = point.extent.share_of(self.whole.all);
            let is_seen = size(&share) >= POINT_SHARE_MIN;
            // To a tenth of a degree: a map shows no more.
            let mean = |sum: f64| ((sum / count * 10.0).round() / 10.0) as f32;
            is_seen.then(|| CoveragePoint {
                position: [mean(point.latitude), mean(point.longitude)],
                region: self.words(*answerer),
                share,
            })
        };
        let mut points: Vec<CoveragePoint> = tallies.points.iter().filter_map(point).collect();
        points.sort_by(|a, b| size(&b.share).total_cmp(&size(&a.share)));
        points
    }

    fn region(&self, id: RegionId) -> String {
        self.plan.region_name(id).unwrap_or("?").to_owned()
    }

    fn words(&self, answerer: Answerer) -> String {
        match answerer {
            Answerer::Region(id) => self.region(id),
            Answerer::Default => "the default RRset".to_owned(),
            Answerer::Servfail => "SERVFAIL".to_owned(),
            Answerer::Nodata => "no address".to_owned(),
        }
    }
}

impl Mark {
    fn word(self) -> &'static str {
        match self {
            Mark::Hole => "hole",
            Mark::Alone => "alone",
            Mark::Far => "far",
            Mark::Differs => "differs",
        }
    }
}

/// How large a share is: of IPv4, and a little of IPv6, which says less of how many clients there are.
fn size(share: &Share) -> f64 {
    share.ipv4.unwrap_or(0.0) + share.ipv6.unwrap_or(0.0) / 1e6
}

fn by_size(a: &CoverageRow, b: &CoverageRow) -> std::cmp::Ordering {
    size(&b.share).total_cmp(&size(&a.share))
}

fn by_share(shares: impl Iterator<Item = CoverageShare>) -> Vec<CoverageShare> {
    let mut shares: Vec<CoverageShare> = shares.filter(|it| size(&it.share) > 0.0).collect();
    shares.sort_by(|a, b| size(&b.share).total_cmp(&size(&a.share)));
    shares
}

impl fmt::Display for CoverageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CoverageError::NoPolicy => f.write_str("there is no policy: nothing is steered"),
            CoverageError::Which(names) => {
                write!(f, "which policy? there are {}", names.join(", "))
            }
            CoverageError::Unknown(name, Some(near), _) => {
                write!(f, "there is no policy `{name}`; did you mean `{near}`?")
            }
            CoverageError::Unknown(name, None, names) => {
                write!(f, "there is no policy `{name}`; there are {}", names.join(", "))
            }
            CoverageError::Type(word) => write!(f, "{word} is neither A nor AAAA"),
        }
    }
}
