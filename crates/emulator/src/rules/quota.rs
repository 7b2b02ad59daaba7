//! Rate limits: token buckets per principal, subscription (or tenant) and verb, and the headers that show them.

use super::call::Call;
use crate::answer::{Answer, Answered};
use crate::evidence::{Evidence, documents};
use crate::path::Scope;
use crate::settings::Quota;
use crate::state::State;

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
    Evidence::assumed(
        "while a quota is set, the headers say what is left in its buckets, the global one what is left to all principals",
        "the headers of two principals that use up a subscription's calls together",
    ),
    Evidence::report("429 SubscriptionRequestsThrottled and its text", "MicrosoftDocs/azure-docs#105248"),
    Evidence::assumed(
        "a tenant's quota: 429 TooManyRequests; no source names another code",
        "a 429 of a call to a management group",
    ),
    Evidence::specification(
        "all principals of a subscription together have fifteen times one's share",
        &documents::REQUEST_LIMITS,
    ),
    Evidence::specification(
        "Microsoft.Network: 1,000 writes and deletes and 10,000 reads in five minutes",
        &documents::NETWORK_LIMITS,
    ),
    Evidence::assumed(
        "the provider's 429 is ResourceRequestsThrottled in the provider's envelope; its five minutes are a bucket \
         that refills evenly, one per subscription",
        "a 429 of Microsoft.Network, with its headers",
    ),
    Evidence::specification("429 with Retry-After in seconds; the bucket's form", &documents::REQUEST_LIMITS),
];

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

/// All principals of a subscription together, in units of one's share.
const TOGETHER: f64 = 15.0;

/// Stands for all principals together, and for the provider's own buckets: no client id looks like these.
const EVERYBODY: &str = "*";
const PROVIDER: &str = "Microsoft.Network";
const GRAPH: &str = "Microsoft.ResourceGraph";

/// Takes one call out of ARM's bucket, or refuses it.
pub fn take(state: &mut State, call: &Call<'_>) -> Answered<()> {
    let (class, ..) = class(call.method);
    let Some(quota) = quota(state, class) else { return Ok(()) };
    let (kind, place) = place(call);
    let own = (call.caller.bearer.appid.clone(), place.clone(), class);
    let mut taken = state.buckets.take(own, quota, call.now).map(drop);
    if taken.is_ok() && kind == "subscription" {
        let together =
            Quota { size: quota.size * TOGETHER, refill_per_second: quota.refill_per_second * TOGETHER };
        taken = state.buckets.take((EVERYBODY.into(), place.clone(), class), together, call.now).map(drop);
    }
    let Err(wait) = taken else { return Ok(()) };
    let verb = class.trim_end_matches('s');
    let actor = &call.caller.bearer.oid;
    let (code, owner) = match kind {
        "subscription" => ("SubscriptionRequestsThrottled", format!("subscription '{place}'")),
        _ => ("TooManyRequests", format!("tenant '{place}'")),
    };
    let text = format!(
        "Number of '{verb}' requests for {owner} actor '{actor}' exceeded. Please try again after '{wait}' seconds."
    );
    Err(Answer::gateway(429, code, &text).with("retry-after", wait.to_string()))
}

/// Takes one call out of the network provider's bucket, or refuses it.
pub fn take_of_provider(state: &mut State, call: &Call<'_>) -> Answered<()> {
    let quotas = state.settings.network_quotas;
    // Writes and deletes are counted together.
    let (class, quota) = match call.method {
        "GET" | "HEAD" => ("reads", quotas.reads),
        _ => ("writes", quotas.writes),
    };
    let Some(quota) = quota else { return Ok(()) };
    let (_, place) = place(call);
    let Err(wait) = state.buckets.take((PROVIDER.into(), place, class), quota, call.now) else {
        return Ok(());
    };
    let text = format!("Too many requests for Microsoft.Network. Please try again after '{wait}' seconds.");
    Err(Answer::provider(429, "ResourceRequestsThrottled", &text).with("retry-after", wait.to_string()))
}

/// Takes one query out of Resource Graph's bucket and says how many are left, or refuses it.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count that is never negative")]
pub fn take_of_graph(state: &mut State, call: &Call<'_>) -> Answered<u32> {
    let usual = Quota::GRAPH;
    let Some(quota) = state.settings.graph_quota else { return Ok(usual.size as u32 - 1) };
    let bearer = &call.caller.bearer;
    let key = (format!("{GRAPH}/{}", bearer.appid), bearer.tid.clone(), "reads");
    state.buckets.take(key, quota, call.now).map(|left| left as u32).map_err(|wait| {
        let text = "Please provide below info when asking for support: the quota of queries is used up.";
        Answer::gateway(429, "RateLimiting", text)
            .with("retry-after", wait.to_string())
            .with("x-ms-user-quota-remaining", "0")
            .with("x-ms-user-quota-resets-after", format!("00:00:{:02}", wait.min(59)))
    })
}

/// Adds the headers that tell what is left. The front door's own answers have none.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count that is never negative")]
pub fn with_headers(state: &State, call: &Call<'_>, answer: Answer) -> Answer {
    if answer.is_gateway() {
        return answer;
    }
    let (class, usual, usual_tenant, global) = class(call.method);
    let (kind, place) = place(call);
    let left = |whose: &str| {
        let left = state.buckets.left(&(whose.to_owned(), place.clone(), class));
        left.filter(|_| quota(state, class).is_some()).map(|left| left as u32)
    };
    let usual = if kind == "tenant" { usual_tenant } else { usual };
    let name = format!("x-ms-ratelimit-remaining-{kind}-{class}");
    let answer = answer.with(&name, left(&call.caller.bearer.appid).unwrap_or(usual).to_string());
    if kind == "tenant" {
        return answer;
    }
    let global = left(EVERYBODY).unwrap_or(global);
    answer.with(&format!("x-ms-ratelimit-remaining-subscription-global-{class}"), global.to_string())
}
