//! What every call goes through.
//!
//! The order is ARM's: api-version, token (401), quota (429), the action on the URL (403), the provider's registration
//! and locks (409), the linked resource (403), and only then the resource itself.

use jiff::Timestamp;
use url::form_urlencoded;

use super::call::{Call, Quirk};
use super::dispatch::dispatch;
use super::refusals::not_served;
use super::{access, consistency, locks, quota, registration, resource_graph, tokens};
use crate::answer::{Answer, Answered};
use crate::evidence::{Evidence, documents};
use crate::path::{self, ArmPath, Kind};
use crate::request::Request;
use crate::state::State;

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::specification(
        "no api-version: 400 MissingApiVersionParameter; a type or version that nobody serves: 404 InvalidResourceType",
        &documents::DEPLOYMENT_ERRORS,
    ),
    Evidence::recording(
        "the api-versions that answer (the list is a setting)",
        "wire-facts 11, recording not shared",
    ),
    Evidence::recording(
        "the provider writes the message before the code; ARM's front door the code first, with x-ms-failure-cause",
        "cli-network-manager-put-400@2025-09-09",
    ),
    Evidence::specification("ids, types and names are compared without regard to case", &documents::ARM_RPC),
    Evidence::recording(
        "an id and a connectionState in the body of a PUT are ignored",
        "wire-facts 4, recording not shared",
    ),
    Evidence::assumed(
        "so is everything else that is read-only, whatever it says",
        "a PUT with another provisioningState than the resource has: ARM's contract lets the provider refuse it",
    ),
    Evidence::assumed(
        "a body that is no JSON object, or has none where one belongs: 400 InvalidRequestContent, and its text",
        "a PUT whose body is an array, and one whose properties are",
    ),
    Evidence::assumed(
        "the order of the checks: api-version, tokens, ARM's quota, type, action, resource group, registration, locks, \
         the provider's quota, the linked resource, the resource itself",
        "calls that are wrong in two ways at once",
    ),
    Evidence::assumed(
        "a child of what does not exist: 404 ParentResourceNotFound, for every verb",
        "a GET, PUT and DELETE under a manager and a group that do not exist",
    ),
    Evidence::assumed("a verb that a type does not have: 405 MethodNotAllowed", "a POST to a static member"),
];

/// Answers a call to ARM.
pub fn answer(state: &mut State, request: &Request, now: Timestamp, quirk: Quirk) -> Answer {
    try_answer(state, request, now, quirk).unwrap_or_else(|refusal| refusal)
}

fn try_answer(state: &mut State, request: &Request, now: Timestamp, quirk: Quirk) -> Answered {
    let query: Vec<(String, String)> =
        form_urlencoded::parse(request.query.as_bytes()).into_owned().collect();
    let version =
        query.iter().find(|(name, value)| name.eq_ignore_ascii_case("api-version") && !value.is_empty());
    let Some((_, version)) = version.cloned() else {
        let text = "The api-version query parameter (?api-version=) is required for all requests.";
        return Err(Answer::gateway(400, "MissingApiVersionParameter", text));
    };
    let caller = tokens::check(state, request, now)?;
    let path = ArmPath::from_request(&request.path).ok_or_else(|| {
        if path::is_well_formed(&request.path) {
            return not_served(&request.method, &request.path);
        }
        Answer::gateway(400, "InvalidResourceId", "The path is not one of a resource or a list of resources.")
    })?;
    let method = request.method.as_str();
    let (body, origin) = (&request.body[..], request.origin.as_str());
    let raw_path = request.path.as_str();
    let fail_member = quirk == Quirk::FailMember;
    let stale = if let Quirk::Stale { since } = quirk { Some(since) } else { None };
    let if_match = request.if_match.as_deref();
    let call =
        Call { method, path, raw_path, query, body, origin, caller, now, if_match, fail_member, stale };
    if call.path.is_resource_graph() {
        return resource_graph::query(state, &call);
    }
    access::tenant(state, &call)?;
    quota::take(state, &call)?;
    if let Some(answer) = registration::provider(state, &call) {
        return Ok(quota::with_headers(state, &call, answer.unwrap_or_else(|refusal| refusal)));
    }
    known_type(state, &call, &version)?;
    access::action(state, &call)?;
    access::resource_group(state, &call)?;
    registration::check(state, &call)?;
    locks::check(state, &call)?;
    let answer = match quota::take_of_provider(state, &call) {
        Ok(()) => consistency::read(state, &call).unwrap_or_else(|| written(state, &call)),
        Err(refusal) => refusal,
    };
    Ok(quota::with_headers(state, &call, answer))
}

/// Answers a call, and notes what a reader that lags behind still sees.
fn written(state: &mut State, call: &Call<'_>) -> Answer {
    let before = consistency::before(state, call);
    let answer = dispatch(state, call).unwrap_or_else(|refusal| refusal);
    if let Some(before) = before
        && answer.status < 300
    {
        consistency::note(state, call, before);
    }
    answer
}

/// Refuses types and versions that nobody serves. Both are 404s that say nothing about a resource.
fn known_type(state: &State, call: &Call<'_>, version: &str) -> Answered<()> {
    let Some(namespace) = call.path.namespace.as_deref() else {
        // Before any action: subscriptions and groups have actions of their own, which nobody needs here.
        return Err(not_served(call.method, &call.path.id()));
    };
    if namespace != "Microsoft.Network" {
        let text = format!("The resource namespace '{namespace}' is invalid.");
        return Err(Answer::gateway(404, "InvalidResourceNamespace", &text));
    }
    let types = call.path.types.join("/");
    if call.path.kind() == Kind::Unknown {
        let text = format!(
            "The resource type '{types}' could not be found in the namespace 'Microsoft.Network' for api version \
             '{version}'. The supported api-versions are ''."
        );
        return Err(Answer::gateway(404, "InvalidResourceType", &text));
    }
    if !state.settings.api_versions.iter().any(|known| known.eq_ignore_ascii_case(version)) {
        let known = state.settings.api_versions.join(",");
        let text = format!(
            "The resource type '{types}' could not be found in the namespace 'Microsoft.Network' for api version \
             '{version}'. The supported api-versions are '{known}'."
        );
        return Err(Answer::gateway(404, "InvalidResourceType", &text));
    }
    Ok(())
}
