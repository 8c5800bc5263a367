//! A world map of a policy's coverage: one SVG that needs nothing else, the same for the same body.
//!
//! Countries are filled with the pale colour of the region that most of their addresses get first; on top lies a dot for
//! each cluster of addresses, its area by their share, in the colour of theirs. So a divided country shows where it divides.

mod palette;
mod projection;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::api::{CoverageBody, CoverageRow, Share};
use crate::geo::outlines;

use super::paint::{distance, percent};
use palette::{LAND, NOBODY, Rgb, colour};
use projection::Projection;

/// All lengths are in units of the drawing, which scales.
const WIDTH: f64 = 1200.0;
const MARGIN: f64 = 24.0;
const HEAD_HEIGHT: f64 = 94.0;
/// The legend: columns, the height of a line, and letters of a name.
const LEGEND_COLUMNS: usize = 3;
const LEGEND_LINE: f64 = 24.0;
const LEGEND_NAME: usize = 24;
/// The radius of the largest dot, at most, and that of the dot of all addresses, were they in one place.
const RADIUS_MAX: f64 = 30.0;
const RADIUS_OF_ALL: f64 = 75.0;
const RADIUS_MIN: f64 = 1.0;
/// A smaller dot has no rim: it would be all rim.
const RIM_RADIUS_MIN: f64 = 2.5;
/// Letters of a line of the head.
const LINE_WIDTH: usize = 150;

/// The whole drawing.
pub fn draw(body: &CoverageBody) -> String {
    let map =
        Map { body, projection: Projection::new(WIDTH - 2.0 * MARGIN), colours: colours(body) };
    let lines = body.regions.len().div_ceil(LEGEND_COLUMNS) as f64;
    let map_height = map.projection.height();
    let height = HEAD_HEIGHT + map_height + 30.0 + lines * LEGEND_LINE + MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" \
         font-family=\"Helvetica Neue,Helvetica,Arial,DejaVu Sans,sans-serif\">\n"
    );
    map.head(&mut out, height);
    let _ = writeln!(out, "<g transform=\"translate({MARGIN} {HEAD_HEIGHT})\">");
    map.land(&mut out);
    map.dots(&mut out);
    map.regions(&mut out);
    out.push_str("</g>\n");
    map.legend(&mut out, HEAD_HEIGHT + map_height + 38.0);
    out.push_str("</svg>\n");
    out
}

/// The colour of each region by its name, in the order of regions.toml.
fn colours(body: &CoverageBody) -> BTreeMap<&str, Rgb> {
    let regions = body.regions.iter().enumerate();
    regions.map(|(index, region)| (region.region.as_str(), colour(index))).collect()
}

struct Map<'b> {
    body: &'b CoverageBody,
    projection: Projection,
    colours: BTreeMap<&'b str, Rgb>,
}

impl Map<'_> {
    fn colour(&self, region: &str) -> Rgb {
        self.colours.get(region).copied().unwrap_or(NOBODY)
    }

    fn head(&self, out: &mut String, height: f64) {
        let body = self.body;
        let mut style = String::from("text{fill:#1f2933}.s{fill:#52606d}");
        for (index, region) in body.regions.iter().enumerate() {
            let _ = write!(style, ".r{index}{{fill:{}}}", self.colour(&region.region).hex());
        }
        let title = format!("policy {}: which region answers", body.policy);
        let databases = body.databases.iter().map(|database| {
            let date = database.built.split_once('T').map(|(date, _)| format!(" of {date}"));
            format!("{}{}", database.name, date.unwrap_or_default())
        });
        let databases: Vec<String> = databases.collect();
        let rtype =
            if body.rtype == "any" { String::new() } else { format!("type {}; ", body.rtype) };
        let of = shortened(&format!("{rtype}{}", body.of));
        let by = shortened(&format!(
            "a dot is a cluster of addresses, its area their share; by {}",
            databases.join(", ")
        ));
        let (title, of, by) = (escaped(&title), escaped(&of), escaped(&by));
        let _ = write!(
            out,
            "<title>{title}</title>\n<style>{style}</style>\n\
             <rect width=\"{WIDTH}\" height=\"{height:.0}\" rx=\"10\" fill=\"#fbfcfd\"/>\n\
             <text x=\"{MARGIN}\" y=\"40\" font-size=\"24\" font-weight=\"600\">{title}</text>\n\
             <text x=\"{MARGIN}\" y=\"62\" font-size=\"14\" class=\"s\">{of}</text>\n\
             <text x=\"{MARGIN}\" y=\"81\" font-size=\"14\" class=\"s\">{by}</text>\n"
        );
    }

    fn land(&self, out: &mut String) {
        let rows = &self.body.countries;
        let rows: BTreeMap<&str, &CoverageRow> =
            rows.iter().map(|row| (row.country.as_str(), row)).collect();
        out.push_str("<g stroke=\"#fff\" stroke-width=\".6\" stroke-linejoin=\"round\" fill-rule=\"evenodd\">\n");
        for (code, rings) in outlines() {
            let code = String::from_utf8_lossy(&code);
            let main = rows.get(&*code).and_then(|row| row.first.first());
            let fill = main.map_or(LAND, |main| self.colour(&main.region).pale());
            let _ = write!(out, "<path fill=\"{}\" d=\"", fill.hex());
            rings.iter().for_each(|ring| self.ring(out, ring));
            out.push_str("\"/>\n");
        }
        out.push_str("</g>\n");
    }

    /// A ring as steps from point to point, in tenths.
    fn ring(&self, out: &mut String, ring: &[(f32, f32)]) {
        let tenths = |&(longitude, latitude): &(f32, f32)| {
            let (x, y) = self.projection.place(longitude, latitude);
            ((x * 10.0).round() as i64, (y * 10.0).round() as i64)
        };
        let mut points = ring.iter().map(tenths);
        let Some(mut at) = points.next() else { return };
        let _ = write!(out, "M{} {}l", tenth(at.0), tenth(at.1));
        for point in points.filter(|point| *point != at).collect::<Vec<_>>() {
            let step = (point.0 - at.0, point.1 - at.1);
            let gap = if step.1 < 0 { "" } else { " " };
            let _ = write!(out, "{}{gap}{} ", tenth(step.0), tenth(step.1));
            at = point;
        }
        out.truncate(out.trim_end().len());
        out.push('z');
    }

    fn dots(&self, out: &mut String) {
        let index: BTreeMap<&str, usize> =
            self.body.regions.iter().enumerate().map(|(i, it)| (it.region.as_str(), i)).collect();
        let largest = self.body.points.first().map_or(1.0, |point| size(&point.share));
        let scale = RADIUS_OF_ALL.min(RADIUS_MAX / largest.sqrt());
        let mut has_rim = true;
        out.push_str("<g fill-opacity=\".8\">\n<g stroke=\"#fff\" stroke-width=\".5\">\n");
        // Largest first: small ones stay to be seen.
        for point in &self.body.points {
            let [latitude, longitude] = point.position;
            let (x, y) = self.projection.place(longitude, latitude);
            let radius = (scale * size(&point.share).sqrt()).max(RADIUS_MIN);
            if has_rim && radius < RIM_RADIUS_MIN {
                has_rim = false;
                out.push_str("</g>\n<g>\n");
            }
            let class = match index.get(point.region.as_str()) {
                Some(index) => format!("class=\"r{index}\""),
                None => format!("fill=\"{}\"", NOBODY.hex()),
            };
            let _ =
                writeln!(out, "<circle {class} cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\"/>");
        }
        out.push_str("</g>\n</g>\n");
    }

    fn regions(&self, out: &mut String) {
        let places = self.body.regions.iter().map(|region| {
            let [latitude, longitude] = region.position;
            self.projection.place(longitude, latitude)
        });
        let places: Vec<(f64, f64)> = places.collect();
        let mut taken: Vec<Frame> =
            places.iter().map(|&(x, y)| Frame::around(x, y, 7.0, 7.0)).collect();
        for (region, &(x, y)) in self.body.regions.iter().zip(&places) {
            let fill = self.colour(&region.region).hex();
            let _ = writeln!(
                out,
                "<path d=\"M{x:.1} {:.1}l7.5 7.5l-7.5 7.5l-7.5-7.5z\" fill=\"{fill}\" stroke=\"#fff\" \
                 stroke-width=\"2.5\"/>",
                y - 7.5
            );
            let (at_x, at_y) = label(&mut taken, (x, y), &region.region);
            let name = escaped(&region.region);
            let _ = writeln!(
                out,
                "<text x=\"{at_x:.1}\" y=\"{at_y:.1}\" font-size=\"15\" font-weight=\"700\" \
                 text-anchor=\"middle\" stroke=\"#fff\" stroke-width=\"3.5\" stroke-linejoin=\"round\" \
                 paint-order=\"stroke\">{name}</text>"
            );
        }
    }

    fn legend(&self, out: &mut String, top: f64) {
        let lines = self.body.regions.len().div_ceil(LEGEND_COLUMNS);
        let column_width = (WIDTH - 2.0 * MARGIN) / LEGEND_COLUMNS as f64;
        for (index, region) in self.body.regions.iter().enumerate() {
            let x = MARGIN + column_width * (index / lines) as f64;
            let y = top + LEGEND_LINE * (index % lines) as f64;
            let fill = self.colour(&region.region).hex();
            let share = region.first.ipv4.or(region.first.ipv6).map_or("–".to_owned(), percent);
            let km = region.km.map_or(String::new(), distance);
            let name: String = region.name.chars().take(LEGEND_NAME).collect();
            let (short, name) = (escaped(&region.region), escaped(&name));
            let _ = writeln!(
                out,
                "<g font-size=\"14\" transform=\"translate({x:.0} {y:.0})\">\
                 <path d=\"M7-11l6.5 6.5L7 2L.5-4.5z\" fill=\"{fill}\"/>\
                 <text x=\"24\" font-weight=\"700\">{short}</text><text x=\"74\">{name}</text>\
                 <text x=\"270\" text-anchor=\"end\">{share}</text>\
                 <text x=\"350\" text-anchor=\"end\" class=\"s\">{km}</text></g>"
            );
        }
    }
}

/// A rectangle that something lies in.
#[derive(Clone, Copy)]
struct Frame {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Frame {
    fn around(x: f64, y: f64, half_width: f64, half_height: f64) -> Frame {
        Frame {
            left: x - half_width,
            right: x + half_width,
            top: y - half_height,
            bottom: y + half_height,
        }
    }

    fn meets(self, other: Frame) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }
}

/// Where the name of a region at `x`, `y` goes: beside it, where no other one is yet; to its right, if all is taken.
fn label(taken: &mut Vec<Frame>, (x, y): (f64, f64), name: &str) -> (f64, f64) {
    let half = name.chars().count() as f64 * 4.6;
    let beside = half + 10.0;
    let offers = [(x + beside, y), (x - beside, y), (x, y - 16.0), (x, y + 16.0)];
    let frame = |&(x, y): &(f64, f64)| Frame::around(x, y, half, 7.0);
    let is_free = |offer: &&(f64, f64)| !taken.iter().any(|it| it.meets(frame(offer)));
    let chosen = offers.iter().find(is_free).copied().unwrap_or(offers[0]);
    taken.push(frame(&chosen));
    (chosen.0, chosen.1 + 5.0)
}

/// A number of tenths, as short as it can be.
fn tenth(tenths: i64) -> String {
    let sign = if tenths < 0 { "-" } else { "" };
    match (tenths.unsigned_abs() / 10, tenths.unsigned_abs() % 10) {
        (whole, 0) => format!("{sign}{whole}"),
        (0, part) => format!("{sign}.{part}"),
        (whole, part) => format!("{sign}{whole}.{part}"),
    }
}

fn size(share: &Share) -> f64 {
    share.ipv4.or(share.ipv6).unwrap_or(0.0)
}

/// As much of `text` as a line holds.
fn shortened(text: &str) -> String {
    if text.chars().count() <= LINE_WIDTH {
        return text.to_owned();
    }
    let kept: String = text.chars().take(LINE_WIDTH - 1).collect();
    format!("{kept}…")
}

/// `text` as content of an element (XML 1.0 §2.4).
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
