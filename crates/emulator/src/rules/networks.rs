//! `virtualNetworks` and `virtualNetworks/subnets`: read over the wire, changed only behind the scenes.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::call::Call;
use super::paging::{self, Order};
use super::refusals::resource_not_found;
use super::static_members;
use crate::answer::{Answer, Answered};
use crate::evidence::{Evidence, documents};
use crate::path::ArmPath;
use crate::state::State;
use crate::world::build_network;
use crate::world::resources::{Network, Subnet};
use crate::world::view;

/// What this is built on.
pub const EVIDENCE: &[Evidence] = &[
    Evidence::specification("bodies and lists", &documents::VIRTUAL_NETWORK),
    Evidence::specification("a network that is not there: ARM's 404 ResourceNotFound", &documents::NOT_FOUND),
    Evidence::assumed(
        "a subnet that is not there, in a network that is: the provider's 404 NotFound",
        "a GET of a subnet that does not exist",
    ),
];

/// What a network put behind the scenes may carry.
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
    address_space: AddressSpace,
    subnets: Vec<SentSubnet>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AddressSpace {
    address_prefixes: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct SentSubnet {
    name: String,
    properties: SubnetProperties,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SubnetProperties {
    address_prefix: String,
}

/// GET of one.
pub fn get(state: &State, call: &Call<'_>) -> Answered {
    let it = state.world.networks.get(&call.path.key()).ok_or_else(|| resource_not_found(&call.path))?;
    Ok(Answer::json(200, &view::network(it)))
}

/// GET of the list, of a resource group or a whole subscription.
pub fn list(state: &State, call: &Call<'_>) -> Answered {
    let prefix = match call.path.resource_group {
        Some(_) => format!("{}/", call.path.key()),
        None => format!("{}/resourcegroups/", call.path.scope_id().to_ascii_lowercase()),
    };
    let map = &state.world.networks;
    paging::page(state, call, map, &prefix, Order::LinkIfAny, |rest| !rest.is_empty(), view::network)
}

/// GET of one subnet.
pub fn get_subnet(state: &State, call: &Call<'_>) -> Answered {
    let network = network(state, call)?;
    let subnet = view::subnet(network, call.path.name()).ok_or_else(|| {
        let text = format!("Resource {} not found.", call.path.id());
        Answer::provider(404, "NotFound", &text)
    })?;
    Ok(Answer::json(200, &subnet))
}

/// GET of a network's subnets; they come on one page.
pub fn list_subnets(state: &State, call: &Call<'_>) -> Answered {
    let network = network(state, call)?;
    let value: Vec<_> = network.subnets.iter().filter_map(|s| view::subnet(network, &s.name)).collect();
    Ok(Answer::json(200, &std::collections::BTreeMap::from([("value", value)])))
}

fn network<'a>(state: &'a State, call: &Call<'_>) -> Answered<&'a Network> {
    let parent = call.path.parent();
    state.world.networks.get(&parent.key()).ok_or_else(|| resource_not_found(&parent))
}

/// Removes one and says whether it was there.
pub fn remove(state: &mut State, key: &str, now: Timestamp) -> bool {
    let gone = state.world.networks.remove(key).is_some();
    if gone {
        static_members::network_gone(state, key, now);
    }
    gone
}

/// Makes or replaces one.
pub fn store(state: &mut State, path: &ArmPath, sent: Sent) {
    let properties = sent.properties.unwrap_or_default();
    let subnets = properties
        .subnets
        .into_iter()
        .map(|it| Subnet { name: it.name, address_prefix: it.properties.address_prefix })
        .collect();
    let location = sent.location.unwrap_or_else(|| "eastus2".into());
    let prefixes = properties.address_space.address_prefixes;
    let network =
        build_network(path, location, sent.tags.unwrap_or_default(), prefixes, subnets, &mut state.rng);
    state.world.networks.insert(path.key(), network);
}
