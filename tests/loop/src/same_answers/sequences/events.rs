//! Events, by both of their faces.

use serde_json::{Value, json};

use super::{Sequence, with};

pub(super) fn sequence() -> Sequence {
    let new = "/apis/events.k8s.io/v1/namespaces/events/events";
    let core = "/api/v1/namespaces/events/events";
    let event = json!({
        "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "one.1", "namespace": "events"},
        "action": "Adopt", "reason": "Adopted", "type": "Normal", "note": "told", "eventTime": "2026-01-01T00:00:00.000001Z",
        "reportingController": "avnm.dev/operator", "reportingInstance": "pod",
        "regarding": {"apiVersion": "avnm.dev/v1alpha1", "kind": "StaticMember", "name": "one", "namespace": "events", "uid": "u"}
    });
    let mut play = Sequence::in_namespace("events");
    play.post("told", new, event.clone());
    play.post("told again", new, event.clone());
    play.get("by the new face", &format!("{new}/one.1"));
    play.get("by the old face", &format!("{core}/one.1"));
    play.get("listed by the new face", new);
    play.get("listed by the old face", core);
    let series = json!({"series": {"count": 2, "lastObservedTime": "2026-01-01T00:00:05.000000Z"}});
    play.merge("a series", &format!("{new}/one.1"), with(event.clone(), &series));
    play.merge("a series of nothing", &format!("{new}/nothing.1"), with(event.clone(), &series));
    play.merge("another note", &format!("{new}/one.1"), json!({"note": "other"}));
    let mut bad = |name: &str, patch: Value| {
        play.post(name, new, with(with(event.clone(), &json!({"metadata": {"name": "bad.1"}})), &patch));
    };
    bad("no action", json!({"action": null}));
    bad("no reason", json!({"reason": null}));
    bad("no type", json!({"type": "Strange"}));
    bad("no controller", json!({"reportingController": null, "reportingInstance": null}));
    bad("a long note", json!({"note": "x".repeat(1025)}));
    bad("a long reason", json!({"reason": "x".repeat(129)}));
    bad(
        "of another namespace",
        json!({"regarding": {"namespace": "default"}, "metadata": {"name": "elsewhere.1"}}),
    );
    bad("of no namespace", json!({"regarding": {"namespace": null}}));
    bad("a long name", json!({"metadata": {"name": format!("{}.1", "a".repeat(253))}}));
    bad("no time", json!({"eventTime": null}));
    let old = json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "old.1"}, "reason": "Old", "message": "told",
        "type": "Normal", "involvedObject": {"kind": "Secret", "name": "s", "namespace": "events"}
    });
    play.post("an old one", core, old.clone());
    play.get("an old one by the new face", &format!("{new}/old.1"));
    play.post(
        "an old one of another namespace",
        core,
        with(old, &json!({"metadata": {"name": "old.2"}, "involvedObject": {"namespace": "x"}})),
    );
    play.delete("gone", &format!("{new}/one.1"), Value::Null);
    play
}
