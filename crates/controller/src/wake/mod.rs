//! Objects of one kind that have to look: a set, since to be woken twice is to look once. It holds each object at most once however
//! much happens. Namespaces take turns, so that nobody waits until all objects of another team have looked.
//!
//! Of those who are handed to kube's runtime nobody waits for a slot there: that is a hash set, of which it takes the first, so that
//! under load an object may wait for ever; and its queue never gives back what it has grown to, while ten
//! thousand objects come at once at every start. So an object whose pass runs is not handed out either, before that has ended.
//! And what happens at the same moment is looked at once: an object is handed out a few milliseconds after it was woken.

mod lines;

use std::{
    marker::PhantomData,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use avnm_arm::clock;
use futures::{Stream, stream};
use kube::{Resource, runtime::reflector::ObjectRef};
use tokio::sync::Notify;

use self::lines::{Lines, Next, Object};
use crate::place::named;

/// The set. Clones are the same.
pub(crate) struct Wake<K>(Arc<Set>, PhantomData<fn() -> K>);

#[derive(Default)]
struct Set {
    lines: Mutex<Lines>,
    /// Something may be handed out that could not be before.
    changed: Notify,
}

impl Set {
    fn change<T>(&self, change: impl FnOnce(&mut Lines) -> T) -> T {
        let changed = change(&mut self.lines());
        self.changed.notify_one();
        changed
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        // Nothing under this lock panics.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K> Clone for Wake<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0), PhantomData)
    }
}

impl<K> Default for Wake<K> {
    fn default() -> Self {
        Self(Arc::default(), PhantomData)
    }
}

impl<K> Wake<K> {
    /// An object has to look. Its namespace is empty for a cluster-wide kind.
    pub(crate) fn wake(&self, namespace: &str, name: &str) {
        self.0.change(|lines| lines.wake(object(namespace, name), clock::instant()));
    }

    /// The pass of an object has begun: one that was handed out, or one that the runtime's timer began. It runs for as long as
    /// what is returned is kept.
    pub(crate) fn begun(&self, namespace: &str, name: &str) -> Running {
        let object = object(namespace, name);
        self.0.lines().begun(object.clone());
        Running { set: Arc::clone(&self.0), object }
    }

    /// There is no such object as was handed out.
    pub(crate) fn missing(&self, namespace: &str, name: &str) {
        self.0.change(|lines| lines.missing(&object(namespace, name)));
    }

    /// How many were woken whose passes have not begun.
    pub(crate) fn depth(&self) -> usize {
        self.0.lines().depth()
    }
}

impl<K: Resource<DynamicType = ()> + 'static> Wake<K> {
    /// Those who have to look, for ever, while fewer than so many were handed out or run. It is for one reader.
    pub(crate) fn woken(&self, at_most: usize) -> impl Stream<Item = ObjectRef<K>> + Send + 'static {
        stream::unfold(self.clone(), move |wake| async move {
            loop {
                let next = wake.0.lines().take(at_most, clock::instant());
                match next {
                    Next::Object((namespace, name)) => return Some((named(&namespace, &name), wake)),
                    Next::Nobody => wake.0.changed.notified().await,
                    Next::At(time) => {
                        let changed = wake.0.changed.notified();
                        // Too early is looked at once more.
                        let _ = tokio::time::timeout_at(time, changed).await;
                    }
                }
            }
        })
    }
}

/// A pass that runs. It has ended when this is dropped, however it ended.
pub(crate) struct Running {
    set: Arc<Set>,
    object: Object,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.set.change(|lines| lines.ended(self.object.clone()));
    }
}

fn object(namespace: &str, name: &str) -> Object {
    (namespace.into(), name.into())
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
        assert_eq!(wake.depth(), 2);
        let mut woken = Box::pin(wake.woken(9));
        let first: Vec<String> = (&mut woken).take(2).map(|object| object.name).collect().await;
        assert_eq!(first, ["a", "b"], "who came first comes first");
        assert!(tokio::time::timeout(SOON, woken.next()).await.is_err(), "once");
        wake.wake("n", "a");
        assert!(
            tokio::time::timeout(SOON, woken.next()).await.is_err(),
            "its pass has not begun, and will see it"
        );
        drop(wake.begun("n", "a"));
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
    async fn a_pass_that_is_dropped_has_ended() {
        let wake = Wake::<StaticMember>::default();
        let mut woken = Box::pin(wake.woken(1));
        let running = wake.begun("n", "a");
        wake.wake("n", "a");
        wake.wake("n", "b");
        assert!(tokio::time::timeout(SOON, woken.next()).await.is_err(), "one at a time");
        drop(running);
        assert_eq!(woken.next().await, Some(named("n", "b")));
        wake.missing("n", "b");
        assert_eq!(woken.next().await, Some(named("n", "a")));
    }
}
