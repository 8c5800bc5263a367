//! What gives alarm: one closed list, shared by status, API, metrics, alert rules, logs and the watch.
//!
//! A code is stable: alert rules and scripts match on it. The words beside it may improve.

use std::fmt;

/// Something that somebody should look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alarm {
    /// A pool is in panic.
    Panic,
    /// Nobody looks at endpoints of a pool any more.
    PoolFrozen,
    /// Too few look at endpoints of a pool.
    BelowQuorum,
    /// A vantage fell silent.
    VantageMissing,
    /// An override or a drain of what the files no longer know.
    Dangling,
    /// A region has more load than it may have, and no other has room.
    OverCapacity,
    /// Files are refused.
    FilesRefused,
    /// Zones were never loaded.
    ZoneBroken,
    /// The guard holds a change.
    ChangeHeld,
    /// A rollback's pin stands.
    Pinned,
    /// A geo database is refused.
    DatabaseRefused,
    /// A generation came after a later one.
    PublicationRefused,
    /// The event log could not be opened.
    LogUnopened,
    /// The event log cannot be written.
    LogUnwritable,
    /// Generations cannot be kept.
    GenerationsUnwritable,
    /// The disk of the state folder is nearly full.
    DiskLow,
    /// A TLS certificate is refused.
    CertificateRefused,
    /// The file of tokens is refused.
    TokensRefused,
    /// The webhook's receiver does not take what it is sent.
    WebhookFailing,
    /// Networks are asked for more than they get.
    ResponsesLimited,
    /// An operator took this site out of anycast.
    SiteDrained,
}

/// How much an alarm matters, in the words of alert rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Somebody should know: it is as an operator wished.
    Info,
    /// Somebody should look, in working hours.
    Warning,
    /// Somebody should look now.
    Critical,
}

/// What is told of an alarm.
struct Told {
    alarm: Alarm,
    code: &'static str,
    severity: Severity,
    /// What it means.
    text: &'static str,
    /// What to do.
    help: &'static str,
}

impl Alarm {
    /// Every alarm, in the order of the list.
    pub const ALL: [Alarm; TABLE.len()] = {
        let mut all = [Alarm::Panic; TABLE.len()];
        let mut i = 0;
        while i < TABLE.len() {
            assert!(TABLE[i].alarm as usize == i, "the table tells of each alarm, in order");
            all[i] = TABLE[i].alarm;
            i += 1;
        }
        assert!(TABLE.len() == Alarm::SiteDrained as usize + 1, "the table is whole");
        all
    };

    /// The stable code: lower case, words joined by hyphens.
    pub const fn code(self) -> &'static str {
        TABLE[self as usize].code
    }

    /// How much it matters.
    pub const fn severity(self) -> Severity {
        TABLE[self as usize].severity
    }

    /// What it means, in words that an operator would use.
    pub const fn text(self) -> &'static str {
        TABLE[self as usize].text
    }

    /// What to do.
    pub const fn help(self) -> &'static str {
        TABLE[self as usize].help
    }

    /// The alarm that `code` names.
    pub fn parse(code: &str) -> Option<Alarm> {
        Alarm::ALL.into_iter().find(|alarm| alarm.code() == code)
    }
}

impl Severity {
    /// The word that alert rules use.
    pub const fn word(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// What is told of each, in the order of the list.
const TABLE: [Told; 21] = [
    Told {
        alarm: Alarm::Panic,
        code: "panic",
        severity: Severity::Critical,
        text: "too much of a pool turned down at once; nothing in it turns down",
        help: "look whether the endpoints or the vantages fail; homing override '*/POOL' accept \
               believes the feed",
    },
    Told {
        alarm: Alarm::PoolFrozen,
        code: "pool-frozen",
        severity: Severity::Warning,
        text: "nobody looks at endpoints of a pool any more; their last verdicts hold",
        help: "start the vantages that looked at it; homing override decides meanwhile",
    },
    Told {
        alarm: Alarm::BelowQuorum,
        code: "below-quorum",
        severity: Severity::Warning,
        text: "fewer vantages than the quorum look at endpoints of a pool; their verdicts hold",
        help: "start more vantages, give each a token (names without one count as one), or lower \
               the quorum",
    },
    Told {
        alarm: Alarm::VantageMissing,
        code: "vantage-missing",
        severity: Severity::Warning,
        text: "a vantage fell silent",
        help: "start it, or look at its way to this server; 7 days after its last word it is forgotten",
    },
    Told {
        alarm: Alarm::Dangling,
        code: "dangling",
        severity: Severity::Warning,
        text: "an override or a drain is of something that the files no longer know",
        help: "homing override SUBJECT --clear, or homing undrain REGION; or bring it back to the files",
    },
    Told {
        alarm: Alarm::OverCapacity,
        code: "over-capacity",
        severity: Severity::Critical,
        text: "a region has more load than it may have, and no other region has room",
        help: "add capacity, or raise `capacity` in geo/regions.toml if there is more",
    },
    Told {
        alarm: Alarm::FilesRefused,
        code: "files-refused",
        severity: Severity::Warning,
        text: "files are refused; their last good forms serve",
        help: "homing check names file, line and column",
    },
    Told {
        alarm: Alarm::ZoneBroken,
        code: "zone-broken",
        severity: Severity::Critical,
        text: "zones were never loaded and answer SERVFAIL",
        help: "homing check names file, line and column",
    },
    Told {
        alarm: Alarm::ChangeHeld,
        code: "change-held",
        severity: Severity::Warning,
        text: "the guard holds a change that takes many names away",
        help: "homing status names the zones; homing accept serves it, an edit takes it back",
    },
    Told {
        alarm: Alarm::Pinned,
        code: "pinned",
        severity: Severity::Info,
        text: "a rollback stands: it serves whatever the files say",
        help: "mend the files, then homing resume",
    },
    Told {
        alarm: Alarm::DatabaseRefused,
        code: "database-refused",
        severity: Severity::Warning,
        text: "a geo database is refused; the one before it serves",
        help: "homing check says why; download it again",
    },
    Told {
        alarm: Alarm::PublicationRefused,
        code: "publication-refused",
        severity: Severity::Critical,
        text: "an older state of the files came after a newer one and was not served",
        help: "this is a fault of homing: please report it with the log",
    },
    Told {
        alarm: Alarm::LogUnopened,
        code: "log-unopened",
        severity: Severity::Critical,
        text: "the event log could not be opened; reports and decisions are refused",
        help: "mend what the alarm names, then restart",
    },
    Told {
        alarm: Alarm::LogUnwritable,
        code: "log-unwritable",
        severity: Severity::Critical,
        text: "the event log cannot be written; reports are refused, verdicts hold",
        help: "free space in state/, or mend the disk: it goes on by itself",
    },
    Told {
        alarm: Alarm::GenerationsUnwritable,
        code: "generations-unwritable",
        severity: Severity::Warning,
        text: "states of files cannot be kept; they serve, and a restart would not find them",
        help: "free space in state/, or mend the disk: it goes on by itself",
    },
    Told {
        alarm: Alarm::DiskLow,
        code: "disk-low",
        severity: Severity::Warning,
        text: "the disk of state/ is nearly full",
        help: "free space; [history] in homing.toml bounds what is kept",
    },
    Told {
        alarm: Alarm::CertificateRefused,
        code: "certificate-refused",
        severity: Severity::Critical,
        text: "a TLS certificate is refused; the one before it serves",
        help: "renew the certificate, or mend the files that [listen] names",
    },
    Told {
        alarm: Alarm::TokensRefused,
        code: "tokens-refused",
        severity: Severity::Critical,
        text: "the file of tokens cannot be read; those of before hold, others are refused",
        help: "mend state/tokens.json, or remove it and make new ones: homing token add",
    },
    Told {
        alarm: Alarm::WebhookFailing,
        code: "webhook-failing",
        severity: Severity::Warning,
        text: "the receiver of [webhook] does not take what it is sent",
        help: "look at the receiver; what waits is sent again",
    },
    Told {
        alarm: Alarm::ResponsesLimited,
        code: "responses-limited",
        severity: Severity::Warning,
        text: "queries over UDP from some networks, or forged in their name, are more than their limit",
        help: "a flood in somebody's name ends by itself; a resolver that is meant to ask so much \
               goes into exempt of [rate_limit] in homing.toml",
    },
    Told {
        alarm: Alarm::SiteDrained,
        code: "site-drained",
        severity: Severity::Info,
        text: "an operator took this site out of anycast",
        help: "homing site undrain",
    },
];

#[cfg(test)]
mod tests {
    use super::Alarm;

    #[test]
    fn every_alarm_has_a_code_of_its_own_and_says_what_to_do() {
        for alarm in Alarm::ALL {
            assert_eq!(Alarm::parse(alarm.code()), Some(alarm));
            assert!(!alarm.text().is_empty() && !alarm.help().is_empty(), "{alarm}");
            let readme = include_str!("../README.md");
            assert!(readme.contains(&format!("`{alarm}`")), "{alarm} is not in README.md");
        }
    }
}
