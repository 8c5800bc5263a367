//! The secrets of our DNS cookies: as homing.toml has them, else one of our own that survives a restart.
//!
//! Never: writes a secret anywhere but into its file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use data_encoding::HEXLOWER;

use crate::answer::{CookieSecret, CookieSecrets};
use crate::load::Config;

/// The file's name within `state/`: 32 hexadecimal digits, as homing.toml takes them.
const FILE: &str = "cookie-secret";

/// The secrets to start with. None only where the system has no randomness: then cookies are not spoken.
pub fn secrets(config: &Config) -> Option<CookieSecrets> {
    if let Some(written) = &config.cookies {
        return Some(written.clone());
    }
    let current = match kept(&config.state) {
        Ok(secret) => secret,
        Err(error) => {
            let file = config.state.join(FILE);
            let file = file.display();
            tracing::warn!(event = "cookie-secret-unkept", %file, %error, "drawn for this process");
            match drawn() {
                Ok(octets) => CookieSecret::new(octets),
                Err(error) => {
                    tracing::error!(event = "cookie-secret-undrawn", %error, "without cookies");
                    return None;
                }
            }
        }
    };
    Some(CookieSecrets { current, previous: None })
}

/// The secret in the folder `state`; at the first start one is drawn.
fn kept(state: &Path) -> io::Result<CookieSecret> {
    let path = state.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) => CookieSecret::parse(text.trim_end()).ok_or_else(|| {
            io::Error::new(ErrorKind::InvalidData, "not 32 hexadecimal digits; remove the file")
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let octets = drawn()?;
            keep(&path, &octets)?;
            Ok(CookieSecret::new(octets))
        }
        Err(error) => Err(error),
    }
}

/// Writes the secret whole or not at all, for no other user to read.
fn keep(path: &Path, octets: &[u8; 16]) -> io::Result<()> {
    let folder = path.parent().ok_or(ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    let aside = path.with_extension("part");
    // One that is left over may have another mode.
    let _ = fs::remove_file(&aside);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
    file.write_all(format!("{}\n", HEXLOWER.encode(octets)).as_bytes())?;
    file.sync_all()?;
    fs::rename(&aside, path)?;
    File::open(folder)?.sync_all()
}

fn drawn() -> io::Result<[u8; 16]> {
    let mut octets = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut octets)?;
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_kept_and_for_us_alone() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::defaults(folder.path());
        let first = secrets(&config).unwrap();
        let path = config.state.join(FILE);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(secrets(&config), Some(first.clone()));
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(CookieSecret::parse(text.trim_end()), Some(first.current.clone()));
        fs::remove_file(&path).unwrap();
        assert_ne!(secrets(&config), Some(first));
    }

    #[test]
    fn an_unusable_file_is_left_alone_and_a_secret_drawn() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::defaults(folder.path());
        fs::create_dir_all(&config.state).unwrap();
        fs::write(config.state.join(FILE), "short\n").unwrap();
        assert_ne!(secrets(&config).unwrap(), secrets(&config).unwrap());
        assert_eq!(fs::read(config.state.join(FILE)).unwrap(), b"short\n");
    }

    #[test]
    fn what_is_written_in_the_configuration_holds() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::defaults(folder.path());
        let current = CookieSecret::new([1; 16]);
        config.cookies = Some(CookieSecrets { current, previous: None });
        assert_eq!(secrets(&config), config.cookies);
        assert!(!config.state.exists());
    }
}
