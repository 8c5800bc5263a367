//! `homing unit`: units for systemd, made of the configuration, so that they allow what it needs and nothing else.

use std::fmt::Write as _;
use std::path::Path;

use crate::load::Config;

use super::args::UnitArgs;
use super::failure::Failure;
use super::paint::print;

/// The service; what is between two @ is filled in.
const SERVICE: &str = include_str!("unit/homing.service");

/// Folders below this are made by systemd, and given to the user.
const STATE_HOME: &str = "/var/lib";

/// Prints the unit.
pub fn run(args: &UnitArgs) -> Result<u8, Failure> {
    let shown = args.config.display();
    let path = std::path::absolute(&args.config)
        .map_err(|error| Failure::cannot_run(format!("{shown}: {error}")))?;
    let config = Config::load(&path).map_err(|said| {
        Failure::cannot_run(said.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })?;
    if args.socket {
        print(&socket(&config));
        return Ok(0);
    }
    let binary = std::env::current_exe()
        .map_err(|error| Failure::cannot_run(format!("the path of this program: {error}")))?;
    let words = [binary, path, config.state.clone()];
    if let Some(odd) = words.iter().find(|path| !is_plain(path)) {
        let what =
            format!("systemd would read {} as something else; choose a plain path", odd.display());
        return Err(Failure::cannot_run(what));
    }
    let [binary, path, state] = &words;
    let is_name = |user: &str| user.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if args.user.is_empty() || !is_name(&args.user) {
        return Err(Failure::cannot_run(format!("{:?} is no name of a user", args.user)));
    }
    print(&service(binary, path, state, &args.user));
    Ok(0)
}

/// Whether a path means itself in a unit: no blanks, quotes, specifiers or variables.
fn is_plain(path: &Path) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "/._-+@".contains(c);
    path.to_str().is_some_and(|text| text.chars().all(plain))
}

fn service(binary: &Path, config: &Path, state: &Path, user: &str) -> String {
    let state = match state.strip_prefix(STATE_HOME) {
        Ok(below) if below.components().next().is_some() => {
            format!("StateDirectory={}\nStateDirectoryMode=0700", below.display())
        }
        _ => format!("ReadWritePaths={}", state.display()),
    };
    SERVICE
        .replace("@BINARY@", &binary.display().to_string())
        .replace("@CONFIG@", &config.display().to_string())
        .replace("@STATE@", &state)
        .replace("@USER@", user)
}

fn socket(config: &Config) -> String {
    let mut text = String::from(
        "# Written by homing unit --socket: write it anew when [listen] changes. systemd keeps the sockets open while the\n\
         # server restarts; each has one for all cores.\n\
         [Unit]\nDescription=sockets of homing\n\n[Socket]\nBindIPv6Only=ipv6-only\nReceiveBuffer=4M\n",
    );
    for address in &config.dns {
        let _ = writeln!(text, "ListenDatagram={address}\nListenStream={address}");
    }
    for address in &config.doq {
        let _ = writeln!(text, "ListenDatagram={address}");
    }
    for address in config.dot.iter().chain(&config.doh).chain([&config.api]) {
        let _ = writeln!(text, "ListenStream={address}");
    }
    text.push_str("\n[Install]\nWantedBy=sockets.target\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_may_write_its_state_and_nothing_is_left_to_fill_in() {
        let write = |state: &str| {
            let (binary, config) =
                (Path::new("/usr/bin/homing"), Path::new("/etc/homing/homing.toml"));
            service(binary, config, Path::new(state), "dns")
        };
        let text = write("/var/lib/homing");
        assert!(text.contains("StateDirectory=homing\n") && text.contains("User=dns\n"), "{text}");
        assert!(
            text.contains("ExecStart=/usr/bin/homing serve --config /etc/homing/homing.toml\n")
        );
        assert!(write("/srv/homing/state").contains("ReadWritePaths=/srv/homing/state\n"));
        let left =
            text.lines().find(|line| line.contains('@') && !line.contains("SystemCallFilter"));
        assert_eq!(left, None);
        assert!(!is_plain(Path::new("/srv/my zones")) && !is_plain(Path::new("/srv/%n")));
    }

    #[test]
    fn every_address_has_its_sockets() {
        let mut config = Config::defaults(Path::new("/srv"));
        config.dot = vec!["[::]:853".parse().unwrap()];
        let text = socket(&config);
        let streams = text.lines().filter(|line| line.starts_with("ListenStream=")).count();
        let packets = text.lines().filter(|line| line.starts_with("ListenDatagram=")).count();
        assert_eq!((streams, packets), (4, 2));
        assert!(text.contains("ListenStream=[::]:853\n"));
    }
}
