//! A point on a clock that never steps.

use std::{fmt, num::NonZeroU64};

use jiff::SignedDuration;

/// How long the process had run, on its monotonic clock. Waits are measured with it: the wall clock steps when it is set,
/// and a wait that a step ends too early could believe an absence that proves nothing. Of another process it says nothing,
/// so it is never written to status.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
// Nanoseconds, and one more, so that an absent one takes no room: many are remembered of each of ten thousand things.
pub struct Moment(NonZeroU64);

impl Moment {
    /// That long after the process began to count.
    pub fn after_start(since: SignedDuration) -> Self {
        let nanoseconds = u64::try_from(since.as_nanos().max(0)).unwrap_or(u64::MAX);
        Self(NonZeroU64::MIN.saturating_add(nanoseconds))
    }

    fn since_start(self) -> SignedDuration {
        let nanoseconds = i64::try_from(self.0.get() - 1).unwrap_or(i64::MAX);
        SignedDuration::from_nanos(nanoseconds)
    }

    /// How long it is from here to a later moment; negative if that one is earlier.
    pub fn until(self, later: Moment) -> SignedDuration {
        later.since_start() - self.since_start()
    }

    /// A later moment.
    #[must_use]
    pub fn plus(self, wait: SignedDuration) -> Self {
        Self::after_start(self.since_start().saturating_add(wait))
    }

    /// An earlier moment; before the start it is the start.
    #[must_use]
    pub fn minus(self, wait: SignedDuration) -> Self {
        Self::after_start(self.since_start().saturating_sub(wait))
    }
}

impl Default for Moment {
    fn default() -> Self {
        Self(NonZeroU64::MIN)
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Moment({:?})", self.since_start())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_as_far_apart_as_was_said() {
        let at = |nanoseconds| Moment::after_start(SignedDuration::from_nanos(nanoseconds));
        assert_eq!(at(7).until(at(9)), SignedDuration::from_nanos(2));
        assert_eq!(at(9).until(at(7)), SignedDuration::from_nanos(-2));
        assert_eq!(at(7).plus(SignedDuration::from_hours(1)).until(at(7)), -SignedDuration::from_hours(1));
        assert_eq!(
            at(7).minus(SignedDuration::from_secs(1)),
            Moment::default(),
            "before the start it is the start"
        );
        assert_eq!(at(-7), Moment::default());
        assert!(at(7) < at(8) && Moment::default() < at(1));
        let far = Moment::default().plus(SignedDuration::MAX);
        assert_eq!(far.plus(SignedDuration::MAX), far, "after the last one there is none");
        assert_eq!(size_of::<Option<Moment>>(), 8);
    }
}
