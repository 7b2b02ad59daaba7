//! The one place that may ask what time it is. Everything else takes time as a value.

#![allow(clippy::disallowed_methods)] // Someone has to ask, and it is this module.

/// Wall-clock time, for what people read and for dates that Azure sends.
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// Monotonic time, for waits and lifetimes. It stands still where a test pauses tokio's clock.
pub fn instant() -> tokio::time::Instant {
    tokio::time::Instant::now()
}
