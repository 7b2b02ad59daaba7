//! Starts everything in order: the lease, the caches, the controllers, the sweeps; and stops it in order.

mod gate;
mod served;
mod sweep;
mod watches;

use std::{convert::Infallible, sync::Arc};

use avnm_api::{ClusterTenantCredential, CrossTenantConnection, StaticMember, TenantCredential};
use avnm_arm::{Arm, clock};
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Client,
    core::PartialObjectMeta,
    runtime::{
        controller::Action,
        reflector::{self, Store, store::Writer},
    },
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    context::{Contested, Context, Stores, Wakers},
    credential,
    events::Events,
    guarded::Guarded,
    health::Health,
    inventory::Inventory,
    kube_io,
    lease::{Holder, LeaseGuard},
    materials::Materials,
    memory::Memories,
    metrics::Metrics,
    pass,
    place::Place,
    settings::Settings,
    streams,
    subscribers::Objects,
    wake::Wake,
};

use self::gate::Listed;

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
    served::wait_for_kubernetes(&client, &health, &stop).await;
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

/// What fills the caches.
struct Writers {
    connections: Writer<Guarded<CrossTenantConnection>>,
    members: Writer<Guarded<StaticMember>>,
    credentials: Writer<Guarded<TenantCredential>>,
    cluster_credentials: Writer<Guarded<ClusterTenantCredential>>,
    namespaces: Writer<PartialObjectMeta<Namespace>>,
}

/// Empty caches, and what fills them.
fn stores() -> (Stores, Writers) {
    let (connections, connection_writer) = reflector::store();
    let (members, member_writer) = reflector::store();
    let (credentials, credential_writer) = reflector::store();
    let (cluster_credentials, cluster_credential_writer) = reflector::store();
    let (namespaces, namespace_writer) = reflector::store();
    let stores = Stores { connections, members, credentials, cluster_credentials, namespaces };
    let writers = Writers {
        connections: connection_writer,
        members: member_writer,
        credentials: credential_writer,
        cluster_credentials: cluster_credential_writer,
        namespaces: namespace_writer,
    };
    (stores, writers)
}

/// What passes share, with nothing in it yet.
fn context(
    client: &Client,
    arm: Arm,
    lease: LeaseGuard,
    settings: Settings,
    metrics: Arc<Metrics>,
    stores: Stores,
    halt: &CancellationToken,
) -> Context {
    let (tokens, surroundings) = (arm.tokens().clone(), settings.surroundings.clone());
    let materials = Arc::new(Materials::new(client.clone(), tokens, surroundings, settings.probe));
    let wakers = Wakers::default();
    let objects =
        Objects { stores: stores.clone(), wakers: wakers.clone(), materials: Arc::clone(&materials) };
    let retry_max = kube_io::seconds(settings.waits.retry_max);
    Context {
        inventory: Inventory::new(&arm, Arc::new(objects), retry_max, halt.clone()),
        events: Events::new(client.clone(), &settings.lease.identity),
        contenders: Contested::default(),
        connections: Memories::default(),
        members: Memories::default(),
        credentials: Memories::default(),
        cluster_credentials: Memories::default(),
        synced: watch::Sender::new(false),
        won: clock::moment(),
        client: client.clone(),
        materials,
        stores,
        wakers,
        arm,
        settings,
        lease,
        metrics,
    }
}

/// Works until told to halt, and until the passes that ran then are over.
async fn lead(
    client: Client,
    arm: Arm,
    lease: LeaseGuard,
    settings: Settings,
    metrics: Arc<Metrics>,
    halt: CancellationToken,
) {
    let (stores, writers) = stores();
    let context = Arc::new(context(&client, arm, lease, settings, metrics, stores.clone(), &halt));
    let (wakers, listed) = (context.wakers.clone(), Listed::new());
    let (client, shared, listed) = (&client, &context, &listed);
    let namespaces = tokio::spawn(watches::namespaces(client, writers.namespaces, shared, listed));
    let gate = tokio::spawn(gate::open(Arc::clone(shared), client.clone(), listed.clone()));
    let sweeper = tokio::spawn(sweep::sweep(Arc::clone(shared)));
    let connections = watches::connections(client, writers.connections, shared, listed);
    let members = watches::members(client, writers.members, shared, listed);
    let credentials = watches::credentials(client, writers.credentials, shared, listed);
    let cluster_credentials = watches::credentials(client, writers.cluster_credentials, shared, listed);
    tokio::join!(
        control(connections, stores.connections, &wakers.connections, pass::reconcile, shared, &halt),
        control(members, stores.members, &wakers.members, pass::reconcile, shared, &halt),
        control(credentials, stores.credentials, &wakers.credentials, credential::reconcile, shared, &halt),
        control(
            cluster_credentials,
            stores.cluster_credentials,
            &wakers.cluster_credentials,
            credential::reconcile,
            shared,
            &halt
        ),
    );
    namespaces.abort();
    gate.abort();
    sweeper.abort();
}

/// The controller of one kind. Its passes begin once no verdict would fall too early.
async fn control<K: Place, F>(
    stream: impl watches::Objects<K>,
    store: Store<Guarded<K>>,
    wake: &Wake<Guarded<K>>,
    reconcile: impl Fn(Arc<Guarded<K>>, Arc<Context>) -> F + Copy + Send + Sync + 'static,
    context: &Arc<Context>,
    halt: &CancellationToken,
) where
    Guarded<K>: Place,
    F: Future<Output = Result<Action, Infallible>> + Send + 'static,
{
    let pass = move |object, context: Arc<Context>| async move {
        context.wait_synced().await;
        reconcile(object, context).await
    };
    let concurrency = context.settings.concurrency;
    let (context, halt) = (Arc::clone(context), halt.clone());
    streams::control(stream, store, wake.woken(), pass, context, concurrency, halt).await;
}
