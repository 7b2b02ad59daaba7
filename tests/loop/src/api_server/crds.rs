//! CustomResourceDefinitions: what is served changes with them, and they end only when nothing of their kind is left.

use serde_json::{Value, json};

use super::object;

/// The finalizer with which a CRD waits for its objects.
pub(crate) const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// What a CRD has although its author did not write it.
pub(crate) fn fill(crd: &mut Value) {
    let spec = &mut crd["spec"];
    if spec["conversion"].is_null() {
        spec["conversion"] = json!({"strategy": "None"});
    }
    let kind = spec["names"]["kind"].as_str().unwrap_or_default().to_owned();
    for (name, value) in [("singular", kind.to_lowercase()), ("listKind", format!("{kind}List"))] {
        if spec["names"][name].is_null() {
            spec["names"][name] = value.into();
        }
    }
}

/// A new CRD is served at once. The real server takes a moment.
pub(crate) fn establish(crd: &mut Value) {
    let names = crd["spec"]["names"].clone();
    let stored: Vec<Value> = crd["spec"]["versions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|version| version["storage"] == true)
        .map(|version| version["name"].clone())
        .collect();
    let time = object::text(crd, "creationTimestamp").to_owned();
    let condition = |kind: &str, reason: &str, message: &str| {
        json!({
            "type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": time
        })
    };
    crd["status"] = json!({
        "acceptedNames": names,
        "storedVersions": stored,
        "conditions": [
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ],
    });
}

/// A CRD that is to be deleted: it waits for its objects.
pub(crate) fn terminate(crd: &mut Value, now: &str) {
    object::set(crd, "deletionTimestamp", now.into());
    let mut finalizers: Vec<Value> = object::finalizers(crd).into_iter().map(Value::from).collect();
    if !finalizers.iter().any(|finalizer| finalizer == CLEANUP) {
        finalizers.push(CLEANUP.into());
    }
    object::set(crd, "finalizers", finalizers.into());
    condition(
        crd,
        "InstanceDeletionPending",
        "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
        now,
    );
}

/// How far the end of a CRD has come.
pub(crate) fn condition(crd: &mut Value, reason: &str, message: &str, now: &str) {
    let condition = json!({
        "type": "Terminating", "status": "True", "reason": reason, "message": message, "lastTransitionTime": now
    });
    if !crd["status"]["conditions"].is_array() {
        crd["status"]["conditions"] = json!([]);
    }
    if let Some(conditions) = crd["status"]["conditions"].as_array_mut() {
        conditions.retain(|condition| condition["type"] != "Terminating");
        conditions.push(condition);
    }
}
