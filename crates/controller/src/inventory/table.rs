//! One kind of collection: a cell for each credential and parent, with what is known and who asks.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use avnm_arm::{Credential, CredentialKey, clock};
use avnm_terms::Reading;
use futures::future::BoxFuture;
use jiff::SignedDuration;
use tokio::{task::JoinHandle, time::Instant};

use super::{
    flight::{Flight, Flights},
    known::{Known, Wanted},
    listener::{Listener, Subscribers},
    visit::Picture,
};

/// What names a collection, beside the credential that reads it.
pub(crate) trait Key: Clone + Eq + Hash + Send + Sync + 'static {}

impl<K: Clone + Eq + Hash + Send + Sync + 'static> Key for K {}

/// What a collection is.
pub(crate) trait Collection: PartialEq + Send + Sync + 'static {}

impl<T: PartialEq + Send + Sync + 'static> Collection for T {}

/// How a collection is read.
pub(super) type Fetch<K, T> = Arc<dyn Fn(Credential, K) -> BoxFuture<'static, Reading<T>> + Send + Sync>;

/// Whom a difference concerns, of those who listen.
pub(super) type Concerned<T> = fn(&T, &T, Vec<Listener>, &dyn Subscribers) -> Vec<Listener>;

/// One collection.
#[derive(Debug)]
pub(super) struct Cell<T>(Mutex<State<T>>);

/// What there is of one collection.
#[derive(Debug)]
pub(super) struct State<T> {
    pub(super) known: Known<T>,
    /// A flight is under way: one at a time.
    pub(super) flying: bool,
    /// A sweep wants to hear what differs after that flight.
    pub(super) swept: bool,
    /// Whose pass ended for want of a read that is new enough.
    pub(super) waiting: HashMap<Listener, Wanted>,
    /// Who asked for it, and when last.
    pub(super) listeners: HashMap<Listener, Instant>,
    /// Objects that wait for Azure to settle: many of them share a list.
    pub(super) settling: HashSet<Listener>,
}

impl<T> Default for Cell<T> {
    fn default() -> Self {
        Self(Mutex::new(State {
            known: Known::default(),
            flying: false,
            swept: false,
            waiting: HashMap::new(),
            listeners: HashMap::new(),
            settling: HashSet::new(),
        }))
    }
}

impl<T> Cell<T> {
    pub(super) fn state(&self) -> MutexGuard<'_, State<T>> {
        // Nothing under this lock panics; and if it did, the state is one of before or after.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    /// An object wants nothing of it any more.
    fn leave(&mut self, listener: &Listener) {
        self.listeners.remove(listener);
        self.settling.remove(listener);
        self.waiting.remove(listener);
    }

    /// Forgets whoever did not ask within `keep`. Whether anybody is left.
    pub(super) fn is_in_use(&mut self, keep: Duration, now: Instant) -> bool {
        let Self { listeners, settling, waiting, .. } = self;
        listeners.retain(|_, asked| now.saturating_duration_since(*asked) <= keep);
        settling.retain(|listener| listeners.contains_key(listener));
        waiting.retain(|listener, _| listeners.contains_key(listener));
        !listeners.is_empty()
    }
}

pub(super) type Cells<K, T> = HashMap<(CredentialKey, K), Arc<Cell<T>>>;

/// One kind of collection.
pub(crate) struct Table<K, T> {
    cells: Mutex<Cells<K, T>>,
    fetch: Fetch<K, T>,
    concerned: Concerned<T>,
    flights: Flights,
}

impl<K: Key, T: Collection> Table<K, T> {
    pub(super) fn new(
        flights: &Flights,
        fetch: impl Fn(Credential, K) -> BoxFuture<'static, Reading<T>> + Send + Sync + 'static,
        concerned: Concerned<T>,
    ) -> Self {
        Self { cells: Mutex::default(), fetch: Arc::new(fetch), concerned, flights: flights.clone() }
    }

    pub(super) fn cells(&self) -> MutexGuard<'_, Cells<K, T>> {
        // Nothing under this lock panics.
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cell(&self, credential: &Credential, key: &K) -> Arc<Cell<T>> {
        Arc::clone(self.cells().entry((credential.key.clone(), key.clone())).or_default())
    }

    fn existing(&self, credential: &Credential, key: &K) -> Option<Arc<Cell<T>>> {
        self.cells().get(&(credential.key.clone(), key.clone())).map(Arc::clone)
    }

    /// The collection, if what is known is as new as wanted. If not, it is read, and who asks is woken then.
    pub(super) fn read(
        &self,
        credential: &Credential,
        key: &K,
        wanted: Wanted,
        listener: &Listener,
    ) -> Picture<T> {
        let cell = self.cell(credential, key);
        let mut state = cell.state();
        let now = clock::instant();
        state.listeners.insert(listener.clone(), now);
        if let Some(known) = state.known.answer(wanted, now) {
            state.waiting.remove(listener);
            return Picture::Known(known);
        }
        state.waiting.insert(listener.clone(), wanted);
        let idle = !std::mem::replace(&mut state.flying, true);
        drop(state);
        if idle {
            drop(self.begin(cell, credential.clone(), key.clone()));
        }
        Picture::Flying
    }

    /// Begins a flight. Whoever calls it has marked the cell as flying.
    pub(super) fn begin(&self, cell: Arc<Cell<T>>, credential: Credential, key: K) -> JoinHandle<()> {
        let flight =
            Flight { cell, credential, key, fetch: Arc::clone(&self.fetch), concerned: self.concerned };
        self.flights.begin(flight)
    }

    /// How long the last complete read of the collection took.
    pub(crate) fn took(&self, credential: &Credential, key: &K) -> SignedDuration {
        let took = self.existing(credential, key).map(|cell| cell.state().known.took).unwrap_or_default();
        // No read lasts longer than a flight may.
        SignedDuration::try_from(took).unwrap_or(SignedDuration::MAX / 2)
    }

    /// An object wants nothing of the collection any more.
    pub(crate) fn leave(&self, credential: &Credential, key: &K, listener: &Listener) {
        if let Some(cell) = self.existing(credential, key) {
            cell.state().leave(listener);
        }
    }

    /// An object wants nothing any more of the collections that it did not ask for since then.
    pub(super) fn forget_before(&self, listener: &Listener, since: Instant) {
        let cells: Vec<Arc<Cell<T>>> = self.cells().values().cloned().collect();
        for cell in cells {
            let mut state = cell.state();
            if state.listeners.get(listener).is_some_and(|asked| *asked < since) {
                state.leave(listener);
            }
        }
    }

    /// Forgets what was read with the credentials that are gone, and the material to read it again.
    pub(super) fn retain(&self, stands: &impl Fn(&CredentialKey) -> bool) {
        self.cells().retain(|(credential, _), _| stands(credential));
    }

    /// How many objects of the collection wait for Azure to settle.
    pub(crate) fn settling(&self, credential: &Credential, key: &K, listener: &Listener, is: bool) -> usize {
        let cell = self.cell(credential, key);
        let mut state = cell.state();
        if is {
            state.settling.insert(listener.clone());
        } else {
            state.settling.remove(listener);
        }
        state.settling.len()
    }
}
