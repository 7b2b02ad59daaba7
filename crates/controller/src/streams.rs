//! Watches, and who wakes whom. Every unstable feature of the runtime is used in this file only.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use avnm_api::{
    CredentialKind, CredentialRef, CrossTenantConnection, CrossTenantConnectionStatus, StaticMember,
};
use avnm_plan::status::find;
use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api, Client, Resource, ResourceExt,
    core::PartialObjectMeta,
    runtime::{
        Controller, Predicate as _, WatchStreamExt,
        controller::{Action, Config},
        predicates,
        reflector::{ObjectRef, Store, store::Writer},
        watcher,
    },
};
use tokio_util::sync::CancellationToken;

use crate::{
    credential_object::CredentialObject,
    guarded::Guarded,
    place::{Place, named},
    stores::{Stores, uids},
    wakers::Wakers,
};

/// Summaries of objects that others depend on: only a change of these wakes dependents.
pub(crate) type Seen = Arc<Mutex<HashMap<String, String>>>;

fn changed(seen: &Seen, uid: &str, summary: &str) -> bool {
    seen.lock()
        .is_ok_and(|mut seen| seen.insert(uid.to_owned(), summary.to_owned()).as_deref() != Some(summary))
}

fn forget<K: Resource>(seen: &Seen, guard: &Guarded<K>) {
    if let Ok(mut seen) = seen.lock() {
        seen.remove(&guard.uid().unwrap_or_default());
    }
}

/// Forgets all but these; whether there were others, which vanished while nobody watched.
fn retain(seen: &Seen, uids: &HashSet<String>) -> bool {
    let Ok(mut seen) = seen.lock() else { return true };
    let before = seen.len();
    seen.retain(|uid, _| uids.contains(uid));
    seen.len() < before
}

fn ready_of(conditions: Option<&[avnm_api::Condition]>) -> String {
    conditions
        .and_then(|conditions| find(conditions, "Ready"))
        .map(|ready| format!("{} {} {:?}", ready.status, ready.reason, ready.observed_generation))
        .unwrap_or_default()
}

/// The watch of one kind: pruned, cached, and tapped for those who depend on it.
pub(crate) fn watch<K>(
    client: Client,
    writer: Writer<Guarded<K>>,
    tap: impl Fn(&watcher::Event<Guarded<K>>) + Send + 'static,
) -> impl Stream<Item = Result<Guarded<K>, watcher::Error>> + Send + 'static
where
    K: Place,
{
    let api: Api<Guarded<K>> = Api::all(client);
    watcher(api, watcher::Config::default().any_semantic())
        .default_backoff()
        .modify(|guard| {
            // An unpruned cache of ten thousand objects costs more than all the rest of the process.
            guard.managed_fields_mut().clear();
            guard.annotations_mut().remove("kubectl.kubernetes.io/last-applied-configuration");
        })
        .reflect(writer)
        .inspect(move |event| {
            if let Ok(event) = event {
                tap(event);
            }
        })
        .touched_objects()
        .predicate_filter(
            // Our own status writes change none of these. Deletion bumps the generation of a custom resource.
            predicates::generation.combine(predicates::finalizers).combine(predicates::annotations),
            kube::runtime::PredicateConfig::default(),
        )
}

/// Runs the controller of one kind until told to stop: at most `concurrency` passes at the same time.
pub(crate) async fn control<K, C, F>(
    stream: impl Stream<Item = Result<Guarded<K>, watcher::Error>> + Send + 'static,
    store: Store<Guarded<K>>,
    woken: impl Stream<Item = ObjectRef<Guarded<K>>> + Send + 'static,
    reconcile: impl FnMut(Arc<Guarded<K>>, Arc<C>) -> F,
    context: Arc<C>,
    concurrency: u16,
    stop: CancellationToken,
) where
    K: Place,
    F: Future<Output = Result<Action, std::convert::Infallible>> + Send + 'static,
{
    Controller::for_stream(stream, store)
        .reconcile_on(woken)
        .with_config(Config::default().concurrency(concurrency).debounce(Duration::from_millis(5)))
        .graceful_shutdown_on(stop.cancelled_owned())
        .run(reconcile, |_, _, _| Action::await_change(), context)
        .for_each(|result| async move {
            if let Err(error) = result {
                tracing::debug!(%error, "the runtime says");
            }
        })
        .await;
}

/// The watch of namespaces: their metadata only, and of that the labels. It is the type that makes kube ask for no more,
/// in lists and watches both.
pub(crate) fn watch_namespaces(
    client: Client,
    writer: Writer<PartialObjectMeta<Namespace>>,
    tap: impl Fn(&watcher::Event<PartialObjectMeta<Namespace>>) + Send + 'static,
) -> impl Stream<Item = Result<PartialObjectMeta<Namespace>, watcher::Error>> + Send + 'static {
    let api: Api<PartialObjectMeta<Namespace>> = Api::all(client);
    watcher(api, watcher::Config::default().any_semantic())
        .default_backoff()
        .modify(|namespace| {
            namespace.metadata.managed_fields = None;
            namespace.metadata.annotations = None;
        })
        .reflect(writer)
        .inspect(move |event| {
            if let Ok(event) = event {
                tap(event);
            }
        })
        .touched_objects()
}

/// A namespace changed: where its labels did, whoever uses a credential of the cluster there looks again.
pub(crate) fn on_namespace(
    stores: &Stores,
    wakers: &Wakers,
    seen: &Seen,
    event: &watcher::Event<PartialObjectMeta<Namespace>>,
) {
    let relabelled = |namespace: &PartialObjectMeta<Namespace>| {
        let summary = format!("{:?}", namespace.metadata.labels);
        if changed(seen, &namespace.uid().unwrap_or_default(), &summary) {
            wake_borrowers(stores, wakers, &namespace.name_any());
        }
    };
    match event {
        watcher::Event::Apply(namespace) => relabelled(namespace),
        watcher::Event::Delete(namespace) => {
            if let Ok(mut seen) = seen.lock() {
                seen.remove(&namespace.uid().unwrap_or_default());
            }
        }
        watcher::Event::InitDone => {
            let all = stores.namespaces.state();
            // Who vanished took its objects along.
            let _ = retain(seen, &all.iter().filter_map(|namespace| namespace.uid()).collect());
            for namespace in all {
                relabelled(&namespace);
            }
        }
        watcher::Event::Init | watcher::Event::InitApply(_) => {}
    }
}

/// Wakes all objects of a namespace that use a credential of the cluster, also through their connection.
fn wake_borrowers(stores: &Stores, wakers: &Wakers, namespace: &str) {
    wake_those_who_use(stores, wakers, &|user, used| {
        used.kind == CredentialKind::ClusterTenantCredential && user == namespace
    });
}

/// The credentials that a connection refers to.
fn halves(spec: &avnm_api::CrossTenantConnectionSpec) -> impl Iterator<Item = &CredentialRef> {
    let both = [&spec.scope_connection, &spec.network_manager_connection];
    both.into_iter().flatten().map(|half| &half.credential_ref)
}

/// The credentials that a connection's halves were made with.
fn claimed(status: &CrossTenantConnectionStatus) -> impl Iterator<Item = &CredentialRef> {
    let both = [&status.scope_connection, &status.network_manager_connection];
    both.into_iter().flatten().filter_map(|half| half.claim.as_ref()).map(|claim| &claim.credential_ref)
}

/// Whether anything that is held was made with a credential.
pub(crate) fn is_held<K: CredentialObject>(stores: &Stores, credential: &K) -> bool {
    let (home, name) = (credential.namespace(), credential.name_any());
    let is_it = |namespace: Option<String>, used: &CredentialRef| {
        used.kind == K::KIND && used.name == name && (home.is_none() || home == namespace)
    };
    let connections = stores.connections.state().into_iter().any(|found| {
        let Ok(object) = &found.0 else { return false };
        object.status.iter().flat_map(claimed).any(|used| is_it(object.namespace(), used))
    });
    connections
        || stores.members.state().into_iter().any(|found| {
            let Ok(object) = &found.0 else { return false };
            let claim = object.status.as_ref().and_then(|status| status.claim.as_ref());
            claim.is_some_and(|claim| is_it(object.namespace(), &claim.credential_ref))
        })
}

/// A credential changed: whoever refers to it looks again.
pub(crate) fn on_credential<K: CredentialObject>(
    stores: &Stores,
    wakers: &Wakers,
    seen: &Seen,
    event: &watcher::Event<Guarded<K>>,
) {
    match event {
        watcher::Event::Apply(guard) => credential_changed(stores, wakers, seen, guard),
        watcher::Event::Delete(guard) => {
            forget(seen, guard);
            wake_users_of::<K>(stores, wakers, guard.namespace().as_deref(), &guard.name_any());
        }
        // Only now does the cache show what the list said, and whoever is woken sees it.
        watcher::Event::InitDone => {
            if retain(seen, &uids(K::store(stores))) {
                wake_bereft::<K>(stores, wakers);
            }
            for guard in K::store(stores).state() {
                credential_changed(stores, wakers, seen, &guard);
            }
        }
        watcher::Event::Init | watcher::Event::InitApply(_) => {}
    }
}

fn credential_changed<K: CredentialObject>(
    stores: &Stores,
    wakers: &Wakers,
    seen: &Seen,
    guard: &Guarded<K>,
) {
    let summary = match &guard.0 {
        Ok(object) => format!(
            "{} {:?} {} {}",
            ready_of(object.shown().map(|status| status.conditions.as_slice())),
            object.meta().generation,
            object.meta().deletion_timestamp.is_some(),
            // Ready outlives a failure for a while: that it works again shows here only.
            object.shown().is_some_and(|status| status.last_failure.is_some()),
        ),
        Err(_) => "invalid".to_owned(),
    };
    if changed(seen, &guard.uid().unwrap_or_default(), &summary) {
        wake_users_of::<K>(stores, wakers, guard.namespace().as_deref(), &guard.name_any());
    }
}

/// Wakes all objects that use a credential.
pub(crate) fn wake_users<K: CredentialObject>(stores: &Stores, wakers: &Wakers, credential: &K) {
    wake_users_of::<K>(stores, wakers, credential.namespace().as_deref(), &credential.name_any());
}

fn wake_users_of<K: CredentialObject>(stores: &Stores, wakers: &Wakers, home: Option<&str>, name: &str) {
    wake_those_who_use(stores, wakers, &|namespace, used| {
        // One of the cluster may be used from anywhere.
        used.kind == K::KIND && used.name == name && home.is_none_or(|home| home == namespace)
    });
}

/// Credentials vanished unseen: whoever refers to one that is not there looks again.
fn wake_bereft<K: CredentialObject>(stores: &Stores, wakers: &Wakers) {
    let cluster = K::KIND == CredentialKind::ClusterTenantCredential;
    wake_those_who_use(stores, wakers, &|namespace, used| {
        let home = if cluster { "" } else { namespace };
        used.kind == K::KIND && K::store(stores).get(&named(home, &used.name)).is_none()
    });
}

/// Wakes the objects that use such a credential, in whose namespace is asked too. A member may use it through its
/// connection: all of that namespace look again then.
fn wake_those_who_use(stores: &Stores, wakers: &Wakers, is_it: &dyn Fn(&str, &CredentialRef) -> bool) {
    let mut through = HashSet::new();
    for found in stores.connections.state() {
        let Ok(object) = &found.0 else { continue };
        let namespace = object.namespace().unwrap_or_default();
        let held = object.status.iter().flat_map(claimed);
        if halves(&object.spec).chain(held).any(|used| is_it(&namespace, used)) {
            wakers.connections.wake(&namespace, &object.name_any());
            through.insert((namespace, object.name_any()));
        }
    }
    for found in stores.members.state() {
        let Ok(object) = &found.0 else { continue };
        let namespace = object.namespace().unwrap_or_default();
        let own = [&object.spec.credential_ref, &object.spec.resource_credential_ref];
        // What it holds may be deleted with the credential that it was made with.
        let held = object.status.as_ref().and_then(|status| status.claim.as_ref());
        let held = held.map(|claim| &claim.credential_ref);
        let uses = own.into_iter().flatten().chain(held).any(|used| is_it(&namespace, used))
            || object
                .spec
                .connection_ref
                .as_ref()
                .is_some_and(|reference| through.contains(&(namespace.clone(), reference.name.clone())));
        if uses {
            wakers.members.wake(&namespace, &object.name_any());
        }
    }
}

/// A connection changed: its members look again, and when it is gone, its credentials.
pub(crate) fn on_connection(
    stores: &Stores,
    wakers: &Wakers,
    seen: &Seen,
    event: &watcher::Event<Guarded<CrossTenantConnection>>,
) {
    match event {
        watcher::Event::Apply(guard) => connection_changed(stores, wakers, seen, guard),
        watcher::Event::Delete(guard) => {
            forget(seen, guard);
            wake_credentials(stores, wakers, &guard.namespace().unwrap_or_default());
            wake_members(stores, wakers, guard);
        }
        watcher::Event::InitDone => {
            if retain(seen, &uids(&stores.connections)) {
                wake_orphaned_members(stores, wakers);
            }
            for guard in stores.connections.state() {
                connection_changed(stores, wakers, seen, &guard);
            }
        }
        watcher::Event::Init | watcher::Event::InitApply(_) => {}
    }
}

fn connection_changed(stores: &Stores, wakers: &Wakers, seen: &Seen, guard: &Guarded<CrossTenantConnection>) {
    let summary = match &guard.0 {
        Ok(object) => format!(
            "{} {:?} {}",
            ready_of(object.status.as_ref().map(|status| status.conditions.as_slice())),
            object.meta().generation,
            object.meta().deletion_timestamp.is_some()
        ),
        Err(_) => "invalid".to_owned(),
    };
    if changed(seen, &guard.uid().unwrap_or_default(), &summary) {
        wake_members(stores, wakers, guard);
    }
}

/// Connections vanished unseen: members that name one that is not there look again.
fn wake_orphaned_members(stores: &Stores, wakers: &Wakers) {
    for found in stores.members.state() {
        let Ok(object) = &found.0 else { continue };
        let (Some(reference), Some(namespace)) = (&object.spec.connection_ref, object.namespace()) else {
            continue;
        };
        if stores.connections.get(&named(&namespace, &reference.name)).is_none() {
            wakers.members.wake(&namespace, &object.name_any());
        }
    }
}

fn wake_members(stores: &Stores, wakers: &Wakers, guard: &Guarded<CrossTenantConnection>) {
    let (namespace, name) = (guard.namespace().unwrap_or_default(), guard.name_any());
    for found in stores.members.state() {
        let Ok(object) = &found.0 else { continue };
        let names = object.spec.connection_ref.as_ref().is_some_and(|reference| reference.name == name);
        if names && object.namespace().as_deref() == Some(&namespace) {
            wakers.members.wake(&namespace, &object.name_any());
        }
    }
}

/// A member went: a connection that waits for it looks again, and so do credentials.
pub(crate) fn on_member(stores: &Stores, wakers: &Wakers, event: &watcher::Event<Guarded<StaticMember>>) {
    let watcher::Event::Delete(guard) = event else { return };
    let namespace = guard.namespace().unwrap_or_default();
    if let Ok(object) = &guard.0
        && let Some(reference) = &object.spec.connection_ref
    {
        wakers.connections.wake(&namespace, &reference.name);
    }
    wake_credentials(stores, wakers, &namespace);
}

fn wake_credentials(stores: &Stores, wakers: &Wakers, namespace: &str) {
    for found in stores.credentials.state() {
        if found.namespace().as_deref() == Some(namespace) && found.meta().deletion_timestamp.is_some() {
            wakers.credentials.wake(namespace, &found.name_any());
        }
    }
    for found in stores.cluster_credentials.state() {
        if found.meta().deletion_timestamp.is_some() {
            wakers.cluster_credentials.wake("", &found.name_any());
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Method;
    use kube::runtime::reflector;
    use serde_json::json;

    use super::*;
    use crate::recorded;

    #[tokio::test]
    async fn of_namespaces_metadata_alone_is_asked_for() {
        let (client, recorded) = recorded::client(|asked| {
            if asked.query.contains("watch=true") {
                return recorded::refusal(410, "Expired", "too old");
            }
            let item = json!({"metadata": {"name": "team-a", "uid": "u-1", "labels": {"tier": "one"}}});
            let list = json!({
                "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
                "metadata": {"resourceVersion": "7"}, "items": [item],
            });
            (200, list)
        });
        let (store, writer) = reflector::store();
        let stream = watch_namespaces(client, writer, |_| {});
        let found = stream.take(2).collect::<Vec<_>>().await;
        assert!(found[0].is_ok() && found[1].is_err(), "a list and then a watch: {found:?}");
        assert_eq!(store.state().len(), 1);
        let asked = recorded.all();
        assert_eq!(asked.len(), 2, "{asked:?}");
        for request in asked {
            assert_eq!((&request.method, request.path.as_str()), (&Method::GET, "/api/v1/namespaces"));
            assert!(request.accept.contains(";as=PartialObjectMetadata"), "{request:?}");
        }
    }
}
