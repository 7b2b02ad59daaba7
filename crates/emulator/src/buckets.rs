//! Token buckets: what is left of each quota.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::settings::Quota;

/// What is left in each bucket.
#[derive(Debug, Default)]
pub struct Buckets {
    left: BTreeMap<Key, (f64, Timestamp)>,
}

/// Whose, where, and for which class of verbs.
pub(crate) type Key = (String, String, &'static str);

impl Buckets {
    /// Takes one call out of a bucket, or says how many seconds to wait.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "seconds to wait, small and positive"
    )]
    pub fn take(&mut self, key: Key, quota: Quota, now: Timestamp) -> Result<f64, u64> {
        let (left, at) = self.left.entry(key).or_insert((quota.size, now));
        let seconds = now.duration_since(*at).as_secs_f64().max(0.0);
        *left = (*left + seconds * quota.refill_per_second).min(quota.size);
        *at = now;
        if *left >= 1.0 {
            *left -= 1.0;
            return Ok(*left);
        }
        let wait =
            if quota.refill_per_second > 0.0 { (1.0 - *left) / quota.refill_per_second } else { 3_600.0 };
        Err(wait.ceil().max(1.0) as u64)
    }

    /// What is left in a bucket; None, where nobody took from it yet.
    pub fn left(&self, key: &Key) -> Option<f64> {
        self.left.get(key).map(|(left, _)| *left)
    }
}
