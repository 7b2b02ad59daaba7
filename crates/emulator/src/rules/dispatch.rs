//! Which rules answer a call, by its type and verb.

use super::call::Call;
use super::{
    manager_connections, neighbours, network_groups, network_managers, networks, operations,
    scope_connections, static_members,
};
use crate::answer::{Answer, Answered};
use crate::path::Kind;
use crate::state::State;

/// Answers a call that may be answered.
pub(super) fn dispatch(state: &mut State, call: &Call<'_>) -> Answered {
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
