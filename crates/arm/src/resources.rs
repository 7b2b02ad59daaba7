//! The resource types, one file each: how they look on the wire, and the calls on them.
//!
//! What is read is read leniently (recordings differ from the specification, and generations from each other); what
//! is sent holds only what may be written.

pub(crate) mod group;
pub(crate) mod manager;
pub(crate) mod manager_connection;
pub(crate) mod member;
pub(crate) mod network;
pub(crate) mod scope_connection;

pub use manager_connection::ManagerConnectionBody;
pub use member::MemberBody;
pub use scope_connection::ScopeConnectionBody;
