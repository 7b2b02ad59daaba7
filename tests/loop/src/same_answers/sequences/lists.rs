//! Lists: whole, narrowed, page by page, old and new.

use serde_json::Value;

use super::{Sequence, credential, credentials};

pub(super) fn sequence() -> Sequence {
    let at = credentials("lists");
    let mut play = Sequence::in_namespace("lists");
    play.get("empty", &at);
    for (name, side) in [("b", "left"), ("a", "right"), ("d", "left"), ("c", "left"), ("e", "right")] {
        play.post(name, &at, credential(name, side));
    }
    play.get("all", &at);
    play.get("metadata", &at).metadata_list();
    play.get("first page", &format!("{at}?limit=2"));
    play.get("second page", &format!("{at}?limit=2&continue=${{first page.metadata.continue}}"));
    play.delete("one goes", &format!("{at}/e"), Value::Null);
    play.get("last page, as it was", &format!("{at}?limit=2&continue=${{second page.metadata.continue}}"));
    play.get("the rest at once, as it was", &format!("{at}?continue=${{first page.metadata.continue}}"));
    play.get("no such token", &format!("{at}?limit=2&continue=nonsense"));
    play.get("labelled", &format!("{at}?labelSelector=side%3Dleft"));
    play.get("not labelled", &format!("{at}?labelSelector=side!%3Dleft"));
    play.get("labelled in", &format!("{at}?labelSelector=side%20in%20(right,up),!other"));
    play.get("labelled, a page", &format!("{at}?limit=1&labelSelector=side%3Dleft"));
    play.get("by name", &format!("{at}?fieldSelector=metadata.name%3Da"));
    play.get("by a field that cannot be selected", &format!("{at}?fieldSelector=spec.tenantId%3Da"));
    play.get("a broken selector", &format!("{at}?labelSelector=%3D%3D"));
    play.get("any version, until it shows", &format!("{at}?resourceVersion=0")).look(&["/kind", "/metadata"]);
    play.get(
        "exact",
        &format!("{at}?resourceVersion=${{all.metadata.resourceVersion}}&resourceVersionMatch=Exact"),
    );
    play.get(
        "not older than",
        &format!("{at}?resourceVersion=${{e.metadata.resourceVersion}}&resourceVersionMatch=NotOlderThan"),
    )
    .look(&["/kind"]);
    play.get("of the future", &format!("{at}?resourceVersion=999999999&resourceVersionMatch=NotOlderThan"));
    play.get("match without a version", &format!("{at}?resourceVersionMatch=Exact"));
    play.get("exact zero", &format!("{at}?resourceVersion=0&resourceVersionMatch=Exact"));
    play.get("a version that is no number", &format!("{at}?resourceVersion=abc"));
    play.get("over all namespaces", "/apis/avnm.dev/v1alpha1/tenantcredentials?labelSelector=side%3Dleft");
    play.get("one at any version", &format!("{at}/a?resourceVersion=0")).look(&["/metadata/name"]);
    play.delete("all that are left", &format!("{at}?labelSelector=side%3Dleft"), Value::Null)
        .look(&["/kind"]);
    play.get("what is left", &at);
    play
}
