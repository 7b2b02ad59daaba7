//! What becomes of objects that nobody else wants.

use serde_json::json;

use super::{
    super::{
        act::Act::{
            self, Because, Create, Delete, EndNamespace, Gone, InAzure, NamespaceGone, NoWrites, Pass, Patch,
            Ready, Rest, Says, Stranger, Told,
        },
        manifests::{self, CONNECTIONS, HUB},
    },
    LINK, VNET, ends, linked, made, spec,
};

pub(super) fn made_and_deleted() -> Vec<Act> {
    let mut acts = made();
    acts.extend([Rest(1), Delete(LINK), Delete(VNET), Gone(VNET), Gone(LINK), InAzure(0)]);
    acts
}

/// It waits for its member, whoever waits for whom.
pub(super) fn blocked() -> Vec<Act> {
    let mut acts = made();
    acts.extend([Delete(LINK), Because(LINK, "DeletionBlocked"), Pass(5), InAzure(3), Delete(VNET)]);
    acts.extend([Gone(VNET), Gone(LINK), InAzure(0)]);
    acts
}

/// Descriptions, and a half that goes and comes.
pub(super) fn edited() -> Vec<Act> {
    let described = |text: &str| json!({"scopeConnection": {"description": text}});
    let half = json!({"name": "link", "description": "again",
        "credentialRef": {"kind": "TenantCredential", "name": "central"}});
    let [scope, manager, ..] = manifests::ids();
    let mut acts = made();
    acts.extend([
        spec(LINK, &described("changed")),
        Ready(LINK),
        Stranger(1, json!({"description": "theirs"})),
        Rest(1),
        Says(manager, "ours"),
        spec(LINK, &json!({"scopeConnection": null})),
        Because(LINK, "ConnectedAsSeenFromTarget"),
        spec(LINK, &json!({"scopeConnection": half, "adoptionPolicy": "Always"})),
        Ready(LINK),
        // Deleted behind our back, it is made again.
        Act::Vanish(scope.clone()),
        Pass(25),
        Ready(LINK),
        Says(scope, "again"),
    ]);
    acts.extend(ends(&[VNET, LINK]));
    acts
}

pub(super) fn orphaned() -> Vec<Act> {
    let second = (CONNECTIONS, HUB, "second");
    let mut acts = made();
    acts.extend([
        spec(LINK, &json!({"suspend": true})),
        spec(LINK, &json!({"suspend": false, "mode": "Observe"})),
        Because(LINK, "Observed"),
        spec(LINK, &json!({"mode": "Enforce", "deletionPolicy": "Orphan"})),
        Ready(LINK),
        Delete(LINK),
        Gone(LINK),
        InAzure(3),
        Create(manifests::connection(HUB, "second")),
        Ready(second),
        // Both halves, and a note of each.
        Pass(1),
        Told("Adopted", 2),
    ]);
    acts.extend(ends(&[VNET, second]));
    acts
}

pub(super) fn namespace_ends() -> Vec<Act> {
    let mut acts = made();
    acts.extend([EndNamespace(HUB), NamespaceGone(HUB), InAzure(0)]);
    acts
}

pub(super) fn hands_off() -> Vec<Act> {
    let [scope, ..] = manifests::ids();
    let mut acts = linked();
    acts.extend([
        spec(LINK, &json!({"mode": "Observe"})),
        Because(LINK, "Observed"),
        NoWrites,
        Stranger(0, json!({"description": "theirs"})),
        Because(LINK, "WouldChange"),
        Pass(25),
        NoWrites,
        spec(LINK, &json!({"mode": "Enforce", "suspend": true})),
        NoWrites,
        Pass(25),
        Says(scope.clone(), "theirs"),
        Delete(LINK),
        Because(LINK, "DeletionBlocked"),
        Pass(5),
        NoWrites,
        InAzure(2),
        spec(LINK, &json!({"suspend": false})),
        Gone(LINK),
        InAzure(0),
    ]);
    acts
}

pub(super) fn day_of_rest() -> Vec<Act> {
    let mut acts = made();
    acts.push(Rest(24));
    acts.extend(ends(&[VNET, LINK]));
    acts
}

pub(super) fn rotated() -> Vec<Act> {
    let secret = ("secrets", HUB, "app");
    let holds = |text: &str| Patch(secret, json!({"data": {"client-secret": manifests::encoded(text)}}));
    let mut acts = linked();
    acts.extend([
        holds("wrong"),
        spec(LINK, &json!({"scopeConnection": {"description": "changed"}})),
        Because(LINK, "CredentialNotReady"),
        Pass(15),
        holds(manifests::SECRET),
        Ready(LINK),
        Says(manifests::ids()[0].clone(), "changed"),
        Ready(("tenantcredentials.avnm.dev", HUB, "central")),
        // What is deleted while its credential cannot sign in stays until it can. The other half goes where its own still has a
        // token.
        holds("wrong"),
        Because(("tenantcredentials.avnm.dev", HUB, "central"), "SignInRefused"),
        Delete(LINK),
        Pass(10),
        Says(manifests::ids()[0].clone(), "changed"),
        holds(manifests::SECRET),
        Gone(LINK),
        InAzure(0),
    ]);
    acts
}
