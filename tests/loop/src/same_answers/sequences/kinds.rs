//! A kind that comes, is exchanged for a newer and an older one, and goes.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Sequence, with};

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const NAME: &str = "probes.test.avnm.dev";

fn crd(spec: &Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": NAME},
        "spec": {
            "group": "test.avnm.dev", "scope": "Namespaced",
            "names": {"plural": "probes", "singular": "probe", "kind": "Probe", "listKind": "ProbeList"},
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {
                    "spec": spec, "status": {"type": "object", "properties": {"word": {"type": "string"}}}
                }}}
            }]
        }
    })
}

fn schema(extra: &Value) -> Value {
    with(
        json!({"type": "object", "properties": {
            "name": {"type": "string"},
            "count": {"type": "integer", "default": 3},
            "nested": {"type": "object", "default": {}, "properties": {"deep": {"type": "string", "default": "d"}}},
            "items": {
                "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"],
                "items": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "value": {"type": "string"}}}
            },
            "words": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            "either": {"x-kubernetes-int-or-string": true},
            "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "maybe": {"type": "string", "nullable": true}
        }}),
        extra,
    )
}

pub(super) fn sequence() -> Sequence {
    let at = "/apis/test.avnm.dev/v1/namespaces/kinds/probes";
    let own = format!("{CRDS}/{NAME}");
    let probe = |name: &str, spec: Value| json!({"apiVersion": "test.avnm.dev/v1", "kind": "Probe", "metadata": {"name": name}, "spec": spec});
    let exchange = |play: &mut Sequence, name: &str, spec: Value| {
        play.merge(name, &own, json!({"spec": {"versions": crd(&spec)["spec"]["versions"]}}))
            .look(&["/kind", "/metadata/generation"]);
        play.pause(&format!("{name}: it takes effect"), Duration::from_secs(2));
    };
    let mut play = Sequence::in_namespace("kinds");
    play.get("not yet", at);
    play.get("no definition", &own);
    play.post("defined", CRDS, crd(&schema(&json!({})))).look(&[
        "/kind",
        "/metadata/name",
        "/metadata/generation",
    ]);
    play.until("served", at, 200).look(&["/kind"]);
    play.get("the definition", &own).look(&["/metadata/name", "/metadata/finalizers", "/spec/names"]);
    play.get("the definition's metadata", &own).metadata_only().look(&["/kind", "/metadata/name"]);
    let full = json!({
        "name": "n", "items": [{"id": "a", "value": "1"}, {"id": "b"}], "words": ["x", "y"], "either": 5,
        "open": {"any": {"thing": [1]}}, "maybe": null, "unknown": 1
    });
    play.post("filled in", at, probe("one", full));
    play.post("nothing in it", at, probe("empty", json!({})));
    play.post("twice the same item", at, probe("bad", json!({"items": [{"id": "a"}, {"id": "a"}]})));
    play.post("twice the same word", at, probe("bad", json!({"words": ["a", "a"]})));
    play.post("an item without its key", at, probe("bad", json!({"items": [{"value": "a"}]})));
    play.post("neither", at, probe("bad", json!({"either": true})));
    let by = |manager: &str| format!("{at}/one?fieldManager={manager}");
    play.apply(
        "an item applied",
        &by("x"),
        probe("one", json!({"items": [{"id": "c", "value": "3"}], "words": ["z"]})),
    );
    play.apply(
        "another's item",
        &by("y"),
        probe("one", json!({"items": [{"id": "d"}, {"id": "c", "value": "3"}]})),
    );
    play.apply("the first no more", &by("x"), probe("one", json!({"words": ["z"]})));
    play.apply("a conflict by key", &by("x"), probe("one", json!({"items": [{"id": "a", "value": "9"}]})));
    exchange(
        &mut play,
        "older",
        schema(
            &json!({"properties": {"name": null, "count": null, "fresh": {"type": "string", "default": "new"}}}),
        ),
    );
    play.get("read by the older", &format!("{at}/one"));
    play.get("listed by the older", at);
    play.watch("watched by the older", &format!("{at}?watch=1&resourceVersion=0"), 2);
    play.watch(
        "a version from before",
        &format!("{at}?watch=1&resourceVersion=${{filled in.metadata.resourceVersion}}"),
        1,
    )
    .look(&["/events/0/type", "/events/0/object/code", "/events/0/object/reason"]);
    exchange(&mut play, "newer again", schema(&json!({})));
    play.get("read by the newer", &format!("{at}/one"));
    exchange(&mut play, "older once more", schema(&json!({"properties": {"name": null}})));
    play.merge("written by the older", &format!("{at}/one"), json!({"metadata": {"labels": {"a": "b"}}}));
    exchange(
        &mut play,
        "newer for good",
        schema(&json!({"properties": {"name": {"maxLength": 5}, "count": {"maximum": 3}}})),
    );
    play.get("what the older took", &format!("{at}/one"));
    play.merge("what was too much stays", &format!("{at}/one"), json!({"metadata": {"labels": {"a": "c"}}}));
    play.merge("but not more of it", &format!("{at}/one"), json!({"spec": {"count": 4}}));
    play.merge("status", &format!("{at}/one/status"), json!({"status": {"word": "w"}}));
    ends(&mut play, at, &own, probe);
    play
}

fn ends(play: &mut Sequence, at: &str, own: &str, probe: impl Fn(&str, Value) -> Value) {
    play.merge("held", &format!("{at}/one"), json!({"metadata": {"finalizers": ["avnm.dev/azure"]}}));
    play.delete("the definition ends", own, Value::Null).look(&[
        "/kind",
        "/metadata/finalizers",
        "/metadata/generation",
    ]);
    play.until_field("its objects are marked", &format!("{at}/one"), "/metadata/generation", json!(4))
        .look(&["/metadata/finalizers"]);
    play.until("the free one is gone", &format!("{at}/empty"), 404);
    play.post("nothing new", at, probe("late", json!({})));
    play.apply("nothing new by apply", &format!("{at}/late?fieldManager=x"), probe("late", json!({})));
    play.merge("the held one can be written", &format!("{at}/one/status"), json!({"status": {"word": "v"}}))
        .look(&["/status"]);
    play.get("the definition waits", own).look(&["/metadata/finalizers"]);
    play.merge("let go", &format!("{at}/one"), json!({"metadata": {"finalizers": []}}))
        .look(&["/metadata/name"]);
    play.until("the definition is gone", own, 404);
    play.until("and with it the kind", at, 404);
}
