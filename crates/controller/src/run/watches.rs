//! The watches: what each event means to what the process remembers. Who is woken by it is told in `streams.rs`.

use std::sync::Arc;

use avnm_api::{CredentialKind, CrossTenantConnection, StaticMember};
use futures::{Stream, StreamExt as _};
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Client, ResourceExt as _,
    core::PartialObjectMeta,
    runtime::{reflector::store::Writer, watcher},
};

use super::gate::{Listed, Watched};
use crate::{
    arbitration, context::Context, credential::CredentialObject, guarded::Guarded, owner::Owner, streams,
};

/// What a watch gives to a controller.
pub(super) trait Objects<K>:
    Stream<Item = Result<Guarded<K>, watcher::Error>> + Send + 'static
{
}

impl<K, S: Stream<Item = Result<Guarded<K>, watcher::Error>> + Send + 'static> Objects<K> for S {}

/// The watch of connections.
pub(super) fn connections(
    client: &Client,
    writer: Writer<Guarded<CrossTenantConnection>>,
    context: &Arc<Context>,
    listed: &Listed,
) -> impl Objects<CrossTenantConnection> + use<> {
    let (seen, shared) = (streams::Seen::default(), Arc::clone(context));
    owners(client, writer, context, (listed, Watched::Connections), move |event| {
        streams::on_connection(&shared.stores, &shared.wakers, &seen, event);
    })
}

/// The watch of members.
pub(super) fn members(
    client: &Client,
    writer: Writer<Guarded<StaticMember>>,
    context: &Arc<Context>,
    listed: &Listed,
) -> impl Objects<StaticMember> + use<> {
    let shared = Arc::clone(context);
    owners(client, writer, context, (listed, Watched::Members), move |event| {
        streams::on_member(&shared.stores, &shared.wakers, event);
    })
}

/// The watch of a kind that owns things in Azure, told on to those who depend on it.
fn owners<K, F>(
    client: &Client,
    writer: Writer<Guarded<K>>,
    context: &Arc<Context>,
    (listed, watched): (&Listed, Watched),
    tell: F,
) -> impl Objects<K> + use<K, F>
where
    K: Owner,
    F: Fn(&watcher::Event<Guarded<K>>) + Send + 'static,
{
    let (listed, context) = (listed.clone(), Arc::clone(context));
    streams::watch::<K>(client.clone(), writer, move |event| {
        if matches!(event, watcher::Event::InitDone) {
            let uids = streams::uids(K::store(&context.stores));
            K::memories(&context).retain(&uids);
            arbitration::retain::<K>(&context, &uids);
            if *context.synced.borrow() {
                // The kind was not served before, or its watch began anew: whoever came meanwhile contends at once.
                arbitration::enter_all::<K>(&context);
            }
            listed.note(watched);
        }
        if let watcher::Event::Delete(gone) = event {
            let uid = gone.uid().unwrap_or_default();
            K::memories(&context).forget(&uid);
            let (namespace, name) = (gone.namespace().unwrap_or_default(), gone.name_any());
            context.inventory.forget(&K::listener(namespace, name));
            arbitration::leave::<K>(&context, &uid);
        }
        tell(event);
    })
}

/// The watch of one kind of credential.
pub(super) fn credentials<K: CredentialObject>(
    client: &Client,
    writer: Writer<Guarded<K>>,
    context: &Arc<Context>,
    listed: &Listed,
) -> impl Objects<K> + use<K> {
    let (listed, seen, context) = (listed.clone(), streams::Seen::default(), Arc::clone(context));
    let watched = match K::KIND {
        CredentialKind::TenantCredential => Watched::Credentials,
        CredentialKind::ClusterTenantCredential => Watched::ClusterCredentials,
    };
    streams::watch::<K>(client.clone(), writer, move |event| {
        if matches!(event, watcher::Event::InitDone) {
            K::memories(&context).retain(&streams::uids(K::store(&context.stores)));
            let uids = context.stores.credential_uids();
            context.materials.retain(&uids);
            context.inventory.retain_credentials(|uid| uids.contains(uid));
            listed.note(watched);
        }
        if let watcher::Event::Delete(gone) = event {
            let uid = gone.uid().unwrap_or_default();
            context.materials.forget(&uid);
            context.inventory.retain_credentials(|other| other != uid);
            K::memories(&context).forget(&uid);
        }
        streams::on_credential(&context.stores, &context.wakers, &seen, event);
    })
}

/// The watch of namespaces. Nobody reconciles them; whoever awaits this keeps their cache up to date.
pub(super) fn namespaces(
    client: &Client,
    writer: Writer<PartialObjectMeta<Namespace>>,
    context: &Arc<Context>,
    listed: &Listed,
) -> impl Future<Output = ()> + Send + 'static + use<> {
    let (listed, seen, context) = (listed.clone(), streams::Seen::default(), Arc::clone(context));
    let watch = streams::watch_namespaces(client.clone(), writer, move |event| {
        if matches!(event, watcher::Event::InitDone) {
            listed.note(Watched::Namespaces);
        }
        streams::on_namespace(&context.stores, &context.wakers, &seen, event);
    });
    watch.for_each(|namespace| {
        if let Err(error) = namespace {
            // Lending goes on by the labels that were seen last: somebody has to know.
            tracing::warn!(%error, "cannot watch namespaces");
        }
        std::future::ready(())
    })
}
