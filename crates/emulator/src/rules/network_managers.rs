//! `networkManagers`.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::call::Call;
use super::paging::{self, Order};
use super::refusals::resource_not_found;
use super::{operations, pairing, registration, stuck};
use crate::answer::{Answer, Answered};
use crate::evidence::{Evidence, documents};
use crate::guid;
use crate::path::{ArmPath, Scope};
use crate::settings::ManagerDelete;
use crate::state::State;
use crate::world::agenda::Event;
use crate::world::resources::{Author, Manager, SystemData};
use crate::world::view::{self, In};
use crate::world::{remove_under, under};

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::recording(
        "body; what was not sent comes back empty; DELETE is 200",
        "cli-network-manager@2024-06-05",
    ),
    Evidence::recording("the 404 is ARM's own", "cli-network-manager@2024-06-05"),
    Evidence::report(
        "DELETE with children and without force: 409 CannotDeleteResource",
        "Azure/azure-rest-api-specs#31688",
    ),
    Evidence::assumed(
        "after a 202 the manager is gone at once: a GET is 404, a second DELETE 204",
        "a GET and a second DELETE of a manager while its first one runs",
    ),
    Evidence::assumed(
        "DELETE of what is not there is 204",
        "a DELETE of a manager that does not exist (recorded of one of its child types only: \
         cli-delete-missing-child-204@2022-03-09)",
    ),
    Evidence::assumed(
        "a new manager without a location: 400 LocationRequired, and its text",
        "a PUT of a new manager without a location",
    ),
    Evidence::specification(
        "an item of crossTenantScopes has a tenantId, managementGroups and subscriptions",
        &documents::NETWORK_MANAGER,
    ),
    Evidence::assumed(
        "crossTenantScopes has one item for each tenant; its scopes are ids with a leading slash, in the order in which \
         they were connected",
        "a GET of a manager that is connected to two scopes of one tenant (every recording shows an empty list)",
    ),
    Evidence::assumed(
        "a PUT leaves crossTenantScopes alone: they are Azure's to change",
        "a GET of a connected manager after a PUT of it",
    ),
    Evidence::recording(
        "DELETE is 202 at times, and the last poll of its Location a 404, which Azure's own SDK takes for a failure \
         (setting)",
        "cli-network-manager-delete-lro@2025-09-30",
    ),
    Evidence::recording(
        "a PUT that adds an access answers Updating, without any header of a long operation",
        "wire-facts 2, recording not shared",
    ),
    Evidence::recording(
        "an access that the subscription lacks the feature for: 400 BadRequest",
        "cli-network-manager-put-400@2025-09-09",
    ),
    Evidence::specification("PATCH changes tags only (NetworkManagers_Patch)", &documents::NETWORK_MANAGER),
    Evidence::assumed(
        "how long Updating lasts; which access needs which feature beyond SecurityUser",
        "a manager read again and again after such a PUT",
    ),
];

/// What a PUT may carry.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Sent {
    location: Option<String>,
    tags: Option<Map<String, Value>>,
    properties: Option<Properties>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Properties {
    description: Option<String>,
    network_manager_scopes: Option<Scopes>,
    network_manager_scope_accesses: Option<Vec<String>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Scopes {
    management_groups: Option<Vec<String>>,
    subscriptions: Option<Vec<String>>,
}

/// GET of one.
pub fn get(state: &State, call: &Call<'_>) -> Answered {
    let it = state.world.managers.get(&call.path.key()).ok_or_else(|| resource_not_found(&call.path))?;
    Ok(Answer::json(200, &view::manager(it, In::Read)))
}

/// GET of the list, of a resource group or a whole subscription.
pub fn list(state: &State, call: &Call<'_>) -> Answered {
    let map = &state.world.managers;
    let prefix = match call.path.resource_group {
        Some(_) => format!("{}/", call.path.key()),
        None => format!("{}/resourcegroups/", call.path.scope_id().to_ascii_lowercase()),
    };
    paging::page(
        state,
        call,
        map,
        &prefix,
        Order::LinkFirst,
        |rest| !rest.is_empty(),
        |it| view::manager(it, In::Read),
    )
}

/// PUT.
pub fn put(state: &mut State, call: &Call<'_>) -> Answered {
    let sent: Sent = call.parse()?;
    let new = !state.world.managers.contains_key(&call.path.key());
    if new && sent.location.as_deref().is_none_or(str::is_empty) {
        let text = "The location property is required for this definition.";
        return Err(Answer::gateway(400, "LocationRequired", text));
    }
    let tenant = &call.caller.bearer.tid;
    operations::check_idle(state, call, &call.path.key())?;
    allowed_accesses(state, call, &sent)?;
    let scopes = sent.properties.as_ref().and_then(|it| it.network_manager_scopes.as_ref());
    let groups = scopes.and_then(|it| it.management_groups.as_deref()).unwrap_or_default();
    for group in groups {
        registration::management_group(state, tenant, group)?;
    }
    let subscriptions = scopes.and_then(|it| it.subscriptions.as_deref()).unwrap_or_default();
    let all: Vec<&String> = groups.iter().chain(subscriptions).collect();
    stuck::check(state, &call.path.key(), tenant, &all)?;
    let it = store(state, &call.path, tenant, sent, &call.author(), call.now);
    Ok(Answer::json(200, &view::manager(&it, In::Put)))
}

/// Accesses that need no feature of the subscription.
const PLAIN_ACCESSES: &[&str] = &["Connectivity", "SecurityAdmin", "Routing"];

fn allowed_accesses(state: &State, call: &Call<'_>, sent: &Sent) -> Answered<()> {
    let Scope::Subscription(id) = &call.path.scope else { return Ok(()) };
    let known = state.world.subscriptions.get(&id.to_ascii_lowercase());
    let Some(feature) = known.and_then(|known| known.missing_features.first()) else { return Ok(()) };
    let asked = sent.properties.as_ref().and_then(|it| it.network_manager_scope_accesses.as_deref());
    let plain = |access: &String| PLAIN_ACCESSES.iter().any(|plain| plain.eq_ignore_ascii_case(access));
    if asked.unwrap_or_default().iter().all(plain) {
        return Ok(());
    }
    let text = format!("The subscription: {id} is not registered for feature: {feature}");
    Err(Answer::provider(400, "BadRequest", &text))
}

/// PATCH: tags, and nothing else.
pub fn patch(state: &mut State, call: &Call<'_>) -> Answered {
    let sent: Sent = call.parse()?;
    let author = call.author();
    let it = state.world.managers.get_mut(&call.path.key()).ok_or_else(|| resource_not_found(&call.path))?;
    if let Some(tags) = sent.tags {
        it.tags = tags;
    }
    it.system_data = it.system_data.touched(&author, call.now);
    Ok(Answer::json(200, &view::manager(it, In::Put)))
}

/// DELETE.
pub fn delete(state: &mut State, call: &Call<'_>) -> Answered {
    let key = call.path.key();
    let Some(manager) = state.world.managers.get(&key) else { return Ok(Answer::empty(204)) };
    let guid = manager.resource_guid.clone();
    let force = call.parameter("force").is_some_and(|force| force.eq_ignore_ascii_case("true"));
    if !force && let Some(child) = first_child(state, &key) {
        let text = format!(
            "Cannot delete resource while nested resources exist. Some existing nested resource IDs include: \
             '{child}'. Please delete all nested resources before deleting this resource."
        );
        return Err(Answer::gateway(409, "CannotDeleteResource", &text));
    }
    remove(state, &key, call.now);
    Ok(match state.settings.manager_delete {
        ManagerDelete::Synchronous => Answer::empty(200),
        ManagerDelete::Accepted => operations::accept(state, call, &guid, true),
    })
}

fn first_child(state: &State, key: &str) -> Option<String> {
    let prefix = format!("{key}/");
    let connection = under(&state.world.scope_connections, &prefix).map(|(_, it)| it.half.id.as_str()).next();
    let id =
        connection.or_else(|| under(&state.world.groups, &prefix).map(|(_, it)| it.id.as_str()).next())?;
    id.split_once("/providers/").map(|(_, rest)| rest.to_owned())
}

/// Makes or replaces one.
pub fn store(
    state: &mut State,
    path: &ArmPath,
    tenant: &str,
    sent: Sent,
    by: &Author,
    now: Timestamp,
) -> Manager {
    let key = path.key();
    let properties = sent.properties.unwrap_or_default();
    let scopes = properties.network_manager_scopes.unwrap_or_default();
    let old = state.world.managers.get(&key);
    let accesses = properties.network_manager_scope_accesses.unwrap_or_default();
    // Recorded: an access more, and it is Updating for a while; without, or when it is made, it is not.
    let more = |old: &Manager| {
        accesses.iter().any(|access| !old.accesses.iter().any(|it| it.eq_ignore_ascii_case(access)))
    };
    let updating = old.is_some_and(more);
    let new = Manager {
        id: old.map_or_else(|| path.id(), |old| old.id.clone()),
        name: old.map_or_else(|| path.name().to_owned(), |old| old.name.clone()),
        tenant: tenant.to_owned(),
        location: sent
            .location
            .or_else(|| old.map(|old| old.location.clone()))
            .unwrap_or_else(|| "eastus2".into()),
        tags: sent.tags.unwrap_or_default(),
        description: properties.description.unwrap_or_default(),
        management_groups: scopes.management_groups.unwrap_or_default(),
        subscriptions: scopes.subscriptions.unwrap_or_default(),
        cross_tenant_scopes: old.map(|old| old.cross_tenant_scopes.clone()).unwrap_or_default(),
        accesses,
        provisioning_state: if updating { "Updating" } else { "Succeeded" },
        resource_guid: match old {
            Some(old) => old.resource_guid.clone(),
            None => guid::draw(&mut state.rng),
        },
        system_data: old.map_or_else(|| SystemData::new(by, now), |old| old.system_data.touched(by, now)),
    };
    // Both what it held before and what it holds now is looked at again.
    pairing::touch_manager(state, &key, now);
    state.world.managers.insert(key.clone(), new.clone());
    pairing::touch_manager(state, &key, now);
    if updating {
        let delay = state.settings.operation_delay_ms.draw(&mut state.rng);
        state.world.agenda.add(now, delay, Event::Manager(key), &mut state.rng);
    }
    new
}

/// A manager is done with its update.
pub fn finish(state: &mut State, key: &str) {
    if let Some(manager) = state.world.managers.get_mut(key) {
        manager.provisioning_state = "Succeeded";
    }
}

/// Removes one with all that lies in it, and says whether it was there.
pub fn remove(state: &mut State, key: &str, now: Timestamp) -> bool {
    if !state.world.managers.contains_key(key) {
        return false;
    }
    pairing::touch_manager(state, key, now);
    stuck::manager_goes(state, key, now);
    state.world.managers.remove(key);
    let prefix = format!("{key}/");
    remove_under(&mut state.world.scope_connections, &prefix);
    remove_under(&mut state.world.groups, &prefix);
    remove_under(&mut state.world.members, &prefix);
    true
}
