//! How it goes wrong: whoever applies a plan sees first whether it is newer, then applies it, and then removes the plans
//! that are old. Each step is sound by itself. So a large platform lost its own record in October 2025.

use super::explore::World;

/// How many plans before the one that was applied are kept.
const KEPT: u64 = 1;

const PLANS: u64 = 3;

#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// A newer plan is made.
    Plan,
    /// One who applies plans takes the newest,
    Take(usize),
    /// … sees whether it is newer than what serves,
    Check(usize),
    /// … applies it,
    Apply(usize),
    /// … and removes those that are old.
    CleanUp(usize),
}

#[derive(Clone, Copy, Debug, Default)]
enum Enactor {
    #[default]
    Idle,
    Took(u64),
    Checked(u64),
    Applied(u64),
    Done,
}

/// Plans, what serves of them, and two who apply them.
#[derive(Debug)]
pub struct Naive {
    newest: u64,
    /// Those before are gone.
    oldest: u64,
    serving: u64,
    enactors: [Enactor; 2],
}

impl World for Naive {
    type Step = Step;

    fn begin() -> Naive {
        Naive { newest: 1, oldest: 0, serving: 0, enactors: Default::default() }
    }

    fn enabled(&self) -> Vec<Step> {
        let next = self.enactors.iter().enumerate().filter_map(|(who, enactor)| match enactor {
            Enactor::Idle => Some(Step::Take(who)),
            Enactor::Took(_) => Some(Step::Check(who)),
            Enactor::Checked(_) => Some(Step::Apply(who)),
            Enactor::Applied(_) => Some(Step::CleanUp(who)),
            Enactor::Done => None,
        });
        next.chain((self.newest < PLANS).then_some(Step::Plan)).collect()
    }

    fn step(&mut self, step: Step) -> Result<(), String> {
        let before = self.serving;
        let who = match step {
            Step::Take(who) | Step::Check(who) | Step::Apply(who) | Step::CleanUp(who) => who,
            Step::Plan => {
                self.newest += 1;
                return Ok(());
            }
        };
        self.enactors[who] = match self.enactors[who] {
            Enactor::Idle => Enactor::Took(self.newest),
            Enactor::Took(plan) if plan > self.serving => Enactor::Checked(plan),
            Enactor::Took(_) | Enactor::Done => Enactor::Done,
            Enactor::Checked(plan) => {
                self.serving = plan;
                Enactor::Applied(plan)
            }
            Enactor::Applied(plan) => {
                self.oldest = self.oldest.max(plan - KEPT);
                Enactor::Done
            }
        };
        match self.serving {
            now if now < before => Err("backwards".into()),
            now if now > 0 && now < self.oldest => Err("empty".into()),
            _ => Ok(()),
        }
    }

    fn key(&self) -> String {
        format!("{self:?}")
    }

    fn end(&mut self) -> Result<(), String> {
        Ok(())
    }
}
