//! What this process remembers of an object between passes. Lost with the process, and safe to lose.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use avnm_arm::VerbClass;
use avnm_plan::{item::Write, lifecycle::At};
use avnm_terms::{ArmId, KubeFault, Lane};
use jiff::SignedDuration;
use kube::{Resource, ResourceExt};

use crate::{cached::prune, inventory::Wish, kube_io, spare::give_back};

/// Of one object: what decisions remember, and what the executor does.
#[derive(Debug)]
pub(crate) struct Remembered<K, M> {
    /// What decisions remember.
    pub(crate) memory: M,
    /// The object as we last wrote it.
    pub(crate) latest: Option<Box<K>>,
    /// Versions that `latest` has replaced: the cache may still show them.
    pub(crate) superseded: Vec<String>,
    /// Whether it was at rest after the last pass.
    pub(crate) settled: bool,
    /// The last requestedAt that was handled.
    pub(crate) requested: Option<String>,
    /// Passes in a row that Kubernetes did not let through.
    pub(crate) barred: u32,
    /// The writes that wait for their turns.
    pub(crate) in_line: Vec<InLine>,
}

/// A write that waits for its turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InLine {
    /// Of which thing.
    pub(crate) at: At,
    pub(crate) write: Write,
    pub(crate) lane: Lane,
    /// What the object wished then: with another wish it is another write.
    pub(crate) wish: Wish,
    pub(crate) id: ArmId,
}

/// Which of Azure's counts a write is in.
pub(crate) fn verb(write: Write) -> VerbClass {
    match write {
        Write::Put => VerbClass::Write,
        Write::Delete => VerbClass::Delete,
    }
}

impl<K, M: Default> Default for Remembered<K, M> {
    fn default() -> Self {
        Self {
            memory: M::default(),
            latest: None,
            superseded: Vec::new(),
            settled: false,
            requested: None,
            barred: 0,
            in_line: Vec::new(),
        }
    }
}

/// Versions remembered as superseded: more writes than one pass makes.
const SUPERSEDED: usize = 16;

impl<K, M> Remembered<K, M> {
    /// Kubernetes did not let a pass through: when to look again. A stale writer looks soon; everything else backs off,
    /// because the next pass asks Azure again before it comes to the same refusal.
    pub(crate) fn barred(&mut self, fault: &KubeFault, max: SignedDuration) -> Duration {
        if fault.is_conflict() {
            return kube_io::AGAIN;
        }
        let wait = Duration::from_secs(1 << self.barred.min(16));
        self.barred = self.barred.saturating_add(1);
        wait.min(Duration::try_from(max).unwrap_or(kube_io::AGAIN))
    }

    /// A pass got through.
    pub(crate) fn let_through(&mut self) {
        self.barred = 0;
    }
}

impl<K: Resource + Clone, M> Remembered<K, M> {
    /// The newer one of what the cache shows and what we wrote ourselves, which is kept only until the cache shows it.
    pub(crate) fn newest(&mut self, cached: K) -> K {
        let version = cached.resource_version().unwrap_or_default();
        match &self.latest {
            Some(latest) if self.superseded.contains(&version) && latest.uid() == cached.uid() => {
                (**latest).clone()
            }
            _ => {
                self.latest = None;
                self.superseded = Vec::new();
                cached
            }
        }
    }

    /// Whether what we wrote ourselves is kept, since the cache did not show it yet.
    pub(crate) fn is_ahead(&self) -> bool {
        self.latest.is_some()
    }

    /// The cache shows this version: what we wrote ourselves is kept until then only, since it is as large as the object.
    pub(crate) fn shown(&mut self, version: Option<&str>) {
        if self.latest.as_ref().is_some_and(|latest| latest.meta().resource_version.as_deref() == version) {
            self.latest = None;
            self.superseded = Vec::new();
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
        let mut new = new.clone();
        prune(&mut new);
        self.latest = Some(Box::new(new));
    }
}

/// What is remembered of objects, by their uids. Boxed, since a map has places for more than it holds.
type ByUid<K, M> = HashMap<String, Box<Remembered<K, M>>>;

/// One per kind, keyed by uid. The runtime runs one pass of an object at a time, so an entry is taken and put back.
#[derive(Debug)]
pub(crate) struct Memories<K, M>(Arc<Mutex<ByUid<K, M>>>);

impl<K, M> Default for Memories<K, M> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K, M: Default> Memories<K, M> {
    /// Takes what is remembered of an object.
    pub(crate) fn take(&self, uid: &str) -> Remembered<K, M> {
        let taken = self.0.lock().map(|mut map| map.remove(uid)).ok().flatten();
        taken.map(|taken| *taken).unwrap_or_default()
    }

    /// Puts it back.
    pub(crate) fn put(&self, uid: &str, remembered: Remembered<K, M>) {
        if let Ok(mut map) = self.0.lock() {
            map.insert(uid.to_owned(), Box::new(remembered));
        }
    }

    /// The cache shows this version of an object.
    pub(crate) fn shown(&self, uid: &str, version: Option<&str>)
    where
        K: Resource + Clone,
    {
        if let Ok(mut map) = self.0.lock()
            && let Some(remembered) = map.get_mut(uid)
        {
            remembered.shown(version);
        }
    }

    /// Only these objects are there. Gives the uids of the others.
    pub(crate) fn gone(&self, uids: &HashSet<String>) -> Vec<String> {
        let Ok(map) = self.0.lock() else { return Vec::new() };
        map.keys().filter(|uid| !uids.contains(*uid)).cloned().collect()
    }

    /// Forgets an object that is gone. Gives the writes for which it waited in line.
    pub(crate) fn forget(&self, uid: &str) -> Vec<InLine> {
        let Ok(mut map) = self.0.lock() else { return Vec::new() };
        let gone = map.remove(uid);
        give_back(&mut map);
        gone.map(|gone| gone.in_line).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use avnm_terms::KubeFaultKind::{Conflict, Forbidden, Invalid, NoLease, Server, Unanswered};
    use k8s_openapi::api::core::v1::ConfigMap;

    use super::*;

    type Kept = Remembered<ConfigMap, ()>;

    #[test]
    fn what_kubernetes_refuses_is_backed_off_from() {
        let fault = |kind| KubeFault::local("write status", "a/b", kind, "no");
        let max = SignedDuration::from_secs(10);
        let mut kept = Kept::default();
        let mut wait = |kind| kept.barred(&fault(kind), max).as_millis();
        let refused = [Invalid, Forbidden, Unanswered];
        assert_eq!(refused.map(&mut wait), [1_000, 2_000, 4_000]);
        assert_eq!(wait(Conflict), 500, "a conflict is over soon");
        assert_eq!([NoLease, Server, Server].map(&mut wait), [8_000, 10_000, 10_000]);
        kept.let_through();
        assert_eq!(kept.barred(&fault(Unanswered), max), Duration::from_secs(1));
    }

    fn version(version: &str) -> ConfigMap {
        let mut object = ConfigMap::default();
        let meta = &mut object.metadata;
        meta.uid = Some("uid".to_owned());
        meta.resource_version = Some(version.to_owned());
        meta.managed_fields = Some(Vec::new());
        let applied = ("kubectl.kubernetes.io/last-applied-configuration".to_owned(), "{}".to_owned());
        meta.annotations = Some([applied, ("kept".to_owned(), String::new())].into());
        object
    }

    #[test]
    fn what_we_wrote_is_kept_small_and_until_the_cache_shows_it() {
        let mut kept = Kept::default();
        kept.wrote(&version("1"), &version("2"));
        kept.wrote(&version("2"), &version("3"));
        for stale in ["1", "2"] {
            let newest = kept.newest(version(stale));
            assert_eq!(newest.resource_version().as_deref(), Some("3"));
            assert_eq!(newest.metadata.managed_fields, None);
            assert_eq!(newest.annotations().keys().collect::<Vec<_>>(), ["kept"]);
        }
        assert_eq!(kept.newest(version("3")).resource_version().as_deref(), Some("3"));
        assert!(kept.latest.is_none() && kept.superseded.is_empty());
        kept.wrote(&version("3"), &version("4"));
        kept.shown(Some("3"));
        assert!(kept.latest.is_some(), "the cache is behind");
        kept.shown(Some("4"));
        assert!(kept.latest.is_none() && kept.superseded.is_empty());
    }
}
