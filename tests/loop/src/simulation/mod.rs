//! The loop, played: the product's own controller over kube's unmodified runtime, the API server and the emulated Azure in
//! this process, on tokio's paused clock, with all randomness from a seed.
//!
//! Read in this order: `lifecycle` (what users do), `faults` (what goes wrong, and at which step), `wire` (every call of the
//! operator is a step), `oracle` (what must hold at each of them), `process` (the operator, which may die and be started
//! anew), `play` (one run).

mod faults;
mod lifecycle;
mod manifests;
mod oracle;
mod play;
mod process;
mod wire;

pub use faults::{Fault, Place, Schedule};
pub use lifecycle::Lifecycle;
pub use play::{Outcome, play, play_broken};
