//! What every pass shares.

use std::sync::Arc;

use avnm_api::{CredentialKind, CredentialRef, CrossTenantConnection, StaticMember, TenantCredential};
use avnm_arm::{Arm, Credential, clock};
use avnm_plan::{
    conditions::find,
    fault::Side,
    inputs::{CredentialInput, UsableCredential},
    reason::Reason,
};
use avnm_terms::Fault;
use jiff::Timestamp;
use kube::{
    Client, Resource, ResourceExt,
    core::DeserializeGuard,
    runtime::reflector::{ObjectRef, Store},
};
use tokio::sync::{mpsc::UnboundedSender, watch};

use crate::{
    contenders::Contenders, cross_tenant_connection::ConnectionMemory, events::Events, inventory::Inventory,
    lease::LeaseGuard, materials::Materials, memory::Memories, metrics::Metrics, settings::Settings,
    static_member::MemberMemory, tenant_credential::CredentialMemory,
};

/// Caches of the three kinds.
#[derive(Clone)]
pub(crate) struct Stores {
    pub(crate) connections: Store<DeserializeGuard<CrossTenantConnection>>,
    pub(crate) members: Store<DeserializeGuard<StaticMember>>,
    pub(crate) credentials: Store<DeserializeGuard<TenantCredential>>,
}

/// Ways to have an object looked at.
#[derive(Clone)]
pub(crate) struct Wakers {
    pub(crate) connections: UnboundedSender<ObjectRef<DeserializeGuard<CrossTenantConnection>>>,
    pub(crate) members: UnboundedSender<ObjectRef<DeserializeGuard<StaticMember>>>,
    pub(crate) credentials: UnboundedSender<ObjectRef<DeserializeGuard<TenantCredential>>>,
}

/// What every pass shares.
pub(crate) struct Context {
    pub(crate) client: Client,
    pub(crate) arm: Arm,
    pub(crate) settings: Settings,
    pub(crate) stores: Stores,
    pub(crate) wakers: Wakers,
    pub(crate) inventory: Inventory,
    pub(crate) materials: Materials,
    pub(crate) contenders: Contested,
    pub(crate) events: Events,
    pub(crate) lease: LeaseGuard,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) connections: Memories<CrossTenantConnection, ConnectionMemory>,
    pub(crate) members: Memories<StaticMember, MemberMemory>,
    pub(crate) credentials: Memories<TenantCredential, CredentialMemory>,
    /// Whether every object was entered among the contenders: no verdict falls before.
    pub(crate) synced: watch::Sender<bool>,
    /// When the lease was won: effects of the last leader's writes may come for a while.
    pub(crate) won: Timestamp,
}

/// Who wants what, by kind.
#[derive(Debug, Default)]
pub(crate) struct Contested {
    pub(crate) connections: Contenders,
    pub(crate) members: Contenders,
}

/// Whether a cache still shows this very object. A pass can outlive its object: what it enters then would stay for ever.
pub(crate) fn stands<K>(store: &Store<DeserializeGuard<K>>, namespace: &str, name: &str, uid: &str) -> bool
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    let key = ObjectRef::<DeserializeGuard<K>>::new(name).within(namespace);
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

    /// Where a reference leads.
    pub(crate) async fn resolve(&self, namespace: &str, reference: &CredentialRef) -> Resolved {
        let missing = || Resolved { input: CredentialInput::Missing(reference.clone()), credential: None };
        if reference.kind != CredentialKind::TenantCredential {
            return missing();
        }
        let key = ObjectRef::<DeserializeGuard<TenantCredential>>::new(&reference.name).within(namespace);
        let Some(found) = self.stores.credentials.get(&key) else { return missing() };
        let not_ready = |reason: &str, message: String| Resolved {
            input: CredentialInput::NotReady {
                credential: reference.clone(),
                reason: reason.to_owned(),
                message,
            },
            credential: None,
        };
        let object = match &found.0 {
            Ok(object) => object,
            Err(invalid) => return not_ready("InvalidSpec", invalid.error.clone()),
        };
        match self.materials.get(object, false).await {
            Ok(loaded) => {
                let usable = UsableCredential {
                    credential: reference.clone(),
                    tenant: loaded.credential.tenant.clone(),
                    client: loaded.credential.client.clone(),
                    allowed_scopes: object.spec.allowed_scopes.clone(),
                    terminating: object.meta().deletion_timestamp.is_some(),
                    last_material: loaded.last_material,
                    held: object.finalizers().iter().any(|held| held == avnm_api::FINALIZER_IN_USE),
                };
                Resolved { input: CredentialInput::Usable(usable), credential: Some(loaded.credential) }
            }
            Err(fault) => {
                // How long it has been propagating is known to the credential's own pass, which says so in its status.
                let refused =
                    find_ready(object).is_some_and(|ready| ready.reason == Reason::SignInRefused.as_str());
                let reason = match avnm_plan::tenant_credential::reason(&fault, None, clock::now()) {
                    Reason::Propagating if refused => Reason::SignInRefused,
                    reason => reason,
                };
                let side = self.side_of(namespace, &reference.name);
                not_ready(reason.word(), avnm_plan::fault::message(&fault, side))
            }
        }
    }

    /// Whose tenant a credential signs in to, as far as its users tell: the manager's if it reads or writes anything of
    /// a network manager. One that nobody uses yet counts as the target's, which is where consent is missing first.
    pub(crate) fn side_of(&self, namespace: &str, name: &str) -> Side {
        let is_it = |reference: &CredentialRef| {
            reference.kind == CredentialKind::TenantCredential && reference.name == name
        };
        let connection = self.stores.connections.state().into_iter().any(|found| {
            let Ok(object) = &found.0 else { return false };
            object.namespace().as_deref() == Some(namespace)
                && object.spec.scope_connection.as_ref().is_some_and(|half| is_it(&half.credential_ref))
        });
        let member = || {
            self.stores.members.state().into_iter().any(|found| {
                let Ok(object) = &found.0 else { return false };
                object.namespace().as_deref() == Some(namespace)
                    && object.spec.credential_ref.as_ref().is_some_and(is_it)
            })
        };
        if connection || member() { Side::Manager } else { Side::Target }
    }

    /// Puts our finalizer on credentials. They are read live: a hold on an old picture would be refused anyway.
    pub(crate) async fn hold_credentials(
        &self,
        namespace: &str,
        references: &[CredentialRef],
    ) -> Result<(), Fault> {
        for reference in references {
            let Some(object) =
                crate::live::get::<TenantCredential>(&self.client, namespace, &reference.name).await?
            else {
                return Err(Fault::local(
                    "hold credential",
                    reference.name.clone(),
                    avnm_terms::FaultKind::NotFound,
                    "it is gone",
                ));
            };
            if object.meta().deletion_timestamp.is_some() {
                // The API server refuses new finalizers there; what is held already keeps its own.
                continue;
            }
            crate::hold::hold(&self.client, &object, avnm_api::FINALIZER_IN_USE).await?;
        }
        Ok(())
    }
}

fn find_ready(object: &TenantCredential) -> Option<&avnm_api::Condition> {
    find(&object.status.as_ref()?.conditions, "Ready")
}
