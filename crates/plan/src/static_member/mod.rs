//! Decisions about a `StaticMember`: one member of a network group, and what is its own. What is the same of every kind is
//! in [`crate::lifecycle`].

mod desire;
mod fits;
mod inputs;
mod kind;
mod member;
mod report;
mod state;

pub use desire::{desire, references};
pub use inputs::{ConnectionFacts, ConnectionInput, Inputs};
pub use member::{FAILED_FIRST, FAILED_NEXT, FAILED_TRIES, MEMBER, Member, Memory, Step};
