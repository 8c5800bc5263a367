//! The sandbox: what the process gives up once it has its sockets, so that whoever gets into it gets nothing else.
//!
//! Owns: the order, which is user and capabilities, no new privileges, files (Landlock), system calls (seccomp).
//! What the operator asked for and the system refuses ends the start; what the kernel lacks is told, and serves on.
//! Enter it before any thread starts: what a thread gives up, only those that it starts give up as well.

mod calls;
mod files;
mod user;

use rustix::fs::Mode;

use crate::load::Config;
use crate::probe::Within;

/// What was given up, and is left, as `status` tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sandbox {
    /// Who the process is.
    pub user: String,
    /// The capabilities that are left (capabilities(7)).
    pub capabilities: Vec<String>,
    /// Whether no program that it starts could gain privileges (`PR_SET_NO_NEW_PRIVS`).
    pub no_new_privileges: bool,
    /// Whether files are bounded, in a few words.
    pub landlock: &'static str,
    /// Whether system calls are, likewise.
    pub seccomp: &'static str,
}

/// A layer that the operator turned off.
const OFF: &str = "off";
/// A layer that is not to be had here.
const LACKING: &str = "not on this system";

/// Gives up what `[sandbox]` of `config` says, but what it and `within` need.
///
/// # Errors
///
/// The user is not known, may not be become, or does not own `state`; or the kernel has a layer and refuses it. Each says
/// how to mend it.
pub fn enter(config: &Config, within: &Within) -> Result<Sandbox, String> {
    // What is written into state/ is nobody else's to read: reports, tokens, the secret of cookies.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let terms = &config.sandbox;
    if let Some(name) = &terms.user {
        user::become_user(name, &config.state)?;
    }
    let capabilities = user::give_up_capabilities()?;
    let no_new_privileges = rustix::thread::set_no_new_privs(true).is_ok();
    let landlock =
        if terms.landlock { files::bound(config, within)?.unwrap_or(LACKING) } else { OFF };
    let seccomp = if terms.seccomp { calls::bound()?.unwrap_or(LACKING) } else { OFF };
    Ok(Sandbox { user: user::name(), capabilities, no_new_privileges, landlock, seccomp })
}
