//! `networkManagers/networkGroups`.

use jiff::Timestamp;
use serde::Deserialize;

use super::call::{Call, verb};
use super::operations;
use super::paging::{self, Order};
use super::refusals::{not_found, parent_not_found};
use crate::answer::{Answer, Answered};
use crate::evidence::{Evidence, documents};
use crate::guid;
use crate::path::{ArmPath, Kind};
use crate::state::State;
use crate::world::remove_under;
use crate::world::resources::{Author, NetworkGroup, SystemData};
use crate::world::view::{self, In};

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::recording("body, memberType's default, the 404", "cli-group@2025-09-30"),
    Evidence::recording(
        "DELETE is 200 if there never was a member, else 202",
        "cli-static-member@2025-09-30",
    ),
    Evidence::assumed(
        "memberType cannot be changed: 400",
        "a PUT of an existing group with the other memberType",
    ),
    Evidence::specification(
        "If-Match is honoured (NetworkGroups_CreateOrUpdate): 412 PreconditionFailed",
        &documents::NETWORK_MANAGER,
    ),
    Evidence::recording(
        "a PUT with the member type Microsoft.Network/virtualNetworks is 200",
        "cli-static-member@2022-03-29",
    ),
    Evidence::assumed(
        "a group keeps the word for its member type that it was made with",
        "a GET today of a group that was made with Microsoft.Network/virtualNetworks",
    ),
    Evidence::assumed(
        "after a 202 the group is gone at once: a GET is 404, a second DELETE 204",
        "a GET and a second DELETE of a group while its first one runs",
    ),
    Evidence::assumed(
        "DELETE of what is not there is 204",
        "a DELETE of a group that does not exist (recorded of a sibling type only: cli-delete-missing-child-204@2022-03-09)",
    ),
    Evidence::assumed(
        "a PUT while the delete of the same group runs: 409 AnotherOperationInProgress",
        "a PUT of a group right after its 202",
    ),
];

/// What a PUT may carry.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Sent {
    properties: Option<Properties>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Properties {
    description: Option<String>,
    member_type: Option<String>,
}

/// GET of one.
pub fn get(state: &State, call: &Call<'_>) -> Answered {
    parent(state, call)?;
    let it = state.world.groups.get(&call.path.key()).ok_or_else(|| not_found(&call.path))?;
    Ok(Answer::json(200, &view::network_group(it, In::Read)))
}

/// GET of the list.
pub fn list(state: &State, call: &Call<'_>) -> Answered {
    parent(state, call)?;
    let prefix = format!("{}/", call.path.key());
    let map = &state.world.groups;
    paging::page(state, call, map, &prefix, Order::LinkFirst, paging::direct_child, |it| {
        view::network_group(it, In::Read)
    })
}

/// PUT.
pub fn put(state: &mut State, call: &Call<'_>) -> Answered {
    let sent: Sent = call.parse()?;
    parent(state, call)?;
    let key = call.path.key();
    operations::check_idle(state, call, &key)?;
    let present = state.world.groups.get(&key);
    let etag = present.map(|it| view::etag(&it.id, it.system_data.last_modified_at));
    if let Some(wanted) = call.if_match
        && wanted != "*"
        && etag.as_deref() != Some(wanted)
    {
        let text = format!("The condition '{wanted}' in the If-Match header was not met.");
        return Err(Answer::provider(412, "PreconditionFailed", &text));
    }
    let member_type = sent.properties.as_ref().and_then(|it| it.member_type.clone());
    if let Some(member_type) = member_type {
        let old = state.world.groups.get(&call.path.key());
        let wanted = takes(&member_type);
        if wanted.is_none() || old.is_some_and(|old| takes(&old.member_type) != wanted) {
            let text = format!("Member type [{member_type}] is not valid for this network group.");
            return Err(Answer::provider(400, "BadRequest", &text));
        }
    }
    let it = store(state, &call.path, sent, &call.author(), call.now);
    Ok(Answer::json(200, &view::network_group(&it, In::Put)))
}

/// DELETE.
pub fn delete(state: &mut State, call: &Call<'_>) -> Answered {
    parent(state, call)?;
    let Some(old) = remove(state, &call.path.key()) else { return Ok(Answer::empty(204)) };
    if old.had_members {
        return Ok(operations::accept(state, call, &old.resource_guid, false));
    }
    Ok(Answer::empty(200))
}

/// What a group of this member type takes; None for a word that is refused.
pub fn takes(member_type: &str) -> Option<Kind> {
    match member_type {
        "VirtualNetwork" | "Microsoft.Network/virtualNetworks" => Some(Kind::VirtualNetwork),
        "Subnet" => Some(Kind::Subnet),
        _ => None,
    }
}

fn parent(state: &State, call: &Call<'_>) -> Answered<()> {
    let known = state.world.managers.contains_key(&call.path.parent().key());
    if known { Ok(()) } else { Err(parent_not_found(&call.path, verb(call.method))) }
}

/// Makes or replaces one.
pub fn store(state: &mut State, path: &ArmPath, sent: Sent, by: &Author, now: Timestamp) -> NetworkGroup {
    let sent = sent.properties.unwrap_or_default();
    let key = path.key();
    let description = sent.description.unwrap_or_default();
    let new = match state.world.groups.get(&key) {
        Some(old) => {
            NetworkGroup { description, system_data: old.system_data.touched(by, now), ..old.clone() }
        }
        None => NetworkGroup {
            id: path.id(),
            name: path.name().to_owned(),
            description,
            member_type: sent.member_type.unwrap_or_else(|| "VirtualNetwork".into()),
            had_members: false,
            resource_guid: guid::draw(&mut state.rng),
            system_data: SystemData::new(by, now),
        },
    };
    state.world.groups.insert(key, new.clone());
    new
}

/// Removes one with its members and gives it back.
pub fn remove(state: &mut State, key: &str) -> Option<NetworkGroup> {
    let old = state.world.groups.remove(key)?;
    remove_under(&mut state.world.members, &format!("{key}/"));
    Some(old)
}
