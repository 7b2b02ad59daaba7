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

/// When the process began to count: when it was first asked.
static START: std::sync::OnceLock<tokio::time::Instant> = std::sync::OnceLock::new();

/// Monotonic time as decisions take it.
pub fn moment() -> avnm_terms::Moment {
    moment_of(instant())
}

/// The same point as decisions take it.
pub fn moment_of(instant: tokio::time::Instant) -> avnm_terms::Moment {
    let since = instant.saturating_duration_since(*START.get_or_init(|| instant));
    avnm_terms::Moment::after_start(since.try_into().unwrap_or_default())
}

/// What time it is, on both clocks.
pub fn both() -> avnm_terms::Now {
    avnm_terms::Now { wall: now(), steady: moment() }
}
