//! One thing in Azure that an object owns: how it is observed, what is done to it, and by which calls.

mod azure;
mod execute;
mod observe;

pub(crate) use azure::{Connects, Entry, Reader, entries, halves_took, parent_missing};
