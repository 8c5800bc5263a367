//! Regions as written: geo/regions.toml.

use toml::de::DeTable;

use crate::diagnostic::Diagnostic;
use crate::geo::Position;
use crate::health::Capacity;

use super::reader::{Key, Reader, Source, Value, in_file_order};

/// The most regions there may be: 16-bit ids and rows of orders stay small. A guess.
pub const REGION_COUNT_MAX: usize = 1000;

/// Where a region begins to shed clients, as a share of its capacity. A guess: what is left is for what comes within the two
/// TTLs until it shows.
const HIGH: f64 = 0.8;

/// … and where it takes them back.
const LOW: f64 = 0.6;

/// A location where applications run.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// Its short name, the key in regions.toml.
    pub name: Box<str>,
    /// Its name for people.
    pub title: String,
    /// Where it is.
    pub position: Position,
    /// How much load it can take, in the unit that load reports use, and from where on it sheds.
    pub capacity: Option<Capacity>,
}

/// The regions, in the order of regions.toml; a `RegionId` indexes them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Regions {
    /// In file order.
    pub list: Vec<Region>,
}

/// Reads regions.toml.
pub fn parse_regions(path: &str, text: &[u8]) -> (Option<Regions>, Vec<Diagnostic>) {
    let source = match Source::new(path, text) {
        Ok(source) => source,
        Err(diagnostic) => return (None, vec![diagnostic]),
    };
    let mut reader = Reader::new(&source);
    let top = reader.top();
    let entries = in_file_order(&top);
    if let Some((key, _)) = entries.get(REGION_COUNT_MAX) {
        let message = format!("more than {REGION_COUNT_MAX} regions");
        reader.error("too-many-regions", &key.span(), message, "");
    }
    let list: Vec<Region> = entries
        .into_iter()
        .take(REGION_COUNT_MAX)
        .filter_map(|(key, value)| read_region(&mut reader, key, value))
        .collect();
    let regions = (!reader.has_error()).then_some(Regions { list });
    (regions, reader.finish())
}

fn read_region(reader: &mut Reader<'_>, key: &Key<'_>, value: &Value<'_>) -> Option<Region> {
    let name = key.get_ref();
    let what = format!("region `{name}`");
    check_name(reader, key, "region");
    let table = reader.table(value, &what)?;
    reader.only_keys(table, &["name", "position", "capacity", "high", "low"], &what);
    let title = match table.get("name") {
        Some(value) => reader.text(value, "`name`")?.to_owned(),
        None => name.to_string(),
    };
    let position = match table.get("position") {
        Some(value) => read_position(reader, value)?,
        None => {
            let help = "add `position = [latitude, longitude]`";
            reader.error(
                "region-without-position",
                &key.span(),
                format!("{what} is nowhere"),
                help,
            );
            return None;
        }
    };
    let capacity = read_capacity(reader, table)?;
    Some(Region { name: name.as_ref().into(), title, position, capacity })
}

/// Reads what a region can take; within, none where it does not say.
fn read_capacity(reader: &mut Reader<'_>, table: &DeTable<'_>) -> Option<Option<Capacity>> {
    let mut share = |key: &str, default: f64| match table.get(key) {
        Some(value) => reader.number(value, &format!("`{key}`"), 0.01, 1.0),
        None => Some(default),
    };
    let (high, low) = (share("high", HIGH), share("low", LOW));
    let marks = ["high", "low"].into_iter().find_map(|key| Some((key, table.get(key)?)));
    let Some(value) = table.get("capacity") else {
        if let Some((key, value)) = marks {
            let what = format!("`{key}` is a share of `capacity`, and there is none");
            reader.error("mark-without-capacity", &value.span(), what, "add capacity = 40000");
        }
        return Some(None);
    };
    let load = reader.number(value, "`capacity`", 0.0, 1e15)?;
    let (high, low) = (high?, low?);
    if low >= high {
        let span = marks.map_or_else(|| value.span(), |(_, value)| value.span());
        let what = format!("`low` ({low}) is not below `high` ({high})");
        let help = "between the two nothing moves: high = 0.8, low = 0.6";
        reader.error("marks-crossed", &span, what, help);
        return None;
    }
    Some(Some(Capacity { load, high, low }))
}

/// Reads `[latitude, longitude]`, in degrees.
pub fn read_position(reader: &mut Reader<'_>, value: &Value<'_>) -> Option<Position> {
    let list = reader.list(value, "`position`")?;
    let [latitude, longitude] = list else {
        let message = format!("`position` has {} numbers", list.len());
        reader.error("not-a-position", &value.span(), message, "[latitude, longitude]");
        return None;
    };
    let latitude = reader.number(latitude, "the latitude", -90.0, 90.0);
    let longitude = reader.number(longitude, "the longitude", -180.0, 180.0);
    Some(Position { latitude: latitude? as f32, longitude: longitude? as f32 })
}

/// Names of regions, pools and policies stand in subjects (`region/pool/address`), so they hold no
/// `/`, `*`, `.` or `:`.
pub fn check_name(reader: &mut Reader<'_>, key: &Key<'_>, what: &str) {
    let name = key.get_ref();
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if name.is_empty() || name.len() > 63 || !name.bytes().all(allowed) {
        let message = format!("`{name}` cannot name a {what}");
        let help = "1 to 63 letters, digits, hyphens and underscores";
        reader.error("bad-name", &key.span(), message, help);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_keep_the_order_of_the_file() {
        let text = "[zrh]\nname = 'Zürich'\nposition = [47.37, 8.54]\n\
                    [fra]\nposition = [50, 8.68]\ncapacity = 40000\n";
        let (regions, diagnostics) = parse_regions("geo/regions.toml", text.as_bytes());
        assert_eq!(diagnostics, []);
        let list = regions.unwrap().list;
        assert_eq!(&*list[0].name, "zrh");
        assert_eq!(list[0].title, "Zürich");
        assert_eq!(&*list[1].name, "fra");
        assert_eq!(list[1].title, "fra");
        let capacity = Capacity { load: 40000.0, high: 0.8, low: 0.6 };
        assert_eq!(list[1].capacity, Some(capacity));
        assert_eq!(list[1].position, Position { latitude: 50.0, longitude: 8.68 });
    }

    #[test]
    fn every_mistake_of_the_file_is_told() {
        for (text, code, line) in [
            ("fra = 3", "wrong-type", 1),
            ("[fra]\nname = 'F'", "region-without-position", 1),
            ("[fra]\nposition = [91, 0]", "out-of-range", 2),
            ("[fra]\nposition = [0, 181.0]", "out-of-range", 2),
            ("[fra]\nposition = [0, nan]", "out-of-range", 2),
            ("[fra]\nposition = [0]", "not-a-position", 2),
            ("[fra]\nposition = ['a', 0]", "wrong-type", 2),
            ("[fra]\nposition = [0, 0]\ncolour = 1", "unknown-key", 3),
            ("['a/b']\nposition = [0, 0]", "bad-name", 1),
            ("[fra]\nposition = [0, 0]\ncapacity = -1", "out-of-range", 3),
            ("[fra]\nposition = [0, 0]\nhigh = 0.9", "mark-without-capacity", 3),
            ("[fra]\nposition = [0, 0]\ncapacity = 1\nlow = 0.9", "marks-crossed", 4),
            ("[fra]\nposition = [0, 0]\ncapacity = 1\nhigh = 80", "out-of-range", 4),
            ("[fra]\nposition = [0, 0]\n[fra]\n", "toml-syntax", 3),
        ] {
            let (regions, diagnostics) = parse_regions("geo/regions.toml", text.as_bytes());
            assert!(regions.is_none(), "{text}");
            let found: Vec<_> = diagnostics.iter().map(|d| (d.code, d.place.line)).collect();
            assert!(found.contains(&(code, line)), "{text}: {found:?}");
        }
        let (_, diagnostics) = parse_regions("geo/regions.toml", &[b'\n', 0xff]);
        assert_eq!((diagnostics[0].code, diagnostics[0].place.line), ("toml-syntax", 2));
        let many: String = (0..1001).map(|i| format!("r{i} = {{ position = [0, 0] }}\n")).collect();
        let (_, diagnostics) = parse_regions("geo/regions.toml", many.as_bytes());
        assert_eq!(diagnostics.len(), 1);
        assert_eq!(diagnostics[0].code, "too-many-regions");
    }
}
