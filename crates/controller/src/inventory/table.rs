//! One kind of collection: a cell for each credential and parent.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use avnm_arm::{Credential, CredentialKey, clock};
use avnm_terms::Reading;
use futures::future::BoxFuture;
use jiff::SignedDuration;
use tokio::task::JoinHandle;

use super::{
    cell::{Asked as _, Cell, Collection, Concerned, Fetch, Key, News},
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

    fn existing(&self, credential: &Credential, key: &K) -> Option<Arc<Cell<T>>> {
        self.cells().get(&(credential.key.clone(), key.clone())).map(Arc::clone)
    }

    /// The collection, if what is known is as new as wanted. If not, it is read, and who asks is woken then. From now on who
    /// asked hears of changes, until it leaves the cell.
    pub(super) fn read(
        &self,
        credential: &Credential,
        key: &K,
        wanted: Wanted,
        listener: &Listener,
    ) -> (Picture<T>, Arc<Cell<T>>) {
        let mut cells = self.cells();
        let cell = Arc::clone(cells.entry((credential.key.clone(), key.clone())).or_default());
        let mut state = cell.state();
        state.listeners.insert(Arc::clone(listener));
        // Not before: a cell to which nobody listens may be given up, and who listened to it then would hear nothing for ever.
        drop(cells);
        if let Some(known) = state.known.answer(wanted, clock::instant()) {
            state.waiting.remove(listener);
            state.serve(listener);
            drop(state);
            return (Picture::Known(known), cell);
        }
        state.waiting.insert(Arc::clone(listener), wanted);
        let idle = !std::mem::replace(&mut state.flying, true);
        drop(state);
        if idle {
            drop(self.begin(Arc::clone(&cell), credential.clone(), key.clone()));
        }
        (Picture::Flying, cell)
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
            cell.leave(listener);
        }
    }

    /// Forgets what was read with the credentials that are gone, and the material to read it again. Whoever listened looks
    /// again: it may be read with another material, and nobody else tells them so.
    pub(super) fn retain(&self, stands: &impl Fn(&CredentialKey) -> bool) {
        let mut left = HashSet::new();
        self.cells().retain(|(credential, _), cell| {
            let stands = stands(credential);
            if !stands {
                left.extend(cell.state().listeners.iter().cloned());
            }
            stands
        });
        self.flights.wake(left);
    }

    /// Tells all who listen to a cell what was read for one of them.
    pub(super) fn tell(&self, news: News<T>) {
        self.flights.tell(news, self.concerned);
    }

    /// How many objects of the collection wait for Azure to settle.
    pub(crate) fn settling(&self, credential: &Credential, key: &K, listener: &Listener, is: bool) -> usize {
        let Some(cell) = self.existing(credential, key) else { return usize::from(is) };
        let mut state = cell.state();
        if is && state.listeners.contains(listener) {
            state.settling.insert(listener.clone());
        } else {
            state.settling.remove(listener);
        }
        state.settling.len()
    }
}
