//! Two processes and one lease.

use serde_json::json;

use super::{
    super::{
        act::Act::{self, CutLease, Pass, Ready, Says, StandBy, Stranger},
        manifests,
    },
    LINK, VNET, ends, made, spec,
};

/// The leader keeps its watches and its way to Azure, and loses its lease: it stops before the other one begins.
pub(super) fn two_replicas() -> Vec<Act> {
    let [scope, manager, ..] = manifests::ids();
    let mut acts = made();
    acts.extend([
        StandBy,
        Pass(1),
        CutLease,
        // Long enough for another one to have it.
        Pass(5),
        spec(LINK, &json!({"scopeConnection": {"description": "changed"}})),
        Stranger(1, json!({"description": "theirs"})),
        Pass(25),
        Ready(LINK),
        Says(scope, "changed"),
        Says(manager, "ours"),
    ]);
    acts.extend(ends(&[VNET, LINK]));
    acts
}
