//! What this process remembers of an object between passes. Lost with the process, and safe to lose.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use avnm_terms::Reading;
use kube::{Resource, ResourceExt};
use tokio::time::Instant;

/// The newest reading of one thing by its own GET or PUT.
#[derive(Debug, Clone)]
pub(crate) struct Fresh<T> {
    pub(crate) at: Instant,
    pub(crate) reading: Reading<T>,
}

/// Of one object: what decisions remember, and what the executor does.
#[derive(Debug)]
pub(crate) struct Remembered<K, M> {
    /// What decisions remember.
    pub(crate) memory: M,
    /// The object as we last wrote it.
    pub(crate) latest: Option<K>,
    /// Versions that `latest` has replaced: the cache may still show them.
    pub(crate) superseded: Vec<String>,
    /// Whether it was at rest after the last pass.
    pub(crate) settled: bool,
    /// The last requestedAt that was handled.
    pub(crate) requested: Option<String>,
}

impl<K, M: Default> Default for Remembered<K, M> {
    fn default() -> Self {
        Self { memory: M::default(), latest: None, superseded: Vec::new(), settled: false, requested: None }
    }
}

/// Versions remembered as superseded: more writes than one pass makes.
const SUPERSEDED: usize = 16;

impl<K: Resource + Clone, M> Remembered<K, M> {
    /// The newer one of what the cache shows and what we wrote ourselves.
    pub(crate) fn newest(&self, cached: &K) -> K {
        let version = cached.resource_version().unwrap_or_default();
        match &self.latest {
            Some(latest) if self.superseded.contains(&version) && latest.uid() == cached.uid() => {
                latest.clone()
            }
            _ => cached.clone(),
        }
    }

    /// Remembers that `old` was replaced by `new`.
    pub(crate) fn wrote(&mut self, old: &K, new: &K) {
        if old.resource_version() == new.resource_version() {
            return;
        }
        if let Some(version) = old.resource_version() {
            self.superseded.push(version);
            if self.superseded.len() > SUPERSEDED {
                self.superseded.remove(0);
            }
        }
        self.latest = Some(new.clone());
    }
}

/// One per kind, keyed by uid. The runtime runs one pass of an object at a time, so an entry is taken and put back.
#[derive(Debug)]
pub(crate) struct Memories<K, M>(Arc<Mutex<HashMap<String, Remembered<K, M>>>>);

impl<K, M> Default for Memories<K, M> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K, M: Default> Memories<K, M> {
    /// Takes what is remembered of an object.
    pub(crate) fn take(&self, uid: &str) -> Remembered<K, M> {
        self.0.lock().map(|mut map| map.remove(uid)).ok().flatten().unwrap_or_default()
    }

    /// Puts it back.
    pub(crate) fn put(&self, uid: &str, remembered: Remembered<K, M>) {
        if let Ok(mut map) = self.0.lock() {
            map.insert(uid.to_owned(), remembered);
        }
    }

    /// Only these objects are there.
    pub(crate) fn retain(&self, uids: &HashSet<String>) {
        if let Ok(mut map) = self.0.lock() {
            map.retain(|uid, _| uids.contains(uid));
        }
    }

    /// Forgets an object that is gone.
    pub(crate) fn forget(&self, uid: &str) {
        if let Ok(mut map) = self.0.lock() {
            map.remove(uid);
        }
    }
}
