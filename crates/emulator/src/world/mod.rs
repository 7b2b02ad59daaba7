//! Everything that exists: tenants and what they own, and the resources of the network provider.

pub mod agenda;
mod build;
pub mod certificate;
mod check;
pub mod directory;
pub mod echoes;
pub mod federated_credential;
pub mod file;
mod forms;
mod properties;
pub mod resources;
pub mod schema;
mod store;
pub mod view;

pub(crate) use build::new_network as build_network;
pub use store::{World, remove_under, under};
