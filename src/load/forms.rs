//! Zone files parsed, each content once.
//!
//! Owns: the origin that a file name gives, the parsed forms by content, the parsing on all cores.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::diagnostic::{Diagnostic, Place};
use crate::fileset::{File, FileSet};
use crate::number::Digest;
use crate::zone::{self, Chunks, Known, Name, PackedZone, Touched, Validity};

use super::hints::{self, Hinted};
use super::include;
use super::retreat::{Fault, Reach};

/// What came of one zone file with what it includes.
pub(super) struct Form {
    /// Its path.
    pub(super) path: String,
    /// The hash of its content and of all that it includes.
    pub(super) key: Digest,
    /// The zone; none when an error refuses it.
    pub(super) zone: Option<Arc<PackedZone>>,
    /// All that is to be said of it.
    pub(super) said: Vec<Diagnostic>,
    /// SVCB and HTTPS records that carry address hints.
    pub(super) hinted: Vec<Hinted>,
    /// How many records the zone has.
    pub(super) record_count: usize,
    /// What it differs in from a form before, if it was made from that.
    pub(super) change: Option<Change>,
    /// From what a change of its file can be read alone.
    parted: Option<Parted>,
    /// How long its signatures hold, if it has any.
    pub(super) validity: Option<Validity>,
    /// Files that it asked for, there or not, with what was there.
    asked: Vec<(String, Option<Digest>)>,
}

/// What a form differs in from one before.
pub(super) struct Change {
    /// The key of the form before.
    pub(super) base: Digest,
    /// The owners that own something else.
    pub(super) touched: Vec<Touched>,
}

/// The text of a zone file, in chunks.
struct Parted {
    text: Arc<[u8]>,
    chunks: Chunks,
}

impl Form {
    /// Whether other files have a part in it.
    pub(super) fn depends_on_others(&self) -> bool {
        !self.asked.is_empty()
    }

    /// What refuses it, where it has no zone.
    pub(super) fn fault(&self) -> Option<Fault> {
        self.zone.is_none().then(|| Fault {
            primary: self.path.clone(),
            involved: self.involved(),
            reach: Reach::Involved,
            route: None,
            said: self.said.clone(),
        })
    }

    /// The files that this form depends on, itself included.
    pub(super) fn involved(&self) -> Vec<String> {
        std::iter::once(&self.path).chain(self.asked.iter().map(|(p, _)| p)).cloned().collect()
    }
}

/// Parsed forms by path; of each, the few contents that are asked for in one build.
#[derive(Default)]
pub(super) struct Forms {
    known: HashMap<String, Vec<Kept>>,
    /// The files of which a form was read in part only.
    hasty: BTreeSet<String>,
}

struct Kept {
    digest: Digest,
    form: Arc<Form>,
    wanted: bool,
}

impl Forms {
    /// The form of every zone file among `files`, in path order.
    pub(super) fn parse(&mut self, files: &FileSet) -> Vec<Arc<Form>> {
        let paths = files.files.iter().filter(|(path, _)| is_zone_file(path));
        self.learn(paths.clone(), files);
        paths.filter_map(|(path, file)| self.find(path, file, files)).collect()
    }

    /// The forms of the zone files `some` among `files`, in their order.
    pub(super) fn parse_some(&mut self, some: &[String], files: &FileSet) -> Vec<Arc<Form>> {
        let some = some.iter().filter_map(|path| Some((path, files.get(path)?)));
        self.learn(some.clone(), files);
        some.filter_map(|(path, file)| self.find(path, file, files)).collect()
    }

    /// Parses what is not known yet of these files.
    fn learn<'f>(&mut self, some: impl Iterator<Item = (&'f String, &'f File)>, files: &FileSet) {
        let mut new: Vec<(&String, &File)> =
            some.filter(|(path, file)| self.find(path, file, files).is_none()).collect();
        new.retain(|(path, file)| !self.edit(path, file));
        let share = Share::of(new.len());
        let read = |(path, file): &(&String, &File)| (form(path, file, files, share), file.digest);
        for (form, digest) in in_parallel(new, read) {
            self.keep(form, digest);
        }
    }

    /// The form of one file among `files`, if it is known or can be parsed.
    pub(super) fn parse_one(&mut self, path: &str, files: &FileSet) -> Option<Arc<Form>> {
        let file = files.get(path)?;
        if let Some(known) = self.find(path, file, files) {
            return Some(known);
        }
        Some(self.keep(form(path, file, files, Share::Windows), file.digest))
    }

    fn keep(&mut self, form: Form, digest: Digest) -> Arc<Form> {
        if form.change.is_some() {
            self.hasty.insert(form.path.clone());
        }
        let form = Arc::new(form);
        let kept = Kept { digest, form: Arc::clone(&form), wanted: true };
        self.known.entry(form.path.clone()).or_default().push(kept);
        form
    }

    /// Makes the form of a changed file from a form of it that is known, if the change allows. That one is used up: should
    /// it be asked for again, it is read again.
    fn edit(&mut self, path: &str, file: &File) -> bool {
        let Some(known) = self.known.get_mut(path) else { return false };
        let Some(at) = known.iter().rposition(|k| k.form.is_free()) else { return false };
        // Rule 7: a file cannot end the process, not even by a fault of ours.
        let edited = catch_unwind(AssertUnwindSafe(|| edited(known, at, file)));
        let Some(form) = edited.ok().flatten() else { return false };
        self.keep(form, file.digest);
        true
    }

    /// Whether any form is of a file that was not read as a whole, so that not all is said of it yet.
    pub(super) fn is_hasty(&self) -> bool {
        !self.hasty.is_empty()
    }

    /// The files that were not read as a whole.
    pub(super) fn hasty_files(&self) -> Vec<(String, File)> {
        let kept = self.hasty.iter().filter_map(|path| Some((path, self.known.get(path)?)));
        let hasty = kept.flat_map(|(path, kept)| kept.iter().map(move |kept| (path, kept)));
        let file = |(path, kept): (&String, &Kept)| {
            let text = Arc::clone(&kept.form.hasty()?.text);
            Some((path.clone(), File::known(kept.digest, text)))
        };
        hasty.filter_map(file).collect()
    }

    /// Takes the form of a file that was read as a whole in the place of one that was not, and gives the apex that this
    /// has; none where the file is another by now.
    pub(super) fn take_whole(&mut self, form: Form, digest: Digest) -> Option<Name> {
        let kept = self.known.get_mut(&form.path)?;
        let at = kept.iter().position(|k| k.digest == digest && k.form.hasty().is_some())?;
        let before = kept.get_mut(at)?;
        let apex = before.form.zone.as_ref()?.apex.clone();
        let path = form.path.clone();
        before.form = Arc::new(form);
        if !has_hasty(kept) {
            self.hasty.remove(&path);
        }
        Some(apex)
    }

    /// The form of `path` with this content, if it is known.
    pub(super) fn of_content(&self, path: &str, digest: Digest) -> Option<&Form> {
        let kept = self.known.get(path)?.iter().find(|kept| kept.digest == digest);
        kept.map(|kept| &*kept.form)
    }

    /// Forgets the forms of `path` with other contents than `wanted`.
    pub(super) fn keep_only(&mut self, path: &str, wanted: &[Digest]) {
        let Some(kept) = self.known.get_mut(path) else { return };
        kept.retain(|k| wanted.contains(&k.digest));
        if !has_hasty(kept) {
            self.hasty.remove(path);
        }
    }

    /// The form of `path` that has `key`, if it is still known.
    pub(super) fn known(&self, path: &str, key: Digest) -> Option<&Form> {
        self.known.get(path)?.iter().map(|kept| &*kept.form).find(|form| form.key == key)
    }

    fn find(&mut self, path: &str, file: &File, files: &FileSet) -> Option<Arc<Form>> {
        let same_asked = |form: &Form| {
            form.asked.iter().all(|(p, digest)| files.get(p).map(|f| f.digest) == *digest)
        };
        let kept = self.known.get_mut(path)?;
        let found = kept.iter_mut().find(|k| k.digest == file.digest && same_asked(&k.form))?;
        found.wanted = true;
        Some(Arc::clone(&found.form))
    }

    /// Forgets what nobody has asked for since the last call.
    pub(super) fn forget_unwanted(&mut self) {
        self.known.retain(|_, kept| {
            kept.retain_mut(|k| std::mem::take(&mut k.wanted));
            !kept.is_empty()
        });
        let known = &self.known;
        self.hasty.retain(|path| known.get(path).is_some_and(|kept| has_hasty(kept)));
    }
}

fn has_hasty(kept: &[Kept]) -> bool {
    kept.iter().any(|kept| kept.form.hasty().is_some())
}

impl Form {
    /// Its text, if only a change of it was read.
    fn hasty(&self) -> Option<&Parted> {
        self.change.as_ref().and(self.parted.as_ref())
    }

    /// Whether it can be used up for another: nobody else has it, its file is in chunks, and it is not signed.
    fn is_free(self: &Arc<Form>) -> bool {
        let zone = self.zone.as_ref();
        self.parted.is_some()
            && self.validity.is_none()
            && Arc::strong_count(self) == 1
            && zone.is_some_and(|zone| Arc::strong_count(zone) == 1)
    }
}

/// The form of `file` by an edit of the known form `at`, which is taken away if there is one.
fn edited(known: &mut Vec<Kept>, at: usize, file: &File) -> Option<Form> {
    let form = &known.get(at)?.form;
    let (zone, parted) = (form.zone.as_ref()?, form.parted.as_ref()?);
    let before = Known { text: &parted.text, chunks: &parted.chunks, zone, said: &form.said };
    let mut edit = zone::edit(before, &file.bytes)?;
    let touches_hints = edit.rtypes(zone).into_iter().any(hints::may_stand_in);
    let moved = |h: &Hinted| Some(Hinted { line: edit.moves.line(h.line)?, ..h.clone() });
    let hinted: Option<Vec<Hinted>> = form.hinted.iter().map(moved).collect();
    let hinted = hinted.filter(|_| !touches_hints)?;
    let form = Arc::into_inner(known.swap_remove(at).form)?;
    let mut zone = Arc::into_inner(form.zone?)?;
    zone.apply(&mut edit);
    let more: i64 = edit.touched.iter().map(|touched| touched.more_records).sum();
    let more = isize::try_from(more).ok()?;
    Some(Form {
        key: Digest::of_parts([(form.path.as_str(), file.digest)]),
        path: form.path,
        record_count: form.record_count.checked_add_signed(more)?,
        validity: None,
        zone: Some(Arc::new(zone)),
        said: edit.said,
        hinted,
        change: Some(Change { base: form.key, touched: edit.touched }),
        parted: Some(Parted { text: Arc::clone(&file.bytes), chunks: edit.chunks }),
        asked: form.asked,
    })
}

/// What the cores share.
#[derive(Clone, Copy)]
pub(super) enum Share {
    Files,
    Windows,
}

impl Share {
    /// Many files keep all cores busy by themselves; a few large ones are cut for it.
    pub(super) fn of(file_count: usize) -> Share {
        if file_count < core_count() { Share::Windows } else { Share::Files }
    }
}

/// All cores at work on the windows of one file.
fn crew(count: usize, work: &(dyn Fn(usize) + Sync)) {
    in_parallel((0..count).collect(), |index| work(*index));
}

/// The form of `file` among `files`.
pub(super) fn form(path: &str, file: &File, files: &FileSet, share: Share) -> Form {
    let asked = RefCell::new(Vec::new());
    let includes = |written: &str, includer: &str| {
        let names = include::candidates(written, includer)?;
        let here = |name: &String| files.get(name).map(|f| f.digest);
        asked.borrow_mut().extend(names.iter().map(|name| (name.clone(), here(name))));
        let found = names.iter().find_map(|n| files.get(n).map(|f| (n.clone(), f.bytes.clone())));
        found.ok_or_else(|| format!("`{written}` is not there, or cannot be read"))
    };
    let reading = match origin(path) {
        Ok(origin) => {
            // Rule 7: a file cannot end the process, not even by a fault of ours.
            let read = || Reading::of(path, &file.bytes, &origin, &includes, share);
            let reading = catch_unwind(AssertUnwindSafe(read));
            reading.unwrap_or_else(|_| Reading::refused(bug(path)))
        }
        Err(why) => Reading::refused(*why),
    };
    let Reading { zone, said, hinted, record_count, validity, chunks } = reading;
    let parted = chunks.map(|chunks| Parted { text: Arc::clone(&file.bytes), chunks });
    let asked = asked.into_inner();
    let own = [(path, file.digest)].into_iter();
    let included = asked.iter().filter_map(|(p, digest)| Some((p.as_str(), (*digest)?)));
    let key = Digest::of_parts(own.chain(included));
    let (path, zone, change) = (path.to_owned(), zone.map(Arc::new), None);
    Form { path, key, zone, said, hinted, record_count, validity, change, parted, asked }
}

/// What reading a file as a whole gave.
#[derive(Default)]
struct Reading {
    zone: Option<PackedZone>,
    said: Vec<Diagnostic>,
    hinted: Vec<Hinted>,
    record_count: usize,
    validity: Option<Validity>,
    chunks: Option<Chunks>,
}

impl Reading {
    fn of(
        path: &str,
        text: &[u8],
        origin: &Name,
        includes: &zone::Includes<'_>,
        share: Share,
    ) -> Reading {
        let crew: Option<&zone::Crew<'_>> = match share {
            Share::Windows if core_count() > 1 => Some(&crew),
            Share::Windows | Share::Files => None,
        };
        let (parsed, chunks) = zone::parse_in_chunks(path, text, origin, includes, crew);
        let (hinted, record_count) = parsed.zone.as_ref().map(hints::find).unwrap_or_default();
        let zone = parsed.zone.map(PackedZone::of);
        let (said, validity) = (parsed.diagnostics, parsed.validity);
        Reading { zone, said, hinted, record_count, validity, chunks }
    }

    fn refused(why: Diagnostic) -> Reading {
        Reading { said: vec![why], ..Reading::default() }
    }
}

/// What is said of a file that a fault of ours refused.
pub(super) fn bug(path: &str) -> Diagnostic {
    let what = "reading this file met a fault of the server's own";
    Diagnostic::error("internal", Place::file(path), what)
        .help("please report it, with the file if you can")
}

/// Whether a file holds a zone.
pub(super) fn is_zone_file(path: &str) -> bool {
    path.starts_with("zones/") && path.ends_with(".zone")
}

/// The origin that the name of a zone file gives: less `.zone`, percent-decoded; `root.zone` is the root.
pub fn origin(path: &str) -> Result<Name, Box<Diagnostic>> {
    let file_name = path.rsplit('/').next().unwrap_or(path);
    let stem = file_name.strip_suffix(".zone").unwrap_or(file_name);
    if stem == "root" {
        return Ok(Name::root());
    }
    let refuse = |why: String| {
        let what = format!("the file's name gives no origin: {why}");
        let said = Diagnostic::error("zone-file-name", Place::file(path), what);
        Box::new(
            said.help("name it after the zone: example.com.zone; percent-encode a slash as %2F"),
        )
    };
    let decoded = percent_decode(stem).ok_or_else(|| refuse("a % needs two digits".into()))?;
    Name::parse_bytes(&decoded, &Name::root()).map_err(|error| refuse(error.to_string()))
}

fn percent_decode(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        decoded.extend(data_encoding::HEXLOWER_PERMISSIVE.decode(digits).ok()?);
        rest = after;
    }
    Some(decoded)
}

fn core_count() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// `work` done on every item by as many threads as there are CPUs; results in the order of the items.
pub(super) fn in_parallel<T: Sync, R: Send>(
    items: Vec<T>,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let threads = core_count().min(items.len());
    if threads <= 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let share = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return done };
            done.push((index, work(item)));
        }
    };
    let mut done: Vec<(usize, R)> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(share)).collect();
        let join = |handle: std::thread::ScopedJoinHandle<'_, _>| {
            handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        handles.into_iter().flat_map(join).collect()
    });
    done.sort_by_key(|&(index, _)| index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_gives_the_origin() {
        for (path, expected) in [
            ("zones/example.com.zone", "example.com."),
            ("zones/a/b/Example.COM.zone", "Example.COM."),
            ("zones/root.zone", "."),
            ("zones/0%2F25.2.0.192.in-addr.arpa.zone", "0/25.2.0.192.in-addr.arpa."),
            ("zones/com.zone", "com."),
        ] {
            assert_eq!(origin(path).unwrap().to_string(), expected);
        }
        for path in ["zones/a..b.zone", "zones/.zone", "zones/a%2.zone", "zones/a%zz.zone"] {
            assert_eq!(origin(path).unwrap_err().code, "zone-file-name", "{path}");
        }
    }

    #[test]
    fn work_in_parallel_keeps_its_order() {
        let doubled = in_parallel((0..1000).collect(), |n| n * 2);
        assert!(doubled.into_iter().eq((0..1000).map(|n| n * 2)));
    }
}
