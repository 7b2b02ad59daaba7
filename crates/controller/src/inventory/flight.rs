//! A read of one collection, in a task of its own: whoever wants it is woken when it is over.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use avnm_arm::{Credential, CredentialKey, clock};
use avnm_terms::{Fault, FaultKind, Reading};
use tokio::{sync::Semaphore, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{
    cell::{Cell, Collection, Concerned, Fetch, Key, News},
    known::Snapshot,
    listener::{Listener, Subscribers},
};

/// Collections that are read with one credential at the same time; more of them wait for their turn. A bound on all
/// together would let the collections of one tenant that hangs hold up every other tenant. Tasks are bounded too: one of
/// each collection in use.
pub(super) const AT_ONCE: usize = 32;

/// A read of a collection that takes longer than this has failed. Each page has a bound of its own, and there may be
/// thousands of them.
pub(super) const LONGEST: Duration = Duration::from_secs(15 * 60);

/// What all flights share. Clones are the same.
#[derive(Clone)]
pub(super) struct Flights {
    subscribers: Arc<dyn Subscribers>,
    /// The longest wait before a collection that could not be read is tried again.
    retry_max: Duration,
    /// Ends them all.
    stop: CancellationToken,
    /// Turns of each credential that reads something now.
    turns: Arc<Mutex<HashMap<CredentialKey, Weak<Semaphore>>>>,
}

impl Flights {
    pub(super) fn new(
        subscribers: Arc<dyn Subscribers>,
        retry_max: Duration,
        stop: CancellationToken,
    ) -> Self {
        Self { subscribers, retry_max, stop, turns: Arc::default() }
    }

    /// The turns of a credential.
    fn turns(&self, credential: &CredentialKey) -> Arc<Semaphore> {
        // Nothing under this lock panics.
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = turns.get(credential).and_then(Weak::upgrade) {
            return known;
        }
        turns.retain(|_, known| known.strong_count() > 0);
        let new = Arc::new(Semaphore::new(AT_ONCE));
        turns.insert(credential.clone(), Arc::downgrade(&new));
        new
    }

    /// Begins a flight.
    pub(super) fn begin<K: Key, T: Collection>(&self, flight: Flight<K, T>) -> JoinHandle<()> {
        let flights = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = flights.stop.cancelled() => {}
                () = flights.fly(&flight) => {}
            }
        })
    }

    /// Reads until everybody who waits has an answer: a read that was under way when somebody asked may be too old for
    /// them, and then there is one more.
    async fn fly<K: Key, T: Collection>(&self, flight: &Flight<K, T>) {
        let turns = self.turns(&flight.credential.key);
        loop {
            let Ok(_turn) = turns.acquire().await else { return };
            let snapshot = flight.read().await;
            let (woken, done) = self.land(flight, &snapshot);
            self.wake(woken);
            if done {
                return;
            }
        }
    }

    /// Takes note of a read that is over. Who has to look, and whether nobody waits for another one.
    fn land<K: Key, T: Collection>(
        &self,
        flight: &Flight<K, T>,
        read: &Snapshot<T>,
    ) -> (HashSet<Listener>, bool) {
        let mut state = flight.cell.state();
        let now = clock::instant();
        let was_faulty = state.known.failed.is_some();
        state.known.note(read, now, self.retry_max);
        let (mut woken, mut left) = (HashSet::new(), HashMap::new());
        for (listener, wanted) in std::mem::take(&mut state.waiting) {
            if state.known.answer(wanted, now).is_some() {
                woken.insert(listener);
            } else {
                left.insert(listener, wanted);
            }
        }
        let done = left.is_empty();
        (state.waiting, state.flying) = (left, !done);
        let news = if std::mem::take(&mut state.swept) {
            Some(state.note_for_all(read))
        } else {
            state.note_for_some(&read.reading);
            None
        };
        drop(state);
        if let Some(mut news) = news {
            if let Reading::Unread(fault) = &read.reading
                && matches!(fault.kind, FaultKind::SignIn(_))
            {
                self.subscribers.refused(&flight.credential.key, fault);
            }
            if was_faulty {
                // They had heard of the fault.
                news.old = None;
            }
            woken.extend(news.concerned(flight.concerned, &*self.subscribers));
        }
        (woken, done)
    }

    /// Has these look.
    pub(super) fn wake(&self, listeners: impl IntoIterator<Item = Listener>) {
        for listener in listeners {
            self.subscribers.wake(&listener);
        }
    }

    /// Has those look whom something new concerns.
    pub(super) fn tell<T: Collection>(&self, news: News<T>, concerned: Concerned<T>) {
        self.wake(news.concerned(concerned, &*self.subscribers));
    }
}

/// One flight.
pub(super) struct Flight<K, T> {
    pub(super) cell: Arc<Cell<T>>,
    pub(super) credential: Credential,
    pub(super) key: K,
    pub(super) fetch: Fetch<K, T>,
    pub(super) concerned: Concerned<T>,
}

impl<K: Key, T: Collection> Flight<K, T> {
    async fn read(&self) -> Snapshot<T> {
        let begun = clock::instant();
        let fetch = (self.fetch)(self.credential.clone(), self.key.clone());
        let reading = tokio::time::timeout(LONGEST, fetch).await.unwrap_or_else(|_| {
            let why = format!("it was not read to its end in {} min", LONGEST.as_secs() / 60);
            Reading::Unread(Fault::local("read collection", "", FaultKind::Network, why))
        });
        Snapshot { begun, reading: reading.map(Arc::new) }
    }
}
