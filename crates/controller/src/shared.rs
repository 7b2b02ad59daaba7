//! What the passes of all kinds share, and that knows none of them.

use std::sync::Arc;

use avnm_arm::Arm;
use avnm_terms::Moment;
use kube::{Client, Resource};

use crate::{
    events::Events,
    inventory::Inventory,
    lease::LeaseGuard,
    material::Materials,
    metrics::{Counted, Kind, Metrics},
    settings::Settings,
    vouch::Vouchers,
};

/// What the passes of all kinds share.
pub(crate) struct Shared {
    pub(crate) client: Client,
    pub(crate) arm: Arm,
    pub(crate) settings: Settings,
    pub(crate) lease: LeaseGuard,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) events: Events,
    pub(crate) inventory: Inventory,
    pub(crate) materials: Arc<Materials>,
    pub(crate) vouchers: Vouchers,
    /// When the lease was won: effects of the last leader's writes may come for a while.
    pub(crate) won: Moment,
}

impl Shared {
    /// Counts a pass over an object of this kind, from now until what this gives is dropped.
    pub(crate) fn counted<K: Resource<DynamicType = ()>>(&self) -> Counted {
        self.metrics.pass(Kind::of::<K>())
    }
}
