//! Which files may be read and written, with all beneath them (Landlock, landlock(7)). Nothing may be executed, and no
//! TCP port be bound.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

use crate::load::Config;
use crate::probe::Within;

/// What the C library and TLS read: names and addresses of receivers and endpoints, whom to trust, how many cores there are.
const SYSTEM: [&str; 12] = [
    "/etc",
    "/usr",
    "/lib",
    "/lib64",
    "/run/systemd/resolve",
    "/run/nscd",
    "/proc/self",
    "/proc/sys",
    "/sys/devices/system/cpu",
    "/sys/fs/cgroup",
    "/dev/null",
    "/dev/urandom",
];

/// The newest that we know the meaning of; of an older kernel we get what it has.
const KNOWN: ABI = ABI::V6;

/// Bounds them for all threads to come, and tells how far; none: this kernel cannot.
pub fn bound(config: &Config, within: &Within) -> Result<Option<&'static str>, String> {
    let status = restrict(config, within).map_err(|error| {
        format!("files cannot be bounded: {error}; `landlock = false` in [sandbox] goes without")
    })?;
    Ok(match status {
        RulesetStatus::FullyEnforced => Some("on"),
        RulesetStatus::PartiallyEnforced => Some("on, as far as this kernel can"),
        RulesetStatus::NotEnforced => None,
    })
}

fn restrict(config: &Config, within: &Within) -> Result<RulesetStatus, RulesetError> {
    // The folder of the log, so that it is there to be named.
    let _ = std::fs::create_dir_all(&config.state);
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(KNOWN))?
        .handle_access(AccessNet::BindTcp)?
        .scope(Scope::Signal)?
        .create()?;
    let ruleset = allow(ruleset, readable(config, within), read)?;
    let ruleset = allow(ruleset, SYSTEM.map(PathBuf::from).into(), read)?;
    let write = AccessFs::from_all(KNOWN) & !AccessFs::Execute;
    let ruleset = allow(ruleset, vec![config.state.clone()], write)?;
    Ok(ruleset.restrict_self()?.ruleset)
}

/// Allows what of `paths` is there.
fn allow(
    mut ruleset: RulesetCreated,
    paths: Vec<PathBuf>,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, RulesetError> {
    for path in paths {
        let Ok(opened) = PathFd::new(&path) else { continue };
        let access = if path.is_dir() { access } else { access & AccessFs::from_file(KNOWN) };
        ruleset = ruleset.add_rule(PathBeneath::new(opened, access))?;
    }
    Ok(ruleset)
}

/// The folders of all that the configuration names: a file is replaced by another of its name, so that it is its folder
/// which must be named.
fn readable(config: &Config, within: &Within) -> Vec<PathBuf> {
    let mut paths = config.sandbox.read.clone();
    for folder in [&config.zones, &config.geo] {
        paths.extend(with_link(folder));
    }
    // Databases lie where their makers' tools put them, with a link from here.
    let entries = std::fs::read_dir(&config.geo).into_iter().flatten().filter_map(Result::ok);
    let links = entries.map(|entry| entry.path()).filter(|path| path.is_symlink());
    paths.extend(links.filter_map(|link| Some(link.canonicalize().ok()?.parent()?.to_owned())));
    let pairs = [&config.api_tls, &config.dns_tls].into_iter().flatten();
    let mut files: Vec<&Path> = within.files().collect();
    files.extend(pairs.flat_map(|pair| [pair.certificate.as_path(), &pair.key]));
    files.extend(config.file.as_deref());
    if let Some(webhook) = &config.webhook {
        files.extend(webhook.secret_file.iter().chain(&webhook.ca).map(PathBuf::as_path));
    }
    for file in files {
        paths.extend(file.parent().map(in_words));
        // Behind a link lies another folder.
        let target = file.canonicalize().ok();
        paths.extend(target.as_deref().and_then(Path::parent).map(Path::to_owned));
    }
    paths
}

/// A folder; where it is a link, the folder of what it points to as well, so that it may point to another beside that.
fn with_link(folder: &Path) -> Vec<PathBuf> {
    let mut paths = vec![folder.to_owned()];
    if !folder.exists() {
        paths.extend(folder.parent().map(in_words));
    } else if folder.is_symlink() {
        let target = folder.canonicalize().ok();
        paths.extend(target.as_deref().and_then(Path::parent).map(Path::to_owned));
    }
    paths
}

/// The empty path is this folder.
fn in_words(path: &Path) -> PathBuf {
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::ErrorKind::PermissionDenied;
    use std::net::TcpListener;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn state_is_written_what_is_configured_is_read_and_nothing_else_is() {
        let (root, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let outside = elsewhere.path().join("secret");
        fs::write(&outside, "s").unwrap();
        let databases = tempfile::tempdir().unwrap();
        fs::write(databases.path().join("city.mmdb"), "m").unwrap();
        for folder in ["zones", "geo"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        fs::write(root.path().join("zones/a.zone"), "z").unwrap();
        symlink(databases.path().join("city.mmdb"), root.path().join("geo/city.mmdb")).unwrap();
        let config = Config::defaults(root.path());
        // In a thread of its own, so that nothing else is bounded.
        let bounded = std::thread::spawn(move || {
            assert_ne!(restrict(&config, &Within::default()).unwrap(), RulesetStatus::NotEnforced);
            let denied =
                |done: std::io::Result<()>| assert_eq!(done.unwrap_err().kind(), PermissionDenied);
            fs::write(config.state.join("new"), "n").unwrap();
            fs::rename(config.state.join("new"), config.state.join("old")).unwrap();
            fs::remove_file(config.state.join("old")).unwrap();
            fs::read(config.zones.join("a.zone")).unwrap();
            fs::read_dir(&config.zones).unwrap();
            fs::read(config.geo.join("city.mmdb")).unwrap();
            denied(fs::write(config.zones.join("b.zone"), "z"));
            denied(fs::remove_file(config.zones.join("a.zone")));
            denied(fs::read(&outside).map(drop));
            denied(fs::write(&outside, "x"));
            denied(TcpListener::bind("127.0.0.1:0").map(drop));
        });
        bounded.join().unwrap();
    }
}
