//! Service accounts and their tokens.

use serde_json::{Value, json};

use super::Sequence;

pub(super) fn sequence() -> Sequence {
    let at = "/api/v1/namespaces/tokens/serviceaccounts";
    let token = format!("{at}/avnm/token");
    let ask =
        |spec: Value| json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec});
    let mut play = Sequence::in_namespace("tokens");
    play.post(
        "made",
        at,
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "avnm"}}),
    );
    play.get("get", &format!("{at}/avnm"));
    play.post(
        "token",
        &token,
        ask(json!({"audiences": ["api://AzureADTokenExchange"], "expirationSeconds": 3600})),
    );
    play.post(
        "token as kube sends it",
        &token,
        json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "metadata": {},
            "spec": {"audiences": ["a", "b"], "expirationSeconds": 600}
        }),
    );
    play.post("token for nobody in particular", &token, ask(json!({})));
    play.post("token too short", &token, ask(json!({"expirationSeconds": 60})));
    play.post("token of nobody", &format!("{at}/nobody/token"), ask(json!({})));
    play.get("get of a token", &token).look(&["/reason", "/code"]);
    play.delete("gone", &format!("{at}/avnm"), Value::Null);
    play.post("token of who is gone", &token, ask(json!({})));
    play.post(
        "made again",
        at,
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "avnm"}}),
    );
    play
}
