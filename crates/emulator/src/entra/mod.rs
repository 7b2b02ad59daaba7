//! Entra: the token endpoint, the documents that describe a tenant, and the registry behind them.
//!
//! An application is registered once, in its home tenant, with its secrets, certificates and federated credentials;
//! every tenant that consented holds a service principal of its own.

mod asked;
pub mod assertion;
pub mod certificates;
pub mod federation;
pub mod metadata;
pub mod own_key;
mod refusals;
pub mod registry;
mod router;
pub mod sign_in;

pub use asked::Asked;
pub use router::answer;
