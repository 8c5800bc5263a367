//! The vantages within a server, as homing.toml tells of them: `[probe]`, and `[[extfile]]`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::DeTable;

use crate::diagnostic::{Diagnostic, has_error};
use crate::route::{Reader, Source, Value, read_duration};

use super::assignment::read_name;
use super::settings::{Patch, Probing, read_probing};

/// Files that may be followed. A guess: each is a task and a read in each interval.
const EXTFILE_COUNT_MAX: usize = 64;
/// How often a file says its words again, unless it is told: the interval at which health expects a vantage.
const INTERVAL_MILLIS: u64 = 10_000;

/// What homing.toml tells of vantages.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Within {
    /// How the server looks itself, and under which name; none: it does not, or no name is set.
    pub probing: Option<(Option<Box<str>>, Probing)>,
    /// Files that tell for others.
    pub extfiles: Vec<Extfile>,
}

/// A file in the form of gdnsd's extfile that is taken as a vantage.
#[derive(Clone, Debug, PartialEq)]
pub struct Extfile {
    /// Where it is.
    pub path: PathBuf,
    /// Under which name its words are reports.
    pub vantage: Box<str>,
    /// The pools it tells of; empty: all.
    pub pools: Vec<Box<str>>,
    /// Its changes count at once, whatever `rise` and `fall` say.
    pub direct: bool,
    /// An endpoint that it does not name is down.
    pub def_down: bool,
    /// How often it says its words again.
    pub interval: Duration,
}

impl Within {
    /// Every file that is read while they look.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let probing = self.probing.iter().map(|(_, probing)| probing);
        let patches = probing.flat_map(|it| it.pools.values().chain([&it.every]));
        let extfiles = self.extfiles.iter().map(|extfile| extfile.path.as_path());
        extfiles.chain(patches.filter_map(Patch::ca))
    }
}

/// Reads what `text` of a homing.toml says of vantages. Its other tables are not looked at, and its syntax errors are left
/// to whoever reads them. Paths are relative to `root`.
pub fn parse_within(path: &str, text: &[u8], root: &Path) -> Result<Within, Vec<Diagnostic>> {
    let Ok(source) = Source::new(path, text) else { return Ok(Within::default()) };
    let top = Reader::new(&source).top();
    let mut reader = Reader::new(&source);
    let mut within = Within::default();
    let mut names = BTreeSet::new();
    if let Some(table) = top.get("probe").and_then(|value| reader.table(value, "`probe`")) {
        let name =
            table.get("vantage").and_then(|value| read_own_name(&mut reader, value, &mut names));
        within.probing = Some((name, read_probing(&mut reader, table, &["vantage"], root)));
    }
    if let Some(list) = top.get("extfile").and_then(|value| reader.list(value, "`extfile`")) {
        if let Some(beyond) = list.get(EXTFILE_COUNT_MAX) {
            let what = format!("{} files are followed", list.len());
            let help = format!("at most {EXTFILE_COUNT_MAX}");
            reader.error("out-of-range", &beyond.span(), what, help);
        }
        let read = |value| read_extfile(&mut reader, value, &mut names, root);
        within.extfiles = list.iter().filter_map(read).collect();
    }
    let said = reader.finish();
    if has_error(&said) { Err(said) } else { Ok(within) }
}

fn read_extfile(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    names: &mut BTreeSet<Box<str>>,
    root: &Path,
) -> Option<Extfile> {
    const KEYS: [&str; 6] = ["path", "vantage", "pools", "direct", "def_down", "interval"];
    let table = reader.table(value, "an item of `extfile`")?;
    reader.only_keys(table, &KEYS, "[[extfile]]");
    let path = read_path(reader, value, table, root);
    let vantage = match table.get("vantage") {
        Some(name) => read_own_name(reader, name, names),
        None => {
            let help = "vantage = \"scripts\": the name under which /v1/health shows its words";
            reader.error("missing-key", &value.span(), "[[extfile]] without `vantage`", help);
            None
        }
    };
    let mut flag = |key: &str| {
        let value = table.get(key)?;
        reader.boolean(value, &format!("`{key}`"))
    };
    let (direct, def_down) = (flag("direct").unwrap_or(false), flag("def_down").unwrap_or(false));
    let pools = table.get("pools").and_then(|value| reader.full_list(value, "`pools`"));
    let pools = pools.unwrap_or_default().iter().filter_map(|v| reader.text(v, "a pool"));
    let pools = pools.map(Into::into).collect();
    let interval = table.get("interval");
    let interval = interval.and_then(|v| read_duration(reader, v, "`interval`", 1_000, 86_400_000));
    let interval = Duration::from_millis(interval.unwrap_or(INTERVAL_MILLIS));
    Some(Extfile { path: path?, vantage: vantage?, pools, direct, def_down, interval })
}

fn read_path(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    table: &DeTable<'_>,
    root: &Path,
) -> Option<PathBuf> {
    let Some(path) = table.get("path") else {
        let help = "path = \"/var/lib/gdnsd/extfile/ext1\"";
        reader.error("missing-key", &value.span(), "[[extfile]] without `path`", help);
        return None;
    };
    let text = reader.text(path, "`path`")?;
    if text.is_empty() {
        let help = "a path, relative to the folder of this file";
        reader.error("probe-text", &path.span(), "`path` is empty", help);
        return None;
    }
    Some(root.join(text))
}

/// A name that no other vantage of the file has.
fn read_own_name(
    reader: &mut Reader<'_>,
    value: &Value<'_>,
    names: &mut BTreeSet<Box<str>>,
) -> Option<Box<str>> {
    let name = read_name(reader, value)?;
    if !names.insert(name.clone()) {
        let help = "give each a name of its own";
        let what = format!("two vantages are called {name}");
        reader.error("vantage-twice", &value.span(), what, help);
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Within, Vec<Diagnostic>> {
        parse_within("homing.toml", text.as_bytes(), Path::new("/etc/homing"))
    }

    #[test]
    fn the_vantages_of_a_server_are_read() {
        let within = read("[site]\nname = \"a\"\n").unwrap();
        assert_eq!(within, Within::default());
        let text = "[probe]\nvantage = \"own\"\nkind = \"http\"\n\
            [[extfile]]\npath = \"ext1\"\nvantage = \"scripts\"\n\
            [[extfile]]\npath = \"/ext2\"\nvantage = \"more\"\npools = [\"web\"]\ndirect = true\n\
            def_down = true\ninterval = \"1s\"\n";
        let within = read(text).unwrap();
        let (name, probing) = within.probing.unwrap();
        assert_eq!(name.as_deref(), Some("own"));
        assert_eq!(probing.of_pool("web").unwrap().port, 80);
        let plain = Extfile {
            path: "/etc/homing/ext1".into(),
            vantage: "scripts".into(),
            pools: Vec::new(),
            direct: false,
            def_down: false,
            interval: Duration::from_secs(10),
        };
        let full = Extfile {
            path: "/ext2".into(),
            vantage: "more".into(),
            pools: vec!["web".into()],
            direct: true,
            def_down: true,
            interval: Duration::from_secs(1),
        };
        assert_eq!(within.extfiles, [plain, full]);
    }

    #[test]
    fn every_mistake_is_told_where_it_stands() {
        let text = "[probe]\nvantage = \"own\"\nprot = 1\n[[extfile]]\nvantage = \"own\"\n\
            [[extfile]]\npath = \"\"\ndirect = 1\nfile = \"x\"\ninterval = \"1ms\"\n";
        let said = read(text).unwrap_err();
        let found: Vec<_> = said.iter().map(|d| (d.place.line, d.code)).collect();
        let expected = [
            (3, "unknown-key"),
            (4, "missing-key"),
            (5, "vantage-twice"),
            (6, "missing-key"),
            (7, "probe-text"),
            (8, "wrong-type"),
            (9, "unknown-key"),
            (10, "out-of-range"),
        ];
        assert_eq!(found, expected, "{said:#?}");
    }
}
