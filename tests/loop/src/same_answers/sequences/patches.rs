//! Merge patches: what the operator sends for finalizers, and people for everything.

use serde_json::json;

use super::{Sequence, member, members};

pub(super) fn sequence() -> Sequence {
    let at = members("patches");
    let one = format!("{at}/one");
    let mut play = Sequence::in_namespace("patches");
    play.post("created", &at, member("one"));
    play.merge("nothing", &one, json!({}));
    play.merge("a label", &one, json!({"metadata": {"labels": {"a": "b"}}})).agent("kubectl-label/1");
    play.merge("the same label", &one, json!({"metadata": {"labels": {"a": "b"}}})).agent("kubectl-label/1");
    play.merge("a spec", &one, json!({"spec": {"suspend": true, "mode": "Observe"}})).agent("kubectl-edit/1");
    play.merge("a field taken out", &one, json!({"spec": {"mode": null}}));
    play.merge("a field taken over", &one, json!({"spec": {"suspend": false}})).agent("other/1");
    let stale = json!({"metadata": {"resourceVersion": "${created.metadata.resourceVersion}", "finalizers": ["avnm.dev/azure"]}});
    play.merge("finalizers, stale", &one, stale);
    play.merge(
        "finalizers",
        &one,
        json!({"metadata": {
            "resourceVersion": "${a field taken over.metadata.resourceVersion}", "uid": "${created.metadata.uid}",
            "finalizers": ["avnm.dev/azure", "avnm.dev/in-use"]
        }}),
    );
    play.merge("one finalizer less", &one, json!({"metadata": {"finalizers": ["avnm.dev/azure"]}}));
    play.merge("another uid", &one, json!({"metadata": {"uid": "11111111-1111-4111-8111-111111111111"}}));
    play.merge("another name", &one, json!({"metadata": {"name": "two"}}));
    play.merge("another namespace", &one, json!({"metadata": {"namespace": "default"}}));
    play.merge("another kind", &one, json!({"kind": "TenantCredential"}));
    play.merge("status through the wrong face", &one, json!({"status": {"observedGeneration": 5}}));
    play.merge(
        "status",
        &format!("{one}/status"),
        json!({"status": {"observedGeneration": 2}, "spec": {"suspend": true}}),
    );
    play.merge("not a word", &one, json!({"spec": {"mode": "Sometimes"}}));
    play.merge("not a spec", &one, json!({"spec": null}));
    play.merge("what nobody knows", &one, json!({"spec": {"unknown": 1}}));
    play.merge("of nothing", &format!("{at}/nothing"), json!({"spec": {"suspend": true}}));
    play.merge("no object", &one, json!(["a"]));
    play.merge(
        "a manager",
        &format!("{one}?fieldManager=named"),
        json!({"metadata": {"annotations": {"x": "y"}}}),
    );
    play.get("at the end", &one);
    play
}
