//! The only place that touches finalizers. Whoever calls it holds the lease for at least [`MARGIN`].

use std::time::Duration;

use avnm_api::{ClusterTenantCredential, CredentialKind, CredentialRef, FINALIZER_IN_USE, TenantCredential};
use avnm_terms::{KubeFault, KubeFaultKind};
use kube::{
    Client, ResourceExt,
    api::{Patch, PatchParams},
};

use crate::{credential_object::CredentialObject, kube_io, live, place::Place};

/// Never renamed: what the old one had put on would be its own for ever.
const FIELD_MANAGER: &str = "avnm-operator";

/// So much of the lease must be left before a finalizer is put or taken off. Each write carries the version that was
/// read, so a second will do.
pub(crate) const MARGIN: Duration = Duration::from_secs(1);

async fn set<K>(
    client: &Client,
    object: &K,
    finalizers: Vec<String>,
    operation: &'static str,
) -> Result<K, KubeFault>
where
    K: Place,
{
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    let api = K::api(client, &namespace);
    // The version guards against another writer's finalizer being lost: a merge patch replaces the whole list.
    let body = serde_json::json!({
        "metadata": {"resourceVersion": object.resource_version(), "uid": object.uid(), "finalizers": finalizers}
    });
    // Without it managedFields would say `unknown`.
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    kube_io::call(operation, &format!("{namespace}/{name}"), api.patch(&name, &params, &Patch::Merge(&body)))
        .await
}

/// Puts a finalizer on an object, unless it is there.
pub(crate) async fn hold<K>(client: &Client, object: &K, finalizer: &str) -> Result<K, KubeFault>
where
    K: Place,
{
    if object.finalizers().iter().any(|held| held == finalizer) {
        return Ok(object.clone());
    }
    let mut finalizers = object.finalizers().to_vec();
    finalizers.push(finalizer.to_owned());
    set(client, object, finalizers, "hold").await
}

/// Puts our finalizer on credentials. They are read live: a hold on an old picture would be refused anyway.
pub(crate) async fn credentials(
    client: &Client,
    namespace: &str,
    references: &[CredentialRef],
) -> Result<(), KubeFault> {
    for reference in references {
        match reference.kind {
            CredentialKind::TenantCredential => {
                credential::<TenantCredential>(client, namespace, reference).await?;
            }
            CredentialKind::ClusterTenantCredential => {
                credential::<ClusterTenantCredential>(client, "", reference).await?;
            }
        }
    }
    Ok(())
}

async fn credential<K: CredentialObject>(
    client: &Client,
    home: &str,
    reference: &CredentialRef,
) -> Result<(), KubeFault> {
    let Some(object) = live::get::<K>(client, home, &reference.name).await? else {
        let (gone, kind) = (reference.name.clone(), KubeFaultKind::NotFound);
        return Err(KubeFault::local("hold credential", gone, kind, "it is gone"));
    };
    // The API server refuses new finalizers on what is being deleted; what is held already keeps its own.
    if object.meta().deletion_timestamp.is_none() {
        hold(client, &object, FINALIZER_IN_USE).await?;
    }
    Ok(())
}

/// Takes a finalizer off an object that is being deleted. `None` if that was the last one and it is gone.
pub(crate) async fn release<K>(client: &Client, object: &K, finalizer: &str) -> Result<Option<K>, KubeFault>
where
    K: Place,
{
    if object.meta().deletion_timestamp.is_none() || !object.finalizers().iter().any(|held| held == finalizer)
    {
        return Ok(Some(object.clone()));
    }
    let finalizers = object.finalizers().iter().filter(|held| *held != finalizer).cloned().collect();
    match set(client, object, finalizers, "release").await {
        Ok(object) => Ok(Some(object)),
        Err(fault) if fault.kind == KubeFaultKind::NotFound => Ok(None),
        Err(fault) => Err(fault),
    }
}
