//! Whether the API server answers, and serves our kinds.

use std::time::Duration;

use avnm_api::{ClusterTenantCredential, CrossTenantConnection, StaticMember, TenantCredential};
use avnm_terms::{KubeFault, KubeFaultKind};
use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client, api::ListParams, core::PartialObjectMeta};
use tokio_util::sync::CancellationToken;

use crate::{health::Health, kube_io, place::Kind, scope::Scope};

/// Between two looks at whether the API server answers.
const AGAIN: Duration = Duration::from_secs(1);

/// A standby replica is ready as soon as the API server answers and serves our kinds. One that is not served counts as
/// empty, so work does not wait for it: what the other kinds hold is still kept, and let go.
pub(super) async fn wait_for_kubernetes(
    client: &Client,
    scope: &Scope,
    health: &Health,
    stop: &CancellationToken,
) {
    loop {
        match all_served(client, scope).await {
            Ok(()) => {
                health.there("kubernetes");
                health.there("crds");
                return;
            }
            Err(fault) if fault.kind == KubeFaultKind::NotFound => {
                tracing::warn!(%fault, "one of our kinds is not served: it counts as empty until it is");
                health.there("kubernetes");
                health.missing("crds");
                tokio::spawn(wait_for_kinds(client.clone(), scope.clone(), health.clone(), stop.clone()));
                return;
            }
            Err(fault) => tracing::info!(%fault, "waiting for the API server"),
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Says that the process is ready once all of our kinds are served.
async fn wait_for_kinds(client: Client, scope: Scope, health: Health, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            () = stop.cancelled() => return,
        }
        if all_served(&client, &scope).await.is_ok() {
            health.there("crds");
            return;
        }
    }
}

async fn all_served(client: &Client, scope: &Scope) -> Result<(), KubeFault> {
    is_served::<CrossTenantConnection>(client, scope).await?;
    is_served::<StaticMember>(client, scope).await?;
    is_served::<TenantCredential>(client, scope).await?;
    is_served::<ClusterTenantCredential>(client, scope).await
}

/// Whether the API server lists a kind, wherever it is watched.
pub(super) async fn is_served<K: Kind>(client: &Client, scope: &Scope) -> Result<(), KubeFault> {
    let one = ListParams { limit: Some(1), label_selector: scope.selector.clone(), ..ListParams::default() };
    for (namespace, api) in scope.parts::<K>(client) {
        let what = if namespace.is_empty() {
            K::plural(&()).into()
        } else {
            format!("{} of {namespace}", K::plural(&()))
        };
        kube_io::call("list objects", &what, api.list(&one)).await?;
    }
    Ok(())
}

/// Whether the labels of namespaces may be read.
pub(super) async fn may_list_namespaces(client: &Client) -> Result<(), KubeFault> {
    let api: Api<PartialObjectMeta<Namespace>> = Api::all(client.clone());
    let one = ListParams::default().limit(1);
    kube_io::call("list objects", "namespaces", api.list(&one)).await.map(drop)
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
