//! Who wants what: an index over the objects of one kind, so that two that want one thing find out before either claims
//! it.

use std::{
    collections::{HashMap, HashSet},
    sync::Mutex,
};

use avnm_api::ClaimPhase;
use avnm_plan::arbitration::{Claimant, beaten_by};
use jiff::Timestamp;

#[derive(Debug, Default)]
struct Index {
    by_key: HashMap<String, Vec<String>>,
    by_uid: HashMap<String, (Vec<String>, Claimant)>,
}

/// The index. Who wins a pass reserves with that, in one step: the reservation is there before the claim is, and stays until
/// the pass has said what it came to.
#[derive(Debug, Default)]
pub(crate) struct Contenders(Mutex<Index>);

impl Contenders {
    /// Enters an object for a pass of it. Returns the one that beats it, if any does, and those that it no longer stands in
    /// the way of, which have to look again.
    pub(crate) fn contend(&self, keys: &[String], me: &Claimant) -> (Option<Claimant>, Vec<Claimant>) {
        let Ok(mut index) = self.0.lock() else { return (None, Vec::new()) };
        let mut others = index.others(keys, &me.uid);
        if !me.wants {
            // It is not kept from anything, and needs not be told so.
            for other in &mut others {
                other.reserved = false;
            }
        }
        let winner = beaten_by(me, &others).cloned();
        let reserved = winner.is_none() && me.wants;
        let freed = index.enter(keys, &Claimant { reserved, ..me.clone() });
        (winner, freed)
    }

    /// Enters an object before any pass of it. What a pass has entered stays.
    pub(crate) fn enter(&self, keys: &[String], me: &Claimant) {
        if let Ok(mut index) = self.0.lock()
            && !index.by_uid.contains_key(&me.uid)
        {
            index.enter(keys, me);
        }
    }

    /// The pass of an object is over, and this is what it claims. Returns those that have to look again: all of its keys if
    /// it stands in nobody's way any more, and those that only its reservation kept out.
    pub(crate) fn settle(&self, uid: &str, claim: Option<(ClaimPhase, Timestamp)>) -> Vec<Claimant> {
        let Ok(mut index) = self.0.lock() else { return Vec::new() };
        let Some((keys, entry)) = index.by_uid.get_mut(uid) else { return Vec::new() };
        let before = entry.clone();
        (entry.claim, entry.reserved) = (claim, false);
        let (keys, now) = (keys.clone(), entry.clone());
        let mut others = index.others(&keys, uid);
        if before.contends() && !now.contends() {
            return others;
        }
        others.retain(|other| {
            beaten_by(other, [&before]).is_some() && beaten_by(other, [&now]).is_none() && other.wants
        });
        others
    }

    /// The one that beats an object under any of these keys, if any does.
    pub(crate) fn winner(&self, keys: &[String], me: &Claimant) -> Option<Claimant> {
        let others = self.0.lock().ok()?.others(keys, &me.uid);
        beaten_by(me, &others).cloned()
    }

    /// Whether an object of this cluster holds a claim under this key.
    pub(crate) fn holds(&self, key: &str) -> bool {
        let Ok(index) = self.0.lock() else { return false };
        index.others(&[key.to_owned()], "").iter().any(|claimant| claimant.claim.is_some())
    }

    /// An object is gone. Returns those that shared a key with it.
    pub(crate) fn leave(&self, uid: &str) -> Vec<Claimant> {
        let Ok(mut index) = self.0.lock() else { return Vec::new() };
        let Some((keys, _)) = index.by_uid.get(uid).cloned() else { return Vec::new() };
        index.remove(uid);
        index.others(&keys, uid)
    }

    /// Only these objects are there: a watch that begins anew does not tell what went meanwhile. Returns those that
    /// shared a key with one that is gone.
    pub(crate) fn retain(&self, uids: &HashSet<String>) -> Vec<Claimant> {
        let gone: Vec<String> = match self.0.lock() {
            Ok(index) => index.by_uid.keys().filter(|uid| !uids.contains(*uid)).cloned().collect(),
            Err(_) => Vec::new(),
        };
        gone.iter().flat_map(|uid| self.leave(uid)).collect()
    }
}

impl Index {
    /// Enters an object, and returns those that it no longer stands in the way of.
    fn enter(&mut self, keys: &[String], me: &Claimant) -> Vec<Claimant> {
        let old = self.by_uid.get(&me.uid).cloned();
        self.remove(&me.uid);
        for key in keys {
            self.by_key.entry(key.clone()).or_default().push(me.uid.clone());
        }
        self.by_uid.insert(me.uid.clone(), (keys.to_vec(), me.clone()));
        let Some((old_keys, old)) = old.filter(|(_, old)| old.contends()) else { return Vec::new() };
        let mut freed = self.others(&old_keys, &me.uid);
        if me.contends() && old_keys == keys {
            // A claim that was not written after all, say.
            freed.retain(|other| beaten_by(other, [&old]).is_some() && beaten_by(other, [me]).is_none());
        }
        freed
    }

    fn remove(&mut self, uid: &str) {
        let Some((keys, _)) = self.by_uid.remove(uid) else { return };
        for key in keys {
            if let Some(uids) = self.by_key.get_mut(&key) {
                uids.retain(|other| other != uid);
                if uids.is_empty() {
                    self.by_key.remove(&key);
                }
            }
        }
    }

    fn others(&self, keys: &[String], uid: &str) -> Vec<Claimant> {
        keys.iter()
            .filter_map(|key| self.by_key.get(key))
            .flatten()
            .filter(|other| *other != uid)
            .filter_map(|other| self.by_uid.get(other))
            .map(|(_, claimant)| claimant.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claimant(name: &str, wants: bool) -> Claimant {
        Claimant {
            namespace: "n".into(),
            name: name.into(),
            uid: name.into(),
            claim: None,
            wants,
            reserved: false,
            created: Timestamp::from_second(1).ok(),
        }
    }

    /// What a pass enters, without what it asks.
    fn enter(index: &Contenders, keys: &[String], me: &Claimant) {
        index.0.lock().unwrap().enter(keys, me);
    }

    fn names(claimants: &[Claimant]) -> Vec<&str> {
        claimants.iter().map(|claimant| claimant.name.as_str()).collect()
    }

    #[test]
    fn who_gives_way_wakes_who_was_beaten() {
        let index = Contenders::default();
        let keys = ["k".to_owned()];
        enter(&index, &keys, &claimant("a", true));
        let (winner, freed) = index.contend(&keys, &claimant("b", true));
        assert_eq!((winner.map(|won| won.name), freed.len()), (Some("a".to_owned()), 0));
        assert_eq!(names(&index.contend(&keys, &claimant("a", false)).1), ["b"]);
        assert_eq!(index.contend(&keys, &claimant("b", true)).0, None);
    }

    /// Both were kept from wanting it, by the same fault, and come when it has healed: the younger one first.
    #[test]
    fn who_may_be_claiming_is_not_overtaken() {
        let index = Contenders::default();
        let keys = ["k".to_owned()];
        let younger = Claimant { created: Timestamp::from_second(2).ok(), ..claimant("b", true) };
        enter(&index, &keys, &claimant("a", false));
        assert_eq!(index.contend(&keys, &younger).0, None);
        let older = || index.contend(&keys, &claimant("a", true)).0.map(|won| won.name);
        assert_eq!(older(), Some("b".to_owned()), "its claim may be on its way");
        // It made its claim, and is not overtaken before its next pass either.
        let since = Timestamp::from_second(9).unwrap();
        assert!(index.settle("b", Some((ClaimPhase::Intended, since))).is_empty());
        assert_eq!(older(), Some("b".to_owned()));
        // Or it did not: then the older one has it, and is told to look.
        enter(&index, &keys, &claimant("a", false));
        assert_eq!(index.contend(&keys, &younger).0, None);
        assert_eq!(older(), Some("b".to_owned()));
        assert_eq!(names(&index.settle("b", None)), ["a"]);
        assert_eq!(older(), None);
        assert_eq!(index.contend(&keys, &younger).0.map(|won| won.name), Some("a".to_owned()));
        assert!(index.settle("b", None).is_empty(), "who kept nobody out wakes nobody");
        // Or it let go.
        assert_eq!(
            index.contend(&keys, &Claimant { wants: false, ..younger.clone() }).0.map(|it| it.name),
            Some("a".to_owned())
        );
        enter(&index, &keys, &Claimant { claim: Some((ClaimPhase::Held, since)), wants: false, ..younger });
        assert_eq!(names(&index.settle("b", None)), ["a"]);
    }

    #[test]
    fn a_claim_that_was_not_written_frees_whom_it_kept_out() {
        let index = Contenders::default();
        let keys = ["k".to_owned()];
        let younger = Claimant { created: Timestamp::from_second(2).ok(), ..claimant("b", true) };
        assert_eq!(index.contend(&keys, &younger).0, None);
        assert!(index.settle("b", Some((ClaimPhase::Intended, Timestamp::UNIX_EPOCH))).is_empty());
        assert!(index.contend(&keys, &claimant("a", true)).0.is_some());
        let (winner, freed) = index.contend(&keys, &younger);
        assert_eq!((winner.map(|won| won.name), names(&freed)), (Some("a".to_owned()), vec!["a"]));
    }

    #[test]
    fn a_reservation_is_nothing_to_who_does_not_want_it() {
        let index = Contenders::default();
        let keys = ["k".to_owned()];
        let younger = Claimant { created: Timestamp::from_second(2).ok(), ..claimant("b", true) };
        assert_eq!(index.contend(&keys, &younger).0, None);
        assert_eq!(index.contend(&keys, &claimant("a", false)).0, None);
    }

    #[test]
    fn who_vanished_unseen_stands_in_nobodys_way() {
        let index = Contenders::default();
        let keys = ["k".to_owned()];
        let held =
            Claimant { claim: Some((ClaimPhase::Held, Timestamp::UNIX_EPOCH)), ..claimant("ghost", true) };
        enter(&index, &keys, &held);
        enter(&index, &keys, &claimant("b", true));
        assert!(index.holds("k"));
        assert_eq!(names(&index.retain(&HashSet::from(["b".to_owned()]))), ["b"]);
        assert!(!index.holds("k"));
        assert_eq!(index.contend(&keys, &claimant("b", true)).0, None);
    }

    #[test]
    fn what_a_pass_has_entered_is_not_entered_anew() {
        let index = Contenders::default();
        let keys = ["k".to_owned()];
        index.contend(&keys, &claimant("a", true));
        index.enter(&keys, &claimant("a", false));
        assert!(index.contend(&keys, &claimant("b", true)).0.is_some());
    }
}
