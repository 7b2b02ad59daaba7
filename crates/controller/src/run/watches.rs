//! The watches: what each event means to what the process remembers. Who is woken by it is told in `dependents.rs`.

use std::sync::Arc;

use avnm_api::{CredentialKind, CrossTenantConnection, StaticMember};
use futures::{Stream, StreamExt as _};
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Client, ResourceExt as _,
    core::PartialObjectMeta,
    runtime::{
        reflector::{ObjectRef, store::Writer},
        watcher,
    },
};

use super::gate::{Listed, Synced, Watched};
use crate::{
    arbitration,
    cached::Cached,
    credential,
    credential_object::CredentialObject,
    dependents,
    guarded::Guarded,
    owner::{Owner, Reconciler},
    place::{Kind, named},
    stores::{Stores, uids},
    streams,
    wakers::Wakers,
};

/// How far the first lists are. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct First {
    pub(super) listed: Listed,
    pub(super) synced: Synced,
}

/// What a watch gives to a controller.
pub(super) trait Objects<K: Kind>:
    Stream<Item = Result<ObjectRef<Cached<K>>, watcher::Error>> + Send + 'static
{
}

impl<K: Kind, S: Stream<Item = Result<ObjectRef<Cached<K>>, watcher::Error>> + Send + 'static> Objects<K>
    for S
{
}

/// The watch of connections.
pub(super) fn connections(
    client: &Client,
    writer: Writer<Cached<CrossTenantConnection>>,
    reconciler: &Arc<Reconciler<CrossTenantConnection>>,
    wakers: &Wakers,
    first: &First,
) -> impl Objects<CrossTenantConnection> + use<> {
    let (seen, stores, wakers) = (dependents::Seen::default(), reconciler.stores.clone(), wakers.clone());
    owners(client, writer, reconciler, (first, Watched::Connections), move |event| {
        dependents::on_connection(&stores, &wakers, &seen, event);
    })
}

/// The watch of members.
pub(super) fn members(
    client: &Client,
    writer: Writer<Cached<StaticMember>>,
    reconciler: &Arc<Reconciler<StaticMember>>,
    wakers: &Wakers,
    first: &First,
) -> impl Objects<StaticMember> + use<> {
    let (stores, wakers) = (reconciler.stores.clone(), wakers.clone());
    owners(client, writer, reconciler, (first, Watched::Members), move |event| {
        dependents::on_member(&stores, &wakers, event);
    })
}

/// The watch of a kind that owns things in Azure, told on to those who depend on it.
fn owners<K, F>(
    client: &Client,
    writer: Writer<Cached<K>>,
    reconciler: &Arc<Reconciler<K>>,
    (first, watched): (&First, Watched),
    tell: F,
) -> impl Objects<K> + use<K, F>
where
    K: Owner,
    F: Fn(&watcher::Event<Guarded<K>>) + Send + 'static,
{
    let (First { listed, synced }, reconciler) = (first.clone(), Arc::clone(reconciler));
    let scope = reconciler.shared.settings.scope.clone();
    streams::watch(client, &scope, writer, move |event| {
        if matches!(event, watcher::Event::InitDone) {
            let uids = uids(&reconciler.objects);
            reconciler.retain(&uids);
            reconciler
                .shared
                .inventory
                .retain(K::USER, |namespace, name| reconciler.objects.get(&named(namespace, name)).is_some());
            arbitration::retain(&reconciler, &uids);
            if synced.is() {
                // The kind was not served before, or its watch began anew: whoever came meanwhile contends at once.
                arbitration::enter_all(&reconciler);
            }
            listed.note(watched);
        }
        if let watcher::Event::Apply(guard) = event {
            let version = guard.resource_version();
            reconciler.memories.shown(&guard.uid().unwrap_or_default(), version.as_deref());
        }
        if let watcher::Event::Delete(gone) = event {
            let uid = gone.uid().unwrap_or_default();
            reconciler.forget(&uid);
            let (namespace, name) = (gone.namespace().unwrap_or_default(), gone.name_any());
            reconciler.shared.inventory.forget(&K::listener(&namespace, &name));
            arbitration::leave(&reconciler, &uid);
        }
        tell(event);
    })
}

/// The watch of one kind of credential.
pub(super) fn credentials<K: CredentialObject>(
    client: &Client,
    writer: Writer<Cached<K>>,
    reconciler: &Arc<credential::Reconciler<K>>,
    first: &First,
) -> impl Objects<K> + use<K> {
    let (listed, seen) = (first.listed.clone(), dependents::Seen::default());
    let reconciler = Arc::clone(reconciler);
    let watched = match K::KIND {
        CredentialKind::TenantCredential => Watched::Credentials,
        CredentialKind::ClusterTenantCredential => Watched::ClusterCredentials,
    };
    let scope = reconciler.shared.settings.scope.clone();
    streams::watch(client, &scope, writer, move |event| {
        let credential::Reconciler { shared, stores, wakers, memories } = &*reconciler;
        if matches!(event, watcher::Event::InitDone) {
            for gone in memories.gone(&uids(K::store(stores))) {
                memories.forget(&gone);
                shared.metrics.forget(&gone);
            }
            let all = stores.credential_uids();
            shared.materials.retain(&all);
            shared.inventory.retain_credentials(|uid| all.contains(uid));
            listed.note(watched);
        }
        if let watcher::Event::Delete(gone) = event {
            let uid = gone.uid().unwrap_or_default();
            shared.materials.forget(&uid);
            shared.inventory.retain_credentials(|other| other != uid);
            memories.forget(&uid);
            shared.metrics.forget(&uid);
        }
        dependents::on_credential(stores, wakers, &seen, event);
    })
}

/// The watch of namespaces. Nobody reconciles them; whoever awaits this keeps their cache up to date.
pub(super) fn namespaces(
    client: &Client,
    writer: Writer<PartialObjectMeta<Namespace>>,
    (stores, wakers): (&Stores, &Wakers),
    first: &First,
) -> impl Future<Output = ()> + Send + 'static + use<> {
    let (listed, seen) = (first.listed.clone(), dependents::Seen::default());
    let (stores, wakers) = (stores.clone(), wakers.clone());
    let watch = streams::watch_namespaces(client.clone(), writer, move |event| {
        if matches!(event, watcher::Event::InitDone) {
            listed.note(Watched::Namespaces);
        }
        dependents::on_namespace(&stores, &wakers, &seen, event);
    });
    watch.for_each(|namespace| {
        if let Err(error) = namespace {
            // Lending goes on by the labels that were seen last: somebody has to know.
            tracing::warn!(%error, "cannot watch namespaces");
        }
        std::future::ready(())
    })
}
