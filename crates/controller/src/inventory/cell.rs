//! One collection: what is known of it, and who asks for it.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use avnm_arm::{Credential, clock};
use avnm_terms::Reading;
use futures::future::BoxFuture;
use tokio::time::Instant;

use super::{
    known::{Known, Snapshot, Wanted},
    listener::{Listener, Subscribers},
};

/// What names a collection, beside the credential that reads it.
pub(crate) trait Key: Clone + Eq + Hash + Send + Sync + 'static {}

impl<K: Clone + Eq + Hash + Send + Sync + 'static> Key for K {}

/// What a collection is.
pub(crate) trait Collection: PartialEq + fmt::Debug + Send + Sync + 'static {}

impl<T: PartialEq + fmt::Debug + Send + Sync + 'static> Collection for T {}

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
    /// When it was first asked for.
    pub(super) since: Instant,
    /// A flight is under way: one at a time.
    pub(super) flying: bool,
    /// A sweep wants to hear what differs after that flight.
    pub(super) swept: bool,
    /// Whose pass ended for want of a read that is new enough.
    pub(super) waiting: HashMap<Listener, Wanted>,
    /// What all who listen have heard of: it is not what was read last where that was read for one of them.
    heard: Option<Reading<Arc<T>>>,
    /// Who knows something else, and as of when: it was served with another read, or asked Azure for its own part or wrote it. What
    /// comes after that is news to it, also where it is what all had heard of.
    knows: HashMap<Listener, Instant>,
    /// Who asked for it, and wants to hear of changes.
    pub(super) listeners: HashSet<Listener>,
    /// Objects that wait for Azure to settle: many of them share a list.
    pub(super) settling: HashSet<Listener>,
}

impl<T> Default for Cell<T> {
    fn default() -> Self {
        Self(Mutex::new(State {
            known: Known::default(),
            since: clock::instant(),
            flying: false,
            swept: false,
            waiting: HashMap::new(),
            heard: None,
            knows: HashMap::new(),
            listeners: HashSet::new(),
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

/// A collection as whoever asked for it keeps it, whatever it is of.
pub(super) trait Asked: fmt::Debug + Send + Sync {
    /// An object wants nothing of it any more.
    fn leave(&self, listener: &Listener);

    /// An object knows its own part of it as of then.
    fn acted(&self, listener: &Listener, at: Instant);
}

impl<T: fmt::Debug + Send + Sync> Asked for Cell<T> {
    fn leave(&self, listener: &Listener) {
        let mut state = self.state();
        state.listeners.remove(listener);
        state.settling.remove(listener);
        state.waiting.remove(listener);
        state.knows.remove(listener);
    }

    fn acted(&self, listener: &Listener, at: Instant) {
        let mut state = self.state();
        if state.listeners.contains(listener) {
            state.knows.insert(Arc::clone(listener), at);
        }
    }
}

impl<T> State<T> {
    /// It was read for those who asked. Only where nobody has heard anything yet have all heard that.
    pub(super) fn note_for_some(&mut self, read: &Reading<Arc<T>>) {
        if self.heard.is_none() && !matches!(read, Reading::Unread(_)) {
            self.heard = Some(read.clone());
        }
    }

    /// An object is served with what was read last.
    pub(super) fn serve(&mut self, listener: &Listener) {
        let Some(known) = &self.known.snapshot else { return };
        if self.heard.as_ref().is_none_or(|heard| !is_same(heard, &known.reading)) {
            self.knows.insert(Arc::clone(listener), known.begun);
        }
    }

    /// All who listen hear of it now: what they had heard of before, and who they are.
    pub(super) fn note_for_all(&mut self, read: &Snapshot<T>) -> News<T> {
        let old = self.heard.clone();
        let mut always = Vec::new();
        if !matches!(read.reading, Reading::Unread(_)) {
            self.heard = Some(read.reading.clone());
            always =
                self.knows.extract_if(|_, since| *since < read.begun).map(|(listener, _)| listener).collect();
        }
        News { old, new: read.reading.clone(), listeners: self.listeners.iter().cloned().collect(), always }
    }
}

/// Whether both are the same read.
fn is_same<T>(a: &Reading<Arc<T>>, b: &Reading<Arc<T>>) -> bool {
    match (a, b) {
        (Reading::Found(a), Reading::Found(b)) => Arc::ptr_eq(a, b),
        (Reading::Absent, Reading::Absent) => true,
        _ => false,
    }
}

/// What is new to those who listen.
pub(super) struct News<T> {
    /// What they had heard of before.
    pub(super) old: Option<Reading<Arc<T>>>,
    pub(super) new: Reading<Arc<T>>,
    pub(super) listeners: Vec<Listener>,
    /// Whom it concerns whatever differs.
    always: Vec<Listener>,
}

impl<T: Collection> News<T> {
    /// Of those who listen, whom it concerns.
    pub(super) fn concerned(self, concerned: Concerned<T>, subscribers: &dyn Subscribers) -> Vec<Listener> {
        let mut all = match (self.old, self.new) {
            (Some(Reading::Found(old)), Reading::Found(new)) => {
                if Arc::ptr_eq(&old, &new) || old == new {
                    Vec::new()
                } else {
                    concerned(&old, &new, self.listeners, subscribers)
                }
            }
            (Some(Reading::Absent), Reading::Absent) => Vec::new(),
            _ => self.listeners,
        };
        all.extend(self.always);
        all
    }
}
