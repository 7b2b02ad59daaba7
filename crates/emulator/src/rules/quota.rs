//! Rate limits: token buckets per principal, subscription (or tenant) and verb, and the headers that show them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Call, Evidence};
use crate::answer::{Answer, Answered};
use crate::azure::State;
use crate::path::Scope;
use crate::settings::Quota;

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::recording(
        "the remaining-calls headers and their usual numbers",
        "cli-static-member@2025-09-30",
    ),
    Evidence::recording(
        "management groups count against the tenant and have no global header",
        "wire-facts 10, recording not shared",
    ),
    Evidence::report("429 SubscriptionRequestsThrottled and its text", "azure-docs#105248"),
    Evidence::assumed("a tenant's quota: 429 TooManyRequests; no source names another code"),
    Evidence::specification(
        "429 with Retry-After in seconds; the bucket's form",
        "Azure Resource Manager request limits",
    ),
];

/// What is left in each bucket.
#[derive(Debug, Default)]
pub struct Buckets {
    left: BTreeMap<(String, String, &'static str), (f64, Timestamp)>,
}

/// A verb class: its name in headers, what they usually say, and the usual global number.
fn class(method: &str) -> (&'static str, u32, u32, u32) {
    match method {
        "DELETE" => ("deletes", 799, 799, 11_999),
        "GET" | "HEAD" => ("reads", 1_099, 2_199, 16_499),
        _ => ("writes", 799, 799, 11_999),
    }
}

fn quota(state: &State, class: &str) -> Option<Quota> {
    match class {
        "reads" => state.settings.quotas.reads,
        "writes" => state.settings.quotas.writes,
        _ => state.settings.quotas.deletes,
    }
}

fn place(call: &Call<'_>) -> (&'static str, String) {
    match &call.path.scope {
        Scope::Subscription(id) => ("subscription", id.to_ascii_lowercase()),
        Scope::ManagementGroup(_) | Scope::Tenant => ("tenant", call.caller.bearer.tid.clone()),
    }
}

/// Takes one call out of its bucket, or refuses it.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "seconds to wait, small and positive"
)]
pub fn take(state: &mut State, call: &Call<'_>) -> Answered<()> {
    let (class, ..) = class(call.method);
    let Some(quota) = quota(state, class) else { return Ok(()) };
    let (kind, place) = place(call);
    let actor = call.caller.bearer.oid.clone();
    let bucket = state.buckets.left.entry((call.caller.bearer.appid.clone(), place.clone(), class));
    let (left, at) = bucket.or_insert((quota.size, call.now));
    let seconds = call.now.duration_since(*at).as_secs_f64().max(0.0);
    *left = (*left + seconds * quota.refill_per_second).min(quota.size);
    *at = call.now;
    if *left >= 1.0 {
        *left -= 1.0;
        return Ok(());
    }
    let wait = if quota.refill_per_second > 0.0 { (1.0 - *left) / quota.refill_per_second } else { 3_600.0 };
    let wait = wait.ceil().max(1.0) as u64;
    let verb = class.trim_end_matches('s');
    let (code, owner) = match kind {
        "subscription" => ("SubscriptionRequestsThrottled", format!("subscription '{place}'")),
        _ => ("TooManyRequests", format!("tenant '{place}'")),
    };
    let text = format!(
        "Number of '{verb}' requests for {owner} actor '{actor}' exceeded. Please try again after '{wait}' seconds."
    );
    Err(Answer::gateway(429, code, &text).with("retry-after", wait.to_string()))
}

/// Adds the headers that tell what is left. The front door's own answers have none.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count that is never negative")]
pub fn with_headers(state: &State, call: &Call<'_>, answer: Answer) -> Answer {
    if answer.is_gateway() {
        return answer;
    }
    let (class, usual, usual_tenant, global) = class(call.method);
    let (kind, place) = place(call);
    let left = state.buckets.left.get(&(call.caller.bearer.appid.clone(), place, class));
    let left = left.filter(|_| quota(state, class).is_some()).map(|(left, _)| *left as u32);
    let usual = if kind == "tenant" { usual_tenant } else { usual };
    let name = format!("x-ms-ratelimit-remaining-{kind}-{class}");
    let answer = answer.with(&name, left.unwrap_or(usual).to_string());
    if kind == "tenant" {
        return answer;
    }
    answer.with(&format!("x-ms-ratelimit-remaining-subscription-global-{class}"), global.to_string())
}
