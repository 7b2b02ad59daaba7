//! Children of a network manager that Azure has and the emulator does not keep: configurations, address pools,
//! verifiers. None of them ever exists here.

use serde_json::json;

use super::call::{Call, verb};
use super::refusals::{not_found, parent_not_found};
use crate::answer::{Answer, Answered};
use crate::evidence::Evidence;
use crate::state::State;

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::recording(
        "DELETE of a configuration that is not there is 204",
        "cli-delete-missing-child-204@2022-03-09",
    ),
    Evidence::recording(
        "address pools and verifiers answer a 404 without the envelope",
        "cli-other-404-envelopes@2025-09-30",
    ),
    Evidence::assumed(
        "the other types' 404 is that of network groups; lists are empty",
        "a GET of each of these types",
    ),
];

/// Answers a GET or a DELETE.
pub fn answer(state: &State, call: &Call<'_>) -> Answered {
    let mut manager = call.path.clone();
    manager.types.truncate(1);
    manager.names.truncate(1);
    if !state.world.managers.contains_key(&manager.key()) {
        return Err(parent_not_found(&call.path, verb(call.method)));
    }
    if call.path.is_collection() {
        return Ok(Answer::json(200, &json!({"nextLink": "", "value": []})));
    }
    if call.method == "DELETE" {
        return Ok(Answer::empty(204));
    }
    let kind = match call.path.types.get(1).map(String::as_str) {
        Some("ipamPools") => "Ipam pool",
        Some("verifierWorkspaces") => "Verifier workspace",
        _ => return Err(not_found(&call.path)),
    };
    let text = format!("{kind} '{}' not found.", call.path.id());
    let bare =
        json!({"code": "NotFound", "message": text, "target": null, "details": null, "additionalInfo": null});
    let mut answer = Answer::json(404, &bare);
    answer.code = Some("NotFound".into());
    Err(answer)
}
