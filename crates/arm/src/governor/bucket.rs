//! One token bucket: what Azure is believed to have left of a quota.

use std::time::Duration;

use tokio::time::Instant;

/// A quota: how many calls fit in its bucket, and how many come back a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quota {
    /// Calls that fit.
    pub size: f64,
    /// Calls that come back in a second.
    pub refill: f64,
}

/// The refill falls to this share of the quota's at the lowest.
const LOWEST: f64 = 0.125;
/// What a refusal leaves of the refill.
const REFUSED: f64 = 0.7;
/// How much of the quota's refill comes back in each time without a refusal.
const EASED: f64 = 0.1;
const EASING: Duration = Duration::from_secs(60);

/// The bucket. No clock: time is given.
#[derive(Debug, Clone)]
pub(super) struct Bucket {
    quota: Quota,
    /// What comes back a second: the quota's, or less after refusals.
    refill: f64,
    left: f64,
    at: Instant,
    /// When the refill last changed.
    changed: Instant,
}

impl Bucket {
    /// A full one.
    pub(super) fn new(quota: Quota, now: Instant) -> Self {
        Self { quota, refill: quota.refill, left: quota.size, at: now, changed: now }
    }

    fn fill(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + seconds * self.refill).min(self.quota.size);
        self.at = self.at.max(now);
        while self.refill < self.quota.refill && now.saturating_duration_since(self.changed) >= EASING {
            self.refill = (self.refill + EASED * self.quota.refill).min(self.quota.refill);
            self.changed += EASING;
        }
    }

    /// What is left now.
    pub(super) fn left(&mut self, now: Instant) -> f64 {
        self.fill(now);
        self.left
    }

    /// Takes one. The caller has seen that there is one.
    pub(super) fn take(&mut self, now: Instant) {
        self.fill(now);
        self.left -= 1.0;
    }

    /// Gives back what was taken and not used.
    pub(super) fn give_back(&mut self, now: Instant) {
        self.fill(now);
        self.left = (self.left + 1.0).min(self.quota.size);
    }

    /// How long until so many are left, if nobody takes any.
    pub(super) fn until(&mut self, count: f64, now: Instant) -> Duration {
        let lacks = count - self.left(now);
        if lacks <= 0.0 {
            return Duration::ZERO;
        }
        // Rounded up, so that whoever comes back then finds it.
        Duration::from_secs_f64(lacks / self.refill) + Duration::from_millis(1)
    }

    /// How many come back in a while; at least one.
    pub(super) fn within(&self, time: Duration) -> u32 {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count that is not negative"
        )]
        let count = (self.refill * time.as_secs_f64()) as u32;
        count.max(1)
    }

    /// Whether a new one would say the same.
    pub(super) fn is_as_new(&mut self, now: Instant) -> bool {
        self.fill(now);
        self.left >= self.quota.size && self.refill >= self.quota.refill
    }

    /// This share of its size.
    pub(super) fn share(&self, share: f64) -> f64 {
        self.quota.size * share
    }

    /// Azure says how many are left. It is believed where that is less than was thought: its numbers are of more than one
    /// instance, and are far above what it grants (recorded: 799 of 200).
    pub(super) fn told(&mut self, left: u32, now: Instant) {
        self.fill(now);
        self.left = self.left.min(f64::from(left));
    }

    /// Azure refused a call because of this quota: there is less of it than was thought.
    pub(super) fn refused(&mut self, now: Instant) {
        self.fill(now);
        self.left = self.left.min(0.0);
        // One refusal stands for all that were under way with it.
        if self.refill < self.quota.refill && now.saturating_duration_since(self.changed) < REFUSAL {
            return;
        }
        self.refill = (self.refill * REFUSED).max(self.quota.refill * LOWEST);
        self.changed = now;
    }
}

/// Refusals within this time of one another are one.
const REFUSAL: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    const QUOTA: Quota = Quota { size: 10.0, refill: 2.0 };

    fn seconds(count: f64) -> Duration {
        Duration::from_secs_f64(count)
    }

    /// Takes all that is there.
    fn drain(bucket: &mut Bucket, now: Instant) -> usize {
        let mut taken = 0;
        while bucket.left(now) >= 1.0 {
            bucket.take(now);
            taken += 1;
        }
        taken
    }

    #[test]
    fn holds_its_size_and_refills_evenly() {
        let now = clock::instant();
        let mut bucket = Bucket::new(QUOTA, now);
        assert_eq!(drain(&mut bucket, now), 10);
        assert_eq!(bucket.until(1.0, now), seconds(0.501));
        assert_eq!(drain(&mut bucket, now + seconds(0.501)), 1);
        assert_eq!(drain(&mut bucket, now + seconds(3.0)), 5, "two a second");
        assert_eq!(drain(&mut bucket, now + seconds(3_600.0)), 10, "and no more than fits");
        bucket.give_back(now + seconds(3_600.0));
        assert_eq!(drain(&mut bucket, now + seconds(3_600.0)), 1);
    }

    #[test]
    fn a_clock_that_steps_back_gives_nothing() {
        let now = clock::instant() + seconds(60.0);
        let mut bucket = Bucket::new(QUOTA, now);
        drain(&mut bucket, now);
        assert_eq!(drain(&mut bucket, now - seconds(30.0)), 0);
        assert_eq!(drain(&mut bucket, now), 0);
    }

    #[test]
    fn what_azure_says_is_believed_where_it_is_less() {
        let now = clock::instant();
        let mut bucket = Bucket::new(QUOTA, now);
        bucket.told(799, now);
        assert!((bucket.left(now) - 10.0).abs() < 1e-9);
        bucket.told(3, now);
        assert_eq!(drain(&mut bucket, now), 3);
    }

    #[test]
    fn refusals_slow_it_down_and_it_comes_back_slowly() {
        let now = clock::instant();
        let mut bucket = Bucket::new(QUOTA, now);
        for _ in 0..100 {
            bucket.refused(now);
        }
        assert_eq!((bucket.left(now), bucket.refill), (0.0, 1.4), "a burst of refusals is one");
        let mut later = now;
        for _ in 0..20 {
            later += seconds(6.0);
            bucket.refused(later);
        }
        assert!((bucket.refill - 0.25).abs() < 1e-9, "at the lowest an eighth");
        bucket.left(later + EASING);
        assert!((bucket.refill - 0.45).abs() < 1e-9, "{}", bucket.refill);
        bucket.left(later + EASING * 60);
        assert!((bucket.refill - 2.0).abs() < 1e-9);
    }
}
