//! What ARM and the network provider do with a call: one file for each family of rules.

pub mod access;
mod call;
pub mod consistency;
mod dispatch;
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
pub mod pipeline;
pub mod quota;
mod refusals;
pub mod registration;
pub mod resource_graph;
pub mod scope_connections;
pub mod static_members;
pub mod stuck;
#[cfg(test)]
pub(crate) mod testing;
pub mod tokens;
pub(crate) mod unchecked;

pub use call::{Call, Quirk};
pub use pipeline::answer;
