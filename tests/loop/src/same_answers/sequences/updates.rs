//! Whole objects written anew.

use serde_json::{Value, json};

use super::{Sequence, member, members, with};

/// The object with the version of a step.
fn at_version(step: &str, patch: &Value) -> Value {
    let version = json!({"metadata": {"resourceVersion": format!("${{{step}.metadata.resourceVersion}}")}});
    with(with(member("one"), &version), patch)
}

pub(super) fn sequence() -> Sequence {
    let at = members("updates");
    let one = format!("{at}/one");
    let mut play = Sequence::in_namespace("updates");
    play.post("created", &at, member("one"));
    play.put("nothing changed", &one, at_version("created", &json!({})));
    play.put("nothing changed again", &one, at_version("nothing changed", &json!({})));
    play.put("labelled", &one, at_version("nothing changed", &json!({"metadata": {"labels": {"a": "b"}}})));
    play.put("stale", &one, at_version("created", &json!({"spec": {"suspend": true}})));
    play.put("suspended", &one, at_version("labelled", &json!({"spec": {"suspend": true}}))).agent("other/2");
    play.put(
        "status through the wrong face",
        &one,
        at_version("suspended", &json!({"spec": {"suspend": true}, "status": {"observedGeneration": 5}})),
    );
    play.put("without a version", &one, member("one"));
    play.put(
        "another uid",
        &one,
        at_version("suspended", &json!({"metadata": {"uid": "11111111-1111-4111-8111-111111111111"}})),
    );
    play.put(
        "another uid and stale",
        &one,
        at_version("created", &json!({"metadata": {"uid": "11111111-1111-4111-8111-111111111111"}})),
    );
    play.put(
        "its uid",
        &one,
        at_version(
            "suspended",
            &json!({"spec": {"suspend": false}, "metadata": {"uid": "${created.metadata.uid}"}}),
        ),
    );
    play.put("another name", &one, at_version("its uid", &json!({"metadata": {"name": "two"}})));
    play.put("no name", &one, at_version("its uid", &json!({"metadata": {"name": null}})));
    play.put(
        "what is immutable",
        &one,
        at_version("its uid", &json!({"spec": {"networkGroupId": changed()}})),
    );
    play.put("what is no word", &one, at_version("its uid", &json!({"spec": {"mode": "x"}})));
    play.put(
        "what is not there",
        &format!("{at}/nothing"),
        with(member("nothing"), &json!({"metadata": {"resourceVersion": "5"}})),
    );
    play.put(
        "fields of the system",
        &one,
        at_version("its uid", &json!({"metadata": {
            "generation": 9, "creationTimestamp": "2020-01-01T00:00:00Z", "deletionTimestamp": "2020-01-01T00:00:00Z"
        }})),
    );
    play.get("at the end", &one);
    play
}

fn changed() -> String {
    let id = member("one")["spec"]["networkGroupId"].as_str().unwrap_or_default().to_owned();
    format!("{id}2")
}
