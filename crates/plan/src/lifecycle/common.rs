//! What is the same in the status of all kinds.

use avnm_api::{LastFailure, PlannedStep};

use super::{object::At, plan::Plan, view::View};

/// What is the same in the status of all kinds, without the conditions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Common {
    /// The generation.
    pub observed_generation: Option<i64>,
    /// What mode Enforce would write.
    pub plan: Vec<PlannedStep>,
    /// What failed.
    pub last_failure: Option<LastFailure>,
    /// The last forced read that was handled.
    pub last_handled_reconcile_at: Option<String>,
}

/// Whether nothing was read of an item in this pass: what status says of it stays.
pub fn unlooked<K, S>(view: View<'_, K>, plan: &Plan<S>, at: At) -> bool {
    let (object, item) = (view.object, view.item(at));
    object.policies.suspend
        || object.refused.is_some()
        || item.signer.is_none()
        || item.standing.beaten_by.is_some()
        // A deletion that is blocked does not look.
        || (object.meta.deleting && plan.moves[at].is_none())
}
