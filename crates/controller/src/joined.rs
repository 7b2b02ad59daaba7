//! One read for all who ask for the same thing while another such read is under way.
//!
//! Whoever asks is given a read that begins after that: a read that began before may show what is not so any more. So a thing
//! is read one at a time, and whoever comes while it is read shares the next read with all others who come meanwhile.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use avnm_terms::KubeFault;
use futures::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};

/// What a read came to; `None` if there is no such thing.
pub(crate) type Answer<T> = Result<Option<Arc<T>>, KubeFault>;

/// Which thing: its namespace, empty for one of the cluster, and its name.
type Key = (String, String);

/// The newest read of one thing.
struct Flight<T> {
    /// Tells it from the one after it.
    number: u64,
    /// Whether the request may have gone out: too late for whoever asks now.
    begun: bool,
    answer: Shared<BoxFuture<'static, Answer<T>>>,
}

/// The reads of one kind of thing.
pub(crate) struct Joined<T>(Arc<Mutex<Flights<T>>>);

struct Flights<T> {
    newest: HashMap<Key, Flight<T>>,
    numbers: u64,
}

impl<T> Default for Joined<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Flights { newest: HashMap::new(), numbers: 0 })))
    }
}

fn lock<T>(flights: &Mutex<Flights<T>>) -> MutexGuard<'_, Flights<T>> {
    flights.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Send + Sync + 'static> Joined<T> {
    /// Reads a thing, by a read that begins after this was called: with `read`, or with whoever waits to read it too.
    pub(crate) async fn read<F>(
        &self,
        namespace: &str,
        name: &str,
        read: impl FnOnce() -> F + Send + 'static,
    ) -> Answer<T>
    where
        F: Future<Output = Result<Option<T>, KubeFault>> + Send,
    {
        self.flight((namespace.to_owned(), name.to_owned()), read).await
    }

    fn flight<F>(
        &self,
        key: Key,
        read: impl FnOnce() -> F + Send + 'static,
    ) -> Shared<BoxFuture<'static, Answer<T>>>
    where
        F: Future<Output = Result<Option<T>, KubeFault>> + Send,
    {
        let mut flights = lock(&self.0);
        let before = match flights.newest.get(&key) {
            Some(flight) if !flight.begun => return flight.answer.clone(),
            before => before.map(|flight| flight.answer.clone()),
        };
        flights.numbers += 1;
        let number = flights.numbers;
        let (all, of) = (Arc::clone(&self.0), key.clone());
        let answer = async move {
            if let Some(before) = before {
                drop(before.await);
            }
            if let Some(flight) = lock(&all).newest.get_mut(&of).filter(|flight| flight.number == number) {
                flight.begun = true;
            }
            let answer = read().await.map(|found| found.map(Arc::new));
            let mut flights = lock(&all);
            if flights.newest.get(&of).is_some_and(|flight| flight.number == number) {
                flights.newest.remove(&of);
            }
            answer
        };
        let answer = answer.boxed().shared();
        flights.newest.insert(key, Flight { number, begun: false, answer: answer.clone() });
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering::SeqCst},
        time::Duration,
    };

    use avnm_arm::clock;

    use super::*;

    /// A thing whose value is the number of the read; a read takes 10 ms.
    #[derive(Clone, Default)]
    struct Thing(Arc<AtomicUsize>);

    impl Thing {
        async fn read(self) -> Result<Option<usize>, KubeFault> {
            let number = self.0.fetch_add(1, SeqCst) + 1;
            tokio::time::sleep(Duration::from_millis(10)).await;
            Ok(Some(number))
        }
    }

    async fn ask(joined: &Joined<usize>, thing: &Thing, name: &str, after: u64) -> usize {
        tokio::time::sleep(Duration::from_millis(after)).await;
        let thing = thing.clone();
        *joined.read("team-a", name, || thing.read()).await.expect("it is read").expect("it is there")
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_while_it_is_read_shares_the_next_read() {
        let (joined, thing) = (Joined::default(), Thing::default());
        let at = |after| ask(&joined, &thing, "central", after);
        let answers = tokio::join!(at(0), at(3), at(9), at(15), at(40));
        assert_eq!(answers, (1, 2, 2, 3, 4), "a read that began before somebody asked tells him nothing");
        assert!(lock(&joined.0).newest.is_empty(), "nothing is kept of what is over");
    }

    #[tokio::test(start_paused = true)]
    async fn other_things_are_read_beside_it() {
        let (joined, thing) = (Joined::default(), Thing::default());
        let begun = clock::instant();
        let answers = tokio::join!(ask(&joined, &thing, "a", 0), ask(&joined, &thing, "b", 0));
        assert_eq!((answers, clock::instant() - begun), ((1, 2), Duration::from_millis(10)));
    }

    #[tokio::test(start_paused = true)]
    async fn who_stops_waiting_stops_nobody_else() {
        let (joined, thing) = (Joined::default(), Thing::default());
        let cut = tokio::time::timeout(Duration::from_millis(5), ask(&joined, &thing, "central", 0));
        let (cut, next) = tokio::join!(cut, ask(&joined, &thing, "central", 2));
        assert!(cut.is_err());
        assert_eq!(next, 2);
        assert_eq!(ask(&joined, &thing, "central", 0).await, 3);
    }
}
