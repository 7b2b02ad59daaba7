//! Deletes that were accepted with 202, and the polls of their Location.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use rand::Rng;

use super::call::Call;
use super::refusals::resource_not_found;
use crate::answer::{Answer, Answered};
use crate::evidence::Evidence;
use crate::state::State;
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
    let operation = Operation { target: call.path.key(), done_at, parent_gone, polls: 0 };
    state.world.operations.insert(guid.to_owned(), operation);
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

/// Refuses a write to what is being deleted.
pub fn check_idle(state: &State, call: &Call<'_>, key: &str) -> Answered<()> {
    let running = state.world.operations.values().any(|it| it.target == key && it.done_at > call.now);
    if !running {
        return Ok(());
    }
    let text = format!(
        "Another operation on this or dependent resource is in progress. The resource is '{}'.",
        call.path.id()
    );
    Err(Answer::provider(409, "AnotherOperationInProgress", &text))
}

/// How long the certificate in a Location is, in characters: about 3 KB, as recorded. Clients must bear it.
const CERTIFICATE: usize = 3_000;

/// How many ticks of 100 ns passed between the year 1 and 1970.
const EPOCH_TICKS: i128 = 621_355_968_000_000_000;

/// Each Location differs from the one before: a time, a certificate, a signature and a hash, all made up here.
fn location(state: &mut State, call: &Call<'_>, path: &str) -> String {
    let version = call.parameter("api-version").unwrap_or_default();
    let ticks = EPOCH_TICKS + call.now.as_nanosecond() / 100;
    let mut random = |length: usize| {
        let bytes: Vec<u8> = (0..length * 3 / 4).map(|_| state.rng.random()).collect();
        URL_SAFE_NO_PAD.encode(bytes)
    };
    let (signature, hash) = (random(344), random(43));
    let certificate = "MIIHpTCCBo2gAwIBAgIT".to_owned() + &"A".repeat(CERTIFICATE - 20);
    format!("{}{path}?api-version={version}&t={ticks}&c={certificate}&s={signature}&h={hash}", call.origin)
}
