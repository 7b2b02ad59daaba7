//! What Azure does: late, lagging, changed by others, silent.

use avnm_emulator::ConnectionState;
use serde_json::json;

use super::{
    super::{
        act::Act::{
            self, Because, Before, Create, Deaf, Delete, Gone, InAzure, Mark, NoWrites, Pass, Ready, Says,
            Settings, State, Stranger, Suffer, Untold, WritesAtMost,
        },
        faults::Fault,
        manifests::{self, CONNECTIONS, HUB, MEMBERS},
    },
    LINK, VNET, credentials, ends, linked, made, spec,
};

/// A connection whose first PUT suffers this, and which is deleted at once.
fn late(fault: Fault) -> Vec<Act> {
    let [scope, ..] = manifests::ids();
    let mut acts = credentials(HUB);
    acts.extend([
        Before("PUT ".to_owned() + &scope, vec![Suffer(fault), Delete(LINK)]),
        Create(manifests::connection(HUB, "link")),
        Gone(LINK),
        Pass(3),
        InAzure(0),
    ]);
    acts
}

pub(super) fn late_after_cut() -> Vec<Act> {
    late(Fault::LateEffect)
}

pub(super) fn late_after_crash() -> Vec<Act> {
    late(Fault::CrashLate)
}

/// Reads show for eight seconds what was there before.
pub(super) fn lagging() -> Vec<Act> {
    let [scope, ..] = manifests::ids();
    let mut acts = credentials(HUB);
    acts.extend([
        Settings(json!({"consistency": {"staleReadMs": {"min": 8_000, "max": 8_000}}})),
        Before("PUT ".to_owned() + &scope, vec![Delete(LINK)]),
        Create(manifests::connection(HUB, "link")),
        Gone(LINK),
        Pass(1),
        InAzure(0),
    ]);
    acts
}

/// Of a member one absence is proof: one from before it was made is none.
pub(super) fn lagging_member() -> Vec<Act> {
    let [.., member] = manifests::ids();
    let mut acts = linked();
    acts.extend([
        Settings(json!({"consistency": {"staleReadMs": {"min": 8_000, "max": 8_000}}})),
        Before("PUT ".to_owned() + &member, vec![Delete(VNET)]),
        Create(manifests::member(HUB, "vnet01", "link")),
        Gone(VNET),
        Pass(1),
        InAzure(2),
    ]);
    acts.extend(ends(&[LINK]));
    acts
}

/// One DELETE of each half will do.
pub(super) fn slowly_gone() -> Vec<Act> {
    let mut acts = linked();
    acts.extend([
        Settings(json!({"consistency": {"lingerMs": {"min": 20_000, "max": 20_000}}})),
        Mark,
        Delete(LINK),
        Gone(LINK),
        WritesAtMost(2),
        InAzure(0),
    ]);
    acts
}

pub(super) fn lingering() -> Vec<Act> {
    let [scope, ..] = manifests::ids();
    let new = (CONNECTIONS, HUB, "new");
    let mut acts = linked();
    acts.extend([
        Settings(json!({"consistency": {"lingerMs": {"min": 20_000, "max": 20_000}}})),
        Before("DELETE ".to_owned() + &scope, vec![Create(manifests::connection(HUB, "new"))]),
        Delete(LINK),
        Gone(LINK),
        Ready(new),
        Untold("TakenOver"),
        InAzure(2),
    ]);
    acts.extend(ends(&[new]));
    acts
}

/// What is deleted to be made anew is not deleted while it could not be made: Azure has just refused another PUT.
pub(super) fn swapped() -> Vec<Act> {
    let [.., member] = manifests::ids();
    let second = (MEMBERS, HUB, "vnet02");
    let looked = json!({"metadata": {"annotations": {"reconcile.avnm.dev/requestedAt": "now"}}});
    let meanwhile = vec![
        Act::Appear(member.clone(), json!({"properties": {"resourceId": manifests::OTHER_NETWORK}})),
        Act::Patch(VNET, looked),
        Suffer(Fault::Status(429)),
    ];
    let mut acts = made();
    acts.extend([
        Before("PUT ".to_owned() + &manifests::beside(&member, "vnet02"), meanwhile),
        Create(manifests::central_member(HUB, "vnet02")),
        Pass(2),
        Ready(VNET),
        Act::Connects(member, manifests::NETWORK),
        Ready(second),
        InAzure(3),
    ]);
    acts.extend(ends(&[second, VNET, LINK]));
    acts
}

/// Three corrections, and then one an hour.
pub(super) fn contended() -> Vec<Act> {
    let mut acts = linked();
    acts.push(Mark);
    for n in 0..10 {
        acts.extend([Stranger(0, json!({"description": format!("theirs {n}")})), Pass(6)]);
    }
    acts.extend([Because(LINK, "Contended"), WritesAtMost(5), Delete(LINK), Gone(LINK), InAzure(0)]);
    acts
}

pub(super) fn in_conflict() -> Vec<Act> {
    let [scope, ..] = manifests::ids();
    let mut acts = linked();
    acts.extend([
        State(scope.clone(), Some(ConnectionState::Conflict)),
        Because(LINK, "Conflict"),
        NoWrites,
        spec(LINK, &json!({"scopeConnection": {"description": "changed"}})),
        Pass(25),
        NoWrites,
        State(scope.clone(), None),
        Ready(LINK),
        Says(scope, "changed"),
    ]);
    acts.extend(ends(&[LINK]));
    acts
}

/// What is not read is not Ready, and not gone either.
pub(super) fn unheard() -> Vec<Act> {
    let mut acts = credentials(HUB);
    acts.extend([
        Deaf(true),
        Create(manifests::connection(HUB, "link")),
        Pass(10),
        InAzure(0),
        Deaf(false),
        Ready(LINK),
        Deaf(true),
        NoWrites,
        Delete(LINK),
        Pass(10),
        NoWrites,
        InAzure(2),
        Deaf(false),
        Gone(LINK),
        InAzure(0),
    ]);
    acts
}
