//! Who wants what: an index over the things that objects of one kind want, so that two that want one thing find out before
//! either claims it, and that whoever is kept from something is woken when it is not any more.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::{Arc, Mutex},
};

use avnm_api::ClaimPhase;
use avnm_plan::{
    arbitration::{Claimant, judge},
    item::{Key, Standing},
};
use jiff::Timestamp;

#[derive(Debug, Default)]
struct Index {
    /// Trees, since a table has room for more than it holds.
    by_key: BTreeSet<(Key, Arc<str>)>,
    by_uid: BTreeMap<Arc<str>, Box<Claimant>>,
}

/// The index. Who wins a pass reserves with that, in one step: the reservation is there before the claim is, and stays until
/// the pass has said what it came to.
#[derive(Debug)]
pub(crate) struct Contenders {
    /// What its objects are called.
    kind: &'static str,
    index: Mutex<Index>,
}

impl Contenders {
    /// An empty index of the objects of this kind.
    pub(crate) fn new(kind: &'static str) -> Self {
        Self { kind, index: Mutex::default() }
    }

    /// Enters a thing for a pass of its object. Returns how it stands, and those that have to look again because of that.
    pub(crate) fn contend(&self, me: &Claimant) -> (Standing, Vec<Claimant>) {
        let Ok(mut index) = self.index.lock() else { return (Standing::default(), Vec::new()) };
        let mut others = index.others(&me.keys, &me.uid);
        if !me.wants {
            // It is not kept from anything, and needs not be told so.
            for other in &mut others {
                other.reserved = false;
            }
        }
        let standing = judge(me, &others, self.kind);
        // Who goes and has no heir may delete in this pass: nobody is given it meanwhile.
        let deletes = me.leaving && standing.heir.is_none() && !standing.yields;
        let reserved = deletes || (standing.beaten_by.is_none() && me.wants);
        let woken = index.change(self.kind, &me.uid, Some(Claimant { reserved, ..me.clone() }));
        (standing, woken)
    }

    /// Enters a thing before any pass of its object. What a pass has entered stays. Nobody has looked yet, so nobody has to
    /// look again.
    pub(crate) fn enter(&self, me: &Claimant) {
        if let Ok(mut index) = self.index.lock()
            && !index.by_uid.contains_key(&me.uid)
        {
            index.change(self.kind, &me.uid, Some(me.clone()));
        }
    }

    /// The pass of an object is over, and this is what it claims, and whether that may be given away. Returns those that have
    /// to look again.
    pub(crate) fn settle(
        &self,
        uid: &str,
        Claimed { claim, durable }: Claimed,
        leaving: bool,
    ) -> Vec<Claimant> {
        let Ok(mut index) = self.index.lock() else { return Vec::new() };
        let Some(entry) = index.by_uid.get(uid).map(|entry| (**entry).clone()) else { return Vec::new() };
        index.change(self.kind, uid, Some(Claimant { claim, durable, leaving, reserved: false, ..entry }))
    }

    /// Whether an object of this cluster holds a claim under this key.
    pub(crate) fn holds(&self, key: Key) -> bool {
        let Ok(index) = self.index.lock() else { return false };
        index.others(&[key], "").iter().any(|claimant| claimant.claim.is_some())
    }

    /// An object is gone with all its things. Returns those that have to look again.
    pub(crate) fn leave(&self, uid: &str, things: &[&'static str]) -> Vec<Claimant> {
        let Ok(mut index) = self.index.lock() else { return Vec::new() };
        let mut woken = Vec::new();
        for thing in things {
            woken.extend(index.change(self.kind, &contender(uid, thing), None));
        }
        woken
    }

    /// Only these objects are there: a watch that begins anew does not tell what went meanwhile. Returns those that have to
    /// look again.
    pub(crate) fn retain(&self, uids: &HashSet<String>) -> Vec<Claimant> {
        let Ok(mut index) = self.index.lock() else { return Vec::new() };
        let gone: Vec<Arc<str>> =
            index.by_uid.keys().filter(|id| !uids.contains(owner(id))).cloned().collect();
        gone.iter().flat_map(|id| index.change(self.kind, id, None)).collect()
    }
}

/// What an object claims when its pass is over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claimed {
    /// Phase, and since when.
    pub(crate) claim: Option<(ClaimPhase, Timestamp)>,
    /// Whether status is known to have it.
    pub(crate) durable: bool,
}

/// One thing of an object, as contenders know it: each has its own keys, claim, wish and winner.
pub(crate) fn contender(uid: &str, thing: &str) -> Arc<str> {
    format!("{uid}/{thing}").into()
}

fn owner(contender: &str) -> &str {
    contender.split_once('/').map_or(contender, |(uid, _)| uid)
}

impl Index {
    /// Puts an entry in the place of the one that is there, and returns those who may do now what they might not before.
    fn change(&mut self, kind: &str, uid: &str, new: Option<Claimant>) -> Vec<Claimant> {
        let old = self.by_uid.get(uid).map(|old| (**old).clone());
        let mut keys: Vec<Key> =
            old.iter().chain(&new).flat_map(|claimant| &claimant.keys).copied().collect();
        keys.sort_unstable();
        keys.dedup();
        let others = self.others(&keys, uid);
        let stand = |index: &Self| -> Vec<Standing> {
            let all = others.iter().map(|me| judge(me, &index.others(&me.keys, &me.uid), kind));
            all.collect()
        };
        let before = stand(self);
        self.remove(uid);
        if let Some(new) = new {
            for key in &new.keys {
                self.by_key.insert((*key, Arc::clone(&new.uid)));
            }
            self.by_uid.insert(Arc::clone(&new.uid), Box::new(new));
        }
        let after = stand(self);
        let changes = before.iter().zip(&after).map(|(before, after)| freed(before, after));
        others.iter().zip(changes).filter(|(_, freed)| *freed).map(|(other, _)| other.clone()).collect()
    }

    fn remove(&mut self, uid: &str) {
        let Some(entry) = self.by_uid.remove(uid) else { return };
        for key in entry.keys {
            self.by_key.remove(&(key, Arc::clone(&entry.uid)));
        }
    }

    fn of_key(&self, key: Key) -> impl Iterator<Item = &Arc<str>> {
        // No uid is before the empty one.
        let from = (key, Arc::from(""));
        self.by_key.range(from..).take_while(move |(other, _)| *other == key).map(|(_, uid)| uid)
    }

    /// Whoever else has one of these keys, once each.
    fn others(&self, keys: &[Key], uid: &str) -> Vec<Claimant> {
        let uids: BTreeSet<&Arc<str>> =
            keys.iter().flat_map(|key| self.of_key(*key)).filter(|other| ***other != *uid).collect();
        uids.into_iter().filter_map(|other| self.by_uid.get(other)).map(|other| (**other).clone()).collect()
    }
}

/// Whether a change of standing is something to act upon: who is beaten only now finds out in its own next pass.
fn freed(before: &Standing, after: &Standing) -> bool {
    (before.beaten_by.is_some() && after.beaten_by.is_none())
        || (before.yields, before.given) != (after.yields, after.given)
        || before.heir != after.heir
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claimant(name: &str, wants: bool) -> Claimant {
        Claimant {
            keys: vec![Key::of("k")],
            body: None,
            leaving: false,
            unseen: false,
            namespace: "n".into(),
            name: name.into(),
            uid: contender(name, "it"),
            claim: None,
            durable: true,
            wants,
            reserved: false,
            created: Timestamp::from_second(1).ok(),
        }
    }

    fn written(claim: Option<(ClaimPhase, Timestamp)>) -> Claimed {
        Claimed { claim, durable: true }
    }

    /// What a pass enters, without what it asks.
    fn enter(index: &Contenders, me: &Claimant) {
        index.index.lock().unwrap().change("K", &me.uid, Some(me.clone()));
    }

    fn beaten(index: &Contenders, me: &Claimant) -> Option<String> {
        index.contend(me).0.beaten_by
    }

    #[allow(clippy::unnecessary_wraps)] // As what it is compared with.
    fn by(name: &str) -> Option<String> {
        Some(format!("K {name} in this namespace"))
    }

    fn names(claimants: &[Claimant]) -> Vec<&str> {
        claimants.iter().map(|claimant| claimant.name.as_str()).collect()
    }

    #[test]
    fn who_gives_way_wakes_who_was_beaten() {
        let index = Contenders::new("K");
        enter(&index, &claimant("a", true));
        let (standing, woken) = index.contend(&claimant("b", true));
        assert_eq!((standing.beaten_by, woken.len()), (by("a"), 0));
        assert_eq!(names(&index.contend(&claimant("a", false)).1), ["b"]);
        assert_eq!(beaten(&index, &claimant("b", true)), None);
    }

    /// Both were kept from wanting it, by the same fault, and come when it has healed: the younger one first.
    #[test]
    fn who_may_be_claiming_is_not_overtaken() {
        let index = Contenders::new("K");
        let younger = Claimant { created: Timestamp::from_second(2).ok(), ..claimant("b", true) };
        let settle = |claim| index.settle(&younger.uid, written(claim), false);
        enter(&index, &claimant("a", false));
        assert_eq!(beaten(&index, &younger), None);
        let older = || beaten(&index, &claimant("a", true));
        assert_eq!(older(), by("b"), "its claim may be on its way");
        // It made its claim, and is not overtaken before its next pass either.
        let since = Timestamp::from_second(9).unwrap();
        assert!(settle(Some((ClaimPhase::Intended, since))).is_empty());
        assert_eq!(older(), by("b"));
        // Or it did not: then the older one has it, and is told to look.
        enter(&index, &claimant("a", false));
        assert_eq!(beaten(&index, &younger), None);
        assert_eq!(older(), by("b"));
        assert_eq!(names(&settle(None)), ["a"]);
        assert_eq!(older(), None);
        assert_eq!(beaten(&index, &younger), by("a"));
        assert!(settle(None).is_empty(), "who kept nobody out wakes nobody");
        // Or it let go.
        assert_eq!(beaten(&index, &Claimant { wants: false, ..younger.clone() }), by("a"));
        let holds = Claimant { claim: Some((ClaimPhase::Held, since)), wants: false, ..younger.clone() };
        enter(&index, &holds);
        assert_eq!(names(&settle(None)), ["a"]);
    }

    #[test]
    fn a_claim_that_was_not_written_frees_whom_it_kept_out() {
        let index = Contenders::new("K");
        let younger = Claimant { created: Timestamp::from_second(2).ok(), ..claimant("b", true) };
        assert_eq!(beaten(&index, &younger), None);
        let claim = Some((ClaimPhase::Intended, Timestamp::UNIX_EPOCH));
        assert!(index.settle(&younger.uid, written(claim), false).is_empty());
        assert!(beaten(&index, &claimant("a", true)).is_some());
        let (standing, woken) = index.contend(&younger);
        assert_eq!((standing.beaten_by, names(&woken)), (by("a"), vec!["a"]));
    }

    #[test]
    fn a_reservation_is_nothing_to_who_does_not_want_it() {
        let index = Contenders::new("K");
        let younger = Claimant { created: Timestamp::from_second(2).ok(), ..claimant("b", true) };
        assert_eq!(beaten(&index, &younger), None);
        assert_eq!(beaten(&index, &claimant("a", false)), None);
    }

    #[test]
    fn who_vanished_unseen_stands_in_nobodys_way() {
        let index = Contenders::new("K");
        let held =
            Claimant { claim: Some((ClaimPhase::Held, Timestamp::UNIX_EPOCH)), ..claimant("ghost", true) };
        enter(&index, &held);
        enter(&index, &claimant("b", true));
        assert!(index.holds(Key::of("k")));
        assert_eq!(names(&index.retain(&HashSet::from(["b".to_owned()]))), ["b"]);
        assert!(!index.holds(Key::of("k")));
        assert_eq!(beaten(&index, &claimant("b", true)), None);
    }

    #[test]
    fn what_a_pass_has_entered_is_not_entered_anew() {
        let index = Contenders::new("K");
        index.contend(&claimant("a", true));
        index.enter(&claimant("a", false));
        assert!(beaten(&index, &claimant("b", true)).is_some());
    }

    /// A rename: the new object comes first, then the old one is deleted.
    #[test]
    fn an_heir_is_woken_when_there_is_something_to_inherit_and_the_holder_when_it_has_it() {
        let index = Contenders::new("K");
        let manager = avnm_terms::ArmId::parse("/subscriptions/s/resourceGroups/r/x").unwrap();
        let body = Some(avnm_plan::item::Body::manager_connection(&manager, None).likeness());
        let since = |second| Timestamp::from_second(second).unwrap();
        let old = Claimant {
            claim: Some((ClaimPhase::Held, since(1))),
            body: body.clone(),
            ..claimant("old", true)
        };
        let new = Claimant { body, created: Timestamp::from_second(9).ok(), ..claimant("new", true) };
        enter(&index, &old);
        assert_eq!(beaten(&index, &new), by("old"));
        let leaving = Claimant { leaving: true, wants: false, ..old };
        let (standing, woken) = index.contend(&leaving);
        assert_eq!((standing.heir, names(&woken)), (by("new"), vec!["new"]));
        let (standing, _) = index.contend(&new);
        assert!(standing.given && standing.beaten_by.is_none());
        assert!(index.settle(&new.uid, written(Some((ClaimPhase::Intended, since(20)))), false).is_empty());
        let unwritten = Claimed { claim: Some((ClaimPhase::Held, since(20))), durable: false };
        assert!(index.settle(&new.uid, unwritten, false).is_empty());
        assert!(!index.contend(&leaving).0.yields, "a claim that was not written may be none");
        assert_eq!(
            names(&index.settle(&new.uid, written(Some((ClaimPhase::Held, since(20)))), false)),
            ["old"]
        );
        assert!(index.contend(&leaving).0.yields);
        // It let go, and is gone: the heir has nothing new to do.
        assert!(index.settle(&leaving.uid, written(None), true).is_empty());
        assert!(index.leave("old", &["it"]).is_empty());
    }

    /// The one that goes had its turn before anyone wanted it: what it may be deleting is nobody's to take.
    #[test]
    fn what_may_be_deleted_now_is_not_given_away() {
        let index = Contenders::new("K");
        let manager = avnm_terms::ArmId::parse("/subscriptions/s/resourceGroups/r/x").unwrap();
        let body = Some(avnm_plan::item::Body::manager_connection(&manager, None).likeness());
        let held = Some((ClaimPhase::Held, Timestamp::UNIX_EPOCH));
        let old = Claimant {
            claim: held,
            leaving: true,
            wants: false,
            body: body.clone(),
            ..claimant("old", false)
        };
        let new = Claimant { body, ..claimant("new", true) };
        assert_eq!(index.contend(&old).0.heir, None);
        let late = index.contend(&new).0;
        assert!(!late.given && late.beaten_by.is_some());
        // A DELETE was sent: it is gone before long.
        assert!(index.settle(&old.uid, written(held), false).is_empty());
        assert!(index.contend(&new).0.beaten_by.is_some());
        // Nothing was sent: then it is given.
        assert!(index.contend(&old).0.heir.is_some());
        assert!(index.contend(&new).0.given);
    }
}
