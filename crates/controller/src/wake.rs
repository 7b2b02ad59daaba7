//! Objects of one kind that have to look: a set, since to be woken twice is to look once. It holds each object at most once however
//! much happens, and hands a few at a time to kube's own queue: that never gives back what it has grown to, and ten thousand objects
//! come at once at every start.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::{Stream, stream};
use kube::{Resource, runtime::reflector::ObjectRef};
use tokio::sync::Notify;

use crate::place::named;

/// The set. Clones are the same.
pub(crate) struct Wake<K: Resource<DynamicType = ()>>(Arc<Set<K>>);

struct Set<K: Resource<DynamicType = ()>> {
    state: Mutex<State<K>>,
    /// Something may be handed out that could not be before.
    changed: Notify,
}

/// An object: its namespace and name. Ten thousand of them wait at every start, in two collections.
type Waiting = Arc<(Box<str>, Box<str>)>;

struct State<K: Resource<DynamicType = ()>> {
    /// At most one of each object.
    waiting: HashSet<Waiting>,
    /// The same, who came first first.
    order: VecDeque<Waiting>,
    /// Who was handed out, and whose pass has not begun.
    handed: HashSet<ObjectRef<K>>,
}

impl<K: Resource<DynamicType = ()>> Clone for Wake<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Resource<DynamicType = ()>> Default for Wake<K> {
    fn default() -> Self {
        let state = State { waiting: HashSet::new(), order: VecDeque::new(), handed: HashSet::new() };
        Self(Arc::new(Set { state: Mutex::new(state), changed: Notify::new() }))
    }
}

impl<K: Resource<DynamicType = ()> + 'static> Wake<K> {
    fn state(&self) -> MutexGuard<'_, State<K>> {
        // Nothing under this lock panics.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An object has to look. Its namespace is empty for a cluster-wide kind.
    pub(crate) fn wake(&self, namespace: &str, name: &str) {
        let object: Waiting = Arc::new((namespace.into(), name.into()));
        let mut state = self.state();
        if state.waiting.insert(Arc::clone(&object)) {
            state.order.push_back(object);
        }
        drop(state);
        self.0.changed.notify_one();
    }

    /// The pass of an object that was handed out has begun, or there is no such object.
    pub(crate) fn begun(&self, namespace: &str, name: &str) {
        self.state().handed.remove(&named(namespace, name));
        self.0.changed.notify_one();
    }

    /// How many were woken whose passes have not begun.
    pub(crate) fn depth(&self) -> usize {
        let state = self.state();
        state.waiting.len() + state.handed.len()
    }

    /// Who has waited longest, if fewer than that many were handed out and have not begun.
    fn take(&self, at_most: usize) -> Option<ObjectRef<K>> {
        let mut state = self.state();
        if state.handed.len() >= at_most {
            return None;
        }
        let object = state.order.pop_front()?;
        state.waiting.remove(&object);
        let object = named(&object.0, &object.1);
        if state.order.is_empty() {
            // What had grown for thousands is given back.
            (state.waiting, state.order) = (HashSet::new(), VecDeque::new());
        }
        state.handed.insert(clone(&object));
        Some(object)
    }

    /// Those who have to look, for ever, at most so many of them before their passes begin. It is for one reader.
    pub(crate) fn woken(&self, at_most: usize) -> impl Stream<Item = ObjectRef<K>> + Send + 'static {
        stream::unfold(self.clone(), move |wake| async move {
            loop {
                if let Some(object) = wake.take(at_most) {
                    return Some((object, wake));
                }
                wake.0.changed.notified().await;
            }
        })
    }
}

/// A reference is one to a clone only where its kind is, for the compiler.
fn clone<K: Resource<DynamicType = ()>>(object: &ObjectRef<K>) -> ObjectRef<K> {
    named(object.namespace.as_deref().unwrap_or_default(), &object.name)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use avnm_api::StaticMember;
    use futures::StreamExt as _;

    use super::*;

    const SOON: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn an_object_waits_once_however_often_it_is_woken() {
        let wake = Wake::<StaticMember>::default();
        for _ in 0..1_000 {
            for name in ["a", "b"] {
                wake.wake("n", name);
            }
        }
        assert_eq!(wake.state().waiting.len(), 2);
        let mut woken = Box::pin(wake.woken(9));
        let first: Vec<String> = (&mut woken).take(2).map(|object| object.name).collect().await;
        assert_eq!(first, ["a", "b"], "who came first comes first");
        assert!(tokio::time::timeout(SOON, woken.next()).await.is_err(), "once");
        wake.wake("n", "a");
        assert_eq!(woken.next().await, Some(named("n", "a")), "and again when it is woken again");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_woken_while_nobody_reads_is_not_lost() {
        let wake = Wake::<StaticMember>::default();
        let mut woken = Box::pin(wake.woken(9));
        assert!(tokio::time::timeout(SOON, woken.next()).await.is_err());
        wake.wake("n", "a");
        assert_eq!(woken.next().await, Some(named("n", "a")));
        let later = tokio::spawn({
            let wake = wake.clone();
            async move {
                tokio::time::sleep(SOON).await;
                wake.wake("n", "b");
            }
        });
        assert_eq!(woken.next().await, Some(named("n", "b")));
        later.await.expect("it woke");
    }

    #[tokio::test(start_paused = true)]
    async fn few_are_handed_out_before_their_passes_begin() {
        let wake = Wake::<StaticMember>::default();
        for at in 0..10_000 {
            wake.wake("n", &at.to_string());
        }
        assert_eq!(wake.depth(), 10_000);
        let mut woken = Box::pin(wake.woken(2));
        for name in ["0", "1"] {
            assert_eq!(woken.next().await, Some(named("n", name)));
        }
        assert!(tokio::time::timeout(SOON, woken.next()).await.is_err(), "none of both has begun");
        assert_eq!(wake.depth(), 10_000, "who was handed out has not begun");
        wake.begun("n", "1");
        assert_eq!(wake.depth(), 9_999);
        assert_eq!(woken.next().await, Some(named("n", "2")));
        wake.begun("n", "0");
        for at in 3..10_000 {
            wake.begun("n", &(at - 1).to_string());
            assert_eq!(woken.next().await, Some(named("n", &at.to_string())));
        }
        let state = wake.state();
        assert!(state.waiting.capacity() < 1_000 && state.order.capacity() < 1_000, "it is given back");
    }
}
