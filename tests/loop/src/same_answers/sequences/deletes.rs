//! Deletes, with finalizers and without.

use serde_json::{Value, json};

use super::{Sequence, member, members, with};

pub(super) fn sequence() -> Sequence {
    let at = members("deletes");
    let one = format!("{at}/one");
    let held = with(member("one"), &json!({"metadata": {"finalizers": ["avnm.dev/azure"]}}));
    let mut play = Sequence::in_namespace("deletes");
    play.post("free", &at, member("free"));
    play.delete(
        "another uid",
        &format!("{at}/free"),
        json!({"preconditions": {"uid": "11111111-1111-4111-8111-111111111111"}}),
    );
    play.delete("another version", &format!("{at}/free"), json!({"preconditions": {"resourceVersion": "1"}}));
    play.delete(
        "gone at once",
        &format!("{at}/free"),
        json!({"preconditions": {"uid": "${free.metadata.uid}"}}),
    );
    play.delete("gone already", &format!("{at}/free"), Value::Null);
    play.post("held", &at, held.clone());
    play.delete("marked", &one, Value::Null);
    play.delete("marked already", &one, Value::Null);
    play.post("again under its name", &at, member("one"));
    play.merge(
        "a new finalizer",
        &one,
        json!({"metadata": {"finalizers": ["avnm.dev/azure", "avnm.dev/late"]}}),
    );
    play.merge(
        "two new finalizers",
        &one,
        json!({"metadata": {"finalizers": ["b.dev/x", "avnm.dev/azure", "a.dev/x"]}}),
    );
    play.merge("a spec", &one, json!({"spec": {"suspend": true}}));
    let status = json!({
        "apiVersion": "avnm.dev/v1alpha1", "kind": "StaticMember", "metadata": {"name": "one"},
        "status": {"observedGeneration": 2}
    });
    play.apply("status", &format!("{one}/status?fieldManager=operator&force=true"), status);
    play.merge("a deletion taken back", &one, json!({"metadata": {"deletionTimestamp": null}}));
    let stale =
        json!({"metadata": {"resourceVersion": "${held.metadata.resourceVersion}", "finalizers": []}});
    play.merge("the last finalizer, stale", &one, stale);
    play.merge("the last finalizer", &one, json!({"metadata": {"finalizers": []}}));
    play.get("gone", &one);
    play.merge("patch of what is gone", &one, json!({"metadata": {"finalizers": []}}));
    play.post("new under its name", &at, held);
    play.delete("marked again", &one, Value::Null);
    let whole = with(
        member("one"),
        &json!({"metadata": {"resourceVersion": "${marked again.metadata.resourceVersion}"}}),
    );
    play.put("the last finalizer by PUT", &one, whole);
    play.get("gone again", &one);
    play
}
