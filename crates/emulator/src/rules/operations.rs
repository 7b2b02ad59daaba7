//! Deletes that were accepted with 202, and the polls of their Location.

use jiff::SignedDuration;
use rand::Rng;

use super::{Call, Evidence, resource_not_found};
use crate::answer::{Answer, Answered};
use crate::azure::State;
use crate::world::resources::Operation;

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::recording(
        "202 with Location and neither Retry-After nor Azure-AsyncOperation; polls: 202 with a new Location, then 204",
        "cli-static-member@2025-09-30",
    ),
    Evidence::recording(
        "the last poll of a deleted manager's operation is a 404",
        "cli-network-manager-delete-lro@2025-09-30",
    ),
];

/// Accepts a delete.
pub fn accept(state: &mut State, call: &Call<'_>, guid: &str, parent_gone: bool) -> Answer {
    let delay = state.settings.operation_delay_ms.draw(&mut state.rng);
    let delay = SignedDuration::from_millis(i64::try_from(delay).unwrap_or(i64::MAX));
    let done_at = call.now.checked_add(delay).unwrap_or(call.now);
    state.world.operations.insert(guid.to_owned(), Operation { done_at, parent_gone, polls: 0 });
    let path = format!("{}/operationResults/{guid}", call.raw_path);
    Answer::empty(202).with("location", location(state, call, &path))
}

/// Answers a poll.
pub fn poll(state: &mut State, call: &Call<'_>) -> Answered {
    let Some(operation) = state.world.operations.get_mut(call.path.name()) else {
        return Err(resource_not_found(&call.path.parent()));
    };
    operation.polls += 1;
    if operation.done_at > call.now {
        let location = location(state, call, call.raw_path);
        return Ok(Answer::empty(202).with("location", location));
    }
    if operation.parent_gone {
        return Err(resource_not_found(&call.path.parent()));
    }
    Ok(Answer::empty(204))
}

/// Each Location differs from the one before, as Azure's signed ones do.
fn location(state: &mut State, call: &Call<'_>, path: &str) -> String {
    let version = call.parameter("api-version").unwrap_or_default();
    let ticks = call.now.as_microsecond();
    format!("{}{path}?api-version={version}&t={ticks}&h={:016x}", call.origin, state.rng.random::<u64>())
}
