//! Secrets.

use serde_json::{Value, json};

use super::{Sequence, with};

pub(super) fn sequence() -> Sequence {
    let at = "/api/v1/namespaces/secrets/secrets";
    let one = format!("{at}/one");
    let secret =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "one"}, "data": {"a": "Yg=="}});
    let mut play = Sequence::in_namespace("secrets");
    play.post("made", at, with(secret.clone(), &json!({"stringData": {"c": "text"}})));
    play.get("get", &one);
    play.get("get metadata", &one).metadata_only();
    play.get("list", at);
    play.get("list metadata", at).metadata_list();
    play.merge("rotated", &one, json!({"data": {"a": "Yw==", "c": null}}));
    play.merge("by text", &one, json!({"stringData": {"d": "e"}}));
    play.merge("another type", &one, json!({"type": "other"}));
    play.put("whole, without a version", &one, with(secret.clone(), &json!({"type": "Opaque"})));
    play.put(
        "whole, stale",
        &one,
        with(secret.clone(), &json!({"metadata": {"resourceVersion": "${made.metadata.resourceVersion}"}})),
    );
    play.post(
        "no base64",
        at,
        with(secret.clone(), &json!({"metadata": {"name": "two"}, "data": {"a": "%%"}})),
    )
    .look(&["/reason"]);
    play.post("what nobody knows", at, with(secret, &json!({"metadata": {"name": "three"}, "unknown": 1})));
    play.delete("gone", &one, Value::Null);
    play.get("get nothing", &one);
    play
}
