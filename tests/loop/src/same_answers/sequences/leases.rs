//! The lease of leader election.

use serde_json::{Value, json};

use super::{Sequence, with};

pub(super) fn sequence() -> Sequence {
    let at = "/apis/coordination.k8s.io/v1/namespaces/leases/leases";
    let one = format!("{at}/one");
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "one"},
        "spec": {
            "holderIdentity": "a", "leaseDurationSeconds": 15, "leaseTransitions": 0,
            "acquireTime": "2026-01-01T00:00:00.000000Z", "renewTime": "2026-01-01T00:00:00.123456Z"
        }
    });
    let at_version = |step: &str, patch: &Value| {
        let version =
            json!({"metadata": {"resourceVersion": format!("${{{step}.metadata.resourceVersion}}")}});
        with(with(lease.clone(), &version), patch)
    };
    let mut play = Sequence::in_namespace("leases");
    play.get("not yet", &one);
    play.post("taken", at, lease.clone());
    play.post("taken again", at, lease.clone());
    play.get("read", &one);
    play.put(
        "renewed",
        &one,
        at_version("taken", &json!({"spec": {"renewTime": "2026-01-01T00:00:02.000000Z"}})),
    );
    play.put("stale", &one, at_version("taken", &json!({"spec": {"holderIdentity": "b"}})));
    play.put(
        "taken over",
        &one,
        at_version("renewed", &json!({"spec": {"holderIdentity": "b", "leaseTransitions": 1}})),
    )
    .agent("b/1");
    play.put("without a version", &one, lease.clone());
    play.put("no duration", &one, at_version("taken over", &json!({"spec": {"leaseDurationSeconds": 0}})));
    play.put(
        "released",
        &one,
        at_version("taken over", &json!({"spec": {"holderIdentity": null, "leaseDurationSeconds": 1}})),
    );
    play.put("made by PUT", &format!("{at}/two"), with(lease.clone(), &json!({"metadata": {"name": "two"}})));
    play.get("listed", at);
    play.delete("gone", &one, Value::Null);
    play
}
