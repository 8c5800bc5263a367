//! Packs: many objects in one file, written with one sync, found by their hash.
//!
//! ```text
//! "homing pack 2\n"  objects, packed or as they are  index: {digest, offset, stored, len}…  count  checksum  "packed2\n"
//! ```

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::history::durable::{StoreError, listed, remove, sync_folder, write_durably_with};
use crate::number::Digest;

const HEAD: &[u8; 14] = b"homing pack 2\n";
const FOOT: &[u8; 8] = b"packed2\n";
/// Octets of an object in the index.
const ROW_LEN: usize = 32 + 3 * 8;
/// Octets after the index.
const TAIL_LEN: usize = 8 + 4 + FOOT.len();

/// Octets of a pack beside its objects and their rows.
pub(super) const FRAME_LEN: u64 = (HEAD.len() + TAIL_LEN) as u64;

/// Octets of objects in one pack, before they are packed; one larger object is a pack by itself. What is rewritten at once
/// is no more than this.
const PACK_LEN_MAX: usize = 64 << 20;
/// Octets of objects that are packed side by side and then written. A guess: enough for two dozen cores.
const BATCH_LEN: usize = 8 << 20;

/// Something kept under the hash of its octets.
#[derive(Clone, Debug)]
pub(super) struct Object<'a> {
    pub digest: Digest,
    pub bytes: Cow<'a, [u8]>,
    /// Whether packing it is worth the time: databases are dense already.
    pub is_dense: bool,
}

/// Where an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Location {
    pub pack: u64,
    offset: u64,
    /// Octets in the pack. As many as the object has: it is there as it is.
    stored: u64,
    len: u64,
}

impl Location {
    /// Octets that the object costs on the disk.
    pub(super) fn weight(self) -> u64 {
        self.stored + ROW_LEN as u64
    }
}

/// Packs that are written anew together, and what of them is needed.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub packs: Vec<u64>,
    pub objects: Vec<Digest>,
}

/// The packs in a folder.
#[derive(Debug, Default)]
pub(super) struct Packs {
    folder: PathBuf,
    index: HashMap<Digest, Location>,
    /// Octets of each file.
    lens: BTreeMap<u64, u64>,
    /// Packs whose index cannot be read.
    damaged: Vec<PathBuf>,
}

impl Packs {
    /// Reads the indexes of all packs in `folder`.
    pub(super) fn open(folder: &Path) -> Result<Packs, StoreError> {
        let mut packs = Packs { folder: folder.to_owned(), ..Packs::default() };
        for path in listed(folder)? {
            let Some(pack) = pack_number(&path) else { continue };
            match read_index(&path, pack) {
                Ok((rows, len)) => {
                    packs.index.extend(rows);
                    packs.lens.insert(pack, len);
                }
                Err(StoreError::Corrupt(path)) => packs.damaged.push(path),
                // Let go between the listing and the look.
                Err(error) if error.is_gone() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(packs)
    }

    pub(super) fn contains(&self, digest: Digest) -> bool {
        self.index.contains_key(&digest)
    }

    pub(super) fn locate(&self, digest: Digest) -> Option<Location> {
        self.index.get(&digest).copied()
    }

    /// The packs that can be read, with the octets of each.
    pub(super) fn lens(&self) -> &BTreeMap<u64, u64> {
        &self.lens
    }

    /// An object is not what was written: it is none, and the next generation that has it writes it anew.
    pub(super) fn disown(&mut self, digest: Digest) {
        self.index.remove(&digest);
    }

    /// Writes objects so that they are durable: those that are here already are passed over.
    pub(super) fn write(&mut self, objects: &[Object<'_>]) -> Result<(), StoreError> {
        let mut told = HashSet::new();
        let is_new = |o: &&Object<'_>| !self.contains(o.digest) && told.insert(o.digest);
        let new: Vec<&Object<'_>> = objects.iter().filter(is_new).collect();
        self.append(&new)
    }

    /// Writes objects that are here once more, so that the packs that they are in can go.
    pub(super) fn copy(&mut self, objects: &[Digest]) -> Result<(), StoreError> {
        let mut reader = self.reader();
        let mut copies = Vec::with_capacity(objects.len());
        for &digest in objects {
            let is_dense = self.locate(digest).is_some_and(|at| at.stored == at.len);
            copies.push(Object { digest, bytes: reader.read(digest)?.into(), is_dense });
        }
        self.append(&copies.iter().collect::<Vec<_>>())
    }

    /// Cuts the work of writing `packs` anew into parts of a bounded size.
    pub(super) fn parts(&self, packs: &[u64], needed: &HashSet<Digest>) -> Vec<Part> {
        let mut objects: HashMap<u64, Vec<(u64, Digest, u64)>> = HashMap::new();
        for (digest, at) in self.index.iter().filter(|(digest, _)| needed.contains(*digest)) {
            objects.entry(at.pack).or_default().push((at.offset, *digest, at.len));
        }
        let (mut parts, mut part, mut part_len) = (Vec::new(), Part::default(), 0);
        for pack in packs {
            let mut moving = objects.remove(pack).unwrap_or_default();
            moving.sort_unstable();
            let len: u64 = moving.iter().map(|(_, _, len)| len).sum();
            if part_len + len > PACK_LEN_MAX as u64 && !part.packs.is_empty() {
                parts.push(std::mem::take(&mut part));
                part_len = 0;
            }
            part_len += len;
            part.packs.push(*pack);
            part.objects.extend(moving.iter().map(|(_, digest, _)| *digest));
        }
        parts.push(part);
        parts
    }

    /// Removes the packs that cannot be read.
    pub(super) fn remove_damaged(&mut self) -> Result<(), StoreError> {
        self.damaged.drain(..).try_for_each(|path| remove(&path))
    }

    fn append(&mut self, objects: &[&Object<'_>]) -> Result<(), StoreError> {
        let mut written = Vec::new();
        let mut number = self.next_number();
        let mut rest = objects;
        while !rest.is_empty() {
            let (pack, after) = rest.split_at(count_of_pack(rest));
            let path = self.path(number);
            let mut rows = Vec::with_capacity(pack.len());
            write_durably_with(&path, |file| write_pack(file, number, pack, &mut rows))?;
            written.push((number, rows));
            (number, rest) = (number + 1, after);
        }
        if !written.is_empty() {
            sync_folder(&self.folder)?;
        }
        for (number, rows) in written {
            let weight: u64 = rows.iter().map(|(_, location)| location.weight()).sum();
            self.lens.insert(number, weight + FRAME_LEN);
            self.index.extend(rows);
        }
        Ok(())
    }

    /// Forgets a pack and all that only it has, and removes its file.
    pub(super) fn remove(&mut self, pack: u64) -> Result<(), StoreError> {
        remove(&self.path(pack))?;
        self.lens.remove(&pack);
        self.index.retain(|_, location| location.pack != pack);
        Ok(())
    }

    /// A reader of objects, which keeps the files that it opened.
    pub(super) fn reader(&self) -> PackReader<'_> {
        PackReader { packs: self, files: HashMap::new() }
    }

    pub(super) fn path(&self, pack: u64) -> PathBuf {
        self.folder.join(format!("{pack:010}.pack"))
    }

    fn next_number(&self) -> u64 {
        let damaged = self.damaged.iter().filter_map(|path| pack_number(path));
        self.lens.keys().copied().chain(damaged).max().unwrap_or(0) + 1
    }
}

/// Reads objects, each checked against its hash.
#[derive(Debug)]
pub(super) struct PackReader<'a> {
    packs: &'a Packs,
    files: HashMap<u64, File>,
}

impl PackReader<'_> {
    pub(super) fn read(&mut self, digest: Digest) -> Result<Vec<u8>, StoreError> {
        let location = self.packs.locate(digest).ok_or(StoreError::Missing(digest))?;
        let path = self.packs.path(location.pack);
        let io = |error| StoreError::Io(path.clone(), error);
        let file = match self.files.entry(location.pack) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(File::open(&path).map_err(io)?),
        };
        let mut stored = vec![0; usize::try_from(location.stored).unwrap_or(usize::MAX)];
        file.read_exact_at(&mut stored, location.offset).map_err(io)?;
        let bytes = match location.stored == location.len {
            true => Some(stored),
            false => usize::try_from(location.len)
                .ok()
                .and_then(|len| lz4_flex::block::decompress(&stored, len).ok()),
        };
        let bytes = bytes.filter(|bytes| Digest::of(bytes) == digest);
        bytes.ok_or(StoreError::Damaged(path, digest))
    }
}

fn pack_number(path: &Path) -> Option<u64> {
    let stem = path.file_name()?.to_str()?.strip_suffix(".pack")?;
    stem.bytes().all(|b| b.is_ascii_digit()).then(|| stem.parse().ok())?
}

/// How many of `objects` the next pack has. A dense one is alone, so that it goes without anything being written anew.
fn count_of_pack(objects: &[&Object<'_>]) -> usize {
    let dense = objects.iter().position(|object| object.is_dense);
    match dense {
        Some(0) => 1,
        Some(before) => count_within(&objects[..before], PACK_LEN_MAX),
        None => count_within(objects, PACK_LEN_MAX),
    }
}

/// How many of `objects` have `len_max` octets at most; one at least.
fn count_within(objects: &[&Object<'_>], len_max: usize) -> usize {
    let mut len = 0usize;
    let fits = |object: &&&Object<'_>| {
        len = len.saturating_add(object.bytes.len());
        len <= len_max
    };
    objects.iter().take_while(fits).count().max(1)
}

type Row = (Digest, Location);

fn write_pack(
    file: &mut File,
    pack: u64,
    objects: &[&Object<'_>],
    rows: &mut Vec<Row>,
) -> std::io::Result<()> {
    let mut out = BufWriter::new(file);
    out.write_all(HEAD)?;
    let mut offset = HEAD.len() as u64;
    let mut rest = objects;
    while !rest.is_empty() {
        let (batch, after) = rest.split_at(count_within(rest, BATCH_LEN));
        for (object, packed) in batch.iter().zip(pack_all(batch)) {
            let stored = packed.as_deref().unwrap_or(&object.bytes);
            out.write_all(stored)?;
            let len = object.bytes.len() as u64;
            let stored = stored.len() as u64;
            rows.push((object.digest, Location { pack, offset, stored, len }));
            offset += stored;
        }
        rest = after;
    }
    let index: Vec<u8> = rows.iter().flat_map(write_row).collect();
    out.write_all(&index)?;
    out.write_all(&(rows.len() as u64).to_le_bytes())?;
    out.write_all(&crc32c::crc32c(&index).to_le_bytes())?;
    out.write_all(FOOT)?;
    out.flush()
}

/// Each object packed, or nothing where that does not make it smaller; on all cores where there is enough to do.
fn pack_all(objects: &[&Object<'_>]) -> Vec<Option<Vec<u8>>> {
    let pack = |object: &Object<'_>| {
        let packed = (!object.is_dense).then(|| lz4_flex::block::compress(&object.bytes));
        packed.filter(|packed| packed.len() < object.bytes.len())
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if cores == 1 || objects.iter().map(|o| o.bytes.len()).sum::<usize>() < BATCH_LEN / 8 {
        return objects.iter().map(|object| pack(object)).collect();
    }
    let next = AtomicUsize::new(0);
    let share = || {
        let mut done = Vec::new();
        let take = || next.fetch_add(1, Ordering::Relaxed);
        let mut at = take();
        while let Some(object) = objects.get(at) {
            done.push((at, pack(object)));
            at = take();
        }
        done
    };
    let mut all = vec![None; objects.len()];
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..cores).map(|_| scope.spawn(share)).collect();
        for handle in handles {
            let done = handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            for (at, packed) in done {
                all[at] = packed;
            }
        }
    });
    all
}

fn write_row((digest, location): &Row) -> [u8; ROW_LEN] {
    let mut row = [0; ROW_LEN];
    row[..32].copy_from_slice(&digest.0);
    row[32..40].copy_from_slice(&location.offset.to_le_bytes());
    row[40..48].copy_from_slice(&location.stored.to_le_bytes());
    row[48..].copy_from_slice(&location.len.to_le_bytes());
    row
}

/// The index of the pack at `path`, and the octets of the file.
fn read_index(path: &Path, pack: u64) -> Result<(Vec<Row>, u64), StoreError> {
    let io = |error| StoreError::Io(path.to_owned(), error);
    let corrupt = || StoreError::Corrupt(path.to_owned());
    let file = File::open(path).map_err(io)?;
    let len = file.metadata().map_err(io)?.len();
    let mut tail = [0; TAIL_LEN];
    let tail_at = len.checked_sub(TAIL_LEN as u64).ok_or_else(corrupt)?;
    file.read_exact_at(&mut tail, tail_at).map_err(io)?;
    let (count, sum, foot) = split_tail(&tail).ok_or_else(corrupt)?;
    let index_len = count.checked_mul(ROW_LEN as u64).filter(|len| *len <= tail_at);
    let index_len = index_len.filter(|_| foot == FOOT).ok_or_else(corrupt)?;
    let mut index = vec![0; usize::try_from(index_len).map_err(|_| corrupt())?];
    file.read_exact_at(&mut index, tail_at - index_len).map_err(io)?;
    if crc32c::crc32c(&index) != sum {
        return Err(corrupt());
    }
    let rows = index.chunks_exact(ROW_LEN).map(|row| read_row(row, pack, tail_at));
    Ok((rows.collect::<Option<_>>().ok_or_else(corrupt)?, len))
}

fn split_tail(tail: &[u8; TAIL_LEN]) -> Option<(u64, u32, &[u8])> {
    let (count, rest) = tail.split_first_chunk()?;
    let (sum, foot) = rest.split_first_chunk()?;
    Some((u64::from_le_bytes(*count), u32::from_le_bytes(*sum), foot))
}

/// One row; none if it leads outside of the pack, or to more than memory ought to be asked for.
fn read_row(row: &[u8], pack: u64, end: u64) -> Option<Row> {
    let (digest, rest) = row.split_first_chunk()?;
    let (offset, rest) = rest.split_first_chunk()?;
    let (stored, rest) = rest.split_first_chunk()?;
    let (len, _) = rest.split_first_chunk()?;
    let [offset, stored, len] = [offset, stored, len].map(|number| u64::from_le_bytes(*number));
    let is_within = offset.checked_add(stored).is_some_and(|last| last <= end);
    // LZ4 makes an octet of at most 255.
    let is_bounded = stored <= len && len <= stored.saturating_mul(255).saturating_add(16);
    (is_within && is_bounded).then_some((Digest(*digest), Location { pack, offset, stored, len }))
}
