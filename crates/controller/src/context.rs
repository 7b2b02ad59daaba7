//! What every pass shares.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use avnm_api::{
    ClusterTenantCredential, CredentialKind, CredentialRef, CrossTenantConnection, StaticMember,
    TenantCredential,
};
use avnm_arm::{Arm, Credential};
use avnm_plan::{
    credential::{CredentialInput, UsableCredential},
    reason::Reason,
    side::Side,
    status::find,
};
use avnm_terms::{KubeFault, KubeFaultKind, Moment};
use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Client, Resource, ResourceExt,
    core::PartialObjectMeta,
    runtime::reflector::{ObjectRef, Store},
};
use tokio::sync::watch;

use crate::{
    contenders::Contenders,
    credential::{CredentialMemory, CredentialObject},
    events::Events,
    guarded::Guarded,
    inventory::{Inventory, Visit},
    lease::LeaseGuard,
    materials::{Materials, Use},
    memory::Memories,
    metrics::Metrics,
    owner::Kept,
    place::named,
    settings::Settings,
    streams,
    wake::Wake,
};

/// Caches of our kinds, and of what namespaces say of themselves.
#[derive(Clone)]
pub(crate) struct Stores {
    pub(crate) connections: Store<Guarded<CrossTenantConnection>>,
    pub(crate) members: Store<Guarded<StaticMember>>,
    pub(crate) credentials: Store<Guarded<TenantCredential>>,
    pub(crate) cluster_credentials: Store<Guarded<ClusterTenantCredential>>,
    /// Metadata only: their labels decide what is lent to them.
    pub(crate) namespaces: Store<PartialObjectMeta<Namespace>>,
}

impl Stores {
    /// The uids of all credentials, of either kind.
    pub(crate) fn credential_uids(&self) -> HashSet<String> {
        let mut uids = streams::uids(&self.credentials);
        uids.extend(streams::uids(&self.cluster_credentials));
        uids
    }

    /// The labels of a namespace; `None` if it was not seen yet, which is not the same as having none.
    fn labels(&self, namespace: &str) -> Option<BTreeMap<String, String>> {
        let found = self.namespaces.get(&ObjectRef::new(namespace))?;
        Some(found.metadata.labels.clone().unwrap_or_default())
    }
}

/// Ways to have an object looked at.
#[derive(Clone, Default)]
pub(crate) struct Wakers {
    pub(crate) connections: Wake<Guarded<CrossTenantConnection>>,
    pub(crate) members: Wake<Guarded<StaticMember>>,
    pub(crate) credentials: Wake<Guarded<TenantCredential>>,
    pub(crate) cluster_credentials: Wake<Guarded<ClusterTenantCredential>>,
}

/// What every pass shares.
pub(crate) struct Context {
    pub(crate) client: Client,
    pub(crate) arm: Arm,
    pub(crate) settings: Settings,
    pub(crate) stores: Stores,
    pub(crate) wakers: Wakers,
    pub(crate) inventory: Inventory,
    pub(crate) materials: Arc<Materials>,
    pub(crate) contenders: Contested,
    pub(crate) events: Events,
    pub(crate) lease: LeaseGuard,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) connections: Memories<CrossTenantConnection, Kept<CrossTenantConnection>>,
    pub(crate) members: Memories<StaticMember, Kept<StaticMember>>,
    pub(crate) credentials: Memories<TenantCredential, CredentialMemory>,
    pub(crate) cluster_credentials: Memories<ClusterTenantCredential, CredentialMemory>,
    /// Whether every object was entered among the contenders: no verdict falls before.
    pub(crate) synced: watch::Sender<bool>,
    /// When the lease was won: effects of the last leader's writes may come for a while.
    pub(crate) won: Moment,
}

/// Who wants what, by kind.
#[derive(Debug)]
pub(crate) struct Contested {
    pub(crate) connections: Contenders,
    pub(crate) members: Contenders,
}

impl Default for Contested {
    fn default() -> Self {
        Self {
            connections: Contenders::new("CrossTenantConnection"),
            members: Contenders::new("StaticMember"),
        }
    }
}

/// Whether a cache still shows this very object. A pass can outlive its object: what it enters then would stay for ever.
pub(crate) fn stands<K>(store: &Store<Guarded<K>>, namespace: &str, name: &str, uid: &str) -> bool
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    let key = ObjectRef::<Guarded<K>>::new(name).within(namespace);
    store.get(&key).is_some_and(|found| found.uid().as_deref() == Some(uid))
}

/// A credential as a pass uses it: what decisions see, and what signs.
#[derive(Debug, Clone)]
pub(crate) struct Resolved {
    pub(crate) input: CredentialInput,
    pub(crate) credential: Option<Credential>,
}

impl Context {
    /// Returns once no verdict would fall too early. A pass that waits here holds one of its kind's slots; none of them
    /// could do anything else.
    pub(crate) async fn wait_synced(&self) {
        // The sender lives as long as this does, so the wait cannot fail.
        let _ = self.synced.subscribe().wait_for(|synced| *synced).await;
    }

    /// Where a reference leads, for an object that holds something in Azure with it, or does not. A visit that has to wait
    /// for that says so, and then nothing is concluded from what this gives.
    pub(crate) async fn resolve(
        &self,
        visit: &Visit,
        namespace: &str,
        reference: &CredentialRef,
        holds: bool,
    ) -> Resolved {
        match reference.kind {
            CredentialKind::TenantCredential => {
                self.resolve_in::<TenantCredential>(visit, namespace, reference, holds).await
            }
            CredentialKind::ClusterTenantCredential => {
                self.resolve_in::<ClusterTenantCredential>(visit, namespace, reference, holds).await
            }
        }
    }

    /// The same for one kind. `user` is the namespace that asks.
    async fn resolve_in<K: CredentialObject>(
        &self,
        visit: &Visit,
        user: &str,
        reference: &CredentialRef,
        holds: bool,
    ) -> Resolved {
        let without = |input: CredentialInput| Resolved { input, credential: None };
        let home = avnm_plan::credential::home(K::KIND, user);
        let found = K::store(&self.stores).get(&named(home, &reference.name));
        let Some(found) = found else { return without(CredentialInput::Missing(reference.clone())) };
        let not_ready = |reason: &str, message: String| {
            without(CredentialInput::NotReady {
                credential: reference.clone(),
                reason: reason.to_owned(),
                message,
            })
        };
        let object = match &found.0 {
            Ok(object) => object,
            // What is in one of the cluster is not for everybody to read.
            Err(_) if K::KIND == CredentialKind::ClusterTenantCredential => {
                return not_ready("InvalidSpec", "it does not decode: see its own events".to_owned());
            }
            Err(invalid) => return not_ready("InvalidSpec", invalid.error.clone()),
        };
        let labels = self.stores.labels(user);
        let Some(admission) = avnm_plan::credential::admit(object.owner(), user, labels.as_ref()) else {
            return without(CredentialInput::NotLent(reference.clone()));
        };
        match self.materials.for_use(object, holds, visit.asked()).await {
            Use::Loaded(loaded) => {
                let usable = UsableCredential {
                    admission,
                    credential: reference.clone(),
                    uid: object.uid().unwrap_or_default(),
                    tenant: loaded.credential.tenant.clone(),
                    client: loaded.credential.client.clone(),
                    allowed_scopes: object.declared().allowed_scopes().map(<[String]>::to_vec),
                    terminating: object.meta().deletion_timestamp.is_some(),
                    last_material: loaded.last_material,
                    held: object.finalizers().iter().any(|held| held == avnm_api::FINALIZER_IN_USE),
                };
                Resolved { input: CredentialInput::Usable(usable), credential: Some(loaded.credential) }
            }
            Use::Pending => {
                visit.wait();
                not_ready("Pending", "it is being read".to_owned())
            }
            Use::Failed(fault) => {
                // How long it has been propagating is known to the credential's own pass, which says so in its status.
                let ready = object.shown().and_then(|status| find(&status.conditions, "Ready"));
                let given_up = ready.is_some_and(|ready| ready.reason == Reason::SignInRefused.as_str());
                let fault = if given_up && avnm_plan::credential::is_propagating(&fault) {
                    avnm_plan::credential::refused(&fault)
                } else {
                    fault
                };
                let reason = avnm_plan::credential::reason(&fault);
                let side = self.side_of(user, reference);
                not_ready(reason.word(), avnm_plan::fault::message(&fault, side))
            }
        }
    }

    /// Whose tenant a credential signs in to, as far as its users tell: the manager's if it reads or writes anything of
    /// a network manager. One that nobody uses yet counts as the target's, which is where consent is missing first.
    pub(crate) fn side_of(&self, namespace: &str, credential: &CredentialRef) -> Side {
        // One of the cluster may be used from anywhere.
        let near = |other: Option<String>| {
            credential.kind == CredentialKind::ClusterTenantCredential || other.as_deref() == Some(namespace)
        };
        let connection = self.stores.connections.state().into_iter().any(|found| {
            let Ok(object) = &found.0 else { return false };
            near(object.namespace())
                && object
                    .spec
                    .scope_connection
                    .as_ref()
                    .is_some_and(|half| half.credential_ref == *credential)
        });
        let member = || {
            self.stores.members.state().into_iter().any(|found| {
                let Ok(object) = &found.0 else { return false };
                near(object.namespace()) && object.spec.credential_ref.as_ref() == Some(credential)
            })
        };
        if connection || member() { Side::Manager } else { Side::Target }
    }

    /// Puts our finalizer on credentials. They are read live: a hold on an old picture would be refused anyway.
    pub(crate) async fn hold_credentials(
        &self,
        namespace: &str,
        references: &[CredentialRef],
    ) -> Result<(), KubeFault> {
        for reference in references {
            match reference.kind {
                CredentialKind::TenantCredential => {
                    self.hold_credential::<TenantCredential>(namespace, reference).await?;
                }
                CredentialKind::ClusterTenantCredential => {
                    self.hold_credential::<ClusterTenantCredential>("", reference).await?;
                }
            }
        }
        Ok(())
    }

    async fn hold_credential<K: CredentialObject>(
        &self,
        home: &str,
        reference: &CredentialRef,
    ) -> Result<(), KubeFault> {
        let Some(object) = crate::live::get::<K>(&self.client, home, &reference.name).await? else {
            let (gone, kind) = (reference.name.clone(), KubeFaultKind::NotFound);
            return Err(KubeFault::local("hold credential", gone, kind, "it is gone"));
        };
        // The API server refuses new finalizers on what is being deleted; what is held already keeps its own.
        if object.meta().deletion_timestamp.is_none() {
            crate::hold::hold(&self.client, &object, avnm_api::FINALIZER_IN_USE).await?;
        }
        Ok(())
    }
}
