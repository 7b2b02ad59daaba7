//! Starts everything in order: the lease, the caches, the controllers, the sweeps; and stops it in order.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use avnm_api::{ClusterTenantCredential, CrossTenantConnection, StaticMember, TenantCredential};
use avnm_arm::{Arm, clock};
use futures::{Stream, StreamExt as _};
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Client, Resource, ResourceExt,
    core::PartialObjectMeta,
    runtime::{reflector, watcher},
};
use rand::Rng;
use serde::de::DeserializeOwned;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    arbitration,
    context::{Contested, Context, Stores, Wakers},
    credential::{self, CredentialObject},
    events::Events,
    guarded::Guarded,
    health::Health,
    inventory::{Inventory, Listener},
    kube_io,
    lease::{Holder, LeaseGuard},
    materials::Materials,
    memory::Memories,
    metrics::Metrics,
    pass,
    settings::Settings,
    streams,
    subscribers::Objects,
};

/// How the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was told to stop, and passes that ran were let finish.
    Stopped,
    /// The lease was lost: the process must exit.
    LeaseLost,
}

/// Runs until `stop`, or until the lease is lost. The lease has a client of its own, so that it is renewed also while
/// everything else waits for the API server.
#[allow(clippy::too_many_arguments)] // Each is one thing that the program makes and the loop only uses.
pub async fn run(
    client: Client,
    lease_client: Client,
    arm: Arm,
    guard: LeaseGuard,
    settings: Settings,
    metrics: Arc<Metrics>,
    health: Health,
    stop: CancellationToken,
) -> Ended {
    let mut holder = Holder::new(lease_client, settings.lease.clone(), guard.clone());
    wait_for_kubernetes(&client, &health, &stop).await;
    tracing::info!(identity = settings.lease.identity, "waiting for the lease");
    tokio::select! {
        () = stop.cancelled() => return Ended::Stopped,
        () = holder.acquire() => {}
    }
    tracing::info!(identity = settings.lease.identity, "holds the lease");
    metrics.leader(true);
    let drain = settings.drain;
    let halt = CancellationToken::new();
    let mut work = tokio::spawn(lead(client, arm, guard, settings, metrics, halt.clone()));
    let ended = tokio::select! {
        () = holder.renew() => Ended::LeaseLost,
        _ = &mut work => Ended::LeaseLost,
        () = stop.cancelled() => {
            halt.cancel();
            // The lease is kept while running passes finish.
            tokio::select! {
                _ = tokio::time::timeout(drain, &mut work) => {}
                () = holder.renew() => {}
            }
            Ended::Stopped
        }
    };
    if ended == Ended::Stopped {
        holder.release().await;
    }
    ended
}

/// A standby replica is ready as soon as the API server answers and serves our kinds. One that is not served counts as
/// empty, so work does not wait for it: what the other kinds hold is still kept, and let go.
async fn wait_for_kubernetes(client: &Client, health: &Health, stop: &CancellationToken) {
    loop {
        match all_served(client).await {
            Ok(()) => {
                health.there("kubernetes");
                health.there("crds");
                return;
            }
            Err(fault) if fault.kind == avnm_terms::FaultKind::NotFound => {
                tracing::warn!(%fault, "one of our kinds is not served: it counts as empty until it is");
                health.there("kubernetes");
                health.missing("crds");
                tokio::spawn(wait_for_kinds(client.clone(), health.clone(), stop.clone()));
                return;
            }
            Err(fault) => tracing::info!(%fault, "waiting for the API server"),
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Says that the process is ready once all of our kinds are served.
async fn wait_for_kinds(client: Client, health: Health, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = stop.cancelled() => return,
        }
        if all_served(&client).await.is_ok() {
            health.there("crds");
            return;
        }
    }
}

async fn all_served(client: &Client) -> Result<(), avnm_terms::Fault> {
    is_served::<CrossTenantConnection>(client).await?;
    is_served::<StaticMember>(client).await?;
    is_served::<TenantCredential>(client).await?;
    is_served::<ClusterTenantCredential>(client).await
}

/// Whether the API server lists a kind.
async fn is_served<K>(client: &Client) -> Result<(), avnm_terms::Fault>
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug,
{
    let api: kube::Api<Guarded<K>> = kube::Api::all(client.clone());
    let one = kube::api::ListParams::default().limit(1);
    crate::kube_io::call("list objects", &K::plural(&()), api.list(&one)).await.map(drop)
}

/// Whether the labels of namespaces may be read.
async fn may_list_namespaces(client: &Client) -> Result<(), avnm_terms::Fault> {
    let api: kube::Api<PartialObjectMeta<Namespace>> = kube::Api::all(client.clone());
    let one = kube::api::ListParams::default().limit(1);
    crate::kube_io::call("list objects", "namespaces", api.list(&one)).await.map(drop)
}

async fn lead(
    client: Client,
    arm: Arm,
    lease: LeaseGuard,
    settings: Settings,
    metrics: Arc<Metrics>,
    halt: CancellationToken,
) {
    let (connections, connection_writer) = reflector::store::<Guarded<CrossTenantConnection>>();
    let (members, member_writer) = reflector::store::<Guarded<StaticMember>>();
    let (credentials, credential_writer) = reflector::store::<Guarded<TenantCredential>>();
    let (cluster_credentials, cluster_credential_writer) =
        reflector::store::<Guarded<ClusterTenantCredential>>();
    let (namespaces, namespace_writer) = reflector::store::<PartialObjectMeta<Namespace>>();
    let (wake_connections, woken_connections) = mpsc::unbounded_channel();
    let (wake_members, woken_members) = mpsc::unbounded_channel();
    let (wake_credentials, woken_credentials) = mpsc::unbounded_channel();
    let (wake_cluster_credentials, woken_cluster_credentials) = mpsc::unbounded_channel();
    let stores = Stores { connections, members, credentials, cluster_credentials, namespaces };
    let wakers = Wakers {
        connections: wake_connections,
        members: wake_members,
        credentials: wake_credentials,
        cluster_credentials: wake_cluster_credentials,
    };
    let retry_max = kube_io::seconds(settings.waits.retry_max);
    let materials = Arc::new(Materials::new(
        client.clone(),
        arm.tokens().clone(),
        settings.surroundings.clone(),
        settings.probe,
    ));
    let objects =
        Objects { stores: stores.clone(), wakers: wakers.clone(), materials: Arc::clone(&materials) };
    let context = Arc::new(Context {
        materials,
        events: Events::new(client.clone(), &settings.lease.identity),
        inventory: Inventory::new(&arm, Arc::new(objects), retry_max, halt.clone()),
        contenders: Contested::default(),
        connections: Memories::default(),
        members: Memories::default(),
        credentials: Memories::default(),
        cluster_credentials: Memories::default(),
        synced: watch::Sender::new(false),
        won: clock::moment(),
        stores: stores.clone(),
        wakers: wakers.clone(),
        client: client.clone(),
        arm,
        settings,
        lease,
        metrics,
    });

    // The stores' own way of waiting wakes only the last of several waiters, and the controllers wait there too.
    let (listed, all_listed) = mpsc::unbounded_channel();
    let connection_stream = {
        let (listed, seen, context) = (listed.clone(), streams::Seen::default(), Arc::clone(&context));
        streams::watch::<CrossTenantConnection>(client.clone(), connection_writer, move |event| {
            if matches!(event, watcher::Event::InitDone) {
                let uids = streams::uids(&context.stores.connections);
                context.connections.retain(&uids);
                arbitration::retain::<CrossTenantConnection>(&context, &uids);
                if *context.synced.borrow() {
                    // The kind was not served before, or its watch began anew: whoever came meanwhile contends at once.
                    arbitration::enter_all::<CrossTenantConnection>(&context);
                }
                let _ = listed.send("CrossTenantConnection");
            }
            if let watcher::Event::Delete(gone) = event {
                let uid = gone.uid().unwrap_or_default();
                context.connections.forget(&uid);
                let (namespace, name) = (gone.namespace().unwrap_or_default(), gone.name_any());
                context.inventory.forget(&Listener::Connection { namespace, name });
                arbitration::leave::<CrossTenantConnection>(&context, &uid);
            }
            streams::on_connection(&context.stores, &context.wakers, &seen, event);
        })
    };
    let member_stream = {
        let (listed, context) = (listed.clone(), Arc::clone(&context));
        streams::watch::<StaticMember>(client.clone(), member_writer, move |event| {
            if matches!(event, watcher::Event::InitDone) {
                let uids = streams::uids(&context.stores.members);
                context.members.retain(&uids);
                arbitration::retain::<StaticMember>(&context, &uids);
                if *context.synced.borrow() {
                    arbitration::enter_all::<StaticMember>(&context);
                }
                let _ = listed.send("StaticMember");
            }
            if let watcher::Event::Delete(gone) = event {
                let uid = gone.uid().unwrap_or_default();
                context.members.forget(&uid);
                let (namespace, name) = (gone.namespace().unwrap_or_default(), gone.name_any());
                context.inventory.forget(&Listener::Member { namespace, name });
                arbitration::leave::<StaticMember>(&context, &uid);
            }
            streams::on_member(&context.stores, &context.wakers, event);
        })
    };
    let credential_stream =
        watch_credentials::<TenantCredential>(&client, credential_writer, &context, &listed);
    let cluster_credential_stream =
        watch_credentials::<ClusterTenantCredential>(&client, cluster_credential_writer, &context, &listed);
    let namespace_stream = {
        let (listed, seen, context) = (listed.clone(), streams::Seen::default(), Arc::clone(&context));
        streams::watch_namespaces(client.clone(), namespace_writer, move |event| {
            if matches!(event, watcher::Event::InitDone) {
                let _ = listed.send("Namespace");
            }
            streams::on_namespace(&context.stores, &context.wakers, &seen, event);
        })
    };
    // Nobody reconciles namespaces; whoever reads the stream keeps their cache up to date.
    let namespaces = tokio::spawn(namespace_stream.for_each(|namespace| {
        if let Err(error) = namespace {
            // Lending goes on by the labels that were seen last: somebody has to know.
            tracing::warn!(%error, "cannot watch namespaces");
        }
        std::future::ready(())
    }));

    drop(listed);
    let gate = tokio::spawn(enter_all(Arc::clone(&context), client.clone(), all_listed));
    let sweeper = tokio::spawn(sweep(Arc::clone(&context)));
    let concurrency = context.settings.concurrency;
    tokio::join!(
        streams::control(
            connection_stream,
            stores.connections.clone(),
            woken_connections,
            |object, context| async move {
                context.wait_synced().await;
                pass::reconcile(object, context).await
            },
            Arc::clone(&context),
            concurrency,
            halt.clone(),
        ),
        streams::control(
            member_stream,
            stores.members.clone(),
            woken_members,
            |object, context| async move {
                context.wait_synced().await;
                pass::reconcile(object, context).await
            },
            Arc::clone(&context),
            concurrency,
            halt.clone(),
        ),
        streams::control(
            credential_stream,
            stores.credentials.clone(),
            woken_credentials,
            |object, context| async move {
                context.wait_synced().await;
                credential::reconcile(object, context).await
            },
            Arc::clone(&context),
            concurrency,
            halt.clone(),
        ),
        streams::control(
            cluster_credential_stream,
            stores.cluster_credentials.clone(),
            woken_cluster_credentials,
            |object, context| async move {
                context.wait_synced().await;
                credential::reconcile(object, context).await
            },
            Arc::clone(&context),
            concurrency,
            halt.clone(),
        ),
    );
    namespaces.abort();
    gate.abort();
    sweeper.abort();
}

/// The watch of one kind of credential.
fn watch_credentials<K: CredentialObject>(
    client: &Client,
    writer: reflector::store::Writer<Guarded<K>>,
    context: &Arc<Context>,
    listed: &mpsc::UnboundedSender<&'static str>,
) -> impl Stream<Item = Result<Guarded<K>, watcher::Error>> + Send + 'static + use<K> {
    let (listed, seen, context) = (listed.clone(), streams::Seen::default(), Arc::clone(context));
    streams::watch::<K>(client.clone(), writer, move |event| {
        if matches!(event, watcher::Event::InitDone) {
            K::memories(&context).retain(&streams::uids(K::store(&context.stores)));
            let uids = context.stores.credential_uids();
            context.materials.retain(&uids);
            context.inventory.retain_credentials(|uid| uids.contains(uid));
            let _ = listed.send(K::KIND.as_str());
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

/// No verdict falls before every object was seen.
async fn enter_all(context: Arc<Context>, client: Client, mut listed: mpsc::UnboundedReceiver<&'static str>) {
    // A kind whose CRD is absent never syncs: after this long the API server is asked whether it is.
    const ABSENT_KIND: Duration = Duration::from_secs(5);
    // Credentials too: a reference into a cache that is not filled yet would look like one that leads nowhere.
    let mut missing = BTreeSet::from([
        "CrossTenantConnection",
        "StaticMember",
        "TenantCredential",
        "ClusterTenantCredential",
        // Their labels decide what is lent to them.
        "Namespace",
    ]);
    while !missing.is_empty() {
        match tokio::time::timeout(ABSENT_KIND, listed.recv()).await {
            Ok(Some(kind)) => {
                missing.remove(kind);
            }
            Ok(None) => return,
            Err(_) => {
                // Slow is not absent: only a 404 makes a kind count as empty.
                let mut absent = Vec::new();
                for kind in &missing {
                    let served = match *kind {
                        "CrossTenantConnection" => is_served::<CrossTenantConnection>(&client).await,
                        "StaticMember" => is_served::<StaticMember>(&client).await,
                        "TenantCredential" => is_served::<TenantCredential>(&client).await,
                        "ClusterTenantCredential" => is_served::<ClusterTenantCredential>(&client).await,
                        // Without it nothing is lent by label, and all else goes on.
                        _ => may_list_namespaces(&client).await,
                    };
                    let refused = |fault: avnm_terms::Fault| match fault.kind {
                        avnm_terms::FaultKind::NotFound => true,
                        avnm_terms::FaultKind::PermissionDenied => *kind == "Namespace",
                        _ => false,
                    };
                    if served.is_err_and(refused) {
                        absent.push(*kind);
                    }
                }
                tracing::warn!(?missing, ?absent, "still waiting for the first list");
                missing.retain(|kind| !absent.contains(kind));
            }
        }
    }
    arbitration::enter_all::<CrossTenantConnection>(&context);
    arbitration::enter_all::<StaticMember>(&context);
    context.synced.send_replace(true);
}

/// Reads every collection in use again and again, and wakes the objects whose resources differ.
async fn sweep(context: Arc<Context>) {
    let interval = kube_io::seconds(context.settings.waits.sweep);
    loop {
        // Ten per cent of jitter keep many operators apart.
        let jitter = rand::rng().random_range(0.9..1.1);
        tokio::time::sleep(interval.mul_f64(jitter)).await;
        context.metrics.sweep();
        // A pass that was under way when its credential went may have asked for a collection after that.
        let credentials = context.stores.credential_uids();
        context.inventory.retain_credentials(|uid| credentials.contains(uid));
        context.materials.retain(&credentials);
        let standing = |key: &_| context.materials.standing(key);
        context.inventory.sweep(standing, interval.mul_f64(0.8)).await;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::recorded;

    #[tokio::test]
    async fn whether_namespaces_may_be_listed_is_asked_without_reading_them() {
        let list = json!({
            "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
            "metadata": {"resourceVersion": "7"}, "items": [],
        });
        let (client, recorded) = recorded::client(move |_| (200, list.clone()));
        may_list_namespaces(&client).await.expect("it may");
        let asked = recorded.all();
        assert_eq!(asked.len(), 1, "{asked:?}");
        assert!(asked[0].accept.contains(";as=PartialObjectMetadataList"), "{asked:?}");
    }
}
