//! `homing init`: a starter tree with comments. It is this project's own example, so that there is one copy of it.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use super::args::InitArgs;
use super::failure::Failure;
use super::paint::print;

/// The files, and what is in them.
const TREE: [(&str, &str); 4] = [
    ("homing.toml", HOMING_TOML),
    ("zones/example.com.zone", include_str!("../../zones/example.com.zone")),
    ("zones/example.com.toml", include_str!("../../zones/example.com.toml")),
    ("geo/regions.toml", include_str!("../../geo/regions.toml")),
];

/// Writes the tree; refuses to write over anything.
pub fn run(args: &InitArgs) -> Result<u8, Failure> {
    write_tree(&args.dir)?;
    let dir = args.dir.display();
    let mut text = String::new();
    for (path, _) in TREE {
        text.push_str(&format!("wrote {}\n", args.dir.join(path).display()));
    }
    text.push_str(&format!("\nnext: homing check {dir}\n      homing serve {dir}\n"));
    print(&text);
    Ok(0)
}

fn write_tree(dir: &Path) -> Result<(), Failure> {
    for (path, _) in TREE {
        let path = dir.join(path);
        if path.symlink_metadata().is_ok() {
            let line = format!("{} exists already; nothing was written", path.display());
            return Err(Failure::refused(line));
        }
    }
    for (path, text) in TREE {
        let path = dir.join(path);
        write_new(&path, text).map_err(|e| {
            Failure::cannot_run(format!("{} cannot be written: {e}", path.display()))
        })?;
    }
    Ok(())
}

fn write_new(path: &Path, text: &str) -> Result<(), std::io::Error> {
    let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}

/// Every value is the default; what has none is shown as a comment.
const HOMING_TOML: &str = r#"# homing.toml: what this process is told about itself.
# Every value here is the default, and may be left out.

[site]
name     = "local"                 # NSID, id.server and hostname.bind
# position = [50.11, 8.68]         # latitude, longitude: used for clients whose place is unknown

[listen]
dns   = ["127.0.0.1:5300", "[::1]:5300"]
api   = "127.0.0.1:8053"
cores = 0                          # threads that answer UDP; 0 is one for each CPU

[files]                            # relative to this file's folder
zones = "zones"
geo   = "geo"
state = "state"

[health]                           # [pools.X.health] in a steering file overrides any of it
quorum         = 1                 # fresh vantages that must hold an opinion
rise           = 2                 # rounds of one vantage before its opinion turns up
fall           = 1                 # ... and down
interval       = "10s"             # how often a vantage is expected; stale after three
hold_down      = "0s"              # shortest time between two turns of a verdict
failback       = "at once"         # or "after 5m", or "by hand"
start          = "up"              # the verdict of an endpoint never reported on
at_least       = 1                 # regions of a pool that must stay eligible
max_down_share = 0.5               # more of a pool turning down within 60 s is disbelieved

[guard]                            # a change that takes more names away is held: homing accept
max_removed_share = 0.5            # of the names of one zone, or of all; 1.0 holds nothing
min_removed       = 10             # fewer names may always go

[history]                          # published states of files, for homing log and homing rollback
generations = 1000                 # that are kept; the two newest always are
size_mib    = 4096                 # that they may take on the disk
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("new");
        assert!(write_tree(&dir).is_ok());
        assert!(dir.join("geo/regions.toml").is_file());
        fs::write(dir.join("homing.toml"), "mine").unwrap();
        assert_eq!(write_tree(&dir).unwrap_err().code, 1);
        assert_eq!(fs::read_to_string(dir.join("homing.toml")).unwrap(), "mine");
    }
}
