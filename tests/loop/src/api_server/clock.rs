//! The two clocks: the wall clock that a test gives, for what is written into objects, and tokio's, for what waits.

#![allow(clippy::disallowed_methods)] // Someone has to ask, and it is this module.

use std::sync::Arc;

use jiff::Timestamp;

/// Gives the time of day. A test may have it jump.
pub type WallClock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Monotonic time. It stands still where a test pauses tokio's clock.
pub(crate) fn instant() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

/// A wall clock that begins here and goes with tokio's.
pub fn going_from(start: Timestamp) -> WallClock {
    let began = instant();
    Arc::new(move || {
        let passed = jiff::SignedDuration::try_from(instant().saturating_duration_since(began));
        passed.ok().and_then(|passed| start.checked_add(passed).ok()).unwrap_or(start)
    })
}

/// A time as `metav1.Time` has it: whole seconds.
pub(crate) fn seconds(time: Timestamp) -> String {
    let whole = Timestamp::from_second(time.as_second()).unwrap_or(time);
    whole.to_string()
}
