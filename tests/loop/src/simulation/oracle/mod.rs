//! What must hold at every call. It looks past every cache: at what is stored in Kubernetes and what Azure holds at that
//! moment.

pub(crate) mod claims;
pub(crate) mod lease;
pub(crate) mod lending;
pub(crate) mod ready;
pub(crate) mod secrecy;
pub(crate) mod write;
