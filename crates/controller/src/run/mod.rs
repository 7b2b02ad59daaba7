//! Starts everything in order: the lease, the caches, the controllers, the sweeps; and stops it in order.

mod gate;
mod served;
mod sweep;
mod watches;

use std::{
    convert::Infallible,
    sync::{Arc, Weak},
};

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
use tokio_util::sync::CancellationToken;

use crate::{
    cached::Cached,
    contenders::Contenders,
    credential,
    events::Events,
    guarded::Guarded,
    health::Health,
    inventory::Inventory,
    kube_io,
    lease::{Holder, LeaseGuard},
    material::Materials,
    memory::Memories,
    metrics::{self, Metrics},
    owner::{Owner, Reconciler},
    pass,
    place::Kind,
    scope::Scope,
    settings::Settings,
    shared::Shared,
    stores::{Decoded, Stores},
    streams,
    subscribers::Objects,
    uses::Uses,
    vouch::Vouchers,
    wake::Wake,
    wakers::Wakers,
};

use self::{
    gate::{Listed, Synced, Watched},
    watches::First,
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
    served::wait_for_kubernetes(&client, &settings.scope, &health, &stop).await;
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
    connections: Writer<Cached<CrossTenantConnection>>,
    members: Writer<Cached<StaticMember>>,
    credentials: Writer<Cached<TenantCredential>>,
    cluster_credentials: Writer<Cached<ClusterTenantCredential>>,
    namespaces: Writer<PartialObjectMeta<Namespace>>,
}

/// Empty caches, and what fills them.
fn stores(scope: &Scope) -> (Stores, Writers) {
    let (connections, connection_writer) = reflector::store();
    let (members, member_writer) = reflector::store();
    let (credentials, credential_writer) = reflector::store();
    let (cluster_credentials, cluster_credential_writer) = reflector::store();
    let (namespaces, namespace_writer) = reflector::store();
    let uses = Uses::default();
    let is_cluster = scope.is_cluster();
    let decoded = Decoded::default();
    let stores = Stores {
        connections,
        members,
        credentials,
        cluster_credentials,
        namespaces,
        decoded,
        uses,
        is_cluster,
    };
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
fn shared(
    client: &Client,
    arm: Arm,
    lease: LeaseGuard,
    settings: Settings,
    metrics: Arc<Metrics>,
    (stores, wakers): (&Stores, &Wakers),
    halt: &CancellationToken,
) -> Shared {
    let (tokens, surroundings) = (arm.tokens().clone(), settings.surroundings.clone());
    let materials = Arc::new(Materials::new(client.clone(), tokens, surroundings, settings.probe));
    let objects =
        Objects { stores: stores.clone(), wakers: wakers.clone(), materials: Arc::clone(&materials) };
    let retry_max = kube_io::seconds(settings.waits.retry_max);
    Shared {
        inventory: Inventory::new(&arm, Arc::new(objects), retry_max, halt.clone()),
        events: Events::new(client.clone(), &settings.lease.identity),
        won: clock::moment(),
        vouchers: Vouchers::new(client.clone()),
        client: client.clone(),
        materials,
        arm,
        settings,
        lease,
        metrics,
    }
}

/// What the passes of a kind that owns things in Azure use, with nothing in it yet.
fn owner<K: Owner>(
    shared: &Arc<Shared>,
    stores: &Stores,
    objects: &Store<Cached<K>>,
    wake: &Wake<Cached<K>>,
) -> Arc<Reconciler<K>> {
    Arc::new(Reconciler {
        shared: Arc::clone(shared),
        stores: stores.clone(),
        objects: objects.clone(),
        memories: Memories::default(),
        contenders: Contenders::new(K::KIND),
        wake: wake.clone(),
    })
}

/// The same of a kind of credential.
fn credentials<K>(shared: &Arc<Shared>, stores: &Stores, wakers: &Wakers) -> Arc<credential::Reconciler<K>> {
    Arc::new(credential::Reconciler {
        shared: Arc::clone(shared),
        stores: stores.clone(),
        wakers: wakers.clone(),
        memories: Memories::default(),
    })
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
    let (stores, writers) = stores(&settings.scope);
    let wakers = Wakers::default();
    let shared = Arc::new(shared(&client, arm, lease, settings, metrics, (&stores, &wakers), &halt));
    shared.metrics.settings(kube_io::seconds(shared.settings.waits.sweep), shared.settings.concurrency);
    // Weak: what is shared has the metrics, too.
    let source: Weak<Shared> = Arc::downgrade(&shared);
    shared.metrics.ask(source);
    let connections = owner(&shared, &stores, &stores.connections, &wakers.connections);
    let members = owner(&shared, &stores, &stores.members, &wakers.members);
    let tenant = credentials(&shared, &stores, &wakers);
    let cluster = credentials(&shared, &stores, &wakers);
    let first = First { listed: Listed::new(), synced: Synced::new() };

    let gate = tokio::spawn(gate::open(
        Arc::clone(&connections),
        Arc::clone(&members),
        client.clone(),
        first.listed.clone(),
        first.synced.clone(),
    ));
    let sweeper = tokio::spawn(sweep::sweep(Arc::clone(&shared), stores.clone()));
    let arm = shared.arm.clone();
    let governor = tokio::spawn(async move { arm.govern().await });
    let namespaces =
        shared.settings.scope.is_cluster().then(|| {
            tokio::spawn(watches::namespaces(&client, writers.namespaces, (&stores, &wakers), &first))
        });
    if namespaces.is_none() {
        // What is lent by labels is of the cluster, and nothing of that is read.
        first.listed.note(Watched::Namespaces);
    }
    let run = Running {
        concurrency: shared.settings.concurrency,
        metrics: &shared.metrics,
        synced: &first.synced,
        halt: &halt,
    };
    let seen = watches::connections(&client, writers.connections, &connections, &wakers, &first);
    let connections =
        run.control(seen, stores.connections, &wakers.connections, pass::reconcile, connections);
    let seen = watches::members(&client, writers.members, &members, &wakers, &first);
    let members = run.control(seen, stores.members, &wakers.members, pass::reconcile, members);
    let seen = watches::credentials(&client, writers.credentials, &tenant, &first);
    let tenant = run.control(seen, stores.credentials, &wakers.credentials, credential::reconcile, tenant);
    let (cache, wake) = (stores.cluster_credentials, &wakers.cluster_credentials);
    let seen = watches::credentials(&client, writers.cluster_credentials, &cluster, &first);
    let cluster = run.control(seen, cache, wake, credential::reconcile, cluster);
    tokio::join!(connections, members, tenant, cluster);
    if let Some(namespaces) = namespaces {
        namespaces.abort();
    }
    gate.abort();
    sweeper.abort();
    governor.abort();
}

/// How the controllers of all kinds run.
struct Running<'a> {
    /// Passes of a kind at the same time.
    concurrency: u16,
    metrics: &'a Arc<Metrics>,
    synced: &'a Synced,
    halt: &'a CancellationToken,
}

impl Running<'_> {
    /// The controller of one kind. Its passes begin once no verdict would fall too early.
    async fn control<K: Kind, C: Send + Sync + 'static, F>(
        &self,
        stream: impl watches::Objects<K>,
        store: Store<Cached<K>>,
        wake: &Wake<Cached<K>>,
        reconcile: impl Fn(Guarded<K>, Arc<C>) -> F + Copy + Send + Sync + 'static,
        reconciler: Arc<C>,
    ) where
        F: Future<Output = Result<Action, Infallible>> + Send + 'static,
    {
        let synced = self.synced.clone();
        let pass = move |object, reconciler: Arc<C>| {
            let synced = synced.clone();
            async move {
                synced.wait().await;
                reconcile(object, reconciler).await
            }
        };
        let (concurrency, halt) = (self.concurrency, self.halt.clone());
        let queue = wake.clone();
        self.metrics.queue(metrics::Kind::of::<K>(), move || queue.depth());
        streams::control(stream, store, wake, pass, reconciler, concurrency, halt).await;
    }
}
