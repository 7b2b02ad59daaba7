//! Decisions about a `CrossTenantConnection`: two halves of one handshake, and what is its own. What is the same of every
//! kind is in [`crate::lifecycle`].

mod candidates;
mod connection;
mod desire;
mod half;
mod inputs;
mod kind;
mod recreate;
mod report;
mod state;

pub use connection::{Connection, Other, Role, Step};
pub use desire::{desire, id_key};
pub use half::{Half, Halves};
pub use inputs::{HalfInput, Inputs};
