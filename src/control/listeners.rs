//! What is listened on at the start: what a service manager opened, and what this process opens itself.

use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use crate::load::Config;
use crate::serve::Inherited;

/// How long an address may be taken at the start. A guess: a killed server of many GiB is gone by then.
const TAKEN_MAX: Duration = Duration::from_secs(1);

/// What the service manager opened; each must be of an address that is configured.
pub fn inherit(config: &Config) -> Result<Inherited, String> {
    let inherited = Inherited::take()
        .map_err(|error| format!("a socket that was handed over cannot be used: {error}"))?;
    let used = [&config.dns[..], &config.dot, &config.doh, &config.doq, &[config.api]].concat();
    match inherited.unused(&used) {
        None => Ok(inherited),
        Some(address) => Err(format!(
            "a socket for {address} was handed over, and [listen] of homing.toml has no such address: \
             add it there, or take it out of the socket unit"
        )),
    }
}

/// Listens where the API is asked.
pub fn listen_api(address: SocketAddr, inherited: &Inherited) -> Result<TcpListener, String> {
    let refused = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AddrInUse => format!(
            "cannot serve the API on {address}: another program has this address; stop it, or \
             change `api` in [listen] of homing.toml"
        ),
        _ => format!("cannot serve the API on {address}: {error}"),
    };
    let is_taken = |error: &std::io::Error| error.kind() == std::io::ErrorKind::AddrInUse;
    let listener = match inherited.tcp(address).map_err(refused)? {
        Some(listener) => listener,
        None => patiently(|| TcpListener::bind(address), is_taken).map_err(refused)?,
    };
    listener.set_nonblocking(true).map_err(refused)?;
    Ok(listener)
}

/// Tries again for a little while what is wanted is taken: a server that was killed a moment ago holds its addresses until
/// the kernel has let go of its memory.
pub fn patiently<T, E>(
    attempt: impl Fn() -> Result<T, E>,
    is_taken: impl Fn(&E) -> bool,
) -> Result<T, E> {
    let begun = Instant::now();
    loop {
        match attempt() {
            Err(error) if is_taken(&error) && begun.elapsed() < TAKEN_MAX => {
                thread::sleep(Duration::from_millis(20));
            }
            outcome => return outcome,
        }
    }
}
