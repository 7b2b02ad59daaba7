//! Where the provider Microsoft.Network is not registered: in a subscription, or at a management group.

use serde_json::json;

use super::access;
use super::call::Call;
use crate::answer::{Answer, Answered};
use crate::evidence::{Evidence, documents};
use crate::path::{ArmPath, Kind, Scope};
use crate::state::State;
use crate::world::agenda::Event;

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::specification(
        "a subscription that is not registered: 409 MissingSubscriptionRegistration",
        &documents::REGISTRATION,
    ),
    Evidence::report(
        "a manager scoped to a management group that is not registered: 400 BadRequest, is not within tenant",
        "Azure/azure-rest-api-specs#25774",
    ),
    Evidence::report_in(
        "POST .../register and the GET of a provider, until registrationState is Registered",
        &documents::PYTHON_REGISTRATION,
    ),
    Evidence::assumed(
        "the same for a network manager connection on such a management group",
        "a PUT of a connection under a management group that was never registered",
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

/// Answers the calls by which a provider is registered, in a subscription or at a management group; None for all others.
pub fn provider(state: &mut State, call: &Call<'_>) -> Option<Answered> {
    let path = &call.path;
    if path.namespace.as_deref() != Some("Microsoft.Network") || path.resource_group.is_some() {
        return None;
    }
    let register = match (call.method, path.types.as_slice()) {
        ("GET", []) => false,
        ("POST", [verb]) if path.names.is_empty() && verb.eq_ignore_ascii_case("register") => true,
        _ => return None,
    };
    let action = if register {
        "Microsoft.Network/register/action"
    } else {
        "Microsoft.Resources/subscriptions/providers/read"
    };
    let scope = path.parent();
    if let Err(refusal) = access::action_on(state, call, action, &scope) {
        return Some(Err(refusal));
    }
    let key = state.world.key(&scope, &call.caller.bearer.tid);
    if register {
        let delay = state.settings.operation_delay_ms.draw(&mut state.rng);
        let event = Event::Registered { scope: scope.id(), tenant: call.caller.bearer.tid.clone() };
        state.world.agenda.add(call.now, delay, event, &mut state.rng);
        state.world.registering.insert(key.clone());
        if delay == 0 {
            set(state, &scope, &call.caller.bearer.tid.clone(), true);
        }
    }
    if matches!(path.scope, Scope::ManagementGroup(_)) && register {
        return Some(Ok(Answer::empty(200)));
    }
    let shown = match &path.scope {
        _ if registered(state, &scope, &call.caller.bearer.tid) => "Registered",
        _ if state.world.registering.contains(&key) => "Registering",
        _ => "NotRegistered",
    };
    Some(Ok(Answer::json(
        200,
        &json!({
            "id": format!("{}/providers/Microsoft.Network", scope.id()),
            "namespace": "Microsoft.Network",
            "registrationPolicy": "RegistrationRequired",
            "resourceTypes": [],
            "registrationState": shown,
        }),
    )))
}

fn registered(state: &State, scope: &ArmPath, tenant: &str) -> bool {
    match &scope.scope {
        Scope::Subscription(id) => {
            state.world.subscriptions.get(&id.to_ascii_lowercase()).is_some_and(|it| it.registered)
        }
        Scope::ManagementGroup(name) => {
            let key = (tenant.to_owned(), name.to_ascii_lowercase());
            state.world.management_groups.get(&key).is_some_and(|it| it.registered)
        }
        Scope::Tenant => false,
    }
}

/// Registers the provider in a subscription or at a management group, or ends that.
pub fn set(state: &mut State, scope: &ArmPath, tenant: &str, registered: bool) {
    let key = state.world.key(scope, tenant);
    state.world.registering.remove(&key);
    match &scope.scope {
        Scope::Subscription(id) => {
            if let Some(it) = state.world.subscriptions.get_mut(&id.to_ascii_lowercase()) {
                it.registered = registered;
            }
        }
        Scope::ManagementGroup(name) => {
            let key = (tenant.to_owned(), name.to_ascii_lowercase());
            if let Some(it) = state.world.management_groups.get_mut(&key) {
                it.registered = registered;
            }
        }
        Scope::Tenant => {}
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
