//! Status, as the operator writes it: applied whole, under one name, with the version that was read.

use serde_json::{Value, json};

use super::{GUID, Sequence, member, members, with};

fn status(status: &Value, metadata: &Value) -> Value {
    let body = json!({
        "apiVersion": "avnm.dev/v1alpha1", "kind": "StaticMember", "metadata": {"name": "one"}, "status": status
    });
    with(body, &json!({"metadata": metadata}))
}

fn condition(kind: &str, word: &str, reason: &str) -> Value {
    json!({
        "type": kind, "status": word, "reason": reason, "message": "m", "observedGeneration": 1,
        "lastTransitionTime": "2026-01-01T00:00:00Z"
    })
}

pub(super) fn sequence() -> Sequence {
    let at = members("statuses");
    let one = format!("{at}/one");
    let ours = format!("{one}/status?fieldManager=avnm-operator-status&force=true");
    let mut play = Sequence::in_namespace("statuses");
    play.post("created", &at, member("one"));
    let claim = json!({
        "credentialRef": {"kind": "TenantCredential", "name": "hub"}, "origin": "Created", "phase": "Intended",
        "since": "2026-01-01T00:00:00Z", "tenantId": GUID, "uid": "u", "bodyHash": "h"
    });
    let first = json!({
        "observedGeneration": 1, "claim": claim,
        "conditions": [condition("Ready", "False", "Pending"), condition("Synced", "True", "Synced")]
    });
    let version =
        json!({"uid": "${created.metadata.uid}", "resourceVersion": "${created.metadata.resourceVersion}"});
    play.apply("first", &ours, status(&first, &version));
    play.apply("stale", &ours, status(&first, &version));
    play.apply("the same again", &ours, status(&first, &json!({})));
    play.apply("the same with its namespace", &ours, status(&first, &json!({"namespace": "statuses"})));
    let held = with(first.clone(), &json!({"claim": {"phase": "Held"}}));
    play.apply(
        "one word",
        &ours,
        status(&held, &json!({"resourceVersion": "${first.metadata.resourceVersion}"})),
    );
    let less = json!({"observedGeneration": 2, "conditions": [condition("Suspended", "True", "Suspended"), condition("Ready", "True", "Held")]});
    play.apply("claim and condition gone", &ours, status(&less, &json!({})));
    play.apply("nothing left", &ours, status(&json!({}), &json!({})));
    play.apply("no status at all", &ours, with(status(&json!({}), &json!({})), &json!({"status": null})));
    play.apply("back again", &ours, status(&held, &json!({})));
    refused(&mut play, &ours, &held, &at);
    play.merge(
        "a stranger's word",
        &format!("{one}/status"),
        json!({"status": {"lastHandledReconcileAt": "x"}}),
    )
    .agent("stranger/1");
    play.apply("not ours", &ours, status(&held, &json!({})));
    let contested = with(held.clone(), &json!({"lastHandledReconcileAt": "y"}));
    let polite = format!("{one}/status?fieldManager=avnm-operator-status");
    play.apply("a conflict", &polite, status(&contested, &json!({})));
    play.apply("forced", &ours, status(&contested, &json!({})));
    play.apply("gone for both", &ours, status(&held, &json!({})));
    play.apply(
        "another's apply",
        &format!("{one}/status?fieldManager=other&force=true"),
        status(&json!({"observedGeneration": 9}), &json!({})),
    );
    play.apply(
        "two conflicts",
        &format!("{one}/status?fieldManager=third"),
        status(&json!({"observedGeneration": 10, "claim": {"phase": "Intended"}}), &json!({})),
    );
    play.apply(
        "spec through this face",
        &ours,
        with(status(&held, &json!({})), &json!({"spec": {"suspend": true}})),
    );
    let mut whole = member("one");
    whole["metadata"]["resourceVersion"] = json!("${spec through this face.metadata.resourceVersion}");
    whole["status"] = json!({"observedGeneration": 3});
    whole["spec"]["suspend"] = json!(true);
    whole["metadata"]["labels"] = json!({"a": "b"});
    play.put("by PUT", &format!("{one}/status"), whole);
    play.get("at the end", &one);
    play
}

fn refused(play: &mut Sequence, ours: &str, held: &Value, at: &str) {
    let mut bad = |name: &str, patch: Value, metadata: Value| {
        play.apply(name, ours, status(&with(held.clone(), &patch), &metadata));
    };
    bad("an unknown field", json!({"unknown": 1}), json!({}));
    bad("an unknown field below", json!({"claim": {"unknown": 1}}), json!({}));
    bad("not a word", json!({"claim": {"phase": "Maybe"}}), json!({}));
    bad("another type", json!({"observedGeneration": "x"}), json!({}));
    bad("too long", json!({"lastHandledReconcileAt": "x".repeat(300)}), json!({}));
    bad("something missing", json!({"claim": {"uid": null}}), json!({}));
    bad(
        "a condition twice",
        json!({"conditions": [condition("Ready", "True", "A"), condition("Ready", "True", "B")]}),
        json!({}),
    );
    bad("another uid", json!({}), json!({"uid": "11111111-1111-4111-8111-111111111111"}));
    bad("another name", json!({}), json!({"name": "two"}));
    bad("managed fields", json!({}), json!({"managedFields": []}));
    let body = status(held, &json!({"name": "nothing"}));
    play.apply("of nothing", &format!("{at}/nothing/status?fieldManager=x&force=true"), body);
    let body = status(held, &json!({}));
    play.apply("no manager", &format!("{at}/one/status?force=true"), body.clone());
    play.apply("another version", ours, with(body.clone(), &json!({"apiVersion": "avnm.dev/v9"})));
    play.apply("another kind", ours, with(body, &json!({"kind": "TenantCredential"})));
}
