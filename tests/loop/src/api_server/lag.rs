//! How far the watch cache of a kind is behind what is stored. The real server's is never ahead of it and may be
//! behind it for any time: its watches, and the lists that ask for any version, show what the cache shows.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    object::Object,
    versions::{ChangeKind, Versions},
};

/// How long a change of this version takes to reach the cache.
pub type Delay = Arc<dyn Fn(u64) -> Duration + Send + Sync>;

/// The cache of one kind that does not show the newest.
pub(crate) struct Lag {
    objects: BTreeMap<String, Arc<Object>>,
    position: u64,
    version: u64,
    stalled: bool,
    delay: Option<Delay>,
}

impl Lag {
    /// One that shows all that is there now.
    pub(crate) fn from(objects: &BTreeMap<String, Arc<Object>>, versions: &Versions) -> Self {
        Self {
            objects: objects.clone(),
            position: versions.end(),
            version: versions.last(),
            stalled: false,
            delay: None,
        }
    }

    pub(crate) fn stall(&mut self, stalled: bool) {
        self.stalled = stalled;
    }

    pub(crate) fn delay(&mut self, delay: Option<Delay>) {
        self.delay = delay;
    }

    /// Whether nothing holds it back any more, so that it need not be kept.
    pub(crate) fn is_over(&self, versions: &Versions) -> bool {
        !self.stalled && self.delay.is_none() && self.position >= versions.end()
    }

    /// Takes in what is due, and says when the next change is.
    pub(crate) fn advance(&mut self, versions: &Versions, now: Instant) -> Option<Instant> {
        while !self.stalled {
            let change = versions.at(self.position)?;
            let due = self.delay.as_ref().map_or(change.at, |delay| {
                let wait = delay(change.version);
                change.at.checked_add(wait).unwrap_or(change.at)
            });
            if due > now {
                return Some(due);
            }
            match change.what {
                ChangeKind::Deleted => self.objects.remove(&change.key),
                ChangeKind::Added | ChangeKind::Modified => {
                    self.objects.insert(change.key.clone(), change.object.clone())
                }
            };
            self.version = change.version;
            self.position = self.position.saturating_add(1);
        }
        None
    }

    pub(crate) fn objects(&self) -> &BTreeMap<String, Arc<Object>> {
        &self.objects
    }

    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }
}
