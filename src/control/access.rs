//! Access: which tokens hold now, and what whoever asks may do.
//!
//! Owns: the tokens in force, the look at their file once a second, what a request is to the rest of the API: a [`Caller`].
//! A file that is broken changes nothing: what held before holds on, and an alarm stands. Before the first good one nobody
//! is admitted.

use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;

use crate::alarm::Alarm;
use crate::health::{Identity, Subject};
use crate::history::{Bearer, Signature, Token, Tokens, Verb};

use super::alarms::Alarms;
use super::facts::epoch_millis;

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Who acts where nobody says: an open loopback API.
const SOMEBODY: &str = "loopback";

/// The tokens in force.
#[derive(Clone)]
pub struct Access {
    state: PathBuf,
    alarms: Alarms,
    /// None while there is no file: loopback is open.
    tokens: Arc<ArcSwap<Option<Tokens>>>,
    /// The file as it was read last.
    seen: Arc<Mutex<Option<Signature>>>,
}

/// Whoever a request comes from.
#[derive(Clone)]
pub struct Caller {
    access: Access,
    /// None: an open loopback API.
    token: Option<Arc<Token>>,
    peer: IpAddr,
}

/// Who shares one measure of requests: the bearers of one token, or of one address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Share {
    /// A token, by its name.
    Token(Box<str>),
    /// An address; of IPv6 its /64, for that is what one machine has.
    Peer(IpAddr),
}

/// Why a request is not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// It has no token, and needs one.
    NoToken,
    /// Its token is none that holds.
    Invalid,
    /// Its token held once.
    Expired,
}

impl Access {
    /// Reads the tokens of the folder `state`.
    pub fn open(state: PathBuf, alarms: Alarms) -> Access {
        // Until a file that is there has been understood, it is closed.
        let closed = Tokens::signature(&state).map(|_| Tokens::default());
        let tokens = Arc::new(ArcSwap::from_pointee(closed));
        let access = Access { state, alarms, tokens, seen: Arc::default() };
        access.look();
        access
    }

    /// As [`Access::open`], and looks at the file from now on, for as long as the runtime lives. Call it within the runtime.
    pub fn start(state: PathBuf, alarms: Alarms) -> Access {
        let access = Access::open(state, alarms);
        let looked = access.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                let looks = looked.clone();
                // A task that panicked has said so; the next one may do better.
                let _ = tokio::task::spawn_blocking(move || looks.look()).await;
            }
        });
        access
    }

    /// Reads the file if it is another than before. Blocks on the disk.
    pub fn look(&self) {
        let now = Tokens::signature(&self.state);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == now {
            return;
        }
        match Tokens::read(&self.state) {
            Ok(tokens) => {
                let count = tokens.as_ref().map(|tokens| tokens.list().len());
                tracing::info!(event = "tokens-read", ?count, "none: loopback is open");
                self.tokens.store(Arc::new(tokens));
                self.alarms.clear(Alarm::TokensRefused);
            }
            Err(error) => {
                self.alarms.raise(Alarm::TokensRefused, error.to_string());
            }
        }
        *seen = now;
    }

    /// Whether no token is needed: there is no file of them.
    pub fn is_open(&self) -> bool {
        self.tokens.load().is_none()
    }

    /// Who asks, where no token is needed.
    pub fn anybody(&self, peer: IpAddr) -> Caller {
        Caller { access: self.clone(), token: None, peer }
    }

    /// Who asks with this secret.
    pub fn admit(&self, secret: Option<&str>, peer: IpAddr) -> Result<Caller, Denied> {
        let secret = secret.ok_or(Denied::NoToken)?;
        let tokens = self.tokens.load();
        let token = tokens.as_ref().as_ref().and_then(|tokens| tokens.find(secret));
        let token = token.ok_or(Denied::Invalid)?;
        if token.is_over(now_secs()) {
            return Err(Denied::Expired);
        }
        Ok(Caller { access: self.clone(), token: Some(Arc::new(token.clone())), peer })
    }
}

fn now_secs() -> u64 {
    epoch_millis(SystemTime::now()).0 / 1000
}

impl Caller {
    /// Whether `verb` may be asked.
    pub fn may(&self, verb: Verb) -> bool {
        self.token.as_ref().is_none_or(|token| token.may(verb))
    }

    /// Whether `subject` may be reported on or changed.
    pub fn reaches(&self, subject: &Subject) -> bool {
        self.token.as_ref().is_none_or(|token| token.reaches(subject))
    }

    /// Whether what admitted it still does: a token is revoked and expires while a long request runs, and a first token
    /// ends what was open.
    pub fn is_welcome(&self) -> bool {
        let tokens = self.access.tokens.load();
        match (&self.token, tokens.as_ref()) {
            (None, tokens) => tokens.is_none(),
            (Some(ours), Some(tokens)) => !ours.is_over(now_secs()) && tokens.list().contains(ours),
            // Whoever removes the file opens the API.
            (Some(_), None) => true,
        }
    }

    /// Who acts: the person that the token is bound to, whatever the request says; else whom it names.
    pub fn who(&self, named: &str) -> Box<str> {
        match self.token.as_ref().map(|token| &token.bearer) {
            Some(Bearer::Person(name)) => name.clone(),
            Some(Bearer::Vantage(name)) => format!("vantage {name}").into(),
            None if named.is_empty() => SOMEBODY.into(),
            None => named.into(),
        }
    }

    /// How certain it is that a report is from `vantage`; none if it may not report as it. A token of a vantage is good for
    /// that one alone, and where one is bound to a name nobody else takes it: by its boot and sequence number a stranger
    /// could silence it.
    pub fn identity(&self, vantage: &str) -> Option<Identity> {
        match self.token.as_ref().map(|token| &token.bearer) {
            Some(Bearer::Vantage(name)) => (&**name == vantage).then_some(Identity::Proven),
            Some(Bearer::Person(_)) => {
                let tokens = self.access.tokens.load();
                let is_bound = tokens.as_ref().as_ref().is_some_and(|t| t.is_bound(vantage));
                (!is_bound).then_some(Identity::Claimed)
            }
            // An open API knows nobody: whoever sends one name can send many, and they count once.
            None => Some(Identity::Claimed),
        }
    }

    /// With whom it shares one measure of requests.
    pub fn share(&self) -> Share {
        match &self.token {
            Some(token) => Share::Token(token.name.clone()),
            None => Share::of(self.peer),
        }
    }
}

impl Share {
    /// That of an address.
    pub fn of(peer: IpAddr) -> Share {
        match peer.to_canonical() {
            IpAddr::V6(v6) => {
                let network = v6.to_bits() & !u128::from(u64::MAX);
                Share::Peer(IpAddr::V6(Ipv6Addr::from_bits(network)))
            }
            v4 => Share::Peer(v4),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn add(state: &Path, name: &str, bearer: Bearer, expires: Option<u64>) -> String {
        let (verbs, subjects) = (vec![Verb::Report], Vec::new());
        let make =
            |hash| Token { name: name.into(), bearer, verbs, subjects, created: 1, expires, hash };
        Tokens::add(state, make).unwrap().text().to_owned()
    }

    #[test]
    fn it_is_open_until_a_token_exists_and_closed_after_the_last() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path();
        let access = Access::open(state.to_owned(), Alarms::default());
        assert!(access.is_open());
        let open = access.anybody(PEER);
        assert!(open.may(Verb::Files) && open.is_welcome());
        assert_eq!((&*open.who(""), &*open.who("ana")), (SOMEBODY, "ana"));
        let secret = add(state, "fra", Bearer::Vantage("fra".into()), None);
        access.look();
        assert!(!access.is_open() && !open.is_welcome());
        let caller = access.admit(Some(&secret), PEER).ok().unwrap();
        assert!(caller.may(Verb::Report) && !caller.may(Verb::Read) && caller.is_welcome());
        assert_eq!(access.admit(None, PEER).err(), Some(Denied::NoToken));
        assert_eq!(access.admit(Some("homing_x"), PEER).err(), Some(Denied::Invalid));
        Tokens::revoke(state, "fra").unwrap();
        access.look();
        assert!(!access.is_open() && !caller.is_welcome());
        assert_eq!(access.admit(Some(&secret), PEER).err(), Some(Denied::Invalid));
        let old = add(state, "old", Bearer::Person("ana".into()), Some(2));
        access.look();
        assert_eq!(access.admit(Some(&old), PEER).err(), Some(Denied::Expired));
    }

    #[test]
    fn a_broken_file_opens_nothing_and_closes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path();
        let secret = add(state, "fra", Bearer::Vantage("fra".into()), None);
        let alarms = Alarms::default();
        let access = Access::open(state.to_owned(), alarms.clone());
        let path = state.join("tokens.json");
        let good = fs::read(&path).unwrap();
        fs::write(&path, "{").unwrap();
        access.look();
        assert!(access.admit(Some(&secret), PEER).is_ok());
        let standing =
            |alarms: &Alarms| alarms.standing().keys().map(|key| key.0).collect::<Vec<_>>();
        assert_eq!(standing(&alarms), [Alarm::TokensRefused]);
        let fresh = Access::open(state.to_owned(), Alarms::default());
        assert!(!fresh.is_open() && fresh.admit(Some(&secret), PEER).is_err());
        fs::write(&path, good).unwrap();
        access.look();
        fresh.look();
        assert!(alarms.standing().is_empty() && fresh.admit(Some(&secret), PEER).is_ok());
    }

    #[test]
    fn a_vantage_is_itself_and_nobody_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path();
        let of_vantage = add(state, "fra", Bearer::Vantage("fra".into()), None);
        let of_person = add(state, "ana", Bearer::Person("ana".into()), None);
        let access = Access::open(state.to_owned(), Alarms::default());
        let caller = |secret: &str| access.admit(Some(secret), PEER).ok().unwrap();
        let (vantage, person) = (caller(&of_vantage), caller(&of_person));
        assert_eq!(vantage.identity("fra"), Some(Identity::Proven));
        assert_eq!(vantage.identity("iad"), None);
        assert_eq!(person.identity("fra"), None);
        assert_eq!(person.identity("cli-ana"), Some(Identity::Claimed));
        assert_eq!((&*person.who("eve"), &*vantage.who("eve")), ("ana", "vantage fra"));
        assert_ne!(vantage.share(), person.share());
    }

    #[test]
    fn one_machine_has_one_share() {
        let share = |text: &str| Share::of(text.parse().unwrap());
        assert_eq!(share("2001:db8::1"), share("2001:db8::ffff:0:0:2"));
        assert_ne!(share("2001:db8::1"), share("2001:db8:0:1::1"));
        assert_eq!(share("::ffff:192.0.2.1"), share("192.0.2.1"));
        assert_ne!(share("192.0.2.1"), share("192.0.2.2"));
    }
}
