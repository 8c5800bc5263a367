//! The text format of Prometheus (version 0.0.4): families of samples, each with its help.

use std::fmt::{Display, Write};

/// Text under way.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
    family: &'static str,
}

/// What kind of metric a family is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
}

impl Exposition {
    /// Begins a family; samples follow.
    pub fn family(&mut self, name: &'static str, kind: Kind, help: &str) -> &mut Exposition {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        self.family = name;
        // Writing to a String does not fail.
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        self
    }

    /// A sample of the family begun last.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) -> &mut Exposition {
        self.text.push_str(self.family);
        for (i, (name, text)) in labels.iter().enumerate() {
            self.text.push(if i == 0 { '{' } else { ',' });
            self.text.push_str(name);
            self.text.push_str("=\"");
            for c in text.chars() {
                match c {
                    '\\' => self.text.push_str("\\\\"),
                    '"' => self.text.push_str("\\\""),
                    '\n' => self.text.push_str("\\n"),
                    other => self.text.push(other),
                }
            }
            self.text.push('"');
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
        self
    }

    /// A family with one sample and no labels.
    pub fn single(&mut self, name: &'static str, kind: Kind, help: &str, value: impl Display) {
        self.family(name, kind, help).sample(&[], value);
    }

    /// The text.
    pub fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_written_as_prometheus_reads_it() {
        let mut text = Exposition::default();
        text.family("homing_queries_total", Kind::Counter, "Queries received.")
            .sample(&[("transport", "udp"), ("note", "a \"b\"\\\n")], 7)
            .sample(&[], 0.5);
        assert_eq!(
            text.finish(),
            "# HELP homing_queries_total Queries received.\n# TYPE homing_queries_total counter\n\
             homing_queries_total{transport=\"udp\",note=\"a \\\"b\\\"\\\\\\n\"} 7\n\
             homing_queries_total 0.5\n"
        );
    }
}
