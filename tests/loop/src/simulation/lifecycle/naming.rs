//! Names: what is renamed, what somebody else has under ours, and what is ours under another one.

use serde_json::{Value, json};

use super::{
    super::{
        act::Act::{
            self, Appear, Because, Before, Create, Delete, Gone, InAzure, NoWrites, Pass, Ready, Rest, Says,
            Suffer, Vanish,
        },
        faults::Fault,
        manifests::{self, CONNECTIONS, HUB, MEMBERS, OTHER},
    },
    LINK, VNET, credentials, ends, linked, made, spec,
};

/// A claim whose write is not answered is nothing that anyone lets go for. It hangs, so that there is time to do so.
pub(super) fn unwritten() -> Vec<Act> {
    let new = (CONNECTIONS, OTHER, "link");
    let mut heir = manifests::connection(OTHER, "link");
    heir["spec"]["adoptionPolicy"] = json!("Never");
    let mut acts = linked();
    acts.extend(credentials(OTHER));
    acts.extend([
        Create(heir),
        Because(new, "ClaimedByOther"),
        NoWrites,
        Before("connections.avnm.dev hub-2/link status".to_owned(), vec![Suffer(Fault::Hang)]),
        Delete(LINK),
        Gone(LINK),
        Ready(new),
        InAzure(2),
        NoWrites,
    ]);
    acts.extend(ends(&[new]));
    acts
}

/// New objects that declare the same, and then the old ones are deleted: the connection before its member.
pub(super) fn renamed() -> Vec<Act> {
    let (new, member, moved) =
        ((CONNECTIONS, HUB, "new"), (MEMBERS, HUB, "new"), (CONNECTIONS, OTHER, "link"));
    let never = |mut object: Value| {
        object["spec"]["adoptionPolicy"] = json!("Never");
        object
    };
    let mut confirmed = never(manifests::connection(OTHER, "link"));
    confirmed["spec"]["deletionPolicy"] = json!("Confirm");
    let mut acts = made();
    acts.extend([
        Create(never(manifests::connection(HUB, "new"))),
        Create(never(manifests::member(HUB, "new", "new"))),
        Because(new, "ClaimedByOther"),
        NoWrites,
        Delete(LINK),
        Delete(VNET),
        Gone(VNET),
        Gone(LINK),
        Ready(new),
        Ready(member),
    ]);
    acts.extend(credentials(OTHER));
    acts.extend([
        Create(confirmed),
        Because(moved, "ClaimedByOther"),
        Delete(new),
        Gone(new),
        Ready(moved),
        InAzure(3),
        NoWrites,
        Delete(member),
        Gone(member),
        Delete(moved),
        Because(moved, "DeletionBlocked"),
        InAzure(2),
        Act::Patch(moved, json!({"metadata": {"annotations": {"avnm.dev/confirm-delete": "true"}}})),
        Gone(moved),
        InAzure(0),
    ]);
    acts
}

/// Nothing of it is touched before it may be.
pub(super) fn foreign() -> Vec<Act> {
    let [scope, ..] = manifests::ids();
    let mut acts = credentials(HUB);
    acts.extend([
        Appear(scope.clone(), manifests::theirs("theirs")),
        Create(manifests::connection(HUB, "link")),
        Because(LINK, "Foreign"),
        Rest(1),
        Says(scope.clone(), "theirs"),
        spec(LINK, &json!({"adoptionPolicy": "Always"})),
        Ready(LINK),
        Says(scope, "ours"),
    ]);
    acts.extend(ends(&[LINK]));
    acts
}

pub(super) fn never() -> Vec<Act> {
    let [scope, ..] = manifests::ids();
    let mut connection = manifests::connection(HUB, "link");
    connection["spec"]["adoptionPolicy"] = json!("Never");
    let mut acts = credentials(HUB);
    acts.extend([
        Appear(scope.clone(), manifests::theirs("ours")),
        Create(connection),
        Because(LINK, "Foreign"),
        Delete(LINK),
        Gone(LINK),
        Says(scope.clone(), "ours"),
        Vanish(scope),
        InAzure(0),
    ]);
    acts
}

/// What is put back under the name of somebody else's is neither overwritten nor deleted; what was released stays.
pub(super) fn put_back() -> Vec<Act> {
    let victim = format!("{}/scopeConnections/victim", manifests::MANAGER);
    let [scope, ..] = manifests::ids();
    let named = json!({"name": "victim", "description": "ours",
        "credentialRef": {"kind": "TenantCredential", "name": "central"}});
    let mut acts = made();
    acts.extend([
        spec(LINK, &json!({"suspend": true, "adoptionPolicy": "Never"})),
        Appear(victim.clone(), manifests::theirs("theirs")),
        spec(LINK, &json!({"scopeConnection": null})),
        spec(LINK, &json!({"scopeConnection": named})),
        NoWrites,
        spec(LINK, &json!({"suspend": false})),
        Rest(1),
        NoWrites,
        Delete(VNET),
        Gone(VNET),
        Delete(LINK),
        Gone(LINK),
        Says(victim.clone(), "theirs"),
        Says(scope.clone(), "ours"),
        Vanish(victim),
        Vanish(scope),
        InAzure(0),
    ]);
    acts
}

pub(super) fn forestalled() -> Vec<Act> {
    let [scope, ..] = manifests::ids();
    let mut acts = credentials(HUB);
    acts.extend([
        Before("GET ".to_owned() + &scope, vec![Appear(scope.clone(), manifests::theirs("theirs"))]),
        Create(manifests::connection(HUB, "link")),
        Because(LINK, "Foreign"),
        Pass(25),
        Says(scope.clone(), "theirs"),
        Delete(LINK),
        Gone(LINK),
        Says(scope.clone(), "theirs"),
        Vanish(scope),
        InAzure(0),
    ]);
    acts
}

pub(super) fn overtaken() -> Vec<Act> {
    let [scope, ..] = manifests::ids();
    let made =
        vec![Appear(scope.clone(), manifests::theirs("theirs")), Suffer(Fault::CutBefore), Delete(LINK)];
    let mut acts = credentials(HUB);
    acts.extend([
        Before("PUT ".to_owned() + &scope, made),
        Create(manifests::connection(HUB, "link")),
        Pass(1),
        Gone(LINK),
        Says(scope.clone(), "theirs"),
        Vanish(scope),
        InAzure(0),
    ]);
    acts
}

pub(super) fn elsewhere() -> Vec<Act> {
    let other = format!("{}/scopeConnections/other", manifests::MANAGER);
    let mut acts = credentials(HUB);
    acts.extend([
        Appear(other.clone(), manifests::theirs("theirs")),
        Create(manifests::connection(HUB, "link")),
        Because(LINK, "AlreadyExistsAs"),
        Says(other.clone(), "theirs"),
        Vanish(other),
        Ready(LINK),
    ]);
    acts.extend(ends(&[LINK]));
    acts
}

/// What was left in Azure a moment ago is not taken over by who may not, though a list that is as new as lists have to be does
/// not show it.
pub(super) fn left_behind() -> Vec<Act> {
    let (second, [scope, manager, ..]) = ((CONNECTIONS, HUB, "second"), manifests::ids());
    let mut first = manifests::connection(HUB, "link");
    first["spec"]["deletionPolicy"] = json!("Orphan");
    let mut connection = manifests::connection(HUB, "second");
    connection["spec"]["adoptionPolicy"] = json!("Never");
    let mut acts = credentials(HUB);
    acts.extend([
        Create(first),
        Act::Ready(LINK),
        Delete(LINK),
        Gone(LINK),
        Create(connection),
        Because(second, "Foreign"),
        Delete(second),
        Gone(second),
        InAzure(2),
        Vanish(scope),
        Vanish(manager),
        InAzure(0),
    ]);
    acts
}
