//! The only place that writes status: server-side apply, guarded by the version that the pass read.

use std::time::Duration;

use avnm_terms::Fault;
use kube::{
    Client, ResourceExt,
    api::{Patch, PatchParams},
};
use serde::Serialize;

use crate::{kube_io, place::Place};

/// Never renamed: old conditions would stay for ever.
const FIELD_MANAGER: &str = "avnm-operator-status";

/// So much of the lease must be left before status is written. The version guards a status too, so a second will do.
pub(crate) const MARGIN: Duration = Duration::from_secs(1);

/// Writes the whole status. A stale writer gets a conflict, and its pass ends.
pub(crate) async fn write<K, S>(client: &Client, object: &K, status: &S) -> Result<K, Fault>
where
    K: Place,
    S: Serialize,
{
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    let api = K::api(client, &namespace);
    let body = serde_json::json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "metadata": {
            "name": name,
            // Absent for a cluster-wide kind.
            "namespace": object.namespace(),
            "uid": object.uid(),
            "resourceVersion": object.resource_version(),
        },
        "status": status,
    });
    let params = PatchParams::apply(FIELD_MANAGER).force();
    kube_io::call(
        "write status",
        &format!("{namespace}/{name}"),
        api.patch_status(&name, &params, &Patch::Apply(&body)),
    )
    .await
}
