//! Faults by script: which calls they hit, and what happens to those.

mod action;
mod armed;
mod fault;
mod matches;

pub use action::{Action, Effect};
pub use armed::{Armed, Faults};
pub use fault::Fault;
pub use matches::Match;
