//! The one module of the launcher that asks for the time.
//!
//! The launcher runs beside the product, never inside it: a deadline here bounds how long a test waits for
//! another process, and no decision of the operator hangs on it. The lint that keeps clocks out of the product
//! is lifted in this file only.
#![allow(clippy::disallowed_methods)]

use std::time::{Duration, Instant};

/// A point in time by which something must have happened.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    start: Instant,
    length: Duration,
}

impl Deadline {
    /// A deadline that lies `length` from now.
    pub fn after(length: Duration) -> Self {
        Self { start: Instant::now(), length }
    }

    /// Whether it has passed.
    pub fn passed(&self) -> bool {
        self.start.elapsed() >= self.length
    }

    /// How long ago the waiting began.
    pub fn waited(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A running stopwatch: how long a scenario or a step took.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The wall clock's time: to be compared with what another process says of when something was.
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// A name for a run that sorts by time: `20261123-235959`.
pub(crate) fn stamp() -> String {
    jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S").to_string()
}
