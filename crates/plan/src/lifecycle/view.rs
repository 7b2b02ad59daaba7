//! Everything that a decision looks at.

use avnm_api::Mode;
use avnm_terms::Now;

use super::object::{At, Object};
use crate::{
    item::{Facts, Goal, Item, Policy},
    pace::Waits,
    reason::Reason,
    status::{DESCRIPTION_NOT_TAKEN, description_not_taken},
};

/// Everything that a decision looks at.
#[derive(Debug)]
pub struct View<'a, K> {
    /// The object.
    pub object: &'a Object<K>,
    /// The waits.
    pub waits: &'a Waits,
    /// Now.
    pub now: Now,
}

impl<K> Clone for View<'_, K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for View<'_, K> {}

impl<'a, K> View<'a, K> {
    /// One of its items.
    pub fn item(self, at: At) -> &'a Item {
        &self.object.items[at]
    }

    /// Whether Azure may be written to.
    pub fn enforces(self) -> bool {
        self.object.policies.mode == Mode::Enforce
    }

    /// Facts of the object that decide about an item.
    pub fn facts(self, at: At) -> Facts<'a> {
        let facts = self.facts_for(self.goal(at));
        Facts { description_not_taken: self.description_was_not_taken(at), ..facts }
    }

    /// The same for a goal that is not the declared one.
    pub fn facts_for(self, goal: Goal) -> Facts<'a> {
        let object = self.object;
        Facts {
            uid: &object.meta.uid,
            goal,
            policy: Policy { enforce: self.enforces(), adoption: object.policies.adoption },
            ready: object.waits_for.is_empty(),
            held: object.meta.held,
            held_now: &object.held_now,
            replace_needed: self.replace_was_needed(),
            description_not_taken: false,
            waits: self.waits,
            now: self.now,
        }
    }

    fn goal(self, at: At) -> Goal {
        let ours = self.item(at).is_ours();
        match (self.object.meta.deleting, ours) {
            (false, true) => Goal::Present,
            (true, true) if !self.object.policies.leaves() => Goal::Gone,
            (_, _) => Goal::Left,
        }
    }

    /// After a restart the old status tells that a correction did not help, for the same generation.
    pub fn replace_was_needed(self) -> bool {
        crate::status::find(&self.object.before.conditions, "Ready").is_some_and(|ready| {
            ready.reason == Reason::ReplaceNeeded.as_str()
                && ready.observed_generation == Some(self.object.meta.generation)
        })
    }

    /// After a restart the old status tells that Azure does not take a description, for the same generation.
    fn description_was_not_taken(self, at: At) -> bool {
        let item = self.item(at);
        item.is_only_described_otherwise()
            && crate::status::find(&self.object.before.conditions, "Synced").is_some_and(|synced| {
                synced.reason == DESCRIPTION_NOT_TAKEN
                    && synced.observed_generation == Some(self.object.meta.generation)
                    && synced.message.contains(&description_not_taken(item.resource))
            })
    }
}
