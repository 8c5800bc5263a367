//! A look at the few files that a watch told of, in place of one at all of a million.
//!
//! Owns: when that is enough. Where a path may mean more than the one file at it, all is looked at.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Reader, Scan, Walk, is_ignored, now_secs};
use crate::load::config::Config;

/// What a path that was told of means.
enum Meaning {
    /// Nothing that is read.
    None,
    /// This zone file, as `zones/…`, came or changed.
    Zone(String),
    /// More than that.
    More,
}

impl Reader {
    /// What stands if nothing changed since the last look but at `paths`, which lie in the real folders, without links.
    /// None where all has to be looked at.
    pub fn glance<'p>(
        &mut self,
        config: &Config,
        paths: impl IntoIterator<Item = &'p PathBuf>,
    ) -> Option<Scan> {
        let last = self.last.take()?;
        let root = fs::canonicalize(&config.zones).ok()?;
        let mut walk = Walk::new(&self.known, &self.motion);
        for path in paths {
            match meaning(path, &root, &last) {
                Meaning::None => {}
                Meaning::Zone(name) => {
                    let below = path.strip_prefix(&root).ok()?;
                    walk.file(&config.zones.join(below), &name, None);
                    walk.scan.files.get(&name)?;
                }
                Meaning::More => return None,
            }
        }
        if !walk.is_plain() || !walk.scan.problems.is_empty() {
            return None;
        }
        let Walk { seen, scan, .. } = walk;
        self.known.extend(seen);
        let mut files = last.files;
        files
            .files
            .extend(scan.files.files.iter().map(|(name, file)| (name.clone(), file.clone())));
        let scan = Scan { files, at_secs: now_secs(), ..last };
        self.last = Some(scan.clone());
        Some(scan)
    }
}

/// What the `path` below the real folder of zones means, where the last look found what `last` tells, without links.
fn meaning(path: &Path, root: &Path, last: &Scan) -> Meaning {
    let below =
        path.strip_prefix(root).ok().and_then(Path::to_str).filter(|below| !below.is_empty());
    let Some(below) = below else { return Meaning::More };
    let name = format!("zones/{below}");
    let found = fs::symlink_metadata(path).map(|meta| meta.file_type());
    if found.as_ref().is_ok_and(|kind| !kind.is_file()) || name.ends_with(".toml") {
        // A folder that came, a link.
        return Meaning::More;
    }
    let is_ours = name.ends_with(".zone") && !below.split('/').any(is_ignored);
    match found {
        Ok(_) if is_ours => Meaning::Zone(name),
        Ok(_) => Meaning::None,
        Err(_) if last.files.get(&name).is_some() => Meaning::More,
        // A folder that went, with what was in it.
        Err(_) if last.files.files.below(&format!("{name}/")).next().is_some() => Meaning::More,
        Err(_) => Meaning::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct World {
        folder: tempfile::TempDir,
        config: Config,
        reader: Reader,
    }

    impl World {
        fn new(files: &[&str]) -> World {
            let folder = tempfile::tempdir().unwrap();
            let config = Config::defaults(folder.path());
            let mut world = World { folder, config, reader: Reader::default() };
            files.iter().for_each(|name| world.write(name, "one"));
            world.reader.scan(&world.config);
            world
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().canonicalize().unwrap().join(name)
        }

        fn write(&mut self, name: &str, text: &str) {
            fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
            fs::write(self.path(name), text).unwrap();
        }

        fn glance(&mut self, names: &[&str]) -> Option<Scan> {
            let paths: Vec<PathBuf> = names.iter().map(|name| self.path(name)).collect();
            self.reader.glance(&self.config, &paths)
        }

        /// What a glance at `names` finds is what a look at all finds.
        fn assert_glance_is_enough(&mut self, names: &[&str]) {
            let glance = self.glance(names).expect("a glance is enough");
            assert_eq!(glance.files, Reader::default().scan(&self.config).files);
        }
    }

    #[test]
    fn what_came_and_what_changed_is_all_that_is_read() {
        let mut world = World::new(&["zones/a.zone", "zones/team/b.zone"]);
        world.write("zones/a.zone", "two");
        world.write("zones/team/c.zone", "new");
        world.write("zones/a.zone~", "one");
        let told = ["zones/a.zone", "zones/team/c.zone", "zones/a.zone~", "zones/.a.tmp"];
        world.assert_glance_is_enough(&told);
        world.write("zones/team/b.zone", "two");
        // Nobody told of it.
        let blind = world.glance(&["zones/a.zone"]).unwrap();
        assert_eq!(&*blind.files.get("zones/team/b.zone").unwrap().bytes, b"one");
        world.assert_glance_is_enough(&["zones/team/b.zone"]);
    }

    #[test]
    fn what_may_mean_more_is_looked_at_as_a_whole() {
        let more = |change: &dyn Fn(&mut World), told: &str| {
            let mut world = World::new(&["zones/a.zone", "zones/team/b.zone", "geo/regions.toml"]);
            change(&mut world);
            let glance = world.glance(&[told]);
            assert!(glance.is_none(), "{told}");
            world.reader.scan(&world.config);
            let after = world.glance(&[]).is_some();
            assert_eq!(after, !told.contains("link") && !told.contains("inc"), "{told}");
        };
        more(&|world| fs::remove_file(world.path("zones/a.zone")).unwrap(), "zones/a.zone");
        more(
            &|world| fs::rename(world.path("zones/team"), world.path("elsewhere")).unwrap(),
            "zones/team",
        );
        more(&|world| world.write("zones/new/c.zone", "one"), "zones/new");
        more(&|world| world.write("zones/a.toml", ""), "zones/a.toml");
        more(&|world| world.write("geo/regions.toml", "two"), "geo/regions.toml");
        more(&|_| (), "zones");
        more(&|_| (), "homing.toml");
        let link = |world: &mut World| {
            std::os::unix::fs::symlink(world.path("zones/a.zone"), world.path("zones/link.zone"))
        };
        more(&|world| link(world).unwrap(), "zones/link.zone");
        more(&|world| world.write("zones/inc.zone", "$INCLUDE x\n"), "zones/inc.zone");
    }
}
