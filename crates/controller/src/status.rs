//! The only place that writes status: server-side apply, guarded by the version that the pass read.

use std::{borrow::Cow, time::Duration};

use avnm_plan::finding::Happening;
use avnm_terms::{
    KubeFault,
    mutants::{Mutant, broken},
};
use kube::{
    Client, ResourceExt,
    api::{Patch, PatchParams},
};
use serde::Serialize;

use crate::{kube_io, memory::Remembered, place::Place, refusal, shared::Shared, undeclared};

/// Never renamed: old conditions would stay for ever.
const FIELD_MANAGER: &str = "avnm-operator-status";

/// So much of the lease must be left before status is written. The version guards a status too, so a second will do.
pub(crate) const MARGIN: Duration = Duration::from_secs(1);

/// Ends a pass: writes what it shows, if that changed, and tells what happened. Gives the object as it was written, and
/// when to look again, if at all: sooner than the pass wants to where Kubernetes did not let it through.
pub(crate) async fn show<K, S, M>(
    shared: &Shared,
    object: &K,
    (shown, wanted): (&S, &S),
    happenings: &[Happening],
    remembered: &mut Remembered<K, M>,
    wait: Option<Duration>,
) -> (Option<K>, Option<Duration>)
where
    K: Place,
    S: Serialize + PartialEq,
{
    if wanted == shown && !broken(Mutant::StatusAlways) {
        remembered.let_through();
        return (None, wait);
    }
    let written = match shared.lease.check("write status", MARGIN) {
        Ok(()) => write(&shared.client, object, wanted).await,
        Err(fault) => Err(fault),
    };
    match written {
        Ok(new) => {
            // The derived kinds borrow their names.
            if let Cow::Borrowed(kind) = K::kind(&()) {
                shared.metrics.status_write(kind);
            }
            remembered.let_through();
            remembered.wrote(object, &new);
            for happening in happenings {
                shared.events.tell(&new, happening).await;
            }
            (Some(new), wait)
        }
        Err(fault) => {
            if fault.is_refusal() {
                refusal::tell(shared, object, &fault).await;
            } else {
                tracing::debug!(%fault, "status was not written");
            }
            (None, Some(remembered.barred(&fault, shared.settings.waits.retry_max)))
        }
    }
}

/// Writes the whole status, but for what the served kind does not know. A stale writer gets a conflict, and its pass ends.
pub(crate) async fn write<K, S>(client: &Client, object: &K, status: &S) -> Result<K, KubeFault>
where
    K: Place,
    S: Serialize,
{
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    let api = K::api(client, &namespace);
    let mut body = serde_json::json!({
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
    let target = format!("{namespace}/{name}");
    let mut rounds = 0;
    loop {
        let patch = Patch::Apply(&body);
        let written = kube_io::call("write status", &target, api.patch_status(&name, &params, &patch)).await;
        let Err(fault) = written else { return written };
        rounds += 1;
        if rounds == undeclared::ROUNDS || !undeclared::take_out(&mut body, &fault.message) {
            return Err(fault);
        }
        tracing::debug!(%fault, "the kinds are older than this operator: written without this");
    }
}
