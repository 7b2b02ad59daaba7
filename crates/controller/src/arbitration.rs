//! Enters what an object wants or holds among the contenders of its kind, thing by thing, and wakes whom that concerns.

use std::collections::HashSet;

use avnm_api::ClaimPhase;
use avnm_plan::{
    arbitration::Claimant,
    item::{Item, Standing, is_of_another},
    lifecycle::{At, Object},
    side::Resource,
};
use avnm_terms::mutants::{Mutant, broken};
use jiff::Timestamp;

use crate::{
    contenders::{Claimed, contender},
    owner::{Owner, Reconciler},
    undecoded,
};

/// Enters every thing that is ours, and notes how it stands to what others want.
pub(crate) fn contend<K: Owner>(reconciler: &Reconciler<K>, object: &mut Object<K::Own>) {
    for at in 0..object.items.len() {
        let contenders = &reconciler.contenders;
        let (standing, woken) = if let Some(me) = claimant(object, at) {
            contenders.contend(&me)
        } else {
            // What was taken out stands in nobody's way.
            let thing = [object.items[at].resource.field()];
            (Standing::default(), contenders.leave(&object.meta.uid, &thing))
        };
        object.items[at].standing = standing;
        wake(reconciler, &woken);
    }
    if broken(Mutant::ContendPerObject) {
        let beaten = object.items.iter().find_map(|item| item.standing.beaten_by.clone());
        for item in &mut object.items {
            item.standing.beaten_by.clone_from(&beaten);
        }
    }
}

/// The pass is over: what it claims is reserved no more. What status still claims counts until it is written without it:
/// nobody else may make what this object, seeing its own claim again, would delete.
pub(crate) fn settle<K: Owner>(reconciler: &Reconciler<K>, object: &Object<K::Own>, released: bool) {
    for item in &object.items {
        let counts = |claim: Option<&avnm_api::Claim>| {
            let claim = claim.filter(|claim| !is_of_another(claim, item.id()))?;
            Some((claim.phase, claim.since.0))
        };
        let durable = counts(item.durable()).filter(|_| !released);
        let claim = Claimed {
            claim: durable.or(counts(item.claim()).filter(|_| !released)),
            durable: durable.is_some(),
        };
        let id = contender(&object.meta.uid, item.resource.field());
        wake(reconciler, &reconciler.contenders.settle(&id, claim, leaves(object, item)));
    }
}

/// Enters the objects of a kind that nobody has entered yet, before any verdict.
pub(crate) fn enter_all<K: Owner>(reconciler: &Reconciler<K>) {
    for found in reconciler.objects.state() {
        let found = found.object();
        match &found.0 {
            Ok(object) => enter(reconciler, object),
            Err(undecoded) => undecoded::enter(&reconciler.contenders, &found, undecoded),
        }
    }
}

/// Only these objects are there.
pub(crate) fn retain<K: Owner>(reconciler: &Reconciler<K>, uids: &HashSet<String>) {
    wake(reconciler, &reconciler.contenders.retain(uids));
}

/// An object is gone with all that it wanted.
pub(crate) fn leave<K: Owner>(reconciler: &Reconciler<K>, uid: &str) {
    let things = [Resource::ScopeConnection, Resource::ManagerConnection, Resource::Member];
    wake(reconciler, &reconciler.contenders.leave(uid, &things.map(Resource::field)));
}

fn enter<K: Owner>(reconciler: &Reconciler<K>, found: &K) {
    let Ok(object) = K::desire(&K::unread(found)) else { return };
    for at in 0..object.items.len() {
        if let Some(me) = claimant(&object, at) {
            let unseen = !object.meta.deleting
                && !object.policies.suspend
                && object.policies.mode == avnm_api::Mode::Enforce;
            reconciler.contenders.enter(&Claimant { unseen, ..me });
        }
    }
}

/// Has these looked at again.
fn wake<K: Owner>(reconciler: &Reconciler<K>, woken: &[Claimant]) {
    for woken in woken {
        reconciler.wake.wake(&woken.namespace, &woken.name);
    }
}

/// Whether what it holds goes with it, and is still there to be given away.
fn leaves<K>(object: &Object<K>, item: &Item) -> bool {
    let (meta, policies) = (&object.meta, object.policies);
    meta.deleting && meta.held && !policies.leaves() && !policies.suspend && !item.history().is_going()
}

fn claimant<K>(object: &Object<K>, at: At) -> Option<Claimant> {
    let (meta, item) = (&object.meta, &object.items[at]);
    let wish = item.wish.as_ref()?;
    let claim: Option<(ClaimPhase, Timestamp)> = item
        .claim()
        .filter(|claim| !is_of_another(claim, item.id()))
        .map(|claim| (claim.phase, claim.since.0));
    Some(Claimant {
        keys: wish.keys.clone(),
        body: Some(wish.body.likeness()),
        leaving: leaves(object, item),
        unseen: false,
        namespace: meta.namespace.clone(),
        name: meta.name.clone(),
        uid: contender(&meta.uid, item.resource.field()),
        claim,
        durable: item.claim() == item.durable(),
        wants: object.wants(at),
        reserved: false,
        created: meta.created,
    })
}
