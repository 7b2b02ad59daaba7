//! New objects: what is kept, what is filled in, what is refused.

use serde_json::{Value, json};

use super::{Sequence, member, members, with};

pub(super) fn sequence() -> Sequence {
    let at = members("creates");
    let mut play = Sequence::in_namespace("creates");
    play.post("valid", &at, member("one"));
    play.get("get", &format!("{at}/one"));
    play.get("get metadata", &format!("{at}/one")).metadata_only();
    play.get("get status", &format!("{at}/one/status"));
    play.get("get nothing", &format!("{at}/nothing"));
    play.get("get of a face that is not there", &format!("{at}/one/scale"));
    play.post("again", &at, member("one"));
    play.post("with a status", &at, with(member("two"), &json!({"status": {"observedGeneration": 7}})));
    play.post(
        "with what nobody knows",
        &at,
        with(
            member("three"),
            &json!({"spec": {"unknown": 1}, "other": {"a": 1}, "metadata": {"unknown": 1}}),
        ),
    );
    play.post("with a null", &at, with(member("null"), &json!({}))).body["spec"]["mode"] = Value::Null;
    let mut generated = member("x");
    generated["metadata"] = json!({"generateName": "made-", "labels": {"a": "b"}, "annotations": {"c": "d"}});
    play.post("generated name", &at, generated);
    let system = json!({"metadata": {
        "uid": "11111111-1111-4111-8111-111111111111", "generation": 7, "creationTimestamp": "2020-01-01T00:00:00Z",
        "deletionTimestamp": "2020-01-01T00:00:00Z", "finalizers": ["avnm.dev/azure"]
    }});
    play.post("with fields of the system", &at, with(member("four"), &system));
    refused(&mut play, &at);
    let two = format!("{at}/two");
    play.post("to an object", &two, member("two"));
    let elsewhere = "/apis/avnm.dev/v1alpha1/namespaces/creates/nothings";
    play.get("a kind that nobody serves", elsewhere);
    play.post("create of a kind that nobody serves", elsewhere, member("one"));
    play.get("a version that nobody serves", "/apis/avnm.dev/v9/namespaces/creates/staticmembers");
    play.post("dry run", &format!("{at}?dryRun=All"), member("dry"));
    play.get("after the dry run", &format!("{at}/dry"));
    play
}

fn refused(play: &mut Sequence, at: &str) {
    let mut bad = |name: &str, patch: Value| {
        play.post(name, at, with(member("bad"), &patch));
    };
    bad("a version", json!({"metadata": {"resourceVersion": "5"}}));
    bad("another namespace", json!({"metadata": {"namespace": "default"}}));
    bad("no name", json!({"metadata": {"name": null}}));
    bad("a bad name", json!({"metadata": {"name": "Not_A_Name"}}));
    bad("a long name", json!({"metadata": {"name": "a".repeat(254)}}));
    bad("a bad label", json!({"metadata": {"labels": {"a": "not a value"}}}));
    bad("a bad finalizer", json!({"metadata": {"finalizers": ["not a finalizer/"]}}));
    bad("a label of another type", json!({"metadata": {"labels": {"a": 1}}}));
    bad("another kind", json!({"kind": "TenantCredential"}));
    bad("another group", json!({"apiVersion": "other.dev/v1"}));
    bad("no kind", json!({"kind": null}));
    bad("no spec", json!({"spec": null}));
    bad("a field of another type", json!({"spec": {"suspend": "yes"}}));
    bad("a word that is not allowed", json!({"spec": {"mode": "Sometimes"}}));
    bad("too long", json!({"spec": {"connectionRef": {"name": "x".repeat(300)}}}));
    bad("too short", json!({"spec": {"credentialRef": {"name": ""}}}));
    bad("a rule", json!({"spec": {"networkGroupId": "not an id"}}));
    bad("a rule of the whole", json!({"spec": {"credentialRef": null}}));
    bad("two at once", json!({"spec": {"mode": "Sometimes", "deletionPolicy": "Never"}}));
    play.post("no body", at, Value::Null);
    let nowhere = members("nowhere");
    play.post("in no namespace", &nowhere, member("one"));
    play.post("over all namespaces", "/apis/avnm.dev/v1alpha1/staticmembers", member("one"));
}
