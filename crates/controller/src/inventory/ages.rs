//! How old the pictures are of what is in use, for who watches the process.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    cell::{Collection, Key},
    table::Table,
};

/// The collections of one class that are in use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ages {
    /// How many there are.
    pub(crate) collections: usize,
    /// How long ago the oldest picture was read; of one that was never read, since it was asked for.
    pub(crate) oldest: Duration,
    /// How long the last complete read took that took longest.
    pub(crate) longest: Duration,
    /// Those whose last read failed.
    pub(crate) failing: usize,
}

impl<K: Key, T: Collection> Table<K, T> {
    /// Looks at all that are in use.
    pub(super) fn ages(&self, now: Instant) -> Ages {
        let mut ages = Ages::default();
        for cell in self.cells().values() {
            let state = cell.state();
            if state.listeners.is_empty() {
                continue;
            }
            let since = state.known.snapshot.as_ref().map_or(state.since, |snapshot| snapshot.begun);
            ages.collections += 1;
            ages.oldest = ages.oldest.max(now.saturating_duration_since(since));
            ages.longest = ages.longest.max(state.known.took);
            ages.failing += usize::from(state.known.failed.is_some());
        }
        ages
    }
}
