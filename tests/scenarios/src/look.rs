//! Reading objects of ours on the API server.

// A toolbox: not every tool is in use at every time.
#![allow(dead_code)]

use std::time::Duration;

use anyhow::Result;
use avnm_launcher::{ControlPlane, Look, wait_until};
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::world::SOON;

/// How often a wait looks.
pub(crate) const POLL: Duration = Duration::from_millis(100);
/// The kinds of this operator.
pub(crate) const PLURALS: [&str; 4] =
    ["crosstenantconnections", "staticmembers", "tenantcredentials", "clustertenantcredentials"];

/// The path of one object of ours.
pub(crate) fn path(namespace: &str, plural: &str, name: &str) -> String {
    format!("/apis/avnm.dev/v1alpha1/namespaces/{namespace}/{plural}/{name}")
}

/// Waits until a ClusterTenantCredential's Ready has a reason.
pub(crate) async fn cluster_credential_says(ctx: &Ctx, name: &str, reason: &str) -> Result<Value> {
    let path = format!("/apis/avnm.dev/v1alpha1/clustertenantcredentials/{name}");
    says(ctx.cluster(), &path, reason).await
}

/// Waits until the Ready of what lies under a path of the API has a reason.
pub(crate) async fn says(cluster: &ControlPlane, path: &str, reason: &str) -> Result<Value> {
    let look = || async {
        let object = cluster.get(path).await?;
        let is = condition(&object, "Ready").is_some_and(|ready| ready["reason"] == reason);
        Ok(if is { Look::Done(object) } else { Look::NotYet(describe(&object)) })
    };
    wait_until(SOON, POLL, look, &format!("{path} to say {reason}")).await
}

/// A condition by its type.
pub(crate) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    object["status"]["conditions"].as_array()?.iter().find(|condition| condition["type"] == kind)
}

/// What matters of an object in an error: that it is being deleted, what holds it, and its status.
pub(crate) fn describe(object: &Value) -> String {
    let meta = &object["metadata"];
    let short = json!({
        "generation": meta["generation"],
        "deletionTimestamp": meta["deletionTimestamp"],
        "finalizers": meta["finalizers"],
        "status": object["status"],
    });
    format!("{short:#}")
}

/// Waits until a path of the API answers 404.
pub(crate) async fn wait_gone(cluster: &ControlPlane, path: &str, deadline: Duration) -> Result<()> {
    let look = || async {
        match cluster.get(path).await {
            Ok(object) => Ok(Look::NotYet(describe(&object))),
            Err(error) if is_not_found(&error) => Ok(Look::Done(())),
            Err(error) => Err(error),
        }
    };
    wait_until(deadline, POLL, look, &format!("{path} to be gone")).await
}

/// Whether a read failed because there is nothing.
pub(crate) fn is_not_found(error: &anyhow::Error) -> bool {
    let text = format!("{error:#}");
    text.contains("404 Not Found") || text.contains("(NotFound)")
}

/// Takes the finalizers off all objects of ours and deletes them, with no operator running: Azure is left as it
/// is, and it ends with the scenario anyway.
pub(crate) async fn let_go(cluster: &ControlPlane) -> Result<()> {
    for plural in PLURALS {
        let list = match cluster.get(&format!("/apis/avnm.dev/v1alpha1/{plural}")).await {
            Ok(list) => list,
            // A scenario deleted the CRD.
            Err(error) if is_not_found(&error) => continue,
            Err(error) => return Err(error),
        };
        for object in list["items"].as_array().into_iter().flatten() {
            let meta = &object["metadata"];
            let Some(name) = meta["name"].as_str() else { continue };
            // kubectl takes the namespace for a cluster-wide object, too, and does not look at it.
            let namespace = meta["namespace"].as_str().unwrap_or("default");
            let target = format!("{plural}.avnm.dev/{name}");
            let patch = r#"{"metadata":{"finalizers":null}}"#;
            let args = ["-n", namespace, "patch", &target, "--type=merge", "-p", patch];
            // Its last finalizer may have gone since the list; then it is not there to be patched.
            let _ = cluster.kubectl().output(&args, None).await?;
            let args = ["-n", namespace, "delete", &target, "--ignore-not-found", "--wait=false"];
            cluster.kubectl().run(&args, None).await?;
        }
    }
    Ok(())
}
