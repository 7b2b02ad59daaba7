//! The sequences: everything that the operator and what surrounds it ask of an API server.

mod applies;
mod clusterwide;
mod creates;
mod deletes;
mod events;
mod kinds;
mod leases;
mod lists;
mod namespaces;
mod patches;
mod secrets;
mod statuses;
mod tokens;
mod updates;
mod watches;

use anyhow::Result;
use avnm_launcher::{ControlPlane, Look, wait_until};
use serde_json::{Value, json};
use std::time::Duration;

use super::script::Sequence;
use crate::api_server;

/// Every sequence, in the order in which they are played.
pub fn all() -> Vec<Sequence> {
    vec![
        creates::sequence(),
        updates::sequence(),
        patches::sequence(),
        deletes::sequence(),
        statuses::sequence(),
        applies::sequence(),
        lists::sequence(),
        watches::sequence(),
        namespaces::sequence(),
        secrets::sequence(),
        tokens::sequence(),
        leases::sequence(),
        events::sequence(),
        clusterwide::sequence(),
        kinds::sequence(),
    ]
}

/// Has the real server serve our kinds.
pub async fn install(plane: &ControlPlane) -> Result<()> {
    for crd in api_server::our_crds() {
        let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
        plane.create(path, &crd).await?;
    }
    for crd in api_server::our_crds() {
        let plural = crd["spec"]["names"]["plural"].as_str().unwrap_or_default().to_owned();
        let path = format!("/apis/avnm.dev/v1alpha1/{plural}");
        let look = || async { Ok(Look::Done(plane.get(&path).await?)) };
        wait_until(Duration::from_secs(30), Duration::from_millis(100), look, &path).await?;
    }
    Ok(())
}

const GUID: &str = "11111111-1111-1111-1111-111111111111";

/// Where the members of a namespace are.
fn members(namespace: &str) -> String {
    format!("/apis/avnm.dev/v1alpha1/namespaces/{namespace}/staticmembers")
}

/// Where the credentials of a namespace are.
fn credentials(namespace: &str) -> String {
    format!("/apis/avnm.dev/v1alpha1/namespaces/{namespace}/tenantcredentials")
}

/// A StaticMember.
fn member(name: &str) -> Value {
    let base = format!("/subscriptions/{GUID}/resourceGroups/rg/providers/Microsoft.Network");
    json!({
        "apiVersion": "avnm.dev/v1alpha1",
        "kind": "StaticMember",
        "metadata": {"name": name},
        "spec": {
            "networkGroupId": format!("{base}/networkManagers/nm/networkGroups/g"),
            "resourceId": format!("{base}/virtualNetworks/v"),
            "credentialRef": {"kind": "TenantCredential", "name": "hub"},
        }
    })
}

/// A TenantCredential with a label.
fn credential(name: &str, side: &str) -> Value {
    json!({
        "apiVersion": "avnm.dev/v1alpha1",
        "kind": "TenantCredential",
        "metadata": {"name": name, "labels": {"side": side}},
        "spec": {
            "tenantId": GUID,
            "clientId": GUID,
            "clientSecret": {"secretRef": {"name": "s", "key": "k"}},
        }
    })
}

/// The object with a patch merged into it; null takes a field out.
fn with(mut object: Value, patch: &Value) -> Value {
    api_server::merge_patch(&mut object, patch);
    object
}
