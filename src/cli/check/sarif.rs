//! SARIF 2.1.0, as code hosts show it beside the lines. Levels are named as ours are.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::diagnostic::{Check, Diagnostic, find};
use crate::load::Config;

/// What was found, in one line.
pub fn sarif(said: &[Diagnostic], config: Option<&Config>) -> String {
    // §3.19.23: each rule once, in order of first use.
    let mut rules: Vec<&Check> = Vec::new();
    for check in said.iter().filter_map(|diagnostic| find(diagnostic.code)) {
        if !rules.contains(&check) {
            rules.push(check);
        }
    }
    let index = |code: &str| rules.iter().position(|check| check.code == code);
    let results: Vec<Value> =
        said.iter().map(|diagnostic| result(diagnostic, index(diagnostic.code), config)).collect();
    let driver = json!({
        "name": "homing",
        "version": env!("CARGO_PKG_VERSION"),
        "rules": rules.iter().map(|check| rule(check)).collect::<Vec<Value>>(),
    });
    let body = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": driver },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{body}\n")
}

fn rule(check: &Check) -> Value {
    let Check { code, title, why, wrong, right, clause, .. } = check;
    let text = format!("{why}\n\nWrong:\n{wrong}\n\nRight:\n{right}\n\nSee {clause}.");
    let markdown =
        format!("{why}\n\n```\n{wrong}\n```\n\nbetter:\n\n```\n{right}\n```\n\nSee {clause}.");
    json!({
        "id": code,
        "shortDescription": { "text": title },
        "fullDescription": { "text": why },
        "help": { "text": text, "markdown": markdown },
        "defaultConfiguration": { "level": check.severity().word() },
    })
}

fn result(diagnostic: &Diagnostic, rule: Option<usize>, config: Option<&Config>) -> Value {
    let place = &diagnostic.place;
    let uri = uri(&on_disk(&place.file, config));
    let mut location = json!({ "artifactLocation": { "uri": uri } });
    // §3.30: lines and columns count from 1; a region is left out where the whole file is meant.
    if place.line > 0 {
        let column = place.column.max(1);
        location["region"] = json!({ "startLine": place.line, "startColumn": column });
    }
    let parts = [&diagnostic.message, &diagnostic.consequence, &diagnostic.help];
    let told: Vec<&str> = parts.into_iter().filter(|p| !p.is_empty()).map(String::as_str).collect();
    let mut result = json!({
        "ruleId": diagnostic.code,
        "level": diagnostic.severity.word(),
        "message": { "text": told.join("; ") },
        "locations": [{ "physicalLocation": location }],
    });
    if let Some(index) = rule {
        result["ruleIndex"] = index.into();
    }
    result
}

/// Where a file really is, as seen from here: `zones/` and `geo/` are what we call the folders of the configuration.
fn on_disk(file: &str, config: Option<&Config>) -> String {
    let folders = config.map(|c| [("zones/", &c.zones), ("geo/", &c.geo)]);
    let real = folders.into_iter().flatten().find_map(|(name, folder)| {
        let below = file.strip_prefix(name)?;
        Some(folder.join(below))
    });
    let real = real.unwrap_or_else(|| PathBuf::from(file));
    // Code hosts know paths from the top of a checkout, which is where they run us.
    let here = std::env::current_dir().unwrap_or_default();
    real.strip_prefix(&here).unwrap_or(Path::new(&real)).display().to_string()
}

/// A path as a relative reference (RFC 3986): what is not unreserved or a slash is percent-encoded.
fn uri(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Place;

    #[test]
    fn results_have_their_rule_and_their_place() {
        let place = Place::at("zones/ex ample.zone", 3, 8);
        let said = [
            Diagnostic::error("bad-address", place, "not an address"),
            Diagnostic::warning("restart-needed", Place::file("homing.toml"), "odd"),
            Diagnostic::error("bad-address", Place::file("zones/b.zone"), "not an address"),
        ];
        let config = Config::defaults(Path::new("dns"));
        let sarif: Value = serde_json::from_str(&sarif(&said, Some(&config))).unwrap();
        let run = &sarif["runs"][0];
        let results = &run["results"];
        let place = &results[0]["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "dns/zones/ex%20ample.zone");
        assert_eq!(place["region"]["startColumn"], 8);
        assert_eq!(
            (&results[0]["level"], &results[1]["level"]),
            (&json!("error"), &json!("warning"))
        );
        assert!(results[1]["locations"][0]["physicalLocation"].get("region").is_none());
        let indexes: Vec<&Value> =
            results.as_array().unwrap().iter().map(|r| &r["ruleIndex"]).collect();
        assert_eq!(indexes, [0, 1, 0]);
        let rules = &run["tool"]["driver"]["rules"];
        assert_eq!(
            (&rules[0]["id"], &rules[1]["id"]),
            (&json!("bad-address"), &json!("restart-needed"))
        );
        assert!(rules[0]["help"]["text"].as_str().unwrap().contains("192.0.2.999"));
    }
}
