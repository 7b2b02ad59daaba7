//! One kind of collection: a cell for each credential and parent.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use avnm_arm::{Credential, CredentialKey, clock};
use avnm_terms::Reading;
use futures::future::BoxFuture;
use jiff::SignedDuration;
use tokio::{task::JoinHandle, time::Instant};

use super::{
    cell::{Cell, Collection, Concerned, Fetch, Key},
    flight::{Flight, Flights},
    known::{Picture, Wanted},
    listener::Listener,
};

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
