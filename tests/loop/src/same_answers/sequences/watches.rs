//! Watches: from a version, from now, narrowed, with bookmarks, and too old.

use serde_json::{Value, json};

use super::{Sequence, credential, credentials};

pub(super) fn sequence() -> Sequence {
    let at = credentials("watches");
    let mut play = Sequence::in_namespace("watches");
    play.get("before", &at);
    play.post("a", &at, credential("a", "left"));
    play.post("b", &at, credential("b", "right"));
    play.merge("a moves", &format!("{at}/a"), json!({"metadata": {"labels": {"side": "right"}}}));
    play.merge("a is held", &format!("{at}/a"), json!({"metadata": {"finalizers": ["avnm.dev/in-use"]}}));
    play.delete("a is marked", &format!("{at}/a"), Value::Null);
    play.merge("a goes", &format!("{at}/a"), json!({"metadata": {"finalizers": []}}));
    play.delete("b goes", &format!("{at}/b"), Value::Null);
    play.post("c", &at, credential("c", "left"));
    let from = "resourceVersion=${before.metadata.resourceVersion}";
    play.watch("all of it", &format!("{at}?watch=1&{from}"), 8);
    play.watch("left only", &format!("{at}?watch=true&{from}&labelSelector=side%3Dleft"), 3);
    play.watch("by name", &format!("{at}?watch=1&{from}&fieldSelector=metadata.name%3Db"), 2);
    play.watch(
        "from the middle",
        &format!("{at}?watch=1&resourceVersion=${{a is held.metadata.resourceVersion}}"),
        4,
    );
    play.watch("metadata only", &format!("{at}?watch=1&{from}"), 2).metadata_only();
    play.watch("from now on", &format!("{at}?watch=1"), 1);
    play.watch("from any version", &format!("{at}?watch=1&resourceVersion=0"), 1);
    play.watch("too old", &format!("{at}?watch=1&resourceVersion=1"), 2);
    play.watch("no version at all", &format!("{at}?watch=1&resourceVersion=abc"), 1);
    let newest = "resourceVersion=${c.metadata.resourceVersion}";
    play.watch_to_its_end("to its end", &format!("{at}?watch=1&timeoutSeconds=3&{newest}"), 1);
    play.watch_to_its_end(
        "to its end with bookmarks",
        &format!("{at}?watch=1&timeoutSeconds=4&allowWatchBookmarks=true&{newest}"),
        2,
    );
    let from_middle = "resourceVersion=${a is held.metadata.resourceVersion}";
    play.watch(
        "events, then a bookmark before its end",
        &format!("{at}?watch=1&timeoutSeconds=5&allowWatchBookmarks=true&{from_middle}"),
        9,
    );
    let list = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    play.watch("a list as a watch", &format!("{at}?{list}"), 2);
    play.watch("a list as a watch, metadata only", &format!("{at}?{list}"), 2).metadata_only();
    play.watch(
        "a list as a watch, without its match",
        &format!("{at}?watch=1&sendInitialEvents=true&allowWatchBookmarks=true"),
        1,
    );
    play
}
