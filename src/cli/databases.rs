//! Geo databases by the files that hold them, as the sides of a comparison name them.

use std::path::{Path, PathBuf};

use crate::fileset::{self, File};

use super::failure::Failure;

/// What `text` names, if it is databases: one file, several with commas between, or a folder of nothing else.
pub fn parse(text: &str) -> Option<Vec<PathBuf>> {
    let files: Vec<PathBuf> = text.split(',').map(PathBuf::from).collect();
    if files.iter().all(|path| is_database(path) && path.is_file()) {
        return Some(files);
    }
    let folder = Path::new(text);
    if folder.join("zones").is_dir() || folder.join("homing.toml").is_file() {
        return None;
    }
    let found = within(folder);
    (!found.is_empty()).then_some(found)
}

/// The databases of a folder, in order of their names.
pub fn within(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| is_database(path)).collect();
    found.sort();
    found
}

fn is_database(path: &Path) -> bool {
    path.to_str().is_some_and(fileset::is_database)
}

/// The files as they would stand in geo/.
pub fn read(paths: &[PathBuf]) -> Result<Vec<(String, File)>, Failure> {
    let one = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let bytes = std::fs::read(path).map_err(|error| {
            Failure::cannot_run(format!("{} cannot be read: {error}", path.display()))
        })?;
        Ok((format!("geo/{name}"), File::new(bytes)))
    };
    paths.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_files_or_a_folder_of_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        for name in ["a.mmdb", "b.mmdb", "x.csv"] {
            std::fs::write(path(name), "x").unwrap();
        }
        let text = |names: &[&str]| -> String {
            let paths: Vec<String> =
                names.iter().map(|name| path(name).display().to_string()).collect();
            paths.join(",")
        };
        assert_eq!(parse(&text(&["a.mmdb"])), Some(vec![path("a.mmdb")]));
        assert_eq!(parse(&text(&["b.mmdb", "a.mmdb"])), Some(vec![path("b.mmdb"), path("a.mmdb")]));
        assert_eq!(parse(&text(&["a.mmdb", "c.mmdb"])), None);
        assert_eq!(parse(&text(&["x.csv"])), None);
        assert_eq!(parse(&text(&["."])), Some(vec![path("./a.mmdb"), path("./b.mmdb")]));
        // A folder to serve is a state of files.
        std::fs::create_dir(path("zones")).unwrap();
        assert_eq!(parse(&text(&["."])), None);
    }
}
