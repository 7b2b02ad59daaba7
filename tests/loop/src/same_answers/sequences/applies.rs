//! Whole objects applied, as people and GitOps tools do.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Sequence, member, members, with};

/// A little more than one, so that what follows is written in another.
const SECOND: Duration = Duration::from_millis(1_100);

pub(super) fn sequence() -> Sequence {
    let at = members("applies");
    let one = format!("{at}/one");
    let by = |manager: &str| format!("{one}?fieldManager={manager}");
    let mut play = Sequence::in_namespace("applies");
    play.apply(
        "made",
        &by("flux"),
        with(
            member("one"),
            &json!({"spec": {"mode": "Enforce"}, "metadata": {"labels": {"a": "b", "c": "d"}}}),
        ),
    );
    play.apply(
        "the same again",
        &by("flux"),
        with(
            member("one"),
            &json!({"spec": {"mode": "Enforce"}, "metadata": {"labels": {"a": "b", "c": "d"}}}),
        ),
    );
    play.apply("less", &by("flux"), with(member("one"), &json!({"metadata": {"labels": {"a": "b"}}})));
    play.merge(
        "a person's word",
        &one,
        json!({"spec": {"suspend": true}, "metadata": {"labels": {"a": "x"}}}),
    )
    .agent("kubectl-edit/1");
    play.apply("a conflict", &by("flux"), with(member("one"), &json!({"spec": {"suspend": false}})));
    play.apply(
        "forced",
        &format!("{}&force=true", by("flux")),
        with(member("one"), &json!({"spec": {"suspend": false}})),
    );
    play.apply("not said any more", &by("flux"), member("one"));
    // An apply that changes nothing, but by its time moves its manager's entry behind another's, is a new version: the
    // managers write in different seconds, or the versions would hang on when the second ends.
    play.pause("a second later", SECOND);
    play.apply("shared", &by("argo"), with(member("one"), &json!({"spec": {"deletionPolicy": "Orphan"}})));
    play.apply("shared no more", &by("argo"), member("one"));
    let stale =
        with(member("one"), &json!({"metadata": {"resourceVersion": "${made.metadata.resourceVersion}"}}));
    play.apply("stale", &by("flux"), stale);
    play.pause("two seconds later", SECOND);
    play.apply(
        "status through the wrong face",
        &by("flux"),
        with(member("one"), &json!({"status": {"observedGeneration": 5}})),
    );
    play.apply(
        "finalizers",
        &by("flux"),
        with(member("one"), &json!({"metadata": {"finalizers": ["flux.dev/a"]}})),
    );
    play.merge(
        "another's finalizer",
        &one,
        json!({"metadata": {"finalizers": ["flux.dev/a", "avnm.dev/azure"]}}),
    );
    play.apply("our finalizer stays", &by("flux"), member("one"));
    play.apply("what nobody knows", &by("flux"), with(member("one"), &json!({"spec": {"unknown": 1}})));
    play.apply("not a word", &by("flux"), with(member("one"), &json!({"spec": {"mode": "x"}})));
    let uid = with(member("two"), &json!({"metadata": {"uid": "11111111-1111-4111-8111-111111111111"}}));
    play.apply("a uid of nothing", &format!("{at}/two?fieldManager=flux"), uid);
    play.apply(
        "refused as new",
        &format!("{at}/two?fieldManager=flux"),
        with(member("two"), &json!({"spec": {"mode": "x"}})),
    );
    play.apply("a null", &by("flux"), Value::Null).body = {
        let mut body = member("one");
        body["spec"]["mode"] = Value::Null;
        body
    };
    play.merge("force without apply", &format!("{one}?force=true"), json!({}));
    play.get("at the end", &one);
    play
}
