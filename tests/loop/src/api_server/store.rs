//! What is stored: the objects of every kind, one version for all of them, and the log of changes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde_json::Value;
use tokio::{sync::watch, time::Instant};

use super::{
    clock::{self, WallClock},
    journal::{Actor, Journal, Verb, Write},
    kind::Kind,
    lag::Lag,
    object::{self, Object},
    resource::{self, Resource},
    versions::{Change, ChangeKind, Versions},
};

/// The objects of one kind.
pub(crate) struct Collection {
    pub(crate) kind: Kind,
    pub(crate) objects: BTreeMap<String, Arc<Object>>,
    pub(crate) versions: Versions,
    /// The version up to which the caches were last made to know that there is nothing newer of their kind: a list of
    /// the newest asks for it. Else they know of their own changes only.
    pub(crate) progress: u64,
    /// The caches that lag, by the front end that they belong to.
    pub(crate) lags: BTreeMap<u32, Lag>,
    /// Counts what watches must look at anew: changes, and what a test does to the watches.
    pub(crate) signal: watch::Sender<u64>,
    /// Watches that began before end: the kind was changed, or a test ended them.
    pub(crate) epoch: u64,
    /// Whether they end with 410 instead of silently.
    pub(crate) expired: bool,
}

impl Collection {
    pub(crate) fn new(kind: Kind, version: u64) -> Self {
        Self {
            kind,
            objects: BTreeMap::new(),
            versions: Versions::from(version),
            progress: version,
            lags: BTreeMap::new(),
            signal: watch::Sender::new(0),
            epoch: 0,
            expired: false,
        }
    }

    pub(crate) fn resource(&self) -> &Resource {
        &self.kind.resource
    }

    pub(crate) fn wake(&self) {
        self.signal.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Ends all watches; with 410 they must list again.
    pub(crate) fn end_watches(&mut self, expired: bool) {
        self.epoch = self.epoch.wrapping_add(1);
        self.expired = expired;
        self.wake();
    }

    /// The cache of a front end brought up to date: what it shows, at which version, and when it next changes by
    /// itself.
    pub(crate) fn cached(&mut self, front_end: u32) -> Cached<'_> {
        let now = clock::instant();
        if let Some(lag) = self.lags.get_mut(&front_end) {
            let due = lag.advance(&self.versions, now);
            if !lag.is_over(&self.versions) {
                return match self.lags.get(&front_end) {
                    Some(lag) => Cached {
                        objects: lag.objects(),
                        position: lag.position(),
                        version: lag.version(),
                        lags: true,
                        due,
                    },
                    // It was there a line above.
                    None => unreachable!("a lag vanished"),
                };
            }
            self.lags.remove(&front_end);
        }
        Cached {
            objects: &self.objects,
            position: self.versions.end(),
            version: self.versions.last().max(self.progress),
            lags: false,
            due: None,
        }
    }

    /// The lag of a front end, made if it has none.
    pub(crate) fn lag_mut(&mut self, front_end: u32) -> &mut Lag {
        let fresh = || Lag::from(&self.objects, &self.versions);
        self.lags.entry(front_end).or_insert_with(fresh)
    }
}

/// What a watch cache shows.
pub(crate) struct Cached<'a> {
    pub(crate) objects: &'a BTreeMap<String, Arc<Object>>,
    pub(crate) position: u64,
    /// The version of which it knows that it shows everything of its kind up to there.
    pub(crate) version: u64,
    /// Whether there may be something newer.
    pub(crate) lags: bool,
    /// When the next change is due.
    pub(crate) due: Option<Instant>,
}

/// All that the server holds.
pub(crate) struct Store {
    pub(crate) collections: BTreeMap<String, Collection>,
    version: u64,
    pub(crate) clock: WallClock,
    pub(crate) random: StdRng,
    pub(crate) journal: Journal,
}

/// What a write is called in the journal.
pub(crate) struct Written<'a> {
    pub(crate) actor: &'a Actor,
    pub(crate) verb: Verb,
    pub(crate) subresource: &'a str,
}

impl Store {
    pub(crate) fn new(clock: WallClock, seed: u64) -> Self {
        let mut store = Self {
            collections: BTreeMap::new(),
            version: 1,
            clock,
            random: StdRng::seed_from_u64(seed),
            journal: Journal::default(),
        };
        for resource in resource::built_in() {
            store.collections.insert(resource.id(), Collection::new(Kind::built_in(resource), 1));
        }
        store
    }

    /// The version of the last write.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Now, as objects have it.
    pub(crate) fn now_text(&self) -> String {
        clock::seconds(self.now())
    }

    /// A new uid, in the form of one: random, but by the seed.
    pub(crate) fn uid(&mut self) -> String {
        let bits: u128 = self.random.random();
        let hex = format!("{bits:032x}");
        let variant = ["8", "9", "a", "b"][(bits & 3) as usize];
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
        format!("{}-{}-4{}-{variant}{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
    }

    /// The suffix of a generated name.
    pub(crate) fn suffix(&mut self) -> String {
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        (0..5).map(|_| char::from(LETTERS[self.random.random_range(0..LETTERS.len())])).collect()
    }

    /// Stores an object, new or changed, and tells the watches.
    pub(crate) fn put(&mut self, id: &str, key: &str, mut raw: Value, written: &Written<'_>) -> Arc<Object> {
        self.version = self.version.saturating_add(1);
        object::set(&mut raw, "resourceVersion", self.version.to_string().into());
        let Some(collection) = self.collections.get_mut(id) else {
            return Arc::new(Object::new(raw, None));
        };
        let object = Arc::new(collection.kind.object(raw));
        let previous = collection.objects.insert(key.to_owned(), object.clone());
        let what = if previous.is_some() { ChangeKind::Modified } else { ChangeKind::Added };
        self.log(id, key, what, object.clone(), previous, written);
        object
    }

    /// Takes an object out, and tells the watches. Its last picture has the version of its end.
    pub(crate) fn remove(&mut self, id: &str, key: &str, written: &Written<'_>) -> Option<Arc<Object>> {
        let collection = self.collections.get_mut(id)?;
        let previous = collection.objects.remove(key)?;
        self.version = self.version.saturating_add(1);
        let mut raw = previous.raw().clone();
        object::set(&mut raw, "resourceVersion", self.version.to_string().into());
        let last = Arc::new(collection.kind.object(raw));
        self.log(id, key, ChangeKind::Deleted, last.clone(), Some(previous), written);
        Some(last)
    }

    fn log(
        &mut self,
        id: &str,
        key: &str,
        what: ChangeKind,
        object: Arc<Object>,
        previous: Option<Arc<Object>>,
        written: &Written<'_>,
    ) {
        let (namespace, name) = key.split_once('/').unwrap_or(("", key));
        self.journal.push(Write {
            time: self.now(),
            version: self.version,
            actor: written.actor.clone(),
            verb: written.verb,
            resource: id.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            subresource: written.subresource.to_owned(),
            before: previous.clone(),
            after: (what != ChangeKind::Deleted).then(|| object.clone()),
        });
        let Some(collection) = self.collections.get_mut(id) else { return };
        let (version, at) = (self.version, clock::instant());
        collection.versions.push(Change { version, key: key.to_owned(), what, object, previous, at });
        collection.wake();
    }

    /// An object by its key.
    pub(crate) fn get(&self, id: &str, key: &str) -> Option<Arc<Object>> {
        self.collections.get(id)?.objects.get(key).cloned()
    }
}

/// The store, shared by requests, watches and the side door. Nothing waits while it is held.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<Store>>);

impl Shared {
    pub(crate) fn new(store: Store) -> Self {
        Self(Arc::new(Mutex::new(store)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Store> {
        // Whoever panicked has failed its test already.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
