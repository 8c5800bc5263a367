//! `$INCLUDE` (RFC 1035 §5.1): which files a zone file names, and where they may lie.
//!
//! A path is relative to the folder of the file that includes, else to `zones/`. It never leaves `zones/`.

/// Files that one file may include: a guess, far above any zone that was ever written.
const INCLUDE_COUNT_MAX: usize = 1024;

/// The paths, as a `FileSet` knows them, that `written` may mean in the file `includer`, best first.
pub fn candidates(written: &str, includer: &str) -> Result<Vec<String>, String> {
    if written.starts_with('/') {
        return Err(format!("`{written}` is an absolute path: a zone includes from zones/ only"));
    }
    let folder = includer.rsplit_once('/').map_or("zones", |(folder, _)| folder);
    let mut paths = vec![joined(folder, written)?];
    if folder != "zones"
        && let Ok(path) = joined("zones", written)
        && !paths.contains(&path)
    {
        paths.push(path);
    }
    Ok(paths)
}

fn joined(folder: &str, written: &str) -> Result<String, String> {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in written.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.len() > 1 => drop(parts.pop()),
            ".." => return Err(format!("`{written}` leaves zones/")),
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

/// What the `$INCLUDE` lines of `text` name. A line within a quoted string that looks like one is taken too: it makes a
/// file known that nobody asks for, and does no harm.
pub(super) fn named_in(text: &[u8]) -> Vec<String> {
    let mut named = Vec::new();
    // Few files have any, and large ones fewest: they are not cut into lines for it.
    for at in memchr::memchr_iter(b'$', text) {
        let (before, line) = text.split_at(at);
        let start = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
        if !before[start..].trim_ascii().is_empty() {
            continue;
        }
        let line = line.split(|&b| b == b'\n').next().unwrap_or_default().trim_ascii();
        let Some(rest) = line.strip_prefix(b"$").and_then(after_keyword) else { continue };
        if let Some(path) = first_word(rest)
            && !named.contains(&path)
            && named.len() < INCLUDE_COUNT_MAX
        {
            named.push(path);
        }
    }
    named
}

fn after_keyword(line: &[u8]) -> Option<&[u8]> {
    let (keyword, rest) = line.split_at_checked(b"INCLUDE".len())?;
    let blank = rest.first().is_some_and(u8::is_ascii_whitespace);
    (keyword.eq_ignore_ascii_case(b"INCLUDE") && blank).then_some(rest)
}

/// The first word of a line, quoted or bare, without its quotes and backslashes.
fn first_word(line: &[u8]) -> Option<String> {
    let line = line.trim_ascii_start();
    let (quoted, line) = match line.strip_prefix(b"\"") {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let mut word = Vec::new();
    let mut bytes = line.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' => word.push(*bytes.next()?),
            b'"' if quoted => break,
            b';' | b' ' | b'\t' | b'\r' if !quoted => break,
            byte => word.push(byte),
        }
    }
    String::from_utf8(word).ok().filter(|w| !w.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_in_zones() {
        let found = |written, includer| candidates(written, includer);
        assert_eq!(found("a.inc", "zones/x.zone").unwrap(), ["zones/a.inc"]);
        assert_eq!(found("a.inc", "zones/sub/x.zone").unwrap(), ["zones/sub/a.inc", "zones/a.inc"]);
        assert_eq!(found("../a.inc", "zones/sub/x.zone").unwrap(), ["zones/a.inc"]);
        assert_eq!(found("./b//a.inc", "zones/x.zone").unwrap(), ["zones/b/a.inc"]);
        assert!(found("../a.inc", "zones/x.zone").is_err());
        assert!(found("b/../../a.inc", "zones/x.zone").is_err());
        assert!(found("/etc/passwd", "zones/x.zone").is_err());
    }

    #[test]
    fn include_lines_are_found_in_any_dress() {
        let text = b"$TTL 1\n$INCLUDE a.inc ; why\n  $include\t\"b c.inc\" sub\n$INCLUDED x\n\
                     www TXT \"$INCLUDE no\"\n$INCLUDE a.inc\r\n$INCLUDE d\\;e\n$INCLUDE\n";
        assert_eq!(named_in(text), ["a.inc", "b c.inc", "d;e"]);
    }
}
