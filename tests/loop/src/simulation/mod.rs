//! The loop, played: the product's own controller over kube's unmodified runtime, the API server and the emulated Azure in
//! this process, on tokio's paused clock, with all randomness from a seed.
//!
//! Read in this order: `act` (what is done and waited for), `lifecycle` (what users do), `generated` (what nobody thought of),
//! `faults` (what goes wrong, and at which step), `wire` (every call of the operator is a step), `oracle` (what must hold at
//! each of them), `process` (the operator, which may die and be started anew), `play` (one run), `killers` (where a broken rule
//! shows), `many` (runs side by side), `crowd` (thousands at once, and what they cost).

mod act;
mod crowd;
mod faults;
mod generated;
mod killers;
mod lifecycle;
mod manifests;
mod many;
mod oracle;
mod perform;
mod play;
mod process;
mod stage;
mod wire;

pub use crowd::{Crowd, play_crowd};
pub use faults::{Fault, Place, Schedule};
pub use generated::play_generated;
pub use killers::{Killed, kill};
pub use lifecycle::Lifecycle;
pub use many::side_by_side;
pub use play::{Outcome, play, play_broken};
