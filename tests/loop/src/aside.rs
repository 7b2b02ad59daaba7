//! Work whose result is kept for all runs, done so that no run can tell whether it was the first.

use std::{panic::resume_unwind, thread};

/// Does it on a thread of its own. What is drawn there is not of a run's seed: a run that found the result ready draws the same
/// as one that did not.
pub(crate) fn aside<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(work).join().unwrap_or_else(|panic| resume_unwind(panic)))
}
