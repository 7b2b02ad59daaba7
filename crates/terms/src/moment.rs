//! A point on a clock that never steps.

use jiff::SignedDuration;

/// How long the process had run, on its monotonic clock. Waits are measured with it: the wall clock steps when it is set,
/// and a wait that a step ends too early could believe an absence that proves nothing. Of another process it says nothing,
/// so it is never written to status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Moment(SignedDuration);

impl Moment {
    /// That long after the process began to count.
    pub fn after_start(since: SignedDuration) -> Self {
        Self(since)
    }

    /// How long it is from here to a later moment; negative if that one is earlier.
    pub fn until(self, later: Moment) -> SignedDuration {
        later.0 - self.0
    }

    /// A later moment.
    #[must_use]
    pub fn plus(self, wait: SignedDuration) -> Self {
        Self(self.0.saturating_add(wait))
    }

    /// An earlier moment; before the start it is the start.
    #[must_use]
    pub fn minus(self, wait: SignedDuration) -> Self {
        Self(self.0.saturating_sub(wait).max(SignedDuration::ZERO))
    }
}

/// What time it is, on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// The wall clock: for what people read, and for what outlives the process.
    pub wall: jiff::Timestamp,
    /// The monotonic clock: for waits.
    pub steady: Moment,
}
