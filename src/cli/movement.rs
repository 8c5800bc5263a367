//! What differs in steering, as text: regions, pools, routes, policies, and who moves.

use std::collections::BTreeMap;

use crate::api::{
    ChangeWord, CountryMove, EndpointChange, Move, PolicyChange, PoolChange, RegionChange,
    RouteChange, SettingChange, Share, SteeringChange,
};

use super::changes::{Extent, sign};
use super::paint::{Colour, Paint};
use super::weights;

/// Ways from a region to another that a terminal shows, of one policy; the largest.
const WAYS_SHOWN: usize = 8;
/// Countries of one list that a terminal shows.
const COUNTRIES_SHOWN: usize = 30;
/// Countries of a list that a terminal is spared altogether: it would be nearly all there are.
const COUNTRIES_LISTED_MAX: usize = 100;
/// Lists of countries, each moving by another share, that a terminal shows.
const SHARES_SHOWN: usize = 8;
/// Lines of one kind that a terminal shows.
const LINES_SHOWN: usize = 40;
/// Columns of a line of countries.
const LINE_WIDTH: usize = 76;

/// All of it, under a heading; nothing where nothing differs.
pub fn text(steering: &SteeringChange, extent: Extent, paint: Paint, out: &mut String) {
    if steering.is_empty() {
        return;
    }
    let mut page = Page { extent, paint, out };
    if extent != Extent::Summary {
        page.out.push('\n');
    }
    page.line(0, Colour::Bold, "steering");
    page.some(&steering.regions, "regions", Page::region);
    page.some(&steering.pools, "pools", Page::pool);
    page.routes(steering);
    page.some(&steering.policies, "policies", Page::policy);
    if let Some(weights) = &steering.weights {
        page.line(1, Colour::Dim, &format!("queries weighed by {}", weights::words(weights)));
    }
}

/// Who moves, and nothing else.
pub fn moves(moves: &[Move], extent: Extent, paint: Paint, out: &mut String) {
    Page { extent, paint, out }.moves(moves, Tells::Moves);
}

/// Whether it is worth a word that nobody moves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tells {
    Moves,
    EvenNone,
}

struct Page<'o> {
    extent: Extent,
    paint: Paint,
    out: &'o mut String,
}

impl Page<'_> {
    fn line(&mut self, depth: usize, colour: Colour, text: &str) {
        self.out.push_str(&"  ".repeat(depth));
        self.out.push_str(&self.paint.text(colour, text));
        self.out.push('\n');
    }

    /// As many of `list` as are shown, and how many are not.
    fn some<T>(&mut self, list: &[T], what: &str, tell: fn(&mut Self, &T)) {
        let shown = self.extent.limit(LINES_SHOWN);
        list.iter().take(shown).for_each(|item| tell(self, item));
        let left = list.len().saturating_sub(shown);
        if left > 0 {
            self.line(1, Colour::Dim, &format!("… and {left} more {what}; --all shows them"));
        }
    }

    fn head(&mut self, change: ChangeWord, text: &str) {
        let (sign, colour) = sign(change);
        self.line(1, colour, &format!("{sign} {text}"));
    }

    fn settings(&mut self, settings: &[SettingChange]) {
        if self.extent == Extent::Summary {
            return;
        }
        for setting in settings {
            let line = format!("{} {} → {}", setting.name, setting.old, setting.new);
            self.line(3, Colour::Yellow, &line);
        }
    }

    fn region(&mut self, region: &RegionChange) {
        self.head(region.change, &format!("region {}", region.region));
        self.settings(&region.settings);
    }

    fn pool(&mut self, pool: &PoolChange) {
        self.head(pool.change, &format!("pool {}", pool.pool));
        self.settings(&pool.settings);
        if self.extent != Extent::Summary {
            self.some(&pool.endpoints, "endpoints", Page::endpoint);
        }
    }

    fn endpoint(&mut self, endpoint: &EndpointChange) {
        let (sign, colour) = sign(endpoint.change);
        let weight = match (endpoint.weight_old, endpoint.weight_new) {
            (Some(old), Some(new)) if old != new => format!("  weight {old} → {new}"),
            (None, Some(weight)) | (Some(weight), None) if weight != 1 => {
                format!("  weight {weight}")
            }
            _ => String::new(),
        };
        let line = format!("{sign} {}  {}{weight}", endpoint.region, endpoint.address);
        self.line(3, colour, &line);
    }

    /// Names that have another policy now stand together, and below them who moves for it.
    fn routes(&mut self, steering: &SteeringChange) {
        let pair = |route: &RouteChange| route.old.clone().zip(route.new.clone());
        let (rebound, others): (Vec<_>, Vec<_>) =
            steering.routes.iter().cloned().partition(|route| pair(route).is_some());
        self.some(&others, "routes", Page::route);
        for of in &steering.rebound {
            let ours = |route: &&RouteChange| pair(route) == Some((of.old.clone(), of.new.clone()));
            let names: Vec<RouteChange> = rebound.iter().filter(ours).cloned().collect();
            self.some(&names, "routes", Page::route);
            self.moves(&of.moves, Tells::EvenNone);
        }
    }

    fn route(&mut self, route: &RouteChange) {
        let policy = match (&route.old, &route.new) {
            (Some(old), Some(new)) => format!("{old} → {new}"),
            (Some(policy), None) | (None, Some(policy)) => policy.clone(),
            (None, None) => String::new(),
        };
        self.head(route.change, &format!("route {}  {policy}", route.name));
    }

    fn policy(&mut self, policy: &PolicyChange) {
        self.head(policy.change, &format!("policy {}", policy.policy));
        self.settings(&policy.settings);
        if self.extent != Extent::Summary {
            for rule in &policy.rules_removed {
                self.line(3, Colour::Red, &format!("- {rule}"));
            }
            for rule in &policy.rules_added {
                self.line(3, Colour::Green, &format!("+ {rule}"));
            }
        }
        if policy.moves_left_out {
            let line = "who moves is not told: too many policies differ in their classes";
            self.line(3, Colour::Yellow, line);
        }
        let is_known = policy.change == ChangeWord::Changed && !policy.moves_left_out;
        self.moves(&policy.moves, if is_known { Tells::EvenNone } else { Tells::Moves });
    }

    fn moves(&mut self, moves: &[Move], tells: Tells) {
        if moves.is_empty() && tells == Tells::EvenNone && self.extent != Extent::Summary {
            self.line(3, Colour::Dim, "no client moves");
        }
        let shown = self.extent.limit(WAYS_SHOWN);
        for way in moves.iter().take(shown) {
            self.way(way);
        }
        let rest = moves.get(shown..).unwrap_or_default();
        if !rest.is_empty() {
            let sum = rest.iter().filter_map(|way| way.share.ipv4).sum();
            let share = share_words(Share { ipv4: Some(sum), ipv6: None });
            let share =
                share.map(|share| format!(", {share} of IPv4 addresses")).unwrap_or_default();
            let line = format!("… and {} more ways{share}; --all shows them", rest.len());
            self.line(3, Colour::Dim, &line);
        }
    }

    fn way(&mut self, way: &Move) {
        let rtype = way.rtype.as_ref().map_or(String::new(), |rtype| format!(" (type {rtype})"));
        let head = format!("{} → {}{rtype}", way.from, way.to);
        let whole: Vec<&str> = whole(way).collect();
        let mut said = Vec::new();
        if way.prefixes.is_empty() {
            // How IPv6 is handed out says little of how many clients there are.
            let share = Share { ipv6: None, ..way.share };
            let queries =
                way.queries.map(|share| format!(" ({} of queries)", percent_words(share)));
            let queries = queries.unwrap_or_default();
            let addresses = share_words(share);
            said.extend(addresses.map(|share| format!("{share} of IPv4 addresses{queries}")));
            said.extend(way.unknown.then(|| "some of unknown place".to_owned()));
        } else {
            said.push(way.prefixes.join(", "));
        }
        let head = self.paint.text(Colour::Yellow, &head);
        self.line(3, Colour::Plain, &format!("{head}  {}", said.join(" and ")));
        if self.extent == Extent::Summary || !way.prefixes.is_empty() {
            return;
        }
        if !whole.is_empty() {
            self.countries("", &whole);
        }
        let parts = parts(way);
        let shown = self.extent.limit(SHARES_SHOWN);
        for (share, countries) in parts.iter().take(shown) {
            self.countries(&format!("{share} of "), countries);
        }
        let left = parts.iter().skip(shown).map(|(_, countries)| countries.len()).sum::<usize>();
        if left > 0 {
            self.line(5, Colour::Dim, &format!("… and less of {left} more countries"));
        }
    }

    /// A list of countries, wrapped; how many there are is told where that is not seen at once.
    fn countries(&mut self, lead: &str, countries: &[&str]) {
        if countries.len() > COUNTRIES_LISTED_MAX && self.extent == Extent::Terminal {
            return self.line(5, Colour::Plain, &format!("{lead}{} countries", countries.len()));
        }
        let shown = self.extent.limit(COUNTRIES_SHOWN);
        let left = countries.len().saturating_sub(shown);
        let mut lines = vec![lead.to_owned()];
        for (index, country) in countries.iter().take(shown).enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            match lines.last_mut() {
                Some(line) if line.len() + comma.len() + country.len() <= LINE_WIDTH => {
                    line.push_str(&format!("{comma}{country}"));
                }
                last => {
                    last.into_iter().for_each(|line| line.push(','));
                    lines.push((*country).to_owned());
                }
            }
        }
        let count = match (countries.len(), left) {
            (0..=2, _) => String::new(),
            (count, 0) => format!(" ({count} countries)"),
            (count, left) => format!(" and {left} more ({count} countries)"),
        };
        lines.last_mut().into_iter().for_each(|line| line.push_str(&count));
        for line in lines {
            self.line(5, Colour::Plain, &line);
        }
    }
}

/// Whether all of a country moves, as far as anybody would say so: whatever is left is below a tenth of a percent.
fn is_whole(of: &CountryMove) -> bool {
    let whole = |share: Option<f64>| share.is_none_or(|share| share >= 0.999);
    whole(of.share.ipv4) && whole(of.share.ipv6)
}

fn whole(way: &Move) -> impl Iterator<Item = &str> {
    way.countries.iter().filter(|of| is_whole(of)).map(|of| of.country.as_str())
}

/// The countries of which a part moves, by the words for that part, largest first.
fn parts(way: &Move) -> Vec<(String, Vec<&str>)> {
    let mut parts: BTreeMap<(u64, String), Vec<&str>> = BTreeMap::new();
    for of in way.countries.iter().filter(|of| !is_whole(of)) {
        let Some(words) = share_words(of.share) else { continue };
        let size = of.share.ipv4.or(of.share.ipv6).unwrap_or(0.0);
        parts.entry((u64::MAX - (size * 1e6) as u64, words)).or_default().push(&of.country);
    }
    let mut told: Vec<(String, Vec<&str>)> = Vec::new();
    for ((_, words), countries) in parts {
        match told.last_mut().filter(|(last, _)| *last == words) {
            Some((_, list)) => list.extend(countries),
            None => told.push((words, countries)),
        }
    }
    told.iter_mut().for_each(|(_, countries)| countries.sort_unstable());
    told
}

/// `12 %`, with that of IPv6 where it is another; none where nothing moves.
fn share_words(share: Share) -> Option<String> {
    let words = percent_words;
    let some = |share: Option<f64>| share.filter(|&share| share > 0.0);
    match (some(share.ipv4), some(share.ipv6)) {
        (None, None) => None,
        (Some(one), None) if share.ipv6.is_none() => Some(words(one)),
        (None, Some(one)) if share.ipv4.is_none() => Some(words(one)),
        (Some(v4), None) => Some(format!("{} (IPv6 none)", words(v4))),
        (None, Some(v6)) => Some(format!("{} of IPv6 alone", words(v6))),
        (Some(v4), Some(v6)) if words(v4) == words(v6) => Some(words(v4)),
        (Some(v4), Some(v6)) => Some(format!("{} (IPv6 {})", words(v4), words(v6))),
    }
}

fn percent_words(share: f64) -> String {
    match share * 100.0 {
        percent if percent <= 0.0 => "none".to_owned(),
        percent if percent < 0.1 => "<0.1 %".to_owned(),
        percent if percent < 9.95 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(countries: &[(&str, f64, f64)]) -> Move {
        let of = |&(country, v4, v6): &(&str, f64, f64)| CountryMove {
            country: country.into(),
            share: Share { ipv4: Some(v4), ipv6: Some(v6) },
            queries: None,
        };
        Move {
            from: "fra".into(),
            to: "arn".into(),
            share: Share { ipv4: Some(0.0163), ipv6: Some(0.0201) },
            countries: countries.iter().map(of).collect(),
            ..Move::default()
        }
    }

    fn told(way: Move, extent: Extent) -> String {
        let policy = PolicyChange { policy: "web".into(), moves: vec![way], ..Default::default() };
        let steering = SteeringChange { policies: vec![policy], ..Default::default() };
        let mut out = String::new();
        text(&steering, extent, Paint::plain(), &mut out);
        out
    }

    #[test]
    fn whole_countries_come_first_and_parts_by_size() {
        let way = way(&[
            ("BE", 1.0, 1.0),
            ("LU", 1.0, 0.9995),
            ("NL", 1.0, 1.0),
            ("DE", 0.12, 0.3),
            ("FR", 0.0004, 0.0),
        ]);
        let expected = "\nsteering\n  ~ policy web\n      \
            fra → arn  1.6 % of IPv4 addresses\n          \
            BE, LU, NL (3 countries)\n          \
            12 % (IPv6 30 %) of DE\n          \
            <0.1 % (IPv6 none) of FR\n";
        assert_eq!(told(way, Extent::All), expected);
    }

    #[test]
    fn long_lists_wrap_and_end_on_a_terminal() {
        let codes: Vec<String> = (0..60u8)
            .map(|n| String::from_utf8(vec![b'A' + n / 26, b'A' + n % 26]).unwrap())
            .collect();
        let countries: Vec<(&str, f64, f64)> =
            codes.iter().map(|code| (code.as_str(), 0.1, 0.1)).collect();
        let text = told(way(&countries), Extent::Terminal);
        assert!(text.contains("10 % of AA, AB, "), "{text}");
        assert!(text.ends_with(" and 30 more (60 countries)\n"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
        assert!(told(way(&countries), Extent::All).ends_with("CH (60 countries)\n"));
    }
}
