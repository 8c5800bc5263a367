//! How a terminal is written: columns that line up, colours only where somebody sees them.

use std::io::IsTerminal;

use crate::diagnostic::Severity;

/// A colour, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// As it is.
    Plain,
    /// Of less weight.
    Dim,
    /// A heading.
    Bold,
    /// Good.
    Green,
    /// Of concern.
    Yellow,
    /// Bad.
    Red,
}

impl Colour {
    /// The colour of a severity.
    pub fn of(severity: Severity) -> Colour {
        match severity {
            Severity::Error => Colour::Red,
            Severity::Warning => Colour::Yellow,
            Severity::Note => Colour::Plain,
        }
    }
}

/// Writes with colours, or without.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    colours: bool,
}

impl Paint {
    /// Colours if standard output is a terminal that wants them (<https://no-color.org>).
    pub fn for_stdout() -> Paint {
        Paint::for_terminal(std::io::stdout().is_terminal())
    }

    /// The same for standard error.
    pub fn for_stderr() -> Paint {
        Paint::for_terminal(std::io::stderr().is_terminal())
    }

    fn for_terminal(is_terminal: bool) -> Paint {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
            || std::env::var_os("TERM").is_some_and(|v| v == "dumb");
        Paint { colours: !refused && is_terminal }
    }

    /// No colours: as tests read it.
    #[cfg(test)]
    pub const fn plain() -> Paint {
        Paint { colours: false }
    }

    /// `text` in `colour`.
    pub fn text(self, colour: Colour, text: &str) -> String {
        let code = match colour {
            Colour::Plain => return text.to_owned(),
            Colour::Dim => "2",
            Colour::Bold => "1",
            Colour::Green => "32",
            Colour::Yellow => "33",
            Colour::Red => "31",
        };
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Cells that line up in columns, two spaces apart; the last column is not padded.
#[derive(Debug, Default)]
pub struct Columns {
    rows: Vec<Vec<(String, Colour)>>,
}

impl Columns {
    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [(&str, Colour); N]) {
        self.rows.push(cells.into_iter().map(|(text, c)| (text.to_owned(), c)).collect());
    }

    /// All rows, indented by two.
    pub fn render(&self, paint: Paint) -> String {
        let count = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|(text, _)| text.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..count).map(width).collect();
        let mut out = String::new();
        for row in &self.rows {
            let mut line = String::from("  ");
            for (i, ((text, colour), width)) in row.iter().zip(&widths).enumerate() {
                line.push_str(&paint.text(*colour, text));
                if i + 1 < row.len() {
                    let pad = width.saturating_sub(text.chars().count()) + 2;
                    line.push_str(&" ".repeat(pad));
                }
            }
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

/// A body on one line, as the API writes it.
pub fn json(body: &impl serde::Serialize) -> String {
    serde_json::to_string(body).map_or_else(|error| error.to_string(), |text| format!("{text}\n"))
}

/// Whether somebody reads standard output as it is written.
pub fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// `1 zone`, `2 zones`.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// `38 %`, `3.8 %`, `<0.1 %`.
pub fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent <= 0.0 => "0 %".to_owned(),
        percent if percent < 0.1 => "<0.1 %".to_owned(),
        percent if percent < 9.95 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    }
}

/// `1,230 km`.
pub fn distance(km: u32) -> String {
    match km {
        0..1000 => format!("{km} km"),
        _ => format!("{},{:03} km", km / 1000, km % 1000),
    }
}

/// Writes `text` to standard output; a reader that went away is no error.
pub fn print(text: &str) {
    print_bytes(text.as_bytes());
}

/// The same for text of any encoding.
pub fn print_bytes(text: &[u8]) {
    use std::io::Write;
    let _ = std::io::stdout().lock().write_all(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut columns = Columns::default();
        columns.row([("fra", Colour::Plain), ("up", Colour::Green), ("since ever", Colour::Dim)]);
        columns.row([("frankfurt", Colour::Plain), ("down", Colour::Red), ("", Colour::Dim)]);
        let expected = "  fra        up    since ever\n  frankfurt  down\n";
        assert_eq!(columns.render(Paint::plain()), expected);
    }
}
