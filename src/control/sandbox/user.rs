//! Who the process is, and what that one may.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::path::Path;

use caps::{CapSet, Capability, CapsHashSet};
use nix::unistd::{Uid, User, geteuid, initgroups, setgid, setuid};

/// What root keeps where no user was named: files of others are read, as before.
const ROOT_KEEPS: Capability = Capability::CAP_DAC_OVERRIDE;

/// Becomes `name`, with its groups, in all threads; `state` becomes its, if there is none yet.
pub fn become_user(name: &str, state: &Path) -> Result<(), String> {
    let refused = |error: nix::Error| format!("cannot become the user {name}: {error}");
    let user = User::from_name(name).map_err(refused)?.ok_or_else(|| {
        format!(
            "this system has no user {name}, whom [sandbox] names: \
             useradd --system --no-create-home --shell /usr/sbin/nologin {name}"
        )
    })?;
    if geteuid() == user.uid {
        return Ok(());
    }
    if !geteuid().is_root() {
        return Err(format!(
            "only root can become the user {name}: start it as root or as {name}, or take `user` out of [sandbox]"
        ));
    }
    hand_over(state, &user)?;
    narrow_bounding_set()?;
    let groups = std::ffi::CString::new(name).map_err(|_| "a user's name has no NUL".to_owned())?;
    initgroups(&groups, user.gid).map_err(refused)?;
    setgid(user.gid).map_err(refused)?;
    setuid(user.uid).map_err(refused)
}

/// Makes `state` where there is none; what is there must be the user's already.
fn hand_over(state: &Path, user: &User) -> Result<(), String> {
    let shown = state.display();
    let failed =
        |error: std::io::Error| format!("{shown} cannot be given to {}: {error}", user.name);
    if !state.exists() {
        DirBuilder::new().recursive(true).mode(0o700).create(state).map_err(failed)?;
        return chown(state, Some(user.uid.as_raw()), Some(user.gid.as_raw())).map_err(failed);
    }
    let is_theirs = |path: &Path| fs::metadata(path).map(|found| found.uid() == user.uid.as_raw());
    let entries = fs::read_dir(state).map_err(failed)?;
    let mut paths = vec![state.to_owned()];
    paths.extend(entries.filter_map(Result::ok).map(|entry| entry.path()));
    match paths.iter().find(|path| !is_theirs(path).unwrap_or(false)) {
        None => Ok(()),
        Some(path) => Err(format!(
            "{} does not belong to {name}, as whom the server is to run: chown -R {name}: {shown}",
            path.display(),
            name = user.name
        )),
    }
}

/// Keeps what root needs to read files, where this is root, and nothing where not; gives the names of what is left.
pub fn give_up_capabilities() -> Result<Vec<String>, String> {
    let failed =
        |error: caps::errors::CapsError| format!("capabilities cannot be given up: {error}");
    narrow_bounding_set()?;
    let permitted = caps::read(None, CapSet::Permitted).map_err(failed)?;
    let kept: CapsHashSet =
        permitted.into_iter().filter(|it| geteuid().is_root() && *it == ROOT_KEEPS).collect();
    caps::clear(None, CapSet::Inheritable).map_err(failed)?;
    caps::set(None, CapSet::Effective, &kept).map_err(failed)?;
    caps::set(None, CapSet::Permitted, &kept).map_err(failed)?;
    Ok(kept.iter().map(ToString::to_string).collect())
}

/// What no program started from here could have again. Only who has `CAP_SETPCAP` can narrow it; others have no use for it.
fn narrow_bounding_set() -> Result<(), String> {
    let failed =
        |error: caps::errors::CapsError| format!("capabilities cannot be given up: {error}");
    if !caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP).map_err(failed)? {
        return Ok(());
    }
    let bounding = caps::read(None, CapSet::Bounding).map_err(failed)?;
    for capability in bounding.into_iter().filter(|it| *it != ROOT_KEEPS) {
        caps::drop(None, CapSet::Bounding, capability).map_err(failed)?;
    }
    Ok(())
}

/// The name of who this is, or the number where it has none.
pub fn name() -> String {
    let uid: Uid = geteuid();
    let user = User::from_uid(uid).ok().flatten();
    user.map_or_else(|| uid.to_string(), |user| user.name)
}
