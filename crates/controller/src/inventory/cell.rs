//! One collection: what is known of it, and who asks for it.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use avnm_arm::Credential;
use avnm_terms::Reading;
use futures::future::BoxFuture;
use tokio::time::Instant;

use super::{
    known::{Known, Wanted},
    listener::{Listener, Subscribers},
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
    pub(super) fn leave(&mut self, listener: &Listener) {
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
