//! The built-in table read, as `builtin` makes it: a magic, then deflated: where it came from, the metros, the
//! spots, and for each family runs of spots.

use miniz_oxide::inflate::decompress_to_vec_with_limit;

use super::gazetteer::{self, WHOLE};
use super::known::{Known, Source};
use super::packing::Cursor;
use super::place::{Place, PlaceId, Position};

pub(super) const MAGIC: &[u8; 8] = b"homing\x00\x02";
/// More than what comes before the spots takes.
const HEAD_BYTE_COUNT: usize = 16 << 10;
/// Four times what the table takes now.
const TABLE_BYTE_COUNT_MAX: usize = 32 << 20;
/// One more than the last /24.
const V4_UNITS: u64 = 1 << 24;
/// One more than the last /48.
const V6_UNITS: u64 = 1 << 48;

static TABLE: &[u8] = include_bytes!("../../geo/builtin.bin");

/// What the table within this binary knows. The file is ours and a test reads it; were it damaged, every place would be
/// unknown, and nothing worse.
pub(super) fn unpacked() -> Known {
    decode(TABLE).map_or_else(Known::nothing, |(known, _)| known)
}

/// Where the table within this binary came from, without unpacking more than its head.
pub(super) fn source() -> Option<Source> {
    let head = match decompress_to_vec_with_limit(TABLE.strip_prefix(MAGIC)?, HEAD_BYTE_COUNT) {
        Ok(all) => all,
        Err(cut) => cut.output,
    };
    Some(head_of(&mut Cursor(&head))?.0)
}

pub(super) fn decode(bytes: &[u8]) -> Option<(Known, Source)> {
    let packed = bytes.strip_prefix(MAGIC)?;
    let table = decompress_to_vec_with_limit(packed, TABLE_BYTE_COUNT_MAX).ok()?;
    let mut cursor = Cursor(&table);
    let (source, metros) = head_of(&mut cursor)?;
    let mut places = vec![Place::default()];
    for _ in 0..cursor.count()? {
        places.push(spot(&mut cursor, &metros)?);
    }
    let spot_count = u32::try_from(places.len()).ok()?;
    let mut v4 = cursor.runs(V4_UNITS, spot_count)?;
    let mut v6 = cursor.runs(V6_UNITS, spot_count)?;
    let known = Known::of_runs(
        v4.by_ref().map(|(start, spot)| ((start << 8) as u32, PlaceId(spot))),
        v6.by_ref().map(|(start, spot)| (u128::from(start) << 80, PlaceId(spot))),
        places,
    );
    let is_sound = v4.is_done() && v6.is_done() && cursor.0.is_empty();
    is_sound.then_some((known, source))
}

/// What comes before the spots: where the table came from, and its metros.
fn head_of(cursor: &mut Cursor) -> Option<(Source, Vec<Position>)> {
    let name = cursor.text()?;
    let mut source = Source {
        name: format!("built-in ({name})"),
        licence: cursor.text()?,
        built_epoch_secs: cursor.number()?,
        networks: cursor.count()?,
    };
    let metros = metros(cursor)?;
    if !metros.is_empty() {
        source.name = format!("built-in ({name}, {} metros)", metros.len());
    }
    Some((source, metros))
}

fn metros(cursor: &mut Cursor) -> Option<Vec<Position>> {
    let mut metros = Vec::new();
    for _ in 0..cursor.count()? {
        let mut degrees = || Some(f32::from(i16::from_le_bytes(cursor.bytes(2)?.try_into().ok()?)));
        let (latitude, longitude) = (degrees()? / 100.0, degrees()? / 100.0);
        metros.push(Position { latitude, longitude });
    }
    Some(metros)
}

/// A country, a subdivision or the whole of it, a metro or none.
fn spot(cursor: &mut Cursor, metros: &[Position]) -> Option<Place> {
    let country: [u8; 2] = cursor.bytes(2)?.try_into().ok()?;
    let subdivision: [u8; 3] = cursor.bytes(3)?.try_into().ok()?;
    let subdivision = Some(subdivision).filter(|it| *it != WHOLE);
    let metro = cursor.number()?.checked_sub(1).map(usize::try_from).transpose().ok()?;
    let metro = metro.and_then(|metro| metros.get(metro).copied());
    Some(Place {
        continent: gazetteer::entry(country, WHOLE).map(|it| it.continent),
        country: Some(country),
        subdivision,
        position: metro.or_else(|| gazetteer::place_centroid(country, subdivision)),
        ..Place::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_tells_what_the_whole_table_does() {
        let (known, told) = decode(TABLE).unwrap();
        assert_eq!(source().unwrap(), told);
        assert!(TABLE.len() <= 3_000_000, "{} octets", TABLE.len());
        assert!(known.places.iter().skip(1).all(|place| place.position.is_some()));
    }

    #[test]
    fn half_a_table_is_none() {
        assert!(decode(&TABLE[..TABLE.len() - 1]).is_none());
        assert!(decode(&TABLE[1..]).is_none());
    }
}
