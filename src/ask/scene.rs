//! A state of the world to ask about: what a server serves now, or what some files would serve by themselves.

use std::sync::Arc;

use crate::answer::Snapshot;
use crate::geo::World;
use crate::health::{Event, State, Timed};
use crate::load::Parts;
use crate::number::{Generation, Revision};
use crate::route::{Regions, Table, fill};

/// Everything that an answer is made from, and what is known of it besides.
#[derive(Clone)]
pub struct Scene {
    /// What queries are answered from.
    pub snapshot: Arc<Snapshot>,
    /// What health remembers.
    pub health: Arc<State>,
    /// What is known of addresses.
    pub world: Arc<World>,
    /// Where the regions are.
    pub regions: Arc<Regions>,
}

impl Scene {
    /// What files alone would serve: nothing was ever reported, nobody has decided anything.
    pub fn of_files(parts: &Parts) -> Scene {
        Scene::with_health(parts, Generation(1), State::default())
    }

    /// What the files of a generation serve under what health remembers, be it of now or of then.
    pub fn with_health(parts: &Parts, generation: Generation, mut health: State) -> Scene {
        let revision = Revision(health.revision().0.saturating_add(1));
        let (at, inventory) = (health.now(), parts.inventory.clone());
        let event =
            Event::Files { generation, digest: parts.files_digest, inventory, origin: None };
        health.apply(&Timed { revision, at, event });
        let policies = parts.plans.iter().map(|plan| Arc::new(fill(plan, &health))).collect();
        let snapshot = Snapshot {
            generation,
            revision,
            digest: parts.files_digest,
            catalog: parts.catalog.clone(),
            plans: parts.plans.clone(),
            table: Table { policies },
            steered: Arc::default(),
        };
        let (snapshot, health) = (Arc::new(snapshot), Arc::new(health));
        let (world, regions) = (parts.world.clone(), parts.regions.clone());
        Scene { snapshot, health, world, regions }
    }

    /// The same files under another state of health: every row filled anew, by the code that fills them to serve.
    pub fn under(&self, health: State) -> Scene {
        let of = &self.snapshot;
        let policies = of.plans.iter().map(|plan| Arc::new(fill(plan, &health))).collect();
        let snapshot = Snapshot {
            generation: of.generation,
            revision: health.revision(),
            digest: of.digest,
            catalog: of.catalog.clone(),
            plans: of.plans.clone(),
            table: Table { policies },
            steered: of.steered.clone(),
        };
        let (snapshot, health) = (Arc::new(snapshot), Arc::new(health));
        Scene { snapshot, health, ..self.clone() }
    }
}
