//! What several objects, namespaces and credentials have to do with each other.

use serde_json::json;

use super::{
    super::{
        act::Act::{
            self, Appear, Because, Before, Create, Delete, Gone, Held, InAzure, Labels, Pass, Patch, Ready,
            Says, StaleWatches, Vanish,
        },
        manifests::{self, CONNECTIONS, HUB, OTHER, SHARED},
    },
    LINK, credentials, ends, linked, spec,
};

/// The credential of the cluster.
const LENT: super::On = ("clustertenantcredentials.avnm.dev", "", SHARED);

/// An older object that is suspended, and one that cannot sign in, keep nobody from anything.
pub(super) fn unwilling() -> Vec<Act> {
    let mut suspended = manifests::connection(OTHER, "idle");
    suspended["spec"]["suspend"] = json!(true);
    let mut nobody = manifests::connection(OTHER, "nobody");
    nobody["spec"]["scopeConnection"]["credentialRef"]["name"] = json!("nobody");
    let mut acts = credentials(OTHER);
    acts.extend([Create(suspended), Create(nobody), Pass(1)]);
    acts.extend(credentials(HUB));
    acts.extend([
        // What it can sign for it would have: then it is in the way with that half alone.
        Delete((CONNECTIONS, OTHER, "nobody")),
        Gone((CONNECTIONS, OTHER, "nobody")),
        Create(half_without_credential()),
        Pass(1),
        Create(manifests::connection(HUB, "link")),
        Ready(LINK),
        Delete((CONNECTIONS, OTHER, "idle")),
        Gone((CONNECTIONS, OTHER, "idle")),
        Delete((CONNECTIONS, OTHER, "half")),
        Gone((CONNECTIONS, OTHER, "half")),
        InAzure(2),
    ]);
    acts.extend(ends(&[LINK]));
    acts
}

/// Only the scope connection is its own, and its credential is not there.
fn half_without_credential() -> serde_json::Value {
    let mut object = manifests::connection(OTHER, "half");
    object["spec"]["scopeConnection"]["credentialRef"]["name"] = json!("nobody");
    if let Some(spec) = object["spec"].as_object_mut() {
        spec.remove("networkManagerConnection");
    }
    object
}

/// The first one makes the scope connection only; the second wants both, and makes the other half.
pub(super) fn halves() -> Vec<Act> {
    let second = (CONNECTIONS, OTHER, "second");
    let mut first = manifests::connection(HUB, "link");
    if let Some(spec) = first["spec"].as_object_mut() {
        spec.remove("networkManagerConnection");
    }
    let mut acts = credentials(HUB);
    acts.extend(credentials(OTHER));
    acts.extend([
        Create(first),
        Because(LINK, "PendingRemoteConnection"),
        InAzure(1),
        Create(manifests::connection(OTHER, "second")),
        Because(second, "ClaimedByOther"),
        Ready(LINK),
        InAzure(2),
        Delete(second),
        Gone(second),
        InAzure(1),
    ]);
    acts.extend(ends(&[LINK]));
    acts
}

/// The credential of the cluster, and a connection whose scope connection is signed by it.
fn borrowed() -> (Vec<Act>, serde_json::Value) {
    let mut acts = vec![Labels(HUB, &[("team", "hub")])];
    acts.extend(manifests::shared("hub").into_iter().map(Create));
    acts.extend(credentials(HUB));
    let mut connection = manifests::connection(HUB, "link");
    connection["spec"]["scopeConnection"]["credentialRef"] =
        json!({"kind": "ClusterTenantCredential", "name": SHARED});
    (acts, connection)
}

fn lends_to(team: &str) -> Act {
    spec(LENT, &json!({"allowedNamespaces": {"selector": {"matchLabels": {"team": team}}}}))
}

pub(super) fn lent() -> Vec<Act> {
    let [scope, ..] = manifests::ids();
    let (mut acts, connection) = borrowed();
    acts.extend([
        Create(connection),
        Ready(LINK),
        lends_to("others"),
        spec(LINK, &json!({"scopeConnection": {"description": "changed"}})),
        Because(LINK, "NamespaceNotAllowed"),
        Pass(25),
        Says(scope.clone(), "ours"),
        lends_to("hub"),
        Ready(LINK),
        Says(scope, "changed"),
        // By the namespace's label, too.
        Labels(HUB, &[("team", "others")]),
        Because(LINK, "NamespaceNotAllowed"),
        Labels(HUB, &[("team", "hub")]),
        Ready(LINK),
    ]);
    acts.extend(ends(&[LINK]));
    acts
}

/// Caches still say that it is lent.
pub(super) fn withdrawn() -> Vec<Act> {
    let [scope, ..] = manifests::ids();
    let list = format!("GET {}/scopeConnections", manifests::MANAGER);
    let (mut acts, connection) = borrowed();
    acts.extend([
        Appear(scope.clone(), manifests::theirs("ours")),
        Before(list, vec![StaleWatches, lends_to("others")]),
        Create(connection),
        Because(LINK, "NamespaceNotAllowed"),
        Delete(LINK),
        Gone(LINK),
        Says(scope.clone(), "ours"),
        Vanish(scope),
        InAzure(0),
    ]);
    acts
}

pub(super) fn moved() -> Vec<Act> {
    let (central, next) =
        (("tenantcredentials.avnm.dev", HUB, "central"), ("tenantcredentials.avnm.dev", HUB, "next"));
    let mut going = manifests::credential(HUB, "going", manifests::CENTRAL_TENANT);
    going["metadata"]["finalizers"] = json!(["example.com/stays"]);
    let signed_by = |name: &str| spec(LINK, &json!({"scopeConnection": {"credentialRef": {"name": name}}}));
    let mut acts = linked();
    acts.extend([
        Create(going),
        Delete(("tenantcredentials.avnm.dev", HUB, "going")),
        signed_by("going"),
        Delete(central),
        Pass(5),
        // What it holds still needs the old one.
        Held(central, "avnm.dev/in-use"),
        Create(manifests::credential(HUB, "next", manifests::CENTRAL_TENANT)),
        signed_by("next"),
        Ready(LINK),
        Gone(central),
        Held(next, "avnm.dev/in-use"),
        Patch(("tenantcredentials.avnm.dev", HUB, "going"), json!({"metadata": {"finalizers": null}})),
        Gone(("tenantcredentials.avnm.dev", HUB, "going")),
    ]);
    acts.extend(ends(&[LINK]));
    acts
}
