//! What the cluster does: wishes that change meanwhile, other versions, policies, tools, clocks.

use serde_json::{Value, json};

use super::{
    super::{
        act::Act::{
            self, Because, Before, Crd, Create, Delete, Gone, Held, InAzure, NoWrites, Pass, Patch, Ready,
            Refuse, Rest, Restart, Says, Step, Stranger, Told, Vanish,
        },
        manifests::{self, CONNECTIONS, HUB, OTHER},
    },
    LINK, VNET, credentials, ends, linked, made, spec,
};

/// The live read before a DELETE finds Orphan; the one before a correction finds that it is suspended.
pub(super) fn meanwhile() -> Vec<Act> {
    let [scope, manager, ..] = manifests::ids();
    let read = "Get crosstenantconnections.avnm.dev hub/link";
    let mut acts = linked();
    acts.extend([
        Stranger(0, json!({"description": "theirs"})),
        Before(read.to_owned(), vec![spec(LINK, &json!({"suspend": true}))]),
        Pass(25),
        Says(scope.clone(), "theirs"),
        spec(LINK, &json!({"suspend": false})),
        Ready(LINK),
        Says(scope.clone(), "ours"),
        Before(read.to_owned(), vec![spec(LINK, &json!({"deletionPolicy": "Orphan"}))]),
        Delete(LINK),
        Gone(LINK),
        InAzure(2),
        Vanish(scope),
        Vanish(manager),
        InAzure(0),
    ]);
    acts
}

/// The CRD of a newer version: one more word, and one more field.
fn newer(crd: &mut Value) {
    let spec =
        &mut crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"];
    if let Some(words) = spec["deletionPolicy"]["enum"].as_array_mut() {
        words.push(json!("Archive"));
    }
    spec["ofTheFuture"] = json!({"type": "string"});
}

pub(super) fn skewed() -> Vec<Act> {
    let second = (CONNECTIONS, OTHER, "second");
    let mut acts = made();
    acts.extend(credentials(OTHER));
    acts.extend([
        Crd(CONNECTIONS, newer),
        // A field that is not known is nothing to us: drift is corrected.
        spec(LINK, &json!({"ofTheFuture": "x"})),
        Ready(LINK),
        Stranger(0, json!({"description": "theirs"})),
        Pass(25),
        Says(manifests::ids()[0].clone(), "ours"),
        spec(LINK, &json!({"deletionPolicy": "Archive"})),
        Because(LINK, "InvalidSpec"),
        NoWrites,
        Restart,
        Create(manifests::connection(OTHER, "second")),
        Because(second, "ClaimedByOther"),
        Pass(25),
        NoWrites,
        spec(LINK, &json!({"deletionPolicy": "Delete"})),
        Ready(LINK),
        Delete(second),
        Gone(second),
        InAzure(3),
    ]);
    acts.extend(ends(&[VNET, LINK]));
    acts
}

pub(super) fn crd_goes() -> Vec<Act> {
    let mut acts = linked();
    acts.extend([
        NoWrites,
        Delete(("customresourcedefinitions.apiextensions.k8s.io", "", CONNECTIONS)),
        Because(LINK, "DeletionBlocked"),
        Pass(10),
        NoWrites,
        InAzure(2),
        Patch(LINK, json!({"metadata": {"annotations": {"avnm.dev/confirm-delete": "true"}}})),
        Gone(LINK),
        InAzure(0),
    ]);
    acts
}

pub(super) fn refused() -> Vec<Act> {
    let mut acts = credentials(HUB);
    acts.extend([
        Refuse(true),
        Create(manifests::connection(HUB, "link")),
        Pass(5),
        Told("KubernetesRefused", 1),
        InAzure(0),
        Refuse(false),
        Ready(LINK),
    ]);
    acts.extend(ends(&[LINK]));
    acts
}

pub(super) fn stripped() -> Vec<Act> {
    let mut acts = linked();
    acts.extend([
        Patch(LINK, json!({"metadata": {"finalizers": null}})),
        Pass(2),
        Held(LINK, "avnm.dev/azure"),
        Told("FinalizerRestored", 1),
    ]);
    acts.extend(ends(&[LINK]));
    acts
}

pub(super) fn stepping() -> Vec<Act> {
    let mut acts = made();
    acts.extend([
        Step(3 * 3600),
        Rest(1),
        Stranger(1, json!({"description": "theirs"})),
        Step(-5 * 3600),
        // What Azure refused is sent again after an hour.
        Pass(70),
        Says(manifests::ids()[1].clone(), "ours"),
        Rest(1),
        Delete(LINK),
        Step(-3600),
        Delete(VNET),
        Gone(VNET),
        Gone(LINK),
        InAzure(0),
    ]);
    acts
}
