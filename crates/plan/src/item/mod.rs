//! One thing in Azure owned by an object: a half of a connection, or a member. From nothing to held, and back.
//!
//! There are three ways in. [`Item::advance`] says the next move and what it takes; [`Item::answered`] takes note of what
//! came of it, and is the only place that changes an item; [`Item::findings`] says what holds of it. What is peculiar to a
//! kind is with the kind: in which order its items are written, and what they wait for.

mod address;
mod admission;
mod advance;
mod answered;
mod body;
mod broken;
mod finding;
mod history;
mod key;
mod owned;
mod seen;
mod situation;
mod standing;
#[cfg(test)]
mod tests;
mod transition;
mod write;

pub use address::{Address, Wish};
pub use advance::{Advance, Effect, in_order};
pub use answered::{Answer, Reader};
pub use body::{Body, BodyHash, Likeness};
pub use history::{
    CONTENDED_AFTER, CONTENDED_PACE, CONTENDED_SWEEPS, CORRECTION_SETTLES, Cause, DELETE_SETTLES, Fresh,
    History, REFUSED_PACE,
};
pub use key::Key;
pub use owned::{Begin, Item, is_of_another};
pub use seen::{Seen, State};
pub use situation::{Facts, Policy};
pub use standing::Standing;
pub use transition::{Claimed, Goal, Move, SeenAs, Situation, all, next, row};
pub use write::Write;
