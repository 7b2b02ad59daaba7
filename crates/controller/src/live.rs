//! Live reads of Kubernetes, past every cache, where a decision must not rest on an old picture.

use avnm_api::{CredentialRef, CrossTenantConnection, StaticMember, TenantCredential};
use avnm_plan::{cross_tenant_connection::Dependent, inputs::CrdState};
use avnm_terms::{Fault, FaultKind, Reading};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{
    Api, Client, Resource, ResourceExt,
    api::ListParams,
    core::{DeserializeGuard, NamespaceResourceScope},
};
use serde::de::DeserializeOwned;

use crate::kube_io;

/// Everything of a kind in a namespace; a kind that is not there is empty.
async fn list<K>(client: &Client, namespace: &str) -> Result<Vec<DeserializeGuard<K>>, Fault>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + DeserializeOwned
        + std::fmt::Debug,
{
    let api: Api<DeserializeGuard<K>> = Api::namespaced(client.clone(), namespace);
    match kube_io::call("list objects", namespace, api.list(&ListParams::default())).await {
        Ok(list) => Ok(list.items),
        Err(fault) if fault.kind == FaultKind::NotFound => Ok(Vec::new()),
        Err(fault) => Err(fault),
    }
}

/// Members with a claim that name this connection. What does not decode counts as one.
pub(crate) async fn dependents(
    client: &Client,
    namespace: &str,
    connection: &str,
) -> Reading<Vec<Dependent>> {
    match list::<StaticMember>(client, namespace).await {
        Err(fault) => Reading::Unread(fault),
        Ok(members) => Reading::Found(
            members
                .into_iter()
                .filter_map(|guard| match guard.0 {
                    Ok(member) => {
                        let names =
                            member.spec.connection_ref.as_ref().is_some_and(|named| named.name == connection);
                        let claims = member
                            .status
                            .as_ref()
                            .and_then(|status| status.claim.as_ref())
                            .is_some_and(|claim| member.uid().as_ref() == Some(&claim.uid));
                        (names && claims).then(|| Dependent {
                            name: member.name_any(),
                            deleting: member.meta().deletion_timestamp.is_some(),
                        })
                    }
                    Err(invalid) => Some(Dependent {
                        name: invalid.metadata.name.clone().unwrap_or_default(),
                        deleting: invalid.metadata.deletion_timestamp.is_some(),
                    }),
                })
                .collect(),
        ),
    }
}

/// Objects whose claim was recorded with this credential. What does not decode counts as one.
pub(crate) async fn users(
    client: &Client,
    namespace: &str,
    credential: &CredentialRef,
) -> Result<Vec<String>, Fault> {
    let mut users = Vec::new();
    for guard in list::<CrossTenantConnection>(client, namespace).await? {
        let uses = match &guard.0 {
            Ok(object) => object.status.as_ref().is_some_and(|status| {
                [&status.scope_connection, &status.network_manager_connection]
                    .into_iter()
                    .flatten()
                    .filter_map(|half| half.claim.as_ref())
                    .any(|claim| claim.credential_ref == *credential)
            }),
            Err(_) => true,
        };
        if uses {
            users.push(format!("CrossTenantConnection {}", guard.name_any()));
        }
    }
    for guard in list::<StaticMember>(client, namespace).await? {
        let uses = match &guard.0 {
            Ok(object) => object
                .status
                .as_ref()
                .and_then(|status| status.claim.as_ref())
                .is_some_and(|claim| claim.credential_ref == *credential),
            Err(_) => true,
        };
        if uses {
            users.push(format!("StaticMember {}", guard.name_any()));
        }
    }
    Ok(users)
}

/// Whether a CRD is being deleted. Where it may not be read (403, or 404 behind an aggregated API), the check is off;
/// the docs say so. An answer that did not come says nothing.
pub(crate) async fn crd<K: Resource<DynamicType = ()>>(client: &Client) -> CrdState {
    let name = format!("{}.{}", K::plural(&()), K::group(&()));
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    match kube_io::call("get crd", &name, api.get(&name)).await {
        Ok(crd) if crd.metadata.deletion_timestamp.is_some() => CrdState::Terminating,
        Ok(_) => CrdState::Standing,
        Err(fault) if matches!(fault.kind, FaultKind::PermissionDenied | FaultKind::NotFound) => {
            CrdState::Standing
        }
        Err(fault) => CrdState::Unknown(fault),
    }
}

/// One object, live; `None` if it is gone.
pub(crate) async fn get<K>(client: &Client, namespace: &str, name: &str) -> Result<Option<K>, Fault>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + DeserializeOwned
        + std::fmt::Debug,
{
    let api: Api<K> = Api::namespaced(client.clone(), namespace);
    kube_io::call("get object", &format!("{namespace}/{name}"), api.get_opt(name)).await
}

/// Whether a credential is there and not being deleted, live; if not, in words.
pub(crate) async fn credential_stands(
    client: &Client,
    namespace: &str,
    reference: &CredentialRef,
    claim_is_new: bool,
) -> Result<Option<String>, Fault> {
    let words = format!("{} {}", reference.kind.as_str(), reference.name);
    Ok(match get::<TenantCredential>(client, namespace, &reference.name).await? {
        None => Some(format!("{words} is gone")),
        Some(found) if claim_is_new && found.meta().deletion_timestamp.is_some() => {
            Some(format!("{words} is being deleted"))
        }
        Some(_) => None,
    })
}
