//! When to look again. All waiting is decided here.

use jiff::{SignedDuration, Timestamp};

/// The waits, as settings.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    /// The interval of sweeps: also how often who waits for a person is looked at.
    pub sweep: SignedDuration,
    /// The longest wait between retries of a passing failure.
    pub retry_max: SignedDuration,
    /// Between the reads that prove that a half is gone.
    pub gone: SignedDuration,
    /// How long the effect of a PUT whose answer was not read may still come.
    pub quiet: SignedDuration,
    /// How far a read may lag behind a write that succeeded (16 s, assumed).
    pub lag: SignedDuration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            sweep: SignedDuration::from_mins(5),
            retry_max: SignedDuration::from_secs(60),
            gone: SignedDuration::from_secs(3),
            quiet: SignedDuration::from_secs(60),
            lag: SignedDuration::from_secs(16),
        }
    }
}

/// What the object waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// Nothing: it is at rest.
    Nothing,
    /// Azure to settle what was written; the number of looks since the write.
    Settling(u32),
    /// A passing failure; how many in a row, and what Azure asked for.
    Retry {
        /// Failures in a row.
        streak: u32,
        /// What Azure asked for.
        after: Option<SignedDuration>,
    },
    /// Something to be gone.
    Gone,
    /// The effect of a write to come or not, for so long.
    Quiet(SignedDuration),
    /// A person, or another object.
    Someone,
    /// A stale object was written: look again at once.
    AtOnce,
}

/// What Azure asks for below this is no wait.
const SHORTEST: SignedDuration = SignedDuration::from_secs(1);

/// How long until the next look, never zero except at once; `None` where only a change is a reason to look: a sweep that finds
/// one, or another object that becomes ready, wakes whom it concerns.
pub fn next(
    waiting: Waiting,
    waits: &Waits,
    next_change: Option<Timestamp>,
    now: Timestamp,
) -> Option<SignedDuration> {
    let change = next_change.map(|change| now.duration_until(change).max(SignedDuration::from_millis(200)));
    let wait = match waiting {
        Waiting::Nothing => return change,
        Waiting::AtOnce => return Some(SignedDuration::ZERO),
        Waiting::Someone => waits.sweep,
        Waiting::Settling(looks) => doubled(looks, waits.sweep),
        // To the second what Azure asked for, and not a second less.
        Waiting::Retry { after: Some(after), .. } if after >= SHORTEST => after,
        // "After 0 seconds", or a date that is over, names no wait: asked again and again it would be a hot loop.
        Waiting::Retry { streak, after } => {
            doubled(streak, waits.retry_max).max(after.unwrap_or(SignedDuration::ZERO))
        }
        Waiting::Gone => waits.gone,
        Waiting::Quiet(left) => left.max(SignedDuration::from_millis(100)),
    };
    Some(change.map_or(wait, |change| wait.min(change)))
}

/// 1, 2, 4, 8 ... seconds, at most `max`.
fn doubled(count: u32, max: SignedDuration) -> SignedDuration {
    SignedDuration::from_secs(1i64 << count.min(16)).min(max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(
        waiting: Waiting,
        waits: &Waits,
        next_change: Option<Timestamp>,
        now: Timestamp,
    ) -> SignedDuration {
        next(waiting, waits, next_change, now).expect("it waits for something")
    }

    #[test]
    fn polls_one_two_four_eight_then_slowly() {
        let waits = Waits::default();
        let now = Timestamp::UNIX_EPOCH;
        let polls: Vec<i64> =
            (0..12).map(|looks| wait(Waiting::Settling(looks), &waits, None, now).as_secs()).collect();
        assert_eq!(polls, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    }

    #[test]
    fn what_azure_asks_for_is_obeyed_to_the_second() {
        let after = Some(SignedDuration::from_secs(97));
        let obeyed =
            wait(Waiting::Retry { streak: 0, after }, &Waits::default(), None, Timestamp::UNIX_EPOCH);
        assert_eq!(obeyed, SignedDuration::from_secs(97));
    }

    #[test]
    fn a_wait_of_nothing_is_backed_off_from() {
        let waits = Waits::default();
        for after in [-5_000, 0, 999] {
            let after = Some(SignedDuration::from_millis(after));
            let retry = |streak| wait(Waiting::Retry { streak, after }, &waits, None, Timestamp::UNIX_EPOCH);
            let each: Vec<i64> = (0..8).map(|streak| retry(streak).as_secs()).collect();
            assert_eq!(each, [1, 2, 4, 8, 16, 32, 60, 60]);
        }
        let waits = Waits { retry_max: SignedDuration::from_millis(10), ..waits };
        let after = Some(SignedDuration::from_millis(700));
        let obeyed = next(Waiting::Retry { streak: 9, after }, &waits, None, Timestamp::UNIX_EPOCH);
        assert_eq!(obeyed, after, "never less than what was asked for");
    }

    #[test]
    fn a_change_of_its_own_comes_in_time() {
        let now = Timestamp::UNIX_EPOCH;
        let change = now + SignedDuration::from_secs(7);
        assert_eq!(
            wait(Waiting::Someone, &Waits::default(), Some(change), now),
            SignedDuration::from_secs(7)
        );
        assert_eq!(
            wait(Waiting::Nothing, &Waits::default(), Some(change), now),
            SignedDuration::from_secs(7)
        );
    }

    #[test]
    fn who_waits_for_nothing_has_no_timer() {
        assert_eq!(next(Waiting::Nothing, &Waits::default(), None, Timestamp::UNIX_EPOCH), None);
    }
}
