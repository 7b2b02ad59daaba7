//! Management locks: what they keep from being deleted or changed.

use super::call::Call;
use crate::answer::{Answer, Answered};
use crate::evidence::{Evidence, documents};
use crate::path::scope_key;
use crate::state::State;
use crate::world::directory::LockLevel;

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::report("409 ScopeLocked and its text", "hashicorp/terraform-provider-azurerm#17478"),
    Evidence::specification(
        "CanNotDelete keeps from deleting, ReadOnly from every write; both reach what lies below, and a lock below \
         keeps what is above from being deleted",
        &documents::LOCKS,
    ),
    Evidence::assumed(
        "locks are looked at after the action on the URL",
        "a locked thing deleted without a role on it",
    ),
];

/// Refuses a write that a lock forbids.
pub fn check(state: &State, call: &Call<'_>) -> Answered<()> {
    if state.world.locks.is_empty() || !matches!(call.method, "PUT" | "PATCH" | "POST" | "DELETE") {
        return Ok(());
    }
    let deletes = call.method == "DELETE";
    let key = call.path.key();
    let lies_in = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let locked = state.world.locks.iter().find(|lock| {
        let at = scope_key(&lock.scope);
        match lock.level {
            LockLevel::CanNotDelete => deletes && (lies_in(&key, &at) || lies_in(&at, &key)),
            LockLevel::ReadOnly => lies_in(&key, &at) || (deletes && lies_in(&at, &key)),
        }
    });
    let Some(lock) = locked else { return Ok(()) };
    let operation = if deletes { "delete" } else { "write" };
    let text = format!(
        "The scope '{}' cannot perform {operation} operation because following scope(s) are locked: '{}'. Please remove \
         the lock and try again.",
        call.path.id(),
        lock.scope
    );
    Err(Answer::gateway(409, "ScopeLocked", &text))
}
