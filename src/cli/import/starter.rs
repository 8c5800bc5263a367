//! What stands beside imported zones: a homing.toml with what could be carried over, and where regions are written. Files of
//! these names that are there already stay as they are.

use std::path::Path;

use crate::cli::failure::Failure;
use crate::cli::folder::Files;
use crate::load::{CONFIG_FILE, Config};

use super::foreign::Foreign;

const REGIONS: &str = "geo/regions.toml";

/// Whether zones can be put into `dir`: the homing.toml there has to keep them in `zones`, as we do.
pub fn fits(dir: &Path) -> Result<(), Failure> {
    let config = Config::find(dir).map_err(|said| {
        let said: Vec<String> = said.iter().map(ToString::to_string).collect();
        Failure::refused(format!("{}\nnothing was written", said.join("\n")))
    })?;
    if config.zones == dir.join("zones") {
        return Ok(());
    }
    let zones = config.zones.display();
    let line = format!(
        "{} keeps zones in {zones}, not in zones/; import into another folder",
        dir.display()
    );
    Err(Failure::refused(line))
}

/// The files that are not there yet.
pub fn files(dir: &Path, source: &Path, foreign: &Foreign) -> Files {
    let all = [(CONFIG_FILE, configuration(source, foreign)), (REGIONS, REGIONS_TOML.to_owned())];
    let missing = all.into_iter().filter(|(path, _)| dir.join(path).symlink_metadata().is_err());
    missing.map(|(path, text)| (path.to_owned(), text.into_bytes())).collect()
}

fn configuration(source: &Path, foreign: &Foreign) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let source = source.display().to_string();
    let name = match &foreign.site_name {
        Some(name) => format!("name = {}", quoted(name)),
        None => "# name = \"local\"                 # NSID, id.server and hostname.bind".to_owned(),
    };
    let mut text = format!(
        "# homing.toml: what this process is told about itself. All that is left out is the default.\n\
         # Imported from {}\n\n\
         [site]\n{name}\n\
         # position = [50.11, 8.68]         # latitude, longitude: for clients whose place is unknown\n\n\
         [listen]\n\
         # To try it beside the other server; then give it the addresses of that one.\n\
         dns = [\"127.0.0.1:5300\", \"[::1]:5300\"]\n",
        source.escape_debug()
    );
    if !foreign.listen.is_empty() {
        let mut listen = foreign.listen.clone();
        listen.sort();
        listen.dedup();
        let listen: Vec<String> = listen.iter().map(|address| quoted(address)).collect();
        text.push_str(&format!("# dns = [{}]\n", listen.join(", ")));
    }
    text
}

const REGIONS_TOML: &str = r#"# geo/regions.toml: where applications run. Nothing is steered before regions stand here.
#
# [fra]
# name     = "Frankfurt"
# position = [50.11, 8.68]         # latitude, longitude
#
# Then, in zones/example.com.toml:
#
# [pools.web]
# fra = ["192.0.2.10"]
# [policies.web]
# pool = "web"
# [routes."example.com"]
# "www" = "web"
"#;
