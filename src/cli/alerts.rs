//! `homing alerts`: alert rules for Prometheus, made of the closed list of alarms, so that none is forgotten.

use crate::alarm::{Alarm, Severity};

use super::args::AlertsArgs;
use super::failure::Failure;
use super::paint::print;

/// A certificate that ends sooner than this wants to be renewed, in days.
const CERTIFICATE_DAYS: u32 = 14;

/// One rule.
struct Rule<'t> {
    /// The alert's name, in the manner of Prometheus.
    name: &'t str,
    /// What is looked at; the alert stands while it gives anything.
    expr: String,
    /// How long it must stand.
    wait: &'t str,
    severity: Severity,
    summary: String,
    /// What to do.
    help: &'t str,
}

/// Prints the rules.
pub fn run(args: &AlertsArgs) -> Result<u8, Failure> {
    if args.job.contains(['"', '\\']) || args.job.contains(char::is_control) {
        return Err(Failure::cannot_run(format!("{:?} is no job_name of Prometheus", args.job)));
    }
    print(&rules(&args.job));
    Ok(0)
}

fn rules(job: &str) -> String {
    let mut text = format!(
        "# Alert rules for Prometheus, of homing {}. Written by homing alerts --job {job:?}: write them\n\
         # anew after an upgrade instead of editing them.\n\
         groups:\n  - name: homing\n    rules:\n",
        env!("CARGO_PKG_VERSION")
    );
    for rule in of_servers(job) {
        rule.write(&mut text);
    }
    for alarm in Alarm::ALL {
        let name = format!("Homing{}", camel(alarm.code()));
        // What is as an operator wished may stand a while before anybody is told.
        let wait = if alarm.severity() == Severity::Info { "1h" } else { "1m" };
        let rule = Rule {
            name: &name,
            expr: format!("homing_alarm{{job=\"{job}\",alarm=\"{alarm}\"}} == 1"),
            wait,
            severity: alarm.severity(),
            summary: format!("{}, says {{{{ $labels.instance }}}}", alarm.text()),
            help: alarm.help(),
        };
        rule.write(&mut text);
    }
    text
}

/// What a server that is gone, or that looks away, cannot give alarm for itself.
fn of_servers(job: &str) -> [Rule<'static>; 5] {
    [
        Rule {
            name: "HomingGone",
            expr: format!("up{{job=\"{job}\"}} == 0"),
            wait: "1m",
            severity: Severity::Critical,
            summary: "{{ $labels.instance }} does not answer for its metrics".to_owned(),
            help: "look whether the machine and the process live; their log says why not",
        },
        Rule {
            name: "HomingNotReady",
            expr: format!("homing_ready{{job=\"{job}\"}} == 0"),
            wait: "5m",
            severity: Severity::Warning,
            summary: "{{ $labels.instance }} is not ready: routers should not send it queries"
                .to_owned(),
            help: "GET /readyz says why; homing site undrain, if an operator took it out",
        },
        ending("HomingCertificateEnds", "api", "the API", job),
        ending("HomingDotCertificateEnds", "dot", "DNS over TLS", job),
        Rule {
            name: "HomingUdpReceiveErrors",
            expr: format!("rate(homing_udp_receive_errors_total{{job=\"{job}\"}}[5m]) > 0"),
            wait: "5m",
            severity: Severity::Warning,
            summary: "{{ $labels.instance }} cannot receive queries".to_owned(),
            help: "look at the log of the server and of the kernel",
        },
    ]
}

/// That the certificate of a service ends soon.
fn ending<'t>(name: &'t str, service: &str, words: &str, job: &str) -> Rule<'t> {
    Rule {
        name,
        expr: format!(
            "homing_{service}_certificate_expires_timestamp_seconds{{job=\"{job}\"}} - time() < \
             {CERTIFICATE_DAYS} * 86400"
        ),
        wait: "1h",
        severity: Severity::Warning,
        summary: format!(
            "the certificate of {words} of {{{{ $labels.instance }}}} ends within {CERTIFICATE_DAYS} days"
        ),
        help: "renew the files that [listen] names: they are read again by themselves",
    }
}

impl Rule<'_> {
    /// Writes it as YAML. A string of JSON is one of YAML too, whatever it holds.
    fn write(&self, text: &mut String) {
        let Rule { name, expr, wait, severity, summary, help } = self;
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        text.push_str(&format!(
            "      - alert: {name}\n        expr: {}\n        for: {wait}\n        labels:\n          \
             severity: {}\n        annotations:\n          summary: {}\n          description: {}\n",
            quoted(expr),
            severity.word(),
            quoted(summary),
            quoted(help),
        ));
    }
}

/// `pool-frozen` as `PoolFrozen`.
fn camel(code: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_ascii_uppercase() + rest
    };
    code.split('-').map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alarm_has_a_rule_with_a_name_of_its_own() {
        let text = rules("dns");
        for alarm in Alarm::ALL {
            let expr = format!(r#"expr: "homing_alarm{{job=\"dns\",alarm=\"{alarm}\"}} == 1""#);
            assert!(text.contains(&expr), "{expr}");
        }
        let names: Vec<&str> =
            text.lines().filter_map(|l| l.split_once("alert: ")).map(|(_, n)| n).collect();
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!((names.len(), distinct.len()), (Alarm::ALL.len() + 5, Alarm::ALL.len() + 5));
        assert!(text.contains("alert: HomingPoolFrozen\n"), "{text}");
    }

    #[test]
    fn a_name_that_would_break_out_of_the_rule_is_refused() {
        let refused = |job: &str| run(&AlertsArgs { job: job.to_owned() }).is_err();
        assert!(refused("a\"} or up{") && refused("a\\") && refused("a\nb"));
    }
}
