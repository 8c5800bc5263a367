//! What the process gives up once it has its sockets: `[sandbox]`.

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::route::Reader;

/// What an operator asks of the sandbox. What a kernel lacks is told, and is no error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxTerms {
    /// The user that the process becomes; none: it stays who started it.
    pub user: Option<String>,
    /// Whether Landlock bounds which files may be read and written.
    pub landlock: bool,
    /// What may be read beside what the configuration names, with all beneath.
    pub read: Vec<PathBuf>,
    /// Whether a seccomp filter bounds the system calls.
    pub seccomp: bool,
}

impl Default for SandboxTerms {
    fn default() -> SandboxTerms {
        SandboxTerms { user: None, landlock: true, read: Vec::new(), seccomp: true }
    }
}

/// Reads `[sandbox]`; paths in it are relative to `root`.
pub(super) fn read_sandbox(
    terms: &mut SandboxTerms,
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    root: &Path,
) {
    reader.only_keys(table, &["user", "landlock", "read", "seccomp"], "[sandbox]");
    if let Some(value) = table.get("user")
        && let Some(user) = reader.text(value, "`user`")
    {
        if user.is_empty() || user == "root" {
            let help = "name a user that owns `state` and may read the files, such as \"homing\"";
            let what = format!("`user` is {user:?}, which gives nothing up");
            reader.error("sandbox-user", &value.span(), what, help);
        }
        terms.user = Some(user.to_owned());
    }
    let switches = [("landlock", &mut terms.landlock), ("seccomp", &mut terms.seccomp)];
    for (key, switch) in switches {
        if let Some(value) = table.get(key) {
            *switch = reader.boolean(value, &format!("`{key}`")).unwrap_or(*switch);
        }
    }
    if let Some(value) = table.get("read") {
        let list = reader.list(value, "`read`").unwrap_or_default();
        let paths = list.iter().filter_map(|value| reader.text(value, "a path of `read`"));
        terms.read = paths.map(|path| root.join(path)).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Config;

    fn read(text: &str) -> Result<SandboxTerms, Vec<&'static str>> {
        let read = Config::parse("homing.toml", text.as_bytes(), Path::new("/srv"));
        let codes =
            |said: Vec<crate::diagnostic::Diagnostic>| said.iter().map(|d| d.code).collect();
        read.map(|config| config.sandbox).map_err(codes)
    }

    #[test]
    fn all_is_on_unless_it_is_said() {
        assert_eq!(read(""), Ok(SandboxTerms::default()));
        let all = "[sandbox]\nuser = \"homing\"\nlandlock = false\nseccomp = false\n\
                   read = [\"releases\", \"/var/lib/GeoIP\"]";
        let wanted = SandboxTerms {
            user: Some("homing".to_owned()),
            landlock: false,
            read: vec!["/srv/releases".into(), "/var/lib/GeoIP".into()],
            seccomp: false,
        };
        assert_eq!(read(all), Ok(wanted));
        assert_eq!(read("[sandbox]\nuser = \"root\""), Err(vec!["sandbox-user"]));
        assert_eq!(read("[sandbox]\nusr = \"homing\"").unwrap_err().len(), 1);
    }
}
