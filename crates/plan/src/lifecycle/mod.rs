//! What is the same of every object that owns things in Azure, whatever its kind: what comes before what, how it is
//! deleted, what it says in status.
//!
//! A kind brings its [`crate::item::Item`]s and what is its own ([`Kind`]): what its items wait for, what Azure's words mean to
//! it, and which conditions it has. Nothing here knows a kind.

mod common;
mod conclude;
mod decide;
mod deletion;
mod kept;
mod kind;
mod object;
mod plan;
mod report;
mod steps;
mod view;
mod waiting;

pub use common::{Common, unlooked};
pub use decide::decide;
pub use deletion::asks_before_look;
pub use kept::Kept;
pub use kind::{Gate, Kind};
pub use object::{At, Before, Dependent, Memory, Object};
pub use plan::{Plan, Step};
pub use report::{Reported, invalid, report};
pub use view::View;
pub use waiting::waiting;
