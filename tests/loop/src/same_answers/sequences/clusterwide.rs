//! The kind that lies in no namespace.

use serde_json::{Value, json};

use super::{GUID, Sequence};

pub(super) fn sequence() -> Sequence {
    let at = "/apis/avnm.dev/v1alpha1/clustertenantcredentials";
    let one = format!("{at}/clusterwide");
    let credential = json!({
        "apiVersion": "avnm.dev/v1alpha1", "kind": "ClusterTenantCredential", "metadata": {"name": "clusterwide"},
        "spec": {
            "tenantId": GUID, "clientId": GUID, "clientSecret": {"secretRef": {"name": "s", "key": "k"}},
            "allowedNamespaces": {"names": ["a"]}
        }
    });
    let mut play = Sequence::new("clusterwide");
    play.post("made", at, credential.clone());
    play.get("get", &one);
    play.get("listed", at);
    play.get("in a namespace", "/apis/avnm.dev/v1alpha1/namespaces/default/clustertenantcredentials");
    play.post(
        "made in a namespace",
        "/apis/avnm.dev/v1alpha1/namespaces/default/clustertenantcredentials",
        credential.clone(),
    );
    play.post("with a namespace", at, {
        let mut credential = credential.clone();
        credential["metadata"] = json!({"name": "other", "namespace": "default"});
        credential
    });
    let status = json!({
        "apiVersion": "avnm.dev/v1alpha1", "kind": "ClusterTenantCredential",
        "metadata": {"name": "clusterwide", "namespace": null, "resourceVersion": "${made.metadata.resourceVersion}"},
        "status": {"observedGeneration": 1}
    });
    play.apply("status", &format!("{one}/status?fieldManager=operator&force=true"), status);
    play.merge("held", &one, json!({"metadata": {"finalizers": ["avnm.dev/in-use"]}}));
    play.delete("marked", &one, Value::Null);
    play.merge("let go", &one, json!({"metadata": {"finalizers": null}}));
    play.get("gone", &one);
    play
}
