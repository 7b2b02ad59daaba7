//! The one place that may ask what time it is. Everything else takes time as a value.

#![allow(clippy::disallowed_methods)] // Someone has to ask, and it is this module.

/// Wall-clock time, for what people read and for dates that Azure sends.
#[cfg(not(feature = "in-process"))]
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
    let since = instant.saturating_duration_since(start(instant));
    avnm_terms::Moment::after_start(since.try_into().unwrap_or_default())
}

/// From when on it counts: for a simulation from its own start, since several may be in one process and each has a clock of
/// its own.
fn start(asked: tokio::time::Instant) -> tokio::time::Instant {
    #[cfg(feature = "in-process")]
    if let Some(start) = wall::started() {
        return start;
    }
    *START.get_or_init(|| asked)
}

/// What time it is, on both clocks.
pub fn both() -> avnm_terms::Now {
    avnm_terms::Now { wall: now(), steady: moment() }
}

#[cfg(feature = "in-process")]
pub(crate) use wall::is_set;
#[cfg(feature = "in-process")]
pub use wall::{Wall, now};

/// A wall clock that a test sets: it goes with tokio's clock, and steps when the test says so.
#[cfg(feature = "in-process")]
mod wall {
    use std::{cell::Cell, marker::PhantomData};

    use jiff::{SignedDuration, Timestamp};
    use tokio::time::Instant;

    thread_local! {
        /// What the wall clock showed at an instant; none where nobody set it. Of this thread: a paused clock is one of a
        /// runtime on one thread, and tests run beside each other on threads of their own.
        static SHOWN: Cell<Option<Shown>> = const { Cell::new(None) };
    }

    /// What the wall clock showed.
    #[derive(Clone, Copy)]
    struct Shown {
        at: Timestamp,
        since: Instant,
        /// When the wall clock was first set. A step leaves it as it is.
        started: Instant,
    }

    /// Wall-clock time, for what people read and for dates that Azure sends: the system's, but where a test set its own.
    pub fn now() -> Timestamp {
        SHOWN.get().map_or_else(Timestamp::now, shown)
    }

    /// Whether a test set the wall clock of this thread: it is part of a simulation.
    pub(crate) fn is_set() -> bool {
        SHOWN.get().is_some()
    }

    fn shown(Shown { at, since, .. }: Shown) -> Timestamp {
        at.checked_add(Instant::now().saturating_duration_since(since)).unwrap_or(Timestamp::MAX)
    }

    /// When this thread's wall clock was first set; none where nobody set it.
    pub(super) fn started() -> Option<Instant> {
        SHOWN.get().map(|shown| shown.started)
    }

    /// The wall clock of this thread, for as long as this lives; after that it is the system's again.
    #[derive(Debug)]
    #[must_use = "the clock is the system's again when this is dropped"]
    pub struct Wall {
        /// It is this thread's and must not be dropped on another one.
        _here: PhantomData<*const ()>,
    }

    impl Wall {
        /// Sets the wall clock. From here on it goes as tokio's clock goes, and moments count from here.
        pub fn start(at: Timestamp) -> Self {
            let started = Instant::now();
            SHOWN.set(Some(Shown { at, since: started, started }));
            Self { _here: PhantomData }
        }

        /// Steps the wall clock, ahead or back, as a correction of the system's time does. Monotonic time goes on.
        pub fn step(&self, by: SignedDuration) {
            let end = if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
            let at = now().checked_add(by).unwrap_or(end);
            let since = Instant::now();
            SHOWN.set(Some(Shown { at, since, started: started().unwrap_or(since) }));
        }
    }

    impl Drop for Wall {
        fn drop(&mut self) {
            SHOWN.set(None);
        }
    }

    #[cfg(test)]
    mod tests {
        use std::time::Duration;

        use avnm_terms::Moment;

        use super::*;

        #[tokio::test(start_paused = true)]
        async fn it_goes_with_tokios_clock_and_steps_alone() {
            let start: Timestamp = "2026-01-31T12:00:00Z".parse().unwrap();
            let after = |seconds| start + SignedDuration::from_secs(seconds);
            let wall = Wall::start(start);
            assert_eq!(now(), start);
            tokio::time::sleep(Duration::from_secs(60)).await;
            assert_eq!(now(), after(60));
            let before = crate::clock::instant();
            wall.step(SignedDuration::from_secs(-3600));
            assert_eq!((now(), crate::clock::instant()), (after(60 - 3600), before));
            wall.step(SignedDuration::MAX);
            assert_eq!(now(), Timestamp::MAX);
            wall.step(SignedDuration::MIN);
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(now(), Timestamp::MIN + SignedDuration::from_secs(1));
            drop(wall);
            assert!(now() > start, "the system's");
        }

        /// Simulations run one after another and beside each other in one process: where a moment of one counted from
        /// another's start, it would differ from run to run, or stand still until that start is reached.
        #[tokio::test(start_paused = true)]
        async fn moments_count_from_the_walls_start() {
            let at = |seconds| Moment::after_start(SignedDuration::from_secs(seconds));
            for _ in 0..2 {
                tokio::time::sleep(Duration::from_secs(3600)).await;
                let wall = Wall::start("2026-01-31T12:00:00Z".parse().unwrap());
                assert_eq!(crate::clock::moment(), at(0));
                tokio::time::sleep(Duration::from_secs(60)).await;
                wall.step(SignedDuration::from_secs(-3600));
                tokio::time::sleep(Duration::from_secs(1)).await;
                assert_eq!(crate::clock::moment(), at(61), "a step is the wall's alone");
            }
        }
    }
}
