//! What is left of the quotas, for who watches the process: shares without names, so that there are as many of them however
//! many principals and subscriptions there are.

use super::quota::Quotas;
use crate::gate::VerbClass;

/// Who counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CountedBy {
    /// Azure Resource Manager: by principal, and subscription or tenant.
    ResourceManager,
    /// Microsoft.Network: by subscription and region, its writes and deletes together.
    Network,
}

impl CountedBy {
    /// Its name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ResourceManager => "resource_manager",
            Self::Network => "network",
        }
    }
}

/// What is left of the quota of its kind that is nearest its end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QuotaLeft {
    /// Who counts.
    pub by: CountedBy,
    /// Which calls.
    pub verb: VerbClass,
    /// The share that is left, 0 to 1.
    pub share: f64,
}

/// Every kind that is bounded, with all of it left.
pub(super) fn full(quotas: &Quotas) -> Vec<QuotaLeft> {
    let kinds = [
        (CountedBy::ResourceManager, VerbClass::Read, quotas.reads),
        (CountedBy::ResourceManager, VerbClass::Write, quotas.writes),
        (CountedBy::ResourceManager, VerbClass::Delete, quotas.deletes),
        (CountedBy::Network, VerbClass::Read, quotas.network_reads),
        (CountedBy::Network, VerbClass::Write, quotas.network_writes),
    ];
    let bounded = kinds.into_iter().filter(|(_, _, quota)| quota.is_some());
    bounded.map(|(by, verb, _)| QuotaLeft { by, verb, share: 1.0 }).collect()
}

/// Takes note of one bucket.
pub(super) fn note(lowest: &mut [QuotaLeft], by: CountedBy, verb: VerbClass, share: f64) {
    // What is owed is below nothing.
    let share = share.clamp(0.0, 1.0);
    for left in lowest.iter_mut().filter(|left| (left.by, left.verb) == (by, verb)) {
        left.share = left.share.min(share);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_of_each_kind_counts_and_what_is_owed_is_nothing() {
        let mut lowest = full(&Quotas::default());
        assert_eq!(lowest.len(), 5);
        for share in [0.5, 0.25, 0.75] {
            note(&mut lowest, CountedBy::ResourceManager, VerbClass::Write, share);
        }
        note(&mut lowest, CountedBy::Network, VerbClass::Write, -3.0);
        let shares: Vec<f64> = lowest.iter().map(|left| left.share).collect();
        assert_eq!(shares, [1.0, 0.25, 1.0, 1.0, 0.0]);
    }

    #[test]
    fn what_is_not_bounded_is_not_told() {
        assert_eq!(full(&Quotas::NONE), []);
    }
}
