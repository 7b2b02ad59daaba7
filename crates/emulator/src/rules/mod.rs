//! What ARM and the network provider do with a call: one file for each family of rules.
//!
//! The order is ARM's: api-version, token (401), quota (429), the action on the URL (403), the provider's registration
//! and locks (409), the linked resource (403), and only then the resource itself.

pub mod access;
pub mod consistency;
pub mod documents;
pub mod evidence;
pub mod headers;
pub mod linked;
pub mod locks;
pub mod manager_connections;
pub mod neighbours;
pub mod network_groups;
pub mod network_managers;
pub mod networks;
pub mod operations;
pub mod paging;
pub mod pairing;
pub mod quota;
pub mod registration;
pub mod resource_graph;
pub mod scope_connections;
pub mod static_members;
pub mod stuck;
#[cfg(test)]
pub(crate) mod testing;
pub mod tokens;

use anyhow::{Context, bail, ensure};
use jiff::Timestamp;
use serde_json::Value;
use url::form_urlencoded;

use crate::answer::{Answer, Answered};
use crate::azure::{Request, State};
use crate::path::{ArmPath, Kind, Scope};
use crate::world::resources::Author;
pub use evidence::{Basis, EVIDENCE, Evidence};
use tokens::Caller;

/// What this is built on.
pub const EVIDENCE_OF_CALLS: &[Evidence] = &[
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

/// A call to ARM that passed the token checks.
#[derive(Debug)]
pub struct Call<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// What it is about.
    pub path: ArmPath,
    /// The same as it was sent: a link to the next page begins with it.
    pub raw_path: &'a str,
    /// The query's parameters.
    pub query: Vec<(String, String)>,
    /// The body.
    pub body: &'a [u8],
    /// `https://host:port`.
    pub origin: &'a str,
    /// Who calls.
    pub caller: Caller,
    /// When.
    pub now: Timestamp,
    /// The If-Match header.
    pub if_match: Option<&'a str>,
    /// A fault wants the member that this makes to fail.
    pub fail_member: bool,
    /// A fault wants what was there before the last write, if that came after the write of this number.
    pub stale: Option<u64>,
}

/// Where a body must have an object, if it has anything: itself first.
const OBJECTS: &[&str] = &["", "/properties", "/properties/networkManagerScopes", "/tags", "/options"];

fn unreadable(reason: &str) -> Answer {
    let text = format!("The request content was invalid and could not be deserialized: '{reason}'.");
    Answer::gateway(400, "InvalidRequestContent", &text)
}

/// What a fault wants of a call that is served all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// Nothing.
    None,
    /// The member that it makes fails.
    FailMember,
    /// It sees what was there before the last write, if that came after the write of this number.
    Stale {
        /// The number of the last write that was noted when the fault was added.
        since: u64,
    },
}

impl Call<'_> {
    /// A parameter of the query, by name without regard to case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as JSON of this form.
    pub fn parse<T: serde::de::DeserializeOwned>(&self) -> Answered<T> {
        let body: Value =
            serde_json::from_slice(self.body).map_err(|error| unreadable(&error.to_string()))?;
        // Our own forms could be read out of arrays as well: a field at each place.
        for place in OBJECTS {
            let absent = |it: &Value| it.is_null() && !place.is_empty();
            if body.pointer(place).is_some_and(|it| !it.is_object() && !absent(it)) {
                return Err(unreadable(&format!("an object is expected at '{place}'")));
            }
        }
        serde_json::from_value(body).map_err(|error| unreadable(&error.to_string()))
    }

    /// Who writes.
    pub fn author(&self) -> Author {
        Author::application(&self.caller.bearer.appid)
    }
}

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
        if crate::path::is_well_formed(&request.path) {
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

fn dispatch(state: &mut State, call: &Call<'_>) -> Answered {
    let list = call.path.is_collection();
    match (call.path.kind(), call.method) {
        (Kind::NetworkManager, "GET") if list => network_managers::list(state, call),
        (Kind::NetworkManager, "GET") => network_managers::get(state, call),
        (Kind::NetworkManager, "PUT") if !list => network_managers::put(state, call),
        (Kind::NetworkManager, "PATCH") if !list => network_managers::patch(state, call),
        (Kind::NetworkManager, "DELETE") if !list => network_managers::delete(state, call),
        (Kind::ScopeConnection, "GET") if list => scope_connections::list(state, call),
        (Kind::ScopeConnection, "GET") => scope_connections::get(state, call),
        (Kind::ScopeConnection, "PUT") if !list => scope_connections::put(state, call),
        (Kind::ScopeConnection, "DELETE") if !list => scope_connections::delete(state, call),
        (Kind::NetworkGroup, "GET") if list => network_groups::list(state, call),
        (Kind::NetworkGroup, "GET") => network_groups::get(state, call),
        (Kind::NetworkGroup, "PUT") if !list => network_groups::put(state, call),
        (Kind::NetworkGroup, "DELETE") if !list => network_groups::delete(state, call),
        (Kind::StaticMember, "GET") if list => static_members::list(state, call),
        (Kind::StaticMember, "GET") => static_members::get(state, call),
        (Kind::StaticMember, "PUT") if !list => static_members::put(state, call),
        (Kind::StaticMember, "DELETE") if !list => static_members::delete(state, call),
        (Kind::NetworkManagerConnection, "GET") if list => manager_connections::list(state, call),
        (Kind::NetworkManagerConnection, "GET") => manager_connections::get(state, call),
        (Kind::NetworkManagerConnection, "PUT") if !list => manager_connections::put(state, call),
        (Kind::NetworkManagerConnection, "DELETE") if !list => manager_connections::delete(state, call),
        (Kind::VirtualNetwork, "GET") if list => networks::list(state, call),
        (Kind::VirtualNetwork, "GET") => networks::get(state, call),
        (Kind::Subnet, "GET") if list => networks::list_subnets(state, call),
        (Kind::Subnet, "GET") => networks::get_subnet(state, call),
        (Kind::OperationResult, "GET") if !list => operations::poll(state, call),
        (Kind::Neighbour, "GET" | "DELETE") => neighbours::answer(state, call),
        (_, method) => {
            let text = format!("The requested resource does not support http method '{method}'.");
            Err(Answer::gateway(405, "MethodNotAllowed", &text))
        }
    }
}

/// What Azure has and the emulator does not: a 404 with a code that Azure never sends, so that nobody takes it for one of
/// Azure's.
pub fn not_served(method: &str, path: &str) -> Answer {
    let text = format!(
        "The emulator does not serve {method} {path}. Subscriptions, resource groups, management groups, tenants and lists \
         of providers are in its world, but not to be read or changed by calls."
    );
    Answer::gateway(404, "NotServedByEmulator", &text)
}

/// The provider's 404 for a thing that is not there.
pub fn not_found(path: &ArmPath) -> Answer {
    Answer::provider(404, "NotFound", &format!("Resource [{}] does not exist or has been deleted", path.id()))
}

/// ARM's 404 for a thing that is not there.
pub fn resource_not_found(path: &ArmPath) -> Answer {
    let kind = path.types.first().map_or("", String::as_str);
    let tail: Vec<String> =
        path.types.iter().zip(&path.names).skip(1).map(|(kind, name)| format!("/{kind}/{name}")).collect();
    let name = path.names.first().map_or("", String::as_str);
    let group = path.resource_group.as_deref().unwrap_or_default();
    let text = format!(
        "The Resource 'Microsoft.Network/{kind}/{name}{}' under resource group '{group}' was not found. For more \
         details please go to https://aka.ms/ARMResourceNotFoundFix",
        tail.concat()
    );
    Answer::gateway(404, "ResourceNotFound", &text)
}

/// ARM's 404 for a child whose parent is not there (assumed for these types; every verb alike).
pub fn parent_not_found(path: &ArmPath, verb: &str) -> Answer {
    let text = format!(
        "Failed to perform '{verb}' on resource(s) of type '{}', because the parent resource '{}' could not be found.",
        path.types.join("/"),
        path.parent().id()
    );
    Answer::gateway(404, "ParentResourceNotFound", &text)
}

/// The last part of an action's name for a method.
pub fn verb(method: &str) -> &'static str {
    match method {
        "PUT" | "PATCH" => "write",
        "DELETE" => "delete",
        "POST" => "action",
        _ => "read",
    }
}

/// Why a resource can be neither made nor deleted behind the scenes.
const NOT_KEPT: &str = "is not the id of a network manager, network group, static member, scope connection, network \
                        manager connection or virtual network; only those can be made and deleted";

/// Makes or changes a resource without any check of rights: behind the callers' backs, or before the world starts.
pub(crate) fn put_unchecked(
    state: &mut State,
    id: &str,
    tenant: Option<&str>,
    body: &Value,
    now: Timestamp,
) -> anyhow::Result<Value> {
    let (path, tenant) = locate(state, id, tenant)?;
    state.world.resource_groups.extend(path.resource_group_key());
    let author = Author::somebody();
    let invalid = || format!("the body does not fit {id}");
    let parent = path.parent().key();
    match path.kind() {
        Kind::NetworkManager => {
            let sent = serde_json::from_value(body.clone()).with_context(invalid)?;
            network_managers::store(state, &path, &tenant, sent, &author, now);
        }
        Kind::ScopeConnection => {
            ensure!(state.world.managers.contains_key(&parent), "there is no {parent}");
            let sent = serde_json::from_value(body.clone()).with_context(invalid)?;
            scope_connections::store(state, &path, sent, &author, now);
        }
        Kind::NetworkGroup => {
            ensure!(state.world.managers.contains_key(&parent), "there is no {parent}");
            let sent = serde_json::from_value(body.clone()).with_context(invalid)?;
            network_groups::store(state, &path, sent, &author, now);
        }
        Kind::StaticMember => {
            ensure!(state.world.groups.contains_key(&parent), "there is no {parent}");
            let sent = serde_json::from_value(body.clone()).with_context(invalid)?;
            static_members::store(state, &path, sent, &author, now, false);
        }
        Kind::NetworkManagerConnection => {
            let sent = serde_json::from_value(body.clone()).with_context(invalid)?;
            manager_connections::store(state, &path, &tenant, sent, &author, now);
        }
        Kind::VirtualNetwork => {
            let sent = serde_json::from_value(body.clone()).with_context(invalid)?;
            networks::store(state, &path, sent);
        }
        _ => bail!("{id} {NOT_KEPT}"),
    }
    show_unchecked(state, &path, &tenant).with_context(|| format!("{id} did not stay"))
}

/// Deletes a resource, and what lies in it, without any check of rights. Says whether it was there.
pub(crate) fn delete_unchecked(
    state: &mut State,
    id: &str,
    tenant: Option<&str>,
    now: Timestamp,
) -> anyhow::Result<bool> {
    let (path, tenant) = locate(state, id, tenant)?;
    let key = state.world.key(&path, &tenant);
    Ok(match path.kind() {
        Kind::NetworkManager => network_managers::remove(state, &key, now),
        Kind::ScopeConnection => scope_connections::remove(state, &key, now),
        Kind::NetworkGroup => network_groups::remove(state, &key).is_some(),
        Kind::StaticMember => state.world.members.remove(&key).is_some(),
        Kind::NetworkManagerConnection => manager_connections::remove(state, &key, now),
        Kind::VirtualNetwork => networks::remove(state, &key, now),
        _ => bail!("{id} {NOT_KEPT}"),
    })
}

/// A resource as a GET would show it, without any check of rights.
pub(crate) fn show_unchecked(state: &State, path: &ArmPath, tenant: &str) -> Option<Value> {
    use crate::world::view::{self, In};
    let world = &state.world;
    let key = world.key(path, tenant);
    let shown = match path.kind() {
        Kind::NetworkManager => serde_json::to_value(view::manager(world.managers.get(&key)?, In::Read)),
        Kind::ScopeConnection => {
            serde_json::to_value(view::scope_connection(world.scope_connections.get(&key)?))
        }
        Kind::NetworkGroup => serde_json::to_value(view::network_group(world.groups.get(&key)?, In::Read)),
        Kind::StaticMember => serde_json::to_value(view::static_member(world.members.get(&key)?, In::Read)),
        Kind::NetworkManagerConnection => {
            serde_json::to_value(view::manager_connection(world.manager_connections.get(&key)?))
        }
        Kind::VirtualNetwork => serde_json::to_value(view::network(world.networks.get(&key)?)),
        _ => return None,
    };
    shown.ok()
}

/// The path of an id, and the tenant that it lies in; for a management group's name in several tenants that must
/// be told.
pub(crate) fn locate(state: &State, id: &str, tenant: Option<&str>) -> anyhow::Result<(ArmPath, String)> {
    let path = ArmPath::from_id(id).with_context(|| format!("{id} is not an id"))?;
    ensure!(!path.is_collection(), "{id} names a list");
    let owner = match &path.scope {
        Scope::Subscription(subscription) => {
            let owner = state.world.tenant_of_subscription(subscription);
            owner.with_context(|| format!("subscription {subscription} is not known"))?.to_owned()
        }
        Scope::ManagementGroup(name) => {
            let name = name.to_ascii_lowercase();
            let owners: Vec<&String> = state
                .world
                .management_groups
                .keys()
                .filter(|(owner, known)| {
                    *known == name && tenant.is_none_or(|t| t.eq_ignore_ascii_case(owner))
                })
                .map(|(owner, _)| owner)
                .collect();
            match owners.as_slice() {
                [one] => (*one).clone(),
                [] => bail!("management group {name} is not known"),
                _ => bail!("management group {name} exists in several tenants: say which"),
            }
        }
        Scope::Tenant => bail!("{id} lies in no subscription or management group"),
    };
    Ok((path, owner))
}
