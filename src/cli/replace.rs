//! A file replaced whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

/// Puts `new` in the place of the file at `path`, if that still holds `old`. Links are followed: what they lead to is
/// replaced. Permissions stay, and the owner where we may set it.
///
/// # Errors
///
/// Those of the disk, and one if the file no longer holds `old`; the file is then as it was.
pub fn replace(path: &Path, old: &[u8], new: &[u8]) -> io::Result<()> {
    let real = fs::canonicalize(path)?;
    let aside = Aside::beside(&real)?;
    let meta = fs::metadata(&real)?;
    aside.write(new, &meta)?;
    if fs::read(&real)? != old {
        return Err(io::Error::other("it changed meanwhile"));
    }
    fs::rename(&aside.path, &real)?;
    File::open(real.parent().unwrap_or(Path::new(".")))?.sync_all()
}

/// A file on its way; gone unless it was renamed.
struct Aside {
    path: PathBuf,
}

impl Aside {
    /// Its name is hidden, so that nobody takes it for a zone.
    fn beside(real: &Path) -> io::Result<Aside> {
        let name = real.file_name().ok_or(ErrorKind::InvalidInput)?.to_string_lossy();
        Ok(Aside { path: real.with_file_name(format!(".{name}.fmt-{}", std::process::id())) })
    }

    fn write(&self, bytes: &[u8], like: &fs::Metadata) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(&self.path)?;
        file.write_all(bytes)?;
        // Only root may give a file away; a group of ours may be kept.
        let kept = fchown(&file, Some(like.uid()), Some(like.gid()));
        kept.or_else(|_| fchown(&file, None, Some(like.gid()))).ok();
        file.set_permissions(fs::Permissions::from_mode(like.mode()))?;
        file.sync_all()
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // After the rename there is nothing left to remove.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_permissions_stay() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a.zone"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("a.zone", &link).unwrap();
        replace(&link, b"old", b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(replace(&link, b"old", b"newer").is_err());
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
