//! What the cluster does by itself after a delete: a namespace's contents go, in an order chosen by the seed, and then
//! the namespace; a CRD's objects go, and then the CRD and its kind.

use std::time::Duration;

use rand::{Rng as _, seq::SliceRandom as _};

use super::{
    delete::Deleted,
    journal::{Actor, Verb},
    object,
    resource::{CRDS, NAMESPACES},
    store::{Shared, Store, Written},
};

/// After which a namespace that still holds something is looked at again: half of what the controller of the real
/// cluster estimates for a finalizer, and a second.
const NAMESPACE_RETRY: Duration = Duration::from_secs(8);
/// After which a CRD that still has objects is looked at again.
const CRD_RETRY: Duration = Duration::from_secs(5);
/// Longest time between two deletes of a namespace's contents, in milliseconds.
const BETWEEN_MAX: u64 = 50;

const NAMESPACE_CONTROLLER: &str = "namespace-controller";
const CRD_FINALIZER: &str = "crd-finalizer";

/// Begins to finish a namespace or a CRD that was marked just now.
pub(crate) fn begin(shared: &Shared, id: &str, name: &str) {
    let (shared, name) = (shared.clone(), name.to_owned());
    match id {
        NAMESPACES => drop(tokio::spawn(namespace(shared, name))),
        CRDS => drop(tokio::spawn(crd(shared, name))),
        _ => {}
    }
}

/// What is to be deleted: id and key.
type Content = Vec<(String, String)>;

impl Store {
    fn content(&mut self, namespace: &str) -> Content {
        let prefix = format!("{namespace}/");
        let mut kinds: Vec<Content> = self
            .collections
            .iter()
            .filter(|(_, collection)| collection.resource().namespaced)
            .map(|(id, collection)| {
                let keys = collection.objects.keys().filter(|key| key.starts_with(&prefix));
                keys.map(|key| (id.clone(), key.clone())).collect()
            })
            .collect();
        kinds.shuffle(&mut self.random);
        for kind in &mut kinds {
            kind.shuffle(&mut self.random);
        }
        kinds.into_iter().flatten().collect()
    }

    fn is_ending(&self, id: &str, name: &str) -> bool {
        self.get(id, name).is_some_and(|object| object::is_deleting(object.view()))
    }

    /// Takes the finalizer off, and the object with it if that was the last.
    fn finish_namespace(&mut self, name: &str) {
        let actor = Actor::internal(NAMESPACE_CONTROLLER);
        let Some(namespace) = self.get(NAMESPACES, name) else { return };
        if object::finalizers(namespace.view()).is_empty() {
            self.remove(
                NAMESPACES,
                name,
                &Written { actor: &actor, verb: Verb::Remove, subresource: "finalize" },
            );
            return;
        }
        let mut emptied = namespace.view().clone();
        emptied["spec"] = serde_json::json!({});
        self.put(
            NAMESPACES,
            name,
            emptied,
            &Written { actor: &actor, verb: Verb::Update, subresource: "finalize" },
        );
    }

    fn delete_content(&mut self, id: &str, key: &str, controller: &str) -> Option<Deleted> {
        let object = self.get(id, key)?;
        Some(self.delete_object(id, key, &object, &Actor::internal(controller)))
    }
}

async fn namespace(shared: Shared, name: String) {
    loop {
        let content = {
            let mut store = shared.lock();
            if !store.is_ending(NAMESPACES, &name) {
                return;
            }
            store.content(&name)
        };
        for (id, key) in content {
            let wait = shared.lock().random.random_range(0..=BETWEEN_MAX);
            tokio::time::sleep(Duration::from_millis(wait)).await;
            shared.lock().delete_content(&id, &key, NAMESPACE_CONTROLLER);
        }
        {
            let mut store = shared.lock();
            if store.content(&name).is_empty() {
                store.finish_namespace(&name);
                return;
            }
        }
        tokio::time::sleep(NAMESPACE_RETRY).await;
    }
}

async fn crd(shared: Shared, name: String) {
    // What a name of a CRD is, is the id of what it declares.
    let declared = |store: &Store| -> Content {
        let keys =
            store.collections.get(&name).map(|collection| collection.objects.keys().cloned().collect());
        let keys: Vec<String> = keys.unwrap_or_default();
        keys.into_iter().map(|key| (name.clone(), key)).collect()
    };
    {
        let mut store = shared.lock();
        let now = store.now_text();
        if let Some(crd) = store.get(CRDS, &name) {
            let mut told = crd.view().clone();
            let message = "CustomResource deletion is in progress";
            super::crds::condition(&mut told, "InstanceDeletionInProgress", message, &now);
            let actor = Actor::internal(CRD_FINALIZER);
            store.put(
                CRDS,
                &name,
                told,
                &Written { actor: &actor, verb: Verb::Update, subresource: "status" },
            );
        }
        for (id, key) in declared(&store) {
            store.delete_content(&id, &key, CRD_FINALIZER);
        }
    }
    loop {
        {
            let mut store = shared.lock();
            if !store.is_ending(CRDS, &name) {
                return;
            }
            if declared(&store).is_empty() {
                let actor = Actor::internal(CRD_FINALIZER);
                store.remove(
                    CRDS,
                    &name,
                    &Written { actor: &actor, verb: Verb::Remove, subresource: "status" },
                );
                if let Some(mut collection) = store.collections.remove(&name) {
                    collection.end_watches(false);
                }
                return;
            }
        }
        tokio::time::sleep(CRD_RETRY).await;
    }
}
