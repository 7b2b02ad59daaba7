//! Where the provider Microsoft.Network is not registered: in a subscription, or at a management group.

use super::{Call, Evidence};
use crate::answer::{Answer, Answered};
use crate::azure::State;
use crate::path::{ArmPath, Kind, Scope};

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::specification(
        "a subscription that is not registered: 409 MissingSubscriptionRegistration",
        "Azure troubleshooting: resource provider registration errors",
    ),
    Evidence::report(
        "a manager scoped to a management group that is not registered: 400 BadRequest, is not within tenant",
        "Azure/azure-rest-api-specs#25774",
    ),
    Evidence::assumed(
        "the same for a network manager connection on such a management group",
        "such a PUT under a management group that was never registered",
    ),
    Evidence::assumed(
        "only writes ask for the registration, and after the action on the URL",
        "a GET in a subscription without Microsoft.Network",
    ),
];

/// Refuses writes where the provider is not registered.
pub fn check(state: &State, call: &Call<'_>) -> Answered<()> {
    if !matches!(call.method, "PUT" | "PATCH" | "POST") || call.path.namespace.is_none() {
        return Ok(());
    }
    match &call.path.scope {
        Scope::Subscription(id) => {
            let known = state.world.subscriptions.get(&id.to_ascii_lowercase());
            if known.is_none_or(|subscription| subscription.registered) {
                return Ok(());
            }
            let text = "The subscription is not registered to use namespace 'Microsoft.Network'. See \
                        https://aka.ms/rps-not-found for how to register subscriptions.";
            Err(Answer::gateway(409, "MissingSubscriptionRegistration", text))
        }
        Scope::ManagementGroup(_) if call.path.kind() == Kind::NetworkManagerConnection => {
            management_group(state, &call.caller.bearer.tid, &call.path.scope_id())
        }
        Scope::ManagementGroup(_) | Scope::Tenant => Ok(()),
    }
}

/// A management group that the provider is to work with must be one of the tenant, and registered.
pub fn management_group(state: &State, tenant: &str, id: &str) -> Answered<()> {
    let name = match ArmPath::from_id(id).map(|path| path.scope) {
        Some(Scope::ManagementGroup(name)) => name.to_ascii_lowercase(),
        _ => String::new(),
    };
    let known = state.world.management_groups.get(&(tenant.to_owned(), name));
    if known.is_some_and(|group| group.registered) {
        return Ok(());
    }
    Err(Answer::provider(400, "BadRequest", &format!("Resource [{id}] is not within tenant [{tenant}]")))
}
