//! What is asked of the loop when the metrics are read: what the client of Azure, the inventory and the lease know anyway.

use avnm_arm::{VerbClass, clock};

use crate::{
    metrics::{Families, Source},
    shared::Shared,
};

impl Source for Shared {
    fn fill(&self, families: &Families) {
        let now = clock::instant();
        for class in [VerbClass::Read, VerbClass::Write, VerbClass::Delete] {
            families.gate_closed.set([class.as_str()], 0.0);
        }
        // Sorted by key, and not by time: the latest of each class counts.
        let mut gates = self.arm.closed_gates();
        gates.sort_by_key(|gate| gate.until);
        for gate in gates {
            let left = gate.until.saturating_duration_since(now).as_secs_f64();
            families.gate_closed.set([gate.key.verb.as_str()], left);
        }
        for left in self.arm.quotas_left() {
            families.quota_left.set([left.by.as_str(), left.verb.as_str()], left.share);
        }
        let tokens = self.arm.tokens().in_hand();
        families.tokens.count([], tokens.usable);
        families.tokens_unrefreshed.count([], tokens.unrefreshed);
        families.token_oldest.set([], tokens.oldest.as_secs_f64());
        for (class, ages) in self.inventory.ages() {
            families.collections.count([class], ages.collections);
            families.inventory_age.set([class], ages.oldest.as_secs_f64());
            families.inventory_read.set([class], ages.longest.as_secs_f64());
            families.inventory_failing.count([class], ages.failing);
        }
        families.lease_left.set([], self.lease.left().as_secs_f64());
    }
}
