//! What is asked of the loop when the metrics are read: what the client of Azure, the inventory and the lease know anyway.

use std::time::Duration;

use avnm_arm::{VerbClass, clock};
use tokio::time::Instant;

use crate::{
    metrics::{Families, Source},
    shared::Shared,
};

impl Source for Shared {
    fn fill(&self, families: &Families) {
        let gates = self.arm.closed_gates().into_iter().map(|gate| (gate.key.verb, gate.until));
        for (class, left) in closed(gates, clock::instant()) {
            families.gate_closed.set([class.as_str()], left.as_secs_f64());
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

/// For how long the last gate of each class stays closed; nothing where all are open.
fn closed(gates: impl Iterator<Item = (VerbClass, Instant)>, now: Instant) -> [(VerbClass, Duration); 3] {
    let mut left =
        [VerbClass::Read, VerbClass::Write, VerbClass::Delete].map(|class| (class, Duration::ZERO));
    for (class, until) in gates {
        for (_, longest) in left.iter_mut().filter(|(of, _)| *of == class) {
            *longest = until.saturating_duration_since(now).max(*longest);
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gate_that_opens_last_counts_for_its_class_and_for_no_other() {
        let now = clock::instant() + Duration::from_secs(60);
        let (sooner, later) = (now + Duration::from_secs(5), now + Duration::from_secs(9));
        let gone = now.checked_sub(Duration::from_secs(1)).unwrap();
        let seconds = |gates: &[(VerbClass, Instant)]| {
            closed(gates.iter().copied(), now).map(|(class, left)| (class.as_str(), left.as_secs()))
        };
        assert_eq!(seconds(&[]), [("read", 0), ("write", 0), ("delete", 0)]);
        // In no order: they come sorted by whose they are.
        let write = VerbClass::Write;
        assert_eq!(seconds(&[(write, later), (write, sooner)]), [("read", 0), ("write", 9), ("delete", 0)]);
        assert_eq!(
            seconds(&[(write, sooner), (VerbClass::Delete, gone), (write, later), (VerbClass::Read, sooner)]),
            [("read", 5), ("write", 9), ("delete", 0)]
        );
    }
}
