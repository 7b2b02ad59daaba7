//! The tests' only clock.
#![allow(clippy::disallowed_methods, reason = "the one module of these tests that asks for the time")]

use std::time::{Duration, Instant};

/// Longer than anything here takes, also on a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(20);

/// Measures how long something takes.
pub(crate) struct Watch(Instant);

impl Watch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Waits until it is so.
pub(crate) async fn until(mut so: impl FnMut() -> bool) {
    let watch = Watch::start();
    while !so() {
        assert!(watch.elapsed() < PATIENCE, "it never became so");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
