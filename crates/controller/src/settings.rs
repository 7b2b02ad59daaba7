//! Settings of the loop, with their units.

use std::time::Duration;

use avnm_plan::pace::Waits;

pub use crate::credential::source::Surroundings;
use crate::lease::LeaseSettings;

/// Everything that flags decide.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The waits that decisions use.
    pub waits: Waits,
    /// A failing credential is tried, and a Secret in use is read, once in this time.
    pub probe: Duration,
    /// What the operator's surroundings give to sign in with.
    pub surroundings: Surroundings,
    /// The lease.
    pub lease: LeaseSettings,
    /// Passes at the same time, per kind.
    pub concurrency: u16,
    /// How long running passes get when the process is told to stop.
    pub drain: Duration,
}
