//! The desk: where the API reaches everything that it may ask or change. Cheap to clone; holds no state of its own.

use std::sync::Arc;

use crate::load::Config;

use super::alarms::{Alarms, Standing};
use super::changefeed::Changefeed;
use super::concerns;
use super::facts::Facts;
use super::gate::Gate;
use super::hindsight::Hindsight;
use super::hub::{Hub, View};
use super::looks::Looks;
use super::metrics::Metrics;
use super::past::Past;
use super::ready::Ready;
use super::site::Site;
use super::weights::Weigher;
use super::writer::Writer;

/// What the API stands on.
#[derive(Clone)]
pub struct Desk {
    /// Knows how things are.
    pub hub: Hub,
    /// Takes what is to change.
    pub writer: Writer,
    /// Tells what happens, in order.
    pub feed: Changefeed,
    /// Has the files looked at.
    pub looks: Looks,
    /// Counts whose clients ask.
    pub weigher: Weigher,
    /// Knows whether the server answers.
    pub ready: Ready,
    /// Whether this site is drained.
    pub site: Site,
    /// Renders /metrics.
    pub metrics: Metrics,
    /// The generations that are kept.
    pub past: Past,
    /// Explains from earlier states.
    pub hindsight: Hindsight,
    /// Who may ask, and how much.
    pub gate: Gate,
    /// What is wrong with this machine.
    pub alarms: Alarms,
    /// What this process was told about itself.
    pub config: Arc<Config>,
    /// What does not change while the process lives.
    pub facts: Arc<Facts>,
}

impl Desk {
    /// Every alarm that stands: of this machine, its files, and the log as `view` has it folded.
    pub fn standing_alarms(&self, view: &View) -> Standing {
        let mut standing = self.alarms.standing();
        standing.extend(concerns::of(&view.health));
        standing
    }
}
