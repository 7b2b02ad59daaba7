//! Objects of one kind that have to look: a set, since to be woken twice is to look once. It is drained into kube's own queue,
//! and holds each object at most once however much happens.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use futures::{Stream, stream};
use kube::{Resource, runtime::reflector::ObjectRef};
use tokio::sync::Notify;

use crate::place::named;

/// The set. Clones are the same.
pub(crate) struct Wake<K: Resource<DynamicType = ()>>(Arc<Set<K>>);

struct Set<K: Resource<DynamicType = ()>> {
    /// At most one of each object.
    waiting: Mutex<HashSet<ObjectRef<K>>>,
    /// Something was added.
    added: Notify,
}

impl<K: Resource<DynamicType = ()>> Clone for Wake<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Resource<DynamicType = ()>> Default for Wake<K> {
    fn default() -> Self {
        Self(Arc::new(Set { waiting: Mutex::default(), added: Notify::new() }))
    }
}

impl<K: Resource<DynamicType = ()> + 'static> Wake<K> {
    /// An object has to look. Its namespace is empty for a cluster-wide kind.
    pub(crate) fn wake(&self, namespace: &str, name: &str) {
        // Nothing under this lock panics.
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(named(namespace, name));
        self.0.added.notify_one();
    }

    /// All that wait now; they wait no longer.
    fn take(&self) -> HashSet<ObjectRef<K>> {
        std::mem::take(&mut *self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Those who have to look, for ever. It is for one reader.
    pub(crate) fn woken(&self) -> impl Stream<Item = ObjectRef<K>> + Send + 'static {
        stream::unfold((self.clone(), HashSet::new().into_iter()), |(wake, mut taken)| async move {
            loop {
                if let Some(object) = taken.next() {
                    return Some((object, (wake, taken)));
                }
                taken = wake.take().into_iter();
                if taken.len() == 0 {
                    wake.0.added.notified().await;
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, time::Duration};

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
        assert_eq!(wake.0.waiting.lock().unwrap().len(), 2);
        let mut woken = Box::pin(wake.woken());
        let first: BTreeSet<String> = (&mut woken).take(2).map(|object| object.name).collect().await;
        assert_eq!(first, ["a", "b"].map(str::to_owned).into());
        assert!(tokio::time::timeout(SOON, woken.next()).await.is_err(), "once");
        wake.wake("n", "a");
        assert_eq!(woken.next().await, Some(named("n", "a")), "and again when it is woken again");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_woken_while_nobody_reads_is_not_lost() {
        let wake = Wake::<StaticMember>::default();
        let mut woken = Box::pin(wake.woken());
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
}
