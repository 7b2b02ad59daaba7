//! What every pass shares.

use std::sync::{Arc, atomic::AtomicBool};

use avnm_api::{CredentialKind, CredentialRef, CrossTenantConnection, StaticMember, TenantCredential};
use avnm_arm::{Arm, Credential, clock};
use avnm_plan::inputs::{CredentialInput, UsableCredential};
use avnm_terms::Fault;
use jiff::Timestamp;
use kube::{
    Client, Resource, ResourceExt,
    core::DeserializeGuard,
    runtime::reflector::{ObjectRef, Store},
};
use tokio::sync::mpsc::UnboundedSender;

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
    pub(crate) contenders: Contenders,
    pub(crate) events: Events,
    pub(crate) lease: LeaseGuard,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) connections: Memories<CrossTenantConnection, ConnectionMemory>,
    pub(crate) members: Memories<StaticMember, MemberMemory>,
    pub(crate) credentials: Memories<TenantCredential, CredentialMemory>,
    /// Every object was entered among the contenders: no verdict falls before.
    pub(crate) synced: AtomicBool,
    /// When the lease was won: effects of the last leader's writes may come for a while.
    pub(crate) won: Timestamp,
}

/// A credential as a pass uses it: what decisions see, and what signs.
#[derive(Debug, Clone)]
pub(crate) struct Resolved {
    pub(crate) input: CredentialInput,
    pub(crate) credential: Option<Credential>,
}

impl Context {
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
                let reason = avnm_plan::tenant_credential::reason(&fault, None, clock::now());
                not_ready(reason.word(), avnm_plan::fault::message(&fault, avnm_plan::fault::Side::Target))
            }
        }
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
