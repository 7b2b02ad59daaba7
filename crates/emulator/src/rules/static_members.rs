//! `networkGroups/staticMembers`: one network or subnet in a group.

use jiff::Timestamp;
use rand::Rng;
use serde::Deserialize;

use super::call::{Call, verb};
use super::linked;
use super::network_groups::takes;
use super::paging::{self, Order};
use super::refusals::parent_not_found;
use crate::answer::{Answer, Answered};
use crate::evidence::Evidence;
use crate::path::{ArmPath, Kind, scope_key};
use crate::settings::{IdentityChange, NetworkGone};
use crate::state::State;
use crate::world::agenda::Event;
use crate::world::resources::{Author, StaticMember, SystemData};
use crate::world::view::{self, In};

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::recording(
        "PUT is always 200 and Updating, then Succeeded with a location, or Failed without",
        "cli-static-member@2025-09-30",
    ),
    Evidence::recording("the location may be there before it is Succeeded", "cli-static-member@2025-09-30"),
    Evidence::recording(
        "resourceId keeps its casing; the region's property is location",
        "cli-static-member@2025-09-30",
    ),
    Evidence::recording(
        "the 404's text lacks the slash before the name",
        "wire-facts 8, recording not shared",
    ),
    Evidence::recording("DELETE is 200 and empty, also while Updating", "cli-static-member@2024-06-05"),
    Evidence::assumed(
        "DELETE of what is not there is 204",
        "a DELETE of a member that does not exist (recorded of a sibling type only: \
         cli-delete-missing-child-204@2022-03-09)",
    ),
    Evidence::assumed(
        "a network that does not exist: 200, and Failed later",
        "a member of a network that does not exist",
    ),
    Evidence::assumed(
        "a network in a Subnet group or the reverse: 400",
        "a subnet PUT into a group of networks",
    ),
    Evidence::assumed(
        "another resourceId in a PUT of what is there: the member stands for it from now on, and is Updating (setting: \
         the field stays as it was)",
        "a PUT of a member that names another network than before",
    ),
    Evidence::assumed("two members for one network: 200", "the same network PUT under two names"),
    Evidence::assumed(
        "members keep their state when a connection goes",
        "a member read after one half of its connection was deleted",
    ),
    Evidence::assumed(
        "a member whose network is deleted stays as it is (setting: it fails, or goes too)",
        "a member read after its network was deleted",
    ),
];

/// What a PUT may carry. Everything else is ignored, as the service does.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Sent {
    properties: Option<Properties>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Properties {
    resource_id: Option<String>,
}

/// GET of one.
pub fn get(state: &State, call: &Call<'_>) -> Answered {
    parent(state, call)?;
    let it = state.world.members.get(&call.path.key()).ok_or_else(|| {
        let mut list = call.path.clone();
        list.names.pop();
        let text = format!("Resource [{}{}] does not exist or has been deleted", list.id(), call.path.name());
        Answer::provider(404, "NotFound", &text)
    })?;
    Ok(Answer::json(200, &view::static_member(it, In::Read)))
}

/// GET of the list.
pub fn list(state: &State, call: &Call<'_>) -> Answered {
    parent(state, call)?;
    let prefix = format!("{}/", call.path.key());
    let map = &state.world.members;
    paging::page(state, call, map, &prefix, Order::LinkFirst, paging::direct_child, |it| {
        view::static_member(it, In::Read)
    })
}

/// PUT.
pub fn put(state: &mut State, call: &Call<'_>) -> Answered {
    let sent: Sent = call.parse()?;
    let resource_id = sent.properties.as_ref().and_then(|it| it.resource_id.clone()).unwrap_or_default();
    linked::check(state, call, &resource_id)?;
    parent(state, call)?;
    let group = state.world.groups.get(&call.path.parent().key());
    let wanted = group.and_then(|group| takes(&group.member_type)).unwrap_or(Kind::VirtualNetwork);
    if ArmPath::from_id(&resource_id).is_some_and(|path| path.kind() != wanted) {
        let text = format!("Resource [{resource_id}] does not fit the member type of the network group.");
        return Err(Answer::provider(400, "BadRequest", &text));
    }
    let it = store(state, &call.path, sent, &call.author(), call.now, call.fail_member);
    Ok(Answer::json(200, &view::static_member(&it, In::Put)).bent(call.fail_member))
}

/// DELETE.
pub fn delete(state: &mut State, call: &Call<'_>) -> Answered {
    parent(state, call)?;
    Ok(Answer::empty(if state.world.members.remove(&call.path.key()).is_some() { 200 } else { 204 }))
}

fn parent(state: &State, call: &Call<'_>) -> Answered<()> {
    let known = state.world.groups.contains_key(&call.path.parent().key());
    if known { Ok(()) } else { Err(parent_not_found(&call.path, verb(call.method))) }
}

/// Makes or replaces one. It is Updating until its time has come.
pub fn store(
    state: &mut State,
    path: &ArmPath,
    sent: Sent,
    by: &Author,
    now: Timestamp,
    fails: bool,
) -> StaticMember {
    let key = path.key();
    let old = state.world.members.get(&key);
    let system_data = old.map_or_else(|| SystemData::new(by, now), |old| old.system_data.touched(by, now));
    let sent = sent.properties.unwrap_or_default().resource_id.unwrap_or_default();
    let kept = old.filter(|old| {
        state.settings.identity_change == IdentityChange::Ignore
            && scope_key(&old.resource_id) != scope_key(&sent)
    });
    let new = StaticMember {
        id: old.map_or_else(|| path.id(), |old| old.id.clone()),
        name: old.map_or_else(|| path.name().to_owned(), |old| old.name.clone()),
        resource_id: kept.map_or(sent, |old| old.resource_id.clone()),
        provisioning_state: "Updating",
        location: String::new(),
        fails,
        written_at: now,
        system_data,
    };
    state.world.members.insert(key.clone(), new.clone());
    if let Some(group) = state.world.groups.get_mut(&path.parent().key()) {
        group.had_members = true;
    }
    let delay = state.settings.member_delay_ms.draw(&mut state.rng);
    if delay > 0 {
        let placed = state.rng.random_range(0..delay);
        state.world.agenda.add(now, placed, Event::MemberPlaced(key.clone()), &mut state.rng);
    }
    state.world.agenda.add(now, delay, Event::StaticMember(key), &mut state.rng);
    new
}

/// A member that is still Updating gets the region of its network.
pub fn place(state: &mut State, key: &str, now: Timestamp) {
    let Some(member) = state.world.members.get(key) else { return };
    if member.provisioning_state != "Updating" || member.fails {
        return;
    }
    let network = state.world.network_of(&member.resource_id);
    let Some(location) = network.map(|network| network.location.clone()) else { return };
    if let Some(member) = state.world.members.get_mut(key) {
        member.location = location;
        member.written_at = now;
    }
}

/// A network is gone: what becomes of its members is a setting.
pub fn network_gone(state: &mut State, network: &str, now: Timestamp) {
    let of = |member: &StaticMember| {
        let id = scope_key(&member.resource_id);
        id.strip_prefix(network).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    match state.settings.network_gone {
        NetworkGone::Keep => {}
        NetworkGone::Fail => {
            for member in state.world.members.values_mut().filter(|member| of(member)) {
                member.provisioning_state = "Failed";
                member.written_at = now;
            }
        }
        NetworkGone::Remove => state.world.members.retain(|_, member| !of(member)),
    }
}

/// A member's time has come: Succeeded with the network's region, or Failed.
pub fn finish(state: &mut State, key: &str, now: Timestamp) {
    let Some(member) = state.world.members.get(key) else { return };
    if member.provisioning_state != "Updating" {
        return;
    }
    let location = state.world.network_of(&member.resource_id).map(|network| network.location.clone());
    let location = location.filter(|_| !member.fails);
    if let Some(member) = state.world.members.get_mut(key) {
        member.provisioning_state = if location.is_some() { "Succeeded" } else { "Failed" };
        member.location = location.unwrap_or_default();
        // Recorded: the etag moves with the service's own writes, lastModifiedAt does not.
        member.written_at = now;
    }
}
