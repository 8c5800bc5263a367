//! `homing export --flatten`: no name is lost, every other server reads it, and it answers as the folder did.

use std::fs;
use std::path::Path;

use crate::servers::{content, has};
use crate::support::homing;
use crate::{copy, files, golden, here};

/// The examples of this project.
fn examples() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for folder in ["zones", "geo"] {
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &root.path().join(folder));
    }
    root
}

fn export(root: &Path, more: &[&str], code: i32) -> String {
    let mut all = vec!["export", "--flatten", "--into", "flat"];
    all.extend(more);
    let run = homing(root, &all);
    let said = String::from_utf8_lossy(&run.stdout) + String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(code), "{said}");
    said.into_owned()
}

/// Zones and steering for each way in which a routed name gets its records.
const ZONE: &str = "$TTL 300\n@ SOA ns1 hostmaster 1 7200 3600 1209600 300\n@ NS ns1\nns1 A 192.0.2.1\n\
    kept A 192.0.2.7\nmail MX 10 mx.example.net.\nodd\\.name TXT \"semi;colon \\\"quoted\\\"\" \\007\n";
const STEERING: &str = r#"
[pools.web]
iad = ["198.51.100.10"]
fra = ["192.0.2.11", "2001:db8::11", "192.0.2.10"]
[pools.four]
fra = ["192.0.2.10"]
iad = ["2001:db8::12"]
[pools.names]
fra = ["lb1.fra.example.net.", "lb2.fra.example.net."]
[policies.web]
pool = "web"
ttl  = { min = 10, max = 45 }
[policies.four]
pool = "four"
[policies.names]
pool = "names"
[routes."example.test"]
"@"      = "web"
"kept"   = "web"
"mail"   = "four"
"*.apps" = "web"
"cdn"    = "names"
"#;
const REGIONS: &str = "[fra]\nposition = [50.11, 8.68]\n[iad]\nposition = [39.04, -77.49]\n";

fn steered() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("zones/example.test.zone", ZONE),
        ("zones/example.test.toml", STEERING),
        ("geo/regions.toml", REGIONS),
    ] {
        fs::create_dir_all(root.path().join(path).parent().unwrap()).unwrap();
        fs::write(root.path().join(path), text).unwrap();
    }
    root
}

#[test]
fn no_routed_name_is_lost() {
    let root = steered();
    export(root.path(), &[], 0);
    golden("export.txt", &fs::read_to_string(root.path().join("flat/example.test.zone")).unwrap());
}

#[test]
fn what_was_exported_imports_again_as_it_is() {
    let root = examples();
    export(root.path(), &[], 0);
    fs::rename(root.path().join("zones"), root.path().join("before")).unwrap();
    fs::create_dir(root.path().join("zones")).unwrap();
    copy(&root.path().join("flat"), &root.path().join("zones"));
    let flat: Vec<String> = files(&root.path().join("flat"));
    let read = |path: &String| fs::read_to_string(root.path().join("flat").join(path)).unwrap();
    let once: Vec<String> = flat.iter().map(read).collect();
    let said = export(root.path(), &["--force"], 0);
    assert!(
        said.contains(&format!("0 files written to flat, {} files as they were", flat.len())),
        "{said}"
    );
    assert_eq!(once, flat.iter().map(read).collect::<Vec<_>>());
}

#[test]
fn a_folder_with_errors_is_not_exported() {
    let root = steered();
    fs::write(root.path().join("zones/example.test.zone"), format!("{ZONE}x A 1.2.3\n")).unwrap();
    let said = export(root.path(), &[], 1);
    assert!(
        said.contains("zones/example.test.zone:8:5") && said.contains("nothing was written"),
        "{said}"
    );
    assert!(!root.path().join("flat").exists());
}

#[test]
fn other_servers_read_it() {
    let every_type = tempfile::tempdir().unwrap();
    fs::create_dir(every_type.path().join("zones")).unwrap();
    fs::copy(here().join("types.zone"), every_type.path().join("zones/t.test.zone")).unwrap();
    for root in [examples(), steered(), every_type] {
        export(root.path(), &[], 0);
        for file in files(&root.path().join("flat")) {
            let zone = file.strip_suffix(".zone").unwrap();
            let path = format!("flat/{file}");
            if has("named-checkzone") {
                content("named-checkzone", root.path(), &["-i", "none", zone, &path]);
            }
            if has("nsd-checkzone") {
                content("nsd-checkzone", root.path(), &[zone, &path]);
            }
            if has("kzonecheck") {
                content("kzonecheck", root.path(), &["-o", zone, &path]);
            }
        }
    }
}
