//! Coverage as CSV (RFC 4180): a header, then a line for each country or subdivision, rank and region.

use crate::api::{CoverageBody, CoverageRow, CoverageShare};

const HEADER: [&str; 14] = [
    "policy",
    "type",
    "country",
    "subdivision",
    "name",
    "ipv4_share",
    "ipv6_share",
    "rank",
    "region",
    "region_ipv4_share",
    "region_ipv6_share",
    "km",
    "marks",
    "of",
];

/// All of it. Shares are 0 to 1, empty where a family has no addresses; `country` is empty for what is unknown.
pub fn text(body: &CoverageBody) -> String {
    let mut out = line(&HEADER.map(str::to_owned));
    for row in body.countries.iter().chain([&body.unknown]) {
        rows(body, row, &mut out);
        row.subdivisions.iter().for_each(|part| rows(body, part, &mut out));
    }
    out
}

fn rows(body: &CoverageBody, row: &CoverageRow, out: &mut String) {
    let marks: Vec<String> =
        row.marks.iter().map(|mark| format!("{}:{}", mark.mark, mark.why)).collect();
    let mut add = |rank: &str, of: &CoverageShare| {
        out.push_str(&line(&[
            body.policy.clone(),
            body.rtype.clone(),
            row.country.clone(),
            row.subdivision.clone(),
            row.name.clone(),
            share(row.share.ipv4),
            share(row.share.ipv6),
            rank.to_owned(),
            of.region.clone(),
            share(of.share.ipv4),
            share(of.share.ipv6),
            of.km.map_or(String::new(), |km| km.to_string()),
            marks.join(" "),
            body.of.clone(),
        ]));
    };
    row.first.iter().for_each(|of| add("1", of));
    row.second.iter().for_each(|of| add("2", of));
}

fn share(share: Option<f64>) -> String {
    share.map_or(String::new(), |share| share.to_string())
}

/// One line; a field is quoted where it must be (RFC 4180 §2).
fn line<const N: usize>(fields: &[String; N]) -> String {
    let field = |field: &String| match field.contains([',', '"', '\r', '\n']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.clone(),
    };
    let fields: Vec<String> = fields.iter().map(field).collect();
    format!("{}\r\n", fields.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{CoverageMark, Share};

    #[test]
    fn a_line_for_each_rank_and_region() {
        let share = Share { ipv4: Some(0.25), ipv6: None };
        let of = |region: &str, km| CoverageShare { region: region.into(), share, km };
        let row = CoverageRow {
            country: "KR".into(),
            name: "Korea, \"South\"".into(),
            share,
            first: vec![of("nrt", Some(1150))],
            second: vec![of("sin", None)],
            marks: vec![CoverageMark { mark: "far".into(), why: "rule".into(), share }],
            ..CoverageRow::default()
        };
        let body = CoverageBody {
            policy: "web".into(),
            rtype: "A".into(),
            of: "x".into(),
            countries: vec![row],
            ..CoverageBody::default()
        };
        let text = text(&body);
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines.len(), 4);
        let name = "\"Korea, \"\"South\"\"\"";
        assert_eq!(lines[1], format!("web,A,KR,,{name},0.25,,1,nrt,0.25,,1150,far:rule,x"));
        assert_eq!(lines[2], format!("web,A,KR,,{name},0.25,,2,sin,0.25,,,far:rule,x"));
    }
}
