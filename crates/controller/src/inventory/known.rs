//! What is known of one collection: the last snapshot, the last failure, and whom that answers. No IO and no clock.

use std::{sync::Arc, time::Duration};

use avnm_terms::{Fault, Reading};
use tokio::time::Instant;

/// A collection as it was read.
#[derive(Debug)]
pub(crate) struct Snapshot<T> {
    /// When the read began.
    pub(crate) begun: Instant,
    /// What it came to; `Absent` means that the parent is not there.
    pub(crate) reading: Reading<Arc<T>>,
}

impl<T> Clone for Snapshot<T> {
    fn clone(&self) -> Self {
        Self { begun: self.begun, reading: self.reading.clone() }
    }
}

/// A collection, as a pass gets it.
#[derive(Debug)]
pub(crate) enum Picture<T> {
    /// As new as wanted.
    Known(Snapshot<T>),
    /// It is being read, and the pass ends: the object is woken when it was read.
    Flying,
}

/// How new a picture has to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// When it was asked for: a read that began since then answers, whatever it came to.
    asked: Instant,
    /// The earliest time at which the read may have begun.
    since: Instant,
    /// A user asked for a fresh read: a failure of before is no answer.
    anew: bool,
}

impl Wanted {
    /// No older than that when it was asked for.
    pub(super) fn within(asked: Instant, age: Duration) -> Self {
        Self { asked, since: asked.checked_sub(age).unwrap_or(asked), anew: false }
    }

    /// Read after it was asked for.
    pub(super) fn anew(asked: Instant) -> Self {
        Self { asked, since: asked, anew: true }
    }
}

/// What is known of a collection.
#[derive(Debug)]
pub(super) struct Known<T> {
    pub(super) snapshot: Option<Snapshot<T>>,
    /// How long the last complete read took.
    pub(super) took: Duration,
    /// The last failure, if nothing was read since.
    pub(super) failed: Option<Failed>,
}

/// A read that failed.
#[derive(Debug)]
pub(super) struct Failed {
    fault: Fault,
    /// When that read began.
    begun: Instant,
    /// When it may be tried again.
    pub(super) until: Instant,
    /// Azure itself named that time.
    named: bool,
    /// Failures in a row before this one.
    streak: u32,
}

/// A collection that Azure says to read again after less than this is read again after at least this.
pub(super) const SHORTEST: Duration = Duration::from_secs(1);

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self { snapshot: None, took: Duration::ZERO, failed: None }
    }
}

impl<T> Known<T> {
    /// What is known, if it is as new as wanted. A failure stands for a while: asking again at once would only fail
    /// again, for as many objects as ask. To those who waited for that very read it is the answer however late they come.
    pub(super) fn answer(&self, wanted: Wanted, now: Instant) -> Option<Snapshot<T>> {
        let Some(failed) = &self.failed else {
            return self.snapshot.as_ref().filter(|snapshot| snapshot.begun >= wanted.since).cloned();
        };
        // A request is answered by a read after it, unless Azure itself forbids one.
        let stands = failed.until > now && (!wanted.anew || failed.named);
        (stands || failed.begun >= wanted.asked)
            .then(|| Snapshot { begun: failed.begun, reading: Reading::Unread(failed.fault.clone()) })
    }

    /// Takes note of a read that is over.
    pub(super) fn note(&mut self, read: &Snapshot<T>, now: Instant, retry_max: Duration) {
        let Reading::Unread(fault) = &read.reading else {
            self.failed = None;
            self.took = now.saturating_duration_since(read.begun);
            self.snapshot = Some(read.clone());
            return;
        };
        let streak = self.failed.as_ref().map_or(0, |failed| failed.streak.saturating_add(1));
        let backoff = Duration::from_secs(1 << streak.min(6)).min(retry_max);
        let named = fault.retry_after.filter(|after| *after >= SHORTEST);
        let wait = match fault.retry_after {
            // "After 0 seconds" would be a hot loop of lists.
            Some(_) => named.unwrap_or(backoff.max(SHORTEST)),
            None => backoff,
        };
        let (fault, begun, until) = (fault.clone(), read.begun, now + wait);
        self.failed = Some(Failed { fault, begun, until, named: named.is_some(), streak });
    }

    /// Whether a sweep reads it: unless it is newer than that, or failed and is not to be tried yet.
    pub(super) fn is_due(&self, interval: Duration, now: Instant) -> bool {
        let waits = self.failed.as_ref().is_some_and(|failed| failed.until > now);
        let new =
            self.snapshot.as_ref().is_some_and(|old| now.saturating_duration_since(old.begun) < interval);
        !waits && !new
    }
}

#[cfg(test)]
mod tests {
    use avnm_arm::clock;
    use avnm_terms::FaultKind;

    use super::*;

    const MAX: Duration = Duration::from_secs(60);

    fn fault(retry_after: Option<u64>) -> Reading<Arc<u8>> {
        let mut fault = Fault::local("list", "group", FaultKind::Server, "no");
        fault.retry_after = retry_after.map(Duration::from_secs);
        Reading::Unread(fault)
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn wanted(since: Instant) -> Wanted {
        Wanted { asked: since + MAX * 2, since, anew: false }
    }

    #[test]
    fn a_picture_serves_whoever_it_is_new_enough_for() {
        let (mut known, began) = (Known::default(), clock::instant());
        assert!(known.answer(wanted(began), began).is_none());
        known.note(&Snapshot { begun: began, reading: Reading::Found(Arc::new(7)) }, began + seconds(9), MAX);
        assert_eq!(known.took, seconds(9));
        let later = began + seconds(100);
        assert!(known.answer(wanted(began), later).is_some());
        assert!(known.answer(wanted(began + seconds(1)), later).is_none());
    }

    #[test]
    fn a_failure_stands_for_its_wait_and_not_against_a_request() {
        let (mut known, began) = (Known::default(), clock::instant());
        let failed = Snapshot { begun: began, reading: fault(None) };
        for wait in [1, 2, 4, 8] {
            known.note(&failed, began, MAX);
            let until = began + seconds(wait);
            let soon = began + seconds(wait - 1);
            assert!(known.answer(wanted(soon), soon).is_some(), "within {wait} s");
            assert!(known.answer(wanted(until), until).is_none(), "after {wait} s");
        }
        let asked = began + seconds(1);
        assert!(
            known.answer(Wanted::anew(asked), asked).is_none(),
            "a read of before a request does not answer it"
        );
        assert!(
            known.answer(Wanted::anew(began), asked).is_some(),
            "one flight answers all who asked before it"
        );
        known.note(&Snapshot { begun: began, reading: fault(Some(97)) }, began, MAX);
        let forbidden = began + seconds(96);
        assert!(
            known.answer(Wanted::anew(forbidden), forbidden).is_some(),
            "Azure said when, and a request waits too"
        );
        let allowed = began + seconds(97);
        assert!(known.answer(Wanted::anew(allowed), allowed).is_none());
    }

    #[test]
    fn who_waited_for_a_read_that_failed_is_answered_however_late() {
        let (mut known, began) = (Known::default(), clock::instant());
        known.note(&Snapshot { begun: began, reading: fault(None) }, began, MAX);
        let late = began + seconds(600);
        for asked_before in [Wanted::within(began, MAX), Wanted::anew(began)] {
            assert!(known.answer(asked_before, late).is_some());
        }
        let asked_after = began + Duration::from_millis(1);
        for asked_after in [Wanted::within(asked_after, MAX), Wanted::anew(asked_after)] {
            assert!(known.answer(asked_after, late).is_none());
        }
    }

    #[test]
    fn a_wait_of_nothing_is_at_least_a_second() {
        let (mut known, began) = (Known::default(), clock::instant());
        for (max, waits) in [(Duration::from_millis(10), [1, 1, 1]), (MAX, [8, 16, 32])] {
            for wait in waits {
                known.note(&Snapshot { begun: began, reading: fault(Some(0)) }, began, max);
                assert_eq!(known.failed.as_ref().map(|failed| failed.until), Some(began + seconds(wait)));
            }
        }
    }
}
