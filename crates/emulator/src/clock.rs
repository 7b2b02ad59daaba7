//! The emulator's only clock.
//!
//! It is a world of its own: it starts at the wall clock's time and then follows tokio's, so that a test that
//! pauses tokio's clock also pauses Azure.
#![allow(clippy::disallowed_methods, reason = "the one module of the emulator that asks for the time")]

use jiff::Timestamp;
use tokio::time::Instant;

/// Tells the time in the emulated Azure.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    started: Timestamp,
    since: Instant,
}

impl Clock {
    /// A clock that shows the wall clock's time now.
    pub(crate) fn start() -> Self {
        Self::start_at(Timestamp::now())
    }

    /// A clock that shows this time now.
    pub(crate) fn start_at(started: Timestamp) -> Self {
        Self { started, since: Instant::now() }
    }

    /// The time now. It never goes backwards, whatever happens to the wall clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.started.checked_add(self.since.elapsed()).unwrap_or(Timestamp::MAX)
    }
}
