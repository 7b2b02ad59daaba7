//! How the lease is held, and which times make sense together.

use std::time::Duration;

/// So much of the lease must be left before a write to Azure goes out.
pub(crate) const MARGIN: Duration = Duration::from_secs(5);

/// How the lease is held.
#[derive(Debug, Clone)]
pub struct LeaseSettings {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Who holds it: unique to the process.
    pub identity: String,
    /// How long it lasts without renewal.
    pub duration: Duration,
    /// How long the holder tries to renew before it gives up.
    pub renew_deadline: Duration,
    /// Between tries.
    pub retry: Duration,
}

/// Times of the lease that do not go together: which flags, and what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeaseError {
    /// A Lease says whole seconds: others would take it while this process still counts on the rest.
    #[error(
        "--lease-duration {duration:?} must be whole seconds, which is all that a Lease can say: write {}s",
        duration.as_secs() + 1
    )]
    NotWholeSeconds {
        /// `--lease-duration`.
        duration: Duration,
    },
    /// Too little of it is left when it is renewed.
    #[error(
        "--lease-duration {duration:?} must be longer than --lease-retry {retry:?} and {MARGIN:?} together: \
         nothing is written to Azure in the last {MARGIN:?} of a Lease, and it is not renewed sooner; write at least {}s",
        (*retry + MARGIN).as_secs() + 1
    )]
    TooShort {
        /// `--lease-duration`.
        duration: Duration,
        /// `--lease-retry`.
        retry: Duration,
    },
    /// It would be held on when another process may have taken it.
    #[error(
        "--renew-deadline {renew_deadline:?} must be shorter than --lease-duration {duration:?}: a process that cannot \
         renew has to end before another one takes the Lease; write at most {:?}",
        duration.saturating_sub(Duration::from_secs(1))
    )]
    DeadlineTooLate {
        /// `--renew-deadline`.
        renew_deadline: Duration,
        /// `--lease-duration`.
        duration: Duration,
    },
    /// It would be given up before it is tried again.
    #[error(
        "--lease-retry {retry:?} must be shorter than --renew-deadline {renew_deadline:?}: one answer that does not come \
         would end the process; write at most {:?}", *renew_deadline / 2
    )]
    RetryTooLate {
        /// `--lease-retry`.
        retry: Duration,
        /// `--renew-deadline`.
        renew_deadline: Duration,
    },
}

impl LeaseSettings {
    /// Whether its times go together. The first that does not is told.
    pub fn check(&self) -> Result<(), LeaseError> {
        let Self { duration, renew_deadline, retry, .. } = *self;
        if duration <= MARGIN + retry {
            return Err(LeaseError::TooShort { duration, retry });
        }
        if duration.subsec_nanos() != 0 {
            return Err(LeaseError::NotWholeSeconds { duration });
        }
        if renew_deadline >= duration {
            return Err(LeaseError::DeadlineTooLate { renew_deadline, duration });
        }
        if retry >= renew_deadline {
            return Err(LeaseError::RetryTooLate { retry, renew_deadline });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(duration: u64, renew_deadline: u64, retry: u64) -> LeaseSettings {
        LeaseSettings {
            namespace: "operator".to_owned(),
            name: "lease".to_owned(),
            identity: "one".to_owned(),
            duration: Duration::from_millis(duration),
            renew_deadline: Duration::from_millis(renew_deadline),
            retry: Duration::from_millis(retry),
        }
    }

    fn said(settings: &LeaseSettings) -> String {
        settings.check().expect_err("it is refused").to_string()
    }

    #[test]
    fn what_is_accepted_holds_all_three_relations() {
        let times =
            [1, 500, 1_000, 1_999, 2_000, 5_000, 5_001, 6_000, 7_000, 8_000, 10_000, 15_000, 86_400_000];
        let mut accepted = 0;
        for duration in times {
            for deadline in times {
                for retry in times {
                    let apart = duration > deadline && deadline > retry;
                    let leaves_time = duration > 5_000 + retry;
                    let fits = apart && leaves_time && duration % 1_000 == 0;
                    let checked = settings(duration, deadline, retry).check();
                    assert_eq!(checked.is_ok(), fits, "{duration} {deadline} {retry}: {checked:?}");
                    accepted += usize::from(fits);
                }
            }
        }
        assert!(accepted > 50, "{accepted}");
    }

    #[test]
    fn the_defaults_and_the_shortest_that_there_are() {
        assert_eq!(settings(15_000, 10_000, 2_000).check(), Ok(()));
        assert_eq!(settings(6_000, 1_000, 500).check(), Ok(()));
    }

    #[test]
    fn each_refusal_names_both_flags_their_values_and_what_to_write() {
        for (times, parts) in [
            ((15_500, 10_000, 2_000), &["--lease-duration 15.5s", "write 16s"][..]),
            ((7_000, 3_000, 2_000), &["--lease-duration 7s", "--lease-retry 2s", "at least 8s"]),
            (
                (4_500, 3_000, 250),
                &["--lease-duration 4.5s", "--lease-retry 250ms", "5s together", "at least 6s"],
            ),
            ((15_000, 15_000, 2_000), &["--renew-deadline 15s", "--lease-duration 15s", "at most 14s"]),
            ((15_000, 2_000, 2_000), &["--lease-retry 2s", "--renew-deadline 2s", "at most 1s"]),
        ] {
            let said = said(&settings(times.0, times.1, times.2));
            for part in parts {
                assert!(said.contains(part), "{said:?} does not say {part:?}");
            }
        }
    }

    #[test]
    fn what_is_told_to_write_is_accepted() {
        assert_eq!(settings(15_000, 14_000, 2_000).check(), Ok(()));
        assert_eq!(settings(8_000, 3_000, 2_000).check(), Ok(()));
        assert_eq!(settings(16_000, 10_000, 2_000).check(), Ok(()));
        assert_eq!(settings(15_000, 2_000, 1_000).check(), Ok(()));
    }
}
