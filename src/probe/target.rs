//! What is looked at: endpoints, each with its way.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::health::Member;

use super::settings::{Check, Patch, Probing, Settings};
use super::tls::{Credence, Credences};

/// One endpoint, and how it is looked at.
#[derive(Clone, Debug)]
pub struct Target {
    /// Of what the look tells.
    pub member: Arc<Member>,
    /// Where it is.
    pub(super) place: Place,
    pub(super) settings: Arc<Settings>,
    pub(super) credence: Option<Credence>,
}

/// Where an endpoint is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Address(IpAddr),
    /// To be resolved with each look.
    Name(Box<str>),
}

/// Collects what is looked at.
#[derive(Default)]
pub struct Targets {
    found: BTreeMap<Arc<Member>, Target>,
    by_pool: BTreeMap<Box<str>, Option<Arc<Settings>>>,
    credences: Credences,
}

impl Targets {
    /// Adds an endpoint, looked at as its pool is. One that is there stays as it is.
    pub fn add(&mut self, member: Member, probing: &Probing) {
        let of_pool = self.by_pool.get(&member.pool).cloned().unwrap_or_else(|| {
            let settings = probing.of_pool(&member.pool).map(Arc::new);
            self.by_pool.insert(member.pool.clone(), settings.clone());
            settings
        });
        if let Some(settings) = of_pool {
            self.insert(member, None, settings);
        }
    }

    /// Adds an endpoint that sets something apart, and may be looked at elsewhere than where it is.
    pub fn add_apart(&mut self, member: Member, at: Option<&str>, own: &Patch, probing: &Probing) {
        if let Some(settings) = own.over(&probing.patch_of(&member.pool)).settings() {
            self.insert(member, at, Arc::new(settings));
        }
    }

    fn insert(&mut self, member: Member, at: Option<&str>, settings: Arc<Settings>) {
        let credence = match &settings.check {
            Check::Https(_, trust) => Some(self.credences.of(trust)),
            Check::Tcp | Check::Http(_) | Check::Dns(_) => None,
        };
        let place = Place::of(at.unwrap_or(&member.address));
        let member = Arc::new(member);
        let target = Target { member: Arc::clone(&member), place, settings, credence };
        self.found.entry(member).or_insert(target);
    }

    /// Why handshakes cannot be made, where they cannot.
    pub fn troubles(&self) -> Vec<String> {
        self.credences.troubles()
    }

    /// All of them, in the order of their subjects.
    pub fn finish(self) -> Vec<Target> {
        self.found.into_values().collect()
    }
}

impl Target {
    /// The Host of a request, and the name that TLS asks for, where `host` is what the settings say.
    pub(super) fn host<'h>(&'h self, host: Option<&'h str>) -> String {
        match (host, &self.place) {
            (Some(host), _) => host.to_owned(),
            (None, Place::Name(name)) => name.trim_end_matches('.').to_owned(),
            (None, Place::Address(address)) => address.to_string(),
        }
    }

    /// Whether another look at `other` is the same look.
    pub(super) fn is_as(&self, other: &Target) -> bool {
        self.member == other.member && self.place == other.place && self.settings == other.settings
    }
}

impl Place {
    fn of(text: &str) -> Place {
        match text.parse() {
            Ok(address) => Place::Address(address),
            Err(_) => Place::Name(text.into()),
        }
    }
}
